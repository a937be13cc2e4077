/* The fault plan as its owner has it: rules in their order, and how often each fired.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <drysock/sim.h>

#include "actor.h"

struct sim_fault_plan *fault_plan_new(bool (*chance)(void *state, uint32_t ppm), void *state)
{
    struct sim_fault_plan *plan = calloc(1, sizeof *plan);
    if (plan != NULL) {
        plan->chance = chance;
        plan->chance_state = state;
    }
    return plan;
}

void sim_fault_plan_destroy(struct sim_fault_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    while (plan->actors != NULL) {
        struct fault_actor *actor = plan->actors;
        plan->actors = actor->next;
        fault_actor_free(actor);
    }
    while (plan->first != NULL) {
        struct fault_rule *rule = plan->first;
        plan->first = rule->next;
        free(rule);
    }
    free(plan->chance_state);
    free(plan);
}

int sim_fault_plan_add(struct sim_fault_plan *plan, const char *text, char *message, size_t bytes,
                       size_t *column)
{
    struct fault_rule *rule = calloc(1, sizeof *rule);
    if (rule == NULL) {
        return -ENOMEM;
    }
    if (fault_rule_parse(rule, text, message, bytes, column) < 0) {
        free(rule);
        return -EINVAL;
    }
    if (plan->last != NULL) {
        plan->last->next = rule;
    } else {
        plan->first = rule;
    }
    plan->last = rule;
    return ++plan->rule_count;
}

static const struct fault_rule *rule_at(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = plan->first;
    while (rule != NULL && --number > 0) {
        rule = rule->next;
    }
    return rule;
}

uint64_t sim_fault_fired(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = rule_at(plan, number);
    return rule == NULL ? 0 : rule->fired;
}

int sim_fault_rules(const struct sim_fault_plan *plan)
{
    return plan->rule_count;
}

const char *sim_fault_text(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = rule_at(plan, number);
    return rule == NULL ? "" : rule->text;
}
