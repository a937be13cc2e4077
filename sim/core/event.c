/* The event queue: a 4-ary heap for what comes later, a list beside it for what is due now.
 * SPDX-License-Identifier: MIT */
#include "event.h"

#include <assert.h>
#include <string.h>

#include "block.h"
#include "heap.h"
#include "random.h"

/* Shuffled tasks come after everything else of their instant: their keys start here. */
static const uint64_t SHUFFLED = UINT64_C(1) << 63;

/* Pools whose slots are freed while events for them may be queued. */
static const enum sim_pool_kind target_pool[SIM_EVENT_KIND_COUNT] = {
    [SIM_EVENT_TASK_RUNS] = SIM_POOL_TASK, [SIM_EVENT_TASK_DEADLINE] = SIM_POOL_TASK,
    [SIM_EVENT_SIGNAL] = SIM_POOL_TASK,    [SIM_EVENT_TCP_TIMER] = SIM_POOL_TCP,
    [SIM_EVENT_TIMERFD] = SIM_POOL_TIMER,  [SIM_EVENT_SOCKET] = SIM_POOL_SOCKET,
};

struct sim_heap_entry *sim_event_heap(const struct sim_world *world)
{
    return (struct sim_heap_entry *)(void *)((char *)(uintptr_t)world + world->heap_offset);
}

static struct sim_event *event_at(const struct sim_world *world, uint32_t index)
{
    return sim_event_at(world, (struct sim_event_id){index});
}

/* Each event knows its place in the heap. */
static inline void placed(const void *world, uint32_t position, const struct sim_heap_entry *entry)
{
    event_at(world, entry->event.index)->heap_position = position + 1;
}

static void heap_remove(struct sim_world *world, uint32_t position)
{
    sim_heap_remove(sim_event_heap(world), &world->heap_count, position, placed, world);
}

/* ---- the list of events due now ----------------------------------------------------------- */

/* ORDER: now never goes back, so the list is in order of (at, sequence) by itself. */
static void list_append(struct sim_world *world, struct sim_event_id id, struct sim_event *event)
{
    event->previous = world->last_now;
    if (world->last_now.index != 0) {
        sim_event_at(world, world->last_now)->next = id;
    } else {
        world->first_now = id;
    }
    world->last_now = id;
}

static void list_remove(struct sim_world *world, struct sim_event *event)
{
    if (event->previous.index != 0) {
        sim_event_at(world, event->previous)->next = event->next;
    } else {
        world->first_now = event->next;
    }
    if (event->next.index != 0) {
        sim_event_at(world, event->next)->previous = event->previous;
    } else {
        world->last_now = event->previous;
    }
    event->next.index = 0;
    event->previous.index = 0;
}

/* ---- both --------------------------------------------------------------------------------- */

static bool is_spare(uint32_t kind)
{
    return kind == SIM_EVENT_SIGNAL || kind == SIM_EVENT_SCRIPT || kind == SIM_EVENT_LINK_CHANGE;
}

static void free_event(struct sim_world *world, uint32_t index)
{
    struct sim_event *event = event_at(world, index);
    world->spare_events -= is_spare(event->kind);
    memset(&event->slot + 1, 0, sizeof *event - sizeof event->slot);
    sim_pool_release(world, SIM_POOL_EVENT, index);
}

static uint64_t next_key(struct sim_world *world, enum sim_event_kind kind)
{
    const uint64_t sequence = world->next_event_sequence++;
    if (!world->shuffle || kind != SIM_EVENT_TASK_RUNS) {
        return sequence;
    }
    const uint64_t draw = sim_random_draw(&world->random, SIM_STREAM_SCHEDULE);
    return SHUFFLED | (draw >> 33) << 32 | (uint32_t)sequence; /* the low half keeps it total */
}

static void enqueue(struct sim_world *world, struct sim_event_id id, struct sim_event *event,
                    uint64_t at)
{
    event->at = at > world->now ? at : world->now;
    event->sequence = next_key(world, event->kind);
    if (at <= world->now && event->sequence < SHUFFLED) {
        list_append(world, id, event);
    } else {
        const struct sim_heap_entry entry = {event->at, event->sequence, id, 0};
        sim_heap_up(sim_event_heap(world), world->heap_count++, entry, placed, world);
    }
}

static void dequeue(struct sim_world *world, struct sim_event *event)
{
    if (event->heap_position != 0) {
        heap_remove(world, event->heap_position - 1);
        event->heap_position = 0;
    } else {
        list_remove(world, event);
    }
}

struct sim_event_id sim_event_push(struct sim_world *world, uint64_t at, enum sim_event_kind kind,
                                   uint32_t target, uint32_t a, uint32_t b)
{
    const struct sim_event_id id = {sim_pool_take(world, SIM_POOL_EVENT)};
    if (id.index == 0) {
        return id;
    }
    struct sim_event *event = sim_event_at(world, id);
    world->spare_events += is_spare(kind);
    event->kind = kind;
    event->target = target;
    event->a = a;
    event->b = b;
    const enum sim_pool_kind pool = target_pool[kind];
    if (pool != SIM_POOL_NONE) {
        const struct sim_slot *slot = sim_pool_at(world, pool, target);
        assert(target != 0 && slot->live);
        event->target_generation = slot->generation;
    }
    enqueue(world, id, event, at);
    return id;
}

struct sim_event_id sim_event_push_spare(struct sim_world *world, uint64_t at, enum sim_event_kind kind,
                                         uint32_t target, uint32_t a, uint32_t b)
{
    assert(is_spare(kind));
    return world->spare_events < world->spare_limit || DRY_MUTANT(the_queue_has_no_reserve)
               ? sim_event_push(world, at, kind, target, a, b)
               : (struct sim_event_id){0};
}

void sim_event_move(struct sim_world *world, struct sim_event_id id, uint64_t at)
{
    struct sim_event *event = sim_event_at(world, id);
    assert(event->slot.live);
    if (event->heap_position != 0 && at > world->now) {
        event->at = at;
        event->sequence = next_key(world, event->kind);
        const struct sim_heap_entry entry = {at, event->sequence, id, 0};
        sim_heap_sift(sim_event_heap(world), world->heap_count, event->heap_position - 1, entry, placed,
                      world);
        return;
    }
    dequeue(world, event);
    enqueue(world, id, event, at);
}

void sim_event_cancel(struct sim_world *world, struct sim_event_id *id)
{
    if (id->index == 0) {
        return;
    }
    struct sim_event *event = sim_event_at(world, *id);
    assert(event->slot.live);
    dequeue(world, event);
    free_event(world, id->index);
    id->index = 0;
}

/* Whether the heap holds the next event; the queue is not empty. */
static bool heap_is_next(const struct sim_world *world)
{
    if (world->first_now.index == 0) {
        return true;
    }
    if (world->heap_count == 0 || DRY_MUTANT(an_event_due_now_overtakes_earlier_ones)) {
        return false;
    }
    const struct sim_heap_entry *top = sim_event_heap(world);
    const struct sim_event *front = sim_event_at(world, world->first_now);
    return top->at < front->at || (top->at == front->at && top->sequence < front->sequence);
}

uint64_t sim_event_next_at(const struct sim_world *world)
{
    uint64_t at = SIM_NEVER;
    if (world->first_now.index != 0) {
        at = sim_event_at(world, world->first_now)->at;
    }
    if (world->heap_count != 0 && sim_event_heap(world)->at < at) {
        at = sim_event_heap(world)->at;
    }
    return at;
}

struct sim_event_id sim_event_take(struct sim_world *world, struct sim_event *taken)
{
    return sim_event_take_until(world, SIM_NEVER, taken);
}

struct sim_event_id sim_event_take_until(struct sim_world *world, uint64_t until,
                                         struct sim_event *taken)
{
    if (world->first_now.index == 0 && world->heap_count == 0) {
        return (struct sim_event_id){0};
    }
    const bool from_heap = heap_is_next(world);
    const uint32_t index = from_heap ? sim_event_heap(world)->event.index : world->first_now.index;
    struct sim_event *event = event_at(world, index);
    if (event->at > until) {
        return (struct sim_event_id){0};
    }
    *taken = *event;
    if (from_heap) {
        heap_remove(world, 0);
    } else {
        list_remove(world, event);
    }
    if (event->at > world->now) {
        world->now = event->at;
    }
    free_event(world, index);
    return (struct sim_event_id){index};
}

bool sim_event_is_current(const struct sim_world *world, const struct sim_event *event)
{
    const enum sim_pool_kind pool = target_pool[event->kind];
    if (pool == SIM_POOL_NONE) {
        return true;
    }
    const struct sim_slot *slot = sim_pool_at(world, pool, event->target);
    return slot->live && (slot->generation == event->target_generation ||
                          DRY_MUTANT(timers_of_an_ended_connection_fire));
}
