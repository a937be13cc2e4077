/* What a test needs of its machine: where it is missing, the test is skipped, and says so.
 * SPDX-License-Identifier: MIT
 *
 * A test that ran nothing is no test that passed: it ends with 77, which meson counts as skipped, and
 * with 1 where $CI is set, unless $DRYSOCK_LACKS names the need. */
#ifndef TESTS_NEED_H
#define TESTS_NEED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_SKIPPED = 77 };

/* What main returns. */
static inline int test_lacks(const char *need)
{
    const char *named = getenv("DRYSOCK_LACKS");
    fprintf(stderr, "SKIPPED: this machine has no %s\n", need);
    return getenv("CI") != NULL && (named == NULL || strstr(named, need) == NULL) ? 1 : TEST_SKIPPED;
}

#endif
