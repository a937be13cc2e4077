/* The world's one loop: takes events from the queue and gives each to the file it belongs to.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stddef.h>

#include "core/state.h"

enum sim_step {
    SIM_STEP_EMPTY = 0, /* nothing queued, or nothing before the limit */
    SIM_STEP_DONE,      /* an event was handled */
    SIM_STEP_TASK,      /* *task is to be resumed by the runner; its state is RUNNING */
    SIM_STEP_SCRIPT,    /* *script: the runner's own number */
};

/* Handles the next event if it is not after `until`. While world->tap is set, the runner drains
 * sim_packet_take_tap after each step. */
enum sim_step sim_world_step(struct sim_world *world, uint64_t until, struct sim_task_id *task,
                             uint32_t *script);
/* What the next event is, in words, for who must say why the clock stands still. */
void sim_world_describe_next(const struct sim_world *world, char *text, size_t bytes);
/* Moves the clock to an instant before which nothing is queued; the past counts as now. */
void sim_world_advance(struct sim_world *world, uint64_t instant);
/* Walks everything and asserts what must hold. */
void sim_check_world(const struct sim_world *world);
/* The same, but in a large world only after every so-many-th event, so that checking each step
 * costs about as much whatever the world's size. */
void sim_check_step(const struct sim_world *world);

#endif
