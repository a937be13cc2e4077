/* Tests of runs apart: each way in which a run can end is told from the others.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/world/isolate.h"

static char why[400];

static enum isolated ends(const char *text)
{
    struct world_options options = {0};
    return isolate_run(&options, false, "test.dry", text, NULL, why, sizeof why);
}

/* The text against what another one showed. */
static enum isolated ends_beside(const char *base, const char *text)
{
    struct world_options options = {0};
    struct scenario *scenario = reads(base);
    struct trace *trace = world_run(scenario, &options);
    enum isolated result = isolate_run(&options, false, "test.dry", text, trace, why, sizeof why);
    trace_free(trace);
    scenario_free(scenario);
    return result;
}

static void a_run_as_stated__and_one_that_is_not__are_told_apart(void **state)
{
    assert_int_equal(ends("[a]\nhtons(1) -> 256\n"), ISOLATED_AS_STATED);
    assert_int_equal(ends("[a]\nhtons(1) -> 255\n"), ISOLATED_OTHER);
    assert_non_null(strstr(why, "htons(1) -> 256"));
    assert_int_equal(ends("[a]\nsleep(0.1) -> None +100ms\n"), ISOLATED_AS_STATED);
    assert_int_equal(ends("[a]\nsleep(0.1) -> None +99ms\n"), ISOLATED_OTHER);
    assert_int_equal(ends("[a]\nhtons(-1)\n"), ISOLATED_OTHER);
}

static void a_wait_for_ever__a_fault_unused__no_scenario__have_their_own(void **state)
{
    assert_int_equal(ends("[a]\ns, t = socketpair()\ns.recv(1)\n"), ISOLATED_STUCK);
    assert_int_equal(ends("[a\n"), ISOLATED_WRONG);
    assert_int_equal(ends("only kernel \"why\"\n[a]\nhtons(1)\n"), ISOLATED_FAILED);
}

static void another_outcome__beside_a_base__is_seen(void **state)
{
    assert_int_equal(ends_beside("[a]\nhtons(1)\n", "[a]\nhtons(1)\n"), ISOLATED_AS_STATED);
    assert_int_equal(ends_beside("[a]\nhtons(1)\n", "[a]\nhtons(2)\n"), ISOLATED_OTHER);
    assert_non_null(strstr(why, "htons(2) shows 512 instead of 256"));
    assert_int_equal(
        ends_beside("[a]\ns, t = socketpair()\ns.send(b\"x\")\n",
                    "fault a send#1 errno=EIO\n[a]\ns, t = socketpair()\ns.send(b\"x\")\n"),
        ISOLATED_OTHER);
    assert_int_equal(
        ends_beside("[a]\ns, t = socketpair()\ns.send(b\"x\")\n",
                    "fault a send#2 errno=EIO\n[a]\ns, t = socketpair()\ns.send(b\"x\")\n"),
        ISOLATED_UNUSED);
    assert_int_equal(
        ends_beside("[a]\ns, t = socketpair()\nt.send(b\"x\")\ns.recv(1)\n",
                    "fault a t.send#1 bytes=0\n[a]\ns, t = socketpair()\nt.close()\ns.recv(1)\n"),
        ISOLATED_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_as_stated__and_one_that_is_not__are_told_apart),
        cmocka_unit_test(a_wait_for_ever__a_fault_unused__no_scenario__have_their_own),
        cmocka_unit_test(another_outcome__beside_a_base__is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
