/* Membership of multicast groups: joining and leaving, as the options of both IP versions ask.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>

#include "core/block.h"
#include "net/host.h"
#include "net/ip.h"
#include "option.h"

enum { MOST_MEMBERSHIPS = 20 /* LINUX: net.ipv4.igmp_max_memberships */ };

static struct sim_membership_id *find_membership(const struct sim_world *world,
                                                 struct sim_socket *socket, struct sim_ip group,
                                                 uint32_t interface, uint32_t *count)
{
    struct sim_membership_id *link = &socket->first_membership;
    *count = 0;
    while (link->index != 0) {
        struct sim_membership *membership = sim_membership_at(world, *link);
        if (sim_ip_equal(membership->group, group) &&
            (interface == 0 || membership->interface == interface)) {
            break;
        }
        link = &membership->next;
        (*count)++;
    }
    return link;
}

/* LINUX: without an interface the route to the group decides. */
static uint32_t interface_for(const struct sim_world *world, const struct sim_socket *socket,
                              struct sim_ip group, uint32_t interface)
{
    struct sim_endpoint to = {.ip = group};
    struct sim_ip any = sim_ip_is_v4(group) ? sim_ip_v4(INADDR_ANY) : (struct sim_ip){{0}};
    struct sim_ip_path path;

    if (interface != 0) {
        return sim_host_interface(world, socket->host, interface) == NULL ? 0 : interface;
    }
    if (sim_ip_route(world, socket->host, to, any, 0, &path) < 0) {
        return 0;
    }
    return path.interface;
}

int sim_option_join(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                    uint32_t interface)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t count;
    if (!sim_ip_is_multicast(group)) {
        return -EINVAL;
    }
    interface = interface_for(world, socket, group, interface);
    if (interface == 0) {
        return -ENODEV;
    }
    struct sim_membership_id *link = find_membership(world, socket, group, interface, &count);
    if (link->index != 0) {
        return -EADDRINUSE;
    }
    if (count >= MOST_MEMBERSHIPS && sim_ip_is_v4(group)) {
        return -ENOBUFS;
    }
    struct sim_membership_id new = {sim_pool_take(world, SIM_POOL_MEMBERSHIP)};
    if (new.index == 0) {
        return -ENOBUFS;
    }
    struct sim_membership *membership = sim_membership_at(world, new);
    membership->group = group;
    membership->interface = interface;
    membership->host = socket->host;
    *link = new;
    return 0;
}

int sim_option_leave(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                     uint32_t interface)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t count;
    if (!sim_ip_is_multicast(group) && !sim_ip_is_v4(group)) {
        return -EINVAL;
    }
    /* LINUX: where neither the caller nor a route names an interface there is no such device;
     * IPv6 without one takes any. */
    if (sim_ip_is_v4(group) && interface == 0) {
        interface = interface_for(world, socket, group, interface);
        if (interface == 0) {
            return -ENODEV;
        }
    }
    struct sim_membership_id *link = find_membership(world, socket, group, interface, &count);
    struct sim_membership_id found = *link;
    if (found.index == 0) {
        return -EADDRNOTAVAIL;
    }
    *link = sim_membership_at(world, found)->next;
    sim_pool_give(world, SIM_POOL_MEMBERSHIP, found.index);
    return 0;
}
