/* Every call of socket.h from where nobody speaks: outside tasks, in other threads, in forked children.
 * SPDX-License-Identifier: MIT
 *
 * None crashes, none makes a world in silence. And calls that make no sense within a run. */
#include <pthread.h>
#include <sys/wait.h>

#include "small_world.h"

#include "../../real/all_calls.h"

/* What needs no system: it works anywhere, or fails by itself. */
static const char *const pure[] = {
    "dry_last_error",
    "dry_error_code_name",
    "dry_set_interrupt_check",
    "dry_value_parse",
    "dry_value_read",
    "dry_value_print",
    "dry_value_print_double",
    "dry_address_from_value",
    "dry_address_to_value",
    "dry_address_parse",
    "dry_address_print",
    "dry_address_inet",
    "dry_address_unix",
    "dry_address_port",
    "dry_gettimeout",
    "dry_getblocking",
    "dry_setdefaulttimeout",
    "dry_getdefaulttimeout",
    "dry_family",
    "dry_type",
    "dry_protocol",
    "dry_fileno",
    "dry_discard_ancillary",
    "dry_cmsg_len",
    "dry_cmsg_space",
    "dry_detach",
    "dry_share",
    "dry_fromshare",
    "dry_ioctl",
    "dry_freeaddrinfo",
    "dry_ntohl",
    "dry_htonl",
    "dry_ntohs",
    "dry_htons",
    "dry_inet_aton",
    "dry_inet_ntoa",
    "dry_inet_pton",
    "dry_inet_ntop",
    "dry_constants",
    "dry_constant_find",
    "dry_constant_text",
    "dry_version",
    "dry_makefile",
    NULL,
};

/* These answer from the machine's own files, or are refused for what they are given. */
static const char *const own_answer[] = {"dry_getservbyname", "dry_getservbyport", "dry_getprotobyname",
                                         "dry_sendmsg_afalg", "dry_getfqdn",       NULL};

static struct dry_socket *sockets[ALL_CALLS];
static const char *wanted_words;
static int wrong;

static void make_sockets(void *argument)
{
    for (int i = 0; i < ALL_CALLS; i++) {
        sockets[i] = dry_socket(AF_INET, SOCK_STREAM, 0);
        EXPECT(sockets[i] != NULL);
    }
}

/* Some of the calls give the sockets up and some refuse to: who is left is the leak sanitizer's
 * question what to let pass; so is what a forked child has of its parent. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:dry_socket_wrap\nleak:_cmocka_run_group_tests\n";
}

static bool failed(const struct call *call, int64_t result)
{
    const bool zero_fails = call->result == RESULT_POINTER || call->result == RESULT_TRUTH ||
                            strcmp(call->name, "dry_now") == 0;
    const bool tells_errno = strcmp(call->name, "dry_connect_ex") == 0;
    return zero_fails ? result == 0 : tells_errno ? result != 0 : result < 0;
}

static void *call_all(void *argument)
{
    for (int i = 0; i < ALL_CALLS; i++) {
        const struct call *call = &all_calls[i];
        the_socket = sockets[i];
        renew_arguments();
        const int64_t result = call->make();
        if (call->result == RESULT_NOTHING || is_one_of(call->name, pure) ||
            is_one_of(call->name, own_answer)) {
            continue;
        }
        const struct dry_error *error = dry_last_error();
        const bool told = strcmp(call->name, "dry_connect_ex") == 0
                              ? result == ENOTSUP
                              : error->kind == DRY_ERROR_UNSUPPORTED && error->code == ENOTSUP &&
                                    strstr(error->message, wanted_words);
        if (!failed(call, result) || !told) {
            print_error("%s: %lld, kind %d, code %d: %s\n", call->name, (long long)result, error->kind,
                        error->code, error->message);
            wrong++;
        }
    }
    wrong += dry_current_caller().world != NULL; /* nobody made one */
    return NULL;
}

static void outside_ones_tasks__any_call__refused_and_no_world_is_made(void **state)
{
    spawn("maker", make_sockets, NULL);
    assert_outcome(SIM_IDLE);
    wrong = 0;
    wanted_words = "make this call in a task";
    call_all(NULL);
    assert_int_equal(wrong, 0);
}

static void second_thread__any_call__refused_with_the_way(void **state)
{
    pthread_t thread;
    spawn("maker", make_sockets, NULL);
    assert_outcome(SIM_IDLE);
    wrong = 0;
    wanted_words = "drysock exec";
    assert_int_equal(pthread_create(&thread, NULL, call_all, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
}

/* ---- programs that make no world ---------------------------------------------------------------- */

static int status_of(int (*program)(void))
{
    int status;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        sim_destroy(sim);
        _exit(program());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int program_that_forks(void)
{
    int status;
    for (int i = 0; i < ALL_CALLS; i++) {
        sockets[i] = dry_socket(AF_INET, SOCK_STREAM, 0);
    }
    const uint64_t before = dry_now();
    wrong = 0;
    wanted_words = "drysock exec";
    const pid_t child = fork();
    if (child == 0) {
        call_all(NULL);
        _exit(wrong);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return 1;
    }
    return dry_sleep_until(before + MS) == 0 && dry_now() == before + MS ? 0
                                                                         : 2; /* the parent goes on */
}

static void program_forks__child_is_refused_with_the_way_and_the_parent_goes_on(void **state)
{
    assert_int_equal(status_of(program_that_forks), 0);
}

static void fork_in_task(void *argument)
{
    int *status = argument;
    const pid_t child = fork();
    if (child == 0) {
        const bool refused = dry_socket(AF_INET, SOCK_STREAM, 0) == NULL &&
                             strstr(dry_last_error()->message, "drysock exec");
        if (!refused) {
            _exit(3);
        }
        return; /* and with its task the child ends: main does not go on there */
    }
    waitpid(child, status, 0);
}

static int program_whose_task_forks(void)
{
    int status = -1;
    struct dry_task *task = dry_spawn(fork_in_task, &status);
    if (dry_join(task) != 0 || !WIFEXITED(status)) {
        return 1;
    }
    return WEXITSTATUS(status);
}

static void programs_task_forks__child_is_refused_and_ends_with_it(void **state)
{
    assert_int_equal(status_of(program_whose_task_forks), 0);
}

/* ---- calls that make no sense in the midst of a run --------------------------------------------- */

static void destroy_own_world(void *argument)
{
    sim_destroy(sim);
    note("x");
}

static void run_own_world(void *argument)
{
    sim_run(sim);
    note("x");
}

static void run_until_own_world(void *argument)
{
    sim_run_until(sim, 5);
    note("x");
}

static void expect_own_failure(void (*entry)(void *), const char *words)
{
    const char *message;
    const int task = spawn("within", entry, NULL);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_FAILED);
    assert_int_equal(sim_task_status(sim, task, &message), -ECANCELED);
    assert_string_equal(message, words);
    assert_string_equal(order, "g");
}

static void task_destroys_its_world__fails__world_goes_on(void **state)
{
    expect_own_failure(destroy_own_world, "sim_destroy within a run of the same world");
}

static void task_runs_its_world__fails__world_goes_on(void **state)
{
    expect_own_failure(run_own_world, "sim_run within a run of the same world");
}

static void task_runs_its_world_until__fails__world_goes_on(void **state)
{
    expect_own_failure(run_until_own_world, "sim_run_until within a run of the same world");
}

static int reset_result;

static void callback(void *argument)
{
    sim_destroy(sim);
    reset_result = sim_reset(sim, 1);
    assert_int_equal(sim_run(sim), SIM_FAILED);
    note("c");
}

static void callback_ends_or_runs_its_world__told_and_nothing_done(void **state)
{
    print_message("(three messages about a run are expected here)\n");
    assert_int_equal(sim_at(sim, MS, callback, NULL), 0);
    spawn("good", sleep_and_note, "g");
    assert_outcome(SIM_IDLE);
    assert_int_equal(reset_result, -EBUSY);
    assert_string_equal(order, "cg");
}

static jmp_buf runner;

static void jump_from_callback(void *argument)
{
    longjmp(runner, 1);
}

static void callbacks_assertion_fails__world_can_be_used_and_destroyed(void **state)
{
    assert_int_equal(sim_at(sim, MS, jump_from_callback, NULL), 0);
    spawn("good", sleep_and_note, "g");
    if (setjmp(runner) == 0) {
        sim_run(sim);
        fail_msg("the callback did not jump");
    }
    assert_outcome(SIM_IDLE);
    assert_string_equal(order, "g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outside_ones_tasks__any_call__refused_and_no_world_is_made),
        TEST(second_thread__any_call__refused_with_the_way),
        TEST(program_forks__child_is_refused_with_the_way_and_the_parent_goes_on),
        TEST(programs_task_forks__child_is_refused_and_ends_with_it),
        TEST(task_destroys_its_world__fails__world_goes_on),
        TEST(task_runs_its_world__fails__world_goes_on),
        TEST(task_runs_its_world_until__fails__world_goes_on),
        TEST(callback_ends_or_runs_its_world__told_and_nothing_done),
        TEST(callbacks_assertion_fails__world_can_be_used_and_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
