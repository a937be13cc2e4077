/* signalfd: a program's pending signals as a file.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_SIGNALFD_H
#define SIM_SIGNALFD_H

#include "file.h"

/* Index 0: no room. The mask may change later. */
struct sim_signalfd_id sim_signalfd_new(struct sim_world *world, struct sim_process_id process,
                                        uint64_t mask);
void sim_signalfd_change(struct sim_world *world, struct sim_signalfd_id id, uint64_t mask);

extern const struct sim_file_verbs sim_signalfd_verbs;

#endif
