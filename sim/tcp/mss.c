/* Segment sizes, and what the two SYNs agree on.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include "net/ip.h"

enum {
    PATH_MTU_MAX_V4 = 65535, /* LINUX: IP_MAX_MTU */
    MSS_LEAST = 48,          /* LINUX: tcp_min_snd_mss */
};

static uint32_t headers_bytes(const struct sim_socket *socket)
{
    return (sim_ip_is_v4(socket->remote.ip) ? SIM_WIRE_IPV4_BYTES : SIM_WIRE_IPV6_BYTES) +
           SIM_WIRE_TCP_BYTES;
}

uint32_t sim_tcp_advertised_mss(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint32_t mss = tcp->path_mtu - headers_bytes(tcp_socket(world, tcp));
    if (tcp->max_segment) {
        mss = smaller(mss, tcp->max_segment);
    }
    return mss;
}

/* LINUX: a segment is never more than half of the largest window seen, so that two are on the way. */
static uint32_t bound_to_half_window(const struct sim_tcp *tcp, uint32_t bytes)
{
    uint32_t most = tcp->max_window > MSS_DEFAULT ? tcp->max_window >> 1 : tcp->max_window;
    if (most && bytes > most) {
        return larger(most, 68 - SIM_WIRE_TCP_BYTES);
    }
    return bytes;
}

void sim_tcp_sync_mss(struct sim_world *world, struct sim_tcp *tcp, uint32_t path_mtu)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    if (sim_ip_is_v4(socket->remote.ip)) {
        path_mtu = smaller(path_mtu, PATH_MTU_MAX_V4);
    }
    tcp->path_mtu = path_mtu;
    uint32_t mss = path_mtu - headers_bytes(socket);
    if (tcp->peer_mss) {
        mss = smaller(mss, tcp->peer_mss);
    }
    if (tcp->max_segment) {
        mss = smaller(mss, tcp->max_segment);
    }
    mss = larger(mss, MSS_LEAST);
    if (tcp->timestamps_ok) {
        mss -= TCP_TIMESTAMP_BYTES;
    }
    tcp->mss = bound_to_half_window(tcp, mss);
}

uint32_t sim_tcp_size_goal(const struct sim_tcp *tcp)
{
    uint32_t goal = bound_to_half_window(tcp, TCP_SEGMENT_BURST_BYTES - 1 - 320);
    goal -= goal % tcp->mss;
    return larger(goal, tcp->mss);
}

/* ---- the SYNs ---------------------------------------------------------------------- */

void sim_tcp_take_syn_options(struct sim_world *world, struct sim_tcp *tcp,
                              const struct sim_packet *packet, bool answer)
{
    const struct sim_tcp_header *header = &packet->tcp;
    if (!answer) { /* a SYN: take what both can; an answer to ours can only take away */
        tcp->wscale_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_WINDOW_SCALING) != 0;
        tcp->timestamps_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_TIMESTAMPS) != 0;
        tcp->sack_ok = tcp_setting(world, tcp, SIM_SETTING_TCP_SACK) != 0;
    }
    uint32_t mss = packet->version == 4 ? MSS_DEFAULT : MSS_DEFAULT_6;
    if (header->has_mss && header->mss) {
        mss = header->mss;
    }
    if (tcp->max_segment) {
        mss = smaller(mss, tcp->max_segment);
    }
    tcp->peer_mss = larger(mss, MSS_MIN - 40);
    tcp->wscale_ok = tcp->wscale_ok && header->has_window_scale;
    tcp->snd_wscale = tcp->wscale_ok ? (uint8_t)smaller(header->window_scale, TCP_WINDOW_SCALE_MAX) : 0;
    tcp->timestamps_ok = tcp->timestamps_ok && header->has_timestamps;
    tcp->sack_ok = tcp->sack_ok && header->sack_permitted;
    if (tcp->timestamps_ok) {
        sim_tcp_store_timestamp(world, tcp, packet);
    }
}
