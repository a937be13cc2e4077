/* UNIX connections: listening, connecting, accepting, ending.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "file/wait.h"
#include "internal.h"
#include "net/host.h"
#include "socket/sockets.h"

enum {
    INHERITED_OPTIONS = SIM_OPTION_PASSCRED,
};

/* ---- listening ---- */

int sim_unix_listen(struct sim_world *world, struct sim_socket_id id, int backlog)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    uint32_t most = (uint32_t)sim_setting(sim_host_at(world, socket->host), SIM_SETTING_SOMAXCONN);
    if (socket->type == SOCK_DGRAM) {
        return -EOPNOTSUPP;
    }
    /* LINUX: who has no name cannot be found. */
    if (own->name_bytes == 0 || (socket->flags & SIM_SOCKET_CONNECTED) != 0) {
        return -EINVAL;
    }
    own->backlog = (uint32_t)backlog < most ? (uint32_t)backlog : most;
    socket->flags |= SIM_SOCKET_LISTENING;
    sim_unix_note_credentials(world, socket, own);
    if (!sim_unix_is_full(own)) {
        sim_unix_wake_blocked(world, id, true);
    }
    return 0;
}

static bool never_waits(const struct sim_world *world, const struct sim_socket *socket)
{
    return socket->file.index != 0 && (sim_file_at(world, socket->file)->status & O_NONBLOCK) != 0;
}

/* LINUX: after shutdown() for reading an accept() that would wait says EINVAL; one that would not
 * says EAGAIN as ever. */
int sim_unix_accept(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id *child)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    if (socket->type == SOCK_DGRAM) {
        return -EOPNOTSUPP;
    }
    if ((socket->flags & SIM_SOCKET_LISTENING) == 0) {
        return -EINVAL;
    }
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if (own->first_child.index == 0) {
        bool ended = (socket->flags & SIM_SOCKET_READ_SHUT) != 0 && !never_waits(world, socket);
        return ended ? -EINVAL : -EAGAIN;
    }
    bool was_full = sim_unix_is_full(own);
    *child = own->first_child;
    struct sim_unix *taken = sim_unix_of(world, *child);
    own->first_child = taken->next_child;
    if (own->first_child.index == 0) {
        own->last_child.index = 0;
    }
    own->child_count--;
    taken->next_child.index = taken->listener.index = 0;
    sim_socket_at(world, *child)->flags |= SIM_SOCKET_ACCEPTED;
    if (was_full) {
        sim_unix_wake_blocked(world, id, true);
    }
    return 0;
}

/* ---- connecting ---- */

/* The accepted end: named like the listener, joined to the connecting one, last in the queue. */
static int make_child(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id listener)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket *listening = sim_socket_at(world, listener);
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_unix *parent = sim_unix_of(world, listener);
    struct sim_socket_id child;
    int error = sim_socket_create(world, listening->host, listening->owner, AF_UNIX, socket->type, 0,
                                  &child);

    if (error < 0) {
        return error;
    }
    struct sim_unix *born = sim_unix_of(world, child);
    memcpy(born->name, parent->name, sizeof born->name);
    born->name_bytes = parent->name_bytes;
    born->name_is_path = parent->name_is_path;
    born->peer = id;
    born->listener = listener;
    sim_unix_note_credentials(world, socket, born);
    sim_socket_at(world, child)->flags |= SIM_SOCKET_CONNECTED;
    sim_socket_at(world, child)->options |= listening->options & INHERITED_OPTIONS;

    own->peer = child;
    own->peer_pid = parent->peer_pid;
    own->peer_uid = parent->peer_uid;
    own->peer_gid = parent->peer_gid;
    socket->flags |= SIM_SOCKET_CONNECTED;

    if (parent->last_child.index != 0) {
        sim_unix_of(world, parent->last_child)->next_child = child;
    } else {
        parent->first_child = child;
    }
    parent->last_child = child;
    parent->child_count++;
    sim_wake_socket(world, listener, POLLIN | POLLRDNORM);
    sim_wake_socket(world, id, POLLOUT | POLLWRNORM | POLLWRBAND);
    return 0;
}

/* LINUX: unix_stream_connect looks for the listener before it looks at the socket itself. */
int sim_unix_connect(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                     socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket_id listener;
    int error = sim_unix_find_peer(world, id, address, length, &listener);
    if (error < 0) {
        return error;
    }
    const struct sim_socket *listening = sim_socket_at(world, listener);
    if ((listening->flags & SIM_SOCKET_LISTENING) == 0 ||
        (listening->flags & SIM_SOCKET_READ_SHUT) != 0) {
        return -ECONNREFUSED;
    }
    if (sim_unix_is_full(sim_unix_of(world, listener))) {
        sim_unix_block_on(world, id, listener);
        return -EAGAIN;
    }
    if ((socket->flags & SIM_SOCKET_CONNECTED) != 0) {
        return -EISCONN;
    }
    if ((socket->flags & SIM_SOCKET_LISTENING) != 0) {
        return -EINVAL;
    }
    sim_unix_unblock(world, id);
    return make_child(world, id, listener);
}

int sim_unix_connected(struct sim_world *world, struct sim_socket_id id)
{
    return (sim_socket_at(world, id)->flags & SIM_SOCKET_CONNECTED) != 0 ? 0 : -EINPROGRESS;
}

/* ---- ending ---- */

/* What one end's end does to the other: no more of either way, and a reset if something sent was
 * never read, or if the connection was never accepted. */
static void end_peer(struct sim_world *world, struct sim_socket_id peer, bool reset)
{
    struct sim_socket *socket = sim_socket_at(world, peer);
    socket->flags |= SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT;
    if (reset) {
        socket->error = ECONNRESET;
    }
    sim_wake_socket(world, peer, SIM_WAKE_ALL);
}

static void end_children(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_socket_id child = own->first_child;
    if (child.index == 0) { /* what is counted then is messages, which the flush takes */
        return;
    }
    own->first_child.index = own->last_child.index = 0;
    own->child_count = 0;
    while (child.index != 0) {
        struct sim_unix *born = sim_unix_of(world, child);
        struct sim_socket_id next = born->next_child;
        born->next_child.index = 0;
        sim_socket_release(world, child);
        child = next;
    }
}

/* LINUX: a first message without bytes does not count (it could be an urgent byte, read already). */
static bool holds_unread(const struct sim_world *world, const struct sim_socket *socket)
{
    if (socket->first_datagram.index == 0) {
        return false;
    }
    const struct sim_datagram *first = sim_datagram_at(world, socket->first_datagram);
    return first->bytes.length > 0 || first->next.index != 0;
}

/* An end that is gone stays as an orphan while its peer lives: getpeername() still tells its name. */
void sim_unix_release(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_socket_id peer = own->peer;
    bool never_accepted = own->listener.index != 0;
    bool unread = holds_unread(world, socket);
    own->listener.index = 0;
    sim_unix_unblock(world, id);
    end_children(world, id);
    socket->flags &= ~(uint32_t)SIM_SOCKET_LISTENING;
    sim_unix_wake_blocked(world, id, true);
    sim_unix_leave_name(world, sim_unix_id_of(world, id));
    bool peer_is_gone = peer.index == 0 || (sim_socket_at(world, peer)->flags & SIM_SOCKET_ORPHAN) != 0;
    if (!peer_is_gone) {
        end_peer(world, peer, unread || never_accepted);
    }
    sim_unix_flush(world, id);
    if (!peer_is_gone) {
        return;
    }
    if (peer.index != 0) {
        sim_socket_free(world, peer);
    }
    sim_socket_free(world, id);
}
