/* Who runs now: the one thread-local of the world's library.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_CURRENT_H
#define SIM_CURRENT_H

#include <drysock/system.h>
#include <stdint.h>

struct sim;

/* Where the running thread is. */
struct sim_current {
    struct dry_caller caller; /* system NULL: outside any task */
    struct sim *sim;          /* whose task runs; NULL: outside */
    uintptr_t stack_low;      /* the stack its code must be on */
    uintptr_t stack_bytes;
    uint64_t forked; /* 1: a copy of what the parent's default world ran */
};

struct sim_current *sim_current(void);
/* From now on `sim` is this thread's default world: its forked children have none. */
void sim_current_own(struct sim *sim);
/* This thread has one world more that its own code made, or one less: outside of their tasks it has no
 * caller then. */
void sim_current_count_worlds(int change);
/* Of the call that fails next with ENOTSUP, dry_explain says this. */
void sim_current_explain(const char *sentence);
/* What calls are made as by who has no world: refused, and dry_explain says this. */
struct dry_caller sim_current_refuse(const char *sentence);
/* The task's and the process's store, DRY_LOCAL_BYTES each, of a thread that has no world. */
void *sim_current_task_store(void);
void *sim_current_process_store(void);

/* What dry_current_caller says outside any task: default.c makes that world and its first task. A table
 * of one call, so that who asks need not know what a world is made of. */
extern struct dry_caller (*const sim_default_caller)(void);

#endif
