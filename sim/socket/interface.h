/* What ioctl() tells a socket of its host's interfaces: netdevice(7).
 * SPDX-License-Identifier: MIT */
#ifndef SIM_INTERFACE_H
#define SIM_INTERFACE_H

#include "core/state.h"

/* SIOCGIF* of a socket's host, as Linux answers a socket of this family. 0, -EFAULT, -ENODEV,
 * -EADDRNOTAVAIL, -EPERM (what would change an interface), -ENOTTY (not of interfaces). */
int sim_interface_ioctl(const struct sim_world *world, struct sim_socket_id id, unsigned long request,
                        void *argument);

#endif
