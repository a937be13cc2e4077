/* Fuzzes the scenario parser: a file is refused at a place it has, or its print reads back.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz.h"
#include "harness/language/print.h"
#include "harness/language/scenario.h"

static uint32_t count_lines(const uint8_t *data, size_t size)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    return lines;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct scenario *scenario = NULL;
    struct diagnostic wrong = {0};
    if (scenario_parse("fuzz.dry", (const char *)data, size, &scenario, &wrong) < 0) {
        if (!wrong.message[0]) {
            fuzz_wrong("refused without a sentence");
        }
        if (wrong.at.line < 1 || wrong.at.line > count_lines(data, size) || wrong.at.column < 1 ||
            wrong.at.column > size + 1) {
            fuzz_wrong("refused at %u:%u, which the file has not", wrong.at.line, wrong.at.column);
        }
        return;
    }
    struct text first = {0};
    struct text second = {0};
    struct scenario *again = NULL;
    print_scenario(&first, scenario, NULL, NULL);
    if (scenario_parse("print.dry", first.bytes, first.length, &again, &wrong) < 0) {
        fuzz_wrong("its print is refused at %u:%u: %s\n%s", wrong.at.line, wrong.at.column,
                   wrong.message, first.bytes);
    }
    print_scenario(&second, again, NULL, NULL);
    if (first.length != second.length || memcmp(first.bytes, second.bytes, first.length) != 0) {
        fuzz_wrong("its print prints otherwise:\n%s\n---\n%s", first.bytes, second.bytes);
    }
    text_free(&first);
    text_free(&second);
    scenario_free(again);
    scenario_free(scenario);
}
