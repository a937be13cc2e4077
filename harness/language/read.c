/* Reads a scenario file line by line: head lines, sections, steps; then has the whole checked.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

enum {
    FILE_BYTES = 1 << 20, /* of one scenario */
};

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
