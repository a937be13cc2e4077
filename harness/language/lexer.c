/* Cuts lines of a scenario into tokens and words.
 * SPDX-License-Identifier: MIT */
#include "lexer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lexer_wrong(struct lexer *lexer, struct source_at at, const char *format, ...)
{
    va_list list;

    lexer->wrong->at = at;
    va_start(list, format);
    vsnprintf(lexer->wrong->message, sizeof lexer->wrong->message, format, list);
    va_end(list);
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
    return (struct source_at){lexer->number, (uint32_t)offset + 1};
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

/* ---- strings -------------------------------------------------------------------------------- */

static void add_utf8(struct text *text, uint32_t code)
{
    unsigned char bytes[4];
    size_t count;

    if (code >= 0xdc80 && code <= 0xdcff) { /* surrogateescape: the raw byte */
        bytes[0] = (unsigned char)(code - 0xdc00);
        count = 1;
    } else if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        count = 1;
    } else if (code < 0x800) {
        bytes[0] = (unsigned char)(0xc0 | code >> 6);
        bytes[1] = (unsigned char)(0x80 | (code & 0x3f));
        count = 2;
    } else if (code < 0x10000) {
        bytes[0] = (unsigned char)(0xe0 | code >> 12);
        bytes[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        bytes[2] = (unsigned char)(0x80 | (code & 0x3f));
        count = 3;
    } else {
        bytes[0] = (unsigned char)(0xf0 | code >> 18);
        bytes[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
        bytes[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        bytes[3] = (unsigned char)(0x80 | (code & 0x3f));
        count = 4;
    }
    text_add_bytes(text, bytes, count);
}

static int hex_digits(const char *text, size_t room, size_t count, uint32_t *value)
{
    *value = 0;
    if (room < count) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        char c = text[i];

        if (!isxdigit((unsigned char)c)) {
            return -1;
        }
        *value = *value * 16 + (uint32_t)(isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    return 0;
}

/* One escape; offset stands behind the backslash. */
static int take_escape(struct lexer *lexer, bool bytes, struct text *text)
{
    static const char letters[] = "n\nr\rt\ta\ab\bf\fv\v\\\\''\"\"";
    size_t at = lexer->offset - 1;
    char c = lexer->line[lexer->offset++];
    const char *rest = lexer->line + lexer->offset;
    size_t room = lexer->length - lexer->offset;
    uint32_t value;

    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if (letters[i] == c) {
            text_add_bytes(text, &letters[i + 1], 1);
            return 0;
        }
    }
    if (c >= '0' && c <= '7') {
        value = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && lexer->offset < lexer->length && lexer->line[lexer->offset] >= '0' &&
                        lexer->line[lexer->offset] <= '7';
             i++) {
            value = value * 8 + (uint32_t)(lexer->line[lexer->offset++] - '0');
        }
    } else if (c == 'x') {
        if (hex_digits(rest, room, 2, &value) != 0) {
            return lexer_wrong(lexer, place(lexer, at), "\\x needs two hexadecimal digits");
        }
        lexer->offset += 2;
    } else if (!bytes && (c == 'u' || c == 'U')) {
        size_t count = c == 'u' ? 4 : 8;

        if (hex_digits(rest, room, count, &value) != 0 || value > 0x10ffff) {
            return lexer_wrong(lexer, place(lexer, at),
                               "\\%c needs %zu hexadecimal digits of a "
                               "character up to 10ffff",
                               c, count);
        }
        lexer->offset += count;
    } else {
        return lexer_wrong(lexer, place(lexer, at),
                           "there is no escape \\%c: write \\\\ for a backslash", c);
    }
    if (bytes) {
        char byte = (char)value;
        text_add_bytes(text, &byte, 1);
    } else {
        add_utf8(text, value);
    }
    return 0;
}

static int take_string(struct lexer *lexer, bool bytes, struct token *token)
{
    struct text text = {0};
    char quote = lexer->line[lexer->offset++];
    int status = 0;

    text_add_bytes(&text, "", 0);
    for (;;) {
        if (lexer->offset >= lexer->length) {
            status = lexer_wrong(lexer, token->at,
                                 "the string does not end on this line: close it "
                                 "with %c",
                                 quote);
            break;
        }
        char c = lexer->line[lexer->offset++];
        if (c == quote) {
            break;
        }
        if (c == '\\' && lexer->offset < lexer->length) {
            status = take_escape(lexer, bytes, &text);
            if (status != 0) {
                break;
            }
        } else if (bytes && (unsigned char)c >= 0x80) {
            status = lexer_wrong(lexer, place(lexer, lexer->offset - 1),
                                 "bytes hold only ASCII characters: write \\x%02x", (unsigned char)c);
            break;
        } else {
            text_add_bytes(&text, &c, 1);
        }
    }
    token->kind = bytes ? TOKEN_BYTES : TOKEN_STR;
    token->bytes = arena_copy(lexer->arena, text.bytes, text.length);
    token->count = text.length;
    text_free(&text);
    return status;
}

/* ---- numbers and times ---------------------------------------------------------------------- */

static int take_number(struct lexer *lexer, struct token *token)
{
    size_t begin = lexer->offset, end = begin;
    bool hex = lexer->length - begin > 1 && lexer->line[begin] == '0' &&
               strchr("xXoObB", lexer->line[begin + 1]) != NULL;
    bool real = false;

    while (end < lexer->length) {
        char c = lexer->line[end];

        if (c == '.' && !hex) {
            real = true;
        } else if ((c == '-' || c == '+') && !hex && tolower(lexer->line[end - 1]) == 'e') {
            real = true;
        } else if (!is_word(c)) {
            break;
        }
        end++;
    }
    token->text = lexer->line + begin;
    token->length = end - begin;
    lexer->offset = end;
    if (!hex && scenario_time_parse(token->text, token->length, &token->time_ns) == 0) {
        token->kind = TOKEN_TIME;
        return 0;
    }
    char digits[80], *stop;
    size_t count = 0;
    for (size_t i = 0; i < token->length && count < sizeof digits - 1; i++) {
        if (token->text[i] != '_') {
            digits[count++] = token->text[i];
        }
    }
    digits[count] = 0;
    real = real || (!hex && strpbrk(digits, "eE") != NULL);
    errno = 0;
    if (real) {
        token->kind = TOKEN_FLOAT;
        token->real = strtod(digits, &stop);
    } else {
        int base = !hex ? 10 : tolower(digits[1]) == 'x' ? 16 : tolower(digits[1]) == 'o' ? 8 : 2;

        token->kind = TOKEN_INT;
        token->integer = strtoll(hex ? digits + 2 : digits, &stop, base);
        if (errno == ERANGE) {
            return lexer_wrong(lexer, token->at,
                               "the number is too large: whole numbers end at "
                               "9223372036854775807");
        }
    }
    if (*stop != 0 || stop == digits) {
        return lexer_wrong(lexer, token->at,
                           "\"%.*s\" is neither a number nor a time (units are "
                           "ns us ms s min h)",
                           (int)token->length, token->text);
    }
    return 0;
}

int lexer_next(struct lexer *lexer, struct token *token)
{
    static const char *const marks[] = {"...", "->", "<<", "(", ")", "[", "]", ",", ".",
                                        "=",   ":",  "|",  "&", "+", "-", "*", "~", "@"};

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
        return take_string(lexer, false, token);
    }
    if ((*rest == 'b' || *rest == 'B') && room > 1 && (rest[1] == '"' || rest[1] == '\'')) {
        lexer->offset++;
        return take_string(lexer, true, token);
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
