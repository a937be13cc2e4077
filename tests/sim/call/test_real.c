/* Tests of a program's own descriptors in the world's table, close_range, getrandom and the clocks.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/file/real.h"

static int64_t polls(struct sim_task_id task, int fd, short *revents)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    const int64_t result = sim_call_ppoll(world, task, &entry, 1, NULL, NULL);
    *revents = entry.revents;
    return result;
}

static void streams_are_real__world_opens__the_lowest_free_number(void **state)
{
    for (int fd = 0; fd < 3; fd++) {
        assert_int_equal(sim_call_descriptor_kind(world, one, fd), 0);
        assert_int_equal(sim_call_real_install(world, one, fd, SIM_REAL_IS_POLLED, O_RDWR), fd);
        assert_int_equal(sim_call_descriptor_kind(world, one, fd), 2);
    }
    assert_int_equal(sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0), 3);
    assert_int_equal(sim_call_descriptor_kind(world, one, 3), 1);
    assert_int_equal(sim_call_close(world, one, 1), 0);
    assert_int_equal(sim_call_descriptor_kind(world, one, 1), 0);
    assert_int_equal(sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0), 1);
    assert_int_equal(sim_call_real_install(world, one, 1, SIM_REAL_IS_READY, O_CLOEXEC), 1);
    assert_int_equal(sim_call_fcntl(world, one, 1, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 1);
    assert_int_equal(sim_call_real_install(world, one, 1024, SIM_REAL_IS_READY, 0), -EBADF);
    assert_int_equal(sim_call_real_install(world, one, -1, SIM_REAL_IS_READY, 0), -EBADF);
    assert_int_equal(sim_call_real_install(world, one, 5, 3, 0), -EINVAL);
    assert_int_equal(world->pools[SIM_POOL_REAL].live_count, 3);
}

static void limit__told__holds_for_both_kinds(void **state)
{
    assert_int_equal(sim_call_descriptor_limit(world, one, 4), 0);
    assert_int_equal(sim_call_real_install(world, one, 4, SIM_REAL_IS_READY, 0), -EBADF);
    assert_int_equal(sim_call_real_install(world, one, 3, SIM_REAL_IS_READY, 0), 3);
    for (int fd = 0; fd < 3; fd++) {
        assert_int_equal(sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0), fd);
    }
    assert_int_equal(sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0), -EMFILE);
    assert_int_equal(sim_call_descriptor_limit(world, one, UINT64_MAX), 0);
    assert_int_equal(sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0), 4);
}

static void regular_file__poll__always_ready_and_no_epoll(void **state)
{
    struct epoll_event event = {.events = EPOLLIN};
    short revents;
    sim_call_real_install(world, one, 5, SIM_REAL_IS_READY, 0);
    assert_int_equal(polls(one, 5, &revents), 1);
    assert_int_equal(revents, POLLIN);
    const int epoll = (int)sim_call_epoll_create(world, one, 0);
    assert_int_equal(sim_call_epoll_ctl(world, one, epoll, EPOLL_CTL_ADD, 5, &event), -EPERM);
}

static void terminal__poll_and_nothing_else_can_happen__waits_really(void **state)
{
    short revents;
    sim_call_real_install(world, one, 0, SIM_REAL_IS_POLLED, 0);
    assert_int_equal(polls(one, 0, &revents), SIM_WAIT);
    assert_nobody_runs();
    assert_true(sim_real_wake_one(world));
    assert_runs(one);
    assert_int_equal(polls(one, 0, &revents), SIM_REALLY);
    assert_int_equal(sim_call_real_ready(world, one, 0, POLLIN | POLLRDNORM), 0);
    assert_int_equal(polls(one, 0, &revents), 1);
    assert_int_equal(revents, POLLIN);
    assert_int_equal(sim_call_real_ready(world, one, 0, 0), 0);
    assert_int_equal(polls(one, 0, &revents), SIM_WAIT);
    assert_int_equal(sim_call_real_ready(world, two, 0, POLLIN), 0);
    assert_runs(one);
    assert_int_equal(polls(one, 0, &revents), 1);
    assert_int_equal(sim_call_real_ready(world, one, 9, POLLIN), -EBADF);
}

static void terminal_in_epoll__nothing_else_can_happen__waits_really(void **state)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 9}, got;
    sim_call_real_install(world, one, 0, SIM_REAL_IS_POLLED, 0);
    const int epoll = (int)sim_call_epoll_create(world, one, 0);
    assert_int_equal(sim_call_epoll_ctl(world, one, epoll, EPOLL_CTL_ADD, 0, &event), 0);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, &got, 1, NULL, NULL), SIM_WAIT);
    assert_true(sim_real_wake_one(world));
    assert_runs(one);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, &got, 1, NULL, NULL), SIM_REALLY);
    assert_int_equal(sim_call_real_ready(world, one, 0, POLLIN), 0);
    assert_int_equal(sim_call_epoll_pwait(world, one, epoll, &got, 1, NULL, NULL), 1);
    assert_int_equal(got.data.u32, 9);
}

static void nobody_waits_for_anything_real__nobody_is_woken(void **state)
{
    short revents;
    sim_call_real_install(world, one, 0, SIM_REAL_IS_POLLED, 0);
    const int fd = (int)sim_call_socket(world, two, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(polls(two, fd, &revents), SIM_WAIT);
    assert_false(sim_real_wake_one(world));
}

static void close_range__closes_and_marks_what_lies_in_it(void **state)
{
    for (int fd = 0; fd < 6; fd++) {
        sim_call_real_install(world, one, fd, SIM_REAL_IS_READY, 0);
    }
    assert_int_equal(sim_call_close_range(world, one, 3, 2, 0), -EINVAL);
    assert_int_equal(sim_call_close_range(world, one, 0, 1, 8), -EINVAL);
    assert_int_equal(sim_call_close_range(world, one, 1, 2, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(sim_call_close_range(world, one, 4, ~0U, 0), 0);
    assert_int_equal(sim_call_close_range(world, one, ~0U, ~0U, 0), 0);
    for (int fd = 0; fd < 6; fd++) {
        assert_int_equal(sim_call_descriptor_kind(world, one, fd), fd < 4 ? 2 : 0);
        assert_int_equal(sim_call_fcntl(world, one, fd, F_GETFD, 0), fd >= 4              ? -EBADF
                                                                     : fd == 1 || fd == 2 ? FD_CLOEXEC
                                                                                          : 0);
    }
}

static void getrandom__same_seed__same_bytes_and_its_own_stream(void **state)
{
    unsigned char first[13], second[13];
    const uint64_t ports = world->random.state[SIM_STREAM_PORT];
    assert_int_equal(sim_call_getrandom(world, one, first, sizeof first, 0), sizeof first);
    assert_int_equal(sim_call_getrandom(world, one, second, sizeof second, 0), sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_true(world->random.state[SIM_STREAM_PORT] == ports);
    struct sim_world *again = sim_block_create(&(struct sim_capacities){{0}}, 1);
    assert_int_equal(sim_call_getrandom(again, one, second, sizeof second, 0), sizeof second);
    assert_memory_equal(first, second, sizeof first);
    sim_block_destroy(again);
}

static void getrandom__flags__as_the_kernel_says(void **state)
{
    char byte;
    for (unsigned flags = 0; flags < 20; flags++) {
        const long beside = syscall(SYS_getrandom, &byte, 1, flags);
        assert_int_equal(sim_call_getrandom(world, one, &byte, 1, flags), beside < 0 ? -errno : beside);
    }
}

static void clock_getres__every_clock__as_the_kernel_says(void **state)
{
    for (clockid_t clock = -8; clock < 16; clock++) {
        struct timespec here = {7, 7}, beside = {7, 7};
        if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) {
            continue; /* only where the machine has a clock that wakes it */
        }
        const long result = syscall(SYS_clock_getres, clock, &beside);
        assert_int_equal(sim_call_clock_getres(world, one, clock, &here), result < 0 ? -errno : result);
        assert_int_equal(here.tv_sec, beside.tv_sec);
        assert_int_equal(here.tv_nsec, beside.tv_nsec);
        assert_int_equal(sim_call_clock_getres(world, one, clock, NULL),
                         syscall(SYS_clock_getres, clock, NULL) < 0 ? -errno : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM(streams_are_real__world_opens__the_lowest_free_number),
        PROGRAM(limit__told__holds_for_both_kinds),
        PROGRAM(regular_file__poll__always_ready_and_no_epoll),
        PROGRAM(terminal__poll_and_nothing_else_can_happen__waits_really),
        PROGRAM(terminal_in_epoll__nothing_else_can_happen__waits_really),
        PROGRAM(nobody_waits_for_anything_real__nobody_is_woken),
        PROGRAM(close_range__closes_and_marks_what_lies_in_it),
        PROGRAM(getrandom__same_seed__same_bytes_and_its_own_stream),
        PROGRAM(getrandom__flags__as_the_kernel_says),
        PROGRAM(clock_getres__every_clock__as_the_kernel_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
