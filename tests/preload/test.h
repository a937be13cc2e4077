/* What the tests of programs share: they are programs themselves, run by `drysock exec` and without it.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_PRELOAD_TEST_H
#define TESTS_PRELOAD_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The call's error, by name. */
#define assert_errno(call, number)             \
    do {                                       \
        errno = 0;                             \
        assert_int_equal((int64_t)(call), -1); \
        assert_int_equal(errno, number);       \
    } while (0)

/* An address that no program has. */
static inline void *wild(void)
{
    return (void *)0x1000;
}

#endif
