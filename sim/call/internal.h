/* What the files of world calls share: a call's beginning, its wait, its end.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_CALL_INTERNAL_H
#define SIM_CALL_INTERNAL_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "call.h"
#include "core/block.h"
#include "core/bytes.h"
#include "file/file.h"
#include "file/wait.h"

static const uint64_t SIM_CALL_SECOND = 1000000000;

/* What a call waits for. */
struct sim_call_wait {
    uint32_t kind; /* enum sim_call_kind */
    int descriptor;
    struct sim_file_id file; /* index 0: the call has linked its waiters itself */
    uint32_t events;
    uint64_t timeout_ns; /* 0: none; else measured from the call's first wait */
    int64_t at_deadline; /* what the call returns when that has passed */
};

/* What a program gave as memory: NULL where it has none there, so that one question finds all. */
static inline void *sim_call_memory(const void *memory)
{
    return sim_memory_is_bad(memory) ? NULL : (void *)(uintptr_t)memory;
}

/* Unlinks the task, forgets the call's record and lets the handlers of its signals run. */
void sim_call_clear(SIM_CALL);
/* Every return of a call that may have waited goes through here. */
static inline int64_t sim_call_end(SIM_CALL, int64_t result)
{
    if (sim_task_at(world, task)->call.kind) {
        sim_call_clear(world, task);
    }
    return result;
}
/* Opens the record of a call that is about to wait; no-op when it is open. */
void sim_call_begin(SIM_CALL, uint32_t kind, int descriptor, uint64_t deadline_at);
/* The call cannot go on now: SIM_WAIT once parked, or the call's result, ended: at_deadline, or
 * -EINTR when a signal is due and does not restart the call (then `progress` if that is > 0). */
int64_t sim_call_park(SIM_CALL, const struct sim_call_wait *what, int64_t progress);

/* The description a call works on: the descriptor's at first, the one held later. 0 or -EBADF. */
static inline int sim_call_file(SIM_CALL, int fd, struct sim_file_id *file)
{
    const struct sim_task *caller = sim_task_at(world, task);
    *file = caller->call.kind ? caller->call.file : sim_descriptor_file(world, caller->process, fd);
    return file->index ? 0 : -EBADF;
}
/* The same where it must be a socket. 0, -EBADF or -ENOTSOCK. */
static inline int sim_call_socket_of(SIM_CALL, int fd, struct sim_file_id *file,
                                     struct sim_socket_id *socket)
{
    if (sim_call_file(world, task, fd, file) < 0) {
        return -EBADF;
    }
    const struct sim_file *description = sim_file_at(world, *file);
    if (description->kind != SIM_FILE_SOCKET) {
        return -ENOTSOCK;
    }
    socket->index = description->object;
    return 0;
}

/* Does this call wait where it cannot go on? LINUX: O_NONBLOCK is asked when the call begins; who sets
 * it later does not end a wait. */
static inline bool sim_call_waits(SIM_CALL, struct sim_file_id file)
{
    return sim_task_at(world, task)->call.kind ||
           !(sim_file_at(world, file)->status & (uint32_t)O_NONBLOCK);
}

/* A descriptor for a new object; the reference is dropped (and the object with it) on failure. */
int64_t sim_call_install(SIM_CALL, struct sim_file_id file, bool close_on_exec);
/* A timespec's length; false when it is not a time. */
bool sim_call_duration(const struct timespec *time, uint64_t *ns);
/* The instant a duration from now ends at; SIM_NEVER when beyond all time. */
uint64_t sim_call_after(const struct sim_world *world, uint64_t ns);
/* ppoll's, pselect's, epoll_pwait's mask is in force from the first wait to the end of the call. */
void sim_call_mask(SIM_CALL, const sigset_t *mask);

#endif
