/* Lines of resolv.conf and /etc/hosts, one by one: what is taken, what is told.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/names/resolver_internal.h"

static struct sim_resolver *resolver;
static char message[200];
static size_t column;

static int begin(void **state)
{
    (void)state;
    resolver = sim_resolver_create();
    return resolver == NULL;
}

static int end(void **state)
{
    (void)state;
    sim_resolver_destroy(resolver);
    return 0;
}

static int add(const char *line)
{
    column = 999;
    return sim_resolver_add_line(resolver, line, message, sizeof message, &column);
}

static void expect_told(const char *line, size_t at, const char *beginning)
{
    assert_int_equal(add(line), -EINVAL);
    assert_int_equal(column, at);
    assert_int_equal(strncmp(message, beginning, strlen(beginning)), 0);
    assert_int_equal(sim_resolver_check_line(line, message, sizeof message, NULL), -EINVAL);
    assert_int_equal(sim_resolver_add_line(resolver, line, NULL, 0, NULL), -EINVAL);
}

static void numbers_of_options__at_their_bounds__cut_to_what_the_c_library_takes(void **state)
{
    (void)state;
    assert_int_equal(resolver->ndots, 1);
    assert_int_equal(resolver->timeout_s, 5);
    assert_int_equal(resolver->attempts, 2);
    assert_int_equal(add("options ndots:15 timeout:30 attempts:5"), 0);
    assert_int_equal(resolver->ndots, 15);
    assert_int_equal(resolver->timeout_s, 30);
    assert_int_equal(resolver->attempts, 5);
    assert_int_equal(add("options ndots:16 timeout:31 attempts:6"), 0);
    assert_int_equal(resolver->ndots, 15);
    assert_int_equal(resolver->timeout_s, 30);
    assert_int_equal(resolver->attempts, 5);
    assert_int_equal(add("options ndots:14 timeout:29 attempts:4"), 0);
    assert_int_equal(resolver->ndots, 14);
    assert_int_equal(resolver->timeout_s, 29);
    assert_int_equal(resolver->attempts, 4);
    assert_int_equal(add("options ndots:0 timeout:0 attempts:0"), 0);
    assert_int_equal(resolver->ndots + resolver->timeout_s + resolver->attempts, 0);
    assert_int_equal(add("options timeout:99999999999999999999"), 0);
    assert_int_equal(resolver->timeout_s, 30);
}

static void words_of_options__each__its_own_flag(void **state)
{
    (void)state;
    const struct {
        const char *line;
        const bool *flag;
    } flags[] = {
        {"options use-vc", &resolver->use_tcp},
        {"options rotate", &resolver->rotate},
        {"options no-aaaa", &resolver->no_aaaa},
        {"options single-request", &resolver->single_request},
        {"options single-request-reopen", &resolver->single_request_reopen},
        {"options edns0", &resolver->edns},
        {"options trust-ad", &resolver->trust_ad},
        {"options no-tld-query", &resolver->no_tld_query},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        assert_false(*flags[i].flag);
        assert_int_equal(add(flags[i].line), 0);
        for (size_t j = 0; j < sizeof flags / sizeof flags[0]; j++) {
            assert_int_equal(*flags[j].flag, j <= i);
        }
    }
    assert_int_equal(add("options no-reload debug"), 0);
}

static void what_the_c_library_passes_over__each__told_in_its_place(void **state)
{
    (void)state;
    expect_told("options rotate no-such timeout:1", 15, "there is no resolver option 'no-such'");
    assert_false(resolver->rotate); /* nothing of a wrong line is taken */
    expect_told("options rotates", 8, "there is no resolver option 'rotates'");
    expect_told("options Rotate", 8, "there is no resolver option");
    expect_told("options timeout:", 16, "after timeout: stands a whole number");
    expect_told("options attempts:-1", 17, "after attempts: stands");
    expect_told("options ndots:1x", 14, "after ndots: stands");
    expect_told("options ndots", 8, "there is no resolver option");
    expect_told("  sortlist 10.0.0.0", 2, "'sortlist' begins no line");
    expect_told("nameserver", 10, "a name server is told by its");
    expect_told("nameserver  dns.example", 12, "a name server is told by its");
    expect_told("nameserver 10.0.0.256", 11, "a name server is told by its");
    assert_int_equal(resolver->server_count, 0);
    assert_int_equal(add(""), 0);
    assert_int_equal(add("   "), 0);
    assert_int_equal(add("# options nothing"), 0);
    assert_int_equal(add("options # nothing"), 0);
}

static void servers__four_of_both_families__three_in_their_order(void **state)
{
    (void)state;
    assert_int_equal(add("nameserver 10.0.0.1"), 0);
    assert_int_equal(add("nameserver fd00::2"), 0);
    assert_int_equal(add("nameserver 10.0.0.3 10.0.0.9"), 0);
    assert_int_equal(add("nameserver 10.0.0.4"), 0);
    assert_int_equal(resolver->server_count, 3);
    const struct sockaddr_in *third = (const struct sockaddr_in *)&resolver->servers[2];
    assert_int_equal(resolver->servers[0].sin6_family, AF_INET);
    assert_int_equal(resolver->servers[1].sin6_family, AF_INET6);
    assert_int_equal(resolver->servers[1].sin6_addr.s6_addr[15], 2);
    assert_int_equal(ntohs(resolver->servers[1].sin6_port), 53);
    assert_int_equal(ntohl(third->sin_addr.s_addr), 0x0a000003);
    assert_int_equal(ntohs(third->sin_port), 53);
}

static void domains__lines_and_limits__the_last_line_whole(void **state)
{
    (void)state;
    char line[9000] = "search";
    assert_false(resolver->search_given);
    assert_int_equal(add("search one two"), 0);
    assert_int_equal(add("search three"), 0);
    assert_int_equal(resolver->search_count, 1);
    assert_string_equal(resolver->searches[0], "three");
    assert_int_equal(add("domain four five"), 0);
    assert_int_equal(resolver->search_count, 1);
    assert_string_equal(resolver->searches[0], "four");
    for (int i = 0; i < RESOLVER_SEARCHES; i++) {
        snprintf(line + strlen(line), sizeof line - strlen(line), " d%d", i);
    }
    assert_int_equal(add(line), 0);
    assert_int_equal(resolver->search_count, 32);
    assert_string_equal(resolver->searches[31], "d31");
    strcat(line, " more");
    expect_told(line, strlen(line), "at most 32 domains");
    assert_int_equal(resolver->search_count, 32);
    assert_int_equal(add("search"), 0);
    assert_int_equal(resolver->search_count, 0);
    assert_true(resolver->search_given);
    memset(line, 'x', 300);
    memcpy(line, "search ", 7);
    line[7 + 254] = 0;
    assert_int_equal(add(line), 0);
    assert_int_equal(strlen(resolver->searches[0]), 254);
    line[7 + 254] = 'x';
    line[7 + 255] = 0;
    expect_told(line, 7 + 255, "a domain has at most 254 bytes");
}

static struct resolver_found found_for(const char *name, int family)
{
    static uint32_t habit;
    struct resolver_found found = resolver_nothing(
        (struct sim_resolver_asker){.caller = {.system = dry_provider()}, .habit = &habit});
    resolver_in_hosts(resolver, name, family, &found);
    return found;
}

static void lines_of_hosts__good_and_bad__taken_or_refused(void **state)
{
    (void)state;
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1\tName  alias # other"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1"), -EINVAL);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1 # name"), -EINVAL);
    assert_int_equal(sim_resolver_add_hosts(resolver, "name 10.0.0.1"), -EINVAL);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.1 name"), -EINVAL);
    assert_int_equal(sim_resolver_add_hosts(resolver, ""), -EINVAL);
    struct resolver_found found = found_for("ALIAS", AF_INET);
    assert_int_equal(found.status, RESOLVER_FOUND);
    assert_string_equal(found.canonical, "Name");
    assert_int_equal(found.alias_count, 1);
    assert_string_equal(found.aliases[0], "alias");
    resolver_forget(&found);
    found = found_for("other", AF_UNSPEC);
    assert_int_equal(found.status, RESOLVER_NOT_FOUND);
    resolver_forget(&found);
}

static void a_name_on_several_lines__each_family__all_addresses_in_order(void **state)
{
    (void)state;
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1 n a b"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "fd00::2 n c"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.3 x n"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "::ffff:10.0.0.4 n"), 0);
    struct resolver_found found = found_for("n", AF_UNSPEC);
    assert_int_equal(found.address_count, 4);
    assert_int_equal(found.addresses[0].family, AF_INET6);
    assert_int_equal(found.addresses[0].bytes[15], 2);
    assert_int_equal(found.addresses[1].family, AF_INET6);
    assert_int_equal(found.addresses[1].bytes[15], 4);
    assert_int_equal(found.addresses[2].bytes[3], 1);
    assert_int_equal(found.addresses[3].bytes[3], 3);
    resolver_forget(&found);
    found = found_for("n", AF_INET);
    assert_int_equal(found.address_count, 3);
    assert_int_equal(found.addresses[2].bytes[3], 4); /* LINUX: the address in a mapped one */
    assert_string_equal(found.canonical, "n");
    assert_int_equal(found.alias_count, 3);
    assert_string_equal(found.aliases[2], "x");
    resolver_forget(&found);
    found = found_for("n", AF_INET6);
    assert_int_equal(found.address_count, 2);
    resolver_forget(&found);
    found = found_for("ip6-loopback", AF_INET);
    assert_int_equal(found.address_count, 1); /* LINUX: ::1 answers as 127.0.0.1 */
    assert_int_equal(found.addresses[0].bytes[0], 127);
    resolver_forget(&found);
    found = found_for("ip6-loopback", AF_UNSPEC);
    assert_int_equal(found.address_count, 1);
    assert_int_equal(found.addresses[0].family, AF_INET6);
    resolver_forget(&found);
}

static void an_entry__in_buffers_of_each_size__whole_or_not_at_all(void **state)
{
    (void)state;
    static uint32_t habit;
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct hostent entry;
    size_t enough = 0;
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1 name other"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.2 name third"), 0);
    for (size_t bytes = 0; bytes < 160; bytes++) {
        char *room = test_malloc(bytes + 1); /* cmocka guards both ends */
        memset(room, 0x55, bytes + 1);
        int result = sim_resolver_gethostbyname(resolver, asker, "name", AF_INET, &entry, room, bytes);
        assert_int_equal(room[bytes], 0x55);
        assert_true(result == 0 || (result == NO_RECOVERY && enough == 0));
        if (result == 0) {
            enough = enough == 0 ? bytes : enough;
            assert_string_equal(entry.h_name, "name");
            assert_string_equal(entry.h_aliases[0], "other");
            assert_string_equal(entry.h_aliases[1], "third");
            assert_null(entry.h_aliases[2]);
            assert_memory_equal(entry.h_addr_list[0], "\x0a\0\0\x01", 4);
            assert_memory_equal(entry.h_addr_list[1], "\x0a\0\0\x02", 4);
            assert_null(entry.h_addr_list[2]);
            assert_int_equal(entry.h_length, 4);
            assert_int_equal(entry.h_addrtype, AF_INET);
        }
        test_free(room);
    }
    /* Pointers to two aliases, two addresses and their ends; five texts and numbers, each at 8. */
    assert_int_equal(enough, 6 * 8 + 8 + 8 + 8 + 8 + 4);
}

static void an_address__by_lines_of_hosts__the_first_line_alone(void **state)
{
    (void)state;
    static uint32_t habit;
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct hostent entry;
    char room[DRY_HOSTENT_BYTES], host[20], port[8];
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(0x0a000001)}};
    int error = 0;
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1 first alias"), 0);
    assert_int_equal(sim_resolver_add_hosts(resolver, "10.0.0.1 second"), 0);
    assert_int_equal(sim_resolver_gethostbyaddr(resolver, asker, &v4.sin_addr, 4, AF_INET, &entry, room,
                                                sizeof room),
                     0);
    assert_string_equal(entry.h_name, "first");
    assert_string_equal(entry.h_aliases[0], "alias");
    assert_null(entry.h_aliases[1]);
    assert_null(entry.h_addr_list[1]);
    assert_int_equal(sim_resolver_gethostbyaddr(resolver, asker, &v4.sin_addr, 3, AF_INET, &entry, room,
                                                sizeof room),
                     HOST_NOT_FOUND);
    assert_int_equal(sim_resolver_gethostbyaddr(resolver, asker, &v4.sin_addr, 4, AF_INET6, &entry,
                                                room, sizeof room),
                     HOST_NOT_FOUND);
    const struct sockaddr *address = (const struct sockaddr *)&v4;
    for (socklen_t bytes = 1; bytes < 8; bytes++) {
        int result = sim_resolver_getnameinfo(resolver, asker, address, sizeof v4, host, bytes, NULL, 0,
                                              0, &error);
        assert_int_equal(result, bytes < 6 ? EAI_OVERFLOW : 0);
    }
    for (socklen_t bytes = 1; bytes < 5; bytes++) {
        int result = sim_resolver_getnameinfo(resolver, asker, address, sizeof v4, NULL, 0, port, bytes,
                                              NI_NUMERICSERV, &error);
        assert_int_equal(result, bytes < 3 ? EAI_OVERFLOW : 0);
    }
    assert_string_equal(port, "80");
    assert_int_equal(
        sim_resolver_getnameinfo(resolver, asker, address, sizeof v4 - 1, host, 20, NULL, 0, 0, &error),
        EAI_FAMILY);
    assert_int_equal(
        sim_resolver_getnameinfo(resolver, asker, address, sizeof v4, NULL, 0, NULL, 0, 0, &error),
        EAI_NONAME);
    assert_int_equal(sim_resolver_getnameinfo(resolver, asker, address, sizeof v4, NULL, 0, port, 8,
                                              NI_NAMEREQD, &error),
                     EAI_NONAME);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_of_options__at_their_bounds__cut_to_what_the_c_library_takes),
        TEST(words_of_options__each__its_own_flag),
        TEST(what_the_c_library_passes_over__each__told_in_its_place),
        TEST(servers__four_of_both_families__three_in_their_order),
        TEST(domains__lines_and_limits__the_last_line_whole),
        TEST(lines_of_hosts__good_and_bad__taken_or_refused),
        TEST(an_entry__in_buffers_of_each_size__whole_or_not_at_all),
        TEST(an_address__by_lines_of_hosts__the_first_line_alone),
        TEST(a_name_on_several_lines__each_family__all_addresses_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
