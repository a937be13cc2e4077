/* Random calls made on the kernel and on the world: both answer alike, call by call.
 * SPDX-License-Identifier: MIT
 *
 * One task, one host, non-blocking descriptors. Each seed is a run of calls in a process and a
 * network namespace of its own. usage: test_sim_call_kernel [FIRST_SEED LAST_SEED [CALLS]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <drysock/sim.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beside.h"
#include "tests/need.h"

static int calls;

/* ---- the calls --------------------------------------------------------------------------------- */

static void make_socket(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_INET, AF_INET6, AF_UNIX, AF_UNIX, AF_UNIX};
    static const int types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM,    SOCK_DGRAM,
                                SOCK_STREAM, SOCK_DGRAM,  SOCK_SEQPACKET};
    const uint32_t i = draw(7);
    fprintf(transcript, "socket\n");
    keep(TCP4 + i, KERNEL(socket, families[i], types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
         WORLD(socket, families[i], types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static void make_pair(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    const uint32_t i = draw(3);
    int left[2], right[2];
    fprintf(transcript, "socketpair\n");
    if (alike("result", KERNEL(socketpair, AF_UNIX, types[i] | SOCK_NONBLOCK, 0, left),
              WORLD(socketpair, AF_UNIX, types[i] | SOCK_NONBLOCK, 0, right))) {
        keep(STREAM + i, left[0], right[0]);
        keep(STREAM + i, left[1], right[1]);
    }
}

static void make_other(void)
{
    int left[2], right[2];
    switch (draw(3)) {
    case 0:
        fprintf(transcript, "pipe\n");
        if (alike("result", KERNEL(pipe2, left, O_NONBLOCK), WORLD(pipe2, right, O_NONBLOCK))) {
            keep(PIPE, left[0], right[0]);
            keep(PIPE, left[1], right[1]);
        }
        break;
    case 1:
        fprintf(transcript, "eventfd\n");
        keep(COUNTER, KERNEL(eventfd, 1, EFD_NONBLOCK), WORLD(eventfd, 1, EFD_NONBLOCK));
        break;
    default:
        fprintf(transcript, "epoll_create\n");
        keep(EPOLL, KERNEL(epoll_create, 0), WORLD(epoll_create, 0));
    }
}

static void bind_or_connect(bool connects)
{
    struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    uint16_t port;
    if (!slot) {
        return;
    }
    say(connects ? "connect" : "bind", slot, 0);
    const socklen_t length = some_address(slot->kind, &storage, &port);
    if (!connects) {
        const int in_kernel = KERNEL(bind, slot->kernel, address, length);
        if (alike("result", in_kernel, WORLD(bind, slot->world, address, length)) && in_kernel == 0 &&
            slot->kind <= TCP6) {
            ports[slot->description] = port;
        }
    } else if (ports[slot->description] != port) {
        alike("result", KERNEL(connect, slot->kernel, address, length),
              WORLD(connect, slot->world, address, length));
    }
}

static void listen_or_accept(bool accepts)
{
    struct slot *slot = pick(TCP4, SEQPACKET);
    const int backlog = (int)draw(4) - 1;
    if (slot && accepts) {
        say("accept", slot, 0);
        keep(slot->kind, KERNEL(accept, slot->kernel, NULL, NULL, SOCK_NONBLOCK),
             WORLD(accept, slot->world, NULL, NULL, SOCK_NONBLOCK));
    } else if (slot) {
        say("listen", slot, backlog);
        alike("result", KERNEL(listen, slot->kernel, backlog), WORLD(listen, slot->world, backlog));
    }
}

static void send_some(void)
{
    static char bytes[BUFFER];
    const struct slot *slot = pick(TCP4, EPOLL);
    static const uint32_t bounds[] = {1, 2, 100, 2000, 30000};
    if (!slot) {
        return;
    }
    const size_t length = slot->kind == COUNTER ? 8 : draw(bounds[draw(5)]);
    memset(bytes, slot->kind == COUNTER ? 0 : 'a' + (int)draw(20), sizeof bytes);
    bytes[0] = (char)draw(5);
    say("send", slot, (long)length);
    if (slot->kind >= PIPE || draw(5) == 0) {
        alike("result", KERNEL(write, slot->kernel, bytes, length),
              WORLD(write, slot->world, bytes, length));
    } else {
        alike("result", KERNEL(sendto, slot->kernel, bytes, length, MSG_NOSIGNAL, NULL, 0),
              WORLD(sendto, slot->world, bytes, length, MSG_NOSIGNAL, NULL, 0));
    }
}

static void receive_some(void)
{
    static char left[BUFFER], right[BUFFER];
    const struct slot *slot = pick(TCP4, EPOLL);
    static const uint32_t bounds[] = {3, 100, BUFFER};
    if (!slot) {
        return;
    }
    const size_t length = slot->kind == COUNTER ? 8 : draw(bounds[draw(3)]);
    const int flags = (draw(4) == 0 ? MSG_PEEK : 0) | (draw(6) == 0 ? MSG_TRUNC : 0);
    const bool reads = slot->kind >= PIPE || draw(5) == 0;
    memset(left, 0, sizeof left);
    memset(right, 0, sizeof right);
    say(reads ? "read" : "recv", slot, (long)length);
    const ssize_t in_kernel = reads ? KERNEL(read, slot->kernel, left, length)
                                    : KERNEL(recvfrom, slot->kernel, left, length, flags, NULL, NULL);
    const ssize_t in_world = reads ? WORLD(read, slot->world, right, length)
                                   : WORLD(recvfrom, slot->world, right, length, flags, NULL, NULL);
    alike("result", in_kernel, in_world);
    alike("bytes differ", 0, memcmp(left, right, sizeof left) != 0);
}

/* A datagram to a named receiver; whom the next one came from. */
static void send_to_name(void)
{
    static char bytes[3000];
    const struct slot *slot = pick(TCP4, SEQPACKET);
    struct sockaddr_storage storage;
    uint16_t port;
    if (!slot) {
        return;
    }
    const size_t length = draw(sizeof bytes);
    memset(bytes, 'A' + (int)draw(20), sizeof bytes);
    say("sendto", slot, (long)length);
    const socklen_t named = some_address(slot->kind, &storage, &port);
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    alike("result", KERNEL(sendto, slot->kernel, bytes, length, MSG_NOSIGNAL, address, named),
          WORLD(sendto, slot->world, bytes, length, MSG_NOSIGNAL, address, named));
}

static void receive_from(void)
{
    const struct slot *slot = pick(UDP4, SEQPACKET);
    struct sockaddr_storage left, right;
    socklen_t left_length = sizeof left, right_length = sizeof right;
    char bytes[64];
    if (!slot) {
        return;
    }
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    say("recvfrom", slot, 0);
    const ssize_t in_kernel = KERNEL(recvfrom, slot->kernel, bytes, sizeof bytes, 0,
                                     (struct sockaddr *)&left, &left_length);
    if (!alike("result", in_kernel,
               WORLD(recvfrom, slot->world, bytes, sizeof bytes, 0, (struct sockaddr *)&right,
                     &right_length)) ||
        in_kernel < 0 || !alike("length", left_length, right_length)) {
        return;
    }
    hide_luck(&left);
    hide_luck(&right);
    alike("bytes differ", 0, memcmp(&left, &right, left_length) != 0);
}

static void urgent(void)
{
    const struct slot *slot = pick(TCP4, TCP6);
    char left = 0, right = 0;
    int left_mark = -1, right_mark = -1;
    if (!slot) {
        return;
    }
    switch (draw(3)) {
    case 0:
        say("send urgent", slot, 0);
        alike("result", KERNEL(sendto, slot->kernel, "!", 1, MSG_OOB | MSG_NOSIGNAL, NULL, 0),
              WORLD(sendto, slot->world, "!", 1, MSG_OOB | MSG_NOSIGNAL, NULL, 0));
        break;
    case 1:
        say("recv urgent", slot, 0);
        alike("result", KERNEL(recvfrom, slot->kernel, &left, 1, MSG_OOB, NULL, NULL),
              WORLD(recvfrom, slot->world, &right, 1, MSG_OOB, NULL, NULL));
        alike("byte", left, right);
        break;
    default:
        say("SIOCATMARK", slot, 0);
        alike("result", KERNEL(ioctl, slot->kernel, SIOCATMARK, &left_mark),
              WORLD(ioctl, slot->world, SIOCATMARK, &right_mark));
        alike("value", left_mark, right_mark);
    }
}

static void disconnect(void)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct slot *slot = pick(TCP4, SEQPACKET);
    if (slot) {
        say("disconnect", slot, 0);
        alike("result", KERNEL(connect, slot->kernel, &nowhere, sizeof nowhere),
              WORLD(connect, slot->world, &nowhere, sizeof nowhere));
    }
}

static void duplicate(void)
{
    const struct slot *slot = pick(TCP4, EPOLL);
    if (slot) {
        const uint32_t description = slot->description, before = descriptions;
        say("dup", slot, 0);
        keep(slot->kind, KERNEL(fcntl, slot->kernel, F_DUPFD_CLOEXEC, 0),
             WORLD(fcntl, slot->world, F_DUPFD_CLOEXEC, 0));
        for (int i = 0; i < SLOTS && descriptions > before; i++) {
            if (slots[i].description == descriptions) {
                slots[i].description = description;
            }
        }
    }
}

static void shut_or_close(bool closes)
{
    struct slot *slot = pick(TCP4, closes ? EPOLL : SEQPACKET);
    const int how = (int)draw(3);
    if (slot && closes) {
        say("close", slot, 0);
        alike("result", KERNEL(close, slot->kernel), WORLD(close, slot->world));
        slot->kind = FREE;
    } else if (slot) {
        say("shutdown", slot, how);
        alike("result", KERNEL(shutdown, slot->kernel, how), WORLD(shutdown, slot->world, how));
    }
}

static void poll_all(void)
{
    const short every = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND |
                        POLLWRBAND;
    const struct timespec now = {0, 0};
    struct pollfd left[SLOTS], right[SLOTS];
    for (int i = 0; i < SLOTS; i++) {
        const bool used = slots[i].kind != FREE;
        left[i] = (struct pollfd){used ? slots[i].kernel : -1, every, 0};
        right[i] = (struct pollfd){used ? slots[i].world : -1, every, 0};
    }
    fprintf(transcript, "poll\n");
    alike("result", KERNEL(ppoll, left, SLOTS, &now, NULL), WORLD(ppoll, right, SLOTS, &now, NULL));
    for (int i = 0; i < SLOTS; i++) {
        if (left[i].revents != right[i].revents) {
            fprintf(transcript, "  slot %d, kind %d:\n", i, slots[i].kind);
            alike("events", left[i].revents, right[i].revents);
        }
    }
}

static void options(bool sets)
{
    static const int asked[] = {SO_ERROR,     SO_TYPE,      SO_ACCEPTCONN, SO_DOMAIN, SO_PROTOCOL,
                                SO_REUSEADDR, SO_KEEPALIVE, SO_RCVLOWAT,   SO_SNDBUF};
    static const int set[] = {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_LINGER};
    const struct slot *slot = pick(TCP4, SEQPACKET);
    if (!slot) {
        return;
    }
    if (sets) {
        const int option = set[draw(4)];
        const struct linger value = {(int)draw(2), 0}; /* an int to all others */
        const socklen_t length = option == SO_LINGER ? sizeof value : sizeof value.l_onoff;
        say("setsockopt", slot, option);
        alike("result", KERNEL(setsockopt, slot->kernel, SOL_SOCKET, option, &value, length),
              WORLD(setsockopt, slot->world, SOL_SOCKET, option, &value, length));
        return;
    }
    /* TCP's send buffer is tuned by congestion, which goes its own way. */
    const int option = asked[draw(slot->kind <= TCP6 ? 8 : 9)];
    int left = 0, right = 0;
    socklen_t left_length = sizeof left, right_length = sizeof right;
    say("getsockopt", slot, option);
    alike("result", KERNEL(getsockopt, slot->kernel, SOL_SOCKET, option, &left, &left_length),
          WORLD(getsockopt, slot->world, SOL_SOCKET, option, &right, &right_length));
    alike("value", left, right);
}

static void epoll_control(void)
{
    static const uint32_t events[] = {EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT | EPOLLRDHUP,
                                      EPOLLIN | EPOLLONESHOT};
    const struct slot *epoll = pick(EPOLL, EPOLL), *slot = pick(TCP4, EPOLL);
    if (!epoll) {
        return;
    }
    struct epoll_event event = {.events = events[draw(4)], .data.u64 = (uint64_t)(slot - slots)};
    const int operation = EPOLL_CTL_ADD + (int)draw(3);
    say("epoll_ctl", slot, operation);
    alike("result", KERNEL(epoll_ctl, epoll->kernel, operation, slot->kernel, &event),
          WORLD(epoll_ctl, epoll->world, operation, slot->world, &event));
}

static void epoll_look(void)
{
    const struct timespec now = {0, 0};
    const struct slot *slot = pick(EPOLL, EPOLL);
    struct epoll_event left[SLOTS], right[SLOTS];
    uint32_t told[2][SLOTS] = {{0}, {0}};
    if (!slot) {
        return;
    }
    say("epoll_wait", slot, 0);
    const int in_kernel = KERNEL(epoll_pwait, slot->kernel, left, SLOTS, &now, NULL);
    const int in_world = WORLD(epoll_pwait, slot->world, right, SLOTS, &now, NULL);
    alike("result", in_kernel, in_world);
    for (int i = 0; i < in_kernel; i++) {
        told[0][left[i].data.u64] |= left[i].events;
    }
    for (int i = 0; i < in_world; i++) {
        told[1][right[i].data.u64] |= right[i].events;
    }
    for (int i = 0; i < SLOTS; i++) {
        if (told[0][i] != told[1][i]) {
            alike("events", told[0][i], told[1][i]);
        }
    }
}

static void ask_length(void)
{
    const struct slot *slot = pick(TCP4, PIPE);
    int left = -1, right = -1;
    if (!slot) {
        return;
    }
    say("FIONREAD", slot, 0);
    alike("result", KERNEL(ioctl, slot->kernel, FIONREAD, &left),
          WORLD(ioctl, slot->world, FIONREAD, &right));
    alike("value", left, right);
}

static void name_both(void)
{
    const struct slot *slot = pick(TCP4, SEQPACKET);
    if (slot) {
        say("names", slot, 0);
        compare_name(slot, false);
        compare_name(slot, true);
    }
}

static void make_call(void)
{
    static void (*const more[])(void) = {send_to_name, receive_from, urgent, disconnect, duplicate};
    const uint32_t which = draw(36);
    if (which < 3) {
        make_socket();
    } else if (which == 3) {
        make_pair();
    } else if (which == 4) {
        make_other();
    } else if (which < 11) {
        bind_or_connect(which >= 7);
    } else if (which < 15) {
        listen_or_accept(which >= 13);
    } else if (which < 18) {
        send_some();
    } else if (which < 21) {
        receive_some();
    } else if (which < 23) {
        shut_or_close(which == 21);
    } else if (which < 25) {
        poll_all();
    } else if (which < 27) {
        options(which == 25);
    } else if (which == 27) {
        name_both();
    } else if (which == 28) {
        epoll_control();
    } else if (which == 29) {
        epoll_look();
        ask_length();
    } else {
        more[draw(5)]();
    }
}

/* ---- a run ------------------------------------------------------------------------------------- */

static void task(void *argument)
{
    world = dry_current_caller();
    for (int i = 0; i < calls && !differs; i++) {
        make_call();
        usleep(SETTLE_US);
    }
}

static bool raise_loopback(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strcpy(request.ifr_name, "lo");
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const bool raised = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return raised;
}

/* In a child process: 0 alike, 1 different (with the transcript), SKIPPED. */
static int run(uint64_t seed)
{
    char *text = NULL;
    size_t length = 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !raise_loopback()) {
        return SKIPPED;
    }
    signal(SIGPIPE, SIG_IGN);
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    transcript = open_memstream(&text, &length);
    kernel = (struct dry_caller){kernel_provider(), NULL, 0, 0};
    const struct sim_options options = {.seed = seed, .check = seed % 16 == 0};
    struct sim *sim = sim_create(&options);
    sim_spawn(sim, sim_add_process(sim, sim_add_host(sim, "host", NULL), "p"), "task", task, NULL);
    differs |= sim_run(sim) != SIM_IDLE;
    fclose(transcript);
    if (differs) {
        fprintf(stderr, "seed %llu:\n%s", (unsigned long long)seed, text);
    }
    return differs;
}

static bool lacks; /* there is no network namespace here */

static void run_seeds(uint64_t first, uint64_t last)
{
    for (uint64_t seed = first; seed <= last; seed++) {
        int status = 0;
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0) {
            _exit(run(seed));
        }
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
            lacks = true;
            skip();
        }
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static uint64_t first_seed = 1, last_seed = SEEDS;

static void random_calls__on_both_systems__have_the_same_answers(void **state)
{
    run_seeds(first_seed, last_seed);
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls__on_both_systems__have_the_same_answers),
    };
    first_seed = count > 2 ? strtoull(words[1], NULL, 10) : 1;
    last_seed = count > 2 ? strtoull(words[2], NULL, 10) : SEEDS;
    calls = count > 3 ? atoi(words[3]) : CALLS;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed == 0 && lacks ? test_lacks("namespaces") : failed;
}
