/* Worlds that run: the handle behind sim.h, the loop, the tasks, the world as a system.
 * SPDX-License-Identifier: MIT
 *
 * Everything with a pointer lies here, beside the world: stacks, entries, locals, the fault plan,
 * the name service's configuration, capture files, callbacks. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <drysock/sim.h>
#include <signal.h>
#include <stdio.h>

#include "core/state.h"
#include "current.h"
#include "fiber.h"
#include "net/capture.h"

struct sim_parker;
struct sim_resolver;
struct sim_zone;

/* A task's code: by task index. */
struct sim_code {
    struct sim_fiber fiber;
    struct dry_caller caller; /* as dry_current_caller tells it */
    void (*entry)(void *argument);
    void *argument;
    struct sim_owned *owned; /* memory of what it runs on its way through the world's own code */
    int saved_errno;
    uint32_t started; /* 1: has run; its fiber stands somewhere */
    uint32_t own;     /* 1: runs on the stack of who runs the loop (the default world's main) */
    _Alignas(16) char local[DRY_LOCAL_BYTES];
    char actor[64]; /* a program's thread: how it stands before the fault plan */
};

/* A task that failed, and why. */
struct sim_failed {
    uint32_t number;
    char *message;
};

/* A script's code, by script index. */
struct sim_script_code {
    void (*function)(void *argument);
    void *argument;
};

/* A call made for a task whose code does not run (by a test, by who embeds the world). That task may be
 * in a call of its own, so that call's record lies here meanwhile; this one may not wait. */
struct sim_outside {
    uint32_t task; /* 0: none */
    struct sim_call call;
    struct sim_waiter_id first_waiter;
    struct sim_event_id deadline_event;
};

struct sim {
    struct sim_world *world;
    uint32_t running; /* the task whose code runs; 0: the loop or who called it */
    uint64_t calls;   /* seam calls so far: what the watchdog looks at */
    uint64_t spin_limit, spin_calls;
    uint64_t spins_until_slow; /* the spin limit; 0: the next call is asked about all else as well */
    uint32_t slow_end;         /* the end of this call has more to do */
    uint32_t in_call;          /* the world's code runs, not the task's */
    uint32_t looping;          /* the loop is on some stack below */
    const volatile uint64_t *loop_mark; /* there */
    struct sim_code *code;              /* by task index; mapped, untouched where unused */
    size_t code_bytes;
    const struct sim_parker *parker;
    struct sim_stacks stacks; /* the parker's */
    uint64_t stack_bytes;
    struct sim_fiber loop;           /* the stack that the loop is on */
    struct sim_current loop_current; /* who that stack speaks as */
    struct sim_outside outside;
    int32_t first_descriptor;
    uint32_t descriptor_limit;
    uint32_t check;
    uint32_t attached; /* 1: this process's tasks are threads, and another one runs the loop */
    int32_t file;      /* a shared block's; -1: it is not shared */
    uint64_t seed;
    const volatile sig_atomic_t *stop; /* sim_stop_flag */
    uint64_t busy_now, busy_events;    /* events at that instant since a task had its turn */
    /* failures */
    uint32_t failed_tasks;
    struct sim_failed *failed; /* in the order of failing */
    uint32_t failed_count;
    char failure[512];
    /* sim_at */
    struct sim_script_code *scripts;
    uint32_t script_count; /* room for so many */
    /* beside the world */
    struct sim_fault_plan *plan;
    /* what the world's lines say, as far as they were read: lines.c */
    struct sim_zone *zone;
    struct sim_line_id zone_line;     /* the last that was read */
    struct sim_lines_read *resolvers; /* by host index */
    uint32_t resolver_count;
    struct sim_watched *watched; /* watch.c: the programs' real processes, by process index */
    uint32_t watched_count;
    struct sim_capture *capture;
    uint8_t *packet_bytes; /* SIM_PACKET_BYTES: the packet that is shown to the two */
    void (*on_packet)(void *argument, int host, uint64_t now, const void *packet, size_t length);
    void *on_packet_argument;
    /* the watchdog */
    uint64_t watchdog_ns;
    timer_t watchdog;
    uint32_t watchdog_made;
    uint32_t watching; /* the timer is armed */
    volatile uint64_t watched_calls;
    volatile uint32_t silent_looks; /* how often it saw no call */
    volatile uint32_t overdue;      /* the running task is to be ended at its next call */
};

enum {
    SIM_PACKET_BYTES = 65536 + 128,
    SIM_LOOP_MARK = 0x6c6f6f70,
    /* From the spin limit on, each call takes as long as a system call about takes. */
    SIM_SPIN_STEP_NS = 1000,
};

extern const struct dry_system sim_system; /* provider.c: the table of the seam's calls */

static inline struct sim_code *sim_code_of(const struct sim *sim, uint32_t task)
{
    return &sim->code[task];
}

/* ---- run.c: the loop ---------------------------------------------------------------------- */

/* The loop on the stack of a task's own code (the default world's main): SIM_REACHED when it is that
 * task's turn, or at `until`; anything else when that cannot come. */
enum sim_outcome sim_loop_for(struct sim *sim, uint32_t task, uint64_t until);
/* The running task waits: comes back when it runs again. False: it may not wait (not inside). */
bool sim_park(struct sim *sim, uint32_t task);

/* ---- task.c ------------------------------------------------------------------------------- */

/* Gives the task its turn: returns when its code waits or has ended. */
/* A call that makes no sense in the midst of a run of that world: made in a task, it is the task's
 * failure and end; made by a callback, it is told on standard error, and true. False: no run. */
bool sim_is_within(struct sim *sim, const char *call);
/* Is some run of that world on the stack? */
bool sim_is_in_run(struct sim *sim);
void sim_resume(struct sim *sim, uint32_t task);
/* Gives back what a code runs on and the memory it took; where it stood is forgotten. */
void sim_end_code(struct sim *sim, struct sim_code *code);
/* Zeroed memory of the running task, too large for a stack: it goes with the task, however that ends,
 * unless it was given before. NULL: none. */
void *sim_take_memory(struct sim *sim, size_t bytes);
void sim_give_memory(struct sim *sim, void *memory);
/* Did the watchdog mark the running task? Then says why, and is not asked again. */
bool sim_is_overdue(struct sim *sim, char *message, size_t bytes);
/* The running task's code ends here; message NULL: well. */
void sim_leave(struct sim *sim, const char *message) __attribute__((noreturn));
/* If the running task's code jumped out of its fiber (a failed assertion), puts the world right. */
void sim_put_right(struct sim_current *current);
static inline void sim_notice_jump(void)
{
    const char here = 0;
    struct sim_current *current = sim_current();
    if (current->sim && (uintptr_t)&here - current->stack_low >= current->stack_bytes) {
        sim_put_right(current);
    }
}
void sim_fail_task(struct sim *sim, uint32_t task, const char *message);
/* Why the task of that number failed; NULL: it did not. */
const char *sim_failure_of(const struct sim *sim, uint32_t number);
void sim_forget_failures(struct sim *sim);
/* Makes a task and tells its number. (Here a task goes by its index; in sim.h and at the seam by its
 * number.) 0 or -EAGAIN. */
int sim_start_task(struct sim *sim, struct sim_process_id process, const char *name, bool daemon,
                   void (*entry)(void *argument), void *argument, uint32_t *number);

/* ---- faults.c: the plan, in the world's block ---------------------------------------------- */

/* This handle's view of the world's plan. False: no memory. */
bool sim_plan_open(struct sim *sim);
/* A task's turn comes: if the plan has rules, it stands in front of what the task calls from now on. */
void sim_plan_before(struct sim *sim, uint32_t task);
/* A program's thread has ended; its process has. */
void sim_plan_thread_ended(struct sim *sim, uint32_t task);
void sim_plan_process_ended(struct sim *sim, uint32_t process);

/* ---- watchdog.c --------------------------------------------------------------------------- */

void sim_watchdog_start(struct sim *sim);
void sim_watchdog_destroy(struct sim *sim);

/* ---- head.c ------------------------------------------------------------------------------- */

/* The world that a file of head lines describes; path NULL: one host, "localhost", with loopback.
 * NULL with a sentence in message. */
struct sim *sim_head_create(const char *path, char *message, size_t bytes);

/* ---- lines.c: the name service's configuration, as lines in the world ---------------------- */

/* The host's resolver, and the zone, as all lines so far have them; NULL: no memory. */
struct sim_resolver *sim_resolver_of(struct sim *sim, uint32_t host);
struct sim_zone *sim_zone_of(struct sim *sim);
/* Forgets what was read; the lines stay. */
void sim_lines_forget(struct sim *sim);

static inline bool sim_host_exists(const struct sim *sim, int host)
{
    return host >= 1 && (uint32_t)host <= sim->world->pools[SIM_POOL_HOST].high_water;
}

#endif
