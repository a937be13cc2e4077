/* Numeric internet addresses and byte order, with Python's checks around the C library's verdicts.
 * SPDX-License-Identifier: MIT
 *
 * What is a valid address text is the C library's to say ("depends on the underlying C
 * implementation"), so these ask it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "error.h"

int dry_inet_aton(const char *text, uint8_t packed[4])
{
    struct in_addr address;
    if (!inet_aton(text, &address)) {
        return dry_error_os_text(dry_current_caller(), "illegal IP address string passed to inet_aton");
    }
    memcpy(packed, &address, 4);
    return 0;
}

int dry_inet_ntoa(const void *packed, size_t bytes, char text[DRY_INET_TEXT_BYTES])
{
    if (bytes != 4) {
        return dry_error_os_text(dry_current_caller(), "packed IP wrong length for inet_ntoa");
    }
    inet_ntop(AF_INET, packed, text, DRY_INET_TEXT_BYTES);
    return 0;
}

int dry_inet_pton(int family, const char *text, uint8_t packed[16])
{
    int verdict = inet_pton(family, text, packed);
    if (verdict < 0) {
        return dry_error_os(dry_current_caller(), errno);
    }
    if (verdict == 0) {
        return dry_error_os_text(dry_current_caller(), "illegal IP address string passed to inet_pton");
    }
    return family == AF_INET ? 4 : 16;
}

int dry_inet_ntop(int family, const void *packed, size_t bytes, char text[DRY_INET_TEXT_BYTES])
{
    if (family != AF_INET && family != AF_INET6) {
        return dry_error_value(dry_current_caller(), DRY_VALUE_ERROR, "unknown address family %d",
                               family);
    }
    if (bytes != (family == AF_INET ? 4 : 16)) {
        return dry_error_value(dry_current_caller(), DRY_VALUE_ERROR,
                               "invalid length of packed IP address string");
    }
    inet_ntop(family, packed, text, DRY_INET_TEXT_BYTES);
    return 0;
}
