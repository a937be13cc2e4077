/* Tests of repeated runs: when a difference counts, when it was the machine's, when to stop.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/result/steadiness.h"

enum { MS = 1000000 };

/* Runs alone as the letters say: s same, d different, l different while the machine was late. */
static struct steadiness runs(const char *letters, bool first_differs, uint64_t first_late_ns)
{
    struct steadiness steadiness = {0};
    steadiness_take_first(&steadiness, first_differs, first_late_ns);
    for (const char *at = letters; *at != 0; at++) {
        assert_true(steadiness_wants_more(&steadiness, NEAREST_NEAR));
        steadiness_take_alone(&steadiness, *at != 's', *at == 'l' ? 10 * MS : 10 * MS - 1);
    }
    return steadiness;
}

static void ends(struct steadiness steadiness, enum verdict verdict)
{
    assert_false(steadiness_wants_more(&steadiness, NEAREST_NEAR));
    assert_int_equal(steadiness_verdict(&steadiness, NEAREST_NEAR), verdict);
}

static void the_first_run_agrees__nothing_more__is_the_same(void **state)
{
    ends(runs("", false, 0), VERDICT_SAME);
    ends(runs("", false, 50 * MS), VERDICT_SAME);
}

static void what_differs_alone_too__three_times__is_different(void **state)
{
    ends(runs("ddd", true, 0), VERDICT_DIFFERENT);
    ends(runs("dsdsd", true, 0), VERDICT_DIFFERENT);
    ends(runs("ddsss", true, 0), VERDICT_UNSTEADY);
}

static void what_differed_beside_others__and_agrees_alone__is_unsteady(void **state)
{
    struct steadiness steadiness = runs("sss", true, 0);
    ends(steadiness, VERDICT_UNSTEADY);
    assert_int_equal(steadiness.differed, 0);
    steadiness = runs("dsss", true, 10 * MS);
    ends(steadiness, VERDICT_UNSTEADY);
    assert_int_equal(steadiness.differed, 1);
    assert_int_equal(steadiness.alone, 4);
}

static void a_first_difference_of_a_late_machine__one_run_that_agrees__is_the_same(void **state)
{
    ends(runs("s", true, 10 * MS), VERDICT_SAME);
    assert_true(steadiness_wants_more(&(struct steadiness){.first_differs = true}, NEAREST_NEAR));
}

static void runs_of_a_late_machine__count_for_nothing__and_end_unmeasured(void **state)
{
    ends(runs("llllllllll", true, 10 * MS), VERDICT_UNMEASURED);
    ends(runs("llllllllls", true, 10 * MS), VERDICT_SAME);
    ends(runs("lldldlld", true, 0), VERDICT_DIFFERENT);
}

static void a_step_that_never_comes_near__decides__whatever_else_agrees(void **state)
{
    struct steadiness steadiness = runs("", false, 0);
    assert_true(steadiness_wants_more(&steadiness, NEAREST_OPEN));
    assert_int_equal(steadiness_verdict(&steadiness, NEAREST_OPEN), VERDICT_UNMEASURED);
    assert_false(steadiness_wants_more(&steadiness, NEAREST_WRONG));
    assert_int_equal(steadiness_verdict(&steadiness, NEAREST_WRONG), VERDICT_DIFFERENT);
    for (int i = 0; i < STEADINESS_MOST; i++) {
        assert_true(steadiness_wants_more(&steadiness, NEAREST_OPEN));
        steadiness_take_alone(&steadiness, false, 0);
    }
    assert_false(steadiness_wants_more(&steadiness, NEAREST_OPEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_run_agrees__nothing_more__is_the_same),
        cmocka_unit_test(what_differs_alone_too__three_times__is_different),
        cmocka_unit_test(what_differed_beside_others__and_agrees_alone__is_unsteady),
        cmocka_unit_test(a_first_difference_of_a_late_machine__one_run_that_agrees__is_the_same),
        cmocka_unit_test(runs_of_a_late_machine__count_for_nothing__and_end_unmeasured),
        cmocka_unit_test(a_step_that_never_comes_near__decides__whatever_else_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
