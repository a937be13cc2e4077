/* Signals at a chosen instant: into an actor's wait, or just so (`at T signal`), on the kernel.
 * SPDX-License-Identifier: MIT
 *
 * One thread watches all actors. A signal that is meant for a wait is sent only once its target is
 * seen inside a system call that waits; one that still came too late (the call was just returning) is
 * sent again into the target's next wait, so it is never lost. Handlers do nothing and have no
 * SA_RESTART. */
#ifndef HARNESS_KERNEL_SIGNAL_H
#define HARNESS_KERNEL_SIGNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum kernel_signal_state {
    KERNEL_SIGNAL_OFF = 0,
    KERNEL_SIGNAL_ARMED, /* due at due_at, or later when the target does not wait then */
    KERNEL_SIGNAL_SENT,
    KERNEL_SIGNAL_LANDED, /* it ended a wait */
};

/* One actor's thread. Zero it before use. */
struct kernel_target {
    pthread_t thread;
    pid_t tid; /* 0: not attached yet, or ended */
    enum kernel_signal_state state;
    uint64_t due_at;             /* dry_now() */
    atomic_bool waiting;         /* inside a call of the seam that may wait */
    volatile sig_atomic_t taken; /* the handler ran for a signal meant for a wait */
};

/* Handlers of every signal that scenarios use; SIGPIPE is ignored. Before the first thread. */
void kernel_signal_prepare(void);
/* Starts the watching thread over these targets. 0 or -1. */
int kernel_signal_start(struct kernel_target *targets, uint32_t count);
/* `number` reaches target i at `at` (dry_now), whatever it does then. 0 or -1. */
int kernel_signal_plan(uint32_t i, uint64_t at, int number);

/* By the actor's own thread: it is this target; it ends. */
void kernel_signal_attach(struct kernel_target *target);
void kernel_signal_detach(struct kernel_target *target);
/* The seam's interrupt_after and cancel_interrupt, by the actor's own thread. */
int kernel_signal_after(struct kernel_target *target, uint64_t after_ns);
int kernel_signal_cancel(struct kernel_target *target);
/* Around each call that may wait; leave passes its result through. cut_short: the call shows that a
 * signal ended it, if one came: EINTR, or less than it was to move; or it never shows that. */
void kernel_signal_enter(struct kernel_target *target);
ssize_t kernel_signal_leave(struct kernel_target *target, ssize_t result, bool cut_short);

#endif
