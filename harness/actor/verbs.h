/* What a step can call: the socket module's functions and methods, and a few helpers.
 * SPDX-License-Identifier: MIT
 *
 * A verb only converts between runtime values and the library's C types. */
#ifndef HARNESS_VERBS_H
#define HARNESS_VERBS_H

#include "actor.h"
#include "language/value.h"

enum {
    VERB_ARGUMENTS = 8,
};

enum verb_on {
    VERB_FUNCTION = 1,
    VERB_SOCKET,    /* method of a socket */
    VERB_FILE,      /* method of a stream */
    VERB_EPOLL,     /* method of an epoll object */
    VERB_ATTRIBUTE, /* s.family: no arguments */
};

struct call {
    struct actor *actor;
    const struct verb *verb;
    struct object *self; /* of methods */
    struct value arguments[VERB_ARGUMENTS];
    bool given[VERB_ARGUMENTS];
    uint32_t count;      /* arguments of a verb whose last parameter is `*items` */
    struct value result; /* None until set */
};

struct verb {
    const char *name;
    enum verb_on on;
    /* Names separated by blanks; '?' behind a name: may be left out; "*items": all further ones,
     * which arrive as one tuple. */
    const char *parameters;
    /* 0 with call->result, or -1 after raise_*. */
    int (*run)(struct call *call);
};

const struct verb *verb_find(enum verb_on on, const char *name);
/* Whether any kind of object has such a method or attribute. */
bool verb_is_method(const char *name, bool attribute);
/* Which parameter a call's i-th argument fills: its index; -1 when there is none (keyword NULL: by
 * position). *required is the number of parameters that must be given. */
int verb_parameter(const struct verb *verb, uint32_t position, const char *keyword);
uint32_t verb_parameters(const struct verb *verb, uint32_t *required);
const char *verb_parameter_name(const struct verb *verb, uint32_t index, size_t *length);

/* Evaluates an expression: 0 or -1 when it raised (actor_raised tells). */
int actor_evaluate(struct actor *actor, const struct expression *expression, struct value *value);

/* What was raised last: of the actor whose step runs. */
struct raised {
    const char *kind; /* "OSError" …; NULL: nothing */
    char code[48];    /* "ECONNREFUSED", or "" */
    char message[240];
};
struct raised *actor_raised(struct actor *actor);
/* Each returns -1. raise_library takes the library's last error. */
int raise_library(struct actor *actor);
int raise_error(struct actor *actor, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int raise_errno(struct actor *actor, int number);

/* A new object of the actor. */
struct object *actor_object(struct actor *actor, enum object_kind kind);
struct value value_object(struct object *object);

/* Arguments as C types; `i` is the parameter's index. Each returns 0, or -1 after raising
 * TypeError or the like. When the argument was left out, *result keeps what it holds. */
int take_int(struct call *call, uint32_t i, int *result);
int take_int64(struct call *call, uint32_t i, int64_t *result);
int take_bytes(struct call *call, uint32_t i, const char **bytes, size_t *count);
int take_text(struct call *call, uint32_t i, const char **text); /* None: NULL */
int take_bool(struct call *call, uint32_t i, bool *result);
int take_timeout(struct call *call, uint32_t i, int64_t *ns); /* seconds; None: -1 */
int take_address(struct call *call, uint32_t i, struct dry_address *address, const char *method);
int take_buffer(struct call *call, uint32_t i, struct value *buffer); /* a bytearray */
/* A descriptor: of a socket, a stream, an epoll object, or a number. */
int value_descriptor(struct actor *actor, const struct value *value, int *descriptor);
int result_status(struct call *call, int status); /* None, or raises */

/* The tables, each ended by a zero name. */
extern const struct verb verbs_socket[], verbs_transfer[], verbs_message[], verbs_names[],
    verbs_files[], verbs_poll[], verbs_values[];

#endif
