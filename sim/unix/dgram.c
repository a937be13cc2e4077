/* UNIX datagram and seqpacket sockets: whole messages, to a peer or to a name.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "core/bytes.h"
#include "file/wait.h"
#include "internal.h"
#include "socket/message.h"
#include "socket/sockets.h"
#include "unix.h"

enum {
    PAGE_BYTES = 4096,
    LONGEST_HEAD = 16384 - 320, /* LINUX: SKB_MAX_ALLOC */
    SPARED_BYTES = 32,
};

/* ---- the peer ---- */

static void remove_client(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix *own = sim_unix_of(world, id);
    if (own->peer.index == 0) {
        return;
    }
    struct sim_unix_id *link = &sim_unix_of(world, own->peer)->first_client;
    while (link->index != sim_unix_id_of(world, id).index) {
        link = &sim_unix_at(world, *link)->next_client;
    }
    *link = own->next_client;
    own->next_client.index = 0;
    own->peer.index = 0;
}

/* LINUX: unix_dgram_disconnected: what the old peer sent is lost; if it was connected here in turn,
 * it is told so by ECONNRESET. */
static void lose_messages(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id old)
{
    if (sim_socket_at(world, id)->first_datagram.index == 0) {
        return;
    }
    if (old.index != 0 && sim_unix_of(world, old)->peer.index == id.index) {
        sim_socket_set_error(world, old, ECONNRESET);
    }
    sim_unix_flush(world, id); /* what lies in a message may be the last of the old peer */
}

/* LINUX: who has chosen its peer hears nobody else. */
static bool accepts(const struct sim_world *world, struct sim_socket_id receiver,
                    struct sim_socket_id sender)
{
    const struct sim_unix *own = sim_unix_of(world, receiver);
    return !own->peer_gone && (own->peer.index == 0 || own->peer.index == sender.index);
}

static int set_peer(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id peer)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_socket_id old = own->peer;
    bool had_other = own->peer_gone || (old.index != 0 && old.index != peer.index);
    remove_client(world, id);
    own->peer_gone = 0;
    own->gone_name_bytes = 0;
    memset(own->gone_name, 0, sizeof own->gone_name);
    socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTED;
    if (had_other) {
        lose_messages(world, id, old);
    }
    if (peer.index == 0) {
        return 0;
    }
    struct sim_unix *other = sim_unix_of(world, peer);
    own->peer = peer;
    own->next_client = other->first_client;
    other->first_client = sim_unix_id_of(world, id);
    socket->flags |= SIM_SOCKET_CONNECTED;
    return 0;
}

static int connect_datagram(struct sim_world *world, struct sim_socket_id id,
                            const struct sockaddr *address, socklen_t length)
{
    struct sim_socket_id peer = {0};

    if (length < (socklen_t)sizeof address->sa_family) {
        return -EINVAL;
    }
    if (address->sa_family == AF_UNSPEC) {
        return set_peer(world, id, peer);
    }
    int error = sim_unix_find_peer(world, id, address, length, &peer);
    if (error < 0) {
        return error;
    }
    if (!accepts(world, peer, id)) {
        return -EPERM;
    }
    return set_peer(world, id, peer);
}

/* ---- sending ---- */

/* LINUX: beyond 16 KiB the rest lies in whole pages. SIMPLER: beyond 80 KiB Linux's larger pages
 * count some more. */
static uint32_t message_charge(size_t length)
{
    size_t rest = length > LONGEST_HEAD ? length - LONGEST_HEAD : 0;
    size_t pages = (rest + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    return sim_unix_buffer_charge(length > LONGEST_HEAD ? LONGEST_HEAD : length) + (uint32_t)pages;
}

/* LINUX: unix_seqpacket_sendmsg ignores a name. */
static bool has_name(const struct sim_socket *socket, const struct msghdr *message)
{
    return message->msg_name != NULL && message->msg_namelen > 0 && socket->type == SOCK_DGRAM;
}

/* The receiver of one message: the named socket or the peer. A peer that was closed is told once, as
 * ECONNREFUSED, and forgotten. */
static int choose_receiver(struct sim_world *world, struct sim_socket_id id,
                           const struct msghdr *message, struct sim_socket_id *receiver)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    if (has_name(socket, message)) {
        return sim_unix_find(world, socket, message->msg_name, message->msg_namelen, receiver);
    }
    if (own->peer_gone) {
        set_peer(world, id, (struct sim_socket_id){0});
        return -ECONNREFUSED;
    }
    *receiver = own->peer;
    return own->peer.index == 0 ? -ENOTCONN : 0;
}

static int check_receiver(struct sim_world *world, struct sim_socket_id id,
                          struct sim_socket_id receiver)
{
    const struct sim_socket *other = sim_socket_at(world, receiver);
    if (!accepts(world, receiver, id)) {
        return -EPERM;
    }
    if ((other->flags & (SIM_SOCKET_READ_SHUT | SIM_SOCKET_ORPHAN)) != 0) {
        return -EPIPE;
    }
    /* LINUX: between two sockets that are each other's peers only the send buffer bounds. */
    if (receiver.index != id.index && sim_unix_of(world, receiver)->peer.index != id.index &&
        sim_unix_is_full(sim_unix_of(world, receiver))) {
        sim_unix_block_on(world, id, receiver);
        return -EAGAIN;
    }
    return 0;
}

static ssize_t send_loaded(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                           const struct msghdr *message, int flags, struct sim_unix_cargo *cargo)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    size_t length = sim_message_length(message);
    struct sim_socket_id receiver = {0};

    if ((flags & MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    /* LINUX: unix_dgram_sendmsg: the name's form, then the buffer with the caller's bytes in it, and
     * only then who it is for. */
    if (has_name(socket, message) && sim_unix_check_name(message->msg_name, message->msg_namelen) < 0) {
        return -EINVAL;
    }
    if ((socket->options & SIM_OPTION_PASSCRED) != 0 && sim_unix_autobind(world, id) < 0) {
        return -ENOSPC;
    }
    if (length + SPARED_BYTES > socket->send_limit) {
        return -EMSGSIZE;
    }
    int error = sim_unix_may_send(world, id);
    if (error < 0) {
        return error;
    }
    if (sim_message_faults(message, 0, length)) {
        return -EFAULT;
    }
    error = choose_receiver(world, id, message, &receiver);
    if (error == 0) {
        error = check_receiver(world, id, receiver);
    }
    if (error == 0) {
        error = sim_unix_enqueue(world, task, id, receiver, message, 0, length, message_charge(length),
                                 cargo);
    }
    /* LINUX: the buffer, taken before the receiver was looked for, is given back: an edge. */
    if (error < 0 && error != -EAGAIN && sim_unix_is_writable(socket)) {
        sim_wake_socket(world, id, POLLOUT | POLLWRNORM | POLLWRBAND);
    }
    return error < 0 ? error : (ssize_t)length;
}

ssize_t sim_unix_send_datagram(struct sim_world *world, struct sim_task_id task,
                               struct sim_socket_id id, const struct msghdr *message, int flags)
{
    struct sim_unix_cargo cargo;
    ssize_t result = sim_unix_load(world, task, message, &cargo);
    if (result < 0) {
        return result;
    }
    result = send_loaded(world, task, id, message, flags, &cargo);
    sim_unix_unload(world, &cargo);
    return result;
}

static ssize_t send_datagram(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                             const struct msghdr *message, size_t skip, int flags)
{
    return sim_unix_send_datagram(world, task, id, message, flags);
}

/* LINUX: unix_seqpacket_sendmsg: a name is ignored; a pending error comes before all others. */
static ssize_t send_seqpacket(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                              const struct msghdr *message, size_t skip, int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if ((socket->flags & SIM_SOCKET_CONNECTED) == 0) {
        return -ENOTCONN;
    }
    return sim_unix_send_datagram(world, task, id, message, flags);
}

/* ---- receiving ---- */

/* LINUX: of a datagram socket that was shut down only a call that would wait says 0; a SEQPACKET
 * socket says it always. */
static ssize_t nothing_queued(const struct sim_world *world, const struct sim_socket *socket,
                              struct msghdr *message, int flags)
{
    bool ended = (socket->flags & SIM_SOCKET_READ_SHUT) != 0;
    if (!ended || (socket->type == SOCK_DGRAM && (flags & MSG_DONTWAIT) != 0)) {
        return -EAGAIN;
    }
    message->msg_flags = 0;
    message->msg_namelen = 0;
    message->msg_controllen = 0;
    return 0;
}

ssize_t sim_unix_receive_datagram(struct sim_world *world, struct sim_task_id task,
                                  struct sim_socket_id id, struct msghdr *message, int flags)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    bool peek = (flags & MSG_PEEK) != 0;
    if ((flags & MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if (socket->first_datagram.index == 0) {
        return nothing_queued(world, socket, message, flags);
    }
    struct sim_datagram_id first = peek ? socket->first_datagram : sim_unix_dequeue(world, id);
    struct sim_datagram *datagram = sim_datagram_at(world, first);
    struct sim_unix_cargo cargo = {.rights = datagram->rights,
                                   .pid = datagram->sender_pid,
                                   .uid = datagram->sender_uid,
                                   .gid = datagram->sender_gid};
    size_t length = datagram->bytes.length;
    uint64_t arrived_at = datagram->arrived_at;
    size_t used = 0;

    message->msg_flags = 0;
    size_t room = sim_message_length(message);
    size_t wanted = room < length ? room : length;
    size_t copied = sim_bytes_copy_out_iov(world, &datagram->bytes, 0, message->msg_iov,
                                           message->msg_iovlen, 0, wanted);
    if (copied < wanted) { /* LINUX: the message is lost */
        if (!peek) {
            sim_unix_free_message(world, first);
        }
        return -EFAULT;
    }
    if (wanted < length) {
        message->msg_flags |= MSG_TRUNC;
    }
    sim_unix_give_sender(datagram, message);
    if (!peek) {
        datagram->rights.index = 0;
        sim_datagram_free(world, first);
    }
    sim_message_put_time(world, socket, message, &used, arrived_at);
    sim_unix_deliver_cargo(world, task, socket, &cargo, message, used, flags);
    return (ssize_t)((flags & MSG_TRUNC) != 0 ? length : copied);
}

static ssize_t receive_datagram(struct sim_world *world, struct sim_task_id task,
                                struct sim_socket_id id, struct msghdr *message, size_t skip, int flags)
{
    return sim_unix_receive_datagram(world, task, id, message, flags);
}

static ssize_t receive_seqpacket(struct sim_world *world, struct sim_task_id task,
                                 struct sim_socket_id id, struct msghdr *message, size_t skip,
                                 int flags)
{
    if ((sim_socket_at(world, id)->flags & SIM_SOCKET_CONNECTED) == 0) {
        return -ENOTCONN;
    }
    return sim_unix_receive_datagram(world, task, id, message, flags);
}

/* ---- readiness and end ---- */

/* LINUX: unix_dgram_poll: not writable while the peer's queue is full. */
uint32_t sim_unix_poll_datagram(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket_id peer = sim_unix_of(world, id)->peer;
    uint32_t bits = sim_unix_poll_common(world, id);
    bool full = peer.index != 0 && sim_unix_of(world, peer)->peer.index != id.index &&
                sim_unix_is_full(sim_unix_of(world, peer));

    if (sim_unix_is_writable(socket) && !full) {
        bits |= POLLOUT | POLLWRNORM | POLLWRBAND;
    }
    return bits;
}

/* Those who were connected to this socket learn of its end by their next send. */
static void release_datagram(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix *own = sim_unix_of(world, id);
    remove_client(world, id);
    sim_unix_unblock(world, id);
    sim_unix_wake_blocked(world, id, sim_unix_is_full(own));
    struct sim_unix_id client = own->first_client;
    own->first_client.index = 0;
    while (client.index != 0) {
        struct sim_unix *connected = sim_unix_at(world, client);
        client = connected->next_client;
        connected->next_client.index = connected->peer.index = 0;
        connected->peer_gone = 1;
        connected->gone_name_bytes = own->name_bytes;
        memcpy(connected->gone_name, own->name, sizeof own->name);
    }
    sim_unix_flush(world, id);
    sim_socket_free(world, id);
}

const struct sim_protocol sim_unix_dgram_protocol = {
    .name = "UNIX",
    .create = sim_unix_create,
    .destroy = sim_unix_destroy,
    .pair = sim_unix_pair,
    .bind = sim_unix_bind,
    .listen = sim_unix_listen,
    .connect = connect_datagram,
    .connected = sim_unix_connected,
    .accept = sim_unix_accept,
    .send = send_datagram,
    .receive = receive_datagram,
    .shutdown = sim_unix_shutdown,
    .release = release_datagram,
    .poll = sim_unix_poll_datagram,
    .get_name = sim_unix_get_name,
    .set_option = sim_unix_no_option,
    .get_option = sim_unix_no_option_get,
    .ioctl = sim_unix_ioctl,
    .deferred = sim_unix_deferred,
    .check = sim_unix_check,
};

const struct sim_protocol sim_unix_seqpacket_protocol = {
    .name = "UNIX-SEQPACKET",
    .connection_oriented = 0, /* LINUX: EPIPE comes without SIGPIPE */
    .create = sim_unix_create,
    .destroy = sim_unix_destroy,
    .pair = sim_unix_pair,
    .bind = sim_unix_bind,
    .listen = sim_unix_listen,
    .connect = sim_unix_connect,
    .connected = sim_unix_connected,
    .accept = sim_unix_accept,
    .send = send_seqpacket,
    .receive = receive_seqpacket,
    .shutdown = sim_unix_shutdown,
    .release = sim_unix_release,
    .poll = sim_unix_poll_datagram,
    .get_name = sim_unix_get_name,
    .set_option = sim_unix_no_option,
    .get_option = sim_unix_no_option_get,
    .ioctl = sim_unix_ioctl,
    .deferred = sim_unix_deferred,
    .check = sim_unix_check,
};
