/* Links: delay, jitter, loss, duplication, reordering, corruption, rate, queue, up and down.
 * SPDX-License-Identifier: MIT
 *
 * sim_link_plan (link_plan.c, which needs random.c and nothing else) is the model, pure over its
 * arguments: the world asks it in virtual time, the kernel-side coordinator in real time. In order,
 * as a queue before a line and netem behind it do:
 * - a link that is down takes nothing;
 * - loss, by chance;
 * - the rate: bits leave one after another; what would make the queue longer than its bound is
 *   lost;
 * - delay and jitter after the last bit; a packet chosen for reordering skips both (netem's way),
 *   all others keep the order they were sent in;
 * - a duplicate follows with a delay of its own, in order too;
 * - corruption, by chance: both copies suffer it. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "core/state.h"

enum sim_link_verdict {
    SIM_LINK_DELIVER = 0,
    SIM_LINK_DOWN,       /* the link is down */
    SIM_LINK_LOST,       /* chance */
    SIM_LINK_QUEUE_FULL, /* the queue before the line is full */
};

struct sim_link_plan {
    enum sim_link_verdict verdict;
    uint32_t corrupt; /* 1: the receiver's checksum fails */
    uint64_t arrives_at;
    uint64_t duplicate_at; /* SIM_NEVER: no duplicate */
};

/* What happens to a packet of wire_bytes that enters this way at `now`. */
struct sim_link_plan sim_link_plan(struct sim_link_way *way, bool down, uint64_t now,
                                   uint32_t wire_bytes, struct sim_random *random);

/* The link between two hosts and, in *way, the direction from a; index 0 when there is none. */
struct sim_link_id sim_link_find(const struct sim_world *world, struct sim_host_id from,
                                 struct sim_host_id to, uint32_t *way);
/* Joins two hosts, both ways alike; index 0 when full or already joined. The MTU of both
 * hosts' eth0 is then the least of their links'. */
struct sim_link_id sim_link_add(struct sim_world *world, struct sim_host_id a, struct sim_host_id b,
                                const struct sim_link_way *way);
/* Sends a packet that leaves host `from` by its network interface to whichever hosts own its
 * destination (all linked ones for multicast and broadcast); where no link leads it is lost and
 * counted in packets_pathless. Arrives by SIM_EVENT_PACKET at the other host's eth0. Consumes the
 * packet. */
void sim_link_transmit(struct sim_world *world, struct sim_host_id from, struct sim_packet_id id);
/* SIM_EVENT_LINK_CHANGE. */
void sim_link_change(struct sim_world *world, struct sim_link_id id, bool up);

#endif
