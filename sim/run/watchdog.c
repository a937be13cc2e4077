/* The watchdog: in real time, ends a task that computes for too long without a call.
 * SPDX-License-Identifier: MIT
 *
 * A timer signals the thread that runs the world, several times in each period. The handler looks only
 * at whether calls were made since it came last. A task that made none for a whole period is marked,
 * and ended where it makes its next call: there, as with sim_task_fail, nothing is half done. One that
 * makes none for as long again will never come to that point. It may be anywhere, in the middle of
 * malloc(3), so its stack can be neither left nor unwound: the process ends with a sentence that names
 * the task. Between runs the timer stays armed until it fires once, so that many short runs cost no
 * system calls.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "last_words.h"
#include "run.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { LOOKS = 4 }; /* in a period */

static void set(struct sim *sim, uint64_t period_ns)
{
    const struct timespec period = {(time_t)(period_ns / 1000000000), (long)(period_ns % 1000000000)};
    const struct itimerspec value = {period, period};
    timer_settime(sim->watchdog, 0, &value, NULL);
    sim->watching = period_ns != 0;
}

__attribute__((noreturn)) static void end_process(const struct sim *sim)
{
    struct sim_last_words words = {.length = 0};
    sim_last_words_task(&words, sim);
    sim_last_words_add(&words, " computed for ");
    sim_last_words_number(&words, 2 * sim->watchdog_ns / 1000000);
    sim_last_words_add(&words, " ms without a call, so the process ends, with status ");
    sim_last_words_number(&words, SIM_EXIT_WATCHDOG);
    sim_last_words_add(&words, " (twice sim_options.watchdog_ns)");
    sim_last_words_say(&words, sim);
    _exit(SIM_EXIT_WATCHDOG);
}

/* The handler's part: async-signal-safe, all of it. */
static void look_at(struct sim *sim)
{
    if (sim_current()->sim != sim || !sim->running || sim_code_of(sim, sim->running)->own) {
        if (!sim->looping) {
            set(sim, 0); /* nothing runs any more; the next run sets it again */
        }
        return;
    }
    if (sim->in_call) {
        return;
    }
    if (sim->watched_calls != sim->calls) {
        sim->watched_calls = sim->calls;
        sim->silent_looks = 0;
        return;
    }
    sim->silent_looks++;
    if (sim->silent_looks == LOOKS) {
        sim->overdue = 1;
        sim->spins_until_slow = 0; /* its next call takes the slow way, which asks */
    } else if (sim->silent_looks >= 2 * LOOKS) {
        end_process(sim);
    }
}

static void look(int number, siginfo_t *information, void *context)
{
    const int saved_errno = errno;
    look_at(information->si_value.sival_ptr);
    errno = saved_errno;
}

static int signal_number(void)
{
    return SIGRTMIN + 7;
}

static bool make(struct sim *sim)
{
    struct sigaction action;
    struct sigevent event;
    memset(&action, 0, sizeof action);
    memset(&event, 0, sizeof event);
    action.sa_sigaction = look;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal_number();
    event.sigev_notify_thread_id = gettid();
    event.sigev_value.sival_ptr = sim;
    return sigaction(signal_number(), &action, NULL) == 0 &&
           timer_create(CLOCK_MONOTONIC, &event, &sim->watchdog) == 0;
}

void sim_watchdog_start(struct sim *sim)
{
    if (!sim->watchdog_ns || sim->watchdog_ns == UINT64_MAX) {
        return;
    }
    if (!sim->watchdog_made) {
        if (!make(sim)) {
            sim->watchdog_ns = 0; /* no timer to be had: the run goes unwatched */
            return;
        }
        sim->watchdog_made = 1;
    }
    sim->watched_calls = UINT64_MAX;
    if (!sim->watching) {
        const uint64_t period_ns = sim->watchdog_ns / LOOKS;
        set(sim, period_ns ? period_ns : 1);
    }
}

void sim_watchdog_destroy(struct sim *sim)
{
    if (sim->watchdog_made) {
        timer_delete(sim->watchdog);
        sim->watchdog_made = 0;
    }
}
