/* The kernel as one actor has it: its own default timeout, and signals that find its waits.
 * SPDX-License-Identifier: MIT */
#include "kernel_system.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "kernel_speed.h"

static const struct dry_system *provider; /* set once, before the first thread */
static struct dry_system decorated;
static struct kernel_view *all;

static struct kernel_view *view_of(struct dry_caller caller)
{
    return &all[caller.process - 1];
}

static void enter(struct dry_caller caller)
{
    kernel_signal_enter(view_of(caller)->target);
}

static ssize_t leave(struct dry_caller caller, ssize_t result)
{
    return kernel_signal_leave(view_of(caller)->target, result);
}

static int system_socket(struct dry_caller caller, int family, int type, int protocol)
{
    static const char cubic[] = "cubic";
    int fd = provider->socket(caller, family, type, protocol);

    if (fd >= 0 && view_of(caller)->congestion_by_socket &&
        (family == AF_INET || family == AF_INET6) && (type & 0xf) == SOCK_STREAM)
        provider->setsockopt(caller, fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof cubic - 1);
    return fd;
}

static void *system_process_local(struct dry_caller caller)
{
    return view_of(caller)->process_local;
}

static int system_interrupt_after(struct dry_caller caller, uint64_t after_ns)
{
    return kernel_signal_after(view_of(caller)->target, after_ns);
}

static int system_cancel_interrupt(struct dry_caller caller)
{
    return kernel_signal_cancel(view_of(caller)->target);
}

/* ---- calls that may wait ------------------------------------------------------------------ */

static int system_accept(struct dry_caller caller, int fd, struct sockaddr *address,
                         socklen_t *length, int flags)
{
    enter(caller);
    return (int)leave(caller, provider->accept(caller, fd, address, length, flags));
}

static int system_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                          socklen_t length)
{
    enter(caller);
    return (int)leave(caller, provider->connect(caller, fd, address, length));
}

static ssize_t system_sendto(struct dry_caller caller, int fd, const void *data, size_t length,
                             int flags, const struct sockaddr *address, socklen_t address_length)
{
    enter(caller);
    return leave(caller,
                 provider->sendto(caller, fd, data, length, flags, address, address_length));
}

static ssize_t system_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length,
                               int flags, struct sockaddr *address, socklen_t *address_length)
{
    enter(caller);
    return leave(caller,
                 provider->recvfrom(caller, fd, buffer, length, flags, address, address_length));
}

static ssize_t system_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message,
                              int flags)
{
    enter(caller);
    return leave(caller, provider->sendmsg(caller, fd, message, flags));
}

static ssize_t system_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    enter(caller);
    return leave(caller, provider->recvmsg(caller, fd, message, flags));
}

static ssize_t system_read(struct dry_caller caller, int fd, void *buffer, size_t length)
{
    enter(caller);
    return leave(caller, provider->read(caller, fd, buffer, length));
}

static ssize_t system_write(struct dry_caller caller, int fd, const void *data, size_t length)
{
    enter(caller);
    return leave(caller, provider->write(caller, fd, data, length));
}

static ssize_t system_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                               size_t count)
{
    enter(caller);
    return leave(caller, provider->sendfile(caller, out_fd, in_fd, offset, count));
}

static int system_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                        const struct timespec *timeout, const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller, kernel_speed_ppoll(caller, descriptors, count, timeout, mask));
}

static int system_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                          fd_set *exceptional, const struct timespec *timeout,
                          const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller, provider->pselect(caller, count, readable, writable, exceptional,
                                                timeout, mask));
}

static int system_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                              int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller, kernel_speed_epoll_pwait(caller, epoll_fd, events, maximum, timeout,
                                                       mask));
}

static int system_clock_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                                  const struct timespec *request, struct timespec *remain)
{
    enter(caller);
    return (int)leave(caller, provider->clock_nanosleep(caller, clock, flags, request, remain));
}

/* ---- set-up ------------------------------------------------------------------------------- */

void kernel_system_begin(struct kernel_view *views)
{
    provider = dry_provider();
    all = views;
    decorated = *provider;
    decorated.socket = system_socket;
    decorated.process_local = system_process_local;
    decorated.interrupt_after = system_interrupt_after;
    decorated.cancel_interrupt = system_cancel_interrupt;
    decorated.accept = system_accept;
    decorated.connect = system_connect;
    decorated.sendto = system_sendto;
    decorated.recvfrom = system_recvfrom;
    decorated.sendmsg = system_sendmsg;
    decorated.recvmsg = system_recvmsg;
    decorated.read = system_read;
    decorated.write = system_write;
    decorated.sendfile = system_sendfile;
    decorated.ppoll = system_ppoll;
    decorated.pselect = system_pselect;
    decorated.epoll_pwait = system_epoll_pwait;
    decorated.clock_nanosleep = system_clock_nanosleep;
}

struct dry_caller kernel_system_caller(uint32_t index)
{
    return (struct dry_caller){.system = &decorated, .process = index + 1, .task = index + 1};
}
