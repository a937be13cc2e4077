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

static_assert(sizeof(struct fault_past) <= FAULT_CELL_BYTES, "an actor is larger than a cell");

/* ---- an actor ----------------------------------------------------------------------------- */

static void *cell_at(const struct fault_actor *actor, uint32_t cell)
{
    return actor->plan->store.at(actor->plan->store.memory, cell);
}

static uint32_t take_cell(const struct fault_actor *actor)
{
    return actor->plan->store.take(actor->plan->store.memory);
}

static void give_cell(const struct fault_actor *actor, uint32_t cell)
{
    actor->plan->store.give(actor->plan->store.memory, cell);
}

/* The actor's own cell. */
static bool make_past(struct fault_actor *actor, const char *host, const char *name)
{
    actor->cell = take_cell(actor);
    if (actor->cell == 0) {
        return false;
    }
    struct fault_past *past = fault_past_of(actor);
    snprintf(past->host, sizeof past->host, "%s", host);
    snprintf(past->name, sizeof past->name, "%s", name);
    return true;
}

struct fault_actor *fault_actor_new(struct sim_fault_plan *plan, struct dry_caller inner,
                                    const char *host, const char *name)
{
    struct fault_actor *actor = calloc(1, sizeof *actor);
    if (actor == NULL) {
        return NULL;
    }
    actor->plan = plan;
    actor->inner = inner;
    if (!make_past(actor, host, name)) {
        free(actor);
        return NULL;
    }
    actor->next = plan->actors;
    plan->actors = actor;
    return actor;
}

/* Lists begin with the number of the next cell. */
static void give_list(const struct fault_actor *actor, uint32_t cell)
{
    while (cell != 0) {
        const uint32_t next = *(const uint32_t *)cell_at(actor, cell);
        give_cell(actor, cell);
        cell = next;
    }
}

/* ---- actors of programs: several threads, one count ------------------------------------------- */

static_assert(sizeof(struct fault_actor) <= FAULT_ACTOR_BYTES, "a handle is larger than its room");

struct fault_actor *fault_actor_in(void *memory, struct sim_fault_plan *plan, struct dry_caller inner,
                                   const char *host, const char *name, uint32_t counts)
{
    struct fault_actor *actor = memory;
    *actor = (struct fault_actor){.plan = plan, .inner = inner};
    if (!make_past(actor, host, name)) {
        return NULL;
    }
    fault_past_of(actor)->counted_in = counts;
    return actor;
}

static void give_past(const struct fault_actor *actor)
{
    give_list(actor, fault_past_of(actor)->tallies);
    give_list(actor, fault_past_of(actor)->known);
    give_cell(actor, actor->cell);
}

void fault_actor_forget(const void *memory)
{
    give_past(memory);
}

uint32_t fault_counts_new(struct sim_fault_plan *plan)
{
    return plan->store.take(plan->store.memory);
}

void fault_counts_end(struct sim_fault_plan *plan, uint32_t counts)
{
    const struct fault_actor actor = {.plan = plan, .cell = counts};
    give_past(&actor);
}

void fault_end(struct sim_fault_plan *plan, struct dry_caller caller)
{
    struct fault_actor **link = &plan->actors;
    while (*link != NULL && *link != caller.world) {
        link = &(*link)->next;
    }
    struct fault_actor *actor = *link;
    if (actor != NULL) {
        *link = actor->next;
        give_past(actor);
        free(actor);
    }
}

void fault_forget_name(struct fault_actor *actor, int fd)
{
    for (uint32_t *link = &fault_past_of(actor)->known; *link != 0;) {
        const struct fault_known *known = cell_at(actor, *link);
        if (known->fd == fd) {
            const uint32_t gone = *link;
            *link = known->next;
            give_cell(actor, gone);
            return;
        }
        link = &((struct fault_known *)cell_at(actor, *link))->next;
    }
}

void fault_know_name(struct fault_actor *actor, int fd, const char *name)
{
    fault_forget_name(actor, fd);
    const uint32_t cell = take_cell(actor);
    if (cell == 0) {
        return; /* without its name only rules that name it are lost, and they are told as unused */
    }
    struct fault_known *known = cell_at(actor, cell);
    known->fd = fd;
    snprintf(known->name, sizeof known->name, "%s", name);
    known->next = fault_past_of(actor)->known;
    fault_past_of(actor)->known = cell;
}

/* ---- choosing the rule -------------------------------------------------------------------- */

static const char *name_of(const struct fault_actor *actor, int fd)
{
    for (uint32_t cell = fault_past_of(actor)->known; cell != 0;) {
        const struct fault_known *known = cell_at(actor, cell);
        if (known->fd == fd) {
            return known->name;
        }
        cell = known->next;
    }
    return "";
}

static uint64_t count_call(struct fault_actor *actor, const char *verb, const char *socket)
{
    struct fault_past *past = fault_past_of(actor);
    if (past->counted_in != 0) {
        past = cell_at(actor, past->counted_in);
    }
    uint32_t *link = &past->tallies;
    while (*link != 0) {
        struct fault_tally *tally = cell_at(actor, *link);
        if (strcmp(tally->verb, verb) == 0 && strcmp(tally->socket, socket) == 0) {
            return ++tally->count;
        }
        link = &tally->next;
    }
    const uint32_t cell = take_cell(actor);
    if (cell == 0) {
        return 0; /* no rule counts to 0 */
    }
    *link = cell;
    struct fault_tally *tally = cell_at(actor, cell);
    tally->count = 1;
    snprintf(tally->verb, sizeof tally->verb, "%s", verb);
    snprintf(tally->socket, sizeof tally->socket, "%s", socket);
    return 1;
}

static bool is_used_up(const struct fault_rule *rule)
{
    return rule->times != 0 && rule->calls >= rule->times;
}

static bool rule_is_for(const struct fault_rule *rule, const struct fault_past *actor,
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
    if (is_used_up(rule)) {
        return false;
    }
    uint64_t ordinal = rule->socket[0] != 0 ? of_socket : of_verb;
    return ordinal >= rule->first && ordinal <= rule->last && (ordinal - rule->first) % rule->step == 0;
}

static uint32_t choose_rule(struct fault_actor *actor, const char *verb, int fd)
{
    const struct sim_fault_plan *plan = actor->plan;
    const char *socket = name_of(actor, fd);
    uint64_t of_verb = count_call(actor, verb, "");
    uint64_t of_socket = socket[0] != 0 ? count_call(actor, verb, socket) : 0;
    for (uint32_t cell = fault_root_of(plan)->first_rule; cell != 0;) {
        const struct fault_rule *rule = fault_rule_at(plan, cell);
        if (rule_is_for(rule, fault_past_of(actor), socket, verb, of_verb, of_socket) &&
            plan->chance(fault_root_of(plan)->chance, rule->chance_ppm)) {
            return cell;
        }
        cell = rule->next;
    }
    return 0;
}

/* The effect takes place. */
static void fire(struct fault_past *past, struct fault_rule *rule)
{
    rule->fired++;
    rule->calls += past->fired == 0;
    past->fired = 1;
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
    struct fault_past *past = fault_past_of(actor);
    if (past->depth++ > 0) {
        return;
    }
    if (actor->inner.system->call_begin != NULL) {
        actor->inner.system->call_begin(actor->inner, verb, fd);
    }
    if (fault_root_of(actor->plan)->rule_count == 0) {
        return;
    }
    past->rule = choose_rule(actor, verb, fd);
    past->spent = false;
    past->fired = 0;
    past->interrupt_next = false;
    past->verb_seams = fault_seams_of_verb(verb);
    memset(past->seam_counts, 0, sizeof past->seam_counts);
    struct fault_rule *rule = fault_chosen(actor);
    if (rule != NULL && rule->effect == FAULT_DELAY && rule->seam == FAULT_SEAM_NONE) {
        /* Before the library computes its deadline: the call begins later, it is not shortened. */
        past->spent = true;
        fire(past, rule);
        delay(actor, rule->amount);
    }
    if (rule != NULL && rule->effect == FAULT_SIGNAL_DURING &&
        actor->inner.system->interrupt_after != NULL) {
        past->armed = actor->inner.system->interrupt_after(actor->inner, rule->amount) == 0;
    }
}

void fault_call_ends(struct fault_actor *actor)
{
    struct fault_past *past = fault_past_of(actor);
    assert(past->depth > 0);
    if (--past->depth > 0) {
        return;
    }
    if (past->armed && actor->inner.system->cancel_interrupt(actor->inner) == 1) {
        fire(past, fault_chosen(actor));
    }
    past->armed = false;
    past->rule = 0;
    past->interrupt_next = false;
    if (actor->inner.system->call_end != NULL) {
        actor->inner.system->call_end(actor->inner);
    }
}

/* ---- applying it -------------------------------------------------------------------------- */

/* Whether the rule's effect belongs to this seam call. */
static bool applies(struct fault_actor *actor, enum fault_seam seam)
{
    struct fault_past *past = fault_past_of(actor);
    const struct fault_rule *rule = fault_chosen(actor);
    uint32_t count = ++past->seam_counts[seam];
    if (rule == NULL || past->spent || rule->effect == FAULT_SIGNAL_DURING) {
        return false;
    }
    if (is_used_up(rule) && past->fired == 0) {
        return false; /* by calls that were under way beside this one */
    }
    if (rule->seam != FAULT_SEAM_NONE) {
        return seam == rule->seam && count == rule->seam_ordinal;
    }
    if (rule->effect == FAULT_GAI) {
        return seam == FAULT_SEAM_NAMES;
    }
    if (rule->effect == FAULT_SIGNAL_BEFORE && seam == FAULT_SEAM_POLL) {
        return true;
    }
    return (past->verb_seams >> seam & 1) != 0;
}

int fault_before(struct fault_actor *actor, enum fault_seam seam, size_t *length)
{
    struct fault_past *past = fault_past_of(actor);
    if (past->interrupt_next) {
        past->interrupt_next = false;
        return -EINTR;
    }
    if (!applies(actor, seam)) {
        return 0;
    }
    struct fault_rule *rule = fault_chosen(actor);
    past->spent = rule->effect != FAULT_BYTES || rule->seam != FAULT_SEAM_NONE;
    switch (rule->effect) {
    case FAULT_ERRNO:
    case FAULT_GAI:
        fire(past, rule);
        return -(int)rule->amount;
    case FAULT_BYTES:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            fire(past, rule);
        }
        return 0;
    case FAULT_DELAY:
        fire(past, rule);
        delay(actor, rule->amount);
        return 0;
    case FAULT_SIGNAL_BEFORE:
        fire(past, rule);
        return -EINTR;
    case FAULT_SIGNAL_AFTER:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            fire(past, rule);
            past->interrupt_next = true;
        }
        return 0;
    case FAULT_SIGNAL_DURING:
        break;
    }
    return 0;
}
