/* World calls that steer descriptors: fcntl, ioctl.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "file/pipe.h"
#include "internal.h"
#include "process.h"
#include "socket/interface.h"
#include "socket/protocol.h"
#include "socket/sockets.h"

enum { SIGNALS = 64 };

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

static bool is_pipe(const struct sim_file *file)
{
    return file->kind == SIM_FILE_PIPE_READ || file->kind == SIM_FILE_PIPE_WRITE;
}

/* ---- whom signals about a description go to ----------------------------------------------------- */

/* LINUX: f_setown: a process's number, or minus a group's; each process here is a group of its own. */
static int set_owner(struct sim_world *world, struct sim_file_id file, int owner)
{
    if (owner == INT_MIN) {
        return -EINVAL;
    }
    const uint32_t pid = (uint32_t)(owner < 0 ? -owner : owner);
    if (pid != 0 && !sim_process_find(world, pid).index) {
        return -ESRCH;
    }
    sim_file_at(world, file)->owner = owner;
    return 0;
}

/* LINUX: setfl: only a kind of object that can send SIGIO takes O_ASYNC, and ioctl() alone says so. */
static bool sends_signals(const struct sim_file *file)
{
    return file->kind == SIM_FILE_SOCKET || is_pipe(file);
}

static int set_async(struct sim_file *file, bool on)
{
    const bool was_on = file->status & O_ASYNC;
    if (on == was_on) {
        return 0;
    }
    if (!sends_signals(file)) {
        return -ENOTTY;
    }
    file->status = on ? file->status | O_ASYNC : file->status & ~(uint32_t)O_ASYNC;
    return 0;
}

/* ---- fcntl -------------------------------------------------------------------------------------- */

static int64_t duplicate(SIM_CALL, struct sim_file_id file, long minimum, uint32_t flags)
{
    const struct sim_process_id process = process_of(world, task);
    const struct sim_process *owner = sim_process_at(world, process);
    const int64_t least = (unsigned)minimum; /* LINUX: an unsigned int */
    if (least >= (int64_t)owner->first_descriptor + owner->descriptor_limit) {
        return -EINVAL;
    }
    sim_file_hold(world, file);
    const int result = sim_descriptor_install(world, process, file, flags, (int)least);
    if (result < 0) {
        sim_file_drop(world, file);
    }
    return result;
}

static int64_t set_status(struct sim_world *world, struct sim_file_id file, long argument)
{
    /* LINUX: only these change after the description was made. */
    const uint32_t may_change = O_NONBLOCK | O_APPEND | O_DIRECT | O_NOATIME;
    struct sim_file *description = sim_file_at(world, file);
    if ((argument & O_DIRECT) && !is_pipe(description)) {
        return -EINVAL;
    }
    (void)set_async(description, argument & O_ASYNC);
    description->status = (description->status & ~may_change) | ((uint32_t)argument & may_change);
    return 0;
}

static int64_t pipe_size(struct sim_world *world, struct sim_file_id file, int command, long argument)
{
    const struct sim_file *description = sim_file_at(world, file);
    const struct sim_pipe_id pipe = {description->object};
    if (!is_pipe(description)) {
        return -EBADF;
    }
    return command == F_GETPIPE_SZ ? (int64_t)sim_pipe_at(world, pipe)->page_limit * SIM_PIPE_PAGE_BYTES
                                   : sim_pipe_resize(world, pipe, (unsigned)argument);
}

static int64_t signal_number(struct sim_world *world, struct sim_file_id file, int command,
                             long argument)
{
    struct sim_file *description = sim_file_at(world, file);
    if (command == F_GETSIG) {
        return description->signal;
    }
    if ((unsigned long)argument > SIGNALS) {
        return -EINVAL;
    }
    description->signal = (uint32_t)argument;
    return 0;
}

int64_t sim_call_fcntl(SIM_CALL, int fd, int command, long argument)
{
    struct sim_descriptor *entry = sim_descriptor_at(world, process_of(world, task), fd);
    if (!entry) {
        return -EBADF;
    }
    switch (command) {
    case F_GETFD:
        return entry->flags;
    case F_SETFD:
        entry->flags = (uint32_t)argument & FD_CLOEXEC;
        return 0;
    case F_GETFL:
        return sim_file_at(world, entry->file)->status;
    case F_SETFL:
        return set_status(world, entry->file, argument);
    case F_DUPFD:
        return duplicate(world, task, entry->file, argument, 0);
    case F_DUPFD_CLOEXEC:
        return duplicate(world, task, entry->file, argument, FD_CLOEXEC);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return pipe_size(world, entry->file, command, argument);
    case F_GETOWN:
        return sim_file_at(world, entry->file)->owner;
    case F_SETOWN:
        return set_owner(world, entry->file, (int)argument);
    case F_GETSIG:
    case F_SETSIG:
        return signal_number(world, entry->file, command, argument);
    case F_GETLEASE:
        return F_UNLCK;
    default:
        return -EINVAL;
    }
}

/* ---- ioctl -------------------------------------------------------------------------------------- */

static int64_t readable_bytes(struct sim_world *world, const struct sim_file *file, int *count)
{
    const uint64_t length = sim_pipe_at(world, (struct sim_pipe_id){file->object})->bytes.length;
    if (!count) {
        return -EFAULT;
    }
    *count = length > INT_MAX ? INT_MAX : (int)length;
    return 0;
}

/* LINUX: sock_ioctl: its own first, then the protocol's, then those of interfaces. */
static int64_t control_socket(struct sim_world *world, struct sim_file_id file, unsigned long request,
                              void *argument)
{
    const struct sim_socket_id id = {sim_file_at(world, file)->object};
    const struct sim_protocol *rules = sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
    switch (request) {
    case FIOSETOWN:
    case SIOCSPGRP:
        return argument ? set_owner(world, file, *(const int *)argument) : -EFAULT;
    case FIOGETOWN:
    case SIOCGPGRP:
        if (!argument) {
            return -EFAULT;
        }
        *(int *)argument = sim_file_at(world, file)->owner;
        return 0;
    default:
        break;
    }
    int number; /* where the caller has no memory: what is asked is found out first */
    const int result = rules->ioctl ? rules->ioctl(world, id, request, argument ? argument : &number)
                                    : -ENOTTY;
    if (result == -ENOTTY) {
        return sim_interface_ioctl(world, id, request, argument);
    }
    return result == 0 && !argument ? -EFAULT : result;
}

int64_t sim_call_ioctl(SIM_CALL, int fd, unsigned long request, void *argument)
{
    struct sim_descriptor *entry = sim_descriptor_at(world, process_of(world, task), fd);
    if (!entry) {
        return -EBADF;
    }
    struct sim_file *file = sim_file_at(world, entry->file);
    argument = sim_call_memory(argument);
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        entry->flags = request == FIOCLEX ? FD_CLOEXEC : 0;
        return 0;
    case FIONBIO:
        if (!argument) {
            return -EFAULT;
        }
        file->status = *(const int *)argument ? file->status | O_NONBLOCK
                                              : file->status & ~(uint32_t)O_NONBLOCK;
        return 0;
    case FIOASYNC:
        return argument ? set_async(file, *(const int *)argument != 0) : -EFAULT;
    case FIOQSIZE:
        return -ENOTTY;
    default:
        break;
    }
    if (file->kind == SIM_FILE_SOCKET) {
        return control_socket(world, entry->file, request, argument);
    }
    if (is_pipe(file) && request == FIONREAD) {
        return readable_bytes(world, file, argument);
    }
    return file->kind == SIM_FILE_EPOLL ? -EINVAL : -ENOTTY;
}
