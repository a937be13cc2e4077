/* Calls on both systems: making sockets, naming, listening, connecting, accepting, ending.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const enum kind kinds[] = {TCP4, TCP6, UDP4, UDP6, STREAM, DGRAM, SEQPACKET};
static const int families[] = {AF_INET, AF_INET6, AF_INET, AF_INET6, AF_UNIX, AF_UNIX, AF_UNIX};
static const int types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM,    SOCK_DGRAM,
                            SOCK_STREAM, SOCK_DGRAM,  SOCK_SEQPACKET};

static void make_socket(void)
{
    const uint32_t i = draw(7);
    const int type = types[i] | SOCK_NONBLOCK | (one_in(2) ? SOCK_CLOEXEC : 0);
    fprintf(transcript, "socket\n");
    keep(kinds[i], KERNEL(socket, families[i], type, 0), WORLD(socket, families[i], type, 0));
}

/* Forms of socket() that mostly fail; what they make is closed again. */
static void make_odd_socket(void)
{
    static const int odd_families[] = {AF_INET, AF_INET6, AF_UNIX, 0, -1, 100};
    static const int odd_protocols[] = {0, 0, 1, 6, 17, 58, 132, 136, 255, 262, 263, -1, 1000};
    const int family = CHOOSE(odd_families), protocol = CHOOSE(odd_protocols);
    int type = (int)draw(12);
    type |= one_in(10) ? 1 << draw(25) : 0;
    if ((type & 0xf) == 10 || ((type & 0xf) == SOCK_RAW && family != AF_UNIX)) {
        return; /* the test has a privilege over its namespace that the world's programs have not */
    }
    /* What the world says plainly that it does not have: UDP-Lite, SCTP, MPTCP, ping sockets. */
    if (protocol == 1 || protocol == 58 || protocol == 132 || protocol == 136 || protocol == 262) {
        return;
    }
    fprintf(transcript, "socket(%d, %d, %d)\n", family, type, protocol);
    const int in_kernel = KERNEL(socket, family, type, protocol);
    const int in_world = WORLD(socket, family, type, protocol);
    alike("result", in_kernel < 0 ? in_kernel : 0, in_world < 0 ? in_world : 0);
    if (in_kernel >= 0) {
        KERNEL(close, in_kernel);
    }
    if (in_world >= 0) {
        WORLD(close, in_world);
    }
}

static void make_pair(void)
{
    const uint32_t i = one_in(20) ? draw(7) : 4 + draw(3);
    int left[2], right[2];
    fprintf(transcript, "socketpair\n");
    const int result = KERNEL(socketpair, families[i], types[i] | SOCK_NONBLOCK, 0, left);
    if (alike("result", result, WORLD(socketpair, families[i], types[i] | SOCK_NONBLOCK, 0, right)) &&
        result == 0) {
        keep(kinds[i], left[0], right[0]);
        keep(kinds[i], left[1], right[1]);
    }
}

/* LINUX: a TCP socket that tried an IPv4-mapped address goes on by IPv4's code, and an IPv6 address
 * is then never reached: its own subject. */
static bool mixes_versions(const struct slot *slot, const struct sockaddr_storage *storage)
{
    static bool mapped[4096];
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
    if (slot->kind != TCP6 || storage->ss_family != AF_INET6) {
        return false;
    }
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        mapped[slot->description] = true;
        return false;
    }
    return mapped[slot->description];
}

static void bind_or_connect(bool connects)
{
    struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    uint16_t port;
    say(connects ? "connect" : "bind", slot, 0);
    const socklen_t length = some_address(slot->kind, &storage, &port);
    if (one_in(60)) {
        address = NULL;
    }
    if (!connects) {
        const int in_kernel = KERNEL(bind, slot->kernel, address, length);
        if (alike("result", in_kernel, WORLD(bind, slot->world, address, length)) && in_kernel == 0 &&
            slot->kind <= TCP6) {
            ports[slot->description] = port;
        }
    } else if (mixes_versions(slot, &storage)) {
        return;
    } else if (slot->kind > TCP6 || ports[slot->description] != port) {
        BOTH(connect, slot, address, length);
    }
}

static void listen_some(void)
{
    static const int backlogs[] = {-1, 0, 1, 2, 5, 100000};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const int backlog = CHOOSE(backlogs);
    say("listen", slot, backlog);
    BOTH(listen, slot, backlog);
}

static void accept_some(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage left, right;
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    const socklen_t room = one_in(6) ? (socklen_t)odd_number() : sizeof left;
    socklen_t left_length = room > sizeof left && (int)room > 0 ? sizeof left : room;
    socklen_t right_length = left_length;
    const bool named = one_in(2);
    const int flags = SOCK_NONBLOCK | (one_in(4) ? SOCK_CLOEXEC : 0) | (one_in(30) ? 1 << draw(20) : 0);
    say("accept", slot, named ? (long)left_length : -1);
    const int in_kernel = KERNEL(accept, slot->kernel, named ? (struct sockaddr *)&left : NULL,
                                 named ? &left_length : NULL, flags);
    const int in_world = WORLD(accept, slot->world, named ? (struct sockaddr *)&right : NULL,
                               named ? &right_length : NULL, flags);
    if (named && in_kernel >= 0 && in_world >= 0) {
        alike("length", left_length, right_length);
        compare_addresses(&left, &right, sizeof left);
    }
    keep(slot->kind, in_kernel, in_world);
}

static void disconnect(void)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const socklen_t length = one_in(8) ? draw(17) : sizeof nowhere;
    say("disconnect", slot, (long)length);
    BOTH(connect, slot, &nowhere, length);
}

static void shut(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const int how = one_in(20) ? odd_number() : (int)draw(3);
    say("shutdown", slot, how);
    BOTH(shutdown, slot, how);
}

static void ask_name(bool peer)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage left, right;
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    socklen_t left_length = one_in(4) ? (socklen_t)(draw(130) - 1) : sizeof left;
    socklen_t right_length = left_length;
    struct sockaddr *in_kernel = (struct sockaddr *)&left, *in_world = (struct sockaddr *)&right;
    if (one_in(50)) {
        in_kernel = in_world = NULL;
    }
    say(peer ? "getpeername" : "getsockname", slot, (long)left_length);
    const int first = peer ? KERNEL(getpeername, slot->kernel, in_kernel, &left_length)
                           : KERNEL(getsockname, slot->kernel, in_kernel, &left_length);
    const int second = peer ? WORLD(getpeername, slot->world, in_world, &right_length)
                            : WORLD(getsockname, slot->world, in_world, &right_length);
    if (alike("result", first, second) && first == 0) {
        alike("length", left_length, right_length);
        compare_addresses(&left, &right, sizeof left);
    }
}

void beside_socket(void)
{
    const uint32_t which = draw(34);
    if (which < 7) {
        make_socket();
    } else if (which == 7) {
        make_odd_socket();
    } else if (which < 10) {
        make_pair();
    } else if (which < 15) {
        bind_or_connect(false);
    } else if (which < 21) {
        bind_or_connect(true);
    } else if (which < 24) {
        listen_some();
    } else if (which < 28) {
        accept_some();
    } else if (which == 28) {
        disconnect();
    } else if (which < 31) {
        shut();
    } else {
        ask_name(which == 31);
    }
}
