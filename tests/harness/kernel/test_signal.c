/* Signals aimed at waits of a kernel thread: they land in the wait, or in the next one, or not.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <drysock/socket.h>

#include "harness/kernel/signal.h"
#include "harness/kernel/system.h"

enum { MS = 1000000 };

static struct kernel_target target;
static struct kernel_view view = {.target = &target};
static struct dry_caller caller;

static int begin(void **state)
{
    kernel_signal_prepare();
    kernel_system_begin(&view);
    caller = kernel_system_caller(0);
    if (kernel_signal_start(&target, 1) < 0) {
        return -1;
    }
    kernel_signal_attach(&target);
    return 0;
}

/* A wait of this long without anything to wait for; how long it took. */
static int waits(uint64_t ns, uint64_t *took)
{
    struct timespec timeout = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    uint64_t began = dry_now();
    int result = caller.system->ppoll(caller, NULL, 0, &timeout, NULL);

    *took = dry_now() - began;
    return result;
}

static void computes(uint64_t ns)
{
    uint64_t until = dry_now() + ns;
    while (dry_now() < until)
        ;
}

static void a_wait__a_signal_is_due_within__it_ends_the_wait_then(void **state)
{
    uint64_t took;
    caller.system->interrupt_after(caller, 10 * MS);
    assert_int_equal(waits(500 * MS, &took), -EINTR);
    assert_in_range(took, 10 * MS, 60 * MS);
    assert_int_equal(caller.system->cancel_interrupt(caller), 1);
}

static void no_wait_yet__a_signal_is_due__it_ends_the_next_wait(void **state)
{
    uint64_t took;
    caller.system->interrupt_after(caller, 1 * MS);
    computes(5 * MS);
    assert_int_equal(waits(500 * MS, &took), -EINTR);
    assert_in_range(took, 0, 50 * MS);
    assert_int_equal(caller.system->cancel_interrupt(caller), 1);
}

static void a_wait_that_ends_before__cancelled__no_signal_comes(void **state)
{
    uint64_t took;
    caller.system->interrupt_after(caller, 30 * MS);
    assert_int_equal(waits(5 * MS, &took), 0);
    assert_int_equal(caller.system->cancel_interrupt(caller), 0);
    assert_int_equal(waits(50 * MS, &took), 0);
}

/* The race that loses a signal: the wait ends by itself at the instant at which one is sent. */
static void waits_end_as_signals_are_sent__a_hundred_times__none_is_lost(void **state)
{
    uint64_t took;
    for (int i = 0; i < 100; i++) {
        int result;
        caller.system->interrupt_after(caller, 1 * MS);
        result = waits(1 * MS, &took);
        if (result == 0) {
            assert_int_equal(waits(1000 * MS, &took), -EINTR);
        }
        assert_int_equal(caller.system->cancel_interrupt(caller), 1);
    }
}

static void a_blocking_receive__a_signal_is_due__it_ends_without_restart(void **state)
{
    int pair[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    caller.system->interrupt_after(caller, 5 * MS);
    assert_int_equal(caller.system->recvfrom(caller, pair[0], &byte, 1, 0, NULL, NULL), -EINTR);
    assert_int_equal(caller.system->cancel_interrupt(caller), 1);
    close(pair[0]);
    close(pair[1]);
}

static void a_planned_signal__the_thread_waits__the_wait_ends_but_no_interrupt_landed(void **state)
{
    uint64_t took, due_at = dry_now() + 5 * MS;
    assert_int_equal(kernel_signal_plan(0, due_at, SIGUSR2), 0);
    caller.system->interrupt_after(caller, 200 * MS);
    assert_int_equal(waits(500 * MS, &took), -EINTR);
    assert_true(dry_now() >= due_at);
    assert_true(took < 150 * MS); /* the planned one, not the other */
    assert_int_equal(caller.system->cancel_interrupt(caller), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait__a_signal_is_due_within__it_ends_the_wait_then),
        cmocka_unit_test(no_wait_yet__a_signal_is_due__it_ends_the_next_wait),
        cmocka_unit_test(a_wait_that_ends_before__cancelled__no_signal_comes),
        cmocka_unit_test(waits_end_as_signals_are_sent__a_hundred_times__none_is_lost),
        cmocka_unit_test(a_blocking_receive__a_signal_is_due__it_ends_without_restart),
        cmocka_unit_test(a_planned_signal__the_thread_waits__the_wait_ends_but_no_interrupt_landed),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
