/* UDP receives: what recvmsg() tells of a datagram, and of an entry of the error queue.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "internal.h"
#include "net/host.h"
#include "socket/message.h"
#include "socket/option.h"
#include "socket/sockets.h"

/* ---- what recvmsg() tells ---- */

/* LINUX: fib_compute_spec_dst: for what went to many, the address that would answer the sender. */
static struct sim_ip answering_address(const struct sim_world *world, const struct sim_socket *socket,
                                       const struct sim_datagram *datagram)
{
    struct sim_ip any = sim_ip_v4(INADDR_ANY);
    struct sim_ip_path path;
    if (sim_ip_route(world, socket->host, datagram->source, any, 0, &path) < 0) {
        return any;
    }
    return path.source;
}

static void put_int(struct msghdr *message, size_t *used, int level, int type, int value)
{
    sim_message_put(message, used, level, type, &value, sizeof value);
}

/* LINUX: ip_cmsg_recv_offset's order. */
static void put_control_v4(const struct sim_world *world, const struct sim_socket *socket,
                           const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if ((socket->options & SIM_OPTION_PKTINFO) != 0) {
        struct sim_ip to = datagram->destination.ip;
        bool many = sim_ip_is_multicast(to) || sim_ip_is_broadcast(world, socket->host, to);
        struct sim_ip own = many ? answering_address(world, socket, datagram) : to;
        struct in_pktinfo info = {.ipi_ifindex = (int)datagram->interface};
        info.ipi_spec_dst.s_addr = htonl(sim_ip_to_v4(own));
        info.ipi_addr.s_addr = htonl(sim_ip_to_v4(to));
        sim_message_put(message, used, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    if ((socket->options & SIM_OPTION_RECVTTL) != 0) {
        put_int(message, used, IPPROTO_IP, IP_TTL, datagram->ttl);
    }
    if ((socket->options & SIM_OPTION_RECVTOS) != 0) {
        sim_message_put(message, used, IPPROTO_IP, IP_TOS, &datagram->tos, sizeof datagram->tos);
    }
}

/* LINUX: ip6_datagram_recv_ctl: of an IPv4 packet an AF_INET6 socket learns the addresses only. */
static void put_control_v6(const struct sim_world *world, const struct sim_socket *socket,
                           const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if ((socket->options & SIM_OPTION_PKTINFO6) != 0) {
        struct in6_pktinfo info = {.ipi6_ifindex = datagram->interface};
        memcpy(&info.ipi6_addr, datagram->destination.ip.bytes, sizeof info.ipi6_addr);
        sim_message_put(message, used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (datagram->version == 4) {
        return;
    }
    if ((socket->options & SIM_OPTION_RECVHOPLIMIT) != 0) {
        put_int(message, used, IPPROTO_IPV6, IPV6_HOPLIMIT, datagram->ttl);
    }
    if ((socket->options & SIM_OPTION_RECVTCLASS) != 0) {
        put_int(message, used, IPPROTO_IPV6, IPV6_TCLASS, datagram->tos);
    }
}

static void put_control(const struct sim_world *world, const struct sim_socket *socket,
                        const struct sim_datagram *datagram, struct msghdr *message, size_t *used)
{
    if (socket->family == AF_INET6) {
        put_control_v6(world, socket, datagram, message, used);
    }
    if (datagram->version == 4) {
        put_control_v4(world, socket, datagram, message, used);
    }
}

static void put_name(const struct sim_socket *socket, const struct sim_endpoint *from,
                     struct msghdr *message)
{
    socklen_t length = message->msg_namelen;
    if (message->msg_name == NULL) {
        message->msg_namelen = 0;
        return;
    }
    sim_endpoint_to(socket->family, from, message->msg_name, &length);
    message->msg_namelen = length;
}

static ssize_t copy_out(const struct sim_world *world, const struct sim_bytes *bytes,
                        struct msghdr *message)
{
    size_t room = sim_message_length(message);
    size_t wanted = room < bytes->length ? room : bytes->length;
    size_t copied = sim_bytes_copy_out_iov(world, bytes, 0, message->msg_iov, message->msg_iovlen, 0,
                                           wanted);
    if (copied < bytes->length) {
        message->msg_flags |= MSG_TRUNC;
    }
    return copied < wanted ? -EFAULT : (ssize_t)copied;
}

/* ---- the error queue ---- */

struct error_v4 {
    struct sock_extended_err error;
    struct sockaddr_in offender;
};

struct error_v6 {
    struct sock_extended_err error;
    struct sockaddr_in6 offender;
};

static void put_error(const struct sim_datagram *entry, struct msghdr *message, size_t *used)
{
    struct error_v4 v4;
    struct error_v6 v6;
    struct sock_extended_err error = {
        .ee_errno = (uint32_t)entry->error,
        .ee_origin = entry->error_origin,
        .ee_type = entry->error_type,
        .ee_code = entry->error_code,
        .ee_info = entry->error_info,
    };

    const bool local = entry->error_origin == SO_EE_ORIGIN_LOCAL; /* nobody offended */
    if (entry->version == 4) {
        memset(&v4, 0, sizeof v4);
        v4.error = error;
        if (!local) {
            v4.offender.sin_family = AF_INET;
            v4.offender.sin_addr.s_addr = htonl(sim_ip_to_v4(entry->source.ip));
        }
        sim_message_put(message, used, IPPROTO_IP, IP_RECVERR, &v4, sizeof v4);
        return;
    }
    memset(&v6, 0, sizeof v6);
    v6.error = error;
    if (!local) {
        v6.offender.sin6_family = AF_INET6;
        memcpy(&v6.offender.sin6_addr, entry->source.ip.bytes, sizeof v6.offender.sin6_addr);
        v6.offender.sin6_scope_id = entry->source.scope;
    }
    sim_message_put(message, used, IPPROTO_IPV6, IPV6_RECVERR, &v6, sizeof v6);
}

/* LINUX: ip_recv_error: the message comes back with where it was going; SO_ERROR then tells the next
 * entry that came by ICMP, or nothing. */
static ssize_t receive_error(struct sim_world *world, struct sim_socket_id id, struct msghdr *message)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_datagram_id taken = socket->first_error;
    size_t used = 0;
    if (taken.index == 0) {
        return -EAGAIN;
    }
    struct sim_datagram *entry = sim_datagram_at(world, taken);
    socket->first_error = entry->next;
    if (socket->first_error.index == 0) {
        socket->last_error.index = 0;
    }
    socket->receive_charge -= entry->charge;
    const struct sim_datagram *next = socket->first_error.index == 0
                                          ? NULL
                                          : sim_datagram_at(world, socket->first_error);
    if (next != NULL && next->error_origin != SO_EE_ORIGIN_LOCAL) {
        socket->error = next->error;
    } else if (entry->error_origin != SO_EE_ORIGIN_LOCAL) {
        socket->error = 0;
    }
    message->msg_flags = MSG_ERRQUEUE;
    ssize_t copied = copy_out(world, &entry->bytes, message);
    if (copied >= 0) {
        put_name(socket, &entry->destination, message);
        if (entry->error_origin != SO_EE_ORIGIN_LOCAL) {
            put_control(world, socket, entry, message, &used);
        }
        put_error(entry, message, &used);
        message->msg_controllen = used;
    }
    sim_datagram_free(world, taken);
    return copied;
}

/* LINUX: __skb_recv_udp: a pending error comes before what is queued; after shutdown a call that
 * would wait ends with 0, one that would not says EAGAIN. */
ssize_t sim_udp_receive(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                        struct msghdr *message, size_t skip, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    size_t used = 0;
    if ((flags & MSG_ERRQUEUE) != 0) {
        return receive_error(world, id, message);
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    sim_udp_drop_spoilt(world, id);
    if (socket->first_datagram.index == 0) {
        if ((socket->flags & SIM_SOCKET_READ_SHUT) == 0 || (flags & MSG_DONTWAIT) != 0) {
            return -EAGAIN;
        }
        message->msg_flags = 0;
        message->msg_namelen = 0;
        message->msg_controllen = 0;
        return 0;
    }
    struct sim_datagram_id first = (flags & MSG_PEEK) != 0 ? socket->first_datagram
                                                           : sim_datagram_take(world, id);
    const struct sim_datagram *datagram = sim_datagram_at(world, first);
    message->msg_flags = 0;
    ssize_t copied = copy_out(world, &datagram->bytes, message); /* LINUX: -EFAULT loses it */
    size_t length = datagram->bytes.length;
    if (copied >= 0) {
        sim_message_put_time(world, socket, message, &used, datagram->arrived_at);
        put_name(socket, &datagram->source, message);
        if (sim_udp_takes_segments(world, id) && datagram->segment_bytes != 0) {
            put_int(message, &used, IPPROTO_UDP, SIM_NAME_UDP_GRO, (int)datagram->segment_bytes);
        }
        put_control(world, socket, datagram, message, &used);
        message->msg_controllen = used;
    }
    if ((flags & MSG_PEEK) == 0) {
        sim_datagram_free(world, first);
    }
    return copied >= 0 && (flags & MSG_TRUNC) != 0 ? (ssize_t)length : copied;
}
