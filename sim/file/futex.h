/* Words of programs' memory that tasks wait on: who waits where, and who is woken or moved.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FUTEX_H
#define SIM_FUTEX_H

#include "core/state.h"

static const uint32_t SIM_FUTEX_ANY = UINT32_MAX; /* every bit of a waiter's set */

/* What names a word. */
struct sim_futex_key {
    uint64_t of[2];
};

/* Of the process's private memory; or, with two numbers that are the word's in every process, of
 * shared. */
struct sim_futex_key sim_futex_key(const struct sim_world *world, struct sim_process_id process,
                                   const uint32_t *word, const uint64_t shared[2]);
/* Links the task, behind who waits there already; bits: its set. 0 or -ENOMEM. When its wait is over,
 * sim_futex_sweep. */
int sim_futex_wait_add(struct sim_world *world, struct sim_task_id task, struct sim_futex_key key,
                       uint32_t bits);
/* Wakes those whose set meets `bits`, first come first woken, until `most` are (LINUX: that is
 * looked at after each: a limit of 0 wakes one as well). How many, or -EINVAL without bits. */
int64_t sim_futex_wake(struct sim_world *world, struct sim_futex_key key, int most, uint32_t bits);
/* Wakes so many, and lets up to so many of the others wait on another word. How many both were,
 * -EINVAL or -ENOMEM. */
int64_t sim_futex_requeue(struct sim_world *world, struct sim_futex_key from, struct sim_futex_key to,
                          int wakes, int moves);
/* Wakes everybody who waits on shared words: their owner may have died. */
void sim_futex_wake_shared(struct sim_world *world);
/* Frees the records of words in the key's bucket that nobody waits on any more; of all buckets. */
void sim_futex_sweep(struct sim_world *world, struct sim_futex_key key);
void sim_futex_sweep_all(struct sim_world *world);

#endif
