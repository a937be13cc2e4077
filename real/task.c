/* Time and tasks: what a whole program needs beside sockets so that relinking it is enough.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "wait.h"

uint64_t dry_now(void)
{
    return dry_wait_now(dry_current_caller());
}

static ssize_t try_sleep(struct dry_caller caller, void *data)
{
    return caller.system->clock_nanosleep(caller, CLOCK_MONOTONIC, TIMER_ABSTIME, data, NULL);
}

int dry_sleep_until(uint64_t instant)
{
    struct dry_caller caller = dry_call_begin("sleep", -1);
    struct timespec at = {
        .tv_sec = (time_t)(instant / NS_PER_SECOND),
        .tv_nsec = (long)(instant % NS_PER_SECOND),
    };
    struct wait wait = {.attempt = try_sleep, .data = &at, .timeout_ns = -1};
    int result = (int)dry_wait_edge(caller, dry_wait(caller, &wait));
    dry_call_end(caller);
    return result;
}

int dry_poll(struct pollfd *descriptors, size_t count, int64_t timeout_ns)
{
    struct dry_caller caller = dry_call_begin("poll", -1);
    struct pollfd none = {.fd = -1};
    struct wait wait = {
        .descriptors = count != 0 ? descriptors : &none,
        .count = count,
        .timeout_ns = timeout_ns,
    };
    ssize_t outcome = dry_wait(caller, &wait);
    int result = outcome == WAIT_TIMED_OUT ? 0 : (int)dry_wait_edge(caller, outcome);
    dry_call_end(caller);
    return result;
}

struct dry_task {
    uint32_t number;
};

struct dry_task *dry_spawn(void (*entry)(void *argument), void *argument)
{
    struct dry_caller caller = dry_call_begin("spawn", -1);
    struct dry_task *task = calloc(1, sizeof *task);
    int result = task == NULL ? -ENOMEM : caller.system->spawn(caller, entry, argument, &task->number);
    if (result < 0) {
        free(task);
        task = NULL;
        dry_error_os(caller, -result);
    }
    dry_call_end(caller);
    return task;
}

static ssize_t try_join(struct dry_caller caller, void *data)
{
    const struct dry_task *task = data;
    return caller.system->join(caller, task->number);
}

int dry_join(struct dry_task *task)
{
    struct dry_caller caller = dry_call_begin("join", -1);
    struct wait wait = {.attempt = try_join, .data = task, .timeout_ns = -1};
    ssize_t outcome = dry_wait(caller, &wait);
    int result = (int)dry_wait_edge(caller, outcome);
    /* Stopped by the interrupt check, the task still runs and may be joined again. */
    if (outcome != WAIT_STOPPED) {
        free(task);
    }
    dry_call_end(caller);
    return result;
}
