/* Ropes: payload as spans over shared, reference-counted chunks; copied once in and once out.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_BYTES_H
#define SIM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "state.h"

/* Memory that no program has: the first page, and what lies beyond a process's half. Who gives it is
 * told -EFAULT where Linux would look at it; other memory is taken to be there. */
static inline bool sim_memory_is_bad(const void *memory)
{
    const uintptr_t first_page = 4096, beyond = UINT64_C(0x7ffffffff000);
    return (uintptr_t)memory < first_page || (uintptr_t)memory >= beyond;
}

/* Appends a copy; returns 0 or -ENOBUFS with nothing appended. Fills the last chunk's free tail
 * before it takes a new one. */
int sim_bytes_append(struct sim_world *world, struct sim_bytes *rope, const void *data, size_t length);
/* Appends up to `length` bytes of the vector from byte `skip` on. 0, -ENOBUFS, or -EFAULT (bad memory),
 * with nothing appended. */
int sim_bytes_append_iov(struct sim_world *world, struct sim_bytes *rope, const struct iovec *iov,
                         size_t count, size_t skip, size_t length);
/* Appends a reference to source[offset, offset + length): no byte is copied. 0 or -ENOBUFS. */
int sim_bytes_share(struct sim_world *world, struct sim_bytes *rope, const struct sim_bytes *source,
                    uint64_t offset, uint64_t length);
/* Moves all of source to the end of rope; source becomes empty. */
void sim_bytes_move(struct sim_world *world, struct sim_bytes *rope, struct sim_bytes *source);
/* Removes bytes from the front, or from the end. */
void sim_bytes_drop(struct sim_world *world, struct sim_bytes *rope, uint64_t length);
void sim_bytes_truncate(struct sim_world *world, struct sim_bytes *rope, uint64_t length);
void sim_bytes_clear(struct sim_world *world, struct sim_bytes *rope);
/* Copies rope[offset, …) out; returns how many bytes. The iov form writes from byte `skip` of the
 * vector on, and stops short at bad memory. */
size_t sim_bytes_copy_out(const struct sim_world *world, const struct sim_bytes *rope, uint64_t offset,
                          void *buffer, size_t length);
size_t sim_bytes_copy_out_iov(const struct sim_world *world, const struct sim_bytes *rope,
                              uint64_t offset, const struct iovec *iov, size_t count, size_t skip,
                              size_t length);

#endif
