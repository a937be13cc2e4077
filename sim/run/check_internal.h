/* What the two halves of the check share.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_CHECK_INTERNAL_H
#define SIM_CHECK_INTERNAL_H

#include "core/state.h"

/* Tasks, waiters, files, sockets, hosts. */
void sim_check_objects(const struct sim_world *world);

static inline bool sim_check_is_live(const struct sim_world *world, enum sim_pool_kind kind,
                                     uint32_t index)
{
    const struct sim_pool *pool = &world->pools[kind];
    if (index == 0 || index > pool->high_water) {
        return false;
    }
    const char *item = (const char *)world + pool->offset + (uint64_t)index * pool->item_bytes;
    return ((const struct sim_slot *)(const void *)item)->live == 1;
}

/* The next live slot after `index`, or 0. */
static inline uint32_t sim_check_next(const struct sim_world *world, enum sim_pool_kind kind,
                                      uint32_t index)
{
    const uint32_t high_water = world->pools[kind].high_water;
    while (++index <= high_water) {
        if (sim_check_is_live(world, kind, index)) {
            return index;
        }
    }
    return 0;
}

/* for (each live index of a pool) */
#define SIM_CHECK_EACH(world, kind, index)                            \
    for (uint32_t index = sim_check_next(world, kind, 0); index != 0; \
         index = sim_check_next(world, kind, index))

#endif
