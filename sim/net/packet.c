/* Packets: taking, freeing, sharing, measuring, and the record of each one that leaves a host.
 * SPDX-License-Identifier: MIT */
#include "packet.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/block.h"
#include "core/bytes.h"

struct sim_packet_id sim_packet_new(struct sim_world *world)
{
    return (struct sim_packet_id){sim_pool_take(world, SIM_POOL_PACKET)};
}

void sim_packet_free(struct sim_world *world, struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    sim_bytes_clear(world, &packet->payload);
    memset(&packet->slot + 1, 0, sizeof *packet - sizeof packet->slot);
    sim_pool_release(world, SIM_POOL_PACKET, id.index);
}

struct sim_packet_id sim_packet_clone(struct sim_world *world, struct sim_packet_id id)
{
    const struct sim_packet_id clone = sim_packet_new(world);
    if (clone.index == 0) {
        return clone;
    }
    const struct sim_packet *from = sim_packet_at(world, id);
    struct sim_packet *to = sim_packet_at(world, clone);
    const struct sim_slot slot = to->slot;
    *to = *from;
    to->slot = slot;
    to->next.index = 0;
    to->payload = (struct sim_bytes){0};
    if (sim_bytes_share(world, &to->payload, &from->payload, 0, from->payload.length) < 0) {
        sim_packet_free(world, clone);
        return (struct sim_packet_id){0};
    }
    return clone;
}

/* ---- size on the wire --------------------------------------------------------------------- */

/* LINUX: the SACK-permitted option takes the place of the two NOPs before the timestamps. */
static uint32_t fixed_option_bytes(const struct sim_tcp_header *header)
{
    uint32_t bytes = 0;
    bytes += header->has_mss ? 4 : 0;
    bytes += header->has_timestamps ? 12 : 0;
    bytes += header->sack_permitted && !header->has_timestamps ? 4 : 0;
    bytes += header->has_window_scale ? 4 : 0;
    return bytes;
}

uint32_t sim_packet_sack_count(const struct sim_tcp_header *header)
{
    const uint32_t room = SIM_WIRE_TCP_OPTIONS_MOST - fixed_option_bytes(header);
    const uint32_t fit = room >= 4 ? (room - 4) / 8 : 0;
    return header->sack_count < fit ? header->sack_count : fit;
}

uint32_t sim_packet_tcp_option_bytes(const struct sim_tcp_header *header)
{
    const uint32_t blocks = sim_packet_sack_count(header);
    return fixed_option_bytes(header) + (blocks > 0 ? 4 + 8 * blocks : 0);
}

uint32_t sim_packet_wire_bytes(const struct sim_packet *packet)
{
    const uint32_t ip_bytes = packet->version == 4 ? SIM_WIRE_IPV4_BYTES : SIM_WIRE_IPV6_BYTES;
    const uint32_t bytes = ip_bytes + (uint32_t)packet->payload.length;
    if (packet->protocol == IPPROTO_TCP) {
        return bytes + SIM_WIRE_TCP_BYTES + sim_packet_tcp_option_bytes(&packet->tcp);
    }
    if (sim_packet_is_datagram(packet)) {
        return bytes + SIM_WIRE_UDP_BYTES;
    }
    if (sim_packet_is_icmp(packet)) {
        return bytes + SIM_WIRE_ICMP_BYTES +
               (packet->icmp.has_quote ? ip_bytes + SIM_WIRE_QUOTED_BYTES : 0);
    }
    return bytes;
}

/* ---- the record --------------------------------------------------------------------------- */

/* The same for equal bytes, however they lie in chunks. */
static uint64_t hash_payload(const struct sim_world *world, const struct sim_bytes *rope)
{
    if (rope->length == 0) {
        return 0;
    }
    const struct sim_span *span = sim_span_at(world, rope->first);
    if (span->length == rope->length) {
        return XXH3_64bits(sim_chunk_at(world, span->chunk)->data + span->offset, span->length);
    }
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (struct sim_span_id id = rope->first; id.index != 0; id = span->next) {
        span = sim_span_at(world, id);
        XXH3_64bits_update(&state, sim_chunk_at(world, span->chunk)->data + span->offset, span->length);
    }
    return XXH3_64bits_digest(&state);
}

/* Everything from the addresses to the payload's rope, then the headers: plain bytes, no holes. */
static uint64_t hash_packet(const struct sim_world *world, struct sim_host_id host,
                            const struct sim_packet *packet, uint64_t seed)
{
    enum {
        FIRST = offsetof(struct sim_packet, source),
        FIELD_BYTES = offsetof(struct sim_packet, payload) - FIRST,
    };
    const char *bytes = (const char *)packet;
    uint64_t hash = XXH3_64bits_withSeed(bytes + FIRST, FIELD_BYTES, seed + host.index);
    if (packet->protocol == IPPROTO_TCP) {
        hash = XXH3_64bits_withSeed(&packet->tcp, sizeof packet->tcp, hash);
    } else {
        hash = XXH3_64bits_withSeed(packet->header_bytes, sizeof packet->header_bytes, hash);
    }
    return hash + hash_payload(world, &packet->payload);
}

static void tap(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    const struct sim_packet_id clone = sim_packet_clone(world, id);
    if (clone.index == 0) {
        world->taps_lost++;
        return;
    }
    sim_packet_at(world, clone)->interface = host.index;
    if (world->last_tap.index != 0) {
        sim_packet_at(world, world->last_tap)->next = clone;
    } else {
        world->first_tap = clone;
    }
    world->last_tap = clone;
    world->tap_count++;
}

void sim_packet_note(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->sent_at = world->now;
    world->packet_hash = hash_packet(world, host, packet, world->packet_hash);
    world->packet_count++;
    if (world->tap) {
        tap(world, host, id);
    }
}

struct sim_packet_id sim_packet_take_tap(struct sim_world *world)
{
    const struct sim_packet_id id = world->first_tap;
    if (id.index != 0) {
        struct sim_packet *packet = sim_packet_at(world, id);
        world->first_tap = packet->next;
        world->tap_count--;
        packet->next.index = 0;
        if (world->first_tap.index == 0) {
            world->last_tap.index = 0;
        }
    }
    return id;
}
