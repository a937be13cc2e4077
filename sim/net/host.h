/* Hosts: interfaces, addresses, routes, settings.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <string.h>

#include "core/state.h"

/* A host with interface 1 "lo" (127.0.0.1/8, ::1/128, MTU 65536) and 2 "eth0" (no address yet, MTU
 * 1500), default routes by eth0. Index 0 when full. Names are cut to SIM_NAME_BYTES - 1; that they
 * differ is the caller's care. */
struct sim_host_id sim_host_add(struct sim_world *world, const char *name);
struct sim_host_id sim_host_find(const struct sim_world *world, const char *name);
/* prefix_bits of the family (24 of IPv4); adds the connected route. 0, -ENODEV, -EINVAL, -EEXIST
 * (the interface has the address already), -ENOBUFS. */
int sim_host_add_address(struct sim_world *world, struct sim_host_id host, uint32_t interface_number,
                         struct sim_ip ip, uint32_t prefix_bits);
/* Files a copy of the route behind those of its prefix length and metric. 0 or -ENOBUFS. */
int sim_host_add_route(struct sim_world *world, struct sim_host_id host, const struct sim_route *route);
/* The numbers of a host's two interfaces: lo, and eth0 on which all its links are. */
enum { SIM_LOOPBACK_NUMBER = 1, SIM_ETHERNET_NUMBER = 2 };
/* eth0's MTU where no link says another. */
enum { SIM_ETHERNET_MTU = 1500 };

/* The interface of this number; index 0, NULL: none. */
struct sim_interface_id sim_host_interface_id(const struct sim_world *world, struct sim_host_id host,
                                              uint32_t number);
struct sim_interface *sim_host_interface(const struct sim_world *world, struct sim_host_id host,
                                         uint32_t number);
/* Which interface has this address (any of 127/8 is lo's); NULL: none. */
struct sim_interface *sim_host_owner(const struct sim_world *world, struct sim_host_id host,
                                     struct sim_ip ip);
/* The host that owns an address on an interface other than lo; index 0: none. */
struct sim_host_id sim_host_of_address(const struct sim_world *world, struct sim_ip ip);
/* Sets a sysctl by name. 0, -ENOENT (no such name) or -EINVAL (Linux refuses the value). */
int sim_host_set(struct sim_world *world, struct sim_host_id host, const char *name, int64_t value);
static inline int64_t sim_setting(const struct sim_host *host, enum sim_setting setting)
{
    return host->settings[setting];
}

/* A broadcast address as this host sees it: 255.255.255.255, or the last of one of its IPv4
 * prefixes on an interface that can broadcast. */
bool sim_host_is_broadcast(const struct sim_world *world, struct sim_host_id host, struct sim_ip ip);
/* ---- address arithmetic ------------------------------------------------------------------- */

static inline struct sim_ip sim_ip_v4(uint32_t address) /* host byte order */
{
    return (struct sim_ip){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(address >> 24),
                            (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address}};
}

static inline bool sim_ip_equal(struct sim_ip a, struct sim_ip b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool sim_ip_is_v4(struct sim_ip ip) /* v4-mapped */
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip.bytes, mapped, sizeof mapped) == 0;
}

static inline uint32_t sim_ip_to_v4(struct sim_ip ip)
{
    return (uint32_t)ip.bytes[12] << 24 | (uint32_t)ip.bytes[13] << 16 | (uint32_t)ip.bytes[14] << 8 |
           ip.bytes[15];
}

static inline bool sim_ip_is_any(struct sim_ip ip) /* 0.0.0.0 (mapped) or :: */
{
    static const uint8_t zero[16] = {0};
    return memcmp(ip.bytes, zero, sizeof zero) == 0 || (sim_ip_is_v4(ip) && sim_ip_to_v4(ip) == 0);
}

static inline bool sim_ip_is_loopback(struct sim_ip ip) /* 127/8, ::1 */
{
    static const uint8_t one[16] = {[15] = 1};
    return (sim_ip_is_v4(ip) && ip.bytes[12] == 127) || memcmp(ip.bytes, one, sizeof one) == 0;
}

static inline bool sim_ip_is_multicast(struct sim_ip ip)
{
    return sim_ip_is_v4(ip) ? ip.bytes[12] >> 4 == 14 : ip.bytes[0] == 0xff;
}

static inline bool sim_ip_is_link_local(struct sim_ip ip) /* fe80::/10 */
{
    return ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
}

/* LINUX: __ipv6_addr_needs_scope_id: fe80::/10, and groups of no wider scope than a link. */
static inline bool sim_ip_needs_scope(struct sim_ip ip)
{
    return sim_ip_is_link_local(ip) || (!sim_ip_is_v4(ip) && sim_ip_is_multicast(ip) &&
                                        ((ip.bytes[1] & 15) == 1 || (ip.bytes[1] & 15) == 2));
}

bool sim_ip_has_prefix(struct sim_ip ip, struct sim_ip prefix, uint32_t bits); /* of 128 */
/* The address with the bits beyond `bits` (of 128) cleared, or set. */
struct sim_ip sim_ip_first(struct sim_ip ip, uint32_t bits);
struct sim_ip sim_ip_last(struct sim_ip ip, uint32_t bits);

#endif
