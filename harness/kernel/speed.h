/* Under libfaketime: the waits that it does not reach, by calls that it does.
 * SPDX-License-Identifier: MIT
 *
 * libfaketime 0.9.10 scales poll, pselect, epoll_pwait and clock_nanosleep, but neither ppoll nor
 * epoll_pwait2, which are what the library waits in. So with a speed those two are made of poll and
 * epoll_pwait, in whole (faster) milliseconds, rounded up. */
#ifndef HARNESS_KERNEL_SPEED_H
#define HARNESS_KERNEL_SPEED_H

#include <stdbool.h>

#include <drysock/system.h>

/* Whether libfaketime drives this process's clocks. */
bool kernel_speed_is_on(void);
/* As in struct dry_system, of the library's own provider; at real time that provider's own. */
int kernel_speed_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask);
int kernel_speed_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                             int maximum, const struct timespec *timeout, const sigset_t *mask);

#endif
