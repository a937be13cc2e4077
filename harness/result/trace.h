/* What came of a run: its trace, how traces compare, how results are told.
 * SPDX-License-Identifier: MIT
 *
 * Two runs of one scenario agree when their traces do. As JSON lines, one object each:
 *   {"actor": "client", "step": 2, "line": 22, "text": "s.recv(16)", "status": "ok",
 *    "outcome": "b\"hello\"", "detail": "", "started_ns": 40000000, "ended_ns": 80000000}
 *   {"scenario": "scenarios/tcp/echo.dry", "system": "world"}     in front, from `drysock run`
 *   {"end": "done", "detail": "", "ended_ns": 80000000, "late_ns": 120000}
 * A step that began and never ended has status "running". Instants count from the start of the run.
 */
#ifndef HARNESS_TRACE_H
#define HARNESS_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "language/scenario.h"

enum step_status {
    STEP_NOT_REACHED = 0,
    STEP_RUNNING,   /* began and had not ended when the run ended */
    STEP_OK,        /* the outcome is the stated one (or none is stated and it did not raise) */
    STEP_DIFFERS,   /* another outcome than the stated one */
    STEP_RAISED,    /* raised where nothing says so: the actor stopped here */
    STEP_ABANDONED, /* a sync that cannot complete because another actor stopped */
};

struct trace_step {
    const char *text;    /* the step as its file has it (canonical) */
    const char *outcome; /* value or "raises KIND(CODE)"; luck by name; "" while none */
    const char *detail;  /* the library's message, or why it differs; "" when nothing is to say */
    const char *stated;  /* of an outcome that differs: what the file states, names' values in their
                            place; "" or NULL else */
    uint32_t line;
    enum step_status status;
    uint64_t started_ns, ended_ns;
    const char *faults; /* a line for each fault rule that fired during the step; "" or NULL: none */
    uint64_t busy_ns;   /* kernel: of that, what its own thread computed */
};

struct trace_actor {
    const char *name;
    struct trace_step *steps; /* as many as the scenario has for it */
    uint32_t step_count;
};

enum trace_end {
    TRACE_DONE = 0,    /* every actor came to its end or stopped at a wrong step */
    TRACE_STUCK,       /* all wait and nothing can wake them (kernel: the run's time limit passed) */
    TRACE_FAILED,      /* the run itself failed: detail says why */
    TRACE_CRASHED,     /* the program under the run ended abnormally */
    TRACE_SKIPPED,     /* this machine lacks a need, or the scenario is not for this system */
    TRACE_INTERRUPTED, /* Ctrl-C */
};

struct trace {
    const char *system; /* "kernel" or "world" */
    struct trace_actor *actors;
    uint32_t actor_count;
    enum trace_end end;
    const char *detail; /* why, for every end but done; several lines when actors wait */
    uint64_t ended_ns;  /* instant of the last step's end */
    uint64_t wall_ns;   /* real time that the run took */
    uint64_t late_ns;   /* kernel: how late the machine itself was (the canary), at most */
    uint32_t speed;     /* kernel: its clocks passed so many times faster; 0: as the machine's */
    uint64_t packet_hash, packet_count, fingerprint; /* world only */
    const char *unused_faults;                       /* a line for each rule that did not fire; "" */
    struct arena arena;
};

/* Empty: every step of the scenario not reached. */
struct trace *trace_create(const struct scenario *scenario, const char *system);
void trace_free(struct trace *trace);
/* Records a step; the strings are copied. */
void trace_set(struct trace *trace, uint32_t actor, uint32_t step, enum step_status status,
               const char *outcome, const char *detail, uint64_t started_ns, uint64_t ended_ns);
void trace_record(struct trace *trace, uint32_t actor, uint32_t step, const struct trace_step *what);
void trace_set_detail(struct trace *trace, enum trace_end end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One JSON object and a newline: of which file and system the lines behind it are. */
void trace_write_event(FILE *stream, const char *text, uint32_t line, uint64_t at_ns);
void trace_write_head(FILE *stream, const char *path, const char *system);
/* One JSON object and a newline. */
void trace_write_step(FILE *stream, const char *actor, uint32_t step, const struct trace_step *what);
void trace_write_end(FILE *stream, const struct trace *trace);
void trace_write(FILE *stream, const struct trace *trace); /* all of it */
/* Takes one line that these wrote; -1 when it is none of theirs. A line of another kind (valid JSON,
 * neither "actor" nor "end") is passed over: 1. */
int trace_read_line(struct trace *trace, const char *line, size_t length);

/* A stable hash over outcomes and instants. */
uint64_t trace_hash(const struct trace *trace);
const char *trace_status_name(enum step_status status);
const char *trace_end_name(enum trace_end end);
/* Whether every step ended STEP_OK and the run is done. */
bool trace_is_ok(const struct trace *trace);

#endif
