/* Membership of multicast groups: joining and leaving, with sources and without; who is heard.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_MEMBERSHIP_H
#define SIM_MEMBERSHIP_H

#include <sys/socket.h>

#include "core/state.h"

/* Joins or leaves a group; interface 0: the route's. 0, -EINVAL, -ENODEV, -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENOBUFS. */
int sim_option_join(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                    uint32_t interface);
int sim_option_leave(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                     uint32_t interface);

enum sim_source_change {
    SIM_SOURCE_JOIN,    /* hear this one, too; joins the group for it alone */
    SIM_SOURCE_LEAVE,   /* no more; the last one leaves the group */
    SIM_SOURCE_BLOCK,   /* a member of the whole group hears all but this one */
    SIM_SOURCE_UNBLOCK, /* and this one again */
};
struct sim_source_request {
    enum sim_source_change change;
    struct sim_ip group;
    struct sim_ip source;
    uint32_t interface;
};
/* ip(7), IP_ADD_SOURCE_MEMBERSHIP and its kin. 0, -EINVAL (no member, or in the other way), -ENODEV,
 * -EADDRNOTAVAIL (listed already, or not), -ENOBUFS. */
int sim_option_source(struct sim_world *world, struct sim_socket_id id,
                      const struct sim_source_request *request);
/* getsockopt() of IP_MSFILTER and MCAST_MSFILTER: always an error. */
int sim_option_source_filter(const struct sim_world *world, struct sim_socket_id id, int name,
                             void *value, socklen_t *length);
/* A socket goes: so do its memberships. */
void sim_membership_free_all(struct sim_world *world, struct sim_socket *socket);

enum sim_hearing { SIM_IS_NO_MEMBER, SIM_HEARS, SIM_IS_DEAF };
/* Does this socket, by its own membership, hear the source in the group? */
enum sim_hearing sim_membership_hears(const struct sim_world *world, const struct sim_socket *socket,
                                      struct sim_ip group, uint32_t interface, struct sim_ip source);
/* Is the host a member, for this source, by any of its sockets? All are of 224.0.0.1 and ff02::1. */
bool sim_membership_of_host(const struct sim_world *world, struct sim_host_id host, struct sim_ip group,
                            uint32_t interface, struct sim_ip source);

#endif
