/* The simulated world, for tests: make hosts and links, spawn tasks, run them in virtual time.
 * SPDX-License-Identifier: MIT
 *
 * A `struct sim` is one world and what runs in it. It is used from one thread. Programs under test
 * need only socket.h; this header is for who builds the world around them. Unless stated otherwise
 * calls return 0 or -errno, block never, and copy the strings they are given. Instants are
 * nanoseconds since the world began; durations are nanoseconds.
 *
 * A `struct sim *` is a world that sim_create or sim_copy made and sim_destroy did not end; NULL is
 * allowed for sim_destroy alone. Calls of socket.h belong in tasks: outside them, in a thread that has
 * worlds, they fail (socket.h says how); sim_caller speaks for a task from outside. sim_run,
 * sim_run_until and sim_destroy make no sense within a run of the same world: in a task they are its
 * failure and end, in a callback they do nothing but say so on standard error (the outcome is
 * SIM_FAILED); sim_reset is -EBUSY there.
 */
#ifndef DRYSOCK_SIM_H
#define DRYSOCK_SIM_H

#include <signal.h>
#include <stdbool.h>

#include <drysock/system.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sim;

/* Zero in every field means the default. */
struct sim_options {
    uint64_t seed;
    uint32_t sockets, tasks, descriptors_per_process; /* capacities */
    uint32_t packets, chunks;
    uint64_t stack_bytes;     /* of each task; default 256 KiB, at least 64 KiB */
    uint64_t wall_clock;      /* CLOCK_REALTIME at the start, ns since 1970 */
    uint32_t check;           /* 1: walk every invariant after every event; in a large world
                                 * after every so-many-th */
    int32_t first_descriptor; /* of each process; 0: above every real one */
    uint64_t watchdog_ns; /* real time a task may compute without a call; 0: 10 s; UINT64_MAX: any */
    uint64_t spin_limit;  /* calls at one instant before the clock is advanced; 0: 10,000 */
    uint64_t spin_calls;  /* calls a task may make without ever waiting; 0: 100,000,000 */
    uint32_t shared;      /* 1: other processes can map the world: programs as they are */
};

/* Tasks that never wait. One that calls on and on (reads of the clock, polls without a timeout,
 * non-blocking calls, yields) finds the clock a microsecond later at each call from spin_limit on, so
 * that what it waits for comes; after spin_calls it has failed, as by sim_task_fail. One that computes
 * for watchdog_ns without a call has failed at its next call. One that makes none for as long again
 * cannot be left, as it may be anywhere: the process ends with this status and a sentence on standard
 * error that names the task. */
enum { SIM_EXIT_WATCHDOG = 124 };

/* Events that never end. Where so many packets, timers and the like follow each other at one instant
 * that no task had a turn for four million of them, the clock would stand still for ever: the run ends
 * as SIM_FAILED, and sim_failure names what went on last. */

/* Stacks. Below each lies a guard of 64 KiB. A task that runs into it is named on standard error with
 * its stack's size; then the fault takes its course: by default the process ends with SIGSEGV. */

DRY_PUBLIC struct sim *sim_create(const struct sim_options *options); /* NULL: errno */
DRY_PUBLIC void sim_destroy(struct sim *sim); /* unfinished tasks are given up, programs killed */
/* As after sim_create with the same options and another seed: no hosts, tasks, faults, captures. Keeps
 * the memory that was touched, so it is much faster than a new world. */
DRY_PUBLIC int sim_reset(struct sim *sim, uint64_t seed);

/* ---- times in text ------------------------------------------------------------------------ */

/* A number and its unit (ns us ms s min h), such as "40ms" or "1.5s", in nanoseconds: how head lines,
 * link settings, faults and records all write times. 0, or -EINVAL: it is none, is not whole in
 * nanoseconds, has more than nine digits behind its point, or is longer than 2^62 ns (146 years). */
DRY_PUBLIC int sim_read_time(const char *text, size_t length, uint64_t *ns);

/* ---- building ----------------------------------------------------------------------------- */

/* A host's number (> 0) or -errno. addresses: "10.0.0.1", "10.0.0.1/16", "fd00::1", separated by
 * blanks; may be NULL. */
DRY_PUBLIC int sim_add_host(struct sim *sim, const char *name, const char *addresses);
DRY_PUBLIC int sim_find_host(const struct sim *sim, const char *name);

/* Both ways alike. Chances are parts per million; zero in every field is a perfect, instant link. */
struct sim_link_options {
    uint64_t delay_ns, jitter_ns;
    uint64_t rate_bits;
    uint32_t queue_bytes;
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm, corrupt_ppm;
    uint32_t mtu;  /* 0: 1500 */
    uint32_t down; /* 1: starts down */
};
/* The link's number or -errno. */
DRY_PUBLIC int sim_add_link(struct sim *sim, int host_a, int host_b,
                            const struct sim_link_options *options);
DRY_PUBLIC int sim_change_link(struct sim *sim, int link, uint64_t at, bool up);
DRY_PUBLIC int sim_set(struct sim *sim, int host, const char *sysctl, int64_t value);
/* The same as sysctl(8) writes it: one number, or several with blanks between them where a setting is
 * cut into _min, _default, _max (net.ipv4.tcp_rmem) or _min, _max. -EINVAL: it is no number. */
DRY_PUBLIC int sim_set_text(struct sim *sim, int host, const char *sysctl, const char *value);

/* unlink(2) of a UNIX socket's path on a host. */
DRY_PUBLIC int sim_unlink(struct sim *sim, int host, const char *path);

/* Name service. nameserver runs one (a daemon task) on a host, which may have one: -EADDRINUSE. The
 * records are the world's. A record's text is what follows `record` in a scenario's head
 * (docs/language.md). hosts_line is a line of /etc/hosts; resolver_line a line of resolv.conf, of
 * which what nothing here knows, such as an option, is -EINVAL. */
DRY_PUBLIC int sim_add_nameserver(struct sim *sim, int host);
DRY_PUBLIC int sim_add_record(struct sim *sim, const char *text, char *message, size_t bytes);
DRY_PUBLIC int sim_add_hosts_line(struct sim *sim, int host, const char *hosts_line);
DRY_PUBLIC int sim_add_resolver_line(struct sim *sim, int host, const char *resolver_line);

/* ---- faults ------------------------------------------------------------------------------- */

/* A plan is rules in order; the first that matches wins. The same plan drives the world and, through
 * sim_fault_caller, any other provider. A rule's text is what follows `fault` in a scenario's head.
 */
struct sim_fault_plan;
DRY_PUBLIC struct sim_fault_plan *sim_fault_plan_create(uint64_t seed);
DRY_PUBLIC void sim_fault_plan_destroy(struct sim_fault_plan *plan);
/* The rule's number (from 1), or -EINVAL with a sentence in message that names what is wrong and
 * *column (may be NULL) where in the text. */
DRY_PUBLIC int sim_fault_plan_add(struct sim_fault_plan *plan, const char *text, char *message,
                                  size_t bytes, size_t *column);
/* How often a rule fired. */
DRY_PUBLIC uint64_t sim_fault_fired(const struct sim_fault_plan *plan, int rule);
DRY_PUBLIC int sim_fault_rules(const struct sim_fault_plan *plan);
DRY_PUBLIC const char *sim_fault_text(const struct sim_fault_plan *plan, int rule);
/* The caller `inner` behind the plan, as actor `actor` on `host`. Freed with the plan. */
DRY_PUBLIC struct dry_caller sim_fault_caller(struct sim_fault_plan *plan, struct dry_caller inner,
                                              const char *host, const char *actor);
/* Tells the plan that this actor's descriptor is known by a name (ordinals are counted by it). */
DRY_PUBLIC void sim_fault_name(struct dry_caller caller, int fd, const char *name);
/* The world's own plan, made at creation: every task of sim_spawn is behind it, under its name. A rule
 * that is added while tasks run applies to the calls they make from then on. */
DRY_PUBLIC struct sim_fault_plan *sim_faults(struct sim *sim);

/* ---- tasks -------------------------------------------------------------------------------- */

/* Numbers. A task's is its own: it stays known after the end, as ended or failed, and is not given to
 * another for a million more tasks (sixteen times as many as may live at once). A process's number is
 * like a pid: it may be another's once the process has ended (sim_end_process, a signal), and the
 * sockets that it made are gone. What ended costs nothing: a world
 * may go on for ever. -EAGAIN, -ENOMEM: too many live at once. */
/* A process on a host, its number or -errno. */
DRY_PUBLIC int sim_add_process(struct sim *sim, int host, const char *name);
/* A child that shares every open description, without a task yet. Its number or -errno. */
DRY_PUBLIC int sim_fork_process(struct sim *sim, int process);
/* Ends a process: its tasks, then its descriptors, lowest first. Does not return when the caller is
 * one of those tasks. (A task that returns leaves its process's descriptors open.) */
DRY_PUBLIC int sim_end_process(struct sim *sim, int process, int status);
/* A task of a process: entry(argument) runs as soon as the world runs. Its number or -errno. */
DRY_PUBLIC int sim_spawn(struct sim *sim, int process, const char *name, void (*entry)(void *argument),
                         void *argument);
DRY_PUBLIC int sim_spawn_daemon(struct sim *sim, int process, const char *name,
                                void (*entry)(void *argument), void *argument);
/* From within a task: ends it with a message; the run goes on, sim_run_* reports the failure. Does
 * not return. A failed cmocka assertion inside a task is reported by cmocka at once: it jumps to
 * cmocka's own runner and the run is over. The world notices at its next use (sim_destroy in the
 * teardown will do): the task counts as failed, its stack is given back. */
DRY_PUBLIC void sim_task_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* 0 while running, 1 ended, -ECANCELED failed or its process was killed (message: why; valid until
 * sim_destroy), -ESRCH never spawned. */
DRY_PUBLIC int sim_task_status(const struct sim *sim, int task, const char **message);
/* "" when it ended a while ago: names of the last 64 that ended are kept. */
DRY_PUBLIC const char *sim_task_name(const struct sim *sim, int task);
/* Sends a signal to a task at an instant. only_waiting: it is dropped unless the task waits then. */
DRY_PUBLIC int sim_signal_at(struct sim *sim, int task, uint64_t at, int number, bool only_waiting);
/* How a process takes a signal: handled (restart: SA_RESTART), or ignored. */
DRY_PUBLIC int sim_signal_action(struct sim *sim, int process, int number, bool handled, bool restart);
/* A meeting point: sim_barrier_wait returns in all tasks once `expected` of them are in it. */
DRY_PUBLIC int sim_add_barrier(struct sim *sim, const char *name, uint32_t expected);
DRY_PUBLIC int sim_barrier_wait(struct sim *sim, int barrier);
/* In a task: the others that are ready at this instant may run first (or not, as the schedule has it).
 * 0, or -EDEADLK outside tasks. */
DRY_PUBLIC int sim_yield(struct sim *sim);
/* Calls function(argument) at an instant, from the run loop, outside any task. */
DRY_PUBLIC int sim_at(struct sim *sim, uint64_t at, void (*function)(void *argument), void *argument);
/* The order in which tasks that are ready at one instant run: 0 is the order they became ready;
 * another seed permutes it (to find outcomes that depend on it). */
DRY_PUBLIC void sim_schedule_seed(struct sim *sim, uint64_t seed);

/* ---- running ------------------------------------------------------------------------------ */

enum sim_outcome {
    SIM_IDLE = 0, /* every task that is not a daemon has ended; nothing of theirs is queued */
    SIM_REACHED,  /* the instant was reached */
    SIM_STUCK,    /* tasks wait and nothing is queued that could wake them */
    SIM_FAILED,   /* a task failed (sim_task_fail, watchdog, spinning), or one instant did not end: see
                   * sim_failure */
    SIM_STOPPED,  /* the flag of sim_stop_flag was set */
};
/* Until idle or stuck; SIM_FAILED instead of either when a task failed. Idle: what is due at the
 * instant of the last task's end is still done, later timers (TIME_WAIT …) stay queued. Stuck, too,
 * when nothing but timers that re-arm for ever (keepalive) happened for 30 days. */
DRY_PUBLIC enum sim_outcome sim_run(struct sim *sim);
/* The same, but not beyond an instant: SIM_REACHED, with the clock there. With no task to begin with
 * it runs what is queued until then. */
DRY_PUBLIC enum sim_outcome sim_run_until(struct sim *sim, uint64_t instant);
/* A flag that ends every run of this world as soon as it is not 0, between two events: set by a signal
 * handler, or by what sim_on_packet or sim_at call. The caller's, and the caller's to clear; NULL:
 * none. */
DRY_PUBLIC void sim_stop_flag(struct sim *sim, const volatile sig_atomic_t *flag);
DRY_PUBLIC uint64_t sim_now(const struct sim *sim);
DRY_PUBLIC uint64_t sim_next_at(const struct sim *sim);    /* UINT64_MAX: nothing queued */
DRY_PUBLIC const char *sim_failure(const struct sim *sim); /* NULL: none */
/* One line for each task that waits: its name, call, descriptor, deadline. Returns the length. */
DRY_PUBLIC size_t sim_describe_waits(const struct sim *sim, char *text, size_t bytes);

/* ---- looking ------------------------------------------------------------------------------ */

/* A second world equal to this one, its tasks detached: good for packets, comparison, fuzzing. What
 * sim_at has queued happens in the copy, too: each world's loop calls the same functions with the same
 * arguments. The fault plan is the copy's own from here on, with its tallies so far. */
DRY_PUBLIC struct sim *sim_copy(const struct sim *sim);
DRY_PUBLIC uint64_t sim_fingerprint(const struct sim *sim);
/* A running hash over every packet that left a host so far, and their number. */
DRY_PUBLIC uint64_t sim_packet_hash(const struct sim *sim, uint64_t *count);
/* Writes every packet to a capture file (pcap, nanoseconds, LINKTYPE_RAW) until sim_destroy, or until
 * it is called with NULL: then 0, or -errno when the file is not whole (the device is full). */
DRY_PUBLIC int sim_capture(struct sim *sim, const char *path);
DRY_PUBLIC void sim_check(const struct sim *sim); /* asserts every invariant */

/* Raw packets, for fuzzing and bridges: bytes from the IP header on arrive at a host at `now`. */
DRY_PUBLIC int sim_inject(struct sim *sim, int host, const void *packet, size_t length);
/* Called with every packet as it leaves a host towards the network. */
DRY_PUBLIC void sim_on_packet(struct sim *sim,
                              void (*function)(void *argument, int host, uint64_t now,
                                               const void *packet, size_t length),
                              void *argument);
/* The seam's caller for a task, for code that is not inside it (tests of packets). Calls made with it
 * must not wait: they return -EDEADLK where they would. */
DRY_PUBLIC struct dry_caller sim_caller(struct sim *sim, int task);

#ifdef __cplusplus
}
#endif
#endif
