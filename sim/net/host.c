/* Hosts: their interfaces, addresses, routes and settings.
 * SPDX-License-Identifier: MIT */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>

#include "core/block.h"

enum {
    LOOPBACK_MTU = 65536,
    V4_BITS = 96, /* of a mapped address, before the IPv4 part */
};

/* ---- address arithmetic ------------------------------------------------------------------- */

bool sim_ip_has_prefix(struct sim_ip ip, struct sim_ip prefix, uint32_t bits)
{
    return sim_ip_equal(sim_ip_first(ip, bits), sim_ip_first(prefix, bits));
}

struct sim_ip sim_ip_first(struct sim_ip ip, uint32_t bits)
{
    for (uint32_t i = bits / 8; i < 16; i++) {
        const uint32_t kept = i == bits / 8 ? bits % 8 : 0;
        ip.bytes[i] &= (uint8_t)(0xff00 >> kept);
    }
    return ip;
}

struct sim_ip sim_ip_last(struct sim_ip ip, uint32_t bits)
{
    for (uint32_t i = bits / 8; i < 16; i++) {
        const uint32_t kept = i == bits / 8 ? bits % 8 : 0;
        ip.bytes[i] |= (uint8_t)(0xff >> kept);
    }
    return ip;
}

/* ---- the table of addresses --------------------------------------------------------------- */

/* Open addressing; an entry is the interface's index times SIM_INTERFACE_ADDRESSES plus the slot.
 * Twice as many places as addresses there can be, and addresses never leave. */

static uint32_t *table_of(const struct sim_world *world)
{
    return (uint32_t *)(void *)((char *)(uintptr_t)world + world->address_offset);
}

static uint32_t bucket_of(const struct sim_world *world, struct sim_ip ip)
{
    uint64_t halves[2];
    memcpy(halves, ip.bytes, sizeof halves);
    const uint64_t mixed = (halves[0] * 0x9e3779b97f4a7c15 ^ halves[1]) * 0xbf58476d1ce4e5b9;
    return (uint32_t)(mixed >> 32) & (world->address_buckets - 1);
}

static struct sim_interface *entry_interface(const struct sim_world *world, uint32_t entry)
{
    return sim_interface_at(world, (struct sim_interface_id){entry / SIM_INTERFACE_ADDRESSES});
}

/* The place where `ip` stands, or where it would. */
static uint32_t *find_entry(const struct sim_world *world, struct sim_ip ip)
{
    uint32_t *table = table_of(world);
    uint32_t bucket = bucket_of(world, ip);
    while (table[bucket] != 0) {
        const uint32_t entry = table[bucket];
        const uint32_t slot = entry % SIM_INTERFACE_ADDRESSES;
        if (sim_ip_equal(entry_interface(world, entry)->addresses[slot].ip, ip)) {
            break;
        }
        bucket = (bucket + 1) & (world->address_buckets - 1);
    }
    return &table[bucket];
}

struct sim_host_id sim_host_of_address(const struct sim_world *world, struct sim_ip ip)
{
    const uint32_t entry = *find_entry(world, ip);
    return entry == 0 ? (struct sim_host_id){0} : entry_interface(world, entry)->host;
}

/* ---- hosts and interfaces ----------------------------------------------------------------- */

static struct sim_interface_id add_interface(struct sim_world *world, struct sim_host_id host,
                                             const char *name, uint32_t flags, uint32_t mtu)
{
    const struct sim_interface_id id = {sim_pool_take(world, SIM_POOL_INTERFACE)};
    if (id.index == 0) {
        return id;
    }
    struct sim_interface *interface = sim_interface_at(world, id);
    interface->host = host;
    interface->flags = flags;
    interface->mtu = mtu;
    interface->number = SIM_LOOPBACK_NUMBER;
    snprintf(interface->name, sizeof interface->name, "%s", name);
    struct sim_interface_id *link = &sim_host_at(world, host)->first_interface;
    while (link->index != 0) {
        struct sim_interface *other = sim_interface_at(world, *link);
        interface->number = other->number + 1;
        link = &other->next;
    }
    *link = id;
    return id;
}

static void apply_defaults(struct sim_host *host)
{
    static const int64_t defaults[SIM_SETTING_COUNT] = {
#define SIM_SETTING(id, name, value) [SIM_SETTING_##id] = (value),
#include "core/settings.h"
#undef SIM_SETTING
    };
    memcpy(host->settings, defaults, sizeof defaults);
}

static int furnish(struct sim_world *world, struct sim_host_id id)
{
    const struct sim_interface_id lo = add_interface(world, id, "lo",
                                                     IFF_UP | IFF_RUNNING | IFF_LOOPBACK, LOOPBACK_MTU);
    const struct sim_interface_id eth0 = add_interface(
        world, id, "eth0", IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST, SIM_ETHERNET_MTU);
    if (lo.index == 0 || eth0.index == 0) {
        return -ENOBUFS;
    }
    const struct sim_route v4 = {
        .interface = eth0, .destination = sim_ip_v4(0), .prefix_bits = V4_BITS};
    const struct sim_route v6 = {.interface = eth0};
    const struct sim_ip localhost6 = {{[15] = 1}};
    if (sim_host_add_address(world, id, SIM_LOOPBACK_NUMBER, sim_ip_v4(0x7f000001), 8) < 0 ||
        sim_host_add_address(world, id, SIM_LOOPBACK_NUMBER, localhost6, 128) < 0 ||
        sim_host_add_route(world, id, &v4) < 0 || sim_host_add_route(world, id, &v6) < 0) {
        return -ENOBUFS;
    }
    return 0;
}

/* A host that could not be furnished leaves nothing behind. */
static void unfurnish(struct sim_world *world, struct sim_host_id id)
{
    const struct sim_host *host = sim_host_at(world, id);
    for (struct sim_route_id route = host->first_route, next; route.index != 0; route = next) {
        next = sim_route_at(world, route)->next;
        sim_pool_give(world, SIM_POOL_ROUTE, route.index);
    }
    for (struct sim_interface_id at = host->first_interface, next; at.index != 0; at = next) {
        next = sim_interface_at(world, at)->next;
        sim_pool_give(world, SIM_POOL_INTERFACE, at.index);
    }
    sim_pool_give(world, SIM_POOL_HOST, id.index);
}

struct sim_host_id sim_host_add(struct sim_world *world, const char *name)
{
    const struct sim_host_id id = {sim_pool_take(world, SIM_POOL_HOST)};
    if (id.index == 0) {
        return id;
    }
    struct sim_host *host = sim_host_at(world, id);
    snprintf(host->name, sizeof host->name, "%s", name);
    snprintf(host->hostname, sizeof host->hostname, "%s", name);
    apply_defaults(host);
    if (furnish(world, id) < 0) {
        unfurnish(world, id);
        return (struct sim_host_id){0};
    }
    if (world->first_host.index == 0) {
        world->first_host = id;
    }
    return id;
}

struct sim_host_id sim_host_find(const struct sim_world *world, const char *name)
{
    for (uint32_t index = 1; index <= world->pools[SIM_POOL_HOST].high_water; index++) {
        const struct sim_host_id id = {index};
        const struct sim_host *host = sim_host_at(world, id);
        if (host->slot.live && strcmp(host->name, name) == 0) {
            return id;
        }
    }
    return (struct sim_host_id){0};
}

struct sim_interface_id sim_host_interface_id(const struct sim_world *world, struct sim_host_id host,
                                              uint32_t number)
{
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0 && sim_interface_at(world, id)->number != number) {
        id = sim_interface_at(world, id)->next;
    }
    return id;
}

struct sim_interface *sim_host_interface(const struct sim_world *world, struct sim_host_id host,
                                         uint32_t number)
{
    const struct sim_interface_id id = sim_host_interface_id(world, host, number);
    return id.index != 0 ? sim_interface_at(world, id) : NULL;
}

struct sim_interface *sim_host_owner(const struct sim_world *world, struct sim_host_id host,
                                     struct sim_ip ip)
{
    if (sim_ip_is_v4(ip) && sim_ip_is_loopback(ip)) {
        return sim_host_interface(world, host, SIM_LOOPBACK_NUMBER);
    }
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0) {
        struct sim_interface *interface = sim_interface_at(world, id);
        for (uint32_t i = 0; i < interface->address_count; i++) {
            if (sim_ip_equal(interface->addresses[i].ip, ip)) {
                return interface;
            }
        }
        id = interface->next;
    }
    return NULL;
}

bool sim_host_is_broadcast(const struct sim_world *world, struct sim_host_id host, struct sim_ip ip)
{
    if (!sim_ip_is_v4(ip)) {
        return false;
    }
    if (sim_ip_to_v4(ip) == UINT32_MAX) {
        return true;
    }
    struct sim_interface_id id = sim_host_at(world, host)->first_interface;
    while (id.index != 0) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        for (uint32_t i = 0; i < interface->address_count; i++) {
            const uint32_t bits = interface->addresses[i].prefix_bits;
            /* RFC 3021: a /31 has no broadcast address, still less a /32. */
            if (interface->flags & IFF_BROADCAST && bits >= V4_BITS && bits < 127 &&
                sim_ip_equal(sim_ip_last(interface->addresses[i].ip, bits), ip)) {
                return true;
            }
        }
        id = interface->next;
    }
    return false;
}

/* ---- addresses and routes ----------------------------------------------------------------- */

int sim_host_add_address(struct sim_world *world, struct sim_host_id host, uint32_t interface_number,
                         struct sim_ip ip, uint32_t prefix_bits)
{
    const bool v4 = sim_ip_is_v4(ip);
    const struct sim_interface_id id = sim_host_interface_id(world, host, interface_number);
    if (id.index == 0) {
        return -ENODEV;
    }
    if (prefix_bits > (v4 ? 32 : 128) || sim_ip_is_any(ip) || sim_ip_is_multicast(ip)) {
        return -EINVAL;
    }
    struct sim_interface *interface = sim_interface_at(world, id);
    for (uint32_t i = 0; i < interface->address_count; i++) {
        if (sim_ip_equal(interface->addresses[i].ip, ip)) {
            return -EEXIST;
        }
    }
    if (interface->address_count == SIM_INTERFACE_ADDRESSES) {
        return -ENOBUFS;
    }
    const uint32_t bits = v4 ? prefix_bits + V4_BITS : prefix_bits;
    if (bits < 128) {
        const struct sim_route connected = {
            .interface = id,
            .destination = sim_ip_first(ip, bits),
            .source = v4 ? ip : (struct sim_ip){{0}}, /* LINUX: only IPv4 notes the source */
            .prefix_bits = bits,
        };
        const int result = sim_host_add_route(world, host, &connected);
        if (result < 0) {
            return result;
        }
    }
    const uint32_t slot = interface->address_count++;
    interface->addresses[slot].ip = ip;
    interface->addresses[slot].prefix_bits = bits;
    if (interface_number != SIM_LOOPBACK_NUMBER) {
        uint32_t *entry = find_entry(world, ip);
        if (*entry == 0) { /* an address that two hosts have belongs to the first */
            sim_table_write(world, entry, id.index * SIM_INTERFACE_ADDRESSES + slot);
        }
    }
    return 0;
}

int sim_host_add_route(struct sim_world *world, struct sim_host_id host, const struct sim_route *route)
{
    const struct sim_route_id id = {sim_pool_take(world, SIM_POOL_ROUTE)};
    if (id.index == 0) {
        return -ENOBUFS;
    }
    struct sim_route *copy = sim_route_at(world, id);
    const struct sim_slot slot = copy->slot;
    *copy = *route;
    copy->slot = slot;
    struct sim_route_id *link = &sim_host_at(world, host)->first_route;
    while (link->index != 0) {
        struct sim_route *other = sim_route_at(world, *link);
        if (other->prefix_bits < copy->prefix_bits ||
            (other->prefix_bits == copy->prefix_bits && other->metric > copy->metric)) {
            break;
        }
        link = &other->next;
    }
    copy->next = *link;
    *link = id;
    return 0;
}

/* ---- settings ----------------------------------------------------------------------------- */

/* LINUX: what each sysctl takes, as seen by writing to each on 6.18. Those in seconds are kept in
 * jiffies there, so their bound is INT_MAX / HZ. */
static void bounds(enum sim_setting setting, int64_t *least, int64_t *most)
{
    enum { JIFFIES_MOST = 2147483 };
    *least = 0;
    *most = 255;
    switch (setting) {
    case SIM_SETTING_TCP_SYN_RETRIES:
        *least = 1;
        *most = 127;
        break;
    case SIM_SETTING_TCP_MIN_TSO_SEGS:
        *least = 1;
        break;
    case SIM_SETTING_TCP_SYN_LINEAR_TIMEOUTS:
        *most = 127;
        break;
    case SIM_SETTING_TCP_FIN_TIMEOUT:
    case SIM_SETTING_TCP_KEEPALIVE_TIME:
    case SIM_SETTING_TCP_KEEPALIVE_INTVL:
        *least = -JIFFIES_MOST;
        *most = JIFFIES_MOST;
        break;
    case SIM_SETTING_TCP_TW_REUSE:
        *most = 2;
        break;
    case SIM_SETTING_TCP_RTO_MIN_US:
        *least = 1;
        *most = INT32_MAX;
        break;
    case SIM_SETTING_TCP_RTO_MAX_MS:
        *least = 1000;
        *most = 120000;
        break;
    case SIM_SETTING_IP_DEFAULT_TTL:
        *least = 1;
        break;
    case SIM_SETTING_IP_LOCAL_PORT_MIN:
    case SIM_SETTING_IP_LOCAL_PORT_MAX:
        *least = 1;
        *most = 65535;
        break;
    case SIM_SETTING_IP_UNPRIVILEGED_PORT_START:
        *most = 65535;
        break;
    case SIM_SETTING_SOMAXCONN:
        *most = INT32_MAX;
        break;
    case SIM_SETTING_TCP_MAX_SYN_BACKLOG:
    case SIM_SETTING_UNIX_MAX_DGRAM_QLEN:
        *least = INT32_MIN;
        *most = INT32_MAX;
        break;
    case SIM_SETTING_TCP_RMEM_MIN:
    case SIM_SETTING_TCP_RMEM_DEFAULT:
    case SIM_SETTING_TCP_RMEM_MAX:
    case SIM_SETTING_TCP_WMEM_MIN:
    case SIM_SETTING_TCP_WMEM_DEFAULT:
    case SIM_SETTING_TCP_WMEM_MAX:
    case SIM_SETTING_RMEM_DEFAULT:
    case SIM_SETTING_RMEM_MAX:
    case SIM_SETTING_WMEM_DEFAULT:
    case SIM_SETTING_WMEM_MAX:
        *least = 1;
        *most = INT32_MAX;
        break;
    default: /* kept in a byte */
        break;
    }
}

int sim_host_set(struct sim_world *world, struct sim_host_id host, const char *name, int64_t value)
{
    static const char *const names[SIM_SETTING_COUNT] = {
#define SIM_SETTING(id, name, value) [SIM_SETTING_##id] = name,
#include "core/settings.h"
#undef SIM_SETTING
    };
    for (uint32_t setting = 0; setting < SIM_SETTING_COUNT; setting++) {
        if (strcmp(names[setting], name) == 0) {
            int64_t least;
            int64_t most;
            bounds(setting, &least, &most);
            if ((value < least || value > most) && !DRY_MUTANT(a_setting_takes_any_value)) {
                return -EINVAL;
            }
            sim_host_at(world, host)->settings[setting] = value;
            return 0;
        }
    }
    return -ENOENT;
}
