/* The world as a system: the seam's calls, each made of a world call that may wait.
 * SPDX-License-Identifier: MIT */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/call.h"
#include "call/process.h"
#include "core/block.h"
#include "core/event.h"
#include "file/file.h"
#include "frame.h"
#include "world.h"

/* ---- calls that are one call of the world ------------------------------------------------------- */

/* How each call is made: FRAMED, one call of the world of the same name; FRAMED_OR_REAL, unless the
 * descriptor is one of the real system's; by hand, here or in provider_names.c, provider_file.c. */
#define HOW_socket FRAMED
#define HOW_socketpair FRAMED
#define HOW_bind FRAMED
#define HOW_listen FRAMED
#define HOW_accept FRAMED
#define HOW_connect FRAMED
#define HOW_sendto BY_HAND
#define HOW_recvfrom BY_HAND
#define HOW_sendmsg FRAMED
#define HOW_recvmsg FRAMED
#define HOW_shutdown FRAMED
#define HOW_getsockname FRAMED
#define HOW_getpeername FRAMED
#define HOW_getsockopt FRAMED
#define HOW_setsockopt FRAMED
#define HOW_close FRAMED_OR_REAL
#define HOW_dup3 FRAMED
#define HOW_fcntl FRAMED
#define HOW_ioctl FRAMED
#define HOW_read FRAMED_OR_REAL
#define HOW_write FRAMED_OR_REAL
#define HOW_pipe2 FRAMED
#define HOW_eventfd FRAMED
#define HOW_timerfd_create FRAMED
#define HOW_timerfd_settime FRAMED
#define HOW_timerfd_gettime FRAMED
#define HOW_sendfile BY_HAND
#define HOW_fstat BY_HAND
#define HOW_lseek BY_HAND
#define HOW_ppoll INNER
#define HOW_pselect INNER
#define HOW_epoll_create FRAMED
#define HOW_epoll_ctl INNER
#define HOW_epoll_pwait FRAMED
#define HOW_clock_gettime FRAMED
#define HOW_clock_nanosleep FRAMED
#define HOW_getaddrinfo BY_HAND
#define HOW_freeaddrinfo BY_HAND
#define HOW_getnameinfo BY_HAND
#define HOW_gethostbyname BY_HAND
#define HOW_gethostbyaddr BY_HAND
#define HOW_getservbyname BY_HAND
#define HOW_getservbyport BY_HAND
#define HOW_getprotobyname BY_HAND
#define HOW_gethostname BY_HAND
#define HOW_sethostname BY_HAND
#define HOW_if_nameindex BY_HAND
#define HOW_if_nametoindex BY_HAND
#define HOW_if_indextoname BY_HAND
#define HOW_spawn BY_HAND
#define HOW_join FRAMED
#define HOW_task_local BY_HAND
#define HOW_process_local BY_HAND

#define BY_HAND(type, name, parameters, ...)
/* By hand around the call of the world. */
#define INNER(type, name, parameters, ...) \
    static type in_world_##name parameters WORLD_CALL(type, name, __VA_ARGS__)
/* The body of a call: made again for as long as the world says that it waits. */
#define WORLD_CALL(type, name, ...)                                               \
    {                                                                             \
        struct sim_frame frame;                                                   \
        if (!sim_frame_open(&frame, caller)) {                                    \
            return (type)frame.result;                                            \
        }                                                                         \
        do {                                                                      \
            frame.result = sim_call_##name(frame.world, frame.task, __VA_ARGS__); \
        } while (sim_frame_waits(&frame));                                        \
        return (type)sim_frame_close(&frame);                                     \
    }
#define FRAMED(type, name, parameters, ...) \
    type sim_seam_##name parameters WORLD_CALL(type, name, __VA_ARGS__)
#define FRAMED_OR_REAL(type, name, parameters, ...)      \
    INNER(type, name, parameters, __VA_ARGS__)           \
    type sim_seam_##name parameters                      \
    {                                                    \
        if (sim_provider_is_real(caller, fd)) {          \
            const type result = name(__VA_ARGS__);       \
            return result < 0 ? (type)(-errno) : result; \
        }                                                \
        return in_world_##name(caller, __VA_ARGS__);     \
    }
#define MAKE(type, name, parameters, ...) HOW_##name(type, name, parameters, __VA_ARGS__)
DRY_SYSTEM_CALLS(MAKE)

/* ---- readiness, of the real system's files too -------------------------------------------------- */

int sim_seam_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                   const struct timespec *timeout, const sigset_t *mask)
{
    return sim_provider_polls_real(caller, descriptors, count)
               ? sim_provider_poll_real(in_world_ppoll, caller, descriptors, count, timeout, mask)
               : in_world_ppoll(caller, descriptors, count, timeout, mask);
}

int sim_seam_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                     fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    return sim_provider_selects_real(caller, count, readable, writable, exceptional)
               ? sim_provider_select_real(caller, count, readable, writable, exceptional, timeout)
               : in_world_pselect(caller, count, readable, writable, exceptional, timeout, mask);
}

int sim_seam_epoll_ctl(struct dry_caller caller, int epoll_fd, int operation, int fd,
                       struct epoll_event *event)
{
    return sim_provider_is_real(caller, fd) && !sim_provider_is_real(caller, epoll_fd)
               ? sim_provider_watch_real(fd)
               : in_world_epoll_ctl(caller, epoll_fd, operation, fd, event);
}

/* ---- transfers in one piece --------------------------------------------------------------------- */

ssize_t sim_seam_sendto(struct dry_caller caller, int fd, const void *data, size_t length, int flags,
                        const struct sockaddr *address, socklen_t address_length)
{
    struct iovec vector = {(void *)(uintptr_t)data, length};
    const struct msghdr message = {.msg_name = (void *)(uintptr_t)address,
                                   .msg_namelen = address ? address_length : 0,
                                   .msg_iov = &vector,
                                   .msg_iovlen = 1};
    /* LINUX: sendto(2) refuses a longer address; sendmsg(2) cuts it. */
    if (address && address_length > sizeof(struct sockaddr_storage)) {
        int type;
        socklen_t length_of_type = sizeof type;
        const int found = sim_seam_getsockopt(caller, fd, SOL_SOCKET, SO_TYPE, &type, &length_of_type);
        return found < 0 ? found : -EINVAL;
    }
    return sim_seam_sendmsg(caller, fd, &message, flags);
}

ssize_t sim_seam_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                          struct sockaddr *address, socklen_t *address_length)
{
    struct iovec vector = {buffer, length};
    if (address && !address_length) {
        return -EFAULT;
    }
    struct msghdr message = {.msg_name = address,
                             .msg_namelen = address ? *address_length : 0,
                             .msg_iov = &vector,
                             .msg_iovlen = 1};
    const ssize_t count = sim_seam_recvmsg(caller, fd, &message, flags);
    if (count >= 0 && address) {
        *address_length = message.msg_namelen;
    }
    return count;
}

/* ---- tasks, stores, interrupts ------------------------------------------------------------------ */

int sim_seam_spawn(struct dry_caller caller, void (*entry)(void *argument), void *argument,
                   uint32_t *task)
{
    struct sim *sim = caller.world;
    const int refused = sim_provider_refuses(caller);
    if (refused) {
        return refused;
    }
    const struct sim_task *parent = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    return sim_start_task(sim, parent->process, parent->name, parent->daemon, entry, argument, task);
}

void *sim_seam_task_local(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    return sim && caller.task <= sim->world->pools[SIM_POOL_TASK].capacity
               ? sim_code_of(sim, caller.task)->local
               : sim_current_task_store();
}

void *sim_seam_process_local(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    return sim && caller.process <= sim->world->pools[SIM_POOL_PROCESS].capacity
               ? sim_process_at(sim->world, (struct sim_process_id){caller.process})->local
               : sim_current_process_store();
}

static int world_interrupt_after(struct dry_caller caller, uint64_t after_ns)
{
    struct sim *sim = caller.world;
    if (sim_provider_refuses(caller)) {
        return -ENOSYS;
    }
    struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    sim_event_cancel(sim->world, &task->signal_event);
    task->landed = 0;
    const uint64_t now = sim->world->now;
    const uint64_t at = after_ns < SIM_NEVER - now ? now + after_ns : SIM_NEVER;
    task->signal_event = sim_event_push(sim->world, at, SIM_EVENT_SIGNAL, caller.task,
                                        SIM_SIGNAL_INTERRUPT, 1);
    return task->signal_event.index ? 0 : -ENOMEM;
}

/* 1 when the signal ended a wait, 0 when it did not. */
static int world_cancel_interrupt(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    if (sim_provider_refuses(caller)) {
        return -ENOSYS;
    }
    struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    sim_event_cancel(sim->world, &task->signal_event);
    const int landed = task->landed != 0;
    task->landed = 0;
    return landed;
}

#define ENTRY(type, name, parameters, ...) .name = sim_seam_##name,
const struct dry_system sim_system = {
    .name = "world",
    DRY_SYSTEM_CALLS(ENTRY).interrupt_after = world_interrupt_after,
    .cancel_interrupt = world_cancel_interrupt,
    .hold = sim_seam_hold,
    .release = sim_seam_release,
};
