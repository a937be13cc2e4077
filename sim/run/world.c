/* The world's one loop: the next event, to the file it belongs to.
 * SPDX-License-Identifier: MIT */
#include "world.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "call/family.h"
#include "call/pending.h"
#include "call/process.h"
#include "call/program.h"
#include "core/block.h"
#include "core/event.h"
#include "file/timer.h"
#include "file/wait.h"
#include "net/ip.h"
#include "net/link.h"
#include "socket/protocol.h"
#include "tcp/tcp.h"

static void resume(struct sim_world *world, struct sim_task_id id)
{
    struct sim_task *task = sim_task_at(world, id);
    assert(task->state == SIM_TASK_READY && world->ready_tasks > 0);
    task->state = SIM_TASK_RUNNING;
    task->run_event.index = 0;
    world->ready_tasks--;
    world->running = id;
}

static void socket_deferred(struct sim_world *world, const struct sim_event *event)
{
    const struct sim_socket_id id = {event->target};
    const enum sim_protocol_kind kind = sim_socket_at(world, id)->protocol_kind;
    const struct sim_protocol *protocol = sim_protocol_of(kind);
    assert(protocol->deferred);
    protocol->deferred(world, id, event->a);
}

static enum sim_step dispatch(struct sim_world *world, const struct sim_event *event,
                              struct sim_task_id *task, uint32_t *script)
{
    switch ((enum sim_event_kind)event->kind) {
    case SIM_EVENT_TASK_RUNS:
        *task = (struct sim_task_id){event->target};
        resume(world, *task);
        return SIM_STEP_TASK;
    case SIM_EVENT_TASK_DEADLINE:
        sim_wait_deadline(world, (struct sim_task_id){event->target});
        break;
    case SIM_EVENT_SIGNAL:
        sim_signal_arrives(world, (struct sim_task_id){event->target}, (int)event->a, event->b != 0);
        break;
    case SIM_EVENT_PACKET:
        sim_ip_input(world, (struct sim_interface_id){event->target}, (struct sim_packet_id){event->a});
        break;
    case SIM_EVENT_LINK_CHANGE:
        sim_link_change(world, (struct sim_link_id){event->target}, event->a != 0);
        break;
    case SIM_EVENT_TCP_TIMER:
        sim_tcp_timer_fires(world, (struct sim_tcp_id){event->target}, event->a);
        break;
    case SIM_EVENT_TIMERFD:
        sim_timer_fires(world, (struct sim_timer_id){event->target});
        break;
    case SIM_EVENT_SOCKET:
        socket_deferred(world, event);
        break;
    case SIM_EVENT_SCRIPT:
        *script = event->target;
        return SIM_STEP_SCRIPT;
    case SIM_EVENT_INTERVAL:
        sim_interval_fires(world, (struct sim_process_id){event->target}, event->a);
        break;
    case SIM_EVENT_ALARM:
        sim_alarm_fires(world, (struct sim_alarm_id){event->target});
        break;
    case SIM_EVENT_ENDED:
        sim_intervals_disarm(world, (struct sim_process_id){event->target});
        sim_alarms_delete(world, (struct sim_process_id){event->target});
        sim_signal_process_ended(world, (struct sim_process_id){event->target});
        sim_family_ended(world, (struct sim_process_id){event->target});
        break;
    case SIM_EVENT_NONE:
    case SIM_EVENT_KIND_COUNT:
        assert(!"an event of no kind");
    }
    return SIM_STEP_DONE;
}

enum sim_step sim_world_step(struct sim_world *world, uint64_t until, struct sim_task_id *task,
                             uint32_t *script)
{
    if (world->first_backlog.index != 0) { /* of a call made without a provider */
        sim_ip_run_backlog(world);
        return SIM_STEP_DONE;
    }
    struct sim_event event;
    const uint64_t last = until == SIM_NEVER ? SIM_NEVER - 1 : until; /* never never comes */
    if (sim_event_take_until(world, last, &event).index == 0) {
        return SIM_STEP_EMPTY;
    }
    world->events_run++;
    if (!sim_event_is_current(world, &event)) {
        return SIM_STEP_DONE; /* its target ended, and the slot may be another's by now */
    }
    const enum sim_step step = dispatch(world, &event, task, script);
    sim_ip_settle(world);
    return step;
}

/* The next event; NULL: none. */
static const struct sim_event *next_event(const struct sim_world *world)
{
    if (world->first_now.index != 0) {
        return sim_event_at(world, world->first_now);
    }
    return world->heap_count ? sim_event_at(world, sim_event_heap(world)->event) : NULL;
}

static void describe_packet(const struct sim_packet *packet, char *text, size_t bytes)
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    const bool v4 = packet->version == 4;
    const size_t skip = v4 ? 12 : 0;
    inet_ntop(v4 ? AF_INET : AF_INET6, packet->source.ip.bytes + skip, from, sizeof from);
    inet_ntop(v4 ? AF_INET : AF_INET6, packet->destination.ip.bytes + skip, to, sizeof to);
    snprintf(text, bytes, "a packet of protocol %u from %s port %u to %s port %u", packet->protocol,
             from, packet->source.port, to, packet->destination.port);
}

void sim_world_describe_next(const struct sim_world *world, char *text, size_t bytes)
{
    static const char *const names[SIM_EVENT_KIND_COUNT] = {
        [SIM_EVENT_TASK_RUNS] = "a task's turn",
        [SIM_EVENT_TASK_DEADLINE] = "a task's deadline",
        [SIM_EVENT_SIGNAL] = "a signal",
        [SIM_EVENT_LINK_CHANGE] = "a link's change",
        [SIM_EVENT_TCP_TIMER] = "a timer of TCP",
        [SIM_EVENT_TIMERFD] = "a timerfd",
        [SIM_EVENT_SOCKET] = "a socket's own event",
        [SIM_EVENT_SCRIPT] = "a call of sim_at",
    };
    const struct sim_event *event = next_event(world);
    if (event && event->kind == SIM_EVENT_PACKET) {
        describe_packet(sim_packet_at(world, (struct sim_packet_id){event->a}), text, bytes);
    } else {
        snprintf(text, bytes, "%s", event ? names[event->kind] : "nothing");
    }
}

void sim_world_advance(struct sim_world *world, uint64_t instant)
{
    assert(instant <= world->now || sim_event_next_at(world) >= instant);
    if (instant > world->now) {
        world->now = instant;
    }
}
