/* The fault plan as its owner has it: rules in their order, and how often each fired.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <drysock/sim.h>

#include "actor.h"

static_assert(sizeof(struct fault_rule) <= FAULT_CELL_BYTES, "a rule is larger than a cell");

struct sim_fault_plan *fault_plan_open(struct fault_store store, uint32_t root,
                                       bool (*chance)(uint64_t state[2], uint32_t ppm))
{
    struct sim_fault_plan *plan = calloc(1, sizeof *plan);
    if (plan != NULL) {
        plan->store = store;
        plan->chance = chance;
        plan->root = root != 0 ? root : store.take(store.memory);
        if (plan->root == 0) {
            free(plan);
            return NULL;
        }
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
        free(actor);
    }
    if (plan->destroy_store != NULL) {
        plan->destroy_store(plan->store.memory);
    }
    free(plan);
}

int sim_fault_plan_add(struct sim_fault_plan *plan, const char *text, char *message, size_t bytes,
                       size_t *column)
{
    struct fault_rule rule = {0};
    if (fault_rule_parse(&rule, text, plan->programs, message, bytes, column) < 0) {
        return -EINVAL;
    }
    const uint32_t cell = plan->store.take(plan->store.memory);
    if (cell == 0) {
        return -ENOMEM;
    }
    *fault_rule_at(plan, cell) = rule;
    struct fault_root *root = fault_root_of(plan);
    if (root->last_rule != 0) {
        fault_rule_at(plan, root->last_rule)->next = cell;
    } else {
        root->first_rule = cell;
    }
    root->last_rule = cell;
    if (++root->rule_count == 1 && plan->first_rule != NULL) {
        plan->first_rule(plan->first_rule_argument);
    }
    return root->rule_count;
}

static const struct fault_rule *rule_at(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = fault_rule_at(plan, fault_root_of(plan)->first_rule);
    while (rule != NULL && --number > 0) {
        rule = fault_rule_at(plan, rule->next);
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
    return fault_root_of(plan)->rule_count;
}

const char *sim_fault_text(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = rule_at(plan, number);
    return rule == NULL ? "" : rule->text;
}
