/* Socket addresses inside the library: what a family's file gets and gives.
 * SPDX-License-Identifier: MIT
 *
 * Each family is one file real/address_<family>.c with two functions, and one row of the table in
 * real/address.c. The argument_* functions read one element of the address as the format letters of
 * CPython's PyArg_ParseTuple do, with its errors; all return 0, or -1 with the error set.
 */
#ifndef REAL_ADDRESS_H
#define REAL_ADDRESS_H

#include <drysock/socket.h>

/* An address on its way from its Python form. */
struct address_source {
    struct dry_caller caller;
    const char *method; /* begins messages: "connect" */
    int family;
    int protocol;
    const struct dry_value *value;
};

/* An address on its way to its Python form: items of a tuple, and the bytes that they point to. */
struct address_sink {
    struct dry_caller caller;
    struct dry_value *value;
    struct dry_value *items;
    char *text;
    size_t text_used;
};

struct address_family {
    int family;
    /* Fills address->storage (zeroed before) and address->length. */
    int (*from_value)(const struct address_source *source, struct dry_address *address);
    /* Fills sink->value. NULL: the family has no form of its own to print. */
    int (*to_value)(const struct dry_address *address, struct address_sink *sink);
};

extern const struct address_family dry_family_unspec;
extern const struct address_family dry_family_unix;
extern const struct address_family dry_family_inet;
extern const struct address_family dry_family_inet6;
extern const struct address_family dry_family_netlink;
extern const struct address_family dry_family_tipc;
extern const struct address_family dry_family_can;
extern const struct address_family dry_family_system;
extern const struct address_family dry_family_bluetooth;
extern const struct address_family dry_family_alg;
extern const struct address_family dry_family_packet;
extern const struct address_family dry_family_rds;
extern const struct address_family dry_family_vsock;
extern const struct address_family dry_family_qipcrtr;

/* "connect(): AF_X address must be tuple, not str". */
int argument_tuple(const struct address_source *source, const char *family_name);
/* The tuple has at least `least` and at most `most` elements; else TypeError(message), or with
 * message NULL "function() takes exactly N arguments (M given)". */
int argument_count(const struct address_source *source, uint32_t least, uint32_t most,
                   const char *message);
/* "i": an int in C's range; outside it "connect(): `overflow`", or with NULL what the format itself
 * says. Absent elements leave *number. */
int argument_int(const struct address_source *source, uint32_t index, const char *overflow,
                 int *number);
/* "I", "H", "B": the low bits of an int of any size. Absent elements leave *number. */
int argument_bits(const struct address_source *source, uint32_t index, uint64_t *number);
/* "k", "K": the same with another sentence for other types. The element is there. */
int argument_long(const struct address_source *source, uint32_t index, uint64_t *number);
/* A tuple of two "I". */
int argument_pair(const struct address_source *source, const char *family_name, uint64_t *first,
                  uint64_t *second);
/* "s": a str without NULs; its bytes go to `text`, and *length tells how many there are, also when
 * only bytes - 1 of them fit. Another type is TypeError(message). */
int argument_text(const struct address_source *source, uint32_t index, const char *message, char *text,
                  size_t bytes, size_t *length);
/* PyUnicode_FSConverter: str or bytes without NULs, likewise. */
int argument_path(const struct address_source *source, uint32_t index, char *text, size_t bytes,
                  size_t *length);

/* Reads a host name or numeric address and resolves it as CPython's setipaddr does, into
 * address->storage; index is the element of the tuple. */
int address_resolve(const struct address_source *source, uint32_t index, int family,
                    struct dry_address *address);
/* address_sink.c: makes sink->value a tuple of the `count` first items. */
int sink_tuple(struct address_sink *sink, uint32_t count);
/* Makes items[index] an int, str or bytes. Text and bytes are copied. */
void sink_int(struct address_sink *sink, uint32_t index, uint64_t number);
void sink_text(struct address_sink *sink, uint32_t index, const char *text, size_t length);
void sink_bytes(struct address_sink *sink, uint32_t index, const void *bytes, size_t length);
/* Makes items[index] an interface's name, or "" when the index has none. */
void sink_interface(struct address_sink *sink, uint32_t index, unsigned interface);

/* The port of an AF_INET or AF_INET6 address after CPython's check. */
int address_port_check(const struct address_source *source, int port);

#endif
