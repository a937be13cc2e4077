/* Reads a scenario file line by line and answers questions about it.
 * SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

enum {
    FILE_BYTES = 1 << 20, /* of one scenario */
};

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

/* Whole arithmetic, so that a time written is the time meant. */
int scenario_time_parse(const char *text, size_t length, uint64_t *ns)
{
    uint64_t whole = 0, part = 0, scale = 1;
    size_t i = 0;

    for (; i < length && isdigit((unsigned char)text[i]); i++) {
        if (whole > 1000000000000) {
            return -1;
        }
        whole = whole * 10 + (uint64_t)(text[i] - '0');
    }
    if (i == 0) {
        return -1;
    }
    if (i < length && text[i] == '.') {
        for (i++; i < length && isdigit((unsigned char)text[i]); i++) {
            if (scale >= 1000000000) {
                return -1;
            }
            part = part * 10 + (uint64_t)(text[i] - '0');
            scale *= 10;
        }
    }
    for (size_t u = 0; u < sizeof time_units / sizeof *time_units; u++) {
        uint64_t unit = time_units[u].ns;

        if (strlen(time_units[u].unit) != length - i ||
            memcmp(time_units[u].unit, text + i, length - i) != 0) {
            continue;
        }
        if (whole > UINT64_MAX / 4 / unit || part > UINT64_MAX / unit || part * unit % scale != 0) {
            return -1;
        }
        *ns = whole * unit + part * unit / scale;
        return 0;
    }
    return -1;
}

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

/* ---- reading -------------------------------------------------------------------------------- */

static void add_line(struct scenario *scenario, struct scenario_file_line line)
{
    scenario->lines = arena_grow(&scenario->arena, scenario->lines, scenario->line_count,
                                 sizeof *scenario->lines);
    scenario->lines[scenario->line_count++] = line;
}

static struct actor_lines *add_actor(struct scenario *scenario)
{
    scenario->actors = arena_grow(&scenario->arena, scenario->actors, scenario->actor_count,
                                  sizeof *scenario->actors);
    struct actor_lines *actor = &scenario->actors[scenario->actor_count++];
    *actor = (struct actor_lines){.host = UINT32_MAX};
    return actor;
}

/* [NAME] or [NAME on HOST]. */
static int read_section(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    struct lexer *lexer = &parser->lexer;
    struct token open, name, word, host = {0};

    if (lexer_next(lexer, &open) != 0 || lexer_next(lexer, &name) != 0 ||
        lexer_next(lexer, &word) != 0) {
        return -1;
    }
    if (name.kind != TOKEN_NAME) {
        return parser_wrong(parser, name.at, "expected the actor's name behind '['");
    }
    struct actor_lines *actor = add_actor(scenario);
    actor->at = open.at;
    actor->name = arena_copy(&scenario->arena, name.text, name.length);
    if (scenario_find_actor(scenario, actor->name) != (int)scenario->actor_count - 1) {
        return parser_wrong(parser, name.at,
                            "there is an actor \"%s\" already: give this one another "
                            "name",
                            actor->name);
    }
    if (token_is(&word, "on")) {
        size_t begin = lexer->offset;

        if (lexer_next(lexer, &host) != 0) {
            return -1;
        }
        /* A host's name may hold '-', which is a mark to the lexer. */
        begin = host.at.column - 1;
        size_t end = begin;
        while (end < lexer->length && lexer->line[end] != ']' &&
               !isspace((unsigned char)lexer->line[end])) {
            end++;
        }
        int found = scenario_find_host(scenario, lexer->line + begin, end - begin);
        if (found < 0) {
            return parser_wrong(parser, host.at,
                                "there is no host \"%.*s\": name one in a host line "
                                "above",
                                (int)(end - begin), lexer->line + begin);
        }
        actor->host = (uint32_t)found;
        actor->host_written = true;
        lexer->offset = end;
        if (lexer_next(lexer, &word) != 0) {
            return -1;
        }
    }
    if (!token_is(&word, "]")) {
        return parser_wrong(parser, word.at,
                            "expected ']' here: a section is [NAME] or "
                            "[NAME on HOST]");
    }
    if (lexer_next(lexer, &word) != 0) {
        return -1;
    }
    if (word.kind != TOKEN_END) {
        return parser_wrong(parser, word.at, "expected the end of the line behind ']'");
    }
    return 0;
}

static int read_step(struct parser *parser, struct scenario_file_line *line)
{
    struct scenario *scenario = parser->scenario;
    struct actor_lines *actor = &scenario->actors[scenario->actor_count - 1];

    actor->steps = arena_grow(&scenario->arena, actor->steps, actor->step_count, sizeof *actor->steps);
    struct step *step = &actor->steps[actor->step_count];
    *step = (struct step){.index = actor->step_count};
    line->kind = LINE_STEP;
    line->actor = scenario->actor_count - 1;
    line->step = actor->step_count;
    if (parser_begin(parser) != 0 || parser_step(parser, step) != 0) {
        return -1;
    }
    actor->step_count++;
    return 0;
}

static int read_line(struct parser *parser, const char *text, size_t length)
{
    struct scenario *scenario = parser->scenario;
    struct scenario_file_line line = {.kind = LINE_BLANK};
    size_t code = lexer_comment(text, length);

    if (memchr(text, 0, length) != NULL) {
        return parser_wrong(parser, (struct source_at){parser->lexer.number, 1},
                            "the line holds a NUL byte: write \\x00 inside a string");
    }
    if (code < length) {
        line.comment = arena_copy(&scenario->arena, text + code, length - code);
    }
    while (code > 0 && isspace((unsigned char)text[code - 1])) {
        code--;
    }
    size_t begin = 0;
    while (begin < code && isspace((unsigned char)text[begin])) {
        begin++;
    }
    parser->lexer.line = text;
    parser->lexer.length = code;
    parser->lexer.offset = begin;
    int status = 0;
    if (code == 0) {
        if (line.comment != NULL) {
            line.kind = LINE_COMMENT;
            line.text = line.comment;
            line.comment = NULL;
            if (*scenario->title == 0) {
                scenario->title = line.text + 1;
                while (*scenario->title == ' ') {
                    scenario->title++;
                }
            }
        }
    } else if (text[begin] == '[' && begin == 0) {
        line.kind = LINE_SECTION;
        status = read_section(parser);
        line.actor = scenario->actor_count - 1;
    } else if (scenario->actor_count == 0) {
        line.kind = LINE_HEAD;
        status = parser_head(parser, &line.text);
    } else {
        status = read_step(parser, &line);
    }
    add_line(scenario, line);
    return status;
}

static int read_lines(struct parser *parser, const char *text, size_t length)
{
    size_t begin = 0;

    while (begin < length) {
        const char *newline = memchr(text + begin, '\n', length - begin);
        size_t end = newline != NULL ? (size_t)(newline - text) : length;
        size_t trimmed = end;

        while (trimmed > begin && isspace((unsigned char)text[trimmed - 1])) {
            trimmed--;
        }
        parser->lexer.number++;
        if (read_line(parser, text + begin, trimmed - begin) != 0) {
            return -1;
        }
        begin = end + 1;
    }
    return 0;
}

int scenario_parse(const char *path, const char *text, size_t length, struct scenario **scenario,
                   struct diagnostic *wrong)
{
    struct scenario *made = calloc(1, sizeof *made);
    struct parser parser = {.scenario = made};

    made->path = arena_text(&made->arena, path);
    made->title = "";
    *wrong = (struct diagnostic){.path = path};
    parser.lexer.arena = &made->arena;
    parser.lexer.wrong = wrong;
    if (read_lines(&parser, text, length) != 0 || scenario_check(&parser) != 0) {
        scenario_free(made);
        *scenario = NULL;
        return -1;
    }
    *scenario = made;
    return 0;
}

int scenario_read(const char *path, struct scenario **scenario, struct diagnostic *wrong)
{
    FILE *file = fopen(path, "rb");
    int status = -1;

    *wrong = (struct diagnostic){.path = path};
    *scenario = NULL;
    char *text = malloc(FILE_BYTES + 1);
    size_t length = file != NULL ? fread(text, 1, FILE_BYTES + 1, file) : 0;
    if (file == NULL || ferror(file)) {
        snprintf(wrong->message, sizeof wrong->message, "the file cannot be read: %s", strerror(errno));
    } else if (length > FILE_BYTES) {
        snprintf(wrong->message, sizeof wrong->message,
                 "the file is longer than %d bytes: a scenario shows one thing", FILE_BYTES);
    } else {
        status = scenario_parse(path, text, length, scenario, wrong);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(text);
    return status;
}

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
    if (wrong->at.line == 0) {
        fprintf(stderr, "%s: %s\n", wrong->path, wrong->message);
    } else {
        fprintf(stderr, "%s:%u:%u: %s\n", wrong->path, wrong->at.line, wrong->at.column,
                wrong->message);
    }
}
