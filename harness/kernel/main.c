/* drysock-kernel: one scenario on the kernel, in namespaces of its own.
 * SPDX-License-Identifier: MIT
 *
 * usage: drysock-kernel PARENT SEED PATH      started by `drysock` with the descriptors of
 *                                             kernel/control.h; PATH is only for messages
 *        drysock-kernel --probe               says what this machine lacks; status 0 or 3
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <drysock/socket.h>

#include "actor.h"
#include "canary.h"
#include "control.h"
#include "host.h"
#include "nameserver.h"
#include "need.h"
#include "signal.h"

enum { STATUS_LACKS = 3 };

/* Ends the run before it began. */
static int give_up(enum kernel_message_kind kind, const char *why)
{
    kernel_control_send(KERNEL_CONTROL_FD, kind, 0, why, -1);
    return kind == KERNEL_LACKS ? STATUS_LACKS : 1;
}

/* The program must not outlive who reads it. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (parent > 0 && getppid() != parent) {
        _exit(1);
    }
}

static struct scenario *read_scenario(const char *path, char *why)
{
    struct text text = {0};
    struct scenario *scenario = NULL;
    struct diagnostic wrong;
    char piece[4096];
    ssize_t length;

    while ((length = read(KERNEL_SCENARIO_FD, piece, sizeof piece)) > 0) {
        text_add_bytes(&text, piece, (size_t)length);
    }
    close(KERNEL_SCENARIO_FD);
    if (scenario_parse(path, text.bytes, text.length, &scenario, &wrong) < 0) {
        snprintf(why, KERNEL_WHY_BYTES, "line %u: %.300s", wrong.at.line, wrong.message);
        scenario = NULL;
    }
    text_free(&text);
    return scenario;
}

/* The namespaces, with one thread still. */
static struct kernel_host *make_hosts(const struct scenario *scenario, pid_t parent, char *why)
{
    struct kernel_host *hosts = calloc(scenario->host_count, sizeof *hosts);
    if (hosts == NULL || kernel_host_begin(why) < 0) {
        free(hosts);
        return NULL;
    }
    /* A new user namespace changes credentials, and these two with them. */
    prctl(PR_SET_DUMPABLE, 1);
    die_with(parent);
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        if (kernel_host_make(scenario, i, &hosts[i], why) < 0) {
            free(hosts);
            return NULL;
        }
    }
    return hosts;
}

static void send_hosts(const struct scenario *scenario, struct kernel_host *hosts)
{
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        kernel_control_send(KERNEL_CONTROL_FD, KERNEL_HOST, i, scenario->hosts[i].name, hosts[i].tun);
        close(hosts[i].tun);
        hosts[i].tun = -1;
    }
}

/* True when the run may begin. */
static bool wait_for_go(void)
{
    struct kernel_message message;
    int fd;
    kernel_control_send(KERNEL_CONTROL_FD, KERNEL_READY, 0, "", -1);
    while (kernel_control_receive(KERNEL_CONTROL_FD, &message, &fd) > 0) {
        if (message.kind == KERNEL_GO) {
            return true;
        }
    }
    return false;
}

/* Until the last actor's end; false when nobody reads any more. */
static bool attend(void)
{
    struct pollfd events[] = {{.fd = kernel_actors_done(), .events = POLLIN},
                              {.fd = KERNEL_CONTROL_FD, .events = POLLIN}};
    struct kernel_message message;
    struct text waits;
    int fd;

    for (;;) {
        if (poll(events, 2, -1) < 0 && errno != EINTR) {
            return false;
        }
        if (events[0].revents != 0) {
            return true;
        }
        if (events[1].revents == 0) {
            continue;
        }
        if (kernel_control_receive(KERNEL_CONTROL_FD, &message, &fd) <= 0) {
            return false;
        }
        waits = (struct text){0};
        kernel_actors_describe(&waits);
        kernel_control_send(KERNEL_CONTROL_FD, KERNEL_WAITS, 0, waits.length == 0 ? "" : waits.bytes,
                            -1);
        text_free(&waits);
    }
}

static void write_end(FILE *stream)
{
    struct trace trace = {.system = "kernel", .end = TRACE_DONE, .detail = ""};
    struct text unused = {0};

    kernel_actors_finish(&trace.ended_ns, &unused);
    trace.late_ns = kernel_canary_late_ns();
    trace.unused_faults = unused.length == 0 ? "" : unused.bytes;
    trace_write_end(stream, &trace);
    fclose(stream);
    text_free(&unused);
}

static int run(pid_t parent, uint64_t seed, const char *path)
{
    char why[KERNEL_WHY_BYTES] = "no memory";
    struct scenario *scenario = read_scenario(path, why);
    struct kernel_host *hosts;
    FILE *trace = fdopen(KERNEL_TRACE_FD, "w");
    if (scenario == NULL || trace == NULL) {
        return give_up(KERNEL_FAILED, why);
    }
    hosts = make_hosts(scenario, parent, why);
    if (hosts == NULL || kernel_need_check(scenario, why) < 0) {
        return give_up(KERNEL_LACKS, why);
    }
    send_hosts(scenario, hosts);
    kernel_signal_prepare();
    if (kernel_nameservers_start(scenario, hosts, why) < 0 ||
        kernel_actors_start(scenario, hosts, seed, trace, why) < 0 || kernel_canary_start() < 0) {
        return give_up(KERNEL_FAILED, why);
    }
    if (!wait_for_go()) {
        return 1;
    }
    kernel_actors_go();
    if (!attend()) {
        return 1;
    }
    write_end(trace);
    scenario_free(scenario);
    free(hosts);
    return 0;
}

static int probe(void)
{
    struct scenario_host host = {.name = "probe", .addresses = "10.0.0.1 fd00::1"};
    struct scenario scenario = {.path = "probe", .hosts = &host, .host_count = 1};
    char why[KERNEL_WHY_BYTES];

    struct kernel_host *hosts = make_hosts(&scenario, 0, why);
    if (hosts == NULL) {
        printf("%s\n", why);
    }
    free(hosts);
    return hosts == NULL ? STATUS_LACKS : 0;
}

int main(int argc, char **argv)
{
    pid_t parent;
    if (argc == 2 && strcmp(argv[1], "--probe") == 0) {
        return probe();
    }
    if (argc != 4 || fcntl(KERNEL_CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(KERNEL_TRACE_FD, F_SETFD, FD_CLOEXEC) < 0) {
        fprintf(stderr, "drysock-kernel is started by drysock (see drysock run --on kernel)\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1); /* waits end when they are said to */
    parent = (pid_t)strtol(argv[1], NULL, 10);
    die_with(parent);
    exit(run(parent, strtoull(argv[2], NULL, 10), argv[3]));
}
