/* The kernel as one actor has it: its own default timeout, and signals that find its waits.
 * SPDX-License-Identifier: MIT */
#include "system.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "speed.h"

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
    return kernel_signal_leave(view_of(caller)->target, result, result == -EINTR);
}

/* After a call that moves all of `asked` bytes unless something ends it early. */
static ssize_t leave_transfer(struct dry_caller caller, ssize_t result, size_t asked)
{
    bool cut_short = result == -EINTR || (result >= 0 && (size_t)result < asked);
    return kernel_signal_leave(view_of(caller)->target, result, cut_short);
}

/* After a name call: the C library waits on after a signal and does not tell. */
static int leave_names(struct dry_caller caller, int result)
{
    return (int)kernel_signal_leave(view_of(caller)->target, result, true);
}

static size_t vector_bytes(const struct msghdr *message)
{
    size_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        total += message->msg_iov[i].iov_len;
    }
    return total;
}

static int system_socket(struct dry_caller caller, int family, int type, int protocol)
{
    static const char cubic[] = "cubic";
    int fd = provider->socket(caller, family, type, protocol);
    if (fd >= 0 && view_of(caller)->congestion_by_socket && (family == AF_INET || family == AF_INET6) &&
        (type & 0xf) == SOCK_STREAM) {
        provider->setsockopt(caller, fd, IPPROTO_TCP, TCP_CONGESTION, cubic, sizeof cubic - 1);
    }
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

static int system_accept(struct dry_caller caller, int fd, struct sockaddr *address, socklen_t *length,
                         int flags)
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
    return leave_transfer(
        caller, provider->sendto(caller, fd, data, length, flags, address, address_length), length);
}

static ssize_t system_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                               struct sockaddr *address, socklen_t *address_length)
{
    enter(caller);
    return leave_transfer(
        caller, provider->recvfrom(caller, fd, buffer, length, flags, address, address_length),
        (flags & MSG_WAITALL) != 0 ? length : 0);
}

static ssize_t system_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    enter(caller);
    return leave_transfer(caller, provider->sendmsg(caller, fd, message, flags), vector_bytes(message));
}

static ssize_t system_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    enter(caller);
    return leave_transfer(caller, provider->recvmsg(caller, fd, message, flags),
                          (flags & MSG_WAITALL) != 0 ? vector_bytes(message) : 0);
}

static ssize_t system_read(struct dry_caller caller, int fd, void *buffer, size_t length)
{
    enter(caller);
    return leave(caller, provider->read(caller, fd, buffer, length));
}

static ssize_t system_write(struct dry_caller caller, int fd, const void *data, size_t length)
{
    enter(caller);
    return leave_transfer(caller, provider->write(caller, fd, data, length), length);
}

static ssize_t system_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                               size_t count)
{
    enter(caller);
    return leave_transfer(caller, provider->sendfile(caller, out_fd, in_fd, offset, count), count);
}

static int system_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                        const struct timespec *timeout, const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller, kernel_speed_ppoll(caller, descriptors, count, timeout, mask));
}

static int system_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                          fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller,
                      provider->pselect(caller, count, readable, writable, exceptional, timeout, mask));
}

static int system_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                              int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    enter(caller);
    return (int)leave(caller,
                      kernel_speed_epoll_pwait(caller, epoll_fd, events, maximum, timeout, mask));
}

static int system_clock_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                                  const struct timespec *request, struct timespec *remain)
{
    enter(caller);
    return (int)leave(caller, provider->clock_nanosleep(caller, clock, flags, request, remain));
}

/* ---- names ---------------------------------------------------------------------------------- */

static int system_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                              const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    enter(caller);
    return leave_names(caller, provider->getaddrinfo(caller, node, service, hints, list, system_error));
}

static int system_getnameinfo(struct dry_caller caller, const struct sockaddr *address,
                              socklen_t length, char *host, socklen_t host_bytes, char *service,
                              socklen_t service_bytes, int flags, int *system_error)
{
    enter(caller);
    return leave_names(caller, provider->getnameinfo(caller, address, length, host, host_bytes, service,
                                                     service_bytes, flags, system_error));
}

static int system_gethostbyname(struct dry_caller caller, const char *name, int family,
                                struct hostent *result, char *buffer, size_t bytes)
{
    enter(caller);
    return leave_names(caller, provider->gethostbyname(caller, name, family, result, buffer, bytes));
}

static int system_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length,
                                int family, struct hostent *result, char *buffer, size_t bytes)
{
    enter(caller);
    return leave_names(caller,
                       provider->gethostbyaddr(caller, address, length, family, result, buffer, bytes));
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
    decorated.getaddrinfo = system_getaddrinfo;
    decorated.getnameinfo = system_getnameinfo;
    decorated.gethostbyname = system_gethostbyname;
    decorated.gethostbyaddr = system_gethostbyaddr;
}

struct dry_caller kernel_system_caller(uint32_t index)
{
    return (struct dry_caller){.system = &decorated, .process = index + 1, .task = index + 1};
}
