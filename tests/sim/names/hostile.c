/* A name server whose answers are wrong in a chosen way, and who notes what it was asked.
 * SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBERS = 1024, NOTED = 32, ADDRESSES = 3 };

static enum hostile_kind (*chooser)(int number, const char *rest, int type, int times);

static const char *const names[] = {
#define NAME(kind) #kind,
    HOSTILE_KINDS(NAME)
#undef NAME
};

const char *hostile_name(enum hostile_kind kind)
{
    return names[kind];
}

/* ---- what was asked ------------------------------------------------------------------------------ */

struct noted {
    size_t length;
    uint8_t message[300];
    in_port_t port;
    int server; /* by address */
    bool stream;
};

static struct {
    struct noted noted[NOTED];
    size_t count;
} notes[2][NUMBERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool read_question(const uint8_t *message, size_t length, struct question *question)
{
    int bytes = dn_expand(message, message + length, message + NS_HFIXEDSZ, question->name,
                          sizeof question->name);
    if (bytes < 0) {
        return false;
    }
    const char *at = question->name;
    unsigned octets[4];
    question->bytes = (size_t)bytes + NS_QFIXEDSZ;
    question->type = ns_get16(message + NS_HFIXEDSZ + bytes);
    if (sscanf(at, "%u.%u.%u.%u.in-addr", &octets[3], &octets[2], &octets[1], &octets[0]) == 4) {
        question->letter = octets[1] == 1 ? 'o' : 't'; /* 10.LETTER.HIGH.LOW */
        question->number = (int)(octets[2] << 8 | octets[3]);
    } else {
        question->letter = at[0] == 'o' ? 'o' : 't';
        question->number = atoi(at + 1);
    }
    question->rest = strchr(at, '.');
    question->rest = question->rest != NULL ? question->rest + 1 : "";
    return question->number >= 0 && question->number < NUMBERS;
}

static bool had_port(const struct noted *all, size_t all_count, in_port_t port)
{
    for (size_t i = 0; i < all_count; i++) {
        if (!all[i].stream && all[i].port == port) {
            return true;
        }
    }
    return false;
}

/* Notes the question, and tells how often it was asked. */
static int note(const struct question *question, const uint8_t *message, size_t length, in_port_t port,
                int server, bool stream)
{
    int times = 0;
    pthread_mutex_lock(&lock);
    size_t *count = &notes[question->letter == 'o'][question->number].count;
    struct noted *all = notes[question->letter == 'o'][question->number].noted;
    for (size_t i = 0; i < *count; i++) {
        times += all[i].length == length && memcmp(all[i].message + 2, message + 2, length - 2) == 0;
    }
    if (*count < NOTED && length <= sizeof all[0].message) {
        /* A datagram may be seen after the connection that another of its socket led to. */
        size_t at = (*count)++;
        while (!stream && at > 0 && all[at - 1].stream && had_port(all, at, port)) {
            all[at] = all[at - 1];
            at--;
        }
        all[at] = (struct noted){.length = length, .port = port, .server = server, .stream = stream};
        memcpy(all[at].message, message, length);
    }
    pthread_mutex_unlock(&lock);
    return times;
}

void hostile_transcript(char letter, int number, char *text, size_t bytes)
{
    pthread_mutex_lock(&lock);
    size_t count = notes[letter == 'o'][number].count, at = 0;
    struct noted *all = notes[letter == 'o'][number].noted;
    text[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t id = 0, port = 0;
        while (memcmp(all[id].message, all[i].message, 2) != 0) {
            id++;
        }
        while (all[port].port != all[i].port || all[port].stream != all[i].stream) {
            port++;
        }
        at += (size_t)snprintf(text + at, bytes - at, " %s%d:%zu/%zu ", all[i].stream ? "T" : "U",
                               all[i].server, id, port);
        for (size_t byte = 2; byte < all[i].length && at + 8 < bytes; byte++) {
            /* The letter that tells the two who ask apart. */
            bool own = byte == NS_HFIXEDSZ + 1 && isalpha(all[i].message[byte]);
            bool own_octet = strstr((char *)all[i].message + NS_HFIXEDSZ, "in-addr") != NULL &&
                             byte >= NS_HFIXEDSZ;
            at += own || own_octet
                      ? 0
                      : (size_t)snprintf(text + at, bytes - at, "%02x", all[i].message[byte]);
        }
    }
    notes[letter == 'o'][number].count = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- UDP ----------------------------------------------------------------------------------------- */

static bool truncates(enum hostile_kind kind)
{
    return kind >= KIND_TRUNCATED && kind <= KIND_TCP_PIECES;
}

static void send_from(int fd, const struct answer *answer, const struct sockaddr_in *to)
{
    sendto(fd, answer->bytes, answer->length, 0, (const struct sockaddr *)to, sizeof *to);
}

/* Something else than the answer, and first. */
static void send_before(int fd, const struct answer *good, enum hostile_kind kind,
                        const struct sockaddr_in *to)
{
    struct answer *wrong = malloc(sizeof *wrong);
    *wrong = *good;
    wrong->bytes[wrong->length - 1] = 66;
    if (kind == KIND_WRONG_ID_FIRST || kind == KIND_ONLY_WRONG_ID) {
        wrong->bytes[1] ^= 0xff;
        send_from(fd, wrong, to);
    } else if (kind == KIND_OTHER_PORT_FIRST) {
        int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        send_from(other, wrong, to);
        close(other);
    } else {
        wrong->bytes[NS_HFIXEDSZ + 1] ^= 1;
        send_from(fd, wrong, to);
    }
    free(wrong);
}

static void answer_datagram(int fd, const struct question *question, const uint8_t *query,
                            enum hostile_kind kind, int times, const struct sockaddr_in *to)
{
    struct answer *answer = malloc(sizeof *answer);
    answer_make(answer, question, query, kind);
    if (truncates(kind)) {
        answer_begin(answer, question, query, 0x83, 0x80);
        if (kind == KIND_TRUNCATED_FULL) {
            answer_address(answer, NULL, 66);
        }
    }
    if ((kind >= KIND_WRONG_ID_FIRST && kind <= KIND_OTHER_PORT_FIRST) ||
        kind == KIND_ONLY_OTHER_QUESTION || kind == KIND_ONLY_WRONG_ID) {
        send_before(fd, answer, kind, to);
    }
    bool quiet = kind == KIND_SILENT || kind == KIND_ONLY_OTHER_QUESTION ||
                 kind == KIND_ONLY_WRONG_ID || (kind == KIND_LATE && times == 0);
    if (!quiet) {
        send_from(fd, answer, to);
    }
    if (kind == KIND_TWICE) {
        send_from(fd, answer, to);
    }
    free(answer);
}

static void *serve_datagrams(void *argument)
{
    int server = (int)(intptr_t)argument & 15, fd = (int)(intptr_t)argument >> 4;
    for (;;) {
        uint8_t query[512];
        struct sockaddr_in from;
        struct question question;
        socklen_t from_bytes = sizeof from;
        ssize_t length = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_bytes);
        if (length >= NS_HFIXEDSZ && read_question(query, (size_t)length, &question)) {
            int times = note(&question, query, (size_t)length, from.sin_port, server, false);
            answer_datagram(fd, &question, query,
                            chooser(question.number, question.rest, question.type, times), times,
                            &from);
        }
    }
    return NULL;
}

/* ---- TCP ----------------------------------------------------------------------------------------- */

static bool read_all(int fd, void *buffer, size_t length)
{
    return recv(fd, buffer, length, MSG_WAITALL) == (ssize_t)length;
}

static void write_framed(int fd, const struct answer *answer, enum hostile_kind kind)
{
    uint8_t *framed = malloc(answer->length + 2);
    size_t length = answer->length + 2;
    ns_put16((unsigned)answer->length, framed);
    memcpy(framed + 2, answer->bytes, answer->length);
    if (kind == KIND_TCP_SHORT) {
        ns_put16(5, framed);
        length = 7;
    } else if (kind == KIND_TCP_HALF) {
        length -= 3;
    }
    if (kind == KIND_TCP_PIECES) {
        for (size_t i = 0; i < length; i++) {
            send(fd, framed + i, 1, MSG_NOSIGNAL);
        }
    } else {
        send(fd, framed, length, MSG_NOSIGNAL);
    }
    free(framed);
}

static void *serve_stream(void *argument)
{
    int server = (int)(intptr_t)argument & 15, fd = (int)(intptr_t)argument >> 4;
    struct sockaddr_in from;
    socklen_t from_bytes = sizeof from;
    uint8_t size[2], query[512];
    struct question question;
    struct answer *answer = malloc(sizeof *answer);
    getpeername(fd, (struct sockaddr *)&from, &from_bytes);
    while (read_all(fd, size, 2) && ns_get16(size) <= sizeof query &&
           read_all(fd, query, ns_get16(size)) && read_question(query, ns_get16(size), &question)) {
        int times = note(&question, query, ns_get16(size), from.sin_port, server, true);
        enum hostile_kind kind = chooser(question.number, question.rest, question.type, times);
        if (kind == KIND_TCP_CLOSES) {
            break;
        }
        answer_make(answer, &question, query, kind);
        if (kind == KIND_TCP_OTHER_ID) {
            answer->bytes[0] ^= 0xff;
            write_framed(fd, answer, kind);
            answer->bytes[0] ^= 0xff;
        }
        write_framed(fd, answer, kind);
        if (kind == KIND_TCP_HALF || kind == KIND_TCP_SHORT) {
            break;
        }
    }
    free(answer);
    shutdown(fd, SHUT_WR);
    while (recv(fd, query, sizeof query, 0) > 0) {
    }
    close(fd);
    return NULL;
}

static void start(void *(*serve)(void *argument), int fd, int server)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    assert_int_equal(pthread_create(&thread, &attributes, serve, (void *)(intptr_t)(fd << 4 | server)),
                     0);
    pthread_attr_destroy(&attributes);
}

static void *accept_streams(void *argument)
{
    int server = (int)(intptr_t)argument & 15, listener = (int)(intptr_t)argument >> 4;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            start(serve_stream, fd, server);
        }
    }
    return NULL;
}

void hostile_begin(enum hostile_kind (*kind_of)(int number, const char *rest, int type, int times))
{
    chooser = kind_of;
    for (int server = 0; server < ADDRESSES; server++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(NS_DEFAULTPORT),
                                      .sin_addr = {htonl(INADDR_LOOPBACK + (uint32_t)server)}};
        int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), big = 1 << 20;
        setsockopt(datagrams, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
        assert_int_equal(bind(datagrams, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(listener, 128), 0);
        start(serve_datagrams, datagrams, server);
        start(accept_streams, listener, server);
    }
}
