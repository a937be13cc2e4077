/* A scenario's hosts on the kernel: each a network, mount and UTS namespace with a TUN `eth0`.
 * SPDX-License-Identifier: MIT
 *
 * Nothing of it has a name outside the process: when the process ends, so do its hosts. A host has
 * - `lo` and `eth0` (a TUN interface, its descriptor is the line), default routes by eth0, no
 *   address but those of the scenario, no duplicate address detection, no router solicitation;
 * - every setting of sim/core/settings.h at Linux's default or as `set` says, and
 *   tcp_congestion_control at cubic, for these are what machines differ in;
 * - its own host name, its own empty /tmp (the working directory), its own /etc with resolv.conf,
 *   hosts, nsswitch.conf and the machine's services and protocols.
 * Calls return 0, or -1 with a sentence in why[KERNEL_WHY_BYTES]. */
#ifndef HARNESS_KERNEL_HOST_H
#define HARNESS_KERNEL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "language/scenario.h"

enum { KERNEL_WHY_BYTES = 320 };

struct kernel_host {
    int network, mount, uts;   /* descriptors of its namespaces */
    int tun;                   /* packets from the IP header on; non-blocking */
    bool congestion_by_socket; /* this kernel reserves cubic: sockets must ask for it one by one */
};

/* Gives the process (one thread still) namespaces of its own in which it may do all of this: a user
 * namespace, or as root, where there are none, just the rest. */
int kernel_host_begin(char *why);
/* Makes host `index` of the scenario. The process must still have one thread. */
int kernel_host_make(const struct scenario *scenario, uint32_t index, struct kernel_host *host,
                     char *why);
/* The calling thread becomes a thread of that host. */
int kernel_host_enter(const struct kernel_host *host, char *why);

/* The host's resolv.conf, hosts file: what the world gives its own hosts. Text to be freed. */
void kernel_host_resolver_text(const struct scenario *scenario, uint32_t index, struct text *text);
void kernel_host_hosts_text(const struct scenario *scenario, uint32_t index, struct text *text);

#endif
