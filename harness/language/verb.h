/* What a step can call: the names and parameters of the socket module's functions and methods.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_VERB_H
#define HARNESS_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct call;

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

/* Every verb there is: tables ended by a zero name, the last NULL. actor/ fills it. */
extern const struct verb *const verb_tables[];

#endif
