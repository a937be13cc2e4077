/* Packets as bytes: what a Linux kernel sent, there and back, and everything that is wrong.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/random.h"
#include "sim/net/host.h"
#include "sim/net/packet.h"
#include "sim/net/wire.h"

enum { PACKET_MOST = 70000 };

/* A SYN that Linux 6.18 wrote to a TUN device. */
static const char linux_syn[] = "4500003cc938400040065d810a0000010a0000029c4100502586134e0000"
                                "0000a002faf0a9180000020405b40402080abe81fc09000000000103030a";

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t length = 0;
    unsigned byte;
    while (sscanf(hex + 2 * length, "%2x", &byte) == 1) {
        bytes[length++] = (uint8_t)byte;
    }
    return length;
}

/* Decodes what must be right, and encodes it again to the same bytes. The packet. */
static const struct sim_packet *comes_back(struct sim_world *world, const char *hex)
{
    uint8_t bytes[256];
    uint8_t again[256];
    const size_t length = from_hex(hex, bytes);
    struct sim_packet_id id;
    assert_int_equal(sim_wire_decode(world, bytes, length, &id), 0);
    const struct sim_packet *packet = sim_packet_at(world, id);
    assert_int_equal(sim_packet_wire_bytes(packet), length);
    assert_int_equal(sim_wire_encode(world, packet, again, sizeof again), length);
    assert_memory_equal(again, bytes, length);
    return packet;
}

static struct sim_ip v6(uint8_t last)
{
    return (struct sim_ip){{0xfd, [15] = last}};
}

static void assert_ends(const struct sim_packet *packet, uint16_t from, uint16_t to)
{
    if (packet->version == 4) {
        assert_int_equal(sim_ip_to_v4(packet->source.ip), 0x0a000001);
        assert_int_equal(sim_ip_to_v4(packet->destination.ip), 0x0a000002);
    } else {
        assert_true(sim_ip_equal(packet->source.ip, v6(1)));
        assert_true(sim_ip_equal(packet->destination.ip, v6(2)));
    }
    assert_int_equal(packet->source.port, from);
    assert_int_equal(packet->destination.port, to);
    assert_int_equal(packet->ttl, 64);
}

/* ---- packets that Linux 6.18 wrote to a TUN device ---------------------------------------- */

static void udp_of_linux__decoded__is_its_fields_and_the_same_bytes_again(void **state)
{
    struct sim_world *world = *state;
    const struct sim_packet *packet = comes_back(
        world, "45000021094a400040111d800a0000010a0000029c400007000d0bb868656c6c6f");
    assert_ends(packet, 40000, 7);
    assert_int_equal(packet->protocol, IPPROTO_UDP);
    assert_int_equal(packet->dont_fragment, 1);
    assert_int_equal(packet->identification, 0x094a);
    char text[8] = {0};
    assert_int_equal(sim_bytes_copy_out(world, &packet->payload, 0, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    packet = comes_back(world, "6003f58a000f1140fd000000000000000000000000000001fd00000000000000"
                               "00000000000000029c400007000f047c68656c6c6f3621");
    assert_ends(packet, 40000, 7);
    assert_int_equal(packet->version, 6);
    assert_int_equal(packet->flow_label, 0x3f58a);
    assert_int_equal(packet->payload.length, 7);
}

static void syn_of_linux__decoded__has_its_options_in_linuxs_order(void **state)
{
    const struct sim_packet *packet = comes_back(*state, linux_syn);
    assert_ends(packet, 40001, 80);
    const struct sim_tcp_header expected = {
        .sequence = 0x2586134e,
        .window = 64240,
        .flags = SIM_TCP_SYN,
        .has_mss = 1,
        .has_window_scale = 1,
        .has_timestamps = 1,
        .sack_permitted = 1,
        .window_scale = 10,
        .mss = 1460,
        .timestamp_value = 0xbe81fc09,
    };
    assert_memory_equal(&packet->tcp, &expected, sizeof expected);
    packet = comes_back(*state, "600d526300280640fd000000000000000000000000000001fd00000000000000"
                                "00000000000000029c410050fce1c5d500000000a002fd2035590000020405a0"
                                "0402080a4bb17098000000000103030a");
    assert_ends(packet, 40001, 80);
    assert_int_equal(packet->tcp.mss, 1440);
}

static void reset_of_linux__decoded__is_its_fields(void **state)
{
    const struct sim_packet *packet = comes_back(
        *state, "4500002800004000400626ce0a0000010a000002270e04d200000000000003e9501400006c050000");
    assert_ends(packet, 9998, 1234);
    assert_int_equal(packet->tcp.flags, SIM_TCP_RST | SIM_TCP_ACK);
    assert_int_equal(packet->tcp.acknowledgment, 1001);
}

static void echo_reply_of_linux__decoded__is_its_fields(void **state)
{
    const struct sim_packet *packet = comes_back(
        *state, "45000024c9da000040019cfc0a0000010a0000020000481e004d000170696e6764617461");
    assert_int_equal(packet->icmp.type, 0);
    assert_int_equal(packet->icmp.identifier, 77);
    assert_int_equal(packet->icmp.sequence, 1);
    assert_int_equal(packet->icmp.has_quote, 0);
    assert_int_equal(packet->payload.length, 8);
}

static void port_unreachable_of_linux__decoded__tells_the_quoted_ends(void **state)
{
    static const char *const errors[] = {
        "45c0003bc9b8000040019c470a0000010a00000203030cae000000004500001f00010000401166cb"
        "0a0000020a00000104d2270f000b0000616263",
        "600032d0003b3a40fd000000000000000000000000000001fd000000000000000000000000000002"
        "010493520000000060000000000b1140fd000000000000000000000000000002fd00000000000000"
        "000000000000000104d2270f000b1590616263",
    };
    static const struct {
        uint8_t type, code;
    } expected[] = {{3, 3}, {1, 4}};
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t bytes[256];
        struct sim_packet_id id;
        const size_t length = from_hex(errors[i], bytes);
        assert_int_equal(sim_wire_decode(*state, bytes, length, &id), 0);
        const struct sim_packet *packet = sim_packet_at(*state, id);
        assert_int_equal(packet->icmp.type, expected[i].type);
        assert_int_equal(packet->icmp.code, expected[i].code);
        assert_int_equal(packet->icmp.has_quote, 1);
        assert_int_equal(packet->icmp.quoted_protocol, IPPROTO_UDP);
        assert_int_equal(packet->icmp.quoted_source.port, 1234);
        assert_int_equal(packet->icmp.quoted_destination.port, 9999);
        assert_true(sim_ip_equal(packet->icmp.quoted_source.ip, packet->destination.ip));
        assert_true(sim_ip_equal(packet->icmp.quoted_destination.ip, packet->source.ip));
        assert_int_equal(packet->payload.length, 0);
    }
}

/* ---- there and back ----------------------------------------------------------------------- */

static uint32_t some(struct sim_random *chance, uint64_t bound)
{
    return (uint32_t)sim_random_below(chance, SIM_STREAM_DELAY, bound);
}

static void fill_tcp(struct sim_random *chance, struct sim_tcp_header *tcp)
{
    tcp->sequence = some(chance, UINT64_C(1) << 32);
    tcp->acknowledgment = some(chance, UINT64_C(1) << 32);
    tcp->window = (uint16_t)some(chance, 65536);
    tcp->urgent = (uint16_t)some(chance, 65536);
    tcp->flags = (uint8_t)some(chance, 256);
    tcp->has_mss = (uint8_t)some(chance, 2);
    tcp->mss = tcp->has_mss ? some(chance, 65536) : 0;
    tcp->has_window_scale = (uint8_t)some(chance, 2);
    tcp->window_scale = tcp->has_window_scale ? (uint8_t)some(chance, 15) : 0;
    tcp->sack_permitted = (uint8_t)some(chance, 2);
    tcp->has_timestamps = (uint8_t)some(chance, 2);
    if (tcp->has_timestamps) {
        tcp->timestamp_value = some(chance, UINT64_C(1) << 32);
        tcp->timestamp_echo = some(chance, UINT64_C(1) << 32);
    }
    tcp->sack_count = (uint8_t)some(chance, SIM_SACK_BLOCKS + 1);
    tcp->sack_count = (uint8_t)sim_packet_sack_count(tcp); /* those that fit */
    for (uint32_t i = 0; i < tcp->sack_count; i++) {
        tcp->sack[i][0] = some(chance, UINT64_C(1) << 32);
        tcp->sack[i][1] = some(chance, UINT64_C(1) << 32);
    }
}

static void fill_icmp(struct sim_random *chance, struct sim_packet *packet)
{
    struct sim_icmp_header *icmp = &packet->icmp;
    icmp->code = (uint8_t)some(chance, 4);
    if (some(chance, 2)) {
        icmp->type = packet->version == 4 ? 8 : 128;
        icmp->identifier = (uint16_t)some(chance, 65536);
        icmp->sequence = (uint16_t)some(chance, 65536);
        return;
    }
    static const uint8_t protocols[2][3] = {{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP},
                                            {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6}};
    icmp->type = packet->version == 4 ? (some(chance, 2) ? 3 : 11) : (uint8_t)(1 + some(chance, 4));
    icmp->mtu = some(chance, 65536);
    icmp->has_quote = 1;
    icmp->quoted_protocol = protocols[packet->version == 6][some(chance, 3)];
    icmp->quoted_source = packet->destination;
    icmp->quoted_destination = packet->source;
    icmp->quoted_source.port = (uint16_t)some(chance, 65536);
    icmp->quoted_destination.port = (uint16_t)some(chance, 65536);
    icmp->quoted_sequence = icmp->quoted_protocol == IPPROTO_TCP ? some(chance, UINT64_C(1) << 32) : 0;
}

static struct sim_packet_id random_packet(struct sim_world *world, struct sim_random *chance)
{
    static const uint8_t protocols[2][4] = {{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 200},
                                            {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6, 200}};
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = some(chance, 2) ? 4 : 6;
    packet->protocol = protocols[packet->version == 6][some(chance, 4)];
    packet->ttl = (uint8_t)some(chance, 256);
    packet->tos = (uint8_t)some(chance, 256);
    packet->source.ip = packet->version == 4 ? sim_ip_v4(some(chance, UINT64_C(1) << 32)) : v6(9);
    packet->destination.ip = packet->version == 4 ? sim_ip_v4(0x0a000002) : v6(2);
    if (packet->version == 4) {
        packet->dont_fragment = (uint8_t)some(chance, 2);
        packet->identification = (uint16_t)some(chance, 65536);
    } else {
        packet->flow_label = some(chance, 1 << 20);
    }
    if (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) {
        packet->source.port = (uint16_t)some(chance, 65536);
        packet->destination.port = (uint16_t)some(chance, 65536);
    }
    if (packet->protocol == IPPROTO_TCP) {
        fill_tcp(chance, &packet->tcp);
    } else if (sim_packet_is_icmp(packet)) {
        fill_icmp(chance, packet);
    }
    if (!packet->icmp.has_quote || packet->protocol == IPPROTO_TCP) {
        uint8_t data[9000];
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = (uint8_t)(i * 7 + i / 251);
        }
        const size_t length = some(chance, 2) ? some(chance, 5) : some(chance, sizeof data);
        assert_int_equal(sim_bytes_append(world, &packet->payload, data, length), 0);
    }
    return id;
}

static void assert_same(const struct sim_world *world, const struct sim_packet *a,
                        const struct sim_packet *b)
{
    static uint8_t left[9000];
    static uint8_t right[9000];
    const size_t first = offsetof(struct sim_packet, source);
    assert_memory_equal((const char *)a + first, (const char *)b + first,
                        offsetof(struct sim_packet, payload) - first);
    assert_memory_equal(a->header_bytes, b->header_bytes, sizeof a->header_bytes);
    const size_t length = sim_bytes_copy_out(world, &a->payload, 0, left, sizeof left);
    assert_int_equal(sim_bytes_copy_out(world, &b->payload, 0, right, sizeof right), length);
    assert_memory_equal(left, right, length);
}

static void ten_thousand_packets__encoded_and_decoded__are_the_same(void **state)
{
    struct sim_world *world = *state;
    struct sim_random chance;
    sim_random_seed(&chance, 21);
    static uint8_t bytes[PACKET_MOST];
    for (uint32_t i = 0; i < 10000; i++) {
        const struct sim_packet_id id = random_packet(world, &chance);
        const struct sim_packet *packet = sim_packet_at(world, id);
        const size_t length = sim_wire_encode(world, packet, bytes, sizeof bytes);
        assert_int_equal(length, sim_packet_wire_bytes(packet));
        struct sim_packet_id again;
        assert_int_equal(sim_wire_decode(world, bytes, length, &again), 0);
        assert_same(world, packet, sim_packet_at(world, again));
        sim_packet_free(world, again);
        sim_packet_free(world, id);
    }
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
}

static void small_buffer__encoded__tells_the_length_and_writes_nothing(void **state)
{
    struct sim_world *world = *state;
    struct sim_random chance;
    sim_random_seed(&chance, 22);
    const struct sim_packet *packet = sim_packet_at(world, random_packet(world, &chance));
    uint8_t bytes[PACKET_MOST] = {0x77};
    const size_t length = sim_packet_wire_bytes(packet);
    assert_int_equal(sim_wire_encode(world, packet, bytes, length - 1), length);
    assert_int_equal(bytes[0], 0x77);
    assert_int_equal(sim_wire_encode(world, packet, bytes, length), length);
    assert_int_not_equal(bytes[0], 0x77);
}

/* ---- wrong -------------------------------------------------------------------------------- */

static void corrupt_packets__encoded__are_refused_by_whoever_checks_sums(void **state)
{
    struct sim_world *world = *state;
    struct sim_random chance;
    sim_random_seed(&chance, 23);
    static uint8_t bytes[PACKET_MOST];
    for (uint32_t i = 0; i < 2000; i++) {
        const struct sim_packet_id id = random_packet(world, &chance);
        struct sim_packet *packet = sim_packet_at(world, id);
        if (packet->protocol != 200 || packet->version == 4) {
            packet->corrupt = 1;
            const size_t length = sim_wire_encode(world, packet, bytes, sizeof bytes);
            struct sim_packet_id again;
            assert_int_equal(sim_wire_decode(world, bytes, length, &again), -EBADMSG);
        }
        sim_packet_free(world, id);
    }
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
}

static void every_bit_of_a_packet__flipped__is_noticed(void **state)
{
    uint8_t bytes[256];
    const size_t length = from_hex(linux_syn, bytes);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        struct sim_packet_id id;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sim_wire_decode(*state, bytes, length, &id), -EBADMSG);
        assert_int_equal(id.index, 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_packet__cut_anywhere__is_refused(void **state)
{
    struct sim_world *world = *state;
    struct sim_random chance;
    sim_random_seed(&chance, 24);
    static uint8_t bytes[PACKET_MOST];
    for (uint32_t i = 0; i < 200; i++) {
        const struct sim_packet_id id = random_packet(world, &chance);
        const size_t length = sim_wire_encode(world, sim_packet_at(world, id), bytes, sizeof bytes);
        for (size_t cut = 0; cut < length; cut += cut < 120 ? 1 : 311) {
            struct sim_packet_id again;
            assert_int_equal(sim_wire_decode(world, bytes, cut, &again), -EBADMSG);
        }
        sim_packet_free(world, id);
    }
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
}

/* ---- packets with one thing wrong and the sum right --------------------------------------- */

static uint16_t sum_of(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* Puts a right checksum at transport[at] of an IPv4 packet without IP options. */
static void seal(uint8_t *bytes, size_t length, size_t at)
{
    uint8_t *transport = bytes + 20;
    transport[at] = 0;
    transport[at + 1] = 0;
    const uint32_t pseudo = bytes[9] == IPPROTO_ICMP
                                ? 0
                                : sum_of(bytes + 12, 8, (uint32_t)(length - 20) + bytes[9]);
    const uint16_t sum = (uint16_t)~sum_of(transport, length - 20, pseudo);
    transport[at] = (uint8_t)(sum >> 8);
    transport[at + 1] = (uint8_t)sum;
}

static void malformed_tcp_option__decoded__ends_the_options_not_the_packet(void **state)
{
    static const struct {
        uint8_t kind, length;
    } wrong[] = {{8, 15}, {8, 255}, {3, 0}, {3, 1}};
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t bytes[256];
        const size_t length = from_hex(linux_syn, bytes);
        assert_int_equal(bytes[46], 8); /* the timestamps: ten bytes, then four more of options */
        bytes[46] = wrong[i].kind;
        bytes[47] = wrong[i].length;
        seal(bytes, length, 16);
        struct sim_packet_id id;
        assert_int_equal(sim_wire_decode(*state, bytes, length, &id), 0);
        const struct sim_packet *packet = sim_packet_at(*state, id);
        assert_int_equal(packet->tcp.mss, 1460); /* what came before it counts */
        assert_int_equal(packet->tcp.has_timestamps, 0);
        assert_int_equal(packet->tcp.has_window_scale, 0);
        assert_int_equal(packet->payload.length, 0);
    }
}

static void tcp_option_beyond_the_header__decoded__is_not_read(void **state)
{
    uint8_t bytes[256];
    const size_t length = from_hex(linux_syn, bytes);
    memset(bytes + 44, 1, 14);
    bytes[58] = 8; /* timestamps, eight bytes short */
    bytes[59] = 10;
    seal(bytes, length, 16);
    struct sim_packet_id id;
    assert_int_equal(sim_wire_decode(*state, bytes, length, &id), 0);
    assert_int_equal(sim_packet_at(*state, id)->tcp.has_timestamps, 0);
}

static void quotation_cut_before_the_ports__decoded__is_refused(void **state)
{
    uint8_t bytes[256];
    from_hex("45c0003bc9b8000040019c470a0000010a00000203030cae000000004500001f00010000401166cb"
             "0a0000020a00000104d2270f000b0000616263",
             bytes);
    for (size_t length = 28; length <= 59; length++) {
        bytes[3] = (uint8_t)length;
        bytes[10] = 0;
        bytes[11] = 0;
        const uint16_t sum = (uint16_t)~sum_of(bytes, 20, 0);
        bytes[10] = (uint8_t)(sum >> 8);
        bytes[11] = (uint8_t)sum;
        seal(bytes, length, 2);
        struct sim_packet_id id;
        const int expected = length < 20 + 8 + 20 + 8 ? -EBADMSG : 0;
        assert_int_equal(sim_wire_decode(*state, bytes, length, &id), expected);
    }
}

static void udp_without_checksum__decoded__is_taken_in_ipv4_alone(void **state)
{
    uint8_t bytes[256];
    struct sim_packet_id id;
    size_t length = from_hex("45000021094a400040111d800a0000010a0000029c400007000d000068656c6c6f",
                             bytes);
    assert_int_equal(sim_wire_decode(*state, bytes, length, &id), 0);
    length = from_hex("6003f58a000f1140fd000000000000000000000000000001fd000000000000000000000000"
                      "0000029c400007000f000068656c6c6f3621",
                      bytes);
    assert_int_equal(sim_wire_decode(*state, bytes, length, &id), -EBADMSG);
}

static void udp_whose_sum_is_zero__encoded__says_all_ones(void **state)
{
    struct sim_world *world = *state;
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = 4;
    packet->protocol = IPPROTO_UDP;
    packet->source.ip = sim_ip_v4(0x0a000001);
    packet->destination.ip = sim_ip_v4(0x0a000002);
    assert_int_equal(sim_bytes_append(world, &packet->payload, "\0\0", 2), 0);
    uint8_t bytes[64];
    const size_t length = sim_wire_encode(world, packet, bytes, sizeof bytes);
    const uint8_t sum[2] = {bytes[26], bytes[27]};
    sim_bytes_clear(world, &packet->payload);
    assert_int_equal(sim_bytes_append(world, &packet->payload, sum, 2), 0);
    assert_int_equal(sim_wire_encode(world, packet, bytes, sizeof bytes), length);
    assert_int_equal(bytes[26], 0xff);
    assert_int_equal(bytes[27], 0xff);
    struct sim_packet_id again;
    assert_int_equal(sim_wire_decode(world, bytes, length, &again), 0);
}

static void packets_not_understood__decoded__are_refused(void **state)
{
    static const char *const packets[] = {
        /* a multicast listener report of Linux, behind a hop-by-hop header */
        "6000000000240001fe800000000000000000000000000001ff020000000000000000000000000016"
        "3a000502000001008f0000000000000104000000ff020000000000000000000000000001",
        /* version 5 */
        "5500003cc938400040065d810a0000010a0000029c4100502586134e00000000a002faf0a9180000",
        /* an IPv4 header of four words */
        "4400002100004000401127ca0a0000010a0000029c400007000d0bb868656c6c6f",
        /* IPv4-mapped addresses in IPv6 */
        "600000000008114000000000000000000000ffff0a00000100000000000000000000ffff0a000002"
        "9c40000700080000",
    };
    for (uint32_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
        uint8_t bytes[256];
        struct sim_packet_id id;
        const size_t length = from_hex(packets[i], bytes);
        assert_int_equal(sim_wire_decode(*state, bytes, length, &id), -EBADMSG);
    }
}

static void random_bytes__decoded__are_a_packet_or_refused_and_nothing_leaks(void **state)
{
    struct sim_world *world = *state;
    struct sim_random chance;
    sim_random_seed(&chance, 25);
    for (uint32_t i = 0; i < 50000; i++) {
        uint8_t bytes[128];
        const size_t length = some(&chance, sizeof bytes);
        for (size_t at = 0; at < length; at++) {
            bytes[at] = (uint8_t)some(&chance, 256);
        }
        bytes[0] = (uint8_t)(some(&chance, 2) ? 0x45 : 0x60);
        struct sim_packet_id id;
        const int result = sim_wire_decode(world, bytes, length, &id);
        assert_true(result == 0 || result == -EBADMSG);
        if (result == 0) {
            sim_packet_free(world, id);
        }
    }
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(udp_of_linux__decoded__is_its_fields_and_the_same_bytes_again),
        WORLD_TEST(syn_of_linux__decoded__has_its_options_in_linuxs_order),
        WORLD_TEST(reset_of_linux__decoded__is_its_fields),
        WORLD_TEST(echo_reply_of_linux__decoded__is_its_fields),
        WORLD_TEST(port_unreachable_of_linux__decoded__tells_the_quoted_ends),
        WORLD_TEST(ten_thousand_packets__encoded_and_decoded__are_the_same),
        WORLD_TEST(small_buffer__encoded__tells_the_length_and_writes_nothing),
        WORLD_TEST(corrupt_packets__encoded__are_refused_by_whoever_checks_sums),
        WORLD_TEST(every_bit_of_a_packet__flipped__is_noticed),
        WORLD_TEST(every_packet__cut_anywhere__is_refused),
        WORLD_TEST(malformed_tcp_option__decoded__ends_the_options_not_the_packet),
        WORLD_TEST(tcp_option_beyond_the_header__decoded__is_not_read),
        WORLD_TEST(quotation_cut_before_the_ports__decoded__is_refused),
        WORLD_TEST(udp_without_checksum__decoded__is_taken_in_ipv4_alone),
        WORLD_TEST(udp_whose_sum_is_zero__encoded__says_all_ones),
        WORLD_TEST(packets_not_understood__decoded__are_refused),
        WORLD_TEST(random_bytes__decoded__are_a_packet_or_refused_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
