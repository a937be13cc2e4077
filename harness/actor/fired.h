/* Which fault rules fired during a step: what the fault plan counted since the last look.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_FIRED_H
#define HARNESS_FIRED_H

#include <drysock/sim.h>
#include <string.h>

#include "actor.h"

/* Whether a rule's first word means this actor: its name, `*`, or `@` and its host. */
static inline bool actor_is_meant(const struct actor *actor, const char *rule)
{
    const char *host = actor->scenario->hosts[actor->lines->host].name, *name = actor->lines->name;
    size_t length = strcspn(rule, " ");
    return (length == 1 && *rule == '*') ||
           (length == strlen(name) && strncmp(rule, name, length) == 0) ||
           (*rule == '@' && length == strlen(host) + 1 && strncmp(rule + 1, host, length - 1) == 0);
}

/* Adds "fault RULE" for each rule that fired for this actor since `seen` was last brought up to date: a
 * number for each rule of the scenario, zero at first. plan may be NULL. */
static inline void actor_note_fired(const struct actor *actor, const struct sim_fault_plan *plan,
                                    uint64_t *seen, struct text *text)
{
    for (uint32_t i = 0; plan != NULL && i < actor->scenario->fault_count; i++) {
        uint64_t fired = sim_fault_fired(plan, (int)i + 1);
        if (fired == seen[i] || !actor_is_meant(actor, actor->scenario->faults[i].text)) {
            continue;
        }
        seen[i] = fired;
        text_add(text, "%sfault %s", text->length > 0 ? "\n" : "", actor->scenario->faults[i].text);
    }
}

#endif
