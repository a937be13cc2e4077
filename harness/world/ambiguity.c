/* Runs a scenario under several schedules and looks for the first outcome that moves.
 * SPDX-License-Identifier: MIT */
#include "ambiguity.h"

#include "result/compare.h"

static void try_one(const struct scenario *scenario, const struct world_options *options,
                    const struct trace *base, struct text *text, bool *interrupted)
{
    struct trace *other = world_run(scenario, options);
    *interrupted = other->end == TRACE_INTERRUPTED;
    if (!*interrupted) {
        compare_schedules(scenario, base, other, text);
    }
    trace_free(other);
}

/* On the kernel an event and a step of one instant come in either order. */
static void try_events(const struct scenario *scenario, const struct world_options *options,
                       const struct trace *base, struct text *text, bool *interrupted)
{
    struct world_options shifted = *options;
    for (int shift = -1; shift <= 1 && text->length == 0 && !*interrupted; shift += 2) {
        shifted.events_shift_ns = shift;
        try_one(scenario, &shifted, base, text, interrupted);
        if (text->length > 0) {
            text_add(text,
                     "an event (at …) that comes just %s what else happens at its instant does it: "
                     "give it an instant of its own\n",
                     shift < 0 ? "before" : "behind");
        }
    }
}

int ambiguity_check(const struct scenario *scenario, const struct world_options *options,
                    const struct trace *base, struct text *text)
{
    struct world_options permuted = *options;
    bool interrupted = false;
    permuted.capture = NULL;
    for (uint64_t seed = 1; seed <= AMBIGUITY_SEEDS && text->length == 0 && !interrupted; seed++) {
        permuted.schedule_seed = seed;
        try_one(scenario, &permuted, base, text, &interrupted);
        if (DRY_MUTANT(one_schedule_is_enough)) {
            break;
        }
    }
    permuted.schedule_seed = 0;
    if (scenario->event_count > 0 && !DRY_MUTANT(events_are_never_ambiguous)) {
        try_events(scenario, &permuted, base, text, &interrupted);
    }
    return !interrupted && text->length > 0;
}
