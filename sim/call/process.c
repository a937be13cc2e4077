/* Processes: creation, fork, exit.
 * SPDX-License-Identifier: MIT */
#include "process.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "core/block.h"
#include "core/event.h"
#include "file/file.h"
#include "file/futex.h"

enum {
    GONE_KEPT = 16, /* records of processes that exited */
    /* World descriptors start where no real one can lie: Linux's fs.nr_open is 1,048,576 and no
     * process has a descriptor above it. */
    FIRST_DESCRIPTOR = 1 << 20,
    DESCRIPTOR_LIMIT = SIM_DESCRIPTORS_PER_PAGE * SIM_DESCRIPTOR_PAGES,
};

/* Frees the records that nobody names, but for the last few, whose exit status can still be read. */
static void free_gone(struct sim_world *world)
{
    const struct sim_pool *pool = &world->pools[SIM_POOL_PROCESS];
    while (world->gone_processes > GONE_KEPT ||
           (world->gone_processes > 0 && pool->live_count == pool->capacity)) {
        const struct sim_process_id id = world->first_gone;
        world->first_gone = sim_process_at(world, id)->next_gone;
        if (!world->first_gone.index) {
            world->last_gone.index = 0;
        }
        world->gone_processes--;
        sim_pool_give(world, SIM_POOL_PROCESS, id.index);
    }
}

struct sim_process_id sim_process_find(const struct sim_world *world, uint32_t pid)
{
    const struct sim_pool *pool = &world->pools[SIM_POOL_PROCESS];
    for (uint32_t i = 1; i <= pool->high_water; i++) {
        const struct sim_process *process = sim_process_at(world, (struct sim_process_id){i});
        if (process->slot.live && process->pid == pid && !process->exited) {
            return (struct sim_process_id){i};
        }
    }
    return (struct sim_process_id){0};
}

struct sim_process_id sim_process_add(struct sim_world *world, struct sim_host_id host,
                                      const char *name)
{
    free_gone(world);
    const struct sim_process_id id = {sim_pool_take(world, SIM_POOL_PROCESS)};
    if (!id.index) {
        return id;
    }
    struct sim_process *process = sim_process_at(world, id);
    process->references = 1; /* until it exits */
    process->host = host;
    process->pid = SIM_FIRST_PID + world->next_pid++;
    process->first_descriptor = FIRST_DESCRIPTOR;
    process->descriptor_limit = DESCRIPTOR_LIMIT;
    process->handled_signals = UINT64_C(1) << (SIM_SIGNAL_INTERRUPT - 1);
    process->ignored_signals = UINT64_C(1) << (SIGPIPE - 1);
    sim_name_copy(process->name, name);
    return id;
}

struct sim_process_id sim_process_fork(struct sim_world *world, struct sim_process_id parent_id)
{
    const struct sim_process *parent = sim_process_at(world, parent_id);
    const struct sim_process_id id = sim_process_add(world, parent->host, parent->name);
    if (!id.index) {
        return id;
    }
    struct sim_process *child = sim_process_at(world, id);
    child->parent = parent_id;
    child->uid = parent->uid;
    child->gid = parent->gid;
    child->first_descriptor = parent->first_descriptor;
    child->descriptor_limit = parent->descriptor_limit;
    child->handled_signals = parent->handled_signals;
    child->ignored_signals = parent->ignored_signals;
    child->restart_signals = parent->restart_signals;
    memcpy(child->local, parent->local, sizeof child->local);
    if (sim_descriptor_share_all(world, parent_id, id) < 0) {
        sim_process_exit(world, id, 0);
        return (struct sim_process_id){0};
    }
    return id;
}

void sim_process_exit(struct sim_world *world, struct sim_process_id id, int status)
{
    struct sim_process *process = sim_process_at(world, id);
    if (process->exited) {
        return;
    }
    process->exited = 1;
    process->exit_status = status;
    if (process->program) {
        sim_turn_of(world)->wanted = 1; /* the real one has to end as well */
        const struct sim_event_id event = sim_event_push(world, world->now, SIM_EVENT_ENDED, id.index,
                                                         0, 0);
        assert(event.index);
    }
    /* A program's child is its parent's to judge: such an end is no failure of the run. */
    const bool has_parent = process->program && (process->parent.index || process->orphan);
    if (process->killed_by && !world->killed_by && !has_parent) {
        world->killed_by = process->killed_by;
        sim_name_copy(world->killed_name, process->name);
    }
    /* The tasks go first, as Linux's threads do: what they wait on is let go. */
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks && process->task_count > 0; index++) {
        struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
        if (task->slot.live && task->process.index == id.index && task->state != SIM_TASK_ENDED) {
            task->fate = process->killed_by ? SIM_TASK_KILLED : SIM_TASK_WELL;
            sim_task_end(world, (struct sim_task_id){index});
        }
    }
    sim_descriptor_close_all(world, id);
    if (process->program) {
        sim_futex_wake_shared(world); /* words that it owned may have marks of its death by now */
    }
    sim_process_drop(world, id);
}
