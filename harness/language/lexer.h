/* Tokens of a step line and words of a head line, each with its place.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_LEXER_H
#define HARNESS_LEXER_H

#include "scenario.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_NAME,  /* text, length */
    TOKEN_INT,   /* integer; text, length as written */
    TOKEN_FLOAT, /* real; text, length as written */
    TOKEN_TIME,  /* a number with a unit: nanoseconds in time_ns; text, length as written */
    TOKEN_STR,   /* bytes, count: in the lexer's arena */
    TOKEN_BYTES,
    TOKEN_MARK, /* one of ( ) [ ] , . = : | & + - * << ~ -> @ ... : text, length */
};

struct token {
    enum token_kind kind;
    struct source_at at;
    const char *text;
    size_t length;
    int64_t integer;
    double real;
    uint64_t time_ns;
    const char *bytes;
    size_t count;
};

struct lexer {
    const char *line; /* one line, not NUL-terminated */
    size_t length;
    size_t offset;
    uint32_t number; /* of the line */
    struct arena *arena;
    struct diagnostic *wrong;
};

/* The next token; -1 with the diagnostic filled. */
int lexer_next(struct lexer *lexer, struct token *token);
bool token_is(const struct token *token, const char *text); /* a name or mark of this spelling */
/* The next word of a head line: what lies between blanks, quoted text being part of a word. 0 with
 * *length 0 at the end. */
int lexer_word(struct lexer *lexer, const char **word, size_t *length, struct source_at *at);
/* Where the comment behind a line begins: a '#' outside quotes, at the line's start or behind a
 * blank. `length` when there is none. */
size_t lexer_comment(const char *line, size_t length);
/* Fills the diagnostic; always -1. */
int lexer_wrong(struct lexer *lexer, struct source_at at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
