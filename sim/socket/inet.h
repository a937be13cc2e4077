/* What the protocols over IP share: the choice of one, bind, the automatic port, names.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_INET_H
#define SIM_INET_H

#include <sys/socket.h>

#include "core/state.h"
#include "protocol.h"

/* How socket() calls of AF_INET and AF_INET6 choose: among the protocols with an ip_number. */
extern const struct sim_family sim_inet_family;
extern const struct sim_family sim_inet6_family;

/* bind(2) of an AF_INET or AF_INET6 socket, TCP or UDP: checks the address, takes the port, sets
 * local, BOUND, BOUND_ADDRESS, BOUND_PORT and stands in the port table. 0, -EINVAL (too short,
 * already bound, a form that cannot be), -EAFNOSUPPORT, -EADDRNOTAVAIL, -EACCES (a privileged port),
 * -ENODEV, -EADDRINUSE (also: no ephemeral port is left). */
int sim_inet_bind(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                  socklen_t length);
/* Takes an ephemeral port for a socket without one, as sending or connecting a datagram socket and
 * listening do. 0, also when it is bound already, or SIM_EAGAIN_FOR_GOOD when none is left. */
int sim_inet_autobind(struct sim_world *world, struct sim_socket_id id);
/* getsockname(2), getpeername(2). 0 or -ENOTCONN (not CONNECTED, or the peer's port is 0). */
int sim_inet_get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                      struct sockaddr *address, socklen_t *length);
/* What disconnecting does to the local name: an address or port that bind() did not name is given
 * up (and the place in the port table with it). */
void sim_inet_forget_name(struct sim_world *world, struct sim_socket_id id);

#endif
