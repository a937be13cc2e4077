/* Faults: rules that make chosen calls fail or fall short, in front of any system.
 * SPDX-License-Identifier: MIT
 *
 * ACTOR [SOCKET.]CALL[#FIRST[..[LAST][+STEP]]][/SEAM[#N]] [chance=P%] [times=N] EFFECT
 *
 * ACTOR is an actor's name, @HOST for all on a host, or *. CALL is a library call by its Python name,
 * or *. FIRST..LAST+STEP counts the actor's calls of that name (of that socket, when it is named)
 * from 1: #3 the third, #3.. from the third on, #2..6+2 the 2nd, 4th and 6th; no ordinal means every
 * one. /SEAM aims at one seam call of the library call (poll, send, recv,
 * connect …). chance= lets it apply to a call only so often; times= ends it after so many calls.
 * EFFECT: errno=NAME, gai=NAME, bytes=N, delay=TIME, signal before, signal during=TIME, signal after=N.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <drysock/system.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAULT_NAME_BYTES = 64, FAULT_TEXT_BYTES = 256 };

enum fault_effect {
    FAULT_ERRNO,         /* amount: the errno; the call is not made */
    FAULT_GAI,           /* amount: an EAI_ code, its sign left out; a look-up ends with it */
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
    uint32_t next; /* the cell of the rule after this one; 0: none */
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
    uint64_t times;      /* calls it may apply to; 0: any number */
    uint64_t calls;      /* calls it applied to */
    uint64_t fired;      /* seam calls it applied to: more, for bytes */
};

/* Where a plan lies: cells of FAULT_CELL_BYTES that name each other by number, so that the world's plan
 * is part of its block. take: a zeroed cell, 0 when there is none left. */
enum { FAULT_CELL_BYTES = 688 };
struct fault_store {
    void *memory;
    void *(*at)(void *memory, uint32_t cell);
    uint32_t (*take)(void *memory);
    void (*give)(void *memory, uint32_t cell);
};

/* The plan's own cell: the first that is taken from its store. */
struct fault_root {
    uint32_t first_rule, last_rule;
    int32_t rule_count;
    uint32_t padding;
    uint64_t chance[2]; /* the state of the draws: chance.c */
};

struct fault_actor;
struct sim_fault_plan {
    struct fault_store store;
    uint32_t root;
    struct fault_actor *actors;         /* as this handle of the plan speaks for them */
    bool programs;                      /* programs run behind it, too */
    void (*first_rule)(void *argument); /* the plan has a rule for the first time; may be NULL */
    void *first_rule_argument;
    bool (*chance)(uint64_t state[2], uint32_t ppm); /* draws: true so many times in a million */
    void (*destroy_store)(void *memory);             /* NULL: it is not the plan's own */
};

/* A handle of the plan whose root is that cell of the store; root 0: of a new plan without rules.
 * NULL: no memory. run/chance.c hands chance and store in. */
struct sim_fault_plan *fault_plan_open(struct fault_store store, uint32_t root,
                                       bool (*chance)(uint64_t state[2], uint32_t ppm));
/* The same with the chance that a seed gives (run/chance.c). */
struct sim_fault_plan *sim_fault_plan_in(struct fault_store store, uint32_t root, uint64_t seed);
static inline struct fault_root *fault_root_of(const struct sim_fault_plan *plan)
{
    return plan->store.at(plan->store.memory, plan->root);
}
/* The rule in that cell; NULL for 0. */
static inline struct fault_rule *fault_rule_at(const struct sim_fault_plan *plan, uint32_t cell)
{
    return cell ? plan->store.at(plan->store.memory, cell) : NULL;
}

/* 0, or -1 with a sentence in message and the byte offset of the fault in *column (may be NULL).
 * programs: calls of programs, by the names that strace gives them, can be aimed at as well. */
int fault_rule_parse(struct fault_rule *rule, const char *text, bool programs, char *message,
                     size_t bytes, size_t *column);
/* The library calls that faults aim at, one after the other; NULL behind the last. */
const char *fault_verb_name(size_t index);
/* The seam calls (bits by enum fault_seam) that do a library call's own work; 0: unknown verb. */
uint32_t fault_seams_of_verb(const char *verb);
/* Whether the effect can happen to this library call: bytes only where they move, signals only where
 * one waits. */
bool fault_effect_suits(enum fault_effect effect, const char *verb);

enum { FAULT_ACTOR_BYTES = 64 }; /* room for a handle of an actor: fault_caller_in */

/* As sim_fault_caller, without an allocation: the handle lies in `memory`, which is the caller's to
 * keep and to reuse. counts: what fault_counts_new gave: the calls of all who share it are counted
 * together. The plan knows of the actor until fault_actor_forget. Zero when the plan is full. */
struct dry_caller fault_caller_in(void *memory, struct sim_fault_plan *plan, struct dry_caller inner,
                                  const char *host, const char *actor, uint32_t counts);
void fault_actor_forget(const void *memory);
/* Counts of calls for several actors to share, by number; 0: the plan is full. */
uint32_t fault_counts_new(struct sim_fault_plan *plan);
void fault_counts_end(struct sim_fault_plan *plan, uint32_t counts);

/* A caller that makes no calls any more: what the plan knew of it goes. No-op for one that is not
 * behind this plan. */
void fault_end(struct sim_fault_plan *plan, struct dry_caller caller);

#endif
