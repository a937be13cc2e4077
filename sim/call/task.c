/* Tasks: their numbers, their beginning and end, and what is remembered of them after it.
 * SPDX-License-Identifier: MIT
 *
 * A task that nobody joins costs nothing in the long run: the records of the last few that ended are
 * kept, so that they can be looked at, and of many more the table of numbers still knows that they
 * ended, so that joining them late is no error. */
#include <assert.h>
#include <string.h>

#include "core/block.h"
#include "core/event.h"
#include "file/file.h"
#include "file/wait.h"
#include "pending.h"
#include "process.h"

enum {
    ENDED_KEPT = 64,           /* records of ended tasks */
    MOST_NUMBERS = 0x7fffffff, /* numbers are ints in sim.h */
};

/* ---- numbers ------------------------------------------------------------------------------------ */

static struct sim_task_entry *entry_of(const struct sim_world *world, uint32_t number)
{
    struct sim_task_entry *table = (struct sim_task_entry *)(void *)((char *)(uintptr_t)world +
                                                                     world->task_entry_offset);
    return &table[number & (world->task_entries - 1)];
}

/* The next number whose entry is not a living task's. There always is one: the table has many times as
 * many entries as tasks can live. Who ended so long ago that its number comes round is forgotten. */
static void give_number(struct sim_world *world, struct sim_task_id id, struct sim_task *task)
{
    uint32_t number = world->last_task_number;
    struct sim_task_entry *entry;
    do {
        number = number < MOST_NUMBERS ? number + 1 : 1;
        entry = entry_of(world, number);
    } while (entry->number && entry->task.index);
    world->last_task_number = number;
    task->number = number;
    sim_table_touch(world, entry);
    *entry = (struct sim_task_entry){number, id, task->process, SIM_TASK_WELL};
}

struct sim_task_id sim_task_find(const struct sim_world *world, uint32_t number)
{
    const struct sim_task_entry *entry = entry_of(world, number);
    return number && entry->number == number ? entry->task : (struct sim_task_id){0};
}

bool sim_task_is_known(const struct sim_world *world, uint32_t number)
{
    return number && entry_of(world, number)->number == number;
}

enum sim_task_fate sim_task_fate_of(const struct sim_world *world, uint32_t number)
{
    const struct sim_task_entry *entry = entry_of(world, number);
    return entry->number == number ? (enum sim_task_fate)entry->fate : SIM_TASK_WELL;
}

bool sim_task_forget(struct sim_world *world, struct sim_process_id process, uint32_t number)
{
    struct sim_task_entry *entry = entry_of(world, number);
    if (!number || entry->number != number || entry->task.index ||
        entry->process.index != process.index) {
        return false;
    }
    memset(entry, 0, sizeof *entry);
    return true;
}

/* ---- those that ended, oldest first ------------------------------------------------------------- */

static void note_ended(struct sim_world *world, struct sim_task_id id, struct sim_task *task)
{
    task->previous_ended = world->last_ended;
    if (world->last_ended.index) {
        sim_task_at(world, world->last_ended)->next_ended = id;
    } else {
        world->first_ended = id;
    }
    world->last_ended = id;
    world->ended_tasks++;
}

static void unlink_ended(struct sim_world *world, const struct sim_task *task)
{
    if (task->previous_ended.index) {
        sim_task_at(world, task->previous_ended)->next_ended = task->next_ended;
    } else {
        world->first_ended = task->next_ended;
    }
    if (task->next_ended.index) {
        sim_task_at(world, task->next_ended)->previous_ended = task->previous_ended;
    } else {
        world->last_ended = task->previous_ended;
    }
    world->ended_tasks--;
}

/* Frees the record. The number's entry goes with it where the task was joined, and else stays. */
static void free_record(struct sim_world *world, struct sim_task_id id, bool joined)
{
    struct sim_task *task = sim_task_at(world, id);
    struct sim_task_entry *entry = entry_of(world, task->number);
    assert(task->state == SIM_TASK_ENDED && entry->task.index == id.index);
    unlink_ended(world, task);
    sim_wait_abandon(world, &task->joiners);
    entry->task.index = 0;
    if (joined) {
        memset(entry, 0, sizeof *entry);
    }
    const struct sim_process_id process = task->process;
    sim_pool_give(world, SIM_POOL_TASK, id.index);
    sim_process_drop(world, process);
}

void sim_task_free(struct sim_world *world, struct sim_task_id id)
{
    free_record(world, id, !DRY_MUTANT(a_task_is_joined_twice));
}

/* ---- life --------------------------------------------------------------------------------------- */

struct sim_task_id sim_task_add(struct sim_world *world, struct sim_process_id process_id,
                                const char *name, bool daemon)
{
    const struct sim_pool *pool = &world->pools[SIM_POOL_TASK];
    while (world->ended_tasks > ENDED_KEPT ||
           (world->ended_tasks > 0 && pool->live_count == pool->capacity)) {
        free_record(world, world->first_ended, false);
    }
    const struct sim_task_id id = {sim_pool_take(world, SIM_POOL_TASK)};
    if (!id.index) {
        return id;
    }
    struct sim_process *process = sim_process_at(world, process_id);
    struct sim_task *task = sim_task_at(world, id);
    task->process = process_id;
    sim_process_hold(world, process_id);
    task->host = process->host;
    task->state = SIM_TASK_READY;
    task->daemon = daemon;
    task->run_event = sim_event_push(world, world->now, SIM_EVENT_TASK_RUNS, id.index, 0, 0);
    assert(task->run_event.index);
    sim_name_copy(task->name, name);
    give_number(world, id, task);
    process->task_count++;
    world->ready_tasks++;
    world->live_tasks += !daemon;
    return id;
}

void sim_task_end(struct sim_world *world, struct sim_task_id id)
{
    struct sim_task *task = sim_task_at(world, id);
    assert(task->state != SIM_TASK_ENDED);
    sim_file_wait_clear(world, id);
    if (task->state == SIM_TASK_READY) {
        world->ready_tasks--;
        sim_event_cancel(world, &task->run_event);
    } else if (task->state == SIM_TASK_WAITING && !task->daemon) {
        world->waiting_tasks--;
    }
    sim_event_cancel(world, &task->signal_event);
    memset(&task->call, 0, sizeof task->call);
    task->state = SIM_TASK_ENDED;
    entry_of(world, task->number)->fate = task->fate;
    note_ended(world, id, task);
    if (task->first_pending.index) {
        sim_signal_task_ended(world, id);
    }
    world->live_tasks -= !task->daemon;
    sim_process_at(world, task->process)->task_count--;
    if (world->running.index == id.index) {
        world->running.index = 0;
    }
    sim_wake(world, &task->joiners, SIM_WAKE_ALL);
}
