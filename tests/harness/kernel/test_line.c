/* The line between kernel hosts, with socket pairs in place of TUN interfaces and a clock by hand.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/kernel/line.h"

enum { HOSTS = 4, MS = 1000000 };

static struct scenario_host names[HOSTS] = {
    {.name = "a", .addresses = "10.0.0.1 fd00::1"},
    {.name = "b", .addresses = "10.0.0.2/24 fd00::2"},
    {.name = "c", .addresses = "10.0.0.3"},
    {.name = "d", .addresses = "10.0.0.4"}, /* linked with nobody */
};
static struct scenario_link links[2];
static struct scenario_event events[2];
static struct scenario scenario = {
    .path = "test",
    .hosts = names,
    .host_count = HOSTS,
    .links = links,
    .link_count = 2,
    .events = events,
};
static int theirs[HOSTS], ours[HOSTS]; /* the host's end, the line's end */
static struct kernel_line *line;

/* ---- dialogue ----------------------------------------------------------------------------- */

static int begin(void **state)
{
    links[0] = (struct scenario_link){.a = 0, .b = 1, .options = {.delay_ns = 20 * MS}};
    links[1] = (struct scenario_link){.a = 2, .b = 0, .options = {.delay_ns = 5 * MS}};
    scenario.event_count = 0;
    for (int i = 0; i < HOSTS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
        theirs[i] = pair[0];
        ours[i] = pair[1];
    }
    return 0;
}

static void the_line_is_up(void)
{
    line = kernel_line_create(&scenario, ours, 1, NULL);
    assert_non_null(line);
}

static int end(void **state)
{
    kernel_line_free(line);
    for (int i = 0; i < HOSTS; i++) {
        close(theirs[i]);
        close(ours[i]);
    }
    return 0;
}

/* An IPv4 packet to 10.0.0.`last` (or to_all), 32 bytes long. */
static void packet_to(uint8_t packet[32], int protocol, int last, bool to_all)
{
    static const uint8_t start[20] = {0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1};

    memset(packet, 'x', 32);
    memcpy(packet, start, sizeof start);
    packet[9] = (uint8_t)protocol;
    memcpy(packet + 16, to_all ? "\xff\xff\xff\xff" : "\x0a\x00\x00\x00", 4);
    if (!to_all) {
        packet[19] = (uint8_t)last;
    }
}

static void send_packet(int from, int last, uint64_t now)
{
    uint8_t packet[32];
    packet_to(packet, 17, last, last == 0);
    assert_int_equal(write(theirs[from], packet, sizeof packet), sizeof packet);
    kernel_line_receive(line, (uint32_t)from, now);
}

static void arrives(int host, uint64_t now)
{
    uint8_t packet[64];
    kernel_line_advance(line, now);
    assert_int_equal(read(theirs[host], packet, sizeof packet), 32);
}

static void nothing_arrives(int host, uint64_t now)
{
    uint8_t packet[64];
    kernel_line_advance(line, now);
    assert_int_equal(read(theirs[host], packet, sizeof packet), -1);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void linked_hosts__a_packet_leaves__it_arrives_after_the_delay(void **state)
{
    the_line_is_up();
    assert_true(kernel_line_next_at(line) == UINT64_MAX);
    send_packet(0, 2, 100 * MS);
    assert_int_equal(kernel_line_next_at(line), 120 * MS);
    nothing_arrives(1, 120 * MS - 1);
    arrives(1, 120 * MS);
    nothing_arrives(1, 200 * MS);
    nothing_arrives(2, 200 * MS);
}

static void unlinked_host__a_packet_is_for_it__nobody_hears_it(void **state)
{
    the_line_is_up();
    send_packet(0, 4, 0);
    send_packet(1, 3, 0); /* b and c are linked with a, not with each other */
    for (int host = 0; host < HOSTS; host++) {
        nothing_arrives(host, 1000 * MS);
    }
}

static void two_links__a_broadcast_leaves__every_linked_host_hears_it(void **state)
{
    the_line_is_up();
    send_packet(0, 0, 0); /* 255.255.255.255 */
    arrives(2, 5 * MS);
    arrives(1, 20 * MS);
    send_packet(0, 255, 100 * MS); /* 10.0.0.255 */
    arrives(2, 105 * MS);
    arrives(1, 120 * MS);
    nothing_arrives(3, 200 * MS);
}

static void a_link_goes_down_and_up__packets_leave__only_those_outside_arrive(void **state)
{
    events[0] = (struct scenario_event){.kind = EVENT_LINK_DOWN, .instant_ns = 10 * MS};
    events[1] = (struct scenario_event){.kind = EVENT_LINK_UP, .instant_ns = 50 * MS};
    scenario.event_count = 2;
    the_line_is_up();
    assert_int_equal(kernel_line_next_at(line), 10 * MS);
    send_packet(0, 2, 9 * MS); /* under way when the link goes down: it arrives */
    kernel_line_advance(line, 10 * MS);
    send_packet(0, 2, 20 * MS);
    arrives(1, 29 * MS);
    nothing_arrives(1, 49 * MS);
    kernel_line_advance(line, 50 * MS);
    send_packet(0, 2, 51 * MS);
    arrives(1, 71 * MS);
    nothing_arrives(1, 200 * MS);
    assert_int_equal(kernel_line_count(line).dropped, 1);
}

static void a_slow_line__two_packets_leave_at_once__they_arrive_one_after_the_other(void **state)
{
    links[0].options.rate_bits = 32 * 8 * 100; /* 10 ms a packet */
    the_line_is_up();
    send_packet(0, 2, 0);
    send_packet(0, 2, 0);
    nothing_arrives(1, 30 * MS - 1);
    arrives(1, 30 * MS);
    nothing_arrives(1, 40 * MS - 1);
    arrives(1, 40 * MS);
}

static void everything_is_corrupted__a_packet_leaves__a_byte_under_the_checksum_differs(void **state)
{
    uint8_t packet[32], sent[32];
    links[0].options.corrupt_ppm = 1000000;
    the_line_is_up();
    packet_to(sent, 17, 2, false);
    send_packet(0, 2, 0);
    kernel_line_advance(line, 20 * MS);
    assert_int_equal(read(theirs[1], packet, sizeof packet), sizeof packet);
    assert_memory_equal(packet, sent, 20);
    assert_memory_not_equal(packet + 20, sent + 20, 12);
}

static void everything_is_doubled__a_packet_leaves__it_arrives_twice(void **state)
{
    links[0].options.duplicate_ppm = 1000000;
    the_line_is_up();
    send_packet(0, 2, 0);
    arrives(1, 20 * MS);
    arrives(1, 20 * MS);
    nothing_arrives(1, 40 * MS);
}

static void group_membership__a_report_leaves__links_do_not_carry_it(void **state)
{
    uint8_t packet[32];
    the_line_is_up();
    packet_to(packet, 2, 0, true); /* IGMP */
    assert_int_equal(write(theirs[0], packet, sizeof packet), sizeof packet);
    kernel_line_receive(line, 0, 0);
    assert_true(kernel_line_next_at(line) == UINT64_MAX);
    assert_int_equal(kernel_line_count(line).sent, 0);
}

#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(linked_hosts__a_packet_leaves__it_arrives_after_the_delay),
        LINE_TEST(unlinked_host__a_packet_is_for_it__nobody_hears_it),
        LINE_TEST(two_links__a_broadcast_leaves__every_linked_host_hears_it),
        LINE_TEST(a_link_goes_down_and_up__packets_leave__only_those_outside_arrive),
        LINE_TEST(a_slow_line__two_packets_leave_at_once__they_arrive_one_after_the_other),
        LINE_TEST(everything_is_corrupted__a_packet_leaves__a_byte_under_the_checksum_differs),
        LINE_TEST(everything_is_doubled__a_packet_leaves__it_arrives_twice),
        LINE_TEST(group_membership__a_report_leaves__links_do_not_carry_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
