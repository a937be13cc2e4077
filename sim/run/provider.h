/* The world as a system: what it answers to each call of the seam.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_PROVIDER_H
#define SIM_PROVIDER_H

#include <drysock/system_calls.h>
#include <errno.h>

#include "core/block.h"
#include "run.h"

/* Why this caller can make no call: -ENOTSUP, it has no world (a second thread); -ESRCH, there is no
 * such task, or it has ended. 0: it can. For the calls that open no frame. */
static inline int sim_provider_refuses(struct dry_caller caller)
{
    const struct sim *sim = caller.world;
    if (!sim) {
        return -ENOTSUP;
    }
    if (caller.task == 0 || caller.task > sim->world->pools[SIM_POOL_TASK].high_water) {
        return -ESRCH;
    }
    const struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    return task->slot.live && task->state != SIM_TASK_ENDED && task->process.index == caller.process
               ? 0
               : -ESRCH;
}
/* Is this number one of the real system's? Those below the process's first are. */
bool sim_provider_is_real(struct dry_caller caller, int fd);

/* ---- readiness beside real files (provider_ready.c): the numbers below the process's first -- */

bool sim_provider_polls_real(struct dry_caller caller, const struct pollfd *descriptors, nfds_t count);
/* in_world: the world's own ppoll. */
int sim_provider_poll_real(int (*in_world)(struct dry_caller, struct pollfd *, nfds_t,
                                           const struct timespec *, const sigset_t *),
                           struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                           const struct timespec *timeout, const sigset_t *mask);
bool sim_provider_selects_real(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                               fd_set *exceptional);
int sim_provider_select_real(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                             fd_set *exceptional, const struct timespec *timeout);
/* What epoll_ctl says of a real descriptor. */
int sim_provider_watch_real(int fd);

/* The world's answer to each of the seam's calls, sim_seam_NAME: system.h says what it does.
 * provider.c, provider_names.c and provider_file.c define them. */
#define DECLARE(type, name, parameters, ...) type sim_seam_##name parameters;
DRY_SYSTEM_CALLS(DECLARE)
#undef DECLARE

/* The memory of calls in progress: task.c. */
void *sim_seam_hold(struct dry_caller caller, size_t bytes);
void sim_seam_release(struct dry_caller caller, void *memory);

#endif
