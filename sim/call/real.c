/* World calls that keep a program's descriptor table in step with the real one.
 * SPDX-License-Identifier: MIT */
#include "file/real.h"

#include <limits.h>
#include <linux/close_range.h>

#include "core/random.h"
#include "internal.h"
#include "program.h"

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

int64_t sim_call_real_install(SIM_CALL, int fd, int kind, int flags)
{
    if (kind != SIM_REAL_IS_READY && kind != SIM_REAL_IS_POLLED) {
        return -EINVAL;
    }
    const struct sim_real_id real = sim_real_new(world, kind);
    const struct sim_file_id file = real.index ? sim_file_open(world, SIM_FILE_REAL, real.index,
                                                               (uint32_t)flags & ~(uint32_t)O_CLOEXEC)
                                               : (struct sim_file_id){0};
    if (!file.index) {
        if (real.index) {
            sim_pool_give(world, SIM_POOL_REAL, real.index);
        }
        return -ENFILE;
    }
    const int result = sim_descriptor_replace(world, process_of(world, task), file,
                                              flags & O_CLOEXEC ? FD_CLOEXEC : 0, fd);
    if (result < 0) {
        sim_file_drop(world, file);
    }
    return result;
}

int64_t sim_call_real_ready(SIM_CALL, int fd, unsigned bits)
{
    const struct sim_file_id file = sim_descriptor_file(world, process_of(world, task), fd);
    if (!file.index || sim_file_at(world, file)->kind != SIM_FILE_REAL) {
        return -EBADF;
    }
    sim_real_tell(world, (struct sim_real_id){sim_file_at(world, file)->object}, bits);
    return 0;
}

int64_t sim_call_descriptor_kind(SIM_CALL, int fd)
{
    const struct sim_file_id file = sim_descriptor_file(world, process_of(world, task), fd);
    if (!file.index) {
        return 0;
    }
    return sim_file_at(world, file)->kind == SIM_FILE_REAL ? 2 : 1;
}

int64_t sim_call_close_range(SIM_CALL, unsigned first, unsigned last, unsigned flags)
{
    const struct sim_process_id process = process_of(world, task);
    if (first > last || (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))) {
        return -EINVAL;
    }
    const unsigned most = SIM_DESCRIPTORS_PER_PAGE * SIM_DESCRIPTOR_PAGES - 1;
    for (unsigned fd = first; fd <= last && fd <= most; fd++) {
        struct sim_descriptor *entry = sim_descriptor_at(world, process, (int)fd);
        if (!entry) {
            continue;
        }
        if (flags & CLOSE_RANGE_CLOEXEC) {
            entry->flags = FD_CLOEXEC;
        } else {
            sim_descriptor_close(world, process, (int)fd);
        }
    }
    return 0;
}

int64_t sim_call_descriptor_limit(SIM_CALL, uint64_t limit)
{
    struct sim_process *process = sim_process_at(world, process_of(world, task));
    process->descriptor_limit = limit > UINT_MAX ? UINT_MAX : (uint32_t)limit;
    return 0;
}

/* LINUX: GRND_NONBLOCK 1, GRND_RANDOM 2, GRND_INSECURE 4; the last two exclude each other. */
int64_t sim_call_getrandom(SIM_CALL, void *buffer, size_t length, unsigned flags)
{
    char *to = buffer;
    if (flags > 7 || (flags & 6) == 6) {
        return -EINVAL;
    }
    const size_t count = length < INT_MAX ? length : INT_MAX;
    for (size_t done = 0; done < count;) {
        const uint64_t drawn = sim_random_draw(&world->random, SIM_STREAM_PROGRAM);
        const size_t piece = count - done < sizeof drawn ? count - done : sizeof drawn;
        memcpy(to + done, &drawn, piece);
        done += piece;
    }
    return (int64_t)count;
}
