/* Descriptors: each number is the kernel's, whether it names something of the world's or a real file.
 * SPDX-License-Identifier: MIT
 *
 * The world's table holds every descriptor of the program; where it names something of the world's,
 * a placeholder occupies the same number in the real table. So the lowest free number, close-on-
 * exec, fork and /proc/self/fd are right by themselves. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "calls.h"
#include "interfaces.h"
#include "preload.h"
#include "world.h"

enum { MOST_DESCRIPTORS = 1 << 20 };

/* One byte a number; pages that no number used are never touched. */
static uint8_t kinds[MOST_DESCRIPTORS];
static int highest = -1, highest_polled = -1; /* no number above ever was open; a polled one */

enum preload_kind preload_kind_of(int fd)
{
    return fd >= 0 && fd < MOST_DESCRIPTORS ? (enum preload_kind)kinds[fd] : PRELOAD_CLOSED;
}

static void set_kind(int fd, enum preload_kind kind)
{
    if (fd >= 0 && fd < MOST_DESCRIPTORS) {
        kinds[fd] = (uint8_t)kind;
        highest = fd > highest ? fd : highest;
        highest_polled = kind == PRELOAD_POLLED && fd > highest_polled ? fd : highest_polled;
    }
}

/* The descriptor of the block, at a number that the world's table does not know: no call of the program
 * reaches it, and it outlives exec. It makes room when the program's own come near. */
static int hidden = -1;

int preload_hidden(void)
{
    return hidden;
}

void preload_hide(int fd)
{
    hidden = fd;
}

static void keep_away(int fd)
{
    if (fd + 1 == hidden) {
        const int64_t moved = preload_kernel(SYS_fcntl, hidden, F_DUPFD, 2 * (int64_t)hidden);
        if (moved >= 0) {
            preload_kernel(SYS_close, hidden);
            hidden = (int)moved;
        }
    }
}

/* LINUX: memory devices (/dev/null, /dev/zero, /dev/urandom …) are always ready and refuse epoll. */
static enum preload_kind kind_of_file(const struct stat *status)
{
    enum { MEMORY_DEVICES = 1, RANDOM = 8, URANDOM = 9 };
    const bool memory = S_ISCHR(status->st_mode) && major(status->st_rdev) == MEMORY_DEVICES;
    if (memory && (minor(status->st_rdev) == RANDOM || minor(status->st_rdev) == URANDOM)) {
        return PRELOAD_RANDOM;
    }
    return memory || S_ISREG(status->st_mode) || S_ISDIR(status->st_mode) || S_ISBLK(status->st_mode)
               ? PRELOAD_READY
               : PRELOAD_POLLED;
}

struct saved {
    size_t bytes; /* of all of this */
    int highest, highest_polled, hidden;
    uint8_t kinds[];
};

void *preload_descriptors_save(void)
{
    const size_t bytes = sizeof(struct saved) + (size_t)highest + 1;
    const int64_t memory = preload_kernel(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct saved *saved = memory < 0 ? NULL : preload_pointer(memory);
    if (saved) {
        *saved = (struct saved){bytes, highest, highest_polled, hidden};
        memcpy(saved->kinds, kinds, (size_t)highest + 1);
    }
    return saved;
}

void preload_descriptors_restore(void *memory)
{
    const struct saved *saved = memory;
    if (!saved) {
        return;
    }
    memset(kinds, 0, (size_t)highest + 1);
    memcpy(kinds, saved->kinds, (size_t)saved->highest + 1);
    highest = saved->highest;
    highest_polled = saved->highest_polled;
    hidden = saved->hidden;
    preload_kernel(SYS_munmap, memory, saved->bytes);
}

void preload_descriptor_is(int fd, enum preload_kind kind)
{
    set_kind(fd, kind);
}

int64_t preload_descriptor_opened(int64_t fd, int flags)
{
    struct stat status;
    if (fd < 0) {
        return fd;
    }
    keep_away((int)fd);
    const bool known = preload_kernel(SYS_fstat, fd, &status) == 0;
    const enum preload_kind kind = known ? kind_of_file(&status) : PRELOAD_POLLED;
    const int64_t result = preload_world_real((int)fd, kind != PRELOAD_POLLED, flags);
    if (result < 0) {
        preload_kernel(SYS_close, fd);
        return result == -EBADF ? -EMFILE : result;
    }
    set_kind((int)fd, kind);
    return fd;
}

int64_t preload_descriptor_made(int64_t fd, bool close_on_exec)
{
    if (fd < 0) {
        return fd;
    }
    keep_away((int)fd);
    const int flags = O_PATH | (close_on_exec ? O_CLOEXEC : 0);
    const int64_t placeholder = preload_kernel(SYS_openat, AT_FDCWD, "/", flags);
    if (placeholder >= 0 && placeholder != fd) { /* the two tables are not in step below fd */
        preload_kernel(SYS_dup3, placeholder, fd, flags & O_CLOEXEC);
        preload_kernel(SYS_close, placeholder);
    }
    set_kind((int)fd, PRELOAD_WORLD);
    return fd;
}

void preload_descriptors_start(void)
{
    /* Numbers beyond the first thousand are inherited by nobody but who means it. */
    enum { LOOKED_AT = 1024 };
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        const int64_t flags = fd == hidden ? -EBADF : preload_kernel(SYS_fcntl, fd, F_GETFD);
        if (flags < 0) {
            continue;
        }
        if (preload_world_owns(fd)) {
            set_kind(fd, PRELOAD_WORLD);
        } else {
            preload_descriptor_opened(fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
        }
    }
}

int preload_polled(struct pollfd *descriptors, int most)
{
    int count = 0;
    for (int fd = 0; fd <= highest_polled && count < most; fd++) {
        if (kinds[fd] == PRELOAD_POLLED) {
            descriptors[count++] = (struct pollfd){fd, POLLIN | POLLOUT | POLLPRI, 0};
        }
    }
    return count;
}

/* ---- close -------------------------------------------------------------------------------------- */

int64_t preload_do_close(const int64_t *a)
{
    const int fd = (int)a[0];
    const enum preload_kind kind = preload_kind_of(fd);
    if (kind == PRELOAD_CLOSED) {
        return -EBADF;
    }
    const struct dry_caller caller = preload_seam();
    set_kind(fd, PRELOAD_CLOSED);
    const int64_t real = preload_kernel(SYS_close, fd);
    const int64_t result = caller.system->close(caller, fd);
    return kind == PRELOAD_WORLD ? result : real;
}

int64_t preload_do_close_range(const int64_t *a)
{
    const uint32_t first = (uint32_t)a[0], last = (uint32_t)a[1];
    const uint32_t flags = (uint32_t)a[2];
    if (first > last || (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))) {
        return -EINVAL;
    }
    const struct dry_caller caller = preload_seam();
    for (uint32_t fd = first; fd <= last && fd < MOST_DESCRIPTORS; fd++) {
        const int64_t one[PRELOAD_ARGUMENTS] = {fd};
        if (kinds[fd] == PRELOAD_CLOSED) {
            continue;
        }
        if (flags & CLOSE_RANGE_CLOEXEC) {
            preload_kernel(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
            caller.system->fcntl(caller, (int)fd, F_SETFD, FD_CLOEXEC);
        } else {
            preload_do_close(one);
        }
    }
    return 0;
}

/* ---- duplicates --------------------------------------------------------------------------------- */

/* Old and new number are what the kernel and the world both just made the same. */
static int64_t duplicated(int fd, int64_t made)
{
    set_kind((int)made, preload_kind_of(fd));
    return made;
}

int64_t preload_do_dup3(const int64_t *a)
{
    const int fd = (int)a[0], wanted = (int)a[1];
    const struct dry_caller caller = preload_seam();
    const int64_t result = caller.system->dup3(caller, fd, wanted, (int)a[2]);
    if (result < 0) {
        return result;
    }
    keep_away(wanted - 1);
    const int64_t made = preload_pass(SYS_dup3, a);
    return made < 0 ? made : duplicated(fd, wanted);
}

int64_t preload_do_dup2(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], a[1], 0};
    if ((int)a[0] == (int)a[1]) {
        return preload_kind_of((int)a[0]) == PRELOAD_CLOSED ? -EBADF : a[0];
    }
    return preload_do_dup3(arguments);
}

static int64_t lowest_duplicate(int fd, int command, int64_t minimum)
{
    const struct dry_caller caller = preload_seam();
    const int64_t wanted = caller.system->fcntl(caller, fd, command, (long)minimum);
    if (wanted < 0) {
        return wanted;
    }
    keep_away((int)wanted);
    const int64_t made = preload_kernel(SYS_dup3, fd, wanted,
                                        command == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0);
    return made < 0 ? made : duplicated(fd, wanted);
}

int64_t preload_do_dup(const int64_t *a)
{
    return lowest_duplicate((int)a[0], F_DUPFD, 0);
}

/* ---- fcntl, ioctl ------------------------------------------------------------------------------- */

/* What fcntl's third argument points to, in bytes; 0: it is a number. */
static size_t fcntl_argument_bytes(int command)
{
    switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return sizeof(struct flock);
    case F_GETOWN_EX:
    case F_SETOWN_EX:
        return 8;
    default:
        return 0;
    }
}

int64_t preload_do_fcntl(const int64_t *a)
{
    const int fd = (int)a[0], command = (int)a[1];
    const struct dry_caller caller = preload_seam();
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        return lowest_duplicate(fd, command, a[2]);
    }
    if (preload_kind_of(fd) != PRELOAD_WORLD) {
        if (command == F_SETFD && preload_is_real(fd)) {
            caller.system->fcntl(caller, fd, command, a[2]);
        }
        return preload_pass(SYS_fcntl, a);
    }
    /* SIMPLER: who is told by SIGIO is taken, and nobody is. */
    if (command == F_SETOWN || command == F_SETSIG || command == F_GETSIG) {
        return 0;
    }
    const size_t bytes = fcntl_argument_bytes(command);
    if (bytes > 0 && !preload_writable(preload_pointer(a[2]), bytes)) {
        return -EFAULT;
    }
    if (command == F_SETFD) {
        preload_pass(SYS_fcntl, a); /* the placeholder goes with it */
    }
    return caller.system->fcntl(caller, fd, command, (long)a[2]);
}

static int64_t set_async(struct dry_caller caller, int fd, const int *on)
{
    const int status = caller.system->fcntl(caller, fd, F_GETFL, 0);
    if (status < 0) {
        return status;
    }
    if (!preload_readable(on, sizeof *on)) {
        return -EFAULT;
    }
    return caller.system->fcntl(caller, fd, F_SETFL, *on ? status | O_ASYNC : status & ~O_ASYNC);
}

int64_t preload_do_ioctl(const int64_t *a)
{
    const int fd = (int)a[0];
    const unsigned long request = (unsigned long)a[1];
    const struct dry_caller caller = preload_seam();
    if (preload_kind_of(fd) != PRELOAD_WORLD) {
        if ((request == FIOCLEX || request == FIONCLEX) && preload_is_real(fd)) {
            caller.system->fcntl(caller, fd, F_SETFD, request == FIOCLEX ? FD_CLOEXEC : 0);
        }
        return preload_pass(SYS_ioctl, a);
    }
    if (preload_is_of_interfaces(request)) {
        int type;
        socklen_t length = sizeof type;
        const int asked = caller.system->getsockopt(caller, fd, SOL_SOCKET, SO_TYPE, &type, &length);
        return asked < 0 ? -ENOTTY : preload_interfaces(request, preload_pointer(a[2]));
    }
    if (request == FIOASYNC) {
        return set_async(caller, fd, preload_pointer(a[2]));
    }
    if (request == FIOCLEX || request == FIONCLEX) {
        preload_kernel(SYS_fcntl, fd, F_SETFD, request == FIOCLEX ? FD_CLOEXEC : 0);
    } else if (a[2] && !preload_writable(preload_pointer(a[2]), sizeof(int))) {
        return -EFAULT;
    }
    return caller.system->ioctl(caller, fd, request, preload_pointer(a[2]));
}

/* ---- new ones ----------------------------------------------------------------------------------- */

int64_t preload_do_pipe2(const int64_t *a)
{
    int *descriptors = preload_pointer(a[0]);
    const struct dry_caller caller = preload_seam();
    if (!preload_writable(descriptors, 2 * sizeof *descriptors)) {
        return -EFAULT;
    }
    const int result = caller.system->pipe2(caller, descriptors, (int)a[1]);
    if (result == 0) {
        preload_descriptor_made(descriptors[0], a[1] & O_CLOEXEC);
        preload_descriptor_made(descriptors[1], a[1] & O_CLOEXEC);
    }
    return result;
}

int64_t preload_do_pipe(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], 0};
    return preload_do_pipe2(arguments);
}

int64_t preload_do_eventfd2(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    return preload_descriptor_made(caller.system->eventfd(caller, (unsigned)a[0], (int)a[1]),
                                   a[1] & EFD_CLOEXEC);
}

int64_t preload_do_eventfd(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], 0};
    return preload_do_eventfd2(arguments);
}

/* ---- status ------------------------------------------------------------------------------------- */

int64_t preload_do_fstat(const int64_t *a)
{
    const struct dry_caller caller = preload_seam();
    if (preload_kind_of((int)a[0]) != PRELOAD_WORLD) {
        return preload_pass(SYS_fstat, a);
    }
    return preload_writable(preload_pointer(a[1]), sizeof(struct stat))
               ? caller.system->fstat(caller, (int)a[0], preload_pointer(a[1]))
               : -EFAULT;
}

/* fstat(3) is newfstatat(fd, "", AT_EMPTY_PATH) in some C libraries. */
static bool names_descriptor(int64_t directory, int64_t path, int64_t flags)
{
    const char *name = preload_pointer(path);
    return (flags & AT_EMPTY_PATH) && preload_kind_of((int)directory) == PRELOAD_WORLD &&
           (!name || (preload_readable(name, 1) && name[0] == 0));
}

int64_t preload_do_newfstatat(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], a[2]};
    return names_descriptor(a[0], a[1], a[3]) ? preload_do_fstat(arguments)
                                              : preload_pass(SYS_newfstatat, a);
}

int64_t preload_do_statx(const int64_t *a)
{
    struct statx *status = preload_pointer(a[4]);
    struct stat plain;
    const struct dry_caller caller = preload_seam();
    if (!names_descriptor(a[0], a[1], a[2])) {
        return preload_pass(SYS_statx, a);
    }
    if (!preload_writable(status, sizeof *status)) {
        return -EFAULT;
    }
    const int result = caller.system->fstat(caller, (int)a[0], &plain);
    if (result == 0) {
        memset(status, 0, sizeof *status);
        status->stx_mask = STATX_BASIC_STATS;
        status->stx_blksize = (uint32_t)plain.st_blksize;
        status->stx_nlink = (uint32_t)plain.st_nlink;
        status->stx_mode = (uint16_t)plain.st_mode;
        status->stx_ino = plain.st_ino;
    }
    return result;
}

int64_t preload_do_lseek(const int64_t *a)
{
    return preload_kind_of((int)a[0]) == PRELOAD_WORLD ? -ESPIPE : preload_pass(SYS_lseek, a);
}
