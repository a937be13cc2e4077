/* Whether a scenario's outcomes depend on the order of what happens at one instant.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_AMBIGUITY_H
#define HARNESS_AMBIGUITY_H

#include "run.h"

enum { AMBIGUITY_SEEDS = 16 };

/* Runs the scenario under 16 schedule seeds. 0: `base` (the run under seed 0) stands for all of
 * them; 1: it does not, and *text says which orders differ and where a sync would help. */
int ambiguity_check(const struct scenario *scenario, const struct world_options *options,
                    const struct trace *base, struct text *text);

#endif
