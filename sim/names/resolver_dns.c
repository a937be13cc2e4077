/* DNS look-ups: the questions, the search list, and what the verdicts mean to who asked.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: as res_search, res_query and the C library's module for the DNS do it. */
#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "resolver_internal.h"

enum {
    EDNS_BYTES = 1200, /* RESOLV_EDNS_BUFFER_SIZE: the datagrams that EDNS says fit */
};

/* ---- questions ---------------------------------------------------------------------------- */

/* By hand: the C library's res_mkquery would read the machine's own resolv.conf. */
static bool add_query(struct resolver_exchange *exchange, const char *name, int type, bool edns)
{
    struct sim_resolver *resolver = exchange->resolver;
    struct resolver_query *query = &exchange->queries[exchange->count];
    uint8_t *at = query->message;
    memset(at, 0, NS_HFIXEDSZ);
    NS_PUT16((uint16_t)++resolver->memory[1], at);
    *at++ = 0x01; /* recursion desired */
    *at++ = resolver->trust_ad ? 0x20 : 0;
    NS_PUT16(1, at);
    at = query->message + NS_HFIXEDSZ;
    int bytes = dn_comp(name, at, RESOLVER_QUERY_BYTES - NS_HFIXEDSZ - NS_QFIXEDSZ, NULL, NULL);
    if (bytes < 0) {
        return false;
    }
    at += bytes;
    NS_PUT16(type, at);
    NS_PUT16(ns_c_in, at);
    if (edns && !DRY_MUTANT(edns_is_never_asked_for)) {
        *at++ = 0; /* the root's name */
        NS_PUT16(ns_t_opt, at);
        NS_PUT16(EDNS_BYTES, at);
        NS_PUT32(0, at);
        NS_PUT16(0, at);
        query->message[11] = 1;
    }
    query->length = (size_t)(at - query->message);
    exchange->count++;
    return true;
}

/* What the heads of the answers say together: 0 when one of them has records, else an h_errno. */
static int verdict_of(const struct resolver_exchange *exchange)
{
    const uint8_t *first = exchange->answers[0], *second = exchange->answers[1];
    if (exchange->lengths[1] < NS_HFIXEDSZ) {
        second = first;
    } else if (exchange->lengths[0] < NS_HFIXEDSZ) {
        first = second;
    }
    int first_code = first[3] & 15, second_code = second[3] & 15;
    bool records = (first_code == ns_r_noerror && ns_get16(first + 6) != 0) ||
                   (second_code == ns_r_noerror && ns_get16(second + 6) != 0);
    if (records) {
        return 0;
    }
    switch (first_code == ns_r_noerror ? second_code : first_code) {
    case ns_r_nxdomain:
        return HOST_NOT_FOUND;
    case ns_r_servfail:
        return TRY_AGAIN;
    case ns_r_noerror:
        return NO_DATA;
    default:
        return NO_RECOVERY;
    }
}

/* ---- one look-up -------------------------------------------------------------------------- */

struct search {
    struct resolver_exchange exchange;
    int type; /* ns_t_any: A and AAAA at once */
    int h_error;
};

/* LINUX: with no-aaaa the question for AAAA goes out as one for A, without EDNS, so that a name
 * which does not exist is told from one without data; what it brings is not looked at. */
static bool hides_aaaa(const struct search *search)
{
    return search->type == ns_t_aaaa && search->exchange.resolver->no_aaaa;
}

/* Asks for one name as it stands; true: there are records to read, else h_error says why not. */
static bool query(struct search *search, const char *name)
{
    struct resolver_exchange *exchange = &search->exchange;
    const struct sim_resolver *resolver = exchange->resolver;
    exchange->count = 0;
    exchange->answers[0][3] = 0; /* no code was told yet */
    bool good;
    if (search->type == ns_t_any) {
        good = add_query(exchange, name, ns_t_a, resolver->edns) &&
               add_query(exchange, name, ns_t_aaaa, resolver->edns);
    } else if (hides_aaaa(search)) {
        good = add_query(exchange, name, ns_t_a, false);
    } else {
        good = add_query(exchange, name, search->type, resolver->edns);
    }
    if (!good) {
        exchange->error = EMSGSIZE;
        search->h_error = NO_RECOVERY;
        return false;
    }
    if (!resolver_send(exchange)) {
        search->h_error = TRY_AGAIN;
        return false;
    }
    exchange->error = 0;
    search->h_error = verdict_of(exchange);
    if (search->h_error == 0 && hides_aaaa(search)) {
        search->h_error = NO_DATA;
    }
    return search->h_error == 0;
}

/* The name under a domain; NULL: as it is, but for a dot at its end. */
static bool query_domain(struct search *search, const char *name, const char *domain)
{
    char whole[NS_MAXDNAME];
    size_t length = strlen(name);
    if (length + (domain != NULL ? strlen(domain) + 1 : 0) >= sizeof whole) {
        search->h_error = NO_RECOVERY;
        return false;
    }
    memcpy(whole, name, length + 1);
    if (domain != NULL) {
        whole[length] = '.';
        strcpy(whole + length + 1, domain);
    } else if (length > 0 && whole[length - 1] == '.') {
        whole[length - 1] = 0;
    }
    return query(search, whole);
}

static unsigned count_dots(const char *name)
{
    unsigned dots = 0;
    for (; *name != 0; name++) {
        dots += *name == '.';
    }
    return dots;
}

/* What the domains of the search list came to. */
struct tried {
    bool any, root, no_data, server_failed, refused;
};

/* LINUX: without a search line, the domain of the host's own name is searched. */
static const char *domain_at(const struct search *search, unsigned i, char own[NS_MAXDNAME])
{
    const struct sim_resolver *resolver = search->exchange.resolver;
    struct dry_caller caller = search->exchange.caller;
    if (resolver->search_given) {
        return i < resolver->search_count ? resolver->searches[i] : NULL;
    }
    if (i > 0 || caller.system->gethostname(caller, own, NS_MAXDNAME) < 0) {
        return NULL;
    }
    const char *dot = strchr(own, '.');
    return dot != NULL && dot[1] != 0 ? dot + 1 : NULL;
}

/* True: found. A name that is not there, or without data, is looked for under the next domain, and so
 * is one for which a server failed; anything else ends the list. */
static bool search_domains(struct search *search, const char *name, struct tried *tried)
{
    char own[NS_MAXDNAME];
    const char *domain;
    for (unsigned i = 0; (domain = domain_at(search, i, own)) != NULL; i++) {
        domain += domain[0] == '.';
        tried->any = true;
        tried->root = tried->root || domain[0] == 0;
        if (query_domain(search, name, domain)) {
            return true;
        }
        if (search->exchange.error == ECONNREFUSED) {
            tried->refused = true;
            return false;
        }
        bool failed = search->h_error == TRY_AGAIN &&
                      (search->exchange.answers[0][3] & 15) == ns_r_servfail;
        tried->no_data = tried->no_data || search->h_error == NO_DATA;
        tried->server_failed = tried->server_failed || failed;
        if (search->h_error != NO_DATA && search->h_error != HOST_NOT_FOUND && !failed) {
            break;
        }
    }
    return false;
}

/* A name with enough dots is first tried as it is, then under each domain of the search list; one with
 * fewer, the other way round. */
static bool search_names(struct search *search, const char *name)
{
    const struct sim_resolver *resolver = search->exchange.resolver;
    size_t length = strlen(name);
    bool absolute = length > 0 && name[length - 1] == '.';
    unsigned dots = count_dots(name);
    bool as_it_is = absolute || dots >= resolver->ndots;
    struct tried tried = {0};
    int first_error = 0;
    if (as_it_is) {
        if (query_domain(search, name, NULL) || absolute) {
            return search->h_error == 0;
        }
        first_error = search->h_error;
    }
    if (search_domains(search, name, &tried)) {
        return true;
    }
    if (tried.refused) {
        search->h_error = TRY_AGAIN;
        return false;
    }
    if (!as_it_is && !tried.root && (dots > 0 || !tried.any || !resolver->no_tld_query) &&
        query_domain(search, name, NULL)) {
        return true;
    }
    if (first_error != 0) {
        search->h_error = first_error;
    } else if (tried.no_data) {
        search->h_error = NO_DATA;
    } else if (tried.server_failed) {
        search->h_error = TRY_AGAIN;
    }
    return false;
}

/* ---- what it means to who asked ----------------------------------------------------------- */

static bool begin(struct search *search, struct sim_resolver *resolver, struct resolver_found *found,
                  int type)
{
    *search = (struct search){.type = type, .h_error = HOST_NOT_FOUND};
    search->exchange.resolver = resolver;
    search->exchange.caller = found->caller;
    search->exchange.habit = found->habit;
    uint8_t *memory = resolver_hold(found->caller, 2 * (size_t)RESOLVER_MESSAGE_BYTES);
    if (memory == NULL) {
        found->status = RESOLVER_UNAVAILABLE;
        found->h_error = NETDB_INTERNAL;
        found->system_error = ENOMEM;
        return false;
    }
    search->exchange.answers[0] = memory;
    search->exchange.answers[1] = memory + RESOLVER_MESSAGE_BYTES;
    return true;
}

static void end(struct search *search)
{
    resolver_release(search->exchange.caller, search->exchange.answers[0]);
}

/* Nothing was found: which kind of nothing. */
static void take_failure(const struct search *search, struct resolver_found *found)
{
    int error = search->exchange.error;
    found->h_error = search->h_error;
    found->status = RESOLVER_NOT_FOUND;
    if (error == EMFILE || error == ENFILE) {
        found->h_error = NETDB_INTERNAL;
        found->system_error = error;
        found->status = RESOLVER_UNAVAILABLE;
    } else if ((error == ECONNREFUSED || error == ETIMEDOUT) && found->h_error == TRY_AGAIN) {
        found->status = RESOLVER_UNAVAILABLE;
    }
}

/* What the entries take in the buffer that the C library gives to its module for the DNS. */
static size_t entry_bytes(const struct resolver_found *found, int family)
{
    enum { TUPLE_BYTES = 40, POINTER_BYTES = 8 };
    size_t names = strlen(found->canonical) + 1, count = found->address_count;
    if (family == AF_UNSPEC) {
        size_t aligned = count > 1 ? (names + POINTER_BYTES - 1) / POINTER_BYTES * POINTER_BYTES
                                   : names;
        return count * TUPLE_BYTES + aligned;
    }
    for (size_t i = 0; i < found->alias_count; i++) {
        names += strlen(found->aliases[i]) + 1;
    }
    size_t pointers = (count + 1 + found->alias_count + 1) * POINTER_BYTES;
    return count * (family == AF_INET ? 4 : 16) + names + pointers;
}

/* LINUX: an answer that the buffer does not hold is asked for all over again, with twice the room. */
static bool is_asked_again(struct resolver_found *found, int family)
{
    if (found->status != RESOLVER_FOUND || found->room_bytes == 0 ||
        entry_bytes(found, family) <= found->room_bytes) {
        return false;
    }
    found->room_bytes *= 2;
    return true;
}

void resolver_dns_by_name(struct sim_resolver *resolver, const char *name, int family,
                          struct resolver_found *found)
{
    struct search search;
    int type = family == AF_INET6 ? ns_t_aaaa : ns_t_a;
    bool both = family == AF_UNSPEC && !resolver->no_aaaa;
    /* LINUX: no server is asked for what is no host name. */
    if (!res_hnok(name)) {
        found->status = RESOLVER_NOT_FOUND;
        found->h_error = HOST_NOT_FOUND;
        return;
    }
    if (!begin(&search, resolver, found, both ? ns_t_any : type)) {
        return;
    }
    do {
        found->address_count = found->alias_count = 0;
        found->canonical[0] = 0;
        if (!search_names(&search, name)) {
            take_failure(&search, found);
        } else if (family == AF_UNSPEC) {
            resolver_read_both(&search.exchange, found);
        } else {
            resolver_read_one(&search.exchange, type, found);
        }
    } while (is_asked_again(found, family));
    end(&search);
}

/* An IPv6 address with an IPv4 one inside is asked for as that one, but for ::1. */
static struct resolver_address unmapped(const struct resolver_address *address)
{
    struct in6_addr ip;
    struct resolver_address inner = {.family = AF_INET};
    memcpy(&ip, address->bytes, sizeof ip);
    bool holds = IN6_IS_ADDR_V4MAPPED(&ip) || IN6_IS_ADDR_V4COMPAT(&ip) || IN6_IS_ADDR_UNSPECIFIED(&ip);
    if (address->family != AF_INET6 || !holds) {
        return *address;
    }
    memcpy(inner.bytes, address->bytes + 12, 4);
    return inner;
}

void resolver_dns_by_address(struct sim_resolver *resolver, const struct resolver_address *wanted,
                             struct resolver_found *found)
{
    struct search search;
    const struct resolver_address inner = unmapped(wanted), *address = &inner;
    char name[RESOLVER_NAME_BYTES];
    size_t at = 0;
    const uint8_t *bytes = address->bytes;
    if (address->family == AF_INET) {
        snprintf(name, sizeof name, "%d.%d.%d.%d.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
    } else {
        for (int i = 15; i >= 0; i--) {
            at += (size_t)snprintf(name + at, sizeof name - at, "%x.%x.%s", bytes[i] & 15,
                                   bytes[i] >> 4, i == 0 ? "ip6.arpa" : "");
        }
    }
    if (!begin(&search, resolver, found, ns_t_ptr)) {
        return;
    }
    if (!query(&search, name)) {
        take_failure(&search, found);
    } else {
        resolver_read_pointer(&search.exchange, found);
    }
    if (found->status == RESOLVER_FOUND) {
        resolver_add_address(found, address);
    }
    end(&search);
}
