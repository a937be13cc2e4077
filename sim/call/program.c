/* Programs as they are, as processes of the world: what is theirs when they begin and when they end.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include "core/block.h"
#include "family.h"
#include "file/file.h"
#include "process.h"

enum { SOFT_DESCRIPTOR_LIMIT = 1024 }; /* Linux's own, until the program's is told */

/* ---- who is who --------------------------------------------------------------------------------- */

bool sim_family_is_known(const struct sim_world *world, struct sim_process_id id)
{
    const struct sim_process *process = sim_process_at(world, id);
    return process->slot.live && process->program && (!process->exited || process->waitable);
}

static bool is_thread_of(const struct sim_world *world, uint32_t index, uint32_t tid)
{
    const struct sim_task *task = sim_task_at(world, (struct sim_task_id){index});
    return task->slot.live && task->state != SIM_TASK_ENDED && task->tid == tid && tid != 0;
}

struct sim_task_id sim_family_task(const struct sim_world *world, uint32_t tid)
{
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks; index++) {
        if (is_thread_of(world, index, tid)) {
            return (struct sim_task_id){index};
        }
    }
    return (struct sim_task_id){0};
}

bool sim_family_has_id(const struct sim_world *world, struct sim_process_id process, uint32_t pid)
{
    if (sim_process_at(world, process)->pid == pid) {
        return true;
    }
    const struct sim_task_id task = sim_family_task(world, pid);
    return task.index && sim_task_at(world, task)->process.index == process.index;
}

struct sim_process_id sim_family_process(const struct sim_world *world, uint32_t pid)
{
    const uint32_t count = world->pools[SIM_POOL_PROCESS].high_water;
    for (uint32_t index = 1; index <= count; index++) {
        const struct sim_process_id id = {index};
        if (sim_family_is_known(world, id) && sim_process_at(world, id)->pid == pid) {
            return id;
        }
    }
    return (struct sim_process_id){0};
}

uint32_t sim_family_number(struct sim_world *world)
{
    uint32_t number;
    do {
        number = SIM_FIRST_PID + world->next_pid++;
    } while (sim_family_task(world, number).index || sim_family_process(world, number).index);
    return number;
}

/* ---- beginnings --------------------------------------------------------------------------------- */

void sim_process_become_program(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    process->program = 1;
    process->memory = ++world->last_memory;
    process->first_descriptor = 0;
    process->descriptor_limit = SOFT_DESCRIPTOR_LIMIT;
    process->handled_signals = 0;
    process->ignored_signals = 0;
    process->restart_signals = 0;
    process->group = process->session = process->pid;
    process->waitable = SIM_WAITABLE_LIVES;
    sim_process_hold(world, id);
}

struct sim_task_id sim_program_task(struct sim_world *world, struct sim_process_id process,
                                    const char *name, bool daemon)
{
    const bool first = sim_process_at(world, process)->task_count == 0;
    const struct sim_task_id id = sim_task_add(world, process, name, daemon);
    if (id.index) {
        sim_task_at(world, id)->tid = first ? sim_process_at(world, process)->pid
                                            : sim_family_number(world);
    }
    return id;
}
