/* A scenario becomes a world: hosts, links, names, faults and one task for each actor.
 * SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actor/actor.h"
#include "actor/fired.h"

enum {
    FIRST_DESCRIPTOR = 512, /* above this program's own, below what select() can name */
    WAITS_BYTES = 16 * 1024,
};

static const uint64_t slice_ns = 10000000000;                /* between looks at Ctrl-C */
static const uint64_t longest_ns = 100 * 24 * 3600000000000; /* virtual: what waits longer is stuck */

struct world_actor {
    struct actor actor; /* its context is this */
    struct world_run *run;
    int process, task;
    uint32_t next_step; /* the first step that has not ended */
};

struct world_run {
    const struct scenario *scenario;
    struct sim *sim;
    struct trace *trace;
    struct world_actor *actors;
    int *hosts, *links, *barriers;
    bool *broken;            /* syncs that an actor will not reach */
    uint64_t *fired;         /* how often each fault rule had fired at the last look */
    bool permuted;           /* under a schedule seed */
    struct diagnostic wrong; /* where building failed */
};

/* ---- the actors' system --------------------------------------------------------------------- */

static struct world_actor *of(struct actor *actor)
{
    return actor->context;
}

static int reach_sync(struct actor *actor, uint32_t sync)
{
    struct world_run *run = of(actor)->run;
    sim_barrier_wait(run->sim, run->barriers[sync]);
    return run->broken[sync] ? -1 : 0;
}

/* The actor goes on meeting the others as a ghost: each meeting takes place, but is broken. */
static void stopped(struct actor *actor)
{
    struct world_actor *self = of(actor);
    struct world_run *run = self->run;
    const struct actor_lines *lines = actor->lines;
    for (uint32_t i = self->next_step; i < lines->step_count; i++) {
        if (lines->steps[i].kind == STEP_SYNC) {
            run->broken[scenario_find_sync(run->scenario, lines->steps[i].sync)] = true;
        }
    }
    for (uint32_t i = self->next_step; i < lines->step_count; i++) {
        if (lines->steps[i].kind == STEP_SYNC) {
            sim_barrier_wait(run->sim,
                             run->barriers[scenario_find_sync(run->scenario, lines->steps[i].sync)]);
        }
    }
}

static void name_socket(struct actor *actor, int fd, const char *name)
{
    sim_fault_name(dry_current_caller(), fd, name);
}

static void emit(struct actor *actor, uint32_t index, const struct trace_step *step)
{
    struct world_run *run = of(actor)->run;
    struct trace_step noted = *step;
    struct text faults = {0};
    actor_note_fired(actor, sim_faults(run->sim), run->fired, &faults);
    noted.faults = faults.length > 0 ? faults.bytes : "";
    of(actor)->next_step = index + 1;
    trace_record(run->trace, actor->index, index, &noted);
    text_free(&faults);
    /* Under a schedule an actor may be overtaken between any two of its steps, as on a kernel. */
    if (run->permuted) {
        sim_yield(run->sim);
    }
}

static int unlink_path(struct actor *actor, const char *path)
{
    struct world_run *run = of(actor)->run;
    return sim_unlink(run->sim, run->hosts[actor->lines->host], path);
}

static const struct actor_ops ops = {
    .sync = reach_sync,
    .stopped = stopped,
    .name_socket = name_socket,
    .emit = emit,
    .unlink = unlink_path,
};

static void enter(void *argument)
{
    struct world_actor *self = argument;
    self->actor.origin = dry_now() - sim_now(self->run->sim);
    actor_run(&self->actor);
}

/* ---- building ------------------------------------------------------------------------------- */

static int refuse(struct world_run *run, struct source_at at, const char *what, int status)
{
    run->wrong.at = at;
    snprintf(run->wrong.message, sizeof run->wrong.message, "%s: %s", what, strerror(-status));
    return -1;
}

/* A sentence of another's making. */
static int refuse_with(struct world_run *run, struct source_at at, const char *why)
{
    run->wrong.at = at;
    snprintf(run->wrong.message, sizeof run->wrong.message, "%s", why);
    return -1;
}

/* "tcp_syn_retries" is short for "net.ipv4.tcp_syn_retries". */
static int set_sysctl(struct world_run *run, const struct scenario_set *set)
{
    static const char *const folders[] = {"", "net.ipv4.", "net.ipv6.", "net.core.", "net.unix."};
    int status = -ENOENT;

    for (size_t i = 0; i < sizeof folders / sizeof *folders && status == -ENOENT; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", folders[i], set->sysctl);
        status = sim_set(run->sim, run->hosts[set->host], name, set->value);
    }
    return status;
}

static int build_hosts(struct world_run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        const struct scenario_host *host = &scenario->hosts[i];
        run->hosts[i] = sim_add_host(run->sim, host->name, host->addresses);
        if (run->hosts[i] < 0) {
            return refuse(run, host->at, "this host cannot be made", run->hosts[i]);
        }
    }
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        const struct scenario_link *link = &scenario->links[i];
        run->links[i] = sim_add_link(run->sim, run->hosts[link->a], run->hosts[link->b],
                                     &link->options);
        if (run->links[i] < 0) {
            return refuse(run, link->at, "this link cannot be made", run->links[i]);
        }
    }
    for (uint32_t i = 0; i < scenario->setting_count; i++) {
        const struct scenario_set *set = &scenario->settings[i];
        int status = set_sysctl(run, set);
        if (status < 0) {
            return refuse(run, set->at, "the world has no such setting or value", status);
        }
    }
    return 0;
}

static int build_names(struct world_run *run)
{
    const struct scenario *scenario = run->scenario;
    const struct scenario_line *line;
    int status;
    for (uint32_t i = 0; i < scenario->nameserver_count; i++) {
        line = &scenario->nameservers[i];
        if ((status = sim_add_nameserver(run->sim, run->hosts[line->host])) < 0) {
            return refuse(run, line->at, "this name server cannot be made", status);
        }
    }
    for (uint32_t i = 0; i < scenario->record_count; i++) {
        char why[200] = "";
        line = &scenario->records[i];
        if (sim_add_record(run->sim, line->text, why, sizeof why) < 0) {
            return refuse_with(run, line->at, why);
        }
    }
    for (uint32_t i = 0; i < scenario->hosts_line_count; i++) {
        line = &scenario->hosts_lines[i];
        if ((status = sim_add_hosts_line(run->sim, run->hosts[line->host], line->text)) < 0) {
            return refuse(run, line->at, "this is no line of /etc/hosts", status);
        }
    }
    for (uint32_t i = 0; i < scenario->resolver_line_count; i++) {
        line = &scenario->resolver_lines[i];
        if ((status = sim_add_resolver_line(run->sim, run->hosts[line->host], line->text)) < 0) {
            return refuse(run, line->at, "this is no line of resolv.conf", status);
        }
    }
    return 0;
}

static int build_faults(struct world_run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_line *line = &scenario->faults[i];
        char why[200] = "";
        if (sim_fault_plan_add(sim_faults(run->sim), line->text, why, sizeof why, NULL) < 0) {
            return refuse_with(run, line->at, why);
        }
    }
    for (uint32_t i = 0; i < scenario->sync_count; i++) {
        run->barriers[i] = sim_add_barrier(run->sim, scenario->syncs[i].name,
                                           scenario->syncs[i].actors);
        if (run->barriers[i] < 0) {
            return refuse(run, (struct source_at){1, 1}, "too many syncs", run->barriers[i]);
        }
    }
    return 0;
}

/* As every program of the library: SIGPIPE ignored, other signals handled without SA_RESTART. */
static void take_signals(struct world_run *run, int process)
{
    static const int handled[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGURG, SIGIO, SIGHUP, SIGCHLD, SIGWINCH};

    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        sim_signal_action(run->sim, process, handled[i], true, false);
    }
    sim_signal_action(run->sim, process, SIGPIPE, false, false);
}

static int build_actors(struct world_run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        const struct actor_lines *lines = &scenario->actors[i];
        struct world_actor *self = &run->actors[i];
        self->run = run;
        self->actor = (struct actor){
            .scenario = scenario, .lines = lines, .index = i, .ops = &ops, .context = self};
        self->process = sim_add_process(run->sim, run->hosts[lines->host], lines->name);
        if (self->process < 0) {
            return refuse(run, lines->at, "this actor cannot be made", self->process);
        }
        take_signals(run, self->process);
        self->task = sim_spawn(run->sim, self->process, lines->name, enter, self);
        if (self->task < 0) {
            return refuse(run, lines->at, "this actor cannot be made", self->task);
        }
    }
    return 0;
}

/* At the instant that the file says, or beside what else happens there. */
static uint64_t instant_of(const struct scenario_event *event, int shift_ns)
{
    return shift_ns < 0 && event->instant_ns == 0 ? 0 : event->instant_ns + (uint64_t)(int64_t)shift_ns;
}

static int build_events(struct world_run *run, int shift_ns)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        int status;
        if (event->kind == EVENT_SIGNAL) {
            status = sim_signal_at(run->sim, run->actors[event->actor].task,
                                   instant_of(event, shift_ns), event->signal, false);
        } else {
            status = sim_change_link(run->sim, run->links[event->link], instant_of(event, shift_ns),
                                     event->kind == EVENT_LINK_UP);
        }
        if (status < 0) {
            return refuse(run, event->at, "this event cannot be made", status);
        }
    }
    return 0;
}

static int build(struct world_run *run, const struct world_options *options)
{
    const struct scenario *scenario = run->scenario;
    struct sim_options made = {
        .seed = options->seed != 0   ? options->seed
                : scenario->has_seed ? scenario->seed
                                     : 1,
        .check = options->check,
        .first_descriptor = FIRST_DESCRIPTOR,
        .shared = options->guest.start != NULL,
        .wall_clock = options->guest.wall_clock,
    };

    run->sim = sim_create(&made);
    if (run->sim == NULL) {
        return refuse(run, (struct source_at){0}, "no world can be made", -errno);
    }
    run->permuted = options->schedule_seed != 0;
    if (run->permuted) {
        sim_schedule_seed(run->sim, options->schedule_seed);
    }
    if (build_hosts(run) != 0 || build_names(run) != 0 || build_faults(run) != 0 ||
        build_actors(run) != 0 || build_events(run, options->events_shift_ns) != 0) {
        return -1;
    }
    if (options->guest.start != NULL) {
        int begun = options->guest.start(options->guest.context, run->sim, run->hosts);
        if (begun < 0) {
            return refuse(run, (struct source_at){0}, "the program cannot be started", begun);
        }
    }
    int status = options->capture != NULL ? sim_capture(run->sim, options->capture) : 0;
    return status < 0 ? refuse(run, (struct source_at){0}, options->capture, status) : 0;
}

/* ---- running -------------------------------------------------------------------------------- */

static void describe(struct world_run *run, struct text *text)
{
    char *waits = malloc(WAITS_BYTES);
    text_add(text, "%s", "");
    for (uint32_t i = 0; i < run->scenario->actor_count; i++) {
        char line[400];
        if (run->actors[i].actor.state == ACTOR_ENDED) {
            continue;
        }
        actor_describe(&run->actors[i].actor, line, sizeof line);
        text_add(text, "%s%s", text->length > 0 ? "\n" : "", line);
    }
    sim_describe_waits(run->sim, waits, WAITS_BYTES);
    for (char *line = strtok(waits, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        text_add(text, "\n  %s", line);
    }
    free(waits);
}

static enum trace_end run_world(struct world_run *run, const struct world_options *options)
{
    sim_stop_flag(run->sim, options->stop);
    for (;;) {
        const uint64_t before = sim_now(run->sim);
        enum sim_outcome outcome = sim_run_until(run->sim, before + slice_ns);
        const struct world_guest *guest = &options->guest;
        struct text text = {0};

        if (options->describe != NULL && *options->describe) {
            *options->describe = 0;
            describe(run, &text);
            fprintf(stderr, "%s\n", text.bytes);
        }
        text_free(&text);
        if (outcome == SIM_IDLE) {
            return TRACE_DONE;
        }
        if (outcome == SIM_STUCK) {
            return TRACE_STUCK;
        }
        /* A process of a program that failed is its parent's to judge: the program goes on. */
        const bool goes_on = guest->goes_on != NULL && sim_now(run->sim) > before &&
                             guest->goes_on(guest->context);
        if (outcome == SIM_FAILED && !goes_on) {
            return TRACE_FAILED;
        }
        if (outcome == SIM_STOPPED) {
            return TRACE_INTERRUPTED;
        }
        if (sim_now(run->sim) > longest_ns) {
            return TRACE_STUCK;
        }
    }
}

/* A step that runs still, so that the trace shows where each actor is. */
static void note_running(struct world_run *run)
{
    for (uint32_t i = 0; i < run->scenario->actor_count; i++) {
        const struct actor *actor = &run->actors[i].actor;
        if (actor->current != NULL) {
            trace_set(run->trace, i, actor->current->index, STEP_RUNNING, "", "",
                      actor->current_started_ns, sim_now(run->sim));
        }
    }
}

static void note_faults(struct world_run *run)
{
    struct sim_fault_plan *plan = sim_faults(run->sim);
    struct text text = {0};

    text_add(&text, "%s", "");
    for (uint32_t i = 0; i < run->scenario->fault_count; i++) {
        if (sim_fault_fired(plan, (int)i + 1) == 0) {
            text_add(&text, "%s%s:%u: the fault did not fire: %s", text.length > 0 ? "\n" : "",
                     scenario_file_of(run->scenario, run->scenario->faults[i].at),
                     run->scenario->faults[i].at.line, run->scenario->faults[i].text);
        }
    }
    run->trace->unused_faults = arena_text(&run->trace->arena, text.bytes);
    text_free(&text);
}

static void note_end(struct world_run *run, enum trace_end end)
{
    struct text text = {0};

    if (end == TRACE_FAILED) {
        const char *failure = sim_failure(run->sim);
        trace_set_detail(run->trace, end, "%s", failure != NULL ? failure : "the world failed");
    } else if (end == TRACE_STUCK) {
        describe(run, &text);
        trace_set_detail(run->trace, end, "all wait and nothing is queued that could wake them\n%s",
                         text.bytes);
    } else {
        trace_set_detail(run->trace, end, "%s", end == TRACE_INTERRUPTED ? "interrupted" : "");
    }
    text_free(&text);
    if (end != TRACE_DONE) {
        note_running(run);
    }
    note_faults(run);
    run->trace->packet_hash = sim_packet_hash(run->sim, &run->trace->packet_count);
    run->trace->fingerprint = sim_fingerprint(run->sim);
}

static uint64_t real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void begin(struct world_run *run, struct arena *arena, const struct scenario *scenario)
{
    run->scenario = scenario;
    run->wrong.path = scenario->path;
    run->actors = arena_take(arena, (scenario->actor_count + 1) * sizeof *run->actors);
    run->hosts = arena_take(arena, (scenario->host_count + 1) * sizeof *run->hosts);
    run->links = arena_take(arena, (scenario->link_count + 1) * sizeof *run->links);
    run->barriers = arena_take(arena, (scenario->sync_count + 1) * sizeof *run->barriers);
    run->fired = arena_take(arena, (scenario->fault_count + 1) * sizeof *run->fired);
    run->broken = arena_take(arena, (scenario->sync_count + 1) * sizeof *run->broken);
}

int world_check(const struct scenario *scenario, struct diagnostic *wrong)
{
    struct arena arena = {0};
    struct world_run *run = arena_take(&arena, sizeof *run);
    struct world_options options = {0};

    begin(run, &arena, scenario);
    int status = scenario_runs_on(scenario, "world") ? build(run, &options) : 0;
    *wrong = run->wrong;
    sim_destroy(run->sim);
    arena_free(&arena);
    return status;
}

/* Tasks that wait for ever are given up with the world; what they hold outside it is closed first. */
static void abandon_actors(struct world_run *run)
{
    for (uint32_t i = 0; run->sim != NULL && i < run->scenario->actor_count; i++) {
        struct world_actor *actor = &run->actors[i];
        if (actor->task <= 0 || actor->actor.state != ACTOR_RUNS) {
            continue;
        }
        dry_set_current_caller(sim_caller(run->sim, actor->task));
        actor_abandon(&actor->actor);
        dry_set_current_caller((struct dry_caller){0});
    }
}

struct trace *world_run(const struct scenario *scenario, const struct world_options *options)
{
    struct arena arena = {0};
    struct world_run *run = arena_take(&arena, sizeof *run);
    uint64_t began = real_ns();

    begin(run, &arena, scenario);
    run->trace = trace_create(scenario, "world");
    if (!scenario_runs_on(scenario, "world")) {
        trace_set_detail(run->trace, TRACE_SKIPPED, "only %s: %s", scenario->only,
                         scenario->only_reason);
    } else if (build(run, options) != 0) {
        trace_set_detail(run->trace, TRACE_FAILED, "line %u: %s", run->wrong.at.line,
                         run->wrong.message);
    } else {
        note_end(run, run_world(run, options));
        int captured = options->capture != NULL ? sim_capture(run->sim, NULL) : 0;
        if (captured < 0) {
            trace_set_detail(run->trace, TRACE_FAILED, "the capture %s is not whole: %s",
                             options->capture, strerror(-captured));
        }
        if (options->guest.finish != NULL) {
            options->guest.finish(options->guest.context);
        }
    }
    abandon_actors(run);
    sim_destroy(run->sim);
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        actor_finish(&run->actors[i].actor);
    }
    struct trace *trace = run->trace;
    trace->wall_ns = real_ns() - began;
    arena_free(&arena);
    return trace;
}
