/* Chance: the same for ever, fair, and each stream for itself.
 * SPDX-License-Identifier: MIT */
#include "../test.h"
#include "sim/core/random.h"

static void seed_one__first_draws__are_what_they_always_were(void **state)
{
    /* A change here changes every run that anybody has written down by its seed. */
    struct sim_random random;
    sim_random_seed(&random, 1);
    static const uint64_t first[] = {
        0xfdba48dbc8c4fa9a,
        0xaf8c7859fa1c5ce6,
        0xe516ce09b632a4b0,
        0x8941ae8586a1bac8,
    };
    for (uint32_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        assert_true(sim_random_draw(&random, SIM_STREAM_ISN) == first[i]);
    }
}

static void draws_from_one_stream__another_drawn__is_not_moved(void **state)
{
    struct sim_random plain;
    struct sim_random busy;
    sim_random_seed(&plain, 5);
    sim_random_seed(&busy, 5);
    for (uint32_t i = 0; i < 100; i++) {
        (void)sim_random_draw(&busy, SIM_STREAM_LOSS);
        assert_true(sim_random_draw(&busy, SIM_STREAM_PORT) ==
                    sim_random_draw(&plain, SIM_STREAM_PORT));
    }
}

static void streams_and_neighbouring_seeds__first_draws__all_differ(void **state)
{
    uint64_t seen[64 * SIM_STREAM_COUNT];
    uint32_t count = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct sim_random random;
        sim_random_seed(&random, seed);
        for (uint32_t stream = 0; stream < SIM_STREAM_COUNT; stream++) {
            const uint64_t draw = sim_random_draw(&random, stream);
            for (uint32_t i = 0; i < count; i++) {
                assert_true(seen[i] != draw);
            }
            seen[count++] = draw;
        }
    }
}

static void bound_of_six__drawn_sixty_thousand_times__is_fair(void **state)
{
    struct sim_random random;
    sim_random_seed(&random, 3);
    uint32_t count[6] = {0};
    for (uint32_t i = 0; i < 60000; i++) {
        count[sim_random_below(&random, SIM_STREAM_DELAY, 6)]++;
    }
    for (uint32_t i = 0; i < 6; i++) {
        assert_in_range(count[i], 9600, 10400); /* over four standard deviations */
    }
}

static void bound_above_half_the_range__drawn__stays_below(void **state)
{
    struct sim_random random;
    sim_random_seed(&random, 3);
    const uint64_t bound = (UINT64_C(1) << 63) + 12345;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(sim_random_below(&random, SIM_STREAM_DELAY, bound) < bound);
    }
}

static void bound_of_three_quarters_of_the_range__drawn__favours_no_third(void **state)
{
    struct sim_random random;
    sim_random_seed(&random, 4);
    const uint64_t third = UINT64_C(1) << 62;
    uint32_t low = 0;
    for (uint32_t i = 0; i < 30000; i++) {
        low += sim_random_below(&random, SIM_STREAM_DELAY, 3 * third) < third;
    }
    assert_in_range(low, 9600, 10400); /* a plain remainder would give half */
}

static void no_chance_and_certainty__asked__draw_nothing(void **state)
{
    struct sim_random random;
    sim_random_seed(&random, 9);
    const struct sim_random before = random;
    assert_false(sim_random_chance(&random, SIM_STREAM_LOSS, 0));
    assert_true(sim_random_chance(&random, SIM_STREAM_LOSS, 1000000));
    assert_memory_equal(&before, &random, sizeof random);
    uint32_t yes = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        yes += sim_random_chance(&random, SIM_STREAM_LOSS, 250000);
    }
    assert_in_range(yes, 24400, 25600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_one__first_draws__are_what_they_always_were),
        cmocka_unit_test(draws_from_one_stream__another_drawn__is_not_moved),
        cmocka_unit_test(streams_and_neighbouring_seeds__first_draws__all_differ),
        cmocka_unit_test(bound_of_six__drawn_sixty_thousand_times__is_fair),
        cmocka_unit_test(bound_above_half_the_range__drawn__stays_below),
        cmocka_unit_test(bound_of_three_quarters_of_the_range__drawn__favours_no_third),
        cmocka_unit_test(no_chance_and_certainty__asked__draw_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
