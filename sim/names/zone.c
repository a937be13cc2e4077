/* What a name server knows: records and behaviours by name, and the answers they make.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <resolv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <drysock/sim.h>

#include "zone.h"

enum {
    ZONE_NAME_BYTES = 256,
    ZONE_DATA_BYTES = 256,
    ZONE_CHAIN = 8,       /* CNAMEs followed in one answer */
    ZONE_UDP_BYTES = 512, /* RFC 1035 2.3.4 */
    ZONE_DEFAULT_TTL = 3600,
};

enum behaviour {
    ANSWERS = 0, /* with what records there are */
    ZONE_NXDOMAIN,
    ZONE_SERVFAIL,
    ZONE_REFUSED,
    ZONE_NODATA,
    ZONE_SILENT,
    ZONE_TRUNCATE,
};

struct record {
    struct record *next;
    int type;
    uint32_t ttl;
    uint16_t preference; /* MX */
    size_t bytes;        /* of data; names are kept as text */
    char data[ZONE_DATA_BYTES];
};

struct node {
    struct node *next;
    char name[ZONE_NAME_BYTES]; /* lower case, no final dot */
    enum behaviour behaviour;
    uint64_t delay_ns;
    struct record *first, *last;
};

struct sim_zone {
    struct node *first, *last;
};

struct sim_zone *sim_zone_create(void)
{
    return calloc(1, sizeof(struct sim_zone));
}

void sim_zone_destroy(struct sim_zone *zone)
{
    if (zone == NULL) {
        return;
    }
    while (zone->first != NULL) {
        struct node *node = zone->first;
        zone->first = node->next;
        while (node->first != NULL) {
            struct record *record = node->first;
            node->first = record->next;
            free(record);
        }
        free(node);
    }
    free(zone);
}

/* ---- reading a record's text -------------------------------------------------------------- */

struct words { /* the text, cut at blanks */
    const char *text;
    const char *word[8];
    size_t length[8];
    size_t count;
    char *message;
    size_t bytes;
    size_t *column;
};

static int wrong(const struct words *words, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct words *words, size_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words->message, words->bytes, format, arguments);
    va_end(arguments);
    if (words->column != NULL) {
        *words->column = at < words->count ? (size_t)(words->word[at] - words->text)
                                           : strlen(words->text);
    }
    return -EINVAL;
}

static int cut(struct words *words)
{
    for (const char *at = words->text; *at != 0;) {
        while (*at == ' ' || *at == '\t') {
            at++;
        }
        if (*at == 0) {
            break;
        }
        if (words->count == 8) {
            return wrong(words, 7, "a record has at most 8 words; leave out what is too many");
        }
        words->word[words->count] = at;
        while (*at != 0 && *at != ' ' && *at != '\t') {
            at++;
        }
        words->length[words->count] = (size_t)(at - words->word[words->count]);
        words->count++;
    }
    if (words->count < 2) {
        return wrong(words, words->count,
                     "a record is NAME TYPE VALUE, or NAME and what happens: "
                     "nxdomain, servfail, refused, nodata, silent, truncate");
    }
    return 0;
}

static bool is_word(const struct words *words, size_t at, const char *wanted)
{
    return words->length[at] == strlen(wanted) &&
           strncasecmp(words->word[at], wanted, words->length[at]) == 0;
}

static bool copy_word(const struct words *words, size_t at, char *to, size_t bytes)
{
    if (words->length[at] >= bytes) {
        return false;
    }
    memcpy(to, words->word[at], words->length[at]);
    to[words->length[at]] = 0;
    return true;
}

/* Lower case without the final dot; an address becomes its reverse name (RFC 1035 3.5, 3596 2.5). */
static bool canonical_name(const char *text, char name[ZONE_NAME_BYTES])
{
    uint8_t packed[16];
    if (inet_pton(AF_INET, text, packed) == 1) {
        snprintf(name, ZONE_NAME_BYTES, "%d.%d.%d.%d.in-addr.arpa", packed[3], packed[2], packed[1],
                 packed[0]);
        return true;
    }
    if (inet_pton(AF_INET6, text, packed) == 1) {
        size_t at = 0;
        for (int i = 15; i >= 0; i--) {
            at += (size_t)snprintf(name + at, ZONE_NAME_BYTES - at, "%x.%x.", packed[i] & 15,
                                   packed[i] >> 4);
        }
        snprintf(name + at, ZONE_NAME_BYTES - at, "ip6.arpa");
        return true;
    }
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    if (length == 0 || length >= ZONE_NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        name[i] = (char)tolower((unsigned char)text[i]);
    }
    name[length] = 0;
    uint8_t wire[ZONE_NAME_BYTES];
    return ns_name_pton(name, wire, sizeof wire) >= 0;
}

/* Takes `ttl=` and `delay=` from the end. */
static int read_settings(struct words *words, uint32_t *ttl, uint64_t *delay_ns)
{
    while (words->count > 2) {
        size_t at = words->count - 1;
        char word[64];
        if (!copy_word(words, at, word, sizeof word) || strchr(word, '=') == NULL) {
            return 0;
        }
        if (strncmp(word, "ttl=", 4) == 0 && isdigit((unsigned char)word[4])) {
            *ttl = (uint32_t)strtoul(word + 4, NULL, 10);
        } else if (strncmp(word, "delay=", 6) == 0) {
            if (sim_read_time(word + 6, strlen(word + 6), delay_ns) != 0) {
                return wrong(words, at, "delay= wants a time with its unit, such as 200ms");
            }
        } else {
            return 0;
        }
        words->count--;
    }
    return 0;
}

static int read_value(const struct words *words, struct record *record)
{
    char value[ZONE_DATA_BYTES], name[ZONE_NAME_BYTES];
    size_t at = 2;
    if (record->type == ns_t_mx && words->count == 4) {
        record->preference = (uint16_t)strtoul(words->word[at++], NULL, 10);
    }
    if (words->count != at + 1) {
        return wrong(words, 2, "a record of this type has one value");
    }
    if (!copy_word(words, at, value, sizeof value)) {
        return wrong(words, at, "the value is too long; %d bytes are the limit", ZONE_DATA_BYTES - 1);
    }
    switch (record->type) {
    case ns_t_a:
        record->bytes = 4;
        return inet_pton(AF_INET, value, record->data) == 1
                   ? 0
                   : wrong(words, at, "'%s' is not an IPv4 address", value);
    case ns_t_aaaa:
        record->bytes = 16;
        return inet_pton(AF_INET6, value, record->data) == 1
                   ? 0
                   : wrong(words, at, "'%s' is not an IPv6 address", value);
    case ns_t_txt:
        record->bytes = strlen(value);
        memcpy(record->data, value, record->bytes);
        return 0;
    default:
        if (!canonical_name(value, name)) {
            return wrong(words, at, "'%s' is not a domain name", value);
        }
        record->bytes = strlen(name);
        memcpy(record->data, name, record->bytes + 1);
        return 0;
    }
}

static struct node *find_node(const struct sim_zone *zone, const char *name)
{
    for (struct node *node = zone->first; node != NULL; node = node->next) {
        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static struct node *want_node(struct sim_zone *zone, const char *name)
{
    struct node *node = find_node(zone, name);
    if (node != NULL) {
        return node;
    }
    node = calloc(1, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    strcpy(node->name, name);
    if (zone->last != NULL) {
        zone->last->next = node;
    } else {
        zone->first = node;
    }
    zone->last = node;
    return node;
}

static const struct {
    const char *name;
    int type;
} types[] = {{"A", ns_t_a},     {"AAAA", ns_t_aaaa}, {"CNAME", ns_t_cname},
             {"PTR", ns_t_ptr}, {"TXT", ns_t_txt},   {"MX", ns_t_mx}};

static const char *const behaviours[] = {
    [ZONE_NXDOMAIN] = "nxdomain", [ZONE_SERVFAIL] = "servfail", [ZONE_REFUSED] = "refused",
    [ZONE_NODATA] = "nodata",     [ZONE_SILENT] = "silent",     [ZONE_TRUNCATE] = "truncate"};

int sim_zone_add(struct sim_zone *zone, const char *text, char *message, size_t bytes, size_t *column)
{
    struct words words = {.text = text, .message = message, .bytes = bytes, .column = column};
    uint32_t ttl = ZONE_DEFAULT_TTL;
    uint64_t delay_ns = 0;
    char owner[ZONE_NAME_BYTES], name[ZONE_NAME_BYTES];
    if (cut(&words) < 0 || read_settings(&words, &ttl, &delay_ns) < 0) {
        return -EINVAL;
    }
    if (!copy_word(&words, 0, owner, sizeof owner) || !canonical_name(owner, name)) {
        return wrong(&words, 0, "the record's name is not a domain name");
    }
    struct record record = {.ttl = ttl};
    enum behaviour behaviour = ANSWERS;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (is_word(&words, 1, types[i].name)) {
            record.type = types[i].type;
        }
    }
    for (size_t i = 1; i < sizeof behaviours / sizeof behaviours[0]; i++) {
        if (is_word(&words, 1, behaviours[i])) {
            behaviour = (enum behaviour)i;
        }
    }
    if (record.type == 0 && behaviour == ANSWERS) {
        return wrong(&words, 1,
                     "after the name stands A, AAAA, CNAME, PTR, TXT or MX, or what "
                     "happens: nxdomain, servfail, refused, nodata, silent, truncate");
    }
    if (record.type != 0 && words.count < 3) {
        return wrong(&words, 2, "the record lacks its value");
    }
    if (behaviour != ANSWERS && words.count > 2) {
        return wrong(&words, 2, "nothing may follow but ttl= and delay=");
    }
    if (record.type != 0 && read_value(&words, &record) < 0) {
        return -EINVAL;
    }
    struct node *node = want_node(zone, name);
    if (node == NULL) {
        return -ENOMEM;
    }
    if (delay_ns != 0) {
        node->delay_ns = delay_ns;
    }
    if (behaviour != ANSWERS) {
        node->behaviour = behaviour;
        return 0;
    }
    struct record *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        return -ENOMEM;
    }
    *kept = record;
    if (node->last != NULL) {
        node->last->next = kept;
    } else {
        node->first = kept;
    }
    node->last = kept;
    return 0;
}

/* ---- answering ---------------------------------------------------------------------------- */

/* An answer as it is written: the header's twelve bytes, the question, then records. */
struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    u_char *names[64]; /* where names stand, for dn_comp */
    uint16_t answers;
    bool full;
};

static void write_record(struct writer *writer, const char *owner, const struct record *record)
{
    u_char **last = writer->names + sizeof writer->names / sizeof writer->names[0];
    uint8_t *begin = writer->at;
    if (writer->full) {
        return;
    }
    int name = dn_comp(owner, writer->at, (int)(writer->end - writer->at), writer->names, last);
    if (name < 0 || writer->end - writer->at - name < NS_RRFIXEDSZ + 4 + ZONE_DATA_BYTES / 8) {
        writer->full = true;
        return;
    }
    uint8_t *at = writer->at + name;
    NS_PUT16((uint16_t)record->type, at);
    NS_PUT16(ns_c_in, at);
    NS_PUT32(record->ttl, at);
    uint8_t *size = at;
    at += 2;
    if (record->type == ns_t_mx) {
        NS_PUT16(record->preference, at);
    }
    if (record->type == ns_t_txt && (size_t)(writer->end - at) > record->bytes) {
        *at++ = (uint8_t)record->bytes;
        memcpy(at, record->data, record->bytes);
        at += record->bytes;
    } else if (record->type == ns_t_a || record->type == ns_t_aaaa) {
        if ((size_t)(writer->end - at) < record->bytes) {
            writer->full = true;
            writer->at = begin;
            return;
        }
        memcpy(at, record->data, record->bytes);
        at += record->bytes;
    } else {
        int target = dn_comp(record->data, at, (int)(writer->end - at), writer->names, last);
        if (target < 0) {
            writer->full = true;
            writer->at = begin;
            return;
        }
        at += target;
    }
    uint16_t data_bytes = (uint16_t)(at - size - 2);
    NS_PUT16(data_bytes, size);
    writer->at = at;
    writer->answers++;
}

/* Writes the records that answer (name, type), following CNAMEs; the response code. `delay_ns` and
 * `behaviour` are those of the name asked for. */
static int write_answers(const struct sim_zone *zone, struct writer *writer, const char *asked,
                         int type)
{
    char name[ZONE_NAME_BYTES];
    snprintf(name, sizeof name, "%s", asked);
    for (int link = 0; link < ZONE_CHAIN; link++) {
        const struct node *node = find_node(zone, name);
        if (node == NULL || node->behaviour == ZONE_NXDOMAIN) {
            return ns_r_nxdomain;
        }
        if (node->behaviour == ZONE_NODATA) {
            return ns_r_noerror;
        }
        const struct record *alias = NULL;
        for (const struct record *record = node->first; record != NULL; record = record->next) {
            if (record->type == type || type == ns_t_any) {
                write_record(writer, name, record);
            } else if (record->type == ns_t_cname) {
                alias = record;
            }
        }
        if (alias == NULL) {
            return ns_r_noerror;
        }
        write_record(writer, name, alias);
        snprintf(name, sizeof name, "%s", alias->data);
    }
    return ns_r_servfail;
}

static size_t finish(struct writer *writer, const uint8_t *query, size_t question_bytes, int code,
                     bool truncated)
{
    HEADER fields, *header = &fields;
    memcpy(header, query, NS_HFIXEDSZ);
    header->qr = 1;
    header->aa = 1;
    header->ra = 1;
    header->ad = 0;
    header->tc = truncated;
    header->rcode = (unsigned)code & 15;
    header->qdcount = htons(question_bytes > 0 ? 1 : 0);
    header->ancount = htons(truncated ? 0 : writer->answers);
    header->nscount = 0;
    header->arcount = 0;
    memcpy(writer->start, header, NS_HFIXEDSZ);
    if (truncated || question_bytes == 0) {
        writer->at = writer->start + NS_HFIXEDSZ + question_bytes;
    }
    return (size_t)(writer->at - writer->start);
}

struct sim_zone_reply sim_zone_answer(const struct sim_zone *zone, const uint8_t *query, size_t length,
                                      bool over_tcp, uint8_t *reply, size_t bytes)
{
    struct sim_zone_reply none = {0, 0};
    if (length < NS_HFIXEDSZ || bytes < ZONE_UDP_BYTES) {
        return none;
    }
    uint8_t aligned[NS_HFIXEDSZ];
    memcpy(aligned, query, sizeof aligned);
    if ((aligned[2] & 0x80) != 0) {
        return none;
    }
    if (!over_tcp) {
        bytes = ZONE_UDP_BYTES;
    }
    struct writer writer = {.start = reply, .at = reply + NS_HFIXEDSZ, .end = reply + bytes};
    writer.names[0] = reply;
    struct sim_zone_reply result = {0, 0};
    ns_msg message;
    ns_rr question;
    if (ns_initparse(query, (int)length, &message) < 0 ||
        ns_parserr(&message, ns_s_qd, 0, &question) < 0) {
        result.length = finish(&writer, aligned, 0, ns_r_formerr, false);
        return result;
    }
    char name[ZONE_NAME_BYTES];
    if ((aligned[2] >> 3 & 15) != ns_o_query || !canonical_name(ns_rr_name(question), name)) {
        result.length = finish(&writer, aligned, 0, ns_r_notimpl, false);
        return result;
    }
    u_char **last = writer.names + sizeof writer.names / sizeof writer.names[0];
    int question_name = dn_comp(ns_rr_name(question), writer.at, (int)(writer.end - writer.at),
                                writer.names, last);
    assert(question_name > 0);
    writer.at += question_name;
    NS_PUT16(ns_rr_type(question), writer.at);
    NS_PUT16(ns_rr_class(question), writer.at);
    size_t question_bytes = (size_t)question_name + NS_QFIXEDSZ;
    const struct node *node = find_node(zone, name);
    enum behaviour behaviour = node == NULL ? ZONE_NXDOMAIN : node->behaviour;
    result.delay_ns = node == NULL ? 0 : node->delay_ns;
    if (behaviour == ZONE_SILENT) {
        return none;
    }
    int code = ns_r_noerror;
    if (behaviour == ZONE_SERVFAIL || behaviour == ZONE_REFUSED) {
        code = behaviour == ZONE_SERVFAIL ? ns_r_servfail : ns_r_refused;
    } else {
        code = write_answers(zone, &writer, name, ns_rr_type(question));
    }
    bool truncated = !over_tcp && (behaviour == ZONE_TRUNCATE || writer.full);
    result.length = finish(&writer, aligned, question_bytes, code, truncated);
    return result;
}
