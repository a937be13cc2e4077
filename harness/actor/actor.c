/* Runs one actor's steps: evaluates each, has it judged, records it; closes what is left open.
 * SPDX-License-Identifier: MIT */
#include "actor.h"
#include "language/constant.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language/print.h"
#include "language/value.h"
#include "verbs.h"

/* ---- steps ---------------------------------------------------------------------------------- */

static uint64_t now(const struct actor *actor)
{
    return dry_now() - actor->origin;
}

static enum step_status run_call(struct actor *actor, const struct step *step,
                                 struct judgement *judgement, struct trace_step *trace)
{
    struct value value;
    int status = actor_evaluate(actor, step->expression, &value);
    trace->ended_ns = now(actor);
    if (status == 0 && step->target != NULL) {
        status = actor_bind_target(actor, step->target, &value);
    }
    if (status == 0) {
        return actor_judge_value(actor, &step->expect, &value, judgement);
    }
    trace->detail = arena_text(&actor->arena, actor->raised->message);
    return actor_judge_raise(actor, &step->expect, actor->raised, judgement);
}

static enum step_status run_sync(struct actor *actor, const struct step *step, struct trace_step *trace)
{
    int sync = scenario_find_sync(actor->scenario, step->sync);
    int status = actor->ops->sync(actor, (uint32_t)sync);
    trace->ended_ns = now(actor);
    if (status == 0) {
        return STEP_OK;
    }
    trace->detail = "another actor of this sync has stopped";
    return STEP_ABANDONED;
}

/* The text in the arena, and its own memory given back. */
static const char *keep(struct actor *actor, struct text *text)
{
    const char *kept = text->length > 0 ? arena_text(&actor->arena, text->bytes) : "";
    text_free(text);
    return kept;
}

static bool run_step(struct actor *actor, const struct step *step)
{
    struct judgement judgement = {0};
    struct trace_step trace = {.text = step->text, .line = step->at.line, .detail = ""};

    trace.started_ns = now(actor);
    actor->current_started_ns = trace.started_ns;
    actor->current = step;
    trace.status = step->kind == STEP_SYNC ? run_sync(actor, step, &trace)
                                           : run_call(actor, step, &judgement, &trace);
    /* In the arena: a fiber may be given up inside emit. */
    trace.outcome = keep(actor, &judgement.outcome);
    trace.stated = keep(actor, &judgement.stated);
    if (judgement.detail.length > 0) {
        trace.detail = keep(actor, &judgement.detail);
    }
    text_free(&judgement.detail);
    actor->current = NULL;
    actor->ops->emit(actor, step->index, &trace);
    return trace.status != STEP_RAISED && trace.status != STEP_ABANDONED;
}

/* As the end of a process closes what it left open, oldest first. */
static void close_objects(struct actor *actor)
{
    struct object *oldest = NULL;
    for (struct object *object = actor->objects; object != NULL;) {
        struct object *next = object->next;
        object->next = oldest;
        oldest = object;
        object = next;
    }
    actor->objects = NULL;
    for (struct object *object = oldest; object != NULL; object = object->next) {
        struct dry_caller caller = dry_current_caller();
        if (object->kind == OBJECT_SOCKET) {
            dry_close(object->socket);
        } else if (object->kind == OBJECT_FILE && !object->closed) {
            fclose(object->file);
        } else if (object->kind == OBJECT_EPOLL && !object->closed) {
            caller.system->close(caller, object->descriptor);
        }
    }
}

int actor_interrupted(void *actor)
{
    struct actor *self = actor;
    self->interruptions++;
    return self->stops_on_signal;
}

void actor_run(struct actor *actor)
{
    dry_set_interrupt_check(actor_interrupted, actor);
    actor->raised = arena_take(&actor->arena, sizeof *actor->raised);
    actor->luck = (struct luck_names){.arena = &actor->arena, .scenario = actor->scenario};
    actor->state = ACTOR_RUNS;
    for (uint32_t i = 0; i < actor->lines->step_count; i++) {
        if (!run_step(actor, &actor->lines->steps[i])) {
            actor->state = ACTOR_STOPPED;
            break;
        }
    }
    /* First the sockets: who waits for this actor's bytes must see the end of them. */
    close_objects(actor);
    if (actor->state == ACTOR_RUNS) {
        actor->state = ACTOR_ENDED;
    } else {
        actor->ops->stopped(actor);
    }
}

void actor_abandon(struct actor *actor)
{
    close_objects(actor);
}

void actor_finish(struct actor *actor)
{
    arena_free(&actor->arena);
    actor->bindings = NULL;
    actor->luck = (struct luck_names){0};
    actor->objects = NULL;
    actor->raised = NULL;
}

const struct step *actor_running(const struct actor *actor, uint64_t *since_ns)
{
    for (;;) {
        const struct step *step = actor->current;
        *since_ns = actor->current_started_ns;
        if (step == actor->current) {
            return step; /* no other began between the two looks: the instant is this one's */
        }
    }
}

void actor_describe(const struct actor *actor, char *text, size_t bytes)
{
    uint64_t since_ns;
    const struct step *step = actor_running(actor, &since_ns);
    char since[32];
    scenario_time_print(since_ns, since);
    if (step != NULL) {
        snprintf(text, bytes, "%s:%u: %s waits in %s since %s", actor->scenario->path, step->at.line,
                 actor->lines->name, step->text, since);
    } else {
        snprintf(text, bytes, "%s:%u: %s %s", actor->scenario->path, actor->lines->at.line,
                 actor->lines->name,
                 actor->state == ACTOR_WAITS_TO_START ? "has not started"
                 : actor->state == ACTOR_RUNS         ? "runs"
                 : actor->state == ACTOR_ENDED        ? "has ended"
                                                      : "has stopped");
    }
}
