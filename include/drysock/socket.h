/* The socket library: Python's socket module in C, over whichever system it is linked with.
 * SPDX-License-Identifier: MIT
 *
 * Unless a declaration says otherwise: calls return 0 or a count, or -1 (NULL for pointers) with
 * dry_last_error() set; every call may be made from any task; a call that waits obeys the socket's
 * mode (blocking, non-blocking, timeout) and retries after a signal (PEP 475) unless the interrupt
 * check says stop. Reference: "socket" in the Python library documentation, CPython 3.11 where the
 * text is silent. Instants are absolute nanoseconds of CLOCK_MONOTONIC; durations are nanoseconds.
 *
 * A NULL socket is as a closed one: EBADF (dry_close and dry_close_keep of it do nothing and succeed,
 * dry_connect_ex returns EBADF). Other pointers must be good where a declaration does not allow NULL.
 *
 * Linked with libdrysock-sim, a call speaks as the task it is made in. In a program that makes no world
 * of its own, main is the first task of the world that DRYSOCK_WORLD names. Nobody else has a world:
 * not another thread (pthread_create), not a forked child of such a program, not code outside the tasks
 * while its thread has worlds of its own (sim.h). There every call fails with DRY_ERROR_UNSUPPORTED,
 * code ENOTSUP, and a message that says what to do (dry_now is 0 then). Programs of several threads and
 * processes run as they are under `drysock exec`.
 *
 * There, files of the real system keep their numbers: dry_poll tells what they are ready for, and a
 * wait for a real pipe, socket or terminal that is not ready fails in the same way. Descriptors of the
 * world begin at 1,048,576, above all real ones and above FD_SETSIZE: select(2) knows nothing of them,
 * dry_poll does.
 */
#ifndef DRYSOCK_SOCKET_H
#define DRYSOCK_SOCKET_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <drysock/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- durations, in nanoseconds: dry_settimeout(s, 3 * DRY_SECOND) ---------------------------- */

#define DRY_MICROSECOND INT64_C(1000)
#define DRY_MILLISECOND INT64_C(1000000)
#define DRY_SECOND INT64_C(1000000000)
#define DRY_MINUTE (60 * DRY_SECOND)
#define DRY_HOUR (60 * DRY_MINUTE)

/* ---- errors ------------------------------------------------------------------------------- */

enum dry_error_kind {
    DRY_ERROR_NONE = 0,
    DRY_ERROR_OS,          /* OSError: code is an errno */
    DRY_ERROR_TIMEOUT,     /* socket.timeout ("timed out"): code is 0; never ETIMEDOUT */
    DRY_ERROR_GAI,         /* gaierror: code is EAI_* */
    DRY_ERROR_HERROR,      /* herror: code is an h_errno */
    DRY_ERROR_VALUE,       /* a wrong argument: code is an enum dry_value_error */
    DRY_ERROR_INTERRUPTED, /* the interrupt check said stop: code is what it returned */
    DRY_ERROR_UNSUPPORTED, /* documented, but not on this system: code is an errno or 0 */
};

/* Which Python exception a DRY_ERROR_VALUE stands for. */
enum dry_value_error {
    DRY_VALUE_ERROR = 0,    /* ValueError */
    DRY_VALUE_TYPE = 1,     /* TypeError */
    DRY_VALUE_OVERFLOW = 2, /* OverflowError */
    DRY_VALUE_UNICODE = 3,  /* UnicodeError */
};

struct dry_error {
    enum dry_error_kind kind;
    int code;
    char message[240]; /* NUL-terminated, as Python's str() of the exception's text part */
};

/* The calling task's last error; valid until its next failing call. Never NULL. */
DRY_PUBLIC const struct dry_error *dry_last_error(void);
/* "ECONNREFUSED", "EAI_NONAME", "HOST_NOT_FOUND" … or NULL when the code has no name. */
DRY_PUBLIC const char *dry_error_code_name(enum dry_error_kind kind, int code);

/* The interrupt check: asked each time a signal cut a wait short, the counterpart of a Python
 * signal handler. Returns 0 to retry with what is left of the deadline, anything else to stop: the
 * call then fails with DRY_ERROR_INTERRUPTED and that code. dry_sendall asks it also after each
 * short send, which a signal may have caused without an error. Per task; NULL always retries. */
DRY_PUBLIC void dry_set_interrupt_check(int (*check)(void *argument), void *argument);

/* ---- values ------------------------------------------------------------------------------- */

/* A Python literal: what addresses are made of and print to. Plain data; strings and items are
 * borrowed from whoever made the value. */
enum dry_value_kind {
    DRY_NONE = 0,
    DRY_BOOL,   /* integer: 0 or 1 */
    DRY_INT,    /* integer; beyond int64_t also the decimal text in bytes, count, and integer holds
                * the low 64 bits of the two's complement */
    DRY_FLOAT,  /* real */
    DRY_TEXT,   /* str: bytes (UTF-8, lone surrogates as in surrogateescape written raw), count */
    DRY_BYTES,  /* bytes: bytes, count */
    DRY_TUPLE,  /* items, count */
    DRY_LIST,   /* items, count */
    DRY_OBJECT, /* anything else, in a language binding: the name of its type in bytes, count
                 * (NUL-terminated), for messages only */
};

struct dry_value {
    enum dry_value_kind kind;
    uint32_t count; /* bytes or items */
    int64_t integer;
    double real;
    const char *bytes;
    const struct dry_value *items;
};

/* Parses one Python literal that fills `text`. The value's parts lie in `arena` (size bytes), whose
 * capacity is the only limit on length; brackets nest DRY_VALUE_DEPTH deep at most, as in Python.
 * On failure *error_at is the byte offset. */
enum { DRY_VALUE_DEPTH = 200 };
DRY_PUBLIC int dry_value_parse(const char *text, size_t length, void *arena, size_t arena_bytes,
                               struct dry_value *value, size_t *error_at);
/* The same for who has no caller, before any world is made: NULL, or a sentence that says what is wrong
 * and lives for ever. */
DRY_PUBLIC const char *dry_value_read(const char *text, size_t length, void *arena, size_t arena_bytes,
                                      struct dry_value *value, size_t *error_at);
/* Writes repr(value) as Python would, NUL-terminated; returns the length it needs (snprintf). */
DRY_PUBLIC int dry_value_print(const struct dry_value *value, char *text, size_t bytes);
/* The same with all strings in double quotes, which read back the same. */
DRY_PUBLIC int dry_value_print_double(const struct dry_value *value, char *text, size_t bytes);

/* ---- addresses ---------------------------------------------------------------------------- */

/* A socket address of any family: a value, freely copied. */
struct dry_address {
    union {
        struct sockaddr generic;
        struct sockaddr_storage storage;
    };
    socklen_t length; /* bytes of storage in use; 0: no address (prints as None) */
    int protocol;     /* the socket's protocol: families such as AF_CAN print by it */
};

/* PF_SYSTEM and its one protocol, which Linux has not: their numbers where they exist mean another
 * family here, so these are far from every family. Addresses are read, then are unsupported. */
enum {
    DRY_PF_SYSTEM = 0x10020,
    DRY_SYSPROTO_CONTROL = 2,
};

enum {
    DRY_ADDRESS_VALUES = 8,        /* items that dry_address_to_value may need */
    DRY_ADDRESS_TEXT_BYTES = 1024, /* and bytes of text */
};

/* From and to the Python form of the family ("Socket families"). from_value resolves host names
 * and so may block; `method` names the caller in messages ("connect"), or NULL. AF_UNSPEC takes
 * what getnameinfo() takes: a numeric (host, port) of AF_INET or AF_INET6. */
DRY_PUBLIC int dry_address_from_value(struct dry_address *address, int family, int type, int protocol,
                                      const struct dry_value *value, const char *method);
DRY_PUBLIC int dry_address_to_value(const struct dry_address *address, struct dry_value *value,
                                    struct dry_value items[DRY_ADDRESS_VALUES],
                                    char text[DRY_ADDRESS_TEXT_BYTES]);
/* The same through text: "('10.0.0.1', 80)". print returns the length it needs, or -1. */
DRY_PUBLIC int dry_address_parse(struct dry_address *address, int family, int type, int protocol,
                                 const char *text, size_t length);
DRY_PUBLIC int dry_address_print(const struct dry_address *address, char *text, size_t bytes);
/* For C callers: (host, port) of AF_INET or AF_INET6; a filesystem or abstract (leading NUL)
 * name. */
DRY_PUBLIC int dry_address_inet(struct dry_address *address, int family, const char *host,
                                uint16_t port);
DRY_PUBLIC int dry_address_unix(struct dry_address *address, const void *name, size_t length);
/* The port of an AF_INET or AF_INET6 address, or -1. */
DRY_PUBLIC int dry_address_port(const struct dry_address *address);

/* ---- socket objects ----------------------------------------------------------------------- */

struct dry_socket; /* opaque; made by the calls below, ended and freed by dry_close */

DRY_PUBLIC struct dry_socket *dry_socket(int family, int type, int protocol);
/* socket.socket(fileno=fd): family, type, protocol of -1 are detected from the descriptor. */
DRY_PUBLIC struct dry_socket *dry_socket_fileno(int fd, int family, int type, int protocol);
DRY_PUBLIC int dry_socketpair(int family, int type, int protocol, struct dry_socket *pair[2]);
DRY_PUBLIC struct dry_socket *dry_fromfd(int fd, int family, int type, int protocol);
/* timeout_ns: DRY_TIMEOUT_DEFAULT, DRY_TIMEOUT_NONE or a duration. source may be NULL.
 * all_errors: the message tells every attempt (3.11's all_errors=True). */
DRY_PUBLIC struct dry_socket *dry_create_connection(const char *host, const char *port,
                                                    int64_t timeout_ns,
                                                    const struct dry_address *source, bool all_errors);
/* create_server(): a socket of this family that listens there, with SO_REUSEADDR and, of AF_INET6,
 * taking IPv6 alone unless dualstack_ipv6 says otherwise. backlog: as of dry_listen. */
DRY_PUBLIC struct dry_socket *dry_create_server(const struct dry_address *address, int family,
                                                int backlog, bool reuse_port, bool dualstack_ipv6);
/* Whether an IPv6 socket can take IPv4, too. */
DRY_PUBLIC bool dry_has_dualstack_ipv6(void);
/* Sets the wait mode. -1: blocking (None); 0: non-blocking; > 0: timeout. */
enum {
    DRY_TIMEOUT_NONE = -1,
    DRY_TIMEOUT_DEFAULT = -2, /* the process's default timeout */
};
DRY_PUBLIC int dry_settimeout(struct dry_socket *socket, int64_t timeout_ns);
DRY_PUBLIC int64_t dry_gettimeout(const struct dry_socket *socket);
DRY_PUBLIC int dry_setblocking(struct dry_socket *socket, bool blocking);
DRY_PUBLIC bool dry_getblocking(const struct dry_socket *socket);
DRY_PUBLIC int dry_setdefaulttimeout(int64_t timeout_ns);
DRY_PUBLIC int64_t dry_getdefaulttimeout(void);

DRY_PUBLIC int dry_family(const struct dry_socket *socket);
DRY_PUBLIC int dry_type(const struct dry_socket *socket);
DRY_PUBLIC int dry_protocol(const struct dry_socket *socket);
DRY_PUBLIC int dry_fileno(const struct dry_socket *socket); /* -1 once closed or detached */

DRY_PUBLIC int dry_bind(struct dry_socket *socket, const struct dry_address *address);
DRY_PUBLIC int dry_listen(struct dry_socket *socket, int backlog); /* negative becomes 0 */
enum { DRY_BACKLOG_DEFAULT = 128 }; /* listen()'s "default reasonable value": min(SOMAXCONN, 128) */
DRY_PUBLIC struct dry_socket *dry_accept(struct dry_socket *socket, struct dry_address *peer);
DRY_PUBLIC int dry_connect(struct dry_socket *socket, const struct dry_address *address);
/* Returns 0 or the errno of the failed connect (ETIMEDOUT never stands for the timeout: EAGAIN
 * does, as in Python); -1 for other problems, as the documentation says. */
DRY_PUBLIC int dry_connect_ex(struct dry_socket *socket, const struct dry_address *address);

DRY_PUBLIC ssize_t dry_send(struct dry_socket *socket, const void *data, size_t length, int flags);
/* *sent (may be NULL) tells how much went out, also on failure. One deadline for the whole. */
DRY_PUBLIC int dry_sendall(struct dry_socket *socket, const void *data, size_t length, int flags,
                           size_t *sent);
DRY_PUBLIC ssize_t dry_sendto(struct dry_socket *socket, const void *data, size_t length, int flags,
                              const struct dry_address *address);
DRY_PUBLIC ssize_t dry_recv(struct dry_socket *socket, void *buffer, size_t length, int flags);
DRY_PUBLIC ssize_t dry_recv_into(struct dry_socket *socket, void *buffer, size_t buffer_bytes,
                                 size_t bytes, int flags); /* bytes 0: the whole buffer */
DRY_PUBLIC ssize_t dry_recvfrom(struct dry_socket *socket, void *buffer, size_t length, int flags,
                                struct dry_address *address);
DRY_PUBLIC ssize_t dry_recvfrom_into(struct dry_socket *socket, void *buffer, size_t buffer_bytes,
                                     size_t bytes, int flags, struct dry_address *address);

/* One item of ancillary data. data is borrowed when sent; when received it points into the
 * caller's control buffer. */
struct dry_ancillary {
    int level;
    int type;
    const void *data;
    size_t bytes;
};
DRY_PUBLIC ssize_t dry_sendmsg(struct dry_socket *socket, const struct iovec *buffers,
                               size_t buffer_count, const struct dry_ancillary *ancillary,
                               size_t ancillary_count, int flags, const struct dry_address *address);
/* Receives into `buffers`; control (control_bytes long) holds the raw control messages, `items`
 * (at most *item_count) points into it; *item_count becomes the number received. address, flags_out
 * may be NULL. When the call fails after receiving, descriptors that came with it are closed. */
DRY_PUBLIC ssize_t dry_recvmsg_into(struct dry_socket *socket, const struct iovec *buffers,
                                    size_t buffer_count, void *control, size_t control_bytes,
                                    struct dry_ancillary *items, size_t *item_count, int flags,
                                    int *flags_out, struct dry_address *address);
DRY_PUBLIC ssize_t dry_recvmsg(struct dry_socket *socket, void *buffer, size_t length, void *control,
                               size_t control_bytes, struct dry_ancillary *items, size_t *item_count,
                               int flags, int *flags_out, struct dry_address *address);
/* Closes the descriptors among received items, for a caller that cannot pass them on. */
DRY_PUBLIC void dry_discard_ancillary(const struct dry_ancillary *items, size_t item_count);
/* -1 with DRY_VALUE_OVERFLOW outside the permissible range. */
DRY_PUBLIC ssize_t dry_cmsg_len(int64_t length);
DRY_PUBLIC ssize_t dry_cmsg_space(int64_t length);
/* iv and its length, assoclen, op: each -1 / NULL when absent. */
DRY_PUBLIC ssize_t dry_sendmsg_afalg(struct dry_socket *socket, const struct iovec *buffers,
                                     size_t buffer_count, int operation, const void *iv,
                                     size_t iv_bytes, int64_t assoclen, int flags);
/* Sends fd's bytes from offset (count -1: to the end); the file position is left after the last
 * byte sent, also on error. Uses sendfile(2), send() where that cannot. *sent as in sendall. */
DRY_PUBLIC int dry_sendfile(struct dry_socket *socket, int fd, int64_t offset, int64_t count,
                            size_t *sent);

DRY_PUBLIC int dry_shutdown(struct dry_socket *socket, int how);
/* Ends the object: the pointer is gone whatever is returned. With file objects still open the
 * descriptor lives until the last of them is closed. */
DRY_PUBLIC int dry_close(struct dry_socket *socket);
/* close() that keeps the object (fileno becomes -1, calls fail with EBADF), for callers whose
 * object outlives the descriptor; dry_close frees it. */
DRY_PUBLIC int dry_close_keep(struct dry_socket *socket);
DRY_PUBLIC int dry_detach(struct dry_socket *socket); /* the descriptor; the object stays, closed */
DRY_PUBLIC struct dry_socket *dry_dup(struct dry_socket *socket);
DRY_PUBLIC int dry_get_inheritable(struct dry_socket *socket); /* 0 or 1 */
DRY_PUBLIC int dry_set_inheritable(struct dry_socket *socket, bool inheritable);
DRY_PUBLIC int dry_getsockname(struct dry_socket *socket, struct dry_address *address);
DRY_PUBLIC int dry_getpeername(struct dry_socket *socket, struct dry_address *address);

DRY_PUBLIC int dry_getsockopt_int(struct dry_socket *socket, int level, int option, int *value);
DRY_PUBLIC ssize_t dry_getsockopt(struct dry_socket *socket, int level, int option, void *buffer,
                                  size_t bytes);
DRY_PUBLIC int dry_setsockopt_int(struct dry_socket *socket, int level, int option, int value);
DRY_PUBLIC int dry_setsockopt(struct dry_socket *socket, int level, int option, const void *value,
                              size_t bytes);
DRY_PUBLIC int dry_setsockopt_null(struct dry_socket *socket, int level, int option, size_t bytes);

/* makefile(): a stdio stream over the socket. mode as documented ("r", "w", "rw", with "b");
 * buffering -1 is the default; encoding, errors, newline may be NULL. The stream keeps the
 * descriptor alive until fclose. */
DRY_PUBLIC FILE *dry_makefile(struct dry_socket *socket, const char *mode, int buffering,
                              const char *encoding, const char *errors, const char *newline);
/* Windows-only in the documentation: always -1 with DRY_ERROR_UNSUPPORTED. */
DRY_PUBLIC int dry_share(struct dry_socket *socket, int process_id);
DRY_PUBLIC struct dry_socket *dry_fromshare(const void *data, size_t bytes);
DRY_PUBLIC int dry_ioctl(struct dry_socket *socket, unsigned long control, const void *option);

/* ---- names -------------------------------------------------------------------------------- */

struct dry_addrinfo {
    int family, type, protocol;
    char *canonname; /* "" unless AI_CANONNAME */
    struct dry_address address;
};
/* host, port: NULL is Python's None. *list is one allocation of *count, given back with
 * dry_freeaddrinfo. */
DRY_PUBLIC int dry_getaddrinfo(const char *host, const char *port, int family, int type, int protocol,
                               int flags, struct dry_addrinfo **list, size_t *count);
DRY_PUBLIC void dry_freeaddrinfo(struct dry_addrinfo *list);
/* How this task's calls from now on read a host name that is given as a string: as Python's bytes,
 * which go to the resolver as they are, or, as at first, as its str, which goes through the codec
 * "idna" (and is a DRY_VALUE_UNICODE error where a label is empty or too long). */
DRY_PUBLIC void dry_set_host_bytes(bool as_they_are);
DRY_PUBLIC int dry_getnameinfo(const struct dry_address *address, int flags, char *host,
                               size_t host_bytes, char *service, size_t service_bytes);
DRY_PUBLIC int dry_getfqdn(const char *name, char *buffer, size_t bytes);
DRY_PUBLIC int dry_gethostbyname(const char *name, char *buffer, size_t bytes);
struct dry_hostent {
    char *name;
    char **aliases;   /* ended by NULL */
    char **addresses; /* numeric text, ended by NULL */
};
/* One allocation, given back with free(3). */
DRY_PUBLIC struct dry_hostent *dry_gethostbyname_ex(const char *name);
DRY_PUBLIC struct dry_hostent *dry_gethostbyaddr(const char *address);
DRY_PUBLIC int dry_gethostname(char *buffer, size_t bytes);
DRY_PUBLIC int dry_sethostname(const char *name, size_t length);
DRY_PUBLIC int dry_getservbyname(const char *name, const char *protocol);
DRY_PUBLIC int dry_getservbyport(int port, const char *protocol, char *buffer, size_t bytes);
DRY_PUBLIC int dry_getprotobyname(const char *name);
DRY_PUBLIC struct if_nameindex *dry_if_nameindex(void); /* given back with free(3) */
DRY_PUBLIC int dry_if_nametoindex(const char *name);
DRY_PUBLIC int dry_if_indextoname(int64_t index, char name[IF_NAMESIZE]);

/* Byte order with Python's range checks: -1 with DRY_VALUE_OVERFLOW outside the range. */
DRY_PUBLIC int64_t dry_ntohl(int64_t value);
DRY_PUBLIC int64_t dry_htonl(int64_t value);
DRY_PUBLIC int64_t dry_ntohs(int64_t value);
DRY_PUBLIC int64_t dry_htons(int64_t value);

enum { DRY_INET_TEXT_BYTES = 48 };
DRY_PUBLIC int dry_inet_aton(const char *text, uint8_t packed[4]);
DRY_PUBLIC int dry_inet_ntoa(const void *packed, size_t bytes, char text[DRY_INET_TEXT_BYTES]);
DRY_PUBLIC int dry_inet_pton(int family, const char *text, uint8_t packed[16]); /* bytes written */
DRY_PUBLIC int dry_inet_ntop(int family, const void *packed, size_t bytes,
                             char text[DRY_INET_TEXT_BYTES]);

/* ---- constants ---------------------------------------------------------------------------- */

struct dry_constant {
    const char *name;
    int64_t value;
};
/* Every constant of the documentation that this system's headers have, sorted by name. */
DRY_PUBLIC const struct dry_constant *dry_constants(size_t *count);
DRY_PUBLIC int dry_constant_find(const char *name, int64_t *value);
/* The two that are texts, BDADDR_ANY and BDADDR_LOCAL; NULL for other names. */
DRY_PUBLIC const char *dry_constant_text(const char *name);

/* ---- time and tasks: what a whole program needs so that relinking is enough ---------------- */

/* A task's handle: never memory to be freed. It is good until the task has been joined, or has ended
 * and a million more were spawned since; after that it is the handle of nothing. */
struct dry_task;
/* 0 with the error set where the caller has no world. */
DRY_PUBLIC uint64_t dry_now(void);
/* Returns 0 at the instant; after a signal the interrupt check decides. */
DRY_PUBLIC int dry_sleep_until(uint64_t instant);
/* A task need not be joined: one that nobody joins takes all it had with it when it ends, and so a
 * program may go on for ever. NULL with EAGAIN (or ENOMEM): too many live at once. */
DRY_PUBLIC struct dry_task *dry_spawn(void (*entry)(void *argument), void *argument);
/* Waits for a task's end; at once when it has ended. Once for each task: ESRCH for one that was joined
 * or is being joined by another, or that never was (NULL); EDEADLK for the caller itself. Stopped by
 * the interrupt check, the task still runs and may be joined again. */
DRY_PUBLIC int dry_join(struct dry_task *task);
/* poll(2) over any descriptors; timeout_ns < 0 waits for ever; retries after signals. */
DRY_PUBLIC int dry_poll(struct pollfd *descriptors, size_t count, int64_t timeout_ns);

/* ---- between tasks, and for many sockets at once ------------------------------------------- */

/* A mutex, which whoever locked it unlocks. lock waits in the caller's time (the world's is virtual);
 * -1 only when the interrupt check stops it. trylock: EBUSY while it is held. Not recursive: a task
 * that locks twice waits for ever. Each takes a descriptor. new: NULL with EMFILE, ENOMEM. */
struct dry_mutex;
DRY_PUBLIC struct dry_mutex *dry_mutex_new(void);
DRY_PUBLIC void dry_mutex_free(
    struct dry_mutex *mutex); /* that nobody holds or waits for; NULL: nothing */
DRY_PUBLIC int dry_mutex_lock(struct dry_mutex *mutex);
DRY_PUBLIC int dry_mutex_trylock(struct dry_mutex *mutex);
DRY_PUBLIC int dry_mutex_unlock(struct dry_mutex *mutex);
/* A condition of what a mutex guards. All three are called with the mutex held; wait gives it up while
 * it waits and holds it again when it returns: 0, or -1 with DRY_ERROR_TIMEOUT after timeout_ns (< 0:
 * never), or stopped by the interrupt check. The one who is called need not be the one who waited
 * longest, so look at the condition again. signal lets one go on, broadcast all. */
struct dry_condition;
DRY_PUBLIC struct dry_condition *dry_condition_new(void);
DRY_PUBLIC void dry_condition_free(struct dry_condition *condition);
DRY_PUBLIC int dry_condition_wait(struct dry_condition *condition, struct dry_mutex *mutex,
                                  int64_t timeout_ns);
DRY_PUBLIC int dry_condition_signal(struct dry_condition *condition);
DRY_PUBLIC int dry_condition_broadcast(struct dry_condition *condition);
/* epoll(7): a descriptor; EPOLL_CTL_ADD, _MOD or _DEL of one, with what events[].data.u64 tells of
 * it. wait gives how many are ready, 0 after timeout_ns (< 0: never), and is made again after a signal
 * with what is left. */
DRY_PUBLIC int dry_epoll(void);
DRY_PUBLIC int dry_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t data);
DRY_PUBLIC int dry_epoll_wait(int epoll, struct epoll_event *events, int maximum, int64_t timeout_ns);
DRY_PUBLIC int dry_epoll_close(int epoll);

DRY_PUBLIC const char *dry_version(void);

#ifdef __cplusplus
}
#endif
#endif
