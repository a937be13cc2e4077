/* A scenario in the simulated world.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_WORLD_RUN_H
#define HARNESS_WORLD_RUN_H

#include <signal.h>

#include "language/scenario.h"
#include "result/trace.h"

/* Who puts programs into the world. start is called when the world stands, before it runs, with the
 * world's number of each of the scenario's hosts; a negative errno ends the run. finish is called
 * when the run is over and the world still stands. Both or none. */
struct world_guest {
    int (*start)(void *context, struct sim *sim, const int *hosts);
    void (*finish)(void *context);
    bool (*goes_on)(void *context); /* whether the run goes on behind a failure in the world */
    void *context;
    uint64_t wall_clock; /* when the world begins, ns since 1970; 0: the world's default */
};

/* Zero in every field means: none, or the default. */
struct world_options {
    uint64_t seed;                     /* 0: the scenario's own, or 1 */
    uint64_t schedule_seed;            /* of the order of tasks that are ready at one instant */
    int events_shift_ns;               /* `at` events come so much later or (below 0) earlier */
    const char *capture;               /* a file for every packet */
    bool check;                        /* walk the world's invariants after every event */
    const volatile sig_atomic_t *stop; /* set: end the run, TRACE_INTERRUPTED */
    volatile sig_atomic_t *describe;   /* set: print where each actor waits, and clear it */
    struct world_guest guest;          /* programs that run beside the actors */
};

/* Builds the scenario's world and runs nothing: -1 with *wrong filled where the world has no such
 * address, setting, record or the like. */
int world_check(const struct scenario *scenario, struct diagnostic *wrong);

/* One run; never NULL; freed with trace_free. From one thread at a time. */
struct trace *world_run(const struct scenario *scenario, const struct world_options *options);

#endif
