/* The socket object and what the library's files do with one.
 * SPDX-License-Identifier: MIT */
#ifndef REAL_SOCKET_H
#define REAL_SOCKET_H

#include <stdatomic.h>

#include "error.h"

/* The struct is the caller's handle until dry_close; file objects (makefile) keep it, and its
 * descriptor, alive beyond that. */
struct dry_socket {
    int fd; /* -1 once closed or detached */
    int family;
    int type; /* without SOCK_NONBLOCK and SOCK_CLOEXEC */
    int protocol;
    int64_t timeout_ns;  /* -1: blocking; 0: non-blocking; > 0 */
    atomic_uint holders; /* a sum: HOLDS_HANDLE, and HOLDS_FILE for each open file object */
    atomic_bool closed;  /* close() was called; with files open the descriptor lives on */
};

/* What the library keeps in the process's store (zeros at first). */
struct process_store {
    _Atomic uint64_t default_timeout_plus_one; /* 0: None; else the default timeout + 1 */
};

/* A new object for `fd`, in the default timeout's mode; on failure NULL with the error set and,
 * when `owned`, the descriptor closed. type may carry SOCK_NONBLOCK, which then decides. */
struct dry_socket *dry_socket_wrap(struct dry_caller caller, int fd, int family, int type, int protocol,
                                   bool owned);

enum {
    HOLDS_HANDLE = 1, /* the caller's pointer */
    HOLDS_FILE = 2,
};

/* One more file object; and one holder less: the last one closes and frees. 0 or -errno. */
void dry_socket_hold(struct dry_socket *socket);
int dry_socket_release(struct dry_caller caller, struct dry_socket *socket, unsigned holder);

/* Sets the mode without announcing a call; 0 or -errno. */
int dry_socket_set_mode(struct dry_caller caller, struct dry_socket *socket, int64_t timeout_ns);

int64_t dry_socket_default_timeout(struct dry_caller caller);

#endif
