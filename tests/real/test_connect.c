/* Connecting: made once, finished after a signal, and the loop of create_connection.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "double.h"

static const struct dry_address nowhere = {.length = sizeof(struct sockaddr_in)};

static void expect_error(enum dry_error_kind kind, int code)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
}

/* dry_connect's result in one line: sockets and scripts of the double. */
static int connects(int64_t timeout_ns)
{
    struct dry_socket *s = double_socket(timeout_ns);
    int result = dry_connect(s, &nowhere);
    double_finish();
    double_free(s);
    return result;
}

static int connects_ex(int64_t timeout_ns)
{
    struct dry_socket *s = double_socket(timeout_ns);
    int result = dry_connect_ex(s, &nowhere);
    double_finish();
    double_free(s);
    return result;
}

static void blocking__connects__no_poll(void **state)
{
    PLAY({STEP_CONNECT, .gives = 0});
    assert_int_equal(connects(DRY_TIMEOUT_NONE), 0);
}

static void blocking__signal__waits_for_ever_and_asks_the_outcome(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINTR}, {STEP_CHECK, .gives = 0},
         {STEP_POLL, .timeout_ns = FOREVER, .gives = -EINTR, .events = POLLOUT},
         {STEP_CHECK, .gives = 0}, {STEP_POLL, .timeout_ns = FOREVER, .gives = 1},
         {STEP_OUTCOME, .code = 0});
    assert_int_equal(connects(DRY_TIMEOUT_NONE), 0);
}

static void blocking__signal_then_refused__the_outcome_is_the_error(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINTR}, {STEP_POLL, .timeout_ns = FOREVER, .gives = 1},
         {STEP_OUTCOME, .code = ECONNREFUSED});
    assert_int_equal(connects(DRY_TIMEOUT_NONE), -1);
    expect_error(DRY_ERROR_OS, ECONNREFUSED);
}

static void blocking__signal_and_check_stops__no_wait(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINTR}, {STEP_CHECK, .gives = 3});
    assert_int_equal(connects(DRY_TIMEOUT_NONE), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 3);
}

static void nonblocking__in_progress__is_an_error_at_once(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS});
    assert_int_equal(connects(0), -1);
    expect_error(DRY_ERROR_OS, EINPROGRESS);
}

static void nonblocking__signal__eintr_comes_out(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINTR}, {STEP_CHECK, .gives = 0});
    assert_int_equal(connects(0), -1);
    expect_error(DRY_ERROR_OS, EINTR);
}

static void timeout__in_progress__deadline_survives_signals(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS},
         {STEP_POLL, .timeout_ns = 100 * MS, .takes_ns = 30 * MS, .gives = -EINTR},
         {STEP_POLL, .timeout_ns = 70 * MS, .takes_ns = 70 * MS, .gives = 0});
    assert_int_equal(connects(100 * MS), -1);
    expect_error(DRY_ERROR_TIMEOUT, 0);
}

static void timeout__already_connected_by_the_time__is_success(void **state)
{
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS}, {STEP_POLL, .timeout_ns = 100 * MS, .gives = 1},
         {STEP_OUTCOME, .code = EISCONN});
    assert_int_equal(connects(100 * MS), 0);
}

static void timeout__fails_at_once__no_poll(void **state)
{
    PLAY({STEP_CONNECT, .gives = -ENETUNREACH});
    assert_int_equal(connects(100 * MS), -1);
    expect_error(DRY_ERROR_OS, ENETUNREACH);
}

static void connect_ex__each_outcome__is_a_number(void **state)
{
    PLAY({STEP_CONNECT, .gives = 0});
    assert_int_equal(connects_ex(DRY_TIMEOUT_NONE), 0);
    PLAY({STEP_CONNECT, .gives = -ECONNREFUSED});
    assert_int_equal(connects_ex(DRY_TIMEOUT_NONE), ECONNREFUSED);
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS});
    assert_int_equal(connects_ex(0), EINPROGRESS);
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS},
         {STEP_POLL, .timeout_ns = 100 * MS, .takes_ns = 100 * MS, .gives = 0});
    assert_int_equal(connects_ex(100 * MS), EAGAIN);
    PLAY({STEP_CONNECT, .gives = -EINPROGRESS}, {STEP_POLL, .timeout_ns = 100 * MS, .gives = 1},
         {STEP_OUTCOME, .code = ETIMEDOUT});
    assert_int_equal(connects_ex(100 * MS), ETIMEDOUT);
    PLAY({STEP_CONNECT, .gives = -EINTR}, {STEP_CHECK, .gives = 8});
    assert_int_equal(connects_ex(100 * MS), -1);
    expect_error(DRY_ERROR_INTERRUPTED, 8);
}

/* ---- over the kernel ---------------------------------------------------------------------- */

static struct dry_socket *listener(char port[8], bool open)
{
    struct dry_socket *s = dry_socket(AF_INET, SOCK_STREAM, 0);
    struct dry_address address = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *inet = (void *)&address.storage;
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(dry_bind(s, &address), 0);
    if (open) {
        assert_int_equal(dry_listen(s, 1), 0);
    }
    assert_int_equal(dry_getsockname(s, &address), 0);
    snprintf(port, 8, "%d", ntohs(inet->sin_port));
    return s;
}

static void create_connection__with_source_and_timeout__both_are_set(void **state)
{
    char port[8];
    struct dry_socket *server = listener(port, true);
    struct dry_address source = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *inet = (void *)&source.storage;
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = htonl(0x7f000002);
    struct dry_socket *s = dry_create_connection("127.0.0.1", port, 700 * MS, &source, false);
    assert_non_null(s);
    assert_int_equal(dry_gettimeout(s), 700 * MS);
    struct dry_address name;
    assert_int_equal(dry_getsockname(s, &name), 0);
    assert_int_equal(((struct sockaddr_in *)(void *)&name.storage)->sin_addr.s_addr, htonl(0x7f000002));
    dry_close(s);
    dry_close(server);
}

static void create_connection__refused__the_last_error(void **state)
{
    char port[8];
    struct dry_socket *closed = listener(port, false);
    assert_null(dry_create_connection("127.0.0.1", port, DRY_TIMEOUT_DEFAULT, NULL, false));
    expect_error(DRY_ERROR_OS, ECONNREFUSED);
    assert_string_equal(dry_last_error()->message, "Connection refused");
    dry_close(closed);
}

static void create_connection__all_errors__the_message_tells_each(void **state)
{
    char port[8];
    struct dry_socket *closed = listener(port, false);
    assert_null(dry_create_connection("127.0.0.1", port, DRY_TIMEOUT_DEFAULT, NULL, true));
    expect_error(DRY_ERROR_OS, ECONNREFUSED);
    assert_string_equal(dry_last_error()->message, "create_connection failed (1 sub-exception): "
                                                   "ECONNREFUSED: Connection refused");
    dry_close(closed);
}

static void create_connection__unknown_service__gaierror(void **state)
{
    assert_null(
        dry_create_connection("127.0.0.1", "no-such-service", DRY_TIMEOUT_DEFAULT, NULL, false));
    expect_error(DRY_ERROR_GAI, EAI_SERVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking__connects__no_poll),
        cmocka_unit_test(blocking__signal__waits_for_ever_and_asks_the_outcome),
        cmocka_unit_test(blocking__signal_then_refused__the_outcome_is_the_error),
        cmocka_unit_test(blocking__signal_and_check_stops__no_wait),
        cmocka_unit_test(nonblocking__in_progress__is_an_error_at_once),
        cmocka_unit_test(nonblocking__signal__eintr_comes_out),
        cmocka_unit_test(timeout__in_progress__deadline_survives_signals),
        cmocka_unit_test(timeout__already_connected_by_the_time__is_success),
        cmocka_unit_test(timeout__fails_at_once__no_poll),
        cmocka_unit_test(connect_ex__each_outcome__is_a_number),
        cmocka_unit_test(create_connection__with_source_and_timeout__both_are_set),
        cmocka_unit_test(create_connection__refused__the_last_error),
        cmocka_unit_test(create_connection__all_errors__the_message_tells_each),
        cmocka_unit_test(create_connection__unknown_service__gaierror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
