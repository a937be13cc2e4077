/* Timers of a connection: retransmission, tail loss probe, giving up, keepalive, user timeout.
 * SPDX-License-Identifier: MIT */
#include "dialogue.h"

/* An active open whose round trip takes 20 ms. */
static void open_over_20_ms(bool sack)
{
    sim_host_set(world, host, "net.ipv4.tcp_sack", sack);
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EINPROGRESS);
    leaves(SYN);
    wait_ms(20);
    arrives(SYN | ACK, .seq = PEER_ISN, .ack = 1, .sackok = sack);
    leaves(ACK);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    wait_ms(20); /* 40 ms now */
}

/* Measured on Linux 6.18: 227, 472, 928, 1824, 3808 ms apart, then ETIMEDOUT; its timers are late by
 * up to an eighth, ours exact. */
static void no_answer__rto__doubles_from_220_ms_until_retries2(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_retries2", 5);
    open_over_20_ms(false);
    do_send(conn, "0123456789");
    leaves(PSH | ACK, .seq = 1, .length = 10);
    leaves_at(260, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(700, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(1580, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(3340, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(6860, PSH | ACK, .seq = 1, .length = 10);
    run_until(13900 * MILLISECOND - 1);
    assert_int_equal(sim_socket_at(world, conn)->error, 0);
    run_until(13900 * MILLISECOND);
    assert_int_equal(polls(conn), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(error_of(conn), ETIMEDOUT);
    nothing_leaves();
}

/* With SACK the first timeout is a tail loss probe, and the RTO begins after it: measured. */
static void no_answer__sack__probe_first_then_rto(void **state)
{
    (void)state;
    open_over_20_ms(true);
    do_send(conn, "0123456789");
    leaves(PSH | ACK, .seq = 1, .length = 10);
    leaves_at(260, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(480, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(920, PSH | ACK, .seq = 1, .length = 10);
    leaves_at(1800, PSH | ACK, .seq = 1, .length = 10);
}

static void two_segments__sack__probe_repeats_the_last_after_two_round_trips(void **state)
{
    (void)state;
    open_over_20_ms(true);
    do_send_zeros(conn, 2000);
    leaves(ACK, .seq = 1, .length = 1460);
    leaves(PSH | ACK, .seq = 1461, .length = 540);
    leaves_at(40 + 48, PSH | ACK, .seq = 1461, .length = 540);
    leaves_at(40 + 48 + 220, ACK, .seq = 1, .length = 1460);
    leaves_at(40 + 48 + 220 + 440, ACK, .seq = 1, .length = 1460);
}

static void retransmitted__timestamps_off__rto_stays_backed_off(void **state)
{
    (void)state;
    open_over_20_ms(false);
    do_send(conn, "a");
    leaves(PSH | ACK, .data = "a");
    leaves_at(260, PSH | ACK, .data = "a");
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 2); /* of which transmission? Karn: no sample */
    assert_int_equal(block_of(conn)->rto_ns, 440 * MILLISECOND);
    do_send(conn, "b");
    leaves(PSH | ACK, .data = "b");
    wait_ms(20);
    arrives(ACK, .seq = 101, .ack = 3);
    assert_in_range(block_of(conn)->rto_ns, 219 * MILLISECOND, 221 * MILLISECOND);
}

static void small_segments_lost__rto__go_again_in_one(void **state)
{
    (void)state;
    open_over_20_ms(false);
    do_set(conn, TCP_NODELAY, 1);
    do_send(conn, "ab");
    do_send(conn, "c");
    do_send(conn, "de");
    leaves(PSH | ACK, .data = "ab");
    leaves(PSH | ACK, .data = "c");
    leaves(PSH | ACK, .data = "de");
    leaves_at(260, PSH | ACK, .seq = 1, .data = "abcde");
    arrives(ACK, .seq = 101, .ack = 6);
    assert_int_equal(block_of(conn)->packets_out, 0);
}

static void user_timeout__no_answer__ends_no_later(void **state)
{
    (void)state;
    open_over_20_ms(false);
    do_set(conn, TCP_USER_TIMEOUT, 1500);
    do_send(conn, "x");
    leaves(PSH | ACK, .data = "x");
    leaves_at(260, PSH | ACK, .data = "x");
    leaves_at(700, PSH | ACK, .data = "x");
    leaves_at(1580, PSH | ACK, .data = "x");
    run_until(1760 * MILLISECOND - 1);
    assert_int_equal(sim_socket_at(world, conn)->error, 0);
    run_until(1760 * MILLISECOND); /* 1500 ms after the first retransmission */
    assert_int_equal(error_of(conn), ETIMEDOUT);
}

static void keepalive__idle__probes_then_resets(void **state)
{
    (void)state;
    open_over_20_ms(false);
    sim_socket_at(world, conn)->options |= SIM_OPTION_KEEPALIVE;
    do_set(conn, TCP_KEEPINTVL, 1);
    do_set(conn, TCP_KEEPCNT, 2);
    do_set(conn, TCP_KEEPIDLE, 1);
    leaves_at(1020, ACK, .length = 0); /* a second after the handshake */
    assert_int_equal(last_seen.tcp.sequence, our_isn);
    wait_ms(500);
    arrives(ACK, .seq = 101, .ack = 1);
    /* Measured: the timer looks again when the interval is over. */
    leaves_at(2520, ACK);
    leaves_at(3520, ACK);
    leaves_at(4520, RST | ACK, .seq = 1);
    assert_int_equal(error_of(conn), ETIMEDOUT);
}

static void keepalive__peer_answers_with_rst__econnreset(void **state)
{
    (void)state;
    open_over_20_ms(false);
    sim_socket_at(world, conn)->options |= SIM_OPTION_KEEPALIVE;
    do_set(conn, TCP_KEEPIDLE, 10);
    leaves_at(10020, ACK);
    arrives(RST, .seq = 101);
    assert_int_equal(error_of(conn), ECONNRESET);
    wait_ms(100000);
    nothing_leaves();
}

static void keepalive_off__idle_for_a_day__nothing_leaves_nothing_is_queued(void **state)
{
    (void)state;
    active_open();
    assert_true(sim_event_next_at(world) == SIM_NEVER);
    wait_ms(86400000);
    nothing_leaves();
}

static void bulk_acks__rto_moves_away__one_event_stays_queued(void **state)
{
    (void)state;
    open_over_20_ms(false);
    uint64_t pushed = world->next_event_sequence;
    do_send_zeros(conn, 14600);
    for (uint32_t i = 1; i < 10; i++) {
        wait_ms(1);
        arrives(ACK, .seq = 101, .ack = 1 + 1460 * i);
    }
    /* Not one for each segment or ACK; a few, as the RTO shrinks with the round trips. */
    assert_in_range(world->next_event_sequence - pushed, 1, 5);
    while (take_leaving())
        ;
    uint64_t due = world->now + block_of(conn)->rto_ns; /* counts from the last ACK */
    run_until(due - 1);
    nothing_leaves();
    run_until(due);
    leaves(PSH | ACK, .seq = 13141, .length = 1460);
}

static void defer_accept__bare_ack__waits_for_data(void **state)
{
    (void)state;
    listener = new_socket();
    do_set(listener, TCP_DEFER_ACCEPT, 5);
    assert_int_equal(do_bind(listener, 0, PORT), 0);
    assert_int_equal(sim_tcp_protocol.listen(world, listener, 5), 0);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1);
    assert_int_equal(polls(listener), 0);
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "hi");
    assert_int_equal(polls(listener), POLLIN);
}

static void syn_ack_lost__third_answered__connection_opens(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    leaves_at(1000, SYN | ACK);
    leaves_at(3000, SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &conn), 0);
    wait_ms(100000);
    nothing_leaves();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(no_answer__rto__doubles_from_220_ms_until_retries2),
        DIALOGUE(no_answer__sack__probe_first_then_rto),
        DIALOGUE(two_segments__sack__probe_repeats_the_last_after_two_round_trips),
        DIALOGUE(retransmitted__timestamps_off__rto_stays_backed_off),
        DIALOGUE(small_segments_lost__rto__go_again_in_one),
        DIALOGUE(user_timeout__no_answer__ends_no_later),
        DIALOGUE(keepalive__idle__probes_then_resets),
        DIALOGUE(keepalive__peer_answers_with_rst__econnreset),
        DIALOGUE(keepalive_off__idle_for_a_day__nothing_leaves_nothing_is_queued),
        DIALOGUE(bulk_acks__rto_moves_away__one_event_stays_queued),
        DIALOGUE(defer_accept__bare_ack__waits_for_data),
        DIALOGUE(syn_ack_lost__third_answered__connection_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
