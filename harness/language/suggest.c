/* Counts the edits between words: letters put in, left out, changed, or two exchanged.
 * SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A change of case costs nothing but the tie: af_inet is nearer to AF_INET than to anything else. */
static uint32_t change(char a, char b)
{
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment. */
static uint32_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    uint32_t rows[3][SUGGEST_BYTES + 1];
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = (uint32_t)j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        uint32_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = (uint32_t)i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = least(least(before[j] + 1, now[j - 1] + 1),
                           before[j - 1] + change(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && change(a[i - 1], b[j - 2]) == 0 && change(a[i - 2], b[j - 1]) == 0) {
                now[j] = least(now[j], earlier[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

void suggest_offer(struct suggestion *nearest, const char *known)
{
    size_t length = strlen(known);
    /* One edit in each six letters, and one more; none in words of two, which are near to anything. */
    uint32_t allowed = nearest->length < 3 ? 0 : 1 + (uint32_t)nearest->length / 6;
    if (nearest->length > SUGGEST_BYTES || length > SUGGEST_BYTES || length == 0) {
        return;
    }
    uint32_t edits = distance(nearest->word, nearest->length, known, length);
    if (edits <= allowed && (nearest->best == NULL || edits < nearest->distance)) {
        nearest->best = known;
        nearest->distance = edits;
    }
}

const char *suggest_question(const struct suggestion *nearest, char text[SUGGEST_BYTES + 24])
{
    text[0] = 0;
    if (nearest->best != NULL) {
        snprintf(text, SUGGEST_BYTES + 24, ", did you mean \"%s\"?", nearest->best);
    }
    return text;
}
