/* Answers of the DNS as the C library reads them: which records count, and which names are told.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: alias records are followed in the order in which they stand, whosever they are; an address
 * counts when it stands under the name that is then expected. What cannot be read spoils the whole. */
#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>
#include <strings.h>

#include "resolver_internal.h"

struct reader {
    const uint8_t *begin, *at, *end;
    unsigned count;             /* answers that the head announces */
    unsigned type;              /* that was asked for */
    char question[NS_MAXDNAME]; /* text of the name asked for, as the answer repeats it */
    char expected[NS_MAXDNAME]; /* whose addresses count now */
};

struct wire_record {
    char owner[NS_MAXDNAME];
    unsigned type, class;
    size_t length;
    const uint8_t *data;
};

static bool read_name(const struct reader *reader, const uint8_t *at, char name[NS_MAXDNAME],
                      int *bytes)
{
    uint8_t packed[NS_MAXCDNAME];
    *bytes = ns_name_unpack(reader->begin, reader->end, at, packed, sizeof packed);
    return *bytes >= 0 && ns_name_ntop(packed, name, NS_MAXDNAME) >= 0;
}

static bool reader_begin(struct reader *reader, const uint8_t *message, size_t length)
{
    int bytes;
    *reader = (struct reader){.begin = message, .end = message + length};
    if (length < NS_HFIXEDSZ || ns_get16(message + 4) != 1) {
        return false;
    }
    reader->at = message + NS_HFIXEDSZ;
    reader->count = ns_get16(message + 6);
    if (!read_name(reader, reader->at, reader->question, &bytes) ||
        reader->end - reader->at < bytes + NS_QFIXEDSZ) {
        return false;
    }
    strcpy(reader->expected, reader->question);
    reader->type = ns_get16(reader->at + bytes);
    reader->at += bytes + NS_QFIXEDSZ;
    return true;
}

static bool next_record(struct reader *reader, struct wire_record *record)
{
    int bytes;
    if (!read_name(reader, reader->at, record->owner, &bytes) ||
        reader->end - reader->at < bytes + NS_RRFIXEDSZ) {
        return false;
    }
    const uint8_t *at = reader->at + bytes;
    record->type = ns_get16(at);
    record->class = ns_get16(at + 2);
    record->length = ns_get16(at + 8);
    record->data = at + NS_RRFIXEDSZ;
    if ((size_t)(reader->end - record->data) < record->length) {
        return false;
    }
    reader->at = record->data + record->length;
    return true;
}

static void unreadable(struct resolver_found *found)
{
    found->status = RESOLVER_UNAVAILABLE;
    found->h_error = NO_RECOVERY;
}

/* An alias record: its target is expected from now on. */
static bool follow(struct reader *reader, const struct wire_record *record)
{
    int bytes;
    return read_name(reader, record->data, reader->expected, &bytes);
}

static bool is_address(const struct reader *reader, const struct wire_record *record)
{
    return record->type == reader->type && record->length == (reader->type == ns_t_a ? 4 : 16) &&
           strcasecmp(record->owner, reader->expected) == 0;
}

static void add_address(struct resolver_found *found, const struct wire_record *record)
{
    struct resolver_address address = {.family = record->type == ns_t_a ? AF_INET : AF_INET6};
    memcpy(address.bytes, record->data, record->length);
    resolver_add_address(found, &address);
}

static void told_as(struct resolver_found *found, const char *name)
{
    size_t length = strnlen(name, sizeof found->canonical - 1);
    memcpy(found->canonical, name, length);
    found->canonical[length] = 0;
}

/* ---- A and AAAA at once ------------------------------------------------------------------- */

/* One of the two answers; the first address of all tells the canonical name. LINUX: records count
 * whatever their class. */
static void read_slice(const uint8_t *message, size_t length, struct resolver_found *found)
{
    struct reader reader;
    struct wire_record record;
    char canonical[NS_MAXDNAME];
    size_t before = found->address_count;
    if (!reader_begin(&reader, message, length)) {
        unreadable(found);
        return;
    }
    found->status = RESOLVER_NOT_FOUND;
    found->h_error = HOST_NOT_FOUND;
    if (reader.count == 0 || !res_hnok(reader.question)) {
        return;
    }
    strcpy(canonical, reader.question);
    for (unsigned i = 0; i < reader.count; i++) {
        if (!next_record(&reader, &record)) {
            unreadable(found);
            return;
        }
        if (record.type == ns_t_cname) {
            if (!follow(&reader, &record)) {
                unreadable(found);
                return;
            }
            if (res_hnok(reader.expected)) {
                strcpy(canonical, reader.expected);
            }
        } else if (is_address(&reader, &record)) {
            if (found->address_count == 0) {
                told_as(found, canonical);
            }
            add_address(found, &record);
        }
    }
    if (found->address_count > before) {
        found->status = RESOLVER_FOUND;
        found->h_error = 0;
    }
}

void resolver_read_both(const struct resolver_exchange *exchange, struct resolver_found *found)
{
    found->status = RESOLVER_NOT_FOUND;
    if (exchange->lengths[0] > 0) {
        read_slice(exchange->answers[0], exchange->lengths[0], found);
    }
    enum resolver_status first = found->status;
    int first_error = found->h_error;
    if ((first != RESOLVER_FOUND && first != RESOLVER_NOT_FOUND) || exchange->count < 2 ||
        exchange->lengths[1] == 0) {
        return;
    }
    read_slice(exchange->answers[1], exchange->lengths[1], found);
    /* LINUX: what the second answer lacks or spoils does not undo the first. */
    if (first == RESOLVER_FOUND || found->status == RESOLVER_NOT_FOUND) {
        found->status = first;
        found->h_error = first == RESOLVER_FOUND ? 0 : first_error;
    }
}

/* ---- one type ----------------------------------------------------------------------------- */

void resolver_read_one(const struct resolver_exchange *exchange, int type, struct resolver_found *found)
{
    struct reader reader;
    struct wire_record record;
    if (!reader_begin(&reader, exchange->answers[0], exchange->lengths[0])) {
        unreadable(found);
        return;
    }
    found->status = RESOLVER_NOT_FOUND;
    found->h_error = HOST_NOT_FOUND;
    if ((exchange->answers[0][3] & 15) == ns_r_nxdomain || !res_hnok(reader.question)) {
        return;
    }
    reader.type = (unsigned)type;
    told_as(found, reader.question);
    for (unsigned i = 0; i < reader.count; i++) {
        if (!next_record(&reader, &record)) {
            unreadable(found);
            return;
        }
        if (record.class != ns_c_in) {
            continue;
        }
        if (record.type == ns_t_cname) {
            if (!follow(&reader, &record)) {
                unreadable(found);
                return;
            }
            /* A target that is no host name is followed, and not shown. */
            if (res_hnok(reader.expected)) {
                resolver_add_alias(found, found->canonical);
                told_as(found, reader.expected);
            }
        } else if (is_address(&reader, &record)) {
            add_address(found, &record);
        }
    }
    bool any = found->address_count > 0;
    found->status = any ? RESOLVER_FOUND : RESOLVER_TRY_AGAIN;
    found->h_error = any ? 0 : NO_RECOVERY;
}

/* ---- the names of an address -------------------------------------------------------------- */

void resolver_read_pointer(const struct resolver_exchange *exchange, struct resolver_found *found)
{
    struct reader reader;
    struct wire_record record;
    int bytes;
    found->status = RESOLVER_UNAVAILABLE;
    found->h_error = NO_RECOVERY;
    if (!reader_begin(&reader, exchange->answers[0], exchange->lengths[0])) {
        return;
    }
    for (unsigned i = 0; i < reader.count; i++) {
        if (!next_record(&reader, &record)) {
            return;
        }
        if (record.class != ns_c_in) {
            continue;
        }
        if (record.type == ns_t_cname && !follow(&reader, &record)) {
            return;
        }
        if (record.type == ns_t_ptr && strcasecmp(record.owner, reader.expected) == 0) {
            char name[NS_MAXDNAME];
            if (!read_name(&reader, record.data, name, &bytes) || !res_hnok(name)) {
                return;
            }
            told_as(found, name);
            found->status = RESOLVER_FOUND;
            found->h_error = 0;
            return;
        }
    }
    found->status = RESOLVER_TRY_AGAIN;
    found->h_error = NO_RECOVERY;
}
