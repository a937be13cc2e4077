/* For tests of datagrams and options: two hosts, one link, and sockets driven by their protocol.
 * SPDX-License-Identifier: MIT
 *
 * Host a has 10.0.0.1/24 and fd00::1/64, host b 10.0.0.2/24 and fd00::2/64; a millisecond lies
 * between them. task is one of a's process, which is root's. */
#ifndef TESTS_SIM_TWO_HOSTS_H
#define TESTS_SIM_TWO_HOSTS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sim/call/process.h"
#include "sim/core/event.h"
#include "sim/file/file.h"
#include "sim/net/host.h"
#include "sim/net/ip.h"
#include "sim/net/link.h"
#include "sim/net/packet.h"
#include "sim/run/world.h"
#include "sim/socket/protocol.h"
#include "sim/socket/sockets.h"
#include "test.h"

static struct sim_world *world;
static struct sim_host_id a, b;
static struct sim_process_id process, process_b;
static struct sim_task_id task;

/* What the last recvmsg told. */
static struct {
    char data[256];
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } from;
    socklen_t from_bytes;
    int flags;
    _Alignas(struct cmsghdr) char control[512];
    size_t control_bytes;
} got;

static inline struct sim_ip ip_of(const char *text)
{
    struct in_addr in;
    struct sim_ip ip;
    if (inet_pton(AF_INET, text, &in) == 1) {
        return sim_ip_v4(ntohl(in.s_addr));
    }
    assert_int_equal(inet_pton(AF_INET6, text, ip.bytes), 1);
    return ip;
}

static inline int begin_two_hosts(void **state)
{
    const struct sim_link_way way = {.delay_ns = 1000000, .mtu = 1500};
    if (begin_world(state)) {
        return -1;
    }
    world = *state;
    a = sim_host_add(world, "a");
    b = sim_host_add(world, "b");
    sim_host_add_address(world, a, 2, ip_of("10.0.0.1"), 24);
    sim_host_add_address(world, a, 2, ip_of("fd00::1"), 64);
    sim_host_add_address(world, b, 2, ip_of("10.0.0.2"), 24);
    sim_host_add_address(world, b, 2, ip_of("fd00::2"), 64);
    sim_link_add(world, a, b, &way);
    process = sim_process_add(world, a, "p");
    process_b = sim_process_add(world, b, "q");
    task = sim_task_add(world, process, "t", false);
    sim_task_at(world, task)->state = SIM_TASK_RUNNING;
    sim_event_cancel(world, &sim_task_at(world, task)->run_event);
    world->ready_tasks--;
    memset(&got, 0, sizeof got);
    return 0;
}

#define TWO_HOSTS(name) cmocka_unit_test_setup_teardown(name, begin_two_hosts, end_world)

/* All that is under way arrives. */
static inline void settle(void)
{
    struct sim_task_id ready;
    uint32_t script;
    while (sim_world_step(world, SIM_NEVER, &ready, &script) != SIM_STEP_EMPTY) {
    }
}

static inline struct sim_socket_id socket_at(struct sim_host_id host, int family, int type)
{
    struct sim_socket_id id = {0};
    struct sim_process_id owner = host.index == a.index ? process : process_b;
    assert_int_equal(sim_socket_create(world, host, owner, family, type, 0, &id), 0);
    return id;
}

static inline const struct sim_protocol *rules_of(struct sim_socket_id id)
{
    return sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
}

static inline socklen_t name_of(struct sockaddr_storage *name, const char *ip, uint16_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)name;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)name;
    memset(name, 0, sizeof *name);
    if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        return sizeof *in;
    }
    assert_int_equal(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    return sizeof *in6;
}

static inline int binds(struct sim_socket_id id, const char *ip, uint16_t port)
{
    struct sockaddr_storage name;
    const socklen_t length = name_of(&name, ip, port);
    return rules_of(id)->bind(world, id, (struct sockaddr *)&name, length);
}

static inline int connects(struct sim_socket_id id, const char *ip, uint16_t port)
{
    struct sockaddr_storage name;
    const socklen_t length = name_of(&name, ip, port);
    return rules_of(id)->connect(world, id, (struct sockaddr *)&name, length);
}

static inline int disconnects(struct sim_socket_id id)
{
    const struct sockaddr_in nowhere = {.sin_family = AF_UNSPEC};
    return rules_of(id)->connect(world, id, (const struct sockaddr *)&nowhere, sizeof nowhere);
}

static inline ssize_t sends(struct sim_socket_id id, const char *text)
{
    struct iovec vector = {(void *)(uintptr_t)text, strlen(text)};
    const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return rules_of(id)->send(world, task, id, &message, 0, MSG_NOSIGNAL);
}

static inline ssize_t sends_to(struct sim_socket_id id, const char *text, const char *ip, uint16_t port)
{
    struct sockaddr_storage name;
    struct iovec vector = {(void *)(uintptr_t)text, strlen(text)};
    const struct msghdr message = {.msg_name = &name,
                                   .msg_namelen = name_of(&name, ip, port),
                                   .msg_iov = &vector,
                                   .msg_iovlen = 1};
    return rules_of(id)->send(world, task, id, &message, 0, 0);
}

static inline ssize_t sends_bytes(struct sim_socket_id id, size_t length)
{
    static char zeroes[70000];
    struct iovec vector = {zeroes, length};
    const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return rules_of(id)->send(world, task, id, &message, 0, MSG_NOSIGNAL);
}

static inline ssize_t receives_flags(struct sim_socket_id id, size_t room, int flags)
{
    memset(&got, 0, sizeof got);
    struct iovec vector = {got.data, room};
    struct msghdr message = {.msg_name = &got.from,
                             .msg_namelen = sizeof got.from,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = got.control,
                             .msg_controllen = sizeof got.control};
    const ssize_t result = rules_of(id)->receive(world, task, id, &message, 0, flags);
    got.from_bytes = message.msg_namelen;
    got.flags = message.msg_flags;
    got.control_bytes = message.msg_controllen;
    return result;
}

/* The next message is this text. */
#define assert_receives(id, text)                                                              \
    do {                                                                                       \
        assert_int_equal(receives_flags(id, sizeof got.data - 1, MSG_DONTWAIT), strlen(text)); \
        assert_string_equal(got.data, text);                                                   \
    } while (0)
#define assert_receives_nothing(id) \
    assert_int_equal(receives_flags(id, sizeof got.data, MSG_DONTWAIT), -EAGAIN)

/* The value of a control message of the last recvmsg; NULL: it was not told. */
static inline const void *told(int level, int type)
{
    const struct msghdr message = {.msg_control = got.control, .msg_controllen = got.control_bytes};
    struct cmsghdr *at = CMSG_FIRSTHDR(&message);
    while (at != NULL && (at->cmsg_level != level || at->cmsg_type != type)) {
        at = CMSG_NXTHDR((struct msghdr *)(uintptr_t)&message, at);
    }
    return at == NULL ? NULL : CMSG_DATA(at);
}

static inline int sets(struct sim_socket_id id, int level, int name, int value)
{
    return sim_option_set(world, id, level, name, &value, sizeof value);
}

/* An option's number, or -errno. */
static inline int gets(struct sim_socket_id id, int level, int name)
{
    int value = 0;
    socklen_t length = sizeof value;
    const int result = sim_option_get(world, id, level, name, &value, &length);
    return result < 0 ? result : value;
}

static inline uint32_t polls(struct sim_socket_id id)
{
    return rules_of(id)->poll(world, id);
}

/* The local or the peer's address as "ip port". */
static inline const char *name_text(struct sim_socket_id id, bool peer)
{
    static char text[80];
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    char ip[INET6_ADDRSTRLEN];
    if (rules_of(id)->get_name(world, id, peer, (struct sockaddr *)&name, &length) < 0) {
        return "none";
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *)&name;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&name;
    const bool v4 = name.ss_family == AF_INET;
    inet_ntop(name.ss_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, ip, sizeof ip);
    snprintf(text, sizeof text, "%s %u", ip, ntohs(v4 ? in->sin_port : in6->sin6_port));
    return text;
}

#endif
