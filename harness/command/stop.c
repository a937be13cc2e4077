/* Ctrl-C and SIGQUIT: the flags that every command looks at.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "command.h"
#include "kernel/run.h"

volatile sig_atomic_t command_stop, command_describe;
int command_stop_pipe;
static int stop_write_end;

static void on_stop(int number)
{
    int saved = errno;
    if (command_stop) { /* the second Ctrl-C ends at once */
        _exit(EXIT_DIFFER);
    }
    command_stop = 1;
    ssize_t written = write(stop_write_end, "", 1);
    (void)written;
    errno = saved;
}

static void on_describe(int number)
{
    command_describe = 1;
    kernel_run_describe();
}

void command_take_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, describe = {.sa_handler = on_describe};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) == 0) {
        command_stop_pipe = ends[0];
        stop_write_end = ends[1];
    }
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGQUIT, &describe, NULL);
    signal(SIGPIPE, SIG_IGN);
}
