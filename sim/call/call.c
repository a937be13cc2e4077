/* World calls: the record of a call, its wait and its end; time, tasks and barriers.
 * SPDX-License-Identifier: MIT */
#include "call.h"

#include <assert.h>

#include "core/event.h"
#include "internal.h"
#include "pending.h"
#include "process.h"

const char *sim_call_name(enum sim_call_kind kind)
{
    static const char *const names[SIM_CALL_KIND_COUNT] = {
        [SIM_CALL_NONE] = "none",       [SIM_CALL_ACCEPT] = "accept",
        [SIM_CALL_CONNECT] = "connect", [SIM_CALL_SEND] = "send",
        [SIM_CALL_RECEIVE] = "recv",    [SIM_CALL_READ] = "read",
        [SIM_CALL_WRITE] = "write",     [SIM_CALL_POLL] = "poll",
        [SIM_CALL_SELECT] = "select",   [SIM_CALL_EPOLL_WAIT] = "epoll_wait",
        [SIM_CALL_SLEEP] = "sleep",     [SIM_CALL_JOIN] = "join",
        [SIM_CALL_BARRIER] = "barrier", [SIM_CALL_YIELD] = "yield",
        [SIM_CALL_CLOSE] = "close",     [SIM_CALL_SPIN] = "spinning",
        [SIM_CALL_FUTEX] = "futex",     [SIM_CALL_CHILD] = "wait",
        [SIM_CALL_PAUSE] = "pause",     [SIM_CALL_SIGNAL_WAIT] = "sigtimedwait",
        [SIM_CALL_VFORK] = "vfork",
    };
    assert(kind < SIM_CALL_KIND_COUNT);
    return names[kind];
}

/* ---- the record of a call ---------------------------------------------------------------------- */

static void set_mask(SIM_CALL, uint64_t mask)
{
    if (sim_task_at(world, task)->tid) {
        sim_signal_set_mask(world, task, mask);
    } else {
        sim_task_at(world, task)->blocked_signals = mask;
    }
}

void sim_call_clear(SIM_CALL)
{
    struct sim_task *caller = sim_task_at(world, task);
    sim_file_wait_clear(world, task);
    if (caller->call.masked && caller->tid && sim_signal_due(caller)) {
        caller->restore_mask = 1; /* LINUX: when its handlers have begun */
    } else if (caller->call.masked) {
        const uint64_t mask = caller->saved_blocked_signals;
        caller->saved_blocked_signals = 0;
        set_mask(world, task, mask);
    }
    memset(&caller->call, 0, sizeof caller->call);
    sim_signal_handle(caller);
}

void sim_call_begin(SIM_CALL, uint32_t kind, int descriptor, uint64_t deadline_at)
{
    struct sim_call *call = &sim_task_at(world, task)->call;
    if (!call->kind) {
        call->kind = kind;
        call->descriptor = descriptor;
        call->started_at = world->now;
        call->deadline_at = deadline_at;
    }
    assert(call->kind == kind); /* a call that waits is made again, not another */
}

int64_t sim_call_park(SIM_CALL, const struct sim_call_wait *what, int64_t progress)
{
    struct sim_task *caller = sim_task_at(world, task);
    struct sim_call *call = &caller->call;
    if (!call->kind) {
        uint64_t deadline_at = SIM_NEVER;
        if (what->timeout_ns == SIM_TIMEOUT_AT_ONCE) {
            deadline_at = world->now;
        } else if (what->timeout_ns) {
            deadline_at = sim_call_after(world, what->timeout_ns);
        }
        sim_call_begin(world, task, what->kind, what->descriptor, deadline_at);
        call->file = what->file;
        call->events = what->events;
        if (what->file.index && sim_file_wait_add(world, task, what->file, what->events) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    if (call->deadline_at <= world->now) {
        return sim_call_end(world, task, progress > 0 ? progress : what->at_deadline);
    }
    if (sim_signal_due(caller)) {
        /* LINUX: signal(7): a call with SO_RCVTIMEO or SO_SNDTIMEO never restarts. */
        if (progress > 0 || call->deadline_at != SIM_NEVER || !sim_signal_restarts(world, caller)) {
            return sim_call_end(world, task, progress > 0 ? progress : -EINTR);
        }
        if (sim_process_at(world, caller->process)->program) {
            return sim_call_end(world, task, SIM_RESTART); /* its handler is to run first */
        }
        sim_signal_handle(caller);
    }
    call->moved_bytes = progress > 0 ? (uint64_t)progress : 0;
    sim_wait_park(world, task, call->deadline_at);
    return SIM_WAIT;
}

int64_t sim_call_install(SIM_CALL, struct sim_file_id file, bool close_on_exec)
{
    const int fd = sim_descriptor_install(world, sim_task_at(world, task)->process, file,
                                          close_on_exec ? FD_CLOEXEC : 0, 0);
    if (fd < 0) {
        sim_file_drop(world, file);
    }
    return fd;
}

void sim_call_mask(SIM_CALL, const sigset_t *mask)
{
    struct sim_task *caller = sim_task_at(world, task);
    if (!mask || caller->call.masked) {
        return;
    }
    caller->call.masked = 1;
    caller->saved_blocked_signals = caller->blocked_signals;
    uint64_t bits = 0;
    for (int number = 1; number <= 64; number++) {
        if (sigismember(mask, number) == 1) {
            bits |= UINT64_C(1) << (number - 1);
        }
    }
    set_mask(world, task, bits);
}

/* ---- time -------------------------------------------------------------------------------------- */

bool sim_call_duration(const struct timespec *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= (long)SIM_CALL_SECOND) {
        return false;
    }
    const uint64_t seconds = (uint64_t)time->tv_sec;
    *ns = seconds >= SIM_NEVER / SIM_CALL_SECOND ? SIM_NEVER
                                                 : seconds * SIM_CALL_SECOND + (uint64_t)time->tv_nsec;
    return true;
}

uint64_t sim_call_after(const struct sim_world *world, uint64_t ns)
{
    return ns >= SIM_NEVER - world->now ? SIM_NEVER : world->now + ns;
}

enum clock_kind { CLOCK_UNKNOWN, CLOCK_OF_WORLD, CLOCK_OF_WALL };

/* LINUX: a negative number names a process's or a thread's used time: its id complemented, then 3 bits:
 * which of three clocks, and a thread's. The fourth, 3, is a device's. */
enum { CPU_CLOCK_WHICH = 3, CPU_CLOCK_EXACT = 2, TICK_NS = 4000000 /* LINUX: CONFIG_HZ=250 */ };

static enum clock_kind clock_kind(clockid_t clock)
{
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
    /* SIMPLER: computing takes no time, so the clocks of used processor time follow the world's. */
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return CLOCK_OF_WORLD;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        return CLOCK_OF_WALL;
    default:
        return clock < 0 && (clock & CPU_CLOCK_WHICH) != CPU_CLOCK_WHICH ? CLOCK_OF_WORLD
                                                                         : CLOCK_UNKNOWN;
    }
}

int64_t sim_call_clock_getres(SIM_CALL, clockid_t clock, struct timespec *resolution)
{
    const bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ||
                        (clock < 0 && (clock & CPU_CLOCK_WHICH) != CPU_CLOCK_EXACT);
    if (clock_kind(clock) == CLOCK_UNKNOWN) {
        return -EINVAL;
    }
    if (resolution) {
        *resolution = (struct timespec){0, coarse ? TICK_NS : 1};
    }
    return 0;
}

int64_t sim_call_clock_gettime(SIM_CALL, clockid_t clock, struct timespec *now)
{
    const enum clock_kind kind = clock_kind(clock);
    if (kind == CLOCK_UNKNOWN) {
        return -EINVAL;
    }
    if (!now) {
        return -EFAULT;
    }
    const uint64_t ns = world->now + (kind == CLOCK_OF_WALL ? world->wall_offset_ns : 0);
    now->tv_sec = (time_t)(ns / SIM_CALL_SECOND);
    now->tv_nsec = (long)(ns % SIM_CALL_SECOND);
    return 0;
}

int64_t sim_call_clock_nanosleep(SIM_CALL, clockid_t clock, int flags, const struct timespec *request,
                                 struct timespec *remain)
{
    struct sim_task *caller = sim_task_at(world, task);
    struct sim_call *call = &caller->call;
    if (!call->kind) {
        const enum clock_kind kind = clock_kind(clock);
        uint64_t ns;
        if (kind == CLOCK_UNKNOWN || clock == CLOCK_THREAD_CPUTIME_ID) {
            return -EINVAL;
        }
        if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
            clock == CLOCK_REALTIME_COARSE) {
            return -ENOTSUP;
        }
        if (!request) {
            return -EFAULT;
        }
        if (!sim_call_duration(request, &ns)) {
            return -EINVAL;
        }
        uint64_t at = sim_call_after(world, ns);
        if (flags & TIMER_ABSTIME) {
            const uint64_t offset = kind == CLOCK_OF_WALL ? world->wall_offset_ns : 0;
            at = ns > offset ? ns - offset : 0;
        }
        sim_call_begin(world, task, SIM_CALL_SLEEP, -1, at);
    }
    if (call->deadline_at <= world->now) {
        return sim_call_end(world, task, 0);
    }
    if (sim_signal_due(caller)) {
        if (remain && !(flags & TIMER_ABSTIME)) {
            const uint64_t left = call->deadline_at - world->now;
            remain->tv_sec = (time_t)(left / SIM_CALL_SECOND);
            remain->tv_nsec = (long)(left % SIM_CALL_SECOND);
        }
        return sim_call_end(world, task, -EINTR);
    }
    sim_wait_park(world, task, call->deadline_at);
    return SIM_WAIT;
}

/* ---- tasks and barriers ------------------------------------------------------------------------ */

int64_t sim_call_join(SIM_CALL, uint32_t other)
{
    const struct sim_task_id other_id = sim_task_find(world, other);
    struct sim_task *caller = sim_task_at(world, task);
    if (other_id.index == task.index) {
        return -EDEADLK;
    }
    if (!other_id.index) { /* it ended long ago; or another task joined it first */
        const bool ended = sim_task_forget(world, caller->process, other);
        return sim_call_end(world, task, ended ? 0 : -ESRCH);
    }
    const struct sim_task *joined = sim_task_at(world, other_id);
    if (joined->process.index != caller->process.index) {
        return sim_call_end(world, task, -ESRCH);
    }
    if (joined->state == SIM_TASK_ENDED) {
        sim_call_clear(world, task);
        sim_task_free(world, other_id);
        return 0;
    }
    if (!caller->call.kind) {
        sim_call_begin(world, task, SIM_CALL_JOIN, -1, SIM_NEVER);
        if (sim_wait_add(world, task, SIM_QUEUE_TASK, other_id.index, SIM_WAKE_ALL) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    sim_signal_handle(caller); /* pthread_join(3) never returns EINTR */
    sim_wait_park(world, task, SIM_NEVER);
    return SIM_WAIT;
}

int64_t sim_call_barrier(SIM_CALL, struct sim_barrier_id barrier_id)
{
    struct sim_barrier *barrier = sim_barrier_at(world, barrier_id);
    struct sim_task *caller = sim_task_at(world, task);
    if (!caller->call.kind) {
        barrier->arrived++;
        if (barrier->arrived >= barrier->expected) {
            barrier->arrived = 0;
            barrier->round++;
            sim_wake(world, &barrier->waiters, SIM_WAKE_ALL);
            return 0;
        }
        sim_call_begin(world, task, SIM_CALL_BARRIER, -1, SIM_NEVER);
        caller->call.barrier_round = barrier->round;
        if (sim_wait_add(world, task, SIM_QUEUE_BARRIER, barrier_id.index, SIM_WAKE_ALL) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    if (caller->call.barrier_round != barrier->round) {
        return sim_call_end(world, task, 0);
    }
    sim_signal_handle(caller);
    sim_wait_park(world, task, SIM_NEVER);
    return SIM_WAIT;
}

int64_t sim_call_spin(SIM_CALL, uint64_t until)
{
    struct sim_task *caller = sim_task_at(world, task);
    sim_call_begin(world, task, SIM_CALL_SPIN, -1, until);
    if (until <= world->now) {
        sim_file_wait_clear(world, task);
        memset(&caller->call, 0, sizeof caller->call);
        return 0;
    }
    sim_wait_park(world, task, until);
    return SIM_WAIT;
}

int64_t sim_call_yield(SIM_CALL)
{
    if (sim_task_at(world, task)->call.kind) {
        return sim_call_end(world, task, 0);
    }
    sim_call_begin(world, task, SIM_CALL_YIELD, -1, SIM_NEVER);
    sim_wait_park(world, task, SIM_NEVER);
    sim_wait_wake_task(world, task, SIM_WAKE_OBJECT);
    return SIM_WAIT;
}
