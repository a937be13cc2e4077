/* What a step can call: the socket module's functions and methods, and a few helpers.
 * SPDX-License-Identifier: MIT
 *
 * A verb only converts between runtime values and the library's C types. */
#ifndef HARNESS_VERBS_H
#define HARNESS_VERBS_H

#include "actor.h"
#include "language/value.h"
#include "language/verb.h"

struct call {
    struct actor *actor;
    const struct verb *verb;
    struct object *self; /* of methods */
    struct value arguments[VERB_ARGUMENTS];
    bool given[VERB_ARGUMENTS];
    uint32_t count;      /* arguments of a verb whose last parameter is `*items` */
    struct value result; /* None until set */
};

/* Evaluates an expression: 0 or -1 when it raised (actor->raised tells). */
int actor_evaluate(struct actor *actor, const struct expression *expression, struct value *value);

/* What was raised last: of the actor whose step runs. */
struct raised {
    const char *kind; /* "OSError" …; NULL: nothing */
    char code[48];    /* "ECONNREFUSED", or "" */
    char message[240];
};
/* Each returns -1. raise_library takes the library's last error. */
int raise_library(struct actor *actor);
int raise_error(struct actor *actor, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int raise_errno(struct actor *actor, int number);

/* What a name is bound to; NULL: nothing. */
struct binding *actor_find_binding(struct actor *actor, const char *name);
/* Binds a name; a socket or epoll object that had none is called so from now on. */
void actor_bind(struct actor *actor, const char *name, const struct value *value);
/* Binds what stands before `=`: names, or tuples of them. 0 or -1 after raising. */
int actor_bind_target(struct actor *actor, const struct expression *target, const struct value *value);

/* judge.c: does the step show what the file states? */
struct judgement {
    struct text outcome; /* what it showed, as the trace has it */
    struct text stated;  /* where that differs: what the file states, the names in it by their values */
    struct text detail;  /* and where two values differ that are too long to print */
};
enum step_status actor_judge_raise(struct actor *actor, const struct expectation *expect,
                                   const struct raised *raised, struct judgement *judgement);
enum step_status actor_judge_value(struct actor *actor, const struct expectation *expect,
                                   const struct value *value, struct judgement *judgement);

/* A new object of the actor. */
struct object *actor_object(struct actor *actor, enum object_kind kind);
struct value value_object(struct object *object);

/* As take_text, but a NUL ends the text, as where CPython hands it to the C library. */
int take_cut_text(struct call *call, uint32_t i, const char **text);
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

/* Each file's verbs, ended by a zero name; table.c lists them. */
extern const struct verb verbs_socket[], verbs_transfer[], verbs_message[], verbs_names[],
    verbs_files[], verbs_poll[], verbs_values[];

#endif
