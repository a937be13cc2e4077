/* Tests of copies: what a copied world knows besides its packets, and that neither moves the other.
 * SPDX-License-Identifier: MIT */
#include "sim/core/block.h"
#include "sim/run/run.h"

#include "small_world.h"

static struct sim *other;

static void copy(void)
{
    other = sim_copy(sim);
    assert_non_null(other);
    assert_int_equal(sim_fingerprint(other), sim_fingerprint(sim));
}

static int end_both(void **state)
{
    sim_destroy(other);
    other = NULL;
    return end(state);
}

/* ---- scripts ----------------------------------------------------------------------------------- */

static void queued_scripts__copied__happen_in_both(void **state)
{
    assert_int_equal(sim_at(sim, 5 * MS, note, "a"), 0);
    assert_int_equal(sim_at(sim, 3 * MS, note, "b"), 0);
    copy();
    assert_int_equal(sim_run(other), SIM_IDLE);
    assert_string_equal(order, "ba");
    assert_int_equal(sim_now(other), 5 * MS);
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_run(sim), SIM_IDLE);
    assert_string_equal(order, "baba");
}

static void scripts__many_one_after_the_other__no_room_is_lost(void **state)
{
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(sim_at(sim, sim_now(sim) + 1, note, ""), 0);
        assert_int_equal(sim_run(sim), SIM_IDLE);
    }
    assert_int_equal(sim->world->pools[SIM_POOL_SCRIPT].high_water, 1);
}

/* ---- names ------------------------------------------------------------------------------------- */

static int looked_up;

static void look_up(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error;
    looked_up = SYSTEM(getaddrinfo, argument, NULL, &hints, &list, &error);
    if (looked_up == 0) {
        struct sockaddr_in address;
        memcpy(&address, list->ai_addr, sizeof address);
        EXPECT(inet_ntop(AF_INET, &address.sin_addr, order, sizeof order));
        SYSTEM(freeaddrinfo, list);
    }
}

static void looks_up_in(struct sim *which, const char *name, const char *address)
{
    memset(order, 0, sizeof order);
    const int asker = sim_add_process(which, alpha, "asker");
    assert_true(sim_spawn(which, asker, "asker", look_up, (void *)(uintptr_t)name) > 0);
    assert_int_equal(sim_run(which), SIM_IDLE);
    assert_int_equal(looked_up, address ? 0 : EAI_NONAME);
    assert_string_equal(order, address ? address : "");
}

static void lines_of_names__copied__both_know_them_and_their_own(void **state)
{
    char message[128];
    assert_int_equal(sim_add_record(sim, "www.example A 10.9.9.9", message, sizeof message), 0);
    assert_int_equal(sim_add_hosts_line(sim, alpha, "10.8.8.8 printer"), 0);
    assert_int_equal(sim_add_hosts_line(sim, beta, "10.8.8.7 scanner"), 0);
    assert_int_equal(sim_add_resolver_line(sim, alpha, "nameserver 10.0.0.2"), 0);
    copy();
    assert_int_equal(sim_add_record(sim, "late.example A 10.9.9.8", message, sizeof message), 0);
    assert_int_equal(sim_add_hosts_line(other, alpha, "10.7.7.7 other"), 0);
    assert_true(sim_add_nameserver(other, beta) > 0);
    assert_true(sim_add_nameserver(sim, beta) > 0);
    looks_up_in(other, "www.example", "10.9.9.9");
    looks_up_in(other, "printer", "10.8.8.8");
    looks_up_in(other, "scanner", NULL);
    looks_up_in(other, "other", "10.7.7.7");
    looks_up_in(other, "late.example", NULL);
    looks_up_in(sim, "late.example", "10.9.9.8");
    looks_up_in(sim, "other", NULL);
}

static void line__longer_than_any_file_has__refused_with_an_error(void **state)
{
    char line[SIM_LINE_BYTES + 64], message[128];
    memset(line, 'x', sizeof line);
    memcpy(line, "10.0.0.9 ", 9);
    line[SIM_LINE_BYTES - 1] = 0;
    assert_int_equal(sim_add_hosts_line(sim, alpha, line), 0);
    line[SIM_LINE_BYTES - 1] = 'x';
    line[SIM_LINE_BYTES] = 0;
    assert_int_equal(sim_add_hosts_line(sim, alpha, line), -ENAMETOOLONG);
    assert_int_equal(sim_add_resolver_line(sim, alpha, line), -ENAMETOOLONG);
    assert_int_equal(sim_add_record(sim, line, message, sizeof message), -ENAMETOOLONG);
}

static void identifiers_of_queries__copied__go_on_alike(void **state)
{
    char message[128];
    assert_int_equal(sim_add_record(sim, "www.example A 10.9.9.9", message, sizeof message), 0);
    assert_int_equal(sim_add_resolver_line(sim, alpha, "nameserver 10.0.0.2"), 0);
    assert_true(sim_add_nameserver(sim, beta) > 0);
    looks_up_in(sim, "www.example", "10.9.9.9");
    assert_int_equal(sim_host_at(sim->world, (struct sim_host_id){(uint32_t)alpha})->resolver_memory[1],
                     1);
    copy();
    /* The server's task is detached there: the question goes out twice and nobody answers. */
    const int asker = sim_add_process(other, alpha, "asker");
    assert_true(sim_spawn(other, asker, "asker", look_up, "www.example") > 0);
    assert_int_equal(sim_run(other), SIM_IDLE);
    assert_int_equal(looked_up, EAI_AGAIN);
    assert_int_equal(
        sim_host_at(other->world, (struct sim_host_id){(uint32_t)alpha})->resolver_memory[1], 2);
    looks_up_in(sim, "www.example", "10.9.9.9");
}

/* ---- stores and faults -------------------------------------------------------------------------- */

static void process_local_store__copied__each_has_its_own(void **state)
{
    const struct sim_process_id id = {(uint32_t)process};
    sim_process_at(sim->world, id)->local[3] = 7;
    copy();
    assert_int_equal(sim_process_at(other->world, id)->local[3], 7);
    sim_process_at(other->world, id)->local[3] = 8;
    assert_int_equal(sim_process_at(sim->world, id)->local[3], 7);
    const int child = sim_fork_process(sim, process);
    assert_int_equal(sim_process_at(sim->world, (struct sim_process_id){(uint32_t)child})->local[3], 7);
}

static int results[8];
static int result_count;

static void call_socket(void)
{
    struct dry_caller caller = dry_current_caller();
    if (caller.system->call_begin) {
        caller.system->call_begin(caller, "socket", -1);
    }
    results[result_count++] = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0) >= 0;
    if (caller.system->call_end) {
        caller.system->call_end(caller);
    }
}

static void call_socket_once(void *argument)
{
    call_socket();
}

static void plan__copied__rules_and_tallies_are_there_and_go_their_own_way(void **state)
{
    char message[128];
    assert_int_equal(
        sim_fault_plan_add(sim_faults(sim), "* socket#1 errno=EMFILE", message, sizeof message, NULL),
        1);
    spawn("a", call_socket_once, NULL);
    assert_outcome(SIM_IDLE);
    copy();
    assert_int_equal(sim_fault_rules(sim_faults(other)), 1);
    assert_string_equal(sim_fault_text(sim_faults(other), 1), "* socket#1 errno=EMFILE");
    assert_int_equal(sim_fault_fired(sim_faults(other), 1), 1);
    result_count = 0;
    assert_true(sim_spawn(other, process, "b", call_socket_once, NULL) > 0);
    assert_int_equal(sim_run(other), SIM_IDLE);
    assert_int_equal(results[0], 0);
    assert_int_equal(sim_fault_fired(sim_faults(other), 1), 2);
    assert_int_equal(sim_fault_fired(sim_faults(sim), 1), 1);
}

static void call_sleep_call(void *argument)
{
    call_socket();
    sleep_ms(10);
    call_socket();
}

static void add_rule(void *argument)
{
    char message[128];
    EXPECT(sim_fault_plan_add(sim_faults(sim), argument, message, sizeof message, NULL) == 1);
}

static void plan_is_empty__task_has_begun__a_later_rule_applies(void **state)
{
    result_count = 0;
    spawn("a", call_sleep_call, NULL);
    assert_int_equal(sim_at(sim, 5 * MS, add_rule, "a socket errno=EMFILE"), 0);
    assert_outcome(SIM_IDLE);
    assert_int_equal(result_count, 2);
    assert_int_equal(results[0], 1);
    assert_int_equal(results[1], 0);
}

static void add_and_call(void *argument)
{
    call_socket();
    add_rule(argument);
    call_socket();
}

static void plan_is_empty__running_task_adds_a_rule__its_next_call_meets_it(void **state)
{
    result_count = 0;
    spawn("a", add_and_call, "a socket errno=EMFILE");
    assert_outcome(SIM_IDLE);
    assert_int_equal(results[0], 1);
    assert_int_equal(results[1], 0);
}

static void actors__many_one_after_the_other__no_cell_is_lost(void **state)
{
    char message[128];
    sim_fault_plan_add(sim_faults(sim), "nobody socket errno=EMFILE", message, sizeof message, NULL);
    for (int i = 0; i < 50; i++) {
        result_count = 0;
        spawn("a", call_socket_once, NULL);
        assert_outcome(SIM_IDLE);
    }
    assert_true(sim->world->pools[SIM_POOL_CELL].high_water < 2 + 2 * 51);
}

#define BOTH(name) cmocka_unit_test_setup_teardown(name, begin, end_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(queued_scripts__copied__happen_in_both),
        BOTH(scripts__many_one_after_the_other__no_room_is_lost),
        BOTH(lines_of_names__copied__both_know_them_and_their_own),
        BOTH(line__longer_than_any_file_has__refused_with_an_error),
        BOTH(identifiers_of_queries__copied__go_on_alike),
        BOTH(process_local_store__copied__each_has_its_own),
        BOTH(plan__copied__rules_and_tallies_are_there_and_go_their_own_way),
        BOTH(plan_is_empty__task_has_begun__a_later_rule_applies),
        BOTH(plan_is_empty__running_task_adds_a_rule__its_next_call_meets_it),
        BOTH(actors__many_one_after_the_other__no_cell_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
