/* The constants of the socket module by name.
 * SPDX-License-Identifier: MIT */
#include "constant.h"

#include <string.h>

#include "error.h"

const struct dry_constant *dry_constants(size_t *count)
{
    *count = dry_constant_count;
    return dry_constant_table;
}

int dry_constant_find(const char *name, int64_t *value)
{
    size_t low = DRY_MUTANT(first_constant_is_not_found) ? 1 : 0;
    size_t high = dry_constant_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, dry_constant_table[middle].name);
        if (order == 0) {
            *value = dry_constant_table[middle].value;
            return 0;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return dry_error_value(dry_current_caller(), DRY_VALUE_ERROR, "no constant is named %s", name);
}

const char *dry_constant_text(const char *name)
{
    if (strcmp(name, "BDADDR_ANY") == 0) {
        return "00:00:00:00:00:00";
    }
    if (strcmp(name, "BDADDR_LOCAL") == 0) {
        return "00:00:00:FF:FF:FF";
    }
    dry_error_value(dry_current_caller(), DRY_VALUE_ERROR, "no text constant is named %s", name);
    return NULL;
}
