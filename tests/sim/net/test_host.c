/* Hosts: what a new one has, addresses and their owners, routes in order, settings' bounds.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "sim/net/host.h"

enum { LO = 1, ETH0 = 2 };

static struct sim_ip v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return sim_ip_v4((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d);
}

static void new_host__looked_at__has_lo_eth0_and_default_routes(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id id = sim_host_add(world, "alpha");
    assert_int_equal(sim_host_find(world, "alpha").index, id.index);
    assert_int_equal(sim_host_find(world, "alph").index, 0);
    const struct sim_interface *lo = sim_host_interface(world, id, LO);
    const struct sim_interface *eth0 = sim_host_interface(world, id, ETH0);
    assert_null(sim_host_interface(world, id, 3));
    assert_string_equal(lo->name, "lo");
    assert_int_equal(lo->mtu, 65536);
    assert_int_equal(lo->address_count, 2);
    assert_true(lo->flags & IFF_LOOPBACK);
    assert_string_equal(eth0->name, "eth0");
    assert_int_equal(eth0->mtu, 1500);
    assert_int_equal(eth0->address_count, 0);
    assert_ptr_equal(sim_host_owner(world, id, v4(127, 9, 9, 9)), lo);
    assert_ptr_equal(sim_host_owner(world, id, (struct sim_ip){{[15] = 1}}), lo);
    assert_null(sim_host_owner(world, id, v4(10, 0, 0, 1)));
    const struct sim_host *host = sim_host_at(world, id);
    const struct sim_route *route = sim_route_at(world, host->first_route);
    assert_int_equal(route->prefix_bits, 96 + 8); /* 127.0.0.0/8 */
    route = sim_route_at(world, route->next);
    assert_int_equal(route->prefix_bits, 96);
    route = sim_route_at(world, route->next);
    assert_int_equal(route->prefix_bits, 0);
    assert_int_equal(route->next.index, 0);
    assert_int_equal(sim_setting(host, SIM_SETTING_TCP_SYN_RETRIES), 6);
}

static void address_added__asked__has_owner_route_and_broadcast(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id a = sim_host_add(world, "a");
    const struct sim_host_id b = sim_host_add(world, "b");
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 1), 24), 0);
    assert_int_equal(sim_host_add_address(world, b, ETH0, v4(10, 0, 0, 2), 24), 0);
    assert_int_equal(sim_host_of_address(world, v4(10, 0, 0, 1)).index, a.index);
    assert_int_equal(sim_host_of_address(world, v4(10, 0, 0, 2)).index, b.index);
    assert_int_equal(sim_host_of_address(world, v4(10, 0, 0, 3)).index, 0);
    assert_int_equal(sim_host_of_address(world, v4(127, 0, 0, 1)).index, 0);
    assert_ptr_equal(sim_host_owner(world, a, v4(10, 0, 0, 1)), sim_host_interface(world, a, ETH0));
    assert_null(sim_host_owner(world, a, v4(10, 0, 0, 2)));
    const struct sim_route *route = sim_route_at(world, sim_host_at(world, a)->first_route);
    assert_int_equal(route->prefix_bits, 120);
    assert_true(sim_ip_equal(route->destination, v4(10, 0, 0, 0)));
    assert_true(sim_ip_equal(route->source, v4(10, 0, 0, 1)));
    assert_true(sim_host_is_broadcast(world, a, v4(10, 0, 0, 255)));
    assert_true(sim_host_is_broadcast(world, a, v4(255, 255, 255, 255)));
    assert_false(sim_host_is_broadcast(world, a, v4(10, 0, 0, 254)));
    assert_false(sim_host_is_broadcast(world, a, v4(127, 255, 255, 255)));
}

static void point_to_point_prefixes__asked_for_broadcast__have_none(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id a = sim_host_add(world, "a");
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 0), 31), 0);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 1, 1), 32), 0);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 2, 1), 30), 0);
    assert_false(sim_host_is_broadcast(world, a, v4(10, 0, 0, 1)));
    assert_false(sim_host_is_broadcast(world, a, v4(10, 0, 1, 1)));
    assert_true(sim_host_is_broadcast(world, a, v4(10, 0, 2, 3)));
}

static void wrong_addresses__added__are_refused(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id a = sim_host_add(world, "a");
    assert_int_equal(sim_host_add_address(world, a, 7, v4(10, 0, 0, 1), 24), -ENODEV);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 1), 33), -EINVAL);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(0, 0, 0, 0), 24), -EINVAL);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(224, 0, 0, 1), 24), -EINVAL);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 1), 24), 0);
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 1), 16), -EEXIST);
    for (uint8_t i = 2; i <= SIM_INTERFACE_ADDRESSES; i++) {
        assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, i), 24), 0);
    }
    assert_int_equal(sim_host_add_address(world, a, ETH0, v4(10, 0, 0, 99), 24), -ENOBUFS);
}

static void routes__added_in_any_order__stand_by_prefix_then_metric_then_age(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id a = sim_host_add(world, "a");
    static const struct {
        uint32_t bits, metric, kind;
    } added[] = {{104, 9, 0}, {128, 0, 1}, {104, 3, 2}, {112, 5, 0}, {104, 3, 3}, {104, 1, 1}};
    for (uint32_t i = 0; i < 6; i++) {
        const struct sim_route route = {
            .destination = v4(10, 0, 0, 0),
            .prefix_bits = added[i].bits,
            .metric = added[i].metric,
            .kind = added[i].kind,
        };
        assert_int_equal(sim_host_add_route(world, a, &route), 0);
    }
    struct sim_route_id id = sim_host_at(world, a)->first_route;
    uint32_t bits = 128;
    uint32_t metric = 0;
    uint32_t kinds = 0;
    for (; id.index != 0; id = sim_route_at(world, id)->next) {
        const struct sim_route *route = sim_route_at(world, id);
        assert_true(route->prefix_bits < bits ||
                    (route->prefix_bits == bits && route->metric >= metric));
        bits = route->prefix_bits;
        metric = route->metric;
        if (bits == 104 && metric == 3) {
            kinds = kinds * 10 + route->kind;
        }
    }
    assert_int_equal(kinds, 23); /* of two alike, the elder first */
}

static void prefixes__compared__look_at_just_their_bits(void **state)
{
    assert_true(sim_ip_has_prefix(v4(10, 1, 2, 3), v4(10, 1, 3, 9), 96 + 23));
    assert_false(sim_ip_has_prefix(v4(10, 1, 2, 3), v4(10, 1, 3, 9), 96 + 24));
    assert_true(sim_ip_has_prefix(v4(10, 1, 2, 3), (struct sim_ip){{0}}, 0));
    assert_true(sim_ip_has_prefix(v4(10, 1, 2, 3), v4(10, 1, 2, 3), 128));
    assert_false(sim_ip_has_prefix(v4(10, 1, 2, 3), v4(10, 1, 2, 2), 128));
    assert_true(sim_ip_equal(sim_ip_first(v4(10, 1, 2, 255), 96 + 25), v4(10, 1, 2, 128)));
    assert_true(sim_ip_equal(sim_ip_last(v4(10, 1, 2, 0), 96 + 25), v4(10, 1, 2, 127)));
    const struct sim_ip local = {{0xfe, 0xbf, 1}};
    assert_true(sim_ip_is_link_local(local));
    assert_false(sim_ip_is_v4(local));
    assert_true(sim_ip_is_any(v4(0, 0, 0, 0)));
    assert_true(sim_ip_is_any((struct sim_ip){{0}}));
    assert_true(sim_ip_is_multicast(v4(239, 1, 1, 1)));
    assert_true(sim_ip_is_multicast((struct sim_ip){{0xff, 2}}));
    assert_false(sim_ip_is_multicast(v4(240, 1, 1, 1)));
}

static void settings__set__are_taken_and_refused_as_by_linux(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id a = sim_host_add(world, "a");
    const struct sim_host_id b = sim_host_add(world, "b");
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_syn_retries", 2), 0);
    assert_int_equal(sim_setting(sim_host_at(world, a), SIM_SETTING_TCP_SYN_RETRIES), 2);
    assert_int_equal(sim_setting(sim_host_at(world, b), SIM_SETTING_TCP_SYN_RETRIES), 6);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_syn_retries", 0), -EINVAL);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_syn_retries", 128), -EINVAL);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_synack_retries", 255), 0);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_synack_retries", 256), -EINVAL);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.tcp_rto_max_ms", 999), -EINVAL);
    assert_int_equal(sim_host_set(world, a, "net.ipv4.no_such", 1), -ENOENT);
    assert_int_equal(sim_setting(sim_host_at(world, a), SIM_SETTING_TCP_SYN_RETRIES), 2);
}

static void two_thousand_hosts__each_address_asked__is_found(void **state)
{
    struct sim_world *world = *state;
    for (uint32_t i = 1; i <= 2000; i++) {
        char name[16];
        snprintf(name, sizeof name, "host%u", i);
        const struct sim_host_id id = sim_host_add(world, name);
        assert_int_equal(sim_host_add_address(world, id, ETH0, sim_ip_v4(0x0a000000 + i), 8), 0);
        assert_int_equal(sim_host_add_address(
                             world, id, ETH0,
                             (struct sim_ip){{0xfd, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}}, 64),
                         0);
    }
    for (uint32_t i = 1; i <= 2000; i++) {
        assert_int_equal(sim_host_of_address(world, sim_ip_v4(0x0a000000 + i)).index, i);
    }
    assert_int_equal(sim_host_of_address(world, sim_ip_v4(0x0a000000 + 2001)).index, 0);
}

static void no_room_for_a_second_host__added__leaves_nothing_behind(void **state)
{
    const struct sim_capacities capacities = {.of = {[SIM_POOL_HOST] = 4, [SIM_POOL_INTERFACE] = 3}};
    struct sim_world *world = sim_block_create(&capacities, 1);
    assert_int_equal(sim_host_add(world, "a").index, 1);
    assert_int_equal(sim_host_add(world, "b").index, 0);
    assert_int_equal(world->pools[SIM_POOL_HOST].live_count, 1);
    assert_int_equal(world->pools[SIM_POOL_INTERFACE].live_count, 2);
    assert_int_equal(world->pools[SIM_POOL_ROUTE].live_count, 3);
    sim_block_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(new_host__looked_at__has_lo_eth0_and_default_routes),
        WORLD_TEST(address_added__asked__has_owner_route_and_broadcast),
        WORLD_TEST(point_to_point_prefixes__asked_for_broadcast__have_none),
        WORLD_TEST(wrong_addresses__added__are_refused),
        WORLD_TEST(routes__added_in_any_order__stand_by_prefix_then_metric_then_age),
        cmocka_unit_test(prefixes__compared__look_at_just_their_bits),
        WORLD_TEST(settings__set__are_taken_and_refused_as_by_linux),
        WORLD_TEST(two_thousand_hosts__each_address_asked__is_found),
        cmocka_unit_test(no_room_for_a_second_host__added__leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
