/* TCP as the rest of the world sees it; between its own files see tcp/internal.h.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_TCP_H
#define SIM_TCP_H

#include "core/state.h"

/* SIM_EVENT_TCP_TIMER. */
void sim_tcp_timer_fires(struct sim_world *world, struct sim_tcp_id id, enum sim_tcp_timer timer);
const char *sim_tcp_state_name(enum sim_tcp_state state);
/* TIME_WAIT's part in bind(): true if this socket is a connection in TIME_WAIT. */
bool sim_tcp_is_time_wait(const struct sim_world *world, struct sim_socket_id id);

#endif
