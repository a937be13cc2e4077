/* The resolver beside the C library's own at a name server that answers in every wrong way.
 * SPDX-License-Identifier: MIT
 *
 * Both must give the same, after the same time, and have asked the same: the bytes of each query, its
 * transport and server, whether it came from a port and with an identifier seen before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <drysock/system.h>

#include "sim/names/resolver.h"

#include "apart.h"
#include "hostile.h"

enum { CASES = 700, TEXT_BYTES = 65536, NAME_BYTES = 300 };

enum how { BY_ADDRINFO, BY_NAME, BY_ADDRESS };

/* One look-up of "o12REST" by ours and of "t12REST" by theirs. kinds: for A, for AAAA, and for both
 * under the second domain. */
static struct look_up {
    enum how how;
    const char *rest;
    int family, flags;
    enum hostile_kind kinds[3];
    size_t before;    /* another one, which the same thread made before; 0: none */
    bool only_before; /* stands here for that alone */
} look_ups[CASES];
static size_t count;

static bool isolated;
static const char *configuration;

static enum hostile_kind kind_of(int number, const char *rest, int type, int times)
{
    const struct look_up *look_up = &look_ups[number];
    (void)times;
    if (strncmp(rest, "second", 6) == 0) {
        return look_up->kinds[2];
    }
    return look_up->kinds[type == 28];
}

static void add(enum how how, const char *rest, int family, int flags, enum hostile_kind a,
                enum hostile_kind aaaa, enum hostile_kind second)
{
    assert_true(count < CASES);
    look_ups[count++] = (struct look_up){how, rest, family, flags, {a, aaaa, second}, 0, false};
}

/* ---- one look-up --------------------------------------------------------------------------------- */

struct told {
    pthread_t thread;
    size_t number;
    uint32_t habit;
    bool ours;
    double seconds;
    char text[TEXT_BYTES];
};

static void print_list(char *text, int result, const struct addrinfo *list)
{
    size_t at = (size_t)snprintf(text, TEXT_BYTES, "%d", result);
    for (; result == 0 && list != NULL && at < TEXT_BYTES - 200; list = list->ai_next) {
        char host[64];
        getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
        /* The letter that tells the two apart is no difference. */
        at += (size_t)snprintf(text + at, TEXT_BYTES - at, " %s %s", host,
                               list->ai_canonname != NULL ? list->ai_canonname + 1 : "-");
    }
}

static void print_entry(char *text, int h_error, const struct hostent *entry)
{
    size_t at = (size_t)snprintf(text, TEXT_BYTES, "%d", h_error);
    if (h_error != 0) {
        return;
    }
    at += (size_t)snprintf(text + at, TEXT_BYTES - at, " %s:", entry->h_name + 1);
    for (char **alias = entry->h_aliases; *alias != NULL; alias++) {
        at += (size_t)snprintf(text + at, TEXT_BYTES - at, " %s", *alias + 1);
    }
    for (char **address = entry->h_addr_list; *address != NULL; address++) {
        char host[64];
        inet_ntop(entry->h_addrtype, *address, host, sizeof host);
        at += (size_t)snprintf(text + at, TEXT_BYTES - at, " %s",
                               entry->h_addr_list[1] != NULL ? host : "");
    }
}

static struct sim_resolver *configured(void)
{
    struct sim_resolver *resolver = sim_resolver_create();
    char copy[400], *rest, message[100];
    snprintf(copy, sizeof copy, "%s", configuration);
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(sim_resolver_add_line(resolver, line, message, sizeof message, NULL), 0);
    }
    return resolver;
}

static void ask_ours(struct told *told, const char *name, const uint8_t address[4])
{
    const struct look_up *look_up = &look_ups[told->number];
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &told->habit};
    struct sim_resolver *resolver = configured();
    struct addrinfo hints = {.ai_family = look_up->family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = look_up->flags},
                    *list = NULL;
    struct hostent entry;
    char buffer[DRY_HOSTENT_BYTES];
    int error = 0;
    if (look_up->how == BY_ADDRINFO) {
        int result = sim_resolver_getaddrinfo(resolver, asker, name, NULL, &hints, &list, &error);
        print_list(told->text, result, list);
        sim_resolver_freeaddrinfo(list);
    } else {
        int h_error = look_up->how == BY_NAME
                          ? sim_resolver_gethostbyname(resolver, asker, name, look_up->family, &entry,
                                                       buffer, sizeof buffer)
                          : sim_resolver_gethostbyaddr(resolver, asker, address, 4, AF_INET, &entry,
                                                       buffer, sizeof buffer);
        print_entry(told->text, h_error, &entry);
    }
    sim_resolver_destroy(resolver);
}

static void ask_theirs(struct told *told, const char *name, const uint8_t address[4])
{
    const struct look_up *look_up = &look_ups[told->number];
    struct addrinfo hints = {.ai_family = look_up->family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = look_up->flags},
                    *list = NULL;
    struct hostent entry, *found = NULL;
    char buffer[DRY_HOSTENT_BYTES];
    int error = 0;
    if (look_up->how == BY_ADDRINFO) {
        int result = getaddrinfo(name, NULL, &hints, &list);
        print_list(told->text, result, list);
        if (result == 0) {
            freeaddrinfo(list);
        }
        return;
    }
    if (look_up->how == BY_NAME) {
        gethostbyname2_r(name, look_up->family, &entry, buffer, sizeof buffer, &found, &error);
    } else {
        gethostbyaddr_r(address, 4, AF_INET, &entry, buffer, sizeof buffer, &found, &error);
    }
    print_entry(told->text, found != NULL ? 0 : error, &entry);
}

static void ask_once(struct told *told)
{
    char name[NAME_BYTES];
    uint8_t address[4] = {10, told->ours ? 1 : 2, (uint8_t)(told->number >> 8), (uint8_t)told->number};
    snprintf(name, sizeof name, "%c%zu%s", told->ours ? 'o' : 't', told->number,
             look_ups[told->number].rest);
    if (told->ours) {
        ask_ours(told, name, address);
    } else {
        ask_theirs(told, name, address);
    }
}

static void *ask(void *argument)
{
    struct told *told = argument;
    struct timespec from, to;
    size_t number = told->number;
    if (look_ups[number].only_before) {
        return NULL;
    }
    if (look_ups[number].before != 0) {
        told->number = look_ups[number].before;
        ask_once(told);
        told->number = number;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    ask_once(told);
    clock_gettime(CLOCK_MONOTONIC, &to);
    told->seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    return NULL;
}

/* ---- all of a table ------------------------------------------------------------------------------ */

static bool same(size_t number, const struct told *ours, const struct told *theirs, bool tell)
{
    static char asked[2][TEXT_BYTES];
    const struct look_up *look_up = &look_ups[number];
    hostile_transcript('o', (int)number, asked[1], TEXT_BYTES);
    hostile_transcript('t', (int)number, asked[0], TEXT_BYTES);
    double late = ours->seconds - theirs->seconds;
    bool result = strcmp(ours->text, theirs->text) == 0 && strcmp(asked[0], asked[1]) == 0 &&
                  late > -0.4 && late < 0.4;
    if (!result && tell) {
        print_message("%s: how %d family %d flags %d %s: %s %s %s\n  ours %.2f s %.300s\n  libc %.2f s "
                      "%.300s\n  ours asked%.2600s\n  libc asked%.2600s\n",
                      configuration, (int)look_up->how, look_up->family, look_up->flags, look_up->rest,
                      hostile_name(look_up->kinds[0]), hostile_name(look_up->kinds[1]),
                      hostile_name(look_up->kinds[2]), ours->seconds, ours->text, theirs->seconds,
                      theirs->text, asked[1], asked[0]);
    }
    return result;
}

static void begin_thread(struct told *told, size_t number, bool ours)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 18);
    *told = (struct told){.number = number, .ours = ours};
    assert_int_equal(pthread_create(&told->thread, &attributes, ask, told), 0);
    pthread_attr_destroy(&attributes);
}

/* Both of these look-ups at once, for most of the time is spent waiting; how many differ. What differs
 * is asked again alone: identifiers that happen to be equal look like one that was seen before. */
static unsigned compare_some(struct told *told, size_t from, size_t to, bool again)
{
    unsigned differences = 0;
    for (size_t i = from; i < to; i++) {
        begin_thread(&told[2 * (i - from)], i, true);
        begin_thread(&told[2 * (i - from) + 1], i, false);
    }
    for (size_t i = 0; i < 2 * (to - from); i++) {
        pthread_join(told[i].thread, NULL);
    }
    for (size_t i = from; i < to; i++) {
        struct told *ours = &told[2 * (i - from)];
        bool alone = again && !same(i, ours, ours + 1, false) && !look_ups[i].only_before;
        bool judged = !again && !look_ups[i].only_before;
        differences += (judged && !same(i, ours, ours + 1, true)) ||
                       (alone && compare_some(ours, i, i + 1, false) > 0);
    }
    return differences;
}

static void compare_all(const char *with)
{
    enum { AT_ONCE = 20 };
    unsigned differences = 0;
    struct told *told = calloc(2 * AT_ONCE, sizeof *told);
    configuration = with;
    apart_configure(with);
    for (size_t from = 0; from < count; from += AT_ONCE) {
        size_t to = from + AT_ONCE < count ? from + AT_ONCE : count;
        differences += compare_some(told, from, to, true);
    }
    free(told);
    count = 0;
    assert_int_equal(differences, 0);
}

static int begin(void **state)
{
    (void)state;
    isolated = apart_begin("127.0.0.1 localhost\n", "nameserver 127.0.0.1\n");
    if (isolated) {
        hostile_begin(kind_of);
    }
    return 0;
}

#define NEEDS_ISOLATION \
    (void)state;        \
    if (!isolated) {    \
        skip();         \
    }                   \
    count = 0

static void each_kind_of_answer__to_one_question__same_and_asked_the_same(void **state)
{
    NEEDS_ISOLATION;
    for (int kind = 0; kind < KIND_SILENT; kind++) {
        enum hostile_kind k = (enum hostile_kind)kind;
        add(BY_ADDRINFO, ".test", AF_INET, 0, k, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_INET, AI_CANONNAME, k, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_INET6, 0, k, k, KIND_OK);
        add(BY_NAME, ".test", AF_INET, 0, k, k, KIND_OK);
        add(BY_ADDRESS, "", AF_INET, 0, k, k, KIND_OK);
    }
    compare_all("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
}

static void each_kind_of_answer__to_two_questions__same_and_asked_the_same(void **state)
{
    NEEDS_ISOLATION;
    for (int kind = 0; kind < KIND_SILENT; kind++) {
        enum hostile_kind k = (enum hostile_kind)kind;
        if (k == KIND_HEAD_ONLY) {
            continue; /* what then counts as its question is what lay in the C library's memory */
        }
        add(BY_ADDRINFO, ".test", AF_UNSPEC, AI_CANONNAME, k, KIND_OK, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, KIND_OK, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, k, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, AI_CANONNAME, KIND_NODATA, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, k, KIND_NXDOMAIN, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_INET6, AI_V4MAPPED, k, KIND_ALIAS_ONLY, KIND_OK);
    }
    compare_all("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
}

static void answers_of_each_size__looked_up__asked_again_as_often(void **state)
{
    NEEDS_ISOLATION;
    for (int number = 0; number < 120; number++) {
        enum hostile_kind aaaa = number % 2 == 0 ? KIND_NODATA : KIND_OK;
        add(BY_ADDRINFO, number % 3 == 0 ? ".test" : ".testing", AF_UNSPEC, 0, KIND_TCP_NUMBER, aaaa,
            KIND_OK);
    }
    for (int number = 120; number < 340; number++) {
        int family = number < 200 ? AF_INET : number < 280 ? AF_INET6 : AF_UNSPEC;
        add(BY_ADDRINFO, ".longer.name.test", family, number % 2 == 0 ? AI_CANONNAME : 0,
            KIND_TCP_NUMBER, KIND_TCP_NUMBER, KIND_OK);
    }
    compare_all("nameserver 127.0.0.1\noptions use-vc attempts:1\n");
    for (int number = 0; number < 120; number++) {
        add(BY_ADDRINFO, ".test", number % 2 == 0 ? AF_INET : AF_INET6,
            number % 4 < 2 ? AI_CANONNAME : 0, KIND_TCP_NUMBER, KIND_TCP_NUMBER, KIND_OK);
    }
    compare_all("nameserver 127.0.0.1\noptions use-vc attempts:1\n");
}

static void a_server_that_waits__asked__same_time_and_turns(void **state)
{
    NEEDS_ISOLATION;
    for (int kind = KIND_SILENT; kind < KIND_COUNT; kind++) {
        enum hostile_kind k = (enum hostile_kind)kind;
        add(BY_ADDRINFO, ".test", AF_INET, 0, k, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, k, KIND_OK, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, KIND_OK, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, k, k, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, k, KIND_SERVFAIL, KIND_OK);
    }
    compare_all("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n");
}

/* The habit is the thread's: its next look-up asks apart from the beginning. */
static void a_server_that_takes_one_question__asked_again__apart_at_once(void **state)
{
    static const enum hostile_kind kinds[] = {KIND_OK, KIND_NODATA, KIND_SERVFAIL};
    NEEDS_ISOLATION;
    add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, KIND_OK, KIND_OK, KIND_OK);
    for (size_t i = 0; i < 6; i++) {
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, KIND_OK, i % 2 == 0 ? KIND_LATE : KIND_SILENT, KIND_OK);
        look_ups[count - 1].only_before = true;
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, kinds[i / 2], KIND_OK, KIND_OK);
        look_ups[count - 1].before = count - 2;
    }
    compare_all("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
}

/* The C library begins at a server of chance: only ours can be held to an order. */
static void rotate__look_ups_one_after_the_other__each_begins_at_the_next_server(void **state)
{
    static const char *const firsts[] = {" U0:", " U1:", " U2:", " U0:"};
    uint32_t habit = 0, memory[2] = {0, 0};
    struct sim_resolver_asker asker = {.caller = {.system = dry_provider()}, .habit = &habit};
    NEEDS_ISOLATION;
    configuration = "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n"
                    "options timeout:1 attempts:1 rotate\n";
    struct sim_resolver *resolver = configured();
    sim_resolver_remember_in(resolver, memory);
    for (size_t i = 0; i < 4; i++) {
        char name[20], asked[TEXT_BYTES / 16];
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
        int error;
        enum hostile_kind kind = i == 3 ? KIND_SERVFAIL : KIND_NXDOMAIN;
        add(BY_ADDRINFO, ".test", AF_INET, 0, kind, kind, kind);
        snprintf(name, sizeof name, "o%zu.test", i);
        sim_resolver_getaddrinfo(resolver, asker, name, NULL, &hints, &list, &error);
        hostile_transcript('o', (int)i, asked, sizeof asked);
        assert_int_equal(strncmp(asked, firsts[i], 4), 0);
        assert_int_equal(memory[0], i + 1);
        assert_int_equal(memory[1], i + 1);
        if (i == 3) { /* each server in its turn, and no more */
            assert_non_null(strstr(asked, " U1:0/1 "));
            assert_non_null(strstr(asked, " U2:0/2 "));
        }
    }
    sim_resolver_destroy(resolver);
    count = 0;
}

static void add_searches(void)
{
    static const enum hostile_kind kinds[] = {KIND_OK,        KIND_NXDOMAIN, KIND_NODATA,
                                              KIND_SERVFAIL,  KIND_REFUSED,  KIND_FORMERR,
                                              KIND_ALIAS_ONLY};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++) {
            add(BY_ADDRINFO, "", AF_INET, 0, kinds[i], kinds[i], kinds[j]);
            add(BY_ADDRINFO, "", AF_UNSPEC, AI_CANONNAME, kinds[i], kinds[j], kinds[j]);
            add(BY_ADDRINFO, ".dot", AF_UNSPEC, 0, kinds[i], kinds[i], kinds[j]);
        }
    }
    add(BY_ADDRINFO, ".dot.", AF_UNSPEC, 0, KIND_NXDOMAIN, KIND_NXDOMAIN, KIND_OK);
    add(BY_ADDRINFO, ".", AF_INET, 0, KIND_OK, KIND_OK, KIND_OK);
}

static void search_lists__each_failure__same_names_in_the_same_order(void **state)
{
    NEEDS_ISOLATION;
    add_searches();
    compare_all("nameserver 127.0.0.1\nsearch first second third\noptions timeout:1 attempts:1\n");
    add_searches();
    compare_all("nameserver 127.0.0.1\nsearch second\nsearch first . second\noptions ndots:2\n");
    add_searches();
    compare_all("nameserver 127.0.0.1\nsearch first\ndomain second third\n"
                "options ndots:0 no-tld-query attempts:1\n");
}

static void add_some(void)
{
    static const enum hostile_kind kinds[] = {
        KIND_OK,      KIND_NODATA,    KIND_NXDOMAIN,      KIND_SERVFAIL,
        KIND_LAME,    KIND_ALIAS,     KIND_ECHO_QUESTION, KIND_TRUNCATED,
        KIND_FORMERR, KIND_TCP_SIXTY, KIND_TCP_CLOSES};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        add(BY_ADDRINFO, ".test", AF_INET, 0, kinds[i], kinds[i], KIND_OK);
        add(BY_ADDRINFO, ".test", AF_INET6, 0, kinds[i], kinds[i], KIND_OK);
        add(BY_ADDRINFO, ".test", AF_INET6, AI_V4MAPPED | AI_ALL, kinds[i], KIND_OK, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, AI_CANONNAME, kinds[i], KIND_OK, KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, KIND_OK, kinds[i], KIND_OK);
        add(BY_ADDRINFO, ".test", AF_UNSPEC, 0, kinds[i], kinds[i], KIND_OK);
    }
}

static void options__each__same_and_asked_the_same(void **state)
{
    static const char *const options[] = {
        "no-aaaa",   "no-aaaa edns0", "single-request", "single-request-reopen",
        "edns0",     "trust-ad",      "use-vc",         "edns0 trust-ad single-request",
        "no-reload", "attempts:0"};
    NEEDS_ISOLATION;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "nameserver 127.0.0.1\noptions timeout:1 attempts:1 %s\n",
                 options[i]);
        add_some();
        compare_all(text);
    }
}

static void several_servers__each_failure__same_servers_in_the_same_order(void **state)
{
    NEEDS_ISOLATION;
    add_some();
    compare_all("nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n"
                "nameserver 127.0.0.4\noptions timeout:1 attempts:2\n");
    add_some();
    compare_all("nameserver 127.0.0.9\nnameserver 127.0.0.3\noptions timeout:1 attempts:2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_answer__to_one_question__same_and_asked_the_same),
        cmocka_unit_test(each_kind_of_answer__to_two_questions__same_and_asked_the_same),
        cmocka_unit_test(answers_of_each_size__looked_up__asked_again_as_often),
        cmocka_unit_test(a_server_that_waits__asked__same_time_and_turns),
        cmocka_unit_test(a_server_that_takes_one_question__asked_again__apart_at_once),
        cmocka_unit_test(rotate__look_ups_one_after_the_other__each_begins_at_the_next_server),
        cmocka_unit_test(search_lists__each_failure__same_names_in_the_same_order),
        cmocka_unit_test(options__each__same_and_asked_the_same),
        cmocka_unit_test(several_servers__each_failure__same_servers_in_the_same_order),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
