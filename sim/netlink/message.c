/* One netlink message: made attribute by attribute, or looked into.
 * SPDX-License-Identifier: MIT */
#include <linux/rtnetlink.h>
#include <string.h>

#include "internal.h"

/* Room for so many bytes, zeroed and aligned; NULL when the message is full. */
static void *extend(struct sim_netlink_message *message, size_t bytes)
{
    const size_t aligned = NLMSG_ALIGN(bytes);
    if (message->cut || aligned > sizeof message->data - message->length) {
        message->cut = 1;
        return NULL;
    }
    void *place = message->data + message->length;
    memset(place, 0, aligned);
    message->length += (uint32_t)aligned;
    return place;
}

void *sim_netlink_begin(struct sim_netlink_message *message, uint16_t type, uint16_t flags,
                        uint32_t sequence, uint32_t port, uint32_t body_bytes)
{
    message->length = message->cut = 0;
    struct nlmsghdr *head = extend(message, sizeof *head);
    head->nlmsg_type = type;
    head->nlmsg_flags = flags;
    head->nlmsg_seq = sequence;
    head->nlmsg_pid = port;
    return extend(message, body_bytes);
}

void sim_netlink_put(struct sim_netlink_message *message, uint16_t type, const void *data, size_t bytes)
{
    const struct nlattr head = {(uint16_t)(NLA_HDRLEN + bytes), type};
    uint8_t *place = extend(message, NLA_HDRLEN + bytes);
    if (place != NULL) {
        memcpy(place, &head, sizeof head);
        if (bytes > 0) {
            memcpy(place + NLA_HDRLEN, data, bytes);
        }
    }
}

void sim_netlink_put_u8(struct sim_netlink_message *message, uint16_t type, uint8_t value)
{
    sim_netlink_put(message, type, &value, sizeof value);
}

void sim_netlink_put_u32(struct sim_netlink_message *message, uint16_t type, uint32_t value)
{
    sim_netlink_put(message, type, &value, sizeof value);
}

void sim_netlink_put_text(struct sim_netlink_message *message, uint16_t type, const char *text)
{
    sim_netlink_put(message, type, text, strlen(text) + 1);
}

uint32_t sim_netlink_nest(struct sim_netlink_message *message, uint16_t type)
{
    const uint32_t nest = message->length;
    sim_netlink_put(message, type, NULL, 0);
    return nest;
}

void sim_netlink_nest_end(struct sim_netlink_message *message, uint32_t nest)
{
    const uint16_t length = (uint16_t)(message->length - nest);
    if (!message->cut) {
        memcpy(message->data + nest, &length, sizeof length);
    }
}

void sim_netlink_finish(struct sim_netlink_message *message)
{
    const uint32_t length = message->length;
    memcpy(message->data, &length, sizeof length);
}

const void *sim_netlink_body(const struct sim_netlink_message *message, size_t bytes)
{
    return message->length >= NLMSG_HDRLEN + bytes ? message->data + NLMSG_HDRLEN : NULL;
}

const void *sim_netlink_attribute(const struct sim_netlink_message *message, size_t body_bytes,
                                  uint16_t type, size_t *length)
{
    const void *found = NULL;
    size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(body_bytes);
    while (at + NLA_HDRLEN <= message->length) {
        struct nlattr head;
        memcpy(&head, message->data + at, sizeof head);
        if (head.nla_len < NLA_HDRLEN || head.nla_len > message->length - at) {
            break;
        }
        if ((head.nla_type & NLA_TYPE_MASK) == type) { /* LINUX: of two the last counts */
            found = message->data + at + NLA_HDRLEN;
            *length = head.nla_len - NLA_HDRLEN;
        }
        at += NLA_ALIGN(head.nla_len);
    }
    return found;
}
