/* What a look-up finds, and texts that are addresses themselves.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

void *resolver_hold(struct dry_caller caller, size_t bytes)
{
    return caller.system->hold != NULL ? caller.system->hold(caller, bytes) : malloc(bytes);
}

void resolver_release(struct dry_caller caller, void *memory)
{
    if (caller.system->hold != NULL) {
        caller.system->release(caller, memory);
    } else {
        free(memory);
    }
}

/* ---- what was found ------------------------------------------------------------------------- */

struct resolver_found resolver_nothing(struct sim_resolver_asker asker)
{
    return (struct resolver_found){.caller = asker.caller,
                                   .habit = asker.habit,
                                   .status = RESOLVER_NOT_FOUND,
                                   .h_error = HOST_NOT_FOUND};
}

void resolver_forget(struct resolver_found *found)
{
    resolver_release(found->caller, found->aliases);
    resolver_release(found->caller, found->addresses);
}

/* Room for one more; false: there is no memory. */
static bool grow(struct resolver_found *found, void **items, size_t count, size_t *room, size_t bytes)
{
    enum { FIRST_ROOM = 8 };
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? FIRST_ROOM : 2 * *room;
    void *grown = resolver_hold(found->caller, more * bytes);
    if (grown == NULL) {
        found->system_error = ENOMEM;
        return false;
    }
    if (count > 0) {
        memcpy(grown, *items, count * bytes);
    }
    resolver_release(found->caller, *items);
    *items = grown;
    *room = more;
    return true;
}

void resolver_add_address(struct resolver_found *found, const struct resolver_address *address)
{
    void *items = found->addresses;
    if (grow(found, &items, found->address_count, &found->address_room, sizeof *address)) {
        found->addresses = items;
        found->addresses[found->address_count++] = *address;
    }
}

void resolver_add_alias(struct resolver_found *found, const char *name)
{
    void *items = found->aliases;
    if (grow(found, &items, found->alias_count, &found->alias_room, RESOLVER_NAME_BYTES)) {
        found->aliases = items;
        strcpy(found->aliases[found->alias_count++], name);
    }
}

/* ---- numeric texts -------------------------------------------------------------------------- */

bool resolver_numeric(struct dry_caller caller, const char *text, struct resolver_address *address,
                      bool *bad_scope)
{
    *bad_scope = false;
    struct in_addr v4;
    memset(address, 0, sizeof *address);
    if (strpbrk(text, " \t\n\v\f\r") == NULL && inet_aton(text, &v4) != 0) {
        address->family = AF_INET;
        memcpy(address->bytes, &v4, 4);
        return true;
    }
    const char *percent = strchr(text, '%');
    char plain[INET6_ADDRSTRLEN];
    size_t length = percent == NULL ? strlen(text) : (size_t)(percent - text);
    if (length >= sizeof plain) {
        return false;
    }
    memcpy(plain, text, length);
    plain[length] = 0;
    address->family = AF_INET6;
    if (inet_pton(AF_INET6, plain, address->bytes) != 1) {
        return false;
    }
    if (percent == NULL) {
        return true;
    }
    bool link_local = address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
    bool multicast_local = address->bytes[0] == 0xff && (address->bytes[1] & 15) == 2;
    int index = -1;
    if (link_local || multicast_local) {
        index = caller.system->if_nametoindex(caller, percent + 1);
    }
    if (index > 0) {
        address->scope = (uint32_t)index;
        return true;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(percent + 1, &end, 10);
    address->scope = (uint32_t)number;
    *bad_scope = !isdigit((unsigned char)percent[1]) || *end != 0 || errno != 0 || number > UINT32_MAX;
    return true;
}
