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
    assert_int_equal(steps[2].expect.duration_ns, 40000000);
    assert_false(steps[2].expect.has_instant);
    assert_int_equal(steps[3].expect.kind, EXPECT_RAISES);
    assert_string_equal(steps[3].expect.raises, "OSError");
    assert_string_equal(steps[3].expect.code, "ECONNRESET");
    assert_int_equal(steps[3].expect.instant_ns, 500000000);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
