/* Tests of reports: what was not done is not ok, who differs is named, reasons are told, each way.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/result/report.h"

static struct result result_of(struct scenario *scenario, enum verdict verdict, bool done)
{
    struct result result = {.scenario = scenario, .verdict = verdict, .done = done, .compared = true};
    result.kernel = trace_create(scenario, "kernel");
    result.world = trace_create(scenario, "world");
    return result;
}

/* What one result is written as. */
static char *written(enum report_format format, struct result *result)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    report_write(stream, format, result, 1);
    fclose(stream);
    return text;
}

static void says(enum report_format format, struct result *result, const char *part)
{
    char *text = written(format, result);
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    }
    free(text);
}

static void every_verdict__is_a_failure__or_is_not(void **state)
{
    static const bool fails[VERDICTS] = {[VERDICT_DIFFERENT] = true, [VERDICT_UNMEASURED] = true};
    struct scenario *scenario = reads("[a]\nx = 1\n");
    for (int v = 0; v < VERDICTS; v++) {
        struct result result = result_of(scenario, (enum verdict)v, true);
        assert_int_equal(result_is_failure(&result), fails[v]);
        says(REPORT_TAP, &result, fails[v] ? "\nnot ok 1 - test.dry" : "\nok 1 - test.dry");
        says(REPORT_JUNIT, &result, fails[v] ? "failures=\"1\"" : "failures=\"0\"");
        says(REPORT_JSON, &result, verdict_name((enum verdict)v));
        result.done = false;
        assert_true(result_is_failure(&result));
        says(REPORT_TAP, &result, "\nnot ok 1 - test.dry");
        says(REPORT_JUNIT, &result, "failures=\"1\"");
        says(REPORT_JSON, &result, "\"verdict\":\"not done\"");
        result_free(&result);
    }
    scenario_free(scenario);
}

static void unsteady__fails__when_a_run_alone_differed(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 1\n");
    struct result result = result_of(scenario, VERDICT_UNSTEADY, true);
    result.alone = 4;
    assert_false(result_is_failure(&result));
    says(REPORT_TAP, &result, "# unsteady: differed in 0 of 4 runs alone");
    result.differed = 1;
    assert_true(result_is_failure(&result));
    says(REPORT_JSON, &result, "\"alone\":4,\"differed\":1");
    result_free(&result);
    scenario_free(scenario);
}

static void each_column__speaks__for_its_own_system(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 1\n");
    struct result result = result_of(scenario, VERDICT_DIFFERENT, true);
    problems_add(&result.problems, PROBLEM_OUTCOME, 2, "world", "x");
    says(REPORT_JSON, &result, "\"kernel\":{\"outcome\":\"ok\"");
    says(REPORT_JSON, &result, "\"world\":{\"outcome\":\"differs\"");
    result.problems.list[0].system = "both";
    says(REPORT_JSON, &result, "\"kernel\":{\"outcome\":\"ok\"");
    says(REPORT_JSON, &result, "\"world\":{\"outcome\":\"ok\"");
    result.problems.list[0].system = "kernel";
    says(REPORT_JSON, &result, "\"kernel\":{\"outcome\":\"differs\"");
    result_free(&result);
    scenario_free(scenario);
}

static void skipped_and_excused__say_why(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 1\n");
    struct result result = result_of(scenario, VERDICT_SKIPPED, true);
    trace_set_detail(result.kernel, TRACE_SKIPPED, "no TUN <here>");
    says(REPORT_TAP, &result, "ok 1 - test.dry # SKIP kernel: no TUN <here>");
    says(REPORT_JUNIT, &result, "<skipped message=\"kernel: no TUN &lt;here&gt;\"/>");
    says(REPORT_JSON, &result, "\"reason\":\"kernel: no TUN <here>\"");
    result_free(&result);
    result = result_of(scenario, VERDICT_EXCUSED, true);
    problems_add(&result.problems, PROBLEM_OUTCOME, 2, "kernel", "x");
    result.problems.list[0].excuse = "it may";
    says(REPORT_TAP, &result, "# excused: line 2: it may");
    says(REPORT_JUNIT, &result, "excused: line 2: it may");
    result_free(&result);
    scenario_free(scenario);
    scenario = reads("only world \"no kernel has it\"\n[a]\nx = 1\n");
    result = result_of(scenario, VERDICT_EXCUSED, true);
    says(REPORT_JSON, &result, "\"reason\":\"only world: no kernel has it\"");
    result_free(&result);
    scenario_free(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict__is_a_failure__or_is_not),
        cmocka_unit_test(unsteady__fails__when_a_run_alone_differed),
        cmocka_unit_test(each_column__speaks__for_its_own_system),
        cmocka_unit_test(skipped_and_excused__say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
