/* The port space: which socket has which local port, which has which connection, on each host.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PORT_H
#define SIM_PORT_H

#include "core/state.h"

/* The table of local ports. A socket stands in it from bind (or autobind) to its end; local.port,
 * host and protocol_kind must be set and not change while it does. */
void sim_port_insert(struct sim_world *world, struct sim_socket_id id);
void sim_port_remove(struct sim_world *world, struct sim_socket_id id); /* no-op if absent */
/* Those bound to a port of a protocol, oldest first, but all SIM_SOCKET_ACCEPTED ones after the
 * others, so that who looks for a listener need not pass its children: first, then next until
 * index 0. */
struct sim_socket_id sim_port_first(const struct sim_world *world, struct sim_host_id host,
                                    enum sim_protocol_kind kind, uint16_t port);
struct sim_socket_id sim_port_next(const struct sim_world *world, struct sim_socket_id id);
/* bind()'s question: may this socket take this address and port? 0 or -EADDRINUSE, by Linux's rules
 * for SO_REUSEADDR, SO_REUSEPORT, listeners, TIME_WAIT, v6only, bound interfaces. */
int sim_port_may_bind(const struct sim_world *world, struct sim_socket_id id,
                      const struct sim_endpoint *wanted);
/* A free ephemeral port for bind(…, 0), from the `port` stream; 0 when none is left. */
uint16_t sim_port_ephemeral(struct sim_world *world, struct sim_socket_id id,
                            const struct sim_endpoint *wanted);
/* A free ephemeral port for a connect to socket->remote: one port may serve many destinations. */
uint16_t sim_port_for_connect(struct sim_world *world, struct sim_socket_id id);

/* The table of connections, by both endpoints. */
void sim_port_connect(struct sim_world *world, struct sim_socket_id id);
void sim_port_disconnect(struct sim_world *world, struct sim_socket_id id); /* no-op if absent */
struct sim_socket_id sim_port_find(const struct sim_world *world, struct sim_host_id host,
                                   enum sim_protocol_kind kind, const struct sim_endpoint *local,
                                   const struct sim_endpoint *remote);

#endif
