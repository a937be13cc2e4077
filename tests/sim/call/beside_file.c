/* Calls on both systems: descriptors and their flags, pipes, counters, timers, ioctl, fcntl, lseek.
 * SPDX-License-Identifier: MIT */
#include "beside.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

static void make_pipe(void)
{
    int left[2] = {-1, -1}, right[2] = {-1, -1};
    int flags = O_NONBLOCK | (one_in(3) ? O_CLOEXEC : 0) | (one_in(6) ? O_DIRECT : 0);
    flags |= one_in(20) ? 1 << draw(24) : 0;
    fprintf(transcript, "pipe2 %x\n", (unsigned)flags);
    const int result = KERNEL(pipe2, left, flags);
    if (alike("result", result, WORLD(pipe2, right, flags)) && result == 0) {
        keep(READER, left[0], right[0]);
        keep(WRITER, left[1], right[1]);
    }
}

static void make_other(void)
{
    static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI, 2, -1, 50};
    const int odd = one_in(12) ? 1 << draw(25) : 0;
    const unsigned initial = one_in(3) ? (unsigned)odd_number() : draw(4);
    int flags = EFD_NONBLOCK | odd, clock = one_in(4) ? CHOOSE(clocks) : CLOCK_MONOTONIC;
    switch (draw(3)) {
    case 0:
        flags |= one_in(3) ? EFD_SEMAPHORE : 0;
        fprintf(transcript, "eventfd %u %x\n", initial, (unsigned)flags);
        keep(COUNTER, KERNEL(eventfd, initial, flags), WORLD(eventfd, initial, flags));
        break;
    case 1:
        fprintf(transcript, "timerfd_create %d %x\n", clock, (unsigned)flags);
        keep(TIMER, KERNEL(timerfd_create, clock, flags), WORLD(timerfd_create, clock, flags));
        break;
    default:
        fprintf(transcript, "epoll_create %x\n", (unsigned)odd);
        keep(EPOLL, KERNEL(epoll_create, odd), WORLD(epoll_create, odd));
    }
}

/* Timers that expire at once, or long after the run. */
static void set_timer(void)
{
    static const long nanoseconds[] = {0, 0, 999999999, 1000000000, -1};
    const struct slot *slot = pick(TIMER, TIMER);
    struct itimerspec value = {.it_value = {(time_t)(one_in(2) ? 0 : 3600), CHOOSE(nanoseconds)},
                               .it_interval = {one_in(2) ? 0 : 7200, CHOOSE(nanoseconds)}};
    struct itimerspec left = {{0, 0}, {0, 0}}, right = left;
    const int flags = (one_in(3) ? TFD_TIMER_ABSTIME : 0) | (one_in(15) ? 1 << draw(6) : 0);
    if (value.it_value.tv_nsec == 999999999 || value.it_interval.tv_sec == 0) {
        value.it_interval.tv_nsec = 0; /* would expire again and again meanwhile */
    }
    if (value.it_value.tv_sec == 0 && value.it_value.tv_nsec > 1) {
        value.it_value.tv_sec = 3600;
    }
    if ((flags & TFD_TIMER_ABSTIME) && value.it_value.tv_sec) {
        value.it_value.tv_sec = 0; /* what is past on any clock */
    }
    const bool asks = one_in(2), gives = !one_in(40);
    say("timerfd_settime", slot, flags);
    fprintf(transcript, "  value %ld.%09ld interval %ld.%09ld\n", (long)value.it_value.tv_sec,
            value.it_value.tv_nsec, (long)value.it_interval.tv_sec, value.it_interval.tv_nsec);
    const int in_kernel = KERNEL(timerfd_settime, slot->kernel, flags, gives ? &value : NULL,
                                 asks ? &left : NULL);
    if (alike(
            "result", in_kernel,
            WORLD(timerfd_settime, slot->world, flags, gives ? &value : NULL, asks ? &right : NULL))) {
        alike("old interval", left.it_interval.tv_sec, right.it_interval.tv_sec);
        alike("was armed", left.it_value.tv_sec > 0, right.it_value.tv_sec > 0);
    }
    if (in_kernel == 0 && one_in(2)) {
        memset(&left, 0, sizeof left);
        memset(&right, 0, sizeof right);
        alike("gettime", KERNEL(timerfd_gettime, slot->kernel, &left),
              WORLD(timerfd_gettime, slot->world, &right));
        alike("interval", left.it_interval.tv_sec, right.it_interval.tv_sec);
        alike("armed", left.it_value.tv_sec > 0, right.it_value.tv_sec > 0);
    }
}

static void same_description(const struct slot *of, uint32_t before)
{
    for (int i = 0; i < SLOTS && descriptions > before; i++) {
        if (slots[i].description == descriptions) {
            slots[i].description = of->description;
        }
    }
}

static void duplicate(void)
{
    const struct slot *slot = pick(TCP4, EPOLL);
    const struct slot of = *slot;
    const uint32_t before = descriptions;
    const int command = one_in(2) ? F_DUPFD_CLOEXEC : F_DUPFD;
    const long minimum = one_in(20) ? odd_number() : 0;
    if (minimum > 1 && minimum < 1 << 20) {
        return; /* where the tables end is each system's own */
    }
    say("F_DUPFD", slot, minimum);
    keep(slot->kind, KERNEL(fcntl, slot->kernel, command, minimum),
         WORLD(fcntl, slot->world, command, minimum));
    same_description(&of, before);
}

static void duplicate_onto(void)
{
    const struct slot *slot = pick(TCP4, EPOLL);
    struct slot *onto = pick(TCP4, EPOLL);
    const int flags = one_in(3) ? O_CLOEXEC : one_in(20) ? 1 << draw(24) : 0;
    say("dup3", slot, is_open(onto) ? onto - slots : -1);
    const int in_kernel = KERNEL(dup3, slot->kernel, onto->kernel, flags);
    const int in_world = WORLD(dup3, slot->world, onto->world, flags);
    alike("result", in_kernel < 0 ? in_kernel : 0, in_world < 0 ? in_world : 0);
    if (in_kernel >= 0 && in_world >= 0 && is_open(onto)) {
        onto->kind = slot->kind;
        onto->description = slot->description;
    }
}

static void close_one(void)
{
    struct slot *slot = pick(TCP4, EPOLL);
    say("close", slot, 0);
    alike("result", KERNEL(close, slot->kernel), WORLD(close, slot->world));
    slot->kind = FREE;
}

static void control(void)
{
    static const int commands[] = {F_GETFD,    F_SETFD,  F_GETFL,  F_SETFL,      F_GETOWN,
                                   F_SETOWN,   F_GETSIG, F_SETSIG, F_GETPIPE_SZ, F_SETPIPE_SZ,
                                   F_GETLEASE, 77,       -1};
    static const long sizes[] = {
        0, 1, 4096, 4097, 8192, 65536, 1 << 20, (1 << 20) + 1, INT64_C(1) << 31, -1};
    const struct slot *slot = pick(TCP4, EPOLL);
    const int command = CHOOSE(commands);
    long argument = odd_number();
    if (command == F_SETFL) { /* no call of this test may wait */
        argument |= O_NONBLOCK;
        argument &= ~(long)(O_ASYNC | O_DIRECT);
        argument |= one_in(4) ? O_ASYNC : 0;
    } else if (command == F_SETOWN) {
        argument = one_in(2) ? 0 : one_in(2) ? INT32_MIN : 0x7ffffff;
    } else if (command == F_SETPIPE_SZ) {
        argument = CHOOSE(sizes);
    } else if (command == F_SETSIG) {
        argument = one_in(2) ? 0 : 40 + (int)draw(30);
    }
    say("fcntl", slot, command);
    fprintf(transcript, "  argument %ld\n", argument);
    BOTH(fcntl, slot, command, argument);
}

static void ask_number(void)
{
    static const unsigned long requests[] = {FIONREAD,  FIONREAD,  TIOCOUTQ, SIOCATMARK, SIOCATMARK,
                                             FIOGETOWN, SIOCGPGRP, 0x9999,   FIOQSIZE,   SIOCOUTQNSD,
                                             TCGETS,    FIOCLEX,   FIONCLEX};
    const struct slot *slot = pick(TCP4, EPOLL);
    const unsigned long request = CHOOSE(requests);
    long left[32] = {-1}, right[32] = {-1};
    const bool gives = !one_in(40);
    if (slot->kind == TCP4 || slot->kind == TCP6) {
        if (request == TIOCOUTQ || request == SIOCOUTQNSD) {
            return; /* what is acknowledged by now depends on each system's pace */
        }
    }
    say("ioctl", slot, (long)request);
    alike("result", KERNEL(ioctl, slot->kernel, request, gives ? left : NULL),
          WORLD(ioctl, slot->world, request, gives ? right : NULL));
    alike_bytes("value", left, right, sizeof left);
}

static void set_number(void)
{
    static const unsigned long requests[] = {FIONBIO, FIOASYNC, FIOSETOWN, SIOCSPGRP};
    const struct slot *slot = pick(TCP4, EPOLL);
    const unsigned long request = CHOOSE(requests);
    int number = request == FIONBIO ? 1 + (int)draw(5) : request == FIOASYNC ? (int)draw(2) : 0;
    const bool gives = !one_in(40);
    say("ioctl", slot, (long)request);
    fprintf(transcript, "  number %d\n", number);
    alike("result", KERNEL(ioctl, slot->kernel, request, gives ? &number : NULL),
          WORLD(ioctl, slot->world, request, gives ? &number : NULL));
}

static void ask_interface(void)
{
    static const unsigned long requests[] = {
        SIOCGIFINDEX,   SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFFLAGS,  SIOCGIFMTU,
        SIOCGIFBRDADDR, SIOCGIFNAME, SIOCGIFDSTADDR, SIOCGIFMETRIC, SIOCGIFTXQLEN};
    static const char *const names[] = {"lo", "lo", "lo", "none", "", "lo:1"};
    const struct slot *slot = pick(TCP4, EPOLL);
    const unsigned long request = CHOOSE(requests);
    struct ifreq left, right;
    memset(&left, 0, sizeof left);
    if (request == SIOCGIFNAME) {
        left.ifr_ifindex = (int)draw(4) - 1;
    } else {
        strcpy(left.ifr_name, CHOOSE(names));
    }
    right = left;
    say("SIOCGIF", slot, (long)request);
    fprintf(transcript, "  name '%s' %d\n", left.ifr_name, left.ifr_ifindex);
    alike("result", KERNEL(ioctl, slot->kernel, request, &left),
          WORLD(ioctl, slot->world, request, &right));
    alike_bytes("answer", &left, &right, sizeof left);
}

static void seek(void)
{
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, 3, 4, 5, -1};
    const struct slot *slot = pick(TCP4, EPOLL);
    const int whence = CHOOSE(whences);
    const off_t offset = one_in(2) ? 0 : odd_number();
    say("lseek", slot, whence);
    fprintf(transcript, "  offset %ld\n", (long)offset);
    BOTH(lseek, slot, offset, whence);
}

static void look(void)
{
    const struct slot *slot = pick(TCP4, EPOLL);
    struct stat left, right;
    memset(&left, 0, sizeof left);
    memset(&right, 0, sizeof right);
    say("fstat", slot, 0);
    if (alike("result", KERNEL(fstat, slot->kernel, &left), WORLD(fstat, slot->world, &right))) {
        alike("mode", left.st_mode, right.st_mode);
        alike("size", left.st_size, right.st_size);
    }
}

void beside_file(void)
{
    const uint32_t which = draw(29);
    if (which < 3) {
        make_pipe();
    } else if (which < 6) {
        make_other();
    } else if (which < 8) {
        set_timer();
    } else if (which < 11) {
        duplicate();
    } else if (which == 11) {
        duplicate_onto();
    } else if (which < 17) {
        close_one();
    } else if (which < 20) {
        control();
    } else if (which < 24) {
        ask_number();
    } else if (which == 24) {
        set_number();
    } else if (which == 25) {
        ask_interface();
    } else if (which < 28) {
        seek();
    } else {
        look();
    }
}
