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
    NAMESERVER_MESSAGE_BYTES = 2048,
    /* SIMPLER: so many answers may wait to be late at one time; a further one is sent at once. They lie
     * in the server itself: a name server that is given up with its world leaves nothing behind. */
    NAMESERVER_LATE = 48,
};

struct late { /* an answer that is not due yet */
    uint64_t due_at;
    int fd; /* the UDP socket, or the connection */
    socklen_t address_length;
    struct sockaddr_storage address;
    size_t length;
    uint8_t message[NAMESERVER_MESSAGE_BYTES + 2];
};

struct connection {
    int fd;
    size_t have;
    uint8_t message[NAMESERVER_MESSAGE_BYTES + 2];
};

struct server {
    struct dry_caller caller;
    const struct sim_zone *zone;
    int udp, tcp;
    struct connection connections[NAMESERVER_CONNECTIONS];
    size_t connection_count;
    struct late late[NAMESERVER_LATE]; /* by when they are due */
    size_t late_count;
};

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

static void send_answer(struct server *server, const struct late *answer)
{
    const struct dry_system *system = server->caller.system;
    /* A client that went away is its own loss: the result does not matter. */
    system->sendto(server->caller, answer->fd, answer->message, answer->length, MSG_NOSIGNAL,
                   answer->address_length == 0 ? NULL : (const struct sockaddr *)&answer->address,
                   answer->address_length);
}

static void send_or_keep(struct server *server, struct late *answer, uint64_t delay_ns)
{
    if (delay_ns == 0 || server->late_count == NAMESERVER_LATE) {
        send_answer(server, answer);
        return;
    }
    uint64_t due_at = now_of(server) + delay_ns;
    size_t at = server->late_count++;
    while (at > 0 && server->late[at - 1].due_at > due_at) {
        server->late[at] = server->late[at - 1];
        at--;
    }
    server->late[at] = *answer;
    server->late[at].due_at = due_at;
}

static void send_due(struct server *server)
{
    uint64_t now = now_of(server);
    size_t sent = 0;
    while (sent < server->late_count && server->late[sent].due_at <= now) {
        send_answer(server, &server->late[sent++]);
    }
    server->late_count -= sent;
    memmove(server->late, server->late + sent, server->late_count * sizeof server->late[0]);
}

static void answer_datagrams(struct server *server)
{
    for (;;) {
        uint8_t query[NAMESERVER_MESSAGE_BYTES];
        struct late answer = {.fd = server->udp, .address_length = sizeof answer.address};
        ssize_t length = server->caller.system->recvfrom(
            server->caller, server->udp, query, sizeof query, 0, (struct sockaddr *)&answer.address,
            &answer.address_length);
        if (length < 0) {
            return;
        }
        struct sim_zone_reply reply = sim_zone_answer(server->zone, query, (size_t)length, false,
                                                      answer.message, NAMESERVER_MESSAGE_BYTES);
        answer.length = reply.length;
        if (reply.length > 0) {
            send_or_keep(server, &answer, reply.delay_ns);
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
        server->connections[server->connection_count++] = (struct connection){.fd = fd};
    }
}

static void drop_connection(struct server *server, size_t at)
{
    int fd = server->connections[at].fd;
    size_t kept = 0;
    for (size_t i = 0; i < server->late_count; i++) {
        if (server->late[i].fd != fd) {
            server->late[kept++] = server->late[i];
        }
    }
    server->late_count = kept;
    server->caller.system->close(server->caller, fd);
    server->connections[at] = server->connections[--server->connection_count];
}

/* Answers the whole questions in a connection's buffer (RFC 7766: two bytes of length first). */
static void answer_stream(struct server *server, struct connection *connection)
{
    while (connection->have >= 2) {
        size_t length = (size_t)connection->message[0] << 8 | connection->message[1];
        if (length > NAMESERVER_MESSAGE_BYTES || connection->have < length + 2) {
            return;
        }
        struct late answer = {.fd = connection->fd};
        struct sim_zone_reply reply = sim_zone_answer(server->zone, connection->message + 2, length,
                                                      true, answer.message + 2,
                                                      NAMESERVER_MESSAGE_BYTES);
        answer.message[0] = (uint8_t)(reply.length >> 8);
        answer.message[1] = (uint8_t)reply.length;
        answer.length = reply.length + 2;
        if (reply.length > 0) {
            send_or_keep(server, &answer, reply.delay_ns);
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
        descriptors[count++] = (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN};
    }
    struct timespec timeout, *until = NULL;
    if (server->late_count > 0) {
        uint64_t now = now_of(server), due_at = server->late[0].due_at;
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
            if (descriptors[2 + i].revents != 0 && !read_stream(server, &server->connections[i])) {
                drop_connection(server, i);
            }
        }
        if (descriptors[1].revents != 0) {
            accept_connections(server);
        }
    }
}

size_t sim_nameserver_bytes(void)
{
    return sizeof(struct server);
}

int sim_nameserver_serve_in(void *memory, struct dry_caller caller, const struct sim_zone *zone)
{
    struct server *server = memory;
    server->caller = caller;
    server->zone = zone;
    server->udp = open_socket(caller, SOCK_DGRAM);
    server->tcp = server->udp < 0 ? server->udp : open_socket(caller, SOCK_STREAM);
    return server->tcp < 0 ? server->tcp : serve(server);
}

int sim_nameserver_serve(struct dry_caller caller, const struct sim_zone *zone)
{
    void *server = calloc(1, sizeof(struct server));
    const int result = server ? sim_nameserver_serve_in(server, caller, zone) : -ENOMEM;
    free(server);
    return result;
}
