/* One scenario on both systems: the world's run, the kernel's beside others, then alone.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMMAND_BOTH_H
#define HARNESS_COMMAND_BOTH_H

#include "command.h"
#include "result/steadiness.h"

struct both {
    const struct options *options;
    struct result *result;  /* what is told */
    struct problems world;  /* with the world's run */
    struct problems kernel; /* with the kernel's run that is told, and between both */
    struct nearest *nearest;
    struct steadiness steadiness;
};

/* Runs in the world, and looks whether the outcomes depend on the schedule. */
void both_run_world(struct both *both);
/* The first run on the kernel, beside others. True: the result is decided (both_decide was called);
 * false: it must be run again alone. */
bool both_run_kernel(struct both *both);
/* Runs on the kernel again until it is decided; nothing else may run meanwhile. */
void both_run_alone(struct both *both);
/* The verdict, and the problems behind it. */
void both_decide(struct both *both);
void both_end(struct both *both);

#endif
