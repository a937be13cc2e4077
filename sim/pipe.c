/* Pipes: a byte stream with a reading and a writing end.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: capacity counts bytes, where Linux counts pages that may be partly filled; packet mode
 * (O_DIRECT) is refused by pipe2. */
#include "pipe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "block.h"
#include "bytes.h"
#include "wait.h"

enum { DEFAULT_CAPACITY = 65536, LARGEST_CAPACITY = 1 << 20, PAGE = 4096 };

struct sim_pipe_id sim_pipe_new(struct sim_world *world)
{
    const struct sim_pipe_id id = {sim_pool_take(world, SIM_POOL_PIPE)};
    if (id.index) {
        struct sim_pipe *pipe = sim_pipe_at(world, id);
        pipe->readers = 1;
        pipe->writers = 1;
        pipe->capacity_bytes = DEFAULT_CAPACITY;
    }
    return id;
}

void sim_pipe_close(struct sim_world *world, struct sim_pipe_id id, bool writer)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (writer) {
        pipe->writers--;
    } else {
        pipe->readers--;
    }
    if (pipe->readers == 0 && pipe->writers == 0) {
        sim_wait_abandon(world, &pipe->waiters);
        sim_bytes_clear(world, &pipe->bytes);
        sim_pool_give(world, SIM_POOL_PIPE, id.index);
        return;
    }
    sim_wake(world, &pipe->waiters, writer ? POLLIN | POLLHUP : POLLOUT | POLLERR);
}

static uint64_t room_of(const struct sim_pipe *pipe)
{
    return pipe->capacity_bytes > pipe->bytes.length ? pipe->capacity_bytes - pipe->bytes.length : 0;
}

int64_t sim_pipe_read(struct sim_world *world, struct sim_pipe_id id, void *buffer, size_t length)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (pipe->bytes.length == 0) {
        return length == 0 || pipe->writers == 0 ? 0 : -EAGAIN;
    }
    const bool was_full = room_of(pipe) < PIPE_BUF;
    const size_t count = sim_bytes_copy_out(world, &pipe->bytes, 0, buffer, length);
    sim_bytes_drop(world, &pipe->bytes, count);
    if (was_full && room_of(pipe) >= PIPE_BUF) {
        sim_wake(world, &pipe->waiters, POLLOUT | POLLWRNORM);
    }
    return (int64_t)count;
}

int64_t sim_pipe_write(struct sim_world *world, struct sim_pipe_id id, const void *data,
                       size_t length)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (length == 0) {
        return 0;
    }
    if (pipe->readers == 0) {
        return -EPIPE;
    }
    const uint64_t room = room_of(pipe);
    if (room == 0 || (length <= PIPE_BUF && room < length)) {
        return -EAGAIN;
    }
    const size_t count = length < room ? length : (size_t)room;
    const int result = sim_bytes_append(world, &pipe->bytes, data, count);
    if (result < 0) {
        return -ENOMEM;
    }
    sim_wake(world, &pipe->waiters, POLLIN | POLLRDNORM);
    return (int64_t)count;
}

uint32_t sim_pipe_poll(const struct sim_world *world, struct sim_pipe_id id, bool writer)
{
    const struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (writer) {
        return (room_of(pipe) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0u) |
               (pipe->readers == 0 ? POLLERR : 0u);
    }
    return (pipe->bytes.length > 0 ? POLLIN | POLLRDNORM : 0u) | (pipe->writers == 0 ? POLLHUP : 0u);
}

int64_t sim_pipe_resize(struct sim_world *world, struct sim_pipe_id id, uint64_t bytes)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (bytes == 0 || bytes > LARGEST_CAPACITY) {
        return -EINVAL;
    }
    uint64_t capacity = PAGE;
    while (capacity < bytes) {
        capacity *= 2; /* LINUX: rounded up to a power of two of pages */
    }
    if (capacity < pipe->bytes.length) {
        return -EBUSY;
    }
    pipe->capacity_bytes = (uint32_t)capacity;
    return (int64_t)capacity;
}
