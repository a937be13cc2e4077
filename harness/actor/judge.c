/* Holds what a step showed against what the file states.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "language/constant.h"
#include "language/print.h"
#include "verbs.h"

enum { EXCERPT_BYTES = 32 }; /* of each of two long values, from where they differ */

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

static bool same_kind(const struct value *a, const struct value *b)
{
    return (a->kind == VALUE_STR) == (b->kind == VALUE_STR);
}

/* prefix(), suffix() and contains() of bytes or of a str. */
static bool match_bytes_part(char which, const struct value *part, const struct value *value)
{
    if (!value_holds_bytes(part) || !value_holds_bytes(value) || !same_kind(part, value) ||
        part->count > value->count) {
        return false;
    }
    size_t last = value->count - part->count;
    for (size_t at = which == 's' ? last : 0; at <= last; at++) {
        if (part->count == 0 || memcmp(value->bytes + at, part->bytes, part->count) == 0) {
            return true;
        }
        if (which == 'p') {
            break;
        }
    }
    return false;
}

static bool match(struct actor *actor, const struct expression *pattern, const struct value *value);

/* Of a list or a tuple: items at its beginning or its end; contains() takes the pattern of one item. */
static bool match_items_part(struct actor *actor, char which, const struct expression *part,
                             const struct value *value)
{
    if (which == 'c') {
        for (size_t i = 0; i < value->count; i++) {
            if (match(actor, part, &value->items[i])) {
                return true;
            }
        }
        return false;
    }
    if (part->kind != (value->kind == VALUE_LIST ? EXPRESSION_LIST : EXPRESSION_TUPLE) ||
        part->count > value->count) {
        return false;
    }
    size_t from = which == 's' ? value->count - part->count : 0;
    for (uint32_t i = 0; i < part->count; i++) {
        if (!match(actor, part->items[i], &value->items[from + i])) {
            return false;
        }
    }
    return true;
}

static bool match_part(struct actor *actor, const struct expression *pattern, const struct value *value)
{
    const struct expression *part = pattern->items[0];
    struct value wanted;
    char which = pattern->text[0];
    if (value->kind == VALUE_LIST || value->kind == VALUE_TUPLE) {
        return match_items_part(actor, which, part, value);
    }
    return actor_evaluate(actor, part, &wanted) == 0 && match_bytes_part(which, &wanted, value);
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
        if (expression_is_part(pattern)) {
            return match_part(actor, pattern, value);
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

/* ---- what was stated ------------------------------------------------------------------------ */

/* Whether looking at its value does nothing to a socket. */
static bool is_pure(const struct expression *pattern)
{
    static const char *const pure[] = {"counted", "pack", "bytearray"};
    bool known = pattern == NULL ||
                 (pattern->kind != EXPRESSION_CALL && pattern->kind != EXPRESSION_METHOD &&
                  pattern->kind != EXPRESSION_ANY);
    for (size_t i = 0; i < sizeof pure / sizeof *pure && !known; i++) {
        known = pattern->kind == EXPRESSION_CALL && strcmp(pattern->text, pure[i]) == 0;
    }
    for (uint32_t i = 0; known && pattern != NULL && i < pattern->count; i++) {
        known = is_pure(pattern->items[i]);
    }
    return known && (pattern == NULL ||
                     (is_pure(pattern->left) && is_pure(pattern->right) && is_pure(pattern->third)));
}

static void print_pattern(struct actor *actor, const struct expression *pattern, struct text *text);

static void print_items(struct actor *actor, const struct expression *list, struct text *text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        text_add(text, "%s", i > 0 ? ", " : "");
        print_pattern(actor, list->items[i], text);
    }
}

/* As the outcome beside it prints: bound names by their values, operators worked out; what stands for
 * anything as it is written. */
static void print_pattern(struct actor *actor, const struct expression *pattern, struct text *text)
{
    struct value value;
    switch (pattern->kind) {
    case EXPRESSION_GROUP:
        print_pattern(actor, pattern->left, text);
        return;
    case EXPRESSION_TUPLE:
        text_add(text, "(");
        print_items(actor, pattern, text);
        text_add(text, pattern->count == 1 ? ",)" : ")");
        return;
    case EXPRESSION_LIST:
        text_add(text, "[");
        print_items(actor, pattern, text);
        text_add(text, "]");
        return;
    case EXPRESSION_NAME: /* a constant says more than its number */
        if (actor_find_binding(actor, pattern->text) == NULL) {
            print_expression(text, pattern);
            return;
        }
        break;
    default:
        break;
    }
    if (!is_pure(pattern) || actor_evaluate(actor, pattern, &value) != 0) {
        print_expression(text, pattern);
    } else {
        value_print(text, &actor->luck, &value);
    }
}

static void print_stated(struct actor *actor, const struct expectation *expect, struct text *stated)
{
    if (expect->kind == EXPECT_VALUE) {
        print_pattern(actor, expect->pattern, stated);
    } else if (expect->kind == EXPECT_RAISES) {
        text_add(stated, "raises %s", expect->raises);
        if (expect->code != NULL) {
            text_add(stated, "(%s)", expect->code);
        }
    }
}

/* What prints by its content says where it differs. */
static void print_first_difference(struct actor *actor, const struct expectation *expect,
                                   const struct value *value, struct text *detail)
{
    struct value wanted;
    if (expect->kind != EXPECT_VALUE || !is_pure(expect->pattern) || !value_holds_bytes(value) ||
        actor_evaluate(actor, expect->pattern, &wanted) != 0 || !value_holds_bytes(&wanted) ||
        (value->count <= VALUE_TEXT_BYTES && wanted.count <= VALUE_TEXT_BYTES)) {
        return;
    }
    size_t least = value->count < wanted.count ? value->count : wanted.count, same = 0;
    while (same < least && value->bytes[same] == wanted.bytes[same]) {
        same++;
    }
    text_add(detail, "they differ from byte %zu on", same);
    const struct value *const both[] = {&wanted, value};
    for (int i = 0; i < 2; i++) {
        size_t rest = both[i]->count - same;
        text_add(detail, i == 0 ? ": stated " : ", got ");
        print_bytes(detail, both[i]->bytes + same, rest < EXCERPT_BYTES ? rest : EXCERPT_BYTES);
    }
}

static bool raised_as_expected(const struct expectation *expect, const struct raised *raised)
{
    return expect->kind == EXPECT_RAISES && strcmp(expect->raises, raised->kind) == 0 &&
           (expect->code == NULL || strcmp(expect->code, "_") == 0 ||
            strcmp(expect->code, raised->code) == 0 ||
            (strcmp(expect->code, "EWOULDBLOCK") == 0 && strcmp(raised->code, "EAGAIN") == 0));
}

enum step_status actor_judge_raise(struct actor *actor, const struct expectation *expect,
                                   const struct raised *raised, struct judgement *judgement)
{
    text_add(&judgement->outcome, "raises %s", raised->kind);
    if (*raised->code != 0) {
        text_add(&judgement->outcome, "(%s)", raised->code);
    }
    if (expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_ANY) {
        return STEP_RAISED;
    }
    if (raised_as_expected(expect, raised)) {
        return STEP_OK;
    }
    print_stated(actor, expect, &judgement->stated);
    return STEP_DIFFERS;
}

enum step_status actor_judge_value(struct actor *actor, const struct expectation *expect,
                                   const struct value *value, struct judgement *judgement)
{
    bool same = expect->kind == EXPECT_NOTHING || expect->kind == EXPECT_ANY ||
                (expect->kind == EXPECT_VALUE && match(actor, expect->pattern, value));

    value_print(&judgement->outcome, &actor->luck, value);
    if (same) {
        return STEP_OK;
    }
    print_stated(actor, expect, &judgement->stated);
    print_first_difference(actor, expect, value, &judgement->detail);
    return STEP_DIFFERS;
}
