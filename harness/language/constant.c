/* Constants by name: the library's, errno's, poll's and epoll's, and the language's own two.
 * SPDX-License-Identifier: MIT */
#include "constant.h"

#include <errno.h>
#include <string.h>

#include <drysock/socket.h>

static const struct dry_constant poll_constants[] = {
    {"POLLIN", POLLIN},
    {"POLLPRI", POLLPRI},
    {"POLLOUT", POLLOUT},
    {"POLLERR", POLLERR},
    {"POLLHUP", POLLHUP},
    {"POLLNVAL", POLLNVAL},
    {"POLLRDNORM", POLLRDNORM},
    {"POLLRDBAND", POLLRDBAND},
    {"POLLWRNORM", POLLWRNORM},
    {"POLLWRBAND", POLLWRBAND},
    {"POLLMSG", POLLMSG},
    {"POLLREMOVE", POLLREMOVE},
    {"POLLRDHUP", POLLRDHUP},
    {"EPOLLIN", EPOLLIN},
    {"EPOLLPRI", EPOLLPRI},
    {"EPOLLOUT", EPOLLOUT},
    {"EPOLLERR", EPOLLERR},
    {"EPOLLHUP", EPOLLHUP},
    {"EPOLLRDNORM", EPOLLRDNORM},
    {"EPOLLRDBAND", EPOLLRDBAND},
    {"EPOLLWRNORM", EPOLLWRNORM},
    {"EPOLLWRBAND", EPOLLWRBAND},
    {"EPOLLMSG", EPOLLMSG},
    {"EPOLLRDHUP", EPOLLRDHUP},
    {"EPOLLWAKEUP", EPOLLWAKEUP},
    {"EPOLLONESHOT", EPOLLONESHOT},
    {"EPOLLET", EPOLLET},
    {"EPOLLEXCLUSIVE", EPOLLEXCLUSIVE},
    {"RETRY", 0},
    {"STOP", 1},
};
enum {
    POLL_CONSTANTS = sizeof poll_constants / sizeof *poll_constants,
    LAST_ERRNO = 133,
};

int constant_number(const char *name, int64_t *number)
{
    if (dry_constant_find(name, number) == 0) {
        return 0;
    }
    for (size_t i = 0; i < POLL_CONSTANTS; i++) {
        if (strcmp(poll_constants[i].name, name) == 0) {
            *number = poll_constants[i].value;
            return 0;
        }
    }
    for (int i = 1; i <= LAST_ERRNO; i++) {
        const char *known = strerrorname_np(i);
        if (known != NULL && strcmp(known, name) == 0) {
            *number = i;
            return 0;
        }
    }
    if (strcmp(name, "EWOULDBLOCK") == 0) {
        *number = EWOULDBLOCK;
        return 0;
    }
    return -1;
}

void constant_offer(struct suggestion *nearest)
{
    size_t count;
    const struct dry_constant *constants = dry_constants(&count);
    for (size_t i = 0; i < count; i++) {
        suggest_offer(nearest, constants[i].name);
    }
    for (size_t i = 0; i < POLL_CONSTANTS; i++) {
        suggest_offer(nearest, poll_constants[i].name);
    }
    for (int i = 1; i <= LAST_ERRNO; i++) {
        const char *name = strerrorname_np(i);
        if (name != NULL) {
            suggest_offer(nearest, name);
        }
    }
}

/* The first constant, by name, with this prefix and value. */
const char *constant_name(const char *prefix, int64_t number)
{
    size_t count;
    const struct dry_constant *constants = dry_constants(&count);
    for (size_t i = 0; i < count; i++) {
        if (constants[i].value == number && strncmp(constants[i].name, prefix, strlen(prefix)) == 0) {
            return constants[i].name;
        }
    }
    return NULL;
}

static const char *bit_name(const char *prefix, int64_t bit)
{
    if (strcmp(prefix, "MSG_") == 0) {
        return constant_name(prefix, bit);
    }
    for (size_t i = 0; i < POLL_CONSTANTS; i++) {
        if (poll_constants[i].value == bit &&
            strncmp(poll_constants[i].name, prefix, strlen(prefix)) == 0) {
            return poll_constants[i].name;
        }
    }
    return NULL;
}

void constant_print_bits(struct text *text, const char *prefix, int64_t bits)
{
    const char *between = "";
    if (bits == 0) {
        text_add(text, "0");
        return;
    }
    for (int i = 0; i < 63; i++) {
        int64_t bit = (int64_t)1 << i;
        if ((bits & bit) == 0) {
            continue;
        }
        const char *name = bit_name(prefix, bit);
        if (name != NULL) {
            text_add(text, "%s%s", between, name);
        } else {
            text_add(text, "%s0x%llx", between, (unsigned long long)bit);
        }
        between = " | ";
    }
}
