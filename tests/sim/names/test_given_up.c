/* Tasks that are given up inside a look-up leave no memory behind.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include <drysock/sim.h>
#include <drysock/socket.h>

enum { ROUNDS = 200, MOST_LEFT_BYTES = 16384 };

static void look_up(void *argument)
{
    char text[300];
    (void)argument;
    dry_gethostbyname("b\xc3\xbc"
                      "cher.example",
                      text, sizeof text);
}

static void look_up_entry(void *argument)
{
    (void)argument;
    free(dry_gethostbyname_ex("found.example"));
}

static void look_up_list(void *argument)
{
    struct dry_addrinfo *list;
    size_t count;
    (void)argument;
    dry_getaddrinfo("www.example", "80", 0, 0, 0, 0, &list, &count);
}

static void name_address(void *argument)
{
    (void)argument;
    free(dry_gethostbyaddr("10.9.9.9"));
}

static void connect_by_name(void *argument)
{
    (void)argument;
    dry_close(dry_create_connection("found.example", "80", -1, NULL, false));
}

static void bind_by_name(void *argument)
{
    struct dry_address address;
    (void)argument;
    dry_address_inet(&address, AF_INET, "bind.example", 80);
}

/* A socket that create_connection() is about to give is its caller's, who is no more: the leak
 * sanitizer's question what to let pass. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:dry_socket_wrap\n";
}

static void give_up(struct sim *sim, void (*entry)(void *argument))
{
    assert_int_equal(sim_reset(sim, 1), 0);
    int client = sim_add_host(sim, "client", "10.0.0.1"),
        server = sim_add_host(sim, "server", "10.0.0.2");
    sim_add_link(sim, client, server, &(struct sim_link_options){.delay_ns = 5000000});
    sim_add_resolver_line(sim, client, "nameserver 10.0.0.2");
    sim_add_hosts_line(sim, client, "10.0.0.2 found.example");
    sim_add_nameserver(sim, server);
    char message[100];
    sim_add_record(sim, "late.example A 10.0.0.1 delay=1s", message, sizeof message);
    sim_spawn(sim, sim_add_process(sim, client, "client"), "client", entry, NULL);
    sim_run_until(sim, 7000000); /* in the middle of it */
}

static void a_task__given_up_in_each_kind_of_look_up__nothing_stays(void **state)
{
    (void)state;
    static void (*const entries[])(void *argument) = {look_up,      look_up_entry,   look_up_list,
                                                      name_address, connect_by_name, bind_by_name};
    struct sim *sim = sim_create(&(struct sim_options){.seed = 1});
    assert_non_null(sim);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        give_up(sim, entries[i]);
        size_t before = mallinfo2().uordblks;
        for (int round = 0; round < ROUNDS; round++) {
            give_up(sim, entries[i]);
        }
        size_t after = mallinfo2().uordblks;
        /* One look-up holds more than this. */
        assert_in_range(after > before ? after - before : 0, 0, MOST_LEFT_BYTES);
    }
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task__given_up_in_each_kind_of_look_up__nothing_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
