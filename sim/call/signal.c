/* Signals: sending, dispositions, masks; what is due when a call looks.
 * SPDX-License-Identifier: MIT
 *
 * A handler runs no code here: it only ends a wait (or, with SA_RESTART, does not). A signal that
 * finds the task outside a call has been handled before the task's next instruction, so it leaves
 * no trace; one that comes during a call is pending until that call has looked at it. */
#include "pending.h"
#include "process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>

#include "core/block.h"
#include "core/event.h"
#include "file/wait.h"

static uint64_t bit_of(int number)
{
    return UINT64_C(1) << (number - 1);
}

static bool ignored_by_default(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

void sim_signal_send(struct sim_world *world, struct sim_task_id id, int number)
{
    struct sim_task *task = sim_task_at(world, id);
    struct sim_process *process = sim_process_at(world, task->process);
    const uint64_t bit = bit_of(number);
    assert(number >= 1 && number <= 64);
    if (task->state == SIM_TASK_ENDED || process->exited) {
        return;
    }
    if (process->program) {
        const struct sim_signal signal = sim_signal_from(world, id, number, SI_USER);
        sim_signal_to_task(world, id, &signal);
        return;
    }
    if (task->blocked_signals & bit) {
        task->pending_signals |= bit;
        return;
    }
    if (!(process->handled_signals & bit)) {
        if (!(process->ignored_signals & bit) && !ignored_by_default(number)) {
            process->killed_by = (uint32_t)number;
            sim_process_exit(world, task->process, 128 + number);
        }
        return;
    }
    if (!task->call.kind) {
        return; /* the handler ran between two instructions */
    }
    task->pending_signals |= bit;
    sim_wait_wake_task(world, id, SIM_WAKE_SIGNAL);
}

void sim_signal_arrives(struct sim_world *world, struct sim_task_id id, int number, bool only_waiting)
{
    struct sim_task *task = sim_task_at(world, id);
    const bool waits = task->state == SIM_TASK_WAITING;
    if (number == SIM_SIGNAL_INTERRUPT) {
        task->signal_event.index = 0;
        task->landed = waits;
    }
    if (waits || !only_waiting) {
        sim_signal_send(world, id, number);
    }
}

uint64_t sim_signal_due(const struct sim_task *task)
{
    return task->pending_signals & ~task->blocked_signals;
}

bool sim_signal_restarts(const struct sim_world *world, const struct sim_task *task)
{
    const struct sim_process *process = sim_process_at(world, task->process);
    return (sim_signal_due(task) & ~process->restart_signals) == 0;
}

void sim_signal_handle(struct sim_task *task)
{
    if (!task->tid) { /* a program's thread takes them itself */
        task->pending_signals &= task->blocked_signals;
    }
}

int sim_signal_dispose(struct sim_world *world, struct sim_process_id id, int number,
                       enum sim_signal_disposition disposition)
{
    struct sim_process *process = sim_process_at(world, id);
    if (number < 1 || number > 64 || number == SIGKILL || number == SIGSTOP) {
        return -EINVAL;
    }
    const uint64_t bit = bit_of(number);
    process->handled_signals &= ~bit;
    process->ignored_signals &= ~bit;
    process->restart_signals &= ~bit;
    if (disposition == SIM_SIGNAL_IGNORED) {
        process->ignored_signals |= bit;
    } else if (disposition != SIM_SIGNAL_DEFAULT) {
        process->handled_signals |= bit;
        process->restart_signals |= disposition == SIM_SIGNAL_RESTARTS ? bit : 0;
    }
    return 0;
}
