/* What a name server knows: records and behaviours by name, and the answers they make.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <resolv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <drysock/sim.h>

#include "zone_internal.h"

#define BEHAVIOURS "nxdomain, servfail, refused, formerr, notimp, nodata, silent, truncate"

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
        struct zone_node *node = zone->first;
        zone->first = node->next;
        while (node->first != NULL) {
            struct zone_record *record = node->first;
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
                     "a record is NAME TYPE VALUE, or NAME and what happens: " BEHAVIOURS);
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
bool zone_canonical_name(const char *text, char name[ZONE_NAME_BYTES])
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

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != 0) {
        return false;
    }
    *number = strtoull(text, NULL, 10);
    return *number <= most;
}

/* Takes `ttl=` and `delay=` from the end. */
static int read_settings(struct words *words, uint32_t *ttl, uint64_t *delay_ns)
{
    while (words->count > 2) {
        size_t at = words->count - 1;
        char word[64];
        uint64_t number;
        if (!copy_word(words, at, word, sizeof word)) {
            return 0;
        }
        if (strncmp(word, "ttl=", 4) == 0) {
            if (!read_number(word + 4, INT32_MAX, &number)) {
                return wrong(words, at, "ttl= wants seconds, a whole number up to 2147483647");
            }
            *ttl = (uint32_t)number;
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

static int read_value(const struct words *words, struct zone_record *record)
{
    char value[ZONE_DATA_BYTES], name[ZONE_NAME_BYTES];
    size_t at = 2;
    uint64_t preference;
    if (record->type == ns_t_mx && words->count == 4) {
        if (!copy_word(words, at, value, sizeof value) ||
            !read_number(value, UINT16_MAX, &preference)) {
            return wrong(words, at, "in front of the name of an MX stands its preference, 0 to 65535");
        }
        record->preference = (uint16_t)preference;
        at++;
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
        if (!zone_canonical_name(value, name)) {
            return wrong(words, at, "'%s' is not a domain name", value);
        }
        record->bytes = strlen(name);
        memcpy(record->data, name, record->bytes + 1);
        return 0;
    }
}

static struct zone_node *find_node(const struct sim_zone *zone, const char *name)
{
    for (struct zone_node *node = zone->first; node != NULL; node = node->next) {
        if (strcmp(node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

const struct zone_node *zone_find(const struct sim_zone *zone, const char *name)
{
    return find_node(zone, name);
}

static struct zone_node *want_node(struct sim_zone *zone, const char *name)
{
    struct zone_node *node = find_node(zone, name);
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
} types[ZONE_TYPES] = {{"A", ns_t_a},     {"AAAA", ns_t_aaaa}, {"CNAME", ns_t_cname},
                       {"PTR", ns_t_ptr}, {"TXT", ns_t_txt},   {"MX", ns_t_mx}};

static const char *const behaviours[ZONE_BEHAVIOURS] = {
    [ZONE_NXDOMAIN] = "nxdomain", [ZONE_SERVFAIL] = "servfail", [ZONE_REFUSED] = "refused",
    [ZONE_FORMERR] = "formerr",   [ZONE_NOTIMP] = "notimp",     [ZONE_NODATA] = "nodata",
    [ZONE_SILENT] = "silent",     [ZONE_TRUNCATE] = "truncate"};

int zone_type_index(int type)
{
    for (int i = 0; i < ZONE_TYPES; i++) {
        if (types[i].type == type) {
            return i;
        }
    }
    return -1;
}

static int named_type(const struct words *words, size_t at)
{
    for (int i = 0; at < words->count && i < ZONE_TYPES; i++) {
        if (is_word(words, at, types[i].name)) {
            return i;
        }
    }
    return -1;
}

static enum zone_behaviour named_behaviour(const struct words *words, size_t at)
{
    for (int i = 1; at < words->count && i < ZONE_BEHAVIOURS; i++) {
        if (is_word(words, at, behaviours[i])) {
            return (enum zone_behaviour)i;
        }
    }
    return ZONE_ANSWERS;
}

/* What a line says, before it is kept. */
struct statement {
    char name[ZONE_NAME_BYTES];
    int type; /* index, -1: all */
    struct zone_conduct conduct;
    struct zone_record record;
};

static int read_statement(struct words *words, struct statement *statement)
{
    char owner[ZONE_NAME_BYTES];
    *statement = (struct statement){.record.ttl = ZONE_DEFAULT_TTL};
    if (cut(words) < 0 ||
        read_settings(words, &statement->record.ttl, &statement->conduct.delay_ns) < 0) {
        return -EINVAL;
    }
    if (!copy_word(words, 0, owner, sizeof owner) || !zone_canonical_name(owner, statement->name)) {
        return wrong(words, 0, "the record's name is not a domain name");
    }
    statement->type = named_type(words, 1);
    size_t at = statement->type < 0 ? 1 : 2;
    statement->conduct.behaviour = named_behaviour(words, at);
    if (statement->conduct.behaviour != ZONE_ANSWERS) {
        return words->count == at + 1 ? 0
                                      : wrong(words, at + 1, "nothing may follow but ttl= and delay=");
    }
    if (statement->type < 0) {
        return wrong(words, 1,
                     "after the name stands A, AAAA, CNAME, PTR, TXT or MX, or what "
                     "happens: " BEHAVIOURS);
    }
    if (words->count < 3) {
        return wrong(words, 2, "the record lacks its value");
    }
    statement->record.type = types[statement->type].type;
    return read_value(words, &statement->record);
}

static int keep_record(struct zone_node *node, const struct zone_record *record)
{
    struct zone_record *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        return -ENOMEM;
    }
    *kept = *record;
    if (node->last != NULL) {
        node->last->next = kept;
    } else {
        node->first = kept;
    }
    node->last = kept;
    return 0;
}

int sim_zone_add(struct sim_zone *zone, const char *text, char *message, size_t bytes, size_t *column)
{
    struct words words = {.text = text, .message = message, .bytes = bytes, .column = column};
    struct statement statement;
    if (read_statement(&words, &statement) < 0) {
        return -EINVAL;
    }
    struct zone_node *node = want_node(zone, statement.name);
    if (node == NULL) {
        return -ENOMEM;
    }
    if (statement.conduct.behaviour == ZONE_ANSWERS) {
        if (statement.conduct.delay_ns != 0) {
            node->conduct.delay_ns = statement.conduct.delay_ns;
        }
        return keep_record(node, &statement.record);
    }
    if (statement.type >= 0) {
        node->special[statement.type] = true;
        node->by_type[statement.type] = statement.conduct;
        return 0;
    }
    node->conduct.behaviour = statement.conduct.behaviour;
    if (statement.conduct.delay_ns != 0) {
        node->conduct.delay_ns = statement.conduct.delay_ns;
    }
    return 0;
}
