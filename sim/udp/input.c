/* UDP hears: which socket a packet is for, its queue, groups, errors that ICMP brings.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "file/wait.h"
#include "internal.h"
#include "net/host.h"
#include "net/icmp.h"
#include "net/packet.h"
#include "socket/membership.h"
#include "socket/message.h"
#include "socket/option.h"
#include "socket/port.h"
#include "socket/sockets.h"

enum {
    CHECKED_AT_ONCE_BYTES = 76, /* LINUX: CHECKSUM_BREAK, the UDP header included */
};

/* ---- which socket ---- */

/* A packet's view of where it goes: the addresses from the receiver's side. */
struct target {
    struct sim_host_id host;
    const struct sim_endpoint *local;
    const struct sim_endpoint *remote;
    enum sim_protocol_kind kind;
    uint32_t interface; /* number */
    bool v4;
};

static enum sim_protocol_kind kind_of(uint32_t protocol)
{
    return protocol == IPPROTO_UDP ? SIM_PROTOCOL_UDP : SIM_PROTOCOL_UDPLITE;
}

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
    struct sim_socket_id id = sim_port_first(world, target->host, target->kind, target->local->port);
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
    struct sim_socket_id id = sim_port_first(world, target->host, target->kind, target->local->port);

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

bool sim_udp_takes_segments(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_UDP, SIM_NAME_UDP_GRO);
    return kept != NULL && kept->value[0] != 0;
}

/* LINUX: __udp_enqueue_schedule_skb: a full queue drops, an empty one takes one of any size. */
static void deliver_piece(struct sim_world *world, struct sim_socket_id id, struct sim_packet *packet,
                          uint32_t interface, uint64_t offset, uint64_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t charge = sim_datagram_charge(length);
    if (socket->receive_charge != 0 && socket->receive_charge + charge > socket->receive_limit) {
        return;
    }
    struct sim_datagram_id new = {sim_pool_take(world, SIM_POOL_DATAGRAM)};
    if (new.index == 0) {
        world->datagrams_without_room++;
        return;
    }
    struct sim_datagram *datagram = sim_datagram_at(world, new);
    if (sim_bytes_share(world, &datagram->bytes, &packet->payload, offset, length) < 0) {
        world->datagrams_without_room++;
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
    datagram->spoilt = packet->corrupt;
    datagram->segment_bytes = length > packet->segment_bytes ? packet->segment_bytes : 0;
    sim_datagram_append(world, id, new);
}

/* LINUX: udp_queue_rcv_skb: who has not asked for UDP_GRO gets each datagram by itself. */
static void deliver(struct sim_world *world, struct sim_socket_id id, struct sim_packet *packet,
                    uint32_t interface)
{
    const uint64_t length = packet->payload.length;
    uint64_t step = packet->segment_bytes;
    if (step == 0 || sim_udp_takes_segments(world, id)) {
        deliver_piece(world, id, packet, interface, 0, length);
        return;
    }
    packet->segment_bytes = 0;
    for (uint64_t done = 0; done < length; done += step) {
        const uint64_t rest = length - done;
        deliver_piece(world, id, packet, interface, done, rest < step ? rest : step);
    }
    packet->segment_bytes = (uint32_t)step;
}

/* ---- spoilt ones ---- */

/* LINUX: the checksum of a datagram that is not tiny is looked at by who reads it (or polls a socket
 * that waits); then it is gone. */
void sim_udp_drop_spoilt(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    while (socket->first_datagram.index != 0 &&
           sim_datagram_at(world, socket->first_datagram)->spoilt) {
        sim_datagram_free(world, sim_datagram_take(world, id));
    }
}

bool sim_udp_has_sound(const struct sim_world *world, struct sim_socket_id id)
{
    struct sim_datagram_id at = sim_socket_at(world, id)->first_datagram;
    while (at.index != 0 && sim_datagram_at(world, at)->spoilt) {
        at = sim_datagram_at(world, at)->next;
    }
    return at.index != 0;
}

/* ---- to many ---- */

/* LINUX: __udp_is_mcast_sock, ip_mc_sf_allow: with IP_MULTICAST_ALL, the default, a group that
 * anybody on the host has joined is heard by every socket of the port. */
static bool hears(const struct sim_world *world, const struct sim_socket *socket,
                  const struct target *target)
{
    if (score(socket, target) == 0) {
        return false;
    }
    uint32_t off = target->v4 ? SIM_OPTION_MULTICAST_ALL_OFF : SIM_OPTION_MULTICAST6_ALL_OFF;
    if (!sim_ip_is_multicast(target->local->ip)) {
        return true;
    }
    enum sim_hearing hearing = sim_membership_hears(world, socket, target->local->ip, target->interface,
                                                    target->remote->ip);
    return hearing == SIM_IS_NO_MEMBER ? (socket->options & off) == 0 : hearing == SIM_HEARS;
}

static void deliver_to_all(struct sim_world *world, const struct target *target,
                           struct sim_packet *packet)
{
    if (sim_ip_is_multicast(target->local->ip) &&
        !sim_membership_of_host(world, target->host, target->local->ip, target->interface,
                                target->remote->ip)) {
        return;
    }
    struct sim_socket_id id = sim_port_first(world, target->host, target->kind, target->local->port);
    for (; id.index != 0; id = sim_port_next(world, id)) {
        if (hears(world, sim_socket_at(world, id), target)) {
            deliver(world, id, packet, target->interface);
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
        .kind = kind_of(packet->protocol),
        .interface = arrived_by(world, host, packet),
        .v4 = packet->version == 4,
    };

    if (packet->corrupt && packet->payload.length + SIM_WIRE_UDP_BYTES <= CHECKED_AT_ONCE_BYTES) {
        sim_packet_free(world, id);
        return;
    }
    if (sim_ip_is_multicast(packet->destination.ip) ||
        sim_ip_is_broadcast(world, host, packet->destination.ip)) {
        deliver_to_all(world, &target, packet);
    } else {
        struct sim_socket_id socket = find_socket(world, &target);
        if (socket.index != 0) {
            deliver(world, socket, packet, target.interface);
        } else if (!packet->corrupt && !DRY_MUTANT(closed_udp_port_is_silent)) {
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
    bool discovers = (packet->version == 4 ? socket->mtu_discover : socket->mtu_discover6) !=
                     IP_PMTUDISC_DONT;
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

static void queue_entry(struct sim_world *world, struct sim_socket_id id, struct sim_datagram_id new)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->last_error.index != 0) {
        sim_datagram_at(world, socket->last_error)->next = new;
    } else {
        socket->first_error = new;
    }
    socket->last_error = new;
    socket->receive_charge += sim_datagram_at(world, new)->charge;
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
        world->datagrams_without_room++;
        return;
    }
    struct sim_datagram *entry = sim_datagram_at(world, new);
    if (sim_bytes_share(world, &entry->bytes, &packet->payload, 0, packet->payload.length) < 0) {
        world->datagrams_without_room++;
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
    queue_entry(world, id, new);
}

/* LINUX: ip_local_error, ipv6_local_error: an entry without bytes and without SO_ERROR. IPv4 names the
 * port that the socket is connected to. */
void sim_udp_local_error(struct sim_world *world, struct sim_socket_id id,
                         const struct sim_endpoint *to, int error, uint32_t info)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    const bool v4 = sim_ip_is_v4(to->ip);
    const uint32_t charge = sim_datagram_charge(0);
    if ((socket->options & (v4 ? SIM_OPTION_RECVERR : SIM_OPTION_RECVERR6)) == 0 ||
        socket->receive_charge + charge >= socket->receive_limit) {
        return;
    }
    const struct sim_datagram_id new = {sim_pool_take(world, SIM_POOL_DATAGRAM)};
    if (new.index == 0) {
        world->datagrams_without_room++;
        return;
    }
    struct sim_datagram *entry = sim_datagram_at(world, new);
    entry->charge = charge;
    entry->destination = *to;
    if (v4) {
        entry->destination.port = (socket->flags & SIM_SOCKET_CONNECTED) != 0 ? socket->remote.port : 0;
    }
    entry->version = v4 ? 4 : 6;
    entry->arrived_at = world->now;
    entry->error = error;
    entry->error_origin = SO_EE_ORIGIN_LOCAL;
    entry->error_info = info;
    queue_entry(world, id, new);
    sim_wake_socket(world, id, POLLERR);
}

void sim_udp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    const struct sim_packet *packet = sim_packet_at(world, id);
    struct target target = {
        .host = host,
        .local = &packet->icmp.quoted_source,
        .remote = &packet->icmp.quoted_destination,
        .kind = kind_of(packet->icmp.quoted_protocol),
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
