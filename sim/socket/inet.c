/* What the protocols over IP share: the choice of one, bind, the automatic port, names.
 * SPDX-License-Identifier: MIT */
#include "inet.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/block.h"
#include "net/host.h"
#include "net/ip.h"
#include "port.h"
#include "sockets.h"

enum { PROTOCOL_LIMIT = 263 /* the kernel's IPPROTO_MAX, after IPPROTO_MPTCP */ };

/* LINUX: inet_addr_valid_or_nonlocal. Broadcast and multicast addresses may be bound, to receive. */
static bool may_be_local(const struct sim_world *world, const struct sim_socket *socket,
                         struct sim_ip ip)
{
    const enum sim_setting nonlocal = sim_ip_is_v4(ip) ? SIM_SETTING_IP_NONLOCAL_BIND
                                                       : SIM_SETTING_IPV6_NONLOCAL_BIND;
    if (sim_ip_is_any(ip) || (socket->options & (SIM_OPTION_FREEBIND | SIM_OPTION_TRANSPARENT)) != 0 ||
        sim_setting(sim_host_at(world, socket->host), nonlocal) != 0) {
        return true;
    }
    return sim_host_owner(world, socket->host, ip) != NULL || sim_ip_is_multicast(ip) ||
           sim_ip_is_broadcast(world, socket->host, ip);
}

static bool is_privileged_port(const struct sim_world *world, const struct sim_socket *socket,
                               uint16_t port)
{
    const struct sim_host *host = sim_host_at(world, socket->host);
    if (port == 0 || port >= sim_setting(host, SIM_SETTING_IP_UNPRIVILEGED_PORT_START)) {
        return false;
    }
    return socket->owner.index != 0 && sim_process_at(world, socket->owner)->uid != 0;
}

static bool is_bound(const struct sim_world *world, const struct sim_socket *socket)
{
    /* LINUX: by the port it holds, not by the one it still tells after a connection ended; and by
     * its state, which for TCP is not what connect() has told so far. */
    if (socket->flags & SIM_SOCKET_BOUND) {
        return true;
    }
    const struct sim_protocol *protocol = sim_protocol_of(socket->protocol_kind);
    return protocol->is_past_bind ? protocol->is_past_bind(world, socket)
                                  : (socket->flags & SIM_SOCKET_CONNECTED) != 0;
}

/* LINUX: __inet_bind: the address before the right to the port before "already bound". */
static int check_v4(const struct sim_world *world, const struct sim_socket *socket,
                    const struct sim_endpoint *wanted)
{
    if (!may_be_local(world, socket, wanted->ip)) {
        return -EADDRNOTAVAIL;
    }
    if (is_privileged_port(world, socket, wanted->port)) {
        return -EACCES;
    }
    return is_bound(world, socket) ? -EINVAL : 0;
}

/* LINUX: __inet6_bind's order differs: the port first, the address last. */
static int check_v6(struct sim_world *world, struct sim_socket *socket,
                    const struct sim_endpoint *wanted)
{
    if (!sim_ip_is_v4(wanted->ip) && sim_ip_is_multicast(wanted->ip) && socket->type == SOCK_STREAM) {
        return -EINVAL;
    }
    if (is_privileged_port(world, socket, wanted->port)) {
        return -EACCES;
    }
    if (is_bound(world, socket)) {
        return -EINVAL;
    }
    if (sim_ip_is_v4(wanted->ip)) {
        if ((socket->options & SIM_OPTION_V6ONLY) != 0) {
            return -EINVAL;
        }
        return may_be_local(world, socket, wanted->ip) ? 0 : -EADDRNOTAVAIL;
    }
    if (sim_ip_needs_scope(wanted->ip)) {
        if (wanted->scope != 0) {
            socket->bound_interface = wanted->scope; /* LINUX: also when the rest fails */
        }
        if (socket->bound_interface == 0) {
            return -EINVAL;
        }
    }
    if (!sim_ip_is_any(wanted->ip) && socket->bound_interface != 0 &&
        sim_host_interface(world, socket->host, socket->bound_interface) == NULL) {
        return -ENODEV;
    }
    return may_be_local(world, socket, wanted->ip) ? 0 : -EADDRNOTAVAIL;
}

static int take_port(struct sim_world *world, struct sim_socket_id id, struct sim_endpoint *wanted)
{
    if (wanted->port != 0) {
        return sim_port_may_bind(world, id, wanted);
    }
    wanted->port = sim_port_ephemeral(world, id, wanted);
    return wanted->port == 0 ? -EADDRINUSE : 0;
}

int sim_inet_bind(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                  socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_endpoint wanted;
    int error = sim_endpoint_from(socket, address, length, &wanted);
    if (error < 0) {
        return error;
    }
    error = socket->family == AF_INET6 ? check_v6(world, socket, &wanted)
                                       : check_v4(world, socket, &wanted);
    if (error < 0) {
        return error;
    }
    bool port_named = wanted.port != 0;
    /* IP_BIND_ADDRESS_NO_PORT leaves the port to connect(), which then knows the destination. */
    bool take = port_named || (socket->options & SIM_OPTION_BIND_NO_PORT) == 0;
    error = take ? take_port(world, id, &wanted) : 0;
    if (error < 0) {
        /* LINUX: inet_reset_saddr: an address kept from an earlier connection is forgotten. */
        socket->local.ip = socket->family == AF_INET6 ? (struct sim_ip){{0}} : sim_ip_v4(INADDR_ANY);
        return error;
    }
    socket->local = wanted;
    if (!sim_ip_is_any(wanted.ip)) {
        socket->flags |= SIM_SOCKET_BOUND_ADDRESS;
        /* LINUX: a socket on one IPv6 address is IPV6_V6ONLY from then on. */
        if (socket->family == AF_INET6 && !sim_ip_is_v4(wanted.ip)) {
            socket->options |= SIM_OPTION_V6ONLY;
        }
    }
    if (take) {
        socket->flags |= SIM_SOCKET_BOUND | (port_named ? SIM_SOCKET_BOUND_PORT : 0);
        sim_port_insert(world, id);
    }
    return 0;
}

int sim_inet_autobind(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if ((socket->flags & SIM_SOCKET_BOUND) != 0) {
        return 0;
    }
    uint16_t port = sim_port_ephemeral(world, id, &socket->local);
    if (port == 0) {
        return SIM_EAGAIN_FOR_GOOD;
    }
    socket->local.port = port;
    socket->flags |= SIM_SOCKET_BOUND;
    sim_port_insert(world, id);
    return 0;
}

int sim_inet_get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                      struct sockaddr *address, socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (peer && ((socket->flags & SIM_SOCKET_CONNECTED) == 0 || socket->remote.port == 0)) {
        return -ENOTCONN;
    }
    sim_endpoint_to(socket->family, peer ? &socket->remote : &socket->local, address, length);
    return 0;
}

void sim_inet_forget_name(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if ((socket->flags & SIM_SOCKET_BOUND_PORT) == 0) {
        sim_port_remove(world, id);
        socket->local.port = 0;
        socket->flags &= ~(uint32_t)(SIM_SOCKET_BOUND | SIM_SOCKET_CONNECT_PORT);
    }
    if ((socket->flags & SIM_SOCKET_BOUND_ADDRESS) == 0) {
        socket->local.ip = socket->family == AF_INET ? sim_ip_v4(INADDR_ANY) : (struct sim_ip){{0}};
        socket->local.scope = 0;
    }
}

/* ---- choosing a protocol over IP ---------------------------------------------------------------- */

/* LINUX: inet_create looks the type up first, then the protocol in the type's list, whose first is
 * the default, and only then asks for the right to make a raw socket. */
static int choose(int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    if (protocol < 0 || protocol >= PROTOCOL_LIMIT) {
        return -EINVAL;
    }
    if (type == SOCK_RAW) { /* SIMPLER: refused as to a program without CAP_NET_RAW */
        return protocol == 0 ? -EPROTONOSUPPORT : -EPERM;
    }
    if (type == SOCK_DGRAM && protocol == IPPROTO_ICMP) {
        return -EACCES; /* SIMPLER: ping_group_range lets nobody make a ping socket */
    }
    int error = -ESOCKTNOSUPPORT;
    for (uint32_t i = SIM_PROTOCOL_NONE + 1; i < SIM_PROTOCOL_COUNT; i++) {
        const struct sim_protocol *row = sim_protocols[i];
        if (row->ip_number == 0 || row->type != type) {
            continue;
        }
        if (protocol == 0 || protocol == row->ip_number) {
            *kind = i;
            *number = row->ip_number;
            return 0;
        }
        error = -EPROTONOSUPPORT; /* SIMPLER: no MPTCP, no SCTP */
    }
    return error;
}

const struct sim_family sim_inet_family = {AF_INET, choose};
const struct sim_family sim_inet6_family = {AF_INET6, choose};
