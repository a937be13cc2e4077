/* The frame around each seam call into the world: who calls, the spin guard, parking.
 * SPDX-License-Identifier: MIT
 *
 *     struct sim_frame frame;
 *     if (!sim_frame_open(&frame, caller)) {
 *         return (int)frame.result;
 *     }
 *     do {
 *         frame.result = sim_call_bind(frame.world, frame.task, fd, address, length);
 *     } while (sim_frame_waits(&frame));
 *     return (int)sim_frame_close(&frame);
 */
#ifndef SIM_FRAME_H
#define SIM_FRAME_H

#include "call/call.h"
#include "core/block.h"
#include "net/ip.h"
#include "run.h"

struct sim_frame {
    struct sim *sim;
    struct sim_world *world;
    struct sim_task_id task; /* who calls */
    int64_t result;          /* of the world call, or why none can be made */
};

/* The call waited: the task is no spinner. False: it may not wait. */
bool sim_frame_park(struct sim *sim, struct sim_task_id task);
int64_t sim_frame_slow_begin(struct sim *sim, uint32_t task);
int64_t sim_frame_slow_end(struct sim *sim, int64_t result);

/* Opens a call. False: it cannot be made, result is -ENOTSUP (a second thread) or -ESRCH (no such
 * task). */
static inline bool sim_frame_open(struct sim_frame *frame, struct dry_caller caller)
{
    struct sim *sim = caller.world;
    *frame = (struct sim_frame){.sim = sim, .task = {caller.task}};
    if (!sim || sim->running != caller.task || !caller.task) {
        frame->result = sim_frame_slow_begin(sim, caller.task);
        frame->world = sim ? sim->world : NULL;
        return frame->result == 0;
    }
    frame->world = sim->world;
    sim->in_call = 1;
    sim->calls++;
    if (sim->attached) {
        sim_turn_of(sim->world)->in_world = 1; /* a death here leaves the world in pieces */
    }
    struct sim_task *record = sim_task_at(sim->world, frame->task);
    if (++record->spins > sim->spins_until_slow) {
        frame->result = sim_frame_slow_begin(sim, caller.task);
    }
    return frame->result == 0;
}

/* After each world call: what it sent to its own host arrives. True: the call was to wait, did, and is
 * to be made again. */
static inline bool sim_frame_waits(struct sim_frame *frame)
{
    sim_ip_settle(frame->world);
    return frame->result == SIM_WAIT && sim_frame_park(frame->sim, frame->task);
}

/* Closes it: its result, -EDEADLK for a call that would have to wait and may not. Does not return
 * when the call was the task's end (a signal without a handler). */
static inline int64_t sim_frame_close(struct sim_frame *frame)
{
    struct sim *sim = frame->sim;
    sim->in_call = 0;
    if (sim->attached) {
        sim_turn_of(sim->world)->in_world = 0;
    }
    return sim->slow_end || !sim->world->running.index ? sim_frame_slow_end(sim, frame->result)
                                                       : frame->result;
}

#endif
