/* A run apart from other processes: its own process numbers, one processor, fixed addresses.
 * SPDX-License-Identifier: MIT
 *
 * The run's process is the first of a process namespace, so that its end is the end of all that it
 * started, whatever that did. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "exec.h"

static volatile pid_t apart;

/* The terminal gives Ctrl-C to both; what is sent to this process alone is passed on. */
static void pass_on(int number)
{
    if (apart > 0) {
        kill(apart, number);
    }
}

/* One processor: the turn passes between threads without a move. */
static void pin(void)
{
    cpu_set_t one;
    const int processor = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(processor < 0 ? 0 : processor, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* What /proc tells must be of the same processes. */
static void mount_proc(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) {
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    }
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXEC_NOT_RUNNABLE;
        }
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int exec_apart(int (*run)(struct exec *exec), struct exec *exec)
{
    const bool own = unshare(CLONE_NEWPID | CLONE_NEWNS) == 0;
    if (!own) {
        fprintf(stderr, "drysock: no process namespace (%s): process numbers differ from run to run\n",
                strerror(errno));
    }
    pin();
    personality(ADDR_NO_RANDOMIZE);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (own) {
            mount_proc();
        } else {
            prctl(PR_SET_CHILD_SUBREAPER, 1);
        }
        command_take_signals();
        const int status = run(exec);
        fflush(NULL);
        _exit(status);
    }
    if (child < 0) {
        fprintf(stderr, "drysock: no process can be made: %s\n", strerror(errno));
        return EXEC_NOT_RUNNABLE;
    }
    apart = child;
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, pass_on);
    return wait_for(child);
}
