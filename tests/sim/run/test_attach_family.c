/* Tests of programs that fork, execute, wait and signal each other, with real processes.
 * SPDX-License-Identifier: MIT */
#include "attached.h"

static int own_process, own_task;

/* ---- what preload/ does of it ------------------------------------------------------------------- */

static void take_signals(struct dry_caller caller)
{
    struct sim_delivery delivery;
    while (sim_thread_signal_due(here, (int)caller.task) &&
           sim_thread_signal_take(here, (int)caller.task, &delivery)) {
        char text[32];
        snprintf(text, sizeof text, "%d/%d", delivery.number, delivery.information.si_code);
        say(text);
        sim_program_rt_sigprocmask(caller, SIG_SETMASK, &delivery.mask_before, NULL);
    }
    if (sim_process_killed(here, (int)caller.process)) {
        const int number = sim_process_killed(here, (int)caller.process);
        sim_process_leave(here, (int)caller.process, 0);
        signal(number, SIG_DFL);
        kill(getpid(), number);
        pause();
    }
}

static void catch_signal(struct dry_caller caller, int number, uint64_t flags)
{
    const struct sim_action action = {.handler = 0x1000, .flags = flags};
    REQUIRE(sim_program_rt_sigaction(caller, number, &action, NULL) == 0);
}

static int fork_program(struct dry_caller caller, void (*body)(struct dry_caller caller, int argument),
                        int argument)
{
    int process_number, task;
    const int pid = (int)sim_program_fork(caller, 0, &process_number, &task);
    REQUIRE(pid > 0);
    const pid_t real = fork();
    if (real == 0) {
        sim_process_forked(here);
        sim_thread_enter(here, task, getpid());
        own_process = process_number;
        own_task = task;
        body(sim_thread_caller(here, task), argument);
        sim_process_leave(here, process_number, argument);
        _exit(argument);
    }
    sim_process_is(here, process_number, real);
    return pid;
}

static int wait_for(struct dry_caller caller, int pid, int *status)
{
    int64_t result;
    while ((result = sim_program_wait4(caller, pid, status, 0)) == SIM_RESTART || result == -EINTR) {
        take_signals(caller);
        say(result == -EINTR ? "eintr" : "restart");
    }
    return (int)result;
}

static void rest(struct dry_caller caller, long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

/* ---- programs ----------------------------------------------------------------------------------- */

static void child_talks(struct dry_caller caller, int argument)
{
    char text[16], back[16] = "";
    const int fd = connect_to_server(caller);
    rest(caller, argument);
    snprintf(text, sizeof text, "c%d", argument);
    REQUIRE(SYSTEM(sendto, fd, text, strlen(text), 0, NULL, 0) == (ssize_t)strlen(text));
    REQUIRE(SYSTEM(recvfrom, fd, back, sizeof back - 1, 0, NULL, NULL) > 0);
    say(back);
}

static void parent_of_four(struct dry_caller caller, int unused)
{
    int pids[4], status;
    for (int i = 0; i < 4; i++) {
        pids[i] = fork_program(caller, child_talks, 40 - 10 * i);
    }
    for (int i = 0; i < 4; i++) {
        REQUIRE(wait_for(caller, pids[i], &status) == pids[i]);
        REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 40 - 10 * i);
    }
    REQUIRE(wait_for(caller, -1, &status) == -ECHILD);
    say("waited");
}

static void four_children__talk_and_end__waited_for(void **state)
{
    start_forked(parent_of_four, 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "c10 c20 c30 fin c40 fin waited ");
}

static void four_children__twenty_runs__the_same(void **state)
{
    char first[LOG_BYTES];
    uint64_t hash = 0;
    for (int i = 0; i < 20; i++) {
        memset(record, 0, LOG_BYTES);
        sim_destroy(sim);
        make_shared(3);
        start_forked(parent_of_four, 0);
        assert_outcome(SIM_IDLE);
        if (i == 0) {
            memcpy(first, record, LOG_BYTES);
            hash = sim_packet_hash(sim, NULL);
        }
        assert_string_equal(record, first);
        assert_true(sim_packet_hash(sim, NULL) == hash);
    }
}

static void sleeps_long(struct dry_caller caller, int unused)
{
    rest(caller, 100000);
    say("never");
}

static void parent_kills(struct dry_caller caller, int number)
{
    int status;
    const int pid = fork_program(caller, sleeps_long, 0);
    rest(caller, 10);
    REQUIRE(sim_program_kill(caller, pid, number) == 0);
    REQUIRE(wait_for(caller, pid, &status) == pid);
    REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == number);
    say("killed");
}

static void child_sleeps__killed__its_real_process_ends_and_the_parent_knows(void **state)
{
    start_forked(parent_kills, SIGTERM);
    sim_run(sim);
    assert_string_equal(record, "killed ");
    assert_int_equal(sim_now(sim), 10 * MS);
}

static void child_signals_parent(struct dry_caller caller, int unused)
{
    rest(caller, 5);
    sim_program_kill(caller, (int)sim_program_getppid(caller), SIGUSR1);
    rest(caller, 5);
    sim_program_kill(caller, (int)sim_program_getppid(caller), SIGUSR2);
    rest(caller, 5);
}

static void parent_catches(struct dry_caller caller, int unused)
{
    int status;
    catch_signal(caller, SIGUSR1, SA_RESTART);
    catch_signal(caller, SIGUSR2, 0);
    catch_signal(caller, SIGCHLD, SA_RESTART);
    const int pid = fork_program(caller, child_signals_parent, 0);
    REQUIRE(wait_for(caller, pid, &status) == pid);
    take_signals(caller);
}

static void parent_waits__signals_come__handlers_run_and_the_wait_goes_on(void **state)
{
    start_forked(parent_catches, 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "10/0 restart 12/0 eintr 17/1 ");
}

static void crashes(struct dry_caller caller, int unused)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void parent_of_a_crash(struct dry_caller caller, int unused)
{
    int status;
    const int pid = fork_program(caller, crashes, 0);
    REQUIRE(wait_for(caller, pid, &status) == pid);
    REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    say("seen");
}

static void child_crashes__the_parent_is_told_by_what(void **state)
{
    start_forked(parent_of_a_crash, 0);
    sim_run(sim);
    assert_string_equal(record, "seen ");
}

static void kills_itself(struct dry_caller caller, int number)
{
    const int fd = connect_to_server(caller);
    (void)fd;
    sim_program_kill(caller, (int)sim_program_getpid(caller), number);
    take_signals(caller);
    say("never");
}

static void program_signals_itself__no_handler__ends_by_it(void **state)
{
    const struct started one = start_forked(kills_itself, SIGTERM);
    assert_int_equal(sim_run(sim), SIM_FAILED);
    int killed_by;
    assert_int_equal(sim_process_status(sim, one.process, &killed_by), 128 + SIGTERM);
    assert_int_equal(killed_by, SIGTERM);
    sim_run_until(sim, sim_now(sim) + 1000 * MS);
    assert_string_equal(record, "fin ");
}

static void executed(struct dry_caller caller, int base)
{
    (void)base;
    REQUIRE(SYSTEM(write, 1, "x", 1) == 1);
    rest(caller, 20);
}

static void parent_of_an_execution(struct dry_caller caller, int unused)
{
    int process_number, task, status, ends[2];
    char byte, words[2][24];
    REQUIRE(SYSTEM(pipe2, ends, 0) == 0 && ends[1] == 1);
    REQUIRE(SYSTEM(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) == 2);
    const int pid = (int)sim_program_fork(caller, SIM_FORK_MEMORY, &process_number, &task);
    REQUIRE(pid > 0);
    sim_thread_vfork(here, (int)caller.task, task);
    snprintf(words[0], sizeof words[0], "%d", process_number);
    snprintf(words[1], sizeof words[1], "%d", sim_block_fd(sim));
    const pid_t real = vfork();
    if (real == 0) {
        fcntl(sim_block_fd(sim), F_SETFD, 0);
        execl(program_path, program_path, "--executed", words[1], words[0], NULL);
        _exit(97);
    }
    sim_thread_vforked(here, (int)caller.task);
    say("executed");
    REQUIRE(SYSTEM(read, ends[0], &byte, 1) == 1 && byte == 'x');
    REQUIRE(SYSTEM(read, ends[0], &byte, 0) == 0);
    REQUIRE(wait_for(caller, pid, &status) == pid);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    say("ended");
}

static void vfork_and_exec__the_new_image__goes_on_with_what_is_left_open(void **state)
{
    start_forked(parent_of_an_execution, 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "executed ended ");
    assert_int_equal(sim_now(sim), 20 * MS);
}

static void be_executed(int file, int process_number)
{
    here = sim_attach(file);
    REQUIRE(here != NULL);
    const int task = sim_process_executed(here, process_number, "new");
    REQUIRE(task > 0);
    sim_process_is(here, process_number, getpid());
    const struct dry_caller caller = sim_thread_caller(here, task);
    REQUIRE(SYSTEM(fcntl, 2, F_GETFD, 0) == -EBADF);
    executed(caller, 0);
    sim_process_leave(here, process_number, 5);
    _exit(5);
}

static void sleeper(struct dry_caller caller, int unused)
{
    struct itimerval value = {.it_value = {0, 30000}};
    catch_signal(caller, SIGALRM, 0);
    REQUIRE(sim_program_setitimer(caller, ITIMER_REAL, &value, NULL) == 0);
    REQUIRE(sim_program_pause(caller) == -EINTR);
    take_signals(caller);
    REQUIRE(sim_program_alarm(caller, 1) == 0);
    rest(caller, 2000);
    take_signals(caller);
}

static void timers__in_a_program__end_its_waits(void **state)
{
    start_forked(sleeper, 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "14/128 14/128 ");
    assert_int_equal(sim_now(sim), 1030 * MS);
}

/* ---- faults ------------------------------------------------------------------------------------- */

static struct thread second;

static void call_socket(struct dry_caller own)
{
    const struct dry_caller caller = sim_thread_seam(here, (int)own.task);
    if (caller.system->call_begin) {
        caller.system->call_begin(caller, "accept4", -1);
    }
    const int fd = SYSTEM(accept, 77, NULL, NULL, 0);
    if (caller.system->call_end) {
        caller.system->call_end(caller);
    }
    say(fd == -EMFILE ? "emfile" : fd == -EBADF ? "ebadf" : "?");
}

static void call_in_thread(struct dry_caller caller, int unused)
{
    call_socket(caller);
    call_socket(caller);
}

static void two_threads_call(struct dry_caller caller, int unused)
{
    call_socket(caller);
    start_thread(&second, (int)caller.process, "second", 0, call_in_thread);
    join_thread(caller, &second);
    call_socket(caller);
    const int pid = fork_program(caller, call_in_thread, 0);
    REQUIRE(wait_for(caller, pid, NULL) == pid);
}

static void fault_for_a_program__its_threads_calls__counted_together(void **state)
{
    char message[128];
    const char rule[] = "forked accept4#2..4+2 errno=EMFILE";
    assert_int_equal(sim_fault_plan_add(sim_faults(sim), rule, message, sizeof message, NULL), 1);
    start_forked(two_threads_call, 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "ebadf emfile ebadf emfile ebadf emfile ");
    assert_int_equal(sim_fault_fired(sim_faults(sim), 1), 3);
}

static void name_of_a_program_call__plan_without_programs__refused(void **state)
{
    char message[128];
    struct sim *lonely = sim_create(NULL);
    assert_int_equal(sim_fault_plan_add(sim_faults(lonely), "x epoll_wait errno=EINTR", message,
                                        sizeof message, NULL),
                     -EINVAL);
    sim_destroy(lonely);
}

int main(int count, char **words)
{
    program_path = words[0];
    if (count == 4 && strcmp(words[1], "--executed") == 0) {
        be_executed(atoi(words[2]), atoi(words[3]));
    }
    const struct CMUnitTest tests[] = {
        SHARED(four_children__talk_and_end__waited_for),
        SHARED(four_children__twenty_runs__the_same),
        SHARED(child_sleeps__killed__its_real_process_ends_and_the_parent_knows),
        SHARED(parent_waits__signals_come__handlers_run_and_the_wait_goes_on),
        SHARED(child_crashes__the_parent_is_told_by_what),
        SHARED(program_signals_itself__no_handler__ends_by_it),
        SHARED(vfork_and_exec__the_new_image__goes_on_with_what_is_left_open),
        SHARED(timers__in_a_program__end_its_waits),
        SHARED(fault_for_a_program__its_threads_calls__counted_together),
        SHARED(name_of_a_program_call__plan_without_programs__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
