/* Tests of the world as a system: parking, errno, stores, spinning, callers outside, the default world.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <drysock/sim.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sim *sim;
static int process;
static int failures; /* of what tasks expect: they cannot assert, their stack is not cmocka's */

static const uint64_t MS = 1000000;

#define EXPECT(what)                                                        \
    do {                                                                    \
        if (!(what)) {                                                      \
            failures++;                                                     \
            print_error("%s:%d: expected %s\n", __FILE__, __LINE__, #what); \
        }                                                                   \
    } while (0)

#define SYSTEM(call, ...) caller.system->call(caller, __VA_ARGS__)

static int begin(void **state)
{
    const struct sim_options options = {.seed = 7, .check = 1};
    failures = 0;
    sim = sim_create(&options);
    process = sim_add_process(sim, sim_add_host(sim, "h", "10.0.0.1"), "p");
    return sim && process > 0 ? 0 : -1;
}

static int end(void **state)
{
    sim_destroy(sim);
    return 0;
}

static void run_tasks(void (*first)(void *), void (*second)(void *))
{
    assert_true(sim_spawn(sim, process, "first", first, NULL) > 0);
    if (second) {
        assert_true(sim_spawn(sim, process, "second", second, NULL) > 0);
    }
    assert_int_equal(sim_run(sim), SIM_IDLE);
    assert_int_equal(failures, 0);
}

static uint64_t now_of(struct dry_caller caller)
{
    struct timespec now;
    SYSTEM(clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static void sleep_ms(struct dry_caller caller, long ms)
{
    const struct timespec length = {ms / 1000, ms % 1000 * 1000000};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
}

/* ---- who is asking ----------------------------------------------------------------------------- */

static struct dry_caller callers[2];

static void note_first(void *argument)
{
    struct dry_caller caller = callers[0] = dry_current_caller();
    errno = E2BIG;
    *(int *)caller.system->task_local(caller) = 11;
    sleep_ms(caller, 10);
    EXPECT(errno == E2BIG);
    EXPECT(*(int *)caller.system->task_local(caller) == 11);
    EXPECT(*(int *)caller.system->process_local(caller) == 5);
}

static void note_second(void *argument)
{
    struct dry_caller caller = callers[1] = dry_current_caller();
    EXPECT(*(int *)caller.system->task_local(caller) == 0);
    *(int *)caller.system->process_local(caller) = 5;
    errno = EDOM;
    sleep_ms(caller, 20);
    EXPECT(errno == EDOM);
}

static void two_tasks__switch__errno_and_stores_are_each_ones_own(void **state)
{
    errno = ENOTTY;
    run_tasks(note_first, note_second);
    assert_int_equal(errno, ENOTTY);
    assert_int_not_equal(callers[0].task, callers[1].task);
    assert_int_equal(callers[0].process, callers[1].process);
    assert_ptr_equal(callers[0].system, dry_provider());
    assert_string_equal(dry_provider()->name, "world");
    assert_int_equal(sim_now(sim), 20 * MS);
}

static int decorated_calls;
static struct dry_system decorated;
static struct dry_caller undecorated;

static int counting_sleep(struct dry_caller caller, clockid_t clock, int flags,
                          const struct timespec *request, struct timespec *remain)
{
    decorated_calls++;
    caller.system = undecorated.system;
    return SYSTEM(clock_nanosleep, clock, flags, request, remain);
}

static void decorate_self(void *argument)
{
    struct dry_caller caller = undecorated = dry_current_caller();
    decorated = *caller.system;
    decorated.clock_nanosleep = counting_sleep;
    caller.system = &decorated;
    dry_set_current_caller(caller);
    sleep_ms(dry_current_caller(), 1);
    sleep_ms(dry_current_caller(), 1); /* it stays across a switch */
    caller.system = NULL;
    dry_set_current_caller(caller);
    sleep_ms(dry_current_caller(), 1);
}

static void sleep_plainly(void *argument)
{
    sleep_ms(dry_current_caller(), 1);
}

static void task_decorates_itself__others_do_not_notice(void **state)
{
    decorated_calls = 0;
    run_tasks(decorate_self, sleep_plainly);
    assert_int_equal(decorated_calls, 2);
}

/* ---- calls for a task that does not run -------------------------------------------------------- */

static int pair[2];

static void wait_for_byte(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char byte;
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    EXPECT(SYSTEM(read, pair[0], &byte, 1) == 1);
    EXPECT(byte == 'q');
}

static void task_waits__calls_made_for_it_from_outside__may_not_wait(void **state)
{
    char byte;
    const int task = sim_spawn(sim, process, "first", wait_for_byte, NULL);
    assert_int_equal(sim_run(sim), SIM_STUCK);
    const struct dry_caller caller = sim_caller(sim, task);
    assert_int_equal(SYSTEM(read, pair[0], &byte, 1), -EDEADLK);
    sim_check(sim);
    assert_int_equal(SYSTEM(write, pair[1], "q", 1), 1);
    sim_check(sim);
    assert_int_equal(sim_run(sim), SIM_IDLE);
    assert_int_equal(failures, 0);
    assert_int_equal(SYSTEM(read, pair[0], &byte, 1), -ESRCH); /* it has ended */
}

/* ---- spinning ---------------------------------------------------------------------------------- */

static uint64_t spins;

static void spin_on_the_clock(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    while (now_of(caller) < MS) {
        spins++;
    }
}

static void task_reads_the_clock_for_ever__it_moves(void **state)
{
    spins = 0;
    run_tasks(spin_on_the_clock, NULL);
    assert_true(sim_now(sim) >= MS);
    assert_in_range(spins, 10000, 12000); /* the limit, then a microsecond each */
}

static void spin_on_poll(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec none = {0, 0};
    struct pollfd item = {.events = POLLIN};
    EXPECT(SYSTEM(pipe2, pair, O_NONBLOCK) == 0);
    item.fd = pair[0];
    while (SYSTEM(ppoll, &item, 1, &none, NULL) == 0) {
        spins++;
    }
}

static void write_later(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    sleep_ms(caller, 5);
    EXPECT(SYSTEM(write, pair[1], "x", 1) == 1);
}

static void task_polls_without_waiting__others_get_their_turn(void **state)
{
    spins = 0;
    run_tasks(spin_on_poll, write_later);
    assert_int_equal(sim_now(sim), 5 * MS);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

static void be_interrupted(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {1, 0};
    EXPECT(SYSTEM(interrupt_after, 30 * MS) == 0);
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == -EINTR);
    EXPECT(now_of(caller) == 30 * MS);
    EXPECT(caller.system->cancel_interrupt(caller) == 1);
    EXPECT(SYSTEM(interrupt_after, 2000 * MS) == 0);
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
    EXPECT(caller.system->cancel_interrupt(caller) == 0);
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
}

static void interrupt_after__waits_then__eintr_and_landed(void **state)
{
    run_tasks(be_interrupted, NULL);
    assert_int_equal(sim_now(sim), 2030 * MS);
}

/* ---- files of the real system ------------------------------------------------------------------ */

static void send_a_file(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char name[] = "/tmp/drysock-test-XXXXXX", got[32];
    struct stat status;
    off_t offset = 6;
    const int file = mkstemp(name);
    EXPECT(write(file, "hello world", 11) == 11);
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    EXPECT(SYSTEM(sendfile, pair[1], file, &offset, 100) == 5);
    EXPECT(offset == 11);
    EXPECT(SYSTEM(read, pair[0], got, sizeof got) == 5 && memcmp(got, "world", 5) == 0);
    EXPECT(SYSTEM(lseek, file, 2, SEEK_SET) == 2);
    EXPECT(SYSTEM(sendfile, pair[1], file, NULL, 3) == 3);
    EXPECT(SYSTEM(lseek, file, 0, SEEK_CUR) == 5);
    EXPECT(SYSTEM(fstat, file, &status) == 0 && S_ISREG(status.st_mode));
    EXPECT(SYSTEM(fstat, pair[0], &status) == 0 && S_ISFIFO(status.st_mode));
    EXPECT(SYSTEM(lseek, pair[0], 0, SEEK_SET) == -ESPIPE);
    EXPECT(SYSTEM(sendfile, pair[1], pair[0], NULL, 3) == -EINVAL);
    EXPECT(SYSTEM(sendfile, 1 << 21, file, NULL, 3) == -EBADF);
    EXPECT(SYSTEM(close, file) == 0);
    unlink(name);
}

static void real_file__sendfile__its_bytes_arrive(void **state)
{
    run_tasks(send_a_file, NULL);
}

/* ---- names of the host ------------------------------------------------------------------------- */

static void ask_the_host(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char name[64];
    EXPECT(SYSTEM(gethostname, name, sizeof name) == 0 && strcmp(name, "h") == 0);
    EXPECT(SYSTEM(gethostname, name, 1) == -ENAMETOOLONG);
    EXPECT(SYSTEM(sethostname, "other", 5) == 0);
    EXPECT(SYSTEM(gethostname, name, sizeof name) == 0 && strcmp(name, "other") == 0);
    EXPECT(SYSTEM(if_nametoindex, "lo") == 1);
    EXPECT(SYSTEM(if_nametoindex, "none") == -ENODEV);
    EXPECT(SYSTEM(if_indextoname, 2, name) == 0 && strcmp(name, "eth0") == 0);
    EXPECT(SYSTEM(if_indextoname, 9, name) == -ENXIO);
    int error = 0;
    struct if_nameindex *list = SYSTEM(if_nameindex, &error);
    EXPECT(list && strcmp(list[0].if_name, "lo") == 0 && list[1].if_index == 2 &&
           list[2].if_index == 0);
    free(list);
}

static void host__names_and_interfaces__are_the_hosts(void **state)
{
    run_tasks(ask_the_host, NULL);
}

/* ---- worlds nobody made ------------------------------------------------------------------------ */

static void *call_from_thread(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    *(int *)argument = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    memset(caller.system->task_local(caller), 1, DRY_LOCAL_BYTES);
    return NULL;
}

static void second_thread__any_call__not_supported(void **state)
{
    pthread_t thread;
    int result = 0;
    assert_int_equal(pthread_create(&thread, NULL, call_from_thread, &result), 0);
    pthread_join(thread, NULL);
    assert_int_equal(result, -ENOTSUP);
}

static void answer(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char byte;
    EXPECT(SYSTEM(recvfrom, *(int *)argument, &byte, 1, 0, NULL, NULL) == 1);
    sleep_ms(caller, 25);
    EXPECT(SYSTEM(write, pair[1], &byte, 1) == 1);
}

/* A program that knows nothing of worlds: runs in a process of its own, its exit status is the
 * number of what went wrong. */
static int program(void)
{
    struct dry_caller caller = dry_current_caller();
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t length = sizeof to;
    uint32_t task;
    char byte = 0;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int inlet = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
    const int outlet = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
    EXPECT(SYSTEM(bind, inlet, (struct sockaddr *)&to, sizeof to) == 0);
    EXPECT(SYSTEM(getsockname, inlet, (struct sockaddr *)&to, &length) == 0);
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    EXPECT(SYSTEM(spawn, answer, &inlet, &task) == 0);
    EXPECT(SYSTEM(sendto, outlet, "z", 1, 0, (struct sockaddr *)&to, sizeof to) == 1);
    EXPECT(SYSTEM(read, pair[0], &byte, 1) == 1 && byte == 'z');
    EXPECT(now_of(caller) == 25 * MS);
    EXPECT(SYSTEM(join, task) == 0);
    return failures;
}

static int status_of(int (*entry)(void))
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        failures = 0;
        sim_destroy(sim); /* a program that makes no world */
        _exit(entry());
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void no_world__first_call__one_host_with_loopback_and_main_is_a_task(void **state)
{
    unsetenv("DRYSOCK_WORLD");
    assert_int_equal(status_of(program), 0);
}

static int ask_for_name(void)
{
    struct dry_caller caller = dry_current_caller();
    char name[64] = "";
    EXPECT(SYSTEM(gethostname, name, sizeof name) == 0 && strcmp(name, "alpha") == 0);
    return failures;
}

static int with_head(const char *text, int (*entry)(void))
{
    char name[] = "/tmp/drysock-head-XXXXXX";
    const int file = mkstemp(name);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    setenv("DRYSOCK_WORLD", name, 1);
    const int status = status_of(entry);
    unsetenv("DRYSOCK_WORLD");
    unlink(name);
    return status;
}

static void head_lines__first_call__main_runs_on_the_first_host(void **state)
{
    assert_int_equal(with_head("# two hosts\n"
                               "host alpha 10.0.0.1 fd00::1\n"
                               "host beta 10.0.0.2\n"
                               "link alpha beta delay=2.5ms loss=0.5% rate=10mbit mtu=1400\n"
                               "set alpha net.ipv4.tcp_syn_retries 2\n"
                               "hosts alpha 10.0.0.2 beta.example beta\n"
                               "resolver alpha nameserver 10.0.0.2\n"
                               "nameserver beta\n"
                               "record www.example A 10.0.0.2\n"
                               "seed 5\n",
                               ask_for_name),
                     0);
}

static void wrong_head_line__first_call__says_where_and_exits(void **state)
{
    print_message("(a message about a line is expected here)\n");
    assert_int_equal(with_head("host alpha 10.0.0.1\nlink alpha gamma\n", ask_for_name), 1);
}

static void a_section__first_call__says_where_and_exits(void **state)
{
    print_message("(a message about an actor is expected here)\n");
    assert_int_equal(with_head("host alpha 10.0.0.1\n[actor]\nsleep(1)\n", ask_for_name), 1);
}

static int call_socket_twice(void)
{
    struct dry_caller caller = dry_current_caller();
    for (int i = 0; i < 2; i++) {
        EXPECT(caller.system->call_begin != NULL);
        caller.system->call_begin(caller, "socket", -1);
        const int result = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
        EXPECT(i == 0 ? result >= 0 : result == -EMFILE);
        caller.system->call_end(caller);
    }
    return failures;
}

static void fault_line__programs_own_call__fails(void **state)
{
    assert_int_equal(with_head("host alpha 10.0.0.1\n"
                               "fault main socket#2 errno=EMFILE\n",
                               call_socket_twice),
                     0);
}

static int wait_for_nothing(void)
{
    struct dry_caller caller = dry_current_caller();
    char byte;
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    SYSTEM(read, pair[0], &byte, 1);
    return 0; /* not reached */
}

static void main_waits_for_what_cannot_come__the_program_ends(void **state)
{
    print_message("(a message about waiting tasks is expected here)\n");
    assert_int_equal(status_of(wait_for_nothing), EXIT_FAILURE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_tasks__switch__errno_and_stores_are_each_ones_own),
        TEST(task_decorates_itself__others_do_not_notice),
        TEST(task_waits__calls_made_for_it_from_outside__may_not_wait),
        TEST(task_reads_the_clock_for_ever__it_moves),
        TEST(task_polls_without_waiting__others_get_their_turn),
        TEST(interrupt_after__waits_then__eintr_and_landed),
        TEST(real_file__sendfile__its_bytes_arrive),
        TEST(host__names_and_interfaces__are_the_hosts),
        TEST(second_thread__any_call__not_supported),
        TEST(no_world__first_call__one_host_with_loopback_and_main_is_a_task),
        TEST(head_lines__first_call__main_runs_on_the_first_host),
        TEST(wrong_head_line__first_call__says_where_and_exits),
        TEST(a_section__first_call__says_where_and_exits),
        TEST(fault_line__programs_own_call__fails),
        TEST(main_waits_for_what_cannot_come__the_program_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
