/* The world that the program is in: the one that $DRYSOCK_WORLD names, its first task the program.
 * SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "preload.h"
#include "sim/core/block.h"
#include "sim/run/run.h"
#include "sim/unix/unix.h"

static struct dry_caller first;
/* A description that stands in the world's table where the number names something real. */
static int stand_in = -1;

struct dry_caller preload_caller(void)
{
    return first;
}

static struct sim_world *world(void)
{
    return ((struct sim *)first.world)->world;
}

int preload_world_start(void)
{
    first = dry_current_caller();
    if (!first.world) {
        return -1;
    }
    struct sim_process *process = sim_process_at(world(), (struct sim_process_id){first.process});
    process->first_descriptor = 0;
    process->descriptor_limit = 1024;
    const int lowest = first.system->eventfd(first, 0, 0);
    stand_in = first.system->fcntl(first, lowest, F_DUPFD, process->descriptor_limit - 1);
    first.system->close(first, lowest);
    return stand_in < 0 ? -1 : 0;
}

uint64_t preload_world_now(void)
{
    return sim_now(first.world);
}

uint64_t preload_world_next_at(void)
{
    return sim_next_at(first.world);
}

void preload_world_real(int fd, bool ready, int flags)
{
    first.system->dup3(first, stand_in, fd, flags & O_CLOEXEC);
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

int64_t preload_world_unlink(const char *path)
{
    const struct sim_process *process = sim_process_at(world(), (struct sim_process_id){first.process});
    return sim_unix_unlink(world(), process->host, path);
}

int64_t preload_world_file(const char *path, char *text, size_t bytes)
{
    const struct sim_process *process = sim_process_at(world(), (struct sim_process_id){first.process});
    return preload_host_file(world(), process->host.index, path, text, bytes);
}
