/* World calls about descriptors: close, dup, fcntl, ioctl, read, write, pipes, eventfd, timerfd.
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "file/counter.h"
#include "file/pipe.h"
#include "file/timer.h"
#include "internal.h"
#include "process.h"
#include "program.h"
#include "socket/protocol.h"
#include "socket/sockets.h"

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

/* ---- close ------------------------------------------------------------------------------------- */

/* Does closing this descriptor make close() wait (SO_LINGER on the last one)? Then which socket. */
static bool will_linger(SIM_CALL, int fd, struct sim_socket_id *id)
{
    struct sim_file_id file;
    if (sim_descriptor_socket(world, process_of(world, task), fd, &file, id) < 0) {
        return false;
    }
    const struct sim_socket *socket = sim_socket_at(world, *id);
    return (socket->options & SIM_OPTION_LINGER) && socket->linger_seconds > 0 &&
           sim_protocol_of(socket->protocol_kind)->lingers && sim_file_at(world, file)->references == 1;
}

/* Goes on waiting while the socket, by now without a file, has not finished. LINUX: also when it is
 * non-blocking; a signal or the end of the time ends the wait, and close() returns 0 all the same. */
static int64_t linger(SIM_CALL, struct sim_socket_id id)
{
    struct sim_task *caller = sim_task_at(world, task);
    const struct sim_socket *socket = sim_socket_at(world, id);
    const bool same = socket->slot.live && socket->slot.generation == caller->call.closed_generation;
    if (!same || !sim_protocol_of(socket->protocol_kind)->lingers(world, id) ||
        caller->call.deadline_at <= world->now || sim_signal_due(caller)) {
        return sim_call_end(world, task, 0);
    }
    sim_wait_park(world, task, caller->call.deadline_at);
    return SIM_WAIT;
}

int64_t sim_call_close(SIM_CALL, int fd)
{
    struct sim_call *call = &sim_task_at(world, task)->call;
    struct sim_socket_id id = {(uint32_t)call->closed_socket};
    if (call->kind) {
        return linger(world, task, id);
    }
    const bool lingers = will_linger(world, task, fd, &id);
    const struct sim_socket *socket = sim_socket_at(world, id);
    const uint32_t generation = lingers ? socket->slot.generation : 0;
    const uint64_t seconds = lingers ? socket->linger_seconds : 0;
    const int result = sim_descriptor_close(world, process_of(world, task), fd);
    if (!lingers || !socket->slot.live || socket->slot.generation != generation) {
        return result;
    }
    sim_call_begin(world, task, SIM_CALL_CLOSE, fd, sim_call_after(world, seconds * SIM_CALL_SECOND));
    call->closed_socket = id.index;
    call->closed_generation = generation;
    if (sim_wait_add(world, task, SIM_FILE_SOCKET, id.index, SIM_WAKE_ALL) < 0) {
        return sim_call_end(world, task, 0);
    }
    return linger(world, task, id);
}

int64_t sim_call_dup3(SIM_CALL, int fd, int wanted, int flags)
{
    const struct sim_process_id process = process_of(world, task);
    if ((flags & ~O_CLOEXEC) || fd == wanted) {
        return -EINVAL;
    }
    const struct sim_file_id file = sim_descriptor_file(world, process, fd);
    if (!file.index) {
        return -EBADF;
    }
    sim_file_hold(world, file);
    const int result = sim_descriptor_replace(world, process, file, flags & O_CLOEXEC ? FD_CLOEXEC : 0,
                                              wanted);
    if (result < 0) {
        sim_file_drop(world, file);
    }
    return result;
}

/* ---- fcntl, ioctl ------------------------------------------------------------------------------ */

static int64_t duplicate(SIM_CALL, struct sim_file_id file, long minimum, uint32_t flags)
{
    const struct sim_process_id process = process_of(world, task);
    const struct sim_process *owner = sim_process_at(world, process);
    if (minimum < 0 || minimum >= (int64_t)owner->first_descriptor + owner->descriptor_limit) {
        return -EINVAL;
    }
    sim_file_hold(world, file);
    const int result = sim_descriptor_install(world, process, file, flags, (int)minimum);
    if (result < 0) {
        sim_file_drop(world, file);
    }
    return result;
}

static int64_t set_status(struct sim_world *world, struct sim_file_id file, long argument)
{
    /* LINUX: only these change after the description was made. */
    const uint32_t may_change = O_NONBLOCK | O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME;
    struct sim_file *description = sim_file_at(world, file);
    description->status = (description->status & ~may_change) | ((uint32_t)argument & may_change);
    return 0;
}

static int64_t pipe_size(struct sim_world *world, struct sim_file_id file, int command, long argument)
{
    const struct sim_file *description = sim_file_at(world, file);
    const struct sim_pipe_id pipe = {description->object};
    if (description->kind != SIM_FILE_PIPE_READ && description->kind != SIM_FILE_PIPE_WRITE) {
        return -EBADF;
    }
    return command == F_GETPIPE_SZ ? (int64_t)sim_pipe_at(world, pipe)->page_limit * SIM_PIPE_PAGE_BYTES
                                   : sim_pipe_resize(world, pipe, (uint64_t)argument);
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
    default:
        return -EINVAL;
    }
}

static int64_t readable_bytes(struct sim_world *world, const struct sim_file *file, int *count)
{
    if (file->kind != SIM_FILE_PIPE_READ && file->kind != SIM_FILE_PIPE_WRITE) {
        return -ENOTTY;
    }
    const uint64_t length = sim_pipe_at(world, (struct sim_pipe_id){file->object})->bytes.length;
    *count = length > INT_MAX ? INT_MAX : (int)length;
    return 0;
}

int64_t sim_call_ioctl(SIM_CALL, int fd, unsigned long request, void *argument)
{
    struct sim_descriptor *entry = sim_descriptor_at(world, process_of(world, task), fd);
    if (!entry) {
        return -EBADF;
    }
    struct sim_file *file = sim_file_at(world, entry->file);
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
    default:
        break;
    }
    if (file->kind == SIM_FILE_SOCKET) {
        const struct sim_socket_id id = {file->object};
        const struct sim_protocol *rules = sim_protocol_of(sim_socket_at(world, id)->protocol_kind);
        return rules->ioctl ? rules->ioctl(world, id, request, argument) : -ENOTTY;
    }
    return request == FIONREAD && argument ? readable_bytes(world, file, argument) : -ENOTTY;
}

/* ---- read, write ------------------------------------------------------------------------------- */

static int64_t read_once(struct sim_world *world, const struct sim_file *file, void *buffer,
                         size_t length)
{
    switch (file->kind) {
    case SIM_FILE_PIPE_READ:
        return sim_pipe_read(world, (struct sim_pipe_id){file->object}, buffer, length);
    case SIM_FILE_COUNTER:
    case SIM_FILE_TIMER: {
        uint64_t value;
        if (length < sizeof value) {
            return -EINVAL;
        }
        const int64_t result = file->kind == SIM_FILE_COUNTER
                                   ? sim_counter_read(world, (struct sim_counter_id){file->object},
                                                      &value)
                                   : sim_timer_read(world, (struct sim_timer_id){file->object}, &value);
        if (result > 0) {
            memcpy(buffer, &value, sizeof value);
        }
        return result;
    }
    case SIM_FILE_PIPE_WRITE:
        return -EBADF;
    default:
        return -EINVAL;
    }
}

int64_t sim_call_read(SIM_CALL, int fd, void *buffer, size_t length)
{
    struct sim_file_id id;
    if (sim_call_file(world, task, fd, &id) < 0) {
        return -EBADF;
    }
    const struct sim_file *file = sim_file_at(world, id);
    if (!buffer && length > 0) {
        return -EFAULT;
    }
    if (file->kind == SIM_FILE_SOCKET) {
        struct iovec vector = {buffer, length};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        return length == 0 ? 0 : sim_call_recvmsg(world, task, fd, &message, 0);
    }
    const int64_t result = file->kind == SIM_FILE_SIGNALFD
                               ? sim_signalfd_read(world, task, (struct sim_signalfd_id){file->object},
                                                   buffer, length)
                               : read_once(world, file, buffer, length);
    if (result == -EAGAIN && !(file->status & O_NONBLOCK)) {
        const struct sim_call_wait wait = {.kind = SIM_CALL_READ,
                                           .descriptor = fd,
                                           .file = id,
                                           .events = POLLIN,
                                           .at_deadline = -EAGAIN};
        return sim_call_park(world, task, &wait, 0);
    }
    return sim_call_end(world, task, result);
}

static int64_t write_once(struct sim_world *world, const struct sim_file *file, const void *data,
                          size_t length)
{
    switch (file->kind) {
    case SIM_FILE_PIPE_WRITE:
        return sim_pipe_write(world, (struct sim_pipe_id){file->object}, data, length);
    case SIM_FILE_COUNTER: {
        uint64_t value;
        if (length < sizeof value) {
            return -EINVAL;
        }
        memcpy(&value, data, sizeof value);
        return sim_counter_write(world, (struct sim_counter_id){file->object}, value);
    }
    case SIM_FILE_PIPE_READ:
        return -EBADF;
    default:
        return -EINVAL;
    }
}

int64_t sim_call_write(SIM_CALL, int fd, const void *data, size_t length)
{
    struct sim_file_id id;
    if (sim_call_file(world, task, fd, &id) < 0) {
        return -EBADF;
    }
    const struct sim_file *file = sim_file_at(world, id);
    if (!data && length > 0) {
        return -EFAULT;
    }
    if (file->kind == SIM_FILE_SOCKET) {
        struct iovec vector = {(void *)(uintptr_t)data, length};
        const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        return sim_call_sendmsg(world, task, fd, &message, 0);
    }
    const bool waits = !(file->status & O_NONBLOCK);
    int64_t progress = (int64_t)sim_task_at(world, task)->call.moved_bytes;
    int64_t result;
    do { /* a blocking write to a pipe goes on until all is in */
        const char *rest = progress > 0 ? (const char *)data + progress : data;
        result = write_once(world, file, rest, length - (size_t)progress);
        progress += result > 0 ? result : 0;
    } while (waits && result > 0 && (size_t)progress < length && file->kind == SIM_FILE_PIPE_WRITE);
    if (result == -EAGAIN && waits) {
        const struct sim_call_wait wait = {.kind = SIM_CALL_WRITE,
                                           .descriptor = fd,
                                           .file = id,
                                           .events = POLLOUT,
                                           .at_deadline = -EAGAIN};
        return sim_call_park(world, task, &wait, progress);
    }
    result = sim_call_end(world, task, progress > 0 ? progress : result);
    if (result == -EPIPE) {
        sim_signal_send(world, task, SIGPIPE);
    }
    return result;
}

/* ---- pipes, eventfd, timerfd ------------------------------------------------------------------- */

int64_t sim_call_pipe2(SIM_CALL, int descriptors[2], int flags)
{
    if (flags & ~(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL; /* SIMPLER: packet mode (O_DIRECT) too */
    }
    const struct sim_pipe_id pipe = sim_pipe_new(world);
    if (!pipe.index) {
        return -ENFILE;
    }
    const uint32_t status = (uint32_t)flags & O_NONBLOCK;
    const struct sim_file_id reader = sim_file_open(world, SIM_FILE_PIPE_READ, pipe.index,
                                                    O_RDONLY | status);
    const struct sim_file_id writer = reader.index ? sim_file_open(world, SIM_FILE_PIPE_WRITE,
                                                                   pipe.index, O_WRONLY | status)
                                                   : (struct sim_file_id){0};
    if (!writer.index) {
        sim_pipe_close(world, pipe, true);
        if (reader.index) {
            sim_file_drop(world, reader);
        } else {
            sim_pipe_close(world, pipe, false);
        }
        return -ENFILE;
    }
    const int64_t first = sim_call_install(world, task, reader, flags & O_CLOEXEC);
    if (first < 0) {
        sim_file_drop(world, writer);
        return first;
    }
    const int64_t second = sim_call_install(world, task, writer, flags & O_CLOEXEC);
    if (second < 0) {
        sim_descriptor_close(world, process_of(world, task), (int)first);
        return second;
    }
    descriptors[0] = (int)first;
    descriptors[1] = (int)second;
    return 0;
}

int64_t sim_call_eventfd(SIM_CALL, unsigned initial, int flags)
{
    if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) {
        return -EINVAL;
    }
    const struct sim_counter_id counter = sim_counter_new(world, initial, flags & EFD_SEMAPHORE);
    if (!counter.index) {
        return -ENOMEM;
    }
    const struct sim_file_id file = sim_file_open(world, SIM_FILE_COUNTER, counter.index,
                                                  O_RDWR | ((uint32_t)flags & O_NONBLOCK));
    if (!file.index) {
        sim_counter_free(world, counter);
        return -ENFILE;
    }
    return sim_call_install(world, task, file, flags & EFD_CLOEXEC);
}

int64_t sim_call_timerfd_create(SIM_CALL, int clock, int flags)
{
    const bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
                       clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
    if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) || !known) {
        return -EINVAL;
    }
    const struct sim_timer_id timer = sim_timer_new(world, clock);
    if (!timer.index) {
        return -ENOMEM;
    }
    const struct sim_file_id file = sim_file_open(world, SIM_FILE_TIMER, timer.index,
                                                  O_RDWR | ((uint32_t)flags & O_NONBLOCK));
    if (!file.index) {
        sim_timer_free(world, timer);
        return -ENFILE;
    }
    return sim_call_install(world, task, file, flags & TFD_CLOEXEC);
}

static int timer_lookup(SIM_CALL, int fd, struct sim_timer_id *timer)
{
    const struct sim_file_id file = sim_descriptor_file(world, process_of(world, task), fd);
    if (!file.index) {
        return -EBADF;
    }
    if (sim_file_at(world, file)->kind != SIM_FILE_TIMER) {
        return -EINVAL;
    }
    timer->index = sim_file_at(world, file)->object;
    return 0;
}

int64_t sim_call_timerfd_settime(SIM_CALL, int fd, int flags, const struct itimerspec *value,
                                 struct itimerspec *old)
{
    struct sim_timer_id timer = {0};
    uint64_t ns;
    if (!value) {
        return -EFAULT;
    }
    if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
        !sim_call_duration(&value->it_value, &ns) || !sim_call_duration(&value->it_interval, &ns)) {
        return -EINVAL;
    }
    const int result = timer_lookup(world, task, fd, &timer);
    if (result < 0) {
        return result;
    }
    if (old) {
        sim_timer_get(world, timer, old);
    }
    sim_timer_set(world, timer, flags & TFD_TIMER_ABSTIME, value);
    return 0;
}

int64_t sim_call_timerfd_gettime(SIM_CALL, int fd, struct itimerspec *value)
{
    struct sim_timer_id timer = {0};
    const int result = timer_lookup(world, task, fd, &timer);
    if (result < 0) {
        return result;
    }
    if (!value) {
        return -EFAULT;
    }
    sim_timer_get(world, timer, value);
    return 0;
}
