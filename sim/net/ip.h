/* The network below the sockets: IP between hosts, over their interfaces and links.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_IP_H
#define SIM_IP_H

#include "core/state.h"

/* What takes the packets of one IP protocol on a host: the rooms above define their rows, and
 * run/protocols.c lists them by IPPROTO_* number; NULL: nobody. */
struct sim_ip_receiver {
    /* A packet for this protocol; consumes it. */
    void (*input)(struct sim_world *, struct sim_host_id, struct sim_packet_id);
    /* An ICMP error whose quoted packet is of this protocol; the packet stays the caller's. */
    void (*error)(struct sim_world *, struct sim_host_id, struct sim_packet_id);
};
extern const struct sim_ip_receiver *const sim_ip_receivers[UINT8_MAX + 1];

struct sim_ip_path {
    struct sim_ip source; /* the address to send from */
    uint32_t interface;   /* number */
    uint32_t mtu;
    uint32_t local;     /* 1: the destination is this host */
    uint32_t broadcast; /* 1: the destination is a broadcast address */
};

/* How a host reaches `to`. from: the bound source, or the unspecified address; bound_interface: 0
 * or SO_BINDTODEVICE's; scope for link-local. 0, -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL,
 * -ENODEV, -EADDRNOTAVAIL, -EAFNOSUPPORT (from an IPv4 address to an IPv6 one), in Linux's order. */
int sim_ip_route(const struct sim_world *world, struct sim_host_id host, struct sim_endpoint to,
                 struct sim_ip from, uint32_t bound_interface, struct sim_ip_path *path);
/* Sends a packet whose addresses are filled in; consumes it. 0 or -errno (no route, -EMSGSIZE where
 * dont_fragment forbids it). What is for this host joins the backlog. Larger packets than the
 * path's MTU are fragmented in effect (they arrive whole or not at all). */
int sim_ip_output(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id,
                  uint32_t bound_interface);
/* SIM_EVENT_PACKET: a packet arrives at an interface. Consumes it. */
void sim_ip_input(struct sim_world *world, struct sim_interface_id interface, struct sim_packet_id id);
/* The backlog arrives: what hosts sent to themselves, and what that makes them send, until nothing
 * is left. As in Linux this happens before the call or event that sent it is over: world.c and the
 * provider ask for it, by sim_ip_settle. */
void sim_ip_run_backlog(struct sim_world *world);
static inline void sim_ip_settle(struct sim_world *world)
{
    if (world->first_backlog.index != 0) {
        sim_ip_run_backlog(world);
    }
}
/* A packet that this host also hears itself (multicast, broadcast) joins the backlog, to come in by
 * an interface. Consumes it. */
void sim_ip_loop_back(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id,
                      uint32_t interface_number);
/* 255.255.255.255, or the broadcast address of one of the host's networks. */
bool sim_ip_is_broadcast(const struct sim_world *world, struct sim_host_id host, struct sim_ip ip);

#endif
