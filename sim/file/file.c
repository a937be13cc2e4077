/* Open file descriptions and descriptor tables: every kind of object a descriptor may name.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: sockets that are reachable only through messages in flight among themselves (SCM_RIGHTS
 * cycles) are not collected; they live until the world ends. */
#include "file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "core/block.h"
#include "counter.h"
#include "epoll.h"
#include "pipe.h"
#include "socket/protocol.h"
#include "socket/sockets.h"
#include "timer.h"
#include "wait.h"

/* ---- the kinds of object ---------------------------------------------------------------------- */

struct file_kind {
    uint32_t queue_kind; /* what its waiters' queue is called */
    uint32_t (*poll)(const struct sim_world *, uint32_t object);
    void (*release)(struct sim_world *, uint32_t object);
};

static uint32_t socket_poll(const struct sim_world *world, uint32_t object)
{
    const struct sim_socket_id id = {object};
    return sim_protocol_of(sim_socket_at(world, id)->protocol_kind)->poll(world, id);
}

static void socket_release(struct sim_world *world, uint32_t object)
{
    const struct sim_socket_id id = {object};
    sim_socket_at(world, id)->file.index = 0;
    sim_socket_release(world, id);
}

static uint32_t pipe_read_poll(const struct sim_world *world, uint32_t object)
{
    return sim_pipe_poll(world, (struct sim_pipe_id){object}, false);
}

static void pipe_read_release(struct sim_world *world, uint32_t object)
{
    sim_pipe_close(world, (struct sim_pipe_id){object}, false);
}

static uint32_t pipe_write_poll(const struct sim_world *world, uint32_t object)
{
    return sim_pipe_poll(world, (struct sim_pipe_id){object}, true);
}

static void pipe_write_release(struct sim_world *world, uint32_t object)
{
    sim_pipe_close(world, (struct sim_pipe_id){object}, true);
}

static uint32_t epoll_poll(const struct sim_world *world, uint32_t object)
{
    return sim_epoll_poll(world, (struct sim_epoll_id){object});
}

static void epoll_release(struct sim_world *world, uint32_t object)
{
    sim_epoll_free(world, (struct sim_epoll_id){object});
}

static uint32_t counter_poll(const struct sim_world *world, uint32_t object)
{
    return sim_counter_poll(world, (struct sim_counter_id){object});
}

static void counter_release(struct sim_world *world, uint32_t object)
{
    sim_counter_free(world, (struct sim_counter_id){object});
}

static uint32_t timer_poll(const struct sim_world *world, uint32_t object)
{
    return sim_timer_poll(world, (struct sim_timer_id){object});
}

static void timer_release(struct sim_world *world, uint32_t object)
{
    sim_timer_free(world, (struct sim_timer_id){object});
}

static const struct file_kind kinds[SIM_FILE_KIND_COUNT] = {
    [SIM_FILE_SOCKET] = {SIM_FILE_SOCKET, socket_poll, socket_release},
    [SIM_FILE_PIPE_READ] = {SIM_QUEUE_PIPE, pipe_read_poll, pipe_read_release},
    [SIM_FILE_PIPE_WRITE] = {SIM_QUEUE_PIPE, pipe_write_poll, pipe_write_release},
    [SIM_FILE_EPOLL] = {SIM_FILE_EPOLL, epoll_poll, epoll_release},
    [SIM_FILE_COUNTER] = {SIM_FILE_COUNTER, counter_poll, counter_release},
    [SIM_FILE_TIMER] = {SIM_FILE_TIMER, timer_poll, timer_release},
};

/* ---- descriptions ----------------------------------------------------------------------------- */

struct sim_file_id sim_file_open(struct sim_world *world, enum sim_file_kind kind, uint32_t object,
                                 uint32_t status)
{
    const struct sim_file_id id = {sim_pool_take(world, SIM_POOL_FILE)};
    if (id.index) {
        struct sim_file *file = sim_file_at(world, id);
        file->kind = kind;
        file->object = object;
        file->references = 1;
        file->status = status;
        if (kind == SIM_FILE_SOCKET) {
            sim_socket_at(world, (struct sim_socket_id){object})->file = id;
        }
    }
    return id;
}

void sim_file_hold(struct sim_world *world, struct sim_file_id id)
{
    sim_file_at(world, id)->references++;
}

void sim_file_drop(struct sim_world *world, struct sim_file_id id)
{
    struct sim_file *file = sim_file_at(world, id);
    assert(file->references > 0);
    if (--file->references > 0) {
        return;
    }
    const uint32_t kind = file->kind;
    const uint32_t object = file->object;
    const struct sim_wait_queue *queue = sim_wait_queue_of(world, kinds[kind].queue_kind, object);
    if (queue->first.index) {
        sim_epoll_forget(world, id);
    }
    sim_pool_give(world, SIM_POOL_FILE, id.index);
    kinds[kind].release(world, object);
}

uint32_t sim_file_poll(const struct sim_world *world, struct sim_file_id id)
{
    const struct sim_file *file = sim_file_at(world, id);
    return kinds[file->kind].poll(world, file->object);
}

void sim_file_queue(const struct sim_world *world, struct sim_file_id id, uint32_t *kind,
                    uint32_t *index)
{
    const struct sim_file *file = sim_file_at(world, id);
    *kind = kinds[file->kind].queue_kind;
    *index = file->object;
}

/* ---- descriptor tables ------------------------------------------------------------------------- */

/* The descriptor's place, counted from the process's first; NULL when its page was never used. */
static struct sim_descriptor *place(const struct sim_world *world, const struct sim_process *process,
                                    uint32_t offset)
{
    const uint32_t page = process->pages[offset / SIM_DESCRIPTORS_PER_PAGE];
    if (!page) {
        return NULL;
    }
    struct sim_descriptor_page *entries = sim_pool_at(world, SIM_POOL_DESCRIPTOR_PAGE, page);
    return &entries->descriptors[offset % SIM_DESCRIPTORS_PER_PAGE];
}

struct sim_descriptor *sim_descriptor_at(const struct sim_world *world, struct sim_process_id id,
                                         int descriptor)
{
    const struct sim_process *process = sim_process_at(world, id);
    const uint32_t offset = (uint32_t)descriptor - process->first_descriptor;
    if (offset >= SIM_DESCRIPTORS_PER_PAGE * SIM_DESCRIPTOR_PAGES) {
        return NULL; /* a negative number, too: it wraps */
    }
    struct sim_descriptor *entry = place(world, process, offset);
    return entry && entry->file.index ? entry : NULL;
}

static bool page_present(struct sim_world *world, struct sim_process *process, uint32_t offset)
{
    uint32_t *page = &process->pages[offset / SIM_DESCRIPTORS_PER_PAGE];
    if (!*page) {
        *page = sim_pool_take(world, SIM_POOL_DESCRIPTOR_PAGE);
    }
    return *page != 0;
}

static void fill(struct sim_world *world, struct sim_process *process, uint32_t offset,
                 struct sim_file_id file, uint32_t flags)
{
    struct sim_descriptor *entry = place(world, process, offset);
    entry->file = file;
    entry->flags = flags;
    process->open_descriptors++;
    struct sim_descriptor_page *entries = sim_pool_at(
        world, SIM_POOL_DESCRIPTOR_PAGE, process->pages[offset / SIM_DESCRIPTORS_PER_PAGE]);
    entries->used++;
}

static uint32_t limit_of(const struct sim_process *process)
{
    const uint32_t most = SIM_DESCRIPTORS_PER_PAGE * SIM_DESCRIPTOR_PAGES;
    return process->descriptor_limit < most ? process->descriptor_limit : most;
}

bool sim_descriptor_has_room(const struct sim_world *world, struct sim_process_id id)
{
    const struct sim_process *process = sim_process_at(world, id);
    return process->open_descriptors < limit_of(process);
}

int sim_descriptor_install(struct sim_world *world, struct sim_process_id id, struct sim_file_id file,
                           uint32_t flags, int minimum)
{
    struct sim_process *process = sim_process_at(world, id);
    const int64_t wanted = (int64_t)minimum - process->first_descriptor;
    const bool from_lowest = wanted <= (int64_t)process->lowest_free;
    uint32_t offset = from_lowest ? process->lowest_free : (uint32_t)wanted;
    const uint32_t limit = limit_of(process);
    for (; offset < limit; offset++) {
        const struct sim_descriptor *entry = place(world, process, offset);
        if (!entry || !entry->file.index) {
            break;
        }
    }
    if (offset >= limit) {
        return -EMFILE;
    }
    if (!page_present(world, process, offset)) {
        return -ENOMEM;
    }
    fill(world, process, offset, file, flags);
    if (from_lowest) {
        process->lowest_free = offset + 1;
    }
    return (int)(process->first_descriptor + offset);
}

int sim_descriptor_replace(struct sim_world *world, struct sim_process_id id, struct sim_file_id file,
                           uint32_t flags, int descriptor)
{
    struct sim_process *process = sim_process_at(world, id);
    const uint32_t offset = (uint32_t)descriptor - process->first_descriptor;
    if (offset >= limit_of(process)) {
        return -EBADF;
    }
    if (!page_present(world, process, offset)) {
        return -ENOMEM;
    }
    sim_descriptor_close(world, id, descriptor);
    fill(world, process, offset, file, flags);
    if (process->lowest_free == offset) {
        process->lowest_free = offset + 1;
    }
    return descriptor;
}

struct sim_file_id sim_descriptor_file(const struct sim_world *world, struct sim_process_id process,
                                       int descriptor)
{
    const struct sim_descriptor *entry = sim_descriptor_at(world, process, descriptor);
    return entry ? entry->file : (struct sim_file_id){0};
}

int sim_descriptor_socket(const struct sim_world *world, struct sim_process_id process, int descriptor,
                          struct sim_file_id *file, struct sim_socket_id *id)
{
    *file = sim_descriptor_file(world, process, descriptor);
    if (!file->index) {
        return -EBADF;
    }
    const struct sim_file *description = sim_file_at(world, *file);
    if (description->kind != SIM_FILE_SOCKET) {
        return -ENOTSOCK;
    }
    id->index = description->object;
    return 0;
}

int sim_descriptor_close(struct sim_world *world, struct sim_process_id id, int descriptor)
{
    struct sim_descriptor *entry = sim_descriptor_at(world, id, descriptor);
    if (!entry) {
        return -EBADF;
    }
    struct sim_process *process = sim_process_at(world, id);
    const uint32_t offset = (uint32_t)descriptor - process->first_descriptor;
    const struct sim_file_id file = entry->file;
    entry->file.index = 0;
    entry->flags = 0;
    process->open_descriptors--;
    uint32_t *page = &process->pages[offset / SIM_DESCRIPTORS_PER_PAGE];
    struct sim_descriptor_page *entries = sim_pool_at(world, SIM_POOL_DESCRIPTOR_PAGE, *page);
    entries->used--;
    if (offset < process->lowest_free) {
        process->lowest_free = offset;
    }
    sim_file_drop(world, file);
    return 0;
}

void sim_descriptor_close_all(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    for (uint32_t page = 0; page < SIM_DESCRIPTOR_PAGES; page++) {
        if (!process->pages[page]) {
            continue;
        }
        struct sim_descriptor_page *entries = sim_pool_at(world, SIM_POOL_DESCRIPTOR_PAGE,
                                                          process->pages[page]);
        for (uint32_t slot = 0; slot < SIM_DESCRIPTORS_PER_PAGE && entries->used; slot++) {
            if (entries->descriptors[slot].file.index) {
                const uint32_t offset = page * SIM_DESCRIPTORS_PER_PAGE + slot;
                sim_descriptor_close(world, id, (int)(process->first_descriptor + offset));
            }
        }
        sim_pool_give(world, SIM_POOL_DESCRIPTOR_PAGE, process->pages[page]);
        process->pages[page] = 0;
    }
    process->lowest_free = 0;
}

int sim_descriptor_share_all(struct sim_world *world, struct sim_process_id from,
                             struct sim_process_id to)
{
    const struct sim_process *parent = sim_process_at(world, from);
    struct sim_process *child = sim_process_at(world, to);
    for (uint32_t page = 0; page < SIM_DESCRIPTOR_PAGES; page++) {
        if (!parent->pages[page]) {
            continue;
        }
        const struct sim_descriptor_page *entries = sim_pool_at(world, SIM_POOL_DESCRIPTOR_PAGE,
                                                                parent->pages[page]);
        if (!entries->used) {
            continue;
        }
        if (!page_present(world, child, page * SIM_DESCRIPTORS_PER_PAGE)) {
            return -ENOMEM;
        }
        for (uint32_t slot = 0; slot < SIM_DESCRIPTORS_PER_PAGE; slot++) {
            const struct sim_descriptor *entry = &entries->descriptors[slot];
            if (entry->file.index) {
                sim_file_hold(world, entry->file);
                fill(world, child, page * SIM_DESCRIPTORS_PER_PAGE + slot, entry->file, entry->flags);
            }
        }
    }
    child->lowest_free = parent->lowest_free;
    return 0;
}
