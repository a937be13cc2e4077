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
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 4, SEEDS = 150, FIRST_PORT = 1000, BUFFER = 100000 };

static const uint64_t MS = 1000000;
static uint32_t first; /* the first argument: other seeds, for runs at length */

struct pair {
    uint32_t seed; /* what it does next, apart from the world's chances */
    uint16_t port;
    uint32_t bytes, piece;
    int receive_buffer, send_buffer, nodelay; /* 0: as they are */
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

static void set(struct dry_caller caller, int fd, int level, int option, int value)
{
    if (value) {
        EXPECT(SYSTEM(setsockopt, fd, level, option, &value, sizeof value) == 0);
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
    set(caller, listener, SOL_SOCKET, SO_RCVBUF, pair->receive_buffer);
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
    for (ssize_t at = 0; at < 4; at += count) {
        EXPECT((count = SYSTEM(sendto, fd, "done" + at, 4 - (size_t)at, 0, NULL, 0)) > 0);
    }
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
    set(caller, fd, SOL_SOCKET, SO_SNDBUF, pair->send_buffer);
    set(caller, fd, IPPROTO_TCP, TCP_NODELAY, pair->nodelay);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    while (sent < pair->bytes) {
        const uint32_t left = pair->bytes - sent, piece = 1 + draw(&seed, pair->piece);
        const uint32_t length = piece < left ? piece : left;
        const ssize_t count = SYSTEM(sendto, fd, bytes + sent, length, 0, NULL, 0);
        EXPECT(count > 0 && count <= (ssize_t)length);
        sent += (uint32_t)count;
        pause_sometimes(caller, &seed);
    }
    EXPECT(SYSTEM(shutdown, fd, SHUT_WR) == 0);
    for (uint32_t got = 0; got < 4; got++) {
        EXPECT(SYSTEM(recvfrom, fd, answer + got, 1, 0, NULL, NULL) == 1);
    }
    EXPECT(memcmp(answer, "done", 4) == 0);
    EXPECT(SYSTEM(recvfrom, fd, answer, 4, 0, NULL, NULL) == 0);
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
    static const uint32_t mtus[] = {0, 0, 88, 128, 296, 576, 1280, 9000};
    link.mtu = mtus[draw(seed, 8)];
    return link;
}

/* What a small buffer, a tiny MTU or a link that comes and goes make of a stream is what is looked for
 * here: the draws favour them. */
static void make_harder(struct sim *sim, uint32_t *seed, int link, int near, int far)
{
    static const char *const settings[] = {"net.ipv4.tcp_sack", "net.ipv4.tcp_timestamps",
                                           "net.ipv4.tcp_window_scaling"};
    static const char *const rules[] = {"* send chance=20% bytes=3", "* recv chance=20% bytes=1",
                                        "* recv chance=2% delay=300ms", "* send chance=2% delay=300ms"};
    for (uint32_t i = 0; i < 3; i++) {
        if (draw(seed, 3) == 0) {
            assert_int_equal(sim_set(sim, draw(seed, 2) ? near : far, settings[i], 0), 0);
        }
    }
    for (uint32_t i = 0; i < 4; i++) {
        char message[200];
        if (draw(seed, 4) == 0) {
            assert_true(sim_fault_plan_add(sim_faults(sim), rules[i], message, sizeof message, NULL) >
                        0);
        }
    }
    uint64_t at = 0;
    for (uint32_t flaps = draw(seed, 2) ? draw(seed, 6) : 0; flaps; flaps--) {
        at += 1 + draw(seed, 2000) * MS;
        assert_int_equal(sim_change_link(sim, link, at, false), 0);
        at += 1 + draw(seed, 1500) * MS;
        assert_int_equal(sim_change_link(sim, link, at, true), 0);
    }
}

static void draw_pair(struct pair *pair, uint32_t *seed, int i)
{
    static const int buffers[] = {0, 0, 1, 2304, 4608, 10000, 40000};
    *pair = (struct pair){.seed = *seed + 1 + (uint32_t)i, .port = (uint16_t)(FIRST_PORT + i)};
    pair->receive_buffer = buffers[draw(seed, 7)];
    pair->send_buffer = buffers[draw(seed, 7)];
    pair->nodelay = (int)draw(seed, 2);
    const bool tiny = draw(seed, 3) == 0;
    pair->bytes = 1 + draw(seed, draw(seed, 2) ? 5000 : pair->receive_buffer ? 30000 : 200000);
    pair->piece = 1 + draw(seed, tiny ? 30 : 50000);
    if (pair->piece < 30 && pair->bytes > 5000) {
        pair->bytes = 5000;
    }
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
    const int wire = sim_add_link(sim, near, far, &link);
    assert_true(wire > 0);
    make_harder(sim, &seed, wire, near, far);
    for (int i = 0; i < PAIRS; i++) {
        draw_pair(&pairs[i], &seed, i);
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
    for (uint32_t number = first; number < first + SEEDS; number++) {
        converse(number);
    }
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_links__many_seeds__every_byte_arrives_in_order),
    };
    first = count > 1 ? (uint32_t)strtoul(words[1], NULL, 10) : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
