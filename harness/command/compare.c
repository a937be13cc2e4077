/* `drysock compare`: scenarios on both systems, and where they differ.
 * SPDX-License-Identifier: MIT
 *
 * The world's runs come first, on this thread; kernel runs, which mostly wait, overlap on others. What
 * differs then is run again alone. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "both.h"
#include "kernel/run.h"

enum {
    DEFAULT_JOBS = 8,
    MOST_JOBS = 64,
};

struct comparison {
    const struct options *options;
    struct result *results;
    struct both *boths;
    bool *again; /* to be run alone */
    uint32_t count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t worlds; /* results whose world has run */
    uint32_t taken;  /* results that a thread has taken for its kernel run */
    uint32_t printed;
    uint32_t done;
};

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
        uint32_t taken = comparison->taken++;
        pthread_mutex_unlock(&comparison->lock);
        bool decided = both_run_kernel(&comparison->boths[taken]);
        pthread_mutex_lock(&comparison->lock);
        comparison->again[taken] = !decided;
        comparison->done += decided;
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
            both_run_world(&comparison->boths[i]);
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
    for (uint32_t i = 0; i < comparison->count && !command_stop; i++) {
        if (comparison->again[i]) {
            both_run_alone(&comparison->boths[i]);
            comparison->done++;
            print_ready(comparison);
        }
    }
}

/* All agree: nothing differs, and what this machine lacked is counted apart. What was unsteady agrees
 * where it did so in every run alone. */
static int status_of(const struct comparison *comparison)
{
    for (uint32_t i = 0; i < comparison->count; i++) {
        if (result_is_failure(&comparison->results[i])) {
            return EXIT_DIFFER;
        }
    }
    return EXIT_AGREE;
}

static void print_details(const struct comparison *comparison)
{
    for (uint32_t i = 0; i < comparison->count; i++) {
        struct result *result = &comparison->results[i];
        if (result->done &&
            (result->verdict == VERDICT_DIFFERENT || result->verdict == VERDICT_UNMEASURED ||
             result->verdict == VERDICT_UNSTEADY)) {
            printf("\n");
            if (result->differed > 0 || result->verdict == VERDICT_UNSTEADY) {
                printf("%s: %s: differed in %u of %u runs alone\n", result->scenario->path,
                       verdict_name(result->verdict), result->differed, result->alone);
            }
            report_problems(stdout, result, comparison->options->look);
        } else if (result->done && result_reason(result) != NULL) {
            printf("%s: %s: %s\n", result->scenario->path, verdict_name(result->verdict),
                   result_reason(result));
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

/* -1: the results are lost, and it is told. */
static int write_junit_file(const struct comparison *comparison)
{
    const char *name = comparison->options->junit;
    FILE *file = fopen(name, "w");
    int status = file != NULL ? 0 : -1;
    if (file != NULL) {
        report_write(file, REPORT_JUNIT, comparison->results, comparison->count);
        status = fflush(file) != 0 || ferror(file) ? -1 : 0;
    }
    if (status != 0) {
        fprintf(stderr, "drysock: %s cannot be written: %s\n", name, strerror(errno));
    }
    if (file != NULL && fclose(file) != 0 && status == 0) {
        fprintf(stderr, "drysock: %s cannot be written: %s\n", name, strerror(errno));
        status = -1;
    }
    return status;
}

int command_compare(const struct options *options, struct files *files)
{
    struct comparison comparison = {
        .options = options,
        .results = calloc(files->count + 1, sizeof *comparison.results),
        .boths = calloc(files->count + 1, sizeof *comparison.boths),
        .again = calloc(files->count + 1, sizeof *comparison.again),
        .count = files->count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    struct utsname system;
    bool text = options->format == REPORT_TEXT;

    for (uint32_t i = 0; i < files->count; i++) {
        comparison.results[i].scenario = files->list[i];
        comparison.results[i].compared = true;
        comparison.boths[i] = (struct both){.options = options, .result = &comparison.results[i]};
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
    int status = status_of(&comparison);
    if (options->junit != NULL && write_junit_file(&comparison) != 0) {
        status = EXIT_LOST;
    }
    for (uint32_t i = 0; i < files->count; i++) {
        both_end(&comparison.boths[i]);
        result_free(&comparison.results[i]);
    }
    free(comparison.boths);
    free(comparison.again);
    free(comparison.results);
    return status;
}
