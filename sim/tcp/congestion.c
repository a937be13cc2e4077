/* TCP's congestion control: cwnd, what counts as loss, recovery, Reno and cubic in integers.
 * SPDX-License-Identifier: MIT
 *
 * Counts are of segments, as Linux counts. SIMPLER: no F-RTO, no pacing, no ECN; the reordering
 * degree does not adapt.
 */
#include "internal.h"

enum {
    CUBIC_BETA = 717, /* of 1024 */
    CUBIC_SCALE = 410,
    CUBIC_FRIENDLY = 15, /* 8 * (1024 + beta) / 3 / (1024 - beta) */
    REORDER_TIMER_LEAST_NS = TCP_MILLISECOND,
    HYSTART_LEAST_CWND = 16,
    HYSTART_SAMPLES = 8,
    HYSTART_ACK_GAP_US = 2000,
    HYSTART_DELAY_LEAST_US = 4000,
    HYSTART_DELAY_MOST_US = 16000,
};

void sim_tcp_congestion_init(struct sim_world *world, struct sim_tcp *tcp)
{
    (void)world;
    tcp->cwnd = TCP_INITIAL_CWND;
    tcp->ssthresh = TCP_INFINITE_SSTHRESH;
    tcp->cwnd_count = 0;
    tcp->congestion_state = CONGESTION_OPEN;
    tcp->reordering = TCP_DUPLICATE_THRESHOLD;
    tcp->undo_marker = tcp->undo_retransmits = 0;
    tcp->probe_seq = 0;
    tcp->rack_at = 0;
    tcp->cubic.last_max = tcp->cubic.epoch_start_ms = tcp->cubic.least_rtt_us = 0;
}

/* ---- growth ------------------------------------------------------------------------------- */

/* Adds one segment for each `count` acknowledged. */
static void grow_linearly(struct sim_tcp *tcp, uint32_t count, uint32_t acked)
{
    if (tcp->cwnd_count >= count) {
        tcp->cwnd_count = 0;
        tcp->cwnd++;
    }
    tcp->cwnd_count += acked;
    if (tcp->cwnd_count >= count) {
        uint32_t steps = tcp->cwnd_count / count;
        tcp->cwnd_count -= steps * count;
        tcp->cwnd += steps;
    }
}

static uint32_t cube_root(uint64_t value)
{
    uint32_t root = 0;
    for (int bit = 21; bit >= 0; bit--) {
        uint64_t candidate = root | (uint64_t)1 << bit;
        if (candidate * candidate * candidate <= value) {
            root = (uint32_t)candidate;
        }
    }
    return root;
}

/* RFC 9438 in Linux's fixed point: time in 1/1024 s, C = 410/1024. Returns how many ACKs make one
 * segment. */
static uint32_t cubic_count(const struct sim_world *world, struct sim_tcp *tcp, uint32_t acked)
{
    uint32_t now_ms = tcp_clock_ms(world);
    tcp->cubic.ack_count += acked;
    if (!tcp->cubic.epoch_start_ms) {
        tcp->cubic.epoch_start_ms = now_ms;
        tcp->cubic.ack_count = acked;
        tcp->cubic.tcp_cwnd = tcp->cwnd;
        if (tcp->cubic.last_max <= tcp->cwnd) {
            tcp->cubic.k_ms = 0;
            tcp->cubic.origin = tcp->cwnd;
        } else {
            uint64_t factor = ((uint64_t)1 << 40) / CUBIC_SCALE;
            tcp->cubic.k_ms = cube_root(factor * (tcp->cubic.last_max - tcp->cwnd));
            tcp->cubic.origin = tcp->cubic.last_max;
        }
    }
    uint64_t elapsed_ms = (uint64_t)(now_ms - tcp->cubic.epoch_start_ms) + tcp->min_rtt_us / 1000;
    uint64_t elapsed = (elapsed_ms << 10) / 1000;
    uint64_t offset = elapsed < tcp->cubic.k_ms ? tcp->cubic.k_ms - elapsed : elapsed - tcp->cubic.k_ms;
    if (offset > 1 << 16) {
        offset = 1 << 16;
    }
    uint32_t delta = (uint32_t)((CUBIC_SCALE * offset * offset * offset) >> 40);
    uint32_t target = elapsed < tcp->cubic.k_ms ? tcp->cubic.origin - smaller(delta, tcp->cubic.origin)
                                                : tcp->cubic.origin + delta;
    uint32_t count = target > tcp->cwnd ? tcp->cwnd / (target - tcp->cwnd) : 100 * tcp->cwnd;
    if (!tcp->cubic.last_max && count > 20) {
        count = 20;
    }
    uint32_t friendly = larger((tcp->cwnd * CUBIC_FRIENDLY) >> 3, 1);
    while (tcp->cubic.ack_count > friendly) { /* never slower than Reno would be */
        tcp->cubic.ack_count -= friendly;
        tcp->cubic.tcp_cwnd++;
    }
    if (tcp->cubic.tcp_cwnd > tcp->cwnd) {
        count = smaller(count, tcp->cwnd / (tcp->cubic.tcp_cwnd - tcp->cwnd));
    }
    return larger(count, 2);
}

/* ---- HyStart: leaving slow start before the queue overflows (RFC 9406's forerunner) -------- */

static uint32_t now_us(const struct sim_world *world)
{
    return (uint32_t)(world->now / 1000);
}

static void hystart_round(const struct sim_world *world, struct sim_tcp *tcp)
{
    tcp->cubic.round_end = tcp->snd_nxt;
    tcp->cubic.round_samples = 0;
    tcp->cubic.round_rtt_us = UINT32_MAX;
    tcp->cubic.round_start_us = tcp->cubic.last_ack_us = now_us(world);
}

/* Round trips that grow, or a train of ACKs as long as half a round trip: the path is full. */
static bool hystart_full(const struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t now = now_us(world);
    if (now - tcp->cubic.last_ack_us <= HYSTART_ACK_GAP_US) {
        tcp->cubic.last_ack_us = now;
        if (now - tcp->cubic.round_start_us > tcp->cubic.least_rtt_us / 2) {
            return true;
        }
    }
    uint32_t slack = larger(tcp->cubic.least_rtt_us >> 3, HYSTART_DELAY_LEAST_US);
    slack = smaller(slack, HYSTART_DELAY_MOST_US);
    return tcp->cubic.round_samples >= HYSTART_SAMPLES &&
           tcp->cubic.round_rtt_us > tcp->cubic.least_rtt_us + slack;
}

static void hystart(struct sim_world *world, struct sim_tcp *tcp, const struct tcp_acked *news)
{
    if (news->rtt_ns == SIM_NEVER) {
        return;
    }
    uint32_t rtt_us = larger((uint32_t)(news->rtt_ns / 1000), 1);
    bool fresh = !tcp->cubic.least_rtt_us;
    if (fresh || rtt_us < tcp->cubic.least_rtt_us) {
        tcp->cubic.least_rtt_us = rtt_us;
    }
    if (tcp->cwnd >= tcp->ssthresh || tcp->congestion_kind != CONGESTION_CUBIC) {
        return;
    }
    if (fresh || after(tcp->snd_una, tcp->cubic.round_end)) {
        hystart_round(world, tcp);
    }
    tcp->cubic.round_rtt_us = smaller(tcp->cubic.round_rtt_us, rtt_us);
    tcp->cubic.round_samples++;
    if (tcp->cwnd >= HYSTART_LEAST_CWND && hystart_full(world, tcp)) {
        tcp->ssthresh = tcp->cwnd;
    }
}

static void grow(struct sim_world *world, struct sim_tcp *tcp, const struct tcp_acked *news)
{
    uint32_t acked = news->acked;
    bool slow_start = tcp->cwnd < tcp->ssthresh;
    /* RFC 7661: a window that was not used does not grow. */
    if (slow_start ? 2 * news->prior_out <= tcp->cwnd : news->prior_out < tcp->cwnd) {
        return;
    }
    if (slow_start) {
        uint32_t cwnd = smaller(tcp->cwnd + acked, tcp->ssthresh);
        acked -= cwnd - tcp->cwnd;
        tcp->cwnd = cwnd;
        if (!acked) {
            return;
        }
    }
    uint32_t count = tcp->congestion_kind == CONGESTION_RENO ? tcp->cwnd
                                                             : cubic_count(world, tcp, acked);
    grow_linearly(tcp, count, acked);
}

/* ---- loss --------------------------------------------------------------------------------- */

static uint32_t threshold_after_loss(struct sim_tcp *tcp)
{
    if (tcp->congestion_kind == CONGESTION_RENO) {
        return larger(tcp->cwnd / 2, 2);
    }
    tcp->cubic.epoch_start_ms = 0;
    /* RFC 9438 4.7: a flow that lost earlier than last time gives way. */
    if (tcp->cwnd < tcp->cubic.last_max) {
        tcp->cubic.last_max = (uint32_t)((uint64_t)tcp->cwnd * (1024 + CUBIC_BETA) / 2048);
    } else {
        tcp->cubic.last_max = tcp->cwnd;
    }
    return larger((uint32_t)((uint64_t)tcp->cwnd * CUBIC_BETA / 1024), 2);
}

void sim_tcp_mark_lost(struct sim_tcp *tcp, struct sim_packet *kept)
{
    uint32_t *flags = &kept->kept.flags;
    if (*flags & KEPT_SACKED) {
        return;
    }
    if (*flags & KEPT_RETRANSMITTED) { /* the retransmission is lost too */
        *flags &= ~(uint32_t)KEPT_RETRANSMITTED;
        tcp->retransmitted_out--;
    }
    if (!(*flags & KEPT_LOST)) {
        *flags |= KEPT_LOST;
        tcp->lost_out++;
    }
}

static uint64_t reordering_window_ns(const struct sim_tcp *tcp)
{
    if (tcp->congestion_state >= CONGESTION_RECOVERY || tcp->sacked_out >= tcp->reordering) {
        return 0;
    }
    return (uint64_t)smaller(tcp->min_rtt_us >> 2, tcp->srtt_us8 >> 3) * 1000;
}

/* RFC 8985 6.2 step 5. */
uint64_t sim_tcp_rack_mark(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!tcp->rack_at) {
        return 0;
    }
    uint64_t window_ns = (uint64_t)tcp->rack_rtt_us * 1000 + reordering_window_ns(tcp);
    uint64_t wait_ns = 0;
    for (struct sim_packet *kept = tcp_first_kept(world, tcp); kept;
         kept = tcp_kept_next(world, kept)) {
        uint32_t flags = kept->kept.flags;
        if ((flags & KEPT_SACKED) || ((flags & KEPT_LOST) && !(flags & KEPT_RETRANSMITTED))) {
            continue;
        }
        uint32_t end = kept->kept.header.sequence + (uint32_t)kept->payload.length;
        uint64_t mark = tcp_mark(kept->kept.left_at);
        if (mark > tcp->rack_at || (mark == tcp->rack_at && !after(tcp->rack_end, end))) {
            continue; /* sent after what was delivered */
        }
        uint64_t age_ns = world->now - kept->kept.left_at;
        if (age_ns >= window_ns) {
            sim_tcp_mark_lost(tcp, kept);
        } else if (window_ns - age_ns > wait_ns) {
            wait_ns = window_ns - age_ns;
        }
    }
    return wait_ns;
}

/* What must be known to take a reduction back. */
static void begin_undo(struct sim_tcp *tcp)
{
    tcp->prior_cwnd = tcp->cwnd;
    tcp->prior_ssthresh = tcp->ssthresh;
    tcp->undo_marker = tcp->snd_una;
    tcp->undo_retransmits = tcp->retransmitted_out ? tcp->retransmitted_out : UINT32_MAX;
}

/* RFC 2883, RFC 3522: every retransmission came twice, or what was acknowledged left before any:
 * nothing had been lost. */
static bool was_mistaken(const struct sim_world *world, const struct sim_tcp *tcp,
                         const struct tcp_acked *news)
{
    if (!tcp->undo_marker) {
        return false;
    }
    uint32_t retransmitted_ms = tcp_clock_ms(world) -
                                (uint32_t)(tcp_since(world, tcp->retransmit_since) / TCP_MILLISECOND);
    bool delayed = tcp->retransmit_since && news->echo && before(news->echo, retransmitted_ms);
    return !tcp->undo_retransmits || delayed;
}

static void undo(const struct sim_world *world, struct sim_tcp *tcp)
{
    tcp->cwnd = larger(tcp->cwnd, tcp->prior_cwnd);
    tcp->ssthresh = larger(tcp->ssthresh, tcp->prior_ssthresh);
    tcp->undo_marker = 0;
    struct sim_packet *kept = tcp_first_kept(world, tcp);
    for (; kept; kept = tcp_kept_next(world, kept)) {
        kept->kept.flags &= ~(uint32_t)KEPT_LOST;
    }
    tcp->lost_out = 0;
    tcp->congestion_state = CONGESTION_OPEN;
}

static void enter_recovery(struct sim_tcp *tcp)
{
    begin_undo(tcp);
    tcp->recovery_point = tcp->snd_nxt;
    tcp->probe_seq = 0;
    tcp->cwnd_count = 0;
    tcp->recovery_delivered = tcp->recovery_sent = 0;
    tcp->ssthresh = threshold_after_loss(tcp);
    tcp->congestion_state = CONGESTION_RECOVERY;
}

static void forget_retransmissions(struct sim_tcp *tcp)
{
    if (!tcp->retransmitted_out) {
        tcp->retransmit_since = 0;
    }
}

/* RFC 6582 3.2, LINUX: without SACK the old state holds until something beyond is acknowledged, lest
 * duplicates of the past start another recovery. */
static bool recovered(const struct sim_tcp *tcp)
{
    return tcp->sack_ok ? !before(tcp->snd_una, tcp->recovery_point)
                        : after(tcp->snd_una, tcp->recovery_point);
}

static void leave_recovery(struct sim_tcp *tcp)
{
    if (tcp->congestion_state == CONGESTION_RECOVERY && tcp->ssthresh < TCP_INFINITE_SSTHRESH) {
        tcp->cwnd = tcp->ssthresh;
    }
    tcp->congestion_state = CONGESTION_OPEN;
    tcp->undo_marker = 0;
    if (!tcp->sack_ok) {
        tcp->sacked_out = 0;
    }
    forget_retransmissions(tcp);
}

/* Without SACK each duplicate ACK stands for one segment that arrived (RFC 6582). */
static void count_duplicate(struct sim_tcp *tcp, struct tcp_acked *news)
{
    if (news->una_advanced) {
        /* One of those acknowledged filled the hole, the others were counted as duplicates. */
        uint32_t eaten = news->acked ? news->acked - 1 : 0;
        if (tcp->sacked_out && news->acked) {
            news->acked = larger(news->acked, tcp->sacked_out + 1) - tcp->sacked_out;
        }
        tcp->sacked_out -= smaller(tcp->sacked_out, eaten);
        if (tcp->congestion_state < CONGESTION_RECOVERY) {
            tcp->sacked_out = 0;
        }
    } else if (news->duplicate && tcp->packets_out) {
        tcp->sacked_out++;
        news->acked = 1;
    }
    uint32_t most = tcp->packets_out > tcp->lost_out + 1 ? tcp->packets_out - tcp->lost_out - 1 : 0;
    tcp->sacked_out = smaller(tcp->sacked_out, most);
}

static void find_losses(struct sim_world *world, struct sim_tcp *tcp, const struct tcp_acked *news)
{
    if (tcp->sack_ok) {
        uint64_t wait_ns = sim_tcp_rack_mark(world, tcp);
        if (wait_ns) {
            sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_REORDER,
                                     wait_ns > REORDER_TIMER_LEAST_NS ? wait_ns
                                                                      : REORDER_TIMER_LEAST_NS);
        }
        return;
    }
    bool proven = tcp->congestion_state < CONGESTION_RECOVERY
                      ? tcp->sacked_out >= tcp->reordering
                      : news->una_advanced && tcp->congestion_state == CONGESTION_RECOVERY;
    struct sim_packet *head = tcp_first_kept(world, tcp);
    if (proven && head) {
        sim_tcp_mark_lost(tcp, head);
        tcp->sacked_out = smaller(tcp->sacked_out, tcp->packets_out - tcp->lost_out);
    }
}

void sim_tcp_congestion_alert(struct sim_world *world, struct sim_tcp *tcp, struct tcp_acked *news)
{
    if (!tcp->sack_ok) {
        count_duplicate(tcp, news);
    }
    if (tcp->congestion_state == CONGESTION_OPEN && !tcp->sacked_out && !tcp->lost_out) {
        forget_retransmissions(tcp);
        return;
    }
    if (tcp->congestion_state >= CONGESTION_RECOVERY) {
        if (news->una_advanced && was_mistaken(world, tcp, news)) {
            undo(world, tcp);
        } else if (recovered(tcp)) {
            leave_recovery(tcp);
        }
    }
    find_losses(world, tcp, news);
    if (tcp->congestion_state >= CONGESTION_RECOVERY) {
        return;
    }
    if (tcp->lost_out) {
        enter_recovery(tcp);
    } else {
        tcp->congestion_state = tcp->sacked_out ? CONGESTION_DISORDER : CONGESTION_OPEN;
    }
    if (tcp->congestion_state == CONGESTION_OPEN) {
        forget_retransmissions(tcp);
    }
}

/* RFC 6937: proportional rate reduction. */
static void reduce(struct sim_tcp *tcp, const struct tcp_acked *news)
{
    if (!news->acked || !tcp->prior_cwnd) {
        return;
    }
    uint32_t in_flight = tcp_in_flight(tcp);
    tcp->recovery_delivered += news->acked;
    int64_t send;
    if (in_flight > tcp->ssthresh) {
        uint64_t share = (uint64_t)tcp->ssthresh * tcp->recovery_delivered + tcp->prior_cwnd - 1;
        send = (int64_t)(share / tcp->prior_cwnd) - tcp->recovery_sent;
    } else {
        send = (int64_t)tcp->recovery_delivered - tcp->recovery_sent;
        if (send < news->acked) {
            send = news->acked;
        }
        if (news->una_advanced && !news->newly_lost) {
            send++;
        }
        if (send > (int64_t)(tcp->ssthresh - in_flight)) {
            send = tcp->ssthresh - in_flight;
        }
    }
    int64_t least = tcp->recovery_sent ? 0 : 1; /* the fast retransmission itself */
    if (send < least) {
        send = least;
    }
    tcp->cwnd = in_flight + (uint32_t)send;
}

void sim_tcp_congestion_control(struct sim_world *world, struct sim_tcp *tcp,
                                const struct tcp_acked *news)
{
    if (tcp->congestion_state == CONGESTION_RECOVERY) {
        reduce(tcp, news);
    } else if (news->acked && news->data_acked) {
        grow(world, tcp, news);
    }
    if (tcp->congestion_state <= CONGESTION_DISORDER && news->acked) {
        hystart(world, tcp, news);
    }
    tcp->cwnd = larger(tcp->cwnd, 1);
}

void sim_tcp_enter_loss(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!tcp->sack_ok) {
        tcp->sacked_out = 0;
    }
    struct sim_packet *head = tcp_first_kept(world, tcp);
    bool reneged = head && (head->kept.flags & KEPT_SACKED);
    for (struct sim_packet *kept = head; kept; kept = tcp_kept_next(world, kept)) {
        if (reneged && (kept->kept.flags & KEPT_SACKED)) { /* RFC 2018 8: the peer forgot */
            kept->kept.flags &= ~(uint32_t)KEPT_SACKED;
            tcp->sacked_out--;
        } else if (kept != head && tcp->sack_ok &&
                   world->now - kept->kept.left_at < (uint64_t)tcp->rack_rtt_us * 1000) {
            continue; /* LINUX: sent too recently to be given up */
        }
        sim_tcp_mark_lost(tcp, kept);
    }
    if (tcp->congestion_state <= CONGESTION_DISORDER || !after(tcp->recovery_point, tcp->snd_una) ||
        (tcp->congestion_state == CONGESTION_LOSS && !tcp->retransmits)) {
        begin_undo(tcp);
        tcp->ssthresh = threshold_after_loss(tcp);
    }
    tcp->cwnd = tcp_in_flight(tcp) + 1;
    tcp->cwnd_count = 0;
    tcp->congestion_state = CONGESTION_LOSS;
    tcp->recovery_point = tcp->snd_nxt;
    tcp->probe_seq = 0;
}

void sim_tcp_rack_timer(struct sim_world *world, struct sim_tcp *tcp)
{
    (void)sim_tcp_rack_mark(world, tcp);
    if (tcp->lost_out > tcp->retransmitted_out) {
        if (tcp->congestion_state < CONGESTION_RECOVERY) {
            enter_recovery(tcp);
            struct tcp_acked news = {.acked = 1, .newly_lost = 1};
            reduce(tcp, &news);
        }
        sim_tcp_retransmit_lost(world, tcp);
    }
    if (tcp->retransmit_kind != SIM_TCP_RETRANSMIT_RTO && tcp->packets_out) {
        sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO, tcp->rto_ns);
    }
}

void sim_tcp_tail_probe_acked(struct sim_world *world, struct sim_tcp *tcp, uint32_t ack,
                              const struct tcp_acked *news)
{
    (void)world;
    if (before(ack, tcp->probe_seq)) {
        return;
    }
    if (!tcp->probe_is_retransmission || news->dsack) {
        tcp->probe_seq = 0;
    } else if (after(ack, tcp->probe_seq)) {
        /* The probe repaired a loss that nothing else told of: slow down for it. */
        tcp->probe_seq = 0;
        tcp->ssthresh = threshold_after_loss(tcp);
        tcp->cwnd = tcp->ssthresh;
    } else if (news->duplicate && !news->sack_news) {
        tcp->probe_seq = 0;
    }
}

void sim_tcp_congestion_after_idle(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->packets_out || !tcp_setting(world, tcp, SIM_SETTING_TCP_SLOW_START_AFTER_IDLE)) {
        return;
    }
    uint64_t idle_ns = world->now - tcp->last_sent_at;
    if (!tcp->last_sent_at || idle_ns <= tcp->rto_ns) {
        return;
    }
    /* RFC 2861: halved for each RTO of silence; what was known of the path is kept in ssthresh. */
    uint32_t cwnd = tcp->cwnd;
    uint32_t least = smaller(TCP_INITIAL_CWND, cwnd);
    tcp->ssthresh = larger(tcp->ssthresh, (cwnd >> 1) + (cwnd >> 2));
    while (idle_ns > tcp->rto_ns && cwnd > least) {
        idle_ns -= tcp->rto_ns;
        cwnd >>= 1;
    }
    tcp->cwnd = larger(cwnd, least);
    tcp->cubic.epoch_start_ms = 0;
}
