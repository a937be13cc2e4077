/* Sending signals to programs: what is ignored, what kills, what waits to be taken.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>

#include "core/block.h"
#include "file/wait.h"
#include "pending.h"
#include "process.h"

enum { FIRST_QUEUED = 32 }; /* LINUX: the kernel's SIGRTMIN: those below are pending once */

struct sim_signal sim_signal_from(const struct sim_world *world, struct sim_task_id sender, int number,
                                  int code)
{
    const struct sim_process *process = sim_process_at(world, sim_task_at(world, sender)->process);
    return (struct sim_signal){
        .number = number, .code = code, .pid = process->pid, .uid = process->uid};
}

void sim_signal_kill(struct sim_world *world, struct sim_process_id id, int number)
{
    struct sim_process *process = sim_process_at(world, id);
    if (!process->exited) {
        process->killed_by = (uint32_t)number;
        sim_process_exit(world, id, 128 + number);
    }
}

static void tell_signalfds(struct sim_world *world, struct sim_process_id process, uint64_t bit)
{
    const uint32_t count = world->pools[SIM_POOL_SIGNALFD].high_water;
    for (uint32_t index = 1; index <= count; index++) {
        struct sim_signalfd *signalfd = sim_signalfd_at(world, (struct sim_signalfd_id){index});
        if (signalfd->slot.live && (signalfd->mask & bit) && signalfd->process.index == process.index) {
            sim_wake(world, &signalfd->waiters, POLLIN | POLLRDNORM);
        }
    }
}

static int send(struct sim_world *world, struct sim_process_id process, struct sim_task_id task,
                const struct sim_signal *signal)
{
    const uint64_t bit = sim_signal_bit(signal->number);
    if (sim_process_at(world, process)->exited) {
        return 0;
    }
    if (signal->number == SIGKILL) {
        sim_signal_kill(world, process, SIGKILL);
        return 0;
    }
    bool awaited = task.index && (sim_task_at(world, task)->awaited_signals & bit);
    const bool blocked = task.index && (sim_task_at(world, task)->blocked_signals & bit);
    const struct sim_task_id to = task.index ? task : sim_signal_taker(world, process, bit, &awaited);
    const bool taken = to.index && !blocked && !awaited;
    if (taken && sim_signal_is_ignored(world, process, signal->number)) {
        return 0;
    }
    if (taken && sim_signal_action_of(world, process, signal->number).handler == 0) {
        sim_signal_kill(world, process, signal->number);
        return 0;
    }
    if (signal->number < FIRST_QUEUED && sim_signal_is_pending(world, process, task, signal->number)) {
        return 0;
    }
    const int result = sim_signal_enqueue(world, process, to, signal, task.index == 0);
    if (result == 0) {
        tell_signalfds(world, process, bit);
    }
    if (result == 0 && to.index && (taken || awaited)) {
        sim_signal_wake(world, to);
    }
    return result;
}

int sim_signal_to_process(struct sim_world *world, struct sim_process_id process,
                          const struct sim_signal *signal)
{
    return send(world, process, (struct sim_task_id){0}, signal);
}

int sim_signal_to_task(struct sim_world *world, struct sim_task_id task,
                       const struct sim_signal *signal)
{
    return send(world, sim_task_at(world, task)->process, task, signal);
}
