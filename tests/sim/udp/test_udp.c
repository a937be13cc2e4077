/* UDP: binding, sending, receiving, refusal, the buffer, groups, both IP versions.
 * SPDX-License-Identifier: MIT */
#include <time.h>

#include <linux/errqueue.h>

#include "../two_hosts.h"

/* ---- sending and receiving ---- */

static void bound_socket__datagram_from_another_host__is_read_with_its_source(void **state)
{
    const struct sim_socket_id server = socket_at(b, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(binds(server, "10.0.0.2", 53), 0);
    assert_int_equal(sends_to(client, "hello", "10.0.0.2", 53), 5);
    assert_receives_nothing(server); /* it is a millisecond away */
    settle();
    assert_int_equal(world->now, MILLISECOND);
    assert_receives(server, "hello");
    assert_int_equal(got.from_bytes, sizeof got.from.in);
    assert_int_equal(got.from.in.sin_addr.s_addr, htonl(0x0a000001));
    assert_int_equal(ntohs(got.from.in.sin_port), sim_socket_at(world, client)->local.port);
    assert_receives_nothing(server);
}

static void unbound_socket__send_fails__has_a_port_all_the_same(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(sends(client, "x"), -EDESTADDRREQ);
    assert_in_range(sim_socket_at(world, client)->local.port, 32768, 60999);
}

static void datagram__short_buffer__is_cut_and_told(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(binds(own, "127.0.0.1", 1000), 0);
    for (int i = 0; i < 3; i++) {
        sends_to(own, "abcdef", "127.0.0.1", 1000);
    }
    settle();
    assert_int_equal(receives_flags(own, 2, MSG_PEEK), 2);
    assert_int_equal(got.flags, MSG_TRUNC);
    assert_int_equal(receives_flags(own, 2, MSG_TRUNC), 6);
    assert_int_equal(receives_flags(own, 2, 0), 2);
    assert_memory_equal(got.data, "ab", 2);
    assert_receives(own, "abcdef"); /* the rest of the second is lost */
}

static void empty_datagram__is_read__as_zero_bytes(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    binds(own, "127.0.0.1", 1000);
    assert_int_equal(sends_to(own, "", "127.0.0.1", 1000), 0);
    settle();
    assert_true((polls(own) & POLLIN) != 0);
    assert_int_equal(receives_flags(own, 9, MSG_DONTWAIT), 0);
    assert_int_equal(got.from_bytes, sizeof got.from.in);
}

static void destinations__that_cannot_be__are_refused(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    static char big[65508];
    memset(big, 'x', sizeof big - 1);
    assert_int_equal(sends_to(own, "x", "10.0.0.2", 0), -EINVAL);
    assert_int_equal(sends_to(own, "x", "10.0.0.255", 9), -EACCES);
    assert_int_equal(sends_to(own, "x", "255.255.255.255", 9), -EACCES);
    assert_int_equal(sends_to(own, big, "10.0.0.2", 9), 65507);
    assert_int_equal(connects(own, "10.0.0.2", 9), 0);
    assert_int_equal(sends_bytes(own, 65508), -EMSGSIZE);
    assert_int_equal(sends_bytes(own, 65536), -EMSGSIZE);
    sets(own, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    assert_int_equal(sends_bytes(own, 1472), 1472);
    assert_int_equal(sends_bytes(own, 1473), -EMSGSIZE);
}

static void bound_to_loopback__sends_outside__is_invalid(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(binds(own, "127.0.0.1", 0), 0);
    assert_int_equal(sends_to(own, "x", "10.0.0.2", 9), -EINVAL);
    assert_int_equal(connects(own, "10.0.0.2", 9), -EINVAL);
}

/* ---- connecting ---- */

static void connect__chooses_the_source__and_filters_the_peer(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id server = socket_at(b, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id stranger = socket_at(b, AF_INET, SOCK_DGRAM);
    binds(client, "0.0.0.0", 4000);
    binds(server, "10.0.0.2", 53);
    assert_int_equal(connects(client, "10.0.0.2", 53), 0);
    assert_string_equal(name_text(client, false), "10.0.0.1 4000");
    assert_string_equal(name_text(client, true), "10.0.0.2 53");
    sends_to(stranger, "stranger", "10.0.0.1", 4000);
    sends_to(server, "friend", "10.0.0.1", 4000);
    settle();
    assert_receives(client, "friend");
    assert_receives_nothing(client);
}

static void disconnect__forgets_what_bind_did_not_name(void **state)
{
    const struct sim_socket_id chosen = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id named = socket_at(a, AF_INET, SOCK_DGRAM);
    connects(chosen, "10.0.0.2", 53);
    assert_int_equal(disconnects(chosen), 0);
    assert_string_equal(name_text(chosen, false), "0.0.0.0 0");
    assert_string_equal(name_text(chosen, true), "none");
    binds(named, "10.0.0.1", 4000);
    connects(named, "10.0.0.2", 53);
    assert_int_equal(disconnects(named), 0);
    assert_string_equal(name_text(named, false), "10.0.0.1 4000");
}

static void connected_to_any__means_this_host(void **state)
{
    const struct sim_socket_id v4 = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id v6 = socket_at(a, AF_INET6, SOCK_DGRAM);
    assert_int_equal(connects(v4, "0.0.0.0", 9), 0);
    assert_string_equal(name_text(v4, true), "127.0.0.1 9");
    assert_int_equal(connects(v6, "::", 9), 0);
    assert_string_equal(name_text(v6, true), "::1 9");
}

/* ---- refusal ---- */

static void closed_port__connected_socket__is_refused_once(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    connects(client, "10.0.0.2", 53);
    assert_int_equal(sends(client, "anybody?"), 8);
    settle(); /* the answer is an ICMP port unreachable */
    assert_int_equal(world->now, 2 * MILLISECOND);
    assert_true((polls(client) & POLLERR) != 0);
    assert_int_equal(receives_flags(client, 9, MSG_DONTWAIT), -ECONNREFUSED);
    assert_receives_nothing(client);
    assert_int_equal(sends(client, "again"), 5);
    settle();
    assert_int_equal(sends(client, "told by the next send"), -ECONNREFUSED);
    assert_int_equal(sends(client, "x"), 1);
    settle();
    assert_int_equal(gets(client, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    assert_int_equal(gets(client, SOL_SOCKET, SO_ERROR), 0);
}

static void closed_port__unconnected_socket__hears_nothing(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    sends_to(client, "anybody?", "10.0.0.2", 53);
    settle();
    assert_int_equal(gets(client, SOL_SOCKET, SO_ERROR), 0);
    assert_receives_nothing(client);
}

static void closed_port__recverr__queues_the_datagram_with_its_error(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    struct sock_extended_err error;
    sets(client, IPPROTO_IP, IP_RECVERR, 1);
    sends_to(client, "anybody?", "10.0.0.2", 53);
    settle();
    assert_int_equal(receives_flags(client, 20, MSG_ERRQUEUE), 8);
    assert_string_equal(got.data, "anybody?");
    assert_int_equal(got.flags, MSG_ERRQUEUE);
    assert_int_equal(ntohs(got.from.in.sin_port), 53); /* where it was going */
    assert_non_null(told(IPPROTO_IP, IP_RECVERR));
    memcpy(&error, told(IPPROTO_IP, IP_RECVERR), sizeof error);
    assert_int_equal(error.ee_errno, ECONNREFUSED);
    assert_int_equal(error.ee_origin, SO_EE_ORIGIN_ICMP);
    assert_int_equal(error.ee_type, 3);
    assert_int_equal(error.ee_code, 3);
    assert_int_equal(receives_flags(client, 20, MSG_ERRQUEUE), -EAGAIN);
    assert_int_equal(gets(client, SOL_SOCKET, SO_ERROR), 0); /* read with the entry */
}

static void seven_errors_at_once__the_seventh__is_not_sent(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    int errors = 0;
    sets(client, IPPROTO_IP, IP_RECVERR, 1);
    for (int i = 0; i < 7; i++) {
        gets(client, SOL_SOCKET, SO_ERROR);
        sends_to(client, "x", "10.0.0.2", 53);
        settle();
    }
    while (receives_flags(client, 9, MSG_ERRQUEUE) >= 0) {
        errors++;
    }
    assert_int_equal(errors, 6);
}

/* ---- the buffer ---- */

/* Numbers observed on Linux 6.18 over loopback. */
static void full_buffer__datagrams__are_dropped(void **state)
{
    static const struct {
        int buffer;
        size_t length;
        int kept;
    } seen[] = {{0, 1, 2},        {0, 600, 1},        {0, 5000, 1},      {2304, 100, 5},
                {2304, 600, 3},   {5000, 1400, 4},    {20000, 100, 48},  {20000, 1400, 17},
                {106496, 0, 256}, {106496, 600, 166}, {106496, 5000, 25}};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        const struct sim_socket_id server = socket_at(a, AF_INET, SOCK_DGRAM);
        const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
        int kept = 0;
        binds(server, "127.0.0.1", 1000);
        connects(client, "127.0.0.1", 1000);
        sets(server, SOL_SOCKET, SO_RCVBUF, seen[i].buffer);
        for (int n = 0; n < 300; n++) {
            sends_bytes(client, seen[i].length);
            settle();
        }
        while (receives_flags(server, 1, MSG_DONTWAIT) >= 0) {
            kept++;
        }
        assert_int_equal(kept, seen[i].kept);
        assert_int_equal(sim_socket_at(world, server)->receive_charge, 0);
        sim_socket_release(world, server);
        sim_socket_release(world, client);
    }
}

/* ---- sharing a port ---- */

static void port_in_use__second_bind__is_refused(void **state)
{
    const struct sim_socket_id first = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id second = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(binds(first, "0.0.0.0", 1000), 0);
    assert_int_equal(binds(second, "127.0.0.1", 1000), -EADDRINUSE);
    sets(first, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(binds(second, "127.0.0.1", 1000), -EADDRINUSE);
    sets(second, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(binds(second, "0.0.0.0", 1000), 0);
}

static void shared_port__datagram__goes_to_who_bound_last(void **state)
{
    const struct sim_socket_id first = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id second = socket_at(a, AF_INET, SOCK_DGRAM);
    sets(first, SOL_SOCKET, SO_REUSEADDR, 1);
    sets(second, SOL_SOCKET, SO_REUSEADDR, 1);
    binds(first, "0.0.0.0", 1000);
    binds(second, "0.0.0.0", 1000);
    sends_to(first, "who", "127.0.0.1", 1000);
    settle();
    assert_receives_nothing(first);
    assert_receives(second, "who");
}

static void specific_address__datagram__prefers_it_to_the_wildcard(void **state)
{
    const struct sim_socket_id wildcard = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id specific = socket_at(a, AF_INET, SOCK_DGRAM);
    sets(wildcard, SOL_SOCKET, SO_REUSEADDR, 1);
    sets(specific, SOL_SOCKET, SO_REUSEADDR, 1);
    binds(specific, "127.0.0.1", 1000);
    binds(wildcard, "0.0.0.0", 1000);
    sends_to(wildcard, "near", "127.0.0.1", 1000);
    sends_to(wildcard, "far", "10.0.0.1", 1000);
    settle();
    assert_receives(specific, "near");
    assert_receives(wildcard, "far");
}

static void reuseport_group__same_peer__same_member(void **state)
{
    struct sim_socket_id members[4];
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    int heard = 0;
    for (size_t i = 0; i < 4; i++) {
        members[i] = socket_at(a, AF_INET, SOCK_DGRAM);
        sets(members[i], SOL_SOCKET, SO_REUSEPORT, 1);
        assert_int_equal(binds(members[i], "0.0.0.0", 1000), 0);
    }
    for (int n = 0; n < 5; n++) {
        sends_to(client, "x", "127.0.0.1", 1000);
    }
    settle();
    for (size_t i = 0; i < 4; i++) {
        int count = 0;
        while (receives_flags(members[i], 9, MSG_DONTWAIT) >= 0) {
            count++;
        }
        assert_true(count == 0 || count == 5);
        heard += count;
    }
    assert_int_equal(heard, 5);
}

/* ---- two versions ---- */

static void dual_stack__ipv4_datagram__comes_as_a_mapped_address(void **state)
{
    const struct sim_socket_id both = socket_at(a, AF_INET6, SOCK_DGRAM);
    const struct sim_socket_id v4 = socket_at(a, AF_INET, SOCK_DGRAM);
    binds(both, "::", 1000);
    assert_int_equal(binds(v4, "0.0.0.0", 1000), -EADDRINUSE);
    sends_to(v4, "four", "127.0.0.1", 1000);
    settle();
    assert_receives(both, "four");
    assert_int_equal(got.from_bytes, sizeof got.from.in6);
    assert_true(IN6_IS_ADDR_V4MAPPED(&got.from.in6.sin6_addr));
    assert_int_equal(sends_to(both, "mapped", "::ffff:127.0.0.1", 1000), 6);
    assert_int_equal(sends_to(both, "plain", "127.0.0.1", 1000), 5);
    settle();
    assert_receives(both, "mapped");
    assert_receives(both, "plain");
}

static void v6only__ipv4__neither_comes_nor_goes(void **state)
{
    const struct sim_socket_id six = socket_at(a, AF_INET6, SOCK_DGRAM);
    const struct sim_socket_id four = socket_at(a, AF_INET, SOCK_DGRAM);
    sets(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    binds(six, "::", 1000);
    assert_int_equal(binds(four, "0.0.0.0", 1000), 0);
    assert_int_equal(sends_to(six, "x", "::ffff:127.0.0.1", 1000), -ENETUNREACH);
    sends_to(four, "four", "127.0.0.1", 1000);
    settle();
    assert_receives_nothing(six);
    assert_receives(four, "four");
}

static void one_ipv6_address__bind__makes_the_socket_v6only(void **state)
{
    const struct sim_socket_id six = socket_at(a, AF_INET6, SOCK_DGRAM);
    const struct sim_socket_id four = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(binds(six, "fd00::1", 1000), 0);
    assert_int_equal(gets(six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    assert_int_equal(binds(four, "0.0.0.0", 1000), 0);
}

static void bound_to_ipv4__sends_to_ipv6__is_of_the_wrong_family(void **state)
{
    const struct sim_socket_id six = socket_at(a, AF_INET6, SOCK_DGRAM);
    binds(six, "::ffff:127.0.0.1", 1000);
    assert_int_equal(sends_to(six, "x", "::1", 9), -EAFNOSUPPORT);
    assert_int_equal(connects(six, "::1", 9), -EAFNOSUPPORT);
}

static void closed_port_ipv6__connected_socket__is_refused(void **state)
{
    const struct sim_socket_id client = socket_at(a, AF_INET6, SOCK_DGRAM);
    assert_int_equal(connects(client, "fd00::2", 53), 0);
    assert_string_equal(name_text(client, true), "fd00::2 53");
    sends(client, "x");
    settle();
    assert_int_equal(receives_flags(client, 9, MSG_DONTWAIT), -ECONNREFUSED);
}

/* ---- to many ---- */

static void broadcast__all_hosts_of_the_link__hear_it_and_the_sender_too(void **state)
{
    const struct sim_socket_id here = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id there = socket_at(b, AF_INET, SOCK_DGRAM);
    binds(here, "0.0.0.0", 1000);
    binds(there, "0.0.0.0", 1000);
    sets(here, SOL_SOCKET, SO_BROADCAST, 1);
    assert_int_equal(sends_to(here, "all", "10.0.0.255", 1000), 3);
    assert_int_equal(sends_to(here, "every", "255.255.255.255", 1000), 5);
    settle();
    assert_receives(here, "all");
    assert_receives(here, "every");
    assert_receives(there, "all");
    assert_receives(there, "every");
}

static void group__only_members__hear_it(void **state)
{
    const struct sim_socket_id sender = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id there = socket_at(b, AF_INET, SOCK_DGRAM);
    struct ip_mreqn join = {.imr_multiaddr.s_addr = htonl(0xe0010101)};
    binds(there, "0.0.0.0", 1000);
    sends_to(sender, "early", "224.1.1.1", 1000);
    settle();
    assert_receives_nothing(there);
    assert_int_equal(sim_option_set(world, there, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join),
                     0);
    assert_int_equal(sim_option_set(world, there, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join),
                     -EADDRINUSE);
    sends_to(sender, "now", "224.1.1.1", 1000);
    settle();
    assert_receives(there, "now");
    assert_int_equal(sim_option_set(world, there, IPPROTO_IP, IP_DROP_MEMBERSHIP, &join, sizeof join),
                     0);
    sends_to(sender, "late", "224.1.1.1", 1000);
    settle();
    assert_receives_nothing(there);
}

/* ---- control messages ---- */

static void asked_for__ttl_tos_and_destination__are_told(void **state)
{
    const struct sim_socket_id server = socket_at(b, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id client = socket_at(a, AF_INET, SOCK_DGRAM);
    binds(server, "0.0.0.0", 1000);
    sets(server, IPPROTO_IP, IP_PKTINFO, 1);
    sets(server, IPPROTO_IP, IP_RECVTTL, 1);
    sets(server, IPPROTO_IP, IP_RECVTOS, 1);
    sets(server, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    sets(client, IPPROTO_IP, IP_TTL, 7);
    sets(client, IPPROTO_IP, IP_TOS, 0x10);
    sends_to(client, "x", "10.0.0.2", 1000);
    settle();
    assert_receives(server, "x");
    const struct in_pktinfo *info = told(IPPROTO_IP, IP_PKTINFO);
    assert_non_null(info);
    assert_int_equal(info->ipi_ifindex, 2);
    assert_int_equal(info->ipi_addr.s_addr, htonl(0x0a000002));
    assert_int_equal(*(const int *)told(IPPROTO_IP, IP_TTL), 7);
    assert_int_equal(*(const unsigned char *)told(IPPROTO_IP, IP_TOS), 0x10);
    const struct timespec *time = told(SOL_SOCKET, SCM_TIMESTAMPNS);
    assert_int_equal(time->tv_nsec, (world->wall_offset_ns + world->now) % SECOND);
}

/* ---- shutdown ---- */

static void shut_for_reading__empty__ends_only_calls_that_would_wait(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    binds(own, "127.0.0.1", 1000);
    assert_int_equal(rules_of(own)->shutdown(world, own, SHUT_RD), -ENOTCONN); /* and it works */
    assert_int_equal(receives_flags(own, 9, MSG_DONTWAIT), -EAGAIN);
    assert_int_equal(receives_flags(own, 9, 0), 0);
    assert_true((polls(own) & (POLLIN | POLLRDHUP)) == (POLLIN | POLLRDHUP));
    connects(own, "127.0.0.1", 1000);
    assert_int_equal(rules_of(own)->shutdown(world, own, SHUT_WR), 0);
    assert_int_equal(sends(own, "x"), -EPIPE);
    assert_true((polls(own) & POLLHUP) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(bound_socket__datagram_from_another_host__is_read_with_its_source),
        TWO_HOSTS(unbound_socket__send_fails__has_a_port_all_the_same),
        TWO_HOSTS(datagram__short_buffer__is_cut_and_told),
        TWO_HOSTS(empty_datagram__is_read__as_zero_bytes),
        TWO_HOSTS(destinations__that_cannot_be__are_refused),
        TWO_HOSTS(bound_to_loopback__sends_outside__is_invalid),
        TWO_HOSTS(connect__chooses_the_source__and_filters_the_peer),
        TWO_HOSTS(disconnect__forgets_what_bind_did_not_name),
        TWO_HOSTS(connected_to_any__means_this_host),
        TWO_HOSTS(closed_port__connected_socket__is_refused_once),
        TWO_HOSTS(closed_port__unconnected_socket__hears_nothing),
        TWO_HOSTS(closed_port__recverr__queues_the_datagram_with_its_error),
        TWO_HOSTS(seven_errors_at_once__the_seventh__is_not_sent),
        TWO_HOSTS(full_buffer__datagrams__are_dropped),
        TWO_HOSTS(port_in_use__second_bind__is_refused),
        TWO_HOSTS(shared_port__datagram__goes_to_who_bound_last),
        TWO_HOSTS(specific_address__datagram__prefers_it_to_the_wildcard),
        TWO_HOSTS(reuseport_group__same_peer__same_member),
        TWO_HOSTS(dual_stack__ipv4_datagram__comes_as_a_mapped_address),
        TWO_HOSTS(v6only__ipv4__neither_comes_nor_goes),
        TWO_HOSTS(one_ipv6_address__bind__makes_the_socket_v6only),
        TWO_HOSTS(bound_to_ipv4__sends_to_ipv6__is_of_the_wrong_family),
        TWO_HOSTS(closed_port_ipv6__connected_socket__is_refused),
        TWO_HOSTS(broadcast__all_hosts_of_the_link__hear_it_and_the_sender_too),
        TWO_HOSTS(group__only_members__hear_it),
        TWO_HOSTS(asked_for__ttl_tos_and_destination__are_told),
        TWO_HOSTS(shut_for_reading__empty__ends_only_calls_that_would_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
