/* Processes and tasks: creation, fork, exit, signals.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <string.h>

#include "core/state.h"

enum { SIM_FIRST_PID = 1000 };

/* The process of this number; index 0: none that has not exited. */
struct sim_process_id sim_process_find(const struct sim_world *world, uint32_t pid);
struct sim_process_id sim_process_add(struct sim_world *world, struct sim_host_id host,
                                      const char *name);
/* A child that shares every open description; index 0: ENOMEM. */
struct sim_process_id sim_process_fork(struct sim_world *world, struct sim_process_id parent);
/* Its tasks end, then every descriptor is closed, in order. Once no task's record and no socket names
 * it, a later sim_process_add frees its record, and the number may be another's. */
void sim_process_exit(struct sim_world *world, struct sim_process_id id, int status);
/* A name as records keep it; the tail is zero, so that equal worlds are equal bytes. */
static inline void sim_name_copy(char to[SIM_NAME_BYTES], const char *from)
{
    const size_t length = strnlen(from, SIM_NAME_BYTES - 1);
    memset(to, 0, SIM_NAME_BYTES);
    memcpy(to, from, length);
}

/* ---- tasks (task.c) ----------------------------------------------------------------------- */

/* A task, ready to run, with a number of its own; index 0: so many live already. */
struct sim_task_id sim_task_add(struct sim_world *world, struct sim_process_id process,
                                const char *name, bool daemon);
/* The task's code returned (or was given up; its fate is set): wakes joiners. Its record stays until it
 * is joined, and else for a while: it is not freed before the next sim_task_add. */
void sim_task_end(struct sim_world *world, struct sim_task_id id);
/* An ended task was joined: nothing remembers it. */
void sim_task_free(struct sim_world *world, struct sim_task_id id);
/* The task of that number, which lives, or ended and has a record still; index 0: none. */
struct sim_task_id sim_task_find(const struct sim_world *world, uint32_t number);
/* Is anything known of that number? */
bool sim_task_is_known(const struct sim_world *world, uint32_t number);
/* What became of it, as long as that is known: until it is joined, or its number comes round. */
enum sim_task_fate sim_task_fate_of(const struct sim_world *world, uint32_t number);
/* Joins a task of that process that ended and has no record any more: true, once. */
bool sim_task_forget(struct sim_world *world, struct sim_process_id process, uint32_t number);

/* ---- signals ------------------------------------------------------------------------------ */

enum {
    /* interrupt_after's own signal: every process handles it, without SA_RESTART. */
    SIM_SIGNAL_INTERRUPT = 64,
};

enum sim_signal_disposition {
    SIM_SIGNAL_DEFAULT = 0, /* ends the process, or is ignored, as signal(7) lists */
    SIM_SIGNAL_HANDLED,
    SIM_SIGNAL_RESTARTS, /* handled with SA_RESTART */
    SIM_SIGNAL_IGNORED,  /* SIGPIPE at the start, as in Python */
};
int sim_signal_dispose(struct sim_world *world, struct sim_process_id process, int number,
                       enum sim_signal_disposition disposition);
/* Sends a signal now. Pending while blocked or while the task is in a call that has yet to look at
 * it; ends a wait otherwise (the call decides whether it restarts). Ignored signals vanish; one
 * with neither handler nor default of being ignored ends the process. */
void sim_signal_send(struct sim_world *world, struct sim_task_id id, int number);
/* SIM_EVENT_SIGNAL: a = number, b = only_waiting: lost unless the task waits now. */
void sim_signal_arrives(struct sim_world *world, struct sim_task_id id, int number, bool only_waiting);
/* The pending signals that are not blocked; whether all of their handlers restart calls. */
uint64_t sim_signal_due(const struct sim_task *task);
bool sim_signal_restarts(const struct sim_world *world, const struct sim_task *task);
/* The handlers of what is due run. */
void sim_signal_handle(struct sim_task *task);

#endif
