/* Checks what only a whole scenario shows: hosts of actors, syncs, names, calls.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "constant.h"
#include "parser.h"
#include "sim/fault/fault.h"
#include "suggest.h"
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

/* ---- did you mean --------------------------------------------------------------------------- */

static int wrong_name(struct parser *parser, const struct names *names,
                      const struct expression *expression)
{
    struct suggestion nearest = {.word = expression->text, .length = strlen(expression->text)};
    char question[SUGGEST_BYTES + 24];
    for (uint32_t i = 0; i < names->count; i++) {
        suggest_offer(&nearest, names->bound[i]);
    }
    constant_offer(&nearest);
    return parser_wrong(parser, expression->at,
                        "\"%.80s\" is neither bound above nor a constant of the socket module%s",
                        expression->text, suggest_question(&nearest, question));
}

/* A function, method or attribute that is none. What is of another of these kinds, too, says so. */
static int wrong_verb(struct parser *parser, const struct expression *call, const char *kind)
{
    struct suggestion nearest = {.word = call->text, .length = strlen(call->text)};
    char question[SUGGEST_BYTES + 24];
    bool function = *kind == 'f', attribute = *kind == 'a';
    for (size_t t = 0; verb_tables[t] != NULL; t++) {
        for (const struct verb *verb = verb_tables[t]; verb->name != NULL; verb++) {
            if (function == (verb->on == VERB_FUNCTION) && attribute == (verb->on == VERB_ATTRIBUTE)) {
                suggest_offer(&nearest, verb->name);
            }
        }
    }
    const char *meant = suggest_question(&nearest, question);
    if (attribute) {
        return parser_wrong(parser, call->at,
                            "nothing has an attribute \"%.80s\"%s: a method needs its parentheses",
                            call->text, meant);
    }
    bool other = function ? verb_is_method(call->text, false)
                          : verb_find(VERB_FUNCTION, call->text) != NULL;
    return parser_wrong(parser, call->at, "there is no %s \"%.80s\"%s: %s", kind, call->text, meant,
                        !other     ? "docs/language.md lists them"
                        : function ? "it is a method, written behind an object and a point"
                                   : "it is a function, written without the object");
}

static int wrong_actor(struct parser *parser, struct source_at at, const char *name, size_t length,
                       const char *why)
{
    struct suggestion nearest = {.word = name, .length = length};
    char question[SUGGEST_BYTES + 24];
    for (uint32_t i = 0; i < parser->scenario->actor_count; i++) {
        suggest_offer(&nearest, parser->scenario->actors[i].name);
    }
    return parser_wrong(parser, at, "there is no actor \"%.*s\"%s%s", (int)(length < 80 ? length : 80),
                        name, suggest_question(&nearest, question), why);
}

int parser_no_host(struct parser *parser, struct source_at at, const char *name, size_t length)
{
    struct suggestion nearest = {.word = name, .length = length};
    char question[SUGGEST_BYTES + 24];
    for (uint32_t i = 0; i < parser->scenario->host_count; i++) {
        suggest_offer(&nearest, parser->scenario->hosts[i].name);
    }
    return parser_wrong(parser, at, "there is no host \"%.*s\"%s: name one in a host line above",
                        (int)(length < 80 ? length : 80), name, suggest_question(&nearest, question));
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
            return wrong_verb(parser, call, "attribute");
        }
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct verb *verb = verb_find(kinds[i], call->text);
        found += verb != NULL;
        only = verb != NULL ? verb : only;
    }
    if (found == 0) {
        return wrong_verb(parser, call, "method");
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
            return wrong_name(parser, names, expression);
        }
        bind_name(parser, captures, expression->text);
        return 0;
    case EXPRESSION_CALL:
        expression->verb = verb_find(VERB_FUNCTION, expression->text);
        if (expression->verb == NULL) {
            return wrong_verb(parser, expression, "function");
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

static void check_steps(struct parser *parser, struct actor_lines *actor)
{
    struct names names = {0};

    for (uint32_t i = 0; i < parser->lost_count; i++) {
        if (&parser->scenario->actors[parser->lost[i].actor] == actor) {
            bind_name(parser, &names, parser->lost[i].name);
        }
    }
    for (uint32_t i = 0; i < actor->step_count; i++) {
        struct step *step = &actor->steps[i];
        if (step->kind == STEP_SYNC || (i > 0 && step->at.line == actor->steps[i - 1].at.line)) {
            continue; /* a line that repeats is checked once */
        }
        check_expression(parser, &names, (struct expression *)step->expression, NULL);
        if (step->target != NULL) {
            bind_targets(parser, &names, step->target);
        }
        check_expression(parser, &names, (struct expression *)step->expect.pattern, &names);
    }
}

/* ---- the file ------------------------------------------------------------------------------- */

static void check_host_of(struct parser *parser, struct actor_lines *actor)
{
    struct scenario *scenario = parser->scenario;
    if (actor->host_written) {
        return;
    }
    int named = scenario_find_host(scenario, actor->name, strlen(actor->name));
    if (named < 0 && scenario->host_count > 1 && !parser->head_is_wrong) {
        parser_wrong(parser, actor->at, "no host is named \"%s\": write [%s on HOST]", actor->name,
                     actor->name);
    }
    actor->host = named < 0 ? 0 : (uint32_t)named;
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

static void check_signals(struct parser *parser)
{
    for (uint32_t i = 0; i < parser->pending_count; i++) {
        int actor = scenario_find_actor(parser->scenario, parser->pending[i].actor);
        if (actor < 0) {
            wrong_actor(parser, parser->pending[i].at, parser->pending[i].actor,
                        strlen(parser->pending[i].actor), ": a signal goes to one");
            continue;
        }
        parser->scenario->events[parser->pending[i].event].actor = (uint32_t)actor;
    }
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
static void check_fault_names(struct parser *parser)
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
            check_fault_socket(parser, line, name);
            continue;
        }
        if (*who == '@') {
            parser_no_host(parser, line->at, who + 1, length - 1);
        } else {
            wrong_actor(parser, line->at, who, length, ": a fault names an actor, @HOST or *");
        }
    }
}

/* The file's place of a byte of a line whose words are joined by single blanks. */
static struct source_at place_in(const struct scenario_line *line, size_t offset)
{
    uint32_t word = 0;
    size_t begin = 0;
    for (size_t i = 0; i < offset && line->text[i] != 0; i++) {
        if (line->text[i] == ' ' && word + 1 < line->place_count) {
            word++;
            begin = i + 1;
        }
    }
    struct source_at at = line->places[word];
    at.column += (uint32_t)(offset - begin);
    return at;
}

/* The word of the line at this byte: a call or the name of an errno that the plan does not know. */
static const char *meant_in_fault(const char *text, char question[SUGGEST_BYTES + 24])
{
    const char *value = strchr(text, '=');
    struct suggestion nearest = {.word = text, .length = strcspn(text, " #./")};
    if (value != NULL && value < text + strcspn(text, " ")) {
        nearest.word = value + 1;
        nearest.length = strcspn(value + 1, " ");
        constant_offer(&nearest);
    } else {
        const char *name;
        for (size_t i = 0; (name = fault_verb_name(i)) != NULL; i++) {
            suggest_offer(&nearest, name);
        }
    }
    /* What is right already is wrong for another reason. */
    if (nearest.best != NULL && strlen(nearest.best) == nearest.length &&
        memcmp(nearest.best, nearest.word, nearest.length) == 0) {
        nearest.best = NULL;
    }
    return suggest_question(&nearest, question);
}

static void check_fault_rules(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    struct sim_fault_plan *plan = sim_fault_plan_create(0);
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_line *line = &scenario->faults[i];
        char message[DIAGNOSTIC_BYTES - SUGGEST_BYTES - 24], question[SUGGEST_BYTES + 24];
        size_t column = 0;
        if (sim_fault_plan_add(plan, line->text, message, sizeof message, &column) > 0) {
            continue;
        }
        parser_wrong(parser, place_in(line, column), "%s%s", message,
                     meant_in_fault(line->text + column, question));
    }
    sim_fault_plan_destroy(plan);
}

/* Syncs, signals and names of faults need every actor's lines: where some could not be read, these
 * would be wrong for that. */
int scenario_check(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    const struct diagnostics *wrong = parser->lexer.wrong;
    if (scenario->actor_count == 0) {
        return wrong->count > 0
                   ? -1
                   : parser_wrong(parser,
                                  (struct source_at){
                                      parser->lexer.number > 0 ? parser->lexer.number : 1, 1, NULL},
                                  "the file has no actor: begin one with [NAME]");
    }
    if (scenario->host_count == 0) {
        scenario_add_localhost(scenario);
    }
    bool whole = wrong->count == 0;
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        check_host_of(parser, &scenario->actors[i]);
        check_steps(parser, &scenario->actors[i]);
    }
    if (whole) {
        check_syncs(parser);
        check_signals(parser);
        check_fault_names(parser);
    }
    check_fault_rules(parser);
    return wrong->count > 0 ? -1 : 0;
}
