/* The seam: what a program asks of its operating system about sockets, readiness, time and names.
 * SPDX-License-Identifier: MIT
 *
 * Two providers answer these calls: the kernel (real/kernel.c) and the world (sim/run/provider.c).
 * The contract is the kernel's own: each call returns >= 0 or -errno; name calls return 0, EAI_*
 * or h_errno as stated; a call blocks exactly when the descriptor's O_NONBLOCK says so, and is cut
 * short by a signal exactly as Linux would. Nothing here sets errno.
 *
 * Anything else that speaks POSIX sockets (a preload shim, a bridge, a language binding) sits on
 * this header, not on either provider.
 */
#ifndef DRYSOCK_SYSTEM_H
#define DRYSOCK_SYSTEM_H

#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRY_PUBLIC __attribute__((visibility("default")))

/* Complete where the POSIX names are visible (_GNU_SOURCE, _POSIX_C_SOURCE); else opaque here. */
struct addrinfo;
struct itimerspec;

struct dry_system;

/* Who is asking. Passed by value to every call of the seam.
 * system: the provider (or a decorator of one, such as the fault plan).
 * world: the provider's own context; the kernel needs none.
 * process, task: which process and which task of that world; the kernel ignores them, decorators
 * may use them to tell actors apart. */
struct dry_caller {
    const struct dry_system *system;
    void *world;
    uint32_t process;
    uint32_t task;
};

enum {
    DRY_LOCAL_BYTES = 1024, /* size of the per-task and the per-process store below */
};

struct dry_system {
    const char *name; /* "kernel" or "world" */

    /* Sockets: socket(2), socketpair(2), bind(2), listen(2), accept4(2), connect(2), send(2),
     * recv(2), shutdown(2), getsockname(2), getpeername(2), getsockopt(2), setsockopt(2). */
    int (*socket)(struct dry_caller, int family, int type, int protocol);
    int (*socketpair)(struct dry_caller, int family, int type, int protocol, int descriptors[2]);
    int (*bind)(struct dry_caller, int fd, const struct sockaddr *address, socklen_t length);
    int (*listen)(struct dry_caller, int fd, int backlog);
    int (*accept)(struct dry_caller, int fd, struct sockaddr *address, socklen_t *length, int flags);
    int (*connect)(struct dry_caller, int fd, const struct sockaddr *address, socklen_t length);
    ssize_t (*sendto)(struct dry_caller, int fd, const void *data, size_t length, int flags,
                      const struct sockaddr *address, socklen_t address_length);
    ssize_t (*recvfrom)(struct dry_caller, int fd, void *buffer, size_t length, int flags,
                        struct sockaddr *address, socklen_t *address_length);
    ssize_t (*sendmsg)(struct dry_caller, int fd, const struct msghdr *message, int flags);
    ssize_t (*recvmsg)(struct dry_caller, int fd, struct msghdr *message, int flags);
    int (*shutdown)(struct dry_caller, int fd, int how);
    int (*getsockname)(struct dry_caller, int fd, struct sockaddr *address, socklen_t *length);
    int (*getpeername)(struct dry_caller, int fd, struct sockaddr *address, socklen_t *length);
    int (*getsockopt)(struct dry_caller, int fd, int level, int option, void *value, socklen_t *length);
    int (*setsockopt)(struct dry_caller, int fd, int level, int option, const void *value,
                      socklen_t length);

    /* Descriptors: close(2), dup3(2), fcntl(2), ioctl(2), read(2), write(2), pipe2(2),
     * eventfd(2), sendfile(2), fstat(2), lseek(2). fcntl's third argument is passed as a long
     * (pointers cast). dup: the lowest free descriptor >= minimum, close-on-exec when asked. */
    int (*close)(struct dry_caller, int fd);
    int (*dup3)(struct dry_caller, int fd, int wanted, int flags);
    int (*fcntl)(struct dry_caller, int fd, int command, long argument);
    int (*ioctl)(struct dry_caller, int fd, unsigned long request, void *argument);
    ssize_t (*read)(struct dry_caller, int fd, void *buffer, size_t length);
    ssize_t (*write)(struct dry_caller, int fd, const void *data, size_t length);
    int (*pipe2)(struct dry_caller, int descriptors[2], int flags);
    int (*eventfd)(struct dry_caller, unsigned initial, int flags);
    int (*timerfd_create)(struct dry_caller, int clock, int flags);
    int (*timerfd_settime)(struct dry_caller, int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
    int (*timerfd_gettime)(struct dry_caller, int fd, struct itimerspec *value);
    ssize_t (*sendfile)(struct dry_caller, int out_fd, int in_fd, off_t *offset, size_t count);
    int (*fstat)(struct dry_caller, int fd, struct stat *status);
    off_t (*lseek)(struct dry_caller, int fd, off_t offset, int whence);

    /* Readiness: ppoll(2), pselect(2), epoll(7). A NULL timeout waits for ever. The timeout is not
     * modified. These never restart after a signal. */
    int (*ppoll)(struct dry_caller, struct pollfd *descriptors, nfds_t count,
                 const struct timespec *timeout, const sigset_t *mask);
    int (*pselect)(struct dry_caller, int count, fd_set *readable, fd_set *writable,
                   fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask);
    int (*epoll_create)(struct dry_caller, int flags);
    int (*epoll_ctl)(struct dry_caller, int epoll_fd, int operation, int fd, struct epoll_event *event);
    int (*epoll_pwait)(struct dry_caller, int epoll_fd, struct epoll_event *events, int maximum,
                       const struct timespec *timeout, const sigset_t *mask);

    /* Time: clock_gettime(2), clock_nanosleep(2) (-EINTR when a signal ends it). */
    int (*clock_gettime)(struct dry_caller, clockid_t clock, struct timespec *now);
    int (*clock_nanosleep)(struct dry_caller, clockid_t clock, int flags,
                           const struct timespec *request, struct timespec *remain);

    /* Names. getaddrinfo(3) and getnameinfo(3) return 0 or EAI_*; on EAI_SYSTEM *system_error is the
     * errno. The list belongs to the caller, who gives it back with freeaddrinfo. The gethostby*
     * calls return 0 with *result set, or the h_errno value (> 0; NETDB_INTERNAL is -1), and ERANGE
     * never: DRY_HOSTENT_BYTES of buffer are always enough. getserv*, getproto*: 0 with *result
     * set, or -ENOENT; gethostname, sethostname, if_*: >= 0 or -errno. */
    int (*getaddrinfo)(struct dry_caller, const char *node, const char *service,
                       const struct addrinfo *hints, struct addrinfo **list, int *system_error);
    void (*freeaddrinfo)(struct dry_caller, struct addrinfo *list);
    int (*getnameinfo)(struct dry_caller, const struct sockaddr *address, socklen_t length, char *host,
                       socklen_t host_bytes, char *service, socklen_t service_bytes, int flags,
                       int *system_error);
    int (*gethostbyname)(struct dry_caller, const char *name, int family, struct hostent *result,
                         char *buffer, size_t bytes);
    int (*gethostbyaddr)(struct dry_caller, const void *address, socklen_t length, int family,
                         struct hostent *result, char *buffer, size_t bytes);
    int (*getservbyname)(struct dry_caller, const char *name, const char *protocol,
                         struct servent *result, char *buffer, size_t bytes);
    int (*getservbyport)(struct dry_caller, int port_network_order, const char *protocol,
                         struct servent *result, char *buffer, size_t bytes);
    int (*getprotobyname)(struct dry_caller, const char *name, struct protoent *result, char *buffer,
                          size_t bytes);
    int (*gethostname)(struct dry_caller, char *buffer, size_t bytes);
    int (*sethostname)(struct dry_caller, const char *name, size_t length);
    /* Returns an array ended by an entry with index 0, one allocation, freed with free(3); NULL with
     * *system_error set on failure. */
    struct if_nameindex *(*if_nameindex)(struct dry_caller, int *system_error);
    int (*if_nametoindex)(struct dry_caller, const char *name);
    int (*if_indextoname)(struct dry_caller, unsigned index, char name[IF_NAMESIZE]);

    /* Tasks: a second flow of control in the caller's process (a thread; a fiber in the world).
     * join waits for its end, once: -ESRCH when there is none, or it was joined. One that nobody joins
     * costs nothing after its end; its number is not another's for a million tasks. */
    int (*spawn)(struct dry_caller, void (*entry)(void *argument), void *argument, uint32_t *task);
    int (*join)(struct dry_caller, uint32_t task);

    /* DRY_LOCAL_BYTES of zero-initialised storage that belongs to the caller's task / process; the
     * library keeps its last error and interrupt check there, and its default timeout. Never NULL. */
    void *(*task_local)(struct dry_caller);
    void *(*process_local)(struct dry_caller);

    /* The library announces each of its own public calls: `verb` is the Python method's name (a
     * string that lives for ever), fd the descriptor or -1. Fault plans count these, not seam calls.
     * Nested announcements belong to the outermost. Either may be NULL. */
    void (*call_begin)(struct dry_caller, const char *verb, int fd);
    void (*call_end)(struct dry_caller);

    /* interrupt_after: send the caller's own task a signal `after_ns` from now, provided it is then
     * waiting in a seam call made before cancel_interrupt; a wait so interrupted ends with -EINTR.
     * Returns 0, or -ENOSYS where the provider cannot (the plain kernel). cancel_interrupt: takes it
     * back and returns 1 if the signal did end a wait, else 0. Either may be NULL. */
    int (*interrupt_after)(struct dry_caller, uint64_t after_ns);
    int (*cancel_interrupt)(struct dry_caller);

    /* Memory of a call in progress: it is given back with release (NULL is let pass), or goes with the
     * caller's task when that is given up inside the call. NULL: there is none. Either both or neither
     * may be NULL; then it is malloc(3)'s. */
    void *(*hold)(struct dry_caller, size_t bytes);
    void (*release)(struct dry_caller, void *memory);
};

enum {
    DRY_HOSTENT_BYTES = 16384,
};

/* The caller that the running code is, as the linked provider knows it: one thread-local there.
 * In libdrysock-sim, outside any task, the first call builds the world that $DRYSOCK_WORLD names
 * (a file of scenario head lines; by default one host with loopback) and makes the caller its
 * first task. */
DRY_PUBLIC struct dry_caller dry_current_caller(void);

/* Why a call of this caller failed with that errno, where the errno does not tell: a sentence that
 * lives for ever. NULL: the errno tells. */
DRY_PUBLIC const char *dry_explain(struct dry_caller caller, int code);

/* Makes the running thread speak as `caller` from now on: how a decorator (a fault plan, a
 * recorder) puts itself in front of a provider. A zero `system` restores the provider's own. */
DRY_PUBLIC void dry_set_current_caller(struct dry_caller caller);

/* The provider that this library was linked with, undecorated. */
DRY_PUBLIC const struct dry_system *dry_provider(void);

#ifdef __cplusplus
}
#endif
#endif
