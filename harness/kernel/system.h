/* The kernel as one actor has it: its own default timeout, and signals that find its waits.
 * SPDX-License-Identifier: MIT
 *
 * A decorator of the library's own provider: what an actor is to the world, a process, is a thread
 * here, so what belongs to a process is kept per actor. */
#ifndef HARNESS_KERNEL_SYSTEM_H
#define HARNESS_KERNEL_SYSTEM_H

#include <drysock/system.h>

#include "signal.h"

struct kernel_view {
    struct kernel_target *target;
    bool congestion_by_socket; /* each TCP socket asks for cubic */
    uint64_t process_local[DRY_LOCAL_BYTES / 8];
};

/* Views of the actors, by caller.process - 1; lives as long as the callers. */
void kernel_system_begin(struct kernel_view *views);
struct dry_caller kernel_system_caller(uint32_t index);

#endif
