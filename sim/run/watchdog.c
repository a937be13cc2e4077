/* The watchdog: in real time, ends a task that computes for too long without a call.
 * SPDX-License-Identifier: MIT
 *
 * A timer signals the thread that runs the world. The handler looks only at whether calls were made
 * since it came last; so a task is ended after one to two periods. Between runs the timer stays
 * armed until it fires once, so that many short runs cost no system calls. It leaves the task's stack
 * from within the handler: safe where the task computed, and the last resort where it did not. */
#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void set(struct sim *sim, uint64_t period_ns)
{
    const struct timespec period = {(time_t)(period_ns / 1000000000), (long)(period_ns % 1000000000)};
    const struct itimerspec value = {period, period};
    timer_settime(sim->watchdog, 0, &value, NULL);
    sim->watching = period_ns != 0;
}

static void look(int number, siginfo_t *information, void *context)
{
    struct sim *sim = information->si_value.sival_ptr;
    if (!sim->looping) {
        set(sim, 0); /* nothing runs any more; the next run sets it again */
        return;
    }
    if (sim_current()->sim != sim || !sim->running || sim->in_call ||
        sim_code_of(sim, sim->running)->own) {
        return;
    }
    if (sim->watched_calls != sim->calls) {
        sim->watched_calls = sim->calls;
        return;
    }
    char message[128];
    snprintf(message, sizeof message, "computed for %llu ms without a call: ended by the watchdog",
             (unsigned long long)(sim->watchdog_ns / 1000000));
    sim_leave(sim, message);
}

static int signal_number(void)
{
    return SIGRTMIN + 7;
}

void sim_watchdog_start(struct sim *sim)
{
    if (!sim->watchdog_ns || sim->watchdog_ns == UINT64_MAX) {
        return;
    }
    if (!sim->watchdog_made) {
        struct sigaction action;
        struct sigevent event;
        memset(&action, 0, sizeof action);
        memset(&event, 0, sizeof event);
        action.sa_sigaction = look;
        /* SA_NODEFER: the handler may leave and not return. */
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = signal_number();
        event.sigev_notify_thread_id = gettid();
        event.sigev_value.sival_ptr = sim;
        if (sigaction(signal_number(), &action, NULL) < 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &sim->watchdog) < 0) {
            sim->watchdog_ns = 0; /* no timer to be had: the run goes unwatched */
            return;
        }
        sim->watchdog_made = 1;
    }
    sim->watched_calls = UINT64_MAX;
    if (!sim->watching) {
        set(sim, sim->watchdog_ns);
    }
}

void sim_watchdog_destroy(struct sim *sim)
{
    if (sim->watchdog_made) {
        timer_delete(sim->watchdog);
        sim->watchdog_made = 0;
    }
}
