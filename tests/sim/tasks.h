/* For tests of world calls: a world with one host, one process and tasks that the test plays itself.
 * SPDX-License-Identifier: MIT
 *
 * No code runs in these tasks: the test makes a task's call, sees it wait, lets the world go on, and
 * makes the same call again when the world says that the task runs. Several tasks stand as running
 * at once, so sim_check_world has no place here. */
#ifndef TESTS_SIM_TASKS_H
#define TESTS_SIM_TASKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/call/call.h"
#include "sim/call/process.h"
#include "sim/core/block.h"
#include "sim/file/file.h"
#include "sim/file/wait.h"
#include "sim/net/host.h"
#include "sim/run/world.h"

static struct sim_world *world;
static struct sim_host_id host;
static struct sim_process_id process;
static struct sim_task_id one, two, three;

static const uint64_t MS = 1000000;

/* The next task that the world wants run, not after `until`; index 0: none. */
static inline struct sim_task_id runs_before(uint64_t until)
{
    struct sim_task_id task = {0};
    uint32_t script;
    enum sim_step step;
    do {
        step = sim_world_step(world, until, &task, &script);
    } while (step == SIM_STEP_DONE);
    return step == SIM_STEP_TASK ? task : (struct sim_task_id){0};
}

static inline struct sim_task_id runs(void)
{
    return runs_before(SIM_NEVER);
}

#define assert_runs(task) assert_int_equal(runs().index, (task).index)
#define assert_nobody_runs() assert_int_equal(runs().index, 0)

static inline struct sim_task_id task_named(const char *name)
{
    const struct sim_task_id task = sim_task_add(world, process, name, false);
    assert_int_not_equal(task.index, 0);
    return task;
}

static inline int begin(void **state)
{
    world = sim_block_create(&(struct sim_capacities){{0}}, 1);
    assert_non_null(world);
    host = sim_host_add(world, "h");
    process = sim_process_add(world, host, "p");
    one = task_named("one");
    two = task_named("two");
    three = task_named("three");
    assert_runs(one); /* each comes to run once, and stands outside any call */
    assert_runs(two);
    assert_runs(three);
    return 0;
}

static inline int end(void **state)
{
    sim_block_destroy(world);
    return 0;
}

static inline struct timespec in_ms(long ms)
{
    return (struct timespec){ms / 1000, ms % 1000 * 1000000};
}

#endif
