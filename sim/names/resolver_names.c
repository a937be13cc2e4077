/* Names from addresses and the older calls: getnameinfo, gethostbyname, gethostbyaddr.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver_internal.h"

static bool address_of(const struct sockaddr *from, socklen_t length, struct resolver_address *address,
                       in_port_t *port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    *address = (struct resolver_address){.family = from->sa_family};
    if (from->sa_family == AF_INET && length >= sizeof v4) {
        memcpy(&v4, from, sizeof v4);
        memcpy(address->bytes, &v4.sin_addr, 4);
        *port = v4.sin_port;
        return true;
    }
    if (from->sa_family == AF_INET6 && length >= sizeof v6) {
        memcpy(&v6, from, sizeof v6);
        memcpy(address->bytes, &v6.sin6_addr, 16);
        address->scope = v6.sin6_scope_id;
        *port = v6.sin6_port;
        return true;
    }
    return false;
}

/* 0, or EAI_OVERFLOW when it does not fit. */
static int give(const char *text, char *buffer, socklen_t bytes)
{
    if (strlen(text) >= bytes) {
        return EAI_OVERFLOW;
    }
    strcpy(buffer, text);
    return 0;
}

static void print_numeric(struct dry_caller caller, const struct resolver_address *address,
                          char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1])
{
    inet_ntop(address->family, address->bytes, text, INET6_ADDRSTRLEN);
    if (address->scope == 0) {
        return;
    }
    size_t at = strlen(text);
    bool link_local = address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
    char name[IF_NAMESIZE];
    text[at++] = '%';
    if (link_local && caller.system->if_indextoname(caller, address->scope, name) >= 0) {
        snprintf(text + at, IF_NAMESIZE, "%s", name);
    } else {
        snprintf(text + at, IF_NAMESIZE, "%u", address->scope);
    }
}

static int give_host(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                     const struct resolver_address *address, char *host, socklen_t bytes, int flags,
                     int *system_error)
{
    if ((flags & NI_NUMERICHOST) == 0) {
        struct resolver_found found = resolver_nothing(asker);
        int result = 0;
        resolver_by_address(resolver, address, &found);
        bool named = found.status == RESOLVER_FOUND;
        if (named) {
            result = give(found.canonical, host, bytes);
        } else if (found.h_error == NETDB_INTERNAL) {
            *system_error = found.system_error;
            result = EAI_SYSTEM;
        } else if (found.h_error == TRY_AGAIN) {
            result = EAI_AGAIN;
        }
        resolver_forget(&found);
        if (named || result != 0) {
            return result;
        }
        if ((flags & NI_NAMEREQD) != 0) {
            return EAI_NONAME;
        }
    }
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    print_numeric(asker.caller, address, text);
    return give(text, host, bytes);
}

static int give_service(struct dry_caller caller, in_port_t port, char *service, socklen_t bytes,
                        int flags)
{
    struct servent entry;
    char buffer[2048], text[8];
    if ((flags & NI_NUMERICSERV) == 0 &&
        caller.system->getservbyport(caller, port, (flags & NI_DGRAM) != 0 ? "udp" : "tcp", &entry,
                                     buffer, sizeof buffer) == 0) {
        return give(entry.s_name, service, bytes);
    }
    snprintf(text, sizeof text, "%u", ntohs(port));
    return give(text, service, bytes);
}

int sim_resolver_getnameinfo(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                             const struct sockaddr *from, socklen_t length, char *host,
                             socklen_t host_bytes, char *service, socklen_t service_bytes, int flags,
                             int *system_error)
{
    enum {
        KNOWN = NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM | NI_IDN,
    };
    struct resolver_address address;
    in_port_t port;
    if ((flags & ~KNOWN) != 0) {
        return EAI_BADFLAGS;
    }
    if (!address_of(from, length, &address, &port)) {
        return EAI_FAMILY;
    }
    bool wants_host = host != NULL && host_bytes > 0;
    bool wants_service = service != NULL && service_bytes > 0;
    if (!wants_host && ((flags & NI_NAMEREQD) != 0 || !wants_service)) {
        return EAI_NONAME;
    }
    int result = 0;
    if (wants_host) {
        result = give_host(resolver, asker, &address, host, host_bytes, flags, system_error);
    }
    if (result == 0 && wants_service) {
        result = give_service(asker.caller, port, service, service_bytes, flags);
    }
    return result;
}

/* ---- struct hostent in a caller's buffer -------------------------------------------------- */

struct store {
    char *at;
    size_t left;
};

static void *take(struct store *store, size_t bytes)
{
    size_t skip = (size_t)(-(uintptr_t)store->at & (sizeof(void *) - 1));
    if (store->left < skip + bytes) {
        return NULL;
    }
    void *taken = store->at + skip;
    store->at += skip + bytes;
    store->left -= skip + bytes;
    return taken;
}

static char *keep(struct store *store, const void *data, size_t bytes)
{
    char *kept = take(store, bytes);
    if (kept != NULL) {
        memcpy(kept, data, bytes);
    }
    return kept;
}

static int make_hostent(const struct resolver_found *found, const char *name, int family,
                        struct hostent *result, char *buffer, size_t bytes)
{
    struct store store = {buffer, bytes};
    const char *canonical = found->canonical[0] != 0 ? found->canonical : name;
    size_t address_bytes = family == AF_INET ? 4 : 16;
    char **aliases = take(&store, (found->alias_count + 1) * sizeof *aliases);
    char **addresses = take(&store, (found->address_count + 1) * sizeof *addresses);
    char *kept = keep(&store, canonical, strlen(canonical) + 1);
    if (aliases == NULL || addresses == NULL || kept == NULL) {
        return NO_RECOVERY;
    }
    for (size_t i = 0; i < found->alias_count; i++) {
        aliases[i] = keep(&store, found->aliases[i], strlen(found->aliases[i]) + 1);
        if (aliases[i] == NULL) {
            return NO_RECOVERY;
        }
    }
    aliases[found->alias_count] = NULL;
    for (size_t i = 0; i < found->address_count; i++) {
        addresses[i] = keep(&store, found->addresses[i].bytes, address_bytes);
        if (addresses[i] == NULL) {
            return NO_RECOVERY;
        }
    }
    addresses[found->address_count] = NULL;
    *result = (struct hostent){.h_name = kept,
                               .h_aliases = aliases,
                               .h_addrtype = family,
                               .h_length = (int)address_bytes,
                               .h_addr_list = addresses};
    return 0;
}

int sim_resolver_gethostbyname(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                               const char *name, int family, struct hostent *result, char *buffer,
                               size_t bytes)
{
    struct resolver_found found = resolver_nothing(asker);
    struct resolver_address address;
    bool bad_scope;
    if (resolver_numeric(asker.caller, name, &address, &bad_scope) && !bad_scope) {
        found.h_error = address.family == family ? 0 : HOST_NOT_FOUND;
        resolver_add_address(&found, &address);
    } else {
        resolver_by_name(resolver, name, family, &found);
    }
    int h_error = found.h_error;
    if (h_error == 0) {
        h_error = make_hostent(&found, name, family, result, buffer, bytes);
    }
    resolver_forget(&found);
    return h_error;
}

int sim_resolver_gethostbyaddr(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                               const void *address, socklen_t length, int family,
                               struct hostent *result, char *buffer, size_t bytes)
{
    struct resolver_address wanted = {.family = family};
    if ((family != AF_INET || length != 4) && (family != AF_INET6 || length != 16)) {
        return HOST_NOT_FOUND;
    }
    memcpy(wanted.bytes, address, length);
    struct resolver_found found = resolver_nothing(asker);
    resolver_by_address(resolver, &wanted, &found);
    int h_error = found.h_error;
    if (h_error == 0) {
        h_error = make_hostent(&found, "", found.addresses[0].family, result, buffer, bytes);
    }
    resolver_forget(&found);
    return h_error;
}
