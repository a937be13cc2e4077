/* What came before its time: segments behind a gap, kept in order, given up when they hold too much.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include "core/bytes.h"

static uint32_t charge_of(const struct sim_packet *kept)
{
    return (uint32_t)kept->payload.length + TCP_PACKET_OVERHEAD;
}

static void uncharge(const struct sim_world *world, struct sim_tcp *tcp, uint32_t charge)
{
    tcp->early_charge -= charge;
    tcp_socket(world, tcp)->receive_charge -= charge;
}

struct sim_packet_id sim_tcp_early_take(const struct sim_world *world, struct sim_tcp *tcp)
{
    const struct sim_packet_id id = tcp->first_early;
    const struct sim_packet *first = id.index ? sim_packet_at(world, id) : NULL;
    if (!first || after(first->tcp.sequence, tcp->rcv_nxt)) {
        return (struct sim_packet_id){0};
    }
    tcp->first_early = first->next;
    if (!tcp->first_early.index) {
        tcp->last_early = tcp->first_early;
    }
    uncharge(world, tcp, charge_of(first));
    return id;
}

void sim_tcp_early_drop(struct sim_world *world, struct sim_tcp *tcp)
{
    while (tcp->first_early.index) {
        struct sim_packet_id id = tcp->first_early;
        tcp->first_early = sim_packet_at(world, id)->next;
        sim_packet_free(world, id);
    }
    tcp->last_early = tcp->first_early;
    uncharge(world, tcp, tcp->early_charge);
}

/* ---- room --------------------------------------------------------------------------------- */

/* The last kept segment goes; the peer sends it again, since its ACK does not cover it. */
static uint32_t give_up_last(struct sim_world *world, struct sim_tcp *tcp)
{
    const struct sim_packet_id last = tcp->last_early;
    struct sim_packet_id previous = {0};
    for (struct sim_packet_id id = tcp->first_early; id.index != last.index;
         id = sim_packet_at(world, id)->next) {
        previous = id;
    }
    if (previous.index) {
        sim_packet_at(world, previous)->next = (struct sim_packet_id){0};
    } else {
        tcp->first_early = previous;
    }
    tcp->last_early = previous;
    const uint32_t charge = charge_of(sim_packet_at(world, last));
    uncharge(world, tcp, charge);
    sim_packet_free(world, last);
    return charge;
}

/* LINUX: tcp_prune_ofo_queue: an eighth of the buffer at a time, the furthest first, and nothing that
 * comes before what asks for room. */
static void prune(struct sim_world *world, struct sim_tcp *tcp, uint32_t sequence)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    const int64_t step = socket->receive_limit >> 3;
    int64_t goal = step;
    while (tcp->last_early.index &&
           !after(sequence, sim_packet_at(world, tcp->last_early)->tcp.sequence)) {
        goal -= give_up_last(world, tcp);
        if (goal <= 0 || !tcp->first_early.index) {
            if (socket->receive_charge <= socket->receive_limit) {
                return;
            }
            goal = step;
        }
    }
}

bool sim_tcp_early_room(struct sim_world *world, struct sim_tcp *tcp, uint32_t sequence)
{
    if (sim_tcp_make_room(world, tcp)) {
        return true;
    }
    prune(world, tcp, sequence);
    const struct sim_socket *socket = tcp_socket(world, tcp);
    return socket->receive_charge <= socket->receive_limit;
}

/* ---- keeping ------------------------------------------------------------------------------ */

/* The kept segment behind which one with that number belongs; index 0: it is the first. */
static struct sim_packet_id place_of(const struct sim_world *world, const struct sim_tcp *tcp,
                                     uint32_t sequence)
{
    struct sim_packet_id previous = tcp->last_early;
    if (previous.index && !before(sequence, sim_packet_at(world, previous)->tcp.sequence)) {
        return previous;
    }
    previous = (struct sim_packet_id){0};
    struct sim_packet_id next = tcp->first_early;
    while (next.index && !after(sim_packet_at(world, next)->tcp.sequence, sequence)) {
        previous = next;
        next = sim_packet_at(world, next)->next;
    }
    return previous;
}

void sim_tcp_early_keep(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet)
{
    uint32_t sequence = packet->tcp.sequence;
    uint32_t end = segment_end(packet);
    if (!sim_tcp_early_room(world, tcp, sequence)) {
        return;
    }
    struct sim_packet_id previous = place_of(world, tcp, sequence);
    if (previous.index && !after(end, segment_end(sim_packet_at(world, previous)))) {
        tcp_tell_duplicate(tcp, sequence, end);
        return;
    }
    struct sim_packet_id id = sim_packet_new(world);
    if (!id.index) {
        return; /* like a loss */
    }
    struct sim_packet *kept = sim_packet_at(world, id);
    kept->tcp = packet->tcp;
    sim_bytes_move(world, &kept->payload, &packet->payload);
    if (previous.index) {
        kept->next = sim_packet_at(world, previous)->next;
        sim_packet_at(world, previous)->next = id;
    } else {
        kept->next = tcp->first_early;
        tcp->first_early = id;
    }
    if (!kept->next.index) {
        tcp->last_early = id;
    }
    tcp->early_charge += charge_of(kept);
    tcp_socket(world, tcp)->receive_charge += charge_of(kept);
    tcp->early_latest = sequence;
}
