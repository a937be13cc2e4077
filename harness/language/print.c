/* Prints scenarios back in their canonical form.
 * SPDX-License-Identifier: MIT */
#include "print.h"

#include <stdio.h>
#include <string.h>

#include <drysock/socket.h>

enum {
    EXPECTATION_COLUMN = 38, /* of `->`, or further right where a section's steps are longer */
    LONGEST_ALIGNED = 64,    /* longer steps do not move the others' `->` */
    COMMENT_GAP = 2,
    WRAP_COLUMN = 96, /* of a line that was written over several */
    WRAP_INDENT = 4,
};

/* ---- literals ------------------------------------------------------------------------------- */

static void print_literal(struct text *text, const struct dry_value *value)
{
    int length = dry_value_print_double(value, NULL, 0);
    char *literal = text_room(text, (size_t)length + 1);
    dry_value_print_double(value, literal, (size_t)length + 1);
    text->length += (size_t)length;
}

void print_bytes(struct text *text, const char *bytes, size_t length)
{
    print_literal(text, &(struct dry_value){DRY_BYTES, .count = (uint32_t)length, .bytes = bytes});
}

void print_str(struct text *text, const char *bytes, size_t length)
{
    print_literal(text, &(struct dry_value){DRY_TEXT, .count = (uint32_t)length, .bytes = bytes});
}

void print_float(struct text *text, double real)
{
    print_literal(text, &(struct dry_value){DRY_FLOAT, .real = real});
}

/* ---- expressions ---------------------------------------------------------------------------- */

static void print_items(struct text *text, const struct expression *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        text_add(text, "%s", i > 0 ? ", " : "");
        if (list->keywords[i] != NULL) {
            text_add(text, "%s=", list->keywords[i]);
        }
        print_expression(text, list->items[i]);
    }
}

static void print_call(struct text *text, const struct expression *call)
{
    if (call->kind == EXPRESSION_METHOD) {
        print_expression(text, call->left);
        text_add(text, ".");
    }
    text_add(text, "%s", call->text);
    if (call->kind == EXPRESSION_METHOD && call->integer == 1) {
        return;
    }
    text_add(text, "(");
    print_items(text, call);
    text_add(text, ")");
}

void print_expression(struct text *text, const struct expression *expression)
{
    switch (expression->kind) {
    case EXPRESSION_NONE:
    case EXPRESSION_BOOL:
    case EXPRESSION_INT:
    case EXPRESSION_FLOAT:
    case EXPRESSION_NAME:
    case EXPRESSION_ANY:
        text_add(text, "%s", expression->text);
        break;
    case EXPRESSION_STR:
        print_str(text, expression->bytes, expression->length);
        break;
    case EXPRESSION_BYTES:
        print_bytes(text, expression->bytes, expression->length);
        break;
    case EXPRESSION_TUPLE:
        text_add(text, "%s", expression->integer == 1 ? "" : "(");
        print_items(text, expression);
        text_add(text, "%s", expression->integer == 1 ? "" : expression->count == 1 ? ",)" : ")");
        break;
    case EXPRESSION_LIST:
        text_add(text, "[");
        print_items(text, expression);
        text_add(text, "]");
        break;
    case EXPRESSION_CALL:
    case EXPRESSION_METHOD:
        print_call(text, expression);
        break;
    case EXPRESSION_INDEX:
    case EXPRESSION_SLICE:
        print_expression(text, expression->left);
        text_add(text, "[");
        if (expression->right != NULL) {
            print_expression(text, expression->right);
        }
        if (expression->kind == EXPRESSION_SLICE) {
            text_add(text, ":");
            if (expression->third != NULL) {
                print_expression(text, expression->third);
            }
        }
        text_add(text, "]");
        break;
    case EXPRESSION_BINARY:
        print_expression(text, expression->left);
        text_add(text, " %s ", expression->text);
        print_expression(text, expression->right);
        break;
    case EXPRESSION_MINUS:
    case EXPRESSION_INVERT:
        text_add(text, "%s", expression->kind == EXPRESSION_MINUS ? "-" : "~");
        print_expression(text, expression->left);
        break;
    case EXPRESSION_GROUP:
        text_add(text, "(");
        print_expression(text, expression->left);
        text_add(text, ")");
        break;
    }
}

/* ---- steps ---------------------------------------------------------------------------------- */

void print_step(struct text *text, const struct step *step)
{
    if (step->kind == STEP_SYNC) {
        text_add(text, "sync %s", step->sync);
        return;
    }
    if (step->target != NULL) {
        print_expression(text, step->target);
        text_add(text, " = ");
    }
    print_expression(text, step->expression);
}

void print_expectation(struct text *text, const struct expectation *expect)
{
    text_add(text, "%s", "");
    if (expect->kind == EXPECT_NOTHING) {
        return;
    }
    text_add(text, "->");
    if (expect->kind == EXPECT_VALUE) {
        text_add(text, " ");
        print_expression(text, expect->pattern);
    } else if (expect->kind == EXPECT_RAISES) {
        text_add(text, " raises %s", expect->raises);
        if (expect->code != NULL) {
            text_add(text, "(%s)", expect->code);
        }
    }
    if (expect->has_duration) {
        text_add(text, " +%s", expect->duration.text);
    }
    if (expect->has_instant) {
        text_add(text, " @ %s", expect->instant.text);
    }
    if (expect->differs != NULL) {
        text_add(text, " differs %s ", expect->differs);
        print_str(text, expect->reason, strlen(expect->reason));
    }
}

/* ---- the file ------------------------------------------------------------------------------- */

static const char *outcome_of(const struct scenario *scenario, uint32_t actor, uint32_t step,
                              const char *(*outcomes)(void *, uint32_t, uint32_t), void *context,
                              struct text *scratch)
{
    const char *given = outcomes != NULL ? outcomes(context, actor, step) : NULL;
    if (given != NULL) {
        return given;
    }
    scratch->length = 0;
    print_expectation(scratch, &scenario->actors[actor].steps[step].expect);
    return scratch->bytes;
}

static size_t repeat_length(const struct step *step)
{
    return step->repeat > 0 ? (size_t)snprintf(NULL, 0, "repeat %u ", step->repeat) : 0;
}

static size_t expectation_column(const struct actor_lines *actor)
{
    size_t column = EXPECTATION_COLUMN;
    for (uint32_t i = 0; i < actor->step_count; i++) {
        size_t length = strlen(actor->steps[i].text) + repeat_length(&actor->steps[i]);
        if (actor->steps[i].expect.kind != EXPECT_NOTHING && length <= LONGEST_ALIGNED &&
            length + 1 > column) {
            column = length + 1;
        }
    }
    return column;
}

/* The last blank outside quotes where a line may break so that it ends by `limit`; else the first one
 * behind that; the text's length when there is none. */
static size_t break_at(const char *line, size_t length, size_t limit)
{
    size_t found = length;
    char quote = 0;
    for (size_t i = 0; i < length; i++) {
        if (quote != 0 && line[i] == '\\') {
            i++;
        } else if (quote != 0 ? line[i] == quote : line[i] == '"' || line[i] == '\'') {
            quote = quote != 0 ? 0 : line[i];
        } else if (quote == 0 && line[i] == ' ' && i > 0) {
            if (i > limit) {
                return found < length ? found : i;
            }
            found = i;
        }
    }
    return length <= limit ? length : found;
}

/* A line written over several: on one where it is short enough, else broken again. */
static void print_pieces(struct text *text, const char *line)
{
    size_t indent = 0;
    for (;;) {
        size_t length = strlen(line), end = break_at(line, length, WRAP_COLUMN - indent);
        text_add(text, "%*s", (int)indent, "");
        text_add_bytes(text, line, end);
        if (end == length) {
            return;
        }
        text_add(text, " \\\n");
        line += end + 1;
        indent = WRAP_INDENT;
    }
}

static void print_step_line(struct text *text, const struct scenario_file_line *line,
                            const struct actor_lines *actor, const char *outcome)
{
    const struct step *step = &actor->steps[line->step];
    struct text own = {0};
    text_add(&own, "%s", "");
    if (step->repeat > 0) {
        text_add(&own, "repeat %u ", step->repeat);
    }
    text_add(&own, "%s", step->text);
    bool wraps = line->continued && own.length + strlen(outcome) + 1 > WRAP_COLUMN;
    if (*outcome != 0) {
        text_pad(&own, wraps ? 0 : expectation_column(actor));
        text_add(&own, "%s%s", own.bytes[own.length - 1] == ' ' ? "" : " ", outcome);
    }
    if (wraps) {
        print_pieces(text, own.bytes);
    } else {
        text_add_bytes(text, own.bytes, own.length);
    }
    text_free(&own);
}

void print_scenario(struct text *text, const struct scenario *scenario,
                    const char *(*outcomes)(void *context, uint32_t actor, uint32_t step),
                    void *context)
{
    struct text scratch = {0};

    for (uint32_t i = 0; i < scenario->line_count; i++) {
        const struct scenario_file_line *line = &scenario->lines[i];
        const struct actor_lines *actor = &scenario->actors[line->actor];
        if (line->kind == LINE_STEP) {
            const char *outcome = outcome_of(scenario, line->actor, line->step, outcomes, context,
                                             &scratch);
            print_step_line(text, line, actor, outcome);
        } else if (line->kind == LINE_SECTION) {
            if (actor->host_written) {
                text_add(text, "[%s on %s]", actor->name, scenario->hosts[actor->host].name);
            } else {
                text_add(text, "[%s]", actor->name);
            }
        } else if (line->continued && line->kind == LINE_HEAD) {
            print_pieces(text, line->text);
        } else if (line->kind != LINE_BLANK) {
            text_add(text, "%s", line->text);
        }
        if (line->comment != NULL) {
            text_add(text, "%*s%s", COMMENT_GAP, "", line->comment);
        }
        text_add(text, "\n");
    }
    text_free(&scratch);
}
