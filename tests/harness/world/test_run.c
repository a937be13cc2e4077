/* Tests of runs in the world: what a trace holds of steps, content, faults, signals and its end.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/result/compare.h"
#include "harness/world/run.h"

/* The first actor's step of a run. */
struct seen {
    enum step_status status;
    char outcome[200], faults[200];
    uint64_t took_ns;
    enum trace_end end;
    bool as_stated;
};

static struct seen step(const char *text, uint32_t index)
{
    struct scenario *scenario = reads(text);
    struct world_options options = {.check = true};
    struct trace *trace = world_run(scenario, &options);
    const struct trace_step *step = &trace->actors[0].steps[index];
    struct problems problems = {0};
    struct seen seen = {
        .status = step->status, .took_ns = step->ended_ns - step->started_ns, .end = trace->end};
    compare_stated(scenario, trace, NULL, false, &problems);
    seen.as_stated = !problems_matter(&problems);
    strncpy(seen.outcome, step->outcome, sizeof seen.outcome - 1);
    strncpy(seen.faults, step->faults != NULL ? step->faults : "", sizeof seen.faults - 1);
    problems_free(&problems);
    trace_free(trace);
    scenario_free(scenario);
    return seen;
}

static void content__compares_length_and_bytes(void **state)
{
    assert_int_equal(step("[a]\nb\"abc\" * 3 -> b\"abcabcabc\"\n", 0).status, STEP_OK);
    assert_int_equal(step("[a]\nb\"abc\" * 3 -> content(9, \"0000000000000000\")\n", 0).status,
                     STEP_DIFFERS);
    assert_int_equal(step("[a]\ncounted(5000) -> counted(5000)\n", 0).status, STEP_OK);
    assert_int_equal(step("[a]\ncounted(5000) -> counted(4999)\n", 0).status, STEP_DIFFERS);
    assert_int_equal(step("[a]\ncounted(5000) -> b\"x\" * 5000\n", 0).status, STEP_DIFFERS);
}

/* The right hash holds; with another byte, order or length it does not. */
static void content_of_a_value__with_its_hash__is_matched_by_both(void **state)
{
    struct seen seen = step("[a]\ncounted(100001)[3:100001] -> _\n", 0);
    char text[300];
    assert_int_equal(strncmp(seen.outcome, "content(99998, \"", 16), 0);
    snprintf(text, sizeof text, "[a]\ncounted(100001)[3:100001] -> %s\n", seen.outcome);
    assert_int_equal(step(text, 0).status, STEP_OK);
    snprintf(text, sizeof text, "[a]\ncounted(100001)[2:100000] -> %s\n", seen.outcome);
    assert_int_equal(step(text, 0).status, STEP_DIFFERS);
    snprintf(text, sizeof text, "[a]\ncounted(100001)[3:100000] -> %s\n", seen.outcome);
    assert_int_equal(step(text, 0).status, STEP_DIFFERS);
    snprintf(text, sizeof text, "[a]\ncounted(100001)[3:100000] + b\"x\" -> %s\n", seen.outcome);
    assert_int_equal(step(text, 0).status, STEP_DIFFERS);
}

static void a_fault__stands_at_the_step_where_it_fired(void **state)
{
    static const char text[] =
        "fault a s.send#2 errno=EPIPE\n[a]\ns, t = socketpair()\ns.send(b\"x\")\n"
        "s.send(b\"y\") -> raises OSError(EPIPE)\ns.send(b\"z\")\n";
    assert_string_equal(step(text, 1).faults, "");
    assert_string_equal(step(text, 2).faults, "fault a s.send#2 errno=EPIPE");
    assert_string_equal(step(text, 3).faults, "");
    assert_true(step(text, 3).as_stated);
}

static void a_fault_that_did_not_fire__is_not_as_stated(void **state)
{
    assert_false(
        step("fault a s.send#3 errno=EPIPE\n[a]\ns, t = socketpair()\ns.send(b\"x\")\n", 1).as_stated);
    assert_false(step("at 1s signal a SIGUSR1\n[a]\nsleep(0.5)\n", 0).as_stated);
    assert_true(step("at 499ms signal a SIGUSR1\n[a]\nsleep(0.5)\n", 0).as_stated);
}

static void signals__are_counted__once_each(void **state)
{
    static const char text[] =
        "at 100ms signal a SIGUSR1\nat 200ms signal a SIGUSR2\n[a]\n"
        "s, t = socketpair()\ns.settimeout(0.5)\ns.recv(1) -> raises timeout +500ms\n"
        "interruptions()\ninterruptions()\n";
    assert_string_equal(step(text, 3).outcome, "2");
    assert_string_equal(step(text, 4).outcome, "0");
}

static void a_wait_without_end__is_stuck__in_its_step(void **state)
{
    struct seen seen = step("[a]\ns, t = socketpair()\ns.recv(1)\n", 1);
    assert_int_equal(seen.end, TRACE_STUCK);
    assert_int_equal(seen.status, STEP_RUNNING);
    assert_false(seen.as_stated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content__compares_length_and_bytes),
        cmocka_unit_test(content_of_a_value__with_its_hash__is_matched_by_both),
        cmocka_unit_test(a_fault__stands_at_the_step_where_it_fired),
        cmocka_unit_test(a_fault_that_did_not_fire__is_not_as_stated),
        cmocka_unit_test(signals__are_counted__once_each),
        cmocka_unit_test(a_wait_without_end__is_stuck__in_its_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
