/* Host names beyond ASCII: Python encodes them by IDNA 2003, which is libidn's, not libidn2's.
 * SPDX-License-Identifier: MIT
 *
 * Label by label, so that the work is that of the name's length: libidn takes the square of it for a
 * whole name, and for one label. No label of more than LONGEST_LABEL characters, those left out that
 * nameprep maps to nothing, can be a good one: composing makes one of four at most, and 63 are the
 * limit. */
#include "idna.h"

#include <ctype.h>
#include <idna.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "error.h"
#include "value.h"

enum {
    LABEL_BYTES_MAX = 63,
    LONGEST_LABEL = 4 * LABEL_BYTES_MAX,
};

static const char too_long[] = "label empty or too long", no_form[] = "label has no ASCII form";

/* RFC 3490 3.1: what stands for a dot in other scripts. */
static bool is_dot(uint32_t character)
{
    return character == '.' || character == 0x3002 || character == 0xff0e || character == 0xff61;
}

/* RFC 3454 B.1: commonly mapped to nothing. */
static bool is_nothing(uint32_t character)
{
    switch (character) {
    case 0xad:
    case 0x34f:
    case 0x1806:
    case 0x2060:
    case 0xfeff:
        return true;
    default:
        return (character >= 0x180b && character <= 0x180d) ||
               (character >= 0x200b && character <= 0x200d) ||
               (character >= 0xfe00 && character <= 0xfe0f);
    }
}

struct label {
    uint32_t characters[LONGEST_LABEL];
    size_t count;
    bool beyond_ascii, ends; /* of the name's last label */
};

/* Reads the next label; NULL, or what is wrong with it. */
static const char *read_label(const char *name, size_t length, size_t *at, struct label *label)
{
    label->count = 0;
    label->beyond_ascii = false;
    label->ends = true;
    while (*at < length) {
        size_t start = *at;
        uint32_t character = dry_value_character(name, length, at);
        if (*at == start + 1 && character >= DRY_VALUE_SURROGATE) {
            return no_form;
        }
        if (is_dot(character)) {
            label->ends = false;
            break;
        }
        label->beyond_ascii |= character >= 0x80;
        if (is_nothing(character)) {
            continue;
        }
        if (label->count == LONGEST_LABEL) {
            return too_long;
        }
        label->characters[label->count++] = character;
    }
    return NULL;
}

/* Nameprep makes small letters of a label that has anything beyond ASCII, were it mapped to nothing. */
static void fold(struct label *label)
{
    for (size_t i = 0; label->beyond_ascii && i < label->count; i++) {
        if (label->characters[i] < 0x80) {
            label->characters[i] = (uint32_t)tolower((int)label->characters[i]);
        }
    }
}

/* All labels into `out`, which has room for any; NULL, or what is wrong. */
static const char *encode_labels(const char *name, size_t length, char *out)
{
    struct label label;
    bool first = true;
    for (size_t at = 0;; first = false) {
        const char *problem = read_label(name, length, &at, &label);
        if (problem != NULL) {
            return problem;
        }
        if (!first) {
            *out++ = '.';
        }
        if (label.ends && label.count == 0 && !label.beyond_ascii && !first) {
            break; /* the root's label, behind a last dot */
        }
        if (label.count == 0) {
            return too_long;
        }
        fold(&label);
        /* Python's codec lets code points through that Unicode 3.2 did not assign. */
        int verdict = idna_to_ascii_4i(label.characters, label.count, out, IDNA_ALLOW_UNASSIGNED);
        if (verdict != IDNA_SUCCESS) {
            return verdict == IDNA_INVALID_LENGTH ? too_long : no_form;
        }
        out += strlen(out);
        if (label.ends) {
            break;
        }
    }
    *out = 0;
    return NULL;
}

static size_t ascii_length(const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && (unsigned char)name[i] < 0x80) {
        i++;
    }
    return i;
}

static size_t count_dots(const char *name, size_t length)
{
    size_t dots = 0;
    for (size_t at = 0; at < length;) {
        dots += is_dot(dry_value_character(name, length, &at));
    }
    return dots;
}

char *dry_idna_encode(struct dry_caller caller, const char *name, size_t length, const char **problem)
{
    *problem = NULL;
    bool ascii = ascii_length(name, length) == length;
    size_t bytes = ascii ? length + 1 : (count_dots(name, length) + 1) * (LABEL_BYTES_MAX + 1) + 1;
    char *encoded = dry_hold(caller, bytes);
    if (encoded == NULL) {
        return NULL;
    }
    if (ascii) {
        memcpy(encoded, name, length);
        encoded[length] = 0;
        return encoded;
    }
    *problem = encode_labels(name, length, encoded);
    if (*problem != NULL) {
        dry_release(caller, encoded);
        return NULL;
    }
    return encoded;
}

const char *dry_idna_problem(const char *name)
{
    for (;;) {
        size_t length = strcspn(name, ".");
        bool last = name[length] == 0;
        if (last) {
            return length > LABEL_BYTES_MAX ? "label too long" : NULL;
        }
        if (length == 0 || length > LABEL_BYTES_MAX) {
            return too_long;
        }
        name += length + 1;
    }
}
