/* Signals: the world decides when one is due; the program's handler runs in its own thread, for real.
 * SPDX-License-Identifier: MIT
 *
 * The frame is built as the kernel builds it, from the one that the trap left: registers, wide
 * registers, mask, siginfo, on the alternate stack where the action says so. The handler returns by
 * rt_sigreturn, which is trapped too, or jumps out: nothing of the library's lies on the way.
 *
 * What the real system sends (Ctrl-C, a fault of the program's) comes to the program's own handler:
 * a fault at once, all else by way of the world. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "preload.h"
#include "sim/call/call.h"
#include "sim/run/attach.h"
#include "thread.h"
#include "world.h"

enum {
    KERNEL_CONTEXT_BYTES = 304, /* LINUX: sizeof(struct ucontext), the C library's begins with it */
    KERNEL_SET_BYTES = 8,
    PLAIN_WIDE_BYTES = 512,  /* fxsave */
    WIDE_MAGIC_OFFSET = 464, /* sw_reserved: magic1, extended_size */
    RED_ZONE_BYTES = 128,
    ROOM_BYTES = 4096,        /* for what is called while a frame is built */
    SAME_STACK_BYTES = 65536, /* from the program's stack pointer to ours, on one stack */
    SYSCALL_BYTES = 2,        /* of the instruction */
    RESTORER = 0x04000000,    /* SA_RESTORER */
};
static const uint32_t wide_magic = 0x46505853; /* FP_XSTATE_MAGIC1 */

/* LINUX: struct rt_sigframe. */
struct frame {
    uint64_t restorer;
    uint8_t context[KERNEL_CONTEXT_BYTES];
    siginfo_t information;
};

/* Signals of the real system that came while a thread was inside; told by the next that leaves. */
static uint64_t came_inside;

/* ---- delivering --------------------------------------------------------------------------------- */

static size_t wide_bytes(const void *wide)
{
    uint32_t words[2];
    memcpy(words, (const char *)wide + WIDE_MAGIC_OFFSET, sizeof words);
    return words[0] == wide_magic ? words[1] : PLAIN_WIDE_BYTES;
}

static bool lies_on(const stack_t *stack, uint64_t at)
{
    const uint64_t begin = (uint64_t)(uintptr_t)stack->ss_sp;
    return stack->ss_size > 0 && at > begin && at <= begin + stack->ss_size;
}

/* Where the frame goes: below the red zone, or at the top of the alternate stack. */
static uint64_t place_of_frame(const ucontext_t *context, const struct sim_action *action)
{
    const uint64_t now = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
    const stack_t *other = &context->uc_stack;
    if ((action->flags & SA_ONSTACK) && !(other->ss_flags & SS_DISABLE) && !lies_on(other, now)) {
        return (uint64_t)(uintptr_t)other->ss_sp + other->ss_size;
    }
    /* The trap's own frame lies right below the red zone, and this function's: both are needed until
     * the program goes on. */
    const char here = 0;
    const uint64_t ours = (uint64_t)(uintptr_t)&here - ROOM_BYTES;
    return ours < now && now - ours < SAME_STACK_BYTES ? ours : now - RED_ZONE_BYTES;
}

/* The program goes on in the handler; false: its stack is bad. */
static bool push(ucontext_t *context, const struct sim_delivery *delivery)
{
    greg_t *registers = context->uc_mcontext.gregs;
    const void *wide = context->uc_mcontext.fpregs;
    const size_t bytes = wide ? wide_bytes(wide) : 0;
    const uint64_t wide_at = (place_of_frame(context, &delivery->action) - bytes) & ~UINT64_C(63);
    const uint64_t at = ((wide_at - sizeof(struct frame)) & ~UINT64_C(15)) - 8;
    struct frame *frame = preload_pointer((int64_t)at);
    if (!preload_writable(frame, wide_at + bytes - at)) {
        return false;
    }
    ucontext_t saved = *context;
    memcpy(&saved.uc_sigmask, &delivery->mask_before, KERNEL_SET_BYTES);
    if (wide) {
        memcpy(preload_pointer((int64_t)wide_at), wide, bytes);
        saved.uc_mcontext.fpregs = preload_pointer((int64_t)wide_at);
    }
    frame->restorer = delivery->action.restorer;
    memcpy(frame->context, &saved, sizeof frame->context);
    frame->information = delivery->information;
    registers[REG_RDI] = delivery->number;
    registers[REG_RSI] = (greg_t)(uintptr_t)&frame->information;
    registers[REG_RDX] = (greg_t)(uintptr_t)frame->context;
    registers[REG_RAX] = 0;
    registers[REG_RSP] = (greg_t)at;
    registers[REG_RIP] = (greg_t)delivery->action.handler;
    registers[REG_EFL] &= ~(greg_t)0x500; /* LINUX: direction and trap flags */
    return true;
}

void preload_die(int number)
{
    const uint64_t action[4] = {0, RESTORER, (uint64_t)(uintptr_t)preload_restorer, 0};
    preload_report_end();
    sim_process_leave(preload_sim(), preload_process(), 0);
    preload_kernel(SYS_rt_sigaction, number, action, NULL, KERNEL_SET_BYTES);
    preload_kernel(SYS_kill, preload_kernel(SYS_getpid), number);
    preload_kernel(SYS_exit_group, 128 + number);
    __builtin_unreachable();
}

void preload_look_for_death(void)
{
    const int number = sim_process_killed(preload_sim(), preload_process());
    if (number) {
        preload_die(number);
    }
}

bool preload_deliver(ucontext_t *context)
{
    struct sim *sim = preload_sim();
    bool delivered = false;
    for (;;) {
        const uint64_t came = __atomic_exchange_n(&came_inside, 0, __ATOMIC_SEQ_CST);
        for (int number = 1; came && number <= 64; number++) {
            if (came >> (number - 1) & 1) {
                sim_program_signal_came(preload_caller(), number, NULL);
            }
        }
        struct sim_delivery delivery;
        preload_look_for_death();
        if (!sim_thread_signal_due(sim, preload_self.task) ||
            !sim_thread_signal_take(sim, preload_self.task, &delivery)) {
            preload_look_for_death();
            return delivered;
        }
        if (!push(context, &delivery)) {
            preload_die(SIGSEGV);
        }
        delivered = true;
    }
}

/* ---- returning ---------------------------------------------------------------------------------- */

/* The frame lies at the stack pointer; its return address is popped. What it saved is the program's
 * state again: registers here, wide registers where the trap's own frame has them. */
void preload_return_from_handler(ucontext_t *context)
{
    const uint64_t at = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
    ucontext_t saved = *context;
    uint64_t mask;
    if (!preload_readable(preload_pointer((int64_t)at), KERNEL_CONTEXT_BYTES)) {
        preload_die(SIGSEGV);
    }
    memcpy(&saved, preload_pointer((int64_t)at), KERNEL_CONTEXT_BYTES);
    memcpy(&mask, &saved.uc_sigmask, KERNEL_SET_BYTES);
    const void *wide = saved.uc_mcontext.fpregs;
    void *ours = context->uc_mcontext.fpregs;
    if (wide && ours && preload_readable(wide, PLAIN_WIDE_BYTES)) {
        const size_t bytes = wide_bytes(wide), room = wide_bytes(ours);
        if (bytes == room && preload_readable(wide, bytes)) {
            memcpy(ours, wide, bytes);
        }
    }
    memcpy(context->uc_mcontext.gregs, saved.uc_mcontext.gregs, sizeof saved.uc_mcontext.gregs);
    context->uc_stack = saved.uc_stack;
    sim_program_rt_sigprocmask(preload_caller(), SIG_SETMASK, &mask, NULL);
}

void preload_call_again(ucontext_t *context, int64_t number)
{
    context->uc_mcontext.gregs[REG_RIP] -= SYSCALL_BYTES;
    context->uc_mcontext.gregs[REG_RAX] = (greg_t)number;
}

/* ---- from the real system ----------------------------------------------------------------------- */

static void came(int number, siginfo_t *information, void *argument)
{
    const int saved_errno = errno;
    if (!preload_self.selector) {
        __atomic_or_fetch(&came_inside, UINT64_C(1) << (number - 1), __ATOMIC_SEQ_CST);
        return;
    }
    preload_enter();
    sim_program_signal_came(preload_caller(), number, information);
    preload_deliver(argument);
    errno = saved_errno;
    preload_leave();
}

/* What a program's own fault makes: its handler meets it where it happens. */
static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP;
}

/* The real disposition beside the world's. Children's deaths are the world's alone. */
static void mirror(int number, const struct sim_action *action)
{
    struct sim_action real = *action;
    const bool handled = action->handler > (uint64_t)(uintptr_t)SIG_IGN;
    if (number == SIGCHLD || number == SIGSYS) {
        return;
    }
    if (handled && !is_fault(number)) {
        real = (struct sim_action){(uint64_t)(uintptr_t)came,
                                   SA_SIGINFO | SA_RESTART | SA_ONSTACK | RESTORER,
                                   (uint64_t)(uintptr_t)preload_restorer, ~UINT64_C(0)};
    }
    real.mask &= ~(UINT64_C(1) << (SIGSYS - 1));
    preload_kernel(SYS_rt_sigaction, number, &real, NULL, KERNEL_SET_BYTES);
}

/* ---- the calls ---------------------------------------------------------------------------------- */

static bool good_or_none(const void *pointer, size_t bytes, bool to_write)
{
    return !pointer || (to_write ? preload_writable(pointer, bytes) : preload_readable(pointer, bytes));
}

int64_t preload_do_rt_sigaction(const int64_t *a)
{
    const struct sim_action *action = preload_pointer(a[1]);
    struct sim_action *old = preload_pointer(a[2]);
    struct sim_action copy, before;
    if (a[3] != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    if (!good_or_none(action, sizeof *action, false) || !good_or_none(old, sizeof *old, true)) {
        return -EFAULT;
    }
    if (action) {
        copy = *action;
    }
    const int64_t result = sim_program_rt_sigaction(preload_caller(), (int)a[0], action ? &copy : NULL,
                                                    &before);
    if (result == 0 && old) {
        *old = before;
    }
    if (result == 0 && action) {
        mirror((int)a[0], &copy);
    }
    return result;
}

int64_t preload_do_rt_sigprocmask(const int64_t *a)
{
    const uint64_t *set = preload_pointer(a[1]);
    uint64_t *old = preload_pointer(a[2]);
    if (a[3] != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    return good_or_none(set, sizeof *set, false) && good_or_none(old, sizeof *old, true)
               ? sim_program_rt_sigprocmask(preload_caller(), (int)a[0], set, old)
               : -EFAULT;
}

int64_t preload_do_rt_sigpending(const int64_t *a)
{
    uint64_t *set = preload_pointer(a[0]);
    uint64_t pending;
    if (a[1] > KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    if (!preload_writable(set, (size_t)a[1])) {
        return -EFAULT;
    }
    const int64_t result = sim_program_rt_sigpending(preload_caller(), &pending);
    memcpy(set, &pending, (size_t)a[1]);
    return result;
}

int64_t preload_do_rt_sigsuspend(const int64_t *a)
{
    const uint64_t *mask = preload_pointer(a[0]);
    if (a[1] != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    return preload_readable(mask, sizeof *mask) ? sim_program_rt_sigsuspend(preload_caller(), mask)
                                                : -EFAULT;
}

int64_t preload_do_rt_sigtimedwait(const int64_t *a)
{
    const uint64_t *set = preload_pointer(a[0]);
    siginfo_t *information = preload_pointer(a[1]);
    const struct timespec *timeout = preload_pointer(a[2]);
    siginfo_t place;
    if (a[3] != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    if (!preload_readable(set, sizeof *set) || !good_or_none(timeout, sizeof *timeout, false) ||
        !good_or_none(information, sizeof *information, true)) {
        return -EFAULT;
    }
    return sim_program_rt_sigtimedwait(preload_caller(), set, information ? information : &place,
                                       timeout);
}

int64_t preload_do_pause(const int64_t *a)
{
    return sim_program_pause(preload_caller());
}

int64_t preload_do_kill(const int64_t *a)
{
    return sim_program_kill(preload_caller(), (int)a[0], (int)a[1]);
}

int64_t preload_do_tkill(const int64_t *a)
{
    return sim_program_tkill(preload_caller(), (int)a[0], (int)a[1]);
}

int64_t preload_do_tgkill(const int64_t *a)
{
    return sim_program_tgkill(preload_caller(), (int)a[0], (int)a[1], (int)a[2]);
}

int64_t preload_do_rt_sigqueueinfo(const int64_t *a)
{
    const siginfo_t *information = preload_pointer(a[2]);
    return preload_readable(information, sizeof *information)
               ? sim_program_rt_sigqueueinfo(preload_caller(), (int)a[0], (int)a[1], information)
               : -EFAULT;
}

int64_t preload_do_rt_tgsigqueueinfo(const int64_t *a)
{
    const siginfo_t *information = preload_pointer(a[3]);
    return preload_readable(information, sizeof *information)
               ? sim_program_rt_tgsigqueueinfo(preload_caller(), (int)a[0], (int)a[1], (int)a[2],
                                               information)
               : -EFAULT;
}

int64_t preload_do_signalfd4(const int64_t *a)
{
    const uint64_t *mask = preload_pointer(a[1]);
    const int fd = (int)a[0];
    if (a[2] != KERNEL_SET_BYTES) {
        return -EINVAL;
    }
    if (!preload_readable(mask, sizeof *mask)) {
        return -EFAULT;
    }
    const int64_t result = sim_program_signalfd4(preload_caller(), fd, mask, (int)a[3]);
    return fd == -1 ? preload_descriptor_made(result, a[3] & SFD_CLOEXEC) : result;
}

int64_t preload_do_signalfd(const int64_t *a)
{
    const int64_t arguments[PRELOAD_ARGUMENTS] = {a[0], a[1], a[2], 0};
    return preload_do_signalfd4(arguments);
}
