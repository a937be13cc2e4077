/* The calls that move data: send, receive, read and write in all their shapes, from file to socket.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "calls.h"
#include "preload.h"

enum {
    PIECE_BYTES = 16384,
    MOST_MESSAGES = 1024, /* LINUX: UIO_MAXIOV, of sendmmsg and recvmmsg too */
};
static const size_t most_bytes = 0x7ffff000; /* LINUX: MAX_RW_COUNT */

/* ---- real ones ---------------------------------------------------------------------------------- */

/* A read or write of a real pipe or terminal lets the world go on while it would block. */
static int64_t pass_waiting(int64_t number, const int64_t *a, short events)
{
    const int fd = (int)a[0];
    if (preload_kind_of(fd) == PRELOAD_POLLED &&
        !(preload_kernel(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK)) {
        const int64_t waited = preload_wait_real(fd, events);
        if (waited < 0) {
            return waited;
        }
    }
    return preload_pass(number, a);
}

/* ---- one piece ---------------------------------------------------------------------------------- */

/* A count as the kernel takes it; -EFAULT when the bytes are not the program's. */
static int64_t bounded(const void *start, size_t *length, bool to_write)
{
    if ((int64_t)*length < 0) {
        return -EINVAL;
    }
    *length = *length < most_bytes ? *length : most_bytes;
    return (to_write ? preload_writable(start, *length) : preload_readable(start, *length)) ? 0
                                                                                            : -EFAULT;
}

int64_t preload_do_read(const int64_t *a)
{
    const int fd = (int)a[0];
    const enum preload_kind kind = preload_kind_of(fd);
    if (kind != PRELOAD_WORLD && kind != PRELOAD_RANDOM) {
        return pass_waiting(SYS_read, a, POLLIN);
    }
    void *buffer = preload_pointer(a[1]);
    size_t length = (size_t)a[2];
    if (kind == PRELOAD_RANDOM) {
        const int64_t drawn[PRELOAD_ARGUMENTS] = {a[1], a[2], 0};
        return preload_do_getrandom(drawn);
    }
    const int64_t wrong = bounded(buffer, &length, true);
    const struct dry_caller caller = preload_seam();
    return wrong < 0 ? wrong : caller.system->read(caller, fd, buffer, length);
}

int64_t preload_do_write(const int64_t *a)
{
    const int fd = (int)a[0];
    if (preload_kind_of(fd) != PRELOAD_WORLD) {
        return pass_waiting(SYS_write, a, POLLOUT);
    }
    const void *data = preload_pointer(a[1]);
    size_t length = (size_t)a[2];
    const int64_t wrong = bounded(data, &length, false);
    const struct dry_caller caller = preload_seam();
    return wrong < 0 ? wrong : caller.system->write(caller, fd, data, length);
}

int64_t preload_do_sendto(const int64_t *a)
{
    const void *data = preload_pointer(a[1]);
    size_t length = (size_t)a[2];
    const struct sockaddr *address = preload_pointer(a[4]);
    const socklen_t address_length = (socklen_t)a[5];
    length = length < most_bytes ? length : most_bytes;
    if (!preload_readable(data, length) ||
        (address && address_length <= sizeof(struct sockaddr_storage) &&
         !preload_readable(address, address_length))) {
        return -EFAULT;
    }
    const struct dry_caller caller = preload_seam();
    return caller.system->sendto(caller, (int)a[0], data, length, (int)a[3], address, address_length);
}

int64_t preload_do_recvfrom(const int64_t *a)
{
    void *buffer = preload_pointer(a[1]);
    size_t length = (size_t)a[2];
    struct sockaddr *address = preload_pointer(a[4]);
    socklen_t *address_length = preload_pointer(a[5]);
    length = length < most_bytes ? length : most_bytes;
    if (!preload_writable(buffer, length) ||
        (address && (!preload_writable(address_length, sizeof *address_length) ||
                     (int)*address_length < 0 || !preload_writable(address, *address_length)))) {
        return address && preload_readable(address_length, sizeof *address_length) &&
                       (int)*address_length < 0
                   ? -EINVAL
                   : -EFAULT;
    }
    const struct dry_caller caller = preload_seam();
    return caller.system->recvfrom(caller, (int)a[0], buffer, length, (int)a[3], address,
                                   address ? address_length : NULL);
}

/* ---- messages ----------------------------------------------------------------------------------- */

/* Is a vector good, all of it? 0, -EINVAL, -EFAULT. */
static int64_t vector_is_good(const struct iovec *vector, size_t count, bool to_write)
{
    size_t whole = 0;
    if (count > IOV_MAX) {
        return -EINVAL;
    }
    if (!preload_readable(vector, count * sizeof *vector)) {
        return -EFAULT;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t length = vector[i].iov_len;
        if ((int64_t)length < 0) {
            return -EINVAL;
        }
        const size_t room = most_bytes - whole;
        const size_t used = length < room ? length : room;
        whole += used;
        if (!(to_write ? preload_writable(vector[i].iov_base, used)
                       : preload_readable(vector[i].iov_base, used))) {
            return -EFAULT;
        }
    }
    return 0;
}

static int64_t message_is_good(const struct msghdr *message, bool to_write)
{
    if (!preload_readable(message, sizeof *message) ||
        (to_write && !preload_writable(message, sizeof *message))) {
        return -EFAULT;
    }
    if (message->msg_iovlen > IOV_MAX) {
        return -EMSGSIZE;
    }
    if (message->msg_name && (int)message->msg_namelen < 0) {
        return -EINVAL;
    }
    const size_t name_bytes = message->msg_name ? message->msg_namelen : 0;
    const size_t most_name = sizeof(struct sockaddr_storage);
    const size_t used_name = name_bytes < most_name ? name_bytes : most_name;
    const size_t control = message->msg_control ? message->msg_controllen : 0;
    if (control > INT_MAX) {
        return -ENOBUFS;
    }
    const bool good = to_write ? preload_writable(message->msg_name, name_bytes) &&
                                     preload_writable(message->msg_control, control)
                               : preload_readable(message->msg_name, used_name) &&
                                     preload_readable(message->msg_control, control);
    return good ? vector_is_good(message->msg_iov, message->msg_iovlen, to_write) : -EFAULT;
}

int64_t preload_do_sendmsg(const int64_t *a)
{
    const struct msghdr *message = preload_pointer(a[1]);
    const struct dry_caller caller = preload_seam();
    if (preload_kind_of((int)a[0]) != PRELOAD_WORLD) {
        return preload_is_real((int)a[0]) ? -ENOTSOCK : -EBADF;
    }
    const int64_t wrong = message_is_good(message, false);
    if (wrong < 0) {
        return wrong;
    }
    const ssize_t result = caller.system->sendmsg(caller, (int)a[0], message, (int)a[2]);
    if (result >= 0 && message->msg_controllen > 0) {
        preload_rights_go(message);
    }
    return result;
}

int64_t preload_do_recvmsg(const int64_t *a)
{
    struct msghdr *message = preload_pointer(a[1]);
    const struct dry_caller caller = preload_seam();
    if (preload_kind_of((int)a[0]) != PRELOAD_WORLD) {
        return preload_is_real((int)a[0]) ? -ENOTSOCK : -EBADF;
    }
    const int64_t wrong = message_is_good(message, true);
    if (wrong < 0) {
        return wrong;
    }
    const ssize_t result = caller.system->recvmsg(caller, (int)a[0], message, (int)a[2]);
    if (result >= 0 && message->msg_controllen > 0) {
        preload_rights_came(message, (int)a[2] & MSG_CMSG_CLOEXEC);
    }
    return result;
}

int64_t preload_do_sendmmsg(const int64_t *a)
{
    struct mmsghdr *messages = preload_pointer(a[1]);
    const size_t wanted = (unsigned)a[2];
    const size_t count = wanted < MOST_MESSAGES ? wanted : MOST_MESSAGES;
    size_t done = 0;
    for (; done < count; done++) {
        if (!preload_writable(&messages[done], sizeof *messages)) {
            return done ? (int64_t)done : -EFAULT;
        }
        const int64_t one[PRELOAD_ARGUMENTS] = {a[0], (int64_t)(uintptr_t)&messages[done].msg_hdr,
                                                a[3]};
        const int64_t result = preload_do_sendmsg(one);
        if (result < 0) {
            return done ? (int64_t)done : result;
        }
        messages[done].msg_len = (unsigned)result;
    }
    return (int64_t)done;
}

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

/* LINUX: the timeout is looked at after each message only, and what is left is written back. */
int64_t preload_do_recvmmsg(const int64_t *a)
{
    struct mmsghdr *messages = preload_pointer(a[1]);
    const size_t wanted = (unsigned)a[2];
    const size_t count = wanted < MOST_MESSAGES ? wanted : MOST_MESSAGES;
    struct timespec *timeout = preload_pointer(a[4]);
    if (timeout && !preload_readable(timeout, sizeof *timeout)) {
        return -EFAULT;
    }
    if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > 999999999)) {
        return -EINVAL;
    }
    const uint64_t end_at = timeout ? preload_world_now() + nanoseconds(timeout) : UINT64_MAX;
    int flags = (int)a[3];
    size_t done = 0;
    while (done < count) {
        if (!preload_writable(&messages[done], sizeof *messages)) {
            return done ? (int64_t)done : -EFAULT;
        }
        const int64_t one[PRELOAD_ARGUMENTS] = {a[0], (int64_t)(uintptr_t)&messages[done].msg_hdr,
                                                flags & ~MSG_WAITFORONE};
        const int64_t result = preload_do_recvmsg(one);
        if (result < 0) {
            return done ? (int64_t)done : result;
        }
        messages[done].msg_len = (unsigned)result;
        done++;
        flags |= flags & MSG_WAITFORONE ? MSG_DONTWAIT : 0;
        if (preload_world_now() >= end_at || (messages[done - 1].msg_hdr.msg_flags & MSG_OOB)) {
            break;
        }
    }
    if (timeout && preload_writable(timeout, sizeof *timeout)) {
        const uint64_t now = preload_world_now();
        const uint64_t left = end_at > now ? end_at - now : 0;
        *timeout = (struct timespec){(time_t)(left / 1000000000), (long)(left % 1000000000)};
    }
    return (int64_t)done;
}

/* ---- vectors ------------------------------------------------------------------------------------ */

static bool is_socket(struct dry_caller caller, int fd)
{
    int type;
    socklen_t length = sizeof type;
    return caller.system->getsockopt(caller, fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

/* Is there more to read at once? */
static bool more(struct dry_caller caller, int fd, short events)
{
    static const struct timespec at_once = {0, 0};
    struct pollfd one = {fd, events, 0};
    return caller.system->ppoll(caller, &one, 1, &at_once, NULL) == 1 && (one.revents & events);
}

/* SIMPLER: pipes and counters: piece by piece; a blocking write waits within each. */
static int64_t pieces(struct dry_caller caller, int fd, const struct iovec *vector, size_t count,
                      bool to_write)
{
    int64_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (vector[i].iov_len == 0) {
            continue;
        }
        if (done > 0 && to_write && !more(caller, fd, POLLIN)) {
            break;
        }
        const ssize_t result =
            to_write ? caller.system->read(caller, fd, vector[i].iov_base, vector[i].iov_len)
                     : caller.system->write(caller, fd, vector[i].iov_base, vector[i].iov_len);
        if (result < 0) {
            return done ? done : result;
        }
        done += result;
        if ((size_t)result < vector[i].iov_len) {
            break;
        }
    }
    return done;
}

/* to_write: into the program's memory. */
static int64_t vectored(int fd, const struct iovec *vector, size_t count, int flags, bool to_write)
{
    const struct dry_caller caller = preload_seam();
    const int64_t wrong = vector_is_good(vector, count, to_write);
    if (wrong < 0) {
        return wrong;
    }
    if (!is_socket(caller, fd)) {
        return pieces(caller, fd, vector, count, to_write);
    }
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)vector, .msg_iovlen = count};
    return to_write ? caller.system->recvmsg(caller, fd, &message, flags)
                    : caller.system->sendmsg(caller, fd, &message, flags);
}

int64_t preload_do_readv(const int64_t *a)
{
    return preload_kind_of((int)a[0]) == PRELOAD_WORLD
               ? vectored((int)a[0], preload_pointer(a[1]), (size_t)a[2], 0, true)
               : pass_waiting(SYS_readv, a, POLLIN);
}

int64_t preload_do_writev(const int64_t *a)
{
    return preload_kind_of((int)a[0]) == PRELOAD_WORLD
               ? vectored((int)a[0], preload_pointer(a[1]), (size_t)a[2], 0, false)
               : pass_waiting(SYS_writev, a, POLLOUT);
}

int64_t preload_do_preadv(const int64_t *a)
{
    return preload_kind_of((int)a[0]) == PRELOAD_WORLD ? -ESPIPE : preload_pass(SYS_preadv, a);
}

int64_t preload_do_pwritev(const int64_t *a)
{
    return preload_kind_of((int)a[0]) == PRELOAD_WORLD ? -ESPIPE : preload_pass(SYS_pwritev, a);
}

/* Offset -1 means the position: as readv and writev. */
int64_t preload_do_preadv2(const int64_t *a)
{
    if (preload_kind_of((int)a[0]) != PRELOAD_WORLD) {
        return preload_pass(SYS_preadv2, a);
    }
    return a[3] != -1 ? -ESPIPE
                      : vectored((int)a[0], preload_pointer(a[1]), (size_t)a[2],
                                 a[5] & RWF_NOWAIT ? MSG_DONTWAIT : 0, true);
}

int64_t preload_do_pwritev2(const int64_t *a)
{
    if (preload_kind_of((int)a[0]) != PRELOAD_WORLD) {
        return preload_pass(SYS_pwritev2, a);
    }
    return a[3] != -1 ? -ESPIPE : vectored((int)a[0], preload_pointer(a[1]), (size_t)a[2], 0, false);
}

/* ---- from descriptor to descriptor -------------------------------------------------------------- */

/* Reads a piece of a real file at an offset, or of the world's descriptor. */
static int64_t read_piece(struct dry_caller caller, int fd, char *piece, size_t length, int64_t offset)
{
    if (preload_kind_of(fd) == PRELOAD_WORLD) {
        return caller.system->read(caller, fd, piece, length);
    }
    return offset < 0 ? preload_kernel(SYS_read, fd, piece, length)
                      : preload_kernel(SYS_pread64, fd, piece, length, offset);
}

static int64_t write_piece(struct dry_caller caller, int fd, const char *piece, size_t length)
{
    return preload_kind_of(fd) == PRELOAD_WORLD ? caller.system->write(caller, fd, piece, length)
                                                : preload_kernel(SYS_write, fd, piece, length);
}

int64_t preload_do_sendfile(const int64_t *a)
{
    const int out = (int)a[0], in = (int)a[1];
    int64_t *offset = preload_pointer(a[2]);
    const struct dry_caller caller = preload_seam();
    if (preload_kind_of(in) == PRELOAD_CLOSED || preload_kind_of(out) == PRELOAD_CLOSED) {
        return -EBADF;
    }
    if (preload_is_real(in) && preload_is_real(out)) {
        return preload_pass(SYS_sendfile, a);
    }
    if (preload_kind_of(in) == PRELOAD_WORLD) {
        return -EINVAL; /* LINUX: a socket cannot be read so */
    }
    if (offset && !preload_writable(offset, sizeof *offset)) {
        return -EFAULT;
    }
    int64_t at = offset ? *offset : preload_kernel(SYS_lseek, in, 0, SEEK_CUR);
    if (at < 0) {
        return offset || at == -ESPIPE ? -EINVAL : at;
    }
    size_t done = 0;
    const size_t count = (size_t)a[3];
    while (done < count) {
        char piece[PIECE_BYTES];
        const size_t wanted = count - done < sizeof piece ? count - done : sizeof piece;
        const int64_t got = read_piece(caller, in, piece, wanted, at);
        const int64_t put = got > 0 ? write_piece(caller, out, piece, (size_t)got) : got;
        if (put < 0 && done == 0) {
            return put;
        }
        if (put <= 0) {
            break;
        }
        done += (size_t)put;
        at += put;
        if (put < got) {
            break;
        }
    }
    if (offset) {
        *offset = at;
    } else {
        preload_kernel(SYS_lseek, in, at, SEEK_SET);
    }
    return (int64_t)done;
}

/* SIMPLER: what splice(2) moves by reference is copied; what was read and cannot be written is lost
 * only when the writing side fails, as it would be in a pipe nobody reads. One piece a call. */
int64_t preload_do_splice(const int64_t *a)
{
    const int in = (int)a[0], out = (int)a[2];
    const int64_t *in_offset = preload_pointer(a[1]);
    const struct dry_caller caller = preload_seam();
    const enum preload_kind in_kind = preload_kind_of(in), out_kind = preload_kind_of(out);
    if (in_kind == PRELOAD_CLOSED || out_kind == PRELOAD_CLOSED) {
        return -EBADF;
    }
    if (in_kind != PRELOAD_WORLD && out_kind != PRELOAD_WORLD) {
        return preload_pass(SYS_splice, a);
    }
    if ((in_kind == PRELOAD_WORLD && in_offset) || (out_kind == PRELOAD_WORLD && a[3])) {
        return -ESPIPE;
    }
    const bool waits = !(a[5] & 2 /* SPLICE_F_NONBLOCK */);
    const bool out_is_pipe = out_kind == PRELOAD_WORLD && !is_socket(caller, out);
    const bool in_is_pipe = in_kind == PRELOAD_WORLD && !is_socket(caller, in);
    if (!out_is_pipe && !in_is_pipe) {
        return -EINVAL;
    }
    if (!waits &&
        ((in_is_pipe && !more(caller, in, POLLIN)) || (out_is_pipe && !more(caller, out, POLLOUT)))) {
        return -EAGAIN;
    }
    char piece[PIECE_BYTES];
    size_t length = (size_t)a[4] < sizeof piece ? (size_t)a[4] : sizeof piece;
    const int64_t got = read_piece(caller, in, piece, length, in_offset ? *in_offset : -1);
    if (got <= 0) {
        return got;
    }
    const int64_t put = write_piece(caller, out, piece, (size_t)got);
    if (put > 0 && in_offset) {
        *(int64_t *)preload_pointer(a[1]) += put;
    }
    return put;
}

int64_t preload_do_tee(const int64_t *a)
{
    const bool world = preload_kind_of((int)a[0]) == PRELOAD_WORLD ||
                       preload_kind_of((int)a[1]) == PRELOAD_WORLD;
    if (world) {
        preload_report_refused(SYS_tee);
    }
    return world ? -EINVAL : preload_pass(SYS_tee, a);
}

int64_t preload_do_vmsplice(const int64_t *a)
{
    const bool world = preload_kind_of((int)a[0]) == PRELOAD_WORLD;
    return world ? vectored((int)a[0], preload_pointer(a[1]), (size_t)a[2], 0, false)
                 : preload_pass(SYS_vmsplice, a);
}

int64_t preload_do_copy_file_range(const int64_t *a)
{
    const bool world = preload_kind_of((int)a[0]) == PRELOAD_WORLD ||
                       preload_kind_of((int)a[2]) == PRELOAD_WORLD;
    return world ? -EINVAL : preload_pass(SYS_copy_file_range, a);
}
