/* The scenario's name servers on the kernel: threads of their hosts that answer from its records.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_KERNEL_NAMESERVER_H
#define HARNESS_KERNEL_NAMESERVER_H

#include "host.h"
#include "language/scenario.h"

/* Starts one for each `nameserver` line; returns when all of them listen. They end with the process.
 * 0, or -1 with a sentence in why[KERNEL_WHY_BYTES]. */
int kernel_nameservers_start(const struct scenario *scenario, const struct kernel_host *hosts,
                             char *why);

#endif
