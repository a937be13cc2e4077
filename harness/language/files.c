/* Finds and reads scenario files, and writes them back.
 * SPDX-License-Identifier: MIT */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*checker)(const struct scenario *scenario, struct diagnostic *wrong);

static void read_one(struct files *files, const char *path, checker check)
{
    struct diagnostics all = {0};
    struct diagnostic wrong;
    struct scenario *scenario;
    if (scenario_read_all(path, &scenario, &all) != 0) {
        diagnostics_print(&all);
        diagnostics_free(&all);
        files->wrong++;
        return;
    }
    if (check != NULL && check(scenario, &wrong) != 0) {
        diagnostic_print(&wrong);
        scenario_free(scenario);
        files->wrong++;
        return;
    }
    files->list = arena_grow(&files->arena, files->list, files->count, sizeof *files->list);
    files->list[files->count++] = scenario;
}

static bool is_scenario(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".dry") == 0;
}

/* In the order of bytes: the same on every machine. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_folder(struct files *files, const char *path, checker check)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_bytes);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char *full = arena_print(&files->arena, "%s%s%s", path,
                                 path[strlen(path) - 1] == '/' ? "" : "/", name);
        struct stat status;

        if (name[0] != '.' && stat(full, &status) == 0) {
            if (S_ISDIR(status.st_mode)) {
                read_folder(files, full, check);
            } else if (is_scenario(name)) {
                read_one(files, full, check);
            }
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

void files_read(struct files *files, char *const *names, int count, checker check)
{
    for (int i = 0; i < count; i++) {
        struct stat status;
        if (stat(names[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            uint32_t before = files->count + files->wrong;
            read_folder(files, names[i], check);
            if (files->count + files->wrong == before) {
                fprintf(stderr, "%s: no file below it ends in .dry\n", names[i]);
                files->wrong++;
            }
        } else {
            read_one(files, names[i], check);
        }
    }
}

void files_free(struct files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        scenario_free(files->list[i]);
    }
    arena_free(&files->arena);
}

char *files_text(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    struct text text = {0};
    char piece[4096];

    if (file == NULL) {
        return NULL;
    }
    text_add_bytes(&text, "", 0);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;) {
        text_add_bytes(&text, piece, got);
    }
    fclose(file);
    *length = text.length;
    return text.bytes;
}

int files_write(const char *path, const char *text, size_t length)
{
    char *temporary = NULL;
    int status = -1;
    if (asprintf(&temporary, "%s.new", path) < 0) {
        return -1;
    }
    FILE *file = fopen(temporary, "wb");
    if (file != NULL) {
        status = fwrite(text, 1, length, file) == length ? 0 : -1;
        if (fclose(file) != 0) {
            status = -1;
        }
        if (status == 0) {
            status = rename(temporary, path);
        }
        if (status != 0) {
            unlink(temporary);
        }
    }
    free(temporary);
    return status;
}
