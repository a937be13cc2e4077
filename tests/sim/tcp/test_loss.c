/* Loss: duplicate ACKs, SACK, RACK, recovery with and without SACK, cwnd; bytes through bad links.
 * SPDX-License-Identifier: MIT */
#include "dialogue.h"
#include "sim/net/link.h"

static void open_over_20_ms(bool sack)
{
    sim_host_set(world, host, "net.ipv4.tcp_sack", sack);
    conn = new_socket();
    int kind = sim_tcp_protocol.set_option(world, conn, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    assert_int_equal(kind, 0);
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EINPROGRESS);
    leaves(SYN);
    wait_ms(20);
    arrives(SYN | ACK, .seq = PEER_ISN, .ack = 1, .sackok = sack);
    leaves(ACK);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    wait_ms(20);
}

static void ten_segments_leave(void)
{
    assert_int_equal(do_send_zeros(conn, 14600), 14600);
    for (uint32_t i = 0; i < 9; i++) {
        leaves(i % 2 ? PSH | ACK : ACK, .seq = 1 + 1460 * i, .length = 1460);
    }
    leaves(PSH | ACK, .seq = 13141, .length = 1460);
}

/* Every number here was read from TCP_INFO of Linux 6.18 in the same dialogue (Reno). */
static void first_segment_lost__no_sack__fast_retransmit_as_measured(void **state)
{
    (void)state;
    open_over_20_ms(false);
    const struct sim_tcp *tcp = block_of(conn);
    ten_segments_leave();
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 1); /* the first counts as a window update */
    assert_int_equal(tcp->sacked_out, 0);
    arrives(ACK, .seq = 101, .ack = 1);
    arrives(ACK, .seq = 101, .ack = 1);
    nothing_leaves();
    assert_int_equal(tcp->sacked_out, 2);
    arrives(ACK, .seq = 101, .ack = 1);
    leaves(ACK, .seq = 1, .length = 1460);
    assert_int_equal(tcp->ssthresh, 5);
    assert_int_equal(tcp->cwnd, 7);
    arrives(ACK, .seq = 101, .ack = 1);
    nothing_leaves();
    assert_int_equal(tcp->cwnd, 6);
    arrives(ACK, .seq = 101, .ack = 2921); /* a partial ACK: the third was lost too */
    leaves(ACK, .seq = 2921, .length = 1460);
    assert_int_equal(tcp->cwnd, 5);
    arrives(ACK, .seq = 101, .ack = 14601);
    assert_int_equal(tcp->congestion_state, CONGESTION_RECOVERY); /* until something beyond */
    do_send_zeros(conn, 14600);
    for (uint32_t i = 0; i < 5; i++) {
        leaves(i % 2 ? PSH | ACK : ACK, .seq = 14601 + 1460 * i, .length = 1460);
    }
    nothing_leaves();
}

static void everything_lost__no_sack__slow_start_from_one(void **state)
{
    (void)state;
    open_over_20_ms(false);
    const struct sim_tcp *tcp = block_of(conn);
    ten_segments_leave();
    leaves_at(260, ACK, .seq = 1, .length = 1460);
    assert_int_equal(tcp->cwnd, 1);
    assert_int_equal(tcp->ssthresh, 5);
    assert_int_equal(tcp->lost_out, 10);
    arrives(ACK, .seq = 101, .ack = 1461);
    leaves(ACK, .seq = 1461, .length = 1460);
    leaves(ACK, .seq = 2921, .length = 1460);
    nothing_leaves();
    assert_int_equal(tcp->cwnd, 2);
    arrives(ACK, .seq = 101, .ack = 2921);
    leaves(ACK, .seq = 4381, .length = 1460);
    leaves(ACK, .seq = 5841, .length = 1460);
    nothing_leaves();
    assert_int_equal(tcp->cwnd, 3);
    arrives(ACK, .seq = 101, .ack = 14601);
    assert_int_equal(tcp->cwnd, 6);
    assert_int_equal(tcp->congestion_state, CONGESTION_LOSS);
}

static void one_sacked__reordering_window__retransmits_when_it_ends(void **state)
{
    (void)state;
    open_over_20_ms(true);
    do_send_zeros(conn, 4380);
    leaves(ACK, .seq = 1, .length = 1460);
    leaves(PSH | ACK, .seq = 1461, .length = 1460);
    leaves(PSH | ACK, .seq = 2921, .length = 1460);
    run_until(60 * MILLISECOND);
    arrives(ACK, .seq = 101, .ack = 1, .sack = {{1461, 2921}});
    nothing_leaves();
    leaves_at(65, ACK, .seq = 1, .length = 1460); /* a quarter of the shortest round trip later */
    assert_int_equal(block_of(conn)->ssthresh, 5);
    arrives(ACK, .seq = 101, .ack = 4381);
    assert_int_equal(block_of(conn)->congestion_state, CONGESTION_OPEN);
    assert_int_equal(block_of(conn)->cwnd, 5);
    wait_ms(1000);
    nothing_leaves();
}

static void three_sacked__the_hole__is_lost_at_once(void **state)
{
    (void)state;
    open_over_20_ms(true);
    ten_segments_leave();
    run_until(60 * MILLISECOND);
    arrives(ACK, .seq = 101, .ack = 1, .sack = {{1461, 5841}});
    leaves(ACK, .seq = 1, .length = 1460);
    nothing_leaves();
    arrives(ACK, .seq = 101, .ack = 5841);
    assert_int_equal(block_of(conn)->packets_out, 6);
    arrives(ACK, .seq = 101, .ack = 14601);
    assert_int_equal(block_of(conn)->congestion_state, CONGESTION_OPEN);
}

/* TLP of the last segment, answered by its SACK: what is before it is lost. Measured. */
static void tail_lost__probe_sacked__the_rest_follows(void **state)
{
    (void)state;
    open_over_20_ms(true);
    do_send_zeros(conn, 7300);
    for (uint32_t i = 0; i < 4; i++) {
        leaves(i % 2 ? PSH | ACK : ACK, .seq = 1 + 1460 * i, .length = 1460);
    }
    leaves(PSH | ACK, .seq = 5841, .length = 1460);
    run_until(60 * MILLISECOND);
    arrives(ACK, .seq = 101, .ack = 4381);
    leaves_at(108, PSH | ACK, .seq = 5841, .length = 1460); /* 2 SRTT and two ticks */
    run_until(128 * MILLISECOND);
    arrives(ACK, .seq = 101, .ack = 4381, .sack = {{5841, 7301}});
    leaves(ACK, .seq = 4381, .length = 1460);
    arrives(ACK, .seq = 101, .ack = 7301);
    assert_int_equal(block_of(conn)->congestion_state, CONGESTION_OPEN);
    assert_int_equal(block_of(conn)->ssthresh, 5);
    wait_ms(10000);
    nothing_leaves();
}

static void idle_for_a_second__send__starts_from_the_initial_window(void **state)
{
    (void)state;
    open_over_20_ms(false);
    ten_segments_leave();
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 14601);
    assert_int_equal(block_of(conn)->cwnd, 20);
    wait_ms(1000);
    do_send(conn, "x");
    assert_int_equal(block_of(conn)->cwnd, 10);
}

/* RFC 3522: the ACK echoes a timestamp from before the retransmission: nothing had been lost. */
static void ack_only_late__rto__is_taken_back(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_timestamps", 1);
    listens(5);
    arrives(SYN, .seq = 100, .tsval = 5000);
    leaves(SYN | ACK);
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 1, .tsval = 5020, .tsecr = last_seen.tcp.timestamp_value);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &conn), 0);
    do_send_zeros(conn, 14480);
    uint32_t first = 0;
    while (take_leaving()) {
        first = last_seen.tcp.timestamp_value;
    }
    wait_ms(230);
    leaves(ACK, .seq = 1, .length = 1448);
    assert_int_equal(block_of(conn)->cwnd, 1);
    arrives(ACK, .seq = 101, .ack = 1449, .tsval = 5250, .tsecr = first);
    assert_int_equal(block_of(conn)->cwnd, 11); /* as before, and one for what arrived */
    assert_int_equal(block_of(conn)->congestion_state, CONGESTION_OPEN);
    assert_int_equal(block_of(conn)->lost_out, 0);
    nothing_leaves();
}

static void peer_forgets_its_sacks__rto__sends_all_again(void **state)
{
    (void)state;
    open_over_20_ms(true);
    do_send_zeros(conn, 4380);
    while (take_leaving())
        ;
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 1, .sack = {{1461, 4381}});
    wait_ms(5);
    leaves(ACK, .seq = 1, .length = 1460);
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 1461); /* what it had told it had is gone */
    wait_ms(5000);
    int again = 0;
    while (take_leaving()) {
        again += last_seen.payload.length == 1460;
    }
    assert_true(again >= 2);
}

/* ---- whole connections over bad links ----------------------------------------------------- */

static uint32_t sum_of(uint32_t index)
{
    return (index * 2654435761U) >> 24;
}

/* A megabyte from host a to host b over a link of these vices; every byte arrives once, in order. */
static void transfer(const struct sim_link_way *way, uint32_t window_scaling, uint32_t sack)
{
    world->tap = 0;
    while (take_leaving())
        ;
    struct sim_host_id other = sim_host_add(world, "b");
    sim_host_add_address(world, other, 2, sim_ip_v4(0x0a000002), 24);
    assert_true(sim_link_add(world, host, other, way).index);
    struct sim_host_id hosts[] = {host, other};
    for (int i = 0; i < 2; i++) {
        sim_host_set(world, hosts[i], "net.ipv4.tcp_sack", sack);
        sim_host_set(world, hosts[i], "net.ipv4.tcp_timestamps", sack);
        sim_host_set(world, hosts[i], "net.ipv4.tcp_window_scaling", window_scaling);
    }
    struct sim_host_id here = host;
    host = other;
    listens(5);
    host = here;
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x0a000002, PORT), -EINPROGRESS);
    struct sim_socket_id child = {0};
    enum { TOTAL = 1 << 20, STEP = 8192 };
    uint32_t sent = 0, got = 0;
    bool ended = false;
    char block[STEP];
    for (uint64_t ms = 0; ms < 600000 && !ended; ms++) {
        wait_ms(1);
        if (!child.index && sim_tcp_protocol.accept(world, listener, &child)) {
            continue;
        }
        ssize_t took = 1;
        while (sent < TOTAL && took > 0) {
            uint32_t length = TOTAL - sent < STEP ? TOTAL - sent : STEP;
            for (uint32_t i = 0; i < length; i++) {
                block[i] = (char)sum_of(sent + i);
            }
            took = do_send_flags(conn, block, length, 0);
            if (took > 0) {
                sent += (uint32_t)took;
            }
            if (sent == TOTAL) {
                do_shutdown(conn, SHUT_WR);
            }
        }
        ssize_t read;
        while ((read = do_receive(child, STEP, 0)) > 0) {
            for (ssize_t i = 0; i < read; i++) {
                assert_int_equal((uint8_t)received[i], sum_of(got + (uint32_t)i));
            }
            got += (uint32_t)read;
        }
        ended = read == 0;
    }
    assert_true(ended);
    assert_int_equal(got, TOTAL);
    do_close(child);
    do_close(conn);
    do_close(listener);
    wait_ms(200000);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    assert_true(world->pools[SIM_POOL_CHUNK].live_count <= 1); /* the open one */
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
    assert_true(sim_event_next_at(world) == SIM_NEVER);
}

static void link_loses_a_tenth__a_megabyte__arrives_whole(void **state)
{
    (void)state;
    struct sim_link_way way = {.delay_ns = 5 * MILLISECOND, .loss_ppm = 100000};
    transfer(&way, 1, 1);
}

static void link_loses_a_tenth__no_sack__arrives_whole(void **state)
{
    (void)state;
    struct sim_link_way way = {.delay_ns = 5 * MILLISECOND, .loss_ppm = 100000};
    transfer(&way, 0, 0);
}

static void link_reorders_and_doubles__a_megabyte__arrives_whole(void **state)
{
    (void)state;
    struct sim_link_way way = {.delay_ns = 5 * MILLISECOND,
                               .jitter_ns = 4 * MILLISECOND,
                               .duplicate_ppm = 100000,
                               .reorder_ppm = 200000};
    transfer(&way, 1, 1);
}

static void link_of_every_vice__a_megabyte__arrives_whole(void **state)
{
    (void)state;
    struct sim_link_way way = {.delay_ns = 2 * MILLISECOND,
                               .jitter_ns = 2 * MILLISECOND,
                               .loss_ppm = 30000,
                               .duplicate_ppm = 30000,
                               .reorder_ppm = 100000,
                               .corrupt_ppm = 30000,
                               .rate_bits = 20000000,
                               .queue_bytes = 20000};
    transfer(&way, 1, 1);
}

static void slow_link__a_megabyte__takes_the_time_of_its_rate(void **state)
{
    (void)state;
    struct sim_link_way way = {.delay_ns = 5 * MILLISECOND, .rate_bits = 8000000};
    uint64_t begun = world->now;
    transfer(&way, 1, 1);
    assert_in_range(world->now - begun - 200 * SECOND, SECOND, 2 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(first_segment_lost__no_sack__fast_retransmit_as_measured),
        DIALOGUE(everything_lost__no_sack__slow_start_from_one),
        DIALOGUE(one_sacked__reordering_window__retransmits_when_it_ends),
        DIALOGUE(three_sacked__the_hole__is_lost_at_once),
        DIALOGUE(tail_lost__probe_sacked__the_rest_follows),
        DIALOGUE(idle_for_a_second__send__starts_from_the_initial_window),
        DIALOGUE(ack_only_late__rto__is_taken_back),
        DIALOGUE(peer_forgets_its_sacks__rto__sends_all_again),
        DIALOGUE(link_loses_a_tenth__a_megabyte__arrives_whole),
        DIALOGUE(link_loses_a_tenth__no_sack__arrives_whole),
        DIALOGUE(link_reorders_and_doubles__a_megabyte__arrives_whole),
        DIALOGUE(link_of_every_vice__a_megabyte__arrives_whole),
        DIALOGUE(slow_link__a_megabyte__takes_the_time_of_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
