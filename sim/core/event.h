/* The event queue: what will happen, ordered by instant and then by the order of pushing.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "state.h"

/* Queues an event at an absolute instant (the past counts as now). The target's generation is
 * noted, where targets may be freed; sim_world_step drops an event whose target is no longer the
 * one it was pushed for. What holds its event (a task, a timer, a packet …) always finds room: the
 * pool is laid out for all of them at once (block.c), and a kind of its own is added there.
 * With world->shuffle, tasks made ready at one instant run after that instant's other events, in
 * an order drawn from the `schedule` stream. */
struct sim_event_id sim_event_push(struct sim_world *world, uint64_t at, enum sim_event_kind kind,
                                   uint32_t target, uint32_t a, uint32_t b);
/* The same for what somebody outside wants to happen and the world can do without: a signal, an
 * instant, the change of a link. Index 0: as many as may be are queued. */
struct sim_event_id sim_event_push_spare(struct sim_world *world, uint64_t at, enum sim_event_kind kind,
                                         uint32_t target, uint32_t a, uint32_t b);
/* Moves a queued event to another instant, as if it were cancelled and pushed again: cheaper. */
void sim_event_move(struct sim_world *world, struct sim_event_id id, uint64_t at);
/* Forgets the event and zeroes *id; index 0 is allowed. */
void sim_event_cancel(struct sim_world *world, struct sim_event_id *id);
/* The next event's instant, SIM_NEVER when nothing is queued. */
uint64_t sim_event_next_at(const struct sim_world *world);
/* Takes the next event out of the queue, frees it, moves now to its instant. Returns the index it
 * had, 0 when the queue is empty. The other leaves alone what comes after `until`. */
struct sim_event_id sim_event_take(struct sim_world *world, struct sim_event *event);
struct sim_event_id sim_event_take_until(struct sim_world *world, uint64_t until,
                                         struct sim_event *event);
/* Is the event's target still the one it was pushed for? */
bool sim_event_is_current(const struct sim_world *world, const struct sim_event *event);

/* For walks over the whole queue (checks, fingerprints). */
struct sim_heap_entry *sim_event_heap(const struct sim_world *world);

#endif
