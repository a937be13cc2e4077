/* The one table that names every protocol, and how a socket() call chooses from it.
 * SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <errno.h>
#include <netinet/in.h>

enum {
    FAMILY_LIMIT = AF_MAX,
    TYPE_LIMIT = 11, /* SOCK_PACKET + 1, the kernel's SOCK_MAX */
    TYPE_MASK = 15,
    PROTOCOL_LIMIT = 263, /* the kernel's IPPROTO_MAX, after IPPROTO_MPTCP */
};

static const struct sim_protocol *const table[SIM_PROTOCOL_COUNT] = {
    [SIM_PROTOCOL_TCP] = &sim_tcp_protocol,
    [SIM_PROTOCOL_UDP] = &sim_udp_protocol,
    [SIM_PROTOCOL_UNIX_STREAM] = &sim_unix_stream_protocol,
    [SIM_PROTOCOL_UNIX_DGRAM] = &sim_unix_dgram_protocol,
    [SIM_PROTOCOL_UNIX_SEQPACKET] = &sim_unix_seqpacket_protocol,
};

const struct sim_protocol *sim_protocol_of(enum sim_protocol_kind kind)
{
    return table[kind];
}

/* LINUX: inet_create looks the type up first, then the protocol in the type's list, and only then
 * asks for the right to make a raw socket. */
static int choose_inet(int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    if (protocol < 0 || protocol >= PROTOCOL_LIMIT) {
        return -EINVAL;
    }
    switch (type) {
    case SOCK_STREAM: /* SIMPLER: no MPTCP, no SCTP */
        *kind = SIM_PROTOCOL_TCP;
        *number = IPPROTO_TCP;
        break;
    case SOCK_DGRAM: /* SIMPLER: no UDP-Lite; ping_group_range lets nobody make a ping socket */
        if (protocol == IPPROTO_ICMP) {
            return -EACCES;
        }
        *kind = SIM_PROTOCOL_UDP;
        *number = IPPROTO_UDP;
        break;
    case SOCK_RAW: /* SIMPLER: refused as to a program without CAP_NET_RAW */
        return protocol == 0 ? -EPROTONOSUPPORT : -EPERM;
    default:
        return -ESOCKTNOSUPPORT;
    }
    if (protocol != 0 && protocol != *number) {
        return -EPROTONOSUPPORT;
    }
    return 0;
}

static int choose_unix(int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    if (protocol != 0 && protocol != PF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    *number = 0; /* LINUX: SO_PROTOCOL of a UNIX socket is 0, whatever was asked for */
    switch (type) {
    case SOCK_STREAM:
        *kind = SIM_PROTOCOL_UNIX_STREAM;
        return 0;
    case SOCK_RAW: /* LINUX: BSD's name for a datagram socket */
    case SOCK_DGRAM:
        *kind = SIM_PROTOCOL_UNIX_DGRAM;
        return 0;
    case SOCK_SEQPACKET:
        *kind = SIM_PROTOCOL_UNIX_SEQPACKET;
        return 0;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

int sim_protocol_choose(int family, int type, int protocol, enum sim_protocol_kind *kind, int *number)
{
    type &= TYPE_MASK;
    if (family < 0 || family >= FAMILY_LIMIT) {
        return -EAFNOSUPPORT;
    }
    if (type >= TYPE_LIMIT) {
        return -EINVAL;
    }
    switch (family) {
    case AF_INET:
    case AF_INET6:
        return choose_inet(type, protocol, kind, number);
    case AF_UNIX:
        return choose_unix(type, protocol, kind, number);
    default:
        return -EAFNOSUPPORT;
    }
}

enum sim_protocol_kind sim_protocol_on_ip(uint8_t number)
{
    switch (number) {
    case IPPROTO_TCP:
        return SIM_PROTOCOL_TCP;
    case IPPROTO_UDP:
        return SIM_PROTOCOL_UDP;
    default:
        return SIM_PROTOCOL_NONE;
    }
}
