/* The port space: who may share a port, which ephemeral ports are chosen, lookups by connection.
 * SPDX-License-Identifier: MIT */
#include "sim/socket/port.h"
#include "sim/socket/protocol.h"

#include "../two_hosts.h"

static const uint32_t reuseaddr = SIM_OPTION_REUSEADDR;
static const uint32_t reuseport = SIM_OPTION_REUSEPORT;

/* A TCP socket that stands in the table at an address. */
static struct sim_socket_id holder(int family, const char *ip, uint16_t port, uint32_t options,
                                   uint32_t flags)
{
    const struct sim_socket_id id = socket_at(a, family, SOCK_STREAM);
    struct sim_socket *socket = sim_socket_at(world, id);
    socket->local.ip = ip_of(ip);
    socket->local.port = port;
    socket->options |= options;
    socket->flags |= flags | SIM_SOCKET_BOUND;
    sim_port_insert(world, id);
    return id;
}

/* May a new TCP socket bind there? */
static int may_bind(int family, const char *ip, uint16_t port, uint32_t options)
{
    const struct sim_socket_id id = socket_at(a, family, SOCK_STREAM);
    const struct sim_endpoint wanted = {.ip = ip_of(ip), .port = port};
    sim_socket_at(world, id)->options |= options;
    return sim_port_may_bind(world, id, &wanted);
}

static void same_port__other_address_or_host_or_protocol__is_free(void **state)
{
    holder(AF_INET, "10.0.0.1", 80, 0, 0);
    assert_int_equal(may_bind(AF_INET, "10.0.0.1", 80, 0), -EADDRINUSE);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, 0), -EADDRINUSE);
    assert_int_equal(may_bind(AF_INET, "127.0.0.1", 80, 0), 0);
    assert_int_equal(may_bind(AF_INET, "10.0.0.1", 81, 0), 0);
    assert_int_equal(binds(socket_at(b, AF_INET, SOCK_STREAM), "10.0.0.2", 80), 0);
    assert_int_equal(binds(socket_at(a, AF_INET, SOCK_DGRAM), "10.0.0.1", 80), 0);
}

/* LINUX: inet_bind_conflict. */
static void reuseaddr_on_both__shares__unless_one_listens(void **state)
{
    holder(AF_INET, "0.0.0.0", 80, reuseaddr, 0);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, 0), -EADDRINUSE);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, reuseaddr), 0);
    holder(AF_INET, "0.0.0.0", 81, reuseaddr, SIM_SOCKET_LISTENING);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 81, reuseaddr), -EADDRINUSE);
}

static void reuseport_on_both__shares__within_one_user(void **state)
{
    holder(AF_INET, "0.0.0.0", 80, reuseport, SIM_SOCKET_LISTENING);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, reuseport), 0);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, reuseaddr), -EADDRINUSE);
    const struct sim_process_id other = sim_process_add(world, a, "other");
    sim_process_at(world, other)->uid = 1000;
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_STREAM);
    const struct sim_endpoint wanted = {.ip = ip_of("0.0.0.0"), .port = 80};
    sim_process_drop(world, sim_socket_at(world, id)->owner);
    sim_process_hold(world, other);
    sim_socket_at(world, id)->owner = other;
    sim_socket_at(world, id)->options |= reuseport;
    assert_int_equal(sim_port_may_bind(world, id, &wanted), -EADDRINUSE);
}

static void two_versions__wildcards__meet_unless_v6only(void **state)
{
    holder(AF_INET6, "::", 80, 0, 0);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 80, 0), -EADDRINUSE);
    assert_int_equal(may_bind(AF_INET, "10.0.0.1", 80, 0), -EADDRINUSE);
    holder(AF_INET6, "::", 81, SIM_OPTION_V6ONLY, 0);
    assert_int_equal(may_bind(AF_INET, "0.0.0.0", 81, 0), 0);
    assert_int_equal(may_bind(AF_INET6, "::ffff:10.0.0.1", 81, 0), 0);
    assert_int_equal(may_bind(AF_INET6, "fd00::1", 81, 0), -EADDRINUSE);
    holder(AF_INET, "0.0.0.0", 82, 0, 0);
    assert_int_equal(may_bind(AF_INET6, "::", 82, 0), -EADDRINUSE);
    assert_int_equal(may_bind(AF_INET6, "::", 82, SIM_OPTION_V6ONLY), 0);
    assert_int_equal(may_bind(AF_INET6, "fd00::1", 82, 0), 0); /* one IPv6 address is v6only */
    assert_int_equal(may_bind(AF_INET6, "::ffff:10.0.0.1", 82, 0), -EADDRINUSE);
}

static void other_interfaces__same_port__do_not_meet(void **state)
{
    const struct sim_socket_id first = holder(AF_INET, "0.0.0.0", 80, 0, 0);
    const struct sim_socket_id second = socket_at(a, AF_INET, SOCK_STREAM);
    const struct sim_endpoint wanted = {.ip = ip_of("0.0.0.0"), .port = 80};
    sim_socket_at(world, first)->bound_interface = 1;
    assert_int_equal(sim_port_may_bind(world, second, &wanted), -EADDRINUSE);
    sim_socket_at(world, second)->bound_interface = 2;
    assert_int_equal(sim_port_may_bind(world, second, &wanted), 0);
}

static void privileged_port__not_root__is_no_access(void **state)
{
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
    sim_process_at(world, process)->uid = 1000;
    assert_int_equal(binds(id, "0.0.0.0", 1023), -EACCES);
    sim_host_set(world, a, "net.ipv4.ip_unprivileged_port_start", 1000);
    assert_int_equal(binds(id, "0.0.0.0", 1023), 0);
}

/* ---- ephemeral ports ---- */

static void small_range__autobind__gives_each_port_once_then_none(void **state)
{
    bool seen[8] = {false};
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_min", 40000);
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_max", 40007);
    for (int i = 0; i < 8; i++) {
        const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_DGRAM);
        assert_int_equal(binds(id, "0.0.0.0", 0), 0);
        const uint16_t port = sim_socket_at(world, id)->local.port;
        assert_in_range(port, 40000, 40007);
        assert_false(seen[port - 40000]);
        seen[port - 40000] = true;
    }
    assert_int_equal(binds(socket_at(a, AF_INET, SOCK_DGRAM), "0.0.0.0", 0), -EADDRINUSE);
    assert_int_equal(sends_to(socket_at(a, AF_INET, SOCK_DGRAM), "x", "10.0.0.2", 9),
                     SIM_EAGAIN_FOR_GOOD);
}

static void one_port__connects__serves_many_destinations(void **state)
{
    uint16_t ports[3];
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_min", 40000);
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_max", 40000);
    for (uint16_t i = 0; i < 3; i++) {
        const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_STREAM);
        struct sim_socket *socket = sim_socket_at(world, id);
        socket->local.ip = ip_of("10.0.0.1");
        socket->remote = (struct sim_endpoint){.ip = ip_of("10.0.0.2"), .port = i < 2 ? 80 + i : 80};
        ports[i] = sim_port_for_connect(world, id);
        if (ports[i] == 0) {
            break;
        }
        socket->local.port = ports[i];
        sim_port_insert(world, id);
        sim_port_connect(world, id);
    }
    assert_int_equal(ports[0], 40000);
    assert_int_equal(ports[1], 40000); /* to another port of the peer */
    assert_int_equal(ports[2], 0);     /* that connection exists */
}

static void port_that_bind_took__connect__leaves_alone(void **state)
{
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_min", 40000);
    sim_host_set(world, a, "net.ipv4.ip_local_port_range_max", 40001);
    holder(AF_INET, "127.0.0.1", 40000, 0, SIM_SOCKET_BOUND_PORT);
    const struct sim_socket_id id = socket_at(a, AF_INET, SOCK_STREAM);
    sim_socket_at(world, id)->local.ip = ip_of("10.0.0.1");
    sim_socket_at(world, id)->remote = (struct sim_endpoint){.ip = ip_of("10.0.0.2"), .port = 80};
    assert_int_equal(sim_port_for_connect(world, id), 40001);
}

static void bind_and_connect__prefer__opposite_parities(void **state)
{
    for (int i = 0; i < 20; i++) {
        const struct sim_socket_id bound = socket_at(a, AF_INET, SOCK_STREAM);
        const struct sim_socket_id joined = socket_at(a, AF_INET, SOCK_STREAM);
        const struct sim_endpoint any = {.ip = ip_of("0.0.0.0")};
        sim_socket_at(world, joined)->local.ip = ip_of("10.0.0.1");
        sim_socket_at(world, joined)->remote = (struct sim_endpoint){.ip = ip_of("10.0.0.2"),
                                                                     .port = 80};
        assert_int_equal(sim_port_ephemeral(world, bound, &any) % 2, 1);
        assert_int_equal(sim_port_for_connect(world, joined) % 2, 0);
    }
}

/* ---- the tables ---- */

static void many_sockets__inserted_and_removed__are_found_as_they_stand(void **state)
{
    struct sim_socket_id ids[200];
    for (uint16_t i = 0; i < 200; i++) {
        ids[i] = holder(AF_INET, "10.0.0.1", (uint16_t)(1000 + i % 20), reuseaddr, 0);
        sim_socket_at(world, ids[i])->remote = (struct sim_endpoint){.ip = ip_of("10.0.0.2"),
                                                                     .port = (uint16_t)(1 + i)};
        sim_port_connect(world, ids[i]);
    }
    for (uint16_t i = 0; i < 200; i += 3) {
        sim_port_disconnect(world, ids[i]);
        sim_port_remove(world, ids[i]);
        sim_port_remove(world, ids[i]); /* no-op */
    }
    for (uint16_t i = 0; i < 200; i++) {
        const struct sim_socket *socket = sim_socket_at(world, ids[i]);
        assert_int_equal(
            sim_port_find(world, a, SIM_PROTOCOL_TCP, &socket->local, &socket->remote).index,
            i % 3 == 0 ? 0 : ids[i].index);
    }
    for (uint16_t port = 1000; port < 1020; port++) {
        uint32_t count = 0;
        struct sim_socket_id last = {0};
        struct sim_socket_id id = sim_port_first(world, a, SIM_PROTOCOL_TCP, port);
        for (; id.index != 0; id = sim_port_next(world, id)) {
            assert_true(id.index > last.index); /* oldest first */
            last = id;
            count++;
        }
        uint32_t expected = 0;
        for (uint16_t i = port - 1000; i < 200; i += 20) {
            expected += i % 3 != 0;
        }
        assert_int_equal(count, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO_HOSTS(same_port__other_address_or_host_or_protocol__is_free),
        TWO_HOSTS(reuseaddr_on_both__shares__unless_one_listens),
        TWO_HOSTS(reuseport_on_both__shares__within_one_user),
        TWO_HOSTS(two_versions__wildcards__meet_unless_v6only),
        TWO_HOSTS(other_interfaces__same_port__do_not_meet),
        TWO_HOSTS(privileged_port__not_root__is_no_access),
        TWO_HOSTS(small_range__autobind__gives_each_port_once_then_none),
        TWO_HOSTS(one_port__connects__serves_many_destinations),
        TWO_HOSTS(port_that_bind_took__connect__leaves_alone),
        TWO_HOSTS(bind_and_connect__prefer__opposite_parities),
        TWO_HOSTS(many_sockets__inserted_and_removed__are_found_as_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
