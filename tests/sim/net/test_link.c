/* Links: each property of the model by itself, and packets sent along links of a world.
 * SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/event.h"
#include "sim/core/random.h"
#include "sim/net/host.h"
#include "sim/net/link.h"
#include "sim/net/packet.h"

static struct sim_random chance;

static int seed_chance(void **state)
{
    sim_random_seed(&chance, 99);
    return 0;
}

static struct sim_link_plan plan(struct sim_link_way *way, uint64_t now, uint32_t bytes)
{
    return sim_link_plan(way, false, now, bytes, &chance);
}

static void perfect_link__packet__arrives_at_once(void **state)
{
    struct sim_link_way way = {0};
    const struct sim_random before = chance;
    const struct sim_link_plan now = plan(&way, 123, 1500);
    assert_int_equal(now.verdict, SIM_LINK_DELIVER);
    assert_int_equal(now.arrives_at, 123);
    assert_true(now.duplicate_at == SIM_NEVER);
    assert_int_equal(now.corrupt, 0);
    assert_int_equal(way.packets_sent, 1);
    assert_memory_equal(&chance, &before, sizeof chance); /* nothing was left to chance */
}

static void delay_of_20ms__packet__arrives_exactly_then(void **state)
{
    struct sim_link_way way = {.delay_ns = 20 * MILLISECOND};
    assert_int_equal(plan(&way, SECOND, 60).arrives_at, SECOND + 20 * MILLISECOND);
}

static void link_down__packet__is_dropped(void **state)
{
    struct sim_link_way way = {0};
    assert_int_equal(sim_link_plan(&way, true, 0, 60, &chance).verdict, SIM_LINK_DOWN);
    assert_int_equal(way.packets_dropped, 1);
}

static void jitter__many_packets_at_once__spread_both_sides_in_order(void **state)
{
    struct sim_link_way way = {.delay_ns = 10 * MILLISECOND, .jitter_ns = 3 * MILLISECOND};
    uint64_t early = SIM_NEVER;
    uint64_t late = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        const uint64_t now = i * 10 * MILLISECOND; /* wide apart: order does not move them */
        const uint64_t took = plan(&way, now, 60).arrives_at - now;
        early = took < early ? took : early;
        late = took > late ? took : late;
    }
    assert_in_range(early, 7 * MILLISECOND, 7 * MILLISECOND + 50000);
    assert_in_range(late, 13 * MILLISECOND - 50000, 13 * MILLISECOND);
    uint64_t last = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        const uint64_t at = plan(&way, 20 * SECOND + i * 1000, 60).arrives_at;
        assert_true(at >= last);
        last = at;
    }
}

static void jitter_above_the_delay__packet__never_arrives_before_it_left(void **state)
{
    struct sim_link_way way = {.delay_ns = MILLISECOND, .jitter_ns = 9 * MILLISECOND};
    for (uint32_t i = 0; i < 1000; i++) {
        const uint64_t now = i * SECOND;
        assert_in_range(plan(&way, now, 60).arrives_at, now, now + 10 * MILLISECOND);
    }
}

static void rate_of_8_megabit__packets_at_once__leave_one_after_another(void **state)
{
    struct sim_link_way way = {.rate_bits = 8000000, .delay_ns = 5 * MILLISECOND};
    assert_int_equal(plan(&way, 0, 1000).arrives_at, 6 * MILLISECOND);
    assert_int_equal(plan(&way, 0, 500).arrives_at, 6 * MILLISECOND + 500000);
    assert_int_equal(plan(&way, 10 * MILLISECOND, 1000).arrives_at, 16 * MILLISECOND);
}

static void queue_of_3000_bytes__more_at_once__is_lost_until_the_line_took_some(void **state)
{
    struct sim_link_way way = {.rate_bits = 8000000, .queue_bytes = 3000};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(plan(&way, 0, 1000).verdict, SIM_LINK_DELIVER);
    }
    assert_int_equal(plan(&way, 0, 1000).verdict, SIM_LINK_QUEUE_FULL);
    assert_int_equal(plan(&way, MILLISECOND, 1000).verdict, SIM_LINK_DELIVER);
    assert_int_equal(plan(&way, MILLISECOND, 1000).verdict, SIM_LINK_QUEUE_FULL);
    assert_int_equal(way.packets_sent, 4);
    assert_int_equal(way.packets_dropped, 2);
}

static void packet_larger_than_the_queue__line_idle__is_sent(void **state)
{
    struct sim_link_way way = {.rate_bits = 8000000, .queue_bytes = 100};
    assert_int_equal(plan(&way, 0, 1500).verdict, SIM_LINK_DELIVER);
    assert_int_equal(plan(&way, 0, 60).verdict, SIM_LINK_QUEUE_FULL);
}

static void chances_of_a_tenth__ten_thousand_packets__happen_to_a_tenth(void **state)
{
    struct sim_link_way way = {
        .delay_ns = MILLISECOND, .loss_ppm = 100000, .duplicate_ppm = 100000, .corrupt_ppm = 100000};
    uint32_t lost = 0;
    uint32_t duplicated = 0;
    uint32_t corrupted = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        const struct sim_link_plan one = plan(&way, i, 60);
        lost += one.verdict == SIM_LINK_LOST;
        duplicated += one.verdict == SIM_LINK_DELIVER && one.duplicate_at != SIM_NEVER;
        corrupted += one.corrupt;
    }
    assert_in_range(lost, 880, 1120);
    assert_in_range(duplicated, 780, 1020);
    assert_in_range(corrupted, 780, 1020);
    assert_int_equal(way.packets_sent + way.packets_dropped, 10000);
}

static void certain_loss__packet__is_always_lost(void **state)
{
    struct sim_link_way way = {.loss_ppm = 1000000};
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(plan(&way, i, 60).verdict, SIM_LINK_LOST);
    }
}

static void reordered_packet__behind_others__skips_the_delay_and_they_keep_theirs(void **state)
{
    struct sim_link_way way = {.delay_ns = 10 * MILLISECOND};
    assert_int_equal(plan(&way, 0, 60).arrives_at, 10 * MILLISECOND);
    way.reorder_ppm = 1000000;
    assert_int_equal(plan(&way, MILLISECOND, 60).arrives_at, MILLISECOND);
    way.reorder_ppm = 0;
    assert_int_equal(plan(&way, 2 * MILLISECOND, 60).arrives_at, 12 * MILLISECOND);
}

static void loss_added__delays_of_those_that_pass__do_not_move(void **state)
{
    struct sim_link_way calm = {.delay_ns = SECOND, .jitter_ns = MILLISECOND};
    struct sim_link_way lossy = {.delay_ns = SECOND, .jitter_ns = MILLISECOND, .loss_ppm = 300000};
    struct sim_random first = chance;
    struct sim_random second = chance;
    for (uint32_t i = 0; i < 100; i++) {
        const struct sim_link_plan b = sim_link_plan(&lossy, false, i * SECOND, 60, &second);
        if (b.verdict == SIM_LINK_DELIVER) { /* the n-th that passes has the n-th delay */
            const struct sim_link_plan a = sim_link_plan(&calm, false, i * SECOND, 60, &first);
            assert_true(a.arrives_at == b.arrives_at);
        }
    }
}

/* ---- along links of a world --------------------------------------------------------------- */

struct net {
    struct sim_world *world;
    struct sim_host_id a, b, c;
};

static struct net make(struct sim_world *world)
{
    struct net net = {world, sim_host_add(world, "a"), sim_host_add(world, "b"),
                      sim_host_add(world, "c")};
    sim_host_add_address(world, net.a, 2, sim_ip_v4(0x0a000001), 24);
    sim_host_add_address(world, net.b, 2, sim_ip_v4(0x0a000002), 24);
    sim_host_add_address(world, net.c, 2, sim_ip_v4(0x0a000003), 24);
    return net;
}

static struct sim_packet_id datagram(struct sim_world *world, uint32_t to)
{
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = 4;
    packet->protocol = IPPROTO_UDP;
    packet->source.ip = sim_ip_v4(0x0a000001);
    packet->destination.ip = sim_ip_v4(to);
    assert_int_equal(sim_bytes_append(world, &packet->payload, "payload", 7), 0);
    return id;
}

/* The next arrival: at that instant, at that host's eth0. Frees the packet. */
static void arrives(struct sim_world *world, uint64_t at, struct sim_host_id host, uint8_t corrupt)
{
    struct sim_event event;
    assert_true(sim_event_take(world, &event).index != 0);
    assert_int_equal(event.kind, SIM_EVENT_PACKET);
    assert_true(world->now == at);
    const struct sim_interface *interface = sim_interface_at(world,
                                                             (struct sim_interface_id){event.target});
    assert_int_equal(interface->host.index, host.index);
    assert_int_equal(interface->number, 2);
    const struct sim_packet_id id = {event.a};
    assert_int_equal(sim_packet_at(world, id)->interface, event.target);
    assert_int_equal(sim_packet_at(world, id)->corrupt, corrupt);
    assert_int_equal(sim_packet_at(world, id)->payload.length, 7);
    sim_packet_free(world, id);
}

static void nothing_is_left(const struct sim_world *world)
{
    assert_true(sim_event_next_at(world) == SIM_NEVER);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
}

static void linked_hosts__packet_sent__arrives_by_that_links_way(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way way = {.delay_ns = 20 * MILLISECOND};
    const struct sim_link_id link = sim_link_add(net.world, net.a, net.b, &way);
    uint32_t direction = 9;
    assert_int_equal(sim_link_find(net.world, net.b, net.a, &direction).index, link.index);
    assert_int_equal(direction, 1);
    assert_int_equal(sim_link_find(net.world, net.a, net.b, &direction).index, link.index);
    assert_int_equal(direction, 0);
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000002));
    assert_int_equal(sim_link_at(net.world, link)->way[0].packets_sent, 1);
    assert_int_equal(sim_link_at(net.world, link)->way[1].packets_sent, 0);
    arrives(net.world, 20 * MILLISECOND, net.b, 0);
    nothing_is_left(net.world);
}

static void hosts_without_a_link__packet_sent__is_lost_and_counted(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way way = {0};
    sim_link_add(net.world, net.a, net.b, &way);
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000003)); /* no link */
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000009)); /* nobody's */
    sim_link_transmit(net.world, net.c, datagram(net.world, 0x0a0000ff)); /* nobody hears */
    assert_int_equal(net.world->packets_pathless, 3);
    assert_int_equal(net.world->packet_count, 3);
    nothing_is_left(net.world);
}

static void broadcast_and_multicast__sent__reach_every_linked_host(void **state)
{
    static const uint32_t groups[] = {0x0a0000ff, 0xffffffff, 0xe0000001};
    const struct net net = make(*state);
    struct sim_link_way near = {.delay_ns = MILLISECOND};
    struct sim_link_way far = {.delay_ns = 2 * MILLISECOND};
    sim_link_add(net.world, net.a, net.b, &far);
    sim_link_add(net.world, net.c, net.a, &near);
    for (uint32_t i = 0; i < 3; i++) {
        const uint64_t now = net.world->now;
        sim_link_transmit(net.world, net.a, datagram(net.world, groups[i]));
        arrives(net.world, now + MILLISECOND, net.c, 0);
        arrives(net.world, now + 2 * MILLISECOND, net.b, 0);
    }
    nothing_is_left(net.world);
}

static void link_down_and_up_again__packets_sent__are_lost_and_then_arrive(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way way = {0};
    const struct sim_link_id link = sim_link_add(net.world, net.a, net.b, &way);
    sim_link_change(net.world, link, false);
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000002));
    nothing_is_left(net.world);
    assert_int_equal(sim_link_at(net.world, link)->way[0].packets_dropped, 1);
    sim_link_change(net.world, link, true);
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000002));
    arrives(net.world, 0, net.b, 0);
    nothing_is_left(net.world);
}

static void duplicate_and_corruption_certain__packet_sent__both_copies_arrive_corrupt(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way way = {.delay_ns = 5, .duplicate_ppm = 1000000, .corrupt_ppm = 1000000};
    sim_link_add(net.world, net.a, net.b, &way);
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000002));
    arrives(net.world, 5, net.b, 1);
    arrives(net.world, 5, net.b, 1);
    nothing_is_left(net.world);
}

static void links_with_mtu__added__lower_the_interfaces(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way jumbo = {.mtu = 9000};
    struct sim_link_way small = {.mtu = 576};
    struct sim_link_way any = {0};
    sim_link_add(net.world, net.a, net.b, &jumbo);
    assert_int_equal(sim_host_interface(net.world, net.a, 2)->mtu, 9000);
    sim_link_add(net.world, net.a, net.c, &small);
    assert_int_equal(sim_host_interface(net.world, net.a, 2)->mtu, 576);
    assert_int_equal(sim_host_interface(net.world, net.b, 2)->mtu, 9000);
    sim_link_add(net.world, net.b, net.c, &any);
    assert_int_equal(sim_host_interface(net.world, net.b, 2)->mtu,
                     1500); /* nothing said is 1500, as on the kernel */
    assert_int_equal(sim_link_add(net.world, net.c, net.b, &any).index, 0); /* joined already */
}

static void open_tap__packets_sent__are_kept_in_order_with_their_senders(void **state)
{
    const struct net net = make(*state);
    struct sim_link_way way = {.loss_ppm = 1000000};
    sim_link_add(net.world, net.a, net.b, &way);
    net.world->tap = 1;
    net.world->now = 7;
    sim_link_transmit(net.world, net.a, datagram(net.world, 0x0a000002));
    sim_link_transmit(net.world, net.b, datagram(net.world, 0x0a000001));
    sim_link_transmit(net.world, net.c, datagram(net.world, 0x0a000001));
    static const uint32_t senders[] = {1, 2, 3};
    for (uint32_t i = 0; i < 3; i++) {
        const struct sim_packet_id id = sim_packet_take_tap(net.world);
        assert_int_equal(sim_packet_at(net.world, id)->interface, senders[i]);
        assert_int_equal(sim_packet_at(net.world, id)->sent_at, 7);
        assert_int_equal(sim_packet_at(net.world, id)->payload.length, 7);
        sim_packet_free(net.world, id);
    }
    assert_int_equal(sim_packet_take_tap(net.world).index, 0);
    nothing_is_left(net.world);
}

/* ---- the packet hash ---------------------------------------------------------------------- */

static uint64_t hash_of(struct sim_host_id *host, uint32_t to, const char *text, bool in_pieces)
{
    struct sim_world *world = sim_block_create(NULL, 1);
    const struct net net = make(world);
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    struct sim_bytes other = {0};
    packet->version = 4;
    packet->protocol = IPPROTO_UDP;
    packet->destination.ip = sim_ip_v4(to);
    for (const char *at = text; *at != '\0'; at += in_pieces ? 1 : strlen(at)) {
        sim_bytes_append(world, &packet->payload, at, in_pieces ? 1 : strlen(at));
        sim_bytes_append(world, &other, "x", 1); /* between two pieces: no span grows */
    }
    sim_packet_note(world, host ? *host : net.a, id);
    const uint64_t hash = world->packet_hash;
    sim_block_destroy(world);
    return hash;
}

static void packet_hash__fields_and_payload_compared__sees_each_and_not_the_pieces(void **state)
{
    struct sim_host_id other = {2};
    const uint64_t plain = hash_of(NULL, 5, "payload", false);
    assert_true(plain == hash_of(NULL, 5, "payload", false));
    assert_true(plain == hash_of(NULL, 5, "payload", true));
    assert_true(plain != hash_of(NULL, 6, "payload", false));
    assert_true(plain != hash_of(NULL, 5, "paylaod", false));
    assert_true(plain != hash_of(NULL, 5, "payloa", false));
    assert_true(plain != hash_of(&other, 5, "payload", false));
}

#define PLAN_TEST(name) cmocka_unit_test_setup(name, seed_chance)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAN_TEST(perfect_link__packet__arrives_at_once),
        PLAN_TEST(delay_of_20ms__packet__arrives_exactly_then),
        PLAN_TEST(link_down__packet__is_dropped),
        PLAN_TEST(jitter__many_packets_at_once__spread_both_sides_in_order),
        PLAN_TEST(jitter_above_the_delay__packet__never_arrives_before_it_left),
        PLAN_TEST(rate_of_8_megabit__packets_at_once__leave_one_after_another),
        PLAN_TEST(queue_of_3000_bytes__more_at_once__is_lost_until_the_line_took_some),
        PLAN_TEST(packet_larger_than_the_queue__line_idle__is_sent),
        PLAN_TEST(chances_of_a_tenth__ten_thousand_packets__happen_to_a_tenth),
        PLAN_TEST(certain_loss__packet__is_always_lost),
        PLAN_TEST(reordered_packet__behind_others__skips_the_delay_and_they_keep_theirs),
        PLAN_TEST(loss_added__delays_of_those_that_pass__do_not_move),
        WORLD_TEST(linked_hosts__packet_sent__arrives_by_that_links_way),
        WORLD_TEST(hosts_without_a_link__packet_sent__is_lost_and_counted),
        WORLD_TEST(broadcast_and_multicast__sent__reach_every_linked_host),
        WORLD_TEST(link_down_and_up_again__packets_sent__are_lost_and_then_arrive),
        WORLD_TEST(duplicate_and_corruption_certain__packet_sent__both_copies_arrive_corrupt),
        WORLD_TEST(links_with_mtu__added__lower_the_interfaces),
        WORLD_TEST(open_tap__packets_sent__are_kept_in_order_with_their_senders),
        cmocka_unit_test(packet_hash__fields_and_payload_compared__sees_each_and_not_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
