/* Descriptors of the real system that stand in a program's table beside those of the world.
 * SPDX-License-Identifier: MIT
 *
 * The world moves none of their bytes. Regular files are always ready, as Linux's are; of a terminal
 * or a real pipe it knows what the program's process last saw. */
#include "real.h"

#include <poll.h>

#include "core/block.h"
#include "wait.h"

struct sim_real_id sim_real_new(struct sim_world *world, enum sim_real_kind_of kind)
{
    const struct sim_real_id id = {sim_pool_take(world, SIM_POOL_REAL)};
    if (id.index) {
        sim_real_at(world, id)->kind = kind;
    }
    return id;
}

void sim_real_tell(struct sim_world *world, struct sim_real_id id, uint32_t bits)
{
    struct sim_real *real = sim_real_at(world, id);
    real->ready = bits;
    if (bits) {
        sim_wake(world, &real->waiters, bits);
    }
}

/* Does the task wait for this object, be it by an epoll? */
static bool waits_for_real(const struct sim_world *world, const struct sim_task *task)
{
    struct sim_waiter_id id = task->first_waiter;
    while (id.index) {
        const struct sim_waiter *waiter = sim_waiter_at(world, id);
        if (waiter->queue_kind == SIM_FILE_REAL) {
            return true;
        }
        if (waiter->queue_kind == SIM_FILE_EPOLL) {
            const struct sim_epoll_id epoll = {waiter->queue_index};
            struct sim_waiter_id item = sim_epoll_at(world, epoll)->first_item;
            while (item.index) {
                if (sim_waiter_at(world, item)->queue_kind == SIM_FILE_REAL) {
                    return true;
                }
                item = sim_waiter_at(world, item)->next_of_owner;
            }
        }
        id = waiter->next_of_owner;
    }
    return false;
}

bool sim_real_wake_one(struct sim_world *world)
{
    if (world->pools[SIM_POOL_REAL].live_count == 0) {
        return false;
    }
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks; index++) { /* ORDER: the lowest index first */
        const struct sim_task_id id = {index};
        struct sim_task *task = sim_task_at(world, id);
        if (task->slot.live && task->state == SIM_TASK_WAITING && waits_for_real(world, task)) {
            task->call.waits_really = 1;
            sim_wait_wake_task(world, id, SIM_WAKE_OBJECT);
            return true;
        }
    }
    return false;
}

static uint32_t poll_real(const struct sim_world *world, uint32_t object)
{
    const struct sim_real *real = sim_real_at(world, (struct sim_real_id){object});
    return real->kind == SIM_REAL_IS_READY ? POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM : real->ready;
}

static void release_real(struct sim_world *world, uint32_t object)
{
    const struct sim_real_id id = {object};
    sim_wait_abandon(world, &sim_real_at(world, id)->waiters);
    sim_pool_give(world, SIM_POOL_REAL, object);
}

const struct sim_file_verbs sim_real_verbs = {SIM_FILE_REAL, poll_real, release_real};
