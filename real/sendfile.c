/* Sends a file: sendfile(2) where it can, read and send where it cannot.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "wait.h"

enum {
    BLOCK_BYTES = 1 << 30, /* the most that one sendfile(2) is asked for without a count */
    READ_BYTES = 8192,     /* the fallback's piece */
    CANNOT_SENDFILE = -2,  /* nothing was sent: let the fallback try */
};

/* One file on its way. count -1: to the end. */
struct sending_file {
    struct dry_socket *socket;
    int fd;
    off_t offset;
    int64_t count;
    uint64_t total;
    size_t piece; /* what the next try asks for */
};

static ssize_t try_sendfile(struct dry_caller caller, void *data)
{
    struct sending_file *file = data;
    off_t offset = file->offset + (off_t)file->total;
    return caller.system->sendfile(caller, file->socket->fd, file->fd, &offset, file->piece);
}

/* Waits until the socket takes more, for the whole of its timeout: each piece has its own, as in
 * Python's sendfile. An outcome of dry_wait. */
static ssize_t send_piece(struct dry_caller caller, struct sending_file *file)
{
    struct pollfd descriptor = {.fd = file->socket->fd, .events = POLLOUT};
    struct wait room = {.descriptors = &descriptor, .count = 1, .timeout_ns = -1};
    ssize_t sent;
    /* A descriptor that is O_NONBLOCK behind the object's back must not make us spin. */
    while ((sent = dry_wait_socket(caller, file->socket, POLLOUT, try_sendfile, file)) == -EAGAIN) {
        ssize_t ready = dry_wait(caller, &room);
        if (ready < 0) {
            return ready;
        }
    }
    return sent;
}

static int send_by_sendfile(struct dry_caller caller, struct sending_file *file)
{
    struct stat status;
    int result = caller.system->fstat(caller, file->fd, &status);
    if (result < 0 || !S_ISREG(status.st_mode)) {
        return CANNOT_SENDFILE;
    }
    if (status.st_size == 0) {
        return 0;
    }
    if (file->socket->timeout_ns == 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "non-blocking sockets are not supported");
    }
    for (;;) {
        file->piece = status.st_size < BLOCK_BYTES ? (size_t)status.st_size : BLOCK_BYTES;
        if (file->count >= 0) {
            file->piece = (size_t)file->count - (size_t)file->total;
        }
        if (file->piece == 0) {
            return 0;
        }
        ssize_t sent = send_piece(caller, file);
        if (sent == 0) {
            return 0;
        }
        if (sent > 0) {
            file->total += (uint64_t)sent;
            continue;
        }
        /* The first failure may be the file's: a system file, say, that sendfile(2) refuses. */
        if (sent != WAIT_TIMED_OUT && sent != WAIT_STOPPED && file->total == 0) {
            return CANNOT_SENDFILE;
        }
        return (int)dry_wait_edge(caller, sent);
    }
}

struct reading {
    int fd;
    void *buffer;
    size_t length;
};

static ssize_t try_read(struct dry_caller caller, void *data)
{
    const struct reading *reading = data;
    return caller.system->read(caller, reading->fd, reading->buffer, reading->length);
}

static int send_all_of(struct dry_caller caller, struct sending_file *file, const char *bytes,
                       size_t length)
{
    while (length > 0) {
        ssize_t sent = dry_send(file->socket, bytes, length, 0);
        if (sent < 0 && dry_task_store(caller)->error.code == EAGAIN &&
            dry_task_store(caller)->error.kind == DRY_ERROR_OS) {
            struct pollfd descriptor = {.fd = file->socket->fd, .events = POLLOUT};
            struct wait room = {.descriptors = &descriptor, .count = 1, .timeout_ns = -1};
            sent = dry_wait_edge(caller, dry_wait(caller, &room));
            if (sent > 0) {
                sent = 0;
            }
        }
        if (sent < 0) {
            return -1;
        }
        file->total += (uint64_t)sent;
        bytes += sent;
        length -= (size_t)sent;
    }
    return 0;
}

/* Goes through `buffer`, READ_BYTES long. */
static int send_pieces(struct dry_caller caller, struct sending_file *file, char *buffer)
{
    for (;;) {
        size_t wanted = READ_BYTES;
        if (file->count >= 0 && (uint64_t)file->count - file->total < wanted) {
            wanted = (size_t)((uint64_t)file->count - file->total);
        }
        if (wanted == 0) {
            return 0;
        }
        struct reading reading = {.fd = file->fd, .buffer = buffer, .length = wanted};
        struct wait wait = {.attempt = try_read, .data = &reading, .timeout_ns = -1};
        ssize_t length = dry_wait(caller, &wait);
        if (length <= 0) {
            return (int)dry_wait_edge(caller, length);
        }
        if (send_all_of(caller, file, buffer, (size_t)length) != 0) {
            return -1;
        }
    }
}

static int send_by_send(struct dry_caller caller, struct sending_file *file)
{
    if (file->socket->timeout_ns == 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "non-blocking sockets are not supported");
    }
    if (file->offset != 0) {
        off_t at = caller.system->lseek(caller, file->fd, file->offset, SEEK_SET);
        if (at < 0) {
            return dry_error_os(caller, (int)-at);
        }
    }
    char *buffer = malloc(READ_BYTES); /* a task's stack may be small */
    if (buffer == NULL) {
        return dry_error_os(caller, ENOMEM);
    }
    int result = send_pieces(caller, file, buffer);
    free(buffer);
    return result;
}

static int check_parameters(struct dry_caller caller, const struct dry_socket *socket, int64_t offset,
                            int64_t count)
{
    if ((socket->type & SOCK_STREAM) == 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "only SOCK_STREAM type sockets are supported");
    }
    if (count != -1 && count <= 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "count must be a positive integer (got %lld)",
                               (long long)count);
    }
    if (offset < 0) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "negative seek value %lld", (long long)offset);
    }
    return 0;
}

int dry_sendfile(struct dry_socket *socket, int fd, int64_t offset, int64_t count, size_t *sent)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("sendfile", socket->fd);
    struct sending_file file = {.socket = socket, .fd = fd, .offset = (off_t)offset, .count = count};
    int result = check_parameters(caller, socket, offset, count);
    if (result == 0) {
        result = send_by_sendfile(caller, &file);
        if (result == CANNOT_SENDFILE) {
            result = send_by_send(caller, &file);
        }
    }
    /* The position tells how far it came, also when it failed; what cannot seek has none. */
    if (file.total > 0 && !(result < 0 && DRY_MUTANT(sendfile_forgets_its_position))) {
        off_t at = caller.system->lseek(caller, fd, file.offset + (off_t)file.total, SEEK_SET);
        if (at < 0 && at != -ESPIPE && result == 0) {
            result = dry_error_os(caller, (int)-at);
        }
    }
    if (sent != NULL) {
        *sent = (size_t)file.total;
    }
    dry_call_end(caller);
    return result;
}
