/* Reads the elements of an address as the format letters of CPython's PyArg_ParseTuple do.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "address.h"
#include "error.h"
#include "value.h"

int argument_tuple(const struct address_source *source, const char *family_name)
{
    if (source->value->kind == DRY_TUPLE) {
        return 0;
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE, "%s(): %s address must be tuple, not %s",
                           source->method, family_name, dry_value_type_name(source->value));
}

int argument_count(const struct address_source *source, uint32_t least, uint32_t most,
                   const char *message)
{
    uint32_t count = source->value->count;
    if (count >= least && count <= most) {
        return 0;
    }
    if (message) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE, "%s", message);
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE,
                           "function takes exactly %u argument%s (%u given)", least,
                           least == 1 ? "" : "s", count);
}

static int check_integer(const struct address_source *source, const struct dry_value *item)
{
    if (item->kind == DRY_INT || item->kind == DRY_BOOL) {
        return 0;
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE,
                           "'%s' object cannot be interpreted as an integer",
                           dry_value_type_name(item));
}

int argument_int(const struct address_source *source, uint32_t index, const char *overflow, int *number)
{
    if (index >= source->value->count) {
        return 0;
    }
    const struct dry_value *item = &source->value->items[index];
    if (check_integer(source, item) < 0) {
        return -1;
    }
    bool big = item->kind == DRY_INT && item->count > 0;
    if (!big && item->integer <= INT_MAX && item->integer >= INT_MIN) {
        *number = (int)item->integer;
        return 0;
    }
    if (overflow) {
        return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "%s(): %s", source->method,
                               overflow);
    }
    if (big) {
        return dry_error_value(source->caller, DRY_VALUE_OVERFLOW,
                               "Python int too large to convert to C long");
    }
    return dry_error_value(source->caller, DRY_VALUE_OVERFLOW, "signed integer is %s than %s",
                           item->integer < 0 ? "less" : "greater",
                           item->integer < 0 ? "minimum" : "maximum");
}

int argument_bits(const struct address_source *source, uint32_t index, uint64_t *number)
{
    if (index >= source->value->count) {
        return 0;
    }
    const struct dry_value *item = &source->value->items[index];
    if (check_integer(source, item) < 0) {
        return -1;
    }
    *number = (uint64_t)item->integer;
    return 0;
}

int argument_long(const struct address_source *source, uint32_t index, uint64_t *number)
{
    const struct dry_value *item = &source->value->items[index];
    if (item->kind == DRY_INT || item->kind == DRY_BOOL) {
        return argument_bits(source, index, number);
    }
    return dry_error_value(source->caller, DRY_VALUE_TYPE, "argument %u must be int, not %s", index + 1,
                           item->kind == DRY_NONE ? "None" : dry_value_type_name(item));
}

/* CPython's messages here name its own function, and so do ours: scripts compare them. */
int argument_pair(const struct address_source *source, const char *family_name, uint64_t *first,
                  uint64_t *second)
{
    const struct dry_value *value = source->value;
    if (value->kind != DRY_TUPLE) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "getsockaddrarg: %s address must be tuple, not %s", family_name,
                               dry_value_type_name(value));
    }
    if (value->count != 2) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "getsockaddrarg() takes exactly 2 arguments (%u given)", value->count);
    }
    if (argument_bits(source, 0, first) < 0) {
        return -1;
    }
    return argument_bits(source, 1, second);
}

static void copy_out(const struct dry_value *item, char *text, size_t bytes, size_t *length)
{
    size_t fits = item->count < bytes ? item->count : bytes - 1;
    if (fits) {
        memcpy(text, item->bytes, fits);
    }
    text[fits] = 0;
    *length = item->count;
}

static bool has_nul(const struct dry_value *item)
{
    return item->count && memchr(item->bytes, 0, item->count);
}

int argument_text(const struct address_source *source, uint32_t index, const char *message, char *text,
                  size_t bytes, size_t *length)
{
    const struct dry_value *item = &source->value->items[index];
    if (item->kind != DRY_TEXT) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE, "%s", message);
    }
    for (size_t at = 0, position = 0; at < item->count; position++) {
        size_t start = at;
        uint32_t character = dry_value_character(item->bytes, item->count, &at);
        if (at == start + 1 && character >= DRY_VALUE_SURROGATE) {
            return dry_error_value(source->caller, DRY_VALUE_UNICODE,
                                   "'utf-8' codec can't encode character '\\u%04x' in position %zu: "
                                   "surrogates not allowed",
                                   character, position);
        }
    }
    if (has_nul(item)) {
        return dry_error_value(source->caller, DRY_VALUE_ERROR, "embedded null character");
    }
    copy_out(item, text, bytes, length);
    return 0;
}

int argument_path(const struct address_source *source, uint32_t index, char *text, size_t bytes,
                  size_t *length)
{
    const struct dry_value *item = &source->value->items[index];
    if (item->kind != DRY_TEXT && item->kind != DRY_BYTES) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "expected str, bytes or os.PathLike object, not %s",
                               dry_value_type_name(item));
    }
    if (has_nul(item)) {
        return dry_error_value(source->caller, DRY_VALUE_ERROR, "embedded null byte");
    }
    copy_out(item, text, bytes, length);
    return 0;
}
