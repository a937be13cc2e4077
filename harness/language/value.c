/* Runtime values: making, comparing, printing.
 * SPDX-License-Identifier: MIT */
#include "value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "constant.h"
#include "print.h"
#include "scenario.h"

enum {
    LONG_RUN = 24, /* as many equal bytes print as b"x" * N */
    FIRST_EPHEMERAL = 32768,
    LAST_EPHEMERAL = 60999,
};

struct value value_bytes(struct arena *arena, const void *bytes, size_t count)
{
    return (struct value){
        .kind = VALUE_BYTES, .bytes = arena_copy(arena, bytes, count), .count = count};
}

struct value value_str(struct arena *arena, const char *text, size_t count)
{
    struct value value = value_bytes(arena, text, count);
    value.kind = VALUE_STR;
    return value;
}

struct value value_tuple(struct arena *arena, size_t count)
{
    return (struct value){.kind = VALUE_TUPLE,
                          .items = arena_take(arena, (count + 1) * sizeof(struct value)),
                          .count = count};
}

struct value value_list(struct arena *arena, size_t count)
{
    struct value value = value_tuple(arena, count);
    value.kind = VALUE_LIST;
    return value;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static int is_number(const struct value *value)
{
    return value->kind == VALUE_BOOL || value->kind == VALUE_INT || value->kind == VALUE_FLOAT;
}

static int is_bytes(const struct value *value)
{
    return value->kind == VALUE_BYTES || value->kind == VALUE_BYTEARRAY;
}

int value_equal(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b)) {
        if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT) {
            return (a->kind == VALUE_FLOAT ? a->real : (double)a->integer) ==
                   (b->kind == VALUE_FLOAT ? b->real : (double)b->integer);
        }
        return a->integer == b->integer;
    }
    if ((is_bytes(a) && is_bytes(b)) || (a->kind == VALUE_STR && b->kind == VALUE_STR)) {
        return a->count == b->count && (a->count == 0 || memcmp(a->bytes, b->bytes, a->count) == 0);
    }
    if (a->kind != b->kind) {
        return 0;
    }
    if (a->kind == VALUE_OBJECT) {
        return a->object == b->object;
    }
    if (a->kind == VALUE_TUPLE || a->kind == VALUE_LIST) {
        for (size_t i = 0; i < a->count && i < b->count; i++) {
            if (!value_equal(&a->items[i], &b->items[i])) {
                return 0;
            }
        }
        return a->count == b->count;
    }
    return 1; /* None */
}

/* FNV-1a, 64 bits: short, stable, and nothing depends on its strength. */
uint64_t value_content(const char *bytes, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
    }
    return hash;
}

/* ---- printing ------------------------------------------------------------------------------- */

static const char *luck_name(struct luck_names *names, enum value_flavour flavour, int64_t number)
{
    int seen = 0;
    for (struct luck *luck = names->first; luck != NULL; luck = luck->next) {
        seen += luck->flavour == flavour;
        if (luck->flavour == flavour && luck->number == number) {
            return luck->name;
        }
    }
    struct luck *made = arena_take(names->arena, sizeof *made);
    made->flavour = flavour;
    made->number = number;
    snprintf(made->name, sizeof made->name, "%s%d", flavour == FLAVOUR_PORT ? "port" : "fd", seen + 1);
    made->next = names->first;
    names->first = made;
    return made->name;
}

static void print_named(struct text *text, const char *prefix, int64_t number)
{
    const char *name = constant_name(prefix, number);
    if (name != NULL) {
        text_add(text, "%s", name);
    } else {
        text_add(text, "%lld", (long long)number);
    }
}

/* By hand: other constants begin with SOCK_, too, and mean something else. */
static void print_type(struct text *text, int64_t number)
{
    static const char *const names[] = {
        [SOCK_STREAM] = "SOCK_STREAM", [SOCK_DGRAM] = "SOCK_DGRAM",         [SOCK_RAW] = "SOCK_RAW",
        [SOCK_RDM] = "SOCK_RDM",       [SOCK_SEQPACKET] = "SOCK_SEQPACKET",
    };

    if (number > 0 && number <= SOCK_SEQPACKET) {
        text_add(text, "%s", names[number]);
    } else {
        text_add(text, "%lld", (long long)number);
    }
}

static void print_int(struct text *text, struct luck_names *names, const struct value *value)
{
    int64_t number = value->integer;
    switch (value->flavour) {
    case FLAVOUR_PORT:
        if (number >= FIRST_EPHEMERAL && number <= LAST_EPHEMERAL &&
            !scenario_writes_number(names->scenario, number)) {
            text_add(text, "%s", luck_name(names, FLAVOUR_PORT, number));
        } else {
            text_add(text, "%lld", (long long)number);
        }
        break;
    case FLAVOUR_DESCRIPTOR:
        if (number >= 0) {
            text_add(text, "%s", luck_name(names, FLAVOUR_DESCRIPTOR, number));
        } else {
            text_add(text, "%lld", (long long)number);
        }
        break;
    case FLAVOUR_FAMILY: /* AF_FILE and AF_LOCAL are the same number */
        if (number == AF_UNIX) {
            text_add(text, "AF_UNIX");
        } else {
            print_named(text, "AF_", number);
        }
        break;
    case FLAVOUR_LEVEL:
        if (number == SOL_SOCKET) {
            text_add(text, "SOL_SOCKET");
        } else {
            print_named(text, "IPPROTO_", number);
        }
        break;
    case FLAVOUR_SCM:
        if (number == SCM_RIGHTS || number == SCM_CREDENTIALS) {
            text_add(text, "%s", number == SCM_RIGHTS ? "SCM_RIGHTS" : "SCM_CREDENTIALS");
        } else {
            text_add(text, "%lld", (long long)number);
        }
        break;
    case FLAVOUR_TYPE:
        print_type(text, number);
        break;
    case FLAVOUR_PROTOCOL:
        if (number == 0) {
            text_add(text, "0");
        } else {
            print_named(text, "IPPROTO_", number);
        }
        break;
    case FLAVOUR_ERRNO:
        if (number > 0 && strerrorname_np((int)number) != NULL) {
            text_add(text, "%s", strerrorname_np((int)number));
        } else {
            text_add(text, "%lld", (long long)number);
        }
        break;
    case FLAVOUR_MSG_FLAGS:
        constant_print_bits(text, "MSG_", number);
        break;
    case FLAVOUR_POLL:
        constant_print_bits(text, "POLL", number);
        break;
    case FLAVOUR_EPOLL:
        constant_print_bits(text, "EPOLL", number);
        break;
    default:
        text_add(text, "%lld", (long long)number);
        break;
    }
}

/* Bytes of one value print as b"x" * N, other long ones by length and content. */
static void print_long_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t run = 0;
    while (run < count && bytes[run] == bytes[0]) {
        run++;
    }
    if (count > LONG_RUN && run == count) {
        print_bytes(text, bytes, 1);
        text_add(text, " * %zu", count);
    } else if (count > VALUE_TEXT_BYTES) {
        text_add(text, "content(%zu, \"%016llx\")", count,
                 (unsigned long long)value_content(bytes, count));
    } else {
        print_bytes(text, bytes, count);
    }
}

static void print_descriptors(struct text *text, struct luck_names *names, const struct value *value)
{
    text_add(text, "fds(");
    for (size_t i = 0; i + sizeof(int) <= value->count; i += sizeof(int)) {
        int descriptor;
        memcpy(&descriptor, value->bytes + i, sizeof descriptor);
        text_add(text, "%s%s", i > 0 ? ", " : "", luck_name(names, FLAVOUR_DESCRIPTOR, descriptor));
    }
    text_add(text, ")");
}

static void print_list(struct text *text, struct luck_names *names, const struct value *value)
{
    int tuple = value->kind == VALUE_TUPLE;
    text_add(text, "%s", tuple ? "(" : "[");
    for (size_t i = 0; i < value->count; i++) {
        text_add(text, "%s", i > 0 ? ", " : "");
        value_print(text, names, &value->items[i]);
    }
    text_add(text, "%s", !tuple ? "]" : value->count == 1 ? ",)" : ")");
}

void value_print(struct text *text, struct luck_names *names, const struct value *value)
{
    if (value->flavour == FLAVOUR_LUCK) {
        text_add(text, "_");
        return;
    }
    switch (value->kind) {
    case VALUE_NONE:
        text_add(text, "None");
        break;
    case VALUE_BOOL:
        text_add(text, value->integer ? "True" : "False");
        break;
    case VALUE_INT:
        print_int(text, names, value);
        break;
    case VALUE_FLOAT:
        print_float(text, value->real);
        break;
    case VALUE_STR:
        print_str(text, value->bytes, value->count);
        break;
    case VALUE_BYTES:
    case VALUE_BYTEARRAY:
        if (value->flavour == FLAVOUR_DESCRIPTORS) {
            print_descriptors(text, names, value);
        } else {
            print_long_bytes(text, value->bytes, value->count);
        }
        break;
    case VALUE_TUPLE:
    case VALUE_LIST:
        print_list(text, names, value);
        break;
    case VALUE_OBJECT:
        text_add(text, "%s", value->object->name != NULL ? value->object->name : "_");
        break;
    }
}

/* ---- the library's literals ----------------------------------------------------------------- */

int value_to_library(struct arena *arena, const struct value *value, struct dry_value *result)
{
    static const enum dry_value_kind kinds[] = {
        [VALUE_NONE] = DRY_NONE,       [VALUE_BOOL] = DRY_BOOL,   [VALUE_INT] = DRY_INT,
        [VALUE_FLOAT] = DRY_FLOAT,     [VALUE_STR] = DRY_TEXT,    [VALUE_BYTES] = DRY_BYTES,
        [VALUE_BYTEARRAY] = DRY_BYTES, [VALUE_TUPLE] = DRY_TUPLE, [VALUE_LIST] = DRY_LIST,
    };

    if (value->kind == VALUE_OBJECT) {
        return -1;
    }
    *result = (struct dry_value){.kind = kinds[value->kind],
                                 .count = (uint32_t)value->count,
                                 .integer = value->integer,
                                 .real = value->real,
                                 .bytes = value->bytes};
    if (value->kind != VALUE_TUPLE && value->kind != VALUE_LIST) {
        return 0;
    }
    struct dry_value *items = arena_take(arena, (value->count + 1) * sizeof *items);
    for (size_t i = 0; i < value->count; i++) {
        if (value_to_library(arena, &value->items[i], &items[i]) != 0) {
            return -1;
        }
    }
    result->items = items;
    return 0;
}

struct value value_from_library(struct arena *arena, const struct dry_value *value)
{
    struct value made;
    switch (value->kind) {
    case DRY_BOOL:
        return value_bool(value->integer != 0);
    case DRY_INT:
        return value_int(value->integer);
    case DRY_FLOAT:
        return (struct value){.kind = VALUE_FLOAT, .real = value->real};
    case DRY_TEXT:
        return value_str(arena, value->bytes, value->count);
    case DRY_BYTES:
        return value_bytes(arena, value->bytes, value->count);
    case DRY_TUPLE:
    case DRY_LIST:
        made = value_tuple(arena, value->count);
        made.kind = value->kind == DRY_TUPLE ? VALUE_TUPLE : VALUE_LIST;
        for (uint32_t i = 0; i < value->count; i++) {
            made.items[i] = value_from_library(arena, &value->items[i]);
        }
        return made;
    default:
        return value_none();
    }
}

struct value value_from_address(struct arena *arena, const struct dry_address *address)
{
    struct dry_value items[DRY_ADDRESS_VALUES], value;
    char *text = arena_take(arena, DRY_ADDRESS_TEXT_BYTES);
    if (dry_address_to_value(address, &value, items, text) != 0) {
        return value_none();
    }
    struct value made = value_from_library(arena, &value);
    int family = address->length > 0 ? address->generic.sa_family : 0;
    if ((family == AF_INET || family == AF_INET6) && made.kind == VALUE_TUPLE && made.count >= 2) {
        made.items[1].flavour = FLAVOUR_PORT;
    }
    if (family == AF_UNIX && made.kind == VALUE_BYTES && made.count == 6 && made.bytes[0] == 0) {
        /* LINUX: an autobound name is a NUL and five hexadecimal digits, chosen by luck. */
        made.flavour = FLAVOUR_LUCK;
        for (size_t i = 1; i < 6; i++) {
            if (strchr("0123456789abcdef", made.bytes[i]) == NULL || made.bytes[i] == 0) {
                made.flavour = FLAVOUR_PLAIN;
            }
        }
    }
    return made;
}
