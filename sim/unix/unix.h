/* UNIX sockets of all three types, and their names in a host's file system.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_UNIX_H
#define SIM_UNIX_H

#include "socket/protocol.h"

extern const struct sim_protocol sim_unix_stream_protocol;
extern const struct sim_protocol sim_unix_dgram_protocol;
extern const struct sim_protocol sim_unix_seqpacket_protocol;
extern const struct sim_family sim_unix_family;

/* unlink(2) of a path that bind() made: the name is free again, sockets that are bound to it keep
 * it. 0 or -ENOENT. */
int sim_unix_unlink(struct sim_world *world, struct sim_host_id host, const char *path);

#endif
