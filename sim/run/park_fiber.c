/* Parking by fibers: each code on a stack of its own, all in the one thread that runs the loop.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "fiber.h"
#include "overflow.h"
#include "parker.h"
#include "run.h"

static int open_stacks(struct sim *sim, uint32_t most)
{
    if (sim->stack_bytes < SIM_STACK_LEAST) {
        sim->stack_bytes = SIM_STACK_LEAST;
    }
    return sim_stacks_create(&sim->stacks, sim->stack_bytes, most);
}

static void close_stacks(struct sim *sim)
{
    sim_stacks_destroy(&sim->stacks);
}

static bool begin(struct sim *sim, struct sim_code *code, void (*entry)(void *argument), void *argument)
{
    return sim_fiber_create(&sim->stacks, &code->fiber, entry, argument);
}

static void end(struct sim *sim, struct sim_code *code)
{
    sim_fiber_destroy(&sim->stacks, &code->fiber);
}

static void unpark(struct sim *sim, struct sim_code *code)
{
    struct sim_current *current = sim_current();
    const int saved_errno = errno;
    sim->loop_current = *current;
    *current = (struct sim_current){code->caller, sim, (uintptr_t)code->fiber.stack_bottom,
                                    code->fiber.stack_bytes};
    errno = code->saved_errno;
    sim_fiber_switch(&sim->loop, &code->fiber);
    if (!sim_fiber_is_whole(&sim->stacks, &code->fiber)) {
        sim_overflow_found(sim);
    }
    code->saved_errno = errno;
    errno = saved_errno;
    *current = sim->loop_current;
}

static void park(struct sim *sim, struct sim_code *code)
{
    sim_fiber_switch(&code->fiber, &sim->loop);
}

__attribute__((noreturn)) static void leave(struct sim *sim, struct sim_code *code)
{
    sim_fiber_leave(&code->fiber, &sim->loop);
}

static void jumped(struct sim *sim, struct sim_code *code)
{
    (void)code;
    sim_fiber_jumped(&sim->loop);
    *sim_current() = sim->loop_current;
}

const struct sim_parker sim_fiber_parker = {
    .open = open_stacks,
    .close = close_stacks,
    .begin = begin,
    .end = end,
    .unpark = unpark,
    .park = park,
    .leave = leave,
    .jumped = jumped,
};
