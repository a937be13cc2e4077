/* Tests of programs' signals: whom they reach, which waits they end, masks, sigtimedwait, signalfd.
 * SPDX-License-Identifier: MIT */
#include "program.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/call/family.h"
#include "sim/call/pending.h"

static const uint64_t HANDLER = 0x1234;

static void handle(int number, uint64_t flags)
{
    const struct sim_action action = {.handler = HANDLER, .flags = flags};
    assert_int_equal(sim_call_rt_sigaction(world, one, number, &action, NULL), 0);
}

static uint64_t bit(int number)
{
    return sim_signal_bit(number);
}

static void block(struct sim_task_id task, uint64_t set)
{
    assert_int_equal(sim_call_rt_sigprocmask(world, task, SIG_SETMASK, &set, NULL), 0);
}

static int begin_threads(void **state)
{
    begin_program(state);
    sim_task_at(world, one)->tid = sim_process_at(world, process)->pid;
    sim_task_at(world, two)->tid = sim_family_number(world);
    sim_task_at(world, three)->tid = sim_family_number(world);
    return 0;
}

static int pid(void)
{
    return (int)sim_process_at(world, process)->pid;
}

static bool takes(struct sim_task_id task, int number)
{
    struct sim_signal signal;
    uint64_t overrun;
    const uint64_t set = ~sim_task_at(world, task)->blocked_signals;
    return sim_signal_dequeue(world, task, set, &signal, &overrun) && signal.number == number;
}

/* ---- whom -------------------------------------------------------------------------------------- */

static void process_signalled__nobody_blocks__the_leader_takes_it(void **state)
{
    handle(SIGUSR1, 0);
    assert_int_equal(sim_call_pause(world, two), SIM_WAIT);
    assert_int_equal(sim_call_pause(world, one), SIM_WAIT);
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    assert_runs(one);
    assert_int_equal(sim_call_pause(world, one), -EINTR);
    assert_nobody_runs();
    assert_true(takes(one, SIGUSR1));
    assert_false(takes(two, SIGUSR1));
}

static void process_signalled__leader_blocks__another_takes_it(void **state)
{
    handle(SIGUSR1, 0);
    block(one, bit(SIGUSR1));
    assert_int_equal(sim_call_pause(world, one), SIM_WAIT);
    assert_int_equal(sim_call_pause(world, two), SIM_WAIT);
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    assert_runs(two);
    assert_nobody_runs();
    assert_true(takes(two, SIGUSR1));
}

static void process_signalled__all_block__who_unblocks_takes_it(void **state)
{
    uint64_t pending;
    handle(SIGUSR1, 0);
    block(one, bit(SIGUSR1));
    block(two, bit(SIGUSR1));
    block(three, bit(SIGUSR1));
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    assert_int_equal(sim_call_rt_sigpending(world, one, &pending), 0);
    assert_int_equal(pending, bit(SIGUSR1));
    assert_int_equal(sim_call_rt_sigpending(world, two, &pending), 0);
    assert_int_equal(pending, bit(SIGUSR1));
    block(two, 0);
    assert_true(takes(two, SIGUSR1));
    assert_false(takes(two, SIGUSR1)); /* it was sent twice and is pending once */
    assert_int_equal(world->pools[SIM_POOL_PENDING].live_count, 0);
}

static void taker_blocks_it_before_it_took_it__another_gets_it(void **state)
{
    handle(SIGUSR1, 0);
    assert_int_equal(sim_call_pause(world, two), SIM_WAIT);
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    block(one, bit(SIGUSR1));
    assert_runs(two);
    assert_true(takes(two, SIGUSR1));
    assert_int_equal(sim_signal_pending(world, one), 0);
}

static void taker_ends_before_it_took_it__another_gets_it(void **state)
{
    handle(SIGUSR1, 0);
    block(two, bit(SIGUSR1));
    block(three, bit(SIGUSR1));
    assert_int_equal(sim_call_kill(world, three, pid(), SIGUSR1), 0);
    sim_task_end(world, one);
    block(three, 0);
    assert_true(takes(three, SIGUSR1));
}

static void thread_signalled__it_alone_takes_it(void **state)
{
    handle(SIGUSR1, 0);
    block(two, bit(SIGUSR1));
    const int tid = (int)sim_task_at(world, two)->tid;
    assert_int_equal(sim_call_tgkill(world, one, pid(), tid, SIGUSR1), 0);
    assert_false(takes(one, SIGUSR1));
    block(two, 0);
    assert_true(takes(two, SIGUSR1));
    assert_int_equal(sim_call_tgkill(world, one, pid() + 7777, tid, SIGUSR1), -ESRCH);
    assert_int_equal(sim_call_tgkill(world, one, pid(), tid + 7777, SIGUSR1), -ESRCH);
    assert_int_equal(sim_call_tgkill(world, one, pid(), 0, SIGUSR1), -EINVAL);
    assert_int_equal(sim_call_tgkill(world, one, 0, tid, SIGUSR1), -EINVAL);
    assert_int_equal(sim_call_tgkill(world, one, pid(), tid, 65), -EINVAL);
    assert_int_equal(sim_call_tgkill(world, one, pid(), tid, 0), 0);
    assert_int_equal(sim_call_tkill(world, one, tid, -1), -EINVAL);
}

static void numbers__kill__as_the_kernel_says(void **state)
{
    static const int numbers[] = {-1, 0, 65, 1000};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const long beside = syscall(SYS_kill, getpid(), numbers[i]);
        assert_int_equal(sim_call_kill(world, one, pid(), numbers[i]), beside < 0 ? -errno : beside);
        const long nobody = syscall(SYS_kill, 0x3fffffff, numbers[i]);
        assert_int_equal(sim_call_kill(world, one, 0x3fffffff, numbers[i]), nobody < 0 ? -errno : 0);
    }
    assert_int_equal(sim_call_kill(world, one, INT32_MIN, SIGUSR1), -ESRCH);
    assert_int_equal(sim_call_kill(world, one, -1, 0), -ESRCH); /* there is nobody else */
}

static void every_number__action__as_the_kernel_says(void **state)
{
    for (int number = -1; number <= 66; number++) {
        struct sim_action got = {7, 7, 7, 7}, beside;
        const long result = syscall(SYS_rt_sigaction, number, NULL, &beside, 8);
        assert_int_equal(sim_call_rt_sigaction(world, one, number, NULL, &got),
                         result < 0 ? -errno : 0);
        const struct sim_action ignore = {.handler = 1};
        if (number == SIGKILL || number == SIGSTOP) {
            assert_int_equal(sim_call_rt_sigaction(world, one, number, &ignore, NULL), -EINVAL);
        }
    }
    assert_int_equal(sim_call_rt_sigprocmask(world, one, 3, &(uint64_t){0}, NULL), -EINVAL);
    assert_int_equal(sim_call_rt_sigprocmask(world, one, 3, NULL, NULL), 0);
}

/* ---- actions ----------------------------------------------------------------------------------- */

static void no_handler__terminating_signal__the_process_dies_of_it(void **state)
{
    assert_int_equal(sim_call_pause(world, two), SIM_WAIT);
    assert_int_equal(sim_call_kill(world, one, pid(), SIGTERM), 0);
    assert_int_equal(sim_process_at(world, process)->killed_by, SIGTERM);
    assert_int_equal(sim_process_at(world, process)->task_count, 0);
    assert_nobody_runs();
}

static void default_is_to_ignore__sent__nothing_happens(void **state)
{
    static const int numbers[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(sim_call_kill(world, one, pid(), numbers[i]), 0);
        assert_int_equal(sim_signal_pending(world, one), 0);
    }
}

static void pending_and_blocked__ignored_from_now_on__forgotten(void **state)
{
    const struct sim_action ignore = {.handler = 1};
    handle(SIGUSR1, 0);
    block(one, bit(SIGUSR1) | bit(SIGUSR2));
    block(two, bit(SIGUSR1));
    block(three, bit(SIGUSR1));
    sim_call_kill(world, one, pid(), SIGUSR1);
    sim_call_tkill(world, one, pid(), SIGUSR1);
    assert_int_equal(world->pools[SIM_POOL_PENDING].live_count, 2);
    sim_call_rt_sigaction(world, one, SIGUSR1, &ignore, NULL);
    assert_int_equal(world->pools[SIM_POOL_PENDING].live_count, 0);
    assert_int_equal(sim_signal_pending(world, one), 0);
}

static void kill_and_stop__blocked__cannot_be(void **state)
{
    uint64_t mask = UINT64_MAX, old;
    assert_int_equal(sim_call_rt_sigprocmask(world, one, SIG_BLOCK, &mask, NULL), 0);
    assert_int_equal(sim_call_rt_sigprocmask(world, one, SIG_BLOCK, NULL, &old), 0);
    assert_true(old == (UINT64_MAX & ~bit(SIGKILL) & ~bit(SIGSTOP)));
    sim_call_kill(world, one, pid(), SIGKILL);
    assert_int_equal(sim_process_at(world, process)->killed_by, SIGKILL);
}

static void real_time_signals__sent_thrice__come_thrice_in_order(void **state)
{
    struct sim_signal signal;
    uint64_t overrun;
    handle(40, 0);
    block(one, bit(40) | bit(41));
    for (int i = 0; i < 3; i++) {
        const siginfo_t information = {.si_code = SI_QUEUE, .si_value.sival_int = i};
        assert_int_equal(sim_call_rt_tgsigqueueinfo(world, two, pid(), pid(), 40, &information), 0);
    }
    block(one, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(sim_signal_dequeue(world, one, UINT64_MAX, &signal, &overrun));
        siginfo_t told;
        sim_signal_fill(world, &signal, overrun, &told);
        assert_int_equal(told.si_value.sival_int, i);
        assert_int_equal(told.si_code, SI_QUEUE);
    }
    assert_false(sim_signal_dequeue(world, one, UINT64_MAX, &signal, &overrun));
}

/* ---- waits ------------------------------------------------------------------------------------- */

static void call_waits__handler_restarts__told_so(void **state)
{
    char byte;
    int ends[2];
    sim_call_pipe2(world, one, ends, 0);
    handle(SIGUSR1, SA_RESTART);
    assert_int_equal(sim_call_read(world, one, ends[0], &byte, 1), SIM_WAIT);
    sim_call_kill(world, two, pid(), SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, ends[0], &byte, 1), SIM_RESTART);
    assert_true(takes(one, SIGUSR1));
    assert_int_equal(sim_call_read(world, one, ends[0], &byte, 1), SIM_WAIT);
    handle(SIGUSR1, 0);
    sim_call_kill(world, two, pid(), SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, ends[0], &byte, 1), -EINTR);
    assert_int_equal(sim_task_at(world, one)->pending_signals, bit(SIGUSR1)); /* still to be taken */
}

static void poll_with_a_mask__signal_comes__mask_stays_until_it_is_taken(void **state)
{
    sigset_t mask;
    sigemptyset(&mask);
    handle(SIGUSR1, SA_RESTART);
    block(one, bit(SIGUSR1));
    block(two, bit(SIGUSR1));
    block(three, bit(SIGUSR1));
    sim_call_kill(world, two, pid(), SIGUSR1);
    assert_int_equal(sim_call_ppoll(world, one, NULL, 0, NULL, &mask), -EINTR);
    assert_int_equal(sim_task_at(world, one)->restore_mask, 1);
    assert_int_equal(sim_task_at(world, one)->saved_blocked_signals, bit(SIGUSR1));
    assert_true(takes(one, SIGUSR1));
}

static void sigsuspend__signal_of_its_mask__waits_on_and_the_mask_comes_back(void **state)
{
    const uint64_t only_usr1 = ~bit(SIGUSR1);
    handle(SIGUSR1, 0);
    handle(SIGUSR2, 0);
    block(one, bit(SIGUSR1));
    assert_int_equal(sim_call_rt_sigsuspend(world, one, &only_usr1), SIM_WAIT);
    sim_call_tkill(world, two, pid(), SIGUSR2);
    assert_nobody_runs();
    sim_call_tkill(world, two, pid(), SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_rt_sigsuspend(world, one, &only_usr1), -EINTR);
    assert_int_equal(sim_task_at(world, one)->saved_blocked_signals, bit(SIGUSR1));
    assert_true(takes(one, SIGUSR1));
    assert_false(takes(one, SIGUSR2));
}

static void sigtimedwait__awaited_comes__its_number_and_no_handler(void **state)
{
    const uint64_t set = bit(SIGUSR1) | bit(SIGCHLD);
    siginfo_t information;
    block(one, set);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, &information, NULL), SIM_WAIT);
    sim_call_kill(world, two, pid(), SIGCHLD); /* ignored by default, but awaited */
    assert_runs(one);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, &information, NULL), SIGCHLD);
    assert_int_equal(information.si_pid, pid());
    assert_int_equal(sim_task_at(world, one)->awaited_signals, 0);
    sim_call_kill(world, two, pid(), SIGCHLD);
    assert_int_equal(sim_process_at(world, process)->killed_by, 0);
}

static void sigtimedwait__nothing_comes__eagain_and_another_signal_eintr(void **state)
{
    const uint64_t set = bit(SIGUSR1);
    const struct timespec time = in_ms(10), none = {0, 0}, bad = {0, -1};
    handle(SIGUSR2, SA_RESTART);
    block(one, set);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, &bad), -EINVAL);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, &none), -EAGAIN);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, &time), SIM_WAIT);
    assert_runs(one);
    assert_int_equal(world->now, 10 * MS);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, &time), -EAGAIN);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, NULL), SIM_WAIT);
    sim_call_tkill(world, two, pid(), SIGUSR2);
    assert_runs(one);
    assert_int_equal(sim_call_rt_sigtimedwait(world, one, &set, NULL, NULL), -EINTR);
}

/* ---- signalfd ---------------------------------------------------------------------------------- */

static void signalfd__pending_signals__are_read_and_polled(void **state)
{
    const uint64_t set = bit(SIGUSR1) | bit(SIGUSR2);
    struct signalfd_siginfo got[2];
    block(one, set);
    block(two, set);
    block(three, set);
    const int fd = (int)sim_call_signalfd4(world, one, -1, &set, SFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(sim_call_signalfd4(world, one, -1, &set, 1), -EINVAL);
    assert_int_equal(sim_call_signalfd4(world, one, 77, &set, 0), -EBADF);
    assert_int_equal(sim_call_read(world, one, fd, got, sizeof got[0] - 1), -EINVAL);
    assert_int_equal(sim_call_read(world, one, fd, got, sizeof got), SIM_WAIT);
    sim_call_kill(world, two, pid(), SIGUSR2);
    sim_call_kill(world, two, pid(), SIGUSR1);
    assert_runs(one);
    assert_int_equal(sim_call_read(world, one, fd, got, sizeof got), 2 * sizeof got[0]);
    assert_int_equal(got[0].ssi_signo, SIGUSR1);
    assert_int_equal(got[1].ssi_signo, SIGUSR2);
    assert_int_equal(got[1].ssi_pid, pid());
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    const struct timespec none = {0, 0};
    assert_int_equal(sim_call_ppoll(world, one, &entry, 1, &none, NULL), 0);
    sim_call_tkill(world, two, pid(), SIGUSR1);
    assert_int_equal(sim_call_ppoll(world, one, &entry, 1, &none, NULL), 1);
    assert_int_equal(sim_call_signalfd4(world, one, fd, &(uint64_t){0}, 0), fd);
    assert_int_equal(sim_call_ppoll(world, one, &entry, 1, &none, NULL), 0);
}

#define THREADS(name) cmocka_unit_test_setup_teardown(name, begin_threads, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREADS(process_signalled__nobody_blocks__the_leader_takes_it),
        THREADS(process_signalled__leader_blocks__another_takes_it),
        THREADS(process_signalled__all_block__who_unblocks_takes_it),
        THREADS(taker_blocks_it_before_it_took_it__another_gets_it),
        THREADS(taker_ends_before_it_took_it__another_gets_it),
        THREADS(thread_signalled__it_alone_takes_it),
        THREADS(numbers__kill__as_the_kernel_says),
        THREADS(every_number__action__as_the_kernel_says),
        THREADS(no_handler__terminating_signal__the_process_dies_of_it),
        THREADS(default_is_to_ignore__sent__nothing_happens),
        THREADS(pending_and_blocked__ignored_from_now_on__forgotten),
        THREADS(kill_and_stop__blocked__cannot_be),
        THREADS(real_time_signals__sent_thrice__come_thrice_in_order),
        THREADS(call_waits__handler_restarts__told_so),
        THREADS(poll_with_a_mask__signal_comes__mask_stays_until_it_is_taken),
        THREADS(sigsuspend__signal_of_its_mask__waits_on_and_the_mask_comes_back),
        THREADS(sigtimedwait__awaited_comes__its_number_and_no_handler),
        THREADS(sigtimedwait__nothing_comes__eagain_and_another_signal_eintr),
        THREADS(signalfd__pending_signals__are_read_and_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
