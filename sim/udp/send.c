/* UDP sends: where to, by which path, and with what the control messages ask for.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "internal.h"
#include "net/host.h"
#include "net/packet.h"
#include "socket/inet.h"
#include "socket/message.h"
#include "socket/option.h"
#include "socket/sockets.h"

enum {
    LONGEST_DATAGRAM = 65535,
    SOCKADDR_BYTES_BEFORE_DATA = 2, /* offsetof(struct sockaddr, sa_data) */
};

/* What one message asks for beside the socket's options. */
struct wish {
    struct sim_endpoint to;
    struct sim_ip from;
    uint32_t interface;
    int ttl; /* -1: the socket's */
    int tos;
};

/* ---- the path ---- */

/* LINUX: a socket bound to a broadcast or multicast address has no source of its own. */
static struct sim_ip bound_source(const struct sim_world *world, const struct sim_socket *socket)
{
    if (sim_ip_is_multicast(socket->local.ip) ||
        sim_ip_is_broadcast(world, socket->host, socket->local.ip)) {
        return sim_ip_v4(INADDR_ANY);
    }
    return socket->local.ip;
}

/* LINUX: the address that IP_MULTICAST_IF was given is also the source of what goes to groups. */
static struct sim_ip group_source(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_IP, IP_MULTICAST_IF);
    uint32_t address = 0;
    if (kept != NULL) {
        memcpy(&address, kept->value, sizeof address);
    }
    return sim_ip_v4(ntohl(address));
}

int sim_udp_route(const struct sim_world *world, struct sim_socket_id id, struct sim_endpoint to,
                  struct sim_ip from, uint32_t interface, struct sim_ip_path *path)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (interface == 0) {
        interface = socket->bound_interface;
    }
    if (interface == 0 && sim_ip_is_multicast(to.ip)) {
        interface = socket->multicast_interface;
    }
    if (sim_ip_equal(from, socket->local.ip)) {
        from = bound_source(world, socket);
    }
    if (sim_ip_is_v4(to.ip) && sim_ip_is_multicast(to.ip) && sim_ip_is_any(from)) {
        from = group_source(world, id);
    }
    /* LINUX: ip6_dst_lookup_tail: bound to an IPv4 address, going to an IPv6 one. */
    if (!sim_ip_is_v4(to.ip) && sim_ip_is_v4(from) && !sim_ip_is_any(from)) {
        return -EAFNOSUPPORT;
    }
    int error = sim_ip_route(world, socket->host, to, from, interface, path);
    if (error < 0) {
        return error;
    }
    if (path->broadcast && (socket->options & SIM_OPTION_BROADCAST) == 0) {
        return -EACCES;
    }
    return 0;
}

/* ---- where to ---- */

/* LINUX: udp_sendmsg. AF_UNSPEC counts as AF_INET here, whatever the address. */
static int name_v4(const struct msghdr *message, struct sim_endpoint *to)
{
    struct sockaddr_in in;
    if (message->msg_namelen < sizeof in) {
        return -EINVAL;
    }
    memcpy(&in, message->msg_name, sizeof in);
    if (in.sin_family != AF_INET && in.sin_family != AF_UNSPEC) {
        return -EAFNOSUPPORT;
    }
    if (in.sin_port == 0) {
        return -EINVAL;
    }
    *to = (struct sim_endpoint){.ip = sim_ip_v4(ntohl(in.sin_addr.s_addr)), .port = ntohs(in.sin_port)};
    return 0;
}

/* LINUX: udpv6_sendmsg. AF_UNSPEC counts as no name; AF_INET goes the way of IPv4. */
static int name_v6(const struct sim_socket *socket, const struct msghdr *message,
                   struct sim_endpoint *to, bool *none)
{
    const struct sockaddr *name = message->msg_name;
    bool v6only = (socket->options & SIM_OPTION_V6ONLY) != 0;
    int error;
    if (message->msg_namelen < SOCKADDR_BYTES_BEFORE_DATA) {
        return -EINVAL;
    }
    switch (name->sa_family) {
    case AF_INET:
        return v6only ? -ENETUNREACH : name_v4(message, to);
    case AF_INET6:
        error = sim_endpoint_from(socket, name, message->msg_namelen, to);
        if (error < 0) {
            return error;
        }
        break;
    case AF_UNSPEC:
        *none = true;
        return 0;
    default:
        return -EINVAL;
    }
    if (sim_ip_is_v4(to->ip) && v6only) {
        return -ENETUNREACH;
    }
    if (to->port == 0) {
        return -EINVAL;
    }
    if (sim_ip_is_any(to->ip) && !sim_ip_is_v4(to->ip)) {
        to->ip = sim_ip_is_v4(socket->local.ip) ? sim_ip_v4(INADDR_LOOPBACK)
                                                : (struct sim_ip){{[15] = 1}};
    }
    return 0;
}

static int choose_destination(const struct sim_socket *socket, const struct msghdr *message,
                              struct sim_endpoint *to)
{
    bool none = message->msg_name == NULL || message->msg_namelen == 0;
    if (!none) {
        int error = socket->family == AF_INET6 ? name_v6(socket, message, to, &none)
                                               : name_v4(message, to);
        if (error < 0) {
            return error;
        }
    }
    if (!none) {
        return 0;
    }
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0) {
        return -EDESTADDRREQ;
    }
    *to = socket->remote;
    return 0;
}

/* ---- control messages ---- */

static int take_int(const struct cmsghdr *control, int low, int high, int *value)
{
    if (sim_message_control_bytes(control) != sizeof *value) {
        return -EINVAL;
    }
    memcpy(value, CMSG_DATA(control), sizeof *value);
    return *value < low || *value > high ? -EINVAL : 0;
}

/* LINUX: ip_cmsg_send. */
static int wish_v4(const struct cmsghdr *control, struct wish *wish)
{
    struct in_pktinfo info;
    switch (control->cmsg_type) {
    case IP_PKTINFO:
        if (sim_message_control_bytes(control) != sizeof info) {
            return -EINVAL;
        }
        memcpy(&info, CMSG_DATA(control), sizeof info);
        if (info.ipi_ifindex != 0) {
            wish->interface = (uint32_t)info.ipi_ifindex;
        }
        if (info.ipi_spec_dst.s_addr != htonl(INADDR_ANY)) {
            wish->from = sim_ip_v4(ntohl(info.ipi_spec_dst.s_addr));
        }
        return 0;
    case IP_TTL:
        return take_int(control, 1, 255, &wish->ttl);
    case IP_TOS:
        if (sim_message_control_bytes(control) == 1) {
            wish->tos = *(const unsigned char *)CMSG_DATA(control);
            return 0;
        }
        return take_int(control, 0, 255, &wish->tos);
    default:
        return -EINVAL;
    }
}

/* LINUX: ip6_datagram_send_ctl. */
static int wish_v6(const struct sim_world *world, const struct sim_socket *socket,
                   const struct cmsghdr *control, struct wish *wish)
{
    struct in6_pktinfo info;
    struct sim_ip from;
    switch (control->cmsg_type) {
    case IPV6_PKTINFO:
        if (sim_message_control_bytes(control) < sizeof info) {
            return -EINVAL;
        }
        memcpy(&info, CMSG_DATA(control), sizeof info);
        memcpy(from.bytes, &info.ipi6_addr, sizeof from.bytes);
        if (info.ipi6_ifindex != 0) {
            if (sim_host_interface(world, socket->host, info.ipi6_ifindex) == NULL) {
                return -ENODEV;
            }
            wish->interface = info.ipi6_ifindex;
        }
        if (sim_ip_is_any(from)) {
            return 0;
        }
        if (sim_host_owner(world, socket->host, from) == NULL) {
            return -EINVAL;
        }
        wish->from = from;
        return 0;
    case IPV6_HOPLIMIT:
        return take_int(control, -1, 255, &wish->ttl);
    case IPV6_TCLASS:
        return take_int(control, -1, 255, &wish->tos);
    default:
        return -EINVAL;
    }
}

static int read_control(const struct sim_world *world, const struct sim_socket *socket,
                        const struct msghdr *message, struct wish *wish)
{
    const struct cmsghdr *control = NULL;
    bool v4 = sim_ip_is_v4(wish->to.ip);
    int more;
    while ((more = sim_message_next_control(message, &control)) > 0) {
        int error = 0;
        if (control->cmsg_level == SOL_SOCKET) {
            error = control->cmsg_type == SCM_RIGHTS || control->cmsg_type == SCM_CREDENTIALS ? 0
                                                                                              : -EINVAL;
        } else if (v4 && control->cmsg_level == IPPROTO_IP) {
            error = wish_v4(control, wish);
        } else if (!v4 && control->cmsg_level == IPPROTO_IPV6) {
            error = wish_v6(world, socket, control, wish);
        }
        if (error < 0) {
            return error;
        }
    }
    return more;
}

/* ---- the packet ---- */

static int check_length(const struct sim_socket *socket, const struct sim_ip_path *path, bool v4,
                        size_t length)
{
    size_t header = SIM_WIRE_UDP_BYTES + (v4 ? SIM_WIRE_IPV4_BYTES : SIM_WIRE_IPV6_BYTES);
    size_t most = v4 ? LONGEST_DATAGRAM - header : LONGEST_DATAGRAM - SIM_WIRE_UDP_BYTES;
    if (length > most) {
        return -EMSGSIZE;
    }
    if ((socket->mtu_discover == IP_PMTUDISC_DO || socket->mtu_discover == IP_PMTUDISC_PROBE) &&
        length + header > path->mtu) {
        return -EMSGSIZE;
    }
    return 0;
}

static uint8_t hops(const struct sim_world *world, const struct sim_socket *socket,
                    const struct wish *wish)
{
    bool v4 = sim_ip_is_v4(wish->to.ip);
    uint8_t own = v4 ? socket->ttl : socket->hop_limit;
    if (wish->ttl >= 0) {
        return (uint8_t)wish->ttl;
    }
    if (sim_ip_is_multicast(wish->to.ip)) {
        return socket->multicast_ttl;
    }
    if (own != 0) {
        return own;
    }
    return (uint8_t)sim_setting(sim_host_at(world, socket->host), SIM_SETTING_IP_DEFAULT_TTL);
}

static struct sim_packet_id make_packet(struct sim_world *world, const struct sim_socket *socket,
                                        const struct wish *wish, const struct sim_ip_path *path,
                                        const struct msghdr *message, size_t length)
{
    bool v4 = sim_ip_is_v4(wish->to.ip);
    struct sim_packet_id id = sim_packet_new(world);
    if (id.index == 0) {
        return id;
    }
    struct sim_packet *packet = sim_packet_at(world, id);
    if (sim_bytes_append_iov(world, &packet->payload, message->msg_iov, message->msg_iovlen, 0,
                             length) < 0) {
        sim_packet_free(world, id);
        return (struct sim_packet_id){0};
    }
    packet->version = v4 ? 4 : 6;
    packet->protocol = IPPROTO_UDP;
    packet->ttl = hops(world, socket, wish);
    packet->tos = wish->tos >= 0 ? (uint8_t)wish->tos : socket->tos;
    packet->mark = socket->mark;
    packet->source.ip = path->source;
    packet->source.port = socket->local.port;
    packet->destination = wish->to;
    if (sim_ip_is_any(wish->to.ip)) { /* 0.0.0.0 means this host */
        packet->destination.ip = path->source;
    }
    packet->dont_fragment = v4 && socket->mtu_discover != IP_PMTUDISC_DONT &&
                            sim_packet_wire_bytes(packet) <= path->mtu;
    return id;
}

/* What goes to many is also heard here: always when broadcast, unless told not to when multicast. */
static bool is_heard_here(const struct sim_socket *socket, const struct wish *wish,
                          const struct sim_ip_path *path)
{
    uint32_t off = sim_ip_is_v4(wish->to.ip) ? SIM_OPTION_MULTICAST_LOOP_OFF
                                             : SIM_OPTION_MULTICAST6_LOOP_OFF;

    if (sim_ip_is_multicast(wish->to.ip)) {
        return (socket->options & off) == 0;
    }
    return path->broadcast != 0;
}

static int transmit(struct sim_world *world, const struct sim_socket *socket, const struct wish *wish,
                    const struct sim_ip_path *path, struct sim_packet_id id)
{
    struct sim_host_id host = socket->host;
    const struct sim_packet *packet = sim_packet_at(world, id);
    bool multicast = sim_ip_is_multicast(wish->to.ip);
    /* What leaves by lo comes back by it, and is not heard twice. */
    if ((!multicast && !path->broadcast) || path->interface == SIM_LOOPBACK_NUMBER) {
        return sim_ip_output(world, host, id, path->local ? 0 : path->interface);
    }
    if (is_heard_here(socket, wish, path)) {
        struct sim_packet_id copy = sim_packet_clone(world, id);
        if (copy.index != 0) {
            sim_ip_loop_back(world, host, copy, path->interface);
        }
    }
    if (multicast && packet->ttl == 0) { /* LINUX: not beyond this host */
        sim_packet_free(world, id);
        return 0;
    }
    return sim_ip_output(world, host, id, path->interface);
}

static int prepare(struct sim_world *world, struct sim_socket_id id, const struct msghdr *message,
                   size_t length, struct wish *wish, struct sim_ip_path *path)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int error = choose_destination(socket, message, &wish->to);
    bool v4 = sim_ip_is_v4(wish->to.ip);
    if (error < 0) {
        return error;
    }
    wish->from = socket->local.ip;
    error = read_control(world, socket, message, wish);
    if (error < 0) {
        return error;
    }
    error = sim_udp_route(world, id, wish->to, wish->from, wish->interface, path);
    if (error == -EACCES && message->msg_namelen == 0) { /* LINUX: connect() has asked already */
        error = 0;
    }
    if (error < 0) {
        return error;
    }
    return check_length(socket, path, v4, length);
}

/* LINUX: the errors of the address come before a pending one (an earlier ICMP), that before EPIPE. A
 * socket without a port takes one even if the call then fails. SIMPLER: MSG_MORE and UDP_CORK do not
 * gather: each call sends. */
ssize_t sim_udp_send(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                     const struct msghdr *message, size_t skip, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct wish wish = {.ttl = -1, .tos = -1};
    struct sim_ip_path path;
    size_t length = sim_message_length(message);

    if (sim_inet_autobind(world, id) < 0) {
        return -EAGAIN;
    }
    if (length > LONGEST_DATAGRAM && socket->family == AF_INET) {
        return -EMSGSIZE;
    }
    if ((flags & MSG_OOB) != 0 && socket->family == AF_INET) {
        return -EOPNOTSUPP;
    }
    int error = prepare(world, id, message, length, &wish, &path);
    if (error < 0) {
        return error;
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if ((socket->flags & SIM_SOCKET_WRITE_SHUT) != 0) {
        return -EPIPE;
    }
    struct sim_packet_id packet = make_packet(world, socket, &wish, &path, message, length);
    if (packet.index == 0) {
        return -ENOBUFS;
    }
    error = transmit(world, socket, &wish, &path, packet);
    return error < 0 ? error : (ssize_t)length;
}
