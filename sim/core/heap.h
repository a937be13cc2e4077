/* A 4-ary heap of (at, sequence) entries in an array that its owner provides: the earliest first.
 * SPDX-License-Identifier: MIT
 *
 * It allocates nothing. The owner counts the entries and has room for one more before a push. `placed`
 * (may be NULL) is told of each entry's new position, for who must find an entry again; with a function
 * known at compile time it costs no call. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include "state.h"

enum { SIM_HEAP_ARITY = 4 };

typedef void (*sim_heap_placed)(const void *owner, uint32_t position,
                                const struct sim_heap_entry *entry);

static inline bool sim_heap_before(const struct sim_heap_entry *a, const struct sim_heap_entry *b)
{
    if (DRY_MUTANT(equal_instants_run_backwards) && a->at == b->at) {
        return a->sequence > b->sequence;
    }
    return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static inline void sim_heap_put(struct sim_heap_entry *heap, uint32_t position,
                                struct sim_heap_entry entry, sim_heap_placed placed, const void *owner)
{
    heap[position] = entry;
    if (placed) {
        placed(owner, position, &entry);
    }
}

/* Puts `entry` at the hole `position` or above. */
static inline void sim_heap_up(struct sim_heap_entry *heap, uint32_t position,
                               struct sim_heap_entry entry, sim_heap_placed placed, const void *owner)
{
    while (position > 0) {
        const uint32_t parent = (position - 1) / SIM_HEAP_ARITY;
        if (!sim_heap_before(&entry, &heap[parent])) {
            break;
        }
        sim_heap_put(heap, position, heap[parent], placed, owner);
        position = parent;
    }
    sim_heap_put(heap, position, entry, placed, owner);
}

/* Puts `entry` at the hole `position` or below; count: entries, the hole included. */
static inline void sim_heap_down(struct sim_heap_entry *heap, uint32_t count, uint32_t position,
                                 struct sim_heap_entry entry, sim_heap_placed placed, const void *owner)
{
    for (;;) {
        const uint64_t first = (uint64_t)position * SIM_HEAP_ARITY + 1;
        if (first >= count) {
            break;
        }
        const uint32_t end = first + SIM_HEAP_ARITY < count ? (uint32_t)first + SIM_HEAP_ARITY : count;
        uint32_t least = (uint32_t)first;
        for (uint32_t child = least + 1; child < end; child++) {
            if (sim_heap_before(&heap[child], &heap[least])) {
                least = child;
            }
        }
        if (!sim_heap_before(&heap[least], &entry)) {
            break;
        }
        sim_heap_put(heap, position, heap[least], placed, owner);
        position = least;
    }
    sim_heap_put(heap, position, entry, placed, owner);
}

/* Puts `entry` at the hole `position`, or where it belongs. */
static inline void sim_heap_sift(struct sim_heap_entry *heap, uint32_t count, uint32_t position,
                                 struct sim_heap_entry entry, sim_heap_placed placed, const void *owner)
{
    if (position > 0 && sim_heap_before(&entry, &heap[(position - 1) / SIM_HEAP_ARITY])) {
        sim_heap_up(heap, position, entry, placed, owner);
    } else {
        sim_heap_down(heap, count, position, entry, placed, owner);
    }
}

/* Takes out the entry at `position`. */
static inline void sim_heap_remove(struct sim_heap_entry *heap, uint32_t *count, uint32_t position,
                                   sim_heap_placed placed, const void *owner)
{
    const struct sim_heap_entry last = heap[--*count];
    if (position < *count) {
        sim_heap_sift(heap, *count, position, last, placed, owner);
    }
}

#endif
