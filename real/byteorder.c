/* Byte order with Python's range checks.
 * SPDX-License-Identifier: MIT
 *
 * 16-bit numbers are checked as C ints, 32-bit ones as unsigned longs, and the messages differ.
 */
#include <arpa/inet.h>
#include <limits.h>

#include "error.h"

static int64_t swap_short(const char *name, int64_t value)
{
    struct dry_caller caller = dry_current_caller();
    if (value > INT_MAX) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW, "signed integer is greater than maximum");
    }
    if (value < INT_MIN) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW, "signed integer is less than minimum");
    }
    if (value < 0) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW,
                               "%s: can't convert negative Python int to C 16-bit unsigned integer",
                               name);
    }
    if (value > UINT16_MAX) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW,
                               "%s: Python int too large to convert to C 16-bit unsigned integer",
                               name);
    }
    return htons((uint16_t)value);
}

static int64_t swap_long(int64_t value)
{
    struct dry_caller caller = dry_current_caller();
    if (value < 0) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW,
                               "can't convert negative value to unsigned int");
    }
    if (value > UINT32_MAX) {
        return dry_error_value(caller, DRY_VALUE_OVERFLOW, "int larger than 32 bits");
    }
    return htonl((uint32_t)value);
}

int64_t dry_ntohl(int64_t value)
{
    return swap_long(value);
}

int64_t dry_htonl(int64_t value)
{
    return swap_long(value);
}

int64_t dry_ntohs(int64_t value)
{
    return swap_short("ntohs", value);
}

int64_t dry_htons(int64_t value)
{
    return swap_short("htons", value);
}
