/* Tests of programs in a run: threads of other processes as tasks, the turn, deaths, determinism.
 * SPDX-License-Identifier: MIT
 *
 * The children here are what preload/ makes of a program: they attach, add their threads, make calls of
 * the seam. One is made by fork, the other executes this test again with `--attached`. */
#include "sim/core/block.h"
#include "sim/run/attach.h"
#include "sim/run/run.h"

#include "small_world.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { PORT = 5000, LOG_BYTES = 4096 };

static const char *program_path;
static char *record; /* shared by all processes of a test: what happened, in order */

static void say(const char *what)
{
    assert(strlen(record) + strlen(what) + 1 < LOG_BYTES);
    strcat(record, what);
    strcat(record, " ");
}

/* ---- a program's side --------------------------------------------------------------------------- */

static struct sim *here; /* this process's handle */

struct thread {
    int task;
    uint32_t tid; /* what the kernel would clear */
    void (*body)(struct dry_caller caller, int number);
    int number;
};

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "a program: %s\n", what);
        _exit(99);
    }
}
#define REQUIRE(what) require((what), #what)

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    sim_thread_enter(here, thread->task, getpid());
    thread->body(sim_thread_caller(here, thread->task), thread->number);
    sim_thread_leave(here, thread->task, &thread->tid);
    syscall(SYS_exit, 0);
    return NULL;
}

static void start_thread(struct thread *thread, int process_number, const char *name, int number,
                         void (*body)(struct dry_caller caller, int number))
{
    pthread_t real;
    *thread = (struct thread){sim_thread_add(here, process_number, name, false), 1, body, number};
    REQUIRE(thread->task > 0);
    REQUIRE(pthread_create(&real, NULL, run_thread, thread) == 0);
}

/* As pthread_join: waits for the word that the kernel clears. */
static void join_thread(struct dry_caller caller, struct thread *thread)
{
    while (thread->tid) {
        sim_program_futex(caller, &thread->tid, FUTEX_WAIT, 1, NULL, NULL, 0, 0, NULL, NULL);
    }
}

static int connect_to_server(struct dry_caller caller)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, "10.0.0.2", &to.sin_addr);
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    REQUIRE(fd >= 0);
    REQUIRE(SYSTEM(connect, fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

static void talk(struct dry_caller caller, int number)
{
    char text[32], back[32] = "";
    const int fd = connect_to_server(caller);
    snprintf(text, sizeof text, "t%d", number);
    REQUIRE(SYSTEM(sendto, fd, text, strlen(text), 0, NULL, 0) == (ssize_t)strlen(text));
    REQUIRE(SYSTEM(recvfrom, fd, back, sizeof back - 1, 0, NULL, NULL) == (ssize_t)strlen(text));
    REQUIRE(strcmp(text, back) == 0);
    say(back);
    REQUIRE(SYSTEM(close, fd) == 0);
}

static int pipe_ends[2], pair_ends[2];

static void pass_on(struct dry_caller caller, int number)
{
    char byte;
    REQUIRE(SYSTEM(read, pipe_ends[0], &byte, 1) == 1);
    byte++;
    REQUIRE(SYSTEM(write, pair_ends[1], &byte, 1) == 1);
    say("passed");
}

static void program(struct dry_caller caller, int base)
{
    struct thread threads[3];
    const int number = (int)caller.process;
    char byte = 'a';
    REQUIRE(SYSTEM(pipe2, pipe_ends, 0) == 0 && pipe_ends[0] == 0 && pipe_ends[1] == 1);
    REQUIRE(SYSTEM(socketpair, AF_UNIX, SOCK_STREAM, 0, pair_ends) == 0 && pair_ends[0] == 2);
    start_thread(&threads[0], number, "first", base + 1, talk);
    start_thread(&threads[1], number, "second", base + 2, talk);
    start_thread(&threads[2], number, "passes", 0, pass_on);
    REQUIRE(SYSTEM(write, pipe_ends[1], &byte, 1) == 1);
    REQUIRE(SYSTEM(read, pair_ends[0], &byte, 1) == 1 && byte == 'b');
    talk(caller, base);
    for (int i = 0; i < 3; i++) {
        join_thread(caller, &threads[i]);
    }
    say("joined");
}

static void be_program(int file, int process_number, int task,
                       void (*body)(struct dry_caller caller, int base), int base)
{
    here = sim_attach(file);
    REQUIRE(here != NULL);
    sim_thread_enter(here, task, getpid());
    body(sim_thread_caller(here, task), base);
    sim_process_leave(here, process_number, 7);
    _exit(7);
}

/* ---- the coordinator's -------------------------------------------------------------------------- */

static void serve_one(void *argument)
{
    const struct dry_caller caller = dry_current_caller();
    const int fd = *(int *)argument;
    char bytes[64];
    ssize_t count;
    free(argument);
    while ((count = SYSTEM(recvfrom, fd, bytes, sizeof bytes, 0, NULL, NULL)) > 0) {
        EXPECT(SYSTEM(sendto, fd, bytes, (size_t)count, 0, NULL, 0) == count);
    }
    SYSTEM(close, fd);
    say(count == 0 ? "fin" : "reset");
}

static void serve(void *argument)
{
    const struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&at, sizeof at) == 0);
    EXPECT(SYSTEM(listen, listener, 10) == 0);
    for (;;) {
        uint32_t task;
        int *fd = malloc(sizeof *fd);
        *fd = SYSTEM(accept, listener, NULL, NULL, 0);
        EXPECT(*fd >= 0);
        EXPECT(SYSTEM(spawn, serve_one, fd, &task) == 0);
    }
}

static void make_shared(uint64_t schedule)
{
    const struct sim_options options = {.seed = 7, .check = 1, .shared = 1};
    sim = sim_create(&options);
    assert_non_null(sim);
    assert_true(sim_block_fd(sim) >= 0);
    if (schedule) {
        sim_schedule_seed(sim, schedule);
    }
    build();
    const int server = sim_add_process(sim, beta, "server");
    assert_true(sim_spawn_daemon(sim, server, "server", serve, NULL) > 0);
}

static int begin_shared(void **state)
{
    record = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_shared(0);
    return 0;
}

static int end_shared(void **state)
{
    munmap(record, LOG_BYTES);
    return end(state);
}

struct started {
    int process, task;
    pid_t pid;
};

static struct started start_forked(void (*body)(struct dry_caller caller, int base), int base)
{
    struct started started = {.process = sim_program_add(sim, alpha, "forked")};
    started.task = sim_thread_add(sim, started.process, "main", false);
    assert_true(started.process > 0 && started.task > 0);
    fflush(NULL);
    started.pid = fork();
    if (started.pid == 0) {
        be_program(sim_block_fd(sim), started.process, started.task, body, base);
    }
    sim_process_is(sim, started.process, started.pid);
    return started;
}

static struct started start_executed(int base)
{
    struct started started = {.process = sim_program_add(sim, alpha, "executed")};
    started.task = sim_thread_add(sim, started.process, "main", false);
    started.pid = fork();
    if (started.pid == 0) {
        char words[4][24];
        const int numbers[] = {sim_block_fd(sim), started.process, started.task, base};
        for (int i = 0; i < 4; i++) {
            snprintf(words[i], sizeof words[i], "%d", numbers[i]);
        }
        fcntl(sim_block_fd(sim), F_SETFD, 0);
        execl(program_path, program_path, "--attached", words[0], words[1], words[2], words[3], NULL);
        _exit(97);
    }
    sim_process_is(sim, started.process, started.pid);
    return started;
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void program_with_threads__talks_to_a_fiber__all_end(void **state)
{
    const struct started one = start_forked(program, 10);
    assert_outcome(SIM_IDLE);
    const struct sim_process *record_of = sim_process_at(
        sim->world, (struct sim_process_id){(uint32_t)one.process});
    assert_int_equal(record_of->exit_status, 7);
    assert_non_null(strstr(record, "t10 "));
    assert_non_null(strstr(record, "t11 "));
    assert_non_null(strstr(record, "t12 "));
    assert_non_null(strstr(record, "joined "));
    assert_int_equal(kill(one.pid, 0), -1);
}

static uint64_t one_run(uint64_t schedule, uint64_t *packets, char said[LOG_BYTES])
{
    memset(record, 0, LOG_BYTES);
    sim_destroy(sim);
    make_shared(schedule);
    start_forked(program, 10);
    start_executed(20);
    start_forked(program, 30);
    assert_outcome(SIM_IDLE);
    const uint64_t hash = sim_packet_hash(sim, packets) ^ sim_fingerprint(sim);
    memcpy(said, record, LOG_BYTES);
    return hash;
}

static void three_programs__a_hundred_runs__the_same_each_time(void **state)
{
    char first[LOG_BYTES], again[LOG_BYTES];
    uint64_t packets, packets_again;
    const uint64_t hash = one_run(0, &packets, first);
    assert_true(packets > 60);
    for (int i = 0; i < 99; i++) {
        assert_true(one_run(0, &packets_again, again) == hash);
        assert_int_equal(packets_again, packets);
        assert_string_equal(again, first);
    }
}

static void three_programs__another_schedule__another_order_that_repeats(void **state)
{
    char said[6][LOG_BYTES], again[LOG_BYTES];
    uint64_t packets;
    int others = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        const uint64_t hash = one_run(seed, &packets, said[seed]);
        assert_true(one_run(seed, &packets, again) == hash);
        assert_string_equal(again, said[seed]);
        others += strcmp(said[seed], said[0]) != 0;
    }
    assert_true(others > 2);
}

/* ---- deaths ------------------------------------------------------------------------------------- */

static void die_connected(struct dry_caller caller, int how)
{
    const int fd = connect_to_server(caller);
    const struct timespec rest = {0, 100000000};
    REQUIRE(SYSTEM(sendto, fd, "x", 1, 0, NULL, 0) == 1);
    SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &rest, NULL); /* the echo comes and is not read */
    if (how == SIGKILL) {
        kill(getpid(), SIGKILL);
    }
    signal(how, SIG_DFL);
    raise(how);
}

static void dies_by(int how)
{
    const struct started one = start_forked(die_connected, how);
    assert_int_equal(sim_run(sim), SIM_FAILED);
    const struct sim_process *process_record = sim_process_at(
        sim->world, (struct sim_process_id){(uint32_t)one.process});
    assert_int_equal(process_record->killed_by, how);
    assert_int_equal(process_record->open_descriptors, 0);
    assert_non_null(strstr(sim_failure(sim), "killed by signal"));
    sim_run_until(sim, sim_now(sim) + 1000 * MS);
    assert_non_null(strstr(record, "reset "));
}

static void program_holds_the_turn__killed__its_sockets_end_and_the_run_goes_on(void **state)
{
    dies_by(SIGKILL);
}

static void program_crashes__its_descriptors_are_closed(void **state)
{
    dies_by(SIGSEGV);
}

static void wait_for_ever(struct dry_caller caller, int unused)
{
    char byte;
    const int fd = connect_to_server(caller);
    say("waits");
    SYSTEM(recvfrom, fd, &byte, 1, 0, NULL, NULL);
    say("never");
}

static void kill_it(void *argument)
{
    kill(*(pid_t *)argument, SIGKILL);
    waitid(P_PID, (id_t) * (pid_t *)argument, NULL, WEXITED | WNOWAIT);
}

static void sleep_long(struct dry_caller caller, int unused)
{
    const struct timespec second = {1, 0};
    for (int i = 0; i < 3; i++) {
        SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &second, NULL);
        usleep(30000);
    }
    say("slept");
}

static void program_waits__killed_from_outside__the_other_goes_on(void **state)
{
    const struct started one = start_forked(wait_for_ever, 0);
    start_forked(sleep_long, 0);
    pid_t pid = one.pid;
    assert_int_equal(sim_at(sim, 100 * MS, kill_it, &pid), 0);
    assert_int_equal(sim_run(sim), SIM_FAILED);
    assert_string_equal(record, "waits fin slept ");
}

static void killed_by_the_world(void *argument)
{
    const struct started *started = argument;
    sim_end_process(sim, started->process, 3);
}

static void program_waits__ended_in_the_world__its_real_process_ends_too(void **state)
{
    struct started one = start_forked(wait_for_ever, 0);
    start_forked(sleep_long, 0);
    assert_int_equal(sim_at(sim, 100 * MS, killed_by_the_world, &one), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(record, "waits fin slept ");
    assert_int_equal(kill(one.pid, 0), -1);
}

static void compute(struct dry_caller caller, int unused)
{
    for (volatile int i = 0; i >= 0; i = i < 1000 ? i + 1 : 0) {
        continue;
    }
}

static void program_computes_for_ever__watchdog__ended_and_named(void **state)
{
    sim->watchdog_ns = 100 * MS;
    start_forked(compute, 0);
    assert_int_equal(sim_run(sim), SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "main: computed for too long"));
}

static void program_waits__nothing_can_come__stuck_and_told(void **state)
{
    char waits[256];
    const struct started one = start_forked(wait_for_ever, 0);
    assert_outcome(SIM_STUCK);
    assert_true(sim_describe_waits(sim, waits, sizeof waits) > 0);
    assert_non_null(strstr(waits, "main on alpha: recv on descriptor 0"));
    kill(one.pid, SIGKILL);
    waitpid(one.pid, NULL, 0);
}

/* ---- the block ---------------------------------------------------------------------------------- */

static void no_world_in_the_file__attach__refused(void **state)
{
    const int file = memfd_create("nothing", 0);
    assert_null(sim_attach(file));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(ftruncate(file, 1 << 20), 0);
    assert_null(sim_attach(file));
    assert_int_equal(errno, EINVAL);
    assert_null(sim_attach(-1));
    assert_int_equal(errno, EBADF);
    close(file);
}

static void world_is_not_shared__block_fd__refused(void **state)
{
    struct sim *lonely = sim_create(NULL);
    assert_int_equal(sim_block_fd(lonely), -EINVAL);
    assert_int_equal(sim_program_add(lonely, 1, "p"), -EINVAL);
    sim_destroy(lonely);
}

static void attached__looks__sees_the_same_world_elsewhere(void **state)
{
    struct sim *second = sim_attach(sim_block_fd(sim));
    assert_non_null(second);
    assert_ptr_not_equal(second->world, sim->world);
    assert_int_equal(sim_find_host(second, "beta"), beta);
    assert_true(sim_fingerprint(second) == sim_fingerprint(sim));
    sim_detach(second);
    struct sim *copy = sim_copy(sim);
    assert_non_null(copy);
    assert_true(sim_fingerprint(copy) == sim_fingerprint(sim));
    assert_int_equal(sim_block_fd(copy), -EINVAL);
    sim_destroy(copy);
}

#define SHARED(name) cmocka_unit_test_setup_teardown(name, begin_shared, end_shared)

int main(int count, char **words)
{
    program_path = words[0];
    if (count == 6 && strcmp(words[1], "--attached") == 0) {
        record = calloc(1, LOG_BYTES);
        be_program(atoi(words[2]), atoi(words[3]), atoi(words[4]), program, atoi(words[5]));
    }
    const struct CMUnitTest tests[] = {
        SHARED(program_with_threads__talks_to_a_fiber__all_end),
        SHARED(three_programs__a_hundred_runs__the_same_each_time),
        SHARED(three_programs__another_schedule__another_order_that_repeats),
        SHARED(program_holds_the_turn__killed__its_sockets_end_and_the_run_goes_on),
        SHARED(program_crashes__its_descriptors_are_closed),
        SHARED(program_waits__killed_from_outside__the_other_goes_on),
        SHARED(program_waits__ended_in_the_world__its_real_process_ends_too),
        SHARED(program_computes_for_ever__watchdog__ended_and_named),
        SHARED(program_waits__nothing_can_come__stuck_and_told),
        SHARED(no_world_in_the_file__attach__refused),
        SHARED(world_is_not_shared__block_fd__refused),
        SHARED(attached__looks__sees_the_same_world_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
