/* Who runs now: which task's code this thread is in, and whom its calls are made as.
 * SPDX-License-Identifier: MIT */
#include "current.h"

#include <errno.h>
#include <pthread.h>

#include "core/block.h"
#include "run.h"

/* The one thread-local: where this thread is, and stores for a thread that has no world. */
static _Thread_local struct {
    struct sim_current current;
    char task_store[DRY_LOCAL_BYTES], process_store[DRY_LOCAL_BYTES];
    const char *why;      /* the calls of who has no world fail */
    const char *why_once; /* the last call failed, as long as no other was made */
    uint64_t why_once_at; /* sim->calls then */
    int worlds;           /* of sim_create, and not destroyed */
    struct sim *own;      /* the default world */
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

void sim_current_count_worlds(int change)
{
    here.worlds += change;
}

void sim_current_explain(const char *sentence)
{
    here.why_once = sentence;
    here.why_once_at = here.current.sim ? here.current.sim->calls : 0;
}

const char *dry_explain(struct dry_caller caller, int code)
{
    if (code != ENOTSUP) {
        return NULL;
    }
    if (!caller.world) {
        return here.why;
    }
    const bool of_this_call = here.current.sim && here.current.sim->calls == here.why_once_at;
    return of_this_call ? here.why_once : NULL;
}

struct dry_caller sim_current_refuse(const char *sentence)
{
    here.why = sentence;
    return (struct dry_caller){&sim_system, NULL, 0, 0};
}

/* ---- who has no world ----------------------------------------------------------------------- */

/* A forked child of a program that main of a default world is: the world is its parent's. */
static void child_has_no_world(void)
{
    if (here.own && here.current.sim == here.own) {
        here.current = (struct sim_current){
            .caller = sim_current_refuse("a forked process has no world with libdrysock-sim alone: "
                                         "'drysock exec' runs programs of several processes"),
            .forked = 1};
    }
}

void sim_current_own(struct sim *sim)
{
    here.own = sim;
    pthread_atfork(NULL, NULL, child_has_no_world);
}

struct dry_caller dry_current_caller(void)
{
    sim_notice_jump();
    if (!here.current.caller.system) {
        return here.worlds > 0 ? sim_current_refuse("outside the tasks of a world that sim_create made "
                                                    "nobody speaks: make this call in a task")
                               : sim_default_caller();
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
