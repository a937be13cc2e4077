/* Runs a scenario under several schedules and looks for the first outcome that moves.
 * SPDX-License-Identifier: MIT */
#include "ambiguity.h"

#include "result/compare.h"

int ambiguity_check(const struct scenario *scenario, const struct world_options *options,
                    const struct trace *base, struct text *text)
{
    struct world_options permuted = *options;
    permuted.capture = NULL;
    for (uint64_t seed = 1; seed <= AMBIGUITY_SEEDS && text->length == 0; seed++) {
        permuted.schedule_seed = seed;
        struct trace *other = world_run(scenario, &permuted);

        if (other->end == TRACE_INTERRUPTED) {
            trace_free(other);
            return 0;
        }
        compare_schedules(scenario, base, other, text);
        trace_free(other);
    }
    return text->length > 0;
}
