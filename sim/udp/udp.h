/* UDP, as RFC 768 says and Linux does; between its own files see udp/internal.h.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_UDP_H
#define SIM_UDP_H

#include "net/ip.h"
#include "socket/protocol.h"

extern const struct sim_protocol sim_udp_protocol;
/* UDP-Lite, RFC 3828. SIMPLER: the checksum of what is sent covers the whole. */
extern const struct sim_protocol sim_udplite_protocol;
extern const struct sim_ip_receiver sim_udp_receiver;

#endif
