/* The kernel as the library's system: the only file of the library with system calls.
 * SPDX-License-Identifier: MIT
 *
 * Each function is one call of the seam and nothing more: the C library's answer as >= 0 or
 * -errno. What a call means is written in drysock/system.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <drysock/system_calls.h>

/* ---- sockets ------------------------------------------------------------------------------ */

static inline int answer(int result)
{
    return __builtin_expect(result < 0, 0) ? -errno : result;
}

static inline ssize_t answer_count(ssize_t result)
{
    return __builtin_expect(result < 0, 0) ? -errno : result;
}

static int kernel_socket(struct dry_caller caller, int family, int type, int protocol)
{
    return answer(socket(family, type, protocol));
}

static int kernel_socketpair(struct dry_caller caller, int family, int type, int protocol,
                             int descriptors[2])
{
    return answer(socketpair(family, type, protocol, descriptors));
}

static int kernel_bind(struct dry_caller caller, int fd, const struct sockaddr *address,
                       socklen_t length)
{
    return answer(bind(fd, address, length));
}

static int kernel_listen(struct dry_caller caller, int fd, int backlog)
{
    return answer(listen(fd, backlog));
}

static int kernel_accept(struct dry_caller caller, int fd, struct sockaddr *address, socklen_t *length,
                         int flags)
{
    return answer(accept4(fd, address, length, flags));
}

static int kernel_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                          socklen_t length)
{
    return answer(connect(fd, address, length));
}

static ssize_t kernel_sendto(struct dry_caller caller, int fd, const void *data, size_t length,
                             int flags, const struct sockaddr *address, socklen_t address_length)
{
    return answer_count(sendto(fd, data, length, flags, address, address_length));
}

static ssize_t kernel_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                               struct sockaddr *address, socklen_t *address_length)
{
    return answer_count(recvfrom(fd, buffer, length, flags, address, address_length));
}

static ssize_t kernel_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    return answer_count(sendmsg(fd, message, flags));
}

static ssize_t kernel_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    return answer_count(recvmsg(fd, message, flags));
}

static int kernel_shutdown(struct dry_caller caller, int fd, int how)
{
    return answer(shutdown(fd, how));
}

static int kernel_getsockname(struct dry_caller caller, int fd, struct sockaddr *address,
                              socklen_t *length)
{
    return answer(getsockname(fd, address, length));
}

static int kernel_getpeername(struct dry_caller caller, int fd, struct sockaddr *address,
                              socklen_t *length)
{
    return answer(getpeername(fd, address, length));
}

static int kernel_getsockopt(struct dry_caller caller, int fd, int level, int option, void *value,
                             socklen_t *length)
{
    return answer(getsockopt(fd, level, option, value, length));
}

static int kernel_setsockopt(struct dry_caller caller, int fd, int level, int option, const void *value,
                             socklen_t length)
{
    return answer(setsockopt(fd, level, option, value, length));
}

/* ---- descriptors -------------------------------------------------------------------------- */

static int kernel_close(struct dry_caller caller, int fd)
{
    return answer(close(fd));
}

static int kernel_dup3(struct dry_caller caller, int fd, int wanted, int flags)
{
    return answer(dup3(fd, wanted, flags));
}

static int kernel_fcntl(struct dry_caller caller, int fd, int command, long argument)
{
    return answer(fcntl(fd, command, argument));
}

static int kernel_ioctl(struct dry_caller caller, int fd, unsigned long request, void *argument)
{
    return answer(ioctl(fd, request, argument));
}

static ssize_t kernel_read(struct dry_caller caller, int fd, void *buffer, size_t length)
{
    return answer_count(read(fd, buffer, length));
}

static ssize_t kernel_write(struct dry_caller caller, int fd, const void *data, size_t length)
{
    return answer_count(write(fd, data, length));
}

static int kernel_pipe2(struct dry_caller caller, int descriptors[2], int flags)
{
    return answer(pipe2(descriptors, flags));
}

static int kernel_eventfd(struct dry_caller caller, unsigned initial, int flags)
{
    return answer(eventfd(initial, flags));
}

static int kernel_timerfd_create(struct dry_caller caller, int clock, int flags)
{
    return answer(timerfd_create(clock, flags));
}

static int kernel_timerfd_settime(struct dry_caller caller, int fd, int flags,
                                  const struct itimerspec *value, struct itimerspec *old)
{
    return answer(timerfd_settime(fd, flags, value, old));
}

static int kernel_timerfd_gettime(struct dry_caller caller, int fd, struct itimerspec *value)
{
    return answer(timerfd_gettime(fd, value));
}

static ssize_t kernel_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                               size_t count)
{
    return answer_count(sendfile(out_fd, in_fd, offset, count));
}

static int kernel_fstat(struct dry_caller caller, int fd, struct stat *status)
{
    return answer(fstat(fd, status));
}

static off_t kernel_lseek(struct dry_caller caller, int fd, off_t offset, int whence)
{
    off_t result = lseek(fd, offset, whence);
    return result == (off_t)-1 ? -errno : result;
}

/* ---- readiness and time ------------------------------------------------------------------- */

static int kernel_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                        const struct timespec *timeout, const sigset_t *mask)
{
    return answer(ppoll(descriptors, count, timeout, mask));
}

static int kernel_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                          fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    return answer(pselect(count, readable, writable, exceptional, timeout, mask));
}

static int kernel_epoll_create(struct dry_caller caller, int flags)
{
    return answer(epoll_create1(flags));
}

static int kernel_epoll_ctl(struct dry_caller caller, int epoll_fd, int operation, int fd,
                            struct epoll_event *event)
{
    return answer(epoll_ctl(epoll_fd, operation, fd, event));
}

static int kernel_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                              int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    return answer(epoll_pwait2(epoll_fd, events, maximum, timeout, mask));
}

static int kernel_clock_gettime(struct dry_caller caller, clockid_t clock, struct timespec *now)
{
    return answer(clock_gettime(clock, now));
}

static int kernel_clock_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                                  const struct timespec *request, struct timespec *remain)
{
    return -clock_nanosleep(clock, flags, request, remain);
}

/* ---- names -------------------------------------------------------------------------------- */

static int kernel_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                              const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    int result = getaddrinfo(node, service, hints, list);
    *system_error = result == EAI_SYSTEM ? errno : 0;
    return result;
}

static void kernel_freeaddrinfo(struct dry_caller caller, struct addrinfo *list)
{
    freeaddrinfo(list);
}

static int kernel_getnameinfo(struct dry_caller caller, const struct sockaddr *address,
                              socklen_t length, char *host, socklen_t host_bytes, char *service,
                              socklen_t service_bytes, int flags, int *system_error)
{
    int result = getnameinfo(address, length, host, host_bytes, service, service_bytes, flags);
    *system_error = result == EAI_SYSTEM ? errno : 0;
    return result;
}

/* The _r calls' answer: an error number, a result or none, and h_errno. */
static int host_answer(int code, const struct hostent *found, int host_error)
{
    if (found != NULL) {
        return 0;
    }
    if (code != 0 || host_error == 0) {
        return host_error > 0 ? host_error : NO_RECOVERY;
    }
    return host_error;
}

static int kernel_gethostbyname(struct dry_caller caller, const char *name, int family,
                                struct hostent *result, char *buffer, size_t bytes)
{
    struct hostent *found = NULL;
    int host_error = 0;
    int code = gethostbyname2_r(name, family, result, buffer, bytes, &found, &host_error);
    return host_answer(code, found, host_error);
}

static int kernel_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length,
                                int family, struct hostent *result, char *buffer, size_t bytes)
{
    struct hostent *found = NULL;
    int host_error = 0;
    int code = gethostbyaddr_r(address, length, family, result, buffer, bytes, &found, &host_error);
    return host_answer(code, found, host_error);
}

static int kernel_getservbyname(struct dry_caller caller, const char *name, const char *protocol,
                                struct servent *result, char *buffer, size_t bytes)
{
    struct servent *found = NULL;
    getservbyname_r(name, protocol, result, buffer, bytes, &found);
    return found != NULL ? 0 : -ENOENT;
}

static int kernel_getservbyport(struct dry_caller caller, int port_network_order, const char *protocol,
                                struct servent *result, char *buffer, size_t bytes)
{
    struct servent *found = NULL;
    getservbyport_r(port_network_order, protocol, result, buffer, bytes, &found);
    return found != NULL ? 0 : -ENOENT;
}

static int kernel_getprotobyname(struct dry_caller caller, const char *name, struct protoent *result,
                                 char *buffer, size_t bytes)
{
    struct protoent *found = NULL;
    getprotobyname_r(name, result, buffer, bytes, &found);
    return found != NULL ? 0 : -ENOENT;
}

static int kernel_gethostname(struct dry_caller caller, char *buffer, size_t bytes)
{
    return answer(gethostname(buffer, bytes));
}

static int kernel_sethostname(struct dry_caller caller, const char *name, size_t length)
{
    return answer(sethostname(name, length));
}

/* The C library's array holds its names apart; the seam's is one allocation. */
static struct if_nameindex *kernel_if_nameindex(struct dry_caller caller, int *system_error)
{
    struct if_nameindex *list = if_nameindex();
    if (list == NULL) {
        *system_error = errno;
        return NULL;
    }
    size_t count = 0;
    while (list[count].if_index != 0) {
        count++;
    }
    struct if_nameindex *copy = calloc(1, (count + 1) * sizeof *copy + count * IF_NAMESIZE);
    if (copy != NULL) {
        char *names = (char *)(copy + count + 1);
        for (size_t i = 0; i < count; i++) {
            copy[i].if_index = list[i].if_index;
            copy[i].if_name = names + i * IF_NAMESIZE;
            strncpy(copy[i].if_name, list[i].if_name, IF_NAMESIZE - 1);
        }
    }
    if_freenameindex(list);
    *system_error = copy == NULL ? ENOMEM : 0;
    return copy;
}

static int kernel_if_nametoindex(struct dry_caller caller, const char *name)
{
    unsigned index = if_nametoindex(name);
    return index == 0 ? -errno : (int)index;
}

static int kernel_if_indextoname(struct dry_caller caller, unsigned index, char name[IF_NAMESIZE])
{
    return if_indextoname(index, name) == NULL ? -errno : 0;
}

/* ---- tasks are threads -------------------------------------------------------------------- */

struct kernel_task {
    pthread_t thread;
    struct dry_caller caller; /* as whom the thread speaks; task: its number */
    void (*entry)(void *argument);
    void *argument;
    bool joined; /* someone waits for its end already */
};

/* What is known of a number, at its place by the low bits: a task that lives or is being joined, or
 * (task NULL) that it ended and nobody joined it. A thread that ends unjoined takes all else with it,
 * so a program may start as many as it likes and join none. */
struct kernel_task_entry {
    struct kernel_task *task;
    uint32_t number; /* 0: nothing */
};

enum { TASK_ENTRIES = 1 << 20 }; /* memory where they were used */

static struct {
    pthread_mutex_t lock;
    struct kernel_task_entry *entries;
    uint32_t last_number;
} tasks = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The lock is held. */
static struct kernel_task_entry *entry_of(uint32_t number)
{
    return &tasks.entries[number % TASK_ENTRIES];
}

/* The next number whose entry is not a living task's; 0 without memory or when all are. The lock is
 * held. */
static uint32_t take_number(struct kernel_task *task)
{
    if (tasks.entries == NULL) {
        tasks.entries = calloc(TASK_ENTRIES, sizeof *tasks.entries);
    }
    for (uint32_t i = 0; tasks.entries != NULL && i < TASK_ENTRIES; i++) {
        uint32_t number = ++tasks.last_number;
        struct kernel_task_entry *entry = entry_of(number);
        if (number != 0 && entry->task == NULL) {
            *entry = (struct kernel_task_entry){task, number};
            return number;
        }
    }
    return 0;
}

/* The thread leaves its entry: returned, or by pthread_exit(3). */
static void end_task(void *argument)
{
    struct kernel_task *task = argument;
    pthread_mutex_lock(&tasks.lock);
    bool joined = task->joined;
    if (!joined) {
        pthread_detach(task->thread);
        entry_of(task->caller.task)->task = NULL;
    }
    pthread_mutex_unlock(&tasks.lock);
    if (!joined) {
        free(task);
    }
}

static void *run_task(void *argument)
{
    struct kernel_task *task = argument;
    dry_set_current_caller(task->caller);
    pthread_cleanup_push(end_task, task);
    task->entry(task->argument);
    pthread_cleanup_pop(1);
    return NULL;
}

static int kernel_spawn(struct dry_caller caller, void (*entry)(void *argument), void *argument,
                        uint32_t *task)
{
    struct kernel_task *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return -ENOMEM;
    }
    made->entry = entry;
    made->argument = argument;
    made->caller = caller;
    pthread_mutex_lock(&tasks.lock);
    uint32_t number = take_number(made);
    int result = number != 0 ? 0 : ENOMEM;
    if (result == 0) {
        made->caller.task = number;
        /* It cannot end before this has written its thread: it needs the lock for that. */
        result = pthread_create(&made->thread, NULL, run_task, made);
        if (result != 0) {
            *entry_of(number) = (struct kernel_task_entry){NULL, 0};
        }
    }
    pthread_mutex_unlock(&tasks.lock);
    if (result != 0) {
        free(made);
        return -result;
    }
    *task = number;
    return 0;
}

/* What a join of that number can do: 0 with the task to wait for, or with none, as it has ended; or
 * -ESRCH, -EDEADLK. */
static int claim(uint32_t number, struct kernel_task **task)
{
    struct kernel_task_entry *entry = tasks.entries != NULL ? entry_of(number) : NULL;
    if (number == 0 || entry == NULL || entry->number != number) {
        return -ESRCH;
    }
    *task = entry->task;
    if (entry->task == NULL) {
        entry->number = 0;
        return 0;
    }
    if (pthread_equal(entry->task->thread, pthread_self())) {
        return -EDEADLK;
    }
    if (entry->task->joined) {
        return -ESRCH;
    }
    entry->task->joined = true;
    return 0;
}

static int kernel_join(struct dry_caller caller, uint32_t number)
{
    struct kernel_task *task = NULL;
    pthread_mutex_lock(&tasks.lock);
    int result = claim(number, &task);
    pthread_mutex_unlock(&tasks.lock);
    if (result < 0 || task == NULL) {
        return result;
    }
    result = pthread_join(task->thread, NULL);
    pthread_mutex_lock(&tasks.lock);
    *entry_of(number) = (struct kernel_task_entry){NULL, 0};
    pthread_mutex_unlock(&tasks.lock);
    free(task);
    return -result;
}

/* ---- who speaks --------------------------------------------------------------------------- */

static _Thread_local _Alignas(max_align_t) unsigned char thread_store[DRY_LOCAL_BYTES];
static _Alignas(max_align_t) unsigned char process_store[DRY_LOCAL_BYTES];

static void *kernel_task_local(struct dry_caller caller)
{
    return thread_store;
}

static void *kernel_process_local(struct dry_caller caller)
{
    return process_store;
}

#define ENTRY(type, name, parameters, ...) .name = kernel_##name,
static const struct dry_system kernel = {.name = "kernel", DRY_SYSTEM_CALLS(ENTRY)};
#undef ENTRY

/* Not of the initial-exec model, which would make the library's whole thread-local part, its store
 * of errors included, unfit for dlopen(3) once a program's few hundred spare bytes are taken. */
static _Thread_local struct dry_caller current = {
    .system = &kernel,
};

struct dry_caller dry_current_caller(void)
{
    return current;
}

void dry_set_current_caller(struct dry_caller caller)
{
    current = caller.system != NULL ? caller : (struct dry_caller){.system = &kernel};
}

const char *dry_explain(struct dry_caller caller, int code)
{
    return NULL;
}

const struct dry_system *dry_provider(void)
{
    return &kernel;
}
