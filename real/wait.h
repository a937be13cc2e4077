/* The one waiting loop: readiness, the deadline, and the retry after a signal (PEP 475).
 * SPDX-License-Identifier: MIT
 *
 * Everything in the library that may wait does so in dry_wait, so a deadline is fixed once and what
 * is left of it is computed in one place.
 */
#ifndef REAL_WAIT_H
#define REAL_WAIT_H

#include <errno.h>

#include "error.h"
#include "socket.h"

enum {
    NS_PER_SECOND = 1000000000,
    /* Outcomes beside -errno, out of its range. */
    WAIT_TIMED_OUT = -10000, /* the deadline passed */
    WAIT_STOPPED = -10001,   /* the interrupt check said stop; the error object tells */
};

struct wait {
    /* One try of the call, >= 0 or -errno; NULL: readiness itself is what is waited for. */
    ssize_t (*attempt)(struct dry_caller caller, void *data);
    void *data;
    struct pollfd *descriptors; /* to be ready before each try; NULL: try at once */
    nfds_t count;
    int64_t timeout_ns;   /* < 0: for ever */
    uint64_t deadline_at; /* 0 at first: set when the waiting begins, kept from call to call */
    bool cut_short;       /* a first try was made outside, and a signal ended it */
};

/* Runs the call to its end. Returns what the last try returned (with no attempt: the number of
 * ready descriptors), -errno, or one of the outcomes above. */
ssize_t dry_wait(struct dry_caller caller, struct wait *wait);

/* Whether a deadline that was set has been reached. */
bool dry_wait_expired(struct dry_caller caller, const struct wait *wait);

/* Asks the interrupt check. True, with the error object set: stop. */
bool dry_wait_stopped(struct dry_caller caller);

/* The monotonic clock; 0 for a caller without a world, whose next wait says why. */
uint64_t dry_wait_now(struct dry_caller caller);
static inline uint64_t dry_wait_ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * NS_PER_SECOND + (uint64_t)time->tv_nsec;
}

/* What dry_wait_socket does when it has to wait; cut_short as above. */
ssize_t dry_wait_longer(struct dry_caller caller, const struct dry_socket *socket, short events,
                        ssize_t (*attempt)(struct dry_caller caller, void *data), void *data,
                        bool cut_short);

/* dry_wait for one socket in its mode: a timeout waits for `events` before each try. The first try
 * of the other modes is made here, inline: on that path the library costs next to nothing. */
static inline ssize_t dry_wait_socket(struct dry_caller caller, const struct dry_socket *socket,
                                      short events,
                                      ssize_t (*attempt)(struct dry_caller caller, void *data),
                                      void *data)
{
    if (socket->timeout_ns > 0) {
        return dry_wait_longer(caller, socket, events, attempt, data, false);
    }
    ssize_t result = attempt(caller, data);
    if (__builtin_expect(result != -EINTR, 1)) {
        return result;
    }
    return dry_wait_longer(caller, socket, events, attempt, data, true);
}

/* An outcome of dry_wait as the public call's result. */
static inline ssize_t dry_wait_edge(struct dry_caller caller, ssize_t outcome)
{
    if (__builtin_expect(outcome >= 0, 1)) {
        return outcome;
    }
    if (outcome == WAIT_TIMED_OUT) {
        return dry_error_timeout(caller);
    }
    return outcome == WAIT_STOPPED ? -1 : dry_error_os(caller, (int)-outcome);
}

#endif
