/* The kernel and the world beside each other: what both call something, and whether answers are alike.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_BESIDE_H
#define TESTS_BESIDE_H

#include <drysock/sim.h>
#include <stdbool.h>
#include <stdio.h>

/* real/kernel.c under another name, so that both systems fit in one program. */
const struct dry_system *kernel_provider(void);

enum {
    SLOTS = 10,
    BUFFER = 70000,
    FIRST_PORT = 20000,
    FIRST_EPHEMERAL = 32768,
    SETTLE_US = 50, /* a busy kernel puts its loopback's work off */
    SKIPPED = 77,
};

enum kind {
    FREE,
    TCP4,
    TCP6,
    UDP4,
    UDP6,
    STREAM,
    DGRAM,
    SEQPACKET,
    READER,
    WRITER,
    COUNTER,
    TIMER,
    EPOLL
};

/* What both systems call something. */
struct slot {
    enum kind kind;
    int kernel, world;
    uint32_t description; /* duplicates share it */
};

extern struct slot slots[SLOTS];
/* What TCP descriptions are bound to: a connection to oneself is another subject. */
extern uint16_t ports[4096];
extern uint32_t descriptions;
extern struct dry_caller kernel, world;
extern bool differs;
extern FILE *transcript;
/* Only what differs is written, each under its heading. */
extern bool brief;
extern char heading[128];

#define KERNEL(call, ...) kernel.system->call(kernel, __VA_ARGS__)
#define WORLD(call, ...) world.system->call(world, __VA_ARGS__)
/* The same call on both, compared. */
#define BOTH(call, slot, ...) \
    alike(#call, KERNEL(call, (slot)->kernel, __VA_ARGS__), WORLD(call, (slot)->world, __VA_ARGS__))
#define CHOOSE(list) (list)[draw(sizeof(list) / sizeof(list)[0])]

/* Draws of one call: what one call draws does not move what the next one draws. */
void draw_from(uint64_t seed);
uint32_t draw(uint32_t bound);
static inline bool one_in(uint32_t count)
{
    return draw(count) == 0;
}
/* An int at one of the usual borders. */
int odd_number(void);

/* Writes both answers into the transcript; false, and `differs`, where they are not alike. */
bool alike(const char *what, int64_t in_kernel, int64_t in_world);
void alike_bytes(const char *what, const void *in_kernel, const void *in_world, size_t length);
/* A new descriptor: only whether there is one is compared. */
void keep(enum kind kind, int64_t in_kernel, int64_t in_world);
/* A slot of one of these kinds, seldom one that is open nowhere; never NULL. */
struct slot *pick(enum kind from, enum kind to);
static inline bool is_open(const struct slot *slot)
{
    return slot->kind != FREE;
}
void say(const char *call, const struct slot *slot, long detail);

/* An address for a socket of this kind, mostly of the right form; *port: its port, 0 for none. */
socklen_t some_address(enum kind kind, struct sockaddr_storage *storage, uint16_t *port);
/* Ephemeral ports and generated UNIX names are each system's own. */
void hide_luck(struct sockaddr_storage *address);
void compare_addresses(struct sockaddr_storage *in_kernel, struct sockaddr_storage *in_world,
                       socklen_t length);

/* The calls, by subject: each makes one on both systems. */
void beside_socket(void);   /* beside_socket.c: making, naming, connecting, ending */
void beside_transfer(void); /* beside_transfer.c: bytes, messages, what comes with them */
void beside_file(void);     /* beside_file.c: descriptors, pipes, counters, timers, ioctl, fcntl */
void beside_ready(void);    /* beside_ready.c: poll, select, epoll */
void beside_option(void);   /* beside_option.c: options of all levels and names */
/* Every option's value on a fresh socket of this kind. */
void beside_all_options(const struct slot *slot);
/* beside_wait.c: a call that waits, and what another call does to it. */
void beside_wait(void);

#endif
