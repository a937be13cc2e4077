/* Signals of programs: what was sent and not delivered yet, whom it is for, what becomes of it.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: signals that stop a process (SIGSTOP, SIGTSTP …) without a handler do nothing. */
#include "pending.h"

#include <errno.h>
#include <string.h>

#include "call.h"
#include "core/block.h"
#include "file/wait.h"

enum {
    HANDLER_DEFAULT = 0,
    HANDLER_IGNORE = 1,
};

/* Of which of the two queues a record is. */
struct queue {
    struct sim_pending_id *first, *last;
};

static struct queue queue_of_process(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    return (struct queue){&process->first_pending, &process->last_pending};
}

static struct queue queue_of_task(struct sim_world *world, struct sim_task_id id)
{
    struct sim_task *task = sim_task_at(world, id);
    return (struct queue){&task->first_pending, &task->last_pending};
}

static void append(struct sim_world *world, struct queue queue, struct sim_pending_id id)
{
    sim_pending_at(world, id)->next.index = 0;
    if (queue.last->index) {
        sim_pending_at(world, *queue.last)->next = id;
    } else {
        *queue.first = id;
    }
    *queue.last = id;
}

/* Takes the record after `previous` (index 0: the first) out. */
static struct sim_pending_id unlink_after(struct sim_world *world, struct queue queue,
                                          struct sim_pending_id previous)
{
    struct sim_pending_id *link = previous.index ? &sim_pending_at(world, previous)->next : queue.first;
    const struct sim_pending_id id = *link;
    *link = sim_pending_at(world, id)->next;
    if (queue.last->index == id.index) {
        *queue.last = previous;
    }
    return id;
}

static uint64_t bits_of(const struct sim_world *world, struct sim_pending_id id)
{
    uint64_t bits = 0;
    while (id.index) {
        const struct sim_pending *pending = sim_pending_at(world, id);
        bits |= sim_signal_bit((int)pending->number);
        id = pending->next;
    }
    return bits;
}

static void recount(struct sim_world *world, struct sim_task_id id)
{
    struct sim_task *task = sim_task_at(world, id);
    task->pending_signals = bits_of(world, task->first_pending);
}

static void free_record(struct sim_world *world, struct sim_pending_id id)
{
    const uint32_t alarm = sim_pending_at(world, id)->alarm;
    if (alarm) {
        sim_alarm_at(world, (struct sim_alarm_id){alarm})->pending = 0;
    }
    sim_pool_give(world, SIM_POOL_PENDING, id.index);
}

/* ---- actions ------------------------------------------------------------------------------------ */

static bool is_ignored_by_default(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT ||
           number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

struct sim_action sim_signal_action_of(const struct sim_world *world, struct sim_process_id id,
                                       int number)
{
    const struct sim_actions_id actions = sim_process_at(world, id)->actions;
    return actions.index ? sim_actions_at(world, actions)->of[number - 1] : (struct sim_action){0};
}

bool sim_signal_is_ignored(const struct sim_world *world, struct sim_process_id id, int number)
{
    const uint64_t handler = sim_signal_action_of(world, id, number).handler;
    return number != SIGKILL &&
           (handler == HANDLER_IGNORE || (handler == HANDLER_DEFAULT && is_ignored_by_default(number)));
}

/* For each task of the process: for (…) over indices. The first is the one that leads. */
static bool is_of(const struct sim_world *world, uint32_t index, struct sim_process_id process)
{
    const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
    return task->slot.live && task->state != SIM_TASK_ENDED && task->process.index == process.index;
}

/* Drops every pending signal of the set, with the process and with its tasks. */
static void forget(struct sim_world *world, struct queue queue, uint64_t set)
{
    struct sim_pending_id previous = {0}, id = *queue.first;
    while (id.index) {
        const struct sim_pending_id next = sim_pending_at(world, id)->next;
        if (sim_signal_bit((int)sim_pending_at(world, id)->number) & set) {
            free_record(world, unlink_after(world, queue, previous));
        } else {
            previous = id;
        }
        id = next;
    }
}

static void forget_everywhere(struct sim_world *world, struct sim_process_id process, uint64_t set)
{
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    forget(world, queue_of_process(world, process), set);
    for (uint32_t index = 1; index <= tasks; index++) {
        if (is_of(world, index, process)) {
            const struct sim_task_id task = {index};
            forget(world, queue_of_task(world, task), set);
            recount(world, task);
        }
    }
}

int sim_signal_set_action(struct sim_world *world, struct sim_process_id id, int number,
                          const struct sim_action *action)
{
    struct sim_process *process = sim_process_at(world, id);
    if (!process->actions.index) {
        process->actions.index = sim_pool_take(world, SIM_POOL_ACTIONS);
        if (!process->actions.index) {
            return -ENOMEM;
        }
    }
    const uint64_t bit = sim_signal_bit(number);
    sim_actions_at(world, process->actions)->of[number - 1] = *action;
    process->handled_signals &= ~bit;
    process->ignored_signals &= ~bit;
    process->restart_signals &= ~bit;
    if (action->handler > HANDLER_IGNORE) {
        process->handled_signals |= bit;
        process->restart_signals |= action->flags & SA_RESTART ? bit : 0;
    } else if (action->handler == HANDLER_IGNORE) {
        process->ignored_signals |= bit;
    }
    if (sim_signal_is_ignored(world, id, number)) {
        forget_everywhere(world, id, bit);
    }
    return 0;
}

int sim_signal_copy_actions(struct sim_world *world, struct sim_process_id from,
                            struct sim_process_id to)
{
    const struct sim_actions_id source = sim_process_at(world, from)->actions;
    struct sim_process *child = sim_process_at(world, to);
    if (source.index) {
        child->actions.index = sim_pool_take(world, SIM_POOL_ACTIONS);
        if (!child->actions.index) {
            return -ENOMEM;
        }
        memcpy(sim_actions_at(world, child->actions)->of, sim_actions_at(world, source)->of,
               sizeof sim_actions_at(world, source)->of);
    }
    return 0;
}

void sim_signal_execute(struct sim_world *world, struct sim_process_id process)
{
    for (int number = 1; number <= SIM_SIGNALS; number++) {
        struct sim_action action = sim_signal_action_of(world, process, number);
        const uint64_t handler = action.handler == HANDLER_IGNORE ? HANDLER_IGNORE : HANDLER_DEFAULT;
        action = (struct sim_action){.handler = handler};
        if (sim_process_at(world, process)->actions.index) {
            sim_signal_set_action(world, process, number, &action);
        }
    }
}

void sim_signal_wake(struct sim_world *world, struct sim_task_id task)
{
    if (sim_task_at(world, task)->call.kind != SIM_CALL_VFORK) {
        sim_wait_wake_task(world, task, SIM_WAKE_SIGNAL);
    }
}

/* ---- queueing ----------------------------------------------------------------------------------- */

/* Is it pending in that queue already? */
static bool stands_in(const struct sim_world *world, struct sim_pending_id id, int number, bool shared)
{
    while (id.index) {
        const struct sim_pending *pending = sim_pending_at(world, id);
        if (pending->number == (uint32_t)number && (pending->shared != 0) == shared) {
            return true;
        }
        id = pending->next;
    }
    return false;
}

bool sim_signal_is_pending(const struct sim_world *world, struct sim_process_id process,
                           struct sim_task_id task, int number)
{
    if (task.index) {
        return stands_in(world, sim_task_at(world, task)->first_pending, number, false);
    }
    bool found = stands_in(world, sim_process_at(world, process)->first_pending, number, true);
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks && !found; index++) {
        found = is_of(world, index, process) &&
                stands_in(world, sim_task_at(world, (struct sim_task_id){index})->first_pending, number,
                          true);
    }
    return found;
}

struct sim_task_id sim_signal_taker(const struct sim_world *world, struct sim_process_id process,
                                    uint64_t bit, bool *awaited)
{
    struct sim_task_id found = {0};
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    *awaited = false;
    for (uint32_t index = 1; index <= tasks; index++) {
        const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
        if (!is_of(world, index, process)) {
            continue;
        }
        if (task->awaited_signals & bit) {
            *awaited = true;
            return (struct sim_task_id){index};
        }
        const bool leads = task->tid == sim_process_at(world, process)->pid;
        if (!(task->blocked_signals & bit) && (!found.index || leads)) {
            found.index = index;
        }
    }
    return found;
}

int sim_signal_enqueue(struct sim_world *world, struct sim_process_id process, struct sim_task_id task,
                       const struct sim_signal *signal, bool shared)
{
    const struct sim_pending_id id = {sim_pool_take(world, SIM_POOL_PENDING)};
    if (!id.index) {
        return -EAGAIN;
    }
    struct sim_pending *pending = sim_pending_at(world, id);
    pending->number = (uint32_t)signal->number;
    pending->code = signal->code;
    pending->pid = signal->pid;
    pending->uid = signal->uid;
    pending->status = signal->status;
    pending->alarm = signal->alarm;
    pending->value = signal->value;
    pending->shared = shared;
    if (task.index) {
        append(world, queue_of_task(world, task), id);
        recount(world, task);
    } else {
        append(world, queue_of_process(world, process), id);
    }
    return 0;
}

/* ---- masks -------------------------------------------------------------------------------------- */

/* Shared signals that this task holds and does not take any more: to another one, or to the process. */
static void give_back(struct sim_world *world, struct sim_task_id id, bool all)
{
    struct sim_task *task = sim_task_at(world, id);
    struct sim_pending_id previous = {0}, at = task->first_pending;
    while (at.index) {
        const struct sim_pending *pending = sim_pending_at(world, at);
        const struct sim_pending_id next = pending->next;
        const uint64_t bit = sim_signal_bit((int)pending->number);
        if (!pending->shared || !(all || (task->blocked_signals & bit))) {
            previous = at;
            at = next;
            continue;
        }
        unlink_after(world, queue_of_task(world, id), previous);
        bool awaited;
        const struct sim_task_id to = sim_signal_taker(world, task->process, bit, &awaited);
        append(world, to.index ? queue_of_task(world, to) : queue_of_process(world, task->process), at);
        if (to.index) {
            recount(world, to);
            sim_signal_wake(world, to);
        }
        at = next;
    }
    recount(world, id);
}

void sim_signal_set_mask(struct sim_world *world, struct sim_task_id id, uint64_t mask)
{
    struct sim_task *task = sim_task_at(world, id);
    const struct queue from = queue_of_process(world, task->process);
    task->blocked_signals = mask & ~(sim_signal_bit(SIGKILL) | sim_signal_bit(SIGSTOP));
    if (!DRY_MUTANT(a_blocked_signal_stays_with_its_thread)) {
        give_back(world, id, false);
    }
    struct sim_pending_id previous = {0}, at = *from.first;
    while (at.index) {
        const struct sim_pending_id next = sim_pending_at(world, at)->next;
        if (task->blocked_signals & sim_signal_bit((int)sim_pending_at(world, at)->number)) {
            previous = at;
        } else {
            append(world, queue_of_task(world, id), unlink_after(world, from, previous));
        }
        at = next;
    }
    recount(world, id);
}

void sim_signal_task_ended(struct sim_world *world, struct sim_task_id id)
{
    give_back(world, id, true);
    forget(world, queue_of_task(world, id), UINT64_MAX);
    recount(world, id);
}

void sim_signal_process_ended(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    forget(world, queue_of_process(world, id), UINT64_MAX);
    if (process->actions.index) {
        sim_pool_give(world, SIM_POOL_ACTIONS, process->actions.index);
        process->actions.index = 0;
    }
}

/* ---- those of timers ---------------------------------------------------------------------------- */

/* The record of an alarm's signal: at most one stands anywhere. */
static struct sim_pending_id record_of(const struct sim_world *world, struct sim_pending_id id,
                                       struct sim_alarm_id alarm)
{
    while (id.index && sim_pending_at(world, id)->alarm != alarm.index) {
        id = sim_pending_at(world, id)->next;
    }
    return id;
}

bool sim_signal_alarm_is_queued(const struct sim_world *world, struct sim_alarm_id alarm)
{
    const struct sim_process_id process = sim_alarm_at(world, alarm)->process;
    bool found = record_of(world, sim_process_at(world, process)->first_pending, alarm).index != 0;
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks && !found; index++) {
        found = is_of(world, index, process) &&
                record_of(world, sim_task_at(world, (struct sim_task_id){index})->first_pending, alarm)
                    .index;
    }
    return found;
}

static void forget_record(struct sim_world *world, struct queue queue, struct sim_alarm_id alarm)
{
    struct sim_pending_id previous = {0}, id = *queue.first;
    while (id.index && sim_pending_at(world, id)->alarm != alarm.index) {
        previous = id;
        id = sim_pending_at(world, id)->next;
    }
    if (id.index) {
        free_record(world, unlink_after(world, queue, previous));
    }
}

void sim_signal_forget_alarm(struct sim_world *world, struct sim_alarm_id alarm)
{
    const struct sim_process_id process = sim_alarm_at(world, alarm)->process;
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    forget_record(world, queue_of_process(world, process), alarm);
    for (uint32_t index = 1; index <= tasks; index++) {
        if (is_of(world, index, process)) {
            forget_record(world, queue_of_task(world, (struct sim_task_id){index}), alarm);
            recount(world, (struct sim_task_id){index});
        }
    }
}

/* ---- taking ------------------------------------------------------------------------------------- */

uint64_t sim_signal_pending(const struct sim_world *world, struct sim_task_id id)
{
    const struct sim_task *task = sim_task_at(world, id);
    return task->pending_signals | bits_of(world, sim_process_at(world, task->process)->first_pending);
}

/* The first record of the lowest number of the set; previous: the one before it. Index 0: none. */
static struct sim_pending_id lowest(const struct sim_world *world, struct queue queue, uint64_t set,
                                    struct sim_pending_id *previous)
{
    struct sim_pending_id found = {0}, before = {0};
    for (struct sim_pending_id id = *queue.first; id.index;) {
        const struct sim_pending *pending = sim_pending_at(world, id);
        if ((sim_signal_bit((int)pending->number) & set) &&
            (!found.index || pending->number < sim_pending_at(world, found)->number)) {
            found = id;
            *previous = before;
        }
        before = id;
        id = pending->next;
    }
    return found;
}

bool sim_signal_dequeue(struct sim_world *world, struct sim_task_id id, uint64_t set,
                        struct sim_signal *signal, uint64_t *overrun)
{
    struct queue queue = queue_of_task(world, id);
    struct sim_pending_id previous = {0};
    struct sim_pending_id found = lowest(world, queue, set, &previous);
    if (!found.index) {
        queue = queue_of_process(world, sim_task_at(world, id)->process);
        found = lowest(world, queue, set, &previous);
    }
    if (!found.index) {
        return false;
    }
    const struct sim_pending *pending = sim_pending_at(world, found);
    *signal = (struct sim_signal){(int32_t)pending->number, pending->code,  pending->pid,  pending->uid,
                                  pending->status,          pending->alarm, pending->value};
    *overrun = 0;
    if (pending->alarm) {
        struct sim_alarm *alarm = sim_alarm_at(world, (struct sim_alarm_id){pending->alarm});
        alarm->last_overrun = *overrun = alarm->overrun;
        alarm->overrun = 0;
    }
    unlink_after(world, queue, previous);
    free_record(world, found);
    recount(world, id);
    return true;
}

void sim_signal_fill(const struct sim_world *world, const struct sim_signal *signal, uint64_t overrun,
                     siginfo_t *information)
{
    memset(information, 0, sizeof *information);
    information->si_signo = signal->number;
    information->si_code = signal->code;
    if (signal->code == SI_TIMER && signal->alarm) {
        const struct sim_alarm *alarm = sim_alarm_at(world, (struct sim_alarm_id){signal->alarm});
        information->si_timerid = (int)alarm->number;
        information->si_overrun = (int)overrun;
    } else {
        information->si_pid = (pid_t)signal->pid;
        information->si_uid = signal->uid;
    }
    if (signal->number == SIGCHLD && signal->code > 0) {
        information->si_status = signal->status;
    } else {
        information->si_value.sival_ptr = (void *)(uintptr_t)signal->value;
    }
}
