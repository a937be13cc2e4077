/* Two hosts, alpha and beta, on a slow link, and a process on alpha: what tests of sim.h begin with.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SMALL_WORLD_H
#define TESTS_SMALL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <drysock/sim.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct sim *sim;
static int alpha, beta, link_number, process;
static char order[64];

static const uint64_t MS = 1000000;

/* Sanitizers have larger frames, keep freed memory and handle faults and signals in their own way. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

#define SYSTEM(call, ...) caller.system->call(caller, __VA_ARGS__)
/* In a task: ends it when something is not as expected; sim_run then says so. */
#define EXPECT(what)                                                        \
    do {                                                                    \
        if (!(what)) {                                                      \
            sim_task_fail("%s:%d: expected %s", __FILE__, __LINE__, #what); \
        }                                                                   \
    } while (0)

static inline void build(void)
{
    const struct sim_link_options slow = {.delay_ns = 20 * MS};
    alpha = sim_add_host(sim, "alpha", "10.0.0.1 fd00::1");
    beta = sim_add_host(sim, "beta", "10.0.0.2/16");
    link_number = sim_add_link(sim, alpha, beta, &slow);
    process = sim_add_process(sim, alpha, "p");
    assert_true(alpha > 0 && beta > 0 && link_number > 0 && process > 0);
    memset(order, 0, sizeof order);
}

static inline void make(uint64_t seed)
{
    const struct sim_options options = {.seed = seed, .check = 1, .watchdog_ns = 30 * MS};
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
}

static inline int begin(void **state)
{
    make(7);
    return 0;
}

static inline int end(void **state)
{
    sim_destroy(sim);
    sim = NULL;
    return 0;
}

static inline int spawn(const char *name, void (*entry)(void *), void *argument)
{
    const int task = sim_spawn(sim, process, name, entry, argument);
    assert_true(task > 0);
    return task;
}

#define assert_outcome(expected)                         \
    do {                                                 \
        const enum sim_outcome outcome = sim_run(sim);   \
        if (outcome != (expected) && sim_failure(sim)) { \
            print_error("%s\n", sim_failure(sim));       \
        }                                                \
        assert_int_equal(outcome, expected);             \
    } while (0)

static inline void sleep_ms(long ms)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {ms / 1000, ms % 1000 * 1000000};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
}

static inline void note(void *argument)
{
    strcat(order, argument);
}

static inline void sleep_and_note(void *argument)
{
    sleep_ms(10);
    note(argument);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
