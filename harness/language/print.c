/* Prints scenarios back in their canonical form.
 * SPDX-License-Identifier: MIT */
#include "print.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    EXPECTATION_COLUMN = 38, /* of `->`, or further right where a section's steps are longer */
    LONGEST_ALIGNED = 64,    /* longer steps do not move the others' `->` */
    COMMENT_GAP = 2,
};

/* ---- literals ------------------------------------------------------------------------------- */

static bool print_common_escape(struct text *text, unsigned char byte)
{
    switch (byte) {
    case '\n':
        text_add(text, "\\n");
        return true;
    case '\r':
        text_add(text, "\\r");
        return true;
    case '\t':
        text_add(text, "\\t");
        return true;
    case '\\':
        text_add(text, "\\\\");
        return true;
    case '"':
        text_add(text, "\\\"");
        return true;
    case 0:
        text_add(text, "\\x00");
        return true;
    default:
        return false;
    }
}

void print_bytes(struct text *text, const char *bytes, size_t length)
{
    text_add(text, "b\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (print_common_escape(text, byte)) {
            continue;
        }
        if (byte >= 0x20 && byte < 0x7f) {
            text_add_bytes(text, &bytes[i], 1);
        } else {
            text_add(text, "\\x%02x", byte);
        }
    }
    text_add(text, "\"");
}

/* Length of the well-formed UTF-8 character that begins here, or 0. */
static size_t utf8_length(const unsigned char *bytes, size_t room)
{
    size_t length = bytes[0] >= 0xc2 && bytes[0] < 0xe0   ? 2
                    : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                    : bytes[0] >= 0xf0 && bytes[0] < 0xf5 ? 4
                                                          : 0;

    if (length == 0 || length > room) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] >= 0xa0) ||
        (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] >= 0x90)) {
        return 0;
    }
    return length;
}

void print_str(struct text *text, const char *bytes, size_t length)
{
    text_add(text, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        size_t wide = utf8_length((const unsigned char *)bytes + i, length - i);

        if (wide > 0) {
            text_add_bytes(text, bytes + i, wide);
            i += wide - 1;
        } else if (byte >= 0x80) {
            text_add(text, "\\udc%02x", byte); /* surrogateescape */
        } else if (!print_common_escape(text, byte)) {
            if (byte >= 0x20 && byte < 0x7f) {
                text_add_bytes(text, &bytes[i], 1);
            } else {
                text_add(text, "\\x%02x", byte);
            }
        }
    }
    text_add(text, "\"");
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
        text_add(text, " +%s", expect->duration_text);
    }
    if (expect->has_instant) {
        text_add(text, " @ %s", expect->instant_text);
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

static size_t expectation_column(const struct actor_lines *actor)
{
    size_t column = EXPECTATION_COLUMN;

    for (uint32_t i = 0; i < actor->step_count; i++) {
        size_t length = strlen(actor->steps[i].text);

        if (actor->steps[i].expect.kind != EXPECT_NOTHING && length <= LONGEST_ALIGNED &&
            length + 1 > column) {
            column = length + 1;
        }
    }
    return column;
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

            text_add(text, "%s", actor->steps[line->step].text);
            if (*outcome != 0) {
                text_pad(text, expectation_column(actor));
                text_add(text, "%s%s", text->bytes[text->length - 1] == ' ' ? "" : " ", outcome);
            }
        } else if (line->kind == LINE_SECTION) {
            if (actor->host_written) {
                text_add(text, "[%s on %s]", actor->name, scenario->hosts[actor->host].name);
            } else {
                text_add(text, "[%s]", actor->name);
            }
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
