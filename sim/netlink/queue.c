/* Messages to netlink sockets: who gets them, what they count, what a full queue loses.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "socket/sockets.h"

struct sim_socket_id sim_netlink_find(const struct sim_world *world, struct sim_host_id host,
                                      uint32_t protocol, uint32_t port)
{
    struct sim_netlink_id id = sim_host_at(world, host)->first_netlink;
    while (id.index != 0) {
        const struct sim_netlink *netlink = sim_netlink_at(world, id);
        if (netlink->bound && netlink->port == port &&
            sim_socket_at(world, netlink->socket)->protocol == protocol) {
            return netlink->socket;
        }
        id = netlink->next;
    }
    return (struct sim_socket_id){0};
}

/* LINUX: a short message lies in a buffer of twice the size of the next shorter ones, which bears its
 * own record and 320 bytes more; a long one in a buffer of its own length. */
static uint32_t charge_of(uint64_t length)
{
    enum { RECORD_BYTES = 256, SHARED_BYTES = 320, LEAST_BYTES = 576, LINE_BYTES = 64 };
    if (length > SIM_NETLINK_PIECE_BYTES) {
        return (uint32_t)((length + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES) + RECORD_BYTES +
               SHARED_BYTES;
    }
    if (length + SHARED_BYTES <= LEAST_BYTES) {
        return LEAST_BYTES + RECORD_BYTES;
    }
    uint32_t buffer = 1024;
    while (buffer < length + SHARED_BYTES) {
        buffer *= 2;
    }
    return buffer + RECORD_BYTES;
}

/* LINUX: an empty queue takes a message of any length. */
bool sim_netlink_takes(const struct sim_socket *socket, uint64_t length)
{
    return socket->receive_charge == 0 ||
           socket->receive_charge + charge_of(length) <= socket->receive_limit;
}

void sim_netlink_lose(struct sim_world *world, struct sim_socket_id to, struct sim_bytes *bytes)
{
    sim_bytes_clear(world, bytes);
    if (!(sim_netlink_of(world, to)->options & 1U << NETLINK_NO_ENOBUFS)) {
        sim_socket_set_error(world, to, ENOBUFS);
    }
}

void sim_netlink_deliver(struct sim_world *world, struct sim_socket_id to, struct sim_bytes *bytes,
                         struct sim_socket_id from, uint32_t port, uint32_t group)
{
    const struct sim_datagram_id id = {!sim_netlink_takes(sim_socket_at(world, to), bytes->length)
                                           ? 0
                                           : sim_pool_take(world, SIM_POOL_DATAGRAM)};
    if (id.index == 0) {
        sim_netlink_lose(world, to, bytes);
        return;
    }
    struct sim_datagram *datagram = sim_datagram_at(world, id);
    datagram->charge = charge_of(bytes->length);
    datagram->arrived_at = world->now;
    datagram->error_info = port;
    datagram->interface = group;
    if (from.index != 0 && sim_socket_at(world, from)->owner.index != 0) {
        const struct sim_process *process = sim_process_at(world, sim_socket_at(world, from)->owner);
        datagram->sender_pid = process->pid;
        datagram->sender_uid = process->uid;
        datagram->sender_gid = process->gid;
    }
    sim_bytes_move(world, &datagram->bytes, bytes);
    sim_datagram_append(world, to, id);
}

void sim_netlink_answer(struct sim_world *world, struct sim_socket_id to,
                        struct sim_netlink_message *message)
{
    struct sim_bytes bytes = {{0}, {0}, 0};
    sim_netlink_finish(message);
    if (sim_bytes_append(world, &bytes, message->data, message->length) < 0) {
        sim_netlink_lose(world, to, &bytes);
        return;
    }
    sim_netlink_deliver(world, to, &bytes, (struct sim_socket_id){0}, 0, 0);
}
