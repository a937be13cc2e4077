/* Tests of poll and select: bits, timeouts, masks, closed numbers.
 * SPDX-License-Identifier: MIT */
#include "../tasks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

static int pair[2];

static int low_pipe(void **state)
{
    begin(state);
    sim_process_at(world, process)->first_descriptor = 3; /* select() names nothing above 1023 */
    return sim_call_pipe2(world, one, pair, 0) == 0 ? 0 : -1;
}

static int64_t polls(struct sim_task_id task, struct pollfd *items, nfds_t count, long ms)
{
    const struct timespec timeout = in_ms(ms < 0 ? 0 : ms);
    return sim_call_ppoll(world, task, items, count, ms < 0 ? NULL : &timeout, NULL);
}

static void nothing_ready__zero_timeout__zero_at_once(void **state)
{
    struct pollfd items[] = {{.fd = pair[0], .events = POLLIN}, {.fd = -5, .events = POLLIN}};
    items[1].revents = 77;
    assert_int_equal(polls(one, items, 2, 0), 0);
    assert_int_equal(items[0].revents, 0);
    assert_int_equal(items[1].revents, 0);
    assert_int_equal(polls(one, NULL, 0, 0), 0);
}

static void closed_number__poll__pollnval(void **state)
{
    struct pollfd items[] = {{.fd = 700, .events = POLLIN}, {.fd = pair[1], .events = POLLOUT}};
    assert_int_equal(polls(one, items, 2, -1), 2);
    assert_int_equal(items[0].revents, POLLNVAL);
    assert_int_equal(items[1].revents, POLLOUT);
}

static void pipe_ends__close_the_other__hup_and_err_unasked(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = 0};
    assert_int_equal(polls(one, &item, 1, -1), SIM_WAIT);
    sim_call_close(world, two, pair[1]);
    assert_runs(one);
    assert_int_equal(polls(one, &item, 1, -1), 1);
    assert_int_equal(item.revents, POLLHUP);
}

static void waits_for_several__one_becomes_ready__only_that_is_told(void **state)
{
    int other[2];
    assert_int_equal(sim_call_pipe2(world, one, other, 0), 0);
    struct pollfd items[] = {{.fd = pair[0], .events = POLLIN}, {.fd = other[0], .events = POLLIN}};
    assert_int_equal(polls(one, items, 2, 100), SIM_WAIT);
    sim_call_write(world, two, other[1], "x", 1);
    assert_runs(one);
    assert_int_equal(world->now, 0);
    assert_int_equal(polls(one, items, 2, 100), 1);
    assert_int_equal(items[0].revents, 0);
    assert_int_equal(items[1].revents, POLLIN);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
    assert_nobody_runs(); /* the deadline is forgotten */
    assert_int_equal(world->now, 0);
}

static void nothing_happens__timeout__zero_at_the_deadline(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLIN};
    assert_int_equal(polls(one, &item, 1, 30), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 30 * MS);
    assert_int_equal(polls(one, &item, 1, 30), 0);
}

static void someone_else_was_faster__poll__goes_on_waiting_until_its_deadline(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLIN};
    char byte;
    assert_int_equal(polls(one, &item, 1, 30), SIM_WAIT);
    sim_world_advance(world, 20 * MS);
    sim_call_write(world, two, pair[1], "x", 1);
    sim_call_read(world, two, pair[0], &byte, 1);
    assert_runs(one);
    assert_int_equal(polls(one, &item, 1, 30), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 30 * MS);
    assert_int_equal(polls(one, &item, 1, 30), 0);
}

static void only_the_newer_names_asked__readable__wakes(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLRDNORM};
    assert_int_equal(polls(one, &item, 1, -1), SIM_WAIT);
    sim_call_write(world, two, pair[1], "x", 1);
    assert_runs(one);
    assert_int_equal(polls(one, &item, 1, -1), 1);
    assert_int_equal(item.revents, POLLRDNORM);
}

static void wrong_arguments__poll__einval_or_efault(void **state)
{
    const struct timespec bad = {0, -1};
    assert_int_equal(sim_call_ppoll(world, one, NULL, 0, &bad, NULL), -EINVAL);
    assert_int_equal(sim_call_ppoll(world, one, NULL, 1, NULL, NULL), -EFAULT);
    assert_int_equal(sim_call_ppoll(world, one, NULL, (nfds_t)-1, NULL, NULL), -EINVAL);
}

/* ---- signals and masks ------------------------------------------------------------------------- */

static void waits__handled_signal__eintr_even_with_restart(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLIN};
    sim_signal_dispose(world, process, SIGUSR1, SIM_SIGNAL_RESTARTS);
    assert_int_equal(polls(one, &item, 1, 1000), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(polls(one, &item, 1, 1000), -EINTR);
    assert_int_equal(polls(one, &item, 1, 0), 0); /* it is over */
}

static void blocked_signal_pends__mask_lets_it_in__eintr_at_once(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLIN};
    const struct timespec second = in_ms(1000);
    sigset_t nothing;
    sigemptyset(&nothing);
    sim_signal_dispose(world, process, SIGUSR1, SIM_SIGNAL_HANDLED);
    const uint64_t usr1 = UINT64_C(1) << (SIGUSR1 - 1);
    sim_task_at(world, one)->blocked_signals = usr1;
    sim_signal_send(world, one, SIGUSR1);
    assert_int_equal(sim_task_at(world, one)->pending_signals, usr1);
    assert_int_equal(polls(one, &item, 1, 0), 0);
    assert_int_equal(sim_call_ppoll(world, one, &item, 1, &second, &nothing), -EINTR);
    assert_int_equal(sim_task_at(world, one)->blocked_signals, usr1);
    assert_int_equal(sim_task_at(world, one)->pending_signals, 0);
}

static void mask_blocks__signal_comes__pends_beyond_the_call(void **state)
{
    struct pollfd item = {.fd = pair[0], .events = POLLIN};
    const struct timespec ms = in_ms(10);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sim_signal_dispose(world, process, SIGUSR1, SIM_SIGNAL_HANDLED);
    assert_int_equal(sim_call_ppoll(world, one, &item, 1, &ms, &usr1), SIM_WAIT);
    sim_signal_send(world, one, SIGUSR1);
    assert_runs(one);
    assert_int_equal(world->now, 10 * MS);
    assert_int_equal(sim_call_ppoll(world, one, &item, 1, &ms, &usr1), 0);
    assert_int_equal(sim_task_at(world, one)->pending_signals, 0); /* handled on the way out */
}

/* ---- select ------------------------------------------------------------------------------------ */

static void nothing_ready__select__waits_and_clears_at_the_deadline(void **state)
{
    const struct timespec ms = in_ms(10);
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(pair[0], &in);
    assert_int_equal(sim_call_pselect(world, one, 10, &in, &out, NULL, &ms, NULL), SIM_WAIT);
    assert_true(FD_ISSET(pair[0], &in)); /* untouched until the call ends */
    assert_runs(one);
    assert_int_equal(sim_call_pselect(world, one, 10, &in, &out, NULL, &ms, NULL), 0);
    assert_false(FD_ISSET(pair[0], &in));
}

static void both_ends_ready__select__counts_bits(void **state)
{
    fd_set in, out, except;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(pair[0], &in);
    FD_SET(pair[1], &out);
    FD_SET(pair[0], &except);
    sim_call_write(world, one, pair[1], "x", 1);
    assert_int_equal(sim_call_pselect(world, one, 10, &in, &out, &except, NULL, NULL), 2);
    assert_true(FD_ISSET(pair[0], &in));
    assert_true(FD_ISSET(pair[1], &out));
    assert_false(FD_ISSET(pair[0], &except));
}

static void end_of_file__select__readable(void **state)
{
    fd_set in;
    FD_ZERO(&in);
    FD_SET(pair[0], &in);
    assert_int_equal(sim_call_pselect(world, one, 10, &in, NULL, NULL, NULL, NULL), SIM_WAIT);
    sim_call_close(world, two, pair[1]);
    assert_runs(one);
    assert_int_equal(sim_call_pselect(world, one, 10, &in, NULL, NULL, NULL, NULL), 1);
}

static void closed_number__select__ebadf(void **state)
{
    fd_set in;
    FD_ZERO(&in);
    FD_SET(900, &in);
    assert_int_equal(sim_call_pselect(world, one, 901, &in, NULL, NULL, NULL, NULL), -EBADF);
    assert_int_equal(sim_call_pselect(world, one, -1, &in, NULL, NULL, NULL, NULL), -EINVAL);
    const struct timespec none = {0, 0};
    assert_int_equal(sim_call_pselect(world, one, 900, &in, NULL, NULL, &none, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, low_pipe, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_ready__zero_timeout__zero_at_once),
        TEST(closed_number__poll__pollnval),
        TEST(pipe_ends__close_the_other__hup_and_err_unasked),
        TEST(waits_for_several__one_becomes_ready__only_that_is_told),
        TEST(nothing_happens__timeout__zero_at_the_deadline),
        TEST(someone_else_was_faster__poll__goes_on_waiting_until_its_deadline),
        TEST(only_the_newer_names_asked__readable__wakes),
        TEST(wrong_arguments__poll__einval_or_efault),
        TEST(waits__handled_signal__eintr_even_with_restart),
        TEST(blocked_signal_pends__mask_lets_it_in__eintr_at_once),
        TEST(mask_blocks__signal_comes__pends_beyond_the_call),
        TEST(nothing_ready__select__waits_and_clears_at_the_deadline),
        TEST(both_ends_ready__select__counts_bits),
        TEST(end_of_file__select__readable),
        TEST(closed_number__select__ebadf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
