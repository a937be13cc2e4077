/* UDP as a protocol: connecting and disconnecting, shutdown, readiness; the table of its verbs.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/block.h"
#include "file/wait.h"
#include "internal.h"
#include "net/host.h"
#include "socket/inet.h"
#include "socket/option.h"
#include "socket/port.h"
#include "socket/sockets.h"
#include "udp.h"

static int create(struct sim_world *world, struct sim_socket_id id)
{
    return 0;
}

static void destroy(struct sim_world *world, struct sim_socket_id id)
{
}

static int no_listen(struct sim_world *world, struct sim_socket_id id, int backlog)
{
    return -EOPNOTSUPP;
}

static int no_accept(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id *child)
{
    return -EOPNOTSUPP;
}

/* LINUX: udp_disconnect: also the interface is forgotten, whoever bound it. */
static int disconnect(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    socket->flags &= ~(uint32_t)SIM_SOCKET_CONNECTED;
    socket->remote = (struct sim_endpoint){0};
    if (socket->family == AF_INET) {
        socket->remote.ip = sim_ip_v4(INADDR_ANY);
    }
    socket->bound_interface = 0;
    sim_inet_forget_name(world, id);
    return 0;
}

/* The destination of connect(): an AF_INET6 socket takes AF_INET addresses too. */
static int connect_endpoint(struct sim_socket *socket, const struct sockaddr *address, socklen_t length,
                            struct sim_endpoint *to)
{
    bool v6only = (socket->options & SIM_OPTION_V6ONLY) != 0;
    int error;
    if (socket->family == AF_INET6 && address->sa_family == AF_INET) {
        struct sim_socket as_inet = {.family = AF_INET};
        return v6only ? -EAFNOSUPPORT : sim_endpoint_from(&as_inet, address, length, to);
    }
    if (socket->family == AF_INET && length >= (socklen_t)sizeof(struct sockaddr_in) &&
        address->sa_family != AF_INET) {
        return -EAFNOSUPPORT;
    }
    error = sim_endpoint_from(socket, address, length, to);
    if (error < 0 || socket->family == AF_INET) {
        return error;
    }
    if (sim_ip_is_v4(to->ip)) {
        return v6only ? -ENETUNREACH : 0;
    }
    if (sim_ip_is_any(to->ip)) { /* LINUX: connect(::) means this host, in the socket's version */
        bool mapped = sim_ip_is_v4(socket->local.ip);
        to->ip = mapped ? sim_ip_v4(INADDR_LOOPBACK) : (struct sim_ip){{[15] = 1}};
    }
    const bool near = sim_ip_needs_scope(to->ip);
    if (near && to->scope == 0) {
        to->scope = socket->bound_interface;
        if (to->scope == 0 && sim_ip_is_multicast(to->ip)) {
            to->scope = socket->multicast_interface6;
        }
        if (to->scope == 0) {
            return -EINVAL;
        }
    }
    if (near) {
        if (socket->bound_interface != 0 && socket->bound_interface != to->scope) {
            return -EINVAL;
        }
        socket->bound_interface = to->scope; /* LINUX: it stays so when the rest fails */
    }
    return 0;
}

static int connect_to(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                      socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_ip_path path;
    struct sim_endpoint to;
    if (length < (socklen_t)sizeof address->sa_family) {
        return -EINVAL;
    }
    if (address->sa_family == AF_UNSPEC) {
        return disconnect(world, id);
    }
    if (sim_inet_autobind(world, id) < 0) {
        return SIM_EAGAIN_FOR_GOOD;
    }
    int error = connect_endpoint(socket, address, length, &to);
    if (error < 0) {
        return error;
    }
    /* LINUX: an address that an earlier connect() chose still binds the next one. */
    error = sim_udp_route(world, id, to, socket->local.ip, 0, &path);
    if (error < 0) {
        return error;
    }
    if (sim_ip_is_any(socket->local.ip)) {
        socket->local.ip = path.source;
    }
    if (sim_ip_is_link_local(to.ip)) {
        socket->local.scope = to.scope;
    }
    if (sim_ip_is_any(to.ip)) { /* LINUX: 0.0.0.0 was resolved to the source's own address */
        to.ip = path.source;
    }
    socket->remote = to;
    socket->flags |= SIM_SOCKET_CONNECTED;
    socket->flags &= ~(uint32_t)SIM_SOCKET_PATH_FORGOTTEN;
    return 0;
}

static int connected(struct sim_world *world, struct sim_socket_id id)
{
    return 0;
}

/* LINUX: inet_shutdown: on a socket that is not connected it works, and fails all the same. */
static int shut(struct sim_world *world, struct sim_socket_id id, int how)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    if (how < SHUT_RD || how > SHUT_RDWR) {
        return -EINVAL;
    }
    if (how != SHUT_WR) {
        socket->flags |= SIM_SOCKET_READ_SHUT;
    }
    if (how != SHUT_RD) {
        socket->flags |= SIM_SOCKET_WRITE_SHUT;
    }
    sim_wake_socket(world, id, SIM_WAKE_ALL); /* LINUX: sk_state_change: whatever they ask */
    return (socket->flags & SIM_SOCKET_CONNECTED) != 0 ? 0 : -ENOTCONN;
}

static void release(struct sim_world *world, struct sim_socket_id id)
{
    sim_socket_free(world, id);
}

/* LINUX: datagram_poll. SIMPLER: the send buffer never fills, a packet leaves when it is sent. */
static uint32_t poll_bits(const struct sim_world *world, struct sim_socket_id id)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    uint32_t both = SIM_SOCKET_READ_SHUT | SIM_SOCKET_WRITE_SHUT;
    uint32_t bits = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (socket->error != 0 || socket->first_error.index != 0) {
        bits |= POLLERR;
    }
    if ((socket->flags & SIM_SOCKET_READ_SHUT) != 0) {
        bits |= POLLRDHUP | POLLIN | POLLRDNORM;
    }
    if ((socket->flags & both) == both) {
        bits |= POLLHUP;
    }
    /* LINUX: udp_poll looks at checksums where a call would wait. */
    const bool waits = socket->file.index == 0 ||
                       (sim_file_at(world, socket->file)->status & O_NONBLOCK) == 0;
    if (waits ? sim_udp_has_sound(world, id) : socket->first_datagram.index != 0) {
        bits |= POLLIN | POLLRDNORM;
    }
    return bits;
}

static int set_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                      const void *value, socklen_t length)
{
    return sim_option_store(world, id, level, name, value, length);
}

static int get_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                      void *value, socklen_t *length)
{
    return sim_option_stored(world, id, level, name, value, length);
}

static int control(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                   void *argument)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int *number = argument;
    switch (request) {
    case FIONREAD: /* the next datagram's length */
        sim_udp_drop_spoilt(world, id);
        *number = socket->first_datagram.index == 0
                      ? 0
                      : (int)sim_datagram_at(world, socket->first_datagram)->bytes.length;
        return 0;
    case TIOCOUTQ:
        *number = 0;
        return 0;
    default:
        return -ENOTTY;
    }
}

static void deferred(struct sim_world *world, struct sim_socket_id id, uint32_t what)
{
}

static void check(const struct sim_world *world, struct sim_socket_id id)
{
    sim_socket_check_queue(world, id);
}

const struct sim_ip_receiver sim_udp_receiver = {sim_udp_input, sim_udp_error};

/* What UDP and UDP-Lite do alike. */
/* clang-format off */
#define DATAGRAM_VERBS \
    .type = SOCK_DGRAM, .create = create, .destroy = destroy, .bind = sim_inet_bind, \
    .listen = no_listen, .connect = connect_to, .connected = connected, .accept = no_accept, \
    .send = sim_udp_send, .receive = sim_udp_receive, .shutdown = shut, .release = release, \
    .poll = poll_bits, .get_name = sim_inet_get_name, .ioctl = control, .deferred = deferred, \
    .check = check
/* clang-format on */

const struct sim_protocol sim_udp_protocol = {
    .name = "UDP",
    .ip_number = IPPROTO_UDP,
    .set_option = set_option,
    .get_option = get_option,
    DATAGRAM_VERBS,
};

/* ---- UDP-Lite ----------------------------------------------------------------------------------- */

enum { SEND_COVERAGE = 10, RECEIVE_COVERAGE = 11, LEAST_COVERAGE = 8 /* UDPLITE_*_CSCOV, udplite.h */ };

/* LINUX: udp_lib_setsockopt: the level's other names are UDP's. A coverage is of the head at least. */
static int set_lite_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                           const void *value, socklen_t length)
{
    int number;
    if (level != IPPROTO_UDPLITE || (name != SEND_COVERAGE && name != RECEIVE_COVERAGE)) {
        return sim_option_store(world, id, level == IPPROTO_UDPLITE ? IPPROTO_UDP : level, name, value,
                                length);
    }
    const int error = sim_option_read(IPPROTO_UDP, sizeof number, value, length, &number);
    if (error < 0) {
        return error;
    }
    if (number != 0 && number < LEAST_COVERAGE) {
        number = LEAST_COVERAGE;
    }
    number = number > UINT16_MAX ? UINT16_MAX : number;
    return sim_option_keep(world, id, level, name, &number, sizeof number);
}

static int get_lite_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                           void *value, socklen_t *length)
{
    int number = 0;
    if (level != IPPROTO_UDPLITE || (name != SEND_COVERAGE && name != RECEIVE_COVERAGE)) {
        return sim_option_stored(world, id, level == IPPROTO_UDPLITE ? IPPROTO_UDP : level, name, value,
                                 length);
    }
    const struct sim_option *kept = sim_option_kept(world, id, level, name);
    if (kept != NULL) {
        memcpy(&number, kept->value, sizeof number);
    }
    return sim_option_give_number(IPPROTO_UDP, number, value, length);
}

const struct sim_protocol sim_udplite_protocol = {
    .name = "UDPLITE",
    .ip_number = IPPROTO_UDPLITE,
    .set_option = set_lite_option,
    .get_option = get_lite_option,
    DATAGRAM_VERBS,
};
