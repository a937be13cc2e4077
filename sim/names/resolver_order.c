/* The order of a name's addresses: RFC 6724 section 6, with the system's own choice of sources.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "resolver_internal.h"

enum { DISCARD_PORT = 9, SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

struct candidate {
    struct resolver_address address;
    struct in6_addr destination, source; /* IPv4 as mapped */
    bool usable;
    size_t rank; /* where it stood: the order is total */
};

/* RFC 6724 2.1's default table, longest prefix first; labels of fec0::/10 as the C library has them. */
static const struct policy {
    uint8_t prefix[16];
    unsigned bits, precedence, label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0},  {{[10] = 0xff, [11] = 0xff}, 96, 10, 4},
    {{0}, 96, 20, 3},          {{0x20, 0x01}, 32, 40, 7},
    {{0x20, 0x02}, 16, 30, 2}, {{0xfe, 0xc0}, 10, 40, 5},
    {{0xfc}, 7, 40, 6},        {{0}, 0, 40, 1},
};

static unsigned common_bits(const struct in6_addr *a, const uint8_t *b)
{
    for (unsigned i = 0; i < 128; i++) {
        if (((a->s6_addr[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0) {
            return i;
        }
    }
    return 128;
}

static const struct policy *policy_of(const struct in6_addr *ip)
{
    const struct policy *policy = policies;
    while (common_bits(ip, policy->prefix) < policy->bits) {
        policy++;
    }
    return policy;
}

static unsigned scope_of(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        bool local = ip->s6_addr[12] == 127 || (ip->s6_addr[12] == 169 && ip->s6_addr[13] == 254);
        return local ? SCOPE_LINK : SCOPE_GLOBAL;
    }
    if (IN6_IS_ADDR_MULTICAST(ip)) {
        return ip->s6_addr[1] & 15;
    }
    if (IN6_IS_ADDR_LINKLOCAL(ip) || IN6_IS_ADDR_LOOPBACK(ip)) {
        return SCOPE_LINK;
    }
    return IN6_IS_ADDR_SITELOCAL(ip) ? SCOPE_SITE : SCOPE_GLOBAL;
}

static struct in6_addr mapped(const uint8_t v4[4])
{
    struct in6_addr ip = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(ip.s6_addr + 12, v4, 4);
    return ip;
}

/* Which source the system would use: a datagram socket is connected, which sends nothing. */
static void find_source(struct dry_caller caller, struct candidate *candidate)
{
    const struct dry_system *system = caller.system;
    const struct resolver_address *address = &candidate->address;
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(DISCARD_PORT), .sin6_scope_id = address->scope};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DISCARD_PORT)};
    bool is_v4 = address->family == AF_INET;
    memcpy(&v6.sin6_addr, address->bytes, 16);
    memcpy(&v4.sin_addr, address->bytes, 4);
    candidate->destination = is_v4 ? mapped(address->bytes) : v6.sin6_addr;
    int fd = system->socket(caller, address->family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) {
        return;
    }
    socklen_t length = is_v4 ? sizeof v4 : sizeof v6;
    struct sockaddr *name = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    if (system->connect(caller, fd, name, length) == 0 &&
        system->getsockname(caller, fd, name, &length) == 0) {
        candidate->usable = true;
        candidate->source = is_v4 ? mapped((const uint8_t *)&v4.sin_addr) : v6.sin6_addr;
    }
    system->close(caller, fd);
}

/* Rule 9. SIMPLER: of IPv4 only a destination in the source's /24 (or 127/8) counts as near; the C
 * library asks the interface for its netmask. */
static unsigned nearness(const struct candidate *candidate)
{
    unsigned common = common_bits(&candidate->destination, candidate->source.s6_addr);
    if (!IN6_IS_ADDR_V4MAPPED(&candidate->destination)) {
        return common;
    }
    unsigned mask = candidate->source.s6_addr[12] == 127 ? 96 + 8 : 96 + 24;
    return common >= mask ? common : 0;
}

/* Negative: a before b. */
static int compare(const struct candidate *a, const struct candidate *b)
{
    if (a->usable != b->usable) {
        return a->usable ? -1 : 1; /* rule 1 */
    }
    unsigned a_scope = scope_of(&a->destination), b_scope = scope_of(&b->destination);
    const struct policy *a_policy = policy_of(&a->destination);
    const struct policy *b_policy = policy_of(&b->destination);
    if (a->usable) {
        bool a_match = a_scope == scope_of(&a->source), b_match = b_scope == scope_of(&b->source);
        if (a_match != b_match) {
            return a_match ? -1 : 1; /* rule 2 */
        }
        a_match = a_policy->label == policy_of(&a->source)->label;
        b_match = b_policy->label == policy_of(&b->source)->label;
        if (a_match != b_match) {
            return a_match ? -1 : 1; /* rule 5 */
        }
    }
    if (a_policy->precedence != b_policy->precedence) {
        return a_policy->precedence > b_policy->precedence ? -1 : 1; /* rule 6 */
    }
    if (a_scope != b_scope && !DRY_MUTANT(near_addresses_are_not_preferred)) {
        return a_scope < b_scope ? -1 : 1; /* rule 8 */
    }
    if (a->usable && a->address.family == b->address.family && nearness(a) != nearness(b)) {
        return nearness(a) > nearness(b) ? -1 : 1; /* rule 9 */
    }
    return a->rank < b->rank ? -1 : 1; /* rule 10 */
}

static int compare_items(const void *a, const void *b)
{
    return compare(a, b);
}

bool resolver_order(struct dry_caller caller, struct resolver_address *addresses, size_t count)
{
    if (count < 2) {
        return true;
    }
    struct candidate *sorted = resolver_hold(caller, count * sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (struct candidate){.address = addresses[i], .rank = i};
        find_source(caller, &sorted[i]);
    }
    qsort(sorted, count, sizeof *sorted, compare_items);
    for (size_t i = 0; i < count; i++) {
        addresses[i] = sorted[i].address;
    }
    resolver_release(caller, sorted);
    return true;
}
