/* The program under test: files in a folder of its own, a run of it there, and what it said.
 * SPDX-License-Identifier: MIT */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include "../scenario_text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 64 * 1024 };

static const char *program;
static char folder[] = "/tmp/drysock-test-XXXXXX";
static char output[OUTPUT_BYTES];

static void write_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_file(const char *name)
{
    static char text[OUTPUT_BYTES];
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

/* Runs `drysock ARGUMENTS` in the folder; its output and errors are in `output`. */
static int drysock(const char *arguments)
{
    char command[800];
    snprintf(command, sizeof command, "cd %s && exec '%s' %s 2>&1", folder, program, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = 0;
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_says(const char *part)
{
    if (strstr(output, part) == NULL) {
        fail_msg("the output does not say \"%s\":\n%s", part, output);
    }
}

#endif
