/* Whole runs on the kernel: one that ends, one that hangs, one that dies, one that is refused.
 * SPDX-License-Identifier: MIT
 *
 * argument: the program drysock-kernel */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/kernel/run.h"

static const char *program;
static char lacks[320];

static struct trace *runs(const char *text, struct kernel_options options)
{
    struct scenario *scenario;
    struct diagnostic wrong;
    struct trace *trace;
    if (lacks[0] != '\0') {
        fprintf(stderr, "SKIPPED: %s\n", lacks);
        skip();
    }
    if (scenario_parse("test.dry", text, strlen(text), &scenario, &wrong) < 0) {
        fail_msg("line %u: %s", wrong.at.line, wrong.message);
    }
    options.text = text;
    options.text_bytes = strlen(text);
    options.program = program;
    trace = kernel_run(scenario, &options);
    scenario_free(scenario);
    return trace;
}

#define RUNS(text, ...) runs(text, (struct kernel_options){__VA_ARGS__})

static const char echo[] = "# Echo\n"
                           "host server 10.0.0.1\nhost client 10.0.0.2\n"
                           "link server client delay=20ms\n"
                           "[server]\nl = socket()\nl.bind((\"\", 5000))\nl.listen(1)\nsync up\n"
                           "c, p = l.accept()\nc.sendall(c.recv(9))\n"
                           "[client]\nsync up\ns = socket()\n"
                           "s.connect((\"10.0.0.1\", 5000)) -> None +40ms\ns.sendall(b\"hi\")\n"
                           "s.recv(9) -> b\"hi\" +40ms\n";

static void two_hosts__echo__every_step_as_stated(void **state)
{
    struct trace *trace = RUNS(echo);
    assert_int_equal(trace->end, TRACE_DONE);
    assert_true(trace_is_ok(trace));
    assert_in_range(trace->ended_ns, 80000000, 200000000);
    assert_true(trace->packet_count > 6);
    trace_free(trace);
}

static void nobody_sends__recv_waits__the_run_is_stuck_and_says_where(void **state)
{
    struct trace *trace = RUNS("# Hang\n[a]\ns = socket(AF_INET, SOCK_DGRAM)\n"
                               "s.bind((\"127.0.0.1\", 0))\ns.recv(1)\n",
                               .limit_ns = 100000000);

    assert_int_equal(trace->end, TRACE_STUCK);
    assert_non_null(strstr(trace->detail, "test.dry:5: a waits in s.recv(1)"));
    assert_int_equal(trace->actors[0].steps[1].status, STEP_OK);
    assert_int_equal(trace->actors[0].steps[2].status, STEP_RUNNING);
    trace_free(trace);
}

static void no_such_program__run__failed_with_a_sentence(void **state)
{
    const char *right = program;
    struct trace *trace;
    program = "/nowhere/drysock-kernel";
    trace = RUNS(echo);
    program = right;
    assert_int_equal(trace->end, TRACE_FAILED);
    assert_non_null(strstr(trace->detail, "/nowhere/drysock-kernel cannot be started"));
    trace_free(trace);
}

static void the_program_aborts__run__crashed_with_its_last_words(void **state)
{
    const char *right = program;
    struct trace *trace;
    program = "/proc/self/exe"; /* this one: see main */
    trace = RUNS(echo);
    program = right;
    assert_int_equal(trace->end, TRACE_CRASHED);
    assert_string_equal(trace->detail, "drysock-kernel died of SIGABRT: farewell");
    trace_free(trace);
}

static void four_times_the_speed__a_second_of_timeouts__takes_a_quarter(void **state)
{
    struct trace *trace = RUNS("# Timeout\n[a]\ns = socket(AF_INET, SOCK_DGRAM)\n"
                               "s.bind((\"127.0.0.1\", 0))\ns.settimeout(0.5)\n"
                               "s.recv(1) -> raises timeout +500ms\nsleep(0.5) -> None +500ms\n",
                               .speed = 4);

#ifdef __SANITIZE_ADDRESS__
    /* AddressSanitizer must be the first library of a program, and so must libfaketime. */
    fprintf(stderr, "SKIPPED: two libraries that must both come first\n");
    trace_free(trace);
    skip();
#endif
    if (strstr(trace->detail, "libfaketime") != NULL) {
        fprintf(stderr, "SKIPPED: %s\n", trace->detail);
        trace_free(trace);
        skip();
    }
    assert_int_equal(trace->end, TRACE_DONE);
    assert_true(trace_is_ok(trace));
    assert_in_range(trace->ended_ns, 1000000000, 1300000000);
    assert_in_range(trace->wall_ns, 240000000, 700000000);
    trace_free(trace);
}

static void dns_and_lossy_links__at_speed__are_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "# DNS\nhost a 10.0.0.1\nnameserver a\n[x on a]\nsleep(1)\n",
        "# Loss\nhost a 10.0.0.1\nhost b 10.0.0.2\nlink a b loss=10%\n[x on a]\nsleep(1)\n",
        "# Option\n[a]\ns = socket()\n"
        "s.setsockopt(SOL_SOCKET, SO_RCVTIMEO, b\"0123456789abcdef\")\n",
    };
    static const char *const words[] = {"DNS", "loses packets", "SO_RCVTIMEO"};
    char why[320];

    for (int i = 0; i < 3; i++) {
        struct scenario *scenario;
        struct diagnostic wrong;
        if (scenario_parse("test.dry", texts[i], strlen(texts[i]), &scenario, &wrong) < 0) {
            fail_msg("line %u: %s", wrong.at.line, wrong.message);
        }
        assert_non_null(kernel_run_refuses_speed(scenario, why));
        assert_non_null(strstr(why, words[i]));
        scenario_free(scenario);
    }
}

static void a_fault_on_the_kernel__that_does_not_fire__is_told(void **state)
{
    struct trace *trace = RUNS(
        "# Unused\nfault a s.send#1 errno=EPIPE\nfault a s.send#9 errno=EIO\n[a]\n"
        "s, t = socketpair()\ns.send(b\"x\") -> raises OSError(EPIPE)\n");

    assert_int_equal(trace->end, TRACE_DONE);
    assert_string_equal(trace->unused_faults,
                        "test.dry:3: the fault did not fire: a s.send#9 errno=EIO");
    assert_string_equal(trace->actors[0].steps[1].faults, "fault a s.send#1 errno=EPIPE");
    assert_string_equal(trace->actors[0].steps[0].faults, "");
    trace_free(trace);
}

static void a_whole_trace__and_another_status__has_crashed(void **state)
{
    const char *right = program;
    struct trace *trace;
    setenv("TEST_PROGRAM", right, 1);
    setenv("TEST_STATUS", "9", 1);
    program = "/proc/self/exe"; /* this one: see run_and_end */
    trace = RUNS(echo);
    program = right;
    unsetenv("TEST_STATUS");
    assert_true(trace->actors[0].steps[5].status == STEP_OK);
    assert_int_equal(trace->end, TRACE_CRASHED);
    assert_non_null(strstr(trace->detail, "drysock-kernel ended with status 9"));
    trace_free(trace);
}

static void stuck_in_the_world__the_limit__counts_from_the_last_step_that_ended(void **state)
{
    struct scenario *scenario;
    struct diagnostic wrong;
    const char *text = "# Limit\n[a]\nsleep(2)\ns, t = socketpair()\ns.recv(1)\n";
    assert_int_equal(scenario_parse("test.dry", text, strlen(text), &scenario, &wrong), 0);
    struct trace *world = trace_create(scenario, "world");
    trace_set(world, 0, 0, STEP_OK, "", "", 0, 2000000000);
    trace_set(world, 0, 1, STEP_OK, "", "", 2000000000, 2000000000);
    trace_set(world, 0, 2, STEP_RUNNING, "", "", 2000000000, 9000000000000);
    trace_set_detail(world, TRACE_STUCK, "a waits");
    assert_int_equal(kernel_run_limit(world), 12200000000);
    trace_set_detail(world, TRACE_FAILED, "no");
    assert_int_equal(kernel_run_limit(world), 0);
    assert_int_equal(kernel_run_limit(NULL), 0);
    trace_free(world);
    scenario_free(scenario);
}

/* Runs the right program in its place, as its child, and ends otherwise than that. */
static int run_and_end(char **argv)
{
    char parent[16];
    int status;
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    argv[1] = parent;
    pid_t child = fork();
    if (child == 0) {
        execv(getenv("TEST_PROGRAM"), argv);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return atoi(getenv("TEST_STATUS"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hosts__echo__every_step_as_stated),
        cmocka_unit_test(nobody_sends__recv_waits__the_run_is_stuck_and_says_where),
        cmocka_unit_test(no_such_program__run__failed_with_a_sentence),
        cmocka_unit_test(the_program_aborts__run__crashed_with_its_last_words),
        cmocka_unit_test(four_times_the_speed__a_second_of_timeouts__takes_a_quarter),
        cmocka_unit_test(dns_and_lossy_links__at_speed__are_refused_by_name),
        cmocka_unit_test(a_fault_on_the_kernel__that_does_not_fire__is_told),
        cmocka_unit_test(a_whole_trace__and_another_status__has_crashed),
        cmocka_unit_test(stuck_in_the_world__the_limit__counts_from_the_last_step_that_ended),
    };

    if (strcmp(argv[0], "drysock-kernel") == 0 && getenv("TEST_STATUS") != NULL) {
        return run_and_end(argv);
    }
    if (strcmp(argv[0], "drysock-kernel") == 0) { /* started in its place */
        fprintf(stderr, "farewell\n");
        abort();
    }
    program = argc > 1 ? argv[1] : "drysock-kernel";
    if (kernel_run_allowed(program, lacks) == 0) {
        lacks[0] = '\0';
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
