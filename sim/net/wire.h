/* Packets at the world's edges: fields to bytes and back (RFC 791, 8200, 9293, 768, 792, 4443).
 * SPDX-License-Identifier: MIT */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stddef.h>

#include "core/state.h"

/* Writes the packet from its IP header on, checksums right unless it is corrupt; returns the length
 * it needs (writes nothing when that is more than `bytes`). An ICMP error's quotation is rebuilt
 * from what the packet keeps of it: the quoted addresses, protocol, ports and sequence number (of a
 * quoted echo: identifier and sequence in the ports' places). */
size_t sim_wire_encode(const struct sim_world *world, const struct sim_packet *packet, void *buffer,
                       size_t bytes);
/* Makes a packet from bytes; what follows the IP header's length is ignored, as are IPv4 options
 * and unknown TCP options. Returns 0, -EBADMSG (not an IP packet, wrong checksum, truncated, a
 * fragment, an IPv6 extension header, an IPv4-mapped address in IPv6) or -ENOBUFS. */
int sim_wire_decode(struct sim_world *world, const void *data, size_t length, struct sim_packet_id *id);

#endif
