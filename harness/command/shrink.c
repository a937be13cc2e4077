/* `drysock shrink`: removes what a failing scenario does not need to fail.
 * SPDX-License-Identifier: MIT
 *
 * Units are removed as long as the run fails in the same way: whole actors, all lines of one sync,
 * then single lines, the last first, since later lines use what earlier ones bind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "kernel/run.h"
#include "language/lexer.h"

enum { WHY_BYTES = 512 };

struct shrink {
    const struct options *options;
    const char *path;
    char **lines; /* NULL: removed */
    uint32_t count;
    enum isolated wanted;
    char why[WHY_BYTES]; /* the same outcome must stay wrong, not any */
    bool against_kernel; /* failing means that the two systems differ */
    uint32_t runs;
};

static char *join(const struct shrink *shrink)
{
    struct text text = {0};

    text_add(&text, "%s", "");
    for (uint32_t i = 0; i < shrink->count; i++) {
        bool blank = shrink->lines[i] != NULL && shrink->lines[i][0] == 0;
        if (shrink->lines[i] == NULL ||
            (blank && (text.length < 2 || text.bytes[text.length - 2] == '\n'))) {
            continue;
        }
        text_add(&text, "%s\n", shrink->lines[i]);
    }
    return text.bytes;
}

static bool systems_differ(const struct shrink *shrink, const char *text)
{
    struct scenario *scenario;
    struct diagnostic wrong;
    struct problems problems = {0};
    struct kernel_options kernel = {.text = text,
                                    .text_bytes = strlen(text),
                                    .seed = shrink->options->seed,
                                    .stop_fd = command_stop_pipe};

    if (scenario_parse(shrink->path, text, strlen(text), &scenario, &wrong) != 0) {
        return false;
    }
    struct trace *world = command_world(shrink->options, scenario);
    kernel.limit_ns = kernel_run_limit(world);
    struct trace *seen = kernel_run(scenario, &kernel);
    if (world->end != TRACE_SKIPPED && seen->end != TRACE_SKIPPED) {
        compare_traces(scenario, seen, world, &problems);
    }
    bool differ = problems_matter(&problems);
    problems_free(&problems);
    trace_free(world);
    trace_free(seen);
    scenario_free(scenario);
    return differ;
}

static bool still_fails(struct shrink *shrink)
{
    char why[WHY_BYTES], *text = join(shrink);
    shrink->runs++;
    bool fails;
    if (shrink->against_kernel) {
        fails = systems_differ(shrink, text);
    } else {
        fails = command_isolated(shrink->options, shrink->path, text, NULL, why, sizeof why) ==
                    shrink->wanted &&
                (shrink->wanted != ISOLATED_OTHER || strcmp(why, shrink->why) == 0);
    }
    free(text);
    return fails;
}

/* Removes the lines that `belongs` chooses if the rest still fails. */
static bool try_without(struct shrink *shrink,
                        bool (*belongs)(const struct shrink *, uint32_t, const void *),
                        const void *argument)
{
    char **kept = malloc((shrink->count + 1) * sizeof *kept);
    bool any = false;
    memcpy(kept, shrink->lines, shrink->count * sizeof *kept);
    for (uint32_t i = 0; i < shrink->count; i++) {
        if (kept[i] != NULL && belongs(shrink, i, argument)) {
            shrink->lines[i] = NULL;
            any = true;
        }
    }
    bool removed = any && !command_stop && still_fails(shrink);
    if (!removed) {
        memcpy(shrink->lines, kept, shrink->count * sizeof *kept);
    }
    free(kept);
    return removed;
}

/* ---- units ---------------------------------------------------------------------------------- */

static bool is_this_line(const struct shrink *shrink, uint32_t line, const void *argument)
{
    return line == *(const uint32_t *)argument;
}

static bool is_sync_line(const struct shrink *shrink, uint32_t line, const void *argument)
{
    const char *text = shrink->lines[line];
    return strncmp(text, "sync ", 5) == 0 && strcmp(text, argument) == 0;
}

struct section {
    uint32_t first, last;
};

static bool is_in_section(const struct shrink *shrink, uint32_t line, const void *argument)
{
    const struct section *section = argument;
    return line >= section->first && line <= section->last;
}

static bool shrink_sections(struct shrink *shrink)
{
    bool removed = false;
    for (uint32_t i = 0; i < shrink->count; i++) {
        if (shrink->lines[i] == NULL || shrink->lines[i][0] != '[') {
            continue;
        }
        struct section section = {i, i};
        while (section.last + 1 < shrink->count &&
               (shrink->lines[section.last + 1] == NULL || shrink->lines[section.last + 1][0] != '[')) {
            section.last++;
        }
        removed |= try_without(shrink, is_in_section, &section);
    }
    return removed;
}

static bool shrink_lines(struct shrink *shrink)
{
    bool removed = false;
    for (uint32_t i = shrink->count; i-- > 0 && !command_stop;) {
        if (shrink->lines[i] == NULL || shrink->lines[i][0] == 0 || shrink->lines[i][0] == '#') {
            continue;
        }
        progress_show(shrink->count - i, shrink->count, shrink->path);
        if (strncmp(shrink->lines[i], "sync ", 5) == 0) {
            char *name = strdup(shrink->lines[i]);
            removed |= try_without(shrink, is_sync_line, name);
            free(name);
        } else {
            removed |= try_without(shrink, is_this_line, &i);
        }
    }
    progress_hide();
    return removed;
}

static void cut_lines(struct shrink *shrink, char *text)
{
    for (char *line = text; line != NULL && *line != 0;) {
        char *end = strchr(line, '\n');
        while (end != NULL && lexer_goes_on(line, (size_t)(end - line))) {
            end = strchr(end + 1, '\n'); /* one unit with the lines that it goes on in */
        }
        if (end != NULL) {
            *end = 0;
        }
        shrink->lines = realloc(shrink->lines, (shrink->count + 1) * sizeof *shrink->lines);
        shrink->lines[shrink->count++] = line;
        line = end != NULL ? end + 1 : NULL;
    }
}

static int shrink_one(const struct options *options, const struct scenario *scenario)
{
    struct shrink shrink = {
        .options = options, .path = scenario->path, .against_kernel = options->against != NULL};
    size_t length;
    int status = EXIT_DIFFER;
    char *text = files_text(scenario->path, &length);

    if (!shrink.against_kernel) {
        shrink.wanted = command_isolated(options, scenario->path, text, NULL, shrink.why,
                                         sizeof shrink.why);
    }
    cut_lines(&shrink, text);
    if (shrink.against_kernel ? !still_fails(&shrink) : shrink.wanted == ISOLATED_AS_STATED) {
        fprintf(stderr, "%s: nothing to shrink: the run does not fail\n", scenario->path);
    } else {
        while (!command_stop && (shrink_sections(&shrink) || shrink_lines(&shrink)))
            ;
        char *smallest = join(&shrink);
        fprintf(stderr, "%s: %u runs%s%s\n", scenario->path, shrink.runs, *shrink.why ? ": " : "",
                shrink.why);
        if (options->write) {
            status = files_write(scenario->path, smallest, strlen(smallest)) == 0 ? EXIT_AGREE
                                                                                  : EXIT_DIFFER;
        } else {
            status = fputs(smallest, stdout) >= 0 ? EXIT_AGREE : EXIT_DIFFER;
        }
        free(smallest);
    }
    free(shrink.lines);
    free(text);
    return status;
}

int command_shrink(const struct options *options, struct files *files)
{
    int status = EXIT_AGREE;
    for (uint32_t i = 0; i < files->count && !command_stop; i++) {
        if (shrink_one(options, files->list[i]) != EXIT_AGREE) {
            status = EXIT_DIFFER;
        }
    }
    return status;
}
