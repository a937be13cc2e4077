/* Segments that arrive: which connection, which state, RFC 9293 3.10.7 in Linux's order.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

#include "file/wait.h"
#include "net/ip.h"
#include "socket/port.h"
#include "socket/sockets.h"

/* ---- answers to what does not fit --------------------------------------------------------- */

static void reset_arrived(struct sim_world *world, struct sim_tcp *tcp)
{
    int error = ECONNRESET;
    if (tcp->state == SIM_TCP_SYN_SENT) {
        error = ECONNREFUSED;
    } else if (tcp->state == SIM_TCP_CLOSE_WAIT) {
        error = EPIPE;
    }
    sim_tcp_abort(world, tcp, error);
}

static void repeated_segment(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet)
{
    uint32_t end = segment_end(packet);
    if (end != packet->tcp.sequence && before(packet->tcp.sequence, tcp->rcv_nxt)) {
        tcp->quick_acks = (uint8_t)larger(tcp->quick_acks, 1);
        tcp->pingpong = 0;
        if (tcp->sack_ok) {
            tcp->dsack[0] = packet->tcp.sequence;
            tcp->dsack[1] = before(end, tcp->rcv_nxt) ? end : tcp->rcv_nxt;
        }
    }
    sim_tcp_send_ack(world, tcp);
}

/* LINUX: some peers send RST with the sequence number before their own FIN's. */
static bool resets_before_fin(const struct sim_tcp *tcp, const struct sim_packet *packet)
{
    return packet->tcp.sequence == tcp->rcv_nxt - 1 &&
           tcp_in(tcp, STATE(CLOSE_WAIT) | STATE(LAST_ACK) | STATE(CLOSING));
}

static bool fits_window(const struct sim_world *world, const struct sim_tcp *tcp,
                        const struct sim_packet *packet)
{
    uint32_t end = segment_end(packet);
    uint32_t edge = tcp->rcv_nxt + tcp_receive_window(tcp);
    if (before(end, tcp->rcv_wup)) {
        return false;
    }
    if (!after(end, edge)) {
        return true;
    }
    if (after(packet->tcp.sequence, edge)) {
        return false;
    }
    /* LINUX: beyond the edge only into an empty queue. */
    return !tcp_socket(world, tcp)->receive.length;
}

/* RFC 9293 3.10.7.4 first to fourth, RFC 5961. False: the segment is done with. */
static bool acceptable(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint8_t flags = packet->tcp.flags;
    if (!(flags & SIM_TCP_RST) && sim_tcp_paws_rejects(world, tcp, packet)) {
        if (!sim_tcp_out_of_window_limited(world, tcp, packet)) {
            repeated_segment(world, tcp, packet);
        }
        return false;
    }
    if (!fits_window(world, tcp, packet)) {
        if (flags & SIM_TCP_RST) {
            if (resets_before_fin(tcp, packet)) {
                reset_arrived(world, tcp);
            }
        } else if (flags & SIM_TCP_SYN) {
            sim_tcp_challenge(world, tcp);
        } else if (!sim_tcp_out_of_window_limited(world, tcp, packet)) {
            repeated_segment(world, tcp, packet);
        }
        return false;
    }
    if (flags & SIM_TCP_RST) {
        if (packet->tcp.sequence == tcp->rcv_nxt || resets_before_fin(tcp, packet)) {
            reset_arrived(world, tcp);
        } else {
            sim_tcp_challenge(world, tcp);
        }
        return false;
    }
    if (flags & SIM_TCP_SYN) {
        bool simultaneous = tcp->state == SIM_TCP_SYN_RECEIVED && (flags & SIM_TCP_ACK) &&
                            packet->tcp.sequence + 1 == segment_end(packet) &&
                            packet->tcp.sequence + 1 == tcp->rcv_nxt &&
                            packet->tcp.acknowledgment == tcp->snd_nxt;
        if (!simultaneous) {
            sim_tcp_challenge(world, tcp);
            return false;
        }
    }
    return true;
}

/* ---- SYN-SENT ----------------------------------------------------------------------------- */

static void established(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    sim_tcp_state_change(world, tcp, SIM_TCP_ESTABLISHED);
    uint32_t retransmissions = tcp->total_retransmissions;
    sim_tcp_congestion_init(world, tcp);
    if (retransmissions > 1) {
        tcp->cwnd = 1; /* RFC 6298 5.7: the path is bad */
    }
    tcp->last_received_at = tcp->last_heard_at = world->now;
    tcp->total_timeouts = tcp->retransmits = 0;
    sim_tcp_init_buffers(world, tcp);
    sim_tcp_timer_keepalive_starts(world, tcp);
    (void)socket;
    sim_wake_socket(world, tcp->socket, SIM_WAKE_ALL);
}

static void syn_received(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    /* Both sides opened at once: RFC 9293 figure 7. */
    sim_tcp_take_syn_options(world, tcp, packet, true);
    tcp->irs = packet->tcp.sequence;
    tcp->rcv_nxt = tcp->rcv_wup = tcp->copied_seq = packet->tcp.sequence + 1;
    tcp->snd_wnd = tcp->max_window = packet->tcp.window;
    tcp->snd_wl1 = packet->tcp.sequence;
    if (!tcp->wscale_ok) {
        tcp->rcv_wscale = 0;
        tcp->window_clamp = smaller(tcp->window_clamp, TCP_WINDOW_MAX);
    }
    sim_tcp_sync_mss(world, tcp, tcp->path_mtu);
    tcp->receive_mss = smaller(smaller(tcp->advertised_mss, tcp->mss), MSS_DEFAULT);
    sim_tcp_state_change(world, tcp, SIM_TCP_SYN_RECEIVED);
    /* The SYN that is kept for retransmission acknowledges from now on. */
    if (tcp->first_sent.index) {
        sim_packet_at(world, tcp->first_sent)->kept.header.flags |= SIM_TCP_ACK;
    }
    sim_tcp_send_syn_ack(world, tcp);
}

static void syn_ack_received(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    sim_tcp_take_syn_options(world, tcp, packet, true);
    tcp->snd_wl1 = packet->tcp.sequence;
    tcp->irs = packet->tcp.sequence;
    tcp->rcv_nxt = tcp->rcv_wup = tcp->copied_seq = packet->tcp.sequence + 1;
    if (!tcp->wscale_ok) {
        tcp->rcv_wscale = 0;
        tcp->window_clamp = smaller(tcp->window_clamp, TCP_WINDOW_MAX);
    }
    sim_tcp_ack(world, tcp, packet, false);
    tcp->snd_wnd = tcp->max_window = packet->tcp.window;
    sim_tcp_sync_mss(world, tcp, tcp->path_mtu);
    tcp->receive_mss = smaller(smaller(tcp->advertised_mss, tcp->mss), MSS_DEFAULT);
    if (tcp->pingpong) {
        established(world, tcp);
        tcp->ack_timeout_ms = 200;
        sim_tcp_ack_later(world, tcp);
        return;
    }
    established(world, tcp);
    sim_tcp_send_ack(world, tcp);
    sim_tcp_push(world, tcp, false);
}

/* True: answer with RST. */
static bool syn_sent_input(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint8_t flags = packet->tcp.flags;
    uint32_t ack = packet->tcp.acknowledgment;
    if (flags & SIM_TCP_ACK) {
        if (!after(ack, tcp->snd_una) || after(ack, tcp->snd_nxt)) {
            return true;
        }
        if (flags & SIM_TCP_RST) {
            reset_arrived(world, tcp);
            return false;
        }
        if (flags & SIM_TCP_SYN) {
            syn_ack_received(world, tcp, packet);
        }
        return false;
    }
    if ((flags & SIM_TCP_RST) || !(flags & SIM_TCP_SYN)) {
        return false;
    }
    syn_received(world, tcp, packet);
    return false;
}

/* ---- the other states --------------------------------------------------------------------- */

/* Our FIN was acknowledged in FIN-WAIT-1. False: the segment is done with, *reset: answer with RST. */
static bool fin_acknowledged(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet, bool *reset)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    sim_tcp_state_change(world, tcp, SIM_TCP_FIN_WAIT_2);
    socket->flags |= SIM_SOCKET_WRITE_SHUT;
    if (!(socket->flags & SIM_SOCKET_ORPHAN)) {
        sim_wake_socket(world, tcp->socket, SIM_WAKE_ALL);
        return true;
    }
    uint32_t data_end = segment_end(packet) - ((packet->tcp.flags & SIM_TCP_FIN) != 0);
    if (tcp->linger2_s < 0 || (segment_length(packet) && after(data_end, tcp->rcv_nxt))) {
        sim_tcp_done(world, tcp);
        *reset = true;
        return false;
    }
    /* A FIN that comes along is still to be taken, if it fits. */
    sim_tcp_wait(world, tcp, SIM_TCP_FIN_WAIT_2, sim_tcp_fin_timeout_ns(world, tcp));
    return packet->tcp.flags & SIM_TCP_FIN;
}

static bool simultaneous_open_ends(struct sim_world *world, struct sim_tcp *tcp,
                                   const struct sim_packet *packet)
{
    tcp->snd_wnd = packet->tcp.window << (packet->tcp.flags & SIM_TCP_SYN ? 0 : tcp->snd_wscale);
    tcp->max_window = larger(tcp->max_window, tcp->snd_wnd);
    tcp->snd_wl1 = packet->tcp.sequence;
    sim_tcp_sync_mss(world, tcp, tcp->path_mtu);
    established(world, tcp);
    /* LINUX: a shutdown that came too early is done now. */
    if ((tcp_socket(world, tcp)->flags & SIM_SOCKET_WRITE_SHUT) && sim_tcp_close_send(world, tcp)) {
        sim_tcp_send_fin(world, tcp);
    }
    return true;
}

static bool everything_acknowledged(const struct sim_tcp *tcp)
{
    return tcp->snd_una == tcp->write_seq;
}

/* RFC 9293 3.10.7.4 fifth: the ACK moved things; what does the state make of it? Returns false when
 * the segment is done with, *reset: answer it with RST. */
static bool after_ack(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet,
                      bool *reset)
{
    switch ((enum sim_tcp_state)tcp->state) {
    case SIM_TCP_SYN_RECEIVED:
        return simultaneous_open_ends(world, tcp, packet);
    case SIM_TCP_FIN_WAIT_1:
        return !everything_acknowledged(tcp) || fin_acknowledged(world, tcp, packet, reset);
    case SIM_TCP_CLOSING:
        if (everything_acknowledged(tcp)) {
            sim_tcp_wait(world, tcp, SIM_TCP_TIME_WAIT, TCP_TIME_WAIT_NS);
            return false;
        }
        return true;
    case SIM_TCP_LAST_ACK:
        if (everything_acknowledged(tcp)) {
            sim_tcp_done(world, tcp);
            return false;
        }
        return true;
    default:
        return true;
    }
}

/* May the payload be taken? False with the connection reset: data for whom nobody is left. */
static bool wants_data(struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *packet,
                       bool *reset)
{
    bool closing = tcp_in(tcp, STATE(CLOSE_WAIT) | STATE(CLOSING) | STATE(LAST_ACK));
    if (closing && !before(packet->tcp.sequence, tcp->rcv_nxt)) {
        return false;
    }
    if (tcp->state != SIM_TCP_ESTABLISHED && (tcp_socket(world, tcp)->flags & SIM_SOCKET_READ_SHUT)) {
        uint32_t data_end = segment_end(packet) - ((packet->tcp.flags & SIM_TCP_FIN) != 0);
        if (segment_length(packet) && after(data_end, tcp->rcv_nxt)) {
            reset_arrived(world, tcp);
            *reset = true;
            return false;
        }
    }
    return true;
}

/* A segment for a synchronised connection. True: answer it with RST. */
static bool open_input(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint8_t flags = packet->tcp.flags;
    bool reset = false;
    if (!(flags & (SIM_TCP_ACK | SIM_TCP_RST | SIM_TCP_SYN)) || !acceptable(world, tcp, packet)) {
        return false;
    }
    if (!(flags & SIM_TCP_ACK)) {
        return false;
    }
    bool plain = tcp->state == SIM_TCP_ESTABLISHED;
    enum sim_tcp_ack_verdict verdict = sim_tcp_ack(world, tcp, packet, plain);
    if (plain ? verdict < 0 : verdict <= 0) {
        if (tcp->state == SIM_TCP_SYN_RECEIVED) {
            return true;
        }
        if (!plain && verdict < 0) {
            sim_tcp_challenge(world, tcp);
        }
        if (verdict < 0) {
            return false;
        }
    }
    if (!plain && !after_ack(world, tcp, packet, &reset)) {
        return reset;
    }
    sim_tcp_urgent(world, tcp, packet);
    if (wants_data(world, tcp, packet, &reset)) {
        sim_tcp_data(world, tcp, packet);
    }
    if (tcp_in(tcp, STATE(CLOSED) | STATE(TIME_WAIT))) {
        return reset;
    }
    sim_tcp_push(world, tcp, false);
    sim_tcp_ack_check(world, tcp);
    return false;
}

/* ---- which socket ------------------------------------------------------------------------- */

/* A segment for a listener, or nobody. */
static void listener_input(struct sim_world *world, struct sim_host_id host,
                           const struct sim_packet *packet, uint32_t isn)
{
    struct sim_socket_id id = sim_tcp_listen_find(world, host, packet);
    bool fine = false;
    if (id.index) {
        struct sim_tcp *listener = sim_tcp_at(world,
                                              (struct sim_tcp_id){sim_socket_at(world, id)->detail});
        fine = sim_tcp_listen_input(world, listener, packet, isn);
    }
    if (!fine) {
        sim_tcp_answer_reset(world, host, packet);
    }
}

/* True: answer with RST. */
static bool connection_input(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    tcp->segments_in++;
    if (tcp->listener.index && tcp->state == SIM_TCP_SYN_RECEIVED) {
        enum sim_tcp_child_verdict verdict = sim_tcp_child_input(world, tcp, packet);
        if (verdict != TCP_CHILD_OPEN) {
            return verdict == TCP_CHILD_RESET;
        }
    }
    switch ((enum sim_tcp_state)tcp->state) {
    case SIM_TCP_CLOSED:
        return true;
    case SIM_TCP_SYN_SENT:
        return syn_sent_input(world, tcp, packet);
    default:
        return open_input(world, tcp, packet);
    }
}

void sim_tcp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id packet_id)
{
    struct sim_packet *packet = sim_packet_at(world, packet_id);
    sim_host_at(world, host)->tcp_segments_in++;
    /* LINUX: multicast and broadcast are for nobody here. */
    if (!packet->corrupt && !sim_ip_is_multicast(packet->destination.ip) &&
        !sim_ip_is_broadcast(world, host, packet->destination.ip)) {
        struct sim_socket_id id = sim_port_find(world, host, SIM_PROTOCOL_TCP, &packet->destination,
                                                &packet->source);
        bool reset = false;
        bool syn = !id.index;
        uint32_t isn = 0;
        if (id.index) {
            struct sim_tcp *tcp = sim_tcp_at(world,
                                             (struct sim_tcp_id){sim_socket_at(world, id)->detail});
            if (sim_tcp_is_time_wait(world, id)) {
                reset = sim_tcp_time_wait_input(world, tcp, packet, &syn, &isn);
                if (syn && sim_tcp_listen_find(world, host, packet).index) {
                    sim_tcp_done(world, tcp);
                } else if (syn) { /* a good SYN, but nobody listens */
                    sim_tcp_send_ack(world, tcp);
                    syn = false;
                }
            } else {
                reset = connection_input(world, tcp, packet);
            }
            if (reset) {
                sim_tcp_answer_reset(world, host, packet);
            }
            sim_tcp_reap(world, id);
        }
        if (syn) {
            listener_input(world, host, packet, isn);
        }
    }
    sim_packet_free(world, packet_id);
}
