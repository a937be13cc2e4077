/* TCP's sockets: what each call does, in Linux's order of checks.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <poll.h>

#include "core/bytes.h"
#include "file/wait.h"
#include "net/ip.h"
#include "socket/inet.h"
#include "socket/port.h"
#include "socket/protocol.h"
#include "socket/sockets.h"

static struct sim_tcp *tcp_of(const struct sim_world *world, struct sim_socket_id id)
{
    return sim_tcp_at(world, (struct sim_tcp_id){sim_socket_at(world, id)->detail});
}

/* ---- making and freeing ------------------------------------------------------------------- */

static int tcp_create(struct sim_world *world, struct sim_socket_id id)
{
    uint32_t index = sim_pool_take(world, SIM_POOL_TCP);
    if (!index) {
        return -ENOBUFS;
    }
    sim_socket_at(world, id)->detail = index;
    struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){index});
    tcp->socket = id;
    tcp->mss = tcp->receive_mss = MSS_DEFAULT;
    tcp->rto_ns = TCP_RTO_INITIAL_NS;
    sim_tcp_congestion_init(world, tcp);
    return 0;
}

static void tcp_destroy(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_tcp *tcp = tcp_of(world, id);
    sim_tcp_child_unlink(world, tcp);
    sim_tcp_timer_stop_all(world, tcp);
    sim_tcp_purge(world, tcp);
    sim_pool_give(world, SIM_POOL_TCP, sim_socket_at(world, id)->detail);
    sim_socket_at(world, id)->detail = 0;
}

/* ---- listening ---------------------------------------------------------------------------- */

static int tcp_listen(struct sim_world *world, struct sim_socket_id id, int backlog)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    if ((socket->flags & (SIM_SOCKET_CONNECTED | SIM_SOCKET_CONNECTING | SIM_SOCKET_DISCONNECTING)) ||
        !tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN))) {
        return -EINVAL;
    }
    uint32_t most = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_SOMAXCONN);
    uint32_t wanted = smaller((uint32_t)backlog, most); /* LINUX: a negative one is huge */
    if (tcp->state == SIM_TCP_LISTEN) {
        tcp->backlog = wanted;
        return 0;
    }
    if (sim_inet_autobind(world, id)) {
        return -EADDRINUSE;
    }
    /* LINUX: the port is asked for once more: of those who share it by SO_REUSEADDR one may listen. */
    socket->flags |= SIM_SOCKET_LISTENING;
    int error = sim_port_may_bind(world, id, &socket->local);
    if (error) {
        socket->flags &= ~(uint32_t)SIM_SOCKET_LISTENING;
        return error;
    }
    if (socket->flags & SIM_SOCKET_ACCEPTED) { /* a connection of old, disconnected: no child now */
        sim_port_remove(world, id);
        socket->flags &= ~(uint32_t)SIM_SOCKET_ACCEPTED;
        sim_port_insert(world, id);
    }
    tcp->backlog = wanted;
    sim_tcp_state_change(world, tcp, SIM_TCP_LISTEN);
    return 0;
}

static int tcp_accept(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id *child)
{
    struct sim_tcp *listener = tcp_of(world, id);
    if (listener->state != SIM_TCP_LISTEN) {
        return -EINVAL;
    }
    struct sim_tcp_id first = listener->first_complete;
    if (!first.index) {
        return -EAGAIN;
    }
    struct sim_tcp *tcp = sim_tcp_at(world, first);
    listener->first_complete = tcp->next_child;
    if (!listener->first_complete.index) {
        listener->last_complete = listener->first_complete;
    }
    listener->accept_count--;
    tcp->next_child = tcp->listener = (struct sim_tcp_id){0};
    *child = tcp->socket;
    return 0;
}

/* ---- connecting --------------------------------------------------------------------------- */

static int tcp_connected(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    if (tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        return -EINPROGRESS;
    }
    if (tcp->state != SIM_TCP_CLOSED) {
        socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTING;
        socket->flags |= SIM_SOCKET_CONNECTED;
        return 0;
    }
    int error = sim_socket_take_error(world, id);
    socket->flags &= ~(uint32_t)(SIM_SOCKET_CONNECTING | SIM_SOCKET_CONNECTED);
    sim_tcp_disconnect(world, tcp);
    return error ? error : -ECONNABORTED;
}

static int tcp_connect(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                       socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    if (length < (socklen_t)sizeof address->sa_family) {
        return -EINVAL;
    }
    if (address->sa_family == AF_UNSPEC) {
        sim_tcp_disconnect(world, tcp);
        socket->flags &= ~(uint32_t)(SIM_SOCKET_CONNECTING | SIM_SOCKET_CONNECTED |
                                     SIM_SOCKET_DISCONNECTING);
        return 0;
    }
    if (socket->flags & SIM_SOCKET_DISCONNECTING) {
        return -EINVAL;
    }
    if (socket->flags & SIM_SOCKET_CONNECTED) {
        return -EISCONN;
    }
    if (socket->flags & SIM_SOCKET_CONNECTING) {
        int outcome = tcp_connected(world, id);
        return outcome == -EINPROGRESS ? -EALREADY : outcome;
    }
    if (tcp->state != SIM_TCP_CLOSED) {
        return -EISCONN;
    }
    int error = sim_tcp_open(world, id, address, length);
    if (error) {
        return error;
    }
    socket->flags |= SIM_SOCKET_CONNECTING;
    return tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED)) ? -EINPROGRESS : tcp_connected(world, id);
}

/* ---- sending ------------------------------------------------------------------------------ */

/* The error of a send that queued nothing: SO_ERROR before EPIPE. */
static ssize_t send_error(struct sim_world *world, struct sim_socket_id id, int error)
{
    if (error == -EPIPE) {
        int pending = sim_socket_take_error(world, id);
        return pending ? pending : -EPIPE;
    }
    return error;
}

static int may_send(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = tcp_of(world, id);
    if (!tcp_in(tcp, STATE(ESTABLISHED) | STATE(CLOSE_WAIT))) {
        int error = sim_socket_take_error(world, id);
        if (error) {
            return error;
        }
        return tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED)) ? -EAGAIN : -EPIPE;
    }
    return socket->error || (socket->flags & SIM_SOCKET_WRITE_SHUT) ? -EPIPE : 0;
}

static size_t message_bytes(const struct msghdr *message)
{
    size_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        total += message->msg_iov[i].iov_len;
    }
    return total;
}

static ssize_t tcp_send(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                        const struct msghdr *message, size_t skip, int flags)
{
    (void)task;
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    int error = may_send(world, id);
    if (error) {
        return send_error(world, id, error);
    }
    size_t total = message_bytes(message) - skip;
    size_t done = 0;
    if (total) {
        sim_tcp_congestion_after_idle(world, tcp);
    }
    while (done < total) {
        size_t room = sim_tcp_send_room(world, tcp);
        if (!room) {
            error = -EAGAIN;
            break;
        }
        size_t length = total - done < room ? total - done : room;
        error = sim_bytes_append_iov(world, &tcp->send, message->msg_iov, message->msg_iovlen,
                                     skip + done, length);
        if (error) {
            break;
        }
        tcp->write_seq += (uint32_t)length;
        done += length;
        if (done < total && tcp->send.length >= tcp->mss) {
            sim_tcp_push(world, tcp, false);
        }
    }
    if (done && (flags & MSG_OOB) && done == total) {
        tcp->snd_up = tcp->write_seq;
    }
    if (done) {
        socket->flags &= ~(uint32_t)SIM_SOCKET_PATH_FORGOTTEN;
        uint8_t cork = tcp->cork;
        if (flags & MSG_MORE) {
            tcp->cork = 1;
        }
        sim_tcp_push(world, tcp, false);
        tcp->cork = cork;
    }
    socket->send_charge = sim_tcp_send_charge(tcp);
    if (!sim_tcp_writable(world, tcp)) {
        socket->flags |= SIM_SOCKET_NOSPACE;
    }
    if (done || !total) {
        return (ssize_t)done;
    }
    return error;
}

/* ---- receiving ---------------------------------------------------------------------------- */

static ssize_t receive_urgent(struct sim_world *world, struct sim_socket_id id, struct msghdr *message,
                              size_t skip, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    if ((socket->options & SIM_OPTION_OOBINLINE) || tcp->urgent_state == URGENT_NONE ||
        tcp->urgent_state == URGENT_READ) {
        return -EINVAL;
    }
    if (tcp->state == SIM_TCP_CLOSED && !tcp->fin_received) {
        return -ENOTCONN;
    }
    if (tcp->urgent_state == URGENT_VALID) {
        if (!(flags & MSG_PEEK)) {
            tcp->urgent_state = URGENT_READ;
        }
        message->msg_flags |= MSG_OOB;
        size_t total = message_bytes(message);
        if (total <= skip) {
            message->msg_flags |= MSG_TRUNC;
            return 0;
        }
        for (size_t i = 0; i < message->msg_iovlen && !(flags & MSG_TRUNC); i++) {
            if (message->msg_iov[i].iov_len > skip) {
                ((uint8_t *)message->msg_iov[i].iov_base)[skip] = tcp->urgent_byte;
                break;
            }
            skip -= message->msg_iov[i].iov_len;
        }
        return 1;
    }
    if (tcp->state == SIM_TCP_CLOSED || (socket->flags & SIM_SOCKET_READ_SHUT)) {
        return 0;
    }
    return -EAGAIN;
}

/* What a receive that found no byte says. */
static ssize_t nothing_received(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = tcp_of(world, id);
    if (tcp->fin_received) {
        return 0;
    }
    if (socket->error) {
        return sim_socket_take_error(world, id);
    }
    if (socket->flags & SIM_SOCKET_READ_SHUT) {
        return 0;
    }
    if (tcp->state == SIM_TCP_CLOSED) {
        return -ENOTCONN;
    }
    return -EAGAIN;
}

/* How many bytes can be read from `offset` of the queue up to the urgent byte; *over: how many to step
 * over first (the urgent byte itself, read out of band or not at all). */
static size_t readable_at(const struct sim_socket *socket, const struct sim_tcp *tcp, size_t offset,
                          size_t *over)
{
    size_t left = (size_t)socket->receive.length - offset;
    *over = 0;
    if (tcp->urgent_state == URGENT_NONE) {
        return left;
    }
    uint32_t distance = tcp->rcv_up - (tcp->copied_seq + (uint32_t)offset);
    if (distance >= left) {
        return left;
    }
    if (distance) {
        return distance;
    }
    if (!(socket->options & SIM_OPTION_OOBINLINE)) {
        *over = 1;
        return left - 1;
    }
    return left;
}

static void consume(struct sim_world *world, struct sim_tcp *tcp, uint32_t length)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    sim_bytes_drop(world, &socket->receive, length);
    tcp->copied_seq += length;
    if (tcp->urgent_state != URGENT_NONE && after(tcp->copied_seq, tcp->rcv_up)) {
        tcp->urgent_state = URGENT_NONE;
    }
    sim_tcp_discharge(world, tcp, length);
}

static ssize_t tcp_receive(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                           struct msghdr *message, size_t skip, int flags)
{
    (void)task;
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    message->msg_flags = 0;
    message->msg_namelen = 0;
    message->msg_controllen = 0;
    if (flags & MSG_ERRQUEUE) {
        return -EAGAIN; /* SIMPLER: TCP queues no extended errors */
    }
    if (tcp->state == SIM_TCP_LISTEN) {
        return -ENOTCONN;
    }
    if (flags & MSG_OOB) {
        return receive_urgent(world, id, message, skip, flags);
    }
    size_t total = message_bytes(message) - skip;
    size_t done = 0;
    size_t offset = 0; /* into the queue: with MSG_PEEK nothing leaves it */
    bool fault = false;
    /* MSG_PEEK with a part already delivered goes on behind it. */
    if (flags & MSG_PEEK) {
        offset = skip < socket->receive.length ? skip : (size_t)socket->receive.length;
    }
    while (done < total && offset < socket->receive.length) {
        /* LINUX: a read never crosses the urgent mark. */
        if (tcp->urgent_state != URGENT_NONE && done &&
            tcp->rcv_up == tcp->copied_seq + (uint32_t)offset) {
            break;
        }
        size_t over;
        size_t length = readable_at(socket, tcp, offset, &over);
        length = length < total - done ? length : total - done;
        if (!(flags & MSG_TRUNC) &&
            sim_bytes_copy_out_iov(world, &socket->receive, offset + over, message->msg_iov,
                                   message->msg_iovlen, skip + done, length) < length) {
            fault = true;
            break;
        }
        done += length;
        if (flags & MSG_PEEK) {
            offset += over + length;
        } else {
            consume(world, tcp, (uint32_t)(over + length));
        }
        if (!length && !over) {
            break;
        }
    }
    if (done && !(flags & MSG_PEEK)) {
        sim_tcp_after_read(world, tcp, (uint32_t)done);
    }
    if (fault && !done) {
        return -EFAULT;
    }
    if (done || !total) {
        /* LINUX: a read of nothing still waits for something to be there. */
        if (!total && !socket->receive.length) {
            return nothing_received(world, id);
        }
        return (ssize_t)done;
    }
    return nothing_received(world, id);
}

/* ---- shutting down, closing --------------------------------------------------------------- */

static int tcp_shutdown(struct sim_world *world, struct sim_socket_id id, int how)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    if (how < SHUT_RD || how > SHUT_RDWR) {
        return -EINVAL;
    }
    bool reading = how != SHUT_WR;
    bool writing = how != SHUT_RD;
    int error = 0;
    /* LINUX: shutdown() of a connect() that nobody has asked about yet. */
    if ((socket->flags & SIM_SOCKET_CONNECTING) && tcp->state != SIM_TCP_SYN_SENT) {
        bool open = tcp->state != SIM_TCP_CLOSED && tcp->state != SIM_TCP_SYN_RECEIVED;
        socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTING;
        socket->flags |= open ? SIM_SOCKET_CONNECTED : SIM_SOCKET_DISCONNECTING;
    }
    if (tcp->state == SIM_TCP_SYN_SENT || (tcp->state == SIM_TCP_LISTEN && reading)) {
        sim_tcp_disconnect(world, tcp);
        socket->flags &= ~(uint32_t)(SIM_SOCKET_CONNECTING | SIM_SOCKET_CONNECTED);
    } else if (tcp->state != SIM_TCP_LISTEN) {
        error = tcp->state == SIM_TCP_CLOSED ? -ENOTCONN : 0;
        socket->flags |= (reading ? SIM_SOCKET_READ_SHUT : 0) | (writing ? SIM_SOCKET_WRITE_SHUT : 0);
        if (writing && tcp_in(tcp, STATE(ESTABLISHED) | STATE(CLOSE_WAIT)) &&
            sim_tcp_close_send(world, tcp)) {
            sim_tcp_send_fin(world, tcp);
        }
    }
    sim_wake_socket(world, id, SIM_WAKE_ALL);
    return error;
}

static void close_connection(struct sim_world *world, struct sim_tcp *tcp)
{
    struct sim_socket *socket = tcp_socket(world, tcp);
    bool unread = socket->receive.length != 0;
    sim_bytes_clear(world, &socket->receive);
    socket->receive_charge = tcp->early_charge;
    if (tcp->state == SIM_TCP_CLOSED) {
        return;
    } else if (unread && !DRY_MUTANT(unread_data_goes_quietly)) {
        /* RFC 9293 3.6.1 by RFC 1122 4.2.2.13: bytes were lost, so say it with RST. */
        sim_tcp_send_reset(world, tcp);
        sim_tcp_done(world, tcp);
    } else if ((socket->options & SIM_OPTION_LINGER) && !socket->linger_seconds) {
        sim_tcp_disconnect(world, tcp);
    } else if (sim_tcp_close_send(world, tcp)) {
        sim_tcp_send_fin(world, tcp);
    } else if (tcp->state == SIM_TCP_CLOSED) {
        sim_tcp_done(world, tcp);
    }
    if (tcp->state == SIM_TCP_FIN_WAIT_2) {
        if (tcp->linger2_s < 0) {
            sim_tcp_send_reset(world, tcp);
            sim_tcp_done(world, tcp);
        } else {
            sim_tcp_wait(world, tcp, SIM_TCP_FIN_WAIT_2, sim_tcp_fin_timeout_ns(world, tcp));
        }
    }
}

static void tcp_release(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_tcp *tcp = tcp_of(world, id);
    socket->flags |= SIM_SOCKET_ORPHAN | SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT;
    if (tcp->state == SIM_TCP_LISTEN) {
        sim_tcp_listen_stop(world, tcp);
        sim_tcp_done(world, tcp);
    } else {
        close_connection(world, tcp);
    }
    sim_tcp_reap(world, id);
}

/* LINUX: sk_stream_wait_close waits for the FIN's acknowledgment, not for the peer's FIN. */
static bool tcp_lingers(const struct sim_world *world, struct sim_socket_id id)
{
    return tcp_in(tcp_of(world, id), STATE(FIN_WAIT_1) | STATE(CLOSING) | STATE(LAST_ACK));
}

/* ---- looking ------------------------------------------------------------------------------ */

static uint32_t tcp_poll(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = tcp_of(world, id);
    const uint32_t both = SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT;
    uint32_t bits = 0;
    if (tcp->state == SIM_TCP_LISTEN) {
        return tcp->first_complete.index ? POLLIN | POLLRDNORM : 0;
    }
    if ((socket->flags & both) == both || tcp->state == SIM_TCP_CLOSED) {
        bits |= POLLHUP;
    }
    if (socket->flags & SIM_SOCKET_READ_SHUT) {
        bits |= POLLIN | POLLRDNORM | POLLRDHUP;
    }
    if (!tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        uint32_t target = socket->receive_low_water;
        if (tcp->urgent_state != URGENT_NONE && tcp->rcv_up == tcp->copied_seq &&
            !(socket->options & SIM_OPTION_OOBINLINE)) {
            target++;
        }
        if (socket->receive.length >= target) {
            bits |= POLLIN | POLLRDNORM;
        }
        if ((socket->flags & SIM_SOCKET_WRITE_SHUT) || sim_tcp_writable(world, tcp)) {
            bits |= POLLOUT | POLLWRNORM;
        }
        if (tcp->urgent_state == URGENT_VALID) {
            bits |= POLLPRI;
        }
    }
    if (socket->error || socket->first_error.index) {
        bits |= POLLERR;
    }
    return bits;
}

static int tcp_get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                        struct sockaddr *address, socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = tcp_of(world, id);
    /* LINUX: accept() tells the peer's name also when the connection ended while it was queued. */
    bool accepting = !socket->file.index;
    bool ended = tcp_in(tcp, STATE(CLOSED) | STATE(SYN_SENT)) && !accepting;
    if (peer && (!socket->remote.port || ended)) {
        return -ENOTCONN;
    }
    sim_endpoint_to(socket->family, peer ? &socket->remote : &socket->local, address, length);
    return 0;
}

static int tcp_bind(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                    socklen_t length)
{
    return sim_inet_bind(world, id, address, length);
}

static bool tcp_is_past_bind(const struct sim_world *world, const struct sim_socket *socket)
{
    return sim_tcp_at(world, (struct sim_tcp_id){socket->detail})->state != SIM_TCP_CLOSED;
}

const struct sim_ip_receiver sim_tcp_receiver = {sim_tcp_input, sim_tcp_icmp_error};

const struct sim_protocol sim_tcp_protocol = {
    .name = "TCP",
    .connection_oriented = 1,
    .byte_stream = 1,
    .type = SOCK_STREAM,
    .ip_number = IPPROTO_TCP,
    .create = tcp_create,
    .destroy = tcp_destroy,
    .bind = tcp_bind,
    .listen = tcp_listen,
    .connect = tcp_connect,
    .connected = tcp_connected,
    .accept = tcp_accept,
    .send = tcp_send,
    .receive = tcp_receive,
    .shutdown = tcp_shutdown,
    .release = tcp_release,
    .lingers = tcp_lingers,
    .poll = tcp_poll,
    .get_name = tcp_get_name,
    .set_option = sim_tcp_set_option,
    .get_option = sim_tcp_get_option,
    .ioctl = sim_tcp_ioctl,
    .is_past_bind = tcp_is_past_bind,
    .holds_for_nobody = sim_tcp_is_time_wait,
    .check = sim_tcp_check,
};
