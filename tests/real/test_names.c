/* Name calls over resolvers that answer what a test says, and over the kernel for the rest.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <cmocka.h>

#include <drysock/socket.h>

static struct dry_system resolver;
static int addrinfo_answer;    /* EAI_*; 0: the system's own */
static int host_answer;        /* h_errno; 0: the entry below */
static const char *asked_node; /* what getaddrinfo was last asked */
static struct hostent entry;
static char text[300];

static void expect_error(enum dry_error_kind kind, int code, const char *message)
{
    assert_int_equal(dry_last_error()->kind, kind);
    assert_int_equal(dry_last_error()->code, code);
    assert_string_equal(dry_last_error()->message, message);
}

static int answer_addrinfo(struct dry_caller caller, const char *node, const char *service,
                           const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    static char copy[1000000];
    snprintf(copy, sizeof copy, "%s", node != NULL ? node : "(none)");
    asked_node = copy;
    *system_error = EMFILE;
    if (addrinfo_answer != 0) {
        return addrinfo_answer;
    }
    /* Whatever the name, it has this address. */
    return dry_provider()->getaddrinfo(caller, node != NULL ? "10.1.2.3" : NULL, service, hints, list,
                                       system_error);
}

static int answer_byname(struct dry_caller caller, const char *name, int family, struct hostent *result,
                         char *buffer, size_t bytes)
{
    *result = entry;
    return host_answer;
}

static int answer_byaddr(struct dry_caller caller, const void *address, socklen_t length, int family,
                         struct hostent *result, char *buffer, size_t bytes)
{
    snprintf(buffer, bytes, "?");
    inet_ntop(family, address, text, sizeof text);
    *result = entry;
    return host_answer;
}

static int answer_hostname(struct dry_caller caller, char *buffer, size_t bytes)
{
    snprintf(buffer, bytes, "here");
    return 0;
}

static int use_resolver(void **state)
{
    static char *aliases[] = {"www", "www.example.org", NULL};
    static unsigned char bytes[2][4] = {{10, 1, 2, 3}, {10, 1, 2, 4}};
    static char *addresses[] = {(char *)bytes[0], (char *)bytes[1], NULL};
    entry = (struct hostent){.h_name = "web",
                             .h_aliases = aliases,
                             .h_addrtype = AF_INET,
                             .h_length = 4,
                             .h_addr_list = addresses};
    addrinfo_answer = host_answer = 0;
    resolver = *dry_provider();
    resolver.getaddrinfo = answer_addrinfo;
    resolver.gethostbyname = answer_byname;
    resolver.gethostbyaddr = answer_byaddr;
    resolver.gethostname = answer_hostname;
    dry_set_current_caller((struct dry_caller){.system = &resolver});
    return 0;
}

static int use_kernel(void **state)
{
    dry_set_current_caller((struct dry_caller){0});
    return 0;
}

/* ---- getaddrinfo and getnameinfo ---------------------------------------------------------- */

static void getaddrinfo__numeric_with_canonical_name__one_block_of_entries(void **state)
{
    struct dry_addrinfo *list;
    size_t count;
    assert_int_equal(
        dry_getaddrinfo("127.0.0.1", "80", AF_UNSPEC, SOCK_STREAM, 0, AI_CANONNAME, &list, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].family, AF_INET);
    assert_int_equal(list[0].type, SOCK_STREAM);
    assert_int_equal(list[0].protocol, IPPROTO_TCP);
    assert_string_equal(list[0].canonname, "127.0.0.1");
    assert_int_equal(list[0].address.length, sizeof(struct sockaddr_in));
    dry_freeaddrinfo(list);
    assert_int_equal(dry_getaddrinfo("::1", "80", 0, 0, 0, 0, &list, &count), 0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(list[i].canonname, "");
    }
    dry_freeaddrinfo(list);
}

static void getaddrinfo__each_failure__gaierror_or_the_systems(void **state)
{
    struct dry_addrinfo *list;
    size_t count;
    addrinfo_answer = EAI_NONAME;
    assert_int_equal(dry_getaddrinfo("x", NULL, 0, 0, 0, 0, &list, &count), -1);
    expect_error(DRY_ERROR_GAI, EAI_NONAME, "Name or service not known");
    assert_null(list);
    addrinfo_answer = EAI_SYSTEM;
    assert_int_equal(dry_getaddrinfo("x", NULL, 0, 0, 0, 0, &list, &count), -1);
    expect_error(DRY_ERROR_OS, EMFILE, "Too many open files");
}

static void getaddrinfo__name_beyond_ascii__asked_by_its_idna_form(void **state)
{
    struct dry_addrinfo *list;
    size_t count;
    assert_int_equal(dry_getaddrinfo("b\xc3\xbc"
                                     "cher.example",
                                     NULL, 0, 0, 0, 0, &list, &count),
                     0);
    assert_string_equal(asked_node, "xn--bcher-kva.example");
    dry_freeaddrinfo(list);
}

/* As CPython 3.11's codec "idna" has them; NULL is an error. */
static void names_beyond_ascii__each_form__as_cpython(void **state)
{
    static const struct {
        const char *name, *asked;
    } names[] = {
        {"\xc3\x89.", "xn--9ca."},
        {"\xc3\xa9\xe3\x80\x82x", "xn--9ca.x"},
        {"\xc3\xa9\xef\xbc\x8e\xc3\xa9\xef\xbd\xa1", "xn--9ca.xn--9ca."},
        {"a\xc2\xad"
         "B",
         "ab"},
        {"A\xe2\x80\x8b.C", "a.C"},
        {"stra\xc3\x9f"
         "e",
         "strasse"},
        {"\xea\xb0\x80", "xn--o39a"},
        {"\xe1\x84\x80\xe1\x85\xa1", "xn--o39a"},
        {"a\xcc\x81", "xn--1ca"},
        {"-\xc3\xa9", "xn----bga"},
        {"\xc3\xa9..x", NULL},
        {".\xc3\xa9", NULL},
        {"\xe3\x80\x82", NULL},
        {"\xc2\xad", NULL},
        {"xn--\xc3\xa9", NULL},
        {"\xd8\xa7"
         "a",
         NULL},
        {"a\xff", NULL},
        {"a..b", NULL},
        {".", NULL},
        {"a.", "a."},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct dry_addrinfo *list = NULL;
        size_t count;
        int result = dry_getaddrinfo(names[i].name, "1", 0, 0, 0, 0, &list, &count);
        assert_int_equal(result, names[i].asked != NULL ? 0 : -1);
        if (result == 0) {
            assert_string_equal(asked_node, names[i].asked);
        } else {
            assert_int_equal(dry_last_error()->code, DRY_VALUE_UNICODE);
        }
        dry_freeaddrinfo(list);
    }
}

static int encoded_length(const char *unit, size_t count, const char *end)
{
    struct dry_addrinfo *list = NULL;
    char *name = calloc(count + 2, strlen(unit) + strlen(end) + 1);
    for (size_t i = 0; i < count; i++) {
        strcat(name + i * strlen(unit), unit);
    }
    strcat(name + count * strlen(unit), end);
    int result = dry_getaddrinfo(name, "1", 0, 0, 0, 0, &list, &(size_t){0});
    dry_freeaddrinfo(list);
    free(name);
    return result == 0 ? (int)strlen(asked_node) : -1;
}

static void labels__at_their_longest__63_bytes_and_no_more(void **state)
{
    assert_int_equal(encoded_length("x", 63, ""), 63);
    assert_int_equal(encoded_length("x", 64, ""), -1);
    assert_int_equal(encoded_length("x", 63, "."), 64);
    assert_int_equal(encoded_length("x", 64, "."), -1);
    assert_int_equal(encoded_length("x", 63, ".\xc3\xa9"), 71);
    assert_int_equal(encoded_length("x", 64, ".\xc3\xa9"), -1);
    assert_int_equal(encoded_length("x", 54, "\xc3\xa9"), 62);
    assert_int_equal(encoded_length("x", 55, "\xc3\xa9"), 63);
    assert_int_equal(encoded_length("x", 56, "\xc3\xa9"), -1);
    /* What is mapped to nothing does not count, and four characters may become one. */
    assert_int_equal(encoded_length("\xc2\xad", 400, "abc"), 3);
    assert_int_equal(encoded_length("\xce\xb1\xcc\x93\xcc\x80\xcd\x85", 20, "") > 0, 1);
}

static void names_of_any_length__encoded__in_time_of_their_length(void **state)
{
    clock_t begin = clock();
    assert_int_equal(encoded_length("\xc3\xa9", 400000, ""), -1);
    assert_int_equal(encoded_length("\xc3\xa9.", 100000, "") > 0, 1);
    assert_int_equal(encoded_length("\xc2\xad", 400000, ""), -1);
    assert_int_equal(encoded_length("a.", 400000, "") > 0, 1);
    /* The square of these would be minutes. */
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
}

static void hosts_as_bytes__asked__as_they_are(void **state)
{
    static const char *const names[] = {"b\xc3\xbc"
                                        "cher",
                                        "a..b", ".", "\xff"};
    dry_set_host_bytes(true);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct dry_addrinfo *list;
        size_t count;
        assert_int_equal(dry_getaddrinfo(names[i], "1", 0, 0, 0, 0, &list, &count), 0);
        assert_string_equal(asked_node, names[i]);
        dry_freeaddrinfo(list);
    }
    assert_int_equal(encoded_length("x", 80, ""), 80);
    dry_set_host_bytes(false);
    assert_int_equal(encoded_length("x", 80, ""), -1);
}

static void getnameinfo__numeric__host_and_service(void **state)
{
    struct dry_address address = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *inet = (void *)&address.storage;
    inet->sin_family = AF_INET;
    inet->sin_port = htons(80);
    inet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char service[32];
    assert_int_equal(dry_getnameinfo(&address, NI_NUMERICHOST | NI_NUMERICSERV, text, sizeof text,
                                     service, sizeof service),
                     0);
    assert_string_equal(text, "127.0.0.1");
    assert_string_equal(service, "80");
    address.length = 1;
    assert_int_equal(dry_getnameinfo(&address, 0, text, sizeof text, service, sizeof service), -1);
    expect_error(DRY_ERROR_GAI, EAI_FAMILY, "ai_family not supported");
}

/* ---- the older calls ---------------------------------------------------------------------- */

static void gethostbyname__numeric_or_special__no_resolver_is_asked(void **state)
{
    addrinfo_answer = EAI_FAIL;
    assert_int_equal(dry_gethostbyname("1.2.3.4", text, sizeof text), 0);
    assert_string_equal(text, "1.2.3.4");
    assert_int_equal(dry_gethostbyname("<broadcast>", text, sizeof text), 0);
    assert_string_equal(text, "255.255.255.255");
    assert_int_equal(dry_gethostbyname("web", text, sizeof text), -1);
    expect_error(DRY_ERROR_GAI, EAI_FAIL, "Non-recoverable failure in name resolution");
    addrinfo_answer = 0;
    assert_int_equal(dry_gethostbyname("", text, sizeof text), 0);
    assert_string_equal(text, "0.0.0.0");
    assert_int_equal(dry_gethostbyname("web", text, sizeof text), 0);
    assert_string_equal(text, "10.1.2.3");
}

static void gethostbyname_ex__entry__names_aliases_and_addresses(void **state)
{
    struct dry_hostent *found = dry_gethostbyname_ex("web");
    assert_non_null(found);
    assert_string_equal(found->name, "web");
    assert_string_equal(found->aliases[1], "www.example.org");
    assert_null(found->aliases[2]);
    assert_string_equal(found->addresses[0], "10.1.2.3");
    assert_string_equal(found->addresses[1], "10.1.2.4");
    assert_null(found->addresses[2]);
    free(found);
}

static void gethostby__each_failure__herror(void **state)
{
    host_answer = HOST_NOT_FOUND;
    assert_null(dry_gethostbyname_ex("web"));
    expect_error(DRY_ERROR_HERROR, HOST_NOT_FOUND, "Unknown host");
    assert_string_equal(dry_error_code_name(DRY_ERROR_HERROR, HOST_NOT_FOUND), "HOST_NOT_FOUND");
    host_answer = TRY_AGAIN;
    assert_null(dry_gethostbyaddr("10.1.2.3"));
    expect_error(DRY_ERROR_HERROR, TRY_AGAIN, "Host name lookup failure");
}

static void gethostbyaddr__either_family__address_is_asked(void **state)
{
    free(dry_gethostbyaddr("web"));
    assert_string_equal(text, "10.1.2.3");
    /* The entry is of the other family. */
    assert_null(dry_gethostbyaddr("fd00::7"));
    expect_error(DRY_ERROR_OS, EAFNOSUPPORT, "Address family not supported by protocol");
    assert_string_equal(text, "fd00::7");
}

static void getfqdn__names_with_and_without_dots__the_first_with_one(void **state)
{
    char name[100];
    assert_int_equal(dry_getfqdn(" web ", name, sizeof name), 0);
    assert_string_equal(name, "www.example.org");
    entry.h_aliases[1] = "alias";
    assert_int_equal(dry_getfqdn("web", name, sizeof name), 0);
    assert_string_equal(name, "web");
    entry.h_aliases[1] = "www.example.org";
    host_answer = HOST_NOT_FOUND;
    assert_int_equal(dry_getfqdn("unknown", name, sizeof name), 0);
    assert_string_equal(name, "unknown");
    assert_int_equal(dry_getfqdn("", name, sizeof name), 0);
    assert_string_equal(name, "here");
    assert_int_equal(dry_getfqdn("0.0.0.0", name, sizeof name), 0);
    assert_string_equal(name, "here");
    assert_int_equal(dry_getfqdn(" :: ", name, sizeof name), 0);
    assert_string_equal(name, "here");
    assert_int_equal(dry_getfqdn(NULL, name, sizeof name), 0);
    assert_string_equal(name, "here");
    assert_int_equal(dry_getfqdn("::0", name, sizeof name), 0);
    assert_string_equal(name, "::0");
    assert_int_equal(dry_getfqdn("unknown", name, 7), -1);
}

/* ---- services, protocols, interfaces over the kernel -------------------------------------- */

static void services__known_and_unknown__as_python(void **state)
{
    assert_int_equal(dry_getservbyname("http", "tcp"), 80);
    assert_int_equal(dry_getservbyname("no-such", NULL), -1);
    expect_error(DRY_ERROR_OS, 0, "service/proto not found");
    assert_int_equal(dry_getservbyport(80, "tcp", text, sizeof text), 0);
    assert_string_equal(text, "http");
    assert_int_equal(dry_getservbyport(1, "no-such", text, sizeof text), -1);
    expect_error(DRY_ERROR_OS, 0, "port/proto not found");
    assert_int_equal(dry_getservbyport(65536, NULL, text, sizeof text), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_OVERFLOW, "getservbyport: port must be 0-65535.");
    assert_int_equal(dry_getprotobyname("icmp"), IPPROTO_ICMP);
    assert_int_equal(dry_getprotobyname("no-such"), -1);
    expect_error(DRY_ERROR_OS, 0, "protocol not found");
}

static void texts__in_buffers_of_each_size__whole_or_not_at_all(void **state)
{
    char small[12];
    assert_int_equal(dry_gethostbyname("10.11.1.12", small, 11), 0);
    assert_string_equal(small, "10.11.1.12");
    assert_int_equal(dry_gethostbyname("10.11.1.12", small, 10), -1);
    expect_error(DRY_ERROR_OS, ENAMETOOLONG, "File name too long");
    assert_int_equal(dry_getservbyport(80, "tcp", small, 5), 0);
    assert_int_equal(dry_getservbyport(80, "tcp", small, 4), -1);
    assert_int_equal(dry_getservbyport(65535, "tcp", small, 5), -1);
    expect_error(DRY_ERROR_OS, 0, "port/proto not found");
    assert_int_equal(dry_getservbyport(0, "tcp", small, 5), -1);
    expect_error(DRY_ERROR_OS, 0, "port/proto not found");
    assert_int_equal(dry_getservbyport(-1, "tcp", small, 5), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_OVERFLOW, "getservbyport: port must be 0-65535.");
    assert_int_equal(dry_if_indextoname(UINT32_MAX, text), -1);
    expect_error(DRY_ERROR_OS, ENXIO, "No such device or address");
    assert_int_equal(dry_if_indextoname((int64_t)UINT32_MAX + 2, text), -1);
    expect_error(DRY_ERROR_OS, ENXIO, "No such device or address");
}

static void getfqdn__of_the_longest_names__as_given(void **state)
{
    char longest[NI_MAXHOST + 1], got[NI_MAXHOST + 1];
    host_answer = HOST_NOT_FOUND;
    dry_set_host_bytes(true);
    memset(longest, 'x', sizeof longest);
    longest[NI_MAXHOST - 1] = 0;
    assert_int_equal(dry_getfqdn(longest, got, sizeof got), 0);
    assert_string_equal(got, longest);
    longest[NI_MAXHOST - 1] = 'x';
    longest[NI_MAXHOST] = 0;
    assert_int_equal(dry_getfqdn(longest, got, sizeof got), -1);
    expect_error(DRY_ERROR_OS, ENAMETOOLONG, "File name too long");
    dry_set_host_bytes(false);
    /* What is wrong with the name is told, what the resolver does not know is not. */
    assert_int_equal(dry_getfqdn("a..b", got, sizeof got), -1);
    assert_int_equal(dry_last_error()->code, DRY_VALUE_UNICODE);
    addrinfo_answer = EAI_AGAIN;
    assert_int_equal(dry_getfqdn("a.b", got, sizeof got), 0);
    assert_string_equal(got, "a.b");
}

static void interfaces__loopback__by_name_and_index(void **state)
{
    int index = dry_if_nametoindex("lo");
    assert_true(index > 0);
    assert_int_equal(dry_if_indextoname(index, text), 0);
    assert_string_equal(text, "lo");
    struct if_nameindex *list = dry_if_nameindex();
    assert_non_null(list);
    bool found = false;
    for (size_t i = 0; list[i].if_index != 0; i++) {
        found |= list[i].if_index == (unsigned)index && strcmp(list[i].if_name, "lo") == 0;
    }
    assert_true(found);
    free(list);
    assert_int_equal(dry_if_nametoindex("no-such"), -1);
    expect_error(DRY_ERROR_OS, 0, "no interface with this name");
    assert_int_equal(dry_if_indextoname(0, text), -1);
    expect_error(DRY_ERROR_OS, ENXIO, "No such device or address");
    assert_int_equal(dry_if_indextoname(-1, text), -1);
    expect_error(DRY_ERROR_VALUE, DRY_VALUE_OVERFLOW, "can't convert negative value to unsigned int");
}

static void hostname__of_the_machine__told(void **state)
{
    struct utsname machine;
    uname(&machine);
    assert_int_equal(dry_gethostname(text, sizeof text), 0);
    assert_string_equal(text, machine.nodename);
}

#define ANSWERED(test) cmocka_unit_test_setup_teardown(test, use_resolver, use_kernel)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getaddrinfo__numeric_with_canonical_name__one_block_of_entries),
        ANSWERED(getaddrinfo__each_failure__gaierror_or_the_systems),
        ANSWERED(getaddrinfo__name_beyond_ascii__asked_by_its_idna_form),
        ANSWERED(names_beyond_ascii__each_form__as_cpython),
        ANSWERED(labels__at_their_longest__63_bytes_and_no_more),
        ANSWERED(names_of_any_length__encoded__in_time_of_their_length),
        ANSWERED(hosts_as_bytes__asked__as_they_are),
        cmocka_unit_test(getnameinfo__numeric__host_and_service),
        ANSWERED(gethostbyname__numeric_or_special__no_resolver_is_asked),
        ANSWERED(gethostbyname_ex__entry__names_aliases_and_addresses),
        ANSWERED(gethostby__each_failure__herror),
        ANSWERED(gethostbyaddr__either_family__address_is_asked),
        ANSWERED(getfqdn__names_with_and_without_dots__the_first_with_one),
        cmocka_unit_test(texts__in_buffers_of_each_size__whole_or_not_at_all),
        ANSWERED(getfqdn__of_the_longest_names__as_given),
        cmocka_unit_test(services__known_and_unknown__as_python),
        cmocka_unit_test(interfaces__loopback__by_name_and_index),
        cmocka_unit_test(hostname__of_the_machine__told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
