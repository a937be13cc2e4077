/* Fuzzes Python literals: what is read prints, and what is printed reads back the same.
 * SPDX-License-Identifier: MIT
 *
 * The first byte chooses the arena's size, the rest is the literal.
 */
#include <string.h>

#include <drysock/socket.h>

#include "fuzz.h"

static char *print(const struct dry_value *value, size_t *length)
{
    int needed = dry_value_print(value, NULL, 0);
    char *text = malloc((size_t)needed + 1);
    int written = dry_value_print(value, text, (size_t)needed + 1);
    if (written != needed || strlen(text) != (size_t)needed) {
        fuzz_wrong("the print's length is %d, then %d, and %zu long", needed, written, strlen(text));
    }
    *length = (size_t)needed;
    return text;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct dry_value value;
    size_t at = 0;
    if (size < 1) {
        return;
    }
    const char *text = (const char *)data + 1;
    size_t arena_bytes = (size_t)data[0] * data[0];
    char *arena = malloc(arena_bytes + 1);
    bool small = dry_value_parse(text, size - 1, arena, arena_bytes, &value, &at) == 0;
    if (!small && at > size - 1) {
        fuzz_wrong("refused at %zu, behind the end", at);
    }
    free(arena);

    /* Every byte of a literal costs at most a value and its copy. */
    arena_bytes = 4096 + size * 2 * sizeof(struct dry_value);
    arena = malloc(arena_bytes);
    bool read = dry_value_parse(text, size - 1, arena, arena_bytes, &value, &at) == 0;
    if (small && !read) {
        fuzz_wrong("read in a small arena, but not in a large one");
    }
    if (!read && strcmp(dry_last_error()->message, "the literal is too long") == 0) {
        fuzz_wrong("a large arena is too small");
    }
    if (read) {
        size_t first_length, second_length;
        char *first = print(&value, &first_length);
        struct dry_value again;
        size_t room = 4096 + first_length * 2 * sizeof(struct dry_value);
        char *second_arena = malloc(room);
        /* inf is printed as a name, which no literal is. */
        bool finite = !strstr(first, "inf");
        if (dry_value_parse(first, first_length, second_arena, room, &again, &at) == 0) {
            char *second = print(&again, &second_length);
            if (strcmp(first, second) != 0) {
                fuzz_wrong("%s prints as %s", first, second);
            }
            free(second);
        } else if (finite) {
            fuzz_wrong("%s does not read back: %s at %zu", first, dry_last_error()->message, at);
        }
        free(second_arena);
        free(first);
    }
    free(arena);
}
