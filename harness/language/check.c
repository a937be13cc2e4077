/* Checks what only a whole scenario shows: hosts of actors, syncs, names, calls.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "constant.h"
#include "parser.h"
#include "verb.h"

struct names {
    const char **bound;
    uint32_t count;
};

static bool is_bound(const struct names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->bound[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void bind_name(struct parser *parser, struct names *names, const char *name)
{
    if (is_bound(names, name)) {
        return;
    }
    names->bound = arena_grow(&parser->scenario->arena, names->bound, names->count, sizeof(char *));
    names->bound[names->count++] = name;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int check_arguments(struct parser *parser, const struct verb *verb,
                           const struct expression *call)
{
    uint32_t required, filled = 0;
    uint32_t parameters = verb_parameters(verb, &required);
    for (uint32_t i = 0; i < call->count; i++) {
        int at = verb_parameter(verb, i, call->keywords[i]);
        if (at < 0 && call->keywords[i] != NULL) {
            return parser_wrong(parser, call->items[i]->at,
                                "%s() has no argument \"%s\": it takes "
                                "(%s)",
                                verb->name, call->keywords[i], verb->parameters);
        }
        if (at < 0 || at >= VERB_ARGUMENTS) {
            return parser_wrong(parser, call->items[i]->at, "%s() takes at most %u arguments: (%s)",
                                verb->name, parameters, verb->parameters);
        }
        if ((filled >> at & 1) != 0 && call->keywords[i] != NULL) {
            return parser_wrong(parser, call->items[i]->at, "%s() is given \"%s\" twice", verb->name,
                                call->keywords[i]);
        }
        filled |= 1u << at;
    }
    for (uint32_t i = 0; i < required; i++) {
        size_t length;
        const char *name = verb_parameter_name(verb, i, &length);
        if ((filled >> i & 1) == 0 && name[length - 1] != '?') {
            return parser_wrong(parser, call->at, "%s() needs its argument \"%.*s\": it takes (%s)",
                                verb->name, (int)length, name, verb->parameters);
        }
    }
    return 0;
}

static int check_method(struct parser *parser, const struct expression *call)
{
    static const enum verb_on kinds[] = {VERB_SOCKET, VERB_FILE, VERB_EPOLL};
    const struct verb *only = NULL;
    uint32_t found = 0;

    if (call->integer == 1) {
        if (!verb_is_method(call->text, true)) {
            return parser_wrong(parser, call->at,
                                "nothing has an attribute \"%s\": a method needs "
                                "its parentheses",
                                call->text);
        }
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct verb *verb = verb_find(kinds[i], call->text);
        found += verb != NULL;
        only = verb != NULL ? verb : only;
    }
    if (found == 0) {
        return parser_wrong(parser, call->at, "there is no method \"%s\": docs/language.md lists them",
                            call->text);
    }
    /* A name that several kinds of object have is checked when it runs. */
    return found == 1 ? check_arguments(parser, only, call) : 0;
}

/* ---- expressions ---------------------------------------------------------------------------- */

static int check_expression(struct parser *parser, const struct names *names,
                            struct expression *expression, struct names *captures)
{
    int64_t number;
    if (expression == NULL) {
        return 0;
    }
    switch (expression->kind) {
    case EXPRESSION_ANY:
        if (captures == NULL) {
            return parser_wrong(parser, expression->at,
                                "'_' stands for any value and is allowed only behind '->'");
        }
        return 0;
    case EXPRESSION_NAME:
        if (is_bound(names, expression->text) || constant_number(expression->text, &number) == 0) {
            return 0;
        }
        if (captures == NULL) {
            return parser_wrong(parser, expression->at,
                                "\"%s\" is neither bound above nor a "
                                "constant of the socket module",
                                expression->text);
        }
        bind_name(parser, captures, expression->text);
        return 0;
    case EXPRESSION_CALL:
        expression->verb = verb_find(VERB_FUNCTION, expression->text);
        if (expression->verb == NULL) {
            return parser_wrong(parser, expression->at,
                                "there is no function \"%s\": "
                                "docs/language.md lists them",
                                expression->text);
        }
        if (check_arguments(parser, expression->verb, expression) != 0) {
            return -1;
        }
        break;
    case EXPRESSION_METHOD:
        if (check_method(parser, expression) != 0) {
            return -1;
        }
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < expression->count; i++) {
        if (check_expression(parser, names, expression->items[i], captures) != 0) {
            return -1;
        }
    }
    if (check_expression(parser, names, expression->left, captures) != 0 ||
        check_expression(parser, names, expression->right, captures) != 0) {
        return -1;
    }
    return check_expression(parser, names, expression->third, captures);
}

static void bind_targets(struct parser *parser, struct names *names, const struct expression *target)
{
    if (target->kind == EXPRESSION_NAME) {
        bind_name(parser, names, target->text);
    } else if (target->kind == EXPRESSION_GROUP) {
        bind_targets(parser, names, target->left);
    }
    for (uint32_t i = 0; target->kind == EXPRESSION_TUPLE && i < target->count; i++) {
        bind_targets(parser, names, target->items[i]);
    }
}

static int check_steps(struct parser *parser, struct actor_lines *actor)
{
    struct names names = {0};

    for (uint32_t i = 0; i < actor->step_count; i++) {
        struct step *step = &actor->steps[i];
        if (step->kind == STEP_SYNC) {
            continue;
        }
        if (check_expression(parser, &names, (struct expression *)step->expression, NULL) != 0) {
            return -1;
        }
        if (step->target != NULL) {
            bind_targets(parser, &names, step->target);
        }
        if (check_expression(parser, &names, (struct expression *)step->expect.pattern, &names) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the file ------------------------------------------------------------------------------- */

static int check_host_of(struct parser *parser, struct actor_lines *actor)
{
    struct scenario *scenario = parser->scenario;
    if (actor->host_written) {
        return 0;
    }
    int named = scenario_find_host(scenario, actor->name, strlen(actor->name));
    if (named < 0 && scenario->host_count > 1) {
        return parser_wrong(parser, actor->at, "no host is named \"%s\": write [%s on HOST]",
                            actor->name, actor->name);
    }
    actor->host = named < 0 ? 0 : (uint32_t)named;
    return 0;
}

static int check_syncs(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        const struct actor_lines *actor = &scenario->actors[a];
        for (uint32_t i = 0; i < actor->step_count; i++) {
            if (actor->steps[i].kind != STEP_SYNC) {
                continue;
            }
            for (uint32_t j = 0; j < i; j++) {
                if (actor->steps[j].kind == STEP_SYNC &&
                    strcmp(actor->steps[j].sync, actor->steps[i].sync) == 0) {
                    return parser_wrong(parser, actor->steps[i].at,
                                        "this actor names sync \"%s\" "
                                        "already: each meeting needs its own name",
                                        actor->steps[i].sync);
                }
            }
            int found = scenario_find_sync(scenario, actor->steps[i].sync);
            if (found < 0) {
                scenario->syncs = arena_grow(&scenario->arena, scenario->syncs, scenario->sync_count,
                                             sizeof *scenario->syncs);
                found = (int)scenario->sync_count++;
                scenario->syncs[found] = (struct scenario_sync){.name = actor->steps[i].sync};
            }
            scenario->syncs[found].actors++;
        }
    }
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        const struct actor_lines *actor = &scenario->actors[a];
        for (uint32_t i = 0; i < actor->step_count; i++) {
            if (actor->steps[i].kind == STEP_SYNC &&
                scenario->syncs[scenario_find_sync(scenario, actor->steps[i].sync)].actors < 2) {
                return parser_wrong(parser, actor->steps[i].at,
                                    "only this actor names sync \"%s\": "
                                    "add it to the actor it waits for",
                                    actor->steps[i].sync);
            }
        }
    }
    return 0;
}

static int check_signals(struct parser *parser)
{
    for (uint32_t i = 0; i < parser->pending_count; i++) {
        int actor = scenario_find_actor(parser->scenario, parser->pending[i].actor);
        if (actor < 0) {
            return parser_wrong(parser, parser->pending[i].at, "there is no actor \"%s\"",
                                parser->pending[i].actor);
        }
        parser->scenario->events[parser->pending[i].event].actor = (uint32_t)actor;
    }
    return 0;
}

static bool target_has(const struct expression *target, const char *name, size_t length)
{
    if (target == NULL) {
        return false;
    }
    if (target->kind == EXPRESSION_NAME) {
        return strlen(target->text) == length && memcmp(target->text, name, length) == 0;
    }
    if (target->kind == EXPRESSION_GROUP) {
        return target_has(target->left, name, length);
    }
    for (uint32_t i = 0; target->kind == EXPRESSION_TUPLE && i < target->count; i++) {
        if (target_has(target->items[i], name, length)) {
            return true;
        }
    }
    return false;
}

/* A socket's name in a fault that none of its actors ever binds: the rule could never fire. */
static int check_fault_socket(struct parser *parser, const struct scenario_line *line, const char *who)
{
    const struct scenario *scenario = parser->scenario;
    const char *call = line->text + strlen(who);
    call += strspn(call, " ");
    size_t length = strcspn(call, ". ");
    if (call[length] != '.' || memchr(call, '#', length) != NULL) {
        return 0;
    }
    for (uint32_t a = 0; a < scenario->actor_count; a++) {
        const struct actor_lines *actor = &scenario->actors[a];
        if (strcmp(who, "*") != 0 && *who != '@' && strcmp(who, actor->name) != 0) {
            continue;
        }
        for (uint32_t i = 0; i < actor->step_count; i++) {
            if (target_has(actor->steps[i].target, call, length)) {
                return 0;
            }
        }
    }
    return parser_wrong(parser, line->at, "%s binds the name \"%.*s\", so this fault can never fire",
                        *who == '*' || *who == '@' ? "no actor" : "that actor never", (int)length,
                        call);
}

/* The fault's first word is an actor, `*` or `@HOST`; the rest is the fault plan's own language. */
static int check_fault_names(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_line *line = &scenario->faults[i];
        const char *who = line->text;
        size_t length = strcspn(who, " ");
        char name[64] = "";
        if (length < sizeof name) {
            memcpy(name, who, length);
        }
        if (strcmp(name, "*") == 0 ||
            (*name == '@' && scenario_find_host(scenario, name + 1, length - 1) >= 0) ||
            scenario_find_actor(scenario, name) >= 0) {
            if (check_fault_socket(parser, line, name) != 0) {
                return -1;
            }
            continue;
        }
        return parser_wrong(parser, line->at,
                            "there is no actor \"%.*s\": a fault names an actor, "
                            "@HOST or *",
                            (int)length, who);
    }
    return 0;
}

static int check_fault_rules(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    struct sim_fault_plan *plan = sim_fault_plan_create(0);
    int status = 0;
    for (uint32_t i = 0; i < scenario->fault_count && status == 0; i++) {
        char message[DIAGNOSTIC_BYTES];
        size_t column = 0;
        struct source_at at = scenario->faults[i].at;
        if (sim_fault_plan_add(plan, scenario->faults[i].text, message, sizeof message, &column) > 0) {
            continue;
        }
        at.column += (uint32_t)column; /* right when the words have one blank between each two */
        status = parser_wrong(parser, at, "%s", message);
    }
    sim_fault_plan_destroy(plan);
    return status;
}

int scenario_check(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    if (scenario->actor_count == 0) {
        return parser_wrong(parser,
                            (struct source_at){parser->lexer.number > 0 ? parser->lexer.number : 1, 1},
                            "the file has no actor: begin one with [NAME]");
    }
    if (scenario->host_count == 0) {
        scenario_add_localhost(scenario);
    }
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        if (check_host_of(parser, &scenario->actors[i]) != 0 ||
            check_steps(parser, &scenario->actors[i]) != 0) {
            return -1;
        }
    }
    if (check_syncs(parser) != 0 || check_signals(parser) != 0) {
        return -1;
    }
    return check_fault_names(parser) != 0 ? -1 : check_fault_rules(parser);
}
