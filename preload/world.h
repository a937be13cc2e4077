/* The world that the program is in, as the library's other files ask it beyond the seam.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_WORLD_H
#define PRELOAD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where `drysock exec` tells the program its place: the block's descriptor, process and task; a
 * fourth number: by exec, in a process that is there already. */
#define PRELOAD_PLACE "DRYSOCK_PLACE"

/* This process's handle of the world, and its number there. */
struct sim;
struct sim *preload_sim(void);
int preload_process(void);
void preload_process_is(int number);

/* The world itself, and this process's host. */
struct sim_world;
const struct sim_world *preload_world(void);
uint32_t preload_host(void);

/* The number names something real from now on; whatever it named is closed in the world. The number,
 * or -errno: the table has no room. */
int64_t preload_world_real(int fd, bool ready, int flags);
/* Does the number name something of the world's? */
bool preload_world_owns(int fd);
uint64_t preload_world_descriptor_limit(void);
/* The world's record of a real descriptor; NULL: the number names none. */
struct sim_real;
struct sim_real *preload_world_real_of(int fd);
/* unlink(2) of a UNIX socket's path: 0, or -ENOENT: it is none. */
int64_t preload_world_unlink(const char *path);
/* A file of the program's host, as text: hosts, resolv.conf … The length, or -ENOENT. */
int64_t preload_world_file(const char *path, char *text, size_t bytes);
/* host_files.c: the same of any host of a world. */
int64_t preload_host_file(const struct sim_world *world, uint32_t host, const char *path, char *bytes,
                          size_t size);

#endif
