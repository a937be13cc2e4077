/* The event queue: what will happen, ordered by instant and then by the order of pushing.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "state.h"

/* Queues an event at an absolute instant (the past counts as now). target_generation 0: the event
 * is not checked against its target's generation. Returns index 0 when the queue is full; callers
 * that cannot fail size their pool so that this does not happen, and assert. */
struct sim_event_id sim_event_push(struct sim_world *world, uint64_t at, enum sim_event_kind kind,
                                   uint32_t target, uint32_t a, uint32_t b);
/* Forgets the event and zeroes *id; index 0 is allowed. */
void sim_event_cancel(struct sim_world *world, struct sim_event_id *id);
/* The next event's instant, SIM_NEVER when nothing is queued. */
uint64_t sim_event_next_at(const struct sim_world *world);
/* Takes the next event out of the queue, frees it, moves now to its instant. False when empty. */
bool sim_event_take(struct sim_world *world, struct sim_event *event);

#endif
