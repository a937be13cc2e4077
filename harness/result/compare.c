/* Compares runs with what a file states and with each other, step by step and actor by actor.
 * SPDX-License-Identifier: MIT */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BRIEF_COLUMNS = 72 }; /* of an outcome within a sentence */

static bool is_world(const struct trace *trace)
{
    return strcmp(trace->system, "world") == 0;
}

/* ---- problems ------------------------------------------------------------------------------- */

static void add_problem(struct problems *problems, enum problem_kind kind, uint32_t line,
                        const char *system, const char *excuse, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

static void add_problem(struct problems *problems, enum problem_kind kind, uint32_t line,
                        const char *system, const char *excuse, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    problems->list = arena_grow(&problems->arena, problems->list, problems->count,
                                sizeof *problems->list);
    problems->list[problems->count++] = (struct problem){
        .kind = kind,
        .line = line,
        .system = system,
        .excuse = excuse,
        .text = length >= 0 ? arena_text(&problems->arena, text) : "",
    };
    free(text);
}

static struct outcome_text copy_outcome(struct arena *arena, struct outcome_text outcome)
{
    return (struct outcome_text){outcome.name,
                                 outcome.text != NULL ? arena_text(arena, outcome.text) : NULL};
}

void problems_add_outcomes(struct problems *problems, struct outcome_text expected,
                           struct outcome_text got)
{
    struct problem *last = &problems->list[problems->count - 1];
    last->expected = copy_outcome(&problems->arena, expected);
    last->got = copy_outcome(&problems->arena, got);
}

/* An outcome within a sentence: only its beginning where it is long. */
static const char *brief(struct problems *problems, const char *outcome)
{
    struct text text = {0};
    difference_excerpt(&text, outcome, BRIEF_COLUMNS);
    const char *copy = arena_text(&problems->arena, text.length > 0 ? text.bytes : "");
    text_free(&text);
    return copy;
}

void problems_add(struct problems *problems, enum problem_kind kind, uint32_t line, const char *system,
                  const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    add_problem(problems, kind, line, system, NULL, "%s", length >= 0 ? text : "");
    free(text);
}

void problems_append(struct problems *problems, const struct problems *more)
{
    for (uint32_t i = 0; i < more->count; i++) {
        const struct problem *problem = &more->list[i];
        add_problem(problems, problem->kind, problem->line, problem->system, problem->excuse, "%s",
                    problem->text);
        problems_add_outcomes(problems, problem->expected, problem->got);
    }
}

bool problems_matter(const struct problems *problems)
{
    for (uint32_t i = 0; i < problems->count; i++) {
        if (problems->list[i].excuse == NULL) {
            return true;
        }
    }
    return false;
}

bool problems_only(const struct problems *problems, enum problem_kind kind)
{
    for (uint32_t i = 0; i < problems->count; i++) {
        if (problems->list[i].excuse == NULL && problems->list[i].kind != kind) {
            return false;
        }
    }
    return problems_matter(problems);
}

void problems_free(struct problems *problems)
{
    arena_free(&problems->arena);
    *problems = (struct problems){0};
}

/* Why a step may be otherwise on this system; NULL: it may not. */
static const char *excuse_of(const struct scenario *scenario, const struct step *step,
                             const char *system)
{
    if (step != NULL && step->expect.differs != NULL && strcmp(step->expect.differs, system) == 0) {
        return step->expect.reason;
    }
    if (scenario->differs != NULL && strcmp(scenario->differs, system) == 0) {
        return scenario->differs_reason;
    }
    return NULL;
}

const char *compare_excuse(const struct scenario *scenario, const struct step *step)
{
    const char *excuse = excuse_of(scenario, step, "kernel");
    return excuse != NULL ? excuse : excuse_of(scenario, step, "world");
}

/* ---- one run -------------------------------------------------------------------------------- */

static bool has_duration(const struct step *step)
{
    return step->kind == STEP_CALL;
}

/* NULL: within bounds. slack: how much of the wait was over before the step began, since what came
 * before it was late. */
static const char *judge_time(const struct trace *trace, const struct time_range *stated, uint64_t seen,
                              uint64_t slack)
{
    uint64_t speed = trace->speed > 1 ? trace->speed : 1;
    if (is_world(trace)) {
        return seen < stated->least_ns ? "early" : seen > stated->most_ns ? "late" : NULL;
    }
    if (seen + COMPARE_EARLY_NS * speed + slack < stated->least_ns) {
        return "early";
    }
    if (seen > stated->most_ns + COMPARE_LATE_NS * speed + stated->most_ns / 10) {
        return "late";
    }
    return NULL;
}

static void add_time_problem(struct problems *problems, const struct scenario *scenario,
                             const struct step *step, const char *system, const char *what,
                             const struct time_range *stated, uint64_t seen, const char *verdict)
{
    bool both = strcmp(system, "both") == 0;
    const char *excuse = both ? compare_excuse(scenario, step) : excuse_of(scenario, step, system);
    char seen_text[32];
    scenario_time_print(seen, seen_text);
    add_problem(problems, PROBLEM_TIME, step->at.line, system, excuse, "%s: %s %s instead of %s: %s",
                step->text, what, seen_text, stated->text, verdict);
}

static void stated_outcome(const struct scenario *scenario, const struct step *step,
                           const struct trace_step *seen, const char *system, struct problems *problems)
{
    const char *excuse = excuse_of(scenario, step, system);
    const char *comma = *seen->detail != 0 ? ": " : "";
    if (seen->status == STEP_DIFFERS) {
        add_problem(problems, PROBLEM_OUTCOME, step->at.line, system, excuse, "%s -> %s%s%s",
                    step->text, brief(problems, seen->outcome), comma, seen->detail);
        if (seen->stated != NULL && *seen->stated != 0) {
            problems_add_outcomes(problems, (struct outcome_text){"stated", seen->stated},
                                  (struct outcome_text){"got", seen->outcome});
        }
    } else if (seen->status == STEP_RAISED) {
        add_problem(problems, PROBLEM_OUTCOME, step->at.line, system, excuse,
                    "%s %s, and no \"-> raises\" says so%s%s", step->text, seen->outcome, comma,
                    seen->detail);
    } else if (seen->status == STEP_ABANDONED) {
        add_problem(problems, PROBLEM_END, step->at.line, system, excuse, "%s: %s", step->text,
                    seen->detail);
    } else if (seen->status == STEP_RUNNING) {
        add_problem(problems, PROBLEM_END, step->at.line, system, excuse, "%s did not end", step->text);
    }
}

static void stated_time(const struct scenario *scenario, const struct step *step,
                        const struct trace_step *seen, const struct trace *trace, uint64_t slack,
                        bool strict, struct problems *problems)
{
    const struct expectation *expect = &step->expect;
    uint64_t took = seen->ended_ns - seen->started_ns;
    const char *verdict;
    if (expect->has_duration) {
        verdict = judge_time(trace, &expect->duration, took, slack);
        if (verdict != NULL) {
            add_time_problem(problems, scenario, step, trace->system, "it took", &expect->duration,
                             took, verdict);
        }
    }
    if (expect->has_instant) {
        verdict = judge_time(trace, &expect->instant, seen->ended_ns, 0);
        if (verdict != NULL) {
            add_time_problem(problems, scenario, step, trace->system, "it ended at", &expect->instant,
                             seen->ended_ns, verdict);
        }
    }
    bool sleeps = step->expression != NULL && step->expression->kind == EXPRESSION_CALL &&
                  strcmp(step->expression->text, "sleep") == 0;
    if (strict && is_world(trace) && took > 0 && !expect->has_duration && !expect->has_instant &&
        !sleeps) {
        char text[32];
        scenario_time_print(took, text);
        add_problem(problems, PROBLEM_TIME, step->at.line, trace->system, NULL,
                    "%s waits %s and states no time: write +%s", step->text, text, text);
    }
}

/* When an actor's last step ended. */
static uint64_t ended_at(const struct trace *trace, uint32_t actor)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < trace->actors[actor].step_count; i++) {
        const struct trace_step *step = &trace->actors[actor].steps[i];
        last = step->ended_ns > last ? step->ended_ns : last;
    }
    return last;
}

/* A signal for an actor that has ended, or a link that changes when all have, shows nothing: as with a
 * fault that did not fire, the file says more than is so. */
static void stated_events(const struct scenario *scenario, const struct trace *trace,
                          struct problems *problems)
{
    uint64_t spare = is_world(trace) ? 0 : COMPARE_LATE_NS;
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->events[i];
        bool is_signal = event->kind == EVENT_SIGNAL;
        uint64_t end = is_signal ? ended_at(trace, event->actor) : trace->ended_ns;
        char end_text[32];
        if (event->instant_ns <= end + spare) {
            continue;
        }
        scenario_time_print(end, end_text);
        add_problem(problems, PROBLEM_END, event->at.line, trace->system,
                    excuse_of(scenario, NULL, trace->system),
                    "the %s at %s did not come: %s ended at %s", is_signal ? "signal" : "link's change",
                    event->instant_text, is_signal ? trace->actors[event->actor].name : "all actors",
                    end_text);
    }
}

static void stated_end(const struct scenario *scenario, const struct trace *trace,
                       struct problems *problems)
{
    if (trace->end == TRACE_DONE) {
        stated_events(scenario, trace, problems);
    }
    const char *excuse = excuse_of(scenario, NULL, trace->system);
    if (trace->end != TRACE_DONE && trace->end != TRACE_SKIPPED) {
        add_problem(problems, PROBLEM_END, 0, trace->system, excuse, "the run %s%s%s",
                    trace->end == TRACE_STUCK         ? "is stuck"
                    : trace->end == TRACE_CRASHED     ? "crashed"
                    : trace->end == TRACE_INTERRUPTED ? "was interrupted"
                                                      : "failed",
                    *trace->detail != 0 ? ": " : "", trace->detail);
    }
    if (*trace->unused_faults != 0 && trace->end == TRACE_DONE && !DRY_MUTANT(unused_faults_agree)) {
        add_problem(problems, PROBLEM_END, 0, trace->system, excuse, "%s", trace->unused_faults);
    }
}

static uint64_t slack_of(const struct trace_step *seen, const struct trace_step *reference)
{
    return reference != NULL && seen->started_ns > reference->started_ns
               ? seen->started_ns - reference->started_ns
               : 0;
}

void compare_stated(const struct scenario *scenario, const struct trace *trace,
                    const struct trace *world, bool strict, struct problems *problems)
{
    if (trace->end == TRACE_SKIPPED) {
        return;
    }
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            const struct step *step = &scenario->actors[a].steps[i];
            const struct trace_step *seen = &trace->actors[a].steps[i];
            stated_outcome(scenario, step, seen, trace->system, problems);
            if (has_duration(step) && (seen->status == STEP_OK || seen->status == STEP_DIFFERS)) {
                stated_time(scenario, step, seen, trace,
                            slack_of(seen, world != NULL ? &world->actors[a].steps[i] : NULL), strict,
                            problems);
            }
        }
    }
    stated_end(scenario, trace, problems);
}

/* ---- two runs ------------------------------------------------------------------------------- */

void compare_add_of_both(struct problems *problems, enum problem_kind kind,
                         const struct scenario *scenario, const struct step *step, const char *format,
                         ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    add_problem(problems, kind, step->at.line, "both", compare_excuse(scenario, step), "%s",
                length >= 0 ? text : "");
    free(text);
}

static void compare_times(const struct scenario *scenario, const struct trace *run,
                          const struct step *step, const struct trace_step *kernel,
                          const struct trace_step *world, struct problems *problems)
{
    uint64_t took = kernel->ended_ns - kernel->started_ns;
    uint64_t wanted = world->ended_ns - world->started_ns;
    char text[32];
    scenario_time_print(wanted, text);
    const struct time_range range = {wanted, wanted, text};
    const char *verdict = judge_time(run, &range, took, slack_of(kernel, world));
    if (verdict != NULL && !step->expect.has_duration) {
        add_time_problem(problems, scenario, step, "both", "on the kernel it took", &range, took,
                         verdict);
    }
}

static void add_both(struct problems *problems, const struct trace_step *kernel,
                     const struct trace_step *world)
{
    if (*kernel->outcome != 0 && *world->outcome != 0) {
        problems_add_outcomes(problems, (struct outcome_text){"kernel", kernel->outcome},
                              (struct outcome_text){"world", world->outcome});
    }
}

/* Each system's column speaks for that system: where only one did not as the file states, it is that
 * one. */
static const char *who_differs(const struct trace_step *kernel, const struct trace_step *world)
{
    if (kernel->status == STEP_OK && world->status != STEP_OK) {
        return "world";
    }
    return kernel->status != STEP_OK && world->status == STEP_OK ? "kernel" : "both";
}

void compare_traces(const struct scenario *scenario, const struct trace *kernel,
                    const struct trace *world, struct problems *problems)
{
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            const struct step *step = &scenario->actors[a].steps[i];
            const struct trace_step *k = &kernel->actors[a].steps[i];
            const struct trace_step *w = &world->actors[a].steps[i];
            if (k->status != w->status && (k->status == STEP_NOT_REACHED || w->status == STEP_OK ||
                                           k->status == STEP_OK || w->status == STEP_NOT_REACHED)) {
                add_problem(problems, PROBLEM_OUTCOME, step->at.line, who_differs(k, w),
                            compare_excuse(scenario, step), "%s: kernel %s%s%s, world %s%s%s",
                            step->text, trace_status_name(k->status), *k->outcome ? " -> " : "",
                            brief(problems, k->outcome), trace_status_name(w->status),
                            *w->outcome ? " -> " : "", brief(problems, w->outcome));
                add_both(problems, k, w);
            } else if (strcmp(k->outcome, w->outcome) != 0) {
                add_problem(problems, PROBLEM_OUTCOME, step->at.line, who_differs(k, w),
                            compare_excuse(scenario, step), "%s -> kernel %s, world %s", step->text,
                            brief(problems, k->outcome), brief(problems, w->outcome));
                add_both(problems, k, w);
            } else if (has_duration(step) && k->status == STEP_OK && w->status == STEP_OK) {
                compare_times(scenario, kernel, step, k, w, problems);
            }
        }
    }
}

void compare_forgive_stuck(struct problems *problems, const struct trace *kernel,
                           const struct trace *world)
{
    uint32_t kept = 0;
    if (kernel == NULL || kernel->end != TRACE_STUCK || world->end != TRACE_STUCK) {
        return;
    }
    for (uint32_t a = 0; a < world->actor_count; a++) {
        for (uint32_t i = 0; i < world->actors[a].step_count; i++) {
            if (kernel->actors[a].steps[i].status != world->actors[a].steps[i].status) {
                return;
            }
        }
    }
    for (uint32_t i = 0; i < problems->count; i++) {
        if (problems->list[i].kind != PROBLEM_END) {
            problems->list[kept++] = problems->list[i];
        }
    }
    problems->count = kept;
}

/* ---- verdicts ------------------------------------------------------------------------------- */

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"same",    "excused",    "different",
                                        "skipped", "unmeasured", "unsteady"};

    return names[verdict];
}

enum verdict compare_verdict(const struct scenario *scenario, const struct trace *kernel,
                             const struct trace *world, const struct problems *problems)
{
    if (problems_matter(problems)) {
        return VERDICT_DIFFERENT;
    }
    if (scenario->only != NULL) {
        return VERDICT_EXCUSED;
    }
    if (kernel == NULL || world == NULL || kernel->end == TRACE_SKIPPED ||
        world->end == TRACE_SKIPPED) {
        return VERDICT_SKIPPED;
    }
    return problems->count > 0 ? VERDICT_EXCUSED : VERDICT_SAME;
}

/* ---- schedules ------------------------------------------------------------------------------ */

/* Two steps of different actors that end at one instant, the latest such pair before the outcome: the
 * order of these is what the schedule chooses. */
struct rivals {
    const struct step *first, *second;
    uint32_t first_actor, second_actor;
    uint64_t at;
    uint32_t late; /* how far down their sections they stand */
};

static void consider(const struct scenario *scenario, const struct trace *base, uint32_t a, uint32_t i,
                     uint32_t b, uint32_t j, struct rivals *rivals)
{
    const struct trace_step *x = &base->actors[a].steps[i], *y = &base->actors[b].steps[j];
    if (x->ended_ns != y->ended_ns || x->status == STEP_NOT_REACHED || y->status == STEP_NOT_REACHED ||
        scenario->actors[a].steps[i].kind != STEP_CALL ||
        scenario->actors[b].steps[j].kind != STEP_CALL) {
        return;
    }
    if (rivals->first != NULL &&
        (x->ended_ns < rivals->at || (x->ended_ns == rivals->at && i + j < rivals->late))) {
        return;
    }
    *rivals = (struct rivals){
        &scenario->actors[a].steps[i], &scenario->actors[b].steps[j], a, b, x->ended_ns, i + j};
}

/* with_victim: the actor whose outcome moves may be one of the pair. */
static struct rivals find_rivals(const struct scenario *scenario, const struct trace *base,
                                 uint32_t victim, uint32_t step, bool with_victim)
{
    struct rivals rivals = {0};
    uint64_t until = base->actors[victim].steps[step].ended_ns;

    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            if (base->actors[a].steps[i].ended_ns > until || (a == victim && !with_victim)) {
                continue;
            }
            for (uint32_t b = a + 1; b < scenario->actor_count; b++) {
                for (uint32_t j = 0; j < scenario->actors[b].step_count; j++) {
                    if (b != victim || with_victim) {
                        consider(scenario, base, a, i, b, j, &rivals);
                    }
                }
            }
        }
    }
    return rivals;
}

void compare_schedules(const struct scenario *scenario, const struct trace *base,
                       const struct trace *other, struct text *text)
{
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            const struct step *step = &scenario->actors[a].steps[i];
            const struct trace_step *x = &base->actors[a].steps[i];
            const struct trace_step *y = &other->actors[a].steps[i];
            if (x->status == y->status && strcmp(x->outcome, y->outcome) == 0) {
                continue;
            }
            struct rivals rivals = find_rivals(scenario, base, a, i, false);
            if (rivals.first == NULL) {
                rivals = find_rivals(scenario, base, a, i, true);
            }
            text_add(text,
                     "line %u: %s shows %s%s or %s%s, by the order of what happens at one "
                     "instant",
                     step->at.line, step->text, *x->outcome ? "" : trace_status_name(x->status),
                     x->outcome, *y->outcome ? "" : trace_status_name(y->status), y->outcome);
            if (rivals.first != NULL) {
                text_add(text, ": put a sync between line %u, %s of [%s], and line %u, %s of [%s]",
                         rivals.first->at.line, rivals.first->text,
                         scenario->actors[rivals.first_actor].name, rivals.second->at.line,
                         rivals.second->text, scenario->actors[rivals.second_actor].name);
            }
            text_add(text, "\n");
            return;
        }
    }
}
