/* signalfd: a program's pending signals as a file.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: whose signals it tells is asked of who polls. SIMPLER: here they are those of the process
 * that made it, and all of its threads count. */
#include "signalfd.h"

#include <poll.h>

#include "core/block.h"
#include "wait.h"

struct sim_signalfd_id sim_signalfd_new(struct sim_world *world, struct sim_process_id process,
                                        uint64_t mask)
{
    const struct sim_signalfd_id id = {sim_pool_take(world, SIM_POOL_SIGNALFD)};
    if (id.index) {
        sim_signalfd_at(world, id)->mask = mask;
        sim_signalfd_at(world, id)->process = process;
    }
    return id;
}

static bool holds_one(const struct sim_world *world, struct sim_pending_id id, uint64_t mask)
{
    while (id.index) {
        const struct sim_pending *pending = sim_pending_at(world, id);
        if (mask & UINT64_C(1) << (pending->number - 1)) {
            return true;
        }
        id = pending->next;
    }
    return false;
}

static uint32_t poll_signalfd(const struct sim_world *world, uint32_t object)
{
    const struct sim_signalfd *signalfd = sim_signalfd_at(world, (struct sim_signalfd_id){object});
    const struct sim_process *process = sim_process_at(world, signalfd->process);
    bool readable = holds_one(world, process->first_pending, signalfd->mask);
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks && !readable; index++) {
        const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
        readable = task->slot.live && task->process.index == signalfd->process.index &&
                   holds_one(world, task->first_pending, signalfd->mask);
    }
    return readable ? POLLIN : 0;
}

void sim_signalfd_change(struct sim_world *world, struct sim_signalfd_id id, uint64_t mask)
{
    struct sim_signalfd *signalfd = sim_signalfd_at(world, id);
    signalfd->mask = mask;
    if (poll_signalfd(world, id.index)) {
        sim_wake(world, &signalfd->waiters, POLLIN);
    }
}

static void release_signalfd(struct sim_world *world, uint32_t object)
{
    const struct sim_signalfd_id id = {object};
    sim_wait_abandon(world, &sim_signalfd_at(world, id)->waiters);
    sim_pool_give(world, SIM_POOL_SIGNALFD, object);
}

const struct sim_file_verbs sim_signalfd_verbs = {SIM_FILE_SIGNALFD, poll_signalfd, release_signalfd};
