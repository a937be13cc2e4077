/* ICMP errors about TCP segments: a smaller path, an attempt that ends, a reason kept for later.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include "net/icmp.h"
#include "socket/port.h"
#include "socket/sockets.h"

static bool is_too_big(const struct sim_packet *packet)
{
    return packet->version == 4 ? packet->icmp.type == 3 && packet->icmp.code == 4
                                : packet->icmp.type == 2;
}

/* RFC 1191, RFC 8201: the path takes less. */
static void shrink_path(struct sim_world *world, struct sim_tcp *tcp, uint32_t mtu)
{
    if (mtu >= tcp->path_mtu || mtu < 68) {
        return;
    }
    sim_tcp_sync_mss(world, tcp, mtu);
    for (struct sim_packet *kept = tcp_first_kept(world, tcp); kept;
         kept = tcp_kept_next(world, kept)) {
        if (kept->payload.length > tcp->mss) {
            sim_tcp_mark_lost(tcp, kept);
        }
    }
    sim_tcp_retransmit_lost(world, tcp);
}

void sim_tcp_icmp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id)
{
    const struct sim_packet *packet = sim_packet_at(world, id);
    const struct sim_icmp_header *icmp = &packet->icmp;
    struct sim_socket_id socket_id = sim_port_find(world, host, SIM_PROTOCOL_TCP, &icmp->quoted_source,
                                                   &icmp->quoted_destination);
    if (!socket_id.index || sim_tcp_is_time_wait(world, socket_id)) {
        return;
    }
    struct sim_socket *socket = sim_socket_at(world, socket_id);
    struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    uint32_t sequence = icmp->quoted_sequence;
    bool child = tcp->listener.index && tcp->state == SIM_TCP_SYN_RECEIVED;
    uint32_t first = child ? tcp->iss : tcp->snd_una;
    if (before(sequence, first) || after(sequence, tcp->snd_nxt)) {
        return; /* RFC 5927: not of a segment that is out */
    }
    if (is_too_big(packet)) {
        shrink_path(world, tcp, icmp->mtu);
        return;
    }
    bool fatal;
    int error = sim_icmp_errno(packet->version, icmp->type, icmp->code, &fatal);
    if (!error) {
        return;
    }
    error = error < 0 ? -error : error;
    if (child) {
        /* LINUX: a peer that cannot be reached is no peer: the half-open child goes. */
        socket->flags |= SIM_SOCKET_ORPHAN;
        sim_tcp_done(world, tcp);
    } else if (tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        sim_tcp_abort(world, tcp, error);
    } else if (socket->options & (SIM_OPTION_RECVERR | SIM_OPTION_RECVERR6)) {
        sim_socket_set_error(world, socket_id, error);
    } else {
        socket->soft_error = error; /* told only if the connection then times out */
    }
    sim_tcp_reap(world, socket_id);
}
