/* The world's system calls: plain functions that give a result or say that the caller waits.
 * SPDX-License-Identifier: MIT
 *
 * A call that returns SIM_WAIT has parked its task: the same call with the same arguments is made
 * again when the task runs next, until it returns something else. What it did so far lies in the
 * task's sim_call. Nothing of the caller's memory is kept between the two. */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

#include "core/state.h"

static const int64_t SIM_WAIT = INT64_MIN;
/* LINUX: ERESTARTSYS. A program's call ends so where a handler with SA_RESTART has to run: when it has,
 * the call is made anew. */
static const int64_t SIM_RESTART = -512;
/* A program's wait that only something real can end: its process waits for that, and makes the call
 * anew. */
static const int64_t SIM_REALLY = -513;

enum sim_call_kind {
    SIM_CALL_NONE = 0,
    SIM_CALL_ACCEPT,
    SIM_CALL_CONNECT,
    SIM_CALL_SEND,
    SIM_CALL_RECEIVE,
    SIM_CALL_READ,
    SIM_CALL_WRITE,
    SIM_CALL_POLL,
    SIM_CALL_SELECT,
    SIM_CALL_EPOLL_WAIT,
    SIM_CALL_SLEEP,
    SIM_CALL_JOIN,
    SIM_CALL_BARRIER,
    SIM_CALL_YIELD,
    SIM_CALL_CLOSE,
    SIM_CALL_SPIN, /* the spin guard's step: no call of the program's */
    SIM_CALL_FUTEX,
    SIM_CALL_CHILD,       /* wait4, waitid */
    SIM_CALL_PAUSE,       /* sigsuspend, too */
    SIM_CALL_SIGNAL_WAIT, /* sigtimedwait */
    SIM_CALL_VFORK,
    SIM_CALL_KIND_COUNT,
};
const char *sim_call_name(enum sim_call_kind kind);

#define SIM_CALL struct sim_world *world, struct sim_task_id task

int64_t sim_call_socket(SIM_CALL, int family, int type, int protocol);
int64_t sim_call_socketpair(SIM_CALL, int family, int type, int protocol, int descriptors[2]);
int64_t sim_call_bind(SIM_CALL, int fd, const struct sockaddr *address, socklen_t length);
int64_t sim_call_listen(SIM_CALL, int fd, int backlog);
int64_t sim_call_accept(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length, int flags);
int64_t sim_call_connect(SIM_CALL, int fd, const struct sockaddr *address, socklen_t length);
int64_t sim_call_sendmsg(SIM_CALL, int fd, const struct msghdr *message, int flags);
int64_t sim_call_recvmsg(SIM_CALL, int fd, struct msghdr *message, int flags);
int64_t sim_call_shutdown(SIM_CALL, int fd, int how);
int64_t sim_call_getsockname(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length);
int64_t sim_call_getpeername(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length);
int64_t sim_call_getsockopt(SIM_CALL, int fd, int level, int option, void *value, socklen_t *length);
int64_t sim_call_setsockopt(SIM_CALL, int fd, int level, int option, const void *value,
                            socklen_t length);
int64_t sim_call_close(SIM_CALL, int fd);
int64_t sim_call_dup3(SIM_CALL, int fd, int wanted, int flags);
int64_t sim_call_fcntl(SIM_CALL, int fd, int command, long argument);
int64_t sim_call_ioctl(SIM_CALL, int fd, unsigned long request, void *argument);
int64_t sim_call_read(SIM_CALL, int fd, void *buffer, size_t length);
int64_t sim_call_write(SIM_CALL, int fd, const void *data, size_t length);
int64_t sim_call_pipe2(SIM_CALL, int descriptors[2], int flags);
int64_t sim_call_eventfd(SIM_CALL, unsigned initial, int flags);
int64_t sim_call_timerfd_create(SIM_CALL, int clock, int flags);
int64_t sim_call_timerfd_settime(SIM_CALL, int fd, int flags, const struct itimerspec *value,
                                 struct itimerspec *old);
int64_t sim_call_timerfd_gettime(SIM_CALL, int fd, struct itimerspec *value);
int64_t sim_call_ppoll(SIM_CALL, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask);
int64_t sim_call_pselect(SIM_CALL, int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                         const struct timespec *timeout, const sigset_t *mask);
int64_t sim_call_epoll_create(SIM_CALL, int flags);
int64_t sim_call_epoll_ctl(SIM_CALL, int epoll_fd, int operation, int fd, struct epoll_event *event);
int64_t sim_call_epoll_pwait(SIM_CALL, int epoll_fd, struct epoll_event *events, int maximum,
                             const struct timespec *timeout, const sigset_t *mask);
int64_t sim_call_clock_gettime(SIM_CALL, clockid_t clock, struct timespec *now);
int64_t sim_call_clock_getres(SIM_CALL, clockid_t clock, struct timespec *resolution);
int64_t sim_call_clock_nanosleep(SIM_CALL, clockid_t clock, int flags, const struct timespec *request,
                                 struct timespec *remain);
int64_t sim_call_join(SIM_CALL, uint32_t other);
/* Waits until an instant, whatever comes; signals stay pending for the call that follows. */
int64_t sim_call_spin(SIM_CALL, uint64_t until);
int64_t sim_call_barrier(SIM_CALL, struct sim_barrier_id barrier);
/* Lets the tasks that are ready at this instant run, in the schedule's order. 0. */
int64_t sim_call_yield(SIM_CALL);

#endif
