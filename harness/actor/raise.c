/* What a step raises: an error of the library, of the system, or of the language itself.
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verbs.h"

int raise_error(struct actor *actor, const char *kind, const char *format, ...)
{
    struct raised *raised = actor->raised;
    va_list list;
    *raised = (struct raised){.kind = kind};
    va_start(list, format);
    vsnprintf(raised->message, sizeof raised->message, format, list);
    va_end(list);
    return -1;
}

int raise_errno(struct actor *actor, int number)
{
    const char *name = strerrorname_np(number);
    raise_error(actor, "OSError", "%s", strerrordesc_np(number) ? strerrordesc_np(number) : "");
    snprintf(actor->raised->code, sizeof actor->raised->code, "%s", name != NULL ? name : "?");
    return -1;
}

int raise_library(struct actor *actor)
{
    static const char *const kinds[] = {
        [DRY_ERROR_NONE] = "OSError",
        [DRY_ERROR_OS] = "OSError",
        [DRY_ERROR_TIMEOUT] = "timeout",
        [DRY_ERROR_GAI] = "gaierror",
        [DRY_ERROR_HERROR] = "herror",
        [DRY_ERROR_VALUE] = "ValueError",
        [DRY_ERROR_INTERRUPTED] = "interrupted",
        [DRY_ERROR_UNSUPPORTED] = "unsupported",
    };
    static const char *const values[] = {"ValueError", "TypeError", "OverflowError", "UnicodeError"};
    const struct dry_error *error = dry_last_error();
    const char *kind = kinds[error->kind];
    bool coded = error->kind == DRY_ERROR_OS || error->kind == DRY_ERROR_GAI ||
                 error->kind == DRY_ERROR_HERROR;

    if (error->kind == DRY_ERROR_VALUE && error->code >= 0 && error->code < 4) {
        kind = values[error->code];
    }
    raise_error(actor, kind, "%s", error->message);
    const char *name = coded ? dry_error_code_name(error->kind, error->code) : NULL;
    if (coded && error->code == 0) { /* OSError("illegal IP address string …"): no errno at all */
        actor->raised->code[0] = 0;
    } else if (name != NULL) {
        snprintf(actor->raised->code, sizeof actor->raised->code, "%s", name);
    } else if (coded) {
        snprintf(actor->raised->code, sizeof actor->raised->code, "%d", error->code);
    }
    return -1;
}
