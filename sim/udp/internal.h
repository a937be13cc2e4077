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
/* UDP_GRO: does the socket take several datagrams that came as one? */
bool sim_udp_takes_segments(const struct sim_world *world, struct sim_socket_id id);
/* Takes spoilt datagrams off the queue's front. Is there one that is not? */
void sim_udp_drop_spoilt(struct sim_world *world, struct sim_socket_id id);
bool sim_udp_has_sound(const struct sim_world *world, struct sim_socket_id id);
/* An error of this host's own about a send to `to`: into the error queue, if the socket wants that. */
void sim_udp_local_error(struct sim_world *world, struct sim_socket_id id,
                         const struct sim_endpoint *to, int error, uint32_t info);
void sim_udp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);

#endif
