/* The protocols by name: what each must do, and how a socket() call chooses one.
 * SPDX-License-Identifier: MIT
 *
 * Nothing here waits: what cannot be done now is -EAGAIN (connect: -EINPROGRESS), and call.c waits.
 * The pointers of a msghdr are the caller's, used during the call and not kept. */
#ifndef SIM_PROTOCOL_H
#define SIM_PROTOCOL_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/state.h"

/* EAGAIN that no waiting mends: no port is left for a socket without one. The call says EAGAIN, also
 * one that may wait. */
enum { SIM_EAGAIN_FOR_GOOD = -4096 };

struct sim_protocol {
    const char *name;
    uint32_t connection_oriented; /* 1: EPIPE comes with SIGPIPE */
    uint32_t byte_stream;         /* 1: partial sends and receives, MSG_WAITALL */
    uint32_t peek_is_short;       /* 1: MSG_PEEK gives what there is, also with MSG_WAITALL */
    int type;                     /* over IP: the SOCK_* and IPPROTO_* that socket() asks for; */
    int ip_number;                /* 0: not over IP */
    /* After the generic socket is made, before it is freed. 0 or -errno. */
    int (*create)(struct sim_world *, struct sim_socket_id);
    void (*destroy)(struct sim_world *, struct sim_socket_id);
    int (*pair)(struct sim_world *, struct sim_socket_id, struct sim_socket_id); /* or NULL */
    int (*bind)(struct sim_world *, struct sim_socket_id, const struct sockaddr *, socklen_t);
    int (*listen)(struct sim_world *, struct sim_socket_id, int backlog);
    /* 0, -EINPROGRESS (wait until connected tells), -EAGAIN (UNIX: the backlog is full),
     * SIM_EAGAIN_FOR_GOOD, -errno. */
    int (*connect)(struct sim_world *, struct sim_socket_id, const struct sockaddr *, socklen_t);
    /* After -EINPROGRESS: 0 connected, -EINPROGRESS not yet, or the error it ended with (taken). */
    int (*connected)(struct sim_world *, struct sim_socket_id);
    /* The next complete connection as a socket without a file, or -EAGAIN, -EINVAL, -errno. */
    int (*accept)(struct sim_world *, struct sim_socket_id, struct sim_socket_id *child);
    /* Queues bytes of the message from byte `skip` on; the count queued (a stream may take less), or
     * -errno; -EAGAIN: when there is room, SIM_EAGAIN_FOR_GOOD: never. A datagram is all or nothing.
     * `task` is who sends: credentials, descriptors. */
    ssize_t (*send)(struct sim_world *, struct sim_task_id, struct sim_socket_id, const struct msghdr *,
                    size_t skip, int flags);
    /* flags of both: with MSG_DONTWAIT where the call does not wait, for whatever reason. */
    /* Fills the message from byte `skip` on; the count, 0 at the end, or -errno. Sets msg_name,
     * msg_control, msg_flags as recvmsg(2). */
    ssize_t (*receive)(struct sim_world *, struct sim_task_id, struct sim_socket_id, struct msghdr *,
                       size_t skip, int flags);
    int (*shutdown)(struct sim_world *, struct sim_socket_id, int how);
    /* The last file is gone. Must end in sim_socket_free, now or later (orphan). */
    void (*release)(struct sim_world *, struct sim_socket_id);
    /* After release, with SO_LINGER: is close() still to wait? It is woken when that may have changed.
     * NULL: never. */
    bool (*lingers)(const struct sim_world *, struct sim_socket_id);
    uint32_t (*poll)(const struct sim_world *, struct sim_socket_id); /* all POLL* bits that hold */
    int (*get_name)(const struct sim_world *, struct sim_socket_id, bool peer, struct sockaddr *,
                    socklen_t *);
    /* Levels of its own; -ENOPROTOOPT for what it does not know. */
    int (*set_option)(struct sim_world *, struct sim_socket_id, int level, int name, const void *,
                      socklen_t);
    int (*get_option)(struct sim_world *, struct sim_socket_id, int level, int name, void *,
                      socklen_t *);
    int (*ioctl)(struct sim_world *, struct sim_socket_id, unsigned long request, void *argument);
    /* bind()'s questions. Is the socket past binding? NULL: it is while connected. Does it hold its
     * port for nobody any more (TCP: TIME-WAIT)? NULL: never. */
    bool (*is_past_bind)(const struct sim_world *, const struct sim_socket *);
    bool (*holds_for_nobody)(const struct sim_world *, struct sim_socket_id);
    /* SIM_EVENT_SOCKET. */
    void (*deferred)(struct sim_world *, struct sim_socket_id, uint32_t what);
    /* Asserts the invariants of one live socket. */
    void (*check)(const struct sim_world *, struct sim_socket_id);
};

/* Each protocol's room defines its row; run/protocols.c lists them all, by enum sim_protocol_kind. */
extern const struct sim_protocol *const sim_protocols[SIM_PROTOCOL_COUNT];

/* A family: how a socket() call of it chooses its protocol. */
struct sim_family {
    int domain; /* AF_* */
    /* 0 with *kind and *number (what SO_PROTOCOL tells), or -errno as Linux orders it; type is without
     * its flags. */
    int (*choose)(int type, int protocol, enum sim_protocol_kind *kind, int *number);
};

/* Each family's room defines its row; run/protocols.c lists them all, and ends with NULL. */
extern const struct sim_family *const sim_families[];

static inline const struct sim_protocol *sim_protocol_of(enum sim_protocol_kind kind)
{
    return sim_protocols[kind];
}

/* Which protocol a socket() call means: 0 with *kind and *number, or -errno as Linux orders it. */
int sim_protocol_choose(int family, int type, int protocol, enum sim_protocol_kind *kind, int *number);

#endif
