/* Dialogues with one TCP: what arrives, what leaves, when; the peer is the test.
 * SPDX-License-Identifier: MIT
 *
 *   passive_open();
 *   arrives(PSH | ACK, .seq = 101, .data = "hello");
 *   leaves(ACK, .ack = 106);
 *
 * The host has 10.0.0.1; the peer is 10.0.0.2 (no host of the world owns it), its first sequence
 * number is 100. Our own numbers are told relative to our first one, so that SYN has 0. What a line
 * does not name is not checked, but for the payload's length and the flags. */
#ifndef TESTS_SIM_TCP_DIALOGUE_H
#define TESTS_SIM_TCP_DIALOGUE_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/event.h"
#include "sim/net/host.h"
#include "sim/net/ip.h"
#include "sim/net/packet.h"
#include "sim/run/world.h"
#include "sim/socket/protocol.h"
#include "sim/socket/sockets.h"
#include "sim/tcp/internal.h"
#include "sim/tcp/tcp.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };
enum { PEER_ISN = 100, PORT = 80, PEER_PORT = 5000 };

struct line {
    uint32_t seq, ack, win, mss, urgent;
    const char *data;
    uint32_t length;               /* of the payload, when data is not named */
    uint32_t sack[3][2];           /* absolute for what leaves, relative for what arrives */
    uint32_t tsval, tsecr;         /* arrives: carries timestamps when tsval is not 0 */
    uint8_t wscale, sackok, plain; /* arrives, SYN: options; plain: no MSS */
    uint8_t zero_window;
    uint8_t port_offset; /* of the peer */
};

static struct sim_world *world;
static struct sim_host_id host;
static struct sim_interface_id eth0;
static struct sim_socket_id conn; /* the connection */
static struct sim_socket_id listener;
static uint32_t our_isn;
static uint16_t our_port;
static uint8_t seen_syn;
static struct sim_packet last_seen; /* the packet that left last */

static inline int begin_dialogue(void **state)
{
    if (begin_world(state)) {
        return -1;
    }
    world = *state;
    host = sim_host_add(world, "a");
    sim_host_add_address(world, host, 2, sim_ip_v4(0x0a000001), 24);
    eth0 = sim_interface_at(world, sim_host_at(world, host)->first_interface)->next;
    /* Options off, so that lines are short; tests of them switch them on. */
    sim_host_set(world, host, "net.ipv4.tcp_timestamps", 0);
    sim_host_set(world, host, "net.ipv4.tcp_sack", 0);
    sim_host_set(world, host, "net.ipv4.tcp_window_scaling", 0);
    world->tap = 1;
    conn = listener = (struct sim_socket_id){0};
    our_isn = 0;
    our_port = PORT;
    seen_syn = 0;
    return 0;
}

#define DIALOGUE(name) cmocka_unit_test_setup_teardown(name, begin_dialogue, end_world)

static inline void run_until(uint64_t instant)
{
    struct sim_task_id task;
    uint32_t script;
    while (sim_world_step(world, instant, &task, &script) != SIM_STEP_EMPTY) {
        sim_check_world(world);
    }
    sim_world_advance(world, instant);
}

static inline void wait_ms(uint64_t ms)
{
    run_until(world->now + ms * MILLISECOND);
}

static inline uint64_t now_ms(void)
{
    return world->now / MILLISECOND;
}

static inline void arrives_line(uint8_t flags, struct line line)
{
    struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->source.ip = sim_ip_v4(0x0a000002);
    packet->source.port = (uint16_t)(PEER_PORT + line.port_offset);
    packet->destination.ip = sim_ip_v4(0x0a000001);
    packet->destination.port = our_port;
    packet->version = 4;
    packet->ttl = 64;
    packet->protocol = IPPROTO_TCP;
    packet->tcp.flags = flags;
    packet->tcp.sequence = line.seq;
    packet->tcp.acknowledgment = flags & ACK ? our_isn + line.ack : 0;
    packet->tcp.window = (uint16_t)(line.zero_window ? 0 : line.win ? line.win : 65535);
    packet->tcp.urgent = (uint16_t)line.urgent;
    if (flags & SYN && !line.plain) {
        packet->tcp.has_mss = 1;
        packet->tcp.mss = line.mss ? line.mss : 1460;
        packet->tcp.sack_permitted = line.sackok;
        packet->tcp.has_window_scale = line.wscale != 0;
        packet->tcp.window_scale = line.wscale;
    }
    if (line.tsval) {
        packet->tcp.has_timestamps = 1;
        packet->tcp.timestamp_value = line.tsval;
        packet->tcp.timestamp_echo = line.tsecr;
    }
    for (uint32_t i = 0; i < 3 && line.sack[i][0] != line.sack[i][1]; i++) {
        packet->tcp.sack[i][0] = our_isn + line.sack[i][0];
        packet->tcp.sack[i][1] = our_isn + line.sack[i][1];
        packet->tcp.sack_count++;
    }
    static char filler[70000];
    uint32_t length = line.data ? (uint32_t)strlen(line.data) : line.length;
    sim_bytes_append(world, &packet->payload, line.data ? line.data : filler, length);
    sim_ip_input(world, eth0, id);
    run_until(world->now);
    sim_check_world(world);
}
#define arrives(flags, ...) arrives_line((flags), (struct line){__VA_ARGS__})

static inline bool take_leaving(void)
{
    run_until(world->now);
    struct sim_packet_id id = sim_packet_take_tap(world);
    if (!id.index) {
        return false;
    }
    last_seen = *sim_packet_at(world, id);
    if ((last_seen.tcp.flags & SYN) && !seen_syn) {
        our_isn = last_seen.tcp.sequence;
        our_port = last_seen.source.port;
        seen_syn = 1;
    }
    sim_packet_free(world, id);
    return true;
}

static inline void print_segment(const char *what)
{
    printf("%s at %llu ms: flags %x seq %u ack %u win %u len %u\n", what, (unsigned long long)now_ms(),
           last_seen.tcp.flags, last_seen.tcp.sequence - our_isn, last_seen.tcp.acknowledgment,
           last_seen.tcp.window, (unsigned)last_seen.payload.length);
}

static inline void leaves_line(uint8_t flags, struct line line, const char *file, int at)
{
    if (!take_leaving()) {
        printf("%s:%d: nothing left\n", file, at);
        fail();
    }
    uint32_t length = line.data ? (uint32_t)strlen(line.data) : line.length;
    bool fits = last_seen.tcp.flags == flags && last_seen.payload.length == length &&
                (!line.seq || last_seen.tcp.sequence - our_isn == line.seq) &&
                (!line.ack || last_seen.tcp.acknowledgment == line.ack) &&
                (!line.win || last_seen.tcp.window == line.win) &&
                (!line.zero_window || last_seen.tcp.window == 0) &&
                (!line.mss || (last_seen.tcp.has_mss && last_seen.tcp.mss == line.mss)) &&
                (!line.urgent || last_seen.tcp.urgent == line.urgent);
    for (uint32_t i = 0; i < 3 && line.sack[i][0] != line.sack[i][1]; i++) {
        fits = fits && last_seen.tcp.sack_count > i && last_seen.tcp.sack[i][0] == line.sack[i][0] &&
               last_seen.tcp.sack[i][1] == line.sack[i][1];
    }
    if (!fits) {
        print_segment("left");
        printf("%s:%d: expected flags %x seq %u ack %u win %u len %u\n", file, at, flags, line.seq,
               line.ack, line.win, length);
        fail();
    }
}
#define leaves(flags, ...) leaves_line((flags), (struct line){__VA_ARGS__}, __FILE__, __LINE__)

static inline void nothing_leaves_line(const char *file, int at)
{
    if (take_leaving()) {
        print_segment("left");
        printf("%s:%d: nothing should leave\n", file, at);
        fail();
    }
}
#define nothing_leaves() nothing_leaves_line(__FILE__, __LINE__)

/* Nothing leaves before that instant; then the line does. */
static inline void leaves_at_line(uint64_t ms, uint8_t flags, struct line line, const char *file,
                                  int at)
{
    assert_true(ms * MILLISECOND > world->now);
    run_until(ms * MILLISECOND - 1);
    struct sim_packet_id id = sim_packet_take_tap(world);
    if (id.index) {
        last_seen = *sim_packet_at(world, id);
        printf("sent at %llu us: ", (unsigned long long)last_seen.sent_at / 1000);
        print_segment("left too early");
        printf("%s:%d\n", file, at);
        fail();
    }
    run_until(ms * MILLISECOND);
    leaves_line(flags, line, file, at);
}
#define leaves_at(ms, flags, ...) \
    leaves_at_line((ms), (flags), (struct line){__VA_ARGS__}, __FILE__, __LINE__)

/* ---- calls -------------------------------------------------------------------------------- */

static inline struct sim_socket_id new_socket(void)
{
    struct sim_socket_id id;
    assert_int_equal(
        sim_socket_create(world, host, (struct sim_process_id){0}, AF_INET, SOCK_STREAM, 0, &id), 0);
    return id;
}

static inline struct sim_tcp *block_of(struct sim_socket_id id)
{
    return sim_tcp_at(world, (struct sim_tcp_id){sim_socket_at(world, id)->detail});
}

static inline int do_bind(struct sim_socket_id id, uint32_t ip, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
    return sim_tcp_protocol.bind(world, id, (struct sockaddr *)&address, sizeof address);
}

static inline int do_connect(struct sim_socket_id id, uint32_t ip, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
    return sim_tcp_protocol.connect(world, id, (struct sockaddr *)&address, sizeof address);
}

static inline void do_set(struct sim_socket_id id, int name, int value)
{
    assert_int_equal(sim_tcp_protocol.set_option(world, id, IPPROTO_TCP, name, &value, sizeof value),
                     0);
}

static inline int do_get(struct sim_socket_id id, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    assert_int_equal(sim_tcp_protocol.get_option(world, id, IPPROTO_TCP, name, &value, &length), 0);
    return value;
}

static inline ssize_t do_send_flags(struct sim_socket_id id, const void *data, size_t length, int flags)
{
    struct iovec iov = {(void *)(uintptr_t)data, length};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    return sim_tcp_protocol.send(world, (struct sim_task_id){0}, id, &message, 0, flags);
}

static inline ssize_t do_send(struct sim_socket_id id, const char *text)
{
    return do_send_flags(id, text, strlen(text), 0);
}

static inline ssize_t do_send_zeros(struct sim_socket_id id, size_t length)
{
    static char zeros[1 << 20];
    assert_true(length <= sizeof zeros);
    return do_send_flags(id, zeros, length, 0);
}

static char received[1 << 16];

static inline ssize_t do_receive(struct sim_socket_id id, size_t length, int flags)
{
    memset(received, 0, 64);
    struct iovec iov = {received, length};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    return sim_tcp_protocol.receive(world, (struct sim_task_id){0}, id, &message, 0, flags);
}

static inline void receives(struct sim_socket_id id, const char *text)
{
    assert_int_equal(do_receive(id, sizeof received, 0), (ssize_t)strlen(text));
    assert_memory_equal(received, text, strlen(text));
}

static inline uint32_t polls(struct sim_socket_id id)
{
    return sim_tcp_protocol.poll(world, id) & ~(uint32_t)(POLLRDNORM | POLLWRNORM);
}

static inline int do_shutdown(struct sim_socket_id id, int how)
{
    return sim_tcp_protocol.shutdown(world, id, how);
}

static inline void do_close(struct sim_socket_id id)
{
    sim_socket_release(world, id);
}

static inline enum sim_tcp_state state_of(struct sim_socket_id id)
{
    return block_of(id)->state;
}

static inline int error_of(struct sim_socket_id id)
{
    return -sim_socket_take_error(world, id);
}

static inline void listens(int backlog)
{
    listener = new_socket();
    assert_int_equal(do_bind(listener, 0, PORT), 0);
    assert_int_equal(sim_tcp_protocol.listen(world, listener, backlog), 0);
    our_port = PORT;
}

/* The accepted connection of a passive open with the peer's `port_offset`-th port. */
static inline struct sim_socket_id handshake(uint8_t port_offset)
{
    seen_syn = 0;
    arrives(SYN, .seq = PEER_ISN, .port_offset = port_offset);
    leaves(SYN | ACK, .ack = PEER_ISN + 1);
    arrives(ACK, .seq = PEER_ISN + 1, .ack = 1, .port_offset = port_offset);
    struct sim_socket_id child;
    assert_int_equal(sim_tcp_protocol.accept(world, listener, &child), 0);
    return child;
}

static inline void passive_open(void)
{
    listens(5);
    conn = handshake(0);
    nothing_leaves();
}

static inline void active_open(void)
{
    conn = new_socket();
    assert_int_equal(do_connect(conn, 0x0a000002, PEER_PORT), -EINPROGRESS);
    leaves(SYN);
    arrives(SYN | ACK, .seq = PEER_ISN, .ack = 1);
    leaves(ACK, .seq = 1, .ack = PEER_ISN + 1);
    assert_int_equal(sim_tcp_protocol.connected(world, conn), 0);
}

#endif
