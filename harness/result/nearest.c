/* Keeps each step's best time over several runs on the kernel, and judges it by a tight bound.
 * SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <stdlib.h>

struct step_times {
    bool seen, near;
    uint32_t true_runs; /* out of the bound, and the machine does not explain it */
    uint64_t wanted_ns, best_ns;
};

struct nearest {
    const struct scenario *scenario;
    struct step_times **actors;
    uint32_t runs;
    struct arena arena;
};

struct nearest *nearest_create(const struct scenario *scenario)
{
    struct nearest *nearest = calloc(1, sizeof *nearest);
    nearest->scenario = scenario;
    nearest->actors = arena_take(&nearest->arena,
                                 (scenario->actor_count + 1) * sizeof *nearest->actors);
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        nearest->actors[a] = arena_take(&nearest->arena, (scenario->actors[a].step_count + 1) *
                                                             sizeof **nearest->actors);
    }
    return nearest;
}

void nearest_free(struct nearest *nearest)
{
    if (nearest != NULL) {
        struct arena arena = nearest->arena;
        free(nearest);
        arena_free(&arena);
    }
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* LINUX: a timer of 63 ticks and more stands in a coarser row of the wheel, and may be late by an
 * eighth (kernel/time/timer.c); retransmission begins at 200 ms and adds what it measured. */
static uint64_t bound_of(const struct trace *kernel, uint64_t wanted, uint64_t took)
{
    uint64_t speed = kernel->speed > 1 ? kernel->speed : 1;
    if (took < wanted) {
        return NEAREST_LATE_NS * speed;
    }
    return NEAREST_LATE_NS * speed + (wanted >= NEAREST_WHEEL_NS ? wanted / 8 : 0);
}

static void take_step(struct step_times *times, const struct step *step, const struct trace *kernel,
                      const struct trace_step *k, const struct trace_step *w)
{
    uint64_t took = k->ended_ns - k->started_ns;
    const struct time_range *range = &step->expect.duration;
    uint64_t wanted = !step->expect.has_duration ? w->ended_ns - w->started_ns
                      : took < range->least_ns   ? range->least_ns
                      : took > range->most_ns    ? range->most_ns
                                                 : took;
    /* What the step itself computed is no wait. */
    if (took > wanted) {
        took -= took - wanted < k->busy_ns ? took - wanted : k->busy_ns;
    }
    uint64_t off = distance(took, wanted), bound = bound_of(kernel, wanted, took);
    /* What began late may well have ended on time. */
    uint64_t end_off = distance(k->ended_ns, w->ended_ns);
    times->wanted_ns = wanted;
    if (!times->seen || off < distance(times->best_ns, wanted)) {
        times->best_ns = took;
    }
    times->seen = true;
    if (off <= bound || (took < wanted && end_off <= bound)) {
        times->near = true;
    } else if (kernel->late_ns * 2 < off && !DRY_MUTANT(the_machine_is_always_to_blame)) {
        times->true_runs++;
    }
}

/* What comes out of order makes duplicate acknowledgements, and they are lots drawn in an order that
 * only the machine knows: such a link's times are not held so tightly. */
static bool reorders(const struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        if (scenario->links[i].options.reorder_ppm > 0) {
            return true;
        }
    }
    return false;
}

void nearest_take(struct nearest *nearest, const struct trace *kernel, const struct trace *world)
{
    const struct scenario *scenario = nearest->scenario;
    if (reorders(scenario) || kernel->end == TRACE_SKIPPED || world->end == TRACE_SKIPPED) {
        return;
    }
    nearest->runs++;
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            const struct step *step = &scenario->actors[a].steps[i];
            const struct trace_step *k = &kernel->actors[a].steps[i];
            const struct trace_step *w = &world->actors[a].steps[i];
            if (step->kind == STEP_CALL && k->status == STEP_OK && w->status == STEP_OK) {
                take_step(&nearest->actors[a][i], step, kernel, k, w);
            }
        }
    }
}

enum nearest_state nearest_state(const struct nearest *nearest)
{
    enum nearest_state state = NEAREST_NEAR;
    for (uint32_t a = 0; a < nearest->scenario->actor_count; a++) {
        for (uint32_t i = 0; i < nearest->scenario->actors[a].step_count; i++) {
            const struct step_times *times = &nearest->actors[a][i];
            if (!times->seen || times->near ||
                compare_excuse(nearest->scenario, &nearest->scenario->actors[a].steps[i]) != NULL) {
                continue;
            }
            if (times->true_runs >= NEAREST_TRUE_RUNS) {
                return NEAREST_WRONG;
            }
            state = NEAREST_OPEN;
        }
    }
    return state;
}

void nearest_judge(const struct nearest *nearest, struct problems *problems)
{
    const struct scenario *scenario = nearest->scenario;
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        for (uint32_t i = 0; i < scenario->actors[a].step_count; i++) {
            const struct step *step = &scenario->actors[a].steps[i];
            const struct step_times *times = &nearest->actors[a][i];
            char best[32], wanted[32];
            if (!times->seen || times->near) {
                continue;
            }
            scenario_time_print(times->best_ns, best);
            scenario_time_print(times->wanted_ns, wanted);
            compare_add_of_both(problems, PROBLEM_TIME, scenario, step,
                                "%s: on the kernel it took %s instead of %s, at best of %u run%s",
                                step->text, best, wanted, nearest->runs, nearest->runs == 1 ? "" : "s");
        }
    }
}
