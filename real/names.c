/* Names of hosts and services: getaddrinfo, getnameinfo and the older calls.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "idna.h"

/* ---- getaddrinfo and getnameinfo ---------------------------------------------------------- */

/* The system's list as ours: entries first, then the canonical names, in one allocation. */
static struct dry_addrinfo *copy_list(const struct addrinfo *list, size_t *count)
{
    size_t entries = 0;
    size_t text_bytes = 0;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        entries++;
        text_bytes += (at->ai_canonname != NULL ? strlen(at->ai_canonname) : 0) + 1;
    }
    struct dry_addrinfo *copy = calloc(1, entries * sizeof *copy + text_bytes);
    if (copy == NULL) {
        return NULL;
    }
    char *text = (char *)(copy + entries);
    struct dry_addrinfo *entry = copy;
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next, entry++) {
        entry->family = at->ai_family;
        entry->type = at->ai_socktype;
        entry->protocol = at->ai_protocol;
        entry->canonname = text;
        text = stpcpy(text, at->ai_canonname != NULL ? at->ai_canonname : "") + 1;
        socklen_t length = at->ai_addrlen;
        if (length > sizeof entry->address.storage) {
            length = sizeof entry->address.storage;
        }
        memcpy(&entry->address.storage, at->ai_addr, length);
        entry->address.length = length;
        entry->address.protocol = at->ai_protocol;
    }
    *count = entries;
    return copy;
}

static int encode_host(struct dry_caller caller, const char *host, char **encoded)
{
    const char *problem = NULL;
    *encoded = NULL;
    if (host == NULL) {
        return 0;
    }
    if (dry_task_store(caller)->hosts_are_bytes) {
        *encoded = dry_hold(caller, strlen(host) + 1);
        return *encoded != NULL ? (strcpy(*encoded, host), 0) : dry_error_os(caller, ENOMEM);
    }
    *encoded = dry_idna_encode(caller, host, strlen(host), &problem);
    if (*encoded == NULL && problem == NULL) {
        return dry_error_os(caller, ENOMEM);
    }
    if (problem == NULL) {
        problem = dry_idna_problem(*encoded);
    }
    if (problem == NULL) {
        return 0;
    }
    dry_release(caller, *encoded);
    *encoded = NULL;
    return dry_error_value(caller, DRY_VALUE_UNICODE,
                           "encoding with 'idna' codec failed (UnicodeError: %s)", problem);
}

int dry_getaddrinfo(const char *host, const char *port, int family, int type, int protocol, int flags,
                    struct dry_addrinfo **list, size_t *count)
{
    struct dry_caller caller = dry_call_begin("getaddrinfo", -1);
    *list = NULL;
    *count = 0;
    char *encoded;
    int result = encode_host(caller, host, &encoded);
    if (result == 0) {
        struct addrinfo hints = {
            .ai_flags = flags, .ai_family = family, .ai_socktype = type, .ai_protocol = protocol};
        struct addrinfo *found = NULL;
        int system_error = 0;
        int code = caller.system->getaddrinfo(caller, encoded, port, &hints, &found, &system_error);
        if (code != 0) {
            result = dry_error_gai(caller, code, system_error);
        } else {
            *list = copy_list(found, count);
            caller.system->freeaddrinfo(caller, found);
            if (*list == NULL) {
                result = dry_error_os(caller, ENOMEM);
            }
        }
    }
    dry_release(caller, encoded);
    dry_call_end(caller);
    return result;
}

void dry_set_host_bytes(bool as_they_are)
{
    dry_task_store(dry_current_caller())->hosts_are_bytes = as_they_are;
}

void dry_freeaddrinfo(struct dry_addrinfo *list)
{
    free(list);
}

int dry_getnameinfo(const struct dry_address *address, int flags, char *host, size_t host_bytes,
                    char *service, size_t service_bytes)
{
    struct dry_caller caller = dry_call_begin("getnameinfo", -1);
    int system_error = 0;
    int code = caller.system->getnameinfo(caller, &address->generic, address->length, host,
                                          (socklen_t)host_bytes, service, (socklen_t)service_bytes,
                                          flags, &system_error);
    int result = code != 0 ? dry_error_gai(caller, code, system_error) : 0;
    dry_call_end(caller);
    return result;
}

/* ---- gethostby* --------------------------------------------------------------------------- */

struct host {
    int family;
    socklen_t bytes;
    uint8_t address[16];
};

/* A text that names an address without any resolver; the broadcast address has two. */
static bool read_numeric(const char *name, int family, struct host *host)
{
    if (strcmp(name, "<broadcast>") == 0) {
        name = "255.255.255.255";
    }
    *host = (struct host){.family = AF_INET, .bytes = 4};
    if (inet_pton(AF_INET, name, host->address) > 0) {
        return true;
    }
    *host = (struct host){.family = AF_INET6, .bytes = 16};
    /* Only the resolver turns the name of a scope into its number. */
    return family != AF_INET && strchr(name, '%') == NULL &&
           inet_pton(AF_INET6, name, host->address) > 0;
}

static int copy_host(struct dry_caller caller, const struct addrinfo *found, struct host *host)
{
    host->family = found->ai_family;
    if (host->family == AF_INET) {
        host->bytes = 4;
        memcpy(host->address, &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr, 4);
        return 0;
    }
    if (host->family == AF_INET6) {
        host->bytes = 16;
        memcpy(host->address, &((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr,
               16);
        return 0;
    }
    return dry_error_os_text(caller, "unknown address family");
}

/* The first address of a name, of AF_INET or (AF_UNSPEC) any family, as every older call begins:
 * numeric text at once, "" the wildcard, else by getaddrinfo (so that an unknown name is a
 * gaierror). */
static int find_host(struct dry_caller caller, const char *name, int family, struct host *host)
{
    bool wildcard = name[0] == '\0';
    if (!wildcard && read_numeric(name, family, host)) {
        return 0;
    }
    char *encoded;
    if (encode_host(caller, name, &encoded) != 0) {
        return -1;
    }
    struct addrinfo hints = {.ai_family = family};
    if (wildcard) {
        hints.ai_socktype = SOCK_DGRAM;
        hints.ai_flags = AI_PASSIVE;
    }
    struct addrinfo *found = NULL;
    int system_error = 0;
    int code = caller.system->getaddrinfo(caller, wildcard ? NULL : encoded, wildcard ? "0" : NULL,
                                          &hints, &found, &system_error);
    dry_release(caller, encoded);
    if (code != 0) {
        return dry_error_gai(caller, code, system_error);
    }
    int result;
    if (wildcard && found->ai_next != NULL) {
        result = dry_error_os_text(caller, "wildcard resolved to multiple address");
    } else {
        result = copy_host(caller, found, host);
    }
    caller.system->freeaddrinfo(caller, found);
    return result;
}

static int copy_text(struct dry_caller caller, const char *text, char *buffer, size_t bytes)
{
    size_t length = strlen(text);
    if (length >= bytes) {
        return dry_error_os(caller, ENAMETOOLONG);
    }
    memcpy(buffer, text, length + 1);
    return 0;
}

int dry_gethostbyname(const char *name, char *buffer, size_t bytes)
{
    struct dry_caller caller = dry_call_begin("gethostbyname", -1);
    struct host host;
    int result = find_host(caller, name, AF_INET, &host);
    if (result == 0) {
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, host.address, text, sizeof text);
        result = copy_text(caller, text, buffer, bytes);
    }
    dry_call_end(caller);
    return result;
}

static size_t count_list(char *const *list, size_t *text_bytes)
{
    size_t count = 0;
    for (; list != NULL && list[count] != NULL; count++) {
        if (text_bytes != NULL) {
            *text_bytes += strlen(list[count]) + 1;
        }
    }
    return count;
}

/* The system's entry as ours, in one allocation; addresses as text. */
static struct dry_hostent *copy_entry(struct dry_caller caller, const struct hostent *from, int family)
{
    if (from->h_addrtype != family) {
        dry_error_os(caller, EAFNOSUPPORT);
        return NULL;
    }
    size_t text_bytes = strlen(from->h_name) + 1;
    size_t aliases = count_list(from->h_aliases, &text_bytes);
    size_t addresses = count_list(from->h_addr_list, NULL);
    text_bytes += addresses * INET6_ADDRSTRLEN;
    struct dry_hostent *made = calloc(1, sizeof *made + (aliases + addresses + 2) * sizeof(char *) +
                                             text_bytes);
    if (made == NULL) {
        dry_error_os(caller, ENOMEM);
        return NULL;
    }
    made->aliases = (char **)(made + 1);
    made->addresses = made->aliases + aliases + 1;
    made->name = (char *)(made->addresses + addresses + 1);
    char *text = stpcpy(made->name, from->h_name) + 1;
    for (size_t i = 0; i < aliases; i++) {
        made->aliases[i] = text;
        text = stpcpy(text, from->h_aliases[i]) + 1;
    }
    for (size_t i = 0; i < addresses; i++) {
        made->addresses[i] = text;
        inet_ntop(family, from->h_addr_list[i], text, INET6_ADDRSTRLEN);
        text += strlen(text) + 1;
    }
    return made;
}

/* `by_address` asks for the names of the host's address, else for all that the name has. */
static struct dry_hostent *ask(struct dry_caller caller, const char *name, int family, bool by_address)
{
    struct host host;
    if (find_host(caller, name, family, &host) != 0) {
        return NULL;
    }
    struct hostent found;
    char *buffer = dry_hold(caller, DRY_HOSTENT_BYTES);
    char *encoded = NULL;
    struct dry_hostent *made = NULL;
    if (buffer == NULL) {
        dry_error_os(caller, ENOMEM);
    } else if (encode_host(caller, name, &encoded) == 0) {
        int code = by_address
                       ? caller.system->gethostbyaddr(caller, host.address, host.bytes, host.family,
                                                      &found, buffer, DRY_HOSTENT_BYTES)
                       : caller.system->gethostbyname(caller, encoded, family, &found, buffer,
                                                      DRY_HOSTENT_BYTES);
        if (code != 0) {
            dry_error_herror(caller, code);
        } else {
            made = copy_entry(caller, &found, host.family);
        }
    }
    dry_release(caller, encoded);
    dry_release(caller, buffer);
    return made;
}

struct dry_hostent *dry_gethostbyname_ex(const char *name)
{
    struct dry_caller caller = dry_call_begin("gethostbyname_ex", -1);
    struct dry_hostent *made = ask(caller, name, AF_INET, false);
    dry_call_end(caller);
    return made;
}

struct dry_hostent *dry_gethostbyaddr(const char *address)
{
    struct dry_caller caller = dry_call_begin("gethostbyaddr", -1);
    struct dry_hostent *made = ask(caller, address, AF_UNSPEC, true);
    dry_call_end(caller);
    return made;
}

/* ---- the host's own name ------------------------------------------------------------------ */

int dry_gethostname(char *buffer, size_t bytes)
{
    struct dry_caller caller = dry_call_begin("gethostname", -1);
    int result = (int)dry_error_edge(caller, caller.system->gethostname(caller, buffer, bytes));
    if (result == 0 && bytes > 0) {
        buffer[bytes - 1] = '\0';
    }
    dry_call_end(caller);
    return result;
}

int dry_sethostname(const char *name, size_t length)
{
    struct dry_caller caller = dry_call_begin("sethostname", -1);
    int result = (int)dry_error_edge(caller, caller.system->sethostname(caller, name, length));
    dry_call_end(caller);
    return result;
}

/* The first of an entry's names that has a dot, else its main name. */
static const char *qualified(const struct dry_hostent *entry)
{
    if (strchr(entry->name, '.') != NULL) {
        return entry->name;
    }
    for (size_t i = 0; entry->aliases[i] != NULL; i++) {
        if (strchr(entry->aliases[i], '.') != NULL) {
            return entry->aliases[i];
        }
    }
    return entry->name;
}

int dry_getfqdn(const char *name, char *buffer, size_t bytes)
{
    struct dry_caller caller = dry_call_begin("getfqdn", -1);
    char text[NI_MAXHOST];
    const char *begin = name != NULL ? name : "";
    while (isspace((unsigned char)*begin)) {
        begin++;
    }
    size_t length = strlen(begin);
    while (length > 0 && isspace((unsigned char)begin[length - 1])) {
        length--;
    }
    int result = 0;
    if (length >= sizeof text) {
        result = dry_error_os(caller, ENAMETOOLONG);
    } else {
        memcpy(text, begin, length);
        text[length] = '\0';
        if (length == 0 || strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0) {
            result = dry_gethostname(text, sizeof text);
        }
    }
    if (result == 0) {
        struct dry_hostent *entry = dry_gethostbyaddr(text);
        const struct dry_error *why = dry_last_error();
        /* A name that nobody knows is as good as it gets; a wrong argument is not. */
        if (entry == NULL && (why->kind == DRY_ERROR_VALUE || why->kind == DRY_ERROR_INTERRUPTED)) {
            result = -1;
        } else {
            result = copy_text(caller, entry != NULL ? qualified(entry) : text, buffer, bytes);
        }
        free(entry);
    }
    dry_call_end(caller);
    return result;
}

/* ---- services, protocols, interfaces ------------------------------------------------------ */

enum {
    ENTRY_BYTES = 4096, /* room for one line of /etc/services or /etc/protocols */
};

int dry_getservbyname(const char *name, const char *protocol)
{
    struct dry_caller caller = dry_call_begin("getservbyname", -1);
    struct servent found;
    char buffer[ENTRY_BYTES];
    int result = caller.system->getservbyname(caller, name, protocol, &found, buffer, sizeof buffer);
    result = result < 0 ? dry_error_os_text(caller, "service/proto not found")
                        : ntohs((uint16_t)found.s_port);
    dry_call_end(caller);
    return result;
}

int dry_getservbyport(int port, const char *protocol, char *name, size_t bytes)
{
    struct dry_caller caller = dry_call_begin("getservbyport", -1);
    int result;
    if (port < 0 || port > UINT16_MAX) {
        result = dry_error_value(caller, DRY_VALUE_OVERFLOW, "getservbyport: port must be 0-65535.");
    } else {
        struct servent found;
        char buffer[ENTRY_BYTES];
        result = caller.system->getservbyport(caller, htons((uint16_t)port), protocol, &found, buffer,
                                              sizeof buffer);
        result = result < 0 ? dry_error_os_text(caller, "port/proto not found")
                            : copy_text(caller, found.s_name, name, bytes);
    }
    dry_call_end(caller);
    return result;
}

int dry_getprotobyname(const char *name)
{
    struct dry_caller caller = dry_call_begin("getprotobyname", -1);
    struct protoent found;
    char buffer[ENTRY_BYTES];
    int result = caller.system->getprotobyname(caller, name, &found, buffer, sizeof buffer);
    result = result < 0 ? dry_error_os_text(caller, "protocol not found") : found.p_proto;
    dry_call_end(caller);
    return result;
}

struct if_nameindex *dry_if_nameindex(void)
{
    struct dry_caller caller = dry_call_begin("if_nameindex", -1);
    int system_error = 0;
    struct if_nameindex *list = caller.system->if_nameindex(caller, &system_error);
    if (list == NULL) {
        dry_error_os(caller, system_error);
    }
    dry_call_end(caller);
    return list;
}

int dry_if_nametoindex(const char *name)
{
    struct dry_caller caller = dry_call_begin("if_nametoindex", -1);
    int result = caller.system->if_nametoindex(caller, name);
    if (result <= 0) {
        result = result < 0 && dry_explain(caller, -result) != NULL
                     ? dry_error_os(caller, -result)
                     : dry_error_os_text(caller, "no interface with this name");
    }
    dry_call_end(caller);
    return result;
}

int dry_if_indextoname(int64_t index, char name[IF_NAMESIZE])
{
    struct dry_caller caller = dry_call_begin("if_indextoname", -1);
    int result;
    if (index < 0) {
        result = dry_error_value(caller, DRY_VALUE_OVERFLOW,
                                 "can't convert negative value to unsigned int");
    } else if (index > UINT32_MAX) {
        result = dry_error_os(caller, ENXIO);
    } else {
        result = (int)dry_error_edge(caller,
                                     caller.system->if_indextoname(caller, (unsigned)index, name));
    }
    dry_call_end(caller);
    return result;
}
