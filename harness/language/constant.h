/* Constants by name: the library's, errno's, poll's and epoll's, and the language's own two.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_CONSTANT_H
#define HARNESS_CONSTANT_H

#include <stdint.h>

#include "arena.h"
#include "suggest.h"

/* 0 with *number; -1: unknown. */
int constant_number(const char *name, int64_t *number);
/* Offers every constant's name. */
void constant_offer(struct suggestion *nearest);
/* The first constant of the library, by name, with this prefix and value; NULL: none. */
const char *constant_name(const char *prefix, int64_t number);
/* Names of a set of bits: "POLLIN | POLLHUP"; a number where a bit has none. */
void constant_print_bits(struct text *text, const char *prefix, int64_t bits);

#endif
