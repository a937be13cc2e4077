/* timerfd: timers that are read like files.
 * SPDX-License-Identifier: MIT */
#ifndef SIM_TIMER_H
#define SIM_TIMER_H

#include <time.h>

#include "core/state.h"
#include "file.h"

/* A disarmed timer of a clock; index 0: ENOMEM. */
struct sim_timer_id sim_timer_new(struct sim_world *world, clockid_t clock);
void sim_timer_free(struct sim_world *world, struct sim_timer_id id);
/* timerfd_settime(2), timerfd_gettime(2); values are checked by the caller. */
void sim_timer_set(struct sim_world *world, struct sim_timer_id id, bool absolute,
                   const struct itimerspec *value);
void sim_timer_get(struct sim_world *world, struct sim_timer_id id, struct itimerspec *value);
/* SIM_EVENT_TIMERFD. */
void sim_timer_fires(struct sim_world *world, struct sim_timer_id id);
/* 8 with the expirations since the last read, or -EAGAIN. */
int64_t sim_timer_read(struct sim_world *world, struct sim_timer_id id, uint64_t *expirations);
uint32_t sim_timer_poll(const struct sim_world *world, struct sim_timer_id id);

extern const struct sim_file_verbs sim_timer_verbs;

#endif
