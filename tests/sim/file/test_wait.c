/* Tests of waiting and waking: order, deadlines, joins, barriers.
 * SPDX-License-Identifier: MIT */
#include "../tasks.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static int pair[2];

static void make_pipe(void)
{
    assert_int_equal(sim_call_pipe2(world, one, pair, 0), 0);
}

static int64_t read_byte(struct sim_task_id task)
{
    char byte;
    return sim_call_read(world, task, pair[0], &byte, 1);
}

static void write_bytes(const char *bytes, size_t length)
{
    assert_int_equal(sim_call_write(world, three, pair[1], bytes, length), (int64_t)length);
}

static void two_readers_wait__a_byte_arrives__the_first_gets_it(void **state)
{
    make_pipe();
    assert_int_equal(read_byte(one), SIM_WAIT);
    assert_int_equal(read_byte(two), SIM_WAIT);
    write_bytes("x", 1);
    assert_runs(one);
    assert_int_equal(read_byte(one), 1);
    assert_runs(two);
    assert_int_equal(read_byte(two), SIM_WAIT);
    assert_nobody_runs();
}

static void woken_for_nothing__waits_again__keeps_its_place(void **state)
{
    make_pipe();
    assert_int_equal(read_byte(one), SIM_WAIT);
    assert_int_equal(read_byte(two), SIM_WAIT);
    write_bytes("x", 1);
    assert_runs(one);
    assert_int_equal(read_byte(one), 1);
    assert_int_equal(read_byte(one), SIM_WAIT); /* behind two, which has waited all along */
    assert_runs(two);
    assert_int_equal(read_byte(two), SIM_WAIT);
    write_bytes("y", 1);
    assert_runs(two);
    assert_int_equal(read_byte(two), 1);
}

static void reader_waits__pipe_gets_room__is_not_woken(void **state)
{
    struct pollfd item = {.events = POLLOUT};
    static char all[65536];
    make_pipe();
    item.fd = pair[1];
    write_bytes(all, sizeof all);
    assert_int_equal(sim_call_ppoll(world, one, &item, 1, NULL, NULL), SIM_WAIT);
    write_bytes(NULL, 0);
    assert_nobody_runs(); /* what is readable is not what it waits for */
    assert_int_equal(sim_call_read(world, two, pair[0], all, 5000), 5000);
    assert_runs(one);
    assert_int_equal(sim_call_ppoll(world, one, &item, 1, NULL, NULL), 1);
}

static void wait_ends__record_is_clean(void **state)
{
    make_pipe();
    assert_int_equal(read_byte(one), SIM_WAIT);
    assert_int_equal(world->waiting_tasks, 1);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 1);
    write_bytes("x", 1);
    assert_int_equal(world->waiting_tasks, 0);
    assert_int_equal(world->ready_tasks, 1);
    assert_runs(one);
    assert_int_equal(read_byte(one), 1);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
    const struct sim_call none = {0};
    assert_memory_equal(&sim_task_at(world, one)->call, &none, sizeof none);
}

static void sleep__wakes_at_the_instant(void **state)
{
    const struct timespec ms = in_ms(5);
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, 0, &ms, NULL), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 5 * MS);
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, 0, &ms, NULL), 0);
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, TIMER_ABSTIME, &ms, NULL),
                     0);
    const struct timespec bad = {0, 1000000000};
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, 0, &bad, NULL), -EINVAL);
    assert_int_equal(sim_call_clock_nanosleep(world, one, 99, 0, &ms, NULL), -EINVAL);
}

static void clocks__read__wall_is_ahead_by_the_offset(void **state)
{
    struct timespec now;
    world->wall_offset_ns = 1000 * UINT64_C(1000000000);
    sim_world_advance(world, 3 * MS);
    assert_int_equal(sim_call_clock_gettime(world, one, CLOCK_MONOTONIC, &now), 0);
    assert_int_equal(now.tv_sec, 0);
    assert_int_equal(now.tv_nsec, 3 * MS);
    assert_int_equal(sim_call_clock_gettime(world, one, CLOCK_REALTIME, &now), 0);
    assert_int_equal(now.tv_sec, 1000);
    assert_int_equal(sim_call_clock_gettime(world, one, 99, &now), -EINVAL);
}

static void task_runs__others_join__woken_at_its_end(void **state)
{
    assert_int_equal(sim_call_join(world, one, two.index), SIM_WAIT);
    assert_int_equal(sim_call_join(world, three, two.index), SIM_WAIT);
    sim_task_end(world, two);
    assert_runs(one);
    assert_int_equal(sim_call_join(world, one, two.index), 0);
    assert_runs(three);
    assert_int_equal(sim_call_join(world, three, two.index), -ESRCH); /* joined already */
    assert_int_equal(sim_call_join(world, one, two.index), -ESRCH);
    assert_int_equal(sim_call_join(world, one, one.index), -EDEADLK);
    assert_int_equal(sim_call_join(world, one, 12345), -ESRCH);
}

static void barrier_of_three__the_last_arrives__all_go_on_and_again(void **state)
{
    const struct sim_barrier_id barrier = {sim_pool_take(world, SIM_POOL_BARRIER)};
    sim_barrier_at(world, barrier)->expected = 3;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(sim_call_barrier(world, one, barrier), SIM_WAIT);
        assert_int_equal(sim_call_barrier(world, two, barrier), SIM_WAIT);
        assert_nobody_runs();
        assert_int_equal(sim_call_barrier(world, three, barrier), 0);
        assert_runs(one);
        assert_int_equal(sim_call_barrier(world, one, barrier), 0);
        assert_runs(two);
        assert_int_equal(sim_call_barrier(world, two, barrier), 0);
    }
}

static void no_waiter_left__wait__enomem_and_nothing_is_held(void **state)
{
    make_pipe();
    while (sim_pool_take(world, SIM_POOL_WAITER)) {
        continue;
    }
    assert_int_equal(read_byte(one), -ENOMEM);
    assert_int_equal(sim_task_at(world, one)->call.kind, SIM_CALL_NONE);
    assert_int_equal(sim_task_at(world, one)->state, SIM_TASK_RUNNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_readers_wait__a_byte_arrives__the_first_gets_it),
        TEST(woken_for_nothing__waits_again__keeps_its_place),
        TEST(reader_waits__pipe_gets_room__is_not_woken),
        TEST(wait_ends__record_is_clean),
        TEST(sleep__wakes_at_the_instant),
        TEST(clocks__read__wall_is_ahead_by_the_offset),
        TEST(task_runs__others_join__woken_at_its_end),
        TEST(barrier_of_three__the_last_arrives__all_go_on_and_again),
        TEST(no_waiter_left__wait__enomem_and_nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
