/* What an acknowledgment says: what arrived, how long it took, what the peer's window is.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <poll.h>

#include "core/bytes.h"
#include "file/wait.h"

/* RFC 6298 with Linux's changes: the deviation falls slowly, and never below the least RTO. */
void sim_tcp_rtt_sample(struct sim_world *world, struct sim_tcp *tcp, uint64_t sample_ns)
{
    uint32_t sample_us = (uint32_t)(sample_ns / 1000);
    uint32_t rto_min_us = (uint32_t)(sim_tcp_rto_min_ns(world, tcp) / 1000);
    if (!tcp->min_rtt_us || sample_us < tcp->min_rtt_us) {
        tcp->min_rtt_us = larger(sample_us, 1);
    }
    if (!tcp->srtt_us8) {
        tcp->srtt_us8 = larger(sample_us << 3, 1);
        tcp->mdev_us4 = sample_us << 1;
        tcp->rttvar_us4 = larger(tcp->mdev_us4, rto_min_us);
        tcp->mdev_max_us4 = tcp->rttvar_us4;
        tcp->rtt_seq = tcp->snd_nxt;
    } else {
        int64_t error = (int64_t)sample_us - (tcp->srtt_us8 >> 3);
        tcp->srtt_us8 = (uint32_t)((int64_t)tcp->srtt_us8 + error);
        tcp->srtt_us8 = larger(tcp->srtt_us8, 1);
        if (error < 0) {
            error = -error - (tcp->mdev_us4 >> 2);
            /* LINUX: a faster path must not look like a wild one. */
            if (error > 0) {
                error >>= 3;
            }
        } else {
            error -= tcp->mdev_us4 >> 2;
        }
        tcp->mdev_us4 = (uint32_t)((int64_t)tcp->mdev_us4 + error);
        if (tcp->mdev_us4 > tcp->mdev_max_us4) {
            tcp->mdev_max_us4 = tcp->mdev_us4;
            tcp->rttvar_us4 = larger(tcp->rttvar_us4, tcp->mdev_max_us4);
        }
        if (after(tcp->snd_una, tcp->rtt_seq)) {
            if (tcp->mdev_max_us4 < tcp->rttvar_us4) {
                tcp->rttvar_us4 -= (tcp->rttvar_us4 - tcp->mdev_max_us4) >> 2;
            }
            tcp->rtt_seq = tcp->snd_nxt;
            tcp->mdev_max_us4 = rto_min_us;
        }
    }
    uint64_t most = sim_tcp_rto_max_ns(world, tcp);
    tcp->rto_ns = ((uint64_t)(tcp->srtt_us8 >> 3) + tcp->rttvar_us4) * 1000;
    tcp->rto_ns = tcp->rto_ns < most ? tcp->rto_ns : most;
    tcp->backoff = 0;
}

/* RACK: the latest sent among what was delivered tells what is overdue (RFC 8985 6.2). */
static void rack_advance(const struct sim_world *world, struct sim_tcp *tcp,
                         const struct sim_packet *kept, uint32_t end)
{
    uint64_t left_at = kept->kept.left_at;
    uint32_t rtt_us = (uint32_t)((world->now - left_at) / 1000);
    /* An ACK sooner than any round trip belongs to the first transmission. */
    if ((kept->kept.flags & KEPT_EVER_RETRANSMITTED) && rtt_us < tcp->min_rtt_us) {
        return;
    }
    uint64_t mark = tcp_mark(left_at);
    if (mark > tcp->rack_at || (mark == tcp->rack_at && after(end, tcp->rack_end))) {
        tcp->rack_at = mark;
        tcp->rack_end = end;
        tcp->rack_rtt_us = rtt_us;
    }
}

static uint32_t kept_end(const struct sim_packet *kept)
{
    return kept->kept.header.sequence + (uint32_t)kept->payload.length +
           ((kept->kept.header.flags & SIM_TCP_SYN) != 0) +
           ((kept->kept.header.flags & SIM_TCP_FIN) != 0);
}

/* A kept segment leaves the counts of those outstanding. */
static void uncount(struct sim_tcp *tcp, const struct sim_packet *kept)
{
    tcp->packets_out--;
    tcp->sacked_out -= (kept->kept.flags & KEPT_SACKED) != 0;
    tcp->lost_out -= (kept->kept.flags & KEPT_LOST) != 0;
    tcp->retransmitted_out -= (kept->kept.flags & KEPT_RETRANSMITTED) != 0;
}

/* One kept segment is delivered: what can be learned from it. */
static void learn(const struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *kept,
                  uint32_t end, struct tcp_acked *news)
{
    if (!(kept->kept.flags & KEPT_EVER_RETRANSMITTED)) {
        news->rtt_ns = world->now - kept->kept.left_at;
        news->original_acked = true;
    }
    rack_advance(world, tcp, kept, end);
    news->acked++;
    tcp->delivered++;
}

/* Drops what is acknowledged from the front of the kept segments. */
static void clean(struct sim_world *world, struct sim_tcp *tcp, uint32_t prior_una,
                  struct tcp_acked *news)
{
    while (tcp->first_sent.index) {
        struct sim_packet_id id = tcp->first_sent;
        struct sim_packet *kept = sim_packet_at(world, id);
        uint32_t end = kept_end(kept);
        if (after(end, tcp->snd_una)) {
            uint32_t into = tcp->snd_una - kept->kept.header.sequence;
            if (after(tcp->snd_una, kept->kept.header.sequence)) { /* a part of it */
                sim_bytes_drop(world, &kept->payload, into);
                kept->kept.header.sequence += into;
                news->data_acked = true;
            }
            break;
        }
        if (kept->kept.flags & KEPT_EVER_RETRANSMITTED) {
            news->rtt_ns = SIM_NEVER; /* Karn: an ACK that also covers a retransmission tells nothing */
        }
        if (!(kept->kept.flags & KEPT_SACKED)) {
            learn(world, tcp, kept, end, news);
        }
        if (!(kept->kept.header.flags & SIM_TCP_SYN)) {
            news->data_acked = true;
        } else {
            tcp->retransmit_since = 0;
        }
        uncount(tcp, kept);
        tcp->first_sent = kept->next;
        if (!tcp->first_sent.index) {
            tcp->last_sent = tcp->first_sent;
        }
        sim_packet_free(world, id);
    }
    if (!before(tcp->snd_up, prior_una) && !after(tcp->snd_up, tcp->snd_una)) {
        tcp->snd_up = tcp->snd_una;
    }
}

static void mark_sacked(const struct sim_world *world, struct sim_tcp *tcp, uint32_t start,
                        uint32_t end, struct tcp_acked *news)
{
    struct sim_packet *kept = tcp_first_kept(world, tcp);
    for (; kept; kept = tcp_kept_next(world, kept)) {
        uint32_t sequence = kept->kept.header.sequence;
        if (!before(sequence, end)) {
            break;
        }
        if (before(sequence, start) || after(kept_end(kept), end) || (kept->kept.flags & KEPT_SACKED)) {
            continue;
        }
        learn(world, tcp, kept, kept_end(kept), news);
        tcp->sacked_out++;
        tcp->lost_out -= (kept->kept.flags & KEPT_LOST) != 0;
        tcp->retransmitted_out -= (kept->kept.flags & KEPT_RETRANSMITTED) != 0;
        kept->kept.flags &= ~(uint32_t)(KEPT_LOST | KEPT_RETRANSMITTED);
        kept->kept.flags |= KEPT_SACKED;
        news->sack_news = true;
    }
}

/* RFC 2018, RFC 2883: marks what the blocks hold; a first block below the ACK or inside the second
 * tells of a duplicate. */
static void take_sacks(struct sim_world *world, struct sim_tcp *tcp,
                       const struct sim_tcp_header *header, uint32_t prior_una, struct tcp_acked *news)
{
    for (uint32_t i = 0; i < header->sack_count; i++) {
        uint32_t start = header->sack[i][0];
        uint32_t end = header->sack[i][1];
        if (!after(end, start)) {
            continue;
        }
        if (i == 0 && (before(start, header->acknowledgment) ||
                       (header->sack_count > 1 && !before(start, header->sack[1][0]) &&
                        !after(end, header->sack[1][1])))) {
            news->dsack = true;
            bool counted = tcp->undo_retransmits && tcp->undo_retransmits != UINT32_MAX;
            if (tcp->undo_marker && counted && !before(end, tcp->undo_marker) &&
                !after(end, prior_una)) {
                tcp->undo_retransmits--;
            }
            continue;
        }
        if (after(end, tcp->snd_nxt) || before(start, tcp->snd_una)) {
            continue;
        }
        mark_sacked(world, tcp, start, end, news);
    }
}

/* LINUX: tcp_may_update_window. */
static bool update_window(struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *packet)
{
    uint32_t window = packet->tcp.window;
    uint32_t ack = packet->tcp.acknowledgment;
    uint32_t sequence = packet->tcp.sequence;
    if (!(packet->tcp.flags & SIM_TCP_SYN)) {
        window <<= tcp->snd_wscale;
    }
    if (!after(ack, tcp->snd_una) && !after(sequence, tcp->snd_wl1) &&
        !(sequence == tcp->snd_wl1 && (window > tcp->snd_wnd || !window))) {
        return false;
    }
    tcp->snd_wl1 = sequence;
    tcp->snd_wnd = window;
    if (window > tcp->max_window) {
        tcp->max_window = window;
        if (tcp->path_mtu) {
            sim_tcp_sync_mss(world, tcp, tcp->path_mtu);
        }
    }
    return true;
}

/* The peer answered while we probe its closed window: is it open now? */
static void probe_answered(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->retransmit_kind != SIM_TCP_RETRANSMIT_WINDOW || tcp->snd_nxt == tcp->write_seq) {
        return;
    }
    uint32_t length = (uint32_t)(tcp->send.length < tcp->mss ? tcp->send.length : tcp->mss);
    if (!after(tcp->snd_nxt + larger(length, 1), tcp->snd_una + tcp->snd_wnd)) {
        tcp->backoff = 0;
        tcp->probes_since = 0;
        sim_tcp_timer_stop(world, tcp, SIM_TCP_TIMER_RETRANSMIT);
    } else {
        sim_tcp_timer_window_probe(world, tcp, true);
    }
}

static void wake_writers(struct sim_world *world, struct sim_tcp *tcp, bool was_writable)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    socket->send_charge = sim_tcp_send_charge(tcp);
    /* Room may have come back unseen (a retransmission timer counts packets anew): whoever was told
     * that there is none is woken all the same. */
    if ((was_writable && !(socket->flags & SIM_SOCKET_NOSPACE)) ||
        (socket->flags & SIM_SOCKET_ORPHAN)) {
        return;
    }
    if (!(socket->options & SIM_OPTION_SNDBUF_LOCKED) && tcp_in_flight(tcp) < tcp->cwnd) {
        sim_tcp_expand_send_buffer(world, tcp);
    }
    if (sim_tcp_writable(world, tcp)) {
        socket->flags &= ~(uint32_t)SIM_SOCKET_NOSPACE;
        sim_wake_socket(world, tcp->socket, POLLOUT | POLLWRNORM);
    } else {
        socket->flags |= SIM_SOCKET_NOSPACE;
    }
}

/* ACKs below snd_una still carry news of what arrived out of order. */
static enum sim_tcp_ack_verdict old_ack(struct sim_world *world, struct sim_tcp *tcp,
                                        const struct sim_packet *packet, bool challenge)
{
    uint32_t ack = packet->tcp.acknowledgment;
    /* RFC 5961 5.2: older than the largest window: somebody guesses. */
    if (before(ack, tcp->snd_una - tcp->max_window)) {
        if (challenge) {
            sim_tcp_challenge(world, tcp);
        }
        return TCP_ACK_TOO_OLD;
    }
    if (packet->tcp.sack_count && tcp->sack_ok) {
        struct tcp_acked news = {.rtt_ns = SIM_NEVER};
        take_sacks(world, tcp, &packet->tcp, tcp->snd_una, &news);
        sim_tcp_congestion_alert(world, tcp, &news);
        sim_tcp_retransmit_lost(world, tcp);
    }
    return TCP_ACK_OLD;
}

static void sample_round_trip(struct sim_world *world, struct sim_tcp *tcp,
                              const struct sim_packet *packet, const struct tcp_acked *news)
{
    if (news->rtt_ns != SIM_NEVER) {
        sim_tcp_rtt_sample(world, tcp, news->rtt_ns);
    } else if (news->una_advanced && packet->tcp.has_timestamps && tcp->timestamps_ok &&
               packet->tcp.timestamp_echo) {
        /* RFC 7323 4: a retransmission, but the echo tells which one was answered. */
        uint32_t elapsed_ms = tcp_clock_ms(world) - packet->tcp.timestamp_echo;
        if (elapsed_ms < 0x7fffffff / 1000) {
            sim_tcp_rtt_sample(world, tcp, (uint64_t)larger(elapsed_ms, 1) * TCP_MILLISECOND);
        }
    }
}

enum sim_tcp_ack_verdict sim_tcp_ack(struct sim_world *world, struct sim_tcp *tcp,
                                     const struct sim_packet *packet, bool challenge)
{
    uint32_t ack = packet->tcp.acknowledgment;
    uint32_t prior_una = tcp->snd_una;
    if (before(ack, prior_una)) {
        return old_ack(world, tcp, packet, challenge);
    }
    if (after(ack, tcp->snd_nxt)) {
        if (challenge) {
            sim_tcp_challenge(world, tcp);
        }
        return TCP_ACK_UNSENT;
    }

    struct tcp_acked news = {.rtt_ns = SIM_NEVER};
    bool was_writable = sim_tcp_writable(world, tcp);
    bool had_sent = tcp->packets_out;
    news.prior_out = tcp->packets_out;
    if (packet->tcp.has_timestamps && tcp->timestamps_ok) {
        news.echo = packet->tcp.timestamp_echo;
    }
    news.has_data = packet->payload.length || (packet->tcp.flags & (SIM_TCP_FIN | SIM_TCP_SYN));
    if (after(ack, prior_una)) {
        news.una_advanced = true;
        tcp->retransmits = 0;
    }
    if (packet->tcp.has_timestamps && !after(packet->tcp.sequence, tcp->rcv_wup)) {
        sim_tcp_store_timestamp(world, tcp, packet);
    }
    news.window_update = update_window(world, tcp, packet);
    tcp->bytes_acked += ack - prior_una;
    tcp->snd_una = ack;
    tcp_socket(world, tcp)->soft_error = 0;
    tcp->probes = 0;
    tcp->last_heard_at = world->now;
    if (!had_sent) {
        probe_answered(world, tcp);
        wake_writers(world, tcp, was_writable);
        return TCP_ACK_GOOD;
    }
    if (packet->tcp.sack_count && tcp->sack_ok) {
        take_sacks(world, tcp, &packet->tcp, prior_una, &news);
    }
    clean(world, tcp, prior_una, &news);
    sample_round_trip(world, tcp, packet, &news);
    news.duplicate = !news.una_advanced && !news.has_data && !news.window_update;
    if (tcp->probe_seq) {
        sim_tcp_tail_probe_acked(world, tcp, ack, &news);
    }
    sim_tcp_congestion_alert(world, tcp, &news);
    if ((news.una_advanced && news.data_acked) || news.sack_news || !tcp->packets_out) {
        if (tcp->retransmit_kind != SIM_TCP_RETRANSMIT_REORDER || !tcp->packets_out) {
            sim_tcp_timer_rearm(world, tcp);
        }
    }
    sim_tcp_congestion_control(world, tcp, &news);
    sim_tcp_retransmit_lost(world, tcp);
    wake_writers(world, tcp, was_writable);
    return TCP_ACK_GOOD;
}
