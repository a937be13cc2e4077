/* Segments for connections that nobody holds any more: TIME-WAIT, and orphans in FIN-WAIT-2.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: tcp_timewait_state_process. */
#include "internal.h"

/* An orphan whose FIN was acknowledged, waiting for the peer's. True: answer with RST. */
static bool fin_wait_2_input(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet, bool old)
{
    uint8_t flags = packet->tcp.flags;
    uint32_t sequence = packet->tcp.sequence;
    uint32_t end = segment_end(packet);
    bool inside = tcp_in_window(sequence, end, tcp->rcv_nxt, tcp->rcv_nxt + tcp->rcv_wnd);
    if (old || !inside) {
        if (!(flags & SIM_TCP_RST) && !sim_tcp_out_of_window_limited(world, tcp, packet)) {
            sim_tcp_send_ack(world, tcp);
        }
        return false;
    }
    if (flags & SIM_TCP_RST) {
        sim_tcp_done(world, tcp);
        return false;
    }
    if ((flags & SIM_TCP_SYN) && !before(sequence, tcp->rcv_nxt)) {
        sim_tcp_done(world, tcp);
        return true;
    }
    if (!(flags & SIM_TCP_ACK) || !after(end, tcp->rcv_nxt) || end == sequence) {
        return false;
    }
    if (!(flags & SIM_TCP_FIN) || end != tcp->rcv_nxt + 1) { /* data for nobody */
        sim_tcp_done(world, tcp);
        return true;
    }
    tcp->rcv_nxt = tcp->rcv_wup = end;
    if (packet->tcp.has_timestamps) {
        sim_tcp_store_timestamp(world, tcp, packet);
    }
    sim_tcp_state_change(world, tcp, SIM_TCP_TIME_WAIT);
    sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_KEEPALIVE, world->now + TCP_TIME_WAIT_NS);
    sim_tcp_send_ack(world, tcp);
    return false;
}

bool sim_tcp_time_wait_input(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet, bool *syn, uint32_t *isn)
{
    uint8_t flags = packet->tcp.flags;
    uint32_t sequence = packet->tcp.sequence;
    uint32_t end = segment_end(packet);
    bool old = sim_tcp_paws_rejects(world, tcp, packet);
    if (tcp->state == SIM_TCP_FIN_WAIT_2) {
        return fin_wait_2_input(world, tcp, packet, old);
    }
    if (!old && sequence == tcp->rcv_nxt && (sequence == end || (flags & SIM_TCP_RST))) {
        if (flags & SIM_TCP_RST) { /* RFC 1337: LINUX lets RST end the wait by default */
            sim_tcp_done(world, tcp);
            return false;
        }
        if (packet->tcp.has_timestamps) {
            sim_tcp_store_timestamp(world, tcp, packet);
        }
        sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_KEEPALIVE, world->now + TCP_TIME_WAIT_NS);
        return false;
    }
    bool newer = after(sequence, tcp->rcv_nxt) ||
                 (packet->tcp.has_timestamps && tcp->timestamps_ok &&
                  (int32_t)(tcp->ts_recent - packet->tcp.timestamp_value) < 0);
    if ((flags & (SIM_TCP_SYN | SIM_TCP_RST | SIM_TCP_ACK)) == SIM_TCP_SYN && !old && newer) {
        *isn = tcp->snd_nxt + TCP_WINDOW_MAX + 2;
        *syn = true;
        return false;
    }
    if (!(flags & SIM_TCP_RST)) {
        if (old || (flags & SIM_TCP_ACK)) {
            sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_KEEPALIVE, world->now + TCP_TIME_WAIT_NS);
        }
        if (!sim_tcp_out_of_window_limited(world, tcp, packet)) {
            sim_tcp_send_ack(world, tcp);
        }
    }
    return false;
}
