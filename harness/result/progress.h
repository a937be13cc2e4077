/* The progress bar: on the terminal behind standard error; nothing where that is no terminal.
 * SPDX-License-Identifier: MIT */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H

#include <stdint.h>

void progress_show(uint32_t done, uint32_t count, const char *name);
void progress_hide(void);

#endif
