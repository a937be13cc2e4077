/* Evaluates expressions: calls of verbs, names, indices, arithmetic.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "language/constant.h"
#include "verbs.h"

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

enum {
    LONGEST_REPEAT = 64 << 20, /* bytes */
    MOST_ITEMS = 1 << 16,      /* of a list that `*` makes */
};

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

static bool is_whole(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_BOOL;
}

static bool is_sequence(const struct value *value)
{
    return value->kind == VALUE_TUPLE || value->kind == VALUE_LIST;
}

static int repeat_items(struct actor *actor, const struct value *items, const struct value *times,
                        struct value *value)
{
    uint64_t count = times->integer > 0 ? (uint64_t)times->integer : 0;
    if (items->count != 0 && count > MOST_ITEMS / items->count) {
        return raise_error(actor, "OverflowError", "more than %d items", MOST_ITEMS);
    }
    *value = value_list(&actor->arena, items->count * count);
    value->kind = items->kind;
    for (uint64_t i = 0; i < value->count; i++) {
        value->items[i] = items->items[i % items->count];
    }
    return 0;
}

static int join_items(struct actor *actor, const struct value *left, const struct value *right,
                      struct value *value)
{
    *value = value_list(&actor->arena, left->count + right->count);
    value->kind = left->kind;
    for (size_t i = 0; i < value->count; i++) {
        value->items[i] = i < left->count ? left->items[i] : right->items[i - left->count];
    }
    return 0;
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
    if (mark == '=' || mark == '!') {
        *value = value_bool((value_equal(&left, &right) != 0) == (mark == '='));
        return 0;
    }
    if (mark == '*' && is_sequence(&left) && is_whole(&right)) {
        return repeat_items(actor, &left, &right, value);
    }
    if (mark == '*' && is_sequence(&right) && is_whole(&left)) {
        return repeat_items(actor, &right, &left, value);
    }
    if (mark == '+' && is_sequence(&left) && left.kind == right.kind) {
        return join_items(actor, &left, &right, value);
    }
    if (mark == '*' && value_holds_bytes(&left) && is_whole(&right)) {
        return repeat_bytes(actor, &left, &right, value);
    }
    if (mark == '*' && value_holds_bytes(&right) && is_whole(&left)) {
        return repeat_bytes(actor, &right, &left, value);
    }
    if (mark == '+' && value_holds_bytes(&left) && value_holds_bytes(&right) &&
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
    struct binding *binding = actor_find_binding(actor, expression->text);
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
