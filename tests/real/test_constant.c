/* The constants' table: sorted, found by name, and the same as the interpreter's own.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <string.h>

#include <drysock/socket.h>

static void table__is_walked__is_sorted_and_finds_itself(void **state)
{
    size_t count;
    const struct dry_constant *table = dry_constants(&count);
    assert_true(count > 353);
    for (size_t i = 0; i < count; i++) {
        int64_t value;
        if (i) {
            assert_true(strcmp(table[i - 1].name, table[i].name) < 0);
        }
        assert_int_equal(dry_constant_find(table[i].name, &value), 0);
        assert_int_equal(value, table[i].value);
    }
}

static void unknown_name__is_looked_up__is_refused(void **state)
{
    int64_t value;
    assert_int_equal(dry_constant_find("AF_NOTHING", &value), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
    assert_int_equal(dry_constant_find("", &value), -1);
    assert_int_equal(dry_constant_find("zzz", &value), -1);
    assert_null(dry_constant_text("AF_INET"));
    assert_string_equal(dry_constant_text("BDADDR_LOCAL"), "00:00:00:FF:FF:FF");
}

/* Everything that dir(socket) shows as an int, asked of the interpreter that the table follows. */
static void interpreter__is_asked__has_the_same_constants(void **state)
{
    static const char question[] = "/usr/bin/python3.11 -c '"
                                   "import socket\n"
                                   "for n in dir(socket):\n"
                                   "    v = getattr(socket, n)\n"
                                   "    if isinstance(v, int): print(n, int(v))' 2>/dev/null";
    FILE *answer = popen(question, "r");
    assert_non_null(answer);
    char name[64];
    int64_t wanted;
    int rows = 0;
    int wrong = 0;
    while (fscanf(answer, "%63s %" SCNd64, name, &wanted) == 2) {
        int64_t value = 0;
        bool found = dry_constant_find(name, &value) == 0;
        if (!found || value != wanted) {
            print_error("%s: Python has %" PRId64 ", drysock %s%" PRId64 "\n", name, wanted,
                        found ? "" : "nothing, not ", value);
            wrong++;
        }
        rows++;
    }
    if (pclose(answer) != 0) {
        print_error("SKIPPED: there is no /usr/bin/python3.11 to compare the constants with\n");
        skip();
    }
    assert_true(rows > 300);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__is_walked__is_sorted_and_finds_itself),
        cmocka_unit_test(unknown_name__is_looked_up__is_refused),
        cmocka_unit_test(interpreter__is_asked__has_the_same_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
