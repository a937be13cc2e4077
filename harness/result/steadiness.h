/* Whether what differed beside other runs differs alone too: counts runs, and says when to stop.
 * SPDX-License-Identifier: MIT
 *
 * A kernel run that a busy machine disturbed must be no false difference, and a race that shows in
 * one run of five no agreement. So what differs is run again with nothing of ours beside it: it is
 * different when it differs STEADINESS_ENOUGH times, and unsteady when it agrees as often. A run in
 * which the machine itself was late proves nothing and is not counted. */
#ifndef HARNESS_STEADINESS_H
#define HARNESS_STEADINESS_H

#include "nearest.h"

enum {
    STEADINESS_ENOUGH = 3,
    STEADINESS_MOST = 10,                  /* runs alone */
    STEADINESS_MACHINE_LATE_NS = 10000000, /* the canary's lateness from which a run is not trusted */
};

/* Zero: nothing was run. */
struct steadiness {
    bool first_differs;   /* the run beside others */
    bool first_explained; /* and the machine was late in it */
    uint32_t alone;       /* runs */
    uint32_t same, differed;
};

/* differs: the run has a problem that matters; machine_late_ns: of that run's trace. */
void steadiness_take_first(struct steadiness *steadiness, bool differs, uint64_t machine_late_ns);
void steadiness_take_alone(struct steadiness *steadiness, bool differs, uint64_t machine_late_ns);
/* Whether one more run alone is wanted. near: what nearest_state says of all runs so far. */
bool steadiness_wants_more(const struct steadiness *steadiness, enum nearest_state near);
/* SAME, UNSTEADY, DIFFERENT or UNMEASURED. */
enum verdict steadiness_verdict(const struct steadiness *steadiness, enum nearest_state near);

#endif
