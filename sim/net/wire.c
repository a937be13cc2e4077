/* From fields to bytes: IPv4, IPv6, TCP with its options, UDP, ICMP, anything else as it is.
 * SPDX-License-Identifier: MIT */
#include "wire.h"

#include <assert.h>
#include <netinet/in.h>

#include "core/bytes.h"
#include "packet.h"
#include "wire_internal.h"

enum {
    LENGTH_MOST = 65535,
    ICMP_ECHO_REQUEST = 8,
    ICMPV6_ECHO_REQUEST = 128,
    QUOTED_TTL = 64,
};

/* What an IP header says. */
struct ip_fields {
    uint8_t version, protocol, ttl, tos;
    uint8_t dont_fragment;
    uint16_t identification;
    uint32_t flow_label;
    struct sim_ip source, destination;
};

static uint8_t *put8(uint8_t *at, uint32_t value)
{
    *at = (uint8_t)value;
    return at + 1;
}

static uint8_t *put_bytes(uint8_t *at, const void *data, size_t length)
{
    memcpy(at, data, length);
    return at + length;
}

/* ---- IP ----------------------------------------------------------------------------------- */

/* LINUX: a packet too long for the length field says 0, as captures of large segments do. */
static uint32_t length_field(size_t length)
{
    return length <= LENGTH_MOST ? (uint32_t)length : 0;
}

/* RFC 791, 3.1 */
static uint8_t *put_ipv4(uint8_t *start, const struct ip_fields *ip, size_t body_bytes)
{
    uint8_t *at = put8(start, 0x45);
    at = put8(at, ip->tos);
    at = sim_wire_put16(at, length_field(SIM_WIRE_IPV4_BYTES + body_bytes));
    at = sim_wire_put16(at, ip->identification);
    at = sim_wire_put16(at, ip->dont_fragment ? DONT_FRAGMENT : 0);
    at = put8(at, ip->ttl);
    at = put8(at, ip->protocol);
    uint8_t *checksum = at;
    at = sim_wire_put16(at, 0);
    at = put_bytes(at, ip->source.bytes + 12, 4);
    at = put_bytes(at, ip->destination.bytes + 12, 4);
    sim_wire_put16(checksum, sim_wire_fold(sim_wire_sum(0, start, SIM_WIRE_IPV4_BYTES)));
    return at;
}

/* RFC 8200, 3 */
static uint8_t *put_ipv6(uint8_t *at, const struct ip_fields *ip, size_t body_bytes)
{
    at = sim_wire_put32(at, UINT32_C(6) << 28 | (uint32_t)ip->tos << 20 | (ip->flow_label & 0xfffff));
    at = sim_wire_put16(at, length_field(body_bytes));
    at = put8(at, ip->protocol);
    at = put8(at, ip->ttl);
    at = put_bytes(at, ip->source.bytes, 16);
    return put_bytes(at, ip->destination.bytes, 16);
}

static uint8_t *put_ip(uint8_t *at, const struct ip_fields *ip, size_t body_bytes)
{
    return ip->version == 4 ? put_ipv4(at, ip, body_bytes) : put_ipv6(at, ip, body_bytes);
}

static size_t ip_header_bytes(uint8_t version)
{
    return version == 4 ? SIM_WIRE_IPV4_BYTES : SIM_WIRE_IPV6_BYTES;
}

/* ---- TCP ---------------------------------------------------------------------------------- */

static uint8_t *put_nops(uint8_t *at, uint32_t count)
{
    memset(at, TCP_OPTION_NOP, count);
    return at + count;
}

/* LINUX: the order and the padding of tcp_options_write. */
static uint8_t *put_tcp_options(uint8_t *at, const struct sim_tcp_header *tcp)
{
    if (tcp->has_mss) {
        at = sim_wire_put32(at, TCP_OPTION_MSS << 24 | 4 << 16 | (tcp->mss & 0xffff));
    }
    if (tcp->has_timestamps || tcp->sack_permitted) {
        if (!tcp->has_timestamps || !tcp->sack_permitted) {
            at = put_nops(at, 2);
        }
        if (tcp->sack_permitted) {
            at = sim_wire_put16(at, TCP_OPTION_SACK_PERMITTED << 8 | 2);
        }
        if (tcp->has_timestamps) {
            at = sim_wire_put16(at, TCP_OPTION_TIMESTAMPS << 8 | 10);
            at = sim_wire_put32(at, tcp->timestamp_value);
            at = sim_wire_put32(at, tcp->timestamp_echo);
        }
    }
    if (tcp->has_window_scale) {
        at = put_nops(at, 1);
        at = put8(sim_wire_put16(at, TCP_OPTION_WINDOW_SCALE << 8 | 3), tcp->window_scale);
    }
    const uint32_t blocks = sim_packet_sack_count(tcp);
    if (blocks > 0) {
        at = put_nops(at, 2);
        at = sim_wire_put16(at, TCP_OPTION_SACK << 8 | (2 + 8 * blocks));
        for (uint32_t i = 0; i < blocks; i++) {
            at = sim_wire_put32(at, tcp->sack[i][0]);
            at = sim_wire_put32(at, tcp->sack[i][1]);
        }
    }
    return at;
}

/* RFC 9293, 3.1. Returns where the payload goes; *checksum: where the checksum does. */
static uint8_t *put_tcp(uint8_t *at, const struct sim_packet *packet, uint8_t **checksum)
{
    const struct sim_tcp_header *tcp = &packet->tcp;
    const uint32_t header_bytes = SIM_WIRE_TCP_BYTES + sim_packet_tcp_option_bytes(tcp);
    at = sim_wire_put16(at, packet->source.port);
    at = sim_wire_put16(at, packet->destination.port);
    at = sim_wire_put32(at, tcp->sequence);
    at = sim_wire_put32(at, tcp->acknowledgment);
    at = sim_wire_put16(at, header_bytes / 4 << 12 | tcp->flags);
    at = sim_wire_put16(at, tcp->window);
    *checksum = at;
    at = sim_wire_put16(at, 0);
    at = sim_wire_put16(at, tcp->urgent);
    return put_tcp_options(at, tcp);
}

/* ---- UDP, ICMP ---------------------------------------------------------------------------- */

/* RFC 768 */
static uint8_t *put_udp(uint8_t *at, const struct sim_packet *packet, uint8_t **checksum)
{
    at = sim_wire_put16(at, packet->source.port);
    at = sim_wire_put16(at, packet->destination.port);
    at = sim_wire_put16(at, length_field(SIM_WIRE_UDP_BYTES + packet->payload.length));
    *checksum = at;
    return sim_wire_put16(at, 0);
}

/* The first eight bytes of the quoted packet's transport header. */
static uint8_t *put_quoted_transport(uint8_t *at, uint8_t version, const struct sim_icmp_header *icmp)
{
    if (icmp->quoted_protocol == (version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
        at = put8(at, version == 4 ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST);
        at = put8(at, 0);
        at = sim_wire_put16(at, 0);
        at = sim_wire_put16(at, icmp->quoted_source.port);
        return sim_wire_put16(at, icmp->quoted_destination.port);
    }
    at = sim_wire_put16(at, icmp->quoted_source.port);
    at = sim_wire_put16(at, icmp->quoted_destination.port);
    if (icmp->quoted_protocol == IPPROTO_TCP) {
        return sim_wire_put32(at, icmp->quoted_sequence);
    }
    return sim_wire_put32(at, SIM_WIRE_UDP_BYTES << 16); /* SIMPLER: a length without payload */
}

/* RFC 792, RFC 4443 */
static uint8_t *put_icmp(uint8_t *at, const struct sim_packet *packet, uint8_t **checksum)
{
    const struct sim_icmp_header *icmp = &packet->icmp;
    at = put8(at, icmp->type);
    at = put8(at, icmp->code);
    *checksum = at;
    at = sim_wire_put16(at, 0);
    if (!icmp->has_quote) {
        at = sim_wire_put16(at, icmp->identifier);
        return sim_wire_put16(at, icmp->sequence);
    }
    const bool short_mtu = packet->version == 4 && icmp->type == ICMP_UNREACHABLE;
    at = sim_wire_put32(at, short_mtu ? icmp->mtu & 0xffff : icmp->mtu);
    const struct ip_fields quoted = {
        .version = packet->version,
        .protocol = (uint8_t)icmp->quoted_protocol,
        .ttl = QUOTED_TTL,
        .source = icmp->quoted_source.ip,
        .destination = icmp->quoted_destination.ip,
    };
    at = put_ip(at, &quoted, SIM_WIRE_QUOTED_BYTES);
    return put_quoted_transport(at, packet->version, icmp);
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* Fills in the transport's checksum, a wrong one in a corrupt packet. */
static void seal(const struct sim_packet *packet, const uint8_t *transport, const uint8_t *end,
                 uint8_t *checksum)
{
    const size_t bytes = (size_t)(end - transport);
    uint64_t sum = 0;
    if (packet->protocol != IPPROTO_ICMP) {
        sum = sim_wire_pseudo_sum(packet->version, packet->protocol, packet->source.ip,
                                  packet->destination.ip, bytes);
    }
    uint16_t value = sim_wire_fold(sim_wire_sum(sum, transport, bytes));
    if (packet->corrupt && !DRY_MUTANT(a_corrupt_packet_has_a_right_sum)) {
        value ^= 0x5555; /* no two values that differ by this are equal as sums */
    }
    if (value == 0 && sim_packet_is_datagram(packet)) {
        value = 0xffff; /* RFC 768: 0 means that there is none */
    }
    sim_wire_put16(checksum, value);
}

size_t sim_wire_encode(const struct sim_world *world, const struct sim_packet *packet, void *buffer,
                       size_t bytes)
{
    assert(packet->version == 4 || packet->version == 6);
    const size_t needed = sim_packet_wire_bytes(packet);
    if (needed > bytes) {
        return needed;
    }
    const struct ip_fields ip = {
        .version = packet->version,
        .protocol = packet->protocol,
        .ttl = packet->ttl,
        .tos = packet->tos,
        .dont_fragment = packet->dont_fragment,
        .identification = packet->identification,
        .flow_label = packet->flow_label,
        .source = packet->source.ip,
        .destination = packet->destination.ip,
    };
    uint8_t *transport = put_ip(buffer, &ip, needed - ip_header_bytes(packet->version));
    uint8_t *checksum = NULL;
    uint8_t *at = transport;
    if (packet->protocol == IPPROTO_TCP) {
        at = put_tcp(at, packet, &checksum);
    } else if (sim_packet_is_datagram(packet)) {
        at = put_udp(at, packet, &checksum);
    } else if (sim_packet_is_icmp(packet)) {
        at = put_icmp(at, packet, &checksum);
    }
    at += sim_bytes_copy_out(world, &packet->payload, 0, at, packet->payload.length);
    assert(at == (uint8_t *)buffer + needed);
    if (checksum) {
        seal(packet, transport, at, checksum);
    } else if (packet->corrupt && packet->version == 4) {
        ((uint8_t *)buffer)[10] ^= 0x55; /* nothing else has a checksum: the header's own */
    }
    return needed;
}
