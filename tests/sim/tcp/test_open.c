/* Opening: handshakes, refusals, timeouts, listeners and their queues, both sides at once.
 * SPDX-License-Identifier: MIT */
#include "dialogue.h"

static void active_open__syn_ack__acknowledges_and_is_connected(void **state)
{
    (void)state;
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EINPROGRESS);
    leaves(SYN, .mss = 1460, .win = 64240);
    assert_int_equal(state_of(conn), SIM_TCP_SYN_SENT);
    assert_int_equal(polls(conn), 0);
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EALREADY);
    wait_ms(10);
    arrives(SYN | ACK, .seq = 100, .ack = 1);
    leaves(ACK, .seq = 1, .ack = 101);
    nothing_leaves();
    assert_int_equal(polls(conn), POLLOUT);
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), 0);
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EISCONN);
}

static void syn_sent__options_of_linux__are_told(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_timestamps", 1);
    sim_host_set(world, host, "net.ipv4.tcp_sack", 1);
    sim_host_set(world, host, "net.ipv4.tcp_window_scaling", 1);
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN, .mss = 1460, .win = 64240);
    assert_int_equal(last_seen.tcp.window_scale, 10);
    assert_true(last_seen.tcp.has_window_scale && last_seen.tcp.sack_permitted &&
                last_seen.tcp.has_timestamps);
    assert_int_equal(last_seen.tcp.timestamp_echo, 0);
    assert_int_equal(sim_packet_wire_bytes(&last_seen), 60);
}

static void syn_sent__rst_with_right_ack__is_refused(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    arrives(RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(polls(conn), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -ECONNREFUSED);
    assert_int_equal(polls(conn), POLLOUT | POLLHUP);
    nothing_leaves();
}

static void syn_sent__rst_with_wrong_ack__is_ignored(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    arrives(RST | ACK, .seq = 0, .ack = 7);
    arrives(RST, .seq = 0);
    assert_int_equal(state_of(conn), SIM_TCP_SYN_SENT);
    nothing_leaves();
}

static void syn_sent__ack_of_nothing_sent__is_answered_with_rst(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    arrives(ACK, .seq = 900, .ack = 500);
    leaves(RST, .seq = 500);
    assert_int_equal(state_of(conn), SIM_TCP_SYN_SENT);
}

static void syn_sent__no_answer__schedule_of_linux_6_18(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    static const uint64_t seconds[] = {1, 2, 3, 4, 5, 7, 11, 19, 35, 67};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        leaves_at(seconds[i] * 1000, SYN);
    }
    run_until(131 * SECOND - 1);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -EINPROGRESS);
    run_until(131 * SECOND);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -ETIMEDOUT);
    nothing_leaves();
}

/* Measured: 1 retry with 4 linear ones is over after 3 s, 2 after 7 s. */
static void syn_sent__few_retries__ends_by_the_time_they_would_take(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_syn_retries", 1);
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    leaves_at(1000, SYN);
    leaves_at(2000, SYN);
    wait_ms(1000);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -ETIMEDOUT);
}

static void syn_sent__syncnt_option__stands_for_the_setting(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_syn_linear_timeouts", 0);
    conn = new_socket();
    do_set(conn, TCP_SYNCNT, 2);
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    leaves_at(1000, SYN);
    leaves_at(3000, SYN);
    wait_ms(4000);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -ETIMEDOUT);
}

static void syn_sent__answer_to_the_third_syn__is_connected(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    leaves_at(1000, SYN);
    leaves_at(2000, SYN);
    wait_ms(500);
    arrives(SYN | ACK, .seq = 100, .ack = 1);
    leaves(ACK, .ack = 101);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    wait_ms(10000);
    nothing_leaves();
}

static void no_listener__syn__is_answered_with_rst(void **state)
{
    (void)state;
    our_port = 81;
    arrives(SYN, .seq = 100);
    leaves(RST | ACK, .ack = 101);
    arrives(ACK, .seq = 100, .ack = 77);
    leaves(RST);
    assert_int_equal(last_seen.tcp.sequence, 77);
    arrives(RST, .seq = 100);
    nothing_leaves();
}

static void listener__handshake__accepts_one_connection(void **state)
{
    (void)state;
    listens(5);
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), -EAGAIN);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK, .ack = 101, .mss = 1460);
    assert_int_equal(polls(listener), 0);
    arrives(ACK, .seq = 101, .ack = 1);
    nothing_leaves();
    assert_int_equal(polls(listener), POLLIN);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    assert_int_equal(state_of(child), SIM_TCP_ESTABLISHED);
    assert_int_equal(polls(child), POLLOUT);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), -EAGAIN);
}

static void listener__ack_without_syn__is_answered_with_rst(void **state)
{
    (void)state;
    listens(5);
    arrives(ACK, .seq = 100, .ack = 77);
    leaves(RST);
    arrives(SYN | ACK, .seq = 100, .ack = 77);
    leaves(RST);
    arrives(FIN, .seq = 100);
    arrives(RST, .seq = 100);
    nothing_leaves();
}

static void half_open__syn_ack_lost__is_sent_again_with_backoff(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    static const uint64_t seconds[] = {1, 3, 7, 15, 31};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        leaves_at(seconds[i] * 1000, SYN | ACK, .ack = 101);
    }
    wait_ms(100000);
    nothing_leaves();
    arrives(ACK, .seq = 101, .ack = 1); /* too late: nobody knows it */
    leaves(RST);
}

static void half_open__syn_again__is_answered_again(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    wait_ms(100);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK, .ack = 101);
    arrives(SYN, .seq = 100); /* but not twice within 500 ms */
    nothing_leaves();
}

static void half_open__rst__is_forgotten(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(RST, .seq = 101);
    wait_ms(60000);
    nothing_leaves();
    assert_int_equal(block_of(listener)->half_open_count, 0);
}

static void half_open__wrong_ack__is_answered_with_rst(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 9);
    leaves(RST, .seq = 9);
    arrives(ACK, .seq = 101, .ack = 1);
    assert_int_equal(polls(listener), POLLIN);
}

static void half_open__final_ack_with_data__data_is_there_at_once(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "early");
    leaves(ACK, .ack = 106);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &conn), 0);
    receives(conn, "early");
}

/* LINUX: a backlog of 0 holds one; then SYNs are dropped without an answer. */
static void accept_queue_full__syn__is_dropped_until_there_is_room(void **state)
{
    (void)state;
    listens(0);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1);
    arrives(SYN, .seq = 100, .port_offset = 1);
    nothing_leaves();
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    arrives(SYN, .seq = 100, .port_offset = 1);
    leaves(SYN | ACK);
}

static void complete_without_accept(uint8_t port_offset)
{
    uint32_t isn = our_isn;
    seen_syn = 0;
    arrives(SYN, .seq = 100, .port_offset = port_offset);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1, .port_offset = port_offset);
    nothing_leaves();
    our_isn = isn;
}

static void accept_queue_full__final_ack__is_dropped_and_syn_ack_asks_again(void **state)
{
    (void)state;
    listens(2);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    for (uint8_t other = 1; other <= 3; other++) { /* these complete first: one more than asked for */
        complete_without_accept(other);
    }
    arrives(ACK, .seq = 101, .ack = 1);
    nothing_leaves();
    leaves_at(1000, SYN | ACK);
    struct sim_socket_id child;
    for (uint8_t other = 1; other <= 3; other++) {
        assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    }
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), -EAGAIN);
    arrives(ACK, .seq = 101, .ack = 1);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    assert_int_equal(block_of(child)->iss, our_isn);
}

/* Measured: more half-open ones than the backlog, so a cookie answers: nobody repeats the SYN-ACK, and
 * only data makes the connection known. */
static void half_open_beyond_backlog__final_ack_dropped__data_brings_it_back(void **state)
{
    (void)state;
    listens(0);
    arrives(SYN, .seq = 100, .port_offset = 1);
    leaves(SYN | ACK);
    uint32_t first_isn = our_isn;
    seen_syn = 0;
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    uint32_t second_isn = our_isn;
    our_isn = first_isn;
    arrives(ACK, .seq = 101, .ack = 1, .port_offset = 1);
    our_isn = second_isn;
    arrives(ACK, .seq = 101, .ack = 1);
    wait_ms(20000);
    nothing_leaves();
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), -EAGAIN);
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "here");
    leaves(ACK, .ack = 105);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    receives(child, "here");
}

static void accept_queue_full__abort_on_overflow__final_ack_is_reset(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_abort_on_overflow", 1);
    listens(2);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    for (uint8_t other = 1; other <= 3; other++) {
        complete_without_accept(other);
    }
    arrives(ACK, .seq = 101, .ack = 1);
    leaves(RST, .seq = 1);
}

static void listener_closed__children__complete_is_reset_half_open_forgotten(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1);
    seen_syn = 0;
    arrives(SYN, .seq = 100, .port_offset = 1);
    leaves(SYN | ACK);
    do_close(listener);
    leaves(RST | ACK);
    assert_int_equal(last_seen.destination.port, PEER_PORT);
    nothing_leaves();
    arrives(ACK, .seq = 101, .ack = 1, .port_offset = 1);
    leaves(RST);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void listening__calls__fail_as_linux_says(void **state)
{
    (void)state;
    listens(5);
    struct sim_socket_id child;
    assert_int_equal(do_connect(listener, 0x0a000002, 1), -EISCONN);
    assert_int_equal(do_receive(listener, 1, 0), -ENOTCONN);
    assert_int_equal(do_send(listener, "x"), -EPIPE);
    assert_int_equal(do_shutdown(listener, SHUT_WR), 0);
    assert_int_equal(state_of(listener), SIM_TCP_LISTEN);
    assert_int_equal(do_shutdown(listener, SHUT_RD), 0);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), -EINVAL);
    assert_int_equal(polls(listener), POLLOUT | POLLHUP);
}

static void unconnected__calls__fail_as_linux_says(void **state)
{
    (void)state;
    conn = new_socket();
    struct sim_socket_id child;
    assert_int_equal(polls(conn), POLLOUT | POLLHUP);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(do_receive(conn, 1, 0), -ENOTCONN);
    assert_int_equal(sim_tcp_protocol.accept(world, conn, &child), -EINVAL);
    assert_int_equal(do_shutdown(conn, SHUT_RDWR), -ENOTCONN);
    assert_int_equal(do_shutdown(conn, 3), -EINVAL);
}

static void connected__listen__einval(void **state)
{
    (void)state;
    active_open();
    assert_int_equal(sim_tcp_protocol.listen(world, conn, 1), -EINVAL);
}

static void both_connect_at_once__syn_meets_syn__one_connection(void **state)
{
    (void)state;
    conn = new_socket();
    do_connect(conn, 0x0a000002, PEER_PORT);
    leaves(SYN);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK, .ack = 101);
    assert_int_equal(state_of(conn), SIM_TCP_SYN_RECEIVED);
    arrives(SYN | ACK, .seq = 100, .ack = 1);
    assert_int_equal(state_of(conn), SIM_TCP_ESTABLISHED);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    arrives(ACK, .seq = 101, .ack = 1, .data = "hi");
    while (take_leaving())
        ;
    receives(conn, "hi");
}

/* LINUX: a socket bound to a port may connect to itself. */
static void bound_to_its_own_target__connect__talks_to_itself(void **state)
{
    (void)state;
    conn = new_socket();
    assert_int_equal(do_bind(conn, 0x7f000001, 4000), 0);
    assert_int_equal(do_connect(conn, 0x7f000001, 4000), -EINPROGRESS);
    run_until(world->now);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    assert_int_equal(do_send(conn, "echo"), 4);
    run_until(world->now);
    receives(conn, "echo");
}

static void connect__no_port_listening_on_loopback__refused_at_once(void **state)
{
    (void)state;
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x7f000001, 4000), -EINPROGRESS);
    run_until(world->now);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), -ECONNREFUSED);
    /* and may try again */
    assert_int_equal(do_connect(conn, 0x7f000001, 4000), -EINPROGRESS);
}

static void loopback__handshake_and_bytes__both_ways(void **state)
{
    (void)state;
    listens(5);
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x7f000001, PORT), -EINPROGRESS);
    run_until(world->now);
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    assert_int_equal(do_send(conn, "ping"), 4);
    run_until(world->now);
    receives(child, "ping");
    assert_int_equal(do_send(child, "pong"), 4);
    run_until(world->now);
    receives(conn, "pong");
    assert_int_equal(sim_socket_at(world, conn)->send_limit, 2626560); /* measured, cubic */
}

static void connect_to_broadcast_or_multicast__unreachable(void **state)
{
    (void)state;
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x0a0000ff, 80), -ENETUNREACH);
    assert_int_equal(do_connect(conn, 0xe0000001, 80), -ENETUNREACH);
    assert_int_equal(state_of(conn), SIM_TCP_CLOSED);
}

static void icmp_arrives(uint8_t type, uint8_t code, uint32_t relative_sequence)
{
    struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->source.ip = sim_ip_v4(0x0a000002);
    packet->destination.ip = sim_ip_v4(0x0a000001);
    packet->version = 4;
    packet->protocol = IPPROTO_ICMP;
    packet->icmp.type = type;
    packet->icmp.code = code;
    packet->icmp.has_quote = 1;
    packet->icmp.quoted_protocol = IPPROTO_TCP;
    packet->icmp.quoted_source = (struct sim_endpoint){.ip = sim_ip_v4(0x0a000001), .port = our_port};
    packet->icmp.quoted_destination = (struct sim_endpoint){.ip = sim_ip_v4(0x0a000002),
                                                            .port = PEER_PORT};
    packet->icmp.quoted_sequence = our_isn + relative_sequence;
    sim_ip_input(world, eth0, id);
    run_until(world->now);
}

static void syn_sent__icmp_unreachable__ends_the_attempt_with_its_errno(void **state)
{
    (void)state;
    static const struct {
        uint8_t code;
        int error;
    } cases[] = {
        {0, ENETUNREACH}, {1, EHOSTUNREACH}, {2, ENOPROTOOPT}, {3, ECONNREFUSED}, {13, EHOSTUNREACH}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seen_syn = 0;
        conn = new_socket();
        do_connect(conn, 0x0a000002, PEER_PORT);
        leaves(SYN);
        icmp_arrives(3, cases[i].code, 5); /* not of a segment that is out */
        assert_int_equal(sim_tcp_protocol.connected(world, conn), -EINPROGRESS);
        icmp_arrives(3, cases[i].code, 0);
        assert_int_equal(sim_tcp_protocol.connected(world, conn), -cases[i].error);
        do_close(conn);
    }
}

static void established__icmp_unreachable__is_told_only_when_it_times_out(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_retries2", 1);
    active_open();
    do_send(conn, "x");
    leaves(PSH | ACK, .length = 1);
    icmp_arrives(3, 1, 1);
    assert_int_equal(sim_socket_at(world, conn)->error, 0);
    wait_ms(60000);
    assert_int_equal(error_of(conn), EHOSTUNREACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(active_open__syn_ack__acknowledges_and_is_connected),
        DIALOGUE(syn_sent__options_of_linux__are_told),
        DIALOGUE(syn_sent__rst_with_right_ack__is_refused),
        DIALOGUE(syn_sent__rst_with_wrong_ack__is_ignored),
        DIALOGUE(syn_sent__ack_of_nothing_sent__is_answered_with_rst),
        DIALOGUE(syn_sent__no_answer__schedule_of_linux_6_18),
        DIALOGUE(syn_sent__few_retries__ends_by_the_time_they_would_take),
        DIALOGUE(syn_sent__syncnt_option__stands_for_the_setting),
        DIALOGUE(syn_sent__answer_to_the_third_syn__is_connected),
        DIALOGUE(no_listener__syn__is_answered_with_rst),
        DIALOGUE(listener__handshake__accepts_one_connection),
        DIALOGUE(listener__ack_without_syn__is_answered_with_rst),
        DIALOGUE(half_open__syn_ack_lost__is_sent_again_with_backoff),
        DIALOGUE(half_open__syn_again__is_answered_again),
        DIALOGUE(half_open__rst__is_forgotten),
        DIALOGUE(half_open__wrong_ack__is_answered_with_rst),
        DIALOGUE(half_open__final_ack_with_data__data_is_there_at_once),
        DIALOGUE(accept_queue_full__syn__is_dropped_until_there_is_room),
        DIALOGUE(accept_queue_full__final_ack__is_dropped_and_syn_ack_asks_again),
        DIALOGUE(half_open_beyond_backlog__final_ack_dropped__data_brings_it_back),
        DIALOGUE(accept_queue_full__abort_on_overflow__final_ack_is_reset),
        DIALOGUE(listener_closed__children__complete_is_reset_half_open_forgotten),
        DIALOGUE(listening__calls__fail_as_linux_says),
        DIALOGUE(unconnected__calls__fail_as_linux_says),
        DIALOGUE(connected__listen__einval),
        DIALOGUE(both_connect_at_once__syn_meets_syn__one_connection),
        DIALOGUE(bound_to_its_own_target__connect__talks_to_itself),
        DIALOGUE(connect__no_port_listening_on_loopback__refused_at_once),
        DIALOGUE(loopback__handshake_and_bytes__both_ways),
        DIALOGUE(connect_to_broadcast_or_multicast__unreachable),
        DIALOGUE(syn_sent__icmp_unreachable__ends_the_attempt_with_its_errno),
        DIALOGUE(established__icmp_unreachable__is_told_only_when_it_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
