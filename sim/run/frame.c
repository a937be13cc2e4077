/* The frame around each seam call into the world: who may call, the spin guard, how a call ends.
 * SPDX-License-Identifier: MIT */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "file/file.h"
#include "world.h"

/* The clock moves under a task that never waits. */
static void spin(struct sim *sim, struct sim_task *task)
{
    struct sim_world *world = sim->world;
    if (task->spun_at != world->now) {
        task->spun_at = world->now;
        task->spins = 0;
        return;
    }
    const uint64_t next_at = world->now + SIM_SPIN_STEP_NS;
    if (sim_event_next_at(world) > next_at) {
        sim_world_advance(world, next_at);
        task->spun_at = next_at;
        return;
    }
    const struct timespec step = {0, SIM_SPIN_STEP_NS};
    const struct sim_task_id id = {sim->running};
    while (sim_call_clock_nanosleep(world, id, CLOCK_MONOTONIC, 0, &step, NULL) == SIM_WAIT) {
        sim_park(sim, id.index);
    }
    task->spun_at = world->now;
}

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
    return 0;
}

int64_t sim_frame_slow_begin(struct sim *sim, uint32_t task)
{
    if (!sim || sim->running != task || !task) {
        return outside_begin(sim, task);
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
    return result;
}

int64_t sim_frame_slow_end(struct sim *sim, int64_t result)
{
    if (sim->outside.task) {
        return outside_end(sim, result);
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
