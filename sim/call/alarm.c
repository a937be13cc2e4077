/* World calls of programs about timers that send signals: alarm, setitimer, timer_create and its kin.
 * SPDX-License-Identifier: MIT
 *
 * SIMPLER: computing takes no time, so the timers of used processor time (ITIMER_VIRTUAL,
 * ITIMER_PROF, the CPU clocks) run by the world's clock. */
#include <sys/time.h>

#include "core/event.h"
#include "family.h"
#include "internal.h"
#include "pending.h"
#include "process.h"
#include "program.h"

enum { MOST_ALARMS = 1 << 20 };

static struct sim_process_id process_of(SIM_CALL)
{
    return sim_task_at(world, task)->process;
}

static uint64_t left(const struct sim_world *world, uint64_t at)
{
    return at == 0 ? 0 : at > world->now ? at - world->now : 1; /* LINUX: due is not disarmed */
}

/* ---- alarm, setitimer --------------------------------------------------------------------------- */

static bool read_timeval(const struct timeval *time, uint64_t *ns)
{
    const struct timespec spec = {
        time->tv_sec, time->tv_usec < 0 || time->tv_usec >= 1000000 ? -1 : time->tv_usec * 1000};
    return sim_call_duration(&spec, ns);
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){(time_t)(ns / SIM_CALL_SECOND), (suseconds_t)(ns % SIM_CALL_SECOND / 1000)};
}

static void arm(struct sim_world *world, struct sim_process_id id, uint32_t which, uint64_t at)
{
    struct sim_interval *timer = &sim_process_at(world, id)->intervals[which];
    sim_event_cancel(world, &timer->event);
    timer->at = at;
    if (at) {
        timer->event = sim_event_push(world, at, SIM_EVENT_INTERVAL, id.index, which, 0);
    }
}

static void set_interval(struct sim_world *world, struct sim_process_id id, uint32_t which, uint64_t ns,
                         uint64_t interval_ns)
{
    sim_process_at(world, id)->intervals[which].interval_ns = interval_ns;
    arm(world, id, which, ns ? sim_call_after(world, ns) : 0);
}

void sim_interval_fires(struct sim_world *world, struct sim_process_id id, uint32_t which)
{
    static const int numbers[SIM_INTERVAL_TIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct sim_interval *timer = &sim_process_at(world, id)->intervals[which];
    timer->event.index = 0;
    arm(world, id, which, timer->interval_ns ? sim_call_after(world, timer->interval_ns) : 0);
    const struct sim_signal signal = {.number = numbers[which], .code = SI_KERNEL};
    sim_signal_to_process(world, id, &signal);
}

int64_t sim_call_alarm(SIM_CALL, unsigned seconds)
{
    const struct sim_process_id id = process_of(world, task);
    const uint64_t ns = left(world, sim_process_at(world, id)->intervals[ITIMER_REAL].at);
    set_interval(world, id, ITIMER_REAL, (uint64_t)seconds * SIM_CALL_SECOND, 0);
    /* LINUX: rounded, but never to none. */
    const uint64_t whole = ns / SIM_CALL_SECOND, rest = ns % SIM_CALL_SECOND;
    return (int64_t)(whole + ((whole == 0 && rest > 0) || rest >= SIM_CALL_SECOND / 2));
}

static void tell_interval(const struct sim_world *world, const struct sim_interval *timer,
                          struct itimerval *value)
{
    value->it_interval = timeval_of(timer->interval_ns);
    value->it_value = timeval_of(left(world, timer->at));
    if (timer->at && value->it_value.tv_sec == 0 && value->it_value.tv_usec == 0) {
        value->it_value.tv_usec = 1;
    }
}

int64_t sim_call_getitimer(SIM_CALL, int which, struct itimerval *value)
{
    if (which < 0 || which >= SIM_INTERVAL_TIMERS) {
        return -EINVAL;
    }
    tell_interval(world, &sim_process_at(world, process_of(world, task))->intervals[which], value);
    return 0;
}

int64_t sim_call_setitimer(SIM_CALL, int which, const struct itimerval *value, struct itimerval *old)
{
    const struct sim_process_id id = process_of(world, task);
    uint64_t ns = 0, interval_ns = 0;
    if (value &&
        (!read_timeval(&value->it_value, &ns) || !read_timeval(&value->it_interval, &interval_ns))) {
        return -EINVAL;
    }
    if (which < 0 || which >= SIM_INTERVAL_TIMERS) {
        return -EINVAL;
    }
    struct itimerval before;
    tell_interval(world, &sim_process_at(world, id)->intervals[which], &before);
    set_interval(world, id, (uint32_t)which, ns, interval_ns);
    if (old) {
        *old = before;
    }
    return 0;
}

/* ---- timer_create ------------------------------------------------------------------------------- */

static struct sim_alarm_id find(SIM_CALL, int number)
{
    struct sim_alarm_id id = sim_process_at(world, process_of(world, task))->first_alarm;
    while (id.index && (number < 0 || sim_alarm_at(world, id)->number != (uint32_t)number)) {
        id = sim_alarm_at(world, id)->next;
    }
    return id;
}

/* 0, -EINVAL for no clock, -EOPNOTSUPP for one without timers. */
static int clock_for_timer(SIM_CALL, clockid_t clock)
{
    struct timespec resolution;
    const bool of_device = clock < 0 && (clock & 7) == 3; /* LINUX: CLOCKFD */
    if (of_device || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
        clock == CLOCK_REALTIME_COARSE) {
        return -EOPNOTSUPP;
    }
    return (int)sim_call_clock_getres(world, task, clock, &resolution);
}

static bool good_event(SIM_CALL, const struct sigevent *event)
{
    const int notify = event->sigev_notify;
    if (notify != SIGEV_NONE && (event->sigev_signo < 1 || event->sigev_signo > SIM_SIGNALS)) {
        return false;
    }
    if (notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID)) {
        const struct sim_task_id to = sim_family_task(world, (uint32_t)event->_sigev_un._tid);
        return to.index && sim_task_at(world, to)->process.index == process_of(world, task).index;
    }
    return notify == SIGEV_NONE || notify == SIGEV_SIGNAL || notify == SIGEV_THREAD;
}

int64_t sim_call_timer_create(SIM_CALL, clockid_t clock, const struct sigevent *event, int *timer)
{
    const int known = clock_for_timer(world, task, clock);
    if (known < 0) {
        return known;
    }
    if (event && !good_event(world, task, event)) {
        return -EINVAL;
    }
    struct sim_process *process = sim_process_at(world, process_of(world, task));
    const struct sim_alarm_id id = {sim_pool_take(world, SIM_POOL_ALARM)};
    if (!id.index) {
        return -EAGAIN;
    }
    do {
        process->next_alarm %= MOST_ALARMS;
    } while (find(world, task, (int)process->next_alarm++).index);
    struct sim_alarm *alarm = sim_alarm_at(world, id);
    alarm->number = process->next_alarm - 1;
    alarm->process = process_of(world, task);
    alarm->clock = clock;
    alarm->notify = event ? event->sigev_notify : SIGEV_SIGNAL;
    alarm->signal = event ? event->sigev_signo : SIGALRM;
    alarm->value = event ? (uintptr_t)event->sigev_value.sival_ptr : alarm->number;
    alarm->tid = alarm->notify & SIGEV_THREAD_ID ? (uint32_t)event->_sigev_un._tid : 0;
    alarm->next = process->first_alarm;
    process->first_alarm = id;
    *timer = (int)alarm->number;
    return 0;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SIM_CALL_SECOND), (long)(ns % SIM_CALL_SECOND)};
}

static void tell(const struct sim_world *world, const struct sim_alarm *alarm, struct itimerspec *value)
{
    value->it_interval = timespec_of(alarm->interval_ns);
    value->it_value = timespec_of(left(world, alarm->at));
}

int64_t sim_call_timer_settime(SIM_CALL, int timer, int flags, const struct itimerspec *value,
                               struct itimerspec *old)
{
    uint64_t ns, interval_ns;
    if (!sim_call_duration(&value->it_value, &ns) ||
        !sim_call_duration(&value->it_interval, &interval_ns)) {
        return -EINVAL;
    }
    const struct sim_alarm_id id = find(world, task, timer);
    if (!id.index) {
        return -EINVAL;
    }
    struct sim_alarm *alarm = sim_alarm_at(world, id);
    if (old) {
        tell(world, alarm, old);
    }
    sim_event_cancel(world, &alarm->event);
    alarm->at = 0;
    alarm->overrun = alarm->last_overrun = 0;
    alarm->interval_ns = ns ? interval_ns : 0;
    if (ns == 0) {
        return 0;
    }
    alarm->at = sim_call_after(world, ns);
    if (flags & TIMER_ABSTIME) {
        const bool wall = alarm->clock == CLOCK_REALTIME || alarm->clock == CLOCK_TAI ||
                          alarm->clock == CLOCK_REALTIME_ALARM;
        const uint64_t offset = wall ? world->wall_offset_ns : 0;
        alarm->at = ns > offset ? ns - offset : 1;
    }
    alarm->event = sim_event_push(world, alarm->at, SIM_EVENT_ALARM, id.index, 0, 0);
    return 0;
}

void sim_alarm_fires(struct sim_world *world, struct sim_alarm_id id)
{
    struct sim_alarm *alarm = sim_alarm_at(world, id);
    alarm->event.index = 0;
    alarm->at = alarm->interval_ns ? sim_call_after(world, alarm->interval_ns) : 0;
    if (alarm->at) {
        alarm->event = sim_event_push(world, alarm->at, SIM_EVENT_ALARM, id.index, 0, 0);
    }
    if (alarm->notify == SIGEV_NONE) {
        return;
    }
    if (alarm->pending) {
        alarm->overrun += !DRY_MUTANT(overruns_are_not_counted);
        return;
    }
    const struct sim_signal signal = {
        .number = alarm->signal, .code = SI_TIMER, .alarm = id.index, .value = alarm->value};
    const struct sim_task_id to = alarm->tid ? sim_family_task(world, alarm->tid)
                                             : (struct sim_task_id){0};
    const struct sim_process_id process = alarm->process;
    if (alarm->tid && !to.index) {
        return; /* its thread has ended */
    }
    alarm->pending = 1;
    if (to.index) {
        sim_signal_to_task(world, to, &signal);
    } else {
        sim_signal_to_process(world, process, &signal);
    }
    if (!sim_signal_alarm_is_queued(world, id)) {
        alarm->pending = 0; /* it was ignored */
    }
}

int64_t sim_call_timer_gettime(SIM_CALL, int timer, struct itimerspec *value)
{
    const struct sim_alarm_id id = find(world, task, timer);
    if (!id.index) {
        return -EINVAL;
    }
    tell(world, sim_alarm_at(world, id), value);
    return 0;
}

int64_t sim_call_timer_getoverrun(SIM_CALL, int timer)
{
    const struct sim_alarm_id id = find(world, task, timer);
    return id.index ? (int64_t)sim_alarm_at(world, id)->last_overrun : -EINVAL;
}

static void delete(struct sim_world *world, struct sim_alarm_id id)
{
    struct sim_alarm *alarm = sim_alarm_at(world, id);
    sim_event_cancel(world, &alarm->event);
    sim_signal_forget_alarm(world, id);
    sim_pool_give(world, SIM_POOL_ALARM, id.index);
}

int64_t sim_call_timer_delete(SIM_CALL, int timer)
{
    const struct sim_alarm_id id = find(world, task, timer);
    if (!id.index) {
        return -EINVAL;
    }
    struct sim_alarm_id *link = &sim_process_at(world, process_of(world, task))->first_alarm;
    while (link->index != id.index) {
        link = &sim_alarm_at(world, *link)->next;
    }
    *link = sim_alarm_at(world, id)->next;
    delete (world, id);
    return 0;
}

void sim_alarms_delete(struct sim_world *world, struct sim_process_id id)
{
    struct sim_process *process = sim_process_at(world, id);
    while (process->first_alarm.index) {
        const struct sim_alarm_id alarm = process->first_alarm;
        process->first_alarm = sim_alarm_at(world, alarm)->next;
        delete (world, alarm);
    }
}

void sim_intervals_disarm(struct sim_world *world, struct sim_process_id id)
{
    for (uint32_t which = 0; which < SIM_INTERVAL_TIMERS; which++) {
        set_interval(world, id, which, 0, 0);
    }
}
