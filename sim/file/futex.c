/* Words of programs' memory that tasks wait on: who waits where, and who is woken or moved.
 * SPDX-License-Identifier: MIT */
#include "futex.h"

#include <errno.h>
#include <string.h>

#include "core/block.h"
#include "wait.h"

/* Above any sim_process.memory: keys of shared words do not meet those of private ones. */
static const uint64_t SHARED = UINT64_C(1) << 63;

struct sim_futex_key sim_futex_key(const struct sim_world *world, struct sim_process_id process,
                                   const uint32_t *word, const uint64_t shared[2])
{
    if (shared) {
        return (struct sim_futex_key){{shared[0] | SHARED, shared[1]}};
    }
    return (struct sim_futex_key){{sim_process_at(world, process)->memory, (uintptr_t)word}};
}

static uint32_t bucket_of(struct sim_futex_key key)
{
    const uint64_t mixed = (key.of[0] ^ key.of[1] >> 2) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 56) % SIM_FUTEX_BUCKETS;
}

/* Frees the bucket's records that nobody waits on any more. */
static void sweep(struct sim_world *world, uint32_t bucket)
{
    struct sim_futex_id *link = &world->futexes[bucket];
    while (link->index) {
        const struct sim_futex_id id = *link;
        struct sim_futex *futex = sim_futex_at(world, id);
        if (futex->waiters.first.index) {
            link = &futex->next;
        } else {
            *link = futex->next;
            sim_pool_give(world, SIM_POOL_FUTEX, id.index);
        }
    }
}

void sim_futex_sweep(struct sim_world *world, struct sim_futex_key key)
{
    sweep(world, bucket_of(key));
}

void sim_futex_sweep_all(struct sim_world *world)
{
    for (uint32_t bucket = 0; bucket < SIM_FUTEX_BUCKETS; bucket++) {
        if (world->futexes[bucket].index) {
            sweep(world, bucket);
        }
    }
}

/* The word's record; index 0: nobody waits on it. */
static struct sim_futex_id find(const struct sim_world *world, struct sim_futex_key key)
{
    struct sim_futex_id id = world->futexes[bucket_of(key)];
    while (id.index && memcmp(sim_futex_at(world, id)->key, key.of, sizeof key.of) != 0) {
        id = sim_futex_at(world, id)->next;
    }
    return id;
}

static struct sim_futex_id find_or_make(struct sim_world *world, struct sim_futex_key key)
{
    struct sim_futex_id id = find(world, key);
    if (!id.index && (id.index = sim_pool_take(world, SIM_POOL_FUTEX)) != 0) {
        struct sim_futex *futex = sim_futex_at(world, id);
        futex->bucket = bucket_of(key);
        memcpy(futex->key, key.of, sizeof key.of);
        futex->next = world->futexes[futex->bucket];
        world->futexes[futex->bucket] = id;
    }
    return id;
}

/* ---- wait --------------------------------------------------------------------------------------- */

int sim_futex_wait_add(struct sim_world *world, struct sim_task_id task, struct sim_futex_key key,
                       uint32_t bits)
{
    const struct sim_futex_id futex = find_or_make(world, key);
    if (!futex.index || sim_wait_add(world, task, SIM_QUEUE_FUTEX, futex.index, 0) < 0) {
        sweep(world, bucket_of(key));
        return -ENOMEM;
    }
    sim_waiter_at(world, sim_task_at(world, task)->first_waiter)->interest = bits;
    return 0;
}

/* ---- wake --------------------------------------------------------------------------------------- */

static void wake_one(struct sim_world *world, struct sim_waiter_id id)
{
    const struct sim_task_id task = sim_waiter_at(world, id)->task;
    sim_wait_dequeue(world, id);
    sim_task_at(world, task)->call.futex_woken = 1;
    sim_wait_wake_task(world, task, SIM_WAKE_OBJECT);
}

int64_t sim_futex_wake(struct sim_world *world, struct sim_futex_key key, int most, uint32_t bits)
{
    const struct sim_futex_id futex = find(world, key);
    int64_t woken = 0;
    if (!bits) {
        return -EINVAL;
    }
    struct sim_waiter_id id = futex.index ? sim_futex_at(world, futex)->waiters.first
                                          : (struct sim_waiter_id){0};
    while (id.index) {
        const struct sim_waiter_id next = sim_waiter_at(world, id)->next_in_queue;
        if ((sim_waiter_at(world, id)->interest & bits) || DRY_MUTANT(futex_bits_are_ignored)) {
            wake_one(world, id);
            if (++woken >= most) {
                break;
            }
        }
        id = next;
    }
    sweep(world, bucket_of(key));
    return woken;
}

int64_t sim_futex_requeue(struct sim_world *world, struct sim_futex_key from, struct sim_futex_key to,
                          int wakes, int moves)
{
    if (wakes < 0 || moves < 0) {
        return -EINVAL;
    }
    const struct sim_futex_id source = find(world, from);
    int64_t done = 0;
    while (source.index && done - wakes < moves) {
        const struct sim_waiter_id id = sim_futex_at(world, source)->waiters.first;
        if (!id.index) {
            break;
        }
        if (++done <= wakes) {
            wake_one(world, id);
            continue;
        }
        const struct sim_futex_id target = find_or_make(world, to);
        if (!target.index) {
            return -ENOMEM;
        }
        if (target.index == source.index) {
            break; /* LINUX: nothing moves, and those that would are counted */
        }
        sim_wait_dequeue(world, id);
        sim_wait_enqueue(world, id, SIM_QUEUE_FUTEX, target.index);
    }
    sweep(world, bucket_of(from));
    return done;
}

void sim_futex_wake_shared(struct sim_world *world)
{
    for (uint32_t bucket = 0; bucket < SIM_FUTEX_BUCKETS; bucket++) {
        for (struct sim_futex_id id = world->futexes[bucket]; id.index;) {
            struct sim_futex *futex = sim_futex_at(world, id);
            while ((futex->key[0] & SHARED) && futex->waiters.first.index) {
                wake_one(world, futex->waiters.first);
            }
            id = futex->next;
        }
    }
    sim_futex_sweep_all(world);
}
