/* File objects: makefile()'s stdio stream over a socket, binary or text.
 * SPDX-License-Identifier: MIT
 *
 * The C library's stream is the buffer, of the size asked for; what Python's SocketIO and
 * TextIOWrapper do is the stream's cookie. A stream for both directions keeps what it read ahead
 * here, and gives it out byte by byte: the C library would drop what its own buffer holds when the
 * program turns from reading to writing.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "socket.h"
#include "text.h"

enum {
    BUFFER_BYTES = 8192,   /* io.DEFAULT_BUFFER_SIZE */
    LEAST_TEXT_BYTES = 64, /* read and decoded at a time: room for any character, however small the
                              buffer that was asked for */
};

struct stream {
    struct dry_socket *socket;
    bool reads;
    bool writes;
    bool is_text;
    bool timed_out; /* a read timed out: data may be lost, so none is read any more */
    struct text text;
    char *raw; /* bytes as received; NULL where reads go to the C library's buffer */
    size_t raw_bytes;
    struct text_span received; /* of raw: not yet given out, or decoded */
    char *decoded;             /* text that the program has not seen yet; NULL without text */
    size_t decoded_bytes;
    struct text_span ready; /* what the program reads next */
    char buffer[];          /* the C library's */
};

/* ---- errno, for those who look there ------------------------------------------------------ */

/* The error object tells more: a timeout is EAGAIN here. */
static ssize_t fail(void)
{
    const struct dry_error *why = dry_last_error();
    switch (why->kind) {
    case DRY_ERROR_OS:
        errno = why->code != 0 ? why->code : EIO;
        break;
    case DRY_ERROR_TIMEOUT:
        errno = EAGAIN;
        break;
    case DRY_ERROR_INTERRUPTED:
        errno = EINTR;
        break;
    default:
        errno = EILSEQ;
    }
    return -1;
}

/* ---- reading ------------------------------------------------------------------------------ */

static ssize_t receive(struct stream *stream, char *buffer, size_t bytes)
{
    if (stream->timed_out) {
        return dry_error_os_text(dry_current_caller(), "cannot read from timed out object");
    }
    ssize_t count = dry_recv_into(stream->socket, buffer, bytes, bytes, 0);
    if (count < 0) {
        stream->timed_out = dry_last_error()->kind == DRY_ERROR_TIMEOUT &&
                            !DRY_MUTANT(file_reads_on_after_a_timeout);
    }
    return count;
}

/* Receives behind what is still undecoded. */
static ssize_t receive_raw(struct stream *stream)
{
    memmove(stream->raw, stream->received.at, stream->received.left);
    stream->received.at = stream->raw;
    ssize_t count = receive(stream, stream->raw + stream->received.left,
                            stream->raw_bytes - stream->received.left);
    if (count > 0) {
        stream->received.left += (size_t)count;
    }
    return count;
}

/* Decodes into stream->ready. Good text before an error is given out first. */
static int decode(struct stream *stream, bool at_end)
{
    struct text_span out = {stream->decoded, stream->decoded_bytes};
    int result = dry_text_decode(dry_current_caller(), &stream->text, &stream->received, &out, at_end);
    stream->ready.at = stream->decoded;
    stream->ready.left = (size_t)(out.at - stream->decoded);
    return stream->ready.left > 0 ? 0 : result;
}

/* Makes something ready to be read. 1: it is; 0: the end; -1: an error. */
static int fill(struct stream *stream)
{
    bool at_end = false;
    if (stream->is_text && stream->received.left > 0 && decode(stream, false) < 0) {
        return -1;
    }
    while (stream->ready.left == 0 && !at_end) {
        ssize_t count = receive_raw(stream);
        if (count < 0) {
            return -1;
        }
        at_end = count == 0;
        if (!stream->is_text) {
            stream->ready = stream->received;
            stream->received.left = 0;
        } else if (decode(stream, at_end) < 0) {
            return -1;
        }
    }
    return stream->ready.left > 0;
}

static ssize_t stream_read(void *cookie, char *buffer, size_t bytes)
{
    struct stream *stream = cookie;
    if (stream->raw == NULL) {
        ssize_t count = receive(stream, buffer, bytes);
        return count < 0 ? fail() : count;
    }
    if (stream->ready.left == 0) {
        int filled = fill(stream);
        if (filled <= 0) {
            return filled < 0 ? fail() : 0;
        }
    }
    size_t count = stream->ready.left < bytes ? stream->ready.left : bytes;
    if (stream->writes) {
        count = 1;
    }
    memcpy(buffer, stream->ready.at, count);
    stream->ready.at += count;
    stream->ready.left -= count;
    return (ssize_t)count;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* As BufferedWriter does: one send after the other, each with the socket's whole timeout. Returns
 * how much went out; less than asked for: the error is set. */
static size_t send_all(struct stream *stream, const char *data, size_t bytes)
{
    size_t sent = 0;
    while (sent < bytes) {
        ssize_t count = dry_send(stream->socket, data + sent, bytes - sent, 0);
        if (count < 0) {
            break;
        }
        sent += (size_t)count;
    }
    return sent;
}

static int send_text(struct stream *stream, const char *data, size_t bytes, bool at_end)
{
    char encoded[4096];
    struct text_span in = {(char *)(uintptr_t)data, bytes};
    for (;;) {
        struct text_span out = {encoded, sizeof encoded};
        int result = dry_text_encode(dry_current_caller(), &stream->text, &in, &out, at_end);
        size_t length = (size_t)(out.at - encoded);
        struct dry_error why = *dry_last_error();
        if (send_all(stream, encoded, length) < length) {
            return -1;
        }
        if (result < 0) {
            return dry_error_restore(dry_current_caller(), &why);
        }
        if (length == 0) {
            return 0;
        }
    }
}

static ssize_t stream_write(void *cookie, const char *data, size_t bytes)
{
    struct stream *stream = cookie;
    size_t sent = bytes;
    if (!stream->is_text) {
        sent = send_all(stream, data, bytes);
    } else if (send_text(stream, data, bytes, false) != 0) {
        sent = 0;
    }
    if (sent < bytes) {
        fail();
    }
    return (ssize_t)sent;
}

/* ---- the stream's life -------------------------------------------------------------------- */

static int stream_close(void *cookie)
{
    struct stream *stream = cookie;
    int result = 0;
    if (stream->is_text && stream->writes && stream->text.carry_bytes > 0 &&
        send_text(stream, "", 0, true) != 0) {
        result = (int)fail();
    }
    int closed = dry_socket_release(dry_current_caller(), stream->socket, HOLDS_FILE);
    if (closed < 0) {
        dry_error_os(dry_current_caller(), -closed);
        result = (int)fail();
    }
    if (stream->is_text) {
        dry_text_end(&stream->text);
    }
    free(stream->raw);
    free(stream->decoded);
    free(stream);
    return result;
}

struct file_mode {
    bool reads;
    bool writes;
    bool is_text;
};

static int read_mode(struct dry_caller caller, const char *mode, int buffering, struct file_mode *to)
{
    if (mode[strspn(mode, "rwb")] != '\0') {
        return dry_error_value(caller, DRY_VALUE_ERROR, "invalid mode '%s' (only r, w, b allowed)",
                               mode);
    }
    to->writes = strchr(mode, 'w') != NULL;
    to->reads = strchr(mode, 'r') != NULL || !to->writes;
    to->is_text = strchr(mode, 'b') == NULL;
    if (buffering == 0 && to->is_text) {
        return dry_error_value(caller, DRY_VALUE_ERROR, "unbuffered streams must be binary");
    }
    return 0;
}

/* The stream's own buffers; false without memory. */
static bool add_buffers(struct stream *stream, size_t buffer_bytes)
{
    if (!stream->reads || (!stream->writes && !stream->is_text)) {
        return true;
    }
    size_t bytes = buffer_bytes < LEAST_TEXT_BYTES ? LEAST_TEXT_BYTES : buffer_bytes;
    stream->raw = malloc(bytes);
    stream->raw_bytes = bytes;
    stream->received.at = stream->raw;
    if (stream->is_text) {
        stream->decoded = malloc(2 * bytes);
        stream->decoded_bytes = 2 * bytes;
    }
    return stream->raw != NULL && (!stream->is_text || stream->decoded != NULL);
}

static FILE *open_stream(struct stream *stream, size_t buffer_bytes, bool by_line)
{
    cookie_io_functions_t calls = {
        .read = stream->reads ? stream_read : NULL,
        .write = stream->writes ? stream_write : NULL,
        .close = stream_close,
    };
    const char *mode = !stream->writes ? "r" : !stream->reads ? "w" : "r+";
    FILE *file = fopencookie(stream, mode, calls);
    if (file == NULL) {
        return NULL;
    }
    int result = setvbuf(file, buffer_bytes > 0 ? stream->buffer : NULL,
                         buffer_bytes == 0 ? _IONBF
                         : by_line         ? _IOLBF
                                           : _IOFBF,
                         buffer_bytes);
    assert(result == 0);
    return file;
}

static FILE *make(struct dry_caller caller, struct dry_socket *socket, const struct file_mode *mode,
                  int buffering, const char *encoding, const char *errors, const char *newline)
{
    /* 1 is open()'s line buffering of text, which the documentation promises; CPython makes it a
     * buffer of one byte. */
    bool by_line = buffering == 1 && mode->is_text;
    size_t buffer_bytes = buffering < 0 || by_line ? BUFFER_BYTES : (size_t)buffering;
    struct stream *stream = calloc(1, sizeof *stream + buffer_bytes);
    if (stream == NULL) {
        dry_error_os(caller, ENOMEM);
        return NULL;
    }
    stream->socket = socket;
    stream->reads = mode->reads;
    stream->writes = mode->writes;
    stream->is_text = mode->is_text;
    FILE *file = NULL;
    if (!stream->is_text || dry_text_begin(caller, &stream->text, encoding, errors, newline,
                                           stream->reads, stream->writes) == 0) {
        if (add_buffers(stream, buffer_bytes)) {
            file = open_stream(stream, buffer_bytes, by_line);
        }
        if (file == NULL) {
            dry_error_os(caller, ENOMEM);
            if (stream->is_text) {
                dry_text_end(&stream->text);
            }
        }
    }
    if (file != NULL) {
        dry_socket_hold(socket);
        return file;
    }
    free(stream->raw);
    free(stream->decoded);
    free(stream);
    return NULL;
}

FILE *dry_makefile(struct dry_socket *socket, const char *mode, int buffering, const char *encoding,
                   const char *errors, const char *newline)
{
    if (socket == NULL) {
        dry_error_no_socket();
        return NULL;
    }
    struct dry_caller caller = dry_call_begin("makefile", socket->fd);
    struct file_mode wanted = {0};
    FILE *file = NULL;
    if (read_mode(caller, mode, buffering, &wanted) == 0) {
        file = make(caller, socket, &wanted, buffering, encoding, errors, newline);
    }
    dry_call_end(caller);
    return file;
}
