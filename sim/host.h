/* Hosts: interfaces, addresses, routes, settings.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "state.h"

/* A host with interface 1 "lo" (127.0.0.1/8, ::1/128, MTU 65536) and 2 "eth0" (no address yet, MTU
 * 1500), default routes by eth0. Index 0 when full. */
struct sim_host_id sim_host_add(struct sim_world *world, const char *name);
struct sim_host_id sim_host_find(const struct sim_world *world, const char *name);
/* prefix_bits of the family (24 of IPv4); adds the connected route. 0 or -errno. */
int sim_host_add_address(struct sim_world *world, struct sim_host_id host, uint32_t interface_number,
                         struct sim_ip ip, uint32_t prefix_bits);
int sim_host_add_route(struct sim_world *world, struct sim_host_id host,
                       const struct sim_route *route);
struct sim_interface *sim_host_interface(const struct sim_world *world, struct sim_host_id host,
                                         uint32_t number); /* NULL: none */
/* Which interface has this address (any of 127/8 is lo's); NULL: none. */
struct sim_interface *sim_host_owner(const struct sim_world *world, struct sim_host_id host,
                                     struct sim_ip ip);
/* The host (other than `from`) that owns an address on eth0; index 0: none. */
struct sim_host_id sim_host_of_address(const struct sim_world *world, struct sim_ip ip);
/* Sets a sysctl by name. 0, -ENOENT (no such name) or -EINVAL. */
int sim_host_set(struct sim_world *world, struct sim_host_id host, const char *name, int64_t value);
static inline int64_t sim_setting(const struct sim_host *host, enum sim_setting setting)
{
    return host->settings[setting];
}

/* Address arithmetic. */
struct sim_ip sim_ip_v4(uint32_t address); /* host byte order */
bool sim_ip_is_v4(struct sim_ip ip);       /* v4-mapped */
uint32_t sim_ip_to_v4(struct sim_ip ip);
bool sim_ip_equal(struct sim_ip a, struct sim_ip b);
bool sim_ip_is_any(struct sim_ip ip);      /* 0.0.0.0 (mapped) or :: */
bool sim_ip_is_loopback(struct sim_ip ip); /* 127/8, ::1 */
bool sim_ip_is_multicast(struct sim_ip ip);
bool sim_ip_is_link_local(struct sim_ip ip); /* fe80::/10 */
bool sim_ip_has_prefix(struct sim_ip ip, struct sim_ip prefix, uint32_t bits); /* of 128 */

#endif
