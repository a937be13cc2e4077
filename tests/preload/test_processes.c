/* A program's children: forked, executed, waited for; what they share with it and what they leave.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void rest(long ns)
{
    const struct timespec time = {0, ns};
    nanosleep(&time, NULL);
}

static int status_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void child__writes_into_a_pipe__the_parent_reads_it_and_the_end(void **state)
{
    int ends[2];
    char text[16] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        rest(1000000);
        _exit(write(ends[1], "child", 5) == 5 ? 7 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], text, sizeof text), 5);
    assert_string_equal(text, "child");
    assert_int_equal(read(ends[0], text, sizeof text), 0);
    const int status = status_of(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_errno(waitpid(pid, NULL, 0), ECHILD);
    close(ends[0]);
}

static void executed_program__has_the_descriptors_without_close_on_exec(void **state)
{
    int ends[2], kept[2];
    char text[64] = "";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, kept), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char line[128];
        snprintf(line, sizeof line,
                 "echo kept >&%d; { echo gone >&%d; } 2>/dev/null || echo closed >&%d", kept[1],
                 ends[1], kept[1]);
        execl("/bin/sh", "sh", "-c", line, NULL);
        _exit(1);
    }
    assert_int_equal(status_of(pid), 0);
    close(kept[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(kept[0], text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)count;
    }
    assert_string_equal(text, "kept\nclosed\n");
    close(kept[0]);
    close(ends[0]);
    close(ends[1]);
}

static void spawned_program__ends_or_is_not_there__the_parent_is_told(void **state)
{
    pid_t pid;
    char *words[] = {"sh", "-c", "exit 5", NULL};
    assert_int_equal(posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ), 0);
    assert_int_equal(WEXITSTATUS(status_of(pid)), 5);
    assert_int_equal(posix_spawn(&pid, "/nowhere/sh", NULL, NULL, words, environ), ENOENT);
    assert_errno(waitpid(-1, NULL, WNOHANG), ECHILD);
}

static void vfork__the_child_executes_or_ends__the_parent_goes_on_behind(void **state)
{
    volatile int before = 1;
    const int fd = open("/dev/null", O_RDONLY);
    const pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        _exit(before + 3);
    }
    assert_int_equal(WEXITSTATUS(status_of(pid)), 4);
    assert_int_equal(fcntl(fd, F_GETFD), 0);
    const pid_t second = vfork();
    if (second == 0) {
        execl("/bin/sh", "sh", "-c", "exit 6", NULL);
        _exit(1);
    }
    assert_int_equal(WEXITSTATUS(status_of(second)), 6);
    close(fd);
}

static void children__that_end_in_many_ways__are_told_apart(void **state)
{
    siginfo_t information = {0};
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    int status = status_of(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    rest(1000000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &information, WEXITED | WNOWAIT), 0);
    assert_int_equal(information.si_code, CLD_KILLED);
    assert_int_equal(information.si_status, SIGKILL);
    status = status_of(pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_errno(kill(pid, 0), ESRCH);
}

static void crash__of_a_child__is_seen_by_its_parent(void **state)
{
    const pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile int *)wild() = 1;
    }
    const int status = status_of(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void listener__inherited_by_children__each_accepts(void **state)
{
    struct sockaddr_storage where;
    socklen_t length = sizeof where;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&where, &length), 0);
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            const int fd = accept(listener, NULL, NULL);
            const char number = (char)('0' + i);
            _exit(write(fd, &number, 1) == 1 ? 0 : 1);
        }
    }
    int seen = 0;
    for (int i = 0; i < 3; i++) {
        char number;
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&where, length), 0);
        assert_int_equal(read(fd, &number, 1), 1);
        seen |= 1 << (number - '0');
        close(fd);
    }
    assert_int_equal(seen, 7);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(status_of(pids[i]), 0);
    }
    close(listener);
}

static void *forker(void *unused)
{
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(9);
    }
    return (void *)(intptr_t)WEXITSTATUS(status_of(pid));
}

static void fork__in_a_second_thread__the_child_has_that_one_alone(void **state)
{
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, forker, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, (void *)9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child__writes_into_a_pipe__the_parent_reads_it_and_the_end),
        cmocka_unit_test(executed_program__has_the_descriptors_without_close_on_exec),
        cmocka_unit_test(spawned_program__ends_or_is_not_there__the_parent_is_told),
        cmocka_unit_test(vfork__the_child_executes_or_ends__the_parent_goes_on_behind),
        cmocka_unit_test(children__that_end_in_many_ways__are_told_apart),
        cmocka_unit_test(crash__of_a_child__is_seen_by_its_parent),
        cmocka_unit_test(listener__inherited_by_children__each_accepts),
        cmocka_unit_test(fork__in_a_second_thread__the_child_has_that_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
