/* How late the machine itself is: a thread that sleeps a little, again and again, and measures.
 * SPDX-License-Identifier: MIT
 *
 * When it oversleeps, the machine was busy, and a scenario's lateness at that time says nothing. */
#ifndef HARNESS_KERNEL_CANARY_H
#define HARNESS_KERNEL_CANARY_H

#include <stdint.h>

/* 0, or -1 when no thread is left. It ends with the process. */
int kernel_canary_start(void);
/* The longest oversleep so far. */
uint64_t kernel_canary_late_ns(void);

#endif
