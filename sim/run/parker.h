/* How a task's code is parked: the loop and the calls hand the turn on through this interface.
 * SPDX-License-Identifier: MIT
 *
 * Of all the codes of a world exactly one runs at any instant: a task's, or the loop's. Three calls
 * hand that turn on: unpark, park, leave; who has it is told by sim_current. The others are about what
 * a code runs on. Today's implementation is fibers (park_fiber.c); a thread for each code, woken by a
 * word in its task's record, would be another. */
#ifndef SIM_PARKER_H
#define SIM_PARKER_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct sim_code;

struct sim_parker {
    /* Room for so many codes at once, made and given up with the world. 0 or -errno. */
    int (*open)(struct sim *sim, uint32_t most);
    void (*close)(struct sim *sim);
    /* What the code will run on: entry(argument) is its first line and does not return. False: there is
     * no more of it. */
    bool (*begin)(struct sim *sim, struct sim_code *code, void (*entry)(void *argument),
                  void *argument);
    /* Gives that back; where the code stood is forgotten. No-op for a code that did not begin. */
    void (*end)(struct sim *sim, struct sim_code *code);

    /* From the loop: the code runs, from its first line or from where it parked, as its own caller and
     * with its own errno. Returns when it parks or leaves. */
    void (*unpark)(struct sim *sim, struct sim_code *code);
    /* From the code: the loop goes on. Returns when the code is unparked. */
    void (*park)(struct sim *sim, struct sim_code *code);
    /* From the code: the loop goes on, and this never does. */
    void (*leave)(struct sim *sim, struct sim_code *code) __attribute__((noreturn));
    /* From the loop's own stack, to which the code jumped (a failed assertion): as if it had left. */
    void (*jumped)(struct sim *sim, struct sim_code *code);
};

extern const struct sim_parker sim_fiber_parker;

#endif
