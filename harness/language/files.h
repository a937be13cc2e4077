/* The scenario files that a command line names.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_FILES_H
#define HARNESS_FILES_H

#include "scenario.h"

struct files {
    struct scenario **list; /* read and checked, in order of their names within each folder */
    uint32_t count;
    uint32_t wrong; /* files that were not read; each has had its diagnostic printed */
    struct arena arena;
};

/* Reads every FILE, and every *.dry below every folder. check (may be NULL) says more about what is
 * wrong with a file that could be read. */
void files_read(struct files *files, char *const *names, int count,
                int (*check)(const struct scenario *scenario, struct diagnostic *wrong));
void files_free(struct files *files);
/* A file's text, freed with free(3); NULL: errno. Written whole: a temporary file takes its place. */
char *files_text(const char *path, size_t *length);
int files_write(const char *path, const char *text, size_t length);

#endif
