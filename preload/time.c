/* Clocks, sleeps and timer descriptors: all of them the world's.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"

enum { TICKS_PER_SECOND = 100 };
static const int64_t ns_per_second = 1000000000;

/* Clocks of processor time run as the virtual clock does: computing takes no time there.
 * SIMPLER: a process's and a thread's clock are the monotonic one. */
static clockid_t world_clock(clockid_t clock)
{
    const bool of_processor = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID ||
                              clock < 0;
    return of_processor ? CLOCK_MONOTONIC : clock;
}

int64_t preload_do_clock_gettime(const int64_t *a)
{
    struct timespec *now = preload_pointer(a[1]);
    struct timespec value;
    const struct dry_caller caller = preload_seam();
    const int result = caller.system->clock_gettime(caller, world_clock((clockid_t)a[0]), &value);
    if (result < 0) {
        return result;
    }
    if (!preload_writable(now, sizeof *now)) {
        return -EFAULT;
    }
    *now = value;
    return 0;
}

int64_t preload_do_clock_getres(const int64_t *a)
{
    struct timespec *resolution = preload_pointer(a[1]);
    return resolution && !preload_writable(resolution, sizeof *resolution)
               ? -EFAULT
               : sim_program_clock_getres(preload_caller(), (clockid_t)a[0], resolution);
}

int64_t preload_do_clock_nanosleep(const int64_t *a)
{
    const struct timespec *request = preload_pointer(a[2]);
    struct timespec *remain = preload_pointer(a[3]);
    const struct dry_caller caller = preload_seam();
    if (!preload_readable(request, sizeof *request)) {
        return -EFAULT;
    }
    remain = remain && preload_writable(remain, sizeof *remain) ? remain : NULL;
    return caller.system->clock_nanosleep(caller, (clockid_t)a[0], (int)a[1], request, remain);
}

int64_t preload_do_nanosleep(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {CLOCK_MONOTONIC, 0, a[0], a[1]};
    return preload_do_clock_nanosleep(arguments);
}

int64_t preload_do_gettimeofday(const int64_t *a)
{
    struct timeval *now = preload_pointer(a[0]);
    struct timezone *zone = preload_pointer(a[1]);
    struct timespec value;
    const struct dry_caller caller = preload_seam();
    caller.system->clock_gettime(caller, CLOCK_REALTIME, &value);
    if ((now && !preload_writable(now, sizeof *now)) ||
        (zone && !preload_writable(zone, sizeof *zone))) {
        return -EFAULT;
    }
    if (now) {
        *now = (struct timeval){value.tv_sec, value.tv_nsec / 1000};
    }
    if (zone) {
        memset(zone, 0, sizeof *zone);
    }
    return 0;
}

int64_t preload_do_time(const int64_t *a)
{
    time_t *now = preload_pointer(a[0]);
    struct timespec value;
    const struct dry_caller caller = preload_seam();
    caller.system->clock_gettime(caller, CLOCK_REALTIME, &value);
    if (now && !preload_writable(now, sizeof *now)) {
        return -EFAULT;
    }
    if (now) {
        *now = value.tv_sec;
    }
    return value.tv_sec;
}

/* The result is the ticks since the world began; the processor times as in world_clock. */
int64_t preload_do_times(const int64_t *a)
{
    struct tms *times = preload_pointer(a[0]);
    const int64_t ticks = (int64_t)(preload_world_now() / (1000000000 / TICKS_PER_SECOND));
    if (times && !preload_writable(times, sizeof *times)) {
        return -EFAULT;
    }
    if (times) {
        *times = (struct tms){.tms_utime = ticks};
    }
    return ticks;
}

/* The machine's own facts but for the time since it began. */
int64_t preload_do_sysinfo(const int64_t *a)
{
    struct sysinfo *information = preload_pointer(a[0]);
    const int64_t result = preload_pass(SYS_sysinfo, a);
    if (result == 0) {
        information->uptime = (long)(preload_world_now() / (uint64_t)ns_per_second);
        memset(information->loads, 0, sizeof information->loads);
    }
    return result;
}

/* ---- timer descriptors -------------------------------------------------------------------------- */

int64_t preload_do_timerfd_create(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return preload_descriptor_made(caller.system->timerfd_create(caller, (int)a[0], (int)a[1]),
                                   a[1] & TFD_CLOEXEC);
}

int64_t preload_do_timerfd_settime(const int64_t *a)
{
    const struct itimerspec *value = preload_pointer(a[2]);
    struct itimerspec *old = preload_pointer(a[3]);
    const struct dry_caller caller = preload_seam();
    if (!preload_readable(value, sizeof *value) || (old && !preload_writable(old, sizeof *old))) {
        return -EFAULT;
    }
    return caller.system->timerfd_settime(caller, (int)a[0], (int)a[1], value, old);
}

int64_t preload_do_timerfd_gettime(const int64_t *a)
{
    struct itimerspec *value = preload_pointer(a[1]);
    const struct dry_caller caller = preload_seam();
    return preload_writable(value, sizeof *value)
               ? caller.system->timerfd_gettime(caller, (int)a[0], value)
               : -EFAULT;
}
