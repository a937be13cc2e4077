/* `drysock exec`: a program as it is, in the world.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMMAND_EXEC_H
#define HARNESS_COMMAND_EXEC_H

#include <stdbool.h>
#include <stddef.h>

/* What the shell ends with when a command cannot be run. */
enum {
    EXEC_NOT_ENDED = 125, /* the run was stuck or interrupted */
    EXEC_NOT_RUNNABLE = 126,
    EXEC_NOT_FOUND = 127,
};

/* Finds a command as execvp(3) does and looks at what it is. 0 with its path; else EXEC_NOT_RUNNABLE or
 * EXEC_NOT_FOUND with a sentence: missing, a folder, not executable, for another machine, linked
 * statically, a script whose interpreter is any of these. */
int exec_find(const char *command, char *path, size_t path_bytes, char *sentence, size_t bytes);

/* The preload library's path; false with a sentence: it is not there. */
bool exec_library(char *path, size_t path_bytes, char *sentence, size_t bytes);

struct exec;
/* Runs the run in a process of its own: on one processor, without address-space randomisation, and in a
 * process namespace of its own where that is allowed (else a line says so). Its exit status. */
int exec_apart(int (*run)(struct exec *exec), struct exec *exec);

#endif
