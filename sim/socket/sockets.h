/* Sockets of every family: creation, end, addresses, ports, options, the queue of messages.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_SOCKETS_H
#define SIM_SOCKETS_H

#include <stddef.h>
#include <sys/socket.h>

#include "core/state.h"
#include "file/file.h"

/* A socket with its protocol's state and the host's default buffers, no file yet. 0 with *id, or
 * -errno in Linux's order: -EAFNOSUPPORT, -EPROTONOSUPPORT, -ESOCKTNOSUPPORT, -EINVAL, -ENOBUFS. */
int sim_socket_create(struct sim_world *world, struct sim_host_id host, struct sim_process_id owner,
                      int family, int type, int protocol, struct sim_socket_id *id);
/* The last file is gone: tells the protocol, which frees the socket now or when it is done. */
void sim_socket_release(struct sim_world *world, struct sim_socket_id id);
/* Frees the socket, its queues, options and places in the port tables. The protocol calls this. */
void sim_socket_free(struct sim_world *world, struct sim_socket_id id);

/* sockaddr to endpoint and back. from: 0, -EINVAL (too short), -EAFNOSUPPORT (wrong family; as
 * Linux, AF_UNSPEC counts as AF_INET for bind to any). to: writes at most *length bytes and sets
 * *length to the true one. family is the socket's: an AF_INET6 socket prints v4-mapped. */
int sim_endpoint_from(const struct sim_socket *socket, const struct sockaddr *address, socklen_t length,
                      struct sim_endpoint *endpoint);
void sim_endpoint_to(uint16_t family, const struct sim_endpoint *endpoint, struct sockaddr *address,
                     socklen_t *length);

/* The receive queue of messages: append counts the charge and wakes readers; free wants a message
 * that carries no descriptions (any more). */
void sim_datagram_append(struct sim_world *world, struct sim_socket_id id,
                         struct sim_datagram_id datagram);
struct sim_datagram_id sim_datagram_take(struct sim_world *world, struct sim_socket_id id);
void sim_datagram_free(struct sim_world *world, struct sim_datagram_id id);
/* What a message of this length counts against the buffers of both ends (Linux's truesize). */
uint32_t sim_datagram_charge(uint64_t length);
/* Asserts that the queue's links and charges are right. */
void sim_socket_check_queue(const struct sim_world *world, struct sim_socket_id id);
/* Takes SO_ERROR: the pending error as a negative errno, and clears it. */
int sim_socket_take_error(struct sim_world *world, struct sim_socket_id id);
/* Sets SO_ERROR and wakes with POLLERR (and what else is told). */
void sim_socket_set_error(struct sim_world *world, struct sim_socket_id id, int error);

/* SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6 options common to all; protocols get the rest. Linux's
 * errors: -EFAULT, -EINVAL, -ENOPROTOOPT, -EDOM, -EPERM. */
int sim_option_set(struct sim_world *world, struct sim_socket_id id, int level, int name,
                   const void *value, socklen_t length);
int sim_option_get(struct sim_world *world, struct sim_socket_id id, int level, int name, void *value,
                   socklen_t *length);

/* A socket as a kind of file. */
extern const struct sim_file_verbs sim_socket_verbs;

#endif
