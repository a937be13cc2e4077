/* Tests of the public sim.h: building, running, outcomes, failures, determinism, copies, packets.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <drysock/sim.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct sim *sim;
static int alpha, beta, link_number, process;
static char order[64];

static const uint64_t MS = 1000000;

#define SYSTEM(call, ...) caller.system->call(caller, __VA_ARGS__)
/* In a task: ends it when something is not as expected; sim_run then says so. */
#define EXPECT(what)                                                        \
    do {                                                                    \
        if (!(what)) {                                                      \
            sim_task_fail("%s:%d: expected %s", __FILE__, __LINE__, #what); \
        }                                                                   \
    } while (0)

static void build(void)
{
    const struct sim_link_options slow = {.delay_ns = 20 * MS};
    alpha = sim_add_host(sim, "alpha", "10.0.0.1 fd00::1");
    beta = sim_add_host(sim, "beta", "10.0.0.2/16");
    link_number = sim_add_link(sim, alpha, beta, &slow);
    process = sim_add_process(sim, alpha, "p");
    assert_true(alpha > 0 && beta > 0 && link_number > 0 && process > 0);
    memset(order, 0, sizeof order);
}

static void make(uint64_t seed)
{
    const struct sim_options options = {.seed = seed, .check = 1, .watchdog_ns = 30 * MS};
    sim = sim_create(&options);
    assert_non_null(sim);
    build();
}

static int begin(void **state)
{
    make(7);
    return 0;
}

static int end(void **state)
{
    sim_destroy(sim);
    sim = NULL;
    return 0;
}

static int spawn(const char *name, void (*entry)(void *), void *argument)
{
    const int task = sim_spawn(sim, process, name, entry, argument);
    assert_true(task > 0);
    return task;
}

#define assert_outcome(expected)                         \
    do {                                                 \
        const enum sim_outcome outcome = sim_run(sim);   \
        if (outcome != (expected) && sim_failure(sim)) { \
            print_error("%s\n", sim_failure(sim));       \
        }                                                \
        assert_int_equal(outcome, expected);             \
    } while (0)

static void sleep_ms(long ms)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {ms / 1000, ms % 1000 * 1000000};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == 0);
}

static void note(void *argument)
{
    strcat(order, argument);
}

static void sleep_and_note(void *argument)
{
    sleep_ms(10);
    note(argument);
}

/* ---- building ---------------------------------------------------------------------------------- */

static void wrong_arguments__building__errors(void **state)
{
    assert_int_equal(sim_add_host(sim, "alpha", NULL), -EEXIST);
    assert_int_equal(sim_add_host(sim, "c", "10.0.0.1"), -EADDRINUSE);
    assert_int_equal(sim_add_host(sim, "d", "10.0.0.300"), -EINVAL);
    assert_int_equal(sim_add_host(sim, "e", "10.0.0.3/33"), -EINVAL);
    assert_int_equal(sim_find_host(sim, "beta"), beta);
    assert_int_equal(sim_find_host(sim, "nobody"), -ENOENT);
    assert_int_equal(sim_add_link(sim, alpha, 99, NULL), -ENOENT);
    assert_int_equal(sim_add_link(sim, alpha, alpha, NULL), -EINVAL);
    assert_int_equal(sim_add_link(sim, beta, alpha, NULL), -EEXIST);
    assert_int_equal(sim_change_link(sim, 99, 0, false), -ENOENT);
    assert_int_equal(sim_set(sim, alpha, "net.ipv4.tcp_syn_retries", 3), 0);
    assert_int_equal(sim_set(sim, alpha, "net.ipv4.no_such", 3), -ENOENT);
    assert_int_equal(sim_add_process(sim, 99, "p"), -ENOENT);
    assert_int_equal(sim_spawn(sim, 99, "t", note, ""), -ESRCH);
    assert_int_equal(sim_signal_at(sim, 99, 0, SIGUSR1, false), -ESRCH);
    assert_int_equal(sim_signal_action(sim, process, SIGKILL, true, false), -EINVAL);
    assert_int_equal(sim_barrier_wait(sim, 99), -ENOENT);
}

/* ---- outcomes ---------------------------------------------------------------------------------- */

static void tasks_end__idle_at_the_last_ones_instant(void **state)
{
    spawn("a", sleep_and_note, "a");
    const int task = spawn("b", note, "b");
    assert_int_equal(sim_task_status(sim, task, NULL), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "ba");
    assert_int_equal(sim_now(sim), 10 * MS);
    assert_int_equal(sim_task_status(sim, task, NULL), 1);
    assert_string_equal(sim_task_name(sim, task), "b");
    assert_null(sim_failure(sim));
}

static void read_nothing(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    int pair[2];
    char byte;
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    SYSTEM(read, pair[0], &byte, 1);
}

static void task_waits_for_nothing__stuck_and_said_where(void **state)
{
    char waits[256];
    spawn("reader", read_nothing, NULL);
    assert_outcome(SIM_STUCK);
    assert_true(sim_describe_waits(sim, waits, sizeof waits) > 0);
    assert_string_equal(waits, "reader on alpha: read on descriptor 1048576, since 0.000000000 s, "
                               "no deadline\n");
    const size_t whole = strlen(waits);
    assert_int_equal(sim_describe_waits(sim, waits, 5), whole);
    assert_string_equal(waits, "read");
}

static void daemon_waits__does_not_keep_the_world(void **state)
{
    assert_true(sim_spawn_daemon(sim, process, "daemon", read_nothing, NULL) > 0);
    spawn("a", note, "a");
    assert_outcome(SIM_IDLE);
}

static void run_until__stops_at_the_instant(void **state)
{
    spawn("a", sleep_and_note, "a");
    assert_int_equal(sim_run_until(sim, 4 * MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), 4 * MS);
    assert_int_equal(sim_next_at(sim), 10 * MS);
    assert_int_equal(sim_run_until(sim, 100 * MS), SIM_IDLE);
    assert_int_equal(sim_now(sim), 10 * MS);
    assert_int_equal(sim_run_until(sim, 100 * MS), SIM_REACHED);
    assert_int_equal(sim_now(sim), 100 * MS);
}

static void beat_for_ever(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct itimerspec day = {{86400, 0}, {86400, 0}};
    const int timer = SYSTEM(timerfd_create, CLOCK_MONOTONIC, 0);
    uint64_t value;
    EXPECT(SYSTEM(timerfd_settime, timer, 0, &day, NULL) == 0);
    for (;;) {
        EXPECT(SYSTEM(read, timer, &value, sizeof value) == 8);
    }
}

static void only_a_daemon_beats__stuck_after_a_month(void **state)
{
    const uint64_t day = 86400 * 1000 * MS;
    assert_true(sim_spawn_daemon(sim, process, "beat", beat_for_ever, NULL) > 0);
    spawn("reader", read_nothing, NULL);
    assert_outcome(SIM_STUCK);
    assert_in_range(sim_now(sim), 30 * day, 32 * day);
}

/* ---- failures ---------------------------------------------------------------------------------- */

static void go_wrong(void *argument)
{
    sleep_ms(3);
    sim_task_fail("wanted %d", 5);
}

static void task_fails__others_go_on__failed_with_a_line_that_repeats_it(void **state)
{
    const char *message;
    const int task = spawn("bad", go_wrong, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_string_equal(order, "g");
    assert_string_equal(sim_failure(sim), "bad: wanted 5 (at 0.003000000 s, seed 7)");
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_string_equal(message, "wanted 5");
}

static jmp_buf test_runner; /* stands for cmocka's own */

static void jump_out(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    int pair[2];
    EXPECT(SYSTEM(pipe2, pair, 0) == 0);
    longjmp(test_runner, 1);
}

static void assertion_fails_in_a_task__world_notices_and_can_be_used_and_destroyed(void **state)
{
    const int task = spawn("jumper", jump_out, NULL);
    spawn("good", sleep_and_note, "g");
    if (setjmp(test_runner) == 0) {
        sim_run(sim);
        fail_msg("the task did not jump");
    }
    assert_outcome(SIM_FAILED);
    assert_string_equal(order, "g");
    assert_int_equal(sim_task_status(sim, task, NULL), -ECANCELED);
    assert_non_null(strstr(sim_failure(sim), "jumper: "));
    end(state);
    make(8);
    spawn("later", sleep_and_note, "l");
    assert_outcome(SIM_IDLE);
}

static void compute_for_ever(void *argument)
{
    volatile uint64_t turns = 0;
    for (;;) {
        turns++;
    }
}

static void task_computes_without_a_call__watchdog_names_it(void **state)
{
    spawn("busy", compute_for_ever, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_non_null(strstr(sim_failure(sim), "busy: computed for 30 ms without a call"));
    assert_string_equal(order, "g");
}

static void be_killed(void *argument)
{
    sleep_ms(1000);
    note("x");
}

static void unhandled_signal__process_dies__failed_and_said_so(void **state)
{
    const char *message;
    const int task = spawn("victim", be_killed, NULL);
    assert_int_equal(sim_signal_at(sim, task, 5 * MS, SIGTERM, false), 0);
    assert_outcome(SIM_FAILED);
    assert_string_equal(sim_failure(sim), "p: killed by signal 15 (SIGTERM)");
    assert_string_equal(order, "");
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_int_equal(sim_now(sim), 5 * MS);
}

/* ---- instants, barriers, signals, processes ---------------------------------------------------- */

static void instants__functions_are_called_in_order(void **state)
{
    assert_int_equal(sim_at(sim, 7 * MS, note, "7"), 0);
    assert_int_equal(sim_at(sim, 5 * MS, note, "5"), 0);
    assert_int_equal(sim_at(sim, 5 * MS, note, "6"), 0);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "567");
    assert_int_equal(sim_now(sim), 7 * MS);
}

static int barrier;

static void meet(void *argument)
{
    const char *name = argument;
    sleep_ms(name[0] - 'a');
    EXPECT(sim_barrier_wait(sim, barrier) == 0);
    EXPECT(sim_now(sim) == 2 * MS);
    note(argument);
}

static void three_meet__all_go_on_when_the_last_is_there(void **state)
{
    barrier = sim_add_barrier(sim, "here", 3);
    spawn("a", meet, "a");
    spawn("b", meet, "b");
    spawn("c", meet, "c");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "cab");
    assert_int_equal(sim_barrier_wait(sim, barrier), -EDEADLK); /* nobody can wait out here */
}

static void note_twice(void *argument)
{
    note(argument);
    EXPECT(sim_yield(sim) == 0);
    note(argument);
}

static void two_ready__one_yields__the_other_overtakes_it(void **state)
{
    spawn("a", note_twice, "a");
    spawn("b", note_twice, "b");
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "abab");
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_yield(sim), -EDEADLK);
}

static void sleep_interrupted(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct timespec length = {1, 0};
    EXPECT(SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &length, NULL) == -EINTR);
    EXPECT(sim_now(sim) == 30 * MS);
}

static void handled_signal_at_an_instant__wait_ends(void **state)
{
    const int task = spawn("sleeper", sleep_interrupted, NULL);
    assert_int_equal(sim_signal_action(sim, process, SIGUSR1, true, true), 0);
    assert_int_equal(sim_signal_at(sim, task, 30 * MS, SIGUSR1, true), 0);
    assert_outcome(SIM_IDLE);
}

static int shared[2];

static void write_and_exit(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    EXPECT(SYSTEM(pipe2, shared, 0) == 0);
    const int child = sim_fork_process(sim, (int)caller.process);
    EXPECT(child > 0);
    EXPECT(sim_spawn(sim, child, "child", *(void (**)(void *))argument, NULL) > 0);
    EXPECT(SYSTEM(write, shared[1], "hi", 2) == 2);
    sim_end_process(sim, (int)caller.process, 0);
    note("not reached");
}

static void read_to_the_end(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    char bytes[8];
    EXPECT(SYSTEM(close, shared[1]) == 0);
    EXPECT(SYSTEM(read, shared[0], bytes, sizeof bytes) == 2);
    EXPECT(SYSTEM(read, shared[0], bytes, sizeof bytes) == 0);
    note("end");
}

static void process_forks_and_exits__child_reads_what_was_written(void **state)
{
    void (*child)(void *) = read_to_the_end;
    spawn("parent", write_and_exit, &child);
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "end");
}

/* ---- traffic ----------------------------------------------------------------------------------- */

static struct sockaddr_in address(const char *ip, uint16_t port)
{
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &result.sin_addr);
    return result;
}

static void serve(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = address("0.0.0.0", 50007);
    char bytes[64];
    ssize_t count;
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&here, sizeof here) == 0);
    EXPECT(SYSTEM(listen, listener, 1) == 0);
    const int connection = SYSTEM(accept, listener, NULL, NULL, 0);
    EXPECT(connection > 0);
    while ((count = SYSTEM(recvfrom, connection, bytes, sizeof bytes, 0, NULL, NULL)) > 0) {
        EXPECT(SYSTEM(sendto, connection, bytes, (size_t)count, 0, NULL, 0) == count);
    }
    EXPECT(count == 0);
    EXPECT(SYSTEM(close, connection) == 0 && SYSTEM(close, listener) == 0);
}

static void ask(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 50007);
    char bytes[64];
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(sim_now(sim) == 40 * MS);
    EXPECT(SYSTEM(sendto, fd, "hello", 5, 0, NULL, 0) == 5);
    EXPECT(SYSTEM(recvfrom, fd, bytes, 5, MSG_WAITALL, NULL, NULL) == 5);
    EXPECT(memcmp(bytes, "hello", 5) == 0);
    EXPECT(sim_now(sim) == 80 * MS);
    EXPECT(SYSTEM(close, fd) == 0);
}

static void converse(void)
{
    spawn("server", serve, NULL);
    assert_true(sim_spawn(sim, sim_add_process(sim, beta, "q"), "client", ask, NULL) > 0);
}

static void two_hosts__tcp_echo__takes_the_links_time(void **state)
{
    uint64_t packets;
    converse();
    assert_outcome(SIM_IDLE);
    assert_int_equal(sim_now(sim), 100 * MS);
    assert_true(sim_packet_hash(sim, &packets) != 0);
    assert_in_range(packets, 7, 9);
}

static void accept_and_read(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in here = address("0.0.0.0", 50007);
    static char bytes[65536];
    const int listener = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(bind, listener, (const struct sockaddr *)&here, sizeof here) == 0);
    EXPECT(SYSTEM(listen, listener, 1) == 0);
    const int connection = SYSTEM(accept, listener, NULL, NULL, 0);
    sleep_ms(*(const long *)argument);
    while (SYSTEM(recvfrom, connection, bytes, sizeof bytes, 0, NULL, NULL) > 0) {
        continue;
    }
}

static uint64_t lingered_ns;

static void fill_and_close(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 50007);
    const struct linger two_seconds = {1, 2};
    static char bytes[65536];
    int on = 1;
    const int fd = SYSTEM(socket, AF_INET, SOCK_STREAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(SYSTEM(setsockopt, fd, SOL_SOCKET, SO_LINGER, &two_seconds, sizeof two_seconds) == 0);
    EXPECT(SYSTEM(ioctl, fd, FIONBIO, &on) == 0); /* LINUX: it waits all the same */
    while (SYSTEM(sendto, fd, bytes, sizeof bytes, 0, NULL, 0) > 0) {
        continue;
    }
    const uint64_t began = sim_now(sim);
    EXPECT(SYSTEM(close, fd) == 0);
    lingered_ns = sim_now(sim) - began;
}

static void peer_does_not_read__close_with_linger__waits_its_time(void **state)
{
    static const long pause_ms = 100000;
    spawn("reader", accept_and_read, (void *)(uintptr_t)&pause_ms);
    spawn("writer", fill_and_close, NULL);
    assert_outcome(SIM_IDLE);
    assert_int_equal(lingered_ns, 2000 * MS);
}

static void peer_reads__close_with_linger__waits_for_the_last_acknowledgment(void **state)
{
    static const long pause_ms = 300;
    spawn("reader", accept_and_read, (void *)(uintptr_t)&pause_ms);
    spawn("writer", fill_and_close, NULL);
    assert_outcome(SIM_IDLE);
    assert_in_range(lingered_ns, 300 * MS, 1000 * MS);
}

static uint64_t run_seeded(uint64_t seed, uint64_t schedule)
{
    make(seed);
    if (schedule) {
        sim_schedule_seed(sim, schedule);
    }
    converse();
    sim_run_until(sim, 500 * MS);
    uint64_t count;
    const uint64_t hash = sim_fingerprint(sim) ^ sim_packet_hash(sim, &count) ^ count;
    end(NULL);
    return hash;
}

static void same_seed__same_fingerprint_and_another_for_another(void **state)
{
    end(NULL);
    const uint64_t first = run_seeded(1, 0);
    assert_int_equal(run_seeded(1, 0), first);
    assert_int_not_equal(run_seeded(2, 0), first);
    make(1);
}

static void used_world__reset__is_as_new(void **state)
{
    end(NULL);
    const uint64_t fresh = run_seeded(1, 0);
    make(9);
    converse();
    sim_fault_plan_add(sim_faults(sim), "client recv errno=EIO", NULL, 0, NULL);
    sim_run_until(sim, 50 * MS);
    assert_int_equal(sim_reset(sim, 1), 0);
    assert_int_equal(sim_now(sim), 0);
    assert_int_equal(sim_fault_rules(sim_faults(sim)), 0);
    build();
    converse();
    sim_run_until(sim, 500 * MS);
    uint64_t count;
    const uint64_t hash = sim_packet_hash(sim, &count);
    assert_int_equal(sim_fingerprint(sim) ^ hash ^ count, fresh);
}

static void schedule_seeds__ready_tasks_run_in_other_orders(void **state)
{
    bool seen_ab = false, seen_ba = false;
    end(NULL);
    for (uint64_t seed = 1; seed <= 16; seed++) {
        make(1);
        sim_schedule_seed(sim, seed);
        spawn("a", note, "a");
        spawn("b", note, "b");
        assert_outcome(SIM_IDLE);
        seen_ab |= strcmp(order, "ab") == 0;
        seen_ba |= strcmp(order, "ba") == 0;
        end(NULL);
    }
    assert_true(seen_ab && seen_ba);
    make(1);
}

static void copy__equal_and_independent(void **state)
{
    converse();
    sim_run_until(sim, 50 * MS);
    struct sim *copy = sim_copy(sim);
    assert_non_null(copy);
    assert_int_equal(sim_fingerprint(copy), sim_fingerprint(sim));
    const uint64_t before = sim_fingerprint(copy);
    sim_run_until(sim, 300 * MS);
    assert_int_equal(sim_fingerprint(copy), before);
    assert_int_not_equal(sim_fingerprint(sim), before);
    assert_int_equal(sim_run_until(copy, 70 * MS), SIM_REACHED); /* packets, but no code */
    sim_check(copy);
    sim_destroy(copy);
}

static int packets_seen, last_host;
static uint8_t last_packet[2048];
static size_t last_length;

static void see(void *argument, int from, uint64_t now, const void *packet, size_t length)
{
    packets_seen++;
    last_host = from;
    last_length = length;
    assert_true(length <= sizeof last_packet);
    memcpy(last_packet, packet, length);
}

static void refuse(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    const struct sockaddr_in there = address("10.0.0.1", 9);
    char byte;
    const int fd = SYSTEM(socket, AF_INET, SOCK_DGRAM, 0);
    EXPECT(SYSTEM(connect, fd, (const struct sockaddr *)&there, sizeof there) == 0);
    EXPECT(SYSTEM(sendto, fd, "x", 1, 0, NULL, 0) == 1);
    EXPECT(SYSTEM(recvfrom, fd, &byte, 1, 0, NULL, NULL) == -ECONNREFUSED);
}

static void packets__seen_captured_and_injected(void **state)
{
    char name[] = "/tmp/drysock-pcap-XXXXXX";
    close(mkstemp(name));
    packets_seen = 0;
    sim_on_packet(sim, see, NULL);
    assert_int_equal(sim_capture(sim, name), 0);
    assert_int_equal(sim_capture(sim, name), -EBUSY);
    assert_true(sim_spawn(sim, sim_add_process(sim, beta, "q"), "client", refuse, NULL) > 0);
    assert_outcome(SIM_IDLE);
    assert_int_equal(packets_seen, 2); /* the datagram, and what says that nobody is there */
    assert_int_equal(last_host, alpha);
    assert_int_equal(last_packet[0], 0x45);
    assert_int_equal(sim_inject(sim, beta, last_packet, last_length), 0);
    assert_int_equal(sim_inject(sim, beta, last_packet, 3), -EBADMSG);
    assert_int_equal(sim_inject(sim, 99, last_packet, last_length), -ENOENT);
    assert_int_equal(sim_run_until(sim, 200 * MS), SIM_REACHED);
    end(NULL);
    FILE *file = fopen(name, "rb");
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftell(file), 24 + 2 * 16 + 29 + (long)last_length);
    fclose(file);
    unlink(name);
    make(1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_arguments__building__errors),
        TEST(tasks_end__idle_at_the_last_ones_instant),
        TEST(task_waits_for_nothing__stuck_and_said_where),
        TEST(daemon_waits__does_not_keep_the_world),
        TEST(run_until__stops_at_the_instant),
        TEST(only_a_daemon_beats__stuck_after_a_month),
        TEST(task_fails__others_go_on__failed_with_a_line_that_repeats_it),
        TEST(assertion_fails_in_a_task__world_notices_and_can_be_used_and_destroyed),
        TEST(task_computes_without_a_call__watchdog_names_it),
        TEST(unhandled_signal__process_dies__failed_and_said_so),
        TEST(instants__functions_are_called_in_order),
        TEST(three_meet__all_go_on_when_the_last_is_there),
        TEST(two_ready__one_yields__the_other_overtakes_it),
        TEST(handled_signal_at_an_instant__wait_ends),
        TEST(process_forks_and_exits__child_reads_what_was_written),
        TEST(two_hosts__tcp_echo__takes_the_links_time),
        TEST(peer_does_not_read__close_with_linger__waits_its_time),
        TEST(peer_reads__close_with_linger__waits_for_the_last_acknowledgment),
        TEST(same_seed__same_fingerprint_and_another_for_another),
        TEST(used_world__reset__is_as_new),
        TEST(schedule_seeds__ready_tasks_run_in_other_orders),
        TEST(copy__equal_and_independent),
        TEST(packets__seen_captured_and_injected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
