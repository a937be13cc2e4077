/* `drysock record` writes what a run showed into its file; `drysock print` writes files canonically.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "kernel/run.h"
#include "language/print.h"

struct recording {
    const struct scenario *scenario;
    const struct trace *trace;
    bool exact; /* of the world: times are written */
    struct text text;
};

static bool is_open(const struct expression *pattern)
{
    if (pattern == NULL) {
        return false;
    }
    if (pattern->kind == EXPRESSION_ANY || expression_is_part(pattern)) {
        return true;
    }
    for (uint32_t i = 0; i < pattern->count; i++) {
        if (is_open(pattern->items[i])) {
            return true;
        }
    }
    return is_open(pattern->left) || is_open(pattern->right);
}

/* `s = socket(…)` shows nothing that its name does not. */
static bool is_own_name(const struct step *step, const char *outcome)
{
    return step->target != NULL && step->target->kind == EXPRESSION_NAME &&
           strcmp(step->target->text, outcome) == 0;
}

static bool is_sleep(const struct step *step)
{
    return step->expression != NULL && step->expression->kind == EXPRESSION_CALL &&
           strcmp(step->expression->text, "sleep") == 0;
}

/* None is what most calls return; where a value is asked for, it is an answer. */
static bool none_says_something(const struct step *step)
{
    const struct expression *expression = step->expression;
    return step->target != NULL || expression->kind == EXPRESSION_NAME ||
           (expression->kind == EXPRESSION_METHOD && expression->integer == 1) ||
           (expression->text != NULL && strncmp(expression->text, "get", 3) == 0);
}

/* What the steps of one line showed: one step, or as many as it repeats. */
struct shown {
    const struct trace_step *first;
    bool alike;                       /* all with the first one's outcome */
    bool mixed;                       /* not alike, and some raised */
    uint64_t least_took, most_took;   /* durations */
    uint64_t first_ended, last_ended; /* instants */
};

static bool is_shown(const struct trace_step *seen)
{
    return seen->status == STEP_OK || seen->status == STEP_DIFFERS || seen->status == STEP_RAISED;
}

static bool is_raise(const struct trace_step *seen)
{
    return strncmp(seen->outcome, "raises ", 7) == 0;
}

static struct shown look(const struct step *step, const struct trace_step *seen)
{
    uint64_t took = seen->ended_ns - seen->started_ns;
    struct shown shown = {seen, true, false, took, took, seen->ended_ns, seen->ended_ns};
    for (uint32_t i = 1; i < step->repeat && is_shown(&seen[i]); i++) {
        took = seen[i].ended_ns - seen[i].started_ns;
        shown.alike = shown.alike && strcmp(seen[i].outcome, seen->outcome) == 0;
        shown.mixed = !shown.alike && (shown.mixed || is_raise(seen) || is_raise(&seen[i]));
        shown.least_took = took < shown.least_took ? took : shown.least_took;
        shown.most_took = took > shown.most_took ? took : shown.most_took;
        shown.last_ended = seen[i].ended_ns;
    }
    return shown;
}

static void add_value(struct text *text, const struct step *step, const struct shown *shown, bool timed)
{
    const struct trace_step *seen = shown->first;
    if (seen->status == STEP_OK && step->expect.kind == EXPECT_VALUE && is_open(step->expect.pattern)) {
        text_add(text, " ");
        print_expression(text, step->expect.pattern);
    } else if (!shown->alike) {
        text_add(text, " _");
    } else if (strcmp(seen->outcome, "None") == 0) {
        text_add(text, "%s", timed || none_says_something(step) ? " None" : "");
    } else if (strcmp(seen->outcome, "_") == 0 || is_own_name(step, seen->outcome)) {
        text_add(text, "%s", timed ? " _" : "");
    } else {
        text_add(text, " %s", seen->outcome);
    }
}

/* A time, or the range of a line that repeats. What the file states stays where it holds, or where the
 * run was no exact one. */
static void add_time(struct text *text, const char *mark, bool exact, const struct time_range *stated,
                     uint64_t least_ns, uint64_t most_ns)
{
    char least[32], most[32];
    bool holds = stated->text != NULL && stated->least_ns != stated->most_ns &&
                 least_ns >= stated->least_ns && most_ns <= stated->most_ns;
    scenario_time_print(least_ns, least);
    scenario_time_print(most_ns, most);
    if (stated->text != NULL && (holds || !exact)) {
        text_add(text, " %s%s", mark, stated->text);
    } else if (exact) {
        text_add(text, " %s%s%s%s", mark, least, least_ns < most_ns ? ".." : "",
                 least_ns < most_ns ? most : "");
    }
}

/* What stands behind a step now: the outcome, the duration it took, the instant where the file states
 * one. */
static const char *outcome_text(void *context, uint32_t actor, uint32_t index)
{
    struct recording *recording = context;
    const struct step *step = &recording->scenario->actors[actor].steps[index];
    const struct trace_step *seen = &recording->trace->actors[actor].steps[index];
    struct text *text = &recording->text;
    if (step->kind == STEP_SYNC || !is_shown(seen)) {
        return NULL;
    }
    struct shown shown = look(step, seen);
    if (shown.mixed) {
        fprintf(stderr,
                "%s:%u: its repetitions end in different ways: write them as lines of their own\n",
                recording->scenario->path, step->at.line);
        return NULL;
    }
    bool lasts = recording->exact && shown.most_took > 0 && !is_sleep(step);
    text->length = 0;
    text_add(text, "->");
    add_value(text, step, &shown, lasts || step->expect.has_instant);
    if (lasts || (!recording->exact && step->expect.has_duration)) {
        add_time(text, "+", recording->exact, &step->expect.duration, shown.least_took,
                 shown.most_took);
    }
    if (step->expect.has_instant) {
        add_time(text, "@ ", recording->exact, &step->expect.instant, shown.first_ended,
                 shown.last_ended);
    }
    if (step->expect.differs != NULL) {
        text_add(text, " differs %s ", step->expect.differs);
        print_str(text, step->expect.reason, strlen(step->expect.reason));
    }
    return text->length > 2 ? text->bytes : "";
}

static uint32_t reached(const struct trace *trace)
{
    uint32_t count = 0;
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            count += trace->actors[a].steps[i].status != STEP_NOT_REACHED;
        }
    }
    return count;
}

/* One run and the text that tells what it showed; NULL: nothing can be recorded, and why is said.
 * *again: an actor stopped at a raise that is written down now, so a further run may get further. */
static char *record_pass(const struct options *options, const struct scenario *scenario,
                         const char *now, uint32_t *got, bool *again, bool *unused)
{
    struct kernel_options kernel = {
        .seed = options->seed, .stop_fd = command_stop_pipe, .text = now, .text_bytes = strlen(now)};
    struct recording recording = {.scenario = scenario, .exact = !options->on_kernel};
    struct text text = {0};
    uint32_t before = *got;
    struct trace *trace = command_world(options, scenario);
    if (options->on_kernel) { /* the world's run only tells how long it may take */
        kernel.limit_ns = kernel_run_limit(trace);
        trace_free(trace);
        trace = kernel_run(scenario, &kernel);
    }

    recording.trace = trace;
    *got = reached(trace);
    *again = *got > before && !trace_is_ok(trace);
    if (trace->end == TRACE_DONE || (trace->end == TRACE_STUCK && *again)) {
        print_scenario(&text, scenario, outcome_text, &recording);
    } else {
        fprintf(stderr, "%s: nothing recorded: the run on the %s %s: %s\n", scenario->path,
                trace->system, trace_end_name(trace->end), trace->detail);
    }
    if (!*again && *trace->unused_faults != 0) {
        fprintf(stderr, "%s\n", trace->unused_faults);
        *unused = true;
    }
    text_free(&recording.text);
    trace_free(trace);
    return text.bytes;
}

/* Passes until one gets no further: each writes down where an actor stopped. The text is read again
 * between passes, which also sets its columns right. */
static int record_one(const struct options *options, const struct scenario *first)
{
    size_t length = 0;
    char *text = files_text(first->path, &length);
    uint32_t got = 0;
    bool again = true, unused = false;
    int status = text != NULL ? EXIT_AGREE : EXIT_DIFFER;
    while (again && status == EXIT_AGREE && !command_stop) {
        struct scenario *scenario;
        struct diagnostic wrong;
        struct text printed = {0};

        status = EXIT_DIFFER;
        char *next = NULL;
        if (scenario_parse(first->path, text, strlen(text), &scenario, &wrong) != 0) {
            diagnostic_print(&wrong);
            break;
        }
        next = record_pass(options, scenario, text, &got, &again, &unused);
        scenario_free(scenario);
        if (next == NULL) {
            break;
        }
        if (scenario_parse(first->path, next, strlen(next), &scenario, &wrong) == 0) {
            print_scenario(&printed, scenario, NULL, NULL);
            scenario_free(scenario);
            status = EXIT_AGREE;
        } else {
            diagnostic_print(&wrong);
        }
        free(next);
        free(text);
        text = printed.bytes;
    }
    if (status == EXIT_AGREE && files_write(first->path, text, strlen(text)) != 0) {
        fprintf(stderr, "%s: cannot be written: %s\n", first->path, strerror(errno));
        status = EXIT_DIFFER;
    }
    free(text);
    return unused ? EXIT_DIFFER : status;
}

int command_record(const struct options *options, struct files *files)
{
    int status = EXIT_AGREE;
    for (uint32_t i = 0; i < files->count && !command_stop; i++) {
        progress_show(i, files->count, files->list[i]->path);
        if (record_one(options, files->list[i]) != EXIT_AGREE) {
            status = EXIT_DIFFER;
        }
        progress_hide();
    }
    return command_stop ? EXIT_DIFFER : status;
}

/* ---- print ---------------------------------------------------------------------------------- */

/* --check: the file is canonical; --write: it is made so; else to standard output. */
static int print_one(const struct options *options, const struct scenario *scenario)
{
    struct text text = {0};
    size_t length = 0;
    int status = EXIT_AGREE;
    char *now = files_text(scenario->path, &length);

    print_scenario(&text, scenario, NULL, NULL);
    bool same = now != NULL && length == text.length && memcmp(now, text.bytes, length) == 0;
    if (options->check && !same) {
        fprintf(stderr, "%s: not canonical: drysock print --write makes it so\n", scenario->path);
        status = EXIT_DIFFER;
    } else if (options->write && !same) {
        if (files_write(scenario->path, text.bytes, text.length) != 0) {
            fprintf(stderr, "%s: cannot be written: %s\n", scenario->path, strerror(errno));
            status = EXIT_DIFFER;
        }
    } else if (!options->write && !options->check) {
        fwrite(text.bytes, 1, text.length, stdout);
    }
    free(now);
    text_free(&text);
    return status;
}

int command_print(const struct options *options, struct files *files)
{
    int status = EXIT_AGREE;
    for (uint32_t i = 0; i < files->count; i++) {
        if (print_one(options, files->list[i]) != EXIT_AGREE) {
            status = EXIT_DIFFER;
        }
    }
    return status;
}
