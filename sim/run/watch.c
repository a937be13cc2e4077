/* The real processes behind a run's programs: who has ended, and what the world is told of it.
 * SPDX-License-Identifier: MIT
 *
 * Processes are named by descriptors (pidfd), so that a number that comes again is no other's. A
 * death that nobody announced (a crash, a kill from outside) ends the process in the world as the
 * kernel's clean-up would: descriptors closed, peers told, the parent signalled. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call/process.h"
#include "file/file.h"
#include "turn.h"

enum { PATIENCE_S = 10 }; /* for one that said that it ends */

/* A process that is watched, by index. */
struct sim_watched {
    int file; /* its pidfd; -1: not watched */
    uint32_t generation;
    int32_t pid;
    uint32_t padding;
};

static struct sim_watched *watched_of(struct sim *sim, uint32_t process)
{
    if (process >= sim->watched_count) {
        const uint32_t count = 2 * process + 16;
        struct sim_watched *grown = realloc(sim->watched, count * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        for (uint32_t i = sim->watched_count; i < count; i++) {
            grown[i] = (struct sim_watched){.file = -1};
        }
        sim->watched = grown;
        sim->watched_count = count;
    }
    return &sim->watched[process];
}

static void forget(struct sim_watched *watched)
{
    if (watched->file >= 0) {
        close(watched->file);
    }
    *watched = (struct sim_watched){.file = -1};
}

/* The process's descriptor, opened when it has a place in the block; NULL: it has no real process. */
static struct sim_watched *watch(struct sim *sim, uint32_t process)
{
    struct sim_watched *watched = watched_of(sim, process);
    const struct sim_place place = *sim_place_of(sim->world, process);
    if (!watched || (!place.pid && watched->file < 0)) {
        return NULL;
    }
    if (watched->file < 0 || watched->generation != place.generation || watched->pid != place.pid) {
        forget(watched);
        watched->generation = place.generation;
        watched->pid = place.pid;
        watched->file = (int)syscall(SYS_pidfd_open, place.pid, 0);
    }
    return watched;
}

static bool has_ended(const struct sim_watched *watched, int timeout_ms)
{
    struct pollfd poller = {.fd = watched->file, .events = POLLIN};
    return watched->file < 0 || poll(&poller, 1, timeout_ms) > 0;
}

/* What ended it, as wait(2) tells it; of a process that is not our child, as /proc does. */
static int status_of(const struct sim_watched *watched)
{
    char path[64], text[1024];
    int status;
    siginfo_t information = {0};
    if (watched->file >= 0 &&
        waitid(P_PIDFD, (id_t)watched->file, &information, WEXITED | WNOHANG) == 0 &&
        information.si_pid) {
        return information.si_code == CLD_EXITED ? information.si_status << 8 : information.si_status;
    }
    snprintf(path, sizeof path, "/proc/%d/stat", watched->pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) {
        close(file);
    }
    text[length > 0 ? length : 0] = 0;
    const char *last = strrchr(text, ' '); /* exit_code is the last field */
    status = last ? atoi(last) : SIGKILL;
    return status;
}

/* The process is no more, and nobody had said so. */
static void died(struct sim *sim, uint32_t index, const struct sim_watched *watched)
{
    const struct sim_process_id id = {index};
    struct sim_process *process = sim_process_at(sim->world, id);
    if (process->slot.live && process->slot.generation == watched->generation && !process->exited) {
        const int status = status_of(watched);
        if (WIFSIGNALED(status)) {
            process->killed_by = (uint32_t)WTERMSIG(status);
        }
        sim_process_exit(sim->world, id,
                         WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    } else if (watched->file >= 0) {
        waitid(P_PIDFD, (id_t)watched->file, NULL, WEXITED | WNOHANG);
    }
    if (process->slot.live && process->slot.generation == watched->generation) {
        sim_plan_process_ended(sim, index);
    }
    *sim_place_of(sim->world, index) = (struct sim_place){0};
}

static uint32_t process_of_holder(const struct sim *sim)
{
    const uint32_t holder = sim_turn_of(sim->world)->holder;
    return holder ? sim_task_at(sim->world, (struct sim_task_id){holder})->process.index : 0;
}

/* The turn is the coordinator's from here on: its holder is no more. */
static void recover(struct sim *sim)
{
    struct sim_turn *turn = sim_turn_of(sim->world);
    if (turn->in_world && sim->failed_tasks == 0) {
        snprintf(sim->failure, sizeof sim->failure,
                 "%s: its process was killed inside the world's code: the world cannot go on",
                 sim_task_at(sim->world, (struct sim_task_id){turn->holder})->name);
        sim->failed_tasks = 1;
    }
    turn->in_world = 0;
    turn->leaving = 0;
    turn->order = SIM_ORDER_LOOP;
    turn->holder = 0;
    sim->world->running.index = 0;
    sim_seat_of(sim->world, 0)->turn = 0;
}

bool sim_watch_look(struct sim *sim)
{
    const uint32_t placed = __atomic_load_n(&sim_turn_of(sim->world)->placed, __ATOMIC_SEQ_CST);
    for (uint32_t index = 1; index < placed; index++) {
        struct sim_watched *watched = watch(sim, index);
        if (!watched || !has_ended(watched, 0)) {
            continue;
        }
        if (process_of_holder(sim) != index) {
            sim_turn_of(sim->world)->wanted = 1; /* told as soon as somebody passes the turn */
            continue;
        }
        recover(sim);
        died(sim, index, watched);
        forget(watched);
        return true;
    }
    return false;
}

void sim_watch_leave(struct sim *sim, uint32_t process)
{
    struct sim_watched *watched = watch(sim, process);
    if (watched) {
        for (int seconds = 0; !has_ended(watched, 1000); seconds++) {
            if (seconds == PATIENCE_S) {
                syscall(SYS_pidfd_send_signal, watched->file, SIGKILL, NULL, 0);
            }
        }
        died(sim, process, watched);
        forget(watched);
    }
}

void sim_watch_reap(struct sim *sim)
{
    const uint32_t placed = sim_turn_of(sim->world)->placed;
    for (uint32_t index = 1; index < placed; index++) {
        struct sim_watched *watched = watch(sim, index);
        if (!watched) {
            continue;
        }
        const struct sim_process *process = sim_process_at(sim->world, (struct sim_process_id){index});
        const bool over = !process->slot.live || process->slot.generation != watched->generation ||
                          process->exited;
        if (over && watched->file >= 0) {
            syscall(SYS_pidfd_send_signal, watched->file, SIGKILL, NULL, 0);
            sim_watch_leave(sim, index);
        } else if (has_ended(watched, 0)) {
            died(sim, index, watched);
            forget(watched);
        }
    }
}

void sim_watch_stop_holder(struct sim *sim, const char *why)
{
    const uint32_t holder = sim_turn_of(sim->world)->holder;
    const uint32_t process = process_of_holder(sim);
    struct sim_watched *watched = process ? watch(sim, process) : NULL;
    if (watched && watched->file >= 0) {
        syscall(SYS_pidfd_send_signal, watched->file, SIGKILL, NULL, 0);
        while (!has_ended(watched, 1000)) {
            continue;
        }
    }
    sim_turn_of(sim->world)->in_world = 0;
    recover(sim);
    if (holder) {
        sim_fail_task(sim, holder, why);
    }
    if (watched) {
        died(sim, process, watched);
        forget(watched);
    }
}

/* Programs that have not ended are given up with the world, as fibers are. */
static void end_all(struct sim *sim)
{
    const uint32_t placed = sim->file >= 0 ? sim_turn_of(sim->world)->placed : 0;
    for (uint32_t index = 1; index < placed; index++) {
        const struct sim_watched *watched = watch(sim, index);
        if (watched && watched->file >= 0 && !has_ended(watched, 0)) {
            syscall(SYS_pidfd_send_signal, watched->file, SIGKILL, NULL, 0);
            has_ended(watched, 1000);
        }
        if (watched && watched->file >= 0) {
            waitid(P_PIDFD, (id_t)watched->file, NULL, WEXITED | WNOHANG);
        }
    }
}

void sim_watch_close(struct sim *sim)
{
    end_all(sim);
    for (uint32_t i = 0; i < sim->watched_count; i++) {
        forget(&sim->watched[i]);
    }
    free(sim->watched);
    sim->watched = NULL;
    sim->watched_count = 0;
}
