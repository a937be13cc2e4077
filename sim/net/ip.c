/* IP: choosing route and source, sending, receiving, handing up to the protocols.
 * SPDX-License-Identifier: MIT */
#include "ip.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "host.h"
#include "icmp.h"
#include "link.h"
#include "packet.h"

enum {
    IPV4_PREFIX_BITS = 96, /* of ::ffff:0:0/96, where the IPv4 addresses lie */
};

static bool is_all_ones(struct sim_ip ip)
{
    return sim_ip_is_v4(ip) && sim_ip_to_v4(ip) == INADDR_BROADCAST;
}

/* ---- broadcast ---- */

/* LINUX: a network of /31 or /32 has no broadcast address. So one ends in two set bits at least,
 * which most addresses do not: asked of each segment, this must be cheap. */
static bool is_broadcast_of(const struct sim_interface *interface, struct sim_ip ip)
{
    if ((ip.bytes[15] & 3) != 3) {
        return false;
    }
    for (uint32_t i = 0; i < interface->address_count; i++) {
        uint32_t bits = interface->addresses[i].prefix_bits;
        if (!sim_ip_is_v4(interface->addresses[i].ip) || bits >= 127) {
            continue;
        }
        uint32_t mask = UINT32_MAX << (128 - bits);
        if (bits > IPV4_PREFIX_BITS &&
            (sim_ip_to_v4(interface->addresses[i].ip) | ~mask) == sim_ip_to_v4(ip)) {
            return true;
        }
    }
    return false;
}

static const struct sim_interface *broadcast_interface(const struct sim_world *world,
                                                       struct sim_host_id host, struct sim_ip ip)
{
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        if (is_broadcast_of(interface, ip)) {
            return interface;
        }
        id = interface->next;
    }
    return NULL;
}

bool sim_ip_is_broadcast(const struct sim_world *world, struct sim_host_id host, struct sim_ip ip)
{
    if ((ip.bytes[15] & 3) != 3 || !sim_ip_is_v4(ip)) {
        return false;
    }
    return is_all_ones(ip) || broadcast_interface(world, host, ip) != NULL;
}

/* ---- choosing the source ---- */

/* LINUX: the address of the route's own network, else the interface's first, else another
 * interface's, but never lo's (its scope is the host). */
static struct sim_ip first_v4_address(const struct sim_interface *interface, struct sim_ip to)
{
    struct sim_ip first = sim_ip_v4(INADDR_ANY);
    for (uint32_t i = 0; i < interface->address_count; i++) {
        struct sim_ip ip = interface->addresses[i].ip;
        if (!sim_ip_is_v4(ip)) {
            continue;
        }
        if (sim_ip_has_prefix(to, ip, interface->addresses[i].prefix_bits)) {
            return ip;
        }
        if (sim_ip_is_any(first)) {
            first = ip;
        }
    }
    return first;
}

static struct sim_ip source_v4(const struct sim_world *world, struct sim_host_id host,
                               const struct sim_interface *out, struct sim_ip to)
{
    bool host_scope = out->number == SIM_LOOPBACK_NUMBER && sim_ip_is_multicast(to);
    struct sim_ip source = host_scope ? sim_ip_v4(INADDR_ANY) : first_v4_address(out, to);
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (sim_ip_is_any(source) && id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        if (interface->number != SIM_LOOPBACK_NUMBER) {
            source = first_v4_address(interface, to);
        }
        id = interface->next;
    }
    return source;
}

enum scope { /* RFC 6724, 3.1; RFC 4291, 2.7 */
             SCOPE_HOST = 1,
             SCOPE_LINK = 2,
             SCOPE_SITE = 5,
             SCOPE_GLOBAL = 14,
};

static uint32_t scope_of(struct sim_ip ip)
{
    if (sim_ip_is_multicast(ip)) {
        return ip.bytes[1] & 15;
    }
    if (sim_ip_is_loopback(ip)) {
        return SCOPE_HOST;
    }
    return sim_ip_is_link_local(ip) ? SCOPE_LINK : SCOPE_GLOBAL;
}

static uint32_t common_bits(struct sim_ip a, struct sim_ip b)
{
    uint32_t bits = 0;
    while (bits < 128 && ((a.bytes[bits / 8] ^ b.bytes[bits / 8]) >> (7 - bits % 8) & 1) == 0) {
        bits++;
    }
    return bits;
}

/* RFC 6724, 5: rules 1 (same), 2 (scope), 5 (outgoing interface), 8 (longest match); the others
 * need what hosts here do not have (deprecated, temporary, home addresses). SIMPLER: no labels. */
static uint64_t rank_v6(struct sim_ip ip, struct sim_ip to, bool outgoing)
{
    uint32_t scope = scope_of(ip);
    uint32_t wanted = scope_of(to);
    uint64_t appropriate = scope >= wanted ? 256 + (SCOPE_GLOBAL - scope) : scope;
    if (sim_ip_equal(ip, to)) {
        return UINT64_MAX;
    }
    return appropriate << 32 | (uint64_t)outgoing << 16 | common_bits(ip, to);
}

static struct sim_ip source_v6(const struct sim_world *world, struct sim_host_id host,
                               const struct sim_interface *out, struct sim_ip to)
{
    struct sim_ip best = {{0}};
    uint64_t best_rank = 0;
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;

    while (id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        for (uint32_t i = 0; i < interface->address_count; i++) {
            struct sim_ip ip = interface->addresses[i].ip;
            bool outgoing = interface->number == out->number;
            /* LINUX: what is near or a group is asked for from its own link; else any address of
             * the host may be the source, were it ::1. */
            if (sim_ip_is_v4(ip) ||
                (!outgoing && (sim_ip_is_multicast(to) || scope_of(to) <= SCOPE_LINK))) {
                continue;
            }
            uint64_t rank = rank_v6(ip, to, outgoing);
            if (rank > best_rank) {
                best = ip;
                best_rank = rank;
            }
        }
        id = interface->next;
    }
    return best;
}

/* ---- choosing the route ---- */

static uint64_t half_of(const struct sim_ip *ip, size_t which)
{
    uint64_t half;
    memcpy(&half, ip->bytes + 8 * which, sizeof half);
    return be64toh(half);
}

/* sim_ip_has_prefix, in words: each packet that leaves asks it of some routes. */
static bool leads_to(const struct sim_route *route, uint64_t high, uint64_t low)
{
    uint32_t bits = route->prefix_bits;
    uint64_t high_differs = high ^ half_of(&route->destination, 0);
    if (bits <= 64) {
        return bits == 0 || high_differs >> (64 - bits) == 0;
    }
    return high_differs == 0 && (low ^ half_of(&route->destination, 1)) >> (128 - bits) == 0;
}

static const struct sim_route *find_route(const struct sim_world *world, struct sim_host_id host,
                                          struct sim_ip to, uint32_t interface_number)
{
    struct sim_route_id id = sim_host_at(world, host)->first_route;
    bool v4 = sim_ip_is_v4(to);
    uint64_t high = half_of(&to, 0);
    uint64_t low = half_of(&to, 1);
    while (id.index != 0) {
        const struct sim_route *route = sim_route_at(world, id);
        if (leads_to(route, high, low) && sim_ip_is_v4(route->destination) == v4 &&
            (interface_number == 0 || route->interface.index == 0 ||
             sim_interface_at(world, route->interface)->number == interface_number)) {
            return route;
        }
        id = route->next;
    }
    return NULL;
}

static int route_error(const struct sim_route *route)
{
    switch (route->kind) {
    case SIM_ROUTE_UNREACHABLE:
        return -EHOSTUNREACH;
    case SIM_ROUTE_BLACKHOLE:
        return -EINVAL;
    case SIM_ROUTE_PROHIBIT:
        return -EACCES;
    default:
        return 0;
    }
}

static int local_path(const struct sim_world *world, struct sim_host_id host, struct sim_ip to,
                      struct sim_ip from, struct sim_ip_path *path)
{
    const struct sim_interface *loopback = sim_host_interface(world, host, SIM_LOOPBACK_NUMBER);
    path->local = 1;
    path->interface = SIM_LOOPBACK_NUMBER;
    path->mtu = loopback->mtu;
    path->source = from;
    if (sim_ip_is_any(from)) { /* LINUX: the local route of 127.0.0.0/8 prefers 127.0.0.1 */
        path->source = sim_ip_is_v4(to) && sim_ip_is_loopback(to) ? sim_ip_v4(INADDR_LOOPBACK) : to;
    }
    return 0;
}

/* The interface for a destination that is not this host; NULL with *error when there is none. */
static const struct sim_interface *choose_interface(const struct sim_world *world,
                                                    struct sim_host_id host, struct sim_ip to,
                                                    struct sim_ip from, uint32_t wanted,
                                                    const struct sim_route **route, int *error)
{
    bool on_link = sim_ip_is_multicast(to) || is_all_ones(to);
    *route = NULL;
    *error = -ENETUNREACH;
    if (wanted == SIM_LOOPBACK_NUMBER && on_link && !sim_ip_is_v4(to)) {
        return NULL; /* LINUX: the table of IPv6 has ff00::/8 for each interface but lo */
    }
    if (wanted != 0 && on_link) {
        return sim_host_interface(world, host, wanted);
    }
    /* LINUX: a bound source chooses the interface of multicast and of 255.255.255.255. */
    if (on_link && sim_ip_is_v4(to) && !sim_ip_is_any(from)) {
        return sim_host_owner(world, host, from);
    }
    *route = find_route(world, host, to, wanted);
    if (*route == NULL) {
        /* LINUX: with an interface but no route, IPv4 believes the destination to be on the link. */
        if (wanted != 0 && sim_ip_is_v4(to)) {
            return sim_host_interface(world, host, wanted);
        }
        if (!sim_ip_is_v4(to) && sim_ip_is_multicast(to)) {
            return sim_host_interface(world, host, SIM_ETHERNET_NUMBER);
        }
        return NULL;
    }
    *error = route_error(*route);
    return *error < 0 ? NULL : sim_interface_at(world, (*route)->interface);
}

static int check_source_v4(const struct sim_world *world, struct sim_host_id host, struct sim_ip from)
{
    if (sim_ip_is_any(from)) {
        return 0;
    }
    if (sim_ip_is_multicast(from) || is_all_ones(from)) {
        return -EINVAL;
    }
    return sim_host_owner(world, host, from) == NULL ? -ENETUNREACH : 0;
}

/* LINUX: ip_route_output_key_hash_rcu and __mkroute_output for IPv4; ip6_dst_lookup_tail for IPv6. */
int sim_ip_route(const struct sim_world *world, struct sim_host_id host, struct sim_endpoint to,
                 struct sim_ip from, uint32_t bound_interface, struct sim_ip_path *path)
{
    bool v4 = sim_ip_is_v4(to.ip);
    const struct sim_route *route;
    int error = v4 ? check_source_v4(world, host, from) : 0;
    memset(path, 0, sizeof *path);
    if (error < 0) {
        return error;
    }
    if (bound_interface == 0) {
        bound_interface = to.scope;
    }
    if (bound_interface != 0 && sim_host_interface(world, host, bound_interface) == NULL) {
        return v4 ? -ENODEV : -ENETUNREACH;
    }
    if (sim_ip_is_any(to.ip)) { /* this host */
        struct sim_ip v6_loopback = {{[15] = 1}};
        to.ip = v4 ? (sim_ip_is_any(from) ? sim_ip_v4(INADDR_LOOPBACK) : from) : v6_loopback;
    }
    path->broadcast = v4 && sim_ip_is_broadcast(world, host, to.ip);
    /* LINUX: ip6_dst_lookup_tail, once it has a route: from an IPv4 address to an IPv6 one. */
    bool crosses = !v4 && sim_ip_is_v4(from);
    if (!path->broadcast && sim_host_owner(world, host, to.ip) != NULL) {
        return crosses ? -EAFNOSUPPORT : local_path(world, host, to.ip, from, path);
    }

    const struct sim_interface *out = choose_interface(world, host, to.ip, from, bound_interface,
                                                       &route, &error);
    if (out == NULL) {
        return error < 0 ? error : -EINVAL;
    }
    if (crosses) {
        return -EAFNOSUPPORT;
    }
    path->interface = out->number;
    path->mtu = out->mtu;
    path->source = from;
    if (sim_ip_is_any(from) && route != NULL && !sim_ip_is_any(route->source)) {
        path->source = route->source;
    } else if (sim_ip_is_any(from)) {
        path->source = v4 ? source_v4(world, host, out, to.ip) : source_v6(world, host, out, to.ip);
    }
    /* LINUX: IPv4 sends from 0.0.0.0 where it has no address of its own. */
    if (sim_ip_is_any(path->source) && !v4) {
        return -EADDRNOTAVAIL;
    }
    if (v4 && sim_ip_is_loopback(path->source) && (out->flags & IFF_LOOPBACK) == 0) {
        return -EINVAL;
    }
    return 0;
}

/* ---- sending ---- */

/* LINUX: loopback's transmit puts a packet on the processor's backlog, which runs when the sender
 * lets go of its socket: nobody is called back in the middle of a send, and when the call returns
 * all has arrived. ORDER: first in, first out. */
static void join_backlog(struct sim_world *world, struct sim_interface_id interface,
                         struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->interface = interface.index;
    packet->next.index = 0;
    if (world->last_backlog.index != 0) {
        sim_packet_at(world, world->last_backlog)->next = id;
    } else {
        world->first_backlog = id;
    }
    world->last_backlog = id;
}

void sim_ip_run_backlog(struct sim_world *world)
{
    while (world->first_backlog.index != 0) {
        struct sim_packet_id id = world->first_backlog;
        struct sim_packet *packet = sim_packet_at(world, id);
        struct sim_interface_id interface = {packet->interface};
        world->first_backlog = packet->next;
        if (world->first_backlog.index == 0) {
            world->last_backlog.index = 0;
        }
        packet->next.index = 0;
        sim_ip_input(world, interface, id);
    }
}

/* All of 127.0.0.0/8 is the host's own, but for its broadcast address. */
static bool is_own(const struct sim_world *world, struct sim_host_id host, struct sim_ip ip)
{
    const struct sim_interface *owner = sim_host_owner(world, host, ip);
    return owner != NULL && (owner->number != SIM_LOOPBACK_NUMBER || !is_broadcast_of(owner, ip));
}

int sim_ip_output(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id,
                  uint32_t bound_interface)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    struct sim_ip to = packet->destination.ip;
    if (packet->ttl == 0 && !sim_packet_is_datagram(packet)) { /* UDP has chosen: 0 may be meant */
        packet->ttl = (uint8_t)sim_setting(sim_host_at(world, host), SIM_SETTING_IP_DEFAULT_TTL);
    }
    if (is_own(world, host, to)) {
        sim_packet_note(world, host, id);
        join_backlog(world, sim_host_interface_id(world, host, SIM_LOOPBACK_NUMBER), id);
        return 0;
    }
    const struct sim_route *route;
    int error = 0;
    const struct sim_interface *out = choose_interface(
        world, host, to, packet->source.ip,
        bound_interface != 0 ? bound_interface : packet->destination.scope, &route, &error);
    if (out == NULL) {
        error = error < 0 ? error : -EINVAL;
    } else if (packet->dont_fragment && sim_packet_wire_bytes(packet) > out->mtu) {
        error = -EMSGSIZE;
    } else {
        error = 0;
    }
    if (error < 0) {
        sim_packet_free(world, id);
        return error;
    }
    if (out->number == SIM_LOOPBACK_NUMBER) {
        sim_packet_note(world, host, id);
        join_backlog(world, sim_host_interface_id(world, host, SIM_LOOPBACK_NUMBER), id);
        return 0;
    }
    /* SIMPLER: no fragments: a packet larger than the MTU arrives whole or not at all. */
    sim_link_transmit(world, host, id);
    return 0;
}

void sim_ip_loop_back(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id,
                      uint32_t interface_number)
{
    struct sim_interface_id interface = sim_host_interface_id(world, host, interface_number);
    assert(interface.index != 0);
    join_backlog(world, interface, id);
}

/* ---- receiving ---- */

/* RFC 1122, 3.2.1.3 and RFC 1812, 5.3.7: addresses that may not come from outside. */
static bool is_martian(const struct sim_packet *packet)
{
    struct sim_ip source = packet->source.ip;
    struct sim_ip to = packet->destination.ip;
    if (sim_ip_is_v4(source) && sim_ip_is_any(source) && !sim_ip_is_multicast(to) && !is_all_ones(to)) {
        return true;
    }
    return sim_ip_is_loopback(source) || sim_ip_is_loopback(to) || sim_ip_is_multicast(source) ||
           is_all_ones(source);
}

/* Hosts do not forward: what is for another address is dropped. */
static bool is_for_us(const struct sim_world *world, struct sim_host_id host, struct sim_ip to)
{
    return sim_host_owner(world, host, to) != NULL || sim_ip_is_multicast(to) ||
           sim_ip_is_broadcast(world, host, to);
}

static bool is_icmp(const struct sim_packet *packet)
{
    return packet->protocol == (packet->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

void sim_ip_input(struct sim_world *world, struct sim_interface_id interface_index,
                  struct sim_packet_id id)
{
    const struct sim_interface *interface = sim_interface_at(world, interface_index);
    struct sim_packet *packet = sim_packet_at(world, id);
    struct sim_host_id host = interface->host;
    packet->interface = interface_index.index;
    /* A datagram's checksum is judged by who reads it. */
    const bool spoilt = packet->corrupt && !sim_packet_is_datagram(packet);
    if (spoilt || (interface->number != SIM_LOOPBACK_NUMBER &&
                   (is_martian(packet) || !is_for_us(world, host, packet->destination.ip)))) {
        sim_packet_free(world, id);
        return;
    }
    if (sim_ip_is_link_local(packet->source.ip)) {
        packet->source.scope = interface->number;
    }
    if (sim_ip_is_link_local(packet->destination.ip)) {
        packet->destination.scope = interface->number;
    }

    const struct sim_ip_receiver *receiver = sim_ip_receivers[packet->protocol];
    if (receiver != NULL) {
        receiver->input(world, host, id);
    } else if (is_icmp(packet)) {
        sim_icmp_input(world, host, id);
    } else {
        sim_icmp_send_error(world, host, id, SIM_ICMP_PROTOCOL_UNREACHABLE, 0);
        sim_packet_free(world, id);
    }
}
