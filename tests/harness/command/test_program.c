/* Tests of the program: what it prints, and what it ends with.
 * SPDX-License-Identifier: MIT
 *
 * The first argument is the program. Everything runs in the world. */
#include "program.h"

static const char echo[] = "# Echo.\n"
                           "host server 10.0.0.1\n"
                           "host client 10.0.0.2\n"
                           "link server client delay=10ms\n"
                           "\n"
                           "[server]\n"
                           "s = socket()\n"
                           "s.bind((\"\", 80))\n"
                           "s.listen()\n"
                           "sync up\n"
                           "conn, peer = s.accept()\n"
                           "conn.sendall(conn.recv(100))\n"
                           "\n"
                           "[client]\n"
                           "sync up\n"
                           "s = socket()\n"
                           "s.connect((\"10.0.0.1\", 80))\n"
                           "s.sendall(b\"hello\")\n"
                           "s.recv(100)\n";

static void a_run_as_stated__ends__with_0(void **state)
{
    write_file("echo.dry", echo);
    assert_int_equal(drysock("run echo.dry"), 0);
    assert_says("-> b\"hello\"  +20ms");
}

static void a_run_not_as_stated__ends__with_1(void **state)
{
    write_file("other.dry", "[a]\nlen(b\"abc\") -> 4\n");
    assert_int_equal(drysock("run other.dry"), 1);
    assert_says("other.dry:2: world: len(b\"abc\") -> 3");
    write_file("raises.dry", "[a]\nsocket(AF_INET, 77)\n");
    assert_int_equal(drysock("run raises.dry"), 1);
    assert_says("no \"-> raises\" says so");
}

static void a_wrong_file__ends__with_2_and_runs_nothing(void **state)
{
    write_file("wrong.dry", "[a]\ns = sockett()\n");
    assert_int_equal(drysock("run echo.dry wrong.dry"), 2);
    assert_says("wrong.dry:2:5: there is no function \"sockett\"");
    assert_null(strstr(output, "hello"));
    write_file("setting.dry", "host a\nset a tcp_nothing 1\n[a]\nx = 1\n");
    assert_int_equal(drysock("run setting.dry"), 2);
    assert_says("setting.dry:2:7:");
    assert_int_equal(drysock("run missing.dry"), 2);
    assert_int_equal(drysock("walk echo.dry"), 2);
    assert_int_equal(drysock("run --seed x echo.dry"), 2);
}

static void record__writes_what_was_seen__and_then_nothing_new(void **state)
{
    write_file("record.dry", echo);
    assert_int_equal(drysock("record record.dry"), 0);
    char *once = strdup(read_file("record.dry"));
    assert_non_null(strstr(once, "conn, peer = s.accept()               -> (conn, (\"10.0.0.2\", "
                                 "port1)) +30ms\n"));
    assert_non_null(strstr(once, "s.recv(100)                           -> b\"hello\" +20ms\n"));
    assert_int_equal(drysock("record record.dry"), 0);
    assert_string_equal(read_file("record.dry"), once);
    assert_int_equal(drysock("run --strict record.dry"), 0);
    assert_int_equal(drysock("run --strict echo.dry"), 1);
    assert_says("echo.dry:17: world: s.connect((\"10.0.0.1\", 80)) waits 20ms and states no time: "
                "write +20ms");
    free(once);
}

static void record__goes_on_behind_a_raise__until_nothing_more_is_reached(void **state)
{
    write_file("raising.dry", "[a]\ninet_aton(\"x\")\nhtons(-1)\nhtons(1)\n");
    assert_int_equal(drysock("record raising.dry"), 0);
    assert_string_equal(read_file("raising.dry"),
                        "[a]\n"
                        "inet_aton(\"x\")                        -> raises OSError\n"
                        "htons(-1)                             -> raises OverflowError\n"
                        "htons(1)                              -> 256\n");
}

static void the_same_seed__gives__the_same_hash(void **state)
{
    write_file("chance.dry", "host a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay=1ms jitter=5ms\n"
                             "[a]\ns = socket(AF_INET, SOCK_DGRAM)\ns.bind((\"10.0.0.1\", 9))\nsync "
                             "up\ns.recv(9)\n[b]\ns = socket(AF_INET, SOCK_DGRAM)\nsync up\n"
                             "s.sendto(b\"x\", (\"10.0.0.1\", 9))\n");
    assert_int_equal(drysock("run --hash --seed 3 chance.dry"), 0);
    char *first = strdup(output);
    assert_int_equal(drysock("run --hash --seed 3 chance.dry"), 0);
    assert_string_equal(output, first);
    assert_int_equal(drysock("run --hash --seed 4 chance.dry"), 0);
    assert_string_not_equal(output, first);
    free(first);
}

static void a_close_right_behind_a_send__some_schedule__lets_the_peer_go_between(void **state)
{
    char arguments[40];
    int ended[2] = {0};

    write_file("race.dry", "# A race.\n"
                           "[a]\n"
                           "l = socket(AF_UNIX)\n"
                           "l.bind(\"room\")\n"
                           "l.listen()\n"
                           "sync up\n"
                           "c, p = l.accept()\n"
                           "c.send(b\"x\")\n"
                           "c.close()\n"
                           "\n"
                           "[b]\n"
                           "sync up\n"
                           "s = socket(AF_UNIX)\n"
                           "s.connect(\"room\")\n"
                           "s.recv(1)\n"
                           "s.send(b\"y\") -> raises OSError(EPIPE)\n");
    for (int seed = 1; seed <= 16; seed++) {
        snprintf(arguments, sizeof arguments, "run --schedule %d race.dry", seed);
        int status = drysock(arguments);
        assert_in_range(status, 0, 1);
        ended[status]++;
    }
    assert_true(ended[0] > 0 && ended[1] > 0);
}

static void actors_that_all_wait__are_named__with_line_and_call(void **state)
{
    write_file("stuck.dry", "[a]\ns, t = socketpair()\ns.recv(1)\n");
    assert_int_equal(drysock("run stuck.dry"), 1);
    assert_says("stuck.dry:3: a waits in s.recv(1) since 0");
    assert_says("the run is stuck");
}

static void an_actor_that_stops__abandons__the_syncs_that_it_does_not_reach(void **state)
{
    write_file("stops.dry", "[a]\nhtons(-1)\nsync later\n[b]\nsync later\nhtons(1)\n[c]\n"
                            "sleep(0.1)\nhtons(2)\n");
    assert_int_equal(drysock("run stops.dry"), 1);
    assert_says("stops.dry:5: world: sync later: another actor of this sync has stopped");
    assert_says("htons(2)"); /* c has nothing to do with it */
    assert_null(strstr(output, "htons(1) "));
}

static void a_fault_that_does_not_fire__ends__with_1(void **state)
{
    char text[1000];
    snprintf(text, sizeof text, "fault client recv#2 errno=ECONNRESET\n%s", echo);
    write_file("unused.dry", text);
    assert_int_equal(drysock("run unused.dry"), 1);
    assert_says("the fault did not fire: client recv#2 errno=ECONNRESET");
    snprintf(text, sizeof text, "fault client recv#1 errno=ECONNRESET\n%s", echo);
    write_file("used.dry", text);
    drysock("run used.dry");
    assert_says("raises OSError(ECONNRESET)");
    assert_null(strstr(output, "did not fire"));
}

static void shrink__keeps__what_the_failure_needs(void **state)
{
    char text[1000];
    snprintf(text, sizeof text, "%s-> b\"hell\" +20ms\nhtons(1)\nhtons(2)\n", echo);
    text[strlen(echo) - 1] = ' ';
    write_file("failing.dry", text);
    assert_int_equal(drysock("shrink failing.dry"), 0);
    assert_says("s.recv(100) -> b\"hell\" +20ms");
    assert_says("link server client delay=10ms");
    assert_null(strstr(output, "htons"));
    assert_int_equal(drysock("shrink echo.dry"), 1);
    assert_says("nothing to shrink");
}

static void a_sweep__aims__at_every_call(void **state)
{
    int status = drysock("sweep --seeds 2 echo.dry");
    assert_true(status == (strstr(output, " 0 found") == NULL));
    write_file("waits.dry", "[a]\ns, t = socketpair()\ns.send(b\"x\")\nt.recv(1)\n");
    assert_int_equal(drysock("sweep --seeds 1 waits.dry"), 0);
    assert_says(" 0 found");
}

static void a_sweep__names__what_hangs_as_a_line_to_paste(void **state)
{
    char text[1200];
    static const char waits[] = "[a]\nl = socket(AF_UNIX)\nl.bind(\"room\")\nl.listen()\nsync up\n"
                                "c, p = l.accept()\n[b]\nsync up\ns = socket(AF_UNIX)\n"
                                "s.connect(\"room\")\n";
    write_file("hangs.dry", waits);
    assert_int_equal(drysock("sweep --seeds 1 hangs.dry"), 1);
    assert_says("fault b connect#1 errno=ECONNREFUSED  # hangs.dry: hangs: ");
    assert_int_equal(drysock("sweep --seeds 1 --format json hangs.dry"), 1);
    assert_says("\"line\":\"fault b connect#1 errno=ECONNREFUSED\",\"finding\":\"hangs\"");
    snprintf(text, sizeof text, "fault b connect#1 errno=ECONNREFUSED  # hangs.dry: hangs\n%s", waits);
    write_file("pasted.dry", text);
    assert_int_equal(drysock("run pasted.dry"), 1);
    assert_says("the run is stuck");
}

static void a_sweep__reports__an_outcome_that_another_seed_changes(void **state)
{
    write_file("lucky.dry", "host a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay=1ms jitter=5ms\n"
                            "[a]\ns = socket(AF_INET, SOCK_DGRAM)\ns.bind((\"10.0.0.1\", 9))\nsync up\n"
                            "s.recv(9)\n[b]\ns = socket(AF_INET, SOCK_DGRAM)\nsync up\n"
                            "s.sendto(b\"x\", (\"10.0.0.1\", 9))\n");
    assert_int_equal(drysock("record lucky.dry"), 0);
    assert_int_equal(drysock("sweep --seeds 3 lucky.dry"), 1);
    assert_says("--seed 2 --schedule 1  # lucky.dry: changes an outcome: s.recv(9): it took");
    assert_null(strstr(output, "--seed 1 --schedule 0  #"));
}

static void a_sweep__counts__any_number_of_kinds_of_call(void **state)
{
    write_file("kinds.dry",
               "[a]\n(len(b\"\"), htons(1), htonl(1), ntohs(1), ntohl(1), inet_aton(\"1.1.1.1\"), "
               "inet_ntoa(b\"abcd\"), inet_pton(AF_INET, \"1.1.1.1\"), "
               "inet_ntop(AF_INET, b\"abcd\"), CMSG_LEN(1), CMSG_SPACE(1), counted(1), "
               "pack(\"b\", 1), unpack(\"b\", b\"x\"), bytearray(1), if_nameindex(), "
               "if_indextoname(1), if_nametoindex(\"lo\"), getdefaulttimeout(), "
               "gethostname(), socketpair(), socket())\n");
    assert_int_equal(drysock("sweep --seeds 1 kinds.dry"), 0);
    assert_says("kinds.dry: 4 runs: ");
}

static void print__changes__only_what_is_not_canonical(void **state)
{
    write_file("loose.dry", "[a]\nx=1\n");
    assert_int_equal(drysock("print --check loose.dry"), 1);
    assert_int_equal(drysock("print loose.dry"), 0);
    assert_string_equal(output, "[a]\nx = 1\n");
    assert_int_equal(drysock("print --write loose.dry"), 0);
    assert_int_equal(drysock("print --check loose.dry"), 0);
}

static void results__are_told__in_each_format(void **state)
{
    write_file("good.dry", "[a]\nhtons(1) -> 256\n");
    write_file("bad.dry", "[a]\nhtons(1) -> 257\n");
    assert_int_equal(drysock("run --format tap good.dry bad.dry"), 1);
    assert_says("1..2\nok 1 - good.dry\nnot ok 2 - bad.dry\n  ---\n  problems:\n"
                "    - file: \"bad.dry\"\n      line: 2\n      system: world\n"
                "      text: \"htons(1) -> 256\"\n      stated: \"257\"\n      got: \"256\"\n"
                "  ...\n");
    assert_int_equal(drysock("run --format junit bad.dry"), 1);
    assert_says("tests=\"1\" failures=\"1\"");
    assert_says("file=\"bad.dry\" line=\"2\"");
    assert_says("<failure type=\"world\" message=\"bad.dry:2: world: htons(1) -&gt; 256\">");
    assert_says("    stated  257\n    got     256\n              ^\n</failure>");
    assert_int_equal(drysock("run --format json good.dry"), 0);
    assert_says("{\"scenario\":\"good.dry\",\"system\":\"world\"}");
    assert_says("\"outcome\":\"256\"");
    assert_says("{\"end\":\"done\"");
    assert_int_equal(drysock("run --format json bad.dry"), 1);
    assert_says("\"outcome\":\"256\",\"detail\":\"\",\"stated\":\"257\"");
}

static void a_wrong_line__is_told__with_what_was_stated_and_what_came(void **state)
{
    write_file("bytes.dry", "[a]\nx = b\"hello, \"\nx + b\"wurld\" -> x + b\"world\"\n"
                            "x -> raises OSError(EBADF)\n");
    assert_int_equal(drysock("run --quiet bytes.dry"), 1);
    assert_string_equal(output, "bytes.dry:3: world: x + b\"wurld\" -> b\"hello, wurld\"\n"
                                "    stated  b\"hello, world\"\n"
                                "    got     b\"hello, wurld\"\n"
                                "                      ^\n"
                                "bytes.dry:4: world: x -> b\"hello, \"\n"
                                "    stated  raises OSError(EBADF)\n"
                                "    got     b\"hello, \"\n"
                                "            ^~~~~~~~~~~~~~~~~~~~~\n");
    assert_int_equal(drysock("run --quiet --full --color always bytes.dry"), 1);
    assert_says("\033[31m^\033[0m\n    - stated (12 bytes), + got (12 bytes)\n"
                "    - 0000  68 65 6c 6c 6f 2c 20 77 6f 72 6c 64              hello, world\n"
                "    + 0000  68 65 6c 6c 6f 2c 20 77 75 72 6c 64              hello, wurld\n");
    assert_int_equal(drysock("run --color sometimes bytes.dry"), 2);
}

static void a_wrong_command_line__is_told__with_its_cure(void **state)
{
    static const struct {
        const char *arguments, *says;
    } rows[] = {
        {"", "drysock: name a command"},
        {"run", "drysock: run needs a FILE or a DIR: drysock --help run"},
        {"rum echo.dry", "there is no command \"rum\", did you mean \"run\"?: they are run compare"},
        {"run --sede 3 echo.dry", "there is no option \"--sede\", did you mean \"seed\"?"},
        {"run echo.dry --seed", "--seed needs its argument: --seed N"},
        {"run --hash=3 echo.dry", "--hash takes no argument"},
        {"run -x echo.dry", "there is no option \"-x\""},
        {"sweep --on kernel echo.dry", "drysock: sweep has no use for --on"},
        {"print --seed 3 echo.dry", "drysock: print has no use for --seed"},
        {"--help swep", "there is no command \"swep\", did you mean \"sweep\"?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(drysock(rows[i].arguments), 2);
        assert_says(rows[i].says);
        assert_null(strstr(output, "hello"));
    }
}

static void help__is_printed__of_all_and_of_each_command(void **state)
{
    static const char *const commands[] = {"run",    "compare", "record", "sweep",
                                           "shrink", "print",   "report", "exec"};
    assert_int_equal(drysock("--help"), 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char line[64];
        assert_int_equal(drysock("--help"), 0);
        snprintf(line, sizeof line, "\n  %-9s ", commands[i]);
        assert_says(line);
        snprintf(line, sizeof line, "--help %s", commands[i]);
        assert_int_equal(drysock(line), 0);
        snprintf(line, sizeof line, "usage: drysock %s ", commands[i]);
        assert_says(line);
    }
    assert_int_equal(drysock("record --help"), 0);
    assert_says("usage: drysock record");
    assert_says("--on sim|kernel");
    assert_null(strstr(output, "--seeds"));
}

static void a_wrong_file__tells_all__that_is_wrong_with_it(void **state)
{
    write_file("two.dry", "[a]\ns = sockett()\nx = 1\nlen(z)\n");
    assert_int_equal(drysock("run two.dry"), 2);
    assert_says("two.dry:2:5: there is no function \"sockett\", did you mean \"socket\"?");
    assert_says("two.dry:4:5: \"z\" is neither bound");
}

static void an_included_head__is_read__from_the_files_own_folder(void **state)
{
    char path[200];
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    write_file("sub/lan.head", "# The hosts.\nhost server 10.0.0.1\ninclude client.head\n"
                               "fault server recv errno=EPIPE\n");
    write_file("sub/client.head", "host client 10.0.0.2\nlink server client delay=10ms\n");
    write_file("sub/main.dry", "# It.\ninclude lan.head\n[client]\nx = 1\n[server]\nsocket()\n");
    assert_int_equal(drysock("run sub/main.dry"), 1);
    assert_says("sub/lan.head:4: the fault did not fire");
    assert_int_equal(drysock("print --check sub/main.dry"), 0);
    write_file("sub/client.head", "host client 10.0.0.2\nlink server clent\n[x]\n");
    assert_int_equal(drysock("run sub/main.dry"), 2);
    assert_says("sub/client.head:2:13: there is no host \"clent\", did you mean \"client\"?");
    assert_says("sub/client.head:3:1: an included file holds head lines only");
    write_file("sub/client.head", "include lan.head\n");
    assert_int_equal(drysock("run sub/main.dry"), 2);
    assert_says("files include each other");
    write_file("sub/client.head", "include .\n");
    assert_int_equal(drysock("run sub/main.dry"), 2);
    assert_says("sub/client.head:1:9: \".\": the file cannot be read: Is a directory");
}

static void record_of_a_repeated_line__writes__a_range_and_what_all_showed(void **state)
{
    write_file("repeat.dry", "[a]\ns, t = socketpair()\ns.settimeout(0.01)\n"
                             "repeat 2 t.send(b\"x\")\n"
                             "repeat 2 s.recv(1)\n"
                             "x = 5\n"
                             "repeat 2 x = x * x\n");
    assert_int_equal(drysock("record repeat.dry"), 0);
    const char *text = read_file("repeat.dry");
    assert_non_null(strstr(text, "repeat 2 t.send(b\"x\")                 -> 1\n"));
    assert_non_null(strstr(text, "repeat 2 x = x * x                    -> _\n"));
    /* one that raises beside one that does not cannot be said of both */
    write_file("mixed.dry", "[a]\ns, t = socketpair()\ns.settimeout(0.01)\nt.send(b\"x\")\n"
                            "repeat 2 s.recv(1)\n");
    assert_int_equal(drysock("record mixed.dry"), 0);
    assert_says("mixed.dry:5: its repetitions end in different ways");
    assert_non_null(strstr(read_file("mixed.dry"), "repeat 2 s.recv(1)\n"));
    write_file("repeat2.dry", "host a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay=10ms\n"
                              "[a]\nu = socket(AF_INET, SOCK_DGRAM)\nu.bind((\"\", 7))\nsync up\n"
                              "repeat 2 u.recv(1)\n[b]\nu = socket(AF_INET, SOCK_DGRAM)\nsync up\n"
                              "repeat 2 u.sendto(b\"x\", (\"10.0.0.1\", 7))\n");
    assert_int_equal(drysock("record repeat2.dry"), 0);
    assert_non_null(
        strstr(read_file("repeat2.dry"), "repeat 2 u.recv(1)                    -> b\"x\" +0..10ms\n"));
    assert_int_equal(drysock("run repeat2.dry"), 0);
}

static void record__writes__up_to_4096_bytes_as_text(void **state)
{
    write_file("long.dry", "[a]\nx = counted(200)\ny = counted(4097)\n");
    assert_int_equal(drysock("record long.dry"), 0);
    const char *text = read_file("long.dry");
    assert_non_null(strstr(text, "x = counted(200)                      -> b\"\\x00\\x01"));
    assert_non_null(strstr(text, "y = counted(4097)                     -> content(4097, \""));
    assert_int_equal(drysock("run long.dry"), 0);
    /* what a screen cannot hold is cut, and told whole on request */
    assert_says("more)");
    assert_int_equal(drysock("run --full long.dry"), 0);
    assert_null(strstr(output, "more)"));
}

static void a_signal_for_an_actor_that_has_ended__ends__with_1(void **state)
{
    write_file("late.dry", "at 300ms signal x SIGUSR1\n[x]\nsleep(0.2)\n");
    assert_int_equal(drysock("run late.dry"), 1);
    assert_says("late.dry:1: world: the signal at 300ms did not come: x ended at 200ms");
    write_file("late.dry", "at 200ms signal x SIGUSR1\n[x]\nsleep(0.2)\n");
    assert_int_equal(drysock("run late.dry"), 0);
    write_file("late.dry", "host a\nhost b\nlink a b\nat 1s link a b down\n[x on a]\nhtons(1)\n");
    assert_int_equal(drysock("run late.dry"), 1);
    assert_says("the link's change at 1s did not come: all actors ended at 0");
}

static void results_that_cannot_be_written__end__with_3(void **state)
{
    write_file("good.dry", "[a]\nhtons(1) -> 256\n");
    assert_int_equal(drysock("run good.dry 2>&1 >/dev/full #"), 3);
    assert_says("standard output cannot be written: No space left on device");
    assert_int_equal(drysock("print good.dry 2>&1 >/dev/full #"), 3);
    assert_int_equal(drysock("--help 2>&1 >/dev/full #"), 3);
    assert_int_equal(drysock("run --format tap good.dry 2>&1 >/dev/full #"), 3);
    write_file("only.dry", "only world \"no kernel is asked\"\n[a]\nhtons(1) -> 256\n");
    assert_int_equal(drysock("compare --junit missing/results.xml only.dry"), 3);
    assert_says("missing/results.xml cannot be written: No such file or directory");
    assert_int_equal(drysock("compare --junit /dev/full only.dry"), 3);
    assert_says("/dev/full cannot be written: No space left on device");
    assert_int_equal(drysock("compare --junit results.xml only.dry"), 0);
    assert_non_null(strstr(read_file("results.xml"), "tests=\"1\" failures=\"0\""));
    assert_int_equal(drysock("run --pcap /dev/full echo.dry"), 1);
    assert_says("the capture /dev/full is not whole: No space left on device");
}

static void an_option_without_effect__is_refused__with_2(void **state)
{
    static const char *const useless[] = {
        "sweep --on kernel",
        "sweep --quiet",
        "sweep --jobs 3",
        "compare --quiet",
        "compare --on kernel",
        "compare --jobs 0",
        "compare --seeds 3",
        "record --format json",
        "record --junit x",
        "print --seed 3",
        "print --pcap x",
        "run --junit x",
        "run --jobs 2",
        "run --seeds 2",
        "run --speed 2",
        "run --write",
        "run --against kernel",
        "run --on kernel --check",
        "run --on kernel --hash",
        "run --hash --format json",
        "run --quiet --format tap",
        "run --on kernel --schedule 3",
        "report --seed 1",
        "shrink --format json",
        "sweep --seeds 0",
    };
    char command[200];
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        snprintf(command, sizeof command, "%s echo.dry", useless[i]);
        if (drysock(command) != 2) {
            fail_msg("%s is not refused:\n%s", useless[i], output);
        }
    }
    drysock("sweep --on kernel echo.dry");
    assert_says("drysock: sweep has no use for --on");
}

static void record__tells__of_faults_that_did_not_fire(void **state)
{
    write_file("unfired.dry", "fault a t.recv#7 errno=EIO\n[a]\ns, t = socketpair()\ns.send(b\"x\")\n"
                              "t.recv(1)\n");
    assert_int_equal(drysock("record unfired.dry"), 1);
    assert_says("the fault did not fire: a t.recv#7 errno=EIO");
    assert_non_null(strstr(read_file("unfired.dry"), "-> b\"x\""));
}

/* Sends a signal as soon as the program has said something, or at once. */
static int signalled(const char *arguments, int number, useconds_t after)
{
    char command[800];
    int ends[2], status = 0;
    size_t got = 0;
    ssize_t more;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        snprintf(command, sizeof command, "cd %s && exec '%s' %s", folder, program, arguments);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    usleep(after);
    kill(child, number);
    if (number == SIGQUIT) {
        usleep(after);
        kill(child, SIGINT);
    }
    while ((more = read(ends[0], output + got, sizeof output - 1 - got)) > 0) {
        got += (size_t)more;
    }
    output[got] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Two sockets that keep each other alive, and a wait of years: it does not end by itself. */
static const char endless[] = "host a 10.0.0.1\n"
                              "host b 10.0.0.2\n"
                              "link a b delay=1ns\n"
                              "[a]\n"
                              "s = socket()\n"
                              "s.bind((\"\", 80))\n"
                              "s.listen()\n"
                              "sync up\n"
                              "conn, peer = s.accept()\n"
                              "conn.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)\n"
                              "conn.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 1)\n"
                              "conn.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, 1)\n"
                              "conn.recv(1)\n"
                              "[b]\n"
                              "s = socket()\n"
                              "sync up\n"
                              "s.connect((\"10.0.0.1\", 80))\n"
                              "s.settimeout(1000000000)\n"
                              "s.recv(1)\n";

static void ctrl_c__ends__with_what_was_done_so_far(void **state)
{
    write_file("endless.dry", endless);
    assert_int_equal(signalled("run good.dry endless.dry", SIGINT, 300000), 1);
    assert_says("htons(1)");
    assert_says("was interrupted");
}

static void sigquit__prints__where_each_actor_waits(void **state)
{
    assert_int_equal(signalled("run endless.dry", SIGQUIT, 300000), 1);
    assert_says("endless.dry:13: a waits in conn.recv(1) since");
    assert_says("endless.dry:19: b waits in s.recv(1) since");
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_as_stated__ends__with_0),
        cmocka_unit_test(a_run_not_as_stated__ends__with_1),
        cmocka_unit_test(a_wrong_file__ends__with_2_and_runs_nothing),
        cmocka_unit_test(record__writes_what_was_seen__and_then_nothing_new),
        cmocka_unit_test(record__goes_on_behind_a_raise__until_nothing_more_is_reached),
        cmocka_unit_test(the_same_seed__gives__the_same_hash),
        cmocka_unit_test(a_close_right_behind_a_send__some_schedule__lets_the_peer_go_between),
        cmocka_unit_test(actors_that_all_wait__are_named__with_line_and_call),
        cmocka_unit_test(an_actor_that_stops__abandons__the_syncs_that_it_does_not_reach),
        cmocka_unit_test(a_fault_that_does_not_fire__ends__with_1),
        cmocka_unit_test(shrink__keeps__what_the_failure_needs),
        cmocka_unit_test(a_sweep__aims__at_every_call),
        cmocka_unit_test(a_sweep__names__what_hangs_as_a_line_to_paste),
        cmocka_unit_test(a_sweep__reports__an_outcome_that_another_seed_changes),
        cmocka_unit_test(a_sweep__counts__any_number_of_kinds_of_call),
        cmocka_unit_test(print__changes__only_what_is_not_canonical),
        cmocka_unit_test(results__are_told__in_each_format),
        cmocka_unit_test(a_wrong_line__is_told__with_what_was_stated_and_what_came),
        cmocka_unit_test(a_wrong_command_line__is_told__with_its_cure),
        cmocka_unit_test(help__is_printed__of_all_and_of_each_command),
        cmocka_unit_test(a_wrong_file__tells_all__that_is_wrong_with_it),
        cmocka_unit_test(an_included_head__is_read__from_the_files_own_folder),
        cmocka_unit_test(record_of_a_repeated_line__writes__a_range_and_what_all_showed),
        cmocka_unit_test(record__writes__up_to_4096_bytes_as_text),
        cmocka_unit_test(a_signal_for_an_actor_that_has_ended__ends__with_1),
        cmocka_unit_test(results_that_cannot_be_written__end__with_3),
        cmocka_unit_test(an_option_without_effect__is_refused__with_2),
        cmocka_unit_test(record__tells__of_faults_that_did_not_fire),
        cmocka_unit_test(ctrl_c__ends__with_what_was_done_so_far),
        cmocka_unit_test(sigquit__prints__where_each_actor_waits),
    };
    char command[200];

    if (count < 2 || mkdtemp(folder) == NULL) {
        return 2;
    }
    program = realpath(arguments[1], NULL); /* it runs in another folder */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 ? 1 : failed;
}
