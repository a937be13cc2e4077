/* The sources of names in their order: /etc/hosts, then the DNS.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "resolver_internal.h"

static void settle(struct resolver_found *found)
{
    if (found->system_error == ENOMEM) {
        found->status = RESOLVER_UNAVAILABLE;
        found->h_error = NETDB_INTERNAL;
    }
}

void resolver_by_name(struct sim_resolver *resolver, const char *name, int family,
                      struct resolver_found *found)
{
    resolver_in_hosts(resolver, name, family, found);
    if (found->status != RESOLVER_FOUND) {
        resolver_dns_by_name(resolver, name, family, found);
    }
    settle(found);
}

void resolver_by_address(struct sim_resolver *resolver, const struct resolver_address *address,
                         struct resolver_found *found)
{
    resolver_in_hosts_by_address(resolver, address, found);
    if (found->status != RESOLVER_FOUND) {
        resolver_dns_by_address(resolver, address, found);
    }
    settle(found);
}
