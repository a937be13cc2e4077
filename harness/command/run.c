/* `drysock run`: scenarios on one system, each with its trace.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "kernel/run.h"

static void run_one(const struct options *options, struct result *result)
{
    struct kernel_options kernel = {
        .seed = options->seed,
        .speed = options->speed,
        .capture = options->capture,
        .stop_fd = command_stop_pipe,
    };
    struct options world = *options;

    if (options->on_kernel) {
        /* The world's run beside it only tells how much of a wait was over when it began. */
        world.capture = NULL;
        struct trace *reference = command_world(&world, result->scenario);

        kernel.limit_ns = kernel_run_limit(reference);
        result->kernel = kernel_run(result->scenario, &kernel);
        result->kernel->speed = options->speed;
        compare_stated(result->scenario, result->kernel, reference, false, &result->problems);
        trace_free(reference);
    } else {
        result->world = command_world(options, result->scenario);
        compare_stated(result->scenario, result->world, NULL, options->strict, &result->problems);
    }
    const struct trace *trace = options->on_kernel ? result->kernel : result->world;
    result->verdict = problems_matter(&result->problems) ? VERDICT_DIFFERENT
                      : trace->end == TRACE_SKIPPED      ? VERDICT_SKIPPED
                      : result->problems.count > 0       ? VERDICT_EXCUSED
                                                         : VERDICT_SAME;
    result->done = trace->end != TRACE_INTERRUPTED;
}

/* One line that must be equal in every build for the same seed. */
static void print_hash(const struct result *result)
{
    const struct trace *trace = result->world;
    if (trace == NULL) {
        return;
    }
    printf("%s trace=%016llx packets=%016llx/%llu world=%016llx\n", result->scenario->path,
           (unsigned long long)trace_hash(trace), (unsigned long long)trace->packet_hash,
           (unsigned long long)trace->packet_count, (unsigned long long)trace->fingerprint);
}

/* What the file says that happens beside the steps. */
static void write_events(const struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        trace_write_event(stdout, scenario->lines[event->at.line - 1].text, event->at.line,
                          event->instant_ns);
    }
}

static void print_one(const struct options *options, const struct result *result)
{
    const struct trace *trace = options->on_kernel ? result->kernel : result->world;
    if (options->hash) {
        print_hash(result);
    } else if (options->format == REPORT_JSON) {
        trace_write_head(stdout, result->scenario->path, trace->system);
        write_events(result->scenario);
        trace_write(stdout, trace);
    } else if (options->format == REPORT_TEXT) {
        if (trace->end == TRACE_SKIPPED) {
            printf("# %s skipped on the %s: %s\n", result->scenario->path, trace->system,
                   trace->detail);
        } else if (!options->quiet) {
            report_trace(stdout, result->scenario, trace, options->look);
        }
        report_problems(stdout, result, options->look);
    }
    fflush(stdout);
}

int command_run(const struct options *options, struct files *files)
{
    struct result *results = calloc(files->count + 1, sizeof *results);
    int status = EXIT_AGREE;
    for (uint32_t i = 0; i < files->count; i++) {
        results[i].scenario = files->list[i];
    }
    for (uint32_t i = 0; i < files->count && !command_stop; i++) {
        progress_show(i, files->count, files->list[i]->path);
        run_one(options, &results[i]);
        progress_hide();
        print_one(options, &results[i]);
    }
    for (uint32_t i = 0; i < files->count; i++) {
        if (!results[i].done || results[i].verdict == VERDICT_DIFFERENT) {
            status = EXIT_DIFFER;
        }
    }
    if (options->format == REPORT_TAP || options->format == REPORT_JUNIT) {
        report_write(stdout, options->format, results, files->count);
    }
    for (uint32_t i = 0; i < files->count; i++) {
        result_free(&results[i]);
    }
    free(results);
    return status;
}
