/* Noise: segments and calls drawn by chance, every invariant walked after each, nothing left over.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "dialogue.h"
#include "sim/core/random.h"

enum { SOCKETS = 6, STEPS = 3000 };

static struct sim_random chance;
static uint64_t more; /* the first argument: other seeds, for runs at length */
static struct sim_socket_id sockets[SOCKETS];

static uint32_t below(uint32_t bound)
{
    return (uint32_t)sim_random_below(&chance, SIM_STREAM_FAULT, bound);
}

/* A segment that is right but for small mistakes in what fits: flags, sequence, ack, window, length. */
static void something_arrives(const struct sim_tcp *tcp)
{
    static const uint8_t flags[] = {ACK,
                                    ACK,
                                    PSH | ACK,
                                    FIN | ACK,
                                    SYN,
                                    SYN | ACK,
                                    RST,
                                    RST | ACK,
                                    URG | ACK,
                                    0,
                                    FIN | PSH | URG | SYN | RST | ACK};
    static const int32_t off[] = {0, 0, 0, 0, 1, -1, 10, -10, 1460, -1460, 65535, -70000, 1 << 30};
    enum { OFFS = sizeof off / sizeof off[0] };
    const struct sim_socket *socket = sim_socket_at(world, tcp->socket);
    struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = 4;
    packet->protocol = IPPROTO_TCP;
    packet->source.ip = sim_ip_v4(0x0a000002);
    packet->source.port = below(8) ? socket->remote.port : (uint16_t)(PEER_PORT + below(4));
    packet->destination.ip = sim_ip_v4(0x0a000001);
    packet->destination.port = below(16) ? socket->local.port : PORT;
    packet->tcp.flags = flags[below(sizeof flags)];
    packet->tcp.sequence = tcp->rcv_nxt + (uint32_t)off[below(OFFS)];
    packet->tcp.acknowledgment = (below(2) ? tcp->snd_nxt : tcp->snd_una) + (uint32_t)off[below(OFFS)];
    packet->tcp.window = (uint16_t)(below(4) ? below(65536) : below(3));
    packet->tcp.urgent = (uint16_t)below(20);
    packet->tcp.has_mss = packet->tcp.flags & SYN && below(2);
    packet->tcp.mss = below(3) ? 1460 : below(65536);
    packet->tcp.sack_permitted = (uint8_t)below(2);
    packet->tcp.has_window_scale = (uint8_t)below(2);
    packet->tcp.window_scale = (uint8_t)below(16);
    packet->tcp.has_timestamps = tcp->timestamps_ok && below(8);
    packet->tcp.timestamp_value = tcp->ts_recent + below(3) - (below(8) ? 0 : 1000);
    packet->tcp.timestamp_echo = tcp_clock_ms(world) - below(50);
    packet->tcp.sack_count = (uint8_t)(below(3) ? 0 : 1 + below(3));
    for (uint32_t i = 0; i < packet->tcp.sack_count; i++) {
        packet->tcp.sack[i][0] = tcp->snd_una + below(20000);
        packet->tcp.sack[i][1] = packet->tcp.sack[i][0] + below(6000);
    }
    static const char filler[3000];
    sim_bytes_append(world, &packet->payload, filler, below(3) ? below(30) : below(3000));
    sim_ip_input(world, eth0, id);
}

static void something_is_called(uint32_t which)
{
    struct sim_socket_id id = sockets[which];
    struct sim_socket_id child;
    switch (below(14)) {
    case 0:
    case 1:
    case 2:
        do_send_zeros(id, 1 + below(4000));
        break;
    case 3:
        do_send_flags(id, "u", 1, MSG_OOB);
        break;
    case 4:
    case 5:
        do_receive(id, 1 + below(4000), below(4) ? 0 : MSG_PEEK);
        break;
    case 6:
        do_receive(id, 1, MSG_OOB);
        break;
    case 7:
        do_shutdown(id, (int)below(3));
        break;
    case 8:
        if (below(4) == 0) {
            do_close(id);
            sockets[which] = new_socket();
        }
        break;
    case 9:
        do_connect(id, 0x0a000002, (uint16_t)(PEER_PORT + below(4)));
        break;
    case 10:
        if (sim_tcp_protocol.accept(world, listener, &child) == 0) {
            do_close(id);
            sockets[which] = child;
        }
        break;
    case 11:
        do_set(id, below(2) ? TCP_NODELAY : TCP_CORK, (int)below(2));
        break;
    case 12:
        sim_tcp_protocol.connected(world, id);
        break;
    default:
        (void)polls(id);
        break;
    }
}

static const struct sim_tcp *some_block(void)
{
    uint32_t count = world->pools[SIM_POOL_TCP].high_water;
    for (int tries = 0; tries < 20; tries++) {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){1 + below(count)});
        if (tcp->slot.live) {
            return tcp;
        }
    }
    return block_of(listener);
}

static void make_noise(uint64_t seed, uint32_t options)
{
    sim_random_seed(&chance, seed + 4 * more);
    world->tap = 0;
    sim_host_set(world, host, "net.ipv4.tcp_timestamps", options & 1);
    sim_host_set(world, host, "net.ipv4.tcp_sack", options >> 1 & 1);
    sim_host_set(world, host, "net.ipv4.tcp_window_scaling", options >> 2 & 1);
    listens(1);
    for (uint32_t i = 0; i < SOCKETS; i++) {
        sockets[i] = new_socket();
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        if (below(3)) {
            something_arrives(some_block());
        } else {
            something_is_called(below(SOCKETS));
        }
        run_until(world->now + (below(4) ? below(1000000) : (uint64_t)below(3000) * MILLISECOND));
        sim_check_world(world);
    }
    for (uint32_t i = 0; i < SOCKETS; i++) {
        do_close(sockets[i]);
    }
    do_close(listener);
    wait_ms(2000000);
    assert_int_equal(world->pools[SIM_POOL_TCP].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SOCKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_PACKET].live_count, 0);
    assert_int_equal(world->pools[SIM_POOL_SPAN].live_count, 0);
    assert_true(sim_event_next_at(world) == SIM_NEVER);
}

static void no_options__noise__invariants_hold(void **state)
{
    (void)state;
    make_noise(1, 0);
}

static void all_options__noise__invariants_hold(void **state)
{
    (void)state;
    make_noise(2, 7);
}

static void sack_alone__noise__invariants_hold(void **state)
{
    (void)state;
    make_noise(3, 2);
}

static void timestamps_and_scaling__noise__invariants_hold(void **state)
{
    (void)state;
    make_noise(4, 5);
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(no_options__noise__invariants_hold),
        DIALOGUE(all_options__noise__invariants_hold),
        DIALOGUE(sack_alone__noise__invariants_hold),
        DIALOGUE(timestamps_and_scaling__noise__invariants_hold),
    };
    more = count > 1 ? strtoull(words[1], NULL, 10) : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
