/* Prints results for people: the table, problems, traces.
 * SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    NAME_COLUMN = 48,
    LEAST_NAME_COLUMN = 12,
    VERDICT_COLUMNS = 36, /* of a row: the words behind the name */
    TIME_COLUMNS = 31,    /* and the times behind them, left out where the terminal is narrow */
    NAME_BESIDE_TIMES = 24,
    STEP_COLUMN = 16, /* where a trace's step begins */
    OUTCOME_COLUMN = 48,
    LEAST_OUTCOME = 40,     /* of an outcome in a trace, however narrow the terminal */
    COLUMNS_ANYWHERE = 100, /* of a line where no terminal says otherwise */
};

struct report_look report_look_of(FILE *stream, enum report_colour colour, bool full)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM"), *columns = getenv("COLUMNS");
    struct report_look look = {.full = full};
    struct winsize size;
    bool is_terminal = isatty(fileno(stream)) == 1;
    look.colour = colour == REPORT_COLOUR_ALWAYS ||
                  (colour == REPORT_COLOUR_AUTO && is_terminal && (none == NULL || *none == 0) &&
                   terminal != NULL && strcmp(terminal, "dumb") != 0);
    if (is_terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        look.columns = size.ws_col;
    } else if (columns != NULL && atoi(columns) > 0) {
        look.columns = (uint32_t)atoi(columns);
    }
    return look;
}

enum colour { RED = 31, GREEN = 32, YELLOW = 33 };

/* A word of so many columns, coloured where that is wanted. */
static void print_coloured(FILE *stream, struct report_look look, enum colour colour, int width,
                           const char *word)
{
    if (look.colour) {
        fprintf(stream, "\033[%dm%-*s\033[0m", colour, width, word);
    } else {
        fprintf(stream, "%-*s", width, word);
    }
}

int report_format_find(const char *name)
{
    static const char *const names[] = {"text", "tap", "junit", "json"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

bool result_is_failure(const struct result *result)
{
    return (!result->done && !DRY_MUTANT(undone_work_is_ok)) || result->verdict == VERDICT_DIFFERENT ||
           result->verdict == VERDICT_UNMEASURED ||
           (result->verdict == VERDICT_UNSTEADY && result->differed > 0);
}

const char *result_reason(struct result *result)
{
    const struct trace *const runs[] = {result->kernel, result->world};
    struct text text = {0};
    if (result->reason != NULL || !result->done) {
        return result->reason;
    }
    if (result->verdict == VERDICT_SKIPPED) {
        for (int i = 0; i < 2; i++) {
            if (runs[i] != NULL && runs[i]->end == TRACE_SKIPPED) {
                text_add(&text, "%s: %s", runs[i]->system, runs[i]->detail);
                break;
            }
        }
    } else if (result->verdict == VERDICT_EXCUSED && result->scenario->only != NULL) {
        text_add(&text, "only %s: %s", result->scenario->only, result->scenario->only_reason);
    }
    for (uint32_t i = 0;
         text.length == 0 && result->verdict == VERDICT_EXCUSED && i < result->problems.count; i++) {
        const struct problem *problem = &result->problems.list[i];
        if (problem->excuse != NULL) {
            text_add(&text, "line %u: %s", problem->line, problem->excuse);
        }
    }
    if (text.length > 0) {
        result->reason = arena_text(&result->problems.arena, text.bytes);
    }
    text_free(&text);
    return result->reason;
}

void result_free(struct result *result)
{
    trace_free(result->kernel);
    trace_free(result->world);
    problems_free(&result->problems);
}

/* ---- the table ------------------------------------------------------------------------------ */

const char *report_run_word(const struct result *result, const struct trace *trace)
{
    if (trace == NULL) {
        return "-";
    }
    if (trace->end == TRACE_SKIPPED) {
        return "skipped";
    }
    if (trace->end != TRACE_DONE) {
        return trace_end_name(trace->end);
    }
    for (uint32_t i = 0; i < result->problems.count; i++) {
        if (result->problems.list[i].excuse == NULL &&
            strcmp(result->problems.list[i].system, trace->system) == 0) {
            return "differs";
        }
    }
    return "ok";
}

/* "12 ms", "1.25 s": three digits are enough to look at. */
static void print_short_time(uint64_t ns, char text[24])
{
    if (ns < 1000000) {
        snprintf(text, 24, "%llu us", (unsigned long long)ns / 1000);
    } else if (ns < 1000000000) {
        snprintf(text, 24, "%.*f ms", ns < 10000000 ? 1 : 0, (double)ns / 1e6);
    } else {
        snprintf(text, 24, "%.2f s", (double)ns / 1e9);
    }
}

/* How a row is laid out. */
struct layout {
    int name;
    bool times;
};

static struct layout layout_of(struct report_look look)
{
    int columns = (int)look.columns;
    if (columns == 0 || columns >= NAME_COLUMN + VERDICT_COLUMNS + TIME_COLUMNS) {
        return (struct layout){NAME_COLUMN, true};
    }
    if (columns >= NAME_BESIDE_TIMES + VERDICT_COLUMNS + TIME_COLUMNS) {
        return (struct layout){columns - VERDICT_COLUMNS - TIME_COLUMNS, true};
    }
    int name = columns - VERDICT_COLUMNS;
    return (struct layout){name < LEAST_NAME_COLUMN ? LEAST_NAME_COLUMN
                           : name > NAME_COLUMN     ? NAME_COLUMN
                                                    : name,
                           false};
}

/* The end of a long name says more than its beginning. */
static const char *short_name(const char *path, int width)
{
    size_t length = strlen(path);
    return length > (size_t)width ? path + length - (size_t)width : path;
}

static enum colour verdict_colour(const struct result *result)
{
    return result->verdict == VERDICT_SAME        ? GREEN
           : result->verdict == VERDICT_DIFFERENT ? RED
                                                  : YELLOW;
}

void report_table_head(FILE *stream, struct report_look look)
{
    struct layout layout = layout_of(look);
    fprintf(stream, "%-*s  %-11s %-11s %-10s", layout.name, "scenario", "kernel", "world", "verdict");
    if (layout.times) {
        fprintf(stream, " %9s %9s %10s", "kernel", "world", "virtual");
    }
    fprintf(stream, "\n");
}

void report_table_row(FILE *stream, const struct result *result, struct report_look look)
{
    char kernel[24] = "-", world[24] = "-", virtual_time[24] = "-";
    struct layout layout = layout_of(look);
    if (result->kernel != NULL && result->kernel->end != TRACE_SKIPPED) {
        print_short_time(result->kernel->wall_ns, kernel);
    }
    if (result->world != NULL && result->world->end != TRACE_SKIPPED) {
        print_short_time(result->world->wall_ns, world);
        print_short_time(result->world->ended_ns, virtual_time);
    }
    fprintf(stream, "%-*s  %-11s %-11s ", layout.name, short_name(result->scenario->path, layout.name),
            report_run_word(result, result->kernel), report_run_word(result, result->world));
    print_coloured(stream, look, verdict_colour(result), 10, verdict_name(result->verdict));
    if (layout.times) {
        fprintf(stream, " %9s %9s %10s", kernel, world, virtual_time);
    }
    fprintf(stream, "\n");
}

void report_table_foot(FILE *stream, const struct result *results, uint32_t count)
{
    uint32_t by_verdict[VERDICTS] = {0}, undone = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (results[i].done) {
            by_verdict[results[i].verdict]++;
        } else {
            undone++;
        }
    }
    fprintf(stream, "\n%u scenarios:", count);
    for (int v = 0; v < VERDICTS; v++) {
        if (by_verdict[v] > 0) {
            fprintf(stream, " %u %s", by_verdict[v], verdict_name((enum verdict)v));
        }
    }
    if (undone > 0) {
        fprintf(stream, " %u not done", undone);
    }
    fprintf(stream, "\n");
}

static void print_outcomes(FILE *stream, const struct problem *problem, struct report_look look)
{
    struct text text = {0};
    if (problem->expected.text == NULL || problem->got.text == NULL) {
        return;
    }
    difference_print(&text, problem->expected, problem->got,
                     (struct difference_look){look.columns > 0 ? look.columns : COLUMNS_ANYWHERE,
                                              look.full, look.colour});
    fprintf(stream, "%s", text.bytes);
    text_free(&text);
}

void report_problems(FILE *stream, const struct result *result, struct report_look look)
{
    for (uint32_t i = 0; i < result->problems.count; i++) {
        const struct problem *problem = &result->problems.list[i];
        if (problem->line > 0) {
            fprintf(stream, "%s:%u: %s: %s", result->scenario->path, problem->line, problem->system,
                    problem->text);
        } else {
            fprintf(stream, "%s: %s: %s", result->scenario->path, problem->system, problem->text);
        }
        if (problem->excuse != NULL) {
            fprintf(stream, " (excused: %s)", problem->excuse);
        }
        fprintf(stream, "\n");
        print_outcomes(stream, problem, look);
    }
}

/* ---- a trace -------------------------------------------------------------------------------- */

static void print_trace_step(FILE *stream, const struct trace_step *step, struct report_look look)
{
    uint64_t took = step->ended_ns - step->started_ns;
    char at[32], duration[32];
    struct text line = {0};

    scenario_time_print(step->ended_ns, at);
    scenario_time_print(took, duration);
    text_add(&line, "%s", step->text);
    if (step->status == STEP_RUNNING) {
        text_pad(&line, OUTCOME_COLUMN);
        text_add(&line, " .. waits");
    } else if (*step->outcome != 0 && strcmp(step->outcome, "None") != 0) {
        size_t columns = look.columns > 0 ? look.columns : COLUMNS_ANYWHERE;
        size_t used = STEP_COLUMN + OUTCOME_COLUMN + 4;
        text_pad(&line, OUTCOME_COLUMN);
        text_add(&line, " -> ");
        difference_excerpt(&line, step->outcome,
                           look.full                        ? 0
                           : columns > used + LEAST_OUTCOME ? columns - used
                                                            : LEAST_OUTCOME);
    }
    if (took > 0) {
        text_add(&line, "  +%s", duration);
    }
    fprintf(stream, "%14s  %s", at, line.bytes);
    if (step->status == STEP_DIFFERS || step->status == STEP_RAISED) {
        fprintf(stream, "   ");
        print_coloured(stream, look, RED, 0,
                       step->status == STEP_DIFFERS ? "# not as stated" : "# nothing says so");
    }
    fprintf(stream, "\n");
    text_free(&line);
}

/* Links change for all actors. */
static void print_link_events(FILE *stream, const struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        const struct scenario_link *link = &scenario->links[event->link];
        char at[32];
        if (event->kind == EVENT_SIGNAL) {
            continue;
        }
        scenario_time_print(event->instant_ns, at);
        fprintf(stream, "%14s  ! link %s %s %s\n", at, scenario->hosts[link->a].name,
                scenario->hosts[link->b].name, event->kind == EVENT_LINK_DOWN ? "down" : "up");
    }
}

/* Those of an actor between two instants, both included. */
static void print_signals(FILE *stream, const struct scenario *scenario, uint32_t actor, uint64_t since,
                          uint64_t until)
{
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        char at[32];
        if (event->kind == EVENT_SIGNAL && event->actor == actor && event->instant_ns >= since &&
            event->instant_ns <= until) {
            scenario_time_print(event->instant_ns, at);
            fprintf(stream, "%14s  ! signal %s\n", at, event->signal_name);
        }
    }
}

static void print_faults(FILE *stream, const struct trace_step *step)
{
    const char *at = step->faults != NULL ? step->faults : "";
    while (*at != 0) {
        int length = (int)strcspn(at, "\n");
        fprintf(stream, "%14s  ! %.*s\n", "", length, at);
        at += length + (at[length] != 0);
    }
}

void report_trace(FILE *stream, const struct scenario *scenario, const struct trace *trace,
                  struct report_look look)
{
    fprintf(stream, "# %s on the %s\n", scenario->path, trace->system);
    print_link_events(stream, scenario);
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        uint64_t since = 0;
        fprintf(stream, "[%s]\n", trace->actors[a].name);
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            const struct trace_step *step = &trace->actors[a].steps[i];
            if (step->status != STEP_NOT_REACHED) {
                print_signals(stream, scenario, a, since, step->ended_ns);
                since = step->ended_ns + 1;
                print_trace_step(stream, step, look);
                print_faults(stream, step);
            }
        }
    }
}
