/* How text writes times: the one reader of head lines, link settings, faults, records and steps.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <drysock/sim.h>

static const uint64_t longest_time_ns = UINT64_MAX / 4;

static const struct unit {
    const char *name;
    uint64_t factor;
} times[] = {
    {"ns", 1},         {"us", 1000},         {"ms", 1000000},
    {"s", 1000000000}, {"min", 60000000000}, {"h", 3600000000000},
    {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whole arithmetic, so that a time written is the time meant. */
int sim_read_time(const char *text, size_t length, uint64_t *ns)
{
    uint64_t whole = 0, part = 0, scale = 1;
    size_t i = 0;
    for (; i < length && is_digit(text[i]); i++) {
        if (whole > longest_time_ns / 10) {
            return -EINVAL;
        }
        whole = whole * 10 + (uint64_t)(text[i] - '0');
    }
    bool digits = i > 0;
    if (digits && i < length && text[i] == '.') {
        digits = i + 1 < length && is_digit(text[i + 1]);
        for (i++; i < length && is_digit(text[i]); i++) {
            if (scale >= 1000000000) {
                return -EINVAL;
            }
            part = part * 10 + (uint64_t)(text[i] - '0');
            scale *= 10;
        }
    }
    for (const struct unit *unit = times; digits && unit->name != NULL; unit++) {
        if (strlen(unit->name) != length - i || memcmp(unit->name, text + i, length - i) != 0) {
            continue;
        }
        /* part * factor / scale, in two steps that fit in 64 bits */
        const uint64_t rest = part * (unit->factor % scale);
        if (whole > longest_time_ns / unit->factor || rest % scale != 0) {
            return -EINVAL;
        }
        const uint64_t made = whole * unit->factor + part * (unit->factor / scale) + rest / scale;
        *ns = made <= longest_time_ns ? made : *ns;
        return made <= longest_time_ns ? 0 : -EINVAL;
    }
    return -EINVAL;
}
