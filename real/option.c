/* Socket options in their forms, names of both ends, and inheritance.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>

#include "socket.h"

enum {
    OPTION_BYTES = 1024, /* the longest buffer that getsockopt asks for, as in CPython */
};

int dry_getsockopt_int(struct dry_socket *socket, int level, int option, int *value)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("getsockopt", socket->fd);
    /* AF_VSOCK's options are 64 bits wide. */
    uint64_t wide = 0;
    int narrow = 0;
    bool is_wide = socket->family == AF_VSOCK;
    socklen_t length = is_wide ? sizeof wide : sizeof narrow;
    int result = caller.system->getsockopt(caller, socket->fd, level, option,
                                           is_wide ? (void *)&wide : (void *)&narrow, &length);
    result = (int)dry_error_edge(caller, result);
    *value = is_wide ? (int)wide : narrow;
    dry_call_end(caller);
    return result;
}

ssize_t dry_getsockopt(struct dry_socket *socket, int level, int option, void *buffer, size_t bytes)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("getsockopt", socket->fd);
    ssize_t result;
    if (bytes == 0 || bytes > OPTION_BYTES) {
        result = dry_error_os_text(caller, "getsockopt buflen out of range");
    } else {
        socklen_t length = (socklen_t)bytes;
        result = dry_error_edge(
            caller, caller.system->getsockopt(caller, socket->fd, level, option, buffer, &length));
        if (result >= 0) {
            result = (ssize_t)length;
        }
    }
    dry_call_end(caller);
    return result;
}

static int set_option(struct dry_socket *socket, int level, int option, const void *value, size_t bytes)
{
    struct dry_caller caller = dry_call_begin("setsockopt", socket->fd);
    int result = caller.system->setsockopt(caller, socket->fd, level, option, value, (socklen_t)bytes);
    result = (int)dry_error_edge(caller, result);
    dry_call_end(caller);
    return result;
}

int dry_setsockopt_int(struct dry_socket *socket, int level, int option, int value)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    uint64_t wide = (uint64_t)value;
    if (socket->family == AF_VSOCK) {
        return set_option(socket, level, option, &wide, sizeof wide);
    }
    return set_option(socket, level, option, &value, sizeof value);
}

int dry_setsockopt(struct dry_socket *socket, int level, int option, const void *value, size_t bytes)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return set_option(socket, level, option, value, bytes);
}

int dry_setsockopt_null(struct dry_socket *socket, int level, int option, size_t bytes)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return set_option(socket, level, option, NULL, bytes);
}

/* ---- names of both ends ------------------------------------------------------------------- */

int dry_getsockname(struct dry_socket *socket, struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("getsockname", socket->fd);
    *address = (struct dry_address){.protocol = socket->protocol};
    socklen_t length = sizeof address->storage;
    int result = caller.system->getsockname(caller, socket->fd, &address->generic, &length);
    result = (int)dry_error_edge(caller, result);
    if (result == 0) {
        address->length = length;
    }
    dry_call_end(caller);
    return result;
}

int dry_getpeername(struct dry_socket *socket, struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("getpeername", socket->fd);
    *address = (struct dry_address){.protocol = socket->protocol};
    socklen_t length = sizeof address->storage;
    int result = caller.system->getpeername(caller, socket->fd, &address->generic, &length);
    result = (int)dry_error_edge(caller, result);
    if (result == 0) {
        address->length = length;
    }
    dry_call_end(caller);
    return result;
}

/* ---- what the object itself knows --------------------------------------------------------- */

int dry_family(const struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return socket->family;
}

int dry_type(const struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return socket->type;
}

int dry_protocol(const struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return socket->protocol;
}

int dry_fileno(const struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return socket->fd;
}

/* ---- inheritance and what only Windows has ------------------------------------------------ */

int dry_get_inheritable(struct dry_socket *socket)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("get_inheritable", socket->fd);
    int flags = caller.system->fcntl(caller, socket->fd, F_GETFD, 0);
    int result = (int)dry_error_edge(caller, flags < 0 ? flags : (flags & FD_CLOEXEC) == 0);
    dry_call_end(caller);
    return result;
}

int dry_set_inheritable(struct dry_socket *socket, bool inheritable)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("set_inheritable", socket->fd);
    int flags = caller.system->fcntl(caller, socket->fd, F_GETFD, 0);
    int wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    int result = flags < 0 || wanted == flags
                     ? flags
                     : caller.system->fcntl(caller, socket->fd, F_SETFD, wanted);
    result = (int)dry_error_edge(caller, result) < 0 ? -1 : 0;
    dry_call_end(caller);
    return result;
}

int dry_share(struct dry_socket *socket, int process_id)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return dry_error_unsupported(dry_current_caller(), ENOSYS, "socket.share() exists on Windows only");
}

struct dry_socket *dry_fromshare(const void *data, size_t bytes)
{
    dry_error_unsupported(dry_current_caller(), ENOSYS, "fromshare() exists on Windows only");
    return NULL;
}

int dry_ioctl(struct dry_socket *socket, unsigned long control, const void *option)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    return dry_error_unsupported(dry_current_caller(), ENOSYS, "socket.ioctl() exists on Windows only");
}
