/* Captures, in a program's process: none; libpcap is not put into programs.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "sim/net/capture.h"

int sim_capture_open(const char *path, struct sim_capture **capture)
{
    *capture = NULL;
    return -EOPNOTSUPP;
}

void sim_capture_write(struct sim_capture *capture, uint64_t at_ns, const void *bytes, size_t length)
{
}

int sim_capture_flush(struct sim_capture *capture)
{
    return 0;
}

int sim_capture_close(struct sim_capture *capture)
{
    return 0;
}
