/* Prints results for people and for machines.
 * SPDX-License-Identifier: MIT */
#include "report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_COLUMN = 48,
    OUTCOME_COLUMN = 48,
};

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

void result_free(struct result *result)
{
    trace_free(result->kernel);
    trace_free(result->world);
    problems_free(&result->problems);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const char *run_word(const struct result *result, const struct trace *trace)
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

static const char *short_name(const char *path)
{
    size_t length = strlen(path);
    return length > NAME_COLUMN ? path + length - NAME_COLUMN : path;
}

void report_table_head(FILE *stream, const struct result *results, uint32_t count)
{
    fprintf(stream, "%-*s  %-11s %-11s %-10s %9s %9s %10s\n", NAME_COLUMN, "scenario", "kernel",
            "world", "verdict", "kernel", "world", "virtual");
}

void report_table_row(FILE *stream, const struct result *result)
{
    char kernel[24] = "-", world[24] = "-", virtual_time[24] = "-";
    if (result->kernel != NULL && result->kernel->end != TRACE_SKIPPED) {
        print_short_time(result->kernel->wall_ns, kernel);
    }
    if (result->world != NULL && result->world->end != TRACE_SKIPPED) {
        print_short_time(result->world->wall_ns, world);
        print_short_time(result->world->ended_ns, virtual_time);
    }
    fprintf(stream, "%-*s  %-11s %-11s %-10s %9s %9s %10s\n", NAME_COLUMN,
            short_name(result->scenario->path), run_word(result, result->kernel),
            run_word(result, result->world), verdict_name(result->verdict), kernel, world,
            virtual_time);
}

void report_table_foot(FILE *stream, const struct result *results, uint32_t count)
{
    uint32_t by_verdict[VERDICT_UNMEASURED + 1] = {0}, undone = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (results[i].done) {
            by_verdict[results[i].verdict]++;
        } else {
            undone++;
        }
    }
    fprintf(stream, "\n%u scenarios:", count);
    for (int v = 0; v <= VERDICT_UNMEASURED; v++) {
        if (by_verdict[v] > 0) {
            fprintf(stream, " %u %s", by_verdict[v], verdict_name((enum verdict)v));
        }
    }
    if (undone > 0) {
        fprintf(stream, " %u not done", undone);
    }
    fprintf(stream, "\n");
}

void report_problems(FILE *stream, const struct result *result)
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
    }
}

/* ---- a trace -------------------------------------------------------------------------------- */

void report_trace(FILE *stream, const struct scenario *scenario, const struct trace *trace)
{
    fprintf(stream, "# %s on the %s\n", scenario->path, trace->system);
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        fprintf(stream, "[%s]\n", trace->actors[a].name);
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            const struct trace_step *step = &trace->actors[a].steps[i];
            uint64_t took = step->ended_ns - step->started_ns;
            char at[32], duration[32];
            struct text line = {0};

            if (step->status == STEP_NOT_REACHED) {
                continue;
            }
            scenario_time_print(step->ended_ns, at);
            scenario_time_print(took, duration);
            text_add(&line, "%s", step->text);
            if (step->status == STEP_RUNNING) {
                text_pad(&line, OUTCOME_COLUMN);
                text_add(&line, " .. waits");
            } else if (*step->outcome != 0 && strcmp(step->outcome, "None") != 0) {
                text_pad(&line, OUTCOME_COLUMN);
                text_add(&line, " -> %s", step->outcome);
            }
            if (took > 0) {
                text_add(&line, "  +%s", duration);
            }
            fprintf(stream, "%14s  %s%s\n", at, line.bytes,
                    step->status == STEP_DIFFERS  ? "   # not as stated"
                    : step->status == STEP_RAISED ? "   # nothing says so"
                                                  : "");
            text_free(&line);
        }
    }
}

/* ---- machine formats ------------------------------------------------------------------------ */

static bool is_failure(const struct result *result)
{
    return !result->done || result->verdict == VERDICT_DIFFERENT ||
           result->verdict == VERDICT_UNMEASURED;
}

static void write_tap(FILE *stream, const struct result *results, uint32_t count)
{
    fprintf(stream, "TAP version 13\n1..%u\n", count);
    for (uint32_t i = 0; i < count; i++) {
        const struct result *result = &results[i];
        fprintf(stream, "%s %u - %s%s\n", is_failure(result) ? "not ok" : "ok", i + 1,
                result->scenario->path,
                result->done && result->verdict == VERDICT_SKIPPED ? " # SKIP" : "");
        for (uint32_t p = 0; p < result->problems.count; p++) {
            fprintf(stream, "# line %u, %s: %s\n", result->problems.list[p].line,
                    result->problems.list[p].system, result->problems.list[p].text);
        }
    }
}

static void write_xml_text(FILE *stream, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '<') {
            fputs("&lt;", stream);
        } else if (*text == '>') {
            fputs("&gt;", stream);
        } else if (*text == '&') {
            fputs("&amp;", stream);
        } else if (*text == '"') {
            fputs("&quot;", stream);
        } else if ((unsigned char)*text >= 0x20 || *text == '\n') {
            fputc(*text, stream);
        }
    }
}

static uint64_t wall_of(const struct result *result)
{
    return (result->kernel != NULL ? result->kernel->wall_ns : 0) +
           (result->world != NULL ? result->world->wall_ns : 0);
}

static void write_junit(FILE *stream, const struct result *results, uint32_t count)
{
    uint32_t failures = 0, skipped = 0;
    for (uint32_t i = 0; i < count; i++) {
        failures += is_failure(&results[i]);
        skipped += results[i].done && results[i].verdict == VERDICT_SKIPPED;
    }
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"drysock\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n",
            count, failures, skipped);
    for (uint32_t i = 0; i < count; i++) {
        const struct result *result = &results[i];
        fprintf(stream, "  <testcase name=\"");
        write_xml_text(stream, result->scenario->path);
        fprintf(stream, "\" classname=\"scenarios\" time=\"%.6f\">\n", (double)wall_of(result) / 1e9);
        if (is_failure(result)) {
            fprintf(stream, "    <failure message=\"%s\">",
                    result->done ? verdict_name(result->verdict) : "not done");
            for (uint32_t p = 0; p < result->problems.count; p++) {
                write_xml_text(stream, result->problems.list[p].text);
                fputc('\n', stream);
            }
            fprintf(stream, "</failure>\n");
        } else if (result->verdict == VERDICT_SKIPPED) {
            fprintf(stream, "    <skipped/>\n");
        }
        fprintf(stream, "  </testcase>\n");
    }
    fprintf(stream, "</testsuite>\n");
}

static json_t *run_json(const struct result *result, const struct trace *trace)
{
    json_t *object;
    if (trace == NULL) {
        return json_null();
    }
    object = json_object();
    json_object_set_new(object, "outcome", json_string(run_word(result, trace)));
    json_object_set_new(object, "end", json_string(trace_end_name(trace->end)));
    json_object_set_new(object, "detail", json_string(trace->detail));
    json_object_set_new(object, "wall_ns", json_integer((json_int_t)trace->wall_ns));
    json_object_set_new(object, "ended_ns", json_integer((json_int_t)trace->ended_ns));
    return object;
}

static void write_json(FILE *stream, const struct result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct result *result = &results[i];
        json_t *object = json_object(), *problems = json_array();
        for (uint32_t p = 0; p < result->problems.count; p++) {
            json_t *problem = json_object();
            json_object_set_new(problem, "line", json_integer(result->problems.list[p].line));
            json_object_set_new(problem, "system", json_string(result->problems.list[p].system));
            json_object_set_new(problem, "text", json_string(result->problems.list[p].text));
            if (result->problems.list[p].excuse != NULL) {
                json_object_set_new(problem, "excuse", json_string(result->problems.list[p].excuse));
            }
            json_array_append_new(problems, problem);
        }
        json_object_set_new(object, "scenario", json_string(result->scenario->path));
        json_object_set_new(object, "title", json_string(result->scenario->title));
        json_object_set_new(object, "verdict",
                            json_string(result->done ? verdict_name(result->verdict) : "not done"));
        json_object_set_new(object, "kernel", run_json(result, result->kernel));
        json_object_set_new(object, "world", run_json(result, result->world));
        json_object_set_new(object, "problems", problems);
        char *line = json_dumps(object, JSON_COMPACT);
        fprintf(stream, "%s\n", line != NULL ? line : "{}");
        free(line);
        json_decref(object);
    }
}

void report_write(FILE *stream, enum report_format format, const struct result *results, uint32_t count)
{
    if (format == REPORT_TAP) {
        write_tap(stream, results, count);
    } else if (format == REPORT_JUNIT) {
        write_junit(stream, results, count);
    } else if (format == REPORT_JSON) {
        write_json(stream, results, count);
    }
}
