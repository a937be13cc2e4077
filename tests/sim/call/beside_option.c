/* Calls on both systems: options of every level and name, in every length, and what they then tell.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { VALUE_BYTES = 300, NAMES = 90 };

static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP};

/* Values that are each system's own: times, cookies, processors, memory, what congestion has made of a
 * connection; who a process is. */
static bool is_luck(int level, int name, enum kind kind)
{
    if (level == SOL_SOCKET) {
        return name == SO_COOKIE || name == SO_INCOMING_CPU || name == SO_INCOMING_NAPI_ID ||
               name == SO_MEMINFO || name == SO_PEERCRED || name == 71 /* SO_NETNS_COOKIE */ ||
               name == SO_PEERSEC || name == 77 /* SO_PEERPIDFD */ || name == SO_PEERGROUPS ||
               (name == SO_SNDBUF && kind <= TCP6) || (name == SO_RCVBUF && kind <= TCP6);
    }
    return level == IPPROTO_TCP &&
           (name == TCP_INFO || name == TCP_CC_INFO || name == TCP_TIMESTAMP || name == TCP_CONGESTION);
}

static void compare_get(const struct slot *slot, int level, int name, socklen_t room)
{
    unsigned char left[VALUE_BYTES], right[VALUE_BYTES];
    memset(left, 0xee, sizeof left);
    memset(right, 0xee, sizeof right);
    socklen_t left_length = room, right_length = room;
    snprintf(heading, sizeof heading, "getsockopt kind %d level %d name %d room %d\n", slot->kind,
             level, name, (int)room);
    if (!brief) {
        fputs(heading, transcript);
    }
    const int in_kernel = KERNEL(getsockopt, slot->kernel, level, name, left, &left_length);
    if (alike("result", in_kernel, WORLD(getsockopt, slot->world, level, name, right, &right_length)) &&
        in_kernel >= 0) {
        alike("length", left_length, right_length);
    }
    if (level == SOL_SOCKET && name == SO_PEERNAME && in_kernel >= 0) {
        struct sockaddr_storage in_kernel_name, in_world_name;
        memcpy(&in_kernel_name, left, sizeof in_kernel_name);
        memcpy(&in_world_name, right, sizeof in_world_name);
        compare_addresses(&in_kernel_name, &in_world_name, left_length);
    } else {
        alike_bytes("value", left, right, sizeof left);
    }
}

/* What the world refuses by intent: filters, security modules, transformations, upper layers. */
static bool is_elsewhere(int level, int name)
{
    if (level == SOL_SOCKET) {
        return name == SO_ATTACH_FILTER || name == SO_ATTACH_BPF || name == SO_ATTACH_REUSEPORT_CBPF ||
               name == SO_ATTACH_REUSEPORT_EBPF || name == SO_DETACH_REUSEPORT_BPF ||
               name == SO_PEERSEC || name == 71 || name == 77 || name == SO_INCOMING_NAPI_ID ||
               name == SO_INCOMING_CPU;
    }
    if (level == IPPROTO_IP) {
        return name == 16 || name == 17; /* IP_IPSEC_POLICY, IP_XFRM_POLICY */
    }
    if (level == IPPROTO_TCP) {
        return name >= 38 && name <= 42; /* TCP_AO_* */
    }
    return level == IPPROTO_IPV6 && (name == 34 || name == 35);
}

static int some_name(int level)
{
    static const int of_socket[] = {SO_REUSEADDR, SO_REUSEPORT,  SO_KEEPALIVE,   SO_LINGER,
                                    SO_ERROR,     SO_RCVBUF,     SO_SNDBUF,      SO_RCVLOWAT,
                                    SO_OOBINLINE, SO_PASSCRED,   SO_BROADCAST,   SO_PEEK_OFF,
                                    SO_TYPE,      SO_ACCEPTCONN, SO_BINDTODEVICE};
    static const int of_ip[] = {IP_TOS,          IP_TTL,           IP_RECVERR,        IP_PKTINFO,
                                IP_MTU_DISCOVER, IP_MTU,           IP_RECVTOS,        IP_RECVTTL,
                                IP_MULTICAST_IF, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_FREEBIND};
    static const int of_ipv6[] = {IPV6_V6ONLY,       IPV6_RECVERR,      IPV6_RECVPKTINFO,
                                  IPV6_MTU,          IPV6_MTU_DISCOVER, IPV6_UNICAST_HOPS,
                                  IPV6_RECVHOPLIMIT, IPV6_TCLASS,       IPV6_RECVTCLASS};
    if (one_in(3)) {
        return (int)draw(NAMES);
    }
    return level == SOL_SOCKET     ? CHOOSE(of_socket)
           : level == IPPROTO_IP   ? CHOOSE(of_ip)
           : level == IPPROTO_IPV6 ? CHOOSE(of_ipv6)
           : level == IPPROTO_UDP  ? 100 + (int)draw(5)
                                   : (int)draw(45);
}

static int level_for(enum kind kind)
{
    static const int most[] = {SOL_SOCKET, SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, -1};
    const int level = CHOOSE(most);
    if (level == -1) {
        return one_in(20) ? odd_number() : kind <= TCP6 ? IPPROTO_TCP : IPPROTO_UDP;
    }
    return level;
}

static void get_one(void)
{
    static const socklen_t rooms[] = {0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 100, VALUE_BYTES, UINT32_MAX};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const int level = level_for(slot->kind), name = some_name(level);
    const socklen_t room = one_in(3) ? CHOOSE(rooms) : 4;
    if (is_luck(level, name, slot->kind) || is_elsewhere(level, name)) {
        return;
    }
    say("getsockopt", slot, name);
    compare_get(slot, level, name, room);
}

/* Names whose setting lets a later call wait, or asks for what the world refuses. */
static bool is_kept_off(int level, int name, enum kind kind)
{
    if (level == SOL_SOCKET &&
        (name == SO_LINGER || name == SO_TIMESTAMPING || name == SO_TIMESTAMPING_NEW)) {
        return true; /* lingers are told below; the kernel's own time stamps */
    }
    if (level == IPPROTO_TCP && kind <= TCP6) {
        return name == TCP_REPAIR || name == TCP_ULP || name == TCP_MD5SIG || name == TCP_FASTOPEN ||
               name == TCP_FASTOPEN_KEY || name == TCP_FASTOPEN_CONNECT ||
               name == TCP_ZEROCOPY_RECEIVE || name == TCP_CONGESTION || name == 38 || name == 39 ||
               name == 40 || name == 41;
    }
    if (level == IPPROTO_UDP && name == 100) {
        return true; /* UDP_ENCAP */
    }
    return is_elsewhere(level, name);
}

static void set_one(void)
{
    static const socklen_t lengths[] = {0,  1,  2,  3,  4,  5,           8,
                                        12, 16, 20, 24, 40, VALUE_BYTES, UINT32_MAX};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const int level = level_for(slot->kind), name = some_name(level);
    const int number = one_in(3) ? odd_number() : (int)draw(3);
    const socklen_t length = one_in(4) ? CHOOSE(lengths) : 4;
    unsigned char value[VALUE_BYTES] = {0};
    memcpy(value, &number, sizeof number);
    if (is_kept_off(level, name, slot->kind)) {
        return;
    }
    const bool gives = !one_in(50);
    say("setsockopt", slot, name);
    fprintf(transcript, "  level %d value %d length %d%s\n", level, number, (int)length,
            gives ? "" : " NULL");
    BOTH(setsockopt, slot, level, name, gives ? value : NULL, length);
    if (!is_luck(level, name, slot->kind)) {
        compare_get(slot, level, name, 4);
    }
}

static void set_structure(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    const struct linger linger = {(int)draw(2), 0};
    const struct timeval time = {one_in(8) ? odd_number() : (int)draw(3),
                                 one_in(4) ? odd_number() : (int)draw(1000000)};
    static const int timeouts[] = {SO_RCVTIMEO, SO_SNDTIMEO};
    if (one_in(3)) {
        say("SO_LINGER", slot, linger.l_onoff);
        BOTH(setsockopt, slot, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        compare_get(slot, SOL_SOCKET, SO_LINGER, 8);
    } else {
        const int name = CHOOSE(timeouts);
        say("timeout", slot, name);
        fprintf(transcript, "  %ld.%06ld\n", (long)time.tv_sec, (long)time.tv_usec);
        BOTH(setsockopt, slot, SOL_SOCKET, name, &time, sizeof time);
        compare_get(slot, SOL_SOCKET, name, 16);
    }
}

/* Groups of both families, with sources and without. */
static void change_group(void)
{
    const struct slot *slot = pick(UDP4, UDP6);
    const struct ip_mreq v4 = {{htonl(one_in(4) ? INADDR_LOOPBACK : 0xef010203 + draw(2))},
                               {htonl(one_in(2) ? INADDR_LOOPBACK : 0)}};
    struct ipv6_mreq v6 = {.ipv6mr_interface = draw(3)};
    const struct ip_mreq_source source = {
        v4.imr_multiaddr, v4.imr_interface, {htonl(INADDR_LOOPBACK + draw(2))}};
    static const int joins[] = {IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP};
    static const int sources[] = {IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE,
                                  IP_UNBLOCK_SOURCE};
    v6.ipv6mr_multiaddr.s6_addr[0] = one_in(6) ? 0xfd : 0xff;
    v6.ipv6mr_multiaddr.s6_addr[1] = one_in(2) ? 2 : 0x1e;
    v6.ipv6mr_multiaddr.s6_addr[15] = (unsigned char)(1 + draw(2));
    switch (draw(3)) {
    case 0: {
        const int name = CHOOSE(joins);
        const socklen_t length = one_in(10) ? draw(13) : sizeof v4;
        say("membership", slot, name);
        BOTH(setsockopt, slot, IPPROTO_IP, name, &v4, length);
        break;
    }
    case 1: {
        const int name = CHOOSE(sources);
        const socklen_t length = one_in(10) ? draw(13) : sizeof source;
        say("source membership", slot, name);
        BOTH(setsockopt, slot, IPPROTO_IP, name, &source, length);
        break;
    }
    default: {
        const int name = one_in(2) ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
        const socklen_t length = one_in(10) ? draw(21) : sizeof v6;
        say("membership6", slot, name);
        BOTH(setsockopt, slot, IPPROTO_IPV6, name, &v6, length);
    }
    }
}

void beside_all_options(const struct slot *slot)
{
    static const socklen_t rooms[] = {4, 1, 0, 8, 64};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        for (int name = 0; name < 2 * NAMES; name++) {
            for (size_t j = 0; j < sizeof rooms / sizeof rooms[0]; j++) {
                if (!is_luck(levels[i], name, slot->kind) && !is_elsewhere(levels[i], name)) {
                    compare_get(slot, levels[i], name, rooms[j]);
                }
            }
        }
    }
}

void beside_option(void)
{
    const uint32_t which = draw(12);
    if (which < 5) {
        get_one();
    } else if (which < 9) {
        set_one();
    } else if (which == 9) {
        set_structure();
    } else {
        change_group();
    }
}
