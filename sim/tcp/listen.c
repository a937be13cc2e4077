/* Listening: SYNs become children, final ACKs complete them, accept() takes them.
 * SPDX-License-Identifier: MIT
 *
 * A child is a whole socket from its SYN on, in SYN-RECEIVED, linked to its listener until accepted.
 * SIMPLER: where Linux answers with a SYN cookie (as many half-open ones as the backlog) and forgets,
 * a child is kept that behaves as if nothing was: it repeats no SYN-ACK, does not count, and goes when
 * a cookie's time is over.
 */
#include "internal.h"

#include <poll.h>

#include "core/random.h"
#include "file/wait.h"
#include "net/ip.h"
#include "socket/port.h"
#include "socket/sockets.h"

enum {
    SYN_ACK_TIMEOUT_S = 1,
    COOKIE_AGE_S = 120, /* LINUX: MAX_SYNCOOKIE_AGE */
};
/* LINUX: a cookie has two bits for the peer's MSS. */
static const uint32_t cookie_mss_4[] = {536, 1300, 1440, 1460};
static const uint32_t cookie_mss_6[] = {1220, 1420, 1440, 8940};

/* ---- which listener ----------------------------------------------------------------------- */

/* LINUX: compute_score: the more a listener says about itself, the better it fits. -1: not at all. */
static int fit(const struct sim_world *world, const struct sim_socket *socket,
               const struct sim_packet *packet)
{
    if (!(socket->flags & SIM_SOCKET_LISTENING)) {
        return -1;
    }
    bool v4 = packet->version == 4;
    int score = 0;
    if (socket->family == AF_INET && !v4) {
        return -1;
    }
    if (!sim_ip_is_any(socket->local.ip)) {
        if (!sim_ip_equal(socket->local.ip, packet->destination.ip)) {
            return -1;
        }
        score += 4;
    } else if (v4 && socket->family != AF_INET) {
        /* :: takes IPv4 too, 0.0.0.0 (mapped) only that. */
        if (!sim_ip_is_v4(socket->local.ip) && (socket->options & SIM_OPTION_V6ONLY)) {
            return -1;
        }
    } else if (!v4 && sim_ip_is_v4(socket->local.ip)) {
        return -1;
    }
    if (socket->bound_interface) {
        const struct sim_interface *interface =
            packet->interface ? sim_interface_at(world, (struct sim_interface_id){packet->interface})
                              : NULL;
        if (!interface || interface->number != socket->bound_interface) {
            return -1;
        }
        score += 2;
    }
    score += socket->family == AF_INET;
    return score;
}

struct sim_socket_id sim_tcp_listen_find(const struct sim_world *world, struct sim_host_id host,
                                         const struct sim_packet *packet)
{
    struct sim_socket_id best = {0};
    int best_fit = -1;
    uint32_t equals = 0;
    uint16_t port = packet->destination.port;
    for (struct sim_socket_id id = sim_port_first(world, host, SIM_PROTOCOL_TCP, port); id.index;
         id = sim_port_next(world, id)) {
        const struct sim_socket *socket = sim_socket_at(world, id);
        if (socket->flags & SIM_SOCKET_ACCEPTED) {
            break; /* from here on only children: there may be many */
        }
        int score = fit(world, socket, packet);
        if (score > best_fit) {
            best = id;
            best_fit = score;
            equals = 1;
        } else if (score >= 0 && score == best_fit && (socket->options & SIM_OPTION_REUSEPORT)) {
            /* SIMPLER: SO_REUSEPORT spreads by the peer's port, not by Linux's hash. */
            equals++;
            if (packet->source.port % equals == 0) {
                best = id;
            }
        }
    }
    return best;
}

/* ---- the lists of a listener -------------------------------------------------------------- */

static void link_half_open(struct sim_world *world, struct sim_tcp *listener, struct sim_tcp *child)
{
    struct sim_tcp_id id = tcp_id(world, child);
    child->listener = tcp_id(world, listener);
    child->next_child = listener->first_half_open;
    child->previous_child = (struct sim_tcp_id){0};
    if (child->next_child.index) {
        sim_tcp_at(world, child->next_child)->previous_child = id;
    }
    listener->first_half_open = id;
    listener->half_open_count += !child->cookie;
}

static void unlink_half_open(struct sim_world *world, struct sim_tcp *listener, struct sim_tcp *child)
{
    if (child->previous_child.index) {
        sim_tcp_at(world, child->previous_child)->next_child = child->next_child;
    } else {
        listener->first_half_open = child->next_child;
    }
    if (child->next_child.index) {
        sim_tcp_at(world, child->next_child)->previous_child = child->previous_child;
    }
    listener->half_open_count -= !child->cookie;
    child->next_child = child->previous_child = child->listener = (struct sim_tcp_id){0};
}

static bool half_open(const struct sim_tcp *child)
{
    return child->state == SIM_TCP_SYN_RECEIVED;
}

void sim_tcp_child_unlink(struct sim_world *world, struct sim_tcp *child)
{
    /* LINUX: a child that is complete stays in the accept queue also when its connection ended:
     * accept() gives it, and its first recv() tells. */
    if (child->listener.index && half_open(child)) {
        unlink_half_open(world, sim_tcp_at(world, child->listener), child);
    }
}

static void move_to_accept_queue(struct sim_world *world, struct sim_tcp *listener,
                                 struct sim_tcp *child)
{
    struct sim_tcp_id id = tcp_id(world, child);
    unlink_half_open(world, listener, child);
    child->listener = tcp_id(world, listener);
    if (listener->last_complete.index) {
        sim_tcp_at(world, listener->last_complete)->next_child = id;
    } else {
        listener->first_complete = id;
    }
    listener->last_complete = id;
    listener->accept_count++;
}

static bool accept_queue_full(const struct sim_tcp *listener)
{
    /* LINUX: one more than was asked for. */
    return !DRY_MUTANT(backlog_has_no_end) && listener->accept_count > listener->backlog;
}

void sim_tcp_listen_stop(struct sim_world *world, struct sim_tcp *listener)
{
    while (listener->first_half_open.index) {
        struct sim_tcp *child = sim_tcp_at(world, listener->first_half_open);
        tcp_socket(world, child)->flags |= SIM_SOCKET_ORPHAN;
        sim_tcp_done(world, child);
        sim_tcp_reap(world, child->socket);
    }
    while (listener->first_complete.index) {
        struct sim_tcp *child = sim_tcp_at(world, listener->first_complete);
        listener->first_complete = child->next_child;
        child->next_child = child->listener = (struct sim_tcp_id){0};
        listener->accept_count--;
        tcp_socket(world, child)->flags |= SIM_SOCKET_ORPHAN;
        sim_tcp_disconnect(world, child);
        sim_tcp_reap(world, child->socket);
    }
    listener->last_complete = (struct sim_tcp_id){0};
}

/* ---- SYN ---------------------------------------------------------------------------------- */

static void copy_options(struct sim_world *world, const struct sim_socket *from, struct sim_socket *to)
{
    struct sim_option_id *tail = &to->first_option;
    for (struct sim_option_id id = from->first_option; id.index; id = sim_option_at(world, id)->next) {
        struct sim_option_id copy = {sim_pool_take(world, SIM_POOL_OPTION)};
        if (!copy.index) {
            return;
        }
        const struct sim_option *source = sim_option_at(world, id);
        struct sim_option *option = sim_option_at(world, copy);
        option->level = source->level;
        option->name = source->name;
        option->bytes = source->bytes;
        for (uint32_t i = 0; i < SIM_OPTION_BYTES; i++) {
            option->value[i] = source->value[i];
        }
        *tail = copy;
        tail = &option->next;
    }
}

void sim_tcp_inherit(struct sim_world *world, const struct sim_socket *from, struct sim_socket *to)
{
    to->options = from->options;
    to->bound_interface = from->bound_interface;
    to->receive_limit = from->receive_limit;
    to->send_limit = from->send_limit;
    to->receive_low_water = from->receive_low_water;
    to->linger_seconds = from->linger_seconds;
    to->receive_timeout_ns = from->receive_timeout_ns;
    to->send_timeout_ns = from->send_timeout_ns;
    to->tos = from->tos;
    to->ttl = from->ttl;
    to->hop_limit = from->hop_limit;
    to->multicast_ttl = from->multicast_ttl;
    to->flow_label = from->flow_label;
    to->priority = from->priority;
    to->mark = from->mark;
    to->mtu_discover = from->mtu_discover;
    to->mtu_discover6 = from->mtu_discover6;
    to->multicast_hops6 = from->multicast_hops6;
    copy_options(world, from, to);
}

static void inherit_tcp(const struct sim_tcp *from, struct sim_tcp *to)
{
    to->nodelay = from->nodelay;
    to->cork = from->cork;
    to->congestion_kind = from->congestion_kind;
    to->user_timeout_ms = from->user_timeout_ms;
    to->keepalive_idle_s = from->keepalive_idle_s;
    to->keepalive_interval_s = from->keepalive_interval_s;
    to->keepalive_count = from->keepalive_count;
    to->syn_count = from->syn_count;
    to->linger2_s = from->linger2_s;
    to->max_segment = from->max_segment;
    to->not_sent_low_water = from->not_sent_low_water;
    to->window_clamp = from->window_clamp;
    to->defer_accept = from->defer_accept;
}

/* A socket for the peer of this SYN, in SYN-RECEIVED. NULL: no room. */
static struct sim_tcp *new_child(struct sim_world *world, struct sim_tcp *listener,
                                 const struct sim_packet *packet, uint32_t wanted_isn)
{
    struct sim_socket *parent = tcp_socket(world, listener);
    struct sim_socket_id id;
    if (sim_socket_create(world, parent->host, parent->owner, parent->family, parent->type,
                          (int)parent->protocol, &id)) {
        return NULL;
    }
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *child = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    sim_tcp_inherit(world, parent, socket);
    inherit_tcp(listener, child);
    socket->local = packet->destination;
    socket->remote = packet->source;
    /* LINUX: the child holds the listener's port as the listener does. */
    /* LINUX: no child has chosen its port: a reset gives it back. */
    socket->flags |= SIM_SOCKET_BOUND | SIM_SOCKET_CONNECTING | SIM_SOCKET_ACCEPTED;

    struct sim_ip_path path;
    if (sim_ip_route(world, socket->host, socket->remote, socket->local.ip, socket->bound_interface,
                     &path)) {
        socket->flags |= SIM_SOCKET_ORPHAN;
        sim_tcp_reap(world, id);
        return NULL;
    }
    child->path_mtu = path.mtu;
    child->irs = packet->tcp.sequence;
    child->rcv_nxt = child->rcv_wup = child->copied_seq = packet->tcp.sequence + 1;
    child->iss = wanted_isn ? wanted_isn : (uint32_t)sim_random_draw(&world->random, SIM_STREAM_ISN);
    child->snd_una = child->iss + 1; /* the SYN-ACK is not in the send queue */
    child->snd_nxt = child->write_seq = child->snd_una;
    child->snd_up = child->small_seq = child->snd_una;
    sim_tcp_take_syn_options(world, child, packet, false);
    child->syn_window = packet->tcp.window;
    sim_tcp_sync_mss(world, child, path.mtu);
    child->advertised_mss = sim_tcp_advertised_mss(world, child);
    child->receive_mss = smaller(smaller(child->advertised_mss, child->mss), MSS_DEFAULT);
    sim_tcp_initial_window(world, child,
                           child->advertised_mss - (child->timestamps_ok ? TCP_TIMESTAMP_BYTES : 0));
    sim_tcp_congestion_init(world, child);
    return child;
}

/* May another SYN be taken, and only as a cookie? */
static bool takes_another(const struct sim_world *world, const struct sim_tcp *listener, bool *cookie)
{
    int64_t cookies = tcp_setting(world, listener, SIM_SETTING_TCP_SYNCOOKIES);
    uint32_t count = listener->half_open_count;
    *cookie = cookies == 2 || count > listener->backlog; /* LINUX: one more, here too */
    if (accept_queue_full(listener)) {
        return false;
    }
    if (cookies) {
        return true;
    }
    uint32_t most = (uint32_t)tcp_setting(world, listener, SIM_SETTING_TCP_MAX_SYN_BACKLOG);
    return !*cookie && (count >= most ? 0 : most - count) >= most / 4;
}

/* What a cookie remembers: without timestamps to hide them in, no options but a rounded MSS. */
static void forget_as_cookie(struct sim_world *world, struct sim_tcp *child, bool v4)
{
    const uint32_t *table = v4 ? cookie_mss_4 : cookie_mss_6;
    uint32_t mss = table[0];
    for (uint32_t i = 0; i < 4 && table[i] <= child->peer_mss; i++) {
        mss = table[i];
    }
    child->cookie = 1;
    child->peer_mss = mss;
    if (!child->timestamps_ok) {
        child->sack_ok = child->wscale_ok = child->snd_wscale = 0;
    }
    sim_tcp_sync_mss(world, child, child->path_mtu);
}

static uint64_t syn_ack_timeout_ns(const struct sim_world *world, const struct sim_tcp *child)
{
    if (child->cookie) {
        return COOKIE_AGE_S * (uint64_t)TCP_SECOND;
    }
    uint64_t timeout_ns = (uint64_t)SYN_ACK_TIMEOUT_S * TCP_SECOND << child->retransmits;
    uint64_t most = sim_tcp_rto_max_ns(world, child);
    return timeout_ns < most ? timeout_ns : most;
}

bool sim_tcp_listen_input(struct sim_world *world, struct sim_tcp *listener,
                          const struct sim_packet *packet, uint32_t wanted_isn)
{
    uint8_t flags = packet->tcp.flags;
    if (flags & SIM_TCP_ACK) { /* RFC 9293 3.10.7.2 */
        return (flags & SIM_TCP_RST) != 0;
    }
    if (!(flags & SIM_TCP_SYN) || (flags & (SIM_TCP_RST | SIM_TCP_FIN))) {
        return true;
    }
    bool cookie;
    if (!takes_another(world, listener, &cookie)) {
        return true; /* LINUX: dropped in silence, the peer tries again */
    }
    struct sim_tcp *child = new_child(world, listener, packet, wanted_isn);
    if (!child) {
        return true;
    }
    if (cookie && !wanted_isn) {
        forget_as_cookie(world, child, packet->version == 4);
    }
    sim_tcp_state_change(world, child, SIM_TCP_SYN_RECEIVED);
    link_half_open(world, listener, child);
    sim_port_insert(world, child->socket);
    sim_port_connect(world, child->socket);
    sim_tcp_send_syn_ack(world, child);
    sim_tcp_timer_set(world, child, SIM_TCP_TIMER_KEEPALIVE,
                      world->now + syn_ack_timeout_ns(world, child));
    return true;
}

void sim_tcp_child_timer(struct sim_world *world, struct sim_tcp *child)
{
    uint32_t most = child->syn_count
                        ? child->syn_count
                        : (uint32_t)tcp_setting(world, child, SIM_SETTING_TCP_SYNACK_RETRIES);
    uint32_t defer = child->defer_accept;
    bool expired = child->retransmits >= most;
    bool resend = true;
    if (defer) { /* LINUX: syn_ack_recalc */
        expired = expired && (!child->acked || child->retransmits >= defer);
        resend = !child->acked || child->retransmits + 1U >= defer;
    }
    if (expired || child->cookie) {
        tcp_socket(world, child)->flags |= SIM_SOCKET_ORPHAN;
        sim_tcp_done(world, child);
        return;
    }
    if (resend) {
        sim_tcp_send_syn_ack(world, child);
        child->total_retransmissions++;
    }
    child->retransmits++;
    sim_tcp_timer_set(world, child, SIM_TCP_TIMER_KEEPALIVE,
                      world->now + syn_ack_timeout_ns(world, child));
}

/* ---- the final ACK ------------------------------------------------------------------------ */

static void forget(struct sim_world *world, struct sim_tcp *child)
{
    tcp_socket(world, child)->flags |= SIM_SOCKET_ORPHAN;
    sim_tcp_done(world, child);
}

static void complete(struct sim_world *world, struct sim_tcp *child, const struct sim_packet *packet)
{
    struct sim_tcp *listener = sim_tcp_at(world, child->listener);
    struct sim_socket *socket = tcp_socket(world, child);
    uint64_t sent_at = child->timer_at[SIM_TCP_TIMER_KEEPALIVE] - 1 - syn_ack_timeout_ns(world, child);
    bool retransmitted = child->retransmits != 0;
    move_to_accept_queue(world, listener, child);
    sim_tcp_timer_stop(world, child, SIM_TCP_TIMER_KEEPALIVE);
    child->retransmits = child->acked = child->cookie = 0;
    socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTING;
    socket->flags |= SIM_SOCKET_CONNECTED;
    child->snd_wl1 = packet->tcp.sequence;
    child->snd_wnd = packet->tcp.window << child->snd_wscale;
    child->max_window = child->snd_wnd;
    sim_tcp_sync_mss(world, child, child->path_mtu);
    child->rto_ns = TCP_RTO_INITIAL_NS;
    if (!retransmitted) {
        sim_tcp_rtt_sample(world, child, world->now - sent_at);
    }
    child->last_heard_at = child->last_received_at = world->now;
    sim_tcp_init_buffers(world, child);
    sim_tcp_state_change(world, child, SIM_TCP_ESTABLISHED);
    sim_tcp_timer_keepalive_starts(world, child);
    /* LINUX: what was shut down before listen() is shut down in every connection. */
    socket->flags |= tcp_socket(world, listener)->flags &
                     (SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT);
    if ((socket->flags & SIM_SOCKET_WRITE_SHUT) && sim_tcp_close_send(world, child)) {
        sim_tcp_send_fin(world, child);
    }
    sim_wake_socket(world, listener->socket, POLLIN | POLLRDNORM);
}

/* LINUX: tcp_check_req. */
enum sim_tcp_child_verdict sim_tcp_child_input(struct sim_world *world, struct sim_tcp *child,
                                               struct sim_packet *packet)
{
    uint8_t flags = packet->tcp.flags;
    uint32_t sequence = packet->tcp.sequence;
    bool old = sim_tcp_paws_rejects(world, child, packet);
    const uint8_t kinds = SIM_TCP_SYN | SIM_TCP_ACK | SIM_TCP_RST | SIM_TCP_FIN;
    if (sequence == child->irs && (flags & kinds) == SIM_TCP_SYN && !old) {
        /* The SYN again: our answer may be lost. */
        if (!sim_tcp_out_of_window_limited(world, child, packet)) {
            sim_tcp_send_syn_ack(world, child);
        }
        return TCP_CHILD_DROP;
    }
    if ((flags & SIM_TCP_ACK) && packet->tcp.acknowledgment != child->iss + 1) {
        return (flags & SIM_TCP_RST) ? TCP_CHILD_DROP : TCP_CHILD_RESET;
    }
    bool inside = tcp_in_window(sequence, segment_end(packet), child->rcv_nxt,
                                child->rcv_nxt + child->rcv_wnd);
    if (old || !inside) {
        if (!(flags & SIM_TCP_RST) && !sim_tcp_out_of_window_limited(world, child, packet)) {
            sim_tcp_send_ack(world, child);
        }
        return TCP_CHILD_DROP;
    }
    if (packet->tcp.has_timestamps && !after(sequence, child->rcv_nxt)) {
        sim_tcp_store_timestamp(world, child, packet);
    }
    if (flags & (SIM_TCP_RST | SIM_TCP_SYN)) {
        forget(world, child);
        return (flags & SIM_TCP_RST) ? TCP_CHILD_DROP : TCP_CHILD_RESET;
    }
    if (!(flags & SIM_TCP_ACK)) {
        return TCP_CHILD_DROP;
    }
    struct sim_tcp *listener = sim_tcp_at(world, child->listener);
    if (child->retransmits < child->defer_accept && segment_end(packet) == child->rcv_nxt) {
        child->acked = 1; /* TCP_DEFER_ACCEPT: wait for its data */
        return TCP_CHILD_DROP;
    }
    if (accept_queue_full(listener)) {
        /* LINUX: a cookie has no request to reset; its ACK is dropped whatever the setting. */
        bool request = !child->cookie || DRY_MUTANT(a_cookie_is_reset);
        if (request && tcp_setting(world, listener, SIM_SETTING_TCP_ABORT_ON_OVERFLOW)) {
            forget(world, child);
            return TCP_CHILD_RESET;
        }
        child->acked = 1; /* LINUX: as if the ACK was lost; our SYN-ACK, if any, will ask again */
        return TCP_CHILD_DROP;
    }
    complete(world, child, packet);
    return TCP_CHILD_OPEN;
}
