/* UDP sends: where to, by which path, and with what the control messages ask for.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "file/wait.h"
#include "internal.h"
#include "net/host.h"
#include "net/packet.h"
#include "socket/inet.h"
#include "socket/membership.h"
#include "socket/message.h"
#include "socket/option.h"
#include "socket/sockets.h"

enum {
    LONGEST_DATAGRAM = 65535,
    MOST_SEGMENTS = 128,            /* LINUX: UDP_MAX_SEGMENTS */
    SOCKADDR_BYTES_BEFORE_DATA = 2, /* offsetof(struct sockaddr, sa_data) */
};

/* What one message asks for beside the socket's options. */
struct wish {
    struct sim_endpoint to;
    struct sim_ip from;
    uint32_t interface;
    int ttl; /* -1: the socket's */
    int tos;
    int whole;        /* IPV6_DONTFRAG */
    uint32_t segment; /* UDP_SEGMENT; 0: one datagram */
};

/* ---- the path ---- */

/* LINUX: a socket bound to a broadcast or multicast address has no source of its own. */
static struct sim_ip bound_source(const struct sim_world *world, const struct sim_socket *socket)
{
    if (sim_ip_is_multicast(socket->local.ip) ||
        sim_ip_is_broadcast(world, socket->host, socket->local.ip)) {
        return sim_ip_is_v4(socket->local.ip) ? sim_ip_v4(INADDR_ANY) : (struct sim_ip){{0}};
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
        interface = sim_ip_is_v4(to.ip) ? socket->multicast_interface : socket->multicast_interface6;
    }
    if (sim_ip_equal(from, socket->local.ip)) {
        from = bound_source(world, socket);
    }
    if (sim_ip_is_v4(to.ip) && !sim_ip_is_v4(from)) { /* LINUX: IPv4 has an address of its own */
        from = sim_ip_v4(INADDR_ANY);
    }
    if (sim_ip_is_v4(to.ip) && sim_ip_is_multicast(to.ip) && sim_ip_is_any(from)) {
        from = group_source(world, id);
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

/* LINUX: __udp_cmsg_send. */
static int wish_udp(const struct cmsghdr *control, struct wish *wish)
{
    uint16_t bytes;
    if (control->cmsg_type != SIM_NAME_UDP_SEGMENT ||
        sim_message_control_bytes(control) != sizeof bytes) {
        return -EINVAL;
    }
    memcpy(&bytes, CMSG_DATA(control), sizeof bytes);
    wish->segment = bytes;
    return 0;
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
    case IPV6_DONTFRAG:
        return take_int(control, 0, 1, &wish->whole);
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
        } else if (control->cmsg_level == IPPROTO_UDP) {
            error = wish_udp(control, wish);
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

/* IP_MTU_DISCOVER or IPV6_MTU_DISCOVER, by what the packet goes by. */
static uint32_t discovery(const struct sim_socket *socket, bool v4)
{
    return v4 ? socket->mtu_discover : socket->mtu_discover6;
}

static size_t header_bytes(bool v4)
{
    return SIM_WIRE_UDP_BYTES + (v4 ? SIM_WIRE_IPV4_BYTES : SIM_WIRE_IPV6_BYTES);
}

/* LINUX: ip_sk_ignore_df, __ip6_append_data: does it go out, in fragments, where it is too long? */
static bool may_be_cut(const struct sim_world *world, struct sim_socket_id id, const struct wish *wish,
                       bool v4)
{
    const struct sim_option *kept = v4 ? NULL : sim_option_kept(world, id, IPPROTO_IPV6, IPV6_DONTFRAG);
    const uint32_t value = discovery(sim_socket_at(world, id), v4);
    const bool whole = wish->whole >= 0 ? wish->whole != 0 : kept != NULL && kept->value[0] != 0;
    return (value < IP_PMTUDISC_DO || value == IP_PMTUDISC_OMIT) && !whole;
}

/* LINUX: what is too long by itself is refused; what the path or the version's longest datagram does
 * not take is told to the error queue, too (ip_local_error, ipv6_local_error). */
static int check_length(struct sim_world *world, struct sim_socket_id id, const struct wish *wish,
                        const struct sim_ip_path *path, size_t length)
{
    const bool v4 = sim_ip_is_v4(wish->to.ip);
    const size_t header = header_bytes(v4);
    const size_t longest = v4 ? LONGEST_DATAGRAM - header : LONGEST_DATAGRAM - SIM_WIRE_UDP_BYTES;
    const bool cuts = wish->segment == 0;
    const size_t mtu = cuts ? path->mtu : LONGEST_DATAGRAM;
    const size_t most = may_be_cut(world, id, wish, v4) || mtu < header ? longest : mtu - header;
    if (v4 && length > LONGEST_DATAGRAM) {
        return -EMSGSIZE;
    }
    if (length <= most && length <= longest) {
        return 0;
    }
    sim_udp_local_error(world, id, &wish->to, EMSGSIZE, (uint32_t)mtu);
    return -EMSGSIZE;
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
        return v4 ? socket->multicast_ttl : (uint8_t)socket->multicast_hops6;
    }
    if (own != 0) {
        return own;
    }
    return (uint8_t)sim_setting(sim_host_at(world, socket->host), SIM_SETTING_IP_DEFAULT_TTL);
}

/* LINUX: __ip_make_skb. */
static bool keeps_whole(const struct sim_socket *socket, const struct sim_ip_path *path,
                        uint32_t wire_bytes)
{
    const uint32_t value = socket->mtu_discover;
    return value == IP_PMTUDISC_DO || value == IP_PMTUDISC_PROBE ||
           (value == IP_PMTUDISC_WANT && wire_bytes <= path->mtu);
}

static struct sim_packet_id make_packet(struct sim_world *world, const struct sim_socket *socket,
                                        const struct wish *wish, const struct sim_ip_path *path,
                                        const struct msghdr *message, size_t skip, size_t length,
                                        int *error)
{
    bool v4 = sim_ip_is_v4(wish->to.ip);
    struct sim_packet_id id = sim_packet_new(world);
    *error = -ENOBUFS;
    if (id.index == 0) {
        return id;
    }
    struct sim_packet *packet = sim_packet_at(world, id);
    *error = sim_bytes_append_iov(world, &packet->payload, message->msg_iov, message->msg_iovlen, skip,
                                  length);
    if (*error < 0) {
        sim_packet_free(world, id);
        return (struct sim_packet_id){0};
    }
    packet->version = v4 ? 4 : 6;
    packet->protocol = (uint8_t)socket->protocol;
    packet->ttl = hops(world, socket, wish);
    packet->tos = wish->tos >= 0 ? (uint8_t)wish->tos : socket->tos;
    packet->mark = socket->mark;
    packet->source.ip = path->source;
    packet->source.port = socket->local.port;
    packet->destination = wish->to;
    if (sim_ip_is_any(wish->to.ip)) { /* 0.0.0.0 means this host */
        packet->destination.ip = path->source;
    }
    packet->dont_fragment = v4 && keeps_whole(socket, path, sim_packet_wire_bytes(packet));
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

/* LINUX: ip_mc_output, ip6_finish_output2: a multicast of 0 hops stays on a host that is a member
 * itself (by IPv6: and hears it); from any other it leaves. */
static bool stays_here(const struct sim_world *world, const struct sim_socket *socket,
                       const struct wish *wish, const struct sim_ip_path *path)
{
    return sim_membership_of_host(world, socket->host, wish->to.ip, path->interface, path->source) &&
           (sim_ip_is_v4(wish->to.ip) || is_heard_here(socket, wish, path));
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
    if (multicast && packet->ttl == 0 && stays_here(world, socket, wish, path)) {
        sim_packet_free(world, id);
        return 0;
    }
    return sim_ip_output(world, host, id, path->interface);
}

/* LINUX: udp_send_skb, udp_v6_send_skb. */
static int check_segments(const struct sim_world *world, struct sim_socket_id id,
                          const struct wish *wish, const struct sim_ip_path *path, size_t length)
{
    const struct sim_option *unchecked = sim_option_kept(world, id, SOL_SOCKET, SO_NO_CHECK);
    const size_t first = length < wish->segment ? length : wish->segment;
    if (header_bytes(sim_ip_is_v4(wish->to.ip)) + first > path->mtu) {
        return -EMSGSIZE;
    }
    if (length > (size_t)wish->segment * MOST_SEGMENTS) {
        return -EINVAL;
    }
    return unchecked != NULL && unchecked->value[0] != 0 ? -EINVAL : 0;
}

/* UDP_SEGMENT: one send, many datagrams. To this host they go as one, which a socket with UDP_GRO takes
 * whole; elsewhere each by itself. */
static int send_segments(struct sim_world *world, struct sim_socket_id id, const struct wish *wish,
                         const struct sim_ip_path *path, const struct msghdr *message, size_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const bool whole = path->local != 0 || path->interface == SIM_LOOPBACK_NUMBER;
    int error = check_segments(world, id, wish, path, length);
    for (size_t done = 0; error == 0 && (done < length || length == 0);) {
        const size_t rest = length - done;
        const size_t piece = whole || rest < wish->segment ? rest : wish->segment;
        struct sim_packet_id packet = make_packet(world, socket, wish, path, message, done, piece,
                                                  &error);
        if (packet.index == 0) {
            return error;
        }
        if (piece > wish->segment) {
            sim_packet_at(world, packet)->segment_bytes = wish->segment;
        }
        error = transmit(world, socket, wish, path, packet);
        if (length == 0) {
            break;
        }
        done += piece;
    }
    return error;
}

/* ---- sending ---- */

static uint32_t kept_segment(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_option *kept = sim_option_kept(world, id, IPPROTO_UDP, SIM_NAME_UDP_SEGMENT);
    int number = 0;
    if (kept != NULL) {
        memcpy(&number, kept->value, sizeof number);
    }
    return (uint32_t)number;
}

static int prepare(struct sim_world *world, struct sim_socket_id id, const struct msghdr *message,
                   size_t length, struct wish *wish, struct sim_ip_path *path)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int error = choose_destination(socket, message, &wish->to);
    if (error < 0) {
        return error;
    }
    wish->from = socket->local.ip;
    wish->segment = kept_segment(world, id);
    error = read_control(world, socket, message, wish);
    if (error < 0) {
        return error;
    }
    error = sim_udp_route(world, id, wish->to, wish->from, wish->interface, path);
    if (error == -EACCES && message->msg_namelen == 0) { /* LINUX: connect() has asked already */
        error = 0;
    }
    return error;
}

/* LINUX: the errors of the address come before a pending one (an earlier ICMP), that before EPIPE. A
 * socket without a port takes one even if the call then fails. SIMPLER: MSG_MORE and UDP_CORK do not
 * gather: each call sends. */
ssize_t sim_udp_send(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                     const struct msghdr *message, size_t skip, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct wish wish = {.ttl = -1, .tos = -1, .whole = -1};
    struct sim_ip_path path;
    size_t length = sim_message_length(message);

    if (sim_inet_autobind(world, id) < 0) {
        return SIM_EAGAIN_FOR_GOOD;
    }
    if (length > LONGEST_DATAGRAM && socket->family == AF_INET) {
        return -EMSGSIZE;
    }
    if ((flags & MSG_OOB) != 0 && socket->family == AF_INET) {
        return -EOPNOTSUPP;
    }
    int error = prepare(world, id, message, length, &wish, &path);
    if (error == 0) {
        error = check_length(world, id, &wish, &path, length);
    }
    if (error < 0) {
        return error;
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if ((socket->flags & SIM_SOCKET_WRITE_SHUT) != 0) {
        return -EPIPE;
    }
    if (wish.segment != 0) {
        error = send_segments(world, id, &wish, &path, message, length);
    } else {
        struct sim_packet_id packet = make_packet(world, socket, &wish, &path, message, 0, length,
                                                  &error);
        error = packet.index == 0 ? error : transmit(world, socket, &wish, &path, packet);
    }
    if (error == 0 && message->msg_namelen == 0 && message->msg_controllen == 0) {
        socket->flags &= ~(uint32_t)SIM_SOCKET_PATH_FORGOTTEN;
    }
    /* LINUX: sock_wfree: what was sent is out of the buffer by now, which is an edge each time. */
    if (error == 0) {
        sim_wake_socket(world, id, POLLOUT | POLLWRNORM | POLLWRBAND);
    }
    return error < 0 ? error : (ssize_t)length;
}
