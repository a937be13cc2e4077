/* Signals of programs: what was sent and not delivered yet, whom it is for, what becomes of it.
 * SPDX-License-Identifier: MIT
 *
 * A signal sent to a process goes to one of its tasks that does not block it, the first before the
 * others, and waits with the process while all block it. It ends that task's wait; the program's own
 * thread takes it when its call has ended, and runs the handler. */
#ifndef SIM_PENDING_H
#define SIM_PENDING_H

#include <signal.h>

#include "core/state.h"

/* What siginfo_t will tell. */
struct sim_signal {
    int32_t number;
    int32_t code; /* SI_USER … */
    uint32_t pid, uid;
    int32_t status;
    uint32_t alarm; /* SI_TIMER: whose; index of the pool */
    uint64_t value;
};

static inline uint64_t sim_signal_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* Who takes a signal of the process: a task that awaits it (*awaited), else the first that does not
 * block it; index 0: nobody. */
struct sim_task_id sim_signal_taker(const struct sim_world *world, struct sim_process_id process,
                                    uint64_t bit, bool *awaited);
/* Is it pending there already: for the task, or (index 0) for the process? */
bool sim_signal_is_pending(const struct sim_world *world, struct sim_process_id process,
                           struct sim_task_id task, int number);
/* Queues it with the task (index 0: with the process); shared: it was sent to the process. 0 or
 * -EAGAIN. */
int sim_signal_enqueue(struct sim_world *world, struct sim_process_id process, struct sim_task_id task,
                       const struct sim_signal *signal, bool shared);
/* Does the process ignore it, by its action or by default? */
bool sim_signal_is_ignored(const struct sim_world *world, struct sim_process_id process, int number);

/* The action of a program's process; zero for SIG_DFL. */
struct sim_action sim_signal_action_of(const struct sim_world *world, struct sim_process_id process,
                                       int number);
/* Changes it; what is ignored from now on is forgotten where it is pending. 0 or -ENOMEM. */
int sim_signal_set_action(struct sim_world *world, struct sim_process_id process, int number,
                          const struct sim_action *action);
/* The actions of fork's child; those of a process that executes: handlers become SIG_DFL. 0 or
 * -ENOMEM. */
int sim_signal_copy_actions(struct sim_world *world, struct sim_process_id from,
                            struct sim_process_id to);
void sim_signal_execute(struct sim_world *world, struct sim_process_id process);

/* The task's mask from now on (SIGKILL and SIGSTOP left out): what the process holds and this task
 * does not block becomes its own; what it blocks now goes to another task or back to the process. */
void sim_signal_set_mask(struct sim_world *world, struct sim_task_id task, uint64_t mask);
/* The signals pending for the task, its process's included. */
uint64_t sim_signal_pending(const struct sim_world *world, struct sim_task_id task);
/* Takes the first signal out of the task's, or its process's: the lowest number of this set. False:
 * none. */
bool sim_signal_dequeue(struct sim_world *world, struct sim_task_id task, uint64_t set,
                        struct sim_signal *signal, uint64_t *overrun);
void sim_signal_fill(const struct sim_world *world, const struct sim_signal *signal, uint64_t overrun,
                     siginfo_t *information);
/* The task ended: what was the process's goes on to others. */
void sim_signal_task_ended(struct sim_world *world, struct sim_task_id task);
/* Frees all that the process had. */
void sim_signal_process_ended(struct sim_world *world, struct sim_process_id process);

/* Wakes the task for a signal, unless it is where nothing but its end may (a vfork's parent). */
void sim_signal_wake(struct sim_world *world, struct sim_task_id task);
/* Does a record of this alarm stand anywhere? Drops it. */
bool sim_signal_alarm_is_queued(const struct sim_world *world, struct sim_alarm_id alarm);
void sim_signal_forget_alarm(struct sim_world *world, struct sim_alarm_id alarm);

/* ---- send.c ------------------------------------------------------------------------------- */

/* As kill(2) has it, by that task. */
struct sim_signal sim_signal_from(const struct sim_world *world, struct sim_task_id sender, int number,
                                  int code);
/* Sends it to a process, or to one task. 0, or -EAGAIN when no more can be queued. */
int sim_signal_to_process(struct sim_world *world, struct sim_process_id process,
                          const struct sim_signal *signal);
int sim_signal_to_task(struct sim_world *world, struct sim_task_id task,
                       const struct sim_signal *signal);
/* The process dies of that signal now. */
void sim_signal_kill(struct sim_world *world, struct sim_process_id process, int number);

#endif
