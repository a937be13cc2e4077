/* Host names beyond ASCII, as Python's "idna" codec encodes them (IDNA 2003).
 * SPDX-License-Identifier: MIT */
#ifndef REAL_IDNA_H
#define REAL_IDNA_H

#include <stddef.h>

/* The ASCII form of a UTF-8 host name of `length` bytes without NULs, to be freed with free(3).
 * ASCII names are copied unlooked at. NULL: the name has no ASCII form, or memory is out. */
char *dry_idna_encode(const char *name, size_t length);

/* What the codec itself, which getaddrinfo() and its elder sisters put every str through, has
 * against an ASCII name's labels; NULL: nothing. (Addresses of sockets skip it for ASCII names.) */
const char *dry_idna_problem(const char *name);

#endif
