/* eventfd: a counter that is read and written like a file.
 * SPDX-License-Identifier: MIT */
#include "counter.h"

#include <errno.h>
#include <poll.h>

#include "core/block.h"
#include "file.h"
#include "wait.h"

static const uint64_t LARGEST = UINT64_MAX - 1;

struct sim_counter_id sim_counter_new(struct sim_world *world, uint64_t initial, bool semaphore)
{
    const struct sim_counter_id id = {sim_pool_take(world, SIM_POOL_COUNTER)};
    if (id.index) {
        struct sim_counter *counter = sim_counter_at(world, id);
        counter->value = initial;
        counter->semaphore = semaphore;
    }
    return id;
}

void sim_counter_free(struct sim_world *world, struct sim_counter_id id)
{
    sim_wait_abandon(world, &sim_counter_at(world, id)->waiters);
    sim_pool_give(world, SIM_POOL_COUNTER, id.index);
}

int64_t sim_counter_read(struct sim_world *world, struct sim_counter_id id, uint64_t *value)
{
    struct sim_counter *counter = sim_counter_at(world, id);
    if (counter->value == 0) {
        return -EAGAIN;
    }
    *value = counter->semaphore ? 1 : counter->value;
    counter->value -= *value;
    sim_wake(world, &counter->waiters, POLLOUT);
    return sizeof *value;
}

int64_t sim_counter_write(struct sim_world *world, struct sim_counter_id id, uint64_t value)
{
    struct sim_counter *counter = sim_counter_at(world, id);
    if (value == UINT64_MAX) {
        return -EINVAL;
    }
    if (value > LARGEST - counter->value) {
        return -EAGAIN;
    }
    counter->value += value;
    sim_wake(world, &counter->waiters, POLLIN);
    return sizeof value;
}

uint32_t sim_counter_poll(const struct sim_world *world, struct sim_counter_id id)
{
    const struct sim_counter *counter = sim_counter_at(world, id);
    return (counter->value > 0 ? POLLIN : 0u) | (counter->value < LARGEST ? POLLOUT : 0u);
}

/* ---- as a file -------------------------------------------------------------------------------- */

static uint32_t file_poll(const struct sim_world *world, uint32_t object)
{
    return sim_counter_poll(world, (struct sim_counter_id){object});
}

static void file_release(struct sim_world *world, uint32_t object)
{
    sim_counter_free(world, (struct sim_counter_id){object});
}

const struct sim_file_verbs sim_counter_verbs = {SIM_FILE_COUNTER, file_poll, file_release};
