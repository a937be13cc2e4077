/* How head lines write addresses and link settings: one reader for worlds and for both systems' runs.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_NOTATION_H
#define SIM_NOTATION_H

#include <drysock/sim.h>

#include "core/state.h"

/* "10.0.0.1", "10.0.0.1/16", "fd00::1": without a prefix 24 and 64 bits. An address as it is kept, IPv4
 * mapped; *prefix_bits counts within its family. 0, or -EINVAL with a sentence in message. */
int sim_notation_address(const char *text, struct sim_ip *ip, uint32_t *prefix_bits, char *message,
                         size_t bytes);
/* One setting of a link: delay=20ms jitter=5ms loss=2.5% rate=10mbit queue=64000 mtu=1280 duplicate=
 * reorder= corrupt= down. docs/language.md lists them. 0, or -EINVAL with a sentence in message. */
int sim_notation_link(const char *text, struct sim_link_options *options, char *message, size_t bytes);

/* The options as a way of a link has them, for either direction. */
struct sim_link_way sim_link_way_of(const struct sim_link_options *options);
/* The largest packet, in bytes: 1500 where nothing is said. */
uint32_t sim_link_mtu(uint32_t mtu);

#endif
