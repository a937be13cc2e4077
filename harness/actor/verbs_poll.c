/* Verbs that wait for readiness: poll, select, epoll.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "verbs.h"

enum { EPOLL_EVENTS = 64 };

/* The actor's object behind a descriptor, so that results name it. */
static struct value descriptor_value(struct actor *actor, int descriptor)
{
    for (struct object *object = actor->objects; object != NULL; object = object->next) {
        if (object->kind == OBJECT_SOCKET && dry_fileno(object->socket) == descriptor) {
            return value_object(object);
        }
    }
    return value_flavoured(descriptor, FLAVOUR_DESCRIPTOR);
}

static struct value event_value(struct actor *actor, struct value who, int64_t events,
                                enum value_flavour flavour)
{
    struct value pair = value_tuple(&actor->arena, 2);
    pair.items[0] = who;
    pair.items[1] = value_flavoured(events, flavour);
    return pair;
}

static int take_pollfds(struct call *call, struct pollfd **polled)
{
    const struct value *list = &call->arguments[0];
    if (list->kind != VALUE_LIST && list->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError", "poll() takes a list of (socket, events)");
    }
    *polled = arena_take(&call->actor->arena, (list->count + 1) * sizeof **polled);
    for (size_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        if (item->kind != VALUE_TUPLE || item->count != 2 || item->items[1].kind > VALUE_INT) {
            return raise_error(call->actor, "TypeError", "poll() takes a list of (socket, events)");
        }
        if (value_descriptor(call->actor, &item->items[0], &(*polled)[i].fd) != 0) {
            return -1;
        }
        (*polled)[i].events = (short)item->items[1].integer;
    }
    return 0;
}

/* poll([(socket, events)…], seconds): the list of (socket, events) that are ready. */
static int run_poll(struct call *call)
{
    struct pollfd *polled = NULL;
    int64_t timeout = -1;
    const struct value *list = &call->arguments[0];
    if (take_pollfds(call, &polled) != 0 || take_timeout(call, 1, &timeout) != 0) {
        return -1;
    }
    int ready = dry_poll(polled, list->count, timeout);
    if (ready < 0) {
        return raise_library(call->actor);
    }
    call->result = value_list(&call->actor->arena, (size_t)ready);
    call->result.count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (polled[i].revents != 0) {
            call->result.items[call->result.count++] = event_value(
                call->actor, list->items[i].items[0], (unsigned short)polled[i].revents, FLAVOUR_POLL);
        }
    }
    return 0;
}

/* ---- select --------------------------------------------------------------------------------- */

static int take_set(struct call *call, uint32_t i, fd_set *set, int *highest)
{
    const struct value *list = &call->arguments[i];
    FD_ZERO(set);
    if (list->kind != VALUE_LIST && list->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError", "arguments 1-3 must be sequences");
    }
    for (size_t n = 0; n < list->count; n++) {
        int descriptor;
        if (value_descriptor(call->actor, &list->items[n], &descriptor) != 0) {
            return -1;
        }
        if (descriptor < 0 || descriptor >= FD_SETSIZE) {
            return raise_error(call->actor, "ValueError", "filedescriptor out of range in select()");
        }
        FD_SET(descriptor, set);
        if (descriptor > *highest) {
            *highest = descriptor;
        }
    }
    return 0;
}

static struct value ready_value(struct call *call, uint32_t i, fd_set *set)
{
    const struct value *list = &call->arguments[i];
    struct value ready = value_list(&call->actor->arena, list->count);
    ready.count = 0;
    for (size_t n = 0; n < list->count; n++) {
        int descriptor = -1;
        if (value_descriptor(call->actor, &list->items[n], &descriptor) == 0 &&
            FD_ISSET(descriptor, set)) {
            ready.items[ready.count++] = list->items[n];
        }
    }
    return ready;
}

static struct timespec time_left(uint64_t deadline)
{
    uint64_t now = dry_now();
    uint64_t left = deadline > now ? deadline - now : 0;
    return (struct timespec){(time_t)(left / 1000000000), (long)(left % 1000000000)};
}

/* The module's own waiting calls are announced as the library's are, so that faults can aim at them. */
static struct dry_caller begin(const char *verb, int descriptor)
{
    struct dry_caller caller = dry_current_caller();
    if (caller.system->call_begin != NULL) {
        caller.system->call_begin(caller, verb, descriptor);
    }
    return caller;
}

static void end(struct dry_caller caller)
{
    if (caller.system->call_end != NULL) {
        caller.system->call_end(caller);
    }
}

/* What a negative status raises; EINTR is left only when the handler raises. */
static int raise_status(struct call *call, int status)
{
    if (status == -EINTR) {
        return raise_error(call->actor, "interrupted", "the interrupt check said stop");
    }
    return raise_errno(call->actor, -status);
}

/* select.select(): retried after a signal with what is left, as PEP 475 says. */
static int run_select(struct call *call)
{
    struct dry_caller caller;
    fd_set wanted[3], sets[3];
    int highest = -1, status;
    int64_t timeout = -1;

    for (uint32_t i = 0; i < 3; i++) {
        if (take_set(call, i, &wanted[i], &highest) != 0) {
            return -1;
        }
    }
    if (take_timeout(call, 3, &timeout) != 0) {
        return -1;
    }
    caller = begin("select", -1);
    uint64_t deadline = timeout >= 0 ? dry_now() + (uint64_t)timeout : 0;
    do {
        struct timespec left = time_left(deadline);
        memcpy(sets, wanted, sizeof sets);
        status = caller.system->pselect(caller, highest + 1, &sets[0], &sets[1], &sets[2],
                                        timeout >= 0 ? &left : NULL, NULL);
    } while (status == -EINTR && actor_interrupted(call->actor) == 0);
    end(caller);
    if (status < 0) {
        return raise_status(call, status);
    }
    call->result = value_tuple(&call->actor->arena, 3);
    for (uint32_t i = 0; i < 3; i++) {
        call->result.items[i] = ready_value(call, i, &sets[i]);
    }
    return 0;
}

/* ---- epoll ---------------------------------------------------------------------------------- */

static int run_epoll(struct call *call)
{
    struct dry_caller caller = dry_current_caller();
    int descriptor = caller.system->epoll_create(caller, EPOLL_CLOEXEC);
    if (descriptor < 0) {
        return raise_errno(call->actor, -descriptor);
    }
    struct object *object = actor_object(call->actor, OBJECT_EPOLL);
    object->descriptor = descriptor;
    call->result = value_object(object);
    return 0;
}

static int control(struct call *call, int operation, uint32_t events)
{
    struct dry_caller caller = dry_current_caller();
    struct epoll_event event = {.events = events};
    int descriptor;

    if (value_descriptor(call->actor, &call->arguments[0], &descriptor) != 0) {
        return -1;
    }
    event.data.fd = descriptor;
    int status = caller.system->epoll_ctl(caller, call->self->descriptor, operation, descriptor,
                                          &event);
    return status < 0 ? raise_errno(call->actor, -status) : 0;
}

static int run_register(struct call *call)
{
    int64_t events = EPOLLIN | EPOLLPRI | EPOLLOUT;
    if (take_int64(call, 1, &events) != 0) {
        return -1;
    }
    return control(call, EPOLL_CTL_ADD, (uint32_t)events);
}

static int run_modify(struct call *call)
{
    int64_t events = 0;
    if (take_int64(call, 1, &events) != 0) {
        return -1;
    }
    return control(call, EPOLL_CTL_MOD, (uint32_t)events);
}

static int run_unregister(struct call *call)
{
    return control(call, EPOLL_CTL_DEL, 0);
}

static int run_epoll_poll(struct call *call)
{
    struct dry_caller caller;
    struct epoll_event *events = arena_take(&call->actor->arena, EPOLL_EVENTS * sizeof *events);
    int64_t timeout = -1, maximum = EPOLL_EVENTS;
    int ready;
    if (take_timeout(call, 0, &timeout) != 0 || take_int64(call, 1, &maximum) != 0) {
        return -1;
    }
    if (maximum <= 0 || maximum > EPOLL_EVENTS) {
        maximum = EPOLL_EVENTS;
    }
    caller = begin("poll", call->self->descriptor);
    uint64_t deadline = timeout >= 0 ? dry_now() + (uint64_t)timeout : 0;
    do {
        struct timespec left = time_left(deadline);
        ready = caller.system->epoll_pwait(caller, call->self->descriptor, events, (int)maximum,
                                           timeout >= 0 ? &left : NULL, NULL);
    } while (ready == -EINTR && actor_interrupted(call->actor) == 0);
    end(caller);
    if (ready < 0) {
        return raise_status(call, ready);
    }
    call->result = value_list(&call->actor->arena, (size_t)ready);
    for (int i = 0; i < ready; i++) {
        call->result.items[i] = event_value(call->actor,
                                            descriptor_value(call->actor, events[i].data.fd),
                                            events[i].events, FLAVOUR_EPOLL);
    }
    return 0;
}

static int run_epoll_close(struct call *call)
{
    struct dry_caller caller = dry_current_caller();
    if (call->self->closed) {
        return 0;
    }
    call->self->closed = 1;
    caller.system->close(caller, call->self->descriptor);
    call->self->descriptor = -1;
    return 0;
}

const struct verb verbs_poll[] = {
    {"poll", VERB_FUNCTION, "sockets timeout?", run_poll},
    {"select", VERB_FUNCTION, "rlist wlist xlist timeout?", run_select},
    {"epoll", VERB_FUNCTION, "", run_epoll},
    {"register", VERB_EPOLL, "fd eventmask?", run_register},
    {"modify", VERB_EPOLL, "fd eventmask", run_modify},
    {"unregister", VERB_EPOLL, "fd", run_unregister},
    {"poll", VERB_EPOLL, "timeout? maxevents?", run_epoll_poll},
    {"close", VERB_EPOLL, "", run_epoll_close},
    {0},
};
