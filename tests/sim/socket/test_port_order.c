/* The table of ports: those who may listen stand before the children of listeners.
 * SPDX-License-Identifier: MIT */
#include "../test.h"
#include "sim/net/host.h"
#include "sim/socket/port.h"

enum { PORT = 5000, MODEL_SOCKETS = 60 };

static struct sim_socket_id add(struct sim_world *world, struct sim_host_id host, uint32_t flags)
{
    const struct sim_socket_id id = {sim_pool_take(world, SIM_POOL_SOCKET)};
    struct sim_socket *socket = sim_socket_at(world, id);
    socket->host = host;
    socket->protocol_kind = SIM_PROTOCOL_TCP;
    socket->local.port = PORT;
    socket->flags = flags;
    sim_port_insert(world, id);
    return id;
}

static void stands(struct sim_world *world, struct sim_host_id host, const uint32_t *expected,
                   uint32_t count)
{
    struct sim_socket_id id = sim_port_first(world, host, SIM_PROTOCOL_TCP, PORT);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(id.index, expected[i]);
        id = sim_port_next(world, id);
    }
    assert_int_equal(id.index, 0);
}

static void listeners_and_children__inserted_in_turn__children_stand_last(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id host = sim_host_add(world, "a");
    add(world, host, 0);
    add(world, host, SIM_SOCKET_ACCEPTED);
    add(world, host, SIM_SOCKET_ACCEPTED);
    add(world, host, 0);
    add(world, host, SIM_SOCKET_ACCEPTED);
    stands(world, host, (const uint32_t[]){1, 4, 2, 3, 5}, 5);
    sim_port_remove(world, (struct sim_socket_id){1});
    sim_port_remove(world, (struct sim_socket_id){4});
    stands(world, host, (const uint32_t[]){2, 3, 5}, 3);
    sim_socket_at(world, (struct sim_socket_id){1})->flags = 0;
    sim_port_insert(world, (struct sim_socket_id){1}); /* the server started again */
    stands(world, host, (const uint32_t[]){1, 2, 3, 5}, 4);
    sim_port_remove(world, (struct sim_socket_id){5});
    add(world, host, SIM_SOCKET_ACCEPTED);
    stands(world, host, (const uint32_t[]){1, 2, 3, 6}, 4);
}

/* Beside two plain lists: everything comes and goes, oldest first in each kind. */
static void sockets_come_and_go__beside_a_model__stand_alike(void **state)
{
    struct sim_world *world = *state;
    const struct sim_host_id host = sim_host_add(world, "a");
    uint32_t order[2][MODEL_SOCKETS];
    uint32_t count[2] = {0, 0};
    for (uint32_t step = 1; step < 3000; step++) {
        const uint32_t kind = step * 7 % 5 < 2;
        if (step * 13 % 31 < 17 && count[kind] < MODEL_SOCKETS / 2) {
            order[kind][count[kind]++] = add(world, host, kind ? SIM_SOCKET_ACCEPTED : 0).index;
        } else if (count[kind] > 0) {
            const uint32_t gone = step * 11 % count[kind];
            const uint32_t index = order[kind][gone];
            sim_port_remove(world, (struct sim_socket_id){index});
            sim_pool_give(world, SIM_POOL_SOCKET, index);
            count[kind]--;
            for (uint32_t i = gone; i < count[kind]; i++) {
                order[kind][i] = order[kind][i + 1];
            }
        }
        uint32_t expected[MODEL_SOCKETS];
        for (uint32_t i = 0; i < count[0] + count[1]; i++) {
            expected[i] = i < count[0] ? order[0][i] : order[1][i - count[0]];
        }
        stands(world, host, expected, count[0] + count[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(listeners_and_children__inserted_in_turn__children_stand_last),
        WORLD_TEST(sockets_come_and_go__beside_a_model__stand_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
