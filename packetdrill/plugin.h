/* The plug-in by which packetdrill, the public tool, drives a world: its parts and what they share.
 * SPDX-License-Identifier: MIT
 *
 * One host with the address that is under test; who talks to it is the tool. Every call of the tool
 * becomes a task of the world, so that one that must wait waits there, and its thread here sleeps until
 * it ends. The clock moves where the tool sleeps, asks for the next packet, or looks at it. */
#ifndef PACKETDRILL_PLUGIN_H
#define PACKETDRILL_PLUGIN_H

#include <drysock/sim.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors of the world start here: others are the tool's own. */
enum { PLUGIN_FIRST_DESCRIPTOR = 1 << 20 };

typedef int64_t plugin_make(struct dry_caller caller, const uintptr_t *arguments);

/* ---- world.c ------------------------------------------------------------------------------ */

/* Makes the world; flags: the host's address, by default 192.168.0.1. Ends the process with a sentence
 * when that fails. */
void plugin_open(const char *flags);
void plugin_close(void);
/* Makes the call as a task of the world and sleeps until it ended. >= 0, or -1 with errno. */
int64_t plugin_call(plugin_make *make, const uintptr_t *arguments);
/* A packet arrives at the host. 0 or -1. */
int plugin_arrives(const void *packet, size_t length);
/* Moves the clock until a packet leaves; true: it is in buffer, cut to *length. False: none does. */
bool plugin_leaves(void *buffer, size_t *length, uint64_t *at);
/* Moves the clock by so much, or until a call that waited ends. */
void plugin_sleep(uint64_t ns);
uint64_t plugin_now(void);
/* With the lock held: the world, and the host under test. */
struct sim *plugin_world(int *host);

/* ---- commands.c --------------------------------------------------------------------------- */

/* Applies what the stand-ins for sysctl, ip and tc have written since the last look. */
void plugin_commands(void);

/* ---- calls.c ------------------------------------------------------------------------------ */

int plugin_getsockopt(void *userdata, int fd, int level, int option, void *value, socklen_t *length);
int plugin_setsockopt(void *userdata, int fd, int level, int option, const void *value,
                      socklen_t length);
int plugin_close_fd(void *userdata, int fd);
ssize_t plugin_write(void *userdata, int fd, const void *data, size_t length);

#endif
