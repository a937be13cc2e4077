/* Dumps: answers that come piece by piece, as their asker reads.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

static bool next_message(const struct sim_world *world, struct sim_host_id host,
                         struct sim_netlink_dump *dump, uint32_t port,
                         struct sim_netlink_message *message)
{
    switch ((enum sim_netlink_dump_kind)dump->kind) {
    case SIM_NETLINK_DUMP_LINKS:
        return sim_netlink_next_link(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_ADDRESSES:
        return sim_netlink_next_address(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_ROUTES:
        return sim_netlink_next_route(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_RULES:
        return sim_netlink_next_rule(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_INET_SOCKETS:
        return sim_netlink_next_inet_socket(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_UNIX_SOCKETS:
        return sim_netlink_next_unix_socket(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_GENERIC:
        return sim_netlink_next_generic(world, host, dump, port, message);
    case SIM_NETLINK_DUMP_NONE:
    case SIM_NETLINK_DUMP_NOTHING:
        break;
    }
    return false;
}

/* LINUX: answers that are not all there is say so. */
static uint16_t flags_of(const struct sim_netlink_dump *dump)
{
    return dump->interface != 0 ? NLM_F_MULTI | NLM_F_DUMP_FILTERED : NLM_F_MULTI;
}

/* The last message of a dump: its status. */
static int end_dump(struct sim_world *world, struct sim_netlink *netlink, struct sim_bytes *bytes)
{
    struct sim_netlink_message message;
    int32_t *status = sim_netlink_begin(&message, NLMSG_DONE, flags_of(&netlink->dump),
                                        netlink->dump.sequence, netlink->port, sizeof *status);
    *status = netlink->dump.status;
    sim_netlink_finish(&message);
    return sim_bytes_append(world, bytes, message.data, message.length);
}

/* LINUX: of some tables the end comes with the last piece. */
static bool ends_together(const struct sim_netlink_dump *dump)
{
    return dump->kind == SIM_NETLINK_DUMP_RULES ||
           (dump->kind == SIM_NETLINK_DUMP_ADDRESSES && dump->family == AF_INET6);
}

/* LINUX: netlink_dump: pieces as long as a page takes; the end comes in a piece of its own, but of a
 * dump that is empty, and of some tables. */
void sim_netlink_continue(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_netlink_dump *dump = &netlink->dump;
    struct sim_bytes bytes = {{0}, {0}, 0};
    if (dump->kind == SIM_NETLINK_DUMP_NONE || 2 * socket->receive_charge > socket->receive_limit) {
        return;
    }
    int result = 0;
    struct sim_netlink_message message;
    while (result == 0 && !dump->finished && dump->status == 0) {
        const uint32_t at = dump->at;
        if (!next_message(world, socket->host, dump, netlink->port, &message)) {
            dump->finished = 1;
            break;
        }
        if (bytes.length > 0 && bytes.length + message.length > SIM_NETLINK_PIECE_BYTES) {
            dump->at = at;
            break;
        }
        const uint16_t flags = flags_of(dump);
        memcpy(message.data + offsetof(struct nlmsghdr, nlmsg_flags), &flags, sizeof flags);
        sim_netlink_finish(&message);
        result = sim_bytes_append(world, &bytes, message.data, message.length);
    }
    if (result == 0 && (bytes.length == 0 || (dump->finished && ends_together(dump)))) {
        result = end_dump(world, netlink, &bytes);
        memset(dump, 0, sizeof *dump);
    }
    if (result < 0) { /* the pools are full: the asker is told, and asks again */
        memset(dump, 0, sizeof *dump);
        sim_netlink_lose(world, id, &bytes);
        return;
    }
    sim_netlink_deliver(world, id, &bytes, (struct sim_socket_id){0}, 0, 0);
}

int sim_netlink_dump(struct sim_world *world, struct sim_socket_id id, const struct nlmsghdr *head,
                     const struct sim_netlink_dump *dump)
{
    struct sim_netlink *netlink = sim_netlink_of(world, id);
    if (netlink->dump.kind != SIM_NETLINK_DUMP_NONE) {
        return -EBUSY;
    }
    netlink->dump = *dump;
    netlink->dump.sequence = head->nlmsg_seq;
    sim_netlink_continue(world, id);
    return -EINTR;
}
