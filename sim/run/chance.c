/* The fault plan's chance: the `fault` stream of a seed, for plans in the world and on the kernel.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>
#include <stdlib.h>

#include "core/random.h"
#include "fault/fault.h"

static bool draw(void *state, uint32_t ppm)
{
    return sim_random_chance(state, SIM_STREAM_FAULT, ppm);
}

struct sim_fault_plan *sim_fault_plan_create(uint64_t seed)
{
    struct sim_random *random = calloc(1, sizeof *random);
    if (!random) {
        return NULL;
    }
    sim_random_seed(random, seed);
    struct sim_fault_plan *plan = fault_plan_new(draw, random);
    if (!plan) {
        free(random);
    }
    return plan;
}
