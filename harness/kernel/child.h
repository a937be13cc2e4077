/* Starting drysock-kernel, asking what it needs, learning how it ended.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_KERNEL_CHILD_H
#define HARNESS_KERNEL_CHILD_H

#include <sys/types.h>

#include "run.h"

struct kernel_child {
    pid_t pid;
    int control;       /* kernel/control.h */
    int trace;         /* JSON lines; non-blocking */
    int said;          /* what it writes to standard output and error; non-blocking */
    struct text words; /* the end of that so far, at most a few KiB */
};

struct kernel_child_end {
    int status, signal; /* signal 0: it exited with status */
    struct text said;   /* the end of what it said, for the caller to free */
};

/* 0, or -1 with a sentence in why[KERNEL_WHY_BYTES]. */
int kernel_child_start(struct kernel_child *child, const struct scenario *scenario,
                       const struct kernel_options *options, uint64_t seed, char *why);
/* Takes what the program said until now. False: nothing more will come. */
bool kernel_child_hear(struct kernel_child *child);
/* Waits at most patience_ns for its end, then kills it; closes the descriptors. */
void kernel_child_end(struct kernel_child *child, uint64_t patience_ns, struct kernel_child_end *end);
/* Where drysock-kernel lies: `given` when not NULL, else beside the running program, else $PATH. */
void kernel_child_program(const char *given, char *path, size_t bytes);

#endif
