/* A system that answers from a script, so that a test tells the library what happens, to the ns.
 * SPDX-License-Identifier: MIT
 *
 * Each step is one seam call that must come next: which one, the timeout that it must carry, how
 * long it takes, and what it answers. Time is the script's. Any other call, or a step left over,
 * fails the test.
 */
#ifndef TESTS_REAL_DOUBLE_H
#define TESTS_REAL_DOUBLE_H

#include <drysock/socket.h>

enum {
    MS = 1000000, /* nanoseconds */
    FOREVER = -1, /* the timeout of a ppoll with none */
    DOUBLE_FD = 77,
};

enum step_call {
    STEP_POLL = 1, /* .timeout_ns is checked; .events too when not 0 */
    STEP_SEND,     /* .bytes, the length asked for, is checked when not 0 */
    STEP_RECEIVE,
    STEP_ACCEPT,
    STEP_CONNECT,
    STEP_OUTCOME, /* getsockopt(SO_ERROR); .code is what it reports */
    STEP_SLEEP,
    STEP_SENDFILE,
    STEP_SENDMSG,
    STEP_RECVMSG,
    STEP_CHECK, /* the interrupt check; .gives is its answer */
    STEP_IOCTL, /* FIONBIO; .code is the flag expected */
    STEP_CLOSE, /* .code is the descriptor expected */
};

struct step {
    enum step_call call;
    int64_t gives; /* >= 0 or -errno */
    int64_t timeout_ns;
    uint64_t takes_ns;
    size_t bytes;
    short events;
    int code;
};

/* Speaks through the script from now on; the interrupt check is the script's when one of its steps
 * is STEP_CHECK. */
void double_play(const struct step *steps, size_t count);
#define PLAY(...)                                   \
    double_play((const struct step[]){__VA_ARGS__}, \
                sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* Every step was played, and begin and end of every announced call balance. Speaks through the
 * kernel again. */
void double_finish(void);

/* The script's clock, which starts at 1,000 s. */
uint64_t double_now(void);

/* A socket object for DOUBLE_FD, made without any call; timeout_ns as in dry_settimeout. */
struct dry_socket *double_socket(int64_t timeout_ns);
/* Frees it without any call. */
void double_free(struct dry_socket *socket);

/* The verbs announced since double_play, as "accept(77) ". */
const char *double_announced(void);

#endif
