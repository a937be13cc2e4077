/* Tests of tokens, words, comments and times.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/language/lexer.h"

struct reading {
    struct lexer lexer;
    struct arena arena;
    struct diagnostics wrong;
};

static void begin(struct reading *reading, const char *line)
{
    *reading = (struct reading){0};
    reading->lexer = (struct lexer){.line = line, .length = strlen(line), .number = 7};
    reading->lexer.arena = &reading->arena;
    reading->lexer.wrong = &reading->wrong;
    reading->lexer.path = "test.dry";
}

static struct token next(struct reading *reading)
{
    struct token token;
    if (lexer_next(&reading->lexer, &token) != 0) {
        fail_msg("%s", reading->wrong.list[0].message);
    }
    return token;
}

static void refuses_token(const char *line, uint32_t column, const char *part)
{
    struct reading reading;
    struct token token;
    int status;
    begin(&reading, line);
    do {
        status = lexer_next(&reading.lexer, &token);
    } while (status == 0 && token.kind != TOKEN_END);
    assert_int_equal(status, -1);
    assert_int_equal(reading.wrong.list[0].at.line, 7);
    assert_int_equal(reading.wrong.list[0].at.column, column);
    assert_non_null(strstr(reading.wrong.list[0].message, part));
    diagnostics_free(&reading.wrong);
    arena_free(&reading.arena);
}

static void a_call__is_cut__into_marks_names_and_places(void **state)
{
    struct reading reading;
    struct token token;
    begin(&reading, "s.recv(16)  -> b\"x\"");
    token = next(&reading);
    assert_true(token.kind == TOKEN_NAME && token_is(&token, "s"));
    assert_int_equal(token.at.column, 1);
    token = next(&reading);
    assert_true(token_is(&token, "."));
    next(&reading);
    next(&reading);
    token = next(&reading);
    assert_int_equal(token.kind, TOKEN_INT);
    assert_int_equal(token.integer, 16);
    next(&reading);
    token = next(&reading);
    assert_true(token_is(&token, "->"));
    assert_int_equal(token.at.column, 13);
    token = next(&reading);
    assert_int_equal(token.kind, TOKEN_BYTES);
    assert_int_equal(token.count, 1);
    assert_int_equal(next(&reading).kind, TOKEN_END);
    arena_free(&reading.arena);
}

static void an_escape__is_read__as_python_reads_it(void **state)
{
    struct reading reading;
    struct token token;
    begin(&reading, "b\"\\x00\\n\\\\\\101\\0a\" \"\\u00e9\\udc80\" 'it\\'s'");
    token = next(&reading);
    assert_int_equal(token.count, 6);
    assert_memory_equal(token.bytes, "\0\n\\A\0a", 6);
    token = next(&reading);
    assert_int_equal(token.kind, TOKEN_STR);
    assert_memory_equal(token.bytes, "\xc3\xa9\x80", 3);
    token = next(&reading);
    assert_string_equal(token.bytes, "it's");
    arena_free(&reading.arena);
}

static void a_number__is_read__by_its_form(void **state)
{
    struct reading reading;
    begin(&reading, "0x7f 0b11 0o17 1_000 0.5 1e3 40ms 1.5s 2h");
    assert_int_equal(next(&reading).integer, 127);
    assert_int_equal(next(&reading).integer, 3);
    assert_int_equal(next(&reading).integer, 15);
    assert_int_equal(next(&reading).integer, 1000);
    assert_true(next(&reading).real == 0.5);
    assert_true(next(&reading).real == 1000.0);
    assert_int_equal(next(&reading).time_ns, 40000000);
    assert_int_equal(next(&reading).time_ns, 1500000000);
    assert_int_equal(next(&reading).time_ns, 7200000000000);
    arena_free(&reading.arena);
}

static void a_wrong_token__is_refused__with_its_place(void **state)
{
    refuses_token("s.send(b\"x)", 8, "close it with \"");
    refuses_token("  \"\\q\"", 4, "no escape");
    refuses_token("b\"\xc3\xa9\"", 3, "\\xc3");
    refuses_token("\"\\x4\"", 2, "two hexadecimal digits");
    refuses_token("x = 99999999999999999999", 5, "too large");
    refuses_token("x = 12abc", 5, "neither a number nor a time");
    refuses_token("x = 007", 5, "leading zeros");
    refuses_token("x = $", 5, "means nothing");
}

static void a_number_sign__begins_a_comment__only_behind_a_blank(void **state)
{
    static const char ordinal[] = "fault client connect#1 signal before  # why";
    static const char quoted[] = "s.send(b\" # no\")";
    assert_int_equal(lexer_comment(ordinal, strlen(ordinal)), strlen(ordinal) - 5);
    assert_int_equal(lexer_comment(quoted, strlen(quoted)), strlen(quoted));
    assert_int_equal(lexer_comment("# all", 5), 0);
}

static void quoted_text__is_part__of_one_word(void **state)
{
    struct reading reading;
    const char *word;
    size_t length;
    struct source_at at;
    begin(&reading, "  differs kernel \"two words\" end");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lexer_word(&reading.lexer, &word, &length, &at), 0);
    }
    assert_int_equal(length, 11);
    assert_int_equal(at.column, 18);
    arena_free(&reading.arena);
    begin(&reading, "differs \"open");
    assert_int_equal(lexer_word(&reading.lexer, &word, &length, &at), 0);
    assert_int_equal(lexer_word(&reading.lexer, &word, &length, &at), -1);
    diagnostics_free(&reading.wrong);
    arena_free(&reading.arena);
}

static void assert_time(const char *text, uint64_t wanted, const char *printed)
{
    uint64_t ns = 1;
    char again[32];
    assert_int_equal(sim_read_time(text, strlen(text), &ns), 0);
    assert_int_equal(ns, wanted);
    scenario_time_print(ns, again);
    assert_string_equal(again, printed);
}

static void a_time__is_exact__and_prints_in_its_shortest_form(void **state)
{
    uint64_t ns;
    assert_time("40ms", 40000000, "40ms");
    assert_time("1500ms", 1500000000, "1.5s");
    assert_time("0.1s", 100000000, "100ms");
    assert_time("2min", 120000000000, "120s");
    assert_time("1.000001ms", 1000001, "1.000001ms");
    assert_time("7ns", 7, "7ns");
    assert_time("0ms", 0, "0");
    assert_int_not_equal(sim_read_time("0.5ns", 5, &ns), 0);
    assert_int_not_equal(sim_read_time("5", 1, &ns), 0);
    assert_int_not_equal(sim_read_time("ms", 2, &ns), 0);
    assert_int_not_equal(sim_read_time("99999999999999h", 15, &ns), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call__is_cut__into_marks_names_and_places),
        cmocka_unit_test(an_escape__is_read__as_python_reads_it),
        cmocka_unit_test(a_number__is_read__by_its_form),
        cmocka_unit_test(a_wrong_token__is_refused__with_its_place),
        cmocka_unit_test(a_number_sign__begins_a_comment__only_behind_a_blank),
        cmocka_unit_test(quoted_text__is_part__of_one_word),
        cmocka_unit_test(a_time__is_exact__and_prints_in_its_shortest_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
