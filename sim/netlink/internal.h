/* Netlink between its own files: sockets, messages, questions and their answers.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_NETLINK_INTERNAL_H
#define SIM_NETLINK_INTERNAL_H

#include <linux/netlink.h>

#include "core/block.h"
#include "core/bytes.h"

enum {
    SIM_NETLINK_PIECE_BYTES = 3776,   /* LINUX: NLMSG_GOODSIZE: what one recv() of a dump has at most */
    SIM_NETLINK_MESSAGE_BYTES = 2048, /* the longest message that the world makes or looks into */
};

/* The kinds of answer that come piece by piece. */
enum sim_netlink_dump_kind {
    SIM_NETLINK_DUMP_NONE = 0,
    SIM_NETLINK_DUMP_LINKS,
    SIM_NETLINK_DUMP_ADDRESSES,
    SIM_NETLINK_DUMP_ROUTES,
    SIM_NETLINK_DUMP_RULES,
    SIM_NETLINK_DUMP_NOTHING, /* neighbours and other tables that are empty */
    SIM_NETLINK_DUMP_INET_SOCKETS,
    SIM_NETLINK_DUMP_UNIX_SOCKETS,
    SIM_NETLINK_DUMP_GENERIC,
};

static inline struct sim_netlink *sim_netlink_of(const struct sim_world *world, struct sim_socket_id id)
{
    return sim_netlink_at(world, (struct sim_netlink_id){sim_socket_at(world, id)->detail});
}

/* ---- message.c: one message being made, or looked into ---- */

struct sim_netlink_message {
    uint32_t length;
    uint32_t cut; /* 1: something did not fit, and is not there */
    _Alignas(8) uint8_t data[SIM_NETLINK_MESSAGE_BYTES];
};

/* Begins a message: its head, then body bytes of zero, which are returned. */
void *sim_netlink_begin(struct sim_netlink_message *message, uint16_t type, uint16_t flags,
                        uint32_t sequence, uint32_t port, uint32_t body_bytes);
void sim_netlink_put(struct sim_netlink_message *message, uint16_t type, const void *data,
                     size_t bytes);
void sim_netlink_put_u8(struct sim_netlink_message *message, uint16_t type, uint8_t value);
void sim_netlink_put_u32(struct sim_netlink_message *message, uint16_t type, uint32_t value);
void sim_netlink_put_text(struct sim_netlink_message *message, uint16_t type, const char *text);
/* An attribute that holds attributes: what nest gives goes to nest_end. */
uint32_t sim_netlink_nest(struct sim_netlink_message *message, uint16_t type);
void sim_netlink_nest_end(struct sim_netlink_message *message, uint32_t nest);
/* The head's length as it now is: before the message is used. */
void sim_netlink_finish(struct sim_netlink_message *message);

/* The body of a question as one of `bytes`, NULL when it is shorter. */
const void *sim_netlink_body(const struct sim_netlink_message *message, size_t bytes);
/* The data of its attribute behind a body of so many bytes, with *length; NULL: it has none. */
const void *sim_netlink_attribute(const struct sim_netlink_message *message, size_t body_bytes,
                                  uint16_t type, size_t *length);

/* ---- queue.c: messages to sockets ---- */

/* The socket of this family and port on a host; index 0: none. */
struct sim_socket_id sim_netlink_find(const struct sim_world *world, struct sim_host_id host,
                                      uint32_t protocol, uint32_t port);
/* Appends the rope, which is taken over, to a socket's queue, as from this port, for this group. A full
 * queue or pool loses it, and the socket's owner is told with ENOBUFS unless NETLINK_NO_ENOBUFS. from:
 * who sends, index 0: the kernel. */
void sim_netlink_deliver(struct sim_world *world, struct sim_socket_id to, struct sim_bytes *bytes,
                         struct sim_socket_id from, uint32_t port, uint32_t group);
/* Has the queue room for a message of this length? */
bool sim_netlink_takes(const struct sim_socket *socket, uint64_t length);
/* The same for a message made here. */
void sim_netlink_answer(struct sim_world *world, struct sim_socket_id to,
                        struct sim_netlink_message *message);
/* What is lost for want of room: the rope is given up, and the socket's owner told. */
void sim_netlink_lose(struct sim_world *world, struct sim_socket_id to, struct sim_bytes *bytes);

/* ---- dump.c ---- */

/* A dump's next piece, if one is going on and there is room. */
void sim_netlink_continue(struct sim_world *world, struct sim_socket_id id);
/* Begins a dump: -EINTR, as its end is acknowledgment enough, or -EBUSY while another is going on. */
int sim_netlink_dump(struct sim_world *world, struct sim_socket_id id, const struct nlmsghdr *head,
                     const struct sim_netlink_dump *dump);

/* ---- request.c ---- */

/* What a program sent to the kernel: one message or several, each with its answer. */
void sim_netlink_request(struct sim_world *world, struct sim_socket_id id,
                         const struct sim_bytes *bytes);

/* ---- questions by family: each queues its answer, or fills in the dump (kind is not 0 then) that is
 * to begin, or gives -errno for the acknowledgment ---- */

int sim_netlink_route(struct sim_world *world, struct sim_socket_id id,
                      const struct sim_netlink_message *question, struct sim_netlink_dump *dump);
int sim_netlink_diag(struct sim_world *world, struct sim_socket_id id,
                     const struct sim_netlink_message *question, struct sim_netlink_dump *dump);
int sim_netlink_generic(struct sim_world *world, struct sim_socket_id id,
                        const struct sim_netlink_message *question, struct sim_netlink_dump *dump);

/* ---- the next message of a dump, made; false: there is no more. *at is the dump's place ---- */

bool sim_netlink_next_link(const struct sim_world *world, struct sim_host_id host,
                           struct sim_netlink_dump *dump, uint32_t port,
                           struct sim_netlink_message *message);
bool sim_netlink_next_address(const struct sim_world *world, struct sim_host_id host,
                              struct sim_netlink_dump *dump, uint32_t port,
                              struct sim_netlink_message *message);
bool sim_netlink_next_route(const struct sim_world *world, struct sim_host_id host,
                            struct sim_netlink_dump *dump, uint32_t port,
                            struct sim_netlink_message *message);
bool sim_netlink_next_rule(const struct sim_world *world, struct sim_host_id host,
                           struct sim_netlink_dump *dump, uint32_t port,
                           struct sim_netlink_message *message);
bool sim_netlink_next_inet_socket(const struct sim_world *world, struct sim_host_id host,
                                  struct sim_netlink_dump *dump, uint32_t port,
                                  struct sim_netlink_message *message);
bool sim_netlink_next_unix_socket(const struct sim_world *world, struct sim_host_id host,
                                  struct sim_netlink_dump *dump, uint32_t port,
                                  struct sim_netlink_message *message);
bool sim_netlink_next_generic(const struct sim_world *world, struct sim_host_id host,
                              struct sim_netlink_dump *dump, uint32_t port,
                              struct sim_netlink_message *message);

#endif
