/* The actors of a scenario on the kernel: a thread each, in its host, behind the fault plan.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_KERNEL_ACTOR_H
#define HARNESS_KERNEL_ACTOR_H

#include <stdio.h>

#include "host.h"
#include "language/scenario.h"
#include "result/trace.h"

/* Starts the fault plan and a thread for each actor; returns when all of them stand at the start, in
 * their hosts. hosts: one for each of the scenario's. trace: where steps are written as they end.
 * 0, or -1 with a sentence in why[KERNEL_WHY_BYTES]. */
int kernel_actors_start(const struct scenario *scenario, const struct kernel_host *hosts, uint64_t seed,
                        FILE *trace, char *why);
/* Instant 0 is now. */
void kernel_actors_go(void);
/* Becomes readable when the last actor has come to its end. */
int kernel_actors_done(void);
/* Where each actor that has not ended waits, a line each; also writes its step to the trace. */
void kernel_actors_describe(struct text *text);
/* After the end: joins the threads; the last instant; the fault rules that did not fire, as lines. */
void kernel_actors_finish(uint64_t *ended_ns, struct text *unused_faults);

#endif
