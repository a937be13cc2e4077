/* What a name server knows: records and behaviours by name, and the answers they make.
 * SPDX-License-Identifier: MIT
 *
 * Stands beside the world (its text comes from a scenario's head) and is used by the name server on
 * either system, so both give the same bytes. A record's text:
 *   NAME TYPE VALUE [ttl=SECONDS] [delay=TIME]      TYPE: A, AAAA, CNAME, PTR, TXT, MX
 *   NAME [TYPE] nxdomain|servfail|refused|formerr|notimp|nodata|silent|truncate [delay=TIME]
 * With a type the behaviour is that of questions for it alone, and so is its delay. NAME may be an
 * address in front of PTR. A name of which nothing is known does not exist. */
#ifndef SIM_ZONE_H
#define SIM_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_zone;

struct sim_zone *sim_zone_create(void); /* NULL: no memory */
void sim_zone_destroy(struct sim_zone *zone);
/* 0, -ENOMEM, or -EINVAL with a sentence in message and a byte offset in *column (may be NULL). */
int sim_zone_add(struct sim_zone *zone, const char *text, char *message, size_t bytes, size_t *column);

struct sim_zone_reply {
    size_t length;     /* bytes of the answer; 0: none is sent */
    uint64_t delay_ns; /* how late it is sent */
};

enum {
    SIM_ZONE_REPLY_BYTES = 2048, /* the least room for an answer; over TCP, 65535 hold any */
};

/* The answer to a query (RFC 1035 wire format), into reply[bytes]. Over UDP it has at most 512
 * bytes, or what EDNS says up to 1232. What is not a query gets no answer; what cannot be read
 * FORMERR; another opcode NOTIMP; another class than IN, transfers and the root REFUSED; another
 * version of EDNS BADVERS. */
struct sim_zone_reply sim_zone_answer(const struct sim_zone *zone, const uint8_t *query, size_t length,
                                      bool over_tcp, uint8_t *reply, size_t bytes);

#endif
