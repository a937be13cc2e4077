/* `drysock exec`: one command in the world, its streams and its exit status passed through.
 * SPDX-License-Identifier: MIT */
#include "exec.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

static const char exec_usage[] =
    "usage: drysock exec [HEAD.dry] -- COMMAND [ARGUMENT…]\n"
    "  COMMAND runs in the world that the head lines of HEAD.dry describe (by default one host with\n"
    "  loopback), on its first host: its sockets, clocks and sleeps are the world's.\n"
    "exit status: COMMAND's own; 126 it cannot be run, 127 it is not there, 2 a wrong command line\n";

struct command {
    const char *head; /* NULL: none */
    char **words;
    char path[PATH_MAX], library[PATH_MAX];
};

/* The environment that puts the library into the program. */
static int set_environment(const struct command *command)
{
    const char *before = getenv("LD_PRELOAD");
    char all[2 * PATH_MAX];
    snprintf(all, sizeof all, "%s%s%s", command->library, before && *before ? ":" : "",
             before ? before : "");
    if (setenv("LD_PRELOAD", all, 1) != 0) {
        return -1;
    }
    return command->head ? setenv("DRYSOCK_WORLD", command->head, 1) : unsetenv("DRYSOCK_WORLD");
}

static void become(const struct command *command)
{
    personality(ADDR_NO_RANDOMIZE); /* addresses repeat; without the right to, they differ */
    if (set_environment(command) == 0) {
        execv(command->path, command->words);
    }
    fprintf(stderr, "drysock: %s: %s\n", command->path, strerror(errno));
    _exit(errno == ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_RUNNABLE);
}

/* Its exit status as a shell gives it. */
static int wait_for(pid_t child)
{
    int status;
    signal(SIGINT, SIG_IGN); /* the program's own business: it has the terminal */
    signal(SIGQUIT, SIG_IGN);
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXEC_NOT_RUNNABLE;
        }
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "drysock: the program was killed by SIG%s\n", sigabbrev_np(WTERMSIG(status)));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static int run(struct command *command)
{
    char sentence[PATH_MAX + 128];
    const int status = exec_find(command->words[0], command->path, sizeof command->path, sentence,
                                 sizeof sentence);
    if (status != 0) {
        fprintf(stderr, "drysock: %s\n", sentence);
        return status;
    }
    if (!exec_library(command->library, sizeof command->library, sentence, sizeof sentence)) {
        fprintf(stderr, "drysock: %s\n", sentence);
        return EXEC_NOT_RUNNABLE;
    }
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        become(command);
    }
    if (child < 0) {
        fprintf(stderr, "drysock: no process can be made: %s\n", strerror(errno));
        return EXEC_NOT_RUNNABLE;
    }
    return wait_for(child);
}

int command_exec(int count, char **arguments)
{
    struct command command = {.head = NULL};
    int at = 1;
    if (at < count && strcmp(arguments[at], "--help") == 0) {
        fputs(exec_usage, stdout);
        return EXIT_AGREE;
    }
    if (at < count && arguments[at][0] != '-') {
        command.head = arguments[at++];
    }
    if (at + 1 >= count || strcmp(arguments[at], "--") != 0) {
        fputs(exec_usage, stderr);
        return EXIT_WRONG;
    }
    command.words = arguments + at + 1;
    return run(&command);
}
