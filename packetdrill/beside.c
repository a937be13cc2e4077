/* What the tool calls beside its interface: the C library's own functions, where they meet the world.
 * SPDX-License-Identifier: MIT
 *
 * The plug-in is preloaded as well as loaded: these stand before the C library's. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <unistd.h>

#include "plugin.h"

DRY_PUBLIC int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    return fd >= PLUGIN_FIRST_DESCRIPTOR
               ? plugin_getsockopt(NULL, fd, level, option, value, length)
               : (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}

DRY_PUBLIC int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    return fd >= PLUGIN_FIRST_DESCRIPTOR
               ? plugin_setsockopt(NULL, fd, level, option, value, length)
               : (int)syscall(SYS_setsockopt, fd, level, option, value, length);
}

DRY_PUBLIC int close(int fd)
{
    return fd >= PLUGIN_FIRST_DESCRIPTOR ? plugin_close_fd(NULL, fd) : (int)syscall(SYS_close, fd);
}

/* A real file's bytes into a socket of the world. */
DRY_PUBLIC ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    if (out < PLUGIN_FIRST_DESCRIPTOR) {
        return syscall(SYS_sendfile, out, in, offset, count);
    }
    char *bytes = malloc(count ? count : 1);
    if (!bytes) {
        errno = ENOMEM;
        return -1;
    }
    const ssize_t got = offset ? pread(in, bytes, count, *offset) : read(in, bytes, count);
    const ssize_t sent = got > 0 ? plugin_write(NULL, out, bytes, (size_t)got) : got;
    free(bytes);
    if (sent > 0 && offset) {
        *offset += sent;
    } else if (sent >= 0 && !offset) {
        lseek(in, sent - got, SEEK_CUR);
    }
    return sent;
}

/* The same under the name that programs with short offsets call it by: here they are as long. */
DRY_PUBLIC ssize_t plugin_sendfile(int out, int in, off_t *offset, size_t count) __asm__("sendfile");

DRY_PUBLIC ssize_t plugin_sendfile(int out, int in, off_t *offset, size_t count)
{
    return sendfile(out, in, offset, count);
}

/* The world's block is larger than any memory that could be pinned, and nothing here is in a hurry. */
DRY_PUBLIC int mlockall(int flags)
{
    return 0;
}

/* The tool waits for ticks of the real clock to pass: here they pass as it looks. */
DRY_PUBLIC clock_t times(struct tms *buffer)
{
    static clock_t ticks;
    if (buffer) {
        *buffer = (struct tms){0};
    }
    return ++ticks;
}
