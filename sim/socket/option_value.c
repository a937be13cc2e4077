/* The values of options: the forms they are read and told in, and those that are only kept.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "net/ip.h"
#include "option.h"

/* ---- the forms of values ---- */

int sim_option_give(const void *from, size_t bytes, void *value, socklen_t *length)
{
    if (*length > bytes) {
        *length = (socklen_t)bytes;
    }
    if (*length == 0) {
        return 0;
    }
    if (value == NULL) {
        return -EFAULT;
    }
    memcpy(value, from, *length);
    return 0;
}

/* LINUX: do_ip_getsockopt tells a small number in one byte to who has no room for four. */
int sim_option_give_number(int level, int number, void *value, socklen_t *length)
{
    if (level == IPPROTO_IP && *length < sizeof number && *length > 0 && number >= 0 &&
        number <= UCHAR_MAX) {
        unsigned char byte = (unsigned char)number;
        return sim_option_give(&byte, sizeof byte, value, length);
    }
    return sim_option_give(&number, sizeof number, value, length);
}

int sim_option_read(int level, uint32_t least, const void *value, socklen_t length, int *number)
{
    bool byte = level == IPPROTO_IP && length > 0 && length < sizeof *number;
    *number = 0;
    if (value == NULL && length > 0 && level == IPPROTO_IP) {
        return -EFAULT;
    }
    if (length < least) {
        return -EINVAL;
    }
    if (value == NULL && length > 0) {
        return level == IPPROTO_IPV6 ? 0 : -EFAULT;
    }
    if (byte) {
        *number = *(const unsigned char *)value;
    } else if (length >= sizeof *number) {
        memcpy(number, value, sizeof *number);
    }
    return 0;
}

int sim_option_take(void *to, size_t bytes, const void *value, socklen_t length)
{
    if (length < bytes) {
        return -EINVAL;
    }
    if (value == NULL) {
        return -EFAULT;
    }
    memcpy(to, value, bytes);
    return 0;
}

bool sim_option_may_administer(const struct sim_world *world, const struct sim_socket *socket)
{
    return socket->owner.index == 0 || sim_process_at(world, socket->owner)->uid == 0;
}

/* LINUX: a TCP socket has a path as soon as it connects, and keeps it when it is refused. */
int sim_option_path_mtu(const struct sim_world *world, const struct sim_socket *socket, int *mtu)
{
    struct sim_ip_path path;
    if ((socket->flags & SIM_SOCKET_PATH_FORGOTTEN) != 0) {
        return -ENOTCONN;
    }
    if (socket->protocol_kind == SIM_PROTOCOL_TCP) {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
        *mtu = (int)tcp->path_mtu;
        return *mtu == 0 ? -ENOTCONN : 0;
    }
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0 ||
        sim_ip_route(world, socket->host, socket->remote, socket->local.ip, socket->bound_interface,
                     &path) < 0) {
        return -ENOTCONN;
    }
    *mtu = (int)path.mtu;
    return 0;
}

/* ---- kept values ---- */

const struct sim_option *sim_option_kept(const struct sim_world *world, struct sim_socket_id id,
                                         int level, int name)
{
    struct sim_option_id at = sim_socket_at(world, id)->first_option;
    while (at.index != 0) {
        const struct sim_option *option = sim_option_at(world, at);
        if (option->level == level && option->name == name) {
            return option;
        }
        at = option->next;
    }
    return NULL;
}

int sim_option_keep(struct sim_world *world, struct sim_socket_id id, int level, int name,
                    const void *value, uint32_t bytes)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_option *option = (struct sim_option *)sim_option_kept(world, id, level, name);
    if (bytes > SIM_OPTION_BYTES) {
        return -ENOBUFS;
    }
    if (option == NULL) {
        struct sim_option_id new = {sim_pool_take(world, SIM_POOL_OPTION)};
        if (new.index == 0) {
            return -ENOBUFS;
        }
        option = sim_option_at(world, new);
        option->level = level;
        option->name = name;
        option->next = socket->first_option;
        socket->first_option = new;
    }
    memset(option->value, 0, sizeof option->value);
    memcpy(option->value, value, bytes);
    option->bytes = bytes;
    return 0;
}
