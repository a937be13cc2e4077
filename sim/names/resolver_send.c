/* DNS exchanges: queries to the configured servers, their timeouts and retries, over UDP and TCP.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: the schedule and the verdicts are the C library's (res_send). Each attempt goes through the
 * servers in turn; the wait for server i is timeout << i shared among them. A server's socket stays
 * open for the next attempt, so that a late answer still counts; a failure closes all of them. */
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

/* How asking one server ended. */
enum verdict {
    ANSWERED,    /* lengths tell which of the answers are there */
    NEXT_SERVER, /* nothing from this one */
    OVER_TCP,    /* it has more to say than a datagram holds */
    GIVE_UP,     /* no socket can be had */
};

struct sending {
    struct resolver_exchange *exchange;
    int sockets[RESOLVER_SERVERS]; /* by server, -1: none */
    unsigned servers;
    bool got_somewhere; /* a server was heard of, or waited for */
};

static struct sockaddr_in6 server_of(const struct sim_resolver *resolver, unsigned server)
{
    if (resolver->server_count > 0) {
        return resolver->servers[server];
    }
    struct sockaddr_in6 address = {0};
    struct sockaddr_in loopback = {
        .sin_family = AF_INET, .sin_port = htons(NS_DEFAULTPORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    memcpy(&address, &loopback, sizeof loopback);
    return address;
}

static socklen_t length_of(const struct sockaddr_in6 *server)
{
    return server->sin6_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof *server;
}

static void close_all(struct sending *sending)
{
    struct dry_caller caller = sending->exchange->caller;
    for (unsigned i = 0; i < RESOLVER_SERVERS; i++) {
        if (sending->sockets[i] >= 0) {
            caller.system->close(caller, sending->sockets[i]);
            sending->sockets[i] = -1;
        }
    }
}

static enum verdict fail(struct sending *sending)
{
    close_all(sending);
    sending->exchange->lengths[0] = sending->exchange->lengths[1] = 0;
    return NEXT_SERVER;
}

/* ---- over UDP ----------------------------------------------------------------------------- */

/* The conversation with one server over UDP. */
struct datagrams {
    struct sending *sending;
    unsigned server;
    uint64_t deadline_at;
    size_t sent;
    bool received[2];   /* by question */
    bool apart, reopen; /* the second question follows the first's answer; by another socket */
    bool next_is_due;   /* apart: the first has been answered */
};

static uint64_t now_of(struct dry_caller caller)
{
    struct timespec now;
    caller.system->clock_gettime(caller, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits for an answer: its poll bits, 0 at the deadline, or -errno. */
static int wait_readable(struct dry_caller caller, int fd, uint64_t deadline_at)
{
    for (;;) {
        uint64_t now = now_of(caller);
        uint64_t rest = deadline_at > now ? deadline_at - now : 0;
        struct timespec timeout = {.tv_sec = (time_t)(rest / 1000000000),
                                   .tv_nsec = (long)(rest % 1000000000)};
        struct pollfd descriptor = {.fd = fd, .events = POLLIN};
        int ready = caller.system->ppoll(caller, &descriptor, 1, &timeout, NULL);
        if (ready == -EINTR) {
            continue;
        }
        return ready <= 0 ? ready : descriptor.revents;
    }
}

/* A connected socket for the server, if there is none. */
static enum verdict open_socket(struct sending *sending, unsigned server)
{
    struct dry_caller caller = sending->exchange->caller;
    if (sending->sockets[server] >= 0) {
        return ANSWERED;
    }
    struct sockaddr_in6 address = server_of(sending->exchange->resolver, server);
    int fd = caller.system->socket(caller, address.sin6_family,
                                   SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        sending->exchange->error = -fd;
        return fd == -EAFNOSUPPORT ? NEXT_SERVER : GIVE_UP;
    }
    sending->sockets[server] = fd;
    /* LINUX: errors on the way end the wait, those too that a socket is not told of else. */
    int on = 1;
    bool is_v4 = address.sin6_family == AF_INET;
    caller.system->setsockopt(caller, fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                              is_v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
    if (caller.system->connect(caller, fd, (struct sockaddr *)&address, length_of(&address)) < 0) {
        return fail(sending);
    }
    return ANSWERED;
}

static bool send_query(struct datagrams *datagrams, size_t i)
{
    const struct resolver_exchange *exchange = datagrams->sending->exchange;
    const struct resolver_query *query = &exchange->queries[i];
    ssize_t sent = exchange->caller.system->sendto(
        exchange->caller, datagrams->sending->sockets[datagrams->server], query->message, query->length,
        MSG_NOSIGNAL, NULL, 0);
    datagrams->sent++;
    return sent == (ssize_t)query->length;
}

/* LINUX: a question that cannot be read counts as the one asked. What a short message lacks is 0. */
static bool same_question(const struct resolver_query *query, const uint8_t *answer)
{
    char asked[NS_MAXDNAME], told[NS_MAXDNAME];
    const uint8_t *asked_at = query->message + NS_HFIXEDSZ;
    const uint8_t *told_at = answer + NS_HFIXEDSZ, *end = answer + RESOLVER_MESSAGE_BYTES;
    if (ns_get16(answer + 4) != 1) {
        return false;
    }
    int bytes = dn_expand(query->message, query->message + query->length, asked_at, asked,
                          sizeof asked);
    asked_at += bytes;
    bytes = dn_expand(answer, end, told_at, told, sizeof told);
    if (bytes < 0) {
        return true;
    }
    told_at += bytes;
    return ns_get16(asked_at) == ns_get16(told_at) && ns_get16(asked_at + 2) == ns_get16(told_at + 2) &&
           strcasecmp(asked, told) == 0;
}

/* The question that this message answers, or -1. */
static int question_of(const struct datagrams *datagrams, const uint8_t *answer)
{
    const struct resolver_exchange *exchange = datagrams->sending->exchange;
    int found = -1;
    for (size_t i = 0; i < exchange->count; i++) {
        const struct resolver_query *query = &exchange->queries[i];
        bool same_id = memcmp(query->message, answer, 2) == 0 || DRY_MUTANT(any_identifier_is_believed);
        if (!datagrams->received[i] && same_id && same_question(query, answer)) {
            found = (int)i;
        }
    }
    return found;
}

static bool is_failure(const uint8_t *answer)
{
    int code = answer[3] & 15;
    bool lame = code == ns_r_noerror && ns_get16(answer + 6) == 0 && (answer[2] & 0x04) == 0 &&
                (answer[3] & 0x80) == 0 && ns_get16(answer + 10) == 0;
    return code == ns_r_servfail || code == ns_r_notimpl || code == ns_r_refused || lame;
}

/* Which buffer the next answer goes to: the second only when one is there already. */
static size_t slot_of(const struct datagrams *datagrams)
{
    return datagrams->sending->exchange->count > 1 &&
           (datagrams->received[0] || datagrams->received[1]);
}

enum step { GO_ON, DONE };

/* Takes one answer; DONE with *verdict when it ends the conversation. */
static enum step take_answer(struct datagrams *datagrams, size_t length, enum verdict *verdict)
{
    struct sending *sending = datagrams->sending;
    struct resolver_exchange *exchange = sending->exchange;
    size_t slot = slot_of(datagrams);
    const uint8_t *answer = exchange->answers[slot];
    sending->got_somewhere = true;
    if (length < NS_HFIXEDSZ) {
        *verdict = fail(sending);
        return DONE;
    }
    int question = question_of(datagrams, answer);
    if (question < 0) {
        return GO_ON;
    }
    if (is_failure(answer)) {
        exchange->lengths[slot] = 0;
        if (slot == 0 && (exchange->count == 1 || datagrams->apart ||
                          DRY_MUTANT(one_failure_takes_the_other_answer_along))) {
            *verdict = fail(sending);
            return DONE;
        }
        if (slot == 1) { /* the other one has been heard of: whatever it said is all there is */
            *verdict = exchange->lengths[0] > 0 ? ANSWERED : NEXT_SERVER;
            return DONE;
        }
        datagrams->received[question] = true;
        return GO_ON;
    }
    if ((answer[2] & 0x02) != 0) {
        close_all(sending);
        *verdict = OVER_TCP;
        return DONE;
    }
    exchange->lengths[slot] = length;
    datagrams->received[question] = true;
    if (exchange->count == 1 || slot == 1) {
        *verdict = ANSWERED;
        return DONE;
    }
    datagrams->next_is_due = datagrams->apart;
    return GO_ON;
}

/* LINUX: there are servers, and walls in front of some, that do not take two questions from one socket.
 * After a wait in which only one was answered, the task asks them one after the other, then each by a
 * socket of its own, from then on. True: to be tried again. */
static bool learn(struct datagrams *datagrams)
{
    struct sending *sending = datagrams->sending;
    if ((datagrams->apart && datagrams->reopen) || DRY_MUTANT(two_questions_are_never_asked_apart)) {
        return false;
    }
    if (datagrams->apart) {
        datagrams->reopen = true;
        close_all(sending);
    }
    datagrams->apart = true;
    *sending->exchange->habit |= datagrams->reopen ? HABIT_SINGLE_REQUEST | HABIT_REOPEN
                                                   : HABIT_SINGLE_REQUEST;
    return true;
}

/* The second question of two that are asked apart. */
static enum step send_next(struct datagrams *datagrams, enum verdict *verdict)
{
    datagrams->next_is_due = false;
    if (datagrams->reopen) {
        close_all(datagrams->sending);
        *verdict = open_socket(datagrams->sending, datagrams->server);
        if (*verdict != ANSWERED) {
            return DONE;
        }
    }
    if (!send_query(datagrams, datagrams->sent)) {
        *verdict = fail(datagrams->sending);
        return DONE;
    }
    return GO_ON;
}

/* One round from the first send to the deadline. */
static enum step converse(struct datagrams *datagrams, enum verdict *verdict)
{
    struct sending *sending = datagrams->sending;
    struct resolver_exchange *exchange = sending->exchange;
    struct dry_caller caller = exchange->caller;
    size_t at_once = datagrams->apart ? 1 : exchange->count;
    datagrams->sent = 0;
    datagrams->received[0] = datagrams->received[1] = datagrams->next_is_due = false;
    *verdict = NEXT_SERVER;
    while (datagrams->sent < at_once) {
        if (!send_query(datagrams, datagrams->sent)) {
            *verdict = fail(sending);
            return DONE;
        }
    }
    for (;;) {
        int ready = wait_readable(caller, sending->sockets[datagrams->server], datagrams->deadline_at);
        if (ready == 0) {
            return GO_ON; /* the deadline */
        }
        if (ready < 0 || (ready & POLLIN) == 0) {
            *verdict = fail(sending);
            return DONE;
        }
        uint8_t *buffer = exchange->answers[slot_of(datagrams)];
        ssize_t length = caller.system->recvfrom(caller, sending->sockets[datagrams->server], buffer,
                                                 RESOLVER_MESSAGE_BYTES, 0, NULL, NULL);
        if (length == -EAGAIN || length == -EINTR) {
            continue;
        }
        if (length <= 0) { /* nobody serves there; or, LINUX: an empty message */
            *verdict = fail(sending);
            return DONE;
        }
        memset(buffer + length, 0, RESOLVER_MESSAGE_BYTES - (size_t)length);
        if (take_answer(datagrams, (size_t)length, verdict) == DONE ||
            (datagrams->next_is_due && send_next(datagrams, verdict) == DONE)) {
            return DONE;
        }
    }
}

static enum verdict ask_by_datagram(struct sending *sending, unsigned server)
{
    struct resolver_exchange *exchange = sending->exchange;
    struct sim_resolver *resolver = exchange->resolver;
    uint32_t habit = *exchange->habit;
    struct datagrams datagrams = {.sending = sending, .server = server};
    datagrams.reopen = resolver->single_request_reopen || (habit & HABIT_REOPEN) != 0;
    datagrams.apart = datagrams.reopen || resolver->single_request ||
                      (habit & HABIT_SINGLE_REQUEST) != 0;
    unsigned seconds = resolver->timeout_s << server;
    if (server > 0) {
        seconds /= sending->servers;
    }
    if (seconds == 0) {
        seconds = 1;
    }
    bool got_somewhere = sending->got_somewhere;
    exchange->lengths[0] = exchange->lengths[1] = 0;
    for (;;) {
        enum verdict verdict = open_socket(sending, server);
        if (verdict != ANSWERED) {
            return verdict;
        }
        datagrams.deadline_at = now_of(exchange->caller) + (uint64_t)seconds * 1000000000;
        if (converse(&datagrams, &verdict) == DONE) {
            return verdict;
        }
        bool half = exchange->count > 1 && exchange->lengths[0] > 1 &&
                    (datagrams.received[0] || datagrams.received[1]);
        if (!half) {
            sending->got_somewhere = true;
            exchange->lengths[0] = exchange->lengths[1] = 0;
            return NEXT_SERVER;
        }
        if (!learn(&datagrams)) {
            exchange->lengths[1] = 1; /* LINUX: which counts as an answer that cannot be read */
            return ANSWERED;
        }
        sending->got_somewhere = got_somewhere;
    }
}

/* ---- over TCP ----------------------------------------------------------------------------- */

static bool read_all(struct dry_caller caller, int fd, uint8_t *buffer, size_t length, bool again,
                     int *error)
{
    while (length > 0) {
        ssize_t got = caller.system->recvfrom(caller, fd, buffer, length, 0, NULL, NULL);
        if (got == -EINTR && again) {
            continue;
        }
        if (got <= 0) {
            *error = (int)-got;
            return false;
        }
        buffer += got;
        length -= (size_t)got;
    }
    return true;
}

/* RFC 7766: each message behind two bytes of its length; all in one piece. */
static bool write_queries(const struct resolver_exchange *exchange, int fd, int *error)
{
    uint8_t sizes[2][2];
    struct iovec parts[4];
    struct msghdr message = {.msg_iov = parts};
    ssize_t expected = 0;
    for (size_t i = 0; i < exchange->count; i++) {
        const struct resolver_query *query = &exchange->queries[i];
        ns_put16((unsigned)query->length, sizes[i]);
        parts[message.msg_iovlen++] = (struct iovec){sizes[i], 2};
        parts[message.msg_iovlen++] = (struct iovec){(void *)(uintptr_t)query->message, query->length};
        expected += 2 + (ssize_t)query->length;
    }
    ssize_t sent;
    do {
        sent = exchange->caller.system->sendmsg(exchange->caller, fd, &message, MSG_NOSIGNAL);
    } while (sent == -EINTR);
    if (sent != expected) {
        *error = sent < 0 ? (int)-sent : 0;
    }
    return sent == expected;
}

/* Reads until each question has its answer; an answer to another question is passed over. */
static bool read_answers(struct resolver_exchange *exchange, int fd, int *error)
{
    bool received[2] = {false, exchange->count < 2};
    while (!received[0] || !received[1]) {
        size_t slot = exchange->count > 1 && (received[0] || received[1]);
        uint8_t size[2], *answer = exchange->answers[slot];
        if (!read_all(exchange->caller, fd, size, 2, true, error)) {
            return false;
        }
        size_t length = ns_get16(size);
        exchange->lengths[slot] = length;
        if (length < NS_HFIXEDSZ) {
            *error = EMSGSIZE;
            return false;
        }
        if (!read_all(exchange->caller, fd, answer, length, false, error)) {
            return false;
        }
        if (!received[0] && memcmp(exchange->queries[0].message, answer, 2) == 0) {
            received[0] = true;
        } else if (!received[1] && memcmp(exchange->queries[1].message, answer, 2) == 0) {
            received[1] = true;
        }
    }
    return true;
}

/* LINUX: nothing bounds the time of this but TCP itself; a connection that was reset is tried once
 * more. */
static enum verdict ask_by_stream(struct sending *sending, unsigned server)
{
    struct resolver_exchange *exchange = sending->exchange;
    struct dry_caller caller = exchange->caller;
    struct sockaddr_in6 address = server_of(exchange->resolver, server);
    for (int tries = 0;; tries++) {
        exchange->lengths[0] = exchange->lengths[1] = 0;
        exchange->error = 0;
        int fd = caller.system->socket(caller, address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            exchange->error = -fd;
            return GIVE_UP;
        }
        int connected = caller.system->connect(caller, fd, (struct sockaddr *)&address,
                                               length_of(&address));
        exchange->error = connected < 0 ? -connected : 0;
        bool written = connected == 0 && write_queries(exchange, fd, &exchange->error);
        bool good = written && read_answers(exchange, fd, &exchange->error);
        caller.system->close(caller, fd);
        if (good) {
            return ANSWERED;
        }
        if (!written || exchange->error != ECONNRESET || tries > 0) {
            return fail(sending);
        }
    }
}

/* ---- all servers -------------------------------------------------------------------------- */

/* Where the turn begins, which goes on with each exchange. */
static unsigned first_server(struct sim_resolver *resolver)
{
    if (resolver->server_count < 2 || !resolver->rotate) {
        return 0;
    }
    return resolver->memory[0]++ % resolver->server_count;
}

bool resolver_send(struct resolver_exchange *exchange)
{
    struct sim_resolver *resolver = exchange->resolver;
    struct sending sending = {.exchange = exchange, .sockets = {-1, -1, -1}};
    sending.servers = resolver->server_count > 0 ? resolver->server_count : 1;
    unsigned attempts = DRY_MUTANT(resolver_asks_once) ? 1 : resolver->attempts;
    unsigned first = first_server(resolver);
    bool stream = resolver->use_tcp;
    enum verdict verdict = NEXT_SERVER;
    for (unsigned attempt = 0; attempt < attempts; attempt++) {
        for (unsigned i = 0; i < sending.servers && verdict == NEXT_SERVER; i++) {
            unsigned server = (first + i) % sending.servers;
            if (!stream) {
                verdict = ask_by_datagram(&sending, server);
                stream = verdict == OVER_TCP;
            }
            if (stream) {
                verdict = ask_by_stream(&sending, server);
                attempt = attempts; /* at most one connection to each server */
            }
        }
        if (verdict != NEXT_SERVER) {
            break;
        }
    }
    close_all(&sending);
    if (verdict == NEXT_SERVER && !stream) {
        exchange->error = sending.got_somewhere ? ETIMEDOUT : ECONNREFUSED;
    }
    return verdict == ANSWERED;
}
