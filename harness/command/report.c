/* `drysock report`: the JSON lines of an earlier compare as a table, TAP or JUnit.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

struct reading {
    struct result *results;
    uint32_t count;
    struct arena arena;
};

static const char *text_of(struct reading *reading, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return arena_text(&reading->arena, text != NULL ? text : "");
}

static enum verdict verdict_of(const char *name, bool *done)
{
    *done = true;
    for (int v = 0; v < VERDICTS; v++) {
        if (strcmp(verdict_name((enum verdict)v), name) == 0) {
            return (enum verdict)v;
        }
    }
    *done = false;
    return VERDICT_DIFFERENT;
}

static struct trace *read_run(const struct scenario *scenario, const char *system, const json_t *object)
{
    if (!json_is_object(object)) {
        return NULL;
    }
    struct trace *trace = trace_create(scenario, system);
    const char *end = json_string_value(json_object_get(object, "end"));
    for (int e = 0; e <= TRACE_INTERRUPTED; e++) {
        if (end != NULL && strcmp(trace_end_name((enum trace_end)e), end) == 0) {
            trace->end = (enum trace_end)e;
        }
    }
    trace->wall_ns = (uint64_t)json_integer_value(json_object_get(object, "wall_ns"));
    trace->ended_ns = (uint64_t)json_integer_value(json_object_get(object, "ended_ns"));
    return trace;
}

static struct outcome_text read_outcome(struct reading *reading, const json_t *object)
{
    return (struct outcome_text){text_of(reading, object, "of"), text_of(reading, object, "outcome")};
}

static void read_problems(struct reading *reading, struct result *result, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        problems_add(&result->problems, PROBLEM_OUTCOME,
                     (uint32_t)json_integer_value(json_object_get(item, "line")),
                     text_of(reading, item, "system"), "%s", text_of(reading, item, "text"));
        if (json_object_get(item, "excuse") != NULL) {
            result->problems.list[result->problems.count - 1].excuse = text_of(reading, item, "excuse");
        }
        if (json_object_get(item, "expected") != NULL && json_object_get(item, "got") != NULL) {
            problems_add_outcomes(&result->problems,
                                  read_outcome(reading, json_object_get(item, "expected")),
                                  read_outcome(reading, json_object_get(item, "got")));
        }
    }
}

static int read_line(struct reading *reading, const char *line, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, 0, &error);
    if (!json_is_object(object) || json_object_get(object, "verdict") == NULL) {
        json_decref(object);
        return -1;
    }
    struct scenario *scenario = arena_take(&reading->arena, sizeof *scenario);
    scenario->path = text_of(reading, object, "scenario");
    scenario->title = text_of(reading, object, "title");
    reading->results = arena_grow(&reading->arena, reading->results, reading->count,
                                  sizeof *reading->results);
    struct result *result = &reading->results[reading->count++];
    *result = (struct result){.scenario = scenario, .compared = true};
    result->verdict = verdict_of(text_of(reading, object, "verdict"), &result->done);
    result->alone = (uint32_t)json_integer_value(json_object_get(object, "alone"));
    result->differed = (uint32_t)json_integer_value(json_object_get(object, "differed"));
    if (json_object_get(object, "reason") != NULL) {
        result->reason = text_of(reading, object, "reason");
    }
    result->kernel = read_run(scenario, "kernel", json_object_get(object, "kernel"));
    result->world = read_run(scenario, "world", json_object_get(object, "world"));
    read_problems(reading, result, json_object_get(object, "problems"));
    json_decref(object);
    return 0;
}

static int read_file(struct reading *reading, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int status = 0;
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
        return -1;
    }
    for (uint32_t number = 1; (length = getline(&line, &room, file)) > 0; number++) {
        if (read_line(reading, line, (size_t)length) != 0) {
            fprintf(stderr, "%s:%u:1: this is no line of drysock compare --format json\n", path,
                    number);
            status = -1;
            break;
        }
    }
    free(line);
    fclose(file);
    return status;
}

int command_report(const struct options *options)
{
    struct reading reading = {0};
    int status = EXIT_AGREE;

    for (int i = 0; i < options->name_count; i++) {
        if (read_file(&reading, options->names[i]) != 0) {
            status = EXIT_WRONG;
        }
    }
    if (status == EXIT_AGREE && options->format == REPORT_TEXT) {
        report_table_head(stdout, options->look);
        for (uint32_t i = 0; i < reading.count; i++) {
            report_table_row(stdout, &reading.results[i], options->look);
        }
        report_table_foot(stdout, reading.results, reading.count);
    } else if (status == EXIT_AGREE) {
        report_write(stdout, options->format, reading.results, reading.count);
    }
    for (uint32_t i = 0; i < reading.count; i++) {
        const struct result *result = &reading.results[i];
        if (status == EXIT_AGREE && result_is_failure(result)) {
            status = EXIT_DIFFER;
        }
        result_free(&reading.results[i]);
    }
    arena_free(&reading.arena);
    return status;
}
