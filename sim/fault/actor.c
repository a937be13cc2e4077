/* What the plan knows of an actor, which rule a call of it gets, and what the rule does to it.
 * SPDX-License-Identifier: MIT
 *
 * The library announces its calls; a rule is chosen then, by actor, socket name, verb and ordinal. Its
 * effect is applied at the seam call that does the verb's own work, not at the polls around it, so that
 * one plan means the same on every provider. */
#include "actor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/sim.h>

struct fault_tally {
    const char *verb;
    char socket[FAULT_NAME_BYTES]; /* "": whichever */
    uint64_t count;
};

struct fault_known {
    int fd;
    char name[FAULT_NAME_BYTES];
};

/* ---- an actor ----------------------------------------------------------------------------- */

struct fault_actor *fault_actor_new(struct sim_fault_plan *plan, struct dry_caller inner,
                                    const char *host, const char *name)
{
    struct fault_actor *actor = calloc(1, sizeof *actor);
    assert(actor != NULL);
    actor->plan = plan;
    actor->inner = inner;
    snprintf(actor->host, sizeof actor->host, "%s", host);
    snprintf(actor->name, sizeof actor->name, "%s", name);
    actor->next = plan->actors;
    plan->actors = actor;
    return actor;
}

void fault_actor_free(struct fault_actor *actor)
{
    free(actor->tallies);
    free(actor->known);
    free(actor);
}

void fault_forget_name(struct fault_actor *actor, int fd)
{
    for (size_t i = 0; i < actor->known_count; i++) {
        if (actor->known[i].fd == fd) {
            actor->known[i] = actor->known[--actor->known_count];
        }
    }
}

void fault_know_name(struct fault_actor *actor, int fd, const char *name)
{
    fault_forget_name(actor, fd);
    struct fault_known *grown = realloc(actor->known, (actor->known_count + 1) * sizeof *actor->known);
    assert(grown != NULL);
    actor->known = grown;
    struct fault_known *known = &grown[actor->known_count++];
    known->fd = fd;
    snprintf(known->name, sizeof known->name, "%s", name);
}

/* ---- choosing the rule -------------------------------------------------------------------- */

static const char *name_of(const struct fault_actor *actor, int fd)
{
    for (size_t i = 0; i < actor->known_count; i++) {
        if (actor->known[i].fd == fd) {
            return actor->known[i].name;
        }
    }
    return "";
}

static uint64_t count_call(struct fault_actor *actor, const char *verb, const char *socket)
{
    for (size_t i = 0; i < actor->tally_count; i++) {
        struct fault_tally *tally = &actor->tallies[i];
        if (strcmp(tally->verb, verb) == 0 && strcmp(tally->socket, socket) == 0) {
            return ++tally->count;
        }
    }
    struct fault_tally *grown = realloc(actor->tallies,
                                        (actor->tally_count + 1) * sizeof *actor->tallies);
    assert(grown != NULL);
    actor->tallies = grown;
    struct fault_tally *tally = &grown[actor->tally_count++];
    *tally = (struct fault_tally){.verb = verb, .count = 1};
    snprintf(tally->socket, sizeof tally->socket, "%s", socket);
    return 1;
}

static bool rule_is_for(const struct fault_rule *rule, const struct fault_actor *actor,
                        const char *socket, const char *verb, uint64_t of_verb, uint64_t of_socket)
{
    if (rule->actor[0] == '@' ? strcmp(rule->actor + 1, actor->host) != 0
                              : strcmp(rule->actor, "*") != 0 && strcmp(rule->actor, actor->name)) {
        return false;
    }
    if (strcmp(rule->verb, "*") == 0 ? !fault_effect_suits(rule->effect, verb)
                                     : strcmp(rule->verb, verb) != 0) {
        return false;
    }
    if (rule->socket[0] != 0 && strcmp(rule->socket, socket) != 0) {
        return false;
    }
    uint64_t ordinal = rule->socket[0] != 0 ? of_socket : of_verb;
    return ordinal >= rule->first && ordinal <= rule->last && (ordinal - rule->first) % rule->step == 0;
}

static struct fault_rule *choose_rule(struct fault_actor *actor, const char *verb, int fd)
{
    const char *socket = name_of(actor, fd);
    uint64_t of_verb = count_call(actor, verb, "");
    uint64_t of_socket = socket[0] != 0 ? count_call(actor, verb, socket) : 0;
    for (struct fault_rule *rule = actor->plan->first; rule != NULL; rule = rule->next) {
        if (!rule_is_for(rule, actor, socket, verb, of_verb, of_socket)) {
            continue;
        }
        if (!actor->plan->chance(actor->plan->chance_state, rule->chance_ppm)) {
            continue;
        }
        return rule;
    }
    return NULL;
}

static void delay(struct fault_actor *actor, uint64_t ns)
{
    struct timespec rest = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (actor->inner.system->clock_nanosleep(actor->inner, CLOCK_MONOTONIC, 0, &rest, &rest) ==
           -EINTR) {
        continue;
    }
}

void fault_call_begins(struct fault_actor *actor, const char *verb, int fd)
{
    if (actor->depth++ > 0) {
        return;
    }
    if (actor->inner.system->call_begin != NULL) {
        actor->inner.system->call_begin(actor->inner, verb, fd);
    }
    if (actor->plan->first == NULL) {
        return;
    }
    actor->rule = choose_rule(actor, verb, fd);
    actor->spent = false;
    actor->interrupt_next = false;
    actor->verb_seams = fault_seams_of_verb(verb);
    memset(actor->seam_counts, 0, sizeof actor->seam_counts);
    if (actor->rule != NULL && actor->rule->effect == FAULT_DELAY &&
        actor->rule->seam == FAULT_SEAM_NONE) {
        /* Before the library computes its deadline: the call begins later, it is not shortened. */
        actor->spent = true;
        actor->rule->fired++;
        delay(actor, actor->rule->amount);
    }
    if (actor->rule != NULL && actor->rule->effect == FAULT_SIGNAL_DURING &&
        actor->inner.system->interrupt_after != NULL) {
        actor->armed = actor->inner.system->interrupt_after(actor->inner, actor->rule->amount) == 0;
    }
}

void fault_call_ends(struct fault_actor *actor)
{
    assert(actor->depth > 0);
    if (--actor->depth > 0) {
        return;
    }
    if (actor->armed && actor->inner.system->cancel_interrupt(actor->inner) == 1) {
        actor->rule->fired++;
    }
    actor->armed = false;
    actor->rule = NULL;
    actor->interrupt_next = false;
    if (actor->inner.system->call_end != NULL) {
        actor->inner.system->call_end(actor->inner);
    }
}

/* ---- applying it -------------------------------------------------------------------------- */

/* Whether the rule's effect belongs to this seam call. */
static bool applies(struct fault_actor *actor, enum fault_seam seam)
{
    const struct fault_rule *rule = actor->rule;
    uint32_t count = ++actor->seam_counts[seam];
    if (rule == NULL || actor->spent || rule->effect == FAULT_SIGNAL_DURING) {
        return false;
    }
    if (rule->seam != FAULT_SEAM_NONE) {
        return seam == rule->seam && count == rule->seam_ordinal;
    }
    if (rule->effect == FAULT_SIGNAL_BEFORE && seam == FAULT_SEAM_POLL) {
        return true;
    }
    return (actor->verb_seams >> seam & 1) != 0;
}

int fault_before(struct fault_actor *actor, enum fault_seam seam, size_t *length)
{
    if (actor->interrupt_next) {
        actor->interrupt_next = false;
        return -EINTR;
    }
    if (!applies(actor, seam)) {
        return 0;
    }
    struct fault_rule *rule = actor->rule;
    actor->spent = rule->effect != FAULT_BYTES || rule->seam != FAULT_SEAM_NONE;
    switch (rule->effect) {
    case FAULT_ERRNO:
        rule->fired++;
        return -(int)rule->amount;
    case FAULT_BYTES:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            rule->fired++;
        }
        return 0;
    case FAULT_DELAY:
        rule->fired++;
        delay(actor, rule->amount);
        return 0;
    case FAULT_SIGNAL_BEFORE:
        rule->fired++;
        return -EINTR;
    case FAULT_SIGNAL_AFTER:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            rule->fired++;
            actor->interrupt_next = true;
        }
        return 0;
    case FAULT_SIGNAL_DURING:
        break;
    }
    return 0;
}
