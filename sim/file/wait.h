/* Waiting: records that link who waits with what is waited for; waking; what epoll found ready.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_WAIT_H
#define SIM_WAIT_H

#include "core/state.h"

enum { SIM_WAKE_ALL = 0x7fffffff }; /* bits that every waiter hears */

/* Something changed at an object: wakes every waiter of its queue whose events meet `bits` (POLL*).
 * POLLERR and POLLHUP wake all. Waking a task queues its TASK_RUNS event at now; waking an epoll
 * item readies it and wakes the epoll's own waiters. May be called at any time from anywhere. */
void sim_wake(struct sim_world *world, struct sim_wait_queue *queue, uint32_t bits);
void sim_wake_socket(struct sim_world *world, struct sim_socket_id id, uint32_t bits);
/* Links the task to a queue. 0 or -ENOMEM. */
int sim_wait_add(struct sim_world *world, struct sim_task_id task, uint32_t queue_kind,
                 uint32_t queue_index, uint32_t events);
/* Puts a waiter at the end of a queue; takes it out of the one it stands in. */
void sim_wait_enqueue(struct sim_world *world, struct sim_waiter_id id, uint32_t kind, uint32_t index);
void sim_wait_dequeue(struct sim_world *world, struct sim_waiter_id id);
/* The queue's object is about to go: unlinks everybody. */
void sim_wait_abandon(struct sim_world *world, struct sim_wait_queue *queue);
/* The queue that a (kind, index) names. */
struct sim_wait_queue *sim_wait_queue_of(struct sim_world *world, uint32_t kind, uint32_t index);
/* Parks the task: its waiters are linked, the deadline (SIM_NEVER: none) gets its event. Waiters stay
 * linked while the task wakes and parks again within one call: it keeps its place in the queues. */
void sim_wait_park(struct sim_world *world, struct sim_task_id task, uint64_t deadline_at);
/* Makes a waiting task ready; no-op for others. */
void sim_wait_wake_task(struct sim_world *world, struct sim_task_id task, enum sim_wake why);
/* SIM_EVENT_TASK_DEADLINE. */
void sim_wait_deadline(struct sim_world *world, struct sim_task_id task);

/* An epoll's items are waiters that stand in what they watch until they are removed. The ready list
 * holds those that something happened to; both are no-ops where the item is as it shall be. */
void sim_wait_ready(struct sim_world *world, struct sim_waiter_id item);
void sim_wait_unready(struct sim_world *world, struct sim_waiter_id item);
/* Something changed at the object an item watches: readies it and wakes who waits on its epoll. True
 * if somebody does and the item asks for these bits: an exclusive item then ends the walk. */
bool sim_wait_item_wakes(struct sim_world *world, struct sim_waiter_id item, uint32_t bits);
/* Takes an item out of its epoll, its queue and the ready list, and frees it. */
void sim_wait_remove_item(struct sim_world *world, struct sim_waiter_id item);

#endif
