/* Reads Python literals: numbers, str, bytes, tuples, lists, None, True and False.
 * SPDX-License-Identifier: MIT
 *
 * The whole literal lies in the caller's arena: bytes and finished item arrays grow from its low
 * end, items of brackets that are still open from its high end.
 */
#include "value.h"

#include <assert.h>
#include <locale.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

struct reader {
    const char *text;
    size_t length;
    size_t at;
    char *low;  /* first free byte of the arena */
    char *high; /* first byte taken by pending items */
    int depth;
    const char *problem; /* the first thing wrong, or NULL */
    size_t problem_at;
};

static bool fail(struct reader *in, size_t at, const char *problem)
{
    if (!in->problem) {
        in->problem = problem;
        in->problem_at = at;
    }
    return false;
}

static int peek(const struct reader *in, size_t ahead)
{
    return in->at + ahead < in->length ? (uint8_t)in->text[in->at + ahead] : -1;
}

static bool take(struct reader *in, char wanted)
{
    if (peek(in, 0) != wanted) {
        return false;
    }
    in->at++;
    return true;
}

/* Line ends are blank only between brackets. */
static void skip_blank(struct reader *in)
{
    for (int c = peek(in, 0);; c = peek(in, 0)) {
        bool line_end = (c == '\n' || c == '\r') && in->depth > 0;
        if (c != ' ' && c != '\t' && c != '\f' && !line_end) {
            return;
        }
        in->at++;
    }
}

static bool put_byte(struct reader *in, uint32_t byte)
{
    if (in->low >= in->high) {
        return fail(in, in->at, "the literal is too long");
    }
    *in->low++ = (char)byte;
    return true;
}

static bool put_utf8(struct reader *in, uint32_t character)
{
    if (character < 0x80) {
        return put_byte(in, character);
    }
    if (character < 0x800) {
        return put_byte(in, 0xc0 | character >> 6) && put_byte(in, 0x80 | (character & 0x3f));
    }
    if (character < 0x10000) {
        return put_byte(in, 0xe0 | character >> 12) && put_byte(in, 0x80 | (character >> 6 & 0x3f)) &&
               put_byte(in, 0x80 | (character & 0x3f));
    }
    return put_byte(in, 0xf0 | character >> 18) && put_byte(in, 0x80 | (character >> 12 & 0x3f)) &&
           put_byte(in, 0x80 | (character >> 6 & 0x3f)) && put_byte(in, 0x80 | (character & 0x3f));
}

/* ---- numbers ------------------------------------------------------------------------------- */

static int digit_of(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 10;
    }
    return 99;
}

/* Moves past digits of `base`, which single underscores may part (a leading one only after a base
 * prefix). Returns how many digits, or -1 on a misplaced underscore. */
static int skip_digits(struct reader *in, int base, bool leading)
{
    int count = 0;
    for (;;) {
        if (peek(in, 0) == '_') {
            if ((count == 0 && !leading) || digit_of(peek(in, 1)) >= base) {
                return -1;
            }
            in->at++;
        }
        if (digit_of(peek(in, 0)) >= base) {
            return count;
        }
        in->at++;
        count++;
    }
}

enum { MOST_DIGITS = 4300 }; /* of a whole number, as in CPython: conversion takes quadratic time */

/* Writes the decimal text of a number that int64_t cannot hold: schoolbook conversion to base
 * 10^9, whose limbs lie in the free arena. */
static bool put_big_decimal(struct reader *in, size_t from, int base, bool negative,
                            struct dry_value *value)
{
    char *start = (char *)(((uintptr_t)in->low + 3) & ~(uintptr_t)3);
    size_t room = in->high > start ? (size_t)(in->high - start) : 0;
    /* A limb holds more than 29 bits, a digit at most 4; then text of 9 digits a limb and a sign. */
    size_t most = (in->at - from) * 4 / 29 + 2;
    if (room / 16 < most) {
        return fail(in, from, "the literal is too long");
    }
    uint32_t *limbs = (uint32_t *)(void *)start;
    size_t count = 0;
    for (size_t i = from; i < in->at; i++) {
        if (in->text[i] == '_') {
            continue;
        }
        uint64_t carry = (uint64_t)digit_of((uint8_t)in->text[i]);
        for (size_t limb = 0; limb < count; limb++) {
            carry += (uint64_t)limbs[limb] * (uint64_t)base;
            limbs[limb] = (uint32_t)(carry % 1000000000);
            carry /= 1000000000;
        }
        if (carry) {
            limbs[count++] = (uint32_t)carry;
        }
        if (count > MOST_DIGITS / 9 + 1) {
            return fail(in, from, "the number has more than 4300 digits");
        }
    }
    char *text = start + count * sizeof(*limbs);
    int length = sprintf(text, "%s%u", negative ? "-" : "", limbs[count - 1]);
    for (size_t limb = count - 1; limb-- > 0;) {
        length += sprintf(text + length, "%09u", limbs[limb]);
    }
    if (length - negative > MOST_DIGITS) {
        return fail(in, from, "the number has more than 4300 digits");
    }
    value->bytes = text;
    value->count = (uint32_t)length;
    in->low = text + length;
    return true;
}

static bool read_integer(struct reader *in, size_t from, int base, bool negative,
                         struct dry_value *value)
{
    uint64_t number = 0;
    bool big = false;
    for (size_t i = from; i < in->at; i++) {
        if (in->text[i] == '_') {
            continue;
        }
        uint64_t next;
        if (__builtin_mul_overflow(number, (uint64_t)base, &next)) {
            big = true;
        }
        number = next;
        if (__builtin_add_overflow(number, (uint64_t)digit_of((uint8_t)in->text[i]), &next)) {
            big = true;
        }
        number = next;
    }
    *value = (struct dry_value){.kind = DRY_INT};
    value->integer = (int64_t)(negative ? 0 - number : number);
    if (big || number > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return put_big_decimal(in, from, base, negative, value);
    }
    return true;
}

static bool read_float(struct reader *in, size_t from, bool negative, struct dry_value *value)
{
    char *text = in->low;
    for (size_t i = from; i < in->at; i++) {
        if (in->text[i] != '_' && !put_byte(in, (uint8_t)in->text[i])) {
            return false;
        }
    }
    if (!put_byte(in, 0)) {
        return false;
    }
    /* The program's locale may have another decimal point. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double real = strtod_l(text, NULL, plain);
    freelocale(plain);
    in->low = text;
    *value = (struct dry_value){.kind = DRY_FLOAT, .real = negative ? -real : real};
    return true;
}

/* Tells a float by what follows its first digits; moves past the rest of it. 1: float, 0: not. */
static int skip_fraction(struct reader *in, int whole_digits)
{
    int fraction = 0;
    bool point = take(in, '.');
    if (point && (fraction = skip_digits(in, 10, false)) < 0) {
        return -1;
    }
    if (whole_digits + fraction == 0) {
        return -1;
    }
    int sign = peek(in, 1) == '+' || peek(in, 1) == '-';
    if ((peek(in, 0) | 32) == 'e' && digit_of(peek(in, 1 + (size_t)sign)) < 10) {
        in->at += 1 + (size_t)sign;
        return skip_digits(in, 10, false) < 0 ? -1 : 1;
    }
    return point;
}

static bool read_number(struct reader *in, bool negative, struct dry_value *value)
{
    size_t from = in->at;
    int letter = peek(in, 1) | 32;
    int base = peek(in, 0) != '0' ? 10
               : letter == 'x'    ? 16
               : letter == 'o'    ? 8
               : letter == 'b'    ? 2
                                  : 10;
    if (base != 10) {
        in->at += 2;
        if (skip_digits(in, base, true) <= 0 || digit_of(peek(in, 0)) < 36 || peek(in, 0) == '_') {
            return fail(in, from, "not a number");
        }
        return read_integer(in, from + 2, base, negative, value);
    }
    int whole = skip_digits(in, 10, false);
    int is_float = whole < 0 ? -1 : skip_fraction(in, whole);
    if (is_float < 0 || digit_of(peek(in, 0)) < 36 || peek(in, 0) == '_') {
        return fail(in, from, "not a number");
    }
    if (is_float) {
        return read_float(in, from, negative, value);
    }
    if (in->text[from] == '0') {
        for (size_t i = from; i < in->at; i++) {
            if (in->text[i] != '0' && in->text[i] != '_') {
                return fail(in, from, "leading zeros in decimal integer literals are not permitted");
            }
        }
    }
    return read_integer(in, from, 10, negative, value);
}

/* ---- strings ------------------------------------------------------------------------------- */

struct quoting {
    char quote;
    bool triple;
    bool raw;
    bool bytes;
};

/* Recognises the prefix and the quotes of a string at the current place without moving. Returns
 * how many bytes they take, or 0: no string begins here. */
static size_t recognise_string(const struct reader *in, struct quoting *how)
{
    *how = (struct quoting){0};
    size_t prefix = 0;
    bool unicode = false;
    for (; prefix < 2; prefix++) {
        int c = peek(in, prefix) | 32;
        if (c == 'b' && !how->bytes && !unicode) {
            how->bytes = true;
        } else if (c == 'r' && !how->raw && !unicode) {
            how->raw = true;
        } else if (c == 'u' && prefix == 0) {
            unicode = true;
        } else {
            break;
        }
    }
    int quote = peek(in, prefix);
    if (quote != '\'' && quote != '"') {
        return 0;
    }
    how->quote = (char)quote;
    how->triple = peek(in, prefix + 1) == quote && peek(in, prefix + 2) == quote;
    return prefix + (how->triple ? 3 : 1);
}

/* The digits of an escape that begins at `start`. */
static bool read_hex(struct reader *in, int digits, size_t start, uint32_t *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        int digit = digit_of(peek(in, 0));
        if (digit >= 16) {
            return fail(in, start,
                        digits == 2   ? "\\x needs two hexadecimal digits"
                        : digits == 4 ? "\\u needs four hexadecimal digits"
                                      : "\\U needs eight hexadecimal digits");
        }
        *number = *number << 4 | (uint32_t)digit;
        in->at++;
    }
    return true;
}

static bool read_unicode_escape(struct reader *in, int letter, size_t start)
{
    uint32_t character;
    if (!read_hex(in, letter == 'u' ? 4 : letter == 'U' ? 8 : 2, start, &character)) {
        return false;
    }
    if (character > 0x10ffff) {
        return fail(in, start, "illegal Unicode character");
    }
    if (character >= 0xdc80 && character <= 0xdcff) {
        return put_byte(in, character & 0xff);
    }
    /* SIMPLER: a str is held as its bytes in the file system encoding, where only the surrogates
     * of surrogateescape have a form. */
    if (character >= 0xd800 && character <= 0xdfff) {
        return fail(in, start, "surrogates other than \\udc80 to \\udcff are not supported");
    }
    return put_utf8(in, character);
}

/* The backslash is read already. */
static bool read_escape(struct reader *in, const struct quoting *how)
{
    static const char letters[] = "\\'\"abfnrtv";
    static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
    size_t start = in->at - 1;
    int c = peek(in, 0);
    if (c < 0) {
        return fail(in, start, "a closing quote is missing");
    }
    in->at++;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        return put_byte(in, (uint8_t)meanings[letter - letters]);
    }
    if (c == '\n') {
        return true;
    }
    if (c >= '0' && c <= '7') {
        uint32_t number = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && peek(in, 0) >= '0' && peek(in, 0) <= '7'; i++) {
            number = number * 8 + (uint32_t)(in->text[in->at++] - '0');
        }
        return how->bytes ? put_byte(in, number & 0xff) : put_utf8(in, number);
    }
    if (c == 'x' && how->bytes) {
        uint32_t byte;
        return read_hex(in, 2, start, &byte) && put_byte(in, byte);
    }
    if (!how->bytes && (c == 'x' || c == 'u' || c == 'U')) {
        return read_unicode_escape(in, c, start);
    }
    if (!how->bytes && c == 'N') {
        return fail(in, start, "\\N{...} is not supported"); /* SIMPLER: no table of names */
    }
    in->at--;
    return put_byte(in, '\\');
}

/* One piece, from behind its opening quotes. */
static bool read_piece(struct reader *in, const struct quoting *how, size_t start)
{
    for (;;) {
        int c = peek(in, 0);
        if (c < 0 || (c == '\n' && !how->triple)) {
            return fail(in, start, "a closing quote is missing");
        }
        if (c == how->quote && (!how->triple || (peek(in, 1) == c && peek(in, 2) == c))) {
            in->at += how->triple ? 3 : 1;
            return true;
        }
        if (c == 0 || (how->bytes && c >= 0x80)) {
            return fail(in, in->at,
                        c ? "bytes can only contain ASCII literal characters"
                          : "source text cannot contain null bytes");
        }
        in->at++;
        if (c == '\\' && how->raw && peek(in, 0) >= 0) {
            if (!put_byte(in, '\\')) {
                return false;
            }
            c = peek(in, 0);
            if (c == 0 || c >= 0x80) {
                continue;
            }
            in->at++;
        } else if (c == '\\') {
            if (!read_escape(in, how)) {
                return false;
            }
            continue;
        }
        if (!put_byte(in, (uint32_t)c)) {
            return false;
        }
    }
}

/* Neighbouring pieces are one string, as in Python. */
static bool read_string(struct reader *in, struct dry_value *value)
{
    struct quoting how;
    size_t start = in->at;
    char *bytes = in->low;
    size_t opening = recognise_string(in, &how);
    bool is_bytes = how.bytes;
    while (opening) {
        in->at += opening;
        if (!read_piece(in, &how, start)) {
            return false;
        }
        skip_blank(in);
        start = in->at;
        opening = recognise_string(in, &how);
        if (opening && how.bytes != is_bytes) {
            return fail(in, start, "cannot mix bytes and nonbytes literals");
        }
    }
    value->kind = is_bytes ? DRY_BYTES : DRY_TEXT;
    value->bytes = bytes;
    value->count = (uint32_t)(in->low - bytes);
    return put_byte(in, 0);
}

/* ---- everything ---------------------------------------------------------------------------- */

static bool read_value(struct reader *in, struct dry_value *value);

static bool push_item(struct reader *in, const struct dry_value *item)
{
    if ((size_t)(in->high - in->low) < sizeof(*item)) {
        return fail(in, in->at, "the literal is too long");
    }
    in->high -= sizeof(*item);
    memcpy(in->high, item, sizeof(*item));
    return true;
}

/* Moves the last `count` pending items, which lie backwards, to the low end. */
static bool finish_items(struct reader *in, uint32_t count, struct dry_value *value)
{
    uintptr_t mask = alignof(struct dry_value) - 1;
    char *start = (char *)(((uintptr_t)in->low + mask) & ~mask);
    char *pending = in->high;
    size_t bytes = count * sizeof(struct dry_value);
    if (start > pending || (size_t)(pending - start) < bytes) {
        return fail(in, in->at, "the literal is too long");
    }
    struct dry_value *items = (struct dry_value *)(void *)start;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&items[i], pending + (count - 1 - i) * sizeof(*items), sizeof(*items));
    }
    in->low = start + bytes;
    in->high = pending + bytes;
    value->items = items;
    value->count = count;
    return true;
}

static bool read_brackets(struct reader *in, struct dry_value *value)
{
    size_t start = in->at;
    bool list = peek(in, 0) == '[';
    char closing = list ? ']' : ')';
    uint32_t count = 0;
    bool comma = false;
    struct dry_value item;
    in->at++;
    if (++in->depth > DRY_VALUE_DEPTH) {
        return fail(in, start, "too many nested parentheses");
    }
    for (;;) {
        skip_blank(in);
        if (take(in, closing)) {
            break;
        }
        if (in->at >= in->length) {
            return fail(in, start, "a closing bracket is missing");
        }
        if (count && !comma) {
            return fail(in, in->at, "a comma is missing");
        }
        if (!read_value(in, &item) || !push_item(in, &item)) {
            return false;
        }
        count++;
        skip_blank(in);
        comma = take(in, ',');
    }
    in->depth--;
    if (!list && count == 1 && !comma) { /* only parentheses */
        *value = item;
        in->high += sizeof(item);
        return true;
    }
    value->kind = list ? DRY_LIST : DRY_TUPLE;
    return finish_items(in, count, value);
}

static bool read_name(struct reader *in, struct dry_value *value)
{
    static const struct {
        const char *name;
        struct dry_value value;
    } names[] = {
        {"None", {.kind = DRY_NONE}},
        {"True", {.kind = DRY_BOOL, .integer = 1}},
        {"False", {.kind = DRY_BOOL}},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i].name);
        if (in->length - in->at < length || memcmp(in->text + in->at, names[i].name, length) != 0) {
            continue;
        }
        int next = peek(in, length);
        if (digit_of(next) < 36 || next == '_' || next >= 0x80) {
            continue;
        }
        in->at += length;
        *value = names[i].value;
        return true;
    }
    return fail(in, in->at, in->at < in->length ? "not a literal" : "a literal is missing");
}

static bool read_value(struct reader *in, struct dry_value *value)
{
    struct quoting how;
    *value = (struct dry_value){0};
    skip_blank(in);
    int c = peek(in, 0);
    if (c == '(' || c == '[') {
        return read_brackets(in, value);
    }
    if (recognise_string(in, &how)) {
        return read_string(in, value);
    }
    bool negative = c == '-';
    if (negative || c == '+') {
        in->at++;
        skip_blank(in);
        c = peek(in, 0);
    } else if (digit_of(c) >= 10 && !(c == '.' && digit_of(peek(in, 1)) < 10)) {
        return read_name(in, value);
    }
    return read_number(in, negative, value);
}

const char *dry_value_read(const char *text, size_t length, void *arena, size_t arena_bytes,
                           struct dry_value *value, size_t *error_at)
{
    uintptr_t mask = alignof(struct dry_value) - 1;
    size_t skew = (0 - (uintptr_t)arena) & mask;
    struct reader in = {.text = text, .length = length};
    in.low = (char *)arena + (skew < arena_bytes ? skew : arena_bytes);
    in.high = (char *)arena + arena_bytes;
    if (read_value(&in, value)) {
        skip_blank(&in);
        if (in.at == in.length) {
            return NULL;
        }
        fail(&in, in.at, "something follows the literal");
    }
    if (error_at) {
        *error_at = in.problem_at;
    }
    return in.problem;
}

int dry_value_parse(const char *text, size_t length, void *arena, size_t arena_bytes,
                    struct dry_value *value, size_t *error_at)
{
    const char *problem = dry_value_read(text, length, arena, arena_bytes, value, error_at);
    return problem ? dry_error_value(dry_current_caller(), DRY_VALUE_ERROR, "%s", problem) : 0;
}
