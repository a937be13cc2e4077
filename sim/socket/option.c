/* Options: where each goes, and the table of all plain ones.
 * SPDX-License-Identifier: MIT */
#include "option.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "core/block.h"
#include "protocol.h"
#include "sockets.h"

/* Names that Debian 12's headers may lack: <asm-generic/socket.h>, <linux/in.h>, <linux/in6.h>. */
enum {
    NAME_SO_RCVMARK = 75,
    NAME_SO_PASSPIDFD = 76,
    NAME_SO_RCVPRIORITY = 82,
    NAME_SO_PASSRIGHTS = 83,
    NAME_UDP_NO_CHECK6_TX = 101,
    NAME_UDP_NO_CHECK6_RX = 102,
    NAME_IPV6_MULTICAST_ALL = 29,
    NAME_IPV6_RECVERR_RFC4884 = 31,
    NAME_IPV6_SNDFLOW = 33,
    NAME_IPV6_RECVFRAGSIZE = 77,
    NAME_IPV6_FLOWLABEL_MGR = 32,
    NAME_TCP_FASTOPEN_NO_COOKIE = 34,
    NAME_TCP_INQ = 36,
    NAME_TCP_TX_DELAY = 37,
    NAME_TCP_IS_MPTCP = 43,
    NAME_TCP_RTO_MAX_MS = 44,
    NAME_TCP_RTO_MIN_US = 45,
    NAME_TCP_DELACK_MAX_US = 46,
    FILTER_TABLES = 64,     /* and three more: IPT_SO_GET_INFO …, IP6T_SO_GET_INFO … */
    FILTER_ARP_TABLES = 96, /* and three more: ARPT_SO_GET_INFO … */
    MOST_RTO_MS = 120000,
    LEAST_RTO_US = 200000,
};

enum kind {
    FLAG,     /* a bit of socket->options */
    FLAG_OFF, /* a bit that says "off" */
    SWITCH,   /* kept, told as 0 or 1 */
    NUMBER,   /* kept as given, within low … high */
    CONSTANT, /* told, cannot be set */
    EMPTY,    /* told as no bytes: what it lists is not there */
    REFUSED,  /* told as an error: `initial` is its number */
};
/* To set one of the last three is -ENOPROTOOPT, or the error in `low`, or does nothing. */
enum { TAKEN = -1 };

enum who {
    ANYBODY,
    OF_UNIX,  /* others: -EOPNOTSUPP */
    OF_INET,  /* others: -EOPNOTSUPP */
    OF_ADMIN, /* to turn it on takes CAP_NET_ADMIN: -EPERM */
};

struct rule {
    int level, name;
    enum kind kind;
    enum who who;
    uint32_t least; /* fewer bytes: -EINVAL */
    uint32_t bit;
    int low, high;
    int initial;
};

#define BIT(level, name, bit) {level, name, FLAG, ANYBODY, LEAST_##level, bit, 0, 0, 0}
#define OFF(level, name, bit) {level, name, FLAG_OFF, ANYBODY, LEAST_##level, bit, 0, 0, 0}
#define KEPT(level, name, initial) {level, name, SWITCH, ANYBODY, LEAST_##level, 0, 0, 0, initial}
#define RANGE(level, name, low, high, initial) \
    {level, name, NUMBER, ANYBODY, LEAST_##level, 0, low, high, initial}
#define NONE(level, name) {level, name, EMPTY, ANYBODY, LEAST_##level, 0, 0, 0, 0}
#define WRONG(level, name, error) {level, name, REFUSED, ANYBODY, LEAST_##level, 0, error, 0, error}
#define TOLD(level, name, value) {level, name, CONSTANT, ANYBODY, LEAST_##level, 0, 0, 0, value}

enum { /* <netinet/in.h> makes macros of the levels, so these bear their numbers' names */
       SOCKET_LEVEL = SOL_SOCKET,
       IP_LEVEL = IPPROTO_IP,
       IPV6_LEVEL = IPPROTO_IPV6,
       UDP_LEVEL = IPPROTO_UDP,
       TCP_LEVEL = IPPROTO_TCP,
       LEAST_SOCKET_LEVEL = 4,
       LEAST_IP_LEVEL = 0,
       LEAST_IPV6_LEVEL = 4,
       LEAST_UDP_LEVEL = 4,
       LEAST_TCP_LEVEL = 4,
};

static const struct rule rules[] = {
    BIT(SOCKET_LEVEL, SO_REUSEADDR, SIM_OPTION_REUSEADDR),
    BIT(SOCKET_LEVEL, SO_DONTROUTE, SIM_OPTION_DONTROUTE),
    BIT(SOCKET_LEVEL, SO_BROADCAST, SIM_OPTION_BROADCAST),
    BIT(SOCKET_LEVEL, SO_KEEPALIVE, SIM_OPTION_KEEPALIVE),
    BIT(SOCKET_LEVEL, SO_OOBINLINE, SIM_OPTION_OOBINLINE),
    KEPT(SOCKET_LEVEL, SO_NO_CHECK, 0),
    TOLD(SOCKET_LEVEL, SO_SNDLOWAT, 1),
    RANGE(SOCKET_LEVEL, SO_PEEK_OFF, INT_MIN, INT_MAX, -1),
    KEPT(SOCKET_LEVEL, SO_RXQ_OVFL, 0),
    KEPT(SOCKET_LEVEL, SO_WIFI_STATUS, 0),
    KEPT(SOCKET_LEVEL, SO_NOFCS, 0),
    KEPT(SOCKET_LEVEL, SO_SELECT_ERR_QUEUE, 0),
    RANGE(SOCKET_LEVEL, SO_BUSY_POLL, 0, INT_MAX, 0),
    TOLD(SOCKET_LEVEL, SO_BPF_EXTENSIONS, 64),
    RANGE(SOCKET_LEVEL, SO_INCOMING_CPU, INT_MIN, INT_MAX, -1),
    KEPT(SOCKET_LEVEL, SO_PREFER_BUSY_POLL, 0),
    KEPT(SOCKET_LEVEL, NAME_SO_RCVMARK, 0),
    KEPT(SOCKET_LEVEL, NAME_SO_RCVPRIORITY, 0),
    {SOL_SOCKET, SO_PASSCRED, FLAG, OF_UNIX, 4, SIM_OPTION_PASSCRED, 0, 0, 0},
    {SOL_SOCKET, SO_PASSSEC, SWITCH, OF_UNIX, 4, 0, 0, 0, 0},
    {SOL_SOCKET, NAME_SO_PASSPIDFD, SWITCH, OF_UNIX, 4, 0, 0, 0, 0},
    {SOL_SOCKET, NAME_SO_PASSRIGHTS, SWITCH, OF_UNIX, 4, 0, 0, 0, 1},
    {SOL_SOCKET, SO_BUF_LOCK, NUMBER, ANYBODY, 4, 0, 0, 3, 0},

    BIT(IP_LEVEL, IP_PKTINFO, SIM_OPTION_PKTINFO),
    BIT(IP_LEVEL, IP_RECVERR, SIM_OPTION_RECVERR),
    BIT(IP_LEVEL, IP_RECVTTL, SIM_OPTION_RECVTTL),
    BIT(IP_LEVEL, IP_RECVTOS, SIM_OPTION_RECVTOS),
    BIT(IP_LEVEL, IP_BIND_ADDRESS_NO_PORT, SIM_OPTION_BIND_NO_PORT),
    {IPPROTO_IP, IP_FREEBIND, FLAG, ANYBODY, 1, SIM_OPTION_FREEBIND, 0, 0, 0},
    {IPPROTO_IP, IP_TRANSPARENT, FLAG, OF_ADMIN, 1, SIM_OPTION_TRANSPARENT, 0, 0, 0},
    {IPPROTO_IP, IP_MULTICAST_LOOP, FLAG_OFF, ANYBODY, 1, SIM_OPTION_MULTICAST_LOOP_OFF, 0, 0, 0},
    KEPT(IP_LEVEL, IP_RECVOPTS, 0),
    KEPT(IP_LEVEL, IP_RETOPTS, 0),
    KEPT(IP_LEVEL, IP_PASSSEC, 0),
    KEPT(IP_LEVEL, IP_RECVORIGDSTADDR, 0),
    {IPPROTO_IP, IP_MINTTL, NUMBER, ANYBODY, 1, 0, 0, 255, 0},
    KEPT(IP_LEVEL, IP_CHECKSUM, 0),
    KEPT(IP_LEVEL, IP_RECVFRAGSIZE, 0),
    RANGE(IP_LEVEL, IP_RECVERR_RFC4884, 0, 1, 0),
    {IPPROTO_IP, IP_ROUTER_ALERT, NUMBER, ANYBODY, 0, 0, 1, 0, 0}, /* none but raw sockets may */
    TOLD(IP_LEVEL, IP_HDRINCL, 0),
    TOLD(IP_LEVEL, IP_NODEFRAG, 0),

    BIT(IPV6_LEVEL, IPV6_RECVERR, SIM_OPTION_RECVERR6),
    BIT(IPV6_LEVEL, IPV6_RECVPKTINFO, SIM_OPTION_PKTINFO6),
    BIT(IPV6_LEVEL, IPV6_RECVHOPLIMIT, SIM_OPTION_RECVHOPLIMIT),
    BIT(IPV6_LEVEL, IPV6_RECVTCLASS, SIM_OPTION_RECVTCLASS),
    BIT(IPV6_LEVEL, IPV6_FREEBIND, SIM_OPTION_FREEBIND),
    OFF(IPV6_LEVEL, NAME_IPV6_MULTICAST_ALL, SIM_OPTION_MULTICAST6_ALL_OFF),
    TOLD(IPV6_LEVEL, IPV6_ROUTER_ALERT, 0),
    KEPT(IPV6_LEVEL, IPV6_2292PKTINFO, 0),
    KEPT(IPV6_LEVEL, IPV6_2292HOPOPTS, 0),
    KEPT(IPV6_LEVEL, IPV6_2292DSTOPTS, 0),
    KEPT(IPV6_LEVEL, IPV6_2292RTHDR, 0),
    KEPT(IPV6_LEVEL, IPV6_2292HOPLIMIT, 0),
    KEPT(IPV6_LEVEL, 11, 0), /* IPV6_FLOWINFO */
    KEPT(IPV6_LEVEL, IPV6_ROUTER_ALERT_ISOLATE, 0),
    RANGE(IPV6_LEVEL, NAME_IPV6_RECVERR_RFC4884, 0, 1, 0),
    KEPT(IPV6_LEVEL, NAME_IPV6_SNDFLOW, 0),
    KEPT(IPV6_LEVEL, IPV6_RECVHOPOPTS, 0),
    KEPT(IPV6_LEVEL, IPV6_RECVRTHDR, 0),
    KEPT(IPV6_LEVEL, IPV6_RECVDSTOPTS, 0),
    KEPT(IPV6_LEVEL, IPV6_RECVPATHMTU, 0),
    {IPPROTO_IPV6, IPV6_DONTFRAG, SWITCH, ANYBODY, 0, 0, 0, 0, 0},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, SWITCH, ANYBODY, 0, 0, 0, 0, 1},
    {IPPROTO_IPV6, NAME_IPV6_RECVFRAGSIZE, SWITCH, ANYBODY, 0, 0, 0, 0, 0},
    RANGE(IPV6_LEVEL, IPV6_MINHOPCOUNT, 0, 255, 0),
    KEPT(IPV6_LEVEL, IPV6_ORIGDSTADDR, 0),
    {IPPROTO_IPV6, IPV6_TRANSPARENT, FLAG, OF_ADMIN, 4, SIM_OPTION_TRANSPARENT, 0, 0, 0},

    /* SIMPLER: UDP_CORK and the two of checksums are kept, not obeyed. */
    KEPT(UDP_LEVEL, UDP_CORK, 0),
    KEPT(UDP_LEVEL, NAME_UDP_NO_CHECK6_TX, 0),
    KEPT(UDP_LEVEL, NAME_UDP_NO_CHECK6_RX, 0),
    RANGE(UDP_LEVEL, SIM_NAME_UDP_SEGMENT, 0, UINT16_MAX, 0),
    KEPT(UDP_LEVEL, SIM_NAME_UDP_GRO, 0),
    TOLD(UDP_LEVEL, UDP_ENCAP, 0),
    TOLD(UDP_LEVEL, 10, 0), /* LINUX: UDPLITE_SEND_CSCOV and _RECV_CSCOV are UDP's code too */
    TOLD(UDP_LEVEL, 11, 0),

    /* What the world's TCP does not have is told as Linux tells it where it is off. */
    KEPT(TCP_LEVEL, TCP_THIN_LINEAR_TIMEOUTS, 0),
    {IPPROTO_TCP, TCP_THIN_DUPACK, CONSTANT, ANYBODY, 4, 0, TAKEN, 0, 0},
    TOLD(TCP_LEVEL, TCP_REPAIR, 0),
    WRONG(TCP_LEVEL, TCP_REPAIR_QUEUE, EINVAL),
    WRONG(TCP_LEVEL, TCP_QUEUE_SEQ, EINVAL),
    {IPPROTO_TCP, TCP_REPAIR_WINDOW, REFUSED, ANYBODY, 4, 0, EPERM, 0, EINVAL},
    WRONG(TCP_LEVEL, TCP_ZEROCOPY_RECEIVE, EINVAL),
    {IPPROTO_TCP, TCP_TIMESTAMP, CONSTANT, ANYBODY, 4, 0, EPERM, 0, 0},
    TOLD(TCP_LEVEL, TCP_FASTOPEN, 0),
    RANGE(TCP_LEVEL, TCP_SAVE_SYN, 0, 2, 0),
    NONE(TCP_LEVEL, TCP_SAVED_SYN),
    TOLD(TCP_LEVEL, TCP_FASTOPEN_CONNECT, 0),
    NONE(TCP_LEVEL, TCP_ULP),
    NONE(TCP_LEVEL, TCP_FASTOPEN_KEY),
    RANGE(TCP_LEVEL, NAME_TCP_FASTOPEN_NO_COOKIE, 0, 1, 0),
    RANGE(TCP_LEVEL, NAME_TCP_INQ, 0, 1, 0),
    RANGE(TCP_LEVEL, NAME_TCP_TX_DELAY, 0, INT_MAX, 0),
    TOLD(TCP_LEVEL, NAME_TCP_IS_MPTCP, 0),
    RANGE(TCP_LEVEL, NAME_TCP_RTO_MAX_MS, 1000, MOST_RTO_MS, MOST_RTO_MS),
    RANGE(TCP_LEVEL, NAME_TCP_RTO_MIN_US, 1, LEAST_RTO_US, LEAST_RTO_US),
    RANGE(TCP_LEVEL, NAME_TCP_DELACK_MAX_US, 1, LEAST_RTO_US, LEAST_RTO_US),

    /* LINUX: packet filters, which know no table of that name. */
    WRONG(IP_LEVEL, FILTER_TABLES, EINVAL),
    WRONG(IP_LEVEL, FILTER_TABLES + 1, EINVAL),
    {IPPROTO_IP, FILTER_TABLES + 2, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    {IPPROTO_IP, FILTER_TABLES + 3, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    WRONG(IP_LEVEL, FILTER_ARP_TABLES, EINVAL),
    WRONG(IP_LEVEL, FILTER_ARP_TABLES + 1, EINVAL),
    {IPPROTO_IP, FILTER_ARP_TABLES + 2, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    {IPPROTO_IP, FILTER_ARP_TABLES + 3, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    WRONG(IPV6_LEVEL, FILTER_TABLES, EINVAL),
    WRONG(IPV6_LEVEL, FILTER_TABLES + 1, EINVAL),
    {IPPROTO_IPV6, FILTER_TABLES + 4, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    {IPPROTO_IPV6, FILTER_TABLES + 5, REFUSED, ANYBODY, 0, 0, 0, 0, EINVAL},
    WRONG(IPV6_LEVEL, NAME_IPV6_FLOWLABEL_MGR, EINVAL),
    {IPPROTO_IPV6, 6, EMPTY, ANYBODY, 4, 0, TAKEN, 0, 0}, /* IPV6_2292PKTOPTIONS */
    NONE(IPV6_LEVEL, IPV6_HOPOPTS),
    NONE(IPV6_LEVEL, IPV6_RTHDRDSTOPTS),
    NONE(IPV6_LEVEL, IPV6_RTHDR),
    NONE(IPV6_LEVEL, IPV6_DSTOPTS),
};

static const struct rule *find_rule(int level, int name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].level == level && rules[i].name == name) {
            return &rules[i];
        }
    }
    return NULL;
}

/* ---- plain options ---- */

static int check_who(const struct sim_world *world, const struct sim_socket *socket,
                     const struct rule *rule)
{
    switch (rule->who) {
    case OF_UNIX:
        return socket->family == AF_UNIX ? 0 : -EOPNOTSUPP;
    case OF_INET:
        return socket->family == AF_UNIX ? -EOPNOTSUPP : 0;
    default:
        return 0;
    }
}

int sim_option_store(struct sim_world *world, struct sim_socket_id id, int level, int name,
                     const void *value, socklen_t length)
{
    struct sim_socket *socket = sim_socket_at(world, id);
    const struct rule *rule = find_rule(level, name);
    int number;
    if (rule == NULL && (level == SOL_SOCKET || level == IPPROTO_UDP)) {
        /* LINUX: the value is read before the name */
        int error = sim_option_read(level, sizeof number, value, length, &number);
        return error < 0 ? error : -ENOPROTOOPT;
    }
    if (rule == NULL) {
        return -ENOPROTOOPT;
    }
    int error = sim_option_read(level, rule->least, value, length, &number);
    if (error == 0) {
        error = check_who(world, socket, rule);
    }
    if (error < 0) {
        return error;
    }
    if (rule->kind == CONSTANT || rule->kind == EMPTY || rule->kind == REFUSED) {
        return rule->low == TAKEN ? 0 : rule->low != 0 ? -rule->low : -ENOPROTOOPT;
    }
    if (rule->who == OF_ADMIN && number != 0 && !sim_option_may_administer(world, socket)) {
        return -EPERM;
    }
    if (rule->kind == FLAG || rule->kind == FLAG_OFF) {
        sim_option_flag(socket, rule->bit, (number != 0) == (rule->kind == FLAG));
        return 0;
    }
    if (rule->kind == SWITCH) {
        number = number != 0;
    } else if (number < rule->low || number > rule->high) {
        return -EINVAL;
    }
    return sim_option_keep(world, id, level, name, &number, sizeof number);
}

static int number_of(const struct sim_world *world, struct sim_socket_id id, const struct rule *rule)
{
    bool set = (sim_socket_at(world, id)->options & rule->bit) != 0;
    const struct sim_option *kept;
    int number = rule->initial;
    switch (rule->kind) {
    case FLAG:
        return set;
    case FLAG_OFF:
        return !set;
    case CONSTANT:
        return number;
    default:
        kept = sim_option_kept(world, id, rule->level, rule->name);
        if (kept != NULL) {
            memcpy(&number, kept->value, sizeof number);
        }
        return number;
    }
}

int sim_option_stored(const struct sim_world *world, struct sim_socket_id id, int level, int name,
                      void *value, socklen_t *length)
{
    const struct rule *rule = find_rule(level, name);
    if (rule == NULL) {
        return -ENOPROTOOPT;
    }
    int error = check_who(world, sim_socket_at(world, id), rule);
    if (error < 0) {
        return error;
    }
    if (rule->kind == REFUSED) {
        return -rule->initial;
    }
    if (rule->kind == EMPTY) {
        return sim_option_give(NULL, 0, value, length);
    }
    return sim_option_give_number(level, number_of(world, id, rule), value, length);
}

/* ---- where each goes ---- */

/* LINUX: the protocol hears of SOL_SOCKET's options too (SO_KEEPALIVE starts TCP's timer). */
static int set_socket(struct sim_world *world, struct sim_socket_id id, int name, const void *value,
                      socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int result = sim_option_set_socket(world, id, name, value, length);
    if (result == SIM_OPTION_NOT_MINE) {
        result = sim_option_store(world, id, SOL_SOCKET, name, value, length);
    }
    if (result == 0) {
        (void)sim_protocol_of(socket->protocol_kind)
            ->set_option(world, id, SOL_SOCKET, name, value, length);
    }
    return result;
}

/* Other families have no levels but SOL_SOCKET and what their protocol knows. */
static bool is_of_ip(const struct sim_socket *socket)
{
    return socket->family == AF_INET || socket->family == AF_INET6;
}

int sim_option_set(struct sim_world *world, struct sim_socket_id id, int level, int name,
                   const void *value, socklen_t length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int result = SIM_OPTION_NOT_MINE;
    if (level == SOL_SOCKET) {
        return set_socket(world, id, name, value, length);
    }
    if (!is_of_ip(socket)) {
        return sim_protocol_of(socket->protocol_kind)
            ->set_option(world, id, level, name, value, length);
    }
    if (level == IPPROTO_IP) {
        result = sim_option_set_ip(world, id, name, value, length);
    } else if (level == IPPROTO_IPV6 && socket->family == AF_INET6) {
        result = sim_option_set_ipv6(world, id, name, value, length);
    } else if (level == (int)socket->protocol) {
        return sim_protocol_of(socket->protocol_kind)
            ->set_option(world, id, level, name, value, length);
    } else {
        return -ENOPROTOOPT;
    }
    return result == SIM_OPTION_NOT_MINE ? sim_option_store(world, id, level, name, value, length)
                                         : result;
}

int sim_option_get(struct sim_world *world, struct sim_socket_id id, int level, int name, void *value,
                   socklen_t *length)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    int result = SIM_OPTION_NOT_MINE;
    if (level != SOL_SOCKET && socket->family == AF_UNIX) {
        return -EOPNOTSUPP;
    }
    if (level != SOL_SOCKET && !is_of_ip(socket)) {
        return sim_protocol_of(socket->protocol_kind)
            ->get_option(world, id, level, name, value, length);
    }
    /* LINUX: a level is asked for before a length is looked at. */
    if ((level == SOL_SOCKET || level == IPPROTO_IP || level == (int)socket->protocol) &&
        (int)*length < 0) { /* IPv6's code alone takes it as much */
        return -EINVAL;
    }
    if (level == SOL_SOCKET) {
        result = sim_option_get_socket(world, id, name, value, length);
    } else if (level == IPPROTO_IP) {
        result = sim_option_get_ip(world, id, name, value, length);
    } else if (level == IPPROTO_IPV6 && socket->family == AF_INET6) {
        result = sim_option_get_ipv6(world, id, name, value, length);
    } else if (level == (int)socket->protocol) {
        return sim_protocol_of(socket->protocol_kind)
            ->get_option(world, id, level, name, value, length);
    } else { /* LINUX: the two versions answer differently */
        return socket->family == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
    }
    return result == SIM_OPTION_NOT_MINE ? sim_option_stored(world, id, level, name, value, length)
                                         : result;
}
