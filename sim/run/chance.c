/* The fault plan's chance and where it lies: in the world's block, or, on the kernel, in memory.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <pthread.h>
#include <stdlib.h>

#include "core/random.h"
#include "fault/fault.h"

/* One stream of the seed is all that a plan draws from. */
static bool draw(uint64_t state[2], uint32_t ppm)
{
    struct sim_random random = {{0}};
    random.state[SIM_STREAM_FAULT] = state[0];
    const bool result = sim_random_chance(&random, SIM_STREAM_FAULT, ppm);
    state[0] = random.state[SIM_STREAM_FAULT];
    return result;
}

struct sim_fault_plan *sim_fault_plan_in(struct fault_store store, uint32_t root, uint64_t seed)
{
    struct sim_fault_plan *plan = fault_plan_open(store, root, draw);
    if (plan && !root) {
        struct sim_random random;
        sim_random_seed(&random, seed);
        fault_root_of(plan)->chance[0] = random.state[SIM_STREAM_FAULT];
    }
    return plan;
}

/* ---- a store in memory: cells that stay where they are, for threads ------------------------------ */

enum { CELLS = 1024, MOST_BLOCKS = 1024 };

struct memory {
    pthread_mutex_t mutex;
    uint32_t used; /* cells 1 … used have been taken */
    uint32_t first_free;
    char *blocks[MOST_BLOCKS]; /* of CELLS each */
};

static void *memory_at(void *memory, uint32_t cell)
{
    const struct memory *store = memory;
    return store->blocks[cell / CELLS] + (size_t)(cell % CELLS) * FAULT_CELL_BYTES;
}

static uint32_t take_new(struct memory *store)
{
    const uint32_t cell = store->used + 1;
    if (cell >= (uint32_t)CELLS * MOST_BLOCKS) {
        return 0;
    }
    char **block = &store->blocks[cell / CELLS];
    if (!*block && !(*block = calloc(CELLS, FAULT_CELL_BYTES))) {
        return 0;
    }
    store->used = cell;
    return cell;
}

static uint32_t memory_take(void *memory)
{
    struct memory *store = memory;
    pthread_mutex_lock(&store->mutex);
    uint32_t cell = store->first_free;
    if (cell) {
        uint32_t *next = memory_at(memory, cell);
        store->first_free = *next;
        *next = 0;
    } else {
        cell = take_new(store);
    }
    pthread_mutex_unlock(&store->mutex);
    return cell;
}

static void memory_give(void *memory, uint32_t cell)
{
    struct memory *store = memory;
    uint32_t *next = memory_at(memory, cell);
    pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < FAULT_CELL_BYTES / sizeof *next; i++) {
        next[i] = 0;
    }
    *next = store->first_free;
    store->first_free = cell;
    pthread_mutex_unlock(&store->mutex);
}

static void memory_destroy(void *memory)
{
    struct memory *store = memory;
    for (size_t i = 0; i < MOST_BLOCKS; i++) {
        free(store->blocks[i]);
    }
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

struct sim_fault_plan *sim_fault_plan_create(uint64_t seed)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory) {
        return NULL;
    }
    pthread_mutex_init(&memory->mutex, NULL);
    const struct fault_store store = {memory, memory_at, memory_take, memory_give};
    struct sim_fault_plan *plan = sim_fault_plan_in(store, 0, seed);
    if (!plan) {
        memory_destroy(memory);
        return NULL;
    }
    plan->destroy_store = memory_destroy;
    return plan;
}
