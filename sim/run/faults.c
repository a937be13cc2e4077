/* The world's fault plan: it lies in cells of the block, and every task's calls go through it.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <assert.h>

#include "core/block.h"
#include "fault/fault.h"
#include "run.h"

static_assert((int)SIM_CELL_BYTES == (int)FAULT_CELL_BYTES, "a cell of the block holds one of a plan");
static_assert(sizeof((struct sim_code *)0)->actor == FAULT_ACTOR_BYTES, "a code has room for an actor");

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

/* A program's thread is the actor that its process is named, and its calls are counted with those of
 * the process's other threads. Nothing is allocated: the program may be anywhere. */
static void put_before_thread(struct sim *sim, uint32_t task)
{
    struct sim_code *code = sim_code_of(sim, task);
    const struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){task});
    struct sim_process *process = sim_process_at(sim->world, record->process);
    if (code->caller.system != &sim_system || record->daemon) {
        return;
    }
    if (!process->fault_counts.index) {
        process->fault_counts.index = fault_counts_new(sim->plan);
    }
    const struct dry_caller caller = process->fault_counts.index
                                         ? fault_caller_in(code->actor, sim->plan, code->caller,
                                                           sim_host_at(sim->world, record->host)->name,
                                                           process->name, process->fault_counts.index)
                                         : (struct dry_caller){0};
    if (caller.system) {
        code->caller = caller;
    }
}

void sim_plan_thread_ended(struct sim *sim, uint32_t task)
{
    struct sim_code *code = sim_code_of(sim, task);
    if (code->caller.system && code->caller.system != &sim_system) {
        fault_actor_forget(code->actor);
    }
    code->caller = (struct dry_caller){0};
}

void sim_plan_process_ended(struct sim *sim, uint32_t index)
{
    struct sim_process *process = sim_process_at(sim->world, (struct sim_process_id){index});
    if (process->fault_counts.index) {
        fault_counts_end(sim->plan, process->fault_counts.index);
        process->fault_counts.index = 0;
    }
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
    const bool late = sim_code_of(sim, task)->started && DRY_MUTANT(a_later_rule_is_for_later_tasks);
    if (sim_fault_rules(sim->plan) > 0 && !late) {
        if (sim->attached) {
            put_before_thread(sim, task);
        } else {
            put_before(sim, task);
        }
    }
}

/* Whose turn comes later meets the plan then; who runs now, and added the rule, does at once. */
static void first_rule(void *argument)
{
    struct sim *sim = argument;
    struct sim_current *current = sim_current();
    if (sim->running && current->sim == sim) {
        sim_plan_before(sim, sim->running);
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
        sim->plan->programs = sim->file >= 0 || sim->attached;
        sim->plan->first_rule = first_rule;
        sim->plan->first_rule_argument = sim;
    }
    return sim->plan != NULL;
}

struct sim_fault_plan *sim_faults(struct sim *sim)
{
    return sim->plan;
}
