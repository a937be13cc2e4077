/* Tests of the canonical text.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include <stdlib.h>

#include "harness/language/print.h"

static char *printed(const char *text)
{
    struct scenario *scenario = reads(text);
    struct text out = {0};

    print_scenario(&out, scenario, NULL, NULL);
    scenario_free(scenario);
    return out.bytes;
}

static void assert_prints(const char *text, const char *wanted)
{
    char *out = printed(text);
    assert_string_equal(out, wanted);
    free(out);
}

static void a_canonical_file__prints__as_itself(void **state)
{
    static const char canonical[] =
        "# What it shows.\n"
        "# Where it is written.\n"
        "\n"
        "host server 10.0.0.1 fd00::1\n"
        "host client 10.0.0.2  # behind a line\n"
        "link server client delay=20ms\n"
        "fault server connect#1 signal during=5ms\n"
        "differs kernel \"two  blanks\"\n"
        "\n"
        "[server]\n"
        "s = socket(AF_INET, type=SOCK_STREAM | SOCK_CLOEXEC)\n"
        "sync up\n"
        "\n"
        "[other on client]\n"
        "sync up\n"
        "s = socket()\n"
        "s.connect((\"10.0.0.1\", 0x50))         -> None +40ms\n"
        "x = [1, -2.5, (3,), (), ~4, None]\n"
        "a, (b, _) = (1, (2, 3))               -> _ @ 1.5s\n"
        "x[0:1][0]\n"
        "x[:]\n"
        "(1 + 2) * 3                           -> 9\n"
        "b\"\\x00\\xffa\\\"\" * 100000               -> raises OverflowError\n"
        "\"\u00e9\\udc80\"\n"
        "s.family                              -> AF_INET differs world \"why\"\n"
        "s.recv(1)                             -> raises OSError(EIO) +1ms @ 2ms  # said\n";

    assert_prints(canonical, canonical);
}

static void loose_text__prints__canonically(void **state)
{
    assert_prints("host   a\t10.0.0.1   # why\n[ a ]\n  x=( 1,2 )->(1,_)+5ms\nsleep 0.2\n",
                  "host a 10.0.0.1  # why\n[a]\n"
                  "x = (1, 2)                            -> (1, _) +5ms\nsleep(0.2)\n");
    assert_prints("[a]\nx = 'it\\'s'   ->   +5ms\n",
                  "[a]\nx = \"it's\"                            -> +5ms\n");
}

static void what_was_printed__prints__as_itself(void **state)
{
    char *once = printed("[a]\ngetaddrinfo( None,  80 ,type = SOCK_STREAM )[0][4] "
                         "-> ( '::1' , 80,0 , 0 ) \n");
    char *twice = printed(once);

    assert_string_equal(once, twice);
    free(once);
    free(twice);
}

static void long_steps__move_the_column__of_their_section_only(void **state)
{
    assert_prints("[a]\nx = (\"a string that is longer than the column is\") -> _\nx -> _\n[b]\nx = 1 "
                  "-> 1\n",
                  "[a]\n"
                  "x = (\"a string that is longer than the column is\") -> _\n"
                  "x                                                  -> _\n"
                  "[b]\n"
                  "x = 1                                 -> 1\n");
}

static void a_line_over_several__prints__on_one_or_broken_again(void **state)
{
    static const char broken[] =
        "host a 10.0.0.1\n"
        "host b 10.0.0.2\n"
        "link a b delay=10ms jitter=1ms loss=1% duplicate=1% reorder=1% corrupt=1% rate=10mbit \\\n"
        "    queue=64000 mtu=1500  # all\n"
        "[a]\n"
        "x = (\"a string with blanks that must not be broken, however long it may be, \\\" and on\", "
        "1) -> \\\n"
        "    (_, 1) +0..1ms @ 0  # behind\n"
        "len((1, 2))                           -> 2\n"
        "repeat 3 len((1, 2))                  -> 2\n"
        "[b]\n"
        "x = 1 == 2                            -> False\n"
        "y = \"a string with blanks that must not be broken, however long it may be, and how long it "
        "is\" + \\\n"
        "    \"end\"\n";
    assert_prints(broken, broken);
    /* what remains is a comment, which stays on its line however long it is */
    assert_prints(
        " \\\n# A comment that is longer than a line of steps may be, with blanks all over, and not "
        "to be broken\n[a]\nx = 1\n",
        "# A comment that is longer than a line of steps may be, with blanks all over, and not "
        "to be broken\n[a]\nx = 1\n");
    assert_prints("host \\\n  a \\\n 10.0.0.1 # why\n[a]\nlen( \\\n(1,2) \\\n) \\\n->2\n",
                  "host a 10.0.0.1  # why\n[a]\nlen((1, 2))                           -> 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_canonical_file__prints__as_itself),
        cmocka_unit_test(loose_text__prints__canonically),
        cmocka_unit_test(what_was_printed__prints__as_itself),
        cmocka_unit_test(a_line_over_several__prints__on_one_or_broken_again),
        cmocka_unit_test(long_steps__move_the_column__of_their_section_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
