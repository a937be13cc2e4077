/* A scenario from the text of a test, and the sentence that refuses it.
 * SPDX-License-Identifier: MIT */
#ifndef TEST_SCENARIO_TEXT_H
#define TEST_SCENARIO_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/language/scenario.h"

static inline struct scenario *reads(const char *text)
{
    struct scenario *scenario;
    struct diagnostic wrong;
    if (scenario_parse("test.dry", text, strlen(text), &scenario, &wrong) != 0) {
        fail_msg("%u:%u: %s\n%s", wrong.at.line, wrong.at.column, wrong.message, text);
    }
    return scenario;
}

/* The text is refused at this place, with a sentence that holds `part`. */
static inline void refuses(const char *text, uint32_t line, uint32_t column, const char *part)
{
    struct scenario *scenario;
    struct diagnostic wrong;
    assert_int_equal(scenario_parse("test.dry", text, strlen(text), &scenario, &wrong), -1);
    assert_null(scenario);
    if (wrong.at.line != line || wrong.at.column != column || strstr(wrong.message, part) == NULL) {
        fail_msg("%u:%u: %s\n  instead of %u:%u: …%s…\n%s", wrong.at.line, wrong.at.column,
                 wrong.message, line, column, part, text);
    }
}

#endif
