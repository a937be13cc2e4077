/* Programs in a run: handles of other processes, and the lives of their threads.
 * SPDX-License-Identifier: MIT */
#include "attach.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call/internal.h"
#include "call/process.h"
#include "call/program.h"
#include "file/futex.h"
#include "parker.h"
#include "turn.h"

/* ---- the block ---------------------------------------------------------------------------------- */

int sim_block_fd(const struct sim *sim)
{
    return sim->file >= 0 ? sim->file : -EINVAL;
}

struct sim *sim_attach(int fd)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        return NULL;
    }
    sim->file = -1;
    sim->attached = 1;
    sim->parker = &sim_fiber_parker;
    sim->world = sim_block_attach(fd);
    if (sim->world) {
        sim->seed = sim->world->seed;
        sim->spin_limit = sim->spins_until_slow = sim->world->spin_limit;
        sim->spin_calls = sim->world->spin_calls;
        sim->code_bytes = ((size_t)sim->world->pools[SIM_POOL_TASK].capacity + 1) * sizeof *sim->code;
        sim->code = mmap(NULL, sim->code_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (!sim->world || sim->code == MAP_FAILED || !sim_plan_open(sim)) {
        const int error = sim->world ? ENOMEM : errno;
        sim_detach(sim);
        errno = error;
        return NULL;
    }
    return sim;
}

void sim_detach(struct sim *sim)
{
    if (!sim) {
        return;
    }
    sim_lines_forget(sim);
    sim_fault_plan_destroy(sim->plan);
    if (sim->code && sim->code != MAP_FAILED) {
        munmap(sim->code, sim->code_bytes);
    }
    sim_block_destroy(sim->world);
    if (sim_current()->sim == sim) {
        *sim_current() = (struct sim_current){0};
    }
    free(sim);
}

/* ---- processes and threads ---------------------------------------------------------------------- */

struct dry_caller sim_thread_caller(struct sim *sim, int task)
{
    const struct sim_task *record = sim_task_at(sim->world, (struct sim_task_id){(uint32_t)task});
    return (struct dry_caller){&sim_system, sim, record->process.index, (uint32_t)task};
}

struct dry_caller sim_thread_seam(struct sim *sim, int task)
{
    const struct sim_code *code = sim_code_of(sim, (uint32_t)task);
    return code->caller.system ? code->caller : sim_thread_caller(sim, task);
}

int sim_program_add(struct sim *sim, int host, const char *name)
{
    if (sim->file < 0) {
        return -EINVAL;
    }
    const int process = sim_add_process(sim, host, name);
    if (process > 0) {
        sim_process_become_program(sim->world, (struct sim_process_id){(uint32_t)process});
    }
    return process;
}

int sim_thread_add(struct sim *sim, int process, const char *name, bool daemon)
{
    const struct sim_process_id id = {(uint32_t)process};
    if (process < 1 || id.index > sim->world->pools[SIM_POOL_PROCESS].high_water ||
        !sim_process_at(sim->world, id)->program || sim_process_at(sim->world, id)->exited) {
        return -ESRCH;
    }
    const struct sim_task_id task = sim_program_task(sim->world, id, name, daemon);
    return task.index ? (int)task.index : -EAGAIN;
}

void sim_thread_forget(struct sim *sim, int task)
{
    const struct sim_task_id id = {(uint32_t)task};
    sim_task_end(sim->world, id);
    sim_task_free(sim->world, id);
}

void sim_process_is(struct sim *sim, int process, int real_pid)
{
    const struct sim_process_id id = {(uint32_t)process};
    struct sim_turn *turn = sim_turn_of(sim->world);
    *sim_place_of(sim->world, id.index) = (struct sim_place){
        real_pid, sim_process_at(sim->world, id)->slot.generation};
    if (turn->placed <= id.index) {
        __atomic_store_n(&turn->placed, id.index + 1, __ATOMIC_SEQ_CST);
    }
}

/* The running thread speaks as this task, and has the turn. */
static void become_current(struct sim *sim, uint32_t task)
{
    struct sim_code *code = sim_code_of(sim, task);
    if (!code->started || code->caller.task != task) { /* else it stands there since before vfork */
        code->caller = sim_thread_caller(sim, (int)task);
    }
    code->own = 1;
    code->started = 1;
    sim->running = task;
    sim_plan_before(sim, task);
    *sim_current() = (struct sim_current){code->caller, sim, 0, UINTPTR_MAX};
}

void sim_thread_enter(struct sim *sim, int task, int real_pid)
{
    sim_turn_take(sim, (uint32_t)task, 0);
    sim_code_of(sim, (uint32_t)task)->started = 0; /* what another one left there is not its own */
    become_current(sim, (uint32_t)task);
    sim_process_is(sim, (int)sim_thread_caller(sim, task).process, real_pid);
}

void sim_thread_resume(struct sim *sim, int task)
{
    become_current(sim, (uint32_t)task);
}

void sim_thread_leave(struct sim *sim, int task, uint32_t *clear_tid)
{
    const struct sim_task_id id = {(uint32_t)task};
    struct sim_seat *seat = sim_seat_of(sim->world, id.index);
    if (clear_tid) {
        /* Nobody sees it before this thread has left its stack: the turn passes on only then. */
        *clear_tid = 0;
        const struct sim_process_id process = sim_task_at(sim->world, id)->process;
        sim_futex_wake(sim->world, sim_futex_key(sim->world, process, clear_tid, NULL), INT32_MAX,
                       SIM_FUTEX_ANY);
    }
    sim_plan_thread_ended(sim, id.index);
    sim_code_of(sim, id.index)->started = 0;
    sim_task_end(sim->world, id);
    *sim_current() = (struct sim_current){0};
    __atomic_store_n(&seat->alive, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_set_tid_address, &seat->alive);
    sim_turn_pass(sim, id.index);
}

void sim_process_leave(struct sim *sim, int process, int status)
{
    const struct sim_process_id id = {(uint32_t)process};
    sim_process_exit(sim->world, id, status);
    *sim_current() = (struct sim_current){0};
    sim_turn_order(sim, SIM_ORDER_LEFT, id.index);
}

int sim_process_killed(const struct sim *sim, int process)
{
    return (int)sim_process_at(sim->world, (struct sim_process_id){(uint32_t)process})->killed_by;
}

int sim_process_status(const struct sim *sim, int process, int *killed_by)
{
    const struct sim_process *record = sim_process_at(sim->world,
                                                      (struct sim_process_id){(uint32_t)process});
    if (killed_by) {
        *killed_by = (int)record->killed_by;
    }
    return record->exited ? record->exit_status : -EAGAIN;
}

/* ---- fork and exec ------------------------------------------------------------------------------ */

void sim_process_forked(struct sim *sim)
{
    sim->running = 0;
    *sim_current() = (struct sim_current){0};
}

void sim_thread_vfork(struct sim *sim, int parent, int child)
{
    sim_program_vfork(sim->world, (struct sim_task_id){(uint32_t)parent},
                      (struct sim_task_id){(uint32_t)child});
    sim_turn_of(sim->world)->holder = (uint32_t)child;
    become_current(sim, (uint32_t)child);
}

void sim_thread_vforked(struct sim *sim, int parent)
{
    sim_turn_take(sim, (uint32_t)parent, 0);
    become_current(sim, (uint32_t)parent);
    sim_call_clear(sim->world, (struct sim_task_id){(uint32_t)parent});
}

int sim_process_executed(struct sim *sim, int process, const char *name)
{
    const struct sim_task_id task = sim->world->running;
    if (!task.index || sim_task_at(sim->world, task)->process.index != (uint32_t)process) {
        return -ESRCH;
    }
    sim_program_execute(sim->world, task, name);
    sim_alarms_delete(sim->world, (struct sim_process_id){(uint32_t)process});
    sim_code_of(sim, task.index)->started = 0;
    become_current(sim, task.index);
    sim_turn_of(sim->world)->in_world = 0;
    return (int)task.index;
}
