/* The plan's actors, between the files of fault/: who calls, which rule applies, what it does.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FAULT_ACTOR_H
#define SIM_FAULT_ACTOR_H

#include <drysock/system.h>

#include "fault.h"

/* How often an actor made a call: of a verb, or of a verb on one named socket. A cell. */
struct fault_tally {
    uint32_t next;
    uint32_t padding;
    char verb[FAULT_NAME_BYTES];
    char socket[FAULT_NAME_BYTES]; /* "": whichever */
    uint64_t count;
};

/* A descriptor with a name. A cell. */
struct fault_known {
    uint32_t next;
    int32_t fd;
    char name[FAULT_NAME_BYTES];
};

/* What one actor did so far, and the call it is in. A cell. */
struct fault_past {
    char host[FAULT_NAME_BYTES];
    char name[FAULT_NAME_BYTES];
    uint32_t tallies; /* first cells of lists */
    uint32_t known;
    uint32_t counted_in; /* whose tallies count this one's calls: 0: its own */
    uint32_t padding;
    /* the library call it is in */
    uint32_t depth;
    uint32_t verb_seams;     /* the seam calls that do the verb's own work */
    uint32_t rule;           /* chosen for this call, or 0 */
    uint32_t spent;          /* the effect was applied */
    uint32_t fired;          /* and counted as one of the rule's calls */
    uint32_t armed;          /* interrupt_after is running */
    uint32_t interrupt_next; /* `signal after=K`: the bytes are moved, the next wait is cut short */
    uint32_t seam_counts[FAULT_SEAM_COUNT];
};

/* An actor as a handle of the plan speaks for it. The decorated caller's `world` is this. */
struct fault_actor {
    struct sim_fault_plan *plan;
    struct fault_actor *next; /* of the plan */
    struct dry_caller inner;
    uint32_t cell; /* its struct fault_past */
    uint32_t padding;
};

static inline struct fault_past *fault_past_of(const struct fault_actor *actor)
{
    const struct fault_store *store = &actor->plan->store;
    return store->at(store->memory, actor->cell);
}

/* The rule chosen for the call that the actor is in, or NULL. */
static inline struct fault_rule *fault_chosen(const struct fault_actor *actor)
{
    return fault_rule_at(actor->plan, fault_past_of(actor)->rule);
}

/* A new actor of the plan, whose calls go on to `inner`; freed with the plan. NULL: no memory. */
struct fault_actor *fault_actor_new(struct sim_fault_plan *plan, struct dry_caller inner,
                                    const char *host, const char *name);

/* The same in memory of the caller's, counting its calls in that cell: fault.h. */
struct fault_actor *fault_actor_in(void *memory, struct sim_fault_plan *plan, struct dry_caller inner,
                                   const char *host, const char *name, uint32_t counts);

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
