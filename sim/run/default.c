/* The world of a program that makes none: the one that $DRYSOCK_WORLD names, its caller the first task.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* First call outside any task: the thread's own world, with the caller as its first task. */
static struct dry_caller make_default_world(void)
{
    char message[512];
    struct sim_current *current = sim_current();
    if (gettid() != getpid()) {
        current->caller = sim_current_refuse(
            "this thread has no world: with libdrysock-sim alone a program "
            "has one thread, 'drysock exec' runs all of them");
        return current->caller;
    }
    struct sim *sim = sim_head_create(getenv("DRYSOCK_WORLD"), message, sizeof message);
    if (!sim) {
        fprintf(stderr, "drysock: DRYSOCK_WORLD: %s\n", message);
        exit(EXIT_FAILURE);
    }
    sim_current_count_worlds(-1); /* it is not one of the program's own */
    sim_current_own(sim);
    const int process = sim_add_process(sim, 1, "main");
    const int task = process < 0 ? process : sim_spawn(sim, process, "main", NULL, NULL);
    if (task < 0) {
        fprintf(stderr, "drysock: no world for main: %s\n", strerror(-task));
        exit(EXIT_FAILURE);
    }
    struct sim_code *code = sim_code_of(sim, (uint32_t)task);
    code->own = 1;
    code->started = 1;
    if (sim_loop_for(sim, (uint32_t)task, sim->world->now) != SIM_REACHED) {
        abort();
    }
    sim_plan_before(sim, (uint32_t)task);
    sim->running = (uint32_t)task;
    current->caller = code->caller;
    current->sim = sim;
    current->stack_bytes = UINTPTR_MAX; /* main's own, wherever that is */
    return current->caller;
}

struct dry_caller (*const sim_default_caller)(void) = make_default_world;
