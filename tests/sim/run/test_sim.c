/* Tests of the public sim.h: building, running, outcomes, failures, instants, barriers, signals.
 * SPDX-License-Identifier: MIT */
#include <sys/epoll.h>

#include "small_world.h"

/* ---- building ---------------------------------------------------------------------------------- */

static void wrong_arguments__building__errors(void **state)
{
    assert_int_equal(sim_add_host(sim, "alpha", NULL), -EEXIST);
    assert_int_equal(sim_add_host(sim, "c", "10.0.0.1"), -EADDRINUSE);
    assert_int_equal(sim_add_host(sim, "d", "10.0.0.300"), -EINVAL);
    assert_int_equal(sim_add_host(sim, "e", "10.0.0.3/33"), -EINVAL);
    assert_int_equal(sim_find_host(sim, "beta"), beta);
    assert_int_equal(sim_find_host(sim, "nobody"), -ENOENT);
    assert_int_equal(sim_add_link(sim, alpha, 99, NULL), -ENOENT);
    assert_int_equal(sim_add_link(sim, alpha, alpha, NULL), -EINVAL);
    assert_int_equal(sim_add_link(sim, beta, alpha, NULL), -EEXIST);
    assert_int_equal(sim_change_link(sim, 99, 0, false), -ENOENT);
    assert_int_equal(sim_set(sim, alpha, "net.ipv4.tcp_syn_retries", 3), 0);
    assert_int_equal(sim_set(sim, alpha, "net.ipv4.no_such", 3), -ENOENT);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_syn_retries", "0x4"), 0);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_rmem", "4096\t50000 60000 "), 0);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.ip_local_port_range", "1025 2000"), 0);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_syn_retries", "3 4"), -ENOENT);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_rmem", "1 2 3 4"), -EINVAL);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_syn_retries", "4s"), -EINVAL);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_syn_retries", ""), -EINVAL);
    assert_int_equal(sim_set_text(sim, alpha, "net.ipv4.tcp_syn_retries", "300"), -EINVAL);
    assert_int_equal(sim_add_process(sim, 99, "p"), -ENOENT);
    assert_int_equal(sim_spawn(sim, 99, "t", note, ""), -ESRCH);
    assert_int_equal(sim_signal_at(sim, 99, 0, SIGUSR1, false), -ESRCH);
    assert_int_equal(sim_signal_action(sim, process, SIGKILL, true, false), -EINVAL);
    assert_int_equal(sim_barrier_wait(sim, 99), -ENOENT);
}

/* ---- outcomes ---------------------------------------------------------------------------------- */

static void tasks_end__idle_at_the_last_ones_instant(void **state)
{
    spawn("a", sleep_and_note, "a");
    const int task = spawn("b", note, "b");
    assert_int_equal(sim_task_status(sim, task, NULL), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "ba");
    assert_int_equal(sim_now(sim), 10 * MS);
    assert_int_equal(sim_task_status(sim, task, NULL), 1);
    assert_string_equal(sim_task_name(sim, task), "b");
    assert_null(sim_failure(sim));
}

static void read_nothing(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    int pair[2];
    char byte;
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    SYSTEM(read, pair[0], &byte, 1);
}

static void task_waits_for_nothing__stuck_and_said_where(void **state)
{
    char waits[256];
    spawn("reader", read_nothing, NULL);
    assert_outcome(SIM_STUCK);
    assert_true(sim_describe_waits(sim, waits, sizeof waits) > 0);
    assert_string_equal(waits, "reader on alpha: read on descriptor 1048576, since 0.000000000 s, "
                               "no deadline\n");
    const size_t whole = strlen(waits);
    assert_int_equal(sim_describe_waits(sim, waits, 5), whole);
    assert_string_equal(waits, "read");
}

static void daemon_waits__does_not_keep_the_world(void **state)
{
    assert_true(sim_spawn_daemon(sim, process, "daemon", read_nothing, NULL) > 0);
    spawn("a", note, "a");
    assert_outcome(SIM_IDLE);
}

static void run_until__stops_at_the_instant(void **state)
{
    spawn("a", sleep_and_note, "a");
    assert_int_equal(sim_run_until(sim, 4 * MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), 4 * MS);
    assert_int_equal(sim_next_at(sim), 10 * MS);
    assert_int_equal(sim_run_until(sim, 100 * MS), SIM_IDLE);
    assert_int_equal(sim_now(sim), 10 * MS);
    assert_int_equal(sim_run_until(sim, 100 * MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), 100 * MS);
}

static void beat_for_ever(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct itimerspec day = {{86400, 0}, {86400, 0}};
    const int timer = SYSTEM(timerfd_create, CLOCK_MONOTONIC, 0);
    uint64_t value;
    EXPECT(SYSTEM(timerfd_settime, timer, 0, &day, NULL) == 0);
    for (;;) {
        EXPECT(SYSTEM(read, timer, &value, sizeof value) == 8);
    }
}

static void only_a_daemon_beats__stuck_after_a_month(void **state)
{
    const uint64_t day = 86400 * 1000 * MS;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("reader", read_nothing, NULL);
    assert_outcome(SIM_STUCK);
    assert_in_range(sim_now(sim), 30 * day, 32 * day);
}

static void go_wrong(void *argument);
static int barrier;

static void sleep_long(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {*(const time_t *)argument * 86400, 0};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
    note("w");
}

static void sleeps_longer_than_a_month_beside_a_daemon__wakes(void **state)
{
    static const time_t days = 400;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("sleeper", sleep_long, (void *)(uintptr_t)&days);
    spawn("reader", read_nothing, NULL);
    assert_outcome(SIM_STUCK); /* when it has ended, and a month more */
    assert_string_equal(order, "w");
    const uint64_t day = 86400 * 1000 * MS;
    assert_in_range(sim_now(sim), 430 * day, 432 * day);
}

static void wait_for_a_timer(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct itimerspec once = {{0, 0}, {*(const time_t *)argument * 86400, 0}};
    const int timer = SYSTEM(timerfd_create, CLOCK_MONOTONIC, 0);
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t value;
    EXPECT(SYSTEM(timerfd_settime, timer, 0, &once, NULL) == 0);
    const int epoll = SYSTEM(epoll_create, 0);
    EXPECT(SYSTEM(epoll_ctl, epoll, EPOLL_CTL_ADD, timer, &event) == 0);
    EXPECT(SYSTEM(epoll_pwait, epoll, &event, 1, NULL, NULL) == 1);
    EXPECT(SYSTEM(read, timer, &value, sizeof value) == 8);
    EXPECT(SYSTEM(timerfd_settime, timer, 0, &once, NULL) == 0);
    EXPECT(SYSTEM(read, timer, &value, sizeof value) == 8);
    note("t");
}

static void timers_of_longer_than_a_month_beside_a_daemon__are_waited_for(void **state)
{
    static const time_t days = 50;
    const uint64_t day = 86400 * 1000 * MS;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("waiter", wait_for_a_timer, (void *)(uintptr_t)&days);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "t");
    assert_int_equal(sim_now(sim), 100 * day);
}

static void link_comes_up_in_two_months__is_waited_for(void **state)
{
    const uint64_t day = 86400 * 1000 * MS;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("reader", read_nothing, NULL);
    assert_int_equal(sim_change_link(sim, link_number, 60 * day, true), 0);
    assert_outcome(SIM_STUCK);
    assert_in_range(sim_now(sim), 60 * day, 62 * day);
}

static void script_a_year_from_now__is_waited_for(void **state)
{
    const uint64_t day = 86400 * 1000 * MS;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("reader", read_nothing, NULL);
    assert_int_equal(sim_at(sim, 365 * day, note, "y"), 0);
    assert_outcome(SIM_STUCK);
    assert_string_equal(order, "y");
}

static void daemon_sleeps_for_ever_alone__idle(void **state)
{
    static const time_t days = 4;
    assert_true(sim_spawn_daemon(sim, process, "sleeper", sleep_long, (void *)(uintptr_t)&days) > 0);
    spawn("a", note, "a");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "a");
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_run_until(sim, 4 * (uint64_t)86400 * 1000 * MS - 1), SIM_REACHED);
    assert_string_equal(order, "a");
    assert_int_equal(sim_run_until(sim, 4 * (uint64_t)86400 * 1000 * MS), SIM_REACHED); /* to the ns */
    assert_string_equal(order, "aw");
}

static void second_failure__first_is_the_one_told(void **state)
{
    const char *message;
    const int first = spawn("bad", go_wrong, NULL);
    const int second = spawn("worse", go_wrong, NULL);
    assert_outcome(SIM_FAILED);
    assert_string_equal(sim_failure(sim), "bad: wanted 5 (at 0.003000000 s, seed 7)");
    assert_int_equal(sim_task_status(sim, first, &message), -ECANCELED);
    assert_int_equal(sim_task_status(sim, second, &message), -ECANCELED);
    assert_string_equal(message, "wanted 5");
    const int good = spawn("good", note, "g");
    assert_outcome(SIM_FAILED); /* and it stays */
    assert_int_equal(sim_task_status(sim, good, &message), 1);
    assert_string_equal(message, "");
    assert_int_equal(sim_reset(sim, 1), 0);
    assert_null(sim_failure(sim));
}

static void meet_twice(void *argument)
{
    for (int round = 0; round < 2; round++) {
        sleep_ms(*(const char *)argument - 'a');
        EXPECT(sim_barrier_wait(sim, barrier) == 0);
        note(argument);
    }
}

static void three_meet_twice__nobody_of_the_second_round_is_let_through_by_the_first(void **state)
{
    barrier = sim_add_barrier(sim, "here", 3);
    spawn("a", meet_twice, "a");
    spawn("b", meet_twice, "b");
    spawn("c", meet_twice, "c");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "cabcab");
    assert_int_equal(sim_now(sim), 4 * MS);
}

/* ---- failures ---------------------------------------------------------------------------------- */

static void go_wrong(void *argument)
{
    sleep_ms(3);
    sim_task_fail("wanted %d", 5);
}

static void task_fails__others_go_on__failed_with_a_line_that_repeats_it(void **state)
{
    const char *message;
    const int task = spawn("bad", go_wrong, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_string_equal(order, "g");
    assert_string_equal(sim_failure(sim), "bad: wanted 5 (at 0.003000000 s, seed 7)");
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_string_equal(message, "wanted 5");
}

static jmp_buf test_runner; /* stands for cmocka's own */

static void jump_out(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    int pair[2];
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    longjmp(test_runner, 1);
}

static void assertion_fails_in_a_task__world_notices_and_can_be_used_and_destroyed(void **state)
{
    const int task = spawn("jumper", jump_out, NULL);
    spawn("good", sleep_and_note, "g");
    if (setjmp(test_runner) == 0) {
        sim_run(sim);
        fail_msg("the task did not jump");
    }
    assert_outcome(SIM_FAILED);
    assert_string_equal(order, "g");
    assert_int_equal(sim_task_status(sim, task, NULL), -ECANCELED);
    assert_non_null(strstr(sim_failure(sim), "jumper: "));
    end(state);
    make(8);
    spawn("later", sleep_and_note, "l");
    assert_outcome(SIM_IDLE);
}

static void be_killed(void *argument)
{
    sleep_ms(1000);
    note("x");
}

static void unhandled_signal__process_dies__failed_and_said_so(void **state)
{
    const char *message;
    const int task = spawn("victim", be_killed, NULL);
    assert_int_equal(sim_signal_at(sim, task, 5 * MS, SIGTERM, false), 0);
    assert_outcome(SIM_FAILED);
    assert_string_equal(sim_failure(sim), "p: killed by signal 15 (SIGTERM)");
    assert_string_equal(order, "");
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_int_equal(sim_now(sim), 5 * MS);
}

/* ---- instants, barriers, signals, processes ---------------------------------------------------- */

static void instants__functions_are_called_in_order(void **state)
{
    assert_int_equal(sim_at(sim, 7 * MS, note, "7"), 0);
    assert_int_equal(sim_at(sim, 5 * MS, note, "5"), 0);
    assert_int_equal(sim_at(sim, 5 * MS, note, "6"), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "567");
    assert_int_equal(sim_now(sim), 7 * MS);
}

static int barrier;

static void meet(void *argument)
{
    const char *name = argument;
    sleep_ms(name[0] - 'a');
    EXPECT(sim_barrier_wait(sim, barrier) == 0);
    EXPECT(sim_now(sim) == 2 * MS);
    note(argument);
}

static void three_meet__all_go_on_when_the_last_is_there(void **state)
{
    barrier = sim_add_barrier(sim, "here", 3);
    spawn("a", meet, "a");
    spawn("b", meet, "b");
    spawn("c", meet, "c");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "cab");
    assert_int_equal(sim_barrier_wait(sim, barrier), -EDEADLK); /* nobody can wait out here */
}

static void note_twice(void *argument)
{
    note(argument);
    EXPECT(sim_yield(sim) == 0);
    note(argument);
}

static void two_ready__one_yields__the_other_overtakes_it(void **state)
{
    spawn("a", note_twice, "a");
    spawn("b", note_twice, "b");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "abab");
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_yield(sim), -EDEADLK);
}

static void sleep_interrupted(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {1, 0};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == -EINTR);
    EXPECT(sim_now(sim) == 30 * MS);
}

static void handled_signal_at_an_instant__wait_ends(void **state)
{
    const int task = spawn("sleeper", sleep_interrupted, NULL);
    assert_int_equal(sim_signal_action(sim, process, SIGUSR1, true, true), 0);
    assert_int_equal(sim_signal_at(sim, task, 30 * MS, SIGUSR1, true), 0);
    assert_outcome(SIM_IDLE);
}

static int shared[2];

static void write_and_exit(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    EXPECT(SYSTEM(pipe2, shared, 0) == 0);
    const int child = sim_fork_process(sim, (int)caller.process);
    EXPECT(child > 0);
    EXPECT(sim_spawn(sim, child, "child", *(void (**)(void *))argument, NULL) > 0);
    EXPECT(SYSTEM(write, shared[1], "hi", 2) == 2);
    sim_end_process(sim, (int)caller.process, 0);
    note("not reached");
}

static void read_to_the_end(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char bytes[8];
    EXPECT(SYSTEM(close, shared[1]) == 0);
    EXPECT(SYSTEM(read, shared[0], bytes, sizeof bytes) == 2);
    EXPECT(SYSTEM(read, shared[0], bytes, sizeof bytes) == 0);
    note("end");
}

static void process_forks_and_exits__child_reads_what_was_written(void **state)
{
    void (*child)(void *) = read_to_the_end;
    spawn("parent", write_and_exit, &child);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_arguments__building__errors),
        TEST(tasks_end__idle_at_the_last_ones_instant),
        TEST(task_waits_for_nothing__stuck_and_said_where),
        TEST(daemon_waits__does_not_keep_the_world),
        TEST(run_until__stops_at_the_instant),
        TEST(only_a_daemon_beats__stuck_after_a_month),
        TEST(sleeps_longer_than_a_month_beside_a_daemon__wakes),
        TEST(timers_of_longer_than_a_month_beside_a_daemon__are_waited_for),
        TEST(link_comes_up_in_two_months__is_waited_for),
        TEST(script_a_year_from_now__is_waited_for),
        TEST(daemon_sleeps_for_ever_alone__idle),
        TEST(second_failure__first_is_the_one_told),
        TEST(three_meet_twice__nobody_of_the_second_round_is_let_through_by_the_first),
        TEST(task_fails__others_go_on__failed_with_a_line_that_repeats_it),
        TEST(assertion_fails_in_a_task__world_notices_and_can_be_used_and_destroyed),
        TEST(unhandled_signal__process_dies__failed_and_said_so),
        TEST(instants__functions_are_called_in_order),
        TEST(three_meet__all_go_on_when_the_last_is_there),
        TEST(two_ready__one_yields__the_other_overtakes_it),
        TEST(handled_signal_at_an_instant__wait_ends),
        TEST(process_forks_and_exits__child_reads_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
