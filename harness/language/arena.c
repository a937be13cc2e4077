/* Memory that is given back all at once, and text that grows.
 * SPDX-License-Identifier: MIT */
#include "arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 16 * 1024 };

struct arena_piece {
    struct arena_piece *before;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};

void *arena_take(struct arena *arena, size_t bytes)
{
    size_t needed = (bytes + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    struct arena_piece *piece = arena->last;
    if (piece == NULL || piece->room - piece->used < needed) {
        size_t room = needed > PIECE_BYTES ? needed : (size_t)PIECE_BYTES;
        piece = calloc(1, sizeof *piece + room);
        assert(piece != NULL && "the harness is out of memory");
        piece->room = room;
        piece->before = arena->last;
        arena->last = piece;
    }
    void *taken = piece->bytes + piece->used;
    piece->used += needed;
    return taken;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
    char *copy = arena_take(arena, length + 1);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

/* Powers of two hold the list: it moves when count is one, so no capacity need be kept. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t bytes)
{
    if (count != 0 && (count & (count - 1)) != 0) {
        return items;
    }
    void *moved = arena_take(arena, (count == 0 ? 1 : count * 2) * bytes);
    if (count > 0) {
        memcpy(moved, items, count * bytes);
    }
    return moved;
}

void arena_free(struct arena *arena)
{
    for (struct arena_piece *piece = arena->last; piece != NULL;) {
        struct arena_piece *before = piece->before;
        free(piece);
        piece = before;
    }
    arena->last = NULL;
}

static void text_reserve(struct text *text, size_t more)
{
    if (text->room - text->length > more) {
        return;
    }
    text->room = (text->room + more + 64) * 2;
    text->bytes = realloc(text->bytes, text->room);
    assert(text->bytes != NULL && "the harness is out of memory");
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
    text_reserve(text, length);
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = 0;
}

static void add_list(struct text *text, const char *format, va_list list)
{
    va_list again;
    assert(format != NULL); /* gcc's sanitizers ask */
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(length >= 0);
    text_reserve(text, (size_t)length + 1);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, list);
    text->length += (size_t)length;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_list(text, format, list);
    va_end(list);
}

char *text_room(struct text *text, size_t bytes)
{
    text_reserve(text, bytes);
    return text->bytes + text->length;
}

void text_pad(struct text *text, size_t column)
{
    size_t begin = text->length;
    while (begin > 0 && text->bytes[begin - 1] != '\n') {
        begin--;
    }
    while (text->length - begin < column) {
        text_add_bytes(text, " ", 1);
    }
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    struct text text = {0};
    va_list list;

    va_start(list, format);
    add_list(&text, format, list);
    va_end(list);
    char *copy = arena_copy(arena, text.bytes, text.length);
    text_free(&text);
    return copy;
}
