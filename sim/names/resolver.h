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
/* A line "ADDRESS NAME [ALIAS…]" of hosts(5). 0, -EINVAL or -ENOMEM. */
int sim_resolver_add_hosts(struct sim_resolver *resolver, const char *line);
/* A line of resolv.conf(5): nameserver, search, domain, options. 0, or -EINVAL with a sentence in
 * message and a byte offset in *column (may be NULL), and nothing of the line is taken; -ENOMEM.
 * What the C library would pass over in silence, such as an option that it does not know, is told. */
int sim_resolver_add_line(struct sim_resolver *resolver, const char *line, char *message, size_t bytes,
                          size_t *column);
/* The same verdict, -ENOMEM also, on a line that goes nowhere. */
int sim_resolver_check_line(const char *line, char *message, size_t bytes, size_t *column);

/* Who looks up. has_ipv4, has_ipv6: addresses other than the loopback's, which AI_ADDRCONFIG asks for.
 * habit: zero at first, what the task has learned of its servers (with the C library, a thread's); it
 * must live as long as the call. */
struct sim_resolver_asker {
    struct dry_caller caller;
    uint32_t *habit;
    bool has_ipv4, has_ipv6;
};

/* The seam's name calls (system.h) with the resolver of the caller's host. */
int sim_resolver_getaddrinfo(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                             const char *node, const char *service, const struct addrinfo *hints,
                             struct addrinfo **list, int *system_error);
void sim_resolver_freeaddrinfo(struct addrinfo *list);
int sim_resolver_getnameinfo(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                             const struct sockaddr *address, socklen_t length, char *host,
                             socklen_t host_bytes, char *service, socklen_t service_bytes, int flags,
                             int *system_error);
int sim_resolver_gethostbyname(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                               const char *name, int family, struct hostent *result, char *buffer,
                               size_t bytes);
int sim_resolver_gethostbyaddr(struct sim_resolver *resolver, struct sim_resolver_asker asker,
                               const void *address, socklen_t length, int family,
                               struct hostent *result, char *buffer, size_t bytes);

#endif
