/* The line between the kernel's hosts: packets from their TUN interfaces through the link model.
 * SPDX-License-Identifier: MIT
 *
 * The same sim_link_plan that the world asks in virtual time is asked here in real time. Instants
 * are nanoseconds since the run's start; the caller has the clock. */
#ifndef HARNESS_KERNEL_LINE_H
#define HARNESS_KERNEL_LINE_H

#include "language/scenario.h"

struct kernel_line;

/* tuns: a descriptor for each host of the scenario, borrowed. capture: a file to write, or NULL.
 * NULL: no memory, or the capture cannot be written. */
struct kernel_line *kernel_line_create(const struct scenario *scenario, const int *tuns, uint64_t seed,
                                       const char *capture);
/* Ends the capture: 0, or -errno when the file is not whole. */
int kernel_line_end_capture(struct kernel_line *line);
void kernel_line_free(struct kernel_line *line);

/* Takes every packet that waits on a host's interface. */
void kernel_line_receive(struct kernel_line *line, uint32_t host, uint64_t now);
/* Throws away what hosts said before the run began. */
void kernel_line_drain(struct kernel_line *line);
/* Delivers what has arrived by now, changes links that the scenario changes by now. */
void kernel_line_advance(struct kernel_line *line, uint64_t now);
/* When kernel_line_advance next has something to do; UINT64_MAX: never. */
uint64_t kernel_line_next_at(const struct kernel_line *line);

struct kernel_line_count {
    uint64_t sent, delivered, dropped;
    uint64_t late_ns; /* how long after its instant a packet was delivered, at most */
};
struct kernel_line_count kernel_line_count(const struct kernel_line *line);

#endif
