/* IPPROTO_IPV6 options that mean more than a kept number.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "membership.h"
#include "net/host.h"
#include "net/ip.h"
#include "option.h"

enum {
    LEAST_MTU = 1280,
    ECN_MASK = 3,
    DEFAULT_HOPS = 64, /* LINUX: net.ipv6.conf.all.hop_limit */
    NAME_IPV6_2292PKTOPTIONS = 6,
    NAME_IPV6_ADDR_PREFERENCES = 72,
    NAME_IPV6_UNICAST_IF = 76,
    NAME_IP6T_SO_ORIGINAL_DST = 80,
    PREFER_DEFAULT = 0x500, /* a public or temporary address, the home's: the system's choice */
};

static int kept_number(const struct sim_world *world, struct sim_socket_id id, int name, int initial)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_IPV6, name);
    if (kept != NULL) {
        memcpy(&initial, kept->value, sizeof initial);
    }
    return initial;
}

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

static int change_group_source(struct sim_world *world, struct sim_socket_id id, int name,
                               const void *value, socklen_t length)
{
    struct group_source_req given;
    int error = sim_option_take(&given, sizeof given, value, length);
    const struct sockaddr_in6 *group = (const struct sockaddr_in6 *)&given.gsr_group;
    const struct sockaddr_in6 *source = (const struct sockaddr_in6 *)&given.gsr_source;
    if (error < 0) {
        return error;
    }
    if (group->sin6_family != AF_INET6 || source->sin6_family != AF_INET6) {
        return -EADDRNOTAVAIL;
    }
    struct sim_source_request request = {
        .change = name == MCAST_BLOCK_SOURCE        ? SIM_SOURCE_BLOCK
                  : name == MCAST_UNBLOCK_SOURCE    ? SIM_SOURCE_UNBLOCK
                  : name == MCAST_JOIN_SOURCE_GROUP ? SIM_SOURCE_JOIN
                                                    : SIM_SOURCE_LEAVE,
        .interface = given.gsr_interface,
    };
    memcpy(request.group.bytes, &group->sin6_addr, sizeof request.group.bytes);
    memcpy(request.source.bytes, &source->sin6_addr, sizeof request.source.bytes);
    return sim_option_source(world, id, &request);
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
    socket->multicast_interface6 = (uint32_t)number;
    return 0;
}

/* SO_BINDTODEVICE for IPv6 alone, by number in network order. SIMPLER: checked and kept. */
static int set_unicast_interface(struct sim_world *world, struct sim_socket_id id, const void *value,
                                 socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int number;
    if (length != sizeof number) {
        return -EINVAL;
    }
    int error = sim_option_take(&number, sizeof number, value, length);
    if (error < 0) {
        return error;
    }
    const uint32_t index = ntohl((uint32_t)number);
    if (index != 0 && sim_host_interface(world, socket->host, index) == NULL) {
        return -EADDRNOTAVAIL;
    }
    if (index != 0 && socket->bound_interface != 0) {
        return -EINVAL;
    }
    return sim_option_keep(world, id, IPPROTO_IPV6, NAME_IPV6_UNICAST_IF, &number, sizeof number);
}

/* RFC 5014. LINUX: __ip6_sock_set_addr_preferences. Of each pair one; SIMPLER: kept, not obeyed. */
static int set_preferences(struct sim_world *world, struct sim_socket_id id, const void *value,
                           socklen_t length)
{
    enum { TMP = 1, PUBLIC = 2, PUBTMP = 0x100, CGA = 8, NONCGA = 0x800, COA = 4, HOME = 0x400 };
    int number;
    int error = sim_option_read(IPPROTO_IPV6, sizeof number, value, length, &number);
    if (error < 0) {
        return error;
    }
    const int which = number & (TMP | PUBLIC | PUBTMP), where = number & (HOME | COA);
    const bool odd = (which != 0 && which != TMP && which != PUBLIC && which != PUBTMP) ||
                     (where == (HOME | COA)) || (number & (CGA | NONCGA)) == (CGA | NONCGA);
    if (odd) {
        return -EINVAL;
    }
    int kept = kept_number(world, id, NAME_IPV6_ADDR_PREFERENCES, PREFER_DEFAULT);
    if (which != 0) {
        kept = (kept & ~(TMP | PUBLIC | PUBTMP)) | which;
    }
    if (where != 0) {
        kept = (kept & ~(HOME | COA)) | where;
    }
    return sim_option_keep(world, id, IPPROTO_IPV6, NAME_IPV6_ADDR_PREFERENCES, &kept, sizeof kept);
}

/* LINUX: a connection to an IPv4-mapped address becomes a socket of AF_INET. */
static int set_form(struct sim_world *world, struct sim_socket_id id, const void *value,
                    socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    int number;
    int error = sim_option_read(IPPROTO_IPV6, sizeof number, value, length, &number);
    if (error < 0) {
        return error;
    }
    if (number != PF_INET) {
        return -EINVAL;
    }
    if (socket->protocol_kind == SIM_PROTOCOL_TCP && !sim_ip_is_v4(socket->local.ip)) {
        return -EBUSY;
    }
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0) {
        return -ENOTCONN;
    }
    if ((socket->options & SIM_OPTION_V6ONLY) != 0 || !sim_ip_is_v4(socket->remote.ip)) {
        return -EADDRNOTAVAIL;
    }
    socket->family = AF_INET;
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

/* LINUX: TCP keeps the two ECN bits for itself; a new class is a new path. */
static int set_class(struct sim_socket *socket, uint8_t class)
{
    if (socket->type == SOCK_STREAM) {
        class = (uint8_t)((class & ~ECN_MASK) | (socket->tos & ECN_MASK));
    }
    if (class != socket->tos) {
        socket->flags |= SIM_SOCKET_PATH_FORGOTTEN;
    }
    socket->tos = class;
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
            socket->multicast_hops6 = number == -1 ? 1 : (uint32_t)number;
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
            socket->mtu_discover6 = (uint32_t)number;
        }
        return error;
    case IPV6_TCLASS:
        error = in_range(number, -1, 255);
        return error == 0 ? set_class(socket, number == -1 ? 0 : (uint8_t)number) : error;
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
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
        return change_group_source(world, id, name, value, length);
    case MCAST_MSFILTER:
        return -EINVAL;
    case IPV6_JOIN_ANYCAST: /* SIMPLER: no address is anybody's */
    case IPV6_LEAVE_ANYCAST:
        return length < sizeof(struct ipv6_mreq) ? -EINVAL
               : name == IPV6_JOIN_ANYCAST       ? -EADDRNOTAVAIL
                                                 : -ENOENT;
    case NAME_IPV6_UNICAST_IF:
        return set_unicast_interface(world, id, value, length);
    case NAME_IPV6_ADDR_PREFERENCES:
        return set_preferences(world, id, value, length);
    case IPV6_ADDRFORM:
        return set_form(world, id, value, length);
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

static int give_path(const struct sim_world *world, const struct sim_socket *socket, void *value,
                     socklen_t *length)
{
    struct ip6_mtuinfo info;
    int mtu;
    if (*length < sizeof info) {
        return -EINVAL;
    }
    int error = sim_option_path_mtu(world, socket, &mtu);
    if (error < 0) {
        return error;
    }
    memset(&info, 0, sizeof info);
    info.ip6m_mtu = (uint32_t)mtu;
    return sim_option_give(&info, sizeof info, value, length);
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
        number = (int)socket->multicast_hops6;
        break;
    case IPV6_MULTICAST_LOOP:
        number = (socket->options & SIM_OPTION_MULTICAST6_LOOP_OFF) == 0;
        break;
    case IPV6_MULTICAST_IF:
        number = (int)socket->multicast_interface6;
        break;
    case IPV6_MTU_DISCOVER:
        number = (int)socket->mtu_discover6;
        break;
    case IPV6_TCLASS:
        number = socket->tos;
        break;
    case IPV6_MTU:
        error = sim_option_path_mtu(world, socket, &number);
        break;
    case IPV6_PATHMTU:
        return give_path(world, socket, value, length);
    case IPV6_ADDRFORM:
        error = (socket->flags & SIM_SOCKET_CONNECTED) != 0 ? 0 : -ENOTCONN;
        number = AF_INET6;
        break;
    case NAME_IPV6_2292PKTOPTIONS: /* LINUX: of a stream alone; SIMPLER: none is told */
        return socket->type == SOCK_STREAM ? sim_option_give(NULL, 0, value, length) : -ENOPROTOOPT;
    case NAME_IPV6_ADDR_PREFERENCES:
        number = kept_number(world, id, name, PREFER_DEFAULT);
        break;
    case NAME_IPV6_UNICAST_IF:
        number = kept_number(world, id, name, 0);
        break;
    case MCAST_MSFILTER:
        return sim_option_source_filter(world, id, name, value, length);
    case NAME_IP6T_SO_ORIGINAL_DST:
        return socket->type != SOCK_STREAM                        ? -ENOPROTOOPT
               : *length < (socklen_t)sizeof(struct sockaddr_in6) ? -EINVAL
                                                                  : -ENOENT;
    default:
        return SIM_OPTION_NOT_MINE;
    }
    return error < 0 ? error : sim_option_give_number(IPPROTO_IPV6, number, value, length);
}
