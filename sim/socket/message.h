/* Messages of sendmsg(2) and recvmsg(2): their length, their control messages.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include <stddef.h>
#include <sys/socket.h>

#include "core/state.h"

/* Bytes in the vector; SIZE_MAX when the sum does not fit. */
/* Does any of the bytes [skip, skip + length) lie in bad memory? */
bool sim_message_faults(const struct msghdr *message, size_t skip, size_t length);
size_t sim_message_length(const struct msghdr *message);

/* Walks msg_control of a message to be sent. First: *at = NULL. 1 with *at the next control message,
 * 0 at the end, -EINVAL for a length that cannot be. */
int sim_message_next_control(const struct msghdr *message, const struct cmsghdr **at);
/* Its data's length. */
size_t sim_message_control_bytes(const struct cmsghdr *control);

/* Appends to message->msg_control at *used, which grows; what does not fit is cut or left out, with
 * MSG_CTRUNC in msg_flags. At the end the caller stores *used as msg_controllen. */
void sim_message_put(struct msghdr *message, size_t *used, int level, int type, const void *data,
                     size_t bytes);
/* SCM_TIMESTAMP, SCM_TIMESTAMPNS: when the socket asks for them, the wall clock of an instant. */
void sim_message_put_time(const struct sim_world *world, const struct sim_socket *socket,
                          struct msghdr *message, size_t *used, uint64_t at);

#endif
