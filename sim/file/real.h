/* Descriptors of the real system that stand in a program's table beside those of the world.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_REAL_H
#define SIM_REAL_H

#include "file.h"

/* An object for one; index 0: no room. */
struct sim_real_id sim_real_new(struct sim_world *world, enum sim_real_kind_of kind);
/* What poll says of a polled one from now on. */
void sim_real_tell(struct sim_world *world, struct sim_real_id id, uint32_t bits);
/* A waiting task of a program that waits for something real: it wakes, to be told so. False: nobody
 * does. */
bool sim_real_wake_one(struct sim_world *world);

extern const struct sim_file_verbs sim_real_verbs;

#endif
