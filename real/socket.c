/* Makes, ends and shares socket objects, and sets their modes.
 * SPDX-License-Identifier: MIT */
#include "socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "wait.h"

static_assert(sizeof(struct process_store) <= DRY_LOCAL_BYTES, "the process's store is too small");

/* ---- modes -------------------------------------------------------------------------------- */

int64_t dry_socket_default_timeout(struct dry_caller caller)
{
    struct process_store *store = caller.system->process_local(caller);
    return (int64_t)(atomic_load(&store->default_timeout_plus_one) - 1);
}

int dry_socket_set_mode(struct dry_caller caller, struct dry_socket *socket, int64_t timeout_ns)
{
    /* The object changes even when its descriptor cannot, as in CPython. */
    socket->timeout_ns = timeout_ns;
    int nonblocking = timeout_ns >= 0;
    return caller.system->ioctl(caller, socket->fd, FIONBIO, &nonblocking);
}

static int check_timeout(struct dry_caller caller, int64_t timeout_ns)
{
    if (timeout_ns >= DRY_TIMEOUT_NONE) {
        return 0;
    }
    return dry_error_value(caller, DRY_VALUE_ERROR, "Timeout value out of range");
}

int dry_settimeout(struct dry_socket *socket, int64_t timeout_ns)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("settimeout", socket->fd);
    int result = check_timeout(caller, timeout_ns);
    if (result == 0) {
        result = (int)dry_error_edge(caller, dry_socket_set_mode(caller, socket, timeout_ns));
    }
    dry_call_end(caller);
    return result;
}

int64_t dry_gettimeout(const struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return socket->timeout_ns;
}

int dry_setblocking(struct dry_socket *socket, bool blocking)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("setblocking", socket->fd);
    int result = dry_socket_set_mode(caller, socket, blocking ? DRY_TIMEOUT_NONE : 0);
    result = (int)dry_error_edge(caller, result);
    dry_call_end(caller);
    return result;
}

bool dry_getblocking(const struct dry_socket *socket)
{
    if (socket == NULL) {
        dry_error_no_socket();
        return false;
    }
    return socket->timeout_ns != 0;
}

int dry_setdefaulttimeout(int64_t timeout_ns)
{
    struct dry_caller caller = dry_current_caller();
    if (check_timeout(caller, timeout_ns) != 0) {
        return -1;
    }
    struct process_store *store = caller.system->process_local(caller);
    atomic_store(&store->default_timeout_plus_one, (uint64_t)timeout_ns + 1);
    return 0;
}

int64_t dry_getdefaulttimeout(void)
{
    return dry_socket_default_timeout(dry_current_caller());
}

/* ---- making ------------------------------------------------------------------------------- */

/* Ends the making of an object: the error object keeps why, whatever closing says. */
static struct dry_socket *give_up(struct dry_caller caller, int fd, bool owned, int code)
{
    if (owned) {
        caller.system->close(caller, fd);
    }
    dry_error_os(caller, code);
    return NULL;
}

struct dry_socket *dry_socket_wrap(struct dry_caller caller, int fd, int family, int type, int protocol,
                                   bool owned)
{
    struct dry_socket *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return give_up(caller, fd, owned, ENOMEM);
    }
    made->fd = fd;
    made->family = family;
    made->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    made->protocol = protocol;
    made->holders = HOLDS_HANDLE;
    if (type & SOCK_NONBLOCK) {
        return made;
    }
    made->timeout_ns = dry_socket_default_timeout(caller);
    if (made->timeout_ns < 0) {
        return made;
    }
    int result = dry_socket_set_mode(caller, made, made->timeout_ns);
    if (result < 0) {
        free(made);
        return give_up(caller, fd, owned, -result);
    }
    return made;
}

struct dry_socket *dry_socket(int family, int type, int protocol)
{
    struct dry_caller caller = dry_call_begin("socket", -1);
    family = family == -1 ? AF_INET : family;
    type = type == -1 ? SOCK_STREAM : type;
    protocol = protocol == -1 ? 0 : protocol;
    struct dry_socket *made = NULL;
    int fd = caller.system->socket(caller, family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        dry_error_os(caller, -fd);
    } else {
        made = dry_socket_wrap(caller, fd, family, type, protocol, true);
    }
    dry_call_end(caller);
    return made;
}

/* The integer option of SOL_SOCKET into *value unless that is given already. */
static int detect_option(struct dry_caller caller, int fd, int option, int *value)
{
    if (*value != -1) {
        return 0;
    }
    socklen_t length = sizeof *value;
    int result = caller.system->getsockopt(caller, fd, SOL_SOCKET, option, value, &length);
    return result < 0 ? dry_error_os(caller, -result) : 0;
}

static int detect(struct dry_caller caller, int fd, int *family, int *type, int *protocol)
{
    if (fd < 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "negative file descriptor");
    }
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int result = caller.system->getsockname(caller, fd, (struct sockaddr *)&address, &length);
    /* A socket that cannot tell its name is good enough when the family is given. */
    if (result < 0 && (*family == -1 || result == -EBADF || result == -ENOTSOCK)) {
        return dry_error_os(caller, -result);
    }
    if (*family == -1) {
        *family = address.ss_family;
    }
    if (detect_option(caller, fd, SO_TYPE, type) != 0) {
        return -1;
    }
    return detect_option(caller, fd, SO_PROTOCOL, protocol);
}

struct dry_socket *dry_socket_fileno(int fd, int family, int type, int protocol)
{
    struct dry_caller caller = dry_call_begin("socket", fd);
    struct dry_socket *made = NULL;
    if (detect(caller, fd, &family, &type, &protocol) == 0) {
        made = dry_socket_wrap(caller, fd, family, type, protocol, false);
    }
    dry_call_end(caller);
    return made;
}

int dry_socketpair(int family, int type, int protocol, struct dry_socket *pair[2])
{
    struct dry_caller caller = dry_call_begin("socketpair", -1);
    family = family == -1 ? AF_UNIX : family;
    type = type == -1 ? SOCK_STREAM : type;
    protocol = protocol == -1 ? 0 : protocol;
    pair[0] = pair[1] = NULL;
    int descriptors[2];
    int result = caller.system->socketpair(caller, family, type | SOCK_CLOEXEC, protocol, descriptors);
    if (result < 0) {
        dry_error_os(caller, -result);
    } else if ((pair[0] = dry_socket_wrap(caller, descriptors[0], family, type, protocol, true)) ==
               NULL) {
        caller.system->close(caller, descriptors[1]);
    } else if ((pair[1] = dry_socket_wrap(caller, descriptors[1], family, type, protocol, true)) ==
               NULL) {
        dry_socket_release(caller, pair[0], HOLDS_HANDLE);
        pair[0] = NULL;
    }
    dry_call_end(caller);
    return pair[1] != NULL ? 0 : -1;
}

/* A close-on-exec copy of fd as a new object. */
static struct dry_socket *copy(struct dry_caller caller, int fd, int family, int type, int protocol)
{
    int made = caller.system->fcntl(caller, fd, F_DUPFD_CLOEXEC, 0);
    if (made < 0) {
        dry_error_os(caller, -made);
        return NULL;
    }
    if (detect(caller, made, &family, &type, &protocol) != 0) {
        caller.system->close(caller, made);
        return NULL;
    }
    return dry_socket_wrap(caller, made, family, type, protocol, true);
}

struct dry_socket *dry_fromfd(int fd, int family, int type, int protocol)
{
    struct dry_caller caller = dry_call_begin("fromfd", fd);
    struct dry_socket *made = copy(caller, fd, family, type, protocol);
    dry_call_end(caller);
    return made;
}

struct dry_socket *dry_dup(struct dry_socket *socket)
{
    if (socket == NULL) {
        dry_error_no_socket();
        return NULL;
    }
    struct dry_caller caller = dry_call_begin("dup", socket->fd);
    struct dry_socket *made = copy(caller, socket->fd, socket->family, socket->type, socket->protocol);
    if (made != NULL) {
        int result = dry_socket_set_mode(caller, made, socket->timeout_ns);
        if (result < 0) {
            dry_socket_release(caller, made, HOLDS_HANDLE);
            dry_error_os(caller, -result);
            made = NULL;
        }
    }
    dry_call_end(caller);
    return made;
}

/* ---- serving ------------------------------------------------------------------------------ */

int dry_bind(struct dry_socket *socket, const struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("bind", socket->fd);
    int result = caller.system->bind(caller, socket->fd, &address->generic, address->length);
    result = (int)dry_error_edge(caller, result);
    dry_call_end(caller);
    return result;
}

int dry_listen(struct dry_socket *socket, int backlog)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("listen", socket->fd);
    int result = caller.system->listen(caller, socket->fd, backlog < 0 ? 0 : backlog);
    result = (int)dry_error_edge(caller, result);
    dry_call_end(caller);
    return result;
}

struct accepting {
    int fd;
    bool nameless; /* its peers have no address, and asking for one is an error */
    struct sockaddr_storage address;
    socklen_t length;
};

static ssize_t try_accept(struct dry_caller caller, void *data)
{
    struct accepting *accepting = data;
    accepting->length = accepting->nameless ? 0 : sizeof accepting->address;
    return caller.system->accept(caller, accepting->fd,
                                 accepting->nameless ? NULL : (struct sockaddr *)&accepting->address,
                                 accepting->nameless ? NULL : &accepting->length, SOCK_CLOEXEC);
}

/* The accepted descriptor as an object. It takes the default timeout; with none, and a listener in
 * timeout mode, it is put in blocking mode, whatever the system let it inherit. */
static struct dry_socket *accepted(struct dry_caller caller, const struct dry_socket *listener, int fd)
{
    struct dry_socket *made = dry_socket_wrap(caller, fd, listener->family, listener->type,
                                              listener->protocol, true);
    if (made == NULL || made->timeout_ns != DRY_TIMEOUT_NONE || listener->timeout_ns <= 0) {
        return made;
    }
    int result = dry_socket_set_mode(caller, made, DRY_TIMEOUT_NONE);
    if (result == 0) {
        return made;
    }
    if (!DRY_MUTANT(failed_accept_leaks_its_descriptor)) {
        dry_socket_release(caller, made, HOLDS_HANDLE);
    }
    dry_error_os(caller, -result);
    return NULL;
}

struct dry_socket *dry_accept(struct dry_socket *socket, struct dry_address *peer)
{
    if (socket == NULL) {
        dry_error_no_socket();
        return NULL;
    }
    struct dry_caller caller = dry_call_begin("accept", socket->fd);
    /* LINUX: accept(2) of an AF_ALG socket that wants an address makes the operation's socket and
     * throws it away with ECONNABORTED. */
    struct accepting accepting = {.fd = socket->fd, .nameless = socket->family == AF_ALG};
    ssize_t fd = dry_wait_socket(caller, socket, POLLIN, try_accept, &accepting);
    struct dry_socket *made = NULL;
    if (dry_wait_edge(caller, fd) >= 0) {
        made = accepted(caller, socket, (int)fd);
    }
    if (made != NULL && peer != NULL) {
        peer->storage = accepting.address;
        peer->length = accepting.length;
        peer->protocol = socket->protocol;
    }
    dry_call_end(caller);
    return made;
}

/* ---- ending ------------------------------------------------------------------------------- */

/* close(2) once; the descriptor is forgotten first, so that nothing closes it twice. */
static int close_descriptor(struct dry_caller caller, struct dry_socket *socket)
{
    int fd = socket->fd;
    if (fd < 0) {
        return 0;
    }
    socket->fd = -1;
    int result = caller.system->close(caller, fd);
    /* The peer may have reset the connection already: that is no failure of closing. */
    return result == -ECONNRESET ? 0 : result;
}

void dry_socket_hold(struct dry_socket *socket)
{
    atomic_fetch_add(&socket->holders, HOLDS_FILE);
}

int dry_socket_release(struct dry_caller caller, struct dry_socket *socket, unsigned holder)
{
    unsigned left = atomic_fetch_sub(&socket->holders, holder) - holder;
    int result = 0;
    /* What may be left is the handle that dry_close_keep spared. */
    if (left == 0 || DRY_MUTANT(close_forgets_open_files) ||
        (left == HOLDS_HANDLE && atomic_load(&socket->closed))) {
        result = close_descriptor(caller, socket);
    }
    if (left == 0) {
        free(socket);
    }
    return result;
}

int dry_close(struct dry_socket *socket)
{
    if (socket == NULL) {
        return 0;
    }
    struct dry_caller caller = dry_call_begin("close", socket->fd);
    int result = (int)dry_error_edge(caller, dry_socket_release(caller, socket, HOLDS_HANDLE));
    dry_call_end(caller);
    return result;
}

int dry_close_keep(struct dry_socket *socket)
{
    if (socket == NULL) {
        return 0;
    }
    struct dry_caller caller = dry_call_begin("close", socket->fd);
    atomic_store(&socket->closed, true);
    int result = 0;
    if (atomic_load(&socket->holders) == HOLDS_HANDLE) {
        result = (int)dry_error_edge(caller, close_descriptor(caller, socket));
    }
    dry_call_end(caller);
    return result;
}

int dry_detach(struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    int fd = socket->fd;
    atomic_store(&socket->closed, true);
    socket->fd = -1;
    return fd;
}

int dry_shutdown(struct dry_socket *socket, int how)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("shutdown", socket->fd);
    int result = caller.system->shutdown(caller, socket->fd, how);
    result = (int)dry_error_edge(caller, result);
    dry_call_end(caller);
    return result;
}
