/* Messages of sendmsg(2) and recvmsg(2): their length, their control messages.
 * SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "core/bytes.h"

enum {
    NS_PER_SECOND = 1000000000,
    NS_PER_US = 1000,
};

size_t sim_message_length(const struct msghdr *message)
{
    const size_t most = INT_MAX & ~4095; /* LINUX: MAX_RW_COUNT: what is beyond is cut off */
    size_t length = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const size_t more = message->msg_iov[i].iov_len;
        length += more < most - length ? more : most - length;
    }
    return length;
}

bool sim_message_faults(const struct msghdr *message, size_t skip, size_t length)
{
    for (size_t i = 0; i < message->msg_iovlen && length > 0; i++) {
        const size_t whole = message->msg_iov[i].iov_len;
        const size_t passed = skip < whole ? skip : whole;
        const size_t used = whole - passed < length ? whole - passed : length;
        if (used > 0 && sim_memory_is_bad(message->msg_iov[i].iov_base)) {
            return true;
        }
        skip -= passed;
        length -= used;
    }
    return false;
}

/* LINUX: CMSG_FIRSTHDR and __cmsg_nxthdr end the walk where no header fits; CMSG_OK is the caller's
 * question about the length. */
int sim_message_next_control(const struct msghdr *message, const struct cmsghdr **at)
{
    size_t offset = 0;
    if (message->msg_control == NULL) {
        return 0;
    }
    if (*at != NULL) {
        offset = (size_t)((const char *)*at - (const char *)message->msg_control) +
                 CMSG_ALIGN((*at)->cmsg_len);
    }
    if (message->msg_controllen < sizeof(struct cmsghdr) ||
        offset > message->msg_controllen - sizeof(struct cmsghdr)) {
        return 0;
    }
    *at = (const struct cmsghdr *)(const void *)((const char *)message->msg_control + offset);
    if ((*at)->cmsg_len < sizeof(struct cmsghdr) ||
        (*at)->cmsg_len > message->msg_controllen - offset) {
        return -EINVAL;
    }
    return 1;
}

size_t sim_message_control_bytes(const struct cmsghdr *control)
{
    return control->cmsg_len - CMSG_LEN(0);
}

/* LINUX: put_cmsg: a header that does not fit is left out, data that does not fit is cut, and the
 * alignment after the last message counts only as far as there is room. */
void sim_message_put(struct msghdr *message, size_t *used, int level, int type, const void *data,
                     size_t bytes)
{
    size_t room = message->msg_control == NULL ? 0 : message->msg_controllen - *used;
    size_t length = CMSG_LEN(bytes);
    struct cmsghdr header;
    if (room < sizeof header) {
        message->msg_flags |= MSG_CTRUNC;
        return;
    }
    if (room < length) {
        message->msg_flags |= MSG_CTRUNC;
        length = room;
    }
    memset(&header, 0, sizeof header);
    header.cmsg_len = length;
    header.cmsg_level = level;
    header.cmsg_type = type;
    char *to = (char *)message->msg_control + *used;
    memcpy(to, &header, sizeof header);
    memcpy(to + CMSG_LEN(0), data, length - CMSG_LEN(0));
    *used += room < CMSG_SPACE(bytes) ? room : CMSG_SPACE(bytes);
}

void sim_message_put_time(const struct sim_world *world, const struct sim_socket *socket,
                          struct msghdr *message, size_t *used, uint64_t at)
{
    uint64_t wall = world->wall_offset_ns + at;
    if ((socket->options & SIM_OPTION_TIMESTAMPNS) != 0) {
        struct timespec time = {.tv_sec = (time_t)(wall / NS_PER_SECOND),
                                .tv_nsec = (long)(wall % NS_PER_SECOND)};
        sim_message_put(message, used, SOL_SOCKET, SCM_TIMESTAMPNS, &time, sizeof time);
    } else if ((socket->options & SIM_OPTION_TIMESTAMP) != 0) {
        struct timeval time = {.tv_sec = (time_t)(wall / NS_PER_SECOND),
                               .tv_usec = (suseconds_t)(wall % NS_PER_SECOND / NS_PER_US)};
        sim_message_put(message, used, SOL_SOCKET, SCM_TIMESTAMP, &time, sizeof time);
    }
}
