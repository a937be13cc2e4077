/* Waits for readiness, tries, and tries again after a signal until a deadline that never moves.
 * SPDX-License-Identifier: MIT */
#include "wait.h"

uint64_t dry_wait_now(struct dry_caller caller)
{
    struct timespec now;
    int result = caller.system->clock_gettime(caller, CLOCK_MONOTONIC, &now);
    if (result < 0) {
        return 0; /* a caller without a world: the call that waits will say so */
    }
    return dry_wait_ns(&now);
}

bool dry_wait_expired(struct dry_caller caller, const struct wait *wait)
{
    return wait->deadline_at != 0 && dry_wait_now(caller) >= wait->deadline_at;
}

bool dry_wait_stopped(struct dry_caller caller)
{
    struct task_store *store = dry_task_store(caller);
    if (store->check == NULL || DRY_MUTANT(interrupt_check_is_not_asked)) {
        return false;
    }
    int code = store->check(store->check_argument);
    if (code == 0) {
        return false;
    }
    dry_error_interrupted(caller, code);
    return true;
}

/* The number of ready descriptors, WAIT_TIMED_OUT, or -errno. */
static ssize_t become_ready(struct dry_caller caller, struct wait *wait)
{
    if (wait->timeout_ns < 0) {
        return caller.system->ppoll(caller, wait->descriptors, wait->count, NULL, NULL);
    }
    uint64_t left_ns = (uint64_t)wait->timeout_ns;
    uint64_t now = dry_wait_now(caller);
    if (wait->deadline_at == 0) {
        wait->deadline_at = now + left_ns;
    } else {
        /* Exactly at the deadline there is one last look, as in CPython. */
        if (now > wait->deadline_at) {
            return WAIT_TIMED_OUT;
        }
        if (!DRY_MUTANT(deadline_restarts_after_a_signal)) {
            left_ns = wait->deadline_at - now;
        }
    }
    struct timespec left = {
        .tv_sec = (time_t)(left_ns / NS_PER_SECOND),
        .tv_nsec = (long)(left_ns % NS_PER_SECOND),
    };
    int ready = caller.system->ppoll(caller, wait->descriptors, wait->count, &left, NULL);
    return ready == 0 ? WAIT_TIMED_OUT : ready;
}

ssize_t dry_wait(struct dry_caller caller, struct wait *wait)
{
    for (;;) {
        ssize_t result = 0;
        if (wait->descriptors != NULL) {
            result = become_ready(caller, wait);
            if (result == -EINTR) {
                if (dry_wait_stopped(caller)) {
                    return WAIT_STOPPED;
                }
                continue;
            }
            if (result < 0) {
                return result;
            }
        }
        if (wait->attempt == NULL) {
            return result;
        }
        while (wait->cut_short || (result = wait->attempt(caller, wait->data)) == -EINTR) {
            wait->cut_short = false;
            if (dry_wait_stopped(caller)) {
                return WAIT_STOPPED;
            }
        }
        /* Ready, yet nothing there: a datagram with a wrong checksum, or another task was faster.
         * That is no answer while there is a deadline to wait for. */
        if (result == -EAGAIN && wait->descriptors != NULL && wait->timeout_ns > 0 &&
            !DRY_MUTANT(spurious_readiness_is_an_error)) {
            continue;
        }
        return result;
    }
}

ssize_t dry_wait_longer(struct dry_caller caller, const struct dry_socket *socket, short events,
                        ssize_t (*attempt)(struct dry_caller caller, void *data), void *data,
                        bool cut_short)
{
    struct pollfd descriptor = {.fd = socket->fd, .events = events};
    /* poll ignores a descriptor of -1 and would wait for ever: let the call itself say EBADF. */
    bool ready_first = socket->timeout_ns > 0 && socket->fd >= 0;
    struct wait wait = {
        .attempt = attempt,
        .data = data,
        .descriptors = ready_first ? &descriptor : NULL,
        .count = 1,
        .timeout_ns = socket->timeout_ns,
        .cut_short = cut_short,
    };
    return dry_wait(caller, &wait);
}
