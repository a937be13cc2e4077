/* NETLINK_ROUTE: a host's routing tables told: routes, its own addresses as routes, rules.
 * SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/in_route.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/host.h"
#include "net/ip.h"

enum {
    V4_BITS = 96,
    V6_METRIC = 256, /* LINUX: of what the kernel made by itself */
    V6_DEFAULT_METRIC = 1024,
    LOCAL_PER_ADDRESS = 2, /* an address as a route, and its broadcast address */
};

/* One route as it is told. */
struct told {
    struct sim_ip destination, source;
    uint32_t bits; /* of 128 */
    uint32_t interface, metric;
    uint8_t table, protocol, scope, type;
};

static void put_ip(struct sim_netlink_message *message, uint16_t type, struct sim_ip ip, bool v4)
{
    sim_netlink_put(message, type, v4 ? ip.bytes + 12 : ip.bytes, v4 ? 4 : sizeof ip.bytes);
}

static void *begin_route(const struct told *told, bool v4, uint32_t sequence, uint16_t flags,
                         uint32_t port, struct sim_netlink_message *message)
{
    struct rtmsg *body = sim_netlink_begin(message, RTM_NEWROUTE, flags, sequence, port, sizeof *body);
    body->rtm_family = v4 ? AF_INET : AF_INET6;
    body->rtm_dst_len = (uint8_t)(v4 ? told->bits - V4_BITS : told->bits);
    body->rtm_table = told->table;
    body->rtm_protocol = told->protocol;
    body->rtm_scope = told->scope;
    body->rtm_type = told->type;
    sim_netlink_put_u32(message, RTA_TABLE, told->table);
    if (body->rtm_dst_len > 0) {
        put_ip(message, RTA_DST, told->destination, v4);
    }
    return body;
}

/* LINUX: a route of IPv6 has its metric, even of 0, and how long it is known. */
static void end_route6(const struct told *told, struct sim_netlink_message *message)
{
    const struct rta_cacheinfo age = {0};
    sim_netlink_put_u32(message, RTA_PRIORITY, told->metric);
    sim_netlink_put_u32(message, RTA_OIF, told->interface);
    sim_netlink_put(message, RTA_CACHEINFO, &age, sizeof age);
    sim_netlink_put_u8(message, RTA_PREF, 0);
}

static void make_route(const struct told *told, bool v4, uint32_t sequence, uint32_t port,
                       struct sim_netlink_message *message)
{
    begin_route(told, v4, sequence, NLM_F_MULTI, port, message);
    if (!v4) {
        end_route6(told, message);
        return;
    }
    if (told->metric != 0) {
        sim_netlink_put_u32(message, RTA_PRIORITY, told->metric);
    }
    if (!sim_ip_is_any(told->source)) {
        put_ip(message, RTA_PREFSRC, told->source, v4);
    }
    sim_netlink_put_u32(message, RTA_OIF, told->interface);
}

/* ---- the main table: the host's own routes, the widest first ---- */

static uint8_t type_of(uint32_t kind)
{
    switch ((enum sim_route_kind)kind) {
    case SIM_ROUTE_UNREACHABLE:
        return RTN_UNREACHABLE;
    case SIM_ROUTE_BLACKHOLE:
        return RTN_BLACKHOLE;
    case SIM_ROUTE_PROHIBIT:
        return RTN_PROHIBIT;
    case SIM_ROUTE_UNICAST:
        break;
    }
    return RTN_UNICAST;
}

/* Is this route a network that one of the interface's addresses lies in? Then the kernel made it. */
static bool is_connected(const struct sim_world *world, const struct sim_route *route)
{
    const struct sim_interface *interface = sim_interface_at(world, route->interface);
    for (uint32_t slot = 0; slot < interface->address_count; slot++) {
        if (interface->addresses[slot].prefix_bits == route->prefix_bits &&
            sim_ip_has_prefix(interface->addresses[slot].ip, route->destination, route->prefix_bits)) {
            return true;
        }
    }
    return false;
}

static bool is_told(const struct sim_world *world, const struct sim_route *route, bool v4)
{
    const bool lo = (sim_interface_at(world, route->interface)->flags & IFF_LOOPBACK) != 0;
    return (route->prefix_bits >= V4_BITS && sim_ip_is_v4(route->destination)) == v4 && !lo;
}

/* The route of this number, as they are kept; false: there are fewer. */
static bool main_route(const struct sim_world *world, struct sim_host_id host, bool v4, uint32_t number,
                       struct told *told)
{
    struct sim_route_id id = sim_host_at(world, host)->first_route;
    while (id.index != 0 && (!is_told(world, sim_route_at(world, id), v4) || number-- > 0)) {
        id = sim_route_at(world, id)->next;
    }
    if (id.index == 0) {
        return false;
    }
    const struct sim_route *route = sim_route_at(world, id);
    const bool connected = is_connected(world, route);
    *told = (struct told){
        .destination = route->destination,
        .source = route->source,
        .bits = route->prefix_bits,
        .interface = sim_interface_at(world, route->interface)->number,
        .metric = route->metric != 0 || v4 ? route->metric
                  : connected              ? V6_METRIC
                                           : V6_DEFAULT_METRIC,
        .table = RT_TABLE_MAIN,
        .protocol = connected ? RTPROT_KERNEL : RTPROT_BOOT,
        .scope = v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
        .type = type_of(route->kind),
    };
    return true;
}

/* ---- the local table: what is this host ---- */

static bool local_of(const struct sim_interface *interface, uint32_t slot, uint32_t which,
                     struct told *told)
{
    const struct sim_ip ip = interface->addresses[slot].ip;
    const uint32_t bits = interface->addresses[slot].prefix_bits;
    const bool v4 = sim_ip_is_v4(ip);
    *told = (struct told){
        .destination = ip,
        .source = v4 ? ip : (struct sim_ip){{0}},
        .bits = 128,
        .interface = interface->number,
        .table = RT_TABLE_LOCAL,
        .protocol = RTPROT_KERNEL,
        .scope = v4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
        .type = RTN_LOCAL,
    };
    if (which == 0) {
        return true;
    }
    if (!v4 || bits >= 127) { /* LINUX: no broadcast address in a network of one or two */
        return false;
    }
    told->destination = sim_ip_last(ip, bits);
    told->scope = RT_SCOPE_LINK;
    told->type = RTN_BROADCAST;
    return true;
}

/* LINUX: every interface but lo takes part in IPv6's multicast. */
static bool multicast_of(const struct sim_interface *interface, struct told *told)
{
    *told = (struct told){
        .destination = {{0xff}},
        .bits = 8,
        .interface = interface->number,
        .metric = V6_METRIC,
        .table = RT_TABLE_LOCAL,
        .protocol = RTPROT_KERNEL,
        .type = RTN_MULTICAST,
    };
    return (interface->flags & IFF_LOOPBACK) == 0;
}

/* 127.0.0.0/8 is local as a whole. */
static void whole_loopback(struct told *told)
{
    *told = (struct told){
        .destination = sim_ip_v4(0x7f000000),
        .source = sim_ip_v4(0x7f000001),
        .bits = V4_BITS + 8,
        .interface = SIM_LOOPBACK_NUMBER,
        .table = RT_TABLE_LOCAL,
        .protocol = RTPROT_KERNEL,
        .scope = RT_SCOPE_HOST,
        .type = RTN_LOCAL,
    };
}

static bool local_route(const struct sim_world *world, struct sim_host_id host, bool v4,
                        uint32_t number, struct told *told)
{
    if (v4 && number-- == 0) {
        whole_loopback(told);
        return true;
    }
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        for (uint32_t at = 0; at < interface->address_count * LOCAL_PER_ADDRESS; at++) {
            const uint32_t slot = at / LOCAL_PER_ADDRESS;
            if (sim_ip_is_v4(interface->addresses[slot].ip) == v4 &&
                local_of(interface, slot, at % LOCAL_PER_ADDRESS, told) && number-- == 0) {
                return true;
            }
        }
        if (!v4 && multicast_of(interface, told) && number-- == 0) {
            return true;
        }
        id = interface->next;
    }
    return false;
}

/* ---- dumps ---- */

static bool table_route(const struct sim_world *world, struct sim_host_id host, uint32_t table,
                        uint32_t number, struct told *told)
{
    const bool v4 = table < 2;
    return table % 2 == 0 ? main_route(world, host, v4, number, told)
                          : local_route(world, host, v4, number, told);
}

/* ORDER: LINUX: by address; of one address the longer prefix first, and of IPv6 what lies in a network
 * before that network. */
static bool is_before(const struct told *a, const struct told *b, bool v4)
{
    const uint32_t common = a->bits < b->bits ? a->bits : b->bits;
    const bool nested = sim_ip_has_prefix(a->destination, sim_ip_first(b->destination, common), common);
    const int order = memcmp(a->destination.bytes, b->destination.bytes, sizeof a->destination.bytes);
    if ((order == 0 || (!v4 && nested)) && a->bits != b->bits) {
        return a->bits > b->bits;
    }
    return order < 0;
}

/* The route that so many others of its table stand before. */
static bool route_of_place(const struct sim_world *world, struct sim_host_id host, uint32_t table,
                           uint32_t place, struct told *told)
{
    struct told other;
    for (uint32_t i = 0; table_route(world, host, table, i, told); i++) {
        uint32_t before = 0;
        for (uint32_t j = 0; table_route(world, host, table, j, &other); j++) {
            const bool earlier = is_before(&other, told, table < 2);
            before += earlier || (j < i && !is_before(told, &other, table < 2));
        }
        if (before == place) {
            return true;
        }
    }
    return false;
}

/* at: the table in the upper half (IPv4 main, IPv4 local, IPv6 main, IPv6 local), the place below. */
bool sim_netlink_next_route(const struct sim_world *world, struct sim_host_id host,
                            struct sim_netlink_dump *dump, uint32_t port,
                            struct sim_netlink_message *message)
{
    enum { TABLES = 4 };
    for (uint32_t table = dump->at >> 16; table < TABLES; dump->at = ++table << 16) {
        const bool v4 = table < 2;
        struct told told;
        if (dump->family != AF_UNSPEC && dump->family != (v4 ? AF_INET : AF_INET6)) {
            continue;
        }
        if (route_of_place(world, host, table, dump->at & 0xffff, &told)) {
            dump->at++;
            make_route(&told, v4, dump->sequence, port, message);
            return true;
        }
    }
    return false;
}

/* Linux's own rules, which nobody changed: local, main and, of IPv4, default. */
bool sim_netlink_next_rule(const struct sim_world *world, struct sim_host_id host,
                           struct sim_netlink_dump *dump, uint32_t port,
                           struct sim_netlink_message *message)
{
    static const struct {
        uint8_t family, table;
        uint32_t priority;
    } rules[] = {{AF_INET, RT_TABLE_LOCAL, 0},
                 {AF_INET, RT_TABLE_MAIN, 32766},
                 {AF_INET, RT_TABLE_DEFAULT, 32767},
                 {AF_INET6, RT_TABLE_LOCAL, 0},
                 {AF_INET6, RT_TABLE_MAIN, 32766}};
    while (dump->at < sizeof rules / sizeof rules[0] && dump->family != AF_UNSPEC &&
           dump->family != rules[dump->at].family) {
        dump->at++;
    }
    if (dump->at == sizeof rules / sizeof rules[0]) {
        return false;
    }
    struct fib_rule_hdr *body = sim_netlink_begin(message, RTM_NEWRULE, NLM_F_MULTI, dump->sequence,
                                                  port, sizeof *body);
    body->family = rules[dump->at].family;
    body->table = rules[dump->at].table;
    body->action = FR_ACT_TO_TBL;
    sim_netlink_put_u32(message, FRA_TABLE, rules[dump->at].table);
    sim_netlink_put_u32(message, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
    sim_netlink_put_u8(message, FRA_PROTOCOL, RTPROT_KERNEL);
    if (rules[dump->at].priority != 0) {
        sim_netlink_put_u32(message, FRA_PRIORITY, rules[dump->at].priority);
    }
    dump->at++;
    return true;
}

/* ---- one destination ---- */

static bool take_ip(const void *data, size_t length, bool v4, struct sim_ip *ip)
{
    if (length != (v4 ? 4U : sizeof ip->bytes)) {
        return false;
    }
    *ip = v4 ? sim_ip_v4(0) : (struct sim_ip){{0}};
    memcpy(v4 ? ip->bytes + 12 : ip->bytes, data, length);
    return true;
}

static uint32_t flags_of(uint8_t type)
{
    switch (type) {
    case RTN_LOCAL:
        return RTM_F_CLONED | RTCF_LOCAL;
    case RTN_BROADCAST:
        return RTM_F_CLONED | RTCF_LOCAL | RTCF_BROADCAST;
    case RTN_MULTICAST:
        return RTM_F_CLONED | RTCF_LOCAL | RTCF_MULTICAST;
    default:
        return RTM_F_CLONED;
    }
}

/* LINUX: of IPv4 a copy for this one destination is told, of IPv6 the route itself. */
static void tell_path(const struct sim_ip_path *path, struct sim_ip to, struct sim_ip from,
                      uint32_t sequence, uint32_t port, struct sim_netlink_message *answer)
{
    const bool v4 = sim_ip_is_v4(to);
    const struct rta_cacheinfo used = {.rta_clntref = 1};
    const uint8_t type = path->broadcast           ? RTN_BROADCAST
                         : sim_ip_is_multicast(to) ? RTN_MULTICAST
                         : path->local             ? RTN_LOCAL
                                                   : RTN_UNICAST;
    const struct told told = {
        .destination = to,
        .bits = 128,
        .interface = path->interface,
        .metric = path->local ? 0 : V6_METRIC,
        .table = !v4 && path->local ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
        .protocol = v4 ? RTPROT_UNSPEC : RTPROT_KERNEL,
        .scope = RT_SCOPE_UNIVERSE,
        .type = type,
    };
    struct rtmsg *body = begin_route(&told, v4, sequence, 0, port, answer);
    if (v4) {
        body->rtm_flags = flags_of(type);
        sim_netlink_put_u32(answer, RTA_OIF, told.interface);
        put_ip(answer, RTA_PREFSRC, path->source, v4);
        sim_netlink_put_u32(answer, RTA_UID, 0);
        sim_netlink_put(answer, RTA_CACHEINFO, &used, sizeof used);
        return;
    }
    body->rtm_src_len = 128;
    put_ip(answer, RTA_SRC, from, v4);
    put_ip(answer, RTA_PREFSRC, path->source, v4);
    end_route6(&told, answer);
}

int sim_netlink_get_route(struct sim_world *world, struct sim_socket_id id,
                          const struct sim_netlink_message *question)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct rtmsg *body = sim_netlink_body(question, sizeof *body);
    size_t length = 0;
    if (body == NULL || (body->rtm_family != AF_INET && body->rtm_family != AF_INET6)) {
        return body == NULL ? -EINVAL : -EOPNOTSUPP;
    }
    const bool v4 = body->rtm_family == AF_INET;
    struct sim_endpoint to = {.ip = v4 ? sim_ip_v4(0) : (struct sim_ip){{0}}};
    struct sim_ip from = to.ip;
    const void *data = sim_netlink_attribute(question, sizeof *body, RTA_DST, &length);
    if (data != NULL && !take_ip(data, length, v4, &to.ip)) {
        return -EINVAL;
    }
    data = sim_netlink_attribute(question, sizeof *body, RTA_SRC, &length);
    if (data != NULL && !take_ip(data, length, v4, &from)) {
        return -EINVAL;
    }
    uint32_t interface = 0;
    data = sim_netlink_attribute(question, sizeof *body, RTA_OIF, &length);
    if (data != NULL && length >= sizeof interface) {
        memcpy(&interface, data, sizeof interface);
    }
    struct sim_ip_path path;
    const int result = sim_ip_route(world, sim_socket_at(world, id)->host, to, from, interface, &path);
    if (result < 0) {
        return result;
    }
    struct sim_netlink_message answer;
    tell_path(&path, to.ip, from, head->nlmsg_seq, sim_netlink_of(world, id)->port, &answer);
    sim_netlink_answer(world, id, &answer);
    return 0;
}
