/* ioctl(2) of interfaces.
 * SPDX-License-Identifier: MIT */
#ifndef PRELOAD_INTERFACES_H
#define PRELOAD_INTERFACES_H

#include <stdbool.h>
#include <stdint.h>

bool preload_is_of_interfaces(unsigned long request);
/* 0, -ENODEV, -EADDRNOTAVAIL, -EFAULT. */
int64_t preload_interfaces(unsigned long request, void *argument);

#endif
