/* The generated table of constants.
 * SPDX-License-Identifier: MIT */
#ifndef REAL_CONSTANT_H
#define REAL_CONSTANT_H

#include <drysock/socket.h>

/* Sorted by name (strcmp); made by tools/constants.py. */
extern const struct dry_constant dry_constant_table[];
extern const size_t dry_constant_count;

#endif
