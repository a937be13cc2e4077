/* The check: walks the whole world and asserts what must hold between two events.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "check_internal.h"
#include "core/block.h"
#include "core/event.h"
#include "world.h"

enum { STEP_SLOTS = 1024 }; /* sim_check_step looks at about so many slots for each event */

/* ---- pools -------------------------------------------------------------------------------- */

static bool is_zero(const unsigned char *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static void check_pool(const struct sim_world *world, enum sim_pool_kind kind)
{
    const struct sim_pool *pool = &world->pools[kind];
    assert(pool->high_water <= pool->capacity);
    uint32_t live = 0;
    for (uint32_t index = 1; index <= pool->high_water; index++) {
        const struct sim_slot *slot = sim_pool_at(world, kind, index);
        assert(slot->padding == 0);
        if (slot->live) {
            assert(slot->live == 1 && slot->next_free == 0);
            live++;
        } else {
            assert(is_zero((const unsigned char *)(slot + 1), pool->item_bytes - sizeof *slot));
        }
    }
    assert(live == pool->live_count);
    uint32_t length = 0;
    for (uint32_t index = pool->first_free; index != 0;) {
        assert(index <= pool->high_water);
        const struct sim_slot *slot = sim_pool_at(world, kind, index);
        assert(!slot->live);
        length++;
        assert(length <= pool->high_water); /* no ring */
        index = slot->next_free;
    }
    assert(length == pool->high_water - live);
}

/* ---- the queue ---------------------------------------------------------------------------- */

static void check_heap(const struct sim_world *world)
{
    const struct sim_heap_entry *heap = sim_event_heap(world);
    for (uint32_t i = 0; i < world->heap_count; i++) {
        const struct sim_heap_entry *entry = &heap[i];
        assert(sim_check_is_live(world, SIM_POOL_EVENT, entry->event.index));
        const struct sim_event *event = sim_event_at(world, entry->event);
        assert(event->heap_position == i + 1);
        assert(event->at == entry->at && event->sequence == entry->sequence);
        assert(event->at >= world->now);
        const struct sim_heap_entry *parent = &heap[i > 0 ? (i - 1) / 4 : 0];
        assert(parent->at < entry->at ||
               (parent->at == entry->at && parent->sequence <= entry->sequence));
    }
}

static uint32_t check_present(const struct sim_world *world)
{
    uint32_t count = 0;
    struct sim_event_id previous = {0};
    for (struct sim_event_id id = world->first_now; id.index != 0;) {
        assert(sim_check_is_live(world, SIM_POOL_EVENT, id.index));
        const struct sim_event *event = sim_event_at(world, id);
        assert(event->heap_position == 0 && event->previous.index == previous.index);
        assert(event->at <= world->now);
        if (previous.index != 0) {
            const struct sim_event *before = sim_event_at(world, previous);
            assert(before->at <= event->at && before->sequence < event->sequence);
        }
        count++;
        previous = id;
        id = event->next;
    }
    assert(world->last_now.index == previous.index);
    return count;
}

/* Returns how many packets are under way. */
static uint32_t check_events(const struct sim_world *world)
{
    check_heap(world);
    const uint32_t present = check_present(world);
    assert(world->heap_count + present == world->pools[SIM_POOL_EVENT].live_count);
    uint32_t packets = 0;
    uint32_t spare = 0;
    SIM_CHECK_EACH(world, SIM_POOL_EVENT, index)
    {
        const struct sim_event *event = sim_event_at(world, (struct sim_event_id){index});
        assert(event->kind > SIM_EVENT_NONE && event->kind < SIM_EVENT_KIND_COUNT);
        spare += event->kind == SIM_EVENT_SIGNAL || event->kind == SIM_EVENT_SCRIPT ||
                 event->kind == SIM_EVENT_LINK_CHANGE;
        if (event->kind == SIM_EVENT_PACKET) {
            assert(sim_check_is_live(world, SIM_POOL_PACKET, event->a));
            assert(sim_check_is_live(world, SIM_POOL_INTERFACE, event->target));
            packets++;
        }
    }
    assert(spare == world->spare_events);
    return packets;
}

/* ---- payload ------------------------------------------------------------------------------ */

/* Returns how many spans the rope has. */
static uint32_t check_rope(const struct sim_world *world, const struct sim_bytes *rope)
{
    uint64_t length = 0;
    uint32_t count = 0;
    struct sim_span_id last = {0};
    for (struct sim_span_id id = rope->first; id.index != 0;) {
        assert(sim_check_is_live(world, SIM_POOL_SPAN, id.index));
        const struct sim_span *span = sim_span_at(world, id);
        assert(sim_check_is_live(world, SIM_POOL_CHUNK, span->chunk.index));
        assert(span->length > 0);
        assert(span->offset + span->length <= sim_chunk_at(world, span->chunk)->used_bytes);
        length += span->length;
        count++;
        assert(length <= rope->length);
        last = id;
        id = span->next;
    }
    assert(rope->last.index == last.index && rope->length == length);
    return count;
}

static void check_chunks(const struct sim_world *world)
{
    uint64_t references = 0;
    SIM_CHECK_EACH(world, SIM_POOL_CHUNK, index)
    {
        const struct sim_chunk *chunk = sim_chunk_at(world, (struct sim_chunk_id){index});
        assert(chunk->used_bytes <= SIM_CHUNK_BYTES);
        if (chunk->references == 0) {
            assert(index == world->open_chunk.index && chunk->used_bytes == 0);
        }
        references += chunk->references;
    }
    assert(references == world->pools[SIM_POOL_SPAN].live_count);
}

/* Every span lies in one rope, and every rope in something that lives. */
static void check_ropes(const struct sim_world *world)
{
    uint64_t spans = 0;
    SIM_CHECK_EACH(world, SIM_POOL_SOCKET, index)
    {
        spans += check_rope(world, &sim_socket_at(world, (struct sim_socket_id){index})->receive);
    }
    SIM_CHECK_EACH(world, SIM_POOL_TCP, index)
    {
        spans += check_rope(world, &sim_tcp_at(world, (struct sim_tcp_id){index})->send);
    }
    SIM_CHECK_EACH(world, SIM_POOL_PACKET, index)
    {
        spans += check_rope(world, &sim_packet_at(world, (struct sim_packet_id){index})->payload);
    }
    SIM_CHECK_EACH(world, SIM_POOL_DATAGRAM, index)
    {
        spans += check_rope(world, &sim_datagram_at(world, (struct sim_datagram_id){index})->bytes);
    }
    SIM_CHECK_EACH(world, SIM_POOL_PIPE, index)
    {
        spans += check_rope(world, &sim_pipe_at(world, (struct sim_pipe_id){index})->bytes);
    }
    assert(spans == world->pools[SIM_POOL_SPAN].live_count);
}

static uint32_t packet_list_length(const struct sim_world *world, struct sim_packet_id id)
{
    uint32_t count = 0;
    while (id.index != 0) {
        assert(sim_check_is_live(world, SIM_POOL_PACKET, id.index));
        count++;
        assert(count <= world->pools[SIM_POOL_PACKET].live_count);
        id = sim_packet_at(world, id)->next;
    }
    return count;
}

/* A packet is on its way to an interface, in the backlog to one, kept by a sender until it is
 * acknowledged, come early to its receiver, or in the tap. */
static void check_packets(const struct sim_world *world, uint32_t under_way)
{
    uint64_t packets = under_way + packet_list_length(world, world->first_tap) +
                       packet_list_length(world, world->first_backlog);
    SIM_CHECK_EACH(world, SIM_POOL_TCP, index)
    {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){index});
        packets += packet_list_length(world, tcp->first_sent);
        packets += packet_list_length(world, tcp->first_early);
    }
    assert(packets == world->pools[SIM_POOL_PACKET].live_count);
}

/* ---- the whole ---------------------------------------------------------------------------- */

void sim_check_world(const struct sim_world *world)
{
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        check_pool(world, kind);
    }
    const uint32_t packets = check_events(world);
    check_chunks(world);
    check_ropes(world);
    check_packets(world, packets);
    sim_check_objects(world);
}

void sim_check_step(const struct sim_world *world)
{
    uint64_t slots = 0;
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        slots += world->pools[kind].high_water;
    }
    if (world->events_run % (1 + slots / STEP_SLOTS) == 0) {
        sim_check_world(world);
    }
}
