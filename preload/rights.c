/* Descriptors that travel with messages: the world's by themselves, real ones by the real system.
 * SPDX-License-Identifier: MIT
 *
 * The world passes on that a message names something real. Who sends it keeps a descriptor of it, at a
 * number that no program uses; who receives it takes a copy from there. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "preload.h"
#include "sim/core/state.h"
#include "world.h"

enum { KEPT_FROM = 4096 };

/* Calls `each` for every descriptor that a message carries. */
static void for_each(struct msghdr *message, void (*each)(int fd, bool close_on_exec),
                     bool close_on_exec)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS ||
            control->cmsg_len < CMSG_LEN(0)) {
            continue;
        }
        const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            each(fd, close_on_exec);
        }
    }
}

static void keep(int fd, bool unused)
{
    struct sim_real *real = preload_world_real_of(fd);
    if (!real) {
        return;
    }
    if (real->sent_count++ == 0 || !real->keeper_pid) {
        real->keeper_fd = (int32_t)preload_kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, KEPT_FROM);
        real->keeper_pid = (uint32_t)preload_kernel(SYS_getpid);
    }
}

/* A copy of what the keeper has, under the number that the world gave. */
static void take(int fd, bool close_on_exec)
{
    struct sim_real *real = preload_world_real_of(fd);
    preload_descriptor_made(fd, close_on_exec);
    if (!real || !real->keeper_pid) {
        return;
    }
    const bool own = real->keeper_pid == (uint32_t)preload_kernel(SYS_getpid);
    int64_t copy = real->keeper_fd;
    if (!own) {
        const int64_t keeper = preload_kernel(SYS_pidfd_open, real->keeper_pid, 0);
        copy = preload_kernel(SYS_pidfd_getfd, keeper, real->keeper_fd, 0);
        preload_kernel(SYS_close, keeper);
    }
    if (copy >= 0) {
        preload_kernel(SYS_dup3, copy, fd, close_on_exec ? O_CLOEXEC : 0);
        preload_descriptor_is(fd, real->kind == SIM_REAL_IS_READY ? PRELOAD_READY : PRELOAD_POLLED);
    }
    const bool last = real->sent_count > 0 && --real->sent_count == 0;
    if (copy >= 0 && (!own || last)) {
        preload_kernel(SYS_close, copy);
    }
    real->keeper_pid = last ? 0 : real->keeper_pid;
}

void preload_rights_go(const struct msghdr *message)
{
    struct msghdr copy = *message;
    for_each(&copy, keep, false);
}

void preload_rights_came(struct msghdr *message, bool close_on_exec)
{
    for_each(message, take, close_on_exec);
}
