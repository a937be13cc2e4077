/* The work that is timed, over socket.h alone: linked once with each library.
 * SPDX-License-Identifier: MIT
 *
 * usage: worker ROW COUNT      prints "ROW COUNT NANOSECONDS" of the machine's own clock */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drysock/socket.h>

enum { BULK_BYTES = 65536 };

static void must(bool good, const char *what)
{
    if (good) {
        return;
    }
    fprintf(stderr, "bench: %s: %s\n", what, dry_last_error()->message);
    exit(1);
}

/* The machine's clock, not the library's: virtual time would measure nothing. */
static uint64_t machine_now(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct dry_socket *listen_anywhere(struct dry_address *address)
{
    struct dry_socket *listener = dry_socket(AF_INET, SOCK_STREAM, 0);
    must(listener != NULL, "socket");
    must(dry_address_inet(address, AF_INET, "127.0.0.1", 0) == 0, "address");
    must(dry_bind(listener, address) == 0, "bind");
    must(dry_listen(listener, 128) == 0, "listen");
    must(dry_getsockname(listener, address) == 0, "getsockname");
    return listener;
}

static struct dry_socket *connect_to(const struct dry_address *address)
{
    struct dry_socket *client = dry_socket(AF_INET, SOCK_STREAM, 0);
    must(client != NULL && dry_connect(client, address) == 0, "connect");
    must(dry_setsockopt_int(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1) == 0, "setsockopt");
    return client;
}

static void echo_all(void *argument)
{
    struct dry_socket *connection = dry_accept(argument, NULL);
    must(connection != NULL, "accept");
    char buffer[BULK_BYTES];
    ssize_t length;
    while ((length = dry_recv(connection, buffer, sizeof buffer, 0)) > 0) {
        must(dry_send(connection, buffer, (size_t)length, 0) == length, "send");
    }
    dry_close(connection);
}

static uint64_t time_round_trips(long count)
{
    struct dry_address address;
    struct dry_socket *listener = listen_anywhere(&address);
    struct dry_task *server = dry_spawn(echo_all, listener);
    struct dry_socket *client = connect_to(&address);
    char byte = 'x';
    uint64_t start = machine_now();
    for (long i = 0; i < count; i++) {
        must(dry_send(client, &byte, 1, 0) == 1, "send");
        must(dry_recv(client, &byte, 1, 0) == 1, "recv");
    }
    uint64_t spent = machine_now() - start;
    dry_close(client);
    dry_join(server);
    dry_close(listener);
    return spent;
}

static void read_all(void *argument)
{
    struct dry_socket *connection = dry_accept(argument, NULL);
    must(connection != NULL, "accept");
    static char buffer[BULK_BYTES];
    while (dry_recv(connection, buffer, sizeof buffer, 0) > 0) {
        continue;
    }
    dry_close(connection);
}

static uint64_t time_bulk(long count)
{
    struct dry_address address;
    struct dry_socket *listener = listen_anywhere(&address);
    struct dry_task *server = dry_spawn(read_all, listener);
    struct dry_socket *client = connect_to(&address);
    static char buffer[BULK_BYTES];
    uint64_t start = machine_now();
    for (long i = 0; i < count; i++) {
        must(dry_sendall(client, buffer, sizeof buffer, 0, NULL) == 0, "sendall");
    }
    must(dry_shutdown(client, SHUT_WR) == 0, "shutdown");
    dry_join(server);
    uint64_t spent = machine_now() - start;
    dry_close(client);
    dry_close(listener);
    return spent;
}

struct serve_many {
    struct dry_socket *listener;
    long count;
};

static void echo_once_each(void *argument)
{
    struct serve_many *many = argument;
    for (long i = 0; i < many->count; i++) {
        struct dry_socket *connection = dry_accept(many->listener, NULL);
        must(connection != NULL, "accept");
        char buffer[64];
        ssize_t length = dry_recv(connection, buffer, sizeof buffer, 0);
        must(length > 0 && dry_send(connection, buffer, (size_t)length, 0) == length, "echo");
        dry_close(connection);
    }
}

static uint64_t time_short(long count)
{
    struct dry_address address;
    struct serve_many many = {listen_anywhere(&address), count};
    struct dry_task *server = dry_spawn(echo_once_each, &many);
    uint64_t start = machine_now();
    for (long i = 0; i < count; i++) {
        char buffer[64];
        struct dry_socket *client = connect_to(&address);
        must(dry_send(client, "hello", 5, 0) == 5, "send");
        must(dry_recv(client, buffer, sizeof buffer, 0) == 5, "recv");
        must(dry_recv(client, buffer, sizeof buffer, 0) == 0, "end");
        dry_close(client);
    }
    uint64_t spent = machine_now() - start;
    dry_join(server);
    dry_close(many.listener);
    return spent;
}

/* A datagram to oneself and back: two calls that never wait, so that only their cost shows. */
static uint64_t time_library(long count)
{
    struct dry_socket *pair[2];
    must(dry_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
    char byte = 'x';
    uint64_t start = machine_now();
    for (long i = 0; i < count; i++) {
        must(dry_send(pair[0], &byte, 1, 0) == 1, "send");
        must(dry_recv(pair[1], &byte, 1, 0) == 1, "recv");
    }
    uint64_t spent = machine_now() - start;
    dry_close(pair[0]);
    dry_close(pair[1]);
    return spent;
}

static uint64_t time_bare(long count)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
        exit(1);
    }
    char byte = 'x';
    uint64_t start = machine_now();
    for (long i = 0; i < count; i++) {
        if (send(pair[0], &byte, 1, 0) != 1 || recv(pair[1], &byte, 1, 0) != 1) {
            exit(1);
        }
    }
    uint64_t spent = machine_now() - start;
    close(pair[0]);
    close(pair[1]);
    return spent;
}

int main(int count, char **words)
{
    static const struct {
        const char *name;
        uint64_t (*time)(long count);
    } rows[] = {{"round-trips", time_round_trips},
                {"bulk", time_bulk},
                {"short", time_short},
                {"library", time_library},
                {"bare", time_bare}};
    long times = count == 3 ? atol(words[2]) : 0;
    for (size_t i = 0; times > 0 && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, words[1]) == 0) {
            printf("%s %ld %llu\n", words[1], times, (unsigned long long)rows[i].time(times));
            return 0;
        }
    }
    fprintf(stderr, "usage: worker round-trips|bulk|short|library|bare COUNT\n");
    return 2;
}
