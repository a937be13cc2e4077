/* The frame around each seam call into the world: who may call, the spin guard, how a call ends.
 * SPDX-License-Identifier: MIT */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/process.h"
#include "core/event.h"
#include "file/file.h"
#include "world.h"

/* ---- spinning ----------------------------------------------------------------------------------- */

/* A task that never waits is ended: nothing else would end it, and the watchdog sees its calls. */
static void end_spinner(struct sim *sim)
{
    char message[128];
    snprintf(message, sizeof message,
             "spins: made %llu calls and never waited (sim_options.spin_calls)",
             (unsigned long long)sim->spin_calls);
    sim->in_call = 0;
    if (sim->attached) {
        fprintf(stderr, "drysock: %s %s\n",
                sim_task_at(sim->world, (struct sim_task_id){sim->running})->name, message);
        _exit(SIM_EXIT_WATCHDOG);
    }
    if (sim_code_of(sim, sim->running)->own) {
        fprintf(stderr, "drysock: main %s\n", message);
        exit(SIM_EXIT_WATCHDOG);
    }
    sim_leave(sim, message);
}

/* The clock moves under a task that never waits: by a step for each call, and never past what is queued
 * or the instant at which the run is to stop. There the task waits for its step as any other. */
static void spin(struct sim *sim, struct sim_task *task)
{
    struct sim_world *world = sim->world;
    const bool moved = task->spun_at != world->now;
    task->busy_calls += moved ? task->spins : 1;
    if (task->busy_calls >= sim->spin_calls) {
        end_spinner(sim);
    }
    if (moved) {
        task->spun_at = world->now;
        task->spins = 0;
        return;
    }
    const uint64_t next_at = world->now + SIM_SPIN_STEP_NS;
    if (sim_event_next_at(world) > next_at &&
        (next_at <= world->until || DRY_MUTANT(a_spinner_passes_where_the_run_stops))) {
        sim_world_advance(world, next_at);
        task->spun_at = next_at;
        return;
    }
    const struct sim_task_id id = {sim->running};
    while (sim_call_spin(world, id, next_at) == SIM_WAIT) {
        sim_park(sim, id.index);
    }
    if (DRY_MUTANT(a_signal_in_the_guards_step_is_lost)) {
        sim_signal_handle(task);
    }
    task->spun_at = world->now;
    /* A signal that came meanwhile came during the call that is about to be made. */
    sim->slow_end = sim_signal_due(task) != 0;
}

bool sim_frame_park(struct sim *sim, struct sim_task_id task)
{
    sim->slow_end = sim->outside.task != 0; /* what came before a wait is the wait's to tell */
    const bool parked = sim_park(sim, task.index);
    if (parked) {
        sim_task_at(sim->world, task)->busy_calls = 0;
    }
    return parked;
}

/* ---- calls from outside ------------------------------------------------------------------------- */

static int outside_begin(struct sim *sim, uint32_t task)
{
    if (!sim) {
        return -ENOTSUP;
    }
    struct sim_world *world = sim->world;
    if (sim->outside.task || task == 0 || task > world->pools[SIM_POOL_TASK].high_water) {
        return -ESRCH;
    }
    struct sim_task *record = sim_task_at(world, (struct sim_task_id){task});
    if (!record->slot.live || record->state == SIM_TASK_ENDED) {
        return -ESRCH;
    }
    /* The task may be in a call of its own: that one's record is put aside. */
    sim->outside = (struct sim_outside){task, record->call, record->first_waiter,
                                        record->deadline_event};
    memset(&record->call, 0, sizeof record->call);
    record->first_waiter.index = 0;
    record->deadline_event.index = 0;
    sim->slow_end = 1;
    return 0;
}

int64_t sim_frame_slow_begin(struct sim *sim, uint32_t task)
{
    if (!sim || sim->running != task || !task) {
        return outside_begin(sim, task);
    }
    char message[128];
    if (sim_is_overdue(sim, message, sizeof message)) {
        sim->in_call = 0;
        sim_leave(sim, message);
    }
    spin(sim, sim_task_at(sim->world, (struct sim_task_id){task}));
    return 0;
}

static int64_t outside_end(struct sim *sim, int64_t result)
{
    struct sim_world *world = sim->world;
    const struct sim_task_id task = {sim->outside.task};
    struct sim_task *record = sim_task_at(world, task);
    if (result == SIM_WAIT) {
        sim_file_wait_clear(world, task);
        result = -EDEADLK;
    }
    record->call = sim->outside.call;
    record->first_waiter = sim->outside.first_waiter;
    record->deadline_event = sim->outside.deadline_event;
    sim->outside = (struct sim_outside){0};
    sim->slow_end = 0;
    return result;
}

int64_t sim_frame_slow_end(struct sim *sim, int64_t result)
{
    if (sim->outside.task) {
        return outside_end(sim, result);
    }
    if (sim->slow_end) {
        /* The call ended without having waited, or that signal ended its wait: it is handled. */
        struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){sim->running});
        sim->slow_end = 0;
        sim_signal_handle(task);
        task->landed = task->landed && result == -EINTR;
    }
    if (sim->world->running.index) {
        return result;
    }
    if (sim->attached) {
        return result; /* who made the call asks sim_process_killed, and ends its process */
    }
    /* A signal without a handler ended the process while it was in this call. */
    const uint32_t number =
        sim_process_at(sim->world, sim_task_at(sim->world, (struct sim_task_id){sim->running})->process)
            ->killed_by;
    char message[64];
    snprintf(message, sizeof message, "killed by signal %u (SIG%s)", number, sigabbrev_np((int)number));
    if (sim_code_of(sim, sim->running)->own) {
        fprintf(stderr, "drysock: main was %s\n", message);
        exit(128 + (int)number);
    }
    sim_leave(sim, message);
}
