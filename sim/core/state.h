/* The world, whole: every struct of the simulated network, as plain data in one block.
 * SPDX-License-Identifier: MIT
 *
 * No pointer, no function pointer, no libc allocation lives here: things name each other by typed
 * indices (0 = none), behaviour is chosen by an enum into a static const table. Zero is every
 * field's initial state. Each pooled struct begins with a sim_slot; a freed slot is zero but for its
 * place in the free list. Compiles under -Wpadded -Werror, so padding is written out and zero, and
 * two equal worlds are equal bytes. Behaviour files include this header, never the reverse.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* ---- indices ------------------------------------------------------------------------------ */

struct sim_host_id {
    uint32_t index;
};
struct sim_interface_id {
    uint32_t index;
};
struct sim_route_id {
    uint32_t index;
};
struct sim_link_id {
    uint32_t index;
};
struct sim_process_id {
    uint32_t index;
};
struct sim_task_id {
    uint32_t index;
};
struct sim_file_id {
    uint32_t index;
};
struct sim_socket_id {
    uint32_t index;
};
struct sim_tcp_id {
    uint32_t index;
};
struct sim_unix_id {
    uint32_t index;
};
struct sim_netlink_id {
    uint32_t index;
};
struct sim_option_id {
    uint32_t index;
};
struct sim_membership_id {
    uint32_t index;
};
struct sim_datagram_id {
    uint32_t index;
};
struct sim_rights_id {
    uint32_t index;
};
struct sim_packet_id {
    uint32_t index;
};
struct sim_span_id {
    uint32_t index;
};
struct sim_chunk_id {
    uint32_t index;
};
struct sim_event_id {
    uint32_t index;
};
struct sim_waiter_id {
    uint32_t index;
};
struct sim_epoll_id {
    uint32_t index;
};
struct sim_pipe_id {
    uint32_t index;
};
struct sim_counter_id {
    uint32_t index;
}; /* eventfd */
struct sim_timer_id {
    uint32_t index;
}; /* timerfd */
struct sim_barrier_id {
    uint32_t index;
};
struct sim_line_id {
    uint32_t index;
};
struct sim_script_id {
    uint32_t index;
};
struct sim_cell_id {
    uint32_t index;
};
struct sim_futex_id {
    uint32_t index;
};
struct sim_real_id {
    uint32_t index;
};
struct sim_actions_id {
    uint32_t index;
};
struct sim_pending_id {
    uint32_t index;
}; /* a signal that is to be delivered */
struct sim_signalfd_id {
    uint32_t index;
};
struct sim_alarm_id {
    uint32_t index;
}; /* timer_create's */

/* ---- limits and names --------------------------------------------------------------------- */

enum {
    SIM_NAME_BYTES = 64,       /* names of hosts, processes, tasks, interfaces */
    SIM_HOSTNAME_BYTES = 72,   /* LINUX: 64 characters and a NUL; a multiple of eight */
    SIM_UNIX_NAME_BYTES = 108, /* sun_path */
    SIM_CHUNK_BYTES = 4072,    /* payload in a chunk: with its head, one page */
    SIM_DESCRIPTORS_PER_PAGE = 1024,
    SIM_DESCRIPTOR_PAGES = 1024, /* a process has at most a million descriptors */
    SIM_SACK_BLOCKS = 4,
    SIM_INTERFACE_ADDRESSES = 8,
    SIM_OPTION_BYTES = 32, /* the longest value of a stored option */
    SIM_LINE_BYTES = 4064, /* a line of a host's files, with its NUL */
    SIM_FUTEX_BUCKETS = 256,
    SIM_SIGNALS = 64,
    SIM_INTERVAL_TIMERS = 3, /* setitimer's: ITIMER_REAL, _VIRTUAL, _PROF */
    SIM_CELL_BYTES = 688,    /* a piece of the fault plan: FAULT_CELL_BYTES */
    SIM_LOCAL_BYTES = 1024,  /* the library's store of a process: DRY_LOCAL_BYTES */
};

static const uint64_t SIM_NEVER = UINT64_MAX; /* an instant that does not come */

enum sim_pool_kind {
    SIM_POOL_NONE = 0,
    SIM_POOL_HOST,
    SIM_POOL_INTERFACE,
    SIM_POOL_ROUTE,
    SIM_POOL_LINK,
    SIM_POOL_PROCESS,
    SIM_POOL_DESCRIPTOR_PAGE,
    SIM_POOL_TASK,
    SIM_POOL_FILE,
    SIM_POOL_SOCKET,
    SIM_POOL_TCP,
    SIM_POOL_UNIX,
    SIM_POOL_NETLINK,
    SIM_POOL_OPTION,
    SIM_POOL_MEMBERSHIP,
    SIM_POOL_DATAGRAM,
    SIM_POOL_RIGHTS,
    SIM_POOL_PACKET,
    SIM_POOL_SPAN,
    SIM_POOL_CHUNK,
    SIM_POOL_EVENT,
    SIM_POOL_WAITER,
    SIM_POOL_EPOLL,
    SIM_POOL_PIPE,
    SIM_POOL_COUNTER,
    SIM_POOL_TIMER,
    SIM_POOL_BARRIER,
    SIM_POOL_LINE,
    SIM_POOL_SCRIPT,
    SIM_POOL_CELL,
    SIM_POOL_FUTEX,
    SIM_POOL_REAL,
    SIM_POOL_ACTIONS,
    SIM_POOL_PENDING,
    SIM_POOL_SIGNALFD,
    SIM_POOL_ALARM,
    SIM_POOL_COUNT,
};

/* The first member of every pooled struct. live: 1 while taken. next_free: while free, the next
 * free slot. generation: how often this slot was taken (survives freeing), so that a stale event can
 * be told. */
struct sim_slot {
    uint32_t live;
    uint32_t next_free;
    uint32_t generation;
    uint32_t padding;
};

/* ---- randomness: named streams of one seed ------------------------------------------------ */

enum sim_stream {
    SIM_STREAM_LOSS,
    SIM_STREAM_DELAY,
    SIM_STREAM_DUPLICATE,
    SIM_STREAM_REORDER,
    SIM_STREAM_CORRUPT,
    SIM_STREAM_ISN,
    SIM_STREAM_PORT,
    SIM_STREAM_SCHEDULE,
    SIM_STREAM_DNS,
    SIM_STREAM_FAULT,
    SIM_STREAM_UNIX, /* autobind names */
    SIM_STREAM_IP_ID,
    SIM_STREAM_PROGRAM, /* getrandom's bytes */
    SIM_STREAM_NETLINK, /* port numbers of a process's second socket and later ones */
    SIM_STREAM_COUNT,
};

struct sim_random {
    uint64_t state[SIM_STREAM_COUNT];
};

/* ---- settings: sysctls, by host (network namespace) --------------------------------------- */

enum sim_setting {
#define SIM_SETTING(id, name, value) SIM_SETTING_##id,
#include "settings.h"
#undef SIM_SETTING
    SIM_SETTING_COUNT,
};

/* ---- addresses ---------------------------------------------------------------------------- */

/* Sixteen bytes; IPv4 as ::ffff:a.b.c.d, so that dual-stack sockets need no second form. */
struct sim_ip {
    uint8_t bytes[16];
};

struct sim_endpoint {
    struct sim_ip ip;
    uint32_t scope; /* interface index of a link-local address, or 0 */
    uint16_t port;  /* host byte order */
    uint16_t padding;
};

/* ---- payload: ropes of spans over shared chunks ------------------------------------------- */

struct sim_chunk {
    struct sim_slot slot;
    uint32_t references; /* spans that name this chunk */
    uint32_t used_bytes; /* high-water mark: bytes beyond are zero */
    uint8_t data[SIM_CHUNK_BYTES];
};

struct sim_span {
    struct sim_slot slot;
    struct sim_span_id next;
    struct sim_chunk_id chunk;
    uint32_t offset;
    uint32_t length;
};

struct sim_bytes { /* a rope */
    struct sim_span_id first;
    struct sim_span_id last;
    uint64_t length;
};

/* ---- packets: fields inside the world ----------------------------------------------------- */

enum sim_tcp_flag {
    SIM_TCP_FIN = 1,
    SIM_TCP_SYN = 2,
    SIM_TCP_RST = 4,
    SIM_TCP_PSH = 8,
    SIM_TCP_ACK = 16,
    SIM_TCP_URG = 32,
    SIM_TCP_ECE = 64,
    SIM_TCP_CWR = 128,
};

struct sim_tcp_header {
    uint32_t sequence;
    uint32_t acknowledgment;
    uint16_t window; /* as on the wire, unscaled */
    uint16_t urgent;
    uint8_t flags; /* enum sim_tcp_flag */
    uint8_t has_mss;
    uint8_t has_window_scale;
    uint8_t has_timestamps;
    uint8_t sack_permitted;
    uint8_t sack_count;
    uint8_t window_scale;
    uint8_t padding;
    uint32_t mss;
    uint32_t timestamp_value;
    uint32_t timestamp_echo;
    uint32_t sack[SIM_SACK_BLOCKS][2];
};

struct sim_icmp_header {
    uint8_t type; /* as on the wire, of the packet's IP version */
    uint8_t code;
    uint16_t identifier;
    uint16_t sequence;
    uint16_t padding;
    uint32_t mtu; /* fragmentation needed, packet too big */
    /* The packet an error speaks of; the rest of it is not carried. */
    uint32_t quoted_protocol;
    struct sim_endpoint quoted_source;
    struct sim_endpoint quoted_destination;
    uint32_t quoted_sequence; /* TCP */
    uint32_t has_quote;
};

/* What TCP remembers of a segment it keeps: one sent and not yet acknowledged. */
struct sim_tcp_kept {
    struct sim_tcp_header header;
    uint32_t flags;     /* sacked, lost, retransmitted: tcp/internal.h */
    uint32_t delivered; /* the connection's count when it left */
    uint64_t left_at;   /* the last transmission */
};

struct sim_packet {
    struct sim_slot slot;
    struct sim_packet_id next;  /* in a queue: link, out-of-order list */
    uint32_t interface;         /* the interface it came in by, sim_interface_id */
    struct sim_endpoint source; /* scope and port included */
    struct sim_endpoint destination;
    uint8_t version;  /* 4 or 6 */
    uint8_t protocol; /* IPPROTO_* */
    uint8_t ttl;
    uint8_t tos;
    uint8_t dont_fragment;
    uint8_t corrupt; /* the transport's checksum fails: the receiver drops it, UDP perhaps later */
    uint16_t identification;
    uint32_t flow_label;
    uint32_t mark;
    uint64_t sent_at;
    uint32_t segment_bytes; /* UDP: several datagrams in one, each of so many bytes; 0: one */
    uint32_t padding;
    struct sim_bytes payload; /* of TCP, UDP, ICMP echo, raw */
    union {
        struct sim_tcp_header tcp;
        struct sim_icmp_header icmp;
        struct sim_tcp_kept kept;
        uint8_t header_bytes[88];
    };
};

/* ---- events ------------------------------------------------------------------------------- */

enum sim_event_kind {
    SIM_EVENT_NONE = 0,
    SIM_EVENT_TASK_RUNS,     /* target: task; it is ready, the runner resumes it */
    SIM_EVENT_TASK_DEADLINE, /* target: task; the wait's deadline */
    SIM_EVENT_SIGNAL,        /* target: task, a: signal number, b: 1 = only if it waits now */
    SIM_EVENT_PACKET,        /* target: interface, a: packet; it arrives there */
    SIM_EVENT_LINK_CHANGE,   /* target: link, a: 1 up, 0 down */
    SIM_EVENT_TCP_TIMER,     /* target: tcp, a: enum sim_tcp_timer */
    SIM_EVENT_TIMERFD,       /* target: timer */
    SIM_EVENT_SOCKET,        /* target: socket; protocol's own deferred work, a: what */
    SIM_EVENT_SCRIPT,        /* target: script (sim.h: at an instant); the runner runs it */
    SIM_EVENT_INTERVAL,      /* target: process, a: which of setitimer's */
    SIM_EVENT_ALARM,         /* target: alarm */
    SIM_EVENT_ENDED,         /* target: process, a program's: its family is to learn of it */
    SIM_EVENT_KIND_COUNT,
};

struct sim_event {
    struct sim_slot slot;
    uint64_t at;
    uint64_t sequence; /* ORDER: equal instants run in the order they were pushed */
    uint32_t kind;
    uint32_t target;
    uint32_t a;
    uint32_t b;
    uint32_t target_generation; /* of the target's slot when pushed; 0: not checked */
    uint32_t heap_position;     /* 1-based place in the heap; 0: in the list of those due now */
    struct sim_event_id next;   /* in that list */
    struct sim_event_id previous;
};

/* A place in the heap; the keys stand here so that sifting reads no event. */
struct sim_heap_entry {
    uint64_t at;
    uint64_t sequence;
    struct sim_event_id event;
    uint32_t padding;
};

/* ---- links, interfaces, hosts ------------------------------------------------------------- */

/* One direction's properties: the model that the world and the kernel-side coordinator share. */
struct sim_link_way {
    uint64_t delay_ns;
    uint64_t jitter_ns;       /* uniform in [-jitter, +jitter] around delay */
    uint64_t rate_bits;       /* per second; 0: unlimited */
    uint64_t busy_until;      /* when the last queued bit leaves */
    uint64_t last_arrival_at; /* without reordering, arrivals keep their order */
    uint32_t queue_bytes;     /* bound of the queue before the line; 0: 1000 packets' worth */
    uint32_t loss_ppm;        /* chances in parts per million */
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;
    uint32_t corrupt_ppm;
    uint32_t mtu;
    uint64_t packets_sent;
    uint64_t packets_dropped;
};

struct sim_link {
    struct sim_slot slot;
    struct sim_host_id host[2];
    struct sim_link_way way[2]; /* way[0]: from host[0] to host[1] */
    uint32_t down;              /* 1: everything is dropped */
    uint32_t padding;
    struct sim_link_id next_of_host[2]; /* each host's list of links */
};

struct sim_interface {
    struct sim_slot slot;
    struct sim_host_id host;
    struct sim_interface_id next; /* of the host */
    uint32_t number;              /* if_nametoindex: 1 = lo */
    uint32_t flags;               /* IFF_* */
    uint32_t mtu;
    uint32_t address_count;
    char name[SIM_NAME_BYTES];
    struct {
        struct sim_ip ip;
        uint32_t prefix_bits; /* of the 128; IPv4 /24 is 120 */
        uint32_t padding;
    } addresses[SIM_INTERFACE_ADDRESSES];
};

struct sim_route {
    struct sim_slot slot;
    struct sim_route_id next; /* of the host; longest prefix first, then lowest metric */
    struct sim_interface_id interface;
    struct sim_ip destination;
    struct sim_ip source; /* preferred source, or zero */
    uint32_t prefix_bits;
    uint32_t metric;
    uint32_t kind; /* enum sim_route_kind */
    uint32_t padding;
};

enum sim_route_kind {
    SIM_ROUTE_UNICAST = 0,
    SIM_ROUTE_UNREACHABLE, /* EHOSTUNREACH */
    SIM_ROUTE_BLACKHOLE,   /* EINVAL, as Linux says */
    SIM_ROUTE_PROHIBIT,    /* EACCES */
};

struct sim_host {
    struct sim_slot slot;
    char name[SIM_NAME_BYTES];         /* in scenarios and reports */
    char hostname[SIM_HOSTNAME_BYTES]; /* gethostname */
    struct sim_interface_id first_interface;
    struct sim_route_id first_route;
    struct sim_link_id first_link;
    uint32_t next_port_offset; /* the ephemeral search's moving start */
    uint32_t unix_names;       /* count of UNIX names bound here */
    struct sim_unix_id first_unix_name;
    struct sim_netlink_id first_netlink;
    uint32_t netlink_padding;
    int64_t settings[SIM_SETTING_COUNT];
    uint64_t tcp_segments_in;
    uint64_t tcp_segments_out;
    uint64_t tcp_retransmissions;
    uint64_t icmp_next_at; /* rate limit of ICMP errors */
    /* the resolver's: which server is next (rotate), the last query's identifier */
    uint32_t resolver_memory[2];
};

/* ---- name service: lines as they were given, read by who needs them ----------------------- */

enum sim_line_kind {
    SIM_LINE_RECORD = 1, /* of the world's zone */
    SIM_LINE_HOSTS,      /* of a host's /etc/hosts */
    SIM_LINE_RESOLVER,   /* of a host's resolv.conf */
};

struct sim_line {
    struct sim_slot slot;
    struct sim_line_id next; /* in the order they were given */
    uint32_t kind;           /* enum sim_line_kind */
    struct sim_host_id host; /* index 0: the world's */
    uint32_t padding;
    char text[SIM_LINE_BYTES]; /* ends with a NUL; zero beyond */
};

/* ---- scripts: what the runner does at an instant; the code stands in its handle ----------- */

struct sim_script {
    struct sim_slot slot;
    uint64_t at;
};

/* A piece of the fault plan: its rules, its actors, what they did so far. fault/ alone knows what lies
 * in it; cells name each other by index. */
struct sim_cell {
    struct sim_slot slot;
    _Alignas(8) uint8_t bytes[SIM_CELL_BYTES];
};

/* ---- waiting ------------------------------------------------------------------------------ */

struct sim_wait_queue {
    struct sim_waiter_id first;
    struct sim_waiter_id last;
};

enum sim_waiter_kind {
    SIM_WAITER_NONE = 0,
    SIM_WAITER_TASK,  /* a task's wait */
    SIM_WAITER_EPOLL, /* an item of an epoll's interest list: lives until removed */
};

/* One link between who waits and what is waited for. */
struct sim_waiter {
    struct sim_slot slot;
    uint32_t kind;
    uint32_t events;      /* POLL* bits that wake it */
    uint32_t queue_kind;  /* which object's queue it stands in: enum sim_file_kind or task/barrier */
    uint32_t queue_index; /* and that object's index */
    struct sim_waiter_id previous_in_queue;
    struct sim_waiter_id next_in_queue;
    struct sim_waiter_id next_of_owner; /* the task's waits; the epoll's items */
    struct sim_waiter_id next_ready;    /* epoll: its ready list */
    struct sim_waiter_id previous_of_owner;
    struct sim_waiter_id previous_ready;
    struct sim_task_id task;
    struct sim_epoll_id epoll;
    struct sim_file_id file; /* the description waited on: a task's wait holds it, an item does not */
    int32_t descriptor;      /* epoll: the number it was added as */
    uint64_t data;           /* epoll_event.data */
    uint32_t is_ready;       /* epoll: stands in the ready list */
    uint32_t interest;       /* epoll: the events as given, with EPOLLET, EPOLLONESHOT … */
};

/* ---- processes, tasks, descriptors -------------------------------------------------------- */

struct sim_descriptor {
    struct sim_file_id file;
    uint32_t flags; /* FD_CLOEXEC */
};

struct sim_descriptor_page {
    struct sim_slot slot;
    uint32_t used;
    uint32_t padding;
    struct sim_descriptor descriptors[SIM_DESCRIPTORS_PER_PAGE];
};

enum sim_waitable {
    SIM_WAITABLE_NOT = 0,
    SIM_WAITABLE_LIVES, /* its parent will want to know of its end */
    SIM_WAITABLE_DEAD,  /* a zombie */
};

/* One of setitimer's timers. */
struct sim_interval {
    uint64_t at; /* 0: disarmed */
    uint64_t interval_ns;
    struct sim_event_id event;
    uint32_t padding;
};

struct sim_process {
    struct sim_slot slot;
    uint8_t local[SIM_LOCAL_BYTES]; /* the library's: its default timeout; no pointers */
    struct sim_host_id host;
    struct sim_process_id parent;
    uint32_t pid, uid, gid;
    uint32_t first_descriptor; /* numbers below lie with the real system */
    uint32_t lowest_free;      /* hint: no free descriptor below */
    uint32_t open_descriptors;
    uint32_t descriptor_limit; /* RLIMIT_NOFILE */
    uint32_t task_count;       /* tasks that have not ended */
    uint32_t references;       /* itself until it exits, its tasks' records, sockets that it made */
    struct sim_process_id next_gone; /* of those that nobody names, oldest first */
    uint64_t handled_signals;        /* bit n-1: signal n has a handler */
    uint64_t ignored_signals;
    uint64_t restart_signals; /* the handler was installed with SA_RESTART */
    uint32_t exited;
    int32_t exit_status;
    uint32_t killed_by; /* the signal that ended it */
    uint32_t padding;
    char name[SIM_NAME_BYTES];
    uint64_t program; /* 1: its tasks are threads of a real process */
    uint64_t memory;  /* a program's: names its address space; a vfork's child has its parent's */
    uint32_t group;   /* process group and session, by the pid of who leads them; a program's */
    uint32_t session;
    uint32_t waitable; /* enum sim_waitable; not 0: holds its record */
    uint32_t executed; /* 1: has called exec since its fork */
    struct sim_wait_queue child_waiters;
    struct sim_actions_id actions;
    struct sim_task_id vfork_parent;     /* who waits until this process executes or ends */
    struct sim_pending_id first_pending; /* for any of its tasks: all of them block these now */
    struct sim_pending_id last_pending;
    struct sim_interval intervals[SIM_INTERVAL_TIMERS];
    struct sim_alarm_id first_alarm;
    uint32_t next_alarm;                  /* timer_create's next number */
    uint32_t orphan;                      /* 1: its parent ended before it */
    struct sim_cell_id fault_counts;      /* of its calls, in the fault plan; index 0: none yet */
    uint32_t pages[SIM_DESCRIPTOR_PAGES]; /* of SIM_POOL_DESCRIPTOR_PAGE */
};

enum sim_task_state {
    SIM_TASK_READY = 1, /* a TASK_RUNS event is queued */
    SIM_TASK_RUNNING,
    SIM_TASK_WAITING,
    SIM_TASK_ENDED, /* until joined; of those that nobody joins, the last few are kept */
};

enum sim_task_fate {
    SIM_TASK_WELL = 0, /* it returned, or its process ended */
    SIM_TASK_FAILED,   /* sim_task_fail, the watchdog */
    SIM_TASK_KILLED,   /* a signal ended its process */
};

enum sim_wake {
    SIM_WAKE_NONE = 0,
    SIM_WAKE_OBJECT, /* something waited for changed */
    SIM_WAKE_DEADLINE,
    SIM_WAKE_SIGNAL,
};

/* The call a task is in: what must outlive a wait lies here, never on a stack. Zero between calls.
 */
struct sim_call {
    uint32_t kind;                  /* enum sim_call_kind (call.h); 0: none */
    union {                         /* what this kind of call remembers between its turns */
        uint32_t connect_step;      /* connect: what was done already */
        uint32_t closed_generation; /* close that lingers: of the socket's slot */
        uint32_t futex_woken;       /* futex: 1 when somebody woke it */
    };
    uint64_t started_at;
    uint64_t deadline_at; /* SIM_NEVER: none */
    union {
        uint64_t moved_bytes;   /* transfers: so far */
        uint64_t closed_socket; /* close that lingers: the socket's index */
        uint64_t barrier_round; /* barrier: the round it came in */
    };
    int32_t descriptor;      /* for reports */
    uint32_t wakes;          /* how often it woke */
    struct sim_file_id file; /* the description it works on, held by the task's first waiter */
    uint32_t events;         /* POLL* bits it waits for */
    uint32_t masked;         /* 1: a ppoll's signal mask is in force */
    uint32_t waits_really;   /* 1: only something real can end this wait */
};

struct sim_task {
    struct sim_slot slot;
    struct sim_process_id process;
    struct sim_host_id host;
    uint32_t state;  /* enum sim_task_state */
    uint32_t wake;   /* enum sim_wake: why it last woke */
    uint32_t daemon; /* 1: does not keep the world from being idle */
    uint32_t spins;  /* calls since the clock was seen at spun_at: the spin guard */
    uint64_t spun_at;
    uint64_t busy_calls; /* calls since it last waited, as far as the spin guard counted them */
    struct sim_call call;
    struct sim_waiter_id first_waiter;
    struct sim_event_id deadline_event;
    struct sim_event_id run_event;
    struct sim_event_id signal_event; /* interrupt_after */
    uint64_t pending_signals;
    uint64_t blocked_signals;
    uint64_t saved_blocked_signals;      /* while ppoll's mask is in force */
    uint64_t awaited_signals;            /* sigtimedwait's, while it waits */
    struct sim_pending_id first_pending; /* a program's: what pending_signals stands for */
    struct sim_pending_id last_pending;
    uint32_t tid;          /* a program's: what gettid says */
    uint32_t restore_mask; /* 1: saved_blocked_signals comes back when its signals are delivered */
    struct sim_wait_queue joiners;
    uint32_t number; /* what it is called outside: never another's while anybody may ask for it */
    uint32_t fate;   /* enum sim_task_fate */
    struct sim_task_id previous_ended; /* those that ended and were not joined, oldest first */
    struct sim_task_id next_ended;
    uint32_t landed;         /* interrupt_after's signal ended a wait */
    uint32_t resolver_habit; /* what it learned of its name servers: struct sim_resolver_asker */
    char name[SIM_NAME_BYTES];
};

/* The world's table of task numbers, by the number's low bits: what is known of a number. */
struct sim_task_entry {
    uint32_t number;         /* 0: nothing */
    struct sim_task_id task; /* index 0: it ended, nobody joined it, its record is gone */
    struct sim_process_id process;
    uint32_t fate; /* enum sim_task_fate */
};

/* A word of a program's memory that somebody waits on; lives while its queue is not empty. */
struct sim_futex {
    struct sim_slot slot;
    struct sim_futex_id next; /* of its bucket */
    uint32_t bucket;
    uint64_t key[2]; /* of private memory: sim_process.memory and the address; else what is shared */
    struct sim_wait_queue waiters; /* each one's bit set is its waiter's `interest` */
};

struct sim_barrier { /* all who are expected reach it together */
    struct sim_slot slot;
    uint32_t expected;
    uint32_t arrived;
    uint32_t round; /* counts the meetings */
    uint32_t padding;
    struct sim_wait_queue waiters;
    char name[SIM_NAME_BYTES];
};

/* ---- open file descriptions --------------------------------------------------------------- */

enum sim_file_kind {
    SIM_FILE_NONE = 0,
    SIM_FILE_SOCKET,
    SIM_FILE_PIPE_READ,
    SIM_FILE_PIPE_WRITE,
    SIM_FILE_EPOLL,
    SIM_FILE_COUNTER,
    SIM_FILE_TIMER,
    SIM_FILE_REAL, /* a descriptor of the real system, at the same number */
    SIM_FILE_SIGNALFD,
    SIM_FILE_KIND_COUNT,
    /* not files, but waited on alike: */
    SIM_QUEUE_TASK = 100,
    SIM_QUEUE_BARRIER,
    SIM_QUEUE_PIPE, /* both ends wait in the pipe's one queue */
    SIM_QUEUE_FUTEX,
    SIM_QUEUE_CHILDREN, /* who waits for a process's children */
};

struct sim_file {
    struct sim_slot slot;
    uint32_t kind;       /* enum sim_file_kind */
    uint32_t object;     /* index in that kind's pool */
    uint32_t references; /* descriptors and messages in flight */
    uint32_t status;     /* O_NONBLOCK, O_RDWR … */
    uint32_t in_flight;  /* references held by SCM_RIGHTS messages */
    int32_t owner;       /* F_SETOWN: a process's number, or minus a group's */
    uint32_t signal;     /* F_SETSIG: 0 is SIGIO */
    uint32_t padding;
};

enum { SIM_PIPE_PAGES = 256 }; /* the most a pipe may have: 1 MiB */

struct sim_pipe {
    struct sim_slot slot;
    struct sim_bytes bytes;
    struct sim_wait_queue waiters;
    uint32_t readers, writers;
    uint32_t page_limit;
    uint32_t page_count; /* in use, from first_page on, round and round */
    uint32_t first_page;
    uint32_t padding;
    /* Of each page in use: where its unread bytes begin, and where they end. */
    uint16_t starts[SIM_PIPE_PAGES];
    uint16_t ends[SIM_PIPE_PAGES];
    uint8_t packets[SIM_PIPE_PAGES]; /* 1: written with O_DIRECT: read alone, and whole or cut */
};

enum sim_real_kind_of {
    SIM_REAL_IS_READY = 1, /* a regular file, a directory: always ready */
    SIM_REAL_IS_POLLED,    /* what its process last saw */
};

struct sim_real { /* a descriptor that lies with the real system */
    struct sim_slot slot;
    uint32_t kind;  /* enum sim_real_kind_of */
    uint32_t ready; /* POLL* bits of a polled one */
    struct sim_wait_queue waiters;
    /* on its way to another process: how often, and who keeps it open meanwhile, under which number */
    uint32_t sent_count, keeper_pid;
    int32_t keeper_fd;
    uint32_t padding;
};

/* A program's signal actions. Addresses are numbers here. */
struct sim_action {
    uint64_t handler; /* 0: SIG_DFL, 1: SIG_IGN */
    uint64_t flags;   /* SA_* */
    uint64_t restorer;
    uint64_t mask;
};

struct sim_actions {
    struct sim_slot slot;
    struct sim_action of[SIM_SIGNALS]; /* by number - 1 */
};

/* A signal that was sent to a program and not delivered yet. */
struct sim_pending {
    struct sim_slot slot;
    struct sim_pending_id next;
    uint32_t number;
    int32_t code; /* SI_USER, CLD_EXITED … */
    uint32_t pid, uid;
    int32_t status;  /* of a child */
    uint32_t shared; /* 1: sent to the process, a task's only because it does not block it */
    uint32_t alarm;  /* of timer_create: the pool's index; 0: of none */
    uint64_t value;  /* sigval */
    uint64_t overrun;
};

struct sim_signalfd {
    struct sim_slot slot;
    uint64_t mask;
    struct sim_wait_queue waiters;
    struct sim_process_id process; /* who made it */
    uint32_t padding;
};

struct sim_alarm { /* timer_create's */
    struct sim_slot slot;
    struct sim_alarm_id next; /* of the process */
    struct sim_process_id process;
    uint32_t number;
    int32_t clock;
    int32_t notify; /* SIGEV_* */
    int32_t signal;
    uint32_t tid;     /* of SIGEV_THREAD_ID */
    uint32_t pending; /* 1: its signal is queued */
    uint64_t value;
    uint64_t at; /* 0: disarmed */
    uint64_t interval_ns;
    uint64_t overrun; /* since the signal was queued; of the last delivered */
    uint64_t last_overrun;
    struct sim_event_id event;
    uint32_t padding;
};

struct sim_counter { /* eventfd */
    struct sim_slot slot;
    uint64_t value;
    struct sim_wait_queue waiters;
    uint32_t semaphore;
    uint32_t padding;
};

struct sim_timer { /* timerfd */
    struct sim_slot slot;
    uint64_t next_at; /* SIM_NEVER when disarmed */
    uint64_t interval_ns;
    uint64_t expirations;
    struct sim_wait_queue waiters;
    struct sim_event_id event;
    uint32_t clock;
    uint32_t armed;
    uint32_t padding;
};

struct sim_epoll {
    struct sim_slot slot;
    struct sim_waiter_id first_item;  /* by next_of_owner */
    struct sim_waiter_id first_ready; /* by next_ready */
    struct sim_waiter_id last_ready;
    uint32_t item_count;
    struct sim_wait_queue waiters;
};

/* ---- sockets ------------------------------------------------------------------------------ */

/* the rows of run/protocols.c's table */
enum sim_protocol_kind {
    SIM_PROTOCOL_NONE = 0,
    SIM_PROTOCOL_TCP,
    SIM_PROTOCOL_UDP,
    SIM_PROTOCOL_UNIX_STREAM,
    SIM_PROTOCOL_UNIX_DGRAM,
    SIM_PROTOCOL_UNIX_SEQPACKET,
    SIM_PROTOCOL_NETLINK,
    SIM_PROTOCOL_UDPLITE,
    SIM_PROTOCOL_COUNT,
};

enum sim_socket_flag {
    SIM_SOCKET_BOUND = 1,         /* has a local port or name */
    SIM_SOCKET_BOUND_ADDRESS = 2, /* bind() named a specific address */
    SIM_SOCKET_BOUND_PORT = 4,    /* bind() named a port (SOCK_BINDPORT_LOCK) */
    SIM_SOCKET_LISTENING = 8,
    SIM_SOCKET_CONNECTING = 16,
    SIM_SOCKET_CONNECTED = 32,
    SIM_SOCKET_READ_SHUT = 64,   /* RCV_SHUTDOWN */
    SIM_SOCKET_WRITE_SHUT = 128, /* SEND_SHUTDOWN */
    SIM_SOCKET_ORPHAN = 256,     /* no file names it any more; the protocol ends it */
    SIM_SOCKET_ACCEPTED = 512,
    SIM_SOCKET_NOSPACE = 1024, /* a writer met a full buffer: wake it when there is room */
    SIM_SOCKET_HASHED_BOUND = 2048,
    SIM_SOCKET_HASHED_CONNECTED = 4096,
    SIM_SOCKET_CONNECT_PORT = 8192, /* connect() chose the port: others may share it */
    /* LINUX: sk_dst_reset: what was set asks for the path anew, which the next send does */
    SIM_SOCKET_PATH_FORGOTTEN = 32768,
    SIM_SOCKET_DISCONNECTING = 16384, /* LINUX: SS_DISCONNECTING: connect() is refused for good */
};

/* A negative SO_RCVTIMEO or SO_SNDTIMEO; no other is shorter than a jiffy. */
enum { SIM_TIMEOUT_AT_ONCE = 1 };

/* modelled on/off options */
enum sim_option_bit {
    SIM_OPTION_REUSEADDR = 1,
    SIM_OPTION_REUSEPORT = 2,
    SIM_OPTION_KEEPALIVE = 4,
    SIM_OPTION_BROADCAST = 8,
    SIM_OPTION_OOBINLINE = 16,
    SIM_OPTION_LINGER = 32,
    SIM_OPTION_V6ONLY = 64,
    SIM_OPTION_PASSCRED = 128,
    SIM_OPTION_TIMESTAMP = 256,
    SIM_OPTION_DONTROUTE = 512,
    SIM_OPTION_RECVERR = 1024,
    SIM_OPTION_RECVERR6 = 2048,
    SIM_OPTION_PKTINFO = 4096,
    SIM_OPTION_PKTINFO6 = 8192,
    SIM_OPTION_RCVBUF_LOCKED = 16384,
    SIM_OPTION_SNDBUF_LOCKED = 32768,
    SIM_OPTION_FREEBIND = 65536,
    SIM_OPTION_TIMESTAMPNS = 131072,
    SIM_OPTION_MULTICAST_ALL_OFF = 262144,
    SIM_OPTION_MULTICAST_LOOP_OFF = 524288,
    SIM_OPTION_MULTICAST6_LOOP_OFF = 1 << 20,
    SIM_OPTION_RECVTTL = 1 << 21,
    SIM_OPTION_RECVTOS = 1 << 22,
    SIM_OPTION_RECVHOPLIMIT = 1 << 23,
    SIM_OPTION_RECVTCLASS = 1 << 24,
    SIM_OPTION_BIND_NO_PORT = 1 << 25,
    SIM_OPTION_RCVLOWAT_SET = 1 << 26,
    SIM_OPTION_MULTICAST6_ALL_OFF = 1 << 27,
    SIM_OPTION_TRANSPARENT = 1 << 28,
};

struct sim_socket {
    struct sim_slot slot;
    struct sim_host_id host;
    uint32_t protocol_kind; /* enum sim_protocol_kind */
    uint16_t family;
    uint16_t type;
    uint32_t protocol;        /* IPPROTO_* */
    uint32_t flags;           /* enum sim_socket_flag */
    uint32_t options;         /* enum sim_option_bit */
    uint32_t detail;          /* sim_tcp_id, sim_unix_id, sim_netlink_id, by protocol_kind */
    int32_t error;            /* SO_ERROR: positive errno, taken by the next call */
    int32_t soft_error;       /* reported only if the operation then fails */
    uint32_t bound_interface; /* SO_BINDTODEVICE: interface number */
    struct sim_endpoint local;
    struct sim_endpoint remote;
    struct sim_file_id file;     /* the description that names it, or none (queued, orphan) */
    struct sim_process_id owner; /* who made it: credentials */
    struct sim_wait_queue waiters;
    /* port.c: the host's bound and connected tables */
    struct sim_socket_id next_bound;
    struct sim_socket_id previous_bound;
    struct sim_socket_id next_connected;
    struct sim_socket_id previous_connected;
    /* received and not yet read */
    struct sim_bytes receive; /* byte streams */
    struct sim_datagram_id first_datagram;
    struct sim_datagram_id last_datagram;
    struct sim_datagram_id first_error; /* MSG_ERRQUEUE */
    struct sim_datagram_id last_error;
    uint32_t receive_charge; /* bytes held, as SO_RCVBUF counts them (truesize) */
    uint32_t send_charge;    /* as SO_SNDBUF counts them */
    uint32_t receive_limit;  /* SO_RCVBUF as getsockopt tells it (doubled) */
    uint32_t send_limit;
    uint32_t receive_low_water;
    uint32_t linger_seconds;
    uint64_t receive_timeout_ns; /* 0: none; SIM_TIMEOUT_AT_ONCE: do not wait */
    uint64_t send_timeout_ns;
    struct sim_option_id first_option; /* stored, not modelled */
    struct sim_membership_id first_membership;
    uint8_t tos, ttl, hop_limit, multicast_ttl; /* 0 for ttl, hop_limit: the host's default */
    uint32_t flow_label;
    uint32_t priority;
    uint32_t mark;
    uint32_t multicast_interface;
    uint32_t mtu_discover;
    /* the same for what goes by IPv6 */
    uint32_t multicast_hops6;
    uint32_t multicast_interface6;
    uint32_t mtu_discover6;
    uint32_t padding;
};

/* An option that is kept and told again but changes nothing. */
struct sim_option {
    struct sim_slot slot;
    struct sim_option_id next;
    int32_t level;
    int32_t name;
    uint32_t bytes;
    uint8_t value[SIM_OPTION_BYTES];
};

struct sim_membership {
    struct sim_slot slot;
    struct sim_membership_id next;
    uint32_t interface;  /* number */
    struct sim_ip group; /* of a source: its address */
    struct sim_host_id host;
    uint32_t includes;  /* 1: hears its sources alone; 0: all but them */
    uint32_t has_list;  /* 1: a source was listed once: Linux keeps to that way then */
    uint32_t is_source; /* 1: one of a membership's sources, and no membership */
    struct sim_membership_id first_source;
    uint32_t padding;
};

/* A message in a receive queue, or an entry of an error queue. */
struct sim_datagram {
    struct sim_slot slot;
    struct sim_datagram_id next;
    uint32_t charge; /* what it counts against SO_RCVBUF */
    struct sim_bytes bytes;
    struct sim_endpoint source;
    struct sim_endpoint destination;
    uint64_t arrived_at;
    uint32_t interface;               /* number */
    uint8_t ttl, tos, version, ended; /* ended: UNIX stream piece that closes a record of rights */
    struct sim_rights_id rights;
    uint32_t sender_pid, sender_uid, sender_gid;
    struct sim_unix_id sender; /* UNIX: whose send buffer it counts against */
    uint32_t sender_generation;
    uint32_t sender_name_bytes;
    uint32_t segment_bytes; /* UDP_GRO: it is several, each of so many bytes */
    uint8_t sender_name[SIM_UNIX_NAME_BYTES];
    int32_t error;                                        /* MSG_ERRQUEUE: sock_extended_err */
    uint8_t error_origin, error_type, error_code, spoilt; /* spoilt: its checksum is wrong */
    uint32_t error_info;
};

/* Descriptions in flight with a message: a list, each holding one reference. */
struct sim_rights {
    struct sim_slot slot;
    struct sim_rights_id next;
    struct sim_file_id file;
};

struct sim_unix {
    struct sim_slot slot;
    struct sim_socket_id socket;
    struct sim_socket_id peer;
    uint32_t name_bytes; /* 0: unnamed; abstract names start with NUL */
    uint8_t name[SIM_UNIX_NAME_BYTES];
    struct sim_unix_id next_named;   /* the host's names */
    struct sim_socket_id listener;   /* a child not yet accepted: whose queue it stands in */
    struct sim_socket_id next_child; /* in the accept queue */
    struct sim_socket_id first_child;
    struct sim_socket_id last_child;
    uint32_t child_count;
    uint32_t backlog;
    uint32_t peer_pid, peer_uid, peer_gid; /* SO_PEERCRED */
    uint32_t name_is_path; /* a filesystem name: stays in the host's name space after close */
    uint32_t is_named;     /* stands in the host's list of names; socket 0: what close left there */
    uint32_t boundary;     /* the last receive ended where descriptors came: WAITALL ends too */
    struct sim_datagram_id urgent; /* a stream: the last message sent with MSG_OOB, not yet read */
    /* who waits for room in this socket's queue, and which queue this one waits for */
    struct sim_unix_id first_blocked;
    struct sim_unix_id next_blocked;
    struct sim_unix_id blocked_on;
    /* datagram sockets connected to this one */
    struct sim_unix_id first_client;
    struct sim_unix_id next_client;
    uint32_t peer_gone;       /* the datagram peer was closed: the next send tells */
    uint32_t gone_name_bytes; /* and this was its name, which getpeername() goes on telling */
    uint8_t gone_name[SIM_UNIX_NAME_BYTES];
    struct sim_host_id host;
    uint32_t type; /* SOCK_*: abstract names are apart for each */
    uint32_t padding;
};

/* ---- netlink ------------------------------------------------------------------------------ */

/* A question whose answer is given piece by piece, as its asker reads. */
struct sim_netlink_dump {
    uint32_t kind;      /* enum sim_netlink_dump_kind: netlink/internal.h; 0: none is going on */
    uint32_t sequence;  /* of the question; the answers have it too */
    uint32_t family;    /* only these; AF_UNSPEC: all */
    uint32_t protocol;  /* SOCK_DIAG: IPPROTO_* */
    uint32_t states;    /* SOCK_DIAG: one bit for each state that is asked for */
    uint32_t show;      /* SOCK_DIAG: what is asked of each */
    uint32_t interface; /* only of this; 0: of all */
    uint32_t at;        /* how far it is: the kind's own count */
    uint32_t finished;  /* all was told but NLMSG_DONE */
    int32_t status;     /* what that will say: 0 or -errno */
};

struct sim_netlink {
    struct sim_slot slot;
    struct sim_socket_id socket;
    struct sim_netlink_id next; /* of the host */
    uint32_t port;              /* nl_pid */
    uint32_t bound;
    uint32_t peer_port; /* connect() */
    uint32_t peer_groups;
    uint64_t groups;       /* bit n-1: member of group n */
    uint32_t options;      /* bit n: NETLINK_* option n is on */
    uint32_t knows_groups; /* 1: the list of groups was made: its length is told */
    struct sim_netlink_dump dump;
};

/* ---- TCP ---------------------------------------------------------------------------------- */

enum sim_tcp_state {
    SIM_TCP_CLOSED = 0,
    SIM_TCP_LISTEN,
    SIM_TCP_SYN_SENT,
    SIM_TCP_SYN_RECEIVED,
    SIM_TCP_ESTABLISHED,
    SIM_TCP_FIN_WAIT_1,
    SIM_TCP_FIN_WAIT_2,
    SIM_TCP_CLOSE_WAIT,
    SIM_TCP_CLOSING,
    SIM_TCP_LAST_ACK,
    SIM_TCP_TIME_WAIT,
    SIM_TCP_STATE_COUNT,
};

enum sim_tcp_timer {
    SIM_TCP_TIMER_RETRANSMIT, /* what it means now: retransmit_kind */
    SIM_TCP_TIMER_DELAYED_ACK,
    SIM_TCP_TIMER_KEEPALIVE, /* keepalive; a child's SYN-ACK; the end of FIN_WAIT_2, TIME_WAIT */
    SIM_TCP_TIMER_COUNT,
};

/* Linux's icsk_pending */
enum sim_tcp_retransmit_kind {
    SIM_TCP_RETRANSMIT_OFF = 0,
    SIM_TCP_RETRANSMIT_RTO,
    SIM_TCP_RETRANSMIT_PROBE,   /* tail loss probe */
    SIM_TCP_RETRANSMIT_REORDER, /* RACK's reordering window ends */
    SIM_TCP_RETRANSMIT_WINDOW,  /* zero window probe */
};

/* The transmission control block. Sequence numbers are of RFC 9293's names where it has one. */
struct sim_tcp {
    struct sim_slot slot;
    struct sim_socket_id socket;
    uint32_t state; /* enum sim_tcp_state; changed by tcp/state.c alone */
    /* send sequence space */
    uint32_t iss, snd_una, snd_nxt, write_seq; /* write_seq: end of what was written, FIN included */
    uint32_t snd_wnd, snd_wl1, max_window;     /* bytes, scaled */
    uint32_t small_seq;                        /* end of the last segment below MSS sent (Minshall) */
    uint32_t snd_up;                           /* urgent pointer */
    /* receive sequence space */
    uint32_t irs, rcv_nxt, rcv_wup, rcv_wnd;
    uint32_t copied_seq;   /* end of what the program read */
    uint32_t rcv_up;       /* where the urgent byte lies */
    uint32_t window_limit; /* what the window may grow to: Linux's rcv_ssthresh */
    uint32_t window_clamp;
    uint32_t window_ratio; /* of 256: how much of the receive buffer is window; 0: half */
    /* sent and unacknowledged, by sequence; written and unsent; arrived before its time */
    struct sim_packet_id first_sent, last_sent;
    struct sim_bytes send;
    struct sim_packet_id first_early, last_early;
    uint32_t packets_out, sacked_out, lost_out, retransmitted_out;
    uint32_t early_charge; /* of receive_charge, what first_early holds */
    uint32_t reordering;   /* duplicate ACKs that mean loss */
    /* options agreed */
    uint32_t mss;      /* payload of a segment now */
    uint32_t peer_mss; /* what the peer's SYN allowed */
    uint32_t path_mtu;
    uint32_t receive_mss; /* estimate of the peer's segments */
    uint32_t advertised_mss;
    uint8_t snd_wscale, rcv_wscale, wscale_ok, sack_ok;
    uint8_t timestamps_ok, nodelay, cork, urgent_state;
    uint8_t fin_queued, fin_sent, fin_received, defer_accept;
    uint8_t retransmits, probes, backoff, total_timeouts;
    uint8_t ack_pending, quick_acks, pingpong, retransmit_kind;
    uint8_t acked; /* a child whose final ACK came while the accept queue was full */
    uint8_t urgent_byte;
    uint8_t cookie; /* a child that a SYN cookie stands for */
    uint8_t congestion_kind;
    uint32_t ts_recent;
    uint32_t ts_recent_s;     /* second of its arrival */
    uint32_t last_oow_ack_ms; /* when the last ACK for a bad segment left; 0: never */
    uint32_t dsack[2];        /* a duplicate to tell the peer, when not equal */
    /* round-trip time (microseconds, scaled as Linux does) and retransmission */
    uint32_t srtt_us8, mdev_us4, mdev_max_us4, rttvar_us4, rtt_seq, min_rtt_us;
    uint32_t probe_seq; /* snd_nxt when a tail loss probe left, 0: none */
    uint32_t probe_is_retransmission;
    uint64_t rto_ns;
    uint64_t retransmit_since; /* the first retransmission of this run: a mark, 0: none */
    uint64_t probes_since;     /* a mark, too */
    /* congestion: segments, as Linux counts */
    uint32_t cwnd, ssthresh, cwnd_count;
    uint32_t congestion_state, recovery_point, prior_cwnd, prior_ssthresh;
    uint32_t undo_marker, undo_retransmits, delivered, recovery_delivered, recovery_sent;
    uint64_t rack_at; /* when the last delivered segment was sent: a mark */
    uint32_t rack_end, rack_rtt_us;
    struct { /* cubic, in milliseconds and segments */
        uint32_t last_max, epoch_start_ms, origin, k_ms, tcp_cwnd, ack_count;
        /* HyStart's round: where it ends, its shortest round trip; the shortest of all */
        uint32_t round_end, round_samples, round_rtt_us, least_rtt_us;
        uint32_t round_start_us, last_ack_us;
    } cubic;
    /* timers: the armed instant as a mark (0: off) and its event, which may be queued earlier */
    uint64_t timer_at[SIM_TCP_TIMER_COUNT];
    struct sim_event_id timer_event[SIM_TCP_TIMER_COUNT];
    uint32_t ack_timeout_ms;                 /* of the delayed ACK, adapts */
    uint64_t last_received_at, last_sent_at; /* data */
    uint64_t last_heard_at;                  /* any acceptable ACK */
    /* options set by the program; 0: the host's setting */
    uint32_t user_timeout_ms;
    uint32_t keepalive_idle_s, keepalive_interval_s;
    uint32_t keepalive_count, syn_count;
    int32_t linger2_s;
    uint32_t max_segment;
    uint32_t not_sent_low_water;
    /* buffer tuning */
    uint32_t space_seq, space_bytes; /* copied_seq then, and how much was read in a round trip */
    uint64_t space_at;
    /* listening */
    uint32_t backlog;
    uint32_t accept_count; /* complete, waiting for accept() */
    uint32_t half_open_count;
    struct sim_tcp_id first_complete, last_complete;
    struct sim_tcp_id first_half_open;
    struct sim_tcp_id next_child;     /* a child: next in either list */
    struct sim_tcp_id previous_child; /* half open */
    struct sim_tcp_id listener;       /* a child not yet accepted */
    uint32_t syn_window;              /* a child: the window its SYN told, unscaled */
    uint64_t bytes_acked, bytes_received, bytes_sent;
    uint32_t segments_in, segments_out, total_retransmissions, early_latest;
};

/* ---- seats: the real threads at a world's tasks -------------------------------------------- */

/* What follows lies in the block behind the world and is no part of what it means: a copy has none of
 * it, a fingerprint does not look at it. Only who holds the turn writes here, but for the words that a
 * kernel clears. */

/* What the coordinator is to do when the turn comes to it. */
enum sim_order {
    SIM_ORDER_LOOP = 0, /* nothing but to go on: it knows what is left to do */
    SIM_ORDER_TASK,     /* run this fiber's task, which the world says runs */
    SIM_ORDER_SCRIPT,   /* run this script */
    SIM_ORDER_LEFT,     /* this process is about to end: wait until it has */
};

struct sim_turn {
    uint32_t holder; /* the task whose thread has the turn; 0: the coordinator */
    uint32_t order;  /* enum sim_order, and what it is about */
    uint32_t subject;
    uint32_t leaving;  /* the task whose thread is leaving its stack: whose turn comes waits for that */
    uint32_t in_world; /* 1: the holder is inside the world's code */
    uint32_t wanted;   /* 1: the coordinator has something to do as soon as anybody passes the turn */
    uint32_t placed;   /* one above the highest process index that ever had a place */
    uint32_t cancelled; /* 1: the coordinator is gone or has given up: nobody goes on */
};

/* By task index; 0 is the coordinator's. */
struct sim_seat {
    uint32_t turn;  /* futex: 1 when its thread may go on */
    uint32_t alive; /* futex: the kernel clears it when a leaving thread has left its stack */
};

/* By process index. */
struct sim_place {
    int32_t pid;         /* what the real system calls it; 0: no real process (yet) */
    uint32_t generation; /* of the process's slot */
};

/* ---- the world ---------------------------------------------------------------------------- */

struct sim_pool {
    uint64_t offset; /* of slot 0 from the block's start; slot 0 is never used */
    uint32_t capacity;
    uint32_t item_bytes;
    uint32_t high_water; /* slots 1 … high_water have been used */
    uint32_t first_free;
    uint32_t live_count;
    uint32_t padding;
};

struct sim_world {
    uint64_t magic;
    uint64_t block_bytes;    /* address space reserved */
    uint64_t now;            /* ns since the world began */
    uint64_t wall_offset_ns; /* CLOCK_REALTIME - now */
    uint64_t seed;
    uint64_t next_event_sequence;
    uint64_t events_run;
    uint64_t packet_hash; /* running hash over every packet as it leaves a host */
    uint64_t packet_count;
    struct sim_pool pools[SIM_POOL_COUNT];
    uint64_t heap_offset; /* struct sim_heap_entry, a 4-ary heap by (at, sequence) */
    uint32_t heap_count;
    uint32_t port_buckets; /* a power of two */
    uint64_t bound_offset; /* uint32_t socket indices: bound table */
    uint64_t connected_offset;
    struct sim_random random;
    struct sim_host_id first_host; /* hosts are never freed: index order */
    struct sim_task_id running;
    uint32_t next_pid;
    uint32_t failed_tasks;
    uint32_t ready_tasks;   /* tasks with a TASK_RUNS event queued */
    uint32_t waiting_tasks; /* tasks that are not daemons, waiting */
    uint32_t live_tasks;    /* tasks that are not daemons and have not ended */
    uint32_t free_padding;
    struct sim_event_id first_now; /* events pushed for the present: a list beside the heap */
    struct sim_event_id last_now;
    struct sim_chunk_id open_chunk; /* where the next copied-in byte goes (bytes.c) */
    uint32_t shuffle;         /* 1: tasks ready at one instant run in the `schedule` stream's order */
    uint64_t address_offset;  /* uint32_t: host.c's table of addresses */
    uint64_t link_offset;     /* uint32_t: link.c's table of links by their two hosts */
    uint32_t address_buckets; /* powers of two */
    uint32_t link_buckets;
    uint64_t turn_offset;            /* struct sim_turn; then what lies there only in a shared block: */
    uint64_t seat_offset;            /* struct sim_seat, by task index */
    uint64_t place_offset;           /* struct sim_place, by process index */
    uint64_t until;                  /* the loop goes no further now */
    uint64_t busy_at;                /* when a task that is no daemon last ran */
    uint64_t touched_offset;         /* a bit for each page of the four tables, which lie in a row */
    uint64_t packets_pathless;       /* sent where no link leads */
    uint64_t datagrams_without_room; /* lost because a pool of the world's is full */
    uint32_t tap;                   /* 1: sim_packet_note keeps a clone of each packet for the runner */
    uint32_t taps_lost;             /* clones for which there was no room */
    struct sim_packet_id first_tap; /* clone.interface: the host that sent it */
    struct sim_packet_id last_tap;
    uint64_t task_entry_offset; /* struct sim_task_entry: call/task.c's table */
    uint32_t task_entries;      /* a power of two, many times the most tasks that may live at once */
    uint32_t last_task_number;
    struct sim_task_id first_ended; /* not joined, oldest first */
    struct sim_task_id last_ended;
    uint32_t spare_events; /* queued for who is outside: signals, instants, changes of links */
    uint32_t spare_limit;  /* how many there may be; the rest of the pool is the world's own */
    uint32_t ended_tasks;
    struct sim_process_id first_gone; /* processes that exited and nobody names, oldest first */
    struct sim_process_id last_gone;
    uint32_t gone_processes;
    uint32_t gone_padding;
    uint32_t killed_by;               /* the first process that a signal ended: the signal … */
    char killed_name[SIM_NAME_BYTES]; /* … and its name */
    /* what hosts sent to themselves, oldest first: empty between calls and events (ip.h) */
    struct sim_packet_id first_backlog;
    struct sim_packet_id last_backlog;
    struct sim_line_id first_line;
    struct sim_line_id last_line;
    struct sim_cell_id fault_plan; /* the plan's first cell; index 0: none yet */
    uint32_t tap_count;            /* packets from first_tap on */
    uint64_t last_memory;          /* sim_process.memory that was given last */
    struct sim_futex_id futexes[SIM_FUTEX_BUCKETS];
    uint64_t spin_limit; /* calls at one instant before the clock is advanced */
    uint64_t spin_calls; /* calls a task may make without ever waiting */
};

#endif
