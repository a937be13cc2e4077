/* The turn: which of all threads that share a block may run, and how it passes from one to another.
 * SPDX-License-Identifier: MIT
 *
 * One word in the block for each thread (struct sim_seat), on which it sleeps; who has the turn
 * wakes the next and goes to sleep. These calls make system calls of their own and keep errno as it
 * was. */
#ifndef SIM_TURN_H
#define SIM_TURN_H

#include "core/block.h"
#include "run.h"

/* Gives the turn to that task's thread (0: the coordinator's); the caller must not touch the world
 * afterwards before its own turn has come. */
void sim_turn_give(struct sim *sim, uint32_t task);
/* The same to the coordinator, with what it is to do. */
void sim_turn_order(struct sim *sim, enum sim_order order, uint32_t subject);
/* Sleeps until the turn comes to that seat, or for at most so long (0: for ever). False: it did not
 * come. Waits, too, for the thread that left last to leave its stack. */
bool sim_turn_take(struct sim *sim, uint32_t task, uint64_t most_ns);

/* Is this task a real thread's? */
static inline bool sim_turn_is_thread(const struct sim *sim, uint32_t task)
{
    const struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){task});
    return sim_process_at(sim->world, record->process)->program != 0;
}

/* ---- between the files that know of threads (attach.c, park_thread.c, watch.c) ------------------ */

/* From a task's own thread, whose task waits: takes events and passes the turn until it is this
 * task's. */
void sim_turn_wait(struct sim *sim, uint32_t task);
/* The same for a task that never has another turn: returns when the turn has been passed, with
 * `left` as the task whose thread leaves (0: none). */
void sim_turn_pass(struct sim *sim, uint32_t left);

/* From the coordinator's loop: the thread of that task has its turn; returns when the turn is back
 * and what was ordered with it is to be done: see park_thread.c. */
void sim_turn_lend(struct sim *sim, uint32_t task, enum sim_order *order, uint32_t *subject);

/* ---- watch.c: the real processes, as the coordinator sees them ---------------------------------- */

/* Looks which of them have ended. Those of the world end with them. True: the holder of the turn was
 * one, and the turn is the coordinator's now. */
bool sim_watch_look(struct sim *sim);
/* Waits until this process's real one has ended. */
void sim_watch_leave(struct sim *sim, uint32_t process);
/* Ends the real processes whose ones in the world were ended by others. */
void sim_watch_reap(struct sim *sim);
/* The holder of the turn has computed for too long without a call: ends its process. */
void sim_watch_stop_holder(struct sim *sim, const char *why);
void sim_watch_close(struct sim *sim);

#endif
