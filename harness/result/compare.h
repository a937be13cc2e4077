/* Holds traces against what a scenario states, and against each other.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMPARE_H
#define HARNESS_COMPARE_H

#include "difference.h"
#include "trace.h"

/* Times on the kernel: never early by more than `early`, late by at most `late` and a tenth; times the
 * run's speed, since the machine itself is no faster then. In the world they are exact. */
enum {
    COMPARE_EARLY_NS = 1000000,
    COMPARE_LATE_NS = 50000000,
};

enum problem_kind {
    PROBLEM_OUTCOME = 1, /* another outcome than stated, or than the other system's */
    PROBLEM_TIME,        /* right outcome, wrong time */
    PROBLEM_END,         /* the run itself: stuck, crashed, failed, a fault that did not fire */
};

struct problem {
    enum problem_kind kind;
    uint32_t line;      /* of the file; 0: of the whole run */
    const char *system; /* whose run shows it; "both": as the file states, but they differ */
    const char *excuse; /* the file's reason why this may be; NULL: it may not */
    const char *text;   /* one sentence */
    struct outcome_text expected, got; /* of an outcome: the two that differ; their texts may be NULL */
};

struct problems {
    struct problem *list;
    uint32_t count;
    struct arena arena;
};

/* Adds what is wrong with one run by what the file states. `strict` also asks that each line that
 * took time in the world states it. world (may be NULL) is the world's run beside a kernel's: where a
 * step began later than there, its wait may be shorter by as much. */
void compare_stated(const struct scenario *scenario, const struct trace *trace,
                    const struct trace *world, bool strict, struct problems *problems);
/* Adds where the kernel's run and the world's differ. */
void compare_traces(const struct scenario *scenario, const struct trace *kernel,
                    const struct trace *world, struct problems *problems);
/* Why the two systems may differ in a step; NULL: they may not. */
const char *compare_excuse(const struct scenario *scenario, const struct step *step);
/* One more about a step, by what both systems did: what excuses either excuses it. */
void compare_add_of_both(struct problems *problems, enum problem_kind kind,
                         const struct scenario *scenario, const struct step *step, const char *format,
                         ...) __attribute__((format(printf, 5, 6)));
/* One more that nothing excuses. */
void problems_add(struct problems *problems, enum problem_kind kind, uint32_t line, const char *system,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The two outcomes that the last problem is about; copied. */
void problems_add_outcomes(struct problems *problems, struct outcome_text expected,
                           struct outcome_text got);
/* Forgets that the runs are stuck where both are, each actor in the same step: that is agreement. */
void compare_forgive_stuck(struct problems *problems, const struct trace *kernel,
                           const struct trace *world);
void problems_append(struct problems *problems, const struct problems *more); /* copies */
/* Whether a list holds a problem that nothing excuses. */
bool problems_matter(const struct problems *problems);
/* Whether all that matter are of this kind. */
bool problems_only(const struct problems *problems, enum problem_kind kind);
void problems_free(struct problems *problems);

enum verdict {
    VERDICT_SAME = 0,
    VERDICT_EXCUSED, /* differs, and the file says why */
    VERDICT_DIFFERENT,
    VERDICT_SKIPPED,    /* one system could not run it */
    VERDICT_UNMEASURED, /* the machine was too late, again and again */
    VERDICT_UNSTEADY,   /* differed beside other runs, and then agreed alone */
    VERDICTS,
};
const char *verdict_name(enum verdict verdict);
/* kernel may be NULL: not run. */
enum verdict compare_verdict(const struct scenario *scenario, const struct trace *kernel,
                             const struct trace *world, const struct problems *problems);

/* A line that names the orders on which outcomes depend and where a sync would help, or "" when
 * outcomes do not depend on the schedule: base and other are two runs of the world. */
void compare_schedules(const struct scenario *scenario, const struct trace *base,
                       const struct trace *other, struct text *text);

#endif
