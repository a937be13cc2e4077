/* Ending: FIN both ways, half-close, RST, unread data, SO_LINGER, orphans, TIME_WAIT.
 * SPDX-License-Identifier: MIT */
#include "dialogue.h"

enum { ENDED = POLLIN | POLLOUT | POLLHUP | POLLRDHUP };

static void close__peer_closes_too__waits_60_s_then_is_gone(void **state)
{
    (void)state;
    active_open();
    do_close(conn);
    leaves(FIN | ACK, .seq = 1, .ack = 101);
    arrives(ACK, .seq = 101, .ack = 2);
    assert_int_equal(state_of(conn), SIM_TCP_FIN_WAIT_2);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK, .seq = 2, .ack = 102);
    assert_int_equal(state_of(conn), SIM_TCP_TIME_WAIT);
    wait_ms(59999);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 1);
    wait_ms(1);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
    arrives(ACK, .seq = 102, .ack = 2);
    leaves(RST, .seq = 2);
}

static void close__peer_silent_in_fin_wait_2__gone_after_fin_timeout(void **state)
{
    (void)state;
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(ACK, .seq = 101, .ack = 2);
    wait_ms(59999);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 1);
    wait_ms(1);
    nothing_leaves();
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void close__linger2_option__shortens_fin_wait_2(void **state)
{
    (void)state;
    active_open();
    do_set(conn, TCP_LINGER2, 5);
    do_close(conn);
    leaves(FIN | ACK);
    arrives(ACK, .seq = 101, .ack = 2);
    wait_ms(5000);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void fin_arrives__close__last_ack_then_gone(void **state)
{
    (void)state;
    active_open();
    arrives(FIN | ACK, .seq = 101, .ack = 1);
    leaves(ACK, .ack = 102);
    assert_int_equal(state_of(conn), SIM_TCP_CLOSE_WAIT);
    assert_int_equal(polls(conn), POLLIN | POLLOUT | POLLRDHUP);
    do_close(conn);
    leaves(FIN | ACK, .seq = 1, .ack = 102);
    arrives(ACK, .seq = 102, .ack = 2);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void both_close_at_once__fins_cross__closing_then_time_wait(void **state)
{
    (void)state;
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(FIN | ACK, .seq = 101, .ack = 1);
    leaves(ACK, .seq = 2, .ack = 102);
    assert_int_equal(state_of(conn), SIM_TCP_CLOSING);
    arrives(ACK, .seq = 102, .ack = 2);
    assert_int_equal(state_of(conn), SIM_TCP_TIME_WAIT);
    nothing_leaves();
}

/* close with data that nobody read: RST, measured; RFC 1122 4.2.2.13. */
static void close__data_unread__resets(void **state)
{
    (void)state;
    passive_open();
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "xy");
    leaves(ACK, .ack = 103);
    do_close(conn);
    leaves(RST | ACK, .seq = 1, .ack = 103);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 1); /* the listener */
    arrives(ACK, .seq = 103, .ack = 1);
    leaves(RST);
}

static void close__linger_zero__resets(void **state)
{
    (void)state;
    active_open();
    sim_socket_at(world, conn)->options |= SIM_OPTION_LINGER;
    do_close(conn);
    leaves(RST | ACK, .seq = 1, .ack = 101);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void close__data_unsent__is_sent_before_the_fin(void **state)
{
    (void)state;
    active_open();
    arrives(ACK, .seq = 101, .ack = 1, .win = 5);
    assert_int_equal(do_send(conn, "0123456789"), 10);
    nothing_leaves();
    do_close(conn);
    nothing_leaves();
    arrives(ACK, .seq = 101, .ack = 1, .win = 1000);
    leaves(FIN | PSH | ACK, .seq = 1, .data = "0123456789");
}

static void closed__data_arrives__resets(void **state)
{
    (void)state;
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(ACK, .seq = 101, .ack = 2);
    arrives(PSH | ACK, .seq = 101, .ack = 2, .data = "x");
    leaves(RST, .seq = 2);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void closed_fin_not_acknowledged__data_arrives__resets(void **state)
{
    (void)state;
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "x");
    leaves(RST, .seq = 1);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void shutdown_write__data_arrives__is_read_and_fin_ends_it(void **state)
{
    (void)state;
    active_open();
    assert_int_equal(do_shutdown(conn, SHUT_WR), 0);
    leaves(FIN | ACK);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    arrives(ACK, .seq = 101, .ack = 2);
    assert_int_equal(polls(conn), POLLOUT);
    arrives(PSH | ACK, .seq = 101, .ack = 2, .data = "x");
    leaves(ACK, .ack = 102);
    assert_int_equal(polls(conn), POLLIN | POLLOUT);
    receives(conn, "x");
    arrives(FIN | ACK, .seq = 102, .ack = 2);
    leaves(ACK, .ack = 103);
    /* Measured: the socket itself is closed now, TIME_WAIT is somebody else's. */
    assert_int_equal(state_of(conn), SIM_TCP_CLOSED);
    assert_int_equal(polls(conn), ENDED);
    assert_int_equal(do_receive(conn, 5, 0), 0);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(do_shutdown(conn, SHUT_RDWR), -ENOTCONN);
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    sim_socket_at(world, conn)->file.index = 1; /* as one that a program holds */
    assert_int_equal(sim_tcp_protocol.get_name(world, conn, true, (struct sockaddr *)&name, &length),
                     -ENOTCONN);
    sim_socket_at(world, conn)->file.index = 0;
    do_close(conn);
    arrives(FIN | ACK, .seq = 102, .ack = 2);
    leaves(ACK, .ack = 103);
    wait_ms(60000);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void shutdown_read__data_arrives__is_still_read(void **state)
{
    (void)state;
    passive_open();
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "abc");
    leaves(ACK);
    assert_int_equal(do_shutdown(conn, SHUT_RD), 0);
    assert_int_equal(polls(conn), POLLIN | POLLOUT | POLLRDHUP);
    nothing_leaves();
    receives(conn, "abc");
    assert_int_equal(do_receive(conn, 5, 0), 0);
    arrives(PSH | ACK, .seq = 104, .ack = 1, .data = "more");
    leaves(ACK, .ack = 108);
    receives(conn, "more");
    assert_int_equal(do_send(conn, "z"), 1);
    leaves(PSH | ACK, .data = "z");
}

static void established__rst__econnreset_once_then_end(void **state)
{
    (void)state;
    active_open();
    arrives(RST | ACK, .seq = 101, .ack = 1);
    assert_int_equal(polls(conn), ENDED | POLLERR);
    assert_int_equal(do_receive(conn, 5, 0), -ECONNRESET);
    assert_int_equal(polls(conn), ENDED);
    assert_int_equal(do_receive(conn, 5, 0), 0);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(do_shutdown(conn, SHUT_RDWR), -ENOTCONN);
}

static void established__rst_then_send__econnreset_then_epipe(void **state)
{
    (void)state;
    active_open();
    arrives(RST | ACK, .seq = 101, .ack = 1);
    assert_int_equal(do_send(conn, "x"), -ECONNRESET);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(do_receive(conn, 5, 0), 0);
}

static void unread_data__rst__data_first_then_the_error(void **state)
{
    (void)state;
    passive_open();
    arrives(PSH | ACK, .seq = 101, .ack = 1, .data = "abc");
    leaves(ACK);
    arrives(RST | ACK, .seq = 104, .ack = 1);
    assert_int_equal(do_receive(conn, 2, 0), 2);
    assert_int_equal(do_receive(conn, 5, 0), 1);
    assert_int_equal(do_receive(conn, 5, 0), -ECONNRESET);
    assert_int_equal(do_receive(conn, 5, 0), 0);
}

/* After FIN the reader sees the end; the error (EPIPE) is the writer's. */
static void close_wait__rst__reader_sees_end_writer_epipe(void **state)
{
    (void)state;
    active_open();
    arrives(FIN | ACK, .seq = 101, .ack = 1);
    leaves(ACK);
    assert_int_equal(do_send(conn, "x"), 1);
    leaves(PSH | ACK, .data = "x");
    arrives(RST, .seq = 102);
    assert_int_equal(polls(conn), ENDED | POLLERR);
    assert_int_equal(do_receive(conn, 5, 0), 0);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(polls(conn), ENDED);
    assert_int_equal(error_of(conn), 0);
}

static void connect_unspec__connected__resets_and_leaves_econnreset(void **state)
{
    (void)state;
    active_open();
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    assert_int_equal(sim_tcp_protocol.connect(world, conn, &none, sizeof none), 0);
    leaves(RST | ACK, .seq = 1);
    assert_int_equal(polls(conn), POLLOUT | POLLERR | POLLHUP);
    assert_int_equal(error_of(conn), ECONNRESET);
    assert_int_equal(do_send(conn, "x"), -EPIPE);
    assert_int_equal(do_receive(conn, 1, 0), -ENOTCONN);
    seen_syn = 0;
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EINPROGRESS);
    leaves(SYN);
}

static void orphan__peer_never_answers__gives_up_after_orphan_retries(void **state)
{
    (void)state;
    sim_host_set(world, host, "net.ipv4.tcp_orphan_retries", 3);
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    leaves_at(200, FIN | ACK);
    leaves_at(600, FIN | ACK);
    leaves_at(1400, FIN | ACK);
    leaves_at(3000, FIN | ACK); /* three times with backoff would take 3 s from the first: not over */
    wait_ms(3200);
    nothing_leaves();
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void reach_time_wait(void)
{
    active_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK, .ack = 102);
}

static void time_wait__fin_again__is_acknowledged_and_the_wait_begins_anew(void **state)
{
    (void)state;
    reach_time_wait();
    wait_ms(50000);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK, .seq = 2, .ack = 102);
    wait_ms(59999);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 1);
    wait_ms(1);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void time_wait__data_syn_rst__as_measured(void **state)
{
    (void)state;
    reach_time_wait();
    arrives(ACK, .seq = 102, .ack = 2);
    nothing_leaves();
    arrives(PSH | ACK, .seq = 102, .ack = 2, .data = "x");
    leaves(ACK, .ack = 102);
    arrives(SYN, .seq = 50); /* older than what was received */
    leaves(ACK, .ack = 102);
    arrives(SYN, .seq = 500); /* good, but nobody listens */
    leaves(ACK, .ack = 102);
    arrives(RST, .seq = 102); /* RFC 1337 is not followed by default */
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

static void time_wait__newer_syn_for_a_listener__is_a_new_connection(void **state)
{
    (void)state;
    passive_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK);
    assert_int_equal(state_of(conn), SIM_TCP_TIME_WAIT);
    uint32_t old_isn = our_isn;
    seen_syn = 0;
    arrives(SYN, .seq = 5000);
    leaves(SYN | ACK, .ack = 5001);
    assert_int_equal(our_isn, old_isn + 2 + 65535 + 2);
    arrives(ACK, .seq = 5001, .ack = 1);
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
}

static void time_wait__bind_to_its_port__needs_reuseaddr(void **state)
{
    (void)state;
    passive_open();
    do_close(conn);
    leaves(FIN | ACK);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK);
    do_close(listener);
    struct sim_socket_id again = new_socket();
    assert_int_equal(do_bind(again, 0, PORT), -EADDRINUSE);
    sim_socket_at(world, again)->options |= SIM_OPTION_REUSEADDR;
    /* LINUX: the one that waits must have had it too. */
    assert_int_equal(do_bind(again, 0, PORT), -EADDRINUSE);
    wait_ms(60000);
    assert_int_equal(do_bind(again, 0, PORT), 0);
}

static void time_wait__bind_with_reuseaddr_on_both__works(void **state)
{
    (void)state;
    listener = new_socket();
    sim_socket_at(world, listener)->options |= SIM_OPTION_REUSEADDR;
    assert_int_equal(do_bind(listener, 0, PORT), 0);
    assert_int_equal(sim_tcp_protocol.listen(world, listener, 5), 0);
    conn = handshake(0);
    do_close(conn);
    leaves(FIN | ACK);
    arrives(FIN | ACK, .seq = 101, .ack = 2);
    leaves(ACK);
    do_close(listener);
    struct sim_socket_id again = new_socket();
    sim_socket_at(world, again)->options |= SIM_OPTION_REUSEADDR;
    assert_int_equal(do_bind(again, 0, PORT), 0);
    assert_int_equal(sim_tcp_protocol.listen(world, again, 5), 0);
}

static void unaccepted_child__peer_resets__accept_gives_it_with_its_error(void **state)
{
    (void)state;
    listens(5);
    arrives(SYN, .seq = 100);
    leaves(SYN | ACK);
    arrives(ACK, .seq = 101, .ack = 1);
    arrives(RST, .seq = 101);
    assert_int_equal(polls(listener), POLLIN);
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &conn), 0);
    assert_int_equal(do_receive(conn, 1, 0), -ECONNRESET);
    do_close(conn);
    do_close(listener);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(close__peer_closes_too__waits_60_s_then_is_gone),
        DIALOGUE(close__peer_silent_in_fin_wait_2__gone_after_fin_timeout),
        DIALOGUE(close__linger2_option__shortens_fin_wait_2),
        DIALOGUE(fin_arrives__close__last_ack_then_gone),
        DIALOGUE(both_close_at_once__fins_cross__closing_then_time_wait),
        DIALOGUE(close__data_unread__resets),
        DIALOGUE(close__linger_zero__resets),
        DIALOGUE(close__data_unsent__is_sent_before_the_fin),
        DIALOGUE(closed__data_arrives__resets),
        DIALOGUE(closed_fin_not_acknowledged__data_arrives__resets),
        DIALOGUE(shutdown_write__data_arrives__is_read_and_fin_ends_it),
        DIALOGUE(shutdown_read__data_arrives__is_still_read),
        DIALOGUE(established__rst__econnreset_once_then_end),
        DIALOGUE(established__rst_then_send__econnreset_then_epipe),
        DIALOGUE(unread_data__rst__data_first_then_the_error),
        DIALOGUE(close_wait__rst__reader_sees_end_writer_epipe),
        DIALOGUE(connect_unspec__connected__resets_and_leaves_econnreset),
        DIALOGUE(orphan__peer_never_answers__gives_up_after_orphan_retries),
        DIALOGUE(time_wait__fin_again__is_acknowledged_and_the_wait_begins_anew),
        DIALOGUE(time_wait__data_syn_rst__as_measured),
        DIALOGUE(time_wait__newer_syn_for_a_listener__is_a_new_connection),
        DIALOGUE(time_wait__bind_to_its_port__needs_reuseaddr),
        DIALOGUE(time_wait__bind_with_reuseaddr_on_both__works),
        DIALOGUE(unaccepted_child__peer_resets__accept_gives_it_with_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
