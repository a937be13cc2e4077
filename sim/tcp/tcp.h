/* TCP, as RFC 9293 says and Linux does; between its own files see tcp/internal.h.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_TCP_H
#define SIM_TCP_H

#include "net/ip.h"
#include "socket/protocol.h"

extern const struct sim_protocol sim_tcp_protocol;
extern const struct sim_ip_receiver sim_tcp_receiver;

/* SIM_EVENT_TCP_TIMER. */
void sim_tcp_timer_fires(struct sim_world *world, struct sim_tcp_id id, enum sim_tcp_timer timer);
const char *sim_tcp_state_name(enum sim_tcp_state state);

#endif
