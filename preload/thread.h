/* A thread of the program, between the files that begin, end and interrupt it.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_THREAD_H
#define PRELOAD_THREAD_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct clone_args;

enum { PRELOAD_START_BYTES = 32768 };

/* Lies at the lowest address of a new thread's first stack, free again when the thread has left it. */
struct preload_start {
    struct preload_start *next_free;
    int task;
    uint32_t *clear_tid;
    void *shared; /* of a vfork: family.c */
    _Alignas(16) struct {
        uint64_t padding;
        uint64_t return_address; /* popped by who makes the call */
        ucontext_t context;
    } frame;
};

/* ---- thread.c ----------------------------------------------------------------------------- */

/* One of PRELOAD_START_BYTES, or NULL; and back. */
struct preload_start *preload_start_take(void);
void preload_start_give(struct preload_start *start);
/* Its frame: of a signal that was taken where the call was made, which now gives 0, on this stack. */
void preload_start_frame(struct preload_start *start, uint64_t stack);
/* How many threads the process has. */
int preload_threads(void);
void preload_threads_are(int count);
/* The first function of a new thread, on a stack of the library's. */
void preload_thread_begin(void *argument) __attribute__((noreturn));
/* The process ends in the world, with this exit status: only exit_group(2) may follow. */
void preload_process_leave(int status);

/* ---- family.c ----------------------------------------------------------------------------- */

/* clone of a process; number: the call, for the report. */
int64_t preload_fork(const struct clone_args *wanted, int64_t number);
void preload_vfork_child(struct preload_start *start) __attribute__((noreturn));
void preload_vfork_parent(struct preload_start *start, int64_t pid) __attribute__((noreturn));

/* ---- raw.c -------------------------------------------------------------------------------- */

/* clone3(2); the child calls preload_thread_begin(start) on its own stack. */
int64_t preload_raw_thread(struct clone_args *arguments, size_t bytes, void *start);
/* clone3(2) of a vfork: the child calls preload_vfork_child(child); this thread preload_vfork_parent,
 * on the stack that ends at `top`. */
void preload_raw_vfork(struct clone_args *arguments, size_t bytes, struct preload_start *child,
                       struct preload_start *parent, void *top) __attribute__((noreturn));
/* Goes on as this context says, as if a signal's handler had returned. The word below it is the
 * frame's return address. */
void preload_return_to(ucontext_t *context) __attribute__((noreturn));

#endif
