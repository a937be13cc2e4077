/* Who runs now: which task's code this thread is in, and whom its calls are made as.
 * SPDX-License-Identifier: MIT */
#include "current.h"

#include "core/block.h"
#include "run.h"

/* The one thread-local: where this thread is, and stores for a thread that has no world. */
static _Thread_local struct {
    struct sim_current current;
    char task_store[DRY_LOCAL_BYTES], process_store[DRY_LOCAL_BYTES];
} here;

struct sim_current *sim_current(void)
{
    return &here.current;
}

void *sim_current_task_store(void)
{
    return here.task_store;
}

void *sim_current_process_store(void)
{
    return here.process_store;
}

struct dry_caller dry_current_caller(void)
{
    sim_notice_jump();
    if (!here.current.caller.system) {
        return sim_default_caller();
    }
    return here.current.caller;
}

void dry_set_current_caller(struct dry_caller caller)
{
    struct sim *sim = here.current.sim;
    if (sim && sim->running) {
        struct sim_code *code = sim_code_of(sim, sim->running);
        if (!caller.system) {
            const struct sim_task_id task = {sim->running};
            caller = (struct dry_caller){&sim_system, sim, sim_task_at(sim->world, task)->process.index,
                                         task.index};
        }
        code->caller = caller;
    }
    here.current.caller = caller;
}

const struct dry_system *dry_provider(void)
{
    return &sim_system;
}
