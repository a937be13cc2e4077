/* ICMP and ICMPv6: errors sent for packets nobody took, errors received, echo.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_ICMP_H
#define SIM_ICMP_H

#include "core/state.h"

/* of either version; mapped to type and code when sent */
enum sim_icmp_reason {
    SIM_ICMP_PORT_UNREACHABLE,
    SIM_ICMP_HOST_UNREACHABLE,
    SIM_ICMP_NET_UNREACHABLE,
    SIM_ICMP_PROTOCOL_UNREACHABLE,
    SIM_ICMP_TOO_BIG, /* fragmentation needed, packet too big */
    SIM_ICMP_TIME_EXCEEDED,
    SIM_ICMP_PROHIBITED,
};

/* Sends an error about `offending` (which stays the caller's) to its source, unless RFC 1122
 * 3.2.2 forbids one (multicast, broadcast, an ICMP error itself). */
void sim_icmp_send_error(struct sim_world *world, struct sim_host_id host,
                         struct sim_packet_id offending, enum sim_icmp_reason reason, uint32_t mtu);
/* An ICMP packet for this host: answers echo, hands errors to the protocol's `error`. Consumes. */
void sim_icmp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);
/* The errno that Linux makes of an ICMP error, and whether it is fatal to a connection
 * (icmp_err_convert). */
int sim_icmp_errno(uint8_t version, uint8_t type, uint8_t code, bool *fatal);

#endif
