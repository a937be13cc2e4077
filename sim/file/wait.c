/* Waiting: records that link who waits with what is waited for; waking; what epoll found ready.
 * SPDX-License-Identifier: MIT */
#include "wait.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "core/block.h"
#include "core/event.h"

struct sim_wait_queue *sim_wait_queue_of(struct sim_world *world, uint32_t kind, uint32_t index)
{
    switch (kind) {
    case SIM_FILE_SOCKET:
        return &sim_socket_at(world, (struct sim_socket_id){index})->waiters;
    case SIM_QUEUE_PIPE:
        return &sim_pipe_at(world, (struct sim_pipe_id){index})->waiters;
    case SIM_FILE_EPOLL:
        return &sim_epoll_at(world, (struct sim_epoll_id){index})->waiters;
    case SIM_FILE_COUNTER:
        return &sim_counter_at(world, (struct sim_counter_id){index})->waiters;
    case SIM_FILE_TIMER:
        return &sim_timer_at(world, (struct sim_timer_id){index})->waiters;
    case SIM_QUEUE_TASK:
        return &sim_task_at(world, (struct sim_task_id){index})->joiners;
    case SIM_QUEUE_FUTEX:
        return &sim_futex_at(world, (struct sim_futex_id){index})->waiters;
    case SIM_FILE_REAL:
        return &sim_real_at(world, (struct sim_real_id){index})->waiters;
    case SIM_FILE_SIGNALFD:
        return &sim_signalfd_at(world, (struct sim_signalfd_id){index})->waiters;
    case SIM_QUEUE_CHILDREN:
        return &sim_process_at(world, (struct sim_process_id){index})->child_waiters;
    case SIM_QUEUE_BARRIER:
        return &sim_barrier_at(world, (struct sim_barrier_id){index})->waiters;
    default:
        assert(!"a queue of no kind");
        return NULL;
    }
}

/* ---- queues: doubly linked, first come first woken ------------------------------------------ */

void sim_wait_enqueue(struct sim_world *world, struct sim_waiter_id id, uint32_t kind, uint32_t index)
{
    struct sim_waiter *waiter = sim_waiter_at(world, id);
    struct sim_wait_queue *queue = sim_wait_queue_of(world, kind, index);
    waiter->queue_kind = kind;
    waiter->queue_index = index;
    waiter->previous_in_queue = queue->last;
    if (queue->last.index) {
        sim_waiter_at(world, queue->last)->next_in_queue = id;
    } else {
        queue->first = id;
    }
    queue->last = id;
}

void sim_wait_dequeue(struct sim_world *world, struct sim_waiter_id id)
{
    struct sim_waiter *waiter = sim_waiter_at(world, id);
    if (!waiter->queue_kind) {
        return; /* its object went first */
    }
    struct sim_wait_queue *queue = sim_wait_queue_of(world, waiter->queue_kind, waiter->queue_index);
    if (waiter->previous_in_queue.index) {
        sim_waiter_at(world, waiter->previous_in_queue)->next_in_queue = waiter->next_in_queue;
    } else {
        queue->first = waiter->next_in_queue;
    }
    if (waiter->next_in_queue.index) {
        sim_waiter_at(world, waiter->next_in_queue)->previous_in_queue = waiter->previous_in_queue;
    } else {
        queue->last = waiter->previous_in_queue;
    }
    waiter->queue_kind = 0;
    waiter->queue_index = 0;
    waiter->previous_in_queue.index = 0;
    waiter->next_in_queue.index = 0;
}

void sim_wait_abandon(struct sim_world *world, struct sim_wait_queue *queue)
{
    while (queue->first.index) {
        sim_wait_dequeue(world, queue->first);
    }
}

/* ---- epoll: its items and the list of those that are ready ------------------------------------ */

void sim_wait_ready(struct sim_world *world, struct sim_waiter_id id)
{
    struct sim_waiter *item = sim_waiter_at(world, id);
    struct sim_epoll *epoll = sim_epoll_at(world, item->epoll);
    if (item->is_ready) {
        return;
    }
    item->is_ready = 1;
    item->next_ready.index = 0;
    item->previous_ready = epoll->last_ready;
    if (epoll->last_ready.index) {
        sim_waiter_at(world, epoll->last_ready)->next_ready = id;
    } else {
        epoll->first_ready = id;
    }
    epoll->last_ready = id;
}

void sim_wait_unready(struct sim_world *world, struct sim_waiter_id id)
{
    struct sim_waiter *item = sim_waiter_at(world, id);
    struct sim_epoll *epoll = sim_epoll_at(world, item->epoll);
    if (!item->is_ready) {
        return;
    }
    if (item->previous_ready.index) {
        sim_waiter_at(world, item->previous_ready)->next_ready = item->next_ready;
    } else {
        epoll->first_ready = item->next_ready;
    }
    if (item->next_ready.index) {
        sim_waiter_at(world, item->next_ready)->previous_ready = item->previous_ready;
    } else {
        epoll->last_ready = item->previous_ready;
    }
    item->is_ready = 0;
    item->previous_ready.index = 0;
    item->next_ready.index = 0;
}

bool sim_wait_item_wakes(struct sim_world *world, struct sim_waiter_id id, uint32_t bits)
{
    const struct sim_waiter *item = sim_waiter_at(world, id);
    struct sim_epoll *epoll = sim_epoll_at(world, item->epoll);
    sim_wait_ready(world, id);
    const bool somebody = epoll->waiters.first.index != 0;
    if (somebody) {
        sim_wake(world, &epoll->waiters, POLLIN | POLLRDNORM);
    }
    return somebody && (bits & item->events);
}

void sim_wait_remove_item(struct sim_world *world, struct sim_waiter_id id)
{
    const struct sim_waiter *item = sim_waiter_at(world, id);
    struct sim_epoll *epoll = sim_epoll_at(world, item->epoll);
    sim_wait_unready(world, id);
    sim_wait_dequeue(world, id);
    if (item->previous_of_owner.index) {
        sim_waiter_at(world, item->previous_of_owner)->next_of_owner = item->next_of_owner;
    } else {
        epoll->first_item = item->next_of_owner;
    }
    if (item->next_of_owner.index) {
        sim_waiter_at(world, item->next_of_owner)->previous_of_owner = item->previous_of_owner;
    }
    epoll->item_count--;
    sim_pool_give(world, SIM_POOL_WAITER, id.index);
}

/* ---- waking --------------------------------------------------------------------------------- */

void sim_wake(struct sim_world *world, struct sim_wait_queue *queue, uint32_t bits)
{
    bool exclusive_done = false;
    struct sim_waiter_id id = queue->first;
    while (id.index) {
        struct sim_waiter *waiter = sim_waiter_at(world, id);
        const struct sim_waiter_id next = waiter->next_in_queue;
        /* LINUX: an item that EPOLLONESHOT disarmed has no events and hears nothing, not even
         * errors; every other waiter always hears POLLERR and POLLHUP. */
        if (DRY_MUTANT(wake_up_is_lost) && (bits & POLLRDHUP)) {
            break; /* the end of a stream wakes nobody */
        }
        if (waiter->events && (bits & (waiter->events | POLLERR | POLLHUP))) {
            if (waiter->kind == SIM_WAITER_TASK) {
                sim_wait_wake_task(world, waiter->task, SIM_WAKE_OBJECT);
            } else if (!(waiter->interest & EPOLLEXCLUSIVE)) {
                sim_wait_item_wakes(world, id, bits);
            } else if (!exclusive_done) {
                exclusive_done = sim_wait_item_wakes(world, id, bits);
            }
        }
        id = next;
    }
}

void sim_wake_socket(struct sim_world *world, struct sim_socket_id id, uint32_t bits)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->waiters.first.index) {
        sim_wake(world, &socket->waiters, bits);
    }
}

void sim_wait_wake_task(struct sim_world *world, struct sim_task_id id, enum sim_wake why)
{
    struct sim_task *task = sim_task_at(world, id);
    if (task->state != SIM_TASK_WAITING) {
        return;
    }
    task->state = SIM_TASK_READY;
    task->wake = why;
    task->call.wakes++;
    world->ready_tasks++;
    if (!task->daemon) {
        world->waiting_tasks--;
    }
    task->run_event = sim_event_push(world, world->now, SIM_EVENT_TASK_RUNS, id.index, 0, 0);
    assert(task->run_event.index); /* the queue has room for each task's run and deadline */
}

/* ---- a task's wait --------------------------------------------------------------------------- */

int sim_wait_add(struct sim_world *world, struct sim_task_id id, uint32_t queue_kind,
                 uint32_t queue_index, uint32_t events)
{
    const struct sim_waiter_id waiter_id = {sim_pool_take(world, SIM_POOL_WAITER)};
    if (!waiter_id.index) {
        return -ENOMEM;
    }
    struct sim_waiter *waiter = sim_waiter_at(world, waiter_id);
    struct sim_task *task = sim_task_at(world, id);
    waiter->kind = SIM_WAITER_TASK;
    waiter->task = id;
    /* Linux's pollers get the readable event of old when they ask for its newer names only. */
    waiter->events = events | (events & POLLRDNORM ? POLLIN : 0) |
                     (events & (POLLWRNORM | POLLWRBAND) ? POLLOUT : 0) |
                     (events & POLLRDBAND ? POLLPRI : 0) | POLLERR | POLLHUP;
    waiter->next_of_owner = task->first_waiter;
    task->first_waiter = waiter_id;
    sim_wait_enqueue(world, waiter_id, queue_kind, queue_index);
    return 0;
}

void sim_wait_park(struct sim_world *world, struct sim_task_id id, uint64_t deadline_at)
{
    struct sim_task *task = sim_task_at(world, id);
    assert(task->state != SIM_TASK_ENDED);
    if (deadline_at != SIM_NEVER && !task->deadline_event.index) {
        task->deadline_event = sim_event_push(world, deadline_at, SIM_EVENT_TASK_DEADLINE, id.index, 0,
                                              0);
        assert(task->deadline_event.index);
    }
    if (task->state != SIM_TASK_RUNNING) {
        return; /* a call made for it from outside, which will be given up */
    }
    task->state = SIM_TASK_WAITING;
    task->wake = SIM_WAKE_NONE;
    if (!task->daemon) {
        world->waiting_tasks++;
    }
}

void sim_wait_deadline(struct sim_world *world, struct sim_task_id id)
{
    sim_task_at(world, id)->deadline_event.index = 0;
    sim_wait_wake_task(world, id, SIM_WAKE_DEADLINE);
}
