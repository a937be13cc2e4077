/* Verbs that send and receive bytes.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "verbs.h"

static int result_count(struct call *call, ssize_t count)
{
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_int(count);
    return 0;
}

/* A buffer for `size` bytes, or Python's error for a negative one. */
static int take_size(struct call *call, uint32_t i, char **buffer, size_t *size)
{
    int64_t wanted = 0;
    if (take_int64(call, i, &wanted) != 0) {
        return -1;
    }
    if (wanted < 0) {
        return raise_error(call->actor, "ValueError", "negative buffersize in %s", call->verb->name);
    }
    if (wanted > (int64_t)1 << 26) {
        return raise_error(call->actor, "ValueError", "a scenario receives at most 64 MiB in one call");
    }
    *size = (size_t)wanted;
    *buffer = arena_take(&call->actor->arena, *size + 1);
    return 0;
}

static int run_send(struct call *call)
{
    const char *bytes;
    size_t count;
    int flags = 0;
    if (take_bytes(call, 0, &bytes, &count) != 0 || take_int(call, 1, &flags) != 0) {
        return -1;
    }
    return result_count(call, dry_send(call->self->socket, bytes, count, flags));
}

static int run_sendall(struct call *call)
{
    const char *bytes;
    size_t count;
    int flags = 0;
    if (take_bytes(call, 0, &bytes, &count) != 0 || take_int(call, 1, &flags) != 0) {
        return -1;
    }
    return result_status(call, dry_sendall(call->self->socket, bytes, count, flags, NULL));
}

/* sendto(bytes, address) or sendto(bytes, flags, address). */
static int run_sendto(struct call *call)
{
    const char *bytes;
    size_t count;
    int flags = 0;
    struct dry_address address;
    uint32_t at = call->given[2] ? 2 : 1;
    if (take_bytes(call, 0, &bytes, &count) != 0 || (at == 2 && take_int(call, 1, &flags) != 0) ||
        take_address(call, at, &address, "sendto") != 0) {
        return -1;
    }
    return result_count(call, dry_sendto(call->self->socket, bytes, count, flags, &address));
}

/* MSG_TRUNC makes a count larger than the buffer; the bytes end with the buffer. */
static struct value received(struct call *call, const char *buffer, size_t size, ssize_t count)
{
    return value_bytes(&call->actor->arena, buffer, (size_t)count < size ? (size_t)count : size);
}

static int run_recv(struct call *call)
{
    char *buffer;
    size_t size;
    int flags = 0;
    if (take_size(call, 0, &buffer, &size) != 0 || take_int(call, 1, &flags) != 0) {
        return -1;
    }
    ssize_t count = dry_recv(call->self->socket, buffer, size, flags);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = received(call, buffer, size, count);
    return 0;
}

static int run_recvfrom(struct call *call)
{
    char *buffer;
    size_t size;
    int flags = 0;
    struct dry_address address = {0};

    if (take_size(call, 0, &buffer, &size) != 0 || take_int(call, 1, &flags) != 0) {
        return -1;
    }
    ssize_t count = dry_recvfrom(call->self->socket, buffer, size, flags, &address);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 2);
    call->result.items[0] = received(call, buffer, size, count);
    call->result.items[1] = value_from_address(&call->actor->arena, &address);
    return 0;
}

/* (buffer, nbytes?, flags?); nbytes of 0 means the whole buffer. */
static int take_into(struct call *call, struct value *buffer, size_t *bytes, int *flags)
{
    int64_t wanted = 0;
    if (take_buffer(call, 0, buffer) != 0 || take_int64(call, 1, &wanted) != 0 ||
        take_int(call, 2, flags) != 0) {
        return -1;
    }
    if (wanted < 0) {
        return raise_error(call->actor, "ValueError", "negative buffersize in %s", call->verb->name);
    }
    *bytes = (size_t)wanted;
    return 0;
}

static int run_recv_into(struct call *call)
{
    struct value buffer;
    size_t bytes;
    int flags = 0;
    if (take_into(call, &buffer, &bytes, &flags) != 0) {
        return -1;
    }
    return result_count(call,
                        dry_recv_into(call->self->socket, buffer.bytes, buffer.count, bytes, flags));
}

static int run_recvfrom_into(struct call *call)
{
    struct value buffer;
    size_t bytes;
    int flags = 0;
    struct dry_address address = {0};

    if (take_into(call, &buffer, &bytes, &flags) != 0) {
        return -1;
    }
    ssize_t count = dry_recvfrom_into(call->self->socket, buffer.bytes, buffer.count, bytes, flags,
                                      &address);
    if (count < 0) {
        return raise_library(call->actor);
    }
    call->result = value_tuple(&call->actor->arena, 2);
    call->result.items[0] = value_int(count);
    call->result.items[1] = value_from_address(&call->actor->arena, &address);
    return 0;
}

const struct verb verbs_transfer[] = {
    {"send", VERB_SOCKET, "bytes flags?", run_send},
    {"sendall", VERB_SOCKET, "bytes flags?", run_sendall},
    {"sendto", VERB_SOCKET, "bytes flags_or_address address?", run_sendto},
    {"recv", VERB_SOCKET, "bufsize flags?", run_recv},
    {"recvfrom", VERB_SOCKET, "bufsize flags?", run_recvfrom},
    {"recv_into", VERB_SOCKET, "buffer nbytes? flags?", run_recv_into},
    {"recvfrom_into", VERB_SOCKET, "buffer nbytes? flags?", run_recvfrom_into},
    {0},
};
