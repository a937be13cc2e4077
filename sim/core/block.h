/* The block: lays the world out in one reserved mapping, takes and gives slots of its pools.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_BLOCK_H
#define SIM_BLOCK_H

#include <assert.h>
#include <stddef.h>

#include "state.h"

/* 0: the default, which for what belongs to sockets, tasks and chunks follows from their number. */
struct sim_capacities {
    uint32_t of[SIM_POOL_COUNT];
};

/* Reserves and lays out a world; NULL with errno set. Untouched capacity costs no memory. */
struct sim_world *sim_block_create(const struct sim_capacities *capacities, uint64_t seed);
/* The same in a file that other processes can map: *file is the caller's to close. */
struct sim_world *sim_block_create_shared(const struct sim_capacities *capacities, uint64_t seed,
                                          int *file);
/* Another mapping of the world in that file, which may be closed then. NULL with errno set, EINVAL
 * when no world of this build lies there. */
struct sim_world *sim_block_attach(int file);
/* Unmaps it; a shared one stays where else it is mapped. */
void sim_block_destroy(struct sim_world *world);
/* Back to the state after creation, with another seed; keeps the memory that was touched. */
void sim_block_reset(struct sim_world *world, uint64_t seed);
/* An equal world in a mapping of its own; copies what was used, not what was reserved. NULL with
 * errno set. */
struct sim_world *sim_block_copy(const struct sim_world *world);

/* Zeroes the slot (its generation stays) and frees it. */
void sim_pool_give(struct sim_world *world, enum sim_pool_kind kind, uint32_t index);

static inline void *sim_pool_at(const struct sim_world *world, enum sim_pool_kind kind, uint32_t index)
{
    const struct sim_pool *pool = &world->pools[kind];
    return (char *)(uintptr_t)world + pool->offset + (size_t)index * pool->item_bytes;
}

/* A zeroed slot's index with live = 1, or 0 when the pool is full. */
static inline uint32_t sim_pool_take(struct sim_world *world, enum sim_pool_kind kind)
{
    struct sim_pool *pool = &world->pools[kind];
    uint32_t index = pool->first_free;
    struct sim_slot *slot;
    if (index != 0) {
        slot = sim_pool_at(world, kind, index);
        pool->first_free = slot->next_free;
        slot->next_free = 0;
    } else if (pool->high_water < pool->capacity) {
        index = ++pool->high_water;
        slot = sim_pool_at(world, kind, index);
    } else {
        return 0;
    }
    slot->live = 1;
    slot->generation++;
    pool->live_count++;
    return index;
}

/* sim_pool_give for a slot whose content after the sim_slot its owner has zeroed already. */
static inline void sim_pool_release(struct sim_world *world, enum sim_pool_kind kind, uint32_t index)
{
    struct sim_pool *pool = &world->pools[kind];
    assert(index != 0 && index <= pool->high_water);
    struct sim_slot *slot = sim_pool_at(world, kind, index);
    assert(slot->live == 1);
    slot->live = 0;
    slot->next_free = pool->first_free;
    pool->first_free = index;
    pool->live_count--;
}

static inline struct sim_turn *sim_turn_of(const struct sim_world *world)
{
    return (struct sim_turn *)(void *)((char *)(uintptr_t)world + world->turn_offset);
}

static inline struct sim_seat *sim_seat_of(const struct sim_world *world, uint32_t task)
{
    return (struct sim_seat *)(void *)((char *)(uintptr_t)world + world->seat_offset) + task;
}

static inline struct sim_place *sim_place_of(const struct sim_world *world, uint32_t process)
{
    return (struct sim_place *)(void *)((char *)(uintptr_t)world + world->place_offset) + process;
}

enum { SIM_TABLE_PAGE_BYTES = 4096 };

/* Notes as in use the page of the tables (ports, connections, addresses, links, task numbers) where an
 * entry is about to be written. Only clearing an entry may go without. */
static inline void sim_table_touch(struct sim_world *world, void *entry)
{
    const uint64_t offset = (uint64_t)((char *)entry - (char *)world) - world->bound_offset;
    const uint64_t page = offset / SIM_TABLE_PAGE_BYTES;
    uint64_t *touched = (uint64_t *)(void *)((char *)world + world->touched_offset);
    touched[page / 64] |= UINT64_C(1) << page % 64;
}

/* Writes an entry of one of the hash tables. */
static inline void sim_table_write(struct sim_world *world, uint32_t *entry, uint32_t value)
{
    sim_table_touch(world, entry);
    *entry = value;
}

/* sim_socket_at(world, id) and so on: the thing an index names. The index must be live. */
#define SIM_ACCESS(name, KIND)                                                                 \
    static inline struct sim_##name *sim_##name##_at(const struct sim_world *world,            \
                                                     struct sim_##name##_id id)                \
    {                                                                                          \
        /* The size is known here: a scaled address instead of a load and a multiplication. */ \
        const uint64_t first = world->pools[SIM_POOL_##KIND].offset;                           \
        return (struct sim_##name *)(void *)((char *)(uintptr_t)world + first) + id.index;     \
    }
SIM_ACCESS(host, HOST)
SIM_ACCESS(interface, INTERFACE)
SIM_ACCESS(route, ROUTE)
SIM_ACCESS(link, LINK)
SIM_ACCESS(process, PROCESS)
SIM_ACCESS(task, TASK)
SIM_ACCESS(file, FILE)
SIM_ACCESS(socket, SOCKET)
SIM_ACCESS(tcp, TCP)
SIM_ACCESS(unix, UNIX)
SIM_ACCESS(netlink, NETLINK)
SIM_ACCESS(option, OPTION)
SIM_ACCESS(membership, MEMBERSHIP)
SIM_ACCESS(datagram, DATAGRAM)
SIM_ACCESS(rights, RIGHTS)
SIM_ACCESS(packet, PACKET)
SIM_ACCESS(span, SPAN)
SIM_ACCESS(chunk, CHUNK)
SIM_ACCESS(event, EVENT)
SIM_ACCESS(waiter, WAITER)
SIM_ACCESS(epoll, EPOLL)
SIM_ACCESS(pipe, PIPE)
SIM_ACCESS(counter, COUNTER)
SIM_ACCESS(timer, TIMER)
SIM_ACCESS(barrier, BARRIER)
SIM_ACCESS(line, LINE)
SIM_ACCESS(script, SCRIPT)
SIM_ACCESS(cell, CELL)
SIM_ACCESS(futex, FUTEX)
SIM_ACCESS(real, REAL)
SIM_ACCESS(actions, ACTIONS)
SIM_ACCESS(pending, PENDING)
SIM_ACCESS(signalfd, SIGNALFD)
SIM_ACCESS(alarm, ALARM)
#undef SIM_ACCESS

#endif
