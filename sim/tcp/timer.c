/* TCP's timers: the durations, and how each is armed; tcp/timeout.c says what each means.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>

#include "core/event.h"
#include "socket/sockets.h"

enum {
    DELAYED_ACK_MAX_MS = 200,
    DELAYED_ACK_HALF_SECOND_MS = 500,
};

/* ---- the mechanism ------------------------------------------------------------------------ */

void sim_tcp_timer_set(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_timer timer,
                       uint64_t at)
{
    if (at <= world->now) {
        at = world->now;
    }
    struct sim_event_id *event = &tcp->timer_event[timer];
    tcp->timer_at[timer] = tcp_mark(at);
    /* A deadline that moves away leaves its event where it is: it fires, finds that it is early and
     * queues itself again. Bulk transfer moves the RTO with each ACK and never touches the queue. */
    if (event->index) {
        if (sim_event_at(world, *event)->at <= at) {
            return;
        }
        sim_event_cancel(world, event);
    }
    *event = sim_event_push(world, at, SIM_EVENT_TCP_TIMER, tcp_id(world, tcp).index, timer, 0);
    assert(event->index);
}

void sim_tcp_timer_stop(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_timer timer)
{
    tcp->timer_at[timer] = 0;
    if (timer == SIM_TCP_TIMER_RETRANSMIT) {
        tcp->retransmit_kind = SIM_TCP_RETRANSMIT_OFF;
    }
    /* The event goes too: an idle connection must not keep a world from being idle. */
    if (tcp->timer_event[timer].index) {
        sim_event_cancel(world, &tcp->timer_event[timer]);
    }
}

void sim_tcp_timer_stop_all(struct sim_world *world, struct sim_tcp *tcp)
{
    for (int timer = 0; timer < SIM_TCP_TIMER_COUNT; timer++) {
        sim_tcp_timer_stop(world, tcp, (enum sim_tcp_timer)timer);
    }
}

void sim_tcp_timer_retransmit(struct sim_world *world, struct sim_tcp *tcp,
                              enum sim_tcp_retransmit_kind kind, uint64_t after_ns)
{
    uint64_t most = sim_tcp_rto_max_ns(world, tcp);
    if (after_ns > most) {
        after_ns = most;
    }
    tcp->retransmit_kind = (uint8_t)kind;
    sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_RETRANSMIT, world->now + after_ns);
}

uint64_t sim_tcp_rto_min_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    return (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RTO_MIN_US) * 1000;
}

uint64_t sim_tcp_rto_max_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    return (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_RTO_MAX_MS) * TCP_MILLISECOND;
}

/* ---- retransmission ----------------------------------------------------------------------- */

/* Time until the first unacknowledged segment has been out for an RTO; may be negative. */
static int64_t rto_left_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    const struct sim_packet *head = tcp_first_kept(world, tcp);
    uint64_t left_at = head ? head->kept.left_at : world->now;
    return (int64_t)(left_at + tcp->rto_ns - world->now);
}

void sim_tcp_timer_rearm_rto(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!tcp->packets_out) {
        sim_tcp_timer_stop(world, tcp, SIM_TCP_TIMER_RETRANSMIT);
        return;
    }
    uint64_t after_ns = tcp->rto_ns;
    if (tcp->retransmit_kind == SIM_TCP_RETRANSMIT_PROBE ||
        tcp->retransmit_kind == SIM_TCP_RETRANSMIT_REORDER) {
        int64_t left_ns = rto_left_ns(world, tcp);
        after_ns = left_ns > 1000 ? (uint64_t)left_ns : 1000;
    }
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_RTO,
                             sim_tcp_user_timeout_clamped(world, tcp, after_ns));
}

static bool arm_tail_probe(struct sim_world *world, struct sim_tcp *tcp, bool advancing)
{
    if (!tcp->packets_out || !tcp->sack_ok || tcp->congestion_state != CONGESTION_OPEN) {
        return false;
    }
    uint64_t after_ns = TCP_RTO_INITIAL_NS;
    if (tcp->srtt_us8) {
        after_ns = (uint64_t)(tcp->srtt_us8 >> 2) * 1000; /* 2 SRTT */
        after_ns += tcp->packets_out == 1 ? sim_tcp_rto_min_ns(world, tcp) : TCP_TIMEOUT_MIN_NS;
    }
    int64_t left_ns = advancing ? (int64_t)tcp->rto_ns : rto_left_ns(world, tcp);
    if (left_ns > 0 && (uint64_t)left_ns < after_ns) {
        after_ns = (uint64_t)left_ns;
    }
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_PROBE, after_ns);
    return true;
}

bool sim_tcp_timer_tail_probe(struct sim_world *world, struct sim_tcp *tcp)
{
    return arm_tail_probe(world, tcp, false);
}

void sim_tcp_timer_rearm(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!arm_tail_probe(world, tcp, true)) {
        sim_tcp_timer_rearm_rto(world, tcp);
    }
}

void sim_tcp_timer_data_sent(struct sim_world *world, struct sim_tcp *tcp, uint32_t packets_before)
{
    if (!packets_before || tcp->retransmit_kind == SIM_TCP_RETRANSMIT_PROBE) {
        sim_tcp_timer_rearm_rto(world, tcp);
    }
}

uint64_t sim_tcp_user_timeout_clamped(const struct sim_world *world, const struct sim_tcp *tcp,
                                      uint64_t after_ns)
{
    if (!tcp->user_timeout_ms || !tcp->retransmit_since) {
        return after_ns;
    }
    int64_t left_ns = (int64_t)((uint64_t)tcp->user_timeout_ms * TCP_MILLISECOND -
                                tcp_since(world, tcp->retransmit_since));
    if (left_ns <= 0) {
        return TCP_MILLISECOND;
    }
    return (uint64_t)left_ns < after_ns ? (uint64_t)left_ns : after_ns;
}

/* ---- the peer's closed window ------------------------------------------------------------- */

uint64_t sim_tcp_window_probe_after_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint64_t base = tcp->rto_ns > TCP_RTO_BASE_NS ? tcp->rto_ns : TCP_RTO_BASE_NS;
    uint64_t most = sim_tcp_rto_max_ns(world, tcp);
    uint32_t shift = smaller(tcp_log2(most / TCP_RTO_BASE_NS) + 1, tcp->backoff);
    uint64_t after_ns = base << shift;
    return after_ns < most ? after_ns : most;
}

void sim_tcp_timer_window_probe(struct sim_world *world, struct sim_tcp *tcp, bool again)
{
    uint64_t base = tcp->rto_ns > TCP_RTO_BASE_NS ? tcp->rto_ns : TCP_RTO_BASE_NS;
    sim_tcp_timer_retransmit(world, tcp, SIM_TCP_RETRANSMIT_WINDOW,
                             again ? sim_tcp_window_probe_after_ns(world, tcp) : base);
}

/* ---- delayed ACK -------------------------------------------------------------------------- */

bool sim_tcp_timer_delayed_ack(struct sim_world *world, struct sim_tcp *tcp)
{
    uint32_t after_ms = tcp->ack_timeout_ms;
    if (after_ms > ACK_TIMEOUT_MIN_MS) {
        uint32_t most = DELAYED_ACK_HALF_SECOND_MS;
        if (tcp->pingpong || (tcp->ack_pending & ACK_PUSHED)) {
            most = DELAYED_ACK_MAX_MS;
        }
        if (tcp->srtt_us8) {
            most = smaller(most, larger(tcp->srtt_us8 / 8000, ACK_TIMEOUT_MIN_MS));
        }
        after_ms = smaller(after_ms, most);
    }
    after_ms = smaller(after_ms, DELAYED_ACK_MAX_MS);
    uint64_t after_ns = (uint64_t)after_ms * TCP_MILLISECOND;
    uint64_t at = world->now + after_ns;
    if (tcp->ack_pending & ACK_TIMER) {
        uint64_t armed = tcp->timer_at[SIM_TCP_TIMER_DELAYED_ACK] - 1;
        if (armed <= world->now + after_ns / 4) {
            return false;
        }
        at = at < armed ? at : armed;
    }
    tcp->ack_pending |= ACK_SCHEDULED | ACK_TIMER;
    sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_DELAYED_ACK, at);
    return true;
}

/* ---- keepalive, and the ends -------------------------------------------------------------- */

uint64_t sim_tcp_keepalive_idle_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint64_t seconds = tcp->keepalive_idle_s
                           ? tcp->keepalive_idle_s
                           : (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_KEEPALIVE_TIME);
    return seconds * TCP_SECOND;
}

uint64_t sim_tcp_keepalive_elapsed_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint64_t heard = tcp->last_received_at > tcp->last_heard_at ? tcp->last_received_at
                                                                : tcp->last_heard_at;
    return world->now - heard;
}

void sim_tcp_timer_keepalive_starts(struct sim_world *world, struct sim_tcp *tcp)
{
    if (!(tcp_socket(world, tcp)->options & SIM_OPTION_KEEPALIVE) ||
        tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN) | STATE(SYN_SENT) | STATE(TIME_WAIT))) {
        return;
    }
    uint64_t idle_ns = sim_tcp_keepalive_idle_ns(world, tcp);
    uint64_t elapsed_ns = sim_tcp_keepalive_elapsed_ns(world, tcp);
    uint64_t left_ns = idle_ns > elapsed_ns ? idle_ns - elapsed_ns : 0;
    sim_tcp_timer_set(world, tcp, SIM_TCP_TIMER_KEEPALIVE, world->now + left_ns);
}
