/* The answers that a zone makes to DNS questions.
 * SPDX-License-Identifier: MIT */
#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "zone_internal.h"

enum {
    ZONE_CHAIN = 16,      /* CNAMEs followed in one answer */
    ZONE_UDP_BYTES = 512, /* RFC 1035 2.3.4 */
    ZONE_EDNS_BYTES = 1232,
    OPT_BYTES = 1 + NS_RRFIXEDSZ,
    CODE_BADVERS = 16, /* RFC 6891 6.1.3: its low four bits stand in the head */
};

/* What a query asks, as far as it could be read. */
struct asked {
    char name[ZONE_NAME_BYTES]; /* canonical */
    char spelling[NS_MAXDNAME];
    int type, class;
    bool edns;
    int edns_version;
    size_t edns_bytes;
};

/* An answer as it is written: the head's twelve bytes, the question, then records. */
struct writer {
    uint8_t *start, *at, *end;
    u_char *names[64]; /* where names stand, for dn_comp */
    uint16_t answers;
    bool full;
};

static void write16(struct writer *writer, unsigned number)
{
    if (writer->end - writer->at < 2) {
        writer->full = true;
        return;
    }
    ns_put16(number, writer->at);
    writer->at += 2;
}

static void write32(struct writer *writer, uint32_t number)
{
    write16(writer, number >> 16);
    write16(writer, number & 0xffff);
}

static void write_bytes(struct writer *writer, const void *bytes, size_t count)
{
    if ((size_t)(writer->end - writer->at) < count) {
        writer->full = true;
        return;
    }
    memcpy(writer->at, bytes, count);
    writer->at += count;
}

static void write_name(struct writer *writer, const char *name)
{
    u_char **last = writer->names + sizeof writer->names / sizeof writer->names[0];
    int bytes = dn_comp(name, writer->at, (int)(writer->end - writer->at), writer->names, last);
    if (bytes < 0) {
        writer->full = true;
        return;
    }
    writer->at += bytes;
}

/* A record that does not fit whole is not there at all. */
static void write_record(struct writer *writer, const char *owner, const struct zone_record *record)
{
    uint8_t *begin = writer->at;
    if (writer->full) {
        return;
    }
    write_name(writer, owner);
    write16(writer, (unsigned)record->type);
    write16(writer, ns_c_in);
    write32(writer, record->ttl);
    uint8_t *size = writer->at;
    write16(writer, 0);
    if (record->type == ns_t_mx) {
        write16(writer, record->preference);
    }
    if (record->type == ns_t_txt) {
        uint8_t length = (uint8_t)record->bytes;
        write_bytes(writer, &length, 1);
    }
    if (record->type == ns_t_txt || record->type == ns_t_a || record->type == ns_t_aaaa) {
        write_bytes(writer, record->data, record->bytes);
    } else {
        write_name(writer, record->data);
    }
    if (writer->full) {
        writer->at = begin;
        return;
    }
    ns_put16((unsigned)(writer->at - size - 2), size);
    writer->answers++;
}

/* ---- what is said ------------------------------------------------------------------------------- */

static struct zone_conduct conduct_of(const struct zone_node *node, int type)
{
    static const struct zone_conduct unknown = {.behaviour = ZONE_NXDOMAIN};
    int index = zone_type_index(type);
    if (node == NULL) {
        return unknown;
    }
    return index >= 0 && node->special[index] ? node->by_type[index] : node->conduct;
}

/* The code of what happens instead of an answer; -1: there is one. */
static int code_of(enum zone_behaviour behaviour)
{
    switch (behaviour) {
    case ZONE_NXDOMAIN:
        return ns_r_nxdomain;
    case ZONE_SERVFAIL:
        return ns_r_servfail;
    case ZONE_REFUSED:
        return ns_r_refused;
    case ZONE_FORMERR:
        return ns_r_formerr;
    case ZONE_NOTIMP:
        return ns_r_notimpl;
    case ZONE_NODATA:
        return ns_r_noerror;
    default:
        return -1;
    }
}

/* Writes the records that answer, following CNAMEs; the response code. */
static int write_answers(const struct sim_zone *zone, struct writer *writer, const struct asked *asked)
{
    char name[ZONE_NAME_BYTES];
    strcpy(name, asked->name);
    for (int aliases = 0; aliases <= ZONE_CHAIN; aliases++) {
        const struct zone_node *node = zone_find(zone, name);
        int code = code_of(conduct_of(node, asked->type).behaviour);
        if (code >= 0) {
            return code;
        }
        const struct zone_record *alias = NULL;
        for (const struct zone_record *record = node->first; record != NULL; record = record->next) {
            if (record->type == asked->type || asked->type == ns_t_any) {
                write_record(writer, name, record);
            } else if (record->type == ns_t_cname) {
                alias = record;
            }
        }
        if (alias == NULL) {
            return ns_r_noerror;
        }
        write_record(writer, name, alias);
        strcpy(name, alias->data);
    }
    return ns_r_servfail;
}

/* ---- the message -------------------------------------------------------------------------------- */

/* RFC 6891: at most one, and of the root. False: there is something else of this kind. */
static bool read_edns(ns_msg *message, struct asked *asked)
{
    for (int i = 0; i < ns_msg_count(*message, ns_s_ar); i++) {
        ns_rr record;
        if (ns_parserr(message, ns_s_ar, i, &record) < 0) {
            return false;
        }
        if (ns_rr_type(record) != ns_t_opt) {
            continue;
        }
        if (asked->edns || ns_rr_name(record)[0] != '.') {
            return false;
        }
        asked->edns = true;
        asked->edns_bytes = ns_rr_class(record);
        asked->edns_version = (int)(ns_rr_ttl(record) >> 16 & 0xff);
    }
    return true;
}

/* 0, or the code that says what is wrong with it. */
static int read_query(const uint8_t *query, size_t length, struct asked *asked)
{
    ns_msg message;
    ns_rr question;
    if (ns_initparse(query, (int)length, &message) < 0 || ns_msg_count(message, ns_s_qd) != 1 ||
        ns_parserr(&message, ns_s_qd, 0, &question) < 0 || !read_edns(&message, asked)) {
        return ns_r_formerr;
    }
    if ((query[2] >> 3 & 15) != ns_o_query) {
        return ns_r_notimpl;
    }
    snprintf(asked->spelling, sizeof asked->spelling, "%s", ns_rr_name(question));
    asked->type = ns_rr_type(question);
    asked->class = ns_rr_class(question);
    if (!zone_canonical_name(asked->spelling, asked->name)) {
        return ns_r_refused; /* the root, of which a zone says nothing */
    }
    bool transfer = asked->type == ns_t_axfr || asked->type == ns_t_ixfr;
    return asked->class != ns_c_in || transfer ? ns_r_refused : 0;
}

static size_t finish(struct writer *writer, const uint8_t *query, const struct asked *asked, int code,
                     bool truncated)
{
    uint8_t *head = writer->start;
    memcpy(head, query, 4);
    head[2] = (uint8_t)((query[2] & 0x79) | 0x84 | (truncated ? 0x02 : 0));
    head[3] = (uint8_t)((query[3] & 0x10) | 0x80 | (code & 15));
    ns_put16(asked->spelling[0] != 0 ? 1 : 0, head + 4);
    ns_put16(writer->answers, head + 6);
    ns_put16(0, head + 8);
    bool edns = asked->edns && !DRY_MUTANT(edns_is_never_answered);
    ns_put16(edns ? 1 : 0, head + 10);
    if (edns) {
        uint8_t *at = writer->at;
        *at++ = 0;
        ns_put16(ns_t_opt, at);
        ns_put16(ZONE_EDNS_BYTES, at + 2);
        ns_put32((unsigned long)(code >> 4) << 24, at + 4);
        ns_put16(0, at + 8);
        writer->at = at + NS_RRFIXEDSZ;
    }
    return (size_t)(writer->at - writer->start);
}

static size_t room_of(const struct asked *asked, bool over_tcp, size_t bytes)
{
    size_t room = ZONE_UDP_BYTES;
    if (over_tcp) {
        room = bytes;
    } else if (asked->edns && asked->edns_bytes > room) {
        room = asked->edns_bytes < ZONE_EDNS_BYTES ? asked->edns_bytes : ZONE_EDNS_BYTES;
    }
    return room - (asked->edns ? OPT_BYTES : 0);
}

struct sim_zone_reply sim_zone_answer(const struct sim_zone *zone, const uint8_t *query, size_t length,
                                      bool over_tcp, uint8_t *reply, size_t bytes)
{
    struct sim_zone_reply none = {0, 0}, result = {0, 0};
    struct asked asked = {.type = 0};
    if (length < NS_HFIXEDSZ || bytes < SIM_ZONE_REPLY_BYTES || (query[2] & 0x80) != 0) {
        return none;
    }
    int code = read_query(query, length, &asked);
    struct writer writer = {
        .start = reply, .at = reply + NS_HFIXEDSZ, .end = reply + room_of(&asked, over_tcp, bytes)};
    writer.names[0] = reply;
    if (asked.spelling[0] != 0) {
        write_name(&writer, asked.spelling);
        write16(&writer, (unsigned)asked.type);
        write16(&writer, (unsigned)asked.class);
    }
    if (code == 0 && asked.edns_version != 0) {
        code = CODE_BADVERS;
    }
    if (code != 0) {
        result.length = finish(&writer, query, &asked, code, false);
        return result;
    }
    uint8_t *body = writer.at;
    struct zone_conduct conduct = conduct_of(zone_find(zone, asked.name), asked.type);
    result.delay_ns = conduct.delay_ns;
    if (conduct.behaviour == ZONE_SILENT) {
        return none;
    }
    code = write_answers(zone, &writer, &asked);
    bool truncated = writer.full || (!over_tcp && conduct.behaviour == ZONE_TRUNCATE);
    if (truncated) {
        writer.at = body;
        writer.answers = 0;
    }
    result.length = finish(&writer, query, &asked, code, truncated);
    return result;
}
