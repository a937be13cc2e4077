/* Options: their defaults, ranges, forms and errors, as Linux 6.18 answers.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <net/if.h>
#include <sys/time.h>

#include "../two_hosts.h"

static int sets_bytes(struct sim_socket_id id, int level, int name, const void *value, socklen_t length)
{
    return sim_option_set(world, id, level, name, value, length);
}

/* ---- SOL_SOCKET ---- */

static void fresh_sockets__tell__what_they_are(void **state)
{
    const struct sim_socket_id udp = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id tcp = socket_at(a, AF_INET6, SOCK_STREAM);
    const struct sim_socket_id raw = socket_at(a, AF_UNIX, SOCK_RAW);
    assert_int_equal(gets(udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    assert_int_equal(gets(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    assert_int_equal(gets(udp, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(gets(udp, SOL_SOCKET, SO_RCVBUF), 212992);
    assert_int_equal(gets(tcp, SOL_SOCKET, SO_RCVBUF), 131072);
    assert_int_equal(gets(tcp, SOL_SOCKET, SO_SNDBUF), 16384);
    assert_int_equal(gets(raw, SOL_SOCKET, SO_TYPE), SOCK_DGRAM); /* BSD's name for it */
    assert_int_equal(gets(raw, SOL_SOCKET, SO_PROTOCOL), 0);
    assert_int_equal(sets(udp, SOL_SOCKET, SO_TYPE, SOCK_STREAM), -ENOPROTOOPT);
    assert_int_equal(sets(udp, SOL_SOCKET, SO_ERROR, 0), -ENOPROTOOPT);
}

static void buffer__set__is_doubled_within_its_bounds(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    static const struct {
        int given, receive, send;
    } seen[] = {{0, 2304, 4608},
                {1, 2304, 4608},
                {5000, 10000, 10000},
                {100000000, 8388608, 8388608},
                {-1, 8388608, 8388608}};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        assert_int_equal(sets(id, SOL_SOCKET, SO_RCVBUF, seen[i].given), 0);
        assert_int_equal(gets(id, SOL_SOCKET, SO_RCVBUF), seen[i].receive);
        assert_int_equal(sets(id, SOL_SOCKET, SO_SNDBUF, seen[i].given), 0);
        assert_int_equal(gets(id, SOL_SOCKET, SO_SNDBUF), seen[i].send);
    }
    sim_host_set(world, a, "net.core.rmem_max", 10000);
    sets(id, SOL_SOCKET, SO_RCVBUF, 50000);
    assert_int_equal(gets(id, SOL_SOCKET, SO_RCVBUF), 20000);
    assert_int_equal(sets(id, SOL_SOCKET, SO_RCVBUFFORCE, 50000), 0);
    assert_int_equal(gets(id, SOL_SOCKET, SO_RCVBUF), 100000);
    sim_process_at(world, process)->uid = 1000;
    assert_int_equal(sets(id, SOL_SOCKET, SO_RCVBUFFORCE, 50000), -EPERM);
}

static void timeout__set__counts_in_jiffies_and_knows_its_domain(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    struct sim_socket *socket = sim_socket_at(world, id);
    struct timeval time = {.tv_sec = 1, .tv_usec = 1001};
    socklen_t length = sizeof time;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    assert_int_equal(socket->receive_timeout_ns, 1004 * MILLISECOND);
    sim_option_get(world, id, SOL_SOCKET, SO_RCVTIMEO, &time, &length);
    assert_int_equal(time.tv_usec, 4000);
    time.tv_usec = 1000000;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), -EDOM);
    time.tv_usec = -1;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), -EDOM);
    time = (struct timeval){.tv_sec = -1};
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    assert_int_equal(socket->receive_timeout_ns, 1); /* do not wait */
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_RCVTIMEO, &time, 8), -EINVAL);
    time = (struct timeval){0};
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    assert_int_equal(socket->receive_timeout_ns, 0);
}

static void value__short_or_missing__is_an_error_of_its_own(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET6, SOCK_DGRAM);
    const unsigned char byte = 7;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_REUSEADDR, &byte, 1), -EINVAL);
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_REUSEADDR, NULL, 4), -EFAULT);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_TTL, &byte, 1), 0);
    assert_int_equal(gets(id, IPPROTO_IP, IP_TTL), 7);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_TTL, NULL, 4), -EFAULT);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_RECVTTL, &byte, 0), 0); /* nothing counts as 0 */
    assert_int_equal(sets_bytes(id, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &byte, 1), -EINVAL);
    assert_int_equal(sets_bytes(id, IPPROTO_IPV6, IPV6_UNICAST_HOPS, NULL, 4), 0); /* counts as 0 */
    assert_int_equal(gets(id, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 0);
}

static void little_room__get__tells_what_fits(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    unsigned char bytes[16] = {0};
    socklen_t length = 1;
    assert_int_equal(sim_option_get(world, id, SOL_SOCKET, SO_TYPE, bytes, &length), 0);
    assert_int_equal(length, 1);
    assert_int_equal(bytes[0], SOCK_DGRAM);
    length = 3;
    sim_option_get(world, id, IPPROTO_IP, IP_TTL, bytes, &length);
    assert_int_equal(length, 1); /* a byte, since four do not fit */
    length = sizeof bytes;
    sim_option_get(world, id, SOL_SOCKET, SO_TYPE, bytes, &length);
    assert_int_equal(length, 4);
}

static void names_nobody_knows__are_told_by_level(void **state)
{
    const struct sim_socket_id four = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id six = socket_at(a, AF_INET6, SOCK_DGRAM);
    const struct sim_socket_id local = socket_at(a, AF_UNIX, SOCK_STREAM);
    assert_int_equal(gets(four, SOL_SOCKET, 99), -ENOPROTOOPT);
    assert_int_equal(sets(four, 99, 1, 1), -ENOPROTOOPT);
    assert_int_equal(gets(four, 99, 1), -EOPNOTSUPP);
    assert_int_equal(gets(six, 99, 1), -ENOPROTOOPT);
    assert_int_equal(gets(four, IPPROTO_IPV6, IPV6_V6ONLY), -EOPNOTSUPP);
    assert_int_equal(gets(local, IPPROTO_IP, IP_TTL), -EOPNOTSUPP);
    assert_int_equal(sets(local, IPPROTO_IP, IP_TTL, 1), -EOPNOTSUPP);
}

static void linger__switched_off__keeps_its_time(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_STREAM);
    struct linger linger = {.l_onoff = 1, .l_linger = 7};
    socklen_t length = sizeof linger;
    assert_int_equal(sets(id, SOL_SOCKET, SO_LINGER, 1), -EINVAL);
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    linger = (struct linger){0};
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    sim_option_get(world, id, SOL_SOCKET, SO_LINGER, &linger, &length);
    assert_int_equal(linger.l_onoff, 0);
    assert_int_equal(linger.l_linger, 7);
}

static void bindtodevice__name__is_told_again(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    char name[IFNAMSIZ] = "";
    socklen_t length = sizeof name;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_BINDTODEVICE, "eth7", 5), -ENODEV);
    assert_int_equal(sim_option_get(world, id, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
    length = sizeof name;
    sim_option_get(world, id, SOL_SOCKET, SO_BINDTODEVICE, name, &length);
    assert_string_equal(name, "eth0");
    assert_int_equal(length, 5);
    assert_int_equal(gets(id, SOL_SOCKET, SO_BINDTOIFINDEX), 2);
    sim_process_at(world, process)->uid = 1000;
    assert_int_equal(sets_bytes(id, SOL_SOCKET, SO_BINDTODEVICE, "", 1), -EPERM);
}

static void privileges__missing__are_told(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    sim_process_at(world, process)->uid = 1000;
    assert_int_equal(sets(id, SOL_SOCKET, SO_PRIORITY, 6), 0);
    assert_int_equal(sets(id, SOL_SOCKET, SO_PRIORITY, 7), -EPERM);
    assert_int_equal(sets(id, SOL_SOCKET, SO_MARK, 1), -EPERM);
    assert_int_equal(sets(id, SOL_SOCKET, SO_DEBUG, 1), -EACCES);
    assert_int_equal(sets(id, IPPROTO_IP, IP_TRANSPARENT, 1), -EPERM);
}

static void options_of_unix_sockets__others__do_not_support(void **state)
{
    const struct sim_socket_id local = socket_at(a, AF_UNIX, SOCK_STREAM);
    const struct sim_socket_id four = socket_at(a, AF_INET, SOCK_STREAM);
    assert_int_equal(sets(local, SOL_SOCKET, SO_PASSCRED, 1), 0);
    assert_int_equal(gets(local, SOL_SOCKET, SO_PASSCRED), 1);
    assert_int_equal(sets(four, SOL_SOCKET, SO_PASSCRED, 1), -EOPNOTSUPP);
    assert_int_equal(sets(local, SOL_SOCKET, SO_REUSEPORT, 1), -EOPNOTSUPP);
    assert_int_equal(sets(local, SOL_SOCKET, SO_REUSEPORT, 0), 0);
}

static void timestamps__one_switch__two_forms(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    sets(id, SOL_SOCKET, SO_TIMESTAMP, 1);
    sets(id, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    assert_int_equal(gets(id, SOL_SOCKET, SO_TIMESTAMP), 0);
    assert_int_equal(gets(id, SOL_SOCKET, SO_TIMESTAMPNS), 1);
    sets(id, SOL_SOCKET, SO_TIMESTAMP, 0);
    assert_int_equal(gets(id, SOL_SOCKET, SO_TIMESTAMPNS), 0);
}

/* ---- IPPROTO_IP, IPPROTO_IPV6 ---- */

static void ttl__outside_1_to_255__is_invalid(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(gets(id, IPPROTO_IP, IP_TTL), 64);
    assert_int_equal(sets(id, IPPROTO_IP, IP_TTL, 0), -EINVAL);
    assert_int_equal(sets(id, IPPROTO_IP, IP_TTL, 256), -EINVAL);
    assert_int_equal(sets(id, IPPROTO_IP, IP_TTL, 255), 0);
    assert_int_equal(sets(id, IPPROTO_IP, IP_TTL, -1), 0); /* the host's */
    sim_host_set(world, a, "net.ipv4.ip_default_ttl", 33);
    assert_int_equal(gets(id, IPPROTO_IP, IP_TTL), 33);
}

static void tos__of_a_stream__leaves_the_ecn_bits_alone(void **state)
{
    const struct sim_socket_id datagram = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id stream = socket_at(a, AF_INET, SOCK_STREAM);
    sets(datagram, IPPROTO_IP, IP_TOS, 0x13);
    sets(stream, IPPROTO_IP, IP_TOS, 0x13);
    assert_int_equal(gets(datagram, IPPROTO_IP, IP_TOS), 0x13);
    assert_int_equal(gets(stream, IPPROTO_IP, IP_TOS), 0x10);
    assert_int_equal(gets(stream, SOL_SOCKET, SO_PRIORITY), 6);
}

static void mtu__without_a_peer__is_not_known(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(gets(id, IPPROTO_IP, IP_MTU), -ENOTCONN);
    connects(id, "10.0.0.2", 9);
    assert_int_equal(gets(id, IPPROTO_IP, IP_MTU), 1500);
    connects(id, "10.0.0.1", 9);
    assert_int_equal(gets(id, IPPROTO_IP, IP_MTU), 65536);
}

static void v6only__after_bind__cannot_change(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET6, SOCK_DGRAM);
    assert_int_equal(sets(id, IPPROTO_IPV6, IPV6_V6ONLY, 5), 0);
    assert_int_equal(gets(id, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    binds(id, "::", 0);
    assert_int_equal(sets(id, IPPROTO_IPV6, IPV6_V6ONLY, 0), -EINVAL);
}

static void bindv6only__new_sockets__are_v6only(void **state)
{
    sim_host_set(world, a, "net.ipv6.bindv6only", 1);
    assert_int_equal(gets(socket_at(a, AF_INET6, SOCK_STREAM), IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

static void membership__what_cannot_be_joined__is_told(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    const struct sim_socket_id stream = socket_at(a, AF_INET, SOCK_STREAM);
    struct ip_mreqn join = {.imr_multiaddr.s_addr = htonl(0x0a000001)};
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), -EINVAL);
    join.imr_multiaddr.s_addr = htonl(0xe0010101);
    join.imr_ifindex = 77;
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), -ENODEV);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_DROP_MEMBERSHIP, &join, sizeof join),
                     -EADDRNOTAVAIL);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, 7), -EINVAL);
    assert_int_equal(sets_bytes(stream, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), -EPROTO);
    join.imr_ifindex = 0;
    for (uint32_t i = 0; i < 20; i++) {
        join.imr_multiaddr.s_addr = htonl(0xe0010101 + i);
        assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), 0);
    }
    join.imr_multiaddr.s_addr = htonl(0xe0020101);
    assert_int_equal(sets_bytes(id, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), -ENOBUFS);
    sim_socket_release(world, id);
    assert_int_equal(world->pools[SIM_POOL_MEMBERSHIP].live_count, 0);
}

static void kept_options__are_told_again_and_freed(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    assert_int_equal(gets(id, SOL_SOCKET, SO_INCOMING_CPU), -1);
    assert_int_equal(sets(id, SOL_SOCKET, SO_BUSY_POLL, 50), 0);
    assert_int_equal(sets(id, SOL_SOCKET, SO_BUSY_POLL, -1), -EINVAL);
    assert_int_equal(gets(id, SOL_SOCKET, SO_BUSY_POLL), 50);
    assert_int_equal(sets(id, SOL_SOCKET, SO_RXQ_OVFL, 9), 0);
    assert_int_equal(gets(id, SOL_SOCKET, SO_RXQ_OVFL), 1);
    sim_socket_release(world, id);
    assert_int_equal(world->pools[SIM_POOL_OPTION].live_count, 0);
}

/* ---- which sockets there are ---- */

static void socket_calls__that_cannot_be__fail_in_linux_order(void **state)
{
    static const struct {
        int family, type, protocol, error;
    } seen[] = {
        {AF_INET, SOCK_STREAM, IPPROTO_UDP, -EPROTONOSUPPORT},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP, -EPROTONOSUPPORT},
        {AF_INET, SOCK_SEQPACKET, 0, -ESOCKTNOSUPPORT},
        {AF_INET, SOCK_RAW, 0, -EPROTONOSUPPORT},
        {AF_INET, SOCK_RAW, IPPROTO_UDP, -EPERM},
        {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, -EACCES},
        {AF_INET, 0, 0, -ESOCKTNOSUPPORT},
        {AF_INET, 11, 0, -EINVAL},
        {AF_INET, SOCK_STREAM, -1, -EINVAL},
        {AF_INET, SOCK_STREAM, 999, -EINVAL},
        {AF_UNIX, SOCK_STREAM, IPPROTO_TCP, -EPROTONOSUPPORT},
        {AF_UNIX, SOCK_RDM, 0, -ESOCKTNOSUPPORT},
        {-1, SOCK_STREAM, 0, -EAFNOSUPPORT},
        {AF_UNSPEC, SOCK_STREAM, 0, -EAFNOSUPPORT},
        {99, SOCK_STREAM, 0, -EAFNOSUPPORT},
    };
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        struct sim_socket_id id = {0};
        assert_int_equal(
            sim_socket_create(world, a, process, seen[i].family, seen[i].type, seen[i].protocol, &id),
            seen[i].error);
    }
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(fresh_sockets__tell__what_they_are),
        TWO_HOSTS(buffer__set__is_doubled_within_its_bounds),
        TWO_HOSTS(timeout__set__counts_in_jiffies_and_knows_its_domain),
        TWO_HOSTS(value__short_or_missing__is_an_error_of_its_own),
        TWO_HOSTS(little_room__get__tells_what_fits),
        TWO_HOSTS(names_nobody_knows__are_told_by_level),
        TWO_HOSTS(linger__switched_off__keeps_its_time),
        TWO_HOSTS(bindtodevice__name__is_told_again),
        TWO_HOSTS(privileges__missing__are_told),
        TWO_HOSTS(options_of_unix_sockets__others__do_not_support),
        TWO_HOSTS(timestamps__one_switch__two_forms),
        TWO_HOSTS(ttl__outside_1_to_255__is_invalid),
        TWO_HOSTS(tos__of_a_stream__leaves_the_ecn_bits_alone),
        TWO_HOSTS(mtu__without_a_peer__is_not_known),
        TWO_HOSTS(v6only__after_bind__cannot_change),
        TWO_HOSTS(bindv6only__new_sockets__are_v6only),
        TWO_HOSTS(membership__what_cannot_be_joined__is_told),
        TWO_HOSTS(kept_options__are_told_again_and_freed),
        TWO_HOSTS(socket_calls__that_cannot_be__fail_in_linux_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
