/* The fingerprint: one hash that tells equal worlds from others.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include "state.h"

/* A hash of every live slot, the queue and the clock; equal worlds have equal fingerprints. */
uint64_t sim_world_fingerprint(const struct sim_world *world);

#endif
