/* What the three types of UNIX socket share: creation, pairs, shutdown, readiness, ioctl, checks.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "file/wait.h"
#include "internal.h"
#include "net/host.h"
#include "socket/sockets.h"
#include "unix.h"

enum {
    BOTH_SHUT = SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT,
};

/* LINUX: until listen() says otherwise a queue's backlog is net.unix.max_dgram_qlen. */
int sim_unix_create(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_unix_id new = {sim_pool_take(world, SIM_POOL_UNIX)};

    if (new.index == 0) {
        return -ENOBUFS;
    }
    struct sim_unix *own = sim_unix_at(world, new);
    own->socket = id;
    own->host = socket->host;
    own->type = socket->type;
    own->backlog = (uint32_t)sim_setting(sim_host_at(world, socket->host),
                                         SIM_SETTING_UNIX_MAX_DGRAM_QLEN);
    socket->detail = new.index;
    return 0;
}

/* A bound path stays in the host's list, with no socket behind it, until it is unlinked. */
void sim_unix_destroy(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix_id detail = sim_unix_id_of(world, id);
    struct sim_unix *own = sim_unix_at(world, detail);
    sim_unix_leave_name(world, detail);
    if (own->is_named) {
        own->socket.index = own->peer.index = 0;
        own->peer_pid = own->peer_uid = own->peer_gid = 0;
        own->backlog = own->boundary = own->peer_gone = 0;
        return;
    }
    sim_pool_give(world, SIM_POOL_UNIX, detail.index);
}

void sim_unix_note_credentials(const struct sim_world *world, const struct sim_socket *of,
                               struct sim_unix *to)
{
    if (of->owner.index == 0) {
        return;
    }
    const struct sim_process *process = sim_process_at(world, of->owner);
    to->peer_pid = process->pid;
    to->peer_uid = process->uid;
    to->peer_gid = process->gid;
}

static void add_client(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id peer)
{
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_unix *other = sim_unix_of(world, peer);
    own->next_client = other->first_client;
    other->first_client = sim_unix_id_of(world, id);
}

int sim_unix_pair(struct sim_world *world, struct sim_socket_id a, struct sim_socket_id b)
{
    const struct sim_socket_id ends[2] = {a, b};

    for (size_t i = 0; i < 2; i++) {
        struct sim_socket *socket = sim_socket_at(world, ends[i]);
        struct sim_unix *own = sim_unix_of(world, ends[i]);
        own->peer = ends[1 - i];
        socket->flags |= SIM_SOCKET_CONNECTED;
        sim_unix_note_credentials(world, sim_socket_at(world, ends[1 - i]), own);
        if (socket->type == SOCK_DGRAM) {
            add_client(world, ends[i], ends[1 - i]);
        }
    }
    return 0;
}

/* LINUX: unix_shutdown: never fails for want of a peer; a connection's other end learns of it at
 * once, a datagram socket's does not. */
int sim_unix_shutdown(struct sim_world *world, struct sim_socket_id id, int how)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket_id peer = sim_unix_of(world, id)->peer;
    uint32_t own_bits = 0;
    uint32_t peer_bits = 0;
    if (how < SHUT_RD || how > SHUT_RDWR) {
        return -EINVAL;
    }
    if (how != SHUT_WR) {
        own_bits |= SIM_SOCKET_READ_SHUT;
        peer_bits |= SIM_SOCKET_WRITE_SHUT;
    }
    if (how != SHUT_RD) {
        own_bits |= SIM_SOCKET_WRITE_SHUT;
        peer_bits |= SIM_SOCKET_READ_SHUT;
    }
    socket->flags |= own_bits;
    sim_wake_socket(world, id, SIM_WAKE_ALL); /* LINUX: sk_state_change: whatever they ask */
    if (peer.index != 0 && socket->type != SOCK_DGRAM) {
        sim_socket_at(world, peer)->flags |= peer_bits;
        sim_wake_socket(world, peer, SIM_WAKE_ALL);
    }
    if (own_bits & SIM_SOCKET_READ_SHUT) { /* who waits for room in this queue learns that it ended */
        sim_unix_wake_blocked(world, id, true);
    }
    return 0;
}

/* LINUX: the part of unix_poll and unix_dgram_poll that is the same; writable is the caller's. */
uint32_t sim_unix_poll_common(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_unix *own = sim_unix_of(world, id);
    bool idle = (socket->flags & (SIM_SOCKET_CONNECTED | SIM_SOCKET_LISTENING)) == 0;
    uint32_t bits = 0;
    if (socket->error != 0) {
        bits |= POLLERR;
    }
    if ((socket->flags & BOTH_SHUT) == BOTH_SHUT) {
        bits |= POLLHUP;
    }
    if ((socket->flags & SIM_SOCKET_READ_SHUT) != 0) {
        bits |= POLLRDHUP | POLLIN | POLLRDNORM;
    }
    if (socket->first_datagram.index != 0 || own->first_child.index != 0) {
        bits |= POLLIN | POLLRDNORM;
    }
    if (socket->type != SOCK_DGRAM && idle) {
        bits |= POLLHUP;
    }
    return bits;
}

void sim_unix_flush(struct sim_world *world, struct sim_socket_id id)
{
    /* What a message holds may be the last of this socket's peer, whose end is then this one's too: the
     * queue is taken off first. */
    struct sim_datagram_id first = {0}, *end = &first, taken;
    while ((taken = sim_unix_dequeue(world, id)).index != 0) {
        *end = taken;
        end = &sim_datagram_at(world, taken)->next;
    }
    while (first.index != 0) {
        taken = first;
        first = sim_datagram_at(world, taken)->next;
        sim_unix_free_message(world, taken);
    }
}

int sim_unix_no_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       const void *value, socklen_t length)
{
    return -EOPNOTSUPP;
}

int sim_unix_no_option_get(struct sim_world *world, struct sim_socket_id id, int level, int name,
                           void *value, socklen_t *length)
{
    return -EOPNOTSUPP;
}

/* LINUX: unix_inq_len: a connection counts all that is queued, a datagram socket the next message. */
static int unread_bytes(const struct sim_world *world, const struct sim_socket *socket)
{
    struct sim_datagram_id id = socket->first_datagram;
    uint64_t bytes = 0;
    if ((socket->flags & SIM_SOCKET_LISTENING) != 0) {
        return -EINVAL;
    }
    while (id.index != 0) {
        const struct sim_datagram *datagram = sim_datagram_at(world, id);
        bytes += datagram->bytes.length;
        id = socket->type == SOCK_DGRAM ? (struct sim_datagram_id){0} : datagram->next;
    }
    return (int)bytes;
}

/* LINUX: also right behind an urgent byte that was read, before anything else is. */
static int is_at_mark(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_datagram_id urgent = sim_unix_of(world, id)->urgent;
    const struct sim_datagram_id first = sim_socket_at(world, id)->first_datagram;
    if (first.index == 0) {
        return 0;
    }
    const struct sim_datagram *message = sim_datagram_at(world, first);
    return first.index == urgent.index ||
           (message->bytes.length == 0 && (urgent.index == 0 || message->next.index == urgent.index));
}

int sim_unix_ioctl(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                   void *argument)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int number;
    switch (request) {
    case FIONREAD:
        number = unread_bytes(world, socket);
        if (number < 0) {
            return number;
        }
        break;
    case TIOCOUTQ:
        number = (int)socket->send_charge;
        break;
    case SIOCATMARK:
        if (socket->type != SOCK_STREAM) {
            return -EOPNOTSUPP;
        }
        number = is_at_mark(world, id);
        break;
    default:
        return -ENOTTY;
    }
    memcpy(argument, &number, sizeof number);
    return 0;
}

void sim_unix_deferred(struct sim_world *world, struct sim_socket_id id, uint32_t what)
{
}

static void check_children(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_unix *own = sim_unix_of(world, id);
    struct sim_socket_id child = own->first_child;
    struct sim_socket_id last = {0};
    uint32_t count = 0;

    while (child.index != 0) {
        const struct sim_unix *queued = sim_unix_of(world, child);
        assert(queued->listener.index == id.index);
        last = child;
        child = queued->next_child;
        count++;
    }
    assert(last.index == own->last_child.index && count == own->child_count);
}

/* Each end of a connection is the other's peer; the counts are the queues' lengths. */
void sim_unix_check(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_unix *own = sim_unix_of(world, id);
    struct sim_datagram_id datagram = socket->first_datagram;
    uint32_t count = 0;
    assert(own->slot.live == 1 && own->socket.index == id.index);
    if (own->peer.index != 0) {
        assert(sim_socket_at(world, own->peer)->slot.live == 1);
    }
    if (own->peer.index != 0 && socket->type != SOCK_DGRAM) {
        assert(sim_unix_of(world, own->peer)->peer.index == id.index);
    }
    sim_socket_check_queue(world, id);
    if ((socket->flags & SIM_SOCKET_LISTENING) != 0) {
        check_children(world, id);
        return;
    }
    for (; datagram.index != 0; datagram = sim_datagram_at(world, datagram)->next) {
        count++;
    }
    assert(count == own->child_count);
}

/* ---- choosing one of the three ------------------------------------------------------------------ */

static int choose(int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    if (protocol != 0 && protocol != PF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    *number = 0; /* LINUX: SO_PROTOCOL of a UNIX socket is 0, whatever was asked for */
    switch (type) {
    case SOCK_STREAM:
        *kind = SIM_PROTOCOL_UNIX_STREAM;
        return 0;
    case SOCK_RAW: /* LINUX: BSD's name for a datagram socket */
    case SOCK_DGRAM:
        *kind = SIM_PROTOCOL_UNIX_DGRAM;
        return 0;
    case SOCK_SEQPACKET:
        *kind = SIM_PROTOCOL_UNIX_SEQPACKET;
        return 0;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

const struct sim_family sim_unix_family = {AF_UNIX, choose};
