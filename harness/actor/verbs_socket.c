/* Verbs that make, name, tune and end sockets.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "verbs.h"

static struct value wrap(struct actor *actor, struct dry_socket *socket)
{
    struct object *object = actor_object(actor, OBJECT_SOCKET);
    object->socket = socket;
    return value_object(object);
}

static int result_socket(struct call *call, struct dry_socket *socket)
{
    if (socket == NULL) {
        return raise_library(call->actor);
    }
    call->result = wrap(call->actor, socket);
    return 0;
}

static int result_address(struct call *call, int status, const struct dry_address *address)
{
    if (status < 0) {
        return raise_library(call->actor);
    }
    call->result = value_from_address(&call->actor->arena, address);
    return 0;
}

static struct value value_timeout(int64_t ns)
{
    return ns < 0 ? value_none() : (struct value){.kind = VALUE_FLOAT, .real = (double)ns / 1e9};
}

/* ---- making --------------------------------------------------------------------------------- */

static int run_socket(struct call *call)
{
    int family = -1, type = -1, protocol = -1, descriptor = -1;
    if (take_int(call, 0, &family) != 0 || take_int(call, 1, &type) != 0 ||
        take_int(call, 2, &protocol) != 0) {
        return -1;
    }
    if (call->given[3] && call->arguments[3].kind != VALUE_NONE) {
        if (take_int(call, 3, &descriptor) != 0) {
            return -1;
        }
        return result_socket(call, dry_socket_fileno(descriptor, family, type, protocol));
    }
    return result_socket(call,
                         dry_socket(family == -1 ? AF_INET : family, type == -1 ? SOCK_STREAM : type,
                                    protocol == -1 ? 0 : protocol));
}

static int run_socketpair(struct call *call)
{
    int family = AF_UNIX, type = SOCK_STREAM, protocol = 0;
    struct dry_socket *pair[2];
    if (take_int(call, 0, &family) != 0 || take_int(call, 1, &type) != 0 ||
        take_int(call, 2, &protocol) != 0) {
        return -1;
    }
    if (dry_socketpair(family, type, protocol, pair) != 0) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 2);
    call->result.items[0] = wrap(call->actor, pair[0]);
    call->result.items[1] = wrap(call->actor, pair[1]);
    return 0;
}

static int run_fromfd(struct call *call)
{
    int descriptor, family = 0, type = 0, protocol = 0;
    if (value_descriptor(call->actor, &call->arguments[0], &descriptor) != 0 ||
        take_int(call, 1, &family) != 0 || take_int(call, 2, &type) != 0 ||
        take_int(call, 3, &protocol) != 0) {
        return -1;
    }
    return result_socket(call, dry_fromfd(descriptor, family, type, protocol));
}

/* (host, port), taken apart. */
static int take_host_port(struct call *call, uint32_t i, const char **host, const char **port)
{
    const struct value *pair = &call->arguments[i];
    struct value whole = *pair;
    int status = 0;
    bool sequence = pair->kind == VALUE_TUPLE || pair->kind == VALUE_LIST;
    if (!sequence || pair->count != 2) {
        return raise_error(call->actor,
                           sequence || pair->kind == VALUE_STR ? "ValueError" : "TypeError",
                           "%s() argument must be a pair (host, port)", call->verb->name);
    }
    call->arguments[i] = whole.items[0];
    status = take_cut_text(call, i, host);
    call->arguments[i] = whole.items[1];
    if (status == 0) {
        status = take_cut_text(call, i, port);
    }
    call->arguments[i] = whole;
    return status;
}

static int take_source(struct call *call, uint32_t i, struct dry_address *source, bool *given)
{
    const char *host, *port;
    struct dry_value value;
    *given = call->given[i] && call->arguments[i].kind != VALUE_NONE;
    if (!*given) {
        return 0;
    }
    if (take_host_port(call, i, &host, &port) != 0) {
        return -1;
    }
    value_to_library(&call->actor->arena, &call->arguments[i], &value);
    int family = host != NULL && strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
    if (dry_address_from_value(source, family, SOCK_STREAM, 0, &value, "bind") != 0) {
        return raise_library(call->actor);
    }
    return 0;
}

/* create_server(address, *, family, backlog, reuse_port, dualstack_ipv6) */
static int run_create_server(struct call *call)
{
    int family = AF_INET, backlog = DRY_BACKLOG_DEFAULT;
    bool reuse_port = false, dualstack = false;
    struct dry_address address = {0};
    struct dry_value value;
    if (take_int(call, 1, &family) != 0 ||
        (call->arguments[2].kind != VALUE_NONE && take_int(call, 2, &backlog) != 0) ||
        take_bool(call, 3, &reuse_port) != 0 || take_bool(call, 4, &dualstack) != 0) {
        return -1;
    }
    /* Python says so before it looks at the address. */
    if (dualstack && family != AF_INET6) {
        return raise_error(call->actor, "ValueError", "dualstack_ipv6 requires AF_INET6 family");
    }
    if (value_to_library(&call->actor->arena, &call->arguments[0], &value) != 0) {
        return raise_error(call->actor, "TypeError", "create_server(): a socket is no address");
    }
    if (dry_address_from_value(&address, family, SOCK_STREAM, 0, &value, "bind") != 0) {
        return raise_library(call->actor);
    }
    return result_socket(call, dry_create_server(&address, family, backlog, reuse_port, dualstack));
}

static int run_has_dualstack_ipv6(struct call *call)
{
    call->result = value_bool(dry_has_dualstack_ipv6());
    return 0;
}

static int run_create_connection(struct call *call)
{
    const char *host = NULL, *port = NULL;
    int64_t timeout = DRY_TIMEOUT_DEFAULT;
    struct dry_address source = {0};
    bool has_source, all_errors = false;

    if (take_host_port(call, 0, &host, &port) != 0 || take_timeout(call, 1, &timeout) != 0 ||
        take_source(call, 2, &source, &has_source) != 0 || take_bool(call, 3, &all_errors) != 0) {
        return -1;
    }
    dry_set_host_bytes(call->arguments[0].items[0].kind == VALUE_BYTES);
    struct dry_socket *made = dry_create_connection(host, port, timeout, has_source ? &source : NULL,
                                                    all_errors);
    dry_set_host_bytes(false);
    return result_socket(call, made);
}

static int run_accept(struct call *call)
{
    struct dry_address peer = {0};
    struct dry_socket *made = dry_accept(call->self->socket, &peer);

    if (made == NULL) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 2);
    call->result.items[0] = wrap(call->actor, made);
    call->result.items[1] = value_from_address(&call->actor->arena, &peer);
    return 0;
}

static int run_dup(struct call *call)
{
    return result_socket(call, dry_dup(call->self->socket));
}

static int run_fromshare(struct call *call)
{
    const char *bytes;
    size_t count;
    if (take_bytes(call, 0, &bytes, &count) != 0) {
        return -1;
    }
    return result_socket(call, dry_fromshare(bytes, count));
}

/* ---- naming and ending ---------------------------------------------------------------------- */

static int run_bind(struct call *call)
{
    struct dry_address address;
    if (take_address(call, 0, &address, "bind") != 0) {
        return -1;
    }
    return result_status(call, dry_bind(call->self->socket, &address));
}

static int run_listen(struct call *call)
{
    int backlog = DRY_BACKLOG_DEFAULT;
    if (take_int(call, 0, &backlog) != 0) {
        return -1;
    }
    return result_status(call, dry_listen(call->self->socket, backlog));
}

static int run_connect(struct call *call)
{
    struct dry_address address;
    if (take_address(call, 0, &address, "connect") != 0) {
        return -1;
    }
    return result_status(call, dry_connect(call->self->socket, &address));
}

static int run_connect_ex(struct call *call)
{
    struct dry_address address;
    if (take_address(call, 0, &address, "connect_ex") != 0) {
        return -1;
    }
    int number = dry_connect_ex(call->self->socket, &address);
    if (number < 0) {
        return raise_library(call->actor);
    }
    call->result = value_flavoured(number, FLAVOUR_ERRNO);
    return 0;
}

static int run_shutdown(struct call *call)
{
    int how = 0;
    if (take_int(call, 0, &how) != 0) {
        return -1;
    }
    return result_status(call, dry_shutdown(call->self->socket, how));
}

/* Keeps the object: a later call on the name fails with EBADF, as in Python. */
static int run_close(struct call *call)
{
    return result_status(call, dry_close_keep(call->self->socket));
}

static int run_detach(struct call *call)
{
    int descriptor = dry_detach(call->self->socket);
    call->result = value_flavoured(descriptor, FLAVOUR_DESCRIPTOR);
    return 0;
}

static int run_close_descriptor(struct call *call)
{
    struct dry_caller caller = dry_current_caller();
    int descriptor;
    if (value_descriptor(call->actor, &call->arguments[0], &descriptor) != 0) {
        return -1;
    }
    int status = caller.system->close(caller, descriptor);
    return status < 0 ? raise_errno(call->actor, -status) : 0;
}

static int run_fileno(struct call *call)
{
    call->result = value_flavoured(dry_fileno(call->self->socket), FLAVOUR_DESCRIPTOR);
    return 0;
}

static int run_getsockname(struct call *call)
{
    struct dry_address address = {0};

    return result_address(call, dry_getsockname(call->self->socket, &address), &address);
}

static int run_getpeername(struct call *call)
{
    struct dry_address address = {0};

    return result_address(call, dry_getpeername(call->self->socket, &address), &address);
}

/* ---- modes and options ---------------------------------------------------------------------- */

static int run_settimeout(struct call *call)
{
    int64_t ns = DRY_TIMEOUT_NONE;
    if (take_timeout(call, 0, &ns) != 0) {
        return -1;
    }
    return result_status(call, dry_settimeout(call->self->socket, ns));
}

static int run_gettimeout(struct call *call)
{
    call->result = value_timeout(dry_gettimeout(call->self->socket));
    return 0;
}

static int run_setblocking(struct call *call)
{
    bool blocking = false;
    if (take_bool(call, 0, &blocking) != 0) {
        return -1;
    }
    return result_status(call, dry_setblocking(call->self->socket, blocking));
}

static int run_getblocking(struct call *call)
{
    call->result = value_bool(dry_getblocking(call->self->socket));
    return 0;
}

static int run_setdefaulttimeout(struct call *call)
{
    int64_t ns = DRY_TIMEOUT_NONE;
    if (take_timeout(call, 0, &ns) != 0) {
        return -1;
    }
    return result_status(call, dry_setdefaulttimeout(ns));
}

static int run_getdefaulttimeout(struct call *call)
{
    call->result = value_timeout(dry_getdefaulttimeout());
    return 0;
}

/* setsockopt(level, option, int | bytes | None, length). */
static int run_setsockopt(struct call *call)
{
    struct dry_socket *socket = call->self->socket;
    int level = 0, option = 0, number = 0;
    int64_t length = 0;
    const struct value *value = &call->arguments[2];
    if (take_int(call, 0, &level) != 0 || take_int(call, 1, &option) != 0) {
        return -1;
    }
    if (value->kind == VALUE_NONE) {
        if (!call->given[3]) {
            return raise_error(call->actor, "TypeError", "setsockopt() with None needs a length");
        }
        if (take_int64(call, 3, &length) != 0) {
            return -1;
        }
        return result_status(call, dry_setsockopt_null(socket, level, option, (size_t)length));
    }
    if (value->kind == VALUE_BYTES || value->kind == VALUE_BYTEARRAY) {
        return result_status(call, dry_setsockopt(socket, level, option, value->bytes, value->count));
    }
    if (take_int(call, 2, &number) != 0) {
        return -1;
    }
    return result_status(call, dry_setsockopt_int(socket, level, option, number));
}

/* What an option's number means, so that it prints by name. */
static enum value_flavour option_flavour(int level, int option)
{
    if (level != SOL_SOCKET) {
        return FLAVOUR_PLAIN;
    }
    return option == SO_ERROR      ? FLAVOUR_ERRNO
           : option == SO_TYPE     ? FLAVOUR_TYPE
           : option == SO_DOMAIN   ? FLAVOUR_FAMILY
           : option == SO_PROTOCOL ? FLAVOUR_PROTOCOL
                                   : FLAVOUR_PLAIN;
}

static int run_getsockopt(struct call *call)
{
    int level = 0, option = 0, length = 0, number = 0;
    if (take_int(call, 0, &level) != 0 || take_int(call, 1, &option) != 0 ||
        take_int(call, 2, &length) != 0) {
        return -1;
    }
    if (length == 0) {
        if (dry_getsockopt_int(call->self->socket, level, option, &number) != 0) {
            return raise_library(call->actor);
        }
        call->result = value_flavoured(number, option_flavour(level, option));
        return 0;
    }
    if (length < 0 || length > 1024) {
        return raise_error(call->actor, "OSError", "getsockopt buflen out of range");
    }
    char *buffer = arena_take(&call->actor->arena, (size_t)length);
    ssize_t count = dry_getsockopt(call->self->socket, level, option, buffer, (size_t)length);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_bytes(&call->actor->arena, buffer, (size_t)count);
    /* Whose process it is differs from run to run. */
    if (level == SOL_SOCKET && option == SO_PEERCRED) {
        call->result.flavour = FLAVOUR_LUCK;
    }
    return 0;
}

static int run_get_inheritable(struct call *call)
{
    int inheritable = dry_get_inheritable(call->self->socket);
    if (inheritable < 0) {
        return raise_library(call->actor);
    }
    call->result = value_bool(inheritable);
    return 0;
}

static int run_set_inheritable(struct call *call)
{
    bool inheritable = false;
    if (take_bool(call, 0, &inheritable) != 0) {
        return -1;
    }
    return result_status(call, dry_set_inheritable(call->self->socket, inheritable));
}

static int run_ioctl(struct call *call)
{
    int64_t control = 0;
    if (take_int64(call, 0, &control) != 0) {
        return -1;
    }
    return result_status(call, dry_ioctl(call->self->socket, (unsigned long)control, NULL));
}

static int run_share(struct call *call)
{
    int process = 0;
    if (take_int(call, 0, &process) != 0) {
        return -1;
    }
    return result_status(call, dry_share(call->self->socket, process));
}

/* ---- attributes ----------------------------------------------------------------------------- */

static int run_family(struct call *call)
{
    call->result = value_flavoured(dry_family(call->self->socket), FLAVOUR_FAMILY);
    return 0;
}

static int run_type(struct call *call)
{
    call->result = value_flavoured(dry_type(call->self->socket), FLAVOUR_TYPE);
    return 0;
}

static int run_proto(struct call *call)
{
    call->result = value_int(dry_protocol(call->self->socket));
    return 0;
}

const struct verb verbs_socket[] = {
    {"socket", VERB_FUNCTION, "family? type? proto? fileno?", run_socket},
    {"socketpair", VERB_FUNCTION, "family? type? proto?", run_socketpair},
    {"fromfd", VERB_FUNCTION, "fd family type proto?", run_fromfd},
    {"create_server", VERB_FUNCTION, "address family? backlog? reuse_port? dualstack_ipv6?",
     run_create_server},
    {"has_dualstack_ipv6", VERB_FUNCTION, "", run_has_dualstack_ipv6},
    {"create_connection", VERB_FUNCTION, "address timeout? source_address? all_errors?",
     run_create_connection},
    {"fromshare", VERB_FUNCTION, "data", run_fromshare},
    {"close", VERB_FUNCTION, "fd", run_close_descriptor},
    {"setdefaulttimeout", VERB_FUNCTION, "timeout", run_setdefaulttimeout},
    {"getdefaulttimeout", VERB_FUNCTION, "", run_getdefaulttimeout},
    {"accept", VERB_SOCKET, "", run_accept},
    {"bind", VERB_SOCKET, "address", run_bind},
    {"listen", VERB_SOCKET, "backlog?", run_listen},
    {"connect", VERB_SOCKET, "address", run_connect},
    {"connect_ex", VERB_SOCKET, "address", run_connect_ex},
    {"shutdown", VERB_SOCKET, "how", run_shutdown},
    {"close", VERB_SOCKET, "", run_close},
    {"detach", VERB_SOCKET, "", run_detach},
    {"dup", VERB_SOCKET, "", run_dup},
    {"fileno", VERB_SOCKET, "", run_fileno},
    {"getsockname", VERB_SOCKET, "", run_getsockname},
    {"getpeername", VERB_SOCKET, "", run_getpeername},
    {"settimeout", VERB_SOCKET, "value", run_settimeout},
    {"gettimeout", VERB_SOCKET, "", run_gettimeout},
    {"setblocking", VERB_SOCKET, "flag", run_setblocking},
    {"getblocking", VERB_SOCKET, "", run_getblocking},
    {"setsockopt", VERB_SOCKET, "level optname value optlen?", run_setsockopt},
    {"getsockopt", VERB_SOCKET, "level optname buflen?", run_getsockopt},
    {"get_inheritable", VERB_SOCKET, "", run_get_inheritable},
    {"set_inheritable", VERB_SOCKET, "inheritable", run_set_inheritable},
    {"ioctl", VERB_SOCKET, "control option", run_ioctl},
    {"share", VERB_SOCKET, "process_id", run_share},
    {"family", VERB_ATTRIBUTE, "", run_family},
    {"type", VERB_ATTRIBUTE, "", run_type},
    {"proto", VERB_ATTRIBUTE, "", run_proto},
    {"timeout", VERB_ATTRIBUTE, "", run_gettimeout},
    {0},
};
