/* ICMP and ICMPv6: errors sent for packets nobody took, errors received, echo.
 * SPDX-License-Identifier: MIT */
#include "icmp.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include "core/block.h"
#include "core/bytes.h"
#include "host.h"
#include "ip.h"
#include "packet.h"

enum {
    /* What an error quotes of a UDP payload: RFC 1812 and RFC 4443 let the whole packet be 576 and
     * 1280 bytes; off go two IP headers, the ICMP header and the UDP header. */
    QUOTED_BYTES_V4 = 576 - 2 * SIM_WIRE_IPV4_BYTES - SIM_WIRE_ICMP_BYTES - SIM_WIRE_UDP_BYTES,
    QUOTED_BYTES_V6 = 1280 - 2 * SIM_WIRE_IPV6_BYTES - SIM_WIRE_ICMP_BYTES - SIM_WIRE_UDP_BYTES,
    RATE_BURST = 6,
};

static const uint64_t rate_interval_ns = UINT64_C(1000000000);

/* ---- errors by number ---- */

struct meaning {
    int error;
    bool fatal;
};

/* LINUX: icmp_err_convert, by the code of "destination unreachable". */
static const struct meaning unreachable_v4[] = {
    [ICMP_NET_UNREACH] = {ENETUNREACH, false},    [ICMP_HOST_UNREACH] = {EHOSTUNREACH, false},
    [ICMP_PROT_UNREACH] = {ENOPROTOOPT, true},    [ICMP_PORT_UNREACH] = {ECONNREFUSED, true},
    [ICMP_FRAG_NEEDED] = {EMSGSIZE, false},       [ICMP_SR_FAILED] = {EOPNOTSUPP, false},
    [ICMP_NET_UNKNOWN] = {ENETUNREACH, true},     [ICMP_HOST_UNKNOWN] = {EHOSTDOWN, true},
    [ICMP_HOST_ISOLATED] = {ENONET, true},        [ICMP_NET_ANO] = {ENETUNREACH, true},
    [ICMP_HOST_ANO] = {EHOSTUNREACH, true},       [ICMP_NET_UNR_TOS] = {ENETUNREACH, false},
    [ICMP_HOST_UNR_TOS] = {EHOSTUNREACH, false},  [ICMP_PKT_FILTERED] = {EHOSTUNREACH, true},
    [ICMP_PREC_VIOLATION] = {EHOSTUNREACH, true}, [ICMP_PREC_CUTOFF] = {EHOSTUNREACH, true},
};

/* LINUX: icmpv6_err_convert's table for "destination unreachable". */
static const struct meaning unreachable_v6[] = {
    [ICMP6_DST_UNREACH_NOROUTE] = {ENETUNREACH, false},
    [ICMP6_DST_UNREACH_ADMIN] = {EACCES, true},
    [ICMP6_DST_UNREACH_BEYONDSCOPE] = {EHOSTUNREACH, false},
    [ICMP6_DST_UNREACH_ADDR] = {EHOSTUNREACH, false},
    [ICMP6_DST_UNREACH_NOPORT] = {ECONNREFUSED, true},
    [5] = {EACCES, true}, /* policy failed */
    [6] = {EACCES, true}, /* route rejected */
};

static struct meaning meaning_v4(uint8_t type, uint8_t code)
{
    switch (type) {
    case ICMP_DEST_UNREACH:
        if (code < sizeof unreachable_v4 / sizeof unreachable_v4[0]) {
            return unreachable_v4[code];
        }
        return (struct meaning){EHOSTUNREACH, false};
    case ICMP_PARAMETERPROB:
        return (struct meaning){EPROTO, true};
    case ICMP_TIME_EXCEEDED:
        return (struct meaning){EHOSTUNREACH, false};
    default:
        return (struct meaning){0, false};
    }
}

static struct meaning meaning_v6(uint8_t type, uint8_t code)
{
    switch (type) {
    case ICMP6_DST_UNREACH:
        if (code < sizeof unreachable_v6 / sizeof unreachable_v6[0]) {
            return unreachable_v6[code];
        }
        return (struct meaning){EPROTO, true};
    case ICMP6_PACKET_TOO_BIG:
        return (struct meaning){EMSGSIZE, false};
    case ICMP6_PARAM_PROB:
        return (struct meaning){EPROTO, true};
    case ICMP6_TIME_EXCEEDED:
        return (struct meaning){EHOSTUNREACH, false};
    default:
        return (struct meaning){EPROTO, false};
    }
}

int sim_icmp_errno(uint8_t version, uint8_t type, uint8_t code, bool *fatal)
{
    struct meaning meaning = version == 4 ? meaning_v4(type, code) : meaning_v6(type, code);
    *fatal = meaning.fatal;
    return -meaning.error;
}

/* ---- sending ---- */

static void set_reason(struct sim_packet *packet, enum sim_icmp_reason reason)
{
    static const struct {
        uint8_t type4, code4, type6, code6;
    } numbers[] = {
        [SIM_ICMP_PORT_UNREACHABLE] = {ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ICMP6_DST_UNREACH,
                                       ICMP6_DST_UNREACH_NOPORT},
        [SIM_ICMP_HOST_UNREACHABLE] = {ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, ICMP6_DST_UNREACH,
                                       ICMP6_DST_UNREACH_ADDR},
        [SIM_ICMP_NET_UNREACHABLE] = {ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ICMP6_DST_UNREACH,
                                      ICMP6_DST_UNREACH_NOROUTE},
        [SIM_ICMP_PROTOCOL_UNREACHABLE] = {ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, ICMP6_PARAM_PROB,
                                           ICMP6_PARAMPROB_NEXTHEADER},
        [SIM_ICMP_TOO_BIG] = {ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP6_PACKET_TOO_BIG, 0},
        [SIM_ICMP_TIME_EXCEEDED] = {ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, ICMP6_TIME_EXCEEDED,
                                    ICMP6_TIME_EXCEED_TRANSIT},
        [SIM_ICMP_PROHIBITED] = {ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, ICMP6_DST_UNREACH,
                                 ICMP6_DST_UNREACH_ADMIN},
    };
    bool v4 = packet->version == 4;

    packet->icmp.type = v4 ? numbers[reason].type4 : numbers[reason].type6;
    packet->icmp.code = v4 ? numbers[reason].code4 : numbers[reason].code6;
}

static bool is_icmp(const struct sim_packet *packet)
{
    return packet->protocol == (packet->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool is_error(const struct sim_packet *packet)
{
    if (packet->version == 6) {
        return (packet->icmp.type & ICMP6_INFOMSG_MASK) == 0;
    }
    return packet->icmp.type == ICMP_DEST_UNREACH || packet->icmp.type == ICMP_SOURCE_QUENCH ||
           packet->icmp.type == ICMP_REDIRECT || packet->icmp.type == ICMP_TIME_EXCEEDED ||
           packet->icmp.type == ICMP_PARAMETERPROB;
}

/* RFC 1122, 3.2.2: no errors about errors, about what went to many, or to nobody in particular. */
static bool may_answer(const struct sim_world *world, struct sim_host_id host,
                       const struct sim_packet *packet)
{
    struct sim_ip from = packet->source.ip;
    struct sim_ip to = packet->destination.ip;
    if (is_icmp(packet) && is_error(packet)) {
        return false;
    }
    return !sim_ip_is_any(from) && !sim_ip_is_multicast(from) && !sim_ip_is_multicast(to) &&
           !sim_ip_is_broadcast(world, host, from) && !sim_ip_is_broadcast(world, host, to);
}

/* LINUX: icmpv4_xrlim_allow: six at once, then one a second to each destination; loopback and
 * "fragmentation needed" are free. SIMPLER: one bucket for the host, and IPv6 has no bucket of its
 * own. The bucket is kept as the instant at which it would be full again. */
static bool rate_allows(struct sim_world *world, struct sim_host_id host,
                        const struct sim_packet *packet, enum sim_icmp_reason reason)
{
    struct sim_host *at = sim_host_at(world, host);
    uint64_t full_at = at->icmp_next_at > world->now ? at->icmp_next_at : world->now;
    if (reason == SIM_ICMP_TOO_BIG || sim_host_owner(world, host, packet->source.ip) != NULL) {
        return true;
    }
    if (full_at - world->now > (RATE_BURST - 1) * rate_interval_ns) {
        return false;
    }
    at->icmp_next_at = full_at + rate_interval_ns;
    return true;
}

static void quote(struct sim_world *world, struct sim_packet *packet,
                  const struct sim_packet *offending)
{
    uint64_t most = packet->version == 4 ? QUOTED_BYTES_V4 : QUOTED_BYTES_V6;
    uint64_t bytes = offending->payload.length < most ? offending->payload.length : most;
    packet->icmp.has_quote = 1;
    packet->icmp.quoted_protocol = offending->protocol;
    packet->icmp.quoted_source = offending->source;
    packet->icmp.quoted_destination = offending->destination;
    if (offending->protocol == IPPROTO_TCP) {
        packet->icmp.quoted_sequence = offending->tcp.sequence;
    }
    /* Of TCP nobody asks for more than the ports and the sequence number. */
    if (sim_packet_is_datagram(offending)) {
        (void)sim_bytes_share(world, &packet->payload, &offending->payload, 0, bytes);
    }
}

void sim_icmp_send_error(struct sim_world *world, struct sim_host_id host,
                         struct sim_packet_id offending, enum sim_icmp_reason reason, uint32_t mtu)
{
    const struct sim_packet *about = sim_packet_at(world, offending);
    if (!may_answer(world, host, about) || !rate_allows(world, host, about, reason)) {
        return;
    }
    struct sim_packet_id id = sim_packet_new(world);
    if (id.index == 0) {
        return;
    }
    struct sim_packet *packet = sim_packet_at(world, id);
    packet->version = about->version;
    packet->protocol = about->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    packet->tos = packet->version == 4 ? IPTOS_PREC_INTERNETCONTROL : 0;
    packet->source = about->destination;
    packet->source.port = 0;
    packet->destination = about->source;
    packet->destination.port = 0;
    packet->icmp.mtu = mtu;
    set_reason(packet, reason);
    quote(world, packet, about);
    sim_ip_output(world, host, id, 0);
}

/* ---- receiving ---- */

/* The packet itself goes back, turned round. */
static void answer_echo(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    struct sim_packet *packet = sim_packet_at(world, id);
    struct sim_endpoint to = packet->source;
    packet->source = packet->destination;
    packet->destination = to;
    packet->ttl = 0;
    packet->icmp.type = packet->version == 4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    sim_ip_output(world, host, id, 0);
}

void sim_icmp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    const struct sim_packet *packet = sim_packet_at(world, id);
    uint8_t echo = packet->version == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    if (packet->icmp.type == echo && sim_host_owner(world, host, packet->destination.ip) != NULL) {
        answer_echo(world, host, id);
        return;
    }
    if (is_error(packet) && packet->icmp.has_quote) {
        const struct sim_ip_receiver *receiver =
            sim_ip_receivers[(uint8_t)packet->icmp.quoted_protocol];
        if (receiver != NULL) {
            receiver->error(world, host, id);
        }
    }
    sim_packet_free(world, id);
}
