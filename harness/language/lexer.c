/* Cuts lines of a scenario into tokens and words.
 * SPDX-License-Identifier: MIT */
#include "lexer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <drysock/socket.h>

enum { MOST_DIAGNOSTICS = 20 };

int lexer_wrong(struct lexer *lexer, struct source_at at, const char *format, ...)
{
    struct diagnostics *all = lexer->wrong;
    struct diagnostic wrong = {.path = at.file != NULL ? at.file : lexer->path, .at = at};
    va_list list;
    va_start(list, format);
    vsnprintf(wrong.message, sizeof wrong.message, format, list);
    va_end(list);
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->list[i].at.line == at.line && strcmp(all->list[i].path, wrong.path) == 0) {
            return -1;
        }
    }
    if (all->count == MOST_DIAGNOSTICS) {
        all->more++;
        return -1;
    }
    wrong.path = arena_text(&all->arena, wrong.path);
    wrong.at.file = NULL;
    all->list = arena_grow(&all->arena, all->list, all->count, sizeof *all->list);
    all->list[all->count++] = wrong;
    return -1;
}

bool token_is(const struct token *token, const char *text)
{
    return (token->kind == TOKEN_NAME || token->kind == TOKEN_MARK) && token->length == strlen(text) &&
           memcmp(token->text, text, token->length) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct source_at place(const struct lexer *lexer, size_t offset)
{
    struct source_at at = {lexer->number, (uint32_t)offset + 1, lexer->file};
    for (uint32_t i = 0; i < lexer->piece_count && lexer->pieces[i].offset <= offset; i++) {
        const struct lexer_piece *piece = &lexer->pieces[i];
        at.line = piece->line;
        at.column = piece->column + (uint32_t)(offset - piece->offset) + 1;
    }
    return at;
}

size_t lexer_comment(const char *line, size_t length)
{
    char quote = 0;
    for (size_t i = 0; i < length; i++) {
        if (quote != 0) {
            if (line[i] == '\\') {
                i++;
            } else if (line[i] == quote) {
                quote = 0;
            }
        } else if (line[i] == '"' || line[i] == '\'') {
            quote = line[i];
        } else if (line[i] == '#' && (i == 0 || is_blank(line[i - 1]))) {
            return i;
        }
    }
    return length;
}

bool lexer_goes_on(const char *line, size_t length)
{
    char quote = 0;
    if (length == 0 || line[length - 1] != '\\' || lexer_comment(line, length) < length ||
        (length > 1 && !is_blank(line[length - 2]))) {
        return false;
    }
    for (size_t i = 0; i + 1 < length; i++) {
        if (quote != 0 && line[i] == '\\') {
            i++;
        } else if (quote != 0 ? line[i] == quote : line[i] == '"' || line[i] == '\'') {
            quote = quote != 0 ? 0 : line[i];
        }
    }
    return quote == 0;
}

int lexer_word(struct lexer *lexer, const char **word, size_t *length, struct source_at *at)
{
    while (lexer->offset < lexer->length && is_blank(lexer->line[lexer->offset])) {
        lexer->offset++;
    }
    size_t begin = lexer->offset;
    bool quoted = false;

    *at = place(lexer, begin);
    for (; lexer->offset < lexer->length; lexer->offset++) {
        char c = lexer->line[lexer->offset];
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted && c == '\\' && lexer->offset + 1 < lexer->length) {
            lexer->offset++;
        } else if (!quoted && is_blank(c)) {
            break;
        }
    }
    *word = lexer->line + begin;
    *length = lexer->offset - begin;
    if (quoted) {
        return lexer_wrong(lexer, *at, "the quoted text does not end: close it with \"");
    }
    return 0;
}

/* ---- literals: the lexer finds their ends, the library reads them ---------------------------- */

/* Reads text[begin, end) of the line as one literal of Python. NULL, or what the library says of the
 * byte at begin + *at. */
static const char *read_literal(struct lexer *lexer, size_t begin, size_t end, struct dry_value *value,
                                size_t *at)
{
    const size_t bytes = 16 * (end - begin) + 64; /* also of a number with very many digits */
    *at = 0;
    return dry_value_read(lexer->line + begin, end - begin, arena_take(lexer->arena, bytes), bytes,
                          value, at);
}

/* Python keeps the backslash of an escape that it does not know, and warns; here it is an error. */
static bool is_escape(char c, bool bytes)
{
    return c != 0 && (strchr("nrtabfvx\\'\"01234567", c) != NULL || (!bytes && (c == 'u' || c == 'U')));
}

/* The offset stands at the quote; `begin` where the literal begins, at a b before it. */
static int take_string(struct lexer *lexer, size_t begin, bool bytes, struct token *token)
{
    char quote = lexer->line[lexer->offset++];
    struct dry_value value;
    for (bool ended = false; !ended;) {
        if (lexer->offset >= lexer->length) {
            return lexer_wrong(lexer, token->at,
                               "the string does not end on this line: close it with %c", quote);
        }
        char c = lexer->line[lexer->offset++];
        if (c == '\\' && lexer->offset < lexer->length) {
            if (!is_escape(lexer->line[lexer->offset], bytes)) {
                return lexer_wrong(lexer, place(lexer, lexer->offset - 1),
                                   "there is no escape \\%c: write \\\\ for a backslash",
                                   lexer->line[lexer->offset]);
            }
            lexer->offset++;
        } else if (bytes && (unsigned char)c >= 0x80) {
            return lexer_wrong(lexer, place(lexer, lexer->offset - 1),
                               "bytes hold only ASCII characters: write \\x%02x", (unsigned char)c);
        }
        ended = c == quote;
    }
    size_t at;
    const char *problem = read_literal(lexer, begin, lexer->offset, &value, &at);
    if (problem != NULL) {
        return lexer_wrong(lexer, place(lexer, begin + at), "%s", problem);
    }
    token->kind = bytes ? TOKEN_BYTES : TOKEN_STR;
    token->bytes = value.bytes;
    token->count = value.count;
    return 0;
}

static int take_number(struct lexer *lexer, struct token *token)
{
    size_t begin = lexer->offset, end = begin;
    bool hex = lexer->length - begin > 1 && lexer->line[begin] == '0' &&
               strchr("xXoObB", lexer->line[begin + 1]) != NULL;

    while (end < lexer->length) {
        char c = lexer->line[end];
        bool sign = (c == '-' || c == '+') && tolower(lexer->line[end - 1]) == 'e';
        if (!is_word(c) && (hex || (c != '.' && !sign))) {
            break;
        }
        if (c == '.' && end + 1 < lexer->length && lexer->line[end + 1] == '.') {
            break; /* 40ms..60ms */
        }
        end++;
    }
    token->text = lexer->line + begin;
    token->length = end - begin;
    lexer->offset = end;
    if (!hex && sim_read_time(token->text, token->length, &token->time_ns) == 0) {
        token->kind = TOKEN_TIME;
        return 0;
    }
    struct dry_value value;
    size_t at;
    const char *problem = read_literal(lexer, begin, end, &value, &at);
    if (problem != NULL && at == 0 && strcmp(problem, "not a number") != 0) {
        return lexer_wrong(lexer, token->at, "%s", problem);
    }
    if (problem != NULL) {
        return lexer_wrong(lexer, token->at,
                           "\"%.*s\" is neither a number nor a time (units are ns us ms s min h)",
                           (int)token->length, token->text);
    }
    if (value.count > 0) {
        return lexer_wrong(lexer, token->at,
                           "the number is too large: whole numbers end at 9223372036854775807");
    }
    token->kind = value.kind == DRY_FLOAT ? TOKEN_FLOAT : TOKEN_INT;
    token->integer = value.integer;
    token->real = value.real;
    return 0;
}

int lexer_next(struct lexer *lexer, struct token *token)
{
    static const char *const marks[] = {"...", "->", "<<", "==", "!=", "..", "(", ")", "[", "]", ",",
                                        ".",   "=",  ":",  "|",  "&",  "+",  "-", "*", "~", "@"};

    while (lexer->offset < lexer->length && is_blank(lexer->line[lexer->offset])) {
        lexer->offset++;
    }
    *token = (struct token){.at = place(lexer, lexer->offset)};
    if (lexer->offset >= lexer->length) {
        return 0;
    }
    const char *rest = lexer->line + lexer->offset;
    size_t room = lexer->length - lexer->offset;

    if (*rest == '"' || *rest == '\'') {
        return take_string(lexer, lexer->offset, false, token);
    }
    if ((*rest == 'b' || *rest == 'B') && room > 1 && (rest[1] == '"' || rest[1] == '\'')) {
        lexer->offset++;
        return take_string(lexer, lexer->offset - 1, true, token);
    }
    if (isdigit((unsigned char)*rest) ||
        (*rest == '.' && room > 1 && isdigit((unsigned char)rest[1]))) {
        return take_number(lexer, token);
    }
    token->text = rest;
    if (isalpha((unsigned char)*rest) || *rest == '_') {
        while (token->length < room && is_word(rest[token->length])) {
            token->length++;
        }
        token->kind = TOKEN_NAME;
        lexer->offset += token->length;
        return 0;
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t length = strlen(marks[i]);
        if (length <= room && memcmp(rest, marks[i], length) == 0) {
            token->kind = TOKEN_MARK;
            token->length = length;
            lexer->offset += length;
            return 0;
        }
    }
    if (isprint((unsigned char)*rest)) {
        return lexer_wrong(lexer, token->at, "'%c' means nothing here", *rest);
    }
    return lexer_wrong(lexer, token->at, "byte \\x%02x means nothing here: write it inside a string",
                       (unsigned char)*rest);
}
