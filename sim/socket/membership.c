/* Membership of multicast groups: joining and leaving, with sources and without; who is heard.
 * SPDX-License-Identifier: MIT
 *
 * A membership hears all sources but those it lists, or those alone that it lists. A listed source is a
 * record of the same pool, chained at its membership. */
#include "membership.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "net/host.h"
#include "net/ip.h"
#include "option.h"

enum {
    MOST_MEMBERSHIPS = 20, /* LINUX: net.ipv4.igmp_max_memberships */
    MOST_SOURCES_V4 = 10,  /* LINUX: net.ipv4.igmp_max_msf */
    MOST_SOURCES_V6 = 64,  /* LINUX: net.ipv6.mld_max_msf */
};

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

/* ---- joining and leaving ---- */

static int join(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                uint32_t *interface, bool includes)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t count;
    if (!sim_ip_is_multicast(group)) {
        return -EINVAL;
    }
    *interface = interface_for(world, socket, group, *interface);
    if (*interface == 0) {
        return -ENODEV;
    }
    struct sim_membership_id *link = find_membership(world, socket, group, *interface, &count);
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
    membership->interface = *interface;
    membership->host = socket->host;
    membership->includes = includes;
    *link = new;
    return 0;
}

int sim_option_join(struct sim_world *world, struct sim_socket_id id, struct sim_ip group,
                    uint32_t interface)
{
    return join(world, id, group, &interface, false);
}

static void free_membership(struct sim_world *world, struct sim_membership_id id)
{
    struct sim_membership_id source = sim_membership_at(world, id)->first_source;
    sim_pool_give(world, SIM_POOL_MEMBERSHIP, id.index);
    while (source.index != 0) {
        const struct sim_membership_id next = sim_membership_at(world, source)->next;
        sim_pool_give(world, SIM_POOL_MEMBERSHIP, source.index);
        source = next;
    }
}

void sim_membership_free_all(struct sim_world *world, struct sim_socket *socket)
{
    while (socket->first_membership.index != 0) {
        const struct sim_membership_id first = socket->first_membership;
        socket->first_membership = sim_membership_at(world, first)->next;
        free_membership(world, first);
    }
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
    free_membership(world, found);
    return 0;
}

/* ---- sources ---- */

static struct sim_membership_id *find_source(const struct sim_world *world,
                                             struct sim_membership *membership, struct sim_ip source,
                                             uint32_t *count)
{
    struct sim_membership_id *link = &membership->first_source;
    *count = 0;
    while (link->index != 0 && !sim_ip_equal(sim_membership_at(world, *link)->group, source)) {
        link = &sim_membership_at(world, *link)->next;
        (*count)++;
    }
    return link;
}

static int add_source(struct sim_world *world, struct sim_membership *membership, struct sim_ip source)
{
    uint32_t count;
    struct sim_membership_id *link = find_source(world, membership, source, &count);
    const uint32_t most = sim_ip_is_v4(source) ? MOST_SOURCES_V4 : MOST_SOURCES_V6;
    uint32_t all = count;
    for (struct sim_membership_id at = *link; at.index != 0; at = sim_membership_at(world, at)->next) {
        all++;
    }
    if (all >= most) {
        return -ENOBUFS;
    }
    if (link->index != 0) {
        return -EADDRNOTAVAIL; /* it is listed already */
    }
    const struct sim_membership_id new = {sim_pool_take(world, SIM_POOL_MEMBERSHIP)};
    if (new.index == 0) {
        return -ENOBUFS;
    }
    struct sim_membership *record = sim_membership_at(world, new);
    record->group = source;
    record->is_source = 1;
    *link = new;
    membership->has_list = 1;
    return 0;
}

static int remove_source(struct sim_world *world, struct sim_socket_id id,
                         struct sim_membership *membership, struct sim_ip source)
{
    uint32_t count;
    struct sim_membership_id *link = find_source(world, membership, source, &count);
    const struct sim_membership_id found = *link;
    if (found.index == 0) {
        return -EADDRNOTAVAIL;
    }
    const bool last = count == 0 && sim_membership_at(world, found)->next.index == 0;
    if (last && membership->includes) { /* who hears nobody is no member */
        return sim_option_leave(world, id, membership->group, membership->interface);
    }
    *link = sim_membership_at(world, found)->next;
    sim_pool_give(world, SIM_POOL_MEMBERSHIP, found.index);
    return 0;
}

/* LINUX: ip_mc_source, ip6_mc_source. */
int sim_option_source(struct sim_world *world, struct sim_socket_id id,
                      const struct sim_source_request *request)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    const bool includes = request->change == SIM_SOURCE_JOIN || request->change == SIM_SOURCE_LEAVE;
    uint32_t interface = request->interface, count;
    if (request->change == SIM_SOURCE_JOIN) {
        const int error = join(world, id, request->group, &interface, true);
        if (error < 0 && error != -EADDRINUSE) {
            return error;
        }
    }
    if (!sim_ip_is_multicast(request->group)) {
        return -EINVAL;
    }
    interface = interface_for(world, socket, request->group, interface);
    if (interface == 0) {
        return -ENODEV;
    }
    const struct sim_membership_id *link = find_membership(world, socket, request->group, interface,
                                                           &count);
    if (link->index == 0) {
        return -EINVAL;
    }
    struct sim_membership *membership = sim_membership_at(world, *link);
    if (membership->has_list && membership->includes != includes) {
        return -EINVAL;
    }
    membership->includes = includes;
    return request->change == SIM_SOURCE_JOIN || request->change == SIM_SOURCE_BLOCK
               ? add_source(world, membership, request->source)
               : remove_source(world, id, membership, request->source);
}

/* SIMPLER: a whole filter is told by no call: the group's name is checked, as Linux does first. */
int sim_option_source_filter(const struct sim_world *world, struct sim_socket_id id, int name,
                             void *value, socklen_t *length)
{
    struct ip_msfilter filter;
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t count;
    if (name != IP_MSFILTER) {
        return *length < GROUP_FILTER_SIZE(0) ? -EINVAL : -EADDRNOTAVAIL;
    }
    if (*length < IP_MSFILTER_SIZE(0)) {
        return -EINVAL;
    }
    if (value == NULL) {
        return -EFAULT;
    }
    memcpy(&filter, value, IP_MSFILTER_SIZE(0));
    const struct sim_ip group = sim_ip_v4(ntohl(filter.imsf_multiaddr.s_addr));
    if (!sim_ip_is_multicast(group)) {
        return -EINVAL;
    }
    const struct sim_ip named = sim_ip_v4(ntohl(filter.imsf_interface.s_addr));
    const struct sim_interface *owner = sim_ip_is_any(named)
                                            ? NULL
                                            : sim_host_owner(world, socket->host, named);
    const uint32_t interface = !sim_ip_is_any(named) && owner == NULL
                                   ? 0
                                   : interface_for(world, socket, group, owner ? owner->number : 0);
    if (interface == 0) {
        return -ENODEV;
    }
    return find_membership(world, socket, group, interface, &count)->index == 0 ? -EADDRNOTAVAIL
                                                                                : -ENOPROTOOPT;
}

/* ---- who is heard ---- */

static bool hears(const struct sim_world *world, const struct sim_membership *membership,
                  struct sim_ip source)
{
    struct sim_membership_id at = membership->first_source;
    while (at.index != 0 && !sim_ip_equal(sim_membership_at(world, at)->group, source)) {
        at = sim_membership_at(world, at)->next;
    }
    return (at.index != 0) == (membership->includes != 0);
}

enum sim_hearing sim_membership_hears(const struct sim_world *world, const struct sim_socket *socket,
                                      struct sim_ip group, uint32_t interface, struct sim_ip source)
{
    struct sim_membership_id id = socket->first_membership;
    while (id.index != 0) {
        const struct sim_membership *membership = sim_membership_at(world, id);
        if (membership->interface == interface && sim_ip_equal(membership->group, group)) {
            return hears(world, membership, source) ? SIM_HEARS : SIM_IS_DEAF;
        }
        id = membership->next;
    }
    return SIM_IS_NO_MEMBER;
}

bool sim_membership_of_host(const struct sim_world *world, struct sim_host_id host, struct sim_ip group,
                            uint32_t interface, struct sim_ip source)
{
    static const struct sim_ip all_nodes = {{0xff, 2, [15] = 1}};
    const struct sim_pool *pool = &world->pools[SIM_POOL_MEMBERSHIP];

    if (sim_ip_equal(group, sim_ip_v4(INADDR_ALLHOSTS_GROUP)) || sim_ip_equal(group, all_nodes)) {
        return true;
    }
    for (uint32_t i = 1; i <= pool->high_water; i++) {
        const struct sim_membership *membership = sim_membership_at(world,
                                                                    (struct sim_membership_id){i});
        if (membership->slot.live && !membership->is_source && membership->host.index == host.index &&
            membership->interface == interface && sim_ip_equal(membership->group, group) &&
            hears(world, membership, source)) {
            return true;
        }
    }
    return false;
}
