/* Two outcomes one above the other, aligned where they part; in whole and as bytes on request.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_DIFFERENCE_H
#define HARNESS_DIFFERENCE_H

#include <stdbool.h>

#include "language/arena.h"

struct outcome_text {
    const char *name; /* who says so: "stated", "got", "kernel", "world" */
    const char *text; /* as a trace prints it */
};

/* What to show of them. */
struct difference_look {
    size_t columns; /* lines are cut to so many; 0: not at all */
    bool full; /* both texts whole, and below them the bytes in hexadecimal where both are a literal */
    bool colour;
};

/* Adds three lines or more, each behind four blanks: the texts, and a mark below the first character in
 * which they differ, drawn out as far as they do. */
void difference_print(struct text *text, struct outcome_text first, struct outcome_text second,
                      struct difference_look look);
/* An outcome on one line, cut to so many characters with "… (N more)" if it is longer; 0: whole. */
void difference_excerpt(struct text *text, const char *outcome, size_t columns);

#endif
