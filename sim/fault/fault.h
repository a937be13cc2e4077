/* Faults: rules that make chosen calls fail or fall short, in front of any system.
 * SPDX-License-Identifier: MIT
 *
 * ACTOR [SOCKET.]CALL[#FIRST[..[LAST][+STEP]]][/SEAM[#N]] [chance=P%] EFFECT
 *
 * ACTOR is an actor's name, @HOST for all on a host, or *. CALL is a library call by its Python name,
 * or *. FIRST..LAST+STEP counts the actor's calls of that name (of that socket, when it is named)
 * from 1: #3 the third, #3.. from the third on, #2..6+2 the 2nd, 4th and 6th; no ordinal means every
 * one. /SEAM aims at one seam call of the library call (poll, send, recv,
 * connect …). EFFECT: errno=NAME, bytes=N, delay=TIME, signal before, signal during=TIME,
 * signal after=N.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAULT_NAME_BYTES = 64, FAULT_TEXT_BYTES = 256 };

enum fault_effect {
    FAULT_ERRNO,         /* amount: the errno; the call is not made */
    FAULT_BYTES,         /* amount: at most so many bytes move in each seam call */
    FAULT_DELAY,         /* amount: ns to wait before the call */
    FAULT_SIGNAL_BEFORE, /* the first wait is cut short before it begins */
    FAULT_SIGNAL_DURING, /* amount: ns after the call began; only while it waits */
    FAULT_SIGNAL_AFTER,  /* amount: bytes that move first; then the call's next wait is cut short */
};

enum fault_seam {
    FAULT_SEAM_NONE = 0,
    FAULT_SEAM_SOCKET,
    FAULT_SEAM_SOCKETPAIR,
    FAULT_SEAM_BIND,
    FAULT_SEAM_LISTEN,
    FAULT_SEAM_ACCEPT,
    FAULT_SEAM_CONNECT,
    FAULT_SEAM_SEND,
    FAULT_SEAM_RECV,
    FAULT_SEAM_SHUTDOWN,
    FAULT_SEAM_GETSOCKNAME,
    FAULT_SEAM_GETPEERNAME,
    FAULT_SEAM_GETSOCKOPT,
    FAULT_SEAM_SETSOCKOPT,
    FAULT_SEAM_CLOSE,
    FAULT_SEAM_DUP,
    FAULT_SEAM_FCNTL,
    FAULT_SEAM_IOCTL,
    FAULT_SEAM_PIPE,
    FAULT_SEAM_SENDFILE,
    FAULT_SEAM_POLL,
    FAULT_SEAM_SLEEP,
    FAULT_SEAM_NAMES,
    FAULT_SEAM_COUNT,
};

struct fault_rule {
    struct fault_rule *next;
    char text[FAULT_TEXT_BYTES];
    char actor[FAULT_NAME_BYTES];
    char socket[FAULT_NAME_BYTES]; /* "": any */
    char verb[FAULT_NAME_BYTES];
    uint64_t first, last, step;
    enum fault_seam seam; /* FAULT_SEAM_NONE: the one that does the verb's work */
    uint32_t seam_ordinal;
    enum fault_effect effect;
    uint64_t amount;
    uint32_t chance_ppm; /* a million: always */
    uint64_t fired;
};

struct fault_actor;
struct sim_fault_plan {
    struct fault_rule *first, *last;
    int rule_count;
    struct fault_actor *actors;
    bool (*chance)(void *state, uint32_t ppm); /* draws: true so many times in a million */
    void *chance_state;                        /* its own, freed with the plan */
};

/* A plan without rules; NULL: no memory. sim_fault_plan_create (run/chance.c) hands the chance in. */
struct sim_fault_plan *fault_plan_new(bool (*chance)(void *state, uint32_t ppm), void *state);

/* 0, or -1 with a sentence in message and the byte offset of the fault in *column (may be NULL). */
int fault_rule_parse(struct fault_rule *rule, const char *text, char *message, size_t bytes,
                     size_t *column);
/* The seam calls (bits by enum fault_seam) that do a library call's own work; 0: unknown verb. */
uint32_t fault_seams_of_verb(const char *verb);
/* Whether the effect can happen to this library call: bytes only where they move, signals only where
 * one waits. */
bool fault_effect_suits(enum fault_effect effect, const char *verb);

#endif
