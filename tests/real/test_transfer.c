/* Sending, sendall's one deadline, and the recv calls.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "double.h"

static char data[100];
static size_t sent;

static void expect_error(enum dry_error_kind kind, int code)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
}

static int sends_all(int64_t timeout_ns)
{
    struct dry_socket *s = double_socket(timeout_ns);
    sent = 999;
    int result = dry_sendall(s, data, sizeof data, 0, &sent);
    assert_string_equal(double_announced(), "sendall(77) ");
    double_finish();
    double_free(s);
    return result;
}

static void sendall__in_pieces__one_deadline_for_all(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 100 * MS, .takes_ns = 40 * MS, .gives = 1, .events = POLLOUT},
         {STEP_SEND, .bytes = 100, .gives = 30},
         {STEP_POLL, .timeout_ns = 60 * MS, .takes_ns = 20 * MS, .gives = 1},
         {STEP_SEND, .bytes = 70, .gives = 30},
         {STEP_POLL, .timeout_ns = 40 * MS, .takes_ns = 40 * MS, .gives = 0});
    assert_int_equal(sends_all(100 * MS), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    assert_int_equal(sent, 60);
}

static void sendall__deadline_reached_between_pieces__no_further_try(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 100 * MS, .takes_ns = 100 * MS, .gives = 1},
         {STEP_SEND, .bytes = 100, .gives = 99});
    assert_int_equal(sends_all(100 * MS), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
    assert_int_equal(sent, 99);
}

static void sendall__signals_while_waiting__same_deadline(void **state)
{
    PLAY({STEP_POLL, .timeout_ns = 100 * MS, .takes_ns = 10 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 90 * MS, .takes_ns = 10 * MS, .gives = 1},
         {STEP_SEND, .bytes = 100, .gives = 50},
         {STEP_POLL, .timeout_ns = 80 * MS, .takes_ns = 80 * MS, .gives = 1},
         {STEP_SEND, .bytes = 50, .gives = 50});
    assert_int_equal(sends_all(100 * MS), 0);
    assert_int_equal(sent, 100);
}

static void sendall__short_send_in_blocking_mode__check_is_asked(void **state)
{
    PLAY({STEP_SEND, .bytes = 100, .gives = 10}, {STEP_CHECK, .gives = 0},
         {STEP_SEND, .bytes = 90, .gives = 10}, {STEP_CHECK, .gives = 5});
    assert_int_equal(sends_all(DRY_TIMEOUT_NONE), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 5);
    assert_int_equal(sent, 20);
}

static void sendall__peer_gone_midway__error_and_count(void **state)
{
    PLAY({STEP_SEND, .bytes = 100, .gives = 10}, {STEP_SEND, .bytes = 90, .gives = -EPIPE});
    assert_int_equal(sends_all(DRY_TIMEOUT_NONE), -1);
    expect_error(DRY_ERROR_OS, EPIPE);
    assert_int_equal(sent, 10);
}

static void sendall__nonblocking_and_full__eagain(void **state)
{
    PLAY({STEP_SEND, .gives = 10}, {STEP_SEND, .gives = -EAGAIN});
    assert_int_equal(sends_all(0), -1);
    expect_error(DRY_ERROR_OS, EAGAIN);
    assert_int_equal(sent, 10);
}

static void sendall__no_bytes__sent_once(void **state)
{
    PLAY({STEP_SEND, .gives = 0});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_sendall(s, data, 0, 0, NULL), 0);
    double_finish();
    double_free(s);
}

static void recv__no_bytes_wanted__no_call(void **state)
{
    PLAY({STEP_RECEIVE, .gives = 0});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv(s, data, 0, 0), 0);
    assert_int_equal(dry_recv_into(s, data, 0, 0, 0), 0);
    /* recvfrom asks all the same. */
    assert_int_equal(dry_recvfrom(s, data, 0, 0, NULL), 0);
    double_finish();
    double_free(s);
}

static void recv_into__bytes_beyond_the_buffer__value_error(void **state)
{
    PLAY({STEP_RECEIVE, .bytes = 3, .gives = 3}, {STEP_RECEIVE, .bytes = 8, .gives = 3});
    struct dry_socket *s = double_socket(DRY_TIMEOUT_NONE);
    assert_int_equal(dry_recv_into(s, data, 8, 9, 0), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_ERROR);
    assert_string_equal(dry_last_error()->message, "buffer too small for requested bytes");
    assert_int_equal(dry_recvfrom_into(s, data, 8, 9, 0, NULL), -1);
    assert_string_equal(dry_last_error()->message, "nbytes is greater than the length of the buffer");
    assert_int_equal(dry_recv_into(s, data, 8, 3, 0), 3);
    assert_int_equal(dry_recv_into(s, data, 8, 0, 0), 3);
    double_finish();
    double_free(s);
}

/* ---- over the kernel ---------------------------------------------------------------------- */

static void datagram__received_with_its_sender__address_tells(void **state)
{
    struct dry_socket *pair[2];
    assert_int_equal(dry_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    struct dry_address name = {.generic.sa_family = AF_UNIX, .length = sizeof(sa_family_t)};
    /* Bound to nothing, the kernel chooses an abstract name of five digits. */
    assert_int_equal(dry_bind(pair[0], &name), 0);
    assert_int_equal(dry_send(pair[0], "hey", 3, 0), 3);
    struct dry_address from;
    assert_int_equal(dry_recvfrom(pair[1], data, sizeof data, 0, &from), 3);
    assert_int_equal(from.length, sizeof(sa_family_t) + 6);
    assert_int_equal(dry_sendto(pair[1], "you", 3, 0, &from), 3);
    assert_int_equal(dry_recvfrom(pair[0], data, sizeof data, 0, &from), 3);
    assert_memory_equal(data, "you", 3);
    assert_int_equal(from.length, 0);
    dry_close(pair[0]);
    dry_close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sendall__in_pieces__one_deadline_for_all),
        cmocka_unit_test(sendall__deadline_reached_between_pieces__no_further_try),
        cmocka_unit_test(sendall__signals_while_waiting__same_deadline),
        cmocka_unit_test(sendall__short_send_in_blocking_mode__check_is_asked),
        cmocka_unit_test(sendall__peer_gone_midway__error_and_count),
        cmocka_unit_test(sendall__nonblocking_and_full__eagain),
        cmocka_unit_test(sendall__no_bytes__sent_once),
        cmocka_unit_test(recv__no_bytes_wanted__no_call),
        cmocka_unit_test(recv_into__bytes_beyond_the_buffer__value_error),
        cmocka_unit_test(datagram__received_with_its_sender__address_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
