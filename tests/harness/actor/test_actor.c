/* Tests of what expressions give, how outcomes print, and how they are held against the file.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "harness/actor/actor.h"

struct run {
    struct scenario *scenario;
    struct actor actor;
    struct trace *trace;
    bool stopped;
    int named; /* sockets that were told to the system by name */
    char last_name[32];
};

static struct run run;

static int meets(struct actor *actor, uint32_t sync)
{
    return -1;
}

static void stops(struct actor *actor)
{
    run.stopped = true;
}

static void names(struct actor *actor, int fd, const char *name)
{
    run.named++;
    snprintf(run.last_name, sizeof run.last_name, "%s", name);
}

static void emits(struct actor *actor, uint32_t index, const struct trace_step *step)
{
    trace_record(run.trace, 0, index, step);
}

static const struct actor_ops ops = {meets, stops, names, emits, NULL};

static void runs(const char *steps)
{
    char text[4000];
    snprintf(text, sizeof text, "[a]\n%s", steps);
    run = (struct run){.scenario = reads(text)};
    run.trace = trace_create(run.scenario, "kernel");
    run.actor = (struct actor){
        .scenario = run.scenario, .lines = run.scenario->actors, .ops = &ops, .origin = dry_now()};
    actor_run(&run.actor);
}

static void ends(void)
{
    actor_finish(&run.actor);
    trace_free(run.trace);
    scenario_free(run.scenario);
}

static void shows(uint32_t step, const char *outcome)
{
    const struct trace_step *seen = &run.trace->actors[0].steps[step];
    if (strcmp(seen->outcome, outcome) != 0) {
        fail_msg("%s shows %s (%s) instead of %s", seen->text, seen->outcome, seen->detail, outcome);
    }
}

static void assert_value(const char *expression, const char *outcome)
{
    char step[400];
    snprintf(step, sizeof step, "%s\n", expression);
    runs(step);
    shows(0, outcome);
    ends();
}

static void an_expression__gives__what_python_gives(void **state)
{
    assert_value("1 + 2 * 3", "7");
    assert_value("(1 + 2) * 3 - -1", "10");
    assert_value("~5 & 0xff | 1 << 9", "762");
    assert_value("0.1 + 1", "1.1");
    assert_value("2.0 * 3", "6.0");
    assert_value("b\"ab\" * 3 + b\"c\"", "b\"abababc\"");
    assert_value("\"ab\"[1]", "\"b\"");
    assert_value("b\"ab\"[-1]", "98");
    assert_value("x = [1, (2,), None, True][1]", "(2,)");
    assert_value("b\"abcdef\"[1:-2]", "b\"bcd\"");
    assert_value("(1, 2, 3)[5:]", "()");
    assert_value("len(\"\")", "0");
    assert_value("b\"ab\"[2]", "raises IndexError");
    assert_value("None + 1", "raises TypeError");
    assert_value("9223372036854775807 + 1", "raises OverflowError");
    assert_value("unpack(\"<hI\", pack(\"<hI\", -2, 4000000000))", "(-2, 4000000000)");
    assert_value("pack(\"bi\", 1, 2)", "b\"\\x01\\x00\\x00\\x00\\x02\\x00\\x00\\x00\"");
}

static void a_long_byte_string__prints__by_content(void **state)
{
    assert_value("b\"x\" * 100000", "b\"x\" * 100000");
    assert_value("b\"x\" * 24", "b\"xxxxxxxxxxxxxxxxxxxxxxxx\"");
    assert_value("len(counted(4096))", "4096");
    runs("counted(4096)\ncounted(4097)\n");
    assert_true(strncmp(run.trace->actors[0].steps[0].outcome, "b\"\\x00", 6) == 0);
    char text[100];
    snprintf(text, sizeof text, "%s", run.trace->actors[0].steps[1].outcome);
    ends();
    assert_true(strncmp(text, "content(4097, \"", 15) == 0);
    char steps[800];
    snprintf(steps, sizeof steps,
             "counted(4097) -> %s\n"
             "counted(4098) -> %s\n"
             "b\"x\" + counted(4096) -> %s\n" /* as long, with another content */
             "counted(4097) -> content(4096, \"%s\n"
             "4097 -> %s\n",
             text, text, text, strchr(text, '"') + 1, text);
    runs(steps);
    assert_int_equal(run.trace->actors[0].steps[0].status, STEP_OK);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(run.trace->actors[0].steps[i].status, STEP_DIFFERS);
    }
    ends();
}

/* What the trace says was stated, beside an outcome that differs. */
static void assert_stated(const char *steps, uint32_t step, const char *stated)
{
    runs(steps);
    const struct trace_step *seen = &run.trace->actors[0].steps[step];
    if (strcmp(seen->stated, stated) != 0) {
        fail_msg("%s: stated %s instead of %s", steps, seen->stated, stated);
    }
    assert_int_equal(seen->status, *stated != 0 ? STEP_DIFFERS : STEP_OK);
    ends();
}

static void a_wrong_outcome__tells__what_was_stated_with_names_by_their_values(void **state)
{
    assert_stated("1 -> 1\n", 0, "");
    assert_stated("x = b\"ab\"\nb\"\" -> x\n", 1, "b\"ab\"");
    assert_stated("x = 7\n(1, 2) -> (_, [x, ...], y, (x + 1,), EAGAIN)\n", 1,
                  "(_, [7, ...], y, (8,), EAGAIN)");
    assert_stated("0 -> AF_INET | 1\n", 0, "3");
    assert_stated("1 -> raises OSError(EBADF)\n", 0, "raises OSError(EBADF)");
    assert_stated("1 -> raises timeout\n", 0, "raises timeout");
    assert_stated("socket(AF_INET, 77) -> raises OSError(EBADF)\n", 0, "raises OSError(EBADF)");
    assert_stated("socket(AF_INET, 77) -> (1)\n", 0, "1");
    /* looking at it must do nothing: a call is told as it is written */
    assert_stated("s, t = socketpair()\nt.send(b\"x\")\n1 -> s.recv(1, MSG_PEEK)\n", 2,
                  "s.recv(1, MSG_PEEK)");
}

static void two_long_values__that_differ__tell_where(void **state)
{
    runs("counted(5000) + b\"xy\" -> counted(5000) + b\"xz\" + b\"q\" * 100\n");
    assert_string_equal(run.trace->actors[0].steps[0].detail,
                        "they differ from byte 5001 on: stated b\"zqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\", "
                        "got b\"y\"");
    ends();
    runs("counted(4096) -> counted(4095) + b\"x\"\n");
    assert_string_equal(run.trace->actors[0].steps[0].detail, "");
    ends();
}

static void a_pattern__matches__what_it_leaves_open(void **state)
{
    static const enum step_status wanted[] = {STEP_OK, STEP_OK, STEP_DIFFERS, STEP_DIFFERS,
                                              STEP_OK, STEP_OK, STEP_DIFFERS};

    runs("(1, (2, 3)) -> (_, (2, ...))\n"
         "(1, 2) -> (1, seen)\n"
         "3 -> seen\n"
         "x = [1] -> (1,)\n"
         "htons(-1) -> raises OverflowError\n"
         "True -> 1\n"
         "b\"a\" -> \"a\"\n");
    for (uint32_t i = 0; i < 7; i++) {
        if (run.trace->actors[0].steps[i].status != wanted[i]) {
            fail_msg("%s: %s", run.trace->actors[0].steps[i].text,
                     trace_status_name(run.trace->actors[0].steps[i].status));
        }
    }
    ends();
}

/* Each step states something of b"hello, world" or of a list; what stands first is whether it holds. */
static void a_part_of_a_value__matches__where_it_stands(void **state)
{
    static const struct {
        const char *step;
        bool holds;
    } rows[] = {
        {"b\"hello\" -> prefix(b\"he\")", true},
        {"b\"hello\" -> prefix(b\"hello\")", true},
        {"b\"hello\" -> prefix(b\"\")", true},
        {"b\"hello\" -> prefix(b\"el\")", false},
        {"b\"hello\" -> prefix(b\"hello!\")", false},
        {"b\"hello\" -> prefix(\"he\")", false},
        {"b\"hello\" -> suffix(b\"lo\")", true},
        {"b\"hello\" -> suffix(b\"hell\")", false},
        {"b\"hello\" -> suffix(b\"xhello\")", false},
        {"b\"\" -> suffix(b\"\")", true},
        {"b\"hello\" -> contains(b\"ell\")", true},
        {"b\"hello\" -> contains(b\"hello\")", true},
        {"b\"hello\" -> contains(b\"lo\")", true},
        {"b\"hello\" -> contains(b\"le\")", false},
        {"bytearray(b\"hello\") -> contains(b\"l\")", true},
        {"\"hello\" -> prefix(\"he\")", true},
        {"\"hello\" -> prefix(b\"he\")", false},
        {"7 -> contains(7)", false},
        {"x = [1, 2, 3] -> prefix([1, 2])", true},
        {"x = [1, 2, 3] -> prefix([2])", false},
        {"x = [1, 2, 3] -> prefix((1, 2))", false},
        {"x = [1, 2, 3] -> prefix([1, 2, 3, 4])", false},
        {"x = [1, 2, 3] -> suffix([_, 3])", true},
        {"x = [1, 2, 3] -> suffix([1, 2])", false},
        {"(1, 2) -> suffix((2,))", true},
        {"x = [1, (2, 3)] -> contains((2, _))", true},
        {"x = [1, (2, 3)] -> contains((3, _))", false},
        {"x = [b\"ab\", 1] -> contains(prefix(b\"a\"))", true},
        {"x = [] -> contains(_)", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char step[200];
        snprintf(step, sizeof step, "%s\n", rows[i].step);
        runs(step);
        if ((run.trace->actors[0].steps[0].status == STEP_OK) != rows[i].holds) {
            fail_msg("%s", rows[i].step);
        }
        ends();
    }
    assert_value("prefix(b\"a\")", "raises TypeError");
    assert_value("bytearray(None)", "raises TypeError");
    assert_value("bytearray(-1)", "raises ValueError");
    assert_value("counted(b\"\")", "raises TypeError");
    assert_value("socket().setsockopt(SOL_SOCKET, SO_KEEPALIVE, None, b\"\")", "raises TypeError");
    assert_value("socket().setsockopt(SOL_SOCKET, b\"\", 1)", "raises TypeError");
}

static void lists__are_joined_multiplied_and_compared(void **state)
{
    assert_value("x = [1] + [2, 3]", "[1, 2, 3]");
    assert_value("x = (1,) + (2,)", "(1, 2)");
    assert_value("x = [1, 2] * 2", "[1, 2, 1, 2]");
    assert_value("x = True * [1]", "[1]");
    assert_value("x = [1] * -3", "[]");
    assert_value("x = [] * 100000000", "[]");
    assert_value("x = [1] * 65536 == [1] * 65536", "True");
    assert_value("x = [1] * 65537", "raises OverflowError");
    assert_value("x = [1] + (2,)", "raises TypeError");
    assert_value("x = [1] - [1]", "raises TypeError");
    assert_value("x = [1] * [1]", "raises TypeError");
    assert_value("b\"a\" * None", "raises TypeError");
    assert_value("1 + 1 == 2", "True");
    assert_value("1 | 2 != 3", "False");
    assert_value("1 == \"1\"", "False");
    assert_value("None == None", "True");
    assert_value("x = [1, (2.0, b\"a\")] == [True, (2, bytearray(b\"a\"))]", "True");
    assert_value("(1, 2) == (1,)", "False");
}

static void luck__prints__as_a_name_that_stays(void **state)
{
    runs("s = socket()\n"
         "s.bind((\"127.0.0.1\", 0))\n"
         "s.getsockname()\n"
         "s.getsockname() -> (\"127.0.0.1\", port1)\n"
         "t = socket()\n"
         "t.bind((\"127.0.0.1\", 0))\n"
         "t.getsockname()\n"
         "s.fileno()\n"
         "t.fileno()\n"
         "s.fileno()\n"
         "s.close()\n"
         "s.fileno()\n"
         "poll([(t, POLLIN)], 0)\n"
         "(s, t)\n");
    shows(2, "(\"127.0.0.1\", port1)");
    assert_int_equal(run.trace->actors[0].steps[3].status, STEP_OK);
    shows(6, "(\"127.0.0.1\", port2)");
    shows(7, "fd1");
    shows(8, "fd2");
    shows(9, "fd1");
    shows(11, "-1");
    shows(12, "[(t, POLLHUP)]");
    shows(13, "(s, t)");
    ends();
}

static void a_socket__is_told_to_the_system__under_its_first_name(void **state)
{
    runs("s, t = socketpair()\nu = s\n");
    assert_int_equal(run.named, 2);
    assert_string_equal(run.last_name, "t");
    ends();
}

static void a_raise_that_nothing_states__stops__the_actor(void **state)
{
    runs("htons(1)\nhtons(-1)\nhtons(2)\n");
    assert_true(run.stopped);
    assert_int_equal(run.actor.state, ACTOR_STOPPED);
    assert_int_equal(run.trace->actors[0].steps[1].status, STEP_RAISED);
    assert_int_equal(run.trace->actors[0].steps[2].status, STEP_NOT_REACHED);
    ends();
}

static void a_wrong_outcome__does_not_stop__the_actor(void **state)
{
    runs("htons(1) -> 1\nhtons(-1) -> raises ValueError\nhtons(256) -> 1\n");
    assert_false(run.stopped);
    assert_int_equal(run.actor.state, ACTOR_ENDED);
    assert_int_equal(run.trace->actors[0].steps[0].status, STEP_DIFFERS);
    assert_int_equal(run.trace->actors[0].steps[1].status, STEP_DIFFERS);
    assert_int_equal(run.trace->actors[0].steps[2].status, STEP_OK);
    ends();
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void the_end_of_an_actor__closes__what_it_left_open(void **state)
{
    int before = open_descriptors();
    runs("s, t = socketpair()\nf = s.makefile(\"rb\")\ns.close()\ne = epoll()\ng = tempfile(b\"x\")\n"
         "s = socket()\n");
    ends();
    assert_int_equal(open_descriptors(), before);
}

static void a_buffer__is_filled__in_place(void **state)
{
    runs("s, t = socketpair()\nb = bytearray(4)\ns.send(b\"abcdef\")\nt.recv_into(b)\nb\n"
         "t.recvmsg_into([b])\nb\nt.recv_into(b\"\")\n");
    shows(4, "b\"abcd\"");
    shows(5, "(2, [], 0, None)");
    shows(6, "b\"efcd\"");
    shows(7, "raises TypeError");
    ends();
}

static void a_file_object__reads_and_writes__bytes_or_text(void **state)
{
    runs("s, t = socketpair()\n"
         "f = s.makefile(\"wb\")\n"
         "f.write(b\"one\\ntwo\")\n"
         "f.write(\"str\") -> raises TypeError\n"
         "f.flush()\n"
         "g = t.makefile(\"r\")\n"
         "g.readline()\n"
         "g.read(3)\n"
         "f.close()\n"
         "f.write(b\"\")\n");
    shows(2, "7");
    shows(3, "raises TypeError");
    shows(6, "\"one\\n\"");
    shows(7, "\"two\"");
    shows(9, "raises ValueError");
    ends();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression__gives__what_python_gives),
        cmocka_unit_test(a_long_byte_string__prints__by_content),
        cmocka_unit_test(a_wrong_outcome__tells__what_was_stated_with_names_by_their_values),
        cmocka_unit_test(two_long_values__that_differ__tell_where),
        cmocka_unit_test(a_pattern__matches__what_it_leaves_open),
        cmocka_unit_test(a_part_of_a_value__matches__where_it_stands),
        cmocka_unit_test(lists__are_joined_multiplied_and_compared),
        cmocka_unit_test(luck__prints__as_a_name_that_stays),
        cmocka_unit_test(a_socket__is_told_to_the_system__under_its_first_name),
        cmocka_unit_test(a_raise_that_nothing_states__stops__the_actor),
        cmocka_unit_test(a_wrong_outcome__does_not_stop__the_actor),
        cmocka_unit_test(the_end_of_an_actor__closes__what_it_left_open),
        cmocka_unit_test(a_buffer__is_filled__in_place),
        cmocka_unit_test(a_file_object__reads_and_writes__bytes_or_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
