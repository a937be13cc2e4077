/* Reads steps: Python's expressions, one call a line, and what each must show.
 * SPDX-License-Identifier: MIT */
#include "parser.h"
#include "constant.h"

#include <string.h>

#include "print.h"
#include "value.h"

static int parse_expression(struct parser *parser, struct expression **result);

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

static int advance(struct parser *parser)
{
    parser->token = parser->ahead;
    return lexer_next(&parser->lexer, &parser->ahead);
}

static bool at_mark(const struct parser *parser, const char *mark)
{
    return parser->token.kind == TOKEN_MARK && token_is(&parser->token, mark);
}

static int expect_mark(struct parser *parser, const char *mark, const char *why)
{
    if (!at_mark(parser, mark)) {
        return parser_wrong(parser, parser->token.at, "expected '%s' %s", mark, why);
    }
    return advance(parser);
}

static struct expression *make(struct parser *parser, enum expression_kind kind, struct source_at at)
{
    struct expression *made = arena_take(&parser->scenario->arena, sizeof *made);

    made->kind = kind;
    made->at = at;
    return made;
}

static void add_item(struct parser *parser, struct expression *list, struct expression *item,
                     const char *keyword)
{
    struct arena *arena = &parser->scenario->arena;

    list->items = arena_grow(arena, list->items, list->count, sizeof(struct expression *));
    list->keywords = arena_grow(arena, list->keywords, list->count, sizeof(char *));
    list->items[list->count] = item;
    list->keywords[list->count] = keyword;
    list->count++;
}

/* ---- expressions ---------------------------------------------------------------------------- */

static int parse_items(struct parser *parser, struct expression *list, const char *end)
{
    while (!at_mark(parser, end)) {
        struct expression *item;

        if (parse_expression(parser, &item) != 0) {
            return -1;
        }
        add_item(parser, list, item, NULL);
        if (!at_mark(parser, ",")) {
            break;
        }
        if (advance(parser) != 0) {
            return -1;
        }
    }
    return expect_mark(parser, end, "to close this list");
}

/* `(`: a tuple, or an expression in parentheses. */
static int parse_parentheses(struct parser *parser, struct expression **result)
{
    struct expression *made = make(parser, EXPRESSION_TUPLE, parser->token.at);

    *result = made;
    if (advance(parser) != 0) {
        return -1;
    }
    if (at_mark(parser, ")")) {
        return advance(parser);
    }
    struct expression *first;
    if (parse_expression(parser, &first) != 0) {
        return -1;
    }
    if (at_mark(parser, ")")) {
        made->kind = EXPRESSION_GROUP;
        made->left = first;
        return advance(parser);
    }
    add_item(parser, made, first, NULL);
    if (expect_mark(parser, ",", "or ')' here") != 0) {
        return -1;
    }
    return parse_items(parser, made, ")");
}

static int parse_arguments(struct parser *parser, struct expression *call)
{
    if (advance(parser) != 0) {
        return -1;
    }
    while (!at_mark(parser, ")")) {
        struct expression *item;
        const char *keyword = NULL;

        if (parser->token.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_MARK &&
            token_is(&parser->ahead, "=")) {
            keyword = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
            if (advance(parser) != 0 || advance(parser) != 0) {
                return -1;
            }
        } else if (call->count > 0 && call->keywords[call->count - 1] != NULL) {
            return parser_wrong(parser, parser->token.at,
                                "an argument without a name follows one with a name: move it forward");
        }
        if (parse_expression(parser, &item) != 0) {
            return -1;
        }
        add_item(parser, call, item, keyword);
        if (!at_mark(parser, ",")) {
            break;
        }
        if (advance(parser) != 0) {
            return -1;
        }
    }
    return expect_mark(parser, ")", "to close the call");
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
    struct expression *made = make(parser, EXPRESSION_NAME, token.at);

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
    if (advance(parser) != 0) {
        return -1;
    }
    if (made->kind == EXPRESSION_NAME && at_mark(parser, "(")) {
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
    if (at_mark(parser, "(")) {
        return parse_parentheses(parser, result);
    }
    made = make(parser, EXPRESSION_LIST, token.at);
    *result = made;
    if (at_mark(parser, "[")) {
        if (advance(parser) != 0) {
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
    } else if (at_mark(parser, "...") && parser->in_pattern) {
        made->kind = EXPRESSION_ANY;
    } else if (token.kind == TOKEN_TIME) {
        return parser_wrong(parser, token.at,
                            "a time stands only behind '+' or '@': write seconds "
                            "as a number here");
    } else {
        return parser_wrong(parser, token.at, "expected a value here");
    }
    return advance(parser);
}

static int parse_index(struct parser *parser, struct expression *made)
{
    if (advance(parser) != 0) {
        return -1;
    }
    if (!at_mark(parser, ":") && parse_expression(parser, &made->right) != 0) {
        return -1;
    }
    if (at_mark(parser, ":")) {
        made->kind = EXPRESSION_SLICE;
        if (advance(parser) != 0) {
            return -1;
        }
        if (!at_mark(parser, "]") && parse_expression(parser, &made->third) != 0) {
            return -1;
        }
    }
    return expect_mark(parser, "]", "to close the index");
}

static int parse_postfix(struct parser *parser, struct expression **result)
{
    if (parse_atom(parser, result) != 0) {
        return -1;
    }
    for (;;) {
        struct expression *made;

        if (at_mark(parser, "[")) {
            made = make(parser, EXPRESSION_INDEX, parser->token.at);
            made->left = *result;
            if (parse_index(parser, made) != 0) {
                return -1;
            }
        } else if (at_mark(parser, ".")) {
            if (advance(parser) != 0) {
                return -1;
            }
            if (parser->token.kind != TOKEN_NAME) {
                return parser_wrong(parser, parser->token.at, "expected a method's name behind '.'");
            }
            made = make(parser, EXPRESSION_METHOD, parser->token.at);
            made->text = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
            made->left = *result;
            if (advance(parser) != 0) {
                return -1;
            }
            if (at_mark(parser, "(")) {
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
    if (!at_mark(parser, "-") && !at_mark(parser, "~")) {
        return parse_postfix(parser, result);
    }
    struct expression *made = make(parser, at_mark(parser, "-") ? EXPRESSION_MINUS : EXPRESSION_INVERT,
                                   parser->token.at);

    *result = made;
    if (++parser->depth > PARSER_DEPTH) {
        return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
    }
    if (advance(parser) != 0 || parse_unary(parser, &made->left) != 0) {
        return -1;
    }
    parser->depth--;
    if (made->kind == EXPRESSION_MINUS && made->left->kind == EXPRESSION_INT) {
        note_number(parser->scenario, -made->left->integer);
    }
    return 0;
}

static const char *const levels[][3] = {{"|"}, {"&"}, {"<<"}, {"+", "-"}, {"*"}};
enum { LEVELS = sizeof levels / sizeof *levels };

static const char *operator_here(const struct parser *parser, size_t level)
{
    /* `+40ms` behind a value is its time. */
    if (parser->ahead.kind == TOKEN_TIME) {
        return NULL;
    }
    for (size_t i = 0; i < 3 && levels[level][i] != NULL; i++) {
        if (at_mark(parser, levels[level][i])) {
            return levels[level][i];
        }
    }
    return NULL;
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
        struct expression *made = make(parser, EXPRESSION_BINARY, parser->token.at);

        if (parser->in_expectation && parser->depth == 1 && *mark == '+' &&
            parser->ahead.kind == TOKEN_INT) {
            return parser_wrong(parser, parser->ahead.at,
                                "a time needs its unit (ns us ms s min h): "
                                "a sum here stands in parentheses");
        }
        made->text = mark;
        made->left = *result;
        if (++parser->depth > PARSER_DEPTH) {
            return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
        }
        if (advance(parser) != 0 || parse_level(parser, level + 1, &made->right) != 0) {
            return -1;
        }
        *result = made;
    }
    return 0;
}

static int parse_expression(struct parser *parser, struct expression **result)
{
    if (++parser->depth > PARSER_DEPTH) {
        return parser_wrong(parser, parser->token.at, "the expression is nested too deeply");
    }
    int status = parse_level(parser, 0, result);
    parser->depth--;
    return status;
}

/* ---- expectations --------------------------------------------------------------------------- */

static const char *const exceptions[] = {
    "OSError",       "timeout",      "gaierror",    "herror",      "ValueError", "TypeError",
    "OverflowError", "UnicodeError", "interrupted", "unsupported", "EOFError",   "IndexError",
};

/* What a Python writer may put, and how it is written here. */
static const struct python_name {
    const char *name, *cure;
} python_names[] = {
    {"TimeoutError", "timeout"},
    {"BlockingIOError", "OSError(EAGAIN), or OSError(EINPROGRESS) of a connect"},
    {"InterruptedError", "OSError(EINTR), or interrupted when the handler raises"},
    {"ConnectionRefusedError", "OSError(ECONNREFUSED)"},
    {"ConnectionResetError", "OSError(ECONNRESET)"},
    {"ConnectionAbortedError", "OSError(ECONNABORTED)"},
    {"BrokenPipeError", "OSError(EPIPE)"},
    {"FileNotFoundError", "OSError(ENOENT)"},
    {"PermissionError", "OSError(EACCES) or OSError(EPERM)"},
};

/* The code in its parentheses: only what has codes of its own takes one. */
static int parse_code(struct parser *parser, struct expectation *expect)
{
    int64_t number;

    if (strcmp(expect->raises, "OSError") != 0 && strcmp(expect->raises, "gaierror") != 0 &&
        strcmp(expect->raises, "herror") != 0) {
        return parser_wrong(parser, parser->token.at, "%s has no code: leave out the parentheses",
                            expect->raises);
    }
    expect->code = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
    if (strcmp(expect->raises, "OSError") == 0 && parser->token.kind == TOKEN_NAME &&
        constant_number(expect->code, &number) != 0) {
        return parser_wrong(parser, parser->token.at,
                            "\"%s\" is not the name of an errno, such as ECONNREFUSED", expect->code);
    }
    return advance(parser);
}

static int parse_raises(struct parser *parser, struct expectation *expect)
{
    bool known = false;

    for (size_t i = 0; i < sizeof python_names / sizeof *python_names; i++) {
        if (token_is(&parser->token, python_names[i].name)) {
            return parser_wrong(parser, parser->token.at, "%s is written %s here", python_names[i].name,
                                python_names[i].cure);
        }
    }

    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if (token_is(&parser->token, exceptions[i])) {
            expect->raises = exceptions[i];
            known = true;
        }
    }
    if (!known) {
        return parser_wrong(parser, parser->token.at,
                            "expected what it raises: OSError timeout gaierror herror ValueError "
                            "TypeError OverflowError UnicodeError IndexError EOFError interrupted "
                            "unsupported");
    }
    expect->kind = EXPECT_RAISES;
    if (advance(parser) != 0) {
        return -1;
    }
    if (!at_mark(parser, "(")) {
        return 0;
    }
    if (advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_INT && !at_mark(parser, ")")) {
        return parser_wrong(parser, parser->token.at,
                            "expected the error's name here, such as ECONNREFUSED");
    }
    if (!at_mark(parser, ")") && parse_code(parser, expect) != 0) {
        return -1;
    }
    return expect_mark(parser, ")", "behind the error's name");
}

static int parse_time(struct parser *parser, bool *has, uint64_t *ns, const char **text)
{
    if (*has) {
        return parser_wrong(parser, parser->token.at, "this time is stated already: keep one");
    }
    if (advance(parser) != 0) {
        return -1;
    }
    bool zero = parser->token.kind == TOKEN_INT && parser->token.integer == 0;
    if (parser->token.kind != TOKEN_TIME && !zero) {
        return parser_wrong(parser, parser->token.at,
                            "expected a time such as 40ms (units are ns us ms s min h)");
    }
    *has = true;
    *ns = parser->token.time_ns;
    *text = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
    return advance(parser);
}

static int parse_differs(struct parser *parser, struct expectation *expect)
{
    if (advance(parser) != 0) {
        return -1;
    }
    if (!token_is(&parser->token, "kernel") && !token_is(&parser->token, "world")) {
        return parser_wrong(parser, parser->token.at,
                            "expected 'kernel' or 'world' here: where the "
                            "outcome may differ");
    }
    expect->differs = token_is(&parser->token, "kernel") ? "kernel" : "world";
    if (advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_STR || parser->token.count == 0) {
        return parser_wrong(parser, parser->token.at, "expected the reason in quotes here");
    }
    expect->reason = parser->token.bytes;
    return advance(parser);
}

static int parse_expectation(struct parser *parser, struct expectation *expect)
{
    expect->at = parser->token.at;
    expect->kind = EXPECT_ANY;
    if (advance(parser) != 0) {
        return -1;
    }
    parser->in_pattern = true;
    parser->in_expectation = true;
    parser->depth = 0;
    if (token_is(&parser->token, "raise")) {
        return parser_wrong(parser, parser->token.at, "write raises, with an s");
    }
    if (token_is(&parser->token, "raises")) {
        if (advance(parser) != 0 || parse_raises(parser, expect) != 0) {
            return -1;
        }
    } else if (!at_mark(parser, "+") && !at_mark(parser, "@") && !token_is(&parser->token, "differs")) {
        struct expression *pattern;

        if (parse_expression(parser, &pattern) != 0) {
            return -1;
        }
        expect->kind = EXPECT_VALUE;
        expect->pattern = pattern;
    }
    if (at_mark(parser, "+") &&
        parse_time(parser, &expect->has_duration, &expect->duration_ns, &expect->duration_text) != 0) {
        return -1;
    }
    if (at_mark(parser, "@") &&
        parse_time(parser, &expect->has_instant, &expect->instant_ns, &expect->instant_text) != 0) {
        return -1;
    }
    if (token_is(&parser->token, "differs") && parse_differs(parser, expect) != 0) {
        return -1;
    }
    return 0;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* `a, b = …`: what stands before '=' is read as expressions and must be names. */
static int check_target(struct parser *parser, const struct expression *target)
{
    if (target->kind == EXPRESSION_NAME || target->kind == EXPRESSION_ANY) {
        return 0;
    }
    if (target->kind == EXPRESSION_GROUP) {
        return check_target(parser, target->left);
    }
    if (target->kind != EXPRESSION_TUPLE || target->count == 0) {
        return parser_wrong(parser, target->at, "only names can be assigned to");
    }
    for (uint32_t i = 0; i < target->count; i++) {
        if (check_target(parser, target->items[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static int parse_sync(struct parser *parser, struct step *step)
{
    if (advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_NAME) {
        return parser_wrong(parser, parser->token.at, "expected the sync's name here");
    }
    step->kind = STEP_SYNC;
    step->sync = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
    return advance(parser);
}

/* `sleep 0.2` is short for sleep(0.2). */
static int parse_sleep(struct parser *parser, struct step *step)
{
    struct expression *call = make(parser, EXPRESSION_CALL, parser->token.at), *seconds;

    call->text = "sleep";
    if (advance(parser) != 0 || parse_expression(parser, &seconds) != 0) {
        return -1;
    }
    add_item(parser, call, seconds, NULL);
    step->expression = call;
    return 0;
}

/* A first list of expressions; when '=' follows they are the targets. */
static int parse_statement(struct parser *parser, struct step *step)
{
    struct expression *first, *list = NULL;
    bool in_pattern = parser->in_pattern;

    parser->in_pattern = true; /* `_` may be a target; check.c refuses it elsewhere */
    if (parse_expression(parser, &first) != 0) {
        return -1;
    }
    while (at_mark(parser, ",")) {
        struct expression *next;

        if (list == NULL) {
            list = make(parser, EXPRESSION_TUPLE, first->at);
            list->integer = 1; /* written without parentheses */
            add_item(parser, list, first, NULL);
        }
        if (advance(parser) != 0 || parse_expression(parser, &next) != 0) {
            return -1;
        }
        add_item(parser, list, next, NULL);
    }
    parser->in_pattern = in_pattern;
    step->expression = list != NULL ? list : first;
    if (!at_mark(parser, "=")) {
        if (list != NULL) {
            return parser_wrong(parser, parser->token.at, "expected '=' behind these names");
        }
        return 0;
    }
    if (step->target != NULL) {
        return parser_wrong(parser, parser->token.at, "assign once a line");
    }
    step->target = step->expression;
    if (check_target(parser, step->target) != 0 || advance(parser) != 0) {
        return -1;
    }
    struct expression *value;
    if (parse_expression(parser, &value) != 0) {
        return -1;
    }
    step->expression = value;
    return 0;
}

int parser_step(struct parser *parser, struct step *step)
{
    int status;

    step->at = parser->token.at;
    step->kind = STEP_CALL;
    if (token_is(&parser->token, "sync") && parser->ahead.kind == TOKEN_NAME) {
        status = parse_sync(parser, step);
    } else if (token_is(&parser->token, "sleep") &&
               (parser->ahead.kind == TOKEN_INT || parser->ahead.kind == TOKEN_FLOAT)) {
        status = parse_sleep(parser, step);
    } else {
        status = parse_statement(parser, step);
    }
    if (status != 0) {
        return -1;
    }
    if (at_mark(parser, "->")) {
        if (step->kind == STEP_SYNC) {
            return parser_wrong(parser, parser->token.at, "a sync has no outcome: remove '->'");
        }
        if (parse_expectation(parser, &step->expect) != 0) {
            return -1;
        }
    }
    if (parser->token.kind != TOKEN_END) {
        return parser_wrong(parser, parser->token.at, "expected the end of the line here");
    }
    struct text text = {0};
    print_step(&text, step);
    step->text = arena_text(&parser->scenario->arena, text.bytes);
    text_free(&text);
    return 0;
}
