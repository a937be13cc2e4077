/* The world that the program is in: the block that `drysock exec` made, entered at the start.
 * SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload.h"
#include "sim/core/block.h"
#include "sim/file/file.h"
#include "sim/run/attach.h"
#include "sim/run/run.h"
#include "sim/unix/unix.h"

static struct sim *sim;
static int process;

struct sim *preload_sim(void)
{
    return sim;
}

int preload_process(void)
{
    return process;
}

void preload_process_is(int number)
{
    process = number;
}

struct dry_caller preload_caller(void)
{
    return sim_thread_caller(sim, preload_self.task);
}

struct dry_caller preload_seam(void)
{
    return sim_thread_seam(sim, preload_self.task);
}

int preload_world_start(void)
{
    int file, task, executed = 0;
    const char *place = getenv(PRELOAD_PLACE);
    if (!place || sscanf(place, "%d:%d:%d:%d", &file, &process, &task, &executed) < 3) {
        return -1;
    }
    sim = sim_attach(file);
    if (!sim) {
        preload_fail("the program cannot enter the world");
    }
    preload_hide(file);
    if (executed) {
        task = sim_process_executed(sim, process, program_invocation_short_name);
    }
    preload_self.task = task;
    if (!executed) {
        const int pid = (int)preload_kernel(SYS_getpid);
        sim_thread_enter(sim, task, pid);
        sim_program_set_tid(preload_caller(), task, pid);
    }
    return 0;
}

uint64_t preload_world_now(void)
{
    return sim_now(sim);
}

uint64_t preload_world_next_at(void)
{
    return sim_next_at(sim);
}

int64_t preload_world_real(int fd, bool ready, int flags)
{
    return sim_program_real_install(preload_caller(), fd,
                                    ready ? SIM_REAL_IS_READY : SIM_REAL_IS_POLLED, flags);
}

bool preload_world_owns(int fd)
{
    return sim_program_descriptor_kind(preload_caller(), fd) == 1;
}

uint64_t preload_world_descriptor_limit(void)
{
    return sim_process_at(sim->world, (struct sim_process_id){(uint32_t)process})->descriptor_limit;
}

struct sim_real *preload_world_real_of(int fd)
{
    const struct sim_file_id file = sim_descriptor_file(sim->world,
                                                        (struct sim_process_id){(uint32_t)process}, fd);
    if (!file.index || sim_file_at(sim->world, file)->kind != SIM_FILE_REAL) {
        return NULL;
    }
    return sim_real_at(sim->world, (struct sim_real_id){sim_file_at(sim->world, file)->object});
}

void preload_world_random(void *buffer, size_t length)
{
    sim_program_getrandom(preload_caller(), buffer, length, 0);
}

static struct sim_host_id host(void)
{
    return sim_process_at(sim->world, (struct sim_process_id){(uint32_t)process})->host;
}

const struct sim_world *preload_world(void)
{
    return sim->world;
}

uint32_t preload_host(void)
{
    return host().index;
}

int64_t preload_world_unlink(const char *path)
{
    return sim_unix_unlink(sim->world, host(), path);
}

int64_t preload_world_file(const char *path, char *text, size_t bytes)
{
    return preload_host_file(sim->world, host().index, path, text, bytes);
}
