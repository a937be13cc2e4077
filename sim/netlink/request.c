/* What a program sends to the kernel over netlink: message by message, each acknowledged or refused.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "socket/sockets.h"

/* LINUX: netlink_ack: the head of the message in question, and all of it when it is refused, unless
 * NETLINK_CAP_ACK asks for the head alone. */
static void acknowledge(struct sim_world *world, struct sim_socket_id id, const struct sim_bytes *bytes,
                        uint64_t offset, const struct nlmsghdr *head, int error)
{
    const struct sim_netlink *netlink = sim_netlink_of(world, id);
    const bool capped = error == 0 || (netlink->options & 1U << NETLINK_CAP_ACK) != 0;
    const uint32_t quoted = capped ? (uint32_t)sizeof *head : head->nlmsg_len;
    struct sim_netlink_message message;
    int32_t *status = sim_netlink_begin(&message, NLMSG_ERROR, capped ? NLM_F_CAPPED : 0,
                                        head->nlmsg_seq, netlink->port, sizeof *status);
    *status = error;
    const uint32_t total = message.length + NLMSG_ALIGN(quoted);
    memcpy(message.data, &total, sizeof total);
    struct sim_bytes answer = {{0}, {0}, 0};
    static const uint8_t zeros[NLMSG_ALIGNTO];
    if (sim_bytes_append(world, &answer, message.data, message.length) < 0 ||
        sim_bytes_share(world, &answer, bytes, offset, quoted) < 0 ||
        sim_bytes_append(world, &answer, zeros, NLMSG_ALIGN(quoted) - quoted) < 0) {
        sim_bytes_clear(world, &answer);
        sim_socket_set_error(world, id, ENOBUFS);
        return;
    }
    sim_netlink_deliver(world, id, &answer, (struct sim_socket_id){0}, 0, 0);
}

static int answer(struct sim_world *world, struct sim_socket_id id,
                  const struct sim_netlink_message *question)
{
    struct sim_netlink_dump dump = {.kind = SIM_NETLINK_DUMP_NONE};
    int result = -EINTR;
    switch (sim_socket_at(world, id)->protocol) {
    case NETLINK_ROUTE:
        result = sim_netlink_route(world, id, question, &dump);
        break;
    case NETLINK_SOCK_DIAG:
        result = sim_netlink_diag(world, id, question, &dump);
        break;
    case NETLINK_GENERIC:
        result = sim_netlink_generic(world, id, question, &dump);
        break;
    default:
        break;
    }
    return result == 0 && dump.kind != SIM_NETLINK_DUMP_NONE
               ? sim_netlink_dump(world, id, (const void *)question->data, &dump)
               : result;
}

void sim_netlink_request(struct sim_world *world, struct sim_socket_id id,
                         const struct sim_bytes *bytes)
{
    uint64_t at = 0;
    while (bytes->length - at >= NLMSG_HDRLEN) {
        struct sim_netlink_message question = {.length = 0};
        struct nlmsghdr head;
        sim_bytes_copy_out(world, bytes, at, &head, sizeof head);
        if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > bytes->length - at) {
            return;
        }
        question.length = head.nlmsg_len < sizeof question.data ? head.nlmsg_len
                                                                : (uint32_t)sizeof question.data;
        sim_bytes_copy_out(world, bytes, at, question.data, question.length);
        int error = 0;
        /* LINUX: what is no request, and the control messages, are only acknowledged. */
        if ((head.nlmsg_flags & NLM_F_REQUEST) != 0 && head.nlmsg_type >= NLMSG_MIN_TYPE) {
            error = answer(world, id, &question);
        }
        if (error != -EINTR && (error != 0 || (head.nlmsg_flags & NLM_F_ACK) != 0)) {
            acknowledge(world, id, bytes, at, &head, error);
        }
        const uint64_t step = NLMSG_ALIGN((uint64_t)head.nlmsg_len);
        at += step < bytes->length - at ? step : bytes->length - at;
    }
}
