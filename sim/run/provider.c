/* The world as a system: the seam's calls, each looping over a world call and parking its task.
 * SPDX-License-Identifier: MIT */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/call.h"
#include "call/process.h"
#include "core/event.h"
#include "file/file.h"
#include "names/resolver.h"
#include "world.h"

/* ---- who is asking ------------------------------------------------------------------------------ */

/* The one thread-local: where this thread is, and stores for a thread that has no world. */
static _Thread_local struct {
    struct sim_current current;
    char local[2][DRY_LOCAL_BYTES];
} here;

struct sim_current *sim_current(void)
{
    return &here.current;
}

/* First call outside any task: the thread's own world, with the caller as its first task. */
static void make_default_world(void)
{
    char message[512];
    if (gettid() != getpid()) {
        here.current.caller = (struct dry_caller){&sim_system, NULL, 0, 0};
        return; /* every call of a second thread is answered -ENOTSUP */
    }
    struct sim *sim = sim_head_create(getenv("DRYSOCK_WORLD"), message, sizeof message);
    if (!sim) {
        fprintf(stderr, "drysock: DRYSOCK_WORLD: %s\n", message);
        exit(EXIT_FAILURE);
    }
    const int process = sim_add_process(sim, 1, "main");
    const int task = process < 0 ? process : sim_spawn(sim, process, "main", NULL, NULL);
    if (task < 0) {
        fprintf(stderr, "drysock: no world for main: %s\n", strerror(-task));
        exit(EXIT_FAILURE);
    }
    struct sim_code *code = sim_code_of(sim, (uint32_t)task);
    code->own = 1;
    code->started = 1;
    if (sim_loop(sim, sim->world->now, (uint32_t)task) != SIM_REACHED) {
        abort();
    }
    sim->running = (uint32_t)task;
    here.current.caller = code->caller;
    here.current.sim = sim;
    here.current.stack_bytes = UINTPTR_MAX; /* main's own, wherever that is */
}

struct dry_caller dry_current_caller(void)
{
    sim_notice_jump();
    if (!here.current.caller.system) {
        make_default_world();
    }
    return here.current.caller;
}

void dry_set_current_caller(struct dry_caller caller)
{
    struct sim *sim = here.current.sim;
    if (sim && sim->running) {
        struct sim_code *code = sim_code_of(sim, sim->running);
        if (!caller.system) {
            const struct sim_task_id task = {sim->running};
            caller = (struct dry_caller){&sim_system, sim, sim_task_at(sim->world, task)->process.index,
                                         task.index};
        }
        code->caller = caller;
    }
    here.current.caller = caller;
}

const struct dry_system *dry_provider(void)
{
    return &sim_system;
}

/* ---- the frame of every call -------------------------------------------------------------------- */

/* The clock moves under a task that never waits. */
static void spin(struct sim *sim, struct sim_task *task)
{
    struct sim_world *world = sim->world;
    if (task->spun_at != world->now) {
        task->spun_at = world->now;
        task->spins = 0;
        return;
    }
    const uint64_t next_at = world->now + SIM_SPIN_STEP_NS;
    if (sim_event_next_at(world) > next_at) {
        sim_world_advance(world, next_at);
        task->spun_at = next_at;
        return;
    }
    const struct timespec step = {0, SIM_SPIN_STEP_NS};
    const struct sim_task_id id = {sim->running};
    while (sim_call_nanosleep(world, id, CLOCK_MONOTONIC, 0, &step, NULL) == SIM_WAIT) {
        sim_park(sim, id.index);
    }
    task->spun_at = world->now;
}

static int outside_begin(struct sim *sim, uint32_t task)
{
    if (!sim) {
        return -ENOTSUP;
    }
    struct sim_world *world = sim->world;
    if (sim->outside || task == 0 || task > world->pools[SIM_POOL_TASK].high_water) {
        return -ESRCH;
    }
    struct sim_task *record = sim_task_at(world, (struct sim_task_id){task});
    if (!record->slot.live || record->state == SIM_TASK_ENDED) {
        return -ESRCH;
    }
    /* The task may be in a call of its own: that one's record is put aside. */
    sim->outside = task;
    sim->outside_call = record->call;
    sim->outside_waiter = record->first_waiter;
    sim->outside_deadline = record->deadline_event;
    memset(&record->call, 0, sizeof record->call);
    record->first_waiter.index = 0;
    record->deadline_event.index = 0;
    return 0;
}

int64_t sim_provider_slow_begin(struct sim *sim, uint32_t task)
{
    if (!sim || sim->running != task) {
        return outside_begin(sim, task);
    }
    spin(sim, sim_task_at(sim->world, (struct sim_task_id){task}));
    return 0;
}

static int64_t outside_end(struct sim *sim, int64_t result)
{
    struct sim_world *world = sim->world;
    const struct sim_task_id task = {sim->outside};
    struct sim_task *record = sim_task_at(world, task);
    sim->outside = 0;
    if (result == SIM_WAIT) {
        sim_file_wait_clear(world, task);
        result = -EDEADLK;
    }
    record->call = sim->outside_call;
    record->first_waiter = sim->outside_waiter;
    record->deadline_event = sim->outside_deadline;
    return result;
}

int64_t sim_provider_slow_end(struct sim *sim, int64_t result)
{
    if (sim->outside) {
        return outside_end(sim, result);
    }
    /* A signal without a handler ended the process while it was in this call. */
    const uint32_t number =
        sim_process_at(sim->world, sim_task_at(sim->world, (struct sim_task_id){sim->running})->process)
            ->killed_by;
    char message[64];
    snprintf(message, sizeof message, "killed by signal %u (SIG%s)", number, sigabbrev_np((int)number));
    if (sim_code_of(sim, sim->running)->own) {
        fprintf(stderr, "drysock: main was %s\n", message);
        exit(128 + (int)number);
    }
    sim_leave(sim, message);
}

/* ---- the calls ---------------------------------------------------------------------------------- */

static int world_socket(struct dry_caller caller, int family, int type, int protocol)
{
    SIM_PROVIDER_CALL(int, socket, family, type, protocol)
}

static int world_socketpair(struct dry_caller caller, int family, int type, int protocol,
                            int descriptors[2])
{
    SIM_PROVIDER_CALL(int, socketpair, family, type, protocol, descriptors)
}

static int world_bind(struct dry_caller caller, int fd, const struct sockaddr *address,
                      socklen_t length)
{
    SIM_PROVIDER_CALL(int, bind, fd, address, length)
}

static int world_listen(struct dry_caller caller, int fd, int backlog)
{
    SIM_PROVIDER_CALL(int, listen, fd, backlog)
}

static int world_accept(struct dry_caller caller, int fd, struct sockaddr *address, socklen_t *length,
                        int flags)
{
    SIM_PROVIDER_CALL(int, accept, fd, address, length, flags)
}

static int world_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                         socklen_t length)
{
    SIM_PROVIDER_CALL(int, connect, fd, address, length)
}

static ssize_t world_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    SIM_PROVIDER_CALL(ssize_t, sendmsg, fd, message, flags)
}

static ssize_t world_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    SIM_PROVIDER_CALL(ssize_t, recvmsg, fd, message, flags)
}

static ssize_t world_sendto(struct dry_caller caller, int fd, const void *data, size_t length,
                            int flags, const struct sockaddr *address, socklen_t address_length)
{
    struct iovec vector = {(void *)(uintptr_t)data, length};
    const struct msghdr message = {.msg_name = (void *)(uintptr_t)address,
                                   .msg_namelen = address ? address_length : 0,
                                   .msg_iov = &vector,
                                   .msg_iovlen = 1};
    /* LINUX: sendto(2) refuses a longer address; sendmsg(2) cuts it. */
    if (address && address_length > sizeof(struct sockaddr_storage)) {
        return -EINVAL;
    }
    return world_sendmsg(caller, fd, &message, flags);
}

static ssize_t world_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
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
    const ssize_t count = world_recvmsg(caller, fd, &message, flags);
    if (count >= 0 && address) {
        *address_length = message.msg_namelen;
    }
    return count;
}

static int world_shutdown(struct dry_caller caller, int fd, int how)
{
    SIM_PROVIDER_CALL(int, shutdown, fd, how)
}

static int world_getsockname(struct dry_caller caller, int fd, struct sockaddr *address,
                             socklen_t *length)
{
    SIM_PROVIDER_CALL(int, getname, fd, false, address, length)
}

static int world_getpeername(struct dry_caller caller, int fd, struct sockaddr *address,
                             socklen_t *length)
{
    SIM_PROVIDER_CALL(int, getname, fd, true, address, length)
}

static int world_getsockopt(struct dry_caller caller, int fd, int level, int option, void *value,
                            socklen_t *length)
{
    SIM_PROVIDER_CALL(int, getsockopt, fd, level, option, value, length)
}

static int world_setsockopt(struct dry_caller caller, int fd, int level, int option, const void *value,
                            socklen_t length)
{
    SIM_PROVIDER_CALL(int, setsockopt, fd, level, option, value, length)
}

static int world_close(struct dry_caller caller, int fd)
{
    if (sim_provider_is_real(caller, fd)) {
        return close(fd) < 0 ? -errno : 0;
    }
    SIM_PROVIDER_CALL(int, close, fd)
}

static int world_dup3(struct dry_caller caller, int fd, int wanted, int flags)
{
    SIM_PROVIDER_CALL(int, dup3, fd, wanted, flags)
}

static int world_fcntl(struct dry_caller caller, int fd, int command, long argument)
{
    SIM_PROVIDER_CALL(int, fcntl, fd, command, argument)
}

static int world_ioctl(struct dry_caller caller, int fd, unsigned long request, void *argument)
{
    SIM_PROVIDER_CALL(int, ioctl, fd, request, argument)
}

static ssize_t world_read(struct dry_caller caller, int fd, void *buffer, size_t length)
{
    if (sim_provider_is_real(caller, fd)) {
        const ssize_t count = read(fd, buffer, length);
        return count < 0 ? -errno : count;
    }
    SIM_PROVIDER_CALL(ssize_t, read, fd, buffer, length)
}

static ssize_t world_write(struct dry_caller caller, int fd, const void *data, size_t length)
{
    if (sim_provider_is_real(caller, fd)) {
        const ssize_t count = write(fd, data, length);
        return count < 0 ? -errno : count;
    }
    SIM_PROVIDER_CALL(ssize_t, write, fd, data, length)
}

static int world_pipe2(struct dry_caller caller, int descriptors[2], int flags)
{
    SIM_PROVIDER_CALL(int, pipe2, descriptors, flags)
}

static int world_eventfd(struct dry_caller caller, unsigned initial, int flags)
{
    SIM_PROVIDER_CALL(int, eventfd, initial, flags)
}

static int world_timerfd_create(struct dry_caller caller, int clock, int flags)
{
    SIM_PROVIDER_CALL(int, timerfd_create, clock, flags)
}

static int world_timerfd_settime(struct dry_caller caller, int fd, int flags,
                                 const struct itimerspec *value, struct itimerspec *old)
{
    SIM_PROVIDER_CALL(int, timerfd_settime, fd, flags, value, old)
}

static int world_timerfd_gettime(struct dry_caller caller, int fd, struct itimerspec *value)
{
    SIM_PROVIDER_CALL(int, timerfd_gettime, fd, value)
}

static int world_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask)
{
    SIM_PROVIDER_CALL(int, poll, descriptors, count, timeout, mask)
}

static int world_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                         fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    SIM_PROVIDER_CALL(int, select, count, readable, writable, exceptional, timeout, mask)
}

static int world_epoll_create(struct dry_caller caller, int flags)
{
    SIM_PROVIDER_CALL(int, epoll_create, flags)
}

static int world_epoll_ctl(struct dry_caller caller, int epoll_fd, int operation, int fd,
                           struct epoll_event *event)
{
    SIM_PROVIDER_CALL(int, epoll_ctl, epoll_fd, operation, fd, event)
}

static int world_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                             int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    SIM_PROVIDER_CALL(int, epoll_wait, epoll_fd, events, maximum, timeout, mask)
}

static int world_clock_gettime(struct dry_caller caller, clockid_t clock, struct timespec *now)
{
    SIM_PROVIDER_CALL(int, clock_gettime, clock, now)
}

static int world_clock_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                                 const struct timespec *request, struct timespec *remain)
{
    SIM_PROVIDER_CALL(int, nanosleep, clock, flags, request, remain)
}

/* ---- tasks, stores, interrupts ------------------------------------------------------------------ */

static int world_spawn(struct dry_caller caller, void (*entry)(void *argument), void *argument,
                       uint32_t *task)
{
    struct sim *sim = caller.world;
    if (!sim) {
        return -ENOTSUP;
    }
    const struct sim_task *parent = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    return sim_start_task(sim, parent->process, parent->name, parent->daemon, entry, argument, task);
}

static int world_join(struct dry_caller caller, uint32_t other)
{
    SIM_PROVIDER_CALL(int, join, other)
}

static void *world_task_local(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    return sim ? sim_code_of(sim, caller.task)->local : here.local[0];
}

static void *world_process_local(struct dry_caller caller)
{
    struct sim *sim = caller.world;
    return sim ? sim->process_locals + (size_t)caller.process * DRY_LOCAL_BYTES : here.local[1];
}

static int world_interrupt_after(struct dry_caller caller, uint64_t after_ns)
{
    struct sim *sim = caller.world;
    if (!sim) {
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
    if (!sim) {
        return -ENOSYS;
    }
    struct sim_task *task = sim_task_at(sim->world, (struct sim_task_id){caller.task});
    sim_event_cancel(sim->world, &task->signal_event);
    const int landed = task->landed != 0;
    task->landed = 0;
    return landed;
}

const struct dry_system sim_system = {
    .name = "world",
    .socket = world_socket,
    .socketpair = world_socketpair,
    .bind = world_bind,
    .listen = world_listen,
    .accept = world_accept,
    .connect = world_connect,
    .sendto = world_sendto,
    .recvfrom = world_recvfrom,
    .sendmsg = world_sendmsg,
    .recvmsg = world_recvmsg,
    .shutdown = world_shutdown,
    .getsockname = world_getsockname,
    .getpeername = world_getpeername,
    .getsockopt = world_getsockopt,
    .setsockopt = world_setsockopt,
    .close = world_close,
    .dup3 = world_dup3,
    .fcntl = world_fcntl,
    .ioctl = world_ioctl,
    .read = world_read,
    .write = world_write,
    .pipe2 = world_pipe2,
    .eventfd = world_eventfd,
    .timerfd_create = world_timerfd_create,
    .timerfd_settime = world_timerfd_settime,
    .timerfd_gettime = world_timerfd_gettime,
    .sendfile = sim_provider_sendfile,
    .fstat = sim_provider_fstat,
    .lseek = sim_provider_lseek,
    .ppoll = world_ppoll,
    .pselect = world_pselect,
    .epoll_create = world_epoll_create,
    .epoll_ctl = world_epoll_ctl,
    .epoll_pwait = world_epoll_pwait,
    .clock_gettime = world_clock_gettime,
    .clock_nanosleep = world_clock_nanosleep,
    .getaddrinfo = sim_provider_getaddrinfo,
    .freeaddrinfo = sim_provider_freeaddrinfo,
    .getnameinfo = sim_provider_getnameinfo,
    .gethostbyname = sim_provider_gethostbyname,
    .gethostbyaddr = sim_provider_gethostbyaddr,
    .getservbyname = sim_provider_getservbyname,
    .getservbyport = sim_provider_getservbyport,
    .getprotobyname = sim_provider_getprotobyname,
    .gethostname = sim_provider_gethostname,
    .sethostname = sim_provider_sethostname,
    .if_nameindex = sim_provider_if_nameindex,
    .if_nametoindex = sim_provider_if_nametoindex,
    .if_indextoname = sim_provider_if_indextoname,
    .spawn = world_spawn,
    .join = world_join,
    .task_local = world_task_local,
    .process_local = world_process_local,
    .interrupt_after = world_interrupt_after,
    .cancel_interrupt = world_cancel_interrupt,
};
