/* DNS queries: messages to the configured servers, their timeouts, retries and search list.
 * SPDX-License-Identifier: MIT
 *
 * The schedule is the C library's (res_send, res_search): each attempt goes through the servers in
 * turn; the wait for server i is timeout << i shared among them; A and AAAA travel together. */
#include <arpa/nameser.h>
#include <assert.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

enum {
    QUERY_BYTES = 512,
    ANSWER_BYTES = 4096, /* SIMPLER: a longer answer over TCP counts as a failure of the server */
};

struct query {
    uint8_t message[QUERY_BYTES];
    int length;
    uint16_t id;
    bool answered;
    int answer_length;
    uint8_t answer[ANSWER_BYTES];
};

/* What came of asking one server. */
enum outcome {
    ALL_ANSWERED,
    NEXT_SERVER,
    ASK_OVER_TCP,
};

struct exchange {
    struct sim_resolver *resolver;
    struct dry_caller caller;
    struct query queries[2];
    size_t count;
    bool failed_server; /* one answered SERVFAIL, NOTIMP or REFUSED */
};

static uint64_t now_of(struct dry_caller caller)
{
    struct timespec now;
    caller.system->clock_gettime(caller, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits until the descriptor is ready: its bits, 0 at the deadline, or -errno. */
static int wait_ready(struct dry_caller caller, int fd, short events, uint64_t deadline_at)
{
    for (;;) {
        uint64_t now = now_of(caller);
        uint64_t rest = deadline_at > now ? deadline_at - now : 0;
        struct timespec timeout = {.tv_sec = (time_t)(rest / 1000000000),
                                   .tv_nsec = (long)(rest % 1000000000)};
        struct pollfd descriptor = {.fd = fd, .events = events};
        int ready = caller.system->ppoll(caller, &descriptor, 1, &timeout, NULL);
        if (ready == -EINTR) {
            continue;
        }
        return ready <= 0 ? ready : descriptor.revents;
    }
}

static bool all_answered(const struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++) {
        if (!exchange->queries[i].answered) {
            return false;
        }
    }
    return true;
}

static bool same_question(const struct query *query, const uint8_t *answer, int length)
{
    ns_msg asked, told;
    ns_rr asked_rr, told_rr;
    return ns_initparse(query->message, query->length, &asked) == 0 &&
           ns_initparse(answer, length, &told) == 0 && ns_parserr(&asked, ns_s_qd, 0, &asked_rr) == 0 &&
           ns_parserr(&told, ns_s_qd, 0, &told_rr) == 0 &&
           ns_rr_type(asked_rr) == ns_rr_type(told_rr) &&
           ns_rr_class(asked_rr) == ns_rr_class(told_rr) &&
           strcasecmp(ns_rr_name(asked_rr), ns_rr_name(told_rr)) == 0;
}

/* Takes an answer that belongs to one of the queries; what does not is passed over. */
static enum outcome take_answer(struct exchange *exchange, const uint8_t *answer, int length,
                                bool over_tcp)
{
    for (size_t i = 0; i < exchange->count; i++) {
        struct query *query = &exchange->queries[i];
        if (query->answered || length < NS_HFIXEDSZ || ns_get16(answer) != query->id ||
            (answer[2] & 0x80) == 0) {
            continue;
        }
        int code = answer[3] & 15;
        if (code == ns_r_servfail || code == ns_r_notimpl || code == ns_r_refused) {
            exchange->failed_server = true;
            return NEXT_SERVER;
        }
        if (!same_question(query, answer, length)) {
            continue;
        }
        if (!over_tcp && (answer[2] & 2) != 0) {
            return ASK_OVER_TCP;
        }
        memcpy(query->answer, answer, (size_t)length);
        query->answer_length = length;
        query->answered = true;
    }
    return ALL_ANSWERED;
}

static enum outcome receive_datagrams(struct exchange *exchange, int fd, uint64_t deadline_at)
{
    struct dry_caller caller = exchange->caller;
    while (!all_answered(exchange)) {
        uint8_t answer[ANSWER_BYTES];
        int ready = wait_ready(caller, fd, POLLIN, deadline_at);
        if (ready <= 0) {
            return NEXT_SERVER;
        }
        ssize_t length = caller.system->recvfrom(caller, fd, answer, sizeof answer, 0, NULL, NULL);
        if (length == -EAGAIN || length == -EINTR) {
            continue;
        }
        if (length < 0) {
            return NEXT_SERVER; /* refused: nobody serves there */
        }
        enum outcome outcome = take_answer(exchange, answer, (int)length, false);
        if (outcome != ALL_ANSWERED) {
            return outcome;
        }
    }
    return ALL_ANSWERED;
}

static enum outcome ask_by_datagram(struct exchange *exchange, const struct sockaddr *server,
                                    socklen_t length, uint64_t deadline_at)
{
    struct dry_caller caller = exchange->caller;
    const struct dry_system *system = caller.system;
    int fd = system->socket(caller, server->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return NEXT_SERVER;
    }
    enum outcome outcome = NEXT_SERVER;
    bool sent = system->connect(caller, fd, server, length) == 0;
    for (size_t i = 0; sent && i < exchange->count; i++) {
        if (!exchange->queries[i].answered) {
            sent = system->sendto(caller, fd, exchange->queries[i].message,
                                  (size_t)exchange->queries[i].length, MSG_NOSIGNAL, NULL, 0) >= 0;
        }
    }
    if (sent) {
        outcome = receive_datagrams(exchange, fd, deadline_at);
    }
    system->close(caller, fd);
    return outcome;
}

/* Reads or writes the whole buffer before the deadline. */
static bool move_all(struct dry_caller caller, int fd, uint8_t *buffer, size_t length, bool write,
                     uint64_t deadline_at)
{
    while (length > 0) {
        ssize_t moved = write ? caller.system->sendto(caller, fd, buffer, length, MSG_NOSIGNAL, NULL, 0)
                              : caller.system->recvfrom(caller, fd, buffer, length, 0, NULL, NULL);
        if (moved == -EAGAIN) {
            if (wait_ready(caller, fd, write ? POLLOUT : POLLIN, deadline_at) <= 0) {
                return false;
            }
            continue;
        }
        if (moved == -EINTR) {
            continue;
        }
        if (moved <= 0) {
            return false;
        }
        buffer += moved;
        length -= (size_t)moved;
    }
    return true;
}

static bool connect_stream(struct dry_caller caller, int fd, const struct sockaddr *server,
                           socklen_t length, uint64_t deadline_at)
{
    int result = caller.system->connect(caller, fd, server, length);
    if (result != -EINPROGRESS) {
        return result == 0;
    }
    int error = 0;
    socklen_t error_bytes = sizeof error;
    return wait_ready(caller, fd, POLLOUT, deadline_at) > 0 &&
           caller.system->getsockopt(caller, fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes) == 0 &&
           error == 0;
}

/* RFC 7766: each message behind two bytes of its length. */
static enum outcome ask_by_stream(struct exchange *exchange, const struct sockaddr *server,
                                  socklen_t length, uint64_t deadline_at)
{
    struct dry_caller caller = exchange->caller;
    int fd = caller.system->socket(caller, server->sa_family,
                                   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return NEXT_SERVER;
    }
    bool good = connect_stream(caller, fd, server, length, deadline_at);
    for (size_t i = 0; good && i < exchange->count; i++) {
        uint8_t framed[QUERY_BYTES + 2];
        struct query *query = &exchange->queries[i];
        ns_put16((unsigned)query->length, framed);
        memcpy(framed + 2, query->message, (size_t)query->length);
        query->answered = false;
        good = move_all(caller, fd, framed, (size_t)query->length + 2, true, deadline_at);
    }
    enum outcome outcome = NEXT_SERVER;
    for (size_t i = 0; good && i < exchange->count; i++) {
        uint8_t size[2], answer[ANSWER_BYTES];
        good = move_all(caller, fd, size, 2, false, deadline_at) && ns_get16(size) <= sizeof answer &&
               move_all(caller, fd, answer, ns_get16(size), false, deadline_at);
        outcome = good ? take_answer(exchange, answer, (int)ns_get16(size), true) : NEXT_SERVER;
        good = good && outcome == ALL_ANSWERED;
    }
    caller.system->close(caller, fd);
    return good && all_answered(exchange) ? ALL_ANSWERED : NEXT_SERVER;
}

static enum outcome ask_server(struct exchange *exchange, unsigned server, unsigned servers)
{
    struct sim_resolver *resolver = exchange->resolver;
    struct sockaddr_in loopback = {
        .sin_family = AF_INET, .sin_port = htons(NS_DEFAULTPORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct sockaddr *address = (const struct sockaddr *)&loopback;
    if (resolver->server_count > 0) {
        address = (const struct sockaddr *)&resolver
                      ->servers[(server + resolver->memory[0]) % resolver->server_count];
    }
    socklen_t length = address->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                     : sizeof(struct sockaddr_in6);
    unsigned seconds = resolver->timeout_s << server;
    if (server > 0) {
        seconds /= servers;
    }
    if (seconds == 0) {
        seconds = 1;
    }
    uint64_t wait_ns = (uint64_t)seconds * 1000000000;
    enum outcome outcome = ASK_OVER_TCP;
    if (!resolver->use_tcp) {
        outcome = ask_by_datagram(exchange, address, length, now_of(exchange->caller) + wait_ns);
    }
    if (outcome == ASK_OVER_TCP) {
        outcome = ask_by_stream(exchange, address, length, now_of(exchange->caller) + wait_ns);
    }
    return outcome;
}

/* True: every query has its answer. */
static bool ask(struct exchange *exchange)
{
    struct sim_resolver *resolver = exchange->resolver;
    unsigned servers = resolver->server_count > 0 ? resolver->server_count : 1;
    unsigned attempts = DRY_MUTANT(resolver_asks_once) ? 1 : resolver->attempts;
    for (unsigned attempt = 0; attempt < attempts; attempt++) {
        for (unsigned server = 0; server < servers; server++) {
            if (ask_server(exchange, server, servers) == ALL_ANSWERED) {
                if (resolver->rotate) {
                    resolver->memory[0] = (resolver->memory[0] + 1) % servers;
                }
                return true;
            }
        }
    }
    return false;
}

static bool add_query(struct exchange *exchange, const char *name, int type)
{
    struct query *query = &exchange->queries[exchange->count];
    query->length = res_mkquery(ns_o_query, name, ns_c_in, type, NULL, 0, NULL, query->message,
                                sizeof query->message);
    if (query->length < 0) {
        return false;
    }
    query->id = (uint16_t)++exchange->resolver->memory[1];
    ns_put16(query->id, query->message);
    exchange->count++;
    return true;
}

/* ---- reading answers ---------------------------------------------------------------------- */

static void take_record(const ns_msg *message, const ns_rr *rr, const char *owner, int type,
                        struct resolver_found *found)
{
    if ((int)ns_rr_type(*rr) != type || strcasecmp(ns_rr_name(*rr), owner) != 0) {
        return;
    }
    if (type == ns_t_ptr) {
        char name[RESOLVER_NAME_BYTES];
        if (found->canonical[0] == 0 &&
            dn_expand(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*rr), name,
                      sizeof name) >= 0 &&
            res_hnok(name)) {
            snprintf(found->canonical, sizeof found->canonical, "%s", name);
        }
        return;
    }
    size_t bytes = type == ns_t_a ? 4 : 16;
    if (ns_rr_rdlen(*rr) != bytes || found->address_count == RESOLVER_ADDRESSES) {
        return;
    }
    struct resolver_address *address = &found->addresses[found->address_count++];
    *address = (struct resolver_address){.family = type == ns_t_a ? AF_INET : AF_INET6};
    memcpy(address->bytes, ns_rr_rdata(*rr), bytes);
}

static void add_alias(struct resolver_found *found, const char *name)
{
    for (size_t i = 0; i < found->alias_count; i++) {
        if (strcasecmp(found->aliases[i], name) == 0) {
            return;
        }
    }
    if (found->alias_count < RESOLVER_ALIASES) {
        snprintf(found->aliases[found->alias_count++], RESOLVER_NAME_BYTES, "%s", name);
    }
}

/* The records of one answer, along its CNAMEs; returns an h_errno, 0 when there were some. */
static int take_records(const struct query *query, const char *asked, struct resolver_found *found)
{
    ns_msg message;
    char owner[RESOLVER_NAME_BYTES];
    ns_rr question;
    if (ns_initparse(query->answer, query->answer_length, &message) < 0 ||
        ns_parserr(&message, ns_s_qd, 0, &question) < 0) {
        return NO_RECOVERY;
    }
    if (ns_msg_getflag(message, ns_f_rcode) == ns_r_nxdomain) {
        return HOST_NOT_FOUND;
    }
    if (ns_msg_getflag(message, ns_f_rcode) != ns_r_noerror) {
        return NO_RECOVERY;
    }
    snprintf(owner, sizeof owner, "%s", asked);
    size_t asked_length = strlen(owner);
    if (asked_length > 1 && owner[asked_length - 1] == '.') {
        owner[asked_length - 1] = 0;
    }
    size_t before = found->address_count;
    bool named = found->canonical[0] != 0;
    char canonical[RESOLVER_NAME_BYTES];
    snprintf(canonical, sizeof canonical, "%s", owner);
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr rr;
        if (ns_parserr(&message, ns_s_an, i, &rr) < 0) {
            return NO_RECOVERY;
        }
        if (ns_rr_type(rr) == ns_t_cname && strcasecmp(ns_rr_name(rr), owner) == 0 &&
            ns_rr_type(question) != ns_t_cname) {
            dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(rr), owner, sizeof owner);
            /* LINUX: a target that is no host name is followed, and not shown. */
            if (res_hnok(owner)) {
                add_alias(found, canonical);
                snprintf(canonical, sizeof canonical, "%s", owner);
            }
            continue;
        }
        take_record(&message, &rr, owner, ns_rr_type(question), found);
    }
    bool any = found->address_count > before ||
               (ns_rr_type(question) == ns_t_ptr && found->canonical[0] != 0);
    if (any && !named && ns_rr_type(question) != ns_t_ptr) {
        snprintf(found->canonical, sizeof found->canonical, "%s", canonical);
    }
    if (!any && ns_rr_type(question) == ns_t_ptr && ns_msg_count(message, ns_s_an) > 0) {
        return NO_RECOVERY; /* LINUX: there were names, and none that a host may have */
    }
    return any ? 0 : NO_DATA;
}

/* One name, as it stands; fills found. */
static void look_up(struct sim_resolver *resolver, struct dry_caller caller, const char *name,
                    const int *types, size_t type_count, struct resolver_found *found)
{
    *found = (struct resolver_found){.h_error = NO_RECOVERY};
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        found->h_error = NETDB_INTERNAL;
        return;
    }
    exchange->resolver = resolver;
    exchange->caller = caller;
    bool good = true;
    for (size_t i = 0; i < type_count; i++) {
        good = good && add_query(exchange, name, types[i]);
    }
    if (good && !ask(exchange)) {
        found->h_error = TRY_AGAIN;
    } else if (good) {
        int first = take_records(&exchange->queries[0], name, found);
        int second = type_count > 1 ? take_records(&exchange->queries[1], name, found) : first;
        found->h_error = first == 0 || second == 0 ? 0 : first;
    }
    free(exchange);
}

static unsigned count_dots(const char *name)
{
    unsigned dots = 0;
    for (; *name != 0; name++) {
        dots += *name == '.';
    }
    return dots;
}

/* One step of the search: true when it ends it. Remembers the kinds of failure. */
struct search {
    struct sim_resolver *resolver;
    struct dry_caller caller;
    const int *types;
    size_t type_count;
    bool no_data, server_failed;
};

static bool try_name(struct search *search, const char *name, struct resolver_found *found)
{
    look_up(search->resolver, search->caller, name, search->types, search->type_count, found);
    if (found->h_error == NO_DATA) {
        search->no_data = true;
    }
    if (found->h_error == TRY_AGAIN) {
        search->server_failed = true;
    }
    return found->h_error == 0;
}

/* LINUX: res_search's order: a name with enough dots is first tried as it is, then under each
 * domain of the search list; one with fewer, the other way round. */
static void search_names(struct search *search, const char *name, struct resolver_found *found)
{
    size_t length = strlen(name);
    bool absolute = length > 0 && name[length - 1] == '.';
    bool tried_as_is = false;
    int first_error = 0;
    if (absolute || count_dots(name) >= search->resolver->ndots) {
        tried_as_is = true;
        if (try_name(search, name, found) || absolute) {
            return;
        }
        first_error = found->h_error;
    }
    for (unsigned i = 0; i < search->resolver->search_count; i++) {
        char whole[2 * RESOLVER_NAME_BYTES];
        snprintf(whole, sizeof whole, "%s.%s", name, search->resolver->searches[i]);
        if (try_name(search, whole, found)) {
            return;
        }
        if (found->h_error == NETDB_INTERNAL || found->h_error == TRY_AGAIN) {
            break;
        }
    }
    if (!tried_as_is && try_name(search, name, found)) {
        return;
    }
    if (first_error != 0) {
        found->h_error = first_error;
    } else if (search->no_data) {
        found->h_error = NO_DATA;
    } else if (search->server_failed) {
        found->h_error = TRY_AGAIN;
    }
}

void resolver_dns_by_name(struct sim_resolver *resolver, struct dry_caller caller, const char *name,
                          int family, struct resolver_found *found)
{
    static const int both[2] = {ns_t_a, ns_t_aaaa};
    struct search search = {.resolver = resolver,
                            .caller = caller,
                            .types = family == AF_INET6 ? both + 1 : both,
                            .type_count = family == AF_UNSPEC ? 2 : 1};
    /* LINUX: no server is asked for what is no host name. */
    if (strlen(name) >= RESOLVER_NAME_BYTES || !res_hnok(name)) {
        *found = (struct resolver_found){.h_error = HOST_NOT_FOUND};
        return;
    }
    search_names(&search, name, found);
}

void resolver_dns_by_address(struct sim_resolver *resolver, struct dry_caller caller,
                             const struct resolver_address *address, struct resolver_found *found)
{
    static const int pointer = ns_t_ptr;
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
    look_up(resolver, caller, name, &pointer, 1, found);
    found->address_count = 1;
    found->addresses[0] = *address;
}
