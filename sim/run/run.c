/* The run loop: gives tasks their turns, tells when all is done, stuck or failed.
 * SPDX-License-Identifier: MIT */
#include "run.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"
#include "call/process.h"
#include "core/block.h"
#include "core/event.h"
#include "file/real.h"
#include "file/wait.h"
#include "net/packet.h"
#include "net/wire.h"
#include "overflow.h"
#include "parker.h"
#include "turn.h"
#include "world.h"

enum {
    /* When no task but daemons has run for so long and none has a deadline, timers that re-arm for
     * ever (keepalive, window probes) are all that is left: nothing will happen. */
    QUIET_DAYS = 30,
    ENDLESS_EVENTS = 4000000, /* at one instant, without a task's turn */
};

/* From here on the loop gives tasks their turns. */
static void begin_turns(struct sim *sim)
{
    sim->looping = 1;
    sim_watchdog_start(sim);
    sim_overflow_watch();
}

bool sim_park(struct sim *sim, uint32_t task)
{
    if (sim->running != task || sim->outside.task) {
        return false;
    }
    struct sim_code *code = sim_code_of(sim, task);
    if (sim->attached) {
        sim_turn_wait(sim, task);
        return true;
    }
    sim->in_call = 0;
    if (!code->own) {
        sim->parker->park(sim, code);
        sim->in_call = 1;
        return true;
    }
    /* The default world's main: the loop runs on main's own stack until main may go on. */
    sim->running = 0;
    struct sim_current *current = sim_current();
    const struct sim_current main_current = *current;
    const int saved_errno = errno;
    current->sim = NULL;
    begin_turns(sim);
    const enum sim_outcome outcome = sim_loop_for(sim, task, SIM_NEVER);
    sim->looping = 0;
    if (outcome != SIM_REACHED) {
        char waits[4096];
        sim_describe_waits(sim, waits, sizeof waits);
        fprintf(stderr, "drysock: %s\n%s",
                outcome == SIM_FAILED ? sim->failure
                                      : "every task waits and nothing is left that could wake one",
                waits);
        exit(EXIT_FAILURE);
    }
    *current = main_current;
    sim_plan_before(sim, task);
    current->caller = code->caller;
    errno = saved_errno;
    sim->running = task;
    sim->in_call = 1;
    return true;
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static void drain_tap(struct sim *sim)
{
    struct sim_packet_id id;
    uint8_t *const bytes = sim->packet_bytes;
    while ((id = sim_packet_take_tap(sim->world)).index) {
        const struct sim_packet *packet = sim_packet_at(sim->world, id);
        const size_t length = sim_wire_encode(sim->world, packet, bytes, SIM_PACKET_BYTES);
        const uint64_t at = packet->sent_at;
        const int host = (int)packet->interface;
        sim_packet_free(sim->world, id);
        if (length > SIM_PACKET_BYTES) {
            continue;
        }
        if (sim->capture) {
            sim_capture_write(sim->capture, at, bytes, length);
        }
        if (sim->on_packet) {
            sim->on_packet(sim->on_packet_argument, host, at, bytes, length);
        }
    }
}

static void run_script(struct sim *sim, uint32_t number)
{
    const struct sim_script_code script = sim->scripts[number];
    sim_pool_give(sim->world, SIM_POOL_SCRIPT, number);
    script.function(script.argument);
}

static bool idle(const struct sim *sim)
{
    const struct sim_world *world = sim->world;
    return world->live_tasks == 0 && world->pools[SIM_POOL_SCRIPT].live_count == 0 &&
           sim_event_next_at(world) > world->now;
}

/* Does a task that is not a daemon wait for an instant? */
static bool someone_has_deadline(const struct sim_world *world)
{
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks; index++) {
        const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
        if (task->slot.live && !task->daemon && task->deadline_event.index) {
            return true;
        }
    }
    return false;
}

static bool waits_of_tasks(const struct sim_world *world, const struct sim_wait_queue *queue)
{
    for (struct sim_waiter_id id = queue->first; id.index;) {
        const struct sim_waiter *waiter = sim_waiter_at(world, id);
        if (waiter->kind == SIM_WAITER_TASK && !sim_task_at(world, waiter->task)->daemon) {
            return true;
        }
        id = waiter->next_in_queue;
    }
    return false;
}

/* Does such a task wait for an armed timer, itself or by an epoll? */
static bool someone_has_timer(const struct sim_world *world)
{
    const uint32_t timers = world->pools[SIM_POOL_TIMER].high_water;
    for (uint32_t index = 1; index <= timers; index++) {
        const struct sim_timer *timer = sim_timer_at(world, (struct sim_timer_id){index});
        if (!timer->slot.live || !timer->event.index) {
            continue;
        }
        if (waits_of_tasks(world, &timer->waiters)) {
            return true;
        }
        for (struct sim_waiter_id id = timer->waiters.first; id.index;) {
            const struct sim_waiter *item = sim_waiter_at(world, id);
            if (item->kind == SIM_WAITER_EPOLL &&
                waits_of_tasks(world, &sim_epoll_at(world, item->epoll)->waiters)) {
                return true;
            }
            id = item->next_in_queue;
        }
    }
    return false;
}

/* Nothing is queued before `until`: what that means. */
static enum sim_outcome empty(const struct sim *sim, uint64_t until)
{
    const struct sim_world *world = sim->world;
    if (world->live_tasks > 0 && sim_event_next_at(world) == SIM_NEVER) {
        return SIM_STUCK;
    }
    return until == SIM_NEVER ? SIM_IDLE : SIM_REACHED;
}

/* Timers that re-arm for ever are all that happens: as good as stuck. */
static bool quiet(const struct sim *sim, uint64_t since)
{
    static const uint64_t quiet_ns = (uint64_t)QUIET_DAYS * 86400 * 1000000000;
    const struct sim_world *world = sim->world;
    /* What is asked for from outside comes: instants, signals, changes of links. And who is about to
     * run has just been woken. */
    return world->now - since > quiet_ns && world->live_tasks > 0 &&
           (world->live_tasks == world->waiting_tasks || DRY_MUTANT(a_long_sleep_is_a_standstill)) &&
           world->spare_events == 0 && !someone_has_deadline(world) && !someone_has_timer(world);
}

/* A task's turn: its code runs until it waits or ends. */
static void run_task(struct sim *sim, uint32_t task)
{
    sim_plan_before(sim, task);
    sim_resume(sim, task);
}

/* The turn of a thread's task: the thread runs, and others after it, until the turn comes back; then
 * what was ordered with it is done. */
static void lend_turn(struct sim *sim, uint32_t task)
{
    enum sim_order order;
    uint32_t subject;
    sim_turn_lend(sim, task, &order, &subject);
    if (order == SIM_ORDER_LEFT) {
        sim_watch_leave(sim, subject);
    }
    if (sim_turn_of(sim->world)->wanted) {
        sim_turn_of(sim->world)->wanted = 0;
        sim_watch_reap(sim);
    }
    if (order == SIM_ORDER_TASK) {
        run_task(sim, subject);
    } else if (order == SIM_ORDER_SCRIPT) {
        run_script(sim, subject);
    }
}

/* Two sides that answer each other over a link without delay would keep the clock where it is. */
static bool endless(struct sim *sim)
{
    const struct sim_world *world = sim->world;
    if (sim->busy_now != world->now) {
        sim->busy_now = world->now;
        sim->busy_events = 0;
    }
    if (++sim->busy_events < ENDLESS_EVENTS) {
        return false;
    }
    sim->busy_events = 0;
    char what[200];
    sim_world_describe_next(world, what, sizeof what);
    if (sim->failed_tasks++ == 0) {
        snprintf(sim->failure, sizeof sim->failure,
                 "%d events at one instant (%llu.%09llu s) without an end; the next: %s (seed %llu)",
                 ENDLESS_EVENTS, (unsigned long long)(world->now / 1000000000),
                 (unsigned long long)(world->now % 1000000000), what, (unsigned long long)sim->seed);
    }
    return true;
}

/* Takes events in turn until one of these: nothing is left before `until`; nobody has anything to do
 * (ends_when_idle); the turn is own_task's, whose code is what called (0: nobody's). */
static enum sim_outcome take_events(struct sim *sim, uint64_t until, bool ends_when_idle,
                                    uint32_t own_task)
{
    struct sim_world *world = sim->world;
    world->busy_at = world->now;
    for (;;) {
        struct sim_task_id task;
        uint32_t script;
        if (world->first_tap.index && !(DRY_MUTANT(a_capture_lacks_the_last_packet) && idle(sim))) {
            drain_tap(sim); /* what the last step sent, a task's last packet before idleness too */
        }
        if (ends_when_idle && idle(sim)) {
            return SIM_IDLE;
        }
        if (sim->stop && *sim->stop) {
            return SIM_STOPPED;
        }
        const enum sim_step step = sim_world_step(world, until, &task, &script);
        switch (step) {
        case SIM_STEP_EMPTY:
            if (sim_event_next_at(world) == SIM_NEVER && sim_real_wake_one(world)) {
                break;
            }
            return empty(sim, until);
        case SIM_STEP_TASK:
            if (task.index == own_task) {
                return SIM_REACHED;
            }
            sim->busy_events = 0;
            if (!sim_task_at(world, task)->daemon) {
                world->busy_at = world->now;
            }
            if (sim->file >= 0 && sim_turn_is_thread(sim, task.index)) {
                lend_turn(sim, task.index);
            } else {
                run_task(sim, task.index);
            }
            break;
        case SIM_STEP_SCRIPT:
            run_script(sim, script);
            break;
        case SIM_STEP_DONE:
            if (quiet(sim, world->busy_at)) {
                return SIM_STUCK;
            }
            break;
        }
        if (step != SIM_STEP_TASK && endless(sim)) {
            return SIM_FAILED;
        }
        if (sim->check) {
            sim_check_step(world);
        }
    }
}

enum sim_outcome sim_loop_for(struct sim *sim, uint32_t task, uint64_t until)
{
    return take_events(sim, until, false, task);
}

/* The loop of who runs a world: until nobody has anything to do, or `until`. */
static enum sim_outcome loop_until(struct sim *sim, uint64_t until)
{
    sim->world->until = until;
    return take_events(sim, until, sim->world->live_tasks > 0 || until == SIM_NEVER, 0);
}

/* Failures come first; a process that a signal killed is one. */
static enum sim_outcome outcome_of(struct sim *sim, enum sim_outcome outcome)
{
    const struct sim_world *world = sim->world;
    if (world->killed_by && sim->failed_tasks == 0) {
        const char *signal = sigabbrev_np((int)world->killed_by);
        snprintf(sim->failure, sizeof sim->failure, "%s: killed by signal %u (SIG%s)",
                 world->killed_name, world->killed_by, signal ? signal : "RT");
        sim->failed_tasks = 1;
    }
    return sim->failed_tasks ? SIM_FAILED : outcome;
}

/* Runs the world until an instant, or says that this cannot be done here. */
static enum sim_outcome run_until(struct sim *sim, uint64_t instant, const char *call)
{
    volatile uint64_t mark = 0; /* of a loop that is gone may stand here */
    sim_notice_jump();
    if (sim_is_within(sim, call)) {
        return SIM_FAILED;
    }
    mark = SIM_LOOP_MARK; /* as long as it stands here, the loop is on the stack */
    sim->loop_mark = &mark;
    begin_turns(sim);
    const enum sim_outcome outcome = loop_until(sim, instant);
    if (outcome == SIM_REACHED && instant != SIM_NEVER) {
        sim_world_advance(sim->world, instant);
    }
    sim->looping = 0;
    mark = 0;
    return outcome_of(sim, outcome);
}

enum sim_outcome sim_run(struct sim *sim)
{
    return run_until(sim, SIM_NEVER, "sim_run");
}

enum sim_outcome sim_run_until(struct sim *sim, uint64_t instant)
{
    return run_until(sim, instant, "sim_run_until");
}
