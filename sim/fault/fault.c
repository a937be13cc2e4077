/* The fault plan: a decorator over any system that makes chosen library calls fail or fall short.
 * SPDX-License-Identifier: MIT
 *
 * The library announces its calls (call_begin, call_end); a rule is chosen then, by actor, socket
 * name, verb and ordinal. Its effect is applied at the seam call that does the verb's own work, not
 * at the polls around it, so that one plan means the same on every provider. The plan lives beside
 * the world, not in it: it also stands in front of the kernel.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/sim.h>

#include "fault.h"

/* What one actor did so far, and the call it is in. The decorated caller's `world` is this. */
struct fault_actor {
    struct sim_fault_plan *plan;
    struct fault_actor *next; /* of the plan */
    struct dry_caller inner;
    char host[FAULT_NAME_BYTES];
    char name[FAULT_NAME_BYTES];
    struct fault_tally *tallies;
    size_t tally_count;
    struct fault_known *known; /* descriptors with names */
    size_t known_count;
    /* the library call it is in */
    unsigned depth;
    uint32_t verb_seams;     /* the seam calls that do the verb's own work */
    struct fault_rule *rule; /* chosen for this call, or NULL */
    bool spent;              /* the effect was applied */
    bool armed;              /* interrupt_after is running */
    bool interrupt_next;     /* `signal after=K`: the bytes are moved, the next wait is cut short */
    uint32_t seam_counts[FAULT_SEAM_COUNT];
};

struct fault_tally {
    const char *verb;
    char socket[FAULT_NAME_BYTES]; /* "": whichever */
    uint64_t count;
};

struct fault_known {
    int fd;
    char name[FAULT_NAME_BYTES];
};

/* ---- choosing the rule -------------------------------------------------------------------- */

static const char *name_of(const struct fault_actor *actor, int fd)
{
    for (size_t i = 0; i < actor->known_count; i++) {
        if (actor->known[i].fd == fd) {
            return actor->known[i].name;
        }
    }
    return "";
}

static uint64_t count_call(struct fault_actor *actor, const char *verb, const char *socket)
{
    for (size_t i = 0; i < actor->tally_count; i++) {
        struct fault_tally *tally = &actor->tallies[i];
        if (strcmp(tally->verb, verb) == 0 && strcmp(tally->socket, socket) == 0) {
            return ++tally->count;
        }
    }
    struct fault_tally *grown = realloc(actor->tallies,
                                        (actor->tally_count + 1) * sizeof *actor->tallies);
    assert(grown != NULL);
    actor->tallies = grown;
    struct fault_tally *tally = &grown[actor->tally_count++];
    *tally = (struct fault_tally){.verb = verb, .count = 1};
    snprintf(tally->socket, sizeof tally->socket, "%s", socket);
    return 1;
}

static bool rule_is_for(const struct fault_rule *rule, const struct fault_actor *actor,
                        const char *socket, const char *verb, uint64_t of_verb, uint64_t of_socket)
{
    if (rule->actor[0] == '@' ? strcmp(rule->actor + 1, actor->host) != 0
                              : strcmp(rule->actor, "*") != 0 && strcmp(rule->actor, actor->name)) {
        return false;
    }
    if (strcmp(rule->verb, "*") == 0 ? !fault_effect_suits(rule->effect, verb)
                                     : strcmp(rule->verb, verb) != 0) {
        return false;
    }
    if (rule->socket[0] != 0 && strcmp(rule->socket, socket) != 0) {
        return false;
    }
    uint64_t ordinal = rule->socket[0] != 0 ? of_socket : of_verb;
    return ordinal >= rule->first && ordinal <= rule->last && (ordinal - rule->first) % rule->step == 0;
}

static struct fault_rule *choose_rule(struct fault_actor *actor, const char *verb, int fd)
{
    const char *socket = name_of(actor, fd);
    uint64_t of_verb = count_call(actor, verb, "");
    uint64_t of_socket = socket[0] != 0 ? count_call(actor, verb, socket) : 0;
    for (struct fault_rule *rule = actor->plan->first; rule != NULL; rule = rule->next) {
        if (!rule_is_for(rule, actor, socket, verb, of_verb, of_socket)) {
            continue;
        }
        if (!sim_random_chance(&actor->plan->random, SIM_STREAM_FAULT, rule->chance_ppm)) {
            continue;
        }
        return rule;
    }
    return NULL;
}

static struct fault_actor *actor_of(struct dry_caller caller)
{
    return caller.world;
}

static void delay(struct fault_actor *actor, uint64_t ns)
{
    struct timespec rest = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (actor->inner.system->clock_nanosleep(actor->inner, CLOCK_MONOTONIC, 0, &rest, &rest) ==
           -EINTR) {
        continue;
    }
}

static void fault_call_begin(struct dry_caller caller, const char *verb, int fd)
{
    struct fault_actor *actor = actor_of(caller);
    if (actor->depth++ > 0) {
        return;
    }
    if (actor->inner.system->call_begin != NULL) {
        actor->inner.system->call_begin(actor->inner, verb, fd);
    }
    if (actor->plan->first == NULL) {
        return;
    }
    actor->rule = choose_rule(actor, verb, fd);
    actor->spent = false;
    actor->interrupt_next = false;
    actor->verb_seams = fault_seams_of_verb(verb);
    memset(actor->seam_counts, 0, sizeof actor->seam_counts);
    if (actor->rule != NULL && actor->rule->effect == FAULT_DELAY &&
        actor->rule->seam == FAULT_SEAM_NONE) {
        /* Before the library computes its deadline: the call begins later, it is not shortened. */
        actor->spent = true;
        actor->rule->fired++;
        delay(actor, actor->rule->amount);
    }
    if (actor->rule != NULL && actor->rule->effect == FAULT_SIGNAL_DURING &&
        actor->inner.system->interrupt_after != NULL) {
        actor->armed = actor->inner.system->interrupt_after(actor->inner, actor->rule->amount) == 0;
    }
}

static void fault_call_end(struct dry_caller caller)
{
    struct fault_actor *actor = actor_of(caller);
    assert(actor->depth > 0);
    if (--actor->depth > 0) {
        return;
    }
    if (actor->armed && actor->inner.system->cancel_interrupt(actor->inner) == 1) {
        actor->rule->fired++;
    }
    actor->armed = false;
    actor->rule = NULL;
    actor->interrupt_next = false;
    if (actor->inner.system->call_end != NULL) {
        actor->inner.system->call_end(actor->inner);
    }
}

/* ---- applying it -------------------------------------------------------------------------- */

/* Whether the rule's effect belongs to this seam call. */
static bool applies(struct fault_actor *actor, enum fault_seam seam)
{
    const struct fault_rule *rule = actor->rule;
    uint32_t count = ++actor->seam_counts[seam];
    if (rule == NULL || actor->spent || rule->effect == FAULT_SIGNAL_DURING) {
        return false;
    }
    if (rule->seam != FAULT_SEAM_NONE) {
        return seam == rule->seam && count == rule->seam_ordinal;
    }
    if (rule->effect == FAULT_SIGNAL_BEFORE && seam == FAULT_SEAM_POLL) {
        return true;
    }
    return (actor->verb_seams >> seam & 1) != 0;
}

/* Before a seam call: 0 to go on, or what it returns instead. A transfer's *length may shrink. */
static int before(struct fault_actor *actor, enum fault_seam seam, size_t *length)
{
    if (actor->interrupt_next) {
        actor->interrupt_next = false;
        return -EINTR;
    }
    if (!applies(actor, seam)) {
        return 0;
    }
    struct fault_rule *rule = actor->rule;
    actor->spent = rule->effect != FAULT_BYTES || rule->seam != FAULT_SEAM_NONE;
    switch (rule->effect) {
    case FAULT_ERRNO:
        rule->fired++;
        return -(int)rule->amount;
    case FAULT_BYTES:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            rule->fired++;
        }
        return 0;
    case FAULT_DELAY:
        rule->fired++;
        delay(actor, rule->amount);
        return 0;
    case FAULT_SIGNAL_BEFORE:
        rule->fired++;
        return -EINTR;
    case FAULT_SIGNAL_AFTER:
        if (length != NULL && *length > rule->amount) {
            *length = rule->amount;
            rule->fired++;
            actor->interrupt_next = true;
        }
        return 0;
    case FAULT_SIGNAL_DURING:
        break;
    }
    return 0;
}

/* The system's calls, each through `before`. PASS hands a call to the system behind the plan. */
#define PASS(call, ...) actor->inner.system->call(actor->inner, __VA_ARGS__)
#define BEGIN(seam, length)                       \
    struct fault_actor *actor = actor_of(caller); \
    int instead = before(actor, seam, length);    \
    if (instead != 0)                             \
        return instead;

static int fault_socket(struct dry_caller caller, int family, int type, int protocol)
{
    BEGIN(FAULT_SEAM_SOCKET, NULL)
    return PASS(socket, family, type, protocol);
}

static int fault_socketpair(struct dry_caller caller, int family, int type, int protocol, int fd[2])
{
    BEGIN(FAULT_SEAM_SOCKETPAIR, NULL)
    return PASS(socketpair, family, type, protocol, fd);
}

static int fault_bind(struct dry_caller caller, int fd, const struct sockaddr *address,
                      socklen_t length)
{
    BEGIN(FAULT_SEAM_BIND, NULL)
    return PASS(bind, fd, address, length);
}

static int fault_listen(struct dry_caller caller, int fd, int backlog)
{
    BEGIN(FAULT_SEAM_LISTEN, NULL)
    return PASS(listen, fd, backlog);
}

static int fault_accept(struct dry_caller caller, int fd, struct sockaddr *address, socklen_t *length,
                        int flags)
{
    BEGIN(FAULT_SEAM_ACCEPT, NULL)
    return PASS(accept, fd, address, length, flags);
}

/* LINUX: a signal that is pending when connect(2) begins does not keep the connection from being
 * started; it ends only the wait for it, and a non-blocking call does not wait. */
static int interrupted_connect(struct fault_actor *actor, int fd, const struct sockaddr *address,
                               socklen_t length)
{
    int flags = PASS(fcntl, fd, F_GETFL, 0);
    bool blocks = flags >= 0 && (flags & O_NONBLOCK) == 0;
    if (blocks) {
        PASS(fcntl, fd, F_SETFL, flags | O_NONBLOCK);
    }
    int status = PASS(connect, fd, address, length);
    if (blocks) {
        PASS(fcntl, fd, F_SETFL, flags);
    }
    if (status != -EINPROGRESS) {
        return status;
    }
    actor->interrupt_next = !blocks;
    return blocks ? -EINTR : status;
}

static int fault_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                         socklen_t length)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = before(actor, FAULT_SEAM_CONNECT, NULL);
    if (instead == -EINTR && actor->rule != NULL && actor->rule->effect == FAULT_SIGNAL_BEFORE) {
        return interrupted_connect(actor, fd, address, length);
    }
    if (instead != 0) {
        return instead;
    }
    return PASS(connect, fd, address, length);
}

static ssize_t fault_sendto(struct dry_caller caller, int fd, const void *data, size_t length,
                            int flags, const struct sockaddr *address, socklen_t address_length)
{
    BEGIN(FAULT_SEAM_SEND, &length)
    return PASS(sendto, fd, data, length, flags, address, address_length);
}

static ssize_t fault_recvfrom(struct dry_caller caller, int fd, void *buffer, size_t length, int flags,
                              struct sockaddr *address, socklen_t *address_length)
{
    BEGIN(FAULT_SEAM_RECV, &length)
    return PASS(recvfrom, fd, buffer, length, flags, address, address_length);
}

static size_t vector_bytes(const struct msghdr *message)
{
    size_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        total += message->msg_iov[i].iov_len;
    }
    return total;
}

/* A copy of the vector cut to `length` bytes; freed by the caller. */
static struct iovec *cut_vector(const struct msghdr *message, size_t length)
{
    struct iovec *cut = calloc(message->msg_iovlen + 1, sizeof *cut);
    assert(cut != NULL);
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        cut[i] = message->msg_iov[i];
        if (cut[i].iov_len > length) {
            cut[i].iov_len = length;
        }
        length -= cut[i].iov_len;
    }
    return cut;
}

static ssize_t fault_sendmsg(struct dry_caller caller, int fd, const struct msghdr *message, int flags)
{
    size_t whole = vector_bytes(message);
    size_t length = whole;
    BEGIN(FAULT_SEAM_SEND, &length)
    if (length == whole) {
        return PASS(sendmsg, fd, message, flags);
    }
    struct msghdr shorter = *message;
    shorter.msg_iov = cut_vector(message, length);
    ssize_t sent = PASS(sendmsg, fd, &shorter, flags);
    free(shorter.msg_iov);
    return sent;
}

static ssize_t fault_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    size_t whole = vector_bytes(message);
    size_t length = whole;
    BEGIN(FAULT_SEAM_RECV, &length)
    if (length == whole) {
        return PASS(recvmsg, fd, message, flags);
    }
    struct iovec *original = message->msg_iov;
    message->msg_iov = cut_vector(message, length);
    ssize_t received = PASS(recvmsg, fd, message, flags);
    free(message->msg_iov);
    message->msg_iov = original;
    return received;
}

static int fault_shutdown(struct dry_caller caller, int fd, int how)
{
    BEGIN(FAULT_SEAM_SHUTDOWN, NULL)
    return PASS(shutdown, fd, how);
}

static int fault_getsockname(struct dry_caller caller, int fd, struct sockaddr *address,
                             socklen_t *length)
{
    BEGIN(FAULT_SEAM_GETSOCKNAME, NULL)
    return PASS(getsockname, fd, address, length);
}

static int fault_getpeername(struct dry_caller caller, int fd, struct sockaddr *address,
                             socklen_t *length)
{
    BEGIN(FAULT_SEAM_GETPEERNAME, NULL)
    return PASS(getpeername, fd, address, length);
}

static int fault_getsockopt(struct dry_caller caller, int fd, int level, int option, void *value,
                            socklen_t *length)
{
    BEGIN(FAULT_SEAM_GETSOCKOPT, NULL)
    return PASS(getsockopt, fd, level, option, value, length);
}

static int fault_setsockopt(struct dry_caller caller, int fd, int level, int option, const void *value,
                            socklen_t length)
{
    BEGIN(FAULT_SEAM_SETSOCKOPT, NULL)
    return PASS(setsockopt, fd, level, option, value, length);
}

static void forget_name(struct fault_actor *actor, int fd)
{
    for (size_t i = 0; i < actor->known_count; i++) {
        if (actor->known[i].fd == fd) {
            actor->known[i] = actor->known[--actor->known_count];
        }
    }
}

static int fault_close(struct dry_caller caller, int fd)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = before(actor, FAULT_SEAM_CLOSE, NULL);
    forget_name(actor, fd);
    int result = PASS(close, fd);
    /* LINUX: close(2) gives the descriptor up even when it reports an error, so the fault does too. */
    return instead != 0 ? instead : result;
}

static int fault_dup3(struct dry_caller caller, int fd, int wanted, int flags)
{
    BEGIN(FAULT_SEAM_DUP, NULL)
    return PASS(dup3, fd, wanted, flags);
}

static int fault_fcntl(struct dry_caller caller, int fd, int command, long argument)
{
    BEGIN(FAULT_SEAM_FCNTL, NULL)
    return PASS(fcntl, fd, command, argument);
}

static int fault_ioctl(struct dry_caller caller, int fd, unsigned long request, void *argument)
{
    BEGIN(FAULT_SEAM_IOCTL, NULL)
    return PASS(ioctl, fd, request, argument);
}

static ssize_t fault_read(struct dry_caller caller, int fd, void *buffer, size_t length)
{
    BEGIN(FAULT_SEAM_RECV, &length)
    return PASS(read, fd, buffer, length);
}

static ssize_t fault_write(struct dry_caller caller, int fd, const void *data, size_t length)
{
    BEGIN(FAULT_SEAM_SEND, &length)
    return PASS(write, fd, data, length);
}

static int fault_pipe2(struct dry_caller caller, int descriptors[2], int flags)
{
    BEGIN(FAULT_SEAM_PIPE, NULL)
    return PASS(pipe2, descriptors, flags);
}

static int fault_eventfd(struct dry_caller caller, unsigned initial, int flags)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(eventfd, initial, flags);
}

static int fault_timerfd_create(struct dry_caller caller, int clock, int flags)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(timerfd_create, clock, flags);
}

static int fault_timerfd_settime(struct dry_caller caller, int fd, int flags,
                                 const struct itimerspec *value, struct itimerspec *old)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(timerfd_settime, fd, flags, value, old);
}

static int fault_timerfd_gettime(struct dry_caller caller, int fd, struct itimerspec *value)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(timerfd_gettime, fd, value);
}

static ssize_t fault_sendfile(struct dry_caller caller, int out_fd, int in_fd, off_t *offset,
                              size_t count)
{
    BEGIN(FAULT_SEAM_SENDFILE, &count)
    return PASS(sendfile, out_fd, in_fd, offset, count);
}

static int fault_fstat(struct dry_caller caller, int fd, struct stat *status)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(fstat, fd, status);
}

static off_t fault_lseek(struct dry_caller caller, int fd, off_t offset, int whence)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(lseek, fd, offset, whence);
}

static int fault_ppoll(struct dry_caller caller, struct pollfd *descriptors, nfds_t count,
                       const struct timespec *timeout, const sigset_t *mask)
{
    BEGIN(FAULT_SEAM_POLL, NULL)
    return PASS(ppoll, descriptors, count, timeout, mask);
}

static int fault_pselect(struct dry_caller caller, int count, fd_set *readable, fd_set *writable,
                         fd_set *exceptional, const struct timespec *timeout, const sigset_t *mask)
{
    BEGIN(FAULT_SEAM_POLL, NULL)
    return PASS(pselect, count, readable, writable, exceptional, timeout, mask);
}

static int fault_epoll_create(struct dry_caller caller, int flags)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(epoll_create, flags);
}

static int fault_epoll_ctl(struct dry_caller caller, int epoll_fd, int operation, int fd,
                           struct epoll_event *event)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(epoll_ctl, epoll_fd, operation, fd, event);
}

static int fault_epoll_pwait(struct dry_caller caller, int epoll_fd, struct epoll_event *events,
                             int maximum, const struct timespec *timeout, const sigset_t *mask)
{
    BEGIN(FAULT_SEAM_POLL, NULL)
    return PASS(epoll_pwait, epoll_fd, events, maximum, timeout, mask);
}

static int fault_clock_gettime(struct dry_caller caller, clockid_t clock, struct timespec *now)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(clock_gettime, clock, now);
}

static int fault_clock_nanosleep(struct dry_caller caller, clockid_t clock, int flags,
                                 const struct timespec *request, struct timespec *remain)
{
    BEGIN(FAULT_SEAM_SLEEP, NULL)
    return PASS(clock_nanosleep, clock, flags, request, remain);
}

static int fault_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                             const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        *system_error = -instead;
        return EAI_SYSTEM;
    }
    return PASS(getaddrinfo, node, service, hints, list, system_error);
}

static void fault_freeaddrinfo(struct dry_caller caller, struct addrinfo *list)
{
    struct fault_actor *actor = actor_of(caller);
    PASS(freeaddrinfo, list);
}

static int fault_getnameinfo(struct dry_caller caller, const struct sockaddr *address, socklen_t length,
                             char *host, socklen_t host_bytes, char *service, socklen_t service_bytes,
                             int flags, int *system_error)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        *system_error = -instead;
        return EAI_SYSTEM;
    }
    return PASS(getnameinfo, address, length, host, host_bytes, service, service_bytes, flags,
                system_error);
}

static int fault_gethostbyname(struct dry_caller caller, const char *name, int family,
                               struct hostent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    if (before(actor, FAULT_SEAM_NAMES, NULL) != 0) {
        return NETDB_INTERNAL;
    }
    return PASS(gethostbyname, name, family, result, buffer, bytes);
}

static int fault_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length,
                               int family, struct hostent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    if (before(actor, FAULT_SEAM_NAMES, NULL) != 0) {
        return NETDB_INTERNAL;
    }
    return PASS(gethostbyaddr, address, length, family, result, buffer, bytes);
}

static int fault_getservbyname(struct dry_caller caller, const char *name, const char *protocol,
                               struct servent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(getservbyname, name, protocol, result, buffer, bytes);
}

static int fault_getservbyport(struct dry_caller caller, int port, const char *protocol,
                               struct servent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(getservbyport, port, protocol, result, buffer, bytes);
}

static int fault_getprotobyname(struct dry_caller caller, const char *name, struct protoent *result,
                                char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(getprotobyname, name, result, buffer, bytes);
}

static int fault_gethostname(struct dry_caller caller, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(gethostname, buffer, bytes);
}

static int fault_sethostname(struct dry_caller caller, const char *name, size_t length)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(sethostname, name, length);
}

static struct if_nameindex *fault_if_nameindex(struct dry_caller caller, int *system_error)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(if_nameindex, system_error);
}

static int fault_if_nametoindex(struct dry_caller caller, const char *name)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(if_nametoindex, name);
}

static int fault_if_indextoname(struct dry_caller caller, unsigned index, char name[IF_NAMESIZE])
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(if_indextoname, index, name);
}

/* ---- tasks ------------------------------------------------------------------------------- */

static struct fault_actor *actor_new(struct sim_fault_plan *plan, struct dry_caller inner,
                                     const char *host, const char *name)
{
    struct fault_actor *actor = calloc(1, sizeof *actor);
    assert(actor != NULL);
    actor->plan = plan;
    actor->inner = inner;
    snprintf(actor->host, sizeof actor->host, "%s", host);
    snprintf(actor->name, sizeof actor->name, "%s", name);
    actor->next = plan->actors;
    plan->actors = actor;
    return actor;
}

static const struct dry_system fault_system;

static struct dry_caller caller_of(struct fault_actor *actor)
{
    return (struct dry_caller){.system = &fault_system,
                               .world = actor,
                               .process = actor->inner.process,
                               .task = actor->inner.task};
}

/* A task that an actor spawns is the same actor to the plan, with ordinals of its own. */
struct fault_entry {
    struct fault_actor *parent;
    void (*entry)(void *argument);
    void *argument;
};

static void enter_task(void *argument)
{
    struct fault_entry entry = *(struct fault_entry *)argument;
    free(argument);
    struct dry_caller inner = dry_current_caller();
    if (inner.system != &fault_system) {
        dry_set_current_caller(
            caller_of(actor_new(entry.parent->plan, inner, entry.parent->host, entry.parent->name)));
    }
    entry.entry(entry.argument);
}

static int fault_spawn(struct dry_caller caller, void (*entry)(void *argument), void *argument,
                       uint32_t *task)
{
    struct fault_actor *actor = actor_of(caller);
    struct fault_entry *wrapped = malloc(sizeof *wrapped);
    if (wrapped == NULL) {
        return -ENOMEM;
    }
    *wrapped = (struct fault_entry){actor, entry, argument};
    int result = PASS(spawn, enter_task, wrapped, task);
    if (result < 0) {
        free(wrapped);
    }
    return result;
}

static int fault_join(struct dry_caller caller, uint32_t task)
{
    struct fault_actor *actor = actor_of(caller);
    return PASS(join, task);
}

static void *fault_task_local(struct dry_caller caller)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->task_local(actor->inner);
}

static void *fault_process_local(struct dry_caller caller)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->process_local(actor->inner);
}

static int fault_interrupt_after(struct dry_caller caller, uint64_t after_ns)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->interrupt_after == NULL ? -ENOSYS : PASS(interrupt_after, after_ns);
}

static int fault_cancel_interrupt(struct dry_caller caller)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->cancel_interrupt == NULL
               ? 0
               : actor->inner.system->cancel_interrupt(actor->inner);
}

static const struct dry_system fault_system = {
    .name = "faults",
    .socket = fault_socket,
    .socketpair = fault_socketpair,
    .bind = fault_bind,
    .listen = fault_listen,
    .accept = fault_accept,
    .connect = fault_connect,
    .sendto = fault_sendto,
    .recvfrom = fault_recvfrom,
    .sendmsg = fault_sendmsg,
    .recvmsg = fault_recvmsg,
    .shutdown = fault_shutdown,
    .getsockname = fault_getsockname,
    .getpeername = fault_getpeername,
    .getsockopt = fault_getsockopt,
    .setsockopt = fault_setsockopt,
    .close = fault_close,
    .dup3 = fault_dup3,
    .fcntl = fault_fcntl,
    .ioctl = fault_ioctl,
    .read = fault_read,
    .write = fault_write,
    .pipe2 = fault_pipe2,
    .eventfd = fault_eventfd,
    .timerfd_create = fault_timerfd_create,
    .timerfd_settime = fault_timerfd_settime,
    .timerfd_gettime = fault_timerfd_gettime,
    .sendfile = fault_sendfile,
    .fstat = fault_fstat,
    .lseek = fault_lseek,
    .ppoll = fault_ppoll,
    .pselect = fault_pselect,
    .epoll_create = fault_epoll_create,
    .epoll_ctl = fault_epoll_ctl,
    .epoll_pwait = fault_epoll_pwait,
    .clock_gettime = fault_clock_gettime,
    .clock_nanosleep = fault_clock_nanosleep,
    .getaddrinfo = fault_getaddrinfo,
    .freeaddrinfo = fault_freeaddrinfo,
    .getnameinfo = fault_getnameinfo,
    .gethostbyname = fault_gethostbyname,
    .gethostbyaddr = fault_gethostbyaddr,
    .getservbyname = fault_getservbyname,
    .getservbyport = fault_getservbyport,
    .getprotobyname = fault_getprotobyname,
    .gethostname = fault_gethostname,
    .sethostname = fault_sethostname,
    .if_nameindex = fault_if_nameindex,
    .if_nametoindex = fault_if_nametoindex,
    .if_indextoname = fault_if_indextoname,
    .spawn = fault_spawn,
    .join = fault_join,
    .task_local = fault_task_local,
    .process_local = fault_process_local,
    .call_begin = fault_call_begin,
    .call_end = fault_call_end,
    .interrupt_after = fault_interrupt_after,
    .cancel_interrupt = fault_cancel_interrupt,
};

/* ---- the plan ----------------------------------------------------------------------------- */

struct sim_fault_plan *sim_fault_plan_create(uint64_t seed)
{
    struct sim_fault_plan *plan = calloc(1, sizeof *plan);
    if (plan != NULL) {
        sim_random_seed(&plan->random, seed);
    }
    return plan;
}

void sim_fault_plan_destroy(struct sim_fault_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    while (plan->actors != NULL) {
        struct fault_actor *actor = plan->actors;
        plan->actors = actor->next;
        free(actor->tallies);
        free(actor->known);
        free(actor);
    }
    while (plan->first != NULL) {
        struct fault_rule *rule = plan->first;
        plan->first = rule->next;
        free(rule);
    }
    free(plan);
}

int sim_fault_plan_add(struct sim_fault_plan *plan, const char *text, char *message, size_t bytes,
                       size_t *column)
{
    struct fault_rule *rule = calloc(1, sizeof *rule);
    if (rule == NULL) {
        return -ENOMEM;
    }
    if (fault_rule_parse(rule, text, message, bytes, column) < 0) {
        free(rule);
        return -EINVAL;
    }
    if (plan->last != NULL) {
        plan->last->next = rule;
    } else {
        plan->first = rule;
    }
    plan->last = rule;
    return ++plan->rule_count;
}

static const struct fault_rule *rule_at(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = plan->first;
    while (rule != NULL && --number > 0) {
        rule = rule->next;
    }
    return rule;
}

uint64_t sim_fault_fired(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = rule_at(plan, number);
    return rule == NULL ? 0 : rule->fired;
}

int sim_fault_rules(const struct sim_fault_plan *plan)
{
    return plan->rule_count;
}

const char *sim_fault_text(const struct sim_fault_plan *plan, int number)
{
    const struct fault_rule *rule = rule_at(plan, number);
    return rule == NULL ? "" : rule->text;
}

struct dry_caller sim_fault_caller(struct sim_fault_plan *plan, struct dry_caller inner,
                                   const char *host, const char *actor)
{
    return caller_of(actor_new(plan, inner, host, actor));
}

void sim_fault_name(struct dry_caller caller, int fd, const char *name)
{
    if (caller.system != &fault_system) {
        return;
    }
    struct fault_actor *actor = actor_of(caller);
    forget_name(actor, fd);
    struct fault_known *grown = realloc(actor->known, (actor->known_count + 1) * sizeof *actor->known);
    assert(grown != NULL);
    actor->known = grown;
    struct fault_known *known = &grown[actor->known_count++];
    known->fd = fd;
    snprintf(known->name, sizeof known->name, "%s", name);
}
