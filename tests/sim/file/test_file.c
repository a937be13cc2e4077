/* Tests of descriptor tables, open file descriptions, pipes, eventfd, timerfd, dup, fork, fcntl.
 * SPDX-License-Identifier: MIT */
#include "../tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

enum { FIRST = 1 << 20 };

static int pair[2];

static void make_pipe(int flags)
{
    assert_int_equal(sim_call_pipe2(world, one, pair, flags), 0);
}

/* ---- tables ------------------------------------------------------------------------------------ */

static void no_descriptor__pipe__lowest_two_above_all_real_ones(void **state)
{
    make_pipe(0);
    assert_int_equal(pair[0], FIRST);
    assert_int_equal(pair[1], FIRST + 1);
    assert_int_equal(sim_call_close(world, one, pair[0]), 0);
    int other[2];
    assert_int_equal(sim_call_pipe2(world, one, other, 0), 0);
    assert_int_equal(other[0], FIRST);
    assert_int_equal(other[1], FIRST + 2);
}

static void closed_descriptor__any_use__ebadf(void **state)
{
    make_pipe(0);
    char byte;
    assert_int_equal(sim_call_close(world, one, pair[0]), 0);
    assert_int_equal(sim_call_close(world, one, pair[0]), -EBADF);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), -EBADF);
    assert_int_equal(sim_call_read(world, one, -1, &byte, 1), -EBADF);
    assert_int_equal(sim_call_read(world, one, 0, &byte, 1), -EBADF);
    assert_int_equal(sim_call_read(world, one, INT_MAX, &byte, 1), -EBADF);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_GETFL, 0), -EBADF);
}

static void table_full__open__emfile(void **state)
{
    sim_process_at(world, process)->descriptor_limit = 3;
    make_pipe(0);
    int other[2];
    assert_int_equal(sim_call_pipe2(world, one, other, 0), -EMFILE);
    assert_int_equal(sim_call_eventfd(world, one, 0, 0), FIRST + 2);
    assert_int_equal(sim_call_eventfd(world, one, 0, 0), -EMFILE);
    assert_int_equal(world->pools[SIM_POOL_PIPE].live_count, 1);
    assert_int_equal(world->pools[SIM_POOL_FILE].live_count, 3);
}

static void table_of_many_pages__open_and_close__lowest_free_is_found(void **state)
{
    enum { COUNT = 3000 };
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(sim_call_eventfd(world, one, 0, 0), FIRST + i);
    }
    assert_int_equal(sim_call_close(world, one, FIRST + 2500), 0);
    assert_int_equal(sim_call_close(world, one, FIRST + 7), 0);
    assert_int_equal(sim_call_eventfd(world, one, 0, 0), FIRST + 7);
    assert_int_equal(sim_call_eventfd(world, one, 0, 0), FIRST + 2500);
    assert_int_equal(sim_call_eventfd(world, one, 0, 0), FIRST + COUNT);
}

/* ---- shared descriptions ----------------------------------------------------------------------- */

static void duplicate__change_status__both_see_it(void **state)
{
    make_pipe(0);
    const int copy = (int)sim_call_fcntl(world, one, pair[0], F_DUPFD_CLOEXEC, FIRST + 10);
    assert_int_equal(copy, FIRST + 10);
    assert_int_equal(sim_call_fcntl(world, one, copy, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_GETFD, 0), 0);
    assert_int_equal(sim_call_fcntl(world, one, copy, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_GETFL, 0), O_RDONLY | O_NONBLOCK);
    char byte;
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), -EAGAIN);
}

static void duplicate_of_writer__close_one__no_end_of_file(void **state)
{
    make_pipe(O_NONBLOCK);
    char byte;
    const int copy = (int)sim_call_dup3(world, one, pair[1], FIRST + 5, 0);
    assert_int_equal(copy, FIRST + 5);
    assert_int_equal(sim_call_close(world, one, pair[1]), 0);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), -EAGAIN);
    assert_int_equal(sim_call_close(world, one, copy), 0);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), 0);
}

static void open_target__dup3__closes_what_was_there(void **state)
{
    make_pipe(O_NONBLOCK);
    char byte;
    const int counter = (int)sim_call_eventfd(world, one, 0, 0);
    assert_int_equal(sim_call_dup3(world, one, counter, pair[1], O_CLOEXEC), pair[1]);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), 0);
    assert_int_equal(sim_call_fcntl(world, one, pair[1], F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(sim_call_dup3(world, one, counter, counter, 0), -EINVAL);
    assert_int_equal(sim_call_dup3(world, one, counter, FIRST, O_NONBLOCK), -EINVAL);
    assert_int_equal(sim_call_dup3(world, one, counter, 5, 0), -EBADF);
    assert_int_equal(sim_call_dup3(world, one, 5, FIRST, 0), -EBADF);
}

static void parent_with_pipe__fork_and_exits__end_of_file_after_the_last(void **state)
{
    make_pipe(O_NONBLOCK);
    char byte;
    const struct sim_process_id child = sim_process_fork(world, process);
    assert_int_not_equal(child.index, 0);
    assert_int_equal(sim_call_close(world, one, pair[1]), 0);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), -EAGAIN);
    sim_process_exit(world, child, 3);
    assert_int_equal(sim_process_at(world, child)->exit_status, 3);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), 0);
}

static void reader_waits__descriptor_is_closed_and_reused__still_reads_the_old(void **state)
{
    make_pipe(0);
    char byte = 0;
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), SIM_WAIT);
    assert_int_equal(sim_call_close(world, two, pair[0]), 0);
    assert_int_equal(sim_call_eventfd(world, two, 9, 0), pair[0]);
    assert_int_equal(sim_call_write(world, two, pair[1], "x", 1), 1);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(world->pools[SIM_POOL_FILE].live_count, 2);
}

/* ---- pipes ------------------------------------------------------------------------------------- */

static void full_pipe__blocking_write__goes_on_as_room_comes(void **state)
{
    enum { BYTES = 100000 };
    static char data[BYTES], got[BYTES];
    make_pipe(0);
    memset(data, 'd', sizeof data);
    assert_int_equal(sim_call_write(world, one, pair[1], data, BYTES), SIM_WAIT);
    assert_int_equal(sim_call_read(world, two, pair[0], got, BYTES), 65536);
    assert_runs(one);
    assert_int_equal(sim_call_write(world, one, pair[1], data, BYTES), BYTES);
    assert_int_equal(sim_call_read(world, two, pair[0], got, BYTES), BYTES - 65536);
}

static void full_pipe__small_write__whole_or_not_at_all(void **state)
{
    static char data[65536];
    make_pipe(O_NONBLOCK);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 65000), 65000);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 1000), -EAGAIN);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 5000), -EAGAIN);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 4500), 404); /* the odd bytes */
}

static void pages_partly_filled__write__pipe_is_full_with_little_in_it(void **state)
{
    static char data[4096];
    make_pipe(O_NONBLOCK);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(sim_call_write(world, one, pair[1], data, 3000), 3000);
    }
    assert_int_equal(sim_call_write(world, one, pair[1], data, 2000), -EAGAIN);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 1000), 1000);
    assert_int_equal(sim_call_read(world, one, pair[0], data, 2999), 2999);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 2000), -EAGAIN);
    assert_int_equal(sim_call_read(world, one, pair[0], data, 1), 1);
    assert_int_equal(sim_call_write(world, one, pair[1], data, 2000), 2000);
}

static void no_reader__write__epipe_and_the_signal_is_ignored(void **state)
{
    make_pipe(0);
    sim_call_close(world, one, pair[0]);
    assert_int_equal(sim_call_write(world, one, pair[1], "x", 1), -EPIPE);
    assert_int_equal(sim_process_at(world, process)->exited, 0);
}

static void no_reader__write_with_sigpipe_at_default__process_ends(void **state)
{
    make_pipe(0);
    sim_signal_dispose(world, process, SIGPIPE, SIM_SIGNAL_DEFAULT);
    sim_call_close(world, one, pair[0]);
    assert_int_equal(sim_call_write(world, one, pair[1], "x", 1), -EPIPE);
    assert_int_equal(sim_process_at(world, process)->killed_by, SIGPIPE);
    assert_int_equal(sim_task_at(world, two)->state, SIM_TASK_ENDED);
    assert_int_equal(world->pools[SIM_POOL_PIPE].live_count, 0);
}

static void pipe__ioctl_and_size__as_linux(void **state)
{
    int count = -1;
    make_pipe(0);
    sim_call_write(world, one, pair[1], "four", 4);
    assert_int_equal(sim_call_ioctl(world, one, pair[0], FIONREAD, &count), 0);
    assert_int_equal(count, 4);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_GETPIPE_SZ, 0), 65536);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_SETPIPE_SZ, 5000), 8192);
    int on = 1;
    assert_int_equal(sim_call_ioctl(world, one, pair[0], FIONBIO, &on), 0);
    assert_int_equal(sim_call_fcntl(world, one, pair[0], F_GETFL, 0), O_NONBLOCK);
    assert_int_equal(sim_call_ioctl(world, one, pair[0], 0x1234, &on), -ENOTTY);
    assert_int_equal(sim_call_read(world, one, pair[1], &on, 1), -EBADF);
    assert_int_equal(sim_call_write(world, one, pair[0], &on, 1), -EBADF);
}

/* ---- eventfd, timerfd -------------------------------------------------------------------------- */

static void counter__adds_up__read_takes_all(void **state)
{
    uint64_t value = 5, got = 0;
    const int fd = (int)sim_call_eventfd(world, one, 2, EFD_NONBLOCK);
    assert_int_equal(sim_call_write(world, one, fd, &value, sizeof value), 8);
    assert_int_equal(sim_call_read(world, one, fd, &got, 4), -EINVAL);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
    assert_int_equal(got, 7);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), -EAGAIN);
    value = UINT64_MAX;
    assert_int_equal(sim_call_write(world, one, fd, &value, sizeof value), -EINVAL);
    value = UINT64_MAX - 1;
    assert_int_equal(sim_call_write(world, one, fd, &value, sizeof value), 8);
    assert_int_equal(sim_call_write(world, one, fd, &value, sizeof value), -EAGAIN);
}

static void semaphore__read__takes_one(void **state)
{
    uint64_t got = 0;
    const int fd = (int)sim_call_eventfd(world, one, 2, EFD_SEMAPHORE);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
    assert_int_equal(got, 1);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), SIM_WAIT);
    got = 1;
    assert_int_equal(sim_call_write(world, two, fd, &got, sizeof got), 8);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
}

static int timer_of(long first_ms, long interval_ms)
{
    const struct itimerspec value = {in_ms(interval_ms), in_ms(first_ms)};
    const int fd = (int)sim_call_timerfd_create(world, one, CLOCK_MONOTONIC, 0);
    assert_int_equal(sim_call_timerfd_settime(world, one, fd, 0, &value, NULL), 0);
    return fd;
}

static void periodic_timer__read_late__counts_what_was_missed(void **state)
{
    uint64_t got = 0;
    const int fd = timer_of(10, 5);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 10 * MS);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
    assert_int_equal(got, 1);
    assert_int_equal(runs_before(27 * MS).index, 0);
    sim_world_advance(world, 27 * MS);
    assert_int_equal(sim_call_read(world, one, fd, &got, sizeof got), 8);
    assert_int_equal(got, 3); /* at 15, 20 and 25 */
    struct itimerspec left;
    assert_int_equal(sim_call_timerfd_gettime(world, one, fd, &left), 0);
    assert_int_equal(left.it_value.tv_nsec, 3 * MS);
    assert_int_equal(left.it_interval.tv_nsec, 5 * MS);
}

static void armed_timer__disarmed_and_closed__nothing_is_queued(void **state)
{
    const struct itimerspec off = {{0, 0}, {0, 0}};
    struct itimerspec old;
    const int fd = timer_of(10, 0);
    assert_int_equal(sim_call_timerfd_settime(world, one, fd, 0, &off, &old), 0);
    assert_int_equal(old.it_value.tv_nsec, 10 * MS);
    assert_nobody_runs();
    assert_int_equal(world->now, 0);
    sim_call_close(world, one, timer_of(10, 0));
    assert_nobody_runs();
    assert_int_equal(world->now, 0);
}

static void timer__wrong_arguments__refused(void **state)
{
    const struct itimerspec bad = {{0, 0}, {0, 1000000000}};
    const int fd = (int)sim_call_timerfd_create(world, one, CLOCK_REALTIME, TFD_CLOEXEC);
    make_pipe(0);
    assert_int_equal(sim_call_fcntl(world, one, fd, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(sim_call_timerfd_settime(world, one, fd, 0, &bad, NULL), -EINVAL);
    assert_int_equal(sim_call_timerfd_settime(world, one, pair[0], 0, &(struct itimerspec){0}, NULL),
                     -EINVAL);
    assert_int_equal(sim_call_timerfd_create(world, one, 77, 0), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_descriptor__pipe__lowest_two_above_all_real_ones),
        TEST(closed_descriptor__any_use__ebadf),
        TEST(table_full__open__emfile),
        TEST(table_of_many_pages__open_and_close__lowest_free_is_found),
        TEST(duplicate__change_status__both_see_it),
        TEST(duplicate_of_writer__close_one__no_end_of_file),
        TEST(open_target__dup3__closes_what_was_there),
        TEST(parent_with_pipe__fork_and_exits__end_of_file_after_the_last),
        TEST(reader_waits__descriptor_is_closed_and_reused__still_reads_the_old),
        TEST(full_pipe__blocking_write__goes_on_as_room_comes),
        TEST(full_pipe__small_write__whole_or_not_at_all),
        TEST(pages_partly_filled__write__pipe_is_full_with_little_in_it),
        TEST(no_reader__write__epipe_and_the_signal_is_ignored),
        TEST(no_reader__write_with_sigpipe_at_default__process_ends),
        TEST(pipe__ioctl_and_size__as_linux),
        TEST(counter__adds_up__read_takes_all),
        TEST(semaphore__read__takes_one),
        TEST(periodic_timer__read_late__counts_what_was_missed),
        TEST(armed_timer__disarmed_and_closed__nothing_is_queued),
        TEST(timer__wrong_arguments__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
