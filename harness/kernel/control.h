/* What `drysock` and `drysock-kernel` say to each other over their socket.
 * SPDX-License-Identifier: MIT
 *
 * One message is one packet of a SOCK_SEQPACKET pair; a closed socket means the other side has
 * ended. The order is HOST for each host, READY, GO, then WAITS for each DESCRIBE. */
#ifndef HARNESS_KERNEL_CONTROL_H
#define HARNESS_KERNEL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

enum kernel_message_kind {
    KERNEL_HOST = 1, /* program: host `index` is made; its TUN descriptor comes along */
    KERNEL_READY,    /* program: every actor stands at the start */
    KERNEL_LACKS,    /* program, instead: the machine does not allow it: text */
    KERNEL_FAILED,   /* program, instead: anything else: text */
    KERNEL_WAITS,    /* program: where each actor waits: text, several lines */
    KERNEL_GO,       /* run: instant 0 is now */
    KERNEL_DESCRIBE, /* run: say WAITS */
};

enum { KERNEL_TEXT_BYTES = 8192 };

struct kernel_message {
    uint32_t kind;
    uint32_t index;
    char text[KERNEL_TEXT_BYTES]; /* NUL-terminated; only what is used is sent */
};

/* Descriptors that drysock-kernel is started with. */
enum {
    KERNEL_CONTROL_FD = 3,
    KERNEL_TRACE_FD = 4,    /* it writes its trace here */
    KERNEL_SCENARIO_FD = 5, /* and reads the scenario's text from here */
};

/* fd -1: none goes along. 0 or -errno. */
int kernel_control_send(int control, enum kernel_message_kind kind, uint32_t index, const char *text,
                        int fd);
/* Waits for a message. 1, 0 (the other side has ended) or -errno; *fd is -1 when none came. */
int kernel_control_receive(int control, struct kernel_message *message, int *fd);

#endif
