/* The world's fault plan: it lies in cells of the block, and every task's calls go through it.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <assert.h>

#include "core/block.h"
#include "fault/fault.h"
#include "run.h"

static_assert((int)SIM_CELL_BYTES == (int)FAULT_CELL_BYTES, "a cell of the block holds one of a plan");

static void *cell_at(void *memory, uint32_t cell)
{
    const struct sim *sim = memory;
    return sim_cell_at(sim->world, (struct sim_cell_id){cell})->bytes;
}

static uint32_t take_cell(void *memory)
{
    const struct sim *sim = memory;
    return sim_pool_take(sim->world, SIM_POOL_CELL);
}

static void give_cell(void *memory, uint32_t cell)
{
    const struct sim *sim = memory;
    sim_pool_give(sim->world, SIM_POOL_CELL, cell);
}

/* The calls of this task's code go through the plan from now on. A daemon is no actor. */
static void put_before(struct sim *sim, uint32_t task)
{
    struct sim_code *code = sim_code_of(sim, task);
    const struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){task});
    if ((code->entry || code->own) && !record->daemon && code->caller.system == &sim_system) {
        code->caller = sim_fault_caller(sim->plan, code->caller,
                                        sim_host_at(sim->world, record->host)->name, record->name);
    }
}

void sim_plan_before(struct sim *sim, uint32_t task)
{
    if (sim_fault_rules(sim->plan) > 0) {
        put_before(sim, task);
    }
}

/* Whose turn comes later meets the plan then; who runs now, and added the rule, does at once. */
static void first_rule(void *argument)
{
    struct sim *sim = argument;
    struct sim_current *current = sim_current();
    if (sim->running && current->sim == sim) {
        put_before(sim, sim->running);
        if (current->caller.system == &sim_system) {
            current->caller = sim_code_of(sim, sim->running)->caller;
        }
    }
}

bool sim_plan_open(struct sim *sim)
{
    const struct fault_store store = {sim, cell_at, take_cell, give_cell};
    sim->plan = sim_fault_plan_in(store, sim->world->fault_plan.index, sim->seed);
    if (sim->plan) {
        sim->world->fault_plan.index = sim->plan->root;
        sim->plan->first_rule = first_rule;
        sim->plan->first_rule_argument = sim;
    }
    return sim->plan != NULL;
}

struct sim_fault_plan *sim_faults(struct sim *sim)
{
    return sim->plan;
}
