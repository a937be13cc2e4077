/* The trap: each system call that does not come from the library's own few instructions comes here.
 * SPDX-License-Identifier: MIT
 *
 * Syscall user dispatch: the kernel sends SIGSYS where a call would be made, unless the thread's
 * selector lets it pass. It is armed for each thread, and ends with fork and exec; a seccomp filter
 * would outlive both, and so kill the next program before its handler stands (docs/programs.md). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "preload.h"
#include "signals.h"
#include "sim/call/call.h"

enum { USER_DISPATCH = 2 }; /* si_code: SYS_USER_DISPATCH */

/* rt_sigaction's own struct; the C library's has another shape. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* The call is made, as often as the world says that it is to be made again; then the program goes on
 * behind it, or in the handler of a signal that is due. */
static void make_call(ucontext_t *context, int64_t call)
{
    greg_t *registers = context->uc_mcontext.gregs;
    const int64_t arguments[PRELOAD_ARGUMENTS] = {
        registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
        registers[REG_R10], registers[REG_R8],  registers[REG_R9],
    };
    for (;;) {
        const int64_t result = preload_call(call, arguments);
        const greg_t behind = registers[REG_RIP];
        if (result == SIM_RESTART) {
            preload_call_again(context, call);
            if (preload_deliver(context)) {
                return;
            }
            registers[REG_RIP] = behind; /* nobody is to be told after all */
            continue;
        }
        registers[REG_RAX] = result;
        registers[REG_RCX] = registers[REG_RIP]; /* LINUX: as the instruction leaves them */
        registers[REG_R11] = registers[REG_EFL];
        preload_deliver(context);
        return;
    }
}

static void trapped(int number, siginfo_t *information, void *argument)
{
    ucontext_t *context = argument;
    const int saved_errno = errno;
    const bool was_inside = preload_enter();
    if (information->si_code != USER_DISPATCH || was_inside) {
        preload_fail("a system call was caught that the library does not know");
    }
    const int64_t call = information->si_syscall;
    preload_self.context = context;
    if (call == SYS_rt_sigreturn) {
        preload_return_from_handler(context);
        preload_deliver(context);
    } else {
        make_call(context, call);
    }
    preload_self.context = NULL;
    errno = saved_errno;
    preload_leave();
}

void preload_trap_install(void)
{
    const struct kernel_sigaction action = {
        .handler = trapped,
        .flags = SA_SIGINFO | SA_NODEFER | 0x04000000 /* SA_RESTORER */,
        .restorer = preload_restorer,
        .mask = ~UINT64_C(0) & ~(UINT64_C(1) << (SIGSYS - 1)),
    };
    preload_kernel(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof action.mask);
}

void preload_trap_arm(void)
{
    preload_self.selector = 0;
    const int64_t result = preload_kernel(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
                                          preload_raw_start, preload_raw_end - preload_raw_start,
                                          &preload_self.selector);
    if (result < 0) {
        preload_fail("this kernel has no syscall user dispatch (Linux 5.11)");
    }
    preload_self.armed = true;
}
