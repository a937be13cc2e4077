/* Processes and threads: their making and their ends, what they execute, whose handlers they have.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "calls.h"
#include "preload.h"

/* SIMPLER: one process with one thread. */
static int64_t refuse(int64_t number)
{
    preload_report_refused(number);
    return -EAGAIN;
}

int64_t preload_do_clone(const int64_t *a)
{
    return refuse(SYS_clone);
}

int64_t preload_do_clone3(const int64_t *a)
{
    return refuse(SYS_clone3);
}

int64_t preload_do_fork(const int64_t *a)
{
    return refuse(SYS_fork);
}

int64_t preload_do_vfork(const int64_t *a)
{
    return refuse(SYS_vfork);
}

int64_t preload_do_execve(const int64_t *a)
{
    return refuse(SYS_execve);
}

int64_t preload_do_execveat(const int64_t *a)
{
    return refuse(SYS_execveat);
}

int64_t preload_do_exit(const int64_t *a)
{
    preload_report_end();
    return preload_pass(SYS_exit, a);
}

int64_t preload_do_exit_group(const int64_t *a)
{
    preload_report_end();
    return preload_pass(SYS_exit_group, a);
}

/* SIGSYS is the trap's. */
int64_t preload_do_rt_sigaction(const int64_t *a)
{
    return (int)a[0] == SIGSYS ? 0 : preload_pass(SYS_rt_sigaction, a);
}

int64_t preload_do_prctl(const int64_t *a)
{
    const int option = (int)a[0];
    if (option == PR_SET_SYSCALL_USER_DISPATCH || option == PR_SET_SECCOMP || option == PR_SET_TSC) {
        preload_report_refused(SYS_prctl);
        return -EINVAL;
    }
    return preload_pass(SYS_prctl, a);
}
