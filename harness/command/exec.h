/* `drysock exec`: a program as it is, in the world.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_COMMAND_EXEC_H
#define HARNESS_COMMAND_EXEC_H

#include <stdbool.h>
#include <stddef.h>

/* What the shell ends with when a command cannot be run. */
enum { EXEC_NOT_RUNNABLE = 126, EXEC_NOT_FOUND = 127 };

/* Finds a command as execvp(3) does and looks at what it is. 0 with its path; else EXEC_NOT_RUNNABLE or
 * EXEC_NOT_FOUND with a sentence: missing, a folder, not executable, for another machine, linked
 * statically, a script whose interpreter is any of these. */
int exec_find(const char *command, char *path, size_t path_bytes, char *sentence, size_t bytes);

/* The preload library's path; false with a sentence: it is not there. */
bool exec_library(char *path, size_t path_bytes, char *sentence, size_t bytes);

#endif
