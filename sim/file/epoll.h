/* epoll: interest lists, edge and level triggers, one-shot and exclusive items.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_EPOLL_H
#define SIM_EPOLL_H

#include <sys/epoll.h>

#include "core/state.h"
#include "file.h"

struct sim_epoll_id sim_epoll_new(struct sim_world *world);
/* Frees the epoll and all its items. */
void sim_epoll_free(struct sim_world *world, struct sim_epoll_id id);
/* epoll_ctl(2) once both descriptors are resolved. */
int sim_epoll_control(struct sim_world *world, struct sim_epoll_id id, int operation,
                      struct sim_file_id file, int descriptor, const struct epoll_event *event);
/* Up to `maximum` events that hold now; one-shot items are disarmed, level ones stay ready. */
int sim_epoll_collect(struct sim_world *world, struct sim_epoll_id id, struct epoll_event *events,
                      int maximum);
uint32_t sim_epoll_poll(const struct sim_world *world, struct sim_epoll_id id);

extern const struct sim_file_verbs sim_epoll_verbs;

#endif
