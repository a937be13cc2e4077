/* Readiness: poll, select and epoll over the world's descriptors and real ones together.
 * SPDX-License-Identifier: MIT
 *
 * A call that names a real pipe, terminal or device asks both systems in turns: what is ready at
 * once, then what the world does next, then, when nothing in the world can happen before this call's
 * own end, the real ones in real time. A call without such a descriptor is one call of the world. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "calls.h"
#include "preload.h"
#include "sim/call/call.h"
#include "sim/run/attach.h"

enum {
    MOST_SELECTED = 1024, /* FD_SETSIZE */
    MOST_REAL = 256,      /* real pipes, terminals and devices that are looked at in one call */
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    KERNEL_SET_BYTES = 8,
};
static const int64_t ns_per_second = 1000000000;

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / ns_per_second, ns % ns_per_second};
}

/* A wait's end in the world's time; UINT64_MAX: none. */
static uint64_t end_of(const struct timespec *timeout)
{
    const uint64_t now = preload_world_now();
    if (!timeout) {
        return UINT64_MAX;
    }
    const uint64_t seconds = (uint64_t)timeout->tv_sec;
    return seconds > (UINT64_MAX - now) / (uint64_t)ns_per_second - 2
               ? UINT64_MAX
               : now + seconds * (uint64_t)ns_per_second + (uint64_t)timeout->tv_nsec;
}

/* ---- what is real ------------------------------------------------------------------------------- */

/* What the real ones that are polled say now, or (timeout_ms -1) once one says anything: the world
 * is told. Only those whose events somebody waits for can end that wait. */
static void tell_real(struct pollfd *real, int count, int timeout_ms)
{
    const struct dry_caller caller = preload_caller();
    if (count > 0 && preload_kernel(SYS_poll, real, count, timeout_ms) >= 0) {
        for (int i = 0; i < count; i++) {
            sim_program_real_ready(caller, real[i].fd, (unsigned short)real[i].revents);
        }
    }
}

/* Those of a poll's descriptors that are real and polled. */
static int real_of(const struct pollfd *descriptors, uint64_t count, struct pollfd real[MOST_REAL])
{
    int found = 0;
    for (uint64_t i = 0; i < count && found < MOST_REAL; i++) {
        if (preload_kind_of(descriptors[i].fd) == PRELOAD_POLLED) {
            real[found++] = (struct pollfd){descriptors[i].fd, descriptors[i].events, 0};
        }
    }
    return found;
}

/* ---- poll --------------------------------------------------------------------------------------- */

static int64_t poll_any(struct pollfd *descriptors, uint64_t count, const struct timespec *timeout,
                        const sigset_t *mask)
{
    const struct dry_caller caller = preload_seam();
    struct pollfd real[MOST_REAL];
    if (count > INT_MAX / sizeof *descriptors) {
        return -EINVAL;
    }
    if (!preload_writable(descriptors, count * sizeof *descriptors)) {
        return -EFAULT;
    }
    const int real_count = real_of(descriptors, count, real);
    tell_real(real, real_count, 0);
    for (;;) {
        const int result = caller.system->ppoll(caller, descriptors, count, timeout, mask);
        if (result != SIM_REALLY) {
            return result;
        }
        tell_real(real, real_count, -1);
    }
}

int64_t preload_wait_real(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    return preload_kernel(SYS_poll, &one, 1, 0) == 0 ? poll_any(&one, 1, NULL, NULL) : 1;
}

int64_t preload_do_poll(const int64_t *a)
{
    const int timeout_ms = (int)a[2];
    const struct timespec timeout = timespec_of((int64_t)timeout_ms * NS_PER_MS);
    return poll_any(preload_pointer(a[0]), (uint32_t)a[1], timeout_ms < 0 ? NULL : &timeout, NULL);
}

/* The mask of a call that waits, as the seam takes it. 0, -EINVAL or -EFAULT. */
static int64_t take_mask(const void *given, size_t bytes, sigset_t *mask)
{
    sigemptyset(mask);
    if (!given) {
        return 0;
    }
    if (bytes != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    if (!preload_readable(given, KERNEL_SET_BYTES)) {
        return -EFAULT;
    }
    memcpy(mask, given, KERNEL_SET_BYTES);
    return 0;
}

/* A timeout by nanoseconds: 0, -EFAULT, -EINVAL. */
static int64_t take_timeout(const struct timespec *given, struct timespec *timeout)
{
    if (!given) {
        return 0;
    }
    if (!preload_readable(given, sizeof *given)) {
        return -EFAULT;
    }
    *timeout = *given;
    return given->tv_sec < 0 || given->tv_nsec < 0 || given->tv_nsec >= ns_per_second ? -EINVAL : 0;
}

/* LINUX: select, pselect6 and ppoll write back what is left of their timeout. */
static uint64_t left_until(uint64_t end_at)
{
    const uint64_t now = preload_world_now();
    return end_at > now ? end_at - now : 0;
}

static void give_left(struct timespec *timeout, uint64_t end_at)
{
    if (timeout && preload_writable(timeout, sizeof *timeout)) {
        *timeout = timespec_of((int64_t)left_until(end_at));
    }
}

int64_t preload_do_ppoll(const int64_t *a)
{
    struct timespec *given = preload_pointer(a[2]);
    struct timespec timeout;
    sigset_t mask;
    int64_t result = take_timeout(given, &timeout);
    result = result < 0 ? result : take_mask(preload_pointer(a[3]), (size_t)a[4], &mask);
    if (result < 0) {
        return result;
    }
    const uint64_t end_at = end_of(given);
    result = poll_any(preload_pointer(a[0]), (uint32_t)a[1], given ? &timeout : NULL,
                      a[3] ? &mask : NULL);
    give_left(given, end_at);
    return result;
}

/* ---- select ------------------------------------------------------------------------------------- */

struct sets {
    unsigned long *of[3]; /* readable, writable, exceptional: the program's, or NULL */
    int count;
};

static const short select_events[3] = {POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
                                       POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI};
static const short select_wanted[3] = {POLLIN, POLLOUT, POLLPRI};

enum { WORD_BITS = 8 * sizeof(unsigned long) };

static bool bit_of(const unsigned long *set, int fd)
{
    return set && (set[fd / WORD_BITS] >> (fd % WORD_BITS) & 1);
}

/* As a set for poll; -EBADF when a number is not open. */
static int64_t poll_set_of(const struct sets *sets, struct pollfd *descriptors)
{
    int64_t count = 0;
    for (int fd = 0; fd < sets->count; fd++) {
        short events = 0;
        for (int i = 0; i < 3; i++) {
            events |= bit_of(sets->of[i], fd) ? select_wanted[i] : 0;
        }
        if (events == 0) {
            continue;
        }
        if (preload_kind_of(fd) == PRELOAD_CLOSED) {
            return -EBADF;
        }
        if (count == MOST_SELECTED) {
            return -ENOMEM;
        }
        descriptors[count++] = (struct pollfd){fd, events, 0};
    }
    return count;
}

/* The answer into the program's sets: how many bits. */
static int64_t answer(const struct sets *sets, const struct pollfd *descriptors, int64_t count)
{
    struct sets wanted = *sets;
    unsigned long copies[3][MOST_SELECTED / WORD_BITS];
    const size_t bytes = (size_t)(sets->count + WORD_BITS - 1) / WORD_BITS * sizeof(unsigned long);
    int64_t bits = 0;
    for (int i = 0; i < 3; i++) {
        if (sets->of[i]) {
            memcpy(copies[i], sets->of[i], bytes);
            memset(sets->of[i], 0, bytes);
            wanted.of[i] = copies[i];
        }
    }
    for (int64_t at = 0; at < count; at++) {
        const int fd = descriptors[at].fd;
        for (int i = 0; i < 3; i++) {
            if (bit_of(wanted.of[i], fd) && (descriptors[at].revents & select_events[i])) {
                sets->of[i][fd / WORD_BITS] |= 1UL << (fd % WORD_BITS);
                bits++;
            }
        }
    }
    return bits;
}

static int64_t select_any(const int64_t *a, const struct timespec *timeout, const sigset_t *mask)
{
    struct sets sets = {{preload_pointer(a[1]), preload_pointer(a[2]), preload_pointer(a[3])},
                        (int)a[0]};
    struct pollfd descriptors[MOST_SELECTED];
    if (sets.count < 0) {
        return -EINVAL;
    }
    sets.count = sets.count < MOST_SELECTED ? sets.count : MOST_SELECTED;
    const size_t bytes = (size_t)(sets.count + WORD_BITS - 1) / WORD_BITS * sizeof(unsigned long);
    for (int i = 0; i < 3; i++) {
        if (sets.of[i] && !preload_writable(sets.of[i], bytes)) {
            return -EFAULT;
        }
    }
    const int64_t count = poll_set_of(&sets, descriptors);
    if (count < 0) {
        return count;
    }
    const int64_t result = poll_any(descriptors, (uint64_t)count, timeout, mask);
    return result < 0 ? result : answer(&sets, descriptors, count);
}

int64_t preload_do_select(const int64_t *a)
{
    struct timeval *given = preload_pointer(a[4]);
    struct timespec timeout;
    if (given) {
        if (!preload_readable(given, sizeof *given)) {
            return -EFAULT;
        }
        /* LINUX: more than a million microseconds are carried over; a negative time is not */
        if (given->tv_sec < 0 || given->tv_usec < 0) {
            return -EINVAL;
        }
        timeout.tv_sec = given->tv_sec + given->tv_usec / 1000000;
        timeout.tv_nsec = given->tv_usec % 1000000 * NS_PER_US;
    }
    const uint64_t end_at = end_of(given ? &timeout : NULL);
    const int64_t result = select_any(a, given ? &timeout : NULL, NULL);
    if (given && preload_writable(given, sizeof *given)) {
        const uint64_t left = left_until(end_at);
        *given = (struct timeval){(time_t)(left / (uint64_t)ns_per_second),
                                  (suseconds_t)(left % (uint64_t)ns_per_second / NS_PER_US)};
    }
    return result;
}

int64_t preload_do_pselect6(const int64_t *a)
{
    const struct mask_argument {
        const void *mask;
        size_t bytes;
    } *argument = preload_pointer(a[5]);
    struct timespec *given = preload_pointer(a[4]);
    struct timespec timeout;
    sigset_t mask;
    if (argument && !preload_readable(argument, sizeof *argument)) {
        return -EFAULT;
    }
    const void *mask_given = argument ? argument->mask : NULL;
    int64_t result = take_timeout(given, &timeout);
    result = result < 0 ? result : take_mask(mask_given, argument ? argument->bytes : 0, &mask);
    if (result < 0) {
        return result;
    }
    const uint64_t end_at = end_of(given);
    result = select_any(a, given ? &timeout : NULL, mask_given ? &mask : NULL);
    give_left(given, end_at);
    return result;
}

/* ---- epoll -------------------------------------------------------------------------------------- */

int64_t preload_do_epoll_create1(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return preload_descriptor_made(caller.system->epoll_create(caller, (int)a[0]),
                                   a[0] & EPOLL_CLOEXEC);
}

int64_t preload_do_epoll_create(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {0};
    return (int)a[0] <= 0 ? -EINVAL : preload_do_epoll_create1(arguments);
}

int64_t preload_do_epoll_ctl(const int64_t *a)
{
    struct epoll_event *event = preload_pointer(a[3]);
    const struct dry_caller caller = preload_seam();
    if ((int)a[1] != EPOLL_CTL_DEL && !preload_readable(event, sizeof *event)) {
        return -EFAULT;
    }
    return caller.system->epoll_ctl(caller, (int)a[0], (int)a[1], (int)a[2], event);
}

/* Which of the real ones the epoll watches the world alone knows: of all, one more than now must say
 * something; what says so already is left out. */
static void wait_really(struct pollfd *real, int count)
{
    preload_kernel(SYS_poll, real, count, 0);
    for (int i = 0; i < count; i++) {
        real[i].events = (short)(real[i].events & ~real[i].revents);
    }
    tell_real(real, count, -1);
    for (int i = 0; i < count; i++) {
        real[i].events = POLLIN | POLLOUT | POLLPRI;
    }
    tell_real(real, count, 0);
}

static int64_t epoll_any(const int64_t *a, const struct timespec *timeout, const void *mask_given,
                         size_t mask_bytes)
{
    struct epoll_event *events = preload_pointer(a[1]);
    const int maximum = (int)a[2];
    sigset_t mask;
    const struct dry_caller caller = preload_seam();
    const int64_t result = take_mask(mask_given, mask_bytes, &mask);
    if (result < 0) {
        return result;
    }
    if (maximum <= 0 || maximum > INT_MAX / (int)sizeof *events) {
        return -EINVAL;
    }
    /* LINUX: only what there is to tell is written; a place for more may reach beyond the program's */
    if (!preload_writable(events, sizeof *events)) {
        return -EFAULT;
    }
    struct pollfd real[MOST_REAL];
    const int real_count = preload_polled(real, MOST_REAL);
    tell_real(real, real_count, 0);
    for (;;) {
        const int ready = caller.system->epoll_pwait(caller, (int)a[0], events, maximum, timeout,
                                                     mask_given ? &mask : NULL);
        if (ready != SIM_REALLY) {
            return ready;
        }
        wait_really(real, real_count);
    }
}

int64_t preload_do_epoll_pwait(const int64_t *a)
{
    const int timeout_ms = (int)a[3];
    const struct timespec timeout = timespec_of((int64_t)timeout_ms * NS_PER_MS);
    return epoll_any(a, timeout_ms < 0 ? NULL : &timeout, preload_pointer(a[4]), (size_t)a[5]);
}

int64_t preload_do_epoll_wait(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], a[1], a[2], a[3]};
    return preload_do_epoll_pwait(arguments);
}

int64_t preload_do_epoll_pwait2(const int64_t *a)
{
    const struct timespec *given = preload_pointer(a[3]);
    struct timespec timeout;
    const int64_t result = take_timeout(given, &timeout);
    return result < 0 ? result
                      : epoll_any(a, given ? &timeout : NULL, preload_pointer(a[4]), (size_t)a[5]);
}
