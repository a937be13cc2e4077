/* Calls on both systems: poll, select and epoll, level and edge, nested, one shot, exclusive.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

static const struct timespec now = {0, 0};

static void poll_all(void)
{
    static const short bits[] = {POLLIN,     POLLOUT,    POLLPRI, POLLRDHUP, POLLRDNORM,
                                 POLLWRNORM, POLLRDBAND, POLLHUP, POLLERR,   POLLNVAL};
    short events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND |
                   POLLWRBAND;
    struct pollfd left[SLOTS], right[SLOTS];
    if (one_in(4)) {
        events = CHOOSE(bits) | CHOOSE(bits);
    }
    for (int i = 0; i < SLOTS; i++) {
        const bool used = slots[i].kind != FREE;
        left[i] = (struct pollfd){used ? slots[i].kernel : -1, events, 0x55};
        right[i] = (struct pollfd){used ? slots[i].world : -1, events, 0x55};
    }
    fprintf(transcript, "poll %x\n", (unsigned)events);
    alike("result", KERNEL(ppoll, left, SLOTS, &now, NULL), WORLD(ppoll, right, SLOTS, &now, NULL));
    for (int i = 0; i < SLOTS; i++) {
        if (left[i].revents != right[i].revents) {
            fprintf(transcript, "  slot %d, kind %d: kernel %x, world %x\n", i, slots[i].kind,
                    (unsigned)left[i].revents, (unsigned)right[i].revents);
            alike("events", left[i].revents, right[i].revents);
        }
    }
}

static void poll_oddly(void)
{
    static const struct timespec times[] = {{0, 0}, {-1, 0}, {0, -1}, {0, 1000000000}, {0, 999}};
    const struct slot *slot = pick(TCP4, EPOLL);
    struct pollfd left = {slot->kernel, POLLIN, 0}, right = {slot->world, POLLIN, 0};
    const struct timespec timeout = CHOOSE(times);
    const nfds_t count = one_in(4) ? 0 : one_in(8) ? 100000000 : 1;
    const bool gives = !one_in(4) && count < 2;
    say("poll", slot, (long)count);
    alike("result", KERNEL(ppoll, gives ? &left : NULL, count, &timeout, NULL),
          WORLD(ppoll, gives ? &right : NULL, count, &timeout, NULL));
    alike("events", left.revents, right.revents);
}

static void select_all(void)
{
    fd_set left[3], right[3];
    int most[2] = {0, 0};
    memset(left, 0, sizeof left);
    memset(right, 0, sizeof right);
    for (int i = 0; i < SLOTS; i++) {
        const uint32_t sets = draw(8);
        if (slots[i].kind == FREE || slots[i].kernel >= FD_SETSIZE || slots[i].world >= FD_SETSIZE) {
            continue;
        }
        for (int set = 0; set < 3; set++) {
            if (sets >> set & 1) {
                FD_SET(slots[i].kernel, &left[set]);
                FD_SET(slots[i].world, &right[set]);
            }
        }
        most[0] = slots[i].kernel >= most[0] ? slots[i].kernel + 1 : most[0];
        most[1] = slots[i].world >= most[1] ? slots[i].world + 1 : most[1];
    }
    if (one_in(40)) {
        most[0] = most[1] = -1;
    }
    const bool reads = !one_in(6), writes = !one_in(6), excepts = !one_in(3);
    fprintf(transcript, "select\n");
    alike("result",
          KERNEL(pselect, most[0], reads ? &left[0] : NULL, writes ? &left[1] : NULL,
                 excepts ? &left[2] : NULL, &now, NULL),
          WORLD(pselect, most[1], reads ? &right[0] : NULL, writes ? &right[1] : NULL,
                excepts ? &right[2] : NULL, &now, NULL));
    for (int i = 0; i < SLOTS; i++) {
        for (int set = 0; set < 3 && slots[i].kind != FREE && slots[i].world < FD_SETSIZE; set++) {
            const int in_kernel = FD_ISSET(slots[i].kernel, &left[set]) != 0;
            if (in_kernel != (FD_ISSET(slots[i].world, &right[set]) != 0)) {
                fprintf(transcript, "  slot %d, set %d:\n", i, set);
                alike("is set", in_kernel, !in_kernel);
            }
        }
    }
}

static void epoll_control(void)
{
    static const uint32_t events[] = {EPOLLIN,
                                      EPOLLOUT,
                                      EPOLLIN | EPOLLOUT | EPOLLRDHUP,
                                      EPOLLIN | EPOLLET,
                                      EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                      EPOLLOUT | EPOLLET,
                                      EPOLLIN | EPOLLPRI | EPOLLET,
                                      EPOLLIN | EPOLLONESHOT,
                                      EPOLLIN | EPOLLOUT | EPOLLONESHOT | EPOLLET,
                                      EPOLLIN | EPOLLEXCLUSIVE,
                                      EPOLLRDHUP,
                                      EPOLLRDNORM | EPOLLET,
                                      0,
                                      EPOLLET};
    const struct slot *epoll = pick(EPOLL, EPOLL), *slot = pick(TCP4, EPOLL);
    struct epoll_event event = {.events = one_in(30) ? (uint32_t)odd_number() : CHOOSE(events),
                                .data.u64 = is_open(slot) ? (uint64_t)(slot - slots) : 0};
    const int operation = one_in(30) ? odd_number() : one_in(2) ? EPOLL_CTL_ADD : 1 + (int)draw(3);
    struct epoll_event *given = one_in(40) ? NULL : &event;
    say("epoll_ctl", slot, operation);
    fprintf(transcript, "  of slot %d, events %x\n", is_open(epoll) ? (int)(epoll - slots) : -1,
            event.events);
    alike("result", KERNEL(epoll_ctl, epoll->kernel, operation, slot->kernel, given),
          WORLD(epoll_ctl, epoll->world, operation, slot->world, given));
}

static void epoll_look(void)
{
    const struct slot *slot = pick(EPOLL, EPOLL);
    struct epoll_event left[4 * SLOTS], right[4 * SLOTS];
    uint32_t told[2][SLOTS] = {{0}, {0}};
    const int most = one_in(20) ? (int)draw(3) - 1 : 4 * SLOTS;
    say("epoll_wait", slot, most);
    const int in_kernel = KERNEL(epoll_pwait, slot->kernel, left, most, &now, NULL);
    const int in_world = WORLD(epoll_pwait, slot->world, right, most, &now, NULL);
    alike("result", in_kernel, in_world);
    for (int i = 0; i < in_kernel; i++) {
        told[0][left[i].data.u64] |= left[i].events;
    }
    for (int i = 0; i < in_world; i++) {
        told[1][right[i].data.u64] |= right[i].events;
    }
    for (int i = 0; i < SLOTS && most > 1; i++) {
        if (told[0][i] != told[1][i]) {
            fprintf(transcript, "  data %d: kernel %x, world %x\n", i, told[0][i], told[1][i]);
            alike("events", told[0][i], told[1][i]);
        }
    }
}

void beside_ready(void)
{
    const uint32_t which = draw(16);
    if (which < 4) {
        poll_all();
    } else if (which == 4) {
        poll_oddly();
    } else if (which < 7) {
        select_all();
    } else if (which < 12) {
        epoll_control();
    } else {
        epoll_look();
    }
}
