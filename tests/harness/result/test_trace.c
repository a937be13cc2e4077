/* Tests of traces as JSON lines and of their hash.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include <stdlib.h>

#include "harness/result/trace.h"

static const char two_actors[] = "[a]\nx = 1\nsync up\n[b]\nsync up\n";

static struct trace *filled(const struct scenario *scenario)
{
    struct trace *trace = trace_create(scenario, "world");
    trace_set(trace, 0, 0, STEP_OK, "b\"\\x00\"", "", 0, 40000000);
    trace_set(trace, 0, 1, STEP_ABANDONED, "", "another actor of this sync has stopped", 40000000,
              50000000);
    trace_set(trace, 1, 0, STEP_RUNNING, "", "", 7, 9);
    trace_set_detail(trace, TRACE_STUCK, "a\nline %d", 2);
    trace->unused_faults = "none \"of\" them";
    return trace;
}

static void a_trace__is_written_and_read__as_the_same(void **state)
{
    struct scenario *scenario = reads(two_actors);
    struct trace *trace = filled(scenario), *again = trace_create(scenario, "world");
    char *text = NULL, *line = NULL;
    size_t bytes, room = 0;
    ssize_t length;
    FILE *stream = open_memstream(&text, &bytes);
    trace_write(stream, trace);
    fclose(stream);
    stream = fmemopen(text, bytes, "r");
    while ((length = getline(&line, &room, stream)) > 0) {
        assert_int_equal(trace_read_line(again, line, (size_t)length), 0);
    }
    fclose(stream);
    assert_int_equal(again->end, TRACE_STUCK);
    assert_string_equal(again->detail, "a\nline 2");
    assert_string_equal(again->unused_faults, "none \"of\" them");
    assert_int_equal(again->ended_ns, 50000000);
    assert_string_equal(again->actors[0].steps[0].outcome, "b\"\\x00\"");
    assert_int_equal(again->actors[1].steps[0].status, STEP_RUNNING);
    assert_int_equal(trace_hash(again), trace_hash(trace));
    free(line);
    free(text);
    trace_free(trace);
    trace_free(again);
    scenario_free(scenario);
}

static void a_foreign_line__is_passed_over_or_refused__by_what_it_is(void **state)
{
    struct scenario *scenario = reads(two_actors);
    struct trace *trace = trace_create(scenario, "kernel");
    static const char unknown_actor[] = "{\"actor\": \"z\", \"step\": 0, \"status\": \"ok\"}";
    static const char unknown_step[] = "{\"actor\": \"a\", \"step\": 9, \"status\": \"ok\"}";
    static const char other[] = "{\"note\": 1}";

    assert_int_equal(trace_read_line(trace, "not json", 8), -1);
    assert_int_equal(trace_read_line(trace, "[1]", 3), -1);
    assert_int_equal(trace_read_line(trace, unknown_actor, sizeof unknown_actor - 1), -1);
    assert_int_equal(trace_read_line(trace, unknown_step, sizeof unknown_step - 1), -1);
    assert_int_equal(trace_read_line(trace, other, sizeof other - 1), 1);
    trace_free(trace);
    scenario_free(scenario);
}

static void another_outcome_or_instant__changes__the_hash(void **state)
{
    struct scenario *scenario = reads(two_actors);
    struct trace *trace = filled(scenario);
    uint64_t hash = trace_hash(trace);
    trace_set(trace, 1, 0, STEP_RUNNING, "", "", 7, 10);
    assert_int_not_equal(trace_hash(trace), hash);
    trace_set(trace, 1, 0, STEP_RUNNING, "", "", 7, 9);
    assert_int_equal(trace_hash(trace), hash);
    trace_set(trace, 1, 0, STEP_RUNNING, "x", "", 7, 9);
    assert_int_not_equal(trace_hash(trace), hash);
    trace_free(trace);
    scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace__is_written_and_read__as_the_same),
        cmocka_unit_test(a_foreign_line__is_passed_over_or_refused__by_what_it_is),
        cmocka_unit_test(another_outcome_or_instant__changes__the_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
