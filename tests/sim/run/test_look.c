/* Tests of the public sim.h: traffic between hosts, determinism, schedules, copies, packets.
 * SPDX-License-Identifier: MIT */
#include "small_world.h"

static struct sockaddr_in address(const char *ip, uint16_t port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &result.sin_addr);
    return result;
}

static void serve(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = address("0.0.0.0", 50007);
    char bytes[64];
    ssize_t count;
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&here, sizeof here) == 0);
    EXPECT(SYSTEM(listen, listener, 1) == 0);
    const int connection = SYSTEM(accept, listener, NULL, NULL, 0);
    EXPECT(connection > 0);
    while ((count = SYSTEM(recvfrom, connection, bytes, sizeof bytes, 0, NULL, NULL)) > 0) {
        EXPECT(SYSTEM(sendto, connection, bytes, (size_t)count, 0, NULL, 0) == count);
    }
    EXPECT(count == 0);
    EXPECT(SYSTEM(close, connection) == 0 && SYSTEM(close, listener) == 0);
}

static void ask(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 50007);
    char bytes[64];
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(sim_now(sim) == 40 * MS);
    EXPECT(SYSTEM(sendto, fd, "hello", 5, 0, NULL, 0) == 5);
    EXPECT(SYSTEM(recvfrom, fd, bytes, 5, MSG_WAITALL, NULL, NULL) == 5);
    EXPECT(memcmp(bytes, "hello", 5) == 0);
    EXPECT(sim_now(sim) == 80 * MS);
    EXPECT(SYSTEM(close, fd) == 0);
}

static void converse(void)
{
    spawn("server", serve, NULL);
    assert_true(sim_spawn(sim, sim_add_process(sim, beta, "q"), "client", ask, NULL) > 0);
}

static void two_hosts__tcp_echo__takes_the_links_time(void **state)
{
    uint64_t packets;
    converse();
    assert_outcome(SIM_IDLE);
    assert_int_equal(sim_now(sim), 100 * MS);
    assert_true(sim_packet_hash(sim, &packets) != 0);
    assert_in_range(packets, 7, 9);
}

static void accept_and_read(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = address("0.0.0.0", 50007);
    static char bytes[65536];
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&here, sizeof here) == 0);
    EXPECT(SYSTEM(listen, listener, 1) == 0);
    const int connection = SYSTEM(accept, listener, NULL, NULL, 0);
    sleep_ms(*(const long *)argument);
    while (SYSTEM(recvfrom, connection, bytes, sizeof bytes, 0, NULL, NULL) > 0) {
        continue;
    }
}

static uint64_t lingered_ns;

static void fill_and_close(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 50007);
    const struct linger two_seconds = {1, 2};
    static char bytes[65536];
    int on = 1;
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(SYSTEM(setsockopt, fd, SOL_SOCKET, SO_LINGER, &two_seconds, sizeof two_seconds) == 0);
    EXPECT(SYSTEM(ioctl, fd, FIONBIO, &on) == 0); /* LINUX: it waits all the same */
    while (SYSTEM(sendto, fd, bytes, sizeof bytes, 0, NULL, 0) > 0) {
        continue;
    }
    const uint64_t began = sim_now(sim);
    EXPECT(SYSTEM(close, fd) == 0);
    lingered_ns = sim_now(sim) - began;
}

static void peer_does_not_read__close_with_linger__waits_its_time(void **state)
{
    static const long pause_ms = 100000;
    spawn("reader", accept_and_read, (void *)(uintptr_t)&pause_ms);
    spawn("writer", fill_and_close, NULL);
    assert_outcome(SIM_IDLE);
    assert_int_equal(lingered_ns, 2000 * MS);
}

static void peer_reads__close_with_linger__waits_for_the_last_acknowledgment(void **state)
{
    static const long pause_ms = 300;
    spawn("reader", accept_and_read, (void *)(uintptr_t)&pause_ms);
    spawn("writer", fill_and_close, NULL);
    assert_outcome(SIM_IDLE);
    assert_in_range(lingered_ns, 300 * MS, 1000 * MS);
}

static uint64_t run_seeded(uint64_t seed, uint64_t schedule)
{
    make(seed);
    if (schedule) {
        sim_schedule_seed(sim, schedule);
    }
    converse();
    sim_run_until(sim, 500 * MS);
    uint64_t count;
    const uint64_t hash = sim_fingerprint(sim) ^ sim_packet_hash(sim, &count) ^ count;
    end(NULL);
    return hash;
}

static void same_seed__same_fingerprint_and_another_for_another(void **state)
{
    end(NULL);
    const uint64_t first = run_seeded(1, 0);
    assert_int_equal(run_seeded(1, 0), first);
    assert_int_not_equal(run_seeded(2, 0), first);
    make(1);
}

static void used_world__reset__is_as_new(void **state)
{
    end(NULL);
    const uint64_t fresh = run_seeded(1, 0);
    make(9);
    converse();
    sim_fault_plan_add(sim_faults(sim), "client recv errno=EIO", NULL, 0, NULL);
    sim_run_until(sim, 50 * MS);
    assert_int_equal(sim_reset(sim, 1), 0);
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_fault_rules(sim_faults(sim)), 0);
    build();
    converse();
    sim_run_until(sim, 500 * MS);
    uint64_t count;
    const uint64_t hash = sim_packet_hash(sim, &count);
    assert_int_equal(sim_fingerprint(sim) ^ hash ^ count, fresh);
}

static void schedule_seeds__ready_tasks_run_in_other_orders(void **state)
{
    bool seen_ab = false, seen_ba = false;
    end(NULL);
    for (uint64_t seed = 1; seed <= 16; seed++) {
        make(1);
        sim_schedule_seed(sim, seed);
        spawn("a", note, "a");
        spawn("b", note, "b");
        assert_outcome(SIM_IDLE);
        seen_ab |= strcmp(order, "ab") == 0;
        seen_ba |= strcmp(order, "ba") == 0;
        end(NULL);
    }
    assert_true(seen_ab && seen_ba);
    make(1);
}

static void copy__equal_and_independent(void **state)
{
    converse();
    sim_run_until(sim, 50 * MS);
    struct sim *copy = sim_copy(sim);
    assert_non_null(copy);
    assert_int_equal(sim_fingerprint(copy), sim_fingerprint(sim));
    const uint64_t before = sim_fingerprint(copy);
    sim_run_until(sim, 300 * MS);
    assert_int_equal(sim_fingerprint(copy), before);
    assert_int_not_equal(sim_fingerprint(sim), before);
    assert_int_equal(sim_run_until(copy, 70 * MS), SIM_REACHED); /* packets, but no code */
    sim_check(copy);
    sim_destroy(copy);
}

static int packets_seen, last_host;
static uint8_t last_packet[2048];
static size_t last_length;

static void see(void *argument, int from, uint64_t now, const void *packet, size_t length)
{
    packets_seen++;
    last_host = from;
    last_length = length;
    assert_true(length <= sizeof last_packet);
    memcpy(last_packet, packet, length);
}

static void refuse(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 9);
    char byte;
    const int fd = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(SYSTEM(sendto, fd, "x", 1, 0, NULL, 0) == 1);
    EXPECT(SYSTEM(recvfrom, fd, &byte, 1, 0, NULL, NULL) == -ECONNREFUSED);
}

static void packets__seen_captured_and_injected(void **state)
{
    char name[] = "/tmp/drysock-pcap-XXXXXX";
    close(mkstemp(name));
    packets_seen = 0;
    sim_on_packet(sim, see, NULL);
    assert_int_equal(sim_capture(sim, name), 0);
    assert_int_equal(sim_capture(sim, name), -EBUSY);
    assert_true(sim_spawn(sim, sim_add_process(sim, beta, "q"), "client", refuse, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_int_equal(packets_seen, 2); /* the datagram, and what says that nobody is there */
    assert_int_equal(last_host, alpha);
    assert_int_equal(last_packet[0], 0x45);
    assert_int_equal(sim_inject(sim, beta, last_packet, last_length), 0);
    assert_int_equal(sim_inject(sim, beta, last_packet, 3), -EBADMSG);
    assert_int_equal(sim_inject(sim, 99, last_packet, last_length), -ENOENT);
    assert_int_equal(sim_run_until(sim, 200 * MS), SIM_REACHED);
    end(NULL);
    FILE *file = fopen(name, "rb");
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftell(file), 24 + 2 * 16 + 29 + (long)last_length);
    fclose(file);
    unlink(name);
    make(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_hosts__tcp_echo__takes_the_links_time),
        TEST(peer_does_not_read__close_with_linger__waits_its_time),
        TEST(peer_reads__close_with_linger__waits_for_the_last_acknowledgment),
        TEST(same_seed__same_fingerprint_and_another_for_another),
        TEST(used_world__reset__is_as_new),
        TEST(schedule_seeds__ready_tasks_run_in_other_orders),
        TEST(copy__equal_and_independent),
        TEST(packets__seen_captured_and_injected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
