/* Pipes: a byte stream with a reading and a writing end.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: a pipe has a number of pages, and each holds what one write left in it: only the odd bytes
 * of a write (those beyond whole pages) join the last page. So a pipe may be full with little in it.
*/
#include "pipe.h"

#include <errno.h>
#include <poll.h>

#include "core/block.h"
#include "core/bytes.h"
#include "file.h"
#include "wait.h"

enum { DEFAULT_PAGES = 16, PAGE = SIM_PIPE_PAGE_BYTES };

struct sim_pipe_id sim_pipe_new(struct sim_world *world)
{
    const struct sim_pipe_id id = {sim_pool_take(world, SIM_POOL_PIPE)};
    if (id.index) {
        struct sim_pipe *pipe = sim_pipe_at(world, id);
        pipe->readers = 1;
        pipe->writers = 1;
        pipe->page_limit = DEFAULT_PAGES;
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

static bool is_full(const struct sim_pipe *pipe)
{
    return pipe->page_count >= pipe->page_limit;
}

static uint32_t page_at(const struct sim_pipe *pipe, uint32_t place)
{
    return (pipe->first_page + place) % SIM_PIPE_PAGES;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Takes bytes out of the pages, oldest first, and gives back those that are read out. */
static void pages_drop(struct sim_pipe *pipe, size_t count)
{
    while (count > 0) {
        const uint32_t page = pipe->first_page;
        const size_t held = (size_t)(pipe->ends[page] - pipe->starts[page]);
        const size_t taken = count < held ? count : held;
        pipe->starts[page] = (uint16_t)(pipe->starts[page] + taken);
        count -= taken;
        if (taken == held) {
            pipe->starts[page] = pipe->ends[page] = 0;
            pipe->packets[page] = 0;
            pipe->first_page = page_at(pipe, 1);
            pipe->page_count--;
        }
    }
}

/* How much a read of `length` takes off, and how much of that it gives: a packet ends it. */
static size_t pages_read(const struct sim_pipe *pipe, size_t length, size_t *given)
{
    size_t taken = 0;
    for (uint32_t i = 0; i < pipe->page_count && taken < length; i++) {
        const uint32_t page = page_at(pipe, i);
        const size_t held = (size_t)(pipe->ends[page] - pipe->starts[page]);
        const size_t piece = held < length - taken ? held : length - taken;
        if (pipe->packets[page]) {
            *given = taken + piece;
            return taken + held;
        }
        taken += piece;
    }
    *given = taken;
    return taken;
}

int64_t sim_pipe_read(struct sim_world *world, struct sim_pipe_id id, void *buffer, size_t length)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (length == 0) {
        return 0;
    }
    if (pipe->bytes.length == 0) {
        return pipe->writers == 0 ? 0 : -EAGAIN;
    }
    if (buffer == NULL) {
        return -EFAULT;
    }
    const bool was_full = is_full(pipe);
    size_t given;
    const size_t taken = pages_read(pipe, length, &given);
    const size_t count = sim_bytes_copy_out(world, &pipe->bytes, 0, buffer, given);
    sim_bytes_drop(world, &pipe->bytes, taken);
    pages_drop(pipe, taken);
    if (was_full && !is_full(pipe)) {
        sim_wake(world, &pipe->waiters, POLLOUT | POLLWRNORM);
    }
    return (int64_t)count;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* How much of a write fits: the odd bytes into the last page where they fit whole, then new pages. */
static size_t pages_fill(struct sim_pipe *pipe, size_t length, bool packets)
{
    const size_t odd = length % PAGE;
    size_t done = 0;
    if (odd > 0 && pipe->page_count > 0) {
        const uint32_t last = page_at(pipe, pipe->page_count - 1);
        if (!pipe->packets[last] && pipe->ends[last] + odd <= PAGE) {
            pipe->ends[last] = (uint16_t)(pipe->ends[last] + odd);
            done = odd;
        }
    }
    while (done < length && !is_full(pipe)) {
        const size_t rest = length - done, piece = rest < PAGE ? rest : PAGE;
        pipe->ends[page_at(pipe, pipe->page_count)] = (uint16_t)piece;
        pipe->packets[page_at(pipe, pipe->page_count)] = packets;
        pipe->page_count++;
        done += piece;
    }
    return done;
}

int64_t sim_pipe_write(struct sim_world *world, struct sim_pipe_id id, const void *data, size_t length,
                       bool packets)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (length == 0) {
        return 0;
    }
    if (pipe->readers == 0) {
        return -EPIPE;
    }
    struct sim_pipe filled = *pipe; /* taken over once the bytes have found room */
    const size_t count = pages_fill(&filled, length, packets);
    if (count == 0) {
        return -EAGAIN;
    }
    if (data == NULL) {
        return -EFAULT;
    }
    if (sim_bytes_append(world, &filled.bytes, data, count) < 0) {
        return -ENOMEM;
    }
    *pipe = filled;
    sim_wake(world, &pipe->waiters, POLLIN | POLLRDNORM);
    return (int64_t)count;
}

uint32_t sim_pipe_poll(const struct sim_world *world, struct sim_pipe_id id, bool writer)
{
    const struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (writer) {
        return (is_full(pipe) ? 0u : POLLOUT | POLLWRNORM) | (pipe->readers == 0 ? POLLERR : 0u);
    }
    return (pipe->bytes.length > 0 ? POLLIN | POLLRDNORM : 0u) | (pipe->writers == 0 ? POLLHUP : 0u);
}

int64_t sim_pipe_resize(struct sim_world *world, struct sim_pipe_id id, uint64_t bytes)
{
    struct sim_pipe *pipe = sim_pipe_at(world, id);
    if (bytes == 0 || bytes > (uint64_t)SIM_PIPE_PAGES * PAGE) {
        return -EINVAL;
    }
    uint32_t pages = 1;
    while ((uint64_t)pages * PAGE < bytes) {
        pages *= 2; /* LINUX: rounded up to a power of two */
    }
    if (pages < pipe->page_count) {
        return -EBUSY;
    }
    pipe->page_limit = pages;
    return (int64_t)pages * PAGE;
}

/* ---- its two ends as files ------------------------------------------------------------------- */

static uint32_t read_poll(const struct sim_world *world, uint32_t object)
{
    return sim_pipe_poll(world, (struct sim_pipe_id){object}, false);
}

static void read_release(struct sim_world *world, uint32_t object)
{
    sim_pipe_close(world, (struct sim_pipe_id){object}, false);
}

static uint32_t write_poll(const struct sim_world *world, uint32_t object)
{
    return sim_pipe_poll(world, (struct sim_pipe_id){object}, true);
}

static void write_release(struct sim_world *world, uint32_t object)
{
    sim_pipe_close(world, (struct sim_pipe_id){object}, true);
}

const struct sim_file_verbs sim_pipe_read_verbs = {SIM_QUEUE_PIPE, read_poll, read_release};
const struct sim_file_verbs sim_pipe_write_verbs = {SIM_QUEUE_PIPE, write_poll, write_release};
