/* Which scenarios cannot run faster than real time.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "run.h"

/* Options whose time the kernel keeps, where libfaketime does not reach. */
static const char *const kernel_timers[] = {
    "SO_RCVTIMEO",   "SO_SNDTIMEO",    "SO_LINGER",         "SO_KEEPALIVE", "TCP_KEEPIDLE",
    "TCP_KEEPINTVL", "TCP_KEEPCNT",    "TCP_USER_TIMEOUT",  "TCP_LINGER2",  "TCP_DEFER_ACCEPT",
    "TCP_SYNCNT",    "TCP_RTO_MAX_MS", "TCP_DELACK_MAX_US",
};

static const uint64_t FIRST_RTO_NS = 1000000000;

/* Names that DNS must answer; NULL: none. */
static const char *waits_for_names(const struct scenario *scenario)
{
    if (scenario->nameserver_count > 0 || scenario->resolver_line_count > 0) {
        return "the C library's resolver waits for DNS in real time";
    }
    return NULL;
}

/* What only the kernel's retransmission makes good. */
static const char *waits_for_links(const struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->link_count; i++) {
        const struct sim_link_options *link = &scenario->links[i].options;
        if (link->loss_ppm > 0 || link->corrupt_ppm > 0 || link->down != 0) {
            return "a link loses packets, and the kernel sends them again in real time";
        }
        if (2 * (link->delay_ns + link->jitter_ns) >= FIRST_RTO_NS) {
            return "a link is so slow that the kernel's retransmission timer takes part";
        }
    }
    for (uint32_t i = 0; i < scenario->event_count; i++) {
        if (scenario->events[i].kind != EVENT_SIGNAL) {
            return "a link goes down, and the kernel sends packets again in real time";
        }
    }
    return NULL;
}

static const char *waits_in_kernel(const struct scenario *scenario, const struct step *step, char *why)
{
    for (size_t i = 0; i < sizeof kernel_timers / sizeof kernel_timers[0]; i++) {
        if (strstr(step->text, kernel_timers[i]) != NULL) {
            snprintf(why, KERNEL_WHY_BYTES, "line %u: the kernel keeps %s in real time", step->at.line,
                     kernel_timers[i]);
            return why;
        }
    }
    if (step->expect.code != NULL && (strcmp(step->expect.code, "ETIMEDOUT") == 0 ||
                                      strcmp(step->expect.code, "EHOSTUNREACH") == 0)) {
        snprintf(why, KERNEL_WHY_BYTES, "line %u: the kernel gives up (%s) in real time", step->at.line,
                 step->expect.code);
        return why;
    }
    return NULL;
}

const char *kernel_run_refuses_speed(const struct scenario *scenario, char *why)
{
    const char *reason = waits_for_names(scenario);
    if (reason == NULL) {
        reason = waits_for_links(scenario);
    }
    if (reason != NULL) {
        snprintf(why, KERNEL_WHY_BYTES, "%s", reason);
        return why;
    }
    for (uint32_t i = 0; i < scenario->actor_count; i++) {
        for (uint32_t j = 0; j < scenario->actors[i].step_count; j++) {
            if (waits_in_kernel(scenario, &scenario->actors[i].steps[j], why) != NULL) {
                return why;
            }
        }
    }
    return NULL;
}
