/* Bytes in network order, the Internet checksum (RFC 1071), header numbers: for wire.h's two halves.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_WIRE_INTERNAL_H
#define SIM_WIRE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/state.h"
#include "packet.h"

enum {
    TCP_OPTION_END = 0, /* RFC 9293 3.2, RFC 7323, RFC 2018 */
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_WINDOW_SCALE = 3,
    TCP_OPTION_SACK_PERMITTED = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_TIMESTAMPS = 8,
    DONT_FRAGMENT = 0x4000, /* RFC 791 3.1 */
    ICMP_UNREACHABLE = 3,   /* RFC 792 */
};

static inline uint8_t *sim_wire_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *sim_wire_put32(uint8_t *at, uint32_t value)
{
    return sim_wire_put16(sim_wire_put16(at, value >> 16), value);
}

static inline uint16_t sim_wire_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t sim_wire_get32(const uint8_t *at)
{
    return (uint32_t)sim_wire_get16(at) << 16 | sim_wire_get16(at + 2);
}

/* Adds bytes to a running sum; an odd last byte counts as the high half of a word. */
static inline uint64_t sim_wire_sum(uint64_t sum, const void *data, size_t length)
{
    const uint8_t *at = data;
    for (; length >= 4; length -= 4, at += 4) {
        sum += sim_wire_get32(at);
    }
    if (length >= 2) {
        sum += sim_wire_get16(at);
        at += 2;
        length -= 2;
    }
    return length > 0 ? sum + ((uint64_t)at[0] << 8) : sum;
}

static inline uint16_t sim_wire_fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* The pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1). */
static inline uint64_t sim_wire_pseudo_sum(uint8_t version, uint8_t protocol, struct sim_ip source,
                                           struct sim_ip destination, size_t transport_bytes)
{
    const size_t skip = version == 4 ? 12 : 0;
    const uint64_t sum = sim_wire_sum(transport_bytes + protocol, source.bytes + skip, 16 - skip);
    return sim_wire_sum(sum, destination.bytes + skip, 16 - skip);
}

#endif
