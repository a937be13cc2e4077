/* Chance: SplitMix64, one state for each named stream.
 * SPDX-License-Identifier: MIT */
#include "random.h"

#include <assert.h>

static const uint64_t STEP = 0x9e3779b97f4a7c15;

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void sim_random_seed(struct sim_random *random, uint64_t seed)
{
    for (uint64_t stream = 0; stream < SIM_STREAM_COUNT; stream++) {
        /* Mixed twice: neighbouring seeds and streams must not be one sequence, shifted. */
        random->state[stream] = mix(mix(seed + STEP) + (stream + 1) * STEP);
    }
}

uint64_t sim_random_draw(struct sim_random *random, enum sim_stream stream)
{
    random->state[stream] += STEP;
    return mix(random->state[stream]);
}

uint64_t sim_random_below(struct sim_random *random, enum sim_stream stream, uint64_t bound)
{
    assert(bound > 0);
    const uint64_t unfair = -bound % bound; /* 2^64 mod bound: so many draws have no partner */
    uint64_t draw;
    do {
        draw = sim_random_draw(random, stream);
    } while (draw < unfair);
    return draw % bound;
}

bool sim_random_chance(struct sim_random *random, enum sim_stream stream, uint32_t ppm)
{
    if (ppm == 0) {
        return false;
    }
    return ppm >= 1000000 || sim_random_below(random, stream, 1000000) < ppm;
}
