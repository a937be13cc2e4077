/* Processes: fork, vfork, wait, groups and sessions.
 * SPDX-License-Identifier: MIT
 *
 * A child's process is made in the world first, then the real one, which waits for its turn. A vfork
 * shares its parent's memory until it executes or ends: the parent's thread stands in the kernel then,
 * on a stack of the library's, since the child goes on upon the program's. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "calls.h"
#include "preload.h"
#include "sim/run/attach.h"
#include "thread.h"
#include "world.h"

/* What of clone's flags the real call takes over. */
static const uint64_t taken_over = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
static const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                   CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/* ---- fork --------------------------------------------------------------------------------------- */

static int64_t become_child(const struct clone_args *wanted, int process, int task)
{
    struct sim *sim = preload_sim();
    preload_process_is(process);
    preload_threads_are(1);
    preload_self.task = task;
    preload_self.robust = NULL;
    preload_self.clear_tid = wanted->flags & CLONE_CHILD_CLEARTID
                                 ? preload_pointer((int64_t)wanted->child_tid)
                                 : NULL;
    sim_process_forked(sim);
    sim_thread_enter(sim, task, (int)preload_kernel(SYS_getpid));
    preload_trap_arm();
    return 0;
}

static int64_t fork_plainly(const struct clone_args *wanted)
{
    struct sim *sim = preload_sim();
    int process, task;
    const int64_t made = sim_program_fork(preload_caller(), 0, &process, &task);
    if (made < 0) {
        return made;
    }
    struct clone_args arguments = {
        .flags = wanted->flags & taken_over,
        .exit_signal = SIGCHLD,
        .parent_tid = wanted->parent_tid,
        .child_tid = wanted->child_tid,
    };
    const int64_t pid = preload_kernel(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        return become_child(wanted, process, task);
    }
    if (pid < 0) {
        sim_end_process(sim, process, 0);
        return pid;
    }
    sim_process_is(sim, process, (int)pid);
    sim_program_set_tid(preload_caller(), task, (int)pid);
    return pid;
}

/* ---- vfork -------------------------------------------------------------------------------------- */

/* What the two share although they are two processes: put back when the parent goes on. */
struct shared {
    struct preload_thread self;
    int process, threads, child_task;
    void *descriptors;
    struct preload_start *child, *parent;
};

void preload_vfork_child(struct preload_start *start)
{
    const struct shared *shared = start->shared;
    struct sim *sim = preload_sim();
    const int pid = (int)preload_kernel(SYS_getpid);
    preload_self.task = shared->child_task;
    preload_self.clear_tid = NULL;
    preload_self.robust = NULL;
    preload_threads_are(1);
    const struct dry_caller caller = preload_caller();
    preload_process_is((int)caller.process);
    sim_process_is(sim, (int)caller.process, pid);
    sim_program_set_tid(caller, shared->child_task, pid);
    preload_trap_arm();
    preload_leave();
    preload_return_to(&start->frame.context);
}

void preload_vfork_parent(struct preload_start *start, int64_t pid)
{
    struct shared *shared = start->shared;
    struct sim *sim = preload_sim();
    preload_self = shared->self;
    preload_self.selector = 0;
    preload_self.context = NULL;
    if (pid < 0) {
        sim_end_process(sim, (int)sim_thread_caller(sim, shared->child_task).process, 0);
    }
    preload_process_is(shared->process);
    preload_threads_are(shared->threads);
    preload_descriptors_restore(shared->descriptors);
    sim_thread_vforked(sim, preload_self.task);
    start->frame.context.uc_mcontext.gregs[REG_RAX] = pid;
    preload_start_give(shared->child);
    preload_start_give(shared->parent);
    preload_leave();
    preload_return_to(&start->frame.context);
}

static int64_t fork_sharing(const struct clone_args *wanted)
{
    struct sim *sim = preload_sim();
    int process, task;
    const uint64_t now = (uint64_t)preload_self.context->uc_mcontext.gregs[REG_RSP];
    struct preload_start *child = preload_start_take(), *parent = preload_start_take();
    const int64_t made = child && parent
                             ? sim_program_fork(preload_caller(), SIM_FORK_MEMORY, &process, &task)
                             : -EAGAIN;
    if (made < 0) {
        return made;
    }
    /* At the low end of the parent's first stack: it outlives this function's frame. */
    struct shared *shared = (void *)(parent + 1);
    *shared = (struct shared){preload_self, preload_process(),          preload_threads(),
                              task,         preload_descriptors_save(), child,
                              parent};
    child->shared = parent->shared = shared;
    preload_start_frame(child, wanted->stack ? wanted->stack + wanted->stack_size : now);
    preload_start_frame(parent, now);
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | (wanted->flags & taken_over),
        .exit_signal = SIGCHLD,
        .parent_tid = wanted->parent_tid,
        .child_tid = wanted->child_tid,
        .stack = (uint64_t)(uintptr_t)(child + 1),
        .stack_size = PRELOAD_START_BYTES - sizeof *child,
    };
    sim_thread_vfork(sim, preload_self.task, task);
    preload_raw_vfork(&arguments, sizeof arguments, child, parent,
                      (char *)parent + PRELOAD_START_BYTES);
}

int64_t preload_fork(const struct clone_args *wanted, int64_t number)
{
    const bool shares = wanted->flags & CLONE_VM;
    if (wanted->flags & namespaces) {
        preload_report_refused(number);
        return -EPERM;
    }
    /* SIMPLER: a process that runs beside its parent in one memory, or shares its descriptors. */
    if ((shares && !(wanted->flags & CLONE_VFORK)) || (wanted->flags & (CLONE_FILES | CLONE_PIDFD))) {
        preload_report_refused(number);
        return -EINVAL;
    }
    return shares ? fork_sharing(wanted) : fork_plainly(wanted);
}

/* ---- wait --------------------------------------------------------------------------------------- */

/* The real one that the world's truth is about leaves the real table. */
static void reap(int64_t pid)
{
    if (pid > 0) {
        preload_kernel(SYS_wait4, pid, NULL, WNOHANG | __WALL, NULL);
    }
}

int64_t preload_do_wait4(const int64_t *a)
{
    int *status = preload_pointer(a[1]);
    struct rusage *usage = preload_pointer(a[3]);
    int place;
    if ((status && !preload_writable(status, sizeof *status)) ||
        (usage && !preload_writable(usage, sizeof *usage))) {
        return -EFAULT;
    }
    const int64_t pid = sim_program_wait4(preload_caller(), (int)a[0], status ? status : &place,
                                          (int)a[2]);
    reap(pid);
    if (pid > 0 && usage) {
        memset(usage, 0, sizeof *usage);
    }
    return pid;
}

int64_t preload_do_waitid(const int64_t *a)
{
    siginfo_t *information = preload_pointer(a[2]);
    siginfo_t place = {0};
    if (information && !preload_writable(information, sizeof *information)) {
        return -EFAULT;
    }
    if ((int)a[0] == P_PIDFD) {
        preload_report_refused(SYS_waitid);
        return -EINVAL;
    }
    const int64_t result = sim_program_waitid(preload_caller(), (int)a[0], (int)a[1], &place,
                                              (int)a[3]);
    if (result >= 0 && !((int)a[3] & WNOWAIT)) {
        reap(place.si_pid);
    }
    if (result >= 0 && information) {
        *information = place;
    }
    return result;
}

/* ---- groups and sessions ------------------------------------------------------------------------ */

int64_t preload_do_getpgid(const int64_t *a)
{
    return sim_program_getpgid(preload_caller(), (int)a[0]);
}

int64_t preload_do_getpgrp(const int64_t *a)
{
    return sim_program_getpgid(preload_caller(), 0);
}

int64_t preload_do_setpgid(const int64_t *a)
{
    return sim_program_setpgid(preload_caller(), (int)a[0], (int)a[1]);
}

int64_t preload_do_getsid(const int64_t *a)
{
    return sim_program_getsid(preload_caller(), (int)a[0]);
}

int64_t preload_do_setsid(const int64_t *a)
{
    return sim_program_setsid(preload_caller());
}
