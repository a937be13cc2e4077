/* Programs as they are, as processes of the world.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include "core/block.h"
#include "process.h"

enum { SOFT_DESCRIPTOR_LIMIT = 1024 }; /* Linux's own, until the program's is told */

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
}
