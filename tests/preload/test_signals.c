/* A program's signals and alarms: its handlers run where Linux would run them, in the world's time.
 * SPDX-License-Identifier: MIT */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int calls, last_number, last_code, on_other_stack;
static char other_stack[65536];
static sigjmp_buf place;

static void note(int number, siginfo_t *information, void *context)
{
    const char here = 0;
    calls++;
    last_number = number;
    last_code = information->si_code;
    on_other_stack = &here >= other_stack && &here < other_stack + sizeof other_stack;
}

static void jump(int number)
{
    siglongjmp(place, number);
}

static void take(int number, int flags)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    assert_int_equal(sigaction(number, &action, NULL), 0);
    calls = 0;
}

static void after_ms(int ms)
{
    const struct itimerval value = {{0, 0}, {0, ms * 1000}};
    assert_int_equal(setitimer(ITIMER_REAL, &value, NULL), 0);
}

static void raised__with_a_handler__runs_at_once_with_its_facts(void **state)
{
    double half = 0.5;
    take(SIGUSR1, 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(last_number, SIGUSR1);
    assert_int_equal(last_code, SI_TKILL);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(calls, 2);
    assert_int_equal(last_code, SI_USER);
    assert_true(half * 3 == 1.5);
}

static void blocked__raised_twice__comes_once_when_unblocked(void **state)
{
    sigset_t set, old, pending;
    take(SIGUSR2, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    raise(SIGUSR2);
    raise(SIGUSR2);
    assert_int_equal(calls, 0);
    assert_int_equal(sigpending(&pending), 0);
    assert_true(sigismember(&pending, SIGUSR2));
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_int_equal(calls, 1);
}

static void alarm__during_a_read__ends_it_or_it_restarts(void **state)
{
    int pair[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    take(SIGALRM, 0);
    after_ms(20);
    assert_errno(read(pair[0], &byte, 1), EINTR);
    assert_int_equal(calls, 1);
    take(SIGALRM, SA_RESTART);
    const struct timeval limit = {0, 60000};
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    after_ms(20);
    assert_errno(read(pair[0], &byte, 1), EINTR); /* LINUX: with a timeout it does not restart */
    const struct timespec rest = {0, 50000000};
    after_ms(20);
    assert_errno(nanosleep(&rest, NULL), EINTR);
    assert_int_equal(calls, 2);
    close(pair[0]);
    close(pair[1]);
}

static void handler__jumps_out_of_a_waiting_call__nothing_is_left_behind(void **state)
{
    int pair[2];
    char byte = 'x';
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct sigaction action = {.sa_handler = jump};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    for (int round = 0; round < 3; round++) {
        if (sigsetjmp(place, 1) == 0) {
            after_ms(10);
            read(pair[0], &byte, 1);
            fail();
        }
    }
    assert_int_equal(write(pair[1], "y", 1), 1);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(pair[0]);
    close(pair[1]);
}

static void handler__on_the_alternate_stack__runs_there(void **state)
{
    const stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    assert_int_equal(sigaltstack(&stack, NULL), 0);
    take(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    assert_int_equal(calls, 1);
    assert_true(on_other_stack);
    take(SIGUSR1, 0);
    raise(SIGUSR1);
    assert_false(on_other_stack);
    const stack_t none = {.ss_flags = SS_DISABLE};
    assert_int_equal(sigaltstack(&none, NULL), 0);
}

static void fault__with_a_handler__is_met_where_it_happens(void **state)
{
    struct sigaction action = {.sa_handler = jump};
    assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
    const int came = sigsetjmp(place, 1);
    if (came == 0) {
        *(volatile int *)wild() = 1;
    }
    assert_int_equal(came, SIGSEGV);
    action.sa_handler = SIG_DFL;
    sigaction(SIGSEGV, &action, NULL);
}

static void waiting_for_signals__in_each_way__gives_the_number(void **state)
{
    sigset_t set, old;
    siginfo_t information;
    struct signalfd_siginfo read_of;
    const struct timespec soon = {0, 10000000};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    assert_errno(sigtimedwait(&set, &information, &soon), EAGAIN);
    raise(SIGUSR1);
    assert_int_equal(sigwaitinfo(&set, &information), SIGUSR1);
    const int fd = signalfd(-1, &set, 0);
    assert_true(fd >= 0);
    raise(SIGUSR1);
    assert_int_equal(read(fd, &read_of, sizeof read_of), sizeof read_of);
    assert_int_equal(read_of.ssi_signo, SIGUSR1);
    close(fd);
    take(SIGUSR1, 0);
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    assert_errno(sigsuspend(&none), EINTR);
    assert_int_equal(calls, 1);
    sigset_t now;
    sigprocmask(SIG_SETMASK, &old, &now);
    assert_true(sigismember(&now, SIGUSR1));
}

static void timer__of_timer_create__comes_each_interval(void **state)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    const struct itimerspec value = {{0, 10000000}, {0, 10000000}};
    take(SIGUSR2, 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &value, NULL), 0);
    while (calls < 3) {
        pause();
    }
    assert_int_equal(last_code, SI_TIMER);
    assert_int_equal(timer_delete(timer), 0);
}

static void *wait_for_ever(void *unused)
{
    for (;;) {
        pause();
    }
    return NULL;
}

static void thread__cancelled_while_it_waits__ends(void **state)
{
    pthread_t thread;
    void *result;
    const struct timespec rest = {0, 10000000};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
    nanosleep(&rest, NULL);
    assert_int_equal(pthread_cancel(thread), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
}

static void broken_pipe__without_a_reader__sigpipe_and_epipe(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    take(SIGPIPE, 0);
    assert_errno(write(ends[1], "x", 1), EPIPE);
    assert_int_equal(calls, 1);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raised__with_a_handler__runs_at_once_with_its_facts),
        cmocka_unit_test(blocked__raised_twice__comes_once_when_unblocked),
        cmocka_unit_test(alarm__during_a_read__ends_it_or_it_restarts),
        cmocka_unit_test(handler__jumps_out_of_a_waiting_call__nothing_is_left_behind),
        cmocka_unit_test(handler__on_the_alternate_stack__runs_there),
        cmocka_unit_test(fault__with_a_handler__is_met_where_it_happens),
        cmocka_unit_test(waiting_for_signals__in_each_way__gives_the_number),
        cmocka_unit_test(timer__of_timer_create__comes_each_interval),
        cmocka_unit_test(thread__cancelled_while_it_waits__ends),
        cmocka_unit_test(broken_pipe__without_a_reader__sigpipe_and_epipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
