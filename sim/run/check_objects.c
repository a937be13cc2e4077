/* The check's other half: tasks and what they wait for, files, sockets, hosts.
 * SPDX-License-Identifier: MIT */
#include <assert.h>

#include "call/process.h"
#include "check_internal.h"
#include "core/block.h"
#include "file/wait.h"
#include "socket/protocol.h"

/* An event that something holds by its id is queued, and is that thing's. */
static void check_held_event(const struct sim_world *world, struct sim_event_id id,
                             enum sim_event_kind kind, uint32_t target)
{
    if (id.index != 0) {
        assert(sim_check_is_live(world, SIM_POOL_EVENT, id.index));
        const struct sim_event *event = sim_event_at(world, id);
        assert(event->kind == kind && event->target == target);
    }
}

/* ---- tasks and waiters -------------------------------------------------------------------- */

static void check_task(const struct sim_world *world, uint32_t index, const struct sim_task *task)
{
    assert(task->state >= SIM_TASK_READY && task->state <= SIM_TASK_ENDED);
    assert(sim_check_is_live(world, SIM_POOL_PROCESS, task->process.index));
    assert((task->state == SIM_TASK_READY) == (task->run_event.index != 0));
    check_held_event(world, task->run_event, SIM_EVENT_TASK_RUNS, index);
    check_held_event(world, task->deadline_event, SIM_EVENT_TASK_DEADLINE, index);
    check_held_event(world, task->signal_event, SIM_EVENT_SIGNAL, index);
    struct sim_waiter_id id = task->first_waiter;
    assert(id.index == 0 || task->state != SIM_TASK_ENDED);
    while (id.index != 0) {
        assert(sim_check_is_live(world, SIM_POOL_WAITER, id.index));
        const struct sim_waiter *waiter = sim_waiter_at(world, id);
        assert(waiter->kind == SIM_WAITER_TASK && waiter->task.index == index);
        id = waiter->next_of_owner;
    }
}

/* The tasks that ended and were not joined stand in a list, oldest first. */
static void check_ended(const struct sim_world *world, uint32_t ended)
{
    struct sim_task_id previous = {0};
    for (struct sim_task_id id = world->first_ended; id.index != 0;) {
        assert(sim_check_is_live(world, SIM_POOL_TASK, id.index) && ended > 0);
        const struct sim_task *task = sim_task_at(world, id);
        assert(task->state == SIM_TASK_ENDED && task->previous_ended.index == previous.index);
        ended--;
        previous = id;
        id = task->next_ended;
    }
    assert(ended == 0 && world->last_ended.index == previous.index);
}

/* Whoever names a process keeps its record. */
static void check_processes(const struct sim_world *world)
{
    uint64_t references = 0;
    uint32_t gone = 0;
    uint64_t names = world->pools[SIM_POOL_TASK].live_count;
    SIM_CHECK_EACH(world, SIM_POOL_PROCESS, index)
    {
        const struct sim_process *process = sim_process_at(world, (struct sim_process_id){index});
        gone += process->references == 0;
        references += process->references;
        names += !process->exited;
        names += process->waitable != SIM_WAITABLE_NOT;
    }
    SIM_CHECK_EACH(world, SIM_POOL_SOCKET, index)
    {
        const struct sim_process_id owner = sim_socket_at(world, (struct sim_socket_id){index})->owner;
        assert(owner.index == 0 || sim_check_is_live(world, SIM_POOL_PROCESS, owner.index));
        names += owner.index != 0;
    }
    assert(references == names && gone == world->gone_processes);
    for (struct sim_process_id id = world->first_gone; id.index != 0;) {
        assert(sim_check_is_live(world, SIM_POOL_PROCESS, id.index) && gone-- > 0);
        assert(sim_process_at(world, id)->references == 0);
        id = sim_process_at(world, id)->next_gone;
    }
    assert(gone == 0);
}

static void check_tasks(const struct sim_world *world)
{
    uint32_t ready = 0;
    uint32_t waiting = 0;
    uint32_t running = 0;
    uint32_t ended = 0;
    SIM_CHECK_EACH(world, SIM_POOL_TASK, index)
    {
        const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
        check_task(world, index, task);
        ready += task->state == SIM_TASK_READY;
        waiting += task->state == SIM_TASK_WAITING && !task->daemon;
        running += task->state == SIM_TASK_RUNNING;
        ended += task->state == SIM_TASK_ENDED;
        assert(sim_task_find(world, task->number).index == index);
    }
    assert(ready == world->ready_tasks);
    assert(waiting == world->waiting_tasks);
    assert(running <= 1);
    assert(ended == world->ended_tasks);
    check_ended(world, ended);
}

static void check_waiter(struct sim_world *world, struct sim_waiter_id id)
{
    const struct sim_waiter *waiter = sim_waiter_at(world, id);
    if (waiter->kind == SIM_WAITER_EPOLL) {
        assert(sim_check_is_live(world, SIM_POOL_EPOLL, waiter->epoll.index));
        assert(sim_check_is_live(world, SIM_POOL_FILE, waiter->file.index));
    } else {
        assert(waiter->kind == SIM_WAITER_TASK);
        assert(sim_check_is_live(world, SIM_POOL_TASK, waiter->task.index));
        assert(waiter->file.index == 0 || sim_check_is_live(world, SIM_POOL_FILE, waiter->file.index));
    }
    if (waiter->queue_kind == 0) {
        return; /* what it waited for ended first */
    }
    const struct sim_wait_queue *queue = sim_wait_queue_of(world, waiter->queue_kind,
                                                           waiter->queue_index);
    if (waiter->previous_in_queue.index != 0) {
        assert(sim_waiter_at(world, waiter->previous_in_queue)->next_in_queue.index == id.index);
    } else {
        assert(queue->first.index == id.index);
    }
    if (waiter->next_in_queue.index != 0) {
        assert(sim_waiter_at(world, waiter->next_in_queue)->previous_in_queue.index == id.index);
    } else {
        assert(queue->last.index == id.index);
    }
}

static void check_epoll(const struct sim_world *world, uint32_t index)
{
    const struct sim_epoll *epoll = sim_epoll_at(world, (struct sim_epoll_id){index});
    uint32_t items = 0;
    uint32_t ready = 0;
    for (struct sim_waiter_id id = epoll->first_item; id.index != 0;) {
        const struct sim_waiter *item = sim_waiter_at(world, id);
        assert(item->kind == SIM_WAITER_EPOLL && item->epoll.index == index);
        items++;
        ready += item->is_ready;
        assert(items <= epoll->item_count);
        id = item->next_of_owner;
    }
    assert(items == epoll->item_count);
    struct sim_waiter_id last = {0};
    for (struct sim_waiter_id id = epoll->first_ready; id.index != 0;) {
        const struct sim_waiter *item = sim_waiter_at(world, id);
        assert(item->is_ready && item->epoll.index == index && ready > 0);
        ready--;
        last = id;
        id = item->next_ready;
    }
    assert(ready == 0 && epoll->last_ready.index == last.index);
}

/* ---- files -------------------------------------------------------------------------------- */

static const enum sim_pool_kind object_pool[SIM_FILE_KIND_COUNT] = {
    [SIM_FILE_SOCKET] = SIM_POOL_SOCKET,   [SIM_FILE_PIPE_READ] = SIM_POOL_PIPE,
    [SIM_FILE_PIPE_WRITE] = SIM_POOL_PIPE, [SIM_FILE_EPOLL] = SIM_POOL_EPOLL,
    [SIM_FILE_COUNTER] = SIM_POOL_COUNTER, [SIM_FILE_TIMER] = SIM_POOL_TIMER,
};

static uint64_t check_descriptors(const struct sim_world *world, const struct sim_process *process)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < SIM_DESCRIPTOR_PAGES; i++) {
        if (process->pages[i] == 0) {
            continue;
        }
        assert(sim_check_is_live(world, SIM_POOL_DESCRIPTOR_PAGE, process->pages[i]));
        const struct sim_descriptor_page *page = sim_pool_at(world, SIM_POOL_DESCRIPTOR_PAGE,
                                                             process->pages[i]);
        uint32_t used = 0;
        for (uint32_t slot = 0; slot < SIM_DESCRIPTORS_PER_PAGE; slot++) {
            const struct sim_file_id file = page->descriptors[slot].file;
            if (file.index != 0) {
                assert(sim_check_is_live(world, SIM_POOL_FILE, file.index));
                used++;
            }
        }
        assert(used == page->used);
        open += used;
    }
    assert(open == process->open_descriptors);
    return open;
}

/* Each reference to a description is a descriptor, a message in flight, or a task's wait. */
static void check_files(const struct sim_world *world)
{
    uint64_t references = 0;
    uint64_t in_flight = 0;
    SIM_CHECK_EACH(world, SIM_POOL_FILE, index)
    {
        const struct sim_file *file = sim_file_at(world, (struct sim_file_id){index});
        assert(file->kind > SIM_FILE_NONE && file->kind < SIM_FILE_KIND_COUNT);
        assert(sim_check_is_live(world, object_pool[file->kind], file->object));
        assert(file->references > 0 && file->in_flight <= file->references);
        references += file->references;
        in_flight += file->in_flight;
    }
    const uint64_t rights = world->pools[SIM_POOL_RIGHTS].live_count;
    assert(in_flight == rights);
    uint64_t holders = rights;
    SIM_CHECK_EACH(world, SIM_POOL_PROCESS, index)
    {
        holders += check_descriptors(world, sim_process_at(world, (struct sim_process_id){index}));
    }
    SIM_CHECK_EACH(world, SIM_POOL_WAITER, index)
    {
        const struct sim_waiter *waiter = sim_waiter_at(world, (struct sim_waiter_id){index});
        holders += waiter->kind == SIM_WAITER_TASK && waiter->file.index != 0;
    }
    assert(references == holders);
}

/* ---- sockets ------------------------------------------------------------------------------ */

static void check_socket_tables(const struct sim_world *world, uint32_t index,
                                const struct sim_socket *socket)
{
    if (socket->flags & SIM_SOCKET_HASHED_BOUND && socket->next_bound.index != 0) {
        assert(sim_check_is_live(world, SIM_POOL_SOCKET, socket->next_bound.index));
        assert(sim_socket_at(world, socket->next_bound)->previous_bound.index == index);
    }
    if (socket->flags & SIM_SOCKET_HASHED_CONNECTED && socket->next_connected.index != 0) {
        assert(sim_check_is_live(world, SIM_POOL_SOCKET, socket->next_connected.index));
        assert(sim_socket_at(world, socket->next_connected)->previous_connected.index == index);
    }
}

static uint32_t check_datagrams(const struct sim_world *world, struct sim_datagram_id first,
                                struct sim_datagram_id last)
{
    uint32_t count = 0;
    struct sim_datagram_id previous = {0};
    for (struct sim_datagram_id id = first; id.index != 0;) {
        assert(sim_check_is_live(world, SIM_POOL_DATAGRAM, id.index));
        count++;
        assert(count <= world->pools[SIM_POOL_DATAGRAM].live_count);
        previous = id;
        id = sim_datagram_at(world, id)->next;
    }
    assert(previous.index == last.index);
    return count;
}

static void check_sockets(const struct sim_world *world)
{
    uint64_t datagrams = 0;
    SIM_CHECK_EACH(world, SIM_POOL_SOCKET, index)
    {
        const struct sim_socket_id id = {index};
        const struct sim_socket *socket = sim_socket_at(world, id);
        assert(sim_check_is_live(world, SIM_POOL_HOST, socket->host.index));
        assert(socket->protocol_kind > SIM_PROTOCOL_NONE && socket->protocol_kind < SIM_PROTOCOL_COUNT);
        if (socket->file.index != 0) {
            assert(sim_check_is_live(world, SIM_POOL_FILE, socket->file.index));
            const struct sim_file *file = sim_file_at(world, socket->file);
            assert(file->kind == SIM_FILE_SOCKET && file->object == index);
        }
        check_socket_tables(world, index, socket);
        datagrams += check_datagrams(world, socket->first_datagram, socket->last_datagram);
        datagrams += check_datagrams(world, socket->first_error, socket->last_error);
        const struct sim_protocol *protocol = sim_protocol_of(socket->protocol_kind);
        if (protocol->check) {
            protocol->check(world, id);
        }
    }
    assert(datagrams == world->pools[SIM_POOL_DATAGRAM].live_count);
}

static void check_timers(const struct sim_world *world)
{
    SIM_CHECK_EACH(world, SIM_POOL_TCP, index)
    {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){index});
        for (uint32_t i = 0; i < SIM_TCP_TIMER_COUNT; i++) {
            check_held_event(world, tcp->timer_event[i], SIM_EVENT_TCP_TIMER, index);
            if (tcp->timer_event[i].index != 0) {
                assert(sim_event_at(world, tcp->timer_event[i])->a == i);
            }
            if (tcp->timer_at[i] != 0) { /* its event may come before it, never after */
                assert(tcp->timer_event[i].index != 0);
                assert(sim_event_at(world, tcp->timer_event[i])->at <= tcp->timer_at[i]);
            }
        }
    }
    SIM_CHECK_EACH(world, SIM_POOL_TIMER, index)
    {
        const struct sim_timer *timer = sim_timer_at(world, (struct sim_timer_id){index});
        check_held_event(world, timer->event, SIM_EVENT_TIMERFD, index);
    }
}

/* ---- hosts -------------------------------------------------------------------------------- */

static void check_host(const struct sim_world *world, uint32_t index)
{
    const struct sim_host *host = sim_host_at(world, (struct sim_host_id){index});
    for (struct sim_interface_id id = host->first_interface; id.index != 0;) {
        const struct sim_interface *interface = sim_interface_at(world, id);
        assert(interface->slot.live && interface->host.index == index);
        assert(interface->address_count <= SIM_INTERFACE_ADDRESSES);
        id = interface->next;
    }
    uint32_t bits = 128;
    for (struct sim_route_id id = host->first_route; id.index != 0;) {
        const struct sim_route *route = sim_route_at(world, id);
        assert(route->slot.live && route->prefix_bits <= bits);
        bits = route->prefix_bits;
        id = route->next;
    }
    for (struct sim_link_id id = host->first_link; id.index != 0;) {
        const struct sim_link *link = sim_link_at(world, id);
        assert(link->slot.live);
        assert(link->host[0].index == index || link->host[1].index == index);
        id = link->next_of_host[link->host[0].index == index ? 0 : 1];
    }
}

void sim_check_objects(const struct sim_world *world)
{
    check_tasks(world);
    check_processes(world);
    SIM_CHECK_EACH(world, SIM_POOL_WAITER, index)
    {
        /* sim_wait_queue_of gives a queue to change; here it is only looked at. */
        check_waiter((struct sim_world *)(uintptr_t)world, (struct sim_waiter_id){index});
    }
    SIM_CHECK_EACH(world, SIM_POOL_EPOLL, index)
    {
        check_epoll(world, index);
    }
    check_files(world);
    check_sockets(world);
    check_timers(world);
    SIM_CHECK_EACH(world, SIM_POOL_HOST, index)
    {
        check_host(world, index);
    }
}
