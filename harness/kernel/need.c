/* What a scenario `needs` of the machine beyond namespaces and TUN.
 * SPDX-License-Identifier: MIT */
#include "need.h"

#include <errno.h>
#include <linux/can.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

/* What a word asks for: a socket that can be made. */
static const struct {
    const char *word;
    int family, type, protocol;
} needs[] = {
    {"can", AF_CAN, SOCK_RAW, CAN_RAW},
    {"tipc", AF_TIPC, SOCK_SEQPACKET, 0},
    {"vsock", AF_VSOCK, SOCK_STREAM, 0},
    {"bluetooth", AF_BLUETOOTH, SOCK_SEQPACKET, 0},
    {"alg", AF_ALG, SOCK_SEQPACKET, 0},
    {"rds", AF_RDS, SOCK_SEQPACKET, 0},
    {"qipcrtr", AF_QIPCRTR, SOCK_DGRAM, 0},
    {"sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
    {"udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
    {"mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP},
    {"ipv6", AF_INET6, SOCK_DGRAM, 0},
};

static int check_word(const struct scenario_line *need, char *why)
{
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        int fd;
        if (strcmp(needs[i].word, need->text) != 0) {
            continue;
        }
        fd = socket(needs[i].family, needs[i].type | SOCK_CLOEXEC, needs[i].protocol);
        if (fd < 0) {
            snprintf(why, KERNEL_WHY_BYTES, "needs %s, which this machine lacks: %s", need->text,
                     strerror(errno));
            return -1;
        }
        close(fd);
        return 0;
    }
    snprintf(why, KERNEL_WHY_BYTES,
             "needs %s, and nobody knows how to tell whether this machine "
             "has it",
             need->text);
    return -1;
}

int kernel_need_check(const struct scenario *scenario, char *why)
{
    for (uint32_t i = 0; i < scenario->need_count; i++) {
        if (check_word(&scenario->needs[i], why) < 0) {
            return -1;
        }
    }
    return 0;
}

bool kernel_need_has(const struct scenario *scenario, const char *word)
{
    for (uint32_t i = 0; i < scenario->need_count; i++) {
        if (strcmp(scenario->needs[i].text, word) == 0) {
            return true;
        }
    }
    return false;
}
