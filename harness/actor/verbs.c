/* Arguments of verbs as C types.
 * SPDX-License-Identifier: MIT */
#include "verbs.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static const char *kind_name(const struct value *value)
{
    static const char *const names[] = {"NoneType", "bool",      "int",   "float", "str",
                                        "bytes",    "bytearray", "tuple", "list",  "object"};

    return names[value->kind];
}

int take_int64(struct call *call, uint32_t i, int64_t *result)
{
    const struct value *value = &call->arguments[i];
    if (!call->given[i]) {
        return 0;
    }
    if (value->kind != VALUE_INT && value->kind != VALUE_BOOL) {
        return raise_error(call->actor, "TypeError", "'%s' object cannot be interpreted as an integer",
                           kind_name(value));
    }
    *result = value->integer;
    return 0;
}

int take_int(struct call *call, uint32_t i, int *result)
{
    int64_t wide = *result;
    if (take_int64(call, i, &wide) != 0) {
        return -1;
    }
    if (wide > INT_MAX) {
        return raise_error(call->actor, "OverflowError", "signed integer is greater than maximum");
    }
    if (wide < INT_MIN) {
        return raise_error(call->actor, "OverflowError", "signed integer is less than minimum");
    }
    *result = (int)wide;
    return 0;
}

int take_bool(struct call *call, uint32_t i, bool *result)
{
    const struct value *value = &call->arguments[i];
    if (!call->given[i]) {
        return 0;
    }
    *result = value->kind == VALUE_FLOAT ? value->real != 0
              : value->kind <= VALUE_INT ? value->integer != 0
                                         : value->kind == VALUE_OBJECT || value->count > 0;
    return 0;
}

int take_bytes(struct call *call, uint32_t i, const char **bytes, size_t *count)
{
    const struct value *value = &call->arguments[i];
    if (!call->given[i]) {
        return 0;
    }
    if (value->kind != VALUE_BYTES && value->kind != VALUE_BYTEARRAY) {
        return raise_error(call->actor, "TypeError", "a bytes-like object is required, not '%s'",
                           kind_name(value));
    }
    *bytes = value->bytes;
    *count = value->count;
    return 0;
}

int take_buffer(struct call *call, uint32_t i, struct value *buffer)
{
    const struct value *value = &call->arguments[i];
    if (value->kind != VALUE_BYTEARRAY) {
        return raise_error(call->actor, "TypeError",
                           "%s() argument %u must be read-write bytes-like "
                           "object, not %s",
                           call->verb->name, i + 1, kind_name(value));
    }
    *buffer = *value;
    return 0;
}

int take_text(struct call *call, uint32_t i, const char **text)
{
    const struct value *value = &call->arguments[i];
    if (!call->given[i]) {
        return 0;
    }
    *text = NULL;
    if (value->kind == VALUE_NONE) {
        return 0;
    }
    if (value->kind == VALUE_INT || value->kind == VALUE_BOOL) {
        *text = arena_print(&call->actor->arena, "%lld", (long long)value->integer);
        return 0;
    }
    if (value->kind != VALUE_STR && value->kind != VALUE_BYTES && value->kind != VALUE_BYTEARRAY) {
        return raise_error(call->actor, "TypeError", "%s() argument %u must be str, not %s",
                           call->verb->name, i + 1, kind_name(value));
    }
    if (memchr(value->bytes, 0, value->count) != NULL) {
        return raise_error(call->actor, "ValueError", "embedded null character");
    }
    *text = arena_copy(&call->actor->arena, value->bytes, value->count);
    return 0;
}

int take_cut_text(struct call *call, uint32_t i, const char **text)
{
    const struct value *value = &call->arguments[i];
    if (value->kind != VALUE_STR && value->kind != VALUE_BYTES) {
        return take_text(call, i, text);
    }
    *text = arena_copy(&call->actor->arena, value->bytes, strnlen(value->bytes, value->count));
    return 0;
}

int take_timeout(struct call *call, uint32_t i, int64_t *ns)
{
    const struct value *value = &call->arguments[i];
    if (!call->given[i]) {
        return 0;
    }
    if (value->kind == VALUE_NONE) {
        *ns = DRY_TIMEOUT_NONE;
        return 0;
    }
    if (value->kind != VALUE_INT && value->kind != VALUE_BOOL && value->kind != VALUE_FLOAT) {
        return raise_error(call->actor, "TypeError", "'%s' object cannot be interpreted as an integer",
                           kind_name(value));
    }
    if (value->kind == VALUE_FLOAT && isnan(value->real)) {
        return raise_error(call->actor, "ValueError", "Invalid value NaN (not a number)");
    }
    double seconds = value->kind == VALUE_FLOAT ? value->real : (double)value->integer;
    if (seconds < 0) {
        return raise_error(call->actor, "ValueError", "Timeout value out of range");
    }
    if (seconds > 9.2e9) {
        return raise_error(call->actor, "OverflowError",
                           "timestamp out of range for platform "
                           "time_t");
    }
    /* Rounded up, as CPython rounds timeouts; the binary error of 0.3 must not add a nanosecond. */
    double exact = seconds * 1e9;
    double near = nearbyint(exact);
    *ns = (int64_t)(fabs(exact - near) <= exact * 1e-15 ? near : ceil(exact));
    return 0;
}

int take_address(struct call *call, uint32_t i, struct dry_address *address, const char *method)
{
    struct dry_value value;
    struct dry_socket *socket = call->self->socket;
    if (value_to_library(&call->actor->arena, &call->arguments[i], &value) != 0) {
        return raise_error(call->actor, "TypeError", "%s(): a socket is no address", method);
    }
    *address = (struct dry_address){0};
    if (dry_address_from_value(address, dry_family(socket), dry_type(socket), dry_protocol(socket),
                               &value, method) != 0) {
        return raise_library(call->actor);
    }
    return 0;
}

int value_descriptor(struct actor *actor, const struct value *value, int *descriptor)
{
    if (value->kind == VALUE_INT) {
        *descriptor = (int)value->integer;
        return 0;
    }
    if (value->kind != VALUE_OBJECT) {
        return raise_error(actor, "TypeError", "argument must be an int, or have a fileno() method");
    }
    if (value->object->kind == OBJECT_SOCKET) {
        *descriptor = dry_fileno(value->object->socket);
    } else {
        *descriptor = value->object->descriptor;
    }
    if (*descriptor < 0) {
        return raise_error(actor, "ValueError", "file descriptor cannot be a negative integer (%d)",
                           *descriptor);
    }
    return 0;
}

int result_status(struct call *call, int status)
{
    return status < 0 ? raise_library(call->actor) : 0;
}
