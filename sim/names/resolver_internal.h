/* Between the resolver's own files: the configuration, what a lookup finds, and its pieces.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_RESOLVER_INTERNAL_H
#define SIM_RESOLVER_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>

#include "resolver.h"

enum {
    RESOLVER_NAME_BYTES = 256, /* MAXHOSTNAMELEN: the longest name that is told, with its NUL */
    RESOLVER_SERVERS = 3,      /* MAXNS */
    RESOLVER_SEARCHES = 32,    /* SIMPLER: the C library has no limit since 2.26 */
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
    char names[];      /* one after the other, each with its NUL */
};

/* Of a task that met a server which does not take two questions at once: it asks them apart from then
 * on (bits of asker.habit). */
enum { HABIT_SINGLE_REQUEST = 1, HABIT_REOPEN = 2 };

struct sim_resolver {
    struct resolver_hosts_line *first, *last;
    struct sockaddr_in6 servers[RESOLVER_SERVERS]; /* AF_INET ones hold a sockaddr_in */
    unsigned server_count;
    char searches[RESOLVER_SEARCHES][RESOLVER_NAME_BYTES];
    unsigned search_count;
    unsigned ndots, timeout_s, attempts;
    bool use_tcp, rotate, no_aaaa, edns, trust_ad, no_tld_query;
    bool single_request, single_request_reopen;
    bool ignored;      /* options that change nothing here */
    bool search_given; /* else the host's own domain is searched */
    uint32_t *memory;  /* [0]: exchanges so far, with rotate; [1]: the last identifier */
    uint32_t own_memory[2];
};

/* How a source of names (a file, the DNS) answered: the C library's nss_status. */
enum resolver_status {
    RESOLVER_FOUND = 0,
    RESOLVER_NOT_FOUND,
    RESOLVER_TRY_AGAIN,
    RESOLVER_UNAVAILABLE,
};

/* What a lookup by name or address found. h_error: 0, or HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY,
 * NO_DATA, NETDB_INTERNAL (then system_error says why). The arrays are held memory (below). */
struct resolver_found {
    struct dry_caller caller;
    uint32_t *habit;
    size_t room_bytes; /* of the buffer that getaddrinfo would have for this; 0: any */
    enum resolver_status status;
    int h_error, system_error;
    char canonical[RESOLVER_NAME_BYTES];
    size_t alias_count, alias_room;
    char (*aliases)[RESOLVER_NAME_BYTES];
    size_t address_count, address_room;
    struct resolver_address *addresses;
};

/* Memory of the call in progress, which goes with its task (system.h); NULL: there is none. */
void *resolver_hold(struct dry_caller caller, size_t bytes);
void resolver_release(struct dry_caller caller, void *memory);

/* Status not found, HOST_NOT_FOUND. */
struct resolver_found resolver_nothing(struct sim_resolver_asker asker);
void resolver_forget(struct resolver_found *found); /* frees all of it */
/* Without memory system_error becomes ENOMEM, and in the end the whole unavailable. */
void resolver_add_address(struct resolver_found *found, const struct resolver_address *address);
void resolver_add_alias(struct resolver_found *found, const char *name);

/* families: AF_INET, AF_INET6 or AF_UNSPEC for both. */
void resolver_in_hosts(const struct sim_resolver *resolver, const char *name, int family,
                       struct resolver_found *found);
void resolver_in_hosts_by_address(const struct sim_resolver *resolver,
                                  const struct resolver_address *address, struct resolver_found *found);
/* Asks the DNS, with the search list; fills found. */
void resolver_dns_by_name(struct sim_resolver *resolver, const char *name, int family,
                          struct resolver_found *found);
void resolver_dns_by_address(struct sim_resolver *resolver, const struct resolver_address *address,
                             struct resolver_found *found);
/* hosts, then DNS. */
void resolver_by_name(struct sim_resolver *resolver, const char *name, int family,
                      struct resolver_found *found);
void resolver_by_address(struct sim_resolver *resolver, const struct resolver_address *address,
                         struct resolver_found *found);
/* A numeric host as getaddrinfo reads it (inet_aton's forms; IPv6 with a scope). *bad_scope: it is an
 * address of which only the scope cannot be read. */
bool resolver_numeric(struct dry_caller caller, const char *text, struct resolver_address *address,
                      bool *bad_scope);
/* Orders addresses by RFC 6724, asking the system for the source of each. False: no memory. */
bool resolver_order(struct dry_caller caller, struct resolver_address *addresses, size_t count);

/* ---- the DNS ------------------------------------------------------------------------------ */

enum {
    RESOLVER_QUERY_BYTES = 512,
    RESOLVER_MESSAGE_BYTES = 65536,
};

struct resolver_query {
    uint8_t message[RESOLVER_QUERY_BYTES];
    size_t length;
};

/* One exchange: one question, or A and AAAA of one name at once. */
struct resolver_exchange {
    struct sim_resolver *resolver;
    struct dry_caller caller;
    uint32_t *habit;
    struct resolver_query queries[2];
    size_t count;
    uint8_t *answers[2]; /* by when they came, not by which was asked; RESOLVER_MESSAGE_BYTES each */
    size_t lengths[2];   /* 0: none */
    int error;           /* errno of the last failure */
};

/* Asks the servers; true: at least one answer is there, else error says why not. */
bool resolver_send(struct resolver_exchange *exchange);

/* Reads answers as the C library's module for the DNS does; status and h_error in found. */
void resolver_read_both(const struct resolver_exchange *exchange, struct resolver_found *found);
void resolver_read_one(const struct resolver_exchange *exchange, int type,
                       struct resolver_found *found);
void resolver_read_pointer(const struct resolver_exchange *exchange, struct resolver_found *found);

#endif
