/* The fault plan as a system: a decorator that makes chosen library calls fail or fall short.
 * SPDX-License-Identifier: MIT
 *
 * It stands in front of any system, the world or the kernel. What it knows lies in the plan's store. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drysock/sim.h>
#include <drysock/system_calls.h>

#include "actor.h"

static struct fault_actor *actor_of(struct dry_caller caller)
{
    return caller.world;
}

/* ---- the calls ---------------------------------------------------------------------------- */

/* What the plan does at each call: AT: an effect may take place here, which names the seam to a rule
 * and the length that may shrink (or NULL); PASS: nothing; an empty row: by hand, below. */
#define FORWARD_socket(...) AT(FAULT_SEAM_SOCKET, NULL, __VA_ARGS__)
#define FORWARD_socketpair(...) AT(FAULT_SEAM_SOCKETPAIR, NULL, __VA_ARGS__)
#define FORWARD_bind(...) AT(FAULT_SEAM_BIND, NULL, __VA_ARGS__)
#define FORWARD_listen(...) AT(FAULT_SEAM_LISTEN, NULL, __VA_ARGS__)
#define FORWARD_accept(...) AT(FAULT_SEAM_ACCEPT, NULL, __VA_ARGS__)
#define FORWARD_connect(...)
#define FORWARD_sendto(...) AT(FAULT_SEAM_SEND, &length, __VA_ARGS__)
#define FORWARD_recvfrom(...) AT(FAULT_SEAM_RECV, &length, __VA_ARGS__)
#define FORWARD_sendmsg(...)
#define FORWARD_recvmsg(...)
#define FORWARD_shutdown(...) AT(FAULT_SEAM_SHUTDOWN, NULL, __VA_ARGS__)
#define FORWARD_getsockname(...) AT(FAULT_SEAM_GETSOCKNAME, NULL, __VA_ARGS__)
#define FORWARD_getpeername(...) AT(FAULT_SEAM_GETPEERNAME, NULL, __VA_ARGS__)
#define FORWARD_getsockopt(...) AT(FAULT_SEAM_GETSOCKOPT, NULL, __VA_ARGS__)
#define FORWARD_setsockopt(...) AT(FAULT_SEAM_SETSOCKOPT, NULL, __VA_ARGS__)
#define FORWARD_close(...)
#define FORWARD_dup3(...) AT(FAULT_SEAM_DUP, NULL, __VA_ARGS__)
#define FORWARD_fcntl(...) AT(FAULT_SEAM_FCNTL, NULL, __VA_ARGS__)
#define FORWARD_ioctl(...) AT(FAULT_SEAM_IOCTL, NULL, __VA_ARGS__)
#define FORWARD_read(...) AT(FAULT_SEAM_RECV, &length, __VA_ARGS__)
#define FORWARD_write(...) AT(FAULT_SEAM_SEND, &length, __VA_ARGS__)
#define FORWARD_pipe2(...) AT(FAULT_SEAM_PIPE, NULL, __VA_ARGS__)
#define FORWARD_eventfd(...) PASS(__VA_ARGS__)
#define FORWARD_timerfd_create(...) PASS(__VA_ARGS__)
#define FORWARD_timerfd_settime(...) PASS(__VA_ARGS__)
#define FORWARD_timerfd_gettime(...) PASS(__VA_ARGS__)
#define FORWARD_sendfile(...) AT(FAULT_SEAM_SENDFILE, &count, __VA_ARGS__)
#define FORWARD_fstat(...) PASS(__VA_ARGS__)
#define FORWARD_lseek(...) PASS(__VA_ARGS__)
#define FORWARD_ppoll(...) AT(FAULT_SEAM_POLL, NULL, __VA_ARGS__)
#define FORWARD_pselect(...) AT(FAULT_SEAM_POLL, NULL, __VA_ARGS__)
#define FORWARD_epoll_create(...) PASS(__VA_ARGS__)
#define FORWARD_epoll_ctl(...) PASS(__VA_ARGS__)
#define FORWARD_epoll_pwait(...) AT(FAULT_SEAM_POLL, NULL, __VA_ARGS__)
#define FORWARD_clock_gettime(...) PASS(__VA_ARGS__)
#define FORWARD_clock_nanosleep(...) AT(FAULT_SEAM_SLEEP, NULL, __VA_ARGS__)
#define FORWARD_getaddrinfo(...)
#define FORWARD_freeaddrinfo(...)
#define FORWARD_getnameinfo(...)
#define FORWARD_gethostbyname(...)
#define FORWARD_gethostbyaddr(...)
#define FORWARD_getservbyname(...) PASS(__VA_ARGS__)
#define FORWARD_getservbyport(...) PASS(__VA_ARGS__)
#define FORWARD_getprotobyname(...) PASS(__VA_ARGS__)
#define FORWARD_gethostname(...) PASS(__VA_ARGS__)
#define FORWARD_sethostname(...) PASS(__VA_ARGS__)
#define FORWARD_if_nameindex(...) PASS(__VA_ARGS__)
#define FORWARD_if_nametoindex(...) PASS(__VA_ARGS__)
#define FORWARD_if_indextoname(...) PASS(__VA_ARGS__)
#define FORWARD_spawn(...)
#define FORWARD_join(...) PASS(__VA_ARGS__)
#define FORWARD_task_local(...)
#define FORWARD_process_local(...)

/* Hands a call on to the system behind the plan. */
#define INNER(actor, name, ...) (actor)->inner.system->name((actor)->inner, __VA_ARGS__)
#define PASS(type, name, parameters, ...)                  \
    static type fault_##name parameters                    \
    {                                                      \
        return INNER(actor_of(caller), name, __VA_ARGS__); \
    }
#define AT(seam, length_of, type, name, parameters, ...)                 \
    static type fault_##name parameters                                  \
    {                                                                    \
        struct fault_actor *actor = actor_of(caller);                    \
        const int instead = fault_before(actor, seam, length_of);        \
        return instead != 0 ? instead : INNER(actor, name, __VA_ARGS__); \
    }
#define MAKE(type, name, parameters, ...) FORWARD_##name(type, name, parameters, __VA_ARGS__)
DRY_SYSTEM_CALLS(MAKE)

/* ---- calls that a rule treats in their own way ---------------------------------------------- */

/* LINUX: a signal that is pending when connect(2) begins does not keep the connection from being
 * started; it ends only the wait for it, and a non-blocking call does not wait. */
static int interrupted_connect(struct fault_actor *actor, int fd, const struct sockaddr *address,
                               socklen_t length)
{
    int flags = INNER(actor, fcntl, fd, F_GETFL, 0);
    bool blocks = flags >= 0 && (flags & O_NONBLOCK) == 0;
    if (blocks) {
        INNER(actor, fcntl, fd, F_SETFL, flags | O_NONBLOCK);
    }
    int status = INNER(actor, connect, fd, address, length);
    if (blocks) {
        INNER(actor, fcntl, fd, F_SETFL, flags);
    }
    if (status != -EINPROGRESS) {
        return status;
    }
    fault_past_of(actor)->interrupt_next = !blocks;
    return blocks ? -EINTR : status;
}

static int fault_connect(struct dry_caller caller, int fd, const struct sockaddr *address,
                         socklen_t length)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_CONNECT, NULL);
    if (instead == -EINTR && fault_chosen(actor) != NULL &&
        fault_chosen(actor)->effect == FAULT_SIGNAL_BEFORE) {
        return interrupted_connect(actor, fd, address, length);
    }
    if (instead != 0) {
        return instead;
    }
    return INNER(actor, connect, fd, address, length);
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
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_SEND, &length);
    if (instead != 0) {
        return instead;
    }
    if (length == whole) {
        return INNER(actor, sendmsg, fd, message, flags);
    }
    struct msghdr shorter = *message;
    shorter.msg_iov = cut_vector(message, length);
    ssize_t sent = INNER(actor, sendmsg, fd, &shorter, flags);
    free(shorter.msg_iov);
    return sent;
}

static ssize_t fault_recvmsg(struct dry_caller caller, int fd, struct msghdr *message, int flags)
{
    size_t whole = vector_bytes(message);
    size_t length = whole;
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_RECV, &length);
    if (instead != 0) {
        return instead;
    }
    if (length == whole) {
        return INNER(actor, recvmsg, fd, message, flags);
    }
    struct iovec *original = message->msg_iov;
    message->msg_iov = cut_vector(message, length);
    ssize_t received = INNER(actor, recvmsg, fd, message, flags);
    free(message->msg_iov);
    message->msg_iov = original;
    return received;
}

static int fault_close(struct dry_caller caller, int fd)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_CLOSE, NULL);
    fault_forget_name(actor, fd);
    int result = INNER(actor, close, fd);
    /* LINUX: close(2) gives the descriptor up even when it reports an error, so the fault does too. */
    return instead != 0 ? instead : result;
}

/* ---- names: errors of their own ------------------------------------------------------------- */

static bool is_gai(const struct fault_actor *actor)
{
    const struct fault_rule *rule = fault_chosen(actor);
    return rule != NULL && rule->effect == FAULT_GAI;
}

/* What getaddrinfo and getnameinfo return: the code itself, or an errno behind EAI_SYSTEM. */
static int lookup_error(const struct fault_actor *actor, int instead, int *system_error)
{
    if (is_gai(actor)) {
        *system_error = 0;
        return instead;
    }
    *system_error = -instead;
    return EAI_SYSTEM;
}

/* The older calls say the same in their own numbers. */
static int host_error(const struct fault_actor *actor, int instead)
{
    if (!is_gai(actor)) {
        return NETDB_INTERNAL;
    }
    switch (instead) {
    case EAI_NONAME:
        return HOST_NOT_FOUND;
    case EAI_AGAIN:
        return TRY_AGAIN;
    case EAI_NODATA:
        return NO_DATA;
    default:
        return NO_RECOVERY;
    }
}

static int fault_getaddrinfo(struct dry_caller caller, const char *node, const char *service,
                             const struct addrinfo *hints, struct addrinfo **list, int *system_error)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        return lookup_error(actor, instead, system_error);
    }
    return INNER(actor, getaddrinfo, node, service, hints, list, system_error);
}

static void fault_freeaddrinfo(struct dry_caller caller, struct addrinfo *list)
{
    struct fault_actor *actor = actor_of(caller);
    INNER(actor, freeaddrinfo, list);
}

static int fault_getnameinfo(struct dry_caller caller, const struct sockaddr *address, socklen_t length,
                             char *host, socklen_t host_bytes, char *service, socklen_t service_bytes,
                             int flags, int *system_error)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        return lookup_error(actor, instead, system_error);
    }
    return INNER(actor, getnameinfo, address, length, host, host_bytes, service, service_bytes, flags,
                 system_error);
}

static int fault_gethostbyname(struct dry_caller caller, const char *name, int family,
                               struct hostent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        return host_error(actor, instead);
    }
    return INNER(actor, gethostbyname, name, family, result, buffer, bytes);
}

static int fault_gethostbyaddr(struct dry_caller caller, const void *address, socklen_t length,
                               int family, struct hostent *result, char *buffer, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    int instead = fault_before(actor, FAULT_SEAM_NAMES, NULL);
    if (instead != 0) {
        return host_error(actor, instead);
    }
    return INNER(actor, gethostbyaddr, address, length, family, result, buffer, bytes);
}

/* ---- tasks ------------------------------------------------------------------------------- */

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
    struct sim_fault_plan *plan;
    char host[FAULT_NAME_BYTES];
    char name[FAULT_NAME_BYTES];
    void (*entry)(void *argument);
    void *argument;
};

static void enter_task(void *argument)
{
    struct fault_entry entry = *(struct fault_entry *)argument;
    free(argument);
    struct dry_caller inner = dry_current_caller();
    if (inner.system != &fault_system) {
        struct fault_actor *actor = fault_actor_new(entry.plan, inner, entry.host, entry.name);
        if (actor != NULL) {
            dry_set_current_caller(caller_of(actor));
        }
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
    const struct fault_past *past = fault_past_of(actor);
    *wrapped = (struct fault_entry){.plan = actor->plan, .entry = entry, .argument = argument};
    memcpy(wrapped->host, past->host, sizeof wrapped->host);
    memcpy(wrapped->name, past->name, sizeof wrapped->name);
    int result = INNER(actor, spawn, enter_task, wrapped, task);
    if (result < 0) {
        free(wrapped);
    }
    return result;
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

/* ---- what the library announces, and what providers may lack ------------------------------- */

static void fault_call_begin(struct dry_caller caller, const char *verb, int fd)
{
    fault_call_begins(actor_of(caller), verb, fd);
}

static void fault_call_end(struct dry_caller caller)
{
    fault_call_ends(actor_of(caller));
}

static int fault_interrupt_after(struct dry_caller caller, uint64_t after_ns)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->interrupt_after == NULL ? -ENOSYS
                                                        : INNER(actor, interrupt_after, after_ns);
}

static int fault_cancel_interrupt(struct dry_caller caller)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->cancel_interrupt == NULL
               ? 0
               : actor->inner.system->cancel_interrupt(actor->inner);
}

static void *fault_hold(struct dry_caller caller, size_t bytes)
{
    struct fault_actor *actor = actor_of(caller);
    return actor->inner.system->hold == NULL ? malloc(bytes) : INNER(actor, hold, bytes);
}

static void fault_release(struct dry_caller caller, void *memory)
{
    struct fault_actor *actor = actor_of(caller);
    if (actor->inner.system->release == NULL) {
        free(memory);
    } else {
        INNER(actor, release, memory);
    }
}

#define ENTRY(type, name, parameters, ...) .name = fault_##name,
static const struct dry_system fault_system = {.name = "faults",
                                               DRY_SYSTEM_CALLS(ENTRY) DRY_SYSTEM_HOOKS(ENTRY)};
static_assert(DRY_SYSTEM_IS_LISTED, "system_calls.h does not list every call of the seam");

struct dry_caller sim_fault_caller(struct sim_fault_plan *plan, struct dry_caller inner,
                                   const char *host, const char *actor)
{
    struct fault_actor *made = fault_actor_new(plan, inner, host, actor);
    return made == NULL ? inner : caller_of(made);
}

struct dry_caller fault_caller_in(void *memory, struct sim_fault_plan *plan, struct dry_caller inner,
                                  const char *host, const char *actor, uint32_t counts)
{
    struct fault_actor *made = fault_actor_in(memory, plan, inner, host, actor, counts);
    return made == NULL ? (struct dry_caller){0} : caller_of(made);
}

void sim_fault_name(struct dry_caller caller, int fd, const char *name)
{
    if (caller.system == &fault_system) {
        fault_know_name(actor_of(caller), fd, name);
    }
}
