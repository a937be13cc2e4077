/* How head lines write addresses and link settings, and what each setting means to a link.
 * SPDX-License-Identifier: MIT */
#include "notation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "host.h"

enum {
    DEFAULT_PREFIX_V4 = 24,
    DEFAULT_PREFIX_V6 = 64,
    LONGEST_ADDRESS = 64,
};

/* ---- addresses ------------------------------------------------------------------------------ */

int sim_notation_address(const char *text, struct sim_ip *ip, uint32_t *prefix_bits, char *message,
                         size_t bytes)
{
    char address[LONGEST_ADDRESS] = "";
    struct in_addr v4;
    const size_t length = strcspn(text, "/");
    uint32_t most = 128;
    *prefix_bits = DEFAULT_PREFIX_V6;
    if (length < sizeof address) {
        memcpy(address, text, length);
    }
    if (inet_pton(AF_INET, address, &v4) == 1) {
        *ip = sim_ip_v4(ntohl(v4.s_addr));
        *prefix_bits = DEFAULT_PREFIX_V4;
        most = 32;
    } else if (inet_pton(AF_INET6, address, ip->bytes) != 1 || sim_ip_is_v4(*ip)) {
        snprintf(message, bytes,
                 "\"%s\" is no address: write one such as 10.0.0.1, 10.0.0.1/16 or fd00::1", text);
        return -EINVAL;
    }
    if (text[length] == '/') {
        char *end;
        const unsigned long given = strtoul(text + length + 1, &end, 10);
        if (text[length + 1] < '0' || text[length + 1] > '9' || *end != 0 || given > most) {
            snprintf(message, bytes, "\"%s\" has no prefix length that fits: write one such as /24",
                     text);
            return -EINVAL;
        }
        *prefix_bits = (uint32_t)given;
    }
    return 0;
}

/* ---- link settings -------------------------------------------------------------------------- */

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit rates[] = {
    {"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {NULL, 0},
};
static const struct unit chances[] = {{"%", 10000}, {NULL, 0}}; /* parts per million */
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

/* What a setting may say, and the sentence for what it may not. `exact`: a part of the smallest unit is
 * an error, not rounded; `whole`: no point either. */
struct kind {
    const struct unit *units; /* NULL: it is a time */
    uint64_t least, most;
    bool exact, whole;
    const char *sentence;
};

static const struct kind a_time = {
    NULL, 0, 0, true, false, "\"%s\" is no time: write one such as 20ms (ns us ms s min h)"};
static const struct kind a_rate = {
    rates, 1,     1000000000000000,
    false, false, "\"%s\" is no rate: write one such as 10mbit (bit kbit mbit gbit)"};
static const struct kind a_chance = {chances, 0,     1000000,
                                     false,   false, "\"%s\" is no chance: write one such as 2.5%%"};
static const struct kind a_count = {counts, 0,    UINT32_MAX,
                                    true,   true, "\"%s\" is no count: write a whole number"};

/* Every setting of a link: its name, its kind, where it lies. */
static const struct setting {
    const char *name;
    const struct kind *kind;
    size_t offset;
    bool wide; /* uint64_t, else uint32_t */
} settings[] = {
    {"delay", &a_time, offsetof(struct sim_link_options, delay_ns), true},
    {"jitter", &a_time, offsetof(struct sim_link_options, jitter_ns), true},
    {"loss", &a_chance, offsetof(struct sim_link_options, loss_ppm), false},
    {"rate", &a_rate, offsetof(struct sim_link_options, rate_bits), true},
    {"queue", &a_count, offsetof(struct sim_link_options, queue_bytes), false},
    {"mtu", &a_count, offsetof(struct sim_link_options, mtu), false},
    {"duplicate", &a_chance, offsetof(struct sim_link_options, duplicate_ppm), false},
    {"reorder", &a_chance, offsetof(struct sim_link_options, reorder_ppm), false},
    {"corrupt", &a_chance, offsetof(struct sim_link_options, corrupt_ppm), false},
};

/* "2.5ms": whole arithmetic, so that what is written is what is meant. */
static bool read_number(const char *text, const struct kind *kind, uint64_t *value)
{
    char *end;
    uint64_t part = 0, scale = 1;
    if (kind->units == NULL) {
        return sim_read_time(text, strlen(text), value) == 0;
    }
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    const uint64_t whole = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    if (*end == '.' && !kind->whole) {
        for (end++; *end >= '0' && *end <= '9' && scale < 1000000000; end++) {
            part = part * 10 + (uint64_t)(*end - '0');
            scale *= 10;
        }
    }
    for (const struct unit *unit = kind->units; unit->name; unit++) {
        if (strcmp(end, unit->name) != 0) {
            continue;
        }
        /* part * factor / scale, in two steps that fit in 64 bits */
        const uint64_t rest = part * (unit->factor % scale);
        const uint64_t most = kind->most / unit->factor;
        if (whole > most || (whole == most && part != 0 && kind->most % unit->factor == 0) ||
            (kind->exact && rest % scale != 0)) {
            return false;
        }
        *value = whole * unit->factor + part * (unit->factor / scale) + (rest + scale / 2) / scale;
        return *value >= kind->least && *value <= kind->most;
    }
    return false;
}

static const struct setting *find_setting(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strlen(settings[i].name) == length && memcmp(settings[i].name, name, length) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

int sim_notation_link(const char *text, struct sim_link_options *options, char *message, size_t bytes)
{
    const size_t length = strcspn(text, "=");
    const struct setting *setting = find_setting(text, length);
    uint64_t value;
    if (strcmp(text, "down") == 0) {
        options->down = 1;
        return 0;
    }
    if (!setting || text[length] != '=') {
        snprintf(message, bytes,
                 "\"%s\" is no setting of a link: they are delay= jitter= loss= rate= queue= mtu= "
                 "duplicate= reorder= corrupt= down",
                 text);
        return -EINVAL;
    }
    if (!read_number(text + length + 1, setting->kind, &value)) {
        snprintf(message, bytes, setting->kind->sentence, text);
        return -EINVAL;
    }
    char *place = (char *)options + setting->offset;
    const uint32_t narrow = (uint32_t)value;
    if (setting->wide) {
        memcpy(place, &value, sizeof value);
    } else {
        memcpy(place, &narrow, sizeof narrow);
    }
    return 0;
}

struct sim_link_way sim_link_way_of(const struct sim_link_options *options)
{
    return (struct sim_link_way){
        .delay_ns = options->delay_ns,
        .jitter_ns = options->jitter_ns,
        .rate_bits = options->rate_bits,
        .queue_bytes = options->queue_bytes,
        .loss_ppm = options->loss_ppm,
        .duplicate_ppm = options->duplicate_ppm,
        .reorder_ppm = options->reorder_ppm,
        .corrupt_ppm = options->corrupt_ppm,
        .mtu = options->mtu,
    };
}

uint32_t sim_link_mtu(uint32_t mtu)
{
    return mtu != 0 ? mtu : SIM_ETHERNET_MTU;
}
