/* SOL_SOCKET options that mean more than a kept number.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include "core/block.h"
#include "file/wait.h"
#include "net/host.h"
#include "option.h"
#include "protocol.h"
#include "sockets.h"

enum {
    LEAST_RECEIVE_BYTES = 2304, /* LINUX: SOCK_MIN_RCVBUF */
    LEAST_SEND_BYTES = 4608,    /* LINUX: SOCK_MIN_SNDBUF */
    HIGHEST_FREE_PRIORITY = 6,  /* TC_PRIO_INTERACTIVE; beyond, CAP_NET_ADMIN */
    JIFFY_US = 4000,            /* LINUX: CONFIG_HZ is 250 on Debian and here */
    JIFFIES_PER_SECOND = 250,
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000,
    MOST_TIMESTAMPING_FLAGS = (1 << 18) - 1,
};

static const int64_t longest_wait_s = INT64_C(18000000000); /* beyond, it is for ever */

/* ---- buffers ---- */

static uint32_t clamp_buffer(int number, int64_t most, uint32_t least)
{
    /* LINUX: the comparison is unsigned: a negative size asks for the most. */
    uint64_t bytes = (uint32_t)number < (uint64_t)most ? (uint32_t)number : (uint64_t)most;
    uint64_t doubled = DRY_MUTANT(buffers_are_not_doubled) ? bytes : 2 * bytes;

    return doubled < least ? least : (uint32_t)doubled;
}

static int set_buffer(struct sim_world *world, struct sim_socket_id id, int name, int number)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_host *host = sim_host_at(world, socket->host);
    bool force = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE;
    int64_t most = force ? INT_MAX / 2 : sim_setting(host, SIM_SETTING_RMEM_MAX);
    if (force && !sim_option_may_administer(world, socket)) {
        return -EPERM;
    }
    if (force && number < 0) {
        number = 0;
    }
    if (name == SO_RCVBUF || name == SO_RCVBUFFORCE) {
        socket->receive_limit = clamp_buffer(number, most, LEAST_RECEIVE_BYTES);
        socket->options |= SIM_OPTION_RCVBUF_LOCKED;
        return 0;
    }
    if (!force) {
        most = sim_setting(host, SIM_SETTING_WMEM_MAX);
    }
    socket->send_limit = clamp_buffer(number, most, LEAST_SEND_BYTES);
    socket->options |= SIM_OPTION_SNDBUF_LOCKED;
    sim_wake_socket(world, id, POLLOUT | POLLWRNORM);
    return 0;
}

/* ---- times ---- */

/* LINUX: sock_set_timeout: EDOM for a wrong microsecond, before a negative second counts as "do not
 * wait"; zero is for ever; the rest counts in jiffies, rounded up. "Do not wait" is kept as one
 * nanosecond, which getsockopt tells as zero. */
static int set_timeout(uint64_t *timeout_ns, const void *value, socklen_t length)
{
    struct timeval time;
    int error = sim_option_take(&time, sizeof time, value, length);
    if (error < 0) {
        return error;
    }
    if (time.tv_usec < 0 || time.tv_usec >= US_PER_SECOND) {
        return -EDOM;
    }
    *timeout_ns = SIM_TIMEOUT_AT_ONCE;
    if (time.tv_sec < 0) {
        return 0;
    }
    *timeout_ns = 0;
    if (time.tv_sec > longest_wait_s) {
        return 0;
    }
    uint64_t jiffies = ((uint64_t)time.tv_usec + JIFFY_US - 1) / JIFFY_US;
    *timeout_ns = ((uint64_t)time.tv_sec * US_PER_SECOND + jiffies * JIFFY_US) * (uint64_t)NS_PER_US;
    return 0;
}

static int give_timeout(uint64_t timeout_ns, void *value, socklen_t *length)
{
    uint64_t us = timeout_ns / NS_PER_US;
    struct timeval time = {.tv_sec = (time_t)(us / US_PER_SECOND),
                           .tv_usec = (suseconds_t)(us % US_PER_SECOND)};

    return sim_option_give(&time, sizeof time, value, length);
}

static int set_linger(struct sim_socket *socket, const void *value, socklen_t length)
{
    struct linger linger;
    int error = sim_option_take(&linger, sizeof linger, value, length);
    if (error < 0) {
        return error;
    }
    sim_option_flag(socket, SIM_OPTION_LINGER, linger.l_onoff != 0);
    if (linger.l_onoff != 0 && linger.l_linger >= 0) {
        socket->linger_seconds = (uint32_t)linger.l_linger;
    } else if (linger.l_onoff != 0) { /* LINUX: the longest time, in seconds, cut to an int */
        socket->linger_seconds = (uint32_t)(INT64_MAX / JIFFIES_PER_SECOND);
    }
    return 0;
}

/* LINUX: SO_TIMESTAMP and SO_TIMESTAMPNS are one switch with two forms; turning either off turns
 * both off. */
static void set_timestamp(struct sim_socket *socket, bool ns, bool on)
{
    sim_option_flag(socket, SIM_OPTION_TIMESTAMP, on && !ns);
    sim_option_flag(socket, SIM_OPTION_TIMESTAMPNS, on && ns);
}

/* SIMPLER: SO_TIMESTAMPING, SO_MAX_PACING_RATE and SO_TXTIME are checked and kept, not obeyed. */
static int keep_wide(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                     socklen_t length, int number)
{
    uint64_t wide = (uint32_t)number;
    if (name == SO_MAX_PACING_RATE && number == -1) {
        wide = UINT64_MAX;
    }
    if (length >= sizeof wide) {
        memcpy(&wide, value, sizeof wide);
    }
    if (name == SO_TXTIME && length != sizeof wide) {
        return -EINVAL;
    }
    if (name == SO_TIMESTAMPING_NEW) {
        name = SO_TIMESTAMPING;
    }
    if (name == SO_TIMESTAMPING && (uint32_t)wide > MOST_TIMESTAMPING_FLAGS) {
        return -EINVAL;
    }
    return sim_option_keep(world, id, SOL_SOCKET, name, &wide, sizeof wide);
}

static int give_wide(const struct sim_world *world, struct sim_socket_id id, int name, void *value,
                     socklen_t *length)
{
    uint64_t wide = name == SO_MAX_PACING_RATE ? UINT64_MAX : 0;
    const struct sim_option *kept = sim_option_kept(
        world, id, SOL_SOCKET, name == SO_TIMESTAMPING_NEW ? SO_TIMESTAMPING : name);

    if (kept != NULL) {
        memcpy(&wide, kept->value, sizeof wide);
    }
    return sim_option_give(&wide, sizeof wide, value, length);
}

/* ---- interfaces ---- */

/* LINUX: sock_setbindtodevice: who is bound already needs CAP_NET_RAW to change it. */
static int bind_to_device(struct sim_world *world, struct sim_socket_id id, const void *value,
                          socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    struct sim_interface_id at = sim_host_at(world, socket->host)->first_interface;
    char name[IFNAMSIZ] = "";
    if (length > 0 && value == NULL) {
        return -EFAULT;
    }
    if (length > 0) {
        memcpy(name, value, length < IFNAMSIZ - 1 ? length : IFNAMSIZ - 1);
    }
    if (name[0] != '\0') {
        while (at.index != 0 && strcmp(sim_interface_at(world, at)->name, name) != 0) {
            at = sim_interface_at(world, at)->next;
        }
        if (at.index == 0) {
            return -ENODEV;
        }
    }
    if (socket->bound_interface != 0 && !sim_option_may_administer(world, socket)) {
        return -EPERM;
    }
    socket->flags |= SIM_SOCKET_PATH_FORGOTTEN;
    socket->bound_interface = name[0] == '\0' ? 0 : sim_interface_at(world, at)->number;
    return 0;
}

static int give_device(const struct sim_world *world, const struct sim_socket *socket, void *value,
                       socklen_t *length)
{
    const struct sim_interface *interface = socket->bound_interface == 0
                                                ? NULL
                                                : sim_host_interface(world, socket->host,
                                                                     socket->bound_interface);

    if (interface == NULL) {
        *length = 0;
        return 0;
    }
    if (*length < IFNAMSIZ) {
        return -EINVAL;
    }
    return sim_option_give(interface->name, strlen(interface->name) + 1, value, length);
}

/* LINUX: SO_BINDTOIFINDEX takes any number that is not negative; no such interface, no packets. */
static int bind_to_index(const struct sim_world *world, struct sim_socket *socket, int number)
{
    if (number < 0) {
        return -EINVAL;
    }
    if (socket->bound_interface != 0 && !sim_option_may_administer(world, socket)) {
        return -EPERM;
    }
    socket->flags |= SIM_SOCKET_PATH_FORGOTTEN;
    socket->bound_interface = (uint32_t)number;
    return 0;
}

/* ---- setting ---- */

static int set_priority(const struct sim_world *world, struct sim_socket *socket, int number)
{
    if ((number < 0 || number > HIGHEST_FREE_PRIORITY) && !sim_option_may_administer(world, socket)) {
        return -EPERM;
    }
    socket->priority = (uint32_t)number;
    return 0;
}

/* LINUX: tcp_set_rcvlowat: no more than half of what the receive buffer may become. */
static int set_low_water(const struct sim_world *world, struct sim_socket *socket, int number)
{
    const struct sim_host *host = sim_host_at(world, socket->host);
    int64_t most = INT_MAX;
    if (socket->protocol_kind == SIM_PROTOCOL_TCP) {
        most = (socket->options & SIM_OPTION_RCVBUF_LOCKED) != 0
                   ? socket->receive_limit / 2
                   : sim_setting(host, SIM_SETTING_TCP_RMEM_MAX) / 2;
    }
    if (number < 0) {
        number = INT_MAX;
    }
    if (number > most) {
        number = (int)most;
    }
    socket->receive_low_water = number == 0 ? 1 : (uint32_t)number;
    sim_option_flag(socket, SIM_OPTION_RCVLOWAT_SET, true);
    return 0;
}

/* LINUX: what only TCP has: SO_TXREHASH, SO_ZEROCOPY also on UDP. */
static int set_of_inet(struct sim_world *world, struct sim_socket_id id, int name, int number)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    bool tcp = socket->protocol_kind == SIM_PROTOCOL_TCP;
    if (socket->family == AF_UNIX || (name == SO_TXREHASH && !tcp)) {
        return -EOPNOTSUPP;
    }
    if (number < (name == SO_TXREHASH ? -1 : 0) || number > 1) {
        return -EINVAL;
    }
    if (number == -1) {
        number = 1;
    }
    return sim_option_keep(world, id, SOL_SOCKET, name, &number, sizeof number);
}

static int lock_filter(struct sim_world *world, struct sim_socket_id id, int number)
{
    const struct sim_option *kept = sim_option_kept(world, id, SOL_SOCKET, SO_LOCK_FILTER);
    int on = number != 0;
    if (kept != NULL && kept->value[0] != 0 && !on) {
        return -EPERM;
    }
    return sim_option_keep(world, id, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on);
}

static int set_number(struct sim_world *world, struct sim_socket_id id, int name, int number)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    switch (name) {
    case SO_DEBUG:
        if (number != 0 && !sim_option_may_administer(world, socket)) {
            return -EACCES;
        }
        number = number != 0;
        return sim_option_keep(world, id, SOL_SOCKET, name, &number, sizeof number);
    case SO_REUSEPORT:
        if (number != 0 && socket->family == AF_UNIX) {
            return -EOPNOTSUPP;
        }
        sim_option_flag(socket, SIM_OPTION_REUSEPORT, number != 0);
        return 0;
    case SO_RCVBUF:
    case SO_SNDBUF:
    case SO_RCVBUFFORCE:
    case SO_SNDBUFFORCE:
        return set_buffer(world, id, name, number);
    case SO_PRIORITY:
        return set_priority(world, socket, number);
    case SO_MARK:
        if (!sim_option_may_administer(world, socket)) {
            return -EPERM;
        }
        if (socket->mark != (uint32_t)number) {
            socket->flags |= SIM_SOCKET_PATH_FORGOTTEN;
        }
        socket->mark = (uint32_t)number;
        return 0;
    case SO_RCVLOWAT:
        return set_low_water(world, socket, number);
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_NEW:
        set_timestamp(socket, name == SO_TIMESTAMPNS || name == SO_TIMESTAMPNS_NEW, number != 0);
        number = name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW;
        return sim_option_keep(world, id, SOL_SOCKET, SO_TIMESTAMP_NEW, &number, sizeof number);
    case SO_BSDCOMPAT: /* LINUX: obsolete, ignored */
        return 0;
    case SO_BINDTOIFINDEX:
        return bind_to_index(world, socket, number);
    case SO_ZEROCOPY:
    case SO_TXREHASH:
        return set_of_inet(world, id, name, number);
    case SO_LOCK_FILTER:
        return lock_filter(world, id, number);
    case SO_CNX_ADVICE: /* LINUX: advice about the route; nothing to tell again */
        return 0;
    case SO_BUSY_POLL_BUDGET:
        return number > 0 ? -EPERM : number < 0 ? -EINVAL : 0; /* LINUX: the machine's own right */
    case SO_RESERVE_MEM: /* LINUX: needs memory accounting by control group */
        return number < 0 ? -EINVAL : -EOPNOTSUPP;
    case SO_DETACH_FILTER: /* also SO_DETACH_BPF: there is none */
        return -ENOENT;
    default:
        return SIM_OPTION_NOT_MINE;
    }
}

int sim_option_set_socket(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                          socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    int number;
    if (name == SO_BINDTODEVICE) {
        return bind_to_device(world, id, value, length);
    }
    int error = sim_option_read(SOL_SOCKET, sizeof number, value, length, &number);
    if (error < 0) {
        return error;
    }
    switch (name) {
    case SO_LINGER:
        return set_linger(socket, value, length);
    case SO_RCVTIMEO:
    case SO_RCVTIMEO_NEW:
        return set_timeout(&socket->receive_timeout_ns, value, length);
    case SO_SNDTIMEO:
    case SO_SNDTIMEO_NEW:
        return set_timeout(&socket->send_timeout_ns, value, length);
    case SO_TIMESTAMPING:
    case SO_TIMESTAMPING_NEW:
    case SO_MAX_PACING_RATE:
    case SO_TXTIME:
        return keep_wide(world, id, name, value, length, number);
    default:
        return set_number(world, id, name, number);
    }
}

/* ---- getting ---- */

static int give_credentials(const struct sim_world *world, const struct sim_socket *socket, void *value,
                            socklen_t *length)
{
    struct ucred credentials = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};

    if (socket->family == AF_UNIX) {
        const struct sim_unix *own = sim_unix_at(world, (struct sim_unix_id){socket->detail});
        if (own->peer_pid != 0) {
            credentials.pid = (pid_t)own->peer_pid;
            credentials.uid = own->peer_uid;
            credentials.gid = own->peer_gid;
        }
    }
    return sim_option_give(&credentials, sizeof credentials, value, length);
}

static int give_peer_name(const struct sim_world *world, struct sim_socket_id id, void *value,
                          socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct sockaddr_storage name;
    socklen_t name_bytes = sizeof name;
    if (sim_protocol_of(socket->protocol_kind)
            ->get_name(world, id, true, (struct sockaddr *)&name, &name_bytes) < 0) {
        return -ENOTCONN;
    }
    if (name_bytes < *length) {
        return -EINVAL;
    }
    return sim_option_give(&name, *length, value, length);
}

static int give_memory(const struct sim_socket *socket, void *value, socklen_t *length)
{
    uint32_t numbers[SK_MEMINFO_VARS] = {0};

    numbers[SK_MEMINFO_RMEM_ALLOC] = socket->receive_charge;
    numbers[SK_MEMINFO_RCVBUF] = socket->receive_limit;
    numbers[SK_MEMINFO_WMEM_ALLOC] = socket->send_charge;
    numbers[SK_MEMINFO_SNDBUF] = socket->send_limit;
    return sim_option_give(numbers, sizeof numbers, value, length);
}

static int give_structure(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                          socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    struct linger linger = {.l_onoff = (socket->options & SIM_OPTION_LINGER) != 0,
                            .l_linger = (int)socket->linger_seconds};
    uint64_t cookie = (uint64_t)socket->slot.generation << 32 | id.index;

    switch (name) {
    case SO_LINGER:
        return sim_option_give(&linger, sizeof linger, value, length);
    case SO_RCVTIMEO:
    case SO_RCVTIMEO_NEW:
        return give_timeout(socket->receive_timeout_ns, value, length);
    case SO_SNDTIMEO:
    case SO_SNDTIMEO_NEW:
        return give_timeout(socket->send_timeout_ns, value, length);
    case SO_BINDTODEVICE:
        return give_device(world, socket, value, length);
    case SO_PEERCRED:
        return give_credentials(world, socket, value, length);
    case SO_PEERNAME:
        return give_peer_name(world, id, value, length);
    case SO_PEERGROUPS:
        return -ENODATA;
    case SO_MEMINFO:
        return give_memory(socket, value, length);
    case SO_COOKIE:
        return *length < sizeof cookie ? -EINVAL
                                       : sim_option_give(&cookie, sizeof cookie, value, length);
    case SO_TIMESTAMPING:
    case SO_TIMESTAMPING_NEW:
    case SO_MAX_PACING_RATE:
    case SO_TXTIME:
        return give_wide(world, id, name, value, length);
    default:
        return SIM_OPTION_NOT_MINE;
    }
}

static int kept_number(const struct sim_world *world, struct sim_socket_id id, int name, int initial)
{
    const struct sim_option *kept = sim_option_kept(world, id, SOL_SOCKET, name);
    if (kept != NULL) {
        memcpy(&initial, kept->value, sizeof initial);
    }
    return initial;
}

static int take_soft_error(struct sim_world *world, struct sim_socket_id id)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    int error = socket->soft_error;
    socket->soft_error = 0;
    return error;
}

/* LINUX: a time stamp is told under the name, old or new, that it was asked for by. */
static bool has_timestamp(const struct sim_world *world, struct sim_socket_id id, uint32_t bit,
                          bool new)
{
    return (sim_socket_at(world, id)->options & bit) != 0 &&
           kept_number(world, id, SO_TIMESTAMP_NEW, 0) == new;
}

/* What the socket is: told from its own fields. */
static int number_of_socket(struct sim_world *world, struct sim_socket_id id, int name, int *number)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    switch (name) {
    case SO_TYPE:
        *number = socket->type;
        return 0;
    case SO_PROTOCOL:
        *number = (int)socket->protocol;
        return 0;
    case SO_DOMAIN:
        *number = socket->family;
        return 0;
    case SO_ERROR: /* LINUX: a soft error too, when there is no hard one */
        *number = -sim_socket_take_error(world, id);
        if (*number == 0) {
            *number = take_soft_error(world, id);
        }
        return 0;
    case SO_ACCEPTCONN:
        *number = (socket->flags & SIM_SOCKET_LISTENING) != 0;
        return 0;
    case SO_RCVBUF:
        *number = (int)socket->receive_limit;
        return 0;
    case SO_SNDBUF:
        *number = (int)socket->send_limit;
        return 0;
    case SO_PRIORITY:
        *number = (int)socket->priority;
        return 0;
    case SO_MARK:
        *number = (int)socket->mark;
        return 0;
    case SO_RCVLOWAT:
        *number = (int)socket->receive_low_water;
        return 0;
    case SO_BINDTOIFINDEX:
        *number = (int)socket->bound_interface;
        return 0;
    default:
        return SIM_OPTION_NOT_MINE;
    }
}

/* What was set: told from option bits and kept numbers. */
static int number_of_option(const struct sim_world *world, struct sim_socket_id id, int name,
                            int *number)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    switch (name) {
    case SO_REUSEPORT:
        *number = (socket->options & SIM_OPTION_REUSEPORT) != 0;
        return 0;
    case SO_TIMESTAMP:
    case SO_TIMESTAMP_NEW:
        *number = has_timestamp(world, id, SIM_OPTION_TIMESTAMP, name == SO_TIMESTAMP_NEW);
        return 0;
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMPNS_NEW:
        *number = has_timestamp(world, id, SIM_OPTION_TIMESTAMPNS, name == SO_TIMESTAMPNS_NEW);
        return 0;
    case SO_RESERVE_MEM:
    case SO_BSDCOMPAT:
        *number = 0;
        return 0;
    case SO_DEBUG:
    case SO_LOCK_FILTER:
    case SO_ZEROCOPY:
        *number = kept_number(world, id, name, 0);
        return 0;
    case SO_TXREHASH:
        *number = kept_number(world, id, name, 1);
        return socket->protocol_kind == SIM_PROTOCOL_TCP ? 0 : -EOPNOTSUPP;
    default:
        return SIM_OPTION_NOT_MINE;
    }
}

int sim_option_get_socket(struct sim_world *world, struct sim_socket_id id, int name, void *value,
                          socklen_t *length)
{
    int number;
    int result = give_structure(world, id, name, value, length);
    if (result != SIM_OPTION_NOT_MINE) {
        return result;
    }
    result = number_of_socket(world, id, name, &number);
    if (result == SIM_OPTION_NOT_MINE) {
        result = number_of_option(world, id, name, &number);
    }
    return result == 0 ? sim_option_give_number(SOL_SOCKET, number, value, length) : result;
}
