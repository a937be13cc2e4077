/* Two hosts made of namespaces speak over the line: what they ask and answer arrives, in time.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/kernel/host.h"
#include "harness/kernel/line.h"

enum { SKIPPED = 77 };

static struct kernel_host hosts[2];
static struct scenario_host names[] = {
    {.name = "alpha", .addresses = "10.0.0.1 fd00::1"},
    {.name = "beta", .addresses = "10.0.0.2/24 fd00::2/64"},
};
static struct scenario_link links[] = {{.a = 0, .b = 1, .options = {.delay_ns = 20000000}}};
static struct scenario_set settings[] = {
    {.host = 1, .sysctl = "tcp_syn_retries", .value = 2},
    {.host = 1, .sysctl = "net.ipv4.ip_local_port_range_min", .value = 40000},
};
static const struct scenario scenario = {
    .path = "test",
    .hosts = names,
    .host_count = 2,
    .links = links,
    .link_count = 1,
    .settings = settings,
    .setting_count = 2,
};

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Carries packets until the test's process ends. */
static void *carry(void *argument)
{
    struct kernel_line *line = argument;
    uint64_t origin = clock_now();
    for (;;) {
        struct pollfd tuns[2] = {{.fd = hosts[0].tun, .events = POLLIN},
                                 {.fd = hosts[1].tun, .events = POLLIN}};
        uint64_t now = clock_now() - origin, next = kernel_line_next_at(line);
        uint64_t left = next == UINT64_MAX ? 100000000 : next > now ? next - now : 0;
        struct timespec timeout = {0, (long)left};

        ppoll(tuns, 2, &timeout, NULL);
        for (uint32_t host = 0; host < 2; host++) {
            kernel_line_receive(line, host, clock_now() - origin);
        }
        kernel_line_advance(line, clock_now() - origin);
    }
    return NULL;
}

/* Each test is a process: namespaces are for ever. */
static int in_hosts(int (*body)(void))
{
    char why[KERNEL_WHY_BYTES];
    pid_t child = fork();
    int status;
    if (child == 0) {
        pthread_t thread;
        if (kernel_host_begin(why) < 0 || kernel_host_make(&scenario, 0, &hosts[0], why) < 0 ||
            kernel_host_make(&scenario, 1, &hosts[1], why) < 0) {
            fprintf(stderr, "SKIPPED: %s\n", why);
            _exit(SKIPPED);
        }
        pthread_create(&thread, NULL, carry,
                       kernel_line_create(&scenario, (int[]){hosts[0].tun, hosts[1].tun}, 1, NULL));
        alarm(10);
        _exit(body());
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#define WANT(condition)                                                               \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            return 1;                                                                 \
        }                                                                             \
    } while (0)

static void runs_in_hosts(int (*body)(void))
{
    int status = in_hosts(body);
    if (status == SKIPPED) {
        skip();
    }
    assert_int_equal(status, 0);
}

static int enter(int host)
{
    char why[KERNEL_WHY_BYTES];
    int entered = kernel_host_enter(&hosts[host], why);
    if (entered < 0) {
        fprintf(stderr, "%s\n", why);
    }
    return entered;
}

/* ---- datagrams ---------------------------------------------------------------------------- */

static void *echo_once(void *argument)
{
    int fd = *(int *)argument;
    char data[100];
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    ssize_t count = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&peer, &length);
    sendto(fd, data, (size_t)count, 0, (struct sockaddr *)&peer, length);
    return NULL;
}

static int udp_echo(const struct sockaddr *server, socklen_t length)
{
    int there, here;
    pthread_t thread;
    char data[100];
    uint64_t began, took;
    /* A socket belongs to the namespace in which it was made, wherever its thread goes. */
    WANT(enter(1) == 0);
    there = socket(server->sa_family, SOCK_DGRAM, 0);
    WANT(bind(there, server, length) == 0);
    pthread_create(&thread, NULL, echo_once, &there);
    WANT(enter(0) == 0);
    here = socket(server->sa_family, SOCK_DGRAM, 0);
    began = clock_now();
    WANT(sendto(here, "ping", 4, 0, server, length) == 4);
    WANT(recv(here, data, sizeof data, 0) == 4);
    took = clock_now() - began;
    WANT(memcmp(data, "ping", 4) == 0);
    WANT(took >= 40000000 && took < 90000000);
    return 0;
}

static int udp_v4(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(7)};

    inet_pton(AF_INET, "10.0.0.2", &server.sin_addr);
    return udp_echo((struct sockaddr *)&server, sizeof server);
}

static int udp_v6(void)
{
    struct sockaddr_in6 server = {.sin6_family = AF_INET6, .sin6_port = htons(7)};

    inet_pton(AF_INET6, "fd00::2", &server.sin6_addr);
    return udp_echo((struct sockaddr *)&server, sizeof server);
}

static void two_linked_hosts__a_datagram_goes_there_and_back__two_delays_later_it_is_here(void **s)
{
    runs_in_hosts(udp_v4);
    runs_in_hosts(udp_v6);
}

/* ---- connections -------------------------------------------------------------------------- */

static int tcp_refused(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(81)};
    uint64_t began = clock_now(), took;
    int fd;

    inet_pton(AF_INET, "10.0.0.2", &server.sin_addr);
    WANT(enter(0) == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    WANT(connect(fd, (struct sockaddr *)&server, sizeof server) == -1 && errno == ECONNREFUSED);
    took = clock_now() - began;
    WANT(took >= 40000000 && took < 90000000);
    return 0;
}

static void nobody_listens__connect__is_refused_a_round_trip_later(void **s)
{
    runs_in_hosts(tcp_refused);
}

/* ---- what a host is ----------------------------------------------------------------------- */

static int read_number(const char *path, long *value, long *second)
{
    FILE *file = fopen(path, "r");
    int count = file == NULL ? 0 : fscanf(file, "%ld %ld", value, second);
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

static int looks_right(void)
{
    char name[64];
    long value = 0, second = 0;
    FILE *file;
    WANT(enter(1) == 0);
    WANT(gethostname(name, sizeof name) == 0 && strcmp(name, "beta") == 0);
    WANT(read_number("/proc/sys/net/ipv4/tcp_syn_retries", &value, &second) == 1 && value == 2);
    WANT(read_number("/proc/sys/net/ipv4/ip_local_port_range", &value, &second) == 2 &&
         value == 40000 && second == 60999);
    file = fopen("here", "w"); /* the working directory is the host's own /tmp */
    WANT(file != NULL && access("/tmp/here", F_OK) == 0);
    WANT(enter(0) == 0);
    WANT(access("/tmp/here", F_OK) == -1);
    WANT(gethostname(name, sizeof name) == 0 && strcmp(name, "alpha") == 0);
    WANT(read_number("/proc/sys/net/ipv4/tcp_syn_retries", &value, &second) == 1 && value == 6);
    return 0;
}

static void two_hosts__each_looks_around__names_settings_and_files_are_its_own(void **s)
{
    runs_in_hosts(looks_right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_linked_hosts__a_datagram_goes_there_and_back__two_delays_later_it_is_here),
        cmocka_unit_test(nobody_listens__connect__is_refused_a_round_trip_later),
        cmocka_unit_test(two_hosts__each_looks_around__names_settings_and_files_are_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
