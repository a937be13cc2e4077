/* A text that is made in a buffer: what does not fit is left out.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_TEXT_H
#define PRELOAD_TEXT_H

#include <stddef.h>

#include "sim/core/state.h"

struct preload_text {
    char *bytes;
    size_t size, length;
};

void preload_text_add(struct preload_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The tables of /proc/net for a host; false: there is no such one here. proc_net.c */
bool preload_proc_net(const struct sim_world *world, struct sim_host_id host, const char *name,
                      struct preload_text *text);

#endif
