/* How head lines write addresses and link settings: what is read, what is refused and why.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "../test.h"
#include "sim/net/host.h"
#include "sim/net/notation.h"

static char message[256];

static struct sim_link_options reads(const char *text)
{
    struct sim_link_options options = {0};
    if (sim_notation_link(text, &options, message, sizeof message) < 0) {
        fail_msg("%s: %s", text, message);
    }
    return options;
}

static void refuses(const char *text, const char *part)
{
    struct sim_link_options options = {0};
    message[0] = 0;
    assert_int_equal(sim_notation_link(text, &options, message, sizeof message), -EINVAL);
    if (!strstr(message, part)) {
        fail_msg("%s is refused with: %s", text, message);
    }
    static const struct sim_link_options untouched;
    assert_memory_equal(&options, &untouched, sizeof options);
}

static void each_setting__is_read__where_it_lies(void **state)
{
    assert_int_equal(reads("delay=20ms").delay_ns, 20000000);
    assert_int_equal(reads("delay=2.5us").delay_ns, 2500);
    assert_int_equal(reads("delay=1h").delay_ns, 3600000000000);
    assert_int_equal(reads("delay=0.999999999h").delay_ns, 3599999996400);
    assert_int_equal(reads("delay=0.100000000h").delay_ns, 360000000000);
    assert_int_equal(reads("delay=0.123456789min").delay_ns, 7407407340);
    assert_int_equal(reads("jitter=3min").jitter_ns, 180000000000);
    assert_int_equal(reads("loss=2.5%").loss_ppm, 25000);
    assert_int_equal(reads("duplicate=100%").duplicate_ppm, 1000000);
    assert_int_equal(reads("reorder=0.0001%").reorder_ppm, 1);
    assert_int_equal(reads("corrupt=0%").corrupt_ppm, 0);
    assert_int_equal(reads("rate=10mbit").rate_bits, 10000000);
    assert_int_equal(reads("rate=1.5kbit").rate_bits, 1500);
    assert_int_equal(reads("queue=64000").queue_bytes, 64000);
    assert_int_equal(reads("mtu=1280").mtu, 1280);
    assert_int_equal(reads("mtu=4294967295").mtu, UINT32_MAX);
    assert_int_equal(reads("down").down, 1);
}

static void a_time__is_read__to_its_bounds(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } times[] = {
        {"0ns", 0},
        {"1ns", 1},
        {"1us", 1000},
        {"1ms", 1000000},
        {"1s", 1000000000},
        {"1min", 60000000000},
        {"1h", 3600000000000},
        {"0.000000001s", 1},
        {"1.500000000s", 1500000000},
        {"0.25us", 250},
        {"4611686018427387903ns", UINT64_MAX / 4},
        {"1281023h", 1281023 * UINT64_C(3600000000000)},
    };
    static const char *const none[] = {
        "",
        "s",
        "5",
        "5.s",
        ".5s",
        "-1s",
        "+1s",
        "1 s",
        "1S",
        "1se",
        "1m",
        "1ss",
        "1.5ns",
        "0.0001us",
        "1.0000000000s",
        "4611686018427387904ns",
        "1281024h",
        "99999999999999999999999h",
        "1d",
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint64_t ns = 7;
        assert_int_equal(sim_read_time(times[i].text, strlen(times[i].text), &ns), 0);
        assert_int_equal(ns, times[i].ns);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        uint64_t ns = 7;
        if (sim_read_time(none[i], strlen(none[i]), &ns) != -EINVAL || ns != 7) {
            fail_msg("%s is read as %llu", none[i], (unsigned long long)ns);
        }
    }
    uint64_t ns = 7;
    assert_int_equal(sim_read_time("5ms.", 3, &ns), 0); /* only what its length says */
    assert_int_equal(ns, 5000000);
}

static void a_wrong_setting__is_refused__with_the_cure(void **state)
{
    refuses("delay", "no setting of a link");
    refuses("speed=1", "no setting of a link");
    refuses("down=1", "no setting of a link");
    refuses("delay=20", "no time");
    refuses("delay=-1ms", "no time");
    refuses("delay=0.5ns", "no time");
    refuses("delay=99999999999h", "no time");
    refuses("loss=101%", "no chance");
    refuses("loss=100.00001%", "no chance");
    refuses("loss=5", "no chance");
    refuses("rate=0bit", "no rate");
    refuses("rate=10mb", "no rate");
    refuses("mtu=4294967296", "no count");
    refuses("mtu=1.5", "no count");
    refuses("queue=12.", "no count");
    refuses("queue=12.0", "no count");
    refuses("queue=", "no count");
}

static void an_address__is_read__with_its_prefix(void **state)
{
    struct sim_ip ip;
    uint32_t bits;
    assert_int_equal(sim_notation_address("10.0.0.1", &ip, &bits, message, sizeof message), 0);
    assert_true(sim_ip_equal(ip, sim_ip_v4(0x0a000001)));
    assert_int_equal(bits, 24);
    assert_int_equal(sim_notation_address("10.0.0.1/16", &ip, &bits, message, sizeof message), 0);
    assert_int_equal(bits, 16);
    assert_int_equal(sim_notation_address("fd00::1", &ip, &bits, message, sizeof message), 0);
    assert_false(sim_ip_is_v4(ip));
    assert_int_equal(bits, 64);
    assert_int_equal(sim_notation_address("::/0", &ip, &bits, message, sizeof message), 0);
    assert_int_equal(bits, 0);
}

static void a_wrong_address__is_refused__with_the_cure(void **state)
{
    static const char *const wrong[] = {"10.0.0",         "10.0.0.1/33", "fd00::1/129", "10.0.0.1/",
                                        "10.0.0.1/+8",    "10.0.0.1/8x", "name",        "",
                                        "::ffff:10.0.0.1"};
    struct sim_ip ip;
    uint32_t bits;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        message[0] = 0;
        assert_int_equal(sim_notation_address(wrong[i], &ip, &bits, message, sizeof message), -EINVAL);
        assert_non_null(strstr(message, "write one such as"));
    }
}

static void an_mtu__of_nothing__is_1500(void **state)
{
    assert_int_equal(sim_link_mtu(0), 1500);
    assert_int_equal(sim_link_mtu(576), 576);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time__is_read__to_its_bounds),
        cmocka_unit_test(each_setting__is_read__where_it_lies),
        cmocka_unit_test(a_wrong_setting__is_refused__with_the_cure),
        cmocka_unit_test(an_address__is_read__with_its_prefix),
        cmocka_unit_test(a_wrong_address__is_refused__with_the_cure),
        cmocka_unit_test(an_mtu__of_nothing__is_1500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
