/* Tests of ambiguity: a race that one schedule in many shows, and an event beside a step, are found.
 * SPDX-License-Identifier: MIT */
#include "../scenario_text.h"

#include "harness/world/ambiguity.h"

#include <stdio.h>

/* Whether the scenario is ambiguous; `part` must stand in the sentence. */
static bool is_ambiguous(const char *file, const char *part)
{
    struct scenario *scenario = reads(file);
    struct world_options options = {0};
    struct text text = {0};
    struct trace *base = world_run(scenario, &options);

    bool found = ambiguity_check(scenario, &options, base, &text) != 0;
    if (found && strstr(text.bytes, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", text.bytes, part);
    }
    text_free(&text);
    trace_free(base);
    scenario_free(scenario);
    return found;
}

/* What the first actor's step shows under a schedule. */
static bool shows_as_base(const struct scenario *scenario, const struct trace *base, uint64_t seed,
                          uint32_t step)
{
    struct world_options options = {.schedule_seed = seed};
    struct trace *other = world_run(scenario, &options);
    bool same = strcmp(base->actors[0].steps[step].outcome, other->actors[0].steps[step].outcome) == 0;
    trace_free(other);
    return same;
}

enum { SENDERS = 8 };

/* Senders at one instant; the receiver sees two bytes only when that one is first. */
static void write_race(char text[4000], int long_one)
{
    snprintf(text, 4000,
             "[a]\ns = socket(AF_INET, SOCK_DGRAM)\ns.bind((\"127.0.0.1\", 9))\nsync up\n"
             "len(s.recv(9))\n");
    for (int i = 0; i < SENDERS; i++) {
        size_t at = strlen(text);
        snprintf(text + at, 4000 - at,
                 "[s%d]\ns = socket(AF_INET, SOCK_DGRAM)\nsync up\n"
                 "s.sendto(b\"%s\", (\"127.0.0.1\", 9))\n",
                 i, i == long_one ? "xx" : "x");
    }
}

/* The first seed under which the receiver sees another length than under none. */
static uint64_t first_that_differs(const char *text)
{
    struct scenario *scenario = reads(text);
    struct world_options options = {0};
    struct trace *base = world_run(scenario, &options);
    uint64_t seed = 1;
    while (seed <= AMBIGUITY_SEEDS && shows_as_base(scenario, base, seed, 3)) {
        seed++;
    }
    trace_free(base);
    scenario_free(scenario);
    return seed;
}

static void a_race__whichever_of_the_schedules_shows_it__is_found(void **state)
{
    char text[4000];
    uint64_t latest = 0;
    for (int i = 0; i < SENDERS; i++) {
        write_race(text, i);
        uint64_t seed = first_that_differs(text);
        assert_int_equal(is_ambiguous(text, "len(s.recv(9)) shows "), seed <= AMBIGUITY_SEEDS);
        latest = seed <= AMBIGUITY_SEEDS && seed > latest ? seed : latest;
    }
    assert_true(latest > 4); /* some are shown late only */
}

static void what_only_the_network_orders__is_not_ambiguous(void **state)
{
    assert_false(
        is_ambiguous("[a]\ns = socket(AF_INET, SOCK_DGRAM)\ns.bind((\"127.0.0.1\", 9))\nsync up\n"
                     "s.recv(9)\n[b]\ns = socket(AF_INET, SOCK_DGRAM)\nsync up\n"
                     "s.sendto(b\"x\", (\"127.0.0.1\", 9))\n",
                     ""));
}

static void a_signal_at_the_instant_of_a_deadline__is_ambiguous(void **state)
{
    static const char at_once[] =
        "at 100ms signal x SIGUSR1\n[x]\non_signal(STOP)\ns, t = socketpair()\n"
        "s.settimeout(0.1)\ns.recv(1)\n";
    static const char before[] = "at 99ms signal x SIGUSR1\n[x]\non_signal(STOP)\ns, t = socketpair()\n"
                                 "s.settimeout(0.1)\ns.recv(1)\n";
    assert_true(is_ambiguous(at_once, "give it an instant of its own"));
    assert_false(is_ambiguous(before, ""));
}

static void a_link_that_goes_as_a_packet_leaves__is_ambiguous(void **state)
{
    static const char text[] = "host a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay=10ms\n"
                               "at 100ms link a b down\n"
                               "[x on a]\ns = socket(AF_INET, SOCK_DGRAM)\ns.bind((\"10.0.0.1\", 9))\n"
                               "s.settimeout(1)\ns.recv(9)\n"
                               "[y on b]\ns = socket(AF_INET, SOCK_DGRAM)\nsleep(0.1)\n"
                               "s.sendto(b\"x\", (\"10.0.0.1\", 9))\n";
    assert_true(is_ambiguous(text, "an event (at"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_race__whichever_of_the_schedules_shows_it__is_found),
        cmocka_unit_test(what_only_the_network_orders__is_not_ambiguous),
        cmocka_unit_test(a_signal_at_the_instant_of_a_deadline__is_ambiguous),
        cmocka_unit_test(a_link_that_goes_as_a_packet_leaves__is_ambiguous),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
