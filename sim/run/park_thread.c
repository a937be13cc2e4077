/* Parking by threads: a waiting thread runs the loop itself, and passes the turn to whose it is.
 * SPDX-License-Identifier: MIT
 *
 * What is not a thread's to do goes to the coordinator: fibers and scripts are its codes, the end of
 * all events is its to judge, packets for its captures pile up until it takes them. */
#include <errno.h>

#include "core/event.h"
#include "turn.h"
#include "world.h"

enum {
    TAP_MOST = 4096, /* packets that wait for the coordinator to take them */
};

static const uint64_t QUIET_NS = UINT64_C(86400000000000); /* of nothing but timers */

/* Must the coordinator look, whatever comes next? */
static bool is_wanted(const struct sim *sim)
{
    const struct sim_world *world = sim->world;
    return sim_turn_of(world)->wanted || world->tap_count > TAP_MOST || world->live_tasks == 0 ||
           world->now - world->busy_at > QUIET_NS;
}

/* Takes events until the turn is somebody's: true when it is `own`'s, which keeps it; else it was
 * passed. */
static bool pass(struct sim *sim, uint32_t own)
{
    struct sim_world *world = sim->world;
    for (;;) {
        struct sim_task_id task;
        uint32_t script;
        if (is_wanted(sim)) {
            sim_turn_order(sim, SIM_ORDER_LOOP, 0);
            return false;
        }
        switch (sim_world_step(world, world->until, &task, &script)) {
        case SIM_STEP_EMPTY:
            sim_turn_order(sim, SIM_ORDER_LOOP, 0);
            return false;
        case SIM_STEP_SCRIPT:
            sim_turn_order(sim, SIM_ORDER_SCRIPT, script);
            return false;
        case SIM_STEP_TASK:
            if (!sim_task_at(world, task)->daemon) {
                world->busy_at = world->now;
            }
            if (task.index == own) {
                return true;
            }
            if (sim_turn_is_thread(sim, task.index)) {
                sim_turn_give(sim, task.index);
            } else {
                sim_turn_order(sim, SIM_ORDER_TASK, task.index);
            }
            return false;
        case SIM_STEP_DONE:
            if (sim->check) {
                sim_check_step(world);
            }
            break;
        }
    }
}

void sim_turn_wait(struct sim *sim, uint32_t task)
{
    const int saved_errno = errno;
    sim_turn_of(sim->world)->in_world = 1;
    if (!pass(sim, task)) {
        sim_turn_take(sim, task, 0);
    }
    sim_turn_of(sim->world)->in_world = 1; /* the call goes on */
    sim->running = task;
    sim_plan_before(sim, task);
    errno = saved_errno;
}

void sim_turn_pass(struct sim *sim, uint32_t left)
{
    sim_turn_of(sim->world)->leaving = left;
    sim_turn_of(sim->world)->in_world = 1;
    pass(sim, 0);
}

/* ---- the coordinator's side --------------------------------------------------------------------- */

enum {
    LOOK_NS = 20000000, /* how often it looks for processes that died holding the turn */
};

/* What changes while the holder makes calls. */
struct progress {
    uint32_t holder, spins;
    uint64_t now, events;
};

static struct progress progress_of(const struct sim *sim)
{
    const struct sim_world *world = sim->world;
    const uint32_t holder = __atomic_load_n(&sim_turn_of(world)->holder, __ATOMIC_RELAXED);
    const struct sim_task *task = sim_task_at(world, (struct sim_task_id){holder});
    return (struct progress){holder, __atomic_load_n(&task->spins, __ATOMIC_RELAXED),
                             __atomic_load_n(&world->now, __ATOMIC_RELAXED),
                             __atomic_load_n(&world->events_run, __ATOMIC_RELAXED)};
}

static bool same_progress(struct progress a, struct progress b)
{
    return a.holder == b.holder && a.spins == b.spins && a.now == b.now && a.events == b.events;
}

void sim_turn_lend(struct sim *sim, uint32_t task, enum sim_order *order, uint32_t *subject)
{
    struct sim_turn *turn = sim_turn_of(sim->world);
    turn->order = SIM_ORDER_LOOP;
    sim_turn_give(sim, task);
    struct progress last = progress_of(sim);
    uint64_t still_ns = 0;
    while (!sim_turn_take(sim, 0, LOOK_NS)) {
        if (sim_watch_look(sim)) {
            break;
        }
        const struct progress now = progress_of(sim);
        still_ns = same_progress(now, last) ? still_ns + LOOK_NS : 0;
        last = now;
        if (sim->watchdog_ns && sim->watchdog_ns != UINT64_MAX && still_ns > sim->watchdog_ns) {
            sim_watch_stop_holder(sim, "computed for too long without a call: ended by the watchdog");
            break;
        }
    }
    sim->running = 0;
    *order = turn->order;
    *subject = turn->subject;
    turn->order = SIM_ORDER_LOOP;
}
