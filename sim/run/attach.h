/* Programs in a run: real threads of real processes that are tasks of a world in a shared block.
 * SPDX-License-Identifier: MIT
 *
 * One process, the coordinator, makes the world (sim_create with options.shared) and runs it
 * (sim_run); other processes map the same block (sim_attach) and have small handles of their own:
 * pointers, nothing that means something. Exactly one thread of all holds the turn. Who holds it may
 * run its program, make calls of the seam and of the lists below, and look at the world; everybody
 * else sleeps on the word of their task's seat. A thread gives the turn up only where a call waits,
 * at its end, and at the end of its process: it takes events until its own task is ready again, and
 * hands the turn straight to whose task is ready before; what only the coordinator can do (fibers,
 * scripts, full capture queues, dead processes, the end of all events) goes to the coordinator.
 *
 * A thread's life: who holds the turn adds its task (sim_thread_add; sim_program_fork for a
 * process), then the real thread or process is made; the new thread calls sim_thread_enter, which
 * returns when it is its turn. It ends with sim_thread_leave, after which it may only make the exit
 * system call. A process ends with sim_process_leave, or by a signal, at any point: the coordinator
 * notices.
 *
 * All calls here, but for sim_thread_enter and where it says so, are made by who holds the turn.
 * They return >= 0 or -errno, allocate nothing after sim_attach, take no lock and touch errno never:
 * they may be called from a signal handler (a trap) that interrupted the program, never one that
 * interrupted them. */
#ifndef SIM_ATTACH_H
#define SIM_ATTACH_H

#include <drysock/sim.h>
#include <signal.h>
#include <sys/time.h>

#include "call/program.h"

/* ---- the block ---------------------------------------------------------------------------- */

/* The block's file, to be inherited or passed on; -EINVAL when the world is not shared. It stays the
 * handle's: close a duplicate of it, not itself. */
int sim_block_fd(const struct sim *sim);
/* Another process's handle of the world that lies in this file. NULL with errno (EINVAL: no world of
 * this build). The descriptor is not kept and may be closed. */
struct sim *sim_attach(int fd);
/* Gives the handle up; the world goes on. */
void sim_detach(struct sim *sim);

/* ---- processes and threads ---------------------------------------------------------------- */

/* Coordinator: a process whose tasks are real threads. Its descriptors are numbered from 0 and its
 * table is empty (sim_program_real_install the streams); its parent is the world's init; signals are
 * SIG_DFL. The process's number. */
int sim_program_add(struct sim *sim, int host, const char *name);
/* A task of such a process for a real thread that is about to be made, ready to run. daemon: it
 * keeps no run from being idle. The task's number. */
int sim_thread_add(struct sim *sim, int process, const char *name, bool daemon);
/* Undoes sim_thread_add when the real thread could not be made. */
void sim_thread_forget(struct sim *sim, int task);
/* By the thread itself, without the turn: sleeps until its turn comes. From then on it is the
 * current caller (dry_current_caller) and may make calls. real_pid is what getpid(2) says of it: the
 * coordinator watches that process. */
void sim_thread_enter(struct sim *sim, int task, int real_pid);
/* What the real system calls a process: the coordinator watches it from now on. To be told by who
 * made it, right after fork, lest its death be missed; sim_thread_enter tells it again. */
void sim_process_is(struct sim *sim, int process, int real_pid);
/* The same for the control flow that already holds the turn: after exec (sim_process_executed does it),
 * and for the coordinator's child that runs the first program's first instruction. */
void sim_thread_resume(struct sim *sim, int task);
/* The thread's task ends: joiners are woken, and the turn passes on as soon as the thread has left
 * its stack, which the kernel tells by clearing a word in the block (set_tid_address(2) is called
 * here). Only the exit system call may follow. clear_tid (NULL: none) is the word that the program
 * gave to clone or set_tid_address: it is cleared and its waiters woken, as the kernel would. The
 * last thread of a process is the process's end: call sim_process_leave instead. */
void sim_thread_leave(struct sim *sim, int task, uint32_t *clear_tid);
/* The process ends with this status as exit_group(2) takes it: descriptors are closed, children go
 * to init, the parent is told; the turn passes on when the real process is gone. Only exit_group may
 * follow. */
void sim_process_leave(struct sim *sim, int process, int status);
/* The number that a signal without handler ended the caller's process with, by a call of its own: 0
 * or a signal. Ask after each call. Its descriptors are gone already; the real process must end now,
 * by that signal or by any other means (what its parent is told is decided): nothing else may
 * follow. */
int sim_process_killed(const struct sim *sim, int process);
/* Coordinator: the exit status of a program that has ended (-EAGAIN: it has not), and in *killed_by
 * (may be NULL) the signal that ended it, or 0. */
int sim_process_status(const struct sim *sim, int process, int *killed_by);

/* In a fork's child, before sim_thread_enter: the handle was copied with the parent's memory. */
void sim_process_forked(struct sim *sim);
/* vfork(2) and clone(CLONE_VM | CLONE_VFORK): the parent's task waits until the child has executed
 * or ended, and the one control flow goes on as `child` at once. Then make the real call; in its
 * child nothing else is to be done; in the parent, when the real call has returned,
 * sim_thread_vforked. */
void sim_thread_vfork(struct sim *sim, int parent, int child);
void sim_thread_vforked(struct sim *sim, int parent);
/* In the new image, after sim_attach, by the one thread there is, which still holds the turn: other
 * tasks of the process end, descriptors with close-on-exec are closed (in the world), handlers fall
 * back to SIG_DFL, timers of timer_create are gone, a vfork's parent goes on. The task that goes on,
 * as the current caller. */
int sim_process_executed(struct sim *sim, int process, const char *name);

/* ---- signals for real --------------------------------------------------------------------- */

/* A signal that is to be delivered to the caller's task now. */
struct sim_delivery {
    siginfo_t information;
    struct sim_action action;
    uint64_t mask_before; /* in force again when the handler returns: rt_sigprocmask it back */
    int32_t number;
    uint32_t padding;
};

/* Is one due? Cheap: ask after every call. */
bool sim_thread_signal_due(const struct sim *sim, int task);
/* Takes the next one, the lowest number first: its mask (action.mask, itself without SA_NODEFER) is
 * in force from here on in the world, SA_RESETHAND is done. False: none. */
bool sim_thread_signal_take(struct sim *sim, int task, struct sim_delivery *delivery);

/* ---- calls -------------------------------------------------------------------------------- */

/* Besides the seam's own calls (system.h, with a caller that sim_thread_caller gives): results are
 * those of the system calls of the same name, >= 0 or -errno, or (of the seam's waiting calls, too,
 * for a program's task) SIM_RESTART and SIM_REALLY of call/call.h: take the signals that are due, or
 * wait for the real descriptors that the call names with poll(2), holding the turn, and tell what
 * they are (real_ready); then make the call again. */
struct dry_caller sim_thread_caller(struct sim *sim, int task);
/* The same behind the fault plan, when it has rules: for the seam's own calls alone. Announce each
 * with caller.system->call_begin(caller, NAME, fd) and ->call_end(caller) where these are there;
 * NAME is what strace calls it, and the actor is the process, by its name. */
struct dry_caller sim_thread_seam(struct sim *sim, int task);

/* CALL(name, (parameters), arguments...): sim_program_NAME(parameters). Pointers are the program's
 * and must be good: test them first (-EFAULT). Signal sets are the kernel's uint64_t. What each
 * takes and returns: call/program.h. */
/* clang-format off */
#define SIM_PROGRAM_CALLS(CALL) \
    CALL(futex, (struct dry_caller caller, uint32_t *word, int operation, uint32_t value, \
         const struct timespec *timeout, uint32_t *word2, uint32_t value2, uint32_t value3, \
         const uint64_t *key, const uint64_t *key2), word, operation, value, timeout, word2, \
         value2, value3, key, key2) \
    CALL(robust_exit, (struct dry_caller caller, void *head, uint32_t tid), head, tid) \
    CALL(sched_yield, (struct dry_caller caller)) \
    CALL(real_install, (struct dry_caller caller, int fd, int kind, int flags), fd, kind, flags) \
    CALL(real_ready, (struct dry_caller caller, int fd, unsigned bits), fd, bits) \
    CALL(descriptor_kind, (struct dry_caller caller, int fd), fd) \
    CALL(close_range, (struct dry_caller caller, unsigned first, unsigned last, unsigned flags), \
         first, last, flags) \
    CALL(descriptor_limit, (struct dry_caller caller, uint64_t limit), limit) \
    CALL(getrandom, (struct dry_caller caller, void *buffer, size_t length, unsigned flags), \
         buffer, length, flags) \
    CALL(clock_getres, (struct dry_caller caller, clockid_t clock, struct timespec *resolution), \
         clock, resolution) \
    CALL(fork, (struct dry_caller caller, int flags, int *process, int *child), flags, process, \
         child) \
    CALL(wait4, (struct dry_caller caller, int pid, int *status, int options), pid, status, \
         options) \
    CALL(waitid, (struct dry_caller caller, int type, int id, siginfo_t *information, \
         int options), type, id, information, options) \
    CALL(getpid, (struct dry_caller caller)) \
    CALL(getppid, (struct dry_caller caller)) \
    CALL(gettid, (struct dry_caller caller)) \
    CALL(getpgid, (struct dry_caller caller, int pid), pid) \
    CALL(setpgid, (struct dry_caller caller, int pid, int group), pid, group) \
    CALL(getsid, (struct dry_caller caller, int pid), pid) \
    CALL(setsid, (struct dry_caller caller)) \
    CALL(set_tid, (struct dry_caller caller, int task, int tid), task, tid) \
    CALL(kill, (struct dry_caller caller, int pid, int number), pid, number) \
    CALL(tgkill, (struct dry_caller caller, int pid, int tid, int number), pid, tid, number) \
    CALL(tkill, (struct dry_caller caller, int tid, int number), tid, number) \
    CALL(rt_sigqueueinfo, (struct dry_caller caller, int pid, int number, \
         const siginfo_t *information), pid, number, information) \
    CALL(rt_tgsigqueueinfo, (struct dry_caller caller, int pid, int tid, int number, \
         const siginfo_t *information), pid, tid, number, information) \
    CALL(signal_came, (struct dry_caller caller, int number, const siginfo_t *information), \
         number, information) \
    CALL(rt_sigaction, (struct dry_caller caller, int number, const struct sim_action *action, \
         struct sim_action *old), number, action, old) \
    CALL(rt_sigprocmask, (struct dry_caller caller, int how, const uint64_t *set, uint64_t *old), \
         how, set, old) \
    CALL(rt_sigpending, (struct dry_caller caller, uint64_t *set), set) \
    CALL(rt_sigsuspend, (struct dry_caller caller, const uint64_t *mask), mask) \
    CALL(rt_sigtimedwait, (struct dry_caller caller, const uint64_t *set, siginfo_t *information, \
         const struct timespec *timeout), set, information, timeout) \
    CALL(pause, (struct dry_caller caller)) \
    CALL(signalfd4, (struct dry_caller caller, int fd, const uint64_t *mask, int flags), fd, mask, \
         flags) \
    CALL(alarm, (struct dry_caller caller, unsigned seconds), seconds) \
    CALL(setitimer, (struct dry_caller caller, int which, const struct itimerval *value, \
         struct itimerval *old), which, value, old) \
    CALL(getitimer, (struct dry_caller caller, int which, struct itimerval *value), which, value) \
    CALL(timer_create, (struct dry_caller caller, clockid_t clock, const struct sigevent *event, \
         int *timer), clock, event, timer) \
    CALL(timer_settime, (struct dry_caller caller, int timer, int flags, \
         const struct itimerspec *value, struct itimerspec *old), timer, flags, value, old) \
    CALL(timer_gettime, (struct dry_caller caller, int timer, struct itimerspec *value), timer, \
         value) \
    CALL(timer_getoverrun, (struct dry_caller caller, int timer), timer) \
    CALL(timer_delete, (struct dry_caller caller, int timer), timer)
/* clang-format on */

#define SIM_PROGRAM_DECLARE(name, parameters, ...) int64_t sim_program_##name parameters;
SIM_PROGRAM_CALLS(SIM_PROGRAM_DECLARE)
#undef SIM_PROGRAM_DECLARE

#endif
