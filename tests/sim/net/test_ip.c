/* IP and ICMP: routes, sources, what is taken and what is dropped, what is answered.
 * SPDX-License-Identifier: MIT */
#include <net/if.h>
#include <netinet/ip_icmp.h>

#include "../two_hosts.h"
#include "sim/core/bytes.h"
#include "sim/net/icmp.h"

static struct sim_ip_path path;

static int routes(const char *to, const char *from, uint32_t interface)
{
    const struct sim_endpoint destination = {.ip = ip_of(to), .port = 9};
    return sim_ip_route(world, a, destination, ip_of(from), interface, &path);
}

/* A packet of another protocol from b to an address of a's, ready to be sent or to arrive. */
static struct sim_packet_id packet_of(uint8_t protocol, const char *from, const char *to)
{
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = sim_ip_is_v4(ip_of(to)) ? 4 : 6;
    packet->protocol = protocol;
    packet->source.ip = ip_of(from);
    packet->destination.ip = ip_of(to);
    return id;
}

static struct sim_interface_id eth0_of(struct sim_host_id host)
{
    return sim_interface_at(world, sim_host_at(world, host)->first_interface)->next;
}

/* The next packet that left a host, as the tap saw it; NULL: none. */
static const struct sim_packet *left(void)
{
    static struct sim_packet copy;
    const struct sim_packet_id id = sim_packet_take_tap(world);
    if (id.index == 0) {
        return NULL;
    }
    copy = *sim_packet_at(world, id);
    sim_packet_free(world, id);
    return &copy;
}

#define assert_ip(ip, text) assert_true(sim_ip_equal(ip, ip_of(text)))

/* ---- routes ---- */

static void destinations__find__their_source_and_interface(void **state)
{
    assert_int_equal(routes("10.0.0.2", "0.0.0.0", 0), 0);
    assert_ip(path.source, "10.0.0.1");
    assert_int_equal(path.interface, 2);
    assert_int_equal(path.mtu, 1500);
    assert_false(path.local);
    assert_int_equal(routes("10.0.0.1", "0.0.0.0", 0), 0); /* itself */
    assert_ip(path.source, "10.0.0.1");
    assert_true(path.local);
    assert_int_equal(path.mtu, 65536);
    assert_int_equal(routes("127.0.0.77", "0.0.0.0", 0), 0);
    assert_ip(path.source, "127.0.0.1");
    assert_true(path.local);
    assert_int_equal(routes("0.0.0.0", "0.0.0.0", 0), 0);
    assert_ip(path.source, "127.0.0.1");
    assert_int_equal(routes("8.8.8.8", "0.0.0.0", 0), 0); /* the default route */
    assert_ip(path.source, "10.0.0.1");
    assert_int_equal(routes("fd00::2", "::", 0), 0);
    assert_ip(path.source, "fd00::1");
    assert_int_equal(routes("2001:db8::1", "::", 0), 0);
    assert_ip(path.source, "fd00::1");
    assert_int_equal(routes("::1", "::", 0), 0);
    assert_ip(path.source, "::1");
}

static void broadcast__is_told(void **state)
{
    assert_int_equal(routes("10.0.0.255", "0.0.0.0", 0), 0);
    assert_true(path.broadcast);
    assert_int_equal(path.interface, 2);
    assert_int_equal(routes("255.255.255.255", "0.0.0.0", 0), 0);
    assert_true(path.broadcast);
    assert_int_equal(routes("127.255.255.255", "0.0.0.0", 0), 0);
    assert_true(path.broadcast);
    assert_int_equal(path.interface, 1);
    assert_int_equal(routes("10.0.0.254", "0.0.0.0", 0), 0);
    assert_false(path.broadcast);
}

static void wrong_sources__are_refused(void **state)
{
    assert_int_equal(routes("10.0.0.2", "127.0.0.1", 0), -EINVAL);
    assert_int_equal(routes("10.0.0.2", "10.0.0.9", 0), -ENETUNREACH);
    assert_int_equal(routes("10.0.0.2", "224.0.0.5", 0), -EINVAL);
    assert_int_equal(routes("10.0.0.1", "127.0.0.1", 0), 0); /* it does not leave the host */
    assert_int_equal(routes("10.0.0.2", "0.0.0.0", 77), -ENODEV);
}

static void kinds_of_routes__have__errors_of_their_own(void **state)
{
    static const struct {
        uint32_t kind;
        int error;
    } kinds[] = {{SIM_ROUTE_UNREACHABLE, -EHOSTUNREACH},
                 {SIM_ROUTE_BLACKHOLE, -EINVAL},
                 {SIM_ROUTE_PROHIBIT, -EACCES}};
    for (uint8_t i = 0; i < 3; i++) {
        struct sim_route route = {.destination = sim_ip_v4(0xc0a80000 + (uint32_t)i * 256),
                                  .prefix_bits = 120,
                                  .kind = kinds[i].kind};
        char text[32];
        assert_int_equal(sim_host_add_route(world, a, &route), 0);
        snprintf(text, sizeof text, "192.168.%u.1", i);
        assert_int_equal(routes(text, "0.0.0.0", 0), kinds[i].error);
    }
}

static void no_address_of_a_version__sends__from_a_useless_one(void **state)
{
    const struct sim_host_id bare = sim_host_add(world, "bare");
    const struct sim_endpoint four = {.ip = ip_of("10.0.0.2")};
    const struct sim_endpoint six = {.ip = ip_of("fd00::2")};
    assert_int_equal(sim_ip_route(world, bare, four, ip_of("0.0.0.0"), 0, &path), 0);
    assert_ip(path.source, "0.0.0.0"); /* LINUX: IPv4 sends even so */
    assert_int_equal(sim_ip_route(world, bare, six, ip_of("::"), 0, &path), 0);
    assert_ip(path.source, "::1"); /* LINUX: better than none, though no answer will come */
}

static void longest_prefix__with_a_source__wins(void **state)
{
    struct sim_route route = {.interface = eth0_of(a),
                              .destination = ip_of("10.9.0.0"),
                              .source = ip_of("10.0.0.7"),
                              .prefix_bits = 112};
    sim_host_add_address(world, a, 2, ip_of("10.0.0.7"), 24);
    assert_int_equal(routes("10.9.1.1", "0.0.0.0", 0), 0);
    assert_ip(path.source, "10.0.0.1");
    sim_host_add_route(world, a, &route);
    assert_int_equal(routes("10.9.1.1", "0.0.0.0", 0), 0);
    assert_ip(path.source, "10.0.0.7");
}

static void link_local_destination__takes__a_link_local_source(void **state)
{
    sim_host_add_address(world, a, 2, ip_of("fe80::1"), 64);
    assert_int_equal(routes("fe80::2", "::", 2), 0);
    assert_ip(path.source, "fe80::1");
    assert_int_equal(routes("fd00::2", "::", 0), 0);
    assert_ip(path.source, "fd00::1"); /* the same scope, the longer match */
}

/* ---- what is taken ---- */

static void packet_for_nobody_here__is_dropped_in_silence(void **state)
{
    const uint64_t sent = world->packet_count;
    sim_ip_input(world, eth0_of(a), packet_of(IPPROTO_UDP, "10.0.0.2", "10.0.0.9"));
    sim_ip_input(world, eth0_of(a), packet_of(IPPROTO_UDP, "127.0.0.1", "10.0.0.1"));
    sim_ip_input(world, eth0_of(a), packet_of(IPPROTO_UDP, "10.0.0.2", "127.0.0.1"));
    const struct sim_packet_id corrupt = packet_of(IPPROTO_UDP, "10.0.0.2", "10.0.0.1");
    sim_packet_at(world, corrupt)->corrupt = 1;
    sim_ip_input(world, eth0_of(a), corrupt);
    settle();
    assert_int_equal(world->packet_count, sent);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
}

static void unknown_protocol__is_answered__unless_it_went_to_many(void **state)
{
    world->tap = 1;
    sim_ip_input(world, eth0_of(a), packet_of(132, "10.0.0.2", "10.0.0.1"));
    const struct sim_packet *answer = left();
    assert_non_null(answer);
    assert_int_equal(answer->protocol, IPPROTO_ICMP);
    assert_int_equal(answer->icmp.type, ICMP_DEST_UNREACH);
    assert_int_equal(answer->icmp.code, ICMP_PROT_UNREACH);
    assert_int_equal(answer->icmp.quoted_protocol, 132);
    assert_ip(answer->destination.ip, "10.0.0.2");
    sim_ip_input(world, eth0_of(a), packet_of(132, "10.0.0.2", "10.0.0.255"));
    sim_ip_input(world, eth0_of(a), packet_of(132, "10.0.0.2", "224.0.0.1"));
    assert_null(left());
    sim_ip_input(world, eth0_of(a), packet_of(132, "fd00::2", "fd00::1"));
    answer = left();
    assert_int_equal(answer->icmp.type, 4); /* ICMPv6: parameter problem */
    assert_int_equal(answer->icmp.code, 1);
}

static void echo__is_answered__with_what_came(void **state)
{
    world->tap = 1;
    const struct sim_packet_id id = packet_of(IPPROTO_ICMP, "10.0.0.2", "10.0.0.1");
    sim_packet_at(world, id)->icmp.type = ICMP_ECHO;
    sim_packet_at(world, id)->icmp.identifier = 7;
    sim_packet_at(world, id)->icmp.sequence = 3;
    sim_ip_input(world, eth0_of(a), id);
    const struct sim_packet *answer = left();
    assert_non_null(answer);
    assert_int_equal(answer->icmp.type, ICMP_ECHOREPLY);
    assert_int_equal(answer->icmp.identifier, 7);
    assert_int_equal(answer->icmp.sequence, 3);
    assert_int_equal(answer->ttl, 64);
    assert_ip(answer->source.ip, "10.0.0.1");
}

static void error_about_an_error__is_not_sent(void **state)
{
    world->tap = 1;
    const struct sim_packet_id id = packet_of(IPPROTO_ICMP, "10.0.0.2", "10.0.0.1");
    sim_packet_at(world, id)->icmp.type = ICMP_DEST_UNREACH;
    sim_icmp_send_error(world, a, id, SIM_ICMP_HOST_UNREACHABLE, 0);
    assert_null(left());
    sim_packet_free(world, id);
}

static void errors__mean__what_linux_makes_of_them(void **state)
{
    bool fatal;
    assert_int_equal(sim_icmp_errno(4, 3, 0, &fatal), -ENETUNREACH);
    assert_false(fatal);
    assert_int_equal(sim_icmp_errno(4, 3, 1, &fatal), -EHOSTUNREACH);
    assert_false(fatal);
    assert_int_equal(sim_icmp_errno(4, 3, 2, &fatal), -ENOPROTOOPT);
    assert_true(fatal);
    assert_int_equal(sim_icmp_errno(4, 3, 3, &fatal), -ECONNREFUSED);
    assert_true(fatal);
    assert_int_equal(sim_icmp_errno(4, 3, 13, &fatal), -EHOSTUNREACH);
    assert_true(fatal);
    assert_int_equal(sim_icmp_errno(4, 11, 0, &fatal), -EHOSTUNREACH);
    assert_false(fatal);
    assert_int_equal(sim_icmp_errno(6, 1, 4, &fatal), -ECONNREFUSED);
    assert_true(fatal);
    assert_int_equal(sim_icmp_errno(6, 1, 1, &fatal), -EACCES);
    assert_true(fatal);
    assert_int_equal(sim_icmp_errno(6, 2, 0, &fatal), -EMSGSIZE);
}

/* ---- what is sent ---- */

static void own_packet__arrives__before_anything_else_happens(void **state)
{
    const struct sim_socket_id own = socket_at(a, AF_INET, SOCK_DGRAM);
    binds(own, "127.0.0.1", 1000);
    sends_to(own, "x", "127.0.0.1", 1000);
    assert_receives_nothing(own);
    sim_ip_settle(world);
    assert_receives(own, "x");
    assert_int_equal(world->now, 0);
    assert_int_equal(world->packet_count, 1);
}

static void packet_over_the_mtu__dont_fragment__is_not_sent(void **state)
{
    struct sim_packet_id id = packet_of(132, "10.0.0.1", "10.0.0.2");
    static const char data[1481];
    assert_int_equal(sim_bytes_append(world, &sim_packet_at(world, id)->payload, data, sizeof data), 0);
    sim_packet_at(world, id)->dont_fragment = 1;
    assert_int_equal(sim_ip_output(world, a, id, 0), -EMSGSIZE);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    id = packet_of(132, "10.0.0.1", "10.0.0.2");
    assert_int_equal(sim_ip_output(world, a, id, 0), 0);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(destinations__find__their_source_and_interface),
        TWO_HOSTS(broadcast__is_told),
        TWO_HOSTS(wrong_sources__are_refused),
        TWO_HOSTS(kinds_of_routes__have__errors_of_their_own),
        TWO_HOSTS(no_address_of_a_version__sends__from_a_useless_one),
        TWO_HOSTS(longest_prefix__with_a_source__wins),
        TWO_HOSTS(link_local_destination__takes__a_link_local_source),
        TWO_HOSTS(packet_for_nobody_here__is_dropped_in_silence),
        TWO_HOSTS(unknown_protocol__is_answered__unless_it_went_to_many),
        TWO_HOSTS(echo__is_answered__with_what_came),
        TWO_HOSTS(error_about_an_error__is_not_sent),
        TWO_HOSTS(errors__mean__what_linux_makes_of_them),
        TWO_HOSTS(own_packet__arrives__before_anything_else_happens),
        TWO_HOSTS(packet_over_the_mtu__dont_fragment__is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
