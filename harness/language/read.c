/* Reads a scenario file line by line: head lines, sections, steps; then has the whole checked.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser.h"

enum {
    FILE_BYTES = 1 << 20, /* of one scenario */
    MOST_INCLUDES = 8,
    MOST_STEPS = 100000, /* of one actor, repeated lines as often as they repeat */
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
    /* Host 0 until its own is known: what follows is read even where the section's line is wrong. */
    *actor = (struct actor_lines){.name = "", .host_written = true};
    return actor;
}

/* [NAME] or [NAME on HOST]. */
static int read_section(struct parser *parser)
{
    struct scenario *scenario = parser->scenario;
    struct lexer *lexer = &parser->lexer;
    struct token open, name, word, host = {0};
    struct actor_lines *actor = add_actor(scenario);

    if (lexer_next(lexer, &open) != 0 || lexer_next(lexer, &name) != 0 ||
        lexer_next(lexer, &word) != 0) {
        return -1;
    }
    if (name.kind != TOKEN_NAME) {
        return parser_wrong(parser, name.at, "expected the actor's name behind '['");
    }
    actor->at = open.at;
    const char *called = arena_copy(&scenario->arena, name.text, name.length);
    if (scenario_find_actor(scenario, called) >= 0) {
        return parser_wrong(parser, name.at,
                            "there is an actor \"%s\" already: give this one another "
                            "name",
                            called);
    }
    actor->name = called;
    actor->host_written = false;
    if (token_is(&word, "on")) {
        actor->host_written = true;
        while (lexer->offset < lexer->length && isspace((unsigned char)lexer->line[lexer->offset])) {
            lexer->offset++;
        }
        /* A host's name may hold '-', which is a mark to the lexer. */
        size_t begin = lexer->offset, end = begin;
        if (lexer_next(lexer, &host) != 0) {
            return -1;
        }
        while (end < lexer->length && lexer->line[end] != ']' &&
               !isspace((unsigned char)lexer->line[end])) {
            end++;
        }
        int found = scenario_find_host(scenario, lexer->line + begin, end - begin);
        if (found < 0) {
            return parser_no_host(parser, host.at, lexer->line + begin, end - begin);
        }
        actor->host = (uint32_t)found;
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
    uint32_t repeat = step->repeat > 0 ? step->repeat : 1;
    if (actor->step_count + repeat > MOST_STEPS) {
        return parser_wrong(parser, step->at, "an actor has at most %d steps", MOST_STEPS);
    }
    actor->step_count++;
    for (uint32_t i = 1; i < repeat; i++) {
        actor->steps = arena_grow(&scenario->arena, actor->steps, actor->step_count,
                                  sizeof *actor->steps);
        actor->steps[actor->step_count] = actor->steps[line->step];
        actor->steps[actor->step_count].index = actor->step_count;
        actor->steps[actor->step_count].repeat = 0;
        actor->step_count++;
    }
    return 0;
}

/* A line's place among those that are printed back; included ones are not. */
static void keep_line(struct parser *parser, struct scenario_file_line line)
{
    if (parser->include_depth == 0) {
        add_line(parser->scenario, line);
    }
}

static void take_title(struct parser *parser, const char *comment)
{
    struct scenario *scenario = parser->scenario;
    if (*scenario->title == 0 && parser->include_depth == 0) {
        scenario->title = comment + 1;
        while (*scenario->title == ' ') {
            scenario->title++;
        }
    }
}

static int read_included(struct parser *parser, const char *name, struct source_at at);

/* What stands before the comment: a section, a head line or a step. */
static int read_code(struct parser *parser, struct scenario_file_line *line)
{
    struct scenario *scenario = parser->scenario;
    int status;
    if (parser->lexer.line[parser->lexer.offset] == '[' && parser->lexer.offset == 0) {
        line->kind = LINE_SECTION;
        if (parser->include_depth > 0) {
            return parser_wrong(parser, (struct source_at){parser->lexer.number, 1, parser->lexer.file},
                                "an included file holds head lines only: keep the actors in the "
                                "scenario");
        }
        status = read_section(parser);
        line->actor = scenario->actor_count - 1;
        return status;
    }
    if (scenario->actor_count == 0) {
        line->kind = LINE_HEAD;
        parser->include = NULL;
        status = parser_head(parser, &line->text);
        if (status == 0 && parser->include != NULL) {
            status = read_included(parser, parser->include, parser->include_at);
        }
        parser->head_is_wrong |= status != 0;
        return status;
    }
    return read_step(parser, line);
}

static int read_line(struct parser *parser, const char *text, size_t length)
{
    struct scenario *scenario = parser->scenario;
    struct scenario_file_line line = {.kind = LINE_BLANK, .continued = parser->lexer.piece_count > 0};
    size_t code = lexer_comment(text, length);

    if (memchr(text, 0, length) != NULL) {
        return parser_wrong(parser, (struct source_at){parser->lexer.number, 1, parser->lexer.file},
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
    if (code > 0) {
        status = read_code(parser, &line);
    } else if (line.comment != NULL) {
        line.kind = LINE_COMMENT;
        line.text = line.comment;
        line.comment = NULL;
        take_title(parser, line.text);
    }
    keep_line(parser, line);
    return status;
}

/* Whatever looks like a name on a line of the last actor that could not be read. */
static void lose_names(struct parser *parser, const char *text, size_t length)
{
    struct arena *arena = &parser->scenario->arena;
    for (size_t i = 0; i < length && parser->scenario->actor_count > 0;) {
        size_t begin = i;
        while (i < length && (isalnum((unsigned char)text[i]) || text[i] == '_')) {
            i++;
        }
        if (i > begin && !isdigit((unsigned char)text[begin])) {
            parser->lost = arena_grow(arena, parser->lost, parser->lost_count, sizeof *parser->lost);
            parser->lost[parser->lost_count++] = (struct lost_name){
                parser->scenario->actor_count - 1, arena_copy(arena, text + begin, i - begin)};
        }
        i += i == begin;
    }
}

/* ---- lines ---------------------------------------------------------------------------------- */

struct source {
    const char *text;
    size_t length, offset;
};

/* The next line of the file without the blanks at its end. */
static const char *next_line(struct parser *parser, struct source *source, size_t *length)
{
    const char *line = source->text + source->offset;
    size_t room = source->length - source->offset;
    const char *newline = memchr(line, '\n', room);
    *length = newline != NULL ? (size_t)(newline - line) : room;
    source->offset += *length + (newline != NULL);
    while (*length > 0 && isspace((unsigned char)line[*length - 1])) {
        (*length)--;
    }
    parser->lexer.number++;
    return line;
}

/* A line that goes on in the next ones: all of them as one, a blank between each two, and where each
 * piece came from. */
static int join_lines(struct parser *parser, struct source *source, const char **line, size_t *length)
{
    struct arena *arena = &parser->scenario->arena;
    struct lexer_piece *pieces = NULL;
    uint32_t count = 0, column = 0;
    struct text text = {0};
    const char *piece = *line;
    size_t piece_length = *length;
    for (bool more = true; more;) {
        more = lexer_goes_on(piece, piece_length);
        size_t kept = piece_length - more;
        while (kept > 0 && isspace((unsigned char)piece[kept - 1])) {
            kept--;
        }
        pieces = arena_grow(arena, pieces, count, sizeof *pieces);
        pieces[count++] = (struct lexer_piece){text.length, parser->lexer.number, column};
        text_add_bytes(&text, piece, kept);
        if (more && source->offset >= source->length) {
            text_free(&text);
            return parser_wrong(parser,
                                (struct source_at){parser->lexer.number,
                                                   column + (uint32_t)piece_length, parser->lexer.file},
                                "the file ends here, and '\\' says that the line goes on: remove it");
        }
        if (more) {
            text_add(&text, " ");
            piece = next_line(parser, source, &piece_length);
            for (column = 0; column < piece_length && isspace((unsigned char)*piece); column++) {
                piece++;
            }
            piece_length -= column;
        }
    }
    *line = arena_copy(arena, text.bytes, text.length);
    *length = text.length;
    text_free(&text);
    parser->lexer.pieces = pieces;
    parser->lexer.piece_count = count;
    return 0;
}

/* All lines, also behind a wrong one. */
static int read_lines(struct parser *parser, const char *text, size_t length)
{
    struct source source = {text, length, 0};
    int status = 0;
    while (source.offset < length) {
        size_t line_length;
        const char *line = next_line(parser, &source, &line_length);
        int one = 0;
        parser->lexer.pieces = NULL;
        parser->lexer.piece_count = 0;
        if (lexer_goes_on(line, line_length)) {
            one = join_lines(parser, &source, &line, &line_length);
        }
        if (one != 0 || read_line(parser, line, line_length) != 0) {
            lose_names(parser, line, line_length);
            status = -1;
        }
    }
    return status;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* The text of a file; NULL, and why in message. */
static char *read_text(const char *path, size_t *length, char message[DIAGNOSTIC_BYTES])
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    char *text = malloc(FILE_BYTES + 1);
    bool is_file = file != NULL && fstat(fileno(file), &status) == 0 && !S_ISDIR(status.st_mode);
    *length = is_file ? fread(text, 1, FILE_BYTES + 1, file) : 0;
    message[0] = 0;
    if (!is_file || ferror(file)) {
        snprintf(message, DIAGNOSTIC_BYTES, "the file cannot be read: %s",
                 strerror(file != NULL && !is_file ? EISDIR : errno));
    } else if (*length > FILE_BYTES) {
        snprintf(message, DIAGNOSTIC_BYTES,
                 "the file is longer than %d bytes: a scenario shows one thing", FILE_BYTES);
    }
    if (file != NULL) {
        fclose(file);
    }
    if (message[0] != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The head lines of another file, named as from this one's folder. */
static int read_included(struct parser *parser, const char *name, struct source_at at)
{
    struct lexer before = parser->lexer;
    struct arena *arena = &parser->scenario->arena;
    const char *from = before.file != NULL ? before.file : before.path;
    const char *slash = strrchr(from, '/');
    size_t length;
    char message[DIAGNOSTIC_BYTES];
    if (parser->include_depth == MOST_INCLUDES) {
        return parser_wrong(parser, at, "more than %d files include each other: is this one of them?",
                            MOST_INCLUDES);
    }
    const char *path = *name == '/' || slash == NULL
                           ? arena_text(arena, name)
                           : arena_print(arena, "%.*s/%s", (int)(slash - from), from, name);
    char *text = read_text(path, &length, message);
    if (text == NULL) {
        return parser_wrong(parser, at, "\"%s\": %s", name, message);
    }
    parser->include_depth++;
    parser->lexer.file = path;
    parser->lexer.number = 0;
    int status = read_lines(parser, text, length);
    free(text);
    parser->include_depth--;
    parser->lexer = before;
    return status;
}

static int by_line(const void *a, const void *b)
{
    const struct diagnostic *first = a, *second = b;
    int files = strcmp(first->path, second->path);
    return files != 0                         ? files
           : first->at.line < second->at.line ? -1
           : first->at.line > second->at.line ? 1
                                              : 0;
}

int scenario_parse_all(const char *path, const char *text, size_t length, struct scenario **scenario,
                       struct diagnostics *wrong)
{
    struct scenario *made = calloc(1, sizeof *made);
    struct parser parser = {.scenario = made};

    made->path = arena_text(&made->arena, path);
    made->title = "";
    parser.lexer.arena = &made->arena;
    parser.lexer.wrong = wrong;
    parser.lexer.path = made->path;
    read_lines(&parser, text, length);
    scenario_check(&parser);
    if (wrong->count > 0) {
        qsort(wrong->list, wrong->count, sizeof *wrong->list, by_line);
        scenario_free(made);
        *scenario = NULL;
        return -1;
    }
    *scenario = made;
    return 0;
}

int scenario_read_all(const char *path, struct scenario **scenario, struct diagnostics *wrong)
{
    char message[DIAGNOSTIC_BYTES];
    size_t length;
    char *text = read_text(path, &length, message);
    *scenario = NULL;
    if (text == NULL) {
        struct lexer lexer = {.wrong = wrong, .path = path};
        return lexer_wrong(&lexer, (struct source_at){0}, "%s", message);
    }
    int status = scenario_parse_all(path, text, length, scenario, wrong);
    free(text);
    return status;
}

/* The first of all that is wrong, for who asks for one. */
static void keep_first(const char *path, struct diagnostics *all, struct diagnostic *wrong)
{
    *wrong = (struct diagnostic){.path = path};
    if (all->count > 0) {
        *wrong = all->list[0];
        wrong->path = path;
        if (strcmp(all->list[0].path, path) != 0) {
            wrong->at = (struct source_at){1, 1, NULL}; /* the sentence names the included file */
            snprintf(wrong->message, sizeof wrong->message, "%.100s:%u: %.190s", all->list[0].path,
                     all->list[0].at.line, all->list[0].message);
        }
    }
    diagnostics_free(all);
}

int scenario_parse(const char *path, const char *text, size_t length, struct scenario **scenario,
                   struct diagnostic *wrong)
{
    struct diagnostics all = {0};
    int status = scenario_parse_all(path, text, length, scenario, &all);
    keep_first(path, &all, wrong);
    return status;
}

int scenario_read(const char *path, struct scenario **scenario, struct diagnostic *wrong)
{
    struct diagnostics all = {0};
    int status = scenario_read_all(path, scenario, &all);
    keep_first(path, &all, wrong);
    return status;
}
