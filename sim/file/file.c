/* Open file descriptions, descriptor tables, and a task's wait for what they name.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: sockets that are reachable only through messages in flight among themselves (SCM_RIGHTS
 * cycles) are not collected; they live until the world ends. */
#include "file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "core/block.h"
#include "core/event.h"
#include "wait.h"

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

/* The description is about to go: removes every epoll item that watches it. */
static void forget_items(struct sim_world *world, struct sim_file_id file)
{
    uint32_t kind, index;
    sim_file_queue(world, file, &kind, &index);
    struct sim_waiter_id id = sim_wait_queue_of(world, kind, index)->first;
    while (id.index) {
        const struct sim_waiter *waiter = sim_waiter_at(world, id);
        const struct sim_waiter_id next = waiter->next_in_queue;
        if (waiter->kind == SIM_WAITER_EPOLL && waiter->file.index == file.index) {
            sim_wait_remove_item(world, id);
        }
        id = next;
    }
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
    const struct sim_wait_queue *queue = sim_wait_queue_of(world, sim_file_kinds[kind]->queue_kind,
                                                           object);
    if (queue->first.index) {
        forget_items(world, id);
    }
    sim_pool_give(world, SIM_POOL_FILE, id.index);
    sim_file_kinds[kind]->release(world, object);
}

uint32_t sim_file_poll(const struct sim_world *world, struct sim_file_id id)
{
    const struct sim_file *file = sim_file_at(world, id);
    return sim_file_kinds[file->kind]->poll(world, file->object);
}

void sim_file_queue(const struct sim_world *world, struct sim_file_id id, uint32_t *kind,
                    uint32_t *index)
{
    const struct sim_file *file = sim_file_at(world, id);
    *kind = sim_file_kinds[file->kind]->queue_kind;
    *index = file->object;
}

/* ---- a task's wait for descriptions ---------------------------------------------------------- */

int sim_file_wait_add(struct sim_world *world, struct sim_task_id task, struct sim_file_id file,
                      uint32_t events)
{
    uint32_t kind, index;
    sim_file_queue(world, file, &kind, &index);
    const int result = sim_wait_add(world, task, kind, index, events);
    if (result == 0) {
        sim_file_hold(world, file);
        sim_waiter_at(world, sim_task_at(world, task)->first_waiter)->file = file;
    }
    return result;
}

void sim_file_wait_clear(struct sim_world *world, struct sim_task_id id)
{
    struct sim_task *task = sim_task_at(world, id);
    while (task->first_waiter.index) {
        const struct sim_waiter_id waiter_id = task->first_waiter;
        const struct sim_waiter *waiter = sim_waiter_at(world, waiter_id);
        const struct sim_file_id file = waiter->file;
        task->first_waiter = waiter->next_of_owner;
        sim_wait_dequeue(world, waiter_id);
        sim_pool_give(world, SIM_POOL_WAITER, waiter_id.index);
        if (file.index) {
            sim_file_drop(world, file);
        }
    }
    if (task->deadline_event.index) {
        sim_event_cancel(world, &task->deadline_event);
    }
}

/* ---- processes ---------------------------------------------------------------------------------- */

void sim_process_hold(struct sim_world *world, struct sim_process_id process)
{
    sim_process_at(world, process)->references++;
}

void sim_process_drop(struct sim_world *world, struct sim_process_id process)
{
    if (--sim_process_at(world, process)->references > 0) {
        return;
    }
    if (world->last_gone.index) {
        sim_process_at(world, world->last_gone)->next_gone = process;
    } else {
        world->first_gone = process;
    }
    world->last_gone = process;
    world->gone_processes++;
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

void sim_descriptor_close_on_exec(struct sim_world *world, struct sim_process_id id)
{
    const struct sim_process *process = sim_process_at(world, id);
    for (uint32_t page = 0; page < SIM_DESCRIPTOR_PAGES; page++) {
        const uint32_t first = process->first_descriptor + page * SIM_DESCRIPTORS_PER_PAGE;
        for (uint32_t slot = 0; slot < SIM_DESCRIPTORS_PER_PAGE && process->pages[page]; slot++) {
            const struct sim_descriptor *entry = sim_descriptor_at(world, id, (int)(first + slot));
            if (entry && (entry->flags & FD_CLOEXEC)) {
                sim_descriptor_close(world, id, (int)(first + slot));
            }
        }
    }
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
