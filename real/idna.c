/* Host names beyond ASCII: Python encodes them by IDNA 2003, which is libidn's, not libidn2's.
 * SPDX-License-Identifier: MIT */
#include "idna.h"

#include <idn-free.h>
#include <idna.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *dry_idna_encode(const char *name, size_t length)
{
    char *copy = strndup(name, length);
    if (!copy) {
        return NULL;
    }
    size_t i = 0;
    while (i < length && (unsigned char)copy[i] < 0x80) {
        i++;
    }
    if (i == length) {
        return copy;
    }
    /* Python's codec lets code points through that Unicode 3.2 did not assign. */
    char *encoded = NULL;
    int verdict = idna_to_ascii_8z(copy, &encoded, IDNA_ALLOW_UNASSIGNED);
    free(copy);
    if (verdict != IDNA_SUCCESS) {
        return NULL;
    }
    /* A name that is only a dot in another script has no label; libidn lets it through. */
    copy = strcmp(encoded, ".") == 0 ? NULL : strdup(encoded);
    idn_free(encoded);
    return copy;
}

const char *dry_idna_problem(const char *name)
{
    enum { LABEL_BYTES_MAX = 63 };
    for (;;) {
        size_t length = strcspn(name, ".");
        bool last = name[length] == 0;
        if (last) {
            return length > LABEL_BYTES_MAX ? "label too long" : NULL;
        }
        if (length == 0 || length > LABEL_BYTES_MAX) {
            return "label empty or too long";
        }
        name += length + 1;
    }
}
