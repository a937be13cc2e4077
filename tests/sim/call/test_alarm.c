/* Tests of programs' timers: alarm, setitimer, timer_create; beside the kernel's own answers.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/call/pending.h"

static int begin_leader(void **state)
{
    const struct sim_action action = {.handler = 77};
    begin_program(state);
    sim_task_at(world, one)->tid = sim_process_at(world, process)->pid;
    sim_call_rt_sigaction(world, one, SIGALRM, &action, NULL);
    sim_call_rt_sigaction(world, one, SIGPROF, &action, NULL);
    sim_call_rt_sigaction(world, one, 40, &action, NULL);
    return 0;
}

static void sleeps_until(uint64_t at)
{
    assert_int_equal(sim_call_pause(world, one), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, at);
    assert_int_equal(sim_call_pause(world, one), -EINTR);
}

static struct sim_signal taken(uint64_t *overrun)
{
    struct sim_signal signal;
    assert_true(sim_signal_dequeue(world, one, UINT64_MAX, &signal, overrun));
    return signal;
}

/* ---- alarm, setitimer --------------------------------------------------------------------------- */

static void alarm__time_comes__sigalrm_once(void **state)
{
    uint64_t overrun;
    assert_int_equal(sim_call_alarm(world, one, 3), 0);
    sleeps_until(3000 * MS);
    assert_int_equal(taken(&overrun).number, SIGALRM);
    assert_int_equal(sim_call_alarm(world, one, 0), 0);
    assert_int_equal(sim_call_pause(world, one), SIM_WAIT);
    assert_nobody_runs();
}

static void alarm__set_again__rest_is_rounded_as_linux_does(void **state)
{
    static const struct {
        uint64_t left_ms;
        int64_t told;
    } rows[] = {{2000, 2}, {2499, 2}, {2500, 3}, {499, 1}, {1, 1}, {1499, 1}, {1500, 2}, {0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct itimerval value = {.it_value = {(time_t)(rows[i].left_ms / 1000),
                                                     (suseconds_t)(rows[i].left_ms % 1000 * 1000)}};
        assert_int_equal(sim_call_setitimer(world, one, ITIMER_REAL, &value, NULL), 0);
        assert_int_equal(sim_call_alarm(world, one, 0), rows[i].told);
    }
}

static void interval__fires_again_and_again(void **state)
{
    uint64_t overrun;
    const struct itimerval value = {.it_value = {0, 10000}, .it_interval = {0, 30000}};
    struct itimerval told;
    assert_int_equal(sim_call_setitimer(world, one, ITIMER_REAL, &value, NULL), 0);
    sleeps_until(10 * MS);
    taken(&overrun);
    sleeps_until(40 * MS);
    taken(&overrun);
    assert_int_equal(sim_call_getitimer(world, one, ITIMER_REAL, &told), 0);
    assert_int_equal(told.it_value.tv_usec, 30000);
    assert_int_equal(told.it_interval.tv_usec, 30000);
    assert_int_equal(sim_call_setitimer(world, one, ITIMER_REAL, NULL, &told), 0);
    assert_int_equal(told.it_value.tv_usec, 30000);
    assert_int_equal(sim_call_getitimer(world, one, ITIMER_REAL, &told), 0);
    assert_int_equal(told.it_value.tv_usec, 0);
}

static void three_interval_timers__each_its_signal(void **state)
{
    uint64_t overrun;
    const struct itimerval value = {.it_value = {0, 10000}};
    assert_int_equal(sim_call_setitimer(world, one, ITIMER_PROF, &value, NULL), 0);
    sleeps_until(10 * MS);
    assert_int_equal(taken(&overrun).number, SIGPROF);
}

static void wrong_times__setitimer__as_the_kernel_says(void **state)
{
    static const struct itimerval values[] = {
        {{0, 0}, {0, 1000000}}, {{0, 0}, {0, -1}}, {{0, 0}, {-1, 0}},     {{0, 1000000}, {0, 0}},
        {{0, -1}, {0, 0}},      {{-1, 0}, {0, 0}}, {{5, 999999}, {0, 0}},
    };
    for (int which = -1; which < 4; which++) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            const long beside = syscall(SYS_setitimer, which, &values[i], NULL);
            assert_int_equal(sim_call_setitimer(world, one, which, &values[i], NULL),
                             beside < 0 ? -errno : beside);
        }
        struct itimerval told;
        const long beside = syscall(SYS_getitimer, which, &told);
        assert_int_equal(sim_call_getitimer(world, one, which, &told), beside < 0 ? -errno : beside);
    }
}

/* ---- timer_create ------------------------------------------------------------------------------- */

static void every_clock__timer_create__as_the_kernel_says(void **state)
{
    for (clockid_t clock = -8; clock < 14; clock++) {
        int timer, beside_timer;
        if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) {
            continue; /* of the machine and its rights */
        }
        const long beside = syscall(SYS_timer_create, clock, NULL, &beside_timer);
        const int64_t expected = beside < 0 ? -errno : 0;
        const int64_t result = sim_call_timer_create(world, one, clock, NULL, &timer);
        if (result != expected) {
            fail_msg("clock %d: %lld, the kernel says %lld", clock, (long long)result,
                     (long long)expected);
        }
        if (beside == 0) {
            syscall(SYS_timer_delete, beside_timer);
        }
    }
}

static void wrong_events__timer_create__refused(void **state)
{
    int timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), -EINVAL);
    event.sigev_signo = 0;
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), -EINVAL);
    event = (struct sigevent){.sigev_notify = 17, .sigev_signo = 40};
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), -EINVAL);
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = 40};
    event._sigev_un._tid = 77777;
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), -EINVAL);
    event = (struct sigevent){.sigev_notify = SIGEV_NONE, .sigev_signo = 99};
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(sim_call_timer_delete(world, one, timer), 0);
    assert_int_equal(sim_call_timer_delete(world, one, timer), -EINVAL);
    assert_int_equal(sim_call_timer_gettime(world, one, timer, &(struct itimerspec){0}), -EINVAL);
    assert_int_equal(sim_call_timer_getoverrun(world, one, -1), -EINVAL);
}

static void timer__fires_while_its_signal_is_pending__overruns_are_counted(void **state)
{
    int timer;
    uint64_t overrun;
    const uint64_t mask = sim_signal_bit(40);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 40};
    event.sigev_value.sival_int = 5;
    const struct itimerspec value = {.it_value = in_ms(10), .it_interval = in_ms(10)};
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_MONOTONIC, &event, &timer), 0);
    sim_call_rt_sigprocmask(world, one, SIG_SETMASK, &mask, NULL);
    sim_call_rt_sigprocmask(world, two, SIG_SETMASK, &mask, NULL);
    sim_call_rt_sigprocmask(world, three, SIG_SETMASK, &mask, NULL);
    assert_int_equal(sim_call_timer_settime(world, one, timer, 0, &value, NULL), 0);
    const struct timespec rest = in_ms(45);
    assert_int_equal(sim_call_clock_nanosleep(world, two, CLOCK_MONOTONIC, 0, &rest, NULL), SIM_WAIT);
    assert_runs(two);
    const struct sim_signal signal = taken(&overrun);
    siginfo_t information;
    sim_signal_fill(world, &signal, overrun, &information);
    assert_int_equal(information.si_code, SI_TIMER);
    assert_int_equal(information.si_timerid, timer);
    assert_int_equal(information.si_overrun, 3);
    assert_int_equal(information.si_value.sival_int, 5);
    assert_int_equal(sim_call_timer_getoverrun(world, one, timer), 3);
    struct itimerspec told;
    assert_int_equal(sim_call_timer_gettime(world, one, timer, &told), 0);
    assert_int_equal(told.it_value.tv_nsec, 5 * (long)MS);
    assert_int_equal(sim_call_timer_delete(world, one, timer), 0);
    assert_int_equal(world->pools[SIM_POOL_PENDING].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_ALARM].live_count, 0);
}

static void absolute_time__wall_clock__at_its_instant(void **state)
{
    int timer;
    uint64_t overrun;
    world->wall_offset_ns = 5000 * MS;
    const struct itimerspec value = {.it_value = in_ms(5020)}, past = {.it_value = in_ms(1)};
    struct itimerspec old;
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_REALTIME, NULL, &timer), 0);
    assert_int_equal(sim_call_timer_settime(world, one, timer, TIMER_ABSTIME, &value, NULL), 0);
    sleeps_until(20 * MS);
    assert_int_equal(taken(&overrun).number, SIGALRM);
    assert_int_equal(sim_call_timer_settime(world, one, timer, TIMER_ABSTIME, &past, &old), 0);
    assert_int_equal(old.it_value.tv_nsec, 0);
    sleeps_until(20 * MS);
    const struct itimerspec bad = {.it_value = {0, 1000000000}};
    assert_int_equal(sim_call_timer_settime(world, one, timer, 0, &bad, NULL), -EINVAL);
    assert_int_equal(sim_call_timer_settime(world, one, 77, 0, &value, NULL), -EINVAL);
}

static void process_ends__its_timers__go_with_it(void **state)
{
    int timer;
    const struct itimerspec value = {.it_value = in_ms(10), .it_interval = in_ms(10)};
    assert_int_equal(sim_call_timer_create(world, one, CLOCK_REALTIME, NULL, &timer), 0);
    assert_int_equal(sim_call_timer_settime(world, one, timer, 0, &value, NULL), 0);
    sim_call_alarm(world, one, 7);
    sim_process_exit(world, process, 0);
    assert_nobody_runs();
    assert_int_equal(world->now, 0);
    assert_int_equal(world->pools[SIM_POOL_ALARM].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_EVENT].live_count, 0);
}

#define LEADER(name) cmocka_unit_test_setup_teardown(name, begin_leader, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEADER(alarm__time_comes__sigalrm_once),
        LEADER(alarm__set_again__rest_is_rounded_as_linux_does),
        LEADER(interval__fires_again_and_again),
        LEADER(three_interval_timers__each_its_signal),
        LEADER(wrong_times__setitimer__as_the_kernel_says),
        LEADER(every_clock__timer_create__as_the_kernel_says),
        LEADER(wrong_events__timer_create__refused),
        LEADER(timer__fires_while_its_signal_is_pending__overruns_are_counted),
        LEADER(absolute_time__wall_clock__at_its_instant),
        LEADER(process_ends__its_timers__go_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
