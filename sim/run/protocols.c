/* The one place that names every protocol and every family.
 * SPDX-License-Identifier: MIT
 *
 * A new one is a room beside tcp/, its enumerator in core/state.h, and a line here. */
#include <netinet/in.h>

#include "net/ip.h"
#include "netlink/netlink.h"
#include "socket/inet.h"
#include "socket/protocol.h"
#include "tcp/tcp.h"
#include "udp/udp.h"
#include "unix/unix.h"

const struct sim_protocol *const sim_protocols[SIM_PROTOCOL_COUNT] = {
    [SIM_PROTOCOL_TCP] = &sim_tcp_protocol,
    [SIM_PROTOCOL_UDP] = &sim_udp_protocol,
    [SIM_PROTOCOL_UDPLITE] = &sim_udplite_protocol,
    [SIM_PROTOCOL_UNIX_STREAM] = &sim_unix_stream_protocol,
    [SIM_PROTOCOL_UNIX_DGRAM] = &sim_unix_dgram_protocol,
    [SIM_PROTOCOL_UNIX_SEQPACKET] = &sim_unix_seqpacket_protocol,
    [SIM_PROTOCOL_NETLINK] = &sim_netlink_protocol,
};

const struct sim_family *const sim_families[] = {
    &sim_inet_family, &sim_inet6_family, &sim_unix_family, &sim_netlink_family, NULL,
};

const struct sim_ip_receiver *const sim_ip_receivers[UINT8_MAX + 1] = {
    [IPPROTO_TCP] = &sim_tcp_receiver,
    [IPPROTO_UDP] = &sim_udp_receiver,
    [IPPROTO_UDPLITE] = &sim_udp_receiver,
};
