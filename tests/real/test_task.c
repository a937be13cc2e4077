/* Tasks, the clock, and signals that really arrive, over the kernel.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "double.h"

static struct dry_socket *pair[2];
static char data[64];
static atomic_int signals;
static int checks;
static int check_answer;

static void on_signal(int number)
{
    signals++;
}

static int check(void *argument)
{
    checks++;
    return check_answer;
}

/* A signal every 3 ms, without SA_RESTART. */
static int begin(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval interval = {{0, 3000}, {0, 3000}};
    setitimer(ITIMER_REAL, &interval, NULL);
    signals = checks = check_answer = 0;
    dry_set_interrupt_check(check, NULL);
    return dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int end(void **state)
{
    struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
    dry_set_interrupt_check(NULL, NULL);
    dry_close(pair[0]);
    dry_close(pair[1]);
    return 0;
}

static void send_later(void *argument)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    dry_sleep_until(dry_now() + 30 * MS);
    dry_send(pair[1], "late", 4, 0);
}

static void blocking_recv__signals_rain__data_comes_all_the_same(void **state)
{
    struct dry_task *task = dry_spawn(send_later, NULL);
    assert_int_equal(dry_recv(pair[0], data, sizeof data, 0), 4);
    assert_true(signals > 0);
    assert_true(checks > 0);
    assert_int_equal(dry_join(task), 0);
}

static void timeout_recv__signals_rain__ends_on_time(void **state)
{
    dry_settimeout(pair[0], 40 * MS);
    uint64_t before = dry_now();
    assert_int_equal(dry_recv(pair[0], data, sizeof data, 0), -1);
    uint64_t took_ns = dry_now() - before;
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_TIMEOUT);
    assert_true(took_ns >= 40 * MS);
    /* A deadline that starts again after each signal would never come. */
    assert_true(took_ns < 2000 * (uint64_t)MS);
    assert_true(checks > 0);
}

static void timeout_recv__check_says_stop__stops_before_the_deadline(void **state)
{
    check_answer = 6;
    dry_settimeout(pair[0], 5000 * (int64_t)MS);
    uint64_t before = dry_now();
    assert_int_equal(dry_recv(pair[0], data, sizeof data, 0), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_INTERRUPTED);
    assert_int_equal(dry_last_error()->code, 6);
    assert_true(dry_now() - before < 4000 * (uint64_t)MS);
}

static void sleep__signals_rain__ends_at_the_instant(void **state)
{
    uint64_t instant = dry_now() + 20 * MS;
    assert_int_equal(dry_sleep_until(instant), 0);
    assert_true(dry_now() >= instant);
    assert_true(checks > 0);
}

static void poll__readable__told(void **state)
{
    dry_send(pair[1], "x", 1, 0);
    struct pollfd descriptors[2] = {{.fd = dry_fileno(pair[0]), .events = POLLIN},
                                    {.fd = dry_fileno(pair[1]), .events = POLLIN}};
    assert_int_equal(dry_poll(descriptors, 2, -1), 1);
    assert_int_equal(descriptors[0].revents, POLLIN);
    assert_int_equal(dry_poll(&descriptors[1], 1, 10 * MS), 0);
    assert_int_equal(dry_poll(NULL, 0, 0), 0);
}

static void fail_here(void *argument)
{
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_NONE);
    dry_socket(12345, 0, 0);
    *(int *)argument = dry_last_error()->code;
}

static void error_object__another_task_fails__ours_is_untouched(void **state)
{
    dry_socket_fileno(-1, 0, 0, 0);
    int theirs = 0;
    struct dry_task *task = dry_spawn(fail_here, &theirs);
    assert_int_equal(dry_join(task), 0);
    assert_int_equal(theirs, EAFNOSUPPORT);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
}

static void note_caller(void *argument)
{
    *(struct dry_caller *)argument = dry_current_caller();
}

static void decorated_caller__spawns__the_task_speaks_through_the_decorator(void **state)
{
    struct dry_system decorator = *dry_provider();
    dry_set_current_caller((struct dry_caller){.system = &decorator, .process = 3});
    struct dry_caller theirs = {0};
    struct dry_task *task = dry_spawn(note_caller, &theirs);
    assert_int_equal(dry_join(task), 0);
    dry_set_current_caller((struct dry_caller){0});
    assert_ptr_equal(theirs.system, &decorator);
    assert_int_equal(theirs.process, 3);
    assert_int_not_equal(theirs.task, 0);
    assert_ptr_equal(dry_current_caller().system, dry_provider());
}

static void kernel_join__unknown_task__esrch(void **state)
{
    struct dry_caller caller = dry_current_caller();
    assert_int_equal(caller.system->join(caller, 999), -ESRCH);
    assert_int_equal(caller.system->join(caller, 0), -ESRCH);
}

#define RAINING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RAINING(blocking_recv__signals_rain__data_comes_all_the_same),
        RAINING(timeout_recv__signals_rain__ends_on_time),
        RAINING(timeout_recv__check_says_stop__stops_before_the_deadline),
        RAINING(sleep__signals_rain__ends_at_the_instant),
        RAINING(poll__readable__told),
        cmocka_unit_test(error_object__another_task_fails__ours_is_untouched),
        cmocka_unit_test(decorated_caller__spawns__the_task_speaks_through_the_decorator),
        cmocka_unit_test(kernel_join__unknown_task__esrch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
