/* `drysock sweep`: every applicable fault at every call of a scenario, and many seeds.
 * SPDX-License-Identifier: MIT
 *
 * A signal that the library must absorb (PEP 475) may not change any outcome. Every other fault may;
 * then only a crash, a failed run or a broken invariant counts. */
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

static void aim(struct sweep *sweep, const struct actor_lines *actor, const char *verb,
                uint32_t ordinal, const struct effect *effect)
{
    char why[WHY_BYTES] = "", *text = NULL;
    bool absorbed = effect->absorbed && !stops_on_signal(actor);
    if (asprintf(&text, "fault %s %s#%u %s\n%s", actor->name, verb, ordinal, effect->effect,
                 sweep->text) < 0) {
        return;
    }
    enum isolated result = command_isolated(sweep->options, sweep->scenario->path, text, sweep->base,
                                            why, sizeof why);
    sweep->runs++;
    sweep->same += result == ISOLATED_AS_STATED;
    sweep->other += result == ISOLATED_OTHER;
    sweep->stuck += result == ISOLATED_STUCK;
    sweep->unused += result == ISOLATED_UNUSED;
    /* LINUX: where a connect() that was cut short fails in the end, a next one on the same socket says
     * ECONNABORTED. */
    if (strncmp(verb, "connect", 7) == 0 && strstr(why, "OSError(ECONNABORTED)") != NULL) {
        absorbed = false;
    }
    bool bad = result == ISOLATED_CRASHED || result == ISOLATED_FAILED || result == ISOLATED_WRONG ||
               (absorbed && (result == ISOLATED_OTHER || result == ISOLATED_STUCK));
    if (bad) {
        sweep->bad++;
        progress_hide();
        printf("%s: fault %s %s#%u %s: %s\n", sweep->scenario->path, actor->name, verb, ordinal,
               effect->effect, why);
    }
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

static void visit(struct sweep *sweep, const struct actor_lines *actor,
                  const struct expression *expression, struct counted *counted, uint32_t *kinds,
                  struct arena *arena)
{
    if (expression == NULL || command_stop) {
        return;
    }
    visit(sweep, actor, expression->left, counted, kinds, arena);
    for (uint32_t i = 0; i < expression->count; i++) {
        visit(sweep, actor, expression->items[i], counted, kinds, arena);
    }
    if (expression->kind != EXPRESSION_CALL && expression->kind != EXPRESSION_METHOD) {
        return;
    }
    uint32_t k = 0;
    while (k < *kinds && strcmp(counted[k].verb, expression->text) != 0) {
        k++;
    }
    if (k == *kinds) {
        counted[(*kinds)++] = (struct counted){expression->text, 0};
    }
    aim_all(sweep, actor, expression->text, ++counted[k].count);
}

static void sweep_actor(struct sweep *sweep, const struct actor_lines *actor)
{
    struct arena arena = {0};
    /* At most as many kinds of call as the steps can hold. */
    struct counted *counted = arena_take(&arena,
                                         (size_t)(actor->step_count + 1) * 16 * sizeof *counted);
    uint32_t kinds = 0;

    for (uint32_t i = 0; i < actor->step_count && !command_stop && kinds < actor->step_count * 16;
         i++) {
        visit(sweep, actor, actor->steps[i].expression, counted, &kinds, &arena);
    }
    arena_free(&arena);
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
        sweep->runs++;
        sweep->same += result == ISOLATED_AS_STATED;
        if (result == ISOLATED_AS_STATED) {
            continue;
        }
        sweep->bad++;
        progress_hide();
        printf("%s: --seed %u --schedule %u: %s\n", sweep->scenario->path, seed, seed - 1, why);
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

int command_sweep(const struct options *options, struct files *files)
{
    uint32_t bad = 0;
    for (uint32_t i = 0; i < files->count && !command_stop; i++) {
        struct sweep sweep = {.options = options, .scenario = files->list[i]};

        progress_show(i, files->count, files->list[i]->path);
        if (!scenario_runs_on(sweep.scenario, "world")) {
            continue;
        }
        sweep_one(&sweep);
        progress_hide();
        printf("%s: %u runs: %u the same, %u other outcomes, %u wait for ever, %u not applicable, "
               "%u wrong\n",
               sweep.scenario->path, sweep.runs, sweep.same, sweep.other, sweep.stuck, sweep.unused,
               sweep.bad);
        bad += sweep.bad;
    }
    return bad > 0 || command_stop ? EXIT_DIFFER : EXIT_AGREE;
}
