/* The public sim.h: looking at a world: clocks, waits, fingerprints, packets.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"
#include "core/block.h"
#include "core/event.h"
#include "core/fingerprint.h"
#include "net/host.h"
#include "net/packet.h"
#include "net/wire.h"
#include "run.h"
#include "world.h"

uint64_t sim_now(const struct sim *sim)
{
    return sim->world->now;
}

void sim_stop_flag(struct sim *sim, const volatile sig_atomic_t *flag)
{
    sim->stop = flag;
}

uint64_t sim_next_at(const struct sim *sim)
{
    return sim_event_next_at(sim->world);
}

const char *sim_failure(const struct sim *sim)
{
    return sim->failed_tasks ? sim->failure : NULL;
}

/* ---- waits -------------------------------------------------------------------------------------- */

struct page {
    char *text;
    size_t bytes;
    size_t length; /* what the whole needs */
};

__attribute__((format(printf, 2, 3))) static void print(struct page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t left = page->length < page->bytes ? page->bytes - page->length : 0;
    const int count = vsnprintf(left ? page->text + page->length : NULL, left, format, arguments);
    page->length += count > 0 ? (size_t)count : 0;
    va_end(arguments);
}

static void print_instant(struct page *page, const char *label, uint64_t at)
{
    print(page, "%s%llu.%09llu s", label, (unsigned long long)(at / 1000000000),
          (unsigned long long)(at % 1000000000));
}

static void print_wait(struct page *page, const struct sim *sim, const struct sim_task *task)
{
    const struct sim_call *call = &task->call;
    const struct sim_process *process = sim_process_at(sim->world, task->process);
    if (process->program) {
        print(page, "%s[%u] ", process->name, process->pid);
    }
    print(page, "%s%s on %s: %s", task->name, task->daemon ? " (daemon)" : "",
          sim_host_at(sim->world, task->host)->name, sim_call_name(call->kind));
    if (call->kind == SIM_CALL_JOIN || call->kind == SIM_CALL_BARRIER) {
        const struct sim_waiter *waiter = sim_waiter_at(sim->world, task->first_waiter);
        print(page, " %s",
              call->kind == SIM_CALL_JOIN
                  ? sim_task_at(sim->world, (struct sim_task_id){waiter->queue_index})->name
                  : sim_barrier_at(sim->world, (struct sim_barrier_id){waiter->queue_index})->name);
    } else if (call->descriptor >= 0) {
        print(page, " on descriptor %d", call->descriptor);
    }
    print_instant(page, ", since ", call->started_at);
    if (call->deadline_at == SIM_NEVER) {
        print(page, ", no deadline");
    } else {
        print_instant(page, ", deadline ", call->deadline_at);
    }
    if (call->moved_bytes > 0 && (call->kind == SIM_CALL_SEND || call->kind == SIM_CALL_RECEIVE ||
                                  call->kind == SIM_CALL_WRITE)) {
        print(page, ", %llu bytes done", (unsigned long long)call->moved_bytes);
    }
    print(page, "\n");
}

size_t sim_describe_waits(const struct sim *sim, char *text, size_t bytes)
{
    struct page page = {text, bytes, 0};
    if (bytes > 0) {
        text[0] = 0;
    }
    const uint32_t tasks = sim->world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks; index++) {
        const struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){index});
        if (task->slot.live && task->state == SIM_TASK_WAITING && task->call.kind) {
            print_wait(&page, sim, task);
        }
    }
    return page.length;
}

/* ---- hashes -------------------------------------------------------------------------- */

uint64_t sim_fingerprint(const struct sim *sim)
{
    return sim_world_fingerprint(sim->world);
}

uint64_t sim_packet_hash(const struct sim *sim, uint64_t *count)
{
    if (count) {
        *count = sim->world->packet_count;
    }
    return sim->world->packet_hash;
}

void sim_check(const struct sim *sim)
{
    sim_check_world(sim->world);
}

/* ---- packets ------------------------------------------------------------------------------------ */

int sim_capture(struct sim *sim, const char *path)
{
    if (!path) {
        const int ended = sim_capture_close(sim->capture);
        sim->capture = NULL;
        sim->world->tap = sim->on_packet != NULL;
        return ended;
    }
    if (sim->capture) {
        return -EBUSY;
    }
    const int result = sim_capture_open(path, &sim->capture);
    if (result == 0) {
        sim->world->tap = 1;
    }
    return result;
}

void sim_on_packet(struct sim *sim,
                   void (*function)(void *argument, int host, uint64_t now, const void *packet,
                                    size_t length),
                   void *argument)
{
    sim->on_packet = function;
    sim->on_packet_argument = argument;
    sim->world->tap = function || sim->capture;
}

int sim_inject(struct sim *sim, int host, const void *packet, size_t length)
{
    if (host < 1 || (uint32_t)host > sim->world->pools[SIM_POOL_HOST].high_water) {
        return -ENOENT;
    }
    struct sim_packet_id id;
    const int result = sim_wire_decode(sim->world, packet, length, &id);
    if (result < 0) {
        return result;
    }
    const struct sim_interface_id eth0 = sim_host_interface_id(
        sim->world, (struct sim_host_id){(uint32_t)host}, SIM_ETHERNET_NUMBER);
    assert(eth0.index);
    if (!sim_event_push(sim->world, sim->world->now, SIM_EVENT_PACKET, eth0.index, id.index, 0).index) {
        sim_packet_free(sim->world, id);
        return -ENOBUFS;
    }
    return 0;
}
