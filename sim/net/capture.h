/* Capture files: packets as bytes with their instants, for wireshark and tcpdump.
 * SPDX-License-Identifier: MIT
 *
 * pcap with nanoseconds, LINKTYPE_RAW: each record starts with its IP header. Knows nothing of the
 * world, so that the kernel-side coordinator writes its captures here too. */
#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct sim_capture;

/* Creates (or truncates) the file; 0 with *capture, or -errno. */
int sim_capture_open(const char *path, struct sim_capture **capture);
/* at_ns: since the world began, or since 1970. */
void sim_capture_write(struct sim_capture *capture, uint64_t at_ns, const void *bytes, size_t length);
/* So that what was written can be read while the run goes on. 0 or -errno. */
int sim_capture_flush(struct sim_capture *capture);
/* Writes what is pending and frees; NULL is allowed. 0, or -errno if the file is not whole. */
int sim_capture_close(struct sim_capture *capture);

#endif
