/* A program's threads: the C library's own, on words of memory that the world waits on.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static int counter;

static void rest(long ns)
{
    const struct timespec time = {0, ns};
    nanosleep(&time, NULL);
}

static void run_all(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    }
    for (intptr_t i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, (void *)(i + 1));
    }
}

static void *count_up(void *number)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        const int before = counter;
        if (i % 50 == 0) {
            rest(1000);
        }
        counter = before + 1;
        pthread_mutex_unlock(&mutex);
    }
    return (char *)number + 1;
}

static void counter_under_a_mutex__counted_by_all__loses_nothing(void **state)
{
    counter = 0;
    run_all(count_up);
    assert_int_equal(counter, THREADS * ROUNDS);
}

static void *meet(void *number)
{
    for (int round = 0; round < 3; round++) {
        rest(1000 * (long)((intptr_t)number + 1));
        __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&barrier);
        if (counter != (round + 1) * THREADS) {
            return NULL;
        }
        pthread_barrier_wait(&barrier);
    }
    return (char *)number + 1;
}

static void barrier__met_three_times__all_are_there_each_time(void **state)
{
    counter = 0;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    run_all(meet);
    pthread_barrier_destroy(&barrier);
}

static void *take_and_signal(void *number)
{
    sem_wait(&semaphore);
    pthread_rwlock_wrlock(&lock);
    counter++;
    pthread_rwlock_unlock(&lock);
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    sem_post(&semaphore);
    return (char *)number + 1;
}

static void *wait_for_all(void *unused)
{
    pthread_mutex_lock(&mutex);
    for (;;) {
        pthread_rwlock_rdlock(&lock);
        const int now = counter;
        pthread_rwlock_unlock(&lock);
        if (now == THREADS) {
            break;
        }
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void semaphore_lock_and_condition__used_together__the_waiter_sees_all(void **state)
{
    pthread_t waiter;
    counter = 0;
    assert_int_equal(sem_init(&semaphore, 0, 2), 0);
    assert_int_equal(pthread_create(&waiter, NULL, wait_for_all, NULL), 0);
    run_all(take_and_signal);
    assert_int_equal(pthread_join(waiter, NULL), 0);
}

static void condition__nobody_signals__times_out_by_either_clock(void **state)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; i++) {
        struct timespec until, now;
        clock_gettime(clocks[i], &until);
        until.tv_nsec += 20000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&mutex);
        assert_int_equal(pthread_cond_clockwait(&condition, &mutex, clocks[i], &until), ETIMEDOUT);
        pthread_mutex_unlock(&mutex);
        clock_gettime(clocks[i], &now);
        assert_true(now.tv_sec > until.tv_sec ||
                    (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
    }
}

static void *die_locked(void *robust)
{
    pthread_mutex_lock(robust);
    return NULL;
}

static void robust_mutex__its_owner_ends__the_next_is_told(void **state)
{
    pthread_mutex_t robust;
    pthread_mutexattr_t attributes;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    assert_int_equal(pthread_create(&thread, NULL, die_locked, &robust), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_mutex_lock(&robust), EOWNERDEAD);
    assert_int_equal(pthread_mutex_consistent(&robust), 0);
    assert_int_equal(pthread_mutex_unlock(&robust), 0);
}

static int pair[2];

static void *answer(void *unused)
{
    char byte;
    while (read(pair[1], &byte, 1) == 1) {
        byte++;
        if (write(pair[1], &byte, 1) != 1) {
            break;
        }
    }
    return NULL;
}

static void thread__answers_over_a_socket_pair__until_the_end_of_file(void **state)
{
    pthread_t thread;
    char byte = 'a';
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer, NULL), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write(pair[0], &byte, 1), 1);
        assert_int_equal(read(pair[0], &byte, 1), 1);
    }
    assert_int_equal(byte, 'f');
    close(pair[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(pair[1]);
}

static void *detached(void *unused)
{
    sem_post(&semaphore);
    return NULL;
}

static void many_threads__one_after_another__are_all_made(void **state)
{
    pthread_attr_t attributes;
    assert_int_equal(sem_init(&semaphore, 0, 0), 0);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 65536);
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, &attributes, detached, NULL), 0);
        if (i % 3 == 0) {
            rest(1000);
        }
        while (sem_wait(&semaphore) != 0) {
            continue;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_under_a_mutex__counted_by_all__loses_nothing),
        cmocka_unit_test(barrier__met_three_times__all_are_there_each_time),
        cmocka_unit_test(semaphore_lock_and_condition__used_together__the_waiter_sees_all),
        cmocka_unit_test(condition__nobody_signals__times_out_by_either_clock),
        cmocka_unit_test(robust_mutex__its_owner_ends__the_next_is_told),
        cmocka_unit_test(thread__answers_over_a_socket_pair__until_the_end_of_file),
        cmocka_unit_test(many_threads__one_after_another__are_all_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
