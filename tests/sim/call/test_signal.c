/* Tests of signals: which waits they end, which restart, what a mask holds back.
 * SPDX-License-Identifier: MIT */
#include "../tasks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "sim/core/event.h"

static int fd;

static int make(void **state)
{
    begin(state);
    fd = (int)sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0);
    return fd > 0 ? 0 : -1;
}

static int64_t receives(void)
{
    char bytes[10];
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return sim_call_recvmsg(world, one, fd, &message, 0);
}

static void take(int number, enum sim_signal_disposition how)
{
    assert_int_equal(sim_signal_dispose(world, process, number, how), 0);
}

static void receive_waits__handled__eintr(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(receives(), -EINTR);
    assert_int_equal(sim_task_at(world, one)->pending_signals, 0);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
}

static void receive_waits__handled_with_restart__goes_on_waiting(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_RESTARTS);
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(receives(), SIM_WAIT);
    assert_nobody_runs();
}

static void receive_with_timeout_waits__handled_with_restart__eintr(void **state)
{
    const struct timeval second = {1, 0};
    take(SIGUSR1, SIM_SIGNAL_RESTARTS);
    assert_int_equal(
        sim_call_setsockopt(world, one, fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(receives(), -EINTR);
}

static void receive_with_timeout__nothing_comes__eagain_at_the_deadline(void **state)
{
    const struct timeval half = {0, 500000};
    sim_call_setsockopt(world, one, fd, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof half);
    assert_int_equal(receives(), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 500 * MS);
    assert_int_equal(receives(), -EAGAIN);
}

static void two_signals_due__one_does_not_restart__eintr(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_RESTARTS);
    take(SIGUSR2, SIM_SIGNAL_HANDLED);
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    sim_signal_send(world, one, SIGUSR2);
    assert_runs(one);
    assert_int_equal(receives(), -EINTR);
}

static void waits__ignored_signal__nothing(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_IGNORED);
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    sim_signal_send(world, one, SIGCHLD); /* ignored by default */
    assert_nobody_runs();
}

static void waits__unhandled_signal__ends_the_process(void **state)
{
    assert_int_equal(receives(), SIM_WAIT);
    sim_signal_send(world, one, SIGTERM);
    assert_int_equal(sim_process_at(world, process)->killed_by, SIGTERM);
    assert_int_equal(sim_process_at(world, process)->exit_status, 128 + SIGTERM);
    assert_int_equal(sim_task_at(world, one)->state, SIM_TASK_ENDED);
    assert_int_equal(world->live_tasks, 0);
    assert_int_equal(world->waiting_tasks, 0);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
    assert_nobody_runs();
}

static void outside_a_call__handled__the_next_wait_is_not_cut_short(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    sim_signal_send(world, one, SIGUSR1);
    assert_int_equal(receives(), SIM_WAIT);
    assert_nobody_runs();
}

static void data_and_signal_at_once__the_data_wins(void **state)
{
    uint64_t value = 1;
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    const int counter = (int)sim_call_eventfd(world, one, 0, 0);
    assert_int_equal(sim_call_read(world, one, counter, &value, 8), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    value = 1;
    assert_int_equal(sim_call_write(world, two, counter, &value, 8), 8);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, counter, &value, 8), 8);
}

static void part_is_written__signal__the_part_is_the_result(void **state)
{
    static char data[100000];
    int pair[2];
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    sim_call_pipe2(world, one, pair, 0);
    assert_int_equal(sim_call_write(world, one, pair[1], data, sizeof data), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_write(world, one, pair[1], data, sizeof data), 65536);
}

static void sleeps__handled_with_restart__eintr_and_the_rest_is_told(void **state)
{
    const struct timespec second = in_ms(1000);
    struct timespec left = {0, 0};
    take(SIGUSR1, SIM_SIGNAL_RESTARTS);
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, 0, &second, &left),
                     SIM_WAIT);
    sim_world_advance(world, 300 * MS);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_clock_nanosleep(world, one, CLOCK_MONOTONIC, 0, &second, &left), -EINTR);
    assert_int_equal(left.tv_sec, 0);
    assert_int_equal(left.tv_nsec, 700 * MS);
}

static void joins_or_meets__signal__goes_on_waiting(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    assert_int_equal(sim_call_join(world, one, two.index), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_join(world, one, two.index), SIM_WAIT);
    assert_nobody_runs();
}

static void signal_events__only_waiting__lost_when_it_does_not_wait(void **state)
{
    take(SIGUSR1, SIM_SIGNAL_HANDLED);
    sim_event_push(world, 10 * MS, SIM_EVENT_SIGNAL, one.index, SIGUSR1, 1);
    assert_nobody_runs();
    assert_int_equal(sim_task_at(world, one)->pending_signals, 0);
    sim_event_push(world, 20 * MS, SIM_EVENT_SIGNAL, one.index, SIGUSR1, 1);
    assert_int_equal(receives(), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 20 * MS);
    assert_int_equal(receives(), -EINTR);
}

static void wrong_numbers__action__einval(void **state)
{
    assert_int_equal(sim_signal_dispose(world, process, 0, SIM_SIGNAL_HANDLED), -EINVAL);
    assert_int_equal(sim_signal_dispose(world, process, SIGKILL, SIM_SIGNAL_IGNORED), -EINVAL);
    assert_int_equal(sim_signal_dispose(world, process, SIGSTOP, SIM_SIGNAL_HANDLED), -EINVAL);
    assert_int_equal(sim_signal_dispose(world, process, 65, SIM_SIGNAL_HANDLED), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(receive_waits__handled__eintr),
        TEST(receive_waits__handled_with_restart__goes_on_waiting),
        TEST(receive_with_timeout_waits__handled_with_restart__eintr),
        TEST(receive_with_timeout__nothing_comes__eagain_at_the_deadline),
        TEST(two_signals_due__one_does_not_restart__eintr),
        TEST(waits__ignored_signal__nothing),
        TEST(waits__unhandled_signal__ends_the_process),
        TEST(outside_a_call__handled__the_next_wait_is_not_cut_short),
        TEST(data_and_signal_at_once__the_data_wins),
        TEST(part_is_written__signal__the_part_is_the_result),
        TEST(sleeps__handled_with_restart__eintr_and_the_rest_is_told),
        TEST(joins_or_meets__signal__goes_on_waiting),
        TEST(signal_events__only_waiting__lost_when_it_does_not_wait),
        TEST(wrong_numbers__action__einval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
