/* TCP's states: the lawful steps between them, and how a connection ends.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <poll.h>

#include "core/bytes.h"
#include "core/event.h"
#include "file/wait.h"
#include "socket/port.h"
#include "socket/sockets.h"

/* From each state, the set it may step to. CLOSED is reachable from everywhere: RST, timeout,
 * disconnect. */
static const uint32_t lawful[SIM_TCP_STATE_COUNT] = {
    [SIM_TCP_CLOSED] = STATE(LISTEN) | STATE(SYN_SENT) | STATE(SYN_RECEIVED) | STATE(TIME_WAIT) |
                       STATE(FIN_WAIT_2), /* the last two: a block that takes over from another */
    [SIM_TCP_LISTEN] = 0,
    [SIM_TCP_SYN_SENT] = STATE(ESTABLISHED) | STATE(SYN_RECEIVED),
    [SIM_TCP_SYN_RECEIVED] = STATE(ESTABLISHED) | STATE(FIN_WAIT_1) | STATE(CLOSE_WAIT),
    [SIM_TCP_ESTABLISHED] = STATE(FIN_WAIT_1) | STATE(CLOSE_WAIT),
    [SIM_TCP_FIN_WAIT_1] = STATE(FIN_WAIT_2) | STATE(CLOSING),
    [SIM_TCP_FIN_WAIT_2] = STATE(TIME_WAIT),
    [SIM_TCP_CLOSE_WAIT] = STATE(LAST_ACK),
    [SIM_TCP_CLOSING] = STATE(TIME_WAIT),
    [SIM_TCP_LAST_ACK] = 0,
    [SIM_TCP_TIME_WAIT] = 0,
};

static const char *const names[SIM_TCP_STATE_COUNT] = {
    "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",
};

const char *sim_tcp_state_name(enum sim_tcp_state state)
{
    assert((unsigned)state < SIM_TCP_STATE_COUNT);
    return names[state];
}

void sim_tcp_state_change(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_state state)
{
    assert(state == SIM_TCP_CLOSED || state == tcp->state || (lawful[tcp->state] & (1U << state)));
    tcp->state = state;
    if (tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN) {
        sim_wake_socket(world, tcp->socket, POLLHUP); /* a lingering close() */
    }
    if (state != SIM_TCP_CLOSED) {
        return;
    }
    /* LINUX: a port that bind() chose stays taken until the socket goes; one that connect() chose is
     * given back at once. */
    struct sim_socket *socket = tcp_socket(world, tcp);
    sim_port_disconnect(world, tcp->socket);
    socket->flags &= ~(uint32_t)SIM_SOCKET_LISTENING;
    if ((socket->flags & (SIM_SOCKET_BOUND_PORT | SIM_SOCKET_BOUND)) == SIM_SOCKET_BOUND) {
        sim_port_remove(world, tcp->socket);
        socket->flags &= ~(uint32_t)(SIM_SOCKET_BOUND | SIM_SOCKET_CONNECT_PORT);
    }
}

static void free_list(struct sim_world *world, struct sim_packet_id first)
{
    while (first.index) {
        struct sim_packet_id next = sim_packet_at(world, first)->next;
        sim_packet_free(world, first);
        first = next;
    }
}

static void purge_sent(struct sim_world *world, struct sim_tcp *tcp)
{
    free_list(world, tcp->first_sent);
    tcp->first_sent = tcp->last_sent = (struct sim_packet_id){0};
    tcp->packets_out = tcp->sacked_out = tcp->lost_out = tcp->retransmitted_out = 0;
    sim_bytes_clear(world, &tcp->send);
    tcp_socket(world, tcp)->send_charge = 0;
}

void sim_tcp_purge(struct sim_world *world, struct sim_tcp *tcp)
{
    purge_sent(world, tcp);
    sim_tcp_early_drop(world, tcp);
}

void sim_tcp_done(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    sim_tcp_child_unlink(world, tcp);
    sim_tcp_state_change(world, tcp, SIM_TCP_CLOSED);
    sim_tcp_timer_stop_all(world, tcp);
    sim_tcp_purge(world, tcp);
    socket->flags |= SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT;
    if (!(socket->flags & SIM_SOCKET_ORPHAN)) {
        sim_wake_socket(world, tcp->socket, SIM_WAKE_ALL);
    }
}

void sim_tcp_abort(struct sim_world *world, struct sim_tcp *tcp, int error)
{
    sim_tcp_done(world, tcp);
    if (!(tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN)) {
        sim_socket_set_error(world, tcp->socket, error);
    }
}

uint64_t sim_tcp_fin_timeout_ns(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint64_t seconds = tcp->linger2_s > 0
                           ? (uint64_t)tcp->linger2_s
                           : (uint64_t)tcp_setting(world, tcp, SIM_SETTING_TCP_FIN_TIMEOUT);
    uint64_t timeout_ns = seconds * TCP_SECOND;
    uint64_t least = (tcp->rto_ns << 2) - (tcp->rto_ns >> 1); /* LINUX: 3.5 RTO */
    return timeout_ns < least ? least : timeout_ns;
}

/* A socket of nobody's that stands where `tcp` stood in the network. NULL when the world is full. */
static struct sim_tcp *stand_in(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    struct sim_socket_id id;
    if (sim_socket_create(world, socket->host, socket->owner, socket->family, socket->type,
                          (int)socket->protocol, &id)) {
        return NULL;
    }
    struct sim_socket *other = sim_socket_at(world, id);
    sim_tcp_inherit(world, socket, other);
    other->local = socket->local;
    other->remote = socket->remote;
    other->flags |= SIM_SOCKET_ORPHAN | SIM_SOCKET_BOUND |
                    (socket->flags &
                     (SIM_SOCKET_BOUND_ADDRESS | SIM_SOCKET_BOUND_PORT | SIM_SOCKET_ACCEPTED));
    struct sim_tcp *copy = sim_tcp_at(world, (struct sim_tcp_id){other->detail});
    copy->snd_nxt = copy->snd_una = copy->snd_up = copy->write_seq = tcp->snd_nxt;
    copy->rcv_nxt = copy->rcv_wup = copy->copied_seq = tcp->rcv_nxt;
    copy->rcv_wnd = tcp->rcv_wnd;
    copy->rcv_wscale = tcp->rcv_wscale;
    copy->snd_wscale = tcp->snd_wscale;
    copy->timestamps_ok = tcp->timestamps_ok;
    copy->ts_recent = tcp->ts_recent;
    copy->ts_recent_s = tcp->ts_recent_s;
    copy->last_oow_ack_ms = tcp->last_oow_ack_ms;
    copy->rto_ns = tcp->rto_ns;
    return copy;
}

void sim_tcp_wait(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_state state,
                  uint64_t duration_ns)
{
    struct sim_tcp *waiting = tcp;
    if (!(tcp_socket(world, tcp)->flags & SIM_SOCKET_ORPHAN)) {
        waiting = stand_in(world, tcp);
        sim_tcp_done(world, tcp);
        if (!waiting) {
            return; /* LINUX: with no room for another TIME_WAIT the connection is just over */
        }
        sim_port_insert(world, waiting->socket);
        sim_port_connect(world, waiting->socket);
    } else {
        sim_tcp_timer_stop_all(world, tcp);
        sim_tcp_purge(world, tcp);
        struct sim_socket *socket = tcp_socket(world, tcp);
        sim_bytes_clear(world, &socket->receive);
        socket->receive_charge = 0;
    }
    sim_tcp_state_change(world, waiting, state);
    waiting->rcv_wnd = tcp_receive_window(waiting);
    waiting->rcv_wup = waiting->rcv_nxt;
    sim_tcp_timer_set(world, waiting, SIM_TCP_TIMER_KEEPALIVE, world->now + duration_ns);
}

bool sim_tcp_close_send(struct sim_world *world, struct sim_tcp *tcp)
{
    switch ((enum sim_tcp_state)tcp->state) {
    case SIM_TCP_SYN_RECEIVED:
    case SIM_TCP_ESTABLISHED:
        sim_tcp_state_change(world, tcp, SIM_TCP_FIN_WAIT_1);
        return true;
    case SIM_TCP_CLOSE_WAIT:
        sim_tcp_state_change(world, tcp, SIM_TCP_LAST_ACK);
        return true;
    case SIM_TCP_LISTEN:
    case SIM_TCP_SYN_SENT:
        sim_tcp_state_change(world, tcp, SIM_TCP_CLOSED);
        return false;
    default:
        return false;
    }
}

void sim_tcp_disconnect(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    enum sim_tcp_state old = tcp->state;
    const uint32_t needs_reset = STATE(ESTABLISHED) | STATE(CLOSE_WAIT) | STATE(FIN_WAIT_1) |
                                 STATE(FIN_WAIT_2) | STATE(SYN_RECEIVED);
    int error = 0;
    if (old == SIM_TCP_LISTEN) {
        sim_tcp_listen_stop(world, tcp);
    } else if (tcp_in(tcp, needs_reset)) {
        sim_tcp_send_reset(world, tcp);
        error = ECONNRESET;
    } else if (tcp->snd_nxt != tcp->write_seq && tcp_in(tcp, STATE(CLOSING) | STATE(LAST_ACK))) {
        /* LINUX: these two have said FIN to the program but perhaps not yet to the peer. */
        sim_tcp_send_reset(world, tcp);
        error = ECONNRESET;
    } else if (old == SIM_TCP_SYN_SENT) {
        error = ECONNRESET;
    }
    sim_tcp_done(world, tcp);
    sim_bytes_clear(world, &socket->receive);
    socket->receive_charge = 0;
    socket->flags &= ~(uint32_t)(SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT);
    socket->remote = (struct sim_endpoint){0};
    if (!(socket->flags & SIM_SOCKET_BOUND_ADDRESS)) {
        socket->local.ip = socket->family == AF_INET ? sim_ip_v4(0) : (struct sim_ip){{0}};
    }
    tcp->srtt_us8 = 0;
    tcp->fin_received = tcp->fin_queued = tcp->fin_sent = 0;
    tcp->urgent_state = URGENT_NONE;
    tcp->retransmit_since = 0;
    tcp->probes = tcp->backoff = tcp->retransmits = tcp->total_timeouts = 0;
    if (error) {
        sim_socket_set_error(world, tcp->socket, error);
    }
}

void sim_tcp_reap(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (!socket->slot.live || socket->protocol_kind != SIM_PROTOCOL_TCP) {
        return;
    }
    const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    if (tcp->state == SIM_TCP_CLOSED && (socket->flags & SIM_SOCKET_ORPHAN)) {
        sim_socket_free(world, id);
    }
}

bool sim_tcp_is_time_wait(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->protocol_kind != SIM_PROTOCOL_TCP || !(socket->flags & SIM_SOCKET_ORPHAN)) {
        return false;
    }
    const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    /* LINUX: an orphan in FIN_WAIT_2 lies in the same table. */
    return tcp->state == SIM_TCP_TIME_WAIT || tcp->state == SIM_TCP_FIN_WAIT_2;
}
