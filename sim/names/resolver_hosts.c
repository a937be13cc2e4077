/* Names and addresses in a host's /etc/hosts.
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

/* LINUX: a line with ::1 also answers for AF_INET, as 127.0.0.1, and one with a mapped address as
 * the IPv4 address in it. */
static bool line_address(const struct resolver_hosts_line *line, int family,
                         struct resolver_address *address)
{
    *address = line->address;
    if (family == AF_UNSPEC || family == line->address.family) {
        return true;
    }
    if (family != AF_INET) {
        return false;
    }
    struct in6_addr ip;
    memcpy(&ip, line->address.bytes, sizeof ip);
    if (!IN6_IS_ADDR_V4MAPPED(&ip) && !IN6_IS_ADDR_LOOPBACK(&ip)) {
        return false;
    }
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    memset(address, 0, sizeof *address);
    address->family = AF_INET;
    memcpy(address->bytes, IN6_IS_ADDR_LOOPBACK(&ip) ? loopback : line->address.bytes + 12, 4);
    return true;
}

/* The first line's first name is canonical; every other name of every line is an alias. */
static void add_names(const struct resolver_hosts_line *line, struct resolver_found *found)
{
    const char *name = line->names;
    for (size_t i = 0; i < line->name_count; i++, name += strlen(name) + 1) {
        if (found->canonical[0] == 0) {
            strcpy(found->canonical, name);
        } else if (strcasecmp(found->canonical, name) != 0) {
            resolver_add_alias(found, name);
        }
    }
}

static bool line_has(const struct resolver_hosts_line *line, const char *name)
{
    const char *known = line->names;
    for (size_t i = 0; i < line->name_count; i++, known += strlen(known) + 1) {
        if (strcasecmp(known, name) == 0) {
            return true;
        }
    }
    return false;
}

static void take_line(const struct resolver_hosts_line *line, const struct resolver_address *address,
                      struct resolver_found *found)
{
    found->status = RESOLVER_FOUND;
    found->h_error = 0;
    add_names(line, found);
    resolver_add_address(found, address);
}

/* as_it_stands: only addresses written in this family count. */
static void find_family(const struct sim_resolver *resolver, const char *name, int family,
                        bool as_it_stands, struct resolver_found *found)
{
    for (const struct resolver_hosts_line *line = resolver->first; line != NULL; line = line->next) {
        struct resolver_address address;
        if (line_has(line, name) && line_address(line, family, &address) &&
            (!as_it_stands || line->address.family == family)) {
            take_line(line, &address, found);
        }
    }
}

void resolver_in_hosts(const struct sim_resolver *resolver, const char *name, int family,
                       struct resolver_found *found)
{
    if (family == AF_UNSPEC || family == AF_INET6) {
        find_family(resolver, name, AF_INET6, false, found);
    }
    if (family == AF_UNSPEC || family == AF_INET) {
        find_family(resolver, name, AF_INET, family == AF_UNSPEC, found);
    }
}

void resolver_in_hosts_by_address(const struct sim_resolver *resolver,
                                  const struct resolver_address *wanted, struct resolver_found *found)
{
    for (const struct resolver_hosts_line *line = resolver->first; line != NULL; line = line->next) {
        struct resolver_address address;
        if (line_address(line, wanted->family, &address) &&
            memcmp(address.bytes, wanted->bytes, sizeof address.bytes) == 0) {
            take_line(line, &address, found);
            return;
        }
    }
}
