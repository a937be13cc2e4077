/* Time and tasks: what a whole program needs beside sockets so that relinking it is enough.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>

#include "wait.h"

uint64_t dry_now(void)
{
    struct dry_caller caller = dry_current_caller();
    struct timespec now;
    int result = caller.system->clock_gettime(caller, CLOCK_MONOTONIC, &now);
    if (result < 0) {
        dry_error_os(caller, -result);
        return 0;
    }
    return dry_wait_ns(&now);
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
    /* Of no call but the last is anything told: a signal may end the others before they look. */
    for (size_t i = 0; descriptors != NULL && i < count; i++) {
        descriptors[i].revents = 0;
    }
    struct wait wait = {
        .descriptors = count != 0 ? descriptors : &none,
        .count = count,
        .timeout_ns = timeout_ns,
    };
    ssize_t outcome = count != 0 && descriptors == NULL ? -EFAULT : dry_wait(caller, &wait);
    int result = outcome == WAIT_TIMED_OUT ? 0 : (int)dry_wait_edge(caller, outcome);
    dry_call_end(caller);
    return result;
}

/* A task's handle is its number: nothing to free, and a stale one is only unknown. */
static struct dry_task *handle_of(uint32_t number)
{
    return (struct dry_task *)(uintptr_t)number;
}

struct dry_task *dry_spawn(void (*entry)(void *argument), void *argument)
{
    struct dry_caller caller = dry_call_begin("spawn", -1);
    uint32_t number = 0;
    int result = caller.system->spawn(caller, entry, argument, &number);
    if (result < 0) {
        dry_error_os(caller, -result);
    }
    dry_call_end(caller);
    return result < 0 ? NULL : handle_of(number);
}

static ssize_t try_join(struct dry_caller caller, void *data)
{
    const uint32_t *number = data;
    return caller.system->join(caller, *number);
}

int dry_join(struct dry_task *task)
{
    struct dry_caller caller = dry_call_begin("join", -1);
    uint32_t number = (uint32_t)(uintptr_t)task;
    struct wait wait = {.attempt = try_join, .data = &number, .timeout_ns = -1};
    int result = (int)dry_wait_edge(caller, dry_wait(caller, &wait));
    dry_call_end(caller);
    return result;
}
