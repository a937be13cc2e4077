/* Open file descriptions, descriptor tables, and who waits for what they name.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_FILE_H
#define SIM_FILE_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/state.h"

/* What a kind of object does for a description of it. Each kind's file defines its row; run/objects.c
 * lists them all. */
struct sim_file_verbs {
    uint32_t queue_kind; /* what its waiters' queue is called: wait.h */
    uint32_t (*poll)(const struct sim_world *, uint32_t object); /* all POLL* bits that hold */
    void (*release)(struct sim_world *, uint32_t object);        /* the last description is gone */
};
extern const struct sim_file_verbs *const sim_file_kinds[SIM_FILE_KIND_COUNT];

/* A description of an object, one reference held by the caller; index 0: ENFILE. */
struct sim_file_id sim_file_open(struct sim_world *world, enum sim_file_kind kind, uint32_t object,
                                 uint32_t status);
void sim_file_hold(struct sim_world *world, struct sim_file_id id);
/* Drops one reference; the last one releases the object. */
void sim_file_drop(struct sim_world *world, struct sim_file_id id);
uint32_t sim_file_poll(const struct sim_world *world, struct sim_file_id id);
/* The (queue kind, index) where waiters for this description stand. */
void sim_file_queue(const struct sim_world *world, struct sim_file_id id, uint32_t *kind,
                    uint32_t *index);

/* Links the task to a description's queue and holds the description while it waits, so that a close
 * elsewhere does not end the object under it. 0 or -ENOMEM. */
int sim_file_wait_add(struct sim_world *world, struct sim_task_id task, struct sim_file_id file,
                      uint32_t events);
/* The wait is over: unlinks all of the task's waiters, drops what they held, cancels the deadline. */
void sim_file_wait_clear(struct sim_world *world, struct sim_task_id task);

/* A process's record stays as long as somebody names it: itself until it exits, its tasks' records, the
 * sockets that it made. After the last drop a later sim_process_add frees it. */
void sim_process_hold(struct sim_world *world, struct sim_process_id process);
void sim_process_drop(struct sim_world *world, struct sim_process_id process);

/* Descriptors. install takes over the caller's reference and returns the lowest free descriptor >=
 * minimum, or -EMFILE (the reference stays the caller's). at: index 0 when not open. */
int sim_descriptor_install(struct sim_world *world, struct sim_process_id process,
                           struct sim_file_id file, uint32_t flags, int minimum);
struct sim_file_id sim_descriptor_file(const struct sim_world *world, struct sim_process_id process,
                                       int descriptor);
/* The description's socket: 0 with *id and *file, -EBADF or -ENOTSOCK. */
int sim_descriptor_socket(const struct sim_world *world, struct sim_process_id process, int descriptor,
                          struct sim_file_id *file, struct sim_socket_id *id);
int sim_descriptor_close(struct sim_world *world, struct sim_process_id process, int descriptor);
bool sim_descriptor_has_room(const struct sim_world *world, struct sim_process_id process);
/* The table's entry, NULL when not open. */
struct sim_descriptor *sim_descriptor_at(const struct sim_world *world, struct sim_process_id process,
                                         int descriptor);
/* dup3's second half: closes what the number names and puts the file there, taking over the
 * reference. The number, -EBADF outside the table, or -ENOMEM (the reference stays the caller's). */
int sim_descriptor_replace(struct sim_world *world, struct sim_process_id process,
                           struct sim_file_id file, uint32_t flags, int descriptor);
/* Exec: closes those with FD_CLOEXEC, lowest first. */
void sim_descriptor_close_on_exec(struct sim_world *world, struct sim_process_id process);
/* Exit: closes every descriptor, lowest first. Fork: the child gets all of the parent's. */
void sim_descriptor_close_all(struct sim_world *world, struct sim_process_id process);
int sim_descriptor_share_all(struct sim_world *world, struct sim_process_id from,
                             struct sim_process_id to);

#endif
