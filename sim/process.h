/* Processes and tasks: creation, fork, exit, signals.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include "state.h"

struct sim_process_id sim_process_add(struct sim_world *world, struct sim_host_id host,
                                      const char *name);
/* A child that shares every open description; index 0: ENOMEM. */
struct sim_process_id sim_process_fork(struct sim_world *world, struct sim_process_id parent);
/* Closes every descriptor, in order. */
void sim_process_exit(struct sim_world *world, struct sim_process_id id, int status);
/* A task, ready to run. */
struct sim_task_id sim_task_add(struct sim_world *world, struct sim_process_id process,
                                const char *name, bool daemon);
/* The task's code returned (or was given up): wakes joiners. */
void sim_task_end(struct sim_world *world, struct sim_task_id id);
/* Sends a signal now. Pending while blocked or running; ends a wait otherwise (call.c decides
 * whether it restarts). Ignored signals vanish. */
void sim_signal_send(struct sim_world *world, struct sim_task_id id, int number);

#endif
