/* PF_SYSTEM addresses, which only another system has: read, and refused as unsupported.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "address.h"
#include "error.h"
#include "value.h"

static int system_from_value(const struct address_source *source, struct dry_address *address)
{
    const struct dry_value *value = source->value;
    int number = 0;
    char name[96]; /* MAX_KCTL_NAME of that system */
    size_t length = 0;
    if (source->protocol != DRY_SYSPROTO_CONTROL) {
        return dry_error_os_text(source->caller, "%s(): unsupported protocol", source->method);
    }
    if (value->kind == DRY_TEXT || value->kind == DRY_BYTES) {
        struct dry_value pair = {.kind = DRY_TUPLE, .count = 1, .items = value};
        struct address_source inner = *source;
        inner.value = &pair;
        if (argument_path(&inner, 0, name, sizeof(name), &length) < 0) {
            return -1;
        }
        if (length >= sizeof(name)) {
            return dry_error_value(source->caller, DRY_VALUE_ERROR, "provided string is too long");
        }
    } else if (value->kind != DRY_TUPLE) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "PF_SYSTEM address must be a str or a pair (id, unit)");
    } else if (argument_count(source, 2, 2, "PF_SYSTEM address must be a str or a pair (id, unit)") <
                   0 ||
               argument_int(source, 0, "id out of range", &number) < 0 ||
               argument_int(source, 1, "unit out of range", &number) < 0) {
        return -1;
    }
    return dry_error_unsupported(source->caller, EAFNOSUPPORT,
                                 "PF_SYSTEM addresses exist on macOS only");
}

const struct address_family dry_family_system = {DRY_PF_SYSTEM, system_from_value, NULL};
