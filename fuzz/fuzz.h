/* What every fuzz target gives to the driver in fuzz/main.c.
 * SPDX-License-Identifier: MIT */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Judges one input. Returns nothing: what is wrong aborts. */
void fuzz_one(const uint8_t *data, size_t size);

/* A disagreement: says what, and aborts so that AFL++ keeps the input. */
#define fuzz_wrong(...)               \
    do {                              \
        fprintf(stderr, __VA_ARGS__); \
        fputc('\n', stderr);          \
        abort();                      \
    } while (0)

#endif
