/* AF_INET and AF_INET6 addresses, and the resolution of their host names.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "error.h"
#include "idna.h"
#include "value.h"

enum {
    FLOWINFO_MAX = 0xfffff,
};

static struct sockaddr_in *as_inet(struct dry_address *address)
{
    return (struct sockaddr_in *)(void *)&address->storage;
}

static struct sockaddr_in6 *as_inet6(struct dry_address *address)
{
    return (struct sockaddr_in6 *)(void *)&address->storage;
}

/* CPython's idna_converter: str through the codec, bytes as they are. *host is held memory. */
static int read_host(const struct address_source *source, uint32_t index, char **host)
{
    const struct dry_value *item = &source->value->items[index];
    if (item->kind != DRY_TEXT && item->kind != DRY_BYTES) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "str, bytes or bytearray expected, not %s", dry_value_type_name(item));
    }
    bool nul = item->count && memchr(item->bytes, 0, item->count);
    if (nul) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "host name must not contain null character");
    }
    const char *bytes = item->bytes ? item->bytes : "";
    const char *problem = NULL;
    if (item->kind == DRY_TEXT) {
        *host = dry_idna_encode(source->caller, bytes, item->count, &problem);
    } else {
        *host = dry_hold(source->caller, (size_t)item->count + 1);
        if (*host) {
            memcpy(*host, bytes, item->count);
            (*host)[item->count] = 0;
        }
    }
    if (*host) {
        return 0;
    }
    if (!problem) {
        return dry_error_os(source->caller, ENOMEM);
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE, "encoding of hostname failed");
}

static int call_resolver(const struct address_source *source, const char *node, const char *service,
                         const struct addrinfo *hints, struct addrinfo **list)
{
    int system_error = 0;
    int code = source->caller.system->getaddrinfo(source->caller, node, service, hints, list,
                                                  &system_error);
    return code ? dry_error_gai(source->caller, code, system_error) : 0;
}

static void copy_found(const struct addrinfo *found, struct dry_address *address)
{
    size_t bytes = found->ai_addrlen;
    memcpy(&address->storage, found->ai_addr,
           bytes < sizeof(address->storage) ? bytes : sizeof(address->storage));
}

/* "" is the wildcard address; the resolver says which it is. */
static int resolve_wildcard(const struct address_source *source, int family,
                            struct dry_address *address)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    if (DRY_MUTANT(empty_host_is_loopback)) {
        hints.ai_flags = 0;
    }
    if (call_resolver(source, NULL, "0", &hints, &list) < 0) {
        return -1;
    }
    int status = 0;
    if (list->ai_next) {
        status = dry_error_os_text(source->caller, "wildcard resolved to multiple address");
    } else {
        copy_found(list, address);
    }
    source->caller.system->freeaddrinfo(source->caller, list);
    return status;
}

static int resolve_name(const struct address_source *source, const char *host, int family,
                        struct dry_address *address)
{
    struct addrinfo hints = {.ai_family = family};
    struct addrinfo *list = NULL;
    if (call_resolver(source, host, NULL, &hints, &list) < 0) {
        return -1;
    }
    copy_found(list, address);
    source->caller.system->freeaddrinfo(source->caller, list);
    if (address->generic.sa_family != AF_INET && address->generic.sa_family != AF_INET6) {
        return dry_error_os_text(source->caller, "unknown address family");
    }
    return 0;
}

/* What needs no resolver: the two names of the broadcast address, and numeric texts, except IPv6
 * ones with a scope, whose interface names only the resolver can turn into numbers.
 * 1: done, 0: not one of these. */
static int resolve_numeric(const struct address_source *source, const char *host, int family,
                           struct dry_address *address)
{
    if (strcmp(host, "255.255.255.255") == 0 || strcmp(host, "<broadcast>") == 0) {
        if (family != AF_INET) {
            return dry_error_os_text(source->caller, "address family mismatched");
        }
        as_inet(address)->sin_addr.s_addr = INADDR_BROADCAST;
        return 1;
    }
    if (family == AF_INET) {
        return inet_pton(AF_INET, host, &as_inet(address)->sin_addr) > 0;
    }
    if (strchr(host, '%')) {
        return 0;
    }
    return inet_pton(AF_INET6, host, &as_inet6(address)->sin6_addr) > 0;
}

int address_resolve(const struct address_source *source, uint32_t index, int family,
                    struct dry_address *address)
{
    char *host = NULL;
    if (read_host(source, index, &host) < 0) {
        return -1;
    }
    /* The port is read before anything is looked up, so that a wrong one costs no query. */
    int port = 0;
    int status = argument_int(source, index + 1, "port must be 0-65535.", &port);
    uint64_t ignored;
    for (uint32_t i = index + 2; status == 0 && i < source->value->count; i++) {
        status = argument_bits(source, i, &ignored);
    }
    if (status == 0 && host[0] == 0) {
        status = resolve_wildcard(source, family, address);
    } else if (status == 0) {
        status = resolve_numeric(source, host, family, address);
        if (status == 0) {
            status = resolve_name(source, host, family, address);
        }
    }
    dry_release(source->caller, host);
    return status < 0 ? -1 : 0;
}

int address_port_check(const struct address_source *source, int port)
{
    if ((port >= 0 && port <= UINT16_MAX) || DRY_MUTANT(port_is_cut_to_16_bits)) {
        return 0;
    }
    return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "%s(): port must be 0-65535.",
                           source->method);
}

static int inet_from_value(const struct address_source *source, struct dry_address *address)
{
    int port = 0;
    if (argument_tuple(source, "AF_INET") < 0 ||
        argument_count(source, 2, 2, "AF_INET address must be a pair (host, port)") < 0 ||
        address_resolve(source, 0, AF_INET, address) < 0 ||
        argument_int(source, 1, "port must be 0-65535.", &port) < 0 ||
        address_port_check(source, port) < 0) {
        return -1;
    }
    struct sockaddr_in *inet = as_inet(address);
    inet->sin_family = AF_INET;
    inet->sin_port = htons((uint16_t)port);
    address->length = sizeof(*inet);
    return 0;
}

static int inet_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_in *inet = (const void *)&address->storage;
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &inet->sin_addr, text, sizeof(text));
    sink_text(sink, 0, text, strlen(text));
    sink_int(sink, 1, ntohs(inet->sin_port));
    return sink_tuple(sink, 2);
}

static int inet6_from_value(const struct address_source *source, struct dry_address *address)
{
    int port = 0;
    uint64_t flowinfo = 0;
    uint64_t scope = 0;
    if (argument_tuple(source, "AF_INET6") < 0 ||
        argument_count(source, 2, 4,
                       "AF_INET6 address must be a tuple "
                       "(host, port[, flowinfo[, scopeid]])") < 0 ||
        address_resolve(source, 0, AF_INET6, address) < 0 ||
        argument_int(source, 1, "port must be 0-65535.", &port) < 0 ||
        argument_bits(source, 2, &flowinfo) < 0 || argument_bits(source, 3, &scope) < 0 ||
        address_port_check(source, port) < 0) {
        return -1;
    }
    if ((uint32_t)flowinfo > FLOWINFO_MAX) {
        return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "%s(): flowinfo must be 0-1048575.",
                               source->method);
    }
    struct sockaddr_in6 *inet6 = as_inet6(address);
    inet6->sin6_family = AF_INET6;
    inet6->sin6_port = htons((uint16_t)port);
    inet6->sin6_flowinfo = htonl((uint32_t)flowinfo);
    /* As CPython: the tuple's scope replaces one that the resolver found in the text. */
    inet6->sin6_scope_id = (uint32_t)scope;
    address->length = sizeof(*inet6);
    return 0;
}

static int inet6_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_in6 *inet6 = (const void *)&address->storage;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(AF_INET6, &inet6->sin6_addr, text, sizeof(text));
    sink_text(sink, 0, text, strlen(text));
    sink_int(sink, 1, ntohs(inet6->sin6_port));
    sink_int(sink, 2, ntohl(inet6->sin6_flowinfo));
    sink_int(sink, 3, inet6->sin6_scope_id);
    return sink_tuple(sink, 4);
}

/* ---- AF_UNSPEC: getnameinfo's argument ------------------------------------------------------- */

static int check_found(const struct address_source *source, const struct addrinfo *list)
{
    if (list->ai_next) {
        return dry_error_os_text(source->caller, "sockaddr resolved to multiple addresses");
    }
    if (list->ai_family == AF_INET && source->value->count != 2) {
        return dry_error_os_text(source->caller, "IPv4 sockaddr must be 2 tuple");
    }
    return 0;
}

/* A numeric host of either family, and a port of any size. */
static int unspec_from_value(const struct address_source *source, struct dry_address *address)
{
    static const char form[] = "getnameinfo(): illegal sockaddr argument";
    char host[NI_MAXHOST];
    char service[16];
    size_t host_length = 0;
    int port = 0;
    uint64_t flowinfo = 0;
    uint64_t scope = 0;
    if (source->value->kind != DRY_TUPLE) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "getnameinfo() argument 1 must be a tuple");
    }
    if (argument_count(source, 2, 4, form) < 0 ||
        argument_text(source, 0, form, host, sizeof(host), &host_length) < 0 ||
        argument_int(source, 1, NULL, &port) < 0 || argument_bits(source, 2, &flowinfo) < 0 ||
        argument_bits(source, 3, &scope) < 0) {
        return -1;
    }
    if ((uint32_t)flowinfo > FLOWINFO_MAX) {
        return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "%s(): flowinfo must be 0-1048575.",
                               source->method);
    }
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    snprintf(service, sizeof(service), "%d", port);
    if (call_resolver(source, host, service, &hints, &list) < 0) {
        return -1;
    }
    int status = check_found(source, list);
    copy_found(list, address);
    address->length = list->ai_addrlen;
    if (list->ai_family == AF_INET6) {
        as_inet6(address)->sin6_flowinfo = htonl((uint32_t)flowinfo);
        as_inet6(address)->sin6_scope_id = (uint32_t)scope;
    }
    source->caller.system->freeaddrinfo(source->caller, list);
    return status;
}

const struct address_family dry_family_unspec = {AF_UNSPEC, unspec_from_value, NULL};
const struct address_family dry_family_inet = {AF_INET, inet_from_value, inet_to_value};
const struct address_family dry_family_inet6 = {AF_INET6, inet6_from_value, inet6_to_value};
/* CPython reads an AF_RDS address as an AF_INET one; what comes back from the system is AF_INET. */
const struct address_family dry_family_rds = {AF_RDS, inet_from_value, NULL};
