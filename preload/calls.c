/* What becomes of a system call: looked up in the one table (calls.h), then done.
 * SPDX-License-Identifier: MIT */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "preload.h"

enum class {
    CLASS_UNKNOWN = 0,
    CLASS_SEAM,
    CLASS_WORLD,
    CLASS_PASSES,
    CLASS_FILE_OF,
    CLASS_OPENS,
    CLASS_CHANGES,
    CLASS_REFUSED,
};

struct row {
    const char *name;
    int64_t (*call)(const int64_t *a);
    int flag; /* FILE_OF, REFUSED: the error; OPENS: the flag that means close-on-exec */
    int8_t class, index;
};

#define WORLD_ROW(name) [SYS_##name] = {#name, preload_do_##name, 0, CLASS_WORLD, 0},
#define SEAM_ROW(name) [SYS_##name] = {#name, preload_do_##name, 0, CLASS_SEAM, 0},
#define PASSES_ROW(name) [SYS_##name] = {#name, NULL, 0, CLASS_PASSES, 0},
#define FILE_OF_ROW(name, index, error) [SYS_##name] = {#name, NULL, error, CLASS_FILE_OF, index},
#define OPENS_ROW(name, index, flag) [SYS_##name] = {#name, NULL, flag, CLASS_OPENS, index},
#define CHANGES_ROW(name) [SYS_##name] = {#name, NULL, 0, CLASS_CHANGES, 0},
#define REFUSED_ROW(name, error) [SYS_##name] = {#name, NULL, error, CLASS_REFUSED, 0},

static const struct row rows[] = {PRELOAD_SEAM_CALLS(SEAM_ROW) PRELOAD_WORLD_CALLS(
    WORLD_ROW) PRELOAD_PASSED_CALLS(PASSES_ROW, FILE_OF_ROW, OPENS_ROW, CHANGES_ROW)
                                      PRELOAD_REFUSED_CALLS(REFUSED_ROW)};
static const int64_t row_count = sizeof rows / sizeof rows[0];

const char *preload_call_name(int64_t number)
{
    return number >= 0 && number < row_count ? rows[number].name : NULL;
}

int64_t preload_pass(int64_t number, const int64_t a[PRELOAD_ARGUMENTS])
{
    return preload_kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int64_t opened(const struct row *row, int64_t number, const int64_t *a)
{
    const int64_t fd = preload_pass(number, a);
    const bool close_on_exec = row->index < 0 || (row->flag && (a[row->index] & row->flag));
    return preload_descriptor_opened(fd, close_on_exec ? O_CLOEXEC : 0);
}

/* The fault plan counts it by its name, when it has rules. */
static int64_t announced(const struct row *row, const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    if (caller.system->call_begin) {
        caller.system->call_begin(caller, row->name, (int)a[0]);
    }
    const int64_t result = row->call(a);
    if (caller.system->call_end) {
        caller.system->call_end(caller);
    }
    return result;
}

int64_t preload_call(int64_t number, const int64_t a[PRELOAD_ARGUMENTS])
{
    static const struct row unknown = {NULL, NULL, ENOSYS, CLASS_UNKNOWN, 0};
    const struct row *row = number >= 0 && number < row_count ? &rows[number] : &unknown;
    int64_t result;
    switch (row->class) {
    case CLASS_SEAM:
        return announced(row, a);
    case CLASS_WORLD:
        return row->call(a);
    case CLASS_PASSES:
        return preload_pass(number, a);
    case CLASS_FILE_OF:
        return preload_kind_of((int)a[row->index]) == PRELOAD_WORLD ? -row->flag
                                                                    : preload_pass(number, a);
    case CLASS_OPENS:
        return opened(row, number, a);
    case CLASS_CHANGES:
        result = preload_pass(number, a);
        preload_memory_changed();
        return result;
    default:
        preload_report_refused(number);
        return row->class == CLASS_REFUSED ? -row->flag : -ENOSYS;
    }
}
