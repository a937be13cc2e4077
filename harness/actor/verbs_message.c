/* Verbs for messages with ancillary data.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "verbs.h"

enum {
    MESSAGE_ITEMS = 64,        /* of ancillary data in one message */
    CONTROL_BYTES = 64 * 1024, /* at most, of one message */
};

/* A list of bytes-like objects as an iovec. */
static int take_buffers(struct call *call, uint32_t i, bool writable, struct iovec **buffers,
                        size_t *count)
{
    const struct value *list = &call->arguments[i];
    if (list->kind != VALUE_LIST && list->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError",
                           "%s() argument %u must be an iterable of "
                           "buffers",
                           call->verb->name, i + 1);
    }
    *count = list->count;
    *buffers = arena_take(&call->actor->arena, (list->count + 1) * sizeof **buffers);
    for (size_t n = 0; n < list->count; n++) {
        const struct value *item = &list->items[n];
        if (item->kind != VALUE_BYTEARRAY && (writable || item->kind != VALUE_BYTES)) {
            return raise_error(call->actor, "TypeError", "%s",
                               writable
                                   ? "recvmsg_into() argument 1 must be an iterable of single-segment "
                                     "read-write buffers"
                                   : "a bytes-like object is required");
        }
        (*buffers)[n] = (struct iovec){item->bytes, item->count};
    }
    return 0;
}

static int take_ancillary(struct call *call, uint32_t i, struct dry_ancillary **items, size_t *count)
{
    const struct value *list = &call->arguments[i];
    *count = 0;
    *items = NULL;
    if (!call->given[i]) {
        return 0;
    }
    if (list->kind != VALUE_LIST && list->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError", "sendmsg() argument 2 must be an iterable");
    }
    *items = arena_take(&call->actor->arena, (list->count + 1) * sizeof **items);
    for (size_t n = 0; n < list->count; n++) {
        const struct value *item = &list->items[n];
        if (item->kind != VALUE_TUPLE || item->count != 3 || item->items[0].kind > VALUE_INT ||
            item->items[1].kind > VALUE_INT ||
            (item->items[2].kind != VALUE_BYTES && item->items[2].kind != VALUE_BYTEARRAY)) {
            return raise_error(call->actor, "TypeError",
                               "[sendmsg() ancillary data items] must be "
                               "(level, type, bytes)");
        }
        (*items)[n] = (struct dry_ancillary){(int)item->items[0].integer, (int)item->items[1].integer,
                                             item->items[2].bytes, item->items[2].count};
    }
    *count = list->count;
    return 0;
}

static int run_sendmsg(struct call *call)
{
    struct iovec *buffers;
    struct dry_ancillary *items;
    size_t buffer_count, item_count;
    int flags = 0;
    struct dry_address address;
    bool addressed = call->given[3] && call->arguments[3].kind != VALUE_NONE;
    if (take_buffers(call, 0, false, &buffers, &buffer_count) != 0 ||
        take_ancillary(call, 1, &items, &item_count) != 0 || take_int(call, 2, &flags) != 0 ||
        (addressed && take_address(call, 3, &address, "sendmsg") != 0)) {
        return -1;
    }
    ssize_t sent = dry_sendmsg(call->self->socket, buffers, buffer_count, items, item_count, flags,
                               addressed ? &address : NULL);
    if (sent < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(sent);
    return 0;
}

/* ---- receiving ------------------------------------------------------------------------------ */

struct received {
    char *control;
    size_t control_bytes;
    struct dry_ancillary *items;
    size_t item_count;
    int flags, flags_out;
    struct dry_address address;
};

static int take_control(struct call *call, struct received *received)
{
    int64_t bytes = 0;
    if (take_int64(call, 1, &bytes) != 0 || take_int(call, 2, &received->flags) != 0) {
        return -1;
    }
    if (bytes < 0 || bytes > CONTROL_BYTES) {
        return raise_error(call->actor, "ValueError", "invalid ancillary data buffer length");
    }
    received->control_bytes = (size_t)bytes;
    received->control = arena_take(&call->actor->arena, (size_t)bytes + 1);
    received->items = arena_take(&call->actor->arena, MESSAGE_ITEMS * sizeof *received->items);
    received->item_count = MESSAGE_ITEMS;
    return 0;
}

static struct value ancillary_value(struct arena *arena, const struct dry_ancillary *item)
{
    struct value value = value_tuple(arena, 3);
    value.items[0] = value_flavoured(item->level, FLAVOUR_LEVEL);
    value.items[1] = value_flavoured(item->type,
                                     item->level == SOL_SOCKET ? FLAVOUR_SCM : FLAVOUR_PLAIN);
    value.items[2] = value_bytes(arena, item->data, item->bytes);
    if (item->level == SOL_SOCKET && item->type == SCM_RIGHTS) {
        value.items[2].flavour = FLAVOUR_DESCRIPTORS;
    } else if (item->level == SOL_SOCKET) {
        value.items[2].flavour = FLAVOUR_LUCK; /* process numbers, clock times */
    }
    return value;
}

static int received_value(struct call *call, struct received *received, struct value first)
{
    struct arena *arena = &call->actor->arena;
    struct value result = value_tuple(arena, 4);
    result.items[0] = first;
    result.items[1] = value_list(arena, received->item_count);
    for (size_t i = 0; i < received->item_count; i++) {
        result.items[1].items[i] = ancillary_value(arena, &received->items[i]);
    }
    /* The flag is the library's own business: it asks for close-on-exec descriptors. */
    result.items[2] = value_flavoured(received->flags_out & ~MSG_CMSG_CLOEXEC, FLAVOUR_MSG_FLAGS);
    result.items[3] = value_from_address(arena, &received->address);
    call->result = result;
    return 0;
}

static int run_recvmsg(struct call *call)
{
    int64_t size = 0;
    struct received *received = arena_take(&call->actor->arena, sizeof *received);
    if (take_int64(call, 0, &size) != 0) {
        return -1;
    }
    if (size < 0 || size > (int64_t)1 << 26) {
        return raise_error(call->actor, "ValueError", "negative buffer size in recvmsg()");
    }
    if (take_control(call, received) != 0) {
        return -1;
    }
    char *buffer = arena_take(&call->actor->arena, (size_t)size + 1);
    ssize_t count = dry_recvmsg(call->self->socket, buffer, (size_t)size, received->control,
                                received->control_bytes, received->items, &received->item_count,
                                received->flags, &received->flags_out, &received->address);
    if (count < 0) {
        return raise_library(call->actor);
    }
    /* MSG_TRUNC makes the count larger than the buffer. */
    return received_value(
        call, received,
        value_bytes(&call->actor->arena, buffer, count < size ? (size_t)count : (size_t)size));
}

static int run_recvmsg_into(struct call *call)
{
    struct iovec *buffers;
    size_t buffer_count;
    struct received *received = arena_take(&call->actor->arena, sizeof *received);
    if (take_buffers(call, 0, true, &buffers, &buffer_count) != 0 ||
        take_control(call, received) != 0) {
        return -1;
    }
    ssize_t count = dry_recvmsg_into(call->self->socket, buffers, buffer_count, received->control,
                                     received->control_bytes, received->items, &received->item_count,
                                     received->flags, &received->flags_out, &received->address);
    if (count < 0) {
        return raise_library(call->actor);
    }
    return received_value(call, received, value_int(count));
}

/* ---- lengths and descriptors ---------------------------------------------------------------- */

static int run_cmsg(struct call *call, ssize_t (*length)(int64_t))
{
    int64_t bytes = 0;
    if (take_int64(call, 0, &bytes) != 0) {
        return -1;
    }
    ssize_t count = length(bytes);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(count);
    return 0;
}

static int run_cmsg_len(struct call *call)
{
    return run_cmsg(call, dry_cmsg_len);
}

static int run_cmsg_space(struct call *call)
{
    return run_cmsg(call, dry_cmsg_space);
}

/* fds(s, t, 3): their descriptors packed as array.array("i", …) packs them. */
static int run_fds(struct call *call)
{
    const struct value *items = &call->arguments[0];
    int *packed = arena_take(&call->actor->arena, (items->count + 1) * sizeof *packed);
    for (size_t i = 0; i < items->count; i++) {
        if (value_descriptor(call->actor, &items->items[i], &packed[i]) != 0) {
            return -1;
        }
    }
    call->result = value_bytes(&call->actor->arena, packed, items->count * sizeof *packed);
    call->result.flavour = FLAVOUR_DESCRIPTORS;
    return 0;
}

/* unpack_fds(data): the list of descriptors. */
static int run_unpack_fds(struct call *call)
{
    const char *bytes;
    size_t count;
    if (take_bytes(call, 0, &bytes, &count) != 0) {
        return -1;
    }
    call->result = value_list(&call->actor->arena, count / sizeof(int));
    for (size_t i = 0; i < count / sizeof(int); i++) {
        int descriptor;
        memcpy(&descriptor, bytes + i * sizeof descriptor, sizeof descriptor);
        call->result.items[i] = value_flavoured(descriptor, FLAVOUR_DESCRIPTOR);
    }
    return 0;
}

/* The socket that stands as a function's first argument. */
static int take_socket(struct call *call)
{
    const struct value *value = &call->arguments[0];
    if (value->kind != VALUE_OBJECT || value->object->kind != OBJECT_SOCKET) {
        return raise_error(call->actor, "TypeError", "%s() takes a socket first", call->verb->name);
    }
    call->self = value->object;
    return 0;
}

/* send_fds(sock, buffers, fds): flags and address are taken and left alone, as Python 3.11 does. */
static int run_send_fds(struct call *call)
{
    struct iovec *buffers;
    size_t count;
    const struct value *list = &call->arguments[2];
    if (take_socket(call) != 0 || take_buffers(call, 1, false, &buffers, &count) != 0) {
        return -1;
    }
    if (list->kind != VALUE_LIST && list->kind != VALUE_TUPLE) {
        return raise_error(call->actor, "TypeError", "send_fds() takes a list of descriptors");
    }
    int *packed = arena_take(&call->actor->arena, (list->count + 1) * sizeof *packed);
    for (size_t i = 0; i < list->count; i++) {
        if (value_descriptor(call->actor, &list->items[i], &packed[i]) != 0) {
            return -1;
        }
    }
    const struct dry_ancillary rights = {SOL_SOCKET, SCM_RIGHTS, packed, list->count * sizeof *packed};
    ssize_t sent = dry_sendmsg(call->self->socket, buffers, count, &rights, 1, 0, NULL);
    if (sent < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(sent);
    return 0;
}

/* recv_fds(sock, bufsize, maxfds): the data, the list of descriptors, the flags, the address. */
static int run_recv_fds(struct call *call)
{
    int64_t size = 0, most = 0;
    struct received *received = arena_take(&call->actor->arena, sizeof *received);
    if (take_socket(call) != 0 || take_int64(call, 1, &size) != 0 || take_int64(call, 2, &most) != 0) {
        return -1;
    }
    ssize_t room = dry_cmsg_len(most <= CONTROL_BYTES ? most * (int64_t)sizeof(int) : most);
    if (room < 0) {
        return raise_library(call->actor);
    }
    /* What follows is recvmsg(bufsize, CMSG_LEN(maxfds * itemsize)). */
    call->arguments[0] = value_int(size);
    call->arguments[1] = value_int(room);
    call->given[2] = false;
    if (run_recvmsg(call) != 0) {
        return -1;
    }
    const struct value *items = &call->result.items[1];
    struct value list = value_list(&call->actor->arena, CONTROL_BYTES / sizeof(int));
    list.count = 0;
    for (size_t i = 0; i < items->count; i++) {
        const struct value *item = &items->items[i];
        for (size_t at = 0;
             item->items[0].integer == SOL_SOCKET && item->items[1].integer == SCM_RIGHTS &&
             at + sizeof(int) <= item->items[2].count;
             at += sizeof(int)) {
            int descriptor;
            memcpy(&descriptor, item->items[2].bytes + at, sizeof descriptor);
            list.items[list.count++] = value_flavoured(descriptor, FLAVOUR_DESCRIPTOR);
        }
    }
    call->result.items[1] = list;
    return 0;
}

/* sendmsg_afalg([msg], *, op, iv, assoclen, flags). */
static int run_sendmsg_afalg(struct call *call)
{
    struct iovec *buffers = NULL;
    size_t count = 0, iv_bytes = 0;
    int operation = -1, flags = 0;
    int64_t assoclen = -1;
    const char *iv = NULL;
    if ((call->given[0] && call->arguments[0].kind != VALUE_NONE &&
         take_buffers(call, 0, false, &buffers, &count) != 0) ||
        take_int(call, 1, &operation) != 0 || take_bytes(call, 2, &iv, &iv_bytes) != 0 ||
        take_int64(call, 3, &assoclen) != 0 || take_int(call, 4, &flags) != 0) {
        return -1;
    }
    ssize_t sent = dry_sendmsg_afalg(call->self->socket, buffers, count, operation, iv, iv_bytes,
                                     assoclen, flags);
    if (sent < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(sent);
    return 0;
}

const struct verb verbs_message[] = {
    {"sendmsg", VERB_SOCKET, "buffers ancdata? flags? address?", run_sendmsg},
    {"recvmsg", VERB_SOCKET, "bufsize ancbufsize? flags?", run_recvmsg},
    {"recvmsg_into", VERB_SOCKET, "buffers ancbufsize? flags?", run_recvmsg_into},
    {"sendmsg_afalg", VERB_SOCKET, "msg? op? iv? assoclen? flags?", run_sendmsg_afalg},
    {"CMSG_LEN", VERB_FUNCTION, "length", run_cmsg_len},
    {"CMSG_SPACE", VERB_FUNCTION, "length", run_cmsg_space},
    {"fds", VERB_FUNCTION, "*descriptors", run_fds},
    {"send_fds", VERB_FUNCTION, "sock buffers fds flags? address?", run_send_fds},
    {"recv_fds", VERB_FUNCTION, "sock bufsize maxfds flags?", run_recv_fds},
    {"unpack_fds", VERB_FUNCTION, "data", run_unpack_fds},
    {0},
};
