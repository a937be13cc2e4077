/* Between the resolver's own files: the configuration, what a lookup finds, and its pieces.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_RESOLVER_INTERNAL_H
#define SIM_RESOLVER_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>

#include "resolver.h"

enum {
    RESOLVER_NAME_BYTES = 256,
    RESOLVER_SERVERS = 3, /* MAXNS */
    RESOLVER_SEARCHES = 6,
    RESOLVER_ADDRESSES = 48, /* of one name, at most */
    RESOLVER_ALIASES = 16,
};

struct resolver_address {
    int family;
    uint8_t bytes[16];
    uint32_t scope;
};

struct resolver_hosts_line {
    struct resolver_hosts_line *next;
    struct resolver_address address;
    size_t name_count; /* the first is canonical */
    char names[RESOLVER_ALIASES][RESOLVER_NAME_BYTES];
};

struct sim_resolver {
    struct resolver_hosts_line *first, *last;
    struct sockaddr_in6 servers[RESOLVER_SERVERS]; /* AF_INET ones hold a sockaddr_in */
    unsigned server_count;
    char searches[RESOLVER_SEARCHES][RESOLVER_NAME_BYTES];
    unsigned search_count;
    unsigned ndots, timeout_s, attempts;
    bool use_tcp, rotate;
    uint32_t *memory; /* [0]: the next server, with rotate; [1]: the last identifier */
    uint32_t own_memory[2];
};

/* What a lookup by name or address found. h_error: 0, or HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY,
 * NO_DATA, NETDB_INTERNAL. */
struct resolver_found {
    int h_error;
    char canonical[RESOLVER_NAME_BYTES];
    size_t alias_count;
    char aliases[RESOLVER_ALIASES][RESOLVER_NAME_BYTES];
    size_t address_count;
    struct resolver_address addresses[RESOLVER_ADDRESSES];
};

/* families: AF_INET, AF_INET6 or AF_UNSPEC for both. */
bool resolver_in_hosts(const struct sim_resolver *resolver, const char *name, int family,
                       struct resolver_found *found);
bool resolver_in_hosts_by_address(const struct sim_resolver *resolver,
                                  const struct resolver_address *address, struct resolver_found *found);
/* Asks the DNS, with the search list; fills found. */
void resolver_dns_by_name(struct sim_resolver *resolver, struct dry_caller caller, const char *name,
                          int family, struct resolver_found *found);
void resolver_dns_by_address(struct sim_resolver *resolver, struct dry_caller caller,
                             const struct resolver_address *address, struct resolver_found *found);
/* hosts, then DNS. */
void resolver_by_name(struct sim_resolver *resolver, struct dry_caller caller, const char *name,
                      int family, struct resolver_found *found);
void resolver_by_address(struct sim_resolver *resolver, struct dry_caller caller,
                         const struct resolver_address *address, struct resolver_found *found);
/* A numeric host as getaddrinfo reads it (inet_aton's forms; IPv6 with a scope). */
bool resolver_numeric(struct dry_caller caller, const char *text, struct resolver_address *address);
/* Orders addresses by RFC 6724, asking the system for the source of each. */
void resolver_order(struct dry_caller caller, struct resolver_address *addresses, size_t count);

#endif
