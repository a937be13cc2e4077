/* Options between their own files and for the protocols: plain ones by a table, kept ones by name.
 * SPDX-License-Identifier: MIT
 *
 * An option is plain when it is a number that is one bit of the socket, or that is only kept and told
 * again. The table in option.c lists all of these that Linux knows; what means more is code in
 * option_socket.c, option_ip.c, option_ipv6.c. */
#ifndef SIM_OPTION_H
#define SIM_OPTION_H

#include <sys/socket.h>

#include "core/state.h"

/* Names that Debian 12's headers may lack: <linux/in.h>. */
enum {
    SIM_NAME_IP_LOCAL_PORT_RANGE = 51,
    SIM_NAME_IP_PROTOCOL = 52,
    SIM_NAME_UDP_SEGMENT = 103,
    SIM_NAME_UDP_GRO = 104,
};

enum sim_option_answer {
    SIM_OPTION_NOT_MINE = 1, /* the name means nothing more than the table says */
};

/* ---- for the protocols: their levels' options that are kept and change nothing ---- */

/* 0; -ENOPROTOOPT for a name that Linux does not know at this level; -EINVAL (too short, out of
 * range), -EFAULT, -EPERM, -EACCES, -EOPNOTSUPP, -ENOBUFS. */
int sim_option_store(struct sim_world *world, struct sim_socket_id id, int level, int name,
                     const void *value, socklen_t length);
/* The value kept, or Linux's default before it was ever set; -ENOPROTOOPT as above. */
int sim_option_stored(const struct sim_world *world, struct sim_socket_id id, int level, int name,
                      void *value, socklen_t *length);

/* ---- getsockopt's and setsockopt's forms (option_value.c) ---- */

/* Copies a value out: as much as there is room, *length is then what was copied. -EFAULT. */
int sim_option_give(const void *from, size_t bytes, void *value, socklen_t *length);
/* A number; at IPPROTO_IP one byte, when there is no room for four and it fits. */
int sim_option_give_number(int level, int number, void *value, socklen_t *length);
/* Reads a number: an int; at IPPROTO_IP also a byte, and nothing at all counts as 0 where `least` is
 * 0; at IPPROTO_IPV6 NULL counts as 0. -EINVAL, -EFAULT. */
int sim_option_read(int level, uint32_t least, const void *value, socklen_t length, int *number);
/* Copies a structure in: -EINVAL when there are fewer bytes, -EFAULT. */
int sim_option_take(void *to, size_t bytes, const void *value, socklen_t length);

/* ---- helpers ---- */

static inline void sim_option_flag(struct sim_socket *socket, uint32_t bit, bool on)
{
    socket->options = on ? socket->options | bit : socket->options & ~bit;
}
/* Keeps bytes under a name; told again by sim_option_kept (NULL: never set). 0 or -ENOBUFS. */
int sim_option_keep(struct sim_world *world, struct sim_socket_id id, int level, int name,
                    const void *value, uint32_t bytes);
const struct sim_option *sim_option_kept(const struct sim_world *world, struct sim_socket_id id,
                                         int level, int name);
/* IP_MTU and IPV6_MTU: of the path to the peer, of either version. 0 or -ENOTCONN (no path). */
int sim_option_path_mtu(const struct sim_world *world, const struct sim_socket *socket, int *mtu);
/* May the socket's owner administer the network? */
bool sim_option_may_administer(const struct sim_world *world, const struct sim_socket *socket);

/* ---- what is not plain; SIM_OPTION_NOT_MINE for the rest ---- */

int sim_option_set_socket(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                          socklen_t length);
int sim_option_get_socket(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                          socklen_t *length);
int sim_option_set_ip(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                      socklen_t length);
int sim_option_get_ip(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                      socklen_t *length);
int sim_option_set_ipv6(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                        socklen_t length);
int sim_option_get_ipv6(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                        socklen_t *length);
#endif
