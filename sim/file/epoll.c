/* epoll: interest lists, edge and level triggers, one-shot and exclusive items.
 * SPDX-License-Identifier: MIT
 *
 * An item is a waiter that stands in the watched object's queue until it is removed. It is found
 * again by walking that queue, which is short, so the interest list needs no index of its own. */
#include "epoll.h"

#include <errno.h>
#include <poll.h>

#include "core/block.h"
#include "file.h"
#include "wait.h"

enum {
    MOST_NESTED = 4, /* LINUX: EP_MAX_NESTS */
    ALWAYS = EPOLLERR | EPOLLHUP,
    EXCLUSIVE_MAY = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP,
};
static const uint32_t FLAGS = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;

struct sim_epoll_id sim_epoll_new(struct sim_world *world)
{
    return (struct sim_epoll_id){sim_pool_take(world, SIM_POOL_EPOLL)};
}

/* ---- the interest list ------------------------------------------------------------------------ */

static struct sim_waiter_id find(struct sim_world *world, struct sim_epoll_id id,
                                 struct sim_file_id file, int descriptor)
{
    uint32_t kind, index;
    sim_file_queue(world, file, &kind, &index);
    struct sim_waiter_id item = sim_wait_queue_of(world, kind, index)->first;
    while (item.index) {
        const struct sim_waiter *waiter = sim_waiter_at(world, item);
        if (waiter->kind == SIM_WAITER_EPOLL && waiter->epoll.index == id.index &&
            waiter->file.index == file.index && waiter->descriptor == descriptor) {
            break;
        }
        item = waiter->next_in_queue;
    }
    return item;
}

void sim_epoll_free(struct sim_world *world, struct sim_epoll_id id)
{
    struct sim_epoll *epoll = sim_epoll_at(world, id);
    while (epoll->first_item.index) {
        sim_wait_remove_item(world, epoll->first_item);
    }
    sim_wait_abandon(world, &epoll->waiters);
    sim_pool_give(world, SIM_POOL_EPOLL, id.index);
}

/* How many epolls hang below this one, itself included; more than MOST_NESTED stops counting.
 * *meets: the one looked for is among them. */
static uint32_t depth(const struct sim_world *world, struct sim_epoll_id id,
                      struct sim_epoll_id looked_for, uint32_t level, bool *meets)
{
    uint32_t deepest = level;
    if (id.index == looked_for.index) {
        *meets = true;
    }
    if (level > MOST_NESTED || *meets) {
        return level;
    }
    struct sim_waiter_id item = sim_epoll_at(world, id)->first_item;
    while (item.index) {
        const struct sim_waiter *waiter = sim_waiter_at(world, item);
        const struct sim_file *file = sim_file_at(world, waiter->file);
        if (file->kind == SIM_FILE_EPOLL) {
            const uint32_t below = depth(world, (struct sim_epoll_id){file->object}, looked_for,
                                         level + 1, meets);
            deepest = below > deepest ? below : deepest;
        }
        item = waiter->next_of_owner;
    }
    return deepest;
}

/* How many epolls stand above this one, itself included. */
static uint32_t height(const struct sim_world *world, struct sim_epoll_id id, uint32_t level)
{
    uint32_t highest = level;
    struct sim_waiter_id item = sim_epoll_at(world, id)->waiters.first;
    while (item.index && level <= MOST_NESTED) {
        const struct sim_waiter *waiter = sim_waiter_at(world, item);
        if (waiter->kind == SIM_WAITER_EPOLL) {
            const uint32_t above = height(world, waiter->epoll, level + 1);
            highest = above > highest ? above : highest;
        }
        item = waiter->next_in_queue;
    }
    return highest;
}

static int check_nesting(const struct sim_world *world, struct sim_epoll_id id, struct sim_file_id file)
{
    const struct sim_file *target = sim_file_at(world, file);
    if (target->kind != SIM_FILE_EPOLL) {
        return 0;
    }
    bool meets = false;
    const uint32_t below = depth(world, (struct sim_epoll_id){target->object}, id, 1, &meets);
    /* LINUX: a ring, or a chain of more than five epolls. */
    return meets || below + height(world, id, 1) > MOST_NESTED + 1 ? -ELOOP : 0;
}

/* Readies an item that holds already and tells whoever waits. */
static void item_check(struct sim_world *world, struct sim_waiter_id id)
{
    const struct sim_waiter *item = sim_waiter_at(world, id);
    if (sim_file_poll(world, item->file) & item->events) {
        sim_wait_item_wakes(world, id, item->events);
    }
}

static int item_add(struct sim_world *world, struct sim_epoll_id id, struct sim_file_id file,
                    int descriptor, const struct epoll_event *event)
{
    const int nesting = check_nesting(world, id, file);
    if (nesting < 0) {
        return nesting;
    }
    const struct sim_waiter_id item_id = {sim_pool_take(world, SIM_POOL_WAITER)};
    if (!item_id.index) {
        return -ENOMEM;
    }
    struct sim_epoll *epoll = sim_epoll_at(world, id);
    struct sim_waiter *item = sim_waiter_at(world, item_id);
    item->kind = SIM_WAITER_EPOLL;
    item->epoll = id;
    item->file = file;
    item->descriptor = descriptor;
    item->data = event->data.u64;
    item->interest = event->events;
    item->events = (event->events & ~FLAGS) | ALWAYS;
    item->next_of_owner = epoll->first_item;
    if (epoll->first_item.index) {
        sim_waiter_at(world, epoll->first_item)->previous_of_owner = item_id;
    }
    epoll->first_item = item_id;
    epoll->item_count++;
    uint32_t kind, index;
    sim_file_queue(world, file, &kind, &index);
    sim_wait_enqueue(world, item_id, kind, index);
    item_check(world, item_id);
    return 0;
}

static int item_change(struct sim_world *world, struct sim_waiter_id id,
                       const struct epoll_event *event)
{
    struct sim_waiter *item = sim_waiter_at(world, id);
    if (item->interest & EPOLLEXCLUSIVE) {
        return -EINVAL;
    }
    item->data = event->data.u64;
    item->interest = event->events;
    item->events = (event->events & ~FLAGS) | ALWAYS;
    item_check(world, id);
    return 0;
}

int sim_epoll_control(struct sim_world *world, struct sim_epoll_id id, int operation,
                      struct sim_file_id file, int descriptor, const struct epoll_event *event)
{
    const bool exclusive = operation != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE);
    if (exclusive) {
        const bool nested = sim_file_at(world, file)->kind == SIM_FILE_EPOLL;
        const uint32_t others = event->events & ~(uint32_t)(EXCLUSIVE_MAY | EPOLLET | EPOLLEXCLUSIVE);
        if (operation == EPOLL_CTL_MOD || nested || others) {
            return -EINVAL;
        }
    }
    const struct sim_waiter_id item = find(world, id, file, descriptor);
    switch (operation) {
    case EPOLL_CTL_ADD:
        return item.index ? -EEXIST : item_add(world, id, file, descriptor, event);
    case EPOLL_CTL_MOD:
        return item.index ? item_change(world, item, event) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (!item.index) {
            return -ENOENT;
        }
        sim_wait_remove_item(world, item);
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- waiting ---------------------------------------------------------------------------------- */

int sim_epoll_collect(struct sim_world *world, struct sim_epoll_id id, struct epoll_event *events,
                      int maximum)
{
    struct sim_epoll *epoll = sim_epoll_at(world, id);
    const struct sim_waiter_id last = epoll->last_ready;
    int count = 0;
    bool more = last.index != 0;
    while (more && count < maximum) {
        const struct sim_waiter_id item_id = epoll->first_ready;
        struct sim_waiter *item = sim_waiter_at(world, item_id);
        more = item_id.index != last.index;
        sim_wait_unready(world, item_id);
        const uint32_t bits = sim_file_poll(world, item->file) & item->events;
        if (!bits) {
            continue; /* what readied it is gone */
        }
        events[count].events = bits;
        events[count].data.u64 = item->data;
        count++;
        if (item->interest & EPOLLONESHOT) {
            item->events = 0;
        } else if (!(item->interest & EPOLLET)) {
            sim_wait_ready(world, item_id); /* level: behind the others, and looked at again */
        }
    }
    return count;
}

uint32_t sim_epoll_poll(const struct sim_world *world, struct sim_epoll_id id)
{
    struct sim_waiter_id item_id = sim_epoll_at(world, id)->first_ready;
    while (item_id.index) {
        const struct sim_waiter *item = sim_waiter_at(world, item_id);
        if (sim_file_poll(world, item->file) & item->events) {
            return POLLIN | POLLRDNORM;
        }
        item_id = item->next_ready;
    }
    return 0;
}

/* ---- as a file -------------------------------------------------------------------------------- */

static uint32_t file_poll(const struct sim_world *world, uint32_t object)
{
    return sim_epoll_poll(world, (struct sim_epoll_id){object});
}

static void file_release(struct sim_world *world, uint32_t object)
{
    sim_epoll_free(world, (struct sim_epoll_id){object});
}

const struct sim_file_verbs sim_epoll_verbs = {SIM_FILE_EPOLL, file_poll, file_release};
