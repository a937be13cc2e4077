/* Names: the C library's look-up and a DNS server, as user-level code over the seam.
 * SPDX-License-Identifier: MIT
 *
 * /etc/hosts first, then DNS over UDP (TCP when truncated), with resolv.conf's servers, search list,
 * timeout and attempts, and the order of RFC 6724. Nothing here is of the world: it makes seam calls
 * as the program that looks up, so its waits and packets are the program's own. */
#ifndef SIM_RESOLVER_H
#define SIM_RESOLVER_H

#include <stdbool.h>

#include <drysock/system.h>

/* A host's /etc/hosts and resolv.conf. Begins with localhost (127.0.0.1 and ::1) and no server,
 * which means 127.0.0.1. */
struct sim_resolver;
struct sim_resolver *sim_resolver_create(void);
/* From now on what one look-up leaves to the next (which server is next with rotate, the last query's
 * identifier) lies there, so that it is part of a world; it must outlive the resolver. */
void sim_resolver_remember_in(struct sim_resolver *resolver, uint32_t memory[2]);
void sim_resolver_destroy(struct sim_resolver *resolver);
/* A line "ADDRESS NAME [ALIAS…]" / a line of resolv.conf(5): nameserver, search, domain, options
 * (timeout:N attempts:N ndots:N rotate use-vc). 0, -EINVAL or -ENOMEM. */
int sim_resolver_add_hosts(struct sim_resolver *resolver, const char *line);
int sim_resolver_add_line(struct sim_resolver *resolver, const char *line);

/* What AI_ADDRCONFIG asks: addresses other than the loopback's. */
struct sim_resolver_facts {
    bool has_ipv4, has_ipv6;
};

/* The seam's name calls (system.h) with the resolver of the caller's host. */
int sim_resolver_getaddrinfo(struct sim_resolver *resolver, struct sim_resolver_facts facts,
                             struct dry_caller caller, const char *node, const char *service,
                             const struct addrinfo *hints, struct addrinfo **list, int *system_error);
void sim_resolver_freeaddrinfo(struct addrinfo *list);
int sim_resolver_getnameinfo(struct sim_resolver *resolver, struct dry_caller caller,
                             const struct sockaddr *address, socklen_t length, char *host,
                             socklen_t host_bytes, char *service, socklen_t service_bytes, int flags,
                             int *system_error);
int sim_resolver_gethostbyname(struct sim_resolver *resolver, struct dry_caller caller,
                               const char *name, int family, struct hostent *result, char *buffer,
                               size_t bytes);
int sim_resolver_gethostbyaddr(struct sim_resolver *resolver, struct dry_caller caller,
                               const void *address, socklen_t length, int family,
                               struct hostent *result, char *buffer, size_t bytes);

#endif
