/* How near a scenario's times on the kernel came to what is wanted, at best, over several runs.
 * SPDX-License-Identifier: MIT
 *
 * The bounds of compare.h leave room for a busy machine, and would hide a wait that is 20 ms too long
 * or too short. Being late only ever lengthens a wait, so the best of several runs is held to a tight
 * bound as well: a step that was within it once is right, and one that never was is wrong, unless the
 * machine itself was so late in those runs. */
#ifndef HARNESS_NEAREST_H
#define HARNESS_NEAREST_H

#include "compare.h"

enum {
    NEAREST_LATE_NS = 8000000,    /* a wait is late by at most so much (two ticks of the kernel) */
    NEAREST_WHEEL_NS = 200000000, /* from here on the kernel's timers are late by an eighth */
    NEAREST_TRUE_RUNS = 3,        /* so many runs that the machine does not explain are wrong */
};

enum nearest_state {
    NEAREST_NEAR = 0, /* each step came within its bound in some run, or the file excuses it */
    NEAREST_OPEN,     /* one never did, and too few runs were quiet enough to blame it */
    NEAREST_WRONG,    /* one never did, and the machine was not to blame */
};

struct nearest; /* what was seen of one scenario */

struct nearest *nearest_create(const struct scenario *scenario);
void nearest_free(struct nearest *nearest);
/* Takes another run on the kernel in; world is the world's. */
void nearest_take(struct nearest *nearest, const struct trace *kernel, const struct trace *world);
enum nearest_state nearest_state(const struct nearest *nearest);
/* Adds a problem for each step that never came within its bound; those that the file excuses stay
 * excused. */
void nearest_judge(const struct nearest *nearest, struct problems *problems);

#endif
