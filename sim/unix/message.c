/* UNIX messages: descriptions and credentials in flight, charges, waiting for room.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "core/bytes.h"
#include "file/file.h"
#include "file/wait.h"
#include "internal.h"
#include "socket/message.h"
#include "socket/sockets.h"

enum {
    MOST_RIGHTS = 253,   /* LINUX: SCM_MAX_FD */
    OVERFLOW_ID = 65534, /* what an unknown user is called */
    BUFFER_BYTES = 256,  /* LINUX: a sk_buff, as truesize counts it */
    BESIDE_DATA_BYTES = 320,
    LEAST_HEAD_BYTES = 512,
};

/* ---- loading ---- */

/* Dropping a description may end another socket and come back here for what lies in its queue. */
static void free_rights(struct sim_world *world, struct sim_rights_id id)
{
    while (id.index != 0) {
        struct sim_rights rights = *sim_rights_at(world, id);
        sim_pool_give(world, SIM_POOL_RIGHTS, id.index);
        sim_file_at(world, rights.file)->in_flight--;
        sim_file_drop(world, rights.file);
        id = rights.next;
    }
}

void sim_unix_free_message(struct sim_world *world, struct sim_datagram_id id)
{
    struct sim_datagram *datagram = sim_datagram_at(world, id);
    struct sim_rights_id rights = datagram->rights;
    datagram->rights.index = 0;
    sim_datagram_free(world, id);
    free_rights(world, rights);
}

void sim_unix_unload(struct sim_world *world, struct sim_unix_cargo *cargo)
{
    struct sim_rights_id rights = cargo->rights;
    cargo->rights.index = 0;
    free_rights(world, rights);
}

static int add_right(struct sim_world *world, struct sim_rights_id **end, struct sim_file_id file)
{
    struct sim_rights_id new = {sim_pool_take(world, SIM_POOL_RIGHTS)};

    if (new.index == 0) {
        return -ENOBUFS;
    }
    sim_file_hold(world, file);
    sim_file_at(world, file)->in_flight++;
    sim_rights_at(world, new)->file = file;
    **end = new;
    *end = &sim_rights_at(world, new)->next;
    return 0;
}

/* A description that is not open ends the whole message: EBADF. */
static int load_rights(struct sim_world *world, struct sim_process_id process,
                       const struct cmsghdr *control, struct sim_rights_id **end, size_t *count)
{
    size_t more = sim_message_control_bytes(control) / sizeof(int);
    *count += more;
    if (*count > MOST_RIGHTS) {
        return -EINVAL;
    }
    for (size_t i = 0; i < more; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
        struct sim_file_id file = sim_descriptor_file(world, process, fd);
        if (file.index == 0) {
            return -EBADF;
        }
        int error = add_right(world, end, file);
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

/* LINUX: scm_check_creds: only root may speak as another. */
static int load_credentials(const struct sim_process *process, const struct cmsghdr *control,
                            struct sim_unix_cargo *cargo)
{
    struct ucred credentials;
    if (sim_message_control_bytes(control) != sizeof credentials) {
        return -EINVAL;
    }
    memcpy(&credentials, CMSG_DATA(control), sizeof credentials);
    if (process->uid != 0 && ((uint32_t)credentials.pid != process->pid ||
                              credentials.uid != process->uid || credentials.gid != process->gid)) {
        return -EPERM;
    }
    cargo->pid = (uint32_t)credentials.pid;
    cargo->uid = credentials.uid;
    cargo->gid = credentials.gid;
    return 0;
}

int sim_unix_load(struct sim_world *world, struct sim_task_id task, const struct msghdr *message,
                  struct sim_unix_cargo *cargo)
{
    const struct cmsghdr *control = NULL;
    struct sim_rights_id *end = &cargo->rights;
    size_t count = 0;
    int more;
    int error = 0;
    memset(cargo, 0, sizeof *cargo);
    while (error == 0 && (more = sim_message_next_control(message, &control)) != 0) {
        struct sim_process_id process = sim_task_at(world, task)->process;
        if (more < 0) {
            error = more;
        } else if (control->cmsg_level != SOL_SOCKET) {
            continue;
        } else if (control->cmsg_type == SCM_RIGHTS) {
            error = load_rights(world, process, control, &end, &count);
        } else if (control->cmsg_type == SCM_CREDENTIALS) {
            error = load_credentials(sim_process_at(world, process), control, cargo);
        } else {
            error = -EINVAL;
        }
    }
    if (error < 0) {
        sim_unix_unload(world, cargo);
    }
    return error;
}

/* ---- delivering ---- */

static void put_credentials(const struct sim_unix_cargo *cargo, struct msghdr *message, size_t *used)
{
    struct ucred credentials = {.pid = (pid_t)cargo->pid, .uid = cargo->uid, .gid = cargo->gid};

    if (cargo->pid == 0) { /* LINUX: sent before anybody asked */
        credentials.uid = credentials.gid = OVERFLOW_ID;
    }
    sim_message_put(message, used, SOL_SOCKET, SCM_CREDENTIALS, &credentials, sizeof credentials);
}

/* LINUX: scm_detach_fds: as many descriptors as there is room and the table takes; the rest are
 * closed, with MSG_CTRUNC. */
static void put_rights(struct sim_world *world, struct sim_process_id process,
                       struct sim_rights_id rights, struct msghdr *message, size_t *used, int flags)
{
    int descriptors[MOST_RIGHTS];
    size_t count = 0;
    size_t room = message->msg_controllen - *used;
    size_t most = room > sizeof(struct cmsghdr) ? (room - sizeof(struct cmsghdr)) / sizeof(int) : 0;
    uint32_t fd_flags = (flags & MSG_CMSG_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
    for (; rights.index != 0 && count < most; rights = sim_rights_at(world, rights)->next) {
        struct sim_file_id file = sim_rights_at(world, rights)->file;
        sim_file_hold(world, file);
        int fd = sim_descriptor_install(world, process, file, fd_flags, 0);
        if (fd < 0) {
            sim_file_drop(world, file);
            break;
        }
        descriptors[count++] = fd;
    }
    if (rights.index != 0) {
        message->msg_flags |= MSG_CTRUNC;
    }
    if (count > 0) {
        sim_message_put(message, used, SOL_SOCKET, SCM_RIGHTS, descriptors,
                        count * sizeof descriptors[0]);
    }
}

void sim_unix_deliver_cargo(struct sim_world *world, struct sim_task_id task,
                            const struct sim_socket *socket, struct sim_unix_cargo *cargo,
                            struct msghdr *message, size_t used, int flags)
{
    bool wants_credentials = (socket->options & SIM_OPTION_PASSCRED) != 0;
    if (message->msg_control == NULL) {
        if (wants_credentials || cargo->rights.index != 0) {
            message->msg_flags |= MSG_CTRUNC;
        }
    } else {
        if (wants_credentials) {
            put_credentials(cargo, message, &used);
        }
        put_rights(world, sim_task_at(world, task)->process, cargo->rights, message, &used, flags);
    }
    message->msg_controllen = used;
    if ((flags & MSG_PEEK) == 0) {
        sim_unix_unload(world, cargo);
    }
}

/* ---- the queue ---- */

static uint32_t name_of_sender(const struct sim_world *world, struct sim_socket_id from, uint8_t *name)
{
    const struct sim_unix *own = sim_unix_of(world, from);
    memcpy(name, own->name, own->name_bytes);
    return own->name_bytes;
}

/* LINUX: unix_maybe_add_creds: who sent is noted only if either end asks for it by then. */
static void note_sender(const struct sim_world *world, struct sim_task_id task,
                        const struct sim_socket *from, const struct sim_socket *to,
                        const struct sim_unix_cargo *cargo, struct sim_datagram *datagram)
{
    const struct sim_process *process = sim_process_at(world, sim_task_at(world, task)->process);
    datagram->sender_pid = cargo->pid;
    datagram->sender_uid = cargo->uid;
    datagram->sender_gid = cargo->gid;
    if (cargo->pid == 0 && ((from->options | to->options) & SIM_OPTION_PASSCRED) != 0) {
        datagram->sender_pid = process->pid;
        datagram->sender_uid = process->uid;
        datagram->sender_gid = process->gid;
    }
}

int sim_unix_enqueue(struct sim_world *world, struct sim_task_id task, struct sim_socket_id from,
                     struct sim_socket_id to, const struct msghdr *message, size_t skip, size_t length,
                     uint32_t charge, struct sim_unix_cargo *cargo)
{
    struct sim_socket *sender = sim_socket_at(world, from);
    struct sim_datagram_id new = {sim_pool_take(world, SIM_POOL_DATAGRAM)};

    if (new.index == 0) {
        return -ENOBUFS;
    }
    struct sim_datagram *datagram = sim_datagram_at(world, new);
    const int error = sim_bytes_append_iov(world, &datagram->bytes, message->msg_iov,
                                           message->msg_iovlen, skip, length);
    if (error < 0) {
        sim_datagram_free(world, new);
        return error;
    }
    datagram->charge = charge;
    datagram->arrived_at = world->now;
    datagram->rights = cargo->rights;
    cargo->rights.index = 0;
    note_sender(world, task, sender, sim_socket_at(world, to), cargo, datagram);
    datagram->sender = sim_unix_id_of(world, from);
    datagram->sender_generation = sim_unix_of(world, from)->slot.generation;
    datagram->sender_name_bytes = name_of_sender(world, from, datagram->sender_name);
    sender->send_charge += charge;
    sim_unix_of(world, to)->child_count++;
    sim_datagram_append(world, to, new);
    return 0;
}

void sim_unix_give_sender(const struct sim_datagram *datagram, struct msghdr *message)
{
    socklen_t length = message->msg_namelen;
    if (message->msg_name == NULL || datagram->sender_name_bytes == 0) {
        message->msg_namelen = 0;
        return;
    }
    sim_unix_give_name(datagram->sender_name, datagram->sender_name_bytes, message->msg_name, &length);
    message->msg_namelen = length;
}

/* LINUX: unix_writable: three quarters of the send buffer must be free before a writer is woken. */
bool sim_unix_is_writable(const struct sim_socket *socket)
{
    return (socket->flags & SIM_SOCKET_LISTENING) == 0 &&
           (uint64_t)socket->send_charge * 4 <= socket->send_limit;
}

static void uncharge(struct sim_world *world, const struct sim_datagram *datagram)
{
    const struct sim_unix *own = sim_unix_at(world, datagram->sender);
    if (own->slot.live == 0 || own->slot.generation != datagram->sender_generation ||
        own->socket.index == 0) {
        return;
    }
    struct sim_socket *sender = sim_socket_at(world, own->socket);
    assert(sender->send_charge >= datagram->charge);
    sender->send_charge -= datagram->charge;
    if (sim_unix_is_writable(sender)) {
        sim_wake_socket(world, own->socket, POLLOUT | POLLWRNORM | POLLWRBAND);
    }
}

void sim_unix_unqueue(struct sim_world *world, struct sim_socket_id id, struct sim_datagram_id message)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_datagram *gone = sim_datagram_at(world, message);
    struct sim_datagram_id previous = socket->first_datagram;
    if (previous.index == message.index) {
        sim_datagram_free(world, sim_unix_dequeue(world, id));
        return;
    }
    while (sim_datagram_at(world, previous)->next.index != message.index) {
        previous = sim_datagram_at(world, previous)->next;
    }
    sim_datagram_at(world, previous)->next = gone->next;
    if (socket->last_datagram.index == message.index) {
        socket->last_datagram = previous;
    }
    socket->receive_charge -= gone->charge;
    sim_unix_of(world, id)->child_count--;
    uncharge(world, gone);
    sim_datagram_free(world, message);
}

struct sim_datagram_id sim_unix_dequeue(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix *own = sim_unix_of(world, id);
    bool was_full = sim_unix_is_full(own);
    struct sim_datagram_id taken = sim_datagram_take(world, id);
    if (taken.index == 0) {
        return taken;
    }
    assert(own->child_count > 0);
    if (own->urgent.index == taken.index) {
        own->urgent.index = 0;
    }
    own->child_count--;
    uncharge(world, sim_datagram_at(world, taken));
    if (was_full && !sim_unix_is_full(own)) {
        sim_unix_wake_blocked(world, id, true);
    }
    return taken;
}

/* LINUX: sock_alloc_send_pskb: below the limit any length fits. */
int sim_unix_may_send(struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->error != 0) {
        return sim_socket_take_error(world, id);
    }
    if ((socket->flags & SIM_SOCKET_WRITE_SHUT) != 0) {
        return -EPIPE;
    }
    return socket->send_charge < socket->send_limit ? 0 : -EAGAIN;
}

uint32_t sim_unix_buffer_charge(size_t length)
{
    size_t head = LEAST_HEAD_BYTES;
    while (head < length + BESIDE_DATA_BYTES) {
        head *= 2;
    }
    return (uint32_t)(BUFFER_BYTES + head);
}

/* ---- waiting for room ---- */

/* LINUX: unix_recvq_full: a queue takes one more than its backlog. */
bool sim_unix_is_full(const struct sim_unix *own)
{
    return own->child_count > own->backlog;
}

void sim_unix_block_on(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id full)
{
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_unix_id *link = &sim_unix_of(world, full)->first_blocked;
    if (own->blocked_on.index == sim_unix_id_of(world, full).index) {
        return;
    }
    sim_unix_unblock(world, id);
    while (link->index != 0) { /* ORDER: who waited first is woken first */
        link = &sim_unix_at(world, *link)->next_blocked;
    }
    *link = sim_unix_id_of(world, id);
    own->blocked_on = sim_unix_id_of(world, full);
}

void sim_unix_unblock(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_unix *own = sim_unix_of(world, id);
    if (own->blocked_on.index == 0) {
        return;
    }
    struct sim_unix_id *link = &sim_unix_at(world, own->blocked_on)->first_blocked;
    while (link->index != sim_unix_id_of(world, id).index) {
        link = &sim_unix_at(world, *link)->next_blocked;
    }
    *link = own->next_blocked;
    own->next_blocked.index = own->blocked_on.index = 0;
}

void sim_unix_wake_blocked(struct sim_world *world, struct sim_socket_id id, bool clients)
{
    struct sim_unix *own = sim_unix_of(world, id);
    struct sim_unix_id blocked = own->first_blocked;
    struct sim_unix_id client = {clients ? own->first_client.index : 0};

    own->first_blocked.index = 0;
    while (blocked.index != 0) {
        struct sim_unix *waiting = sim_unix_at(world, blocked);
        blocked = waiting->next_blocked;
        waiting->next_blocked.index = waiting->blocked_on.index = 0;
        sim_wake_socket(world, waiting->socket, POLLOUT | POLLWRNORM | POLLWRBAND);
    }
    while (client.index != 0) {
        const struct sim_unix *connected = sim_unix_at(world, client);
        sim_wake_socket(world, connected->socket, POLLOUT | POLLWRNORM | POLLWRBAND);
        client = connected->next_client;
    }
}
