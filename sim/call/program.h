/* World calls of programs as they are: what their threads and processes ask besides sockets and files.
 * SPDX-License-Identifier: MIT
 *
 * As call.h's: results of the system calls of the same name, or SIM_WAIT. Pointers are the program's
 * and good; signal sets are the kernel's eight bytes. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include <signal.h>
#include <sys/time.h>

#include "call.h"

/* ---- futex.c ------------------------------------------------------------------------------ */

/* key, key2: NULL for words of private memory; else two numbers that are the word's in every
 * process. */
int64_t sim_call_futex(SIM_CALL, uint32_t *word, int operation, uint32_t value,
                       const struct timespec *timeout, uint32_t *word2, uint32_t value2,
                       uint32_t value3, const uint64_t *key, const uint64_t *key2);
/* The robust list of a thread that ends: its words, whose owner is tid, are marked and one waiter of
 * each is woken. 0. */
int64_t sim_call_robust_exit(SIM_CALL, void *head, uint32_t tid);
int64_t sim_call_sched_yield(SIM_CALL);

/* ---- real.c: the descriptor table mirrors all of the process -------------------------------- */

/* The number names a real descriptor from now on; what it named is closed. kind: enum sim_real_kind_of;
 * flags: O_* as fcntl tells them, O_CLOEXEC. The number, -EBADF beyond the limit, -ENFILE, -ENOMEM. */
int64_t sim_call_real_install(SIM_CALL, int fd, int kind, int flags);
/* What poll(2) said of a polled one: POLL* bits. 0 or -EBADF. */
int64_t sim_call_real_ready(SIM_CALL, int fd, unsigned bits);
/* 0: not open; 1: the world's; 2: real. */
int64_t sim_call_descriptor_kind(SIM_CALL, int fd);
int64_t sim_call_close_range(SIM_CALL, unsigned first, unsigned last, unsigned flags);
/* RLIMIT_NOFILE. */
int64_t sim_call_descriptor_limit(SIM_CALL, uint64_t limit);
/* From the seed's `program` stream: the same bytes in each run. */
int64_t sim_call_getrandom(SIM_CALL, void *buffer, size_t length, unsigned flags);

/* ---- program.c ---------------------------------------------------------------------------- */

/* A new process is a program's from now on: descriptors from 0, signals as exec leaves them, memory,
 * group and session of its own. */
void sim_process_become_program(struct sim_world *world, struct sim_process_id process);
/* A task of it, ready to run; the first has the process's number, others one of their own. */
struct sim_task_id sim_program_task(struct sim_world *world, struct sim_process_id process,
                                    const char *name, bool daemon);

/* ---- family.c ----------------------------------------------------------------------------- */

enum {
    SIM_FORK_MEMORY = 1, /* CLONE_VM: private futexes are the parent's as well */
};

int64_t sim_call_getpid(SIM_CALL);
int64_t sim_call_getppid(SIM_CALL);
int64_t sim_call_gettid(SIM_CALL);
int64_t sim_call_getpgid(SIM_CALL, int pid);
int64_t sim_call_setpgid(SIM_CALL, int pid, int group);
int64_t sim_call_getsid(SIM_CALL, int pid);
int64_t sim_call_setsid(SIM_CALL);
/* The number that the real system gave a task (and, for the one that leads, its process). 0, -EEXIST
 * when another has it. */
int64_t sim_call_set_tid(SIM_CALL, int other, int tid);
/* A child with one task, ready to run; *process, *child: their numbers here. Its pid, -EAGAIN,
 * -EOPNOTSUPP for flags beyond SIM_FORK_*. */
int64_t sim_call_fork(SIM_CALL, int flags, int *process, int *child);
/* What vfork is in the world: the parent waits until the child's process executes or ends, and the
 * child runs at once. */
void sim_program_vfork(struct sim_world *world, struct sim_task_id parent, struct sim_task_id child);
/* exec has happened: the task alone goes on. Its timers: sim_alarms_delete. */
void sim_program_execute(struct sim_world *world, struct sim_task_id task, const char *name);
int64_t sim_call_wait4(SIM_CALL, int pid, int *status, int options);
int64_t sim_call_waitid(SIM_CALL, int type, int id, siginfo_t *information, int options);

/* ---- kill.c ------------------------------------------------------------------------------- */

int64_t sim_call_kill(SIM_CALL, int pid, int number);
int64_t sim_call_tgkill(SIM_CALL, int pid, int tid, int number);
int64_t sim_call_tkill(SIM_CALL, int tid, int number);
int64_t sim_call_rt_sigqueueinfo(SIM_CALL, int pid, int number, const siginfo_t *information);
int64_t sim_call_rt_tgsigqueueinfo(SIM_CALL, int pid, int tid, int number,
                                   const siginfo_t *information);
/* A signal that the real system gave the caller's process (SIGSEGV, Ctrl-C), as told or (NULL) by the
 * kernel. */
int64_t sim_call_signal_came(SIM_CALL, int number, const siginfo_t *information);
int64_t sim_call_rt_sigaction(SIM_CALL, int number, const struct sim_action *action,
                              struct sim_action *old);
int64_t sim_call_rt_sigprocmask(SIM_CALL, int how, const uint64_t *set, uint64_t *old);
int64_t sim_call_rt_sigpending(SIM_CALL, uint64_t *set);
int64_t sim_call_rt_sigsuspend(SIM_CALL, const uint64_t *mask);
int64_t sim_call_rt_sigtimedwait(SIM_CALL, const uint64_t *set, siginfo_t *information,
                                 const struct timespec *timeout);
int64_t sim_call_pause(SIM_CALL);
int64_t sim_call_signalfd4(SIM_CALL, int fd, const uint64_t *mask, int flags);
/* read(2) of one, without waiting: -EAGAIN. */
int64_t sim_signalfd_read(SIM_CALL, struct sim_signalfd_id id, void *buffer, size_t length);

/* ---- alarm.c ------------------------------------------------------------------------------ */

int64_t sim_call_alarm(SIM_CALL, unsigned seconds);
int64_t sim_call_setitimer(SIM_CALL, int which, const struct itimerval *value, struct itimerval *old);
int64_t sim_call_getitimer(SIM_CALL, int which, struct itimerval *value);
int64_t sim_call_timer_create(SIM_CALL, clockid_t clock, const struct sigevent *event, int *timer);
int64_t sim_call_timer_settime(SIM_CALL, int timer, int flags, const struct itimerspec *value,
                               struct itimerspec *old);
int64_t sim_call_timer_gettime(SIM_CALL, int timer, struct itimerspec *value);
int64_t sim_call_timer_getoverrun(SIM_CALL, int timer);
int64_t sim_call_timer_delete(SIM_CALL, int timer);
/* SIM_EVENT_INTERVAL, SIM_EVENT_ALARM. */
void sim_interval_fires(struct sim_world *world, struct sim_process_id process, uint32_t which);
void sim_alarm_fires(struct sim_world *world, struct sim_alarm_id id);
/* All of a process's timers go: at exec those of timer_create, at its end both kinds. */
void sim_alarms_delete(struct sim_world *world, struct sim_process_id process);
void sim_intervals_disarm(struct sim_world *world, struct sim_process_id process);

#endif
