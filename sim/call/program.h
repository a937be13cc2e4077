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

/* ---- real.c: the descriptor table mirrors all of the process -------------------------------- */

/* The number names a real descriptor from now on; what it named is closed. kind: enum sim_real_kind_of;
 * flags: O_* as fcntl tells them, O_CLOEXEC. The number, -EBADF beyond the limit, -ENFILE, -ENOMEM. */
int64_t sim_call_real_install(SIM_CALL, int fd, int kind, int flags);
/* What poll(2) said of a polled one: POLL* bits. 0 or -EBADF. */
int64_t sim_call_real_ready(SIM_CALL, int fd, unsigned bits);
/* 0: not open; 1: the world's; 2: real. */
int64_t sim_call_descriptor_kind(SIM_CALL, int fd);
int64_t sim_call_close_range(SIM_CALL, unsigned first, unsigned last, unsigned flags);
/* RLIMIT_NOFILE. */
int64_t sim_call_descriptor_limit(SIM_CALL, uint64_t limit);
/* From the seed's `program` stream: the same bytes in each run. */
int64_t sim_call_getrandom(SIM_CALL, void *buffer, size_t length, unsigned flags);

/* ---- program.c ---------------------------------------------------------------------------- */

/* A new process is a program's from now on: descriptors from 0, signals as exec leaves them, memory
 * of its own. */
void sim_process_become_program(struct sim_world *world, struct sim_process_id process);

#endif
