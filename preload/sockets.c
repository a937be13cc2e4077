/* The socket calls that move no data: made, named, joined, asked and set.
 * SPDX-License-Identifier: MIT
 *
 * A pointer that is bad is given to the world as NULL where NULL means EFAULT there too: so the
 * errors come in the kernel's order. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "calls.h"
#include "preload.h"
#include "world.h"

enum { PATH_BYTES = sizeof(struct sockaddr_un) + 1 };

/* What a call says whose pointers are bad: first of all that the descriptor is. */
static int64_t bad_pointer(int fd)
{
    const enum preload_kind kind = preload_kind_of(fd);
    if (kind == PRELOAD_WORLD) {
        const struct dry_caller caller = preload_seam();
        int type = 0;
        socklen_t length = sizeof type;
        const int result = caller.system->getsockopt(caller, fd, SOL_SOCKET, SO_TYPE, &type, &length);
        return result < 0 ? result : -EFAULT;
    }
    return kind == PRELOAD_CLOSED ? -EBADF : -ENOTSOCK;
}

int64_t preload_do_socket(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return preload_descriptor_made(caller.system->socket(caller, (int)a[0], (int)a[1], (int)a[2]),
                                   a[1] & SOCK_CLOEXEC);
}

int64_t preload_do_socketpair(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    int *descriptors = preload_pointer(a[3]);
    if (!preload_writable(descriptors, 2 * sizeof *descriptors)) {
        return -EFAULT;
    }
    const int result = caller.system->socketpair(caller, (int)a[0], (int)a[1], (int)a[2], descriptors);
    if (result == 0) {
        preload_descriptor_made(descriptors[0], a[1] & SOCK_CLOEXEC);
        preload_descriptor_made(descriptors[1], a[1] & SOCK_CLOEXEC);
    }
    return result;
}

/* An address of the program for the world to read. */
static const struct sockaddr *address_of(int64_t pointer, int64_t length)
{
    const struct sockaddr *address = preload_pointer(pointer);
    const bool bounded = length >= 0 && length <= (int64_t)sizeof(struct sockaddr_storage);
    return !bounded || preload_readable(address, (size_t)length) ? address : NULL;
}

/* The path of a UNIX socket's name, ended with a 0; false: the address is no path. */
static bool path_of(const struct sockaddr *address, socklen_t length, char path[PATH_BYTES])
{
    const struct sockaddr_un *name = (const void *)address;
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    if (!address || length <= before || length > sizeof *name || name->sun_family != AF_UNIX ||
        !name->sun_path[0]) {
        return false;
    }
    memset(path, 0, PATH_BYTES);
    memcpy(path, name->sun_path, length - before);
    return true;
}

static bool is_unix(struct dry_caller caller, int fd)
{
    int domain = 0;
    socklen_t length = sizeof domain;
    return caller.system->getsockopt(caller, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
           domain == AF_UNIX;
}

/* A path's file is made for real, so that a program may look at it, change its rights, remove it. Where
 * the real one was removed in some other way, the world's is stale. */
static int64_t bind_path(struct dry_caller caller, int fd, const struct sockaddr *address,
                         socklen_t length, const char *path)
{
    const int64_t made = preload_kernel(SYS_mknod, path, S_IFSOCK | 0777, 0);
    if (made < 0) {
        const int result = caller.system->bind(caller, fd, NULL, 0); /* what Linux says before */
        return result == -EBADF || result == -ENOTSOCK ? result : made == -EEXIST ? -EADDRINUSE : made;
    }
    int64_t result = caller.system->bind(caller, fd, address, length);
    if (result == -EADDRINUSE && preload_world_unlink(path) == 0) {
        result = caller.system->bind(caller, fd, address, length);
    }
    if (result < 0) {
        preload_kernel(SYS_unlink, path);
    }
    return result;
}

int64_t preload_do_bind(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    const struct sockaddr *address = address_of(a[1], (int)a[2]);
    char path[PATH_BYTES];
    if (!address && a[2] != 0) {
        return bad_pointer((int)a[0]);
    }
    if (path_of(address, (socklen_t)a[2], path) && is_unix(caller, (int)a[0])) {
        return bind_path(caller, (int)a[0], address, (socklen_t)a[2], path);
    }
    return caller.system->bind(caller, (int)a[0], address, (socklen_t)a[2]);
}

int64_t preload_do_connect(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    const struct sockaddr *address = address_of(a[1], (int)a[2]);
    char path[PATH_BYTES];
    if (!address && a[2] != 0) {
        return bad_pointer((int)a[0]);
    }
    const int result = caller.system->connect(caller, (int)a[0], address, (socklen_t)a[2]);
    /* A file that is no socket of this run's: nobody listens there. */
    if (result == -ENOENT && path_of(address, (socklen_t)a[2], path) &&
        preload_kernel(SYS_access, path, 0) == 0) {
        return -ECONNREFUSED;
    }
    return result;
}

int64_t preload_do_listen(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return caller.system->listen(caller, (int)a[0], (int)a[1]);
}

int64_t preload_do_shutdown(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return caller.system->shutdown(caller, (int)a[0], (int)a[1]);
}

/* A place for an address and its length: false when either is bad. NULL is lawful for both together. */
static bool place_is_good(void *address, socklen_t *length)
{
    return preload_writable(length, sizeof *length) &&
           ((int)*length < 0 || preload_writable(address, *length));
}

int64_t preload_do_accept4(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    struct sockaddr *address = preload_pointer(a[1]);
    socklen_t *length = preload_pointer(a[2]);
    if (address && !place_is_good(address, length)) {
        return bad_pointer((int)a[0]);
    }
    return preload_descriptor_made(
        caller.system->accept(caller, (int)a[0], address, address ? length : NULL, (int)a[3]),
        a[3] & SOCK_CLOEXEC);
}

int64_t preload_do_accept(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], a[1], a[2], 0};
    return preload_do_accept4(arguments);
}

int64_t preload_do_getsockname(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return place_is_good(preload_pointer(a[1]), preload_pointer(a[2]))
               ? caller.system->getsockname(caller, (int)a[0], preload_pointer(a[1]),
                                            preload_pointer(a[2]))
               : bad_pointer((int)a[0]);
}

int64_t preload_do_getpeername(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return place_is_good(preload_pointer(a[1]), preload_pointer(a[2]))
               ? caller.system->getpeername(caller, (int)a[0], preload_pointer(a[1]),
                                            preload_pointer(a[2]))
               : bad_pointer((int)a[0]);
}

int64_t preload_do_getsockopt(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return place_is_good(preload_pointer(a[3]), preload_pointer(a[4]))
               ? caller.system->getsockopt(caller, (int)a[0], (int)a[1], (int)a[2],
                                           preload_pointer(a[3]), preload_pointer(a[4]))
               : bad_pointer((int)a[0]);
}

int64_t preload_do_setsockopt(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    const bool bounded = (int)a[4] >= 0;
    if (bounded && !preload_readable(preload_pointer(a[3]), (size_t)(int)a[4])) {
        return bad_pointer((int)a[0]);
    }
    return caller.system->setsockopt(caller, (int)a[0], (int)a[1], (int)a[2], preload_pointer(a[3]),
                                     (socklen_t)a[4]);
}
