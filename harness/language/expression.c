/* Reads expressions: Python's literals, names, calls, indices and operators.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "parser.h"

/* ---- tokens --------------------------------------------------------------------------------- */

int parser_advance(struct parser *parser)
{
    parser->token = parser->ahead;
    return lexer_next(&parser->lexer, &parser->ahead);
}

bool parser_at_mark(const struct parser *parser, const char *mark)
{
    return parser->token.kind == TOKEN_MARK && token_is(&parser->token, mark);
}

int parser_expect_mark(struct parser *parser, const char *mark, const char *why)
{
    if (!parser_at_mark(parser, mark)) {
        return parser_wrong(parser, parser->token.at, "expected '%s' %s", mark, why);
    }
    return parser_advance(parser);
}

struct expression *parser_make(struct parser *parser, enum expression_kind kind, struct source_at at)
{
    struct expression *made = arena_take(&parser->scenario->arena, sizeof *made);
    made->kind = kind;
    made->at = at;
    return made;
}

void parser_add_item(struct parser *parser, struct expression *list, struct expression *item,
                     const char *keyword)
{
    struct arena *arena = &parser->scenario->arena;
    list->items = arena_grow(arena, list->items, list->count, sizeof(struct expression *));
    list->keywords = arena_grow(arena, list->keywords, list->count, sizeof(char *));
    list->items[list->count] = item;
    list->keywords[list->count] = keyword;
    list->count++;
}

int parser_begin(struct parser *parser)
{
    parser->depth = 0;
    parser->in_pattern = false;
    parser->in_expectation = false;
    if (lexer_next(&parser->lexer, &parser->token) != 0) {
        return -1;
    }
    return lexer_next(&parser->lexer, &parser->ahead);
}

/* ---- expressions ---------------------------------------------------------------------------- */

static int parse_items(struct parser *parser, struct expression *list, const char *end)
{
    while (!parser_at_mark(parser, end)) {
        struct expression *item;
        if (parser_expression(parser, &item) != 0) {
            return -1;
        }
        parser_add_item(parser, list, item, NULL);
        if (!parser_at_mark(parser, ",")) {
            break;
        }
        if (parser_advance(parser) != 0) {
            return -1;
        }
    }
    return parser_expect_mark(parser, end, "to close this list");
}

/* `(`: a tuple, or an expression in parentheses. */
static int parse_parentheses(struct parser *parser, struct expression **result)
{
    struct expression *made = parser_make(parser, EXPRESSION_TUPLE, parser->token.at);
    *result = made;
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (parser_at_mark(parser, ")")) {
        return parser_advance(parser);
    }
    struct expression *first;
    if (parser_expression(parser, &first) != 0) {
        return -1;
    }
    if (parser_at_mark(parser, ")")) {
        made->kind = EXPRESSION_GROUP;
        made->left = first;
        return parser_advance(parser);
    }
    parser_add_item(parser, made, first, NULL);
    if (parser_expect_mark(parser, ",", "or ')' here") != 0) {
        return -1;
    }
    return parse_items(parser, made, ")");
}

static int parse_arguments(struct parser *parser, struct expression *call)
{
    if (parser_advance(parser) != 0) {
        return -1;
    }
    while (!parser_at_mark(parser, ")")) {
        struct expression *item;
        const char *keyword = NULL;
        if (parser->token.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_MARK &&
            token_is(&parser->ahead, "=")) {
            keyword = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
            if (parser_advance(parser) != 0 || parser_advance(parser) != 0) {
                return -1;
            }
        } else if (call->count > 0 && call->keywords[call->count - 1] != NULL) {
            return parser_wrong(parser, parser->token.at,
                                "an argument without a name follows one with a name: move it forward");
        }
        if (parser_expression(parser, &item) != 0) {
            return -1;
        }
        parser_add_item(parser, call, item, keyword);
        if (!parser_at_mark(parser, ",")) {
            break;
        }
        if (parser_advance(parser) != 0) {
            return -1;
        }
    }
    return parser_expect_mark(parser, ")", "to close the call");
}

static void note_number(struct scenario *scenario, int64_t number)
{
    scenario->numbers = arena_grow(&scenario->arena, scenario->numbers, scenario->number_count,
                                   sizeof *scenario->numbers);
    scenario->numbers[scenario->number_count++] = number;
}

static int parse_name(struct parser *parser, struct expression **result)
{
    struct token token = parser->token;
    struct expression *made = parser_make(parser, EXPRESSION_NAME, token.at);
    *result = made;
    made->text = arena_copy(&parser->scenario->arena, token.text, token.length);
    if (token_is(&token, "None")) {
        made->kind = EXPRESSION_NONE;
    } else if (token_is(&token, "True") || token_is(&token, "False")) {
        made->kind = EXPRESSION_BOOL;
        made->integer = token_is(&token, "True");
    } else if (token_is(&token, "_")) {
        if (!parser->in_pattern) {
            return parser_wrong(parser, token.at,
                                "'_' stands for any value and is allowed only behind '->'");
        }
        made->kind = EXPRESSION_ANY;
    }
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (made->kind == EXPRESSION_NAME && parser_at_mark(parser, "(")) {
        made->kind = EXPRESSION_CALL;
        return parse_arguments(parser, made);
    }
    return 0;
}

static int parse_atom(struct parser *parser, struct expression **result)
{
    struct token token = parser->token;
    struct expression *made;
    if (token.kind == TOKEN_NAME) {
        return parse_name(parser, result);
    }
    if (parser_at_mark(parser, "(")) {
        return parse_parentheses(parser, result);
    }
    made = parser_make(parser, EXPRESSION_LIST, token.at);
    *result = made;
    if (parser_at_mark(parser, "[")) {
        if (parser_advance(parser) != 0) {
            return -1;
        }
        return parse_items(parser, made, "]");
    }
    made->text = arena_copy(&parser->scenario->arena, token.text, token.text ? token.length : 0);
    if (token.kind == TOKEN_INT) {
        made->kind = EXPRESSION_INT;
        made->integer = token.integer;
        note_number(parser->scenario, token.integer);
    } else if (token.kind == TOKEN_FLOAT) {
        made->kind = EXPRESSION_FLOAT;
        made->real = token.real;
    } else if (token.kind == TOKEN_STR || token.kind == TOKEN_BYTES) {
        made->kind = token.kind == TOKEN_STR ? EXPRESSION_STR : EXPRESSION_BYTES;
        made->bytes = token.bytes;
        made->length = token.count;
        /* "50007" as a port is a number that the file writes, too. */
        int64_t number = 0;
        bool digits = token.count > 0 && token.count < 8;
        for (size_t i = 0; digits && i < token.count; i++) {
            digits = token.bytes[i] >= '0' && token.bytes[i] <= '9';
            number = number * 10 + (token.bytes[i] - '0');
        }
        if (digits) {
            note_number(parser->scenario, number);
        }
    } else if (parser_at_mark(parser, "...") && parser->in_pattern) {
        made->kind = EXPRESSION_ANY;
    } else if (token.kind == TOKEN_TIME) {
        return parser_wrong(parser, token.at,
                            "a time stands only behind '+' or '@': write seconds "
                            "as a number here");
    } else {
        return parser_wrong(parser, token.at, "expected a value here");
    }
    return parser_advance(parser);
}

static int parse_index(struct parser *parser, struct expression *made)
{
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (!parser_at_mark(parser, ":") && parser_expression(parser, &made->right) != 0) {
        return -1;
    }
    if (parser_at_mark(parser, ":")) {
        made->kind = EXPRESSION_SLICE;
        if (parser_advance(parser) != 0) {
            return -1;
        }
        if (!parser_at_mark(parser, "]") && parser_expression(parser, &made->third) != 0) {
            return -1;
        }
    }
    return parser_expect_mark(parser, "]", "to close the index");
}

static int parse_postfix(struct parser *parser, struct expression **result)
{
    if (parse_atom(parser, result) != 0) {
        return -1;
    }
    for (;;) {
        struct expression *made;
        if (parser_at_mark(parser, "[")) {
            made = parser_make(parser, EXPRESSION_INDEX, parser->token.at);
            made->left = *result;
            if (parse_index(parser, made) != 0) {
                return -1;
            }
        } else if (parser_at_mark(parser, ".")) {
            if (parser_advance(parser) != 0) {
                return -1;
            }
            if (parser->token.kind != TOKEN_NAME) {
                return parser_wrong(parser, parser->token.at, "expected a method's name behind '.'");
            }
            made = parser_make(parser, EXPRESSION_METHOD, parser->token.at);
            made->text = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
            made->left = *result;
            if (parser_advance(parser) != 0) {
                return -1;
            }
            if (parser_at_mark(parser, "(")) {
                if (parse_arguments(parser, made) != 0) {
                    return -1;
                }
            } else {
                made->integer = 1; /* an attribute: s.family */
            }
        } else {
            return 0;
        }
        *result = made;
    }
}

static int parse_unary(struct parser *parser, struct expression **result)
{
    if (!parser_at_mark(parser, "-") && !parser_at_mark(parser, "~")) {
        return parse_postfix(parser, result);
    }
    struct expression *made = parser_make(
        parser, parser_at_mark(parser, "-") ? EXPRESSION_MINUS : EXPRESSION_INVERT, parser->token.at);

    *result = made;
    if (++parser->depth > PARSER_DEPTH) {
        return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
    }
    if (parser_advance(parser) != 0 || parse_unary(parser, &made->left) != 0) {
        return -1;
    }
    parser->depth--;
    if (made->kind == EXPRESSION_MINUS && made->left->kind == EXPRESSION_INT) {
        note_number(parser->scenario, -made->left->integer);
    }
    return 0;
}

static const char *const levels[][3] = {{"==", "!="}, {"|"}, {"&"}, {"<<"}, {"+", "-"}, {"*"}};
enum { LEVELS = sizeof levels / sizeof *levels };

/* In an expectation, outside of all brackets: where a time may follow. */
static bool is_outermost(const struct parser *parser)
{
    return parser->in_expectation && parser->depth == 1;
}

static const char *operator_here(const struct parser *parser, size_t level)
{
    /* `+40ms` and `+0` behind a value are its time. */
    if (parser->ahead.kind == TOKEN_TIME ||
        (is_outermost(parser) && parser_at_mark(parser, "+") && parser->ahead.kind == TOKEN_INT &&
         parser->ahead.integer == 0)) {
        return NULL;
    }
    for (size_t i = 0; i < 3 && levels[level][i] != NULL; i++) {
        if (parser_at_mark(parser, levels[level][i])) {
            return levels[level][i];
        }
    }
    return NULL;
}

static bool is_comparison(const char *mark)
{
    return mark[1] == '='; /* == and != */
}

static int parse_level(struct parser *parser, size_t level, struct expression **result)
{
    if (level == LEVELS) {
        return parse_unary(parser, result);
    }
    if (parse_level(parser, level + 1, result) != 0) {
        return -1;
    }
    for (const char *mark; (mark = operator_here(parser, level)) != NULL;) {
        struct expression *made = parser_make(parser, EXPRESSION_BINARY, parser->token.at);
        if (is_outermost(parser) && *mark == '+' && parser->ahead.kind == TOKEN_INT) {
            return parser_wrong(parser, parser->ahead.at,
                                "a time needs its unit (ns us ms s min h): "
                                "a sum here stands in parentheses");
        }
        if (level == 0 && (*result)->kind == EXPRESSION_BINARY && is_comparison((*result)->text)) {
            return parser_wrong(parser, parser->token.at,
                                "one comparison a line: put parentheses around the first");
        }
        made->text = mark;
        made->left = *result;
        if (++parser->depth > PARSER_DEPTH) {
            return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
        }
        if (parser_advance(parser) != 0 || parse_level(parser, level + 1, &made->right) != 0) {
            return -1;
        }
        *result = made;
    }
    return 0;
}

int parser_expression(struct parser *parser, struct expression **result)
{
    if (++parser->depth > PARSER_DEPTH) {
        return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
    }
    int status = parse_level(parser, 0, result);
    parser->depth--;
    return status;
}
