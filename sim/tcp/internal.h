/* TCP between its own files: sequence arithmetic, constants, who does what.
 * SPDX-License-Identifier: MIT
 *
 * A control block is freed only at the end of an entry point (sim_tcp_reap): until then every
 * function may go on using it, also after the connection ended. Pointers to blocks, sockets and
 * packets are for the duration of one event; pools do not move.
 */
#ifndef SIM_TCP_INTERNAL_H
#define SIM_TCP_INTERNAL_H

#include <assert.h>

#include "core/block.h"
#include "core/state.h"
#include "net/host.h"
#include "net/packet.h"
#include "tcp.h"

enum {
    MSS_DEFAULT = 536, /* RFC 9293 3.7.1 */
    MSS_DEFAULT_6 = 1220,
    MSS_MIN = 88, /* LINUX: TCP_MIN_MSS */
    TCP_WINDOW_MAX = 65535,
    TCP_WINDOW_SCALE_MAX = 14,
    TCP_INITIAL_CWND = 10,
    TCP_TIMESTAMP_BYTES = 12, /* the option with its padding */
    TCP_QUICK_ACKS_MAX = 16,
    TCP_INFINITE_SSTHRESH = 0x7fffffff,
    TCP_DUPLICATE_THRESHOLD = 3,
    TCP_PACKET_OVERHEAD = 832,       /* measured: what a packet counts beside its payload (truesize) */
    TCP_SEGMENT_BURST_BYTES = 65536, /* LINUX: what one buffer gathers before it is cut (GSO) */
    TCP_MILLISECOND = 1000000,
    TCP_SECOND = 1000000000,
    TCP_RTO_BASE_NS = 200 *
                      TCP_MILLISECOND, /* LINUX: TCP_RTO_MIN, what retry counts are modelled with */
    TCP_RTO_INITIAL_NS = TCP_SECOND,
    TCP_TIMEOUT_MIN_NS = 8 * TCP_MILLISECOND, /* LINUX: two ticks at 250 Hz */
    TCP_CLOCK_START_MS = 1000000,             /* the timestamp clock's value when the world begins */
};

/* sim_tcp_kept.flags */
enum {
    KEPT_SACKED = 1,
    KEPT_LOST = 2,
    KEPT_RETRANSMITTED = 4, /* in flight again */
    KEPT_EVER_RETRANSMITTED = 8,
};

enum { /* sim_tcp.ack_pending, Linux's icsk_ack.pending */
       ACK_SCHEDULED = 1,
       ACK_TIMER = 2,
       ACK_PUSHED = 4,
       ACK_PUSHED_AGAIN = 8,
       ACK_NOW = 16,
};

enum {
    ACK_TIMEOUT_MIN_MS = 40, /* LINUX: TCP_ATO_MIN, HZ/25 */
};

/* Linux's names */
enum congestion_state {
    CONGESTION_OPEN = 0,
    CONGESTION_DISORDER,
    CONGESTION_RECOVERY,
    CONGESTION_LOSS,
};

enum congestion_kind {
    CONGESTION_CUBIC = 0, /* zero is the default */
    CONGESTION_RENO,
};

enum urgent_state {
    URGENT_NONE = 0,
    URGENT_NOT_YET, /* the pointer came, its byte did not */
    URGENT_VALID,
    URGENT_READ,
};

static const uint64_t TCP_TIME_WAIT_NS = 60000000000; /* LINUX: not a setting */

static inline bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool after(uint32_t a, uint32_t b)
{
    return before(b, a);
}

static inline uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline struct sim_socket *tcp_socket(const struct sim_world *world, const struct sim_tcp *tcp)
{
    return sim_socket_at(world, tcp->socket);
}

static inline struct sim_tcp_id tcp_id(const struct sim_world *world, const struct sim_tcp *tcp)
{
    return (struct sim_tcp_id){tcp_socket(world, tcp)->detail};
}

static inline int64_t tcp_setting(const struct sim_world *world, const struct sim_tcp *tcp,
                                  enum sim_setting setting)
{
    return sim_setting(sim_host_at(world, tcp_socket(world, tcp)->host), setting);
}

static inline uint32_t tcp_clock_ms(const struct sim_world *world)
{
    return (uint32_t)(world->now / TCP_MILLISECOND + TCP_CLOCK_START_MS);
}

/* Instants that may be none are kept as marks: the instant plus one, so that 0 is none and the
 * world's first instant is not. */
static inline uint64_t tcp_mark(uint64_t instant)
{
    return instant + 1;
}

static inline uint64_t tcp_since(const struct sim_world *world, uint64_t mark)
{
    return world->now - (mark - 1);
}

/* LINUX: tcp_in_window: does [sequence, end) touch the window, or stand at its very edge? */
static inline bool tcp_in_window(uint32_t sequence, uint32_t end, uint32_t first, uint32_t edge)
{
    if (sequence == first || (after(end, first) && before(sequence, edge))) {
        return true;
    }
    return sequence == edge && sequence == end;
}

/* The sequence space a segment takes. */
static inline uint32_t segment_length(const struct sim_packet *packet)
{
    return (uint32_t)packet->payload.length + ((packet->tcp.flags & SIM_TCP_SYN) != 0) +
           ((packet->tcp.flags & SIM_TCP_FIN) != 0);
}

static inline uint32_t segment_end(const struct sim_packet *packet)
{
    return packet->tcp.sequence + segment_length(packet);
}

/* Is the state one of a set written as STATE(ESTABLISHED) | STATE(CLOSE_WAIT)? */
#define STATE(name) (1U << SIM_TCP_##name)

static inline bool tcp_in(const struct sim_tcp *tcp, uint32_t states)
{
    return ((1U << tcp->state) & states) != 0;
}

/* Segments that may be in the network now: Linux's tcp_packets_in_flight. */
static inline uint32_t tcp_in_flight(const struct sim_tcp *tcp)
{
    return tcp->packets_out - tcp->sacked_out - tcp->lost_out + tcp->retransmitted_out;
}

/* The segments sent and not yet acknowledged, by sequence: the first, the one behind; NULL: none. */
static inline struct sim_packet *tcp_first_kept(const struct sim_world *world,
                                                const struct sim_tcp *tcp)
{
    return tcp->first_sent.index ? sim_packet_at(world, tcp->first_sent) : NULL;
}

static inline struct sim_packet *tcp_kept_next(const struct sim_world *world,
                                               const struct sim_packet *kept)
{
    return kept->next.index ? sim_packet_at(world, kept->next) : NULL;
}

static inline uint32_t tcp_log2(uint64_t value)
{
    uint32_t result = 0;
    while (value >>= 1) {
        result++;
    }
    return result;
}

/* What the peer's window still takes, counted from rcv_nxt. */
static inline uint32_t tcp_receive_window(const struct sim_tcp *tcp)
{
    int32_t left = (int32_t)(tcp->rcv_wup + tcp->rcv_wnd - tcp->rcv_nxt);
    return left > 0 ? (uint32_t)left : 0;
}

/* RFC 2883: the next ACK tells the peer of what came twice. */
static inline void tcp_tell_duplicate(struct sim_tcp *tcp, uint32_t start, uint32_t end)
{
    if (tcp->sack_ok) {
        tcp->dsack[0] = start;
        tcp->dsack[1] = end;
    }
}

/* ---- tcp/mss.c ---------------------------------------------------------------------------- */

/* mss from path and options. */
void sim_tcp_sync_mss(struct sim_world *world, struct sim_tcp *tcp, uint32_t path_mtu);
uint32_t sim_tcp_advertised_mss(const struct sim_world *world, const struct sim_tcp *tcp);
/* Bytes that one buffer of the send queue gathers. */
uint32_t sim_tcp_size_goal(const struct sim_tcp *tcp);
/* Takes the options of a SYN or SYN-ACK: MSS, scale, SACK, timestamps, as far as the host has them
 * on. */
void sim_tcp_take_syn_options(struct sim_world *world, struct sim_tcp *tcp,
                              const struct sim_packet *packet, bool answer);

/* ---- tcp/paws.c --------------------------------------------------------------------------- */

void sim_tcp_store_timestamp(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet);
/* PAWS: is the segment's timestamp too old? */
bool sim_tcp_paws_rejects(const struct sim_world *world, const struct sim_tcp *tcp,
                          const struct sim_packet *packet);
/* True: too soon after the last ACK that answered a bad segment. */
bool sim_tcp_out_of_window_limited(struct sim_world *world, struct sim_tcp *tcp,
                                   const struct sim_packet *packet);

/* ---- tcp/state.c -------------------------------------------------------------------------- */

/* The only way a state changes; asserts that the step is lawful. */
void sim_tcp_state_change(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_state state);
/* The connection is over: CLOSED, timers off, queues empty, both directions shut, sleepers woken.
 * Linux's tcp_done. */
void sim_tcp_done(struct sim_world *world, struct sim_tcp *tcp);
/* The same with a reason in SO_ERROR. */
void sim_tcp_abort(struct sim_world *world, struct sim_tcp *tcp, int error);
/* Into TIME_WAIT, or an orphan's FIN_WAIT_2 (`state`), for duration_ns. A socket that a program still
 * holds becomes CLOSED and a socket of nobody's waits in its place. */
void sim_tcp_wait(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_state state,
                  uint64_t duration_ns);
/* Begins to close the sending side: the next state, and whether a FIN is due. */
bool sim_tcp_close_send(struct sim_world *world, struct sim_tcp *tcp);
/* connect(AF_UNSPEC) and what is like it. */
void sim_tcp_disconnect(struct sim_world *world, struct sim_tcp *tcp);
/* Frees the socket if it is closed and nobody's. Every entry point ends with this. */
void sim_tcp_reap(struct sim_world *world, struct sim_socket_id id);
/* Empties the queues of sent, unsent and early segments. */
void sim_tcp_purge(struct sim_world *world, struct sim_tcp *tcp);
uint64_t sim_tcp_fin_timeout_ns(const struct sim_world *world, const struct sim_tcp *tcp);

/* ---- tcp/listen.c ------------------------------------------------------------------------- */

/* A listener that may answer the packet; index 0: none. */
struct sim_socket_id sim_tcp_listen_find(const struct sim_world *world, struct sim_host_id host,
                                         const struct sim_packet *packet);
/* A segment for a listener. Returns false when the answer is RST. */
bool sim_tcp_listen_input(struct sim_world *world, struct sim_tcp *listener,
                          const struct sim_packet *packet, uint32_t wanted_isn);
enum sim_tcp_child_verdict {
    TCP_CHILD_DROP,  /* nothing more to do with the segment */
    TCP_CHILD_RESET, /* answer it with RST */
    TCP_CHILD_OPEN,  /* the child is complete: go on with the segment in the usual way */
};
/* A segment for a child whose SYN-ACK is not yet acknowledged. */
enum sim_tcp_child_verdict sim_tcp_child_input(struct sim_world *world, struct sim_tcp *child,
                                               struct sim_packet *packet);
/* The child's SYN-ACK was not answered in time. */
void sim_tcp_child_timer(struct sim_world *world, struct sim_tcp *child);
/* Takes a child out of its listener's lists; no-op when it stands in none. */
void sim_tcp_child_unlink(struct sim_world *world, struct sim_tcp *child);
/* The listener ends: forgets half-open children, resets complete ones. */
void sim_tcp_listen_stop(struct sim_world *world, struct sim_tcp *listener);
/* Copies what a new socket inherits: options, buffers, ttl, timeouts. */
void sim_tcp_inherit(struct sim_world *world, const struct sim_socket *from, struct sim_socket *to);

/* ---- tcp/input.c -------------------------------------------------------------------------- */

void sim_tcp_input(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);
/* tcp/state.c: a connection that waits out its last segments, and so holds its port for nobody? */
bool sim_tcp_is_time_wait(const struct sim_world *world, struct sim_socket_id id);
/* tcp/time_wait.c: a segment for such a socket. True: answer with RST. *syn: a new connection may
 * begin, with *isn as its first sequence number. */
bool sim_tcp_time_wait_input(struct sim_world *world, struct sim_tcp *tcp,
                             const struct sim_packet *packet, bool *syn, uint32_t *isn);
/* tcp/error.c */
void sim_tcp_icmp_error(struct sim_world *world, struct sim_host_id host, struct sim_packet_id id);

/* ---- tcp/ack.c ---------------------------------------------------------------------------- */

enum sim_tcp_ack_verdict {
    TCP_ACK_OLD = 0, /* below snd_una, nothing to learn but SACK */
    TCP_ACK_GOOD = 1,
    TCP_ACK_TOO_OLD = -1,
    TCP_ACK_UNSENT = -2, /* acknowledges what was never sent */
};
enum sim_tcp_ack_verdict sim_tcp_ack(struct sim_world *world, struct sim_tcp *tcp,
                                     const struct sim_packet *packet, bool challenge);
/* A round trip took this long. */
void sim_tcp_rtt_sample(struct sim_world *world, struct sim_tcp *tcp, uint64_t sample_ns);

/* ---- tcp/data.c --------------------------------------------------------------------------- */

/* Takes the payload and FIN of an acceptable segment; the payload's bytes leave the packet. */
void sim_tcp_data(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet);
void sim_tcp_urgent(struct sim_world *world, struct sim_tcp *tcp, const struct sim_packet *packet);
/* Sends the ACK that the segments so far ask for, now or later. */
void sim_tcp_ack_check(struct sim_world *world, struct sim_tcp *tcp);

/* The program read `length` bytes: grows the buffer, tells the peer of the room. */
void sim_tcp_after_read(struct sim_world *world, struct sim_tcp *tcp, uint32_t length);

/* ---- tcp/early.c -------------------------------------------------------------------------- */

/* Is there room for a segment with that number? Makes some: of what can be read (sim_tcp_make_room),
 * then by giving up what came early and lies behind it. */
bool sim_tcp_early_room(struct sim_world *world, struct sim_tcp *tcp, uint32_t sequence);
/* Keeps a segment that lies behind a gap, in order of sequence; its bytes leave the packet. Without
 * room it is lost. */
void sim_tcp_early_keep(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *packet);
/* The next kept segment that no gap keeps back any more, the caller's to free; index 0: none. */
struct sim_packet_id sim_tcp_early_take(const struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_early_drop(struct sim_world *world, struct sim_tcp *tcp); /* all of them */

/* ---- tcp/window.c ------------------------------------------------------------------------- */

/* Bytes of window that a buffer of this size offers, and is left of it. */
uint32_t sim_tcp_window_of(const struct sim_tcp *tcp, uint64_t buffer_bytes);
uint32_t sim_tcp_full_space(const struct sim_world *world, const struct sim_tcp *tcp);
uint32_t sim_tcp_space(const struct sim_world *world, const struct sim_tcp *tcp);
/* The window of a SYN, and with it rcv_wscale and window_clamp. */
void sim_tcp_initial_window(struct sim_world *world, struct sim_tcp *tcp, uint32_t mss);
/* Once connected: send and receive buffers for this connection. */
void sim_tcp_init_buffers(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_expand_send_buffer(struct sim_world *world, struct sim_tcp *tcp);
/* The value for a header's window field; moves rcv_wnd and rcv_wup. */
uint16_t sim_tcp_select_window(struct sim_world *world, struct sim_tcp *tcp);
uint32_t sim_tcp_ideal_window(const struct sim_world *world, struct sim_tcp *tcp);
/* A segment of data arrived: the window may grow. */
void sim_tcp_grow_window(struct sim_world *world, struct sim_tcp *tcp, uint32_t length);
/* `length` bytes of a packet joined the receive queue; `length` bytes left it. */
void sim_tcp_charge(const struct sim_world *world, const struct sim_tcp *tcp, uint32_t length,
                    bool loopback);
void sim_tcp_discharge(const struct sim_world *world, const struct sim_tcp *tcp, uint32_t length);
/* Moves small pieces together when the buffer is full; false when it still is. */
bool sim_tcp_make_room(const struct sim_world *world, struct sim_tcp *tcp);
/* The program read some: the receive buffer may grow with what a round trip brings. */
void sim_tcp_adjust_space(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_measure_receive_mss(struct sim_world *world, struct sim_tcp *tcp, uint32_t length);
/* What the send queue counts against SO_SNDBUF; how many bytes it takes before a writer must wait;
 * whether POLLOUT holds. */
uint32_t sim_tcp_send_charge(const struct sim_tcp *tcp);
uint32_t sim_tcp_send_room(const struct sim_world *world, const struct sim_tcp *tcp);
bool sim_tcp_writable(const struct sim_world *world, const struct sim_tcp *tcp);

/* ---- tcp/burst.c -------------------------------------------------------------------------- */

/* How many segments the next buffer may be cut into; the last of several carries PSH. */
uint32_t sim_tcp_burst(const struct sim_world *world, const struct sim_tcp *tcp);

/* ---- tcp/output.c ------------------------------------------------------------------------- */

/* Sends the first SYN of a connection in SYN_SENT: iss, windows and options are set. */
/* The SYN is kept in that packet, a new one, until it is acknowledged. */
void sim_tcp_send_syn(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet_id id);
void sim_tcp_send_syn_ack(struct sim_world *world, struct sim_tcp *tcp);
/* Sends what windows, Nagle and cork allow. nonagle: Linux's push_pending_frames at FIN or cork's
 * end. */
void sim_tcp_push(struct sim_world *world, struct sim_tcp *tcp, bool nonagle);
/* Sends one new segment whatever cwnd says, if the peer's window takes it. */
void sim_tcp_push_one(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_send_ack(struct sim_world *world, struct sim_tcp *tcp);
/* Sends an ACK when the delay is over, or now when it is over already. */
void sim_tcp_ack_later(struct sim_world *world, struct sim_tcp *tcp);
/* Answers a bad segment with an ACK, at most one every 500 ms. */
void sim_tcp_challenge(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_send_fin(struct sim_world *world, struct sim_tcp *tcp);
/* RST of a connection of ours. */
void sim_tcp_send_reset(struct sim_world *world, struct sim_tcp *tcp);
/* RST in answer to a segment that belongs to nobody. */
void sim_tcp_answer_reset(struct sim_world *world, struct sim_host_id host,
                          const struct sim_packet *offending);
/* An empty segment with a sequence number of the past, or one byte into a closed window. */
void sim_tcp_send_probe(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_send_keepalive(struct sim_world *world, struct sim_tcp *tcp);
/* Sends a kept segment again. False: the host has no room for a packet. */
bool sim_tcp_retransmit(struct sim_world *world, struct sim_tcp *tcp, struct sim_packet *kept);
/* Retransmits what is marked lost, as far as cwnd allows. */
void sim_tcp_retransmit_lost(struct sim_world *world, struct sim_tcp *tcp);

/* ---- tcp/timer.c; tcp.h declares tcp/timeout.c ---------------------------------------------- */

void sim_tcp_timer_set(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_timer timer,
                       uint64_t at);
void sim_tcp_timer_stop(struct sim_world *world, struct sim_tcp *tcp, enum sim_tcp_timer timer);
void sim_tcp_timer_stop_all(struct sim_world *world, struct sim_tcp *tcp);
/* Arms the one retransmission timer for what `kind` says, `after_ns` from now. */
void sim_tcp_timer_retransmit(struct sim_world *world, struct sim_tcp *tcp,
                              enum sim_tcp_retransmit_kind kind, uint64_t after_ns);
/* New data left: a tail loss probe or the RTO must be armed. */
void sim_tcp_timer_data_sent(struct sim_world *world, struct sim_tcp *tcp, uint32_t packets_before);
/* An ACK moved things: rearms the RTO, or stops it. */
void sim_tcp_timer_rearm(struct sim_world *world, struct sim_tcp *tcp);
/* The RTO alone: counted from the first segment's departure where a probe was armed instead. */
void sim_tcp_timer_rearm_rto(struct sim_world *world, struct sim_tcp *tcp);
/* Arms a tail loss probe in place of the RTO; false where none is due. */
bool sim_tcp_timer_tail_probe(struct sim_world *world, struct sim_tcp *tcp);
/* How long the next probe of a closed window waits, backed off. */
uint64_t sim_tcp_window_probe_after_ns(const struct sim_world *world, const struct sim_tcp *tcp);
/* Probes the peer's window: after an RTO, or (again) backed off by what was tried already. */
void sim_tcp_timer_window_probe(struct sim_world *world, struct sim_tcp *tcp, bool again);
/* Arms the delayed ACK; false: it is due now, the caller sends it. */
bool sim_tcp_timer_delayed_ack(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_timer_keepalive_starts(struct sim_world *world, struct sim_tcp *tcp);
uint64_t sim_tcp_rto_min_ns(const struct sim_world *world, const struct sim_tcp *tcp);
uint64_t sim_tcp_rto_max_ns(const struct sim_world *world, const struct sim_tcp *tcp);
/* How long nothing was heard; how long that may be before a keepalive asks. */
uint64_t sim_tcp_keepalive_elapsed_ns(const struct sim_world *world, const struct sim_tcp *tcp);
uint64_t sim_tcp_keepalive_idle_ns(const struct sim_world *world, const struct sim_tcp *tcp);
/* TCP_USER_TIMEOUT lets no timer pass it. */
uint64_t sim_tcp_user_timeout_clamped(const struct sim_world *world, const struct sim_tcp *tcp,
                                      uint64_t after_ns);

/* ---- tcp/congestion.c --------------------------------------------------------------------- */

/* The outcome of one ACK, for the rules of congestion. */
struct tcp_acked {
    uint32_t acked;     /* segments newly delivered, in order or by SACK */
    uint32_t prior_out; /* how many were out before */
    uint32_t newly_lost;
    uint64_t rtt_ns; /* of a segment never retransmitted; SIM_NEVER: none */
    bool una_advanced;
    bool data_acked;
    bool sack_news; /* SACK told something new */
    bool duplicate; /* an ACK that repeats the last one */
    bool has_data, window_update;
    bool original_acked; /* a segment never retransmitted was acknowledged */
    bool dsack;
    uint32_t echo; /* the timestamp that the ACK sends back, 0: none */
};
void sim_tcp_congestion_init(struct sim_world *world, struct sim_tcp *tcp);
/* After each ACK that is not plain: disorder, recovery, its end. */
void sim_tcp_congestion_alert(struct sim_world *world, struct sim_tcp *tcp, struct tcp_acked *news);
/* Grows or shrinks cwnd after an ACK. */
void sim_tcp_congestion_control(struct sim_world *world, struct sim_tcp *tcp,
                                const struct tcp_acked *news);
/* The retransmission timer fired: everything is lost. */
void sim_tcp_enter_loss(struct sim_world *world, struct sim_tcp *tcp);
/* Idle longer than the RTO: start slowly again. */
void sim_tcp_congestion_after_idle(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_mark_lost(struct sim_tcp *tcp, struct sim_packet *kept);
/* RACK: marks what left before a delivered segment and is overdue; returns ns until the next. */
uint64_t sim_tcp_rack_mark(struct sim_world *world, struct sim_tcp *tcp);
void sim_tcp_rack_timer(struct sim_world *world, struct sim_tcp *tcp);
/* A tail loss probe was answered. */
void sim_tcp_tail_probe_acked(struct sim_world *world, struct sim_tcp *tcp, uint32_t ack,
                              const struct tcp_acked *news);

/* ---- tcp/option.c, tcp.c ------------------------------------------------------------------ */

int sim_tcp_set_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       const void *value, unsigned length);
int sim_tcp_get_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       void *value, unsigned *length);
void sim_tcp_check(const struct sim_world *world, struct sim_socket_id id); /* tcp/check.c */
int sim_tcp_ioctl(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                  void *argument);
/* tcp/open.c: connect. */
int sim_tcp_open(struct sim_world *world, struct sim_socket_id id, const void *address,
                 unsigned length);

#endif
