/* Tests of outcomes one above the other: where the mark stands, what is cut, bytes in hexadecimal.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/result/difference.h"

static void prints(const char *stated, const char *got, struct difference_look look, const char *wanted)
{
    struct text text = {0};
    difference_print(&text, (struct outcome_text){"stated", stated}, (struct outcome_text){"got", got},
                     look);
    if (strcmp(text.bytes, wanted) != 0) {
        fail_msg("printed\n%s instead of\n%s", text.bytes, wanted);
    }
    text_free(&text);
}

static void short_outcomes__that_differ_within__are_marked_there(void **state)
{
    const struct difference_look look = {.columns = 100};
    prints("b\"hello, world\"", "b\"hello, wurlt\"", look,
           "    stated  b\"hello, world\"\n"
           "    got     b\"hello, wurlt\"\n"
           "                      ^~~~\n");
    prints("3", "4", look, "    stated  3\n    got     4\n            ^\n");
    prints("b\"\"", "b\"abc\"", look, "    stated  b\"\"\n    got     b\"abc\"\n              ^~~\n");
    prints("b\"abc\"", "b\"ab\"", look,
           "    stated  b\"abc\"\n    got     b\"ab\"\n                ^\n");
    /* equal texts, which a trace can hold by luck: the mark stands at their end */
    prints("_", "_", look, "    stated  _\n    got     _\n             ^\n");
}

static void escapes_and_characters__at_the_difference__are_not_cut(void **state)
{
    const struct difference_look look = {.columns = 100};
    prints("b\"\\x41\\x00\"", "b\"\\x41\\x0f\"", look,
           "    stated  b\"\\x41\\x00\"\n    got     b\"\\x41\\x0f\"\n                  ^~~~\n");
    prints("b\"\\\\n\"", "b\"\\\\x\"", look,
           "    stated  b\"\\\\n\"\n    got     b\"\\\\x\"\n                ^\n");
    prints("\"\xc3\xa9"
           "a\xc3\xa8\"",
           "\"\xc3\xa9"
           "a\xc3\xaa\"",
           look,
           "    stated  \"\xc3\xa9"
           "a\xc3\xa8\"\n    got     \"\xc3\xa9"
           "a\xc3\xaa\"\n               ^\n");
}

static void long_outcomes__that_differ_far_behind__show_that_part(void **state)
{
    char stated[300], got[300];
    memset(stated, 'x', sizeof stated);
    stated[299] = 0;
    memcpy(got, stated, sizeof got);
    got[150] = 'y';
    prints(stated, got, (struct difference_look){.columns = 60},
           "    stated  …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n"
           "    got     …xxxxxxxxxxxxxxxxxxxxxxxxyxxxxxxxxxxxxxxxxxxxxx…\n"
           "                                     ^\n");
    got[260] = 'y'; /* the difference goes on behind the cut, and the mark ends with the line */
    prints(stated, got, (struct difference_look){.columns = 60},
           "    stated  …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n"
           "    got     …xxxxxxxxxxxxxxxxxxxxxxxxyxxxxxxxxxxxxxxxxxxxxx…\n"
           "                                     ^~~~~~~~~~~~~~~~~~~~~~\n");
}

static void literals__when_all_is_asked__show_their_bytes(void **state)
{
    prints("b\"0123456789abcdefgh\"", "b\"0123456789abcdefgi\\x00\"",
           (struct difference_look){.columns = 20, .full = true},
           "    stated  b\"0123456789abcdefgh\"\n"
           "    got     b\"0123456789abcdefgi\\x00\"\n"
           "                               ^~~~~\n"
           "    - stated (18 bytes), + got (19 bytes)\n"
           "      0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
           "    - 0010  67 68                                            gh\n"
           "    + 0010  67 69 00                                         gi.\n");
    prints("[1]", "b\"x\"", (struct difference_look){.full = true},
           "    stated  [1]\n    got     b\"x\"\n            ^~~~\n");
}

static void an_excerpt__of_a_long_outcome__says_how_much_is_left(void **state)
{
    struct text text = {0};
    difference_excerpt(&text, "abcdef", 6);
    difference_excerpt(&text, "abcdefg", 6);
    difference_excerpt(&text, "abcdefg", 0);
    assert_string_equal(text.bytes, "abcdefabcdef… (1 more)abcdefg");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_outcomes__that_differ_within__are_marked_there),
        cmocka_unit_test(escapes_and_characters__at_the_difference__are_not_cut),
        cmocka_unit_test(long_outcomes__that_differ_far_behind__show_that_part),
        cmocka_unit_test(literals__when_all_is_asked__show_their_bytes),
        cmocka_unit_test(an_excerpt__of_a_long_outcome__says_how_much_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
