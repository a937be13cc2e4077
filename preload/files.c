/* Files: the real file system, but for the few files that tell of the network, and chance.
 * SPDX-License-Identifier: MIT
 *
 * Those are made as the world has them at the moment of open(2), in a file without a name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"
#include "world.h"

enum { TEXT_BYTES = 65536 };

/* A descriptor of the world's own text for this path, -ENOENT when it has none. */
static int64_t open_text(const char *path, int flags)
{
    static char text[TEXT_BYTES];
    const int64_t length = preload_world_file(path, text, sizeof text);
    if (length < 0) {
        return length;
    }
    if ((flags & O_ACCMODE) != O_RDONLY) {
        return -EACCES;
    }
    const int64_t fd = preload_kernel(SYS_memfd_create, path, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (fd >= 0) {
        preload_kernel(SYS_write, fd, text, length);
        preload_kernel(SYS_lseek, fd, 0, SEEK_SET);
    }
    return preload_descriptor_opened(fd, flags);
}

/* The descriptor of a file that the world makes, or what `otherwise` gives. */
static int64_t open_any(int64_t number, const int64_t *a, int64_t path, int flags)
{
    const char *name = preload_pointer(path);
    if (preload_string(name) > 0 && name[0] == '/') {
        const int64_t fd = open_text(name, flags);
        if (fd != -ENOENT) {
            return fd;
        }
    }
    return preload_descriptor_opened(preload_pass(number, a), flags);
}

int64_t preload_do_open(const int64_t *a)
{
    return open_any(SYS_open, a, a[0], (int)a[1]);
}

int64_t preload_do_openat(const int64_t *a)
{
    return open_any(SYS_openat, a, a[1], (int)a[2]);
}

int64_t preload_do_openat2(const int64_t *a)
{
    const struct open_how *how = preload_pointer(a[2]);
    const int flags = preload_readable(how, sizeof *how) ? (int)how->flags : 0;
    return open_any(SYS_openat2, a, a[1], flags);
}

int64_t preload_do_creat(const int64_t *a)
{
    return preload_descriptor_opened(preload_pass(SYS_creat, a), 0);
}

/* ---- a UNIX socket's path is the host's --------------------------------------------------------- */

/* The name goes from the world and from the file system. */
static int64_t unlink_both(const char *path, int64_t number, const int64_t *a)
{
    const bool in_world = preload_string(path) > 0 && preload_world_unlink(path) == 0;
    const int64_t result = preload_pass(number, a);
    return result == -ENOENT && in_world ? 0 : result;
}

int64_t preload_do_unlinkat(const int64_t *a)
{
    return a[2] & AT_REMOVEDIR ? preload_pass(SYS_unlinkat, a)
                               : unlink_both(preload_pointer(a[1]), SYS_unlinkat, a);
}

int64_t preload_do_unlink(const int64_t *a)
{
    return unlink_both(preload_pointer(a[0]), SYS_unlink, a);
}

/* ---- the host's name ---------------------------------------------------------------------------- */

int64_t preload_do_uname(const int64_t *a)
{
    struct utsname *name = preload_pointer(a[0]);
    const struct dry_caller caller = preload_caller();
    const int64_t result = preload_pass(SYS_uname, a);
    if (result == 0) {
        caller.system->gethostname(caller, name->nodename, sizeof name->nodename);
    }
    return result;
}

int64_t preload_do_sethostname(const int64_t *a)
{
    const char *name = preload_pointer(a[0]);
    const size_t length = (size_t)a[1];
    const struct dry_caller caller = preload_caller();
    if ((int)a[1] < 0 || length > HOST_NAME_MAX) {
        return -EINVAL;
    }
    return preload_readable(name, length) ? caller.system->sethostname(caller, name, length) : -EFAULT;
}

/* ---- chance ------------------------------------------------------------------------------------- */

int64_t preload_do_getrandom(const int64_t *a)
{
    void *buffer = preload_pointer(a[0]);
    const size_t length = (size_t)a[1] < INT_MAX ? (size_t)a[1] : INT_MAX;
    return !preload_writable(buffer, length)
               ? -EFAULT
               : sim_program_getrandom(preload_caller(), buffer, length, (unsigned)a[2]);
}
