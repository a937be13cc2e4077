/* The block: slots taken and given, worlds copied, reset and reserved.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/event.h"
#include "sim/core/fingerprint.h"
#include "sim/core/random.h"
#include "sim/net/host.h"

static long resident_pages(void)
{
    long all = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &all, &resident), 2);
    fclose(file);
    return resident;
}

static void fresh_pool__slot_taken__is_live_zeroed_and_counted(void **state)
{
    struct sim_world *world = *state;
    const uint32_t index = sim_pool_take(world, SIM_POOL_SOCKET);
    assert_int_equal(index, 1);
    const struct sim_socket *socket = sim_pool_at(world, SIM_POOL_SOCKET, index);
    struct sim_socket expected = {.slot = {.live = 1, .generation = 1}};
    assert_memory_equal(socket, &expected, sizeof expected);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 1);
}

static void slot_given__next_taken__is_the_same_zeroed_one_of_a_later_generation(void **state)
{
    struct sim_world *world = *state;
    const uint32_t first = sim_pool_take(world, SIM_POOL_TIMER);
    const uint32_t second = sim_pool_take(world, SIM_POOL_TIMER);
    struct sim_timer *timer = sim_pool_at(world, SIM_POOL_TIMER, first);
    memset(&timer->slot + 1, 0x5a, sizeof *timer - sizeof timer->slot);
    sim_pool_give(world, SIM_POOL_TIMER, first);
    assert_int_equal(timer->slot.live, 0);
    assert_int_equal(sim_pool_take(world, SIM_POOL_TIMER), first);
    struct sim_timer expected = {.slot = {.live = 1, .generation = 2}};
    assert_memory_equal(timer, &expected, sizeof expected);
    assert_int_equal(sim_pool_take(world, SIM_POOL_TIMER), second + 1);
}

static void pool_of_three__fourth_taken__is_none_until_one_is_given(void **state)
{
    const struct sim_capacities capacities = {.of = {[SIM_POOL_PIPE] = 3}};
    struct sim_world *world = sim_block_create(&capacities, 1);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(sim_pool_take(world, SIM_POOL_PIPE), i);
    }
    assert_int_equal(sim_pool_take(world, SIM_POOL_PIPE), 0);
    sim_pool_give(world, SIM_POOL_PIPE, 2);
    assert_int_equal(sim_pool_take(world, SIM_POOL_PIPE), 2);
    sim_block_destroy(world);
}

static void capacity_of_two_million__created__touches_almost_nothing(void **state)
{
    struct sim_capacities capacities = {{0}};
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        capacities.of[kind] = kind == SIM_POOL_PROCESS || kind == SIM_POOL_DESCRIPTOR_PAGE ||
                                      kind == SIM_POOL_CHUNK
                                  ? 0
                                  : 2000000;
    }
    const long before = resident_pages();
    struct sim_world *world = sim_block_create(&capacities, 1);
    assert_non_null(world);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].capacity, 2000000);
    assert_int_equal(world->port_buckets, 2097152);
    assert_true(sim_host_add(world, "a").index != 0);
    assert_in_range(resident_pages() - before, 0, 64);
    sim_block_destroy(world);
}

/* Something in many pools, in the queue, and freed slots between. */
static void furnish(struct sim_world *world)
{
    const struct sim_host_id host = sim_host_add(world, "alpha");
    assert_int_equal(sim_host_add_address(world, host, 2, sim_ip_v4(0x0a000001), 24), 0);
    for (uint32_t i = 0; i < 100; i++) {
        const uint64_t at = (i * 37) % 50;
        const struct sim_event_id id = sim_event_push(world, at, SIM_EVENT_SCRIPT, i, 0, 0);
        if (i % 3 == 0) {
            struct sim_event_id cancelled = id;
            sim_event_cancel(world, &cancelled);
        }
    }
    struct sim_pipe *pipe = sim_pool_at(world, SIM_POOL_PIPE, sim_pool_take(world, SIM_POOL_PIPE));
    char text[10000];
    memset(text, 'x', sizeof text);
    assert_int_equal(sim_bytes_append(world, &pipe->bytes, text, sizeof text), 0);
    sim_bytes_drop(world, &pipe->bytes, 5000);
    (void)sim_random_draw(&world->random, SIM_STREAM_LOSS);
    uint32_t *bound = (uint32_t *)(void *)((char *)world + world->bound_offset);
    sim_table_write(world, &bound[12345], 7);
}

static void furnished_world__copied__is_equal_and_lives_its_own_life(void **state)
{
    struct sim_world *world = *state;
    furnish(world);
    struct sim_world *copy = sim_block_copy(world);
    assert_non_null(copy);
    assert_ptr_not_equal(copy, world);
    assert_true(sim_world_fingerprint(copy) == sim_world_fingerprint(world));
    assert_int_equal(((uint32_t *)(void *)((char *)copy + copy->bound_offset))[12345], 7);
    assert_int_equal(sim_host_of_address(copy, sim_ip_v4(0x0a000001)).index, 1);
    struct sim_event ours;
    struct sim_event theirs;
    while (sim_event_take(world, &ours).index != 0) {
        assert_true(sim_event_take(copy, &theirs).index != 0);
        assert_memory_equal(&ours, &theirs, sizeof ours);
    }
    assert_true(sim_world_fingerprint(copy) == sim_world_fingerprint(world));
    (void)sim_pool_take(copy, SIM_POOL_COUNTER);
    assert_true(sim_world_fingerprint(copy) != sim_world_fingerprint(world));
    assert_int_equal(world->pools[SIM_POOL_COUNTER].live_count, 0);
    sim_block_destroy(copy);
}

static void furnished_world__reset__is_as_created(void **state)
{
    struct sim_world *world = *state;
    struct sim_world *fresh = sim_block_create(NULL, 42);
    furnish(world);
    sim_block_reset(world, 42);
    assert_memory_equal(world, fresh, sizeof *world);
    for (uint32_t index = 1; index <= 3; index++) { /* the pages that were used are zero again */
        assert_memory_equal(sim_pool_at(world, SIM_POOL_CHUNK, index),
                            sim_pool_at(fresh, SIM_POOL_CHUNK, index), sizeof(struct sim_chunk));
    }
    furnish(world);
    furnish(fresh);
    assert_true(sim_world_fingerprint(world) == sim_world_fingerprint(fresh));
    const char *ours = (const char *)world;
    const char *theirs = (const char *)fresh;
    for (uint32_t kind = 1; kind < SIM_POOL_COUNT; kind++) {
        const struct sim_pool *pool = &world->pools[kind];
        assert_memory_equal(ours + pool->offset, theirs + pool->offset,
                            ((size_t)pool->high_water + 2) * pool->item_bytes);
    }
    sim_block_destroy(fresh);
}

static void two_seeds__worlds_created__differ_by_their_chance_alone(void **state)
{
    struct sim_world *other = sim_block_create(NULL, 2);
    const struct sim_world *world = *state;
    assert_true(world->random.state[SIM_STREAM_PORT] != other->random.state[SIM_STREAM_PORT]);
    other->random = world->random;
    other->seed = world->seed;
    assert_memory_equal(world, other, sizeof *world);
    sim_block_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(fresh_pool__slot_taken__is_live_zeroed_and_counted),
        WORLD_TEST(slot_given__next_taken__is_the_same_zeroed_one_of_a_later_generation),
        cmocka_unit_test(pool_of_three__fourth_taken__is_none_until_one_is_given),
        cmocka_unit_test(capacity_of_two_million__created__touches_almost_nothing),
        WORLD_TEST(furnished_world__copied__is_equal_and_lives_its_own_life),
        WORLD_TEST(furnished_world__reset__is_as_created),
        WORLD_TEST(two_seeds__worlds_created__differ_by_their_chance_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
