/* Calls on both systems that wait, in a thread and in a task, and what another call does to them.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ASLEEP_US = 1500, AWAKE_US = 2500 };

enum how {
    RECEIVE,
    RECEIVE_ALL,
    PEEK_ALL,
    SEND,
    ACCEPT,
    WAIT_IN,
    WAIT_OUT,
    WAIT_END,
    EPOLL_WAIT,
    WAYS
};

/* One side of a call that waits. */
struct waiting {
    struct dry_caller caller;
    int fd;
    enum how how;
    size_t length;
    volatile int64_t result;
    volatile bool ended;
    volatile int number; /* the thread's */
    char bytes[BUFFER];
};

static struct waiting left, right;

static int64_t wait_in(struct waiting *way)
{
    const struct dry_caller me = way->caller;
    const struct timespec long_time = {3600, 0};
    struct pollfd entry = {way->fd, 0, 0};
    struct epoll_event event;
    int64_t result;
    switch (way->how) {
    case RECEIVE:
        return me.system->recvfrom(me, way->fd, way->bytes, way->length, 0, NULL, NULL);
    case RECEIVE_ALL:
        return me.system->recvfrom(me, way->fd, way->bytes, way->length, MSG_WAITALL, NULL, NULL);
    case PEEK_ALL:
        return me.system->recvfrom(me, way->fd, way->bytes, way->length, MSG_WAITALL | MSG_PEEK, NULL,
                                   NULL);
    case SEND:
        return me.system->sendto(me, way->fd, way->bytes, way->length, MSG_NOSIGNAL, NULL, 0);
    case ACCEPT:
        result = me.system->accept(me, way->fd, NULL, NULL, 0);
        if (result >= 0) {
            me.system->close(me, (int)result);
            result = 0;
        }
        return result;
    case WAIT_IN:
    case WAIT_OUT:
    case WAIT_END:
        entry.events = way->how == WAIT_IN    ? POLLIN
                       : way->how == WAIT_OUT ? POLLOUT
                                              : POLLRDHUP | POLLPRI;
        result = me.system->ppoll(me, &entry, 1, &long_time, NULL);
        return result == 1 ? 1000 + entry.revents : result;
    default:
        result = me.system->epoll_pwait(me, way->fd, &event, 1, &long_time, NULL);
        return result == 1 ? 1000 + event.events : result;
    }
}

/* Is the thread asleep, in its call as far as one can tell? */
static bool is_asleep(int number)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", number);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool got = fd >= 0 && read(fd, line, sizeof line - 1) > 0;
    close(fd);
    const char *state = got ? strrchr(line, ')') : NULL;
    return state && state[2] == 'S';
}

static void *thread(void *argument)
{
    left.number = gettid();
    left.result = wait_in(&left);
    left.ended = true;
    return NULL;
}

static void task(void *argument)
{
    right.caller = dry_current_caller();
    right.result = wait_in(&right);
    right.ended = true;
}

static void let_time_pass(long kernel_us)
{
    const struct timespec moment = {0, 1000};
    usleep((useconds_t)kernel_us);
    WORLD(clock_nanosleep, CLOCK_MONOTONIC, 0, &moment, NULL);
}

static void wake(int number)
{
}

/* Both sides have ended, or neither has. */
static bool same_end(const char *what)
{
    for (int i = 0; i < 20 && left.ended != right.ended; i++) {
        let_time_pass(AWAKE_US);
    }
    for (int i = 0; i < 1000 && left.ended != right.ended; i++) {
        usleep(200); /* a thread that is about to end, on a busy machine */
    }
    return alike(what, left.ended, right.ended) && left.ended;
}

static void meanwhile(void)
{
    const uint32_t which = draw(20);
    if (which < 9) {
        beside_transfer();
    } else if (which < 15) {
        beside_socket();
    } else if (which < 19) {
        beside_file();
    } else {
        beside_option();
    }
}

static enum kind last_kind(enum how how)
{
    return how == ACCEPT || how == SEND || how <= PEEK_ALL ? SEQPACKET : EPOLL;
}

void beside_wait(void)
{
    const struct sigaction action = {.sa_handler = wake};
    const enum how how = draw(WAYS);
    const struct slot *slot = how == EPOLL_WAIT ? pick(EPOLL, EPOLL) : pick(TCP4, last_kind(how));
    const struct slot of = *slot;
    pthread_t other;
    uint32_t number;
    if (!is_open(slot)) {
        return;
    }
    left = (struct waiting){.caller = kernel, .fd = slot->kernel, .how = how};
    right = (struct waiting){.fd = slot->world, .how = how};
    left.length = right.length = how == SEND ? draw(BUFFER) : 1 + draw(one_in(2) ? 10 : 3000);
    say("waits", slot, (long)how);
    fprintf(transcript, "  length %zu\n", left.length);
    sigaction(SIGUSR1, &action, NULL);
    const int flags = KERNEL(fcntl, of.kernel, F_GETFL, 0);
    KERNEL(fcntl, of.kernel, F_SETFL, flags & ~O_NONBLOCK);
    WORLD(fcntl, of.world, F_SETFL, flags & ~O_NONBLOCK);
    pthread_create(&other, NULL, thread, NULL);
    WORLD(spawn, task, NULL, &number);
    for (int i = 0; i < 1000 && !left.ended && !(left.number && is_asleep(left.number)); i++) {
        usleep(200);
    }
    let_time_pass(ASLEEP_US);
    same_end("ended at once");
    KERNEL(fcntl, of.kernel, F_SETFL, flags | O_NONBLOCK);
    WORLD(fcntl, of.world, F_SETFL, flags | O_NONBLOCK);
    for (int i = 0; i < 3 && !left.ended && !differs; i++) {
        meanwhile();
        let_time_pass(ASLEEP_US);
        same_end("ended");
    }
    while (!left.ended) { /* a signal that comes before the wait would be lost */
        pthread_kill(other, SIGUSR1);
        usleep(200);
    }
    if (!right.ended) {
        struct sim *sim = world.world;
        sim_signal_at(sim, (int)number, 0, SIGUSR1, false);
        let_time_pass(0);
    }
    pthread_join(other, NULL);
    WORLD(join, number);
    alike("waited for", left.result, right.result);
    alike_bytes("data", left.bytes, right.bytes, sizeof left.bytes);
}
