/* IPPROTO_IPV6 options that mean more than a kept number.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "net/host.h"
#include "net/ip.h"
#include "option.h"

enum {
    LEAST_MTU = 1280,
    DEFAULT_HOPS = 64, /* LINUX: net.ipv6.conf.all.hop_limit */
};

static int change_membership(struct sim_world *world, struct sim_socket_id id, int name,
                             const void *value, socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct ipv6_mreq request;
    struct sim_ip group;
    int error = sim_option_take(&request, sizeof request, value, length);
    if (length < sizeof request) {
        return -EINVAL;
    }
    if (socket->type == SOCK_STREAM) {
        return -EPROTO;
    }
    if (error < 0) {
        return error;
    }
    memcpy(group.bytes, &request.ipv6mr_multiaddr, sizeof group.bytes);
    if (name == IPV6_JOIN_GROUP) {
        return sim_option_join(world, id, group, request.ipv6mr_interface);
    }
    return sim_option_leave(world, id, group, request.ipv6mr_interface);
}

static int change_group(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                        socklen_t length)
{
    struct group_req request;
    struct sim_ip group;
    int error = sim_option_take(&request, sizeof request, value, length);
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&request.gr_group;
    if (error < 0) {
        return error;
    }
    if (in6->sin6_family != AF_INET6) {
        return -EADDRNOTAVAIL;
    }
    if (sim_socket_at(world, id)->type == SOCK_STREAM) {
        return -EPROTO;
    }
    memcpy(group.bytes, &in6->sin6_addr, sizeof group.bytes);
    if (name == MCAST_JOIN_GROUP) {
        return sim_option_join(world, id, group, request.gr_interface);
    }
    return sim_option_leave(world, id, group, request.gr_interface);
}

static int set_multicast_interface(const struct sim_world *world, struct sim_socket *socket, int number)
{
    if (number < 0 ||
        (number != 0 && sim_host_interface(world, socket->host, (uint32_t)number) == NULL)) {
        return -ENODEV;
    }
    if (number != 0 && socket->bound_interface != 0 && socket->bound_interface != (uint32_t)number) {
        return -EINVAL;
    }
    socket->multicast_interface = (uint32_t)number;
    return 0;
}

static int in_range(int number, int low, int high)
{
    return number < low || number > high ? -EINVAL : 0;
}

/* LINUX: IPV6_V6ONLY cannot change once the socket has a port. */
static int set_v6only(struct sim_socket *socket, int number)
{
    if (socket->local.port != 0) {
        return -EINVAL;
    }
    sim_option_flag(socket, SIM_OPTION_V6ONLY, number != 0);
    return 0;
}

static int set_number(struct sim_world *world, struct sim_socket_id id, int name, int number)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    int error = 0;
    switch (name) {
    case IPV6_V6ONLY:
        return set_v6only(socket, number);
    case IPV6_UNICAST_HOPS:
        error = in_range(number, -1, 255);
        if (error == 0) {
            socket->hop_limit = number == -1 ? 0 : (uint8_t)number;
            error = sim_option_keep(world, id, IPPROTO_IPV6, name, &number, sizeof number);
        }
        return error;
    case IPV6_MULTICAST_HOPS:
        error = in_range(number, -1, 255);
        if (error == 0) {
            socket->multicast_ttl = number == -1 ? 1 : (uint8_t)number;
        }
        return error;
    case IPV6_MULTICAST_LOOP:
        error = in_range(number, 0, 1);
        if (error == 0) {
            sim_option_flag(socket, SIM_OPTION_MULTICAST6_LOOP_OFF, number == 0);
        }
        return error;
    case IPV6_MULTICAST_IF:
        return set_multicast_interface(world, socket, number);
    case IPV6_MTU_DISCOVER:
        error = in_range(number, IPV6_PMTUDISC_DONT, IPV6_PMTUDISC_OMIT);
        if (error == 0) {
            socket->mtu_discover = (uint32_t)number;
        }
        return error;
    case IPV6_TCLASS:
        error = in_range(number, -1, 255);
        if (error == 0) {
            socket->tos = number == -1 ? 0 : (uint8_t)number;
        }
        return error;
    default: /* IPV6_MTU. SIMPLER: kept, not obeyed */
        if (number != 0 && number < LEAST_MTU) {
            return -EINVAL;
        }
        return sim_option_keep(world, id, IPPROTO_IPV6, name, &number, sizeof number);
    }
}

int sim_option_set_ipv6(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                        socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int number;
    switch (name) {
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
        return change_membership(world, id, name, value, length);
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return change_group(world, id, name, value, length);
    case IPV6_MULTICAST_HOPS:
    case IPV6_MULTICAST_IF:
        if (socket->type == SOCK_STREAM) {
            return -ENOPROTOOPT;
        }
        break;
    case IPV6_V6ONLY:
    case IPV6_UNICAST_HOPS:
    case IPV6_MULTICAST_LOOP:
    case IPV6_MTU_DISCOVER:
    case IPV6_TCLASS:
    case IPV6_MTU:
        break;
    default:
        return SIM_OPTION_NOT_MINE;
    }
    int error = sim_option_read(IPPROTO_IPV6, sizeof number, value, length, &number);
    return error < 0 ? error : set_number(world, id, name, number);
}

static int unicast_hops(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
    int number = -1;
    if (kept != NULL) {
        memcpy(&number, kept->value, sizeof number);
    }
    return number == -1 ? DEFAULT_HOPS : number;
}

static int path_mtu(const struct sim_world *world, const struct sim_socket *socket, int *number)
{
    struct sim_ip_path path;
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0 ||
        sim_ip_route(world, socket->host, socket->remote, socket->local.ip, socket->bound_interface,
                     &path) < 0) {
        return -ENOTCONN;
    }
    *number = (int)path.mtu;
    return 0;
}

int sim_option_get_ipv6(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                        socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int number = 0;
    int error = 0;
    switch (name) {
    case IPV6_V6ONLY:
        number = (socket->options & SIM_OPTION_V6ONLY) != 0;
        break;
    case IPV6_UNICAST_HOPS:
        number = unicast_hops(world, id);
        break;
    case IPV6_MULTICAST_HOPS:
        number = socket->multicast_ttl;
        break;
    case IPV6_MULTICAST_LOOP:
        number = (socket->options & SIM_OPTION_MULTICAST6_LOOP_OFF) == 0;
        break;
    case IPV6_MULTICAST_IF:
        number = (int)socket->multicast_interface;
        break;
    case IPV6_MTU_DISCOVER:
        number = (int)socket->mtu_discover;
        break;
    case IPV6_TCLASS:
        number = socket->tos;
        break;
    case IPV6_MTU:
        error = path_mtu(world, socket, &number);
        break;
    default:
        return SIM_OPTION_NOT_MINE;
    }
    return error < 0 ? error : sim_option_give_number(IPPROTO_IPV6, number, value, length);
}
