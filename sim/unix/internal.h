/* UNIX sockets between their own files.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_UNIX_INTERNAL_H
#define SIM_UNIX_INTERNAL_H

#include "core/block.h"
#include "socket/protocol.h"

static inline struct sim_unix *sim_unix_of(const struct sim_world *world, struct sim_socket_id id)
{
    return sim_unix_at(world, (struct sim_unix_id){sim_socket_at(world, id)->detail});
}

static inline struct sim_unix_id sim_unix_id_of(const struct sim_world *world, struct sim_socket_id id)
{
    return (struct sim_unix_id){sim_socket_at(world, id)->detail};
}

/* ---- unix/name.c ---- */

int sim_unix_bind(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                  socklen_t length);
/* An abstract name of the world's choice, unless there is a name. 0 or -ENOSPC. */
int sim_unix_autobind(struct sim_world *world, struct sim_socket_id id);
/* LINUX: unix_validate_addr. 0 or -EINVAL. */
int sim_unix_check_name(const struct sockaddr *address, socklen_t length);
/* The live socket of this type that an address names. 0, -EINVAL (not an address), -ENOENT (no such
 * path), -ECONNREFUSED (nobody there), -EPROTOTYPE. */
int sim_unix_find(const struct sim_world *world, const struct sim_socket *socket,
                  const struct sockaddr *address, socklen_t length, struct sim_socket_id *found);
/* The same for connect(): a socket with SO_PASSCRED gets an automatic name on the way. Also that
 * call's errors. */
int sim_unix_find_peer(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                       socklen_t length, struct sim_socket_id *found);
int sim_unix_get_name(const struct sim_world *world, struct sim_socket_id id, bool peer,
                      struct sockaddr *address, socklen_t *length);
/* The sockaddr of a name. */
void sim_unix_give_name(const uint8_t *name, uint32_t bytes, void *address, socklen_t *length);
/* Takes an abstract name off the host's list; a path stays there. */
void sim_unix_leave_name(struct sim_world *world, struct sim_unix_id id);

/* ---- unix/message.c ---- */

struct sim_unix_cargo { /* what a message carries beside its bytes */
    struct sim_rights_id rights;
    uint32_t pid, uid, gid; /* pid 0: no credentials */
};

/* Reads the control messages to be sent: holds the descriptions of SCM_RIGHTS, checks
 * SCM_CREDENTIALS. 0 or -EINVAL, -EBADF, -EPERM, -ENOBUFS with nothing held. */
int sim_unix_load(struct sim_world *world, struct sim_task_id task, const struct msghdr *message,
                  struct sim_unix_cargo *cargo);
void sim_unix_unload(struct sim_world *world, struct sim_unix_cargo *cargo);
/* Tells of a message's cargo, after `used` bytes of control: SCM_CREDENTIALS to who has SO_PASSCRED,
 * then the descriptions as new descriptors of the task's process. With peek the cargo stays where it
 * is. */
void sim_unix_deliver_cargo(struct sim_world *world, struct sim_task_id task,
                            const struct sim_socket *socket, struct sim_unix_cargo *cargo,
                            struct msghdr *message, size_t used, int flags);
/* A message of bytes [skip, skip + length) from a socket to another's queue, with its charge against
 * the sender; takes over the cargo's rights. 0, -ENOBUFS or -EFAULT. */
int sim_unix_enqueue(struct sim_world *world, struct sim_task_id task, struct sim_socket_id from,
                     struct sim_socket_id to, const struct msghdr *message, size_t skip, size_t length,
                     uint32_t charge, struct sim_unix_cargo *cargo);
/* Frees a message that no queue holds, and drops the descriptions in flight with it. */
void sim_unix_free_message(struct sim_world *world, struct sim_datagram_id id);
/* The sender's name, as recvmsg() tells it. */
void sim_unix_give_sender(const struct sim_datagram *datagram, struct msghdr *message);
/* Takes the first message off the queue; the sender's buffer has room again. */
struct sim_datagram_id sim_unix_dequeue(struct sim_world *world, struct sim_socket_id id);
/* Takes a message of a stream, which carries no descriptions, out of the queue and frees it. */
void sim_unix_unqueue(struct sim_world *world, struct sim_socket_id id, struct sim_datagram_id message);
/* May this socket send now? 0, a pending error (taken), -EPIPE, -EAGAIN. */
int sim_unix_may_send(struct sim_world *world, struct sim_socket_id id);
bool sim_unix_is_writable(const struct sim_socket *socket);
/* Bytes a linear buffer counts. */
uint32_t sim_unix_buffer_charge(size_t length);

/* Waiting for room in another's queue: woken with POLLOUT when there is some. */
bool sim_unix_is_full(const struct sim_unix *own);
void sim_unix_block_on(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id full);
void sim_unix_unblock(struct sim_world *world, struct sim_socket_id id);
/* clients: also those connected to it that did not wait, as its queue was full for all. */
void sim_unix_wake_blocked(struct sim_world *world, struct sim_socket_id id, bool clients);

/* ---- unix.c: what the three types share ---- */

int sim_unix_create(struct sim_world *world, struct sim_socket_id id);
void sim_unix_destroy(struct sim_world *world, struct sim_socket_id id);
int sim_unix_pair(struct sim_world *world, struct sim_socket_id a, struct sim_socket_id b);
int sim_unix_shutdown(struct sim_world *world, struct sim_socket_id id, int how);
int sim_unix_no_option(struct sim_world *world, struct sim_socket_id id, int level, int name,
                       const void *value, socklen_t length);
int sim_unix_no_option_get(struct sim_world *world, struct sim_socket_id id, int level, int name,
                           void *value, socklen_t *length);
int sim_unix_ioctl(struct sim_world *world, struct sim_socket_id id, unsigned long request,
                   void *argument);
void sim_unix_deferred(struct sim_world *world, struct sim_socket_id id, uint32_t what);
void sim_unix_check(const struct sim_world *world, struct sim_socket_id id);
uint32_t sim_unix_poll_common(const struct sim_world *world, struct sim_socket_id id);
void sim_unix_note_credentials(const struct sim_world *world, const struct sim_socket *of,
                               struct sim_unix *to);
void sim_unix_flush(struct sim_world *world, struct sim_socket_id id);

/* ---- unix/connect.c: connections, of stream and seqpacket ---- */

int sim_unix_listen(struct sim_world *world, struct sim_socket_id id, int backlog);
int sim_unix_accept(struct sim_world *world, struct sim_socket_id id, struct sim_socket_id *child);
int sim_unix_connect(struct sim_world *world, struct sim_socket_id id, const struct sockaddr *address,
                     socklen_t length);
int sim_unix_connected(struct sim_world *world, struct sim_socket_id id);
void sim_unix_release(struct sim_world *world, struct sim_socket_id id);

/* ---- unix/dgram.c ---- */

/* A whole message to a connected peer or a named one: SEQPACKET's sends too. */
ssize_t sim_unix_send_datagram(struct sim_world *world, struct sim_task_id task,
                               struct sim_socket_id id, const struct msghdr *message, int flags);
ssize_t sim_unix_receive_datagram(struct sim_world *world, struct sim_task_id task,
                                  struct sim_socket_id id, struct msghdr *message, int flags);
uint32_t sim_unix_poll_datagram(const struct sim_world *world, struct sim_socket_id id);

#endif
