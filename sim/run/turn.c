/* The turn: which of all threads that share a block may run, and how it passes from one to another.
 * SPDX-License-Identifier: MIT */
#include "turn.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while the word is `value`; comes back for no reason at times. */
static void sleep_on(uint32_t *word, uint32_t value, uint64_t most_ns)
{
    const struct timespec most = {(time_t)(most_ns / 1000000000), (long)(most_ns % 1000000000)};
    syscall(SYS_futex, word, FUTEX_WAIT, value, most_ns ? &most : NULL, NULL, 0);
}

void sim_turn_give(struct sim *sim, uint32_t task)
{
    struct sim_seat *seat = sim_seat_of(sim->world, task);
    const int saved_errno = errno;
    sim_turn_of(sim->world)->holder = task;
    sim->running = 0;
    __atomic_store_n(&seat->turn, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &seat->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
    errno = saved_errno;
}

void sim_turn_order(struct sim *sim, enum sim_order order, uint32_t subject)
{
    struct sim_turn *turn = sim_turn_of(sim->world);
    turn->order = order;
    turn->subject = subject;
    sim_turn_give(sim, 0);
}

/* The thread that left has told its kernel to clear the word when it is off its stack. */
static void wait_for_leaving(struct sim *sim)
{
    struct sim_turn *turn = sim_turn_of(sim->world);
    if (turn->leaving) {
        struct sim_seat *seat = sim_seat_of(sim->world, turn->leaving);
        uint32_t alive;
        /* It goes at once; but where all of its process is killed meanwhile, nobody clears the word. */
        for (int tries = 0; tries < 20; tries++) {
            if ((alive = __atomic_load_n(&seat->alive, __ATOMIC_SEQ_CST)) == 0) {
                break;
            }
            sleep_on(&seat->alive, alive, 100000000);
        }
        turn->leaving = 0;
    }
}

bool sim_turn_take(struct sim *sim, uint32_t task, uint64_t most_ns)
{
    struct sim_seat *seat = sim_seat_of(sim->world, task);
    const int saved_errno = errno;
    while (__atomic_load_n(&seat->turn, __ATOMIC_SEQ_CST) == 0) {
        sleep_on(&seat->turn, 0, most_ns);
        if (most_ns && __atomic_load_n(&seat->turn, __ATOMIC_SEQ_CST) == 0) {
            errno = saved_errno;
            return false;
        }
    }
    seat->turn = 0;
    sim_turn_of(sim->world)->in_world = 0;
    wait_for_leaving(sim);
    sim->running = task;
    errno = saved_errno;
    return true;
}
