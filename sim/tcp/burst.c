/* How much TCP hands down at once: the segments that one buffer is cut into.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

enum {
    BURST_BYTES = TCP_SEGMENT_BURST_BYTES - 1 - 320,
};

/* LINUX: what is paced to leave within a millisecond, more on a short path, at least tcp_min_tso_segs,
 * never more than half of cwnd (tcp_tso_autosize, tcp_cwnd_test). */
uint32_t sim_tcp_burst(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint64_t bytes = BURST_BYTES;
    if (tcp->srtt_us8) {
        uint64_t rate = (uint64_t)tcp->mss * 80000 * (tcp->cwnd < tcp->ssthresh / 2 ? 200 : 120);
        rate = rate * larger(tcp->cwnd, tcp->packets_out) / tcp->srtt_us8; /* bytes a second */
        bytes = (rate >> 10) + (tcp->min_rtt_us ? BURST_BYTES >> smaller(tcp->min_rtt_us >> 9, 31) : 0);
        bytes = bytes < BURST_BYTES ? bytes : BURST_BYTES;
    }
    uint32_t least = (uint32_t)tcp_setting(world, tcp, SIM_SETTING_TCP_MIN_TSO_SEGS);
    uint32_t in_flight = tcp_in_flight(tcp);
    uint32_t quota = tcp->cwnd > in_flight ? tcp->cwnd - in_flight : 1;
    quota = smaller(quota, larger(tcp->cwnd / 2, 1));
    return smaller(quota, larger((uint32_t)(bytes / tcp->mss), least));
}
