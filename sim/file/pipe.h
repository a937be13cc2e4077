/* Pipes: a byte stream with a reading and a writing end.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PIPE_H
#define SIM_PIPE_H

#include <stddef.h>

#include "core/state.h"
#include "file.h"

/* A pipe with one reader and one writer; index 0: ENFILE. */
struct sim_pipe_id sim_pipe_new(struct sim_world *world);
/* The last description of one end is gone. */
void sim_pipe_close(struct sim_world *world, struct sim_pipe_id id, bool writer);
/* Bytes moved, 0 at the end, or -EAGAIN where pipe(7) would wait; write: -EPIPE without a reader. A
 * write of at most PIPE_BUF bytes is whole or not at all. Bad memory is NULL: -EFAULT. packets:
 * O_DIRECT: each page is a packet, of which a read takes one and loses what it has no room for. */
int64_t sim_pipe_read(struct sim_world *world, struct sim_pipe_id id, void *buffer, size_t length);
int64_t sim_pipe_write(struct sim_world *world, struct sim_pipe_id id, const void *data, size_t length,
                       bool packets);
uint32_t sim_pipe_poll(const struct sim_world *world, struct sim_pipe_id id, bool writer);
enum { SIM_PIPE_PAGE_BYTES = 4096 };
/* F_SETPIPE_SZ: the new capacity, or -EBUSY, -EINVAL. */
int64_t sim_pipe_resize(struct sim_world *world, struct sim_pipe_id id, uint64_t bytes);

extern const struct sim_file_verbs sim_pipe_read_verbs;
extern const struct sim_file_verbs sim_pipe_write_verbs;

#endif
