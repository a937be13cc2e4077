/* Tests of verdicts: what is the same, excused, different, too early, too late, ambiguous.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/result/compare.h"

enum { MS = 1000000 };

struct pair {
    struct scenario *scenario;
    struct trace *kernel, *world;
    struct problems problems;
};

static void begin(struct pair *pair, const char *text)
{
    *pair = (struct pair){.scenario = reads(text)};
    pair->kernel = trace_create(pair->scenario, "kernel");
    pair->world = trace_create(pair->scenario, "world");
}

static void end(struct pair *pair)
{
    problems_free(&pair->problems);
    trace_free(pair->kernel);
    trace_free(pair->world);
    scenario_free(pair->scenario);
}

/* The first actor's step `i`: how it went on each system. */
static void kernel_shows(struct pair *pair, uint32_t i, enum step_status status, const char *outcome,
                         uint64_t began, uint64_t ended)
{
    trace_set(pair->kernel, 0, i, status, outcome, "", began, ended);
}

static void world_shows(struct pair *pair, uint32_t i, enum step_status status, const char *outcome,
                        uint64_t began, uint64_t ended)
{
    trace_set(pair->world, 0, i, status, outcome, "", began, ended);
}

static enum verdict judge(struct pair *pair)
{
    problems_free(&pair->problems);
    compare_stated(pair->scenario, pair->world, NULL, false, &pair->problems);
    compare_stated(pair->scenario, pair->kernel, pair->world, false, &pair->problems);
    compare_traces(pair->scenario, pair->kernel, pair->world, &pair->problems);
    return compare_verdict(pair->scenario, pair->kernel, pair->world, &pair->problems);
}

static void equal_outcomes__within_the_times_bounds__are_the_same(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1 -> 1 +100ms\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 100 * MS);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 99 * MS);
    assert_int_equal(judge(&pair), VERDICT_SAME);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 160 * MS);
    assert_int_equal(judge(&pair), VERDICT_SAME);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 98 * MS);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    assert_true(problems_only(&pair.problems, PROBLEM_TIME));
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 161 * MS);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
}

static void a_range_of_times__holds__from_its_one_end_to_the_other(void **state)
{
    struct pair pair;
    static const struct {
        uint64_t world, kernel;
        enum verdict verdict;
    } rows[] = {
        {40 * MS, 40 * MS, VERDICT_SAME},
        {60 * MS, 60 * MS, VERDICT_SAME},
        {40 * MS - 1, 40 * MS, VERDICT_DIFFERENT},
        {60 * MS + 1, 60 * MS, VERDICT_DIFFERENT},
        {50 * MS, 39 * MS, VERDICT_SAME},
        {50 * MS, 39 * MS - 1, VERDICT_DIFFERENT},
        {50 * MS, 60 * MS + COMPARE_LATE_NS + 6 * MS, VERDICT_SAME},
        {50 * MS, 60 * MS + COMPARE_LATE_NS + 6 * MS + 1, VERDICT_DIFFERENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(&pair, "[a]\nx = 1 -> 1 +40ms..60ms\n");
        world_shows(&pair, 0, STEP_OK, "1", 0, rows[i].world);
        kernel_shows(&pair, 0, STEP_OK, "1", 0, rows[i].kernel);
        if (judge(&pair) != rows[i].verdict) {
            fail_msg("row %zu", i);
        }
        end(&pair);
    }
}

static void a_wait_that_began_late__may_end__by_as_much_earlier(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1 -> 1 +100ms\n");
    world_shows(&pair, 0, STEP_OK, "1", 50 * MS, 150 * MS);
    kernel_shows(&pair, 0, STEP_OK, "1", 55 * MS, 150 * MS);
    assert_int_equal(judge(&pair), VERDICT_SAME);
    kernel_shows(&pair, 0, STEP_OK, "1", 55 * MS, 148 * MS);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
}

static void the_world__is_held__to_the_nanosecond(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1 -> 1 +100ms @ 100ms\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 100 * MS + 1);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 100 * MS);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    assert_int_equal(pair.problems.count, 2);
    end(&pair);
}

static void an_unstated_wait__is_held__against_the_worlds(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 100 * MS);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 20 * MS);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    problems_free(&pair.problems);
    compare_stated(pair.scenario, pair.world, NULL, true, &pair.problems);
    assert_int_equal(pair.problems.count, 1);
    assert_non_null(strstr(pair.problems.list[0].text, "+100ms"));
    end(&pair);
}

static void other_outcomes__differ__also_where_the_file_is_vague(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    kernel_shows(&pair, 0, STEP_OK, "2", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
    begin(&pair, "[a]\nx = (1, 2) -> (1, _)\n");
    world_shows(&pair, 0, STEP_OK, "(1, 2)", 0, 0);
    kernel_shows(&pair, 0, STEP_OK, "(1, 3)", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    kernel_shows(&pair, 0, STEP_OK, "(1, 2)", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_SAME);
    end(&pair);
    begin(&pair, "[a]\nx = 1 -> raises OSError\n");
    world_shows(&pair, 0, STEP_OK, "raises OSError(EPIPE)", 0, 0);
    kernel_shows(&pair, 0, STEP_OK, "raises OSError(ECONNRESET)", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
    begin(&pair, "[a]\nx = 1 -> name\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    kernel_shows(&pair, 0, STEP_OK, "2", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
}

static void a_difference_with_a_reason__is_excused__on_that_system_only(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1 -> 1 differs kernel \"it may\"\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    kernel_shows(&pair, 0, STEP_DIFFERS, "2", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_EXCUSED);
    world_shows(&pair, 0, STEP_DIFFERS, "2", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
    begin(&pair, "differs kernel \"all of it may\"\n[a]\nx = 1 -> 1\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    kernel_shows(&pair, 0, STEP_DIFFERS, "2", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_EXCUSED);
    end(&pair);
}

static void a_run_that_is_stuck_or_skipped__gets__its_own_verdict(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    trace_set_detail(pair.kernel, TRACE_SKIPPED, "no TUN");
    problems_free(&pair.problems);
    compare_stated(pair.scenario, pair.kernel, pair.world, false, &pair.problems);
    assert_int_equal(compare_verdict(pair.scenario, pair.kernel, pair.world, &pair.problems),
                     VERDICT_SKIPPED);
    trace_set_detail(pair.kernel, TRACE_STUCK, "a waits");
    kernel_shows(&pair, 0, STEP_RUNNING, "", 0, 0);
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    end(&pair);
}

/* Whose run the first problem of a comparison of both is told of. */
static const char *told_of(enum step_status kernel, enum step_status world)
{
    static struct pair pair;
    struct problems problems = {0};
    begin(&pair, "[a]\nx = 1 -> 1\n");
    kernel_shows(&pair, 0, kernel, "1", 0, 0);
    world_shows(&pair, 0, world, "2", 0, 0);
    compare_traces(pair.scenario, pair.kernel, pair.world, &problems);
    const char *system = problems.count > 0 ? problems.list[0].system : "nobody";
    problems_free(&problems);
    end(&pair);
    return system;
}

static void a_difference__is_told_of__who_did_not_as_stated(void **state)
{
    assert_string_equal(told_of(STEP_OK, STEP_DIFFERS), "world");
    assert_string_equal(told_of(STEP_DIFFERS, STEP_OK), "kernel");
    assert_string_equal(told_of(STEP_OK, STEP_OK), "both");
    assert_string_equal(told_of(STEP_DIFFERS, STEP_DIFFERS), "both");
}

static void stuck_on_both__in_the_same_steps__is_the_same(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1\ny = 2\n");
    world_shows(&pair, 0, STEP_RUNNING, "", 0, 10);
    kernel_shows(&pair, 0, STEP_RUNNING, "", 0, 10000u * MS);
    trace_set_detail(pair.world, TRACE_STUCK, "a waits");
    trace_set_detail(pair.kernel, TRACE_STUCK, "a waits");
    assert_int_equal(judge(&pair), VERDICT_DIFFERENT);
    compare_forgive_stuck(&pair.problems, pair.kernel, pair.world);
    assert_int_equal(compare_verdict(pair.scenario, pair.kernel, pair.world, &pair.problems),
                     VERDICT_SAME);
    kernel_shows(&pair, 0, STEP_OK, "1", 0, 1);
    kernel_shows(&pair, 1, STEP_RUNNING, "", 1, 2);
    judge(&pair);
    compare_forgive_stuck(&pair.problems, pair.kernel, pair.world);
    assert_true(problems_matter(&pair.problems));
    end(&pair);
    begin(&pair, "[a]\nx = 1 -> 1\ny = 2\n");
    world_shows(&pair, 0, STEP_DIFFERS, "2", 0, 0);
    kernel_shows(&pair, 0, STEP_DIFFERS, "2", 0, 0);
    trace_set_detail(pair.world, TRACE_STUCK, "a waits");
    trace_set_detail(pair.kernel, TRACE_STUCK, "a waits");
    judge(&pair);
    compare_forgive_stuck(&pair.problems, pair.kernel, pair.world);
    assert_true(problems_matter(&pair.problems));
    end(&pair);
}

static void a_fault_that_did_not_fire__is__a_problem(void **state)
{
    struct pair pair;
    begin(&pair, "[a]\nx = 1\n");
    world_shows(&pair, 0, STEP_OK, "1", 0, 0);
    pair.world->unused_faults = "test.dry:1: the fault did not fire: a recv#9 errno=EIO";
    compare_stated(pair.scenario, pair.world, NULL, false, &pair.problems);
    assert_true(problems_matter(&pair.problems));
    end(&pair);
}

static void outcomes_that_move_with_the_schedule__name__the_two_lines(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 1\n[b]\ny = 2\n[c]\nz = 3\n");
    struct trace *base = trace_create(scenario, "world"), *other = trace_create(scenario, "world");
    struct text text = {0};

    for (uint32_t a = 0; a < 3; a++) {
        trace_set(base, a, 0, STEP_OK, "1", "", 0, a == 2 ? 10 * MS : 0);
        trace_set(other, a, 0, STEP_OK, "1", "", 0, a == 2 ? 10 * MS : 0);
    }
    compare_schedules(scenario, base, other, &text);
    assert_int_equal(text.length, 0);
    trace_set(other, 2, 0, STEP_OK, "2", "", 0, 10 * MS);
    compare_schedules(scenario, base, other, &text);
    assert_non_null(strstr(text.bytes, "line 6: z = 3 shows 1 or 2"));
    assert_non_null(strstr(text.bytes, "a sync between line 2, x = 1 of [a], and line 4, y = 2 of"));
    text_free(&text);
    trace_free(base);
    trace_free(other);
    scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_outcomes__within_the_times_bounds__are_the_same),
        cmocka_unit_test(a_range_of_times__holds__from_its_one_end_to_the_other),
        cmocka_unit_test(a_wait_that_began_late__may_end__by_as_much_earlier),
        cmocka_unit_test(the_world__is_held__to_the_nanosecond),
        cmocka_unit_test(an_unstated_wait__is_held__against_the_worlds),
        cmocka_unit_test(other_outcomes__differ__also_where_the_file_is_vague),
        cmocka_unit_test(a_difference__is_told_of__who_did_not_as_stated),
        cmocka_unit_test(stuck_on_both__in_the_same_steps__is_the_same),
        cmocka_unit_test(a_difference_with_a_reason__is_excused__on_that_system_only),
        cmocka_unit_test(a_run_that_is_stuck_or_skipped__gets__its_own_verdict),
        cmocka_unit_test(a_fault_that_did_not_fire__is__a_problem),
        cmocka_unit_test(outcomes_that_move_with_the_schedule__name__the_two_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
