/* Tasks of the kernel that nobody joins, joins of every kind, and errors of the kernel's name calls.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <drysock/socket.h>

static atomic_int ran;
static sem_t gate;

static void count(void *argument)
{
    ran++;
}

static void wait_at_the_gate(void *argument)
{
    sem_wait(&gate);
    ran++;
}

static int begin(void **state)
{
    ran = 0;
    return sem_init(&gate, 0, 0);
}

static void expect_os_error(int code)
{
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_OS);
    assert_int_equal(dry_last_error()->code, code);
}

/* Address space in MiB: an unjoined thread that is not detached keeps its whole stack. */
static long mapped_mib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    return pages / (1024 * 1024 / sysconf(_SC_PAGESIZE));
}

static void wait_until_ran(int wanted)
{
    while (ran < wanted) {
        usleep(1000);
    }
}

/* ---- tasks that end ----------------------------------------------------------------------------- */

static void thousands_of_tasks__nobody_joins__their_stacks_are_gone(void **state)
{
    enum { TASKS = 4000, BATCH = 50 };
    const long before = mapped_mib();
    for (int i = 0; i < TASKS; i++) {
        assert_non_null(dry_spawn(count, NULL));
        if (i % BATCH == BATCH - 1) {
            wait_until_ran(i + 1);
        }
    }
    wait_until_ran(TASKS);
    assert_in_range(mapped_mib() - before, 0, 4096); /* of 32 GiB */
}

static void task_ended__joined_late__once(void **state)
{
    struct dry_task *task = dry_spawn(count, NULL);
    wait_until_ran(1);
    usleep(20000); /* it ends by itself now */
    assert_int_equal(dry_join(task), 0);
    assert_int_equal(dry_join(task), -1);
    expect_os_error(ESRCH);
}

static void many_tasks_ended__joined_in_any_order__once_each(void **state)
{
    enum { TASKS = 40 };
    struct dry_task *handles[TASKS];
    for (int i = 0; i < TASKS; i++) {
        handles[i] = dry_spawn(count, NULL);
        assert_non_null(handles[i]);
    }
    for (int i = TASKS - 1; i >= 0; i--) {
        assert_int_equal(dry_join(handles[i]), 0);
    }
    assert_int_equal(ran, TASKS);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(dry_join(handles[i]), -1);
        expect_os_error(ESRCH);
    }
}

static struct dry_task *shared;
static atomic_int joined;

static void join_shared(void *argument)
{
    joined += dry_join(shared) == 0;
}

static void two_join_one_task__one_gets_it(void **state)
{
    joined = 0;
    shared = dry_spawn(wait_at_the_gate, NULL);
    struct dry_task *first = dry_spawn(join_shared, NULL);
    struct dry_task *second = dry_spawn(join_shared, NULL);
    usleep(20000);
    sem_post(&gate);
    assert_int_equal(dry_join(first), 0);
    assert_int_equal(dry_join(second), 0);
    assert_int_equal(joined, 1);
    assert_int_equal(dry_join(shared), -1);
    expect_os_error(ESRCH);
}

static void join_oneself(void *argument)
{
    sem_wait(&gate);
    joined = dry_join(shared) == -1 && dry_last_error()->code == EDEADLK;
}

static void task_joins_itself__deadlock_is_told__and_others_join_it(void **state)
{
    joined = 0;
    shared = dry_spawn(join_oneself, NULL);
    sem_post(&gate);
    assert_int_equal(dry_join(shared), 0);
    assert_int_equal(joined, 1);
}

static void leave_in_the_middle(void *argument)
{
    ran++;
    pthread_exit(NULL);
}

static void task_leaves_by_pthread_exit__joined(void **state)
{
    assert_int_equal(dry_join(dry_spawn(leave_in_the_middle, NULL)), 0);
    struct dry_task *late = dry_spawn(leave_in_the_middle, NULL);
    wait_until_ran(2);
    usleep(20000);
    assert_int_equal(dry_join(late), 0);
}

static void no_task__joined__unknown(void **state)
{
    assert_int_equal(dry_join(NULL), -1);
    expect_os_error(ESRCH);
    assert_int_equal(dry_join((struct dry_task *)(uintptr_t)999999), -1);
    expect_os_error(ESRCH);
}

/* ---- a join that is stopped --------------------------------------------------------------------- */

static struct dry_system interrupted;
static int interruptions;

static int join_interrupted(struct dry_caller caller, uint32_t task)
{
    return interruptions-- > 0 ? -EINTR : dry_provider()->join(caller, task);
}

static int stop(void *argument)
{
    return 7;
}

static void join_stopped__task_may_be_joined_again(void **state)
{
    interrupted = *dry_provider();
    interrupted.join = join_interrupted;
    interruptions = 1;
    dry_set_current_caller((struct dry_caller){.system = &interrupted});
    dry_set_interrupt_check(stop, NULL);
    struct dry_task *task = dry_spawn(wait_at_the_gate, NULL);
    assert_int_equal(dry_join(task), -1);
    assert_int_equal(dry_last_error()->kind, DRY_ERROR_INTERRUPTED);
    assert_int_equal(dry_last_error()->code, 7);
    assert_int_equal(ran, 0);
    sem_post(&gate);
    assert_int_equal(dry_join(task), 0);
    assert_int_equal(ran, 1);
    assert_int_equal(dry_join(task), -1);
    expect_os_error(ESRCH);
    dry_set_interrupt_check(NULL, NULL);
    dry_set_current_caller((struct dry_caller){0});
}

/* ---- name calls that fail in the system --------------------------------------------------------- */

/* These stand before the C library's own. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    errno = EMFILE;
    return strcmp(node, "system") == 0 ? EAI_SYSTEM : EAI_AGAIN;
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_bytes,
                char *service, socklen_t service_bytes, int flags)
{
    errno = ENFILE;
    return flags == 0 ? EAI_SYSTEM : EAI_FAMILY;
}

static void name_call_fails_in_the_system__errno_is_told(void **state)
{
    struct dry_caller caller = dry_current_caller();
    struct addrinfo *list = NULL;
    int error = -1;
    assert_int_equal(caller.system->getaddrinfo(caller, "system", NULL, NULL, &list, &error),
                     EAI_SYSTEM);
    assert_int_equal(error, EMFILE);
    assert_int_equal(caller.system->getaddrinfo(caller, "other", NULL, NULL, &list, &error), EAI_AGAIN);
    assert_int_equal(error, 0);
    assert_int_equal(caller.system->getnameinfo(caller, NULL, 0, NULL, 0, NULL, 0, 0, &error),
                     EAI_SYSTEM);
    assert_int_equal(error, ENFILE);
    assert_int_equal(caller.system->getnameinfo(caller, NULL, 0, NULL, 0, NULL, 0, 1, &error),
                     EAI_FAMILY);
    assert_int_equal(error, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thousands_of_tasks__nobody_joins__their_stacks_are_gone),
        TEST(task_ended__joined_late__once),
        TEST(many_tasks_ended__joined_in_any_order__once_each),
        TEST(two_join_one_task__one_gets_it),
        TEST(task_joins_itself__deadlock_is_told__and_others_join_it),
        TEST(task_leaves_by_pthread_exit__joined),
        TEST(no_task__joined__unknown),
        TEST(join_stopped__task_may_be_joined_again),
        TEST(name_call_fails_in_the_system__errno_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
