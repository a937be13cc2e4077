/* A host's settings on the kernel: every sysctl that the world models, at a known value.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_KERNEL_SETTING_H
#define HARNESS_KERNEL_SETTING_H

#include "language/scenario.h"

/* Writes the settings of host `index` into the calling thread's network namespace: Linux's default
 * as sim/core/settings.h has it, or what a `set` line of the scenario says. A setting that this kernel
 * lacks is passed over, unless a `set` line asks for it. *congestion_by_socket: cubic could not be
 * made the default. Returns 0, or -1 with a sentence in `why` (KERNEL_WHY_BYTES). */
int kernel_setting_apply(const struct scenario *scenario, uint32_t index, bool *congestion_by_socket,
                         char *why);

#endif
