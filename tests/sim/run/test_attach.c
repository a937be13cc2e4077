/* Tests of programs in a run: threads of other processes as tasks, the turn, deaths, determinism.
 * SPDX-License-Identifier: MIT
 *
 * The children here are what preload/ makes of a program: they attach, add their threads, make calls of
 * the seam. One is made by fork, the other executes this test again with `--attached`. */
#include "attached.h"

/* ---- a program's side --------------------------------------------------------------------------- */

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
    for (int i = 0; i < 300 && !strstr(record, "fin"); i++) {
        SYSTEM(clock_nanosleep, CLOCK_MONOTONIC, 0, &second, NULL);
        usleep(30000); /* the coordinator looks for the dead in real time */
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
    assert_non_null(strstr(waits, "forked[1002] main on alpha: recv on descriptor 0"));
    sim_destroy(sim);
    sim = NULL;
    assert_int_equal(kill(one.pid, 0), -1);
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
