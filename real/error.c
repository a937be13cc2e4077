/* Writes the calling task's error object, and names error codes.
 * SPDX-License-Identifier: MIT */
#include "error.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(struct task_store) <= DRY_LOCAL_BYTES, "the task's store is too small");

static void set(struct dry_caller caller, enum dry_error_kind kind, int code, const char *message)
{
    struct dry_error *error = &dry_task_store(caller)->error;
    error->kind = kind;
    error->code = code;
    snprintf(error->message, sizeof error->message, "%s", message);
}

static void set_format(struct dry_caller caller, enum dry_error_kind kind, int code, const char *format,
                       va_list arguments)
{
    char message[sizeof((struct dry_error *)0)->message];
    vsnprintf(message, sizeof message, format, arguments);
    set(caller, kind, code, message);
}

int dry_error_os(struct dry_caller caller, int code)
{
    assert(code > 0);
    const char *why = dry_explain(caller, code);
    if (why != NULL) {
        set(caller, DRY_ERROR_UNSUPPORTED, code, why);
        return -1;
    }
    char text[128];
    /* strerror_r of the GNU kind: it may answer with a constant of its own. */
    set(caller, DRY_ERROR_OS, code, strerror_r(code, text, sizeof text));
    return -1;
}

int dry_error_os_text(struct dry_caller caller, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_format(caller, DRY_ERROR_OS, 0, format, arguments);
    va_end(arguments);
    return -1;
}

int dry_error_timeout(struct dry_caller caller)
{
    set(caller, DRY_ERROR_TIMEOUT, 0, "timed out");
    return -1;
}

int dry_error_gai(struct dry_caller caller, int code, int system_error)
{
    if (code == EAI_SYSTEM) {
        return dry_error_os(caller, system_error ? system_error : EIO);
    }
    set(caller, DRY_ERROR_GAI, code, gai_strerror(code));
    return -1;
}

int dry_error_herror(struct dry_caller caller, int code)
{
    if (code == NETDB_INTERNAL && dry_explain(caller, ENOTSUP) != NULL) {
        return dry_error_os(caller, ENOTSUP); /* no h_errno says so much */
    }
    set(caller, DRY_ERROR_HERROR, code, hstrerror(code));
    return -1;
}

int dry_error_value(struct dry_caller caller, enum dry_value_error which, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_format(caller, DRY_ERROR_VALUE, (int)which, format, arguments);
    va_end(arguments);
    return -1;
}

int dry_error_no_socket(void)
{
    return dry_error_os(dry_current_caller(), EBADF);
}

int dry_error_interrupted(struct dry_caller caller, int code)
{
    set(caller, DRY_ERROR_INTERRUPTED, code, "interrupted");
    return -1;
}

int dry_error_unsupported(struct dry_caller caller, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_format(caller, DRY_ERROR_UNSUPPORTED, code, format, arguments);
    va_end(arguments);
    return -1;
}

ssize_t dry_error_edge(struct dry_caller caller, ssize_t result)
{
    if (__builtin_expect(result >= 0, 1)) {
        return result;
    }
    return dry_error_os(caller, (int)-result);
}

int dry_error_restore(struct dry_caller caller, const struct dry_error *saved)
{
    dry_task_store(caller)->error = *saved;
    return -1;
}

const struct dry_error *dry_last_error(void)
{
    return &dry_task_store(dry_current_caller())->error;
}

void dry_set_interrupt_check(int (*check)(void *argument), void *argument)
{
    struct task_store *store = dry_task_store(dry_current_caller());
    store->check = check;
    store->check_argument = argument;
}

struct code_name {
    int code;
    const char *name;
};

#define CODE(name) {name, #name}

static const struct code_name gai_names[] = {
    CODE(EAI_ADDRFAMILY), CODE(EAI_AGAIN),   CODE(EAI_BADFLAGS), CODE(EAI_FAIL),
    CODE(EAI_FAMILY),     CODE(EAI_MEMORY),  CODE(EAI_NODATA),   CODE(EAI_NONAME),
    CODE(EAI_OVERFLOW),   CODE(EAI_SERVICE), CODE(EAI_SOCKTYPE), CODE(EAI_SYSTEM),
};

static const struct code_name host_names[] = {
    CODE(HOST_NOT_FOUND), CODE(TRY_AGAIN), CODE(NO_RECOVERY), CODE(NO_DATA), CODE(NETDB_INTERNAL),
};

static const char *const value_names[] = {
    [DRY_VALUE_ERROR] = "ValueError",
    [DRY_VALUE_TYPE] = "TypeError",
    [DRY_VALUE_OVERFLOW] = "OverflowError",
    [DRY_VALUE_UNICODE] = "UnicodeError",
};

static const char *find(const struct code_name *names, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *dry_error_code_name(enum dry_error_kind kind, int code)
{
    switch (kind) {
    case DRY_ERROR_OS:
    case DRY_ERROR_UNSUPPORTED:
        return code > 0 ? strerrorname_np(code) : NULL;
    case DRY_ERROR_GAI:
        return find(gai_names, sizeof gai_names / sizeof *gai_names, code);
    case DRY_ERROR_HERROR:
        return find(host_names, sizeof host_names / sizeof *host_names, code);
    case DRY_ERROR_VALUE:
        return code >= 0 && code <= DRY_VALUE_UNICODE ? value_names[code] : NULL;
    case DRY_ERROR_NONE:
    case DRY_ERROR_TIMEOUT:
    case DRY_ERROR_INTERRUPTED:
        break;
    }
    return NULL;
}

const char *dry_version(void)
{
    return DRY_VERSION;
}
