/* A scenario on the kernel: hosts in namespaces, and the line between them.
 * SPDX-License-Identifier: MIT
 *
 * Used by the `drysock` program. Several threads may each be in a kernel_run. */
#ifndef HARNESS_KERNEL_RUN_H
#define HARNESS_KERNEL_RUN_H

#include "language/scenario.h"
#include "result/trace.h"

/* Zero in every field means: none, or the default. */
struct kernel_options {
    const char *text; /* the scenario's text, when it is not what its file holds */
    size_t text_bytes;
    uint64_t limit_ns;   /* the instant at which a run that has not ended hangs; 0: one minute */
    uint64_t seed;       /* of the links' chance and the fault plan */
    uint32_t speed;      /* > 1: the library's clocks run so many times faster (libfaketime) */
    const char *capture; /* a file for every packet */
    int stop_fd;         /* > 0: the run is interrupted when this becomes readable; never read */
    const char *program; /* drysock-kernel; NULL: beside the running program, or in $PATH */
};

/* One run. Never NULL: a machine without namespaces gives TRACE_SKIPPED, a crash of the program
 * TRACE_CRASHED, a hang TRACE_STUCK (with a line for each actor that waits), any other trouble
 * TRACE_FAILED, each with a sentence in detail. Waits until the run is over. Freed with
 * trace_free. */
struct trace *kernel_run(const struct scenario *scenario, const struct kernel_options *options);

/* How long a run may take on the kernel, by the world's run: until the last step that ended there, and
 * a tenth and ten seconds more; 0 (the default) when that run was not done or stuck. */
uint64_t kernel_run_limit(const struct trace *world);

/* Whether this machine allows what a run needs (namespaces, TUN): 0, or -1 with a sentence in
 * why[320]. Takes a few milliseconds. */
int kernel_run_allowed(const char *program, char *why);

/* Why a scenario cannot run faster than real time: it waits for something that libfaketime does
 * not move. NULL: it can. The text lies in `why` (320 bytes). */
const char *kernel_run_refuses_speed(const struct scenario *scenario, char *why);

/* A line for each setting that only the machine's administrator can change and that differs from the
 * world's: outcomes may differ by it. */
void kernel_run_machine(struct text *text);

/* Makes every run under way write where its actors wait to standard error; may be called in a handler
 * of SIGQUIT. */
void kernel_run_describe(void);

#endif
