/* Streams over bad links, many seeds: every byte arrives, in order, and the world stays sound.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <drysock/sim.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 4, SEEDS = 60, FIRST_PORT = 1000, BUFFER = 100000 };

static const uint64_t MS = 1000000;

struct pair {
    uint32_t seed; /* what it does next, apart from the world's chances */
    uint16_t port;
    uint32_t bytes, piece;
};

#define SYSTEM(call, ...) caller.system->call(caller, __VA_ARGS__)
#define EXPECT(what)                                                \
    do {                                                            \
        if (!(what)) {                                              \
            sim_task_fail("line %d: expected %s", __LINE__, #what); \
        }                                                           \
    } while (0)

/* Numbers of the test's own, so that what it does never depends on the library's generator. */
static uint32_t draw(uint32_t *seed, uint32_t bound)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % bound;
}

static uint8_t byte_at(uint32_t position)
{
    return (uint8_t)(position * 7 + position / 251);
}

static struct sockaddr_in address(const char *ip, uint16_t port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &result.sin_addr);
    return result;
}

static void pause_sometimes(struct dry_caller caller, uint32_t *seed)
{
    if (draw(seed, 10) == 0) {
        const struct timespec length = {0, (long)draw(seed, 100) * (long)MS};
        EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
    }
}

static void serve(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    struct pair *pair = argument;
    const struct sockaddr_in here = address("0.0.0.0", pair->port);
    uint32_t seed = pair->seed + 77, got = 0;
    uint8_t *bytes = malloc(BUFFER);
    ssize_t count;
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&here, sizeof here) == 0);
    EXPECT(SYSTEM(listen, listener, 5) == 0);
    const int fd = SYSTEM(accept, listener, NULL, NULL, 0);
    EXPECT(fd > 0);
    while ((count = SYSTEM(recvfrom, fd, bytes, 1 + draw(&seed, BUFFER - 1), 0, NULL, NULL)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            EXPECT(bytes[i] == byte_at(got + (uint32_t)i));
        }
        got += (uint32_t)count;
        pause_sometimes(caller, &seed);
    }
    EXPECT(count == 0 && got == pair->bytes);
    EXPECT(SYSTEM(sendto, fd, "done", 4, 0, NULL, 0) == 4);
    EXPECT(SYSTEM(close, fd) == 0 && SYSTEM(close, listener) == 0);
    free(bytes);
}

static void ask(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    struct pair *pair = argument;
    const struct sockaddr_in there = address("10.0.0.1", pair->port);
    uint32_t seed = pair->seed, sent = 0;
    uint8_t *bytes = malloc(pair->bytes);
    char answer[8];
    for (uint32_t i = 0; i < pair->bytes; i++) {
        bytes[i] = byte_at(i);
    }
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    while (sent < pair->bytes) {
        const uint32_t left = pair->bytes - sent, piece = 1 + draw(&seed, pair->piece);
        const uint32_t length = piece < left ? piece : left;
        EXPECT(SYSTEM(sendto, fd, bytes + sent, length, 0, NULL, 0) == (ssize_t)length);
        sent += length;
        pause_sometimes(caller, &seed);
    }
    EXPECT(SYSTEM(shutdown, fd, SHUT_WR) == 0);
    EXPECT(SYSTEM(recvfrom, fd, answer, 4, MSG_WAITALL, NULL, NULL) == 4);
    EXPECT(SYSTEM(recvfrom, fd, answer, 4, MSG_WAITALL, NULL, NULL) == 0);
    EXPECT(SYSTEM(close, fd) == 0);
    free(bytes);
}

static struct sim_link_options bad_link(uint32_t *seed)
{
    struct sim_link_options link = {.delay_ns = draw(seed, 30) * MS};
    link.jitter_ns = draw(seed, 2) ? draw(seed, 10) * MS : 0;
    link.loss_ppm = draw(seed, 2) ? draw(seed, 100000) : 0;
    link.duplicate_ppm = draw(seed, 2) ? draw(seed, 50000) : 0;
    link.reorder_ppm = draw(seed, 2) ? draw(seed, 200000) : 0;
    link.corrupt_ppm = draw(seed, 2) ? draw(seed, 50000) : 0;
    link.rate_bits = draw(seed, 2) ? 100000 + draw(seed, 100000000) : 0;
    return link;
}

static void converse(uint32_t number)
{
    const struct sim_options options = {.seed = number, .check = number % 8 == 0};
    uint32_t seed = number * 7919 + 1;
    struct pair pairs[PAIRS];
    struct sim *sim = sim_create(&options);
    assert_non_null(sim);
    const int near = sim_add_host(sim, "near", "10.0.0.1");
    const int far = sim_add_host(sim, "far", "10.0.0.2");
    const struct sim_link_options link = bad_link(&seed);
    assert_true(sim_add_link(sim, near, far, &link) > 0);
    for (int i = 0; i < PAIRS; i++) {
        pairs[i].seed = seed + 1 + (uint32_t)i;
        pairs[i].port = (uint16_t)(FIRST_PORT + i);
        pairs[i].bytes = 1 + draw(&seed, draw(&seed, 2) ? 5000 : 400000);
        pairs[i].piece = 1 + draw(&seed, 50000);
        sim_spawn(sim, sim_add_process(sim, near, "server"), "server", serve, &pairs[i]);
        sim_spawn(sim, sim_add_process(sim, draw(&seed, 4) ? far : near, "client"), "client", ask,
                  &pairs[i]);
    }
    if (sim_run(sim) != SIM_IDLE) {
        char waits[2000];
        sim_describe_waits(sim, waits, sizeof waits);
        fail_msg("seed %u: %s\n%s", number, sim_failure(sim) ? sim_failure(sim) : "stuck", waits);
    }
    sim_run_until(sim, sim_now(sim) + 400000 * MS); /* TIME_WAIT and all else comes to its end */
    assert_int_equal(sim_next_at(sim), UINT64_MAX);
    sim_check(sim);
    sim_destroy(sim);
}

static void bad_links__many_seeds__every_byte_arrives_in_order(void **state)
{
    for (uint32_t number = 1; number <= SEEDS; number++) {
        converse(number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_links__many_seeds__every_byte_arrives_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
