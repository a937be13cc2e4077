/* The heap: whatever is pushed, moved and removed, the earliest comes first and places are told.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "../test.h"
#include "sim/core/heap.h"

enum { MOST = 200 };

static struct sim_heap_entry heap[MOST];
static uint32_t count;
static uint32_t place_of[MOST]; /* by the entry's number, plus one; 0: not in the heap */

static void placed(const void *owner, uint32_t position, const struct sim_heap_entry *entry)
{
    assert_ptr_equal(owner, heap);
    place_of[entry->event.index] = position + 1;
}

static void push(uint64_t at, uint64_t sequence, uint32_t number)
{
    const struct sim_heap_entry entry = {.at = at, .sequence = sequence, .event = {number}};
    sim_heap_up(heap, count++, entry, placed, heap);
}

static void remove_at(uint32_t position)
{
    place_of[heap[position].event.index] = 0;
    sim_heap_remove(heap, &count, position, placed, heap);
}

static void is_whole(void)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(place_of[heap[i].event.index], i + 1);
        assert_true(i == 0 || !sim_heap_before(&heap[i], &heap[(i - 1) / SIM_HEAP_ARITY]));
    }
}

static int empty(void **state)
{
    memset(heap, 0, sizeof heap);
    memset(place_of, 0, sizeof place_of);
    count = 0;
    return 0;
}

static void entries__pushed__come_out_by_instant_then_by_sequence(void **state)
{
    static const uint64_t instants[] = {5, 1, 5, 9, 1, 0, 5, UINT64_MAX, 3};
    static const uint32_t order[] = {5, 1, 4, 8, 0, 2, 6, 3, 7};
    for (uint32_t i = 0; i < 9; i++) {
        push(instants[i], i, i);
        is_whole();
    }
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(heap[0].event.index, order[i]);
        remove_at(0);
        is_whole();
    }
    assert_int_equal(count, 0);
}

static void any_entry__removed_or_moved__leaves_a_whole_heap(void **state)
{
    uint32_t random = 12345;
    for (uint32_t step = 0; step < 20000; step++) {
        random = random * 1103515245 + 12345;
        const uint32_t draw = random >> 8;
        if (count == 0 || (count < MOST && draw % 3 != 0)) {
            uint32_t number = 0;
            while (place_of[number] != 0) {
                number++;
            }
            push(draw % 50, step, number);
        } else if (draw % 2 == 0) {
            remove_at(draw % count);
        } else {
            struct sim_heap_entry entry = heap[draw % count];
            entry.at = draw % 60;
            entry.sequence = step;
            sim_heap_sift(heap, count, draw % count, entry, placed, heap);
        }
        is_whole();
    }
}

static void nobody_asks_for_places__none_is_told(void **state)
{
    const struct sim_heap_entry late = {.at = 2}, early = {.at = 1};
    sim_heap_up(heap, count++, late, NULL, NULL);
    sim_heap_up(heap, count++, early, NULL, NULL);
    assert_int_equal(heap[0].at, 1);
    sim_heap_remove(heap, &count, 0, NULL, NULL);
    assert_int_equal(heap[0].at, 2);
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(entries__pushed__come_out_by_instant_then_by_sequence, empty),
        cmocka_unit_test_setup(any_entry__removed_or_moved__leaves_a_whole_heap, empty),
        cmocka_unit_test_setup(nobody_asks_for_places__none_is_told, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
