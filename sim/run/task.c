/* Tasks that run code: their beginning, their turns, their ends and failures.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "call/process.h"
#include "core/block.h"
#include "fault/fault.h"
#include "parker.h"
#include "provider.h"
#include "run.h"

/* ---- failures ----------------------------------------------------------------------------------- */

enum { FAILED_KEPT = 65536 }; /* of more, only that they failed is remembered */

static void note_failed(struct sim *sim, uint32_t number, const char *message)
{
    if (sim->failed_count == FAILED_KEPT) {
        return;
    }
    struct sim_failed *grown = realloc(sim->failed, (sim->failed_count + (size_t)1) * sizeof *grown);
    if (grown) {
        sim->failed = grown;
        grown[sim->failed_count++] = (struct sim_failed){number, strdup(message)};
    }
}

const char *sim_failure_of(const struct sim *sim, uint32_t number)
{
    static const char forgotten[] = "failed";
    for (uint32_t i = 0; i < sim->failed_count; i++) {
        if (sim->failed[i].number == number) {
            return sim->failed[i].message ? sim->failed[i].message : forgotten;
        }
    }
    return sim_task_fate_of(sim->world, number) == SIM_TASK_FAILED ? forgotten : NULL;
}

void sim_forget_failures(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->failed_count; i++) {
        free(sim->failed[i].message);
    }
    free(sim->failed);
    sim->failed = NULL;
    sim->failed_count = 0;
}

void sim_fail_task(struct sim *sim, uint32_t task, const char *message)
{
    struct sim_world *world = sim->world;
    struct sim_task *record = sim_task_at(world, (struct sim_task_id){task});
    record->fate = SIM_TASK_FAILED;
    note_failed(sim, record->number, message);
    world->failed_tasks++;
    if (sim->failed_tasks++ == 0) {
        snprintf(sim->failure, sizeof sim->failure, "%s: %s (at %llu.%09llu s, seed %llu)",
                 record->name, message, (unsigned long long)(world->now / 1000000000),
                 (unsigned long long)(world->now % 1000000000), (unsigned long long)sim->seed);
    }
}

bool sim_is_overdue(struct sim *sim, char *message, size_t bytes)
{
    if (!sim->overdue) {
        return false;
    }
    sim->overdue = 0;
    sim->spins_until_slow = sim->spin_limit;
    snprintf(message, bytes, "computed for %llu ms without a call: ended by the watchdog",
             (unsigned long long)(sim->watchdog_ns / 1000000));
    return true;
}

void sim_leave(struct sim *sim, const char *message)
{
    const struct sim_task_id task = {sim->running};
    char late[128];
    if (sim_is_overdue(sim, late, sizeof late) && !message) {
        message = late;
    }
    struct sim_code *code = sim_code_of(sim, task.index);
    if (message) {
        sim_fail_task(sim, task.index, message);
    }
    if (sim_task_at(sim->world, task)->state != SIM_TASK_ENDED) {
        sim_task_end(sim->world, task);
    }
    assert(!code->own); /* main has no other stack to leave to */
    code->started = 0;
    sim->parker->leave(sim, code);
}

/* ---- what a code holds -------------------------------------------------------------------------- */

struct sim_owned {
    struct sim_owned *next;
    _Alignas(16) char bytes[];
};

static void *take(struct sim_code *code, size_t bytes)
{
    struct sim_owned *owned = bytes <= SIZE_MAX - sizeof *owned ? calloc(1, sizeof *owned + bytes)
                                                                : NULL;
    if (!owned) {
        return NULL;
    }
    if (code) {
        owned->next = code->owned;
        code->owned = owned;
    }
    return owned->bytes;
}

static void give(struct sim_code *code, void *memory)
{
    struct sim_owned *owned = (void *)((char *)memory - offsetof(struct sim_owned, bytes));
    if (code) {
        struct sim_owned **link = &code->owned;
        while (*link && *link != owned) {
            link = &(*link)->next;
        }
        assert(*link);
        *link = owned->next;
    }
    free(owned);
}

void *sim_take_memory(struct sim *sim, size_t bytes)
{
    return take(sim_code_of(sim, sim->running), bytes);
}

void sim_give_memory(struct sim *sim, void *memory)
{
    give(sim_code_of(sim, sim->running), memory);
}

/* Whose it is; NULL: nobody's, the caller is no task of a world. */
static struct sim_code *holder(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    return sim && caller.task && caller.task <= sim->world->pools[SIM_POOL_TASK].capacity
               ? sim_code_of(sim, caller.task)
               : NULL;
}

void *sim_seam_hold(struct dry_caller caller, size_t bytes)
{
    return take(holder(caller), bytes);
}

void sim_seam_release(struct dry_caller caller, void *memory)
{
    if (memory) {
        give(holder(caller), memory);
    }
}

void sim_end_code(struct sim *sim, struct sim_code *code)
{
    while (code->owned) {
        struct sim_owned *owned = code->owned;
        code->owned = owned->next;
        free(owned);
    }
    sim->parker->end(sim, code);
}

/* ---- turns -------------------------------------------------------------------------------------- */

static void run_entry(void *argument)
{
    struct sim *sim = argument;
    struct sim_code *code = sim_code_of(sim, sim->running);
    code->entry(code->argument);
    if (sim_current()->forked) {
        exit(EXIT_SUCCESS); /* the child of a task is no more than that task */
    }
    sim_leave(sim, NULL);
}

int sim_start_task(struct sim *sim, struct sim_process_id process, const char *name, bool daemon,
                   void (*entry)(void *argument), void *argument, uint32_t *number)
{
    const struct sim_task_id id = sim_task_add(sim->world, process, name, daemon);
    if (!id.index) {
        return -EAGAIN;
    }
    struct sim_code *code = sim_code_of(sim, id.index);
    sim_end_code(sim, code); /* of a task that was killed while it waited */
    fault_end(sim->plan, code->caller);
    memset(code, 0, sizeof *code);
    code->caller = (struct dry_caller){&sim_system, sim, process.index, id.index};
    code->entry = entry;
    code->argument = argument;
    *number = sim_task_at(sim->world, id)->number;
    return 0;
}

/* First run: what the code runs on. */
static bool start(struct sim *sim, struct sim_code *code)
{
    if (!sim->parker->begin(sim, code, run_entry, sim)) {
        return false;
    }
    code->started = 1;
    return true;
}

/* A copied world's tasks have no code: they wait for ever. */
static void detach(struct sim *sim, uint32_t task)
{
    struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){task});
    record->state = SIM_TASK_WAITING;
    sim->world->waiting_tasks += !record->daemon;
    sim->world->running.index = 0;
}

void sim_resume(struct sim *sim, uint32_t task)
{
    struct sim_code *code = sim_code_of(sim, task);
    if (!code->started && !code->entry) {
        detach(sim, task);
        return;
    }
    if (!code->started && !start(sim, code)) {
        sim_fail_task(sim, task, "there is no memory for its stack");
        sim_task_end(sim->world, (struct sim_task_id){task});
        return;
    }
    sim->running = task;
    sim->calls++;
    sim->parker->unpark(sim, code);
    sim->running = 0;
    sim->world->running.index = 0;
    if (!code->started) {
        sim_end_code(sim, code);
    }
}

/* Whether the loop stands on this stack: a failed assertion in a callback may have jumped over it. */
__attribute__((no_sanitize_address)) static bool loop_stands(const struct sim *sim)
{
    return (uintptr_t)__builtin_frame_address(0) < (uintptr_t)sim->loop_mark &&
           *sim->loop_mark == SIM_LOOP_MARK;
}

static bool in_task_of(const struct sim *sim)
{
    return sim->running && sim_current()->sim == sim;
}

bool sim_is_in_run(struct sim *sim)
{
    if (sim->looping && !in_task_of(sim) && !loop_stands(sim)) {
        sim->looping = 0;
    }
    return sim->looping;
}

bool sim_is_within(struct sim *sim, const char *call)
{
    char message[128];
    if (!sim_is_in_run(sim)) {
        return false;
    }
    snprintf(message, sizeof message, "%s within a run of the same world", call);
    if (in_task_of(sim)) {
        sim->in_call = 0;
        sim_leave(sim, message);
    }
    fprintf(stderr, "drysock: %s: it does nothing\n", message);
    return true;
}

void sim_put_right(struct sim_current *current)
{
    struct sim *sim = current->sim;
    struct sim_code *code = sim_code_of(sim, sim->running);
    const uint32_t task = sim->running;
    sim->parker->jumped(sim, code);
    sim->running = 0;
    sim->in_call = 0;
    sim->looping = 0;
    sim_fail_task(sim, task, "its code jumped off its stack: a failed assertion");
    sim_task_end(sim->world, (struct sim_task_id){task});
    code->started = 0;
    sim_end_code(sim, code);
}

void sim_task_fail(const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct sim *sim = sim_current()->sim;
    if (!sim || !sim->running || sim_code_of(sim, sim->running)->own) {
        fprintf(stderr, "drysock: sim_task_fail outside a task: %s\n", message);
        abort();
    }
    sim_leave(sim, message);
}
