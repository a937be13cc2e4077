/* The scenario's name servers on the kernel: threads of their hosts that answer from its records.
 * SPDX-License-Identifier: MIT */
#include "nameserver.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/names/nameserver.h"

struct server {
    const struct kernel_host *host;
    char why[KERNEL_WHY_BYTES];
};

static struct sim_zone *zone;
static struct dry_system watched; /* the kernel, but for the first wait of each server */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static uint32_t listening, failed;

static _Thread_local bool waited;

static void count_up(uint32_t *counter)
{
    pthread_mutex_lock(&lock);
    ++*counter;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

/* A server that waits for questions has its sockets. */
static int first_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask)
{
    if (!waited) {
        count_up(&listening);
    }
    waited = true;
    return dry_provider()->ppoll(caller, descriptors, count, timeout, mask);
}

static void *serve(void *argument)
{
    struct server *server = argument;
    struct dry_caller caller = {.system = &watched};
    int error;

    if (kernel_host_enter(server->host, server->why) == 0) {
        error = sim_nameserver_serve(caller, zone);
        snprintf(server->why, sizeof server->why, "a name server cannot listen: %s", strerror(-error));
    }
    count_up(&failed);
    return NULL;
}

static int read_zone(const struct scenario *scenario, char *why)
{
    char message[KERNEL_WHY_BYTES / 2];
    zone = sim_zone_create();
    assert(zone != NULL);
    for (uint32_t i = 0; i < scenario->record_count; i++) {
        if (sim_zone_add(zone, scenario->records[i].text, message, sizeof message, NULL) < 0) {
            snprintf(why, KERNEL_WHY_BYTES, "line %u: %s", scenario->records[i].at.line, message);
            return -1;
        }
    }
    return 0;
}

/* Actors' signals are none of theirs. */
static int start_thread(struct server *server)
{
    sigset_t every, before;
    pthread_t thread;
    int error;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    error = pthread_create(&thread, NULL, serve, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int kernel_nameservers_start(const struct scenario *scenario, const struct kernel_host *hosts,
                             char *why)
{
    uint32_t count = scenario->nameserver_count, trouble;
    struct server *servers;
    if (count == 0) {
        return 0;
    }
    if (read_zone(scenario, why) < 0) {
        return -1;
    }
    watched = *dry_provider();
    watched.ppoll = first_ppoll;
    servers = calloc(count, sizeof *servers);
    assert(servers != NULL);
    for (uint32_t i = 0; i < count; i++) {
        servers[i].host = &hosts[scenario->nameservers[i].host];
        if (start_thread(&servers[i]) != 0) {
            snprintf(why, KERNEL_WHY_BYTES, "no thread is left for a name server");
            return -1;
        }
    }
    pthread_mutex_lock(&lock);
    while (listening < count && failed == 0) {
        pthread_cond_wait(&news, &lock);
    }
    trouble = failed;
    pthread_mutex_unlock(&lock);
    for (uint32_t i = 0; trouble > 0 && i < count; i++) {
        if (servers[i].why[0] != '\0') {
            memcpy(why, servers[i].why, KERNEL_WHY_BYTES);
        }
    }
    return trouble > 0 ? -1 : 0;
}
