/* The calls of programs: each one call of the world, made until it waits no more.
 * SPDX-License-Identifier: MIT */
#include "call/program.h"

#include "attach.h"
#include "frame.h"

#define MAKE(name, parameters, ...)                                                             \
    int64_t sim_program_##name parameters                                                       \
    {                                                                                           \
        struct sim_frame frame;                                                                 \
        if (!sim_frame_open(&frame, caller)) {                                                  \
            return frame.result;                                                                \
        }                                                                                       \
        do {                                                                                    \
            frame.result = sim_call_##name(frame.world, frame.task __VA_OPT__(, ) __VA_ARGS__); \
        } while (sim_frame_waits(&frame));                                                      \
        return sim_frame_close(&frame);                                                         \
    }
SIM_PROGRAM_CALLS(MAKE)
