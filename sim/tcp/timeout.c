/* TCP's timers when they fire: one function for what each means.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>

#include "socket/sockets.h"

enum {
    RESOURCE_PROBE_NS = 500 * TCP_MILLISECOND, /* the host had no packet: try again */
    ORPHAN_RETRIES = 8,
};

/* ---- retransmission ----------------------------------------------------------------------- */

/* LINUX: "so many retries" means the time that so many would take with backoff from the base. */
static bool retried_long_enough(const struct sim_world *world, const struct sim_tcp *tcp,
                                uint32_t boundary, uint64_t timeout_ns)
{
    if (!tcp->retransmits) {
        return false;
    }
    if (!timeout_ns) {
        bool opening = tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED));
        uint64_t base = opening ? TCP_RTO_INITIAL_NS : TCP_RTO_BASE_NS;
        uint64_t most = sim_tcp_rto_max_ns(world, tcp);
        uint32_t linear = tcp_log2(most / base);
        if (boundary <= linear) {
            timeout_ns = ((2ULL << boundary) - 1) * base;
        } else {
            timeout_ns = ((2ULL << linear) - 1) * base + (boundary - linear) * most;
        }
    }
    return tcp_since(world, tcp->retransmit_since) >= timeout_ns;
}

static uint32_t orphan_retries(const struct sim_world *world, const struct sim_tcp *tcp, bool alive)
{
    uint32_t retries = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_ORPHAN_RETRIES);
    if (tcp_socket(world, tcp)->soft_error && !alive) {
        retries = 0;
    }
    if (!retries && alive) {
        retries = ORPHAN_RETRIES;
    }
    return retries;
}

static void give_up(struct sim_world *world, struct sim_tcp *tcp)
{
    int reason = tcp_socket(world, tcp)->soft_error;
    sim_tcp_abort(world, tcp, reason ? reason : ETIMEDOUT);
}

static bool retransmitted_enough(struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t retries;
    if (tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        retries = tcp->syn_count ? tcp->syn_count
                                 : (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_SYN_RETRIES);
        uint32_t most = retries;
        if (tcp->state == SIM_TCP_SYN_SENT) {
            most += (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_SYN_LINEAR_TIMEOUTS);
        }
        /* LINUX: the linear attempts add to the count but not to the time, and the time decides
         * too: 6 + 4 attempts last 131 s, 1 + 4 attempts only 3 s. */
        if (tcp->retransmits >= most) {
            return true;
        }
    } else {
        retries = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RETRIES2);
        if (tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN) {
            retries = orphan_retries(world, tcp, tcp->rto_ns < sim_tcp_rto_max_ns(world, tcp));
        }
    }
    return retried_long_enough(world, tcp, retries, (uint64_t)tcp->user_timeout_ms * TCP_MILLISECOND);
}

static void back_off(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->state == SIM_TCP_SYN_SENT &&
        tcp->total_timeouts <= tcp_setting(world, tcp, SIM_SETTING_TCP_SYN_LINEAR_TIMEOUTS)) {
        return;
    }
    if (DRY_MUTANT(retransmission_never_backs_off)) {
        return;
    }
    tcp->backoff++;
    uint64_t most = sim_tcp_rto_max_ns(world, tcp);
    tcp->rto_ns = tcp->rto_ns * 2 < most ? tcp->rto_ns * 2 : most;
}

/* The window is shut in the face of data sent: probe with it, give up only by time. */
static bool retransmit_into_zero_window(struct sim_world *world, struct sim_tcp *tcp,
                                        struct sim_packet *head)
{
    uint64_t since = tcp->retransmit_since ? tcp->retransmit_since : tcp_mark(head->kept.left_at);
    uint64_t limit_ns = tcp->user_timeout_ms ? (uint64_t)tcp->user_timeout_ms * TCP_MILLISECOND
                                             : 2 * sim_tcp_rto_max_ns(world, tcp);
    /* LINUX: only once nothing at all was heard for as long. */
    if (world->now - tcp->last_heard_at > limit_ns && tcp_since(world, since) > limit_ns) {
        give_up(world, tcp);
        return false;
    }
    sim_tcp_enter_loss(world, tcp);
    sim_tcp_retransmit(world, tcp, head);
    return true;
}

static void retransmit_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_packet *head = tcp_first_kept(world, tcp);
    if (!head) {
        return;
    }
    bool orphan = tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN;
    if (!tcp->snd_wnd && !orphan && !tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        if (!retransmit_into_zero_window(world, tcp, head)) {
            return;
        }
    } else {
        if (retransmitted_enough(world, tcp)) {
            give_up(world, tcp);
            return;
        }
        sim_tcp_enter_loss(world, tcp);
        tcp->retransmits++;
        tcp->total_timeouts++;
        if (!sim_tcp_retransmit(world, tcp, tcp_first_kept(world, tcp))) {
            sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO, RESOURCE_PROBE_NS);
            return;
        }
    }
    back_off(world, tcp);
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO,
                             sim_tcp_user_timeout_clamped(world, tcp, tcp->rto_ns));
}

static void tail_probe_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_packet *last = tcp->last_sent.index ? sim_packet_at(world, tcp->last_sent) : NULL;
    if (!tcp->probe_seq && last) {
        uint32_t packets_before = tcp->packets_out;
        if (tcp->send.length && before(tcp->snd_nxt, tcp->snd_una + tcp->snd_wnd)) {
            tcp->retransmit_kind = SIM_TCP_RETRANSMIT_OFF;
            sim_tcp_push_one(world, tcp);
            tcp->probe_is_retransmission = 0;
        }
        uint64_t since = tcp->retransmit_since;
        if (tcp->packets_out == packets_before && sim_tcp_retransmit(world, tcp, last) &&
            (last->kept.flags & KEPT_RETRANSMITTED)) {
            /* The probe is not counted as a retransmission in flight: its answer tells. */
            last->kept.flags &= ~(uint32_t)KEPT_RETRANSMITTED;
            tcp->retransmitted_out--;
            tcp->probe_is_retransmission = 1;
            tcp->retransmit_since = since; /* LINUX: nor as the first of a run of timeouts */
        }
        tcp->probe_seq = tcp->snd_nxt;
        tcp->retransmit_kind = SIM_TCP_RETRANSMIT_OFF; /* the RTO counts from now */
    }
    sim_tcp_timer_rearm_rto(world, tcp);
}

/* ---- the peer's closed window ------------------------------------------------------------- */

static void window_probe_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp->packets_out || tcp->snd_nxt == tcp->write_seq) {
        tcp->probes = 0;
        tcp->probes_since = 0;
        return;
    }
    uint64_t timeout_ns = (uint64_t)tcp->user_timeout_ms * TCP_MILLISECOND;
    uint32_t most = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RETRIES2);
    bool over = false;
    if (!tcp->probes_since) {
        tcp->probes_since = tcp_mark(world->now);
    } else {
        over = timeout_ns && tcp_since(world, tcp->probes_since) >= timeout_ns;
    }
    if (tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN) {
        bool alive = sim_tcp_window_probe_after_ns(world, tcp) < sim_tcp_rto_max_ns(world, tcp);
        most = orphan_retries(world, tcp, alive);
        over = over || (!alive && tcp->backoff >= most);
    }
    if (over || tcp->probes >= most) {
        give_up(world, tcp);
        return;
    }
    sim_tcp_send_probe(world, tcp);
    if (tcp->packets_out || tcp->snd_nxt == tcp->write_seq) {
        tcp->probes = tcp->backoff = 0;
        tcp->probes_since = 0;
        return;
    }
    tcp->probes++;
    if (tcp->backoff < tcp_setting(world, tcp, SIM_SETTING_TCP_RETRIES2)) {
        tcp->backoff++;
    }
    uint64_t after_ns = sim_tcp_window_probe_after_ns(world, tcp);
    if (timeout_ns) { /* no later than the user's timeout */
        uint64_t elapsed_ns = tcp_since(world, tcp->probes_since);
        uint64_t left_ns = timeout_ns > elapsed_ns ? timeout_ns - elapsed_ns : 0;
        if (left_ns < TCP_TIMEOUT_MIN_NS) {
            left_ns = TCP_TIMEOUT_MIN_NS;
        }
        after_ns = left_ns < after_ns ? left_ns : after_ns;
    }
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_WINDOW, after_ns);
}

/* ---- delayed ACK, keepalive, and the ends -------------------------------------------------- */

static void delayed_ack_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    if (tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN)) || !(tcp->ack_pending & ACK_TIMER)) {
        return;
    }
    tcp->ack_pending &= (uint8_t)~ACK_TIMER;
    if (!(tcp->ack_pending & ACK_SCHEDULED)) {
        return;
    }
    if (!tcp->pingpong) { /* a missed delay: wait longer next time */
        tcp->ack_timeout_ms = smaller(tcp->ack_timeout_ms << 1,
                                      (uint32_t)(tcp->rto_ns / TCP_MILLISECOND));
    } else { /* the conversation ended: acknowledge quickly until it goes on */
        tcp->pingpong = 0;
        tcp->ack_timeout_ms = ACK_TIMEOUT_MIN_MS;
    }
    sim_tcp_send_ack(world, tcp);
}

static void keepalive_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!(tcp_socket(world, tcp)->options & SIM_OPTION_KEEPALIVE) ||
        tcp_in(tcp, STATE(CLOSED) | STATE(SYN_SENT))) {
        return;
    }
    uint64_t idle_ns = sim_tcp_keepalive_idle_ns(world, tcp);
    uint64_t elapsed_ns = sim_tcp_keepalive_elapsed_ns(world, tcp);
    uint64_t next_ns = idle_ns;
    if (!tcp->packets_out && tcp->snd_nxt == tcp->write_seq) {
        next_ns = idle_ns - elapsed_ns;
        if (elapsed_ns >= idle_ns) {
            uint64_t timeout_ns = (uint64_t)tcp->user_timeout_ms * TCP_MILLISECOND;
            uint32_t most = tcp->keepalive_count
                                ? tcp->keepalive_count
                                : (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_KEEPALIVE_PROBES);
            if (timeout_ns ? elapsed_ns >= timeout_ns && tcp->probes > 0 : tcp->probes >= most) {
                sim_tcp_send_reset(world, tcp);
                give_up(world, tcp);
                return;
            }
            sim_tcp_send_keepalive(world, tcp);
            tcp->probes++;
            uint64_t seconds = tcp->keepalive_interval_s
                                   ? tcp->keepalive_interval_s
                                   : (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_KEEPALIVE_INTVL);
            next_ns = seconds * TCP_SECOND;
        }
    }
    sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_KEEPALIVE, world->now + next_ns);
}

static void retransmit_timer_fires(struct sim_world *world, struct sim_tcp *tcp)
{
    enum sim_tcp_retransmit_kind kind = tcp->retransmit_kind;
    tcp->retransmit_kind = SIM_TCP_RETRANSMIT_OFF;
    switch (kind) {
    case SIM_TCP_RETRANSMIT_RTO:
        retransmit_fires(world, tcp);
        break;
    case SIM_TCP_RETRANSMIT_PROBE:
        tcp->retransmit_kind = SIM_TCP_RETRANSMIT_PROBE;
        tail_probe_fires(world, tcp);
        break;
    case SIM_TCP_RETRANSMIT_REORDER:
        sim_tcp_rack_timer(world, tcp);
        break;
    case SIM_TCP_RETRANSMIT_WINDOW:
        window_probe_fires(world, tcp);
        break;
    case SIM_TCP_RETRANSMIT_OFF:
        break;
    }
}

void sim_tcp_timer_fires(struct sim_world *world, struct sim_tcp_id id, enum sim_tcp_timer timer)
{
    struct sim_tcp *tcp = sim_tcp_at(world, id);
    assert(tcp->slot.live && timer < SIM_TCP_TIMER_COUNT);
    tcp->timer_event[timer] = (struct sim_event_id){0};
    uint64_t mark = tcp->timer_at[timer];
    if (!mark) {
        return;
    }
    if (mark - 1 > world->now) {
        sim_tcp_timer_set(world, tcp, timer, mark - 1);
        return;
    }
    tcp->timer_at[timer] = 0;
    struct sim_socket_id socket = tcp->socket;
    if (timer == SIM_TCP_TIMER_RETRANSMIT) {
        retransmit_timer_fires(world, tcp);
    } else if (timer == SIM_TCP_TIMER_DELAYED_ACK) {
        delayed_ack_fires(world, tcp);
    } else if (tcp->listener.index && tcp->state == SIM_TCP_SYN_RECEIVED) {
        sim_tcp_child_timer(world, tcp);
    } else if (tcp->state == SIM_TCP_TIME_WAIT || sim_tcp_is_time_wait(world, socket)) {
        sim_tcp_done(world, tcp);
    } else {
        keepalive_fires(world, tcp);
    }
    sim_tcp_reap(world, socket);
}
