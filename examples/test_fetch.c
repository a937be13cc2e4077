/* A unit test of network code without a network: a client, a slow server, an hour in no time.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include <drysock/sim.h>
#include <drysock/socket.h>

/* ---- the code under test: it knows socket.h alone ------------------------------------------ */

/* Asks a server for a line; returns its length, or -1 when it does not come within three seconds. */
static ssize_t fetch(const char *host, uint16_t port, char *line, size_t bytes)
{
    struct dry_address address;
    struct dry_socket *s = dry_socket(AF_INET, SOCK_STREAM, 0);
    ssize_t length = -1;
    if (s != NULL && dry_settimeout(s, 3000000000) == 0 &&
        dry_address_inet(&address, AF_INET, host, port) == 0 && dry_connect(s, &address) == 0) {
        length = dry_recv(s, line, bytes, 0);
    }
    dry_close(s);
    return length;
}

/* ---- the test ------------------------------------------------------------------------------ */

static uint64_t answers_after_ns;
static ssize_t fetched;

static void serve(void *argument)
{
    struct dry_address any;
    struct dry_socket *listener = dry_socket(AF_INET, SOCK_STREAM, 0);
    dry_address_inet(&any, AF_INET, "", 7);
    dry_bind(listener, &any);
    dry_listen(listener, 1);
    struct dry_socket *connection = dry_accept(listener, NULL);
    dry_sleep_until(dry_now() + answers_after_ns);
    dry_sendall(connection, "hello", 5, 0, NULL);
    dry_close(connection);
    dry_close(listener);
}

static void ask(void *argument)
{
    char line[64];
    dry_sleep_until(dry_now() + 1000000);
    fetched = fetch("server", 7, line, sizeof line);
}

static uint64_t run(const char *fault)
{
    struct sim *sim = sim_create(&(struct sim_options){.seed = 1});
    int left = sim_add_host(sim, "client", "10.0.0.1");
    int right = sim_add_host(sim, "server", "10.0.0.2");
    sim_add_link(sim, left, right, &(struct sim_link_options){.delay_ns = 20000000});
    sim_add_hosts_line(sim, left, "10.0.0.2 server");
    if (fault != NULL) {
        char message[200] = "";
        if (sim_fault_plan_add(sim_faults(sim), fault, message, sizeof message, NULL) < 0) {
            fail_msg("%s", message);
        }
    }
    sim_spawn(sim, sim_add_process(sim, right, "server"), "server", serve, NULL);
    sim_spawn(sim, sim_add_process(sim, left, "client"), "client", ask, NULL);
    sim_run(sim);
    uint64_t ended_at = sim_now(sim);
    if (fault != NULL) {
        assert_int_equal(sim_fault_fired(sim_faults(sim), 1), 1);
    }
    sim_destroy(sim);
    return ended_at;
}

static void a_prompt_server__fetched__its_line(void **state)
{
    answers_after_ns = 0;
    run(NULL);
    assert_int_equal(fetched, 5);
}

static void a_server_that_sleeps_an_hour__fetched__given_up(void **state)
{
    answers_after_ns = UINT64_C(3600000000000);
    assert_true(run(NULL) >= answers_after_ns);
    assert_int_equal(fetched, -1);
}

static void a_signal_during_the_wait__fetched__its_line_all_the_same(void **state)
{
    answers_after_ns = UINT64_C(2000000000);
    run("client recv#1 signal during=500ms");
    assert_int_equal(fetched, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_server__fetched__its_line),
        cmocka_unit_test(a_server_that_sleeps_an_hour__fetched__given_up),
        cmocka_unit_test(a_signal_during_the_wait__fetched__its_line_all_the_same),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
