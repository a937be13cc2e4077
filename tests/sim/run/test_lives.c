/* Tests of what ends: tasks nobody joins, processes, joins late, twice and of the long forgotten.
 * SPDX-License-Identifier: MIT */
/* Before the tests' own names. */
#include "sim/run/run.h"

#include "small_world.h"

/* Resident memory in KiB. */
static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static uint32_t ran;

static void count(void *argument)
{
    ran++;
}

/* The checks walk everything after every step, which is too slow here. */
static void make_large(void)
{
    const struct sim_options options = {.seed = 1, .check = 0};
    sim_destroy(sim);
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
    ran = 0;
}

/* ---- for ever ----------------------------------------------------------------------------------- */

enum {
    MANY = 1000000,
    BATCH = 1000,
    PROCESSES = 100000,
    MOST_KIB = SANITIZED ? 1024 * 1024 : 64 * 1024
};

static void spawn_for_ever(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    uint32_t task;
    for (uint32_t i = 0; i < MANY; i++) {
        EXPECT(SYSTEM(spawn, count, NULL, &task) == 0);
        if (i % BATCH == BATCH - 1) {
            sleep_ms(1);
        }
    }
}

static void million_tasks__nobody_joins__memory_is_bounded(void **state)
{
    make_large();
    spawn("parent", spawn_for_ever, NULL);
    const long before = resident_kib();
    assert_outcome(SIM_IDLE);
    assert_int_equal(ran, MANY);
    assert_in_range(resident_kib() - before, 0, MOST_KIB);
    sim_check(sim);
}

static void million_tasks__made_from_outside__memory_is_bounded(void **state)
{
    make_large();
    const long before = resident_kib();
    int first = 0;
    int last = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        last = spawn("one", count, NULL);
        first = first ? first : last;
        if (i % BATCH == BATCH - 1) {
            assert_outcome(SIM_IDLE);
            assert_int_equal(sim_task_status(sim, last, NULL), 1);
        }
    }
    assert_int_equal(ran, MANY);
    assert_in_range(resident_kib() - before, 0, MOST_KIB);
    assert_int_equal(last - first, MANY - 1); /* no number is given twice */
    assert_int_equal(sim_task_status(sim, first, NULL), 1);
    sim_check(sim);
}

static void hundred_thousand_processes__each_ends__memory_is_bounded(void **state)
{
    make_large();
    const long before = resident_kib();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        const int one = sim_add_process(sim, alpha, "one");
        assert_true(one > 0);
        assert_true(sim_spawn(sim, one, "task", count, NULL) > 0);
        assert_outcome(SIM_IDLE);
        assert_int_equal(sim_end_process(sim, one, 0), 0);
        assert_int_equal(sim_end_process(sim, one, 0), -ESRCH);
    }
    assert_int_equal(ran, PROCESSES);
    assert_in_range(resident_kib() - before, 0, MOST_KIB);
    sim_check(sim);
}

static void open_and_leave(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9)};
    const int fd = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
    EXPECT(SYSTEM(bind, fd, (const struct sockaddr *)&here, sizeof here) ==
           0); /* the last one is gone */
    ran++;
    EXPECT(sim_end_process(sim, (int)caller.process, 0) == 0);
}

static void forked_processes__end_from_within__their_sockets_are_gone(void **state)
{
    make_large();
    for (uint32_t i = 0; i < 20000; i++) {
        const int child = sim_fork_process(sim, process);
        assert_true(child > 0);
        assert_true(sim_spawn(sim, child, "child", open_and_leave, NULL) > 0);
        assert_outcome(SIM_IDLE);
    }
    assert_int_equal(ran, 20000);
    sim_check(sim);
}

static void million_tasks__behind_a_fault_plan__their_actors_are_freed(void **state)
{
    make_large();
    assert_int_equal(sim_fault_plan_add(sim_faults(sim), "nobody recv errno=EIO", NULL, 0, NULL), 1);
    spawn("parent", spawn_for_ever, NULL);
    const long before = resident_kib();
    assert_outcome(SIM_IDLE);
    assert_int_equal(ran, MANY);
    assert_in_range(resident_kib() - before, 0, MOST_KIB);
    sim_check(sim);
}

/* ---- joins -------------------------------------------------------------------------------------- */

static void join_late(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    uint32_t tasks[300];
    for (uint32_t i = 0; i < 300; i++) { /* more than have records kept */
        EXPECT(SYSTEM(spawn, count, NULL, &tasks[i]) == 0);
        sleep_ms(1);
    }
    for (uint32_t i = 0; i < 300; i++) {
        EXPECT(SYSTEM(join, tasks[i]) == 0);
        EXPECT(SYSTEM(join, tasks[i]) == -ESRCH);
    }
    EXPECT(sim_now(sim) == 300 * MS); /* no join waited */
    EXPECT(SYSTEM(join, 0) == -ESRCH);
    EXPECT(SYSTEM(join, tasks[299] + 1) == -ESRCH);
}

static void tasks_ended_long_ago__joined__once_each(void **state)
{
    spawn("parent", join_late, NULL);
    assert_outcome(SIM_IDLE);
}

static uint32_t sleeper;

static void join_sleeper(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const int result = SYSTEM(join, sleeper);
    EXPECT(result == 0 || result == -ESRCH);
    EXPECT(sim_now(sim) == 10 * MS);
    note(result == 0 ? "j" : "e");
}

static void spawn_sleeper(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    EXPECT(SYSTEM(spawn, sleep_and_note, "s", &sleeper) == 0);
}

static void two_join_the_same__one_gets_it(void **state)
{
    spawn("parent", spawn_sleeper, NULL);
    spawn("a", join_sleeper, NULL);
    spawn("b", join_sleeper, NULL);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "sje");
}

static void join_oneself(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    EXPECT(SYSTEM(join, *(uint32_t *)argument) == -EDEADLK);
}

static void task_joins_itself__deadlock_is_told(void **state)
{
    uint32_t own = (uint32_t)spawn("a", join_oneself, &own);
    assert_outcome(SIM_IDLE);
}

static void task_of_another_process__joined__unknown(void **state)
{
    const int other = sim_add_process(sim, beta, "q");
    assert_true(sim_spawn(sim, other, "parent", spawn_sleeper, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_true(sim_spawn(sim, process, "a", join_oneself, NULL) > 0);
}

static void sixty_five_tasks_end__another_is_made__the_first_name_is_forgotten(void **state)
{
    int first = 0;
    for (int i = 0; i < 64; i++) {
        const int task = spawn("ended", count, NULL);
        first = first ? first : task;
    }
    assert_outcome(SIM_IDLE);
    spawn("one", count, NULL); /* 64 are kept */
    assert_string_equal(sim_task_name(sim, first), "ended");
    assert_outcome(SIM_IDLE);
    spawn("two", count, NULL); /* and no more */
    assert_string_equal(sim_task_name(sim, first), "");
    assert_string_equal(sim_task_name(sim, first + 1), "ended");
}

static void numbers_come_to_their_end__begin_again_at_one(void **state)
{
    const int living = spawn("living", sleep_and_note, "l"); /* has number 1 */
    assert_int_equal(living, 1);
    sim->world->last_task_number = INT32_MAX - 1;
    const int last = spawn("last", count, NULL);
    assert_int_equal(last, INT32_MAX);
    assert_int_equal(spawn("first", count, NULL), 2); /* number 1 lives */
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "l");
    assert_int_equal(sim_task_status(sim, last, NULL), 1);
    assert_int_equal(sim_task_status(sim, last - 1, NULL), -ESRCH);
}

/* ---- numbers after an end ----------------------------------------------------------------------- */

static void fail_now(void *argument)
{
    sim_task_fail("for a reason");
}

static void task_failed_long_ago__asked__told_why(void **state)
{
    const char *message = NULL;
    const int failed = spawn("bad", fail_now, NULL);
    assert_outcome(SIM_FAILED);
    for (uint32_t i = 0; i < 200; i++) {
        spawn("later", count, NULL);
        assert_outcome(SIM_FAILED);
    }
    assert_int_equal(sim_task_status(sim, failed, &message), -ECANCELED);
    assert_string_equal(message, "for a reason");
    assert_string_equal(sim_task_name(sim, failed), "");
    assert_int_equal(sim_signal_at(sim, failed, 0, SIGTERM, false), -ESRCH);
    struct dry_caller caller = sim_caller(sim, failed);
    assert_int_equal(SYSTEM(socket, AF_INET, SOCK_STREAM, 0), -ESRCH);
}

static void number_never_given__asked__unknown(void **state)
{
    const int task = spawn("a", count, NULL);
    assert_int_equal(sim_task_status(sim, task + 1, NULL), -ESRCH);
    assert_int_equal(sim_task_status(sim, 0, NULL), -ESRCH);
    assert_int_equal(sim_task_status(sim, -1, NULL), -ESRCH);
}

static void wait_for_ever(void *argument)
{
    sleep_ms(1000000);
}

static void process_killed_long_ago__its_task_is_asked__told_so(void **state)
{
    const char *message = NULL;
    const int other = sim_add_process(sim, beta, "q");
    const int victim = sim_spawn(sim, other, "victim", wait_for_ever, NULL);
    assert_int_equal(sim_signal_at(sim, victim, MS, SIGTERM, false), 0);
    assert_outcome(SIM_FAILED);
    for (uint32_t i = 0; i < 200; i++) {
        spawn("later", count, NULL);
        sim_run(sim);
    }
    assert_int_equal(sim_task_status(sim, victim, &message), -ECANCELED);
    assert_string_equal(message, "its process was killed by a signal");
    assert_string_equal(sim_failure(sim), "q: killed by signal 15 (SIGTERM)");
    assert_int_equal(sim_fork_process(sim, other), -ESRCH); /* its record is gone, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(million_tasks__nobody_joins__memory_is_bounded),
        TEST(million_tasks__made_from_outside__memory_is_bounded),
        TEST(million_tasks__behind_a_fault_plan__their_actors_are_freed),
        TEST(hundred_thousand_processes__each_ends__memory_is_bounded),
        TEST(forked_processes__end_from_within__their_sockets_are_gone),
        TEST(tasks_ended_long_ago__joined__once_each),
        TEST(two_join_the_same__one_gets_it),
        TEST(task_joins_itself__deadlock_is_told),
        TEST(task_of_another_process__joined__unknown),
        TEST(sixty_five_tasks_end__another_is_made__the_first_name_is_forgotten),
        TEST(numbers_come_to_their_end__begin_again_at_one),
        TEST(task_failed_long_ago__asked__told_why),
        TEST(number_never_given__asked__unknown),
        TEST(process_killed_long_ago__its_task_is_asked__told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
