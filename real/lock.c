/* Mutexes, conditions and epoll, so that a whole program of tasks can be relinked.
 * SPDX-License-Identifier: MIT
 *
 * Both are counters that are waited for like any descriptor: so the world's tasks wait in its time, the
 * kernel's threads in the kernel, and one loop knows of signals and deadlines. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "wait.h"

struct dry_mutex {
    int fd; /* a semaphore: 1 while nobody holds it */
};

struct dry_condition {
    int fd;           /* a semaphore: how many may go on */
    uint32_t waiters; /* that nobody has called yet; under the mutex */
};

/* No mutex and no condition are as closed ones: EBADF, by whichever system is below. */
static int fd_of(const struct dry_mutex *mutex)
{
    return mutex != NULL ? mutex->fd : -1;
}

/* ---- semaphores ----------------------------------------------------------------------------- */

static int semaphore_new(struct dry_caller caller, unsigned initial)
{
    return (int)dry_error_edge(
        caller, caller.system->eventfd(caller, initial, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
}

static ssize_t try_down(struct dry_caller caller, void *data)
{
    uint64_t one;
    ssize_t got = caller.system->read(caller, *(const int *)data, &one, sizeof one);
    return got < 0 ? got : 0;
}

/* An outcome of dry_wait. */
static ssize_t down(struct dry_caller caller, int fd, int64_t timeout_ns)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct wait wait = {
        .attempt = try_down, .data = &fd, .descriptors = &ready, .count = 1, .timeout_ns = timeout_ns};
    ssize_t outcome = try_down(caller, &fd);
    /* Without a deadline dry_wait takes "another task was faster" for the answer; here it is none. */
    while (outcome == -EAGAIN) {
        outcome = dry_wait(caller, &wait);
    }
    return outcome;
}

static int up(struct dry_caller caller, int fd, uint64_t count)
{
    ssize_t put = count > 0 ? caller.system->write(caller, fd, &count, sizeof count) : 0;
    return put < 0 ? (int)dry_error_edge(caller, put) : 0;
}

/* ---- mutexes -------------------------------------------------------------------------------- */

struct dry_mutex *dry_mutex_new(void)
{
    struct dry_caller caller = dry_current_caller();
    struct dry_mutex *mutex = malloc(sizeof *mutex);
    if (mutex == NULL) {
        dry_error_os(caller, ENOMEM);
        return NULL;
    }
    mutex->fd = semaphore_new(caller, 1);
    if (mutex->fd < 0) {
        free(mutex);
        return NULL;
    }
    return mutex;
}

void dry_mutex_free(struct dry_mutex *mutex)
{
    struct dry_caller caller = dry_current_caller();
    if (mutex != NULL) {
        caller.system->close(caller, mutex->fd);
        free(mutex);
    }
}

int dry_mutex_lock(struct dry_mutex *mutex)
{
    struct dry_caller caller = dry_current_caller();
    return (int)dry_wait_edge(caller, down(caller, fd_of(mutex), -1));
}

int dry_mutex_trylock(struct dry_mutex *mutex)
{
    struct dry_caller caller = dry_current_caller();
    int fd = fd_of(mutex);
    ssize_t outcome = try_down(caller, &fd);
    return outcome == -EAGAIN ? dry_error_os(caller, EBUSY) : (int)dry_error_edge(caller, outcome);
}

int dry_mutex_unlock(struct dry_mutex *mutex)
{
    return up(dry_current_caller(), fd_of(mutex), 1);
}

/* ---- conditions ----------------------------------------------------------------------------- */

struct dry_condition *dry_condition_new(void)
{
    struct dry_caller caller = dry_current_caller();
    struct dry_condition *condition = calloc(1, sizeof *condition);
    if (condition == NULL) {
        dry_error_os(caller, ENOMEM);
        return NULL;
    }
    condition->fd = semaphore_new(caller, 0);
    if (condition->fd < 0) {
        free(condition);
        return NULL;
    }
    return condition;
}

void dry_condition_free(struct dry_condition *condition)
{
    struct dry_caller caller = dry_current_caller();
    if (condition != NULL) {
        caller.system->close(caller, condition->fd);
        free(condition);
    }
}

int dry_condition_wait(struct dry_condition *condition, struct dry_mutex *mutex, int64_t timeout_ns)
{
    struct dry_caller caller = dry_current_caller();
    if (condition == NULL) {
        return up(caller, -1, 1);
    }
    condition->waiters++;
    if (up(caller, fd_of(mutex), 1) != 0) {
        condition->waiters--;
        return -1;
    }
    ssize_t outcome = down(caller, condition->fd, timeout_ns);
    struct dry_error why = *dry_last_error();
    /* Whatever ended the wait, the mutex is held again; a handler that raises has raised already. */
    while (down(caller, fd_of(mutex), -1) == WAIT_STOPPED) {
        continue;
    }
    if (outcome < 0 && try_down(caller, &condition->fd) == 0) {
        return 0; /* called in the meantime */
    }
    if (outcome < 0) {
        condition->waiters--;
    }
    if (outcome == WAIT_STOPPED) {
        return dry_error_restore(caller, &why);
    }
    return (int)dry_wait_edge(caller, outcome);
}

int dry_condition_signal(struct dry_condition *condition)
{
    if (condition == NULL) {
        return up(dry_current_caller(), -1, 1);
    }
    if (condition->waiters == 0) {
        return 0;
    }
    condition->waiters--;
    return up(dry_current_caller(), condition->fd, 1);
}

int dry_condition_broadcast(struct dry_condition *condition)
{
    if (condition == NULL) {
        return up(dry_current_caller(), -1, 1);
    }
    uint64_t count = condition->waiters;
    condition->waiters = 0;
    return up(dry_current_caller(), condition->fd, count);
}

/* ---- epoll ---------------------------------------------------------------------------------- */

int dry_epoll(void)
{
    struct dry_caller caller = dry_current_caller();
    return (int)dry_error_edge(caller, caller.system->epoll_create(caller, EPOLL_CLOEXEC));
}

int dry_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data)
{
    struct dry_caller caller = dry_current_caller();
    struct epoll_event event = {.events = events, .data.u64 = data};
    return (int)dry_error_edge(caller, caller.system->epoll_ctl(caller, epoll, operation, fd, &event));
}

struct looking {
    int epoll, maximum;
    struct epoll_event *events;
};

static ssize_t try_epoll(struct dry_caller caller, void *data)
{
    const struct looking *looking = data;
    const struct timespec at_once = {0};
    ssize_t ready = caller.system->epoll_pwait(caller, looking->epoll, looking->events,
                                               looking->maximum, &at_once, NULL);
    return ready == 0 ? -EAGAIN : ready;
}

int dry_epoll_wait(int epoll, struct epoll_event *events, int maximum, int64_t timeout_ns)
{
    struct dry_caller caller = dry_call_begin("poll", epoll);
    struct looking looking = {epoll, maximum, events};
    struct pollfd ready = {.fd = epoll, .events = POLLIN};
    struct wait wait = {.attempt = try_epoll,
                        .data = &looking,
                        .descriptors = &ready,
                        .count = 1,
                        .timeout_ns = timeout_ns};
    ssize_t outcome = try_epoll(caller, &looking);
    if ((outcome == -EAGAIN || outcome == -EINTR) && timeout_ns != 0) {
        outcome = dry_wait(caller, &wait);
    }
    int result = outcome == -EAGAIN || outcome == WAIT_TIMED_OUT ? 0
                                                                 : (int)dry_wait_edge(caller, outcome);
    dry_call_end(caller);
    return result;
}

int dry_epoll_close(int epoll)
{
    struct dry_caller caller = dry_current_caller();
    return (int)dry_error_edge(caller, caller.system->close(caller, epoll));
}
