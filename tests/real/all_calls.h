/* Every function of socket.h, to be called with good arguments and a socket of the test's choice.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_REAL_ALL_CALLS_H
#define TESTS_REAL_ALL_CALLS_H

#include <netinet/in.h>
#include <string.h>

#include <drysock/socket.h>

enum call_result { RESULT_NOTHING, RESULT_NUMBER, RESULT_POINTER, RESULT_TRUTH };

struct call {
    const char *name;
    int64_t (*make)(void);
    enum call_result result;
    bool takes_socket;
};

/* What the calls are given. */
static struct dry_socket *the_socket, *some_pair[2];
static char bytes[4096] = "bytes";
static struct iovec vector = {bytes, 16};
static struct dry_ancillary items[4];
static struct dry_address address;
static struct dry_value value, values[DRY_ADDRESS_VALUES];
static const struct dry_value text_value = {.kind = DRY_TEXT, .bytes = "text", .count = 4};
static size_t size;
static int number;
static int64_t wide;
static struct dry_addrinfo *infos;
static struct epoll_event event;
static struct pollfd descriptor = {.fd = -1};

static void do_nothing(void *argument)
{
}

#include "all_calls.inc"

enum { ALL_CALLS = sizeof all_calls / sizeof all_calls[0] };

/* Good arguments again, whatever a call wrote into them. */
static inline void renew_arguments(void)
{
    memset(bytes, 0, sizeof bytes);
    strcpy(bytes, "1");
    vector = (struct iovec){bytes, 16};
    size = 4;
    dry_address_inet(&address, AF_INET, "10.0.0.1", 1);
}

static inline bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

#endif
