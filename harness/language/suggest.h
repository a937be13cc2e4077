/* The known word that a wrong one comes nearest to: "did you mean".
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_SUGGEST_H
#define HARNESS_SUGGEST_H

#include <stddef.h>
#include <stdint.h>

enum { SUGGEST_BYTES = 64 }; /* longer words have no nearest one */

/* Set word and length; zero the rest. */
struct suggestion {
    const char *word;
    size_t length;
    const char *best; /* NULL: none is near */
    uint32_t distance;
};

/* One more known word, which must outlive what is made of it. */
void suggest_offer(struct suggestion *nearest, const char *known);
/* ", did you mean \"WORD\"?" into text, or "" when none is near; text is returned. */
const char *suggest_question(const struct suggestion *nearest, char text[SUGGEST_BYTES + 24]);

#endif
