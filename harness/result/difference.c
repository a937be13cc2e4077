/* Aligns two outcomes, and prints them as bytes.
 * SPDX-License-Identifier: MIT */
#include "difference.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/socket.h>

enum {
    INDENT = 4,
    CONTEXT = 24,       /* characters shown before the first difference when a text is cut */
    LEAST_SHOWN = 40,   /* of each text, however narrow the terminal */
    ROW_BYTES = 16,     /* of a hexadecimal line */
    LITERAL_SPACE = 64, /* the library's reader needs so much beside 16 times the text */
};

/* ---- characters ----------------------------------------------------------------------------- */

static bool is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* Characters of text[0, length). */
static size_t width_of(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++) {
        width += is_start(text[i]);
    }
    return width;
}

/* The byte at which the character number `count` begins, or the text's end. */
static size_t offset_of(const char *text, size_t count)
{
    size_t at = 0;
    for (; text[at] != 0; at++) {
        if (is_start(text[at]) && count-- == 0) {
            break;
        }
    }
    return at;
}

/* An offset moved back to where its character, or the escape (\x41) that it lies in, begins. */
static size_t begin_of(const char *text, size_t at)
{
    while (at > 0 && !is_start(text[at])) {
        at--;
    }
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        size_t slash = at - back, run = 0;
        while (text[slash] == '\\' && run <= slash && text[slash - run] == '\\') {
            run++;
        }
        if (run % 2 == 1 && (back == 1 || text[slash + 1] == 'x')) {
            return slash;
        }
    }
    return at;
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t same = 0;
    while (a[same] != 0 && a[same] == b[same]) {
        same++;
    }
    return begin_of(a, same);
}

/* The bytes at both ends that are equal, behind `prefix`. */
static size_t common_suffix(const char *a, const char *b, size_t prefix)
{
    size_t length_a = strlen(a), length_b = strlen(b), same = 0;
    while (same < length_a - prefix && same < length_b - prefix &&
           a[length_a - same - 1] == b[length_b - same - 1]) {
        same++;
    }
    while (same > 0 && !is_start(a[length_a - same])) {
        same--;
    }
    return same;
}

/* ---- lines ---------------------------------------------------------------------------------- */

void difference_excerpt(struct text *text, const char *outcome, size_t columns)
{
    size_t width = width_of(outcome, strlen(outcome));
    if (columns == 0 || width <= columns) {
        text_add(text, "%s", outcome);
        return;
    }
    size_t shown = offset_of(outcome, columns);
    text_add_bytes(text, outcome, shown);
    text_add(text, "… (%zu more)", width - columns);
}

/* The characters [from, from + room) of a text behind its name, cut ends shown by dots. */
static void add_line(struct text *text, struct outcome_text outcome, int name_width, size_t from,
                     size_t room)
{
    size_t begin = offset_of(outcome.text, from);
    size_t end = begin + offset_of(outcome.text + begin, room);
    text_add(text, "%*s%-*s  %s", INDENT, "", name_width, outcome.name, from > 0 ? "…" : "");
    text_add_bytes(text, outcome.text + begin, end - begin);
    text_add(text, "%s\n", outcome.text[end] != 0 ? "…" : "");
}

static void add_mark(struct text *text, size_t before, size_t length, bool colour)
{
    text_add(text, "%*s%s^", (int)before, "", colour ? "\033[31m" : "");
    for (size_t i = 1; i < length; i++) {
        text_add(text, "~");
    }
    text_add(text, "%s\n", colour ? "\033[0m" : "");
}

/* ---- bytes ---------------------------------------------------------------------------------- */

struct literal {
    char *memory;
    struct dry_value value;
};

/* Whether the text is one literal of bytes or of a str. */
static bool read_literal(const char *text, struct literal *literal)
{
    size_t at, length = strlen(text), room = 16 * length + LITERAL_SPACE;
    literal->memory = malloc(room);
    return literal->memory != NULL &&
           dry_value_read(text, length, literal->memory, room, &literal->value, &at) == NULL &&
           (literal->value.kind == DRY_BYTES || literal->value.kind == DRY_TEXT);
}

static size_t row_length(const struct dry_value *value, size_t offset)
{
    size_t rest = offset < value->count ? value->count - offset : 0;
    return rest < ROW_BYTES ? rest : ROW_BYTES;
}

static void add_row(struct text *text, char mark, const struct dry_value *value, size_t offset)
{
    size_t length = row_length(value, offset);
    text_add(text, "%*s%c %04zx ", INDENT, "", mark, offset);
    for (size_t i = 0; i < ROW_BYTES; i++) {
        if (i < length) {
            text_add(text, " %02x", (unsigned char)value->bytes[offset + i]);
        } else {
            text_add(text, "   ");
        }
    }
    text_add(text, "  ");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value->bytes[offset + i];
        text_add(text, "%c", c < 0x80 && isprint(c) ? c : '.');
    }
    text_add(text, "\n");
}

/* Equal rows once, others one below the other. */
static void add_bytes(struct text *text, struct outcome_text first, struct outcome_text second)
{
    struct literal a = {0}, b = {0};
    if (read_literal(first.text, &a) && read_literal(second.text, &b)) {
        text_add(text, "%*s- %s (%u bytes), + %s (%u bytes)\n", INDENT, "", first.name, a.value.count,
                 second.name, b.value.count);
        for (size_t at = 0; at < a.value.count || at < b.value.count; at += ROW_BYTES) {
            size_t of_a = row_length(&a.value, at), of_b = row_length(&b.value, at);
            if (of_a == of_b && memcmp(a.value.bytes + at, b.value.bytes + at, of_a) == 0) {
                add_row(text, ' ', &a.value, at);
                continue;
            }
            if (of_a > 0) {
                add_row(text, '-', &a.value, at);
            }
            if (of_b > 0) {
                add_row(text, '+', &b.value, at);
            }
        }
    }
    free(a.memory);
    free(b.memory);
}

/* ---- both ----------------------------------------------------------------------------------- */

void difference_print(struct text *text, struct outcome_text first, struct outcome_text second,
                      struct difference_look look)
{
    int name_width = (int)strlen(first.name);
    if ((int)strlen(second.name) > name_width) {
        name_width = (int)strlen(second.name);
    }
    size_t prefix = common_prefix(first.text, second.text);
    size_t suffix = common_suffix(first.text, second.text, prefix);
    size_t parts_at = width_of(first.text, prefix), from = 0, room = SIZE_MAX;
    size_t margin = INDENT + (size_t)name_width + 2;
    if (look.columns > 0 && !look.full) {
        size_t longest = width_of(first.text, strlen(first.text));
        size_t other = width_of(second.text, strlen(second.text));
        room = look.columns > margin + LEAST_SHOWN + 2 ? look.columns - margin - 2 : LEAST_SHOWN;
        longest = other > longest ? other : longest;
        from = longest > room && parts_at > CONTEXT ? parts_at - CONTEXT : 0;
    }
    add_line(text, first, name_width, from, room);
    add_line(text, second, name_width, from, room);
    size_t of_first = width_of(first.text + prefix, strlen(first.text) - prefix - suffix);
    size_t of_second = width_of(second.text + prefix, strlen(second.text) - prefix - suffix);
    size_t length = of_first > of_second ? of_first : of_second, left = from + room - parts_at;
    if (room != SIZE_MAX && length > left) {
        length = left;
    }
    add_mark(text, margin + (from > 0) + parts_at - from, length > 0 ? length : 1, look.colour);
    if (look.full) {
        add_bytes(text, first, second);
    }
}
