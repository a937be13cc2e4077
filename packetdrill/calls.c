/* The tool's interface: every call of its table, made at the seam of the world.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include "interface.h"
#include "plugin.h"

enum { CLOCK_BASE_S = 1000000000, LOOK_NS = 1000 };

/* A call whose arguments go to the seam as they are: its maker, and the function of the table. */
#define WORDS(...) ((const uintptr_t[]){__VA_ARGS__})
#define SEAM(call, ...) caller.system->call(caller, __VA_ARGS__)
#define INT(i) ((int)a[i])
#define POINTER(i) ((void *)a[i])
#define MAKER(name, expression)                                              \
    static int64_t make_##name(struct dry_caller caller, const uintptr_t *a) \
    {                                                                        \
        return (expression);                                                 \
    }

MAKER(socket, SEAM(socket, INT(0), INT(1), INT(2)))
MAKER(bind, SEAM(bind, INT(0), POINTER(1), (socklen_t)a[2]))
MAKER(listen, SEAM(listen, INT(0), INT(1)))
MAKER(accept, SEAM(accept, INT(0), POINTER(1), POINTER(2), 0))
MAKER(connect, SEAM(connect, INT(0), POINTER(1), (socklen_t)a[2]))
MAKER(read, SEAM(read, INT(0), POINTER(1), a[2]))
MAKER(recvfrom, SEAM(recvfrom, INT(0), POINTER(1), a[2], INT(3), POINTER(4), POINTER(5)))
MAKER(recvmsg, SEAM(recvmsg, INT(0), POINTER(1), INT(2)))
MAKER(write, SEAM(write, INT(0), POINTER(1), a[2]))
MAKER(sendto, SEAM(sendto, INT(0), POINTER(1), a[2], INT(3), POINTER(4), (socklen_t)a[5]))
MAKER(sendmsg, SEAM(sendmsg, INT(0), POINTER(1), INT(2)))
MAKER(fcntl, SEAM(fcntl, INT(0), INT(1), (long)a[2]))
MAKER(ioctl, SEAM(ioctl, INT(0), a[1], POINTER(2)))
MAKER(close, SEAM(close, INT(0)))
MAKER(shutdown, SEAM(shutdown, INT(0), INT(1)))
MAKER(getsockopt, SEAM(getsockopt, INT(0), INT(1), INT(2), POINTER(3), POINTER(4)))
MAKER(setsockopt, SEAM(setsockopt, INT(0), INT(1), INT(2), POINTER(3), (socklen_t)a[4]))
MAKER(ppoll, SEAM(ppoll, POINTER(0), a[1], POINTER(2), NULL))
MAKER(epoll_create, SEAM(epoll_create, 0))
MAKER(epoll_ctl, SEAM(epoll_ctl, INT(0), INT(1), INT(2), POINTER(3)))
MAKER(epoll_pwait, SEAM(epoll_pwait, INT(0), POINTER(1), INT(2), POINTER(3), NULL))
MAKER(pipe, SEAM(pipe2, POINTER(0), 0))

#define ADDRESS(pointer) ((uintptr_t)(pointer))
#define CALL(name, ...) plugin_call(make_##name, WORDS(__VA_ARGS__))

static void end(void *userdata)
{
    plugin_close();
}

static int call_socket(void *userdata, int family, int type, int protocol)
{
    return (int)CALL(socket, (uintptr_t)family, (uintptr_t)type, (uintptr_t)protocol);
}

static int call_bind(void *userdata, int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)CALL(bind, (uintptr_t)fd, ADDRESS(address), length);
}

static int call_listen(void *userdata, int fd, int backlog)
{
    return (int)CALL(listen, (uintptr_t)fd, (uintptr_t)backlog);
}

static int call_accept(void *userdata, int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)CALL(accept, (uintptr_t)fd, ADDRESS(address), ADDRESS(length));
}

static int call_connect(void *userdata, int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)CALL(connect, (uintptr_t)fd, ADDRESS(address), length);
}

static ssize_t call_read(void *userdata, int fd, void *buffer, size_t length)
{
    return CALL(read, (uintptr_t)fd, ADDRESS(buffer), length);
}

static ssize_t call_recvmsg(void *userdata, int fd, struct msghdr *message, int flags)
{
    return CALL(recvmsg, (uintptr_t)fd, ADDRESS(message), (uintptr_t)flags);
}

static ssize_t call_readv(void *userdata, int fd, const struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)ADDRESS(vector), .msg_iovlen = (size_t)count};
    return call_recvmsg(userdata, fd, &message, 0);
}

static ssize_t call_recvfrom(void *userdata, int fd, void *buffer, size_t length, int flags,
                             struct sockaddr *address, socklen_t *address_length)
{
    return CALL(recvfrom, (uintptr_t)fd, ADDRESS(buffer), length, (uintptr_t)flags, ADDRESS(address),
                ADDRESS(address_length));
}

static ssize_t call_recv(void *userdata, int fd, void *buffer, size_t length, int flags)
{
    return call_recvfrom(userdata, fd, buffer, length, flags, NULL, NULL);
}

ssize_t plugin_write(void *userdata, int fd, const void *data, size_t length)
{
    return CALL(write, (uintptr_t)fd, ADDRESS(data), length);
}

static ssize_t call_sendmsg(void *userdata, int fd, const struct msghdr *message, int flags)
{
    return CALL(sendmsg, (uintptr_t)fd, ADDRESS(message), (uintptr_t)flags);
}

static ssize_t call_writev(void *userdata, int fd, const struct iovec *vector, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)ADDRESS(vector),
                                   .msg_iovlen = (size_t)count};
    return call_sendmsg(userdata, fd, &message, 0);
}

static ssize_t call_sendto(void *userdata, int fd, const void *data, size_t length, int flags,
                           const struct sockaddr *address, socklen_t address_length)
{
    return CALL(sendto, (uintptr_t)fd, ADDRESS(data), length, (uintptr_t)flags, ADDRESS(address),
                address_length);
}

static ssize_t call_send(void *userdata, int fd, const void *data, size_t length, int flags)
{
    return call_sendto(userdata, fd, data, length, flags, NULL, 0);
}

static int call_fcntl(void *userdata, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)CALL(fcntl, (uintptr_t)fd, (uintptr_t)command, (uintptr_t)(int)argument);
}

static int call_ioctl(void *userdata, int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return (int)CALL(ioctl, (uintptr_t)fd, request, ADDRESS(argument));
}

int plugin_close_fd(void *userdata, int fd)
{
    return (int)CALL(close, (uintptr_t)fd);
}

static int call_shutdown(void *userdata, int fd, int how)
{
    return (int)CALL(shutdown, (uintptr_t)fd, (uintptr_t)how);
}

int plugin_getsockopt(void *userdata, int fd, int level, int option, void *value, socklen_t *length)
{
    return (int)CALL(getsockopt, (uintptr_t)fd, (uintptr_t)level, (uintptr_t)option, ADDRESS(value),
                     ADDRESS(length));
}

int plugin_setsockopt(void *userdata, int fd, int level, int option, const void *value,
                      socklen_t length)
{
    return (int)CALL(setsockopt, (uintptr_t)fd, (uintptr_t)level, (uintptr_t)option, ADDRESS(value),
                     length);
}

static const struct timespec *timeout_of(int milliseconds, struct timespec *timeout)
{
    *timeout = (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return milliseconds < 0 ? NULL : timeout;
}

static int call_poll(void *userdata, struct pollfd *descriptors, nfds_t count, int milliseconds)
{
    struct timespec timeout;
    return (int)CALL(ppoll, ADDRESS(descriptors), count, ADDRESS(timeout_of(milliseconds, &timeout)));
}

static int call_epoll_create(void *userdata, int size)
{
    if (size <= 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)CALL(epoll_create, 0);
}

static int call_epoll_ctl(void *userdata, int epoll, int operation, int fd, struct epoll_event *event)
{
    return (int)CALL(epoll_ctl, (uintptr_t)epoll, (uintptr_t)operation, (uintptr_t)fd, ADDRESS(event));
}

static int call_epoll_wait(void *userdata, int epoll, struct epoll_event *events, int maximum,
                           int milliseconds)
{
    struct timespec timeout;
    return (int)CALL(epoll_pwait, (uintptr_t)epoll, ADDRESS(events), (uintptr_t)maximum,
                     ADDRESS(timeout_of(milliseconds, &timeout)));
}

static int call_pipe(void *userdata, int descriptors[2])
{
    return (int)CALL(pipe, ADDRESS(descriptors));
}

/* The seam has no splice: as much as would move, read and written again. */
static ssize_t call_splice(void *userdata, int in, loff_t *in_offset, int out, loff_t *out_offset,
                           size_t length, unsigned flags)
{
    char *bytes = malloc(length ? length : 1);
    if (!bytes || in_offset || out_offset) {
        free(bytes);
        errno = bytes ? ESPIPE : ENOMEM;
        return -1;
    }
    ssize_t moved = call_read(userdata, in, bytes, length);
    if (moved > 0) {
        moved = plugin_write(userdata, out, bytes, (size_t)moved);
    }
    free(bytes);
    return moved;
}

/* ---- packets and the clock ---------------------------------------------------------------- */

static int packet_arrives(void *userdata, const void *packet, size_t length)
{
    return plugin_arrives(packet, length);
}

static int packet_leaves(void *userdata, void *buffer, size_t *length, long long *microseconds)
{
    uint64_t at;
    if (!plugin_leaves(buffer, length, &at)) {
        *length = 0; /* which the tool takes for the end */
        return 0;
    }
    *microseconds = (long long)CLOCK_BASE_S * 1000000 + (long long)(at / 1000);
    return 0;
}

static int call_usleep(void *userdata, useconds_t microseconds)
{
    plugin_sleep((uint64_t)microseconds * 1000);
    return 0;
}

static int call_gettimeofday(void *userdata, struct timeval *time, struct timezone *zone)
{
    const uint64_t now = plugin_now();
    *time = (struct timeval){(time_t)(CLOCK_BASE_S + now / 1000000000),
                             (suseconds_t)(now % 1000000000 / 1000)};
    plugin_sleep(LOOK_NS); /* the tool waits by looking: a clock that stood would never come on */
    return 0;
}

DRY_PUBLIC void packetdrill_interface_init(const char *flags, struct packetdrill_interface *table)
{
    static const struct packetdrill_interface ours = {
        .free = end,
        .socket = call_socket,
        .bind = call_bind,
        .listen = call_listen,
        .accept = call_accept,
        .connect = call_connect,
        .read = call_read,
        .readv = call_readv,
        .recv = call_recv,
        .recvfrom = call_recvfrom,
        .recvmsg = call_recvmsg,
        .write = plugin_write,
        .writev = call_writev,
        .send = call_send,
        .sendto = call_sendto,
        .sendmsg = call_sendmsg,
        .fcntl = call_fcntl,
        .ioctl = call_ioctl,
        .close = plugin_close_fd,
        .shutdown = call_shutdown,
        .getsockopt = plugin_getsockopt,
        .setsockopt = plugin_setsockopt,
        .poll = call_poll,
        .netdev_send = packet_arrives,
        .netdev_receive = packet_leaves,
        .usleep = call_usleep,
        .gettimeofday = call_gettimeofday,
        .epoll_create = call_epoll_create,
        .epoll_ctl = call_epoll_ctl,
        .epoll_wait = call_epoll_wait,
        .pipe = call_pipe,
        .splice = call_splice,
    };
    plugin_open(flags);
    *table = ours;
}
