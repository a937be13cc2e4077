/* The actors of a scenario on the kernel: a thread each, in its host, behind the fault plan.
 * SPDX-License-Identifier: MIT */
#include "actor.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <drysock/sim.h>
#include <drysock/socket.h>

#include "actor/actor.h"
#include "actor/fired.h"
#include "signal.h"
#include "system.h"

struct kernel_actor {
    struct actor actor;
    pthread_t thread;
    struct dry_caller caller;
    uint64_t busy_ns;           /* of its thread, when its last step ended */
    bool stopped;               /* will reach no more syncs */
    bool *arrived;              /* at each of the scenario's syncs */
    char why[KERNEL_WHY_BYTES]; /* it could not enter its host */
    bool failed;
};

/* One run is one process, so this is the process's. */
static struct {
    const struct scenario *scenario;
    const struct kernel_host *hosts;
    struct sim_fault_plan *plan;
    uint64_t *fired; /* how often each of its rules had fired at the last look */
    struct kernel_actor *actors;
    struct kernel_target *targets;
    struct kernel_view *views;
    FILE *trace;
    pthread_mutex_t lock; /* of what follows, of stopped and arrived, and of the trace */
    pthread_cond_t news;  /* an actor stands at the start, the start, a sync */
    uint32_t standing, ended;
    bool started;
    uint64_t origin, last_ended_ns;
    int done;
} run = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

/* ---- syncs -------------------------------------------------------------------------------- */

static bool names_sync(const struct actor_lines *lines, const char *name)
{
    for (uint32_t i = 0; i < lines->step_count; i++) {
        if (lines->steps[i].kind == STEP_SYNC && strcmp(lines->steps[i].sync, name) == 0) {
            return true;
        }
    }
    return false;
}

/* 1: all are in it; 0: not yet; -1: one of them never will be. */
static int sync_state(uint32_t sync)
{
    const char *name = run.scenario->syncs[sync].name;
    int state = 1;
    for (uint32_t i = 0; i < run.scenario->actor_count; i++) {
        if (run.actors[i].arrived[sync] || !names_sync(&run.scenario->actors[i], name)) {
            continue;
        }
        if (run.actors[i].stopped) {
            return -1;
        }
        state = 0;
    }
    return state;
}

static int reach_sync(struct actor *actor, uint32_t sync)
{
    int state;
    pthread_mutex_lock(&run.lock);
    run.actors[actor->index].arrived[sync] = true;
    pthread_cond_broadcast(&run.news);
    while ((state = sync_state(sync)) == 0) {
        pthread_cond_wait(&run.news, &run.lock);
    }
    pthread_mutex_unlock(&run.lock);
    return state > 0 ? 0 : -1;
}

static void stop_actor(struct actor *actor)
{
    pthread_mutex_lock(&run.lock);
    run.actors[actor->index].stopped = true;
    pthread_cond_broadcast(&run.news);
    pthread_mutex_unlock(&run.lock);
}

/* ---- the other ops ------------------------------------------------------------------------ */

static void name_socket(struct actor *actor, int fd, const char *name)
{
    if (run.plan != NULL) {
        sim_fault_name(run.actors[actor->index].caller, fd, name);
    }
}

static uint64_t thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void emit(struct actor *actor, uint32_t index, const struct trace_step *step)
{
    struct kernel_actor *self = actor->context;
    struct trace_step timed = *step;
    struct text faults = {0};
    uint64_t busy = thread_ns();
    timed.busy_ns = busy - self->busy_ns;
    self->busy_ns = busy;
    pthread_mutex_lock(&run.lock);
    actor_note_fired(actor, run.plan, run.fired, &faults);
    timed.faults = faults.length > 0 ? faults.bytes : "";
    trace_write_step(run.trace, actor->lines->name, index, &timed);
    text_free(&faults);
    fflush(run.trace);
    if (step->ended_ns > run.last_ended_ns) {
        run.last_ended_ns = step->ended_ns;
    }
    pthread_mutex_unlock(&run.lock);
}

static const struct actor_ops ops = {
    .sync = reach_sync,
    .stopped = stop_actor,
    .name_socket = name_socket,
    .emit = emit,
};

/* ---- threads ------------------------------------------------------------------------------ */

static bool enter(struct kernel_actor *actor)
{
    const struct kernel_host *host = &run.hosts[actor->actor.lines->host];
    if (kernel_host_enter(host, actor->why) < 0) {
        return false;
    }
    /* An actor is a process: its descriptors are its own, and end with it. */
    if (unshare(CLONE_FILES) < 0) {
        snprintf(actor->why, sizeof actor->why, "a thread gets no descriptors of its own: %s",
                 strerror(errno));
        return false;
    }
    return true;
}

static void stand_at_start(struct kernel_actor *actor)
{
    pthread_mutex_lock(&run.lock);
    run.standing++;
    pthread_cond_broadcast(&run.news);
    while (!run.started) {
        pthread_cond_wait(&run.news, &run.lock);
    }
    actor->actor.origin = run.origin;
    pthread_mutex_unlock(&run.lock);
}

static void end_actor(void)
{
    bool last;
    pthread_mutex_lock(&run.lock);
    last = ++run.ended == run.scenario->actor_count;
    pthread_mutex_unlock(&run.lock);
    if (last) {
        int told = eventfd_write(run.done, 1);
        assert(told == 0);
    }
}

static void *actor_thread(void *argument)
{
    struct kernel_actor *actor = argument;
    struct kernel_target *target = &run.targets[actor->actor.index];
    actor->failed = !enter(actor);
    kernel_signal_attach(target);
    dry_set_current_caller(actor->caller);
    stand_at_start(actor);
    if (!actor->failed) {
        actor_run(&actor->actor);
        stop_actor(&actor->actor);
    }
    kernel_signal_detach(target);
    end_actor();
    return NULL;
}

/* ---- start -------------------------------------------------------------------------------- */

static int make_plan(const struct scenario *scenario, uint64_t seed, char *why)
{
    char message[KERNEL_WHY_BYTES / 2];
    if (scenario->fault_count == 0) {
        return 0;
    }
    run.plan = sim_fault_plan_create(seed);
    for (uint32_t i = 0; run.plan != NULL && i < scenario->fault_count; i++) {
        if (sim_fault_plan_add(run.plan, scenario->faults[i].text, message, sizeof message, NULL) < 0) {
            snprintf(why, KERNEL_WHY_BYTES, "line %u: %s", scenario->faults[i].at.line, message);
            return -1;
        }
    }
    return run.plan == NULL ? -1 : 0;
}

static void set_up_actor(uint32_t i)
{
    const struct scenario *scenario = run.scenario;
    struct kernel_actor *actor = &run.actors[i];
    const struct actor_lines *lines = &scenario->actors[i];
    actor->actor.scenario = scenario;
    actor->actor.lines = lines;
    actor->actor.index = i;
    actor->actor.ops = &ops;
    actor->actor.context = actor;
    actor->arrived = calloc(scenario->sync_count + 1, sizeof *actor->arrived);
    assert(actor->arrived != NULL);
    run.views[i].target = &run.targets[i];
    run.views[i].congestion_by_socket = run.hosts[lines->host].congestion_by_socket;
    actor->caller = kernel_system_caller(i);
    if (run.plan != NULL) {
        actor->caller = sim_fault_caller(run.plan, actor->caller, scenario->hosts[lines->host].name,
                                         lines->name);
    }
}

static int wait_for_standing(char *why)
{
    pthread_mutex_lock(&run.lock);
    while (run.standing < run.scenario->actor_count) {
        pthread_cond_wait(&run.news, &run.lock);
    }
    pthread_mutex_unlock(&run.lock);
    for (uint32_t i = 0; i < run.scenario->actor_count; i++) {
        if (run.actors[i].failed) {
            memcpy(why, run.actors[i].why, KERNEL_WHY_BYTES);
            return -1;
        }
    }
    return 0;
}

int kernel_actors_start(const struct scenario *scenario, const struct kernel_host *hosts, uint64_t seed,
                        FILE *trace, char *why)
{
    run.scenario = scenario;
    run.hosts = hosts;
    run.trace = trace;
    run.done = eventfd(0, EFD_CLOEXEC);
    run.actors = calloc(scenario->actor_count + 1, sizeof *run.actors);
    run.targets = calloc(scenario->actor_count + 1, sizeof *run.targets);
    run.views = calloc(scenario->actor_count + 1, sizeof *run.views);
    snprintf(why, KERNEL_WHY_BYTES, "no memory, thread or descriptor is left");
    if (run.actors == NULL || run.targets == NULL || run.views == NULL || run.done < 0) {
        return -1;
    }
    run.fired = calloc(scenario->fault_count + 1, sizeof *run.fired);
    if (run.fired == NULL || make_plan(scenario, seed, why) < 0) {
        return -1;
    }
    kernel_system_begin(run.views);
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        set_up_actor(i);
    }
    if (kernel_signal_start(run.targets, scenario->actor_count) < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        if (pthread_create(&run.actors[i].thread, NULL, actor_thread, &run.actors[i]) != 0) {
            return -1;
        }
    }
    return wait_for_standing(why);
}

void kernel_actors_go(void)
{
    const struct scenario *scenario = run.scenario;
    uint64_t origin = dry_now();
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        if (scenario->events[i].kind == EVENT_SIGNAL) {
            kernel_signal_plan(scenario->events[i].actor, origin + scenario->events[i].instant_ns,
                               scenario->events[i].signal);
        }
    }
    pthread_mutex_lock(&run.lock);
    run.origin = origin;
    run.started = true;
    pthread_cond_broadcast(&run.news);
    pthread_mutex_unlock(&run.lock);
    if (scenario->actor_count == 0) {
        eventfd_write(run.done, 1);
    }
}

int kernel_actors_done(void)
{
    return run.done;
}

/* ---- looking and ending ------------------------------------------------------------------- */

/* The step that has not ended, as the trace tells it. */
static void write_running(struct kernel_actor *actor)
{
    struct trace_step what = {.outcome = "", .detail = "", .status = STEP_RUNNING};
    const struct step *step = actor_running(&actor->actor, &what.started_ns);

    if (step == NULL) {
        return;
    }
    what.text = step->text;
    what.line = step->at.line;
    what.ended_ns = dry_now() - run.origin;
    trace_write_step(run.trace, actor->actor.lines->name, step->index, &what);
    fflush(run.trace);
}

void kernel_actors_describe(struct text *text)
{
    char line[1024];
    pthread_mutex_lock(&run.lock);
    for (uint32_t i = 0; i < run.scenario->actor_count; i++) {
        if (run.actors[i].actor.state == ACTOR_ENDED) {
            continue;
        }
        actor_describe(&run.actors[i].actor, line, sizeof line);
        text_add(text, "%s%s", text->length > 0 ? "\n" : "", line);
        write_running(&run.actors[i]);
    }
    pthread_mutex_unlock(&run.lock);
}

/* The rules that did not fire, as the world's run words them. */
static void list_unused(struct text *unused)
{
    for (uint32_t i = 0; run.plan != NULL && i < run.scenario->fault_count; i++) {
        if (sim_fault_fired(run.plan, (int)i + 1) == 0) {
            text_add(unused, "%s%s:%u: the fault did not fire: %s", unused->length > 0 ? "\n" : "",
                     scenario_file_of(run.scenario, run.scenario->faults[i].at),
                     run.scenario->faults[i].at.line, run.scenario->faults[i].text);
        }
    }
}

void kernel_actors_finish(uint64_t *ended_ns, struct text *unused_faults)
{
    for (uint32_t i = 0; i < run.scenario->actor_count; i++) {
        pthread_join(run.actors[i].thread, NULL);
    }
    for (uint32_t i = 0; i < run.scenario->actor_count; i++) {
        actor_finish(&run.actors[i].actor);
        free(run.actors[i].arrived);
    }
    *ended_ns = run.last_ended_ns;
    list_unused(unused_faults);
    if (run.plan != NULL) {
        sim_fault_plan_destroy(run.plan);
    }
    free(run.actors);
    free(run.fired);
}
