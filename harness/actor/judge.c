/* Holds what a step showed against what the file states.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "language/constant.h"
#include "verbs.h"

/* content(LENGTH, HASH): bytes by length and content. */
static bool match_content(struct actor *actor, const struct expression *pattern,
                          const struct value *value)
{
    struct value count, hash;
    char text[20];
    if (pattern->count != 2 || !value_holds_bytes(value) ||
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
        if (actor_find_binding(actor, pattern->text) == NULL &&
            constant_number(pattern->text, &number) != 0) {
            actor_bind(actor, pattern->text, value);
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
    if (!value_holds_bytes(value) || value->count != pattern->count * sizeof(int)) {
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

enum step_status actor_judge_raise(const struct expectation *expect, const struct raised *raised,
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

enum step_status actor_judge_value(struct actor *actor, const struct expectation *expect,
                                   const struct value *value, struct text *outcome)
{
    bool same = expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_ANY ||
                (expect->kind == EXPECT_VALUE && match(actor, expect->pattern, value));

    value_print(outcome, &actor->luck, value);
    return same ? STEP_OK : STEP_DIFFERS;
}
