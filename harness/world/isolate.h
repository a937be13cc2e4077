/* Runs a scenario's text in the world in a process of its own, so that a crash is a result.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_ISOLATE_H
#define HARNESS_ISOLATE_H

#include "run.h"

enum isolated {
    ISOLATED_AS_STATED = 0, /* the run shows what the file states (or, with a base, what it showed) */
    ISOLATED_OTHER,         /* it came to its end with other outcomes or times */
    ISOLATED_STUCK,
    ISOLATED_FAILED,  /* the run failed, or the text is no scenario for the world */
    ISOLATED_CRASHED, /* a signal or an assertion ended it */
    ISOLATED_SPINS,   /* a task calls for ever and never waits, or it computed for 20 s */
    ISOLATED_UNUSED,  /* a fault did not fire */
    ISOLATED_WRONG,   /* not a scenario */
};

/* base NULL: hold the run against what the text states (strict: also that lines that wait state their
 * time); else its outcomes against base's. Invariants are always walked. *why (bytes long) gets a
 * sentence. */
enum isolated isolate_run(const struct world_options *options, bool strict, const char *path,
                          const char *text, const struct trace *base, char *why, size_t bytes);

#endif
