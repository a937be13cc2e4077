/* Packets as fields: taking, freeing, sharing; the size they have on the wire.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include <netinet/in.h>

#include "core/state.h"

/* What headers without options take on the wire. */
enum {
    SIM_WIRE_IPV4_BYTES = 20,
    SIM_WIRE_IPV6_BYTES = 40,
    SIM_WIRE_TCP_BYTES = 20,
    SIM_WIRE_TCP_OPTIONS_MOST = 40,
    SIM_WIRE_UDP_BYTES = 8,
    SIM_WIRE_ICMP_BYTES = 8,
    SIM_WIRE_QUOTED_BYTES = 8, /* RFC 792: of the transport header that an error quotes */
};

/* Is the icmp header in use? (ICMP's number in the other IP version is just a protocol.) */
/* UDP and UDP-Lite, whose heads are alike. */
static inline bool sim_packet_is_datagram(const struct sim_packet *packet)
{
    return packet->protocol == IPPROTO_UDP || packet->protocol == IPPROTO_UDPLITE;
}

static inline bool sim_packet_is_icmp(const struct sim_packet *packet)
{
    return packet->protocol == (packet->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* A zeroed packet, or index 0 (ENOBUFS). */
struct sim_packet_id sim_packet_new(struct sim_world *world);
/* Frees the packet and its payload. */
void sim_packet_free(struct sim_world *world, struct sim_packet_id id);
/* A second packet that shares the payload, or index 0. */
struct sim_packet_id sim_packet_clone(struct sim_world *world, struct sim_packet_id id);
/* Every packet that leaves a host, to the network or to itself, passes here once: it is counted,
 * mixed into the world's packet hash, dated, and cloned for the runner when the tap is open. */
void sim_packet_note(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);
/* The oldest packet of the tap, or index 0; its interface is the host that sent it. The runner
 * frees it. */
struct sim_packet_id sim_packet_take_tap(struct sim_world *world);
/* Bytes on the wire from the IP header on. */
uint32_t sim_packet_wire_bytes(const struct sim_packet *packet);
uint32_t sim_packet_tcp_option_bytes(const struct sim_tcp_header *header);
/* How many of the SACK blocks fit beside the other options. */
uint32_t sim_packet_sack_count(const struct sim_tcp_header *header);

#endif
