/* Options of level IPPROTO_TCP, and the ioctls that ask how much lies where.
 * SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "socket/option.h"

enum {
    MAX_KEEPALIVE_IDLE = 32767,
    MAX_KEEPALIVE_INTERVAL = 32767,
    MAX_KEEPALIVE_COUNT = 127,
    MAX_SYN_COUNT = 127,
    MAX_WINDOW_SEGMENT = 32767,
    FIN_TIMEOUT_MAX_S = 120,
    CONGESTION_NAME_BYTES = 16,
};

static const char *const congestion_names[] = {
    [CONGESTION_CUBIC] = "cubic",
    [CONGESTION_RENO] = "reno",
};

/* ---- setting ------------------------------------------------------------------------------ */

/* LINUX: the times in which a SYN-ACK's retransmissions pass `seconds`, as a count and back. */
static uint8_t seconds_to_retransmissions(int seconds)
{
    uint8_t count = 0;
    int period = 0;
    for (int timeout = 1; seconds > period && count < 255; count++) {
        period += timeout;
        timeout = timeout < 60 ? timeout * 2 : 120;
        if (timeout > 120) {
            timeout = 120;
        }
    }
    return count;
}

static int retransmissions_to_seconds(uint8_t count)
{
    int period = 0;
    int timeout = 1;
    for (uint8_t i = 0; i < count; i++) {
        period += timeout;
        timeout = timeout * 2 < 120 ? timeout * 2 : 120;
    }
    return period;
}

static int set_congestion(struct sim_tcp *tcp, const char *name, unsigned length)
{
    char text[CONGESTION_NAME_BYTES] = {0};
    if (length < 1) {
        return -EINVAL;
    }
    memcpy(text, name, smaller(length, CONGESTION_NAME_BYTES - 1));
    for (uint8_t kind = 0; kind < sizeof congestion_names / sizeof congestion_names[0]; kind++) {
        if (!strcmp(text, congestion_names[kind])) {
            tcp->congestion_kind = kind;
            return 0;
        }
    }
    return -ENOENT;
}

static int set_ranged(uint32_t *field, int value, int least, int most)
{
    if (value < least || value > most) {
        return -EINVAL;
    }
    *field = (uint32_t)value;
    return 0;
}

static void set_nodelay(struct sim_world *world, struct sim_tcp *tcp, bool on)
{
    tcp->nodelay = on;
    if (on) { /* LINUX: what waits for Nagle leaves, unless corked */
        sim_tcp_push(world, tcp, !tcp->cork);
    }
}

static int set_quickack(struct sim_world *world, struct sim_tcp *tcp, int value)
{
    if (!value) {
        tcp->pingpong = 1;
        return 0;
    }
    tcp->pingpong = 0;
    if (tcp_in(tcp, STATE(ESTABLISHED) | STATE(CLOSE_WAIT)) && (tcp->ack_pending & ACK_SCHEDULED)) {
        sim_tcp_send_ack(world, tcp);
        if (!(value & 1)) {
            tcp->pingpong = 1;
        }
    }
    return 0;
}

static int set_linger2(struct sim_tcp *tcp, int value)
{
    if (value < 0) {
        tcp->linger2_s = -1;
    } else {
        tcp->linger2_s = value > FIN_TIMEOUT_MAX_S ? FIN_TIMEOUT_MAX_S : value;
    }
    return 0;
}

static int set_window_clamp(struct sim_tcp *tcp, int value)
{
    if (!value) {
        if (tcp->state != SIM_TCP_CLOSED) {
            return -EINVAL;
        }
        tcp->window_clamp = 0;
        return 0;
    }
    tcp->window_clamp = larger((uint32_t)value, 1152); /* LINUX: SOCK_MIN_RCVBUF / 2 */
    return 0;
}

static int set_keepalive_idle(struct sim_world *world, struct sim_tcp *tcp, int value)
{
    int error = set_ranged(&tcp->keepalive_idle_s, value, 1, MAX_KEEPALIVE_IDLE);
    if (!error) {
        sim_tcp_timer_keepalive_starts(world, tcp);
    }
    return error;
}

static int set_number(struct sim_world *world, struct sim_tcp *tcp, int name, int value)
{
    switch (name) {
    case TCP_NODELAY:
        set_nodelay(world, tcp, value != 0);
        return 0;
    case TCP_CORK:
        tcp->cork = value != 0;
        if (!tcp->cork) {
            sim_tcp_push(world, tcp, tcp->nodelay || !tcp->packets_out);
        }
        return 0;
    case TCP_MAXSEG:
        if (value && (value < MSS_MIN || value > MAX_WINDOW_SEGMENT)) {
            return -EINVAL;
        }
        tcp->max_segment = (uint32_t)value;
        return 0;
    case TCP_KEEPIDLE:
        return set_keepalive_idle(world, tcp, value);
    case TCP_KEEPINTVL:
        return set_ranged(&tcp->keepalive_interval_s, value, 1, MAX_KEEPALIVE_INTERVAL);
    case TCP_KEEPCNT:
        return set_ranged(&tcp->keepalive_count, value, 1, MAX_KEEPALIVE_COUNT);
    case TCP_SYNCNT:
        return set_ranged(&tcp->syn_count, value, 1, MAX_SYN_COUNT);
    case TCP_USER_TIMEOUT:
        if (value < 0) {
            return -EINVAL;
        }
        tcp->user_timeout_ms = (uint32_t)value;
        return 0;
    case TCP_DEFER_ACCEPT:
        tcp->defer_accept = seconds_to_retransmissions(value);
        return 0;
    case TCP_LINGER2:
        return set_linger2(tcp, value);
    case TCP_QUICKACK:
        return set_quickack(world, tcp, value);
    case TCP_NOTSENT_LOWAT:
        tcp->not_sent_low_water = (uint32_t)value;
        return 0;
    case TCP_WINDOW_CLAMP:
        return set_window_clamp(tcp, value);
    default:
        return -ENOPROTOOPT;
    }
}

int sim_tcp_set_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       const void *value, unsigned length)
{
    struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){sim_socket_at(world, id)->detail});
    if (level != IPPROTO_TCP) {
        return -ENOPROTOOPT;
    }
    if (name == TCP_CONGESTION) {
        return set_congestion(tcp, value, length);
    }
    int number;
    if (length < sizeof number) {
        return -EINVAL;
    }
    memcpy(&number, value, sizeof number);
    const int error = set_number(world, tcp, name, number);
    return error == -ENOPROTOOPT ? sim_option_store(world, id, level, name, value, length) : error;
}

/* ---- getting ------------------------------------------------------------------------------ */

/* LINUX: 6.18's struct is longer than that of older headers: what came since is zero here. */
struct whole_info {
    struct tcp_info known;
    uint8_t since[280 - sizeof(struct tcp_info)];
};

static uint8_t linux_state(const struct sim_tcp *tcp)
{
    static const uint8_t numbers[SIM_TCP_STATE_COUNT] = {
        [SIM_TCP_ESTABLISHED] = 1, [SIM_TCP_SYN_SENT] = 2,   [SIM_TCP_SYN_RECEIVED] = 3,
        [SIM_TCP_FIN_WAIT_1] = 4,  [SIM_TCP_FIN_WAIT_2] = 5, [SIM_TCP_TIME_WAIT] = 6,
        [SIM_TCP_CLOSED] = 7,      [SIM_TCP_CLOSE_WAIT] = 8, [SIM_TCP_LAST_ACK] = 9,
        [SIM_TCP_LISTEN] = 10,     [SIM_TCP_CLOSING] = 11,
    };
    return numbers[tcp->state];
}

static uint32_t milliseconds_since(const struct sim_world *world, uint64_t instant)
{
    return (uint32_t)((world->now - instant) / TCP_MILLISECOND);
}

static void fill_info(const struct sim_world *world, const struct sim_tcp *tcp, struct tcp_info *info)
{
    const struct sim_socket *socket = tcp_socket(world, tcp);
    static const uint8_t congestion[] = {0, 1, 3, 4}; /* TCP_CA_Open, Disorder, Recovery, Loss */
    info->tcpi_state = linux_state(tcp);
    info->tcpi_ca_state = congestion[tcp->congestion_state];
    info->tcpi_retransmits = tcp->retransmits;
    info->tcpi_probes = tcp->probes;
    info->tcpi_backoff = tcp->backoff;
    info->tcpi_options = (uint8_t)((tcp->timestamps_ok ? TCPI_OPT_TIMESTAMPS : 0) |
                                   (tcp->sack_ok ? TCPI_OPT_SACK : 0) |
                                   (tcp->wscale_ok ? TCPI_OPT_WSCALE : 0));
    info->tcpi_snd_wscale = tcp->snd_wscale & 15;
    info->tcpi_rcv_wscale = tcp->rcv_wscale & 15;
    if (tcp->state == SIM_TCP_LISTEN) {
        info->tcpi_unacked = tcp->accept_count;
        info->tcpi_sacked = tcp->backlog;
        return;
    }
    info->tcpi_rto = (uint32_t)(tcp->rto_ns / 1000);
    info->tcpi_ato = tcp->ack_timeout_ms * 1000;
    info->tcpi_snd_mss = tcp->mss;
    info->tcpi_rcv_mss = tcp->receive_mss;
    info->tcpi_unacked = tcp->packets_out;
    info->tcpi_sacked = tcp->sacked_out;
    info->tcpi_lost = tcp->lost_out;
    info->tcpi_retrans = tcp->retransmitted_out;
    info->tcpi_last_data_sent = milliseconds_since(world, tcp->last_sent_at);
    info->tcpi_last_data_recv = milliseconds_since(world, tcp->last_received_at);
    info->tcpi_last_ack_recv = milliseconds_since(world, tcp->last_heard_at);
    info->tcpi_pmtu = tcp->path_mtu;
    info->tcpi_rcv_ssthresh = tcp->window_limit;
    info->tcpi_rtt = tcp->srtt_us8 >> 3;
    info->tcpi_rttvar = tcp->mdev_us4 >> 2;
    info->tcpi_snd_ssthresh = tcp->ssthresh;
    info->tcpi_snd_cwnd = tcp->cwnd;
    info->tcpi_advmss = tcp->advertised_mss;
    info->tcpi_reordering = tcp->reordering;
    info->tcpi_rcv_space = tcp->space_bytes;
    info->tcpi_total_retrans = tcp->total_retransmissions;
    info->tcpi_bytes_acked = tcp->bytes_acked;
    info->tcpi_bytes_received = tcp->bytes_received;
    info->tcpi_segs_out = tcp->segments_out;
    info->tcpi_segs_in = tcp->segments_in;
    info->tcpi_notsent_bytes = (uint32_t)tcp->send.length;
    info->tcpi_min_rtt = tcp->min_rtt_us;
    info->tcpi_delivered = tcp->delivered;
    info->tcpi_bytes_sent = tcp->bytes_sent;
    info->tcpi_snd_wnd = tcp->snd_wnd;
    (void)socket;
}

static int get_bytes(const void *source, unsigned bytes, void *value, unsigned *length)
{
    *length = smaller(*length, bytes);
    memcpy(value, source, *length);
    return 0;
}

static int get_number(const struct sim_world *world, const struct sim_tcp *tcp, int name, int *number)
{
    switch (name) {
    case TCP_MAXSEG:
        *number = (int)tcp->mss;
        if (tcp->max_segment && tcp_in(tcp, STATE(CLOSED) | STATE(LISTEN))) {
            *number = (int)tcp->max_segment;
        }
        return 0;
    case TCP_NODELAY:
        *number = tcp->nodelay;
        return 0;
    case TCP_CORK:
        *number = tcp->cork;
        return 0;
    case TCP_KEEPIDLE:
        *number = (int)(sim_tcp_keepalive_idle_ns(world, tcp) / TCP_SECOND);
        return 0;
    case TCP_KEEPINTVL:
        *number = tcp->keepalive_interval_s
                      ? (int)tcp->keepalive_interval_s
                      : (int)tcp_setting(world, tcp, SIM_SETTING_TCP_KEEPALIVE_INTVL);
        return 0;
    case TCP_KEEPCNT:
        *number = tcp->keepalive_count ? (int)tcp->keepalive_count
                                       : (int)tcp_setting(world, tcp, SIM_SETTING_TCP_KEEPALIVE_PROBES);
        return 0;
    case TCP_SYNCNT:
        *number = tcp->syn_count ? (int)tcp->syn_count
                                 : (int)tcp_setting(world, tcp, SIM_SETTING_TCP_SYN_RETRIES);
        return 0;
    case TCP_USER_TIMEOUT:
        *number = (int)tcp->user_timeout_ms;
        return 0;
    case TCP_DEFER_ACCEPT:
        *number = retransmissions_to_seconds(tcp->defer_accept);
        return 0;
    case TCP_LINGER2:
        *number = tcp->linger2_s ? tcp->linger2_s
                                 : (int)tcp_setting(world, tcp, SIM_SETTING_TCP_FIN_TIMEOUT);
        return 0;
    case TCP_QUICKACK:
        *number = !tcp->pingpong;
        return 0;
    case TCP_NOTSENT_LOWAT:
        *number = (int)tcp->not_sent_low_water;
        return 0;
    case TCP_WINDOW_CLAMP:
        *number = (int)tcp->window_clamp;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int sim_tcp_get_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       void *value, unsigned *length)
{
    const struct sim_tcp *tcp = sim_tcp_at(world,
                                           (struct sim_tcp_id){sim_socket_at(world, id)->detail});
    if (level != IPPROTO_TCP) {
        return -ENOPROTOOPT;
    }
    if ((int)*length < 0) {
        return -EINVAL;
    }
    if (name == TCP_CONGESTION) {
        char text[CONGESTION_NAME_BYTES] = {0};
        const char *known = congestion_names[tcp->congestion_kind];
        memcpy(text, known, strlen(known));
        return get_bytes(text, sizeof text, value, length);
    }
    if (name == TCP_INFO) {
        struct whole_info info;
        memset(&info, 0, sizeof info);
        fill_info(world, tcp, &info.known);
        return get_bytes(&info, sizeof info, value, length);
    }
    if (name == TCP_CC_INFO) { /* LINUX: Reno and cubic tell nothing, without an error */
        *length = 0;
        return 0;
    }
    int number;
    int error = get_number(world, tcp, name, &number);
    if (error == -ENOPROTOOPT) {
        return sim_option_stored(world, id, level, name, value, length);
    }
    return error ? error : get_bytes(&number, sizeof number, value, length);
}

/* ---- ioctl -------------------------------------------------------------------------------- */

static int unread_bytes(const struct sim_socket *socket, const struct sim_tcp *tcp)
{
    if (tcp_in(tcp, STATE(SYN_SENT) | STATE(SYN_RECEIVED))) {
        return 0;
    }
    uint32_t length = (uint32_t)socket->receive.length;
    uint32_t to_mark = tcp->rcv_up - tcp->copied_seq;
    /* LINUX: up to the urgent byte, which is not in the stream. */
    if (!(socket->options & SIM_OPTION_OOBINLINE) && tcp->urgent_state != URGENT_NONE &&
        to_mark < length) {
        return (int)to_mark;
    }
    return (int)length;
}

int sim_tcp_ioctl(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                  void *argument)
{
    const struct sim_socket *socket = sim_socket_at(world, id);
    const struct sim_tcp *tcp = sim_tcp_at(world, (struct sim_tcp_id){socket->detail});
    bool open = !tcp_in(tcp, STATE(CLOSED) | STATE(SYN_SENT) | STATE(SYN_RECEIVED));
    int answer;
    if (request != SIOCATMARK && tcp->state == SIM_TCP_LISTEN &&
        (request == SIOCINQ || request == SIOCOUTQ || request == SIOCOUTQNSD)) {
        return -EINVAL;
    }
    switch (request) {
    case SIOCINQ: /* FIONREAD */
        answer = unread_bytes(socket, tcp);
        break;
    case SIOCATMARK:
        answer = tcp->urgent_state != URGENT_NONE && tcp->rcv_up == tcp->copied_seq;
        break;
    case SIOCOUTQ: /* TIOCOUTQ */
        answer = open ? (int)(tcp->write_seq - tcp->snd_una) : 0;
        break;
    case SIOCOUTQNSD:
        answer = open ? (int)(tcp->write_seq - tcp->snd_nxt) : 0;
        break;
    default:
        return -ENOTTY;
    }
    memcpy(argument, &answer, sizeof answer);
    return 0;
}
