/* The world's own services and protocols, by name and by number, and as files.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/names/services.h"

static char buffer[512];
static struct servent service;
static struct protoent protocol;

static void expect_service(int result, const char *name, int port, const char *proto, size_t aliases)
{
    assert_int_equal(result, 0);
    assert_string_equal(service.s_name, name);
    assert_int_equal(ntohs((uint16_t)service.s_port), port);
    assert_string_equal(service.s_proto, proto);
    size_t count = 0;
    while (service.s_aliases[count] != NULL) {
        count++;
    }
    assert_int_equal(count, aliases);
}

#define BY_NAME(name, proto) sim_service_by_name(name, proto, &service, buffer, sizeof buffer)
#define BY_PORT(port, proto) sim_service_by_port(htons(port), proto, &service, buffer, sizeof buffer)

static void service__by_name__first_row_and_protocol_that_fit(void **state)
{
    (void)state;
    expect_service(BY_NAME("http", NULL), "http", 80, "tcp", 1);
    assert_string_equal(service.s_aliases[0], "www");
    expect_service(BY_NAME("www", "tcp"), "http", 80, "tcp", 1);
    expect_service(BY_NAME("domain", "udp"), "domain", 53, "udp", 0);
    expect_service(BY_NAME("syslog", NULL), "shell", 514, "tcp", 2);
    expect_service(BY_NAME("syslog", "udp"), "syslog", 514, "udp", 0);
    expect_service(BY_NAME("echo", "ddp"), "echo", 4, "ddp", 0);
    expect_service(BY_NAME("discard", NULL), "discard", 9, "tcp", 2);
    assert_string_equal(service.s_aliases[0], "sink");
    assert_string_equal(service.s_aliases[1], "null");
    expect_service(BY_NAME("null", "udp"), "discard", 9, "udp", 2);
    assert_int_equal(BY_NAME("ssh", "udp"), -ENOENT);
    assert_int_equal(BY_NAME("HTTP", NULL), -ENOENT);
    assert_int_equal(BY_NAME("htt", NULL), -ENOENT);
    assert_int_equal(BY_NAME("", NULL), -ENOENT);
    assert_int_equal(BY_NAME("fido", NULL), 0);
    assert_int_equal(BY_NAME("tcpmux", NULL), 0);
}

static void service__by_port__first_row_and_protocol_that_fit(void **state)
{
    (void)state;
    expect_service(BY_PORT(53, NULL), "domain", 53, "tcp", 0);
    expect_service(BY_PORT(514, "udp"), "syslog", 514, "udp", 0);
    expect_service(BY_PORT(514, NULL), "shell", 514, "tcp", 2);
    expect_service(BY_PORT(60179, NULL), "fido", 60179, "tcp", 0);
    assert_int_equal(BY_PORT(22, "udp"), -ENOENT);
    assert_int_equal(BY_PORT(0, NULL), -ENOENT);
    assert_int_equal(sim_service_by_port(53, NULL, &service, buffer, sizeof buffer), -ENOENT);
}

static void protocol__by_name_or_alias__its_number(void **state)
{
    (void)state;
    assert_int_equal(sim_protocol_by_name("tcp", &protocol, buffer, sizeof buffer), 0);
    assert_int_equal(protocol.p_proto, 6);
    assert_string_equal(protocol.p_name, "tcp");
    assert_string_equal(protocol.p_aliases[0], "TCP");
    assert_null(protocol.p_aliases[1]);
    assert_int_equal(sim_protocol_by_name("UDP", &protocol, buffer, sizeof buffer), 0);
    assert_int_equal(protocol.p_proto, 17);
    assert_int_equal(sim_protocol_by_name("ip", &protocol, buffer, sizeof buffer), 0);
    assert_int_equal(protocol.p_proto, 0);
    assert_int_equal(sim_protocol_by_name("mptcp", &protocol, buffer, sizeof buffer), 0);
    assert_int_equal(protocol.p_proto, 262);
    assert_int_equal(sim_protocol_by_name("manet", &protocol, buffer, sizeof buffer), 0);
    assert_null(protocol.p_aliases[0]);
    assert_int_equal(sim_protocol_by_name("Tcp", &protocol, buffer, sizeof buffer), -ENOENT);
}

static void a_small_buffer__of_each_size__nothing_or_the_whole(void **state)
{
    (void)state;
    size_t enough = 0;
    for (size_t bytes = 0; bytes < 64; bytes++) {
        char *room = malloc(bytes + 1); /* of this size, for the memory checkers */
        int result = sim_service_by_name("discard", "udp", &service, room, bytes);
        assert_true(result == 0 || result == -ENOENT);
        assert_true(enough == 0 || result == 0);
        enough = result == 0 && enough == 0 ? bytes : enough;
        free(room);
    }
    /* Three pointers, "sink", "null", "discard" and "udp". */
    assert_int_equal(enough, 3 * sizeof(char *) + 5 + 5 + 8 + 4);
}

static void as_files__lines_of_services_and_protocols__first_and_last(void **state)
{
    (void)state;
    char *text = sim_services_text();
    assert_int_equal(strncmp(text, "tcpmux 1/tcp \necho 7/tcp \necho 7/udp \n", 38), 0);
    assert_non_null(strstr(text, "\nhttp 80/tcp www\n"));
    assert_non_null(strstr(text, "\nfido 60179/tcp \n"));
    free(text);
    text = sim_protocols_text();
    assert_int_equal(strncmp(text, "ip 0 IP\n", 8), 0);
    assert_non_null(strstr(text, "\nudp 17 UDP\n"));
    free(text);
}

/* FNV-1a: a row that changes is a program's port that changes. */
static uint64_t digest(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text != 0; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
    }
    return hash;
}

static void the_tables__whole__are_these(void **state)
{
    (void)state;
    char *text = sim_services_text();
    assert_int_equal(digest(text), 0xbcbecd9fcc6ceb41);
    free(text);
    text = sim_protocols_text();
    assert_int_equal(digest(text), 0xe455015bb05e9cbe);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service__by_name__first_row_and_protocol_that_fit),
        cmocka_unit_test(service__by_port__first_row_and_protocol_that_fit),
        cmocka_unit_test(protocol__by_name_or_alias__its_number),
        cmocka_unit_test(a_small_buffer__of_each_size__nothing_or_the_whole),
        cmocka_unit_test(the_tables__whole__are_these),
        cmocka_unit_test(as_files__lines_of_services_and_protocols__first_and_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
