/* Whole worlds: sound at every event, alike for one seed, copied, captured; the check put to proof.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <drysock/sim.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "sim/core/bytes.h"
#include "sim/core/event.h"
#include "sim/run/run.h"
#include "sim/run/world.h"

enum { PORT = 5000, TURNS = 20, TURN_BYTES = 3000 };

static const struct sockaddr_in server_address = {
    .sin_family = AF_INET,
    .sin_port = (in_port_t)((PORT & 0xff) << 8 | PORT >> 8),
    .sin_addr = {.s_addr = 0x0100000a}, /* 10.0.0.1, in network order on the usual machines */
};

/* ---- a server that echoes, a client that makes TURNS turns -------------------------------- */

static void echo(void *argument)
{
    const struct dry_caller me = dry_current_caller();
    const int listener = me.system->socket(me, AF_INET, SOCK_STREAM, 0);
    const struct sockaddr *address = (const struct sockaddr *)&server_address;
    assert_int_equal(me.system->bind(me, listener, address, sizeof server_address), 0);
    assert_int_equal(me.system->listen(me, listener, 1), 0);
    const int connection = me.system->accept(me, listener, NULL, NULL, 0);
    assert_true(connection >= 0);
    char buffer[TURN_BYTES];
    for (;;) {
        const ssize_t length = me.system->recvfrom(me, connection, buffer, sizeof buffer, 0, NULL,
                                                   NULL);
        assert_true(length >= 0);
        if (length == 0) {
            break;
        }
        assert_int_equal(me.system->sendto(me, connection, buffer, (size_t)length, 0, NULL, 0), length);
    }
    me.system->close(me, connection);
    me.system->close(me, listener);
}

static void turn(void *argument)
{
    const struct dry_caller me = dry_current_caller();
    const int descriptor = me.system->socket(me, AF_INET, SOCK_STREAM, 0);
    const struct sockaddr *address = (const struct sockaddr *)&server_address;
    assert_int_equal(me.system->connect(me, descriptor, address, sizeof server_address), 0);
    for (int i = 0; i < TURNS; i++) {
        char out[TURN_BYTES];
        char in[TURN_BYTES];
        memset(out, 'a' + i, sizeof out);
        assert_int_equal(me.system->sendto(me, descriptor, out, sizeof out, 0, NULL, 0), sizeof out);
        size_t got = 0;
        while (got < sizeof in) {
            const ssize_t length = me.system->recvfrom(me, descriptor, in + got, sizeof in - got, 0,
                                                       NULL, NULL);
            assert_true(length > 0);
            got += (size_t)length;
        }
        assert_memory_equal(in, out, sizeof in);
    }
    me.system->close(me, descriptor);
}

static void furnish(struct sim *sim)
{
    static const struct sim_link_options bad = {.delay_ns = 3000000,
                                                .jitter_ns = 1000000,
                                                .rate_bits = 50000000,
                                                .loss_ppm = 50000,
                                                .duplicate_ppm = 50000,
                                                .reorder_ppm = 50000,
                                                .corrupt_ppm = 50000};
    const int server = sim_add_host(sim, "server", "10.0.0.1");
    const int client = sim_add_host(sim, "client", "10.0.0.2");
    assert_true(server > 0 && client > 0);
    assert_true(sim_add_link(sim, server, client, &bad) > 0);
    const int serving = sim_add_process(sim, server, "server");
    const int calling = sim_add_process(sim, client, "client");
    assert_true(sim_spawn(sim, serving, "server", echo, NULL) > 0);
    assert_true(sim_spawn(sim, calling, "client", turn, NULL) > 0);
}

static struct sim *create(uint64_t seed, bool check)
{
    const struct sim_options options = {.seed = seed, .check = check};
    struct sim *sim = sim_create(&options);
    assert_non_null(sim);
    furnish(sim);
    return sim;
}

struct outcome {
    uint64_t now, fingerprint, packet_hash, packets;
};

static struct outcome run(struct sim *sim)
{
    struct outcome outcome;
    const enum sim_outcome end = sim_run(sim);
    if (end != SIM_IDLE) {
        char waits[4096];
        sim_describe_waits(sim, waits, sizeof waits);
        fail_msg("outcome %d: %s\n%s", (int)end, sim_failure(sim) ? sim_failure(sim) : "", waits);
    }
    sim_check(sim);
    memset(&outcome, 0, sizeof outcome);
    outcome.now = sim_now(sim);
    outcome.fingerprint = sim_fingerprint(sim);
    outcome.packet_hash = sim_packet_hash(sim, &outcome.packets);
    return outcome;
}

static void bad_link__twenty_turns__are_made_and_the_world_stays_sound_at_each_event(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim *sim = create(seed, true);
        const struct outcome outcome = run(sim);
        assert_true(outcome.packets > 4 * TURNS);
        sim_destroy(sim);
    }
}

static void one_seed__run_twice__gives_one_outcome_and_another_seed_another(void **state)
{
    struct outcome outcomes[3];
    static const uint64_t seeds[3] = {7, 7, 8};
    for (uint32_t i = 0; i < 3; i++) {
        struct sim *sim = create(seeds[i], false);
        outcomes[i] = run(sim);
        sim_destroy(sim);
    }
    assert_memory_equal(&outcomes[0], &outcomes[1], sizeof outcomes[0]);
    assert_true(outcomes[0].packet_hash != outcomes[2].packet_hash);
    assert_true(outcomes[0].fingerprint != outcomes[2].fingerprint);
}

static void run_in_many_steps__compared_with_one__is_the_same(void **state)
{
    struct sim *whole = create(3, false);
    const struct outcome expected = run(whole);
    sim_destroy(whole);
    struct sim *cut = create(3, false);
    for (uint64_t at = 0; at < expected.now; at += 777777) {
        assert_int_equal(sim_run_until(cut, at), SIM_REACHED);
    }
    const struct outcome outcome = run(cut);
    assert_memory_equal(&outcome, &expected, sizeof outcome);
    sim_destroy(cut);
}

static void world_in_the_middle__copied__is_equal_and_stays_when_the_first_goes_on(void **state)
{
    struct sim *sim = create(4, false);
    assert_int_equal(sim_run_until(sim, 20 * MILLISECOND), SIM_REACHED);
    struct sim *copy = sim_copy(sim);
    assert_non_null(copy);
    const uint64_t then = sim_fingerprint(sim);
    assert_true(sim_fingerprint(copy) == then);
    run(sim);
    assert_true(sim_fingerprint(sim) != then);
    assert_true(sim_fingerprint(copy) == then);
    sim_check(copy);
    sim_destroy(copy);
    sim_destroy(sim);
}

/* ---- captures ----------------------------------------------------------------------------- */

struct heard {
    uint64_t count, last_at;
};

static void hear(void *argument, int host, uint64_t now, const void *packet, size_t length)
{
    struct heard *heard = argument;
    assert_in_range(host, 1, 2);
    assert_true(now >= heard->last_at && length >= 20);
    heard->count++;
    heard->last_at = now;
}

static void captured_run__file_and_callback_compared__have_every_packet_to_the_last(void **state)
{
    char path[] = "/tmp/drysock-world-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    struct heard heard = {0};
    struct sim *sim = create(5, false);
    assert_int_equal(sim_capture(sim, path), 0);
    sim_on_packet(sim, hear, &heard);
    const struct outcome outcome = run(sim);
    sim_destroy(sim);
    assert_int_equal(heard.count, outcome.packets);

    char message[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t count = 0;
    pcap_t *file = pcap_open_offline(path, message);
    assert_non_null(file);
    while (pcap_next_ex(file, &header, &bytes) == 1) {
        count++;
    }
    pcap_close(file);
    unlink(path);
    assert_int_equal(count, outcome.packets);
}

/* ---- the clock and the step --------------------------------------------------------------- */

static void script_queued__stepped_to_before_it_and_to_it__comes_at_its_instant(void **state)
{
    struct sim_world *world = *state;
    struct sim_task_id task;
    uint32_t script = 0;
    sim_event_push(world, 100, SIM_EVENT_SCRIPT, 77, 0, 0);
    assert_int_equal(sim_world_step(world, 99, &task, &script), SIM_STEP_EMPTY);
    assert_int_equal(world->now, 0);
    sim_world_advance(world, 99);
    sim_world_advance(world, 50);
    assert_int_equal(world->now, 99);
    assert_int_equal(sim_world_step(world, 100, &task, &script), SIM_STEP_SCRIPT);
    assert_int_equal(script, 77);
    assert_int_equal(world->now, 100);
    assert_int_equal(sim_world_step(world, SIM_NEVER, &task, &script), SIM_STEP_EMPTY);
    assert_int_equal(world->events_run, 1);
}

static void timer_of_an_ended_connection__stepped__is_dropped(void **state)
{
    struct sim_world *world = *state;
    struct sim_task_id task;
    uint32_t script;
    const uint32_t tcp = sim_pool_take(world, SIM_POOL_TCP);
    sim_event_push(world, 5, SIM_EVENT_TCP_TIMER, tcp, SIM_TCP_TIMER_KEEPALIVE, 0);
    sim_pool_give(world, SIM_POOL_TCP, tcp);
    assert_int_equal(sim_world_step(world, SIM_NEVER, &task, &script), SIM_STEP_DONE);
    assert_int_equal(world->now, 5);
}

/* ---- the check, shown what is wrong ------------------------------------------------------- */

static struct sim_world *running_world(struct sim **sim)
{
    *sim = create(6, false);
    assert_int_equal(sim_run_until(*sim, 25 * MILLISECOND), SIM_REACHED);
    sim_check(*sim);
    return (*sim)->world;
}

/* Does the check end a process whose world `spoil` has changed? */
static bool noticed(void (*spoil)(struct sim_world *world))
{
    const pid_t child = fork();
    if (child == 0) {
        struct sim *sim;
        const struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        struct sim_world *world = running_world(&sim);
        if (!freopen("/dev/null", "w", stderr)) {
            _exit(2);
        }
        spoil(world);
        sim_check_world(world);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* The n-th live slot of a pool. */
static void *live(struct sim_world *world, enum sim_pool_kind kind, uint32_t n)
{
    for (uint32_t index = 1; index <= world->pools[kind].high_water; index++) {
        struct sim_slot *slot = sim_pool_at(world, kind, index);
        if (slot->live && n-- == 0) {
            return slot;
        }
    }
    _exit(3); /* there is none to spoil: the test is wrong */
}

static void nothing(struct sim_world *world)
{
}

static void heap_key(struct sim_world *world)
{
    sim_event_heap(world)[world->heap_count - 1].at = world->now + 1;
}

static void heap_position(struct sim_world *world)
{
    sim_event_at(world, sim_event_heap(world)[0].event)->heap_position = 2;
}

static void live_count(struct sim_world *world)
{
    world->pools[SIM_POOL_SOCKET].live_count++;
}

static void freed_slot(struct sim_world *world)
{
    const struct sim_pool *pool = &world->pools[SIM_POOL_PACKET];
    struct sim_packet *packet = sim_pool_at(world, SIM_POOL_PACKET, pool->first_free);
    packet->ttl = 1;
}

static void free_list_ring(struct sim_world *world)
{
    const uint32_t first = world->pools[SIM_POOL_PACKET].first_free;
    ((struct sim_slot *)sim_pool_at(world, SIM_POOL_PACKET, first))->next_free = first;
}

static void span_length(struct sim_world *world)
{
    ((struct sim_span *)live(world, SIM_POOL_SPAN, 0))->length++;
}

static void chunk_references(struct sim_world *world)
{
    ((struct sim_chunk *)live(world, SIM_POOL_CHUNK, 0))->references++;
}

static void lost_packet(struct sim_world *world)
{
    (void)sim_pool_take(world, SIM_POOL_PACKET);
}

static void lost_span(struct sim_world *world)
{
    struct sim_bytes rope = {0};
    sim_bytes_append(world, &rope, "x", 1); /* its owner forgets it */
}

static void waiting_count(struct sim_world *world)
{
    world->waiting_tasks++;
}

static void waiter_unlinked(struct sim_world *world)
{
    struct sim_waiter *waiter = live(world, SIM_POOL_WAITER, 0);
    waiter->previous_in_queue.index = 0;
    waiter->next_in_queue.index = 0;
    ((struct sim_socket *)live(world, SIM_POOL_SOCKET, 0))->waiters.first.index = 0;
    ((struct sim_socket *)live(world, SIM_POOL_SOCKET, 1))->waiters.first.index = 0;
    ((struct sim_socket *)live(world, SIM_POOL_SOCKET, 2))->waiters.first.index = 0;
}

static void file_references(struct sim_world *world)
{
    ((struct sim_file *)live(world, SIM_POOL_FILE, 0))->references++;
}

static void open_descriptors(struct sim_world *world)
{
    ((struct sim_process *)live(world, SIM_POOL_PROCESS, 0))->open_descriptors++;
}

static void socket_file(struct sim_world *world)
{
    struct sim_socket *socket = live(world, SIM_POOL_SOCKET, 0);
    socket->file.index = socket->file.index == 1 ? 2 : 1;
}

static void armed_timer_without_event(struct sim_world *world)
{
    struct sim_tcp *tcp = live(world, SIM_POOL_TCP, 0);
    tcp->timer_event[SIM_TCP_TIMER_DELAYED_ACK].index = 0;
    tcp->timer_at[SIM_TCP_TIMER_DELAYED_ACK] = world->now + 5;
}

static void anything_spoilt__checked__ends_the_process(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(struct sim_world *world);
    } spoilers[] = {
        {"heap_key", heap_key},
        {"heap_position", heap_position},
        {"live_count", live_count},
        {"freed_slot", freed_slot},
        {"free_list_ring", free_list_ring},
        {"span_length", span_length},
        {"chunk_references", chunk_references},
        {"lost_packet", lost_packet},
        {"lost_span", lost_span},
        {"waiting_count", waiting_count},
        {"waiter_unlinked", waiter_unlinked},
        {"file_references", file_references},
        {"open_descriptors", open_descriptors},
        {"socket_file", socket_file},
        {"armed_timer_without_event", armed_timer_without_event},
    };
    assert_false(noticed(nothing));
    for (uint32_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
        if (!noticed(spoilers[i].spoil)) {
            fail_msg("%s was not noticed", spoilers[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_link__twenty_turns__are_made_and_the_world_stays_sound_at_each_event),
        cmocka_unit_test(one_seed__run_twice__gives_one_outcome_and_another_seed_another),
        cmocka_unit_test(run_in_many_steps__compared_with_one__is_the_same),
        cmocka_unit_test(world_in_the_middle__copied__is_equal_and_stays_when_the_first_goes_on),
        cmocka_unit_test(captured_run__file_and_callback_compared__have_every_packet_to_the_last),
        WORLD_TEST(script_queued__stepped_to_before_it_and_to_it__comes_at_its_instant),
        WORLD_TEST(timer_of_an_ended_connection__stepped__is_dropped),
        cmocka_unit_test(anything_spoilt__checked__ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
