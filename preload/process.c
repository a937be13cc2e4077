/* Processes: their limits and attributes.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"
#include "world.h"

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
