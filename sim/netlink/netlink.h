/* Netlink: what a program asks its host about itself, and what programs tell each other over it.
 * SPDX-License-Identifier: MIT
 *
 * netlink(7), rtnetlink(7), sock_diag(7). Of the families there are NETLINK_ROUTE, NETLINK_USERSOCK,
 * NETLINK_SOCK_DIAG, NETLINK_KOBJECT_UEVENT and NETLINK_GENERIC; others are EPROTONOSUPPORT, as on a
 * kernel without them. */
#ifndef SIM_NETLINK_H
#define SIM_NETLINK_H

#include "socket/protocol.h"

extern const struct sim_protocol sim_netlink_protocol;
extern const struct sim_family sim_netlink_family;

#endif
