/* World calls about sockets: making, naming, listening, accepting, connecting, options.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <poll.h>

#include "internal.h"
#include "net/host.h"
#include "socket/protocol.h"
#include "socket/sockets.h"

static const struct sim_protocol *protocol_of(const struct sim_world *world, struct sim_socket_id id)
{
    return sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
}

/* The socket a descriptor names, for calls that never wait. */
static int lookup(SIM_CALL, int fd, struct sim_socket_id *id)
{
    struct sim_file_id file;
    return sim_descriptor_socket(world, sim_task_at(world, task)->process, fd, &file, id);
}

/* ---- making ------------------------------------------------------------------------------------ */

enum { TYPE_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC, TYPE_MASK = 0xf };

static uint32_t status_of(int flags)
{
    return O_RDWR | (flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
}

/* A descriptor for a socket without a file; the socket is released on failure. */
static int64_t give_descriptor(SIM_CALL, struct sim_socket_id id, int flags)
{
    const struct sim_file_id file = sim_file_open(world, SIM_FILE_SOCKET, id.index, status_of(flags));
    if (!file.index) {
        sim_socket_release(world, id);
        return -ENFILE;
    }
    return sim_call_install(world, task, file, flags & SOCK_CLOEXEC);
}

int64_t sim_call_socket(SIM_CALL, int family, int type, int protocol)
{
    const struct sim_task *caller = sim_task_at(world, task);
    struct sim_socket_id id = {0};
    if (type & ~(TYPE_FLAGS | TYPE_MASK)) {
        return -EINVAL;
    }
    const int result = sim_socket_create(world, caller->host, caller->process, family, type & TYPE_MASK,
                                         protocol, &id);
    return result < 0 ? result : give_descriptor(world, task, id, type);
}

static int make_pair(SIM_CALL, int family, int type, int protocol, struct sim_socket_id pair[2])
{
    const struct sim_task *caller = sim_task_at(world, task);
    int result = sim_socket_create(world, caller->host, caller->process, family, type, protocol,
                                   &pair[0]);
    if (result < 0) {
        return result;
    }
    result = sim_socket_create(world, caller->host, caller->process, family, type, protocol, &pair[1]);
    if (result < 0) {
        sim_socket_release(world, pair[0]);
        return result;
    }
    const struct sim_protocol *rules = protocol_of(world, pair[0]);
    result = rules->pair ? rules->pair(world, pair[0], pair[1]) : -EOPNOTSUPP;
    if (result < 0) {
        sim_socket_release(world, pair[0]);
        sim_socket_release(world, pair[1]);
    }
    return result;
}

int64_t sim_call_socketpair(SIM_CALL, int family, int type, int protocol, int descriptors[2])
{
    struct sim_socket_id pair[2] = {{0}, {0}};
    if (type & ~(TYPE_FLAGS | TYPE_MASK)) {
        return -EINVAL;
    }
    const int result = make_pair(world, task, family, type & TYPE_MASK, protocol, pair);
    if (result < 0) {
        return result;
    }
    const int64_t first = give_descriptor(world, task, pair[0], type);
    if (first < 0) {
        sim_socket_release(world, pair[1]);
        return first;
    }
    const int64_t second = give_descriptor(world, task, pair[1], type);
    if (second < 0) {
        sim_descriptor_close(world, sim_task_at(world, task)->process, (int)first);
        return second;
    }
    descriptors[0] = (int)first;
    descriptors[1] = (int)second;
    return 0;
}

/* ---- names ------------------------------------------------------------------------------------- */

/* LINUX: move_addr_to_kernel. */
static int check_address(const struct sockaddr *address, socklen_t length)
{
    if (length > sizeof(struct sockaddr_storage)) {
        return -EINVAL; /* also a negative length */
    }
    return length > 0 && !sim_call_memory(address) ? -EFAULT : 0;
}

int64_t sim_call_bind(SIM_CALL, int fd, const struct sockaddr *address, socklen_t length)
{
    struct sim_socket_id id = {0};
    int result = lookup(world, task, fd, &id);
    if (result == 0) {
        result = check_address(address, length);
    }
    return result < 0 ? result : protocol_of(world, id)->bind(world, id, address, length);
}

/* LINUX: the name first, then move_addr_to_user: whether there is room for it. */
static int give_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                     struct sockaddr *address, socklen_t *length)
{
    struct sockaddr_storage name;
    socklen_t true_length = sizeof name;
    memset(&name, 0, sizeof name);
    const int result = protocol_of(world, id)->get_name(world, id, peer, (struct sockaddr *)&name,
                                                        &true_length);
    if (result < 0) {
        return result;
    }
    if (!sim_call_memory(length)) {
        return -EFAULT;
    }
    if ((int)*length < 0) {
        return -EINVAL;
    }
    const socklen_t room = *length < true_length ? *length : true_length;
    if (room > 0 && !sim_call_memory(address)) {
        return -EFAULT;
    }
    memcpy(address, &name, room);
    *length = true_length;
    return 0;
}

static int64_t get_name(SIM_CALL, int fd, bool peer, struct sockaddr *address, socklen_t *length)
{
    struct sim_socket_id id = {0};
    const int result = lookup(world, task, fd, &id);
    if (result < 0) {
        return result;
    }
    return give_name(world, id, peer, address, length);
}

int64_t sim_call_getsockname(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length)
{
    return get_name(world, task, fd, false, address, length);
}

int64_t sim_call_getpeername(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length)
{
    return get_name(world, task, fd, true, address, length);
}

/* ---- listening and accepting ------------------------------------------------------------------- */

int64_t sim_call_listen(SIM_CALL, int fd, int backlog)
{
    struct sim_socket_id id = {0};
    const int result = lookup(world, task, fd, &id);
    if (result < 0) {
        return result;
    }
    const struct sim_protocol *rules = protocol_of(world, id);
    const struct sim_host *host = sim_host_at(world, sim_socket_at(world, id)->host);
    const int64_t most = sim_setting(host, SIM_SETTING_SOMAXCONN);
    if ((int64_t)(unsigned)backlog > most) {
        backlog = (int)most; /* LINUX: negative ones too */
    }
    return rules->listen ? rules->listen(world, id, backlog) : -EOPNOTSUPP;
}

/* What accept() does with a connection it got. */
static int64_t accepted(SIM_CALL, struct sim_socket_id child, struct sockaddr *address,
                        socklen_t *length, int flags)
{
    if (address) {
        const int named = give_name(world, child, true, address, length);
        if (named < 0) { /* LINUX: the connection is lost, whatever the reason */
            sim_socket_release(world, child);
            return named == -EFAULT || named == -EINVAL ? named : -ECONNABORTED;
        }
    }
    return give_descriptor(world, task, child, flags);
}

int64_t sim_call_accept(SIM_CALL, int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    struct sim_file_id file;
    struct sim_socket_id id = {0}, child = {0};
    int64_t result = sim_call_socket_of(world, task, fd, &file, &id);
    if (result == -EBADF) {
        return result;
    }
    if (flags & ~TYPE_FLAGS) {
        return -EINVAL;
    }
    if (!sim_descriptor_has_room(world, sim_task_at(world, task)->process)) {
        return sim_call_end(world, task, -EMFILE);
    }
    if (result < 0) {
        return result;
    }
    const struct sim_protocol *rules = protocol_of(world, id);
    result = rules->accept ? rules->accept(world, id, &child) : -EOPNOTSUPP;
    if (result == 0) {
        result = accepted(world, task, child, address, length, flags);
    } else if (result == -EAGAIN && sim_call_waits(world, task, file)) {
        const struct sim_call_wait wait = {.kind = SIM_CALL_ACCEPT,
                                           .descriptor = fd,
                                           .file = file,
                                           .events = POLLIN,
                                           .timeout_ns = sim_socket_at(world, id)->receive_timeout_ns,
                                           .at_deadline = -EAGAIN};
        return sim_call_park(world, task, &wait, 0);
    }
    return sim_call_end(world, task, result);
}

/* ---- connecting -------------------------------------------------------------------------------- */

enum { CONNECT_BEGUN = 1, CONNECT_QUEUES = 2, CONNECT_JOINED = 3 };

static int64_t connect_wait(SIM_CALL, int fd, struct sim_file_id file, struct sim_socket_id id,
                            int64_t pending)
{
    const struct sim_call_wait wait = {.kind = SIM_CALL_CONNECT,
                                       .descriptor = fd,
                                       .file = file,
                                       .events = POLLOUT,
                                       .timeout_ns = sim_socket_at(world, id)->send_timeout_ns,
                                       .at_deadline = pending};
    const int64_t result = sim_call_park(world, task, &wait, 0);
    if (result == SIM_WAIT) {
        struct sim_call *call = &sim_task_at(world, task)->call;
        call->connect_step = pending == -EAGAIN     ? CONNECT_QUEUES
                             : pending == -EALREADY ? CONNECT_JOINED
                                                    : CONNECT_BEGUN;
    }
    return result;
}

int64_t sim_call_connect(SIM_CALL, int fd, const struct sockaddr *address, socklen_t length)
{
    struct sim_file_id file;
    struct sim_socket_id id = {0};
    int64_t result = sim_call_socket_of(world, task, fd, &file, &id);
    if (result == -EBADF) {
        return result;
    }
    if (check_address(address, length) < 0) {
        return check_address(address, length);
    }
    if (result < 0) {
        return result;
    }
    const struct sim_protocol *rules = protocol_of(world, id);
    const uint32_t step = sim_task_at(world, task)->call.connect_step;
    if (step == CONNECT_BEGUN || step == CONNECT_JOINED) {
        result = rules->connected(world, id);
        if (result == -EINPROGRESS && step == CONNECT_JOINED) {
            result = -EALREADY; /* LINUX: also when SO_SNDTIMEO ends the wait */
        }
    } else {
        result = rules->connect(world, id, address, length);
    }
    const bool waits = sim_call_waits(world, task, file);
    /* LINUX: a blocking connect on a socket that connects already waits for it like the first. */
    if (waits && (result == -EINPROGRESS || result == -EALREADY || result == -EAGAIN)) {
        return connect_wait(world, task, fd, file, id, result);
    }
    return sim_call_end(world, task, result == SIM_EAGAIN_FOR_GOOD ? -EAGAIN : result);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

int64_t sim_call_shutdown(SIM_CALL, int fd, int how)
{
    struct sim_socket_id id = {0};
    const int result = lookup(world, task, fd, &id);
    if (result < 0) {
        return result;
    }
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        return -EINVAL;
    }
    return protocol_of(world, id)->shutdown(world, id, how);
}

int64_t sim_call_getsockopt(SIM_CALL, int fd, int level, int option, void *value, socklen_t *length)
{
    struct sim_socket_id id = {0};
    const int result = lookup(world, task, fd, &id);
    if (result < 0) {
        return result;
    }
    if (!sim_call_memory(length)) {
        return -EFAULT;
    }
    return sim_option_get(world, id, level, option, sim_call_memory(value), length);
}

int64_t sim_call_setsockopt(SIM_CALL, int fd, int level, int option, const void *value,
                            socklen_t length)
{
    struct sim_socket_id id = {0};
    const int result = lookup(world, task, fd, &id);
    if (result < 0) {
        return result;
    }
    return (int)length < 0 ? -EINVAL
                           : sim_option_set(world, id, level, option, sim_call_memory(value), length);
}
