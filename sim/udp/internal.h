/* UDP between its own files: sending, receiving.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_UDP_INTERNAL_H
#define SIM_UDP_INTERNAL_H

#include "net/ip.h"
#include "socket/protocol.h"

/* The path to a destination as this socket would take it: its bound address, its interface, the
 * multicast options. 0, -EACCES (broadcast without SO_BROADCAST), or sim_ip_route's errors. */
int sim_udp_route(const struct sim_world *world, struct sim_socket_id id, struct sim_endpoint to,
                  struct sim_ip from, uint32_t interface, struct sim_ip_path *path);
/* The protocol's members of these names. */
ssize_t sim_udp_send(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                     const struct msghdr *message, size_t skip, int flags);
ssize_t sim_udp_receive(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                        struct msghdr *message, size_t skip, int flags);
void sim_udp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);
void sim_udp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);

#endif
