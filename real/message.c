/* Messages, sendmsg and recvmsg: scattered buffers and ancillary data, packed and told apart.
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <stdlib.h>
#include <string.h>

#include "wait.h"

enum {
    CONTROL_BYTES = 512, /* of control messages are packed without an allocation */
    HEADER_BYTES = CMSG_LEN(0),
};

/* ---- sizes -------------------------------------------------------------------------------- */

/* socklen_t is used with the range of an int, as CPython does. */
ssize_t dry_cmsg_len(int64_t length)
{
    if (length >= 0 && length <= INT_MAX - (int64_t)HEADER_BYTES) {
        return (ssize_t)CMSG_LEN(length);
    }
    return dry_error_value(dry_current_caller(), DRY_VALUE_OVERFLOW,
                           "CMSG_LEN() argument out of range");
}

ssize_t dry_cmsg_space(int64_t length)
{
    if (length >= 0 && length <= INT_MAX - (int64_t)CMSG_SPACE(1)) {
        ssize_t space = (ssize_t)CMSG_SPACE(length);
        if (space <= INT_MAX) {
            return space;
        }
    }
    return dry_error_value(dry_current_caller(), DRY_VALUE_OVERFLOW,
                           "CMSG_SPACE() argument out of range");
}

/* ---- sending ------------------------------------------------------------------------------ */

/* Control messages, packed. */
struct control {
    _Alignas(struct cmsghdr) unsigned char small[CONTROL_BYTES];
    unsigned char *bytes; /* small, or allocated */
    size_t length;
};

static void control_end(struct control *control)
{
    if (control->bytes != control->small) {
        free(control->bytes);
    }
}

static int control_begin(struct dry_caller caller, struct control *control,
                         const struct dry_ancillary *items, size_t count)
{
    size_t total = 0;
    control->bytes = control->small;
    for (size_t i = 0; i < count; i++) {
        if (items[i].bytes > INT_MAX - CMSG_SPACE(1)) {
            return dry_error_os_text(caller, "ancillary data item too large");
        }
        total += CMSG_SPACE(items[i].bytes);
        if (total > INT_MAX) {
            return dry_error_os_text(caller, "too much ancillary data");
        }
    }
    control->length = total;
    if (total > sizeof control->small) {
        control->bytes = malloc(total);
        if (control->bytes == NULL) {
            return dry_error_os(caller, ENOMEM);
        }
    }
    memset(control->bytes, 0, total);
    unsigned char *at = control->bytes;
    for (size_t i = 0; i < count; i++) {
        struct cmsghdr header = {
            .cmsg_len = CMSG_LEN(items[i].bytes),
            .cmsg_level = items[i].level,
            .cmsg_type = items[i].type,
        };
        memcpy(at, &header, sizeof header);
        if (items[i].bytes > 0) {
            memcpy(at + HEADER_BYTES, items[i].data, items[i].bytes);
        }
        at += CMSG_SPACE(items[i].bytes);
    }
    return 0;
}

struct messaging {
    int fd;
    int flags;
    struct msghdr header;
    size_t control_bytes; /* the room, restored before each try */
};

static ssize_t try_sendmsg(struct dry_caller caller, void *data)
{
    const struct messaging *messaging = data;
    return caller.system->sendmsg(caller, messaging->fd, &messaging->header, messaging->flags);
}

static ssize_t send_message(struct dry_caller caller, struct dry_socket *socket,
                            const struct iovec *buffers, size_t buffer_count,
                            const struct dry_ancillary *items, size_t item_count, int flags,
                            const struct dry_address *address)
{
    struct control control;
    ssize_t result = control_begin(caller, &control, items, item_count);
    if (result == 0) {
        struct messaging messaging = {
            .fd = socket->fd,
            .flags = flags,
            .header =
                {
                    /* The C interface lacks const here; nothing is written. */
                    .msg_name = address != NULL ? (void *)(uintptr_t)&address->storage : NULL,
                    .msg_namelen = address != NULL ? address->length : 0,
                    .msg_iov = (struct iovec *)(uintptr_t)buffers,
                    .msg_iovlen = buffer_count,
                    .msg_control = control.length > 0 ? control.bytes : NULL,
                    .msg_controllen = control.length,
                },
        };
        result = dry_wait_edge(caller,
                               dry_wait_socket(caller, socket, POLLOUT, try_sendmsg, &messaging));
    }
    control_end(&control);
    return result;
}

ssize_t dry_sendmsg(struct dry_socket *socket, const struct iovec *buffers, size_t buffer_count,
                    const struct dry_ancillary *ancillary, size_t ancillary_count, int flags,
                    const struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("sendmsg", socket->fd);
    ssize_t result = send_message(caller, socket, buffers, buffer_count, ancillary, ancillary_count,
                                  flags, address);
    dry_call_end(caller);
    return result;
}

/* ---- sending to the kernel's cryptography ------------------------------------------------- */

static int check_afalg(struct dry_caller caller, const struct dry_socket *socket, int operation,
                       size_t iv_bytes, int64_t assoclen)
{
    if (socket->family != AF_ALG) {
        return dry_error_os_text(caller, "algset is only supported for AF_ALG");
    }
    if (operation < 0) {
        return dry_error_value(caller, DRY_VALUE_TYPE, "Invalid or missing argument 'op'");
    }
    if (assoclen < -1) {
        return dry_error_value(caller, DRY_VALUE_TYPE, "assoclen must be positive");
    }
    if (assoclen > INT_MAX) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW, "Python int too large to convert to C int");
    }
    if (iv_bytes > INT_MAX - CMSG_SPACE(sizeof(struct af_alg_iv))) {
        return dry_error_os_text(caller, "ancillary data item too large");
    }
    return 0;
}

static ssize_t send_afalg(struct dry_caller caller, struct dry_socket *socket,
                          const struct iovec *buffers, size_t buffer_count, int operation,
                          const void *iv, size_t iv_bytes, int64_t assoclen, int flags)
{
    uint32_t operation_word = (uint32_t)operation;
    uint32_t assoclen_word = (uint32_t)assoclen;
    struct af_alg_iv *iv_item = NULL;
    struct dry_ancillary items[3];
    size_t count = 0;
    items[count++] = (struct dry_ancillary){
        .level = SOL_ALG, .type = ALG_SET_OP, .data = &operation_word, .bytes = 4};
    if (iv != NULL) {
        iv_item = malloc(sizeof *iv_item + iv_bytes);
        if (iv_item == NULL) {
            return dry_error_os(caller, ENOMEM);
        }
        iv_item->ivlen = (uint32_t)iv_bytes;
        memcpy((unsigned char *)iv_item + sizeof *iv_item, iv, iv_bytes);
        items[count++] = (struct dry_ancillary){
            .level = SOL_ALG, .type = ALG_SET_IV, .data = iv_item, .bytes = sizeof *iv_item + iv_bytes};
    }
    if (assoclen >= 0) {
        items[count++] = (struct dry_ancillary){
            .level = SOL_ALG, .type = ALG_SET_AEAD_ASSOCLEN, .data = &assoclen_word, .bytes = 4};
    }
    ssize_t result = send_message(caller, socket, buffers, buffer_count, items, count, flags, NULL);
    free(iv_item);
    return result;
}

ssize_t dry_sendmsg_afalg(struct dry_socket *socket, const struct iovec *buffers, size_t buffer_count,
                          int operation, const void *iv, size_t iv_bytes, int64_t assoclen, int flags)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("sendmsg_afalg", socket->fd);
    ssize_t result = check_afalg(caller, socket, operation, iv_bytes, assoclen);
    if (result == 0) {
        result = send_afalg(caller, socket, buffers, buffer_count, operation, iv, iv_bytes, assoclen,
                            flags);
    }
    dry_call_end(caller);
    return result;
}

/* ---- receiving ---------------------------------------------------------------------------- */

static ssize_t try_recvmsg(struct dry_caller caller, void *data)
{
    struct messaging *messaging = data;
    messaging->header.msg_controllen = messaging->control_bytes;
    messaging->header.msg_namelen = messaging->header.msg_name != NULL ? sizeof(struct sockaddr_storage)
                                                                       : 0;
    return caller.system->recvmsg(caller, messaging->fd, &messaging->header, messaging->flags);
}

/* Walks the control messages, which need not be aligned. */
struct walk {
    const unsigned char *bytes;
    size_t length;
    size_t at;
};

/* The next item; false at the end, or at one whose length cannot be true. An item that claims more
 * than there is gives what is there, and is the last.
 * SIMPLER: Python warns of such an item; here nothing tells. Linux cuts cmsg_len itself, so that
 * only another system's messages could look so. */
static bool walk_next(struct walk *walk, struct dry_ancillary *item)
{
    size_t left = walk->length - walk->at;
    struct cmsghdr header;
    if (left < sizeof header) {
        return false;
    }
    memcpy(&header, walk->bytes + walk->at, sizeof header);
    if (header.cmsg_len < HEADER_BYTES || left < HEADER_BYTES) {
        return false;
    }
    bool cut = header.cmsg_len > left;
    *item = (struct dry_ancillary){
        .level = header.cmsg_level,
        .type = header.cmsg_type,
        .data = walk->bytes + walk->at + HEADER_BYTES,
        .bytes = (cut ? left : header.cmsg_len) - HEADER_BYTES,
    };
    size_t space = CMSG_SPACE(item->bytes);
    walk->at = cut || space > left ? walk->length : walk->at + space;
    return true;
}

static void close_rights(struct dry_caller caller, const struct dry_ancillary *item)
{
    if (item->level != SOL_SOCKET || item->type != SCM_RIGHTS ||
        DRY_MUTANT(failed_recvmsg_leaks_descriptors)) {
        return;
    }
    for (size_t i = 0; i + sizeof(int) <= item->bytes; i += sizeof(int)) {
        int fd;
        memcpy(&fd, (const unsigned char *)item->data + i, sizeof fd);
        caller.system->close(caller, fd);
    }
}

/* Nobody will learn of the descriptors that came with a failed call: close them. */
static void close_received(struct dry_caller caller, const void *control, size_t length)
{
    struct walk walk = {.bytes = control, .length = length};
    struct dry_ancillary item;
    while (walk_next(&walk, &item)) {
        close_rights(caller, &item);
    }
}

void dry_discard_ancillary(const struct dry_ancillary *items, size_t item_count)
{
    for (size_t i = 0; i < item_count; i++) {
        close_rights(dry_current_caller(), &items[i]);
    }
}

static int list_received(struct dry_caller caller, const void *control, size_t length,
                         struct dry_ancillary *items, size_t *item_count)
{
    struct walk walk = {.bytes = control, .length = length};
    size_t room = *item_count;
    struct dry_ancillary item;
    *item_count = 0;
    while (walk_next(&walk, &item)) {
        if (*item_count == room) {
            close_received(caller, control, length);
            *item_count = 0;
            return dry_error_value(caller, DRY_VALUE_ERROR,
                                   "more ancillary data items than room for them");
        }
        items[(*item_count)++] = item;
    }
    return 0;
}

static ssize_t receive_message(struct dry_caller caller, struct dry_socket *socket,
                               struct messaging *messaging, struct dry_ancillary *items,
                               size_t *item_count, int *flags_out, struct dry_address *address)
{
    size_t none = 0;
    if (item_count == NULL) {
        item_count = &none;
    }
    struct msghdr *header = &messaging->header;
    /* Without room for items nobody could be told of descriptors: ask for none. */
    if (*item_count == 0 || messaging->control_bytes == 0) {
        header->msg_control = NULL;
        messaging->control_bytes = 0;
    }
    if (messaging->control_bytes > INT_MAX) {
        *item_count = 0;
        return dry_error_value(caller, DRY_VALUE_ERROR, "invalid ancillary data buffer length");
    }
    if (address != NULL) {
        *address = (struct dry_address){.protocol = socket->protocol};
        header->msg_name = &address->storage;
    }
    ssize_t result = dry_wait_edge(caller,
                                   dry_wait_socket(caller, socket, POLLIN, try_recvmsg, messaging));
    if (result < 0) {
        *item_count = 0;
        return result;
    }
    if (list_received(caller, header->msg_control, header->msg_controllen, items, item_count) != 0) {
        return -1;
    }
    if (flags_out != NULL) {
        *flags_out = header->msg_flags;
    }
    if (address != NULL) {
        address->length = header->msg_namelen;
    }
    return result;
}

ssize_t dry_recvmsg_into(struct dry_socket *socket, const struct iovec *buffers, size_t buffer_count,
                         void *control, size_t control_bytes, struct dry_ancillary *items,
                         size_t *item_count, int flags, int *flags_out, struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recvmsg_into", socket->fd);
    struct messaging messaging = {
        .fd = socket->fd,
        .flags = flags,
        .header = {.msg_iov = (struct iovec *)(uintptr_t)buffers,
                   .msg_iovlen = buffer_count,
                   .msg_control = control},
        .control_bytes = control_bytes,
    };
    ssize_t result = receive_message(caller, socket, &messaging, items, item_count, flags_out, address);
    dry_call_end(caller);
    return result;
}

ssize_t dry_recvmsg(struct dry_socket *socket, void *buffer, size_t length, void *control,
                    size_t control_bytes, struct dry_ancillary *items, size_t *item_count, int flags,
                    int *flags_out, struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recvmsg", socket->fd);
    struct iovec whole = {.iov_base = buffer, .iov_len = length};
    struct messaging messaging = {
        .fd = socket->fd,
        .flags = flags,
        .header = {.msg_iov = &whole, .msg_iovlen = 1, .msg_control = control},
        .control_bytes = control_bytes,
    };
    ssize_t result = receive_message(caller, socket, &messaging, items, item_count, flags_out, address);
    dry_call_end(caller);
    return result;
}
