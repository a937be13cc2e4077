/* Links of the world: joining hosts, finding the way, sending packets along it.
 * SPDX-License-Identifier: MIT */
#include "link.h"

#include <assert.h>

#include "core/block.h"
#include "core/event.h"
#include "host.h"
#include "notation.h"
#include "packet.h"

/* ---- the table of links by their two hosts ------------------------------------------------ */

static uint32_t *table_of(const struct sim_world *world)
{
    return (uint32_t *)(void *)((char *)(uintptr_t)world + world->link_offset);
}

static bool joins(const struct sim_link *link, struct sim_host_id a, struct sim_host_id b)
{
    return (link->host[0].index == a.index && link->host[1].index == b.index) ||
           (link->host[0].index == b.index && link->host[1].index == a.index);
}

/* The place where the link between two hosts stands, or where it would. Open addressing, at most
 * half full; links never leave. */
static uint32_t *find_entry(const struct sim_world *world, struct sim_host_id a, struct sim_host_id b)
{
    const uint64_t low = a.index < b.index ? a.index : b.index;
    const uint64_t high = a.index < b.index ? b.index : a.index;
    uint32_t *table = table_of(world);
    const uint64_t mixed = (low << 32 | high) * 0x9e3779b97f4a7c15;
    uint32_t bucket = (uint32_t)(mixed >> 32) & (world->link_buckets - 1);
    while (table[bucket] != 0 &&
           !joins(sim_link_at(world, (struct sim_link_id){table[bucket]}), a, b)) {
        bucket = (bucket + 1) & (world->link_buckets - 1);
    }
    return &table[bucket];
}

struct sim_link_id sim_link_find(const struct sim_world *world, struct sim_host_id from,
                                 struct sim_host_id to, uint32_t *way)
{
    const struct sim_link_id id = {*find_entry(world, from, to)};
    if (id.index != 0) {
        *way = sim_link_at(world, id)->host[0].index == from.index ? 0 : 1;
    }
    return id;
}

/* ---- joining ------------------------------------------------------------------------------ */

static void apply_mtu(struct sim_world *world, struct sim_host_id host, uint32_t mtu)
{
    struct sim_interface *interface = sim_host_interface(world, host, SIM_ETHERNET_NUMBER);
    const bool first = sim_host_at(world, host)->first_link.index == 0;
    if (interface && (first || sim_link_mtu(mtu) < interface->mtu)) {
        interface->mtu = sim_link_mtu(mtu);
    }
}

struct sim_link_id sim_link_add(struct sim_world *world, struct sim_host_id a, struct sim_host_id b,
                                const struct sim_link_way *way)
{
    assert(a.index != b.index);
    uint32_t *entry = find_entry(world, a, b);
    if (*entry != 0) {
        return (struct sim_link_id){0};
    }
    const struct sim_link_id id = {sim_pool_take(world, SIM_POOL_LINK)};
    if (id.index == 0) {
        return id;
    }
    sim_table_write(world, entry, id.index);
    struct sim_link *link = sim_link_at(world, id);
    link->host[0] = a;
    link->host[1] = b;
    for (uint32_t end = 0; end < 2; end++) {
        struct sim_host *host = sim_host_at(world, link->host[end]);
        apply_mtu(world, link->host[end], way->mtu);
        link->way[end] = *way;
        link->next_of_host[end] = host->first_link;
        host->first_link = id;
    }
    return id;
}

void sim_link_change(struct sim_world *world, struct sim_link_id id, bool up)
{
    sim_link_at(world, id)->down = !up;
}

/* ---- sending ------------------------------------------------------------------------------ */

static void arrive(struct sim_world *world, struct sim_host_id to, struct sim_packet_id id, uint64_t at)
{
    const struct sim_host *host = sim_host_at(world, to);
    const struct sim_interface *lo = sim_interface_at(world, host->first_interface);
    const struct sim_interface_id eth0 = lo->next;
    sim_packet_at(world, id)->interface = eth0.index;
    const struct sim_event_id event = sim_event_push(world, at, SIM_EVENT_PACKET, eth0.index, id.index,
                                                     0);
    if (event.index == 0) { /* no room for what is on the line: lost, as on a full ring */
        sim_packet_free(world, id);
    }
}

/* Sends along one link; consumes the packet. */
static void send_along(struct sim_world *world, struct sim_link_id link_id, uint32_t way,
                       struct sim_packet_id id)
{
    struct sim_link *link = sim_link_at(world, link_id);
    const struct sim_host_id to = link->host[1 - way];
    struct sim_packet *packet = sim_packet_at(world, id);
    const struct sim_link_plan plan = sim_link_plan(&link->way[way], link->down != 0, world->now,
                                                    sim_packet_wire_bytes(packet), &world->random);
    if (plan.verdict != SIM_LINK_DELIVER) {
        sim_packet_free(world, id);
        return;
    }
    packet->corrupt = packet->corrupt || plan.corrupt;
    if (plan.duplicate_at != SIM_NEVER) {
        const struct sim_packet_id duplicate = sim_packet_clone(world, id);
        if (duplicate.index != 0) {
            arrive(world, to, duplicate, plan.duplicate_at);
        }
    }
    arrive(world, to, id, plan.arrives_at);
}

/* ORDER: by the host's list, the latest link first; each but the last gets a clone. */
static void send_to_all(struct sim_world *world, struct sim_host_id from, struct sim_packet_id id)
{
    struct sim_link_id link_id = sim_host_at(world, from)->first_link;
    while (link_id.index != 0) {
        const struct sim_link *link = sim_link_at(world, link_id);
        const uint32_t way = link->host[0].index == from.index ? 0 : 1;
        const struct sim_link_id next = link->next_of_host[way];
        const struct sim_packet_id copy = next.index != 0 ? sim_packet_clone(world, id) : id;
        if (copy.index != 0) {
            send_along(world, link_id, way, copy);
        }
        link_id = next;
    }
}

void sim_link_transmit(struct sim_world *world, struct sim_host_id from, struct sim_packet_id id)
{
    sim_packet_note(world, from, id);
    const struct sim_packet *packet = sim_packet_at(world, id);
    const struct sim_ip to = packet->destination.ip;
    if (sim_ip_is_multicast(to) || sim_host_is_broadcast(world, from, to)) {
        if (sim_host_at(world, from)->first_link.index != 0) {
            send_to_all(world, from, id);
            return;
        }
    } else {
        const struct sim_host_id owner = sim_host_of_address(world, to);
        uint32_t way = 0;
        if (owner.index != 0) {
            const struct sim_link_id link = sim_link_find(world, from, owner, &way);
            if (link.index != 0) {
                send_along(world, link, way, id);
                return;
            }
        }
    }
    world->packets_pathless++;
    sim_packet_free(world, id);
}
