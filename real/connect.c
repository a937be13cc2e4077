/* Connects: one call that goes on by itself after a signal, and the loop over a name's addresses.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "wait.h"

struct connecting {
    int fd;
};

/* The connection's fate, asked once the socket is writable. */
static ssize_t ask_outcome(struct dry_caller caller, void *data)
{
    const struct connecting *connecting = data;
    int code = 0;
    socklen_t length = sizeof code;
    int result = caller.system->getsockopt(caller, connecting->fd, SOL_SOCKET, SO_ERROR, &code,
                                           &length);
    if (result < 0) {
        return result;
    }
    return code == EISCONN ? 0 : -code;
}

/* 0, -errno or an outcome of dry_wait. connect(2) is made once: cut short by a signal it goes on
 * without us (EALREADY would be the answer to another), so both that and a connection begun in
 * timeout mode end by waiting until the socket is writable and asking SO_ERROR. */
static ssize_t run_connect(struct dry_caller caller, struct dry_socket *socket,
                           const struct dry_address *address)
{
    int result = caller.system->connect(caller, socket->fd, &address->generic, address->length);
    if (result >= 0) {
        return 0;
    }
    bool wait_for_it;
    if (result == -EINTR) {
        if (dry_wait_stopped(caller)) {
            return WAIT_STOPPED;
        }
        wait_for_it = socket->timeout_ns != 0 && !DRY_MUTANT(connect_gives_up_after_a_signal);
    } else {
        wait_for_it = socket->timeout_ns > 0 && result == -EINPROGRESS;
    }
    if (!wait_for_it) {
        return result;
    }
    struct connecting connecting = {.fd = socket->fd};
    struct pollfd descriptor = {.fd = socket->fd, .events = POLLOUT};
    struct wait wait = {
        .attempt = ask_outcome,
        .data = &connecting,
        .descriptors = &descriptor,
        .count = 1,
        .timeout_ns = socket->timeout_ns,
    };
    return dry_wait(caller, &wait);
}

int dry_connect(struct dry_socket *socket, const struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("connect", socket->fd);
    int result = (int)dry_wait_edge(caller, run_connect(caller, socket, address));
    dry_call_end(caller);
    return result;
}

int dry_connect_ex(struct dry_socket *socket, const struct dry_address *address)
{
    if (socket == NULL) {
        return EBADF;
    }
    struct dry_caller caller = dry_call_begin("connect_ex", socket->fd);
    ssize_t outcome = run_connect(caller, socket, address);
    dry_call_end(caller);
    if (outcome == WAIT_STOPPED) {
        return -1;
    }
    return outcome == WAIT_TIMED_OUT ? EWOULDBLOCK : (int)-outcome;
}

/* ---- create_connection -------------------------------------------------------------------- */

/* What the attempts said, in words; the last one's error decides the kind. */
struct attempts {
    unsigned count;
    size_t used;
    char text[sizeof((struct dry_error *)0)->message];
};

static void note(struct attempts *attempts, const struct dry_error *error)
{
    const char *name = error->kind == DRY_ERROR_TIMEOUT ? "TimeoutError"
                                                        : dry_error_code_name(error->kind, error->code);
    size_t room = sizeof attempts->text - attempts->used;
    int length = snprintf(attempts->text + attempts->used, room, "%s%s: %s",
                          attempts->count == 0 ? "" : "; ", name != NULL ? name : "OSError",
                          error->message);
    attempts->used += (size_t)length < room ? (size_t)length : room - 1;
    attempts->count++;
}

static struct dry_socket *attempt(const struct dry_addrinfo *to, int64_t timeout_ns,
                                  const struct dry_address *source)
{
    struct dry_socket *made = dry_socket(to->family, to->type, to->protocol);
    if (made == NULL) {
        return NULL;
    }
    if ((timeout_ns == DRY_TIMEOUT_DEFAULT || dry_settimeout(made, timeout_ns) == 0) &&
        (source == NULL || dry_bind(made, source) == 0) && dry_connect(made, &to->address) == 0) {
        return made;
    }
    struct dry_error why = *dry_last_error();
    dry_close(made);
    dry_error_restore(dry_current_caller(), &why);
    return NULL;
}

/* Only what Python calls OSError lets the next address be tried. */
static bool try_next(const struct dry_error *why)
{
    return why->kind == DRY_ERROR_OS || why->kind == DRY_ERROR_TIMEOUT;
}

static void tell_all(struct dry_caller caller, const struct attempts *attempts)
{
    struct dry_error all = dry_task_store(caller)->error;
    /* The text is cut rather than the count lost. */
    snprintf(all.message, sizeof all.message, "create_connection failed (%u sub-exception%s): %.*s",
             attempts->count, attempts->count == 1 ? "" : "s", 180, attempts->text);
    dry_error_restore(caller, &all);
}

/* The list as memory of this call, which may end while it waits for a connection. */
static struct dry_addrinfo *keep_list(struct dry_caller caller, struct dry_addrinfo *list, size_t count)
{
    struct dry_addrinfo *kept = count > 0 ? dry_hold(caller, count * sizeof *kept) : NULL;
    if (kept != NULL) {
        memcpy(kept, list, count * sizeof *kept);
    }
    dry_freeaddrinfo(list);
    return kept;
}

struct dry_socket *dry_create_connection(const char *host, const char *port, int64_t timeout_ns,
                                         const struct dry_address *source, bool all_errors)
{
    struct dry_caller caller = dry_call_begin("create_connection", -1);
    struct dry_addrinfo *list = NULL;
    size_t count = 0;
    struct dry_socket *made = NULL;
    struct attempts attempts = {0};
    bool go_on = dry_getaddrinfo(host, port, AF_UNSPEC, SOCK_STREAM, 0, 0, &list, &count) == 0;
    if (go_on && count == 0) {
        dry_error_os_text(caller, "getaddrinfo returns an empty list");
    }
    struct dry_addrinfo *kept = keep_list(caller, list, count);
    if (kept == NULL && count > 0) {
        dry_error_os(caller, ENOMEM);
        go_on = false;
    }
    for (size_t i = 0; i < count && go_on && made == NULL; i++) {
        made = attempt(&kept[i], timeout_ns, source);
        if (made == NULL) {
            const struct dry_error *why = &dry_task_store(caller)->error;
            note(&attempts, why);
            go_on = try_next(why);
        }
    }
    if (made == NULL && go_on && all_errors && attempts.count > 0) {
        tell_all(caller, &attempts);
    }
    dry_release(caller, kept);
    dry_call_end(caller);
    return made;
}
