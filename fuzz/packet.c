/* Fuzzes the world's hosts with packets: no packet, true or forged, may break an invariant.
 * SPDX-License-Identifier: MIT
 *
 * Host a has a listener, an established connection with b, one that is being opened, and UDP
 * sockets; each input is a row of steps: packets as bytes, segments forged near the connection's
 * sequence numbers, ICMP errors about it, calls of a's program, time. After each step the world is
 * checked. At the end everything is closed and time runs out: then nothing may be left. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "fuzz.h"
#include "sim/call/call.h"
#include "sim/call/process.h"
#include "sim/core/block.h"
#include "sim/core/bytes.h"
#include "sim/core/event.h"
#include "sim/net/host.h"
#include "sim/net/ip.h"
#include "sim/net/link.h"
#include "sim/net/packet.h"
#include "sim/net/wire.h"
#include "sim/run/world.h"

enum {
    LISTENING_PORT = 80,
    CLOSED_PORT = 81,
    UDP_PORT = 53,
    STEPS = 200,
    PAYLOAD_BYTES = 4000,
    EVENTS_PER_STEP = 2000,
};

static const uint64_t MILLISECOND_NS = 1000000;
static const uint64_t LONG_NS = UINT64_C(7200) * 1000000000; /* longer than any connection tries */

enum descriptors {
    LISTENER,
    ESTABLISHED,
    OPENING,
    UDP,
    UDP_CONNECTED,
    DESCRIPTORS,
};

struct scene {
    struct sim_world *world;
    struct sim_host_id a, b;
    struct sim_task_id here, there; /* programs on a and on b */
    int fd[DESCRIPTORS];
    int peer; /* b's end of the established connection */
};

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t next(struct input *input, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | (input->left > 0 ? *input->at : 0);
        if (input->left > 0) {
            input->at++;
            input->left--;
        }
    }
    return value;
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        fuzz_wrong("%s", what);
    }
}

static void run(struct sim_world *world, uint64_t until)
{
    struct sim_task_id task;
    uint32_t script;
    for (uint32_t i = 0; i < EVENTS_PER_STEP; i++) {
        sim_ip_settle(world);
        if (sim_world_step(world, until, &task, &script) == SIM_STEP_EMPTY) {
            break;
        }
    }
    sim_ip_settle(world);
}

/* ---- the scene ------------------------------------------------------------------------------ */

static const struct sockaddr *address(uint8_t host, uint16_t port)
{
    static struct sockaddr_in in;
    in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    in.sin_addr.s_addr = host == 0 ? 0 : htonl(0x0a000000u + host);
    return (const struct sockaddr *)&in;
}

static int open_socket(struct sim_world *world, struct sim_task_id task, int type)
{
    const int64_t fd = sim_call_socket(world, task, AF_INET, type | SOCK_NONBLOCK, 0);
    must(fd >= 0, "no socket");
    return (int)fd;
}

static void build_network(struct scene *scene)
{
    struct sim_world *world = scene->world;
    const struct sim_link_way way = {.delay_ns = MILLISECOND_NS};
    const struct sim_ip a6 = {{0xfd, [15] = 1}};
    const struct sim_ip b6 = {{0xfd, [15] = 2}};
    struct sim_task_id task;
    uint32_t script;
    scene->a = sim_host_add(world, "a");
    scene->b = sim_host_add(world, "b");
    sim_host_add_address(world, scene->a, 2, sim_ip_v4(0x0a000001), 24);
    sim_host_add_address(world, scene->b, 2, sim_ip_v4(0x0a000002), 24);
    sim_host_add_address(world, scene->a, 2, a6, 64);
    sim_host_add_address(world, scene->b, 2, b6, 64);
    sim_link_add(world, scene->a, scene->b, &way);
    scene->there = sim_task_add(world, sim_process_add(world, scene->b, "there"), "there", false);
    must(sim_world_step(world, 0, &task, &script) == SIM_STEP_TASK, "b's program does not run");
    sim_task_end(world, scene->there); /* its calls never wait, so it need not run to make them */
    scene->here = sim_task_add(world, sim_process_add(world, scene->a, "here"), "here", false);
    must(sim_world_step(world, 0, &task, &script) == SIM_STEP_TASK, "a's program does not run");
}

static void build(struct scene *scene)
{
    const socklen_t length = sizeof(struct sockaddr_in);
    build_network(scene);
    struct sim_world *world = scene->world;
    const struct sim_task_id here = scene->here;
    for (int i = 0; i < DESCRIPTORS; i++) {
        scene->fd[i] = -1;
    }
    scene->fd[LISTENER] = open_socket(world, here, SOCK_STREAM);
    must(sim_call_bind(world, here, scene->fd[LISTENER], address(0, LISTENING_PORT), length) == 0,
         "no port to listen at");
    must(sim_call_listen(world, here, scene->fd[LISTENER], 3) == 0, "no listening");
    scene->peer = open_socket(world, scene->there, SOCK_STREAM);
    sim_call_connect(world, scene->there, scene->peer, address(1, LISTENING_PORT), length);
    run(world, 10 * MILLISECOND_NS);
    scene->fd[ESTABLISHED] = (int)sim_call_accept(world, here, scene->fd[LISTENER], NULL, NULL,
                                                  SOCK_NONBLOCK);
    must(scene->fd[ESTABLISHED] >= 0, "no connection");
    scene->fd[UDP] = open_socket(world, here, SOCK_DGRAM);
    must(sim_call_bind(world, here, scene->fd[UDP], address(0, UDP_PORT), length) == 0, "no UDP");
    scene->fd[UDP_CONNECTED] = open_socket(world, here, SOCK_DGRAM);
    sim_call_connect(world, here, scene->fd[UDP_CONNECTED], address(2, UDP_PORT), length);
    scene->fd[OPENING] = open_socket(world, here, SOCK_STREAM);
    sim_call_connect(world, here, scene->fd[OPENING], address(77, CLOSED_PORT), length);
    sim_ip_settle(world);
    sim_check_world(world);
}

/* ---- packets -------------------------------------------------------------------------------- */

static void arrives(const struct scene *scene, struct sim_packet_id id)
{
    const struct sim_host *host = sim_host_at(scene->world, scene->a);
    const struct sim_interface *lo = sim_interface_at(scene->world, host->first_interface);
    sim_packet_at(scene->world, id)->interface = lo->next.index;
    sim_ip_input(scene->world, lo->next, id);
}

static void raw_packet(const struct scene *scene, struct input *input)
{
    size_t length = next(input, 2) % 600;
    struct sim_packet_id id;
    length = length < input->left ? length : input->left;
    if (sim_wire_decode(scene->world, input->at, length, &id) == 0) {
        arrives(scene, id);
    }
    next(input, length);
}

/* The control block behind one of a's descriptors, or NULL. */
static const struct sim_socket *socket_of(const struct scene *scene, int which)
{
    for (uint32_t i = 1; i <= scene->world->pools[SIM_POOL_SOCKET].high_water; i++) {
        const struct sim_socket *socket = sim_socket_at(scene->world, (struct sim_socket_id){i});
        if (socket->slot.live && socket->host.index == scene->a.index &&
            socket->protocol_kind == SIM_PROTOCOL_TCP &&
            (which == OPENING ? socket->remote.port == CLOSED_PORT
                              : socket->local.port == LISTENING_PORT && socket->remote.port != 0)) {
            return socket;
        }
    }
    return NULL;
}

static uint32_t near(struct input *input, uint32_t value)
{
    return value + (uint32_t)(int32_t)(int16_t)next(input, 2);
}

static void fill_options(struct input *input, struct sim_tcp_header *tcp, uint32_t edge)
{
    const uint32_t which = next(input, 1);
    tcp->has_mss = which & 1;
    tcp->mss = tcp->has_mss ? next(input, 2) : 0;
    tcp->has_window_scale = which >> 1 & 1;
    tcp->window_scale = tcp->has_window_scale ? (uint8_t)next(input, 1) : 0;
    tcp->sack_permitted = which >> 2 & 1;
    tcp->has_timestamps = which >> 3 & 1;
    if (tcp->has_timestamps) {
        tcp->timestamp_value = near(input, 1000000);
        tcp->timestamp_echo = near(input, 1000000);
    }
    tcp->sack_count = (uint8_t)(which >> 4 & 3);
    for (uint32_t i = 0; i < tcp->sack_count; i++) {
        tcp->sack[i][0] = near(input, edge);
        tcp->sack[i][1] = near(input, edge);
    }
}

static void segment(const struct scene *scene, struct input *input, int which)
{
    struct sim_world *world = scene->world;
    const struct sim_socket *socket = socket_of(scene, which);
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = 4;
    packet->protocol = IPPROTO_TCP;
    packet->ttl = 64;
    packet->destination.ip = sim_ip_v4(0x0a000001);
    packet->source.ip = sim_ip_v4(0x0a000002);
    packet->source.port = 1234;
    packet->destination.port = LISTENING_PORT;
    uint32_t sequence = 0;
    uint32_t acknowledgment = 0;
    if (which != LISTENER && socket) {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
        packet->source = socket->remote;
        packet->destination = socket->local;
        sequence = tcp->rcv_nxt;
        acknowledgment = tcp->snd_nxt;
    }
    packet->tcp.flags = (uint8_t)next(input, 1);
    packet->tcp.sequence = near(input, sequence);
    packet->tcp.acknowledgment = near(input, acknowledgment);
    packet->tcp.window = (uint16_t)next(input, 2);
    packet->tcp.urgent = packet->tcp.flags & SIM_TCP_URG ? (uint16_t)next(input, 2) : 0;
    fill_options(input, &packet->tcp, acknowledgment);
    uint8_t payload[PAYLOAD_BYTES];
    const size_t length = next(input, 2) % PAYLOAD_BYTES;
    memset(payload, 'p', length);
    must(sim_bytes_append(world, &packet->payload, payload, length) == 0, "no room");
    arrives(scene, id);
}

static void datagram(const struct scene *scene, struct input *input)
{
    struct sim_world *world = scene->world;
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = next(input, 1) & 1 ? 4 : 6;
    packet->protocol = IPPROTO_UDP;
    packet->ttl = 64;
    packet->destination.ip = packet->version == 4 ? sim_ip_v4(0x0a000001)
                                                  : (struct sim_ip){{0xfd, [15] = 1}};
    packet->source.ip = packet->version == 4 ? sim_ip_v4(0x0a000002)
                                             : (struct sim_ip){{0xfd, [15] = 2}};
    packet->source.port = (uint16_t)next(input, 2);
    packet->destination.port = next(input, 1) & 1 ? UDP_PORT : (uint16_t)next(input, 2);
    uint8_t payload[PAYLOAD_BYTES];
    const size_t length = next(input, 2) % PAYLOAD_BYTES;
    memset(payload, 'd', length);
    must(sim_bytes_append(world, &packet->payload, payload, length) == 0, "no room");
    arrives(scene, id);
}

static void icmp_error(const struct scene *scene, struct input *input)
{
    struct sim_world *world = scene->world;
    const uint32_t which = next(input, 1);
    const struct sim_socket *socket = socket_of(scene, which & 1 ? OPENING : ESTABLISHED);
    const struct sim_packet_id id = sim_packet_new(world);
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = 4;
    packet->protocol = IPPROTO_ICMP;
    packet->ttl = 64;
    packet->source.ip = sim_ip_v4(0x0a000002);
    packet->destination.ip = sim_ip_v4(0x0a000001);
    packet->icmp.type = (uint8_t)(which & 2 ? 3 : next(input, 1));
    packet->icmp.code = (uint8_t)next(input, 1);
    packet->icmp.mtu = next(input, 2);
    packet->icmp.has_quote = 1;
    packet->icmp.quoted_protocol = which & 4 ? IPPROTO_UDP : IPPROTO_TCP;
    packet->icmp.quoted_source.ip = sim_ip_v4(0x0a000001);
    packet->icmp.quoted_destination.ip = sim_ip_v4(0x0a000002);
    packet->icmp.quoted_source.port = UDP_PORT;
    packet->icmp.quoted_destination.port = UDP_PORT;
    if (socket && !(which & 4)) {
        const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
        packet->icmp.quoted_source = socket->local;
        packet->icmp.quoted_destination = socket->remote;
        packet->icmp.quoted_sequence = near(input, tcp->snd_una);
    }
    arrives(scene, id);
}

/* ---- what a's program does ------------------------------------------------------------------ */

static void give(struct scene *scene, struct sim_task_id task, int fd, size_t length, int flags)
{
    static char text[20000];
    struct iovec iov = {text, length % sizeof text};
    const struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    sim_call_sendmsg(scene->world, task, fd, &message, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take(struct scene *scene, struct sim_task_id task, int fd, size_t length, int flags)
{
    static char text[20000];
    struct iovec iov = {text, length % sizeof text};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    sim_call_recvmsg(scene->world, task, fd, &message, flags | MSG_DONTWAIT);
}

static void call(struct scene *scene, struct input *input)
{
    struct sim_world *world = scene->world;
    const uint32_t what = next(input, 1);
    const int which = (int)(next(input, 1) % DESCRIPTORS);
    const int fd = scene->fd[which];
    const uint32_t value = next(input, 2);
    const int on = (int)value;
    static const int receive_flags[4] = {0, MSG_PEEK, MSG_OOB, MSG_ERRQUEUE};
    static const int options[4] = {TCP_NODELAY, TCP_CORK, TCP_QUICKACK, TCP_USER_TIMEOUT};
    switch (what % 8) {
    case 0:
        give(scene, scene->here, fd, value, what & 8 ? MSG_OOB : 0);
        break;
    case 1:
        take(scene, scene->here, fd, value, receive_flags[what >> 3 & 3]);
        break;
    case 2:
        sim_call_shutdown(world, scene->here, fd, (int)(value % 3));
        break;
    case 3:
        if (what & 8) { /* linger for nothing: a reset */
            const struct linger linger = {1, 0};
            sim_call_setsockopt(world, scene->here, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        sim_call_close(world, scene->here, fd);
        scene->fd[which] = -1;
        break;
    case 4:
        sim_call_setsockopt(world, scene->here, fd, IPPROTO_TCP, options[what >> 3 & 3], &on,
                            sizeof on);
        break;
    case 5:
        sim_call_setsockopt(world, scene->here, fd, SOL_SOCKET, what & 8 ? SO_RCVBUF : SO_SNDBUF, &on,
                            sizeof on);
        break;
    case 6:
        if (what & 8) {
            give(scene, scene->there, scene->peer, value, 0);
        } else {
            take(scene, scene->there, scene->peer, value, 0);
        }
        break;
    default:
        if (scene->fd[ESTABLISHED] < 0) {
            scene->fd[ESTABLISHED] = (int)sim_call_accept(world, scene->here, scene->fd[LISTENER], NULL,
                                                          NULL, SOCK_NONBLOCK);
        }
        break;
    }
    sim_ip_settle(world);
}

/* ---- one input ------------------------------------------------------------------------------ */

static void step(struct scene *scene, struct input *input)
{
    switch (next(input, 1) % 10) {
    case 0:
        raw_packet(scene, input);
        break;
    case 1:
    case 2:
    case 3:
        segment(scene, input, ESTABLISHED);
        break;
    case 4:
        segment(scene, input, OPENING);
        break;
    case 5:
        segment(scene, input, LISTENER);
        break;
    case 6:
        datagram(scene, input);
        break;
    case 7:
        icmp_error(scene, input);
        break;
    case 8:
        call(scene, input);
        break;
    default:
        run(scene->world, scene->world->now + (MILLISECOND_NS << next(input, 1) % 18));
        break;
    }
    sim_ip_settle(scene->world);
    sim_check_world(scene->world);
}

static void nothing_is_left(const struct sim_world *world)
{
    static const struct {
        enum sim_pool_kind kind;
        const char *what;
    } pools[] = {
        {SIM_POOL_SOCKET, "a socket is left"},    {SIM_POOL_TCP, "a connection is left"},
        {SIM_POOL_PACKET, "a packet is left"},    {SIM_POOL_SPAN, "payload is left"},
        {SIM_POOL_DATAGRAM, "a message is left"}, {SIM_POOL_FILE, "a description is left"},
        {SIM_POOL_EVENT, "an event is left"},
    };
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        must(world->pools[pools[i].kind].live_count == 0, pools[i].what);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct scene first;
    if (!first.world) {
        first.world = sim_block_create(NULL, 1);
        must(first.world != NULL, "no world");
        build(&first);
    }
    struct scene scene = first;
    struct input input = {data, size};
    scene.world = sim_block_copy(first.world);
    for (int i = 0; i < STEPS && input.left > 0; i++) {
        step(&scene, &input);
    }
    for (int i = 0; i < DESCRIPTORS; i++) {
        sim_call_close(scene.world, scene.here, scene.fd[i]);
        sim_ip_settle(scene.world);
    }
    sim_call_close(scene.world, scene.there, scene.peer);
    sim_check_world(scene.world);
    const uint64_t end = scene.world->now + LONG_NS;
    for (int i = 0; i < 100 && sim_event_next_at(scene.world) <= end; i++) {
        run(scene.world, end);
    }
    sim_check_world(scene.world);
    nothing_is_left(scene.world);
    sim_block_destroy(scene.world);
}
