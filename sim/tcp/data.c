/* What TCP does with bytes that arrive and are read: in order, early, repeated; FIN; urgent; the ACK.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <poll.h>

#include "core/bytes.h"
#include "file/wait.h"

/* ---- when to acknowledge ------------------------------------------------------------------ */

static void more_quick_acks(struct sim_tcp *tcp)
{
    uint32_t count = tcp->rcv_wnd / (2 * larger(tcp->receive_mss, 1));
    count = count ? smaller(count, TCP_QUICK_ACKS_MAX) : 2;
    tcp->quick_acks = (uint8_t)larger(tcp->quick_acks, count);
}

static void acknowledge_quickly(struct sim_tcp *tcp)
{
    more_quick_acks(tcp);
    tcp->pingpong = 0;
    tcp->ack_timeout_ms = ACK_TIMEOUT_MIN_MS;
}

/* Payload arrived: adapts the delayed ACK to the rhythm of the data. */
static void data_arrived(struct sim_world *world, struct sim_tcp *tcp, uint32_t length)
{
    tcp->ack_pending |= ACK_SCHEDULED;
    sim_tcp_measure_receive_mss(world, tcp, length);
    uint32_t rto_ms = (uint32_t)(tcp->rto_ns / TCP_MILLISECOND);
    uint64_t gap_ms = (world->now - tcp->last_received_at) / TCP_MILLISECOND;
    if (!tcp->ack_timeout_ms) {
        more_quick_acks(tcp);
        tcp->ack_timeout_ms = ACK_TIMEOUT_MIN_MS;
    } else if (gap_ms <= ACK_TIMEOUT_MIN_MS / 2) {
        tcp->ack_timeout_ms = tcp->ack_timeout_ms / 2 + ACK_TIMEOUT_MIN_MS / 2;
    } else if (gap_ms < tcp->ack_timeout_ms) {
        tcp->ack_timeout_ms = smaller(tcp->ack_timeout_ms / 2 + (uint32_t)gap_ms, rto_ms);
    } else if (gap_ms > rto_ms) {
        more_quick_acks(tcp); /* the peer starts slowly again: help it */
    }
    tcp->last_received_at = world->now;
    if (length >= 128) {
        sim_tcp_grow_window(world, tcp, length);
    }
}

void sim_tcp_ack_check(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!(tcp->ack_pending & ACK_SCHEDULED)) {
        return;
    }
    uint32_t unread = tcp->rcv_nxt - tcp->copied_seq;
    bool two_segments = tcp->rcv_nxt - tcp->rcv_wup > tcp->receive_mss &&
                        (unread < tcp_socket(world, tcp)->receive_low_water ||
                         sim_tcp_ideal_window(world, tcp) >= tcp->rcv_wnd);
    /* SIMPLER: ACKs of out-of-order data are not compressed: each segment gets its own. */
    if (two_segments || (tcp->quick_acks && !tcp->pingpong) || (tcp->ack_pending & ACK_NOW) ||
        tcp->first_early.index) {
        sim_tcp_send_ack(world, tcp);
    } else {
        sim_tcp_ack_later(world, tcp);
    }
}

/* ---- FIN ---------------------------------------------------------------------------------- */

/* The peer's FIN stands next in order. */
static void take_fin(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    if (tcp->fin_received) {
        return; /* a second end of the stream is nonsense */
    }
    tcp->rcv_nxt++;
    tcp->fin_received = 1;
    if (DRY_MUTANT(half_close_closes_both)) {
        tcp_socket(world, tcp)->flags |= SIM_SOCKET_WRITE_SHUT;
    }
    tcp->ack_pending |= ACK_SCHEDULED;
    socket->flags |= SIM_SOCKET_READ_SHUT;
    sim_tcp_early_drop(world, tcp);
    switch ((enum sim_tcp_state)tcp->state) {
    case SIM_TCP_SYN_RECEIVED:
    case SIM_TCP_ESTABLISHED:
        sim_tcp_state_change(world, tcp, SIM_TCP_CLOSE_WAIT);
        tcp->pingpong = larger(tcp->pingpong, 1) & 0xff; /* an answer is likely: wait for it */
        break;
    case SIM_TCP_FIN_WAIT_1: /* both close at once */
        sim_tcp_send_ack(world, tcp);
        sim_tcp_state_change(world, tcp, SIM_TCP_CLOSING);
        break;
    case SIM_TCP_FIN_WAIT_2:
        sim_tcp_send_ack(world, tcp);
        sim_tcp_wait(world, tcp, SIM_TCP_TIME_WAIT,
                     DRY_MUTANT(time_wait_is_over_at_once) ? 1 : TCP_TIME_WAIT_NS);
        return; /* the waking was done */
    default:
        break;
    }
    if (!(socket->flags & SIM_SOCKET_ORPHAN)) {
        sim_wake_socket(world, tcp->socket,
                        SIM_WAKE_ALL); /* LINUX: sk_state_change: whatever they ask */
    }
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void wake_readers(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    if (!(socket->flags & SIM_SOCKET_ORPHAN) &&
        (tcp->rcv_nxt - tcp->copied_seq >= socket->receive_low_water || tcp->fin_received)) {
        sim_wake_socket(world, tcp->socket, POLLIN | POLLRDNORM);
    }
}

/* Moves a packet's bytes to the end of what can be read; its first byte is at or before rcv_nxt. */
static void accept_bytes(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t old = tcp->rcv_nxt - packet->tcp.sequence;
    if (old) {
        sim_bytes_drop(world, &packet->payload, old);
    }
    uint32_t length = (uint32_t)packet->payload.length;
    tcp->rcv_nxt += length;
    tcp->bytes_received += length;
    sim_bytes_move(world, &socket->receive, &packet->payload);
    bool loopback = packet->interface &&
                    sim_interface_at(world, (struct sim_interface_id){packet->interface})->number == 1;
    sim_tcp_charge(world, tcp, length, loopback);
}

/* The gap closed: what waited behind it follows. */
static void take_early(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_packet_id id;
    while ((id = sim_tcp_early_take(world, tcp)).index) {
        struct sim_packet *packet = sim_packet_at(world, id);
        const bool news = after(segment_end(packet), tcp->rcv_nxt);
        const bool fin = news && (packet->tcp.flags & SIM_TCP_FIN);
        if (news) {
            accept_bytes(world, tcp, packet);
        }
        sim_packet_free(world, id);
        if (fin) {
            take_fin(world, tcp);
            return;
        }
    }
}

static void take_in_order(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint32_t length = segment_end(packet) - tcp->rcv_nxt;
    bool fin = packet->tcp.flags & SIM_TCP_FIN;
    length -= fin;
    if (length && !sim_tcp_early_room(world, tcp, packet->tcp.sequence)) {
        tcp->ack_pending |= ACK_SCHEDULED | ACK_NOW;
        wake_readers(world, tcp);
        /* LINUX: with nothing to read the next in order is always taken, or nothing would go on. */
        if (tcp_socket(world, tcp)->receive.length) {
            return;
        }
    }
    accept_bytes(world, tcp, packet);
    if (length) {
        data_arrived(world, tcp, length);
    }
    if (fin) {
        take_fin(world, tcp);
    }
    if (tcp->first_early.index) {
        take_early(world, tcp);
        if (!tcp->first_early.index) {
            tcp->ack_pending |= ACK_NOW; /* RFC 5681 4.2: the gap is filled */
        }
    }
    if (length) {
        wake_readers(world, tcp);
    }
}

void sim_tcp_data(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint32_t sequence = packet->tcp.sequence;
    uint32_t end = segment_end(packet);
    uint32_t window = tcp_receive_window(tcp);
    if (sequence == end) {
        return;
    }
    bool fin_alone = !packet->payload.length;
    if (sequence == tcp->rcv_nxt && (window || fin_alone)) {
        take_in_order(world, tcp, packet);
        return;
    }
    if (!after(end, tcp->rcv_nxt)) { /* all of it is known: our ACK was lost */
        tcp_tell_duplicate(tcp, sequence, end);
    } else if (before(sequence, tcp->rcv_nxt + window)) {
        if (after(sequence, tcp->rcv_nxt)) {
            tcp->ack_pending |= ACK_SCHEDULED;
            sim_tcp_early_keep(world, tcp, packet);
            return;
        }
        tcp_tell_duplicate(tcp, sequence, tcp->rcv_nxt);
        take_in_order(world, tcp, packet);
        return;
    }
    acknowledge_quickly(tcp);
    tcp->ack_pending |= ACK_SCHEDULED;
}

/* ---- urgent data -------------------------------------------------------------------------- */

/* RFC 6093: the pointer names the byte before it, as everybody does it. */
static void check_pointer(struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *packet)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    uint32_t pointer = packet->tcp.urgent;
    if (pointer) {
        pointer--;
    }
    pointer += packet->tcp.sequence;
    if (after(tcp->copied_seq, pointer) || before(pointer, tcp->rcv_nxt)) {
        return;
    }
    if (tcp->urgent_state != URGENT_NONE && !after(pointer, tcp->rcv_up)) {
        return;
    }
    /* An older urgent byte that was read out of band still lies in the stream: it goes. */
    if (tcp->urgent_state != URGENT_NONE && tcp->rcv_up == tcp->copied_seq &&
        !(socket->options & SIM_OPTION_OOBINLINE) && socket->receive.length) {
        sim_bytes_drop(world, &socket->receive, 1);
        tcp->copied_seq++;
        sim_tcp_discharge(world, tcp, 1);
    }
    tcp->urgent_state = URGENT_NOT_YET;
    tcp->rcv_up = pointer;
    /* SIMPLER: no SIGURG. */
}

void sim_tcp_urgent(struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *packet)
{
    if (packet->tcp.flags & SIM_TCP_URG) {
        check_pointer(world, tcp, packet);
    }
    if (tcp->urgent_state != URGENT_NOT_YET) {
        return;
    }
    uint32_t offset = tcp->rcv_up - packet->tcp.sequence;
    if (offset >= packet->payload.length) {
        return;
    }
    sim_bytes_copy_out(world, &packet->payload, offset, &tcp->urgent_byte, 1);
    tcp->urgent_state = URGENT_VALID;
    if (!(tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN)) {
        sim_wake_socket(world, tcp->socket, POLLPRI | POLLIN | POLLRDNORM);
    }
}

/* ---- the program read -------------------------------------------------------------- */

void sim_tcp_after_read(struct sim_world *world, struct sim_tcp *tcp, uint32_t length)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    if (length) {
        sim_tcp_adjust_space(world, tcp);
    }
    if (tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN) | STATE(SYN_SENT) | STATE(TIME_WAIT))) {
        return;
    }
    bool now = false;
    if (tcp->ack_pending & ACK_SCHEDULED) {
        bool drained = length && !socket->receive_charge;
        now = tcp->rcv_nxt - tcp->rcv_wup > tcp->receive_mss ||
              (drained && ((tcp->ack_pending & ACK_PUSHED_AGAIN) ||
                           ((tcp->ack_pending & ACK_PUSHED) && !tcp->pingpong)));
    }
    if (!now && length && !(socket->flags & SIM_SOCKET_READ_SHUT)) {
        uint32_t window = tcp_receive_window(tcp);
        if (2 * (uint64_t)window <= tcp->window_clamp) {
            uint32_t ideal = sim_tcp_ideal_window(world, tcp);
            now = ideal && ideal >= 2 * (uint64_t)window;
        }
    }
    if (now) {
        sim_tcp_send_ack(world, tcp);
    }
}
