/* Socket addresses: from and to their Python forms. The one file that names every family.
 * SPDX-License-Identifier: MIT */
#include "address.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "error.h"
#include "value.h"

static const struct address_family *const families[] = {
    &dry_family_unix,    &dry_family_inet,   &dry_family_inet6,  &dry_family_netlink,
    &dry_family_tipc,    &dry_family_can,    &dry_family_system, &dry_family_bluetooth,
    &dry_family_alg,     &dry_family_packet, &dry_family_rds,    &dry_family_vsock,
    &dry_family_qipcrtr, &dry_family_unspec,
};

static const struct address_family *find_family(int family)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (families[i]->family == family) {
            return families[i];
        }
    }
    return NULL;
}

int dry_address_from_value(struct dry_address *address, int family, int type, int protocol,
                           const struct dry_value *value, const char *method)
{
    struct address_source source = {dry_current_caller(), method ? method : "address", family, protocol,
                                    value};
    *address = (struct dry_address){.protocol = protocol};
    const struct address_family *known = find_family(family);
    if (!known) {
        return dry_error_os_text(source.caller, "%s(): bad family", source.method);
    }
    return known->from_value(&source, address);
}

/* ---- to values ----------------------------------------------------------------------------- */

int dry_address_to_value(const struct dry_address *address, struct dry_value *value,
                         struct dry_value items[DRY_ADDRESS_VALUES], char text[DRY_ADDRESS_TEXT_BYTES])
{
    struct address_sink sink = {dry_current_caller(), value, items, text, 0};
    *value = (struct dry_value){.kind = DRY_NONE};
    if (address->length == 0) {
        return 0;
    }
    const struct address_family *known = find_family(address->generic.sa_family);
    if (known && known->to_value) {
        return known->to_value(address, &sink);
    }
    /* As CPython: what nobody knows is its number and the data of a plain sockaddr. */
    sink_int(&sink, 0, address->generic.sa_family);
    sink_bytes(&sink, 1, address->generic.sa_data, sizeof(address->generic.sa_data));
    return sink_tuple(&sink, 2);
}

/* ---- text ---------------------------------------------------------------------------------- */

int dry_address_parse(struct dry_address *address, int family, int type, int protocol, const char *text,
                      size_t length)
{
    enum { ARENA_BYTES = 4096 };
    _Alignas(struct dry_value) char arena[ARENA_BYTES];
    struct dry_value value;
    if (dry_value_parse(text, length, arena, sizeof(arena), &value, NULL) < 0) {
        return -1;
    }
    return dry_address_from_value(address, family, type, protocol, &value, NULL);
}

int dry_address_print(const struct dry_address *address, char *text, size_t bytes)
{
    struct dry_value value, items[DRY_ADDRESS_VALUES];
    char store[DRY_ADDRESS_TEXT_BYTES];
    if (dry_address_to_value(address, &value, items, store) < 0) {
        return -1;
    }
    return dry_value_print(&value, text, bytes);
}

/* ---- for C callers ------------------------------------------------------------------------- */

int dry_address_inet(struct dry_address *address, int family, const char *host, uint16_t port)
{
    struct dry_value items[2] = {
        {.kind = DRY_TEXT, .count = (uint32_t)strlen(host), .bytes = host},
        {.kind = DRY_INT, .integer = port},
    };
    struct dry_value value = {.kind = DRY_TUPLE, .count = 2, .items = items};
    return dry_address_from_value(address, family, 0, 0, &value, NULL);
}

int dry_address_unix(struct dry_address *address, const void *name, size_t length)
{
    struct dry_value value = {.kind = DRY_BYTES, .bytes = name};
    value.count = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    return dry_address_from_value(address, AF_UNIX, 0, 0, &value, NULL);
}

int dry_address_port(const struct dry_address *address)
{
    if (address->length >= sizeof(struct sockaddr_in) && address->generic.sa_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)(const void *)&address->storage)->sin_port);
    }
    if (address->length >= sizeof(struct sockaddr_in6) && address->generic.sa_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)&address->storage)->sin6_port);
    }
    return dry_error_value(dry_current_caller(), DRY_VALUE_ERROR, "the address has no port");
}
