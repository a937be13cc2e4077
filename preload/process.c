/* Processes: what they execute, whose handlers they have.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"
#include "world.h"

/* SIMPLER: a program executes no other. */
int64_t preload_do_execve(const int64_t *a)
{
    preload_report_refused(SYS_execve);
    return -EAGAIN;
}

int64_t preload_do_execveat(const int64_t *a)
{
    preload_report_refused(SYS_execveat);
    return -EAGAIN;
}

/* SIGSYS is the trap's. */
int64_t preload_do_rt_sigaction(const int64_t *a)
{
    const uint64_t *action = preload_pointer(a[1]);
    const int number = (int)a[0];
    if (number == SIGSYS) {
        return 0;
    }
    const int64_t result = preload_pass(SYS_rt_sigaction, a);
    if (result == 0 && action) {
        const uint64_t handler = action[0], flags = action[1];
        const bool handled = handler > (uint64_t)(uintptr_t)SIG_IGN;
        if (handled || handler == (uint64_t)(uintptr_t)SIG_IGN) {
            sim_signal_action(preload_sim(), preload_process(), number, handled, flags & SA_RESTART);
        }
    }
    return result;
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
