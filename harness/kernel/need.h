/* What a scenario `needs` of the machine beyond namespaces and TUN.
 * SPDX-License-Identifier: MIT
 *
 * The words: can (with an interface vcan0 on each host), tipc, vsock, bluetooth, alg, rds, qipcrtr,
 * sctp, udplite, mptcp, ipv6. */
#ifndef HARNESS_KERNEL_NEED_H
#define HARNESS_KERNEL_NEED_H

#include "language/scenario.h"

/* 0, or -1 with a sentence in why[KERNEL_WHY_BYTES] that names what is lacking. By a thread of any of
 * the scenario's network namespaces. */
int kernel_need_check(const struct scenario *scenario, char *why);
bool kernel_need_has(const struct scenario *scenario, const char *word);

#endif
