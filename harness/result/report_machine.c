/* Writes results for machines: TAP, JUnit, JSON lines.
 * SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

/* A string as YAML takes it, too. */
static void write_quoted(FILE *stream, const char *key, const char *text)
{
    json_t *string = json_string(text);
    char *quoted = string != NULL ? json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    fprintf(stream, "%s: %s\n", key, quoted != NULL ? quoted : "\"\"");
    free(quoted);
    json_decref(string);
}

static void write_tap_problems(FILE *stream, const struct result *result)
{
    fprintf(stream, "  ---\n  problems:\n");
    for (uint32_t p = 0; p < result->problems.count; p++) {
        const struct problem *problem = &result->problems.list[p];
        write_quoted(stream, "    - file", result->scenario->path);
        fprintf(stream, "      line: %u\n      system: %s\n", problem->line, problem->system);
        write_quoted(stream, "      text", problem->text);
        if (problem->excuse != NULL) {
            write_quoted(stream, "      excuse", problem->excuse);
        }
        if (problem->expected.text != NULL && problem->got.text != NULL) {
            fprintf(stream, "      %s", problem->expected.name);
            write_quoted(stream, "", problem->expected.text);
            fprintf(stream, "      %s", problem->got.name);
            write_quoted(stream, "", problem->got.text);
        }
    }
    fprintf(stream, "  ...\n");
}

static void write_tap(FILE *stream, struct result *results, uint32_t count)
{
    fprintf(stream, "TAP version 13\n1..%u\n", count);
    for (uint32_t i = 0; i < count; i++) {
        struct result *result = &results[i];
        bool skipped = result->done && result->verdict == VERDICT_SKIPPED;
        const char *reason = result_reason(result);
        fprintf(stream, "%s %u - %s%s%s%s\n", result_is_failure(result) ? "not ok" : "ok", i + 1,
                result->scenario->path, skipped ? " # SKIP" : "", skipped && reason != NULL ? " " : "",
                skipped && reason != NULL ? reason : "");
        if (reason != NULL && !skipped) {
            fprintf(stream, "# %s: %s\n", verdict_name(result->verdict), reason);
        } else if (result->done && result->verdict == VERDICT_UNSTEADY) {
            fprintf(stream, "# unsteady: differed in %u of %u runs alone\n", result->differed,
                    result->alone);
        }
        if (result->problems.count > 0) {
            write_tap_problems(stream, result);
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

/* Where a viewer should open the file. */
static uint32_t first_line(const struct result *result)
{
    for (uint32_t p = 0; p < result->problems.count; p++) {
        if (result->problems.list[p].excuse == NULL && result->problems.list[p].line > 0) {
            return result->problems.list[p].line;
        }
    }
    return 1;
}

/* One for each problem that matters, the system as its type. */
static void write_failures(FILE *stream, const struct result *result)
{
    bool any = false;
    for (uint32_t p = 0; p < result->problems.count; p++) {
        const struct problem *problem = &result->problems.list[p];
        struct text text = {0};
        if (problem->excuse != NULL) {
            continue;
        }
        any = true;
        text_add(&text, "%s:%u: %s: %s", result->scenario->path, problem->line, problem->system,
                 problem->text);
        fprintf(stream, "    <failure type=\"%s\" message=\"", problem->system);
        write_xml_text(stream, text.bytes);
        fprintf(stream, "\">");
        text_add(&text, "\n");
        if (problem->expected.text != NULL && problem->got.text != NULL) {
            difference_print(&text, problem->expected, problem->got, (struct difference_look){0});
        }
        write_xml_text(stream, text.bytes);
        fprintf(stream, "</failure>\n");
        text_free(&text);
    }
    if (!any) {
        fprintf(stream, "    <failure message=\"%s\"/>\n",
                result->done ? verdict_name(result->verdict) : "not done");
    }
}

static void write_junit(FILE *stream, struct result *results, uint32_t count)
{
    uint32_t failures = 0, skipped = 0;
    for (uint32_t i = 0; i < count; i++) {
        failures += result_is_failure(&results[i]);
        skipped += results[i].done && results[i].verdict == VERDICT_SKIPPED;
    }
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"drysock\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n",
            count, failures, skipped);
    for (uint32_t i = 0; i < count; i++) {
        struct result *result = &results[i];
        const char *reason = result_reason(result);
        fprintf(stream, "  <testcase name=\"");
        write_xml_text(stream, result->scenario->path);
        fprintf(stream, "\" classname=\"scenarios\" file=\"");
        write_xml_text(stream, result->scenario->path);
        fprintf(stream, "\" line=\"%u\" time=\"%.6f\">\n", first_line(result),
                (double)wall_of(result) / 1e9);
        if (result_is_failure(result)) {
            write_failures(stream, result);
        } else if (result->verdict == VERDICT_SKIPPED) {
            fprintf(stream, "    <skipped message=\"");
            write_xml_text(stream, reason != NULL ? reason : "");
            fprintf(stream, "\"/>\n");
        } else if (result->verdict != VERDICT_SAME) {
            fprintf(stream, "    <system-out>%s: ", verdict_name(result->verdict));
            write_xml_text(stream, reason != NULL ? reason : "differed beside others, agreed alone");
            fprintf(stream, "</system-out>\n");
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
    json_object_set_new(object, "outcome", json_string(report_run_word(result, trace)));
    json_object_set_new(object, "end", json_string(trace_end_name(trace->end)));
    json_object_set_new(object, "detail", json_string(trace->detail));
    json_object_set_new(object, "wall_ns", json_integer((json_int_t)trace->wall_ns));
    json_object_set_new(object, "ended_ns", json_integer((json_int_t)trace->ended_ns));
    return object;
}

static json_t *outcome_json(struct outcome_text outcome)
{
    json_t *object = json_object();
    json_object_set_new(object, "of", json_string(outcome.name));
    json_object_set_new(object, "outcome", json_string(outcome.text));
    return object;
}

static json_t *problems_json(const struct result *result)
{
    json_t *problems = json_array();
    for (uint32_t p = 0; p < result->problems.count; p++) {
        const struct problem *from = &result->problems.list[p];
        json_t *problem = json_object();
        json_object_set_new(problem, "line", json_integer(from->line));
        json_object_set_new(problem, "system", json_string(from->system));
        json_object_set_new(problem, "text", json_string(from->text));
        if (from->excuse != NULL) {
            json_object_set_new(problem, "excuse", json_string(from->excuse));
        }
        if (from->expected.text != NULL && from->got.text != NULL) {
            json_object_set_new(problem, "expected", outcome_json(from->expected));
            json_object_set_new(problem, "got", outcome_json(from->got));
        }
        json_array_append_new(problems, problem);
    }
    return problems;
}

static void write_json(FILE *stream, struct result *results, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct result *result = &results[i];
        const char *reason = result_reason(result);
        json_t *object = json_object();
        json_object_set_new(object, "scenario", json_string(result->scenario->path));
        json_object_set_new(object, "title", json_string(result->scenario->title));
        json_object_set_new(object, "verdict",
                            json_string(result->done ? verdict_name(result->verdict) : "not done"));
        if (reason != NULL) {
            json_object_set_new(object, "reason", json_string(reason));
        }
        json_object_set_new(object, "alone", json_integer(result->alone));
        json_object_set_new(object, "differed", json_integer(result->differed));
        json_object_set_new(object, "kernel", run_json(result, result->kernel));
        json_object_set_new(object, "world", run_json(result, result->world));
        json_object_set_new(object, "problems", problems_json(result));
        char *line = json_dumps(object, JSON_COMPACT);
        fprintf(stream, "%s\n", line != NULL ? line : "{}");
        free(line);
        json_decref(object);
    }
}

void report_write(FILE *stream, enum report_format format, struct result *results, uint32_t count)
{
    if (format == REPORT_TAP) {
        write_tap(stream, results, count);
    } else if (format == REPORT_JUNIT) {
        write_junit(stream, results, count);
    } else if (format == REPORT_JSON) {
        write_json(stream, results, count);
    }
}
