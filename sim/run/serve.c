/* The name server as a task of a world.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <errno.h>
#include <string.h>

#include "core/block.h"
#include "names/nameserver.h"
#include "run.h"

static void serve_names(void *argument)
{
    struct sim *sim = argument;
    const struct sim_zone *zone = sim_zone_of(sim);
    const int result = zone ? sim_nameserver_serve(sim_current()->caller, zone) : -ENOMEM;
    sim_task_fail("the name server stopped: %s", strerror(-result));
}

/* Is this the name server of the host? */
static bool serves(const struct sim_task *task, int host)
{
    return task->slot.live && task->state != SIM_TASK_ENDED && task->daemon &&
           task->host.index == (uint32_t)host && strcmp(task->name, "nameserver") == 0;
}

int sim_add_nameserver(struct sim *sim, int host)
{
    const uint32_t tasks = sim->world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t task = 1; task <= tasks; task++) {
        if (serves(sim_task_at(sim->world, (struct sim_task_id){task}), host)) {
            return -EADDRINUSE;
        }
    }
    const int process = sim_add_process(sim, host, "nameserver");
    return process < 0 ? process : sim_spawn_daemon(sim, process, "nameserver", serve_names, sim);
}
