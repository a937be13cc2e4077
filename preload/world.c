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
#include "sim/run/attach.h"
#include "sim/run/run.h"
#include "sim/unix/unix.h"

enum { STAND_IN = 1023 }; /* where the description that stands in for real ones lies */

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

struct dry_caller preload_caller(void)
{
    return sim_thread_caller(sim, preload_self.task);
}

int preload_world_start(void)
{
    int file, task;
    const char *place = getenv(PRELOAD_PLACE);
    if (!place || sscanf(place, "%d:%d:%d", &file, &process, &task) != 3) {
        return -1;
    }
    sim = sim_attach(file);
    if (!sim) {
        preload_fail("the program cannot enter the world");
    }
    preload_kernel(SYS_close, file);
    preload_self.task = task;
    sim_thread_enter(sim, task, (int)preload_kernel(SYS_getpid));
    const struct dry_caller caller = preload_caller();
    const int lowest = caller.system->eventfd(caller, 0, 0);
    caller.system->dup3(caller, lowest, STAND_IN, 0);
    caller.system->close(caller, lowest);
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

void preload_world_real(int fd, bool ready, int flags)
{
    const struct dry_caller caller = preload_caller();
    caller.system->dup3(caller, STAND_IN, fd, flags & O_CLOEXEC);
}

/* splitmix64, a stream of its own. */
void preload_world_random(void *buffer, size_t length)
{
    static uint64_t state = 0x6472796c6f636b;
    char *at = buffer;
    while (length > 0) {
        uint64_t draw = state += 0x9e3779b97f4a7c15;
        draw = (draw ^ (draw >> 30)) * 0xbf58476d1ce4e5b9;
        draw = (draw ^ (draw >> 27)) * 0x94d049bb133111eb;
        draw ^= draw >> 31;
        const size_t count = length < sizeof draw ? length : sizeof draw;
        memcpy(at, &draw, count);
        at += count;
        length -= count;
    }
}

static struct sim_host_id host(void)
{
    return sim_process_at(sim->world, (struct sim_process_id){(uint32_t)process})->host;
}

int64_t preload_world_unlink(const char *path)
{
    return sim_unix_unlink(sim->world, host(), path);
}

int64_t preload_world_file(const char *path, char *text, size_t bytes)
{
    return preload_host_file(sim->world, host().index, path, text, bytes);
}
