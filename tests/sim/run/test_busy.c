/* Tests of tasks that never wait: spinning on calls, computing without one; and of overflowing stacks.
 * SPDX-License-Identifier: MIT */
#include <sys/wait.h>

/* Before the tests' own names. */
#include "sim/run/run.h"

#include "small_world.h"

static uint64_t calls;

static void make_spinning(uint64_t spin_calls, uint32_t check)
{
    const struct sim_options options = {.seed = 7, .check = check, .spin_calls = spin_calls};
    sim_destroy(sim);
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
    calls = 0;
}

static uint64_t now_of(struct dry_caller caller)
{
    struct timespec now;
    EXPECT(SYSTEM(clock_gettime, CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static void read_the_clock_for_ever(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    for (;;) {
        now_of(caller);
        calls++;
    }
}

/* ---- a limit of its own ------------------------------------------------------------------------- */

static void alone_it_reads_the_clock__fails_by_its_limit(void **state)
{
    make_spinning(50000, 1);
    const char *message;
    const int task = spawn("busy", read_the_clock_for_ever, NULL);
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_string_equal(message, "spins: made 50000 calls and never waited (sim_options.spin_calls)");
    assert_non_null(strstr(sim_failure(sim), "busy: spins: "));
    assert_in_range(calls, 49999, 60001); /* counted from where the clock stood still */
    sim_check(sim);
}

static void beside_a_sleeper_it_reads_the_clock__the_sleeper_wakes_and_it_fails(void **state)
{
    make_spinning(0, 0);
    assert_int_equal(sim->spin_calls, 100000000); /* by default: seconds of real time */
    make_spinning(1000000, 0);
    spawn("busy", read_the_clock_for_ever, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_in_range(calls, 999000, 1011000);
    assert_string_equal(order, "g");
}

static void two_spin_beside_each_other__both_are_ended(void **state)
{
    make_spinning(200000, 0);
    const int one = spawn("one", read_the_clock_for_ever, NULL);
    const int two = spawn("two", read_the_clock_for_ever, NULL);
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, one, NULL), -ECANCELED);
    assert_int_equal(sim_task_status(sim, two, NULL), -ECANCELED);
}

static void yield_for_ever(void *argument)
{
    for (;;) {
        EXPECT(sim_yield(sim) == 0);
        calls++;
    }
}

static void two_yield_to_each_other_for_ever__both_are_ended(void **state)
{
    make_spinning(100000, 0);
    const int one = spawn("one", yield_for_ever, NULL);
    const int two = spawn("two", yield_for_ever, NULL);
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, one, NULL), -ECANCELED);
    assert_int_equal(sim_task_status(sim, two, NULL), -ECANCELED);
}

static void call_and_wait(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    for (int i = 0; i < 100; i++) {
        for (int j = 0; j < 900; j++) {
            now_of(caller);
        }
        sleep_ms(1);
    }
    note("w");
}

static void busy_task_waits_now_and_then__is_no_spinner(void **state)
{
    make_spinning(20000, 0);
    spawn("worker", call_and_wait, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "w");
}

static void world_of_three_tasks__three_run_at_once_and_no_fourth(void **state)
{
    const struct sim_options options = {.seed = 7, .tasks = 3};
    sim_destroy(sim);
    sim = sim_create(&options);
    build();
    for (int i = 0; i < 3; i++) {
        spawn("one", sleep_and_note, "s");
    }
    assert_int_equal(sim_spawn(sim, process, "four", sleep_and_note, "s"), -EAGAIN);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "sss");
    spawn("four", sleep_and_note, "4"); /* the records of those that ended give way */
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "sss4");
}

/* ---- never past where the run is to stop -------------------------------------------------------- */

static void alone_it_spins__run_until_stops_at_its_instant(void **state)
{
    spawn("busy", read_the_clock_for_ever, NULL);
    assert_int_equal(sim_run_until(sim, 1000000), SIM_REACHED);
    assert_int_equal(sim_now(sim), 1000000);
    const uint64_t before = calls;
    assert_int_equal(sim_run_until(sim, 1000500), SIM_REACHED); /* less than a step */
    assert_int_equal(sim_now(sim), 1000500);
    assert_int_equal(sim_run_until(sim, 1003000), SIM_REACHED);
    assert_int_equal(sim_now(sim), 1003000);
    assert_in_range(calls - before, 2, 4); /* a microsecond each */
}

static void beside_a_sleeper_it_spins__run_until_stops_at_its_instant(void **state)
{
    spawn("sleeper", sleep_and_note, "s");
    spawn("busy", read_the_clock_for_ever, NULL);
    assert_int_equal(sim_run_until(sim, MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), MS);
    assert_string_equal(order, "");
    assert_int_equal(sim_run_until(sim, 11 * MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), 11 * MS);
    assert_string_equal(order, "s");
}

/* ---- signals while it spins --------------------------------------------------------------------- */

/* Reads the clock until it moves by steps. */
static void spin_until(struct dry_caller caller, uint64_t instant)
{
    while (now_of(caller) < instant) {
        continue;
    }
}

static void spin_then_sleep(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {1, 0};
    spin_until(caller, 20000);
    /* The signal of 20,500 ns comes in the step that this call begins with. */
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == -EINTR);
    EXPECT(sim_now(sim) == 21000);
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
    note("i");
}

static void signal_comes_in_the_step_before_a_wait__ends_the_wait(void **state)
{
    const int task = spawn("busy", spin_then_sleep, NULL);
    assert_int_equal(sim_signal_action(sim, process, SIGUSR1, true, false), 0);
    assert_int_equal(sim_signal_at(sim, task, 20500, SIGUSR1, false), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "i");
}

static void spin_through(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {1, 0};
    EXPECT(SYSTEM(interrupt_after, 20500) == 0);
    spin_until(caller, 25000); /* the signal comes in a call that does not wait: it is handled */
    EXPECT(caller.system->cancel_interrupt(caller) == 0);
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
    note("n");
}

static void signal_comes_in_the_step_of_a_call_that_does_not_wait__leaves_nothing(void **state)
{
    spawn("busy", spin_through, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "n");
}

/* ---- the watchdog ------------------------------------------------------------------------------- */

static void compute_ms(long ms)
{
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        free(malloc(100));
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 < ms);
}

/* However slow the machine is: until the watchdog has marked the task. */
static void compute_too_long(void)
{
    while (!sim->overdue) {
        compute_ms(1);
    }
}

static void compute_then_call(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    compute_too_long();
    now_of(caller);
    note("x");
}

static void task_computes_too_long_then_calls__is_ended_there(void **state)
{
    const char *message;
    const int task = spawn("busy", compute_then_call, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_string_equal(message, "computed for 30 ms without a call: ended by the watchdog");
    assert_string_equal(order, "g");
    end(state);
    make(8); /* and what the task allocated and freed is whole */
    spawn("later", sleep_and_note, "l");
    assert_outcome(SIM_IDLE);
}

static void compute_then_return(void *argument)
{
    compute_too_long();
}

static void task_computes_too_long_then_returns__has_failed(void **state)
{
    const int task = spawn("busy", compute_then_return, NULL);
    const int good = spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, task, NULL), -ECANCELED);
    assert_int_equal(sim_task_status(sim, good, NULL), 1);
}

static void call_all_the_time(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    for (int i = 0; i < 20; i++) {
        compute_ms(5);
        now_of(caller);
    }
    note("d");
}

static void task_computes_and_calls__is_left_alone(void **state)
{
    spawn("worker", call_all_the_time, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "d");
}

/* What a run of that task says on standard error, in a process of its own, and its status. */
static const char *told_by(void (*entry)(void *), int *status)
{
    static char text[4096];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka's own is not a program's */
        dup2(ends[1], STDERR_FILENO);
        make(7);
        spawn("busy", entry, NULL);
        sim_run(sim);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(ends[0], text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)count;
    }
    text[length] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    return text;
}

static void allocate_for_ever(void *argument)
{
    for (;;) {
        free(malloc(1 + calls++ % 5000));
    }
}

static void task_never_calls__process_ends_and_names_it(void **state)
{
    int status;
    if (SANITIZED) {
        skip(); /* which delay signals */
    }
    assert_string_equal(told_by(allocate_for_ever, &status),
                        "drysock: task busy of process p on host alpha computed for 60 ms without a "
                        "call, so the process ends, with status 124 (twice sim_options.watchdog_ns), "
                        "at 0.000000000 s, seed 7\n");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SIM_EXIT_WATCHDOG);
}

/* ---- stacks ------------------------------------------------------------------------------------- */

/* Noinline, and what it returns hangs on each level: no compiler makes a loop of it. */
__attribute__((noinline)) static uint64_t go_down(volatile char *above, uint64_t depth)
{
    volatile char here[200];
    here[depth % sizeof here] = (char)depth;
    return depth == UINT64_MAX ? (uint64_t)*above : go_down(here, depth + 1) + (uint64_t)here[0];
}

static void recurse(void *argument)
{
    volatile char here = 0;
    calls = go_down(&here, 1);
}

static void stack_overflows__task_is_named_and_the_fault_takes_its_course(void **state)
{
    int status;
    if (SANITIZED) {
        skip(); /* which report the fault in words of their own */
    }
    assert_string_equal(told_by(recurse, &status),
                        "drysock: task busy of process p on host alpha overflowed its stack of 262144 "
                        "bytes; sim_options.stack_bytes gives it more, at 0.000000000 s, seed 7\n");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

/* One frame that reaches over a page below the stack. */
__attribute__((noinline)) static void reach_far(size_t bytes)
{
    volatile char *far = __builtin_alloca(bytes);
    far[0] = 1;
}

static void step_over(void *argument)
{
    reach_far(262144 + 30000);
}

static void frame_steps_over_the_first_page_below__task_is_named_all_the_same(void **state)
{
    int status;
    if (SANITIZED) {
        skip();
    }
    assert_non_null(strstr(told_by(step_over, &status), "task busy of process p on host alpha overfl"));
    assert_true(WIFSIGNALED(status));
}

static void wait_a_day(void *argument)
{
    sleep_ms(86400000);
}

static void spawn_many_then_recurse(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    uint32_t task;
    for (int i = 0; i < 20000; i++) { /* more than can have guards that cut the mapping */
        EXPECT(SYSTEM(spawn, wait_a_day, NULL, &task) == 0);
    }
    EXPECT(SYSTEM(spawn, recurse, NULL, &task) == 0);
    sleep_ms(1);
}

static void the_20000th_overflows__is_named_too(void **state)
{
    int status;
    if (SANITIZED) {
        skip();
    }
    assert_non_null(strstr(told_by(spawn_many_then_recurse, &status), "overflowed its stack"));
    assert_true(WIFSIGNALED(status));
}

static volatile char *volatile nowhere;

static void fault_elsewhere(void *argument)
{
    nowhere[8] = 1;
}

static void task_faults_elsewhere__nothing_is_said_of_stacks(void **state)
{
    int status;
    if (SANITIZED) {
        skip();
    }
    assert_string_equal(told_by(fault_elsewhere, &status), "");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static int handled;

static void handle_fault(int number)
{
    handled = 1;
    _exit(41);
}

static void recurse_with_a_handler(void *argument)
{
    recurse(argument);
}

static void program_has_a_handler__hears_of_the_fault_after_the_words(void **state)
{
    int status;
    int ends[2];
    char text[512] = {0};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        const struct sigaction action = {.sa_handler = handle_fault, .sa_flags = SA_ONSTACK};
        sigaction(SIGSEGV, &action, NULL);
        dup2(ends[1], STDERR_FILENO);
        make(7);
        spawn("busy", recurse_with_a_handler, NULL);
        sim_run(sim);
        _exit(0);
    }
    close(ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_non_null(strstr(text, "overflowed its stack"));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 41);
}

static void use_a_small_stack(void *argument)
{
    reach_far(50000);
    note("u");
}

static void stack_asked_for_is_tiny__it_has_64_kib(void **state)
{
    const struct sim_options options = {.seed = 1, .stack_bytes = 1};
    sim_destroy(sim);
    sim = sim_create(&options);
    build();
    spawn("a", use_a_small_stack, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "u");
}

static void stacks_asked_for_are_absurd__no_world(void **state)
{
    const struct sim_options options = {.seed = 1, .stack_bytes = UINT64_MAX};
    assert_null(sim_create(&options));
    assert_int_equal(errno, ENOMEM);
}

/* ---- an instant that does not end, a flag that ends a run -------------------------------------- */

static void again_at_once(void *argument)
{
    calls++;
    EXPECT(sim_at(sim, sim_now(sim), again_at_once, NULL) == 0);
}

static void events_without_end_at_one_instant__failed_and_named(void **state)
{
    make_spinning(0, 0);
    EXPECT(sim_at(sim, 5 * MS, again_at_once, NULL) == 0);
    assert_int_equal(sim_run_until(sim, 10 * MS), SIM_FAILED);
    assert_int_equal(sim_now(sim), 5 * MS);
    assert_in_range(calls, 3999000, 4000000);
    assert_string_equal(sim_failure(sim),
                        "4000000 events at one instant (0.005000000 s) without an end; "
                        "the next: a call of sim_at (seed 7)");
}

static volatile sig_atomic_t flag;

static void raise_flag(void *argument)
{
    flag = 1;
}

static void stop_flag_set_by_an_event__run_ends_there_and_goes_on_later(void **state)
{
    make_spinning(0, 0);
    flag = 0;
    sim_stop_flag(sim, &flag);
    spawn("good", sleep_and_note, "g");
    EXPECT(sim_at(sim, MS, raise_flag, NULL) == 0);
    assert_outcome(SIM_STOPPED);
    assert_int_equal(sim_now(sim), MS);
    assert_string_equal(order, "");
    assert_outcome(SIM_STOPPED); /* for as long as it is set */
    flag = 0;
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_without_end_at_one_instant__failed_and_named),
        TEST(stop_flag_set_by_an_event__run_ends_there_and_goes_on_later),
        TEST(alone_it_reads_the_clock__fails_by_its_limit),
        TEST(beside_a_sleeper_it_reads_the_clock__the_sleeper_wakes_and_it_fails),
        TEST(two_spin_beside_each_other__both_are_ended),
        TEST(two_yield_to_each_other_for_ever__both_are_ended),
        TEST(busy_task_waits_now_and_then__is_no_spinner),
        TEST(world_of_three_tasks__three_run_at_once_and_no_fourth),
        TEST(alone_it_spins__run_until_stops_at_its_instant),
        TEST(beside_a_sleeper_it_spins__run_until_stops_at_its_instant),
        TEST(signal_comes_in_the_step_before_a_wait__ends_the_wait),
        TEST(signal_comes_in_the_step_of_a_call_that_does_not_wait__leaves_nothing),
        TEST(task_computes_too_long_then_calls__is_ended_there),
        TEST(task_computes_too_long_then_returns__has_failed),
        TEST(task_computes_and_calls__is_left_alone),
        TEST(task_never_calls__process_ends_and_names_it),
        TEST(stack_overflows__task_is_named_and_the_fault_takes_its_course),
        TEST(frame_steps_over_the_first_page_below__task_is_named_all_the_same),
        TEST(the_20000th_overflows__is_named_too),
        TEST(task_faults_elsewhere__nothing_is_said_of_stacks),
        TEST(program_has_a_handler__hears_of_the_fault_after_the_words),
        TEST(stack_asked_for_is_tiny__it_has_64_kib),
        TEST(stacks_asked_for_are_absurd__no_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
