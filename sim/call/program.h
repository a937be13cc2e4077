/* World calls of programs as they are: what their threads and processes ask besides sockets and files.
 * SPDX-License-Identifier: MIT
 *
 * As call.h's: results of the system calls of the same name, or SIM_WAIT. Pointers are the program's
 * and good; signal sets are the kernel's eight bytes. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include "call.h"

/* ---- futex.c ------------------------------------------------------------------------------ */

/* key, key2: NULL for words of private memory; else two numbers that are the word's in every
 * process. */
int64_t sim_call_futex(SIM_CALL, uint32_t *word, int operation, uint32_t value,
                       const struct timespec *timeout, uint32_t *word2, uint32_t value2,
                       uint32_t value3, const uint64_t *key, const uint64_t *key2);
/* The robust list of a thread that ends: its words, whose owner is tid, are marked and one waiter of
 * each is woken. 0. */
int64_t sim_call_robust_exit(SIM_CALL, void *head, uint32_t tid);
int64_t sim_call_sched_yield(SIM_CALL);

/* ---- program.c ---------------------------------------------------------------------------- */

/* A new process is a program's from now on: descriptors from 0, signals as exec leaves them, memory
 * of its own. */
void sim_process_become_program(struct sim_world *world, struct sim_process_id process);

#endif
