/* World calls about descriptors: close, dup3, read, write, pipes, eventfd, timerfd.
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <sys/eventfd.h>
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
        if (result > 0 && !buffer) {
            return -EFAULT; /* LINUX: the count is lost */
        }
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
    const bool bad = sim_memory_is_bad(buffer) && length > 0;
    if (file->kind == SIM_FILE_SOCKET) {
        struct iovec vector = {buffer, length};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        return length == 0 ? 0 : sim_call_recvmsg(world, task, fd, &message, 0);
    }
    const int64_t result = file->kind == SIM_FILE_SIGNALFD
                               ? sim_signalfd_read(world, task, (struct sim_signalfd_id){file->object},
                                                   buffer, length)
                               : read_once(world, file, bad ? NULL : buffer, length);
    if (result == -EAGAIN && sim_call_waits(world, task, id)) {
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
        return sim_pipe_write(world, (struct sim_pipe_id){file->object}, data, length,
                              file->status & O_DIRECT);
    case SIM_FILE_COUNTER: {
        uint64_t value;
        if (length != sizeof value) { /* LINUX: since 6.13; before, more was cut off */
            return -EINVAL;
        }
        if (!data) {
            return -EFAULT;
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
    const bool bad = sim_memory_is_bad(data) && length > 0;
    if (file->kind == SIM_FILE_SOCKET) {
        struct iovec vector = {(void *)(uintptr_t)data, length};
        const struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
        return sim_call_sendmsg(world, task, fd, &message, 0);
    }
    const bool waits = sim_call_waits(world, task, id);
    int64_t progress = (int64_t)sim_task_at(world, task)->call.moved_bytes;
    int64_t result;
    do { /* a blocking write to a pipe goes on until all is in */
        const char *rest = bad ? NULL : progress > 0 ? (const char *)data + progress : data;
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
    if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL)) {
        return -EINVAL;
    }
    if (flags & O_EXCL) {
        return -ENOPKG; /* LINUX: O_NOTIFICATION_PIPE, of a kernel without watch queues */
    }
    if (!sim_call_memory(descriptors)) {
        return -EFAULT;
    }
    const struct sim_pipe_id pipe = sim_pipe_new(world);
    if (!pipe.index) {
        return -ENFILE;
    }
    const uint32_t status = (uint32_t)flags & (O_NONBLOCK | O_DIRECT);
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
    if (!sim_call_memory(value)) {
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
    struct itimerspec before;
    const struct itimerspec wanted = *value; /* both may be one */
    sim_timer_get(world, timer, &before);
    sim_timer_set(world, timer, flags & TFD_TIMER_ABSTIME, &wanted);
    if (old && !sim_call_memory(old)) {
        return -EFAULT;
    }
    if (old) {
        *old = before;
    }
    return 0;
}

int64_t sim_call_timerfd_gettime(SIM_CALL, int fd, struct itimerspec *value)
{
    struct sim_timer_id timer = {0};
    const int result = timer_lookup(world, task, fd, &timer);
    if (result < 0) {
        return result;
    }
    if (!sim_call_memory(value)) {
        return -EFAULT;
    }
    sim_timer_get(world, timer, value);
    return 0;
}
