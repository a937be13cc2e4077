/* `drysock compare`: scenarios on both systems, and where they differ.
 * SPDX-License-Identifier: MIT
 *
 * The world's runs come first, on this thread; kernel runs, which mostly wait, overlap on others. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "command.h"
#include "kernel/run.h"
#include "world/ambiguity.h"

enum {
    DEFAULT_JOBS = 8,
    MOST_JOBS = 64,
    MOST_RUNS = 3,      /* of a kernel run that the machine made late */
    LATE_NS = 10000000, /* the canary's lateness from which a run is not trusted */
};

struct comparison {
    const struct options *options;
    struct result *results;
    uint32_t count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t worlds; /* results whose world has run */
    uint32_t taken;  /* results that a thread has taken for its kernel run */
    uint32_t printed;
    uint32_t done;
};

/* ---- one scenario --------------------------------------------------------------------------- */

static void run_world_side(struct comparison *comparison, struct result *result)
{
    struct options options = *comparison->options;
    struct world_options permuted = {.seed = options.seed, .stop = &command_stop};
    struct text ambiguity = {0};
    char *capture = NULL;

    if (options.capture != NULL && asprintf(&capture, "%s.world.pcap", options.capture) < 0) {
        capture = NULL;
    }
    options.capture = capture;
    result->world = command_world(&options, result->scenario);
    free(capture);
    compare_stated(result->scenario, result->world, NULL, options.strict, &result->problems);
    if (result->world->end == TRACE_DONE &&
        ambiguity_check(result->scenario, &permuted, result->world, &ambiguity) != 0) {
        while (ambiguity.length > 0 && ambiguity.bytes[ambiguity.length - 1] == '\n') {
            ambiguity.bytes[--ambiguity.length] = 0;
        }
        problems_add(&result->problems, PROBLEM_OUTCOME, 0, "world", "ambiguous: %s", ambiguity.bytes);
    }
    text_free(&ambiguity);
}

static void run_kernel_once(struct comparison *comparison, struct result *result,
                            struct problems *problems)
{
    const struct options *options = comparison->options;
    struct kernel_options kernel = {.seed = options->seed,
                                    .speed = options->speed,
                                    .stop_fd = command_stop_pipe,
                                    .limit_ns = kernel_run_limit(result->world)};
    char why[320], *capture = NULL;

    if (options->speed > 1 && kernel_run_refuses_speed(result->scenario, why) != NULL) {
        kernel.speed = 0;
    }
    if (options->capture != NULL && asprintf(&capture, "%s.kernel.pcap", options->capture) < 0) {
        capture = NULL;
    }
    kernel.capture = capture;
    result->kernel = kernel_run(result->scenario, &kernel);
    result->kernel->speed = kernel.speed;
    free(capture);
    compare_stated(result->scenario, result->kernel, result->world, false, problems);
    if (result->kernel->end != TRACE_SKIPPED && result->world->end != TRACE_SKIPPED) {
        compare_traces(result->scenario, result->kernel, result->world, problems);
    }
}

/* Whether it came to its end. */
static bool run_kernel_side(struct comparison *comparison, struct result *result)
{
    struct problems problems = {0};
    bool late = false, world_is_wrong = problems_matter(&result->problems);

    for (int run = 0; run < MOST_RUNS && !command_stop; run++) {
        problems_free(&problems);
        trace_free(result->kernel);
        run_kernel_once(comparison, result, &problems);
        late = result->kernel->late_ns >= LATE_NS;
        if (!problems_matter(&problems) || !late) {
            break;
        }
    }
    problems_append(&result->problems, &problems);
    bool unmeasured = late && problems_matter(&problems);
    problems_free(&problems);
    result->verdict = compare_verdict(result->scenario, result->kernel, result->world,
                                      &result->problems);
    if (unmeasured && !world_is_wrong) {
        result->verdict = VERDICT_UNMEASURED;
    }
    return result->kernel->end != TRACE_INTERRUPTED && result->world->end != TRACE_INTERRUPTED;
}

static bool finish_without_kernel(struct result *result)
{
    result->verdict = compare_verdict(result->scenario, NULL, result->world, &result->problems);
    return result->world->end != TRACE_INTERRUPTED;
}

/* ---- printing in order ---------------------------------------------------------------------- */

/* Rows appear in the files' order, each as soon as all before it are there. Under the lock. */
static void print_ready(struct comparison *comparison)
{
    progress_hide();
    while (comparison->printed < comparison->count && comparison->results[comparison->printed].done) {
        const struct result *result = &comparison->results[comparison->printed++];
        if (comparison->options->format != REPORT_TEXT) {
            continue;
        }
        report_table_row(stdout, result, comparison->options->look);
        fflush(stdout);
    }
    uint32_t next = comparison->printed < comparison->count ? comparison->printed
                                                            : comparison->count - 1;
    if (comparison->done < comparison->count) {
        progress_show(comparison->done, comparison->count, comparison->results[next].scenario->path);
    }
}

static void *work(void *argument)
{
    struct comparison *comparison = argument;
    pthread_mutex_lock(&comparison->lock);
    while (comparison->taken < comparison->count) {
        if (command_stop) {
            break;
        }
        if (comparison->taken == comparison->worlds) {
            pthread_cond_wait(&comparison->changed, &comparison->lock);
            continue;
        }
        struct result *result = &comparison->results[comparison->taken++];
        bool on_kernel = scenario_runs_on(result->scenario, "kernel");
        pthread_mutex_unlock(&comparison->lock);
        bool done = on_kernel ? run_kernel_side(comparison, result) : finish_without_kernel(result);
        pthread_mutex_lock(&comparison->lock);
        result->done = done;
        comparison->done++;
        print_ready(comparison);
    }
    pthread_mutex_unlock(&comparison->lock);
    return NULL;
}

/* ---- all ------------------------------------------------------------------------------------ */

static void run_all(struct comparison *comparison)
{
    uint32_t jobs = comparison->options->jobs > 0 ? comparison->options->jobs : DEFAULT_JOBS;
    pthread_t threads[MOST_JOBS];
    if (jobs > MOST_JOBS) {
        jobs = MOST_JOBS;
    }
    if (jobs > comparison->count) {
        jobs = comparison->count;
    }
    for (uint32_t i = 0; i < jobs; i++) {
        if (pthread_create(&threads[i], NULL, work, comparison) != 0) {
            jobs = i;
        }
    }
    for (uint32_t i = 0; i < comparison->count; i++) {
        if (!command_stop) {
            run_world_side(comparison, &comparison->results[i]);
        }
        pthread_mutex_lock(&comparison->lock);
        if (!command_stop) {
            comparison->worlds++;
        }
        pthread_cond_broadcast(&comparison->changed);
        pthread_mutex_unlock(&comparison->lock);
    }
    if (jobs == 0) {
        work(comparison);
    }
    for (uint32_t i = 0; i < jobs; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* All agree: nothing differs, and what this machine lacked is counted apart. */
static int status_of(const struct comparison *comparison)
{
    for (uint32_t i = 0; i < comparison->count; i++) {
        if (!comparison->results[i].done || comparison->results[i].verdict == VERDICT_DIFFERENT ||
            comparison->results[i].verdict == VERDICT_UNMEASURED) {
            return EXIT_DIFFER;
        }
    }
    return EXIT_AGREE;
}

static void print_details(const struct comparison *comparison)
{
    for (uint32_t i = 0; i < comparison->count; i++) {
        const struct result *result = &comparison->results[i];
        if (result->done &&
            (result->verdict == VERDICT_DIFFERENT || result->verdict == VERDICT_UNMEASURED)) {
            printf("\n");
            report_problems(stdout, result, comparison->options->look);
        } else if (result->verdict == VERDICT_SKIPPED && result->done) {
            const struct trace *trace = result->kernel != NULL && result->kernel->end == TRACE_SKIPPED
                                            ? result->kernel
                                            : result->world;
            printf("%s: skipped: %s\n", result->scenario->path, trace->detail);
        }
    }
}

static void print_machine(void)
{
    struct text text = {0};

    kernel_run_machine(&text);
    if (text.length > 0) {
        printf("%s", text.bytes);
    }
    text_free(&text);
}

/* --speed: which runs could not be faster, and why. */
static void print_refusals(const struct comparison *comparison)
{
    char why[320];
    for (uint32_t i = 0; i < comparison->count; i++) {
        if (kernel_run_refuses_speed(comparison->results[i].scenario, why) != NULL) {
            printf("%s: at real time: %s\n", comparison->results[i].scenario->path, why);
        }
    }
}

static void write_junit_file(const struct comparison *comparison)
{
    FILE *file = fopen(comparison->options->junit, "w");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be written\n", comparison->options->junit);
        return;
    }
    report_write(file, REPORT_JUNIT, comparison->results, comparison->count);
    fclose(file);
}

int command_compare(const struct options *options, struct files *files)
{
    struct comparison comparison = {
        .options = options,
        .results = calloc(files->count + 1, sizeof *comparison.results),
        .count = files->count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    struct utsname system;
    bool text = options->format == REPORT_TEXT;

    for (uint32_t i = 0; i < files->count; i++) {
        comparison.results[i].scenario = files->list[i];
        comparison.results[i].compared = true;
    }
    uname(&system);
    if (text) {
        printf("kernel: %s %s\n", system.sysname, system.release);
        print_machine();
        report_table_head(stdout, options->look);
    }
    run_all(&comparison);
    progress_hide();
    if (text) {
        for (uint32_t i = comparison.printed; i < comparison.count; i++) {
            if (comparison.results[i].done) {
                report_table_row(stdout, &comparison.results[i], options->look);
            }
        }
        print_details(&comparison);
        if (options->speed > 1) {
            print_refusals(&comparison);
        }
        report_table_foot(stdout, comparison.results, comparison.count);
    } else {
        report_write(stdout, options->format, comparison.results, comparison.count);
    }
    if (options->junit != NULL) {
        write_junit_file(&comparison);
    }
    int status = status_of(&comparison);
    for (uint32_t i = 0; i < files->count; i++) {
        result_free(&comparison.results[i]);
    }
    free(comparison.results);
    return status;
}
