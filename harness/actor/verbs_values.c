/* Helpers that scenarios need beside the socket module: bytes, packing, sleeping, signals, paths.
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

enum { LARGEST_BYTES = 64 << 20 };

static int run_len(struct call *call)
{
    const struct value *value = &call->arguments[0];
    if (value->kind < VALUE_STR || value->kind > VALUE_LIST) {
        return raise_error(call->actor, "TypeError", "this value has no len()");
    }
    call->result = value_int((int64_t)value->count);
    return 0;
}

/* bytearray(size) of zeros, or bytearray(bytes). */
static int run_bytearray(struct call *call)
{
    const struct value *value = &call->arguments[0];
    if (value->kind == VALUE_BYTES || value->kind == VALUE_BYTEARRAY) {
        call->result = value_bytes(&call->actor->arena, value->bytes, value->count);
    } else {
        int64_t size = 0;
        if (take_int64(call, 0, &size) != 0) {
            return -1;
        }
        if (size < 0 || size > LARGEST_BYTES) {
            return raise_error(call->actor, "ValueError", "negative count");
        }
        call->result = (struct value){.bytes = arena_take(&call->actor->arena, (size_t)size + 1),
                                      .count = (size_t)size};
    }
    call->result.kind = VALUE_BYTEARRAY;
    return 0;
}

/* counted(n): n bytes that count 0 to 250 again and again, so that lost or moved ones show. */
static int run_counted(struct call *call)
{
    int64_t size = 0;
    if (take_int64(call, 0, &size) != 0) {
        return -1;
    }
    if (size < 0 || size > LARGEST_BYTES) {
        return raise_error(call->actor, "ValueError", "negative count");
    }
    call->result = value_bytes(&call->actor->arena, "", 0);
    call->result.bytes = arena_take(&call->actor->arena, (size_t)size + 1);
    call->result.count = (size_t)size;
    for (int64_t i = 0; i < size; i++) {
        call->result.bytes[i] = (char)(i % 251);
    }
    return 0;
}

/* content(), prefix(), suffix(), contains(): patterns, which judge.c matches. */
static int run_pattern(struct call *call)
{
    return raise_error(call->actor, "TypeError", "%s() stands only behind '->'", call->verb->name);
}

/* ---- pack and unpack ------------------------------------------------------------------------ */

/* A format of struct.pack(): an order mark, counts, and b B h H i I l L q Q x. Sizes and alignment
 * are native without a mark or with '@', else standard and packed. */
struct packing {
    const char *at;
    bool native, big;
};

static size_t packed_size(const struct packing *packing, char code)
{
    switch (code) {
    case 'b':
    case 'B':
    case 'x':
        return 1;
    case 'h':
    case 'H':
        return 2;
    case 'i':
    case 'I':
        return 4;
    case 'l':
    case 'L':
        return packing->native ? sizeof(long) : 4;
    case 'q':
    case 'Q':
        return 8;
    default:
        return 0;
    }
}

static struct packing packing_begin(const char *format)
{
    struct packing packing = {.at = format, .native = true};

    if (*format != 0 && strchr("@=<>!", *format) != NULL) {
        packing.native = *format == '@';
        packing.big = *format == '>' || *format == '!';
        packing.at++;
    }
    return packing;
}

/* The next code and how often it stands there; 0 at the end, -1 for a code that is none. */
static int packing_next(struct packing *packing, char *code, size_t *times, size_t *size)
{
    while (*packing->at == ' ') {
        packing->at++;
    }
    if (*packing->at == 0) {
        return 0;
    }
    *times = isdigit((unsigned char)*packing->at) ? 0 : 1;
    for (; isdigit((unsigned char)*packing->at); packing->at++) {
        if (*times < LARGEST_BYTES) {
            *times = *times * 10 + (size_t)(*packing->at - '0');
        }
    }
    *code = *packing->at;
    *size = packed_size(packing, *code);
    if (*size == 0 || *times > 4096) {
        return -1;
    }
    packing->at++;
    return 1;
}

static void put_number(char *bytes, size_t size, bool big, int64_t number)
{
    for (size_t i = 0; i < size; i++) {
        bytes[big ? size - 1 - i : i] = (char)((uint64_t)number >> (8 * i));
    }
}

static int64_t get_number(const char *bytes, size_t size, bool big, bool is_signed)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number |= (uint64_t)(unsigned char)bytes[big ? size - 1 - i : i] << (8 * i);
    }
    if (is_signed && size < 8 && number >> (8 * size - 1) != 0) {
        number |= ~(uint64_t)0 << (8 * size);
    }
    return (int64_t)number;
}

static int run_pack(struct call *call)
{
    const char *format = "";
    const struct value *items = &call->arguments[1];
    struct text packed = {0};
    char code;
    size_t times, size, used = 0;
    int status;

    if (take_text(call, 0, &format) != 0) {
        return -1;
    }
    struct packing packing = packing_begin(format != NULL ? format : "");
    while ((status = packing_next(&packing, &code, &times, &size)) > 0) {
        while (packing.native && packed.length % size != 0) {
            text_add_bytes(&packed, "", 1);
        }
        for (size_t i = 0; i < times && status > 0; i++) {
            char bytes[8] = {0};

            if (code != 'x') {
                if (used == items->count || items->items[used].kind > VALUE_INT) {
                    status = -1;
                } else {
                    put_number(bytes, size, packing.big, items->items[used++].integer);
                }
            }
            text_add_bytes(&packed, bytes, size);
        }
        if (status < 0) {
            break;
        }
    }
    if (status == 0 && used == items->count) {
        call->result = value_bytes(&call->actor->arena, packed.bytes, packed.length);
    } else {
        status = -1;
    }
    text_free(&packed);
    return status == 0 ? 0
                       : raise_error(call->actor, "ValueError",
                                     "pack() cannot put these values "
                                     "into the format \"%s\"",
                                     format);
}

static int run_unpack(struct call *call)
{
    const char *format = "", *bytes = NULL, code_signed[] = "bhilq";
    size_t count = 0, offset = 0, times, size;
    char code;
    int status;
    if (take_text(call, 0, &format) != 0 || take_bytes(call, 1, &bytes, &count) != 0) {
        return -1;
    }
    struct packing packing = packing_begin(format != NULL ? format : "");
    call->result = value_tuple(&call->actor->arena, count);
    call->result.count = 0;
    while ((status = packing_next(&packing, &code, &times, &size)) > 0) {
        if (packing.native) {
            offset = (offset + size - 1) / size * size;
        }
        for (size_t i = 0; i < times; i++, offset += size) {
            if (offset + size > count) {
                return raise_error(call->actor, "ValueError", "unpack() needs more bytes");
            }
            if (code != 'x') {
                call->result.items[call->result.count++] = value_int(
                    get_number(bytes + offset, size, packing.big, strchr(code_signed, code) != NULL));
            }
        }
    }
    if (status < 0 || offset != count) {
        return raise_error(call->actor, "ValueError",
                           "unpack() cannot read %zu bytes by the format "
                           "\"%s\"",
                           count, format);
    }
    return 0;
}

/* ---- time, signals, paths ------------------------------------------------------------------- */

static int run_sleep(struct call *call)
{
    int64_t ns = 0;
    if (take_timeout(call, 0, &ns) != 0) {
        return -1;
    }
    if (ns < 0) {
        return raise_error(call->actor, "TypeError", "sleep() takes a number of seconds");
    }
    /* Announced before the instant is reckoned, so that a delay fault moves the whole sleep. */
    struct dry_caller caller = dry_current_caller();
    if (caller.system->call_begin != NULL) {
        caller.system->call_begin(caller, "sleep", -1);
    }
    int status = dry_sleep_until(dry_now() + (uint64_t)ns);
    if (caller.system->call_end != NULL) {
        caller.system->call_end(caller);
    }
    return result_status(call, status);
}

/* on_signal(RETRY): a handler that returns, as is without this line; on_signal(STOP): one that
 * raises, which ends the call with `interrupted`. */
static int run_on_signal(struct call *call)
{
    int what = 0;
    if (take_int(call, 0, &what) != 0) {
        return -1;
    }
    call->actor->stops_on_signal = what != 0;
    return 0;
}

/* How many waits of this actor a signal cut short since it was last asked: a call that goes on after a
 * signal shows nothing else of it. */
static int run_interruptions(struct call *call)
{
    call->result = value_int(call->actor->interruptions);
    call->actor->interruptions = 0;
    return 0;
}

static int run_unlink(struct call *call)
{
    const char *path = NULL;
    if (take_text(call, 0, &path) != 0) {
        return -1;
    }
    if (path == NULL) {
        return raise_error(call->actor, "TypeError", "unlink() takes a path");
    }
    int status = call->actor->ops->unlink != NULL ? call->actor->ops->unlink(call->actor, path)
                 : unlink(path) != 0              ? -errno
                                                  : 0;
    return status < 0 ? raise_errno(call->actor, -status) : 0;
}

const struct verb verbs_values[] = {
    {"len", VERB_FUNCTION, "object", run_len},
    {"bytearray", VERB_FUNCTION, "source", run_bytearray},
    {"counted", VERB_FUNCTION, "count", run_counted},
    {"content", VERB_FUNCTION, "length hash", run_pattern},
    {"prefix", VERB_FUNCTION, "part", run_pattern},
    {"suffix", VERB_FUNCTION, "part", run_pattern},
    {"contains", VERB_FUNCTION, "part", run_pattern},
    {"pack", VERB_FUNCTION, "format *values", run_pack},
    {"unpack", VERB_FUNCTION, "format buffer", run_unpack},
    {"sleep", VERB_FUNCTION, "seconds", run_sleep},
    {"on_signal", VERB_FUNCTION, "what", run_on_signal},
    {"interruptions", VERB_FUNCTION, "", run_interruptions},
    {"unlink", VERB_FUNCTION, "path", run_unlink},
    {0},
};
