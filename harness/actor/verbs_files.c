/* Verbs for streams over sockets, and for files that sendfile() sends.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verbs.h"

enum { PIECE_BYTES = 4096 };

static struct value content(struct call *call, const char *bytes, size_t count)
{
    struct value value = value_bytes(&call->actor->arena, bytes, count);
    if (call->self->text) {
        value.kind = VALUE_STR;
    }
    return value;
}

static int check_open(struct call *call)
{
    if (call->self->closed) {
        return raise_error(call->actor, "ValueError", "I/O operation on closed file.");
    }
    return 0;
}

static int run_makefile(struct call *call)
{
    const char *mode = "r", *encoding = NULL, *errors = NULL, *newline = NULL;
    int buffering = -1;
    if (take_text(call, 0, &mode) != 0 || take_int(call, 1, &buffering) != 0 ||
        take_text(call, 2, &encoding) != 0 || take_text(call, 3, &errors) != 0 ||
        take_text(call, 4, &newline) != 0) {
        return -1;
    }
    FILE *file = dry_makefile(call->self->socket, mode, buffering, encoding, errors, newline);
    if (file == NULL) {
        return raise_library(call->actor);
    }
    struct object *object = actor_object(call->actor, OBJECT_FILE);
    object->file = file;
    object->text = strchr(mode, 'b') == NULL;
    call->result = value_object(object);
    return 0;
}

/* tempfile(bytes): an anonymous file that holds them, its position at the start. */
static int run_tempfile(struct call *call)
{
    const char *bytes = "";
    size_t count = 0;
    if (take_bytes(call, 0, &bytes, &count) != 0) {
        return -1;
    }
    int descriptor = memfd_create("tempfile", MFD_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w+b") : NULL;
    if (file == NULL) {
        return raise_error(call->actor, "OSError", "a temporary file cannot be made");
    }
    fwrite(bytes, 1, count, file);
    fflush(file);
    lseek(descriptor, 0, SEEK_SET);
    struct object *object = actor_object(call->actor, OBJECT_FILE);
    object->file = file;
    object->descriptor = descriptor;
    call->result = value_object(object);
    return 0;
}

static int run_sendfile(struct call *call)
{
    int64_t offset = 0, count = -1;
    int descriptor;
    size_t sent = 0;
    if (value_descriptor(call->actor, &call->arguments[0], &descriptor) != 0 ||
        take_int64(call, 1, &offset) != 0) {
        return -1;
    }
    if (call->given[2] && call->arguments[2].kind != VALUE_NONE) {
        if (take_int64(call, 2, &count) != 0) {
            return -1;
        }
        if (count <= 0) {
            return raise_error(call->actor, "ValueError", "count must be a positive integer (got %lld)",
                               (long long)count);
        }
    }
    if (dry_sendfile(call->self->socket, descriptor, offset, count, &sent) != 0) {
        return raise_library(call->actor);
    }
    call->result = value_int((int64_t)sent);
    return 0;
}

/* ---- methods of streams --------------------------------------------------------------------- */

/* read() to the end, read(size) until so many are there. */
static int run_read(struct call *call)
{
    int64_t size = -1;
    size_t count = 0, room = 0;
    char *bytes = arena_take(&call->actor->arena, 1);
    if (check_open(call) != 0 ||
        (call->given[0] && call->arguments[0].kind != VALUE_NONE && take_int64(call, 0, &size) != 0)) {
        return -1;
    }
    clearerr(call->self->file);
    while (size < 0 || count < (size_t)size) {
        size_t more = size < 0 || (size_t)size - count > PIECE_BYTES ? (size_t)PIECE_BYTES
                                                                     : (size_t)size - count;

        if (room - count < more) {
            char *moved = arena_take(&call->actor->arena, room = (count + more) * 2);
            memcpy(moved, bytes, count);
            bytes = moved;
        }
        size_t got = fread(bytes + count, 1, more, call->self->file);
        count += got;
        if (got < more) {
            break;
        }
    }
    if (ferror(call->self->file)) {
        return raise_library(call->actor);
    }
    call->result = content(call, bytes, count);
    return 0;
}

static int run_readline(struct call *call)
{
    size_t count = 0, room = PIECE_BYTES;
    char *bytes = arena_take(&call->actor->arena, room);
    int byte = 0;
    if (check_open(call) != 0) {
        return -1;
    }
    clearerr(call->self->file);
    while (byte != '\n' && (byte = getc(call->self->file)) != EOF) {
        if (count == room) {
            char *moved = arena_take(&call->actor->arena, room * 2);
            memcpy(moved, bytes, count);
            bytes = moved;
            room *= 2;
        }
        bytes[count++] = (char)byte;
    }
    if (ferror(call->self->file)) {
        return raise_library(call->actor);
    }
    call->result = content(call, bytes, count);
    return 0;
}

static int run_write(struct call *call)
{
    const struct value *value = &call->arguments[0];
    enum value_kind wanted = call->self->text ? VALUE_STR : VALUE_BYTES;
    int64_t written = 0;
    if (check_open(call) != 0) {
        return -1;
    }
    if (value->kind != wanted && (call->self->text || value->kind != VALUE_BYTEARRAY)) {
        return raise_error(call->actor, "TypeError",
                           call->self->text ? "write() argument must be str"
                                            : "a bytes-like object is required");
    }
    clearerr(call->self->file);
    if (fwrite(value->bytes, 1, value->count, call->self->file) < value->count) {
        return raise_library(call->actor);
    }
    for (size_t i = 0; i < value->count; i++) { /* characters, of str */
        written += !call->self->text || (value->bytes[i] & 0xc0) != 0x80;
    }
    call->result = value_int(written);
    return 0;
}

static int run_flush(struct call *call)
{
    if (check_open(call) != 0) {
        return -1;
    }
    return fflush(call->self->file) != 0 ? raise_library(call->actor) : 0;
}

static int run_close(struct call *call)
{
    if (call->self->closed) {
        return 0;
    }
    call->self->closed = 1;
    return fclose(call->self->file) != 0 ? raise_library(call->actor) : 0;
}

/* The file position as the descriptor has it: what sendfile() moves. */
static int run_tell(struct call *call)
{
    off_t position = check_open(call) == 0 && call->self->descriptor >= 0
                         ? lseek(call->self->descriptor, 0, SEEK_CUR)
                         : -1;

    if (position < 0) {
        return raise_error(call->actor, "OSError", "the stream has no position");
    }
    call->result = value_int(position);
    return 0;
}

const struct verb verbs_files[] = {
    {"makefile", VERB_SOCKET, "mode? buffering? encoding? errors? newline?", run_makefile},
    {"sendfile", VERB_SOCKET, "file offset? count?", run_sendfile},
    {"tempfile", VERB_FUNCTION, "data", run_tempfile},
    {"read", VERB_FILE, "size?", run_read},
    {"readline", VERB_FILE, "", run_readline},
    {"write", VERB_FILE, "data", run_write},
    {"flush", VERB_FILE, "", run_flush},
    {"close", VERB_FILE, "", run_close},
    {"tell", VERB_FILE, "", run_tell},
    {0},
};
