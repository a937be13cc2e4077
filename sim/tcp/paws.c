/* Segments that are old or forged: timestamps, PAWS, how often they are answered.
 * SPDX-License-Identifier: MIT
 *
 * RFC 7323 5 (protection against wrapped sequence numbers), RFC 5961 7 (few challenge ACKs). */
#include "internal.h"

enum {
    OUT_OF_WINDOW_LIMIT_MS = 500,       /* LINUX: tcp_invalid_ratelimit */
    PAWS_IDLE_LIMIT_S = 24 * 24 * 3600, /* RFC 7323 5.5 */
    PAWS_WINDOW = 1,
};

void sim_tcp_store_timestamp(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet)
{
    tcp->ts_recent = packet->tcp.timestamp_value;
    tcp->ts_recent_s = tcp_clock_ms(world) / 1000;
}

bool sim_tcp_paws_rejects(const struct sim_world *world, const struct sim_tcp *tcp,
                          const struct sim_packet *packet)
{
    if (!packet->tcp.has_timestamps || !tcp->timestamps_ok || !tcp->ts_recent) {
        return false;
    }
    int32_t behind = (int32_t)(tcp->ts_recent - packet->tcp.timestamp_value);
    if (behind <= PAWS_WINDOW - 1) {
        return false;
    }
    return tcp_clock_ms(world) / 1000 - tcp->ts_recent_s < PAWS_IDLE_LIMIT_S;
}

bool sim_tcp_out_of_window_limited(struct sim_world *world, struct sim_tcp *tcp,
                                   const struct sim_packet *packet)
{
    /* Data cannot be part of a loop of ACKs that answer ACKs. */
    if (packet && segment_length(packet) && !(packet->tcp.flags & SIM_TCP_SYN)) {
        return false;
    }
    uint32_t now_ms = tcp_clock_ms(world);
    if (tcp->last_oow_ack_ms && now_ms - tcp->last_oow_ack_ms < OUT_OF_WINDOW_LIMIT_MS) {
        return true;
    }
    tcp->last_oow_ack_ms = now_ms;
    return false;
}
