/* Chance: named integer streams of one seed, so that a draw here does not move one there.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include "state.h"

void sim_random_seed(struct sim_random *random, uint64_t seed);
uint64_t sim_random_draw(struct sim_random *random, enum sim_stream stream);
/* Uniform in [0, bound); bound > 0. */
uint64_t sim_random_below(struct sim_random *random, enum sim_stream stream, uint64_t bound);
/* True with a chance of ppm in a million. Draws only when 0 < ppm < 1000000. */
bool sim_random_chance(struct sim_random *random, enum sim_stream stream, uint32_t ppm);

#endif
