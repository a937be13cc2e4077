/* Reads steps: one call a line, and what each must show.
 * SPDX-License-Identifier: MIT */
#include "parser.h"
#include "constant.h"
#include "suggest.h"

#include <string.h>

#include "print.h"
#include "value.h"

enum { MOST_REPEATS = 10000 };

/* ---- expectations --------------------------------------------------------------------------- */

static const char *const exceptions[] = {
    "OSError",       "timeout",      "gaierror",    "herror",      "ValueError", "TypeError",
    "OverflowError", "UnicodeError", "interrupted", "unsupported", "EOFError",   "IndexError",
};

enum { EXCEPTIONS = sizeof exceptions / sizeof *exceptions };

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
        struct suggestion nearest = {.word = expect->code, .length = strlen(expect->code)};
        char question[SUGGEST_BYTES + 24];
        constant_offer(&nearest);
        return parser_wrong(parser, parser->token.at,
                            "\"%.80s\" is not the name of an errno, such as ECONNREFUSED%s",
                            expect->code, suggest_question(&nearest, question));
    }
    return parser_advance(parser);
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

    for (size_t i = 0; i < EXCEPTIONS; i++) {
        if (token_is(&parser->token, exceptions[i])) {
            expect->raises = exceptions[i];
            known = true;
        }
    }
    if (!known) {
        struct suggestion nearest = {.word = parser->token.text, .length = parser->token.length};
        char question[SUGGEST_BYTES + 24] = "";
        for (size_t i = 0; parser->token.kind == TOKEN_NAME && i < EXCEPTIONS; i++) {
            suggest_offer(&nearest, exceptions[i]);
        }
        return parser_wrong(parser, parser->token.at,
                            "expected what it raises%s: OSError timeout gaierror herror ValueError "
                            "TypeError OverflowError UnicodeError IndexError EOFError interrupted "
                            "unsupported",
                            suggest_question(&nearest, question));
    }
    expect->kind = EXPECT_RAISES;
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (!parser_at_mark(parser, "(")) {
        return 0;
    }
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_INT &&
        !parser_at_mark(parser, ")")) {
        return parser_wrong(parser, parser->token.at,
                            "expected the error's name here, such as ECONNREFUSED");
    }
    if (!parser_at_mark(parser, ")") && parse_code(parser, expect) != 0) {
        return -1;
    }
    return parser_expect_mark(parser, ")", "behind the error's name");
}

static int take_time(struct parser *parser, uint64_t *ns)
{
    bool zero = parser->token.kind == TOKEN_INT && parser->token.integer == 0;
    if (parser->token.kind != TOKEN_TIME && !zero) {
        return parser_wrong(parser, parser->token.at,
                            "expected a time such as 40ms (units are ns us ms s min h)");
    }
    *ns = parser->token.time_ns;
    return parser_advance(parser);
}

/* A time, or two with `..` between them. */
static int parse_time(struct parser *parser, bool *has, struct time_range *range)
{
    if (*has) {
        return parser_wrong(parser, parser->token.at, "this time is stated already: keep one");
    }
    if (parser_advance(parser) != 0) {
        return -1;
    }
    struct token first = parser->token, last;
    *has = true;
    if (take_time(parser, &range->least_ns) != 0) {
        return -1;
    }
    range->most_ns = range->least_ns;
    struct arena *arena = &parser->scenario->arena;
    range->text = arena_copy(arena, first.text, first.length);
    if (!parser_at_mark(parser, "..")) {
        return 0;
    }
    if (parser_advance(parser) != 0) {
        return -1;
    }
    last = parser->token;
    if (take_time(parser, &range->most_ns) != 0) {
        return -1;
    }
    if (range->most_ns <= range->least_ns) {
        return parser_wrong(parser, last.at, "a range of times ends later than it begins: 40ms..60ms");
    }
    range->text = arena_print(arena, "%s..%.*s", range->text, (int)last.length, last.text);
    return 0;
}

static int parse_differs(struct parser *parser, struct expectation *expect)
{
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (!token_is(&parser->token, "kernel") && !token_is(&parser->token, "world")) {
        return parser_wrong(parser, parser->token.at,
                            "expected 'kernel' or 'world' here: where the "
                            "outcome may differ");
    }
    expect->differs = token_is(&parser->token, "kernel") ? "kernel" : "world";
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_STR || parser->token.count == 0) {
        return parser_wrong(parser, parser->token.at, "expected the reason in quotes here");
    }
    expect->reason = parser->token.bytes;
    return parser_advance(parser);
}

static int parse_expectation(struct parser *parser, struct expectation *expect)
{
    expect->at = parser->token.at;
    expect->kind = EXPECT_ANY;
    if (parser_advance(parser) != 0) {
        return -1;
    }
    parser->in_pattern = true;
    parser->in_expectation = true;
    parser->depth = 0;
    if (token_is(&parser->token, "raise")) {
        return parser_wrong(parser, parser->token.at, "write raises, with an s");
    }
    if (token_is(&parser->token, "raises")) {
        if (parser_advance(parser) != 0 || parse_raises(parser, expect) != 0) {
            return -1;
        }
    } else if (!parser_at_mark(parser, "+") && !parser_at_mark(parser, "@") &&
               !token_is(&parser->token, "differs")) {
        struct expression *pattern;
        if (parser_expression(parser, &pattern) != 0) {
            return -1;
        }
        expect->kind = EXPECT_VALUE;
        expect->pattern = pattern;
    }
    if (parser_at_mark(parser, "+") &&
        parse_time(parser, &expect->has_duration, &expect->duration) != 0) {
        return -1;
    }
    if (parser_at_mark(parser, "@") &&
        parse_time(parser, &expect->has_instant, &expect->instant) != 0) {
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
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (parser->token.kind != TOKEN_NAME) {
        return parser_wrong(parser, parser->token.at, "expected the sync's name here");
    }
    step->kind = STEP_SYNC;
    step->sync = arena_copy(&parser->scenario->arena, parser->token.text, parser->token.length);
    return parser_advance(parser);
}

/* `sleep 0.2` is short for sleep(0.2). */
static int parse_sleep(struct parser *parser, struct step *step)
{
    struct expression *call = parser_make(parser, EXPRESSION_CALL, parser->token.at), *seconds;
    call->text = "sleep";
    if (parser_advance(parser) != 0 || parser_expression(parser, &seconds) != 0) {
        return -1;
    }
    parser_add_item(parser, call, seconds, NULL);
    step->expression = call;
    return 0;
}

/* A first list of expressions; when '=' follows they are the targets. */
static int parse_statement(struct parser *parser, struct step *step)
{
    struct expression *first, *list = NULL;
    bool in_pattern = parser->in_pattern;
    parser->in_pattern = true; /* `_` may be a target; check.c refuses it elsewhere */
    if (parser_expression(parser, &first) != 0) {
        return -1;
    }
    while (parser_at_mark(parser, ",")) {
        struct expression *next;
        if (list == NULL) {
            list = parser_make(parser, EXPRESSION_TUPLE, first->at);
            list->integer = 1; /* written without parentheses */
            parser_add_item(parser, list, first, NULL);
        }
        if (parser_advance(parser) != 0 || parser_expression(parser, &next) != 0) {
            return -1;
        }
        parser_add_item(parser, list, next, NULL);
    }
    parser->in_pattern = in_pattern;
    step->expression = list != NULL ? list : first;
    if (!parser_at_mark(parser, "=")) {
        if (list != NULL) {
            return parser_wrong(parser, parser->token.at, "expected '=' behind these names");
        }
        return 0;
    }
    if (step->target != NULL) {
        return parser_wrong(parser, parser->token.at, "assign once a line");
    }
    step->target = step->expression;
    if (check_target(parser, step->target) != 0 || parser_advance(parser) != 0) {
        return -1;
    }
    struct expression *value;
    if (parser_expression(parser, &value) != 0) {
        return -1;
    }
    step->expression = value;
    return 0;
}

/* `repeat N` before a step. */
static int parse_repeat(struct parser *parser, struct step *step)
{
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (parser->token.integer < 1 || parser->token.integer > MOST_REPEATS) {
        return parser_wrong(parser, parser->token.at, "a line repeats 1 to %d times", MOST_REPEATS);
    }
    step->repeat = (uint32_t)parser->token.integer;
    if (parser_advance(parser) != 0) {
        return -1;
    }
    if (token_is(&parser->token, "sync") && parser->ahead.kind == TOKEN_NAME) {
        return parser_wrong(parser, parser->token.at,
                            "a sync cannot repeat: each meeting needs its own name");
    }
    if (token_is(&parser->token, "repeat") && parser->ahead.kind == TOKEN_INT) {
        return parser_wrong(parser, parser->token.at, "a line repeats once: multiply the two numbers");
    }
    return 0;
}

/* What Python's flow of control begins with, and what is there instead. */
static int refuse_flow(struct parser *parser)
{
    static const char *const loops[] = {"for", "while"};
    static const char *const branches[] = {"if", "elif", "else", "try", "except", "finally", "match"};
    static const char *const others[] = {"def",    "class", "with",  "import",  "from",
                                         "return", "raise", "pass",  "assert",  "del",
                                         "lambda", "await", "break", "continue"};
    const struct token *token = &parser->token;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        if (token_is(token, loops[i])) {
            return parser_wrong(parser, token->at,
                                "there are no loops: write \"repeat N STEP\", or the steps one below "
                                "the other");
        }
    }
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++) {
        if (token_is(token, branches[i])) {
            return parser_wrong(parser, token->at,
                                "there are no branches: state what the step shows behind '->', and "
                                "write a file for each case");
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (token_is(token, others[i])) {
            return parser_wrong(parser, token->at,
                                "there is no \"%s\" here: a step is one call, [NAME =] CALL",
                                others[i]);
        }
    }
    return 0;
}

int parser_step(struct parser *parser, struct step *step)
{
    int status;
    step->at = parser->token.at;
    step->kind = STEP_CALL;
    if (token_is(&parser->token, "repeat") && parser->ahead.kind == TOKEN_INT &&
        parse_repeat(parser, step) != 0) {
        return -1;
    }
    if (refuse_flow(parser) != 0) {
        return -1;
    }
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
    if (parser_at_mark(parser, "->")) {
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
