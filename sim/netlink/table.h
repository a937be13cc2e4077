/* NETLINK_ROUTE: the routes and rules of a host.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_NETLINK_TABLE_H
#define SIM_NETLINK_TABLE_H

#include "internal.h"

/* RTM_GETROUTE of one destination: how the host would reach it. 0 with the answer queued, or -errno. */
int sim_netlink_get_route(struct sim_world *world, struct sim_socket_id id,
                          const struct sim_netlink_message *question);

#endif
