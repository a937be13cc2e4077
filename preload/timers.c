/* Timers that send signals: alarm, the interval timers, and those of timer_create.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"

static bool good_or_none(const void *pointer, size_t bytes, bool to_write)
{
    return !pointer || (to_write ? preload_writable(pointer, bytes) : preload_readable(pointer, bytes));
}

int64_t preload_do_alarm(const int64_t *a)
{
    return sim_program_alarm(preload_caller(), (unsigned)a[0]);
}

int64_t preload_do_setitimer(const int64_t *a)
{
    static const struct itimerval none;
    const struct itimerval *value = preload_pointer(a[1]);
    struct itimerval *old = preload_pointer(a[2]);
    return good_or_none(value, sizeof *value, false) && good_or_none(old, sizeof *old, true)
               ? sim_program_setitimer(preload_caller(), (int)a[0], value ? value : &none, old)
               : -EFAULT;
}

int64_t preload_do_getitimer(const int64_t *a)
{
    struct itimerval *value = preload_pointer(a[1]);
    return preload_writable(value, sizeof *value)
               ? sim_program_getitimer(preload_caller(), (int)a[0], value)
               : -EFAULT;
}

int64_t preload_do_timer_create(const int64_t *a)
{
    const struct sigevent *event = preload_pointer(a[1]);
    int *timer = preload_pointer(a[2]);
    return good_or_none(event, sizeof *event, false) && preload_writable(timer, sizeof *timer)
               ? sim_program_timer_create(preload_caller(), (clockid_t)a[0], event, timer)
               : -EFAULT;
}

int64_t preload_do_timer_settime(const int64_t *a)
{
    const struct itimerspec *value = preload_pointer(a[2]);
    struct itimerspec *old = preload_pointer(a[3]);
    if (!value) {
        return -EINVAL;
    }
    return preload_readable(value, sizeof *value) && good_or_none(old, sizeof *old, true)
               ? sim_program_timer_settime(preload_caller(), (int)a[0], (int)a[1], value, old)
               : -EFAULT;
}

int64_t preload_do_timer_gettime(const int64_t *a)
{
    struct itimerspec *value = preload_pointer(a[1]);
    return preload_writable(value, sizeof *value)
               ? sim_program_timer_gettime(preload_caller(), (int)a[0], value)
               : -EFAULT;
}

int64_t preload_do_timer_getoverrun(const int64_t *a)
{
    return sim_program_timer_getoverrun(preload_caller(), (int)a[0]);
}

int64_t preload_do_timer_delete(const int64_t *a)
{
    return sim_program_timer_delete(preload_caller(), (int)a[0]);
}
