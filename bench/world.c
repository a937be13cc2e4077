/* The rows that only the world has: very many idle connections, an hour of keepalives.
 * SPDX-License-Identifier: MIT
 *
 * usage: world idle COUNT | keepalive COUNT      COUNT connections; prints what it took */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/sim.h>
#include <drysock/socket.h>

struct many {
    long count;
    bool keepalive;
    struct dry_socket **sockets;
    struct dry_socket *listener;
};

static void must(bool good, const char *what)
{
    if (good) {
        return;
    }
    fprintf(stderr, "bench: %s: %s\n", what, dry_last_error()->message);
    exit(1);
}

static void accept_all(void *argument)
{
    struct many *many = argument;
    struct dry_address address;
    many->listener = dry_socket(AF_INET, SOCK_STREAM, 0);
    must(many->listener != NULL, "socket");
    must(dry_address_inet(&address, AF_INET, "", 7) == 0, "address");
    must(dry_bind(many->listener, &address) == 0, "bind");
    must(dry_listen(many->listener, 4096) == 0, "listen");
    for (long i = 0; i < many->count; i++) {
        must(dry_accept(many->listener, NULL) != NULL, "accept");
    }
}

static void connect_all(void *argument)
{
    struct many *many = argument;
    for (long i = 0; i < many->count; i++) {
        /* One source address has some 28,000 ephemeral ports to one destination, and connect() tries
         * the even half of them first: take several destinations, and of each less than that. */
        char host[32];
        struct dry_address address;
        snprintf(host, sizeof host, "127.0.%ld.1", i / 10000);
        must(dry_address_inet(&address, AF_INET, host, 7) == 0, "address");
        struct dry_socket *client = dry_socket(AF_INET, SOCK_STREAM, 0);
        must(client != NULL, "socket");
        if (many->keepalive) {
            must(dry_setsockopt_int(client, SOL_SOCKET, SO_KEEPALIVE, 1) == 0, "keepalive");
            must(dry_setsockopt_int(client, IPPROTO_TCP, TCP_KEEPIDLE, 10) == 0, "idle");
            must(dry_setsockopt_int(client, IPPROTO_TCP, TCP_KEEPINTVL, 10) == 0, "interval");
        }
        must(dry_connect(client, &address) == 0, "connect");
        many->sockets[i] = client;
    }
}

static long resident_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (status != NULL) {
        fclose(status);
    }
    return kib;
}

static uint64_t machine_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int count, char **words)
{
    if (count != 3 || (strcmp(words[1], "idle") != 0 && strcmp(words[1], "keepalive") != 0)) {
        fprintf(stderr, "usage: world idle|keepalive COUNT\n");
        return 2;
    }
    struct many many = {.count = atol(words[2]), .keepalive = words[1][0] == 'k'};
    many.sockets = calloc((size_t)many.count, sizeof *many.sockets);
    struct sim_options options = {.sockets = (uint32_t)many.count * 2 + 64,
                                  .descriptors_per_process = 1048576};
    struct sim *sim = sim_create(&options);
    if (sim == NULL || many.sockets == NULL) {
        perror("bench: world");
        return 1;
    }
    int host = sim_add_host(sim, "localhost", NULL);
    int server = sim_add_process(sim, host, "server"), client = sim_add_process(sim, host, "client");
    sim_spawn(sim, server, "server", accept_all, &many);
    sim_spawn(sim, client, "client", connect_all, &many);
    long before_kib = resident_kib();
    uint64_t start = machine_now();
    enum sim_outcome outcome = sim_run(sim);
    if (outcome != SIM_IDLE) {
        fprintf(stderr, "bench: %s\n", sim_failure(sim) != NULL ? sim_failure(sim) : "stuck");
        return 1;
    }
    if (many.keepalive) {
        start = machine_now();
        sim_run_until(sim, sim_now(sim) + UINT64_C(3600000000000));
    }
    uint64_t packets = 0;
    sim_packet_hash(sim, &packets);
    printf("%s %ld %llu %ld %llu\n", words[1], many.count, (unsigned long long)(machine_now() - start),
           resident_kib() - before_kib, (unsigned long long)packets);
    return 0;
}
