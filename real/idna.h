/* Host names beyond ASCII, as Python's "idna" codec encodes them (IDNA 2003).
 * SPDX-License-Identifier: MIT */
#ifndef REAL_IDNA_H
#define REAL_IDNA_H

#include <stddef.h>

#include <drysock/system.h>

/* The ASCII form of a UTF-8 host name of `length` bytes without NULs, held memory (dry_release). ASCII
 * names are copied unlooked at. NULL: the name has no ASCII form, and *problem says why, or memory is
 * out, and *problem is NULL. The time it takes grows as the length does. */
char *dry_idna_encode(struct dry_caller caller, const char *name, size_t length, const char **problem);

/* What the codec itself, which getaddrinfo() and its elder sisters put every str through, has
 * against an ASCII name's labels; NULL: nothing. (Addresses of sockets skip it for ASCII names.) */
const char *dry_idna_problem(const char *name);

#endif
