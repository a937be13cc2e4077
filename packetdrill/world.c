/* The world behind the tool: who runs it, how a call waits in it, when its clock moves.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugin.h"

enum {
    PACKETS = 4096,
    PACKET_BYTES = 65536,
    ADDRESS_BYTES = 64,
    PATIENCE_S = 600, /* a packet that has not left by then never does */
    SETTLE_TRIES = 2000,
    SETTLE_NS = 20000, /* real time between two looks at a thread */
};

struct pending {
    plugin_make *make;
    const uintptr_t *arguments;
    int64_t result;
    pthread_cond_t ended;
    bool done;
    pid_t thread;
};

struct leaving {
    struct leaving *next;
    uint64_t at;
    size_t length;
    unsigned char bytes[];
};

static struct {
    pthread_mutex_t lock;
    struct sim *sim;
    int host, process;
    unsigned char address[4];
    volatile sig_atomic_t stop;
    struct leaving *first, **last;
    bool wants_packet;
    struct pending *woken; /* a call that waited and has ended: its thread is to go on first */
} plugin = {.lock = PTHREAD_MUTEX_INITIALIZER};

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("drysock-packetdrill: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(EXIT_FAILURE);
}

struct sim *plugin_world(int *host)
{
    *host = plugin.host;
    return plugin.sim;
}

/* ---- packets ------------------------------------------------------------------------------ */

/* What the host sends to itself is nobody's business here. */
static bool is_for_the_network(const unsigned char *packet, size_t length)
{
    if (length < 20 || packet[0] >> 4 != 4) {
        return length >= 20;
    }
    return packet[16] != 127 && memcmp(packet + 16, plugin.address, 4) != 0;
}

static void packet_left(void *argument, int host, uint64_t now, const void *packet, size_t length)
{
    if (!is_for_the_network(packet, length)) {
        return;
    }
    struct leaving *leaving = malloc(sizeof *leaving + length);
    if (!leaving) {
        give_up("no memory");
    }
    *leaving = (struct leaving){.at = now, .length = length};
    memcpy(leaving->bytes, packet, length);
    *plugin.last = leaving;
    plugin.last = &leaving->next;
    if (plugin.wants_packet) {
        plugin.stop = 1;
    }
}

/* ---- turns of threads --------------------------------------------------------------------- */

static bool is_sleeping(pid_t thread)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (length <= 0) {
        return true; /* it is gone */
    }
    text[length] = 0;
    const char *behind = strrchr(text, ')');
    return behind && behind[1] == ' ' && behind[2] == 'S';
}

/* The thread whose call ended goes on until it sleeps again: what it looks at (the clock) must not move
 * meanwhile. With the lock, which is let go of. */
static void let_go_on(void)
{
    if (!plugin.woken) {
        return;
    }
    const pid_t thread = plugin.woken->thread;
    struct pending *const pending = plugin.woken;
    if (thread == gettid()) {
        plugin.woken = NULL;
        return;
    }
    pthread_cond_signal(&pending->ended);
    for (int tries = 0; tries < SETTLE_TRIES; tries++) {
        pthread_mutex_unlock(&plugin.lock);
        const struct timespec nap = {.tv_nsec = SETTLE_NS};
        nanosleep(&nap, NULL);
        const bool sleeps = is_sleeping(thread);
        pthread_mutex_lock(&plugin.lock);
        if (plugin.woken != pending && sleeps) {
            return;
        }
    }
}

static void nothing(void *argument)
{
}

/* Runs the world until that instant, or until it is stopped: by a packet that is waited for, by a call
 * that ends. */
static void run_until(uint64_t instant)
{
    plugin.stop = 0;
    if (instant > sim_now(plugin.sim) && sim_at(plugin.sim, instant, nothing, NULL) < 0) {
        give_up("too many instants");
    }
    enum sim_outcome outcome;
    do {
        outcome = sim_run_until(plugin.sim, instant);
        if (outcome == SIM_FAILED) {
            give_up("%s", sim_failure(plugin.sim));
        }
    } while (!plugin.stop && sim_now(plugin.sim) < instant && outcome != SIM_REACHED);
}

/* ---- what the tool asks for --------------------------------------------------------------- */

static void make_call(void *argument)
{
    struct pending *pending = argument;
    pending->result = pending->make(dry_current_caller(), pending->arguments);
    pending->done = true;
    plugin.woken = pending;
    plugin.stop = 1;
}

int64_t plugin_call(plugin_make *make, const uintptr_t *arguments)
{
    struct pending pending = {.make = make, .arguments = arguments, .thread = gettid()};
    pthread_mutex_lock(&plugin.lock);
    plugin_commands();
    pthread_cond_init(&pending.ended, NULL);
    if (sim_spawn(plugin.sim, plugin.process, "call", make_call, &pending) < 0) {
        give_up("too many calls at once");
    }
    run_until(sim_now(plugin.sim));
    while (!pending.done) {
        if (plugin.woken) { /* another's, which this one ended */
            let_go_on();
            run_until(sim_now(plugin.sim));
        } else {
            pthread_cond_wait(&pending.ended, &plugin.lock);
        }
    }
    if (plugin.woken == &pending) {
        plugin.woken = NULL;
    }
    run_until(sim_now(plugin.sim)); /* what the call set going at this instant */
    let_go_on();
    pthread_cond_destroy(&pending.ended);
    pthread_mutex_unlock(&plugin.lock);
    if (pending.result < 0) {
        errno = (int)-pending.result;
        return -1;
    }
    return pending.result;
}

int plugin_arrives(const void *packet, size_t length)
{
    pthread_mutex_lock(&plugin.lock);
    plugin_commands();
    const int result = sim_inject(plugin.sim, plugin.host, packet, length);
    run_until(sim_now(plugin.sim));
    while (plugin.woken) {
        let_go_on();
        run_until(sim_now(plugin.sim));
    }
    pthread_mutex_unlock(&plugin.lock);
    return result < 0 ? -1 : 0;
}

bool plugin_leaves(void *buffer, size_t *length, uint64_t *at)
{
    pthread_mutex_lock(&plugin.lock);
    plugin_commands();
    const uint64_t last = sim_now(plugin.sim) + (uint64_t)PATIENCE_S * 1000000000;
    plugin.wants_packet = true;
    while (!plugin.first && sim_now(plugin.sim) < last) {
        run_until(last);
        let_go_on();
    }
    plugin.wants_packet = false;
    struct leaving *leaving = plugin.first;
    if (leaving) {
        *length = leaving->length < *length ? leaving->length : *length;
        memcpy(buffer, leaving->bytes, *length);
        *at = leaving->at;
        plugin.first = leaving->next;
        if (!plugin.first) {
            plugin.last = &plugin.first;
        }
        free(leaving);
    }
    pthread_mutex_unlock(&plugin.lock);
    return leaving != NULL;
}

void plugin_sleep(uint64_t ns)
{
    pthread_mutex_lock(&plugin.lock);
    plugin_commands();
    run_until(sim_now(plugin.sim) + ns);
    let_go_on();
    pthread_mutex_unlock(&plugin.lock);
}

uint64_t plugin_now(void)
{
    pthread_mutex_lock(&plugin.lock);
    const uint64_t now = sim_now(plugin.sim);
    pthread_mutex_unlock(&plugin.lock);
    return now;
}

/* ---- beginning and end -------------------------------------------------------------------- */

void plugin_open(const char *flags)
{
    const struct sim_options options = {.first_descriptor = PLUGIN_FIRST_DESCRIPTOR,
                                        .watchdog_ns = UINT64_MAX};
    char address[ADDRESS_BYTES];
    unsigned bytes[4];
    if (!flags || sscanf(flags, "%u.%u.%u.%u", &bytes[0], &bytes[1], &bytes[2], &bytes[3]) != 4) {
        bytes[0] = 192, bytes[1] = 168, bytes[2] = 0, bytes[3] = 1;
    }
    for (int i = 0; i < 4; i++) {
        plugin.address[i] = (unsigned char)bytes[i];
    }
    snprintf(address, sizeof address, "%u.%u.%u.%u/16", bytes[0], bytes[1], bytes[2], bytes[3]);
    plugin.sim = sim_create(&options);
    plugin.host = plugin.sim ? sim_add_host(plugin.sim, "tested", address) : -ENOMEM;
    plugin.process = plugin.host > 0 ? sim_add_process(plugin.sim, plugin.host, "tool") : plugin.host;
    if (plugin.process < 0) {
        give_up("no world: %s", strerror(-plugin.process));
    }
    plugin.last = &plugin.first;
    sim_on_packet(plugin.sim, packet_left, NULL);
    sim_stop_flag(plugin.sim, &plugin.stop);
}

void plugin_close(void)
{
    pthread_mutex_lock(&plugin.lock);
    sim_destroy(plugin.sim);
    plugin.sim = NULL;
    while (plugin.first) {
        struct leaving *next = plugin.first->next;
        free(plugin.first);
        plugin.first = next;
    }
    pthread_mutex_unlock(&plugin.lock);
}
