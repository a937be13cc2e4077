/* AF_UNIX addresses: paths in the file system encoding, abstract names, and no name.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "address.h"
#include "error.h"
#include "value.h"

static int unix_from_value(const struct address_source *source, struct dry_address *address)
{
    const struct dry_value *value = source->value;
    struct sockaddr_un *name = (struct sockaddr_un *)(void *)&address->storage;
    if (value->kind != DRY_TEXT && value->kind != DRY_BYTES) {
        return dry_error_value(source->caller, DRY_VALUE_TYPE,
                               "a bytes-like object is required, not '%s'", dry_value_type_name(value));
    }
    /* An abstract name is as long as it is; a path also needs its NUL. */
    bool is_path = value->count > 0 && value->bytes[0] != 0;
    size_t length = (size_t)value->count + (is_path ? 1 : 0);
    if (length > sizeof(name->sun_path)) {
        return dry_error_os_text(source->caller, "AF_UNIX path too long");
    }
    name->sun_family = AF_UNIX;
    if (value->count) {
        memcpy(name->sun_path, value->bytes, value->count);
    }
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

static int unix_to_value(const struct dry_address *address, struct address_sink *sink)
{
    const struct sockaddr_un *name = (const void *)&address->storage;
    size_t before = offsetof(struct sockaddr_un, sun_path);
    size_t length = address->length > before ? address->length - before : 0;
    if (length > 0 && name->sun_path[0] == 0) {
        sink_bytes(sink, 0, name->sun_path, length);
    } else { /* Linux may count a NUL that lies behind sun_path's 108 bytes */
        sink_text(sink, 0, name->sun_path, strnlen(name->sun_path, length));
    }
    *sink->value = sink->items[0];
    return 0;
}

const struct address_family dry_family_unix = {AF_UNIX, unix_from_value, unix_to_value};
