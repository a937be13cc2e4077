/* Questions about a scenario: who is where, what is a time, what a signal is called.
 * SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking -------------------------------------------------------------------------------- */

int scenario_find_host(const struct scenario *scenario, const char *name, size_t length)
{
    for (uint32_t i = 0; i < scenario->host_count; i++) {
        if (strlen(scenario->hosts[i].name) == length &&
            memcmp(scenario->hosts[i].name, name, length) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int scenario_find_actor(const struct scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        if (strcmp(scenario->actors[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int scenario_find_sync(const struct scenario *scenario, const char *name)
{
    for (uint32_t i = 0; i < scenario->sync_count; i++) {
        if (strcmp(scenario->syncs[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool scenario_writes_number(const struct scenario *scenario, int64_t number)
{
    for (uint32_t i = 0; i < scenario->number_count; i++) {
        if (scenario->numbers[i] == number) {
            return true;
        }
    }
    return false;
}

const char *scenario_file_of(const struct scenario *scenario, struct source_at at)
{
    return at.file != NULL ? at.file : scenario->path;
}

bool expression_is_part(const struct expression *expression)
{
    return expression->kind == EXPRESSION_CALL &&
           (strcmp(expression->text, "prefix") == 0 || strcmp(expression->text, "suffix") == 0 ||
            strcmp(expression->text, "contains") == 0);
}

bool scenario_runs_on(const struct scenario *scenario, const char *system)
{
    return scenario->only == NULL || strcmp(scenario->only, system) == 0;
}

int scenario_signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGALRM", SIGALRM}, {"SIGURG", SIGURG},
        {"SIGIO", SIGIO},     {"SIGHUP", SIGHUP},   {"SIGCHLD", SIGCHLD}, {"SIGWINCH", SIGWINCH},
    };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(signals[i].name, name) == 0) {
            return signals[i].number;
        }
    }
    return 0;
}

void scenario_add_localhost(struct scenario *scenario)
{
    scenario->hosts = arena_grow(&scenario->arena, scenario->hosts, 0, sizeof *scenario->hosts);
    scenario->hosts[scenario->host_count++] = (struct scenario_host){.name = "localhost",
                                                                     .addresses = ""};
}

/* ---- times ---------------------------------------------------------------------------------- */

static const struct {
    const char *unit;
    uint64_t ns;
} time_units[] = {
    {"h", 3600000000000}, {"min", 60000000000}, {"s", 1000000000},
    {"ms", 1000000},      {"us", 1000},         {"ns", 1},
};

void scenario_time_print(uint64_t ns, char text[32])
{
    size_t u = 2; /* seconds and below: 90s reads better than 1.5min */
    while (u < 5 && ns < time_units[u].ns) {
        u++;
    }
    uint64_t unit = time_units[u].ns;
    /* 1500ms rather than 1.5s would be as right; one form for each time keeps files stable. */
    uint64_t whole = ns / unit, part = ns % unit;
    int count = snprintf(text, 32, "%llu", (unsigned long long)whole);
    if (part != 0) {
        text[count++] = '.';
        for (uint64_t digit = unit / 10; part != 0; digit /= 10) {
            text[count++] = (char)('0' + part / digit);
            part %= digit;
        }
    }
    snprintf(text + count, (size_t)(32 - count), "%s", ns == 0 ? "s" : time_units[u].unit);
    if (ns == 0) {
        snprintf(text, 32, "0");
    }
}

/* ---- its end, and what is wrong with it -------------------------------------------------------- */

void scenario_free(struct scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    struct arena arena = scenario->arena;
    free(scenario);
    arena_free(&arena);
}

void diagnostic_print(const struct diagnostic *wrong)
{
    const char *path = wrong->at.file != NULL ? wrong->at.file : wrong->path;
    if (wrong->at.line == 0) {
        fprintf(stderr, "%s: %s\n", path, wrong->message);
    } else {
        fprintf(stderr, "%s:%u:%u: %s\n", path, wrong->at.line, wrong->at.column, wrong->message);
    }
}

void diagnostics_print(const struct diagnostics *wrong)
{
    for (uint32_t i = 0; i < wrong->count; i++) {
        diagnostic_print(&wrong->list[i]);
    }
    if (wrong->more > 0) {
        fprintf(stderr, "%s: and %u more\n", wrong->list[0].path, wrong->more);
    }
}

void diagnostics_free(struct diagnostics *wrong)
{
    arena_free(&wrong->arena);
    *wrong = (struct diagnostics){0};
}
