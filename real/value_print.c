/* Writes a value as Python's repr() does.
 * SPDX-License-Identifier: MIT */
#include "value.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* snprintf's manners: everything is counted, what fits is stored. */
struct output {
    char *text;
    size_t bytes;
    size_t length;
    bool double_quotes; /* always; else as Python chooses */
};

/* First and last of each range of code points that repr() escapes; made by tools/printable.py. */
extern const uint32_t dry_hidden_characters[][2];
extern const size_t dry_hidden_count;

static void put(struct output *out, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++, out->length++) {
        if (out->length < out->bytes) {
            out->text[out->length] = bytes[i];
        }
    }
}

static void put_string(struct output *out, const char *string)
{
    put(out, string, strlen(string));
}

static void put_hex(struct output *out, char letter, int digits, uint32_t number)
{
    char text[16];
    int length = snprintf(text, sizeof(text), "\\%c%0*" PRIx32, letter, digits, number);
    put(out, text, (size_t)length);
}

static bool is_hidden(uint32_t character)
{
    size_t low = 0;
    size_t high = dry_hidden_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (character > dry_hidden_characters[middle][1]) {
            low = middle + 1;
        } else if (character < dry_hidden_characters[middle][0]) {
            high = middle;
        } else {
            return true;
        }
    }
    return false;
}

uint32_t dry_value_character(const char *bytes, size_t count, size_t *at)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)bytes[*at];
    int more = first < 0x80   ? 0
               : first < 0xc2 ? -1
               : first < 0xe0 ? 1
               : first < 0xf0 ? 2
               : first < 0xf5 ? 3
                              : -1;
    if (more >= 0 && *at + (size_t)more < count) {
        uint32_t character = more == 0 ? first : first & (0x3fu >> more);
        int i = 1;
        for (; i <= more && ((uint8_t)bytes[*at + (size_t)i] & 0xc0) == 0x80; i++) {
            character = character << 6 | ((uint8_t)bytes[*at + (size_t)i] & 0x3f);
        }
        bool surrogate = character >= 0xd800 && character <= 0xdfff;
        if (i > more && character >= smallest[more] && !surrogate && character <= 0x10ffff) {
            *at += (size_t)more + 1;
            return character;
        }
    }
    *at += 1;
    return DRY_VALUE_SURROGATE + first;
}

/* Python prefers single quotes, and takes double ones when that saves escapes. */
static char choose_quote(const struct output *out, const struct dry_value *value)
{
    if (out->double_quotes) {
        return '"';
    }
    bool has_single = value->count && memchr(value->bytes, '\'', value->count);
    bool has_double = value->count && memchr(value->bytes, '"', value->count);
    return has_single && (!has_double || DRY_MUTANT(repr_escapes_the_wrong_quote)) ? '"' : '\'';
}

/* Writes what bytes and str escape alike; false: the character is not one of these. */
static bool put_common(struct output *out, uint32_t character, char quote)
{
    char pair[2] = {'\\', 0};
    if (character == (uint8_t)quote || character == '\\') {
        pair[1] = (char)character;
    } else if (character == '\t') {
        pair[1] = 't';
    } else if (character == '\n') {
        pair[1] = 'n';
    } else if (character == '\r') {
        pair[1] = 'r';
    } else {
        return false;
    }
    put(out, pair, 2);
    return true;
}

static void put_bytes(struct output *out, const struct dry_value *value)
{
    char quote = choose_quote(out, value);
    put_string(out, "b");
    put(out, &quote, 1);
    for (uint32_t i = 0; i < value->count; i++) {
        uint8_t byte = (uint8_t)value->bytes[i];
        if (put_common(out, byte, quote)) {
            continue;
        }
        if (byte < 0x20 || byte >= 0x7f) {
            put_hex(out, 'x', 2, byte);
        } else {
            put(out, &value->bytes[i], 1);
        }
    }
    put(out, &quote, 1);
}

static void put_text(struct output *out, const struct dry_value *value)
{
    char quote = choose_quote(out, value);
    put(out, &quote, 1);
    for (size_t at = 0; at < value->count;) {
        size_t start = at;
        uint32_t character = dry_value_character(value->bytes, value->count, &at);
        if (put_common(out, character, quote)) {
            continue;
        }
        if (!is_hidden(character)) {
            put(out, value->bytes + start, at - start);
        } else if (character < 0x100) {
            put_hex(out, 'x', 2, character);
        } else if (character < 0x10000) {
            put_hex(out, 'u', 4, character);
        } else {
            put_hex(out, 'U', 8, character);
        }
    }
    put(out, &quote, 1);
}

/* The fewest significant digits that read back as `real`; returns their count, and the decimal
 * exponent of the first. The decimal point, which depends on the locale, is not looked at. */
static int shortest_digits(double real, char digits[20], int *exponent)
{
    char text[48];
    for (int precision = 0;; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, real);
        if (precision == 16 || strtod(text, NULL) == real) {
            break;
        }
    }
    int count = 0;
    const char *mark = strchr(text, 'e');
    assert(mark);
    for (const char *c = text; c < mark; c++) {
        if (*c >= '0' && *c <= '9' && count < 19) {
            digits[count++] = *c;
        }
    }
    *exponent = (int)strtol(mark + 1, NULL, 10);
    return count;
}

static void put_float(struct output *out, double real)
{
    if (isnan(real)) {
        put_string(out, "nan");
        return;
    }
    if (signbit(real)) {
        put_string(out, "-");
    }
    if (isinf(real)) {
        put_string(out, "inf");
        return;
    }
    char digits[20] = "";
    int exponent;
    int count = shortest_digits(fabs(real), digits, &exponent);
    if (exponent < -4 || exponent >= 16) {
        char text[16];
        put(out, digits, 1);
        if (count > 1) {
            put_string(out, ".");
            put(out, digits + 1, (size_t)count - 1);
        }
        snprintf(text, sizeof(text), "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        put_string(out, text);
        return;
    }
    if (exponent < 0) {
        put_string(out, "0.");
    }
    for (int i = -1; i > exponent; i--) {
        put_string(out, "0");
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        put(out, i < count ? &digits[i] : "0", 1);
        if (i == exponent) {
            put_string(out, ".");
            if (i + 1 >= count) {
                put_string(out, "0");
            }
        }
    }
}

static void put_value(struct output *out, const struct dry_value *value);

static void put_items(struct output *out, const struct dry_value *value, const char *brackets)
{
    put(out, brackets, 1);
    for (uint32_t i = 0; i < value->count; i++) {
        if (i) {
            put_string(out, ", ");
        }
        put_value(out, &value->items[i]);
    }
    if (value->kind == DRY_TUPLE && value->count == 1) {
        put_string(out, ",");
    }
    put(out, brackets + 1, 1);
}

static void put_integer(struct output *out, const struct dry_value *value)
{
    char text[24];
    if (value->count) {
        put(out, value->bytes, value->count);
        return;
    }
    snprintf(text, sizeof(text), "%" PRId64, value->integer);
    put_string(out, text);
}

static void put_value(struct output *out, const struct dry_value *value)
{
    switch (value->kind) {
    case DRY_NONE:
        put_string(out, "None");
        return;
    case DRY_BOOL:
        put_string(out, value->integer ? "True" : "False");
        return;
    case DRY_INT:
        put_integer(out, value);
        return;
    case DRY_FLOAT:
        put_float(out, value->real);
        return;
    case DRY_TEXT:
        put_text(out, value);
        return;
    case DRY_BYTES:
        put_bytes(out, value);
        return;
    case DRY_TUPLE:
        put_items(out, value, "()");
        return;
    case DRY_LIST:
        put_items(out, value, "[]");
        return;
    case DRY_OBJECT:
        put_string(out, "<");
        put(out, value->bytes, value->count);
        put_string(out, ">");
        return;
    }
    assert(!"a value of no kind");
}

static int print(const struct dry_value *value, char *text, size_t bytes, bool double_quotes)
{
    struct output out = {text, bytes ? bytes - 1 : 0, 0, double_quotes};
    put_value(&out, value);
    if (bytes) {
        text[out.length < bytes ? out.length : bytes - 1] = 0;
    }
    return (int)out.length;
}

int dry_value_print(const struct dry_value *value, char *text, size_t bytes)
{
    return print(value, text, bytes, false);
}

int dry_value_print_double(const struct dry_value *value, char *text, size_t bytes)
{
    return print(value, text, bytes, true);
}

const char *dry_value_type_name(const struct dry_value *value)
{
    static const char *const names[] = {
        [DRY_NONE] = "NoneType", [DRY_BOOL] = "bool",   [DRY_INT] = "int",     [DRY_FLOAT] = "float",
        [DRY_TEXT] = "str",      [DRY_BYTES] = "bytes", [DRY_TUPLE] = "tuple", [DRY_LIST] = "list",
    };
    return value->kind == DRY_OBJECT ? value->bytes : names[value->kind];
}

void dry_value_unsigned(struct dry_value *value, uint64_t number, char digits[24])
{
    *value = (struct dry_value){.kind = DRY_INT, .integer = (int64_t)number};
    if (number > INT64_MAX) {
        value->count = (uint32_t)snprintf(digits, 24, "%" PRIu64, number);
        value->bytes = digits;
    }
}
