/* Memory that is given back all at once: a scenario's text, an actor's values.
 * SPDX-License-Identifier: MIT
 *
 * An allocation never fails (a harness out of memory ends) and stays where it is until arena_free.
 * An arena belongs to one thread or fiber at a time. */
#ifndef HARNESS_ARENA_H
#define HARNESS_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena {
    struct arena_piece *last;
};

void *arena_take(struct arena *arena, size_t bytes); /* zeroed, aligned for anything */
char *arena_copy(struct arena *arena, const void *bytes, size_t length); /* with a NUL after */
char *arena_text(struct arena *arena, const char *text);
char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A list that grows: room for one more item behind `count` items of `bytes` each. The items may
 * move; returns where they are now. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t bytes);
void arena_free(struct arena *arena);

/* Text that grows, NUL-terminated; freed with free(3). */
struct text {
    char *bytes;
    size_t length, room;
};
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *bytes, size_t length);
/* Room for so many more bytes behind the text, which the caller fills and counts into length. */
char *text_room(struct text *text, size_t bytes);
void text_pad(struct text *text, size_t column); /* blanks until the line is `column` long */
void text_free(struct text *text);

#endif
