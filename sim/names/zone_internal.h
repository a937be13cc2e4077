/* Between the zone's own files: records and behaviours by name.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_ZONE_INTERNAL_H
#define SIM_ZONE_INTERNAL_H

#include <stdbool.h>

#include "zone.h"

enum {
    ZONE_NAME_BYTES = 256,
    ZONE_DATA_BYTES = 256,
    ZONE_TYPES = 6,
    ZONE_DEFAULT_TTL = 3600,
};

enum zone_behaviour {
    ZONE_ANSWERS = 0, /* with what records there are */
    ZONE_NXDOMAIN,
    ZONE_SERVFAIL,
    ZONE_REFUSED,
    ZONE_FORMERR,
    ZONE_NOTIMP,
    ZONE_NODATA,
    ZONE_SILENT,
    ZONE_TRUNCATE,
    ZONE_BEHAVIOURS,
};

struct zone_record {
    struct zone_record *next;
    int type;
    uint32_t ttl;
    uint16_t preference; /* MX */
    size_t bytes;        /* of data; names are kept as text */
    char data[ZONE_DATA_BYTES];
};

/* What happens to a question, and how late. */
struct zone_conduct {
    enum zone_behaviour behaviour;
    uint64_t delay_ns;
};

struct zone_node {
    struct zone_node *next;
    char name[ZONE_NAME_BYTES]; /* lower case, no final dot */
    struct zone_conduct conduct;
    bool special[ZONE_TYPES]; /* a type for which another conduct was stated */
    struct zone_conduct by_type[ZONE_TYPES];
    struct zone_record *first, *last;
};

struct sim_zone {
    struct zone_node *first, *last;
};

/* Which of the ZONE_TYPES this is; -1: none. */
int zone_type_index(int type);
const struct zone_node *zone_find(const struct sim_zone *zone, const char *name);
/* Lower case without the final dot; an address becomes its reverse name (RFC 1035 3.5, 3596 2.5).
 * False: no domain name. */
bool zone_canonical_name(const char *text, char name[ZONE_NAME_BYTES]);

#endif
