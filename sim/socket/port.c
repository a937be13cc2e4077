/* The port space: two hash tables in the block, Linux's rules for sharing a port, ephemeral ports.
 * SPDX-License-Identifier: MIT */
#include "port.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "core/block.h"
#include "core/random.h"
#include "net/host.h"
#include "protocol.h"

static uint32_t *bound_table(const struct sim_world *world)
{
    return (uint32_t *)((char *)(uintptr_t)world + world->bound_offset);
}

static uint32_t *connected_table(const struct sim_world *world)
{
    return (uint32_t *)((char *)(uintptr_t)world + world->connected_offset);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

static uint32_t bound_bucket(const struct sim_world *world, struct sim_host_id host, uint32_t kind,
                             uint16_t port)
{
    uint64_t hash = mix(host.index, (uint64_t)kind << 16 | port);
    return (uint32_t)(hash >> 32) & (world->port_buckets - 1);
}

static uint64_t half(const struct sim_ip *ip, size_t which)
{
    uint64_t value;
    memcpy(&value, ip->bytes + 8 * which, sizeof value);
    return value;
}

static uint32_t connected_bucket(const struct sim_world *world, struct sim_host_id host, uint32_t kind,
                                 const struct sim_endpoint *local, const struct sim_endpoint *remote)
{
    uint64_t ports = (uint64_t)local->port << 48 | (uint64_t)remote->port << 32 | host.index;
    uint64_t hash = mix(kind, ports);
    hash = mix(hash, half(&local->ip, 0) ^ half(&remote->ip, 0) << 1);
    hash = mix(hash, half(&local->ip, 1));
    hash = mix(hash, half(&remote->ip, 1));
    return (uint32_t)(hash >> 32) & (world->port_buckets - 1);
}

/* ---- bound sockets ---- */

static bool is_accepted(const struct sim_world *world, struct sim_socket_id id)
{
    return (sim_socket_at(world, id)->flags & SIM_SOCKET_ACCEPTED) != 0;
}

/* Puts a socket before the first accepted one of a chain that has some. */
static void insert_before_accepted(struct sim_world *world, uint32_t *head, struct sim_socket_id id)
{
    struct sim_socket_id next = {*head};

    while (!is_accepted(world, next)) {
        next = sim_socket_at(world, next)->next_bound;
    }
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket *after = sim_socket_at(world, next);
    socket->next_bound = next;
    socket->previous_bound = after->previous_bound;
    after->previous_bound = id;
    if (*head == next.index) {
        sim_table_write(world, head, id.index);
    } else {
        sim_socket_at(world, socket->previous_bound)->next_bound = id;
    }
}

/* A chain's head names its first; the first's previous_bound names the last, so that appending needs
 * no walk: a listener with many children would make it long. */
void sim_port_insert(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t bucket = bound_bucket(world, socket->host, socket->protocol_kind, socket->local.port);
    uint32_t *head = &bound_table(world)[bucket];
    assert((socket->flags & SIM_SOCKET_HASHED_BOUND) == 0 && socket->local.port != 0);
    socket->flags |= SIM_SOCKET_HASHED_BOUND;
    socket->next_bound.index = 0;
    if (*head == 0) {
        sim_table_write(world, head, id.index);
        socket->previous_bound = id;
        return;
    }
    struct sim_socket *first = sim_socket_at(world, (struct sim_socket_id){*head});
    struct sim_socket_id last = first->previous_bound;
    if (!is_accepted(world, id) && is_accepted(world, last) &&
        !DRY_MUTANT(children_hide_a_later_listener)) {
        insert_before_accepted(world, head, id);
        return;
    }
    socket->previous_bound = last;
    sim_socket_at(world, last)->next_bound = id;
    first->previous_bound = id;
}

void sim_port_remove(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if ((socket->flags & SIM_SOCKET_HASHED_BOUND) == 0) {
        return;
    }
    uint32_t bucket = bound_bucket(world, socket->host, socket->protocol_kind, socket->local.port);
    uint32_t *head = &bound_table(world)[bucket];
    struct sim_socket_id next = socket->next_bound;
    struct sim_socket_id previous = socket->previous_bound;

    if (*head == id.index) {
        *head = next.index;
    } else {
        sim_socket_at(world, previous)->next_bound = next;
    }
    if (next.index != 0) {
        sim_socket_at(world, next)->previous_bound = previous;
    } else if (*head != 0) {
        sim_socket_at(world, (struct sim_socket_id){*head})->previous_bound = previous;
    }
    socket->next_bound.index = socket->previous_bound.index = 0;
    socket->flags &= ~(uint32_t)SIM_SOCKET_HASHED_BOUND;
}

static struct sim_socket_id matching_bound(const struct sim_world *world, struct sim_socket_id id,
                                           struct sim_host_id host, uint32_t kind, uint16_t port)
{
    while (id.index != 0) {
        const struct sim_socket *socket = sim_socket_at(world, id);
        if (socket->local.port == port && socket->host.index == host.index &&
            socket->protocol_kind == kind) {
            break;
        }
        id = socket->next_bound;
    }
    return id;
}

struct sim_socket_id sim_port_first(const struct sim_world *world, struct sim_host_id host,
                                    enum sim_protocol_kind kind, uint16_t port)
{
    struct sim_socket_id first = {bound_table(world)[bound_bucket(world, host, kind, port)]};
    return matching_bound(world, first, host, kind, port);
}

struct sim_socket_id sim_port_next(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    return matching_bound(world, socket->next_bound, socket->host, socket->protocol_kind,
                          socket->local.port);
}

/* ---- bind()'s question ---- */

/* LINUX: inet_rcv_saddr_equal: do two local addresses overlap, wildcards counted as everything? A
 * socket of AF_INET is one of v4-mapped addresses alone. */
static bool addresses_overlap(const struct sim_socket *socket, const struct sim_ip *ip,
                              const struct sim_socket *other)
{
    bool v4_only = socket->family == AF_INET || sim_ip_is_v4(*ip);
    bool other_v4_only = other->family == AF_INET || sim_ip_is_v4(other->local.ip);
    bool v6_only = !v4_only && ((socket->options & SIM_OPTION_V6ONLY) != 0 || !sim_ip_is_any(*ip));
    bool other_v6_only = (other->options & SIM_OPTION_V6ONLY) != 0 && !other_v4_only;
    if ((v4_only && other_v6_only) || (other_v4_only && v6_only)) {
        return false;
    }
    if (sim_ip_is_any(*ip) || sim_ip_is_any(other->local.ip)) {
        return true;
    }
    return sim_ip_equal(*ip, other->local.ip);
}

static bool is_held_for_nobody(const struct sim_world *world, const struct sim_socket *socket,
                               struct sim_socket_id id)
{
    const struct sim_protocol *protocol = sim_protocol_of(socket->protocol_kind);
    return protocol->holds_for_nobody && protocol->holds_for_nobody(world, id);
}

static uint32_t owner_uid(const struct sim_world *world, const struct sim_socket *socket)
{
    return socket->owner.index == 0 ? 0 : sim_process_at(world, socket->owner)->uid;
}

/* LINUX: inet_bind_conflict (TCP) and the middle of udp_lib_lport_inuse: both have REUSEADDR and the
 * other does not listen; or both have REUSEPORT and are of one user (TIME_WAIT is nobody's). A port
 * of the search's own choice (not `relax`) is not shared for REUSEADDR's sake by TCP. */
static bool conflicts(const struct sim_world *world, const struct sim_socket *socket,
                      const struct sim_socket *other, struct sim_socket_id other_id, bool relax)
{
    uint32_t both = socket->options & other->options;
    bool tcp = socket->protocol_kind == SIM_PROTOCOL_TCP;
    if (socket->bound_interface != 0 && other->bound_interface != 0 &&
        socket->bound_interface != other->bound_interface) {
        return false;
    }
    if ((both & SIM_OPTION_REUSEADDR) != 0 &&
        ((other->flags & SIM_SOCKET_LISTENING) == 0 || DRY_MUTANT(a_listened_port_is_shared))) {
        return tcp && !relax;
    }
    if ((both & SIM_OPTION_REUSEPORT) != 0 && (is_held_for_nobody(world, other, other_id) ||
                                               owner_uid(world, socket) == owner_uid(world, other))) {
        return tcp && !relax;
    }
    return true;
}

static bool port_is_free(const struct sim_world *world, struct sim_socket_id id,
                         const struct sim_endpoint *wanted, uint16_t port, bool relax)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_socket_id other_id = sim_port_first(world, socket->host, socket->protocol_kind, port);
    for (; other_id.index != 0; other_id = sim_port_next(world, other_id)) {
        const struct sim_socket *other = sim_socket_at(world, other_id);
        if (other_id.index == id.index) {
            continue;
        }
        if (conflicts(world, socket, other, other_id, relax) &&
            addresses_overlap(socket, &wanted->ip, other)) {
            return false;
        }
    }
    return true;
}

int sim_port_may_bind(const struct sim_world *world, struct sim_socket_id id,
                      const struct sim_endpoint *wanted)
{
    return port_is_free(world, id, wanted, wanted->port, true) ? 0 : -EADDRINUSE;
}

/* ---- ephemeral ports ---- */

struct range {
    uint32_t low;
    uint32_t count;
};

static struct range local_range(const struct sim_world *world, const struct sim_socket *socket)
{
    const struct sim_host *host = sim_host_at(world, socket->host);
    int64_t low = sim_setting(host, SIM_SETTING_IP_LOCAL_PORT_MIN);
    int64_t high = sim_setting(host, SIM_SETTING_IP_LOCAL_PORT_MAX);
    assert(low > 0 && low <= high && high <= UINT16_MAX);
    return (struct range){(uint32_t)low, (uint32_t)(high - low + 1)};
}

/* The i-th port that a search tries: from a random start, first all of one parity of the distance
 * from the range's low end, then all of the other. */
static uint16_t nth_port(struct range range, uint32_t start, uint32_t i, uint32_t parity)
{
    uint32_t first_half = (range.count + (parity == 0)) / 2;
    uint32_t second_half = range.count - first_half;
    uint32_t place;
    if (i < first_half) {
        place = 2 * ((start + i) % first_half) + parity;
    } else {
        place = 2 * ((start + (i - first_half)) % second_half) + (parity ^ 1);
    }
    return (uint16_t)(range.low + place);
}

/* LINUX: bind(…, 0) of TCP prefers ports at an odd distance from the low end, connect() those at an
 * even one, so that they rarely meet; UDP has no preference. */
uint16_t sim_port_ephemeral(struct sim_world *world, struct sim_socket_id id,
                            const struct sim_endpoint *wanted)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct range range = local_range(world, socket);
    bool tcp = socket->protocol_kind == SIM_PROTOCOL_TCP;
    uint32_t start = (uint32_t)sim_random_below(&world->random, SIM_STREAM_PORT, (uint64_t)range.count);
    for (uint32_t i = 0; i < range.count; i++) {
        uint16_t port = tcp ? nth_port(range, start, i, range.count > 1 ? 1 : 0)
                            : (uint16_t)(range.low + (start + i) % range.count);
        if (port_is_free(world, id, wanted, port, false)) {
            return port;
        }
    }
    return 0;
}

/* LINUX: __inet_hash_connect: a port that any bind() took is left alone; one that only connects took
 * is shared as long as the connection is another. */
static bool port_serves(const struct sim_world *world, const struct sim_socket *socket, uint16_t port)
{
    struct sim_endpoint local = socket->local;
    struct sim_socket_id other = sim_port_first(world, socket->host, socket->protocol_kind, port);
    if (other.index == 0) {
        return true;
    }
    for (; other.index != 0; other = sim_port_next(world, other)) {
        if ((sim_socket_at(world, other)->flags & SIM_SOCKET_CONNECT_PORT) == 0) {
            return false;
        }
    }
    local.port = port;
    return sim_port_find(world, socket->host, socket->protocol_kind, &local, &socket->remote).index ==
           0;
}

uint16_t sim_port_for_connect(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct range range = local_range(world, socket);
    uint32_t start = (uint32_t)sim_random_below(&world->random, SIM_STREAM_PORT, (uint64_t)range.count);
    for (uint32_t i = 0; i < range.count; i++) {
        uint16_t port = nth_port(range, start, i, 0);
        if (port_serves(world, socket, port)) {
            socket->flags |= SIM_SOCKET_CONNECT_PORT;
            return port;
        }
    }
    return 0;
}

/* ---- connections ---- */

void sim_port_connect(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t *head = &connected_table(world)[connected_bucket(
        world, socket->host, socket->protocol_kind, &socket->local, &socket->remote)];

    assert((socket->flags & SIM_SOCKET_HASHED_CONNECTED) == 0);
    socket->flags |= SIM_SOCKET_HASHED_CONNECTED;
    socket->previous_connected.index = 0;
    socket->next_connected.index = *head;
    if (*head != 0) {
        sim_socket_at(world, socket->next_connected)->previous_connected = id;
    }
    sim_table_write(world, head, id.index);
}

void sim_port_disconnect(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if ((socket->flags & SIM_SOCKET_HASHED_CONNECTED) == 0) {
        return;
    }
    struct sim_socket_id next = socket->next_connected;
    struct sim_socket_id previous = socket->previous_connected;
    if (previous.index != 0) {
        sim_socket_at(world, previous)->next_connected = next;
    } else {
        connected_table(world)[connected_bucket(world, socket->host, socket->protocol_kind,
                                                &socket->local, &socket->remote)] = next.index;
    }
    if (next.index != 0) {
        sim_socket_at(world, next)->previous_connected = previous;
    }
    socket->next_connected.index = socket->previous_connected.index = 0;
    socket->flags &= ~(uint32_t)SIM_SOCKET_HASHED_CONNECTED;
}

static bool same_endpoint(const struct sim_endpoint *a, const struct sim_endpoint *b)
{
    return a->port == b->port && memcmp(a->ip.bytes, b->ip.bytes, sizeof a->ip.bytes) == 0;
}

struct sim_socket_id sim_port_find(const struct sim_world *world, struct sim_host_id host,
                                   enum sim_protocol_kind kind, const struct sim_endpoint *local,
                                   const struct sim_endpoint *remote)
{
    struct sim_socket_id id = {
        connected_table(world)[connected_bucket(world, host, kind, local, remote)]};

    while (id.index != 0) {
        const struct sim_socket *socket = sim_socket_at(world, id);
        if (socket->host.index == host.index && socket->protocol_kind == kind &&
            same_endpoint(&socket->local, local) && same_endpoint(&socket->remote, remote)) {
            break;
        }
        id = socket->next_connected;
    }
    return id;
}
