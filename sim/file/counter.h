/* eventfd: a counter that is read and written like a file.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_COUNTER_H
#define SIM_COUNTER_H

#include "core/state.h"
#include "file.h"

struct sim_counter_id sim_counter_new(struct sim_world *world, uint64_t initial, bool semaphore);
void sim_counter_free(struct sim_world *world, struct sim_counter_id id);
/* 8, or -EAGAIN where eventfd(2) would wait; write of 2^64-1: -EINVAL. */
int64_t sim_counter_read(struct sim_world *world, struct sim_counter_id id, uint64_t *value);
int64_t sim_counter_write(struct sim_world *world, struct sim_counter_id id, uint64_t value);
uint32_t sim_counter_poll(const struct sim_world *world, struct sim_counter_id id);

extern const struct sim_file_verbs sim_counter_verbs;

#endif
