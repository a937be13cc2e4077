/* UDP receives: which socket a packet is for, its queue, what recvmsg() tells of it, ICMP errors.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "internal.h"
#include "net/host.h"
#include "net/icmp.h"
#include "net/packet.h"
#include "socket/message.h"
#include "socket/port.h"
#include "socket/sockets.h"

/* ---- which socket ---- */

/* A packet's view of where it goes: the addresses from the receiver's side. */
struct target {
    struct sim_host_id host;
    const struct sim_endpoint *local;
    const struct sim_endpoint *remote;
    uint32_t interface; /* number */
    bool v4;
};

static bool has_local(const struct sim_socket *socket, const struct target *target, bool *exact)
{
    bool any = sim_ip_is_any(socket->local.ip);
    bool v6_form = !sim_ip_is_v4(socket->local.ip);
    *exact = !any;
    if (!any) {
        return sim_ip_equal(socket->local.ip, target->local->ip);
    }
    if (!target->v4) {
        return v6_form && socket->family == AF_INET6;
    }
    return !v6_form || (socket->options & SIM_OPTION_V6ONLY) == 0;
}

static bool has_remote(const struct sim_socket *socket, const struct target *target)
{
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0 || DRY_MUTANT(connected_socket_hears_anybody)) {
        return true;
    }
    return sim_ip_equal(socket->remote.ip, target->remote->ip) &&
           socket->remote.port == target->remote->port;
}

/* LINUX: compute_score: the own address before the wildcard, then a peer, an interface, the family
 * that fits. 0: not for this socket. */
static int score(const struct sim_socket *socket, const struct target *target)
{
    bool exact;
    if (!has_local(socket, target, &exact) || !has_remote(socket, target) ||
        (socket->bound_interface != 0 && socket->bound_interface != target->interface)) {
        return 0;
    }
    return 1 + (exact ? 32 : 0) + ((socket->flags & SIM_SOCKET_CONNECTED) != 0 ? 8 : 0) +
           (socket->bound_interface != 0 ? 4 : 0) + (target->v4 && socket->family == AF_INET ? 1 : 0);
}

static bool is_in_group(const struct sim_socket *socket)
{
    return (socket->options & SIM_OPTION_REUSEPORT) != 0 && (socket->flags & SIM_SOCKET_CONNECTED) == 0;
}

/* One of the sockets that share the port by SO_REUSEPORT, always the same for the same peer.
 * SIMPLER: the choice is not the one that Linux's secret hash makes. */
static struct sim_socket_id choose_of_group(const struct sim_world *world, const struct target *target,
                                            int wanted, uint32_t members)
{
    uint32_t hash = target->remote->port;
    for (size_t i = 0; i < sizeof target->remote->ip.bytes; i++) {
        hash = hash * 31 + target->remote->ip.bytes[i];
    }
    hash = (hash * UINT32_C(2654435761)) >> 16;
    uint32_t left = hash % members;
    struct sim_socket_id id = sim_port_first(world, target->host, SIM_PROTOCOL_UDP,
                                             target->local->port);
    for (;; id = sim_port_next(world, id)) {
        const struct sim_socket *socket = sim_socket_at(world, id);
        if (is_in_group(socket) && score(socket, target) == wanted && left-- == 0) {
            return id;
        }
    }
}

/* ORDER: among equals the one bound last wins, as in Linux's table. */
static struct sim_socket_id find_socket(const struct sim_world *world, const struct target *target)
{
    struct sim_socket_id best = {0};
    int best_score = 0;
    uint32_t members = 0;
    struct sim_socket_id id = sim_port_first(world, target->host, SIM_PROTOCOL_UDP,
                                             target->local->port);

    for (; id.index != 0; id = sim_port_next(world, id)) {
        const struct sim_socket *socket = sim_socket_at(world, id);
        int points = score(socket, target);
        if (points == 0 || points < best_score) {
            continue;
        }
        if (points > best_score) {
            members = 0;
        }
        members += is_in_group(socket) ? 1 : 0;
        best = id;
        best_score = points;
    }
    if (members > 1 && is_in_group(sim_socket_at(world, best))) {
        return choose_of_group(world, target, best_score, members);
    }
    return best;
}

/* ---- the queue ---- */

/* LINUX: __udp_enqueue_schedule_skb: a full queue drops, an empty one takes one of any size. */
static void deliver(struct sim_world *world, struct sim_socket_id id, struct sim_packet *packet,
                    uint32_t interface, bool last)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t charge = sim_datagram_charge(packet->payload.length);
    if (socket->receive_charge != 0 && socket->receive_charge + charge > socket->receive_limit) {
        return;
    }
    struct sim_datagram_id new = {sim_pool_take(world, SIM_POOL_DATAGRAM)};
    if (new.index == 0) {
        return;
    }
    struct sim_datagram *datagram = sim_datagram_at(world, new);
    if (last) {
        sim_bytes_move(world, &datagram->bytes, &packet->payload);
    } else if (sim_bytes_share(world, &datagram->bytes, &packet->payload, 0, packet->payload.length) <
               0) {
        sim_datagram_free(world, new);
        return;
    }
    datagram->charge = charge;
    datagram->source = packet->source;
    datagram->destination = packet->destination;
    datagram->arrived_at = world->now;
    datagram->interface = interface;
    datagram->ttl = packet->ttl;
    datagram->tos = packet->tos;
    datagram->version = packet->version;
    sim_datagram_append(world, id, new);
}

/* ---- to many ---- */

static bool has_joined(const struct sim_world *world, const struct sim_socket *socket,
                       struct sim_ip group, uint32_t interface)
{
    struct sim_membership_id id = socket->first_membership;
    while (id.index != 0) {
        const struct sim_membership *membership = sim_membership_at(world, id);
        if (membership->interface == interface && sim_ip_equal(membership->group, group)) {
            return true;
        }
        id = membership->next;
    }
    return false;
}

/* All hosts are members of 224.0.0.1 and ff02::1. */
static bool host_has_joined(const struct sim_world *world, struct sim_host_id host, struct sim_ip group,
                            uint32_t interface)
{
    static const struct sim_ip all_nodes = {{0xff, 2, [15] = 1}};
    const struct sim_pool *pool = &world->pools[SIM_POOL_MEMBERSHIP];

    if (sim_ip_equal(group, sim_ip_v4(INADDR_ALLHOSTS_GROUP)) || sim_ip_equal(group, all_nodes)) {
        return true;
    }
    for (uint32_t i = 1; i <= pool->high_water; i++) {
        const struct sim_membership *membership = sim_membership_at(world,
                                                                    (struct sim_membership_id){i});
        if (membership->slot.live && membership->host.index == host.index &&
            membership->interface == interface && sim_ip_equal(membership->group, group)) {
            return true;
        }
    }
    return false;
}

/* LINUX: __udp_is_mcast_sock, ip_mc_sf_allow: with IP_MULTICAST_ALL, the default, a group that
 * anybody on the host has joined is heard by every socket of the port. */
static bool hears(const struct sim_world *world, const struct sim_socket *socket,
                  const struct target *target)
{
    if (score(socket, target) == 0) {
        return false;
    }
    return !sim_ip_is_multicast(target->local->ip) ||
           (socket->options & SIM_OPTION_MULTICAST_ALL_OFF) == 0 ||
           has_joined(world, socket, target->local->ip, target->interface);
}

static void deliver_to_all(struct sim_world *world, const struct target *target,
                           struct sim_packet *packet)
{
    if (sim_ip_is_multicast(target->local->ip) &&
        !host_has_joined(world, target->host, target->local->ip, target->interface)) {
        return;
    }
    struct sim_socket_id id = sim_port_first(world, target->host, SIM_PROTOCOL_UDP,
                                             target->local->port);
    for (; id.index != 0; id = sim_port_next(world, id)) {
        if (hears(world, sim_socket_at(world, id), target)) {
            deliver(world, id, packet, target->interface, false);
        }
    }
}

/* LINUX: what came by lo to an address of another interface counts as come by that. */
static uint32_t arrived_by(const struct sim_world *world, struct sim_host_id host,
                           const struct sim_packet *packet)
{
    const struct sim_interface *came_by = sim_interface_at(
        world, (struct sim_interface_id){packet->interface});
    const struct sim_interface *owner = (came_by->flags & IFF_LOOPBACK) != 0
                                            ? sim_host_owner(world, host, packet->destination.ip)
                                            : NULL;

    return owner == NULL ? came_by->number : owner->number;
}

void sim_udp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    struct target target = {
        .host = host,
        .local = &packet->destination,
        .remote = &packet->source,
        .interface = arrived_by(world, host, packet),
        .v4 = packet->version == 4,
    };

    if (sim_ip_is_multicast(packet->destination.ip) ||
        sim_ip_is_broadcast(world, host, packet->destination.ip)) {
        deliver_to_all(world, &target, packet);
    } else {
        struct sim_socket_id socket = find_socket(world, &target);
        if (socket.index != 0) {
            deliver(world, socket, packet, target.interface, true);
        } else if (!DRY_MUTANT(closed_udp_port_is_silent)) {
            sim_icmp_send_error(world, host, id, SIM_ICMP_PORT_UNREACHABLE, 0);
        }
    }
    sim_packet_free(world, id);
}

/* ---- ICMP errors ---- */

/* LINUX: __udp4_lib_err, __udp6_lib_err: "fragmentation needed" and "packet too big" are EMSGSIZE,
 * the first only to who does path MTU discovery. Returns 0 for what is not reported at all. */
static int error_of(const struct sim_socket *socket, const struct sim_packet *packet, bool *fatal)
{
    const struct sim_icmp_header *icmp = &packet->icmp;
    bool discovers = socket->mtu_discover != IP_PMTUDISC_DONT;
    if (packet->version == 4 && icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED) {
        *fatal = true;
        return discovers ? EMSGSIZE : 0;
    }
    if (packet->version == 6 && icmp->type == ICMP6_PACKET_TOO_BIG) {
        *fatal = discovers;
        return EMSGSIZE;
    }
    return -sim_icmp_errno(packet->version, icmp->type, icmp->code, fatal);
}

static void queue_error(struct sim_world *world, struct sim_socket_id id,
                        const struct sim_packet *packet, int error)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t charge = sim_datagram_charge(packet->payload.length);
    if (socket->receive_charge + charge >= socket->receive_limit) {
        return;
    }
    struct sim_datagram_id new = {sim_pool_take(world, SIM_POOL_DATAGRAM)};
    if (new.index == 0) {
        return;
    }
    struct sim_datagram *entry = sim_datagram_at(world, new);
    if (sim_bytes_share(world, &entry->bytes, &packet->payload, 0, packet->payload.length) < 0) {
        sim_datagram_free(world, new);
        return;
    }
    entry->charge = charge;
    entry->source = packet->source;
    entry->destination = packet->icmp.quoted_destination;
    entry->version = packet->version;
    entry->arrived_at = world->now;
    entry->interface = sim_interface_at(world, (struct sim_interface_id){packet->interface})->number;
    entry->error = error;
    entry->error_origin = packet->version == 4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
    entry->error_type = packet->icmp.type;
    entry->error_code = packet->icmp.code;
    entry->error_info = packet->icmp.mtu;
    if (socket->last_error.index != 0) {
        sim_datagram_at(world, socket->last_error)->next = new;
    } else {
        socket->first_error = new;
    }
    socket->last_error = new;
    socket->receive_charge += charge;
}

void sim_udp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    const struct sim_packet *packet = sim_packet_at(world, id);
    struct target target = {
        .host = host,
        .local = &packet->icmp.quoted_source,
        .remote = &packet->icmp.quoted_destination,
        .interface = sim_interface_at(world, (struct sim_interface_id){packet->interface})->number,
        .v4 = packet->version == 4,
    };
    struct sim_socket_id found = find_socket(world, &target);
    if (found.index == 0) {
        return;
    }
    const struct sim_socket *socket = sim_socket_at(world, found);
    bool wants = (socket->options & (target.v4 ? SIM_OPTION_RECVERR : SIM_OPTION_RECVERR6)) != 0;
    bool fatal = false;
    int error = error_of(socket, packet, &fatal);
    if (error == 0) {
        return;
    }
    if (wants) {
        queue_error(world, found, packet, error);
    } else if (!fatal || (socket->flags & SIM_SOCKET_CONNECTED) == 0) {
        return;
    }
    sim_socket_set_error(world, found, error);
}

/* ---- what recvmsg() tells ---- */

/* LINUX: fib_compute_spec_dst: for what went to many, the address that would answer the sender. */
static struct sim_ip answering_address(const struct sim_world *world, const struct sim_socket *socket,
                                       const struct sim_datagram *datagram)
{
    struct sim_ip any = sim_ip_v4(INADDR_ANY);
    struct sim_ip_path path;
    if (sim_ip_route(world, socket->host, datagram->source, any, 0, &path) < 0) {
        return any;
    }
    return path.source;
}

static void put_int(struct msghdr *message, size_t *used, int level, int type, int value)
{
    sim_message_put(message, used, level, type, &value, sizeof value);
}

/* LINUX: ip_cmsg_recv_offset's order. */
static void put_control_v4(const struct sim_world *world, const struct sim_socket *socket,
                           const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if ((socket->options & SIM_OPTION_PKTINFO) != 0) {
        struct sim_ip to = datagram->destination.ip;
        bool many = sim_ip_is_multicast(to) || sim_ip_is_broadcast(world, socket->host, to);
        struct sim_ip own = many ? answering_address(world, socket, datagram) : to;
        struct in_pktinfo info = {.ipi_ifindex = (int)datagram->interface};
        info.ipi_spec_dst.s_addr = htonl(sim_ip_to_v4(own));
        info.ipi_addr.s_addr = htonl(sim_ip_to_v4(to));
        sim_message_put(message, used, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    if ((socket->options & SIM_OPTION_RECVTTL) != 0) {
        put_int(message, used, IPPROTO_IP, IP_TTL, datagram->ttl);
    }
    if ((socket->options & SIM_OPTION_RECVTOS) != 0) {
        sim_message_put(message, used, IPPROTO_IP, IP_TOS, &datagram->tos, sizeof datagram->tos);
    }
}

/* LINUX: ip6_datagram_recv_ctl: of an IPv4 packet an AF_INET6 socket learns the addresses only. */
static void put_control_v6(const struct sim_world *world, const struct sim_socket *socket,
                           const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if ((socket->options & SIM_OPTION_PKTINFO6) != 0) {
        struct in6_pktinfo info = {.ipi6_ifindex = datagram->interface};
        memcpy(&info.ipi6_addr, datagram->destination.ip.bytes, sizeof info.ipi6_addr);
        sim_message_put(message, used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (datagram->version == 4) {
        return;
    }
    if ((socket->options & SIM_OPTION_RECVHOPLIMIT) != 0) {
        put_int(message, used, IPPROTO_IPV6, IPV6_HOPLIMIT, datagram->ttl);
    }
    if ((socket->options & SIM_OPTION_RECVTCLASS) != 0) {
        put_int(message, used, IPPROTO_IPV6, IPV6_TCLASS, datagram->tos);
    }
}

static void put_control(const struct sim_world *world, const struct sim_socket *socket,
                        const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if (socket->family == AF_INET6) {
        put_control_v6(world, socket, datagram, message, used);
    }
    if (datagram->version == 4) {
        put_control_v4(world, socket, datagram, message, used);
    }
}

static void put_name(const struct sim_socket *socket, const struct sim_endpoint *from,
                     struct msghdr *message)
{
    socklen_t length = message->msg_namelen;
    if (message->msg_name == NULL) {
        message->msg_namelen = 0;
        return;
    }
    sim_endpoint_to(socket->family, from, message->msg_name, &length);
    message->msg_namelen = length;
}

static size_t copy_out(const struct sim_world *world, const struct sim_bytes *bytes,
                       struct msghdr *message)
{
    size_t copied = sim_bytes_copy_out_iov(world, bytes, 0, message->msg_iov, message->msg_iovlen, 0,
                                           sim_message_length(message));
    if (copied < bytes->length) {
        message->msg_flags |= MSG_TRUNC;
    }
    return copied;
}

/* ---- the error queue ---- */

struct error_v4 {
    struct sock_extended_err error;
    struct sockaddr_in offender;
};

struct error_v6 {
    struct sock_extended_err error;
    struct sockaddr_in6 offender;
};

static void put_error(const struct sim_datagram *entry, struct msghdr *message, size_t *used)
{
    struct error_v4 v4;
    struct error_v6 v6;
    struct sock_extended_err error = {
        .ee_errno = (uint32_t)entry->error,
        .ee_origin = entry->error_origin,
        .ee_type = entry->error_type,
        .ee_code = entry->error_code,
        .ee_info = entry->error_info,
    };

    if (entry->version == 4) {
        memset(&v4, 0, sizeof v4);
        v4.error = error;
        v4.offender.sin_family = AF_INET;
        v4.offender.sin_addr.s_addr = htonl(sim_ip_to_v4(entry->source.ip));
        sim_message_put(message, used, IPPROTO_IP, IP_RECVERR, &v4, sizeof v4);
        return;
    }
    memset(&v6, 0, sizeof v6);
    v6.error = error;
    v6.offender.sin6_family = AF_INET6;
    memcpy(&v6.offender.sin6_addr, entry->source.ip.bytes, sizeof v6.offender.sin6_addr);
    v6.offender.sin6_scope_id = entry->source.scope;
    sim_message_put(message, used, IPPROTO_IPV6, IPV6_RECVERR, &v6, sizeof v6);
}

/* LINUX: ip_recv_error: the message comes back with where it was going; SO_ERROR then tells the next
 * entry, or nothing. */
static ssize_t receive_error(struct sim_world *world, struct sim_socket_id id, struct msghdr *message)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_datagram_id taken = socket->first_error;
    size_t used = 0;
    if (taken.index == 0) {
        return -EAGAIN;
    }
    struct sim_datagram *entry = sim_datagram_at(world, taken);
    socket->first_error = entry->next;
    if (socket->first_error.index == 0) {
        socket->last_error.index = 0;
    }
    socket->receive_charge -= entry->charge;
    socket->error = socket->first_error.index == 0 ? 0
                                                   : sim_datagram_at(world, socket->first_error)->error;
    message->msg_flags = MSG_ERRQUEUE;
    size_t copied = copy_out(world, &entry->bytes, message);
    put_name(socket, &entry->destination, message);
    put_control(world, socket, entry, message, &used);
    put_error(entry, message, &used);
    message->msg_controllen = used;
    sim_datagram_free(world, taken);
    return (ssize_t)copied;
}

/* LINUX: __skb_recv_udp: a pending error comes before what is queued; after shutdown a call that
 * would wait ends with 0, one that would not says EAGAIN. */
ssize_t sim_udp_receive(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                        struct msghdr *message, size_t skip, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    size_t used = 0;
    if ((flags & MSG_ERRQUEUE) != 0) {
        return receive_error(world, id, message);
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if (socket->first_datagram.index == 0) {
        if ((socket->flags & SIM_SOCKET_READ_SHUT) == 0 ||
            sim_socket_never_waits(world, socket, flags)) {
            return -EAGAIN;
        }
        message->msg_flags = 0;
        message->msg_namelen = 0;
        message->msg_controllen = 0;
        return 0;
    }
    struct sim_datagram_id first = (flags & MSG_PEEK) != 0 ? socket->first_datagram
                                                           : sim_datagram_take(world, id);
    const struct sim_datagram *datagram = sim_datagram_at(world, first);
    message->msg_flags = 0;
    size_t copied = copy_out(world, &datagram->bytes, message);
    size_t length = datagram->bytes.length;
    sim_message_put_time(world, socket, message, &used, datagram->arrived_at);
    put_name(socket, &datagram->source, message);
    put_control(world, socket, datagram, message, &used);
    message->msg_controllen = used;
    if ((flags & MSG_PEEK) == 0) {
        sim_datagram_free(world, first);
    }
    return (ssize_t)((flags & MSG_TRUNC) != 0 ? length : copied);
}
