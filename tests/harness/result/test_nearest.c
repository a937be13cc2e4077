/* Tests of the tight bound: the best of several runs must come near, unless the machine was late.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/result/nearest.h"

enum { MS = 1000000 };

struct runs {
    struct scenario *scenario;
    struct trace *world;
    struct nearest *nearest;
};

/* One step, which lasts so long in the world. */
static struct runs begin(const char *text, uint64_t wanted)
{
    struct runs runs = {.scenario = reads(text)};
    runs.world = trace_create(runs.scenario, "world");
    trace_set(runs.world, 0, 0, STEP_OK, "1", "", 0, wanted);
    runs.nearest = nearest_create(runs.scenario);
    return runs;
}

static void end(struct runs *runs)
{
    nearest_free(runs->nearest);
    trace_free(runs->world);
    scenario_free(runs->scenario);
}

/* A run on the kernel, on a machine that was late by so much, after `busy` of computing. */
static void kernel_takes(struct runs *runs, uint64_t began, uint64_t took, uint64_t late, uint64_t busy)
{
    struct trace *kernel = trace_create(runs->scenario, "kernel");
    trace_record(kernel, 0, 0,
                 &(struct trace_step){.status = STEP_OK,
                                      .outcome = "1",
                                      .detail = "",
                                      .started_ns = began,
                                      .ended_ns = began + took,
                                      .busy_ns = busy});
    kernel->late_ns = late;
    nearest_take(runs->nearest, kernel, runs->world);
    trace_free(kernel);
}

static enum nearest_state after(const char *text, uint64_t wanted, uint64_t took, uint64_t late)
{
    struct runs runs = begin(text, wanted);
    for (int i = 0; i < NEAREST_TRUE_RUNS; i++) {
        kernel_takes(&runs, 0, took, late, 0);
    }
    enum nearest_state state = nearest_state(runs.nearest);
    end(&runs);
    return state;
}

static void a_wait_20_ms_off__in_every_quiet_run__is_wrong(void **state)
{
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 40 * MS, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1 -> 1 +40ms\n", 40 * MS, 20 * MS, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1\n", 0, 20 * MS, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 28 * MS, 0), NEAREST_NEAR);
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 28 * MS + 1, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 12 * MS, 0), NEAREST_NEAR);
}

static void a_wait_missing_40_ms_of_240__is_wrong__a_coarse_timer_is_not(void **state)
{
    assert_int_equal(after("[a]\nx = 1 -> 1 +240ms\n", 240 * MS, 280 * MS, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1 -> 1 +240ms\n", 240 * MS, 200 * MS, 0), NEAREST_WRONG);
    assert_int_equal(after("[a]\nx = 1 -> 1 +3s\n", 3000u * MS, 3100u * MS, 0), NEAREST_NEAR);
    assert_int_equal(after("[a]\nx = 1 -> 1 +3s\n", 3000u * MS, 2980u * MS, 0), NEAREST_WRONG);
}

static void one_run_that_is_near__clears__all_others(void **state)
{
    struct runs runs = begin("[a]\nx = 1 -> 1 +20ms\n", 20 * MS);
    for (int i = 0; i < 9; i++) {
        kernel_takes(&runs, 0, 60 * MS, 0, 0);
    }
    assert_int_equal(nearest_state(runs.nearest), NEAREST_WRONG);
    kernel_takes(&runs, 0, 21 * MS, 0, 0);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_NEAR);
    end(&runs);
}

static void a_late_machine__leaves_it_open__while_it_explains_the_wait(void **state)
{
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 40 * MS, 10 * MS), NEAREST_OPEN);
    assert_int_equal(after("[a]\nx = 1 -> 1 +20ms\n", 20 * MS, 40 * MS, 10 * MS - 1), NEAREST_WRONG);
}

static void a_step_that_computes__is_not_late__by_that(void **state)
{
    struct runs runs = begin("[a]\nx = 1\n", 0);
    kernel_takes(&runs, 0, 30 * MS, 0, 25 * MS);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_NEAR);
    kernel_takes(&runs, 0, 30 * MS, 0, 31 * MS);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_NEAR);
    end(&runs);
    runs = begin("[a]\nx = 1\n", 0);
    kernel_takes(&runs, 0, 30 * MS, 0, 5 * MS);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_OPEN);
    end(&runs);
}

static void a_wait_that_began_late_and_ended_on_time__is_near(void **state)
{
    struct runs runs = begin("[a]\nx = 1 -> 1 +50ms\n", 50 * MS);
    kernel_takes(&runs, 20 * MS, 31 * MS, 0, 0);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_NEAR);
    end(&runs);
    runs = begin("[a]\nx = 1 -> 1 +50ms\n", 50 * MS);
    kernel_takes(&runs, 20 * MS, 20 * MS, 0, 0);
    assert_int_equal(nearest_state(runs.nearest), NEAREST_OPEN);
    end(&runs);
}

static void a_wait_never_near__is_told__with_its_best_time(void **state)
{
    struct runs runs = begin("[a]\nx = 1 -> 1 +20ms\n", 20 * MS);
    struct problems problems = {0};

    kernel_takes(&runs, 0, 45 * MS, 0, 0);
    kernel_takes(&runs, 0, 40 * MS, 0, 0);
    kernel_takes(&runs, 0, 42 * MS, 0, 0);
    nearest_judge(runs.nearest, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.list[0].text,
                        "x = 1: on the kernel it took 40ms instead of 20ms, at best of 3 runs");
    assert_string_equal(problems.list[0].system, "both");
    assert_true(problems_matter(&problems));
    problems_free(&problems);
    end(&runs);
}

static void a_wait_that_the_file_excuses__is_told__and_does_not_matter(void **state)
{
    struct runs runs = begin("[a]\nx = 1 -> 1 +20ms differs kernel \"it may\"\n", 20 * MS);
    struct problems problems = {0};

    for (int i = 0; i < NEAREST_TRUE_RUNS; i++) {
        kernel_takes(&runs, 0, 45 * MS, 0, 0);
    }
    assert_int_equal(nearest_state(runs.nearest), NEAREST_NEAR);
    nearest_judge(runs.nearest, &problems);
    assert_int_equal(problems.count, 1);
    assert_false(problems_matter(&problems));
    problems_free(&problems);
    end(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_20_ms_off__in_every_quiet_run__is_wrong),
        cmocka_unit_test(a_wait_missing_40_ms_of_240__is_wrong__a_coarse_timer_is_not),
        cmocka_unit_test(one_run_that_is_near__clears__all_others),
        cmocka_unit_test(a_late_machine__leaves_it_open__while_it_explains_the_wait),
        cmocka_unit_test(a_step_that_computes__is_not_late__by_that),
        cmocka_unit_test(a_wait_that_began_late_and_ended_on_time__is_near),
        cmocka_unit_test(a_wait_never_near__is_told__with_its_best_time),
        cmocka_unit_test(a_wait_that_the_file_excuses__is_told__and_does_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
