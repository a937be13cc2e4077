/* Threads: their beginning and their end, and what they wait on in memory.
 * SPDX-License-Identifier: MIT
 *
 * A new thread's task is made in the world first. The real thread starts on a stack of the library's,
 * waits there for its first turn, arms the trap, and then returns from a signal that never was: into
 * the program, with the registers of the call that made it, on the stack that the program gave. */
#include "thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"
#include "world.h"

enum {
    UC_FP_XSTATE = 1,       /* LINUX: the frame holds the wide registers */
    OLDEST_CLONE_ARGS = 64, /* LINUX: CLONE_ARGS_SIZE_VER0 */
};

static struct preload_start *free_starts;
static int threads = 1; /* of this process; changed by who holds the turn */

int preload_threads(void)
{
    return threads;
}

void preload_threads_are(int count)
{
    threads = count;
}

/* ---- beginning ---------------------------------------------------------------------------------- */

struct preload_start *preload_start_take(void)
{
    struct preload_start *start = free_starts;
    if (start) {
        free_starts = start->next_free;
        return start;
    }
    const int64_t memory = preload_kernel(SYS_mmap, NULL, PRELOAD_START_BYTES, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory < 0 ? NULL : preload_pointer(memory);
}

void preload_start_give(struct preload_start *start)
{
    start->next_free = free_starts;
    free_starts = start;
}

/* On the first stack. It is given back while it is still used: nobody else takes it before this thread
 * gives up its turn, and that is in the program. */
void preload_thread_begin(void *argument)
{
    struct preload_start *start = argument;
    preload_self.selector = 0;
    preload_self.task = start->task;
    preload_self.clear_tid = start->clear_tid;
    sim_thread_enter(preload_sim(), start->task, (int)preload_kernel(SYS_getpid));
    preload_trap_arm();
    preload_start_give(start);
    preload_leave();
    preload_return_to(&start->frame.context);
}

/* The frame of a signal that was taken where the call was made: there the thread begins. */
void preload_start_frame(struct preload_start *start, uint64_t stack)
{
    start->frame.context = *preload_self.context;
    ucontext_t *context = &start->frame.context;
    context->uc_flags &= ~(unsigned long)UC_FP_XSTATE;
    context->uc_mcontext.fpregs = NULL;
    context->uc_mcontext.gregs[REG_RAX] = 0;
    context->uc_mcontext.gregs[REG_RSP] = (greg_t)stack;
    context->uc_stack = (stack_t){.ss_flags = SS_DISABLE};
}

static int64_t start_thread(struct clone_args *wanted)
{
    struct sim *sim = preload_sim();
    char name[16] = "";
    snprintf(name, sizeof name, "thread-%d", threads);
    struct preload_start *start = preload_start_take();
    const int task = start ? sim_thread_add(sim, preload_process(), name, false) : -EAGAIN;
    if (task < 0) {
        if (start) {
            preload_start_give(start);
        }
        return -EAGAIN;
    }
    struct clone_args arguments = *wanted;
    start->task = task;
    start->clear_tid = wanted->flags & CLONE_CHILD_CLEARTID
                           ? preload_pointer((int64_t)wanted->child_tid)
                           : NULL;
    preload_start_frame(start, wanted->stack + wanted->stack_size);
    arguments.stack = (uint64_t)(uintptr_t)(start + 1);
    arguments.stack_size = PRELOAD_START_BYTES - sizeof *start;
    threads++;
    const int64_t tid = preload_raw_thread(&arguments, sizeof arguments, start);
    if (tid < 0) {
        threads--;
        sim_thread_forget(sim, task);
        preload_start_give(start);
        return tid;
    }
    sim_program_set_tid(preload_caller(), task, (int)tid);
    return tid;
}

static int64_t make(struct clone_args *wanted, int64_t number)
{
    return wanted->flags & CLONE_THREAD ? start_thread(wanted) : preload_fork(wanted, number);
}

int64_t preload_do_clone3(const int64_t *a)
{
    struct clone_args wanted = {0};
    const size_t bytes = (size_t)a[1];
    if (bytes < OLDEST_CLONE_ARGS || bytes > 4096) {
        return bytes > 4096 ? -E2BIG : -EINVAL;
    }
    if (!preload_readable(preload_pointer(a[0]), bytes)) {
        return -EFAULT;
    }
    memcpy(&wanted, preload_pointer(a[0]), bytes < sizeof wanted ? bytes : sizeof wanted);
    return make(&wanted, SYS_clone3);
}

int64_t preload_do_clone(const int64_t *a)
{
    struct clone_args wanted = {
        .flags = (uint64_t)a[0] & 0xffffff00 & ~(uint64_t)CLONE_DETACHED,
        .exit_signal = (uint64_t)a[0] & CSIGNAL,
        .parent_tid = (uint64_t)a[2],
        .child_tid = (uint64_t)a[3],
        .tls = (uint64_t)a[4],
        .stack = (uint64_t)a[1], /* its top: the size is not told */
    };
    return make(&wanted, SYS_clone);
}

int64_t preload_do_fork(const int64_t *a)
{
    struct clone_args wanted = {.exit_signal = SIGCHLD};
    return make(&wanted, SYS_fork);
}

int64_t preload_do_vfork(const int64_t *a)
{
    struct clone_args wanted = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return make(&wanted, SYS_vfork);
}

/* ---- the end ------------------------------------------------------------------------------------ */

void preload_process_leave(int status)
{
    preload_report_end();
    sim_process_leave(preload_sim(), preload_process(), status);
}

int64_t preload_do_exit(const int64_t *a)
{
    struct sim *sim = preload_sim();
    if (preload_self.robust) {
        sim_program_robust_exit(preload_caller(), preload_self.robust,
                                (uint32_t)preload_kernel(SYS_gettid));
    }
    if (--threads == 0) {
        preload_process_leave((int)a[0] & 0xff);
        return preload_pass(SYS_exit_group, a);
    }
    uint32_t *clear = preload_self.clear_tid;
    sim_thread_leave(sim, preload_self.task,
                     clear && preload_writable(clear, sizeof *clear) ? clear : NULL);
    return preload_pass(SYS_exit, a);
}

int64_t preload_do_exit_group(const int64_t *a)
{
    preload_process_leave((int)a[0] & 0xff);
    return preload_pass(SYS_exit_group, a);
}

int64_t preload_do_set_tid_address(const int64_t *a)
{
    preload_self.clear_tid = preload_pointer(a[0]);
    return preload_kernel(SYS_gettid);
}

int64_t preload_do_set_robust_list(const int64_t *a)
{
    const int64_t result = preload_pass(SYS_set_robust_list, a);
    if (result == 0) {
        preload_self.robust = preload_pointer(a[0]);
    }
    return result;
}

/* ---- what they wait on -------------------------------------------------------------------------- */

static bool takes_timeout(int command)
{
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
           command == FUTEX_LOCK_PI2 || command == FUTEX_WAIT_REQUEUE_PI;
}

static bool takes_second_word(int command)
{
    return command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_WAKE_OP ||
           command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_CMP_REQUEUE_PI;
}

int64_t preload_do_futex(const int64_t *a)
{
    uint32_t *word = preload_pointer(a[0]), *second = preload_pointer(a[4]);
    const int command = (int)a[1] & FUTEX_CMD_MASK;
    const struct timespec *timeout = takes_timeout(command) ? preload_pointer(a[3]) : NULL;
    const bool has_second = takes_second_word(command);
    if ((uintptr_t)word % sizeof *word != 0 ||
        (has_second && (uintptr_t)second % sizeof *second != 0)) {
        return -EINVAL;
    }
    if (!preload_readable(word, sizeof *word) ||
        (has_second && !preload_readable(second, sizeof *second)) ||
        (timeout && !preload_readable(timeout, sizeof *timeout))) {
        return -EFAULT;
    }
    return sim_program_futex(preload_caller(), word, (int)a[1], (uint32_t)a[2], timeout,
                             has_second ? second : NULL, (uint32_t)a[3], (uint32_t)a[5], NULL, NULL);
}

int64_t preload_do_sched_yield(const int64_t *a)
{
    return sim_program_sched_yield(preload_caller());
}
