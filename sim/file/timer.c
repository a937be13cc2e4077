/* timerfd: timers that are read like files.
 * SPDX-License-Identifier: MIT
 *
 * LINUX: a periodic timer that has fired is not armed again until somebody reads it; the read then
 * counts what was missed. So an unread timer of a nanosecond costs nothing. */
#include "timer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#include "core/block.h"
#include "core/event.h"
#include "file.h"
#include "wait.h"

static const uint64_t SECOND = 1000000000;

struct sim_timer_id sim_timer_new(struct sim_world *world, clockid_t clock)
{
    const struct sim_timer_id id = {sim_pool_take(world, SIM_POOL_TIMER)};
    if (id.index) {
        struct sim_timer *timer = sim_timer_at(world, id);
        timer->clock = (uint32_t)clock;
        timer->next_at = SIM_NEVER;
    }
    return id;
}

void sim_timer_free(struct sim_world *world, struct sim_timer_id id)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    sim_event_cancel(world, &timer->event);
    sim_wait_abandon(world, &timer->waiters);
    sim_pool_give(world, SIM_POOL_TIMER, id.index);
}

static uint64_t nanoseconds(const struct timespec *time)
{
    const uint64_t seconds = (uint64_t)time->tv_sec;
    return seconds > SIM_NEVER / SECOND / 2 ? SIM_NEVER / 2
                                            : seconds * SECOND + (uint64_t)time->tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND), (long)(ns % SECOND)};
}

static void arm(struct sim_world *world, struct sim_timer_id id)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    timer->event = sim_event_push(world, timer->next_at, SIM_EVENT_TIMERFD, id.index, 0, 0);
    assert(timer->event.index);
}

void sim_timer_set(struct sim_world *world, struct sim_timer_id id, bool absolute,
                   const struct itimerspec *value)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    sim_event_cancel(world, &timer->event);
    timer->expirations = 0;
    timer->interval_ns = nanoseconds(&value->it_interval);
    timer->next_at = SIM_NEVER;
    timer->armed = value->it_value.tv_sec != 0 || value->it_value.tv_nsec != 0;
    if (!timer->armed) {
        return;
    }
    const uint64_t first = nanoseconds(&value->it_value);
    if (!absolute) {
        timer->next_at = world->now + first;
    } else if (timer->clock == CLOCK_REALTIME || timer->clock == CLOCK_REALTIME_ALARM) {
        timer->next_at = first > world->wall_offset_ns ? first - world->wall_offset_ns : 0;
    } else {
        timer->next_at = first;
    }
    if (timer->next_at <= world->now) { /* what is past expires before the call returns */
        sim_timer_fires(world, id);
        return;
    }
    arm(world, id);
}

/* How often a periodic timer would have fired since it last did, and moves it on. */
static uint64_t forward(struct sim_world *world, struct sim_timer *timer)
{
    const uint64_t missed = (world->now - timer->next_at) / timer->interval_ns;
    timer->next_at += (missed + 1) * timer->interval_ns;
    return missed;
}

void sim_timer_get(struct sim_world *world, struct sim_timer_id id, struct itimerspec *value)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    if (timer->armed && timer->expirations && timer->interval_ns && !timer->event.index) {
        timer->expirations += forward(world, timer);
        arm(world, id);
    }
    const bool running = timer->event.index != 0;
    value->it_value = timespec_of(running && timer->next_at > world->now ? timer->next_at - world->now
                                  : running                              ? 1
                                                                         : 0);
    value->it_interval = timespec_of(timer->interval_ns);
}

void sim_timer_fires(struct sim_world *world, struct sim_timer_id id)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    timer->event.index = 0;
    timer->expirations++;
    sim_wake(world, &timer->waiters, POLLIN);
}

int64_t sim_timer_read(struct sim_world *world, struct sim_timer_id id, uint64_t *expirations)
{
    struct sim_timer *timer = sim_timer_at(world, id);
    if (timer->expirations == 0) {
        return -EAGAIN;
    }
    if (timer->interval_ns && !timer->event.index) {
        timer->expirations += forward(world, timer);
        arm(world, id);
    }
    *expirations = timer->expirations;
    timer->expirations = 0;
    return sizeof *expirations;
}

uint32_t sim_timer_poll(const struct sim_world *world, struct sim_timer_id id)
{
    return sim_timer_at(world, id)->expirations > 0 ? POLLIN : 0;
}

/* ---- as a file -------------------------------------------------------------------------------- */

static uint32_t file_poll(const struct sim_world *world, uint32_t object)
{
    return sim_timer_poll(world, (struct sim_timer_id){object});
}

static void file_release(struct sim_world *world, uint32_t object)
{
    sim_timer_free(world, (struct sim_timer_id){object});
}

const struct sim_file_verbs sim_timer_verbs = {SIM_FILE_TIMER, file_poll, file_release};
