/* What the parser's files share: one reading of one scenario.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_PARSER_H
#define HARNESS_PARSER_H

#include "lexer.h"

enum {
    PARSER_DEPTH = 200, /* nesting of expressions */
};

struct parser {
    struct scenario *scenario;
    struct lexer lexer;  /* of the current line */
    struct token token;  /* the one to take next */
    struct token ahead;  /* and the one behind it */
    bool in_pattern;     /* `_` and `...` are allowed */
    bool in_expectation; /* behind `->` */
    uint32_t depth;
    /* Lines whose actors are known only at the end: events that send signals. */
    struct pending_signal {
        uint32_t event;
        const char *actor;
        struct source_at at;
    } *pending;
    uint32_t pending_count;
    /* Names on lines that could not be read, so that their use below is not wrong, too. */
    struct lost_name {
        uint32_t actor;
        const char *name;
    } *lost;
    uint32_t lost_count;
    bool head_is_wrong;  /* a head line could not be read: what it would have named is unknown */
    const char *include; /* the file that the last head line includes; NULL: none */
    struct source_at include_at;
    uint32_t include_depth;
};

/* Says that there is no such host; always -1. */
int parser_no_host(struct parser *parser, struct source_at at, const char *name, size_t length);

/* head.c: one head line; *canonical is its text. */
int parser_head(struct parser *parser, const char **canonical);
/* parser.c: one step. */
int parser_step(struct parser *parser, struct step *step);

/* expression.c: begins to take tokens of the lexer's line; goes on to the next one. */
int parser_begin(struct parser *parser);
int parser_advance(struct parser *parser);
bool parser_at_mark(const struct parser *parser, const char *mark);
/* Takes this mark; -1 with "expected 'MARK' WHY" where it is not. */
int parser_expect_mark(struct parser *parser, const char *mark, const char *why);
/* A whole expression from the token on. */
int parser_expression(struct parser *parser, struct expression **result);
/* An expression made by hand, and one more item of its list. */
struct expression *parser_make(struct parser *parser, enum expression_kind kind, struct source_at at);
void parser_add_item(struct parser *parser, struct expression *list, struct expression *item,
                     const char *keyword);

/* check.c: all that can be said only of the whole file. */
int scenario_check(struct parser *parser);

#define parser_wrong(parser, ...) lexer_wrong(&(parser)->lexer, __VA_ARGS__)

#endif
