/* `drysock sweep`: every applicable fault at every call of a scenario, and many seeds.
 * SPDX-License-Identifier: MIT
 *
 * A signal that the library must absorb (PEP 475) may not change any outcome. Every other fault may;
 * then a run that waits for ever, spins, crashes or fails is a finding. Each is told as the line that
 * shows it: pasted into the file's head it does so again. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

struct effect {
    const char *verbs; /* blank-separated; the effect applies to these */
    const char *effect;
    bool absorbed; /* outcomes must stay */
};

static const struct effect effects[] = {
    {"connect connect_ex accept recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into send "
     "sendall sendto sendmsg poll sleep create_connection",
     "signal before", true},
    {"connect accept recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into sendall poll sleep",
     "signal during=1ms", true},
    {"sendall send sendto sendmsg recv recv_into recvfrom recvmsg", "bytes=1", false},
    {"connect connect_ex create_connection", "errno=ECONNREFUSED", false},
    {"connect connect_ex create_connection", "errno=ETIMEDOUT", false},
    {"connect connect_ex create_connection", "errno=EHOSTUNREACH", false},
    {"connect connect_ex create_connection", "errno=EADDRNOTAVAIL", false},
    {"accept", "errno=ECONNABORTED", false},
    {"accept socket dup socketpair", "errno=EMFILE", false},
    {"accept socket", "errno=ENFILE", false},
    {"send sendall sendto sendmsg", "errno=ECONNRESET", false},
    {"send sendall sendto sendmsg", "errno=EPIPE", false},
    {"send sendall sendto sendmsg", "errno=ENOBUFS", false},
    {"recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into", "errno=ECONNRESET", false},
    {"recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into", "errno=ETIMEDOUT", false},
    {"bind", "errno=EADDRINUSE", false},
    {"bind", "errno=EADDRNOTAVAIL", false},
    {"listen", "errno=EADDRINUSE", false},
    {"poll", "errno=ENOMEM", false},
    {"setsockopt getsockopt", "errno=ENOPROTOOPT", false},
    {"close shutdown", "errno=EIO", false},
    {"connect accept recv send sendall poll", "delay=1s", false},
};
enum { EFFECTS = sizeof effects / sizeof *effects, WHY_BYTES = 512 };

struct sweep {
    const struct options *options;
    const struct scenario *scenario;
    const struct trace *base;
    char *text;
    uint32_t runs, same, other, stuck, unused, bad;
    struct counted *counted; /* calls of the actor at hand, by verb */
    uint32_t kinds;
    struct arena arena;
};

static bool names_verb(const char *verbs, const char *verb)
{
    size_t length = strlen(verb);
    for (const char *at = verbs; (at = strstr(at, verb)) != NULL; at += length) {
        if ((at == verbs || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0)) {
            return true;
        }
    }
    return false;
}

/* A handler that raises is meant to change outcomes. */
static bool stops_on_signal(const struct actor_lines *actor)
{
    for (uint32_t i = 0; i < actor->step_count; i++) {
        if (strstr(actor->steps[i].text, "on_signal(STOP)") != NULL) {
            return true;
        }
    }
    return false;
}

/* What a run shows that nobody wants; NULL: nothing. */
static const char *finding_of(enum isolated result, bool absorbed)
{
    switch (result) {
    case ISOLATED_STUCK:
        return "hangs";
    case ISOLATED_SPINS:
        return "spins";
    case ISOLATED_CRASHED:
        return "crashes";
    case ISOLATED_FAILED:
    case ISOLATED_WRONG:
        return "fails";
    case ISOLATED_OTHER:
        return absorbed ? "changes an outcome" : NULL;
    default:
        return NULL;
    }
}

/* line: what to paste or to add to the command. One line of text or JSON. */
static void tell(struct sweep *sweep, const char *line, const char *finding, char *why)
{
    sweep->bad++;
    progress_hide();
    for (char *at = why; *at != 0; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
    if (sweep->options->format != REPORT_JSON) {
        printf("%s  # %s: %s: %s\n", line, sweep->scenario->path, finding, why);
        return;
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "scenario", sweep->scenario->path, "line", line,
                               "finding", finding, "why", why);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    printf("%s\n", text != NULL ? text : "{}");
    free(text);
    json_decref(object);
}

static void count_result(struct sweep *sweep, enum isolated result)
{
    sweep->runs++;
    sweep->same += result == ISOLATED_AS_STATED;
    sweep->other += result == ISOLATED_OTHER;
    sweep->stuck += result == ISOLATED_STUCK;
    sweep->unused += result == ISOLATED_UNUSED;
}

static void aim(struct sweep *sweep, const struct actor_lines *actor, const char *verb,
                uint32_t ordinal, const struct effect *effect)
{
    char why[WHY_BYTES] = "", *line = NULL, *text = NULL;
    bool absorbed = effect->absorbed && !stops_on_signal(actor);
    if (asprintf(&line, "fault %s %s#%u %s", actor->name, verb, ordinal, effect->effect) < 0) {
        return;
    }
    if (asprintf(&text, "%s\n%s", line, sweep->text) < 0) {
        free(line);
        return;
    }
    enum isolated result = command_isolated(sweep->options, sweep->scenario->path, text, sweep->base,
                                            why, sizeof why);
    count_result(sweep, result);
    /* LINUX: where a connect() that was cut short fails in the end, a next one on the same socket says
     * ECONNABORTED. */
    if (strncmp(verb, "connect", 7) == 0 && strstr(why, "OSError(ECONNABORTED)") != NULL) {
        absorbed = false;
    }
    const char *finding = finding_of(result, absorbed);
    if (finding != NULL) {
        tell(sweep, line, finding, why);
    }
    free(line);
    free(text);
}

static void aim_all(struct sweep *sweep, const struct actor_lines *actor, const char *verb,
                    uint32_t ordinal)
{
    for (size_t i = 0; i < EFFECTS && !command_stop; i++) {
        if (names_verb(effects[i].verbs, verb)) {
            aim(sweep, actor, verb, ordinal, &effects[i]);
        }
    }
}

/* ---- every call ----------------------------------------------------------------------------- */

struct counted {
    const char *verb;
    uint32_t count;
};

static void count_call(struct sweep *sweep, const struct actor_lines *actor, const char *verb)
{
    uint32_t k = 0;
    while (k < sweep->kinds && strcmp(sweep->counted[k].verb, verb) != 0) {
        k++;
    }
    if (k == sweep->kinds) {
        sweep->counted = arena_grow(&sweep->arena, sweep->counted, sweep->kinds,
                                    sizeof *sweep->counted);
        sweep->counted[sweep->kinds++] = (struct counted){verb, 0};
    }
    aim_all(sweep, actor, verb, ++sweep->counted[k].count);
}

static void visit(struct sweep *sweep, const struct actor_lines *actor,
                  const struct expression *expression)
{
    if (expression == NULL || command_stop) {
        return;
    }
    visit(sweep, actor, expression->left);
    for (uint32_t i = 0; i < expression->count; i++) {
        visit(sweep, actor, expression->items[i]);
    }
    if (expression->kind == EXPRESSION_CALL || expression->kind == EXPRESSION_METHOD) {
        count_call(sweep, actor, expression->text);
    }
}

static void sweep_actor(struct sweep *sweep, const struct actor_lines *actor)
{
    sweep->counted = NULL;
    sweep->kinds = 0;
    for (uint32_t i = 0; i < actor->step_count && !command_stop; i++) {
        visit(sweep, actor, actor->steps[i].expression);
    }
    arena_free(&sweep->arena);
    sweep->arena = (struct arena){0};
}

/* ---- every seed ----------------------------------------------------------------------------- */

enum { DEFAULT_SEEDS = 8 };

static void sweep_seeds(struct sweep *sweep)
{
    uint32_t seeds = sweep->options->seeds > 0 ? sweep->options->seeds : DEFAULT_SEEDS;
    for (uint32_t seed = 1; seed <= seeds && !command_stop; seed++) {
        struct options options = *sweep->options;
        char why[WHY_BYTES] = "";
        options.seed = seed;
        options.schedule = seed - 1;
        enum isolated result = command_isolated(&options, sweep->scenario->path, sweep->text, NULL, why,
                                                sizeof why);
        count_result(sweep, result);
        const char *finding = finding_of(result, true);
        if (finding != NULL) {
            char line[64];
            snprintf(line, sizeof line, "--seed %u --schedule %u", seed, seed - 1);
            tell(sweep, line, finding, why);
        }
    }
}

static void sweep_one(struct sweep *sweep)
{
    size_t length;
    sweep->text = files_text(sweep->scenario->path, &length);
    struct trace *base = command_world(sweep->options, sweep->scenario);
    sweep->base = base;
    if (sweep->text != NULL && base->end == TRACE_DONE) {
        for (uint32_t a = 0; a < sweep->scenario->actor_count && !command_stop; a++) {
            sweep_actor(sweep, &sweep->scenario->actors[a]);
        }
        sweep_seeds(sweep);
    }
    trace_free(base);
    free(sweep->text);
}

static void tell_sum(const struct sweep *sweep)
{
    if (sweep->options->format != REPORT_JSON) {
        printf("%s: %u runs: %u the same, %u other outcomes, %u wait for ever, %u not applicable, "
               "%u found\n",
               sweep->scenario->path, sweep->runs, sweep->same, sweep->other, sweep->stuck,
               sweep->unused, sweep->bad);
        return;
    }
    json_t *object = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "scenario", sweep->scenario->path,
                               "runs", (int)sweep->runs, "same", (int)sweep->same, "other",
                               (int)sweep->other, "stuck", (int)sweep->stuck, "unused",
                               (int)sweep->unused, "found", (int)sweep->bad);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    printf("%s\n", text != NULL ? text : "{}");
    free(text);
    json_decref(object);
}

int command_sweep(const struct options *options, struct files *files)
{
    uint32_t bad = 0;
    if (options->format == REPORT_TAP || options->format == REPORT_JUNIT) {
        fprintf(stderr, "drysock: sweep tells in --format text or json\n");
        return EXIT_WRONG;
    }
    for (uint32_t i = 0; i < files->count && !command_stop; i++) {
        struct sweep sweep = {.options = options, .scenario = files->list[i]};

        progress_show(i, files->count, files->list[i]->path);
        if (!scenario_runs_on(sweep.scenario, "world")) {
            continue;
        }
        sweep_one(&sweep);
        progress_hide();
        tell_sum(&sweep);
        bad += sweep.bad;
    }
    return bad > 0 || command_stop ? EXIT_DIFFER : EXIT_AGREE;
}
