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
    TOKEN_MARK, /* one of ( ) [ ] , . = : | & + - * << == != ~ -> @ .. ... : text, length */
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

/* Where a piece of a line that is written over several lines comes from. */
struct lexer_piece {
    size_t offset;   /* within the line, where the piece begins */
    uint32_t line;   /* of the file */
    uint32_t column; /* of the piece's first byte there, from 0 */
};

struct lexer {
    const char *line; /* one line, not NUL-terminated */
    size_t length;
    size_t offset;
    uint32_t number;                  /* of the line */
    const char *file;                 /* that is included; NULL: the scenario's own */
    const struct lexer_piece *pieces; /* of a line over several lines; NULL: it stands on one */
    uint32_t piece_count;
    struct arena *arena;
    struct diagnostics *wrong;
    const char *path; /* of the scenario */
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
/* Whether the line goes on in the next: it ends in a blank and a '\\', outside quotes and comments. */
bool lexer_goes_on(const char *line, size_t length);
/* Notes what is wrong; always -1. One thing is noted of a line, the first. */
int lexer_wrong(struct lexer *lexer, struct source_at at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
