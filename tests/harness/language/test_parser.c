/* Tests of head lines, sections, steps and what is refused.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include <signal.h>

static const char example[] = "# A signal during connect() does not fail it.\n"
                              "\n"
                              "host server 10.0.0.1 fd00::1\n"
                              "host client 10.0.0.2/16\n"
                              "link server client delay=20ms loss=2.5% rate=10mbit down\n"
                              "set client tcp_syn_retries 2\n"
                              "fault client connect#1 signal during=5ms\n"
                              "at 500ms link client server up\n"
                              "at 1s signal client SIGUSR1\n"
                              "needs can\n"
                              "seed 7\n"
                              "\n"
                              "[server]\n"
                              "listener = socket(AF_INET, SOCK_STREAM)\n"
                              "sync listening\n"
                              "conn, peer = listener.accept()\n"
                              "\n"
                              "[client]\n"
                              "sync listening\n"
                              "s = socket()\n"
                              "s.connect((\"10.0.0.1\", 50007)) -> None +40ms\n"
                              "s.recv(16) -> raises OSError(ECONNRESET) @ 500ms\n"
                              "s.recv(16) -> b\"x\" differs kernel \"it may\"\n";

static void a_whole_file__is_read__as_its_parts(void **state)
{
    struct scenario *scenario = reads(example);
    assert_string_equal(scenario->title, "A signal during connect() does not fail it.");
    assert_int_equal(scenario->host_count, 2);
    assert_string_equal(scenario->hosts[0].addresses, "10.0.0.1 fd00::1");
    assert_int_equal(scenario->link_count, 1);
    assert_int_equal(scenario->links[0].options.delay_ns, 20000000);
    assert_int_equal(scenario->links[0].options.loss_ppm, 25000);
    assert_int_equal(scenario->links[0].options.rate_bits, 10000000);
    assert_int_equal(scenario->links[0].options.down, 1);
    assert_string_equal(scenario->settings[0].sysctl, "tcp_syn_retries");
    assert_int_equal(scenario->settings[0].value, 2);
    assert_string_equal(scenario->faults[0].text, "client connect#1 signal during=5ms");
    assert_int_equal(scenario->faults[0].at.line, 7);
    assert_int_equal(scenario->events[0].kind, EVENT_LINK_UP);
    assert_int_equal(scenario->events[1].kind, EVENT_SIGNAL);
    assert_int_equal(scenario->events[1].signal, SIGUSR1);
    assert_int_equal(scenario->events[1].actor, 1);
    assert_string_equal(scenario->needs[0].text, "can");
    assert_int_equal(scenario->seed, 7);
    assert_int_equal(scenario->actor_count, 2);
    assert_int_equal(scenario->actors[1].host, 1);
    assert_int_equal(scenario->syncs[0].actors, 2);
    scenario_free(scenario);
}

static void an_expectation__is_read__with_outcome_times_and_excuse(void **state)
{
    struct scenario *scenario = reads(example);
    const struct step *steps = scenario->actors[1].steps;
    assert_int_equal(steps[1].expect.kind, EXPECT_NOTHING);
    assert_int_equal(steps[2].expect.kind, EXPECT_VALUE);
    assert_int_equal(steps[2].expect.pattern->kind, EXPRESSION_NONE);
    assert_int_equal(steps[2].expect.duration.least_ns, 40000000);
    assert_false(steps[2].expect.has_instant);
    assert_int_equal(steps[3].expect.kind, EXPECT_RAISES);
    assert_string_equal(steps[3].expect.raises, "OSError");
    assert_string_equal(steps[3].expect.code, "ECONNRESET");
    assert_int_equal(steps[3].expect.instant.least_ns, 500000000);
    assert_string_equal(steps[4].expect.differs, "kernel");
    assert_string_equal(steps[4].expect.reason, "it may");
    scenario_free(scenario);
}

static void no_host_line__gives__one_host_with_loopback(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 1\n[b]\ny = 2\n");
    assert_int_equal(scenario->host_count, 1);
    assert_string_equal(scenario->hosts[0].name, "localhost");
    assert_int_equal(scenario->actors[1].host, 0);
    scenario_free(scenario);
    scenario = reads("set localhost somaxconn 1\n[a]\nx = 1\n");
    assert_int_equal(scenario->host_count, 1);
    scenario_free(scenario);
}

static void a_number_that_the_file_writes__is_known__so_that_it_is_no_luck(void **state)
{
    struct scenario *scenario = reads("[a]\nx = 50007\ngetaddrinfo(None, \"40000\")\n");
    assert_true(scenario_writes_number(scenario, 50007));
    assert_true(scenario_writes_number(scenario, 40000));
    assert_false(scenario_writes_number(scenario, 40001));
    scenario_free(scenario);
}

static void a_wrong_head_line__is_refused__with_the_cure(void **state)
{
    refuses("hots a\n[a]\nx = 1\n", 1, 1, "no head line \"hots\"");
    refuses("host a 1.2.3\n[a]\nx = 1\n", 1, 8, "no address");
    refuses("host a 10.0.0.1/33\n[a]\nx = 1\n", 1, 8, "prefix");
    refuses("set localhost somaxconn 1\nhost a\n[a]\nx = 1\n", 2, 6, "above it");
    refuses("host a\nset localhost somaxconn 1\n[a]\nx = 1\n", 2, 5, "no host");
    refuses("host a\nhost a\n[a]\nx = 1\n", 2, 6, "another name");
    refuses("host a\nlink a b\n[a]\nx = 1\n", 2, 8, "no host \"b\"");
    refuses("host a\nlink a a\n[a]\nx = 1\n", 2, 8, "two hosts");
    refuses("host a\nhost b\nlink a b delay=20\n[a]\nx = 1\n", 3, 10, "no time");
    refuses("host a\nhost b\nlink a b loss=150%\n[a]\nx = 1\n", 3, 10, "no chance");
    refuses("host a\nhost b\nlink a b speed=1\n[a]\nx = 1\n", 3, 10, "no setting");
    refuses("fault b recv errno=EIO\n[a]\nx = 1\n", 1, 7, "no actor \"b\"");
    refuses("fault a recv#0 errno=EIO\n[a]\nx = 1\n", 1, 13, "counts from 1");
    refuses("fault a z.recv errno=EIO\n[a]\ny = socket()\n", 1, 7, "never binds the name \"z\"");
    refuses("fault * z.recv errno=EIO\n[a]\ny = socket()\n", 1, 7, "no actor binds the name");
    refuses("at 1s signal b SIGUSR1\n[a]\nx = 1\n", 1, 14, "no actor \"b\"");
    refuses("at 1s signal a SIGKILL\n[a]\nx = 1\n", 1, 16, "SIGUSR1");
    refuses("at 1s link a b down\n[a]\nx = 1\n", 1, 12, "no host");
    refuses("host a\nhost b\nlink a b reorder=5%\n[x on a]\nx = 1\n", 3, 1, "add delay=");
    refuses("only moon \"why\"\n[a]\nx = 1\n", 1, 6, "kernel or world");
    refuses("differs kernel because\n[a]\nx = 1\n", 1, 16, "double quotes");
}

static void a_wrong_step__is_refused__with_the_cure(void **state)
{
    refuses("[a]\nsocket() -> raise timeout\n", 2, 13, "raises, with an s");
    refuses("[a]\nsocket() -> raises BrokenPipeError\n", 2, 20, "is written OSError(EPIPE)");
    refuses("[a]\nsocket() -> raises timeout(EAGAIN)\n", 2, 28, "has no code");
    refuses("[a]\nsocket() -> raises OSError(EFOO)\n", 2, 28, "not the name of an errno");
    refuses("[a]\ns = sockett()\n", 2, 5, "no function \"sockett\"");
    refuses("[a]\ns = socket()\ns.conect(1)\n", 3, 3, "no method \"conect\"");
    refuses("[a]\ns = socket()\ns.connect(1, 2)\n", 3, 14, "at most 1");
    refuses("[a]\ns = socket()\ns.bind()\n", 3, 3, "needs its argument \"address\"");
    refuses("[a]\ns = socket(famly=1)\n", 2, 18, "no argument \"famly\"");
    refuses("[a]\ns = socket(AF_INTE)\n", 2, 12, "neither bound above");
    refuses("[a]\nt.close()\n", 2, 1, "neither bound above");
    refuses("[a]\nx = _\n", 2, 5, "behind '->'");
    refuses("[a]\nx = (1, 2\n", 2, 10, "close this list");
    refuses("[a]\nx = 1 -> 1 +40\n", 2, 13, "needs its unit");
    refuses("[a]\nx = 1 -> 1 @ 40\n", 2, 14, "expected a time");
    refuses("[a]\nx = 1 -> raises Oops\n", 2, 17, "OSError");
    refuses("[a]\nx = 1 + 5ms\n", 2, 7, "end of the line");
    refuses("[a]\nlen(1) = 2\n", 2, 1, "only names");
    refuses("[a]\nx = y = 2\n", 2, 7, "end of the line");
    refuses("[a]\nx = 1 -> 1 +60ms..40ms\n", 2, 19, "ends later");
    refuses("[a]\nx = 1 -> 1 +40ms..40ms\n", 2, 19, "ends later");
    refuses("[a]\nx = 1 -> 1 +40ms..\n", 2, 19, "expected a time");
    refuses("[a]\nx = 1 -> 1 +40ms..60\n", 2, 19, "expected a time");
    refuses("[a]\nx = 1 == 1 == 1\n", 2, 12, "one comparison a line");
    refuses("[a]\nrepeat 0 len(b\"\")\n", 2, 8, "1 to 10000 times");
    refuses("[a]\nrepeat 10001 len(b\"\")\n", 2, 8, "1 to 10000 times");
    refuses("[a]\nrepeat 2 sync x\n", 2, 10, "a sync cannot repeat");
    refuses("[a]\nrepeat 2 repeat 2 len(b\"\")\n", 2, 10, "repeats once");
    refuses("[a]\nx = 1 -> prefix()\n", 2, 10, "needs its argument \"part\"");
    refuses("[a]\nfor x in (1, 2):\n", 2, 1, "there are no loops: write \"repeat N STEP\"");
    refuses("[a]\nwhile True:\n", 2, 1, "no loops");
    refuses("[a]\nif x == 1:\n", 2, 1, "no branches");
    refuses("[a]\ntry:\n", 2, 1, "no branches");
    refuses("[a]\nimport socket\n", 2, 1, "a step is one call");
    /* one letter wrong, and the word that was meant */
    refuses("[a]\ns = sokcet()\n", 2, 5, "did you mean \"socket\"?");
    refuses("[a]\ns = socket(af_inet)\n", 2, 12, "did you mean \"AF_INET\"?");
    refuses("[a]\ncount = 1\nx = coutn\n", 3, 5, "did you mean \"count\"?");
    refuses("[a]\ns = socket()\ns.settimout(1)\n", 3, 3, "did you mean \"settimeout\"?");
    refuses("[a]\ns = socket()\nx = s.famly\n", 3, 7, "did you mean \"family\"?");
    refuses("[a]\ns = socket() -> raises OSError(ECONREFUSED)\n", 2, 32, "\"ECONNREFUSED\"?");
    refuses("[a]\ns = socket() -> raises OSEror\n", 2, 24, "did you mean \"OSError\"?");
    refuses("hots x\n[a]\nx = 1\n", 1, 1, "did you mean \"host\"?");
    refuses("host server\nset sever tcp_sack 1\n[a]\nx = 1\n", 2, 5, "did you mean \"server\"?");
    refuses("fault clinet recv errno=EPIPE\n[client]\nx = 1\n", 1, 7, "did you mean \"client\"?");
    refuses("fault a revc errno=EPIPE\n[a]\nx = 1\n", 1, 9, "did you mean \"recv\"?");
    refuses("fault a recv errno=EPIPPE\n[a]\nx = 1\n", 1, 14, "did you mean \"EPIPE\"?");
    refuses("[a]\ns = socket()\nx = s.zzzzz\n", 3, 7, "nothing has an attribute \"zzzzz\":");
    refuses("[a]\ngetsockname()\n", 2, 1, "it is a method");
    refuses("[a]\ns = socket()\ns.getaddrinfo(\"a\", 1)\n", 3, 3, "it is a function");
}

static void a_wrong_whole__is_refused__with_the_cure(void **state)
{
    refuses("", 1, 1, "no actor");
    refuses("# only a comment\n", 1, 1, "no actor");
    refuses("[a]\nsync x\n", 2, 1, "only this actor");
    refuses("[a]\nsync x\nsync x\n[b]\nsync x\n", 3, 1, "already");
    refuses("host x\nhost y\n[a]\nx = 1\n", 3, 1, "[a on HOST]");
    refuses("host x\n[a on y]\nx = 1\n", 2, 7, "no host \"y\"");
    refuses("[a]\n[a]\n", 2, 2, "another name");
    refuses("[a] x\n", 1, 5, "end of the line");
    refuses("[a\n", 1, 3, "expected ']'");
}

static void deep_nesting__is_refused__before_the_stack_ends(void **state)
{
    struct text text = {0};
    struct scenario *scenario;
    struct diagnostic wrong;

    text_add(&text, "[a]\nx = ");
    for (int i = 0; i < 100000; i++) {
        text_add(&text, "(");
    }
    assert_int_equal(scenario_parse("test.dry", text.bytes, text.length, &scenario, &wrong), -1);
    assert_non_null(strstr(wrong.message, "too deeply"));
    text_free(&text);
}

static void a_repeated_line__stands__for_so_many_steps(void **state)
{
    struct scenario *scenario = reads("[a]\nrepeat 3 len(b\"\") -> 0\nlen(b\"a\")\n");
    const struct actor_lines *actor = scenario->actors;
    assert_int_equal(actor->step_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(actor->steps[i].index, i);
        assert_int_equal(actor->steps[i].at.line, i < 3 ? 2 : 3);
        assert_int_equal(actor->steps[i].repeat, i == 0 ? 3 : 0);
        assert_int_equal(actor->steps[i].expect.kind, i < 3 ? EXPECT_VALUE : EXPECT_NOTHING);
    }
    scenario_free(scenario);
}

/* What lies at the ends of what may repeat, and of what may nest. */
static void repeats_and_nesting__at_their_bounds__are_read(void **state)
{
    struct scenario *scenario = reads("[a]\nrepeat 1 len(b\"\")\nrepeat 10000 len(b\"\")\n");
    assert_int_equal(scenario->actors[0].step_count, 10001);
    scenario_free(scenario);
    for (int depth = 199; depth <= 200; depth++) {
        char text[500] = "[a]\nx = ";
        memset(text + 8, '(', (size_t)depth);
        text[8 + depth] = '1';
        memset(text + 9 + depth, ')', (size_t)depth);
        strcpy(text + 9 + 2 * depth, "\n");
        if (depth < 200) {
            scenario_free(reads(text));
        } else {
            refuses(text, 2, 205, "nested too deeply");
        }
    }
}

static void a_range_of_times__is_read__with_both_ends(void **state)
{
    struct scenario *scenario = reads("[a]\nlen(b\"\") -> 0 +40ms..1.5s @ 0..2s\n"
                                      "len(b\"\") -> 0 +7ns\nlen(b\"\") -> 0 +0\n");
    const struct step *steps = scenario->actors[0].steps;
    assert_int_equal(steps[0].expect.duration.least_ns, 40000000);
    assert_int_equal(steps[0].expect.duration.most_ns, 1500000000);
    assert_string_equal(steps[0].expect.duration.text, "40ms..1.5s");
    assert_int_equal(steps[0].expect.instant.least_ns, 0);
    assert_int_equal(steps[0].expect.instant.most_ns, 2000000000);
    assert_int_equal(steps[1].expect.duration.least_ns, 7);
    assert_int_equal(steps[1].expect.duration.most_ns, 7);
    assert_true(steps[2].expect.has_duration);
    assert_int_equal(steps[2].expect.duration.most_ns, 0);
    scenario_free(scenario);
}

/* A wrong line hides neither the others' faults nor makes what uses its names wrong. */
static void all_that_is_wrong__is_told__line_by_line(void **state)
{
    static const char text[] = "host server 10.0.0.300\n"
                               "hosst client\n"
                               "fault server recv \\\n"
                               "  errno=EFOO\n"
                               "[server]\n"
                               "s = socket(\n"
                               "s.foo()\n"
                               "x, y = (1, \\\n"
                               "    2, \\\n"
                               "  zz)\n"
                               "len(y)\n"
                               "len(nowhere)\n";
    static const struct source_at places[] = {{1, 13}, {2, 1},  {4, 3}, {6, 12},
                                              {7, 3},  {10, 3}, {12, 5}};
    struct diagnostics all = {0};
    struct scenario *scenario;
    assert_int_equal(scenario_parse_all("test.dry", text, strlen(text), &scenario, &all), -1);
    assert_null(scenario);
    for (uint32_t i = 0; i < all.count; i++) {
        if (i >= 7 || all.list[i].at.line != places[i].line ||
            all.list[i].at.column != places[i].column) {
            fail_msg("%u: %u:%u: %s", i, all.list[i].at.line, all.list[i].at.column,
                     all.list[i].message);
        }
        assert_string_equal(all.list[i].path, "test.dry");
    }
    assert_int_equal(all.count, 7);
    diagnostics_free(&all);

    struct text many = {0};
    text_add(&many, "[a]\n");
    for (int i = 0; i < 25; i++) {
        text_add(&many, "x = nothing%d\n", i);
    }
    assert_int_equal(scenario_parse_all("test.dry", many.bytes, many.length, &scenario, &all), -1);
    assert_int_equal(all.count, 20);
    assert_int_equal(all.more, 5);
    diagnostics_free(&all);
    text_free(&many);
}

static void a_line_over_several__is_read__as_one(void **state)
{
    struct scenario *scenario = reads(
        "host a 10.0.0.1 \\\n     fd00::1\n[a]\nx = (1, \\\n\\\n  2) \\\n  -> (1, 2)\n"
        "len(b\"\\\\\") -> 1 # a comment \\\nlen(b\"\")\n");
    assert_string_equal(scenario->hosts[0].addresses, "10.0.0.1 fd00::1");
    assert_int_equal(scenario->actors[0].step_count, 3);
    assert_string_equal(scenario->actors[0].steps[0].text, "x = (1, 2)");
    scenario_free(scenario);
    refuses("[a]\nx = 1 \\\n", 2, 7, "the file ends here");
    refuses("[a]\nx = (1,\\\n2)\n", 2, 8, "means nothing here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file__is_read__as_its_parts),
        cmocka_unit_test(an_expectation__is_read__with_outcome_times_and_excuse),
        cmocka_unit_test(no_host_line__gives__one_host_with_loopback),
        cmocka_unit_test(a_number_that_the_file_writes__is_known__so_that_it_is_no_luck),
        cmocka_unit_test(a_wrong_head_line__is_refused__with_the_cure),
        cmocka_unit_test(a_wrong_step__is_refused__with_the_cure),
        cmocka_unit_test(a_wrong_whole__is_refused__with_the_cure),
        cmocka_unit_test(deep_nesting__is_refused__before_the_stack_ends),
        cmocka_unit_test(a_repeated_line__stands__for_so_many_steps),
        cmocka_unit_test(repeats_and_nesting__at_their_bounds__are_read),
        cmocka_unit_test(a_range_of_times__is_read__with_both_ends),
        cmocka_unit_test(all_that_is_wrong__is_told__line_by_line),
        cmocka_unit_test(a_line_over_several__is_read__as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
