/* Addresses of every family: CPython's verdicts and bytes, and the vectors of other projects.
 * SPDX-License-Identifier: MIT
 *
 * Both tables lie beside this file; the tests run in the source's top folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/socket.h>

enum { FIELDS = 6, LINE_BYTES = 2048 };

/* The next row that is not a comment, cut into fields, empty ones included; returns their count. */
static int next_row(FILE *table, char line[LINE_BYTES], char *fields[FIELDS])
{
    while (fgets(line, LINE_BYTES, table)) {
        if (line[0] == '#') {
            continue;
        }
        char *rest = line;
        line[strcspn(line, "\n")] = 0;
        int count = 0;
        while (rest && count < FIELDS) {
            fields[count++] = strsep(&rest, "\t");
        }
        return count;
    }
    return 0;
}

static FILE *open_table(const char *path)
{
    FILE *table = fopen(path, "r");
    if (!table) {
        fail_msg("%s cannot be read: %s", path, strerror(errno));
    }
    return table;
}

static void print_hex(const void *bytes, size_t count, char *text)
{
    *text = 0;
    for (size_t i = 0; i < count; i++) {
        sprintf(text + 2 * i, "%02x", ((const uint8_t *)bytes)[i]);
    }
}

static size_t read_hex(const char *text, void *bytes)
{
    size_t count = 0;
    for (; text[0] && text[1]; text += 2, count++) {
        const char pair[3] = {text[0], text[1], 0};
        ((uint8_t *)bytes)[count] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return count;
}

/* ---- CPython's table ----------------------------------------------------------------------- */

static void describe_error(char *text, size_t bytes)
{
    const struct dry_error *error = dry_last_error();
    if (error->kind == DRY_ERROR_VALUE) {
        snprintf(text, bytes, "value %d %s", error->code, error->message);
    } else {
        snprintf(text, bytes, "%s %d %s", error->kind == DRY_ERROR_GAI ? "gai" : "os", error->code,
                 error->message);
    }
}

static void observe_from(char **fields, char *seen, size_t bytes)
{
    static _Alignas(16) char arena[65536];
    struct dry_value value;
    struct dry_address address;
    size_t at;
    if (dry_value_parse(fields[3], strlen(fields[3]), arena, sizeof(arena), &value, &at) < 0) {
        fail_msg("%s is no literal at %zu: %s", fields[3], at, dry_last_error()->message);
    }
    int family = atoi(fields[1]);
    if (dry_address_from_value(&address, family, SOCK_DGRAM, atoi(fields[2]), &value,
                               family == AF_UNSPEC ? "getnameinfo" : "connect") < 0) {
        describe_error(seen, bytes);
    } else {
        print_hex(&address.storage, address.length, seen);
    }
}

static void observe_to(char **fields, char *seen, size_t bytes)
{
    struct dry_address address = {.protocol = atoi(fields[2])};
    address.length = (socklen_t)read_hex(fields[3], &address.storage);
    *seen = '=';
    if (dry_address_print(&address, seen + 1, bytes - 1) < 0) {
        describe_error(seen, bytes);
    }
}

/* The table was written with ascii(), which escapes what repr() shows. */
static void normalise(char *text, size_t bytes)
{
    static _Alignas(16) char arena[65536];
    struct dry_value value;
    if (text[0] != '=') {
        return;
    }
    const char *literal = text + 1;
    assert_int_equal(dry_value_parse(literal, strlen(literal), arena, sizeof(arena), &value, NULL), 0);
    assert_true((size_t)dry_value_print(&value, text + 1, bytes - 1) < bytes - 1);
}

static void every_family__as_observed_of_cpython__agrees(void **state)
{
    FILE *table = open_table("tests/real/python-addresses.tsv");
    char line[LINE_BYTES], seen[LINE_BYTES], wanted[LINE_BYTES];
    char *fields[FIELDS];
    int rows = 0;
    int wrong = 0;
    next_row(table, line, fields);
    while (next_row(table, line, fields) == 5) {
        bool from = strcmp(fields[0], "from") == 0;
        (from ? observe_from : observe_to)(fields, seen, sizeof(seen));
        snprintf(wanted, sizeof(wanted), "%s", fields[4]);
        normalise(wanted, sizeof(wanted));
        if (strcmp(seen, wanted) != 0) {
            print_error("%s family %s protocol %s: %s\n  CPython %s\n  drysock %s\n", fields[0],
                        fields[1], fields[2], fields[3], wanted, seen);
            wrong++;
        }
        rows++;
    }
    fclose(table);
    assert_true(rows > 300);
    assert_int_equal(wrong, 0);
}

/* ---- the vectors of other projects --------------------------------------------------------- */

static size_t unescape(const char *text, char *plain)
{
    size_t count = 0;
    while (*text) {
        unsigned byte;
        if (sscanf(text, "\\x%2x", &byte) == 1) {
            plain[count++] = (char)byte;
            text += 4;
        } else {
            plain[count++] = *text++;
        }
    }
    plain[count] = 0;
    return count;
}

/* getaddrinfo(AI_NUMERICHOST) of one family or any; the scope is printed where it is asked for. */
static void observe_numeric(const char *text, int family, bool scope, char *seen)
{
    struct dry_caller caller = dry_current_caller();
    struct addrinfo hints = {.ai_family = family, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list;
    int system_error;
    strcpy(seen, "ERR");
    if (caller.system->getaddrinfo(caller, text, NULL, &hints, &list, &system_error)) {
        return;
    }
    if (list->ai_family == AF_INET) {
        print_hex(&((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr, 4, seen);
    } else {
        struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)(void *)list->ai_addr;
        print_hex(&inet6->sin6_addr, 16, seen);
        if (scope) {
            sprintf(seen + 32, "%%%u", inet6->sin6_scope_id);
        }
    }
    caller.system->freeaddrinfo(caller, list);
}

/* How drysock answers a row; false: it has no such function. */
static bool observe_vector(const char *function, const char *text, char *seen)
{
    uint8_t packed[16] = {0};
    strcpy(seen, "ERR");
    if (strcmp(function, "inet_pton4") == 0 || strcmp(function, "inet_pton6") == 0) {
        int family = function[9] == '4' ? AF_INET : AF_INET6;
        int bytes = dry_inet_pton(family, text, packed);
        if (bytes > 0) {
            print_hex(packed, (size_t)bytes, seen);
        }
    } else if (strcmp(function, "inet_aton") == 0 || strcmp(function, "inet_addr") == 0) {
        if (dry_inet_aton(text, packed) == 0) {
            print_hex(packed, 4, seen);
        }
    } else if (strcmp(function, "inet_ntop6") == 0) {
        read_hex(text, packed);
        assert_int_equal(dry_inet_ntop(AF_INET6, packed, 16, seen), 0);
    } else if (strcmp(function, "inet_aton_exact") == 0) {
        observe_numeric(text, AF_INET, false, seen);
    } else if (strcmp(function, "gai_numeric") == 0) {
        observe_numeric(text, AF_INET6, true, seen);
    } else if (strcmp(function, "parse_any") == 0) {
        observe_numeric(text, AF_UNSPEC, false, seen);
    } else {
        return false;
    }
    return true;
}

static void vectors__of_other_projects__agree_where_the_c_library_does(void **state)
{
    FILE *table = open_table("tests/real/address-vectors.tsv");
    char line[LINE_BYTES], seen[LINE_BYTES], text[LINE_BYTES];
    char *fields[FIELDS];
    int rows = 0;
    int wrong = 0;
    next_row(table, line, fields);
    while (next_row(table, line, fields) >= 5) {
        const char *wanted = strncmp(fields[4], "DIFF:", 5) == 0 ? fields[4] + 5 : fields[2];
        unescape(fields[1], text);
        if (!observe_vector(fields[0], text, seen)) {
            assert_string_equal(fields[0], "inet_network"); /* not in the socket module */
            continue;
        }
        if (strcmp(seen, wanted) != 0) {
            print_error("%s(%s): wanted %s, is %s\n", fields[0], fields[1], wanted, seen);
            wrong++;
        }
        rows++;
    }
    fclose(table);
    assert_true(rows > 470);
    assert_int_equal(wrong, 0);
}

/* ---- beyond the tables --------------------------------------------------------------------- */

static void no_address__is_printed__is_none(void **state)
{
    struct dry_address address = {0};
    char text[64];
    assert_int_equal(dry_address_print(&address, text, sizeof(text)), 4);
    assert_string_equal(text, "None");
}

static void inet_text__is_parsed__prints_the_same(void **state)
{
    struct dry_address address;
    char text[128];
    const char *v4 = "('10.0.0.1', 80)";
    const char *v6 = "('fe80::1', 443, 7, 3)";
    assert_int_equal(dry_address_parse(&address, AF_INET, SOCK_STREAM, 0, v4, strlen(v4)), 0);
    assert_int_equal(dry_address_port(&address), 80);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, v4);
    assert_int_equal(dry_address_parse(&address, AF_INET6, SOCK_STREAM, 0, v6, strlen(v6)), 0);
    assert_int_equal(dry_address_port(&address), 443);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, v6);
}

static void c_constructors__make_addresses(void **state)
{
    struct dry_address address;
    char text[256];
    assert_int_equal(dry_address_inet(&address, AF_INET, "<broadcast>", 9), 0);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, "('255.255.255.255', 9)");
    assert_int_equal(dry_address_inet(&address, AF_INET6, "", 1), 0);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, "('::', 1, 0, 0)");
    assert_int_equal(dry_address_unix(&address, "\0abc", 4), 0);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, "b'\\x00abc'");
    assert_int_equal(dry_address_port(&address), -1);
    assert_int_equal(dry_address_unix(&address, "/tmp/x", 6), 0);
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, "'/tmp/x'");
    assert_int_equal(dry_address_unix(&address, text, sizeof(text)), -1);
    assert_string_equal(dry_last_error()->message, "AF_UNIX path too long");
    assert_int_equal(dry_address_inet(&address, AF_UNIX, "h", 1), -1);
}

static void international_name__is_resolved__goes_out_in_ascii(void **state)
{
    struct dry_address address;
    const char *digits = "('\xef\xbc\x91\xef\xbc\x90.0.0.1', 1)"; /* fullwidth 10 */
    assert_int_equal(dry_address_parse(&address, AF_INET, 0, 0, digits, strlen(digits)), 0);
    char text[64];
    dry_address_print(&address, text, sizeof(text));
    assert_string_equal(text, "('10.0.0.1', 1)");
    const char *dot = "('\xe3\x80\x82', 1)"; /* an ideographic full stop alone */
    assert_int_equal(dry_address_parse(&address, AF_INET, 0, 0, dot, strlen(dot)), -1);
    assert_string_equal(dry_last_error()->message, "encoding of hostname failed");
}

/* ---- a resolver that answers as this test wants ---------------------------------------------- */

static struct sockaddr_storage answer;
static int answers; /* in one list */

static int answering(struct dry_caller caller, const char *node, const char *service,
                     const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    static struct addrinfo entries[2];
    for (int i = 0; i < answers; i++) {
        entries[i] = (struct addrinfo){.ai_family = answer.ss_family,
                                       .ai_addrlen = sizeof(struct sockaddr_in),
                                       .ai_addr = (struct sockaddr *)&answer,
                                       .ai_next = i + 1 < answers ? &entries[i + 1] : NULL};
    }
    *list = entries;
    return 0;
}

static void forget(struct dry_caller caller, struct addrinfo *list)
{
}

static int begin_answers(void **state)
{
    static struct dry_system answerer;
    answerer = *dry_provider();
    answerer.getaddrinfo = answering;
    answerer.freeaddrinfo = forget;
    struct dry_caller caller = dry_current_caller();
    caller.system = &answerer;
    dry_set_current_caller(caller);
    return 0;
}

static int end_answers(void **state)
{
    dry_set_current_caller((struct dry_caller){0});
    return 0;
}

static void refuses(int family, const char *text, const char *message)
{
    struct dry_address address;
    assert_int_equal(dry_address_parse(&address, family, SOCK_DGRAM, 0, text, strlen(text)), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_OS);
    assert_int_equal(dry_last_error()->code, 0);
    assert_string_equal(dry_last_error()->message, message);
}

static void resolver__gives_what_no_address_can_be__is_refused(void **state)
{
    answer = (struct sockaddr_storage){.ss_family = AF_INET};
    answers = 2;
    refuses(AF_INET, "('', 1)", "wildcard resolved to multiple address");
    refuses(AF_UNSPEC, "('h', 1)", "sockaddr resolved to multiple addresses");
    answers = 1;
    refuses(AF_UNSPEC, "('h', 1, 0)", "IPv4 sockaddr must be 2 tuple");
    answer.ss_family = AF_UNIX;
    refuses(AF_INET, "('h', 1)", "unknown address family");
}

static void unknown_bluetooth_protocol__is_printed__is_refused(void **state)
{
    struct dry_address address = {.protocol = 9, .length = 14};
    char text[64];
    address.generic.sa_family = AF_BLUETOOTH;
    assert_int_equal(dry_address_print(&address, text, sizeof(text)), -1);
    assert_string_equal(dry_last_error()->message, "Unknown Bluetooth protocol");
}

static void system_family__is_parsed__is_unsupported(void **state)
{
    struct dry_address address;
    assert_int_equal(
        dry_address_parse(&address, DRY_PF_SYSTEM, SOCK_DGRAM, DRY_SYSPROTO_CONTROL, "(1, 2)", 6), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_UNSUPPORTED);
    assert_int_equal(dry_address_parse(&address, DRY_PF_SYSTEM, SOCK_DGRAM, DRY_SYSPROTO_CONTROL,
                                       "'com.apple.net'", 15),
                     -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_UNSUPPORTED);
    assert_int_equal(dry_address_parse(&address, DRY_PF_SYSTEM, SOCK_DGRAM, 7, "(1, 2)", 6), -1);
    assert_string_equal(dry_last_error()->message, "address(): unsupported protocol");
    assert_int_equal(
        dry_address_parse(&address, DRY_PF_SYSTEM, SOCK_DGRAM, DRY_SYSPROTO_CONTROL, "3", 1), -1);
    assert_int_equal(dry_last_error()->code, DRY_VALUE_TYPE);
    assert_int_equal(
        dry_address_parse(&address, DRY_PF_SYSTEM, SOCK_DGRAM, DRY_SYSPROTO_CONTROL, "(1,)", 4), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_VALUE);
    assert_int_equal(dry_last_error()->code, DRY_VALUE_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family__as_observed_of_cpython__agrees),
        cmocka_unit_test(vectors__of_other_projects__agree_where_the_c_library_does),
        cmocka_unit_test(no_address__is_printed__is_none),
        cmocka_unit_test(inet_text__is_parsed__prints_the_same),
        cmocka_unit_test(c_constructors__make_addresses),
        cmocka_unit_test(international_name__is_resolved__goes_out_in_ascii),
        cmocka_unit_test_setup_teardown(resolver__gives_what_no_address_can_be__is_refused,
                                        begin_answers, end_answers),
        cmocka_unit_test(unknown_bluetooth_protocol__is_printed__is_refused),
        cmocka_unit_test(system_family__is_parsed__is_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
