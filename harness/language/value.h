/* Runtime values: what expressions evaluate to, and how outcomes are printed and compared.
 * SPDX-License-Identifier: MIT
 *
 * Values are copied freely; what they point to lies in their actor's arena until the actor is
 * finished. Numbers that differ from run to run by luck (ephemeral ports, descriptors) carry a
 * flavour and print as a name: port1, fd2. */
#ifndef HARNESS_VALUE_H
#define HARNESS_VALUE_H

#include <drysock/socket.h>

#include "arena.h"

struct scenario;

enum { VALUE_TEXT_BYTES = 4096 }; /* longer bytes print by content */

enum value_kind {
    VALUE_NONE = 0,
    VALUE_BOOL,      /* integer */
    VALUE_INT,       /* integer */
    VALUE_FLOAT,     /* real */
    VALUE_STR,       /* bytes, count: UTF-8, surrogateescape raw */
    VALUE_BYTES,     /* bytes, count */
    VALUE_BYTEARRAY, /* bytes, count; copies share the bytes */
    VALUE_TUPLE,     /* items, count */
    VALUE_LIST,      /* items, count */
    VALUE_OBJECT,    /* object */
};

/* How a value prints, where its kind does not say it. */
enum value_flavour {
    FLAVOUR_PLAIN = 0,
    FLAVOUR_PORT,        /* INT: luck when ephemeral and not written in the file */
    FLAVOUR_DESCRIPTOR,  /* INT: luck */
    FLAVOUR_DESCRIPTORS, /* BYTES: packed descriptors */
    FLAVOUR_LUCK,        /* anything: prints as _ */
    FLAVOUR_FAMILY,      /* INT: AF_… */
    FLAVOUR_TYPE,        /* INT: SOCK_… */
    FLAVOUR_PROTOCOL,    /* INT: IPPROTO_… */
    FLAVOUR_ERRNO,       /* INT: E… */
    FLAVOUR_LEVEL,       /* INT: SOL_SOCKET, IPPROTO_… */
    FLAVOUR_SCM,         /* INT: SCM_… */
    FLAVOUR_MSG_FLAGS,   /* INT: MSG_… | MSG_… */
    FLAVOUR_POLL,        /* INT: POLL… | POLL… */
    FLAVOUR_EPOLL,       /* INT: EPOLL… | EPOLL… */
};

enum object_kind {
    OBJECT_SOCKET = 1,
    OBJECT_FILE,  /* a stream: of makefile(), or open() */
    OBJECT_EPOLL, /* descriptor */
};

struct object {
    struct object *next; /* of the actor's list */
    enum object_kind kind;
    struct dry_socket *socket;
    FILE *file;
    int descriptor;
    int text; /* a stream that reads and writes str */
    int closed;
    const char *name; /* what the scenario calls it; NULL: nothing yet */
};

struct value {
    enum value_kind kind;
    enum value_flavour flavour;
    int64_t integer;
    double real;
    char *bytes;
    size_t count;
    struct value *items;
    struct object *object;
};

struct binding {
    struct binding *next;
    const char *name;
    struct value value;
};

/* A lucky number and the name it prints under. */
struct luck {
    struct luck *next;
    enum value_flavour flavour;
    int64_t number;
    char name[16];
};

/* The lucky numbers of one actor, by first sight. What the scenario writes is not luck. */
struct luck_names {
    struct arena *arena;
    const struct scenario *scenario;
    struct luck *first;
};

static inline struct value value_none(void)
{
    return (struct value){0};
}
static inline struct value value_bool(int truth)
{
    return (struct value){.kind = VALUE_BOOL, .integer = truth != 0};
}
static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_INT, .integer = integer};
}
static inline struct value value_flavoured(int64_t integer, enum value_flavour flavour)
{
    return (struct value){.kind = VALUE_INT, .integer = integer, .flavour = flavour};
}
struct value value_bytes(struct arena *arena, const void *bytes, size_t count);
struct value value_str(struct arena *arena, const char *text, size_t count);
struct value value_tuple(struct arena *arena, size_t count); /* of None */
struct value value_list(struct arena *arena, size_t count);

/* Is it a str, bytes or bytearray? */
static inline int value_holds_bytes(const struct value *value)
{
    return value->kind == VALUE_STR || value->kind == VALUE_BYTES || value->kind == VALUE_BYTEARRAY;
}
/* Python's ==. */
int value_equal(const struct value *a, const struct value *b);
/* As a trace has it. */
void value_print(struct text *text, struct luck_names *names, const struct value *value);
/* Long bytes by content: what content() stands for. */
uint64_t value_content(const char *bytes, size_t count);

/* To and from the library's literals. to_library takes what addresses are made of; -1 for objects. */
int value_to_library(struct arena *arena, const struct value *value, struct dry_value *result);
struct value value_from_library(struct arena *arena, const struct dry_value *value);
/* An address in its family's Python form; the port is flavoured. */
struct value value_from_address(struct arena *arena, const struct dry_address *address);

#endif
