/* UNIX sockets as the rest of the world sees them: their names in a host's file system.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_UNIX_H
#define SIM_UNIX_H

#include "core/state.h"

/* unlink(2) of a path that bind() made: the name is free again, sockets that are bound to it keep
 * it. 0 or -ENOENT. */
int sim_unix_unlink(struct sim_world *world, struct sim_host_id host, const char *path);

#endif
