/* A stream's text beside CPython's: each encoding, handler and newline, in pieces of every size.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "real/text.h"

enum { FIELDS = 6, LINE_BYTES = 1024, TEXT_BYTES = 512 };

struct row {
    bool encode, fails;
    const char *encoding, *errors, *newline;
    char input[TEXT_BYTES], expected[TEXT_BYTES];
    size_t input_bytes, expected_bytes;
};

static size_t unhex(const char *hex, char *bytes)
{
    size_t count = 0;
    for (; hex[0] != 0 && hex[1] != 0; hex += 2) {
        unsigned byte;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        bytes[count++] = (char)byte;
    }
    return count;
}

static bool read_row(FILE *table, char line[LINE_BYTES], struct row *row)
{
    char *fields[FIELDS], *at = line;
    if (fgets(line, LINE_BYTES, table) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = 0;
    for (int i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&at, "\t");
        assert_non_null(fields[i]);
    }
    *row = (struct row){.encode = strcmp(fields[0], "encode") == 0,
                        .encoding = fields[1],
                        .errors = fields[2],
                        .fails = strcmp(fields[5], "-") == 0};
    row->newline = strcmp(fields[3], "crlf") == 0 ? "\r\n"
                   : strcmp(fields[3], "cr") == 0 ? "\r"
                   : strcmp(fields[3], "lf") == 0 ? "\n"
                                                  : NULL;
    row->input_bytes = unhex(fields[4], row->input);
    row->expected_bytes = row->fails ? 0 : unhex(fields[5], row->expected);
    return true;
}

/* All of the row's input, handed in by pieces and taken out by pieces. -1: an error. */
static int convert(const struct row *row, size_t piece, size_t room, char *output, size_t *output_bytes)
{
    struct dry_caller caller = dry_current_caller();
    struct text text;
    char rest[TEXT_BYTES];
    size_t rest_bytes = 0, taken = 0;
    int result = 0;
    *output_bytes = 0;
    assert_int_equal(dry_text_begin(caller, &text, row->encoding, row->errors, row->newline,
                                    !row->encode, row->encode),
                     0);
    while (result == 0) {
        size_t more = row->input_bytes - taken < piece ? row->input_bytes - taken : piece;
        memcpy(rest + rest_bytes, row->input + taken, more);
        rest_bytes += more;
        taken += more;
        bool at_end = taken == row->input_bytes;
        struct text_span in = {rest, rest_bytes}, out = {output + *output_bytes, room};
        result = row->encode ? dry_text_encode(caller, &text, &in, &out, at_end)
                             : dry_text_decode(caller, &text, &in, &out, at_end);
        size_t made = room - out.left;
        *output_bytes += made;
        memmove(rest, in.at, in.left);
        bool moved = made > 0 || in.left < rest_bytes || more > 0;
        rest_bytes = in.left;
        if (at_end && rest_bytes == 0 && text.carry_bytes == 0 && made == 0) {
            break;
        }
        assert_true(moved || result != 0);
    }
    dry_text_end(&text);
    return result;
}

static void each_row__in_pieces_of_each_size__as_cpython(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 3, 7, TEXT_BYTES};
    static const size_t rooms[] = {40, 41, TEXT_BYTES};
    FILE *table = fopen("tests/real/python-text.tsv", "re");
    char line[LINE_BYTES], output[2 * TEXT_BYTES];
    struct row row;
    unsigned rows = 0, differences = 0;
    assert_non_null(table);
    for (; read_row(table, line, &row); rows++) {
        for (size_t i = 0; i < 15; i++) {
            size_t bytes;
            int result = convert(&row, pieces[i % 5], rooms[i / 5], output, &bytes);
            bool same = (result < 0) == row.fails &&
                        (row.fails ||
                         (bytes == row.expected_bytes && memcmp(output, row.expected, bytes) == 0));
            if (!same && differences++ < 20) {
                print_message("line %u, %s %s %s, pieces of %zu, room %zu: %d, %zu bytes for %zu\n",
                              rows + 1, row.encode ? "encode" : "decode", row.encoding, row.errors,
                              pieces[i % 5], rooms[i / 5], result, bytes, row.expected_bytes);
            }
        }
    }
    fclose(table);
    assert_int_equal(rows, 2016);
    assert_int_equal(differences, 0);
}

/* No table of Python's has these: signs for what a handler writes are missing in them. */
static void a_stand_in_without_a_sign__written__is_the_characters_error(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *errors;
        bool fails;
    } cases[] = {
        {"ISO646-DE", "backslashreplace", true},   {"ISO646-DE", "replace", false},
        {"ISO646-DE", "xmlcharrefreplace", false}, {"ISO646-GB", "xmlcharrefreplace", true},
        {"ISO646-GB", "backslashreplace", false},  {"ISO646-DE", "ignore", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct row row = {.encode = true,
                          .encoding = cases[i].encoding,
                          .errors = cases[i].errors,
                          .input = "a\xe4\xb8\xad",
                          .input_bytes = 4};
        char output[TEXT_BYTES];
        size_t bytes;
        assert_int_equal(convert(&row, 9, 64, output, &bytes), cases[i].fails ? -1 : 0);
        assert_int_equal(output[0], 'a');
        if (cases[i].fails) {
            assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
            assert_int_equal(dry_last_error()->code, DRY_VALUE_UNICODE);
            assert_non_null(strstr(dry_last_error()->message, "can't encode character U+4E2D"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row__in_pieces_of_each_size__as_cpython),
        cmocka_unit_test(a_stand_in_without_a_sign__written__is_the_characters_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
