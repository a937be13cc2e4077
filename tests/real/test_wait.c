/* The waiting loop: signals, spurious readiness and deadlines, told to it call by call.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "double.h"

static char buffer[64];

static void expect_error(enum dry_error_kind kind, int code)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
}

static void blocking_socket__receives__no_poll_before_the_call(void **state)
{
    PLAY({STEP_RECEIVE, .gives = 5});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), 5);
    assert_string_equal(double_announced(), "recv(77) ");
    double_finish();
    double_free(s);
}

static void blocking_socket__storm_of_signals__call_repeats_until_it_answers(void **state)
{
    PLAY({STEP_RECEIVE, .gives = -EINTR}, {STEP_CHECK, .gives = 0}, {STEP_RECEIVE, .gives = -EINTR},
         {STEP_CHECK, .gives = 0}, {STEP_RECEIVE, .gives = -EINTR}, {STEP_CHECK, .gives = 0},
         {STEP_RECEIVE, .gives = 3});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), 3);
    double_finish();
    double_free(s);
}

static void blocking_socket__check_says_stop__interrupted_with_its_code(void **state)
{
    PLAY({STEP_RECEIVE, .gives = -EINTR}, {STEP_CHECK, .gives = 42});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 42);
    double_finish();
    double_free(s);
}

static void blocking_socket__receive_times_out_in_the_system__eagain_is_an_os_error(void **state)
{
    PLAY({STEP_RECEIVE, .gives = -EAGAIN});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_OS, EAGAIN);
    double_finish();
    double_free(s);
}

static void nonblocking_socket__nothing_there__eagain_at_once_without_poll(void **state)
{
    PLAY({STEP_RECEIVE, .gives = -EAGAIN});
    struct dry_socket *s = double_socket(0);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_OS, EAGAIN);
    double_finish();
    double_free(s);
}

static void timeout_socket__signals_during_the_wait__deadline_stays_to_the_ns(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 500 * MS, .takes_ns = 123456789, .gives = -EINTR, .events = POLLIN},
         {STEP_POLL, .timeout_ns = 500 * MS - 123456789, .takes_ns = 1, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 500 * MS - 123456790, .takes_ns = 500 * MS - 123456790, .gives = 0});
    struct dry_socket *s = double_socket(500 * MS);
    uint64_t before = double_now();
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    assert_string_equal(dry_last_error()->message, "timed out");
    assert_int_equal(double_now() - before, 500 * MS);
    double_finish();
    double_free(s);
}

static void timeout_socket__signal_at_the_deadline__one_last_look(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 500 * MS, .takes_ns = 500 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 0, .gives = 1}, {STEP_RECEIVE, .gives = 1});
    struct dry_socket *s = double_socket(500 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), 1);
    double_finish();
    double_free(s);
}

static void timeout_socket__signal_after_the_deadline__times_out_without_a_look(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 500 * MS, .takes_ns = 500 * MS + 1, .gives = -EINTR});
    struct dry_socket *s = double_socket(500 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    double_finish();
    double_free(s);
}

static void timeout_socket__check_stops_the_wait__no_further_call(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 500 * MS, .takes_ns = 5 * MS, .gives = -EINTR},
         {STEP_CHECK, .gives = 7});
    struct dry_socket *s = double_socket(500 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 7);
    double_finish();
    double_free(s);
}

static void timeout_socket__ready_but_nothing_there__waits_for_what_is_left(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 500 * MS, .takes_ns = 100 * MS, .gives = 1},
         {STEP_RECEIVE, .gives = -EAGAIN, .takes_ns = 1 * MS},
         {STEP_POLL, .timeout_ns = 399 * MS, .takes_ns = 9 * MS, .gives = 1},
         {STEP_RECEIVE, .gives = 4});
    struct dry_socket *s = double_socket(500 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), 4);
    double_finish();
    double_free(s);
}

static void timeout_socket__spurious_readiness_past_the_deadline__times_out(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .takes_ns = 50 * MS, .gives = 1},
         {STEP_RECEIVE, .gives = -EAGAIN, .takes_ns = 1});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    double_finish();
    double_free(s);
}

static void timeout_socket__signal_between_poll_and_call__call_alone_repeats(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .gives = 1}, {STEP_RECEIVE, .gives = -EINTR},
         {STEP_CHECK, .gives = 0}, {STEP_RECEIVE, .gives = 2});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), 2);
    double_finish();
    double_free(s);
}

static void timeout_socket__poll_fails__its_errno(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .gives = -ENOMEM});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_OS, ENOMEM);
    double_finish();
    double_free(s);
}

static void closed_timeout_socket__receives__ebadf_instead_of_a_wait(void **state)
{
    PLAY({STEP_CLOSE, .code = DOUBLE_FD}, {STEP_RECEIVE, .gives = -EBADF});
    struct dry_socket *s = double_socket(50 * MS);
    assert_int_equal(dry_close_keep(s), 0);
    assert_int_equal(dry_recv(s, buffer, sizeof buffer, 0), -1);
    expect_error(DRY_ERROR_OS, EBADF);
    double_finish();
    double_free(s);
}

static void accept__signal_while_waiting__retries_with_what_is_left(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 2000 * (int64_t)MS, .takes_ns = 700 * MS, .gives = -EINTR,
          .events = POLLIN},
         {STEP_CHECK, .gives = 0},
         {STEP_POLL, .timeout_ns = 1300 * (int64_t)MS, .takes_ns = 300 * MS, .gives = 1},
         {STEP_ACCEPT, .gives = 78}, {STEP_IOCTL, .code = 0}, {STEP_CLOSE, .code = 78});
    struct dry_socket *s = double_socket(2000 * (int64_t)MS);
    struct dry_socket *made = dry_accept(s, NULL);
    assert_non_null(made);
    assert_int_equal(dry_gettimeout(made), DRY_TIMEOUT_NONE);
    dry_close(made);
    double_finish();
    double_free(s);
}

static void accept__new_socket_cannot_be_set_up__its_descriptor_is_closed(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 50 * MS, .gives = 1}, {STEP_ACCEPT, .gives = 78},
         {STEP_IOCTL, .code = 0, .gives = -EINVAL}, {STEP_CLOSE, .code = 78});
    struct dry_socket *s = double_socket(50 * MS);
    assert_null(dry_accept(s, NULL));
    expect_error(DRY_ERROR_OS, EINVAL);
    double_finish();
    double_free(s);
}

static void accept__default_timeout_cannot_be_set__its_descriptor_is_closed(void **state)
{
    PLAY({STEP_ACCEPT, .gives = 78}, {STEP_IOCTL, .code = 1, .gives = -EINVAL},
         {STEP_CLOSE, .code = 78});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    dry_setdefaulttimeout(50 * MS);
    struct dry_socket *made = dry_accept(s, NULL);
    dry_setdefaulttimeout(DRY_TIMEOUT_NONE);
    assert_null(made);
    expect_error(DRY_ERROR_OS, EINVAL);
    double_finish();
    double_free(s);
}

static void sleep__signals__goes_on_to_the_same_instant(void **state)
{
    int64_t instant = 1007 * (int64_t)1000 * MS;
    PLAY({STEP_SLEEP, .timeout_ns = instant, .gives = -EINTR}, {STEP_CHECK, .gives = 0},
         {STEP_SLEEP, .timeout_ns = instant, .gives = 0});
    assert_int_equal(dry_sleep_until((uint64_t)instant), 0);
    double_finish();
}

static void sleep__check_says_stop__interrupted(void **state)
{
    PLAY({STEP_SLEEP, .timeout_ns = 5, .gives = -EINTR}, {STEP_CHECK, .gives = 9});
    assert_int_equal(dry_sleep_until(5), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 9);
    double_finish();
}

static void poll__signal__retries_with_what_is_left(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 30 * MS, .takes_ns = 10 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 20 * MS, .takes_ns = 20 * MS, .gives = 0});
    struct pollfd descriptor = {.fd = DOUBLE_FD, .events = POLLIN};
    assert_int_equal(dry_poll(&descriptor, 1, 30 * MS), 0);
    double_finish();
}

static void poll__no_timeout__waits_for_ever(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = FOREVER, .gives = -EINTR}, {STEP_CHECK, .gives = 0},
         {STEP_POLL, .timeout_ns = FOREVER, .gives = 1});
    struct pollfd descriptor = {.fd = DOUBLE_FD, .events = POLLIN};
    assert_int_equal(dry_poll(&descriptor, 1, -1), 1);
    double_finish();
}

static void poll__ended_by_a_signal_before_it_looked__nothing_is_told_of_an_earlier_poll(void **state)
{
    struct pollfd descriptors[2] = {{.fd = DOUBLE_FD, .events = POLLIN, .revents = POLLIN},
                                    {.fd = DOUBLE_FD, .events = POLLOUT, .revents = POLLHUP}};
    PLAY({STEP_POLL, .timeout_ns = 30 * MS, .takes_ns = 31 * MS, .gives = -EINTR},
         {STEP_CHECK, .gives = 0});
    assert_int_equal(dry_poll(descriptors, 2, 30 * MS), 0);
    assert_int_equal(descriptors[0].revents | descriptors[1].revents, 0);
    double_finish();
    descriptors[0].revents = descriptors[1].revents = POLLERR;
    PLAY({STEP_POLL, .timeout_ns = FOREVER, .gives = -EINTR}, {STEP_CHECK, .gives = 5});
    assert_int_equal(dry_poll(descriptors, 2, -1), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 5);
    assert_int_equal(descriptors[0].revents | descriptors[1].revents, 0);
    double_finish();
}

static void poll__descriptors_are_nowhere__efault(void **state)
{
    assert_int_equal(dry_poll(NULL, 1, 0), -1);
    expect_error(DRY_ERROR_OS, EFAULT);
    assert_int_equal(dry_poll(NULL, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking_socket__receives__no_poll_before_the_call),
        cmocka_unit_test(blocking_socket__storm_of_signals__call_repeats_until_it_answers),
        cmocka_unit_test(blocking_socket__check_says_stop__interrupted_with_its_code),
        cmocka_unit_test(blocking_socket__receive_times_out_in_the_system__eagain_is_an_os_error),
        cmocka_unit_test(nonblocking_socket__nothing_there__eagain_at_once_without_poll),
        cmocka_unit_test(timeout_socket__signals_during_the_wait__deadline_stays_to_the_ns),
        cmocka_unit_test(timeout_socket__signal_at_the_deadline__one_last_look),
        cmocka_unit_test(timeout_socket__signal_after_the_deadline__times_out_without_a_look),
        cmocka_unit_test(timeout_socket__check_stops_the_wait__no_further_call),
        cmocka_unit_test(timeout_socket__ready_but_nothing_there__waits_for_what_is_left),
        cmocka_unit_test(timeout_socket__spurious_readiness_past_the_deadline__times_out),
        cmocka_unit_test(timeout_socket__signal_between_poll_and_call__call_alone_repeats),
        cmocka_unit_test(timeout_socket__poll_fails__its_errno),
        cmocka_unit_test(closed_timeout_socket__receives__ebadf_instead_of_a_wait),
        cmocka_unit_test(accept__signal_while_waiting__retries_with_what_is_left),
        cmocka_unit_test(accept__new_socket_cannot_be_set_up__its_descriptor_is_closed),
        cmocka_unit_test(accept__default_timeout_cannot_be_set__its_descriptor_is_closed),
        cmocka_unit_test(sleep__signals__goes_on_to_the_same_instant),
        cmocka_unit_test(sleep__check_says_stop__interrupted),
        cmocka_unit_test(poll__signal__retries_with_what_is_left),
        cmocka_unit_test(poll__no_timeout__waits_for_ever),
        cmocka_unit_test(poll__ended_by_a_signal_before_it_looked__nothing_is_told_of_an_earlier_poll),
        cmocka_unit_test(poll__descriptors_are_nowhere__efault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
