/* IPPROTO_IP options that mean more than a kept number.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include "core/block.h"
#include "membership.h"
#include "message.h"
#include "net/host.h"
#include "net/ip.h"
#include "option.h"

enum {
    NAME_SO_ORIGINAL_DST = 80, /* <linux/netfilter_ipv4.h> */
    NAME_SO_IP_SET = 83,       /* <linux/netfilter/ipset/ip_set.h> */
    ECN_MASK = 3,
    LONGEST_IP_OPTIONS = 40,
};

/* The interface that a struct ip_mreqn, or its shorter forms, names: by number or by address. */
static uint32_t named_interface(const struct sim_world *world, const struct sim_socket *socket,
                                const struct ip_mreqn *request)
{
    if (request->imr_ifindex != 0) {
        return (uint32_t)request->imr_ifindex;
    }
    if (request->imr_address.s_addr == htonl(INADDR_ANY)) {
        return 0;
    }
    const struct sim_interface *owner = sim_host_owner(world, socket->host,
                                                       sim_ip_v4(ntohl(request->imr_address.s_addr)));
    return owner == NULL ? UINT32_MAX : owner->number;
}

static int change_membership(struct sim_world *world, struct sim_socket_id id, int name,
                             const void *value, socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct ip_mreqn request;
    if (socket->type == SOCK_STREAM) {
        return -EPROTO;
    }
    if (length < sizeof(struct ip_mreq)) {
        return -EINVAL;
    }
    if (value == NULL) {
        return -EFAULT;
    }
    memset(&request, 0, sizeof request);
    memcpy(&request, value, length < sizeof request ? sizeof(struct ip_mreq) : sizeof request);
    struct sim_ip group = sim_ip_v4(ntohl(request.imr_multiaddr.s_addr));
    uint32_t interface = named_interface(world, socket, &request);
    if (name == IP_ADD_MEMBERSHIP) {
        return sim_option_join(world, id, group, interface);
    }
    return sim_option_leave(world, id, group, interface);
}

/* struct group_req: either version. */
static int change_group(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                        socklen_t length)
{
    struct group_req request;
    int error = sim_option_take(&request, sizeof request, value, length);
    const struct sockaddr_in *in = (const struct sockaddr_in *)&request.gr_group;
    if (error < 0) {
        return error;
    }
    if (in->sin_family != AF_INET) {
        return -EINVAL;
    }
    if (sim_socket_at(world, id)->type == SOCK_STREAM) {
        return -EPROTO;
    }
    struct sim_ip group = sim_ip_v4(ntohl(in->sin_addr.s_addr));
    if (name == MCAST_JOIN_GROUP) {
        return sim_option_join(world, id, group, request.gr_interface);
    }
    return sim_option_leave(world, id, group, request.gr_interface);
}

static enum sim_source_change source_change(int name)
{
    switch (name) {
    case IP_BLOCK_SOURCE:
    case MCAST_BLOCK_SOURCE:
        return SIM_SOURCE_BLOCK;
    case IP_UNBLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
        return SIM_SOURCE_UNBLOCK;
    case IP_ADD_SOURCE_MEMBERSHIP:
    case MCAST_JOIN_SOURCE_GROUP:
        return SIM_SOURCE_JOIN;
    default:
        return SIM_SOURCE_LEAVE;
    }
}

/* struct ip_mreq_source: the interface by its address. */
static int change_source(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                         socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct ip_mreq_source given;
    int error = length == sizeof given ? sim_option_take(&given, sizeof given, value, length) : -EINVAL;
    if (error < 0) {
        return error;
    }
    const struct ip_mreqn named = {given.imr_multiaddr, given.imr_interface, 0};
    const struct sim_source_request request = {
        .change = source_change(name),
        .group = sim_ip_v4(ntohl(given.imr_multiaddr.s_addr)),
        .source = sim_ip_v4(ntohl(given.imr_sourceaddr.s_addr)),
        .interface = named_interface(world, socket, &named),
    };
    return sim_option_source(world, id, &request);
}

/* struct group_source_req: the interface by its number. */
static int change_group_source(struct sim_world *world, struct sim_socket_id id, int name,
                               const void *value, socklen_t length)
{
    struct group_source_req given;
    int error = sim_option_take(&given, sizeof given, value, length);
    const struct sockaddr_in *group = (const struct sockaddr_in *)&given.gsr_group;
    const struct sockaddr_in *source = (const struct sockaddr_in *)&given.gsr_source;
    if (error < 0) {
        return error;
    }
    if (group->sin_family != AF_INET || source->sin_family != AF_INET) {
        return -EADDRNOTAVAIL;
    }
    const struct sim_source_request request = {
        .change = source_change(name),
        .group = sim_ip_v4(ntohl(group->sin_addr.s_addr)),
        .source = sim_ip_v4(ntohl(source->sin_addr.s_addr)),
        .interface = given.gsr_interface,
    };
    return sim_option_source(world, id, &request);
}

/* LINUX: IP_MULTICAST_IF takes an address, a struct ip_mreq or a struct ip_mreqn; it tells the
 * address again. */
static int set_multicast_interface(struct sim_world *world, struct sim_socket_id id, const void *value,
                                   socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct ip_mreqn request;
    if (socket->type == SOCK_STREAM) {
        return -EINVAL;
    }
    if (length < sizeof(struct in_addr)) {
        return -EINVAL;
    }
    if (value == NULL) {
        return -EFAULT;
    }
    memset(&request, 0, sizeof request);
    if (length >= sizeof request) {
        memcpy(&request, value, sizeof request);
    } else if (length >= sizeof(struct ip_mreq)) {
        memcpy(&request, value, sizeof(struct ip_mreq));
    } else {
        memcpy(&request.imr_address, value, sizeof request.imr_address);
    }
    uint32_t interface = named_interface(world, socket, &request);
    if (interface != 0 && sim_host_interface(world, socket->host, interface) == NULL) {
        return -EADDRNOTAVAIL;
    }
    if (interface != 0 && socket->bound_interface != 0 && socket->bound_interface != interface) {
        return -EINVAL;
    }
    socket->multicast_interface = interface;
    return sim_option_keep(world, id, IPPROTO_IP, IP_MULTICAST_IF, &request.imr_address,
                           sizeof request.imr_address);
}

/* ---- numbers with rules of their own ---- */

static int kept_number(const struct sim_world *world, struct sim_socket_id id, int name)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_IP, name);
    int number = 0;
    if (kept != NULL) {
        memcpy(&number, kept->value, sizeof number);
    }
    return number;
}

/* LINUX: the priority follows the type of service; TCP keeps the two ECN bits for itself. */
static int set_tos(struct sim_world *world, struct sim_socket_id id, int number)
{
    static const uint8_t priorities[16] = {0, 1, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4};
    struct sim_socket *socket = sim_socket_at(world, id);
    uint8_t tos = (uint8_t)number;

    if (socket->type == SOCK_STREAM) {
        tos &= (uint8_t)~ECN_MASK;
    }
    if (tos != (socket->family == AF_INET6 ? kept_number(world, id, IP_TOS) : socket->tos)) {
        socket->priority = priorities[IPTOS_TOS(tos) >> 1];
        socket->flags |= SIM_SOCKET_PATH_FORGOTTEN; /* LINUX: a new type of service is a new path */
    }
    if (socket->family == AF_INET6) { /* of its IPv4 packets; socket->tos is the traffic class */
        number = tos;
        return sim_option_keep(world, id, IPPROTO_IP, IP_TOS, &number, sizeof number);
    }
    socket->tos = tos;
    return 0;
}

static int set_ttl(struct sim_socket *socket, int number)
{
    if (number != -1 && (number < 1 || number > 255)) {
        return -EINVAL;
    }
    socket->ttl = number == -1 ? 0 : (uint8_t)number;
    return 0;
}

static int set_multicast_ttl(struct sim_socket *socket, int number)
{
    if (socket->type == SOCK_STREAM || number < -1 || number > 255) {
        return -EINVAL;
    }
    socket->multicast_ttl = number == -1 ? 1 : (uint8_t)number;
    return 0;
}

/* SIMPLER: kept, not obeyed by the search for a port. */
static int set_port_range(struct sim_world *world, struct sim_socket_id id, const void *value,
                          socklen_t length)
{
    int number;
    int error = length == sizeof number ? sim_option_take(&number, sizeof number, value, length)
                                        : -EINVAL;

    if (error < 0) {
        return error;
    }
    uint32_t low = (uint32_t)number & UINT16_MAX;
    uint32_t high = (uint32_t)number >> 16;
    if (low != 0 && high != 0 && low > high) {
        return -EINVAL;
    }
    return sim_option_keep(world, id, IPPROTO_IP, SIM_NAME_IP_LOCAL_PORT_RANGE, &number, sizeof number);
}

/* SIMPLER: options of the IP header are checked for their first byte and kept, not sent. */
static int set_header_options(struct sim_world *world, struct sim_socket_id id, const void *value,
                              socklen_t length)
{
    unsigned char bytes[LONGEST_IP_OPTIONS] = {0};

    if (length > sizeof bytes) {
        return -EINVAL;
    }
    if (length > 0 && value == NULL) {
        return -EFAULT;
    }
    if (length > 0) {
        memcpy(bytes, value, length);
    }
    socklen_t i = 0;
    while (i < length && bytes[i] != IPOPT_END) {
        if (bytes[i] == IPOPT_NOOP) {
            i++;
            continue;
        }
        if (i + 1U >= length || bytes[i + 1] < 2 || i + bytes[i + 1] > length) {
            return -EINVAL;
        }
        i += bytes[i + 1];
    }
    memset(bytes + i, 0, sizeof bytes - i); /* LINUX: nothing counts after the end */
    uint32_t padded = (length + 3) & ~3U;
    return sim_option_keep(world, id, IPPROTO_IP, IP_OPTIONS, bytes,
                           padded < SIM_OPTION_BYTES ? padded : SIM_OPTION_BYTES);
}

static int set_number(struct sim_world *world, struct sim_socket_id id, int name, int number)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    switch (name) {
    case IP_TOS:
        return set_tos(world, id, number);
    case IP_TTL:
        return set_ttl(socket, number);
    case IP_MTU_DISCOVER:
        if (number < IP_PMTUDISC_DONT || number > IP_PMTUDISC_OMIT) {
            return -EINVAL;
        }
        socket->mtu_discover = (uint32_t)number;
        return 0;
    case IP_MULTICAST_TTL:
        return set_multicast_ttl(socket, number);
    default: /* IP_MULTICAST_ALL */
        if (number != 0 && number != 1) {
            return -EINVAL;
        }
        sim_option_flag(socket, SIM_OPTION_MULTICAST_ALL_OFF, number == 0);
        return 0;
    }
}

/* SO_BINDTODEVICE for IPv4 alone, by number in network order. SIMPLER: checked and kept. */
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
    uint32_t index = ntohl((uint32_t)number);
    if (index != 0 && sim_host_interface(world, socket->host, index) == NULL) {
        return -EADDRNOTAVAIL;
    }
    return sim_option_keep(world, id, IPPROTO_IP, IP_UNICAST_IF, &number, sizeof number);
}

int sim_option_set_ip(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                      socklen_t length)
{
    uint32_t least = name == IP_TOS || name == IP_MTU_DISCOVER ? 0 : 1;
    int number;
    switch (name) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
        return change_membership(world, id, name, value, length);
    case MCAST_JOIN_GROUP:
    case MCAST_LEAVE_GROUP:
        return change_group(world, id, name, value, length);
    case IP_BLOCK_SOURCE:
    case IP_UNBLOCK_SOURCE:
    case IP_ADD_SOURCE_MEMBERSHIP:
    case IP_DROP_SOURCE_MEMBERSHIP:
        return change_source(world, id, name, value, length);
    case MCAST_BLOCK_SOURCE:
    case MCAST_UNBLOCK_SOURCE:
    case MCAST_JOIN_SOURCE_GROUP:
    case MCAST_LEAVE_SOURCE_GROUP:
        return change_group_source(world, id, name, value, length);
    case IP_MULTICAST_IF:
        return set_multicast_interface(world, id, value, length);
    case IP_UNICAST_IF:
        return set_unicast_interface(world, id, value, length);
    case SIM_NAME_IP_LOCAL_PORT_RANGE:
        return set_port_range(world, id, value, length);
    case IP_MSFILTER: /* SIMPLER: a whole filter is not taken */
    case MCAST_MSFILTER:
        return -EINVAL;
    case IP_OPTIONS:
        return set_header_options(world, id, value, length);
    case IP_TOS:
    case IP_TTL:
    case IP_MTU_DISCOVER:
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_ALL:
        break;
    default:
        return SIM_OPTION_NOT_MINE;
    }
    int error = sim_option_read(IPPROTO_IP, least, value, length, &number);
    return error < 0 ? error : set_number(world, id, name, number);
}

/* ---- getting ---- */

/* LINUX: what a stream's packets would tell by recvmsg(): the fields that the socket has of them. */
static int give_packet_options(const struct sim_socket *socket, void *value, socklen_t *length)
{
    unsigned char room[128];
    size_t used = 0;
    struct msghdr message = {.msg_control = room, .msg_controllen = sizeof room};
    struct in_pktinfo info = {.ipi_ifindex = (int)socket->multicast_interface};
    int number = socket->multicast_ttl;
    info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = htonl(sim_ip_to_v4(socket->local.ip));
    if (!sim_ip_is_v4(socket->local.ip)) {
        info.ipi_addr.s_addr = info.ipi_spec_dst.s_addr = 0;
    }
    if ((socket->options & SIM_OPTION_PKTINFO) != 0) {
        sim_message_put(&message, &used, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    if ((socket->options & SIM_OPTION_RECVTTL) != 0) {
        sim_message_put(&message, &used, IPPROTO_IP, IP_TTL, &number, sizeof number);
    }
    if ((socket->options & SIM_OPTION_RECVTOS) != 0) {
        number = 0;
        sim_message_put(&message, &used, IPPROTO_IP, IP_TOS, &number, sizeof number);
    }
    return sim_option_give(room, used, value, length);
}

int sim_option_get_ip(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                      socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_host *host = sim_host_at(world, socket->host);
    const struct sim_option *kept;
    int number = 0;
    int error = 0;
    switch (name) {
    case IP_OPTIONS:
        kept = sim_option_kept(world, id, IPPROTO_IP, IP_OPTIONS);
        return sim_option_give(kept == NULL ? NULL : kept->value, kept == NULL ? 0 : kept->bytes, value,
                               length);
    case IP_TOS:
        number = socket->family == AF_INET6 ? kept_number(world, id, IP_TOS) : socket->tos;
        break;
    case IP_TTL:
        number = socket->ttl != 0 ? socket->ttl : (int)sim_setting(host, SIM_SETTING_IP_DEFAULT_TTL);
        break;
    case IP_MTU_DISCOVER:
        number = (int)socket->mtu_discover;
        break;
    case IP_MTU:
        error = sim_option_path_mtu(world, socket, &number);
        break;
    case IP_MULTICAST_TTL:
        number = socket->multicast_ttl;
        break;
    case IP_MULTICAST_ALL:
        number = (socket->options & SIM_OPTION_MULTICAST_ALL_OFF) == 0;
        break;
    case IP_MULTICAST_IF: /* an address: not shortened to a byte */
        number = kept_number(world, id, name);
        return sim_option_give(&number, sizeof number, value, length);
    case IP_UNICAST_IF:
    case SIM_NAME_IP_LOCAL_PORT_RANGE:
        number = kept_number(world, id, name);
        break;
    case SIM_NAME_IP_PROTOCOL:
        break;
    case IP_PKTOPTIONS:
        return socket->type == SOCK_STREAM ? give_packet_options(socket, value, length) : -ENOPROTOOPT;
    case IP_MSFILTER:
    case MCAST_MSFILTER:
        return sim_option_source_filter(world, id, name, value, length);
    case NAME_SO_ORIGINAL_DST: /* LINUX: of a connection that was redirected; none is */
        return socket->type != SOCK_STREAM                       ? -ENOPROTOOPT
               : *length < (socklen_t)sizeof(struct sockaddr_in) ? -EINVAL
                                                                 : -ENOENT;
    case NAME_SO_IP_SET:
        return *length < sizeof number ? -EINVAL : -EBADMSG;
    default:
        return SIM_OPTION_NOT_MINE;
    }
    return error < 0 ? error : sim_option_give_number(IPPROTO_IP, number, value, length);
}
