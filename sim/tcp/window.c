/* TCP's buffers: what a socket may hold, the window it offers, how both grow.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: Linux counts each buffer's true size in memory; here a queue counts its payload and a fixed
 * overhead. Totals come out near Linux's, not equal to them.
 */
#include "internal.h"

enum {
    SEND_EXPANSION = 2, /* LINUX: sndbuf_expand of Reno and cubic */
    SKB_OVERHEAD = 576, /* measured: headers' room and shared info beside a segment */
    SKB_STRUCT = 256,
    SCALE_LIMIT = 65535,
    RATIO_DEFAULT = 128,
};

/* ---- receiving ---------------------------------------------------------------------------- */

uint32_t sim_tcp_window_of(const struct sim_tcp *tcp, uint64_t buffer_bytes)
{
    uint32_t ratio = tcp->window_ratio ? tcp->window_ratio : RATIO_DEFAULT;
    return (uint32_t)(buffer_bytes * ratio / 256);
}

uint32_t sim_tcp_full_space(const struct sim_world *world, const struct sim_tcp *tcp)
{
    return sim_tcp_window_of(tcp, tcp_socket(world, tcp)->receive_limit);
}

uint32_t sim_tcp_space(const struct sim_world *world, const struct sim_tcp *tcp)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    if (socket->receive_charge >= socket->receive_limit) {
        return 0;
    }
    return sim_tcp_window_of(tcp, socket->receive_limit - socket->receive_charge);
}

void sim_tcp_initial_window(struct sim_world *world, struct sim_tcp *tcp, uint32_t mss)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t space = sim_tcp_full_space(world, tcp);
    uint32_t clamp = tcp->window_clamp ? tcp->window_clamp
                                       : (uint32_t)SCALE_LIMIT << TCP_WINDOW_SCALE_MAX;
    bool locked = socket->options & SIM_OPTION_RCVBUF_LOCKED;
    if (locked && clamp > space) {
        clamp = space;
    }
    space = smaller(space, clamp);
    if (space > mss) {
        space -= space % mss;
    }
    tcp->rcv_wnd = space;
    tcp->rcv_wscale = 0;
    if (tcp->wscale_ok) {
        uint64_t most = larger(space, (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RMEM_MAX));
        uint64_t rmem_max = (uint64_t)tcp_setting(world, tcp, SIM_SETTING_RMEM_MAX);
        most = most > rmem_max ? most : rmem_max;
        most = most < clamp ? most : clamp;
        uint32_t bits = tcp_log2((uint32_t)most);
        tcp->rcv_wscale = (uint8_t)(bits > 15 ? smaller(bits - 15, TCP_WINDOW_SCALE_MAX) : 0);
    }
    tcp->rcv_wnd = smaller(tcp->rcv_wnd, SCALE_LIMIT << tcp->rcv_wscale);
    tcp->window_clamp = smaller((uint32_t)SCALE_LIMIT << tcp->rcv_wscale, clamp);
    tcp->window_limit = tcp->rcv_wnd;
}

void sim_tcp_init_buffers(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    if (!(socket->options & SIM_OPTION_SNDBUF_LOCKED)) {
        sim_tcp_expand_send_buffer(world, tcp);
    }
    tcp->space_bytes = smaller(tcp->rcv_wnd, TCP_INITIAL_CWND * tcp->advertised_mss);
    tcp->space_at = world->now;
    tcp->space_seq = tcp->copied_seq;
    uint32_t most = sim_tcp_full_space(world, tcp);
    if (tcp->window_clamp >= most) {
        tcp->window_clamp = most;
    }
    /* LINUX: one segment is held back. */
    if (tcp->window_clamp > 2 * tcp->advertised_mss && tcp->window_clamp + tcp->advertised_mss > most) {
        tcp->window_clamp = larger(2 * tcp->advertised_mss, most - tcp->advertised_mss);
    }
    tcp->window_limit = smaller(tcp->window_limit, tcp->window_clamp);
}

uint32_t sim_tcp_ideal_window(const struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t mss = tcp->receive_mss;
    uint32_t space = sim_tcp_space(world, tcp);
    uint32_t allowed = sim_tcp_full_space(world, tcp);
    uint32_t full = smaller(tcp->window_clamp, allowed);
    if (mss > full) {
        mss = full;
    }
    if (!mss) {
        return 0;
    }
    if (space < full / 2) {
        tcp->quick_acks = 0;
        space &= ~((1U << tcp->rcv_wscale) - 1);
        /* RFC 9293 3.8.6.2.2: rather none than a silly one. */
        if (space < allowed / 16 || space < mss) {
            return 0;
        }
    }
    space = smaller(space, tcp->window_limit);
    if (tcp->rcv_wscale) {
        uint32_t unit = 1U << tcp->rcv_wscale;
        return (space + unit - 1) & ~(unit - 1);
    }
    uint32_t window = tcp->rcv_wnd;
    if ((int64_t)window <= (int64_t)space - mss || window > space) {
        window = space - space % mss;
    } else if (mss == full && space > window + full / 2) {
        window = space;
    }
    return window;
}

uint16_t sim_tcp_select_window(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp_in(tcp, STATE(CLOSED) | STATE(TIME_WAIT) | STATE(LISTEN))) {
        return (uint16_t)smaller(tcp->rcv_wnd >> tcp->rcv_wscale, TCP_WINDOW_MAX);
    }
    uint32_t now = tcp_receive_window(tcp);
    uint32_t window = sim_tcp_ideal_window(world, tcp);
    uint32_t unit = 1U << tcp->rcv_wscale;
    if (window < now) { /* RFC 9293 3.8.6: never take back what was offered */
        window = (now + unit - 1) & ~(unit - 1);
    }
    window = smaller(window, (uint32_t)TCP_WINDOW_MAX << tcp->rcv_wscale);
    tcp->rcv_wnd = window;
    tcp->rcv_wup = tcp->rcv_nxt;
    return (uint16_t)(window >> tcp->rcv_wscale);
}

/* LINUX: what comes by loopback lies in pages that are taken over, packet after packet; what comes by
 * a device keeps most of its own buffer. */
void sim_tcp_charge(const struct sim_world *world, const struct sim_tcp *tcp, uint32_t length,
                    bool loopback)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    bool alone = socket->receive.length <= length;
    socket->receive_charge += length + (loopback && !alone ? 0 : TCP_PACKET_OVERHEAD);
}

void sim_tcp_discharge(const struct sim_world *world, const struct sim_tcp *tcp, uint32_t length)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    uint64_t held = socket->receive_charge - tcp->early_charge;
    uint64_t before_bytes = socket->receive.length + length;
    if (!socket->receive.length) {
        socket->receive_charge = tcp->early_charge;
    } else {
        socket->receive_charge -= (uint32_t)(held * length / before_bytes);
    }
}

bool sim_tcp_make_room(const struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    if (socket->receive_charge <= socket->receive_limit) {
        return true;
    }
    tcp->quick_acks = 0;
    /* LINUX: data within the window offered is rather kept than lost: first by a larger buffer. */
    uint32_t most = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RMEM_MAX);
    if (!(socket->options & SIM_OPTION_RCVBUF_LOCKED) && socket->receive_limit < most) {
        socket->receive_limit = smaller(socket->receive_charge, most);
        return socket->receive_charge <= most;
    }
    tcp->window_limit = smaller(tcp->window_clamp, 2 * tcp->advertised_mss);
    uint32_t bytes = (uint32_t)socket->receive.length;
    uint32_t dense = bytes + (bytes / SIM_CHUNK_BYTES + 1) * SKB_STRUCT;
    if (socket->receive_charge > tcp->early_charge + dense) {
        socket->receive_charge = tcp->early_charge + dense;
    }
    return socket->receive_charge <= socket->receive_limit;
}

void sim_tcp_grow_window(struct sim_world *world, struct sim_tcp *tcp, uint32_t length)
{
    int64_t room = (int64_t)smaller(tcp->window_clamp, sim_tcp_space(world, tcp)) - tcp->window_limit;
    if (room <= 0) {
        return;
    }
    /* Grow by the two segments that the peer may send next, where payload fills the buffer well. */
    bool full = sim_tcp_window_of(tcp, length + TCP_PACKET_OVERHEAD) <= length;
    uint32_t step = full ? 2 * tcp->advertised_mss : 2 * length;
    step = larger(step, 2 * length);
    tcp->window_limit += smaller(step, (uint32_t)room);
    if (!tcp->quick_acks) {
        tcp->quick_acks = 1;
    }
}

void sim_tcp_measure_receive_mss(struct sim_world *world, struct sim_tcp *tcp, uint32_t length)
{
    if (length >= tcp->receive_mss) {
        if (length != tcp->receive_mss || !tcp->window_ratio) {
            tcp->window_ratio = (length << 8) / (length + TCP_PACKET_OVERHEAD);
            uint32_t most = sim_tcp_full_space(world, tcp);
            tcp->window_clamp = smaller(most, (uint32_t)SCALE_LIMIT << tcp->rcv_wscale);
        }
        tcp->receive_mss = smaller(length, tcp->advertised_mss);
        return;
    }
    if (tcp->ack_pending & ACK_PUSHED) {
        tcp->ack_pending |= ACK_PUSHED_AGAIN;
    }
    tcp->ack_pending |= ACK_PUSHED;
}

/* LINUX: dynamic right-sizing: twice what was read in a round trip, plus room for slow start. */
void sim_tcp_adjust_space(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    uint64_t rtt_us = tcp->srtt_us8 >> 3; /* SIMPLER: the sender's estimate, from the handshake on */
    if (!rtt_us || world->now - tcp->space_at < rtt_us * 1000) {
        return;
    }
    uint32_t copied = tcp->copied_seq - tcp->space_seq;
    if (copied > tcp->space_bytes) {
        if (tcp_setting(world, tcp, SIM_SETTING_TCP_MODERATE_RCVBUF) &&
            !(socket->options & SIM_OPTION_RCVBUF_LOCKED)) {
            uint64_t most = (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RMEM_MAX);
            uint64_t window = 2 * (uint64_t)copied + 16 * tcp->advertised_mss;
            window += window * (copied - tcp->space_bytes) / tcp->space_bytes * 2;
            uint64_t buffer = window * 2 < most ? window * 2 : most;
            if (buffer > socket->receive_limit) {
                socket->receive_limit = (uint32_t)buffer;
                tcp->window_clamp = sim_tcp_window_of(tcp, buffer);
            }
        }
        tcp->space_bytes = copied;
    }
    tcp->space_seq = tcp->copied_seq;
    tcp->space_at = world->now;
}

/* ---- sending ------------------------------------------------------------------------------ */

static uint32_t power_of_two_above(uint32_t value)
{
    uint32_t power = 1;
    while (power < value) {
        power <<= 1;
    }
    return power;
}

/* LINUX: tcp_sndbuf_expand: room for twice the window of congestion, counted in true sizes. */
void sim_tcp_expand_send_buffer(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t mss = larger(tcp->peer_mss ? tcp->peer_mss : MSS_DEFAULT, tcp->mss);
    uint64_t each = (uint64_t)power_of_two_above(mss + SKB_OVERHEAD) + SKB_STRUCT;
    uint64_t segments = larger(larger(TCP_INITIAL_CWND, tcp->cwnd), tcp->reordering + 1);
    uint64_t wanted = each * segments * SEND_EXPANSION;
    uint64_t most = (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_WMEM_MAX);
    wanted = wanted < most ? wanted : most;
    if (socket->send_limit < wanted) {
        socket->send_limit = (uint32_t)wanted;
    }
}

uint32_t sim_tcp_send_charge(const struct sim_tcp *tcp)
{
    uint32_t bytes = tcp->write_seq - tcp->snd_una;
    if (!bytes) {
        return 0;
    }
    uint32_t goal = tcp->mss ? sim_tcp_size_goal(tcp) : MSS_DEFAULT;
    /* LINUX: unsent bytes lie in buffers of a burst, sent ones mostly in buffers of two segments. */
    uint32_t buffers = (tcp->packets_out + 1) / 2 + ((uint32_t)tcp->send.length + goal - 1) / goal;
    return bytes + buffers * TCP_PACKET_OVERHEAD;
}

uint32_t sim_tcp_send_room(const struct sim_world *world, const struct sim_tcp *tcp)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t goal = sim_tcp_size_goal(tcp);
    uint32_t tail = (uint32_t)(tcp->send.length % goal);
    /* LINUX: the last buffer is filled up without asking; a new one only while below the limit, and
     * then whole, so the limit is overshot by up to one. */
    if (tail) {
        return goal - tail;
    }
    return sim_tcp_send_charge(tcp) < socket->send_limit ? goal : 0;
}

bool sim_tcp_writable(const struct sim_world *world, const struct sim_tcp *tcp)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t charge = sim_tcp_send_charge(tcp);
    if (tcp->not_sent_low_water && tcp->send.length >= tcp->not_sent_low_water) {
        return false;
    }
    return charge < socket->send_limit && socket->send_limit - charge >= charge / 2;
}
