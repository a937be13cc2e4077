/* World calls that move bytes through sockets: sendmsg and recvmsg.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <poll.h>

#include "internal.h"
#include "process.h"
#include "socket/protocol.h"
#include "socket/sockets.h"

enum {
    MOST_VECTORS = 1024,          /* UIO_MAXIOV */
    MOST_BYTES = INT_MAX & ~4095, /* LINUX: MAX_RW_COUNT: what is beyond is cut off */
};

/* LINUX: access_ok: could this lie in a process's half? One vector alone is cut off before that. */
static bool may_be_memory(const struct iovec *vector, bool alone)
{
    const uint64_t beyond = UINT64_C(0x7ffffffff000);
    const uint64_t length = alone && vector->iov_len > MOST_BYTES ? MOST_BYTES : vector->iov_len;
    return length <= beyond && (uintptr_t)vector->iov_base <= beyond - length;
}

/* LINUX: the order of checks in copy_msghdr_from_user and import_iovec. The total or -errno. */
static int64_t check_message(const struct msghdr *message)
{
    if (sim_memory_is_bad(message)) {
        return -EFAULT;
    }
    if (message->msg_name && (int)message->msg_namelen < 0) {
        return -EINVAL;
    }
    if (message->msg_name && message->msg_namelen > 0 && sim_memory_is_bad(message->msg_name)) {
        return -EFAULT;
    }
    if (message->msg_iovlen > MOST_VECTORS) {
        return -EMSGSIZE;
    }
    if (message->msg_iovlen > 0 && sim_memory_is_bad(message->msg_iov)) {
        return -EFAULT;
    }
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        if (message->msg_iov[i].iov_len > SSIZE_MAX) {
            return -EINVAL;
        }
    }
    uint64_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *vector = &message->msg_iov[i];
        if (!may_be_memory(vector, message->msg_iovlen == 1)) {
            return -EFAULT;
        }
        total += vector->iov_len < MOST_BYTES - total ? vector->iov_len : MOST_BYTES - total;
    }
    return (int64_t)total;
}

/* ---- sending ----------------------------------------------------------------------------------- */

/* What a broken connection does to who writes: SIGPIPE beside EPIPE. */
static int64_t broken(SIM_CALL, const struct sim_protocol *rules, int64_t result, int flags)
{
    result = sim_call_end(world, task, result);
    if (result == -EPIPE && rules->connection_oriented && !(flags & MSG_NOSIGNAL)) {
        sim_signal_send(world, task, SIGPIPE);
    }
    return result;
}

static int64_t send_wait(SIM_CALL, int fd, struct sim_file_id file, struct sim_socket_id id,
                         int64_t progress)
{
    const struct sim_call_wait wait = {.kind = SIM_CALL_SEND,
                                       .descriptor = fd,
                                       .file = file,
                                       .events = POLLOUT,
                                       .timeout_ns = sim_socket_at(world, id)->send_timeout_ns,
                                       .at_deadline = -EAGAIN};
    return sim_call_park(world, task, &wait, progress);
}

int64_t sim_call_sendmsg(SIM_CALL, int fd, const struct msghdr *message, int flags)
{
    struct sim_file_id file;
    struct sim_socket_id id = {0};
    int64_t result = sim_call_socket_of(world, task, fd, &file, &id);
    if (result < 0) {
        return result;
    }
    const int64_t total = check_message(message);
    if (total < 0) {
        return total;
    }
    if (message->msg_controllen > INT_MAX) {
        return -ENOBUFS;
    }
    if (message->msg_controllen > 0 && sim_memory_is_bad(message->msg_control)) {
        return -EFAULT;
    }
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_protocol *rules = sim_protocol_of(socket->protocol_kind);
    const bool waits = !(flags & MSG_DONTWAIT) && sim_call_waits(world, task, file);
    int64_t progress = (int64_t)sim_task_at(world, task)->call.moved_bytes;
    /* LINUX: an error after some bytes went out is left for the next call. */
    if (progress > 0 && (socket->error || (socket->flags & SIM_SOCKET_WRITE_SHUT))) {
        return sim_call_end(world, task, progress);
    }
    for (;;) {
        result = rules->send(world, task, id, message, (size_t)progress,
                             waits ? flags : flags | MSG_DONTWAIT);
        if (result > 0) {
            progress += result;
        }
        if (result >= 0 && (!rules->byte_stream || progress >= total || result == 0)) {
            return sim_call_end(world, task, progress);
        }
        if (result >= 0 && waits) {
            continue; /* a stream took a part; what it says next is why */
        }
        if (result == -EAGAIN && waits) {
            return send_wait(world, task, fd, file, id, progress);
        }
        if (result == SIM_EAGAIN_FOR_GOOD) {
            result = -EAGAIN;
        }
        return progress > 0 ? sim_call_end(world, task, progress)
                            : broken(world, task, rules, result, flags);
    }
}

/* ---- receiving --------------------------------------------------------------------------------- */

/* How many bytes a stream must have before the call returns. */
static int64_t target_of(const struct sim_socket *socket, int64_t total, int flags)
{
    if (flags & MSG_WAITALL) {
        return total;
    }
    const int64_t low = socket->receive_low_water;
    return low < 1 ? 1 : low < total ? low : total;
}

static int64_t receive_wait(SIM_CALL, int fd, struct sim_file_id file, struct sim_socket_id id,
                            int64_t progress)
{
    const struct sim_call_wait wait = {.kind = SIM_CALL_RECEIVE,
                                       .descriptor = fd,
                                       .file = file,
                                       .events = POLLIN | POLLRDHUP,
                                       .at_deadline = -EAGAIN,
                                       .timeout_ns = sim_socket_at(world, id)->receive_timeout_ns};
    return sim_call_park(world, task, &wait, progress);
}

/* A peek that found something: will more of it ever come? LINUX: tcp_recvmsg_locked ends at the peer's
 * end or an error with what there is; unix_stream_read_generic always does. */
static bool sees_all(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_protocol *rules = sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
    return rules->peek_is_short || (rules->poll(world, id) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* A byte stream: goes on until the target is met, the stream ends or something went wrong. */
static int64_t receive_stream(SIM_CALL, int fd, struct sim_file_id file, struct sim_socket_id id,
                              struct msghdr *message, int64_t total, int flags, bool waits)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_protocol *rules = sim_protocol_of(socket->protocol_kind);
    const int64_t target = target_of(socket, total, flags);
    const bool peek = flags & MSG_PEEK;
    int64_t progress = (int64_t)sim_task_at(world, task)->call.moved_bytes;
    if (progress > 0 && !peek && socket->error) {
        return sim_call_end(world, task, progress); /* LINUX: the error is the next call's */
    }
    for (;;) {
        /* A peek looks at the same bytes again from the start, and at more of them each time. */
        const int64_t skip = peek ? 0 : progress;
        const int64_t result = rules->receive(world, task, id, message, (size_t)skip,
                                              waits ? flags : flags | MSG_DONTWAIT);
        if (result > 0) {
            progress = skip + result;
        }
        if (progress >= target || result == 0 || (result > 0 && !waits) ||
            (result > 0 && peek && sees_all(world, id))) {
            return sim_call_end(world, task, progress > 0 ? progress : result);
        }
        if (result == -EAGAIN || (result > 0 && peek)) {
            return waits ? receive_wait(world, task, fd, file, id, progress)
                         : sim_call_end(world, task, progress > 0 ? progress : result);
        }
        if (result < 0) {
            return sim_call_end(world, task, progress > 0 ? progress : result);
        }
    }
}

/* LINUX: ____sys_recvmsg: msg_namelen is told to who gave room for a name alone. */
static int64_t receive(SIM_CALL, int fd, struct sim_file_id file, struct sim_socket_id id,
                       struct msghdr *message, int64_t total, int flags)
{
    const struct sim_protocol *rules = sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
    /* The error queue and the urgent byte are there or they are not: nobody waits for them. */
    const bool waits = !(flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB)) &&
                       sim_call_waits(world, task, file);
    if (rules->byte_stream && !(flags & (MSG_ERRQUEUE | MSG_OOB))) {
        return receive_stream(world, task, fd, file, id, message, total, flags, waits);
    }
    const int64_t result = rules->receive(world, task, id, message, 0,
                                          waits ? flags : flags | MSG_DONTWAIT);
    if (result == -EAGAIN && waits) {
        return receive_wait(world, task, fd, file, id, 0);
    }
    return sim_call_end(world, task, result);
}

int64_t sim_call_recvmsg(SIM_CALL, int fd, struct msghdr *message, int flags)
{
    struct sim_file_id file;
    struct sim_socket_id id = {0};
    const int found = sim_call_socket_of(world, task, fd, &file, &id);
    if (found < 0) {
        return found;
    }
    const int64_t total = check_message(message);
    if (total < 0) {
        return total;
    }
    const socklen_t given = message->msg_namelen;
    const int64_t result = receive(world, task, fd, file, id, message, total, flags);
    if (result != SIM_WAIT && result >= 0) {
        message->msg_flags |= flags & MSG_CMSG_CLOEXEC;
    }
    if (!message->msg_name) {
        message->msg_namelen = given;
    }
    return result;
}
