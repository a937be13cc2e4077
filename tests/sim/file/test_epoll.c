/* Tests of epoll: level, edge, one-shot, exclusive, nesting, items and their files' ends.
 * SPDX-License-Identifier: MIT */
#include "../tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

static int pair[2], other[2], epoll;
static struct epoll_event got[8];

static int make(void **state)
{
    begin(state);
    sim_call_pipe2(world, one, pair, O_NONBLOCK);
    sim_call_pipe2(world, one, other, O_NONBLOCK);
    epoll = (int)sim_call_epoll_create(world, one, EPOLL_CLOEXEC);
    return epoll > 0 ? 0 : -1;
}

static int64_t control(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)fd};
    return sim_call_epoll_ctl(world, one, epoll, operation, fd, &event);
}

static int64_t waits(struct sim_task_id task, long ms)
{
    const struct timespec timeout = in_ms(ms < 0 ? 0 : ms);
    return sim_call_epoll_pwait(world, task, epoll, got, 8, ms < 0 ? NULL : &timeout, NULL);
}

static void feed(int fd)
{
    assert_int_equal(sim_call_write(world, three, fd, "x", 1), 1);
}

static void drain(int fd)
{
    char bytes[100];
    assert_true(sim_call_read(world, three, fd, bytes, sizeof bytes) > 0);
}

static void level__unread_data__told_again_until_it_is_read(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(waits(one, 0), 0);
    feed(pair[1]);
    assert_int_equal(waits(one, 0), 1);
    assert_int_equal(got[0].events, EPOLLIN);
    assert_int_equal(got[0].data.u64, pair[0]);
    assert_int_equal(waits(one, 0), 1);
    drain(pair[0]);
    assert_int_equal(waits(one, 0), 0);
}

static void edge__unread_data__told_once_and_again_when_more_comes(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLET), 0);
    feed(pair[1]);
    assert_int_equal(waits(one, 0), 1);
    assert_int_equal(waits(one, 0), 0);
    feed(pair[1]);
    assert_int_equal(waits(one, 0), 1);
    assert_int_equal(waits(one, 0), 0);
}

static void edge__ready_before_it_was_added__told(void **state)
{
    feed(pair[1]);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLET), 0);
    assert_int_equal(waits(one, 0), 1);
    assert_int_equal(waits(one, 0), 0);
    assert_int_equal(control(EPOLL_CTL_MOD, pair[0], EPOLLIN | EPOLLET), 0);
    assert_int_equal(waits(one, 0), 1); /* a change looks again */
}

static void one_shot__fires__silent_until_armed_again(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLONESHOT), 0);
    feed(pair[1]);
    assert_int_equal(waits(one, 0), 1);
    feed(pair[1]);
    sim_call_close(world, three, pair[1]);
    assert_int_equal(waits(one, 0), 0); /* not even that the writer is gone */
    assert_int_equal(control(EPOLL_CTL_MOD, pair[0], EPOLLIN | EPOLLONESHOT), 0);
    assert_int_equal(waits(one, 0), 1);
    assert_int_equal(got[0].events, EPOLLIN | EPOLLHUP);
}

static void task_waits__data__woken_and_told(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(waits(one, 100), SIM_WAIT);
    feed(pair[1]);
    assert_runs(one);
    assert_int_equal(waits(one, 100), 1);
    drain(pair[0]);
    assert_int_equal(waits(one, 100), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 100 * MS);
    assert_int_equal(waits(one, 100), 0);
}

static void two_wait__level__both_are_told_edge_only_the_first(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(waits(one, -1), SIM_WAIT);
    assert_int_equal(waits(two, -1), SIM_WAIT);
    feed(pair[1]);
    assert_runs(one);
    assert_int_equal(waits(one, -1), 1);
    assert_runs(two);
    assert_int_equal(waits(two, -1), 1);
    drain(pair[0]);
    assert_int_equal(control(EPOLL_CTL_MOD, pair[0], EPOLLIN | EPOLLET), 0);
    assert_int_equal(waits(one, -1), SIM_WAIT);
    assert_int_equal(waits(two, -1), SIM_WAIT);
    feed(pair[1]);
    assert_runs(one);
    assert_int_equal(waits(one, -1), 1);
    assert_runs(two);
    assert_int_equal(waits(two, -1), SIM_WAIT);
}

static void more_ready_than_room__the_rest_comes_next_and_all_take_turns(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(control(EPOLL_CTL_ADD, other[0], EPOLLIN), 0);
    feed(pair[1]);
    feed(other[1]);
    const struct timespec now = {0, 0};
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, got, 1, &now, NULL), 1);
    assert_int_equal(got[0].data.u64, pair[0]);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, got, 1, &now, NULL), 1);
    assert_int_equal(got[0].data.u64, other[0]);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, got, 1, &now, NULL), 1);
    assert_int_equal(got[0].data.u64, pair[0]);
}

static void watched_file__closed__item_goes_with_its_last_descriptor(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    const int copy = (int)sim_call_fcntl(world, one, pair[0], F_DUPFD, 0);
    feed(pair[1]);
    sim_call_close(world, one, pair[0]);
    assert_int_equal(waits(one, 0), 1); /* LINUX: the description lives on, so does the item */
    assert_int_equal(got[0].data.u64, pair[0]);
    sim_call_close(world, one, copy);
    assert_int_equal(waits(one, 0), 0);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
}

static void epoll_closed__items_go(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[1], EPOLLOUT), 0);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 2);
    assert_int_equal(sim_call_close(world, one, epoll), 0);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_EPOLL].live_count, 0);
    feed(pair[1]);
}

static void wrong_arguments__control__as_linux_says(void **state)
{
    assert_int_equal(control(EPOLL_CTL_MOD, pair[0], EPOLLIN), -ENOENT);
    assert_int_equal(control(EPOLL_CTL_DEL, pair[0], 0), -ENOENT);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), -EEXIST);
    assert_int_equal(control(EPOLL_CTL_ADD, 999, EPOLLIN), -EBADF);
    assert_int_equal(control(EPOLL_CTL_ADD, epoll, EPOLLIN), -EINVAL);
    assert_int_equal(control(99, pair[0], EPOLLIN), -EINVAL);
    assert_int_equal(sim_call_epoll_ctl(world, one, epoll, EPOLL_CTL_ADD, pair[1], NULL), -EFAULT);
    assert_int_equal(sim_call_epoll_ctl(world, one, pair[0], EPOLL_CTL_DEL, pair[1], NULL), -EINVAL);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, got, 0, NULL, NULL), -EINVAL);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, NULL, 1, NULL, NULL), -EFAULT);
    assert_int_equal(sim_call_epoll_pwait(world, one, pair[0], got, 1, NULL, NULL), -EINVAL);
    assert_int_equal(sim_call_epoll_create(world, one, 1), -EINVAL);
}

static void exclusive__wrong_uses__einval(void **state)
{
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
    assert_int_equal(control(EPOLL_CTL_MOD, pair[0], EPOLLIN), -EINVAL);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[1], EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[1], EPOLLEXCLUSIVE | EPOLLRDHUP), -EINVAL);
}

static void exclusive_in_two_epolls__data__only_the_first_wakes(void **state)
{
    const int first = epoll;
    const int second = (int)sim_call_epoll_create(world, one, 0);
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
    epoll = second;
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
    assert_int_equal(waits(two, -1), SIM_WAIT);
    epoll = first;
    assert_int_equal(waits(one, -1), SIM_WAIT);
    feed(pair[1]);
    assert_runs(one);
    assert_nobody_runs();
}

static void epoll_in_epoll__inner_ready__outer_tells(void **state)
{
    const int inner = epoll;
    assert_int_equal(control(EPOLL_CTL_ADD, pair[0], EPOLLIN), 0);
    epoll = (int)sim_call_epoll_create(world, one, 0);
    assert_int_equal(control(EPOLL_CTL_ADD, inner, EPOLLIN), 0);
    assert_int_equal(waits(one, -1), SIM_WAIT);
    feed(pair[1]);
    assert_runs(one);
    assert_int_equal(waits(one, -1), 1);
    assert_int_equal(got[0].data.u64, inner);
    drain(pair[0]);
    assert_int_equal(waits(one, 0), 0);
}

static void epolls_in_a_ring_or_too_deep__add__eloop(void **state)
{
    int chain[7];
    chain[0] = epoll;
    for (int i = 1; i < 5; i++) {
        chain[i] = epoll = (int)sim_call_epoll_create(world, one, 0);
        assert_int_equal(control(EPOLL_CTL_ADD, chain[i - 1], EPOLLIN), 0);
    }
    epoll = (int)sim_call_epoll_create(world, one, 0);
    assert_int_equal(control(EPOLL_CTL_ADD, chain[4], EPOLLIN), -ELOOP);
    epoll = chain[0];
    assert_int_equal(control(EPOLL_CTL_ADD, chain[2], EPOLLIN), -ELOOP);
}

static void waits__signal__eintr(void **state)
{
    sim_signal_dispose(world, process, 10, SIM_SIGNAL_RESTARTS);
    assert_int_equal(waits(one, -1), SIM_WAIT);
    sim_signal_send(world, one, 10);
    assert_runs(one);
    assert_int_equal(waits(one, -1), -EINTR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(level__unread_data__told_again_until_it_is_read),
        TEST(edge__unread_data__told_once_and_again_when_more_comes),
        TEST(edge__ready_before_it_was_added__told),
        TEST(one_shot__fires__silent_until_armed_again),
        TEST(task_waits__data__woken_and_told),
        TEST(two_wait__level__both_are_told_edge_only_the_first),
        TEST(more_ready_than_room__the_rest_comes_next_and_all_take_turns),
        TEST(watched_file__closed__item_goes_with_its_last_descriptor),
        TEST(epoll_closed__items_go),
        TEST(wrong_arguments__control__as_linux_says),
        TEST(exclusive__wrong_uses__einval),
        TEST(exclusive_in_two_epolls__data__only_the_first_wakes),
        TEST(epoll_in_epoll__inner_ready__outer_tells),
        TEST(epolls_in_a_ring_or_too_deep__add__eloop),
        TEST(waits__signal__eintr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
