/* What a step can call, by name, and which parameter each argument fills.
 * SPDX-License-Identifier: MIT */
#include "verb.h"

#include <string.h>

const struct verb *verb_find(enum verb_on on, const char *name)
{
    for (size_t t = 0; verb_tables[t] != NULL; t++) {
        for (const struct verb *verb = verb_tables[t]; verb->name != NULL; verb++) {
            if (verb->on == on && strcmp(verb->name, name) == 0) {
                return verb;
            }
        }
    }
    return NULL;
}

bool verb_is_method(const char *name, bool attribute)
{
    if (attribute) {
        return verb_find(VERB_ATTRIBUTE, name) != NULL;
    }
    return verb_find(VERB_SOCKET, name) != NULL || verb_find(VERB_FILE, name) != NULL ||
           verb_find(VERB_EPOLL, name) != NULL;
}

const char *verb_parameter_name(const struct verb *verb, uint32_t index, size_t *length)
{
    const char *at = verb->parameters;
    for (;; index--) {
        at += strspn(at, " ");
        *length = strcspn(at, " ");
        if (*length == 0) {
            return NULL;
        }
        if (index == 0) {
            return at;
        }
        at += *length;
    }
}

uint32_t verb_parameters(const struct verb *verb, uint32_t *required)
{
    uint32_t count = 0;
    const char *name;
    size_t length;
    *required = 0;
    for (; (name = verb_parameter_name(verb, count, &length)) != NULL; count++) {
        if (name[length - 1] != '?' && name[0] != '*') {
            *required = count + 1;
        }
    }
    return count;
}

int verb_parameter(const struct verb *verb, uint32_t position, const char *keyword)
{
    const char *name;
    size_t length;
    for (uint32_t i = 0; (name = verb_parameter_name(verb, i, &length)) != NULL; i++) {
        if (name[0] == '*') {
            return keyword == NULL && position >= i ? (int)i : -1;
        }
        if (name[length - 1] == '?') {
            length--;
        }
        if (keyword != NULL ? strlen(keyword) == length && memcmp(keyword, name, length) == 0
                            : i == position) {
            return (int)i;
        }
    }
    return -1;
}
