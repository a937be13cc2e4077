/* Signals for real: what a program's own thread is to run a handler for, now that its call has ended.
 * SPDX-License-Identifier: MIT */
#include "attach.h"

#include "call/pending.h"
#include "call/process.h"
#include "core/block.h"
#include "run.h"

enum { HANDLER_DEFAULT = 0 };

bool sim_thread_signal_due(const struct sim *sim, int task)
{
    const struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){(uint32_t)task});
    return sim_signal_due(record) != 0 || record->restore_mask;
}

/* The handler begins: its mask is in force, and SA_RESETHAND has been done. */
static void begin_handler(struct sim *sim, struct sim_task_id id, const struct sim_signal *signal,
                          uint64_t overrun, struct sim_delivery *delivery)
{
    struct sim_world *world = sim->world;
    struct sim_task *task = sim_task_at(world, id);
    const struct sim_action action = sim_signal_action_of(world, task->process, signal->number);
    const uint64_t itself = action.flags & SA_NODEFER ? 0 : sim_signal_bit(signal->number);
    *delivery = (struct sim_delivery){
        .action = action,
        .mask_before = task->restore_mask ? task->saved_blocked_signals : task->blocked_signals,
        .number = signal->number,
    };
    sim_signal_fill(world, signal, overrun, &delivery->information);
    task->restore_mask = 0;
    task->saved_blocked_signals = 0;
    if (action.flags & SA_RESETHAND) {
        struct sim_action reset = action;
        reset.handler = HANDLER_DEFAULT;
        sim_signal_set_action(world, task->process, signal->number, &reset);
    }
    sim_signal_set_mask(world, id, task->blocked_signals | action.mask | itself);
}

bool sim_thread_signal_take(struct sim *sim, int number, struct sim_delivery *delivery)
{
    struct sim_world *world = sim->world;
    const struct sim_task_id id = {(uint32_t)number};
    struct sim_task *task = sim_task_at(world, id);
    struct sim_signal signal;
    uint64_t overrun;
    while (sim_signal_dequeue(world, id, ~task->blocked_signals, &signal, &overrun)) {
        const uint64_t handler = sim_signal_action_of(world, task->process, signal.number).handler;
        if (sim_signal_is_ignored(world, task->process, signal.number)) {
            continue;
        }
        if (handler == HANDLER_DEFAULT) {
            sim_signal_kill(world, task->process, signal.number);
            return false;
        }
        begin_handler(sim, id, &signal, overrun, delivery);
        return true;
    }
    if (task->restore_mask) {
        const uint64_t mask = task->saved_blocked_signals;
        task->restore_mask = 0;
        task->saved_blocked_signals = 0;
        sim_signal_set_mask(world, id, mask);
    }
    return false;
}
