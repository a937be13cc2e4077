/* Moves bytes: send, sendall with one total deadline, sendto, and the recv calls.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "wait.h"

/* ---- sending ------------------------------------------------------------------------------ */

struct sending {
    int fd;
    int flags;
    const void *data;
    size_t length;
    const struct sockaddr *address; /* NULL: the connected peer */
    socklen_t address_length;
};

static ssize_t try_send(struct dry_caller caller, void *data)
{
    const struct sending *sending = data;
    return caller.system->sendto(caller, sending->fd, sending->data, sending->length, sending->flags,
                                 sending->address, sending->address_length);
}

ssize_t dry_send(struct dry_socket *socket, const void *data, size_t length, int flags)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("send", socket->fd);
    struct sending sending = {.fd = socket->fd, .flags = flags, .data = data, .length = length};
    ssize_t result = dry_wait_edge(caller,
                                   dry_wait_socket(caller, socket, POLLOUT, try_send, &sending));
    dry_call_end(caller);
    return result;
}

ssize_t dry_sendto(struct dry_socket *socket, const void *data, size_t length, int flags,
                   const struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("sendto", socket->fd);
    struct sending sending = {
        .fd = socket->fd,
        .flags = flags,
        .data = data,
        .length = length,
        .address = address != NULL ? &address->generic : NULL,
        .address_length = address != NULL ? address->length : 0,
    };
    ssize_t result = dry_wait_edge(caller,
                                   dry_wait_socket(caller, socket, POLLOUT, try_send, &sending));
    dry_call_end(caller);
    return result;
}

/* Sends all in as many tries as it takes; *sent tells how far it came. An outcome of dry_wait. */
static ssize_t send_all(struct dry_caller caller, struct dry_socket *socket, struct sending *sending,
                        size_t *sent)
{
    struct pollfd descriptor = {.fd = socket->fd, .events = POLLOUT};
    struct wait wait = {
        .attempt = try_send,
        .data = sending,
        .descriptors = socket->timeout_ns > 0 && socket->fd >= 0 ? &descriptor : NULL,
        .count = 1,
        .timeout_ns = socket->timeout_ns,
    };
    /* An empty message is sent too: a datagram of no bytes is one. */
    for (;;) {
        ssize_t count = dry_wait(caller, &wait);
        if (count < 0) {
            return count;
        }
        *sent += (size_t)count;
        sending->data = (const char *)sending->data + count;
        sending->length -= (size_t)count;
        if (sending->length == 0) {
            return 0;
        }
        /* A signal may have cut the send short without making it fail. */
        if (dry_wait_stopped(caller)) {
            return WAIT_STOPPED;
        }
        if (dry_wait_expired(caller, &wait)) {
            return WAIT_TIMED_OUT;
        }
        if (DRY_MUTANT(sendall_has_a_deadline_for_each_piece)) {
            wait.deadline_at = 0;
        }
    }
}

int dry_sendall(struct dry_socket *socket, const void *data, size_t length, int flags, size_t *sent)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("sendall", socket->fd);
    struct sending sending = {.fd = socket->fd, .flags = flags, .data = data, .length = length};
    size_t count = 0;
    int result = (int)dry_wait_edge(caller, send_all(caller, socket, &sending, &count));
    if (sent != NULL) {
        *sent = count;
    }
    dry_call_end(caller);
    return result;
}

/* ---- receiving ---------------------------------------------------------------------------- */

struct receiving {
    int fd;
    int flags;
    void *buffer;
    size_t length;
    struct sockaddr_storage *address; /* NULL: not asked for */
    socklen_t address_length;
};

static ssize_t try_receive(struct dry_caller caller, void *data)
{
    struct receiving *receiving = data;
    receiving->address_length = sizeof *receiving->address;
    return caller.system->recvfrom(caller, receiving->fd, receiving->buffer, receiving->length,
                                   receiving->flags, (struct sockaddr *)receiving->address,
                                   receiving->address != NULL ? &receiving->address_length : NULL);
}

static ssize_t receive(struct dry_caller caller, struct dry_socket *socket, void *buffer, size_t length,
                       int flags)
{
    /* Nothing asked for, nothing done: not even an error of the socket is seen (as in CPython). */
    if (length == 0) {
        return 0;
    }
    struct receiving receiving = {.fd = socket->fd, .flags = flags, .buffer = buffer, .length = length};
    return dry_wait_edge(caller, dry_wait_socket(caller, socket, POLLIN, try_receive, &receiving));
}

ssize_t dry_recv(struct dry_socket *socket, void *buffer, size_t length, int flags)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recv", socket->fd);
    ssize_t result = receive(caller, socket, buffer, length, flags);
    dry_call_end(caller);
    return result;
}

ssize_t dry_recv_into(struct dry_socket *socket, void *buffer, size_t buffer_bytes, size_t bytes,
                      int flags)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recv_into", socket->fd);
    ssize_t result;
    if (bytes > buffer_bytes) {
        result = dry_error_value(caller, DRY_VALUE_ERROR, "buffer too small for requested bytes");
    } else {
        result = receive(caller, socket, buffer, bytes != 0 ? bytes : buffer_bytes, flags);
    }
    dry_call_end(caller);
    return result;
}

static ssize_t receive_from(struct dry_caller caller, struct dry_socket *socket, void *buffer,
                            size_t length, int flags, struct dry_address *address)
{
    struct receiving receiving = {
        .fd = socket->fd,
        .flags = flags,
        .buffer = buffer,
        .length = length,
        .address = address != NULL ? &address->storage : NULL,
    };
    if (address != NULL) {
        *address = (struct dry_address){.protocol = socket->protocol};
    }
    ssize_t result = dry_wait_edge(caller,
                                   dry_wait_socket(caller, socket, POLLIN, try_receive, &receiving));
    if (result >= 0 && address != NULL) {
        address->length = receiving.address_length;
    }
    return result;
}

ssize_t dry_recvfrom(struct dry_socket *socket, void *buffer, size_t length, int flags,
                     struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recvfrom", socket->fd);
    ssize_t result = receive_from(caller, socket, buffer, length, flags, address);
    dry_call_end(caller);
    return result;
}

ssize_t dry_recvfrom_into(struct dry_socket *socket, void *buffer, size_t buffer_bytes, size_t bytes,
                          int flags, struct dry_address *address)
{
    if (socket == NULL) {
        return dry_error_no_socket();
    }
    struct dry_caller caller = dry_call_begin("recvfrom_into", socket->fd);
    ssize_t result;
    if (bytes > buffer_bytes) {
        result = dry_error_value(caller, DRY_VALUE_ERROR,
                                 "nbytes is greater than the length of the buffer");
    } else {
        result = receive_from(caller, socket, buffer, bytes != 0 ? bytes : buffer_bytes, flags,
                              address);
    }
    dry_call_end(caller);
    return result;
}
