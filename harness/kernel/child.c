/* Starting drysock-kernel, asking what it needs, learning how it ended.
 * SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "host.h"

extern char **environ;

enum { SAID_BYTES = 4096 };

static int fail(char *why, const char *what)
{
    snprintf(why, KERNEL_WHY_BYTES, "%s: %s", what, strerror(errno));
    return -1;
}

void kernel_child_program(const char *given, char *path, size_t bytes)
{
    char self[1024];
    ssize_t length;
    char *slash;
    if (given != NULL) {
        snprintf(path, bytes, "%s", given);
        return;
    }
    length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length < 0 ? 0 : length] = '\0';
    slash = strrchr(self, '/');
    if (slash != NULL) {
        snprintf(path, bytes, "%.*s/drysock-kernel", (int)(slash - self), self);
        if (access(path, X_OK) == 0) {
            return;
        }
    }
    snprintf(path, bytes, "drysock-kernel");
}

/* The scenario's text as a file without a name. */
static int text_descriptor(const struct scenario *scenario, const struct kernel_options *options)
{
    int fd;
    if (options->text == NULL) {
        return open(scenario->path, O_RDONLY | O_CLOEXEC);
    }
    fd = memfd_create("scenario", MFD_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    for (size_t at = 0; at < options->text_bytes;) {
        ssize_t written = write(fd, options->text + at, options->text_bytes - at);
        if (written < 0) {
            close(fd);
            return -1;
        }
        at += (size_t)written;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The environment of the program: ours, and with a speed the clocks of libfaketime. Two variables
 * more and the end. Freed with free(3), the added texts lie in `space`. */
static char **environment_of(uint32_t speed, char space[2][512])
{
    size_t count = 0, kept = 0;
    char **copy;
    while (environ[count] != NULL) {
        count++;
    }
    copy = calloc(count + 4, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (speed <= 1 ||
            (strncmp(environ[i], "FAKETIME", 8) != 0 && strncmp(environ[i], "LD_PRELOAD=", 11) != 0)) {
            copy[kept++] = environ[i];
        }
    }
    if (speed > 1) {
        snprintf(space[0], 512, "LD_PRELOAD=%s", FAKETIME_LIBRARY);
        snprintf(space[1], 512, "FAKETIME=+0 x%u", (unsigned)speed);
        copy[kept++] = space[0];
        copy[kept++] = space[1];
    }
    return copy;
}

int kernel_run_allowed(const char *given, char *why)
{
    char program[1100];
    char *arguments[] = {(char *)"drysock-kernel", (char *)"--probe", NULL};
    posix_spawn_file_actions_t files;
    int answer[2], status = -1, error;
    ssize_t length = 0;
    pid_t pid;

    kernel_child_program(given, program, sizeof program);
    if (pipe2(answer, O_CLOEXEC) < 0) {
        return fail(why, "no descriptor is left");
    }
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, answer[1], 1);
    error = posix_spawnp(&pid, program, &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    close(answer[1]);
    snprintf(why, KERNEL_WHY_BYTES, "%.240s cannot be started: %s", program, strerror(error));
    if (error == 0) {
        length = read(answer[0], why, KERNEL_WHY_BYTES - 1);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        why[length > 0 ? length : 0] = '\0';
        why[strcspn(why, "\n")] = '\0';
    }
    close(answer[0]);
    return status == 0 ? 0 : -1;
}

/* The four descriptors that the program gets, in this order. */
enum {
    THEIR_CONTROL = 0,
    THEIR_TRACE,
    THEIR_SCENARIO,
    THEIR_SAID,
    THEIRS,
};

static int spawn(struct kernel_child *child, const char *program, const struct scenario *scenario,
                 const struct kernel_options *options, uint64_t seed, const int theirs[THEIRS])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char parent[32], number[32], space[2][512];
    char *arguments[] = {(char *)"drysock-kernel", parent, number, (char *)scenario->path, NULL};
    char **environment = environment_of(options->speed, space);
    sigset_t none;
    int error;

    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, theirs[THEIR_SAID], 1);
    posix_spawn_file_actions_adddup2(&files, theirs[THEIR_SAID], 2);
    posix_spawn_file_actions_adddup2(&files, theirs[THEIR_CONTROL], KERNEL_CONTROL_FD);
    posix_spawn_file_actions_adddup2(&files, theirs[THEIR_TRACE], KERNEL_TRACE_FD);
    posix_spawn_file_actions_adddup2(&files, theirs[THEIR_SCENARIO], KERNEL_SCENARIO_FD);
    posix_spawnattr_init(&attributes);
    /* Its own group: Ctrl-C at the terminal is for `drysock`, which ends it in good order. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    error = environment == NULL
                ? ENOMEM
                : posix_spawnp(&child->pid, program, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    free(environment);
    return error;
}

/* Moves a descriptor out of the way of those that the program is started with. */
static int move_up(int fd)
{
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 16);
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return moved;
}

/* A pair: [0] ours, [1] theirs. control: a socket pair, else a pipe. */
static int open_pair(int pair[2], bool control)
{
    int made = control ? socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)
                       : pipe2(pair, O_CLOEXEC);

    if (made < 0) {
        pair[0] = pair[1] = -1;
        return -1;
    }
    pair[1] = move_up(pair[1]);
    if (!control) {
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
    }
    return pair[1] < 0 ? -1 : 0;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++) {
        if (descriptors[i] >= 0) {
            close(descriptors[i]);
        }
    }
}

int kernel_child_start(struct kernel_child *child, const struct scenario *scenario,
                       const struct kernel_options *options, uint64_t seed, char *why)
{
    int control[2] = {-1, -1}, trace[2] = {-1, -1}, said[2] = {-1, -1}, text = -1;
    char program[1100];
    int result = 0, error;

    if (options->speed > 1 && FAKETIME_LIBRARY[0] == '\0') {
        snprintf(why, KERNEL_WHY_BYTES,
                 "a speed needs libfaketime, which was not there when "
                 "drysock was built");
        return -1;
    }
    kernel_child_program(options->program, program, sizeof program);
    if (open_pair(control, true) < 0 || open_pair(trace, false) < 0 || open_pair(said, false) < 0) {
        result = fail(why, "no descriptor is left");
    } else if ((text = move_up(text_descriptor(scenario, options))) < 0) {
        result = fail(why, scenario->path);
    }
    if (result == 0) {
        error = spawn(child, program, scenario, options, seed,
                      (int[THEIRS]){control[1], trace[1], text, said[1]});
        if (error != 0) {
            snprintf(why, KERNEL_WHY_BYTES, "%.240s cannot be started: %s", program, strerror(error));
            result = -1;
        }
    }
    close_all((int[]){control[1], trace[1], said[1], text}, 4);
    if (result < 0) {
        close_all((int[]){control[0], trace[0], said[0]}, 3);
        return -1;
    }
    child->control = control[0];
    child->trace = trace[0];
    child->said = said[0];
    child->words = (struct text){0};
    return 0;
}

/* Waits for the end. A program that does not come to it is killed: then the wait is short. */
static int wait_for(pid_t pid, uint64_t patience_ns)
{
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int status = 0;

    if (end.fd < 0 || poll(&end, 1, (int)(patience_ns / 1000000)) <= 0) {
        kill(pid, SIGKILL);
    }
    if (end.fd >= 0) {
        close(end.fd);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

bool kernel_child_hear(struct kernel_child *child)
{
    struct text *words = &child->words;
    char piece[SAID_BYTES];
    ssize_t length;
    while ((length = read(child->said, piece, sizeof piece)) > 0) {
        text_add_bytes(words, piece, (size_t)length);
        if (words->length > SAID_BYTES) {
            memmove(words->bytes, words->bytes + words->length - SAID_BYTES, SAID_BYTES);
            words->length = SAID_BYTES;
            words->bytes[words->length] = '\0';
        }
    }
    return length < 0 && (errno == EAGAIN || errno == EINTR);
}

void kernel_child_end(struct kernel_child *child, uint64_t patience_ns, struct kernel_child_end *end)
{
    int status = wait_for(child->pid, patience_ns);
    kernel_child_hear(child);
    while (child->words.length > 0 && child->words.bytes[child->words.length - 1] == '\n') {
        child->words.bytes[--child->words.length] = '\0';
    }
    end->said = child->words;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    close(child->control);
    close(child->trace);
    close(child->said);
}
