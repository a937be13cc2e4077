/* Actors: each runs a section's steps against the library, whichever system it is linked with.
 * SPDX-License-Identifier: MIT
 *
 * The same code runs as a task of the world and as a thread on the kernel; what differs stands in
 * actor_ops. Signals: before any actor runs, the system must take SIGUSR1, SIGUSR2, SIGALRM, SIGURG,
 * SIGIO, SIGHUP, SIGCHLD and SIGWINCH with a handler that does nothing, without SA_RESTART, and
 * ignore SIGPIPE; on_signal() only sets the library's interrupt check. */
#ifndef HARNESS_ACTOR_H
#define HARNESS_ACTOR_H

#include <drysock/socket.h>
#include <stdatomic.h>

#include "language/scenario.h"
#include "language/value.h"
#include "result/trace.h"

struct actor;

struct actor_ops {
    /* Waits until every actor that names this sync is in it: 0. -1: it cannot complete, since
     * an actor that names it has stopped. */
    int (*sync)(struct actor *actor, uint32_t sync);
    /* This actor will reach no more syncs: whoever waits for it must be told. */
    void (*stopped)(struct actor *actor);
    /* The actor's descriptor fd is called `name` in the scenario, for ordinals of faults. */
    void (*name_socket)(struct actor *actor, int fd, const char *name);
    /* A step has ended; `step` is valid during the call. May be called by several threads. */
    void (*emit)(struct actor *actor, uint32_t index, const struct trace_step *step);
    /* unlink(2) of a socket's path on the actor's host: 0 or -errno. NULL: unlink(2) itself. */
    int (*unlink)(struct actor *actor, const char *path);
};

enum actor_state {
    ACTOR_WAITS_TO_START = 0,
    ACTOR_RUNS,
    ACTOR_ENDED,   /* every step done */
    ACTOR_STOPPED, /* a step raised where nothing says so, or a sync was abandoned */
};

/* Zero it, fill the first part, call actor_run in the task or thread, actor_finish afterwards. */
struct actor {
    const struct scenario *scenario;
    const struct actor_lines *lines;
    uint32_t index;
    const struct actor_ops *ops;
    void *context;   /* the runner's */
    uint64_t origin; /* dry_now() at the start of the run */

    /* Set by actor_run; other threads may look at them while it runs (actor_running). */
    _Atomic enum actor_state state;
    const struct step *_Atomic current; /* the step that runs, or NULL */
    _Atomic uint64_t current_started_ns;

    /* actor_run's own. */
    struct arena arena;
    struct binding *bindings;
    struct luck_names luck;
    struct object *objects; /* sockets, files, pollers: closed at the end as a process's would be */
    struct raised *raised;  /* by the step that runs */
    bool stops_on_signal;   /* on_signal(STOP) */
    uint32_t interruptions; /* waits that a signal cut short, since interruptions() was asked */
};

/* A signal cut a wait of the actor's short: counted; whether the waiting call stops. */
int actor_interrupted(void *actor);
/* Runs every step. Returns when the actor ended or stopped; its sockets are closed then. */
void actor_run(struct actor *actor);
/* Closes what an actor whose actor_run never returned left open. The caller must speak as its task. */
void actor_abandon(struct actor *actor);
/* Frees its memory; also when actor_run never returned. */
void actor_finish(struct actor *actor);
/* The step that runs, or NULL, and when that one began; for any thread. */
const struct step *actor_running(const struct actor *actor, uint64_t *since_ns);
/* "scenarios/tcp/echo.dry:14: client waits in s.recv(16)": one line without its newline. */
void actor_describe(const struct actor *actor, char *text, size_t bytes);

#endif
