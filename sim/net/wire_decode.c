/* From bytes to fields: what a receiver makes of a packet, or why it takes none.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>

#include "core/block.h"
#include "core/bytes.h"
#include "host.h"
#include "packet.h"
#include "wire.h"
#include "wire_internal.h"

enum {
    FRAGMENT_MASK = 0x3fff, /* more fragments, or an offset */
};

/* What is left to read. */
struct bytes {
    const uint8_t *at;
    size_t length;
};

static void skip(struct bytes *bytes, size_t count)
{
    bytes->at += count;
    bytes->length -= count;
}

/* ---- IP ----------------------------------------------------------------------------------- */

static struct sim_ip get_v4(const uint8_t *at)
{
    return sim_ip_v4(sim_wire_get32(at));
}

static struct sim_ip get_v6(const uint8_t *at)
{
    struct sim_ip ip;
    memcpy(ip.bytes, at, sizeof ip.bytes);
    return ip;
}

/* RFC 791. A quotation may be cut short and its total length then says more than is there. */
static int get_ipv4(struct bytes *bytes, struct sim_packet *packet, bool quoted)
{
    if (bytes->length < SIM_WIRE_IPV4_BYTES) {
        return -EBADMSG;
    }
    const uint8_t *at = bytes->at;
    const size_t header_bytes = (size_t)(at[0] & 15) * 4;
    const size_t total_bytes = sim_wire_get16(at + 2);
    if (header_bytes < SIM_WIRE_IPV4_BYTES || header_bytes > bytes->length) {
        return -EBADMSG;
    }
    if (!quoted && (total_bytes < header_bytes || total_bytes > bytes->length ||
                    sim_wire_fold(sim_wire_sum(0, at, header_bytes)) != 0)) {
        return -EBADMSG;
    }
    if (sim_wire_get16(at + 6) & FRAGMENT_MASK) {
        return -EBADMSG; /* SIMPLER: the world never cuts packets, so none is put together */
    }
    packet->version = 4;
    packet->tos = at[1];
    packet->identification = sim_wire_get16(at + 4);
    packet->dont_fragment = (sim_wire_get16(at + 6) & DONT_FRAGMENT) != 0;
    packet->ttl = at[8];
    packet->protocol = at[9];
    packet->source.ip = get_v4(at + 12);
    packet->destination.ip = get_v4(at + 16);
    if (!quoted) {
        bytes->length = total_bytes;
    }
    skip(bytes, header_bytes);
    return 0;
}

static bool is_extension(uint8_t next_header)
{
    switch (next_header) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_FRAGMENT:
    case IPPROTO_AH:
    case IPPROTO_DSTOPTS:
    case 135: /* mobility */
    case 139: /* host identity */
    case 140: /* shim6 */
        return true;
    default:
        return false;
    }
}

/* RFC 8200. SIMPLER: extension headers are refused. */
static int get_ipv6(struct bytes *bytes, struct sim_packet *packet, bool quoted)
{
    if (bytes->length < SIM_WIRE_IPV6_BYTES) {
        return -EBADMSG;
    }
    const uint8_t *at = bytes->at;
    const uint32_t first = sim_wire_get32(at);
    const size_t payload_bytes = sim_wire_get16(at + 4);
    packet->version = 6;
    packet->tos = (uint8_t)(first >> 20);
    packet->flow_label = first & 0xfffff;
    packet->protocol = at[6];
    packet->ttl = at[7];
    packet->source.ip = get_v6(at + 8);
    packet->destination.ip = get_v6(at + 24);
    skip(bytes, SIM_WIRE_IPV6_BYTES);
    /* LINUX: ip6_rcv_core drops IPv4-mapped sources too. */
    if (is_extension(packet->protocol) || sim_ip_is_v4(packet->source.ip) ||
        sim_ip_is_v4(packet->destination.ip)) {
        return -EBADMSG;
    }
    if (!quoted) {
        if (payload_bytes > bytes->length) {
            return -EBADMSG;
        }
        bytes->length = payload_bytes;
    }
    return 0;
}

static int get_ip(struct bytes *bytes, struct sim_packet *packet, bool quoted)
{
    if (bytes->length == 0) {
        return -EBADMSG;
    }
    switch (bytes->at[0] >> 4) {
    case 4:
        return get_ipv4(bytes, packet, quoted);
    case 6:
        return get_ipv6(bytes, packet, quoted);
    default:
        return -EBADMSG;
    }
}

/* True if the transport's checksum over all that is left is right. */
/* Over the first `covered` bytes; the pseudo header tells the length of all. */
static bool sum_is_right(const struct bytes *bytes, size_t covered, const struct sim_packet *packet)
{
    uint64_t sum = 0;
    if (packet->protocol != IPPROTO_ICMP) {
        sum = sim_wire_pseudo_sum(packet->version, packet->protocol, packet->source.ip,
                                  packet->destination.ip, bytes->length);
    }
    return sim_wire_fold(sim_wire_sum(sum, bytes->at, covered)) == 0;
}

/* ---- TCP ---------------------------------------------------------------------------------- */

static void get_sack(const uint8_t *at, size_t length, struct sim_tcp_header *tcp)
{
    tcp->sack_count = 0;
    for (; length >= 8 && tcp->sack_count < SIM_SACK_BLOCKS; length -= 8, at += 8) {
        tcp->sack[tcp->sack_count][0] = sim_wire_get32(at);
        tcp->sack[tcp->sack_count][1] = sim_wire_get32(at + 4);
        tcp->sack_count++;
    }
}

static void get_tcp_option(uint8_t kind, const uint8_t *value, size_t length,
                           struct sim_tcp_header *tcp)
{
    if (kind == TCP_OPTION_MSS && length == 2) {
        tcp->has_mss = 1;
        tcp->mss = sim_wire_get16(value);
    } else if (kind == TCP_OPTION_WINDOW_SCALE && length == 1) {
        tcp->has_window_scale = 1;
        tcp->window_scale = value[0];
    } else if (kind == TCP_OPTION_SACK_PERMITTED && length == 0) {
        tcp->sack_permitted = 1;
    } else if (kind == TCP_OPTION_TIMESTAMPS && length == 8) {
        tcp->has_timestamps = 1;
        tcp->timestamp_value = sim_wire_get32(value);
        tcp->timestamp_echo = sim_wire_get32(value + 4);
    } else if (kind == TCP_OPTION_SACK && length >= 8 && length % 8 == 0) {
        get_sack(value, length, tcp);
    }
}

/* LINUX: a malformed option ends the parsing, not the packet (tcp_parse_options). */
static void get_tcp_options(struct bytes options, struct sim_tcp_header *tcp)
{
    while (options.length > 0 && options.at[0] != TCP_OPTION_END) {
        if (options.at[0] == TCP_OPTION_NOP) {
            skip(&options, 1);
            continue;
        }
        if (options.length < 2 || options.at[1] < 2 || options.at[1] > options.length) {
            return;
        }
        get_tcp_option(options.at[0], options.at + 2, options.at[1] - 2u, tcp);
        skip(&options, options.at[1]);
    }
}

static int get_tcp(struct bytes *bytes, struct sim_packet *packet)
{
    if (bytes->length < SIM_WIRE_TCP_BYTES || !sum_is_right(bytes, bytes->length, packet)) {
        return -EBADMSG;
    }
    const uint8_t *at = bytes->at;
    const size_t header_bytes = (size_t)(at[12] >> 4) * 4;
    if (header_bytes < SIM_WIRE_TCP_BYTES || header_bytes > bytes->length) {
        return -EBADMSG;
    }
    struct sim_tcp_header *tcp = &packet->tcp;
    packet->source.port = sim_wire_get16(at);
    packet->destination.port = sim_wire_get16(at + 2);
    tcp->sequence = sim_wire_get32(at + 4);
    tcp->acknowledgment = sim_wire_get32(at + 8);
    tcp->flags = at[13];
    tcp->window = sim_wire_get16(at + 14);
    tcp->urgent = sim_wire_get16(at + 18);
    const struct bytes options = {at + SIM_WIRE_TCP_BYTES, header_bytes - SIM_WIRE_TCP_BYTES};
    get_tcp_options(options, tcp);
    skip(bytes, header_bytes);
    return 0;
}

/* ---- UDP, ICMP ---------------------------------------------------------------------------- */

static int get_udp(struct bytes *bytes, struct sim_packet *packet)
{
    if (bytes->length < SIM_WIRE_UDP_BYTES) {
        return -EBADMSG;
    }
    const bool lite = packet->protocol == IPPROTO_UDPLITE;
    size_t covered = sim_wire_get16(bytes->at + 4);
    if (lite && covered == 0) { /* RFC 3828, 3.1: the whole */
        covered = bytes->length;
    }
    if (covered < SIM_WIRE_UDP_BYTES || covered > bytes->length) {
        return -EBADMSG;
    }
    if (!lite) {
        bytes->length = covered;
    }
    /* RFC 768: IPv4 may go without a checksum. RFC 8200, 8.1, RFC 3828: IPv6, UDP-Lite may not. */
    const bool summed = sim_wire_get16(bytes->at + 6) != 0;
    if (summed ? !sum_is_right(bytes, covered, packet) : packet->version == 6 || lite) {
        return -EBADMSG;
    }
    packet->source.port = sim_wire_get16(bytes->at);
    packet->destination.port = sim_wire_get16(bytes->at + 2);
    skip(bytes, SIM_WIRE_UDP_BYTES);
    return 0;
}

static bool is_icmp_error(uint8_t version, uint8_t type)
{
    if (version == 6) {
        return type >= 1 && type <= 4;
    }
    return type == ICMP_UNREACHABLE || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The start of the packet that an error is about: its addresses and eight bytes more. */
static int get_quotation(struct bytes *bytes, const struct sim_packet *packet,
                         struct sim_icmp_header *icmp)
{
    struct sim_packet quoted = {0};
    const int result = get_ip(bytes, &quoted, true);
    if (result < 0 || quoted.version != packet->version || bytes->length < SIM_WIRE_QUOTED_BYTES) {
        return -EBADMSG;
    }
    const size_t ports_at = sim_packet_is_icmp(&quoted) ? 4 : 0;
    icmp->has_quote = 1;
    icmp->quoted_protocol = quoted.protocol;
    icmp->quoted_source.ip = quoted.source.ip;
    icmp->quoted_destination.ip = quoted.destination.ip;
    icmp->quoted_source.port = sim_wire_get16(bytes->at + ports_at);
    icmp->quoted_destination.port = sim_wire_get16(bytes->at + ports_at + 2);
    if (quoted.protocol == IPPROTO_TCP) {
        icmp->quoted_sequence = sim_wire_get32(bytes->at + 4);
    }
    bytes->length = 0; /* the rest of it is not carried */
    return 0;
}

static int get_icmp(struct bytes *bytes, struct sim_packet *packet)
{
    if (bytes->length < SIM_WIRE_ICMP_BYTES || !sum_is_right(bytes, bytes->length, packet)) {
        return -EBADMSG;
    }
    struct sim_icmp_header *icmp = &packet->icmp;
    const uint8_t *at = bytes->at;
    icmp->type = at[0];
    icmp->code = at[1];
    skip(bytes, SIM_WIRE_ICMP_BYTES);
    if (!is_icmp_error(packet->version, icmp->type)) {
        icmp->identifier = sim_wire_get16(at + 4);
        icmp->sequence = sim_wire_get16(at + 6);
        return 0;
    }
    const bool short_mtu = packet->version == 4 && icmp->type == ICMP_UNREACHABLE;
    icmp->mtu = short_mtu ? sim_wire_get16(at + 6) : sim_wire_get32(at + 4);
    return get_quotation(bytes, packet, icmp);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int get_packet(struct sim_world *world, struct bytes bytes, struct sim_packet *packet)
{
    int result = get_ip(&bytes, packet, false);
    if (result < 0) {
        return result;
    }
    if (packet->protocol == IPPROTO_TCP) {
        result = get_tcp(&bytes, packet);
    } else if (sim_packet_is_datagram(packet)) {
        result = get_udp(&bytes, packet);
    } else if (sim_packet_is_icmp(packet)) {
        result = get_icmp(&bytes, packet);
    }
    return result < 0 ? result : sim_bytes_append(world, &packet->payload, bytes.at, bytes.length);
}

int sim_wire_decode(struct sim_world *world, const void *data, size_t length, struct sim_packet_id *id)
{
    *id = sim_packet_new(world);
    if (id->index == 0) {
        return -ENOBUFS;
    }
    const struct bytes bytes = {data, length};
    const int result = get_packet(world, bytes, sim_packet_at(world, *id));
    if (result < 0) {
        sim_packet_free(world, *id);
        id->index = 0;
    }
    return result;
}
