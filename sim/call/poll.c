/* World calls that wait for readiness: poll, select, epoll.
 * SPDX-License-Identifier: MIT
 *
 * None of them restarts after a signal, whatever the handler said. */
#include <limits.h>
#include <poll.h>

#include "file/epoll.h"
#include "internal.h"
#include "process.h"

/* Nothing is ready. Parks, or ends the call: -EINTR before 0 for poll and select, as Linux looks at
 * signals last; epoll looks at the clock first. */
static int64_t not_ready(SIM_CALL, const sigset_t *mask, bool clock_first)
{
    struct sim_task *caller = sim_task_at(world, task);
    sim_call_mask(world, task, mask);
    const bool expired = caller->call.deadline_at <= world->now;
    if (caller->call.waits_really) {
        return sim_call_end(world, task, SIM_REALLY);
    }
    if (expired && clock_first) {
        return sim_call_end(world, task, 0);
    }
    if (sim_signal_due(caller)) {
        sim_signal_handle(caller); /* LINUX: the handlers run before the old mask comes back */
        return sim_call_end(world, task, -EINTR);
    }
    if (expired) {
        return sim_call_end(world, task, 0);
    }
    sim_wait_park(world, task, caller->call.deadline_at);
    return SIM_WAIT;
}

/* The deadline a timeout stands for. 0 or -EINVAL. */
static int deadline_of(const struct sim_world *world, const struct timespec *timeout,
                       uint64_t *deadline_at)
{
    uint64_t ns;
    *deadline_at = SIM_NEVER;
    if (timeout) {
        if (!sim_call_duration(timeout, &ns)) {
            return -EINVAL;
        }
        *deadline_at = sim_call_after(world, ns);
    }
    return 0;
}

/* ---- poll -------------------------------------------------------------------------------------- */

static int64_t poll_scan(SIM_CALL, struct pollfd *descriptors, nfds_t count)
{
    const struct sim_process_id process = sim_task_at(world, task)->process;
    int64_t ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        struct pollfd *entry = &descriptors[i];
        entry->revents = 0;
        if (entry->fd < 0) {
            continue;
        }
        const struct sim_file_id file = sim_descriptor_file(world, process, entry->fd);
        if (!file.index) {
            entry->revents = POLLNVAL;
        } else {
            const uint32_t wanted = (uint16_t)entry->events | POLLERR | POLLHUP;
            entry->revents = (short)(sim_file_poll(world, file) & wanted);
        }
        ready += entry->revents != 0;
    }
    return ready;
}

static int poll_link(SIM_CALL, const struct pollfd *descriptors, nfds_t count)
{
    const struct sim_process_id process = sim_task_at(world, task)->process;
    for (nfds_t i = 0; i < count; i++) {
        const struct sim_file_id file = descriptors[i].fd < 0
                                            ? (struct sim_file_id){0}
                                            : sim_descriptor_file(world, process, descriptors[i].fd);
        if (file.index && sim_file_wait_add(world, task, file, (uint16_t)descriptors[i].events) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

int64_t sim_call_ppoll(SIM_CALL, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask)
{
    struct sim_task *caller = sim_task_at(world, task);
    uint64_t deadline_at = 0;
    if (!caller->call.kind) {
        if (deadline_of(world, timeout, &deadline_at) < 0 ||
            count > sim_process_at(world, caller->process)->descriptor_limit) {
            return -EINVAL;
        }
        if (count > 0 && !sim_call_memory(descriptors)) {
            return -EFAULT;
        }
    }
    const int64_t ready = poll_scan(world, task, descriptors, count);
    if (ready > 0) {
        return sim_call_end(world, task, ready);
    }
    if (!caller->call.kind) {
        if (deadline_at <= world->now && !mask) {
            return 0;
        }
        sim_call_begin(world, task, SIM_CALL_POLL, count == 1 ? descriptors[0].fd : -1, deadline_at);
        caller->call.events = count == 1 ? (uint16_t)descriptors[0].events : 0;
        if (poll_link(world, task, descriptors, count) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    return not_ready(world, task, mask, false);
}

/* ---- select ------------------------------------------------------------------------------------ */

enum {
    WORD_BITS = 8 * sizeof(unsigned long),
};
/* LINUX: POLLIN_SET, POLLOUT_SET, POLLEX_SET. */
static const uint32_t select_bits[3] = {
    POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
    POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
    POLLPRI,
};

/* The sets by words: a program may give larger ones than fd_set is. */
struct select_sets {
    unsigned long *words[3];
    int count;
};

static bool has(const unsigned long *set, int fd)
{
    return set && (set[fd / WORD_BITS] >> (fd % WORD_BITS) & 1);
}

static uint32_t select_wanted(const struct select_sets *sets, int fd)
{
    uint32_t wanted = 0;
    for (int i = 0; i < 3; i++) {
        wanted |= has(sets->words[i], fd) ? select_bits[i] : 0;
    }
    return wanted;
}

/* How many bits hold; with `write`, leaves only those in the sets. -EBADF for a closed number. */
static int64_t select_scan(SIM_CALL, const struct select_sets *sets, bool write)
{
    const struct sim_process_id process = sim_task_at(world, task)->process;
    int64_t ready = 0;
    for (int fd = 0; fd < sets->count; fd++) {
        if (!select_wanted(sets, fd)) {
            continue;
        }
        const struct sim_file_id file = sim_descriptor_file(world, process, fd);
        if (!file.index) {
            return -EBADF;
        }
        const uint32_t bits = sim_file_poll(world, file);
        for (int i = 0; i < 3; i++) {
            const bool holds = has(sets->words[i], fd) && (bits & select_bits[i]);
            ready += holds;
            if (write && sets->words[i] && !holds) {
                sets->words[i][fd / WORD_BITS] &= ~(1UL << (fd % WORD_BITS));
            }
        }
    }
    return ready;
}

static int select_link(SIM_CALL, const struct select_sets *sets)
{
    const struct sim_process_id process = sim_task_at(world, task)->process;
    for (int fd = 0; fd < sets->count; fd++) {
        const uint32_t wanted = select_wanted(sets, fd);
        if (wanted &&
            sim_file_wait_add(world, task, sim_descriptor_file(world, process, fd), wanted) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

int64_t sim_call_pselect(SIM_CALL, int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                         const struct timespec *timeout, const sigset_t *mask)
{
    struct sim_task *caller = sim_task_at(world, task);
    const struct select_sets sets = {{(unsigned long *)(void *)readable,
                                      (unsigned long *)(void *)writable,
                                      (unsigned long *)(void *)exceptional},
                                     count};
    uint64_t deadline_at = 0;
    if (!caller->call.kind && (count < 0 || deadline_of(world, timeout, &deadline_at) < 0)) {
        return -EINVAL;
    }
    int64_t result = select_scan(world, task, &sets, false);
    if (result == 0 && !caller->call.kind && (deadline_at > world->now || mask)) {
        sim_call_begin(world, task, SIM_CALL_SELECT, -1, deadline_at);
        result = select_link(world, task, &sets);
    }
    if (result == 0 && caller->call.kind) {
        result = not_ready(world, task, mask, false);
    }
    if (result >= 0) {
        select_scan(world, task, &sets, true);
    }
    return result == SIM_WAIT ? SIM_WAIT : sim_call_end(world, task, result);
}

/* ---- epoll ------------------------------------------------------------------------------------- */

int64_t sim_call_epoll_create(SIM_CALL, int flags)
{
    if (flags & ~EPOLL_CLOEXEC) {
        return -EINVAL;
    }
    const struct sim_epoll_id epoll = sim_epoll_new(world);
    if (!epoll.index) {
        return -ENOMEM;
    }
    const struct sim_file_id file = sim_file_open(world, SIM_FILE_EPOLL, epoll.index, O_RDWR);
    if (!file.index) {
        sim_epoll_free(world, epoll);
        return -ENFILE;
    }
    return sim_call_install(world, task, file, flags & EPOLL_CLOEXEC);
}

int64_t sim_call_epoll_ctl(SIM_CALL, int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    const struct sim_process_id process = sim_task_at(world, task)->process;
    if (operation != EPOLL_CTL_DEL && !sim_call_memory(event)) {
        return -EFAULT;
    }
    const struct sim_file_id epoll = sim_descriptor_file(world, process, epoll_fd);
    const struct sim_file_id file = sim_descriptor_file(world, process, fd);
    if (!epoll.index || !file.index) {
        return -EBADF;
    }
    const struct sim_file *description = sim_file_at(world, epoll);
    if (epoll.index == file.index || description->kind != SIM_FILE_EPOLL) {
        return -EINVAL;
    }
    const struct sim_file *watched = sim_file_at(world, file);
    if (watched->kind == SIM_FILE_REAL &&
        sim_real_at(world, (struct sim_real_id){watched->object})->kind == SIM_REAL_IS_READY) {
        return -EPERM; /* LINUX: of files that cannot be polled */
    }
    return sim_epoll_control(world, (struct sim_epoll_id){description->object}, operation, file, fd,
                             event);
}

int64_t sim_call_epoll_pwait(SIM_CALL, int epoll_fd, struct epoll_event *events, int maximum,
                             const struct timespec *timeout, const sigset_t *mask)
{
    struct sim_task *caller = sim_task_at(world, task);
    struct sim_file_id file;
    uint64_t deadline_at = 0;
    if (!caller->call.kind) {
        if (deadline_of(world, timeout, &deadline_at) < 0) {
            return -EINVAL;
        }
    }
    if (sim_call_file(world, task, epoll_fd, &file) < 0) {
        return -EBADF;
    }
    const struct sim_file *description = sim_file_at(world, file);
    if (maximum <= 0 || maximum > INT_MAX / (int)sizeof *events) {
        return -EINVAL;
    }
    if (!sim_call_memory(events)) {
        return -EFAULT;
    }
    if (description->kind != SIM_FILE_EPOLL) {
        return -EINVAL;
    }
    const int count = sim_epoll_collect(world, (struct sim_epoll_id){description->object}, events,
                                        maximum);
    if (count > 0) {
        return sim_call_end(world, task, count);
    }
    if (!caller->call.kind) {
        if (deadline_at <= world->now && !mask) {
            return 0;
        }
        sim_call_begin(world, task, SIM_CALL_EPOLL_WAIT, epoll_fd, deadline_at);
        caller->call.file = file;
        caller->call.events = POLLIN;
        if (sim_file_wait_add(world, task, file, POLLIN) < 0) {
            return sim_call_end(world, task, -ENOMEM);
        }
    }
    return not_ready(world, task, mask, true);
}
