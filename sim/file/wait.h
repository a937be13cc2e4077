/* Waiting: records that link who waits with what is waited for; waking.
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
/* Links the task to a description's queue and holds the description while it waits, so that a close
 * elsewhere does not end the object under it. 0 or -ENOMEM. */
int sim_wait_add_file(struct sim_world *world, struct sim_task_id task, struct sim_file_id file,
                      uint32_t events);
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
/* Unlinks all of the task's waiters and cancels the deadline. */
void sim_wait_clear(struct sim_world *world, struct sim_task_id task);
/* Makes a waiting task ready; no-op for others. */
void sim_wait_wake_task(struct sim_world *world, struct sim_task_id task, enum sim_wake why);
/* SIM_EVENT_TASK_DEADLINE. */
void sim_wait_deadline(struct sim_world *world, struct sim_task_id task);

#endif
