/* getaddrinfo as the C library has it: what is asked, what is found, in which order it is given.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver_internal.h"

/* The socket types a result may have, in the C library's order (gaih_inettypes). */
static const struct kind {
    int type, protocol;
    const char *service_protocol; /* NULL: has no services */
    bool by_default;              /* stands in results when no type and no protocol is asked for */
    bool any_protocol;
} kinds[] = {
    {SOCK_STREAM, IPPROTO_TCP, "tcp", true, false},
    {SOCK_DGRAM, IPPROTO_UDP, "udp", true, false},
    {SOCK_DCCP, IPPROTO_DCCP, "dccp", false, false},
    {SOCK_DGRAM, IPPROTO_UDPLITE, "udplite", false, false},
    {SOCK_STREAM, IPPROTO_SCTP, "sctp", false, false},
    {SOCK_SEQPACKET, IPPROTO_SCTP, "sctp", false, false},
    {SOCK_RAW, 0, NULL, true, true},
};
enum {
    KIND_COUNT = sizeof kinds / sizeof kinds[0],
    FIRST_ROOM_BYTES = 1024, /* of the C library's scratch buffer */
};

struct request {
    struct dry_caller caller;
    const char *node, *service;
    int flags, family, type, protocol;
    bool wanted[KIND_COUNT];
    in_port_t ports[KIND_COUNT]; /* network order */
};

static int check_hints(struct request *request, const struct addrinfo *hints)
{
    enum {
        KNOWN = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_ADDRCONFIG | AI_V4MAPPED |
                AI_NUMERICSERV | AI_ALL | AI_IDN | AI_CANONIDN,
    };
    if (request->node == NULL && request->service == NULL) {
        return EAI_NONAME;
    }
    if (hints == NULL) {
        request->flags = AI_V4MAPPED | AI_ADDRCONFIG;
        return 0;
    }
    request->flags = hints->ai_flags;
    request->family = hints->ai_family;
    request->type = hints->ai_socktype;
    request->protocol = hints->ai_protocol;
    if ((hints->ai_flags & ~KNOWN) != 0) {
        return EAI_BADFLAGS;
    }
    if ((hints->ai_flags & AI_CANONNAME) != 0 && request->node == NULL) {
        return EAI_BADFLAGS;
    }
    if (request->family != AF_UNSPEC && request->family != AF_INET && request->family != AF_INET6) {
        return EAI_FAMILY;
    }
    return 0;
}

static bool kind_matches(const struct request *request, const struct kind *kind)
{
    return (request->type == 0 || request->type == kind->type) &&
           (request->protocol == 0 || kind->any_protocol || request->protocol == kind->protocol);
}

/* A service that is a whole number, as strtoul reads it; one of no characters is 0. */
static bool numeric_service(const char *service, unsigned long *port)
{
    char *end;
    *port = strtoul(service, &end, 10);
    return *end == 0;
}

/* The port of a named service for one kind; false when it has none of that name. */
static bool named_port(struct request *request, size_t kind)
{
    struct servent entry;
    char buffer[2048];
    if (kinds[kind].service_protocol == NULL ||
        request->caller.system->getservbyname(request->caller, request->service,
                                              kinds[kind].service_protocol, &entry, buffer,
                                              sizeof buffer) != 0) {
        return false;
    }
    request->ports[kind] = (in_port_t)entry.s_port;
    return true;
}

/* A type or a protocol is asked for: the first kind that fits is the only one. */
static int choose_one_kind(struct request *request, bool named)
{
    size_t kind = 0;
    while (kind < KIND_COUNT && !kind_matches(request, &kinds[kind])) {
        kind++;
    }
    if (kind == KIND_COUNT) {
        return request->type != 0 ? EAI_SOCKTYPE : EAI_SERVICE;
    }
    if (request->service != NULL && kinds[kind].service_protocol == NULL) {
        return EAI_SERVICE;
    }
    if (named && !named_port(request, kind)) {
        return EAI_SERVICE;
    }
    request->wanted[kind] = true;
    return 0;
}

/* Which kinds of socket the results are for, and their ports. */
static int choose_kinds(struct request *request)
{
    unsigned long number = 0;
    bool named = request->service != NULL && !numeric_service(request->service, &number);
    if (named && (request->flags & AI_NUMERICSERV) != 0) {
        return EAI_NONAME;
    }
    named = named || (int)number < 0; /* LINUX: "-1" is looked for by name */
    for (size_t i = 0; i < KIND_COUNT; i++) {
        request->ports[i] = htons((uint16_t)number);
    }
    if (request->type != 0 || request->protocol != 0) {
        return choose_one_kind(request, named);
    }
    bool any = false;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        request->wanted[i] = named ? named_port(request, i) : kinds[i].by_default;
        any = any || request->wanted[i];
    }
    return any ? 0 : EAI_SERVICE;
}

static void add_fixed(struct resolver_found *found, const char *text, int family)
{
    struct resolver_address address = {.family = family};
    inet_pton(family, text, address.bytes);
    resolver_add_address(found, &address);
}

/* No host: the wildcard for servers, the loopback for clients. */
static void find_default(const struct request *request, struct resolver_found *found)
{
    bool passive = (request->flags & AI_PASSIVE) != 0;
    if (request->family != AF_INET) {
        add_fixed(found, passive ? "::" : "::1", AF_INET6);
    }
    if (request->family != AF_INET6) {
        add_fixed(found, passive ? "0.0.0.0" : "127.0.0.1", AF_INET);
    }
}

static void map_address(struct resolver_address *address)
{
    uint8_t v4[4];
    memcpy(v4, address->bytes, 4);
    *address = (struct resolver_address){.family = AF_INET6, .bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(address->bytes + 12, v4, 4);
}

/* LINUX: the family is looked at before the scope. */
static int find_numeric(const struct request *request, struct resolver_address address, bool bad_scope,
                        struct resolver_found *found)
{
    struct in6_addr ip;
    memcpy(&ip, address.bytes, sizeof ip);
    if (request->family == AF_INET6 && address.family == AF_INET &&
        (request->flags & AI_V4MAPPED) != 0) {
        map_address(&address);
    } else if (request->family == AF_INET && address.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ip)) {
        memmove(address.bytes, address.bytes + 12, 4);
        memset(address.bytes + 4, 0, 12);
        address.family = AF_INET;
    } else if (request->family != AF_UNSPEC && request->family != address.family) {
        return EAI_ADDRFAMILY;
    }
    if (bad_scope) {
        return EAI_NONAME;
    }
    resolver_add_address(found, &address);
    return 0;
}

/* LINUX: what each failure becomes depends on which of its ways getaddrinfo took; this is the one of
 * the older calls, which serves IPv4 alone without the canonical name. */
static int simple_error(const struct resolver_found *found, int *system_error)
{
    if (found->status == RESOLVER_FOUND) {
        return 0;
    }
    if (found->status == RESOLVER_NOT_FOUND) {
        return found->h_error == NO_DATA ? EAI_NODATA : EAI_NONAME;
    }
    if (found->h_error == NETDB_INTERNAL) {
        *system_error = found->system_error;
        return EAI_SYSTEM;
    }
    return found->h_error == TRY_AGAIN ? EAI_AGAIN : EAI_NODATA;
}

/* What one question of the newer way lacks: 0 nothing that is known, EAI_AGAIN, else data. */
static int lack_of(const struct resolver_found *found)
{
    if (found->status == RESOLVER_FOUND) {
        return 0;
    }
    return found->h_error == TRY_AGAIN ? EAI_AGAIN : found->h_error == NO_DATA;
}

static int newer_error(int first_lack, int second_lack)
{
    if (first_lack == 0 || second_lack == 0) {
        return EAI_NONAME;
    }
    return first_lack == EAI_AGAIN && second_lack == EAI_AGAIN ? EAI_AGAIN : EAI_NODATA;
}

static void ask(struct sim_resolver *resolver, bool dns, const char *name, int family,
                struct resolver_found *found)
{
    if (dns) {
        resolver_dns_by_name(resolver, name, family, found);
    } else {
        resolver_in_hosts(resolver, name, family, found);
    }
}

/* IPv6 addresses, and IPv4 ones in their place or beside them: one question after the other. */
static int find_mapped(struct sim_resolver *resolver, const struct request *request,
                       struct resolver_found *found, int *system_error)
{
    int lacks[2] = {0, 0};
    for (int dns = 0; dns < 2 && found->status != RESOLVER_FOUND; dns++) {
        ask(resolver, dns, request->node, AF_INET6, found);
        lacks[0] = lacks[1] = lack_of(found);
        bool any = found->status == RESOLVER_FOUND;
        if (found->h_error != NETDB_INTERNAL && (!any || (request->flags & AI_ALL) != 0)) {
            struct resolver_found more = resolver_nothing(
                (struct sim_resolver_asker){.caller = found->caller, .habit = found->habit});
            more.room_bytes = found->room_bytes;
            ask(resolver, dns, request->node, AF_INET, &more);
            lacks[1] = lack_of(&more);
            for (size_t i = 0; i < more.address_count; i++) {
                map_address(&more.addresses[i]);
                resolver_add_address(found, &more.addresses[i]);
            }
            if (!any) {
                found->status = more.status;
                found->h_error = more.h_error;
                found->system_error = more.system_error;
                strcpy(found->canonical, more.canonical);
            }
            resolver_forget(&more);
        }
        if (found->h_error == NETDB_INTERNAL) {
            *system_error = found->system_error;
            return EAI_SYSTEM;
        }
    }
    return found->status == RESOLVER_FOUND ? 0 : newer_error(lacks[0], lacks[1]);
}

static int find_named(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                      struct request *request, struct resolver_found *found, int *system_error)
{
    int family = request->family;
    if ((request->flags & AI_ADDRCONFIG) != 0) {
        if (family == AF_UNSPEC && asker.has_ipv4 != asker.has_ipv6) {
            family = asker.has_ipv4 ? AF_INET : AF_INET6;
        } else if ((family == AF_INET && !asker.has_ipv4 && asker.has_ipv6) ||
                   (family == AF_INET6 && !asker.has_ipv6 && asker.has_ipv4)) {
            return EAI_NONAME;
        }
    }
    if (family == AF_INET6 && (request->flags & AI_V4MAPPED) != 0) {
        return find_mapped(resolver, request, found, system_error);
    }
    resolver_by_name(resolver, request->node, family, found);
    if (family == AF_INET && (request->flags & AI_CANONNAME) == 0) {
        return simple_error(found, system_error);
    }
    if (found->h_error == NETDB_INTERNAL) {
        *system_error = found->system_error;
        return EAI_SYSTEM;
    }
    int lack = lack_of(found);
    return found->status == RESOLVER_FOUND ? 0 : newer_error(lack, lack);
}

static int find(struct sim_resolver *resolver, struct sim_resolver_asker asker, struct request *request,
                struct resolver_found *found, int *system_error)
{
    struct resolver_address address;
    bool bad_scope;
    if (request->node == NULL) {
        find_default(request, found);
        return 0;
    }
    if (resolver_numeric(request->caller, request->node, &address, &bad_scope)) {
        return find_numeric(request, address, bad_scope, found);
    }
    if ((request->flags & AI_NUMERICHOST) != 0 || request->node[0] == 0) {
        return EAI_NONAME;
    }
    return find_named(resolver, asker, request, found, system_error);
}

/* One result in one allocation, its address behind it. */
static struct addrinfo *make_result(const struct request *request, size_t kind,
                                    const struct resolver_address *address)
{
    struct result {
        struct addrinfo info;
        struct sockaddr_in6 storage;
    } *result = calloc(1, sizeof *result);
    if (result == NULL) {
        return NULL;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = request->ports[kind]};
    result->storage = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_port = request->ports[kind], .sin6_scope_id = address->scope};
    memcpy(&v4.sin_addr, address->bytes, 4);
    memcpy(&result->storage.sin6_addr, address->bytes, 16);
    if (address->family == AF_INET) {
        memcpy(&result->storage, &v4, sizeof v4);
    }
    result->info.ai_flags = request->flags;
    result->info.ai_family = address->family;
    result->info.ai_socktype = kinds[kind].type;
    result->info.ai_protocol = kinds[kind].any_protocol ? request->protocol : kinds[kind].protocol;
    result->info.ai_addrlen = address->family == AF_INET ? sizeof v4 : sizeof result->storage;
    result->info.ai_addr = (struct sockaddr *)&result->storage;
    return &result->info;
}

static int make_list(const struct request *request, const struct resolver_found *found,
                     struct addrinfo **list)
{
    struct addrinfo **end = list;
    *list = NULL;
    for (size_t i = 0; i < found->address_count; i++) {
        for (size_t kind = 0; kind < KIND_COUNT; kind++) {
            if (!request->wanted[kind]) {
                continue;
            }
            *end = make_result(request, kind, &found->addresses[i]);
            if (*end == NULL) {
                sim_resolver_freeaddrinfo(*list);
                return EAI_MEMORY;
            }
            end = &(*end)->ai_next;
        }
    }
    if ((request->flags & AI_CANONNAME) != 0 && *list != NULL) {
        const char *name = found->canonical[0] != 0 ? found->canonical : request->node;
        (*list)->ai_canonname = strdup(name);
        if ((*list)->ai_canonname == NULL) {
            sim_resolver_freeaddrinfo(*list);
            return EAI_MEMORY;
        }
    }
    return 0;
}

int sim_resolver_getaddrinfo(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                             const char *node, const char *service, const struct addrinfo *hints,
                             struct addrinfo **list, int *system_error)
{
    /* LINUX: "*" is no name at all, for host and service alike. */
    if (node != NULL && strcmp(node, "*") == 0) {
        node = NULL;
    }
    if (service != NULL && strcmp(service, "*") == 0) {
        service = NULL;
    }
    struct request request = {.caller = asker.caller, .node = node, .service = service};
    struct resolver_found found = resolver_nothing(asker);
    found.room_bytes = FIRST_ROOM_BYTES;
    int result = check_hints(&request, hints);
    if (result == 0) {
        result = choose_kinds(&request);
    }
    if (result == 0) {
        result = find(resolver, asker, &request, &found, system_error);
    }
    if (result == 0 && !resolver_order(asker.caller, found.addresses, found.address_count)) {
        result = EAI_MEMORY;
    }
    if (result == 0) {
        result = make_list(&request, &found, list);
    }
    resolver_forget(&found);
    return result;
}

void sim_resolver_freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list);
        list = next;
    }
}
