/* Fuzzes addresses: the C library's verdict on every host text, and each family there and back.
 * SPDX-License-Identifier: MIT
 *
 * The first byte of an input chooses a family (see `choices`), the rest is an address in Python's
 * form; or, behind an 'x', a host text for the numeric functions; or, behind a 'z', a protocol and
 * the bytes of a sockaddr, as a system may give it. No name is ever looked up: the resolver is told
 * AI_NUMERICHOST.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include <drysock/socket.h>

#include "fuzz.h"

static const struct choice {
    char letter;
    int family;
    int protocol;
} choices[] = {
    {'4', AF_INET, 0},      {'6', AF_INET6, 0},
    {'u', AF_UNIX, 0},      {'n', AF_NETLINK, 0},
    {'t', AF_TIPC, 0},      {'r', AF_CAN, 1},
    {'b', AF_CAN, 2},       {'i', AF_CAN, 6},
    {'j', AF_CAN, 7},       {'L', AF_BLUETOOTH, 0},
    {'H', AF_BLUETOOTH, 1}, {'S', AF_BLUETOOTH, 2},
    {'R', AF_BLUETOOTH, 3}, {'a', AF_ALG, 0},
    {'p', AF_PACKET, 0},    {'d', AF_RDS, 0},
    {'g', AF_UNSPEC, 0},    {'v', AF_VSOCK, 0},
    {'q', AF_QIPCRTR, 0},   {'s', DRY_PF_SYSTEM, DRY_SYSPROTO_CONTROL},
};

/* ---- a resolver that never asks anybody ------------------------------------------------------ */

static int numeric_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                               const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    struct addrinfo numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    int code = getaddrinfo(node, service, &numeric, list);
    *system_error = errno;
    return code;
}

static int one_interface(struct dry_caller caller, const char *name)
{
    return strcmp(name, "lo") == 0 ? 1 : -ENODEV;
}

static int name_of_interface(struct dry_caller caller, unsigned index, char name[IF_NAMESIZE])
{
    if (index != 1) {
        return -ENXIO;
    }
    strcpy(name, "lo");
    return 0;
}

static void speak_without_network(void)
{
    static struct dry_system quiet;
    if (quiet.name) {
        return;
    }
    quiet = *dry_provider();
    quiet.getaddrinfo = numeric_getaddrinfo;
    quiet.if_nametoindex = one_interface;
    quiet.if_indextoname = name_of_interface;
    struct dry_caller caller = dry_current_caller();
    caller.system = &quiet;
    dry_set_current_caller(caller);
}

/* ---- numeric texts ------------------------------------------------------------------------- */

static void compare(const char *what, const char *text, bool theirs, bool ours, const void *their_bytes,
                    const void *our_bytes, size_t count)
{
    if (theirs != ours) {
        fuzz_wrong("%s(\"%s\"): the C library says %d, drysock %d", what, text, theirs, ours);
    }
    if (theirs && memcmp(their_bytes, our_bytes, count) != 0) {
        fuzz_wrong("%s(\"%s\"): the bytes differ", what, text);
    }
}

/* What packs prints, and the print packs to the same. */
static void compare_pton(int family, const char *text)
{
    uint8_t theirs[16] = {0}, ours[16] = {0}, again[16] = {0};
    char printed[DRY_INET_TEXT_BYTES];
    size_t bytes = family == AF_INET ? 4 : 16;
    bool packed = inet_pton(family, text, theirs) == 1;
    compare("inet_pton", text, packed, dry_inet_pton(family, text, ours) == (int)bytes, theirs, ours,
            bytes);
    if (!packed) {
        return;
    }
    if (dry_inet_ntop(family, ours, bytes, printed) < 0 ||
        dry_inet_pton(family, printed, again) != (int)bytes || memcmp(ours, again, bytes) != 0) {
        fuzz_wrong("inet_ntop does not give \"%s\" back", text);
    }
}

/* The whole way of an address tuple beside getaddrinfo(AI_NUMERICHOST) of the C library. */
static void compare_host(int family, const char *text)
{
    struct addrinfo hints = {.ai_family = family, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    struct dry_address address;
    uint8_t bytes[16] = {0};
    size_t count = family == AF_INET ? 4 : 16;
    bool special = text[0] == 0 || strcmp(text, "<broadcast>") == 0 ||
                   (family == AF_INET6 && strcmp(text, "255.255.255.255") == 0);
    for (const char *c = text; *c; c++) {
        special |= (unsigned char)*c >= 0x80; /* encoded first */
    }
    bool ours = dry_address_inet(&address, family, text, 80) == 0;
    if (special) {
        return;
    }
    bool theirs = getaddrinfo(text, NULL, &hints, &list) == 0;
    if (theirs) {
        const void *found = list->ai_addr;
        memcpy(bytes,
               family == AF_INET ? (const void *)&((const struct sockaddr_in *)found)->sin_addr
                                 : (const void *)&((const struct sockaddr_in6 *)found)->sin6_addr,
               count);
        freeaddrinfo(list);
    }
    const void *storage = &address.storage;
    compare("getaddrinfo", text, theirs, ours, bytes,
            family == AF_INET ? (const void *)&((const struct sockaddr_in *)storage)->sin_addr
                              : (const void *)&((const struct sockaddr_in6 *)storage)->sin6_addr,
            count);
}

static void judge_host(const char *text)
{
    uint8_t ours[4];
    struct in_addr theirs;
    bool accepted = inet_aton(text, &theirs);
    compare("inet_aton", text, accepted, dry_inet_aton(text, ours) == 0, &theirs, ours, 4);
    compare_pton(AF_INET, text);
    compare_pton(AF_INET6, text);
    compare_host(AF_INET, text);
    compare_host(AF_INET6, text);
}

/* ---- every family there and back ----------------------------------------------------------- */

/* Whether CPython, which we follow, prints what it would not read: HCI's bare number, SCO's str
 * where it takes bytes, and a path that a NUL cuts. */
static bool is_one_way(const struct choice *choice, const struct dry_address *address)
{
    if (choice->letter == 'H' || choice->letter == 'S') {
        return true;
    }
    const struct sockaddr_un *name = (const void *)&address->storage;
    return choice->family == AF_UNIX && name->sun_path[0] != 0 &&
           strlen(name->sun_path) + 1 + offsetof(struct sockaddr_un, sun_path) != address->length;
}

static void judge_address(const struct choice *choice, const char *text, size_t length)
{
    struct dry_address first, second;
    char printed[8192], again[8192];
    if (dry_address_parse(&first, choice->family, SOCK_DGRAM, choice->protocol, text, length) < 0) {
        if (dry_last_error()->kind == DRY_ERROR_NONE) {
            fuzz_wrong("refused without an error");
        }
        return;
    }
    if (first.length == 0 || first.length > sizeof(first.storage)) {
        fuzz_wrong("an address of %u bytes", (unsigned)first.length);
    }
    int needed = dry_address_print(&first, printed, sizeof(printed));
    if (needed < 0 || (size_t)needed >= sizeof(printed)) {
        fuzz_wrong("an address that was read does not print: %d", needed);
    }
    if (is_one_way(choice, &first)) {
        return;
    }
    if (dry_address_parse(&second, choice->family, SOCK_DGRAM, choice->protocol, printed,
                          (size_t)needed) < 0) {
        fuzz_wrong("%s does not read back: %s", printed, dry_last_error()->message);
    }
    if (first.length != second.length || memcmp(&first.storage, &second.storage, first.length) != 0) {
        fuzz_wrong("%s reads back as other bytes", printed);
    }
    if (dry_address_print(&second, again, sizeof(again)) != needed || strcmp(printed, again) != 0) {
        fuzz_wrong("%s prints back as %s", printed, again);
    }
}

/* Whatever a system gives prints, or is an error; and the print is a literal. */
static void judge_bytes(const uint8_t *data, size_t size)
{
    struct dry_address address = {.protocol = size ? data[0] : 0};
    char printed[8192], arena[16384];
    struct dry_value value;
    size_t at;
    if (size > 1) {
        address.length = (socklen_t)(size - 1 < sizeof(address.storage) ? size - 1
                                                                        : sizeof(address.storage));
        memcpy(&address.storage, data + 1, address.length);
    }
    int needed = dry_address_print(&address, printed, sizeof(printed));
    if (needed < 0) {
        return;
    }
    if ((size_t)needed >= sizeof(printed) ||
        dry_value_parse(printed, (size_t)needed, arena, sizeof(arena), &value, &at) < 0) {
        fuzz_wrong("a sockaddr prints to what is no literal: %s", printed);
    }
    dry_address_port(&address);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    speak_without_network();
    if (size < 1) {
        return;
    }
    if (data[0] == 'z') {
        judge_bytes(data + 1, size - 1);
    }
    if (data[0] == 'x') {
        char text[256];
        size_t length = size - 1 < sizeof(text) ? size - 1 : sizeof(text) - 1;
        memcpy(text, data + 1, length);
        text[length] = 0;
        judge_host(text);
        return;
    }
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        if (choices[i].letter == (char)data[0]) {
            judge_address(&choices[i], (const char *)data + 1, size - 1);
        }
    }
}
