/* A network and an /etc of this process's own, in which the C library's resolver is asked too.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_NAMES_APART_H
#define TESTS_SIM_NAMES_APART_H

#include <stdbool.h>

/* Once, before the first thread. False, with a word on it: there are no namespaces here. */
bool apart_begin(const char *hosts, const char *resolv_conf);
/* What the C library reads from now on. */
void apart_configure(const char *resolv_conf);

#endif
