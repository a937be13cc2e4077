/* Families of programs: parents and children, zombies, groups and sessions, and how they are found.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FAMILY_H
#define SIM_FAMILY_H

#include "core/state.h"

/* ---- program.c ---------------------------------------------------------------------------- */

/* Is it a program that kill(2) may find: alive, or a zombie? */
bool sim_family_is_known(const struct sim_world *world, struct sim_process_id process);
/* Does the number name this process, by its own or by a thread's of it? */
bool sim_family_has_id(const struct sim_world *world, struct sim_process_id process, uint32_t pid);
/* The living task of a program with that number; the process that has it. Index 0: none. */
struct sim_task_id sim_family_task(const struct sim_world *world, uint32_t tid);
struct sim_process_id sim_family_process(const struct sim_world *world, uint32_t pid);
/* A number that nobody has. */
uint32_t sim_family_number(struct sim_world *world);

/* ---- family.c ----------------------------------------------------------------------------- */

/* SIM_EVENT_ENDED: the program's process has ended. Its children go to init, its parent is signalled
 * and woken, a vfork's parent goes on. */
void sim_family_ended(struct sim_world *world, struct sim_process_id process);
/* Who waits since vfork for this process goes on. */
void sim_family_end_vfork(struct sim_world *world, struct sim_process_id process);

#endif
