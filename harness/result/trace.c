/* Traces: recording steps, JSON lines out and in, the hash.
 * SPDX-License-Identifier: MIT */
#include "trace.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const statuses[] = {
    [STEP_NOT_REACHED] = "not reached", [STEP_RUNNING] = "running", [STEP_OK] = "ok",
    [STEP_DIFFERS] = "differs",         [STEP_RAISED] = "raised",   [STEP_ABANDONED] = "abandoned",
};
static const char *const ends[] = {
    [TRACE_DONE] = "done",       [TRACE_STUCK] = "stuck",     [TRACE_FAILED] = "failed",
    [TRACE_CRASHED] = "crashed", [TRACE_SKIPPED] = "skipped", [TRACE_INTERRUPTED] = "interrupted",
};
enum {
    STATUSES = sizeof statuses / sizeof *statuses,
    ENDS = sizeof ends / sizeof *ends,
};

const char *trace_status_name(enum step_status status)
{
    return statuses[status];
}

const char *trace_end_name(enum trace_end end)
{
    return ends[end];
}

struct trace *trace_create(const struct scenario *scenario, const char *system)
{
    struct trace *trace = calloc(1, sizeof *trace);
    trace->system = arena_text(&trace->arena, system);
    trace->detail = "";
    trace->unused_faults = "";
    trace->actor_count = scenario->actor_count;
    trace->actors = arena_take(&trace->arena, (scenario->actor_count + 1) * sizeof *trace->actors);
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        const struct actor_lines *lines = &scenario->actors[a];
        struct trace_actor *actor = &trace->actors[a];
        actor->name = arena_text(&trace->arena, lines->name);
        actor->step_count = lines->step_count;
        actor->steps = arena_take(&trace->arena, (lines->step_count + 1) * sizeof *actor->steps);
        for (uint32_t i = 0; i < lines->step_count; i++) {
            actor->steps[i] = (struct trace_step){
                .text = arena_text(&trace->arena, lines->steps[i].text),
                .outcome = "",
                .detail = "",
                .stated = "",
                .line = lines->steps[i].at.line,
            };
        }
    }
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL) {
        return;
    }
    struct arena arena = trace->arena;
    free(trace);
    arena_free(&arena);
}

void trace_set(struct trace *trace, uint32_t actor, uint32_t step, enum step_status status,
               const char *outcome, const char *detail, uint64_t started_ns, uint64_t ended_ns)
{
    trace_record(trace, actor, step,
                 &(struct trace_step){.status = status,
                                      .outcome = outcome,
                                      .detail = detail,
                                      .started_ns = started_ns,
                                      .ended_ns = ended_ns});
}

void trace_record(struct trace *trace, uint32_t actor, uint32_t step, const struct trace_step *seen)
{
    if (actor >= trace->actor_count || step >= trace->actors[actor].step_count) {
        return;
    }
    struct trace_step *what = &trace->actors[actor].steps[step];
    what->status = seen->status;
    what->outcome = arena_text(&trace->arena, seen->outcome);
    what->detail = arena_text(&trace->arena, seen->detail);
    what->stated = arena_text(&trace->arena, seen->stated != NULL ? seen->stated : "");
    what->started_ns = seen->started_ns;
    what->ended_ns = seen->ended_ns;
    what->busy_ns = seen->busy_ns;
    what->faults = arena_text(&trace->arena, seen->faults != NULL ? seen->faults : "");
    if (seen->ended_ns > trace->ended_ns) {
        trace->ended_ns = seen->ended_ns;
    }
}

void trace_set_detail(struct trace *trace, enum trace_end end, const char *format, ...)
{
    va_list list;
    char *text = NULL;
    trace->end = end;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    trace->detail = length >= 0 ? arena_text(&trace->arena, text) : "";
    free(text);
}

bool trace_is_ok(const struct trace *trace)
{
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            if (trace->actors[a].steps[i].status != STEP_OK) {
                return false;
            }
        }
    }
    return trace->end == TRACE_DONE;
}

/* ---- JSON lines ----------------------------------------------------------------------------- */

/* Outcomes hold only what the printers made, but a detail may hold a path's stray bytes. */
static json_t *text_json(const char *text)
{
    json_t *made = json_string(text);
    if (made != NULL) {
        return made;
    }
    char *ascii = strdup(text);
    for (char *at = ascii; *at != 0; at++) {
        if ((unsigned char)*at >= 0x80) {
            *at = '?';
        }
    }
    made = json_string(ascii);
    free(ascii);
    return made;
}

static void write_object(FILE *stream, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (line != NULL) {
        fprintf(stream, "%s\n", line);
    }
    free(line);
    json_decref(object);
}

void trace_write_event(FILE *stream, const char *text, uint32_t line, uint64_t at_ns)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", text_json(text));
    json_object_set_new(object, "line", json_integer(line));
    json_object_set_new(object, "at_ns", json_integer((json_int_t)at_ns));
    write_object(stream, object);
}

void trace_write_head(FILE *stream, const char *path, const char *system)
{
    json_t *object = json_object();
    json_object_set_new(object, "scenario", text_json(path));
    json_object_set_new(object, "system", json_string(system));
    write_object(stream, object);
}

void trace_write_step(FILE *stream, const char *actor, uint32_t step, const struct trace_step *what)
{
    json_t *object = json_object();
    json_object_set_new(object, "actor", text_json(actor));
    json_object_set_new(object, "step", json_integer(step));
    json_object_set_new(object, "line", json_integer(what->line));
    json_object_set_new(object, "text", text_json(what->text));
    json_object_set_new(object, "status", json_string(statuses[what->status]));
    json_object_set_new(object, "outcome", text_json(what->outcome ? what->outcome : ""));
    json_object_set_new(object, "detail", text_json(what->detail ? what->detail : ""));
    if (what->stated != NULL && *what->stated != 0) {
        json_object_set_new(object, "stated", text_json(what->stated));
    }
    json_object_set_new(object, "started_ns", json_integer((json_int_t)what->started_ns));
    json_object_set_new(object, "ended_ns", json_integer((json_int_t)what->ended_ns));
    if (what->faults != NULL && *what->faults != 0) {
        json_object_set_new(object, "faults", text_json(what->faults));
    }
    if (what->busy_ns > 0) {
        json_object_set_new(object, "busy_ns", json_integer((json_int_t)what->busy_ns));
    }
    write_object(stream, object);
}

void trace_write_end(FILE *stream, const struct trace *trace)
{
    json_t *object = json_object();
    json_object_set_new(object, "end", json_string(ends[trace->end]));
    json_object_set_new(object, "detail", text_json(trace->detail));
    json_object_set_new(object, "unused_faults", text_json(trace->unused_faults));
    json_object_set_new(object, "ended_ns", json_integer((json_int_t)trace->ended_ns));
    json_object_set_new(object, "late_ns", json_integer((json_int_t)trace->late_ns));
    write_object(stream, object);
}

void trace_write(FILE *stream, const struct trace *trace)
{
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            trace_write_step(stream, trace->actors[a].name, i, &trace->actors[a].steps[i]);
        }
    }
    trace_write_end(stream, trace);
}

static int find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static int read_step(struct trace *trace, const json_t *object)
{
    const char *name = text_of(object, "actor");
    int status = find_name(statuses, STATUSES, text_of(object, "status"));
    json_int_t step = json_integer_value(json_object_get(object, "step"));
    for (uint32_t a = 0; status >= 0 && a < trace->actor_count; a++) {
        if (strcmp(trace->actors[a].name, name) != 0 || step < 0 ||
            step >= (json_int_t)trace->actors[a].step_count) {
            continue;
        }
        trace_record(trace, a, (uint32_t)step,
                     &(struct trace_step){.status = (enum step_status)status,
                                          .outcome = text_of(object, "outcome"),
                                          .detail = text_of(object, "detail"),
                                          .stated = text_of(object, "stated"),
                                          .faults = text_of(object, "faults"),
                                          .started_ns = number_of(object, "started_ns"),
                                          .ended_ns = number_of(object, "ended_ns"),
                                          .busy_ns = number_of(object, "busy_ns")});
        return 0;
    }
    return -1;
}

static int read_end(struct trace *trace, const json_t *object)
{
    int end = find_name(ends, ENDS, text_of(object, "end"));
    if (end < 0) {
        return -1;
    }
    trace_set_detail(trace, (enum trace_end)end, "%s", text_of(object, "detail"));
    trace->unused_faults = arena_text(&trace->arena, text_of(object, "unused_faults"));
    trace->late_ns = number_of(object, "late_ns");
    if (number_of(object, "ended_ns") > trace->ended_ns) {
        trace->ended_ns = number_of(object, "ended_ns");
    }
    return 0;
}

int trace_read_line(struct trace *trace, const char *line, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, 0, &error);
    int status = 1;
    if (!json_is_object(object)) {
        status = -1;
    } else if (json_object_get(object, "actor") != NULL) {
        status = read_step(trace, object);
    } else if (json_object_get(object, "end") != NULL) {
        status = read_end(trace, object);
    }
    json_decref(object);
    return status;
}

/* ---- the hash ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3;
    }
    return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8]; /* the same on every byte order */
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return mix(hash, bytes, sizeof bytes);
}

uint64_t trace_hash(const struct trace *trace)
{
    uint64_t hash = mix_number(0xcbf29ce484222325, trace->end);
    for (uint32_t a = 0; a < trace->actor_count; a++) {
        hash = mix(hash, trace->actors[a].name, strlen(trace->actors[a].name) + 1);
        for (uint32_t i = 0; i < trace->actors[a].step_count; i++) {
            const struct trace_step *step = &trace->actors[a].steps[i];
            hash = mix_number(hash, step->status);
            hash = mix(hash, step->outcome, strlen(step->outcome) + 1);
            hash = mix_number(hash, step->started_ns);
            hash = mix_number(hash, step->ended_ns);
        }
    }
    return hash;
}
