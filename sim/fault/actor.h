/* The plan's actors, between the files of fault/: who calls, which rule applies, what it does.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FAULT_ACTOR_H
#define SIM_FAULT_ACTOR_H

#include <drysock/system.h>

#include "fault.h"

struct fault_tally;
struct fault_known;

/* What one actor did so far, and the call it is in. The decorated caller's `world` is this. */
struct fault_actor {
    struct sim_fault_plan *plan;
    struct fault_actor *next; /* of the plan */
    struct dry_caller inner;
    char host[FAULT_NAME_BYTES];
    char name[FAULT_NAME_BYTES];
    struct fault_tally *tallies;
    size_t tally_count;
    struct fault_known *known; /* descriptors with names */
    size_t known_count;
    /* the library call it is in */
    unsigned depth;
    uint32_t verb_seams;     /* the seam calls that do the verb's own work */
    struct fault_rule *rule; /* chosen for this call, or NULL */
    bool spent;              /* the effect was applied */
    bool armed;              /* interrupt_after is running */
    bool interrupt_next;     /* `signal after=K`: the bytes are moved, the next wait is cut short */
    uint32_t seam_counts[FAULT_SEAM_COUNT];
};

/* A new actor of the plan, whose calls go on to `inner`; freed with the plan. */
struct fault_actor *fault_actor_new(struct sim_fault_plan *plan, struct dry_caller inner,
                                    const char *host, const char *name);

void fault_actor_free(struct fault_actor *actor);

/* A descriptor has a name from now on, or none any more. */
void fault_know_name(struct fault_actor *actor, int fd, const char *name);
void fault_forget_name(struct fault_actor *actor, int fd);

/* The library's call begins: chooses its rule. It ends: what was armed for it is taken back. */
void fault_call_begins(struct fault_actor *actor, const char *verb, int fd);
void fault_call_ends(struct fault_actor *actor);

/* Before a seam call: 0 to go on, or what it returns instead. A transfer's *length may shrink. length:
 * NULL for what moves no bytes. */
int fault_before(struct fault_actor *actor, enum fault_seam seam, size_t *length);

#endif
