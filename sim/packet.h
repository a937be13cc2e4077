/* Packets as fields: taking, freeing, sharing; the size they have on the wire.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include "state.h"

/* A zeroed packet, or index 0 (ENOBUFS). */
struct sim_packet_id sim_packet_new(struct sim_world *world);
/* Frees the packet and its payload. */
void sim_packet_free(struct sim_world *world, struct sim_packet_id id);
/* A second packet that shares the payload, or index 0. */
struct sim_packet_id sim_packet_clone(struct sim_world *world, struct sim_packet_id id);
/* Bytes on the wire from the IP header on. */
uint32_t sim_packet_wire_bytes(const struct sim_packet *packet);
uint32_t sim_packet_tcp_option_bytes(const struct sim_tcp_header *header);

#endif
