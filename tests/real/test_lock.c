/* Mutexes, conditions and epoll of the kernel's tasks: who may go on, when, and what ends a wait.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <drysock/socket.h>

enum { TASKS = 8, ROUNDS = 500 };

static struct dry_mutex *mutex;
static struct dry_condition *condition;
static int counter, ready;
static atomic_int woken;

static int begin(void **state)
{
    mutex = dry_mutex_new();
    condition = dry_condition_new();
    counter = ready = 0;
    woken = 0;
    return mutex == NULL || condition == NULL;
}

static int end(void **state)
{
    dry_condition_free(condition);
    dry_mutex_free(mutex);
    return 0;
}

/* Reads and writes apart, so that two at once would lose a count. */
static void count_slowly(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(dry_mutex_lock(mutex), 0);
        volatile int seen = counter;
        counter = seen + 1;
        assert_int_equal(dry_mutex_unlock(mutex), 0);
    }
}

static void mutex__many_tasks__one_at_a_time(void **state)
{
    struct dry_task *tasks[TASKS];
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = dry_spawn(count_slowly, NULL);
    }
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(dry_join(tasks[i]), 0);
    }
    assert_int_equal(counter, TASKS * ROUNDS);
}

static void mutex__held__trylock_is_busy(void **state)
{
    assert_int_equal(dry_mutex_trylock(mutex), 0);
    assert_int_equal(dry_mutex_trylock(mutex), -1);
    assert_int_equal(dry_last_error()->code, EBUSY);
    assert_int_equal(dry_mutex_unlock(mutex), 0);
    assert_int_equal(dry_mutex_trylock(mutex), 0);
    assert_int_equal(dry_mutex_unlock(mutex), 0);
}

static void wait_until_ready(void *argument)
{
    dry_mutex_lock(mutex);
    while (!ready) {
        assert_int_equal(dry_condition_wait(condition, mutex, -1), 0);
    }
    woken++;
    dry_mutex_unlock(mutex);
}

static void wait_for_woken(int wanted)
{
    for (int i = 0; i < 2000 && woken < wanted; i++) {
        usleep(1000);
    }
    assert_int_equal(woken, wanted);
}

static void condition__signal_and_broadcast__one_and_all_go_on(void **state)
{
    struct dry_task *tasks[3];
    for (int i = 0; i < 3; i++) {
        tasks[i] = dry_spawn(wait_until_ready, NULL);
    }
    usleep(50000); /* they wait, or find `ready` later: both are right */
    dry_mutex_lock(mutex);
    ready = 1;
    dry_condition_signal(condition);
    dry_mutex_unlock(mutex);
    for (int i = 0; i < 2000 && woken < 1; i++) {
        usleep(1000);
    }
    assert_true(woken >= 1);
    dry_mutex_lock(mutex);
    dry_condition_broadcast(condition);
    dry_mutex_unlock(mutex);
    wait_for_woken(3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dry_join(tasks[i]), 0);
    }
}

static void condition__nobody_calls__times_out_with_the_mutex_held(void **state)
{
    dry_mutex_lock(mutex);
    uint64_t began = dry_now();
    assert_int_equal(dry_condition_wait(condition, mutex, 20 * DRY_MILLISECOND), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_TIMEOUT);
    assert_true(dry_now() - began >= (uint64_t)(20 * DRY_MILLISECOND));
    assert_int_equal(dry_mutex_trylock(mutex), -1);
    /* One who gave up is not called any more: the next signal is nobody's. */
    dry_condition_signal(condition);
    assert_int_equal(dry_condition_wait(condition, mutex, DRY_MILLISECOND), -1);
    dry_mutex_unlock(mutex);
}

static void epoll__ready_not_ready_and_in_time(void **state)
{
    struct dry_socket *pair[2];
    struct epoll_event events[2];
    int epoll = dry_epoll();
    assert_true(epoll >= 0);
    assert_int_equal(dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(dry_epoll_control(epoll, EPOLL_CTL_ADD, dry_fileno(pair[0]), EPOLLIN, 77), 0);
    assert_int_equal(dry_epoll_control(epoll, EPOLL_CTL_ADD, dry_fileno(pair[0]), EPOLLIN, 77), -1);
    assert_int_equal(dry_last_error()->code, EEXIST);
    assert_int_equal(dry_epoll_wait(epoll, events, 2, 0), 0);
    uint64_t began = dry_now();
    assert_int_equal(dry_epoll_wait(epoll, events, 2, 10 * DRY_MILLISECOND), 0);
    assert_true(dry_now() - began >= (uint64_t)(10 * DRY_MILLISECOND));
    dry_send(pair[1], "x", 1, 0);
    assert_int_equal(dry_epoll_wait(epoll, events, 2, -1), 1);
    assert_int_equal(events[0].events, EPOLLIN);
    assert_int_equal(events[0].data.u64, 77);
    assert_int_equal(dry_epoll_wait(epoll, events, 0, 0), -1);
    assert_int_equal(dry_last_error()->code, EINVAL);
    assert_int_equal(dry_epoll_control(epoll, EPOLL_CTL_DEL, dry_fileno(pair[0]), 0, 0), 0);
    assert_int_equal(dry_epoll_wait(epoll, events, 2, 0), 0);
    assert_int_equal(dry_epoll_close(epoll), 0);
    dry_close(pair[0]);
    dry_close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mutex__many_tasks__one_at_a_time),
        TEST(mutex__held__trylock_is_busy),
        TEST(condition__signal_and_broadcast__one_and_all_go_on),
        TEST(condition__nobody_calls__times_out_with_the_mutex_held),
        TEST(epoll__ready_not_ready_and_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
