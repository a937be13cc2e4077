/* Python literals inside the library: what an address is before it has a family.
 * SPDX-License-Identifier: MIT */
#ifndef DRY_REAL_VALUE_H
#define DRY_REAL_VALUE_H

#include <drysock/socket.h>

/* The name that Python's type(value).__name__ would give ("NoneType", "tuple" …). */
const char *dry_value_type_name(const struct dry_value *value);

/* Makes *value an int of the whole unsigned 64-bit range; `digits` (at least 21 bytes) keeps the
 * decimal text of one that int64_t cannot hold. */
void dry_value_unsigned(struct dry_value *value, uint64_t number, char digits[24]);

/* Reads one character of a str value at *at (which moves past it). Returns its code point, or
 * DRY_VALUE_SURROGATE + byte where a byte that is not UTF-8 stands for a lone surrogate. */
enum { DRY_VALUE_SURROGATE = 0xdc00 };
uint32_t dry_value_character(const char *bytes, size_t count, size_t *at);

#endif
