/* What TCP sends: segments cut from the send queue, ACKs, SYNs, FINs, RSTs, probes.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <netinet/in.h>

#include "core/bytes.h"
#include "net/ip.h"

static bool is_v4(const struct sim_socket *socket)
{
    return sim_ip_is_v4(socket->remote.ip);
}

/* ---- the packet --------------------------------------------------------------------------- */

/* A packet of this connection with everything but sequence, flags and payload; NULL: ENOBUFS. */
static struct sim_packet *new_packet(struct sim_world *world, struct sim_tcp *tcp,
                                     struct sim_packet_id *id)
{
    *id = sim_packet_new(world);
    if (!id->index) {
        return NULL;
    }
    const struct sim_socket *socket = tcp_socket(world, tcp);
    struct sim_packet *packet = sim_packet_at(world, *id);
    bool v4 = is_v4(socket);
    packet->source = socket->local;
    packet->destination = socket->remote;
    packet->version = v4 ? 4 : 6;
    packet->protocol = IPPROTO_TCP;
    packet->ttl = v4 ? socket->ttl : socket->hop_limit;
    packet->tos = socket->tos;
    packet->dont_fragment = v4;
    packet->mark = socket->mark;
    return packet;
}

static void add_timestamps(const struct sim_world *world, const struct sim_tcp *tcp,
                           struct sim_tcp_header *header)
{
    header->has_timestamps = 1;
    header->timestamp_value = tcp_clock_ms(world);
    header->timestamp_echo = tcp->ts_recent;
}

static void add_syn_options(const struct sim_world *world, struct sim_tcp *tcp,
                            struct sim_tcp_header *header)
{
    header->has_mss = 1;
    header->mss = tcp->advertised_mss;
    if (tcp->timestamps_ok) {
        add_timestamps(world, tcp, header);
    }
    header->sack_permitted = tcp->sack_ok;
    if (tcp->wscale_ok) {
        header->has_window_scale = 1;
        header->window_scale = tcp->rcv_wscale;
    }
}

/* RFC 2018: the runs of early data, the one with the latest segment first; RFC 2883: a duplicate. */
static void add_sack_blocks(const struct sim_world *world, struct sim_tcp *tcp,
                            struct sim_tcp_header *header)
{
    uint32_t count = 0;
    if (tcp->dsack[0] != tcp->dsack[1]) { /* RFC 2883: first, and once */
        header->sack[count][0] = tcp->dsack[0];
        header->sack[count++][1] = tcp->dsack[1];
        tcp->dsack[0] = tcp->dsack[1] = 0;
    }
    const uint32_t first = count;
    uint32_t most = tcp->timestamps_ok ? 3 : 4;
    struct sim_packet_id id = tcp->first_early;
    while (id.index) {
        const struct sim_packet *packet = sim_packet_at(world, id);
        uint32_t start = packet->tcp.sequence;
        uint32_t end = segment_end(packet);
        for (id = packet->next; id.index; id = packet->next) {
            packet = sim_packet_at(world, id);
            if (after(packet->tcp.sequence, end)) {
                break;
            }
            if (after(segment_end(packet), end)) {
                end = segment_end(packet);
            }
        }
        bool latest = !after(start, tcp->early_latest) && before(tcp->early_latest, end);
        if (latest && count > first) { /* RFC 2018: the block with the latest segment leads */
            uint32_t last = count < most ? count++ : count - 1;
            for (uint32_t i = last; i > first; i--) {
                header->sack[i][0] = header->sack[i - 1][0];
                header->sack[i][1] = header->sack[i - 1][1];
            }
            header->sack[first][0] = start;
            header->sack[first][1] = end;
        } else if (count < most) {
            header->sack[count][0] = start;
            header->sack[count++][1] = end;
        }
    }
    header->sack_count = (uint8_t)count;
}

static void hand_down(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet_id id)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    struct sim_host *host = sim_host_at(world, socket->host);
    host->tcp_segments_out++;
    tcp->segments_out++;
    /* A packet that finds no way out is lost; the timers deal with it as with any other loss. */
    (void)sim_ip_output(world, socket->host, id, socket->bound_interface);
}

/* An ACK, alone or with data, leaves: what was pending is done. */
static void ack_leaves(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->quick_acks) {
        bool scheduled = tcp->ack_pending & ACK_SCHEDULED;
        if (scheduled && tcp->quick_acks == 1) {
            tcp->ack_timeout_ms = ACK_TIMEOUT_MIN_MS;
        }
        tcp->quick_acks -= scheduled;
    }
    if (tcp->ack_pending || tcp->timer_at[SIM_TCP_TIMER_DELAYED_ACK]) {
        tcp->ack_pending = 0;
        sim_tcp_timer_stop(world, tcp, SIM_TCP_TIMER_DELAYED_ACK);
    }
}

/* Fills in acknowledgment, window, options, urgent pointer, and sends a segment of an open
 * connection. */
static void transmit(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    struct sim_tcp_header *header = &packet->tcp;
    uint32_t length = (uint32_t)packet->payload.length;
    header->acknowledgment = tcp->rcv_nxt;
    header->window = sim_tcp_select_window(world, tcp);
    if (tcp->timestamps_ok) {
        add_timestamps(world, tcp, header);
    }
    if (tcp->sack_ok && (tcp->first_early.index || tcp->dsack[0] != tcp->dsack[1])) {
        uint32_t room = tcp->mss > length ? tcp->mss - length : 0;
        if (!length || room >= 4 + 8 * SIM_SACK_BLOCKS) {
            add_sack_blocks(world, tcp, header);
        }
    }
    if (tcp->snd_up != tcp->snd_una && before(header->sequence, tcp->snd_up)) {
        header->flags |= SIM_TCP_URG;
        uint32_t distance = tcp->snd_up - header->sequence;
        header->urgent = (uint16_t)smaller(distance, 0xffff);
    }
    if (length) {
        /* A reply within the delayed ACK's time: this is a conversation. */
        if (world->now - tcp->last_received_at < (uint64_t)tcp->ack_timeout_ms * TCP_MILLISECOND &&
            tcp->pingpong < 255) {
            tcp->pingpong++;
        }
        tcp->last_sent_at = world->now;
        tcp->bytes_sent += length;
    }
    ack_leaves(world, tcp);
    hand_down(world, tcp, id);
}

/* ---- segments kept until they are acknowledged -------------------------------------------- */

static void keep(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet_id id)
{
    if (tcp->last_sent.index) {
        sim_packet_at(world, tcp->last_sent)->next = id;
    } else {
        tcp->first_sent = id;
    }
    tcp->last_sent = id;
    tcp->packets_out++;
    if (tcp->congestion_state == CONGESTION_RECOVERY) {
        tcp->recovery_sent++;
    }
}

/* Sends a copy of a kept segment. False: no room for a packet. */
static bool send_copy(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *kept)
{
    struct sim_packet_id id;
    struct sim_packet *packet = new_packet(world, tcp, &id);
    if (!packet) {
        return false;
    }
    if (sim_bytes_share(world, &packet->payload, &kept->payload, 0, kept->payload.length)) {
        sim_packet_free(world, id);
        return false;
    }
    packet->tcp.sequence = kept->kept.header.sequence;
    packet->tcp.flags = kept->kept.header.flags;
    kept->kept.left_at = world->now;
    kept->kept.delivered = tcp->delivered;
    if (packet->tcp.flags & SIM_TCP_SYN) {
        /* LINUX: a SYN tells the window unscaled. */
        add_syn_options(world, tcp, &packet->tcp);
        packet->tcp.window = (uint16_t)smaller(tcp->rcv_wnd, TCP_WINDOW_MAX);
        if (packet->tcp.flags & SIM_TCP_ACK) {
            packet->tcp.acknowledgment = tcp->rcv_nxt;
        }
        hand_down(world, tcp, id);
    } else {
        transmit(world, tcp, id);
    }
    return true;
}

/* Cuts a kept segment in two; the first keeps `length` bytes. */
static bool cut_kept(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *kept,
                     uint32_t length)
{
    struct sim_packet_id id = sim_packet_new(world);
    if (!id.index) {
        return false;
    }
    struct sim_packet *rest = sim_packet_at(world, id);
    if (sim_bytes_share(world, &rest->payload, &kept->payload, length, kept->payload.length - length)) {
        sim_packet_free(world, id);
        return false;
    }
    sim_bytes_truncate(world, &kept->payload, length);
    rest->kept = kept->kept;
    rest->kept.header.sequence += length;
    kept->kept.header.flags &= (uint8_t)~(SIM_TCP_FIN | SIM_TCP_PSH);
    rest->next = kept->next;
    kept->next = id;
    if (!rest->next.index) {
        tcp->last_sent = id;
    }
    tcp->packets_out++;
    tcp->sacked_out += (kept->kept.flags & KEPT_SACKED) != 0;
    tcp->lost_out += (kept->kept.flags & KEPT_LOST) != 0;
    tcp->retransmitted_out += (kept->kept.flags & KEPT_RETRANSMITTED) != 0;
    return true;
}

static struct sim_packet_id index_of(const struct sim_world *world, const struct sim_packet *packet)
{
    const struct sim_packet *first = sim_packet_at(world, (struct sim_packet_id){0});
    return (struct sim_packet_id){(uint32_t)(packet - first)};
}

/* LINUX: small segments that follow are sent again in one with this. */
static void gather(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *kept, uint32_t most)
{
    while (kept->next.index && !(kept->kept.header.flags & SIM_TCP_FIN)) {
        struct sim_packet_id id = kept->next;
        struct sim_packet *next = sim_packet_at(world, id);
        if ((next->kept.flags & KEPT_SACKED) || !next->payload.length ||
            kept->payload.length + next->payload.length > most) {
            return;
        }
        sim_bytes_move(world, &kept->payload, &next->payload);
        kept->kept.header.flags |= next->kept.header.flags;
        kept->kept.flags |= next->kept.flags & KEPT_EVER_RETRANSMITTED;
        tcp->lost_out -= (next->kept.flags & KEPT_LOST) != 0;
        tcp->retransmitted_out -= (next->kept.flags & KEPT_RETRANSMITTED) != 0;
        tcp->packets_out--;
        if (!tcp->sack_ok) {
            tcp->sacked_out -= smaller(tcp->sacked_out, 1);
        }
        kept->next = next->next;
        if (!kept->next.index) {
            tcp->last_sent = index_of(world, kept);
        }
        sim_packet_free(world, id);
    }
}

bool sim_tcp_retransmit(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *kept)
{
    uint32_t length = (uint32_t)kept->payload.length;
    uint32_t sequence = kept->kept.header.sequence;
    int32_t window = (int32_t)(tcp->snd_una + tcp->snd_wnd - sequence);
    if (!(kept->kept.header.flags & SIM_TCP_SYN)) {
        if (window <= 0) { /* the peer took back its window: only the first segment may try */
            if (sequence != tcp->snd_una) {
                return true;
            }
            window = (int32_t)tcp->mss;
        }
        uint32_t most = smaller((uint32_t)window, tcp->mss);
        if (length > most && !cut_kept(world, tcp, kept, most)) {
            return false;
        }
        if (length < most && length) {
            gather(world, tcp, kept, most);
        }
    }
    if (!tcp->retransmit_since) {
        tcp->retransmit_since = tcp_mark(world->now);
    }
    if (!(kept->kept.flags & KEPT_RETRANSMITTED)) {
        tcp->retransmitted_out++;
    }
    kept->kept.flags |= KEPT_RETRANSMITTED | KEPT_EVER_RETRANSMITTED;
    tcp->total_retransmissions++;
    if (tcp->congestion_state == CONGESTION_RECOVERY) {
        tcp->recovery_sent++;
    }
    if (tcp->undo_retransmits == UINT32_MAX) {
        tcp->undo_retransmits = 0;
    }
    tcp->undo_retransmits++;
    sim_host_at(world, tcp_socket(world, tcp)->host)->tcp_retransmissions++;
    return send_copy(world, tcp, kept);
}

void sim_tcp_retransmit_lost(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_packet *kept = tcp_first_kept(world, tcp);
    bool first = true;
    bool sent = false;
    for (; kept && tcp->lost_out > tcp->retransmitted_out; kept = tcp_kept_next(world, kept)) {
        uint32_t flags = kept->kept.flags;
        if ((flags & KEPT_LOST) && !(flags & (KEPT_SACKED | KEPT_RETRANSMITTED))) {
            if (tcp_in_flight(tcp) >= tcp->cwnd) {
                break;
            }
            if (!sim_tcp_retransmit(world, tcp, kept)) {
                break;
            }
            sent = sent || first;
        }
        first = false;
    }
    if (sent && tcp->retransmit_kind != SIM_TCP_RETRANSMIT_REORDER) {
        sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO, tcp->rto_ns);
    }
}

/* ---- new data ----------------------------------------------------------------------------- */

/* RFC 896, with Minshall's change: a small segment waits while another small one is out. */
static bool nagle_allows(const struct sim_tcp *tcp, uint32_t length, bool last, bool nonagle)
{
    if (nonagle || !last || length >= tcp->mss || tcp->snd_up != tcp->snd_una || tcp->fin_queued) {
        return true;
    }
    if (tcp->cork) {
        return false;
    }
    if (tcp->nodelay || !tcp->packets_out || DRY_MUTANT(nagle_never_waits)) {
        return true;
    }
    return !(after(tcp->small_seq, tcp->snd_una) && !after(tcp->small_seq, tcp->snd_nxt));
}

/* Cuts the next segment off the send queue, keeps it, sends a copy. False: ENOBUFS. */
static bool send_segment(struct sim_world *world, struct sim_tcp *tcp, uint32_t length, bool pushed,
                         bool burst_ends)
{
    struct sim_packet_id id = sim_packet_new(world);
    if (!id.index) {
        return false;
    }
    struct sim_packet *kept = sim_packet_at(world, id);
    bool last = length == tcp->send.length;
    if (last) {
        sim_bytes_move(world, &kept->payload, &tcp->send);
    } else {
        if (sim_bytes_share(world, &kept->payload, &tcp->send, 0, length)) {
            sim_packet_free(world, id);
            return false;
        }
        sim_bytes_drop(world, &tcp->send, length);
    }
    uint8_t flags = SIM_TCP_ACK;
    if ((last || pushed) && length) {
        flags |= SIM_TCP_PSH;
    }
    if (last && tcp->fin_queued && !tcp->fin_sent) {
        flags |= SIM_TCP_FIN;
        tcp->fin_sent = 1;
    }
    kept->kept.header.sequence = tcp->snd_nxt;
    kept->kept.header.flags = flags;
    uint32_t before_out = tcp->packets_out;
    if (length < tcp->mss && length) {
        tcp->small_seq = tcp->snd_nxt + length;
    }
    tcp->snd_nxt += length + ((flags & SIM_TCP_FIN) != 0);
    keep(world, tcp, id);
    kept->kept.left_at = world->now;
    kept->kept.header.flags |= burst_ends ? SIM_TCP_PSH : 0;
    send_copy(world, tcp, kept);
    kept->kept.header.flags = flags; /* LINUX: sent again it is pushed only where a write ended */
    sim_tcp_timer_data_sent(world, tcp, before_out);
    return true;
}

static bool has_unsent(const struct sim_tcp *tcp)
{
    return tcp->send.length || (tcp->fin_queued && !tcp->fin_sent);
}

/* The next segment's length, or false when the peer's window does not take it (whole: RFC 9293
 * 3.8.6.2.1, no silly windows). */
static bool next_length(const struct sim_tcp *tcp, uint32_t *length)
{
    *length = (uint32_t)(tcp->send.length < tcp->mss ? tcp->send.length : tcp->mss);
    bool with_fin = tcp->fin_queued && *length == tcp->send.length;
    uint32_t end = tcp->snd_nxt + *length + with_fin;
    return !after(end, tcp->snd_una + tcp->snd_wnd);
}

/* Will another segment leave with one of that length, as part of the same buffer? */
static bool another_follows(const struct sim_tcp *tcp, uint32_t length, bool nonagle)
{
    uint32_t rest = (uint32_t)tcp->send.length - length;
    uint32_t next = smaller(rest, tcp->mss);
    bool with_fin = tcp->fin_queued && next == rest;
    return next && !after(tcp->snd_nxt + length + next + with_fin, tcp->snd_una + tcp->snd_wnd) &&
           nagle_allows(tcp, next, next == rest, nonagle);
}

void sim_tcp_push(struct sim_world *world, struct sim_tcp *tcp, bool nonagle)
{
    if (tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN) | STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        return;
    }
    bool sent = false;
    uint32_t burst = 0;    /* segments of this buffer that may still leave */
    bool has_more = false; /* one of them has left */
    while (has_unsent(tcp)) {
        uint32_t length;
        /* LINUX: a FIN alone needs no room in the window of congestion, but in the peer's. */
        if (tcp_in_flight(tcp) >= tcp->cwnd || !next_length(tcp, &length)) {
            break;
        }
        bool last = length == tcp->send.length;
        if (!nagle_allows(tcp, length, last, nonagle)) {
            break;
        }
        burst = burst ? burst : sim_tcp_burst(world, tcp);
        bool ends = burst == 1 || !another_follows(tcp, length, nonagle);
        /* LINUX: the last of two or more is pushed, so that the receiver gathers no further. */
        if (!send_segment(world, tcp, length, false, ends && has_more)) {
            break;
        }
        burst = ends ? 0 : burst - 1;
        has_more = !ends;
        sent = true;
    }
    if (sent) {
        (void)sim_tcp_timer_tail_probe(world, tcp);
    } else if (has_unsent(tcp) && !tcp->packets_out && tcp->retransmit_kind == SIM_TCP_RETRANSMIT_OFF) {
        sim_tcp_timer_window_probe(world, tcp, false);
    }
}

void sim_tcp_push_one(struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t length;
    if (has_unsent(tcp) && next_length(tcp, &length)) {
        send_segment(world, tcp, length, false, false);
    }
}

void sim_tcp_send_fin(struct sim_world *world, struct sim_tcp *tcp)
{
    assert(!tcp->fin_queued);
    tcp->fin_queued = 1;
    tcp->write_seq++;
    sim_tcp_push(world, tcp, true);
}

/* ---- bare segments ------------------------------------------------------------------------ */

/* LINUX: tcp_acceptable_seq: what the peer's window accepts. */
static uint32_t acceptable_sequence(const struct sim_tcp *tcp)
{
    uint32_t end = tcp->snd_una + tcp->snd_wnd;
    if (!before(end, tcp->snd_nxt) ||
        (tcp->wscale_ok && tcp->snd_nxt - end < (1U << tcp->snd_wscale))) {
        return tcp->snd_nxt;
    }
    return end;
}

static void send_bare(struct sim_world *world, struct sim_tcp *tcp, uint32_t sequence, uint8_t flags)
{
    struct sim_packet_id id;
    struct sim_packet *packet = new_packet(world, tcp, &id);
    if (!packet) {
        return;
    }
    packet->tcp.sequence = sequence;
    packet->tcp.flags = flags;
    transmit(world, tcp, id);
}

void sim_tcp_send_ack(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->state == SIM_TCP_CLOSED) {
        return;
    }
    send_bare(world, tcp, acceptable_sequence(tcp), SIM_TCP_ACK);
}

void sim_tcp_ack_later(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!sim_tcp_timer_delayed_ack(world, tcp)) {
        sim_tcp_send_ack(world, tcp);
    }
}

void sim_tcp_challenge(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!sim_tcp_out_of_window_limited(world, tcp, NULL)) {
        sim_tcp_send_ack(world, tcp);
    }
}

void sim_tcp_send_reset(struct sim_world *world, struct sim_tcp *tcp)
{
    send_bare(world, tcp, acceptable_sequence(tcp), SIM_TCP_RST | SIM_TCP_ACK);
}

void sim_tcp_send_keepalive(struct sim_world *world, struct sim_tcp *tcp)
{
    /* LINUX: a sequence number of the past, no byte: the peer must answer. */
    send_bare(world, tcp, tcp->snd_una - 1, SIM_TCP_ACK);
}

void sim_tcp_send_probe(struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t end = tcp->snd_una + tcp->snd_wnd;
    if (has_unsent(tcp) && before(tcp->snd_nxt, end)) {
        /* A window too small for a segment: the timer overrides the silly window rule. */
        uint32_t room = smaller(end - tcp->snd_nxt, tcp->mss);
        uint32_t length = (uint32_t)(tcp->send.length < room ? tcp->send.length : room);
        send_segment(world, tcp, length, true, false);
        return;
    }
    sim_tcp_send_keepalive(world, tcp);
}

void sim_tcp_send_syn_ack(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_packet_id id;
    struct sim_packet *packet = new_packet(world, tcp, &id);
    if (!packet) {
        return;
    }
    packet->tcp.sequence = tcp->iss;
    packet->tcp.acknowledgment = tcp->rcv_nxt;
    packet->tcp.flags = SIM_TCP_SYN | SIM_TCP_ACK;
    packet->tcp.window = (uint16_t)smaller(tcp->rcv_wnd, TCP_WINDOW_MAX);
    add_syn_options(world, tcp, &packet->tcp);
    hand_down(world, tcp, id);
}

void sim_tcp_send_syn(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet_id id)
{
    struct sim_packet *kept = sim_packet_at(world, id);
    kept->kept.header.sequence = tcp->iss;
    kept->kept.header.flags = SIM_TCP_SYN;
    kept->kept.left_at = world->now;
    keep(world, tcp, id);
    send_copy(world, tcp, kept);
    tcp->snd_nxt = tcp->write_seq = tcp->iss + 1;
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO, tcp->rto_ns);
}

void sim_tcp_answer_reset(struct sim_world *world, struct sim_host_id host,
                          const struct sim_packet *offending)
{
    if ((offending->tcp.flags & SIM_TCP_RST) || sim_ip_is_multicast(offending->destination.ip) ||
        sim_ip_is_broadcast(world, host, offending->destination.ip)) {
        return;
    }
    struct sim_packet_id id = sim_packet_new(world);
    if (!id.index) {
        return;
    }
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->source = offending->destination;
    packet->destination = offending->source;
    packet->version = offending->version;
    packet->protocol = IPPROTO_TCP;
    packet->dont_fragment = packet->version == 4;
    if (offending->tcp.flags & SIM_TCP_ACK) {
        packet->tcp.sequence = offending->tcp.acknowledgment;
        packet->tcp.flags = SIM_TCP_RST;
    } else {
        packet->tcp.acknowledgment = segment_end(offending);
        packet->tcp.flags = SIM_TCP_RST | SIM_TCP_ACK;
    }
    sim_host_at(world, host)->tcp_segments_out++;
    (void)sim_ip_output(world, host, id, 0);
}
