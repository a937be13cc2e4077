/* UNIX stream sockets: bytes in pieces as they were sent, so that what came with them keeps its place.
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
    LONGEST_HEAD = 4096 - 320,            /* LINUX: SKB_MAX_HEAD(0) */
    LONGEST_PIECE = LONGEST_HEAD + 32768, /* LINUX: and UNIX_SKB_FRAGS_SZ */
    SPARED_BYTES = 64,
};

/* ---- sending ---- */

/* LINUX: what does not fit in the head lies in whole pages. */
static uint32_t piece_charge(size_t length)
{
    size_t rest = length > LONGEST_HEAD ? length - LONGEST_HEAD : 0;
    size_t pages = (rest + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    size_t head = length > pages ? length - pages : 0;
    return sim_unix_buffer_charge(head) + (uint32_t)pages;
}

/* LINUX: two pieces should fit in the send buffer. */
static size_t piece_length(const struct sim_socket *socket, size_t left)
{
    size_t most = socket->send_limit / 2 - SPARED_BYTES;
    most = most < LONGEST_PIECE ? most : LONGEST_PIECE;
    return left < most ? left : most;
}

static ssize_t send_pieces(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                           const struct msghdr *message, size_t skip, size_t end,
                           struct sim_unix_cargo *cargo)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket_id peer = sim_unix_of(world, id)->peer;
    size_t total = end - skip;
    size_t sent = 0;
    while (sent < total) {
        size_t length = piece_length(socket, total - sent);
        int error = sim_unix_may_send(world, id);
        uint32_t gone = SIM_SOCKET_ORPHAN | SIM_SOCKET_READ_SHUT;
        if (error == 0 && (sim_socket_at(world, peer)->flags & gone) != 0) {
            error = -EPIPE;
        }
        if (error == 0) {
            error = sim_unix_enqueue(world, task, id, peer, message, skip + sent, length,
                                     piece_charge(length), cargo);
        }
        if (error < 0) {
            return sent > 0 ? (ssize_t)sent : error;
        }
        sent += length;
    }
    return (ssize_t)sent;
}

/* LINUX: queue_oob: the urgent byte is a message of its own, behind the others. It is told at once, and
 * no SIGPIPE comes of it. */
static int send_urgent(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                       const struct msghdr *message, size_t skip, struct sim_unix_cargo *cargo)
{
    struct sim_socket_id peer = sim_unix_of(world, id)->peer;
    struct sim_socket *other = sim_socket_at(world, peer);
    int error = sim_unix_may_send(world, id);
    if (error == 0 && (other->flags & (SIM_SOCKET_ORPHAN | SIM_SOCKET_READ_SHUT)) != 0) {
        error = -EPIPE;
    }
    if (error == 0) {
        error = sim_unix_enqueue(world, task, id, peer, message, skip, 1, piece_charge(1), cargo);
    }
    if (error == 0) {
        sim_unix_of(world, peer)->urgent = other->last_datagram;
        sim_wake_socket(world, peer, POLLPRI);
    }
    return error;
}

/* With MSG_OOB the last byte is urgent; it waits for the others to find room. */
static ssize_t send_all(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                        const struct msghdr *message, size_t skip, int flags,
                        struct sim_unix_cargo *cargo)
{
    size_t total = sim_message_length(message) - ((flags & MSG_OOB) != 0);
    ssize_t sent = skip < total ? send_pieces(world, task, id, message, skip, total, cargo) : 0;
    if ((flags & MSG_OOB) == 0 || sent < 0 || skip + (size_t)sent < total) {
        return sent;
    }
    int error = send_urgent(world, task, id, message, total, cargo);
    return error == 0 ? sent + 1 : sent > 0 ? sent : error;
}

/* LINUX: unix_stream_sendmsg: wrong control messages come first of all errors. Descriptions travel
 * with the first piece. */
static ssize_t send_stream(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                           const struct msghdr *message, size_t skip, int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    bool is_connected = (socket->flags & SIM_SOCKET_CONNECTED) != 0;
    struct sim_unix_cargo cargo = {0};
    ssize_t result = 0;

    if (skip == 0) { /* the rest of a send that waited has none: they left with its first bytes */
        result = sim_unix_load(world, task, message, &cargo);
    }
    if (result < 0) {
        return result;
    }
    if ((flags & MSG_OOB) != 0 && sim_message_length(message) == 0) {
        result = -EOPNOTSUPP;
    } else if (message->msg_name != NULL && message->msg_namelen > 0) {
        result = is_connected ? -EISCONN : -EOPNOTSUPP;
    } else if (!is_connected) {
        result = -ENOTCONN;
    } else if ((socket->flags & SIM_SOCKET_WRITE_SHUT) != 0) {
        result = -EPIPE;
    } else {
        result = send_all(world, task, id, message, skip, flags, &cargo);
    }
    sim_unix_unload(world, &cargo);
    return result;
}

/* ---- receiving ---- */

struct progress {
    size_t skip;   /* bytes of the message filled before this call */
    size_t copied; /* and by it */
    size_t left;
    bool has_cargo;
    bool fault; /* the caller's memory is not there */
    struct sim_unix_cargo cargo;
};

/* LINUX: unix_skb_scm_eq: for who asks for credentials, what others sent is another message. */
static bool is_of_another(const struct sim_socket *socket, const struct progress *progress,
                          const struct sim_datagram *piece)
{
    return (socket->options & SIM_OPTION_PASSCRED) != 0 && progress->has_cargo &&
           (piece->sender_pid != progress->cargo.pid || piece->sender_uid != progress->cargo.uid ||
            piece->sender_gid != progress->cargo.gid);
}

/* Copies one piece, or its first bytes; false: there is no memory there. */
static bool copy_piece(const struct sim_world *world, const struct sim_datagram *piece,
                       struct msghdr *message, struct progress *progress, size_t *chunk)
{
    *chunk = piece->bytes.length < progress->left ? piece->bytes.length : progress->left;
    if (!progress->has_cargo) {
        progress->cargo.pid = piece->sender_pid;
        progress->cargo.uid = piece->sender_uid;
        progress->cargo.gid = piece->sender_gid;
        progress->has_cargo = true;
        if (progress->skip == 0) {
            sim_unix_give_sender(piece, message);
        }
    }
    if (sim_bytes_copy_out_iov(world, &piece->bytes, 0, message->msg_iov, message->msg_iovlen,
                               progress->skip + progress->copied, *chunk) < *chunk) {
        progress->fault = true;
        return false;
    }
    progress->copied += *chunk;
    progress->left -= *chunk;
    return true;
}

/* Looks at one piece; false: the message ends here. */
static bool peek_piece(struct sim_world *world, struct sim_datagram_id *at, struct msghdr *message,
                       struct progress *progress)
{
    const struct sim_datagram *piece = sim_datagram_at(world, *at);
    size_t chunk;
    if (!copy_piece(world, piece, message, progress, &chunk)) {
        return false;
    }
    progress->cargo.rights = piece->rights;
    *at = piece->next;
    return piece->rights.index == 0;
}

/* Takes one piece, or its first bytes; false: the message ends here. */
static bool take_piece(struct sim_world *world, struct sim_socket_id id, struct sim_datagram_id *at,
                       struct msghdr *message, struct progress *progress)
{
    struct sim_datagram *piece = sim_datagram_at(world, *at);
    size_t chunk;
    if (!copy_piece(world, piece, message, progress, &chunk)) {
        return false;
    }
    sim_bytes_drop(world, &piece->bytes, chunk);
    progress->cargo.rights = piece->rights;
    piece->rights.index = 0;
    if (piece->bytes.length > 0) {
        return false;
    }
    struct sim_datagram_id taken = sim_unix_dequeue(world, id);
    sim_datagram_free(world, taken);
    *at = sim_socket_at(world, id)->first_datagram;
    return progress->cargo.rights.index == 0 && progress->left > 0;
}

/* ---- the urgent byte ---- */

/* LINUX: manage_oob: a read never crosses the urgent byte; one that begins there skips it, or reads it
 * with SO_OOBINLINE. A message without bytes is one that MSG_OOB has read: it marks the place. The
 * piece to go on with; index 0: none. */
static struct sim_datagram_id pass_urgent(struct sim_world *world, struct sim_socket_id id,
                                          struct sim_datagram_id at, int flags, bool copied)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    const bool peek = (flags & MSG_PEEK) != 0,
               is_inline = (socket->options & SIM_OPTION_OOBINLINE) != 0;
    const struct sim_datagram_id none = {0};
    if (sim_datagram_at(world, at)->bytes.length == 0) {
        const struct sim_datagram_id next = sim_datagram_at(world, at)->next;
        if (copied && (own->urgent.index == 0 || own->urgent.index == at.index)) {
            return none;
        }
        if (!peek) {
            sim_unix_unqueue(world, id, at);
        }
        at = next;
    }
    if (at.index == 0 || at.index != own->urgent.index) {
        return at;
    }
    if (copied) {
        return none;
    }
    if (peek) {
        return is_inline ? at : sim_datagram_at(world, at)->next;
    }
    own->urgent.index = 0;
    if (is_inline) {
        return at;
    }
    struct sim_datagram_id unread = sim_unix_dequeue(world, id);
    sim_unix_free_message(world, unread);
    return sim_socket_at(world, id)->first_datagram;
}

/* LINUX: unix_stream_recv_urg: the byte goes, its message stays as a mark. */
static ssize_t receive_urgent(struct sim_world *world, struct sim_socket_id id, struct msghdr *message,
                              int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_datagram_id urgent = own->urgent;
    struct sim_datagram_id previous = socket->first_datagram;
    if ((socket->options & SIM_OPTION_OOBINLINE) != 0 || urgent.index == 0) {
        return -EINVAL;
    }
    struct sim_datagram *byte = sim_datagram_at(world, urgent);
    size_t room = sim_message_length(message);
    size_t copied = sim_bytes_copy_out_iov(world, &byte->bytes, 0, message->msg_iov,
                                           message->msg_iovlen, 0, room < 1 ? room : 1);
    if ((flags & MSG_PEEK) == 0) {
        own->urgent.index = 0;
        sim_bytes_clear(world, &byte->bytes);
        while (previous.index != urgent.index &&
               sim_datagram_at(world, previous)->next.index != urgent.index) {
            previous = sim_datagram_at(world, previous)->next;
        }
        if (previous.index != urgent.index && sim_datagram_at(world, previous)->bytes.length == 0) {
            sim_unix_unqueue(world, id, previous);
        }
    }
    message->msg_flags = MSG_OOB;
    message->msg_controllen = 0;
    message->msg_namelen = 0;
    return copied < 1 && room > 0 ? -EFAULT : 1;
}

static int nothing_queued(struct sim_world *world, struct sim_socket_id id, struct msghdr *message,
                          size_t skip)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if ((socket->flags & SIM_SOCKET_READ_SHUT) == 0) {
        return -EAGAIN;
    }
    if (skip == 0) {
        message->msg_flags = 0;
        message->msg_namelen = 0;
        message->msg_controllen = 0;
    }
    return 0;
}

/* Goes through the pieces from `at` on. LINUX: a message ends after the piece whose descriptions it
 * took, also with MSG_WAITALL: the caller, who would go on, is told the end by a 0. */
static void read_pieces(struct sim_world *world, struct sim_socket_id id, struct sim_datagram_id at,
                        struct msghdr *message, int flags, struct progress *progress)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    bool more = true;
    while (more && at.index != 0) {
        const struct sim_datagram *piece = sim_datagram_at(world, at);
        if (is_of_another(socket, progress, piece)) {
            break;
        }
        if (progress->skip > 0 && piece->rights.index != 0) { /* no room is left to tell of them */
            own->boundary = 1;
            break;
        }
        more = (flags & MSG_PEEK) != 0 ? peek_piece(world, &at, message, progress)
                                       : take_piece(world, id, &at, message, progress);
        if (more && at.index != 0) {
            at = pass_urgent(world, id, at, flags, progress->skip + progress->copied > 0);
            own->boundary |= at.index == 0;
        }
    }
    if ((flags & MSG_PEEK) == 0 && progress->cargo.rights.index != 0) {
        own->boundary = 1;
    }
}

/* LINUX: unix_stream_read_generic. */
static ssize_t receive_stream(struct sim_world *world, struct sim_task_id task, struct sim_socket_id id,
                              struct msghdr *message, size_t skip, int flags)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_datagram_id at = socket->first_datagram;
    struct progress progress = {.skip = skip, .left = sim_message_length(message) - skip};

    if (own->peer.index == 0) {
        return -EINVAL;
    }
    if ((flags & MSG_OOB) != 0) {
        return receive_urgent(world, id, message, flags);
    }
    if (skip > 0 && own->boundary) {
        return 0;
    }
    own->boundary = 0;
    if (at.index != 0) {
        at = pass_urgent(world, id, at, flags, skip > 0);
        if (at.index == 0 && skip > 0) {
            return 0;
        }
    }
    if (at.index == 0) {
        return nothing_queued(world, id, message, skip);
    }
    if (skip == 0) {
        message->msg_flags = 0;
    }
    read_pieces(world, id, at, message, flags, &progress);
    if (skip == 0 && !(progress.fault && progress.copied == 0)) {
        sim_unix_deliver_cargo(world, task, socket, &progress.cargo, message, 0, flags);
    }
    return progress.fault && progress.copied == 0 ? -EFAULT : (ssize_t)progress.copied;
}

/* ---- readiness ---- */

/* LINUX: unix_poll: writable also when nothing can be written any more, so that nobody waits. */
static uint32_t poll_stream(const struct sim_world *world, struct sim_socket_id id)
{
    uint32_t bits = sim_unix_poll_common(world, id);
    if (sim_unix_of(world, id)->urgent.index != 0) {
        bits |= POLLPRI;
    }
    if (sim_unix_is_writable(sim_socket_at(world, id))) {
        bits |= POLLOUT | POLLWRNORM | POLLWRBAND;
    }
    return bits;
}

const struct sim_protocol sim_unix_stream_protocol = {
    .name = "UNIX-STREAM",
    .connection_oriented = 1,
    .byte_stream = 1,
    .peek_is_short = 1,
    .create = sim_unix_create,
    .destroy = sim_unix_destroy,
    .pair = sim_unix_pair,
    .bind = sim_unix_bind,
    .listen = sim_unix_listen,
    .connect = sim_unix_connect,
    .connected = sim_unix_connected,
    .accept = sim_unix_accept,
    .send = send_stream,
    .receive = receive_stream,
    .shutdown = sim_unix_shutdown,
    .release = sim_unix_release,
    .poll = poll_stream,
    .get_name = sim_unix_get_name,
    .set_option = sim_unix_no_option,
    .get_option = sim_unix_no_option_get,
    .ioctl = sim_unix_ioctl,
    .deferred = sim_unix_deferred,
    .check = sim_unix_check,
};
