/* The tables of /proc/net, as the world has them for a host: sockets, interfaces, routes.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/core/block.h"
#include "sim/net/host.h"
#include "text.h"

struct table {
    const struct sim_world *world;
    struct sim_host_id host;
    struct preload_text *text;
};

/* LINUX: as one number, or four, in the machine's own order. */
static void add_address(struct preload_text *text, const struct sim_endpoint *end, bool old)
{
    uint32_t words[4];
    memcpy(words, end->ip.bytes, sizeof words);
    if (old) {
        const bool any = sim_ip_is_any(end->ip);
        preload_text_add(text, "%08X:%04X", any ? 0 : words[3], end->port);
    } else {
        preload_text_add(text, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
                         end->port);
    }
}

/* A socket's number in the file system, as fstat tells it. */
static unsigned long long inode_of(const struct sim_world *world, const struct sim_socket *socket)
{
    const struct sim_file_id file = socket->file;
    return file.index ? ((unsigned long long)SIM_FILE_SOCKET << 32) + sim_file_at(world, file)->object
                      : 0;
}

/* LINUX: TCP_ESTABLISHED 1 … TCP_CLOSING 11. */
static unsigned tcp_state(const struct sim_tcp *tcp)
{
    static const uint8_t numbers[SIM_TCP_STATE_COUNT] = {
        [SIM_TCP_CLOSED] = 7,       [SIM_TCP_LISTEN] = 10,     [SIM_TCP_SYN_SENT] = 2,
        [SIM_TCP_SYN_RECEIVED] = 3, [SIM_TCP_ESTABLISHED] = 1, [SIM_TCP_FIN_WAIT_1] = 4,
        [SIM_TCP_FIN_WAIT_2] = 5,   [SIM_TCP_CLOSE_WAIT] = 8,  [SIM_TCP_CLOSING] = 11,
        [SIM_TCP_LAST_ACK] = 9,     [SIM_TCP_TIME_WAIT] = 6,
    };
    return numbers[tcp->state];
}

static bool listed(const struct table *table, const struct sim_socket *socket,
                   enum sim_protocol_kind kind, int family)
{
    return socket->slot.live && socket->protocol_kind == kind && socket->family == family &&
           socket->host.index == table->host.index &&
           (socket->flags &
            (SIM_SOCKET_BOUND | SIM_SOCKET_CONNECTED | SIM_SOCKET_LISTENING | SIM_SOCKET_CONNECTING));
}

static void add_sockets(const struct table *table, enum sim_protocol_kind kind, int family)
{
    const struct sim_world *world = table->world;
    const uint32_t sockets = world->pools[SIM_POOL_SOCKET].high_water;
    unsigned line = 0;
    for (uint32_t index = 1; index <= sockets; index++) {
        const struct sim_socket *socket = sim_socket_at(world, (struct sim_socket_id){index});
        if (!listed(table, socket, kind, family)) {
            continue;
        }
        const bool tcp = kind == SIM_PROTOCOL_TCP;
        const unsigned state = tcp ? tcp_state(sim_tcp_at(world, (struct sim_tcp_id){socket->detail}))
                               : socket->flags & SIM_SOCKET_CONNECTED ? 1u
                                                                      : 7u;
        preload_text_add(table->text, "%*u: ", tcp ? 4 : 5, line++);
        add_address(table->text, &socket->local, family == AF_INET);
        preload_text_add(table->text, " ");
        add_address(table->text, &socket->remote, family == AF_INET);
        preload_text_add(table->text, " %02X %08X:%08X 00:00000000 00000000 %5u %8d %llu", state,
                         socket->send_charge,
                         tcp ? (uint32_t)socket->receive.length : socket->receive_charge, 0u, 0,
                         inode_of(world, socket));
        preload_text_add(table->text,
                         tcp ? " 1 0000000000000000 100 0 0 10 0\n" : " 2 0000000000000000 0\n");
    }
}

static void add_tcp(const struct table *table)
{
    preload_text_add(table->text, "%-149s\n",
                     "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
                     "   uid  timeout inode");
    add_sockets(table, SIM_PROTOCOL_TCP, AF_INET);
}

static void add_tcp6(const struct table *table)
{
    preload_text_add(table->text,
                     "  sl  local_address                         remote_address                    "
                     "    st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
    add_sockets(table, SIM_PROTOCOL_TCP, AF_INET6);
}

static void add_udp(const struct table *table)
{
    preload_text_add(table->text, "%-127s\n",
                     "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"
                     "   uid  timeout inode ref pointer drops");
    add_sockets(table, SIM_PROTOCOL_UDP, AF_INET);
}

static void add_udp6(const struct table *table)
{
    preload_text_add(table->text,
                     "  sl  local_address                         remote_address                    "
                     "    st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer "
                     "drops\n");
    add_sockets(table, SIM_PROTOCOL_UDP, AF_INET6);
}

static void add_unix(const struct table *table)
{
    enum { ACCEPTS = 0x10000, UNCONNECTED = 1, CONNECTED = 3 };
    const struct sim_world *world = table->world;
    const uint32_t sockets = world->pools[SIM_POOL_UNIX].high_water;
    preload_text_add(table->text, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (uint32_t index = 1; index <= sockets; index++) {
        const struct sim_unix *unix = sim_unix_at(world, (struct sim_unix_id){index});
        if (!unix->slot.live || !unix->socket.index || unix->host.index != table->host.index) {
            continue;
        }
        const struct sim_socket *socket = sim_socket_at(world, unix->socket);
        const bool connected = unix->peer.index != 0;
        preload_text_add(table->text, "%016x: %08X %08X %08X %04X %02X %5llu", 0u, connected ? 3u : 2u,
                         0u, socket->flags & SIM_SOCKET_LISTENING ? ACCEPTS : 0, unix->type,
                         connected ? CONNECTED : UNCONNECTED, inode_of(world, socket));
        for (uint32_t i = 0; i < unix->name_bytes; i++) {
            const char byte = (char)unix->name[i];
            preload_text_add(table->text, "%s%c", i == 0 ? " " : "", byte ? byte : '@');
        }
        preload_text_add(table->text, "\n");
    }
}

static void add_devices(const struct table *table)
{
    preload_text_add(table->text,
                     "Inter-|   Receive                                                |  Transmit\n"
                     " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
                     "packets errs drop fifo colls carrier compressed\n");
    struct sim_interface_id id = sim_host_at(table->world, table->host)->first_interface;
    for (; id.index; id = sim_interface_at(table->world, id)->next) {
        preload_text_add(
            table->text, "%6s: %7d %7d %4d %4d %4d %5d %10d %9d %8d %7d %4d %4d %4d %5d %7d %10d\n",
            sim_interface_at(table->world, id)->name, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }
}

static void add_routes(const struct table *table)
{
    enum { UP = 1 };
    preload_text_add(
        table->text, "%-127s\n",
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
    struct sim_route_id id = sim_host_at(table->world, table->host)->first_route;
    for (; id.index; id = sim_route_at(table->world, id)->next) {
        const struct sim_route *route = sim_route_at(table->world, id);
        const struct sim_interface *interface = sim_interface_at(table->world, route->interface);
        if (!sim_ip_is_v4(route->destination) || route->prefix_bits < 96 ||
            interface->number == SIM_LOOPBACK_NUMBER) {
            continue;
        }
        const uint32_t bits = route->prefix_bits - 96;
        const uint32_t mask = bits == 0 ? 0 : htonl(UINT32_MAX << (32 - bits));
        char line[160];
        struct preload_text one = {line, sizeof line, 0};
        preload_text_add(&one, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%d\t%08X\t%d\t%u\t%u", interface->name,
                         htonl(sim_ip_to_v4(route->destination)) & mask, 0u, UP, 0, 0u,
                         (int)route->metric, mask, 0, 0u, 0u);
        preload_text_add(table->text, "%-127s\n", line);
    }
}

static void add_addresses6(const struct table *table)
{
    enum { GLOBAL = 0, HOST = 0x10, LINK = 0x20, PERMANENT = 0x80 };
    struct sim_interface_id id = sim_host_at(table->world, table->host)->first_interface;
    for (; id.index; id = sim_interface_at(table->world, id)->next) {
        const struct sim_interface *interface = sim_interface_at(table->world, id);
        for (uint32_t i = 0; i < interface->address_count; i++) {
            const struct sim_ip ip = interface->addresses[i].ip;
            if (sim_ip_is_v4(ip)) {
                continue;
            }
            const bool link = ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
            for (size_t byte = 0; byte < sizeof ip.bytes; byte++) {
                preload_text_add(table->text, "%02x", ip.bytes[byte]);
            }
            preload_text_add(table->text, " %02x %02x %02x %02x %8s\n", interface->number,
                             interface->addresses[i].prefix_bits,
                             sim_ip_is_loopback(ip) ? HOST
                             : link                 ? LINK
                                                    : GLOBAL,
                             PERMANENT, interface->name);
        }
    }
}

bool preload_proc_net(const struct sim_world *world, struct sim_host_id host, const char *name,
                      struct preload_text *text)
{
    static const struct {
        const char *name;
        void (*add)(const struct table *table);
    } tables[] = {
        {"tcp", add_tcp},   {"tcp6", add_tcp6},   {"udp", add_udp},      {"udp6", add_udp6},
        {"unix", add_unix}, {"dev", add_devices}, {"route", add_routes}, {"if_inet6", add_addresses6},
    };
    const struct table table = {world, host, text};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(tables[i].name, name) == 0) {
            tables[i].add(&table);
            return true;
        }
    }
    return false;
}
