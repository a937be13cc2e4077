/* Under libfaketime: the waits that it does not reach, by calls that it does.
 * SPDX-License-Identifier: MIT */
#include "speed.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

bool kernel_speed_is_on(void)
{
    return getenv("FAKETIME") != NULL;
}

/* -1 waits for ever. */
static int milliseconds(const struct timespec *timeout)
{
    long long ms;
    if (timeout == NULL) {
        return -1;
    }
    ms = (long long)timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

int kernel_speed_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask)
{
    sigset_t before;
    int ready, error;
    if (!kernel_speed_is_on()) {
        return dry_provider()->ppoll(caller, descriptors, count, timeout, mask);
    }
    /* SIMPLER: a signal between these calls does not end the wait, as it would with ppoll. */
    if (mask != NULL) {
        pthread_sigmask(SIG_SETMASK, mask, &before);
    }
    ready = poll(descriptors, count, milliseconds(timeout));
    error = errno;
    if (mask != NULL) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return ready < 0 ? -error : ready;
}

int kernel_speed_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                             int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    int ready;
    if (!kernel_speed_is_on()) {
        return dry_provider()->epoll_pwait(caller, epoll_fd, events, maximum, timeout, mask);
    }
    ready = epoll_pwait(epoll_fd, events, maximum, milliseconds(timeout), mask);
    return ready < 0 ? -errno : ready;
}
