/* Families of programs: parents and children, zombies, groups and sessions; fork, exec and wait.
 * SPDX-License-Identifier: MIT
 *
 * A process that ends tells its family by an event, so that what kills it need know nothing of them.
 * init is nobody here: what it gets is gone at once. */
#include "family.h"

#include <sys/wait.h>

#include "core/event.h"
#include "file/futex.h"
#include "internal.h"
#include "pending.h"
#include "process.h"
#include "program.h"

enum { INIT_PID = 1 };

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

/* ---- who is who --------------------------------------------------------------------------------- */

int64_t sim_call_getpid(SIM_CALL)
{
    return sim_process_at(world, process_of(world, task))->pid;
}

int64_t sim_call_getppid(SIM_CALL)
{
    const struct sim_process_id parent = sim_process_at(world, process_of(world, task))->parent;
    return parent.index ? sim_process_at(world, parent)->pid : INIT_PID;
}

int64_t sim_call_gettid(SIM_CALL)
{
    return sim_task_at(world, task)->tid;
}

/* The process that getpgid, getsid, setpgid mean: 0 is the caller's. */
static struct sim_process_id meant(SIM_CALL, int pid)
{
    return pid == 0  ? process_of(world, task)
           : pid < 0 ? (struct sim_process_id){0}
                     : sim_family_process(world, (uint32_t)pid);
}

int64_t sim_call_getpgid(SIM_CALL, int pid)
{
    const struct sim_process_id id = meant(world, task, pid);
    return id.index ? (int64_t)sim_process_at(world, id)->group : -ESRCH;
}

int64_t sim_call_getsid(SIM_CALL, int pid)
{
    const struct sim_process_id id = meant(world, task, pid);
    return id.index ? (int64_t)sim_process_at(world, id)->session : -ESRCH;
}

static bool has_group(const struct sim_world *world, uint32_t group, uint32_t session)
{
    const uint32_t count = world->pools[SIM_POOL_PROCESS].high_water;
    for (uint32_t index = 1; index <= count; index++) {
        const struct sim_process *process = sim_process_at(world, (struct sim_process_id){index});
        if (sim_family_is_known(world, (struct sim_process_id){index}) && process->group == group &&
            (session == 0 || process->session == session)) {
            return true;
        }
    }
    return false;
}

/* In Linux's order: setpgid(2). */
int64_t sim_call_setpgid(SIM_CALL, int pid, int group)
{
    const struct sim_process_id caller = process_of(world, task);
    const struct sim_process *own = sim_process_at(world, caller);
    if (group < 0) {
        return -EINVAL;
    }
    const struct sim_process_id id = meant(world, task, pid);
    if (!id.index) {
        return -ESRCH;
    }
    struct sim_process *process = sim_process_at(world, id);
    if (process->parent.index == caller.index && id.index != caller.index) {
        if (process->session != own->session) {
            return -EPERM;
        }
        if (process->executed) {
            return -EACCES;
        }
    } else if (id.index != caller.index) {
        return -ESRCH;
    }
    if (process->session == process->pid) {
        return -EPERM;
    }
    const uint32_t wanted = group ? (uint32_t)group : process->pid;
    if (wanted != process->pid && !has_group(world, wanted, own->session)) {
        return -EPERM;
    }
    process->group = wanted;
    return 0;
}

int64_t sim_call_setsid(SIM_CALL)
{
    struct sim_process *process = sim_process_at(world, process_of(world, task));
    if (has_group(world, process->pid, 0)) {
        return -EPERM;
    }
    process->session = process->group = process->pid;
    return process->pid;
}

int64_t sim_call_set_tid(SIM_CALL, int other, int tid)
{
    const struct sim_task_id id = {(uint32_t)other};
    if (other < 1 || id.index > world->pools[SIM_POOL_TASK].high_water || tid < 1) {
        return -EINVAL;
    }
    struct sim_task *record = sim_task_at(world, id);
    struct sim_process *process = sim_process_at(world, record->process);
    const uint32_t number = (uint32_t)tid;
    if (record->tid == number) {
        return 0;
    }
    if (sim_family_task(world, number).index || sim_family_process(world, number).index) {
        return -EEXIST;
    }
    if (record->tid == process->pid) {
        process->group = process->group == process->pid ? number : process->group;
        process->session = process->session == process->pid ? number : process->session;
        process->pid = number;
    }
    record->tid = number;
    return 0;
}

/* ---- fork and exec ------------------------------------------------------------------------------ */

int64_t sim_call_fork(SIM_CALL, int flags, int *process, int *child_task)
{
    const struct sim_process_id caller = process_of(world, task);
    const struct sim_process *parent = sim_process_at(world, caller);
    if (flags & ~SIM_FORK_MEMORY) {
        return -EOPNOTSUPP;
    }
    const struct sim_process_id id = sim_process_fork(world, caller);
    if (!id.index) {
        return -EAGAIN;
    }
    sim_process_become_program(world, id);
    struct sim_process *child = sim_process_at(world, id);
    child->descriptor_limit = parent->descriptor_limit;
    child->handled_signals = parent->handled_signals;
    child->ignored_signals = parent->ignored_signals;
    child->restart_signals = parent->restart_signals;
    child->group = parent->group;
    child->session = parent->session;
    child->memory = flags & SIM_FORK_MEMORY ? parent->memory : child->memory;
    const struct sim_task_id made = sim_signal_copy_actions(world, caller, id) == 0
                                        ? sim_program_task(world, id, sim_task_at(world, task)->name,
                                                           false)
                                        : (struct sim_task_id){0};
    if (!made.index) {
        child->program = 0; /* nobody is to hear of it */
        child->waitable = SIM_WAITABLE_NOT;
        sim_process_drop(world, id);
        sim_signal_process_ended(world, id);
        sim_process_exit(world, id, 0);
        return -EAGAIN;
    }
    sim_task_at(world, made)->blocked_signals = sim_task_at(world, task)->blocked_signals;
    *process = (int)id.index;
    *child_task = (int)made.index;
    return child->pid;
}

void sim_family_end_vfork(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    if (process->vfork_parent.index) {
        sim_wait_wake_task(world, process->vfork_parent, SIM_WAKE_OBJECT);
        process->vfork_parent.index = 0;
    }
}

void sim_program_vfork(struct sim_world *world, struct sim_task_id parent, struct sim_task_id child)
{
    struct sim_task *runs = sim_task_at(world, child);
    sim_call_begin(world, parent, SIM_CALL_VFORK, -1, SIM_NEVER);
    sim_wait_park(world, parent, SIM_NEVER);
    sim_event_cancel(world, &runs->run_event);
    runs->state = SIM_TASK_RUNNING;
    world->ready_tasks--;
    world->running = child;
    sim_process_at(world, runs->process)->vfork_parent = parent;
}

void sim_program_execute(struct sim_world *world, struct sim_task_id task, const char *name)
{
    const struct sim_process_id id = process_of(world, task);
    struct sim_process *process = sim_process_at(world, id);
    const uint32_t tasks = world->pools[SIM_POOL_TASK].high_water;
    for (uint32_t index = 1; index <= tasks; index++) {
        const struct sim_task *other = sim_task_at(world, (struct sim_task_id){index});
        if (other->slot.live && other->process.index == id.index && index != task.index &&
            other->state != SIM_TASK_ENDED) {
            sim_task_end(world, (struct sim_task_id){index});
        }
    }
    sim_descriptor_close_on_exec(world, id);
    sim_signal_execute(world, id);
    process->memory = ++world->last_memory;
    process->executed = 1;
    sim_task_at(world, task)->tid = process->pid; /* LINUX: it becomes the leader */
    sim_name_copy(process->name, name);
    sim_futex_sweep_all(world);
    sim_family_end_vfork(world, id);
}

/* ---- the end ------------------------------------------------------------------------------------ */

static void let_go(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    if (process->waitable) {
        process->waitable = SIM_WAITABLE_NOT;
        sim_process_drop(world, id);
    }
}

static void orphan_children(struct sim_world *world, struct sim_process_id parent)
{
    const uint32_t count = world->pools[SIM_POOL_PROCESS].high_water;
    for (uint32_t index = 1; index <= count; index++) {
        const struct sim_process_id id = {index};
        struct sim_process *child = sim_process_at(world, id);
        if (child->slot.live && child->program && child->parent.index == parent.index) {
            child->parent.index = 0;
            child->orphan = 1;
            if (child->waitable == SIM_WAITABLE_DEAD) {
                let_go(world, id);
            }
        }
    }
}

static struct sim_signal child_signal(const struct sim_process *process)
{
    return (struct sim_signal){
        .number = SIGCHLD,
        .code = process->killed_by ? CLD_KILLED : CLD_EXITED,
        .pid = process->pid,
        .uid = process->uid,
        .status = process->killed_by ? (int32_t)process->killed_by : process->exit_status & 0xff,
    };
}

void sim_family_ended(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    const struct sim_process_id parent = process->parent;
    orphan_children(world, id);
    sim_family_end_vfork(world, id);
    if (!parent.index && !process->orphan) {
        process->waitable = SIM_WAITABLE_DEAD; /* who started it asks what became of it */
        return;
    }
    if (!parent.index) {
        let_go(world, id);
        return;
    }
    const struct sim_action action = sim_signal_action_of(world, parent, SIGCHLD);
    const struct sim_signal signal = child_signal(process);
    if (action.handler == (uintptr_t)SIG_IGN ||
        ((action.flags & SA_NOCLDWAIT) && !DRY_MUTANT(zombies_come_unasked))) {
        let_go(world, id);
    } else {
        process->waitable = SIM_WAITABLE_DEAD;
    }
    sim_wake(world, &sim_process_at(world, parent)->child_waiters, SIM_WAKE_ALL);
    if (!sim_process_at(world, parent)->exited) {
        sim_signal_to_process(world, parent, &signal);
    }
}

/* ---- wait --------------------------------------------------------------------------------------- */

/* Is this child meant? pid as wait4 reads it. */
static bool is_meant(const struct sim_world *world, struct sim_process_id caller,
                     const struct sim_process *child, int pid)
{
    return pid == -1  ? true
           : pid == 0 ? child->group == sim_process_at(world, caller)->group
           : pid > 0  ? child->pid == (uint32_t)pid
                      : child->group == (uint32_t)-(int64_t)pid;
}

/* The zombie that is meant, the one that was made first; *any: there are children that are meant. */
static struct sim_process_id find_dead(const struct sim_world *world, struct sim_process_id caller,
                                       int pid, bool *any)
{
    struct sim_process_id found = {0};
    const uint32_t count = world->pools[SIM_POOL_PROCESS].high_water;
    *any = false;
    for (uint32_t index = 1; index <= count; index++) {
        const struct sim_process *child = sim_process_at(world, (struct sim_process_id){index});
        if (!child->slot.live || !child->program || !child->waitable ||
            child->parent.index != caller.index || !is_meant(world, caller, child, pid)) {
            continue;
        }
        *any = true;
        if (child->waitable == SIM_WAITABLE_DEAD && !found.index) {
            found.index = index;
        }
    }
    return found;
}

/* A child that has ended: its index. 0: none now, and none is to be waited for (WNOHANG). */
static int64_t wait_for_child(SIM_CALL, int pid, bool no_hang)
{
    struct sim_task *caller = sim_task_at(world, task);
    const struct sim_process_id process = caller->process;
    bool any;
    const struct sim_process_id found = find_dead(world, process, pid, &any);
    if (found.index || !any || no_hang) {
        return sim_call_end(world, task, found.index ? (int64_t)found.index : any ? 0 : -ECHILD);
    }
    if (!caller->call.kind) {
        sim_call_begin(world, task, SIM_CALL_CHILD, -1, SIM_NEVER);
        if (sim_wait_add(world, task, SIM_QUEUE_CHILDREN, process.index, SIM_WAKE_ALL) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    if (sim_signal_due(caller)) {
        return sim_call_end(world, task, sim_signal_restarts(world, caller) ? SIM_RESTART : -EINTR);
    }
    sim_wait_park(world, task, SIM_NEVER);
    return SIM_WAIT;
}

int64_t sim_call_wait4(SIM_CALL, int pid, int *status, int options)
{
    if (options &
        ~(WNOHANG | WUNTRACED | WCONTINUED | (int)__WNOTHREAD | (int)__WCLONE | (int)__WALL)) {
        return -EINVAL;
    }
    if (pid == INT32_MIN) {
        return -ESRCH;
    }
    const int64_t index = wait_for_child(world, task, pid, options & WNOHANG);
    if (index <= 0) {
        return index;
    }
    const struct sim_process_id id = {(uint32_t)index};
    const struct sim_process *child = sim_process_at(world, id);
    const int64_t result = child->pid;
    if (status) {
        *status = child->killed_by ? (int)child->killed_by : (child->exit_status & 0xff) << 8;
    }
    let_go(world, id);
    return result;
}

int64_t sim_call_waitid(SIM_CALL, int type, int id, siginfo_t *information, int options)
{
    const int all = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | (int)__WNOTHREAD |
                    (int)__WCLONE | (int)__WALL;
    if ((options & ~all) || !(options & (WEXITED | WSTOPPED | WCONTINUED))) {
        return -EINVAL;
    }
    int pid = -1;
    if (type == P_PID) {
        pid = id;
    } else if (type == P_PGID) {
        pid = id == 0 ? 0 : -id;
    } else if (type != P_ALL) {
        return -EINVAL;
    }
    if ((type == P_PID && id <= 0) || (type == P_PGID && id < 0)) {
        return -EINVAL;
    }
    const int64_t index = wait_for_child(world, task, pid, options & WNOHANG);
    if (index < 0) {
        return index;
    }
    if (information) {
        memset(information, 0, sizeof *information);
    }
    if (index > 0) {
        const struct sim_process_id child = {(uint32_t)index};
        const struct sim_signal signal = child_signal(sim_process_at(world, child));
        if (information) {
            sim_signal_fill(world, &signal, 0, information);
        }
        if (!(options & WNOWAIT)) {
            let_go(world, child);
        }
    }
    return 0;
}
