/* connect() of TCP: where to, from which address and port.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/random.h"
#include "net/ip.h"
#include "socket/inet.h"
#include "socket/port.h"
#include "socket/sockets.h"

/* The peer, as LINUX reads the address: 0.0.0.0 and :: mean this host. */
static int read_peer(struct sim_socket *socket, const struct sockaddr *address, socklen_t length,
                     struct sim_endpoint *peer)
{
    bool v6 = socket->family == AF_INET6;
    if (!v6 && length < (socklen_t)sizeof(struct sockaddr_in)) {
        return -EINVAL;
    }
    if (address->sa_family != socket->family) {
        return v6 && length < 24 ? -EINVAL : -EAFNOSUPPORT;
    }
    int error = sim_endpoint_from(socket, address, length, peer);
    if (error) {
        return error;
    }
    if (sim_ip_is_any(peer->ip) && v6) {
        struct sim_ip loopback = {{[15] = 1}};
        bool mapped = sim_ip_is_v4(socket->local.ip) || sim_ip_is_v4(peer->ip);
        peer->ip = mapped ? sim_ip_v4(INADDR_LOOPBACK) : loopback;
    }
    if (sim_ip_is_link_local(peer->ip)) {
        if (!peer->scope) {
            peer->scope = socket->bound_interface;
        }
        if (!peer->scope || (socket->bound_interface && socket->bound_interface != peer->scope)) {
            return -EINVAL;
        }
        socket->bound_interface = peer->scope; /* LINUX: it stays so when the rest fails */
    }
    if (v6 && sim_ip_is_v4(peer->ip) && (socket->options & SIM_OPTION_V6ONLY)) {
        return -ENETUNREACH;
    }
    if (v6 && sim_ip_is_multicast(peer->ip)) {
        return -ENETUNREACH;
    }
    return 0;
}

/* A port for the connection, and a place in both tables. */
static int take_port(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->flags & SIM_SOCKET_BOUND) {
        struct sim_socket_id other = sim_port_find(world, socket->host, SIM_PROTOCOL_TCP,
                                                   &socket->local, &socket->remote);
        if (other.index) {
            const struct sim_tcp *old = sim_tcp_at(
                world, (struct sim_tcp_id){sim_socket_at(world, other)->detail});
            /* LINUX: tcp_tw_reuse: timestamps tell the old connection from the new. */
            if (old->state != SIM_TCP_TIME_WAIT || !old->timestamps_ok ||
                tcp_clock_ms(world) / 1000 <= old->ts_recent_s) {
                return -EADDRNOTAVAIL;
            }
            struct sim_tcp *gone = sim_tcp_at(world,
                                              (struct sim_tcp_id){sim_socket_at(world, other)->detail});
            sim_tcp_done(world, gone);
            sim_tcp_reap(world, other);
        }
    } else {
        uint16_t port = sim_port_for_connect(world, id);
        if (!port) {
            return -EADDRNOTAVAIL;
        }
        socket->local.port = port;
        socket->flags |= SIM_SOCKET_BOUND;
    }
    if (!(socket->flags & SIM_SOCKET_HASHED_BOUND)) {
        sim_port_insert(world, id);
    }
    sim_port_connect(world, id);
    return 0;
}

/* The connection as it begins: its first sequence number, what it offers, no route of the past. */
static void begin(struct sim_world *world, struct sim_tcp *tcp)
{
    tcp->iss = (uint32_t)sim_random_draw(&world->random, SIM_STREAM_ISN);
    tcp->snd_una = tcp->snd_nxt = tcp->write_seq = tcp->iss;
    tcp->snd_up = tcp->small_seq = tcp->iss;
    tcp->snd_wnd = tcp->max_window = tcp->peer_mss = 0;
    tcp->rcv_nxt = tcp->rcv_wup = tcp->copied_seq = 0;
    tcp->wscale_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_WINDOW_SCALING) != 0;
    tcp->timestamps_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_TIMESTAMPS) != 0;
    tcp->sack_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_SACK) != 0;
    sim_tcp_sync_mss(world, tcp, tcp->path_mtu);
    tcp->advertised_mss = sim_tcp_advertised_mss(world, tcp);
    tcp->receive_mss = smaller(tcp->advertised_mss, MSS_DEFAULT);
    sim_tcp_initial_window(world, tcp, tcp->advertised_mss);
    tcp->rto_ns = TCP_RTO_INITIAL_NS;
    tcp->retransmits = tcp->backoff = tcp->total_timeouts = 0;
    tcp->retransmit_since = tcp_mark(world->now); /* LINUX: a SYN's timeouts count from the first SYN */
    sim_tcp_congestion_init(world, tcp);
    sim_tcp_state_change(world, tcp, SIM_TCP_SYN_SENT);
}

int sim_tcp_open(struct sim_world *world, struct sim_socket_id id, const void *address, unsigned length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    struct sim_endpoint peer;
    int error = read_peer(socket, address, length, &peer);
    if (error) {
        return error;
    }
    bool v4 = sim_ip_is_v4(peer.ip);
    struct sim_ip from = socket->local.ip;
    /* LINUX: inet_bind: what cannot be a source leaves the choice to the route. */
    bool unbound = sim_ip_is_any(from) && (v4 || !sim_ip_is_v4(from) || socket->family == AF_INET);
    if (unbound || sim_ip_is_multicast(from) || sim_ip_is_broadcast(world, socket->host, from)) {
        from = v4 ? sim_ip_v4(INADDR_ANY) : (struct sim_ip){{0}};
    } else if (v4 && !sim_ip_is_v4(from)) {
        return -EINVAL;
    }
    struct sim_ip_path path;
    error = sim_ip_route(world, socket->host, peer, from, socket->bound_interface, &path);
    if (error) {
        return error;
    }
    if (path.broadcast || sim_ip_is_multicast(peer.ip)) {
        return -ENETUNREACH;
    }
    if (sim_ip_is_any(peer.ip)) {
        peer.ip = path.source;
    }
    struct sim_ip old_source = socket->local.ip;
    socket->local.ip = path.source;
    if (sim_ip_is_link_local(path.source)) {
        socket->local.scope = path.interface;
    }
    socket->remote = peer;
    socket->flags &= ~(uint32_t)SIM_SOCKET_PATH_FORGOTTEN;
    /* LINUX: without memory for the SYN connect() fails; nothing would ever send it again. */
    const struct sim_packet_id syn = sim_packet_new(world);
    error = syn.index ? take_port(world, id) : -ENOBUFS;
    if (error && syn.index) {
        sim_packet_free(world, syn);
    }
    if (error) {
        socket->local.ip = old_source;
        socket->remote = (struct sim_endpoint){0};
        return error;
    }
    tcp->path_mtu = path.mtu;
    tcp->ts_recent = 0;
    begin(world, tcp);
    sim_tcp_send_syn(world, tcp, syn);
    return 0;
}
