/* Netlink sockets: ports and groups, sending and receiving, options, their end.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>

#include "core/random.h"
#include "file/wait.h"
#include "internal.h"
#include "netlink.h"
#include "socket/message.h"
#include "socket/sockets.h"

enum {
    GROUPS_LEAST = 32,
    ROUTE_GROUPS = 39, /* LINUX: RTNLGRP_MAX of 6.18 */
    SPARED_BYTES = 32,
    PORTS_OF_CHANCE = 0x7ffff000, /* LINUX: from INT_MIN up to -4096 */
    LAST_OPTION = NETLINK_GET_STRICT_CHK,
};

/* Those that getsockopt() tells as 0 or 1. */
static const uint32_t switches = 1U << NETLINK_PKTINFO | 1U << NETLINK_BROADCAST_ERROR |
                                 1U << NETLINK_NO_ENOBUFS | 1U << NETLINK_LISTEN_ALL_NSID |
                                 1U << NETLINK_CAP_ACK | 1U << NETLINK_EXT_ACK |
                                 1U << NETLINK_GET_STRICT_CHK;

static int choose(int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    if (type != SOCK_RAW && type != SOCK_DGRAM) {
        return -ESOCKTNOSUPPORT;
    }
    switch (protocol) {
    case NETLINK_ROUTE:
    case NETLINK_USERSOCK:
    case NETLINK_SOCK_DIAG:
    case NETLINK_KOBJECT_UEVENT:
    case NETLINK_GENERIC:
        *kind = SIM_PROTOCOL_NETLINK;
        *number = protocol;
        return 0;
    default:
        return -EPROTONOSUPPORT;
    }
}

static int create(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_netlink_id new = {sim_pool_take(world, SIM_POOL_NETLINK)};
    if (new.index == 0) {
        return -ENOBUFS;
    }
    struct sim_netlink *netlink = sim_netlink_at(world, new);
    struct sim_host *host = sim_host_at(world, socket->host);
    netlink->socket = id;
    netlink->next = host->first_netlink;
    host->first_netlink = new;
    socket->detail = new.index;
    return 0;
}

static void destroy(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_netlink_id *link = &sim_host_at(world, socket->host)->first_netlink;
    while (link->index != socket->detail) {
        link = &sim_netlink_at(world, *link)->next;
    }
    *link = sim_netlink_at(world, *link)->next;
    sim_pool_give(world, SIM_POOL_NETLINK, socket->detail);
}

static void release(struct sim_world *world, struct sim_socket_id id)
{
    sim_socket_free(world, id);
}

/* ---- ports and groups ---- */

static uint32_t group_count(const struct sim_socket *socket)
{
    return socket->protocol == NETLINK_ROUTE ? ROUTE_GROUPS : GROUPS_LEAST;
}

static int take_port(struct sim_world *world, struct sim_socket_id id, uint32_t port)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (sim_netlink_find(world, socket->host, socket->protocol, port).index != 0) {
        return -EADDRINUSE;
    }
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    netlink->port = port;
    netlink->bound = 1;
    return 0;
}

/* LINUX: a process's first socket has its pid, later ones a number of chance. */
static void autobind(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_process_id owner = sim_socket_at(world, id)->owner;
    uint32_t port = owner.index != 0 ? sim_process_at(world, owner)->pid : 0;
    while (port == 0 || take_port(world, id, port) < 0) {
        port = 0x80000000U +
               (uint32_t)sim_random_below(&world->random, SIM_STREAM_NETLINK, PORTS_OF_CHANCE);
    }
}

static int address_of(const struct sockaddr *address, socklen_t length, struct sockaddr_nl *to)
{
    if (length < (socklen_t)sizeof *to) {
        return -EINVAL;
    }
    memcpy(to, address, sizeof *to);
    return to->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static int bind_netlink(struct sim_world *world, struct sim_socket_id id,
                        const struct sockaddr *address, socklen_t length)
{
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    struct sockaddr_nl to;
    int result = address_of(address, length, &to);
    if (result == 0 && netlink->bound && to.nl_pid != netlink->port) {
        result = -EINVAL;
    }
    if (result == 0 && !netlink->bound && to.nl_pid != 0) {
        result = take_port(world, id, to.nl_pid);
    }
    if (result < 0) {
        return result;
    }
    if (!netlink->bound) {
        autobind(world, id);
    }
    if (to.nl_groups != 0 || netlink->groups != 0) {
        netlink->knows_groups = 1;
        netlink->groups = (netlink->groups & ~(uint64_t)UINT32_MAX) | to.nl_groups;
    }
    return 0;
}

/* LINUX: of several groups a socket sends to the lowest. */
static uint32_t first_group(uint32_t groups)
{
    return (uint32_t)__builtin_ffs((int)groups);
}

static int connect_netlink(struct sim_world *world, struct sim_socket_id id,
                           const struct sockaddr *address, socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    struct sockaddr_nl to = {.nl_family = AF_UNSPEC};
    if (length < (socklen_t)sizeof to.nl_family) {
        return -EINVAL;
    }
    memcpy(&to.nl_family, address, sizeof to.nl_family);
    if (to.nl_family == AF_UNSPEC) {
        netlink->peer_port = netlink->peer_groups = 0;
        socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTED;
        return 0;
    }
    const int result = address_of(address, length, &to);
    if (result < 0) {
        return result;
    }
    if (!netlink->bound) {
        autobind(world, id);
    }
    netlink->peer_port = to.nl_pid;
    netlink->peer_groups = to.nl_groups != 0 ? 1U << (first_group(to.nl_groups) - 1) : 0;
    socket->flags |= SIM_SOCKET_CONNECTED;
    return 0;
}

static int get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                    struct sockaddr *address, socklen_t *length)
{
    const struct sim_netlink *netlink = sim_netlink_of(world, id);
    const struct sockaddr_nl name = {.nl_family = AF_NETLINK,
                                     .nl_pid = peer ? netlink->peer_port : netlink->port,
                                     .nl_groups = peer ? netlink->peer_groups
                                                       : (uint32_t)netlink->groups};
    memcpy(address, &name, *length < (socklen_t)sizeof name ? *length : sizeof name);
    *length = sizeof name;
    return 0;
}

/* ---- sending ---- */

static int destination(const struct sim_netlink *netlink, const struct msghdr *message,
                       struct sockaddr_nl *to)
{
    if (message->msg_namelen == 0 || message->msg_name == NULL) {
        *to = (struct sockaddr_nl){
            .nl_family = AF_NETLINK, .nl_pid = netlink->peer_port, .nl_groups = netlink->peer_groups};
        return 0;
    }
    return address_of(message->msg_name, message->msg_namelen, to);
}

/* To every member of the group but who sends. */
static void multicast(struct sim_world *world, struct sim_socket_id from, const struct sim_bytes *bytes,
                      uint32_t group)
{
    const struct sim_socket *socket = sim_socket_at(world, from);
    struct sim_netlink_id id = sim_host_at(world, socket->host)->first_netlink;
    while (id.index != 0) {
        const struct sim_netlink *member = sim_netlink_at(world, id);
        const struct sim_socket_id to = member->socket;
        if (to.index != from.index && (member->groups >> (group - 1) & 1) != 0 &&
            sim_socket_at(world, to)->protocol == socket->protocol) {
            struct sim_bytes copy = {{0}, {0}, 0};
            if (sim_bytes_share(world, &copy, bytes, 0, bytes->length) == 0) {
                sim_netlink_deliver(world, to, &copy, from, sim_netlink_of(world, from)->port, group);
            } else {
                sim_socket_set_error(world, to, ENOBUFS);
            }
        }
        id = member->next;
    }
}

static int unicast(struct sim_world *world, struct sim_socket_id from, struct sim_bytes *bytes,
                   uint32_t port, uint32_t group)
{
    const struct sim_socket *socket = sim_socket_at(world, from);
    if (port == 0) {
        if (socket->protocol == NETLINK_USERSOCK) { /* no kernel listens there */
            return -ECONNREFUSED;
        }
        sim_netlink_request(world, from, bytes);
        sim_bytes_clear(world, bytes);
        return 0;
    }
    const struct sim_socket_id to = sim_netlink_find(world, socket->host, socket->protocol, port);
    /* LINUX: who has chosen its peer hears nobody else. */
    if (to.index == 0 || ((sim_socket_at(world, to)->flags & SIM_SOCKET_CONNECTED) != 0 &&
                          sim_netlink_of(world, to)->peer_port != sim_netlink_of(world, from)->port)) {
        return -ECONNREFUSED;
    }
    if (!sim_netlink_takes(sim_socket_at(world, to), bytes->length)) {
        sim_socket_at(world, to)->flags |= SIM_SOCKET_NOSPACE;
        return -EAGAIN;
    }
    sim_netlink_deliver(world, to, bytes, from, sim_netlink_of(world, from)->port, group);
    return 0;
}

static ssize_t send_message(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                            const struct msghdr *message, size_t skip, int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const size_t length = sim_message_length(message);
    struct sockaddr_nl to;
    if ((flags & MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    if (length == 0) {
        return -ENODATA;
    }
    int result = destination(sim_netlink_of(world, id), message, &to);
    if (result < 0) {
        return result;
    }
    if (!sim_netlink_of(world, id)->bound) {
        autobind(world, id);
    }
    if (length > socket->send_limit - SPARED_BYTES) {
        return -EMSGSIZE;
    }
    struct sim_bytes bytes = {{0}, {0}, 0};
    if (sim_bytes_append_iov(world, &bytes, message->msg_iov, message->msg_iovlen, 0, length) < 0) {
        return -ENOBUFS;
    }
    const uint32_t group = to.nl_groups != 0 ? first_group(to.nl_groups) : 0;
    if (group != 0) {
        multicast(world, id, &bytes, group);
    }
    result = unicast(world, id, &bytes, to.nl_pid, group);
    sim_bytes_clear(world, &bytes);
    return result < 0 ? result : (ssize_t)length;
}

/* ---- receiving ---- */

static void tell_sender(const struct sim_socket *socket, const struct sim_netlink *netlink,
                        const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    const struct sockaddr_nl from = {.nl_family = AF_NETLINK,
                                     .nl_pid = datagram->error_info,
                                     .nl_groups = datagram->interface != 0 && datagram->interface <= 32
                                                      ? 1U << (datagram->interface - 1)
                                                      : 0};
    if (message->msg_name != NULL) {
        memcpy(message->msg_name, &from,
               message->msg_namelen < sizeof from ? message->msg_namelen : sizeof from);
        message->msg_namelen = sizeof from;
    }
    if ((netlink->options & 1U << NETLINK_PKTINFO) != 0) {
        const struct nl_pktinfo group = {datagram->interface};
        sim_message_put(message, used, SOL_NETLINK, NETLINK_PKTINFO, &group, sizeof group);
    }
    if ((socket->options & SIM_OPTION_PASSCRED) != 0) {
        const uint32_t credentials[3] = {datagram->sender_pid, datagram->sender_uid,
                                         datagram->sender_gid};
        sim_message_put(message, used, SOL_SOCKET, SCM_CREDENTIALS, credentials, sizeof credentials);
    }
}

/* A queue that was full has more room again: who waits to send to it may try. */
static void wake_senders(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if ((socket->flags & SIM_SOCKET_NOSPACE) == 0) {
        return;
    }
    socket->flags &= ~(uint32_t)SIM_SOCKET_NOSPACE;
    struct sim_netlink_id other = sim_host_at(world, socket->host)->first_netlink;
    while (other.index != 0) {
        sim_wake_socket(world, sim_netlink_at(world, other)->socket, POLLOUT | POLLWRNORM);
        other = sim_netlink_at(world, other)->next;
    }
}

static ssize_t receive(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                       struct msghdr *message, size_t skip, int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if ((flags & MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if (socket->first_datagram.index == 0) {
        return -EAGAIN;
    }
    const struct sim_datagram_id first = socket->first_datagram;
    const struct sim_datagram *datagram = sim_datagram_at(world, first);
    const size_t length = datagram->bytes.length;
    const size_t copied = sim_bytes_copy_out_iov(world, &datagram->bytes, 0, message->msg_iov,
                                                 message->msg_iovlen, 0, sim_message_length(message));
    size_t used = 0;
    message->msg_flags = copied < length ? MSG_TRUNC : 0;
    tell_sender(socket, sim_netlink_of(world, id), datagram, message, &used);
    message->msg_controllen = used;
    if ((flags & MSG_PEEK) == 0) {
        sim_datagram_free(world, sim_datagram_take(world, id));
        wake_senders(world, id);
    }
    sim_netlink_continue(world, id);
    return (ssize_t)((flags & MSG_TRUNC) != 0 ? length : copied);
}

static uint32_t poll_bits(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    return (socket->error != 0 ? (uint32_t)POLLERR : 0) |
           (socket->first_datagram.index != 0 ? (uint32_t)(POLLIN | POLLRDNORM) : 0) | POLLOUT |
           POLLWRNORM | POLLWRBAND;
}

/* ---- options ---- */

static int change_membership(struct sim_world *world, struct sim_socket_id id, bool join, int group)
{
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    netlink->knows_groups = 1;
    if (group < 1 || (uint32_t)group > group_count(sim_socket_at(world, id))) {
        return -EINVAL;
    }
    const uint64_t bit = (uint64_t)1 << (group - 1);
    netlink->groups = join ? netlink->groups | bit : netlink->groups & ~bit;
    return 0;
}

static int set_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                      const void *value, socklen_t length)
{
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    int number = 0;
    if (level != SOL_NETLINK) {
        return -ENOPROTOOPT;
    }
    if (length >= (socklen_t)sizeof number) {
        if (value == NULL) {
            return -EFAULT;
        }
        memcpy(&number, value, sizeof number);
    }
    if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP) {
        return change_membership(world, id, name == NETLINK_ADD_MEMBERSHIP, number);
    }
    if (name < 0 || name > LAST_OPTION || (switches >> name & 1) == 0) {
        return -ENOPROTOOPT;
    }
    netlink->options = number != 0 ? netlink->options | 1U << name : netlink->options & ~(1U << name);
    if (name == NETLINK_NO_ENOBUFS && number != 0) {
        sim_wake_socket(world, id, POLLOUT | POLLWRNORM);
    }
    return 0;
}

static int get_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                      void *value, socklen_t *length)
{
    const struct sim_netlink *netlink = sim_netlink_of(world, id);
    if (level != SOL_NETLINK) {
        return -ENOPROTOOPT;
    }
    if (name == NETLINK_LIST_MEMBERSHIPS) {
        const uint32_t bytes = netlink->knows_groups
                                   ? (group_count(sim_socket_at(world, id)) + 31) / 32 * 4
                                   : 0;
        const size_t copied = (*length < bytes ? *length : bytes) / 4 * 4;
        memcpy(value, &netlink->groups, copied);
        *length = bytes;
        return 0;
    }
    if (name < 0 || name > LAST_OPTION || (switches >> name & 1) == 0) {
        return -ENOPROTOOPT;
    }
    if (*length < (socklen_t)sizeof(int)) {
        return -EINVAL;
    }
    const int on = (int)(netlink->options >> name & 1);
    memcpy(value, &on, sizeof on);
    *length = sizeof on;
    return 0;
}

static int no_ioctl(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                    void *argument)
{
    return -ENOTTY; /* LINUX: netlink_ioctl; what interfaces have is asked of any socket */
}

/* ---- what netlink has not ---- */

static int no_listen(struct sim_world *world, struct sim_socket_id id, int backlog)
{
    return -EOPNOTSUPP;
}

static int no_accept(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id *child)
{
    return -EOPNOTSUPP;
}

static int no_shutdown(struct sim_world *world, struct sim_socket_id id, int how)
{
    return -EOPNOTSUPP;
}

static int connected(struct sim_world *world, struct sim_socket_id id)
{
    return 0;
}

static void deferred(struct sim_world *world, struct sim_socket_id id, uint32_t what)
{
}

static void check(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_netlink *netlink = sim_netlink_of(world, id);
    assert(netlink->socket.index == id.index && netlink->slot.live == 1);
    sim_socket_check_queue(world, id);
}

const struct sim_protocol sim_netlink_protocol = {
    .name = "NETLINK",
    .create = create,
    .destroy = destroy,
    .bind = bind_netlink,
    .listen = no_listen,
    .connect = connect_netlink,
    .connected = connected,
    .accept = no_accept,
    .send = send_message,
    .receive = receive,
    .shutdown = no_shutdown,
    .release = release,
    .poll = poll_bits,
    .get_name = get_name,
    .set_option = set_option,
    .get_option = get_option,
    .ioctl = no_ioctl,
    .deferred = deferred,
    .check = check,
};

const struct sim_family sim_netlink_family = {AF_NETLINK, choose};
