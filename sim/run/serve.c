/* The name server as a task of a world.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <errno.h>
#include <string.h>

#include "names/nameserver.h"
#include "run.h"

static void serve_names(void *argument)
{
    struct sim *sim = argument;
    const struct sim_zone *zone = sim_zone_of(sim);
    void *server = sim_take_memory(sim, sim_nameserver_bytes());
    const int result = zone && server ? sim_nameserver_serve_in(server, sim_current()->caller, zone)
                                      : -ENOMEM;
    sim_task_fail("the name server stopped: %s", strerror(-result));
}

int sim_add_nameserver(struct sim *sim, int host)
{
    const int process = sim_add_process(sim, host, "nameserver");
    return process < 0 ? process : sim_spawn_daemon(sim, process, "nameserver", serve_names, sim);
}
