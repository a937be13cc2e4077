/* The public sim.h: making worlds, hosts, links, processes, tasks, barriers, events.
 * SPDX-License-Identifier: MIT */
#include <drysock/sim.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call/call.h"
#include "call/process.h"
#include "core/block.h"
#include "core/event.h"
#include "core/random.h"
#include "frame.h"
#include "net/host.h"
#include "net/link.h"
#include "net/notation.h"
#include "parker.h"
#include "run.h"
#include "turn.h"
#include "unix/unix.h"

static_assert((int)SIM_LOCAL_BYTES == (int)DRY_LOCAL_BYTES,
              "a process's record holds the library's store");

enum { DEFAULT_SPIN_LIMIT = 10000, DEFAULT_SPIN_CALLS = 100000000, DEFAULT_STACK = 256 * 1024 };
static const uint64_t DEFAULT_WATCHDOG_NS = 10000000000;
static const uint64_t DEFAULT_WALL_CLOCK = 946684800000000000; /* 2000-01-01T00:00:00Z */

/* ---- creation ----------------------------------------------------------------------------------- */

static void *map(size_t bytes)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

/* The parts beside the world, sized by its pools. False: errno. */
static bool furnish(struct sim *sim)
{
    const struct sim_world *world = sim->world;
    const size_t tasks = (size_t)world->pools[SIM_POOL_TASK].capacity + 1;
    sim->code_bytes = tasks * sizeof *sim->code;
    sim->code = map(sim->code_bytes);
    sim->packet_bytes = malloc(SIM_PACKET_BYTES);
    if (!sim->code || !sim->packet_bytes || !sim_plan_open(sim)) {
        return false;
    }
    const int opened = sim->parker->open(sim, (uint32_t)tasks - 1);
    errno = -opened;
    return opened == 0;
}

struct sim *sim_create(const struct sim_options *options)
{
    static const struct sim_options none;
    sim_notice_jump();
    options = options ? options : &none;
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        return NULL;
    }
    sim_current_count_worlds(1);
    struct sim_capacities capacities = {{0}};
    capacities.of[SIM_POOL_SOCKET] = options->sockets;
    capacities.of[SIM_POOL_TASK] = options->tasks;
    capacities.of[SIM_POOL_PACKET] = options->packets;
    capacities.of[SIM_POOL_CHUNK] = options->chunks;
    sim->parker = &sim_fiber_parker;
    sim->seed = options->seed;
    sim->stack_bytes = options->stack_bytes ? options->stack_bytes : DEFAULT_STACK;
    sim->first_descriptor = options->first_descriptor;
    sim->descriptor_limit = options->descriptors_per_process;
    sim->check = options->check;
    sim->watchdog_ns = options->watchdog_ns ? options->watchdog_ns : DEFAULT_WATCHDOG_NS;
    sim->spin_limit = options->spin_limit ? options->spin_limit : DEFAULT_SPIN_LIMIT;
    sim->spin_calls = options->spin_calls ? options->spin_calls : DEFAULT_SPIN_CALLS;
    sim->spins_until_slow = sim->spin_limit;
    sim->file = -1;
    sim->world = options->shared ? sim_block_create_shared(&capacities, options->seed, &sim->file)
                                 : sim_block_create(&capacities, options->seed);
    if (!sim->world || !furnish(sim)) {
        const int error = errno;
        sim_destroy(sim);
        errno = error;
        return NULL;
    }
    sim->world->wall_offset_ns = options->wall_clock ? options->wall_clock : DEFAULT_WALL_CLOCK;
    sim->world->spin_limit = sim->spin_limit;
    sim->world->spin_calls = sim->spin_calls;
    return sim;
}

/* Gives up what stands beside the world for its hosts and tasks. */
static void clear(struct sim *sim)
{
    sim_capture_close(sim->capture);
    sim->capture = NULL;
    if (sim->world && sim->code) {
        const uint32_t tasks = sim->world->pools[SIM_POOL_TASK].high_water;
        for (uint32_t task = 1; task <= tasks; task++) {
            sim_end_code(sim, &sim->code[task]);
            sim->code[task].caller = (struct dry_caller){0}; /* its actor goes with the plan */
        }
    }
    sim_forget_failures(sim);
    sim_lines_forget(sim);
    free(sim->scripts);
    sim->scripts = NULL;
    sim->script_count = 0;
    sim_fault_plan_destroy(sim->plan);
    sim->plan = NULL;
}

/* The codes of the handle, by script index. */
static bool has_script_code(struct sim *sim, uint32_t index)
{
    if (index < sim->script_count) {
        return true;
    }
    const uint32_t count = 2 * index;
    struct sim_script_code *grown = realloc(sim->scripts, count * sizeof *grown);
    if (!grown) {
        return false;
    }
    memset(grown + sim->script_count, 0, (count - sim->script_count) * sizeof *grown);
    sim->scripts = grown;
    sim->script_count = count;
    return true;
}

struct sim *sim_copy(const struct sim *sim)
{
    const struct sim_options options = {
        .seed = sim->seed,
        .stack_bytes = sim->stack_bytes,
        .sockets = sim->world->pools[SIM_POOL_SOCKET].capacity,
        .tasks = sim->world->pools[SIM_POOL_TASK].capacity,
        .descriptors_per_process = sim->descriptor_limit,
        .first_descriptor = sim->first_descriptor,
        .check = sim->check,
        .watchdog_ns = sim->watchdog_ns,
        .spin_limit = sim->spin_limit,
        .spin_calls = sim->spin_calls,
    };
    struct sim *copy = sim_create(&options);
    struct sim_world *world = copy ? sim_block_copy(sim->world) : NULL;
    if (!world) {
        sim_destroy(copy);
        return NULL;
    }
    sim_block_destroy(copy->world);
    copy->world = world;
    world->running.index = 0;
    sim_fault_plan_destroy(copy->plan); /* that of the world it was made with */
    copy->plan = NULL;
    const uint32_t scripts = world->pools[SIM_POOL_SCRIPT].high_water;
    if (!sim_plan_open(copy) || (scripts > 0 && !has_script_code(copy, scripts))) {
        sim_destroy(copy);
        return NULL;
    }
    for (uint32_t index = 1; index <= scripts; index++) {
        copy->scripts[index] = sim->scripts[index];
    }
    return copy;
}

int sim_reset(struct sim *sim, uint64_t seed)
{
    sim_notice_jump();
    if (sim_is_in_run(sim)) {
        return -EBUSY;
    }
    clear(sim);
    const uint64_t wall_offset_ns = sim->world->wall_offset_ns;
    sim_block_reset(sim->world, seed);
    sim->world->wall_offset_ns = wall_offset_ns;
    sim->seed = seed;
    sim->failed_tasks = 0;
    sim->on_packet = NULL;
    sim->stop = NULL;
    sim->world->spin_limit = sim->spin_limit;
    sim->world->spin_calls = sim->spin_calls;
    return sim_plan_open(sim) ? 0 : -ENOMEM;
}

void sim_destroy(struct sim *sim)
{
    if (!sim) {
        return;
    }
    sim_notice_jump();
    if (sim_is_within(sim, "sim_destroy")) {
        return;
    }
    sim_current_count_worlds(-1);
    sim_watchdog_destroy(sim);
    clear(sim);
    sim->parker->close(sim);
    if (sim->code) {
        munmap(sim->code, sim->code_bytes);
    }
    free(sim->packet_bytes);
    if (sim->world) {
        sim_watch_close(sim);
        sim_block_destroy(sim->world);
    }
    if (sim->file >= 0) {
        close(sim->file);
    }
    free(sim);
}

/* ---- hosts and links ---------------------------------------------------------------------------- */

static int add_addresses(struct sim *sim, struct sim_host_id host, const char *addresses)
{
    static const char blanks[] = " \t";
    for (const char *at = addresses; *at;) {
        at += strspn(at, blanks);
        const size_t length = strcspn(at, blanks);
        char word[64];
        struct sim_ip ip;
        uint32_t bits;
        if (length == 0) {
            break;
        }
        if (length >= sizeof word) {
            return -EINVAL;
        }
        memcpy(word, at, length);
        word[length] = 0;
        char message[128];
        int result = sim_notation_address(word, &ip, &bits, message, sizeof message);
        if (result == 0 && sim_host_of_address(sim->world, ip).index) {
            result = -EADDRINUSE;
        }
        if (result == 0) {
            result = sim_host_add_address(sim->world, host, SIM_ETHERNET_NUMBER, ip, bits);
        }
        if (result < 0) {
            return result;
        }
        at += length;
    }
    return 0;
}

int sim_add_host(struct sim *sim, const char *name, const char *addresses)
{
    if (sim_host_find(sim->world, name).index) {
        return -EEXIST;
    }
    const struct sim_host_id id = sim_host_add(sim->world, name);
    if (!id.index) {
        return -ENOMEM;
    }
    const int result = addresses ? add_addresses(sim, id, addresses) : 0;
    return result < 0 ? result : (int)id.index;
}

int sim_find_host(const struct sim *sim, const char *name)
{
    const struct sim_host_id id = sim_host_find(sim->world, name);
    return id.index ? (int)id.index : -ENOENT;
}

int sim_add_link(struct sim *sim, int host_a, int host_b, const struct sim_link_options *options)
{
    static const struct sim_link_options perfect;
    options = options ? options : &perfect;
    if (!sim_host_exists(sim, host_a) || !sim_host_exists(sim, host_b)) {
        return -ENOENT;
    }
    if (host_a == host_b) {
        return -EINVAL;
    }
    const struct sim_link_way way = sim_link_way_of(options);
    const struct sim_link_id id = sim_link_add(sim->world, (struct sim_host_id){(uint32_t)host_a},
                                               (struct sim_host_id){(uint32_t)host_b}, &way);
    if (!id.index) {
        uint32_t direction;
        return sim_link_find(sim->world, (struct sim_host_id){(uint32_t)host_a},
                             (struct sim_host_id){(uint32_t)host_b}, &direction)
                       .index
                   ? -EEXIST
                   : -ENOMEM;
    }
    sim_link_at(sim->world, id)->down = options->down != 0;
    return (int)id.index;
}

int sim_change_link(struct sim *sim, int link, uint64_t at, bool up)
{
    if (link < 1 || (uint32_t)link > sim->world->pools[SIM_POOL_LINK].high_water) {
        return -ENOENT;
    }
    return sim_event_push_spare(sim->world, at, SIM_EVENT_LINK_CHANGE, (uint32_t)link, up, 0).index
               ? 0
               : -ENOMEM;
}

int sim_set(struct sim *sim, int host, const char *sysctl, int64_t value)
{
    return sim_host_exists(sim, host)
               ? sim_host_set(sim->world, (struct sim_host_id){(uint32_t)host}, sysctl, value)
               : -ENOENT;
}

/* How a setting of so many numbers is cut into settings of one. */
static const char *const parts_of[][3] = {{""}, {"_min", "_max"}, {"_min", "_default", "_max"}};

int sim_set_text(struct sim *sim, int host, const char *sysctl, const char *value)
{
    int64_t numbers[3];
    uint32_t count = 0;
    for (const char *at = value; *at; at += strspn(at, " \t")) {
        char *end;
        if (count == 3) {
            return -EINVAL;
        }
        errno = 0;
        numbers[count++] = strtoll(at, &end, 0);
        if (end == at || errno || (*end && !strchr(" \t", *end))) {
            return -EINVAL;
        }
        at = end;
    }
    int result = count ? 0 : -EINVAL;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        char name[SIM_NAME_BYTES * 2];
        snprintf(name, sizeof name, "%s%s", sysctl, parts_of[count - 1][i]);
        result = sim_set(sim, host, name, numbers[i]);
    }
    return result;
}

int sim_unlink(struct sim *sim, int host, const char *path)
{
    return sim_host_exists(sim, host)
               ? sim_unix_unlink(sim->world, (struct sim_host_id){(uint32_t)host}, path)
               : -ENOENT;
}

/* ---- processes and tasks ------------------------------------------------------------------------ */

static bool process_exists(const struct sim *sim, int process)
{
    const struct sim_process_id id = {(uint32_t)process};
    return process >= 1 && id.index <= sim->world->pools[SIM_POOL_PROCESS].high_water &&
           sim_process_at(sim->world, id)->slot.live && !sim_process_at(sim->world, id)->exited;
}

/* The record of the task of that number; index 0: none. */
static struct sim_task_id task_of(const struct sim *sim, int task)
{
    return task >= 1 ? sim_task_find(sim->world, (uint32_t)task) : (struct sim_task_id){0};
}

int sim_add_process(struct sim *sim, int host, const char *name)
{
    if (!sim_host_exists(sim, host)) {
        return -ENOENT;
    }
    const struct sim_process_id id = sim_process_add(sim->world, (struct sim_host_id){(uint32_t)host},
                                                     name);
    if (!id.index) {
        return -ENOMEM;
    }
    struct sim_process *process = sim_process_at(sim->world, id);
    if (sim->first_descriptor > 0) {
        process->first_descriptor = (uint32_t)sim->first_descriptor;
    }
    if (sim->descriptor_limit > 0) {
        process->descriptor_limit = sim->descriptor_limit;
    }
    return (int)id.index;
}

int sim_fork_process(struct sim *sim, int process)
{
    if (!process_exists(sim, process)) {
        return -ESRCH;
    }
    const struct sim_process_id id = sim_process_fork(sim->world,
                                                      (struct sim_process_id){(uint32_t)process});
    return id.index ? (int)id.index : -ENOMEM;
}

int sim_end_process(struct sim *sim, int process, int status)
{
    if (!process_exists(sim, process)) {
        return -ESRCH;
    }
    const uint32_t running = sim->running;
    sim_process_exit(sim->world, (struct sim_process_id){(uint32_t)process}, status);
    if (running && sim_task_at(sim->world, (struct sim_task_id){running})->state == SIM_TASK_ENDED) {
        sim_leave(sim, NULL); /* the caller was one of the process's tasks */
    }
    return 0;
}

static int spawn(struct sim *sim, int process, const char *name, bool daemon,
                 void (*entry)(void *argument), void *argument)
{
    uint32_t task = 0;
    if (!process_exists(sim, process)) {
        return -ESRCH;
    }
    const int result = sim_start_task(sim, (struct sim_process_id){(uint32_t)process}, name, daemon,
                                      entry, argument, &task);
    return result < 0 ? result : (int)task;
}

int sim_spawn(struct sim *sim, int process, const char *name, void (*entry)(void *argument),
              void *argument)
{
    return spawn(sim, process, name, false, entry, argument);
}

int sim_spawn_daemon(struct sim *sim, int process, const char *name, void (*entry)(void *argument),
                     void *argument)
{
    return spawn(sim, process, name, true, entry, argument);
}

int sim_task_status(const struct sim *sim, int task, const char **message)
{
    static const char killed[] = "its process was killed by a signal";
    if (message) {
        *message = "";
    }
    if (task < 1 || ((uint32_t)task > sim->world->last_task_number &&
                     !sim_task_is_known(sim->world, (uint32_t)task))) {
        return -ESRCH;
    }
    const struct sim_task_id id = task_of(sim, task);
    if (id.index && sim_task_at(sim->world, id)->state != SIM_TASK_ENDED) {
        return 0;
    }
    const char *why = sim_failure_of(sim, (uint32_t)task);
    if (!why && sim_task_fate_of(sim->world, (uint32_t)task) == SIM_TASK_KILLED) {
        why = killed;
    }
    if (message && why) {
        *message = why;
    }
    return why ? -ECANCELED : 1;
}

const char *sim_task_name(const struct sim *sim, int task)
{
    const struct sim_task_id id = task_of(sim, task);
    return id.index ? sim_task_at(sim->world, id)->name : "";
}

struct dry_caller sim_caller(struct sim *sim, int task)
{
    const struct sim_task_id id = task_of(sim, task);
    const uint32_t process = id.index ? sim_task_at(sim->world, id)->process.index : 0;
    return (struct dry_caller){&sim_system, sim, process, id.index};
}

/* ---- signals, barriers, instants ---------------------------------------------------------------- */

int sim_signal_at(struct sim *sim, int task, uint64_t at, int number, bool only_waiting)
{
    const struct sim_task_id id = task_of(sim, task);
    if (!id.index || sim_task_at(sim->world, id)->state == SIM_TASK_ENDED) {
        return -ESRCH;
    }
    if (number < 1 || number > 64) {
        return -EINVAL;
    }
    return sim_event_push_spare(sim->world, at, SIM_EVENT_SIGNAL, id.index, (uint32_t)number,
                                only_waiting)
                   .index
               ? 0
               : -ENOMEM;
}

int sim_signal_action(struct sim *sim, int process, int number, bool handled, bool restart)
{
    const enum sim_signal_disposition how = !handled  ? SIM_SIGNAL_IGNORED
                                            : restart ? SIM_SIGNAL_RESTARTS
                                                      : SIM_SIGNAL_HANDLED;
    return process_exists(sim, process)
               ? sim_signal_dispose(sim->world, (struct sim_process_id){(uint32_t)process}, number, how)
               : -ESRCH;
}

int sim_add_barrier(struct sim *sim, const char *name, uint32_t expected)
{
    const struct sim_barrier_id id = {sim_pool_take(sim->world, SIM_POOL_BARRIER)};
    if (!id.index) {
        return -ENOMEM;
    }
    struct sim_barrier *barrier = sim_barrier_at(sim->world, id);
    barrier->expected = expected;
    memcpy(barrier->name, name, strnlen(name, SIM_NAME_BYTES - 1));
    return (int)id.index;
}

static int barrier_wait(struct dry_caller caller, struct sim_barrier_id id)
{
    struct sim_frame frame;
    if (!sim_frame_open(&frame, caller)) {
        return (int)frame.result;
    }
    do {
        frame.result = sim_call_barrier(frame.world, frame.task, id);
    } while (sim_frame_waits(&frame));
    return (int)sim_frame_close(&frame);
}

int sim_barrier_wait(struct sim *sim, int barrier)
{
    const struct sim_barrier_id id = {(uint32_t)barrier};
    if (barrier < 1 || id.index > sim->world->pools[SIM_POOL_BARRIER].high_water) {
        return -ENOENT;
    }
    /* Only a task can meet others. */
    const struct dry_caller caller = {&sim_system, sim, 0, sim->running};
    return sim->running ? barrier_wait(caller, id) : -EDEADLK;
}

int sim_yield(struct sim *sim)
{
    const struct sim_task_id task = {sim->running};
    if (!task.index) {
        return -EDEADLK;
    }
    struct sim_frame frame;
    const struct dry_caller caller = {&sim_system, sim, 0, task.index};
    if (!sim_frame_open(&frame, caller)) {
        return (int)frame.result;
    }
    do { /* which is no wait: who does nothing but yield spins */
        frame.result = sim_call_yield(frame.world, frame.task);
    } while (frame.result == SIM_WAIT && sim_park(sim, task.index));
    return (int)sim_frame_close(&frame);
}

int sim_at(struct sim *sim, uint64_t at, void (*function)(void *argument), void *argument)
{
    const struct sim_script_id id = {sim_pool_take(sim->world, SIM_POOL_SCRIPT)};
    if (!id.index) {
        return -ENOMEM;
    }
    if (!has_script_code(sim, id.index) ||
        !sim_event_push_spare(sim->world, at, SIM_EVENT_SCRIPT, id.index, 0, 0).index) {
        sim_pool_give(sim->world, SIM_POOL_SCRIPT, id.index);
        return -ENOMEM;
    }
    sim_script_at(sim->world, id)->at = at;
    sim->scripts[id.index] = (struct sim_script_code){function, argument};
    return 0;
}

void sim_schedule_seed(struct sim *sim, uint64_t seed)
{
    struct sim_random drawn;
    sim_random_seed(&drawn, seed);
    sim->world->random.state[SIM_STREAM_SCHEDULE] = drawn.state[SIM_STREAM_SCHEDULE];
    sim->world->shuffle = seed != 0;
}
