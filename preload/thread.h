/* A thread of the program, between the files that begin, end and interrupt it.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_THREAD_H
#define PRELOAD_THREAD_H

#include <ucontext.h>

/* The first function of a new thread, on a stack of the library's. */
void preload_thread_begin(void *argument) __attribute__((noreturn));
/* raw.c: goes on as this context says, as if a signal's handler had returned. The word below it is the
 * frame's return address. */
void preload_return_to(ucontext_t *context) __attribute__((noreturn));

/* The process ends in the world, with this exit status: only exit_group(2) may follow. */
void preload_process_leave(int status);

#endif
