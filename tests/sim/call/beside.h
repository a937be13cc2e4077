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
    SEEDS = 200,
    CALLS = 60,
    BUFFER = 60000,
    FIRST_PORT = 20000,
    FIRST_EPHEMERAL = 32768,
    SETTLE_US = 100, /* a busy kernel puts its loopback's work off */
    SKIPPED = 77,
};

enum kind { FREE, TCP4, TCP6, UDP4, UDP6, STREAM, DGRAM, SEQPACKET, PIPE, COUNTER, EPOLL };

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
extern uint64_t random_state;
extern bool differs;
extern FILE *transcript;

#define KERNEL(call, ...) kernel.system->call(kernel, __VA_ARGS__)
#define WORLD(call, ...) world.system->call(world, __VA_ARGS__)

/* A number below the bound, from random_state. */
uint32_t draw(uint32_t bound);
/* Writes both answers into the transcript; false, and `differs`, where they are not alike. */
bool alike(const char *what, int64_t in_kernel, int64_t in_world);
/* A new descriptor: only whether there is one is compared. */
void keep(enum kind kind, int64_t in_kernel, int64_t in_world);
/* A slot of one of these kinds; NULL: there is none. */
struct slot *pick(enum kind from, enum kind to);
void say(const char *call, const struct slot *slot, long detail);
socklen_t some_address(enum kind kind, struct sockaddr_storage *storage, uint16_t *port);
/* Ephemeral ports and generated UNIX names are each system's own. */
void hide_luck(struct sockaddr_storage *address);
void compare_name(const struct slot *slot, bool peer);

#endif
