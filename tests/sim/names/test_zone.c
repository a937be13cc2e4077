/* A zone's records as text, and the bytes of its answers.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/names/zone.h"

enum { REPLY_BYTES = 65535 };

static struct sim_zone *zone;
static char message[200];
static uint8_t reply[REPLY_BYTES];
static struct sim_zone_reply result;

static int begin(void **state)
{
    (void)state;
    zone = sim_zone_create();
    return zone == NULL;
}

static int end(void **state)
{
    (void)state;
    sim_zone_destroy(zone);
    return 0;
}

static void add(const char *text)
{
    size_t column = 0;
    if (sim_zone_add(zone, text, message, sizeof message, &column) != 0) {
        fail_msg("%s: %s at %zu", text, message, column);
    }
}

static void expect_wrong(const char *text, size_t at, const char *beginning)
{
    size_t column = 999;
    assert_int_equal(sim_zone_add(zone, text, message, sizeof message, &column), -EINVAL);
    assert_int_equal(strncmp(message, beginning, strlen(beginning)), 0);
    assert_int_equal(column, at);
    assert_int_equal(sim_zone_add(zone, text, message, sizeof message, NULL), -EINVAL);
}

/* edns: the size that OPT says, 0 without one. */
static void ask(const char *name, int type, unsigned edns, bool over_tcp)
{
    uint8_t query[512] = {0xab, 0xcd, 0x01, 0x00, 0, 1};
    int bytes = dn_comp(name, query + NS_HFIXEDSZ, 300, NULL, NULL);
    assert_true(bytes > 0);
    uint8_t *at = query + NS_HFIXEDSZ + bytes;
    NS_PUT16(type, at);
    NS_PUT16(ns_c_in, at);
    if (edns != 0) {
        query[11] = 1;
        *at++ = 0;
        NS_PUT16(ns_t_opt, at);
        NS_PUT16(edns, at);
        NS_PUT32(0, at);
        NS_PUT16(0, at);
    }
    memset(reply, 0x55, sizeof reply);
    result = sim_zone_answer(zone, query, (size_t)(at - query), over_tcp, reply, sizeof reply);
}

static int code(void)
{
    return reply[3] & 15;
}

static unsigned answers(void)
{
    return ns_get16(reply + 6);
}

static bool truncated(void)
{
    return (reply[2] & 2) != 0;
}

static void expect_bytes(const char *hex)
{
    char got[1024] = "";
    for (size_t i = 0; i < result.length && i < 500; i++) {
        snprintf(got + 2 * i, sizeof got - 2 * i, "%02x", reply[i]);
    }
    assert_string_equal(got, hex);
}

#define HEAD(flags, answers) "abcd" flags "0001" answers "00000000"

static void each_type__asked__its_bytes(void **state)
{
    (void)state;
    add("a.b A 10.0.0.1");
    add("a.b AAAA fd00::1 ttl=60");
    add("a.b TXT hello");
    add("a.b MX 10 mail.a.b");
    add("c.b CNAME a.b");
    add("10.0.0.1 PTR a.b");
    ask("a.b", ns_t_a, 0, false);
    expect_bytes(HEAD("8580", "0001") "01610162000001"
                                      "0001"
                                      "c00c00010001"
                                      "00000e10"
                                      "0004"
                                      "0a000001");
    ask("A.b", ns_t_aaaa, 0, false);
    expect_bytes(HEAD("8580", "0001") "0141016200001c"
                                      "0001"
                                      "c00c001c0001"
                                      "0000003c"
                                      "0010"
                                      "fd000000000000000000000000000001");
    ask("a.b", ns_t_txt, 0, false);
    expect_bytes(HEAD("8580", "0001") "016101620000100001"
                                      "c00c00100001"
                                      "00000e10"
                                      "0006"
                                      "0568656c6c6f");
    ask("a.b", ns_t_mx, 0, false);
    expect_bytes(HEAD("8580", "0001") "0161016200000f0001"
                                      "c00c000f0001"
                                      "00000e10"
                                      "0009"
                                      "000a"
                                      "046d61696c"
                                      "c00c");
    ask("c.b", ns_t_a, 0, false);
    expect_bytes(HEAD("8580", "0002") "016301620000010001"
                                      "c00c00050001"
                                      "00000e10"
                                      "0004"
                                      "0161c00e"
                                      "c02100010001"
                                      "00000e10"
                                      "0004"
                                      "0a000001");
    ask("c.b", ns_t_cname, 0, false);
    assert_int_equal(answers(), 1);
    ask("1.0.0.10.in-addr.arpa", ns_t_ptr, 0, false);
    assert_int_equal(answers(), 1);
    ask("a.b", ns_t_any, 0, false);
    assert_int_equal(answers(), 4);
    ask("a.b", ns_t_ns, 0, false);
    assert_int_equal(code(), 0);
    assert_int_equal(answers(), 0);
    ask("b", ns_t_a, 0, false);
    expect_bytes(HEAD("8583", "0000") "016200"
                                      "00010001");
}

static void each_behaviour__of_a_name_and_of_a_type__its_code(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int code;
    } words[] = {{"nxdomain", 3}, {"servfail", 2}, {"refused", 5},
                 {"formerr", 1},  {"notimp", 4},   {"nodata", 0}};
    char text[100];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(text, sizeof text, "whole%zu.b %s", i, words[i].word);
        add(text);
        snprintf(text, sizeof text, "typed%zu.b aaaa %s delay=3ms", i, words[i].word);
        add(text);
        snprintf(text, sizeof text, "typed%zu.b A 10.0.0.1", i);
        add(text);
        snprintf(text, sizeof text, "alias%zu.b CNAME typed%zu.b", i, i);
        add(text);
        snprintf(text, sizeof text, "whole%zu.b", i);
        ask(text, ns_t_a, 0, false);
        assert_int_equal(code(), words[i].code);
        assert_int_equal(answers(), 0);
        snprintf(text, sizeof text, "typed%zu.b", i);
        ask(text, ns_t_aaaa, 0, true);
        assert_int_equal(code(), words[i].code);
        assert_int_equal(result.delay_ns, 3000000);
        ask(text, ns_t_a, 0, false);
        assert_int_equal(code(), 0);
        assert_int_equal(answers(), 1);
        assert_int_equal(result.delay_ns, 0);
        snprintf(text, sizeof text, "alias%zu.b", i);
        ask(text, ns_t_aaaa, 0, false);
        assert_int_equal(code(), words[i].code);
        assert_int_equal(answers(), 1); /* the alias itself */
    }
    add("quiet.b silent");
    ask("quiet.b", ns_t_a, 0, false);
    assert_int_equal(result.length, 0);
    add("half.b A 10.0.0.1");
    add("half.b AAAA silent");
    ask("half.b", ns_t_aaaa, 0, false);
    assert_int_equal(result.length, 0);
    ask("half.b", ns_t_a, 0, false);
    assert_int_equal(answers(), 1);
    add("long.b A 10.0.0.1");
    add("long.b truncate");
    ask("long.b", ns_t_a, 0, false);
    assert_true(truncated());
    assert_int_equal(answers(), 0);
    ask("long.b", ns_t_a, 0, true);
    assert_false(truncated());
    assert_int_equal(answers(), 1);
}

static void delays__of_records_and_behaviours__the_last_stated(void **state)
{
    (void)state;
    add("a.b A 10.0.0.1 delay=200ms");
    add("a.b A 10.0.0.2");
    ask("a.b", ns_t_a, 0, false);
    assert_int_equal(result.delay_ns, 200000000);
    assert_int_equal(answers(), 2);
    add("a.b A 10.0.0.3 ttl=5 delay=1.5s");
    ask("a.b", ns_t_aaaa, 0, false);
    assert_int_equal(result.delay_ns, 1500000000);
    add("c.b nxdomain delay=1min");
    ask("c.b", ns_t_a, 0, false);
    assert_int_equal(result.delay_ns, 60000000000);
}

/* The head, the question and 16 bytes for each address. */
static size_t bytes_of(size_t addresses)
{
    return NS_HFIXEDSZ + 5 + NS_QFIXEDSZ + 16 * addresses;
}

static void many_addresses__over_udp_and_tcp__whole_or_truncated_at_the_byte(void **state)
{
    (void)state;
    char text[100];
    for (int i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "m.b A 10.0.0.%d", i);
        add(text);
        if (i == 30) {
            ask("m.b", ns_t_a, 0, false);
            assert_false(truncated());
            assert_int_equal(result.length, bytes_of(30));
            ask("m.b", ns_t_a, 512, false); /* room for OPT is taken from it */
            assert_false(truncated() && bytes_of(30) + 11 <= 512);
        }
    }
    ask("m.b", ns_t_a, 0, false);
    assert_true(truncated());
    assert_int_equal(result.length, bytes_of(0));
    assert_int_equal(answers(), 0);
    ask("m.b", ns_t_a, 0, true);
    assert_int_equal(result.length, bytes_of(100));
    assert_int_equal(answers(), 100);
    for (unsigned edns = 500; edns < 2000; edns++) {
        ask("m.b", ns_t_a, edns, false);
        unsigned room = edns < 512 ? 512 : edns < 1232 ? edns : 1232;
        assert_int_equal(truncated(), bytes_of(100) + 11 > room);
        assert_int_equal(reply[11], 1);
    }
}

static void a_datagram__full_to_the_byte__whole(void **state)
{
    (void)state;
    /* 12 + 9 + 30 × 16 = 501: eleven bytes are left, which OPT takes; a TXT of n takes 13 + n. */
    char text[300];
    for (int i = 1; i <= 29; i++) {
        snprintf(text, sizeof text, "f.b A 10.0.0.%d", i);
        add(text);
    }
    ask("f.b", ns_t_any, 0, false);
    size_t left = 512 - result.length;
    snprintf(text, sizeof text, "f.b TXT %.*s", (int)(left - 13),
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    add(text);
    ask("f.b", ns_t_any, 0, false);
    assert_int_equal(result.length, 512);
    assert_false(truncated());
    ask("f.b", ns_t_any, 512, false);
    assert_true(truncated());
    add("f.b TXT x");
    ask("f.b", ns_t_any, 0, false);
    assert_true(truncated());
}

static void aliases__sixteen_and_seventeen__followed_and_a_failure(void **state)
{
    (void)state;
    char text[100];
    for (int i = 0; i < 17; i++) {
        snprintf(text, sizeof text, "a%d.b CNAME a%d.b", i, i + 1);
        add(text);
    }
    add("a17.b A 10.0.0.1");
    add("ring.b CNAME ring.b");
    ask("a1.b", ns_t_a, 0, true);
    assert_int_equal(code(), 0);
    assert_int_equal(answers(), 17);
    ask("a0.b", ns_t_a, 0, true);
    assert_int_equal(code(), 2);
    assert_int_equal(answers(), 17);
    ask("ring.b", ns_t_a, 0, true);
    assert_int_equal(code(), 2);
}

static void texts__of_wrong_form__told_in_their_place(void **state)
{
    (void)state;
    char longest[400] = "a.b TXT ";
    expect_wrong("", 0, "a record is NAME TYPE VALUE");
    expect_wrong("a.b", 3, "a record is NAME TYPE VALUE");
    expect_wrong("a.b A", 5, "the record lacks its value");
    expect_wrong("a.b A 10.0.0", 6, "'10.0.0' is not an IPv4 address");
    expect_wrong("a.b A fd00::1", 6, "'fd00::1' is not an IPv4");
    expect_wrong("a.b AAAA 10.0.0.1", 9, "'10.0.0.1' is not an IPv6");
    expect_wrong("a.b A 10.0.0.1 10.0.0.2", 6, "a record of this type has one");
    expect_wrong("a.b B 10.0.0.1", 4, "after the name stands A, AAAA");
    expect_wrong("a..b A 10.0.0.1", 0, "the record's name is not");
    expect_wrong("a.b CNAME c..d", 10, "'c..d' is not a domain name");
    expect_wrong("a.b A 10.0.0.1 ttl=x", 15, "ttl= wants seconds");
    expect_wrong("a.b A 10.0.0.1 ttl=2147483648", 15, "ttl= wants seconds");
    expect_wrong("a.b A 10.0.0.1 delay=5", 15, "delay= wants a time");
    expect_wrong("a.b nxdomain 5", 13, "nothing may follow but");
    expect_wrong("a.b AAAA servfail 5", 18, "nothing may follow but");
    expect_wrong("a.b MX x mail", 7, "in front of the name of an MX");
    expect_wrong("a.b MX 65536 mail", 7, "in front of the name of an MX");
    expect_wrong("a.b MX 1 2 mail", 7, "a record of this type has one");
    expect_wrong("1 2 3 4 5 6 7 8 9", 14, "a record has at most 8 words");
    memset(longest + 8, 'x', 256);
    expect_wrong(longest, 8, "the value is too long; 255 bytes");
    longest[8 + 255] = 0;
    add(longest);
    add("  c.b   a  10.0.0.1   ttl=2147483647  delay=1us ");
    ask("c.b", ns_t_a, 0, false);
    assert_int_equal(result.delay_ns, 1000);
    assert_int_equal(ns_get32(reply + NS_HFIXEDSZ + 9 + 6), 2147483647);
    add("d.b MX mail"); /* without a preference: 0 */
    ask("d.b", ns_t_mx, 0, false);
    assert_int_equal(answers(), 1);
}

static void what_is_no_query__answered__not_at_all(void **state)
{
    (void)state;
    static const uint8_t query[29] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};
    uint8_t response[19];
    memcpy(response, query, sizeof response);
    response[2] = 0x81;
    assert_int_equal(sim_zone_answer(zone, response, 19, false, reply, sizeof reply).length, 0);
    assert_int_equal(sim_zone_answer(zone, query, 11, false, reply, sizeof reply).length, 0);
    assert_int_equal(sim_zone_answer(zone, query, 12, false, reply, sizeof reply).length, 12);
    assert_int_equal(code(), 1);
    assert_int_equal(sim_zone_answer(zone, query, 18, false, reply, sizeof reply).length, 12);
    assert_int_equal(sim_zone_answer(zone, query, 19, false, reply, sizeof reply).length, 19);
    assert_int_equal(sim_zone_answer(zone, query, 19, false, reply, SIM_ZONE_REPLY_BYTES).length, 19);
    assert_int_equal(sim_zone_answer(zone, query, 19, false, reply, SIM_ZONE_REPLY_BYTES - 1).length,
                     0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_type__asked__its_bytes),
        TEST(each_behaviour__of_a_name_and_of_a_type__its_code),
        TEST(delays__of_records_and_behaviours__the_last_stated),
        TEST(many_addresses__over_udp_and_tcp__whole_or_truncated_at_the_byte),
        TEST(a_datagram__full_to_the_byte__whole),
        TEST(aliases__sixteen_and_seventeen__followed_and_a_failure),
        TEST(texts__of_wrong_form__told_in_their_place),
        TEST(what_is_no_query__answered__not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
