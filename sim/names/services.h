/* The world's /etc/services and /etc/protocols: what is assigned, as a Debian 12 system knows it.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_SERVICES_H
#define SIM_SERVICES_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As getservbyname(3), getservbyport(3) and getprotobyname(3) look them up: protocol NULL is any, port
 * in network order. 0 with *result in the buffer, or -ENOENT (also when the buffer is too small). */
int sim_service_by_name(const char *name, const char *protocol, struct servent *result, char *buffer,
                        size_t bytes);
int sim_service_by_port(int port, const char *protocol, struct servent *result, char *buffer,
                        size_t bytes);
int sim_protocol_by_name(const char *name, struct protoent *result, char *buffer, size_t bytes);

/* The files themselves, for a host of the kernel; freed with free(3), NULL: no memory. */
char *sim_services_text(void);
char *sim_protocols_text(void);

#endif
