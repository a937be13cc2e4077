/* Tests of programs' families: fork, wait, zombies, orphans, groups and sessions, vfork, exec.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "sim/call/family.h"
#include "sim/call/pending.h"

static int child_process, child_task;
static struct sim_process_id child;
static struct sim_task_id in_child;

static int begin_leader(void **state)
{
    begin_program(state);
    sim_task_at(world, one)->tid = sim_process_at(world, process)->pid;
    return 0;
}

static int fork_one(int flags)
{
    const int pid = (int)sim_call_fork(world, one, flags, &child_process, &child_task);
    assert_true(pid > 0);
    child.index = (uint32_t)child_process;
    in_child.index = (uint32_t)child_task;
    return pid;
}

static void ends(struct sim_process_id id, int status)
{
    sim_process_exit(world, id, status);
    assert_nobody_runs();
}

/* ---- fork -------------------------------------------------------------------------------------- */

static void fork__child__has_what_it_inherits_and_no_more(void **state)
{
    const struct sim_action action = {.handler = 77, .flags = SA_RESTART};
    const uint64_t mask = sim_signal_bit(SIGUSR2);
    const int fd = (int)sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0);
    sim_call_rt_sigaction(world, one, SIGUSR1, &action, NULL);
    sim_call_rt_sigprocmask(world, one, SIG_SETMASK, &mask, NULL);
    sim_call_tkill(world, one, (int)sim_task_at(world, one)->tid, SIGUSR2);
    sim_call_alarm(world, one, 5);
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_getpid(world, in_child), pid);
    assert_int_equal(sim_call_gettid(world, in_child), pid);
    assert_int_equal(sim_call_getppid(world, in_child), sim_call_getpid(world, one));
    assert_int_equal(sim_call_getpgid(world, in_child, 0), sim_call_getpid(world, one));
    assert_int_equal(sim_call_fcntl(world, in_child, fd, F_GETFD, 0), 0);
    struct sim_action got;
    assert_int_equal(sim_call_rt_sigaction(world, in_child, SIGUSR1, NULL, &got), 0);
    assert_memory_equal(&got, &action, sizeof got);
    uint64_t set;
    assert_int_equal(sim_call_rt_sigprocmask(world, in_child, 0, NULL, &set), 0);
    assert_int_equal(set, mask);
    assert_int_equal(sim_signal_pending(world, in_child), 0);
    assert_int_equal(sim_call_alarm(world, in_child, 0), 0);
    assert_int_equal(sim_call_alarm(world, one, 0), 5);
    assert_true(sim_process_at(world, child)->memory != sim_process_at(world, process)->memory);
    assert_int_equal(sim_call_fork(world, one, 2, &child_process, &child_task), -EOPNOTSUPP);
}

/* ---- wait -------------------------------------------------------------------------------------- */

static void child_lives__wait__returns_when_it_ended(void **state)
{
    int status = 0;
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_wait4(world, one, -1, &status, WNOHANG), 0);
    assert_int_equal(sim_call_wait4(world, one, -1, &status, 0), SIM_WAIT);
    sim_process_exit(world, child, 0x107);
    assert_runs(one);
    assert_int_equal(sim_call_wait4(world, one, -1, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(sim_call_wait4(world, one, -1, &status, 0), -ECHILD);
    assert_int_equal(sim_call_wait4(world, one, -1, &status, WNOHANG), -ECHILD);
}

static void child_killed__wait__tells_by_what(void **state)
{
    int status = 0;
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_kill(world, one, pid, SIGTERM), 0);
    assert_nobody_runs();
    assert_int_equal(sim_call_kill(world, one, pid, SIGTERM), 0); /* a zombie is found */
    siginfo_t information;
    assert_int_equal(sim_call_waitid(world, one, P_PID, pid, &information, WEXITED | WNOWAIT), 0);
    assert_int_equal(information.si_code, CLD_KILLED);
    assert_int_equal(information.si_status, SIGTERM);
    assert_int_equal(information.si_pid, pid);
    assert_int_equal(sim_call_wait4(world, one, pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(sim_call_kill(world, one, pid, 0), -ESRCH);
}

static void two_children__wait_for_one__the_other_is_left(void **state)
{
    const int first = fork_one(0);
    const struct sim_process_id first_id = child;
    assert_runs(in_child);
    const int second = fork_one(0);
    assert_runs(in_child);
    ends(first_id, 1);
    ends(child, 2);
    assert_int_equal(sim_call_wait4(world, one, second, NULL, 0), second);
    assert_int_equal(sim_call_wait4(world, one, second, NULL, 0), -ECHILD);
    assert_int_equal(sim_call_wait4(world, one, 0, NULL, 0), first);
}

static void group_of_the_child__wait_for_groups__only_its_own(void **state)
{
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_setpgid(world, in_child, 0, 0), 0);
    assert_int_equal(sim_call_wait4(world, one, 0, NULL, WNOHANG), -ECHILD);
    assert_int_equal(sim_call_wait4(world, one, -pid, NULL, WNOHANG), 0);
    ends(child, 0);
    assert_int_equal(sim_call_wait4(world, one, -pid, NULL, WNOHANG), pid);
    assert_int_equal(sim_call_wait4(world, one, INT32_MIN, NULL, 0), -ESRCH);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0x100), -EINVAL);
    assert_int_equal(sim_call_waitid(world, one, P_ALL, 0, NULL, WNOHANG), -EINVAL);
    assert_int_equal(sim_call_waitid(world, one, P_PID, 0, NULL, WEXITED), -EINVAL);
    assert_int_equal(sim_call_waitid(world, one, 9, 0, NULL, WEXITED), -EINVAL);
}

static void wait__handler_runs__eintr_or_restart(void **state)
{
    const struct sim_action plain = {.handler = 77}, restarts = {.handler = 77, .flags = SA_RESTART};
    const int self = (int)sim_task_at(world, one)->tid;
    fork_one(0);
    assert_runs(in_child);
    sim_call_rt_sigaction(world, one, SIGUSR1, &plain, NULL);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), SIM_WAIT);
    sim_call_tkill(world, in_child, self, SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), -EINTR);
    sim_call_rt_sigaction(world, one, SIGUSR1, &restarts, NULL);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), SIM_RESTART);
}

/* ---- SIGCHLD ----------------------------------------------------------------------------------- */

static void parent_handles_sigchld__child_ends__told_with_its_status(void **state)
{
    const struct sim_action action = {.handler = 77};
    sim_call_rt_sigaction(world, one, SIGCHLD, &action, NULL);
    const int pid = fork_one(0);
    assert_runs(in_child);
    ends(child, 3);
    struct sim_signal signal;
    uint64_t overrun;
    assert_true(sim_signal_dequeue(world, one, UINT64_MAX, &signal, &overrun));
    siginfo_t information;
    sim_signal_fill(world, &signal, overrun, &information);
    assert_int_equal(information.si_signo, SIGCHLD);
    assert_int_equal(information.si_code, CLD_EXITED);
    assert_int_equal(information.si_pid, pid);
    assert_int_equal(information.si_status, 3);
}

static void parent_ignores_sigchld__child_ends__no_zombie(void **state)
{
    const struct sim_action ignore = {.handler = 1};
    sim_call_rt_sigaction(world, one, SIGCHLD, &ignore, NULL);
    fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), SIM_WAIT);
    sim_process_exit(world, child, 3);
    assert_runs(one);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), -ECHILD);
}

static void parent_wants_no_zombies__child_ends__signal_and_no_zombie(void **state)
{
    const struct sim_action action = {.handler = 77, .flags = SA_NOCLDWAIT};
    sim_call_rt_sigaction(world, one, SIGCHLD, &action, NULL);
    fork_one(0);
    assert_runs(in_child);
    ends(child, 3);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, WNOHANG), -ECHILD);
    assert_int_equal(sim_signal_pending(world, one), sim_signal_bit(SIGCHLD));
}

static void parent_ends_first__child__is_inits_and_leaves_no_zombie(void **state)
{
    int grandchild, its_task;
    fork_one(0);
    assert_runs(in_child);
    assert_true(sim_call_fork(world, in_child, 0, &grandchild, &its_task) > 0);
    const struct sim_task_id in_grandchild = {(uint32_t)its_task};
    const struct sim_process_id grandchild_id = {(uint32_t)grandchild};
    assert_runs(in_grandchild);
    ends(child, 0);
    assert_int_equal(sim_call_getppid(world, in_grandchild), 1);
    ends(grandchild_id, 0);
    assert_int_equal(sim_process_at(world, grandchild_id)->waitable, SIM_WAITABLE_NOT);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), sim_process_at(world, child)->pid);
    assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), -ECHILD);
}

static void children_for_ever__waited_for__no_record_is_lost(void **state)
{
    for (int i = 0; i < 300; i++) {
        const int pid = fork_one(0);
        assert_runs(in_child);
        ends(child, 0);
        assert_int_equal(sim_call_wait4(world, one, -1, NULL, 0), pid);
    }
    assert_true(world->pools[SIM_POOL_PROCESS].high_water < 100);
    assert_true(world->pools[SIM_POOL_TASK].high_water < 100);
    assert_true(world->pools[SIM_POOL_ACTIONS].live_count == 0);
}

/* ---- groups and sessions ------------------------------------------------------------------------ */

static void groups__kill_by_group__reaches_its_members(void **state)
{
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_setpgid(world, one, pid, 0), 0);
    assert_int_equal(sim_call_getpgid(world, one, pid), pid);
    assert_int_equal(sim_call_kill(world, one, -pid, SIGTERM), 0);
    assert_int_equal(sim_process_at(world, child)->killed_by, SIGTERM);
    assert_int_equal(sim_process_at(world, process)->killed_by, 0);
    assert_int_equal(sim_call_kill(world, one, -77777, SIGTERM), -ESRCH);
}

static void own_group__kill_0__all_of_it(void **state)
{
    fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_kill(world, one, 0, SIGTERM), 0);
    assert_int_equal(sim_process_at(world, child)->killed_by, SIGTERM);
    assert_int_equal(sim_process_at(world, process)->killed_by, SIGTERM);
}

static void sessions__setsid_and_setpgid__their_rules(void **state)
{
    const int self = (int)sim_call_getpid(world, one);
    const int pid = fork_one(0);
    assert_runs(in_child);
    assert_int_equal(sim_call_setsid(world, one), -EPERM);        /* leads a group */
    assert_int_equal(sim_call_setpgid(world, one, 0, 0), -EPERM); /* leads a session */
    assert_int_equal(sim_call_setpgid(world, in_child, 0, -1), -EINVAL);
    assert_int_equal(sim_call_setpgid(world, in_child, self, 0), -ESRCH);
    assert_int_equal(sim_call_setpgid(world, in_child, 77777, 0), -ESRCH);
    assert_int_equal(sim_call_setpgid(world, in_child, 0, 77777), -EPERM);
    assert_int_equal(sim_call_setsid(world, in_child), pid);
    assert_int_equal(sim_call_getsid(world, one, pid), pid);
    assert_int_equal(sim_call_setpgid(world, one, pid, self), -EPERM); /* in another session */
    assert_int_equal(sim_call_getsid(world, one, 77777), -ESRCH);
}

static void set_tid__number_of_the_real_system__known_by_it(void **state)
{
    assert_int_equal(sim_call_set_tid(world, one, (int)one.index, 4242), 0);
    assert_int_equal(sim_call_getpid(world, one), 4242);
    assert_int_equal(sim_call_gettid(world, one), 4242);
    assert_int_equal(sim_call_getpgid(world, one, 4242), 4242);
    fork_one(0);
    assert_int_equal(sim_call_set_tid(world, one, child_task, 4242), -EEXIST);
    assert_int_equal(sim_call_set_tid(world, one, child_task, 0), -EINVAL);
}

/* ---- vfork and exec ----------------------------------------------------------------------------- */

static void vfork__child_executes__the_parent_goes_on(void **state)
{
    static uint32_t word;
    const struct sim_action action = {.handler = 77}, ignore = {.handler = 1};
    const int kept = (int)sim_call_socket(world, one, AF_INET, SOCK_DGRAM, 0);
    const int closed = (int)sim_call_socket(world, one, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sim_call_rt_sigaction(world, one, SIGUSR1, &action, NULL);
    sim_call_rt_sigaction(world, one, SIGUSR2, &ignore, NULL);
    fork_one(SIM_FORK_MEMORY);
    assert_true(sim_process_at(world, child)->memory == sim_process_at(world, process)->memory);
    sim_program_vfork(world, one, in_child);
    assert_int_equal(world->running.index, in_child.index);
    sim_call_kill(world, in_child, (int)sim_process_at(world, process)->pid, SIGUSR1);
    assert_nobody_runs(); /* nothing but the child lets it go on */
    sim_program_execute(world, in_child, "new");
    assert_runs(one);
    assert_int_equal(sim_call_fcntl(world, in_child, kept, F_GETFD, 0), 0);
    assert_int_equal(sim_call_fcntl(world, in_child, closed, F_GETFD, 0), -EBADF);
    assert_int_equal(sim_call_fcntl(world, one, closed, F_GETFD, 0), FD_CLOEXEC);
    struct sim_action got;
    sim_call_rt_sigaction(world, in_child, SIGUSR1, NULL, &got);
    assert_int_equal(got.handler, 0);
    sim_call_rt_sigaction(world, in_child, SIGUSR2, NULL, &got);
    assert_int_equal(got.handler, 1);
    assert_true(sim_process_at(world, child)->memory != sim_process_at(world, process)->memory);
    assert_string_equal(sim_process_at(world, child)->name, "new");
    assert_int_equal(sim_call_setpgid(world, one, (int)sim_process_at(world, child)->pid, 0), -EACCES);
    (void)word;
}

static void vfork__child_ends__the_parent_goes_on(void **state)
{
    fork_one(SIM_FORK_MEMORY);
    sim_program_vfork(world, one, in_child);
    sim_process_exit(world, child, 1);
    assert_runs(one);
}

static void exec_of_a_thread__others_end_and_it_leads(void **state)
{
    sim_task_at(world, two)->tid = sim_family_number(world);
    sim_program_execute(world, two, "new");
    assert_int_equal(sim_task_at(world, one)->state, SIM_TASK_ENDED);
    assert_int_equal(sim_task_at(world, three)->state, SIM_TASK_ENDED);
    assert_int_equal(sim_call_gettid(world, two), sim_call_getpid(world, two));
}

#define LEADER(name) cmocka_unit_test_setup_teardown(name, begin_leader, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEADER(fork__child__has_what_it_inherits_and_no_more),
        LEADER(child_lives__wait__returns_when_it_ended),
        LEADER(child_killed__wait__tells_by_what),
        LEADER(two_children__wait_for_one__the_other_is_left),
        LEADER(group_of_the_child__wait_for_groups__only_its_own),
        LEADER(wait__handler_runs__eintr_or_restart),
        LEADER(parent_handles_sigchld__child_ends__told_with_its_status),
        LEADER(parent_ignores_sigchld__child_ends__no_zombie),
        LEADER(parent_wants_no_zombies__child_ends__signal_and_no_zombie),
        LEADER(parent_ends_first__child__is_inits_and_leaves_no_zombie),
        LEADER(children_for_ever__waited_for__no_record_is_lost),
        LEADER(groups__kill_by_group__reaches_its_members),
        LEADER(own_group__kill_0__all_of_it),
        LEADER(sessions__setsid_and_setpgid__their_rules),
        LEADER(set_tid__number_of_the_real_system__known_by_it),
        LEADER(vfork__child_executes__the_parent_goes_on),
        LEADER(vfork__child_ends__the_parent_goes_on),
        LEADER(exec_of_a_thread__others_end_and_it_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
