/* Processes: what they execute, whose handlers they have.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* ---- limits ------------------------------------------------------------------------------------- */

/* The limit of descriptors is the world's: the real one is as high as it may be. */
static int64_t limit_of_descriptors(const struct rlimit *wanted, struct rlimit *old)
{
    struct rlimit real;
    preload_kernel(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &real);
    if (old) {
        *old = (struct rlimit){preload_world_descriptor_limit(), real.rlim_max};
    }
    if (!wanted) {
        return 0;
    }
    if (wanted->rlim_cur > wanted->rlim_max) {
        return -EINVAL;
    }
    const struct rlimit both = {wanted->rlim_max, wanted->rlim_max};
    const int64_t result = preload_kernel(SYS_prlimit64, 0, RLIMIT_NOFILE, &both, NULL);
    if (result == 0) {
        sim_program_descriptor_limit(preload_caller(), wanted->rlim_cur);
    }
    return result;
}

int64_t preload_do_prlimit64(const int64_t *a)
{
    const struct rlimit *wanted = preload_pointer(a[2]);
    struct rlimit *old = preload_pointer(a[3]);
    const bool own = (int)a[0] == 0 || (int)a[0] == (int)preload_kernel(SYS_getpid);
    if (!own || (int)a[1] != RLIMIT_NOFILE) {
        return preload_pass(SYS_prlimit64, a);
    }
    if ((wanted && !preload_readable(wanted, sizeof *wanted)) ||
        (old && !preload_writable(old, sizeof *old))) {
        return -EFAULT;
    }
    return limit_of_descriptors(wanted, old);
}

int64_t preload_do_getrlimit(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {0, a[0], 0, a[1]};
    return a[1] ? preload_do_prlimit64(arguments) : -EFAULT;
}

int64_t preload_do_setrlimit(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {0, a[0], a[1], 0};
    return a[1] ? preload_do_prlimit64(arguments) : -EFAULT;
}

/* ---- attributes --------------------------------------------------------------------------------- */

int64_t preload_do_prctl(const int64_t *a)
{
    const int option = (int)a[0];
    if (option == PR_SET_SYSCALL_USER_DISPATCH || option == PR_SET_SECCOMP || option == PR_SET_TSC) {
        preload_report_refused(SYS_prctl);
        return -EINVAL;
    }
    return preload_pass(SYS_prctl, a);
}
