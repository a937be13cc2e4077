/* Fibers: how a task's code is parked. The one place that switches stacks.
 * SPDX-License-Identifier: MIT
 *
 * Contexts are libboost-context's, through its C entry points. The stacks lie side by side in one
 * mapping, touched only when used, each with a guard below it. The sanitizers and valgrind are told of
 * every stack and every switch. */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_stacks {
    char *base;
    size_t slot_bytes;     /* of each, guard included */
    uint32_t light_guards; /* 1: the kernel has guards that do not cut the mapping */
    uint32_t padding;
    uint32_t count;
    uint32_t used;       /* slots 0 … used-1 have been used */
    uint32_t first_free; /* slot number + 1; 0: none. The next is in `next` */
    uint32_t *next;
};

struct sim_fiber {
    void *context; /* where it stands while it does not run */
    uint32_t slot; /* its stack, + 1; 0: a stack that was there before, such as main's */
    uint32_t padding;
    const void *stack_bottom; /* the sanitizers' view */
    size_t stack_bytes;
    void *fake_stack;
    void *tsan;
    void (*entry)(void *argument);
    void *argument;
};

enum { SIM_STACK_LEAST = 64 * 1024 }; /* what the library's and the world's own calls need */

/* 0 or -errno. stack_bytes is rounded up to pages. */
int sim_stacks_create(struct sim_stacks *stacks, size_t stack_bytes, uint32_t count);
void sim_stacks_destroy(struct sim_stacks *stacks);

/* Gives the fiber a stack; entry(argument) runs at the first switch to it and must not return.
 * False when no stack is left. */
bool sim_fiber_create(struct sim_stacks *stacks, struct sim_fiber *fiber, void (*entry)(void *argument),
                      void *argument);
/* Gives the stack back; whatever ran there is forgotten. No-op without a stack. */
void sim_fiber_destroy(struct sim_stacks *stacks, struct sim_fiber *fiber);
/* Leaves `from` (the running one) for `to`; returns when something switches back to `from`. */
void sim_fiber_switch(struct sim_fiber *from, struct sim_fiber *to);
/* The same for a fiber that never runs again. */
void sim_fiber_leave(struct sim_fiber *from, struct sim_fiber *to) __attribute__((noreturn));
/* Whether the address lies in a guard, below the stack of a fiber that overflowed: which is of slot
 * *slot, as in the fiber. */
bool sim_stacks_guard(const struct sim_stacks *stacks, const void *address, uint32_t *slot);
/* False: the fiber's code wrote below its stack, where no guard stopped it. */
bool sim_fiber_is_whole(const struct sim_stacks *stacks, const struct sim_fiber *fiber);
/* After a jump (longjmp) from a fiber to code on `to`'s stack: tells the sanitizers. */
void sim_fiber_jumped(struct sim_fiber *to);
/* Does this address lie on the fiber's stack? */
bool sim_fiber_holds(const struct sim_stacks *stacks, const struct sim_fiber *fiber,
                     const void *address);

#endif
