/* The table of system calls against this system's own list: none is forgotten, none has a wrong name.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload/calls.h"

#define WORLD_NAME(name) [SYS_##name] = #name,
#define PASSES_NAME(name) [SYS_##name] = #name,
#define FILE_OF_NAME(name, index, error) [SYS_##name] = #name,
#define OPENS_NAME(name, index, flag) [SYS_##name] = #name,
#define REFUSED_NAME(name, error) [SYS_##name] = #name,

static const char *const listed[] = {PRELOAD_SEAM_CALLS(WORLD_NAME) PRELOAD_WORLD_CALLS(
    WORLD_NAME) PRELOAD_PASSED_CALLS(PASSES_NAME, FILE_OF_NAME, OPENS_NAME, PASSES_NAME)
                                         PRELOAD_REFUSED_CALLS(REFUSED_NAME)};

#define ONE(name) +1
#define ONE_OF_2(name, error) +1
#define ONE_OF_3(name, index, error) +1
enum {
    ROWS = 0 PRELOAD_SEAM_CALLS(ONE) PRELOAD_WORLD_CALLS(ONE)
        PRELOAD_PASSED_CALLS(ONE, ONE_OF_3, ONE_OF_3, ONE) PRELOAD_REFUSED_CALLS(ONE_OF_2)
};

static const struct {
    const char *name;
    long number;
} of_this_system[] = {
#include "numbers.inc"
};

static void every_number_of_this_system__looked_up__stands_in_the_table(void **state)
{
    for (size_t i = 0; i < sizeof of_this_system / sizeof *of_this_system; i++) {
        const long number = of_this_system[i].number;
        const bool found = number < (long)(sizeof listed / sizeof *listed) && listed[number];
        if (!found) {
            fail_msg("%s (%ld) stands on no list", of_this_system[i].name, number);
        }
        assert_string_equal(listed[number], of_this_system[i].name);
    }
}

static void rows__counted__each_number_has_one(void **state)
{
    int numbers = 0;
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        numbers += listed[i] != NULL;
    }
    assert_int_equal(numbers, ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_this_system__looked_up__stands_in_the_table),
        cmocka_unit_test(rows__counted__each_number_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
