/* A name server: user-level code over the seam that answers DNS questions from a zone.
 * SPDX-License-Identifier: MIT
 *
 * The same loop runs as a daemon task of the world and as a thread on the kernel, so both systems
 * get the same answers. Late answers wait in a list ordered by when they are due. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "nameserver.h"

enum {
    NAMESERVER_PORT = 53,
    NAMESERVER_CONNECTIONS = 16,
    NAMESERVER_QUERY_BYTES = 2048,
    NAMESERVER_REPLY_BYTES = 65535,
};

/* Where an answer goes: address_length 0 is the connection's other end. */
struct receiver {
    int fd;
    socklen_t address_length;
    struct sockaddr_storage address;
};

/* All memory is held (system.h): a name server that is given up leaves nothing behind. */
struct late { /* an answer that is not due yet */
    struct late *next;
    uint64_t due_at;
    struct receiver to;
    size_t length;
    uint8_t message[];
};

struct connection {
    int fd;
    size_t have;
    uint8_t message[NAMESERVER_QUERY_BYTES + 2];
};

struct server {
    struct dry_caller caller;
    const struct sim_zone *zone;
    int udp, tcp;
    struct connection *connections[NAMESERVER_CONNECTIONS];
    size_t connection_count;
    struct late *late; /* by when they are due; of one instant, in the order of the questions */
    uint8_t *reply;    /* NAMESERVER_REPLY_BYTES, and two in front for a length */
};

static void *hold(struct server *server, size_t bytes)
{
    const struct dry_system *system = server->caller.system;
    return system->hold != NULL ? system->hold(server->caller, bytes) : malloc(bytes);
}

static void release(struct server *server, void *memory)
{
    if (server->caller.system->release != NULL) {
        server->caller.system->release(server->caller, memory);
    } else {
        free(memory);
    }
}

static uint64_t now_of(const struct server *server)
{
    struct timespec now;
    server->caller.system->clock_gettime(server->caller, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int open_socket(struct dry_caller caller, int type)
{
    const struct dry_system *system = caller.system;
    int fd = system->socket(caller, AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fd;
    }
    int off = 0, on = 1;
    system->setsockopt(caller, fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    system->setsockopt(caller, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(NAMESERVER_PORT)};
    int result = system->bind(caller, fd, (struct sockaddr *)&any, sizeof any);
    if (result == 0 && type == SOCK_STREAM) {
        result = system->listen(caller, fd, NAMESERVER_CONNECTIONS);
    }
    if (result < 0) {
        system->close(caller, fd);
    }
    return result < 0 ? result : fd;
}

static void send_answer(struct server *server, const uint8_t *message, size_t length,
                        const struct receiver *to)
{
    const struct dry_system *system = server->caller.system;
    /* A client that went away is its own loss: the result does not matter. */
    system->sendto(server->caller, to->fd, message, length, MSG_NOSIGNAL,
                   to->address_length == 0 ? NULL : (const struct sockaddr *)&to->address,
                   to->address_length);
}

static void keep_late(struct server *server, const uint8_t *message, size_t length,
                      const struct receiver *to, uint64_t due_at)
{
    struct late *late = hold(server, sizeof *late + length), **at = &server->late;
    if (late == NULL) {
        return; /* as if it were lost on the way */
    }
    *late = (struct late){.due_at = due_at, .to = *to, .length = length};
    memcpy(late->message, message, length);
    while (*at != NULL && (*at)->due_at <= due_at) {
        at = &(*at)->next;
    }
    late->next = *at;
    *at = late;
}

static void send_or_keep(struct server *server, const uint8_t *message, size_t length,
                         const struct receiver *to, uint64_t delay_ns)
{
    if (delay_ns == 0) {
        send_answer(server, message, length, to);
    } else {
        keep_late(server, message, length, to, now_of(server) + delay_ns);
    }
}

static void send_due(struct server *server)
{
    uint64_t now = now_of(server);
    while (server->late != NULL && server->late->due_at <= now) {
        struct late *late = server->late;
        server->late = late->next;
        send_answer(server, late->message, late->length, &late->to);
        release(server, late);
    }
}

static void answer_datagrams(struct server *server)
{
    for (;;) {
        uint8_t query[NAMESERVER_QUERY_BYTES];
        struct receiver to = {.fd = server->udp, .address_length = sizeof to.address};
        ssize_t length = server->caller.system->recvfrom(
            server->caller, server->udp, query, sizeof query, 0, (struct sockaddr *)&to.address,
            &to.address_length);
        if (length < 0) {
            return;
        }
        struct sim_zone_reply reply = sim_zone_answer(server->zone, query, (size_t)length, false,
                                                      server->reply, NAMESERVER_REPLY_BYTES);
        if (reply.length > 0) {
            send_or_keep(server, server->reply, reply.length, &to, reply.delay_ns);
        }
    }
}

static void accept_connections(struct server *server)
{
    while (server->connection_count < NAMESERVER_CONNECTIONS) {
        int fd = server->caller.system->accept(server->caller, server->tcp, NULL, NULL,
                                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            return;
        }
        struct connection *connection = hold(server, sizeof *connection);
        if (connection == NULL) {
            server->caller.system->close(server->caller, fd);
            return;
        }
        connection->fd = fd;
        connection->have = 0;
        server->connections[server->connection_count++] = connection;
    }
}

/* Late answers of the connection go with it: its descriptor may be another's when they are due. */
static void drop_connection(struct server *server, size_t at)
{
    struct connection *connection = server->connections[at];
    for (struct late **link = &server->late; *link != NULL;) {
        struct late *late = *link;
        if (late->to.fd == connection->fd && !DRY_MUTANT(late_answers_outlive_their_connection)) {
            *link = late->next;
            release(server, late);
        } else {
            link = &late->next;
        }
    }
    server->caller.system->close(server->caller, connection->fd);
    release(server, connection);
    server->connections[at] = server->connections[--server->connection_count];
}

/* Answers the whole questions in a connection's buffer (RFC 7766: two bytes of length first). */
static void answer_stream(struct server *server, struct connection *connection)
{
    const struct receiver to = {.fd = connection->fd};
    while (connection->have >= 2) {
        size_t length = (size_t)connection->message[0] << 8 | connection->message[1];
        if (length > NAMESERVER_QUERY_BYTES || connection->have < length + 2) {
            return;
        }
        struct sim_zone_reply reply = sim_zone_answer(server->zone, connection->message + 2, length,
                                                      true, server->reply + 2, NAMESERVER_REPLY_BYTES);
        server->reply[0] = (uint8_t)(reply.length >> 8);
        server->reply[1] = (uint8_t)reply.length;
        if (reply.length > 0) {
            send_or_keep(server, server->reply, reply.length + 2, &to, reply.delay_ns);
        }
        connection->have -= length + 2;
        memmove(connection->message, connection->message + length + 2, connection->have);
    }
}

/* False: the connection is over. */
static bool read_stream(struct server *server, struct connection *connection)
{
    ssize_t length = server->caller.system->recvfrom(
        server->caller, connection->fd, connection->message + connection->have,
        sizeof connection->message - connection->have, 0, NULL, NULL);
    if (length == -EAGAIN || length == -EINTR) {
        return true;
    }
    if (length <= 0) {
        return false;
    }
    connection->have += (size_t)length;
    answer_stream(server, connection);
    return connection->have < sizeof connection->message;
}

static int wait_for_work(struct server *server, struct pollfd *descriptors)
{
    size_t count = 0;
    descriptors[count++] = (struct pollfd){.fd = server->udp, .events = POLLIN};
    descriptors[count++] = (struct pollfd){
        .fd = server->connection_count < NAMESERVER_CONNECTIONS ? server->tcp : -1, .events = POLLIN};
    for (size_t i = 0; i < server->connection_count; i++) {
        descriptors[count++] = (struct pollfd){.fd = server->connections[i]->fd, .events = POLLIN};
    }
    struct timespec timeout, *until = NULL;
    if (server->late != NULL) {
        uint64_t now = now_of(server), due_at = server->late->due_at;
        uint64_t rest = due_at > now ? due_at - now : 0;
        timeout = (struct timespec){.tv_sec = (time_t)(rest / 1000000000),
                                    .tv_nsec = (long)(rest % 1000000000)};
        until = &timeout;
    }
    int ready = server->caller.system->ppoll(server->caller, descriptors, count, until, NULL);
    return ready == -EINTR ? 0 : ready;
}

static int serve(struct server *server)
{
    for (;;) {
        struct pollfd descriptors[2 + NAMESERVER_CONNECTIONS] = {0};
        size_t connections = server->connection_count;
        int ready = wait_for_work(server, descriptors);
        if (ready < 0) {
            return ready;
        }
        send_due(server);
        if (ready == 0) {
            continue;
        }
        if (descriptors[0].revents != 0) {
            answer_datagrams(server);
        }
        for (size_t i = connections; i-- > 0;) {
            if (descriptors[2 + i].revents != 0 && !read_stream(server, server->connections[i])) {
                drop_connection(server, i);
            }
        }
        if (descriptors[1].revents != 0) {
            accept_connections(server);
        }
    }
}

int sim_nameserver_serve(struct dry_caller caller, const struct sim_zone *zone)
{
    struct server server = {.caller = caller, .zone = zone};
    server.reply = hold(&server, 2 + NAMESERVER_REPLY_BYTES);
    if (server.reply == NULL) {
        return -ENOMEM;
    }
    server.udp = open_socket(caller, SOCK_DGRAM);
    server.tcp = server.udp < 0 ? server.udp : open_socket(caller, SOCK_STREAM);
    return server.tcp < 0 ? server.tcp : serve(&server);
}
