/* Runs one scenario on both systems and decides what came of it.
 * SPDX-License-Identifier: MIT */
#include "both.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/run.h"
#include "world/ambiguity.h"

void both_run_world(struct both *both)
{
    struct result *result = both->result;
    struct options options = *both->options;
    struct world_options permuted = {.seed = options.seed, .stop = &command_stop};
    struct text ambiguity = {0};
    char *capture = NULL;

    if (options.capture != NULL && asprintf(&capture, "%s.world.pcap", options.capture) < 0) {
        capture = NULL;
    }
    options.capture = capture;
    result->world = command_world(&options, result->scenario);
    free(capture);
    compare_stated(result->scenario, result->world, NULL, options.strict, &both->world);
    if (result->world->end == TRACE_DONE &&
        ambiguity_check(result->scenario, &permuted, result->world, &ambiguity) != 0) {
        while (ambiguity.length > 0 && ambiguity.bytes[ambiguity.length - 1] == '\n') {
            ambiguity.bytes[--ambiguity.length] = 0;
        }
        problems_add(&both->world, PROBLEM_OUTCOME, 0, "world", "ambiguous: %s", ambiguity.bytes);
    }
    text_free(&ambiguity);
}

/* ---- the kernel's runs ---------------------------------------------------------------------- */

static struct trace *run_kernel(const struct both *both)
{
    const struct options *options = both->options;
    struct kernel_options kernel = {.seed = options->seed,
                                    .speed = options->speed,
                                    .stop_fd = command_stop_pipe,
                                    .limit_ns = kernel_run_limit(both->result->world)};
    char why[320], *capture = NULL;

    if (options->speed > 1 && kernel_run_refuses_speed(both->result->scenario, why) != NULL) {
        kernel.speed = 0;
    }
    if (options->capture != NULL && asprintf(&capture, "%s.kernel.pcap", options->capture) < 0) {
        capture = NULL;
    }
    kernel.capture = capture;
    struct trace *trace = kernel_run(both->result->scenario, &kernel);
    trace->speed = kernel.speed;
    free(capture);
    return trace;
}

/* Takes a run in; whether it differs. One that differs is told rather than one that agrees. */
static bool take(struct both *both, struct trace *trace)
{
    struct result *result = both->result;
    struct problems problems = {0};

    compare_stated(result->scenario, trace, result->world, false, &problems);
    if (trace->end != TRACE_SKIPPED && result->world->end != TRACE_SKIPPED) {
        compare_traces(result->scenario, trace, result->world, &problems);
    }
    compare_forgive_stuck(&problems, trace, result->world);
    nearest_take(both->nearest, trace, result->world);
    bool differs = problems_matter(&problems);
    if (result->kernel == NULL || differs || !problems_matter(&both->kernel)) {
        problems_free(&both->kernel);
        trace_free(result->kernel);
        both->kernel = problems;
        result->kernel = trace;
    } else {
        problems_free(&problems);
        trace_free(trace);
    }
    return differs;
}

bool both_run_kernel(struct both *both)
{
    struct result *result = both->result;
    both->nearest = nearest_create(result->scenario);
    if (!scenario_runs_on(result->scenario, "kernel")) {
        both_decide(both);
        return true;
    }
    bool differs = take(both, run_kernel(both));

    compare_forgive_stuck(&both->world, result->kernel, result->world);
    steadiness_take_first(&both->steadiness, differs, result->kernel->late_ns);
    /* A world that is wrong by itself is wrong whatever the kernel does. */
    if (problems_matter(&both->world) || result->kernel->end == TRACE_SKIPPED ||
        result->kernel->end == TRACE_INTERRUPTED || result->kernel->end == TRACE_FAILED ||
        !steadiness_wants_more(&both->steadiness, nearest_state(both->nearest))) {
        both_decide(both);
        return true;
    }
    return false;
}

void both_run_alone(struct both *both)
{
    while (steadiness_wants_more(&both->steadiness, nearest_state(both->nearest)) && !command_stop) {
        struct trace *trace = run_kernel(both);
        uint64_t late_ns = trace->late_ns;
        if (trace->end == TRACE_INTERRUPTED) {
            trace_free(trace);
            return;
        }
        steadiness_take_alone(&both->steadiness, take(both, trace), late_ns);
    }
    if (!command_stop) {
        both_decide(both);
    }
}

/* ---- the verdict ---------------------------------------------------------------------------- */

void both_decide(struct both *both)
{
    struct result *result = both->result;
    const struct trace *kernel = result->kernel;
    enum nearest_state near = nearest_state(both->nearest);
    bool asked = kernel != NULL && kernel->end != TRACE_SKIPPED && kernel->end != TRACE_FAILED &&
                 !problems_matter(&both->world);

    result->alone = both->steadiness.alone;
    result->differed = both->steadiness.differed;
    problems_append(&result->problems, &both->world);
    enum verdict steady = asked ? steadiness_verdict(&both->steadiness, near) : VERDICT_SAME;
    if (steady != VERDICT_SAME || !problems_matter(&both->kernel)) {
        problems_append(&result->problems, &both->kernel);
    }
    if (asked && kernel->end == TRACE_DONE && steady != VERDICT_UNSTEADY) {
        nearest_judge(both->nearest, &result->problems);
    }
    if (!asked) {
        problems_append(&result->problems, &both->kernel);
    }
    result->verdict = steady != VERDICT_SAME
                          ? steady
                          : compare_verdict(result->scenario, kernel, result->world, &result->problems);
    result->done = (kernel == NULL || kernel->end != TRACE_INTERRUPTED) &&
                   result->world->end != TRACE_INTERRUPTED;
}

void both_end(struct both *both)
{
    problems_free(&both->world);
    problems_free(&both->kernel);
    nearest_free(both->nearest);
}
