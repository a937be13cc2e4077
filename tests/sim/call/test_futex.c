/* Tests of the futex: who waits, who is woken and moved, robust lists; beside the kernel's own answers.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <linux/futex.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t word, other;

static int64_t futex(struct sim_task_id task, uint32_t *at, int operation, uint32_t value,
                     const struct timespec *timeout, uint32_t *at2, uint32_t value2, uint32_t value3)
{
    return sim_call_futex(world, task, at, operation, value, timeout, at2, value2, value3, NULL, NULL);
}

static int64_t waits(struct sim_task_id task)
{
    return futex(task, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0, 0);
}

static int64_t wakes(uint32_t *at, int most)
{
    return futex(three, at, FUTEX_WAKE_PRIVATE, (uint32_t)most, NULL, NULL, 0, 0);
}

static int begin_words(void **state)
{
    word = other = 0;
    return begin_program(state);
}

/* What a call that does not wait says, in the world and of the kernel. */
static void both(const char *what, uint32_t *at, int operation, uint32_t value,
                 const struct timespec *timeout, uint32_t *at2, uint32_t value2, uint32_t value3)
{
    const uint32_t was = word, was_other = other;
    const int64_t result = futex(one, at, operation, value, timeout, at2, value2, value3);
    const uint32_t is = word, is_other = other;
    word = was;
    other = was_other;
    const long beside = syscall(SYS_futex, at, operation, value,
                                timeout ? timeout : (const void *)(uintptr_t)value2, at2, value3);
    const int64_t expected = beside < 0 ? -errno : beside;
    if (result != expected || is != word || is_other != other) {
        fail_msg("%s: %lld, the kernel says %lld", what, (long long)result, (long long)expected);
    }
}

static void calls_that_do_not_wait__as_the_kernel_says(void **state)
{
    const struct timespec past = {0, 1}, bad = {0, 1000000000}, negative = {-1, 0};
    world->now = MS;
    uint32_t *odd = (uint32_t *)(void *)((char *)&word + 1);
    both("another value", &word, FUTEX_WAIT, 1, NULL, NULL, 0, 0);
    both("another value, a wrong time", &word, FUTEX_WAIT, 1, &bad, NULL, 0, 0);
    both("a negative time", &word, FUTEX_WAIT, 0, &negative, NULL, 0, 0);
    both("no bits", &word, FUTEX_WAIT_BITSET, 0, &past, NULL, 0, 0);
    both("no bits, another value", &word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0, 0);
    both("long past", &word, FUTEX_WAIT_BITSET, 0, &past, NULL, 0, 1);
    both("long past, wall clock", &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0,
         1);
    both("wait with the wall clock", &word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0, 0);
    both("wake with the wall clock", &word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0, 0);
    both("odd address", odd, FUTEX_WAIT, 0, NULL, NULL, 0, 0);
    both("odd address", odd, FUTEX_WAKE, 1, NULL, NULL, 0, 0);
    both("wake nobody", &word, FUTEX_WAKE, 1, NULL, NULL, 0, 0);
    both("wake less than nobody", &word, FUTEX_WAKE, (uint32_t)-1, NULL, NULL, 0, 0);
    both("wake no bits", &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0, 0);
    both("requeue nobody", &word, FUTEX_REQUEUE, 1, NULL, &other, 1, 0);
    both("requeue odd", &word, FUTEX_REQUEUE, 1, NULL, (uint32_t *)(void *)((char *)&other + 2), 1, 0);
    both("requeue negative", &word, FUTEX_REQUEUE, (uint32_t)-1, NULL, &other, 1, 0);
    both("requeue negative moves", &word, FUTEX_REQUEUE, 1, NULL, &other, (uint32_t)-1, 0);
    both("compare", &word, FUTEX_CMP_REQUEUE, 1, NULL, &other, 1, 0);
    both("compare another", &word, FUTEX_CMP_REQUEUE, 1, NULL, &other, 1, 5);
    both("compare another, negative", &word, FUTEX_CMP_REQUEUE, (uint32_t)-1, NULL, &other, 1, 5);
    both("no such operation", &word, 77, 0, NULL, NULL, 0, 0);
}

static void wake_and_change__as_the_kernel_says(void **state)
{
    static const uint32_t values[] = {0, 1, 7, 0x7ff, 0x800, 0xfff};
    for (uint32_t operation = 0; operation < 16; operation++) {
        for (uint32_t compare = 0; compare < 8; compare++) {
            for (uint32_t v = 0; v < sizeof values / sizeof values[0]; v++) {
                char what[64];
                const uint32_t argument = operation >= 8 ? values[v] & 31 : values[v];
                snprintf(what, sizeof what, "operation %u, comparison %u, %u", operation, compare,
                         values[v]);
                word = 0;
                other = 6;
                both(what, &word, FUTEX_WAKE_OP, 1, NULL, &other, 1,
                     operation << 28 | compare << 24 | argument << 12 | values[v]);
            }
        }
    }
}

static void two_wait__one_is_woken__the_first_that_came(void **state)
{
    assert_int_equal(waits(one), SIM_WAIT);
    assert_int_equal(waits(two), SIM_WAIT);
    assert_int_equal(wakes(&other, 1), 0);
    assert_int_equal(wakes(&word, 1), 1);
    assert_runs(one);
    assert_int_equal(waits(one), 0);
    assert_nobody_runs();
    assert_int_equal(wakes(&word, 5), 1);
    assert_runs(two);
    assert_int_equal(waits(two), 0);
    assert_int_equal(world->pools[SIM_POOL_FUTEX].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_WAITER].live_count, 0);
}

static void two_wait__none_asked_for__one_is_woken_all_the_same(void **state)
{
    assert_int_equal(waits(one), SIM_WAIT);
    assert_int_equal(waits(two), SIM_WAIT);
    assert_int_equal(wakes(&word, 0), 1);
}

static void woken_one__not_yet_run__is_not_woken_twice(void **state)
{
    assert_int_equal(waits(one), SIM_WAIT);
    assert_int_equal(wakes(&word, 1), 1);
    assert_int_equal(wakes(&word, 1), 0);
}

static void wait__time_passes__timed_out_at_its_instant(void **state)
{
    const struct timespec time = in_ms(30);
    assert_int_equal(futex(one, &word, FUTEX_WAIT, 0, &time, NULL, 0, 0), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 30 * MS);
    assert_int_equal(futex(one, &word, FUTEX_WAIT, 0, &time, NULL, 0, 0), -ETIMEDOUT);
    assert_int_equal(wakes(&word, 1), 0);
}

static void absolute_waits__each_clock__its_own_instant(void **state)
{
    world->wall_offset_ns = 1000 * MS;
    const struct timespec world_time = in_ms(50), wall_time = in_ms(1040);
    const int wall = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;
    assert_int_equal(futex(one, &word, FUTEX_WAIT_BITSET, 0, &world_time, NULL, 0, 1), SIM_WAIT);
    assert_int_equal(futex(two, &word, wall, 0, &wall_time, NULL, 0, 1), SIM_WAIT);
    assert_runs(two);
    assert_int_equal(world->now, 40 * MS);
    assert_int_equal(futex(two, &word, wall, 0, &wall_time, NULL, 0, 1), -ETIMEDOUT);
    assert_runs(one);
    assert_int_equal(world->now, 50 * MS);
}

static void sets_of_bits__wake_with_some__who_shares_one(void **state)
{
    assert_int_equal(futex(one, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0, 1), SIM_WAIT);
    assert_int_equal(futex(two, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0, 6), SIM_WAIT);
    assert_int_equal(futex(three, &word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 0, 8), 0);
    assert_int_equal(futex(three, &word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 0, 4), 1);
    assert_runs(two);
    assert_nobody_runs();
}

static void three_wait__requeue__one_woken_one_moved_one_left(void **state)
{
    const struct sim_task_id four = task_named("four");
    assert_runs(four);
    assert_int_equal(waits(one), SIM_WAIT);
    assert_int_equal(waits(two), SIM_WAIT);
    assert_int_equal(waits(four), SIM_WAIT);
    assert_int_equal(futex(three, &word, FUTEX_CMP_REQUEUE, 1, NULL, &other, 1, 0), 2);
    assert_runs(one);
    assert_int_equal(wakes(&other, 9), 1);
    assert_runs(two);
    assert_int_equal(waits(two), 0);
    assert_int_equal(wakes(&word, 9), 1);
    assert_runs(four);
}

static void change_holds__wake_both__those_of_both_words(void **state)
{
    const uint32_t set_if_zero = FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 0);
    assert_int_equal(waits(one), SIM_WAIT);
    assert_int_equal(futex(two, &other, FUTEX_WAIT, 0, NULL, NULL, 0, 0), SIM_WAIT);
    assert_int_equal(futex(three, &word, FUTEX_WAKE_OP, 1, NULL, &other, 1, set_if_zero), 2);
    assert_int_equal(other, 5);
    assert_runs(one);
    assert_runs(two);
}

static void other_process__same_address__another_word_unless_shared(void **state)
{
    const struct sim_process_id second = sim_process_add(world, host, "q");
    sim_process_become_program(world, second);
    const struct sim_task_id stranger = sim_task_add(world, second, "stranger", false);
    const uint64_t key[2] = {3, 64};
    assert_runs(stranger);
    assert_int_equal(waits(stranger), SIM_WAIT);
    assert_int_equal(sim_call_futex(world, one, &word, FUTEX_WAIT, 0, NULL, NULL, 0, 0, key, NULL),
                     SIM_WAIT);
    assert_int_equal(wakes(&word, 9), 0);
    assert_int_equal(sim_call_futex(world, two, &other, FUTEX_WAKE, 9, NULL, NULL, 0, 0, key, NULL), 1);
    assert_runs(one);
    sim_process_exit(world, second, 0);
    assert_int_equal(waits(one), 0);
    assert_int_equal(world->pools[SIM_POOL_FUTEX].live_count, 0);
}

static void owner_of_shared_words_dies__who_waits_looks_again(void **state)
{
    const struct sim_process_id second = sim_process_add(world, host, "q");
    sim_process_become_program(world, second);
    const uint64_t key[2] = {3, 64};
    assert_int_equal(sim_call_futex(world, one, &word, FUTEX_WAIT, 0, NULL, NULL, 0, 0, key, NULL),
                     SIM_WAIT);
    assert_int_equal(waits(two), SIM_WAIT);
    sim_process_exit(world, second, 0);
    assert_runs(one);
    assert_nobody_runs();
}

static void thread_ends_with_locks__robust_list__marked_and_one_woken_each(void **state)
{
    struct {
        struct robust_list link;
        uint32_t word;
        uint32_t padding;
    } locks[4] = {{.word = 42 | FUTEX_WAITERS}, {.word = 42}, {.word = 43}, {.word = 42}};
    struct robust_list_head head = {
        .list.next = &locks[0].link,
        .futex_offset = sizeof(struct robust_list),
        .list_op_pending = &locks[3].link,
    };
    locks[0].link.next = &locks[1].link;
    locks[1].link.next = &locks[2].link;
    locks[2].link.next = &head.list;
    assert_int_equal(futex(one, &locks[0].word, FUTEX_WAIT, 42 | FUTEX_WAITERS, NULL, NULL, 0, 0),
                     SIM_WAIT);
    assert_int_equal(futex(two, &locks[0].word, FUTEX_WAIT, 42 | FUTEX_WAITERS, NULL, NULL, 0, 0),
                     SIM_WAIT);
    assert_int_equal(sim_call_robust_exit(world, three, &head, 42), 0);
    assert_int_equal(locks[0].word, FUTEX_WAITERS | FUTEX_OWNER_DIED);
    assert_int_equal(locks[1].word, FUTEX_OWNER_DIED);
    assert_int_equal(locks[2].word, 43);
    assert_int_equal(locks[3].word, FUTEX_OWNER_DIED);
    assert_runs(one);
    assert_nobody_runs();
}

static void robust_list_without_end__walk__ends(void **state)
{
    struct {
        struct robust_list link;
        uint32_t word, padding;
    } a = {.link.next = &a.link, .word = 42};
    struct robust_list_head head = {.list.next = &a.link, .futex_offset = sizeof a.link};
    assert_int_equal(sim_call_robust_exit(world, three, &head, 42), 0);
    assert_int_equal(a.word, FUTEX_OWNER_DIED);
}

#define WORDS(name) cmocka_unit_test_setup_teardown(name, begin_words, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORDS(calls_that_do_not_wait__as_the_kernel_says),
        WORDS(wake_and_change__as_the_kernel_says),
        WORDS(two_wait__one_is_woken__the_first_that_came),
        WORDS(two_wait__none_asked_for__one_is_woken_all_the_same),
        WORDS(woken_one__not_yet_run__is_not_woken_twice),
        WORDS(wait__time_passes__timed_out_at_its_instant),
        WORDS(absolute_waits__each_clock__its_own_instant),
        WORDS(sets_of_bits__wake_with_some__who_shares_one),
        WORDS(three_wait__requeue__one_woken_one_moved_one_left),
        WORDS(change_holds__wake_both__those_of_both_words),
        WORDS(other_process__same_address__another_word_unless_shared),
        WORDS(owner_of_shared_words_dies__who_waits_looks_again),
        WORDS(thread_ends_with_locks__robust_list__marked_and_one_woken_each),
        WORDS(robust_list_without_end__walk__ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
