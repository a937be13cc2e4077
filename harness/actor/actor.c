/* Runs one actor's steps: evaluates each, holds it against what the file states, records it.
 * SPDX-License-Identifier: MIT */
#include "actor.h"
#include "language/constant.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language/print.h"
#include "language/value.h"
#include "verbs.h"

/* ---- what was raised ------------------------------------------------------------------------ */

struct raised *actor_raised(struct actor *actor)
{
    return actor->raised;
}

int raise_error(struct actor *actor, const char *kind, const char *format, ...)
{
    struct raised *raised = actor->raised;
    va_list list;

    *raised = (struct raised){.kind = kind};
    va_start(list, format);
    vsnprintf(raised->message, sizeof raised->message, format, list);
    va_end(list);
    return -1;
}

int raise_errno(struct actor *actor, int number)
{
    const char *name = strerrorname_np(number);

    raise_error(actor, "OSError", "%s", strerrordesc_np(number) ? strerrordesc_np(number) : "");
    snprintf(actor->raised->code, sizeof actor->raised->code, "%s", name != NULL ? name : "?");
    return -1;
}

int raise_library(struct actor *actor)
{
    static const char *const kinds[] = {
        [DRY_ERROR_NONE] = "OSError",
        [DRY_ERROR_OS] = "OSError",
        [DRY_ERROR_TIMEOUT] = "timeout",
        [DRY_ERROR_GAI] = "gaierror",
        [DRY_ERROR_HERROR] = "herror",
        [DRY_ERROR_VALUE] = "ValueError",
        [DRY_ERROR_INTERRUPTED] = "interrupted",
        [DRY_ERROR_UNSUPPORTED] = "unsupported",
    };
    static const char *const values[] = {"ValueError", "TypeError", "OverflowError", "UnicodeError"};
    const struct dry_error *error = dry_last_error();
    const char *kind = kinds[error->kind];
    bool coded = error->kind == DRY_ERROR_OS || error->kind == DRY_ERROR_GAI ||
                 error->kind == DRY_ERROR_HERROR;

    if (error->kind == DRY_ERROR_VALUE && error->code >= 0 && error->code < 4) {
        kind = values[error->code];
    }
    raise_error(actor, kind, "%s", error->message);
    const char *name = coded ? dry_error_code_name(error->kind, error->code) : NULL;
    if (coded && error->code == 0) { /* OSError("illegal IP address string …"): no errno at all */
        actor->raised->code[0] = 0;
    } else if (name != NULL) {
        snprintf(actor->raised->code, sizeof actor->raised->code, "%s", name);
    } else if (coded) {
        snprintf(actor->raised->code, sizeof actor->raised->code, "%d", error->code);
    }
    return -1;
}

/* ---- names ---------------------------------------------------------------------------------- */

static struct binding *find_binding(struct actor *actor, const char *name)
{
    for (struct binding *binding = actor->bindings; binding != NULL; binding = binding->next) {
        if (strcmp(binding->name, name) == 0) {
            return binding;
        }
    }
    return NULL;
}

static void bind_value(struct actor *actor, const char *name, const struct value *value)
{
    struct binding *binding = find_binding(actor, name);

    if (binding == NULL) {
        binding = arena_take(&actor->arena, sizeof *binding);
        binding->name = name;
        binding->next = actor->bindings;
        actor->bindings = binding;
    }
    binding->value = *value;
    if (value->kind != VALUE_OBJECT || value->object->name != NULL) {
        return;
    }
    value->object->name = name;
    if ((value->object->kind == OBJECT_SOCKET || value->object->kind == OBJECT_EPOLL) &&
        actor->ops->name_socket != NULL) {
        int descriptor = value->object->kind == OBJECT_SOCKET ? dry_fileno(value->object->socket)
                                                              : value->object->descriptor;

        if (descriptor >= 0) {
            actor->ops->name_socket(actor, descriptor, name);
        }
    }
}

static int bind_target(struct actor *actor, const struct expression *target, const struct value *value)
{
    if (target->kind == EXPRESSION_GROUP) {
        return bind_target(actor, target->left, value);
    }
    if (target->kind == EXPRESSION_NAME) {
        bind_value(actor, target->text, value);
    }
    if (target->kind != EXPRESSION_TUPLE) {
        return 0;
    }
    if (value->kind != VALUE_TUPLE && value->kind != VALUE_LIST) {
        return raise_error(actor, "TypeError", "cannot unpack a value that is no tuple or list");
    }
    if (value->count != target->count) {
        return raise_error(actor, "ValueError", "%zu values cannot be unpacked into %u names",
                           value->count, target->count);
    }
    for (uint32_t i = 0; i < target->count; i++) {
        if (bind_target(actor, target->items[i], &value->items[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

struct object *actor_object(struct actor *actor, enum object_kind kind)
{
    struct object *object = arena_take(&actor->arena, sizeof *object);

    object->kind = kind;
    object->descriptor = -1;
    object->next = actor->objects;
    actor->objects = object;
    return object;
}

struct value value_object(struct object *object)
{
    return (struct value){.kind = VALUE_OBJECT, .object = object};
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int collect(struct actor *actor, const struct expression *call, struct call *made)
{
    uint32_t required, parameters = verb_parameters(made->verb, &required);
    size_t length;
    const char *last = parameters > 0 ? verb_parameter_name(made->verb, parameters - 1, &length) : NULL;
    struct value *rest = NULL;

    if (last != NULL && last[0] == '*') {
        rest = &made->arguments[parameters - 1];
        *rest = value_tuple(&actor->arena, call->count);
        rest->count = 0;
        made->given[parameters - 1] = true;
    }
    for (uint32_t i = 0; i < call->count; i++) {
        struct value value;
        int at = verb_parameter(made->verb, i, call->keywords[i]);

        if (at < 0 || at >= VERB_ARGUMENTS) {
            return raise_error(actor, "TypeError", "%s() takes (%s)", made->verb->name,
                               made->verb->parameters);
        }
        if (actor_evaluate(actor, call->items[i], &value) != 0) {
            return -1;
        }
        if (rest == &made->arguments[at]) {
            rest->items[rest->count++] = value;
            continue;
        }
        made->arguments[at] = value;
        made->given[at] = true;
    }
    for (uint32_t i = 0; i < required; i++) {
        const char *name = verb_parameter_name(made->verb, i, &length);

        if (!made->given[i] && name[length - 1] != '?') {
            return raise_error(actor, "TypeError", "%s() takes (%s)", made->verb->name,
                               made->verb->parameters);
        }
    }
    made->count = call->count;
    return 0;
}

static int evaluate_call(struct actor *actor, const struct expression *expression, struct object *self,
                         const struct verb *verb, struct value *value)
{
    struct call *call = arena_take(&actor->arena, sizeof *call); /* a fiber's stack is small */

    call->actor = actor;
    call->verb = verb;
    call->self = self;
    if (collect(actor, expression, call) != 0 || verb->run(call) != 0) {
        return -1;
    }
    *value = call->result;
    return 0;
}

static int evaluate_method(struct actor *actor, const struct expression *expression,
                           struct value *value)
{
    struct value self;

    if (actor_evaluate(actor, expression->left, &self) != 0) {
        return -1;
    }
    if (self.kind != VALUE_OBJECT) {
        return raise_error(actor, "TypeError", "this value has no method %s()", expression->text);
    }
    enum verb_on on = expression->integer == 1             ? VERB_ATTRIBUTE
                      : self.object->kind == OBJECT_SOCKET ? VERB_SOCKET
                      : self.object->kind == OBJECT_FILE   ? VERB_FILE
                                                           : VERB_EPOLL;
    const struct verb *verb = verb_find(on, expression->text);
    if (verb == NULL || (on == VERB_ATTRIBUTE && self.object->kind != OBJECT_SOCKET)) {
        return raise_error(actor, "TypeError", "this object has no method %s()", expression->text);
    }
    return evaluate_call(actor, expression, self.object, verb, value);
}

/* ---- expressions ---------------------------------------------------------------------------- */

static int evaluate_items(struct actor *actor, const struct expression *expression, struct value *value)
{
    *value = value_tuple(&actor->arena, expression->count);
    if (expression->kind == EXPRESSION_LIST) {
        value->kind = VALUE_LIST;
    }
    for (uint32_t i = 0; i < expression->count; i++) {
        if (actor_evaluate(actor, expression->items[i], &value->items[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static int evaluate_index(struct actor *actor, const struct expression *expression, struct value *value)
{
    struct value left, right;

    if (actor_evaluate(actor, expression->left, &left) != 0 ||
        actor_evaluate(actor, expression->right, &right) != 0) {
        return -1;
    }
    if (left.kind < VALUE_STR || left.kind > VALUE_LIST || right.kind > VALUE_INT) {
        return raise_error(actor, "TypeError", "this value has no items");
    }
    int64_t at = right.integer < 0 ? right.integer + (int64_t)left.count : right.integer;
    if (at < 0 || (uint64_t)at >= left.count) {
        return raise_error(actor, "IndexError", "index out of range");
    }
    if (left.kind == VALUE_TUPLE || left.kind == VALUE_LIST) {
        *value = left.items[at];
    } else if (left.kind == VALUE_STR) {
        *value = value_str(&actor->arena, left.bytes + at, 1);
    } else {
        *value = value_int((unsigned char)left.bytes[at]);
    }
    return 0;
}

static int slice_end(struct actor *actor, const struct expression *expression, size_t count,
                     size_t absent, size_t *end)
{
    struct value value;

    *end = absent;
    if (expression == NULL) {
        return 0;
    }
    if (actor_evaluate(actor, expression, &value) != 0) {
        return -1;
    }
    if (value.kind > VALUE_INT) {
        return raise_error(actor, "TypeError", "slice indices must be integers");
    }
    int64_t at = value.integer < 0 ? value.integer + (int64_t)count : value.integer;
    *end = at < 0 ? 0 : (uint64_t)at > count ? count : (size_t)at;
    return 0;
}

static int evaluate_slice(struct actor *actor, const struct expression *expression, struct value *value)
{
    struct value left;
    size_t begin, end;

    if (actor_evaluate(actor, expression->left, &left) != 0) {
        return -1;
    }
    if (left.kind < VALUE_STR || left.kind > VALUE_LIST) {
        return raise_error(actor, "TypeError", "this value has no items");
    }
    if (slice_end(actor, expression->right, left.count, 0, &begin) != 0 ||
        slice_end(actor, expression->third, left.count, left.count, &end) != 0) {
        return -1;
    }
    size_t count = end > begin ? end - begin : 0;
    *value = left;
    value->count = count;
    if (left.kind == VALUE_TUPLE || left.kind == VALUE_LIST) {
        value->items = left.items + begin;
    } else {
        value->bytes = arena_copy(&actor->arena, left.bytes + begin, count);
    }
    return 0;
}

enum { LONGEST_REPEAT = 64 << 20 };

static int repeat_bytes(struct actor *actor, const struct value *bytes, const struct value *times,
                        struct value *value)
{
    uint64_t count = times->integer > 0 ? (uint64_t)times->integer : 0;

    if (bytes->count != 0 && count > LONGEST_REPEAT / bytes->count) {
        return raise_error(actor, "OverflowError", "more than %d bytes", LONGEST_REPEAT);
    }
    *value = *bytes;
    value->count = bytes->count * count;
    value->bytes = arena_take(&actor->arena, value->count + 1);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(value->bytes + i * bytes->count, bytes->bytes, bytes->count);
    }
    return 0;
}

static int join_bytes(struct actor *actor, const struct value *left, const struct value *right,
                      struct value *value)
{
    *value = *left;
    value->count = left->count + right->count;
    value->bytes = arena_take(&actor->arena, value->count + 1);
    memcpy(value->bytes, left->bytes, left->count);
    memcpy(value->bytes + left->count, right->bytes, right->count);
    return 0;
}

static bool holds_bytes(const struct value *value)
{
    return value->kind == VALUE_STR || value->kind == VALUE_BYTES || value->kind == VALUE_BYTEARRAY;
}

static int calculate(struct actor *actor, char mark, const struct value *left,
                     const struct value *right, struct value *value)
{
    double a = left->kind == VALUE_FLOAT ? left->real : (double)left->integer;
    double b = right->kind == VALUE_FLOAT ? right->real : (double)right->integer;

    if (left->kind == VALUE_FLOAT || right->kind == VALUE_FLOAT) {
        *value = (struct value){.kind = VALUE_FLOAT,
                                .real = mark == '+'   ? a + b
                                        : mark == '-' ? a - b
                                                      : a * b};
        return mark == '+' || mark == '-' || mark == '*'
                   ? 0
                   : raise_error(actor, "TypeError", "unsupported operand type(s) for %c", mark);
    }
    int64_t x = left->integer, y = right->integer, result = 0;
    bool overflow = false;
    if (mark == '|') {
        result = x | y;
    } else if (mark == '&') {
        result = x & y;
    } else if (mark == '+') {
        overflow = __builtin_add_overflow(x, y, &result);
    } else if (mark == '-') {
        overflow = __builtin_sub_overflow(x, y, &result);
    } else if (mark == '*') {
        overflow = __builtin_mul_overflow(x, y, &result);
    } else if (y < 0 || y > 62 || (x != 0 && (x < 0 || x > INT64_MAX >> y))) {
        overflow = true;
    } else {
        result = x << y;
    }
    if (overflow) {
        return raise_error(actor, "OverflowError", "the result is larger than 63 bits");
    }
    *value = value_flavoured(result, left->flavour == right->flavour ? left->flavour : FLAVOUR_PLAIN);
    return 0;
}

static int evaluate_binary(struct actor *actor, const struct expression *expression,
                           struct value *value)
{
    struct value left, right;
    char mark = expression->text[0];

    if (actor_evaluate(actor, expression->left, &left) != 0 ||
        actor_evaluate(actor, expression->right, &right) != 0) {
        return -1;
    }
    if (mark == '*' && holds_bytes(&left) && right.kind <= VALUE_INT) {
        return repeat_bytes(actor, &left, &right, value);
    }
    if (mark == '*' && holds_bytes(&right) && left.kind <= VALUE_INT) {
        return repeat_bytes(actor, &right, &left, value);
    }
    if (mark == '+' && holds_bytes(&left) && holds_bytes(&right) &&
        (left.kind == VALUE_STR) == (right.kind == VALUE_STR)) {
        return join_bytes(actor, &left, &right, value);
    }
    if (left.kind == VALUE_NONE || left.kind > VALUE_FLOAT || right.kind == VALUE_NONE ||
        right.kind > VALUE_FLOAT) {
        return raise_error(actor, "TypeError", "unsupported operand type(s) for %s", expression->text);
    }
    return calculate(actor, mark, &left, &right, value);
}

static int evaluate_name(struct actor *actor, const struct expression *expression, struct value *value)
{
    struct binding *binding = find_binding(actor, expression->text);
    int64_t number;

    if (binding != NULL) {
        *value = binding->value;
        return 0;
    }
    if (constant_number(expression->text, &number) != 0) {
        return raise_error(actor, "TypeError", "\"%s\" has no value: the line that binds it raised",
                           expression->text);
    }
    *value = value_int(number);
    return 0;
}

static int evaluate_sign(struct actor *actor, const struct expression *expression, struct value *value)
{
    if (actor_evaluate(actor, expression->left, value) != 0) {
        return -1;
    }
    if (value->kind == VALUE_FLOAT && expression->kind == EXPRESSION_MINUS) {
        value->real = -value->real;
    } else if (value->kind != VALUE_INT && value->kind != VALUE_BOOL) {
        return raise_error(actor, "TypeError", "bad operand type for a sign");
    } else {
        *value = value_int(expression->kind == EXPRESSION_MINUS ? -value->integer : ~value->integer);
    }
    return 0;
}

int actor_evaluate(struct actor *actor, const struct expression *expression, struct value *value)
{
    switch (expression->kind) {
    case EXPRESSION_BOOL:
        *value = value_bool(expression->integer != 0);
        return 0;
    case EXPRESSION_INT:
        *value = value_int(expression->integer);
        return 0;
    case EXPRESSION_FLOAT:
        *value = (struct value){.kind = VALUE_FLOAT, .real = expression->real};
        return 0;
    case EXPRESSION_STR:
        *value = value_str(&actor->arena, expression->bytes, expression->length);
        return 0;
    case EXPRESSION_BYTES:
        *value = value_bytes(&actor->arena, expression->bytes, expression->length);
        return 0;
    case EXPRESSION_NAME:
        return evaluate_name(actor, expression, value);
    case EXPRESSION_TUPLE:
    case EXPRESSION_LIST:
        return evaluate_items(actor, expression, value);
    case EXPRESSION_CALL:
        return evaluate_call(actor, expression, NULL, expression->verb, value);
    case EXPRESSION_METHOD:
        return evaluate_method(actor, expression, value);
    case EXPRESSION_INDEX:
        return evaluate_index(actor, expression, value);
    case EXPRESSION_SLICE:
        return evaluate_slice(actor, expression, value);
    case EXPRESSION_BINARY:
        return evaluate_binary(actor, expression, value);
    case EXPRESSION_MINUS:
    case EXPRESSION_INVERT:
        return evaluate_sign(actor, expression, value);
    case EXPRESSION_GROUP:
        return actor_evaluate(actor, expression->left, value);
    case EXPRESSION_NONE:
    case EXPRESSION_ANY:
        break;
    }
    *value = value_none();
    return 0;
}

/* ---- what a step must show ------------------------------------------------------------------ */

/* content(LENGTH, HASH): bytes by length and content. */
static bool match_content(struct actor *actor, const struct expression *pattern,
                          const struct value *value)
{
    struct value count, hash;
    char text[20];

    if (pattern->count != 2 || !holds_bytes(value) ||
        actor_evaluate(actor, pattern->items[0], &count) != 0 ||
        actor_evaluate(actor, pattern->items[1], &hash) != 0) {
        return false;
    }
    snprintf(text, sizeof text, "%016llx",
             (unsigned long long)value_content(value->bytes, value->count));
    return count.kind == VALUE_INT && (uint64_t)count.integer == value->count &&
           hash.kind == VALUE_STR && strcmp(hash.bytes, text) == 0;
}

/* A list of names joined by fds(): each is bound at first sight. */
static bool match_descriptors(struct actor *actor, const struct expression *pattern,
                              const struct value *value);

static bool match(struct actor *actor, const struct expression *pattern, const struct value *value)
{
    struct value wanted;
    int64_t number;

    switch (pattern->kind) {
    case EXPRESSION_ANY:
        return true;
    case EXPRESSION_GROUP:
        return match(actor, pattern->left, value);
    case EXPRESSION_TUPLE:
    case EXPRESSION_LIST:
        if (value->kind != (pattern->kind == EXPRESSION_TUPLE ? VALUE_TUPLE : VALUE_LIST) ||
            value->count != pattern->count) {
            return false;
        }
        for (uint32_t i = 0; i < pattern->count; i++) {
            if (!match(actor, pattern->items[i], &value->items[i])) {
                return false;
            }
        }
        return true;
    case EXPRESSION_NAME:
        if (find_binding(actor, pattern->text) == NULL &&
            constant_number(pattern->text, &number) != 0) {
            bind_value(actor, pattern->text, value);
            return true;
        }
        break;
    case EXPRESSION_CALL:
        if (strcmp(pattern->text, "content") == 0) {
            return match_content(actor, pattern, value);
        }
        if (strcmp(pattern->text, "fds") == 0) {
            return match_descriptors(actor, pattern, value);
        }
        break;
    default:
        break;
    }
    return actor_evaluate(actor, pattern, &wanted) == 0 && value_equal(&wanted, value);
}

static bool match_descriptors(struct actor *actor, const struct expression *pattern,
                              const struct value *value)
{
    if (!holds_bytes(value) || value->count != pattern->count * sizeof(int)) {
        return false;
    }
    for (uint32_t i = 0; i < pattern->count; i++) {
        int descriptor;

        memcpy(&descriptor, value->bytes + i * sizeof descriptor, sizeof descriptor);
        struct value number = value_flavoured(descriptor, FLAVOUR_DESCRIPTOR);
        if (!match(actor, pattern->items[i], &number)) {
            return false;
        }
    }
    return true;
}

static bool raised_as_expected(const struct expectation *expect, const struct raised *raised)
{
    return expect->kind == EXPECT_RAISES && strcmp(expect->raises, raised->kind) == 0 &&
           (expect->code == NULL || strcmp(expect->code, "_") == 0 ||
            strcmp(expect->code, raised->code) == 0 ||
            (strcmp(expect->code, "EWOULDBLOCK") == 0 && strcmp(raised->code, "EAGAIN") == 0));
}

static enum step_status judge_raise(const struct expectation *expect, const struct raised *raised,
                                    struct text *outcome)
{
    text_add(outcome, "raises %s", raised->kind);
    if (*raised->code != 0) {
        text_add(outcome, "(%s)", raised->code);
    }
    if (expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_ANY) {
        return STEP_RAISED;
    }
    return raised_as_expected(expect, raised) ? STEP_OK : STEP_DIFFERS;
}

static enum step_status judge_value(struct actor *actor, const struct expectation *expect,
                                    const struct value *value, struct text *outcome)
{
    bool same = expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_ANY ||
                (expect->kind == EXPECT_VALUE && match(actor, expect->pattern, value));

    value_print(outcome, &actor->luck, value);
    return same ? STEP_OK : STEP_DIFFERS;
}

/* ---- steps ---------------------------------------------------------------------------------- */

static uint64_t now(const struct actor *actor)
{
    return dry_now() - actor->origin;
}

static enum step_status run_call(struct actor *actor, const struct step *step, struct text *outcome,
                                 struct trace_step *trace)
{
    struct value value;
    int status = actor_evaluate(actor, step->expression, &value);

    trace->ended_ns = now(actor);
    if (status == 0 && step->target != NULL) {
        status = bind_target(actor, step->target, &value);
    }
    if (status == 0) {
        return judge_value(actor, &step->expect, &value, outcome);
    }
    trace->detail = arena_text(&actor->arena, actor->raised->message);
    return judge_raise(&step->expect, actor->raised, outcome);
}

static enum step_status run_sync(struct actor *actor, const struct step *step, struct trace_step *trace)
{
    int sync = scenario_find_sync(actor->scenario, step->sync);
    int status = actor->ops->sync(actor, (uint32_t)sync);

    trace->ended_ns = now(actor);
    if (status == 0) {
        return STEP_OK;
    }
    trace->detail = "another actor of this sync has stopped";
    return STEP_ABANDONED;
}

static bool run_step(struct actor *actor, const struct step *step)
{
    struct text outcome = {0};
    struct trace_step trace = {.text = step->text, .line = step->at.line, .detail = ""};

    trace.started_ns = now(actor);
    actor->current_started_ns = trace.started_ns;
    actor->current = step;
    trace.status = step->kind == STEP_SYNC ? run_sync(actor, step, &trace)
                                           : run_call(actor, step, &outcome, &trace);
    /* In the arena: a fiber may be given up inside emit. */
    text_add(&outcome, "%s", "");
    trace.outcome = arena_text(&actor->arena, outcome.bytes);
    text_free(&outcome);
    actor->current = NULL;
    actor->ops->emit(actor, step->index, &trace);
    return trace.status != STEP_RAISED && trace.status != STEP_ABANDONED;
}

/* As the end of a process closes what it left open, oldest first. */
static void close_objects(struct actor *actor)
{
    struct object *oldest = NULL;

    for (struct object *object = actor->objects; object != NULL;) {
        struct object *next = object->next;

        object->next = oldest;
        oldest = object;
        object = next;
    }
    actor->objects = NULL;
    for (struct object *object = oldest; object != NULL; object = object->next) {
        struct dry_caller caller = dry_current_caller();

        if (object->kind == OBJECT_SOCKET) {
            dry_close(object->socket);
        } else if (object->kind == OBJECT_FILE && !object->closed) {
            fclose(object->file);
        } else if (object->kind == OBJECT_EPOLL && !object->closed) {
            caller.system->close(caller, object->descriptor);
        }
    }
}

void actor_run(struct actor *actor)
{
    actor->raised = arena_take(&actor->arena, sizeof *actor->raised);
    actor->luck = (struct luck_names){.arena = &actor->arena, .scenario = actor->scenario};
    actor->state = ACTOR_RUNS;
    for (uint32_t i = 0; i < actor->lines->step_count; i++) {
        if (!run_step(actor, &actor->lines->steps[i])) {
            actor->state = ACTOR_STOPPED;
            break;
        }
    }
    /* First the sockets: who waits for this actor's bytes must see the end of them. */
    close_objects(actor);
    if (actor->state == ACTOR_RUNS) {
        actor->state = ACTOR_ENDED;
    } else {
        actor->ops->stopped(actor);
    }
}

void actor_abandon(struct actor *actor)
{
    close_objects(actor);
}

void actor_finish(struct actor *actor)
{
    arena_free(&actor->arena);
    actor->bindings = NULL;
    actor->luck = (struct luck_names){0};
    actor->objects = NULL;
    actor->raised = NULL;
}

void actor_describe(const struct actor *actor, char *text, size_t bytes)
{
    const struct step *step = actor->current;
    char since[32];

    scenario_time_print(actor->current_started_ns, since);
    if (step != NULL) {
        snprintf(text, bytes, "%s:%u: %s waits in %s since %s", actor->scenario->path, step->at.line,
                 actor->lines->name, step->text, since);
    } else {
        snprintf(text, bytes, "%s:%u: %s %s", actor->scenario->path, actor->lines->at.line,
                 actor->lines->name,
                 actor->state == ACTOR_WAITS_TO_START ? "has not started"
                 : actor->state == ACTOR_RUNS         ? "runs"
                 : actor->state == ACTOR_ENDED        ? "has ended"
                                                      : "has stopped");
    }
}
