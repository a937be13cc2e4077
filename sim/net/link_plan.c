/* The link model: what happens to one packet, as a function of the way, the instant and chance.
 * SPDX-License-Identifier: MIT */
#include "core/random.h"
#include "link.h"

enum {
    QUEUE_PACKETS = 1000, /* txqueuelen of an interface that has a queue */
    QUEUE_PACKET_BYTES = 1500,
};

static const uint64_t SECOND_NS = 1000000000;

/* a * b / c rounded up, without losing the high half of the product; no more than SIM_NEVER / 4. */
static uint64_t scale_up(uint64_t a, uint64_t b, uint64_t c)
{
    __extension__ const unsigned __int128 wide = (unsigned __int128)a * b + (c - 1);
    const uint64_t most = SIM_NEVER / 4;
    return wide / c < most ? (uint64_t)(wide / c) : most;
}

/* False when the queue has no room; else *left_at is when the packet's last bit is on the line. */
static bool enqueue(struct sim_link_way *way, uint64_t now, uint32_t wire_bytes, uint64_t *left_at)
{
    *left_at = now;
    if (way->rate_bits == 0) {
        return true;
    }
    const uint64_t start = way->busy_until > now ? way->busy_until : now;
    const uint64_t bound = way->queue_bytes ? way->queue_bytes : QUEUE_PACKETS * QUEUE_PACKET_BYTES;
    const uint64_t waiting_bytes = scale_up(start - now, way->rate_bits, 8 * SECOND_NS);
    if (start > now && waiting_bytes + wire_bytes > bound && !DRY_MUTANT(a_queue_is_never_full)) {
        return false;
    }
    way->busy_until = start + scale_up((uint64_t)wire_bytes * 8, SECOND_NS, way->rate_bits);
    *left_at = way->busy_until;
    return true;
}

static uint64_t delay_of(const struct sim_link_way *way, struct sim_random *random)
{
    if (way->jitter_ns == 0) {
        return way->delay_ns;
    }
    const uint64_t spread = sim_random_below(random, SIM_STREAM_DELAY, 2 * way->jitter_ns + 1);
    const uint64_t late = way->delay_ns + spread;
    return late > way->jitter_ns ? late - way->jitter_ns : 0;
}

/* ORDER: one way delivers in the order of sending, whatever the jitter. */
static uint64_t in_order(struct sim_link_way *way, uint64_t at)
{
    if (at < way->last_arrival_at && !DRY_MUTANT(jitter_reorders_packets)) {
        at = way->last_arrival_at;
    }
    way->last_arrival_at = at;
    return at;
}

struct sim_link_plan sim_link_plan(struct sim_link_way *way, bool down, uint64_t now,
                                   uint32_t wire_bytes, struct sim_random *random)
{
    struct sim_link_plan plan = {.duplicate_at = SIM_NEVER, .arrives_at = SIM_NEVER};
    uint64_t left_at = now;
    if (down) {
        plan.verdict = SIM_LINK_DOWN;
    } else if (sim_random_chance(random, SIM_STREAM_LOSS, way->loss_ppm)) {
        plan.verdict = SIM_LINK_LOST;
    } else if (!enqueue(way, now, wire_bytes, &left_at)) {
        plan.verdict = SIM_LINK_QUEUE_FULL;
    }
    if (plan.verdict != SIM_LINK_DELIVER) {
        way->packets_dropped++;
        return plan;
    }
    way->packets_sent++;
    if (sim_random_chance(random, SIM_STREAM_REORDER, way->reorder_ppm)) {
        plan.arrives_at = left_at;
    } else {
        const uint64_t delay_ns = delay_of(way, random);
        plan.arrives_at = in_order(way, left_at + delay_ns);
    }
    if (sim_random_chance(random, SIM_STREAM_DUPLICATE, way->duplicate_ppm)) {
        const uint64_t delay_ns = delay_of(way, random);
        plan.duplicate_at = in_order(way, left_at + delay_ns);
    }
    plan.corrupt = sim_random_chance(random, SIM_STREAM_CORRUPT, way->corrupt_ppm);
    return plan;
}
