/* NETLINK_SOCK_DIAG: the sockets of a host, as ss(8) asks for them.
 * SPDX-License-Identifier: MIT
 *
 * sock_diag(7). SIMPLER: filters by byte code (INET_DIAG_REQ_BYTECODE) are not obeyed: all sockets of
 * the states asked for are told, and ss(8) chooses among them itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

#include "internal.h"
#include "net/host.h"
#include "socket/protocol.h"

enum {
    ALL_SHUT_BITS = SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT,
    INFO_BYTES = 512, /* more than TCP_INFO has */
};

static uint8_t shut_bits(const struct sim_socket *socket)
{
    const uint32_t bits = socket->flags & ALL_SHUT_BITS;
    return (uint8_t)(((bits & SIM_SOCKET_READ_SHUT) != 0) | ((bits & SIM_SOCKET_WRITE_SHUT) != 0) << 1);
}

static uint32_t uid_of(const struct sim_world *world, const struct sim_socket *socket)
{
    return socket->owner.index != 0 ? sim_process_at(world, socket->owner)->uid : 0;
}

/* ---- TCP and UDP ---- */

static uint32_t tcp_state(const struct sim_tcp *tcp)
{
    static const uint8_t states[SIM_TCP_STATE_COUNT] = {[SIM_TCP_CLOSED] = TCP_CLOSE,
                                                        [SIM_TCP_LISTEN] = TCP_LISTEN,
                                                        [SIM_TCP_SYN_SENT] = TCP_SYN_SENT,
                                                        [SIM_TCP_SYN_RECEIVED] = TCP_SYN_RECV,
                                                        [SIM_TCP_ESTABLISHED] = TCP_ESTABLISHED,
                                                        [SIM_TCP_FIN_WAIT_1] = TCP_FIN_WAIT1,
                                                        [SIM_TCP_FIN_WAIT_2] = TCP_FIN_WAIT2,
                                                        [SIM_TCP_CLOSE_WAIT] = TCP_CLOSE_WAIT,
                                                        [SIM_TCP_CLOSING] = TCP_CLOSING,
                                                        [SIM_TCP_LAST_ACK] = TCP_LAST_ACK,
                                                        [SIM_TCP_TIME_WAIT] = TCP_TIME_WAIT};
    return states[tcp->state];
}

static uint32_t inet_state(const struct sim_world *world, const struct sim_socket *socket)
{
    if (socket->protocol_kind == SIM_PROTOCOL_TCP) {
        return tcp_state(sim_tcp_at(world, (struct sim_tcp_id){socket->detail}));
    }
    return (socket->flags & SIM_SOCKET_CONNECTED) != 0 ? TCP_ESTABLISHED : TCP_CLOSE;
}

static void put_address(uint32_t place[4], uint16_t family, struct sim_ip ip)
{
    if (family == AF_INET) {
        memcpy(place, ip.bytes + 12, 4);
    } else {
        memcpy(place, ip.bytes, sizeof ip.bytes);
    }
}

static void fill_queues(const struct sim_world *world, const struct sim_socket *socket,
                        struct inet_diag_msg *body)
{
    if (socket->protocol_kind != SIM_PROTOCOL_TCP) {
        body->idiag_rqueue = socket->receive_charge;
        body->idiag_wqueue = socket->send_charge;
        return;
    }
    const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    const bool listens = tcp->state == SIM_TCP_LISTEN;
    body->idiag_rqueue = listens ? tcp->accept_count : tcp->rcv_nxt - tcp->copied_seq;
    body->idiag_wqueue = listens ? tcp->backlog : tcp->write_seq - tcp->snd_una;
}

static void put_memory(const struct sim_socket *socket, uint32_t show,
                       struct sim_netlink_message *message)
{
    if ((show & 1U << (INET_DIAG_MEMINFO - 1)) != 0) {
        const struct inet_diag_meminfo memory = {.idiag_rmem = socket->receive_charge,
                                                 .idiag_wmem = socket->send_charge};
        sim_netlink_put(message, INET_DIAG_MEMINFO, &memory, sizeof memory);
    }
    if ((show & 1U << (INET_DIAG_SKMEMINFO - 1)) != 0) {
        const uint32_t memory[SK_MEMINFO_VARS] = {[SK_MEMINFO_RMEM_ALLOC] = socket->receive_charge,
                                                  [SK_MEMINFO_RCVBUF] = socket->receive_limit,
                                                  [SK_MEMINFO_WMEM_ALLOC] = socket->send_charge,
                                                  [SK_MEMINFO_SNDBUF] = socket->send_limit};
        sim_netlink_put(message, INET_DIAG_SKMEMINFO, memory, sizeof memory);
    }
}

/* TCP_INFO and TCP_CONGESTION as getsockopt(2) tells them. */
static void put_tcp(struct sim_world *world, struct sim_socket_id id, uint32_t show,
                    struct sim_netlink_message *message)
{
    const struct sim_protocol *rules = sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
    uint8_t value[INFO_BYTES] = {0};
    socklen_t length = sizeof value;
    if ((show & 1U << (INET_DIAG_INFO - 1)) != 0 &&
        rules->get_option(world, id, IPPROTO_TCP, TCP_INFO, value, &length) == 0) {
        sim_netlink_put(message, INET_DIAG_INFO, value, length);
    }
    length = sizeof value - 1;
    memset(value, 0, sizeof value);
    if ((show & 1U << (INET_DIAG_CONG - 1)) != 0 &&
        rules->get_option(world, id, IPPROTO_TCP, TCP_CONGESTION, value, &length) == 0) {
        sim_netlink_put_text(message, INET_DIAG_CONG, (const char *)value);
    }
}

static void make_inet(const struct sim_world *world, struct sim_socket_id id, uint32_t show,
                      uint32_t sequence, uint16_t flags, uint32_t port,
                      struct sim_netlink_message *message)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct inet_diag_msg *body = sim_netlink_begin(message, SOCK_DIAG_BY_FAMILY, flags, sequence, port,
                                                   sizeof *body);
    body->idiag_family = (uint8_t)socket->family;
    body->idiag_state = (uint8_t)inet_state(world, socket);
    body->id.idiag_sport = htons(socket->local.port);
    body->id.idiag_dport = htons(socket->remote.port);
    put_address(body->id.idiag_src, socket->family, socket->local.ip);
    put_address(body->id.idiag_dst, socket->family, socket->remote.ip);
    body->id.idiag_if = socket->bound_interface;
    body->id.idiag_cookie[0] = id.index;
    body->idiag_uid = uid_of(world, socket);
    body->idiag_inode = (socket->flags & SIM_SOCKET_ORPHAN) != 0 ? 0 : id.index;
    fill_queues(world, socket, body);
    const uint8_t shut = shut_bits(socket);
    sim_netlink_put_u8(message, INET_DIAG_SHUTDOWN, shut);
    put_memory(socket, show, message);
    if (socket->protocol_kind == SIM_PROTOCOL_TCP) {
        put_tcp((struct sim_world *)(uintptr_t)world, id, show, message);
    }
}

/* LINUX: a socket without a port is in no table, so that nobody finds it. */
static bool is_asked(const struct sim_world *world, const struct sim_socket *socket,
                     struct sim_host_id host, const struct sim_netlink_dump *dump)
{
    const enum sim_protocol_kind kind = dump->protocol == IPPROTO_TCP ? SIM_PROTOCOL_TCP
                                                                      : SIM_PROTOCOL_UDP;
    return socket->slot.live && socket->host.index == host.index && socket->protocol_kind == kind &&
           socket->local.port != 0 && socket->family == dump->family &&
           (dump->states >> inet_state(world, socket) & 1) != 0;
}

bool sim_netlink_next_inet_socket(const struct sim_world *world, struct sim_host_id host,
                                  struct sim_netlink_dump *dump, uint32_t port,
                                  struct sim_netlink_message *message)
{
    while (dump->at < world->pools[SIM_POOL_SOCKET].high_water) {
        const struct sim_socket_id id = {++dump->at};
        if (is_asked(world, sim_socket_at(world, id), host, dump)) {
            make_inet(world, id, dump->show, dump->sequence, NLM_F_MULTI, port, message);
            return true;
        }
    }
    return false;
}

/* ---- UNIX ---- */

static uint32_t unix_state(const struct sim_socket *socket)
{
    if ((socket->flags & SIM_SOCKET_LISTENING) != 0) {
        return TCP_LISTEN;
    }
    return (socket->flags & SIM_SOCKET_CONNECTED) != 0 ? TCP_ESTABLISHED : TCP_CLOSE;
}

static uint32_t queued_bytes(const struct sim_world *world, const struct sim_socket *socket)
{
    uint64_t bytes = 0;
    struct sim_datagram_id id = socket->first_datagram;
    while (id.index != 0) {
        bytes += sim_datagram_at(world, id)->bytes.length;
        id = sim_datagram_at(world, id)->next;
    }
    return (uint32_t)bytes;
}

static void make_unix(const struct sim_world *world, struct sim_socket_id id, uint32_t show,
                      uint32_t sequence, uint32_t port, struct sim_netlink_message *message)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_unix *own = sim_unix_at(world, (struct sim_unix_id){socket->detail});
    struct unix_diag_msg *body = sim_netlink_begin(message, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sequence,
                                                   port, sizeof *body);
    const bool listens = unix_state(socket) == TCP_LISTEN;
    body->udiag_family = AF_UNIX;
    body->udiag_type = (uint8_t)socket->type;
    body->udiag_state = (uint8_t)unix_state(socket);
    body->udiag_ino = id.index;
    body->udiag_cookie[0] = id.index;
    if ((show & UDIAG_SHOW_NAME) != 0 && own->name_bytes > 0) {
        sim_netlink_put(message, UNIX_DIAG_NAME, own->name, own->name_bytes);
    }
    if ((show & UDIAG_SHOW_PEER) != 0 && own->peer.index != 0) {
        sim_netlink_put_u32(message, UNIX_DIAG_PEER, own->peer.index);
    }
    if ((show & UDIAG_SHOW_RQLEN) != 0) {
        const struct unix_diag_rqlen queues = {
            .udiag_rqueue = listens ? own->child_count : queued_bytes(world, socket),
            .udiag_wqueue = listens ? own->backlog : socket->send_charge};
        sim_netlink_put(message, UNIX_DIAG_RQLEN, &queues, sizeof queues);
    }
    if ((show & UDIAG_SHOW_UID) != 0) {
        sim_netlink_put_u32(message, UNIX_DIAG_UID, uid_of(world, socket));
    }
    sim_netlink_put_u8(message, UNIX_DIAG_SHUTDOWN, shut_bits(socket));
}

bool sim_netlink_next_unix_socket(const struct sim_world *world, struct sim_host_id host,
                                  struct sim_netlink_dump *dump, uint32_t port,
                                  struct sim_netlink_message *message)
{
    while (dump->at < world->pools[SIM_POOL_SOCKET].high_water) {
        const struct sim_socket_id id = {++dump->at};
        const struct sim_socket *socket = sim_socket_at(world, id);
        if (socket->slot.live && socket->host.index == host.index && socket->family == AF_UNIX &&
            (dump->states >> unix_state(socket) & 1) != 0) {
            make_unix(world, id, dump->show, dump->sequence, port, message);
            return true;
        }
    }
    return false;
}

/* ---- questions ---- */

/* One socket, by its two ends. */
static int get_inet(struct sim_world *world, struct sim_socket_id asker,
                    const struct sim_netlink_dump *dump, const struct inet_diag_req_v2 *asked,
                    uint32_t sequence)
{
    const struct sim_host_id host = sim_socket_at(world, asker)->host;
    for (uint32_t index = 1; index <= world->pools[SIM_POOL_SOCKET].high_water; index++) {
        const struct sim_socket_id id = {index};
        const struct sim_socket *socket = sim_socket_at(world, id);
        uint32_t source[4] = {0}, destination[4] = {0};
        if (!is_asked(world, socket, host, dump)) {
            continue;
        }
        put_address(source, socket->family, socket->local.ip);
        put_address(destination, socket->family, socket->remote.ip);
        const size_t bytes = socket->family == AF_INET ? 4 : sizeof source;
        if (asked->id.idiag_sport == htons(socket->local.port) &&
            asked->id.idiag_dport == htons(socket->remote.port) &&
            memcmp(asked->id.idiag_src, source, bytes) == 0 &&
            memcmp(asked->id.idiag_dst, destination, bytes) == 0) {
            struct sim_netlink_message answer;
            make_inet(world, id, dump->show, sequence, 0, sim_netlink_of(world, asker)->port, &answer);
            sim_netlink_answer(world, asker, &answer);
            return 0;
        }
    }
    return -ENOENT;
}

static int ask_inet(struct sim_world *world, struct sim_socket_id id,
                    const struct sim_netlink_message *question, struct sim_netlink_dump *dump)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct inet_diag_req_v2 *body = sim_netlink_body(question, sizeof *body);
    if (body == NULL) {
        return -EINVAL;
    }
    if (body->sdiag_protocol != IPPROTO_TCP && body->sdiag_protocol != IPPROTO_UDP) {
        return -ENOENT;
    }
    struct sim_netlink_dump asked = {.kind = SIM_NETLINK_DUMP_INET_SOCKETS,
                                     .family = body->sdiag_family,
                                     .protocol = body->sdiag_protocol,
                                     .states = body->idiag_states,
                                     .show = body->idiag_ext};
    if ((head->nlmsg_flags & NLM_F_DUMP) != 0) {
        *dump = asked;
        return 0;
    }
    asked.states = UINT32_MAX;
    return get_inet(world, id, &asked, body, head->nlmsg_seq);
}

static int ask_unix(struct sim_world *world, struct sim_socket_id id,
                    const struct sim_netlink_message *question, struct sim_netlink_dump *dump)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct unix_diag_req *body = sim_netlink_body(question, sizeof *body);
    if (body == NULL) {
        return -EINVAL;
    }
    if ((head->nlmsg_flags & NLM_F_DUMP) != 0) {
        *dump = (struct sim_netlink_dump){.kind = SIM_NETLINK_DUMP_UNIX_SOCKETS,
                                          .states = body->udiag_states,
                                          .show = body->udiag_show};
        return 0;
    }
    const struct sim_socket_id asked = {body->udiag_ino};
    if (body->udiag_ino == 0) {
        return -EINVAL;
    }
    if (asked.index > world->pools[SIM_POOL_SOCKET].high_water ||
        !sim_socket_at(world, asked)->slot.live || sim_socket_at(world, asked)->family != AF_UNIX) {
        return -ENOENT;
    }
    struct sim_netlink_message answer;
    make_unix(world, asked, body->udiag_show, head->nlmsg_seq, sim_netlink_of(world, id)->port,
              &answer);
    sim_netlink_answer(world, id, &answer);
    return 0;
}

int sim_netlink_diag(struct sim_world *world, struct sim_socket_id id,
                     const struct sim_netlink_message *question, struct sim_netlink_dump *dump)
{
    const struct nlmsghdr *head = (const void *)question->data;
    const struct sock_diag_req *body = sim_netlink_body(question, sizeof *body);
    if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
        return -EINVAL;
    }
    if (body == NULL) {
        return -EINVAL;
    }
    switch (body->sdiag_family) {
    case AF_INET:
    case AF_INET6:
        return ask_inet(world, id, question, dump);
    case AF_UNIX:
        return ask_unix(world, id, question, dump);
    default:
        return -ENOENT;
    }
}
