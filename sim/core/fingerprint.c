/* The fingerprint: one hash over the clock, chance, the queue and every live slot.
 * SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "block.h"
#include "event.h"
#include "fingerprint.h"

/* Two worlds with other capacities lie elsewhere in their blocks, and are equal all the same: so of
 * the pools only the live slots count, with their indices. */
static void add_pool(XXH3_state_t *state, const struct sim_world *world, enum sim_pool_kind kind)
{
    const struct sim_pool *pool = &world->pools[kind];
    for (uint32_t index = 1; index <= pool->high_water; index++) {
        const struct sim_slot *slot = sim_pool_at(world, kind, index);
        if (!slot->live) {
            continue;
        }
        size_t bytes = pool->item_bytes;
        if (kind == SIM_POOL_CHUNK) {
            const struct sim_chunk *chunk = (const struct sim_chunk *)slot;
            bytes = offsetof(struct sim_chunk, data) + chunk->used_bytes;
        }
        const uint32_t name[2] = {kind, index};
        XXH3_64bits_update(state, name, sizeof name);
        XXH3_64bits_update(state, slot, bytes);
    }
}

uint64_t sim_world_fingerprint(const struct sim_world *world)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    const uint64_t head[] = {
        world->now,
        world->wall_offset_ns,
        world->seed,
        world->next_event_sequence,
        world->events_run,
        world->packet_hash,
        world->packet_count,
        world->packets_pathless,
        (uint64_t)world->heap_count << 32 | world->running.index,
        (uint64_t)world->first_now.index << 32 | world->last_now.index,
        (uint64_t)world->open_chunk.index << 32 | world->shuffle,
        (uint64_t)world->next_pid << 32 | world->failed_tasks,
        (uint64_t)world->ready_tasks << 32 | world->waiting_tasks,
        (uint64_t)world->last_task_number << 32 | world->ended_tasks,
    };
    XXH3_64bits_update(&state, head, sizeof head);
    XXH3_64bits_update(&state, &world->random, sizeof world->random);
    XXH3_64bits_update(&state, sim_event_heap(world),
                       world->heap_count * sizeof(struct sim_heap_entry));
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        add_pool(&state, world, kind);
    }
    return XXH3_64bits_digest(&state);
}
