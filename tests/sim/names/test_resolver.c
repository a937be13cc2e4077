/* The resolver beside the C library's own, over the same kernel, name server and configuration.
 * SPDX-License-Identifier: MIT
 *
 * The resolver is user-level code over the seam, so it runs on the kernel too: in a network of this
 * process's own, both resolvers ask the same name server and must give the same lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <drysock/system.h>

#include "sim/names/nameserver.h"
#include "sim/names/resolver.h"

#include "apart.h"
#include "tests/need.h"

static uint32_t habit;
static unsigned differences; /* found so far by the test that runs; all are printed */

static void differ(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void differ(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (differences++ < 40) {
        vprint_message(format, arguments);
        print_message("\n");
    }
    va_end(arguments);
}

static int count_anew(void **state)
{
    (void)state;
    differences = 0;
    return 0;
}

static bool isolated; /* this process has a network, resolv.conf and hosts of its own */

static const char *const records[] = {
    "one.test A 10.0.0.1",
    "two.test A 10.0.0.1",
    "two.test A 10.0.0.2",
    "two.test AAAA fd00::2",
    "six.test AAAA fd00::6",
    "alias.test CNAME two.test",
    "chain.test CNAME alias.test",
    "dangling.test CNAME nowhere.test",
    "gone.test nxdomain",
    "empty.test nodata",
    "broken.test servfail",
    "silent.test silent",
    "slow.test A 10.0.0.9 delay=300ms",
    "long.test A 10.0.0.3",
    "long.test truncate",
    "text.test TXT hello",
    "short.search.test A 10.0.0.7",
    "one.test.search.test A 10.0.0.8",
    "10.0.0.1 PTR one.test",
    "fd00::2 PTR two.test",
};
static const char *const hosts[] = {
    "10.1.1.1 here.test here",
    "fd00::11 here.test",
    "10.1.1.2 here.test other",
    "::1 sixlocal",
};
static const char *const lines[] = {
    "nameserver 127.0.0.1",
    "search search.test",
    "options timeout:1 attempts:2",
};

static void *serve(void *zone)
{
    struct dry_caller caller = {.system = dry_provider()};
    sim_nameserver_serve(caller, zone);
    return NULL;
}

static void join_text(char *text, size_t bytes, const char *const *parts, size_t count)
{
    text[0] = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(text + strlen(text), bytes - strlen(text), "%s\n", parts[i]);
    }
}

static int isolate(void **state)
{
    (void)state;
    char text[1024] = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
    char configuration[1024];
    join_text(text + strlen(text), sizeof text - strlen(text), hosts, sizeof hosts / sizeof hosts[0]);
    join_text(configuration, sizeof configuration, lines, sizeof lines / sizeof lines[0]);
    if (!apart_begin(text, configuration)) {
        return 0;
    }
    struct sim_zone *zone = sim_zone_create();
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        char message[200];
        if (sim_zone_add(zone, records[i], message, sizeof message, NULL) != 0) {
            fail_msg("%s: %s", records[i], message);
        }
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, zone), 0);
    usleep(50000); /* the name server opens its sockets */
    isolated = true;
    return 0;
}

static struct sim_resolver *configured(void)
{
    struct sim_resolver *resolver = sim_resolver_create();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        assert_int_equal(sim_resolver_add_hosts(resolver, hosts[i]), 0);
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(sim_resolver_add_line(resolver, lines[i], NULL, 0, NULL), 0);
    }
    return resolver;
}

static void print_list(char *text, size_t bytes, int result, const struct addrinfo *list)
{
    snprintf(text, bytes, "%d", result);
    for (; result == 0 && list != NULL; list = list->ai_next) {
        char host[64], port[16];
        getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
        snprintf(text + strlen(text), bytes - strlen(text), " [%d %d %d %s %s %s]", list->ai_family,
                 list->ai_socktype, list->ai_protocol, host, port,
                 list->ai_canonname != NULL ? list->ai_canonname : "-");
    }
}

static void compare_getaddrinfo(const char *node, const char *service, int family, int type,
                                int protocol, int flags)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = type, .ai_protocol = protocol, .ai_flags = flags};
    struct addrinfo *ours = NULL, *theirs = NULL;
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct sim_resolver *resolver = configured();
    char our_text[4096], their_text[4096];
    int system_error = 0;
    /* The namespace has no address but the loopback's. */
    int result = sim_resolver_getaddrinfo(resolver, asker, node, service, &hints, &ours, &system_error);
    print_list(our_text, sizeof our_text, result, ours);
    if (result == 0) {
        sim_resolver_freeaddrinfo(ours);
    }
    result = getaddrinfo(node, service, &hints, &theirs);
    print_list(their_text, sizeof their_text, result, theirs);
    if (result == 0) {
        freeaddrinfo(theirs);
    }
    sim_resolver_destroy(resolver);
    if (strcmp(our_text, their_text) != 0) {
        differ("getaddrinfo(%s, %s, %d, %d, %d, %#x)\n  ours %s\n  libc %s", node, service, family,
               type, protocol, (unsigned)flags, our_text, their_text);
    }
}

static void names_of_every_kind__looked_up__same_lists(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    static const char *const nodes[] = {
        "one.test",  "two.test",      "six.test",     "alias.test", "chain.test", "dangling.test",
        "gone.test", "empty.test",    "broken.test.", "slow.test",  "long.test",  "text.test",
        "short",     "one.test.",     "here.test",    "here",       "other",      "sixlocal",
        "localhost", "ip6-localhost", "nowhere",      "TWO.test"};
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        for (size_t f = 0; f < 3; f++) {
            compare_getaddrinfo(nodes[i], "80", families[f], SOCK_STREAM, 0, 0);
            compare_getaddrinfo(nodes[i], NULL, families[f], SOCK_DGRAM, 0, AI_CANONNAME);
        }
    }
    compare_getaddrinfo("two.test", "80", AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED);
    compare_getaddrinfo("one.test", "80", AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED);
    compare_getaddrinfo("two.test", "80", AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED | AI_ALL);
    compare_getaddrinfo("two.test", "80", AF_UNSPEC, SOCK_STREAM, 0, AI_ADDRCONFIG);
    assert_int_equal(differences, 0);
}

static void numbers_and_none__looked_up__same_lists(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    static const char *const nodes[] = {NULL,
                                        "127.0.0.1",
                                        "10.1",
                                        "0x7f.1",
                                        "::1",
                                        "fe80::1%lo",
                                        "fe80::1%9",
                                        "::ffff:1.2.3.4",
                                        "1.2.3.4 ",
                                        "*",
                                        "fec0::1%lo",
                                        "fe7f::1%lo",
                                        "febf::1%lo",
                                        "ff02::1%lo",
                                        "ff12::1%lo",
                                        "ff05::2%lo",
                                        "2002::2%lo",
                                        "::1%",
                                        "fe80::1%-1",
                                        "fe80::1% 1",
                                        "1.2.3.4%lo",
                                        "fe80::1%no",
                                        "fe80::1%1x",
                                        "::ffff:1.2.3.4%1",
                                        "1.2.3",
                                        "1.2.3.4.5",
                                        "0x1.2",
                                        "08.1.1.1",
                                        "4294967295",
                                        "4294967296",
                                        "1:2:3:4:5:6:7:8",
                                        "::1 ",
                                        "[::1]",
                                        "",
                                        "256.1.1.1"};
    static const int flags[] = {0,           AI_PASSIVE, AI_NUMERICHOST, AI_NUMERICSERV, AI_CANONNAME,
                                AI_V4MAPPED, 0x10000};
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX};
    static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    static const char *const services[] = {NULL, "80", "0", "70000", "nosuchservice", "12x"};
    for (size_t n = 0; n < sizeof nodes / sizeof nodes[0]; n++) {
        for (size_t g = 0; g < sizeof flags / sizeof flags[0]; g++) {
            for (size_t f = 0; f < 4; f++) {
                for (size_t t = 0; t < 5; t++) {
                    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++) {
                        compare_getaddrinfo(nodes[n], services[s], families[f], types[t], 0, flags[g]);
                    }
                }
            }
        }
    }
    assert_int_equal(differences, 0);
}

static void protocols_in_hints__looked_up__same_lists(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    static const int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 77};
    static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    for (size_t p = 0; p < 5; p++) {
        for (size_t t = 0; t < 5; t++) {
            compare_getaddrinfo("127.0.0.1", "80", AF_UNSPEC, types[t], protocols[p], 0);
            compare_getaddrinfo("127.0.0.1", NULL, AF_UNSPEC, types[t], protocols[p], 0);
        }
    }
    assert_int_equal(differences, 0);
}

static void compare_getnameinfo(const char *text, uint16_t port, int flags)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    socklen_t length = sizeof *v4;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        length = sizeof *v6;
    }
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct sim_resolver *resolver = configured();
    char our_host[256] = "", our_port[32] = "", their_host[256] = "", their_port[32] = "";
    int error = 0;
    int ours = sim_resolver_getnameinfo(resolver, asker, (struct sockaddr *)&storage, length, our_host,
                                        sizeof our_host, our_port, sizeof our_port, flags, &error);
    int theirs = getnameinfo((struct sockaddr *)&storage, length, their_host, sizeof their_host,
                             their_port, sizeof their_port, flags);
    sim_resolver_destroy(resolver);
    if (ours != theirs ||
        (ours == 0 && (strcmp(our_host, their_host) != 0 || strcmp(our_port, their_port) != 0))) {
        differ("getnameinfo(%s, %u, %#x): ours %d %s %s, libc %d %s %s", text, port, (unsigned)flags,
               ours, our_host, our_port, theirs, their_host, their_port);
    }
}

static void addresses__named__same_names(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "10.1.1.1", "127.0.0.1",
                                        "::1",      "fd00::2",  "fd00::3"};
    static const int flags[] = {
        0,        NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_NUMERICHOST | NI_NUMERICSERV,
        NI_DGRAM, 0x8000};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++) {
            compare_getnameinfo(texts[i], 4444, flags[f]);
        }
    }
    assert_int_equal(differences, 0);
}

static void print_hostent(char *text, size_t bytes, int h_error, const struct hostent *entry)
{
    snprintf(text, bytes, "%d", h_error);
    if (h_error != 0) {
        return;
    }
    snprintf(text + strlen(text), bytes - strlen(text), " %s (", entry->h_name);
    for (char **alias = entry->h_aliases; *alias != NULL; alias++) {
        snprintf(text + strlen(text), bytes - strlen(text), "%s ", *alias);
    }
    snprintf(text + strlen(text), bytes - strlen(text), ")");
    for (char **address = entry->h_addr_list; *address != NULL; address++) {
        char host[64];
        inet_ntop(entry->h_addrtype, *address, host, sizeof host);
        snprintf(text + strlen(text), bytes - strlen(text), " %s", host);
    }
}

static void compare_gethostbyname(const char *name)
{
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct sim_resolver *resolver = configured();
    struct hostent ours, theirs, *found = NULL;
    static char buffer[DRY_HOSTENT_BYTES], their_buffer[DRY_HOSTENT_BYTES];
    char our_text[2048], their_text[2048];
    int error = 0;
    int result = sim_resolver_gethostbyname(resolver, asker, name, AF_INET, &ours, buffer,
                                            sizeof buffer);
    print_hostent(our_text, sizeof our_text, result, &ours);
    gethostbyname2_r(name, AF_INET, &theirs, their_buffer, sizeof their_buffer, &found, &error);
    print_hostent(their_text, sizeof their_text, found == NULL ? error : 0, &theirs);
    sim_resolver_destroy(resolver);
    if (strcmp(our_text, their_text) != 0) {
        differ("gethostbyname(%s): ours %s, libc %s", name, our_text, their_text);
    }
}

static void names__by_the_older_call__same_entries(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    static const char *const names[] = {"one.test",  "two.test",   "alias.test", "chain.test",
                                        "gone.test", "empty.test", "six.test",   "broken.test.",
                                        "here.test", "here",       "127.0.0.1",  "10.1",
                                        "localhost", "short",      "sixlocal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        compare_gethostbyname(names[i]);
    }
    assert_int_equal(differences, 0);
}

static double seconds_of(int (*look_up)(const char *), const char *name)
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    look_up(name);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static int look_up_ours(const char *name)
{
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    struct sim_resolver *resolver = configured();
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int error = 0;
    int result = sim_resolver_getaddrinfo(resolver, asker, name, NULL, &hints, &list, &error);
    if (result == 0) {
        sim_resolver_freeaddrinfo(list);
    }
    sim_resolver_destroy(resolver);
    return result;
}

static int look_up_theirs(const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int result = getaddrinfo(name, NULL, &hints, &list);
    if (result == 0) {
        freeaddrinfo(list);
    }
    return result;
}

static void a_silent_server__asked__both_give_up_after_the_same_time(void **state)
{
    (void)state;
    if (!isolated) {
        skip();
    }
    assert_int_equal(look_up_ours("silent.test"), EAI_AGAIN);
    double ours = seconds_of(look_up_ours, "silent.test");
    double theirs = seconds_of(look_up_theirs, "silent.test");
    if (ours < theirs - 0.5 || ours > theirs + 0.5) {
        fail_msg("ours gave up after %.2f s, the C library's after %.2f s", ours, theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_of_every_kind__looked_up__same_lists, count_anew),
        cmocka_unit_test_setup(numbers_and_none__looked_up__same_lists, count_anew),
        cmocka_unit_test_setup(protocols_in_hints__looked_up__same_lists, count_anew),
        cmocka_unit_test_setup(addresses__named__same_names, count_anew),
        cmocka_unit_test_setup(names__by_the_older_call__same_entries, count_anew),
        cmocka_unit_test(a_silent_server__asked__both_give_up_after_the_same_time),
    };
    int failed = cmocka_run_group_tests_name("resolver", tests, isolate, NULL);
    return failed == 0 && !isolated ? test_lacks("namespaces") : failed;
}
