/* Counts the runs of one scenario on the kernel and decides by them.
 * SPDX-License-Identifier: MIT */
#include "steadiness.h"

void steadiness_take_first(struct steadiness *steadiness, bool differs, uint64_t machine_late_ns)
{
    steadiness->first_differs = differs;
    steadiness->first_explained = machine_late_ns >= STEADINESS_MACHINE_LATE_NS;
}

void steadiness_take_alone(struct steadiness *steadiness, bool differs, uint64_t machine_late_ns)
{
    steadiness->alone++;
    if (!differs) {
        steadiness->same++;
    } else if (machine_late_ns < STEADINESS_MACHINE_LATE_NS && !DRY_MUTANT(alone_nothing_differs)) {
        steadiness->differed++;
    }
}

/* A first difference that the machine explains needs one run that agrees, any other as many as would
 * make it different. */
static bool agrees_enough(const struct steadiness *steadiness)
{
    if (!steadiness->first_differs && steadiness->differed == 0) {
        return true;
    }
    if (steadiness->first_explained && steadiness->differed == 0) {
        return steadiness->same > 0;
    }
    return steadiness->same >= STEADINESS_ENOUGH;
}

bool steadiness_wants_more(const struct steadiness *steadiness, enum nearest_state near)
{
    if (steadiness->alone >= STEADINESS_MOST || steadiness->differed >= STEADINESS_ENOUGH ||
        near == NEAREST_WRONG) {
        return false;
    }
    return near == NEAREST_OPEN || !agrees_enough(steadiness);
}

enum verdict steadiness_verdict(const struct steadiness *steadiness, enum nearest_state near)
{
    if (steadiness->differed >= STEADINESS_ENOUGH || near == NEAREST_WRONG) {
        return VERDICT_DIFFERENT;
    }
    if (near == NEAREST_OPEN || !agrees_enough(steadiness)) {
        return VERDICT_UNMEASURED;
    }
    bool explained = !steadiness->first_differs || steadiness->first_explained;
    return explained && steadiness->differed == 0 ? VERDICT_SAME : VERDICT_UNSTEADY;
}
