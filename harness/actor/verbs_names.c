/* Verbs for host names, services, interfaces, byte order and address text.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

enum {
    NAME_BYTES = NI_MAXHOST,
};

static struct value text_value(struct call *call, const char *text)
{
    return value_str(&call->actor->arena, text, strlen(text));
}

static int result_text(struct call *call, int status, const char *text)
{
    if (status < 0) {
        return raise_library(call->actor);
    }
    call->result = text_value(call, text);
    return 0;
}

static int result_int(struct call *call, int64_t number)
{
    if (number < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(number);
    return 0;
}

/* ---- getaddrinfo ---------------------------------------------------------------------------- */

static struct value addrinfo_value(struct call *call, const struct dry_addrinfo *info)
{
    struct value value = value_tuple(&call->actor->arena, 5);
    value.items[0] = value_flavoured(info->family, FLAVOUR_FAMILY);
    value.items[1] = value_flavoured(info->type, FLAVOUR_TYPE);
    value.items[2] = value_flavoured(info->protocol, FLAVOUR_PROTOCOL);
    value.items[3] = text_value(call, info->canonname);
    value.items[4] = value_from_address(&call->actor->arena, &info->address);
    return value;
}

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_STR || value->kind == VALUE_BYTES;
}

static int run_getaddrinfo(struct call *call)
{
    const char *host = NULL, *port = NULL;
    int family = 0, type = 0, protocol = 0, flags = 0;
    struct dry_addrinfo *list;
    size_t count;
    if (!is_text(&call->arguments[0]) && call->arguments[0].kind != VALUE_NONE) {
        return raise_error(call->actor, "TypeError", "getaddrinfo() argument 1 must be string or None");
    }
    if (!is_text(&call->arguments[1]) && call->arguments[1].kind != VALUE_NONE &&
        call->arguments[1].kind != VALUE_INT) {
        return raise_error(call->actor, "OSError", "Int or String expected");
    }
    if (take_cut_text(call, 0, &host) != 0 || take_cut_text(call, 1, &port) != 0 ||
        take_int(call, 2, &family) != 0 || take_int(call, 3, &type) != 0 ||
        take_int(call, 4, &protocol) != 0 || take_int(call, 5, &flags) != 0) {
        return -1;
    }
    dry_set_host_bytes(call->arguments[0].kind == VALUE_BYTES);
    int status = dry_getaddrinfo(host, port, family, type, protocol, flags, &list, &count);
    dry_set_host_bytes(false);
    if (status != 0) {
        return raise_library(call->actor);
    }
    call->result = value_list(&call->actor->arena, count);
    for (size_t i = 0; i < count; i++) {
        call->result.items[i] = addrinfo_value(call, &list[i]);
    }
    dry_freeaddrinfo(list);
    return 0;
}

static int run_getnameinfo(struct call *call)
{
    struct dry_value value;
    struct dry_address address = {0};
    int flags = 0;
    const struct value *pair = &call->arguments[0];

    if (pair->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError", "getnameinfo() argument 1 must be a tuple");
    }
    if (take_int(call, 1, &flags) != 0 || value_to_library(&call->actor->arena, pair, &value) != 0) {
        return -1;
    }
    if (dry_address_from_value(&address, AF_UNSPEC, SOCK_DGRAM, 0, &value, "getnameinfo") != 0) {
        return raise_library(call->actor);
    }
    char *host = arena_take(&call->actor->arena, NI_MAXHOST);
    char *service = arena_take(&call->actor->arena, NI_MAXSERV);
    if (dry_getnameinfo(&address, flags, host, NI_MAXHOST, service, NI_MAXSERV) != 0) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 2);
    call->result.items[0] = text_value(call, host);
    call->result.items[1] = text_value(call, service);
    return 0;
}

/* ---- gethostby* ----------------------------------------------------------------------------- */

/* A str, as the format letter "s" takes it; with bytes, also those, as names of files are taken. */
static int need_text(struct call *call, uint32_t i, bool bytes, const char **text)
{
    const struct value *value = &call->arguments[i];
    if (value->kind != VALUE_STR && (!bytes || value->kind != VALUE_BYTES)) {
        return raise_error(call->actor, "TypeError", "%s() argument %u must be str", call->verb->name,
                           i + 1);
    }
    return take_text(call, i, text);
}

/* A host name as CPython's converter takes it: a NUL inside is TypeError, not ValueError. */
static int need_host(struct call *call, const char **name)
{
    const struct value *value = &call->arguments[0];
    if (value_holds_bytes(value) && memchr(value->bytes, 0, value->count) != NULL) {
        return raise_error(call->actor, "TypeError",
                           "%s() argument 1 must be encoded string without null bytes",
                           call->verb->name);
    }
    if (!value_holds_bytes(value)) {
        return raise_error(call->actor, "TypeError", "%s() argument 1 must be str, bytes or bytearray",
                           call->verb->name);
    }
    return take_text(call, 0, name);
}

/* bytes go to the resolver as they are, a str through the codec; a bytearray is taken as bytes. */
static void host_as_given(const struct call *call)
{
    dry_set_host_bytes(call->arguments[0].kind != VALUE_STR);
}

static int run_gethostbyname(struct call *call)
{
    const char *name;
    char *buffer = arena_take(&call->actor->arena, NAME_BYTES);
    if (need_host(call, &name) != 0) {
        return -1;
    }
    host_as_given(call);
    int status = dry_gethostbyname(name, buffer, NAME_BYTES);
    dry_set_host_bytes(false);
    return result_text(call, status, buffer);
}

static struct value names_value(struct call *call, char **names)
{
    size_t count = 0;
    while (names[count] != NULL) {
        count++;
    }
    struct value value = value_list(&call->actor->arena, count);
    for (size_t i = 0; i < count; i++) {
        value.items[i] = text_value(call, names[i]);
    }
    return value;
}

static int result_hostent(struct call *call, struct dry_hostent *entry)
{
    if (entry == NULL) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 3);
    call->result.items[0] = text_value(call, entry->name);
    call->result.items[1] = names_value(call, entry->aliases);
    call->result.items[2] = names_value(call, entry->addresses);
    free(entry);
    return 0;
}

static int run_gethostbyname_ex(struct call *call)
{
    const char *name;
    if (need_host(call, &name) != 0) {
        return -1;
    }
    host_as_given(call);
    struct dry_hostent *entry = dry_gethostbyname_ex(name);
    dry_set_host_bytes(false);
    return result_hostent(call, entry);
}

static int run_gethostbyaddr(struct call *call)
{
    const char *address;
    if (need_host(call, &address) != 0) {
        return -1;
    }
    host_as_given(call);
    struct dry_hostent *entry = dry_gethostbyaddr(address);
    dry_set_host_bytes(false);
    return result_hostent(call, entry);
}

static int run_getfqdn(struct call *call)
{
    const char *name = "";
    char *buffer = arena_take(&call->actor->arena, NAME_BYTES);
    if (call->given[0] && need_host(call, &name) != 0) {
        return -1;
    }
    if (call->given[0]) {
        host_as_given(call);
    }
    int status = dry_getfqdn(name, buffer, NAME_BYTES);
    dry_set_host_bytes(false);
    return result_text(call, status, buffer);
}

static int run_gethostname(struct call *call)
{
    char *buffer = arena_take(&call->actor->arena, NAME_BYTES);
    return result_text(call, dry_gethostname(buffer, NAME_BYTES), buffer);
}

static int run_sethostname(struct call *call)
{
    const char *name;
    if (need_text(call, 0, true, &name) != 0) {
        return -1;
    }
    return result_status(call, dry_sethostname(name, strlen(name)));
}

/* ---- services, protocols, interfaces -------------------------------------------------------- */

static int run_getservbyname(struct call *call)
{
    const char *name, *protocol = NULL;
    if (need_text(call, 0, false, &name) != 0 || take_text(call, 1, &protocol) != 0) {
        return -1;
    }
    return result_int(call, dry_getservbyname(name, protocol));
}

static int run_getservbyport(struct call *call)
{
    int port = 0;
    const char *protocol = NULL;
    char *buffer = arena_take(&call->actor->arena, NAME_BYTES);
    if (take_int(call, 0, &port) != 0 || take_text(call, 1, &protocol) != 0) {
        return -1;
    }
    return result_text(call, dry_getservbyport(port, protocol, buffer, NAME_BYTES), buffer);
}

static int run_getprotobyname(struct call *call)
{
    const char *name;
    return need_text(call, 0, false, &name) != 0 ? -1 : result_int(call, dry_getprotobyname(name));
}

static int run_if_nameindex(struct call *call)
{
    struct if_nameindex *list = dry_if_nameindex();
    size_t count = 0;
    if (list == NULL) {
        return raise_library(call->actor);
    }
    while (list[count].if_index != 0) {
        count++;
    }
    call->result = value_list(&call->actor->arena, count);
    for (size_t i = 0; i < count; i++) {
        call->result.items[i] = value_tuple(&call->actor->arena, 2);
        call->result.items[i].items[0] = value_int(list[i].if_index);
        call->result.items[i].items[1] = text_value(call, list[i].if_name);
    }
    free(list);
    return 0;
}

static int run_if_nametoindex(struct call *call)
{
    const char *name;
    return need_text(call, 0, true, &name) != 0 ? -1 : result_int(call, dry_if_nametoindex(name));
}

static int run_if_indextoname(struct call *call)
{
    int64_t index = 0;
    char name[IF_NAMESIZE] = "";
    if (take_int64(call, 0, &index) != 0) {
        return -1;
    }
    return result_text(call, dry_if_indextoname(index, name), name);
}

/* ---- byte order and address text ------------------------------------------------------------ */

static int byte_order(struct call *call, int64_t (*convert)(int64_t))
{
    int64_t number = 0;
    return take_int64(call, 0, &number) != 0 ? -1 : result_int(call, convert(number));
}

static int run_ntohl(struct call *call)
{
    return byte_order(call, dry_ntohl);
}
static int run_htonl(struct call *call)
{
    return byte_order(call, dry_htonl);
}
static int run_ntohs(struct call *call)
{
    return byte_order(call, dry_ntohs);
}
static int run_htons(struct call *call)
{
    return byte_order(call, dry_htons);
}

static int run_inet_aton(struct call *call)
{
    const char *text;
    uint8_t packed[4];
    if (need_text(call, 0, false, &text) != 0) {
        return -1;
    }
    if (dry_inet_aton(text, packed) != 0) {
        return raise_library(call->actor);
    }
    call->result = value_bytes(&call->actor->arena, packed, sizeof packed);
    return 0;
}

static int run_inet_ntoa(struct call *call)
{
    const char *bytes;
    size_t count;
    char text[DRY_INET_TEXT_BYTES] = "";
    if (take_bytes(call, 0, &bytes, &count) != 0) {
        return -1;
    }
    return result_text(call, dry_inet_ntoa(bytes, count, text), text);
}

static int run_inet_pton(struct call *call)
{
    int family = 0;
    const char *text;
    uint8_t packed[16];
    if (take_int(call, 0, &family) != 0 || need_text(call, 1, false, &text) != 0) {
        return -1;
    }
    int count = dry_inet_pton(family, text, packed);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_bytes(&call->actor->arena, packed, (size_t)count);
    return 0;
}

static int run_inet_ntop(struct call *call)
{
    int family = 0;
    const char *bytes;
    size_t count;
    char text[DRY_INET_TEXT_BYTES] = "";
    if (take_int(call, 0, &family) != 0 || take_bytes(call, 1, &bytes, &count) != 0) {
        return -1;
    }
    return result_text(call, dry_inet_ntop(family, bytes, count, text), text);
}

const struct verb verbs_names[] = {
    {"getaddrinfo", VERB_FUNCTION, "host port family? type? proto? flags?", run_getaddrinfo},
    {"getnameinfo", VERB_FUNCTION, "sockaddr flags", run_getnameinfo},
    {"gethostbyname", VERB_FUNCTION, "hostname", run_gethostbyname},
    {"gethostbyname_ex", VERB_FUNCTION, "hostname", run_gethostbyname_ex},
    {"gethostbyaddr", VERB_FUNCTION, "ip_address", run_gethostbyaddr},
    {"getfqdn", VERB_FUNCTION, "name?", run_getfqdn},
    {"gethostname", VERB_FUNCTION, "", run_gethostname},
    {"sethostname", VERB_FUNCTION, "name", run_sethostname},
    {"getservbyname", VERB_FUNCTION, "servicename protocolname?", run_getservbyname},
    {"getservbyport", VERB_FUNCTION, "port protocolname?", run_getservbyport},
    {"getprotobyname", VERB_FUNCTION, "protocolname", run_getprotobyname},
    {"if_nameindex", VERB_FUNCTION, "", run_if_nameindex},
    {"if_nametoindex", VERB_FUNCTION, "if_name", run_if_nametoindex},
    {"if_indextoname", VERB_FUNCTION, "if_index", run_if_indextoname},
    {"ntohl", VERB_FUNCTION, "x", run_ntohl},
    {"htonl", VERB_FUNCTION, "x", run_htonl},
    {"ntohs", VERB_FUNCTION, "x", run_ntohs},
    {"htons", VERB_FUNCTION, "x", run_htons},
    {"inet_aton", VERB_FUNCTION, "ip_string", run_inet_aton},
    {"inet_ntoa", VERB_FUNCTION, "packed_ip", run_inet_ntoa},
    {"inet_pton", VERB_FUNCTION, "address_family ip_string", run_inet_pton},
    {"inet_ntop", VERB_FUNCTION, "address_family packed_ip", run_inet_ntop},
    {0},
};
