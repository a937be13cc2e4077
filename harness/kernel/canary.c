/* How late the machine itself is: a thread that sleeps a little, again and again, and measures.
 * SPDX-License-Identifier: MIT */
#include "canary.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <drysock/socket.h>

static const uint64_t NAP_NS = 2000000;

static _Atomic uint64_t late_ns;

static void *nap(void *argument)
{
    struct dry_caller caller = dry_current_caller();
    for (;;) {
        uint64_t due = dry_now() + NAP_NS, now;
        struct timespec until = {(time_t)(due / 1000000000), (long)(due % 1000000000)};

        caller.system->clock_nanosleep(caller, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        now = dry_now();
        if (now > due && now - due > atomic_load(&late_ns)) {
            atomic_store(&late_ns, now - due);
        }
    }
    return NULL;
}

int kernel_canary_start(void)
{
    sigset_t every, before;
    pthread_t thread;
    int error;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    error = pthread_create(&thread, NULL, nap, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : -1;
}

uint64_t kernel_canary_late_ns(void)
{
    return atomic_load(&late_ns);
}
