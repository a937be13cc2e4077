/* A name server: user-level code over the seam that answers DNS questions from a zone.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_NAMESERVER_H
#define SIM_NAMESERVER_H

#include <drysock/system.h>

#include "zone.h"

/* Serves UDP and TCP port 53 of every address of the caller's host, for ever. Returns only when its
 * sockets cannot be made or waited for: -errno. */
int sim_nameserver_serve(struct dry_caller caller, const struct sim_zone *zone);

#endif
