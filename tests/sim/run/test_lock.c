/* Mutexes, conditions and epoll of the world's tasks: they wait in its time.
 * SPDX-License-Identifier: MIT */
#include "small_world.h"

#include <drysock/socket.h>

static struct dry_mutex *mutex;
static struct dry_condition *condition;
static bool called;
static uint64_t ended[3];

/* Holds the mutex for 50 ms of the world. */
static void hold(void *argument)
{
    mutex = dry_mutex_new();
    condition = dry_condition_new();
    EXPECT(mutex != NULL && condition != NULL && dry_mutex_lock(mutex) == 0);
    dry_sleep_until(dry_now() + 50 * MS);
    EXPECT(dry_mutex_trylock(mutex) == -1 && dry_last_error()->code == EBUSY);
    EXPECT(dry_mutex_unlock(mutex) == 0);
}

static void give_back(void *argument)
{
    dry_condition_free(condition);
    dry_mutex_free(mutex);
}

static void gives_back(void)
{
    sim_spawn(sim, process, "end", give_back, NULL);
    assert_int_equal(sim_run(sim), SIM_IDLE);
}

static void lock_and_tell(void *argument)
{
    uint64_t *at = argument;
    dry_sleep_until(dry_now() + MS); /* behind the one who holds it */
    EXPECT(dry_mutex_lock(mutex) == 0);
    *at = dry_now();
    dry_sleep_until(dry_now() + 10 * MS);
    EXPECT(dry_mutex_unlock(mutex) == 0);
}

static void mutex__held_for_a_while__the_others_wait_as_long(void **state)
{
    sim_spawn(sim, process, "holder", hold, NULL);
    sim_spawn(sim, process, "first", lock_and_tell, &ended[0]);
    sim_spawn(sim, process, "second", lock_and_tell, &ended[1]);
    assert_int_equal(sim_run(sim), SIM_IDLE);
    const uint64_t early = ended[0] < ended[1] ? ended[0] : ended[1];
    const uint64_t late = ended[0] < ended[1] ? ended[1] : ended[0];
    assert_int_equal(late - early, 10 * MS);
    assert_int_equal(sim_now(sim), 70 * MS);
    gives_back();
}

static void wait_for_the_call(void *argument)
{
    uint64_t *at = argument;
    dry_sleep_until(dry_now() + 60 * MS); /* when the holder is done */
    EXPECT(dry_mutex_lock(mutex) == 0);
    while (!called) {
        EXPECT(dry_condition_wait(condition, mutex, -1) == 0);
    }
    *at = sim_now(sim);
    EXPECT(dry_mutex_unlock(mutex) == 0);
}

static void call_later(void *argument)
{
    dry_sleep_until(dry_now() + 3600 * 1000 * MS);
    EXPECT(dry_mutex_lock(mutex) == 0);
    called = true;
    EXPECT(dry_condition_broadcast(condition) == 0);
    EXPECT(dry_mutex_unlock(mutex) == 0);
}

static void give_up(void *argument)
{
    dry_sleep_until(dry_now() + 60 * MS);
    EXPECT(dry_mutex_lock(mutex) == 0);
    EXPECT(dry_condition_wait(condition, mutex, 7 * DRY_SECOND) == -1);
    EXPECT(dry_last_error()->kind == DRY_ERROR_TIMEOUT);
    ended[2] = sim_now(sim);
    EXPECT(dry_mutex_unlock(mutex) == 0);
}

static void condition__called_after_an_hour__all_go_on_then(void **state)
{
    called = false;
    sim_spawn(sim, process, "holder", hold, NULL);
    sim_spawn(sim, process, "first", wait_for_the_call, &ended[0]);
    sim_spawn(sim, process, "second", wait_for_the_call, &ended[1]);
    sim_spawn(sim, process, "third", give_up, NULL);
    sim_spawn(sim, process, "caller", call_later, NULL);
    assert_int_equal(sim_run(sim), SIM_IDLE);
    assert_int_equal(ended[0], 3600 * 1000 * MS);
    assert_int_equal(ended[1], 3600 * 1000 * MS);
    assert_int_equal(ended[2], 7060 * MS);
    gives_back();
}

static void send_later(void *argument)
{
    struct dry_socket **pair = argument;
    dry_sleep_until(dry_now() + 5000 * MS);
    EXPECT(dry_send(pair[1], "x", 1, 0) == 1);
}

static void look(void *argument)
{
    static struct dry_socket *pair[2];
    struct epoll_event event;
    int epoll = dry_epoll();
    EXPECT(epoll >= 0 && dry_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    EXPECT(dry_epoll_control(epoll, EPOLL_CTL_ADD, dry_fileno(pair[0]), EPOLLIN, 77) == 0);
    dry_spawn(send_later, pair);
    EXPECT(dry_epoll_wait(epoll, &event, 1, 2 * DRY_SECOND) == 0);
    ended[0] = sim_now(sim);
    EXPECT(dry_epoll_wait(epoll, &event, 1, -1) == 1 && event.data.u64 == 77);
    ended[1] = sim_now(sim);
    EXPECT(dry_epoll_close(epoll) == 0);
}

static void epoll__waits_in_the_worlds_time(void **state)
{
    sim_spawn(sim, process, "looker", look, NULL);
    assert_int_equal(sim_run(sim), SIM_IDLE);
    assert_int_equal(ended[0], 2000 * MS);
    assert_int_equal(ended[1], 5000 * MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mutex__held_for_a_while__the_others_wait_as_long),
        TEST(condition__called_after_an_hour__all_go_on_then),
        TEST(epoll__waits_in_the_worlds_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
