/* Python literals: what is read, how repr() writes it, and what is refused where.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/socket.h>

enum { ARENA_BYTES = 65536 };

static _Alignas(16) char arena[ARENA_BYTES];

/* text reads and prints as `wanted`. */
static void reads(const char *text, const char *wanted)
{
    struct dry_value value;
    size_t at = 0;
    char printed[8192];
    if (dry_value_parse(text, strlen(text), arena, sizeof(arena), &value, &at) < 0) {
        fail_msg("%s: %s at %zu", text, dry_last_error()->message, at);
    }
    int length = dry_value_print(&value, printed, sizeof(printed));
    assert_string_equal(printed, wanted);
    assert_int_equal(length, strlen(wanted));
}

/* text is refused at byte `at`. */
static void refuses(const char *text, size_t at)
{
    struct dry_value value;
    size_t seen = SIZE_MAX;
    if (dry_value_parse(text, strlen(text), arena, sizeof(arena), &value, &seen) == 0) {
        fail_msg("%s was read", text);
    }
    if (seen != at) {
        fail_msg("%s: refused at %zu, not %zu: %s", text, seen, at, dry_last_error()->message);
    }
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
}

static void number__is_read__prints_in_decimal(void **state)
{
    reads("0", "0");
    reads("00_0", "0");
    reads("-1", "-1");
    reads("- 5", "-5");
    reads("+7", "7");
    reads("0x1F_ff", "8191");
    reads("0o17", "15");
    reads("0b1_0", "2");
    reads("1_000", "1000");
    reads("9223372036854775807", "9223372036854775807");
    reads("-9223372036854775808", "-9223372036854775808");
    reads("9223372036854775808", "9223372036854775808");
    reads("-9223372036854775809", "-9223372036854775809");
    reads("0xffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455");
    reads("-1_000_000_000_000_000_000_000_000", "-1000000000000000000000000");
}

static void big_number__is_read__keeps_its_low_bits(void **state)
{
    struct dry_value value;
    const char *text = "-0x1_0000_0000_0000_0005";
    assert_int_equal(dry_value_parse(text, strlen(text), arena, sizeof(arena), &value, NULL), 0);
    assert_int_equal(value.kind, DRY_INT);
    assert_true(value.count > 0);
    assert_int_equal(value.integer, -5);
}

static void wrong_number__is_read__is_refused(void **state)
{
    refuses("012", 0);
    refuses("1__0", 0);
    refuses("1_", 0);
    refuses("_1", 0);
    refuses("0x", 0);
    refuses("0xg", 0);
    refuses("0b2", 0);
    refuses("0o8", 0);
    refuses("1a", 0);
    refuses("--1", 1);
    refuses("-", 1);
    refuses("1e", 0);
    refuses(".", 0);
    refuses("1e5_", 0);
    refuses("-None", 1);
    refuses("1 2", 2);
}

static void float__is_read__prints_the_shortest_form(void **state)
{
    reads("0.5", "0.5");
    reads("1.", "1.0");
    reads(".25", "0.25");
    reads("-0.0", "-0.0");
    reads("0.1", "0.1");
    reads("100.0", "100.0");
    reads("123456.789", "123456.789");
    reads("1e15", "1000000000000000.0");
    reads("1e16", "1e+16");
    reads("1.5e300", "1.5e+300");
    reads("0.0001", "0.0001");
    reads("0.00001", "1e-05");
    reads("1.25e-7", "1.25e-07");
    reads("1_0.2_5", "10.25");
    reads("1e999", "inf");
    reads("-1e999", "-inf");
    reads("0.30000000000000004", "0.30000000000000004");
    reads("5e-324", "5e-324");
    reads("1.7976931348623157e308", "1.7976931348623157e+308");
    reads("012.5", "12.5");
}

static void float__is_read_under_another_locale__has_its_point(void **state)
{
    const char *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (setlocale(LC_NUMERIC, names[i])) {
            break;
        }
    }
    reads("1.5", "1.5");
    reads("(0.25, 1e-5)", "(0.25, 1e-05)");
    setlocale(LC_NUMERIC, "C");
}

static void text__is_read__prints_as_repr(void **state)
{
    reads("'abc'", "'abc'");
    reads("\"abc\"", "'abc'");
    reads("\"it's\"", "\"it's\"");
    reads("'it\\'s \"q\"'", "'it\\'s \"q\"'");
    reads("'a\\nb\\t\\r\\\\'", "'a\\nb\\t\\r\\\\'");
    reads("'\\x00\\x7f\\a'", "'\\x00\\x7f\\x07'");
    reads("'\\xe9\\u20ac\\U0001F600'", "'é€😀'");
    reads("'\\xa0\\u200b\\ufeff\\U000e0001'", "'\\xa0\\u200b\\ufeff\\U000e0001'");
    reads("'\\udcff'", "'\\udcff'");
    reads("'\xff'", "'\\udcff'");
    reads("'\\101\\0\\777'", "'A\\x00ǿ'");
    reads("'\\q\\8'", "'\\\\q\\\\8'");
    reads("r'a\\n\\''", "\"a\\\\n\\\\'\"");
    reads("r'\\\xc3\xa9'", "'\\\\\xc3\xa9'");
    reads("u'x'", "'x'");
    reads("'a' \"b\"", "'ab'");
    reads("'''a'b\nc'''", "\"a'b\\nc\"");
    reads("''", "''");
    reads("''''''", "''");
    reads("'a\\\nb'", "'ab'");
}

static void bytes__are_read__print_as_repr(void **state)
{
    reads("b'abc'", "b'abc'");
    reads("B\"it's\"", "b\"it's\"");
    reads("b'\\x00\\xff\\n\\101\\u20ac'", "b'\\x00\\xff\\nA\\\\u20ac'");
    reads("rb'\\x'", "b'\\\\x'");

    reads("b'\\777'", "b'\\xff'");
    reads("b''", "b''");
}

static void wrong_string__is_read__is_refused(void **state)
{
    refuses("'abc", 0);
    refuses("'a\nb'", 0);
    refuses("'''abc''", 0);
    refuses("'\\x1'", 1); /* where the escape begins */
    refuses("'\\u12'", 1);
    refuses("'\\U00110000'", 1);
    refuses("'\\ud800'", 1);
    refuses("'\\N{DASH}'", 1);
    refuses("b'\\x4'", 2);
    refuses("b'\xc3\xa9'", 2);
    refuses("b'a' 'b'", 5);
    refuses("f'a'", 0);
    refuses("ub'a'", 0);
    refuses("'\\", 1);
}

static void sequence__is_read__prints_with_its_brackets(void **state)
{
    reads("()", "()");
    reads("(1)", "1");
    reads("(1,)", "(1,)");
    reads("( 1 ,\n 'a' , )", "(1, 'a')");
    reads("[]", "[]");
    reads("[1, [2, (3,)], ()]", "[1, [2, (3,)], ()]");
    reads("('10.0.0.1', 80)", "('10.0.0.1', 80)");
    reads("(None, True, False)", "(None, True, False)");
    reads("((((5))))", "5");
}

static void wrong_sequence__is_read__is_refused(void **state)
{
    refuses("(1 2)", 3);
    refuses("(1", 0);
    refuses("(,)", 1);
    refuses("(1,,)", 3);
    refuses("(1]", 2);
    refuses("1)", 1);
    refuses("", 0);
    refuses("Nonesuch", 0);
    refuses("(x)", 1);
    refuses("\n1", 0);
}

static void brackets__nest_too_deep__are_refused(void **state)
{
    char text[2 * DRY_VALUE_DEPTH + 3];
    memset(text, '[', DRY_VALUE_DEPTH);
    memset(text + DRY_VALUE_DEPTH, ']', DRY_VALUE_DEPTH);
    text[2 * DRY_VALUE_DEPTH] = 0;
    reads(text, text);
    memset(text, '[', DRY_VALUE_DEPTH + 1);
    refuses(text, DRY_VALUE_DEPTH);
}

static void whole_number__of_more_digits_than_python_takes__is_refused(void **state)
{
    char text[4400];
    text[0] = '-';
    memset(text + 1, '9', 4301);
    text[4302] = 0;
    refuses(text, 1);
    refuses(text + 1, 0);
    text[4301] = 0;
    reads(text, text);
    reads(text + 1, text + 1);
    memset(text, '0', 4390); /* leading zeros of a hexadecimal number are no digits of it */
    text[1] = 'x';
    strcpy(text + 4390, "7");
    reads(text, "7");
}

static void arena__is_too_small__is_refused_and_not_overrun(void **state)
{
    const char *text = "('abcdefgh', 0xffffffffffffffffffffffff, [1, 2.5, b'xyz'], 123)";
    bool passed = false;
    for (size_t bytes = 0; bytes < 1024; bytes++) {
        char *room = test_malloc(bytes + 1); /* cmocka guards both ends */
        struct dry_value value;
        size_t at;
        passed = dry_value_parse(text, strlen(text), room, bytes, &value, &at) == 0;
        if (!passed) {
            assert_string_equal(dry_last_error()->message, "the literal is too long");
        }
        test_free(room);
    }
    assert_true(passed);
}

static void value__is_no_literal__still_prints(void **state)
{
    struct dry_value value = {.kind = DRY_FLOAT, .real = NAN};
    char text[32];
    dry_value_print(&value, text, sizeof(text));
    assert_string_equal(text, "nan");
    value = (struct dry_value){.kind = DRY_OBJECT, .bytes = "Thing", .count = 5};
    dry_value_print(&value, text, sizeof(text));
    assert_string_equal(text, "<Thing>");
}

static void print__has_little_room__counts_all_and_ends_with_nul(void **state)
{
    struct dry_value value = {.kind = DRY_TEXT, .bytes = "abcdef", .count = 6};
    char text[5] = "zzzz";
    assert_int_equal(dry_value_print(&value, text, sizeof(text)), 8);
    assert_string_equal(text, "'abc");
    assert_int_equal(dry_value_print(&value, NULL, 0), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number__is_read__prints_in_decimal),
        cmocka_unit_test(big_number__is_read__keeps_its_low_bits),
        cmocka_unit_test(wrong_number__is_read__is_refused),
        cmocka_unit_test(float__is_read__prints_the_shortest_form),
        cmocka_unit_test(float__is_read_under_another_locale__has_its_point),
        cmocka_unit_test(text__is_read__prints_as_repr),
        cmocka_unit_test(bytes__are_read__print_as_repr),
        cmocka_unit_test(wrong_string__is_read__is_refused),
        cmocka_unit_test(sequence__is_read__prints_with_its_brackets),
        cmocka_unit_test(wrong_sequence__is_read__is_refused),
        cmocka_unit_test(brackets__nest_too_deep__are_refused),
        cmocka_unit_test(whole_number__of_more_digits_than_python_takes__is_refused),
        cmocka_unit_test(arena__is_too_small__is_refused_and_not_overrun),
        cmocka_unit_test(value__is_no_literal__still_prints),
        cmocka_unit_test(print__has_little_room__counts_all_and_ends_with_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
