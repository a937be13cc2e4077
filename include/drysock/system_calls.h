/* The list of the seam's calls, in system.h's order, for who makes something of every one of them.
 * SPDX-License-Identifier: MIT
 *
 * CALL(type, name, (parameters), arguments...) is expanded for each: a decorator makes its forwarders
 * from it, a provider its table. The parameters begin with `struct dry_caller caller`, the arguments
 * leave it out; a call without others has one empty argument. DRY_SYSTEM_HOOKS lists the calls that a
 * provider may leave NULL. A row that is missing or wrong does not compile: DRY_SYSTEM_IS_LISTED.
 */
#ifndef DRYSOCK_SYSTEM_CALLS_H
#define DRYSOCK_SYSTEM_CALLS_H

#include <drysock/system.h>

/* clang-format off */
#define DRY_SYSTEM_CALLS(CALL) \
    CALL(int, socket, (struct dry_caller caller, int family, int type, int protocol), family, \
         type, protocol) \
    CALL(int, socketpair, (struct dry_caller caller, int family, int type, int protocol, \
         int descriptors[2]), family, type, protocol, descriptors) \
    CALL(int, bind, (struct dry_caller caller, int fd, const struct sockaddr *address, \
         socklen_t length), fd, address, length) \
    CALL(int, listen, (struct dry_caller caller, int fd, int backlog), fd, backlog) \
    CALL(int, accept, (struct dry_caller caller, int fd, struct sockaddr *address, \
         socklen_t *length, int flags), fd, address, length, flags) \
    CALL(int, connect, (struct dry_caller caller, int fd, const struct sockaddr *address, \
         socklen_t length), fd, address, length) \
    CALL(ssize_t, sendto, (struct dry_caller caller, int fd, const void *data, size_t length, \
         int flags, const struct sockaddr *address, socklen_t address_length), fd, data, \
         length, flags, address, address_length) \
    CALL(ssize_t, recvfrom, (struct dry_caller caller, int fd, void *buffer, size_t length, \
         int flags, struct sockaddr *address, socklen_t *address_length), fd, buffer, length, \
         flags, address, address_length) \
    CALL(ssize_t, sendmsg, (struct dry_caller caller, int fd, const struct msghdr *message, \
         int flags), fd, message, flags) \
    CALL(ssize_t, recvmsg, (struct dry_caller caller, int fd, struct msghdr *message, \
         int flags), fd, message, flags) \
    CALL(int, shutdown, (struct dry_caller caller, int fd, int how), fd, how) \
    CALL(int, getsockname, (struct dry_caller caller, int fd, struct sockaddr *address, \
         socklen_t *length), fd, address, length) \
    CALL(int, getpeername, (struct dry_caller caller, int fd, struct sockaddr *address, \
         socklen_t *length), fd, address, length) \
    CALL(int, getsockopt, (struct dry_caller caller, int fd, int level, int option, \
         void *value, socklen_t *length), fd, level, option, value, length) \
    CALL(int, setsockopt, (struct dry_caller caller, int fd, int level, int option, \
         const void *value, socklen_t length), fd, level, option, value, length) \
    CALL(int, close, (struct dry_caller caller, int fd), fd) \
    CALL(int, dup3, (struct dry_caller caller, int fd, int wanted, int flags), fd, wanted, \
         flags) \
    CALL(int, fcntl, (struct dry_caller caller, int fd, int command, long argument), fd, \
         command, argument) \
    CALL(int, ioctl, (struct dry_caller caller, int fd, unsigned long request, void *argument), \
         fd, request, argument) \
    CALL(ssize_t, read, (struct dry_caller caller, int fd, void *buffer, size_t length), fd, \
         buffer, length) \
    CALL(ssize_t, write, (struct dry_caller caller, int fd, const void *data, size_t length), \
         fd, data, length) \
    CALL(int, pipe2, (struct dry_caller caller, int descriptors[2], int flags), descriptors, \
         flags) \
    CALL(int, eventfd, (struct dry_caller caller, unsigned initial, int flags), initial, \
         flags) \
    CALL(int, timerfd_create, (struct dry_caller caller, int clock, int flags), clock, flags) \
    CALL(int, timerfd_settime, (struct dry_caller caller, int fd, int flags, \
         const struct itimerspec *value, struct itimerspec *old), fd, flags, value, old) \
    CALL(int, timerfd_gettime, (struct dry_caller caller, int fd, struct itimerspec *value), \
         fd, value) \
    CALL(ssize_t, sendfile, (struct dry_caller caller, int out_fd, int in_fd, off_t *offset, \
         size_t count), out_fd, in_fd, offset, count) \
    CALL(int, fstat, (struct dry_caller caller, int fd, struct stat *status), fd, status) \
    CALL(off_t, lseek, (struct dry_caller caller, int fd, off_t offset, int whence), fd, \
         offset, whence) \
    CALL(int, ppoll, (struct dry_caller caller, struct pollfd *descriptors, nfds_t count, \
         const struct timespec *timeout, const sigset_t *mask), descriptors, count, timeout, \
         mask) \
    CALL(int, pselect, (struct dry_caller caller, int count, fd_set *readable, \
         fd_set *writable, fd_set *exceptional, const struct timespec *timeout, \
         const sigset_t *mask), count, readable, writable, exceptional, timeout, mask) \
    CALL(int, epoll_create, (struct dry_caller caller, int flags), flags) \
    CALL(int, epoll_ctl, (struct dry_caller caller, int epoll_fd, int operation, int fd, \
         struct epoll_event *event), epoll_fd, operation, fd, event) \
    CALL(int, epoll_pwait, (struct dry_caller caller, int epoll_fd, struct epoll_event *events, \
         int maximum, const struct timespec *timeout, const sigset_t *mask), epoll_fd, events, \
         maximum, timeout, mask) \
    CALL(int, clock_gettime, (struct dry_caller caller, clockid_t clock, struct timespec *now), \
         clock, now) \
    CALL(int, clock_nanosleep, (struct dry_caller caller, clockid_t clock, int flags, \
         const struct timespec *request, struct timespec *remain), clock, flags, request, \
         remain) \
    CALL(int, getaddrinfo, (struct dry_caller caller, const char *node, const char *service, \
         const struct addrinfo *hints, struct addrinfo **list, int *system_error), node, \
         service, hints, list, system_error) \
    CALL(void, freeaddrinfo, (struct dry_caller caller, struct addrinfo *list), list) \
    CALL(int, getnameinfo, (struct dry_caller caller, const struct sockaddr *address, \
         socklen_t length, char *host, socklen_t host_bytes, char *service, \
         socklen_t service_bytes, int flags, int *system_error), address, length, host, \
         host_bytes, service, service_bytes, flags, system_error) \
    CALL(int, gethostbyname, (struct dry_caller caller, const char *name, int family, \
         struct hostent *result, char *buffer, size_t bytes), name, family, result, buffer, \
         bytes) \
    CALL(int, gethostbyaddr, (struct dry_caller caller, const void *address, socklen_t length, \
         int family, struct hostent *result, char *buffer, size_t bytes), address, length, \
         family, result, buffer, bytes) \
    CALL(int, getservbyname, (struct dry_caller caller, const char *name, const char *protocol, \
         struct servent *result, char *buffer, size_t bytes), name, protocol, result, buffer, \
         bytes) \
    CALL(int, getservbyport, (struct dry_caller caller, int port_network_order, \
         const char *protocol, struct servent *result, char *buffer, size_t bytes), \
         port_network_order, protocol, result, buffer, bytes) \
    CALL(int, getprotobyname, (struct dry_caller caller, const char *name, \
         struct protoent *result, char *buffer, size_t bytes), name, result, buffer, bytes) \
    CALL(int, gethostname, (struct dry_caller caller, char *buffer, size_t bytes), buffer, \
         bytes) \
    CALL(int, sethostname, (struct dry_caller caller, const char *name, size_t length), name, \
         length) \
    CALL(struct if_nameindex *, if_nameindex, (struct dry_caller caller, int *system_error), \
         system_error) \
    CALL(int, if_nametoindex, (struct dry_caller caller, const char *name), name) \
    CALL(int, if_indextoname, (struct dry_caller caller, unsigned index, \
         char name[IF_NAMESIZE]), index, name) \
    CALL(int, spawn, (struct dry_caller caller, void (*entry)(void *argument), void *argument, \
         uint32_t *task), entry, argument, task) \
    CALL(int, join, (struct dry_caller caller, uint32_t task), task) \
    CALL(void *, task_local, (struct dry_caller caller), ) \
    CALL(void *, process_local, (struct dry_caller caller), )

#define DRY_SYSTEM_HOOKS(CALL) \
    CALL(void, call_begin, (struct dry_caller caller, const char *verb, int fd), verb, fd) \
    CALL(void, call_end, (struct dry_caller caller), ) \
    CALL(int, interrupt_after, (struct dry_caller caller, uint64_t after_ns), after_ns) \
    CALL(int, cancel_interrupt, (struct dry_caller caller), ) \
    CALL(void *, hold, (struct dry_caller caller, size_t bytes), bytes) \
    CALL(void, release, (struct dry_caller caller, void *memory), memory)
/* clang-format on */

/* Holds when both lists together name every call of struct dry_system: for an assertion beside a table
 * that is made from them. */
#define DRY_SYSTEM_COUNT_ONE(type, name, parameters, ...) +1
#define DRY_SYSTEM_IS_LISTED                                                             \
    (sizeof(struct dry_system) - offsetof(struct dry_system, socket) ==                  \
     (0 DRY_SYSTEM_CALLS(DRY_SYSTEM_COUNT_ONE) DRY_SYSTEM_HOOKS(DRY_SYSTEM_COUNT_ONE)) * \
         sizeof(void (*)(void)))

#endif
