/* What the world's tests share: cmocka, and a world to start from.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_TEST_H
#define TESTS_SIM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/core/block.h"

static const uint64_t MILLISECOND = 1000000;
static const uint64_t SECOND = 1000000000;

/* A world with the default capacities, seed 1, as *state; and its end. */
static inline int begin_world(void **state)
{
    *state = sim_block_create(NULL, 1);
    return *state ? 0 : -1;
}

static inline int end_world(void **state)
{
    sim_block_destroy(*state);
    return 0;
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, begin_world, end_world)

#endif
