/* The one error object: how the library's calls say why they failed.
 * SPDX-License-Identifier: MIT
 *
 * Inside the library and below it a failure is -errno; at the edge of a public call one of these
 * functions writes it down in the calling task's store and returns -1.
 */
#ifndef REAL_ERROR_H
#define REAL_ERROR_H

#include <stdlib.h>

#include <drysock/socket.h>

/* A bug that a test must notice, in the build that has mutants (tests/mutant.h). */
#ifndef DRY_MUTANT
#define DRY_MUTANT(name) 0
#endif

/* What the library keeps in each task's store (DRY_LOCAL_BYTES of zeros at first). */
struct task_store {
    struct dry_error error;
    int (*check)(void *argument); /* the interrupt check; NULL always retries */
    void *check_argument;
    bool hosts_are_bytes; /* dry_set_host_bytes */
};

/* All of these return -1. */

/* OSError(code, strerror(code)). code is a positive errno. */
int dry_error_os(struct dry_caller caller, int code);
/* OSError("..."): a message alone; code is 0 as Python's errno attribute is None. */
int dry_error_os_text(struct dry_caller caller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* TimeoutError("timed out"). */
int dry_error_timeout(struct dry_caller caller);
/* gaierror(code, gai_strerror(code)); EAI_SYSTEM is OSError(system_error), as in Python. */
int dry_error_gai(struct dry_caller caller, int code, int system_error);
/* herror(code, hstrerror(code)). */
int dry_error_herror(struct dry_caller caller, int code);
/* A wrong argument: ValueError, TypeError, OverflowError, UnicodeError by `which`. */
int dry_error_value(struct dry_caller caller, enum dry_value_error which, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A public call got NULL for its socket, which is as a closed one: EBADF. -1. */
int dry_error_no_socket(void);
int dry_error_interrupted(struct dry_caller caller, int code);
/* Documented, but not on this system; code is an errno or 0. */
int dry_error_unsupported(struct dry_caller caller, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The seam's result as the public call's: a negative one becomes the error object. */
ssize_t dry_error_edge(struct dry_caller caller, ssize_t result);

/* Writes an error that was saved before (after closing what a failed call leaves behind). */
int dry_error_restore(struct dry_caller caller, const struct dry_error *saved);

static inline struct task_store *dry_task_store(struct dry_caller caller)
{
    return caller.system->task_local(caller);
}

/* Every public call of the library stands between these two, on every path out. */
static inline struct dry_caller dry_call_begin(const char *verb, int fd)
{
    struct dry_caller caller = dry_current_caller();
    if (__builtin_expect(caller.system->call_begin != NULL, 0)) {
        caller.system->call_begin(caller, verb, fd);
    }
    return caller;
}

/* Memory of the call in progress: it goes with the task when that is given up inside the call. */
static inline void *dry_hold(struct dry_caller caller, size_t bytes)
{
    return caller.system->hold != NULL ? caller.system->hold(caller, bytes) : malloc(bytes);
}

static inline void dry_release(struct dry_caller caller, void *memory)
{
    if (caller.system->release != NULL) {
        caller.system->release(caller, memory);
    } else {
        free(memory);
    }
}

static inline void dry_call_end(struct dry_caller caller)
{
    if (__builtin_expect(caller.system->call_end != NULL, 0)) {
        caller.system->call_end(caller);
    }
}

#endif
