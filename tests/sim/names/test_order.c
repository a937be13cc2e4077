/* The order of a name's addresses, rule by rule of RFC 6724, with sources that the test chooses.
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

/* "DESTINATION SOURCE"; what is not listed cannot be reached. */
static const char *const *paths;
static size_t path_count;
static struct sockaddr_in6 connected;
static int open_sockets, flags_asked;

static void print(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes =
        address->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
            : &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
}

static int order_socket(struct dry_caller caller, int family, int type, int protocol)
{
    assert_int_equal(type, SOCK_DGRAM | SOCK_CLOEXEC);
    assert_int_equal(protocol, IPPROTO_UDP);
    flags_asked++;
    open_sockets++;
    return 7;
}

static int order_close(struct dry_caller caller, int fd)
{
    assert_int_equal(fd, 7);
    open_sockets--;
    return 0;
}

static int order_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                         socklen_t length)
{
    char text[INET6_ADDRSTRLEN], source[64];
    print(address, text);
    in_port_t port = address->sa_family == AF_INET
                         ? ((const struct sockaddr_in *)(const void *)address)->sin_port
                         : ((const struct sockaddr_in6 *)(const void *)address)->sin6_port;
    assert_int_not_equal(port, 0); /* to port 0 nothing connects */
    for (size_t i = 0; i < path_count; i++) {
        size_t bytes = strlen(text);
        if (strncmp(paths[i], text, bytes) == 0 && paths[i][bytes] == ' ') {
            snprintf(source, sizeof source, "%s", paths[i] + bytes + 1);
            memset(&connected, 0, sizeof connected);
            connected.sin6_family = address->sa_family;
            void *at = address->sa_family == AF_INET
                           ? (void *)&((struct sockaddr_in *)(void *)&connected)->sin_addr
                           : &connected.sin6_addr;
            assert_int_equal(inet_pton(address->sa_family, source, at), 1);
            return 0;
        }
    }
    return -ENETUNREACH;
}

static int order_getsockname(struct dry_caller caller, int fd, struct sockaddr *address,
                             socklen_t *length)
{
    memcpy(address, &connected, *length);
    return 0;
}

static const struct dry_system scripted = {.name = "order",
                                           .socket = order_socket,
                                           .close = order_close,
                                           .connect = order_connect,
                                           .getsockname = order_getsockname};

/* given and wanted: addresses apart by blanks. */
static void expect(const char *given, const char *wanted, const char *const *with, size_t count)
{
    struct resolver_address addresses[32];
    char copy[1024], got[1024] = "", *rest;
    size_t n = 0;
    paths = with;
    path_count = count;
    snprintf(copy, sizeof copy, "%s", given);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        addresses[n] = (struct resolver_address){.family = strchr(word, ':') ? AF_INET6 : AF_INET};
        assert_int_equal(inet_pton(addresses[n].family, word, addresses[n].bytes), 1);
        n++;
    }
    open_sockets = 0;
    assert_true(resolver_order((struct dry_caller){.system = &scripted}, addresses, n));
    assert_int_equal(open_sockets, 0);
    for (size_t i = 0; i < n; i++) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(addresses[i].family, addresses[i].bytes, text, sizeof text);
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i == 0 ? "" : " ", text);
    }
    assert_string_equal(got, wanted);
}

#define ORDER(given, wanted, ...)                                   \
    expect(given, wanted, (const char *const[]){__VA_ARGS__, NULL}, \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void rule_1__no_path__last(void **state)
{
    (void)state;
    ORDER("2001:db8::1 198.51.100.1", "198.51.100.1 2001:db8::1", "198.51.100.1 198.51.100.9");
    ORDER("198.51.100.1 2001:db8::1", "2001:db8::1 198.51.100.1", "2001:db8::1 2001:db8::9");
    /* Of several without one: by precedence, and as they were. */
    ORDER("198.51.100.1 2001:db8::1 2001:db8::2", "2001:db8::1 2001:db8::2 198.51.100.1", "x y");
}

static void rule_2__scope_of_the_source__matching_first(void **state)
{
    (void)state;
    ORDER("2001:db8:1::1 198.51.100.121", "198.51.100.121 2001:db8:1::1", "2001:db8:1::1 fe80::1",
          "198.51.100.121 198.51.100.117");
    ORDER("2001:db8:1::1 198.51.100.121", "2001:db8:1::1 198.51.100.121", "2001:db8:1::1 2001:db8:1::2",
          "198.51.100.121 169.254.13.78");
    ORDER("198.51.100.121 169.254.13.1", "198.51.100.121 169.254.13.1", "198.51.100.121 198.51.100.117",
          "169.254.13.1 198.51.100.117");
    ORDER("10.0.0.1 127.0.0.2", "127.0.0.2 10.0.0.1", "10.0.0.1 10.0.0.2", "127.0.0.2 127.0.0.1");
    ORDER("ff05::1 2001:db8::1", "2001:db8::1 ff05::1", "ff05::1 2001:db8::2",
          "2001:db8::1 2001:db8::2");
    ORDER("2001:db8::1 fec0::1", "fec0::1 2001:db8::1", "2001:db8::1 fec0::2", "fec0::1 fec0::2");
}

static void rule_5__label_of_the_source__matching_first(void **state)
{
    (void)state;
    ORDER("2002:c633:6401::1 2001:db8:1::1", "2002:c633:6401::1 2001:db8:1::1",
          "2002:c633:6401::1 2002:c633:6401::2", "2001:db8:1::1 2002:c633:6401::2");
    ORDER("2001:db8::1 fd00::1", "fd00::1 2001:db8::1", "2001:db8::1 fd00::2", "fd00::1 fd00::2");
    ORDER("fc00::1 2001:db8::1", "2001:db8::1 fc00::1", "fc00::1 2001:db8::2",
          "2001:db8::1 2001:db8::2");
    ORDER("2001:0:1::1 2001:db8::1", "2001:db8::1 2001:0:1::1", "2001:0:1::1 2001:db8::2",
          "2001:db8::1 2001:db8::2");
    ORDER("3ffe::1 ::5", "3ffe::1 ::5", "3ffe::1 2001:db8::2", "::5 2001:db8::2");
}

static void rule_6__precedence__each_prefix_of_the_table(void **state)
{
    (void)state;
    /* 50 ::1 · 40 the rest of IPv6 · 30 6to4 · 20 compatible · 10 IPv4 */
    ORDER("2002:c633:6401::1 2001:db8:1::1", "2001:db8:1::1 2002:c633:6401::1",
          "2002:c633:6401::1 2002:c633:6401::2", "2001:db8:1::1 2001:db8:1::2");
    ORDER("198.51.100.1 2002:c633:6401::1", "2002:c633:6401::1 198.51.100.1",
          "2002:c633:6401::1 2002:c633:6401::2", "198.51.100.1 198.51.100.2");
    ORDER("198.51.100.1 ::9.9.9.9 2002::1", "2002::1 ::9.9.9.9 198.51.100.1",
          "198.51.100.1 198.51.100.2", "::9.9.9.9 ::9.9.9.8", "2002::1 2002::2");
    ORDER("198.51.100.1 2001:db8::1", "2001:db8::1 198.51.100.1", "198.51.100.1 198.51.100.2",
          "2001:db8::1 2001:db8::2");
    ORDER("10.0.0.1 fd00::1", "fd00::1 10.0.0.1", "10.0.0.1 10.0.0.2", "fd00::1 fd00::2");
    ORDER("fe80::1 ::1", "::1 fe80::1", "fe80::1 fe80::2", "::1 ::1");
    /* Teredo has no precedence of its own here, as the C library has it; 2001:1:: is none of it. */
    ORDER("2001::1 2001:1::1 2002::1", "2001::1 2001:1::1 2002::1", "2001::1 2001::2",
          "2001:1::1 2001:1::2", "2002::1 2002::2");
}

static void rule_8__scope__smaller_first(void **state)
{
    (void)state;
    ORDER("2001:db8:1::1 fe80::1", "fe80::1 2001:db8:1::1", "2001:db8:1::1 2001:db8:1::2",
          "fe80::1 fe80::2");
    ORDER("2001:db8:1::1 fec0::1 fe80::1", "fe80::1 fec0::1 2001:db8:1::1",
          "2001:db8:1::1 2001:db8:1::2", "fe80::1 fe80::2", "fec0::1 fec0::2");
    ORDER("10.0.0.1 169.254.1.1", "169.254.1.1 10.0.0.1", "10.0.0.1 10.0.0.2",
          "169.254.1.1 169.254.1.2");
    ORDER("10.0.0.1 127.1.2.3", "127.1.2.3 10.0.0.1", "10.0.0.1 10.0.0.2", "127.1.2.3 127.0.0.1");
    ORDER("10.0.0.1 169.253.1.1 128.0.0.1", "10.0.0.1 169.253.1.1 128.0.0.1", "10.0.0.1 10.1.0.2",
          "169.253.1.1 10.1.0.2", "128.0.0.1 10.1.0.2");
}

static void rule_9__common_bits_with_the_source__more_first(void **state)
{
    (void)state;
    ORDER("2001:db8:3ffe::1 2001:db8:1::1", "2001:db8:1::1 2001:db8:3ffe::1",
          "2001:db8:3ffe::1 2001:db8:3f44::2", "2001:db8:1::1 2001:db8:1::2");
    ORDER("fd00::8 fd00::3", "fd00::3 fd00::8", "fd00::8 fd00::2", "fd00::3 fd00::2");
    /* Of IPv4 only those near enough, and then by bits. */
    ORDER("10.0.1.1 10.0.0.200 10.0.0.3", "10.0.0.3 10.0.0.200 10.0.1.1", "10.0.1.1 10.0.0.2",
          "10.0.0.200 10.0.0.2", "10.0.0.3 10.0.0.2");
    ORDER("10.0.2.1 10.0.1.1", "10.0.2.1 10.0.1.1", "10.0.2.1 10.0.0.2", "10.0.1.1 10.0.0.2");
    ORDER("127.9.9.9 127.0.0.3", "127.0.0.3 127.9.9.9", "127.9.9.9 127.0.0.1", "127.0.0.3 127.0.0.1");
    /* Not without a source, and not across families. */
    ORDER("fd00::8 fd00::3", "fd00::8 fd00::3", "x y");
}

static void rule_10__nothing_else__as_they_were(void **state)
{
    (void)state;
    ORDER("10.1.0.5 10.2.0.4 10.3.0.3 10.4.0.2", "10.1.0.5 10.2.0.4 10.3.0.3 10.4.0.2",
          "10.1.0.5 10.9.0.1", "10.2.0.4 10.9.0.1", "10.3.0.3 10.9.0.1", "10.4.0.2 10.9.0.1");
    ORDER("10.1.0.5", "10.1.0.5", "x y");
    ORDER("", "", "x y");
}

static void one_address__ordered__no_socket_is_asked(void **state)
{
    (void)state;
    flags_asked = 0;
    ORDER("10.1.0.5", "10.1.0.5", "x y");
    assert_int_equal(flags_asked, 0);
    ORDER("10.1.0.5 10.1.0.6", "10.1.0.5 10.1.0.6", "x y");
    assert_int_equal(flags_asked, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_1__no_path__last),
        cmocka_unit_test(rule_2__scope_of_the_source__matching_first),
        cmocka_unit_test(rule_5__label_of_the_source__matching_first),
        cmocka_unit_test(rule_6__precedence__each_prefix_of_the_table),
        cmocka_unit_test(rule_8__scope__smaller_first),
        cmocka_unit_test(rule_9__common_bits_with_the_source__more_first),
        cmocka_unit_test(rule_10__nothing_else__as_they_were),
        cmocka_unit_test(one_address__ordered__no_socket_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
