/* The few rtnetlink requests that give a host's interface its addresses and routes.
 * SPDX-License-Identifier: MIT
 *
 * Each call speaks to the network namespace in which the socket was opened and returns 0 or -errno
 * as the kernel's acknowledgment says. None of them waits for anything but that answer. */
#ifndef HARNESS_KERNEL_NETLINK_H
#define HARNESS_KERNEL_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdint.h>
#include <sys/socket.h>

/* A socket for the calls below, or NULL with errno. Closed with mnl_socket_close. */
struct mnl_socket *kernel_netlink_open(void);
/* Brings an interface up. mtu 0: as it is. Also stops it making IPv6 addresses by itself. */
int kernel_netlink_up(struct mnl_socket *netlink, unsigned interface, uint32_t mtu);
/* Gives an interface an address (4 or 16 bytes), for IPv6 without duplicate address detection, for
 * IPv4 with its prefix's broadcast address. */
int kernel_netlink_add_address(struct mnl_socket *netlink, unsigned interface, int family,
                               const void *address, uint32_t prefix_bits);
/* Waits until an IPv6 address is in use: the kernel completes it in the background, and drops what is
 * for it until then. -ETIMEDOUT after two seconds. */
int kernel_netlink_wait_for_address(struct mnl_socket *netlink, const void *address);
/* A default route of the family through the interface, with no gateway. */
int kernel_netlink_add_default(struct mnl_socket *netlink, unsigned interface, int family);
/* A virtual CAN interface that hears what is sent on it, up. */
int kernel_netlink_add_vcan(struct mnl_socket *netlink, const char *name);

#endif
