/* Sockets of every family: creation and end, addresses in and out, the queue of messages, errors.
 * SPDX-License-Identifier: MIT */
#include "sockets.h"
#include "membership.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "core/block.h"
#include "core/bytes.h"
#include "file/file.h"
#include "file/wait.h"
#include "net/host.h"
#include "port.h"
#include "protocol.h"

enum {
    SOCKADDR_IN6_RFC2133_BYTES = 24, /* sockaddr_in6 before it had a scope: Linux's least length */
};

static void set_defaults(const struct sim_host *host, struct sim_socket *socket)
{
    bool tcp = socket->protocol_kind == SIM_PROTOCOL_TCP;
    socket->receive_limit = (uint32_t)sim_setting(host, tcp ? SIM_SETTING_TCP_RMEM_DEFAULT
                                                            : SIM_SETTING_RMEM_DEFAULT);
    socket->send_limit = (uint32_t)sim_setting(host, tcp ? SIM_SETTING_TCP_WMEM_DEFAULT
                                                         : SIM_SETTING_WMEM_DEFAULT);
    socket->receive_low_water = 1;
    socket->multicast_ttl = 1;
    socket->multicast_hops6 = 1;
    socket->mtu_discover = socket->mtu_discover6 = IP_PMTUDISC_WANT;
    if (socket->family == AF_INET) {
        socket->local.ip = sim_ip_v4(INADDR_ANY);
        socket->remote.ip = sim_ip_v4(INADDR_ANY);
    }
    if (socket->family == AF_INET6) { /* LINUX: inet6_create sets IPv6's alone */
        socket->options |= SIM_OPTION_MULTICAST_ALL_OFF;
    }
    if (socket->family == AF_INET6 && sim_setting(host, SIM_SETTING_IPV6_BINDV6ONLY) != 0) {
        socket->options |= SIM_OPTION_V6ONLY;
    }
}

static void drop_owner(struct sim_world *world, const struct sim_socket *socket)
{
    if (socket->owner.index != 0) {
        sim_process_drop(world, socket->owner);
    }
}

int sim_socket_create(struct sim_world *world, struct sim_host_id host, struct sim_process_id owner,
                      int family, int type, int protocol, struct sim_socket_id *id)
{
    enum sim_protocol_kind kind;
    int number;
    int error = sim_protocol_choose(family, type, protocol, &kind, &number);
    if (error < 0) {
        return error;
    }
    id->index = sim_pool_take(world, SIM_POOL_SOCKET);
    if (id->index == 0) {
        return -ENOBUFS;
    }
    struct sim_socket *socket = sim_socket_at(world, *id);
    socket->host = host;
    socket->owner = owner;
    socket->family = (uint16_t)family;
    socket->type = (uint16_t)(kind == SIM_PROTOCOL_UNIX_DGRAM ? SOCK_DGRAM : type & 15);
    socket->protocol = (uint32_t)number;
    socket->protocol_kind = kind;
    set_defaults(sim_host_at(world, host), socket);
    if (owner.index != 0) {
        sim_process_hold(world, owner);
    }
    error = sim_protocol_of(kind)->create(world, *id);
    if (error < 0) {
        drop_owner(world, socket);
        sim_pool_give(world, SIM_POOL_SOCKET, id->index);
        id->index = 0;
    }
    return error;
}

void sim_socket_release(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    socket->file.index = 0;
    socket->flags |= SIM_SOCKET_ORPHAN;
    sim_protocol_of(socket->protocol_kind)->release(world, id);
}

static void free_queue(struct sim_world *world, struct sim_datagram_id first)
{
    while (first.index != 0) {
        struct sim_datagram_id next = sim_datagram_at(world, first)->next;
        sim_datagram_free(world, first);
        first = next;
    }
}

static void free_options(struct sim_world *world, struct sim_socket *socket)
{
    struct sim_option_id option = socket->first_option;
    while (option.index != 0) {
        struct sim_option_id next = sim_option_at(world, option)->next;
        sim_pool_give(world, SIM_POOL_OPTION, option.index);
        option = next;
    }
    sim_membership_free_all(world, socket);
}

void sim_socket_free(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    assert(socket->slot.live == 1);
    sim_wake(world, &socket->waiters, SIM_WAKE_ALL); /* a lingering close() */
    sim_wait_abandon(world, &socket->waiters);
    sim_port_disconnect(world, id);
    sim_port_remove(world, id);
    sim_protocol_of(socket->protocol_kind)->destroy(world, id);
    sim_bytes_clear(world, &socket->receive);
    free_queue(world, socket->first_datagram);
    free_queue(world, socket->first_error);
    free_options(world, socket);
    drop_owner(world, socket);
    sim_pool_give(world, SIM_POOL_SOCKET, id.index);
}

/* ---- addresses ---- */

static int from_inet(const struct sockaddr *address, socklen_t length, struct sim_endpoint *endpoint)
{
    struct sockaddr_in in;
    if (length < (socklen_t)sizeof in) {
        return -EINVAL;
    }
    memcpy(&in, address, sizeof in);
    /* LINUX: inet_bind takes AF_UNSPEC for AF_INET when the address is 0.0.0.0. */
    if (in.sin_family != AF_INET &&
        (in.sin_family != AF_UNSPEC || in.sin_addr.s_addr != htonl(INADDR_ANY))) {
        return -EAFNOSUPPORT;
    }
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->ip = sim_ip_v4(ntohl(in.sin_addr.s_addr));
    endpoint->port = ntohs(in.sin_port);
    return 0;
}

static int from_inet6(const struct sockaddr *address, socklen_t length, struct sim_endpoint *endpoint)
{
    struct sockaddr_in6 in6;
    if (length < SOCKADDR_IN6_RFC2133_BYTES) {
        return -EINVAL;
    }
    memset(&in6, 0, sizeof in6);
    memcpy(&in6, address, length < (socklen_t)sizeof in6 ? length : sizeof in6);
    if (in6.sin6_family != AF_INET6) {
        return -EAFNOSUPPORT;
    }
    memset(endpoint, 0, sizeof *endpoint);
    memcpy(endpoint->ip.bytes, &in6.sin6_addr, sizeof endpoint->ip.bytes);
    endpoint->port = ntohs(in6.sin6_port);
    if (sim_ip_is_link_local(endpoint->ip) ||
        (!sim_ip_is_v4(endpoint->ip) && sim_ip_is_multicast(endpoint->ip) &&
         (endpoint->ip.bytes[1] & 15) <= 2)) {
        endpoint->scope = in6.sin6_scope_id;
    }
    return 0;
}

int sim_endpoint_from(const struct sim_socket *socket, const struct sockaddr *address, socklen_t length,
                      struct sim_endpoint *endpoint)
{
    if (socket->family == AF_INET6) {
        return from_inet6(address, length, endpoint);
    }
    return from_inet(address, length, endpoint);
}

void sim_endpoint_to(uint16_t family, const struct sim_endpoint *endpoint, struct sockaddr *address,
                     socklen_t *length)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } form;
    socklen_t true_length;

    memset(&form, 0, sizeof form);
    if (family == AF_INET6) {
        form.in6.sin6_family = AF_INET6;
        form.in6.sin6_port = htons(endpoint->port);
        memcpy(&form.in6.sin6_addr, endpoint->ip.bytes, sizeof endpoint->ip.bytes);
        form.in6.sin6_scope_id = endpoint->scope;
        true_length = sizeof form.in6;
    } else {
        form.in.sin_family = AF_INET;
        form.in.sin_port = htons(endpoint->port);
        form.in.sin_addr.s_addr = htonl(sim_ip_to_v4(endpoint->ip));
        true_length = sizeof form.in;
    }
    memcpy(address, &form, *length < true_length ? *length : true_length);
    *length = true_length;
}

/* ---- the queue of messages ---- */

void sim_datagram_append(struct sim_world *world, struct sim_socket_id id,
                         struct sim_datagram_id datagram)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (socket->last_datagram.index != 0) {
        sim_datagram_at(world, socket->last_datagram)->next = datagram;
    } else {
        socket->first_datagram = datagram;
    }
    socket->last_datagram = datagram;
    socket->receive_charge += sim_datagram_at(world, datagram)->charge;
    sim_wake_socket(world, id, POLLIN | POLLRDNORM);
}

struct sim_datagram_id sim_datagram_take(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_datagram_id taken = socket->first_datagram;
    if (taken.index == 0) {
        return taken;
    }
    struct sim_datagram *datagram = sim_datagram_at(world, taken);
    socket->first_datagram = datagram->next;
    if (socket->first_datagram.index == 0) {
        socket->last_datagram.index = 0;
    }
    datagram->next.index = 0;
    assert(socket->receive_charge >= datagram->charge);
    socket->receive_charge -= datagram->charge;
    return taken;
}

/* LINUX: a 256-byte sk_buff, a 576-byte head for what is small, else the power of two that holds the
 * data, the headers and the shared info; beyond 16 KiB the data lies in pages of its own.
 * SIMPLER: as of a UDP datagram over loopback; other paths differ by some bytes. */
uint32_t sim_datagram_charge(uint64_t length)
{
    enum {
        BUFFER_BYTES = 256,
        SMALL_HEAD_BYTES = 576,
        BESIDE_DATA_BYTES = 376,
        LARGEST_HEAD_BYTES = 16384,
    };
    uint64_t head = 1024;

    if (length + BESIDE_DATA_BYTES <= SMALL_HEAD_BYTES) {
        return BUFFER_BYTES + SMALL_HEAD_BYTES;
    }
    if (length + BESIDE_DATA_BYTES > LARGEST_HEAD_BYTES) {
        return (uint32_t)(BUFFER_BYTES + SMALL_HEAD_BYTES + length);
    }
    while (head < length + BESIDE_DATA_BYTES) {
        head *= 2;
    }
    return (uint32_t)(BUFFER_BYTES + head);
}

void sim_socket_check_queue(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_datagram_id heads[2] = {socket->first_datagram, socket->first_error};
    const struct sim_datagram_id ends[2] = {socket->last_datagram, socket->last_error};
    uint64_t charge = 0;

    for (size_t i = 0; i < 2; i++) {
        struct sim_datagram_id last = {0};
        for (struct sim_datagram_id at = heads[i]; at.index != 0;
             at = sim_datagram_at(world, at)->next) {
            assert(sim_datagram_at(world, at)->slot.live == 1);
            charge += sim_datagram_at(world, at)->charge;
            last = at;
        }
        assert(last.index == ends[i].index);
    }
    assert(charge == socket->receive_charge);
}

void sim_datagram_free(struct sim_world *world, struct sim_datagram_id id)
{
    struct sim_datagram *datagram = sim_datagram_at(world, id);
    assert(datagram->rights.index == 0); /* unix/ frees what it put there */
    sim_bytes_clear(world, &datagram->bytes);
    sim_pool_give(world, SIM_POOL_DATAGRAM, id.index);
}

/* ---- errors ---- */

int sim_socket_take_error(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    int error = -socket->error;
    if (!DRY_MUTANT(socket_error_stays)) {
        socket->error = 0;
    }
    return error;
}

void sim_socket_set_error(struct sim_world *world, struct sim_socket_id id, int error)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    assert(error != 0);
    socket->error = error < 0 ? -error : error;
    sim_wake_socket(world, id, POLLERR);
}

/* ---- as a file --------------------------------------------------------------------------------- */

static uint32_t file_poll(const struct sim_world *world, uint32_t object)
{
    const struct sim_socket_id id = {object};
    return sim_protocol_of(sim_socket_at(world, id)->protocol_kind)->poll(world, id);
}

static void file_release(struct sim_world *world, uint32_t object)
{
    const struct sim_socket_id id = {object};
    sim_socket_at(world, id)->file.index = 0;
    sim_socket_release(world, id);
}

const struct sim_file_verbs sim_socket_verbs = {SIM_FILE_SOCKET, file_poll, file_release};
