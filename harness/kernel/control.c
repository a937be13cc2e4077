/* What `drysock` and `drysock-kernel` say to each other over their socket.
 * SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor, aligned as the macros want it. */
union control_space {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int kernel_control_send(int control, enum kernel_message_kind kind, uint32_t index, const char *text,
                        int fd)
{
    struct kernel_message message = {.kind = kind, .index = index};
    union control_space space = {0};
    struct iovec part = {.iov_base = &message};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    snprintf(message.text, sizeof message.text, "%s", text);
    part.iov_len = offsetof(struct kernel_message, text) + strlen(message.text) + 1;
    if (fd >= 0) {
        header.msg_control = space.bytes;
        header.msg_controllen = sizeof space.bytes;
        space.header.cmsg_level = SOL_SOCKET;
        space.header.cmsg_type = SCM_RIGHTS;
        space.header.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&space.header), &fd, sizeof fd);
    }
    do {
        sent = sendmsg(control, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int kernel_control_receive(int control, struct kernel_message *message, int *fd)
{
    union control_space space = {0};
    struct iovec part = {.iov_base = message, .iov_len = sizeof *message - 1};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = space.bytes,
                            .msg_controllen = sizeof space.bytes};
    const struct cmsghdr *item;
    ssize_t length;

    *fd = -1;
    memset(message, 0, sizeof *message);
    do {
        length = recvmsg(control, &header, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length <= 0) {
        return length < 0 ? -errno : 0;
    }
    item = CMSG_FIRSTHDR(&header);
    if (item != NULL && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS &&
        item->cmsg_len == CMSG_LEN(sizeof *fd)) {
        memcpy(fd, CMSG_DATA(item), sizeof *fd);
    }
    return 1;
}
