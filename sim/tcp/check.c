/* What must hold of every TCP socket between two events.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

static void check_queues(const struct sim_world *world, const struct sim_tcp *tcp)
{
    uint32_t sequence = tcp->snd_una;
    uint32_t count = 0, sacked = 0, lost = 0, again = 0;
    for (struct sim_packet_id id = tcp->first_sent; id.index; id = sim_packet_at(world, id)->next) {
        const struct sim_packet *kept = sim_packet_at(world, id);
        assert(kept->kept.header.sequence == sequence);
        sequence += (uint32_t)kept->payload.length + ((kept->kept.header.flags & SIM_TCP_SYN) != 0) +
                    ((kept->kept.header.flags & SIM_TCP_FIN) != 0);
        count++;
        sacked += (kept->kept.flags & KEPT_SACKED) != 0;
        lost += (kept->kept.flags & KEPT_LOST) != 0;
        again += (kept->kept.flags & KEPT_RETRANSMITTED) != 0;
        assert(kept->next.index || tcp->last_sent.index == id.index);
    }
    assert(count == tcp->packets_out && lost == tcp->lost_out && again == tcp->retransmitted_out);
    assert(!tcp->sack_ok || sacked == tcp->sacked_out);
    assert(sequence == tcp->snd_nxt);
    if (!tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN))) {
        assert(tcp->write_seq - tcp->snd_nxt ==
               (uint32_t)tcp->send.length + (tcp->fin_queued && !tcp->fin_sent));
    }
    for (struct sim_packet_id id = tcp->first_early; id.index; id = sim_packet_at(world, id)->next) {
        assert(after(sim_packet_at(world, id)->tcp.sequence, tcp->rcv_nxt));
    }
}

void sim_tcp_check(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    assert(tcp->slot.live && tcp->socket.index == id.index && tcp->state < SIM_TCP_STATE_COUNT);
    for (int timer = 0; timer < SIM_TCP_TIMER_COUNT; timer++) {
        const struct sim_event_id event = tcp->timer_event[timer];
        assert(!tcp->timer_at[timer] || event.index);
        if (event.index) {
            const struct sim_event *queued = sim_event_at(world, event);
            assert(queued->slot.live && queued->kind == SIM_EVENT_TCP_TIMER);
            assert(queued->target == socket->detail && queued->a == (uint32_t)timer);
            assert(!tcp->timer_at[timer] || queued->at < tcp->timer_at[timer]);
        }
    }
    if (tcp->state == SIM_TCP_TIME_WAIT) {
        assert(socket->flags & SIM_SOCKET_ORPHAN);
    }
    if (tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN) | STATE(TIME_WAIT)) ||
        sim_tcp_is_time_wait(world, id)) {
        assert(!tcp->first_sent.index && !tcp->first_early.index);
        return;
    }
    assert(tcp->packets_out == 0 || tcp->timer_at[SIM_TCP_TIMER_RETRANSMIT]);
    assert(socket->receive.length == tcp->rcv_nxt - tcp->copied_seq - tcp->fin_received ||
           (socket->flags & SIM_SOCKET_ORPHAN));
    check_queues(world, tcp);
}
