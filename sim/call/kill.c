/* World calls of programs about signals: kill and its kin, actions, masks, waiting, signalfd.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <sys/signalfd.h>

#include "family.h"
#include "file/signalfd.h"
#include "internal.h"
#include "pending.h"
#include "process.h"
#include "program.h"

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

static bool is_number(int number)
{
    return number >= 1 && number <= SIM_SIGNALS;
}

/* ---- sending ------------------------------------------------------------------------------------ */

/* To each process that `pid` names as kill(2) reads it. LINUX: zombies count as found. */
static int64_t send_to(SIM_CALL, int pid, const struct sim_signal *signal)
{
    const struct sim_process_id caller = process_of(world, task);
    const uint32_t group = pid == 0 ? sim_process_at(world, caller)->group : (uint32_t)-(int64_t)pid;
    const uint32_t count = world->pools[SIM_POOL_PROCESS].high_water;
    int64_t result = -ESRCH;
    for (uint32_t index = 1; index <= count; index++) { /* ORDER: the caller's own process comes last */
        const struct sim_process_id id = {index};
        const struct sim_process *process = sim_process_at(world, id);
        const bool named = pid > 0     ? sim_family_has_id(world, id, (uint32_t)pid)
                           : pid == -1 ? index != caller.index
                                       : process->group == group;
        if (!sim_family_is_known(world, id) || !named || index == caller.index) {
            continue;
        }
        result = 0;
        if (signal->number) {
            sim_signal_to_process(world, id, signal);
        }
    }
    const struct sim_process *own = sim_process_at(world, caller);
    const bool itself = pid > 0 ? sim_family_has_id(world, caller, (uint32_t)pid)
                                : pid != -1 && own->group == group;
    if (itself) {
        result = 0;
        if (signal->number) {
            sim_signal_to_process(world, caller, signal);
        }
    }
    return result;
}

/* LINUX: a wrong number is told only where somebody is found. */
static int64_t send_checked(SIM_CALL, int pid, const struct sim_signal *signal)
{
    const struct sim_signal none = {0};
    const bool good = signal->number == 0 || is_number(signal->number);
    const int64_t result = pid == INT_MIN ? -ESRCH : send_to(world, task, pid, good ? signal : &none);
    return good || result < 0 ? result : -EINVAL;
}

int64_t sim_call_kill(SIM_CALL, int pid, int number)
{
    const struct sim_signal signal = sim_signal_from(world, task, number, SI_USER);
    return send_checked(world, task, pid, &signal);
}

static int64_t send_to_thread(SIM_CALL, int pid, int tid, const struct sim_signal *signal)
{
    if (tid <= 0 || (pid <= 0 && pid != -1)) {
        return -EINVAL;
    }
    const struct sim_task_id to = sim_family_task(world, (uint32_t)tid);
    if (!to.index) {
        return -ESRCH;
    }
    const struct sim_process_id process = sim_task_at(world, to)->process;
    if (pid != -1 && sim_process_at(world, process)->pid != (uint32_t)pid) {
        return -ESRCH;
    }
    if (signal->number == 0) {
        return 0;
    }
    return is_number(signal->number) ? sim_signal_to_task(world, to, signal) : -EINVAL;
}

int64_t sim_call_tgkill(SIM_CALL, int pid, int tid, int number)
{
    if (pid <= 0) {
        return -EINVAL;
    }
    const struct sim_signal signal = sim_signal_from(world, task, number, SI_TKILL);
    return send_to_thread(world, task, pid, tid, &signal);
}

int64_t sim_call_tkill(SIM_CALL, int tid, int number)
{
    const struct sim_signal signal = sim_signal_from(world, task, number, SI_TKILL);
    return send_to_thread(world, task, -1, tid, &signal);
}

/* LINUX: who sends to others may not claim to be the kernel or kill(2). */
static int64_t as_told(SIM_CALL, int pid, int number, const siginfo_t *information,
                       struct sim_signal *signal)
{
    const struct sim_process *caller = sim_process_at(world, process_of(world, task));
    if ((information->si_code >= 0 || information->si_code == SI_TKILL) && (int)caller->pid != pid) {
        return -EPERM;
    }
    *signal = (struct sim_signal){.number = number,
                                  .code = information->si_code,
                                  .pid = (uint32_t)information->si_pid,
                                  .uid = information->si_uid,
                                  .value = (uintptr_t)information->si_value.sival_ptr};
    return 0;
}

int64_t sim_call_rt_sigqueueinfo(SIM_CALL, int pid, int number, const siginfo_t *information)
{
    struct sim_signal signal;
    const int64_t result = as_told(world, task, pid, number, information, &signal);
    if (result < 0) {
        return result;
    }
    return pid > 0 ? send_checked(world, task, pid, &signal) : -ESRCH;
}

int64_t sim_call_rt_tgsigqueueinfo(SIM_CALL, int pid, int tid, int number, const siginfo_t *information)
{
    struct sim_signal signal;
    if (pid <= 0 || tid <= 0) {
        return -EINVAL;
    }
    const int64_t result = as_told(world, task, pid, number, information, &signal);
    return result < 0 ? result : send_to_thread(world, task, pid, tid, &signal);
}

int64_t sim_call_signal_came(SIM_CALL, int number, const siginfo_t *information)
{
    if (!is_number(number)) {
        return -EINVAL;
    }
    const struct sim_signal signal = {
        .number = number,
        .code = information ? information->si_code : SI_KERNEL,
        .pid = information && information->si_code <= 0 ? (uint32_t)information->si_pid : 0,
        .value = information ? (uintptr_t)information->si_value.sival_ptr : 0,
    };
    return sim_signal_to_process(world, process_of(world, task), &signal);
}

/* ---- actions and masks -------------------------------------------------------------------------- */

int64_t sim_call_rt_sigaction(SIM_CALL, int number, const struct sim_action *action,
                              struct sim_action *old)
{
    const struct sim_process_id process = process_of(world, task);
    if (!is_number(number) || (action && (number == SIGKILL || number == SIGSTOP))) {
        return -EINVAL;
    }
    const struct sim_action before = sim_signal_action_of(world, process, number);
    if (action) {
        struct sim_action kept = *action;
        kept.mask &= ~(sim_signal_bit(SIGKILL) | sim_signal_bit(SIGSTOP));
        const int result = sim_signal_set_action(world, process, number, &kept);
        if (result < 0) {
            return result;
        }
    }
    if (old) {
        *old = before;
    }
    return 0;
}

int64_t sim_call_rt_sigprocmask(SIM_CALL, int how, const uint64_t *set, uint64_t *old)
{
    const uint64_t before = sim_task_at(world, task)->blocked_signals;
    if (set) {
        switch (how) {
        case SIG_BLOCK:
            sim_signal_set_mask(world, task, before | *set);
            break;
        case SIG_UNBLOCK:
            sim_signal_set_mask(world, task, before & ~*set);
            break;
        case SIG_SETMASK:
            sim_signal_set_mask(world, task, *set);
            break;
        default:
            return -EINVAL;
        }
    }
    if (old) {
        *old = before;
    }
    return 0;
}

int64_t sim_call_rt_sigpending(SIM_CALL, uint64_t *set)
{
    *set = sim_signal_pending(world, task) & sim_task_at(world, task)->blocked_signals;
    return 0;
}

/* ---- waiting for signals ------------------------------------------------------------------------ */

int64_t sim_call_pause(SIM_CALL)
{
    struct sim_task *caller = sim_task_at(world, task);
    sim_call_begin(world, task, SIM_CALL_PAUSE, -1, SIM_NEVER);
    if (sim_signal_due(caller)) {
        return sim_call_end(world, task, -EINTR);
    }
    sim_wait_park(world, task, SIM_NEVER);
    return SIM_WAIT;
}

int64_t sim_call_rt_sigsuspend(SIM_CALL, const uint64_t *mask)
{
    struct sim_task *caller = sim_task_at(world, task);
    if (!caller->call.kind) {
        sim_call_begin(world, task, SIM_CALL_PAUSE, -1, SIM_NEVER);
        caller->call.masked = 1;
        caller->saved_blocked_signals = caller->blocked_signals;
        sim_signal_set_mask(world, task, *mask);
    }
    return sim_call_pause(world, task);
}

/* What ends the wait now; SIM_WAIT: nothing. */
static int64_t awaited(SIM_CALL, uint64_t set, siginfo_t *information)
{
    struct sim_signal signal;
    uint64_t overrun;
    if (sim_signal_dequeue(world, task, set, &signal, &overrun)) {
        if (information) {
            sim_signal_fill(world, &signal, overrun, information);
        }
        return signal.number;
    }
    return sim_signal_due(sim_task_at(world, task)) ? -EINTR : SIM_WAIT;
}

int64_t sim_call_rt_sigtimedwait(SIM_CALL, const uint64_t *set, siginfo_t *information,
                                 const struct timespec *timeout)
{
    struct sim_task *caller = sim_task_at(world, task);
    const uint64_t wanted = *set & ~(sim_signal_bit(SIGKILL) | sim_signal_bit(SIGSTOP));
    uint64_t ns = SIM_NEVER;
    if (timeout && !sim_call_duration(timeout, &ns)) {
        return sim_call_end(world, task, -EINVAL);
    }
    const int64_t result = awaited(world, task, wanted, information);
    if (result != SIM_WAIT) {
        caller->awaited_signals = 0;
        return sim_call_end(world, task, result);
    }
    if (!caller->call.kind) {
        sim_call_begin(world, task, SIM_CALL_SIGNAL_WAIT, -1, sim_call_after(world, ns));
    }
    if (caller->call.deadline_at <= world->now) {
        caller->awaited_signals = 0;
        return sim_call_end(world, task, -EAGAIN);
    }
    caller->awaited_signals = wanted;
    sim_wait_park(world, task, caller->call.deadline_at);
    return SIM_WAIT;
}

/* ---- signalfd ----------------------------------------------------------------------------------- */

int64_t sim_call_signalfd4(SIM_CALL, int fd, const uint64_t *mask, int flags)
{
    const uint64_t kept = *mask & ~(sim_signal_bit(SIGKILL) | sim_signal_bit(SIGSTOP));
    if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) {
        return -EINVAL;
    }
    if (fd != -1) {
        const struct sim_file_id file = sim_descriptor_file(world, process_of(world, task), fd);
        if (!file.index) {
            return -EBADF;
        }
        if (sim_file_at(world, file)->kind != SIM_FILE_SIGNALFD) {
            return -EINVAL;
        }
        sim_signalfd_change(world, (struct sim_signalfd_id){sim_file_at(world, file)->object}, kept);
        return fd;
    }
    const struct sim_signalfd_id id = sim_signalfd_new(world, process_of(world, task), kept);
    const struct sim_file_id file = id.index ? sim_file_open(world, SIM_FILE_SIGNALFD, id.index,
                                                             O_RDWR | ((uint32_t)flags & O_NONBLOCK))
                                             : (struct sim_file_id){0};
    if (!file.index) {
        if (id.index) {
            sim_pool_give(world, SIM_POOL_SIGNALFD, id.index);
        }
        return id.index ? -ENFILE : -ENOMEM;
    }
    return sim_call_install(world, task, file, flags & SFD_CLOEXEC);
}

static void describe(const struct sim_world *world, const struct sim_signal *signal, uint64_t overrun,
                     struct signalfd_siginfo *to)
{
    siginfo_t information;
    sim_signal_fill(world, signal, overrun, &information);
    memset(to, 0, sizeof *to);
    to->ssi_signo = (uint32_t)signal->number;
    to->ssi_code = signal->code;
    if (signal->code == SI_TIMER) {
        to->ssi_tid = (uint32_t)information.si_timerid;
        to->ssi_overrun = (uint32_t)overrun;
    } else {
        to->ssi_pid = signal->pid;
        to->ssi_uid = signal->uid;
    }
    if (signal->number == SIGCHLD && signal->code > 0) {
        to->ssi_status = signal->status;
    } else if (signal->code < 0) {
        to->ssi_ptr = signal->value;
        to->ssi_int = (int32_t)signal->value;
    }
}

int64_t sim_signalfd_read(SIM_CALL, struct sim_signalfd_id id, void *buffer, size_t length)
{
    struct signalfd_siginfo one;
    struct sim_signal signal;
    uint64_t overrun;
    size_t done = 0;
    if (length < sizeof one) {
        return -EINVAL;
    }
    while (length - done >= sizeof one &&
           sim_signal_dequeue(world, task, sim_signalfd_at(world, id)->mask, &signal, &overrun)) {
        describe(world, &signal, overrun, &one);
        memcpy((char *)buffer + done, &one, sizeof one);
        done += sizeof one;
    }
    return done ? (int64_t)done : -EAGAIN;
}
