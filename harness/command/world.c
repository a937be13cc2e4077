/* Runs of the world as the command line asks for them.
 * SPDX-License-Identifier: MIT */
#include "command.h"

static struct world_options world_options_of(const struct options *options)
{
    return (struct world_options){
        .seed = options->seed,
        .schedule_seed = options->schedule,
        .capture = options->capture,
        .check = options->check,
        .stop = &command_stop,
        .describe = &command_describe,
    };
}

struct trace *command_world(const struct options *options, const struct scenario *scenario)
{
    struct world_options world = world_options_of(options);
    return world_run(scenario, &world);
}

enum isolated command_isolated(const struct options *options, const char *path, const char *text,
                               const struct trace *base, char *why, size_t bytes)
{
    struct world_options world = world_options_of(options);
    return isolate_run(&world, options->strict, path, text, base, why, bytes);
}
